"""patient-view: one card for the whole list of medicines, the gravest line first; every other hook as before."""

from __future__ import annotations

from dataclasses import replace

import pytest
from writing_samples import (
    PANEL,
    POLICY,
    change_now,
    dose_change,
    draft,
    head_of,
    not_assessed,
    order,
    question,
    test_wanted,
)

from cds_service.model import FamilyCondition, Finding, Indicator, Kind, Silence
from cds_service.writing.detail import HEAD_LIMIT, lines_within_limit

VIEW = "patient-view"


def taken(drug, number):
    return order(drug, number, active=True)


WARNING = change_now(order=taken("primol", "1"))
CRITICAL = change_now(
    order=taken("secundol", "2"), drug="secundol", table="secundol_gena", indicator=Indicator.CRITICAL
)
ASKED = test_wanted(order=taken("tertiol", "3"), drug="tertiol")
ASKED_TOO = test_wanted(order=taken("quartol", "4"), drug="quartol", tests=(question("gene:GENS", "gens"),))
QUIET = Finding(Kind.NO_CHANGE, taken("shown", "5"), "shown", table="", silent=Silence.NO_CHANGE)


def asked_of(card):
    return card["extension"]["org.cds-service.findings"][0]["tests"]


def lines_of(card):
    return head_of(card).splitlines()


def test_the_list_is_one_card_and_the_gravest_comes_first(respond):
    (card,) = respond(WARNING, ASKED, QUIET, CRITICAL, hook=VIEW)["cards"]
    assert card["indicator"] == "critical"
    starts = [line.partition(",")[0].partition(": GENA")[0] for line in lines_of(card)]
    assert starts == ["- **Critical:** Secundol", "- **Warning:** Primol", "- **For information:** Tertiol"]
    assert card["summary"].startswith("3 of 4 current medicines to review")


def test_each_line_is_the_summary_that_the_medicine_has_on_its_own_card(respond):
    (card,) = respond(WARNING, ASKED, hook=VIEW)["cards"]
    alone = [respond(one, hook=VIEW)["cards"][0]["summary"].replace(" (taken now)", "") for one in (WARNING, ASKED)]
    assert [line.split(":** ")[1] for line in lines_of(card)] == alone


def test_below_the_rule_stand_the_facts_of_each_medicine(respond):
    (card,) = respond(WARNING, ASKED, hook=VIEW)["cards"]
    below = card["detail"].split("\n\n---\n\n")[1]
    for told in ("**Each medicine**", "Taken now: primol", "12 March 2024", "Taken now: tertiol", "**Evidence**"):
        assert told in below
    assert [f["order"] for f in card["extension"]["org.cds-service.findings"]] == [
        "MedicationRequest/1",
        "MedicationRequest/3",
    ]


def test_silence_where_nothing_is_to_be_said(respond):
    assert respond(QUIET, hook=VIEW)["cards"] == []


def test_a_single_medicine_keeps_its_own_card(respond):
    (card,) = respond(WARNING, QUIET, hook=VIEW)["cards"]
    assert head_of(card).startswith("Taken now: primol")


@pytest.mark.parametrize("hook", ["order-sign", "order-select", "medication-refill", "order-dispatch"])
def test_every_other_hook_has_a_card_for_each_order(respond, hook):
    assert len(respond(WARNING, CRITICAL, ASKED, hook=hook)["cards"]) == 3


def labels(card):
    return [suggestion["label"] for suggestion in card.get("suggestions", [])]


def reasons(card, number=0):
    request = card["suggestions"][number]["actions"][0]["resource"]
    return [reason["text"].partition(":")[0] for reason in request["reasonCode"]]


def test_a_test_that_informs_several_medicines_is_one_suggestion(respond):
    same = replace(ASKED_TOO, tests=(question(),))
    (card,) = respond(ASKED, same, hook=VIEW)["cards"]
    assert labels(card) == ["Order test: GENA genotype"]
    assert reasons(card) == ["tertiol", "quartol"]


