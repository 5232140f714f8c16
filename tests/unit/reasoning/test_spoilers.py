"""An event of the record makes results unreliable: in which direction, for how long, of which specimen and method."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from cds_service.knowledge.schema import ConditionKey, ResultSpoiler
from cds_service.model import (
    Condition,
    Conflicting,
    HlaType,
    Indeterminate,
    Known,
    Narrowed,
    NotReadable,
    OneOf,
    Span,
    Trust,
    Undetermined,
    Unreadable,
)
from cds_service.reasoning.states import knowledge_of
from tests.support.tiny import (
    ALPHA,
    ALPHA_GENE,
    HLA,
    INTERMEDIATE,
    NORMAL,
    POOR,
    TODAY,
    XI,
    ago,
    findings,
    half,
    hla,
    only,
    order,
    person,
    phenotype,
    reading,
    row,
    table,
    use,
    world,
)

TRANSPLANT = ResultSpoiler(
    "transplant", ("gene", "genotype", "hla"), ("transplant",), "the_donors", "study", Trust.CORROBORATED,
    methods=("genotype", "hla_typing", ""), unless=("own_cells",), spared_specimens=("hair",), specimen="hair_please",
)  # fmt: skip
TRANSFUSION = ResultSpoiler(
    "transfusion", (ALPHA,), ("transfusion",), "the_donors_cells", "study", Trust.READ, methods=("enzyme_activity",),
    may_hide={NORMAL: (INTERMEDIATE, POOR), INTERMEDIATE: (POOR,)}, lasts_days=100,
)  # fmt: skip
HAEMOLYSIS = ResultSpoiler(
    "haemolysis", (XI,), ("haemolysis", "chronic_haemolysis"), "young_cells", "study", Trust.READ, lasts_days=90,
    methods=("enzyme_activity",), may_hide={"Normal": ("Deficient",)}, ongoing=("chronic_haemolysis",),
)  # fmt: skip
RULES = (TRANSPLANT, TRANSFUSION, HAEMOLYSIS)
KNOWLEDGE = replace(
    world(), spoilers=RULES, conditions={"transplant": ConditionKey("transplant", includes=("marrow_transplant",))}
)
STATES = {ALPHA: ALPHA_GENE.states, XI: ("Deficient", "Normal"), HLA: ("positive", "negative")}
ALL = {marker: frozenset(states) for marker, states in STATES.items()}


def event(*keys, days=None):
    return Condition(frozenset(keys), keys[0], "Condition/1", None if days is None else ago(days))


def known(marker, *readings, events=(), knowledge=KNOWLEDGE, deferring=frozenset()):
    patient = person(*readings, conditions=tuple(events))
    return knowledge_of(marker, STATES[marker], patient, knowledge, TODAY, deferring=deferring)


def genotype(text="*1/*1", days=10, **fields):
    return reading(ALPHA, text, on=ago(days), method="genotype", **fields)


def activity(marker, term, days=10):
    return replace(phenotype(marker, term, on=ago(days)), method="enzyme_activity")


@pytest.mark.parametrize("text", ["*1/*1", "*2/*2"])
def test_after_the_transplant_a_genotype_says_nothing(text):
    """Neither a normal nor a poor result is the patient's."""
    result = genotype(text)
    assert known(ALPHA, result, events=[event("transplant", days=30)]) == Narrowed(
        ALL[ALPHA], "the_donors", (result,)
    )


def test_before_the_transplant_it_stands():
    result = genotype(days=31)
    assert known(ALPHA, result, events=[event("transplant", days=30)]) == Known(NORMAL, (result,))


def test_a_result_of_this_month_is_from_before_a_transplant_that_is_planned():
    """Whichever day is meant, none is after today."""
    this_month = Span(TODAY.replace(day=1), TODAY + timedelta(days=20))
    result = replace(genotype(), on=this_month)
    assert known(ALPHA, result, events=[event("transplant", days=-3)]) == Known(NORMAL, (result,))
    assert isinstance(known(ALPHA, result, events=[event("transplant", days=0)]), Narrowed)


