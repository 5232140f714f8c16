"""Doses: from dosage instructions, structured or as text, to an amount and a number of administrations a day.

A unit that is not known is kept as it stands and never converted. Where a range is ordered, its upper end
counts: limits and reductions concern what the patient may take.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from cds_service.model import Dose
from cds_service.reading.shapes import Resource, child, clean, codings, first, fold, items, number, objects, text_at

_IN_MILLIGRAMS = {"mg": 1.0, "g": 1000.0, "ug": 0.001}
_UNITS: Mapping[str, str] = {
    **dict.fromkeys(("mg", "milligram", "milligrams", "mgs"), "mg"),
    **dict.fromkeys(("g", "gram", "grams", "gm"), "g"),
    **dict.fromkeys(("ug", "mcg", "µg", "μg", "microgram", "micrograms", "mcgs"), "ug"),
    **dict.fromkeys(("tablet", "tablets", "tab", "tabs", "{tbl}", "{tablet}", "tbl", "caplet", "caplets"), "tablet"),
    **dict.fromkeys(("capsule", "capsules", "cap", "caps", "{capsule}", "{cap}"), "capsule"),
    **dict.fromkeys(("ml", "milliliter", "milliliters", "millilitre", "millilitres"), "mL"),
    **dict.fromkeys(("m2", "m^2", "m²", "sqm"), "m2"),
    **dict.fromkeys(("kg", "kilogram", "kilograms"), "kg"),
    **dict.fromkeys(("d", "day", "days", "24h"), "d"),
    **dict.fromkeys(("drop", "drops", "gtt", "[drp]"), "drop"),
    **dict.fromkeys(("puff", "puffs", "actuation", "actuations", "{puff}"), "puff"),
    **dict.fromkeys(("patch", "patches", "{patch}"), "patch"),
    **dict.fromkeys(("unit", "units", "iu", "[iu]", "[iu'u]"), "[iU]"),
}
_PIECES = frozenset({"tablet", "capsule"})

_DAYS_BY_UNIT = {"min": 1 / 1440, "h": 1 / 24, "d": 1.0, "wk": 7.0, "mo": 30.0, "a": 365.0}
_TIMES_BY_CODE = {"BID": 2.0, "TID": 3.0, "QID": 4.0, "AM": 1.0, "PM": 1.0, "QD": 1.0, "QOD": 0.5, "Q4H": 6.0,
                  "Q6H": 4.0, "Q8H": 3.0, "Q12H": 2.0, "BED": 1.0, "WK": 1 / 7, "MO": 1 / 30}  # fmt: skip
_NUMBER_WORDS = {"a": 1.0, "an": 1.0, "one": 1.0, "two": 2.0, "three": 3.0, "four": 4.0, "five": 5.0, "six": 6.0,
                 "half": 0.5, "once": 1.0, "twice": 2.0, "thrice": 3.0}  # fmt: skip

_FIGURE = r"(?:\d+/\d+|\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:[.,]\d+)?)"
_AMOUNT = re.compile(
    rf"(?P<low>{_FIGURE}|\b(?:one|two|three|four|half a|half|a)\b)\s*"
    rf"(?:(?:-|–|to|or)\s*(?P<high>{_FIGURE}|two|three|four)\s*)?"
    r"(?P<unit>(?:mg|milligrams?|mcg|micrograms?|µg|μg|ug|grams?|gm|g|tablets?|tabs?|capsules?|caps?|ml)\b)"
    r"(?P<per>\s*(?:/|per)\s*(?:kg|m2|m²|day|d)\b(?:\s*(?:/|per)\s*(?:day|d)\b)?)?",
    re.IGNORECASE,
)
_EVERY = re.compile(
    r"\b(?:every|q)\s*(?:(?P<n>\d+)(?:\s*(?:-|to)\s*\d+)?\s*)?(?P<unit>hours?|hrs?|hr|h|days?|d|weeks?|wk)\b"
)
_TIMES = re.compile(
    r"\b(?P<n>\d+|one|two|three|four|five|six|once|twice|thrice)\b\s*(?:times?|x)?\s*"
    r"(?:(?:a|per|each|every|/)\s*(?P<unit>day|week|month)\b|(?P<adverb>daily|weekly|monthly)\b)"
)
_ABBREVIATED = {
    "qd": 1.0, "od": 1.0, "bid": 2.0, "bd": 2.0, "tid": 3.0, "tds": 3.0, "qid": 4.0, "qds": 4.0, "qhs": 1.0,
    "nightly": 1.0, "daily": 1.0, "at bedtime": 1.0, "in the morning": 1.0, "every other day": 0.5,
    "every morning": 1.0, "every night": 1.0, "every evening": 1.0, "weekly": 1 / 7,
}  # fmt: skip
_DAYS_BY_WORD = {"day": 1.0, "daily": 1.0, "week": 7.0, "weekly": 7.0, "month": 30.0, "monthly": 30.0}


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
    if per_dose is None and per_day is None and not text:
        return None
    return Dose(per_dose, unit.removesuffix("/d"), per_day, text)


def _contradicts(written: Dose, per_dose: float, unit: str) -> bool:
    """Whether the text names another amount in the same unit; neither can then be relied on."""
    same_unit = written.per_dose is not None and written.unit == unit
    return same_unit and abs((written.per_dose or 0.0) - per_dose) > 0.001 * per_dose


def _structured_amount(instruction: Resource, strength_mg: float | None) -> tuple[float | None, str, float | None]:
    # R4 has doseAndRate; STU3 and DSTU2 have the quantity on the instruction itself.
    for holder in (*objects(instruction.get("doseAndRate")), instruction):
        for quantity in (
            first(holder.get("doseQuantity")),
            child(holder, "doseRange", "high"),
            child(holder, "doseRange", "low"),
        ):
            value = number(quantity.get("value"))
            if value is not None:
                amount, unit = _in_milligrams(value, _unit_of(quantity), strength_mg)
                return amount, unit, 1.0 if unit.endswith("/d") else None
    return None, "", None


def _unit_of(quantity: Resource) -> str:
    by_code = known_unit(text_at(quantity, "code"))
    by_text = known_unit(text_at(quantity, "unit"))
    return by_code or by_text or text_at(quantity, "unit") or text_at(quantity, "code")


def known_unit(text: str) -> str:
    """The unit in one spelling (`mg/kg/d`), empty where a part of it is not known."""
    parts = [_UNITS.get(part.strip().lower(), "") for part in re.split(r"/| per ", text)]
    return "/".join(parts) if all(parts) else ""


def _in_milligrams(value: float, unit: str, strength_mg: float | None) -> tuple[float, str]:
    head, _, rest = unit.partition("/")
    if head in _IN_MILLIGRAMS:
        return _tidy(value * _IN_MILLIGRAMS[head]), "/".join(filter(None, ("mg", rest)))
    if unit in _PIECES and strength_mg is not None:
        return _tidy(value * strength_mg), "mg"
    return value, unit


def _tidy(value: float) -> float:
    return float(f"{value:.9g}")


def _per_day(timing: Resource) -> float | None:
    repeat = first(timing.get("repeat"))
    return _per_day_by_repeat(repeat) or _per_day_by_code(timing)


def _per_day_by_repeat(repeat: Resource) -> float | None:
    frequency = number(repeat.get("frequencyMax")) or number(repeat.get("frequency"))
    period = number(repeat.get("period"))
    days = _DAYS_BY_UNIT.get(text_at(repeat, "periodUnit") or text_at(repeat, "periodUnits"))
    slots = len(items(repeat.get("timeOfDay"))) or len(items(repeat.get("when")))
    chosen_days = len(items(repeat.get("dayOfWeek")))
    if period and period > 0 and days:
        return _tidy((frequency or slots or 1.0) / (period * days))
    times = slots or frequency or (1 if chosen_days else 0)
    if not times or not (slots or chosen_days):
        return None
    return _tidy(times * (chosen_days or 7) / 7)


def _per_day_by_code(timing: Resource) -> float | None:
    code = first(timing.get("code"))
    known = (_TIMES_BY_CODE.get(coding.code.upper()) for coding in codings(code))
    return next((times for times in known if times), None) or times_a_day_in(text_at(code, "text"))


# --- text -----------------------------------------------------------------------------------------------------


def dose_in_text(text: str, strength_mg: float | None = None) -> Dose | None:
    """The dose that an instruction's text says; None where it names neither an amount nor a frequency.

    >>> dose_in_text("75 mg once daily")
    Dose(per_dose=75.0, unit='mg', per_day=1.0, text='75 mg once daily')
    """
    amount = _amount_in(text, strength_mg)
    per_day = times_a_day_in(text)
    if amount is None:
        return None if per_day is None else Dose(None, "", per_day, text)
    value, unit = amount
    if unit.endswith("/d"):
        per_day = 1.0 if per_day is None else per_day
    return Dose(value, unit, per_day, text)


def _amount_in(text: str, strength_mg: float | None) -> tuple[float, str] | None:
    """The amount of one administration. Where the text counts pieces and names milligrams too, the pieces
    count, because the milligrams may be what one of them holds; a single piece is its milligrams."""
    found = [_amount(match) for match in _AMOUNT.finditer(text)]
    pieces = [(value, unit) for value, unit in found if unit in _PIECES]
    weights = [(value, unit) for value, unit in found if unit not in _PIECES]
    if not pieces:
        return _in_milligrams(*weights[0], None) if len(set(weights)) == 1 else None
    value, unit = pieces[0]
    if value == 1 and len(set(weights)) == 1 and strength_mg is None:
        return _in_milligrams(*weights[0], None)
    return _in_milligrams(value, unit, strength_mg)


def _amount(match: re.Match[str]) -> tuple[float, str]:
    figure = _figure(match["high"] or match["low"])
    per = re.sub(r"\s*(?:/|per)\s*", "/", match["per"] or "", flags=re.IGNORECASE)
    return figure, known_unit(match["unit"] + per)


def _figure(text: str) -> float:
    """A number as people write it: `1,000`, `2,5`, `1/2`, `two`."""
    lowered = text.lower()
    if lowered.startswith("half"):
        return 0.5
    if lowered in _NUMBER_WORDS:
        return _NUMBER_WORDS[lowered]
    if "/" in lowered:
        numerator, denominator = lowered.split("/")
        return int(numerator) / int(denominator) if int(denominator) else 0.0
    if re.fullmatch(r"\d{1,3}(,\d{3})+(\.\d+)?", lowered):
        return float(lowered.replace(",", ""))
    return float(lowered.replace(",", "."))


def times_a_day_in(text: str) -> float | None:
    """How many administrations a day the text says, None where it does not."""
    lowered = text.lower().replace(".", "") if re.search(r"\b[a-z]\.[a-z]\.", text.lower()) else text.lower()
    times = _TIMES.search(lowered)
    if times:
        days = _DAYS_BY_WORD[times["unit"] or times["adverb"]]
        return _tidy((_NUMBER_WORDS.get(times["n"]) or float(times["n"])) / days)
    padded = f" {fold(lowered)} "
    found = next(
        (n for word, n in sorted(_ABBREVIATED.items(), key=lambda w: -len(w[0])) if f" {word} " in padded), None
    )
    every = _EVERY.search(lowered)
    if every and not any(word in padded for word in (" every other day ", " every morning ", " every night ")):
        days = {"h": 1 / 24, "d": 1.0, "w": 7.0}[every["unit"][0]]
        return _tidy(1 / (float(every["n"] or 1) * days)) if every["n"] != "0" else None
    return found
