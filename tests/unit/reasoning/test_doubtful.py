"""Medicines whose supply is used up and that may be taken still: neither taken nor absent."""

from __future__ import annotations

import pytest

from cds_service.knowledge.schema import (
    DrugGroup,
    Fact,
    Modifier,
    Modulator,
    ModulatorRole,
    ModulatorStrength,
    Predicate,
)
from cds_service.model import Availability, Gap, GapReason, Gravity, Kind, Query, Trust
from cds_service.reasoning.exposure import exposure_days
from tests.support.tiny import (
    ALPHA,
    BETA,
    INTERMEDIATE,
    NORMAL,
    POOR,
    ULTRARAPID,
    advice,
    ago,
    around,
    findings,
    only,
    order,
    person,
    phenotype,
    population,
    row,
    score,
    shown,
    table,
    taking,
    use,
    without,
    world,
)

POOR_READING = phenotype(ALPHA, POOR)
GROUPS = (DrugGroup("blockers", ("blockol", "haltol")), DrugGroup("shields", ("shieldol",)))
WITH_BLOCKER = Predicate(Fact.COMEDICATION, is_in=("blockers",), when_unknown=False)
PAIR = table("unol", row({}, "avoid"), population=population(WITH_BLOCKER))
USED_UP = GapReason.SUPPLY_USED_UP


def left(drug="blockol", **fields):
    """A medicine of which the supply ended ten days ago."""
    return taking(drug, **{"started": ago(40), "stopped": ago(10), "may_go_on": True, **fields})


def found(of, *medications, draft=None, patient=None, **more):
    knowledge = world(*(of if isinstance(of, tuple) else (of,)), groups=GROUPS, **more)
    return findings(knowledge, draft or order("unol"), patient or person(medications=medications))


@pytest.mark.parametrize(
    "fits",
    [
        WITH_BLOCKER,
        Predicate(any=(WITH_BLOCKER,)),
        Predicate(all=(WITH_BLOCKER,)),
        Predicate(any=(Predicate(Fact.COMEDICATION, is_in=("blockers",)),), when_unknown=False),
        Predicate(
            any=(Predicate(Fact.COMEDICATION, is_in=("blockers",)), Predicate(Fact.SEX, is_in=("male",))),
            when_unknown=False,
        ),
    ],
)
def test_an_interaction_that_may_be_there_is_named(fits):
    finding = only(found(table("unol", row({}, "avoid"), population=population(fits)), left()))
    assert (finding.kind, finding.silent) == (Kind.NOT_ASSESSED, "")
    assert finding.gaps == (Gap("blockol", USED_UP),)


def test_an_interaction_that_would_change_nothing_is_silent():
    assert shown(found(table("unol", row({}, "standard"), population=population(WITH_BLOCKER)), left())) == []


@pytest.mark.parametrize("beside", [left("otherol"), left(route="ophthalmic"), left(may_go_on=False)])
def test_other_medicines_leave_no_doubt(beside):
    assert shown(found(PAIR, beside)) == []


@pytest.mark.parametrize(
    ("beside", "draft"),
    [((taking("blockol"),), ()), ((taking("haltol"),), ()), ((), (order("blockol"),))],
)
def test_what_is_taken_or_drafted_decides(beside, draft):
    patient = person(medications=(left(), *beside))
    finding = only(f for f in found(PAIR, draft=(order("unol"), *draft), patient=patient) if f.drug == "unol")
    assert finding.kind is Kind.CHANGE_NOW


def test_a_list_that_was_lost_goes_before_the_doubt():
    finding = only(found(PAIR, patient=without(person(medications=(left(),)), Query.MEDICATIONS)))
    assert finding.gaps == (Gap("comedication", GapReason.NOT_OBTAINED),)


def test_a_site_that_never_sends_medicines_leaves_no_doubt():
    patient = person(availability={**person().availability, Query.MEDICATIONS: Availability.MISSING})
    assert shown(found(PAIR, patient=patient)) == []
    asked = table("unol", row({}, "avoid"), population=population(Predicate(Fact.COMEDICATION, is_in=("blockers",))))
    assert only(found(asked, patient=patient)).gaps == (Gap("comedication", GapReason.MISSING),)


@pytest.mark.parametrize("when_unknown", [False, None])
def test_what_may_be_taken_still_protects_nobody(when_unknown):
    shield = Predicate(Fact.COMEDICATION, is_in=("shields",), when_unknown=when_unknown)
    of = table("unol", row({}, "avoid"), population=population(Predicate(none=(shield,))))
    assert only(found(of, left("shieldol"))).kind is Kind.CHANGE_NOW


