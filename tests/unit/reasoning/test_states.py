"""Readings, pending tests and gaps give exactly one knowledge of a marker."""

from __future__ import annotations

import pytest

from cds_service.knowledge.schema import MarkerUse
from cds_service.model import (
    FUTURE,
    INDETERMINATE,
    ActivityScore,
    Availability,
    Conflicting,
    Gap,
    GapReason,
    Grade,
    HlaType,
    Indeterminate,
    Known,
    Narrowed,
    NotReadable,
    NotTested,
    OneOf,
    Pending,
    PendingTest,
    Phenotype,
    Presence,
    Quantity,
    Query,
    ReadingStatus,
    SelfContradiction,
    Unavailable,
    Unconfirmed,
    Undetermined,
    Unreadable,
    Unverified,
)
from cds_service.reasoning.states import knowledge_of, pending_of, possible
from tests.support.tiny import (
    ALPHA,
    BETA,
    COMPLETE,
    GENES,
    HLA,
    INTERMEDIATE,
    MU,
    NORMAL,
    POOR,
    RAPID,
    TODAY,
    ULTRARAPID,
    XI,
    ago,
    hla,
    person,
    phenotype,
    reading,
    score,
    without,
    world,
)

KNOWLEDGE = world()
STATES = {HLA: ("positive", "negative"), **{g.marker: g.states for g in GENES.values()}}


def known(marker, *readings, states=None, **fields):
    return knowledge_of(marker, states or STATES[marker], person(*readings, **fields), KNOWLEDGE, TODAY)


@pytest.mark.parametrize(
    ("marker", "says", "state"),
    [
        (ALPHA, "*2/*2", POOR),
        (ALPHA, Phenotype(RAPID), RAPID),
        (BETA, "*1/*10", "1.25"),
        (BETA, ActivityScore(0.25), "0.25"),
        (BETA, Phenotype(POOR), "0.0"),
        (MU, "m.1A>G", "increased risk"),
        (MU, Presence("m.1A>G", True), "increased risk"),
        (MU, Presence("Reference", True), "normal risk"),
        (XI, "A-/A-", "Deficient"),
    ],
)
def test_a_reading_that_decides(marker, says, state):
    found = known(marker, reading(marker, says))
    assert isinstance(found, Known)
    assert found.state == state


@pytest.mark.parametrize(
    ("marker", "says", "states"),
    [
        (BETA, Phenotype(INTERMEDIATE), {"0.25", "0.5", "1.0"}),
        (ALPHA, OneOf((POOR, INTERMEDIATE)), {POOR, INTERMEDIATE}),
        (BETA, OneOf((POOR, INTERMEDIATE)), {"0.0", "0.25", "0.5", "1.0"}),
        (BETA, ActivityScore(2.0, at_least=True), {"2.0", "3.0", "≥3.0"}),
        (ALPHA, Presence("*2", True), {POOR, INTERMEDIATE}),
    ],
)
def test_a_reading_that_narrows(marker, says, states):
    found = known(marker, reading(marker, says))
    assert isinstance(found, Narrowed)
    assert found.states == states


@pytest.mark.parametrize(
    ("marker", "says"),
    [(ALPHA, Presence("*2", False)), (HLA, Quantity(1, "mg")), (HLA, Phenotype(POOR)), (ALPHA, Phenotype("Blue"))],
)
def test_a_reading_that_says_nothing_of_the_marker(marker, says):
    result = reading(marker, says)
    assert known(marker, result) == NotTested((result,))


def test_a_number_that_is_no_score_is_on_file_and_tells_no_phenotype():
    result = reading(ALPHA, Quantity(1, "mg"))
    assert known(ALPHA, result) == Unreadable(GapReason.NO_CALL, (result,))
    assert known(ALPHA, result, reading(ALPHA, Phenotype(POOR), reference="Observation/2")).state == POOR


def test_a_reading_that_says_nothing_of_the_marker_is_not_shown_as_its_result():
    result, other = reading(ALPHA, "*2/*2"), reading(ALPHA, Presence("*3", False), "Observation/other")
    assert known(ALPHA, result, other) == Known(POOR, (result,))


def test_a_marker_of_no_gene_is_not_read():
    assert isinstance(known("lab:iron", reading("lab:iron", Quantity(1, "mg")), states=("low", "high")), NotTested)


