"""Doses, structured and in text."""

from __future__ import annotations

import pytest

from cds_service.model import Dose
from cds_service.reading.doses import dose_in_text, dose_of, known_unit, times_a_day_in


def quantity(value: object, unit: str = "mg", code: str = "") -> dict[str, object]:
    return {"value": value, "unit": unit, **({"code": code} if code else {})}


@pytest.mark.parametrize(
    ("text", "amount", "unit", "per_day"),
    [
        ("75 mg once daily", 75.0, "mg", 1.0),
        ("Take 2 tablets by mouth twice a day", 2.0, "tablet", 2.0),
        ("one capsule three times daily", 1.0, "capsule", 3.0),
        ("1-2 tablets every 6 hours", 2.0, "tablet", 4.0),
        ("half a tablet every other day", 0.5, "tablet", 0.5),
        ("1/2 tablet nightly", 0.5, "tablet", 1.0),
        ("1,000 mg q12h", 1000.0, "mg", 2.0),
        ("2,5 mg daily", 2.5, "mg", 1.0),
        ("0.5 g BID", 500.0, "mg", 2.0),
        ("50 mcg t.i.d.", 0.05, "mg", 3.0),
        ("2 mg/kg/day", 2.0, "mg/kg/d", 1.0),
        ("15 mg per kg every 24 hours", 15.0, "mg/kg", 1.0),
        ("1 tablet (500 mg) daily", 500.0, "mg", 1.0),
        ("2 tablets (500 mg) daily", 2.0, "tablet", 1.0),
        ("20 mg weekly", 20.0, "mg", 1 / 7),
        ("20 mg twice a week", 20.0, "mg", 2 / 7),
        ("10 mg in the morning", 10.0, "mg", 1.0),
        ("10 mg every 2 days", 10.0, "mg", 0.5),
        ("5 mg", 5.0, "mg", None),
        ("5 mg then 10 mg", None, "", None),
        ("twice daily", None, "", 2.0),
        ("1/0 tablet daily", 0.0, "tablet", 1.0),
    ],
)
def test_text(text: str, amount: float | None, unit: str, per_day: float | None) -> None:
    found = dose_in_text(text)
    if amount is None and per_day is None:
        assert found is None
        return
    assert found is not None
    assert (found.per_dose, found.unit) == (amount, unit)
    assert found.per_day == pytest.approx(per_day)


@pytest.mark.parametrize("text", ["as directed", "", "every 0 hours"])
def test_text_without_a_dose(text: str) -> None:
    assert dose_in_text(text) is None


@pytest.mark.parametrize(
    ("timing", "expected"),
    [
        ({"repeat": {"frequency": 2, "period": 1, "periodUnit": "d"}}, 2.0),
        ({"repeat": {"period": 8, "periodUnit": "h"}}, 3.0),
        ({"repeat": {"frequency": 1, "frequencyMax": 2, "period": "1", "periodUnit": "wk"}}, 2 / 7),
        ({"repeat": {"timeOfDay": ["08:00", "20:00"]}}, 2.0),
        ({"repeat": {"when": ["MORN"], "frequency": 1, "period": 1, "periodUnit": "d"}}, 1.0),
        ({"repeat": {"dayOfWeek": ["mon", "thu"]}}, 2 / 7),
        ({"repeat": {"frequency": 1, "period": 0, "periodUnit": "d"}}, None),
        ({"repeat": {"frequency": 1}}, None),
        ({"code": {"coding": [{"code": "TID"}]}}, 3.0),
        ({"code": {"text": "every 12 hours"}}, 2.0),
        ({"event": ["2026-01-01"]}, None),
        ([{"repeat": [{"frequency": 1, "period": 1, "periodUnit": "d"}]}], 1.0),
    ],
)
def test_timing(timing: object, expected: float | None) -> None:
    found = dose_of({"doseAndRate": [{"doseQuantity": quantity(5)}], "timing": timing}, None)
    assert found is not None
    assert found.per_day == pytest.approx(expected)


@pytest.mark.parametrize(
    ("instruction", "expected"),
    [
        ({"doseAndRate": {"doseQuantity": quantity("75")}}, Dose(75.0, "mg")),
        ({"doseQuantity": quantity(75)}, Dose(75.0, "mg")),
        ({"doseAndRate": [{"doseRange": {"low": quantity(5), "high": quantity(10)}}]}, Dose(10.0, "mg")),
        ({"doseAndRate": [{"doseRange": {"low": quantity(5)}}]}, Dose(5.0, "mg")),
        ({"doseQuantity": quantity(1, "TAB", "{tbl}")}, Dose(1.0, "tablet")),
        ({"doseQuantity": quantity(3, "spoonfuls")}, Dose(3.0, "spoonfuls")),
        ({"doseQuantity": quantity(2, "x", "mg/kg/d")}, Dose(2.0, "mg/kg", 1.0)),
        ({"doseQuantity": quantity(500, "ug")}, Dose(0.5, "mg")),
        ({"doseQuantity": quantity(5), "text": "take 10 mg"}, Dose(None, "mg", None, "take 10 mg")),
        ({"doseQuantity": quantity(5), "text": "take 5 mg daily"}, Dose(5.0, "mg", 1.0, "take 5 mg daily")),
        ({"text": "2 mg/kg/day"}, Dose(2.0, "mg/kg", 1.0, "2 mg/kg/day")),
        ({"patientInstruction": "as told"}, Dose(None, "", None, "as told")),
    ],
)
def test_one_instruction(instruction: object, expected: Dose) -> None:
    assert dose_of([instruction], None) == expected


def test_several_instructions_that_differ_leave_the_amount_open() -> None:
    parts = [{"text": "10 mg daily"}, {"text": "20 mg daily"}]
    assert dose_of(parts, None) == Dose(None, "", None, "10 mg daily; 20 mg daily")
    same = [{"text": "10 mg in the morning"}, {"text": "10 mg at bedtime"}]
    assert dose_of(same, None) == Dose(10.0, "mg", None, "10 mg in the morning; 10 mg at bedtime")


@pytest.mark.parametrize("nothing", [None, [], {}, [{}], 7, [7]])
def test_no_instruction_is_no_dose(nothing: object) -> None:
    found = dose_of(nothing, None)
    assert found is None or found.per_dose is None


def test_a_bare_text_is_an_instruction() -> None:
    assert dose_of("75 mg daily", None) == Dose(75.0, "mg", 1.0, "75 mg daily")


def test_tablets_become_milligrams_where_the_strength_is_known() -> None:
    assert dose_of([{"text": "2 tablets daily"}], 75.0) == Dose(150.0, "mg", 1.0, "2 tablets daily")


def test_an_unknown_unit_has_no_name() -> None:
    assert (known_unit("mg/furlong"), known_unit("MG/KG"), times_a_day_in("now and then")) == ("", "mg/kg", None)
