"""What a card offers: valid FHIR R4B, one change at a time, never the old drug's dose."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import pytest
from fhir.resources.R4B.medicationrequest import MedicationRequest
from fhir.resources.R4B.servicerequest import ServiceRequest
from writing_samples import (
    AVOID,
    HALVED,
    KNOWLEDGE,
    PANEL,
    SAME,
    TODAY,
    change_now,
    dose_change,
    draft,
    head_of,
    order,
    question,
    test_wanted,
)

from cds_service.model import (
    Action,
    Advice,
    Alternative,
    DoseArithmetic,
    DoseChange,
    DosePhase,
    Kind,
    MarkerView,
    NotTested,
    Option,
    Outcome,
    Patient,
    Refusal,
    ResultingOrder,
    Silence,
    Times,
    TimesUnit,
)
from cds_service.policy import CatalogueTest, Policy

DRAFTS = {"MedicationRequest/1": draft()}
WAIT = ResultingOrder(Outcome.WAIT)


def _resources(card):
    return [suggestion["actions"][0]["resource"] for suggestion in card.get("suggestions", ())]


def _labels(card):
    return [suggestion["label"] for suggestion in card.get("suggestions", ())]


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
    (resource,) = _resources(card_of(change_now(), drafts={"MedicationRequest/1": draft(**more)}))
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
    (resource,) = _resources(card_of(change_now(), drafts={"MedicationRequest/1": draft(**kept)}))
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
    assert _labels(card) == ["Replace primol with secundol; dose to be entered; GENS still open"]
    assert "secundol (open question: GENS)" in head_of(card)


def test_a_refused_alternative_is_named_with_its_reason_and_not_offered(card_of):
    one = change_now(alternatives=(Alternative("secundol"), Alternative("tertiol")))
    other = change_now(table="primol_gens", alternatives=(Alternative("tertiol", refused=Refusal.ALLERGY),))
    card = card_of(one, other, drafts=DRAFTS)
    assert _labels(card) == ["Replace primol with secundol; dose to be entered"]
    assert "Not suitable instead: tertiol (allergy or earlier reaction)." in card["detail"]


@pytest.mark.parametrize("drug", ["uncoded", "never heard of"])
def test_an_alternative_without_a_code_is_named_only(card_of, drug):
    card = card_of(change_now(alternatives=(Alternative(drug),)), drafts=DRAFTS)
    assert "suggestions" not in card
    assert drug in head_of(card)


def test_an_alternative_for_an_order_that_stays_is_no_suggestion(card_of):
    card = card_of(test_wanted(resulting=SAME, alternatives=(Alternative("secundol"),)), drafts=DRAFTS)
    assert _labels(card) == ["Order test: GENA genotype"]
    assert "If another drug is then needed: secundol." in head_of(card)


def test_a_combination_product_is_not_swapped_or_redosed(card_of):
    both = order(ingredients=("primol", "tertiol"))
    card = card_of(change_now(order=both), dose_change(order=both, hold=True), drafts=DRAFTS)
    assert _labels(card) == ["Hold primol until the result is known"]


def test_a_new_dose_is_written_into_the_draft_with_its_arithmetic(card_of):
    card = card_of(dose_change(), drafts=DRAFTS)
    (suggestion,) = card["suggestions"]
    assert suggestion["label"] == "Change primol dose: 100 mg × 0.5 = 50 mg for each dose"
    assert suggestion["isRecommended"] is True
    assert "100 mg × 0.5 = 50 mg" in suggestion["actions"][0]["description"]
    assert "Dose: 100 mg × 0.5 = 50 mg for each dose." in head_of(card)
    resource = suggestion["actions"][0]["resource"]
    (instruction,) = resource["dosageInstruction"]
    assert instruction["doseAndRate"] == [{"doseQuantity": {"value": 50, "unit": "mg"}}]
    assert instruction["timing"] == {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}
    assert instruction["text"] == "100 mg × 0.5 = 50 mg for each dose (drafted as: 100 mg daily)"
    assert resource["dispenseRequest"] == {"numberOfRepeatsAllowed": 1}
    assert "text" not in resource
    MedicationRequest.model_validate(resource)


def _dosage(value: object, unit: str, **more: object) -> dict[str, object]:
    rate = {"doseQuantity": {"value": value, "unit": unit}}
    return draft(dosageInstruction=[{"doseAndRate": [rate], **more}], dispenseRequest={"quantity": {"value": 1}})


@pytest.mark.parametrize(("tablets", "new"), [(1, 0.5), (2, 1), (3, 1.5)])
def test_tablets_are_halved_with_the_dose(card_of, tablets, new):
    (resource,) = _resources(card_of(dose_change(), drafts={"MedicationRequest/1": _dosage(tablets, "tablet")}))
    (instruction,) = resource["dosageInstruction"]
    assert instruction["doseAndRate"][0]["doseQuantity"]["value"] == new
    assert instruction["text"] == "100 mg × 0.5 = 50 mg for each dose"
    assert "dispenseRequest" not in resource


BY_DAY = DoseArithmetic(200.0, "mg", (0.5, 0.5), (100.0, 100.0), "per_day", drafted_per_day=2)
ONCE, THRICE_A_WEEK = Times(1, 1, TimesUnit.DAY), Times(3, 1, TimesUnit.WEEK)


def test_a_dose_by_the_day_is_not_spread_over_the_times_of_the_old_one(card_of):
    """84 mg a day drafted twice daily is no 42 mg twice daily: how often the source does not say."""
    card = card_of(dose_change(arithmetic=BY_DAY), drafts={"MedicationRequest/1": _dosage(100, "mg")})
    assert "200 mg a day × 0.5 = 100 mg a day" in head_of(card)
    assert "suggestions" not in card


@pytest.mark.parametrize(
    ("arithmetic", "drafted", "new"),
    [
        (replace(BY_DAY, drafted_per_day=1), 200, 100),
        (replace(BY_DAY, frequency="as_one_dose", times=ONCE), 100, 100),
        (replace(BY_DAY, frequency="in_two_doses", times=Times(2, 1, TimesUnit.DAY)), 100, 50),
    ],
)
def test_a_dose_by_the_day_is_written_where_it_is_said_how_often(card_of, arithmetic, drafted, new):
    drafts = {"MedicationRequest/1": _dosage(drafted, "mg")}
    (resource,) = _resources(card_of(dose_change(arithmetic=arithmetic), drafts=drafts))
    assert resource["dosageInstruction"][0]["doseAndRate"][0]["doseQuantity"]["value"] == new


def test_how_often_the_source_has_it_given_is_written_in_place_of_the_drafts(card_of):
    rarely = replace(HALVED, frequency="three_days_a_week", times=THRICE_A_WEEK)
    until = {"boundsPeriod": {"end": "2026-12-31"}}
    timing = {"code": {"text": "BID"}, "repeat": {**until, "frequency": 2, "period": 1, "periodUnit": "d"}}
    card = card_of(dose_change(arithmetic=rarely), drafts={"MedicationRequest/1": _dosage(100, "mg", timing=timing)})
    assert _labels(card) == ["Change primol dose: 100 mg × 0.5 = 50 mg for each dose, three days a week"]
    (resource,) = _resources(card)
    assert resource["dosageInstruction"][0]["timing"] == {
        "repeat": {**until, "frequency": 3, "period": 1, "periodUnit": "wk"}
    }


def test_a_frequency_without_a_figure_is_left_to_the_prescriber(card_of):
    card = card_of(dose_change(arithmetic=replace(HALVED, frequency="three_days_a_week")), drafts=DRAFTS)
    assert "suggestions" not in card


def test_a_dose_under_a_condition_is_advice_and_no_action(card_of):
    """Only the prescriber knows whether it is given for cancer."""
    change = DoseChange(DosePhase.START, factor=(0.5, 0.5))
    advice = Advice((Option(Action.DOSE, dose=change, only_if="if_for_cancer"),))
    card = card_of(dose_change(advice=advice), drafts=DRAFTS)
    assert "suggestions" not in card
    assert "start with 50 % of the usual dose, if for cancer" in card["summary"]


def test_a_dose_for_a_population_that_may_not_fit_is_no_action(card_of):
    unknown = replace(dose_change(), kind=Kind.NOT_ASSESSED)
    assert "suggestions" not in card_of(unknown, drafts=DRAFTS)


@pytest.mark.parametrize(
    ("arithmetic", "drafted"),
    [
        (HALVED, _dosage(1.5, "tablet")),
        (HALVED, _dosage(80, "mg")),
        (HALVED, _dosage("100", "mg")),
        (HALVED, draft(dosageInstruction=[])),
        (HALVED, draft(dosageInstruction=[{"text": "a"}, {"text": "b"}])),
        (HALVED, draft(dosageInstruction=[{"text": "100 mg daily"}])),
        (HALVED, draft(dosageInstruction=["100 mg"])),
        (replace(HALVED, new=(30.0, 80.0)), draft()),
        (replace(HALVED, old=0.0), draft()),
        (replace(HALVED, new=(0.0, 0.0)), draft()),
    ],
)
def test_a_dose_that_cannot_be_written_is_left_to_the_prescriber(card_of, arithmetic, drafted):
    card = card_of(dose_change(arithmetic=arithmetic), drafts={"MedicationRequest/1": drafted})
    assert "suggestions" not in card
    assert "Dose: " in head_of(card)


def test_an_order_without_a_dose_is_told_that_one_is_needed(card_of):
    card = card_of(dose_change(arithmetic=None, order=order(dose=None)), drafts=DRAFTS)
    assert "Dose needed: the order gives none to reckon with." in head_of(card)
    assert "suggestions" not in card


def test_a_drug_to_be_left_is_not_offered_at_another_dose(card_of):
    card = card_of(change_now(), dose_change(table="primol_gens"), drafts=DRAFTS)
    assert _labels(card) == ["Replace primol with secundol; dose to be entered"]


@pytest.mark.parametrize("other", [replace(HALVED, factor=(0.25, 0.25), new=(25.0, 25.0)), None])
def test_two_dose_changes_of_one_order_are_for_the_prescriber_to_put_together(card_of, other):
    card = card_of(dose_change(), dose_change(table="primol_gens", arithmetic=other), drafts=DRAFTS)
    assert "suggestions" not in card


@pytest.mark.parametrize(
    ("old", "factor", "new"),
    [(50, 0.5, 25), (37.5, 0.5, 18.75), (10, 0.75, 7.5), (25, 1.5, 37.5), (150, 0.3, 45), (20, 0.1, 2)],
)
def test_a_figure_as_doses_are_is_written(card_of, old, factor, new):
    reckoned = DoseArithmetic(old, "mg", (factor, factor), (new, new), "per_dose")
    (resource,) = _resources(
        card_of(dose_change(arithmetic=reckoned), drafts={"MedicationRequest/1": _dosage(old, "mg")})
    )
    assert resource["dosageInstruction"][0]["doseAndRate"][0]["doseQuantity"]["value"] == new


@pytest.mark.parametrize(("old", "factor"), [(25, 2 / 3), (2, 0.67), (300, 0.33), (7, 0.3)])
def test_a_figure_that_no_product_has_is_not_written(card_of, old, factor):
    reckoned = DoseArithmetic(old, "mg", (factor, factor), (old * factor, old * factor), "per_dose")
    card = card_of(dose_change(arithmetic=reckoned), drafts={"MedicationRequest/1": _dosage(old, "mg")})
    assert "suggestions" not in card


@pytest.mark.parametrize(("factor", "offered"), [(0.5, 1), (0.66, 0)])
def test_a_dose_reckoned_by_weight_is_written_in_milligrams_where_a_product_has_the_figure(card_of, factor, offered):
    reckoned = DoseArithmetic(1.0, "mg/kg", (factor, factor), (factor, factor), "per_dose")
    card = card_of(dose_change(arithmetic=reckoned), drafts={"MedicationRequest/1": _dosage(100, "mg")})
    assert len(card.get("suggestions", ())) == offered


@pytest.mark.parametrize(("strength", "offered"), [(100.0, 1), (50.0, 1), (20.0, 1), (200.0, 0), (30.0, 0)])
def test_milligrams_are_written_where_the_tablet_ordered_can_give_them(card_of, strength, offered):
    card = card_of(dose_change(order=order(strength_mg=strength)), drafts=DRAFTS)
    assert len(card.get("suggestions", ())) == offered


def test_holding_is_an_update_beside_the_test(card_of):
    card = card_of(test_wanted(hold=True, resulting=WAIT, table="gated"), drafts=DRAFTS)
    assert _labels(card) == ["Order test: GENA genotype", "Hold primol until the result is known"]
    assert card["selectionBehavior"] == "any"
    assert [s.get("isRecommended") for s in card["suggestions"]] == [True, None]
    held = _resources(card)[1]
    assert held["status"] == "on-hold"
    assert held["statusReason"] == {"text": "Waiting for GENA"}
    assert held["medicationCodeableConcept"] == {"text": "primol 100 mg tablet"}
    assert "hold the order" in head_of(card)


def test_without_a_test_a_hold_waits_for_the_markers(card_of):
    card = card_of(change_now(hold=True, alternatives=(), bridge=(Option(AVOID.options[0].action),)), drafts=DRAFTS)
    assert _resources(card)[0]["statusReason"] == {"text": "Waiting for GENA"}
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
    assert _labels(card) == ["Replace primol with secundol; dose to be entered"]


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
    (resource,) = _resources(card_of(test_wanted(), patient=Patient("Patient/ada")))
    assert resource["priority"] == "routine"
    assert resource["subject"] == {"reference": "Patient/ada"}


def test_the_sites_code_comes_first_and_its_specimen_counts(card_of):
    site = CatalogueTest(("gene:GENA",), "LAB1", "https://example.org/lab", "GENA local", "heparin tube")
    card = card_of(test_wanted(), policy=Policy(catalogue=(site,)))
    (resource,) = _resources(card)
    assert [coding["code"] for coding in resource["code"]["coding"]] == ["LAB1", "99999-1"]
    assert resource["note"] == [{"text": "Specimen: heparin tube"}]
    assert _labels(card) == ["Order test: GENA local"]


def test_the_sites_test_by_another_method_is_not_the_test_asked_for(card_of):
    site = CatalogueTest(("gene:GENA",), "LAB1", "https://example.org/lab", "GENA enzyme", method="enzyme_activity")
    assert _labels(card_of(test_wanted(), policy=Policy(catalogue=(site,)))) == ["Order test: GENA genotype"]


def test_a_panel_is_one_suggestion_with_the_sites_code_alone(card_of):
    single = CatalogueTest(("gene:GENA",), "LAB1", "https://example.org/lab", "GENA local")
    asked = test_wanted(tests=(question(), question("gene:GENS", "gens")))
    card = card_of(asked, policy=Policy(catalogue=(single, PANEL)))
    (resource,) = _resources(card)
    assert [coding["code"] for coding in resource["code"]["coding"]] == ["LAB77"]
    assert resource["code"]["text"] == "Drug gene panel"
    assert resource["note"] == [{"text": "Specimen: EDTA tube"}]


def test_two_tests_are_two_suggestions_and_one_is_recommended(card_of):
    card = card_of(test_wanted(tests=(question(), question("gene:GENS", "gens"))))
    assert _labels(card) == ["Order test: GENA genotype", "Order test: GENS test"]
    assert [s.get("isRecommended") for s in card["suggestions"]] == [True, None]


def test_a_test_wanted_by_two_orders_stands_on_the_first_card_and_names_both(respond):
    second = test_wanted(order=order("secundol", "2"), drug="secundol", table="secundol_gena")
    one, other = respond(test_wanted(), second)["cards"]
    (resource,) = _resources(one)
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
    (resource,) = _resources(card)
    assert resource["code"] == {"text": "HLA-B*99:01 test"}
    assert resource["priority"] == "routine"
    assert "note" not in resource
    policy = Policy(catalogue=(CatalogueTest(("hla:B*99:01",), "L", "https://example.org/lab", "Local HLA"),))
    known = card_of(test_wanted(tests=(question("hla:B*99:01", "unheard"),)), policy=policy, knowledge=KNOWLEDGE)
    assert _labels(known) == ["Order test: Local HLA"]


def test_a_recheck_says_when_and_asks_for_that_period(card_of):
    """A value that is fine today is looked at again: the days stand in the name and in the order's period."""
    again = question(due_days=(3, 5))
    card = card_of(test_wanted(tests=(again,)))
    assert "again in 3 to 5 days" in card["summary"]
    (label,) = [label for label in _labels(card) if "again" in label]
    assert "again in 3 to 5 days" in label
    (request,) = [r for r in _resources(card) if r["resourceType"] == "ServiceRequest"]
    start, end = (date.fromisoformat(request["occurrencePeriod"][key]) for key in ("start", "end"))
    assert ((start - TODAY).days, (end - TODAY).days) == (3, 5)


