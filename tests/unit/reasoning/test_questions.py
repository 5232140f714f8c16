"""Which tests are asked for: what became of a marker, and which test answers it (docs/reasoning.md, step 6)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cds_service import model
from cds_service.model import (
    INDETERMINATE,
    Grade,
    NotReadable,
    PendingTest,
    Span,
    Timing,
    Undetermined,
)
from cds_service.policy import CatalogueTest, Policy
from cds_service.reasoning.decide import Basis
from cds_service.reasoning.questions import Status
from cds_service.reasoning.usable_tests import turnaround_days
from tests.support.tiny import (
    ALPHA,
    BETA,
    INTERMEDIATE,
    MU,
    NORMAL,
    POOR,
    RAPID,
    REST,
    TESTS,
    ULTRARAPID,
    XI,
    ago,
    fatal,
    phenotype,
    reading,
    row,
    table,
    use,
    world,
)

from .deciding import FIRST, decided, question, unol


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
        ((reading(ALPHA, "*2/*9", on=ago(2)),), {"pending": (PendingTest((ALPHA,), "S", ago(2)),)}, Status.PENDING),
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
    assert question(decided(unol())).question.turnaround_days == (2, 5)
    assert question(decided(unol(), policy=Policy(catalogue=(entry,)))).question.turnaround_days == (1, 30)
    other = replace(entry, markers=(BETA,))
    silent = replace(entry, turnaround_days=None)
    assert turnaround_days(TESTS[0], Policy(catalogue=(other, entry))) == (1, 30)
    assert turnaround_days(TESTS[0], Policy(catalogue=(replace(entry, method="sequencing"),))) == (2, 5)
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


@pytest.mark.parametrize(("days", "is_in_time"), [((2, 9), True), ((2.5, 9), False)])
def test_an_answer_is_in_time_where_it_may_come_in_time(days, is_in_time):
    of = table("unol", row({ALPHA: POOR}, fatal()), uses={ALPHA: replace(FIRST, urgent=True)})
    asked = question(decided(of, knowledge=world(of, tests=(replace(TESTS[0], turnaround_days=days),))))
    assert (asked.silent != "no_test") is is_in_time


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
