"""The kinds of finding, how urgent each is, and the named rule that keeps one silent."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cds_service.knowledge.schema import Band, Fact, Frequency, Modifier, Modulator, Predicate
from cds_service.model import (
    Action,
    Amount,
    Condition,
    DoseChange,
    DosePhase,
    Grade,
    Gravity,
    Indicator,
    Kind,
    Option,
    Outcome,
    PendingTest,
    Trust,
)
from cds_service.policy import Policy, Switch
from cds_service.reasoning.apply import AS_DRAFTED
from tests.support.tiny import (
    ALPHA,
    BETA,
    HLA,
    POOR,
    REST,
    XI,
    advice,
    ago,
    fatal,
    findings,
    half,
    hla,
    only,
    order,
    person,
    phenotype,
    population,
    reading,
    row,
    shares,
    table,
    taking,
    use,
    world,
)

from .finding import BRIDGE, FIRST, NORMAL_READING, POOR_READING, abol, duol, found, unol


def test_change_now():
    finding = only(found(unol(half()), POOR_READING, mg=100))
    assert (finding.kind, finding.indicator, finding.silent) == (Kind.CHANGE_NOW, Indicator.WARNING, "")
    assert (finding.table, finding.row) == ("unol_table", POOR)
    assert finding.arithmetic.new == (50, 50)
    assert finding.tests == ()
    assert not finding.further_may_ask_more


TAKEN = taking("unol", started=ago(30))


@pytest.mark.parametrize(
    ("phase", "active", "reckoned"),
    [("start", False, False), ("maintenance", False, False), ("start", True, False), ("maintenance", True, True)],
)
def test_no_share_is_taken_of_a_dose_that_may_be_that_share_already(phase, active, reckoned):
    """A dose drafted for a drug that is taken may be the advised one; a starting dose is over once it is taken."""
    of = unol(Option(Action.DOSE, DoseChange(DosePhase(phase), factor=(0.5, 0.5))))
    drafted = order("unol", mg=100, reference=TAKEN.reference, active=active)
    finding = only(findings(world(of), drafted, person(POOR_READING, medications=(TAKEN,))))
    assert finding.kind is Kind.CHANGE_NOW
    assert (finding.arithmetic.new if finding.arithmetic else None) == ((50, 50) if reckoned else None)


def test_an_amount_is_reckoned_for_a_drug_that_is_taken_too():
    of = unol(Option(Action.DOSE, DoseChange(DosePhase.START, amount=Amount(50, "mg/d"))))
    assert only(found(of, POOR_READING, mg=100, medications=(TAKEN,))).arithmetic.new == (50, 50)


def test_no_change_is_silent_and_says_which_row():
    finding = only(found(unol(), NORMAL_READING))
    assert (finding.kind, finding.silent, finding.row) == (Kind.NO_CHANGE, "no_change", "rest")


def test_test_would_change():
    finding = only(found(unol()))
    assert (finding.kind, finding.silent, finding.indicator) == (Kind.TEST_WOULD_CHANGE, "", Indicator.WARNING)
    assert [t.test for t in finding.tests] == ["alpha_genotype"]
    assert finding.advice is None
    assert only(found(unol(level="recommended"))).indicator is Indicator.INFO


def test_an_order_that_is_on_hold_is_no_reason_to_warn():
    held, drafted = (
        only(findings(world(unol(level=FIRST)), order("unol", on_hold=on_hold), person()))
        for on_hold in (True, False)
    )
    assert (held.kind, held.hold, held.indicator) == (Kind.TEST_WOULD_CHANGE, True, Indicator.INFO)
    assert held == replace(drafted, order=held.order, indicator=Indicator.INFO)


def test_where_the_order_stays_the_chance_is_that_of_something_beside_it():
    of = unol("monitor", level="recommended")
    frequencies = shares(ALPHA, Poor_Metabolizer=0.1, Normal_Metabolizer=0.9)
    (test,) = only(found(of, knowledge=world(of, frequencies=frequencies))).tests
    assert (test.probability.low, test.probability.high) == (0.1, 0.1)


def test_wait_offers_hold_and_bridge():
    finding = only(found(unol(fatal(), level=FIRST)))
    assert finding.kind is Kind.TEST_WOULD_CHANGE
    assert finding.indicator is Indicator.WARNING
    assert finding.hold
    assert finding.bridge == (BRIDGE,)


def test_test_pending_is_one_info_without_a_second_order():
    finding = only(found(unol(), pending=(PendingTest((ALPHA,), "ServiceRequest/1", ago(2)),)))
    assert (finding.kind, finding.indicator, finding.silent) == (Kind.TEST_PENDING, Indicator.INFO, "")
    assert [t.order_it for t in finding.tests] == [False]
    assert not finding.hold


def test_a_pending_test_required_before_the_start_still_holds_the_order():
    finding = only(found(unol(fatal(), level=FIRST), pending=(PendingTest((ALPHA,), "ServiceRequest/1", ago(2)),)))
    assert (finding.kind, finding.hold) == (Kind.TEST_PENDING, True)


def test_a_pending_test_that_would_not_be_worth_asking_is_silent():
    pending = (PendingTest((ALPHA,), "ServiceRequest/1", ago(2)),)
    assert only(found(unol(level="none"), pending=pending)).silent == "below_threshold"
    assert only(found(unol("monitor", level="none"), pending=pending)).kind is Kind.NO_CHANGE


def test_a_pending_required_test_makes_no_warning_of_another():
    of = table(
        "duol",
        row({ALPHA: POOR}, "avoid"),
        row({ALPHA: REST, BETA: POOR}, half(), id="beta"),
        uses={ALPHA: use("required"), BETA: use("recommended")},
    )
    both = found(of, pending=(PendingTest((ALPHA,), "ServiceRequest/1", ago(2)),))
    assert {f.kind: f.indicator for f in both} == {
        Kind.TEST_WOULD_CHANGE: Indicator.INFO,
        Kind.TEST_PENDING: Indicator.INFO,
    }


def test_confirm_result_neither_fires_nor_clears():
    home = reading(ALPHA, "*2/*2", grade=Grade.UNVERIFIED)
    finding = only(found(unol(level="recommended"), home))
    assert (finding.kind, finding.indicator, finding.silent) == (Kind.CONFIRM_RESULT, Indicator.INFO, "")
    assert only(found(unol(level="none"), home)).silent == "", "it says what would change the order"
    clearing = reading(ALPHA, "*1/*1", grade=Grade.UNVERIFIED)
    assert only(found(unol(level="none"), clearing)).silent == "below_threshold"
    assert only(found(unol(), clearing)).silent == ""


@pytest.mark.parametrize("text", ["*1/*1", "*2/*2"])
def test_an_unverified_result_leaves_a_required_test_as_urgent_as_before(text):
    untested = only(found(unol(fatal(), level=FIRST)))
    finding = only(found(unol(fatal(), level=FIRST), reading(ALPHA, text, grade=Grade.UNVERIFIED)))
    assert (finding.kind, finding.indicator, finding.hold) == (Kind.CONFIRM_RESULT, Indicator.WARNING, True)
    assert (finding.indicator, finding.hold, finding.bridge) == (untested.indicator, untested.hold, untested.bridge)


def test_an_unverified_result_is_weighed_as_it_acts():
    """A poor state by an inhibitor is what the home test's normal score would come to."""
    of = table("scol", row({BETA: ("0.0", "0.25", "0.5", "1.0")}, "avoid", id="slow"))
    modified = world(
        of,
        modifiers=(Modifier("m", BETA, "guideline", Trust.READ, {"moderate": 0.5}, ("scol",)),),
        modulators=(Modulator("BETA", "inhibitor", "moderate", "slowol", "label", Trust.READ),),
    )
    home = reading(BETA, "*1/*1", grade=Grade.UNVERIFIED)
    assert only(found(of, home)).silent == "below_threshold"
    assert only(found(of, home, knowledge=modified, medications=(taking("slowol"),))).silent == ""


