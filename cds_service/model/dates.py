"""When something was, as exactly as it was told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Protocol, TypeVar


class Timed(Protocol):
    """What was on a day, and perhaps at an instant of it (seconds since 1970)."""

    @property
    def on(self) -> date | None: ...

    @property
    def at(self) -> float | None: ...


T = TypeVar("T", bound=Timed)


def newest_of(found: Sequence[T]) -> list[T]:
    """The newest; several where it cannot be told which of them is the last. What has no date is older than what has
    one."""
    dates = [one.on for one in found if one.on is not None]
    if not dates:
        return list(found)
    last = max((one.at for one in found if one.at is not None), default=None)
    left = [one for one in found if one.on is not None and one.at in (None, last)]
    newest = max(one.on for one in left if one.on is not None)
    return [one for one in left if one.on == newest]
