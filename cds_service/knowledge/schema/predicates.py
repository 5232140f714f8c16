"""Questions about the patient and the order, and for whom a table speaks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Fact(StrEnum):
    """What a predicate can ask about. Numbers: age (years), weight (kg), daily_dose (mg), daily_dose_per_kg (mg/kg),
    exposure (days that this drug has been taken). Sets: indication (the order's reason, else the patient's
    conditions), condition, reaction (condition keys or drug ids of recorded allergies),
    family_history (first and second degree), mothers_line (the same, of those who may have in common with the patient
    what mothers alone pass on), comedication (drug ids or group ids taken or drafted), route, sex."""

    AGE = "age"
    WEIGHT = "weight"
    SEX = "sex"
    INDICATION = "indication"
    CONDITION = "condition"
    ROUTE = "route"
    REACTION = "reaction"
    FAMILY_HISTORY = "family_history"
    MOTHERS_LINE = "mothers_line"
    COMEDICATION = "comedication"
    EXPOSURE = "exposure"
    DAILY_DOSE = "daily_dose"
    DAILY_DOSE_PER_KG = "daily_dose_per_kg"


@dataclass(frozen=True, slots=True)
class Predicate:
    """A three-valued question about one context fact, or a combination. Exactly one of `fact`, `all`, `any`,
    `none` is set. `when_unknown` is what is assumed when the fact is not known; without it an unknown fact
    leaves the predicate unknown."""

    fact: Fact | None = None
    is_in: tuple[str, ...] = ()
    below: float | None = None
    at_least: float | None = None
    above: float | None = None
    at_most: float | None = None
    all: tuple[Predicate, ...] = ()
    any: tuple[Predicate, ...] = ()
    none: tuple[Predicate, ...] = ()
    when_unknown: bool | None = None
    say: str = ""
    """Phrase key by which the card says the assumption made (`assumed_acs_pci`); empty: it is not said."""


@dataclass(frozen=True, slots=True)
class Population:
    """For whom a table speaks. All predicates must hold. `id` is the source's own name of it (CPIC's
    `cvi acs pci`), `label` a phrase key."""

    id: str = "general"
    label: str = ""
    fits: tuple[Predicate, ...] = ()