def test_an_assumption_that_it_is_taken_stands():
    assumed = Predicate(Fact.COMEDICATION, is_in=("blockers",), when_unknown=True)
    assert (
        only(found(table("unol", row({}, "avoid"), population=population(assumed)), left())).kind is Kind.CHANGE_NOW
    )


def test_the_drug_itself_is_no_new_start_where_it_may_go_on():
    def exposure(**fields):
        return exposure_days(around("unol", person(medications=(left("unol", **fields),)), world(PAIR)))

    assert exposure() == (40, 40)
    assert exposure(stopped=ago(20)) == (0, 40)
    assert exposure(may_go_on=False) == (0, 0)


OPIOL = table(
    "opiol",
    row({BETA: POOR}, advice("avoid", gravity=Gravity.SERIOUS)),
    row({BETA: (INTERMEDIATE, NORMAL, ULTRARAPID)}, "standard"),
    uses={BETA: use("recommended")},
)
INHIBITION = {
    "modifiers": (
        Modifier(
            "m",
            BETA,
            "guideline",
            Trust.READ,
            {ModulatorStrength.STRONG: 0, ModulatorStrength.MODERATE: 0.5},
            ("opiol",),
        ),
    ),
    "modulators": (
        Modulator("BETA", ModulatorRole.INHIBITOR, ModulatorStrength.STRONG, "blockol", "guideline", Trust.READ),
        Modulator("BETA", ModulatorRole.INHIBITOR, ModulatorStrength.MODERATE, "haltol", "guideline", Trust.READ),
    ),
}


def test_a_result_that_an_inhibitor_may_undo_is_not_settled():
    patient = person(score(BETA, 2.0), medications=(left(), left("haltol"), left("otherol")))
    finding = only(found(OPIOL, draft=order("opiol"), patient=patient, **INHIBITION))
    assert (finding.kind, finding.gaps) == (Kind.NOT_ASSESSED, (Gap("blockol", USED_UP),))


def test_it_is_not_settled_either_where_the_inhibitor_undoes_one_of_the_states_left():
    """Of a normal metaboliser with a score of 1.25 or 2.0 the moderate one leaves 1.0 in one case alone."""
    of = table("opiol", row({BETA: "1.0"}, "avoid"), row({BETA: ("0.5", NORMAL)}, "standard", id="rest"))
    finding = only(
        found(
            of,
            draft=order("opiol"),
            patient=person(phenotype(BETA, NORMAL), medications=(left("haltol"),)),
            **INHIBITION,
        )
    )
    assert (finding.kind, finding.gaps) == (Kind.NOT_ASSESSED, (Gap("haltol", USED_UP),))


def test_a_test_is_asked_for_and_the_inhibitor_named_beside_it():
    finding = only(found(OPIOL, left(), draft=order("opiol"), **INHIBITION))
    assert (finding.kind, finding.gaps) == (Kind.TEST_WOULD_CHANGE, (Gap("blockol", USED_UP),))


def test_a_marker_that_nothing_shifts_is_as_it_is():
    of = table("unol", row({ALPHA: POOR}, "standard"))
    assert shown(found(of, patient=person(POOR_READING, medications=(left(),)), **INHIBITION)) == []


def test_a_draft_that_would_harm_what_may_be_taken_still_says_so():
    finding = only(f for f in found(PAIR, left("unol"), draft=order("blockol")) if f.kind is Kind.NOT_ASSESSED)
    assert (finding.order.name, finding.drug, finding.table) == ("blockol", "blockol", "")
    assert finding.gaps == (Gap("unol", USED_UP),)


@pytest.mark.parametrize(
    ("beside", "draft"),
    [
        ((left("unol", may_go_on=False),), order("blockol")),
        ((left("unol"), taking("unol")), order("blockol")),
        ((left("unol"),), order("otherol")),
        ((left("unol"),), order("shieldol")),
    ],
)
def test_a_draft_that_would_not_says_nothing_of_it(beside, draft):
    harmless = table(
        "unol",
        row({}, "standard"),
        id="harmless",
        population=population(Predicate(Fact.COMEDICATION, is_in=("shields",), when_unknown=False)),
    )
    kinds = [f.kind for f in found((PAIR, harmless), *beside, draft=draft) if not f.silent]
    assert Kind.NOT_ASSESSED not in kinds
