"""apply(advice, order) -> resulting order, and the arithmetic of a dose change.

Two advices differ materially when their resulting orders differ (docs/reasoning.md, step 4).
"""

from __future__ import annotations

from dataclasses import replace
from math import isclose

from cds_service.model import (
    Action,
    Advice,
    Amount,
    Dose,
    DoseArithmetic,
    DoseChange,
    Order,
    Outcome,
    ResultingOrder,
)

AS_DRAFTED = ResultingOrder(Outcome.AS_DRAFTED)

_ROUNDED = 0.001
"""How far figures of one dose may lie apart."""

_UNSPECIFIED_DOSE = ResultingOrder(Outcome.CHANGED_DOSE)
"""Advice of another dose that says nothing more."""

_RESULTING = {
    Action.AVOID: ResultingOrder(Outcome.OTHER_DRUG),
    Action.ALTERNATIVE: ResultingOrder(Outcome.OTHER_DRUG),
    Action.STOP: ResultingOrder(Outcome.STOP),
    Action.NOT_INDICATED: ResultingOrder(Outcome.STOP),
    Action.PREPARE_FIRST: ResultingOrder(Outcome.WAIT),
    Action.USE_OTHER_TEST: ResultingOrder(Outcome.WAIT),
}

_SEVERITY = {
    Outcome.AS_DRAFTED: 0,
    Outcome.CHANGED_DOSE: 1,
    Outcome.WAIT: 2,
    Outcome.OTHER_DRUG: 3,
    Outcome.STOP: 4,
}


def apply(advice: Advice, order: Order, weight_kg: float | None = None) -> ResultingOrder:
    """The order that the advice's first option leaves. `weight_kg` serves limits given per kilogram."""
    first = advice.options[0]
    if first.action is Action.DOSE:
        change = first.dose
        if change is None:
            return _UNSPECIFIED_DOSE
        changed = _changed_dose(change, order.dose, weight_kg)
        return AS_DRAFTED if _is_share_already(changed, order, weight_kg) else changed
    return _RESULTING.get(first.action, AS_DRAFTED)


def departs(resulting: ResultingOrder) -> bool:
    """Whether anything about the order changes."""
    return resulting.outcome is not Outcome.AS_DRAFTED


def severity(resulting: ResultingOrder) -> tuple[int, float]:
    """A key that sorts resulting orders from the mildest departure to the gravest."""
    return _SEVERITY[resulting.outcome], _distance(resulting.dose)


def _distance(dose: DoseChange | None) -> float:
    """How far a dose change is from the usual dose: 0 none, 1 for a tenfold change or more."""
    if dose is None:
        return 0.0
    if dose.factor is None:
        return 0.5
    return max(abs(1 - share) for share in dose.factor)


def _changed_dose(change: DoseChange, dose: Dose | None, weight_kg: float | None) -> ResultingOrder:
    changed = ResultingOrder(Outcome.CHANGED_DOSE, change)
    if change.amount is not None or change.floor is not None:
        return AS_DRAFTED if _is_inside(change, dose, weight_kg) else changed
    if change.cap is not None:
        # A cap alone changes an order only when the order's dose is known to be above it.
        return changed if _compare(dose, change.cap, weight_kg) == 1 else AS_DRAFTED
    compared = (_compare(dose, limit, weight_kg) for limit in change.applies_above)
    reached = next((found for found in compared if found is not None), None)
    return AS_DRAFTED if reached == -1 else changed


def _is_share_already(changed: ResultingOrder, order: Order, weight_kg: float | None) -> bool:
    """Whether the ordered dose is known to be the share of the usual dose that is advised."""
    change, dose = changed.dose, order.dose
    if change is None or change.factor is None or dose is None or dose.usual is None or dose.per_dose is None:
        return False
    reckoned = arithmetic(changed, order, weight_kg)
    if reckoned is None or not _is_given_at(change, dose):
        return False
    low, high = reckoned.new
    return low * (1 - _ROUNDED) <= dose.per_dose <= high * (1 + _ROUNDED)


def _is_inside(change: DoseChange, dose: Dose | None, weight_kg: float | None) -> bool:
    """Whether the ordered dose is known to be what is advised: at the amount, or between floor and upper limit."""
    upper = change.amount or change.cap
    if change.floor is None:
        return upper is not None and _compare(dose, upper, weight_kg) == 0 and _is_given_as(change, dose)
    if change.cap is not None and _compare(dose, change.cap, weight_kg) is None:
        # A range below a cap is close to the usual dose: like a cap, it changes only a dose that is known.
        return True
    enough = _compare(dose, change.floor, weight_kg) in (0, 1)
    return enough and (upper is None or _compare(dose, upper, weight_kg) in (-1, 0))


