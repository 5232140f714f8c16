"""The facts of the record for which a population was found to fit: told beside the advice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import floor

from cds_service.knowledge.schema import Fact, Predicate
from cds_service.model import DoseChange, UsedFact, When
from cds_service.reasoning.context import Context
from cds_service.reasoning.predicates import holds, range_of

_SETS_TOLD = frozenset(
    {Fact.INDICATION, Fact.CONDITION, Fact.REACTION, Fact.FAMILY_HISTORY, Fact.MOTHERS_LINE, Fact.COMEDICATION}
)
"""Facts that resources say. Sex and route stand on the order itself."""


def used_facts(predicates: Iterable[Predicate], context: Context) -> tuple[UsedFact, ...]:
    """What the predicates that hold rest on, each once. What is absent or assumed is no fact of the record."""
    return tuple(dict.fromkeys(one for predicate in predicates for one in _used(predicate, context)))


def weight_used(change: DoseChange, context: Context) -> tuple[UsedFact, ...]:
    """The weight, where the new dose was reckoned with it: the draft gives an amount, the advice one by
    the kilogram."""
    figures = [figure for figure in (change.amount, change.cap, change.at_most) if figure is not None]
    dose = context.order.dose
    if dose is None or "/kg" in dose.unit or not any("/kg" in figure.unit for figure in figures):
        return ()
    return tuple(_numbers(Fact.WEIGHT, context))


def _used(predicate: Predicate, context: Context) -> Iterator[UsedFact]:
    if not holds(predicate, context, "").holds:
        return
    for part in (*predicate.all, *predicate.any):
        yield from _used(part, context)
    if predicate.fact in _SETS_TOLD:
        yield from _said(predicate.fact, predicate.is_in, context)
    elif predicate.fact is not None and not predicate.is_in:
        yield from _numbers(predicate.fact, context)


def _numbers(fact: Fact, context: Context) -> Iterator[UsedFact]:
    low, high = range_of(fact, context) or (0.0, 0.0)
    if fact is Fact.AGE:
        low, high = float(floor(low)), float(floor(high))
    if high:  # a drug never taken is no fact of the record
        yield UsedFact(fact.value, value=low, at_most=high if high > low else None)


def _said(fact: Fact, keys: Iterable[str], context: Context) -> Iterator[UsedFact]:
    told = _told(fact, context)
    for reference in context.evidence(fact).references(keys):
        name, on = told.get(reference, ("", None))
        yield UsedFact(fact.value, name, on=on, reference=reference)


def _told(fact: Fact, context: Context) -> Mapping[str, tuple[str, When | None]]:
    """Name and day of what each resource says, the first of one reference; of the order itself, its reason."""
    patient, order = context.patient, context.order
    found: list[tuple[str, str, When | None]] = []
    if fact is Fact.INDICATION:
        found += [(order.reference, ", ".join(order.reason_texts), None)]
    found += [(m.reference, m.name, m.started) for m in patient.medications]
    found += [(o.reference, o.name, None) for o in (order, *context.others)]
    found += [(c.reference, c.text, c.onset) for c in patient.conditions]
    found += [(a.reference, a.text, None) for a in patient.allergies]
    found += [(f.reference, ": ".join(filter(None, (f.relationship, f.text))), None) for f in patient.family]
    return {reference: (name, on) for reference, name, on in reversed(found)}
