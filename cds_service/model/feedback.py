"""What clients tell back, and what was issued: kept by the store."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cds_service.codes import Coding


class FeedbackOutcome(StrEnum):
    ACCEPTED = "accepted"
    OVERRIDDEN = "overridden"


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a clinician did with one card."""

    card: str
    """The card's uuid."""
    outcome: FeedbackOutcome
    at: datetime
    """When it happened, in UTC."""
    accepted_suggestions: tuple[str, ...] = ()
    reason: Coding | None = None
    """The override reason chosen."""
    comment: str = ""
    """Free text of the clinician: may hold patient data, and is kept only where the site says so."""


@dataclass(frozen=True, slots=True)
class IssuedCard:
    """A card that was sent, without anything that names the patient."""

    uuid: str
    indicator: str
    kinds: tuple[str, ...] = ()
    drugs: tuple[str, ...] = ()