def _is_given_at(change: DoseChange, dose: Dose | None) -> bool:
    """Whether the ordered times are known to be the advised ones, where the advice tells any."""
    if change.times is None:
        return True
    return dose is not None and dose.per_day is not None and isclose(dose.per_day, change.times.per_day, rel_tol=0.01)


def _is_given_as(change: DoseChange, dose: Dose | None) -> bool:
    """The same of an amount; one for the day says the same however it is divided."""
    if change.amount is None or change.amount.unit.endswith("/d"):
        return True
    return _is_given_at(change, dose)


def _compare(dose: Dose | None, limit: Amount, weight_kg: float | None) -> int | None:
    """-1, 0, 1 as the ordered dose is below, at or above the limit; None where they cannot be compared."""
    given = amount_in(dose, limit.unit, weight_kg)
    if given is None:
        return None
    return (given > limit.value) - (given < limit.value)


def amount_in(dose: Dose | None, unit: str, weight_kg: float | None) -> float | None:
    """The ordered dose in `unit` (`mg`, `mg/d`, `mg/kg`, `mg/kg/d`); None where it does not say enough."""
    if dose is None:
        return None
    base, daily = (unit[:-2], True) if unit.endswith("/d") else (unit, False)
    given = dose.daily if daily else dose.per_dose
    if given is None:
        return None
    if dose.unit == base:
        return given
    if base == f"{dose.unit}/kg" and weight_kg:
        return given / weight_kg
    if dose.unit == f"{base}/kg" and weight_kg:
        return given * weight_kg
    return None


def arithmetic(resulting: ResultingOrder, order: Order, weight_kg: float | None = None) -> DoseArithmetic | None:
    """How the new dose is reckoned from the drafted one, or from the usual one where that is known; None where the
    order has no dose or no figure is advised."""
    change, dose = resulting.dose, order.dose
    if change is None or dose is None or dose.per_dose is None or not change.of_drafted:
        return None
    if change.factor is not None and dose.usual is not None:
        dose = replace(dose, per_dose=dose.usual)
    reckoned = _reckoned(change, dose, weight_kg)
    if reckoned is None:
        return None
    found = replace(reckoned, frequency=change.frequency, times=change.times, drafted_per_day=dose.per_day)
    return found if change.at_most is None else _capped(found, change.at_most, dose, weight_kg)


def _capped(reckoned: DoseArithmetic, at_most: Amount, dose: Dose, weight_kg: float | None) -> DoseArithmetic | None:
    """The new dose, not above the cap; None where the cap cannot be held against the drafted dose: without it the
    figures would be too high."""
    drafted = amount_in(dose, at_most.unit, weight_kg)
    if not drafted:
        return None
    highest = round(reckoned.old * at_most.value / drafted, 4)
    low, high = reckoned.new
    if high <= highest:
        return reckoned
    return replace(reckoned, new=(min(low, highest), highest), at_most=highest)


def _reckoned(change: DoseChange, dose: Dose, weight_kg: float | None) -> DoseArithmetic | None:
    if change.factor is not None and dose.per_dose is not None:
        return replace(_scaled(dose.per_dose, dose.unit, change.factor), assumes_usual=dose.usual is None)
    limit = change.amount or change.cap
    if limit is None:
        return None
    limit = _for_this_weight(limit, dose, weight_kg)
    old = amount_in(dose, limit.unit, weight_kg)
    if not old:
        return None
    share = limit.value / old
    basis = "per_day" if limit.unit.endswith("/d") else "per_dose"
    unit = limit.unit.removesuffix("/d")
    return DoseArithmetic(old, unit, (share, share), (limit.value, limit.value), basis)


def _for_this_weight(limit: Amount, dose: Dose, weight_kg: float | None) -> Amount:
    """An amount by the kilogram as the amount for this patient, where the draft gives an amount."""
    base, slash, by_day = limit.unit.partition("/kg")
    if not slash or dose.unit != base or not weight_kg:
        return limit
    return Amount(round(limit.value * weight_kg, 4), base + by_day)


def _scaled(old: float, unit: str, factor: tuple[float, float]) -> DoseArithmetic:
    low, high = factor
    return DoseArithmetic(old, unit, factor, (round(old * low, 4), round(old * high, 4)), "per_dose")
