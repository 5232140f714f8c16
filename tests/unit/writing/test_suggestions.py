"""What a card offers: valid FHIR R4B, one change at a time, never the old drug's dose."""

from __future__ import annotations

import json

import pytest
from fhir.resources.R4B.medicationrequest import MedicationRequest
from writing_samples import (
    AVOID,
    DRAFTS,
    SAME,
    change_now,
    dose_change,
    draft,
    head_of,
    labels_of,
    order,
    resources_of,
    test_wanted,
)

from cds_service.model import (
    Action,
    Advice,
    Alternative,
    Option,
    Outcome,
    Refusal,
    ResultingOrder,
)

WAIT = ResultingOrder(Outcome.WAIT)


def test_a_swap_carries_the_new_drug_and_nothing_of_the_old_ones_dose(card_of):
    card = card_of(change_now(), drafts=DRAFTS)
    (suggestion,) = card["suggestions"]
    (action,) = suggestion["actions"]
    assert suggestion["label"] == "Replace primol with secundol; dose to be entered"
    assert action["type"] == "update"
    assert action["resource"] == {
        "resourceType": "MedicationRequest",
        "id": "1",
        "status": "draft",
        "intent": "order",
        "subject": {"reference": "Patient/ada-testperson"},
        "category": [{"coding": [{"system": "http://example.org/c", "code": "outpatient"}]}],
        "reasonCode": [{"text": "Made-up reason"}],
        "medicationCodeableConcept": {
            "coding": [
                {
                    "system": "http://www.nlm.nih.gov/research/umls/rxnorm",
                    "code": "1002",
                    "display": "secundol",
                }
            ],
            "text": "secundol",
        },
    }
    MedicationRequest.model_validate(action["resource"])


@pytest.mark.parametrize(
    "more",
    [
        {"note": [{"text": "take 100 mg"}]},
        {"extension": [{"url": "http://example.org/strength", "valueString": "100 mg"}]},
        {"medicationReference": {"reference": "#m"}, "medicationCodeableConcept": None},
        {"contained": [{"resourceType": "Medication", "id": "m", "code": {"text": "primol 100 mg"}}]},
        {"substitution": {"reason": {"text": "primol 100 mg only"}}},
    ],
)
def test_no_trace_of_the_old_drug_or_dose_is_left_in_a_swap(card_of, more):
    (resource,) = resources_of(card_of(change_now(), drafts={"MedicationRequest/1": draft(**more)}))
    assert "100" not in json.dumps(resource).replace("1002", "")
    assert "primol" not in json.dumps(resource)


def test_a_swap_keeps_for_whom_by_whom_and_for_what_the_draft_is(card_of):
    kept = {
        "meta": {"versionId": "7"},
        "identifier": [{"value": "order 7"}],
        "priority": "urgent",
        "encounter": {"reference": "Encounter/1"},
        "authoredOn": "2026-11-25",
        "requester": {"reference": "Practitioner/1"},
        "performer": {"reference": "Practitioner/2"},
        "performerType": {"text": "Pharmacist"},
        "recorder": {"reference": "Practitioner/3"},
        "reasonReference": [{"reference": "Condition/1"}],
        "groupIdentifier": {"value": "group 7"},
        "courseOfTherapyType": {"text": "Acute"},
        "insurance": [{"reference": "Coverage/1"}],
    }
    (resource,) = resources_of(card_of(change_now(), drafts={"MedicationRequest/1": draft(**kept)}))
    assert {name: resource.get(name) for name in kept} == kept


def test_at_most_three_swaps_are_offered_and_only_one_may_be_taken(card_of):
    alternatives = tuple(Alternative(drug) for drug in ("secundol", "tertiol", "quartol", "shown"))
    card = card_of(change_now(alternatives=alternatives), drafts=DRAFTS)
    assert len(card["suggestions"]) == 3
    assert card["selectionBehavior"] == "at-most-one"
    assert not any("isRecommended" in suggestion for suggestion in card["suggestions"])


def test_a_sole_alternative_is_recommended_unless_a_question_is_open(card_of):
    assert card_of(change_now(), drafts=DRAFTS)["suggestions"][0]["isRecommended"] is True
    asking = change_now(alternatives=(Alternative("secundol", open_markers=("gene:GENS",)),))
    card = card_of(asking, drafts=DRAFTS)
    assert "isRecommended" not in card["suggestions"][0]
    assert labels_of(card) == ["Replace primol with secundol; dose to be entered; GENS still open"]
    assert "secundol (open question: GENS)" in head_of(card)


