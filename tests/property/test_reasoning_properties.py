"""What must hold for every patient and every order, over the packaged knowledge.

Patients are made of the knowledge's own markers, drugs and conditions; half of what is drawn concerns the drug
that is ordered, so that most examples have something to say.
"""

from __future__ import annotations

from calendar import monthrange
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from cds_service.model import (
    INDETERMINATE,
    Availability,
    Condition,
    Diplotype,
    Finding,
    Grade,
    Indicator,
    Kind,
    Medication,
    NotReadable,
    Order,
    Outcome,
    Patient,
    PendingTest,
    Phenotype,
    Quantity,
    Query,
    Reading,
    Span,
    Trust,
    Undetermined,
    When,
    is_of_tumour,
)
from cds_service.reasoning.apply import severity
from cds_service.reasoning.context import Context
from cds_service.reasoning.decide import decide
from cds_service.reasoning.measures import is_measured
from cds_service.reasoning.tables import situation_of
from tests.support.situations import (
    COMPLETE,
    DRUGS,
    KNOWLEDGE,
    MARKERS,
    POLICY,
    bounded,
    by_table,
    drafted,
    found,
    markers_of,
    observable,
    patients,
    readings,
    situations,
    thorough,
)
from tests.support.world import TODAY

SILENT_RULES = frozenset(
    {
        "",
        "below_threshold",
        "no_change",
        "no_guidance",
        "no_table_fits",
        "no_test",
        "no_test_changes",
        "not_at_risk",
        "risk_not_known",
        "policy_silent",
        "recalled",
        "tolerated",
        "would_not_change",
    }
)


