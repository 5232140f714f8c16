"""The advice now (docs/reasoning.md, step 5)."""

from __future__ import annotations

import pytest

from cds_service import model
from cds_service.knowledge.schema import Fact, Predicate
from cds_service.model import (
    NO_RESULT,
    Action,
    DoseChange,
    Option,
    Outcome,
    PendingTest,
    ResultingOrder,
    Timing,
)
from cds_service.reasoning.apply import AS_DRAFTED
from cds_service.reasoning.decide import Basis
from cds_service.reasoning.questions import Status
from tests.support.tiny import (
    ALPHA,
    BETA,
    INTERMEDIATE,
    NORMAL,
    POOR,
    RAPID,
    REST,
    ULTRARAPID,
    advice,
    ago,
    fatal,
    half,
    reading,
    row,
    shares,
    swap,
    table,
    taking,
    use,
    world,
)

from .deciding import FIRST, OTHER_DRUG, decided, question, share, unol


def test_a_known_state_gives_its_advice():
    found = decided(unol(), reading(ALPHA, "*2/*2"))
    assert found.basis is Basis.ONE_OUTCOME
    assert found.now.row.id == POOR
    assert found.changes_now
    assert found.questions == ()


def test_nothing_known_leaves_the_order_and_asks():
    found = decided(unol())
    assert (found.basis, found.now.resulting, found.now.row) == (Basis.DRAFT, AS_DRAFTED, None)
    assert question(found).status is Status.OPEN
    assert not found.changes_now
    assert not found.holds_order


def test_advice_that_all_states_share_is_given_at_once():
    of = table("unol", row({ALPHA: (POOR, INTERMEDIATE)}, "avoid", id="both"))
    assert decided(of, reading(ALPHA, "*2/*9")).now.row.id == "both"


def test_what_every_result_would_come_to_stands_before_what_is_said_without_one():
    of = table(
        "unol",
        row({ALPHA: INTERMEDIATE}, "avoid"),
        row({ALPHA: (POOR, NORMAL, RAPID, ULTRARAPID)}, swap("otherol"), id="most"),
        row({ALPHA: NO_RESULT}, "standard"),
    )
    found = decided(of)
    assert (found.basis, found.now.resulting, found.questions) == (Basis.ONE_OUTCOME, OTHER_DRUG, ())
    assert found.now.row.id == "most", "the advice of most of the results"


def test_states_of_which_no_row_speaks_leave_the_order():
    found = decided(table("unol", row({ALPHA: POOR}, "avoid")), reading(ALPHA, model.OneOf((NORMAL, RAPID))))
    assert (found.now.row, found.now.resulting, found.questions) == (None, AS_DRAFTED, ())


def test_of_several_rows_that_leave_the_order_only_the_literal_one_says_why():
    of = table("unol", row({ALPHA: NORMAL}, "standard"), row({ALPHA: (POOR, *REST)}, "monitor", id="m"))
    assert decided(of).now.row is None
    literal = table("unol", row({ALPHA: NORMAL}, "standard"), row({ALPHA: NO_RESULT}, "monitor"))
    assert decided(literal).now.row.id == NO_RESULT


def test_a_state_that_no_row_answers_is_not_reassured_by_another():
    of = table("unol", row({ALPHA: NORMAL}, "standard"))
    assert decided(of).now.row is None
    assert decided(of, reading(ALPHA, "*1/*1")).now.row.id == NORMAL


def test_the_no_result_row_speaks_now_and_never_closes_the_question():
    found = decided(unol(more=(row({ALPHA: NO_RESULT}, half()),)))
    assert found.basis is Basis.NO_RESULT_ROW
    assert found.changes_now
    assert question(found).status is Status.OPEN


@pytest.mark.parametrize("action", ["no_recommendation", "use_other_test"])
def test_a_literal_row_without_advice_says_nothing(action):
    assert decided(unol(more=(row({ALPHA: NO_RESULT}, action),))).basis is Basis.DRAFT
    second = advice(half(), Option(Action(action)))
    assert decided(unol(more=(row({ALPHA: NO_RESULT}, second),))).basis is Basis.NO_RESULT_ROW


def test_where_every_row_departs_the_mildest_is_given_and_more_may_follow():
    found = decided(unol(rest=half()))
    assert found.basis is Basis.MILDEST
    assert found.now.resulting.outcome is Outcome.CHANGED_DOSE
    assert question(found).question.branches[0].resulting.outcome is Outcome.CHANGED_DOSE


def test_no_recommendation_does_not_depart():
    assert decided(unol(rest="no_recommendation")).basis is Basis.DRAFT


