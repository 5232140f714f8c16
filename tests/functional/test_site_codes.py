"""A site whose laboratory reports under codes of its own says once what they stand for."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.answer import Service
from cds_service.model import Query
from cds_service.offered import offered_by
from tests.support.build import hook_request
from tests.support.world import TODAY, answered, drug_codes, loaded

LAB = "https://laboratory.example.org/results"
POLICY = f"""
result_codes:
  - {{system: "{LAB}", code: K PLASMA, loinc: 2823-3}}
  - {{system: "{LAB}", code: HER2-IHC, loinc: 18474-7}}
"""


@pytest.fixture
def site(tmp_path) -> Service:
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY)
    return loaded(path)


def test_they_are_asked_for_where_their_loinc_codes_are(site):
    prefetch = offered_by(site)["order-sign"].prefetch
    asked = {name: prefetch[query].partition("&code=")[2].split(",") for name, query in KEYS.items()}
    assert f"{LAB}|K%20PLASMA" in asked["results"]
    assert f"{LAB}|HER2-IHC" in asked["tumours"]
    assert not {f"{LAB}|HER2-IHC"} & set(asked["results"])


KEYS = {"results": Query.RESULTS, "tumours": Query.TUMOUR_RESULTS}


def summaries(site: Service, system: str) -> list[str]:
    coding = {"system": system, "code": "K PLASMA"}
    potassium: dict[str, Any] = {
        "resourceType": "Observation",
        "id": "k",
        "status": "final",
        "subject": {"reference": "Patient/case-patient"},
        "effectiveDateTime": TODAY.isoformat(),
        "code": {"coding": [coding], "text": "Kalium"},
        "valueQuantity": {"value": 6.4, "unit": "mmol/L"},
    }
    patient = {"age": 70, "sex": "female", "medications": ["ramipril"], "resources": [potassium]}
    case = {"id": "site", "patient": patient, "orders": [{"drug": "spironolactone", "dose": "25 mg"}]}
    return [card["summary"] for card in answered(hook_request(case, drug_codes(), TODAY), site).body["cards"]]


def test_an_order_is_judged_by_a_result_under_such_a_code(site):
    (summary,) = summaries(site, LAB)
    assert summary.startswith("Spironolactone, potassium ")
    assert summaries(site, "urn:elsewhere") != [summary]
