"""A value that is fine today and must be looked at again: the recheck is offered once."""

from __future__ import annotations

import pytest

from cds_service.codes import LOINC, Coding
from cds_service.knowledge.schema import Band, Test
from cds_service.model import Action, Kind, Option, Outcome, PendingTest, Quantity, Reading
from cds_service.policy import CatalogueTest, Policy
from cds_service.reasoning.apply import AS_DRAFTED
from cds_service.reasoning.decide import WAIT, decide, floored
from cds_service.reasoning.findings import findings_of
from cds_service.reasoning.predicates import TRUE
from cds_service.reasoning.tables import situation_of
from tests.support.tiny import (
    ALPHA,
    NORMAL,
    POOR,
    advice,
    ago,
    around,
    findings,
    half,
    only,
    order,
    person,
    reading,
    row,
    table,
    use,
    world,
)

POTASSIUM = "lab:potassium"
AGAIN = Option(Action.MONITOR, note="potassium", recheck=POTASSIUM, recheck_days=(3, 5))
USE = use(
    "recommended",
    bands={
        "low": Band(below=3.5),
        "usual": Band(at_least=3.5, at_most=5.0),
        "raised": Band(above=5.0, at_most=5.5),
        "high": Band(above=5.5),
    },
    unit="mmol/L",
)
TABLE = table(
    "kaliol",
    row({POTASSIUM: "usual"}, advice("standard", AGAIN)),
    row({POTASSIUM: ("low", "high")}, "avoid", id="unsafe"),
    uses={POTASSIUM: USE},
)
TEST = Test("potassium", (POTASSIUM,), (Coding(LOINC, "2823-3"),), "chemistry", "study")


def found(value: float, tests=(TEST,), policy=None, **fields):
    result = Reading(POTASSIUM, Quantity(value, "mmol/L"), "Observation/k", on=ago(1))
    return only(findings(world(TABLE, tests=tests), order("kaliol"), person(result, **fields), policy))


def test_a_usual_value_offers_the_recheck_with_its_days_and_outcomes():
    finding = found(4.2)
    assert (finding.kind, finding.silent) == (Kind.TEST_WOULD_CHANGE, "")
    assert finding.resulting.outcome is Outcome.AS_DRAFTED
    (question,) = finding.tests
    assert question.due_days == (3, 5)
    assert [(b.states, b.resulting.outcome) for b in question.branches] == [
        (("usual",), Outcome.AS_DRAFTED),
        (("low", "high"), Outcome.OTHER_DRUG),
    ], "the mildest first"


def test_a_recheck_takes_as_long_as_the_sites_catalogue_says():
    entry = CatalogueTest((POTASSIUM,), "K", "urn:x", "Potassium", turnaround_days=(0, 2), method="chemistry")
    (question,) = found(4.2, policy=Policy(catalogue=(entry,))).tests
    assert question.turnaround_days == (0, 2)


def test_the_outcomes_of_a_recheck_are_those_beside_what_else_is_known():
    both = table(
        "kaliol",
        row({ALPHA: NORMAL, POTASSIUM: "usual"}, advice("standard", AGAIN), id="fine"),
        row({ALPHA: NORMAL, POTASSIUM: "high"}, half(), id="normal"),
        row({ALPHA: POOR, POTASSIUM: "high"}, "stop", id="poor"),
        uses={POTASSIUM: USE},
    )
    result = Reading(POTASSIUM, Quantity(4.2, "mmol/L"), "Observation/k", on=ago(1))
    patient = person(reading(ALPHA, "*1/*1"), result)
    (question,) = only(findings(world(both, tests=(TEST,)), order("kaliol"), patient)).tests
    assert [b.resulting.outcome for b in question.branches] == [Outcome.AS_DRAFTED, Outcome.CHANGED_DOSE]


def test_no_second_recheck_where_one_is_ordered():
    finding = found(4.2, pending=(PendingTest((POTASSIUM,), "ServiceRequest/1"),))
    assert (finding.kind, finding.silent) == (Kind.NO_CHANGE, "no_change")


def test_no_recheck_beside_a_change_nor_without_a_test():
    assert found(5.6).kind is Kind.CHANGE_NOW
    assert found(5.6).tests == ()
    assert found(4.2, tests=()).kind is Kind.NO_CHANGE


@pytest.mark.parametrize("floor", [AS_DRAFTED, WAIT])
def test_the_recheck_is_offered_whatever_other_tables_make_of_the_order(floor):
    result = Reading(POTASSIUM, Quantity(4.2, "mmol/L"), "Observation/k", on=ago(1))
    context = around("kaliol", person(result), world(TABLE, tests=(TEST,)))
    decision = floored(decide(situation_of(TABLE, context, Policy()), Policy()), Policy(), floor)
    assert decision.floor == floor
    finding = only(findings_of(decision, TRUE, Policy()))
    assert finding.kind is Kind.TEST_WOULD_CHANGE
    assert [question.test for question in finding.tests] == ["potassium"]
