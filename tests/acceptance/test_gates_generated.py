"""Every speaking gate on something that changes with time, held against a naive reading of its own rows.

For each table with a `lab:` or `derived:` marker a patient is made up who fits its population. Then one marker at a
time is missing, stale, favourable or unfavourable, and at last the patient no longer fits. What must be said is read
off the rows by the few lines of `Naive`, which share nothing with the engine.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import islice, product
from types import MappingProxyType
from typing import Any

import pytest

from cds_service.knowledge.base import Knowledge
from cds_service.knowledge.rows import HLA_STATES
from cds_service.knowledge.schema import Band, Fact, MarkerUse, Predicate, Row, Table
from cds_service.model import (
    ActivityScore,
    Allergy,
    Availability,
    Condition,
    Dose,
    DoseChange,
    FamilyCondition,
    Finding,
    HlaType,
    Kind,
    Medication,
    Order,
    Patient,
    Phenotype,
    Presence,
    Quantity,
    Query,
    Reading,
    Significance,
)
from cds_service.policy import load_policy
from cds_service.reasoning import evaluate
from cds_service.reasoning.context import Context
from cds_service.reasoning.predicates import all_hold
from tests.support.world import TODAY, knowledge

REFERENCE = "MedicationRequest/draft-1"
HUGE_DOSE = Dose(1e6, "mg", 2)
"""Above every cap and no amount that a table advises, so that each dose row changes it."""
NO_RESULT = "No Result"
MANY_ASSIGNMENTS = 4096
_OTHERS: Mapping[Fact, frozenset[str]] = {Fact.SEX: frozenset({"female", "male"}), Fact.ROUTE: frozenset({"oral"})}
"""What else there is, where a fact always has a value."""


@dataclass(frozen=True)
class Facts:
    """What is true of the made-up patient and order."""

    numbers: Mapping[Fact, float] = field(
        default_factory=lambda: {Fact.AGE: 40.5, Fact.WEIGHT: 75.0, Fact.EXPOSURE: 0.0}
    )
    sets: Mapping[Fact, frozenset[str]] = field(default_factory=lambda: {Fact.SEX: frozenset({"female"})})

    def number(self, fact: Fact, value: float) -> Facts:
        return replace(self, numbers={**self.numbers, fact: value})

    def having(self, fact: Fact, keys: frozenset[str]) -> Facts:
        return replace(self, sets={**self.sets, fact: keys})

    def of(self, fact: Fact) -> frozenset[str]:
        return self.sets.get(fact, frozenset())


def made(facts: Facts, predicate: Predicate, wanted: bool) -> Iterator[Facts]:
    """Ways to make the predicate hold, or not hold, that change as little as possible."""
    if predicate.all or predicate.any:
        parts, together = (predicate.all or predicate.any), bool(predicate.all) is wanted
        yield from _together(facts, parts, wanted) if together else _one_of(facts, parts, wanted)
    elif predicate.none:
        yield from made(facts, Predicate(any=predicate.none), not wanted)
    elif predicate.is_in:
        yield from _made_set(facts, predicate, wanted)
    elif predicate.fact is not None:
        yield from _made_number(facts, predicate, wanted)
    else:
        yield facts


def _together(facts: Facts, parts: tuple[Predicate, ...], wanted: bool) -> Iterator[Facts]:
    if not parts:
        yield facts
        return
    for first in made(facts, parts[0], wanted):
        yield from _together(first, parts[1:], wanted)


def _one_of(facts: Facts, parts: tuple[Predicate, ...], wanted: bool) -> Iterator[Facts]:
    for part in parts:
        yield from made(facts, part, wanted)


def _made_set(facts: Facts, predicate: Predicate, wanted: bool) -> Iterator[Facts]:
    fact = predicate.fact
    assert fact is not None
    if not wanted:
        groups = [knowledge().groups[k] for k in predicate.is_in if k in knowledge().groups]
        named = {*predicate.is_in, *(d for g in groups for d in g.drugs)}
        other = _OTHERS.get(fact, frozenset()) - named
        yield facts.having(fact, facts.of(fact) - named or other)
        return
    for key in predicate.is_in:
        kept = frozenset() if fact in (Fact.SEX, Fact.ROUTE, Fact.INDICATION) else facts.of(fact)
        group = knowledge().groups.get(key)
        for member in group.drugs if group and fact is Fact.COMEDICATION else (key,):
            yield facts.having(fact, kept | {member})


def _made_number(facts: Facts, predicate: Predicate, wanted: bool) -> Iterator[Facts]:
    assert predicate.fact is not None
    for value in (facts.numbers.get(predicate.fact, 0.0), *_candidates(predicate)):
        if value >= 0 and within(value, predicate) is wanted:
            yield facts.number(predicate.fact, value)


def _candidates(limits: Predicate | Band) -> list[float]:
    edges = [e for e in (limits.at_least, limits.above, limits.below, limits.at_most) if e is not None]
    middle = [sum(edges) / len(edges)]
    return [*middle, *(round(e * share + shift, 4) for e in edges for share in (1, 0.9, 1.1) for shift in (0, 1, -1))]


def within(value: float, limits: Predicate | Band) -> bool:
    """Whether the value lies between the limits."""
    return (
        (limits.at_least is None or value >= limits.at_least)
        and (limits.above is None or value > limits.above)
        and (limits.below is None or value < limits.below)
        and (limits.at_most is None or value <= limits.at_most)
    )


def patient_of(facts: Facts, drug: str, readings: tuple[Reading, ...] = ()) -> Patient:
    age_days = int(facts.numbers[Fact.AGE] * 365.25) + 1
    exposure = facts.numbers[Fact.EXPOSURE]
    taken = [Medication(f"MedicationRequest/{d}", d, (d,), TODAY) for d in sorted(facts.of(Fact.COMEDICATION))]
    if exposure:
        taken.append(Medication("MedicationRequest/own", drug, (drug,), TODAY - timedelta(days=round(exposure))))
    drugs = knowledge().drugs
    reactions = facts.of(Fact.REACTION)
    return Patient(
        "case-patient",
        birth_date=TODAY - timedelta(days=age_days),
        sex=next(iter(facts.of(Fact.SEX)), ""),
        weight_kg=facts.numbers[Fact.WEIGHT],
        medications=tuple(taken),
        readings=readings,
        conditions=tuple(Condition(frozenset({k}), k, f"Condition/{k}") for k in sorted(facts.of(Fact.CONDITION))),
        allergies=tuple(
            Allergy(tuple({k} & drugs.keys()), k, f"AllergyIntolerance/{k}", frozenset({k} - drugs.keys()))
            for k in sorted(reactions)
        ),
        family=tuple(
            FamilyCondition(frozenset({k}), "brother", 1, k, f"FamilyMemberHistory/{k}")
            for k in sorted(facts.of(Fact.FAMILY_HISTORY))
        ),
        availability=dict.fromkeys(Query, Availability.COMPLETE),
    )


def order_of(facts: Facts, drug: str, table: Table) -> Order:
    dose = HUGE_DOSE
    if Fact.DAILY_DOSE in facts.numbers:
        dose = Dose(facts.numbers[Fact.DAILY_DOSE], "mg", 1)
    if Fact.DAILY_DOSE_PER_KG in facts.numbers:
        dose = Dose(facts.numbers[Fact.DAILY_DOSE_PER_KG], "mg/kg", 1)
    local = "" if {"systemic", "any"} & set(table.routes) else table.routes[0]
    route = next(iter(facts.of(Fact.ROUTE)), local)
    given = "" if route == "systemic" else route
    return Order(REFERENCE, drug, (drug,), dose=dose, route=given, reasons=facts.of(Fact.INDICATION))


def fits(facts: Facts, drug: str, table: Table) -> bool | None:
    context = Context(order_of(facts, drug, table), drug, patient_of(facts, drug), knowledge(), TODAY)
    return all_hold(table.population.fits, context, table.id).holds


def fitting(table: Table, drug: str) -> Facts:
    """A patient who fits the table's population."""
    start = Facts()
    if any(m.startswith("derived:") for m in table.markers):
        start = start.number(Fact.AGE, 60.5)
    found = _together(start, table.population.fits, True)
    for facts in islice(found, 500):
        if drug not in facts.of(Fact.COMEDICATION) and fits(facts, drug, table):
            return facts
    raise AssertionError(f"{table.id}: no patient could be made up who fits its population")