def test_on_the_day_of_the_transplant_it_does_not():
    assert isinstance(known(ALPHA, genotype(days=30), events=[event("transplant", days=30)]), Narrowed)


@pytest.mark.parametrize("result", [genotype(), replace(genotype(), on=None)])
@pytest.mark.parametrize("days", [None, 30])
def test_a_date_that_is_missing_does_not_clear_the_result(result, days):
    assert isinstance(known(ALPHA, result, events=[event("transplant", days=days)]), Narrowed)


def test_another_specimen_stands_and_one_whose_name_merely_holds_the_word_does_not():
    events = [event("transplant", days=30)]
    assert known(ALPHA, genotype(specimen="hair follicles"), events=events) == Known(
        NORMAL, (genotype(specimen="hair follicles"),)
    )
    assert isinstance(known(ALPHA, genotype(specimen="chair swab"), events=events), Narrowed)


def test_the_same_entry_may_name_another_event():
    assert isinstance(known(ALPHA, genotype(), events=[event("transplant", "own_cells", days=30)]), Known)
    both = [event("transplant", "own_cells", days=300), event("transplant", days=30)]
    assert isinstance(known(ALPHA, genotype(), events=both), Narrowed)


@pytest.mark.parametrize("turned", [False, True])
def test_an_event_that_spoils_it_for_certain_leaves_no_doubt_by_another(turned):
    perhaps = replace(event("transplant"), reference="Condition/2", onset=Span(ago(40), ago(5)))
    events = [perhaps, event("transplant", days=30)]
    assert known(ALPHA, genotype(days=10), events=[perhaps]).may_count
    assert not known(ALPHA, genotype(days=10), events=events[::-1] if turned else events).may_count


def test_a_result_that_cannot_be_read_is_told_after_a_transfusion_too():
    unread = replace(activity(ALPHA, NORMAL), says=NotReadable("pdf"))
    assert known(ALPHA, unread, events=[event("transfusion", days=30)]) == Unreadable("pdf", (unread,))


def test_a_wider_key_of_the_event_counts():
    assert isinstance(known(ALPHA, genotype(), events=[event("marrow_transplant", days=30)]), Narrowed)


def test_hla_is_typed_from_blood_too():
    typed = hla(present=False, on=ago(5), method="hla_typing")
    assert known(HLA, typed, events=[event("transplant", days=30)]) == Narrowed(ALL[HLA], "the_donors", (typed,))


def test_an_enzyme_measured_after_the_transplant_is_another_matter():
    assert isinstance(known(ALPHA, activity(ALPHA, NORMAL), events=[event("transplant", days=30)]), Known)


def test_the_patients_own_result_is_not_held_against_the_donors():
    own, donors = genotype("*2/*2", days=40), genotype("*1/*1", days=5)
    assert known(ALPHA, own, donors, events=[event("transplant", days=30)]) == Known(POOR, (own,))
    assert isinstance(known(ALPHA, own, donors), Conflicting)


def test_an_unclear_result_of_the_donor_spends_no_method():
    unclear = reading(ALPHA, Undetermined(), on=ago(5), method="genotype")
    assert isinstance(known(ALPHA, unclear), Indeterminate)
    assert isinstance(known(ALPHA, unclear, events=[event("transplant", days=30)]), Narrowed)


def test_an_ambiguous_typing_of_the_donor_says_that_it_is_the_donors():
    unclear = reading(HLA, HlaType((), complete=True, ambiguous=("*57:01",)), on=ago(5), method="hla_typing")
    assert isinstance(known(HLA, unclear), Indeterminate)
    assert known(HLA, unclear, events=[event("transplant", days=30)]) == Narrowed(ALL[HLA], "the_donors", (unclear,))


