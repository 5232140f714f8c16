"""Conditions that results tell by their change: who smoked and is called a former smoker has stopped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from math import inf

from cds_service.knowledge.schema import StateChange
from cds_service.model import Condition, Grade, Phenotype, Reading, ReadingStatus, earliest


def conditions_told(
    readings: Sequence[Reading], changes: Mapping[str, StateChange], today: date
) -> Iterator[Condition]:
    """A condition for each key whose change was seen lately, since the first result that tells it."""
    for key, change in changes.items():
        told = _first_after(change, readings, today)
        if told is not None and _days(told, today) <= change.within_days:
            yield Condition(frozenset({key}), told.quoted, told.reference, told.on)


def _days(reading: Reading, today: date) -> float:
    """The days since it; one without a date is of no use here."""
    return inf if reading.on is None else (today - earliest(reading.on)).days


def _first_after(change: StateChange, readings: Sequence[Reading], today: date) -> Reading | None:
    """The first of the results that say the new state, where nothing but that was said since the old one."""
    dated = [reading for reading in readings if _counts(reading, change) and _days(reading, today) < inf]
    in_order = sorted(dated, key=lambda reading: (-_days(reading, today), reading.reference))
    old = max((n for n, reading in enumerate(in_order) if _state(reading) == change.was), default=None)
    since = [] if old is None else in_order[old + 1 :]
    return since[0] if since and all(_state(reading) == change.then for reading in since) else None


def _counts(reading: Reading, change: StateChange) -> bool:
    is_final = reading.status is ReadingStatus.FINAL and reading.grade is not Grade.UNVERIFIED
    return is_final and reading.observable == change.observable


def _state(reading: Reading) -> str:
    return reading.says.term if isinstance(reading.says, Phenotype) else ""
