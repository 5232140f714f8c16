"""The value of an Observation or component in all its forms."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from cds_service.codes import LOINC, SNOMED, UCUM, Coding
from cds_service.memory import remembered_by_content, remembered_by_text
from cds_service.model import Quantity
from cds_service.reading.shapes import (
    Resource,
    child,
    clean,
    codings,
    concept_texts,
    figure,
    first,
    fold,
    has_word,
    items,
    number,
    text_at,
)
from cds_service.reading.vocabulary import (
    ABSENT_WORDS,
    INTERPRETATIONS,
    INTERPRETED_ABSENT,
    INTERPRETED_OPEN,
    INTERPRETED_PRESENT,
    PRESENCE_CODES,
    PRESENT_WORDS,
    UNDETERMINED_ANSWERS,
    UNDETERMINED_WORDS,
    UNSENT_REASONS,
    WHOLE_WORD_ANSWERS,
)

_UNREAD_TYPES = ("valueRange", "valueRatio", "valueSampledData", "valueTime", "valueDateTime", "valuePeriod")
"""A value of one of these types is a result that is there, though nothing is read from it."""
VALUE_FIELDS = ("valueCodeableConcept", "valueQuantity", "valueCoding", "valueString", "valueCode", "valueInteger",
                 "valueBoolean", "dataAbsentReason", *_UNREAD_TYPES)  # fmt: skip
_INTERPRETED = {
    **dict.fromkeys(INTERPRETED_PRESENT, True),
    **dict.fromkeys(INTERPRETED_ABSENT, False),
    **dict.fromkeys(INTERPRETED_OPEN, None),
}
_OPEN_ANSWERS = frozenset(
    [(LOINC, code) for code in UNDETERMINED_ANSWERS]
    + [(system, code) for system in INTERPRETATIONS for code in INTERPRETED_OPEN]
)
_FIGURE = re.compile(r"(<=|>=|=<|=>|[<>≤≥])?\s*([+-]?\d+(?:[.,]\d+)?)")
COMPARATORS = {"": "", "<": "<", "<=": "<=", "≤": "<=", "=<": "<=", "le": "<=", "lt": "<",
               ">": ">", ">=": ">=", "≥": ">=", "=>": ">=", "ge": ">=", "gt": ">"}  # fmt: skip
"""A comparator as senders write it -> as FHIR does."""
_FLAGGED = re.compile(r"([A-Za-z][A-Za-z\s-]*?)\s*[(\[](?:A|AA|ABN|H|HH|L|LL|N|!|\*)[)\]]\s*")
"""Words with the laboratory's flag behind them: `Reactive (A)`."""
_CLAUSE = re.compile(r"\s+[-–]\s+|[:(]")
NOTHING_FOUND = re.compile(r" (?:no|not) (?:[\w]+ ){0,6}(?:detected|present|found|identified|seen) ")
NEGATED = re.compile(r" (?:no|not|without|if|cannot|never) ")


@dataclass(frozen=True, slots=True)
class Answer:
    """`texts` are the value's text and displays, each once; `quoted` is the value as the report has it;
    `missing` the code of a dataAbsentReason; `unread` is a value that is there and is no number that can be read;
    `ends` are the two of a range."""

    codings: tuple[Coding, ...] = ()
    texts: tuple[str, ...] = ()
    quantity: Quantity | None = None
    boolean: bool | None = None
    missing: str = ""
    unread: str = ""
    ends: tuple[Quantity, Quantity] | None = None

    @property
    def quoted(self) -> str:
        """The value as a person would read it in the report."""
        if self.texts:
            return self.texts[0]
        if self.quantity is not None:
            q = self.quantity
            return f"{q.comparator}{q.value:g} {q.unit}".strip()
        if self.boolean is not None:
            return str(self.boolean).lower()
        return next((coding.code for coding in self.codings), self.unread)

    @property
    def is_empty(self) -> bool:
        return not (self.codings or self.texts or self.quantity or self.unread) and self.boolean is None

    @property
    def is_taken_back(self) -> bool:
        """Whether a reason why there is no value stands beside a value."""
        return bool(self.missing) and not self.is_empty

    @property
    def is_unsent(self) -> bool:
        """Whether nothing is said against the test itself, where there is no value."""
        return self.missing.lower() in UNSENT_REASONS

    @property
    def undetermined(self) -> bool:
        """Whether the value says that the test gave no result."""
        coded = any((c.system, c.code) in _OPEN_ANSWERS for c in self.codings)
        return coded or any(fold(_CLAUSE.split(text)[0]) in UNDETERMINED_WORDS for text in self.texts)


