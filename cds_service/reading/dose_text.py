"""Dosage instructions as people write them: "take 1 tablet by mouth 2 (two) times daily", "0.5 mg/kg/day".

Where a text leaves open what is meant (several amounts, days of the week) nothing is made of it: a wrong dose is
worse than none. Of a range the upper end counts, of an interval the shorter one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import inf

from cds_service.model import Dose
from cds_service.reading.shapes import fold, whole_words

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

_NUMBER_WORDS = {"a": 1.0, "an": 1.0, "one": 1.0, "two": 2.0, "three": 3.0, "four": 4.0, "five": 5.0, "six": 6.0,
                 "seven": 7.0, "eight": 8.0, "ten": 10.0, "twelve": 12.0, "half": 0.5, "half a": 0.5,
                 "one and a half": 1.5, "two and a half": 2.5, "once": 1.0, "twice": 2.0, "thrice": 3.0}  # fmt: skip
_FRACTIONS = str.maketrans({"½": " 1/2", "¼": " 1/4", "¾": " 3/4"})

_WORD = r"(?:one and a half|two and a half|half a|half|one|two|three|four|five|six|seven|eight|ten|twelve|an?)\b"
_FIGURE = r"(?:\d+(?:\s*-\s*|\s+and\s+|\s+)\d/\d|\d+/\d+|\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:[.,]\d+)?|\.\d+)"
_AGAIN = r"(?:\s*\((?:\d+|[a-z]+)\))?"
"""The number once more, as in "2 (two)"."""
_AMOUNT = re.compile(
    rf"(?<![\d.,/])(?P<low>{_FIGURE}|\b{_WORD}){_AGAIN}\s*"
    rf"(?:(?:-|–|to|or)\s*(?P<high>{_FIGURE}|{_WORD}){_AGAIN}\s*)?"
    r"(?P<unit>(?:mg|milligrams?|mcg|micrograms?|µg|μg|ug|grams?|gm|g|tablets?|tabs?|capsules?|caps?|ml)\b)"
    # Neither the rate of an infusion or a patch nor the content of a liquid is a dose.
    r"(?!(?:\s*(?:/|per)\s*(?:kg|m2|m²))?\s*(?:/|per)\s*(?:min|m\b|h|sec|s\b|[\d.]*\s*ml\b))"
    r"(?P<per>\s*(?:/|per)\s*(?:kg|m2|m²|day|d)\b(?:\s*(?:/|per)\s*(?:day|d)\b)?)?",
    re.IGNORECASE,
)
_COUNT = r"\d+|one|two|three|four|five|six|eight|twelve"
_EVERY = re.compile(
    rf"\b(?:every|each|q)\s*(?:(?P<n>{_COUNT}){_AGAIN}(?:\s*(?:-|–|to)\s*(?:{_COUNT}){_AGAIN})?\s*)?"
    r"(?P<unit>hours?|hrs?|hr|h|days?|d|weeks?|wks?|months?)\b"
)
_TIMES = re.compile(
    rf"(?<![\d.,/])(?:\b(?P<n>{_COUNT}|once|twice|thrice)){_AGAIN}\s*(?:times?\b|x)?\s*"
    r"(?:(?:\b(?:a|per|each|every)\b|/|(?<=x)|(?<=x\s))\s*(?P<unit>day|week|month)\b"
    r"|\b(?P<adverb>daily|weekly|monthly)\b|(?<=x)(?P<joined>daily)\b)"
)
_ABBREVIATED = {
    "qd": 1.0, "od": 1.0, "bid": 2.0, "bd": 2.0, "tid": 3.0, "tds": 3.0, "qid": 4.0, "qds": 4.0, "qhs": 1.0,
    "hs": 1.0, "qam": 1.0, "qpm": 1.0, "qod": 0.5, "nightly": 1.0, "daily": 1.0, "every other day": 0.5,
    "on alternate days": 0.5, "alternate days": 0.5, "every other week": 1 / 14, "weekly": 1 / 7, "monthly": 1 / 30,
}  # fmt: skip
_TIMES_OF_DAY = (
    re.compile(r"\bmornings?\b"),
    re.compile(r"\b(?:noon|midday|lunch|afternoon)\b"),
    re.compile(r"\b(?:evenings?|nights?|bedtime)\b"),
)
_WEEKDAY = re.compile(r"\b(?:(?:mon|tues?|wed|thu(?:rs?)?|fri)|(?:mon|tues|wednes|thurs|fri|satur|sun)days?)\b")
_WIDEST_RANGE = 3.0
"""Beyond it two weights with a hyphen are rather those of two ingredients, as in "5-325 mg"."""
_DAYS_BY_WORD = {"day": 1.0, "daily": 1.0, "week": 7.0, "weekly": 7.0, "month": 30.0, "monthly": 30.0}
_DAYS_BY_LETTER = {"h": 1 / 24, "d": 1.0, "w": 7.0, "m": 30.0}


def known_unit(text: str) -> str:
    """The unit in one spelling (`mg/kg/d`), empty where a part of it is not known.

    >>> known_unit("MG/KG"), known_unit("tab(s)"), known_unit("mg/dose")
    ('mg/kg', 'tablet', 'mg')
    """
    words = [part.strip().lower().removesuffix("(s)") for part in re.split(r"/| per ", text)]
    parts = [_UNITS.get(word, "") for word in words if word != "dose"]
    return "/".join(parts) if parts and all(parts) else ""


def in_milligrams(value: float, unit: str, strength_mg: float | None) -> tuple[float, str]:
    """Weights in milligrams; tablets and capsules too where the content of one, `strength_mg`, is known. Any other
    unit stays.
    """
    head, _, rest = unit.partition("/")
    in_mg = "/".join(filter(None, ("mg", rest)))
    if head in _IN_MILLIGRAMS:
        return tidy(value * _IN_MILLIGRAMS[head]), in_mg
    if head in _PIECES and strength_mg is not None:
        return tidy(value * strength_mg), in_mg
    return value, unit


def tidy(value: float) -> float:
    """Without the dust of floating-point arithmetic."""
    return float(f"{value:.9g}")


def dose_in_text(text: str, strength_mg: float | None = None) -> Dose | None:
    """The dose that an instruction's text says; None where it names neither an amount nor a frequency.

    >>> dose = dose_in_text("75 mg once daily")
    >>> dose.per_dose, dose.unit, dose.per_day
    (75.0, 'mg', 1.0)
    """
    amount = _amount_in(text, strength_mg)
    per_day = times_a_day_in(text)
    if amount is None:
        return None if per_day is None else Dose(None, "", per_day, text)
    value, unit = amount
    if unit.endswith("/d"):
        # "40 mg/kg/day divided twice daily": the amount is that of the day.
        per_day = per_day if per_day is not None and per_day > 1 else 1.0
        value = tidy(value / per_day)
    return Dose(value, unit, per_day, text)


def _amount_in(text: str, strength_mg: float | None) -> tuple[float, str] | None:
    """The amount of one administration. Where the text counts pieces and names milligrams too, the pieces
    count, because the milligrams may be what one of them holds; a single piece is its milligrams.
    """
    matches = _AMOUNT.finditer(text.translate(_FRACTIONS))
    found = {_amount(match) for match in matches if not _is_compound(match)}
    pieces = {(value, unit) for value, unit in found if unit.partition("/")[0] in _PIECES}
    volumes = {(value, unit) for value, unit in found if unit.partition("/")[0] == "mL"}
    weights = found - pieces - volumes or (set() if pieces else volumes)
    if not pieces:
        return in_milligrams(*weights.pop(), None) if len(weights) == 1 else None
    if len(pieces) > 1:
        return None
    value, unit = pieces.pop()
    if value == 1 and len(weights) == 1 and strength_mg is None:
        return in_milligrams(*weights.pop(), None)
    return in_milligrams(value, unit, strength_mg)


def _is_compound(match: re.Match[str]) -> bool:
    is_weight = known_unit(match["unit"]) in _IN_MILLIGRAMS
    return is_weight and match["high"] is not None and _figure(match["high"]) > _WIDEST_RANGE * _figure(match["low"])


def _amount(match: re.Match[str]) -> tuple[float, str]:
    figure = _figure(match["high"] or match["low"])
    per = re.sub(r"\s*(?:/|per)\s*", "/", match["per"] or "", flags=re.IGNORECASE)
    return figure, known_unit(match["unit"] + per)


def _figure(text: str) -> float:
    """A number as people write it: `1,000`, `2,5`, `1/2`, `1 1/2`, `two`."""
    lowered = text.lower().strip()
    if lowered in _NUMBER_WORDS:
        return _NUMBER_WORDS[lowered]
    if "/" in lowered:
        *whole, numerator, denominator = map(float, re.findall(r"\d+", lowered))
        return sum(whole) + numerator / denominator if 0 < denominator < inf else 0.0
    if re.fullmatch(r"\d{1,3}(,\d{3})+(\.\d+)?", lowered):
        return float(lowered.replace(",", ""))
    return float(lowered.replace(",", "."))


def times_a_day_in(text: str) -> float | None:
    """How many administrations a day the text says, None where it does not.

    >>> times_a_day_in("150 mg 2 (two) times daily"), times_a_day_in("every 8 hours"), times_a_day_in("on Mondays")
    (2.0, 3.0, None)
    """
    lowered = re.sub(r"\b([a-z])\.(?=[a-z]\b)|(?<=\b[a-z])\.", r"\1", text.lower())
    per_day = _by_count(lowered) or _by_words(lowered)
    by_the_day = per_day is not None and per_day >= 1
    return None if by_the_day and _WEEKDAY.search(lowered) else per_day


def _by_count(lowered: str) -> float | None:
    times = _TIMES.search(lowered)
    if times is None:
        return None
    return tidy(_count(times["n"]) / _DAYS_BY_WORD[times["unit"] or times["adverb"] or times["joined"]])


def _by_words(lowered: str) -> float | None:
    """By an abbreviation, an interval or the times of the day; "daily" may stand beside either."""
    longest_first = sorted(_ABBREVIATED, key=len, reverse=True)
    said = next((_ABBREVIATED[word] for word in whole_words(longest_first, fold(lowered))), None)
    if said is not None and said != 1:
        return said
    by_interval = _by_interval(lowered)
    if by_interval is not None and by_interval != 1:
        return by_interval
    times_of_day = float(sum(1 for pattern in _TIMES_OF_DAY if pattern.search(lowered)))
    return max(said or 0.0, by_interval or 0.0, times_of_day) or None


def _by_interval(lowered: str) -> float | None:
    every = _EVERY.search(lowered)
    if every is None:
        return None
    count = _count(every["n"] or "1")
    return tidy(1 / (count * _DAYS_BY_LETTER[every["unit"][0]])) if count else None


def _count(text: str) -> float:
    return _NUMBER_WORDS.get(text) or float(text)
