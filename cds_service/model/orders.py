"""Orders and the medicines taken."""

from __future__ import annotations

from dataclasses import dataclass

from cds_service.codes import Coding
from cds_service.model.dates import When


@dataclass(frozen=True, slots=True)
class Quantity:
    value: float
    unit: str
    comparator: str = ""


@dataclass(frozen=True, slots=True)
class Dose:
    """A dose as ordered. `per_dose` is what one administration gives, in `unit` (`mg`, `mg/kg`, `mg/m2`,
    `tablet`, ...); `per_day` how many administrations a day; None where the order does not say."""

    per_dose: float | None
    unit: str
    per_day: float | None = None
    text: str = ""
    """The dosage instruction as text, for the card."""
    usual: float | None = None
    """What one administration of the usual dose gives, in `unit`, where this dose is the share of it that a
    suggestion of ours made: a share is never taken of it again."""

    @property
    def daily(self) -> float | None:
        """Amount a day in `unit`, or None where either factor is missing."""
        return None if self.per_dose is None or self.per_day is None else self.per_dose * self.per_day


@dataclass(frozen=True, slots=True)
class Order:
    """One drafted medication."""

    reference: str
    """`MedicationRequest/103`, the draft it came from."""
    name: str
    """The drug as the EHR shows it, or the best display found; may be empty when the order has no drug yet."""
    ingredients: tuple[str, ...]
    """Drug ids recognised; empty when the drug was not recognised."""
    coding: Coding | None = None
    dose: Dose | None = None
    strength_mg: float | None = None
    """Milligrams of the first ingredient in one unit of the product (tablet), where the product says so."""
    undivided: bool = False
    """Whether the product comes in pieces that are not halved: capsules, tablets of modified release."""
    route: str = ""
    """`oral`, `intravenous`, `topical`, `ophthalmic`, `inhaled`, ...; empty when neither order nor product says."""
    reasons: frozenset[str] = frozenset()
    """Condition keys of the order's reason."""
    reason_texts: tuple[str, ...] = ()
    selected: bool = True
    """False for a draft that the hook's `selections` do not name: context, not the question."""
    active: bool = False
    """True for a medicine already taken (patient-view, refill, an active medicine affected by a draft)."""
    unread: tuple[str, ...] = ()
    """Words of the name that stand for a further part of the product and name no known drug."""
    replaces: str = ""
    """Reference of the active medication that this draft replaces."""
    on_hold: bool = False
    """Whether it is not to be given until somebody releases it."""


@dataclass(frozen=True, slots=True)
class Medication:
    """A medicine that the patient takes."""

    reference: str
    name: str
    ingredients: tuple[str, ...]
    started: When | None = None
    dose: Dose | None = None
    route: str = ""
    stopped: When | None = None
    """Set for a medicine that ended (its effect may still last)."""
    may_have_ended: bool = False
    """Whether it is told to end about today, so that it counts as taken and its use may have been interrupted."""
    is_prescribed: bool = True
    """Whether it is somebody's order, and not what was handed out, given or reported."""
    may_go_on: bool = False
    """Whether it stopped only in that its supply is used up: some of it may be left, or more of it may have come."""
