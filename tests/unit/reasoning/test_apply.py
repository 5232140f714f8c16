"""Advice and order give the resulting order; what is already as advised is unchanged."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cds_service.model import (
    Action,
    Amount,
    Dose,
    DoseArithmetic,
    DoseChange,
    DosePhase,
    Option,
    Outcome,
    Times,
    TimesUnit,
)
from cds_service.reasoning.apply import AS_DRAFTED, amount_in, apply, arithmetic, departs, severity
from tests.support.tiny import advice, half, order

START, MAXIMUM = DosePhase.START, DosePhase.MAXIMUM


def changed(change, dose, weight_kg=None):
    return departs(apply(advice(Option(Action.DOSE, change)), order("x", dose=dose), weight_kg))


@pytest.mark.parametrize(
    ("action", "outcome"),
    [
        ("standard", Outcome.AS_DRAFTED),
        ("monitor", Outcome.AS_DRAFTED),
        ("counsel", Outcome.AS_DRAFTED),
        ("no_recommendation", Outcome.AS_DRAFTED),
        ("avoid", Outcome.OTHER_DRUG),
        ("alternative", Outcome.OTHER_DRUG),
        ("stop", Outcome.STOP),
        ("not_indicated", Outcome.STOP),
        ("prepare_first", Outcome.WAIT),
        ("use_other_test", Outcome.WAIT),
        ("dose", Outcome.CHANGED_DOSE),
    ],
)
def test_the_first_option_decides(action, outcome):
    assert apply(advice(action, Option(Action.AVOID)), order("x")).outcome is outcome


@pytest.mark.parametrize("dose", [None, Dose(10, "mg", 1)])
def test_a_factor_changes_any_dose(dose):
    assert changed(DoseChange(START, factor=(0.5, 0.5)), dose)


@pytest.mark.parametrize(
    ("dose", "expected"),
    [(None, False), (Dose(20, "mg", 1), False), (Dose(20, "mg", 2), False), (Dose(30, "mg", 2), True)],
)
def test_a_cap_changes_only_a_dose_known_to_be_above_it(dose, expected):
    assert changed(DoseChange(MAXIMUM, cap=Amount(40, "mg/d")), dose) is expected


def test_a_cap_in_a_unit_that_cannot_be_compared_changes_nothing():
    assert not changed(DoseChange(MAXIMUM, cap=Amount(40, "mg/d")), Dose(9, "tablet", 9))


@pytest.mark.parametrize(
    ("dose", "expected"),
    [(None, True), (Dose(400, "mg", 1), False), (Dose(200, "mg", 2), False), (Dose(600, "mg", 1), True)],
)
def test_an_amount_changes_every_other_dose(dose, expected):
    assert changed(DoseChange(START, amount=Amount(400, "mg/d")), dose) is expected


@pytest.mark.parametrize(("mg", "expected"), [(100, True), (200, False), (300, False), (400, False), (500, True)])
def test_inside_the_range_is_unchanged(mg, expected):
    change = DoseChange(START, amount=Amount(400, "mg/d"), floor=Amount(200, "mg/d"))
    assert changed(change, Dose(mg, "mg", 1)) is expected
    capped = DoseChange(START, cap=Amount(400, "mg/d"), floor=Amount(200, "mg/d"))
    assert changed(capped, Dose(mg, "mg", 1)) is expected


@pytest.mark.parametrize("dose", [None, Dose(2, "tablet", 1)])
def test_a_range_below_a_cap_changes_only_a_dose_that_is_known(dose):
    assert not changed(DoseChange(START, cap=Amount(400, "mg/d"), floor=Amount(200, "mg/d")), dose)
    assert changed(DoseChange(START, amount=Amount(400, "mg/d"), floor=Amount(200, "mg/d")), dose)


def test_at_least():
    change = DoseChange(START, floor=Amount(200, "mg/d"), direction="higher")
    assert changed(change, Dose(100, "mg", 1))
    assert changed(change, None)
    assert not changed(change, Dose(900, "mg", 1))


def test_a_change_that_is_needed_only_above_a_usual_start():
    change = DoseChange(START, factor=(0.3, 0.8), applies_above=(Amount(2, "mg/kg/d"),))
    assert changed(change, Dose(150, "mg", 1), 50)
    assert not changed(change, Dose(50, "mg", 1), 50)
    assert changed(change, Dose(50, "mg", 1), None), "without a weight nobody knows that it is low"
    assert changed(change, None)


def test_of_two_limits_the_first_that_can_be_compared_decides():
    limits = (Amount(75, "mg/m2/d"), Amount(1.5, "mg/kg/d"))
    change = DoseChange(START, factor=(0.3, 0.8), applies_above=limits)
    assert changed(change, Dose(75, "mg/m2", 1), 20)
    assert not changed(change, Dose(50, "mg/m2", 1), 20)
    assert changed(change, Dose(50, "mg", 1), 30)
    assert not changed(change, Dose(50, "mg", 1), 70)
    assert changed(change, Dose(50, "mg", 1), None), "no surface and no weight"


@pytest.mark.parametrize(
    ("mg", "factor", "expected"),
    [(50, 0.5, False), (50, 0.25, True), (100, 0.5, True), (25, 0.5, True), (33.33, 1 / 3, False)],
)
def test_a_share_of_the_usual_dose_is_taken_once(mg, factor, expected):
    change, dose = DoseChange(START, factor=(factor, factor)), Dose(mg, "mg", 1, usual=100)
    assert changed(change, dose) is expected
    reckoned = arithmetic(apply(advice(Option(Action.DOSE, change)), order("x", mg=100)), order("x", dose=dose))
    assert (reckoned.old, reckoned.new[0]) == (100, pytest.approx(100 * factor, rel=0.001))
    assert not reckoned.assumes_usual


def test_a_share_is_there_only_with_the_times_and_below_the_cap_that_go_with_it():
    change = DoseChange(START, factor=(0.5, 0.5), times=Times(3, 1, TimesUnit.WEEK))
    assert changed(change, Dose(50, "mg", 1, usual=100))
    assert not changed(change, Dose(50, "mg", 3 / 7, usual=100))
    capped = DoseChange(START, factor=(2, 2), at_most=Amount(150, "mg"))
    assert not changed(capped, Dose(150, "mg", 1, usual=100))
    assert changed(capped, Dose(200, "mg", 1, usual=100))


def test_what_is_no_share_goes_by_the_dose_as_it_is_and_not_by_the_usual_one():
    assert changed(DoseChange(START, amount=Amount(20, "mg")), Dose(50, "mg", 1, usual=20))
    assert not changed(DoseChange(MAXIMUM, cap=Amount(50, "mg")), Dose(50, "mg", 1, usual=100))


@pytest.mark.parametrize(
    ("dose", "unit", "weight", "expected"),
    [
        (Dose(100, "mg", 2), "mg", None, 100),
        (Dose(100, "mg", 2), "mg/d", None, 200),
        (Dose(100, "mg", None), "mg/d", None, None),
        (Dose(100, "mg", 2), "mg/kg/d", 50, 4),
        (Dose(100, "mg", 2), "mg/kg/d", None, None),
        (Dose(2, "mg/kg", 1), "mg/d", 50, 100),
        (Dose(2, "mg/kg", 1), "mg", None, None),
        (Dose(2, "tablet", 1), "mg", 50, None),
        (None, "mg", 50, None),
    ],
)
def test_amounts_in_other_units(dose, unit, weight, expected):
    assert amount_in(dose, unit, weight) == expected


def test_severity_orders_departures():
    outcomes = ["standard", half(0.5), half(0.2), "prepare_first", "avoid", "stop"]
    found = [severity(apply(advice(o), order("x"))) for o in outcomes]
    assert found == sorted(found)
    assert len(set(found)) == len(found)
    assert severity(AS_DRAFTED) == (0, 0.0)
    figureless = apply(advice(Option(Action.DOSE, DoseChange(START, direction="lower"))), order("x"))
    assert severity(figureless) == (1, 0.5)


def worked_out(change, dose, weight=None):
    drafted = order("x", dose=dose)
    return arithmetic(apply(advice(Option(Action.DOSE, change)), drafted, weight), drafted, weight)


def test_arithmetic_of_a_factor():
    found = worked_out(DoseChange(START, factor=(0.3, 0.8)), Dose(150, "mg", 1))
    reckoned = DoseArithmetic(150, "mg", (0.3, 0.8), (45, 120), "per_dose", drafted_per_day=1, assumes_usual=True)
    assert found == reckoned


def test_arithmetic_of_an_amount_and_a_cap():
    found = worked_out(DoseChange(START, amount=Amount(400, "mg/d")), Dose(200, "mg", 4))
    assert found == DoseArithmetic(800, "mg", (0.5, 0.5), (400, 400), "per_day", drafted_per_day=4)
    found = worked_out(DoseChange(MAXIMUM, cap=Amount(20, "mg")), Dose(40, "mg", 1))
    assert found == DoseArithmetic(40, "mg", (0.5, 0.5), (20, 20), "per_dose", drafted_per_day=1)


TWICE, EVERY_OTHER_DAY = Times(2, 1, TimesUnit.DAY), Times(1, 2, TimesUnit.DAY)


@pytest.mark.parametrize(
    ("change", "dose", "weight", "expected"),
    [
        (DoseChange(MAXIMUM, cap=Amount(5, "mg/kg/d")), Dose(200, "mg", 2), 50, (400, "mg", 250)),
        (DoseChange(START, amount=Amount(0.5, "mg/kg/d")), Dose(40, "mg", 1), 32, (40, "mg", 16)),
        (DoseChange(START, amount=Amount(0.5, "mg/kg")), Dose(40, "mg", 1), 32, (40, "mg", 16)),
        (DoseChange(START, amount=Amount(0.5, "mg/kg/d")), Dose(1.2, "mg/kg", 1), 32, (1.2, "mg/kg", 0.5)),
    ],
)
def test_an_amount_by_the_kilogram_is_reckoned_as_the_draft_gives_it(change, dose, weight, expected):
    """Who orders milligrams is told milligrams, and need not multiply by the weight."""
    found = worked_out(change, dose, weight)
    assert (found.old, found.unit, found.new[0]) == expected


@pytest.mark.parametrize(
    ("change", "dose", "each"),
    [
        (DoseChange(START, factor=(0.5, 0.5)), Dose(100, "mg", 3), (100, 50)),
        (DoseChange(START, factor=(0.3, 0.8)), Dose(100, "mg", 1), None),
        (DoseChange(START, factor=(0.1, 0.1), frequency="rarely"), Dose(100, "mg", 1), None),
        (DoseChange(START, factor=(0.1, 0.1), frequency="x", times=EVERY_OTHER_DAY), Dose(100, "mg", 1), (100, 10)),
        (DoseChange(MAXIMUM, cap=Amount(40, "mg/d")), Dose(80, "mg", 1), (80, 40)),
        (DoseChange(MAXIMUM, cap=Amount(50, "mg/d")), Dose(25, "mg", 3), None),
        (DoseChange(MAXIMUM, cap=Amount(5, "mg/d"), frequency="x", times=TWICE), Dose(10, "mg", 1), (10, 2.5)),
        (DoseChange(MAXIMUM, cap=Amount(5, "mg/d"), frequency="x", times=TWICE), Dose(5, "mg", 2), (5, 2.5)),
    ],
)
def test_what_each_administration_will_give_where_the_draft_or_the_source_says_how_often(change, dose, each):
    assert worked_out(change, dose).each == each


@pytest.mark.parametrize(("per_day", "expected"), [(0.5, False), (1, True), (None, True)])
def test_a_single_dose_as_advised_more_often_than_advised_is_changed(per_day, expected):
    """Rifabutin 150 mg every day is not rifabutin 150 mg every other day."""
    change = DoseChange(START, amount=Amount(150, "mg"), frequency="every_other_day", times=EVERY_OTHER_DAY)
    assert changed(change, Dose(150, "mg", per_day)) is expected
    by_day = DoseChange(START, amount=Amount(150, "mg/d"), frequency="once", times=Times(1, 1, TimesUnit.DAY))
    assert not changed(by_day, Dose(75, "mg", 2))


@pytest.mark.parametrize(
    ("change", "dose"),
    [
        (DoseChange(START, factor=(0.5, 0.5)), None),
        (DoseChange(START, factor=(0.5, 0.5)), Dose(None, "mg")),
        (DoseChange(START, direction="lower"), Dose(10, "mg", 1)),
        (DoseChange(START, factor=(0.5, 0.5), of_drafted=False), Dose(10, "mg", 1)),
        (DoseChange(START, amount=Amount(400, "mg/d")), Dose(2, "tablet", 1)),
        (DoseChange(MAXIMUM, cap=Amount(40, "mg")), Dose(20, "mg", 1)),
    ],
)
def test_no_arithmetic_without_dose_or_figure(change, dose):
    assert worked_out(change, dose) is None


CAPPED = DoseChange(START, factor=(1.5, 2.0), at_most=Amount(0.3, "mg/kg/d"))


@pytest.mark.parametrize(
    ("weight", "new", "at_most"),
    [(45, (6.75, 6.75), 6.75), (60, (7.5, 9), 9), (70, (7.5, 10), None)],
)
def test_a_share_is_reckoned_up_to_its_cap(weight, new, at_most):
    """Tacrolimus: more for those who clear it fast, and not above 0.3 mg/kg a day in total."""
    found = worked_out(CAPPED, Dose(5, "mg", 2), weight)
    plain = DoseArithmetic(5, "mg", (1.5, 2.0), new, "per_dose", drafted_per_day=2, assumes_usual=True)
    assert found == replace(plain, at_most=at_most)


@pytest.mark.parametrize(("dose", "weight"), [(Dose(5, "mg", 2), None), (Dose(5, "mg"), 45)])
def test_a_cap_that_cannot_be_held_against_the_draft_leaves_the_dose_to_the_prescriber(dose, weight):
    assert worked_out(CAPPED, dose, weight) is None


def test_a_single_dose_is_capped_by_the_day():
    change = DoseChange(START, amount=Amount(5, "mg"), at_most=Amount(20, "mg/d"))
    assert worked_out(change, Dose(10, "mg", 3)).new == (5, 5)
    assert worked_out(change, Dose(10, "mg", 8)).new == (2.5, 2.5)