@pytest.mark.parametrize(("says", "is_spent"), [(Undetermined(), False), (Phenotype(INDETERMINATE), True)])
def test_a_test_without_a_result_leaves_everything_open_and_a_failed_run_may_be_repeated(says, is_spent):
    result, method = reading(ALPHA, says, method="sequencing"), frozenset({"sequencing"})
    spent = method if is_spent else frozenset()
    assert known(ALPHA, result) == Indeterminate(frozenset(STATES[ALPHA]), (result,), spent, tried=method)


def test_three_alleles_of_which_two_have_no_phenotype_together_leave_everything_open():
    found = known(ALPHA, reading(ALPHA, "*1/*2/*5"))
    assert isinstance(found, Indeterminate)
    assert found.states == set(STATES[ALPHA])


def test_an_indeterminate_phenotype_leaves_every_genotype_open():
    result = reading(ALPHA, Phenotype(INDETERMINATE))
    found = knowledge_of("genotype:ALPHA", ("*2/*2", "*1/*1", "other"), person(result), KNOWLEDGE, TODAY)
    assert isinstance(found, Indeterminate)
    assert found.states == {"*2/*2", "*1/*1", "other"}


def test_an_allele_of_unknown_function_leaves_its_states_open():
    found = known(ALPHA, reading(ALPHA, "*2/*9"))
    assert isinstance(found, Indeterminate)
    assert found.states == {POOR, INTERMEDIATE}
    assert found.spent == {"genotype"}


def test_a_function_without_any_rule_leaves_everything_open():
    found = known(ALPHA, reading(ALPHA, "*5/*9"))
    assert isinstance(found, Indeterminate)
    assert found.states == set(STATES[ALPHA])


def test_an_unknown_allele_is_unreadable():
    found = known(ALPHA, reading(ALPHA, "*1/*99"))
    assert isinstance(found, Unreadable)
    assert found.reason == "unknown_allele"


def test_a_result_that_no_machine_reads():
    found = known(ALPHA, reading(ALPHA, NotReadable(GapReason.NOT_MACHINE_READABLE)))
    assert isinstance(found, Unreadable)
    assert found.reason == "not_machine_readable"


@pytest.mark.parametrize(
    ("says", "expected"),
    [
        (Presence("*57:01", True), Known("positive")),
        (Presence("*57:01", False), Known("negative")),
        (HlaType(("*57:01", "*07:02"), complete=False), Known("positive")),
        (HlaType(("*08:01", "*07:02"), complete=True), Known("negative")),
    ],
)
def test_hla(says, expected):
    result = reading(HLA, says)
    assert known(HLA, result) == Known(expected.state, (result,))


@pytest.mark.parametrize("says", [Presence("*58:01", False), HlaType(("*08:01",), complete=False)])
def test_an_incomplete_type_or_another_allele_is_no_negative(says):
    assert isinstance(known(HLA, reading(HLA, says)), NotTested)


def test_an_ambiguous_type_is_indeterminate():
    typed = HlaType(("*08:01", "*57"), complete=True, ambiguous=("*57:01",))
    found = known(HLA, reading(HLA, typed, method="hla_typing"))
    assert isinstance(found, Indeterminate)
    assert found.states == {"positive", "negative"}
    assert (found.spent, found.tried) == (set(), {"hla_typing"})


@pytest.mark.parametrize("sex", ["female", ""])
def test_one_allele_of_an_x_linked_gene_leaves_the_other_open(sex):
    found = known(XI, reading(XI, "A-"), sex=sex)
    assert isinstance(found, Narrowed)
    assert found.states == {"Deficient", "Variable"}


def test_one_allele_is_the_whole_result_of_one_x_chromosome():
    found = known(XI, reading(XI, "A-"), sex="male")
    assert isinstance(found, Known)
    assert found.state == "Deficient"


@pytest.mark.parametrize(
    ("marker", "says", "panel", "open_"),
    [
        (ALPHA, "*1/*1", ("*2",), True),
        (ALPHA, "*1/*1", ("*2", "*17"), False),
        (ALPHA, "*1/*1", (), False),
        (ALPHA, "*2/*2", ("*2",), False),
        (BETA, "*1/*1", ("*2",), False),
        (XI, "B", ("Q",), True),
    ],
)
def test_a_reference_call_of_a_panel_that_lacks_alleles_stays_open(marker, says, panel, open_):
    found = known(marker, reading(marker, says, panel=panel), sex="male")
    assert isinstance(found, Narrowed if open_ else Known)
    if open_:
        assert found.states == set(STATES[marker])


