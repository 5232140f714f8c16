"""What shifts states for now: inhibitors and inducers (`modifiers.yaml`, `modulators.tsv`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from cds_service.model import Trust


class ModulatorRole(StrEnum):
    INHIBITOR = "inhibitor"
    INDUCER = "inducer"


class ModulatorStrength(StrEnum):
    STRONG = "strong"
    MODERATE = "moderate"
    WEAK = "weak"


@dataclass(frozen=True, slots=True)
class Modifier:
    """What shifts a marker's states for now: the inhibitors of its enzyme (`Modulator`) that are taken beside it."""

    id: str
    marker: str
    source: str
    trust: Trust
    factors: Mapping[ModulatorStrength, float]
    """Strength of the inhibitor -> factor on the activity score."""
    guideline_drugs: tuple[str, ...]
    """Drugs for which the source states the rule; elsewhere it is applied only by site policy."""


@dataclass(frozen=True, slots=True)
class Modulator:
    """A drug that inhibits or induces an enzyme."""

    enzyme: str
    role: ModulatorRole
    strength: ModulatorStrength
    drug: str
    source: str
    trust: Trust
    offset_days: float | None = None
    """How long the effect lasts after the last dose, where known."""
