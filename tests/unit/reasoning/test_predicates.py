"""Three-valued questions: true, false and not known are never mixed up."""

from __future__ import annotations

import pytest

from cds_service.knowledge.schema import Fact, Predicate
from cds_service.model import Allergy, Assumption, Condition, Dose, FamilyCondition, Query, Span
from cds_service.reasoning.predicates import TRUE, all_hold, any_holds, holds, why_not_known
from tests.support.tiny import ago, around, order, person, taking, without, world

KNOWLEDGE = world()
YES = Predicate(Fact.ROUTE, is_in=("systemic",))
NO = Predicate(Fact.ROUTE, is_in=("topical",))
UNKNOWN = Predicate(Fact.WEIGHT, above=40)
ASSUMED = Predicate(Fact.WEIGHT, above=40, when_unknown=True, say="assumed_heavy")


def truth(predicate, patient=None, *others, **order_fields):
    return holds(predicate, around("x", patient or person(), KNOWLEDGE, *others, **order_fields), "t")


@pytest.mark.parametrize(
    ("predicates", "both", "either"),
    [
        ((YES, YES), True, True),
        ((YES, NO), False, True),
        ((NO, NO), False, False),
        ((YES, UNKNOWN), None, True),
        ((NO, UNKNOWN), False, None),
        ((UNKNOWN, UNKNOWN), None, None),
        ((), True, False),
    ],
)
def test_kleene(predicates, both, either):
    context = around("x", person(), KNOWLEDGE)
    assert all_hold(predicates, context, "t").holds is both
    assert any_holds(predicates, context, "t").holds is either


def test_a_combination_is_asked_like_its_parts():
    assert truth(Predicate(all=(YES, NO))).holds is False
    assert truth(Predicate(any=(YES, NO))).holds is True
    assert truth(Predicate(none=(NO,))).holds is True
    assert truth(Predicate(none=(YES,))).holds is False
    assert truth(Predicate(none=(UNKNOWN,))).holds is None
    assert truth(Predicate()) == TRUE


def test_what_is_missing_is_named():
    assert truth(Predicate(all=(YES, UNKNOWN))).missing == ("weight",)
    assert truth(Predicate(any=(NO, UNKNOWN))).missing == ("weight",)


def test_an_assumption_is_made_only_where_the_fact_is_unknown():
    assert truth(ASSUMED).assumptions == (Assumption("weight", "assumed_heavy", "t"),)
    assert truth(ASSUMED, person(weight_kg=50)) == TRUE
    assert truth(ASSUMED, person(weight_kg=30)).holds is False
    assert truth(Predicate(Fact.WEIGHT, above=40, when_unknown=True)).assumptions == ()
    assumed_absent = truth(Predicate(Fact.WEIGHT, above=40, when_unknown=False, say="never_said"))
    assert (assumed_absent.holds, assumed_absent.assumptions) == (False, ())


def test_a_known_fact_goes_before_an_assumption():
    known_too = Predicate(any=(ASSUMED, YES))
    assert truth(known_too).holds is True
    assert truth(known_too).assumptions == ()


def test_assumptions_of_a_conjunction_are_kept():
    assert truth(Predicate(all=(YES, ASSUMED))).assumptions == (Assumption("weight", "assumed_heavy", "t"),)


@pytest.mark.parametrize(
    ("predicate", "patient"),
    [
        (
            Predicate(Fact.CONDITION, is_in=("stroke",)),
            person(conditions=(Condition(frozenset({"stroke"}), "", "r"),)),
        ),
        (
            Predicate(Fact.INDICATION, is_in=("stroke",)),
            person(conditions=(Condition(frozenset({"stroke"}), "", "r"),)),
        ),
        (Predicate(Fact.REACTION, is_in=("penol",)), person(allergies=(Allergy(("penol",), "", "r"),))),
        (
            Predicate(Fact.FAMILY_HISTORY, is_in=("stroke",)),
            person(family=(FamilyCondition(frozenset({"stroke"}), "", 1, "", "r"),)),
        ),
        (Predicate(Fact.COMEDICATION, is_in=("other",)), person(medications=(taking("other", reference="r"),))),
    ],
)
def test_a_fact_that_is_there_names_who_says_it(predicate, patient):
    assert truth(predicate, patient).holds is True
    assert truth(predicate, patient).references == ("r",)


@pytest.mark.parametrize(
    ("fact", "query"),
    [
        (Fact.CONDITION, Query.CONDITIONS),
        (Fact.REACTION, Query.ALLERGIES),
        (Fact.FAMILY_HISTORY, Query.FAMILY),
        (Fact.COMEDICATION, Query.MEDICATIONS),
    ],
)
def test_absent_is_false_only_where_everything_was_seen(fact, query):
    predicate = Predicate(fact, is_in=("stroke",))
    assert truth(predicate).holds is False
    assert truth(predicate, without(person(), query)).holds is None


def test_an_indication_of_the_order_rules_others_out():
    predicate = Predicate(Fact.INDICATION, is_in=("stroke",))
    assert truth(predicate).holds is None
    assert truth(predicate, reasons=frozenset({"heart_attack"})).holds is False