def test_readings_that_disagree_conflict_whatever_their_dates():
    found = known(ALPHA, reading(ALPHA, "*1/*1", on=ago(3000)), reading(ALPHA, "*2/*2", on=ago(1)))
    assert isinstance(found, Conflicting)
    assert found.states == {NORMAL, POOR}
    assert [r.on for r in found.readings] == [ago(1), ago(3000)]


def test_phenotype_and_diplotype_are_taken_together():
    found = known(BETA, phenotype(BETA, INTERMEDIATE), reading(BETA, "*4/*10"))
    assert isinstance(found, Known)
    assert found.state == "0.25"


def test_ranges_that_overlap_narrow_to_what_they_share():
    found = known(BETA, phenotype(BETA, INTERMEDIATE), phenotype(BETA, INTERMEDIATE, laboratory="Other"))
    assert isinstance(found, Narrowed)
    assert found.states == {"0.25", "0.5", "1.0"}


@pytest.mark.parametrize("label", [ULTRARAPID, NORMAL])
def test_a_label_of_an_earlier_consensus_is_no_conflict(label):
    found = known(ALPHA, reading(ALPHA, "*1/*17"), phenotype(ALPHA, label))
    assert isinstance(found, Known)
    assert found.state == RAPID
    assert len(found.readings) == 2


def test_a_score_brings_its_earlier_label_too():
    found = known(BETA, score(BETA, 1.0), phenotype(BETA, NORMAL))
    assert isinstance(found, Known)
    assert found.state == "1.0"


def test_a_label_that_no_consensus_gave_conflicts():
    assert isinstance(known(ALPHA, reading(ALPHA, "*1/*17"), phenotype(ALPHA, POOR)), Conflicting)
    assert isinstance(known(BETA, phenotype(BETA, POOR), phenotype(BETA, NORMAL)), Conflicting)


def test_one_resource_that_says_two_things_conflicts():
    found = known(ALPHA, reading(ALPHA, SelfContradiction(("a", "b"))), reading(ALPHA, "*1/*1"))
    assert isinstance(found, Conflicting)
    assert found.states == set(STATES[ALPHA])


def test_a_result_outweighs_one_that_could_not_be_had():
    readings = (reading(ALPHA, Undetermined()), reading(ALPHA, NotReadable("x")), reading(ALPHA, "*1/*1"))
    assert isinstance(known(ALPHA, *readings), Known)
    assert isinstance(known(ALPHA, *readings[:2]), Indeterminate)


def test_what_an_indeterminate_result_leaves_is_held_against_the_others():
    agreeing = known(ALPHA, reading(ALPHA, "*2/*9"), reading(ALPHA, "*2/*2"))
    assert isinstance(agreeing, Known)
    against = known(ALPHA, reading(ALPHA, "*2/*9"), reading(ALPHA, "*1/*1"))
    assert isinstance(against, Conflicting)
    assert against.states == {POOR, INTERMEDIATE, NORMAL}


def test_the_test_that_a_state_defers_to_decides():
    genotype = reading(XI, "A-/B", method="genotype")
    enzyme = phenotype(XI, "Normal", method="enzyme_activity")
    states, variable = ("Deficient", "Normal"), frozenset({"Variable"})
    deferred = knowledge_of(XI, states, person(genotype), KNOWLEDGE, TODAY, deferring=variable)
    assert isinstance(deferred, Indeterminate)
    assert (deferred.literal, deferred.states, deferred.spent) == ("Variable", set(states), {"genotype"})
    measured = knowledge_of(XI, states, person(genotype, enzyme), KNOWLEDGE, TODAY, deferring=variable)
    assert isinstance(measured, Known)
    assert measured.state == "Normal"
    assert len(measured.readings) == 2
    contradictory = reading(XI, SelfContradiction(("a", "b")))
    both = ("Deficient", "Normal", "Variable")
    assert isinstance(
        knowledge_of(XI, both, person(contradictory), KNOWLEDGE, TODAY, deferring=variable), Conflicting
    )


