"""What dates and times say, as exactly as they are written."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from cds_service.memory import remembered_by_text
from cds_service.model import Span, When, earliest, latest
from cds_service.reading.shapes import Resource, child, clean, first, items

_DATE = re.compile(r"(\d{4})(?:([-/.])(\d{2})(?:\2(\d{2}))?)?(?![\d/.-])")
_A_DAY = timedelta(days=1)


class Dated(NamedTuple):
    """What a date or dateTime says: the day where it was written, and the instant where it tells the time."""

    on: When
    at: float | None
    """Seconds since 1970."""


def dated(*values: object) -> Dated | None:
    """What the first of the values says that can be read."""
    for value in values:
        if value is not None and (found := _dated(value if isinstance(value, str) else clean(value))) is not None:
            return found
    return None


def day(*values: object) -> When | None:
    """The day, month or year that the first of the values says that can be read."""
    found = dated(*values)
    return None if found is None else found.on


def dated_of(resource: Resource) -> Dated | None:
    """When an Observation or report is effective, else when it was issued."""
    return dated(resource.get("effectiveDateTime")) or _dated_otherwise(resource)


def _dated_otherwise(resource: Resource) -> Dated | None:
    period = first(resource.get("effectivePeriod"))
    ends = (period.get("end"), period.get("start"), resource.get("effectiveInstant"))
    return dated(*ends) or _last_event(resource.get("effectiveTiming")) or dated(resource.get("issued"))


def _last_event(timing: object) -> Dated | None:
    """When the last of the events was, or the end of the time in which they were."""
    events = [found for event in items(first(timing).get("event")) if (found := dated(event)) is not None]
    bounds = child(timing, "repeat", "boundsPeriod")
    newest = max(events, key=lambda found: (latest(found.on), found.at or 0.0), default=None)
    return newest or dated(bounds.get("end"), bounds.get("start"))


def date_of(resource: Resource) -> When | None:
    """The day of `dated_of`."""
    found = dated_of(resource)
    return None if found is None else found.on


@remembered_by_text
def _dated(text: str) -> Dated | None:
    told = clean(text)
    match = _DATE.match(told)
    if match is None:
        return None
    year, _, month, day_of_month = match.groups()
    try:
        begins = date(int(year), int(month or 1), int(day_of_month or 1))
    except ValueError:
        return None
    if day_of_month is None:
        return Dated(Span(begins, _last_day(begins.year, begins.month if month else 12)), None)
    return Dated(begins, moment(told) or None if match.end() < len(told) else None)


def _last_day(year: int, month: int) -> date:
    return date(year, month, monthrange(year, month)[1])


def is_after(day: When | None, today: date) -> bool:
    """Whether a day lies in the future. The next one may be today's where the result was made."""
    return day is not None and earliest(day) - today > _A_DAY


def moment(value: object) -> float:
    """Seconds since 1970 of an instant, for comparing versions; 0 where it cannot be read."""
    try:
        found = datetime.fromisoformat(clean(value))
        aware = found if found.tzinfo is not None else found.replace(tzinfo=UTC)
        return aware.timestamp()
    except (ValueError, OverflowError):
        return 0.0
