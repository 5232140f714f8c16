"""Measured values in the observable's own unit: converted by its table, or refused with the unit's name."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from cds_service.knowledge.schema import Observable
from cds_service.model import Quantity
from cds_service.reading.answers import COMPARATORS, Answer, ends_in_order, quantity_of
from cds_service.reading.shapes import Resource, codes_of, figure, first, items, objects
from cds_service.reading.vocabulary import INTERPRETED_HIGH, INTERPRETED_NOT_HIGH

_SPACES = re.compile(r"\s+")
_VALUE = re.compile(r"^\s*(<=|>=|<|>|≤|≥)?\s*(-?\d+(?:[.,]\d+)?)(?:\s*([^\d\s.,].*)|\s+(10.*|1/.*))?$")
_SPAN = re.compile(r"^\s*(\d+(?:[.,]\d+)?)\s*([^\d\s.,–-]*)\s*(?:-|–|\bto\b)\s*(\d.*)$", re.IGNORECASE)
_COMPARATOR_WORDS = {"less than": "<", "more than": ">", "greater than or equal to": ">=", "greater than": ">",
                     "at least": ">="}  # fmt: skip
_SPELLED_OUT = re.compile("|".join(sorted(_COMPARATOR_WORDS, key=len, reverse=True)), re.IGNORECASE)
_DIGITS = 12
"""Significant digits kept: conversion leaves no tail of binary fractions."""


def canonical_unit(unit: str, spellings: Mapping[str, str]) -> str:
    """The UCUM unit that a spelling means, or the unit as it came.

    >>> canonical_unit("µmol / l", {"umol/l": "umol/L"})
    'umol/L'
    """
    plain = _SPACES.sub("", unicodedata.normalize("NFKC", unit)).replace("μ", "u").replace("×", "x").lower()
    return spellings.get(plain, unit)


def in_unit_of(observable: Observable, quantity: Quantity, spellings: Mapping[str, str]) -> Quantity | None:
    """The quantity in the observable's unit, with its comparator; None for a unit that it has no conversion of."""
    as_written = _converted(observable, quantity, quantity.unit)
    return as_written or _converted(observable, quantity, canonical_unit(quantity.unit, spellings))


def _converted(observable: Observable, quantity: Quantity, unit: str) -> Quantity | None:
    if unit == observable.unit:
        return Quantity(quantity.value, unit, quantity.comparator)
    for conversion in observable.conversions:
        if unit == conversion.unit:
            value = quantity.value * conversion.factor + conversion.offset
            return Quantity(float(f"{value:.{_DIGITS}g}"), observable.unit, quantity.comparator)
    return None


def is_implausible(observable: Observable, quantity: Quantity) -> bool:
    """Whether the value lies outside what can be."""
    if observable.plausible is None:
        return False
    low, high = observable.plausible
    return not low <= quantity.value <= high


def above_reference(holder: Resource, value: Quantity) -> bool | None:
    """Whether a number is above the report's own reference range or interpreted as high; None where neither tells, or
    they disagree. Of several ranges (by week of pregnancy, say) it is not known which one is meant."""
    codes = {code for concept in items(holder.get("interpretation")) for code in codes_of(concept)}
    said = {True} if codes & INTERPRETED_HIGH else set()
    said |= {False} if codes & INTERPRETED_NOT_HIGH else set()
    highs = [quantity_of(first(part.get("high"))) for part in objects(holder.get("referenceRange"))]
    if not said and len(highs) == 1 and highs[0] is not None:
        return _is_above(value, highs[0])
    return said.pop() if len(said) == 1 else None


def _is_above(value: Quantity, high: Quantity) -> bool | None:
    """Whether all that the number may be is above the end of the range (True) or none of it (False)."""
    if high.comparator or (high.unit and high.unit != value.unit):
        return None
    if value.value > high.value:
        return None if value.comparator in ("<", "<=") else True
    if value.comparator == ">" and value.value == high.value:
        return True
    return None if value.comparator in (">", ">=") else False


def quantity_in_text(answer: Answer) -> Quantity | None:
    """A number with its unit that was sent as text (`4.2 mmol/L`, `< 0,5`); None where the text says more."""
    return next((value for text in answer.texts if (value := quantity_of_text(text)) is not None), None)


_FLAG = r"(?:H|HH|L|LL|A|AA|N|HI|LO|High|Low|Normal|Abnormal|Critical|Prolonged|Elevated|Reduced)"
_REMARK = rf"[(\[](?:{_FLAG}|[^()\[\]/%]*\d[^()\[\]]*|(?!sec|min|perc)[a-z][a-z ,.;-]{{3,}})[)\]]"
"""A flag, a range or a remark in brackets, and no unit."""
_MARKS = re.compile(rf"^\s*\*+|\s*(?:{_REMARK}|[*!↑↓]+|,?\s{_FLAG})\s*$", re.IGNORECASE)


def without_marks(text: str) -> str:
    """A value sent as text without the laboratory's marks around it: flags, its range, a remark in brackets
    (`* 5.9 mmol/L (H)`)."""
    return _MARKS.sub("", _MARKS.sub("", text))


def quantity_of_text(text: str) -> Quantity | None:
    """The number with its unit that the text is."""
    match = _VALUE.match(_SPELLED_OUT.sub(lambda m: _COMPARATOR_WORDS[m.group().lower()], text))
    if match is None:
        return None
    comparator, digits, unit, power = match.groups()
    value = figure(digits)
    return None if value is None else Quantity(value, (unit or power or "").strip(), COMPARATORS[comparator or ""])


def ends_of_text(text: str) -> tuple[Quantity, Quantity] | None:
    """The ends of the range that the text is: `55-60 %`, `35 % to 40 %`. A unit that stands once is of both."""
    match = _SPAN.match(text)
    high = quantity_of_text(match[3]) if match is not None else None
    value = figure(match[1]) if match is not None else None
    if match is None or high is None or value is None:
        return None
    return ends_in_order(Quantity(value, match[2] or high.unit), high)
