"""Whether a drug was tolerated for long enough that what the guidance fears has not come (docs/reasoning.md, step 7;
decision 18).
"""

from __future__ import annotations

from cds_service.knowledge.reach import keys_named
from cds_service.knowledge.schema import Concerns, Fact, MarkerUse
from cds_service.model import Dose, Harm, Medication
from cds_service.reasoning.context import Context
from cds_service.reasoning.exposure import exposure_days, taken_days
from cds_service.reasoning.tables import Reached, Situation


def is_tolerated(use: MarkerUse, situation: Situation) -> bool:
    """Whether the drug was taken for longer than the marker matters, so that no test of it is asked for. Where the
    table concerns the dose, one that is known to be raised is another matter."""
    days = use.tolerated_after_days
    if days is None or not _was_taken(days, situation):
        return False
    return situation.table.concerns != Concerns.DOSE or not _is_raised(days, situation.context)


def is_tolerated_change(now: Reached, situation: Situation) -> bool:
    """Whether the drug was taken in spite of what the advice fears, for longer than the table's markers matter."""
    table, row = situation.table, now.row
    concerns = (row.concerns if row is not None else None) or table.concerns
    windows = [use.tolerated_after_days for use in table.markers.values()] or [table.tolerated_after_days]
    known = [days for days in windows if days is not None]
    if concerns == Concerns.ALWAYS or len(known) < len(windows) or not _was_taken(max(known), situation):
        return False
    return concerns != Concerns.DOSE or _days_at_dose(now.advice.harm, situation.context) > max(known)


def is_dose_taken(harm: Harm, context: Context) -> bool:
    """Whether as much is taken as is ordered, or as little where too little is feared."""
    return _days_at_dose(harm, context) > 0


def _was_taken(days: int, situation: Situation) -> bool:
    """Whether the drug was taken for longer, and what the guidance speaks of beside it too."""
    context = situation.context
    exposure = exposure_days(context)
    long_enough = exposure is not None and exposure[0] > days
    return long_enough and all(taken_days(drug, context) > days for drug in companions(situation))


def _is_raised(days: int, context: Context) -> bool:
    """Whether all that was taken for so long is known to have been less than is ordered."""
    return taken_days(context.drug, context, lambda m: _compare(m.dose, context.order.dose) != -1) <= days


def companions(situation: Situation) -> frozenset[str]:
    """The other drugs for which the guidance speaks, or which act on its markers."""
    named = frozenset(keys_named(situation.table.population.fits, {Fact.COMEDICATION}))
    acting = [drug for shift in situation.shifts.values() for drug in shift.drugs]
    return situation.context.drugs_beside(named).union(acting)


def _days_at_dose(harm: Harm, context: Context) -> float:
    """Days for which as much was taken as is ordered; where too little is feared, as little. What the order or the
    record does not tell is no such time, and neither is one of several drafts of the drug."""
    if any(context.drug in other.ingredients for other in context.others):
        return 0.0
    return taken_days(context.drug, context, lambda taken: _is_borne_out(taken, harm, context))


def _is_borne_out(taken: Medication, harm: Harm, context: Context) -> bool:
    if context.order.active and taken.reference == context.order.reference:
        return True
    more = _compare(taken.dose, context.order.dose)
    return more in {0, -1 if harm is Harm.LACK_OF_EFFECT else 1}


def _compare(taken: Dose | None, ordered: Dose | None) -> int | None:
    """-1, 0, 1 as less, as much or more was taken than is ordered: at once where both are taken as often, else in a
    day. None where they cannot be compared."""
    if taken is None or ordered is None or taken.unit != ordered.unit:
        return None
    one, other = taken.daily, ordered.daily
    if taken.per_day == ordered.per_day:
        one, other = taken.per_dose, ordered.per_dose
    return None if one is None or other is None else (one > other) - (one < other)
