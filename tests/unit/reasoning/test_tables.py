"""A table held against an order: what is left open, what each assignment leads to, which row speaks literally."""

from __future__ import annotations

from cds_service.knowledge.schema import DrugGroup, Modifier, Modulator
from cds_service.model import (
    INDETERMINATE,
    NO_RESULT,
    Action,
    Grade,
    Indeterminate,
    Option,
    Outcome,
    Trust,
    Undetermined,
)
from cds_service.policy import Policy
from cds_service.reasoning.tables import NO_ADVICE, situation_of, states_if_verified
from tests.support.tiny import (
    ALPHA,
    BETA,
    INTERMEDIATE,
    NORMAL,
    POOR,
    XI,
    advice,
    around,
    fatal,
    half,
    person,
    phenotype,
    reading,
    row,
    table,
    taking,
    world,
)

TWO = table(
    "duol",
    row({ALPHA: POOR}, "avoid"),
    row({ALPHA: NORMAL, BETA: POOR}, half()),
    row({ALPHA: NORMAL, BETA: NO_RESULT}, half(0.8), id="unknown_beta"),
    row({ALPHA: NORMAL, BETA: INDETERMINATE}, half(0.7), id="undetermined_beta"),
    row({ALPHA: NORMAL, BETA: NORMAL}, "standard"),
)
DEFERRING = table(
    "oxidol",
    row({XI: "Deficient"}, fatal()),
    row({XI: "Variable"}, "use_other_test"),
    row({XI: INDETERMINATE}, "use_other_test"),
    row({XI: "Normal"}, "standard"),
)


def situation(of, *readings, medications=(), knowledge=None, **fields):
    patient = person(*readings, medications=medications, **fields)
    return situation_of(of, around(of.drugs[0], patient, knowledge or world(of)), Policy())


def test_states_if_an_unverified_result_were_confirmed():
    home = reading(ALPHA, "*2/*2", grade=Grade.UNVERIFIED)
    assert states_if_verified(ALPHA, situation(TWO, home)) == {POOR}
    assert len(states_if_verified(BETA, situation(TWO, home))) > 1


def test_every_assignment_of_what_is_left_is_reached():
    found = situation(TWO, reading(ALPHA, "*1/*1"))
    assert found.markers == (ALPHA, BETA)
    assert found.open_markers() == (BETA,)
    assert len(found.reached) == 8
    assert found.reached[(NORMAL, "0.0")].resulting.outcome is Outcome.CHANGED_DOSE
    unnamed = found.reached[(NORMAL, "1.0")]
    assert unnamed.row is None
    assert unnamed.advice == NO_ADVICE
    assert unnamed.resulting.outcome is Outcome.AS_DRAFTED


def test_the_literal_row_is_that_of_exactly_what_is_known():
    normal = reading(ALPHA, "*1/*1")
    assert situation(TWO, normal).literal.id == "unknown_beta"
    assert situation(TWO, normal, reading(BETA, Undetermined())).literal.id == "undetermined_beta"
    assert situation(TWO, normal, phenotype(BETA, INTERMEDIATE)).literal.id == "unknown_beta"
    assert situation(TWO).literal is None
    assert situation(TWO, reading(ALPHA, "*2/*2")).literal.id == POOR


def test_a_state_that_defers_is_none_that_a_test_returns():
    assert situation(DEFERRING).domains == (frozenset({"Deficient", "Normal"}),)


def test_a_known_state_that_defers_leaves_open_what_the_other_test_returns():
    found = situation(DEFERRING, reading(XI, "A-/B"))
    known = found.view(XI).knowledge
    assert isinstance(known, Indeterminate)
    assert (known.literal, known.spent) == ("Variable", {"genotype"})
    assert found.domains == (frozenset({"Deficient", "Normal"}),)
    assert found.literal.id == "Variable"


def test_a_range_that_may_defer_leaves_open_what_the_other_test_returns():
    found = situation(DEFERRING, reading(XI, "A-"), sex="female")
    assert found.domains == (frozenset({"Deficient", "Normal"}),)


MODIFIED = world(
    TWO,
    modifiers=(Modifier("m", BETA, "guideline", Trust.READ, {"strong": 0.0, "moderate": 0.5}, ("duol",)),),
    modulators=tuple(
        Modulator("BETA", "inhibitor", s, d, "label", Trust.READ)
        for d, s in (("blockol", "strong"), ("slowol", "moderate"))
    ),
)


def test_what_advice_asks_for_and_is_under_way_is_left_out():
    first = Option(Action.PREPARE_FIRST, under_way_with="shields")
    of = table("unol", row({ALPHA: POOR}, advice(first, Option(Action.MONITOR))))
    knowledge = world(of, groups=(DrugGroup("shields", ("shieldol",)),))
    poor = reading(ALPHA, "*2/*2")

    def options(*taken):
        return situation(of, poor, medications=taken, knowledge=knowledge).literal.advice.options

    assert options() == options(taking("otherol")) == (first, Option(Action.MONITOR))
    assert options(taking("shieldol")) == (Option(Action.MONITOR),)


def test_a_shift_moves_the_states_and_decides_the_literal_row():
    normal = reading(ALPHA, "*1/*1")
    found = situation(TWO, normal, medications=(taking("blockol"),), knowledge=MODIFIED)
    assert found.view(BETA).effective == {"0.0"}
    assert found.view(BETA).modified_by == ("blockol",)
    assert found.literal.id == f"{NORMAL}_and_{POOR}"
    undetermined = (normal, reading(BETA, Undetermined()))
    blocked = situation(TWO, *undetermined, medications=(taking("blockol"),), knowledge=MODIFIED)
    assert blocked.literal.id == f"{NORMAL}_and_{POOR}"
    slowed = situation(TWO, *undetermined, medications=(taking("slowol"),), knowledge=MODIFIED)
    assert slowed.literal.id == "undetermined_beta"


def test_published_states_move_with_the_shift():
    found = situation(TWO, medications=(taking("slowol"),), knowledge=MODIFIED)
    assert found.moved(BETA, frozenset({"2.0", "1.0"})) == {"1.0", "0.5"}
    assert found.moved(ALPHA, frozenset({NORMAL})) == {NORMAL}
    told = situation(TWO, phenotype(BETA, POOR), medications=(taking("slowol"),), knowledge=MODIFIED)
    assert told.moved(BETA, frozenset({"2.0", "0.0"})) == {"0.0"}
