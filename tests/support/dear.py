"""Resources of few words, for requests that are to cost much."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

PATIENT = {"reference": "Patient/p1"}


def loinc(code: str) -> Json:
    return {"coding": [{"system": "http://loinc.org", "code": code}]}


def draft(n: int, text: str) -> Json:
    return {
        "resourceType": "MedicationRequest",
        "id": f"d{n}",
        "status": "draft",
        "intent": "order",
        "subject": PATIENT,
        "medicationCodeableConcept": {"text": text},
    }


def observation(n: int, code: str, value: str, **more: object) -> Json:
    about = {"resourceType": "Observation", "id": f"o{n}", "status": "final", "subject": PATIENT}
    return {**about, "effectiveDateTime": "2025-06-02", "code": loinc(code), "valueString": value, **more}


def report(conclusion: str) -> Json:
    about = {"resourceType": "DiagnosticReport", "id": "r1", "status": "final", "subject": PATIENT}
    return {**about, "code": loinc("51969-4"), "conclusion": conclusion}


def condition(n: int, text: str) -> Json:
    return {"resourceType": "Condition", "id": f"c{n}", "subject": PATIENT, "code": {"text": text}}
