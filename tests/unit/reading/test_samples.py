"""What a report says of its sample: in comments, codes and specimens, of itself or of its panel."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.model import GapReason, NotReadable, Quantity

from .small import concept, gap_reasons, observation, read_all, reading_of, subject

FAULT = ("haemolysed",)
HAEMOLYSED = {"condition": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0493", "code": "HEM"}]}]}


def potassium(name: str = "obs", **fields: Any) -> dict[str, Any]:
    value = (
        {}
        if "valueString" in fields or "component" in fields
        else {"valueQuantity": {"value": 6.1, "unit": "mmol/L"}}
    )
    return observation(name, concept("2823-3"), **{**value, **fields})


def specimen(**fields: Any) -> dict[str, Any]:
    return {"resourceType": "Specimen", "id": "tube", "subject": subject(), **fields}


def report(**fields: Any) -> dict[str, Any]:
    base = {"resourceType": "DiagnosticReport", "id": "report", "status": "final", "subject": subject()}
    return {**base, "code": {"text": "Electrolytes"}, "result": [{"reference": "Observation/obs"}], **fields}


def faults_said(text: str) -> tuple[str, ...]:
    return reading_of(potassium(note=[{"text": text}])).flags


@pytest.mark.parametrize(
    "text",
    [
        "Sample haemolysed, please repeat",
        "Specimen moderately hemolyzed. Potassium may be falsely elevated.",
        "Haemolysis: 1+",
        "Haemolysis noted",
        "Slight haemolysis may affect result",
        "Haemolysis may affect this result",
        "Result affected by haemolysis",
        "non-fasting sample, haemolysed",
        "? haemolysed",
        "Not fasting; haemolysed, not reported",
        "No lipaemia. Grossly haemolysed.",
    ],
)
def test_a_comment_says_that_the_sample_is_haemolysed(text: str) -> None:
    assert faults_said(text) == FAULT


@pytest.mark.parametrize(
    "text",
    [
        "No haemolysis",
        "not haemolysed.",
        "No evidence of haemolysis or lipaemia",
        "Lipaemia and haemolysis absent",
        "Haemolysis: none",
        "Haemolysis, not detected",
        "Haemolysis index: 12",
        "Haemolysis level is 0",
        "Previous sample haemolysed",
        "Please repeat if haemolysed",
        "Hemolyzed specimens may have a falsely high potassium",
        "Haemolysis may raise potassium",
        "Haemolytic anaemia",
        "Findings consistent with intravascular haemolysis",
        "",
    ],
)
def test_what_is_denied_supposed_or_of_samples_in_general_says_nothing(text: str) -> None:
    assert faults_said(text) == ()


@pytest.mark.parametrize(
    "resources",
    [
        (potassium(specimen={"reference": "Specimen/tube"}), specimen(**HAEMOLYSED)),
        (potassium(specimen={"reference": "Specimen/tube"}), specimen(note=[{"text": "Haemolysed"}])),
        (potassium(specimen={"reference": "#tube"}, contained=[specimen(**HAEMOLYSED)]),),
        (potassium(specimen={"display": "Serum, haemolysed"}),),
        (potassium(specimen={"reference": "Specimen/elsewhere", "display": "Serum, haemolysed"}),),
        (potassium(interpretation=[{"text": "High"}, {"text": "HEMOLYZED"}]),),
        (potassium(), report(conclusion="Sample haemolysed. Please repeat.")),
        (potassium(), report(specimen=[{"reference": "Specimen/tube"}]), specimen(**HAEMOLYSED)),
        (
            potassium(),
            observation(
                "panel",
                {"text": "Panel"},
                hasMember=[{"reference": "Observation/obs"}],
                note=[{"text": "haemolysed"}],
            ),
        ),
    ],
)
def test_it_stands_in_the_specimen_the_interpretation_the_panel_or_the_report(resources: tuple[Any, ...]) -> None:
    found = reading_of(*resources)
    assert (Quantity(6.1, "mmol/L"), FAULT) == (found.says, found.flags)


def test_a_part_of_a_panel_that_is_said_to_be_haemolysed() -> None:
    part = {"code": concept("2823-3"), "valueQuantity": {"value": 6.1, "unit": "mmol/L"}}
    found = reading_of(
        observation(code={"text": "Panel"}, component=[{**part, "interpretation": [{"text": "haemolysed"}]}])
    )
    assert found.flags == FAULT


def test_a_sound_specimen_and_a_value_that_no_fault_touches_have_no_flag() -> None:
    sound = {"condition": [{"coding": [{"code": "LIVE"}]}]}
    assert reading_of(potassium(specimen={"reference": "Specimen/tube"}), specimen(**sound)).flags == ()
    assert (
        reading_of(observation(code=concept("66489-6"), valueString="*1/*1", note=[{"text": "haemolysed"}])).flags
        == ()
    )


def test_a_fault_in_place_of_the_number_is_no_result() -> None:
    found = read_all(potassium(valueString="Haemolysed - not reported"))
    assert found.patient.readings == ()
    assert gap_reasons(found) == [GapReason.NO_VALUE]


def test_other_words_in_place_of_the_number_cannot_be_read() -> None:
    assert reading_of(potassium(valueString="See comment")).says == NotReadable(GapReason.NO_NUMBER)
