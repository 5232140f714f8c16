"""Every shape in which results come, as a case in YAML: resources in, readings and gaps out.

A resource is written as `Type: {fields}`; `id`, `status: final` and the patient as subject are added where they are
not given (`null` leaves them out). `$loinc`, `$snomed`, `$rxnorm` and `$hgnc` stand for a concept with one coding
(code, or code and display), `$text` for a concept of text alone, `$gene` for a gene-studied component, `$part` for
any other component (LOINC code and its value). A reading reads `observable: what it says; notes` (`line_of`).
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from cds_service import unique_yaml
from cds_service.codes import LOINC, RXNORM, SNOMED
from cds_service.model import (
    ActivityScore,
    Between,
    Diplotype,
    Grade,
    HlaType,
    NotReadable,
    OneOf,
    Phenotype,
    Presence,
    Quantity,
    Reading,
    ReadingStatus,
    SelfContradiction,
    Span,
    Statement,
    Undetermined,
)
from cds_service.reading import Read
from tests.support.reading import read_record
from tests.support.world import service

FOLDER = Path(__file__).parents[1] / "shapes"
TODAY = date(2026, 11, 25)
SYSTEMS = {"$loinc": LOINC, "$snomed": SNOMED, "$rxnorm": RXNORM, "$hgnc": "http://www.genenames.org/geneId"}
ABOUT_THE_PATIENT = {
    "Observation": "subject", "DiagnosticReport": "subject", "Condition": "subject", "MedicationRequest": "subject",
    "MedicationStatement": "subject", "ServiceRequest": "subject", "AllergyIntolerance": "patient",
    "FamilyMemberHistory": "patient", "Task": "for", "MolecularSequence": "patient",
}  # fmt: skip
STATUSES = {"Observation": "final", "DiagnosticReport": "final", "MedicationRequest": "active",
            "MedicationStatement": "active", "ServiceRequest": "active", "FamilyMemberHistory": "completed",
            "Task": "requested"}  # fmt: skip
Json = dict[str, Any]


def expanded(value: Any) -> Any:
    """The value with its shorthands written out."""
    if isinstance(value, list):
        return [expanded(item) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((key, inner),) = value.items()
        if key in SYSTEMS:
            return {"coding": [coding(SYSTEMS[key], *(inner if isinstance(inner, list) else [inner]))]}
        match key:
            case "$text":
                return {"text": inner}
            case "$gene":
                return component("48018-6", {"$hgnc": inner} if isinstance(inner, list) else {"$text": inner})
            case "$part":
                return component(*inner)
    return {key: expanded(inner) for key, inner in value.items()}


def coding(system: str, code: str, display: str = "") -> Json:
    return {"system": system, "code": code, **({"display": display} if display else {})}


def component(code: str, value: Any) -> Json:
    name = "valueString" if isinstance(value, str) else "valueCodeableConcept"
    if isinstance(value, dict) and "value" in value:
        name = "valueQuantity"
    return {"code": {"coding": [coding(LOINC, code)]}, name: expanded(value)}


def resource(written: Json, number: int) -> Json:
    ((kind, fields),) = written.items()
    defaults: Json = {"resourceType": kind, "id": f"r{number}"}
    if kind in STATUSES:
        defaults["status"] = STATUSES[kind]
    if kind in ABOUT_THE_PATIENT:
        defaults[ABOUT_THE_PATIENT[kind]] = {"reference": "Patient/ada"}
    return {key: value for key, value in {**defaults, **expanded(fields or {})}.items() if value is not None}


def line_of(reading: Reading) -> str:
    notes = [
        "preliminary" if reading.status is ReadingStatus.PRELIMINARY else "",
        "low" if reading.grade is Grade.LOW else "",
        reading.why_unverified,
        *reading.flags,
        f"for {' and '.join(reading.drugs)}" if reading.drugs else "",
    ]
    return "; ".join((f"{reading.observable}: {words_of(reading.says)}", *filter(None, notes)))


def words_of(says: Statement) -> str:
    match says:
        case Diplotype(text) | Phenotype(text):
            return text
        case OneOf(terms):
            return " or ".join(terms)
        case ActivityScore(value, at_least):
            return f"score {'≥' if at_least else ''}{value:g}"
        case Presence(allele, present, significance):
            return f"{allele} {'present' if present else 'absent'} {significance}".strip()
        case HlaType(alleles, complete, ambiguous):
            open_part = f", open {' '.join(ambiguous)}" if ambiguous else ""
            return f"type {' '.join(alleles)}{'' if complete else ', incomplete'}{open_part}"
        case Quantity() | Between():
            return number_of(says)
        case Undetermined():
            return "undetermined"
        case NotReadable(reason):
            return f"not readable, {reason}"
        case SelfContradiction():
            return "contradicts itself"


def number_of(says: Quantity | Between) -> str:
    if isinstance(says, Between):
        return f"{says.low:g} to {says.high:g} {says.unit}"
    return f"{says.comparator}{says.value:g} {says.unit}"


def date_of(reading: Reading) -> str:
    on = reading.on
    return f"{on.earliest} to {on.latest}" if isinstance(on, Span) else str(on)


def cases() -> list[Any]:
    return [
        pytest.param(case, id=f"{path.stem}: {case['case']}")
        for path in sorted(FOLDER.glob("*.yaml"))
        for case in unique_yaml.load(path.read_bytes())
    ]


def read_case(case: Json) -> Read:
    resources = [resource(written, n) for n, written in enumerate(case["resources"], start=1)]
    return read_record(resources, service().index, service().knowledge, TODAY, patient_id="ada")


def outcome(read: Read) -> Json:
    patient = read.patient
    return {
        "readings": sorted(line_of(reading) for reading in patient.readings),
        "gaps": sorted(gap.reason for gap in patient.gaps),
        "pending": sorted(marker for test in patient.pending for marker in test.markers),
        "medications": sorted(" + ".join(m.ingredients) or m.name for m in patient.medications),
        "conditions": sorted(key for condition in patient.conditions for key in condition.keys),
        "family": sorted(f"{f.text} ({f.degree})" for f in patient.family),
        "allergies": sorted(" + ".join(a.ingredients) or a.text for a in patient.allergies),
        "recommendations": sorted(
            f"{r.coding.code if r.coding else ''} {' '.join(r.drugs)}".strip() for r in patient.recommendations
        ),
        "withdrawn": list(read.withdrawn),
        "dates": sorted({date_of(reading) for reading in patient.readings}),
        "panels": sorted({" ".join(reading.panel) for reading in patient.readings if reading.panel}),
        "laboratories": sorted({reading.laboratory for reading in patient.readings if reading.laboratory}),
    }


ALWAYS = ("readings", "gaps", "pending", "medications", "withdrawn", "recommendations", "family", "allergies")
"""What a case expects to be empty where it does not say otherwise."""


@pytest.mark.parametrize("case", cases())
def test_shape(case: Json) -> None:
    found = outcome(read_case(case))
    known = {"case", "row", "resources", *found}
    assert set(case) <= known, f"unknown keys: {sorted(set(case) - known)}"
    expected = {key: case.get(key, []) for key in found if key in case or key in ALWAYS}
    assert {key: found[key] for key in expected} == {key: sorted(value) for key, value in expected.items()}


def test_there_is_a_case_for_every_row() -> None:
    written = [case for param in cases() for case in param.values]
    rows = {str(case["row"]) for case in written}
    assert {str(n) for n in range(1, 21)} | {"1.1", "1.2", "1.3", "1.4", "2"} <= rows
    assert len(written) >= 90
    assert len({case["case"] for case in written}) == len(written)
