"""Doses, structured and in text."""

from __future__ import annotations

import pytest

from cds_service.codes import USUAL_DOSE
from cds_service.model import Dose
from cds_service.reading.dose_text import dose_in_text, known_unit, times_a_day_in
from cds_service.reading.doses import dose_of


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
        ("Take 150 mg by mouth 2 (two) times daily", 150.0, "mg", 2.0),
        ("Take two (2) tablets by mouth every 8 (eight) hours", 2.0, "tablet", 3.0),
        ("75 mg PO q.d.", 75.0, "mg", 1.0),
        ("100 mg 2x daily", 100.0, "mg", 2.0),
        ("100 mg 3x/day", 100.0, "mg", 3.0),
        ("10 mg in the morning and at bedtime", 10.0, "mg", 2.0),
        ("10 mg daily, morning and evening", 10.0, "mg", 2.0),
        ("1 tab nightly at bedtime", 1.0, "tablet", 1.0),
        ("1 tablet each morning", 1.0, "tablet", 1.0),
        ("1 tablet every day with the evening meal", 1.0, "tablet", 1.0),
        ("1 tab po qid prn pain", 1.0, "tablet", 4.0),
        ("1-2 tabs q4-6h prn", 2.0, "tablet", 6.0),
        ("take 1 1/2 tablets daily", 1.5, "tablet", 1.0),
        ("take 1½ tablets daily", 1.5, "tablet", 1.0),
        ("one and a half tablets daily", 1.5, "tablet", 1.0),
        (".125 mg daily", 0.125, "mg", 1.0),
        ("five mg every six hours", 5.0, "mg", 4.0),
        ("40 mg/kg/day divided BID", 20.0, "mg/kg/d", 2.0),
        ("1.25 mg/kg/dose twice daily", 1.25, "mg/kg", 2.0),
        ("2 tablets per day", 2.0, "tablet/d", 1.0),
        ("5 mL (25 mg) twice daily", 25.0, "mg", 2.0),
        ("10 mL of 25 mg/5 mL twice daily", 10.0, "mL", 2.0),
        ("0.5 mcg/kg/min continuously", None, "", None),
        ("25 mcg/hr patch every 72 hours", None, "", 1 / 3),
        ("hydrocodone-acetaminophen 5-325 mg, 1 tablet q6h", 1.0, "tablet", 4.0),
        ("1 tablet every morning and 2 tablets every evening", None, "", 2.0),
        ("30 mg q4h, max 240 mg per day", None, "", 6.0),
        ("15 mg once weekly on Mondays", 15.0, "mg", 1 / 7),
        ("40 mg every other week", 40.0, "mg", 1 / 14),
        ("50 mg every 3 months", 50.0, "mg", 1 / 90),
        ("5 mg daily on Monday and Friday", 5.0, "mg", None),
        ("1 tab Mon Wed Fri", 1.0, "tablet", None),
        ("50 mg bid, avoid sun", 50.0, "mg", 2.0),
        ("2.5 daily", None, "", 1.0),
    ],
)
def test_text(text: str, amount: float | None, unit: str, per_day: float | None) -> None:
    found = dose_in_text(text)
    if amount is None and per_day is None:
        assert found is None
        return
    assert found is not None
    assert (found.per_dose, found.unit) == (amount, unit)
    assert found.per_day == (pytest.approx(per_day) if per_day is not None else None)


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
        ({"repeat": {"frequency": 1, "period": 1, "periodUnit": "min"}}, 1440.0),
        ({"repeat": {"frequency": 1e308, "period": 1, "periodUnit": "d"}}, None),
        ({"repeat": {"when": ["MORN", "EVE"], "frequency": 1, "period": 1, "periodUnit": "d"}}, 2.0),
        ({"repeat": {"period": 4, "periodMax": 6, "periodUnit": "h"}}, 6.0),
        ({"repeat": {"dayOfWeek": ["mon", "thu"], "frequency": 1, "period": 1, "periodUnit": "d"}}, 2 / 7),
        ({"repeat": {"dayOfWeek": ["mon"], "frequency": 1, "period": 1, "periodUnit": "wk"}}, 1 / 7),
        ({"repeat": {"dayOfWeek": ["mon", "wed", "fri"], "frequency": 1, "period": 1, "periodUnit": "wk"}}, 3 / 7),
        ({"repeat": {"frequency": 2, "period": 1, "periodUnit": "wk"}}, 2 / 7),
        ({"repeat": {"frequency": 1, "period": 1, "periodUnit": "mo"}}, 1 / 30),
        ({"repeat": {"frequency": 1, "period": 1, "periodUnit": "a"}}, 1 / 365),
        ({"repeat": {"frequency": 1, "period": 480, "periodUnit": "min"}}, 3.0),
        ({"code": {"coding": [{"code": "BID"}]}}, 2.0),
        ({"code": {"coding": [{"code": "bid"}]}}, 2.0),
        ({"code": {"coding": [{"code": "QID"}]}}, 4.0),
        ({"code": {"coding": [{"code": "QD"}]}}, 1.0),
        ({"code": {"coding": [{"code": "QOD"}]}}, 0.5),
        ({"code": {"coding": [{"code": "WK"}]}}, 1 / 7),
        ({"code": {"coding": [{"code": "MO"}]}}, 1 / 30),
        *[({"code": {"coding": [{"code": f"Q{hours}H"}]}}, 24 / hours) for hours in (1, 2, 3, 4, 6, 12)],
        *[({"code": {"coding": [{"code": code}]}}, 1.0) for code in ("AM", "PM", "BED")],
        ({"code": {"coding": [{"code": "Q8H"}]}}, 3.0),
        ({"code": {"text": "2 (two) times daily"}}, 2.0),
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