def test_a_swap_under_a_condition_is_offered_with_it_and_not_recommended(card_of):
    conditional = Option(Action.AVOID, alternatives=("secundol",), only_if="if_for_depression")
    (suggestion,) = card_of(change_now(advice=Advice((conditional,))), drafts=DRAFTS)["suggestions"]
    assert suggestion["label"] == "Replace primol with secundol, if for depression; dose to be entered"
    assert "isRecommended" not in suggestion
    always = Option(Action.ALTERNATIVE, alternatives=("secundol",))
    (suggestion,) = card_of(change_now(advice=Advice((conditional, always))), drafts=DRAFTS)["suggestions"]
    assert suggestion["label"] == "Replace primol with secundol; dose to be entered"


SHIFTED = MarkerView("gene:GENA", NotTested(), modified_by=("primol",))
ANOTHER = {"order": order("secundol", "2"), "drug": "secundol", "table": "secundol_gena", "alternatives": ()}
BROUGHT_ABOUT = [
    {"caused_by": "MedicationRequest/1"},
    {"facts": ("MedicationRequest/1",)},
    {"markers": (SHIFTED,)},
]


@pytest.mark.parametrize("because", BROUGHT_ABOUT)
def test_a_draft_that_another_card_wants_replaced_gets_no_new_dose_and_names_that_card(respond, because):
    other = change_now(**ANOTHER, **because)
    cards = respond(dose_change(), other, drafts=DRAFTS)["cards"]
    (own,) = [card for card in cards if card["summary"].startswith("Primol")]
    assert "suggestions" not in own
    assert "First see the card for secundol: avoid." in head_of(own)


@pytest.mark.parametrize(
    "other",
    [change_now(**ANOTHER), change_now(**ANOTHER, caused_by="MedicationRequest/1", silent=Silence.POLICY_SILENT)],
)
def test_a_change_elsewhere_that_the_draft_has_no_part_in_leaves_its_dose(respond, other):
    cards = respond(dose_change(), other, drafts=DRAFTS)["cards"]
    (own,) = [card for card in cards if card["summary"].startswith("Primol")]
    assert _labels(own) == ["Change primol dose: 100 mg × 0.5 = 50 mg for each dose"]
    assert "First see" not in own["detail"]


def test_another_card_is_named_beside_a_dose_only(respond):
    other = change_now(**ANOTHER, caused_by="MedicationRequest/1")
    assert "First see" not in str(respond(change_now(), other, drafts=DRAFTS))