def misfits(facts: Facts, table: Table, drug: str) -> Iterator[Facts]:
    """The same patient, with one part of the population no longer true."""
    for predicate in table.population.fits:
        for other in made(facts, predicate, False):
            if drug not in other.of(Fact.COMEDICATION) and fits(other, drug, table) is False:
                yield other
                break


def states_of(marker: str, use: MarkerUse) -> tuple[str, ...]:
    if use.bands:
        return tuple(use.bands)
    if use.states:
        return use.states
    if marker.startswith("hla:"):
        return HLA_STATES
    return knowledge().genes[marker.partition(":")[2]].states


def reading_of(marker: str, state: str, use: MarkerUse, facts: Facts, days: int) -> Reading:
    """A result that means the state, so many days old."""
    observable, says = marker, _said(marker, state, use, facts)
    if marker == "derived:creatinine_clearance":
        observable = "lab:creatinine"
    if marker.startswith("hla:"):
        observable = marker.partition("*")[0]
    return Reading(observable, says, f"Observation/{marker}", on=TODAY - timedelta(days=days))


def _said(marker: str, state: str, use: MarkerUse, facts: Facts) -> Any:
    if use.bands:
        return _quantity(marker, use.bands[state], use.unit, facts)
    if marker.startswith("hla:"):
        allele = marker.partition(":")[2][1:]
        return HlaType((allele if state == "positive" else "*99:99",), complete=True)
    observable = knowledge().observables.get(marker)
    if observable is not None and observable.needs_significance:
        is_there = state == "positive"
        return Presence("", is_there, Significance.PATHOGENIC if is_there else Significance.NOT_SAID)
    if state in ("positive", "negative"):
        return Presence(marker, state == "positive")
    if marker.startswith("gene:") and state.lstrip("≥").replace(".", "").isdigit():
        return ActivityScore(float(state.lstrip("≥")), state.startswith("≥"))
    return Phenotype(state)