def test_an_unverified_state_that_defers_is_taken_as_open():
    of = table("oxidol", row({XI: "Deficient"}, "avoid"), row({XI: "Variable"}, "use_other_test"))
    assert only(found(of, reading(XI, "A-/B", grade=Grade.UNVERIFIED))).silent == ""


def test_a_question_that_fires_is_shown_beside_one_that_stays_silent():
    of = table(
        "duol",
        row({ALPHA: POOR}, half()),
        row({ALPHA: REST, BETA: POOR}, "avoid", id="beta"),
        uses={BETA: use("recommended")},
    )
    finding = only(found(of))
    assert (finding.kind, finding.silent) == (Kind.TEST_WOULD_CHANGE, "")
    assert [t.marker for t in finding.tests] == [BETA]


@pytest.mark.parametrize("then", [fatal(), advice("avoid", half(), gravity=Gravity.SERIOUS)])
def test_a_conflict_in_which_one_contraindicates_warns_and_holds(then):
    finding = only(found(abol(then), hla(True), hla(False)))
    assert (finding.kind, finding.indicator, finding.hold) == (Kind.RESULTS_CONFLICT, Indicator.WARNING, True)
    assert [t.order_it for t in finding.tests] == [True], "the test that settles it can be ordered"


@pytest.mark.parametrize("then", [half(), advice(half(), gravity=Gravity.SERIOUS), fatal(half())])
def test_a_conflict_about_a_dose_informs(then):
    finding = only(found(abol(then), hla(True), hla(False)))
    assert (finding.kind, finding.indicator, finding.hold) == (Kind.RESULTS_CONFLICT, Indicator.INFO, False)