def answer_of(holder: Resource) -> Answer:
    """The value of an Observation or a component, whatever its type."""
    return _answer({name: holder[name] for name in VALUE_FIELDS if name in holder})


@remembered_by_content
def _answer(holder: Resource) -> Answer:
    concept = [part for part in items(holder.get("valueCodeableConcept")) if not isinstance(part, str)]
    concept += list(items(holder.get("valueCoding")))
    strings = [clean(holder.get(name)) for name in ("valueString", "valueCodeableConcept", "valueCode")]
    strings += [text for text in [clean(holder.get("valueInteger"))] if text]
    boolean = holder.get("valueBoolean")
    texts = (
        *(_without_flag(text) for text in strings if text),
        *(text for part in concept for text in concept_texts(part)),
    )
    absent = holder.get("dataAbsentReason")
    missing = [*concept_codes(absent), *concept_texts(absent)] if absent is not None else []
    low, high = _ends(first(holder.get("valueRange")))
    quantity = quantity_of(first(holder.get("valueQuantity"))) or _bound(low, high)
    return Answer(
        codings=codings(concept),
        texts=tuple(dict.fromkeys(texts)),
        quantity=quantity,
        boolean=boolean if isinstance(boolean, bool) else None,
        missing=next(iter(missing), ""),
        unread="" if quantity is not None else _unread(holder),
        ends=ends_in_order(low, high) if low and high else None,
    )


def _ends(span: Resource) -> tuple[Quantity | None, Quantity | None]:
    """The ends of a range, in the unit that either of them has."""
    low, high = (quantity_of(child(span, name)) for name in ("low", "high"))
    unit = next((end.unit for end in (low, high) if end is not None and end.unit), "")
    low, high = (end if end is None or end.unit else replace(end, unit=unit) for end in (low, high))
    return low, high


def _bound(low: Quantity | None, high: Quantity | None) -> Quantity | None:
    """What a range with one end says. FHIR R4, Range: the end that is there is part of it, the other is open."""
    end = low or high
    if end is None or (low and high) or end.comparator:
        return None
    return replace(end, comparator=">=" if low else "<=")


def ends_in_order(low: Quantity, high: Quantity) -> tuple[Quantity, Quantity] | None:
    """The ends of a range where they are two plain numbers in one unit, the lower one first."""
    is_plain = low.unit == high.unit and not (low.comparator or high.comparator)
    return (low, high) if is_plain and low.value <= high.value else None


def _without_flag(text: str) -> str:
    flagged = _FLAGGED.fullmatch(text)
    return flagged[1] if flagged is not None else text


def _unread(holder: Resource) -> str:
    """A value that is there and that nothing is read from, in words to quote; empty where there is none."""
    quantity = first(holder.get("valueQuantity"))
    if "value" in quantity:
        return _quoted(quantity)
    return next((_quoted_of(holder[name], name) for name in _UNREAD_TYPES if holder.get(name)), "")


def _quoted(quantity: Resource) -> str:
    value = quantity["value"]
    written = f"{value:g}" if isinstance(value, float) else clean(value)
    return " ".join(filter(None, (text_at(quantity, "comparator"), written, text_at(quantity, "unit"))))


def _quoted_of(value: object, name: str) -> str:
    """The ends of a range; of any other value its text, or its type."""
    ends = [_quoted(end) for end in (child(value, "low"), child(value, "high")) if "value" in end]
    return " - ".join(ends) or clean(value) or name.removeprefix("value").lower()


