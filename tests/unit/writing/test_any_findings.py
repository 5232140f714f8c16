"""Whatever the findings are, the answer keeps CDS Hooks and our own limits."""

from __future__ import annotations

from datetime import date

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from writing_samples import draft, head_of

from cds_service import model as m

NAMES = st.one_of(st.text(max_size=200), st.sampled_from(["", "primol", "a | b", "<b onload=x>", "%% now\nx", "---"]))
KEYS = st.sampled_from(["", "why_poor", "some_key", "levels"])
DRUGS = st.sampled_from(["primol", "secundol", "tertiol", "quartol", "uncoded", "shown", "never_heard"])
MARKERS = st.sampled_from(["gene:GENA", "gene:GENS", "hla:B*99:01", "lab:potassium", "fact:age"])
STATES = st.sampled_from(["Poor Metabolizer", "Normal Metabolizer", "0.0", "0.5", "2.0", "positive", "other state"])
SHARES = st.tuples(st.floats(0, 1), st.floats(0, 1)).map(lambda pair: (min(pair), max(pair)))
AMOUNTS = st.builds(m.Amount, st.floats(0.001, 5000), st.sampled_from(["mg", "mg/d", "mg/kg/d"]))
FIGURES = st.one_of(
    st.fixed_dictionaries({"factor": SHARES}),
    st.fixed_dictionaries({"amount": AMOUNTS}),
    st.fixed_dictionaries({"cap": AMOUNTS}),
    st.fixed_dictionaries({"direction": st.sampled_from(["", "lower", "higher"])}),
)
DOSES = st.builds(
    lambda phase, figure, frequency: m.DoseChange(phase, frequency=frequency, **figure),
    st.sampled_from(m.DosePhase),
    FIGURES,
    KEYS,
)
OPTIONS = st.builds(
    m.Option,
    st.sampled_from(m.Action),
    dose=st.none() | DOSES,
    alternatives=st.lists(DRUGS, max_size=2).map(tuple),
    alternative_class=KEYS,
    note=KEYS,
    only_if=KEYS,
)
ADVICES = st.builds(
    m.Advice,
    st.lists(OPTIONS, max_size=4).map(tuple),
    st.sampled_from(m.Strength),
    st.sampled_from(m.Gravity),
    reason=KEYS,
)
RESULTING = st.builds(m.ResultingOrder, st.sampled_from(m.Outcome))
SAYS = st.one_of(
    st.builds(m.Diplotype, NAMES),
    st.builds(m.ActivityScore, st.floats(0, 5)),
    st.builds(m.HlaType, st.lists(NAMES, max_size=3).map(tuple), st.booleans()),
    st.builds(m.Quantity, st.floats(0, 1000), NAMES),
)
READINGS = st.lists(
    st.builds(
        m.Reading,
        MARKERS,
        SAYS,
        st.just("Observation/1"),
        on=st.none() | st.dates(date(1990, 1, 1), date(2026, 1, 1)),
        laboratory=NAMES,
    ),
    max_size=5,
).map(tuple)
SETS = st.frozensets(STATES, min_size=1, max_size=4)
KNOWN = st.one_of(
    st.builds(m.Known, STATES, READINGS),
    st.builds(m.Narrowed, SETS, st.sampled_from(m.Narrowing) | KEYS, READINGS),
    st.builds(m.Conflicting, SETS, READINGS),
    st.builds(m.Unverified, READINGS),
    st.builds(m.Pending, st.none() | st.dates(date(2020, 1, 1), date(2026, 1, 1)), st.just("ServiceRequest/1")),
    st.builds(
        m.NotTested, beside=st.sampled_from([None, m.GapReason.ABOUT_ANOTHER, m.GapReason.NOT_MACHINE_READABLE])
    ),
)
VIEWS = st.builds(m.MarkerView, MARKERS, KNOWN, SETS, st.lists(DRUGS, max_size=2).map(tuple), st.booleans())
BRANCHES = st.builds(
    m.Branch, st.lists(STATES, min_size=1, max_size=4).map(tuple), RESULTING, ADVICES, st.none() | SHARES
)
QUESTIONS = st.builds(
    m.TestQuestion,
    MARKERS,
    st.sampled_from(["gena", "gens", "unheard"]),
    st.lists(BRANCHES, max_size=6).map(tuple),
    st.none() | st.builds(m.ChangeProbability, st.floats(0, 1), st.floats(0, 1), st.integers(1, 20)),
    st.booleans(),
)


