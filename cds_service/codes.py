"""Coding systems and the one type that holds a code."""

from __future__ import annotations

from dataclasses import dataclass

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"
ICD10 = "http://hl7.org/fhir/sid/icd-10"
ATC = "http://www.whocc.no/atc"
UCUM = "http://unitsofmeasure.org"
HGNC = "http://www.genenames.org/geneId"
NDC = "http://hl7.org/fhir/sid/ndc"

OWN = "https://cds-service.org/fhir/CodeSystem"
"""Root of the code systems that this service defines itself (docs/codes.md)."""
OVERRIDE_REASON = f"{OWN}/override-reason"
TOPIC = f"{OWN}/topic"
TEST = f"{OWN}/test"
"""Tests of the knowledge by their ids."""

USUAL_DOSE = "https://cds-service.org/fhir/StructureDefinition/usual-dose"
"""On a dosage: the dose, drafted as usual, of which a suggestion of ours made a share (docs/codes.md)."""


@dataclass(frozen=True, slots=True)
class Coding:
    """A code in a system, with the display seen or given. `system` may be empty for a bare local code."""

    system: str
    code: str
    display: str = ""