def test_of_two_indeterminate_results_the_failed_run_may_be_repeated():
    found = known(
        XI, reading(XI, "B/Q", method="genotype"), reading(XI, Undetermined(), method="enzyme_activity"), sex="female"
    )
    assert isinstance(found, Indeterminate)
    assert (found.spent, found.tried) == ({"genotype"}, {"genotype", "enzyme_activity"})


def test_a_preliminary_result_is_pending():
    early = reading(ALPHA, "*2/*2", status=ReadingStatus.PRELIMINARY, on=ago(2))
    assert known(ALPHA, early) == Pending(ago(2), early.reference, (early,))
    earlier = reading(ALPHA, "*1/*2", status=ReadingStatus.PRELIMINARY, on=ago(9))
    assert known(ALPHA, earlier, early) == Pending(ago(2), early.reference, (early, earlier))


def test_a_pending_order_goes_before_an_unverified_result():
    home = reading(ALPHA, "*2/*2", grade=Grade.UNVERIFIED)
    assert known(ALPHA, home) == Unverified((home,))
    ordered = PendingTest((ALPHA,), "ServiceRequest/1", ago(3))
    assert known(ALPHA, home, pending=(ordered,)) == Pending(ago(3), "ServiceRequest/1", (home,))


def test_the_newest_order_counts():
    orders = (
        PendingTest((ALPHA,), "ServiceRequest/old", ago(300)),
        PendingTest((ALPHA,), "ServiceRequest/new", ago(3)),
        PendingTest((BETA,), "ServiceRequest/other", ago(1)),
    )
    assert known(ALPHA, pending=orders).request == "ServiceRequest/new"
    undated = PendingTest((ALPHA,), "ServiceRequest/undated")
    assert pending_of(ALPHA, person(pending=(*orders, undated)))[0] == undated


def test_of_two_orders_of_one_day_the_same_is_told_in_whatever_order_they_come():
    one, other = (PendingTest((ALPHA,), f"ServiceRequest/{n}", ago(3)) for n in (1, 2))
    assert pending_of(ALPHA, person(pending=(other, one))) == pending_of(ALPHA, person(pending=(one, other)))


@pytest.mark.parametrize(("marker", "ordered"), [("genotype:ALPHA", ALPHA), (HLA, "hla:B"), (HLA, HLA)])
def test_an_order_is_found_by_what_the_laboratory_calls_it(marker, ordered):
    waiting = (PendingTest((ordered,), "ServiceRequest/1"),)
    assert isinstance(known(marker, states=("a", "b"), pending=waiting), Pending)


@pytest.mark.parametrize("availability", [Availability.FAILED, Availability.PARTIAL, Availability.MISSING])
def test_results_that_were_not_seen_are_not_absent(availability):
    assert known(ALPHA, availability={Query.RESULTS: availability}) == Unavailable(availability.value)
    assert known(ALPHA, availability={}) == Unavailable(GapReason.MISSING)
    assert isinstance(known(ALPHA), NotTested)
    assert isinstance(known(ALPHA, availability={**COMPLETE, Query.TUMOUR_RESULTS: availability}), NotTested)


def test_a_known_result_stands_though_others_were_not_seen():
    patient = without(person(reading(ALPHA, "*1/*1")), Query.RESULTS)
    assert isinstance(knowledge_of(ALPHA, STATES[ALPHA], patient, KNOWLEDGE, TODAY), Known)


GENOTYPE = "genotype:ALPHA"
GENOTYPES = ("*1/*1", "*1/*2", "*2/*2", "other")


@pytest.mark.parametrize(
    ("says", "expected"),
    [
        ("*2/*1", Known("*1/*2")),
        ("*1/*17", Known("other")),
        (Phenotype(POOR), Narrowed(frozenset({"*2/*2", "other"}), "")),
        ("*1/*99", Unreadable(GapReason.UNKNOWN_ALLELE, ())),
        (Presence("*2", True), Narrowed(frozenset({"*1/*2", "*2/*2", "other"}), "")),
        (Presence("*17", True), Known("other")),
        (Presence("*2", False), NotTested()),
    ],
)
def test_genotype_markers(says, expected):
    found = known(GENOTYPE, reading(ALPHA, says), states=GENOTYPES)
    assert type(found) is type(expected)
    for name in ("state", "states", "reason"):
        assert getattr(found, name, None) == getattr(expected, name, None)


