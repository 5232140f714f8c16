"""Doses: from dosage instructions, structured or as text, to an amount and a number of administrations a day.

A unit that is not known is kept as it stands and never converted. Where a range is ordered, its upper end
counts: limits and reductions concern what the patient may take. Text is read by `dose_text`.
"""

from __future__ import annotations

from cds_service.codes import USUAL_DOSE
from cds_service.model import Dose
from cds_service.reading.dose_text import dose_in_text, in_milligrams, known_unit, tidy, times_a_day_in
from cds_service.reading.shapes import Resource, clean, codings, first, items, number, objects, text_at

_LARGEST = 1e12
_MOST_A_DAY = 1440.0
"""A dose each minute; what flows has a rate."""
_DAYS_BY_UNIT = {"min": 1 / 1440, "h": 1 / 24, "d": 1.0, "wk": 7.0, "mo": 30.0, "a": 365.0}
_TIMES_BY_CODE = {"BID": 2.0, "TID": 3.0, "QID": 4.0, "AM": 1.0, "PM": 1.0, "QD": 1.0, "QOD": 0.5, "Q1H": 24.0,
                  "Q2H": 12.0, "Q3H": 8.0, "Q4H": 6.0, "Q6H": 4.0, "Q8H": 3.0, "Q12H": 2.0, "BED": 1.0,
                  "WK": 1 / 7, "MO": 1 / 30}  # fmt: skip


def dose_of(instructions: object, strength_mg: float | None) -> Dose | None:
    """The dose that a request's dosage instructions say, or None where they say none.

    Tablets and capsules become milligrams where `strength_mg`, the content of one, is known. Several
    instructions that differ leave the amount open and keep their text.
    """
    doses = [dose for part in objects(instructions) if (dose := _dose_of_one(part, strength_mg)) is not None]
    if len(doses) < 2:
        return doses[0] if doses else _dose_of_bare_text(instructions, strength_mg)
    text = "; ".join(dict.fromkeys(dose.text for dose in doses if dose.text))
    same = {(dose.per_dose, dose.unit) for dose in doses}
    per_dose, unit = same.pop() if len(same) == 1 else (None, "")
    return Dose(per_dose, unit, None, text)


def units_of(instructions: object) -> tuple[str, ...]:
    """The units of the doses, as they are written."""
    holders = [h for part in objects(instructions) for h in (*objects(part.get("doseAndRate")), part)]
    return tuple([text_at(first(holder.get("doseQuantity")), "unit") for holder in holders])


def _dose_of_bare_text(instructions: object, strength_mg: float | None) -> Dose | None:
    text = next((found for item in items(instructions) if (found := clean(item))), "")
    return _dose_of_one({"text": text}, strength_mg) if text else None


def _dose_of_one(instruction: Resource, strength_mg: float | None) -> Dose | None:
    text = text_at(instruction, "text") or text_at(instruction, "patientInstruction")
    written = dose_in_text(text, strength_mg)
    per_dose, unit, per_day = _structured_amount(instruction, strength_mg)
    if per_dose is None:
        per_dose, unit = (written.per_dose, written.unit) if written else (None, unit)
        per_day = per_day or (written.per_day if written and "/d" in unit else None)
    elif written and _contradicts(written, per_dose, unit):
        per_dose = None
    per_day = per_day or _per_day(first(instruction.get("timing"))) or (written.per_day if written else None)
    per_dose, per_day = _meant(per_dose, _LARGEST), _meant(per_day, _MOST_A_DAY)
    if per_dose is None and per_day is None and not text:
        return None
    return Dose(per_dose, unit.removesuffix("/d"), per_day, text, _usual(instruction, unit, strength_mg))


