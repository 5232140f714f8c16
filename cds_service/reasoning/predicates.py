"""Three-valued questions about context facts: true, false or not known, with the assumptions made."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cds_service.knowledge.schema import Fact, Predicate
from cds_service.model import Assumption, Dose, GapReason
from cds_service.reasoning.bounds import all_within, some_within
from cds_service.reasoning.context import Context, Range
from cds_service.reasoning.exposure import exposure_days


@dataclass(frozen=True, slots=True)
class Truth:
    """`holds` is None when it depends on a fact that is not known; those facts are named in `missing`."""

    holds: bool | None
    assumptions: tuple[Assumption, ...] = ()
    references: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


TRUE, FALSE = Truth(holds=True), Truth(holds=False)


def all_hold(predicates: Iterable[Predicate], context: Context, table: str) -> Truth:
    """Whether every predicate holds (Kleene's strong conjunction)."""
    known: bool | None = True
    assumptions: tuple[Assumption, ...] = ()
    references: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    for predicate in predicates:
        truth = holds(predicate, context, table)
        if truth.holds is False:
            return FALSE
        if truth.holds is None:
            known = None
            missing += truth.missing
        assumptions += truth.assumptions
        references += truth.references
    return Truth(known, assumptions, references, missing)


def any_holds(predicates: Iterable[Predicate], context: Context, table: str, *, excludes: bool = False) -> Truth:
    """Whether one predicate holds at least (Kleene's strong disjunction). `excludes` is true of those that rule a
    population out: what may be taken still does not protect."""
    assumed: list[Truth] = []
    missing: tuple[str, ...] = ()
    unknown = False
    for predicate in predicates:
        truth = holds(predicate, context, table, excludes=excludes)
        if truth.holds and not truth.assumptions:
            return truth
        if truth.holds:
            assumed.append(truth)
        elif truth.holds is None:
            unknown = True
            missing += truth.missing
    if assumed:
        # What is known goes before what is assumed: an assumption is said only where it is needed.
        return min(assumed, key=lambda t: len(t.assumptions))
    return Truth(None, missing=missing) if unknown else FALSE


def holds(predicate: Predicate, context: Context, table: str, *, excludes: bool = False) -> Truth:
    """Whether the predicate holds for the order in its context. `table` names who asks, for assumptions."""
    truth = _plain(predicate, context, table, excludes=excludes)
    if truth.holds is not None or predicate.when_unknown is None:
        return truth
    lost = (not excludes and context.is_doubtful(predicate)) or any(
        context.is_lost(Fact(fact)) for fact in truth.missing
    )
    if lost and not predicate.when_unknown:
        # What is not on record counts as absent; what could not be obtained, or may be taken still, does not.
        return truth
    made = (Assumption(truth.missing[0], predicate.say, table),) if predicate.say else ()
    return Truth(holds=predicate.when_unknown, assumptions=made if predicate.when_unknown else ())


def _plain(predicate: Predicate, context: Context, table: str, *, excludes: bool) -> Truth:
    if predicate.fact is not None and predicate.is_in:
        return _set_fact(predicate.fact, predicate, context, excludes=excludes)
    if predicate.fact is not None:
        return _number_fact(predicate.fact, predicate, context)
    if predicate.all:
        return all_hold(predicate.all, context, table)
    if predicate.any:
        return any_holds(predicate.any, context, table)
    return _negated(any_holds(predicate.none, context, table, excludes=True))


def _negated(truth: Truth) -> Truth:
    if truth.holds is None:
        return truth
    return Truth(holds=not truth.holds, assumptions=truth.assumptions)


def _set_fact(fact: Fact, predicate: Predicate, context: Context, *, excludes: bool) -> Truth:
    evidence = context.evidence(fact)
    if not evidence.keys.isdisjoint(predicate.is_in):
        return Truth(holds=True, references=evidence.references(predicate.is_in))
    known = evidence.complete and (excludes or evidence.doubtful.isdisjoint(predicate.is_in))
    return FALSE if known else Truth(holds=None, missing=(fact.value,))


def _number_fact(fact: Fact, predicate: Predicate, context: Context) -> Truth:
    value = range_of(fact, context)
    if value is None:
        return Truth(holds=None, missing=(str(fact),))
    low, high = value
    if not some_within(low, high, predicate):
        return FALSE
    if all_within(low, high, predicate):
        return TRUE
    return Truth(holds=None, missing=(str(fact),))


def why_not_known(fact: str, context: Context) -> GapReason:
    """The reason of a gap: a number is on record so roughly that it does not tell, nothing is on record, or
    what would say it was not obtained."""
    is_on_record = range_of(Fact(fact), context) is not None
    return GapReason.TOLD_ROUGHLY if is_on_record else context.why_unknown(Fact(fact))


def range_of(fact: Fact, context: Context) -> Range | None:
    """The least and the most that a fact that is a number may be; None where it is not known, or no number."""
    match fact:
        case Fact.AGE:
            return context.age_years()
        case Fact.EXPOSURE:
            return exposure_days(context)
        case _:
            found = [_number(fact, context, weight) for weight in context.patient.possible_weights_kg]
            known = [value for value in found if value is not None]
            return (min(known), max(known)) if known else None


def _number(fact: Fact, context: Context, weight_kg: float | None) -> float | None:
    dose = context.order.dose
    match fact:
        case Fact.WEIGHT:
            return weight_kg
        case Fact.DAILY_DOSE:
            return dose.daily if dose is not None and dose.unit == "mg" else None
        case Fact.DAILY_DOSE_PER_KG:
            return _daily_per_kg(dose, weight_kg)
        case _:
            return None


def _daily_per_kg(dose: Dose | None, weight_kg: float | None) -> float | None:
    if dose is None or dose.daily is None:
        return None
    if dose.unit == "mg/kg":
        return dose.daily
    return dose.daily / weight_kg if dose.unit == "mg" and weight_kg else None
