"""Where facts come from (`sources/*.yaml`)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class SourceKind(StrEnum):
    """What a source is. The order in which one source leads is policy."""

    GUIDELINE = "guideline"
    LABEL_CONTRAINDICATION = "label_contraindication"
    LABEL = "label"
    REGULATOR_TABLE = "regulator_table"
    STUDY = "study"
    CATALOGUE = "catalogue"
    TERMINOLOGY = "terminology"


@dataclass(frozen=True, slots=True)
class Source:
    """Where facts come from. The fields are those that a card and its decision-support attributes need."""

    id: str
    title: str
    developer: str
    version: str
    released: str
    """ISO date or year of first release."""
    revised: str
    """ISO date or year of the revision used."""
    url: str
    checked: date
    """When we last held our rows against it."""
    kind: SourceKind
    pmids: tuple[str, ...] = ()
    funding: str = ""
    licence: str = ""