def test_a_panel_of_the_site_that_informs_several_medicines_is_one_suggestion(respond):
    (card,) = respond(ASKED, ASKED_TOO, hook=VIEW)["cards"]
    assert len(labels(card)) == 2
    (card,) = respond(ASKED, ASKED_TOO, hook=VIEW, policy=replace(POLICY, catalogue=(PANEL,)))["cards"]
    assert labels(card) == ["Order test: Drug gene panel"]
    assert reasons(card) == ["tertiol", "quartol"]


def test_medicines_are_not_changed_from_the_review(respond):
    """A change belongs to the order that it concerns."""
    halved = dose_change(order=taken("secundol", "2"), drug="secundol", table="secundol_gena")
    drafts = {"MedicationRequest/1": draft("1"), "MedicationRequest/2": draft("2")}
    assert labels(respond(WARNING, hook=VIEW, drafts=drafts)["cards"][0])
    assert labels(respond(WARNING, halved, hook=VIEW, drafts=drafts)["cards"][0]) == []


def test_override_reasons_of_all_kinds_stand_once(respond):
    (card,) = respond(WARNING, ASKED, hook=VIEW)["cards"]
    codes = [reason["code"] for reason in card["overrideReasons"]]
    assert {"already-tested", "specialist-decision"} <= set(codes)
    assert len(codes) == len(set(codes))


def test_the_same_list_is_the_same_card_and_another_list_another(respond):
    first, again, other = (
        respond(*found, hook=VIEW)["cards"][0]["uuid"]
        for found in ((WARNING, ASKED), (ASKED, WARNING), (WARNING, CRITICAL))
    )
    assert first == again != other


def test_a_long_list_goes_on_below_the_rule(respond):
    many = [change_now(order=taken("primol", str(n))) for n in range(10, 24)]
    (card,) = respond(*many, hook=VIEW)["cards"]
    head, below = card["detail"].split("\n\n---\n\n")
    assert len(head) <= HEAD_LIMIT
    assert head.count("- **Warning:**") + below.count("- **Warning:**") == 14
    assert below.startswith("- **Warning:**")
    assert len(card["summary"]) < 140


@pytest.mark.parametrize(("lengths", "kept"), [((900,), 1), ((901,), 0), ((450, 449), 2), ((450, 450), 1)])
def test_as_many_lines_as_fit(lengths, kept):
    assert lines_within_limit(["x" * length for length in lengths]) == kept


def test_an_order_that_is_not_recognised_has_a_line_and_facts(respond):
    (card,) = respond(WARNING, not_assessed("odd <b>tablet"), hook=VIEW)["cards"]
    assert len(lines_of(card)) == 2
    assert "<b>" not in card["detail"]


def test_a_relative_is_named_beside_the_chance(card_of):
    relative = FamilyCondition(frozenset(), "brother", 1, "GENA deficiency", "FamilyMemberHistory/1")
    card = card_of(test_wanted(tests=(question(relative=relative),)))
    told = card["detail"]
    assert asked_of(card)[0]["relative"] == "FamilyMemberHistory/1"
    assert "The family history raises it (brother: GENA deficiency)" in told
    unnamed = card_of(test_wanted(tests=(question(relative=replace(relative, relationship="")),)))["detail"]
    assert "(a relative: GENA deficiency)" in unnamed
    assert "family history" not in card_of(test_wanted())["detail"]


def test_the_specimen_that_this_patient_needs_goes_before_the_usual_one(card_of):
    card = card_of(test_wanted(tests=(question(specimen="levels"),)))
    assert "Specimen for this patient: drug levels." in card["detail"]
    assert asked_of(card)[0]["specimen"] == "drug levels"
    assert not {"specimen", "relative"} & asked_of(card_of(test_wanted()))[0].keys()
    (suggestion,) = card["suggestions"]
    assert suggestion["actions"][0]["resource"]["note"] == [{"text": "Specimen: drug levels"}]
    site = card_of(test_wanted(tests=(question(specimen="levels"),)), policy=replace(POLICY, catalogue=(PANEL,)))
    assert site["suggestions"][0]["actions"][0]["resource"]["note"] == [{"text": "Specimen: drug levels"}]


def test_a_genotype_that_contains_an_allele_is_said_so(card_of):
    told = card_of(test_wanted(tests=(question(branches=(replace(question().branches[1], states=("*3/any",)),)),)))
    assert r"\*3 with another allele" in told["detail"]
