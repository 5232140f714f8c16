"""Where the key for results of tumours was never sent: what the others tell of it."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.model import Availability, Query, QueryResult, Question, Shortfall
from cds_service.reading import Read, read
from tests.support.world import TODAY, index, knowledge

LOINC = "http://loinc.org"
SERVER = "https://ehr.example.org/fhir"
COMPLETE, MISSING, PARTIAL = Availability.COMPLETE, Availability.MISSING, Availability.PARTIAL
HER2, POTASSIUM, ANY_VARIANT = "85319-2", "2823-3", "69548-6"
Json = dict[str, Any]


def result(code: str, text: str = "", **more: object) -> Json:
    coded = {"coding": [{"system": LOINC, "code": code}]} if code else {}
    found = {"resourceType": "Observation", "id": f"r{code}", "status": "final", "code": {**coded, "text": text}}
    return {**found, "subject": {"reference": "Patient/ada"}, "valueString": "3+", **more}


def told(*results: Json, link: object = None, availability: Availability = COMPLETE, **more: object) -> Read:
    bundle: Json = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": r} for r in results]}
    bundle |= {"link": link} if link is not None else {}
    answered = dict.fromkeys(Query, QueryResult(COMPLETE))
    answered |= {
        Query.RESULTS: QueryResult(availability, (bundle,)),
        Query.TUMOUR_RESULTS: QueryResult(MISSING, reason=Shortfall.MISSING),
    }
    return read(Question("order-sign", "ada"), {**answered, **more}, index(), knowledge(), TODAY)


def tumours(found: Read) -> Availability:
    """What became of the query for tumours; a gap says it wherever it was not answered."""
    became = found.patient.availability[Query.TUMOUR_RESULTS]
    gaps = [gap.about for gap in found.patient.gaps if gap.query is Query.TUMOUR_RESULTS]
    assert gaps == ([] if became is COMPLETE else ["tumour_results"])
    return became


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ([result(HER2)], COMPLETE),
        ([result(POTASSIUM), result(HER2)], COMPLETE),
        ([result("", "HER2 (by immunohistochemistry)")], COMPLETE),
        ([result(POTASSIUM)], MISSING),
        ([result(ANY_VARIANT)], MISSING),
        ([result("", "HER2 sample")], MISSING),
        ([{**result(HER2), "resourceType": "DiagnosticReport"}], MISSING),
        ([{"resourceType": "Observation", "id": "r", "subject": {"reference": "Patient/ada"}}], MISSING),
        ([], MISSING),
    ],
)
def test_a_result_that_only_tumours_are_asked_for_tells_that_they_were(results, expected):
    """The others' own search would not have it. A variant under the code of any gene stands there in any case."""
    assert tumours(told(*results)) is expected


def searched(address: str, relation: str = "self") -> list[Json]:
    return [{"relation": relation, "url": address}]


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        (searched(f"{SERVER}/Observation?patient=ada"), COMPLETE),
        (searched(f"{SERVER}/Observation?subject:Patient=ada&_count=100&_sort=-date"), COMPLETE),
        (searched(f"{SERVER}/Observation/_search?patient=Patient/ada&_total=accurate"), COMPLETE),
        (searched(f"{SERVER}/Observation?patient=ada&code=2823-3"), MISSING),
        (searched(f"{SERVER}/Observation?patient=ada&category=laboratory"), MISSING),
        (searched(f"{SERVER}/Observation?patient=ada&date=gt2026"), MISSING),
        (searched(f"{SERVER}/Observation?patient=ada&_elements=code"), MISSING),
        (searched(f"{SERVER}/Observation"), MISSING),
        (searched(f"{SERVER}/Condition?patient=ada"), MISSING),
        (searched(f"{SERVER}/Observation?patient=ada", "first"), MISSING),
        ("self", MISSING),
        (None, MISSING),
    ],
)
def test_a_search_for_all_results_of_the_patient_took_in_those_of_tumours(link, expected):
    assert tumours(told(result(POTASSIUM), link=link)) is expected


def test_what_is_lost_of_the_others_may_be_of_a_tumour():
    assert tumours(told(result(HER2), availability=PARTIAL)) is PARTIAL
    assert tumours(told(availability=Availability.FAILED)) is Availability.FAILED


def test_what_the_key_itself_says_counts():
    own = {Query.TUMOUR_RESULTS: QueryResult(Availability.FAILED, reason=Shortfall.REFUSED)}
    found = read(
        Question("order-sign", "ada"),
        {Query.RESULTS: QueryResult(COMPLETE, (result(HER2),)), **own},
        index(),
        knowledge(),
        TODAY,
    )
    assert found.patient.availability[Query.TUMOUR_RESULTS] is Availability.FAILED
