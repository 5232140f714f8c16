"""Safe access to loosely typed FHIR JSON. Nothing here raises, whatever it is given.

Senders give a list where an object is expected, an object where an array is expected, numbers as strings and
text with invisible characters. Every function takes any decoded JSON and answers with what can be used.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from cds_service.codes import ICD10CM, LOINC, NDC, RXNORM, SNOMED, Coding
from cds_service.memory import remembered_by_content, remembered_by_text

Resource: TypeAlias = Mapping[str, object]

LONGEST_TEXT = 20_000
TOO_LONG = "text too long to be read"
"""In place of a longer one: it says nothing that is known, and a part of a text may say the contrary of the whole."""

_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_SPACES = re.compile(r"\s+")
_THOUSANDS = 3
_NOTHING: Resource = {}
_SYSTEMS = {
    **{f"urn:oid:2.16.840.1.113883.6.{n}": system
       for n, system in ((1, LOINC), (96, SNOMED), (88, RXNORM), (69, NDC), (90, ICD10CM))},
    **{f"https{system.removeprefix('http')}": system for system in (LOINC, SNOMED, RXNORM, NDC, ICD10CM)},
    **{f"{system}/": system for system in (LOINC, SNOMED, RXNORM, NDC, ICD10CM)},
}  # fmt: skip
"""Other ways in which a well-known system is addressed, as HL7's registry of identifiers has them."""


def clean(value: object) -> str:
    """Text without invisible characters and doubled spaces, `TOO_LONG` in place of one beyond `LONGEST_TEXT`; whole
    numbers as text; anything else is empty.
    """
    if value is None:
        return ""
    if not isinstance(value, str):
        whole = isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**15
        return str(value) if whole else ""
    if len(value) > LONGEST_TEXT:
        return TOO_LONG
    if value.isprintable() and "  " not in value:  # of all spaces only the blank is printable
        return value.strip()
    return _SPACES.sub(" ", _INVISIBLE.sub("", value)).strip()


def items(value: object) -> tuple[object, ...]:
    """The members of an array; a single value counts as an array of one, and None as an empty one."""
    if value is None:
        return ()
    return tuple(value) if isinstance(value, list | tuple) else (value,)


def objects(value: object) -> tuple[Resource, ...]:
    """The members that are objects."""
    if type(value) is dict:  # decoded JSON: the common case goes first
        return (value,)
    if type(value) is list:
        return tuple([item for item in value if type(item) is dict or isinstance(item, Mapping)])
    if value is None or isinstance(value, str):
        return ()
    return tuple(item for item in items(value) if isinstance(item, Mapping))


def child(value: object, *path: str) -> Resource:
    """The first object at the path, or an empty one."""
    for name in path:
        value = first(value).get(name)
        if value is None:
            return _NOTHING
    return first(value)


def first(value: object) -> Resource:
    """The value itself where it is an object, the first object of an array, or an empty one."""
    if type(value) is dict:
        return value
    if value is None:
        return _NOTHING
    found = objects(value)
    return found[0] if found else _NOTHING


def text_at(value: object, name: str) -> str:
    """The cleaned text of that name; an array of texts counts as its first."""
    found = (value if type(value) is dict else first(value)).get(name)
    if found is None:
        return ""
    return clean(found) if type(found) is str else next((text for text in map(clean, items(found)) if text), "")


@dataclass(frozen=True, slots=True)
class _Concept:
    """What the functions below say of a concept, worked out once for all of them."""

    codings: tuple[Coding, ...]
    text: str
    texts: tuple[str, ...]
    codes: tuple[str, ...]
    named: tuple[tuple[str, str], ...]
    """(last part of the system, code) of each coding."""


@remembered_by_content
def _read(concept: object) -> _Concept:
    every = tuple([coding for part in objects(concept) for coding in _codings_of(part)])
    told = tuple([coding for coding in every if coding.code or coding.display])
    text = _text_of(concept)
    return _Concept(
        codings=told,
        text=text,
        texts=tuple(dict.fromkeys(said for said in (text, *(coding.display for coding in told)) if said)),
        codes=tuple([coding.code for coding in every]),
        named=tuple([(_system_name(coding.system), coding.code) for coding in every]),
    )


_SILENT = _Concept((), "", (), (), ())


def _concept(concept: object) -> _Concept:
    return _SILENT if concept is None else _read(concept)


