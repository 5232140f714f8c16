"""What a preliminary result would make of the order is told, and decides nothing (decision 17)."""

from __future__ import annotations

from cds_service.knowledge.schema import Concerns
from cds_service.model import Kind, Outcome, ReadingStatus
from tests.support.tiny import (
    ALPHA,
    BETA,
    NORMAL,
    POOR,
    REST,
    ago,
    findings,
    half,
    only,
    order,
    person,
    phenotype,
    reading,
    row,
    shown,
    table,
    taking,
    use,
    world,
)

POOR_SO_FAR = reading(ALPHA, "*2/*2", status=ReadingStatus.PRELIMINARY)
EITHER = table("unol", row({ALPHA: POOR}, "avoid"), row({ALPHA: REST, BETA: POOR}, "avoid", id="beta"))


def unol(then="avoid", **fields):
    return table("unol", row({ALPHA: POOR}, then), row({ALPHA: REST}, "standard", id="rest"), **fields)


def told(*tables, patient):
    found = shown(findings(world(*tables), order("unol"), patient))
    return [finding for finding in found if finding.preliminary is not None]


def test_a_preliminary_result_against_the_order_is_told_beside_the_final_one_that_stands():
    finding = only(told(unol(), patient=person(reading(ALPHA, "*1/*1"), POOR_SO_FAR)))
    assert (finding.kind, finding.resulting.outcome) == (Kind.TEST_PENDING, Outcome.AS_DRAFTED)
    assert finding.preliminary.resulting.outcome is Outcome.OTHER_DRUG
    (view,) = finding.preliminary.markers
    assert view.knowledge.readings == (POOR_SO_FAR,), "as it is: preliminary"


def test_the_card_about_it_is_about_its_marker_alone():
    finding = only(told(EITHER, patient=person(POOR_SO_FAR, reading(ALPHA, "*1/*1"), phenotype(BETA, NORMAL))))
    assert [view.marker for view in finding.markers] == [ALPHA]


def test_what_would_make_no_more_of_the_order_than_is_said_already_is_not_told():
    patient = person(reading(ALPHA, "*2/*2"), phenotype(BETA, POOR, status=ReadingStatus.PRELIMINARY))
    assert told(EITHER, patient=patient) == []
    limit = table("unol", row({}, "avoid"), id="limit")
    assert told(limit, unol(half()), patient=person(POOR_SO_FAR)) == [], "another table says more"
    assert [f.table for f in told(limit, unol("stop"), patient=person(POOR_SO_FAR))] == ["unol_table"]


def test_a_change_that_would_be_silent_as_a_final_result_is_silent():
    starting = unol(concerns=Concerns.START, uses={ALPHA: use(tolerated_after_days=90)})
    patient = person(POOR_SO_FAR, medications=(taking("unol", started=ago(100)),))
    assert told(starting, patient=patient) == []
    assert told(starting, patient=person(POOR_SO_FAR)) != []
