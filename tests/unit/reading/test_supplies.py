"""How long a supply lasts, and what is made of a medicine whose supply is used up."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from cds_service.model import Dose, Span
from cds_service.reading.medications import Medicine
from cds_service.reading.supplies import Supply, dispensed, prescribed
from tests.unit.reading.small import KNOWLEDGE, order
from tests.unit.reading.test_medicines_taken import given, read_medicines

TABLETS = Dose(150.0, "mg", 2.0)
LENGTHS = KNOWLEDGE.supplies


def medicine(dose: Dose | None = TABLETS, *, strength: float | None = 75.0, more: bool = False) -> Medicine:
    ingredients = ("clopidogrel", "aspirin") if more else ("clopidogrel",)
    return Medicine("clopidogrel", ingredients, None, dose, strength, "oral", ())


def quantity(value: object, unit: str = "") -> dict[str, Any]:
    return {"value": value, "unit": unit}


def lasts(of: Medicine, told: dict[str, Any], *instructions: dict[str, Any]) -> int | None:
    """Days for which a dispense of the first of January is told to last."""
    found = dispensed(
        {"whenHandedOver": "2026-01-01", "quantity": told, "dosageInstruction": list(instructions)}, of, LENGTHS
    )
    assert found is not None
    assert isinstance(found.until, date)
    return (found.until - date(2026, 1, 1)).days if found.is_told else None


@pytest.mark.parametrize(
    ("told", "days"),
    [
        (quantity(120, "tablets"), 30),
        (quantity(9000, "mg"), 30),
        (quantity(9, "g"), 30),
        (quantity(121, "TAB"), 31),
        (quantity(120), None),
        (quantity(200, "mL"), None),
        (quantity(0, "tablets"), None),
        (quantity("many", "tablets"), None),
        ({}, None),
    ],
)
def test_quantity_and_dose_tell_how_long_a_supply_lasts(told: dict[str, Any], days: int | None) -> None:
    assert lasts(medicine(), told) == days


@pytest.mark.parametrize("dose", [None, Dose(None, "mg", 2.0), Dose(150.0, "mg", None), Dose(150.0, "mg", 0.0)])
def test_a_quantity_without_a_daily_dose_tells_nothing(dose: Dose | None) -> None:
    assert lasts(medicine(dose), quantity(120, "tablets")) is None


def test_pieces_of_a_combination_are_counted_as_pieces() -> None:
    assert lasts(medicine(Dose(2.0, "tablet", 2.0), more=True), quantity(120, "tablets")) == 30
    assert lasts(medicine(Dose(150.0, "mg", 2.0), more=True), quantity(120, "tablets")) is None


@pytest.mark.parametrize(
    "instruction",
    [
        {"asNeededBoolean": True},
        {"asNeededCodeableConcept": {"text": "pain"}},
        {"text": "1 tablet every 6 hours as needed for pain"},
        {"text": "1 tab q6h PRN"},
    ],
)
def test_of_what_is_taken_as_needed_nobody_knows(instruction: dict[str, Any]) -> None:
    assert lasts(medicine(), quantity(120, "tablets"), instruction) is None
    assert lasts(medicine(), quantity(120, "tablets"), {"asNeededBoolean": False, "text": "twice daily"}) == 30


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (
            {"daysSupply": {"value": 30, "code": "d"}, "quantity": quantity(10, "tablets")},
            (date(2026, 1, 31), 30, True),
        ),
        ({"daysSupply": {"value": 2, "unit": "weeks"}}, (date(2026, 1, 15), 14, True)),
        ({"daysSupply": {"value": 30, "comparator": "<", "code": "d"}}, (date(2026, 4, 1), 275, False)),
        ({}, (date(2026, 4, 1), 275, False)),
    ],
)
def test_days_are_taken_as_told_else_the_usual_supply_is_assumed(told: dict[str, Any], expected: Any) -> None:
    found = dispensed({"whenHandedOver": "2026-01-01", **told}, medicine(), LENGTHS)
    assert found is not None
    assert (found.until, found.spare, found.is_told) == expected


def test_a_supply_of_a_month_or_beyond_the_calendar() -> None:
    found = dispensed({"whenHandedOver": "2026-01", "daysSupply": {"value": 1}}, medicine(), LENGTHS)
    assert found == Supply(Span(date(2026, 1, 2), date(2026, 2, 1)), 1)
    assert dispensed({}, medicine(), LENGTHS) is None
    assert dispensed({"whenHandedOver": "9999-12-30"}, medicine(), LENGTHS) is None
    assert dispensed({"whenHandedOver": "9999-12-30", "daysSupply": {"value": 5}}, medicine(), LENGTHS) is None


THIRTY = {"expectedSupplyDuration": {"value": 30, "code": "d"}}
VALID = {"validityPeriod": {"end": "2026-06-30"}}


def course(days: int) -> dict[str, Any]:
    return {"timing": {"repeat": {"boundsDuration": {"value": days, "code": "d"}}}}


@pytest.mark.parametrize(
    ("told", "instructions", "expected"),
    [
        ({**THIRTY, "numberOfRepeatsAllowed": 0}, [], (date(2026, 1, 31), 30)),
        ({**THIRTY, "numberOfRepeatsAllowed": 2, **VALID}, [], (date(2026, 4, 1), 90)),
        ({"quantity": quantity(120, "tablets"), "numberOfRepeatsAllowed": 1}, [], (date(2026, 3, 2), 60)),
        ({**THIRTY, **VALID}, [], (date(2026, 7, 30), 30)),
        (VALID, [], (date(2026, 9, 28), 90)),
        ({}, [course(7)], (date(2026, 1, 8), 7)),
        ({**THIRTY, "numberOfRepeatsAllowed": 2}, [course(7), course(14)], (date(2026, 1, 22), 21)),
        ({}, [course(7), {"text": "then 5 mg daily"}], None),
        (THIRTY, [], None),
        ({"numberOfRepeatsAllowed": 3}, [], None),
        ({**THIRTY, "numberOfRepeatsAllowed": 1e9}, [], None),
        ({}, [], None),
    ],
)
def test_a_prescription_tells_its_supply_or_nothing(told: Any, instructions: Any, expected: Any) -> None:
    resource = {"authoredOn": "2026-01-01", "dispenseRequest": told, "dosageInstruction": instructions}
    found = prescribed(resource, medicine(), LENGTHS)
    assert (None if found is None else (found.until, found.spare)) == expected


def test_a_prescription_without_a_date_tells_only_by_its_validity() -> None:
    assert prescribed({"dispenseRequest": {**THIRTY, "numberOfRepeatsAllowed": 0}}, medicine(), LENGTHS) is None
    assert prescribed({"dispenseRequest": VALID}, medicine(), LENGTHS) is not None
    late = {"authoredOn": "9999-12-30", "dispenseRequest": {**THIRTY, "numberOfRepeatsAllowed": 0}}
    assert prescribed(late, medicine(), LENGTHS) is None


def use_of(resource: dict[str, Any]) -> tuple[str, bool, bool]:
    """(day on which it stopped, may have ended, may go on), as read on 25 November 2026."""
    (found,) = read_medicines(resource).patient.medications
    return str(found.stopped or ""), found.may_have_ended, found.may_go_on


def handed(day: str, days: int | None = None, **fields: Any) -> dict[str, Any]:
    return given("Dispense", whenHandedOver=day, **({"daysSupply": {"value": days}} if days else {}), **fields)


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (handed("2026-10-26", 30), ("", False, False)),
        (handed("2026-10-25", 30), ("2026-11-24", False, True)),
        (handed("2026-09-26", 30), ("2026-10-26", False, True)),
        (handed("2026-09-25", 30), ("2026-10-25", False, False)),
        (handed("2026-08-27"), ("", True, False)),
        (handed("2026-08-26"), ("2026-11-24", False, True)),
        (handed("2025-11-25"), ("2026-02-23", False, True)),
        (handed("2026-11", 10), ("", True, False)),
        (handed("2026-09-25", 30, status="stopped"), ("2026-10-25", False, False)),
    ],
)
def test_what_was_handed_out_is_taken_then_may_go_on_then_has_ended(resource: Any, expected: Any) -> None:
    assert use_of(resource) == expected


def test_what_ended_by_assumption_alone_is_told() -> None:
    found = read_medicines(handed("2025-11-24"))
    assert [str(m.stopped) for m in found.patient.medications] == ["2026-02-22"]
    assert [(g.about, g.reason) for g in found.patient.gaps] == [("MedicationDispense/g", "supply_not_said")]
    assert found.patient.availability["medications"] == "complete"
    assert read_medicines(handed("2025-11-24", status="stopped")).patient.medications == ()
    assert read_medicines(handed("2025-11-24", 30)).patient.gaps == ()


def prescription(authored: str, **fields: Any) -> dict[str, Any]:
    told = {**THIRTY, "numberOfRepeatsAllowed": 0}
    return order("m", **{"status": "active", "authoredOn": authored, "dispenseRequest": told, **fields})


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (prescription("2026-10-26"), ("", False, False)),
        (prescription("2026-10-25"), ("", True, False)),
        (prescription("2026-09-26"), ("", True, False)),
        (prescription("2026-09-25"), ("2026-10-25", False, True)),
        (prescription("2020-01-01"), ("2020-01-31", False, True)),
        (prescription("2020-01-01", dispenseRequest={}), ("", False, False)),
        (
            prescription(
                "2020-01-01",
                dosageInstruction=[{"timing": {"repeat": {"boundsPeriod": {"end": "2096-01-01"}}}}],
            ),
            ("", False, False),
        ),
    ],
)
def test_an_active_prescription_is_taken_until_twice_its_supply(resource: Any, expected: Any) -> None:
    assert use_of(resource) == expected


def test_a_prescription_that_may_go_on_is_asked_about_and_lets_its_dispenses_speak() -> None:
    later = handed("2026-11-20", 30, authorizingPrescription=[{"reference": "MedicationRequest/m"}])
    old = read_medicines(prescription("2020-01-01"), later)
    assert [(m.reference, m.may_go_on) for m in old.patient.medications] == [
        ("MedicationDispense/g", False),
        ("MedicationRequest/m", True),
    ]
    assert [o.reference for o in old.orders] == ["MedicationRequest/m"]
    running = read_medicines(prescription("2026-11-01"), later)
    assert [m.reference for m in running.patient.medications] == ["MedicationRequest/m"]


def test_a_course_of_more_days_than_the_calendar_has_tells_nothing() -> None:
    step = {"timing": {"repeat": {"boundsDuration": {"value": 9999, "unit": "d"}}}}
    assert prescribed({"authoredOn": "2026-01-01", "dosageInstruction": [step] * 400}, medicine(), LENGTHS) is None
