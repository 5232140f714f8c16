"""What was read of the patient."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cds_service.codes import Coding
from cds_service.model.dates import When
from cds_service.model.orders import Medication
from cds_service.model.questions import Availability, Gap, Query
from cds_service.model.readings import Reading


@dataclass(frozen=True, slots=True)
class Condition:
    keys: frozenset[str]
    """Condition keys of the knowledge that its codes or text mean; may be empty."""
    text: str
    reference: str
    onset: When | None = None
    end: When | None = None
    past: frozenset[str] = frozenset()
    """Condition keys that it meant until it was over, where results of that time may be spoiled by it."""


@dataclass(frozen=True, slots=True)
class Allergy:
    """An allergy or earlier reaction to a drug."""

    ingredients: tuple[str, ...]
    text: str
    reference: str
    keys: frozenset[str] = frozenset()
    """Condition keys of its manifestation."""


@dataclass(frozen=True, slots=True)
class FamilyCondition:
    keys: frozenset[str]
    relationship: str
    degree: int
    """1 for parents, siblings, children; 2 for grandparents, aunts, uncles, half-siblings; 3 beyond."""
    text: str
    reference: str
    of_mothers_line: bool = True
    """False of a father, a grandfather and a father's relatives: what mothers alone pass on is not theirs and the
    patient's. True where the record leaves it open."""


REFERRAL_TO_GENETICS = "referral:genetics"
"""Stands among the markers of what is ordered for a referral that is under way."""


@dataclass(frozen=True, slots=True)
class PendingTest:
    """A test that is ordered, on hold, or in the laboratory."""

    markers: tuple[str, ...]
    reference: str
    since: When | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Recommendation:
    """What a laboratory recommended beside its results. Shown as the laboratory's, never as our own advice."""

    reference: str
    coding: Coding | None
    text: str
    drugs: tuple[str, ...] = ()
    reason: str = ""
    """Reference of the result that it rests on."""
    on: When | None = None


@dataclass(frozen=True, slots=True)
class Patient:
    """What is known of the patient. `availability` tells empty from unknown for each query."""

    id: str
    birth_date: When | None = None
    sex: str = ""
    """`male`, `female`, or empty when unknown or other: sex for clinical use, as in X-linked genes."""
    weight_kg: float | None = None
    """None where it is not known, also where any of several may be the newest."""
    medications: tuple[Medication, ...] = ()
    readings: tuple[Reading, ...] = ()
    conditions: tuple[Condition, ...] = ()
    allergies: tuple[Allergy, ...] = ()
    family: tuple[FamilyCondition, ...] = ()
    pending: tuple[PendingTest, ...] = ()
    gaps: tuple[Gap, ...] = ()
    availability: Mapping[Query, Availability] = field(default_factory=dict)
    recommendations: tuple[Recommendation, ...] = ()
    weights_kg: tuple[float, ...] = ()
    """Different weights of which any may be the newest."""

    @property
    def possible_weights_kg(self) -> tuple[float | None, ...]:
        """The weight, or those that it may be."""
        return self.weights_kg or (self.weight_kg,)
