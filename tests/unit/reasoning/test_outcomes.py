"""What each result of a test would make of the order."""

from __future__ import annotations

from cds_service.model import (
    NO_RESULT,
    Action,
    Advice,
    Branch,
    Grade,
    Option,
    Outcome,
)
from cds_service.reasoning.apply import departs
from cds_service.reasoning.questions import Status
from tests.support.tiny import (
    ALPHA,
    BETA,
    HLA,
    INTERMEDIATE,
    NORMAL,
    POOR,
    RAPID,
    REST,
    TODAY,
    ULTRARAPID,
    fatal,
    half,
    hla,
    phenotype,
    row,
    table,
    use,
)

from .deciding import FIRST, OTHER_DRUG, decided, question


def test_branches_group_states_by_consequence_the_mildest_first():
    of = table("unol", row({ALPHA: POOR}, "stop"), row({ALPHA: (INTERMEDIATE, NORMAL)}, half(), id="middle"))
    found = question(decided(of)).question.branches
    assert [b.states for b in found] == [(RAPID, ULTRARAPID), (INTERMEDIATE, NORMAL), (POOR,)]
    assert [departs(b.resulting) for b in found] == [False, True, True]
    assert isinstance(found[0], Branch)


def test_branches_show_what_a_floor_leaves():
    of = table("unol", row({ALPHA: POOR}, "stop"), row({ALPHA: REST}, "standard", id="rest"))
    found = question(decided(of, floor=OTHER_DRUG)).question.branches
    assert [b.resulting.outcome for b in found] == [Outcome.OTHER_DRUG, Outcome.STOP]


def test_with_other_markers_open_a_state_stands_for_its_mildest_consequence():
    of = table("duol", row({ALPHA: POOR, BETA: POOR}, "stop"), row({ALPHA: POOR, BETA: NORMAL}, half(), id="half"))
    found = question(decided(of, phenotype(BETA, NORMAL), phenotype(ALPHA, POOR, grade=Grade.UNVERIFIED)))
    assert [b.resulting.outcome for b in found.question.branches] == [Outcome.AS_DRAFTED, Outcome.CHANGED_DOSE]


def test_with_other_markers_open_the_row_that_speaks_of_a_state_alone_is_shown():
    more = (
        row({ALPHA: POOR, BETA: NO_RESULT}, half(), id="alone"),
        row({ALPHA: POOR, BETA: NORMAL}, "standard", id="ok"),
    )
    of = table("duol", row({ALPHA: POOR, BETA: POOR}, "stop"), *more, row({ALPHA: REST}, "standard", id="rest"))
    found = question(decided(of)).question.branches
    assert [(b.states, b.resulting.outcome) for b in found] == [
        ((INTERMEDIATE, NORMAL, RAPID, ULTRARAPID), Outcome.AS_DRAFTED),
        ((POOR,), Outcome.CHANGED_DOSE),
    ]


def test_where_one_of_two_results_is_enough_a_state_stands_for_what_it_leads_to_when_the_other_is_missing():
    of = table("duol", row({ALPHA: POOR, HLA: "positive"}, "stop"))
    found = question(decided(of)).question.branches
    assert [(b.states, departs(b.resulting)) for b in found] == [(REST, False), ((POOR,), True)]
    assert [b.given for b in found] == [(), ((HLA, ("positive",)),)]


def test_where_only_what_is_done_beside_the_order_differs_the_states_are_told_apart_by_that():
    look = row({ALPHA: POOR, HLA: "positive"}, "monitor")
    usual = (
        row({ALPHA: REST, HLA: "positive"}, "standard", id="usual"),
        row({HLA: "negative"}, "standard", id="rest"),
    )
    of = table("duol", look, *usual, uses={ALPHA: use("required"), HLA: use()})
    found = question(decided(of)).question.branches
    told = [(b.states, b.advice.options[0].action, b.given) for b in found]
    assert ((POOR,), Action.MONITOR, ((HLA, ("positive",)),)) in told
    assert [states for states, action, _ in told if action is Action.MONITOR] == [(POOR,)]


def test_where_as_much_is_done_beside_the_order_each_state_keeps_its_own_row():
    watch, count = Option(Action.MONITOR, note="signs"), Option(Action.MONITOR, note="counts")
    of = table(
        "unol",
        row({ALPHA: POOR}, Advice((watch,))),
        row({ALPHA: REST}, Advice((count,)), id="rest"),
        uses={ALPHA: use("required")},
    )
    found = question(decided(of)).question.branches
    assert {b.states: b.advice.options[0].note for b in found} == {(POOR,): "signs", REST: "counts"}


def test_a_conflict_is_held_against_what_its_readings_say():
    found = decided(
        table("abol", row({HLA: "positive"}, fatal()), row({HLA: "negative"}, "standard"), uses={HLA: FIRST}),
        hla(True),
        hla(False),
    )
    assert question(found, HLA).status is Status.CONFLICT
    assert found.holds_order
    assert Option(Action.AVOID) in found.situation.reached[("positive",)].advice.options
    assert found.situation.context.today == TODAY