def test_a_conflict_is_not_worsened_by_another_marker():
    of = table(
        "duol",
        row({ALPHA: POOR}, fatal()),
        row({ALPHA: REST, HLA: "positive"}, half(), id="hla"),
        uses={ALPHA: use("recommended")},
    )
    by_kind = {f.kind: f for f in found(of, hla(True), hla(False))}
    assert by_kind[Kind.RESULTS_CONFLICT].indicator is Indicator.INFO
    assert by_kind[Kind.TEST_WOULD_CHANGE].silent == ""


def test_advice_common_to_conflicting_results_is_given():
    of = unol("stop", half())
    first, second = found(of, POOR_READING, NORMAL_READING)
    assert (first.kind, first.further_may_ask_more) == (Kind.CHANGE_NOW, True)
    assert (second.kind, second.silent) == (Kind.RESULTS_CONFLICT, "")
    assert not first.hold
    grave = found(unol(advice("stop", gravity=Gravity.SERIOUS), half()), POOR_READING, NORMAL_READING)
    assert [f.hold for f in grave] == [True, True]


def test_a_conflict_without_consequence_is_none():
    assert only(found(unol("monitor", level="none"), POOR_READING, NORMAL_READING)).kind is Kind.NO_CHANGE


def test_the_mildest_departure_with_the_further_question_beside_it():
    finding = only(found(duol(), reading(ALPHA, "*1/*2")))
    assert finding.kind is Kind.CHANGE_NOW
    assert finding.further_may_ask_more
    assert [t.marker for t in finding.tests] == [BETA]


def test_a_result_that_is_awaited_is_not_asked_for_beside_the_change():
    pending = (PendingTest((ALPHA,), "ServiceRequest/1", ago(2)),)
    both = found(unol(half(0.25), half(), level="required"), pending=pending)
    assert {f.kind: [t.order_it for t in f.tests] for f in both} == {
        Kind.CHANGE_NOW: [],
        Kind.TEST_PENDING: [False],
    }


def test_a_question_below_the_threshold_is_not_beside_it():
    finding = only(found(duol(**{BETA: use()}), reading(ALPHA, "*1/*2")))
    assert finding.tests == ()