def test_a_refused_alternative_is_named_with_its_reason_and_not_offered(card_of):
    one = change_now(alternatives=(Alternative("secundol"), Alternative("tertiol")))
    other = change_now(table="primol_gens", alternatives=(Alternative("tertiol", refused=Refusal.ALLERGY),))
    card = card_of(one, other, drafts=DRAFTS)
    assert labels_of(card) == ["Replace primol with secundol; dose to be entered"]
    assert "Not suitable instead: tertiol (allergy or earlier reaction)." in card["detail"]


@pytest.mark.parametrize("drug", ["uncoded", "never heard of"])
def test_an_alternative_without_a_code_is_named_only(card_of, drug):
    card = card_of(change_now(alternatives=(Alternative(drug),)), drafts=DRAFTS)
    assert "suggestions" not in card
    assert drug in head_of(card)


def test_an_alternative_for_an_order_that_stays_is_no_suggestion(card_of):
    card = card_of(test_wanted(resulting=SAME, alternatives=(Alternative("secundol"),)), drafts=DRAFTS)
    assert labels_of(card) == ["Order test: GENA genotype"]
    assert "If another drug is then needed: secundol." in head_of(card)


def test_a_combination_product_is_not_swapped_or_redosed(card_of):
    both = order(ingredients=("primol", "tertiol"))
    card = card_of(change_now(order=both), dose_change(order=both, hold=True), drafts=DRAFTS)
    assert labels_of(card) == ["Hold primol until the result is known"]


def test_holding_is_an_update_beside_the_test(card_of):
    card = card_of(test_wanted(hold=True, resulting=WAIT, table="gated"), drafts=DRAFTS)
    assert labels_of(card) == ["Order test: GENA genotype", "Hold primol until the result is known"]
    assert card["selectionBehavior"] == "any"
    assert [s.get("isRecommended") for s in card["suggestions"]] == [True, None]
    held = resources_of(card)[1]
    assert held["status"] == "on-hold"
    assert held["statusReason"] == {"text": "Waiting for GENA"}
    assert held["medicationCodeableConcept"] == {"text": "primol 100 mg tablet"}
    assert "hold the order" in head_of(card)


def test_what_is_on_hold_is_not_held_again(card_of):
    card = card_of(test_wanted(hold=True, resulting=WAIT, table="gated", order=order(on_hold=True)), drafts=DRAFTS)
    assert labels_of(card) == ["Order test: GENA genotype"]


def test_without_a_test_a_hold_waits_for_the_markers(card_of):
    card = card_of(change_now(hold=True, alternatives=(), bridge=(Option(AVOID.options[0].action),)), drafts=DRAFTS)
    assert resources_of(card)[0]["statusReason"] == {"text": "Waiting for GENA"}
    assert "Waiting for the result is an option.\nIf it cannot wait: avoid." in head_of(card)


def test_a_bridge_is_told_where_the_order_waits_anyway(card_of):
    bridge = (Option(AVOID.options[0].action),)
    assert "\n\nIf it cannot wait: avoid." in head_of(card_of(change_now(alternatives=(), bridge=bridge)))


@pytest.mark.parametrize(
    "drafts",
    [
        {},
        {"MedicationRequest/1": {"resourceType": "MedicationStatement", "id": "1"}},
        {"MedicationRequest/1": draft(id=None)},
        {"MedicationRequest/1": draft(reasonCode={"nonsense": "x"})},
        {"MedicationRequest/1": draft(encounter=["Encounter/1"])},
    ],
)
def test_a_draft_that_is_not_valid_gets_no_action_but_the_advice_stands(card_of, drafts):
    card = card_of(change_now(), drafts=drafts)
    assert "suggestions" not in card
    assert "selectionBehavior" not in card
    assert "Possible instead: secundol." in head_of(card)


def test_an_unknown_contained_resource_only_costs_the_hold(card_of):
    broken = draft(contained=[{"resourceType": "Nonsense", "id": "n"}])
    card = card_of(change_now(hold=True), drafts={"MedicationRequest/1": broken})
    assert labels_of(card) == ["Replace primol with secundol; dose to be entered"]


def test_a_swap_under_a_condition_is_offered_with_it_and_not_recommended(card_of):
    conditional = Option(Action.AVOID, alternatives=("secundol",), only_if="if_for_depression")
    (suggestion,) = card_of(change_now(advice=Advice((conditional,))), drafts=DRAFTS)["suggestions"]
    assert suggestion["label"] == "Replace primol with secundol, if for depression; dose to be entered"
    assert "isRecommended" not in suggestion
    always = Option(Action.ALTERNATIVE, alternatives=("secundol",))
    (suggestion,) = card_of(change_now(advice=Advice((conditional, always))), drafts=DRAFTS)["suggestions"]
    assert suggestion["label"] == "Replace primol with secundol; dose to be entered"
