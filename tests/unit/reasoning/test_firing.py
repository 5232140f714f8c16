"""Which questions may interrupt (docs/reasoning.md, step 7)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cds_service import model
from cds_service.knowledge.schema import Band, Fact, Predicate, Test
from cds_service.model import (
    NotReadable,
    Quantity,
    Query,
    Span,
    Strength,
)
from cds_service.policy import Policy
from cds_service.reasoning.asking import testing_level as level_of
from cds_service.reasoning.questions import Status
from cds_service.reasoning.tables import situation_of
from tests.support.tiny import (
    ALPHA,
    HLA,
    POOR,
    REST,
    TESTS,
    ULTRARAPID,
    advice,
    ago,
    around,
    fatal,
    half,
    person,
    reading,
    row,
    shares,
    table,
    taking,
    use,
    without,
    world,
)

from .deciding import decided, question, share, silent, unol

KALI = "lab:potassium"
RISK = use("if_risk", risks=(Predicate(Fact.AGE, below=2), Predicate(Fact.SEX, is_in=("male",))))


@pytest.mark.parametrize("level", ["required", "recommended"])
def test_what_labelling_asks_for_fires(level):
    assert silent(unol(uses={ALPHA: use(level)})) == ""


def test_a_risk_decides_alone():
    of = unol(fatal(), uses={ALPHA: RISK})
    assert silent(of, birth_date=ago(300)) == ""
    assert silent(of) == "not_at_risk"
    assert silent(of, sex="") == "risk_not_known"


@pytest.mark.parametrize("born", [None, Span(ago(800), ago(500))])
def test_an_age_that_is_not_known_is_said_where_it_is_the_risk(born):
    found = decided(unol(fatal(), uses={ALPHA: RISK}), birth_date=born)
    assert (question(found).silent, question(found).lost, question(found).status) == (
        "",
        ("age",),
        Status.NOT_OBTAINED,
    )


@pytest.mark.parametrize(("poor", "expected"), [(0.5, ""), (0.01, ""), (0.009, "below_threshold"), (None, "")])
def test_grave_harm_fires_from_one_percent_or_where_nothing_is_known(poor, expected):
    assert silent(unol(fatal()), frequencies=() if poor is None else share(poor)) == expected


@pytest.mark.parametrize(("poor", "expected"), [(0.2, ""), (0.19, "below_threshold"), (None, "below_threshold")])
def test_other_harm_fires_from_a_fifth(poor, expected):
    assert silent(unol(), frequencies=() if poor is None else share(poor)) == expected


@pytest.mark.parametrize(
    "mild", [half(), advice("avoid", strength=Strength.OPTIONAL), advice("stop"), advice("prepare_first")]
)
def test_only_strong_advice_against_the_drug_counts_there(mild):
    assert silent(unol(mild), frequencies=share(0.9)) == "below_threshold"


def test_only_the_grave_outcome_has_to_be_likely_enough():
    of = table("unol", row({ALPHA: POOR}, half()), row({ALPHA: ULTRARAPID}, fatal(), id="fast"))
    rare = shares(ALPHA, Poor_Metabolizer=0.1, Ultrarapid_Metabolizer=0.009, Normal_Metabolizer=0.891)
    assert silent(of, frequencies=rare) == "below_threshold"
    often = shares(ALPHA, Poor_Metabolizer=0.1, Ultrarapid_Metabolizer=0.01, Normal_Metabolizer=0.89)
    assert silent(of, frequencies=often) == ""


def test_the_site_sets_the_thresholds():
    policy = Policy(firing=replace(Policy().firing, change_probability_at_least=0.05))
    assert silent(unol(), frequencies=share(0.1), policy=policy) == ""


def test_grave_harm_by_another_marker_does_not_make_this_one_grave():
    of = table(
        "duol",
        row({HLA: "positive"}, fatal()),
        row({HLA: "negative", ALPHA: POOR}, half(), id="alpha"),
    )
    assert silent(of) == "below_threshold"
    assert silent(of, marker=HLA) == ""


def test_grave_advice_that_is_given_already_asks_for_nothing_grave():
    grave_rest = table("unol", row({ALPHA: POOR}, "stop"), row({ALPHA: REST}, fatal(), id="rest"))
    assert silent(grave_rest) == "below_threshold"


@pytest.mark.parametrize(("days", "expected"), [(91, "tolerated"), (90, "")])
def test_what_is_tolerated_is_not_asked_for(days, expected):
    of = unol(uses={ALPHA: use("required", tolerated_after_days=90)})
    assert silent(of, medications=(taking("unol", started=ago(days)),)) == expected


def test_an_unknown_exposure_is_no_tolerance():
    of = unol(uses={ALPHA: use("required", tolerated_after_days=90)})
    assert silent(of, patient=without(person(), Query.MEDICATIONS)) == ""


def test_an_unreadable_result_is_said_whatever_a_test_would_be_worth():
    assert silent(unol(), reading(ALPHA, NotReadable("pdf"))) == ""
    assert silent(unol(), patient=without(person(), Query.RESULTS)) == "below_threshold"


def test_testing_level():
    context = around("unol", person(), world(unol()))
    situation = situation_of(unol(), context, Policy())
    gate = (Predicate(Fact.AGE, at_least=18),)
    assert level_of(use("recommended"), situation) is model.Testing.RECOMMENDED
    assert level_of(use(required_when=gate), situation) is model.Testing.REQUIRED
    closed = use("required", required_when=(Predicate(Fact.AGE, below=18),))
    assert level_of(closed, situation) is model.Testing.NONE


@pytest.mark.parametrize("tests", [(), (Test("kali", (KALI,), (), "", "guideline"),)])
def test_a_value_that_may_be_new_enough_is_said_whatever_a_test_would_be_worth(tests):
    bands = {"usual": Band(at_most=5), "high": Band(above=5)}
    uses = {KALI: replace(use("none"), bands=bands, unit="mmol/L", valid_for_days=3)}
    of = table("kaliol", row({KALI: "high"}, "avoid"), row({KALI: "usual"}, "standard"), uses=uses)
    rough = reading(KALI, Quantity(6.3, "mmol/L"), on=Span(ago(30), ago(1)))
    asked = question(decided(of, rough, knowledge=world(of, tests=(*TESTS, *tests))), KALI)
    assert (asked.status, asked.fires) == (Status.OPEN if tests else Status.ON_FILE, True)
    old = replace(rough, on=Span(ago(60), ago(31)))
    assert not question(decided(of, old, knowledge=world(of, tests=(*TESTS, *tests))), KALI).fires
