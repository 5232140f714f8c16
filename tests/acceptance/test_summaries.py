"""What the summary of a card says where a general sentence would not be true of the patient."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.support.build import hook_request
from tests.support.world import TODAY, answered, drug_codes

WOMAN = {"age": 30, "sex": "female"}


def card_of(patient: Mapping[str, Any], drug: str) -> Mapping[str, Any]:
    """The one card that answers an order of the drug."""
    body = hook_request({"patient": patient, "orders": [{"drug": drug}]}, drug_codes(), TODAY)
    (card,) = answered(body).body["cards"]
    assert isinstance(card, dict)
    return card


def test_a_test_during_treatment_is_not_one_before_the_start() -> None:
    taken = {**WOMAN, "medications": [{"drug": "riociguat", "days": 100}]}
    card = card_of(taken, "riociguat")
    assert card["summary"].startswith("Riociguat: pregnancy test needed first")
    assert "start" not in card["detail"].partition("---")[0]


def test_a_diagnosis_that_is_not_on_record_is_not_called_a_recorded_risk() -> None:
    card = card_of({"age": 40, "sex": "male"}, "lumasiran")
    assert card["summary"].startswith("Lumasiran: AGXT variants test needed for this patient")
    assert "recorded" not in card["detail"].partition("---")[0]


def test_an_outcome_that_is_only_watched_more_closely_says_so() -> None:
    card = card_of(WOMAN, "natalizumab")
    assert "if positive: as drafted; monitor:" in card["summary"]


@pytest.mark.parametrize(
    ("patient", "drug", "said"),
    [
        (WOMAN, "adalimumab", "Adalimumab: tuberculosis IGRA test needed first"),
        ({**WOMAN, "conditions": ["Acute pharyngitis"]}, "amoxicillin", "Amoxicillin: group A streptococcus test"),
    ],
)
def test_a_test_is_called_one_once(patient: Mapping[str, Any], drug: str, said: str) -> None:
    assert card_of(patient, drug)["summary"].startswith(said)
    assert "test test" not in card_of(patient, drug)["summary"]


def test_what_to_do_about_an_old_hepatitis_b_stands_in_the_summary() -> None:
    serology = {
        "hepatitis_b_surface_antigen": {"result": "negative", "days": 20},
        "hepatitis_b_core_antibody": {"result": "positive", "days": 20},
    }
    card = card_of({**WOMAN, "labs": serology}, "rituximab")
    assert card["summary"].endswith("a liver specialist's advice and antiviral protection")


def test_a_contraindicating_syndrome_is_not_called_a_value() -> None:
    card = card_of({**WOMAN, "conditions": ["Long QT syndrome"]}, "dofetilide")
    assert "In long QT syndrome dofetilide" in card["summary"]


def test_a_preliminary_result_leads_the_summary_and_the_card_says_what_it_would_mean() -> None:
    potassium = {
        "resourceType": "Observation",
        "id": "potassium",
        "status": "preliminary",
        "effectiveDateTime": "2026-11-25",
        "subject": {"reference": "Patient/case-patient"},
        "code": {"coding": [{"system": "http://loinc.org", "code": "2823-3"}]},
        "valueQuantity": {"value": 6.2, "unit": "mmol/L"},
    }
    final = {"potassium": {"value": 4.2, "unit": "mmol/L", "days": 1}}
    card = card_of(
        {**WOMAN, "medications": ["spironolactone"], "labs": final, "resources": [potassium]}, "trimethoprim"
    )
    means = "avoid; instead another antibacterial"
    assert card["indicator"] == "info"
    assert card["summary"] == f"Trimethoprim: preliminary result potassium high; if confirmed: {means}"
    assert (
        "**A preliminary result speaks against this order.** Potassium: high, from 6.2 mmol/L (25 November 2026, "
        f"laboratory not named, preliminary).\nIf it is confirmed: {means} (risk of harm)." in card["detail"]
    )
    told = card["extension"]["org.cds-service.findings"][0]["preliminary"]
    assert told["resultingOrder"] == "other_drug"
    assert [marker["readings"] for marker in told["markers"]] == [["Observation/potassium"]]


def test_of_several_tests_the_summary_names_the_one_whose_outcome_it_tells() -> None:
    patient = {"age": 52, "labs": {"tumour:ER": {"result": "positive", "days": 9}}}
    assert card_of(patient, "alpelisib")["summary"] == (
        "Alpelisib: tumour PIK3CA and HER2 test needed first; if tumour PIK3CA negative: not indicated"
    )


def test_where_one_of_several_results_is_enough_each_says_what_it_leads_to_and_with_which_others() -> None:
    patient = {
        "age": 52,
        "labs": {"tumour:ER": {"result": "positive", "days": 9}, "tumour:ERBB2": {"grade": "negative"}},
    }
    detail = card_of(patient, "capivasertib")["detail"]
    for gene, others in (("PIK3CA", ("AKT1", "PTEN")), ("AKT1", ("PIK3CA", "PTEN")), ("PTEN", ("PIK3CA", "AKT1"))):
        negative = " and ".join(f"tumour {other} negative" for other in others)
        assert f"Tumour {gene}, by result:\n- negative with {negative}: not indicated" in detail


def test_of_several_known_markers_the_summary_names_those_that_decide() -> None:
    receptors = {"tumour:ER": {"result": "positive", "days": 9}, "tumour:ERBB2": {"grade": "positive", "days": 9}}
    patient = {"age": 52, "labs": receptors, "somatic": {"PIK3CA": "p.His1047Arg"}}
    assert card_of(patient, "alpelisib")["summary"].startswith("Alpelisib, HER2 positive: not indicated. ")


def test_a_time_that_the_source_gives_of_one_drug_is_not_told_as_anothers() -> None:
    """Of the anti-inflammatory drugs the guideline gives the days until a higher dose for celecoxib alone."""
    card = card_of({"age": 40, "sex": "male", "genotypes": {"CYP2C9": "*3/*3"}}, "ibuprofen")
    told = card["detail"].partition("---")[0]
    assert "eight days" not in told
    assert "(celecoxib: from day eight)" in told


def test_after_months_of_phenytoin_nothing_is_said_of_a_first_dose() -> None:
    taken = {"medications": [{"drug": "phenytoin", "days": 800}], "genotypes": {"CYP2C9": "*3/*3"}}
    card = card_of({"age": 45, "sex": "male", **taken}, "phenytoin")
    assert "first" not in card["summary"] + card["detail"].partition("---")[0]
    assert "drug levels decide" in card["detail"]
