"""Orders that could not be checked for one reason: one card, and what keeps an order's card its own."""

from __future__ import annotations

from dataclasses import replace

import pytest
from writing_samples import change_now, order, question

from cds_service.model import Finding, Gap, GapReason, Kind, Outcome, ResultingOrder

UNSEEN = Gap("comedication", GapReason.NOT_OBTAINED)
OTHERS = (
    Gap("comedication", GapReason.PARTIAL),
    Gap("condition", GapReason.NOT_OBTAINED),
    Gap("gene:GENA", GapReason.FAILED),
    Gap("indication", GapReason.FACT_NOT_KNOWN),
)


def unchecked(drug: str, number: str, *gaps: Gap, **changes: object) -> Finding:
    fields = {"order": order(drug, number), "drug": drug, "table": "primol_gena", "gaps": gaps or (UNSEEN,)}
    return Finding(Kind.NOT_ASSESSED, **{**fields, **changes})


def findings(card: dict) -> list[tuple[str, str]]:
    return [(one["kind"], one["order"]) for one in card["extension"]["org.cds-service.findings"]]


def test_orders_that_lack_the_same_facts_are_one_card(respond):
    bare = unchecked("secundol", "2", table="")
    (card,) = respond(unchecked("primol", "1"), bare)["cards"]
    assert card["summary"] == "Primol and secundol could not be checked: other medicines (could not be obtained)"
    assert findings(card) == [("not_assessed", "MedicationRequest/1"), ("not_assessed", "MedicationRequest/2")]
    head = card["detail"].partition("\n---\n")[0]
    assert head.count("could not be obtained") == 1
    assert [line for line in head.splitlines() if line.startswith("- ")] == [
        "- primol 100 mg tablet: GENA and primol",
        "- secundol 100 mg tablet",
    ]
    assert "No warning here does not mean no risk." in head
    assert card["source"]["label"] == "Medication decision support"
    assert "suggestions" not in card
    (again,) = respond(bare, unchecked("primol", "1"))["cards"]
    assert again == card, "in whatever order they came"


@pytest.mark.parametrize("reason", [GapReason.FACT_NOT_KNOWN, GapReason.TOLD_ROUGHLY])
def test_orders_that_lack_the_age_are_one_card(respond, reason):
    gap = Gap("age", reason)
    (card,) = respond(unchecked("primol", "1", gap), unchecked("secundol", "2", gap, table=""))["cards"]
    assert card["detail"].partition("\n---\n")[0].count("Missing: age") == 1


def test_a_test_that_is_not_asked_for_keeps_no_order_apart(respond):
    gap, told = Gap("weight", GapReason.FACT_NOT_KNOWN), replace(question(), order_it=False)
    lacking = [unchecked(drug, drug, gap, tests=(told,)) for drug in ("primol", "secundol")]
    assert len(respond(*lacking)["cards"]) == 1


@pytest.mark.parametrize("gap", OTHERS, ids=lambda gap: f"{gap.about}-{gap.reason}")
def test_an_order_that_lacks_something_else_has_its_own_card(respond, gap):
    cards = respond(unchecked("primol", "1"), unchecked("secundol", "2", gap))["cards"]
    assert [findings(card) for card in cards] == [
        [("not_assessed", "MedicationRequest/1")],
        [("not_assessed", "MedicationRequest/2")],
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"hold": True},
        {"resulting": ResultingOrder(Outcome.WAIT)},
        {"tests": (question(),)},
        {"order": order("secundol", "2", active=True)},
        {"gaps": ()},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_an_order_of_which_more_is_said_has_its_own_card(respond, changes):
    assert len(respond(unchecked("primol", "1"), unchecked("secundol", "2", **changes))["cards"]) == 2


def test_what_is_known_of_an_order_stands_with_what_it_lacks(respond):
    cards = respond(change_now(), unchecked("primol", "1"), *(unchecked("secundol", n) for n in "23"))["cards"]
    assert [len(findings(card)) for card in cards] == [2, 2]
    assert cards[0]["indicator"] == "warning"


def test_many_names_give_way_to_their_number_and_many_lines_stand_below_the_rule(respond):
    many = [unchecked(f"anexceptionallylongnamedmedicinol{n}", str(n)) for n in range(10, 40)]
    (card,) = respond(*many)["cards"]
    assert card["summary"] == "30 orders could not be checked: other medicines (could not be obtained)"
    head, _, below = card["detail"].partition("\n---\n")
    assert len(head) <= 901
    assert card["detail"].count("\n- anexc") == 30
    assert "\n- anexc" in below