def test_sex_and_route():
    assert truth(Predicate(Fact.SEX, is_in=("female",))).holds is True
    assert truth(Predicate(Fact.SEX, is_in=("male",))).holds is False
    assert truth(Predicate(Fact.SEX, is_in=("male",)), person(sex="")).holds is None
    assert truth(Predicate(Fact.ROUTE, is_in=("intravenous",)), route="intravenous").holds is True


def test_a_number_is_no_member_and_a_set_no_number():
    assert truth(Predicate(Fact.AGE, is_in=("40",))).holds is None
    assert truth(Predicate(Fact.SEX, above=1)).holds is None


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        ({"below": 50}, False),
        ({"at_most": 50}, True),
        ({"at_least": 50}, True),
        ({"above": 50}, False),
        ({"above": 40, "below": 60}, True),
        ({"at_least": 51}, False),
        ({"at_most": 49}, False),
    ],
)
def test_bounds(bounds, expected):
    assert truth(Predicate(Fact.WEIGHT, **bounds), person(weight_kg=50)).holds is expected


def test_numbers_of_patient_and_order():
    assert truth(Predicate(Fact.AGE, at_least=18)).holds is True
    assert (
        truth(Predicate(Fact.EXPOSURE, above=90), person(medications=(taking("x", started=ago(100)),))).holds is True
    )
    assert truth(Predicate(Fact.DAILY_DOSE, above=100), mg=60, per_day=2).holds is True
    assert truth(Predicate(Fact.DAILY_DOSE, above=100)).holds is None
    assert truth(Predicate(Fact.DAILY_DOSE, above=100), dose=Dose(2, "tablet", 1)).holds is None


@pytest.mark.parametrize(
    ("dose", "weight", "expected"),
    [
        (Dose(300, "mg", 1), 50, True),
        (Dose(200, "mg", 1), 50, False),
        (Dose(3, "mg/kg", 2), None, True),
        (Dose(300, "mg", 1), None, None),
        (Dose(300, "mg", None), 50, None),
        (Dose(3, "tablet", 1), 50, None),
        (None, 50, None),
    ],
)
def test_daily_dose_by_weight(dose, weight, expected):
    predicate = Predicate(Fact.DAILY_DOSE_PER_KG, above=5)
    assert truth(predicate, person(weight_kg=weight), dose=dose).holds is expected
    assert order("x").dose is None


def test_of_what_is_only_assumed_the_first_with_the_fewest_assumptions_is_said():
    """And what is known goes before it, wherever it stands."""
    silently = Predicate(Fact.REACTION, is_in=("stroke",), when_unknown=True)
    aloud = Predicate(Fact.CONDITION, is_in=("stroke",), when_unknown=True, say="assumed")
    also_aloud = Predicate(Fact.FAMILY_HISTORY, is_in=("stroke",), when_unknown=True, say="assumed_too")
    sure = Predicate(Fact.SEX, is_in=("female",))
    patient = without(person(), Query.CONDITIONS, Query.ALLERGIES, Query.FAMILY)

    def said(*any_of):
        found = truth(Predicate(any=any_of), patient)
        assert found.holds is True
        return [a.assumed for a in found.assumptions]

    assert said(aloud, also_aloud) == ["assumed"]
    assert said(Predicate(all=(aloud, also_aloud)), also_aloud) == ["assumed_too"]
    assert said(aloud, silently) == []
    assert said(aloud, sure) == []


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        ({"at_least": 9}, True),
        ({"at_least": 9.5}, None),
        ({"above": 10}, False),
        ({"below": 9}, False),
        ({"below": 9.5}, None),
        ({"at_most": 10}, True),
        ({"at_least": 9.4, "below": 9.6}, None),
    ],
)
def test_an_age_told_by_the_year_is_known_only_where_both_ages_answer_alike(bounds, expected):
    rough = person(birth_date=Span(ago(3652), ago(3289)))
    assert truth(Predicate(Fact.AGE, **bounds), rough).holds is expected
    assert truth(Predicate(Fact.AGE, when_unknown=True, **bounds), rough).holds is (expected is not False)


def test_a_weight_that_may_be_one_of_several_is_known_only_where_all_answer_alike():
    either = person(weights_kg=(38.0, 42.0))
    assert truth(Predicate(Fact.WEIGHT, above=40), either).holds is None
    assert truth(Predicate(Fact.WEIGHT, above=30), either).holds is True
    assert truth(Predicate(Fact.WEIGHT, above=50), either).holds is False
    dose = Dose(420, "mg", 1)
    assert truth(Predicate(Fact.DAILY_DOSE_PER_KG, at_most=10.5), either, dose=dose).holds is None
    assert truth(Predicate(Fact.DAILY_DOSE_PER_KG, at_most=12), either, dose=dose).holds is True


def test_a_gap_tells_what_is_told_roughly_from_what_is_not_on_record():
    rough = person(birth_date=Span(ago(3652), ago(3289)), weights_kg=(38.0, 42.0))
    context = around("x", rough, KNOWLEDGE)
    assert [why_not_known(fact, context) for fact in ("age", "weight")] == ["told_roughly"] * 2
    assert why_not_known("weight", around("x", person(), KNOWLEDGE)) == "fact_not_known"
    assert why_not_known("condition", around("x", without(person(), Query.CONDITIONS), KNOWLEDGE)) == "not_obtained"
