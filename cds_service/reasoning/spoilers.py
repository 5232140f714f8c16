"""What makes a result of a lifelong marker unreliable: a transfusion, haemolysis, a transplant.

The events are conditions of the record, the rules are data (`knowledge/data/spoilers.yaml`). A result counts as
spoiled unless it is known to be from before the event, from after its effect, or from a specimen that it spares.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from operator import itemgetter

from cds_service.knowledge.base import Knowledge
from cds_service.knowledge.derived import implied, spoiling_conditions
from cds_service.knowledge.schema import ResultSpoiler
from cds_service.model import Condition, Patient, Reading, Trust, When, earliest, latest


def spoiler_of(
    marker: str, reading: Reading, patient: Patient, knowledge: Knowledge, today: date
) -> tuple[ResultSpoiler, bool] | None:
    """What spoils the reading of the marker, and whether that is certain; None where it may be relied on."""
    found = [
        (spoiler, _is_in_effect(spoiler, event, reading.on, today, for_certain=True))
        for spoiler, event in _events(marker, reading.method, patient, knowledge)
        if not _is_spared(reading, spoiler) and _is_in_effect(spoiler, event, reading.on, today)
    ]
    return max(found, key=itemgetter(1), default=None)


def spoiler_today(
    marker: str, method: str, patient: Patient, knowledge: Knowledge, today: date
) -> ResultSpoiler | None:
    """What would spoil a result of the method from a specimen taken today, or None."""
    events = _events(marker, method, patient, knowledge)
    return next((spoiler for spoiler, event in events if _is_in_effect(spoiler, event, today, today)), None)


def may_be_spoiled(marker: str, reading: Reading, knowledge: Knowledge) -> bool:
    """Whether some event could spoil the reading of the marker, were it on record."""
    found = [s for s in knowledge.spoilers if _concerns(s, marker, reading.method) and _acts(s)]
    return any(not _is_spared(reading, spoiler) for spoiler in found)


def states_left(found: frozenset[str], spoiler: ResultSpoiler, states: frozenset[str]) -> frozenset[str]:
    """The states that a spoiled result leaves possible: all of them, or what was found with what it may hide."""
    if not spoiler.may_hide:
        return states
    hidden = (state for one in found for state in spoiler.may_hide.get(one, ()))
    return found | (states & frozenset(hidden))


def _events(
    marker: str, method: str, patient: Patient, knowledge: Knowledge
) -> Iterator[tuple[ResultSpoiler, Condition]]:
    """The spoilers of the marker and method, each with an event of the record that sets it going."""
    spoiling = spoiling_conditions(knowledge)
    conditions = [c for c in patient.conditions if not (spoiling.isdisjoint(c.keys) and spoiling.isdisjoint(c.past))]
    if not conditions:
        return
    for spoiler in knowledge.spoilers:
        if _concerns(spoiler, marker, method) and _acts(spoiler):
            yield from ((spoiler, c) for c in conditions if _is_event(c, spoiler, knowledge))


def _concerns(spoiler: ResultSpoiler, marker: str, method: str) -> bool:
    names = {marker, marker.partition(":")[0]}
    return not names.isdisjoint(spoiler.markers) and (not spoiler.methods or method in spoiler.methods)


def _acts(spoiler: ResultSpoiler) -> bool:
    """A recalled one may add graver possibilities, and never take back what a result says (decision 0011)."""
    return spoiler.trust is not Trust.RECALLED or bool(spoiler.may_hide)


def _is_event(condition: Condition, spoiler: ResultSpoiler, knowledge: Knowledge) -> bool:
    keys = implied(condition.keys | condition.past, knowledge)
    return not keys.isdisjoint(spoiler.conditions) and keys.isdisjoint(spoiler.unless)


def _is_spared(reading: Reading, spoiler: ResultSpoiler) -> bool:
    padded = f" {reading.specimen} "
    return any(f" {word} " in padded for word in spoiler.spared_specimens)


def _is_in_effect(
    spoiler: ResultSpoiler, event: Condition, on: When | None, today: date, *, for_certain: bool = False
) -> bool:
    """Whether a result of that day may be spoiled, or is, whichever days are meant by dates that are told roughly;
    none is of a day after today. Where a date is missing it is."""
    if on is None:
        return True
    one, other = (latest, earliest) if for_certain else (earliest, latest)
    if event.onset is not None and min(other(on), today) < one(event.onset):
        return False
    last = _last_day(spoiler, event)
    return spoiler.lasts_days is None or last is None or (one(on) - other(last)).days <= spoiler.lasts_days


def _last_day(spoiler: ResultSpoiler, event: Condition) -> When | None:
    """The day from which the effect wears off: the end of the event, else its onset where it is a matter of one day.
    None where it goes on, or its end is not known."""
    if event.end is not None:
        return event.end
    keys = event.keys | event.past
    goes_on = not keys.isdisjoint(spoiler.ongoing) and keys.isdisjoint({*spoiler.conditions} - {*spoiler.ongoing})
    return None if goes_on else event.onset