def _quantity(marker: str, band: Band, unit: str, facts: Facts) -> Quantity:
    inside = [v for v in _candidates(band) if v > 0 and within(v, band)]
    value = inside[0]
    if marker != "derived:creatinine_clearance":
        return Quantity(value, unit)
    years = (int(facts.numbers[Fact.AGE] * 365.25) + 1) // 365.25
    share = 0.85 if "female" in facts.of(Fact.SEX) else 1
    # Cockcroft and Gault, solved for the creatinine; a nudge keeps the rounded clearance inside the band.
    for target in inside:
        creatinine = (140 - years) * facts.numbers[Fact.WEIGHT] * share / (72 * target)
        back = round((140 - years) * facts.numbers[Fact.WEIGHT] / (72 * creatinine) * share, 1)
        if within(back, band):
            return Quantity(creatinine, "mg/dL")
    raise AssertionError(f"no clearance inside {band}")


@dataclass(frozen=True)
class Naive:
    """The table by itself: a row for tokens, what it does to the order, and what must be said."""

    table: Table
    facts: Facts

    def row(self, tokens: Mapping[str, str]) -> Row | None:
        found = [r for r in self.table.rows if all(tokens[m] in self._terms(m, r.when[m]) for m in r.when)]
        found = [r for r in found if not any(t == NO_RESULT and m not in r.when for m, t in tokens.items())] or found
        beaten = {name for r in found for name in r.supersedes}
        left = [r for r in found if r.id not in beaten]
        return left[0] if left else None

    def _terms(self, marker: str, terms: tuple[str, ...]) -> set[str]:
        gene = knowledge().genes.get(marker.partition(":")[2]) if marker.startswith("gene:") else None
        return {s for t in terms for s in (gene.phenotypes.get(t, (t,)) if gene else (t,))} | set(terms)

    def outcome(self, row: Row | None) -> str:
        """`kept`, or what else becomes of the order."""
        if row is None:
            return "kept"
        first = row.advice.options[0]
        match first.action.value:
            case "avoid" | "alternative":
                return "other drug"
            case "stop" | "not_indicated":
                return "stop"
            case "prepare_first" | "use_other_test":
                return "wait"
            case "dose":
                return f"dose {first.dose}" if self._changes(first.dose) else "kept"
            case _:
                return "kept"

    def _changes(self, dose: DoseChange | None) -> bool:
        """Whether the advice changes a huge dose, or the dose that the population names."""
        assert dose is not None
        if dose.cap is not None and dose.cap.unit.split("/")[0] != "mg":
            return False
        return dose.floor is None or dose.cap is not None or dose.amount is not None

    def testing(self, marker: str) -> str:
        use = self.table.markers[marker]
        if use.required_when:
            return "required" if self._any(use.required_when) else "none"
        if use.testing.value == "if_risk":
            return "at risk" if self._any(use.risks) else "no risk"
        return use.testing.value

    def _any(self, predicates: tuple[Predicate, ...]) -> bool:
        drug = self.table.drugs[0]
        context = Context(
            order_of(self.facts, drug, self.table), drug, patient_of(self.facts, drug), knowledge(), TODAY
        )
        return any(all_hold((p,), context, self.table.id).holds for p in predicates)

    def tolerated(self, marker: str) -> bool:
        limit = self.table.markers[marker].tolerated_after_days
        return limit is not None and self.facts.numbers[Fact.EXPOSURE] > limit

    def recalled(self, row: Row | None) -> bool:
        return ((row.trust if row else None) or self.table.trust).value == "recalled"

    def known(self, state: Mapping[str, str]) -> set[Kind]:
        """What is shown where every marker is known."""
        row = self.row(state)
        if self.recalled(row):
            return set()
        if self.outcome(row) != "kept":
            return {Kind.CHANGE_NOW}
        if row is None:
            return set()
        if any(o.recheck for o in row.advice.options):
            return {Kind.TEST_WOULD_CHANGE}
        beside = row.advice.options[0].action.value in ("monitor", "counsel") and row.advice.harm.value != "none"
        return {Kind.CHANGE_NOW} if beside and any(map(self._wanted, self.table.markers)) else set()

    def missing(self, marker: str, others: Mapping[str, str]) -> set[Kind]:
        """What is shown where this marker is not known and the others are."""
        rows = self._rows(marker, others)
        outcomes = self.outcomes(marker, others)
        literal = self.row({**others, marker: NO_RESULT})
        silent = self.recalled(None)
        meant = literal is not None and NO_RESULT in literal.when.get(marker, ())
        if meant and self.outcome(literal) != "kept" and len(outcomes) > 1:
            return set() if self.recalled(literal) else {Kind.CHANGE_NOW}
        if "kept" not in outcomes:
            return {Kind.CHANGE_NOW} if not silent else set()
        asks = len(outcomes) > 1 or (self._wanted(marker) and len(self._beside(rows)) > 1)
        if len({row.id if row else "" for row in rows}) == 1:
            return self.known({**others, marker: states_of(marker, self.table.markers[marker])[0]})
        return {Kind.TEST_WOULD_CHANGE} if asks and self._fires(marker, rows) and not silent else set()

    def _rows(self, marker: str, others: Mapping[str, str]) -> list[Row | None]:
        return [self.row({**others, marker: s}) for s in states_of(marker, self.table.markers[marker])]

    def outcomes(self, marker: str, others: Mapping[str, str]) -> set[str]:
        """What may become of the order, the others being known."""
        return {self.outcome(r) for r in self._rows(marker, others)}

    def _wanted(self, marker: str) -> bool:
        return self.testing(marker) in ("required", "recommended")

    def _beside(self, rows: list[Row | None]) -> set[tuple[str, str]]:
        firsts = [r.advice.options[0] for r in rows if r is not None and self.outcome(r) == "kept"]
        return {(f.action.value, f.note) for f in firsts if f.action.value != "no_recommendation"}

    def _fires(self, marker: str, rows: list[Row | None]) -> bool:
        has_test = bool(knowledge().tests_by_marker.get(marker))
        if self.tolerated(marker) or not has_test:
            return False
        level = self.testing(marker)
        grave = any(
            r and r.advice.gravity.value == "fatal_or_irreversible" and self.outcome(r) != "kept" for r in rows
        )
        return level in ("required", "recommended", "at risk") or (level == "none" and grave)


