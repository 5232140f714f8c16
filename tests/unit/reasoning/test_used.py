"""The facts that made a population fit are told with name, value and date; what is absent or assumed is not."""

from __future__ import annotations

import pytest

from cds_service.knowledge.schema import Fact, Predicate
from cds_service.model import (
    Allergy,
    Amount,
    Condition,
    Dose,
    DoseChange,
    DosePhase,
    FamilyCondition,
    Medication,
    Span,
    UsedFact,
)
from cds_service.reasoning.used import used_facts, weight_used
from tests.support.tiny import ago, around, order, person, world

KNOWLEDGE = world()
HEAVY = Predicate(Fact.WEIGHT, above=40)
WITH_Y = Predicate(Fact.COMEDICATION, is_in=("y",))
Y = Medication("MedicationRequest/y", "Y tablets", ("y",), started=ago(30))


def used(*predicates, others=(), **fields):
    order_fields = {key: fields.pop(key) for key in ("reasons", "reason_texts") if key in fields}
    return used_facts(predicates, around("x", person(**fields), KNOWLEDGE, *others, **order_fields))


def test_a_value_is_told():
    assert used(HEAVY, weight_kg=52.5) == (UsedFact("weight", value=52.5),)


def test_an_age_is_told_in_completed_years():
    assert used(Predicate(Fact.AGE, at_least=18), birth_date=ago(7000)) == (UsedFact("age", value=19.0),)


def test_a_medicine_taken_is_told_with_its_start_and_a_draft_with_its_name():
    assert used(WITH_Y, medications=(Y,)) == (UsedFact("comedication", "Y tablets", None, ago(30), Y.reference),)
    assert used(WITH_Y, others=(order("y"),)) == (UsedFact("comedication", "y", reference="Draft/y"),)


@pytest.mark.parametrize(
    ("fact", "fields", "told"),
    [
        (
            Fact.CONDITION,
            {"conditions": (Condition(frozenset({"k"}), "Kidney disease", "Condition/1", ago(9)),)},
            UsedFact("condition", "Kidney disease", None, ago(9), "Condition/1"),
        ),
        (
            Fact.REACTION,
            {"allergies": (Allergy((), "Rash", "AllergyIntolerance/1", frozenset({"k"})),)},
            UsedFact("reaction", "Rash", reference="AllergyIntolerance/1"),
        ),
        (
            Fact.FAMILY_HISTORY,
            {"family": (FamilyCondition(frozenset({"k"}), "mother", 1, "Fever", "FamilyMemberHistory/1"),)},
            UsedFact("family_history", "mother: Fever", reference="FamilyMemberHistory/1"),
        ),
        (
            Fact.INDICATION,
            {"reasons": frozenset({"k"}), "reason_texts": ("Gout",)},
            UsedFact("indication", "Gout", reference="Draft/x"),
        ),
    ],
)
def test_what_a_resource_says_is_told_as_the_record_has_it(fact, fields, told):
    assert used(Predicate(fact, is_in=("k",)), **fields) == (told,)


def test_a_reference_that_nothing_names_is_told_without_a_name():
    nameless = Condition(frozenset({"k"}), "", "Condition/1")
    assert used(Predicate(Fact.CONDITION, is_in=("k",)), conditions=(nameless,)) == (
        UsedFact("condition", reference="Condition/1"),
    )


def test_of_a_choice_all_that_hold_are_told_and_each_once():
    either = Predicate(any=(HEAVY, WITH_Y, Predicate(Fact.WEIGHT, above=99)))
    told = used(either, HEAVY, Predicate(all=(WITH_Y,)), weight_kg=50, medications=(Y,))
    assert [one.fact for one in told] == ["weight", "comedication"]


@pytest.mark.parametrize("together", [Predicate(all=(HEAVY, WITH_Y)), Predicate(any=(HEAVY, WITH_Y))])
def test_each_part_of_what_holds_is_told(together):
    assert [one.fact for one in used(together, weight_kg=50, medications=(Y,))] == ["weight", "comedication"]


def test_an_indication_that_the_record_tells_has_the_name_of_its_entry():
    gout = Condition(frozenset({"k"}), "Gouty arthritis", "Condition/1", ago(9))
    told = used(Predicate(Fact.INDICATION, is_in=("k",)), conditions=(gout,))
    assert told == (UsedFact("indication", "Gouty arthritis", None, ago(9), "Condition/1"),)


@pytest.mark.parametrize(
    "predicate",
    [
        Predicate(none=(WITH_Y,)),
        Predicate(Fact.WEIGHT, above=40, when_unknown=True, say="assumed_heavy"),
        Predicate(Fact.COMEDICATION, is_in=("y",), when_unknown=True),
        Predicate(Fact.EXPOSURE, at_most=90),
        Predicate(Fact.ROUTE, is_in=("systemic",)),
        HEAVY,
        Predicate(),
    ],
)
def test_what_is_absent_assumed_or_on_the_order_itself_is_no_fact_of_the_record(predicate):
    assert used(predicate) == ()


def test_a_number_that_is_told_roughly_is_told_with_its_bounds():
    """Of an age whole years; where both bounds are of one year, that year alone."""
    between = Predicate(Fact.AGE, at_least=5, below=30)
    assert used(between, birth_date=Span(ago(4020), ago(3653))) == (UsedFact("age", value=10, at_most=11),)
    assert used(between, birth_date=Span(ago(3660), ago(3655))) == (UsedFact("age", value=10),)


BY_WEIGHT, BY_AMOUNT = Amount(5, "mg/kg/d"), Amount(40, "mg/d")


@pytest.mark.parametrize(
    ("change", "unit", "told"),
    [
        (DoseChange(DosePhase.MAXIMUM, cap=BY_WEIGHT), "mg", (60.0,)),
        (DoseChange(DosePhase.START, amount=BY_WEIGHT), "mg", (60.0,)),
        (DoseChange(DosePhase.START, factor=(1.5, 2.0), at_most=BY_WEIGHT), "mg", (60.0,)),
        (DoseChange(DosePhase.MAXIMUM, cap=BY_WEIGHT), "mg/kg", ()),
        (DoseChange(DosePhase.MAXIMUM, cap=BY_AMOUNT), "mg", ()),
    ],
)
def test_a_weight_that_a_dose_was_reckoned_with_is_told(change, unit, told):
    context = around("x", person(weight_kg=60.0), KNOWLEDGE, dose=Dose(400, unit, 1))
    assert tuple(fact.value for fact in weight_used(change, context)) == told


def test_without_a_dose_no_weight_was_used():
    change = DoseChange(DosePhase.MAXIMUM, cap=BY_WEIGHT)
    assert weight_used(change, around("x", person(weight_kg=60.0), KNOWLEDGE)) == ()
