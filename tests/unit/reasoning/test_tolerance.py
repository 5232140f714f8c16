"""When a drug counts as tolerated: how long, in which dose, and beside what."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cds_service.knowledge.schema import (
    Concerns,
    DrugGroup,
    Fact,
    Modifier,
    Modulator,
    ModulatorRole,
    ModulatorStrength,
    Predicate,
)
from cds_service.model import Dose, Gravity, Harm, Span, Trust
from tests.support.tiny import (
    BETA,
    NORMAL,
    POOR,
    advice,
    ago,
    findings,
    half,
    only,
    order,
    person,
    population,
    row,
    score,
    table,
    taking,
    use,
    world,
)

WINDOW = 90
LOWER, HIGHER = row({}, advice(half())), row({}, advice(half(2.0), harm=Harm.LACK_OF_EFFECT))


def mg(each, per_day=1.0, unit="mg"):
    return Dose(each, unit, per_day)


def taken(dose=None, since=400, **fields):
    return taking("unol", dose=dose, started=ago(since), **fields)


def silent(*medications, row_of=LOWER, draft=None, **fields):
    """Why a table without markers says nothing of the draft."""
    fields = {"concerns": Concerns.DOSE, "tolerated_after_days": WINDOW, **fields}
    knowledge = world(table("unol", row_of, **fields), groups=(DrugGroup("blockers", ("amiol", "veral")),))
    of_draft = findings(knowledge, draft or order("unol", mg=40), person(medications=medications))
    return only(f for f in of_draft if f.order.reference == "Draft/unol").silent


@pytest.mark.parametrize(
    ("dose", "expected"),
    [
        (mg(40), "tolerated"),
        (mg(80), "tolerated"),
        (mg(20, 2.0), "tolerated"),
        (mg(20), ""),
        (mg(20, None), ""),
        (mg(None), ""),
        (mg(40, unit="mg/kg"), ""),
        (None, ""),
    ],
)
def test_as_much_has_to_have_been_taken(dose, expected):
    assert silent(taken(dose)) == expected


@pytest.mark.parametrize(
    ("dose", "expected"), [(mg(40), "tolerated"), (mg(20), "tolerated"), (mg(80), ""), (None, "")]
)
def test_where_too_little_is_feared_as_little_has_to_have_been_enough(dose, expected):
    assert silent(taken(dose), row_of=HIGHER) == expected


def test_what_is_given_at_once_is_compared_where_nobody_says_how_often():
    draft = order("unol", mg=40, per_day=None)
    assert silent(taken(mg(40, None)), draft=draft) == "tolerated"
    assert silent(taken(mg(40)), draft=draft) == ""
    assert silent(taken(mg(40)), draft=order("unol")) == ""


@pytest.mark.parametrize(("since", "expected"), [(91, "tolerated"), (90, "")])
def test_the_dose_has_to_have_been_taken_for_longer_than_the_window(since, expected):
    assert silent(taken(mg(40), since), taken(mg(10), 900, reference="MedicationRequest/old")) == expected


def ended(dose, since, until):
    return taken(dose, since, stopped=ago(until), reference=f"MedicationRequest/{since}")


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ((ended(mg(40), 300, 30),), "tolerated"),
        ((ended(mg(40), 300, 44),), "tolerated"),
        ((ended(mg(40), 300, 45),), ""),
        ((ended(mg(10), 300, 30),), ""),
        ((ended(mg(40), 60, 30), ended(mg(40), 100, 60)), "tolerated"),
        ((replace(ended(mg(40), 300, 30), stopped=Span(ago(50), ago(20))),), ""),
        ((replace(ended(mg(40), 300, 30), started=None),), ""),
    ],
)
def test_prescriptions_that_follow_each_other_are_one_use(before, expected):
    assert silent(taken(mg(40), 30), *before) == expected


def test_what_may_have_ended_is_no_proof():
    assert silent(taken(mg(40), may_have_ended=True)) == ""


def test_one_of_several_drafts_of_the_drug_is_no_renewal():
    of = table("unol", LOWER, concerns=Concerns.DOSE, tolerated_after_days=WINDOW)
    drafts = (order("unol", mg=40), order("unol", mg=40, reference="Draft/second"))
    found = findings(world(of), drafts, person(medications=(taken(mg(40)),)))
    assert [f.silent for f in found] == ["", ""]


def test_a_medicine_under_review_is_taken_as_it_is():
    draft = order("unol", reference="MedicationRequest/unol", active=True)
    of = table("unol", LOWER, concerns=Concerns.DOSE, tolerated_after_days=WINDOW)
    assert only(findings(world(of), draft, person(medications=(taken(),)))).silent == "tolerated"


WITH_BLOCKER = population(Predicate(Fact.COMEDICATION, is_in=("blockers",), when_unknown=False))
WITH_EITHER = population(Predicate(any=WITH_BLOCKER.fits))
WITHOUT = population(Predicate(none=(Predicate(Fact.COMEDICATION, is_in=("amiol",), when_unknown=False),)))


@pytest.mark.parametrize("concerns", [Concerns.DOSE, Concerns.START])
@pytest.mark.parametrize("of", [WITH_BLOCKER, WITH_EITHER])
@pytest.mark.parametrize(
    ("beside", "expected"),
    [
        ((taking("amiol", started=ago(91)),), "tolerated"),
        ((taking("amiol", started=ago(90)),), ""),
        ((taking("amiol"),), ""),
        ((taking("amiol", started=ago(400)), taking("veral", started=ago(5))), ""),
    ],
)
def test_what_the_guidance_speaks_of_has_to_have_been_beside_it_as_long(beside, expected, of, concerns):
    assert silent(taken(mg(40)), *beside, population=of, concerns=concerns) == expected


def test_a_medicine_drafted_beside_it_is_new():
    knowledge = world(
        table("unol", LOWER, concerns=Concerns.DOSE, tolerated_after_days=WINDOW, population=WITH_BLOCKER),
        groups=(DrugGroup("blockers", ("amiol",)),),
    )
    found = findings(knowledge, (order("unol", mg=40), order("amiol")), person(medications=(taken(mg(40)),)))
    assert {(f.drug, f.silent) for f in found if f.table} == {("unol", "")}


def test_what_must_not_be_beside_it_asks_for_no_time_of_its_own():
    assert silent(taken(mg(40)), population=WITHOUT) == "tolerated"


def test_an_inhibitor_that_acts_on_the_marker_has_to_have_been_beside_it_as_long():
    of = table(
        "unol",
        row({BETA: POOR}, "avoid"),
        row({BETA: ("Intermediate Metabolizer", NORMAL, "Ultrarapid Metabolizer")}, "standard"),
        uses={BETA: use("required", tolerated_after_days=WINDOW)},
    )
    knowledge = world(
        of,
        modifiers=(Modifier("m", BETA, "guideline", Trust.READ, {ModulatorStrength.STRONG: 0}, ("unol",)),),
        modulators=(
            Modulator("BETA", ModulatorRole.INHIBITOR, ModulatorStrength.STRONG, "inhibol", "guideline", Trust.READ),
        ),
    )

    def silent_beside(days):
        medications = (taken(), taking("inhibol", started=ago(days)))
        return only(findings(knowledge, order("unol"), person(score(BETA, 2.0), medications=medications))).silent

    assert (silent_beside(400), silent_beside(5)) == ("tolerated", "")


@pytest.mark.parametrize(("dose", "expected"), [(mg(40), "tolerated"), (None, "tolerated"), (mg(20), "")])
def test_a_test_is_asked_for_again_where_the_dose_is_known_to_be_raised(dose, expected):
    grave = advice("avoid", gravity=Gravity.FATAL_OR_IRREVERSIBLE)
    states = ("Intermediate Metabolizer", NORMAL, "Ultrarapid Metabolizer")
    of = table(
        "unol",
        row({BETA: POOR}, grave),
        row({BETA: states}, "standard"),
        uses={BETA: use("required", tolerated_after_days=WINDOW)},
        concerns=Concerns.DOSE,
    )
    found = only(findings(world(of), order("unol", mg=40), person(medications=(taken(dose),))))
    assert found.silent == expected