@pytest.mark.parametrize(
    ("says", "left"),
    [
        ("*1/*2", {"*1/*2"}),
        ("*2/*17", {"*2/any"}),
        ("*1/*17", {"other"}),
        (Phenotype(POOR), {"*2/*2", "*2/any", "other"}),
        (Phenotype(NORMAL), {"*2/any", "other"}),
        (Presence("*2", True), {"*1/*2", "*2/*2", "*2/any"}),
    ],
)
def test_a_state_may_name_the_one_allele_that_a_genotype_contains(says, left):
    """A genotype that is a state itself goes first."""
    states = ("*1/*2", "*2/*2", "*2/any", "other")
    found = known(GENOTYPE, reading(ALPHA, says), states=states)
    assert possible(found, frozenset(states)) == left


def test_a_genotype_that_the_table_does_not_name():
    found = known(GENOTYPE, reading(ALPHA, "*1/*17"), states=("*1/*1", "*2/*2"))
    assert isinstance(found, Indeterminate)
    assert found.states == {"*1/*1", "*2/*2"}


@pytest.mark.parametrize(
    ("gap", "marker", "beside"),
    [
        (Gap("Observation/1", GapReason.ABOUT_ANOTHER, observables=(ALPHA,)), ALPHA, "about_another"),
        (Gap("Observation/1", GapReason.ABOUT_ANOTHER, observables=(ALPHA,)), HLA, None),
        (Gap("Observation/1", GapReason.ABOUT_ANOTHER), ALPHA, None),
        (Gap("Observation/1", GapReason.COPY_NUMBER, observables=(ALPHA,)), ALPHA, "copy_number"),
        (Gap("DiagnosticReport/1", GapReason.NOT_MACHINE_READABLE), ALPHA, "not_machine_readable"),
        (Gap("DiagnosticReport/1", GapReason.NOT_MACHINE_READABLE), HLA, "not_machine_readable"),
        (Gap("DiagnosticReport/1", GapReason.NOT_MACHINE_READABLE, observables=("gene:OTHER",)), ALPHA, None),
        (Gap("Observation/1", GapReason.UNREADABLE, observables=(ALPHA,)), ALPHA, None),
    ],
)
def test_a_result_that_does_not_count_is_told_where_nothing_else_is_known(gap, marker, beside):
    assert known(marker, gaps=(gap,), availability={Query.RESULTS: Availability.COMPLETE}) == NotTested(beside=beside)


def test_possible_states():
    both, one = frozenset({"a", "b"}), frozenset({"a"})
    assert possible(Known("a"), both) == one
    assert possible(Narrowed(one, ""), both) == one
    assert possible(Conflicting(one, ()), both) == one
    assert possible(Indeterminate(one, ()), both) == one
    for nothing in (NotTested(), Pending(None, ""), Unverified(()), Unavailable(""), Unreadable("", ())):
        assert possible(nothing, both) == both


def test_the_report_behind_a_problem_list_may_be_among_lost_results():
    listed = reading(ALPHA, "*2/*2", grade=Grade.UNVERIFIED, why_unverified=Unconfirmed.PROBLEM_LIST)
    home = reading(ALPHA, "*2/*2", grade=Grade.UNVERIFIED, why_unverified=Unconfirmed.CONSUMER)
    lost = {Query.RESULTS: Availability.FAILED}
    assert known(ALPHA, listed, availability=COMPLETE) == Unverified((listed,))
    assert known(ALPHA, listed, availability=lost) == Unavailable("failed", (listed,))
    assert known(ALPHA, home, availability=lost) == Unverified((home,))


def test_free_text_counts_as_a_result():
    assert isinstance(known(HLA, hla(True, grade=Grade.LOW)), Known)
    assert MarkerUse().states == ()


def test_a_result_dated_after_today_speaks_only_where_nothing_else_does():
    future = reading(ALPHA, FUTURE, "Observation/next-year", on=ago(-300))
    assert known(ALPHA, future) == Unreadable(GapReason.FUTURE_DATE, (future,))
    assert known(ALPHA, future, phenotype(ALPHA, POOR)).state == POOR
    awaited = reading(ALPHA, FUTURE, "Observation/next-year", on=ago(-300), status=ReadingStatus.PRELIMINARY)
    assert not isinstance(known(ALPHA, awaited), Pending)
