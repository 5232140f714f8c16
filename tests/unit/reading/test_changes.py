"""Conditions that only a change between results tells."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from cds_service.knowledge.schema import StateChange
from cds_service.model import Condition, Grade, Phenotype, Quantity, Reading, ReadingStatus, Span
from cds_service.reading.changes import conditions_told

TODAY = date(2026, 11, 26)
CHANGES = {"stopped": StateChange("lab:smoking", "current", "former", 90)}


def smoking(term, on, name="1", **fields):
    return Reading("lab:smoking", Phenotype(term), f"Observation/{name}", on=on, quoted=f"{term} smoker", **fields)


SMOKED, STOPS = smoking("current", date(2026, 9, 1)), smoking("former", date(2026, 11, 20), "2")


def told(*readings):
    return tuple(conditions_told(readings, CHANGES, TODAY))


def test_who_smoked_and_is_a_former_smoker_has_stopped():
    expected = Condition(frozenset({"stopped"}), "former smoker", "Observation/2", date(2026, 11, 20))
    assert told(SMOKED, STOPS) == told(STOPS, SMOKED) == (expected,)


def test_it_counts_from_the_first_result_that_tells_it():
    again = smoking("former", date(2026, 11, 25), "3")
    assert [found.onset for found in told(SMOKED, STOPS, again)] == [date(2026, 11, 20)]


@pytest.mark.parametrize(
    "readings",
    [
        (),
        (STOPS,),
        (SMOKED,),
        (SMOKED, STOPS, smoking("current", date(2026, 11, 24), "3")),
        (SMOKED, STOPS, smoking("never", date(2026, 11, 24), "3")),
        (replace(SMOKED, on=date(2020, 1, 1)), replace(STOPS, on=date(2026, 8, 27))),
        (replace(SMOKED, on=None), STOPS),
        (SMOKED, replace(STOPS, on=None)),
        (SMOKED, replace(STOPS, status=ReadingStatus.PRELIMINARY)),
        (SMOKED, replace(STOPS, grade=Grade.UNVERIFIED)),
        (SMOKED, replace(STOPS, observable="lab:other")),
        (SMOKED, replace(STOPS, says=Quantity(1, "1"))),
    ],
)
def test_nothing_else_tells_it(readings):
    assert told(*readings) == ()


def test_the_last_day_on_which_it_counts():
    assert len(told(replace(SMOKED, on=date(2020, 1, 1)), replace(STOPS, on=date(2026, 8, 28)))) == 1


def test_a_month_counts_from_its_first_day():
    rough = replace(STOPS, on=Span(date(2026, 11, 1), date(2026, 11, 30)))
    assert len(told(SMOKED, rough)) == 1
