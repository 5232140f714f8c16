"""What is true around an order."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from cds_service.knowledge.schema import DrugGroup, Fact
from cds_service.model import Allergy, Condition, FamilyCondition, Query, Span
from cds_service.reasoning.exposure import exposure_days, is_taken
from tests.support.tiny import TODAY, ago, around, order, person, taking, without, world

GROUPS = (DrugGroup("sedatives", ("drowsin", "slumberol")),)
KNOWLEDGE = world(groups=GROUPS)


@pytest.mark.parametrize(
    "route",
    ["topical", "ophthalmic", "otic", "nasal", "inhaled", "vaginal", "intravitreal", "intradermal", "dental"],
)
def test_a_local_route_stands_for_itself(route):
    assert around("skinol", person(), KNOWLEDGE, route=route).route == route


@pytest.mark.parametrize("route", ["oral", "intravenous", "rectal", "sublingual", "transdermal", "intrathecal"])
def test_only_local_routes_are_local(route):
    assert around("skinol", person(), KNOWLEDGE, route=route).route == "systemic"
    assert around("skinol", person(), KNOWLEDGE).route == "systemic"


def test_a_draft_takes_the_place_of_what_it_replaces():
    patient = person(medications=(taking("oldol"), taking("keepol"), taking("endol", stopped=ago(3))))
    context = around("newol", patient, KNOWLEDGE, replaces="MedicationRequest/oldol")
    assert [m.name for m in context.medications()] == ["keepol"]
    by_other = around("newol", patient, KNOWLEDGE, order("x", replaces="MedicationRequest/keepol"))
    assert [m.name for m in by_other.medications()] == ["oldol"]


def test_a_medicine_under_review_is_not_its_own_companion():
    context = around(
        "keepol",
        person(medications=(taking("keepol"),)),
        KNOWLEDGE,
        reference="MedicationRequest/keepol",
        active=True,
    )
    assert context.medications() == ()


@pytest.mark.parametrize(
    ("taken", "expected"),
    [
        (taking("drowsin"), True),
        (taking("achol"), False),
        (taking("drowsin", stopped=ago(3)), False),
        (taking("drowsin", may_have_ended=True), False),
        (taking("drowsin", route="ophthalmic"), False),
    ],
)
def test_what_is_under_way_is_taken_for_certain(taken, expected):
    context = around("newol", person(medications=(taken,)), KNOWLEDGE, order("drowsin"))
    assert context.takes_of("sedatives") is expected


def test_what_is_taken_drafted_or_in_the_same_product_is_comedication():
    patient = person(medications=(taking("drowsin"),))
    context = around("achol", patient, KNOWLEDGE, order("fluol"))
    evidence = context.comedication()
    assert set(evidence.keys) == {"drowsin", "sedatives", "fluol"}
    assert evidence.references(frozenset({"sedatives", "fluol"})) == ("Draft/fluol", "MedicationRequest/drowsin")
    product = replace(context, order=order("achol", "slumberol"), others=())
    assert {"slumberol", "sedatives"} <= set(product.comedication().keys)
    assert "achol" not in product.comedication().keys


def test_what_stays_outside_of_the_body_is_no_comedication():
    drops = taking("drowsin", route="ophthalmic")
    drafted = order("slumberol", route="topical")
    assert around("achol", person(medications=(drops,)), KNOWLEDGE, drafted).comedication().keys == frozenset()


def test_only_what_says_a_fact_is_referred_to():
    patient = person(medications=(taking("drowsin"), taking("fluol")))
    context = around("achol", patient, KNOWLEDGE)
    assert context.comedication().references({"fluol"}) == ("MedicationRequest/fluol",)
    assert context.evidence(Fact.SEX).references({"female"}) == ()


def test_the_same_drug_drafted_twice_is_not_its_own_companion():
    assert around("achol", person(), KNOWLEDGE, order("achol", reference="Draft/second")).comedication().said == ()


@pytest.mark.parametrize("years", range(1, 80))
def test_a_birthday_makes_a_full_year(years):
    birthday = TODAY.replace(year=TODAY.year - years)
    assert around("x", person(birth_date=birthday), KNOWLEDGE).age_years() == (years, years)
    low, high = around("x", person(birth_date=birthday + timedelta(days=1)), KNOWLEDGE).age_years()
    assert years - 1 < low == high < years


def test_age():
    assert around("x", person(birth_date=ago(3653)), KNOWLEDGE).age_years() == pytest.approx((10, 10), abs=0.01)
    in_a_year = person(birth_date=Span(ago(3653), ago(3288)))
    assert around("x", in_a_year, KNOWLEDGE).age_years() == pytest.approx((9, 10), abs=0.01)
    assert around("x", person(birth_date=None), KNOWLEDGE).age_years() is None


def test_exposure_is_the_longest_use_or_not_known():
    used = person(medications=(taking("x", started=ago(30)), taking("x", started=ago(400)), taking("x")))
    assert exposure_days(around("x", used, KNOWLEDGE)) == (400, 400)
    assert exposure_days(around("x", person(), KNOWLEDGE)) == (0, 0)
    assert exposure_days(around("x", person(), KNOWLEDGE, active=True)) is None
    assert exposure_days(around("x", without(person(), Query.MEDICATIONS), KNOWLEDGE)) is None
    assert exposure_days(around("x", person(medications=(taking("x"),)), KNOWLEDGE)) is None


NOT_THIS_USE = [
    taking("y", started=ago(400)),
    taking("x", started=ago(400), stopped=ago(3)),
    taking("x", started=ago(400), route="topical"),
]


@pytest.mark.parametrize("taken", NOT_THIS_USE)
def test_another_drug_one_that_was_stopped_and_a_cream_are_no_earlier_use(taken):
    context = around("x", person(medications=(taken,)), KNOWLEDGE)
    assert (exposure_days(context), is_taken(context)) == ((0, 0), False)


def test_a_cream_is_an_earlier_use_of_a_cream():
    cream = taking("x", started=ago(400), route="topical")
    assert exposure_days(around("x", person(medications=(cream,)), KNOWLEDGE, route="topical")) == (400, 400)


@pytest.mark.parametrize(("started", "expected"), [(None, True), (ago(1), True), (TODAY, False)])
def test_a_drug_is_taken_unless_it_was_begun_today(started, expected):
    patient = person(medications=(taking("x", started=started),))
    assert is_taken(around("x", patient, KNOWLEDGE)) is expected


def test_exposure_is_a_range_where_the_start_is_told_roughly():
    def exposure(*taken):
        return exposure_days(around("x", person(medications=taken), KNOWLEDGE))

    rough = taking("x", started=Span(ago(400), ago(370)))
    assert exposure(rough) == (370, 400)
    assert exposure(rough, taking("x", started=ago(390))) == (390, 400)
    assert exposure(taking("x", started=Span(ago(30), ago(-300)))) == (0, 30)
    assert exposure(taking("x", started=ago(-5))) == (0, 0)


def test_a_medicine_that_may_have_ended_is_taken_and_may_be_new_again():
    perhaps = taking("x", started=ago(400), may_have_ended=True)
    context = around("x", person(medications=(perhaps,)), KNOWLEDGE)
    assert context.medications() == (perhaps,)
    assert exposure_days(context) == (0, 400)
    lasting = taking("x", started=ago(50))
    assert exposure_days(around("x", person(medications=(perhaps, lasting)), KNOWLEDGE)) == (50, 400)


def test_a_condition_means_every_wider_one():
    patient = person(conditions=(Condition(frozenset({"heart_attack"}), "", "Condition/1"),))
    evidence = around("x", patient, KNOWLEDGE).conditions()
    assert set(evidence.keys) == {"heart_attack", "acute_coronary_syndrome", "vascular_disease"}
    assert evidence.references(frozenset({"vascular_disease"})) == ("Condition/1",)
    assert evidence.complete
    assert not around("x", without(patient, Query.CONDITIONS), KNOWLEDGE).conditions().complete


def test_the_record_never_rules_an_indication_out():
    patient = person(conditions=(Condition(frozenset({"stroke"}), "", "Condition/1"),))
    by_record = around("x", patient, KNOWLEDGE).indication()
    assert set(by_record.keys) == {"stroke"}
    assert not by_record.complete
    by_order = around("x", patient, KNOWLEDGE, reasons=frozenset({"heart_attack"})).indication()
    assert "stroke" not in by_order.keys
    assert by_order.complete
    assert by_order.references(frozenset({"heart_attack"})) == ("Draft/x",)


def test_reactions_and_relatives():
    patient = person(
        allergies=(Allergy(("penol",), "", "AllergyIntolerance/1", frozenset({"stroke"})),),
        family=(
            FamilyCondition(frozenset({"stroke"}), "father's sister", 2, "", "FamilyMemberHistory/1", False),
            FamilyCondition(frozenset({"heart_attack"}), "cousin", 3, "", "FamilyMemberHistory/2"),
        ),
    )
    context = around("x", patient, KNOWLEDGE)
    assert set(context.reactions().keys) == {"penol", "stroke"}
    assert set(context.family_history().keys) == {"stroke"}
    assert context.evidence(Fact.MOTHERS_LINE).keys == frozenset()
    assert context.today == TODAY
