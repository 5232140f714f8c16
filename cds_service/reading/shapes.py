"""Safe access to loosely typed FHIR JSON. Nothing here raises, whatever it is given.

Senders give a list where an object is expected, an object where an array is expected, numbers as strings and
text with invisible characters. Every function takes any decoded JSON and answers with what can be used.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import TypeAlias

from cds_service.codes import ICD10CM, LOINC, NDC, RXNORM, SNOMED, Coding

Resource: TypeAlias = Mapping[str, object]

_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_SPACES = re.compile(r"\s+")
_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?(?![\d-])")
_NOTHING: Resource = {}
_SYSTEMS = {
    **{f"urn:oid:2.16.840.1.113883.6.{n}": system
       for n, system in ((1, LOINC), (96, SNOMED), (88, RXNORM), (69, NDC), (90, ICD10CM))},
    **{f"https{system.removeprefix('http')}": system for system in (LOINC, SNOMED, RXNORM, NDC, ICD10CM)},
    **{f"{system}/": system for system in (LOINC, SNOMED, RXNORM, NDC, ICD10CM)},
}  # fmt: skip
"""Other ways in which a well-known system is addressed, as HL7's registry of identifiers has them."""


def clean(value: object) -> str:
    """Text without invisible characters and doubled spaces; whole numbers as text; anything else is empty."""
    if not isinstance(value, str):
        whole = isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**15
        return str(value) if whole else ""
    if value.isascii() and value.isprintable() and "  " not in value:
        return value.strip()
    return _SPACES.sub(" ", _INVISIBLE.sub("", value)).strip()


def items(value: object) -> tuple[object, ...]:
    """The members of an array; a single value counts as an array of one, and None as an empty one."""
    if isinstance(value, list | tuple):
        return tuple(value)
    return () if value is None else (value,)


def objects(value: object) -> tuple[Resource, ...]:
    """The members that are objects."""
    if type(value) is dict:  # decoded JSON: the common case goes first
        return (value,)
    if type(value) is list:
        return tuple([item for item in value if isinstance(item, Mapping)])
    if value is None or isinstance(value, str):
        return ()
    return tuple(item for item in items(value) if isinstance(item, Mapping))


def child(value: object, *path: str) -> Resource:
    """The first object at the path, or an empty one."""
    for name in path:
        value = first(value).get(name)
    return first(value)


def first(value: object) -> Resource:
    """The value itself where it is an object, the first object of an array, or an empty one."""
    if type(value) is dict:
        return value
    return next(iter(objects(value)), _NOTHING)


def text_at(value: object, *path: str) -> str:
    """The cleaned text at the path; the last step may be an array of texts, of which the first counts."""
    holder = child(value, *path[:-1]) if len(path) > 1 else first(value)
    return next((text for text in map(clean, items(holder.get(path[-1]))) if text), "")


def codings(concept: object) -> tuple[Coding, ...]:
    """All codings of a CodeableConcept, of several, or of a Coding that stands in its place. Codings without a
    code and a display are left out."""
    return tuple([c for part in objects(concept) for c in _codings_of(part) if c.code or c.display])


def _codings_of(part: Resource) -> Iterator[Coding]:
    inner = objects(part.get("coding"))
    for coding in inner or (part,):
        system = clean(coding.get("system"))
        yield Coding(_SYSTEMS.get(system, system), clean(coding.get("code")), clean(coding.get("display")))


def concept_text(concept: object) -> str:
    """The text of a concept, or the concept itself where a bare string stands in its place."""
    for part in items(concept):
        text = clean(part) if isinstance(part, str) else clean(first(part).get("text"))
        if text:
            return text
    return ""


def concept_texts(concept: object) -> tuple[str, ...]:
    """The text and the displays of a concept, each once."""
    found = (concept_text(concept), *(coding.display for coding in codings(concept)))
    return tuple(dict.fromkeys(text for text in found if text))


def concept_label(concept: object) -> str:
    """What a person would call the concept: its text, else a display, else a code."""
    return next(iter(concept_texts(concept)), next((c.code for c in codings(concept)), ""))


def has_code(concept: object, system: str, codes: frozenset[str]) -> bool:
    """Whether one of the codes stands in the concept. Systems are compared by their last part, because tables
    live under several addresses; a coding without a system never matches."""
    for part in objects(concept):
        for coding in objects(part.get("coding")) or (part,):
            if clean(coding.get("code")) in codes and _same_system(coding.get("system"), system):
                return True
    return False


def loinc_parts(resource: Resource) -> Mapping[str, tuple[Resource, ...]]:
    """The components of an Observation by their LOINC codes."""
    found: dict[str, tuple[Resource, ...]] = {}
    for component in objects(resource.get("component")):
        for code in codes_of(component.get("code")):
            if has_code(component.get("code"), LOINC, frozenset((code,))):
                found[code] = (*found.get(code, ()), component)
    return found


def codes_of(concept: object) -> tuple[str, ...]:
    """The bare codes of a concept, for asking quickly whether a closer look is worth it."""
    return tuple([clean(c.get("code")) for part in objects(concept) for c in objects(part.get("coding")) or (part,)])


def _same_system(found: object, wanted: str) -> bool:
    named = clean(found)
    return named == wanted or _system_name(_SYSTEMS.get(named, named)) == _system_name(wanted)


def _system_name(system: str) -> str:
    return system.rstrip("/").rpartition("/")[2].lower()


def number(value: object) -> float | None:
    """A finite number, also where it comes as a string."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def day(value: object) -> date | None:
    """The day of a date or dateTime. A year or month alone is its first day."""
    match = _DATE.match(clean(value))
    if match is None:
        return None
    year, month, day_of_month = (int(part or 1) for part in match.groups())
    try:
        return date(year, month, day_of_month)
    except ValueError:
        return None


def moment(value: object) -> float:
    """Seconds since 1970 of an instant, for comparing versions; 0 where it cannot be read."""
    try:
        found = datetime.fromisoformat(clean(value))
        aware = found if found.tzinfo is not None else found.replace(tzinfo=UTC)
        return aware.timestamp()
    except (ValueError, OverflowError):
        return 0.0


def reference(value: object) -> str:
    """The reference in a Reference object, or a bare string in its place."""
    for item in items(value):
        found = clean(item) if isinstance(item, str) else clean(first(item).get("reference"))
        if found:
            return found
    return ""


def references(value: object) -> tuple[str, ...]:
    """All references in an array of Reference objects."""
    return tuple(found for item in items(value) if (found := reference(item)))


def local_name(address: str) -> str:
    """`Type/id` of a relative, absolute or versioned reference; anything else as it is.

    >>> local_name("https://ehr.example/fhir/Observation/7/_history/2")
    'Observation/7'
    """
    parts = address.partition("/_history/")[0].rstrip("/").split("/")
    return "/".join(parts[-2:]) if len(parts) > 1 else address


def fold(text: str) -> str:
    """Text for comparing labels: lower case, one spelling of `-ise`, punctuation as spaces.

    >>> fold("Poor-Metaboliser (PM)")
    'poor metabolizer pm'
    """
    lowered = text.lower().replace("metabolis", "metaboliz")
    return " ".join(re.findall(r"[^\W_]+", lowered))
