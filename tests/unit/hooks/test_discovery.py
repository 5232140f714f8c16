"""Discovery offers what plain CDS Hooks 2.0 clients can fill."""

from __future__ import annotations

import re

import pytest

from cds_service.codes import LOINC, Coding
from cds_service.hooks.discovery import ServiceDefinition, discovery, services
from cds_service.model import Query

CODES = (Coding(LOINC, "84413-4"), Coding(LOINC, "57979-7"), Coding("", "therapeutic-implication"))
TUMOUR_CODES = (Coding(LOINC, "85319-2"), Coding(LOINC, "18474-7"))


@pytest.fixture
def offered() -> tuple[ServiceDefinition, ...]:
    return services({Query.RESULTS: CODES, Query.TUMOUR_RESULTS: TUMOUR_CODES})


def test_each_hook_has_an_id_of_its_own(offered):
    assert [service.id for service in offered] == [
        "order-select",
        "order-sign",
        "patient-view",
        "order-dispatch",
        "medication-refill",
    ]
    assert [service.hook.value for service in offered] == [service.id for service in offered]


def test_templates_use_the_patient_token_alone_and_no_modifier(offered):
    for service in offered:
        assert set(service.prefetch) == set(Query)
        for template in service.prefetch.values():
            assert re.findall(r"\{\{.*?\}\}", template) == ["{{context.patientId}}"]
            assert ":" not in template.replace("http://", "").split("code=")[0]


def test_results_are_asked_for_by_code_and_never_by_category(offered):
    template = offered[0].prefetch[Query.RESULTS]
    assert "category" not in template
    codes = template.split("&code=")[1].split(",")
    assert codes == ["http://loinc.org|57979-7", "http://loinc.org|84413-4", "therapeutic-implication"]
    of_tumours = offered[0].prefetch[Query.TUMOUR_RESULTS]
    assert of_tumours.split("&code=")[1] == "http://loinc.org|18474-7,http://loinc.org|85319-2"


def test_without_codes_results_are_not_asked_for_at_all():
    """`code=` with nothing behind it would ask for every Observation of the patient."""
    assert services({})[0].prefetch.keys() == set(Query) - {Query.RESULTS, Query.TUMOUR_RESULTS}
    alone = services({Query.RESULTS: CODES, Query.TUMOUR_RESULTS: ()})[0].prefetch
    assert alone.keys() == set(Query) - {Query.TUMOUR_RESULTS}


def test_each_entry_has_what_the_specification_asks_for(offered):
    for entry in discovery(offered)["services"]:
        assert entry["version"] == "2.0.1"
        assert all(entry[name] for name in ("hook", "id", "title", "description", "usageRequirements", "prefetch"))
    versions = {entry["id"]: entry["hookVersion"] for entry in discovery(offered)["services"]}
    assert versions["order-dispatch"] == "1.1"
    assert versions["medication-refill"] == "0.1.0"
