"""States, readings, doses and probabilities in words."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from writing_samples import (
    KNOWLEDGE,
    SAME,
    STANDARD,
    change_now,
    head_of,
    question,
    test_wanted,
)

from cds_service.knowledge.schema import GeneModel
from cds_service.model import (
    Action,
    Advice,
    Amount,
    Branch,
    ChangeProbability,
    DoseChange,
    DosePhase,
    FamilyCondition,
    Gap,
    GapReason,
    MarkerView,
    NotTested,
    Option,
    Span,
    UsedFact,
)
from cds_service.writing.advice import advice_words
from cds_service.writing.text import clean, first_that_fits, number
from cds_service.writing.words import About, Words

ABOUT, ELSE = About("primol", "GENA"), About("secundol", "GENS")
START, MAINTENANCE, MAXIMUM = DosePhase.START, DosePhase.MAINTENANCE, DosePhase.MAXIMUM


@pytest.mark.parametrize(
    ("marker", "state", "expected"),
    [
        ("gene:GENA", "Poor Metabolizer", "poor metaboliser"),
        ("gene:GENS", "1.0", "activity score 1.0 (intermediate metaboliser)"),
        ("gene:GENS", "7.0", "7.0"),
        ("gene:OTHER", "some state", "some state"),
        ("hla:B*99:01", "positive", "positive"),
    ],
)
def test_a_state(words, marker, state, expected):
    assert words.state(marker, state) == expected


def test_what_is_remembered_is_that_of_the_wording_and_of_the_names(words, wording):
    states = {**wording.catalogue["states"], "Poor Metabolizer": "slow"}
    others = Words(KNOWLEDGE, replace(wording, catalogue={**wording.catalogue, "states": states}, phrases={}))
    for said, state in ((words, "poor metaboliser"), (others, "slow"), (words, "poor metaboliser")):
        assert said.state("gene:GENA", "Poor Metabolizer") == state
        assert said.states("gene:GENA", ("Poor Metabolizer",)) == state
        assert said.result("gene:GENA", "Poor Metabolizer") == f"GENA {state}"
    advice = Advice((Option(Action.AVOID, note="levels"),), reason="why_poor")
    reasons = [advice_words(advice, *spoken).reason for spoken in ((words, ABOUT), (others, ABOUT), (words, ELSE))]
    assert reasons == [
        "Primol stays inactive in these GENA results.", "Why poor", "Secundol stays inactive in these GENS results."
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("marker", "states", "expected"),
    [
        (
            "gene:GENA",
            ["Normal Metabolizer", "Poor Metabolizer", "Intermediate Metabolizer"],
            "poor, intermediate or normal metaboliser",
        ),
        ("gene:GENS", ["2.0", "1.0", "0.5"], "intermediate or normal metaboliser"),
        (
            "gene:GENS",
            ["0.5", "0.0"],
            "poor metaboliser or intermediate metaboliser with activity score 0.5",
        ),
        ("gene:GENS", ["9.0", "0.0"], "poor metaboliser or 9.0"),
        ("hla:B*99:01", ["positive", "negative"], "positive or negative"),
        ("hla:B*99:01", [], ""),
    ],
)
def test_several_states_are_gathered(words, marker, states, expected):
    assert words.states(marker, tuple(states)) == expected


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (DoseChange(START, factor=(0.5, 0.5)), "start with 50 % of the usual dose"),
        (DoseChange(START, factor=(0.3, 0.8)), "start with 30 to 80 % of the usual dose"),
        (DoseChange(MAINTENANCE, amount=Amount(2.5, "mg/d")), "maintain on 2.5 mg a day"),
        (DoseChange(MAXIMUM, cap=Amount(20, "mg")), "give at most 20 mg"),
        (DoseChange(START, direction="lower"), "start with a lower dose"),
        (DoseChange(MAINTENANCE), "adjust the dose"),
        (
            DoseChange(START, factor=(1.5, 2.0), at_most=Amount(0.3, "mg/kg/d")),
            "start with 150 to 200 % of the usual dose and give at most 0.3 mg/kg a day",
        ),
        (DoseChange(START, amount=Amount(1, "mg"), frequency="twice_a_week"), "start with 1 mg, twice a week"),
        (
            DoseChange(START, factor=(0.5, 0.5), applies_above=(Amount(2, "mg/kg/d"),)),
            "start with 50 % of the usual dose (only where the usual start is 2 mg/kg a day or more)",
        ),
    ],
)  # fmt: skip
def test_a_dose(words, change, expected):
    assert words.option(Option(Action.DOSE, dose=change), ABOUT) == expected


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        (Option(Action.ALTERNATIVE, alternative_class="a_rule_of_{drug}"), "choose a rule of primol"),
        (Option(Action.AVOID, alternative_class="another_class"), "avoid; instead another class"),
        (Option(Action.MONITOR, note="levels_of_{gene}"), "monitor: levels of GENA"),
        (Option(Action.STOP, only_if="if_no_{drug}_works"), "stop it, if no primol works"),
        (Option(Action.NOT_INDICATED), "not indicated"),
    ],
)
def test_an_option(words, option, expected):
    assert words.option(option, ABOUT) == expected


@pytest.mark.parametrize(
    ("low", "high", "populations", "expected"),
    [
        (0.02, 0.06, 5, "from 2 in 100 to about 6 in 100 people across 5 populations"),
        (0.003, 0.02, 2, "from 3 in 1,000 to about 2 in 100 people across 2 populations"),
        (0.02, 0.021, 1, "about 2 in 100 people in 1 population"),
        (0.0, 0.0002, 2, "from fewer than 1 in 10,000 to about 2 in 10,000 people across 2 populations"),
        (1.0, 1.0, 1, "about 100 in 100 people in 1 population"),
    ],
)
def test_a_probability(words, low, high, populations, expected):
    assert words.probability(ChangeProbability(low, high, populations)) == expected


def test_whose_probability_it_is(words):
    chance = ChangeProbability(0.3, 0.3, 1, condition="gaol_fever")
    assert words.probability(chance) == "about 30 in 100 people with gaol fever in 1 population"


def test_the_extension_tells_whose_probability_it_is(card_of):
    chance = ChangeProbability(0.3, 0.3, 1, condition="gaol_fever")
    (told,) = card_of(test_wanted(tests=(question(probability=chance),)))["extension"]["org.cds-service.findings"][0][
        "tests"
    ]
    assert told["changeProbability"] == {"low": 0.3, "high": 0.3, "populations": 1, "condition": "gaol fever"}


def test_an_unknown_probability_is_said_to_be_unknown(card_of):
    card = card_of(test_wanted(tests=(question(probability=None),)))
    assert "Chance that the result changes the order: not known." in head_of(card)
    assert "changeProbability" not in card["extension"]["org.cds-service.findings"][0]["tests"][0]


@pytest.mark.parametrize(
    ("about", "reason", "expected"),
    [
        ("results", "failed", "test results (the record did not answer)"),
        ("indication", "fact_not_known", "indication (not on record)"),
        ("gene:GENA", "not_available", "GENA (not available to this service)"),
        ("Some <b>drug</b>", "unreadable", "Some drug (could not be read)"),
        ("MedicationRequest/1", "not_recognised", "drug not recognised"),
        ("<b>", "not_recognised", "drug not recognised"),
    ],
)
def test_a_gap(words, about, reason, expected):
    assert words.gap(Gap(about, GapReason(reason)), "MedicationRequest/1") == expected


@pytest.mark.parametrize(
    ("value", "expected"), [(0.5, "0.5"), (100.0, "100"), (1234.5, "1,234.5"), (0.0003, "0.0003")]
)
def test_a_figure(value, expected):
    assert number(value) == expected


def test_a_long_name_is_cut_at_a_word():
    assert clean("word " * 40, 20) == "word word word word…"
    assert len(clean("x" * 200)) == 80


def test_the_first_candidate_that_fits_is_taken_and_the_last_is_cut():
    assert first_that_fits(["x" * 20, " ", "short"], 10) == "short"
    assert first_that_fits(["x" * 20, "y" * 20], 10) == "y" * 9 + "…"


def test_same_branch_without_probability_leaves_the_row_without_one(card_of):
    branches = (
        Branch(("Poor Metabolizer",), SAME, STANDARD, (0.1, 0.1)),
        Branch(("Normal Metabolizer",), SAME, STANDARD),
    )
    assert "- poor or normal metaboliser: as drafted" in head_of(
        card_of(test_wanted(tests=(question(branches=branches),)))
    )
    one = (Branch(("Poor Metabolizer",), SAME, STANDARD, (0.1, 0.1)),)
    assert "- poor metaboliser (10 in 100): as drafted" in head_of(
        card_of(test_wanted(tests=(question(branches=one),)))
    )


def test_a_laboratory_marker_has_its_own_name_where_there_is_one(words):
    assert words.marker("lab:smn1_biallelic") == "loss of both SMN1 copies"
    assert words.marker("derived:creatinine_clearance") == "creatinine clearance"
    assert words.marker("lab:no_such_value") == "no such value"


def test_a_source_without_a_dated_year_names_none(card_of):
    undated = {name: replace(s, revised="not stated", released="") for name, s in KNOWLEDGE.sources.items()}
    knowledge = replace(KNOWLEDGE, sources=undated)
    detail = card_of(change_now(), knowledge=knowledge)["detail"]
    assert "not " not in detail.partition("Source: ")[2].partition("PMID")[0]


def test_only_a_publishers_own_page_is_linked_and_a_copy_names_its_host(card_of):
    own = card_of(change_now())
    assert own["source"]["url"].startswith("https://example.org/")
    assert "copy" not in own["detail"]
    copied = card_of(change_now(), knowledge=replace(KNOWLEDGE, publishers=frozenset({"org"})))
    assert "links" not in copied
    assert "url" not in copied["source"]
    assert "read in a copy at example.org." in copied["detail"]
    assert "](http" not in copied["detail"]


def test_a_drug_that_cannot_wait_is_not_held_up_by_its_test(card_of):
    """The test of an urgent drug runs beside it: the card says that the first dose must not wait."""
    gate = KNOWLEDGE.tables["primol_gena"]
    uses = {name: replace(use, urgent=True) for name, use in gate.markers.items()}
    urgent = replace(KNOWLEDGE, tables={**KNOWLEDGE.tables, gate.id: replace(gate, markers=uses)})
    wanted = test_wanted(tests=(question(turnaround_days=(14, 21)), question(turnaround_days=(2, 3))))
    said = "The first dose must not wait for it. The result usually takes 14 to 21 days."
    assert said in head_of(card_of(wanted, knowledge=urgent))
    at_once = test_wanted(tests=(question(turnaround_days=(0.02, 1)),))
    assert "must not wait for it.\n" in head_of(card_of(at_once, knowledge=urgent))
    assert "must not wait" not in head_of(card_of(test_wanted()))


def test_a_sentence_begins_with_a_capital(card_of):
    marker = MarkerView("lab:lithium_level", NotTested())
    asked = test_wanted(markers=(marker,), tests=(question("lab:lithium_level", "unheard"),), table="gated")
    head = head_of(card_of(asked))
    assert "- Lithium level: no result found in the record." in head


def test_what_a_mother_passes_on_is_not_said_to_be_chance(card_of):
    relative = FamilyCondition(frozenset({"k"}), "mother", 1, "deaf", "FamilyMemberHistory/1")
    maternal = replace(KNOWLEDGE.genes["GENA"], model=GeneModel.MITOCHONDRIAL)
    knowledge = replace(KNOWLEDGE, genes={**KNOWLEDGE.genes, "GENA": maternal})
    asked = test_wanted(tests=(question(relative=relative),))
    assert "who passes it to all her children" in card_of(asked, knowledge=knowledge)["detail"]
    assert "may still have inherited nothing" in card_of(asked)["detail"]


def test_a_fact_that_is_told_roughly_has_its_bounds_and_the_exactness_of_its_date(words):
    assert words.used(UsedFact("age", value=10, at_most=11)) == "age 10 to 11"
    year = Span(date(2020, 1, 1), date(2020, 12, 31))
    assert words.used(UsedFact("condition", "Gout", on=year)) == "Gout (2020)"