def is_measured(marker: str) -> bool:
    return marker.startswith(("lab:", "derived:"))


def gates() -> list[Table]:
    """Speaking tables with a marker that changes with time."""
    tables = (t for t in knowledge().tables.values() if t.trust.value != "recalled")
    return [t for t in tables if any(map(is_measured, t.markers))]


def measured_markers() -> list[Any]:
    return [
        pytest.param(table, marker, id=f"{table.id}:{marker}")
        for table in gates()
        for marker in table.markers
        if is_measured(marker)
    ]


def alone(table: Table, drug: str) -> Knowledge:
    """The knowledge with this table as the only one of the drug, and none of any other drug."""
    return replace(knowledge(), tables_by_drug=MappingProxyType({drug: (table,)}))


def shown(table: Table, facts: Facts, readings: tuple[Reading, ...]) -> tuple[Finding, ...]:
    """The shown findings of the table for the made-up patient."""
    drug = table.drugs[0]
    found = evaluate(
        (order_of(facts, drug, table),), patient_of(facts, drug, readings), alone(table, drug), load_policy(), TODAY
    )
    return tuple(f for f in found if f.table == table.id and not f.silent)


def assignments(table: Table) -> list[dict[str, str]]:
    lists = [states_of(m, use) for m, use in table.markers.items()]
    return [dict(zip(table.markers, states, strict=True)) for states in islice(product(*lists), MANY_ASSIGNMENTS)]


