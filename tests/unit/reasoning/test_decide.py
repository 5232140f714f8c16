"""The advice now, which tests would change it, and which of them may interrupt (docs/reasoning.md, steps 5 to 7)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cds_service import model
from cds_service.knowledge.schema import Band, Fact, Predicate, Test
from cds_service.model import (
    INDETERMINATE,
    NO_RESULT,
    Action,
    Advice,
    Branch,
    DoseChange,
    Grade,
    NotReadable,
    Option,
    Outcome,
    PendingTest,
    Quantity,
    Query,
    ResultingOrder,
    Span,
    Strength,
    Timing,
    Undetermined,
)
from cds_service.policy import CatalogueTest, Policy
from cds_service.reasoning.apply import AS_DRAFTED, departs
from cds_service.reasoning.asking import testing_level as level_of
from cds_service.reasoning.decide import Basis, decide
from cds_service.reasoning.questions import Status
from cds_service.reasoning.tables import situation_of
from cds_service.reasoning.usable_tests import turnaround_days
from tests.support.tiny import (
    ALPHA,
    BETA,
    HLA,
    INTERMEDIATE,
    MU,
    NORMAL,
    POOR,
    RAPID,
    TESTS,
    TODAY,
    ULTRARAPID,
    XI,
    advice,
    ago,
    around,
    fatal,
    half,
    hla,
    person,
    phenotype,
    reading,
    row,
    shares,
    swap,
    table,
    taking,
    use,
    without,
    world,
)

KALI = "lab:potassium"
OTHER_DRUG = ResultingOrder(Outcome.OTHER_DRUG)
REST = (INTERMEDIATE, NORMAL, RAPID, ULTRARAPID)
FIRST = use("required", timing=Timing.BEFORE_START)


def unol(poor="avoid", rest="standard", more=(), **fields):
    return table("unol", row({ALPHA: POOR}, poor), row({ALPHA: REST}, rest, id="rest"), *more, **fields)


def decided(of, *readings, floor=AS_DRAFTED, policy=None, knowledge=None, patient=None, mg=None, **fields):
    patient = patient or person(*readings, **fields)
    context = around(of.drugs[0], patient, knowledge or world(of), mg=mg)
    return decide(situation_of(of, context, policy or Policy()), policy or Policy(), floor)


def question(decision, marker=ALPHA):
    (found,) = (q for q in decision.questions if q.marker == marker)
    return found


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


@pytest.mark.parametrize(
    ("readings", "fields", "status"),
    [
        ((), {}, Status.OPEN),
        ((reading(ALPHA, "*2/*2"), reading(ALPHA, "*1/*1")), {}, Status.CONFLICT),
        ((reading(ALPHA, "*2/*2", grade=Grade.UNVERIFIED),), {}, Status.CONFIRM),
        ((reading(ALPHA, NotReadable("pdf")),), {}, Status.ON_FILE),
        ((), {"availability": {}}, Status.NOT_OBTAINED),
        ((), {"pending": (PendingTest((ALPHA,), "S", ago(15)),)}, Status.PENDING),
        ((), {"pending": (PendingTest((ALPHA,), "S", ago(16)),)}, Status.OPEN),
        ((), {"pending": (PendingTest((ALPHA,), "S"),)}, Status.PENDING),
        ((reading(ALPHA, "*2/*9"),), {}, Status.OPEN),
        ((reading(ALPHA, "*2/*9", on=ago(9)),), {"pending": (PendingTest((ALPHA,), "S", ago(2)),)}, Status.PENDING),
        ((reading(ALPHA, "*2/*9", on=ago(2)),), {"pending": (PendingTest((ALPHA,), "S", ago(9)),)}, Status.OPEN),
        ((reading(ALPHA, "*2/*9", on=ago(2)),), {"pending": (PendingTest((ALPHA,), "S"),)}, Status.PENDING),
        ((reading(ALPHA, "*2/*9"),), {"pending": (PendingTest((ALPHA,), "S", ago(2)),)}, Status.PENDING),
        (
            (reading(ALPHA, "*2/*9", on=ago(9)),),
            {"pending": (PendingTest((ALPHA,), "S", Span(ago(10), ago(2))),)},
            Status.OPEN,
        ),
        (
            (reading(ALPHA, "*2/*9", on=Span(ago(9), ago(1))),),
            {"pending": (PendingTest((ALPHA,), "S", ago(2)),)},
            Status.OPEN,
        ),
        (
            (reading(ALPHA, "*2/*9", on=Span(ago(9), ago(3))),),
            {"pending": (PendingTest((ALPHA,), "S", ago(2)),)},
            Status.PENDING,
        ),
        ((), {"pending": (PendingTest((ALPHA,), "S", Span(ago(16), ago(1))),)}, Status.OPEN),
        ((reading(ALPHA, "*2/*9", on=ago(99)),), {"pending": (PendingTest((ALPHA,), "S", ago(80)),)}, Status.OPEN),
    ],
)
def test_status(readings, fields, status):
    of = unol(rest="standard") if not readings else table("unol", row({ALPHA: POOR}, "avoid"))
    tests = (*TESTS, replace(TESTS[0], id="sequencing", method="sequencing"))
    asked = question(decided(of, *readings, knowledge=world(of, tests=tests), **fields))
    assert asked.status is status
    assert asked.question.order_it is (status in (Status.OPEN, Status.CONFLICT, Status.CONFIRM))


def test_a_site_says_its_own_turnaround():
    entry = CatalogueTest((ALPHA,), "LOCAL", "urn:x", "Alpha", turnaround_days=(1, 30))
    pending = (PendingTest((ALPHA,), "S", ago(80)),)
    assert question(decided(unol(), pending=pending)).status is Status.OPEN
    assert question(decided(unol(), pending=pending, policy=Policy(catalogue=(entry,)))).status is Status.PENDING
    other = replace(entry, markers=(BETA,))
    silent = replace(entry, turnaround_days=None)
    assert turnaround_days(TESTS[0], Policy(catalogue=(other, entry))) == (1, 30)
    assert turnaround_days(TESTS[0], Policy(catalogue=(silent,))) == (2, 5)


def test_a_pending_test_that_the_knowledge_does_not_name_stays_pending():
    pending = (PendingTest((ALPHA,), "S", ago(999)),)
    asked = question(decided(unol(), knowledge=world(unol(), tests=()), pending=pending))
    assert (asked.status, asked.question) == (Status.PENDING, None)


def test_a_pending_test_of_unknown_turnaround_stays_pending():
    of = table("betol", row({BETA: POOR}, "avoid"))
    assert question(decided(of, pending=(PendingTest((BETA,), "S", ago(999)),)), BETA).status is Status.PENDING


G6 = {
    "drug": "oxidol",
    "rows": (
        row({XI: "Deficient"}, fatal()),
        row({XI: "Variable"}, "use_other_test"),
        row({XI: INDETERMINATE}, "use_other_test"),
        row({XI: "Normal"}, "standard"),
    ),
}


def oxidol(**fields):
    return table(G6["drug"], *G6["rows"], uses={XI: use(**{"timing": Timing.BEFORE_START, **fields})})


def test_the_preferred_test_is_named():
    assert question(decided(oxidol(testing="required")), XI).question.test == "xi_genotype"


@pytest.mark.parametrize("says", ["A-/B", Undetermined(), "B/Q"])
def test_a_genotype_that_defers_asks_for_the_enzyme(says):
    asked = question(decided(oxidol(), reading(XI, says, method="genotype")), XI)
    assert asked.question.test == "xi_activity"
    assert asked.fires, "the guidance itself asks for the other test"


def test_a_deferring_row_asks_where_nothing_grave_hangs_on_it():
    of = table(
        "oxidol",
        row({XI: "Deficient"}, "avoid"),
        row({XI: "Variable"}, "use_other_test"),
        row({XI: "Normal"}, "standard"),
    )
    assert question(decided(of), XI).silent == "below_threshold"
    assert question(decided(of, reading(XI, "A-/B", method="genotype")), XI).fires


def test_a_failed_run_is_repeated_where_no_other_method_is_left():
    tried = (reading(XI, Undetermined(), method="genotype"), reading(XI, Undetermined(), method="enzyme_activity"))
    asked = question(decided(oxidol(), *tried), XI)
    assert (asked.status, asked.question.test, asked.silent) == (Status.OPEN, "xi_genotype", "")


def test_an_unclear_result_that_no_test_can_clear_asks_for_none():
    of = unol(uses={ALPHA: FIRST})
    asked = question(decided(of, phenotype(ALPHA, INDETERMINATE), knowledge=world(of, tests=())))
    assert (asked.status, asked.question, asked.silent) == (Status.OPEN, None, "no_test")


def test_a_spent_method_leaves_no_test_and_is_said_all_the_same():
    asked = question(decided(unol(uses={ALPHA: FIRST}), phenotype(ALPHA, INDETERMINATE)))
    assert (asked.status, asked.question, asked.silent) == (Status.UNCLEAR, None, "")
    assert question(decided(unol(), phenotype(ALPHA, INDETERMINATE))).silent == "below_threshold"
    assert decided(unol(uses={ALPHA: FIRST}), phenotype(ALPHA, INDETERMINATE)).holds_order


@pytest.mark.parametrize("result", [Undetermined(), model.Phenotype(INDETERMINATE)])
def test_what_is_advised_for_an_unclear_result_is_not_put_off_by_a_repeat(result):
    of = unol(more=(row({ALPHA: INDETERMINATE}, "not_indicated"),), uses={ALPHA: FIRST})
    found = decided(of, reading(ALPHA, result))
    assert (found.basis, found.now.row.id, found.changes_now) == (Basis.NO_RESULT_ROW, INDETERMINATE, True)
    waiting = unol(more=(row({ALPHA: INDETERMINATE}, "use_other_test"),), uses={ALPHA: FIRST})
    assert decided(waiting, reading(ALPHA, result)).basis is Basis.WAIT


def test_an_urgent_drug_needs_an_answer_in_time():
    in_time = question(decided(oxidol(testing="required", urgent=True)), XI)
    assert in_time.question.test == "xi_activity", "the genotype takes five days"
    late = table("muol", row({MU: "increased risk"}, fatal()), uses={MU: FIRST})
    assert question(decided(late), MU).fires
    late = table("muol", row({MU: "increased risk"}, fatal()), uses={MU: replace(FIRST, urgent=True)})
    assert question(decided(late), MU).silent == "no_test"
    beside = table("muol", row({MU: "increased risk"}, fatal()), uses={MU: use("required", urgent=True)})
    assert question(decided(beside), MU).question.test == "mu_genotype"
    unknown = table("betol", row({BETA: POOR}, fatal()), uses={BETA: replace(FIRST, urgent=True)})
    assert question(decided(unknown), BETA).question.test == "beta_genotype"


def test_a_test_that_does_not_tell_the_outcomes_apart_is_none():
    blind = replace(TESTS[0], splits={ALPHA: ((POOR, NORMAL), (INTERMEDIATE, RAPID, ULTRARAPID, POOR))})
    asked = question(decided(unol(), knowledge=world(unol(), tests=(blind,))))
    assert asked.silent == "no_test"
    useful = replace(TESTS[0], splits={ALPHA: ((POOR,), REST)})
    assert question(decided(unol(), knowledge=world(unol(), tests=(useful,)))).question is not None


def test_a_genotype_marker_is_answered_by_the_test_of_its_gene():
    marker = "genotype:ALPHA"
    of = table("sipol", row({marker: "*2/*2"}, "avoid"), uses={marker: use("required", states=("*1/*1", "*2/*2"))})
    assert question(decided(of), marker).question.test == "alpha_genotype"


def silent(of, *readings, frequencies=(), policy=None, marker=ALPHA, **fields):
    found = decided(of, *readings, knowledge=world(of, frequencies=frequencies), policy=policy, **fields)
    return question(found, marker).silent


def share(poor):
    return shares(ALPHA, Poor_Metabolizer=poor, Normal_Metabolizer=1 - poor)


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
