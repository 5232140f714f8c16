"""How long what was handed out or prescribed suffices (decision 19).

Told in days where somebody says them, else reckoned from the quantity and the dose. Where neither tells, the usual
supply is assumed of what was handed out, and nothing of what was prescribed: a list of medicines is kept for years.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil

from cds_service.knowledge.schema import SupplyLengths
from cds_service.model import Quantity, Span, When, earliest, latest
from cds_service.reading.answers import quantity_of
from cds_service.reading.dates import day
from cds_service.reading.dose_text import in_milligrams, known_unit
from cds_service.reading.medications import Medicine
from cds_service.reading.shapes import Resource, child, first, fold, has_word, number, objects, text_at

_UNREADABLE_FROM_DAYS = 10_000
_DAYS_BY_UNIT = {
    **dict.fromkeys(("d", "day", "days", ""), 1.0),
    **dict.fromkeys(("wk", "week", "weeks"), 7.0),
    **dict.fromkeys(("mo", "month", "months"), 30.0),
    **dict.fromkeys(("a", "year", "years"), 365.0),
}
_AS_NEEDED_WORDS = ("as needed", "if needed", "when needed", "as required", "when required", "prn")


@dataclass(frozen=True, slots=True)
class Supply:
    """`until` is the last day for which it suffices. Who takes it late or not always has some of it for up to `spare`
    days longer."""

    until: When
    spare: int
    is_told: bool = True
    """Whether the record tells it, and it is not merely assumed."""

    def is_over(self, today: date) -> bool:
        """Whether it is used up where it was taken as told."""
        return latest(self.until) < today

    def may_be_left(self, today: date) -> bool:
        """Whether some of it may be left."""
        return (today - latest(self.until)).days <= self.spare


def dispensed(resource: Resource, medicine: Medicine, lengths: SupplyLengths) -> Supply | None:
    """The supply of a MedicationDispense; None where it does not say when it was handed out."""
    handed = day(resource.get("whenHandedOver"), resource.get("whenPrepared"))
    if handed is None:
        return None
    said = _days(resource.get("daysSupply")) or _days_of_quantity(resource.get("quantity"), resource, medicine)
    if said is not None:
        return _supply(handed, said)
    until = _later(handed, lengths.usual_days)
    spare = lengths.longest_days - lengths.usual_days
    return Supply(until, spare, is_told=False) if until is not None else None


def prescribed(resource: Resource, medicine: Medicine, lengths: SupplyLengths) -> Supply | None:
    """The supply of a MedicationRequest with all its repeats; None where it does not tell."""
    course, told = _course_days(resource), first(resource.get("dispenseRequest"))
    if course is None and not told:
        return None
    each = _days(told.get("expectedSupplyDuration")) or _days_of_quantity(told.get("quantity"), resource, medicine)
    total = course or _days_of_all(each, number(told.get("numberOfRepeatsAllowed")))
    begun = day(resource.get("authoredOn"))
    if begun is not None and total is not None:
        return _supply(begun, total)
    # The last of it may be handed out on the last day on which the prescription is valid.
    valid = day(child(told, "validityPeriod").get("end"))
    return _supply(valid, each or lengths.usual_days) if valid is not None else None


def _supply(begun: When, days: int) -> Supply | None:
    until = _later(begun, days)
    return Supply(until, days) if until is not None else None


def _days_of_all(each: int | None, repeats: float | None) -> int | None:
    return None if each is None or repeats is None else _plausible(each * (1 + repeats))


def _course_days(resource: Resource) -> int | None:
    """How long the dosage instructions have it taken, one after the other, where each says so."""
    steps = objects(resource.get("dosageInstruction"))
    told = [_days(child(step, "timing", "repeat").get("boundsDuration")) for step in steps]
    known = [days for days in told if days is not None]
    return _plausible(sum(known)) if len(known) == len(told) else None


def _days(duration: object) -> int | None:
    """Days of a duration, rounded up; None where it cannot be read, or is no time that medicines are given for."""
    told = quantity_of(first(duration)) if duration else None
    factor = _DAYS_BY_UNIT.get(told.unit.lower()) if told is not None else None
    if told is None or factor is None or told.comparator:
        return None
    return _plausible(told.value * factor)


def _plausible(days: float) -> int | None:
    return ceil(days) if 0 < days < _UNREADABLE_FROM_DAYS else None


def _days_of_quantity(quantity: object, resource: Resource, medicine: Medicine) -> int | None:
    """For how many days the quantity is enough at the dose instructed. Of what is taken as needed nobody knows."""
    told, dose = quantity_of(first(quantity)), medicine.dose
    if told is None or dose is None or not dose.daily or _is_as_needed(objects(resource.get("dosageInstruction"))):
        return None
    value, unit = _amount(told, medicine)
    return _plausible(value / dose.daily) if unit == dose.unit else None


def _amount(told: Quantity, medicine: Medicine) -> tuple[float, str]:
    """A quantity in milligrams where what one tablet or capsule holds is known."""
    return in_milligrams(told.value, known_unit(told.unit) or told.unit, medicine.mg_per_piece)


def _is_as_needed(instructions: Iterable[Resource]) -> bool:
    return any(
        part.get("asNeededBoolean") is True
        or bool(part.get("asNeededCodeableConcept"))
        or has_word(_AS_NEEDED_WORDS, fold(text_at(part, "text")))
        for part in instructions
    )


def _later(when: When, days: int) -> When | None:
    """The day so many days later; None beyond the calendar."""
    lasts = timedelta(days=days)
    if latest(when) > date.max - lasts:
        return None
    return Span(earliest(when) + lasts, latest(when) + lasts) if isinstance(when, Span) else when + lasts