@bounded
@given(situations(), st.randoms(use_true_random=False))
def test_the_order_of_resources_changes_nothing(situation, random):
    drafts, patient = situation

    def mixed(items: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(random.sample(items, len(items)))

    names = ("readings", "medications", "conditions", "allergies", "family", "pending")
    shuffled = replace(patient, **{name: mixed(getattr(patient, name)) for name in names})
    assert Counter(found(drafts, patient)) == Counter(found(mixed(drafts), shuffled))


@bounded
@given(situations())
def test_what_is_unrelated_changes_nothing(situation):
    drafts, patient = situation
    more = replace(
        patient,
        readings=(Reading("gene:UNRELATED", Diplotype("*1/*1"), "Observation/unrelated"), *patient.readings),
        medications=(Medication("MedicationRequest/unrelated", "plainol", ("plainol",)), *patient.medications),
        conditions=(Condition(frozenset({"unrelated"}), "", "Condition/unrelated"), *patient.conditions),
        pending=(PendingTest(("gene:UNRELATED",), "ServiceRequest/unrelated"), *patient.pending),
    )
    assert found(drafts, patient) == found(drafts, more)


POTASSIUM = ("lab:potassium", "mmol/L", (2.0, 4.2, 5.3, 6.8))
NEUTROPHILS = ("lab:neutrophils", "10*9/L", (0.3, 1.2, 1.9, 5.0))
MEASURED = {
    "trimethoprim": POTASSIUM,
    "finerenone": POTASSIUM,
    "succinylcholine": POTASSIUM,
    "clozapine": NEUTROPHILS,
    "tofacitinib": NEUTROPHILS,
}
SPIRONOLACTONE = Medication("MedicationRequest/spironolactone", "spironolactone", ("spironolactone",), started=TODAY)


@st.composite
def measured(draw: Any) -> tuple[tuple[Order, ...], Patient]:
    """A drug of a laboratory value, and a few of its results, mostly of one day, some with a time."""
    drug = draw(st.sampled_from(sorted(MEASURED)))
    name, unit, values = MEASURED[drug]
    made = []
    for n in range(draw(st.integers(1, 3))):
        on = TODAY - timedelta(days=draw(st.sampled_from([1, 1, 1, 2, 40])))
        hour = draw(st.sampled_from([None, None, 8, 20]))
        at = None if hour is None else (on.toordinal() * 24.0 + hour) * 3600
        says = Quantity(draw(st.sampled_from(values)), unit)
        made.append(Reading(name, says, f"Observation/{n}", on=on, at=at))
    patient = replace(draw(patients(drug, odd=False)), readings=tuple(made))
    return (drafted(drug),), replace(patient, medications=(SPIRONOLACTONE, *patient.medications))


def gist(findings: Iterable[Finding]) -> Counter[tuple[Any, ...]]:
    """What findings say, without the names of resources."""
    return Counter(
        (
            *(f.kind, f.table, f.row, f.silent, f.indicator, f.resulting, f.hold),
            *((t.marker, t.test) for t in f.tests),
            *((v.marker, type(v.knowledge).__name__, v.effective) for v in f.markers),
        )
        for f in findings
    )


def backwards(items: tuple[Any, ...], kind: str) -> tuple[Any, ...]:
    """The same with names that sort the other way round."""
    ranked = sorted(items, key=lambda item: item.reference, reverse=True)
    return tuple(replace(item, reference=f"{kind}/{n:02}") for n, item in enumerate(ranked))


@bounded
@given(st.one_of(measured(), situations()))
def test_the_names_of_resources_change_nothing(situation):
    drafts, patient = situation
    renamed = replace(
        patient,
        readings=backwards(patient.readings, "Observation"),
        conditions=backwards(patient.conditions, "Condition"),
        pending=backwards(patient.pending, "ServiceRequest"),
    )
    assert gist(found(drafts, patient)) == gist(found(drafts, renamed))


def roughly(when: date | None, written: str) -> When | None:
    """The month or the year of the day, as a sender tells it who tells no more."""
    if when is None:
        return None
    first = when.replace(day=1) if written == "month" else when.replace(month=1, day=1)
    month = first.month if written == "month" else 12
    return Span(first, when.replace(month=month, day=monthrange(when.year, month)[1]))


DATED = {"readings": "on", "conditions": "onset", "medications": "started", "pending": "since"}
WRITTEN = st.sampled_from(["month", "year"])
ASKING = {Kind.TEST_WOULD_CHANGE, Kind.RESULTS_CONFLICT, Kind.NOT_ASSESSED, Kind.CONFIRM_RESULT, Kind.TEST_PENDING}


@st.composite
def events(draw: Any) -> tuple[tuple[Order, ...], Patient]:
    """An enzyme's activity or a genotype, and what may have spoiled it."""
    spoiler = draw(st.sampled_from([s for s in KNOWLEDGE.spoilers if s.trust is not Trust.RECALLED]))
    known = sorted({m for m in MARKERS if m in spoiler.markers or m.partition(":")[0] in spoiler.markers})
    marker = draw(st.sampled_from(known))
    drug = draw(st.sampled_from([d for d in DRUGS if marker in markers_of(d)]))
    on = TODAY - timedelta(days=draw(st.integers(0, 60)))
    result = replace(draw(readings(marker, odd=False)), on=on, method=draw(st.sampled_from(spoiler.methods or ("",))))
    # Mostly near the days that decide: that of the event, and the end of its effect.
    days_after = draw(st.sampled_from([-20, -3, 0, 3, (spoiler.lasts_days or 0) - 5, (spoiler.lasts_days or 0) + 5]))
    onset = on - timedelta(days=days_after)
    event = Condition(frozenset({draw(st.sampled_from(spoiler.conditions))}), "event", "Condition/event", onset)
    return (drafted(drug),), replace(draw(patients(drug, odd=False)), readings=(result,), conditions=(event,))


@bounded
@given(st.one_of(measured(), situations()), st.sampled_from(sorted(DATED)), WRITTEN)
def test_a_date_told_roughly_takes_no_card_away(situation, name, written):
    takes_no_card_away(*situation, name, written)


@thorough
@given(events(), st.sampled_from(["readings", "conditions"]), WRITTEN)
def test_a_rough_date_of_a_result_or_an_event_takes_no_card_away(situation, name, written):
    takes_no_card_away(*situation, name, written)


def takes_no_card_away(drafts: tuple[Order, ...], patient: Patient, name: str, written: str) -> None:
    """What is shown of a table stays shown. A change may give way to the question that has come up, and never to
    silence."""
    field = DATED[name]
    rough = tuple(replace(item, **{field: roughly(getattr(item, field), written)}) for item in getattr(patient, name))
    before = by_table(f for f in found(drafts, patient) if not f.silent)
    after = by_table(f for f in found(drafts, replace(patient, **{name: rough})) if not f.silent)
    for key, findings in before.items():
        if key[3]:
            continue
        assert key in after, (key, [f.kind for f in findings])
        asks = bool({f.kind for f in after[key]} & ASKING)
        assert asks or gravest(after[key]) >= gravest(findings), key


def gravest(findings: Iterable[Finding]) -> int:
    return max(list(Indicator).index(f.indicator) for f in findings)


@bounded
@given(situations())
def test_a_silent_finding_names_its_rule(situation):
    findings = found(*situation)
    assert {f.silent for f in findings} <= SILENT_RULES
    assert all(f.silent for f in findings if f.kind in (Kind.NO_CHANGE, Kind.NO_TEST_CHANGES))
    assert {d for o in situation[0] for d in o.ingredients} <= {f.drug for f in findings}


@bounded
@given(situations())
def test_taking_a_result_away_never_reassures(situation):
    drafts, patient = situation
    before = by_table(found(drafts, patient))
    for reading in patient.readings:
        less = replace(patient, readings=tuple(r for r in patient.readings if r is not reading))
        after = by_table(found(drafts, less))
        for key, findings in before.items():
            if any(not f.silent for f in findings) and not key[3]:
                assert {f.kind for f in after[key]} != {Kind.NO_CHANGE}, key


RANK = (Indicator.INFO, Indicator.WARNING, Indicator.CRITICAL)


def loudness(drafts: tuple[Order, ...], patient: Patient) -> tuple[int, int]:
    """How many findings of the first draft are shown, one a table, and the gravest indicator (-1: none)."""
    shown = [f for f in found(drafts, patient) if not f.silent and f.order == drafts[0] and not f.caused_by]
    return len({f.table for f in shown}), max((RANK.index(f.indicator) for f in shown), default=-1)


@st.composite
def untested_of_one_marker(draw, drafts, patient):
    """The drafts, a marker of the first one's drug, and the patient without any reading of it."""
    markers = markers_of(drafts[0].ingredients[0])
    assume(markers)
    marker = draw(st.sampled_from(markers))
    readings_left = tuple(r for r in patient.readings if r.observable != observable(marker))
    return drafts, replace(patient, readings=readings_left), marker


@bounded
@given(situations(odd=False), st.data())
def test_a_test_without_a_clear_result_never_speaks_less_than_none(situation, data):
    drafts, untested, marker = data.draw(untested_of_one_marker(*situation))
    lifelong = not is_measured(marker) and not is_of_tumour(marker)
    unread = [Undetermined(), NotReadable("not_understood")]
    says = data.draw(st.sampled_from([*unread, Phenotype(INDETERMINATE)] if lifelong else unread))
    unclear = Reading(observable(marker), says, "Observation/unclear", on=TODAY)
    before, after = (
        loudness(drafts, p) for p in (untested, replace(untested, readings=(*untested.readings, unclear)))
    )
    assert after[0] >= before[0], "a finding was lost"
    assert after[1] >= before[1], "it is less urgent"


@bounded
@given(situations(odd=False), st.data())
def test_an_unverified_result_never_makes_it_less_urgent(situation, data):
    drafts, untested, marker = data.draw(untested_of_one_marker(*situation))
    home = replace(data.draw(readings(marker, odd=False)), grade=Grade.UNVERIFIED)
    before, after = (loudness(drafts, p) for p in (untested, replace(untested, readings=(*untested.readings, home))))
    assert after[0] >= before[0], "a finding was lost"
    assert after[1] >= before[1], "it is less urgent"


@bounded
@given(situations())
def test_a_part_of_the_results_never_says_less_than_none_of_them(situation):
    """Where an order has a card with nothing read, one result that was read does not take it away: another may have
    been lost."""
    drafts, patient = situation

    def cards(availability: Availability, read: tuple[Reading, ...]) -> bool:
        seen = replace(patient, readings=read, availability={**COMPLETE, Query.RESULTS: availability})
        return any(not f.silent for f in found(drafts[:1], seen) if f.order == drafts[0])

    if cards(Availability.FAILED, ()):
        assert cards(Availability.PARTIAL, patient.readings)


@bounded
@given(situations())
def test_an_alternative_on_offer_would_draw_no_warning_itself(situation):
    drafts, patient = situation
    for finding in found(drafts, patient):
        if finding.caused_by:
            continue
        for drug in (a.drug for a in finding.alternatives if not a.refused):
            instead = drafted(drug, reference=finding.order.reference, reasons=finding.order.reasons)
            others = tuple(o for o in drafts if o.reference != finding.order.reference)
            own = [f for f in found((instead, *others), patient) if f.drug == drug and not f.silent]
            against = [f for f in own if f.kind is Kind.CHANGE_NOW or f.indicator is not Indicator.INFO]
            assert not against, drug
            assert all(drug not in a.ingredients for a in patient.allergies)


@bounded
@given(situations())
def test_findings_of_one_order_do_not_contradict_each_other(situation):
    shown = [f for f in found(*situation) if not f.silent]
    for key, findings in by_table(shown).items():
        kinds = Counter(f.kind for f in findings)
        assert max(kinds.values()) == 1, key
        assert not {Kind.CHANGE_NOW, Kind.TEST_WOULD_CHANGE} <= kinds.keys(), key
    for one in shown:
        same = [f for f in shown if (f.order, f.drug, f.caused_by) == (one.order, one.drug, one.caused_by)]
        offered = {a.drug for a in one.alternatives if not a.refused}
        refused = {a.drug for f in same for a in f.alternatives if a.refused}
        assert not offered & refused
        assert one.drug not in offered
        decided = [f.resulting for f in same if f.table != one.table and f.kind is Kind.CHANGE_NOW]
        # No outcome of a test is milder than what another table has decided.
        worst = max(map(severity, decided), default=(0, 0.0))
        assert all(severity(b.resulting) >= worst for t in one.tests for b in t.branches), (
            "milder than what is decided"
        )


@bounded
@given(situations())
def test_what_waits_does_not_change_now(situation):
    for finding in found(*situation):
        if finding.resulting.outcome is Outcome.WAIT and finding.hold:
            assert finding.kind is not Kind.CHANGE_NOW
        if finding.indicator is Indicator.CRITICAL:
            assert finding.kind is Kind.CHANGE_NOW


@bounded
@given(situations())
def test_probabilities_are_ranges_within_one(situation):
    for test in (t for f in found(*situation) for t in f.tests):
        if test.probability is not None:
            assert 0 <= test.probability.low <= test.probability.high <= 1 + 1e-9
            assert test.probability.populations > 0


def asked(drug: str, patient: Patient, drafts: tuple[Order, ...]) -> dict[str, set[str]]:
    """Markers that each table of the drug would ask about."""
    context = Context(drafts[0], drug, patient, KNOWLEDGE, TODAY, drafts[1:])
    tables = KNOWLEDGE.tables_by_drug[drug]
    return {t.id: {q.marker for q in decide(situation_of(t, context, POLICY), POLICY).questions} for t in tables}


@bounded
@given(situations(odd=False), st.data())
def test_knowing_more_never_asks_more(situation, data):
    drafts, patient = situation
    drug = drafts[0].ingredients[0]
    seen = {r.observable for r in patient.readings}
    unread = [m for m in markers_of(drug) if observable(m) not in seen]
    assume(unread)
    new = data.draw(readings(data.draw(st.sampled_from(unread)), odd=False))
    before = asked(drug, patient, drafts)
    after = asked(drug, replace(patient, readings=(*patient.readings, new)), drafts)
    assert all(after[table] <= before[table] for table in before)


@bounded
@given(situations(odd=False), st.data())
def test_conflicting_results_never_reassure(situation, data):
    drafts, patient = situation
    markers = markers_of(drafts[0].ingredients[0])
    assume(markers)
    marker = data.draw(st.sampled_from(markers))
    rest = tuple(r for r in patient.readings if r.observable != observable(marker))
    one, other = data.draw(readings(marker, odd=False)), data.draw(readings(marker, odd=False))
    assume(type(one.says) is type(other.says))
    apart = [by_table(found(drafts, replace(patient, readings=(*rest, r)))) for r in (one, other)]
    both = by_table(found(drafts, replace(patient, readings=(*rest, one, other))))
    for key in apart[0]:
        results = [max((f.resulting for f in a[key]), key=severity) for a in apart if a[key]]
        markers_seen = {v.marker for f in apart[0][key] for v in f.markers}
        if key[3] or marker not in markers_seen or Outcome.WAIT in {r.outcome for r in results}:
            continue
        if len(set(results)) > 1:
            assert {f.kind for f in both[key]} != {Kind.NO_CHANGE}, (key, results)
