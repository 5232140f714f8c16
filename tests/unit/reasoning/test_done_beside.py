"""What is told beside an order that stands: by a result that labelling asks for, or an inherited one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cds_service.knowledge.schema import Band, Fact, Predicate
from cds_service.model import (
    Action,
    Alternative,
    Dose,
    Gravity,
    Harm,
    Indicator,
    Kind,
    Option,
    Outcome,
    Quantity,
    Reading,
    Silence,
)
from tests.support.tiny import (
    ALPHA,
    BETA,
    POOR,
    advice,
    ago,
    at_most,
    findings,
    half,
    only,
    order,
    person,
    population,
    reading,
    row,
    shown,
    swap,
    table,
    taking,
    use,
    world,
)

POTASSIUM = "lab:potassium"
SLOW = reading(ALPHA, "*2/*2", on=ago(30))


CLOSER = Option(Action.MONITOR, note="closer")


def watched(testing="recommended", then=CLOSER, **fields):
    told = row({ALPHA: POOR}, advice(then, **fields))
    return table("watchol", told, uses={ALPHA: use(testing)}, concerns="always")


def said(of, patient=None):
    return findings(world(of), order("watchol"), patient or person(SLOW))


@pytest.mark.parametrize("testing", ["required", "recommended"])
def test_it_is_told_without_a_warning(testing):
    finding = only(shown(said(watched(testing))))
    assert (finding.kind, finding.indicator) == (Kind.CHANGE_NOW, Indicator.INFO)
    assert finding.resulting.outcome is Outcome.AS_DRAFTED


def test_grave_harm_is_a_warning():
    grave = watched(gravity=Gravity.FATAL_OR_IRREVERSIBLE)
    assert only(shown(said(grave))).indicator is Indicator.WARNING


@pytest.mark.parametrize("testing", ["none", "if_risk"])
def test_an_inherited_result_is_told_though_nobody_asks_for_it(testing):
    assert only(shown(said(watched(testing)))).indicator is Indicator.INFO


@pytest.mark.parametrize("testing", ["none", "if_risk"])
def test_a_value_that_nobody_asks_for_is_silent(testing):
    told = row({POTASSIUM: "high"}, advice(CLOSER))
    measure = use(testing, bands={"high": Band(above=5)}, unit="mmol/L")
    of = table("watchol", told, uses={POTASSIUM: measure}, concerns="always")
    value = Reading(POTASSIUM, Quantity(5.5, "mmol/L"), "Observation/k", on=ago(1))
    assert shown(said(of, person(value))) == []


def test_the_usual_order_with_a_word_beside_it_is_told():
    finding = only(shown(said(watched("none", Option(Action.STANDARD, note="closer")))))
    assert (finding.kind, finding.resulting.outcome) == (Kind.CHANGE_NOW, Outcome.AS_DRAFTED)


def test_it_is_told_beside_a_question_that_stays_silent():
    told = row({ALPHA: POOR, BETA: ("Normal Metabolizer", "No Result")}, advice(CLOSER))
    other = row({ALPHA: POOR, BETA: POOR}, half())
    of = table("watchol", told, other, uses={ALPHA: use("none"), BETA: use("none")}, concerns="always")
    assert [(f.kind, bool(f.silent)) for f in said(of)] == [(Kind.CHANGE_NOW, False), (Kind.TEST_WOULD_CHANGE, True)]


def test_what_fears_no_harm_is_silent():
    assert shown(said(watched(harm=Harm.NONE))) == []


def test_the_usual_watch_is_silent():
    assert shown(said(watched(then=Option(Action.STANDARD)))) == []


def test_a_result_that_was_there_when_the_drug_was_prescribed_is_not_told_again():
    since = person(SLOW, medications=(taking("watchol", started=ago(400)), taking("watchol", started=ago(10))))
    assert only(said(watched(), since)).silent is Silence.SAID_BEFORE
    before = person(SLOW, medications=(taking("watchol", started=ago(400)),))
    assert len(shown(said(watched(), before))) == 1
    that_day = person(SLOW, medications=(taking("watchol", started=ago(30)),))
    assert only(said(watched(), that_day)).silent is Silence.SAID_BEFORE
    given = person(SLOW, medications=(taking("watchol", started=ago(10), is_prescribed=False),))
    assert len(shown(said(watched(), given))) == 1
    undated = person(reading(ALPHA, "*2/*2"), medications=(taking("watchol", started=ago(10)),))
    assert len(shown(said(watched(), undated))) == 1


def test_a_result_that_came_after_the_prescription_is_told_beside_an_older_one():
    """What rests on two results is known to the prescriber only where both were there."""
    of = table("watchol", row({ALPHA: POOR, BETA: POOR}, advice(CLOSER)), concerns="always")
    since = (taking("watchol", started=ago(10)),)
    early, late = (reading(BETA, "*4/*4", on=ago(days)) for days in (20, 5))
    assert only(said(of, person(SLOW, early, medications=since))).silent is Silence.SAID_BEFORE
    assert len(shown(said(of, person(SLOW, late, medications=since)))) == 1


def test_grave_harm_is_told_each_time():
    since = person(SLOW, medications=(taking("watchol", started=ago(10)),))
    assert len(shown(said(watched(gravity=Gravity.FATAL_OR_IRREVERSIBLE), since))) == 1


def test_a_change_of_the_order_is_told_each_time():
    since = person(SLOW, medications=(taking("watchol", started=ago(10)),))
    assert only(shown(said(watched(then=Option(Action.AVOID)), since))).kind is Kind.CHANGE_NOW


def test_an_alternative_that_asks_for_a_watch_is_offered():
    offering = table("unol", row({BETA: POOR}, swap("watchol")))
    patient = person(reading(BETA, "*4/*4"), SLOW)
    found = findings(world(offering, watched()), order("unol"), patient)
    assert next(f for f in found if f.drug == "unol").alternatives == (Alternative("watchol"),)


def capped(gravity):
    return table("watchol", row({ALPHA: POOR}, advice(at_most(10), gravity=gravity)), concerns="always")


def renewed(of, dose_mg=20.0, taken_mg=20.0, since=10):
    taken = taking("watchol", started=ago(since), dose=Dose(taken_mg, "mg", 1))
    return only(findings(world(of), order("watchol", mg=dose_mg), person(SLOW, medications=(taken,))))


@pytest.mark.parametrize("gravity", [Gravity.MINOR, Gravity.MODERATE])
def test_a_dose_that_is_taken_and_does_no_serious_harm_is_told_once_for_each_result(gravity):
    assert renewed(capped(gravity)).silent is Silence.SAID_BEFORE
    assert not renewed(capped(gravity), dose_mg=30.0).silent, "more than is taken"
    assert not renewed(capped(gravity), since=60).silent, "a result of afterwards"


@pytest.mark.parametrize("gravity", [Gravity.SERIOUS, Gravity.FATAL_OR_IRREVERSIBLE])
def test_a_limit_that_guards_against_serious_harm_is_told_each_time(gravity):
    assert not renewed(capped(gravity)).silent


def test_another_drug_is_advised_each_time():
    of = table("watchol", row({ALPHA: POOR}, advice(swap(), gravity=Gravity.MINOR)), concerns="always")
    assert not renewed(of).silent


@pytest.mark.parametrize(("partner_since", "is_told"), [(400, False), (5, True), (None, True)])
def test_what_a_medicine_that_joined_later_brings_is_told(partner_since, is_told):
    fits = Predicate(Fact.COMEDICATION, is_in=("partnol",), when_unknown=False)
    of = replace(capped(Gravity.MODERATE), population=population(fits))
    taken = [taking("watchol", started=ago(10), dose=Dose(20, "mg", 1))]
    taken += [taking("partnol", started=ago(partner_since))] if partner_since is not None else []
    drafts = (order("watchol", mg=20),) if partner_since is not None else (order("watchol", mg=20), order("partnol"))
    found = findings(world(of), drafts, person(SLOW, medications=tuple(taken)))
    assert any(f.drug == "watchol" and f.table and not f.silent for f in found) is is_told
