"""The evidence below a card, and the extension's telling of tests and doses."""

from __future__ import annotations

from writing_samples import (
    HALF,
    change_now,
    question,
    test_wanted,
)

from cds_service.model import (
    Action,
    Advice,
    Amount,
    DoseChange,
    DosePhase,
    Option,
    Outcome,
    ResultingOrder,
)
from cds_service.policy import Policy

START, MAINTENANCE, MAXIMUM = DosePhase.START, DosePhase.MAINTENANCE, DosePhase.MAXIMUM


def _evidence(card):
    return card["detail"].split("\n\n---\n\n")[1]


def test_evidence_for_a_test_is_that_of_its_gravest_outcome(card_of):
    assert "GENA and primol: GENA poor metaboliser: avoid (strong recommendation)" in _evidence(
        card_of(test_wanted())
    )
    halved = test_wanted(advice=HALF, resulting=ResultingOrder(Outcome.CHANGED_DOSE))
    assert "Start with 50 % of the usual dose; monitor: drug levels (moderate" in _evidence(card_of(halved))


def test_evidence_says_trust_review_and_what_others_say(card_of):
    reviewed = _evidence(card_of(change_now(table="primol_gens", quotes=("secundol_gena",))))
    assert "reviewed by A. Reviewer on 25 November 2026" in reviewed
    assert "Guideline plain (Made-up Consortium, 2023) says something else." in reviewed
    undated = card_of(change_now(table="reviewed_undated"))
    assert undated["extension"]["org.cds-service.findings"][0]["guidance"]["review"] == {
        "state": "reviewed",
        "by": "A. Reviewer",
    }
    row = _evidence(card_of(change_now(table="gated")))
    assert "Corroborated in a second source, source text not read" in row


def test_a_source_without_an_address_has_no_link(card_of):
    card = card_of(change_now(table="secundol_gena", advice=None))
    assert "Source: Guideline plain, Made-up Consortium" in _evidence(card)
    assert "Primol: A known fact changes the order, or what is done beside it (no strength stated)" in _evidence(card)
    assert "url" not in card["source"]
    assert "links" not in card


def test_a_site_may_leave_the_review_note_out(card_of):
    assert "not yet reviewed" not in _evidence(card_of(change_now(), policy=Policy(review_note=False)))


def test_without_advice_the_resulting_order_is_said(card_of):
    card = card_of(change_now(advice=None, resulting=ResultingOrder(Outcome.STOP)))
    assert card["summary"] == "Primol, GENA poor metaboliser: stop it"


def test_the_extension_tells_doses_in_full(card_of):
    change = DoseChange(START, amount=Amount(5, "mg"), frequency="twice_a_week", applies_above=(Amount(2, "mg"),))
    capped = DoseChange(MAXIMUM, cap=Amount(9, "mg"))
    advice = Advice((Option(Action.DOSE, dose=change), Option(Action.DOSE, dose=capped)))
    told = card_of(change_now(advice=advice))["extension"]["org.cds-service.findings"][0]["options"]
    assert told[0]["dose"] == {
        "phase": "start",
        "amount": {"value": 5, "unit": "mg"},
        "frequency": "twice a week",
        "appliesAbove": {"value": 2, "unit": "mg"},
    }
    assert told[1]["dose"] == {"phase": "maximum", "cap": {"value": 9, "unit": "mg"}}


def test_the_extension_tells_a_test_in_full(card_of):
    wanted = test_wanted(tests=(question(turnaround_days=(2.0, 5.0)),))
    (told,) = card_of(wanted)["extension"]["org.cds-service.findings"][0]["tests"]
    assert told["markers"] == ["gene:GENA"]
    assert told["codes"] == [{"system": "http://loinc.org", "code": "99999-1", "display": "GENA gene"}]
    assert told["turnaroundDays"] == {"low": 2.0, "high": 5.0}
    assert told["changeProbability"] == {"low": 0.02, "high": 0.06, "populations": 5}
    assert told["outcomes"][1]["options"] == [
        {
            "action": "avoid",
            "alternatives": [
                {"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "1002", "display": "secundol"}
            ],
        }
    ]
