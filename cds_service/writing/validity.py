"""Whether a resource that is about to be sent is valid FHIR R4B.

A resource is valid where each of its elements is, and where the elements that are there go together: the models look
at nothing else. So a resource need not be validated whole where all that it says was said before in resources that
were valid, and where one of those had the same elements. Who is meant and when is checked each time, and never kept.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from importlib import import_module
from typing import Any

import orjson
from fhir_core.types import DateTimeType, IdType, InstantType, StringType
from pydantic import TypeAdapter, ValidationError

from cds_service.memory import Memory, content_key

_SAID = {
    "MedicationRequest": frozenset(
        {
            "resourceType", "status", "statusReason", "intent", "category", "priority", "medicationCodeableConcept",
            "reasonCode", "courseOfTherapyType", "dosageInstruction", "dispenseRequest", "substitution",
        }
    ),
    "ServiceRequest": frozenset(
        {"resourceType", "status", "intent", "category", "priority", "code", "reasonCode", "note"}
    ),
}  # fmt: skip
"""Elements that say nothing of whose the resource is."""
_REFERENCE, _IDENTIFIER = b'"reference":', b'"identifier":'
"""Members by which an element names somebody."""
_AS_USUAL = "as usual"
"""Of an element that says of whom the resource is, or when, and is valid."""

_valid: Memory[Hashable, None] = Memory()


def fault(resource: Mapping[str, Any]) -> str:
    """What is wrong with a resource as FHIR R4B; "" when it is valid."""
    return faults([resource])[0]


def faults(resources: Sequence[Mapping[str, Any]]) -> list[str]:
    """What is wrong with each; an element that several of them share (the same object) is looked at once."""
    looked_at: dict[tuple[str, int], Hashable | None] = {}
    return [_fault_unless_known(resource, _keys(resource, looked_at)) for resource in resources]


def _fault_unless_known(resource: Mapping[str, Any], keys: set[Hashable] | None) -> str:
    if keys is not None and _valid.holds(keys):
        return ""
    wrong = _fault(resource)
    if not wrong:
        for key in keys or ():
            _valid.keep(key, None)
    return wrong


def _fault(resource: Mapping[str, Any]) -> str:
    kind = str(resource["resourceType"])
    model = getattr(import_module(f"fhir.resources.R4B.{kind.lower()}"), kind)
    try:
        model.model_validate(orjson.loads(orjson.dumps(dict(resource))))  # a copy: it may be changed by validating
    except (ValueError, LookupError, TypeError, AttributeError) as invalid:  # the models raise whatever they meet
        return str(invalid).partition("\n")[2].partition("\n")[0] or type(invalid).__name__
    return ""


def _keys(resource: Mapping[str, Any], looked_at: dict[tuple[str, int], Hashable | None]) -> set[Hashable] | None:
    """What has to have been valid before: each element by its content, and all of them together by their names. None
    where an element may name somebody, or is too long to be remembered.
    """
    kind = resource["resourceType"]
    keys: set[Hashable] = {(kind, *resource)}
    for name, part in resource.items():
        place = (name, id(part))
        if place not in looked_at:
            looked_at[place] = _key(kind, name, part)
        key = looked_at[place]
        if key is None:
            return None
        if key is not _AS_USUAL:
            keys.add(key)
    return keys


def _key(kind: str, name: str, part: Any) -> Hashable | None:
    is_as_usual = _OF_WHOM_AND_WHEN.get(name)
    if is_as_usual is not None and is_as_usual(part):
        return _AS_USUAL
    content = content_key(part) if name in _SAID.get(kind, ()) else None
    if content is None or _REFERENCE in content or _IDENTIFIER in content:
        return None
    return (kind, name, content)


def _is(kind: Any) -> Callable[[object], bool]:
    """Whether a text is one of the FHIR type."""
    validator = TypeAdapter(kind).validator

    def is_of_kind(value: object) -> bool:
        try:
            validator.validate_python(value)
        except ValidationError:
            return False
        return isinstance(value, str)

    return is_of_kind


def _holds(**members: Callable[[object], bool]) -> Callable[[object], bool]:
    """Whether an object holds these members alone, each as it should be."""

    def is_as_usual(value: object) -> bool:
        if not isinstance(value, dict) or not value:
            return False
        return all(name in members and members[name](part) for name, part in value.items())

    return is_as_usual


_is_reference = _holds(reference=_is(StringType), display=_is(StringType))
_is_time = _is(DateTimeType)
_OF_WHOM_AND_WHEN: Mapping[str, Callable[[object], bool]] = {
    "id": _is(IdType),
    "meta": _holds(versionId=_is(IdType), lastUpdated=_is(InstantType)),
    "subject": _is_reference,
    "encounter": _is_reference,
    "requester": _is_reference,
    "authoredOn": _is_time,
    "occurrencePeriod": _holds(start=_is_time, end=_is_time),
}
