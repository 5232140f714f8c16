"""Markers that change with time: the newest valid reading, the table's own bands, windows, spoilers, clearance."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cds_service.knowledge.schema import Band, Fact, MarkerUse, Predicate, SampleFault, Spoiler, Validity
from cds_service.model import (
    FUTURE,
    ActivityScore,
    Between,
    Conflicting,
    GapReason,
    Grade,
    Indeterminate,
    Known,
    Narrowed,
    NotReadable,
    NotTested,
    Phenotype,
    Presence,
    Quantity,
    Query,
    Reading,
    ReadingStatus,
    SelfContradiction,
    Span,
    Stale,
    Trust,
    Undetermined,
    Unreadable,
    Unverified,
)
from cds_service.reasoning.measures import (
    CREATININE_CLEARANCE,
    bands_between,
    facts_lacking,
    is_measured,
    measured,
    readings_of,
)
from cds_service.reasoning.states import possible
from tests.support.tiny import TODAY, ago, around, person, row, table, taking, without, world

POTASSIUM = "lab:potassium"
BANDS = {"low": Band(below=3.5), "usual": Band(at_least=3.5, at_most=5.0), "high": Band(above=5.0)}
USE = MarkerUse(bands=BANDS, unit="mmol/L", valid_for_days=30)
STATES = frozenset(BANDS)


def potassium(value: float, days: int = 1, comparator: str = "", unit: str = "mmol/L", **fields) -> Reading:
    says = Quantity(value, unit, comparator)
    return Reading(POTASSIUM, says, f"Observation/{value}-{days}", on=ago(days), **fields)


def told(*readings: Reading, use: MarkerUse = USE, states=STATES, medications=(), **fields):
    of = table("kaliol", row({POTASSIUM: "usual"}, "standard"), uses={POTASSIUM: use})
    patient = person(*readings, medications=medications, **fields)
    return measured(POTASSIUM, use, states, around("kaliol", patient, world(of)), of.id)


def test_only_laboratory_and_derived_markers_change_with_time():
    assert is_measured(POTASSIUM)
    assert is_measured(CREATININE_CLEARANCE)
    assert not is_measured("gene:ALPHA")


def test_the_newest_reading_counts_and_older_ones_do_not_conflict():
    newest = potassium(5.6, days=1)
    assert told(potassium(4.0, days=9), newest, potassium(3.0, days=5)) == Known("high", (newest,))


def test_of_two_results_of_one_day_the_later_instant_counts():
    evening, morning = potassium(6.3, at=2000.0), potassium(4.0, at=1000.0)
    assert told(morning, evening) == told(evening, morning) == Known("high", (evening,))
    named_otherwise = replace(evening, reference="Observation/0"), replace(morning, reference="Observation/9")
    assert told(*named_otherwise).state == "high"


def test_results_of_which_any_may_be_the_newest_conflict_where_they_differ():
    high, usual = potassium(6.3), potassium(4.0)
    assert told(high, usual) == Conflicting(frozenset({"high", "usual"}), (usual, high))
    assert told(potassium(4.1), usual) == Known("usual", (usual, potassium(4.1)))
    timed = replace(usual, at=5000.0)
    assert told(high, timed).states == {"high", "usual"}
    assert told(high, potassium(3.0, days=2), usual).states == {"high", "usual"}


def test_values_beyond_the_range_of_which_any_may_be_the_newest_conflict_where_they_leave_other_bands():
    below, above = potassium(4.0, comparator="<"), potassium(4.5, comparator=">")
    assert told(below, above) == Conflicting(frozenset(BANDS), (below, above))


def test_an_unreadable_result_that_may_be_the_newest_leaves_everything_possible():
    unread = replace(potassium(9.9), says=NotReadable("no_value"))
    assert told(potassium(4.0), unread).states == STATES
    assert told(replace(unread, reference="Observation/other"), unread).reason == "no_value"
    contradicting = replace(unread, says=SelfContradiction(("high", "low")))
    assert isinstance(told(contradicting, unread), Unreadable)


def test_a_result_dated_after_today_never_hides_one_of_the_past():
    future = replace(potassium(4.0, days=-20), says=FUTURE)
    dangerous = potassium(6.3, days=1)
    assert told(future, dangerous) == Known("high", (dangerous,))
    assert told(future) == Unreadable("future_date", (future,))


@pytest.mark.parametrize(("value", "state"), [(3.49, "low"), (3.5, "usual"), (5.0, "usual"), (5.01, "high")])
def test_each_cut_point_belongs_to_the_side_that_the_table_names(value, state):
    assert told(potassium(value)).state == state


def test_a_value_beyond_the_measuring_range_leaves_every_band_that_it_meets():
    below = told(potassium(4.0, comparator="<"))
    assert isinstance(below, Narrowed)
    assert below.states == {"low", "usual"}
    assert told(potassium(6.0, comparator=">")).state == "high"
    assert bands_between(3.5, 3.5, BANDS) == {"usual"}


@pytest.mark.parametrize(
    ("value", "comparator", "states"),
    [
        (3.5, "<", {"low"}),
        (3.5, "<=", {"low", "usual"}),
        (3.5, ">", {"usual", "high"}),
        (3.5, ">=", {"usual", "high"}),
        (5.0, "<", {"low", "usual"}),
        (5.0, "<=", {"low", "usual"}),
        (5.0, ">", {"high"}),
        (5.0, ">=", {"usual", "high"}),
        (5.0, "", {"usual"}),
    ],
)
def test_a_bound_belongs_to_the_range_only_where_the_comparator_includes_it(value, comparator, states):
    known = told(potassium(value, comparator=comparator))
    assert possible(known, STATES) == states


def test_an_unknown_unit_is_refused_and_never_guessed():
    assert told(potassium(20, unit="mg/dL")) == Unreadable("unit_not_known", (potassium(20, unit="mg/dL"),))


@pytest.mark.parametrize(
    ("low", "high", "states"),
    [(3.5, 5.0, {"usual"}), (2.9, 3.4, {"low"}), (3.4, 3.5, {"low", "usual"}), (3.0, 5.1, {"low", "usual", "high"})],
)
def test_a_range_decides_where_it_lies_in_one_band(low, high, states):
    reading = Reading(POTASSIUM, Between(low, high, "mmol/L"), "Observation/1", on=ago(1))
    known = told(reading)
    if len(states) == 1:
        assert known == Known(states.pop(), (reading,))
    else:
        assert known == Narrowed(frozenset(states), "reported_as_range", (reading,))
    unknown = replace(reading, says=Between(low, high, "mg/L"))
    assert told(unknown) == Unreadable("unit_not_known", (unknown,))


def test_a_value_that_no_band_holds_is_said():
    gap = MarkerUse(bands={"high": Band(above=5.0)}, unit="mmol/L")
    assert told(potassium(4), use=gap) == Unreadable("outside_all_bands", (potassium(4),))


def test_a_result_older_than_its_window_is_stale_and_kept_as_history():
    old = potassium(4.0, days=31)
    assert told(old) == Stale("usual", ago(31), (old,))
    assert isinstance(told(potassium(4.0, days=30)), Known)
    wide = told(potassium(4.0, days=31, comparator="<"))
    assert isinstance(wide, Stale)
    assert wide.state == ""


def test_a_result_whose_date_is_told_roughly_is_as_old_as_it_may_be():
    rough = replace(potassium(6.3), on=Span(ago(31), ago(1)))
    assert told(rough) == Stale("high", Span(ago(31), ago(1)), (rough,), may_count=True)
    old = replace(rough, on=Span(ago(61), ago(31)))
    assert told(old) == Stale("high", Span(ago(61), ago(31)), (old,))
    assert told(replace(rough, on=Span(ago(30), ago(1)))).state == "high"
    assert told(replace(rough, on=Span(ago(61), ago(30)))).may_count, "it may be of the last day of the window"


def test_a_result_that_may_be_the_newest_counts_beside_the_one_that_is_dated_exactly():
    rough, exact = replace(potassium(6.3), on=Span(ago(300), ago(-60))), potassium(4.0, days=20)
    # Were it the newest, it would be of the last twenty days: neither is stale.
    assert told(rough, exact) == Conflicting(frozenset({"high", "usual"}), (exact, rough))
    assert told(replace(rough, on=Span(ago(300), ago(21))), exact) == Known("usual", (exact,))


def test_a_window_counts_from_the_shortest_use_that_is_possible():
    use = replace(USE, valid_by_exposure=(Validity(0, 7), Validity(180, 28)))
    result = potassium(4.0, days=10)
    rough = taking("kaliol", started=Span(ago(200), ago(100)))
    assert isinstance(told(result, use=use, medications=(rough,)), Stale)
    assert isinstance(told(result, use=use, medications=(replace(rough, started=Span(ago(300), ago(200))),)), Known)


def test_a_result_without_a_date_cannot_be_placed_in_a_window():
    undated = replace(potassium(4.0), on=None)
    assert told(undated) == Unreadable("undated", (undated,))
    assert told(undated, use=replace(USE, valid_for_days=None)).state == "usual"


def test_a_window_may_depend_on_how_long_the_drug_has_been_taken():
    use = replace(USE, valid_by_exposure=(Validity(0, 7), Validity(180, 28)))
    result = potassium(4.0, days=10)
    assert isinstance(told(result, use=use), Stale)
    assert isinstance(told(result, use=use, medications=(taking("kaliol", started=ago(100)),)), Stale)
    assert isinstance(told(result, use=use, medications=(taking("kaliol", started=ago(200)),)), Known)
    not_known = without(person(), Query.MEDICATIONS).availability
    assert isinstance(told(result, use=use, availability=not_known), Stale), "it may be new"


def test_a_spoiler_distrusts_one_direction_only():
    bleeding = Spoiler(Predicate(fact=Fact.SEX, is_in=("female",)), ("usual",), "haemolysed")
    use = replace(USE, spoilers=(bleeding,))
    assert told(potassium(4.0), use=use) == Narrowed(STATES, "haemolysed", (potassium(4.0),))
    assert told(potassium(5.6), use=use).state == "high"
    assert told(potassium(4.0), use=use, sex="male").state == "usual"
    wide = potassium(4.0, comparator="<")
    assert told(wide, use=use) == told(wide), "what is open already is not narrowed by it"


@pytest.mark.parametrize(
    ("says", "expected"),
    [
        (Presence("", True), "positive"),
        (Presence("", False), "negative"),
        (Phenotype("positive"), "positive"),
    ],
)
def test_a_result_that_is_present_or_absent_is_its_state(says, expected):
    result = Reading(POTASSIUM, says, "Observation/1", on=ago(1))
    either = ("positive", "negative")
    assert told(result, use=MarkerUse(states=either), states=frozenset(either)) == Known(expected, (result,))


@pytest.mark.parametrize(
    ("says", "reason"),
    [
        (NotReadable("pdf_only"), "pdf_only"),
        (SelfContradiction(("positive", "negative")), "contradiction"),
        (ActivityScore(1), "unexpected_value"),
        (Phenotype("greenish"), "unexpected_value"),
    ],
)
def test_what_cannot_be_used_is_unreadable_with_its_reason(says, reason):
    result = Reading(POTASSIUM, says, "Observation/1", on=ago(1))
    assert told(result) == Unreadable(reason, (result,))


def test_a_test_without_a_clear_result_may_be_repeated():
    result = Reading(POTASSIUM, Undetermined(), "Observation/1", on=ago(1), method="igra")
    assert told(result) == Indeterminate(STATES, (result,), tried=frozenset({"igra"}))


def test_without_a_usable_reading_it_is_said_why():
    assert isinstance(told(), NotTested)
    assert isinstance(told(potassium(4, grade=Grade.UNVERIFIED)), Unverified)
    assert not isinstance(told(potassium(4, status=ReadingStatus.PRELIMINARY)), Known)


# Cockcroft-Gault: (140 - 60) x 72 / (72 x 1.0) = 80 mL/min in a man, x 0.85 in a woman.


@pytest.mark.parametrize(("sex", "clearance"), [("male", 80.0), ("female", 68.0)])
def test_creatinine_clearance_by_cockcroft_and_gault(sex, clearance):
    creatinine = Reading("lab:creatinine", Quantity(1.0, "mg/dL", "<"), "Observation/c", on=ago(2))
    patient = person(creatinine, sex=sex, weight_kg=72.0, birth_date=ago(round(60.5 * 365.25)))
    (found,) = readings_of(CREATININE_CLEARANCE, patient, TODAY)
    assert found.says == Quantity(clearance, "mL/min", ">")
    assert found.observable == CREATININE_CLEARANCE


def test_the_clearance_of_a_creatinine_that_is_told_as_a_range_is_one():
    creatinine = Reading("lab:creatinine", Between(1.0, 1.6, "mg/dL"), "Observation/c", on=ago(2))
    patient = person(creatinine, sex="male", weight_kg=72.0, birth_date=ago(round(60.5 * 365.25)))
    (found,) = readings_of(CREATININE_CLEARANCE, patient, TODAY)
    assert (found.says, found.quoted) == (Between(50.0, 80.0, "mL/min"), "50 - 80 mL/min")


def test_of_a_birth_date_that_is_told_roughly_the_clearance_of_both_ages_counts():
    creatinine = Reading("lab:creatinine", Quantity(1.0, "mg/dL"), "Observation/c", on=ago(2))
    born = Span(ago(round(60.5 * 365.25)), ago(round(59.5 * 365.25)))
    patient = person(creatinine, sex="male", weight_kg=72.0, birth_date=born)
    found = readings_of(CREATININE_CLEARANCE, patient, TODAY)
    assert [r.says for r in found] == [Quantity(80.0, "mL/min"), Quantity(81.0, "mL/min")]


def test_of_weights_of_which_any_may_be_the_newest_the_clearance_of_each_counts():
    creatinine = Reading("lab:creatinine", Quantity(1.0, "mg/dL"), "Observation/c", on=ago(2))
    patient = person(creatinine, sex="male", weights_kg=(36.0, 72.0), birth_date=ago(round(60.5 * 365.25)))
    found = readings_of(CREATININE_CLEARANCE, patient, TODAY)
    assert [r.says for r in found] == [Quantity(40.0, "mL/min"), Quantity(80.0, "mL/min")]


def test_no_clearance_without_a_creatinine():
    assert readings_of(CREATININE_CLEARANCE, person(sex="male", weight_kg=72.0), TODAY) == ()


def test_of_a_sex_that_is_not_known_the_clearance_of_both_counts():
    creatinine = Reading("lab:creatinine", Quantity(1.0, "mg/dL"), "Observation/c", on=ago(2))
    patient = person(creatinine, sex="", weight_kg=72.0, birth_date=ago(round(60.5 * 365.25)))
    found = readings_of(CREATININE_CLEARANCE, patient, TODAY)
    assert [r.says for r in found] == [Quantity(80.0, "mL/min"), Quantity(68.0, "mL/min")]


@pytest.mark.parametrize("unknown", [{"birth_date": None}, {"weight_kg": None}])
@pytest.mark.parametrize(
    ("says", "of_clearance"),
    [
        (Quantity(1.0, "mg/dL"), NotReadable(GapReason.NEEDS_FACTS)),
        (NotReadable("implausible"), NotReadable("implausible")),
    ],
)
def test_without_age_or_weight_a_creatinine_is_a_clearance_that_cannot_be_read(says, of_clearance, unknown):
    creatinine = Reading("lab:creatinine", says, "Observation/c", on=ago(2))
    patient = person(creatinine, sex="male", weight_kg=72.0, birth_date=ago(20000))
    (found,) = readings_of(CREATININE_CLEARANCE, replace(patient, **unknown), TODAY)
    assert (found.observable, found.says) == (CREATININE_CLEARANCE, of_clearance)


@pytest.mark.parametrize(
    ("known", "lacking"),
    [
        ({"birth_date": ago(20000), "weight_kg": 72.0, "sex": "male"}, ()),
        ({"birth_date": ago(20000), "weights_kg": (70.0, 72.0), "sex": "female"}, ()),
        ({}, (Fact.AGE, Fact.WEIGHT, Fact.SEX)),
    ],
)
def test_the_facts_that_a_clearance_lacks(known, lacking):
    unknown = {"birth_date": None, "weight_kg": None, "sex": ""}
    patient = replace(person(), **{**unknown, **known})
    assert facts_lacking(CREATININE_CLEARANCE, patient) == lacking
    assert facts_lacking("lab:creatinine", patient) == ()


@pytest.mark.parametrize("says", [NotReadable("implausible"), SelfContradiction(("8", "80"))])
def test_a_creatinine_that_cannot_be_read_is_a_clearance_that_cannot(says):
    older = Reading("lab:creatinine", Quantity(1.0, "mg/dL"), "Observation/a", on=ago(9))
    newer = Reading("lab:creatinine", says, "Observation/b", on=ago(2))
    found = readings_of(
        CREATININE_CLEARANCE, person(older, newer, sex="male", weight_kg=72.0, birth_date=ago(20000)), TODAY
    )
    assert max(found, key=lambda reading: reading.on).says == says


def test_no_clearance_from_an_impossible_creatinine():
    creatinine = Reading("lab:creatinine", Quantity(0.0, "mg/dL"), "Observation/c", on=ago(2))
    assert readings_of(CREATININE_CLEARANCE, person(creatinine, sex="male", weight_kg=72.0), TODAY) == ()


FAULTS = {
    "haemolysed": SampleFault("haemolysed", "less", Trust.READ, raises={POTASSIUM: "study"}),
    "clotted": SampleFault("clotted", "more", Trust.READ, lowers={POTASSIUM: "study"}),
    "elsewhere": SampleFault("elsewhere", "other", Trust.READ, raises={"lab:sodium": "study"}),
}


def of_sample(*readings: Reading):
    of = table("kaliol", row({POTASSIUM: "usual"}, "standard"), uses={POTASSIUM: USE})
    known = replace(world(of), sample_faults=FAULTS)
    return measured(POTASSIUM, USE, STATES, around("kaliol", person(*readings), known), of.id)


@pytest.mark.parametrize(
    ("value", "comparator", "fault", "left", "why"),
    [
        (6.1, "", "haemolysed", {"low", "usual", "high"}, "less"),
        (4.2, "", "haemolysed", {"low", "usual"}, "less"),
        (4.2, "", "clotted", {"usual", "high"}, "more"),
        (2.9, "", "clotted", {"low", "usual", "high"}, "more"),
        (3.9, "<", "clotted", {"low", "usual", "high"}, "more"),
    ],
)
def test_a_fault_of_the_sample_leaves_the_values_on_one_side_open(value, comparator, fault, left, why) -> None:
    reading = potassium(value, comparator=comparator, flags=(fault,))
    assert of_sample(reading) == Narrowed(frozenset(left), why, (reading,), may_count=True)


@pytest.mark.parametrize(
    ("faults", "left", "why"),
    [
        (("elsewhere", "haemolysed"), {"low", "usual"}, "less"),
        (("elsewhere", "clotted"), {"usual", "high"}, "more"),
        (("haemolysed", "clotted"), {"low", "usual", "high"}, "less"),
    ],
)
def test_of_several_faults_each_that_touches_the_value_counts_and_is_named(faults, left, why) -> None:
    reading = potassium(4.2, flags=faults)
    assert of_sample(reading) == Narrowed(frozenset(left), why, (reading,), may_count=True)


def test_a_fault_that_does_not_touch_the_value_makes_no_other_value_the_repeat() -> None:
    one, other = potassium(6.1, flags=("elsewhere",)), potassium(4.2)
    assert isinstance(of_sample(one, other), Conflicting)


@pytest.mark.parametrize(
    ("value", "fault"), [(2.9, "haemolysed"), (6.1, "clotted"), (6.1, "elsewhere"), (6.1, "undated")]
)
def test_a_fault_that_cannot_move_the_value_to_another_band_changes_nothing(value, fault) -> None:
    reading = potassium(value, flags=(fault,))
    assert of_sample(reading) == Known("low" if value < 3.5 else "high", (reading,))


def test_a_fault_leaves_a_range_open_on_one_side_too() -> None:
    reading = Reading(POTASSIUM, Between(4.0, 4.4, "mmol/L"), "Observation/1", on=ago(1), flags=("haemolysed",))
    assert of_sample(reading) == Narrowed(frozenset({"low", "usual"}), "less", (reading,), may_count=True)


def test_the_repeat_of_the_same_day_counts_alone() -> None:
    spoiled, repeat = potassium(6.1, flags=("haemolysed",)), potassium(4.2)
    assert of_sample(spoiled, repeat) == Known("usual", (repeat,))


def test_an_older_sound_value_does_not_stand_against_a_newer_doubtful_one() -> None:
    spoiled = potassium(6.1, flags=("haemolysed",))
    assert isinstance(of_sample(spoiled, potassium(4.2, days=2)), Narrowed)


def test_what_cannot_be_read_stays_unreadable_whatever_its_sample() -> None:
    reading = potassium(6.1, unit="mg/dL", flags=("haemolysed",))
    assert of_sample(reading) == Unreadable(GapReason.UNIT_NOT_KNOWN, (reading,))