@pytest.mark.parametrize(
    ("result", "transplant", "stands"),
    [
        (Span(ago(90), ago(60)), ago(30), True),
        (Span(ago(60), ago(30)), ago(30), False),
        (Span(ago(60), ago(20)), ago(30), False),
        (ago(30), Span(ago(40), ago(10)), False),
        (ago(41), Span(ago(40), ago(10)), True),
    ],
)
def test_a_result_stands_only_where_it_is_from_before_the_event_for_certain(result, transplant, stands):
    event_then = replace(event("transplant"), onset=transplant)
    found = known(ALPHA, replace(genotype(), on=result), events=[event_then])
    assert isinstance(found, Known) is stands


def test_a_result_that_may_be_the_donors_is_in_doubt_and_still_speaks_against_another():
    transplant = replace(event("transplant"), onset=Span(ago(60), ago(30)))
    own, doubtful = genotype("*1/*1", days=70), genotype("*2/*2", days=40)
    found = known(ALPHA, doubtful, events=[transplant])
    assert found == Narrowed(ALL[ALPHA], "the_donors", (doubtful,), may_count=True)
    assert isinstance(known(ALPHA, own, doubtful, events=[transplant]), Conflicting)
    assert known(ALPHA, own, genotype("*1/*1", days=40), events=[transplant]) == Known(NORMAL, (own,))
    certain = known(ALPHA, genotype("*2/*2", days=30), events=[transplant])
    assert not certain.may_count


@pytest.mark.parametrize(
    ("found", "left"), [(NORMAL, {NORMAL, INTERMEDIATE, POOR}), (INTERMEDIATE, {INTERMEDIATE, POOR})]
)
def test_a_transfusion_may_hide_the_graver_states(found, left):
    result = activity(ALPHA, found)
    assert known(ALPHA, result, events=[event("transfusion", days=20)]) == Narrowed(
        frozenset(left), "the_donors_cells", (result,)
    )


def test_a_range_that_a_transfusion_leaves_beside_another_says_so():
    ranged, result = reading(ALPHA, OneOf((POOR, NORMAL)), on=ago(1)), activity(ALPHA, NORMAL)
    assert known(ALPHA, ranged, result, events=[event("transfusion", days=20)]) == Narrowed(
        frozenset({POOR, NORMAL}), "the_donors_cells", (ranged, result)
    )


def test_the_gravest_state_stands():
    result = activity(ALPHA, POOR)
    assert known(ALPHA, result, events=[event("transfusion", days=20)]) == Known(POOR, (result,))


@pytest.mark.parametrize(("days_after", "spoiled"), [(0, True), (100, True), (101, False)])
def test_it_lasts_as_long_as_the_rule_says(days_after, spoiled):
    result = activity(ALPHA, NORMAL, days=0)
    found = known(ALPHA, result, events=[event("transfusion", days=days_after)])
    assert isinstance(found, Narrowed if spoiled else Known)


@pytest.mark.parametrize(
    ("result", "transfusion", "stands"),
    [
        (ago(0), Span(ago(400), ago(101)), True),
        (ago(0), Span(ago(400), ago(100)), False),
        (Span(ago(30), ago(0)), ago(131), True),
        (Span(ago(30), ago(0)), ago(130), False),
    ],
)
def test_it_is_over_only_where_that_is_certain(result, transfusion, stands):
    event_then = replace(event("transfusion"), onset=transfusion)
    found = known(ALPHA, replace(activity(ALPHA, NORMAL), on=result), events=[event_then])
    assert isinstance(found, Known) is stands


@pytest.mark.parametrize(
    ("fields", "spoiled"),
    [
        ({}, True),
        ({"keys": frozenset(), "past": frozenset({"chronic_haemolysis"})}, True),
        ({"end": ago(-30)}, True),
        ({"end": ago(100)}, True),
        ({"end": ago(101)}, False),
        ({"end": Span(ago(130), ago(100))}, True),
        ({"onset": None, "end": ago(101)}, False),
        ({"onset": ago(9)}, False),
        ({"keys": frozenset({"chronic_haemolysis", "haemolysis"})}, False),
    ],
)
def test_what_goes_on_spoils_until_so_many_days_after_its_end(fields, spoiled):
    """Begun years ago; the result is of ten days ago, and the effect lasts for ninety days."""
    going_on = replace(event("chronic_haemolysis", days=2000), **fields)
    found = known(XI, activity(XI, "Normal", days=10), events=[going_on])
    assert isinstance(found, Narrowed if spoiled else Known)


