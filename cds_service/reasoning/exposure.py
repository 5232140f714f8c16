"""How long the drug of an order, or one beside it, has been taken, by the entries of the record."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from cds_service.model import Medication, Query, earliest, latest
from cds_service.reasoning.context import OUTER_ROUTES, Context, Range


def exposure_days(context: Context) -> Range | None:
    """Days that this drug has been taken without a new start; 0 when it is new, None when not known."""
    taken = _taken_alike(context)
    if not taken:
        return (0.0, 0.0) if context.is_complete(Query.MEDICATIONS) and not context.order.active else None
    starts = [earliest(m.started) for m in taken if m.started is not None]
    if not starts:
        return None
    certain = taken_days(context.drug, context)
    return certain, max(_days_since(min(starts), context), certain)


def taken_days(drug: str, context: Context, is_counted: Callable[[Medication], bool] = lambda _: True) -> float:
    """Days for which the drug has been taken until today for certain, by one entry or by several that follow each
    other, of those that count."""
    reached = context.today
    for begun, ended in _periods(drug, context, is_counted):
        if (reached - ended).days > context.knowledge.supplies.longest_pause_days:
            break
        reached = min(reached, begun)
    return _days_since(reached, context)


def _periods(drug: str, context: Context, is_counted: Callable[[Medication], bool]) -> list[tuple[date, date]]:
    """The times for which entries of the drug tell that it was taken, the last one first."""
    periods = [
        (latest(m.started), context.today if m.stopped is None else earliest(m.stopped))
        for m in _entries(drug, context)
        if m.started is not None and not m.may_have_ended and is_counted(m)
    ]
    return sorted(periods, key=lambda period: period[1], reverse=True)


def last_prescribed(context: Context) -> date | None:
    """The day of the newest order for this drug among the medicines taken; None where none says its day."""
    days = [earliest(m.started) for m in _taken_alike(context) if m.is_prescribed and m.started is not None]
    return max(days, default=None)


def is_taken(context: Context) -> bool:
    """Whether this drug was taken before today, so that its dose may be an adjusted one already."""
    return any(m.started is None or earliest(m.started) < context.today for m in _taken_alike(context))


def _taken_alike(context: Context) -> list[Medication]:
    """The entries of this drug that are active or may go on."""
    return [m for m in _entries(context.drug, context) if m.stopped is None or m.may_go_on]


def _entries(drug: str, context: Context) -> list[Medication]:
    """The entries of a drug. A cream or eye drops are no earlier use of what goes through the body."""
    outer = drug == context.drug and context.route in OUTER_ROUTES
    found = [m for m in context.patient.medications if drug in m.ingredients]
    return [m for m in found if outer or m.route not in OUTER_ROUTES]


def _days_since(day: date, context: Context) -> float:
    return float(max((context.today - day).days, 0))