def _order(number: str) -> st.SearchStrategy[m.Order]:
    """One and the same order for all findings of an example."""
    order = st.builds(
        m.Order,
        st.just(f"MedicationRequest/{number}"),
        NAMES,
        st.lists(DRUGS, max_size=2).map(tuple),
        dose=st.none() | st.builds(m.Dose, st.none() | st.floats(0, 100), st.just("mg"), st.none(), NAMES),
        active=st.booleans(),
    )
    return st.shared(order, key=number)


ORDERS = _order("1") | _order("2")
FACTORS = st.floats(0.01, 3).map(lambda factor: (factor, factor))
ARITHMETIC = st.builds(
    lambda factor: m.DoseArithmetic(100.0, "mg", factor, (100 * factor[0], 100 * factor[1]), "per_dose"), FACTORS
)
FINDINGS = st.builds(
    m.Finding,
    st.sampled_from(m.Kind),
    ORDERS,
    DRUGS,
    st.sampled_from(["", "primol_gena", "secundol_gena", "primol_gens", "gated"]),
    indicator=st.sampled_from(m.Indicator),
    silent=st.sampled_from([*[m.Silence.SHOWN] * 3, m.Silence.RECALLED]),
    markers=st.lists(VIEWS, max_size=2).map(tuple),
    resulting=RESULTING,
    advice=st.none() | ADVICES,
    arithmetic=st.none() | ARITHMETIC,
    alternatives=st.lists(
        st.builds(
            m.Alternative,
            DRUGS,
            st.sampled_from([*[m.Refusal.OFFERED] * 2, m.Refusal.ALLERGY]),
            st.lists(MARKERS, max_size=1).map(tuple),
        ),
        max_size=4,
    ).map(tuple),
    tests=st.lists(QUESTIONS, max_size=2).map(tuple),
    closed_markers=st.lists(MARKERS, max_size=2).map(tuple),
    assumptions=st.lists(st.builds(m.Assumption, st.just("age"), st.just("some_key"), st.just("t")), max_size=2).map(
        tuple
    ),
    gaps=st.lists(st.builds(m.Gap, NAMES, st.sampled_from(m.GapReason), NAMES), max_size=3).map(tuple),
    preliminary=st.none()
    | st.builds(m.Preliminary, st.lists(VIEWS, min_size=1, max_size=2).map(tuple), RESULTING, ADVICES),
    further_may_ask_more=st.booleans(),
    hold=st.booleans(),
    bridge=st.lists(OPTIONS, max_size=2).map(tuple),
    caused_by=st.sampled_from(["", "MedicationRequest/2", "MedicationRequest/9"]),
)
DRAFTS = {f"MedicationRequest/{number}": draft(number) for number in "12"}


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(FINDINGS, min_size=1, max_size=4))
def test_every_answer_is_strict_short_and_offers_one_thing_at_a_time(respond, findings):
    body = respond(*findings, drafts=DRAFTS)  # holds it against the schema and for empty values
    ids = [card["uuid"] for card in body["cards"]]
    assert len(set(ids)) == len(ids)
    for card in body["cards"]:
        assert len(head_of(card)) <= 900
        assert card["detail"].count("**Evidence**") == 1
        offered = card.get("suggestions", ())
        assert sum("isRecommended" in suggestion for suggestion in offered) <= 1
        updates = [s for s in offered if s["actions"][0]["type"] == "update"]
        assert len(updates) < 2 or card["selectionBehavior"] == "at-most-one"


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(
    # as reasoning gives them: one finding of a kind for an order and a table
    st.lists(FINDINGS, min_size=1, max_size=3, unique_by=lambda f: (f.kind, f.order.reference, f.table)),
    st.randoms(),
)
def test_the_order_of_findings_changes_nothing(respond, findings, random):
    shuffled = findings.copy()
    random.shuffle(shuffled)
    assert respond(*shuffled, drafts=DRAFTS)["cards"] == respond(*findings, drafts=DRAFTS)["cards"]