def _codings_of(part: Resource) -> Iterator[Coding]:
    inner = objects(part.get("coding"))
    for coding in inner or (part,):
        system = clean(coding.get("system"))
        yield Coding(_SYSTEMS.get(system, system), clean(coding.get("code")), clean(coding.get("display")))


def _text_of(concept: object) -> str:
    for part in items(concept):
        text = clean(part) if isinstance(part, str) else clean(first(part).get("text"))
        if text:
            return text
    return ""


def codings(concept: object) -> tuple[Coding, ...]:
    """All codings of a CodeableConcept, of several, or of a Coding that stands in its place. Codings without a
    code and a display are left out."""
    return _concept(concept).codings


@remembered_by_content
def statuses(concept: object) -> frozenset[str]:
    """The codes of a status, or the bare code in its place; without a code its words, written as codes are.

    >>> statuses({"text": "Entered in Error"})
    frozenset({'entered-in-error'})
    """
    bare = clean(concept)
    codes = frozenset(code.lower() for code in (bare, *codes_of(concept)) if code)
    return codes or frozenset(fold(text).replace(" ", "-") for text in concept_texts(concept))


def first_coded(found: tuple[Coding, ...]) -> Coding | None:
    """The first of the codings that has a code."""
    return next((coding for coding in found if coding.code), None)


def concept_text(concept: object) -> str:
    """The text of a concept, or the concept itself where a bare string stands in its place."""
    return _concept(concept).text


def concept_texts(concept: object) -> tuple[str, ...]:
    """The text and the displays of a concept, each once."""
    return _concept(concept).texts


def concept_label(concept: object) -> str:
    """What a person would call the concept: its text, else a display, else a code."""
    found = _concept(concept)
    return next(iter(found.texts), next((c.code for c in found.codings), ""))


def has_code(concept: object, system: str, codes: frozenset[str]) -> bool:
    """Whether one of the codes stands in the concept. Systems are compared by their last part, because tables
    live under several addresses. A coding without a system matches LOINC's codes, which are no other system's."""
    found = _concept(concept)
    if codes.isdisjoint(found.codes):
        return False
    wanted = _system_name(system)
    matching = _NAMES_OF_LOINC if system == LOINC else (wanted,)
    return any(code in codes and name in matching for name, code in found.named)


def loinc_parts(resource: Resource) -> Mapping[str, tuple[Resource, ...]]:
    """The components of an Observation by their LOINC codes."""
    found: defaultdict[str, list[Resource]] = defaultdict(list)
    for component in objects(resource.get("component")):
        named = _concept(component.get("code")).named
        for code in dict.fromkeys(code for system, code in named if system in _NAMES_OF_LOINC):
            found[code].append(component)
    return {code: tuple(components) for code, components in found.items()}


def codes_of(concept: object) -> tuple[str, ...]:
    """The bare codes of a concept, for asking quickly whether a closer look is worth it."""
    return _concept(concept).codes


def _system_name(system: str) -> str:
    return system.rstrip("/").rpartition("/")[2].lower()


_NAMES_OF_LOINC = (_system_name(LOINC), "")
"""A coding without a system counts as LOINC's."""


def number(value: object) -> float | None:
    """A finite number, also where it comes as a string."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def figure(written: str) -> float | None:
    """A number as people write it, with a point or a comma; None where a comma before three digits may stand for
    thousands (`3,200`, but not `0,850`).

    >>> figure("6,8")
    6.8
    """
    whole, comma, rest = written.partition(",")
    if comma and len(rest) == _THOUSANDS and whole.lstrip("+-") != "0":
        return None
    return number(f"{whole}.{rest}" if comma else written)


@remembered_by_text
def fold(text: str) -> str:
    """Text for comparing labels: lower case, one spelling of `-ise`, punctuation as spaces.

    >>> fold("Poor-Metaboliser (PM)")
    'poor metabolizer pm'
    """
    lowered = text.lower().replace("metabolis", "metaboliz")
    return " ".join(re.findall(r"[^\W_]+", lowered))


def whole_words(words: Iterable[str], folded: str) -> Iterator[str]:
    """Those of the folded words that stand in folded text as whole words, in their own order.

    >>> list(whole_words(["negative", "not detected", "tec"], fold("Not detected.")))
    ['not detected']
    """
    padded = f" {folded} "
    return (word for word in words if f" {word} " in padded)


def has_word(words: Iterable[str], folded: str) -> bool:
    """Whether one of the folded words stands in folded text as a whole word."""
    return any(True for _ in whole_words(words, folded))