def _usual(instruction: Resource, unit: str, strength_mg: float | None) -> float | None:
    """What the usual dose gives, where our suggestion noted it, in the unit of the dose that it became."""
    noted = [part for part in objects(instruction.get("extension")) if part.get("url") == USUAL_DOSE]
    amount = _amount_of({"doseQuantity": noted[0].get("valueQuantity")}, strength_mg) if len(noted) == 1 else None
    return _meant(amount[0], _LARGEST) if amount is not None and amount[0] > 0 and amount[1] == unit else None


def _meant(figure: float | None, largest: float) -> float | None:
    """The figure, unless nobody can have meant it."""
    return figure if figure is not None and figure <= largest else None


def _contradicts(written: Dose, per_dose: float, unit: str) -> bool:
    """Whether the text names another amount in the same unit; neither can then be relied on."""
    same_unit = written.per_dose is not None and written.unit == unit
    return same_unit and abs((written.per_dose or 0.0) - per_dose) > 0.001 * per_dose


def _structured_amount(instruction: Resource, strength_mg: float | None) -> tuple[float | None, str, float | None]:
    """Amount, unit and, where the unit has a day in it, times a day. EHRs repeat a dose as ordered, as calculated
    and in pieces: the milligrams count, and two that differ are none.
    """
    # R4 has doseAndRate; STU3 and DSTU2 have the quantity on the instruction itself.
    holders = (*objects(instruction.get("doseAndRate")), instruction)
    found = [amount for holder in holders if (amount := _amount_of(holder, strength_mg)) is not None]
    weighed = [(value, unit) for value, unit in found if unit == "mg"]
    if not found or len(set(weighed)) > 1:
        return None, "mg" if weighed else "", None
    value, unit = (weighed or found)[0]
    return value, unit, 1.0 if unit.endswith("/d") else None


def _amount_of(holder: Resource, strength_mg: float | None) -> tuple[float, str] | None:
    dose_range = first(holder.get("doseRange"))
    for quantity in (holder.get("doseQuantity"), dose_range.get("high"), dose_range.get("low")):
        value = number(first(quantity).get("value"))
        if value is not None:
            return in_milligrams(value, _unit_of(first(quantity)), strength_mg)
    return None


def _unit_of(quantity: Resource) -> str:
    by_code = known_unit(text_at(quantity, "code"))
    by_text = known_unit(text_at(quantity, "unit"))
    return by_code or by_text or text_at(quantity, "unit") or text_at(quantity, "code")


def _per_day(timing: Resource) -> float | None:
    repeat = first(timing.get("repeat"))
    return _per_day_by_repeat(repeat) or _per_day_by_code(timing)


def _per_day_by_repeat(repeat: Resource) -> float | None:
    frequency = number(repeat.get("frequencyMax")) or number(repeat.get("frequency")) or 0.0
    period = number(repeat.get("period"))
    days = _DAYS_BY_UNIT.get(text_at(repeat, "periodUnit") or text_at(repeat, "periodUnits"))
    times_of_day = len(items(repeat.get("timeOfDay"))) or len(items(repeat.get("when")))
    weekdays = len(items(repeat.get("dayOfWeek")))
    if period and period > 0 and days:
        return _per_day_in(period * days, frequency, times_of_day, weekdays)
    if not times_of_day and not weekdays:
        return None
    return tidy((times_of_day or frequency or 1) * (weekdays or 7) / 7)


def _per_day_in(days: float, frequency: float, times_of_day: int, weekdays: int) -> float:
    """What is said twice, as a number and as times of the day or days of the week, counts once, the larger one."""
    if days == 7:
        return tidy(max(frequency, weekdays * (times_of_day or 1), 1.0) / days)
    on_its_days = weekdays / 7 if weekdays and days <= 1 else 1.0
    return tidy(max(frequency, times_of_day, 1.0) / days * on_its_days)


def _per_day_by_code(timing: Resource) -> float | None:
    code = first(timing.get("code"))
    known = (_TIMES_BY_CODE.get(coding.code.upper()) for coding in codings(code))
    return next((times for times in known if times), None) or times_a_day_in(text_at(code, "text"))
