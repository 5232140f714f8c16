"""A new dose is written into the draft where one click may write it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fhir.resources.R4B.medicationrequest import MedicationRequest
from writing_samples import (
    DRAFTS,
    HALVED,
    change_now,
    dose_change,
    draft,
    head_of,
    labels_of,
    order,
    resources_of,
)

from cds_service.codes import USUAL_DOSE
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
    Silence,
    Times,
    TimesUnit,
)


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
    assert instruction["text"] == "50 mg for each dose"
    told = "Dose changed with decision support: 100 mg × 0.5 = 50 mg for each dose"
    assert resource["note"] == [{"text": f"{told}; drafted as: 100 mg daily"}]
    assert resource["dispenseRequest"] == {"numberOfRepeatsAllowed": 1}
    assert "text" not in resource
    MedicationRequest.model_validate(resource)


def test_the_usual_dose_is_noted_where_a_share_was_made_of_it(card_of):
    other = {"url": "https://example.org/ours", "valueBoolean": True}
    earlier = {"url": USUAL_DOSE, "valueQuantity": {"value": 7, "unit": "mg"}}
    drafts = {"MedicationRequest/1": _dosage(100, "mg", extension=[earlier, other])}
    card = card_of(dose_change(arithmetic=replace(HALVED, assumes_usual=True)), drafts=drafts)
    (resource,) = resources_of(card)
    assert "Dose: 100 mg × 0.5 = 50 mg for each dose, if 100 mg is the usual dose." in head_of(card)
    assert ", if 100 mg is the usual dose." in card["suggestions"][0]["actions"][0]["description"]
    usual = {"url": USUAL_DOSE, "valueQuantity": {"value": 100, "unit": "mg"}}
    assert resource["dosageInstruction"][0]["extension"] == [other, usual]
    MedicationRequest.model_validate(resource)


def test_an_amount_is_no_share_and_notes_nothing(card_of):
    (resource,) = resources_of(card_of(dose_change(), drafts=DRAFTS))
    assert "extension" not in resource["dosageInstruction"][0]


DAILY = {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}


def _dosage(value: object, unit: str, **more: object) -> dict[str, object]:
    dosage = {"doseAndRate": [{"doseQuantity": {"value": value, "unit": unit}}], "timing": DAILY, **more}
    return draft(dosageInstruction=[dosage], dispenseRequest={"quantity": {"value": 1}})


@pytest.mark.parametrize(("tablets", "new"), [(1, 0.5), (2, 1), (3, 1.5)])
def test_tablets_are_halved_with_the_dose(card_of, tablets, new):
    (resource,) = resources_of(card_of(dose_change(), drafts={"MedicationRequest/1": _dosage(tablets, "tablet")}))
    (instruction,) = resource["dosageInstruction"]
    assert instruction["doseAndRate"][0]["doseQuantity"]["value"] == new
    assert instruction["text"] == f"{new:g} tablet for each dose"
    assert resource["note"] == [{"text": "Dose changed with decision support: 100 mg × 0.5 = 50 mg for each dose"}]
    assert "dispenseRequest" not in resource


def test_a_dose_whose_times_stand_in_words_alone_is_advice_and_no_action(card_of):
    """The words name the old dose, so they cannot stay; without them nothing would say how often."""
    in_words = _dosage(100, "mg", timing={}, text="100 mg daily")
    assert "suggestions" not in card_of(dose_change(), drafts={"MedicationRequest/1": in_words})
    rarely = dose_change(arithmetic=replace(HALVED, frequency="three_days_a_week", times=THRICE_A_WEEK))
    (resource,) = resources_of(card_of(rarely, drafts={"MedicationRequest/1": in_words}))
    (instruction,) = resource["dosageInstruction"]
    assert instruction["text"] == "50 mg for each dose, three days a week"
    assert instruction["timing"]["repeat"]["frequency"] == 3


def test_notes_that_stand_on_the_order_stay(card_of):
    drafts = {"MedicationRequest/1": {**_dosage(100, "mg"), "note": [{"text": "with food"}]}}
    (resource,) = resources_of(card_of(dose_change(), drafts=drafts))
    assert [note["text"].split(":")[0] for note in resource["note"]] == [
        "with food",
        "Dose changed with decision support",
    ]


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
    (resource,) = resources_of(card_of(dose_change(arithmetic=arithmetic), drafts=drafts))
    assert resource["dosageInstruction"][0]["doseAndRate"][0]["doseQuantity"]["value"] == new


def test_how_often_the_source_has_it_given_is_written_in_place_of_the_drafts(card_of):
    rarely = replace(HALVED, frequency="three_days_a_week", times=THRICE_A_WEEK)
    until = {"boundsPeriod": {"end": "2026-12-31"}}
    timing = {"code": {"text": "BID"}, "repeat": {**until, "frequency": 2, "period": 1, "periodUnit": "d"}}
    card = card_of(dose_change(arithmetic=rarely), drafts={"MedicationRequest/1": _dosage(100, "mg", timing=timing)})
    assert labels_of(card) == ["Change primol dose: 100 mg × 0.5 = 50 mg for each dose, three days a week"]
    (resource,) = resources_of(card)
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
    assert labels_of(card) == ["Replace primol with secundol; dose to be entered"]


def test_what_advice_on_the_dose_would_take_instead_is_not_offered_for_a_drug_to_be_left(card_of):
    """It was chosen without the reason to leave the drug in mind: aspirin for ibuprofen beside warfarin."""
    dose = dose_change(table="primol_gens", alternatives=(Alternative("tertiol"),))
    card = card_of(change_now(), dose, drafts=DRAFTS)
    assert labels_of(card) == ["Replace primol with secundol; dose to be entered"]
    assert "tertiol" not in card["detail"]


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
    (resource,) = resources_of(
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


@pytest.mark.parametrize(
    ("undivided", "unit", "value", "written"),
    [
        (False, "tablet", 1, 0.5),
        (True, "capsule", 1, None),
        (True, "capsule", 2, 1),
        (True, "tablet", 3, None),
        (True, "mg", 100, None),
        (True, "mg", 200, 100),
    ],
)
def test_only_tablets_that_may_be_divided_are_halved(card_of, undivided, unit, value, written):
    """Half a capsule of dabigatran is none: what it holds is taken up too fast."""
    per_dose = value if unit == "mg" else value * 100.0
    reckoned = DoseArithmetic(per_dose, "mg", (0.5, 0.5), (per_dose / 2, per_dose / 2), "per_dose")
    drafted = order(undivided=undivided, strength_mg=100.0)
    card = card_of(
        dose_change(order=drafted, arithmetic=reckoned), drafts={"MedicationRequest/1": _dosage(value, unit)}
    )
    offered = [r["dosageInstruction"][0]["doseAndRate"][0]["doseQuantity"]["value"] for r in resources_of(card)]
    assert offered == ([] if written is None else [written])


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
    assert labels_of(own) == ["Change primol dose: 100 mg × 0.5 = 50 mg for each dose"]
    assert "First see" not in own["detail"]


def test_another_card_is_named_beside_a_dose_only(respond):
    other = change_now(**ANOTHER, caused_by="MedicationRequest/1")
    assert "First see" not in str(respond(change_now(), other, drafts=DRAFTS))
