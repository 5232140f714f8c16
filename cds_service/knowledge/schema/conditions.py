"""Conditions that tables ask about (`conditions/*.yaml`)."""

from __future__ import annotations

from dataclasses import dataclass

from cds_service.codes import Coding
from cds_service.model import Trust


@dataclass(frozen=True, slots=True)
class StateChange:
    """A condition that a result tells by differing from an earlier one (a former smoker who smoked)."""

    observable: str
    was: str
    then: str
    within_days: float
    """For how long after it the change counts."""


@dataclass(frozen=True, slots=True)
class ConditionKey:
    """A condition that tables ask about, and how records name it."""

    id: str
    codes: tuple[Coding, ...] = ()
    """A code ending in `*` matches by prefix (ICD)."""
    texts: tuple[str, ...] = ()
    """Folded whole-word texts."""
    taken_back_by: tuple[str, ...] = ()
    """Folded words that take a text of this condition back where they stand ahead of it (`history of` a pregnancy),
    beside those that take back any."""
    not_in: tuple[str, ...] = ()
    """Folded phrases that hold a text of this condition and do not mean it (`for pregnancy test`)."""
    source: str = ""
    trust: Trust = Trust.CORROBORATED
    label: str = ""
    """Needed where the chance that a test changes an order is told for people who have it."""
    includes: tuple[str, ...] = ()
    """Other condition keys that imply this one."""
    change: StateChange | None = None
    """Results that tell it too."""
    lasting: bool = False
    """It counts for life: an entry that is resolved or inactive still means it (an earlier severe reaction)."""