def test_a_figure_that_nobody_can_have_meant_is_none():
    dose = dose_of([{"text": "as before", "doseAndRate": [{"doseQuantity": quantity(1e308)}]}], None)
    assert (dose.per_dose, dose.text) == (None, "as before")


def noting(*usual: object) -> list[dict[str, object]]:
    return [{"url": USUAL_DOSE, "valueQuantity": one} for one in usual]


@pytest.mark.parametrize(
    ("quantity_now", "extensions", "strength_mg", "usual"),
    [
        (quantity(50), noting(quantity(100)), None, 100.0),
        (quantity(50), [{"url": "https://example.org/ours", "valueQuantity": quantity(7)}], None, None),
        (quantity(50), [{"url": "https://example.org/ours"}, *noting(quantity(100))], None, 100.0),
        (quantity(0.5, "tablet"), noting(quantity(1, "tablet")), None, 1.0),
        (quantity(0.5, "tablet"), noting(quantity(1, "tablet")), 100, 100.0),
        (quantity(50), noting(quantity(1, "tablet")), None, None),
        (quantity(50), noting(quantity(100), quantity(200)), None, None),
        (quantity(50), noting(quantity(0)), None, None),
        (quantity(50), noting(quantity(-100)), None, None),
        (quantity(50), noting(None), None, None),
        (quantity(50), noting(quantity(1e308)), None, None),
    ],
)
def test_the_usual_dose_that_our_suggestion_noted(quantity_now, extensions, strength_mg, usual):
    dose = dose_of([{"doseAndRate": [{"doseQuantity": quantity_now}], "extension": extensions}], strength_mg)
    assert dose.usual == usual


def test_a_dose_said_in_several_ways_counts_in_milligrams() -> None:
    as_ordered, in_pieces = {"doseQuantity": quantity(75)}, {"doseQuantity": quantity(1, "tablet(s)")}
    calculated, other = {"doseQuantity": quantity(0.5, "mg/kg")}, {"doseQuantity": quantity(50)}
    assert dose_of([{"doseAndRate": [in_pieces, calculated, as_ordered]}], None) == Dose(75.0, "mg")
    assert dose_of([{"doseAndRate": [in_pieces]}], None) == Dose(1.0, "tablet")
    assert dose_of([{"doseAndRate": [as_ordered, other]}], None) is None


def test_a_rate_alone_is_no_dose_but_its_text_is_kept() -> None:
    infusion = {"text": "continuous infusion", "doseAndRate": [{"rateQuantity": quantity(5, "mg/h")}]}
    assert dose_of([infusion], None) == Dose(None, "", None, "continuous infusion")


def test_a_dose_taken_as_needed_is_the_most_that_may_be_taken() -> None:
    needed = {"asNeededBoolean": True, "doseAndRate": [{"doseQuantity": quantity(2, "tab(s)")}],
              "timing": {"repeat": {"frequency": 1, "period": 6, "periodUnit": "h"}}}  # fmt: skip
    found = dose_of([needed], 30.0)
    assert found is not None
    assert (found.per_dose, found.unit, found.daily) == (60.0, "mg", 240.0)


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