def interpreted(holder: Resource) -> tuple[bool | None, ...]:
    """Found, not found, or None (open) for each interpretation that says one of them; without such a code its words
    count."""
    concepts = items(holder.get("interpretation"))
    found = (c.code for concept in concepts for c in codings(concept))
    coded = tuple(_INTERPRETED[code] for code in found if code in _INTERPRETED)
    words = (presence_word(text) for concept in concepts for text in concept_texts(concept))
    return coded or tuple(word for word in words if word is not None)


def answer_or_interpretation(holder: Resource) -> Answer:
    """The value of an Observation on one finding or, where it has none, what its interpretation says of it. A reason
    why there is no value takes that back, unless it is that the value cannot be sent."""
    answer = answer_of(holder)
    concepts = items(holder.get("interpretation"))
    if not answer.is_empty or not concepts:
        return answer
    said = (coding for concept in concepts for coding in codings(concept))
    return Answer(
        # Whatever address the code system has here, its codes are these.
        codings=tuple(replace(c, system=INTERPRETATIONS[0]) if c.code in _INTERPRETED else c for c in said),
        texts=tuple(dict.fromkeys(text for concept in concepts for text in concept_texts(concept))),
        missing="" if answer.is_unsent else answer.missing,
    )


def concept_codes(concept: object) -> tuple[str, ...]:
    """The codes of a concept, without their systems."""
    return tuple(coding.code for coding in codings(concept) if coding.code)


def quantity_of(value: Resource) -> Quantity | None:
    """A quantity in its UCUM code where it has one, else in the unit that people see.

    Some senders put a SNOMED code where the unit's code belongs; its text then is the unit.
    """
    found = number(value.get("value"))
    comparator = COMPARATORS.get(text_at(value, "comparator"))
    if found is None:
        written = _FIGURE.fullmatch(clean(value.get("value")))
        found = figure(written[2]) if written is not None else None
        sign = COMPARATORS[written[1] or ""] if written is not None else ""
        comparator = sign if comparator in {"", sign} else comparator if not sign else None
    if found is None or comparator is None:
        return None
    code = text_at(value, "code")
    shown = text_at(value, "unit")
    unit = shown or code if text_at(value, "system") == SNOMED else code or shown
    if text_at(value, "system") not in ("", UCUM) and shown:
        unit = shown
    return Quantity(found, unit, comparator)


@remembered_by_text
def presence_word(text: str) -> bool | None:
    """True or False where words of the text say that something was found or not; None where they say neither,
    or that the test gave no call. `yes` and `no` count only alone: `no call` is not an absence."""
    whole = fold(text)
    if whole in WHOLE_WORD_ANSWERS:
        return WHOLE_WORD_ANSWERS[whole]
    padded = f" {whole} "
    if has_word(UNDETERMINED_WORDS, whole):
        return None
    if has_word(ABSENT_WORDS, whole) or NOTHING_FOUND.search(padded):
        return False
    found = has_word(PRESENT_WORDS, whole)
    return True if found and not NEGATED.search(padded) else None


def presence_of(answer: Answer) -> bool | None:
    """Whether the value says present or absent, by code, boolean and words; None where it says neither, or
    where its parts disagree."""
    said = {answer.boolean} if answer.boolean is not None else set()
    for coding in answer.codings:
        for system, present, absent in PRESENCE_CODES:
            if coding.system == system and coding.code in present | absent:
                said.add(coding.code in present)
    said |= {word for text in answer.texts if (word := presence_word(text)) is not None}
    return said.pop() if len(said) == 1 else None


def presence_disagrees(answer: Answer) -> bool:
    """Whether codes and words of the value say both present and absent."""
    parts = [Answer(codings=(coding,)) for coding in answer.codings]
    parts += [Answer(texts=(text,)) for text in answer.texts] + [Answer(boolean=answer.boolean)]
    return {presence_of(part) for part in parts} >= {True, False}
