"""Codes that mean a marker."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from cds_service.model import Trust


class CodeRole(StrEnum):
    """Which kind of result a code carries."""

    GENOTYPE = "genotype"
    PHENOTYPE = "phenotype"
    ACTIVITY_SCORE = "activity_score"
    ENZYME_ACTIVITY = "enzyme_activity"
    PRESENCE = "presence"
    ALLELE = "allele"
    """One of the two alleles."""
    QUANTITY = "quantity"
    INTERPRETATION = "interpretation"
    REPORT = "report"
    ORDER = "order"
    """None: it orders the test."""


@dataclass(frozen=True, slots=True)
class ObservationCode:
    """A code of an Observation (or ServiceRequest) that means this marker."""

    code: str
    system: str = "http://loinc.org"
    role: CodeRole = CodeRole.GENOTYPE
    display: str = ""
    source: str = ""
    trust: Trust = Trust.CORROBORATED
    allele: str = ""
    """With role `presence` or `allele`: the allele that the code asks about, as the gene names it."""
    ambiguous: bool = False
    """Public projects disagree about the gene that the code names: needs a second witness."""