def readings_for(table: Table, facts: Facts, states: Mapping[str, str], *, old: str = "") -> tuple[Reading, ...]:
    """A result of today for each marker; that of `old` older than its longest window."""
    return tuple(
        reading_of(m, s, table.markers[m], facts, beyond_window(table.markers[m]) if m == old else 0)
        for m, s in states.items()
    )


def beyond_window(use: MarkerUse) -> int:
    windows = [*(v.valid_for_days for v in use.valid_by_exposure), use.valid_for_days or 0]
    return int(max(windows)) + 1


def kept_states(table: Table, naive: Naive) -> dict[str, str]:
    """States of all markers that leave the order as it is; any, where none do."""
    found = assignments(table)
    rows = [naive.row(states) for states in found]
    kept = (s for s, row in zip(found, rows, strict=True) if naive.outcome(row) == "kept" and not naive.recalled(row))
    return next(kept, found[0])


def kinds(findings: tuple[Finding, ...]) -> set[Kind]:
    return {f.kind for f in findings}


@pytest.mark.parametrize("table", [pytest.param(t, id=t.id) for t in gates()])
def test_every_known_state(table: Table) -> None:
    """Favourable and unfavourable: with all markers known each row says what stands in it, and nothing else."""
    facts = fitting(table, table.drugs[0])
    naive = Naive(table, facts)
    for states in assignments(table):
        found = shown(table, facts, readings_for(table, facts, states))
        assert kinds(found) == naive.known(states), states
        row = naive.row(states)
        assert all(f.row == (row.id if row else "") for f in found if f.kind is Kind.CHANGE_NOW), states


@pytest.mark.parametrize(("table", "marker"), measured_markers())
def test_missing(table: Table, marker: str) -> None:
    """Without a result the test is asked for where the rows differ and labelling, risk or gravity says so."""
    facts = fitting(table, table.drugs[0])
    naive = Naive(table, facts)
    states = kept_states(table, naive)
    others = {m: s for m, s in states.items() if m != marker}
    found = shown(table, facts, readings_for(table, facts, others))
    assert kinds(found) == naive.missing(marker, others)
    for finding in found:
        if finding.kind is Kind.TEST_WOULD_CHANGE:
            assert [t.marker for t in finding.tests] == [marker]
            required = naive.testing(marker) == "required"
            waits = required and table.markers[marker].timing.value == "before_start"
            at_stake = len(naive.outcomes(marker, others)) > 1
            assert finding.indicator.value == ("warning" if required else "info")
            assert finding.hold == (waits and at_stake)


@pytest.mark.parametrize(("table", "marker"), measured_markers())
def test_stale(table: Table, marker: str) -> None:
    """A result older than its window counts as none; where the table has no window it counts for ever."""
    facts = fitting(table, table.drugs[0])
    naive = Naive(table, facts)
    states = kept_states(table, naive)
    use = table.markers[marker]
    found = shown(table, facts, readings_for(table, facts, states, old=marker))
    windowed = use.valid_for_days is not None or bool(use.valid_by_exposure)
    others = {m: s for m, s in states.items() if m != marker}
    assert kinds(found) == (naive.missing(marker, others) if windowed else naive.known(states))


@pytest.mark.parametrize("table", [pytest.param(t, id=t.id) for t in gates()])
def test_irrelevant_context(table: Table) -> None:
    """Where one part of the population is not true the table is silent, whatever is known or missing."""
    drug = table.drugs[0]
    facts = fitting(table, drug)
    others = list(misfits(facts, table, drug))
    assert len(others) == len(table.population.fits), f"{table.id}: a part of its population cannot be made false"
    for other in others:
        assert shown(table, other, ()) == ()
        for states in assignments(table)[:50]:
            assert shown(table, other, readings_for(table, other, states)) == ()


def test_the_gates_are_there() -> None:
    """A renamed marker kind would leave this file without a single test."""
    assert len(gates()) > 60
