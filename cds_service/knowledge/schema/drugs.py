"""Medicines, what their tablets give, named sets of them, and how long a supply lasts (`drugs.tsv`, `parts.tsv`,
`groups/*.yaml`, `supplies.yaml`)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Drug:
    id: str
    rxcui: str = ""
    """Ingredient code; empty where no source read gives one."""
    atc: tuple[str, ...] = ()
    synonyms: tuple[str, ...] = ()
    display: str = ""


@dataclass(frozen=True, slots=True)
class DrugParts:
    """What the tablets and capsules of a drug give, half a tablet included. A drug that is also a liquid has none:
    any amount of it can be measured."""

    drug: str
    parts_mg: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class DrugGroup:
    """A named set of drugs for predicates and modifiers."""

    id: str
    drugs: tuple[str, ...]
    source: str = ""


@dataclass(frozen=True, slots=True)
class SupplyLengths:
    """How long medicines last of which the record does not say it, in days."""

    usual_days: int
    """What is handed out at once, where nobody says how long it lasts."""
    longest_days: int
    """No supply handed out at once lasts longer."""
    longest_pause_days: int
    """Between two entries of a drug that follow each other: a late renewal, and no new start."""