def test_a_test_required_before_the_start_waits_and_never_changes_now():
    found = decided(unol(fatal(), uses={ALPHA: FIRST}))
    assert found.basis is Basis.WAIT
    assert found.holds_order
    assert not found.changes_now
    assert found.now.resulting.outcome is Outcome.WAIT


def test_one_test_that_must_come_first_is_enough_to_wait():
    of = table(
        "duol", row({ALPHA: POOR}, fatal()), row({ALPHA: REST, BETA: POOR}, half(), id="b"), uses={ALPHA: FIRST}
    )
    found = decided(of)
    assert [q.marker for q in found.questions] == [ALPHA, BETA]
    assert found.holds_order


def test_a_change_that_every_outcome_asks_for_is_made_and_not_waited_with():
    found = decided(unol(half(0.25), half(), uses={ALPHA: FIRST}))
    assert (found.basis, found.changes_now, found.holds_order) == (Basis.MILDEST, True, False)
    assert question(found).fires


def test_a_no_result_row_does_not_end_the_waiting():
    found = decided(unol(fatal(), uses={ALPHA: FIRST}, more=(row({ALPHA: NO_RESULT}, "standard"),)))
    assert found.basis is Basis.WAIT
    assert found.now.row.id == NO_RESULT


def test_a_pending_result_is_waited_for():
    found = decided(unol(fatal(), uses={ALPHA: FIRST}), pending=(PendingTest((ALPHA,), "S", ago(1)),))
    assert question(found).status is Status.PENDING
    assert found.holds_order


@pytest.mark.parametrize(
    "marker_use",
    [
        use("required"),
        use("recommended", timing=Timing.BEFORE_START),
        use("required", timing=Timing.BEFORE_START, tolerated_after_days=90),
    ],
)
def test_otherwise_nothing_waits(marker_use):
    found = decided(unol(fatal(), uses={ALPHA: marker_use}), medications=(taking("unol", started=ago(100)),))
    assert found.basis is Basis.DRAFT


def test_outcomes_that_leave_the_same_order_ask_nothing():
    assert decided(unol("monitor", "standard")).questions == ()


@pytest.mark.parametrize("level", ["required", "recommended"])
def test_where_labelling_asks_what_is_done_beside_the_order_counts(level):
    asked = decided(unol("monitor", "standard", uses={ALPHA: use(level)}))
    assert question(asked).fires


def test_a_dose_gate_counts_like_labelling():
    gate = use("none", required_when=(Predicate(Fact.DAILY_DOSE, above=50),))
    of = unol("monitor", "standard", uses={ALPHA: gate})
    assert question(decided(of, mg=60)).testing is model.Testing.REQUIRED
    assert decided(of, mg=40).questions == ()


def test_no_recommendation_is_nothing_done_beside_the_order():
    assert decided(unol("no_recommendation", "standard", uses={ALPHA: use("required")})).questions == ()


def test_what_comes_second_and_another_word_for_the_same_change_ask_for_nothing():
    asked = {ALPHA: use("required")}
    assert decided(unol(advice("standard", Option(Action.MONITOR)), "standard", uses=asked)).questions == ()
    assert decided(unol("avoid", swap("otherol"), uses=asked)).questions == ()


def test_beside_a_result_that_changes_the_order_anyway_only_the_further_change_counts():
    others = (INTERMEDIATE, NORMAL, ULTRARAPID)
    of = table(
        "duol",
        row({ALPHA: POOR, BETA: POOR}, "avoid", id="both"),
        row({ALPHA: POOR, BETA: others}, half(), id="one"),
    )
    frequencies = (*share(0.5), *shares(BETA, Poor_Metabolizer=0.1, Normal_Metabolizer=0.9))
    asked = question(decided(of, knowledge=world(of, frequencies=frequencies)), BETA)
    assert asked.question.probability.high == pytest.approx(0.05)


def test_a_floor_of_other_tables_closes_what_cannot_lead_beyond_it():
    of = unol(uses={ALPHA: use("required")})
    assert decided(of, floor=OTHER_DRUG).questions == ()
    assert decided(of, floor=ResultingOrder(Outcome.CHANGED_DOSE, DoseChange("start"))).questions != ()
    beside = unol("monitor", "standard", uses={ALPHA: use("required")})
    assert decided(beside, floor=OTHER_DRUG).questions == ()


def test_a_known_marker_closes_the_other():
    of = table(
        "duol",
        row({ALPHA: POOR}, "avoid"),
        row({ALPHA: REST, BETA: POOR}, half(), id="beta_poor"),
    )
    assert {q.marker for q in decided(of).questions} == {ALPHA, BETA}
    assert {q.marker for q in decided(of, reading(ALPHA, "*1/*1")).questions} == {BETA}
    assert decided(of, reading(ALPHA, "*2/*2")).questions == ()
