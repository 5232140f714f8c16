"""A test is offered as a draft order that a laboratory can carry out."""

from __future__ import annotations

from datetime import date

from fhir.resources.R4B.servicerequest import ServiceRequest
from writing_samples import (
    KNOWLEDGE,
    PANEL,
    TODAY,
    head_of,
    labels_of,
    order,
    question,
    resources_of,
    test_wanted,
)

from cds_service.model import (
    Patient,
)
from cds_service.policy import CatalogueTest, Policy


def test_a_test_is_ordered_as_a_draft_service_request(card_of):
    card = card_of(test_wanted(table="gated"))
    (suggestion,) = card["suggestions"]
    assert suggestion["actions"][0]["type"] == "create"
    resource = suggestion["actions"][0]["resource"]
    ServiceRequest.model_validate(resource)
    assert resource == {
        "resourceType": "ServiceRequest",
        "status": "draft",
        "intent": "order",
        "category": [
            {
                "coding": [
                    {
                        "system": "http://snomed.info/sct",
                        "code": "108252007",
                        "display": "Laboratory procedure",
                    }
                ]
            }
        ],
        "priority": "urgent",
        "code": {
            "coding": [{"system": "http://loinc.org", "code": "99999-1", "display": "GENA gene"}],
            "text": "GENA genotype",
        },
        "subject": {"reference": "Patient/ada-testperson"},
        "authoredOn": "2026-11-25",
        "reasonCode": [{"text": "primol: the result may change this order"}],
        "note": [{"text": "Specimen: whole blood"}],
    }


def test_a_test_that_need_not_come_first_is_routine(card_of):
    (resource,) = resources_of(card_of(test_wanted(), patient=Patient("Patient/ada")))
    assert resource["priority"] == "routine"
    assert resource["subject"] == {"reference": "Patient/ada"}


def test_the_sites_code_comes_first_and_its_specimen_counts(card_of):
    site = CatalogueTest(("gene:GENA",), "LAB1", "https://example.org/lab", "GENA local", "heparin tube")
    card = card_of(test_wanted(), policy=Policy(catalogue=(site,)))
    (resource,) = resources_of(card)
    assert [coding["code"] for coding in resource["code"]["coding"]] == ["LAB1", "99999-1"]
    assert resource["note"] == [{"text": "Specimen: heparin tube"}]
    assert labels_of(card) == ["Order test: GENA local"]


def test_the_sites_test_by_another_method_is_not_the_test_asked_for(card_of):
    site = CatalogueTest(("gene:GENA",), "LAB1", "https://example.org/lab", "GENA enzyme", method="enzyme_activity")
    assert labels_of(card_of(test_wanted(), policy=Policy(catalogue=(site,)))) == ["Order test: GENA genotype"]


def test_a_panel_is_one_suggestion_with_the_sites_code_alone(card_of):
    single = CatalogueTest(("gene:GENA",), "LAB1", "https://example.org/lab", "GENA local")
    asked = test_wanted(tests=(question(), question("gene:GENS", "gens")))
    card = card_of(asked, policy=Policy(catalogue=(single, PANEL)))
    (resource,) = resources_of(card)
    assert [coding["code"] for coding in resource["code"]["coding"]] == ["LAB77"]
    assert resource["code"]["text"] == "Drug gene panel"
    assert resource["note"] == [{"text": "Specimen: EDTA tube"}]


def test_two_tests_are_two_suggestions_and_one_is_recommended(card_of):
    card = card_of(test_wanted(tests=(question(), question("gene:GENS", "gens"))))
    assert labels_of(card) == ["Order test: GENA genotype", "Order test: GENS test"]
    assert [s.get("isRecommended") for s in card["suggestions"]] == [True, None]


def test_a_test_wanted_by_two_orders_stands_on_the_first_card_and_names_both(respond):
    second = test_wanted(order=order("secundol", "2"), drug="secundol", table="secundol_gena")
    one, other = respond(test_wanted(), second)["cards"]
    (resource,) = resources_of(one)
    assert [reason["text"].split(":")[0] for reason in resource["reasonCode"]] == ["primol", "secundol"]
    assert "suggestions" not in other
    assert "The test is offered on the card for primol." in head_of(other)
    assert "is offered on the card" not in head_of(one)


def test_a_test_that_is_only_named_is_not_offered(card_of):
    card = card_of(test_wanted(tests=(question(order_it=False),)))
    assert "suggestions" not in card
    assert card["extension"]["org.cds-service.findings"][0]["tests"][0]["offered"] is False


def test_a_test_unknown_to_the_knowledge_is_ordered_by_name(card_of):
    card = card_of(test_wanted(table="", tests=(question("hla:B*99:01", "unheard"),)))
    (resource,) = resources_of(card)
    assert resource["code"] == {"text": "HLA-B*99:01 test"}
    assert resource["priority"] == "routine"
    assert "note" not in resource
    policy = Policy(catalogue=(CatalogueTest(("hla:B*99:01",), "L", "https://example.org/lab", "Local HLA"),))
    known = card_of(test_wanted(tests=(question("hla:B*99:01", "unheard"),)), policy=policy, knowledge=KNOWLEDGE)
    assert labels_of(known) == ["Order test: Local HLA"]


def test_a_recheck_says_when_and_asks_for_that_period(card_of):
    """A value that is fine today is looked at again: the days stand in the name and in the order's period."""
    again = question(due_days=(3, 5))
    card = card_of(test_wanted(tests=(again,)))
    assert "again in 3 to 5 days" in card["summary"]
    (label,) = [label for label in labels_of(card) if "again" in label]
    assert "again in 3 to 5 days" in label
    (request,) = [r for r in resources_of(card) if r["resourceType"] == "ServiceRequest"]
    start, end = (date.fromisoformat(request["occurrencePeriod"][key]) for key in ("start", "end"))
    assert ((start - TODAY).days, (end - TODAY).days) == (3, 5)
