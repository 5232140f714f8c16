"""States, readings, doses and probabilities in words."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from writing_samples import (
    AVOID,
    HALF,
    KNOWLEDGE,
    READING,
    SAME,
    STANDARD,
    change_now,
    dose_change,
    head_of,
    order,
    question,
    test_wanted,
)

from cds_service.knowledge.schema import GeneModel
from cds_service.model import (
    Action,
    ActivityScore,
    Advice,
    Amount,
    Assumption,
    Branch,
    ChangeProbability,
    Conflicting,
    DoseArithmetic,
    DoseChange,
    DosePhase,
    FamilyCondition,
    Finding,
    Gap,
    GapReason,
    Grade,
    HlaType,
    Indeterminate,
    Indicator,
    Kind,
    Known,
    MarkerView,
    Narrowed,
    Narrowing,
    NotReadable,
    NotTested,
    OneOf,
    Option,
    Outcome,
    Pending,
    Phenotype,
    Presence,
    Quantity,
    Reading,
    ReadingStatus,
    ResultingOrder,
    SelfContradiction,
    Span,
    Stale,
    Unavailable,
    Unconfirmed,
    Undetermined,
    Unreadable,
    Unverified,
    UsedFact,
)
from cds_service.policy import Policy
from cds_service.writing.advice import advice_words
from cds_service.writing.provenance import known_of, modifiers_of, result_of
from cds_service.writing.text import clean, first_that_fits, number
from cds_service.writing.words import About, Words

ABOUT, ELSE = About("primol", "GENA"), About("secundol", "GENS")
START, MAINTENANCE, MAXIMUM = DosePhase.START, DosePhase.MAINTENANCE, DosePhase.MAXIMUM

IN_NOVEMBER = Span(date(2026, 11, 1), date(2026, 11, 30))
IN_2026 = Span(date(2026, 1, 1), date(2026, 12, 31))


@pytest.fixture(scope="module")
def words(wording):
    return Words(KNOWLEDGE, wording)


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
            DoseChange(START, factor=(0.5, 0.5), applies_above=Amount(2, "mg/kg/d")),
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


OTHER = replace(READING, says=Phenotype("Normal Metabolizer"), on=None, laboratory="")
NOWHERE = "(undated, laboratory not named)"
SEEN = ", from *2/*2 (12 March 2024, Northern Test Laboratory)"


@pytest.mark.parametrize(
    ("knowledge", "expected"),
    [
        (NotTested(), "GENA: no result found in the record."),
        (
            NotTested(beside="about_another"),
            "GENA: no result of the patient found, only one about someone else (a donor, a fetus).",
        ),
        (
            NotTested(beside="not_machine_readable"),
            "GENA: no result found, but a genetic report is there that could not be read.",
        ),
        (Known("Poor Metabolizer"), "GENA: poor metaboliser."),
        (Known("Poor Metabolizer", (READING,)), f"GENA: poor metaboliser{SEEN}."),
        (
            Known("Normal Metabolizer", (OTHER,)),
            "GENA: normal metaboliser, from a report (undated, laboratory not named).",
        ),
        (
            Narrowed(frozenset({"Poor Metabolizer", "Normal Metabolizer"}), Narrowing.REPORTED_AS_RANGE, (READING,)),
            f"GENA: poor or normal metaboliser (the report leaves this open){SEEN}.",
        ),
        (
            Indeterminate(frozenset({"Poor Metabolizer"}), ()),
            "GENA: tested, but no clear result (poor metaboliser remain possible).",
        ),
        (
            Stale("Poor Metabolizer", date(2020, 5, 2)),
            "GENA: poor metaboliser on 2 May 2020, too old to rely on.",
        ),
        (Pending(date(2026, 11, 20), "ServiceRequest/1"), "GENA: test ordered (20 November 2026), result not back."),
        (Pending(IN_NOVEMBER, "ServiceRequest/1"), "GENA: test ordered (November 2026), result not back."),
        (Pending(IN_2026, "ServiceRequest/1"), "GENA: test ordered (2026), result not back."),
        (Pending(None, "ServiceRequest/1"), "GENA: test ordered (undated), result not back."),
        (
            Pending(None, "ServiceRequest/1", (replace(READING, grade=Grade.UNVERIFIED),)),
            "GENA: test ordered (undated), result not back.",
        ),
        (
            Pending(None, "Observation/1", (replace(READING, status=ReadingStatus.PRELIMINARY),)),
            f"GENA: only a preliminary result{SEEN[:-1]}, preliminary).",
        ),
        (
            Conflicting(frozenset({"Poor Metabolizer", "Normal Metabolizer"}), (READING, OTHER)),
            f"GENA: results disagree (poor and normal metaboliser){SEEN}; normal metaboliser {NOWHERE}.",
        ),
        (
            Unverified((replace(READING, why_unverified=Unconfirmed.CONSUMER),)),
            f"GENA: only an unconfirmed result{SEEN[:-1]}, consumer test).",
        ),
        (
            Unverified((replace(READING, grade=Grade.LOW),)),
            f"GENA: only an unconfirmed result{SEEN[:-1]}, read from free text).",
        ),
        (Unavailable(GapReason.FAILED), "GENA: results could not be obtained (the record did not answer)."),
        (
            Unreadable(GapReason.UNKNOWN_ALLELE, (READING,)),
            f"GENA: a result exists but cannot be used (allele not known){SEEN}.",
        ),
    ],
)  # fmt: skip
def test_what_is_known_of_a_marker(words, knowledge, expected):
    assert known_of(MarkerView("gene:GENA", knowledge), words) == expected


@pytest.mark.parametrize(
    ("says", "expected"),
    [
        (OneOf(("Poor Metabolizer", "Normal Metabolizer")), "poor metaboliser or normal metaboliser"),
        (ActivityScore(1.5), "activity score 1.5"),
        (ActivityScore(3.0, at_least=True), "activity score 3 or more"),
        (Presence("*57:01", present=True), "*57:01 found"),
        (Presence("*57:01", present=False), "*57:01 not found"),
        (HlaType(("*01:01", "*02:01"), complete=True), "typed *01:01 and *02:01"),
        (HlaType(("*01:01",), complete=False), "typed *01:01, second allele not stated"),
        (HlaType((), complete=False), "typing without named alleles"),
        (Quantity(5.6, "mmol/L"), "5.6 mmol/L"),
        (Quantity(5.0, "", ">"), ">5"),
        (Undetermined("text"), "no result assigned"),
        (NotReadable("x"), "unreadable"),
        (SelfContradiction(("poor", "normal")), "says both poor and normal"),
    ],
)
def test_what_a_reading_says(words, says, expected):
    reading = replace(READING, says=says, status=ReadingStatus.PRELIMINARY)
    said = known_of(MarkerView("gene:GENA", Known("x", (reading,))), words)
    assert said == f"GENA: x, from {expected} (12 March 2024, Northern Test Laboratory, preliminary)."


def test_of_many_readings_three_are_named(words):
    said = known_of(MarkerView("gene:GENA", Known("x", (READING,) * 5)), words)
    assert said.count("Northern") == 3
    assert said.endswith("; 2 more.")


@pytest.mark.parametrize(
    ("drugs", "inferred", "result", "sentence"),
    [
        (
            ("secundol",),
            False,
            "GENA blocked by secundol",
            "GENA is blocked by secundol: for now it acts as poor metaboliser.",
        ),
        (
            ("tertiol",),
            False,
            "GENA sped up by tertiol",
            "GENA is sped up by tertiol: for now it acts as poor metaboliser.",
        ),
        (
            ("secundol", "tertiol"),
            True,
            "GENA changed by secundol and tertiol",
            (
                "GENA is changed by secundol and tertiol: for now it acts as poor metaboliser (this service's own "
                "inference, not stated by the guideline)."
            ),
        ),
    ],
)
def test_a_modifier(words, drugs, inferred, result, sentence):
    view = MarkerView("gene:GENA", NotTested(), frozenset({"Poor Metabolizer"}), drugs, inferred)
    assert result_of(view, words) == result
    assert modifiers_of(view, words) == sentence


def test_an_inferred_shift_is_labelled_on_card_and_extension(card_of):
    view = MarkerView("gene:GENA", NotTested(), frozenset({"Poor Metabolizer"}), ("secundol",), inferred=True)
    card = card_of(change_now(markers=(view,)))
    assert "own inference" in head_of(card)
    marker = card["extension"]["org.cds-service.findings"][0]["markers"][0]
    assert marker == {
        "id": "gene:GENA",
        "knowledge": "NotTested",
        "effectiveState": "Poor Metabolizer",
        "modifiedBy": ["secundol"],
        "inferred": True,
    }


def test_narrowed_and_shifted_states_are_lists_in_the_extension(card_of):
    both = frozenset({"Poor Metabolizer", "Normal Metabolizer"})
    view = MarkerView("gene:GENA", Narrowed(both, Narrowing.REPORTED_AS_RANGE), both, ("secundol",))
    marker = card_of(change_now(markers=(view,)))["extension"]["org.cds-service.findings"][0]["markers"][0]
    assert marker["states"] == marker["effectiveStates"] == ["Normal Metabolizer", "Poor Metabolizer"]


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


# --- kinds ----------------------------------------------------------------------------------------------------------


def _conflict(**changes):
    both = Conflicting(frozenset({"Poor Metabolizer", "Normal Metabolizer"}), (READING, OTHER))
    fields = {"markers": (MarkerView("gene:GENA", both),), "tests": (question(),)}
    return Finding(Kind.RESULTS_CONFLICT, order(), "primol", "primol_gena", **{**fields, **changes})


def test_disagreeing_results(card_of):
    card = card_of(_conflict(resulting=ResultingOrder(Outcome.WAIT), hold=True))
    assert card["summary"] == "Primol: GENA poor and normal metaboliser; confirm before relying on either"
    assert "**The GENA results disagree and lead to different orders.**" in head_of(card)
    assert "Until it is settled: hold the order." in head_of(card)
    common = card_of(_conflict(resulting=ResultingOrder(Outcome.CHANGED_DOSE), advice=HALF))
    assert "**In either case: start with 50 % of the usual dose.**" in head_of(common)
    assert "either case" not in head_of(card_of(_conflict(markers=())))


def _kind(kind, **changes):
    fields = {"markers": (MarkerView("gene:GENA", Pending(None, "ServiceRequest/1")),), "tests": (question(),)}
    return Finding(kind, order(), "primol", "primol_gena", **{**fields, **changes})


@pytest.mark.parametrize("kind", [Kind.TEST_PENDING, Kind.CONFIRM_RESULT])
def test_pending_and_unconfirmed_results_say_what_holds_until_then(card_of, kind):
    card = card_of(_kind(kind))
    assert "Until then" not in head_of(card)
    card = card_of(_kind(kind, advice=AVOID, resulting=ResultingOrder(Outcome.OTHER_DRUG)))
    assert "**Until then: avoid.**" in head_of(card)
    card = card_of(_kind(kind, resulting=ResultingOrder(Outcome.WAIT), hold=True))
    assert ": hold the order." in head_of(card)


def test_a_pending_result(card_of):
    assert card_of(_kind(Kind.TEST_PENDING))["summary"] == "Primol: GENA result pending; if poor metaboliser: avoid"
    assert (
        card_of(_kind(Kind.TEST_PENDING, tests=()))["summary"]
        == "Primol: GENA result pending; it could change the order"
    )


def test_an_unconfirmed_result(card_of):
    assert card_of(_kind(Kind.CONFIRM_RESULT))["summary"] == (
        "Primol: GENA result is unconfirmed and could change the order; confirm in a clinical laboratory"
    )
    gated = head_of(card_of(replace(_kind(Kind.CONFIRM_RESULT), table="gated")))
    assert "confirms it. GENA testing is required before the medicine is given." in gated


def test_a_test_beside_a_change_leaves_the_order_as_that_change_has_it(card_of):
    lower = ResultingOrder(Outcome.CHANGED_DOSE)
    asked = _kind(Kind.TEST_WOULD_CHANGE, decided=lower)
    changed = replace(_kind(Kind.CHANGE_NOW, advice=HALF, resulting=lower, tests=()), indicator=Indicator.WARNING)
    head = head_of(card_of(replace(changed, table="primol_gens"), asked))
    assert "Until then: as advised above." in head
    assert "as drafted" not in head.split("Until then")[1].splitlines()[0]
    alone = head_of(card_of(replace(asked, decided=ResultingOrder(Outcome.AS_DRAFTED))))
    assert "Until then: as drafted." in alone


def test_not_assessed_for_want_of_a_fact(card_of):
    card = card_of(_kind(Kind.NOT_ASSESSED, tests=(), gaps=(Gap("age", GapReason.FACT_NOT_KNOWN),)))
    assert card["summary"] == "Primol could not be checked: age (not on record)"
    assert "**This order could not be checked for GENA and primol.**" in head_of(card)
    assert "Missing: age (not on record)." in head_of(card)


def test_an_unknown_result_is_told_apart_from_a_silent_finding_of_its_order(card_of):
    closed = Finding(Kind.NO_TEST_CHANGES, order(), "primol", "primol_gena")
    assert "No further test could change this order now." in card_of(change_now(), closed)["detail"]


def test_a_medicine_already_taken_names_the_draft_that_changed_it(respond):
    paroxol = test_wanted(order=order("secundol", "2"), drug="secundol", table="secundol_gena")
    taken = change_now(order=order(active=True), caused_by="MedicationRequest/2", markers=())
    card = next(c for c in respond(taken, paroxol)["cards"] if c["indicator"] == "warning")
    assert card["summary"].startswith("Primol (taken now) with secundol: avoid")
    assert "Taken now: primol 100 mg tablet" in head_of(card)
    assert "**Because of secundol: avoid.**" in head_of(card)
    assert card["extension"]["org.cds-service.findings"][0]["causedBy"] == "MedicationRequest/2"


def test_assumptions_further_options_and_open_results_are_said(card_of):
    advice = Advice((*HALF.options, Option(Action.ALTERNATIVE, only_if="if the dose fails")), HALF.strength)
    card = card_of(
        dose_change(
            advice=advice,
            further_may_ask_more=True,
            assumptions=(Assumption("age", "assumed_adult_here", "primol_gena"),),
            tests=(question(branches=(Branch(("Poor Metabolizer",), ResultingOrder(Outcome.CHANGED_DOSE), HALF),)),),
        )
    )
    head = head_of(card)
    assert "Or: choose another drug, if the dose fails." in head
    assert "Also: monitor: drug levels." in head
    assert "a further result may ask for more" in head
    assert "The age is not on record: an adult is assumed." in head
    told = card["extension"]["org.cds-service.findings"][0]
    assert told["assumptions"] == [
        {"fact": "age", "assumed": "The age is not on record: an adult is assumed.", "table": "primol_gena"}
    ]
    assert told["furtherMayAskMore"] is True


def test_an_outcome_that_needs_another_result_too_names_it(card_of):
    branches = (
        Branch(("Poor Metabolizer",), ResultingOrder(Outcome.STOP), AVOID, given=(("hla:B*57:01", ("positive",)),)),
        Branch(("Normal Metabolizer",), SAME, STANDARD),
    )
    card = card_of(change_now(tests=(question(branches=branches),)))
    assert "- poor metaboliser with HLA-B\\*57:01 positive: " in head_of(card)
    assert "- normal metaboliser: as drafted" in head_of(card)
    (test,) = card["extension"]["org.cds-service.findings"][0]["tests"]
    assert [outcome.get("given") for outcome in test["outcomes"]] == [
        [{"marker": "hla:B*57:01", "states": ["positive"]}],
        None,
    ]


def test_an_outcome_that_asks_for_what_is_advised_already_says_so(card_of):
    branches = (
        Branch(("Poor Metabolizer",), ResultingOrder(Outcome.OTHER_DRUG), AVOID),
        Branch(("Intermediate Metabolizer",), ResultingOrder(Outcome.WAIT), STANDARD),
        Branch(("Normal Metabolizer",), ResultingOrder(Outcome.STOP), Advice(())),
    )
    head = head_of(card_of(change_now(tests=(question(branches=branches),))))
    assert "- poor or intermediate metaboliser: as advised above" in head
    assert "wait for the result" not in head
    assert "- normal metaboliser: stop it" in head


def test_of_two_tests_the_one_that_labelling_requires_leads(card_of):
    two = (question(), question("gene:GENS", "gens"))
    card = card_of(test_wanted(table="gated", tests=two))
    assert card["summary"].startswith("Primol: GENA test needed first")
    assert "GENA testing is required before the medicine is given." in head_of(card)
    assert "Chance that GENS test changes the order" in card["detail"]


def test_a_required_test_that_runs_beside_the_medicine_is_not_needed_first(card_of):
    card = card_of(test_wanted(table="beside", tests=(question(branches=()),)))
    assert card["summary"] == "Primol: GENA test needed; the result could change the order"
    assert "GENA testing is required." in head_of(card)
    assert "before the medicine is given" not in card["detail"]


def test_outcomes_that_are_all_alike_are_not_said_in_the_summary(card_of):
    alike = (Branch(("Normal Metabolizer", "Poor Metabolizer"), ResultingOrder(Outcome.AS_DRAFTED), STANDARD),)
    card = card_of(test_wanted(table="beside", tests=(question(branches=alike),)))
    assert card["summary"] == "Primol: GENA test needed; the result could change the order"


def test_a_test_asked_without_any_guidance_is_said_plainly(card_of):
    card = card_of(test_wanted(table="", tests=(question(branches=()),)))
    assert card["summary"] == "Primol: no GENA result; the result could change the order"


# --- evidence -------------------------------------------------------------------------------------------------------


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
    assert "Primol: A known fact changes the order (no strength stated)" in _evidence(card)
    assert "url" not in card["source"]
    assert "links" not in card


def test_a_site_may_leave_the_review_note_out(card_of):
    assert "not yet reviewed" not in _evidence(card_of(change_now(), policy=Policy(review_note=False)))


def test_without_advice_the_resulting_order_is_said(card_of):
    card = card_of(change_now(advice=None, resulting=ResultingOrder(Outcome.STOP)))
    assert card["summary"] == "Primol, GENA poor metaboliser: stop it"


def test_the_extension_tells_doses_in_full(card_of):
    change = DoseChange(START, amount=Amount(5, "mg"), frequency="twice_a_week", applies_above=Amount(2, "mg"))
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
    (told,) = card_of(test_wanted())["extension"]["org.cds-service.findings"][0]["tests"]
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


# --- plain text -----------------------------------------------------------------------------------------------------


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


# --- laboratory markers ---------------------------------------------------------------------------------------------


def test_a_laboratory_marker_has_its_own_name_where_there_is_one(words):
    assert words.marker("lab:smn1_biallelic") == "loss of both SMN1 copies"
    assert words.marker("derived:creatinine_clearance") == "creatinine clearance"
    assert words.marker("lab:no_such_value") == "no such value"


def test_a_test_of_one_thing_is_a_report_and_not_a_nameless_find(card_of):
    serology = replace(READING, says=Presence("", False))
    seen = MarkerView("gene:GENA", Known("negative", (serology,)), frozenset({"negative"}))
    detail = card_of(change_now(markers=(seen,)))["detail"]
    assert "a report (" in detail
    assert "not found" not in detail


def test_a_spoiled_result_says_what_spoils_it(card_of):
    states = frozenset({"Poor Metabolizer", "Normal Metabolizer"})
    spoiled = MarkerView("gene:GENA", Narrowed(states, "blood_was_haemolysed", (READING,)), states)
    assert "(blood was haemolysed)" in card_of(change_now(markers=(spoiled,)))["detail"]


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
    assert "The first dose must not wait for it." in head_of(card_of(test_wanted(), knowledge=urgent))
    assert "must not wait" not in head_of(card_of(test_wanted()))


# --- what goes together and what is a choice ------------------------------------------------------------------------


def _dose_option(phase, percent, **more):
    return Option(Action.DOSE, dose=DoseChange(phase, factor=(percent, percent)), **more)


def test_what_goes_with_the_preferred_option_is_no_choice_beside_it(card_of):
    options = (_dose_option(START, 0.5), _dose_option(MAINTENANCE, 0.75, joins=True), Option(Action.STOP))
    head = head_of(card_of(change_now(advice=Advice(options))))
    assert "**Start with 50 % of the usual dose.**" in head
    assert "Also: continue on 75 % of the usual dose." in head
    assert "Or: stop it." in head
    assert head.count("Or: ") == 1


def test_what_goes_together_is_one_choice_with_its_condition_said_once(card_of):
    kept = {"only_if": "if_it_is_kept"}
    options = (
        Option(Action.ALTERNATIVE, alternative_class="another_drug"),
        _dose_option(START, 0.5, **kept),
        _dose_option(MAINTENANCE, 0.75, joins=True, **kept),
        Option(Action.COUNSEL, note="slow_steps", joins=True, only_if="if_young"),
        Option(Action.MONITOR, note="the_pulse"),
    )
    head = head_of(card_of(change_now(advice=Advice(options))))
    assert (
        "Or: start with 50 % of the usual dose, if it is kept; and continue on 75 % of the usual dose; "
        "and counsel the patient: slow steps, if young.\n"
    ) in head
    assert "Also: monitor: the pulse." in head


@pytest.mark.parametrize(("only_if", "word"), [("", "Also"), ("if_it_can_be_had", "Or")])
def test_to_leave_a_drug_and_to_choose_another_is_one_thing(card_of, only_if, word):
    other = Option(Action.ALTERNATIVE, alternative_class="another_drug", only_if=only_if)
    head = head_of(card_of(change_now(advice=Advice((Option(Action.AVOID), other)))))
    assert f"{word}: choose another drug" in head


def test_the_extension_tells_a_cap_and_what_goes_together(card_of):
    capped = DoseChange(START, factor=(1.5, 2.0), at_most=Amount(0.3, "mg/kg/d"))
    advice = Advice((Option(Action.DOSE, dose=capped), Option(Action.MONITOR, note="levels", joins=True)))
    reckoned = DoseArithmetic(5.0, "mg", (1.5, 2.0), (6.75, 6.75), "per_dose", at_most=6.75)
    card = card_of(change_now(advice=advice, arithmetic=reckoned))
    (told,) = card["extension"]["org.cds-service.findings"]
    assert told["options"][0]["dose"]["atMost"] == {"value": 0.3, "unit": "mg/kg/d"}
    assert told["options"][1]["joins"] is True
    assert told["arithmetic"]["atMost"] == 6.75
    assert "Dose: 5 mg × 1.5 to 2, but not above 6.75 mg = 6.75 mg for each dose." in head_of(card)


def test_a_dose_that_is_there_is_not_asked_for(card_of):
    capped = DoseChange(START, factor=(1.5, 2.0), at_most=Amount(0.3, "mg/kg/d"))
    card = card_of(change_now(advice=Advice((Option(Action.DOSE, dose=capped),))))
    assert "Dose needed" not in card["detail"]


# --- the facts used -------------------------------------------------------------------------------------------------


def test_the_facts_that_made_the_guidance_speak_stand_under_the_advice(card_of):
    facts = (
        UsedFact("age", value=82.0),
        UsedFact("weight", value=51.5),
        UsedFact("comedication", "secundol", on=date(2026, 5, 3), reference="MedicationRequest/9"),
        UsedFact("condition", "Kidney disease", on=date(2020, 1, 2), reference="Condition/1"),
        UsedFact("reaction", "", reference="AllergyIntolerance/1"),
    )
    card = card_of(change_now(used=facts))
    assert (
        "Facts used: age 82, weight 51.5 kg, secundol (since 3 May 2026), Kidney disease (2 January 2020) "
        "and reaction to earlier reactions."
    ) in head_of(card)
    told = card["extension"]["org.cds-service.findings"][0]["used"]
    assert told[0] == {"fact": "age", "value": 82.0}
    assert told[2] == {
        "fact": "comedication",
        "name": "secundol",
        "date": "2026-05-03",
        "reference": "MedicationRequest/9",
    }


def test_many_facts_are_counted_and_the_cause_is_not_said_twice(card_of):
    facts = tuple(UsedFact("condition", f"Condition {n}", reference=f"Condition/{n}") for n in range(8))
    head = head_of(card_of(change_now(used=(*facts, facts[0]), caused_by="Condition/1")))
    assert "Condition 5 and 2 more." in head
    assert "Condition 1" not in head


def test_without_facts_there_is_no_line_of_them(card_of):
    assert "Facts used" not in card_of(change_now())["detail"]


# --- small words ----------------------------------------------------------------------------------------------------


def test_a_value_without_a_unit_is_told_without_one(card_of):
    inr = Reading("gene:GENA", Quantity(5.2, "1"), "Observation/9", on=date(2026, 11, 23))
    head = head_of(card_of(change_now(markers=(MarkerView("gene:GENA", Known("Poor Metabolizer", (inr,))),))))
    assert "from 5.2 (" in head


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
