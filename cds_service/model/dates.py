"""When something was, as exactly as it was told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol, TypeAlias, TypeVar


@dataclass(frozen=True, slots=True)
class Span:
    """A day that is told by its month or year alone: some day from the earliest to the latest."""

    earliest: date
    latest: date


When: TypeAlias = date | Span
"""A day. What compares days takes the side that reassures least: the earliest or the latest possible one."""


def earliest(when: When) -> date:
    """The first day that it may have been."""
    return when.earliest if isinstance(when, Span) else when


def latest(when: When) -> date:
    """The last day that it may have been."""
    return when.latest if isinstance(when, Span) else when


def years_between(born: date, today: date) -> float:
    """Age in years: the birthdays that were, and the part of a year since the last one.

    >>> years_between(date(2008, 2, 29), date(2026, 3, 1)), years_between(date(2000, 1, 1), date(2026, 1, 1))
    (18.0, 26.0)
    """
    full = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    last, coming = _birthday(born, born.year + full), _birthday(born, born.year + full + 1)
    return full + (today - last).days / (coming - last).days


def _birthday(born: date, year: int) -> date:
    """In years without the day, the day after it."""
    try:
        return born.replace(year=year)
    except ValueError:
        return date(year, 3, 1)


def fhir_date(when: When) -> str:
    """As a FHIR date, which may be a year or a month alone."""
    text = earliest(when).isoformat()
    if not isinstance(when, Span):
        return text
    return text[:7] if when.earliest.month == when.latest.month else text[:4]


class Timed(Protocol):
    """What was on a day, and perhaps at an instant of it (seconds since 1970)."""

    @property
    def on(self) -> When | None: ...

    @property
    def at(self) -> float | None: ...


T = TypeVar("T", bound=Timed)


def newest_of(found: Sequence[T]) -> list[T]:
    """The newest; several where it cannot be told which of them is the last. What has no date is older than what has
    one."""
    last = max((one.at for one in found if one.at is not None), default=None)
    placed = [(one, one.on) for one in found if one.on is not None and one.at in (None, last)]
    if not placed:
        return list(found)
    newest = max(earliest(on) for _, on in placed)
    return [one for one, on in placed if latest(on) >= newest]