def test_an_event_over_a_period_counts_from_its_end():
    over_a_period = replace(event("transfusion", days=500), end=ago(110))
    assert isinstance(known(ALPHA, activity(ALPHA, NORMAL, days=10), events=[over_a_period]), Narrowed)
    assert isinstance(known(ALPHA, activity(ALPHA, NORMAL, days=9), events=[over_a_period]), Known)


def test_a_genotype_stands_and_settles_the_activity_beside_it():
    found = known(ALPHA, genotype(), activity(ALPHA, NORMAL), events=[event("transfusion", days=20)])
    assert isinstance(found, Known)
    assert found.state == NORMAL


def test_a_variable_genotype_keeps_its_own_row_beside_a_spoiled_activity():
    variable = reading(XI, "B/A-", on=ago(400), method="genotype")
    events, deferring = [event("haemolysis", days=20)], frozenset({"Variable"})
    found = known(XI, variable, activity(XI, "Normal"), events=events, deferring=deferring)
    assert found == Indeterminate(ALL[XI], (variable,), frozenset({"genotype"}), "Variable", frozenset({"genotype"}))


def test_an_unclear_activity_stays_unclear():
    unclear = reading(XI, Undetermined(), on=ago(5), method="enzyme_activity")
    assert isinstance(known(XI, unclear, events=[event("haemolysis", days=20)]), Indeterminate)


@pytest.mark.parametrize(("rule", "acts"), [(TRANSFUSION, True), (TRANSPLANT, False)])
def test_a_recalled_rule_adds_what_may_be_and_takes_nothing_back(rule, acts):
    knowledge = replace(KNOWLEDGE, spoilers=(replace(rule, trust=Trust.RECALLED),))
    result = activity(ALPHA, NORMAL) if rule is TRANSFUSION else genotype()
    events = [event("transfusion", "transplant", days=20)]
    assert isinstance(known(ALPHA, result, events=events, knowledge=knowledge), Narrowed) is acts


def asked(drug_table, *readings, events):
    knowledge = replace(world(drug_table), spoilers=RULES)
    finding = only(findings(knowledge, order("testolol"), person(*readings, conditions=tuple(events), sex="male")))
    return only(finding.tests)


XI_TABLE = table(
    "testolol", row({XI: "Deficient"}, half()), row({XI: "Normal"}, "standard"), uses={XI: use("recommended")}
)
ALPHA_TABLE = table(
    "testolol",
    row({ALPHA: POOR}, half()),
    row({ALPHA: (INTERMEDIATE, NORMAL, "Rapid Metabolizer", "Ultrarapid Metabolizer")}, "standard"),
    uses={ALPHA: use("recommended")},
)


def test_a_test_that_would_be_spoiled_today_is_asked_for_last():
    """The activity is preferred here, but not so soon after haemolysis, whether or not a result is there."""
    tests = tuple(replace(t, preference=-5) if t.id == "xi_activity" else t for t in world().tests.values())
    for days, wanted in ((20, "xi_genotype"), (400, "xi_activity")):
        knowledge = replace(world(XI_TABLE, tests=tests), spoilers=RULES)
        patient = person(conditions=(event("haemolysis", days=days),), sex="male")
        assert only(only(findings(knowledge, order("testolol"), patient)).tests).test == wanted


def test_where_every_test_is_spoiled_the_specimen_is_named():
    for readings in ((), (genotype(),)):
        question = asked(ALPHA_TABLE, *readings, events=[event("transplant", days=30)])
        assert (question.test, question.specimen) == ("alpha_genotype", "hair_please")
    assert asked(ALPHA_TABLE, events=[event("transfusion", days=30)]).specimen == ""
