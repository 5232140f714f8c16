"""Three-valued questions about context facts: true, false or not known, with the assumptions made."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cds_service.knowledge.schema import Fact, Predicate
from cds_service.model import Assumption
from cds_service.reasoning.context import Context, Evidence


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
    found: list[Truth] = []
    for predicate in predicates:
        truth = holds(predicate, context, table)
        if truth.holds is False:
            return FALSE
        found.append(truth)
    if not found:
        return TRUE
    known = all(t.holds for t in found)
    return Truth(
        holds=True if known else None,
        assumptions=tuple(a for t in found for a in t.assumptions),
        references=tuple(r for t in found for r in t.references),
        missing=tuple(m for t in found if t.holds is None for m in t.missing),
    )


def any_holds(predicates: Iterable[Predicate], context: Context, table: str) -> Truth:
    """Whether one predicate holds at least (Kleene's strong disjunction)."""
    found = [holds(p, context, table) for p in predicates]
    true = [t for t in found if t.holds]
    if true:
        # What is known goes before what is assumed: an assumption is said only where it is needed.
        return min(true, key=lambda t: len(t.assumptions))
    unknown = [t for t in found if t.holds is None]
    return Truth(holds=None if unknown else False, missing=tuple(m for t in unknown for m in t.missing))


def holds(predicate: Predicate, context: Context, table: str) -> Truth:
    """Whether the predicate holds for the order in its context. `table` names who asks, for assumptions."""
    truth = _plain(predicate, context, table)
    if truth.holds is not None or predicate.when_unknown is None:
        return truth
    made = (Assumption(truth.missing[0], predicate.say, table),) if predicate.say else ()
    return Truth(holds=predicate.when_unknown, assumptions=made if predicate.when_unknown else ())


def _plain(predicate: Predicate, context: Context, table: str) -> Truth:
    if predicate.all:
        return all_hold(predicate.all, context, table)
    if predicate.any:
        return any_holds(predicate.any, context, table)
    if predicate.none:
        return _negated(any_holds(predicate.none, context, table))
    if predicate.fact is None:
        return TRUE
    if predicate.is_in:
        return _set_fact(predicate.fact, predicate.is_in, context)
    return _number_fact(predicate, context)


def _negated(truth: Truth) -> Truth:
    if truth.holds is None:
        return truth
    return Truth(holds=not truth.holds, assumptions=truth.assumptions)


def _set_fact(fact: Fact, wanted: tuple[str, ...], context: Context) -> Truth:
    evidence = _evidence(fact, context)
    if not evidence.by_key.keys().isdisjoint(wanted):
        return Truth(holds=True, references=evidence.references(wanted))
    return FALSE if evidence.complete else Truth(holds=None, missing=(fact.value,))


def _evidence(fact: Fact, context: Context) -> Evidence:
    match fact:
        case Fact.INDICATION:
            return context.indication()
        case Fact.CONDITION | Fact.PREGNANCY:
            return context.conditions()
        case Fact.REACTION:
            return context.reactions()
        case Fact.FAMILY_HISTORY:
            return context.family_history()
        case Fact.COMEDICATION:
            return context.comedication()
        case Fact.ROUTE:
            return Evidence({context.route: (), context.order.route: ()}, complete=True)
        case Fact.SEX:
            return Evidence({context.patient.sex: ()}, complete=bool(context.patient.sex))
        case _:
            return Evidence({}, complete=False)


def _number_fact(predicate: Predicate, context: Context) -> Truth:
    fact = predicate.fact
    value = _number(fact, context) if fact is not None else None
    if value is None:
        return Truth(holds=None, missing=(str(fact),))
    return Truth(holds=_within(value, predicate))


def _within(value: float, predicate: Predicate) -> bool:
    return (
        (predicate.below is None or value < predicate.below)
        and (predicate.at_least is None or value >= predicate.at_least)
        and (predicate.above is None or value > predicate.above)
        and (predicate.at_most is None or value <= predicate.at_most)
    )


def _number(fact: Fact, context: Context) -> float | None:
    dose = context.order.dose
    match fact:
        case Fact.AGE:
            return context.age_years()
        case Fact.WEIGHT:
            return context.patient.weight_kg
        case Fact.EXPOSURE:
            return context.exposure_days()
        case Fact.DAILY_DOSE:
            return dose.daily if dose is not None and dose.unit == "mg" else None
        case Fact.DAILY_DOSE_PER_KG:
            return _daily_per_kg(context)
        case _:
            return None


def _daily_per_kg(context: Context) -> float | None:
    dose, weight = context.order.dose, context.patient.weight_kg
    if dose is None or dose.daily is None:
        return None
    if dose.unit == "mg/kg":
        return dose.daily
    return dose.daily / weight if dose.unit == "mg" and weight else None
