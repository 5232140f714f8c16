"""Results under codes of the site's own are read as those of the LOINC codes that they stand for."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.codes import LOINC
from cds_service.model import Availability, Query, QueryResult, Question
from cds_service.reading import read

from .small import KNOWLEDGE, PATIENT, TODAY, SmallIndex

Json = dict[str, Any]
LAB = "https://laboratory.example.org/results"
SITE_CODES = {(LAB, "2C19"): "66489-6", ("", "2D6-SCORE"): "00000-1"}


def observation(code: Json, **more: Any) -> Json:
    value = {"valueCodeableConcept": {"text": "*2/*17"}}
    subject = {"reference": f"Patient/{PATIENT}"}
    return (
        {"resourceType": "Observation", "id": "o", "status": "final", "subject": subject, "code": code} | value | more
    )


def told(resource: Json, site_codes: dict[tuple[str, str], str] = SITE_CODES) -> list[str]:
    results = {Query.RESULTS: QueryResult(Availability.COMPLETE, (resource,))}
    found = read(Question("x", PATIENT), results, SmallIndex(), KNOWLEDGE, TODAY, site_codes=site_codes)
    return [f"{reading.observable} {reading.says}" for reading in found.patient.readings]


OF_2C19 = "gene:CYP2C19 Diplotype(text='*2/*17')"


@pytest.mark.parametrize(
    "code",
    [
        {"coding": [{"system": LAB, "code": "2C19"}]},
        {"coding": [{"system": "urn:other", "code": "x"}, {"system": LAB, "code": "2C19"}], "text": "Liver enzyme"},
        {"coding": {"system": LAB, "code": "2C19"}},
        [{"coding": [{"system": LAB, "code": "2C19"}]}],
    ],
)
def test_a_code_of_the_site_stands_for_its_loinc_code(code: Any) -> None:
    assert told(observation(code)) == [OF_2C19]
    assert told(observation(code), {}) == []


def test_a_code_counts_with_its_system_and_one_without_a_system_by_itself() -> None:
    assert told(observation({"coding": [{"system": "urn:other", "code": "2C19"}]})) == []
    score = {"valueQuantity": {"value": 1.5}, "valueCodeableConcept": None}
    (found,) = told(observation({"coding": [{"code": "2D6-SCORE"}]}, **score))
    assert found.startswith("gene:CYP2D6 ActivityScore(value=1.5")
    assert told(observation({"coding": [{"system": LAB, "code": "2D6-SCORE"}]}, **score)) == []


def test_a_result_with_a_loinc_code_of_its_own_means_that() -> None:
    own = {"coding": [{"system": LAB, "code": "2C19"}, {"system": LOINC, "code": "2160-0"}]}
    assert told(observation(own)) == []


def test_components_have_codes_of_the_site_too() -> None:
    part = {"code": {"coding": [{"system": LAB, "code": "2C19"}]}, "valueCodeableConcept": {"text": "*2/*17"}}
    panel = {"coding": [{"system": LAB, "code": "PGX"}]}
    assert told(observation(panel, component=[part], valueCodeableConcept=None)) == [OF_2C19]


def test_what_was_sent_stays_as_it_is() -> None:
    sent = observation({"coding": [{"system": LAB, "code": "2C19"}]})
    told(sent)
    assert sent["code"] == {"coding": [{"system": LAB, "code": "2C19"}]}
