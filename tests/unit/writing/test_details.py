"""What the detail of a card says of each kind of finding, of what goes together, and of the facts used."""

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

from cds_service.knowledge.schema import SampleFault
from cds_service.model import (
    Action,
    Advice,
    Amount,
    Assumption,
    Branch,
    Conflicting,
    DoseArithmetic,
    DoseChange,
    DosePhase,
    Finding,
    Gap,
    GapReason,
    Grade,
    Indicator,
    Kind,
    MarkerView,
    Narrowed,
    Narrowing,
    NotTested,
    Option,
    Outcome,
    Pending,
    Phenotype,
    ResultingOrder,
    Trust,
    Unconfirmed,
    Unverified,
    UsedFact,
)

START, MAINTENANCE, MAXIMUM = DosePhase.START, DosePhase.MAINTENANCE, DosePhase.MAXIMUM


OTHER = replace(READING, says=Phenotype("Normal Metabolizer"), on=None, laboratory="")


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


def test_a_result_that_only_the_problem_list_tells(card_of):
    listed = replace(READING, grade=Grade.UNVERIFIED, why_unverified=Unconfirmed.PROBLEM_LIST)
    home = replace(listed, why_unverified=Unconfirmed.CONSUMER)

    def card(*readings):
        found = _kind(Kind.CONFIRM_RESULT)
        views = tuple(replace(view, knowledge=Unverified(readings)) for view in found.markers)
        return card_of(replace(found, markers=views))

    assert card(listed)["summary"] == (
        "Primol: GENA is known from the problem list alone and could change the order; the report is needed"
    )
    assert "until the laboratory's report is seen." in head_of(card(listed))
    assert "until a clinical laboratory confirms it." in head_of(card(listed, home))


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


def test_what_needs_no_test_is_one_sentence_and_cites_nothing(card_of):
    markers = (MarkerView("gene:GENB", NotTested()), MarkerView("gene:GENC", NotTested()))
    closed = [
        Finding(Kind.NO_TEST_CHANGES, order(), "primol", "primol_gena", markers=(one,), closed_markers=(one.marker,))
        for one in markers
    ]
    card = card_of(change_now(), *closed)
    assert head_of(card).count("No need to test GENB or GENC: no result could change this advice.") == 1
    assert "no result found" not in card["detail"]
    assert card["detail"].count("Source:") == 1
    assert len(card["extension"]["org.cds-service.findings"]) == 3


def test_what_is_asked_for_on_the_card_is_not_called_needless(card_of):
    asked = test_wanted(decided=ResultingOrder(Outcome.WAIT))
    assert "No need to test" not in card_of(change_now(closed_markers=("gene:GENA",)), asked)["detail"]


def test_beside_another_change_an_open_test_leaves_the_order_as_advised(card_of):
    head = head_of(card_of(change_now(table="primol_genb"), test_wanted()))
    assert "Until then: as advised above." in head


def test_another_dose_of_a_medicine_to_be_left_is_for_who_keeps_it(card_of):
    head = head_of(card_of(change_now(), dose_change(table="primol_genb", markers=())))
    assert "**For another reason too, were it kept: " in head
    assert "were it kept" not in head_of(card_of(dose_change()))


def test_what_is_taken_and_drafted_is_named_once(card_of):
    taken = UsedFact("comedication", "secundol", on=date(2026, 1, 2), reference="MedicationRequest/8")
    drafted = UsedFact("comedication", "secundol", reference="MedicationRequest/9")
    head = head_of(card_of(change_now(used=(drafted, taken))))
    assert "Facts used: secundol (since 2 January 2026)." in head


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


def test_a_value_that_is_not_relied_on_is_no_missing_result(card_of):
    fault = SampleFault("spilt", "levels", Trust.READ, ("spilt",), raises={"gene:GENA": "made_up"})
    doubtful = Narrowed(frozenset({"Normal Metabolizer", "Poor Metabolizer"}), "levels", (READING,), may_count=True)
    wanted = test_wanted(markers=(MarkerView("gene:GENA", doubtful),))
    knowledge = replace(KNOWLEDGE, sample_faults={"spilt": fault})
    assert card_of(wanted, knowledge=knowledge)["summary"].startswith("Primol: GENA result not sure, repeat it; if")
    assert card_of(wanted)["summary"].startswith("Primol: GENA result not to be relied on; if")
    open_still = replace(doubtful, why=next(iter(Narrowing)))
    told = card_of(test_wanted(markers=(MarkerView("gene:GENA", open_still),)), knowledge=knowledge)
    assert told["summary"].startswith("Primol: GENA test recommended, no result; if")


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