def test_a_test_that_cannot_change_it_now_is_named_as_closed():
    change, closed = found(duol(), POOR_READING)
    assert change.kind is Kind.CHANGE_NOW
    assert change.closed_markers == (BETA,)
    assert (closed.kind, closed.silent, closed.closed_markers) == (Kind.NO_TEST_CHANGES, "no_test_changes", (BETA,))


@pytest.mark.parametrize(("level", "closed"), [("none", ()), ("if_risk", ()), ("recommended", ("lab:potassium",))])
def test_of_what_changes_with_time_only_what_is_asked_for_is_closed(level, closed):
    kali = use(level, bands={"usual": Band(at_most=5), "high": Band(above=5)}, unit="mmol/L")
    of = table(
        "kaliol",
        row({ALPHA: POOR}, "avoid"),
        row({ALPHA: REST, "lab:potassium": "high"}, half(), id="high"),
        uses={"lab:potassium": kali},
    )
    told = found(of, POOR_READING)
    assert told[0].kind is Kind.CHANGE_NOW
    assert told[0].closed_markers == closed


def test_a_closed_test_makes_nothing_of_the_order_itself():
    of = duol(**{BETA: use("required")})
    lower = replace(of, rows=(*of.rows[:2], row({ALPHA: POOR}, half())))
    change, closed = found(lower, POOR_READING, mg=100)
    assert (change.resulting.outcome, change.arithmetic.new) == (Outcome.CHANGED_DOSE, (50, 50))
    assert (closed.kind, closed.resulting, closed.arithmetic) == (Kind.NO_TEST_CHANGES, AS_DRAFTED, None)


@pytest.mark.parametrize(
    ("more", "rule"),
    [
        ({"policy": Policy(guidance={"duol_table": Switch.SILENT})}, "policy_silent"),
        ({"medications": (taking("duol", started=ago(200)),)}, "tolerated"),
    ],
)
def test_a_closed_test_is_as_silent_as_the_change_that_closes_it(more, rule):
    window = {"tolerated_after_days": 90}
    of = duol(**{ALPHA: use("required", **window), BETA: use("required", **window)})
    change, closed = found(of, POOR_READING, **more)
    assert (change.kind, closed.kind) == (Kind.CHANGE_NOW, Kind.NO_TEST_CHANGES)
    assert (change.silent, closed.silent) == (rule, rule)


def test_what_other_tables_decide_closes_the_test():
    history = table(
        "unol",
        row({}, fatal()),
        id="history",
        population=population(Predicate(Fact.CONDITION, is_in=("stroke",))),
    )
    patient = person(conditions=(Condition(frozenset({"stroke"}), "", "Condition/1"),))
    by_table = {f.table: f for f in findings(world(unol(), history), order("unol"), patient)}
    assert by_table["history"].kind is Kind.CHANGE_NOW
    assert by_table["history"].facts == ("Condition/1",)
    closed = by_table["unol_table"]
    assert (closed.kind, closed.silent, closed.closed_markers) == (Kind.NO_TEST_CHANGES, "no_test_changes", (ALPHA,))
    cleared = replace(patient, readings=(NORMAL_READING,))
    by_table = {f.table: f for f in findings(world(unol(), history), order("unol"), cleared)}
    assert by_table["unol_table"].kind is Kind.NO_CHANGE
    assert by_table["history"].kind is Kind.CHANGE_NOW


def test_probabilities_stand_with_the_question():
    knowledge = world(unol(), frequencies=shares(ALPHA, Poor_Metabolizer=0.1, Normal_Metabolizer=0.9))
    (test,) = only(found(unol(), knowledge=knowledge)).tests
    assert test.probability.high == pytest.approx(0.1)
    assert only(found(unol())).tests[0].probability is None
    assert isinstance(knowledge.frequencies[0], Frequency)
    assert phenotype(ALPHA, POOR).observable == ALPHA
