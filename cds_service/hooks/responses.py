"""What we send is strict: a body that breaks CDS Hooks is an `AnswerError`, never repaired on its way out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cds_service.errors import AnswerError

_HOLDERS = frozenset({dict, list})
LONGEST_SUMMARY = 139
"""CDS Hooks 2.0.1: under 140 characters."""


def checked(body: dict[str, object]) -> dict[str, object]:
    """`body` itself when it is a valid response. Raises AnswerError that names every fault and its place."""
    faults = [*_faults(body)]
    if faults:
        raise AnswerError("the answer breaks CDS Hooks: " + "; ".join(faults[:10]))
    return body


def operation_outcome(code: str, diagnostics: str, expression: str = "") -> dict[str, object]:
    """An error body (CDS Hooks 3.0: non-2xx SHOULD carry one). `code` is a FHIR issue type."""
    issue: dict[str, object] = {"severity": "error", "code": code, "diagnostics": diagnostics}
    if expression:
        issue["expression"] = [expression]
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def _faults(body: dict[str, object]) -> Iterator[str]:
    cards = body.get("cards")
    if not isinstance(cards, list):
        yield "cards is not a list"
        return
    rest = {name: value for name, value in body.items() if name != "cards"}
    yield from (f"{place} is empty" for place in _empty_places(rest, ""))
    for n, card in enumerate(cards):
        place = f"cards[{n}]"
        yield from (f"{empty} is empty" for empty in _empty_places(card, place))
        if isinstance(card, dict):
            yield from _card_faults(card, place)
        else:
            yield f"{place} is not an object"


def _empty_places(value: object, place: str) -> Iterator[str]:
    """Where the value is empty within; places are worked out only where there is one."""
    if _has_empty(value):
        yield from _places_within(value, place)


def _has_empty(value: object) -> bool:
    waiting: list[Any] = [value] if type(value) in _HOLDERS else []
    for holder in waiting:  # which grows on the way
        for part in holder.values() if type(holder) is dict else holder:
            if not part and part != 0:
                return True
            if type(part) in _HOLDERS:
                waiting.append(part)
    return False


def _places_within(value: object, place: str) -> Iterator[str]:
    if isinstance(value, dict):
        children = [(f"{place}.{name}" if place else str(name), child) for name, child in value.items()]
    elif isinstance(value, list):
        children = [(f"{place}[{n}]", child) for n, child in enumerate(value)]
    else:
        return
    for where, child in children:
        if child is None or child in ("", [], {}):
            yield where
        else:
            yield from _places_within(child, where)


def _card_faults(card: Mapping[str, object], place: str) -> Iterator[str]:
    for name in ("uuid", "summary", "indicator", "source"):
        if name not in card:
            yield f"{place}.{name} is missing"
    if len(str(card.get("summary", ""))) > LONGEST_SUMMARY:
        yield f"{place}.summary is longer than {LONGEST_SUMMARY} characters"
    if card.get("indicator") not in ("info", "warning", "critical"):
        yield f"{place}.indicator is not info, warning or critical"
    source = card.get("source")
    if isinstance(source, dict) and "label" not in source:
        yield f"{place}.source.label is missing"
    yield from _suggestion_faults(card, place)
    for reason in _objects(card.get("overrideReasons")):
        if not {"code", "system", "display"} <= reason.keys():
            yield f"{place}.overrideReasons needs code, system and display"
    for link in _objects(card.get("links")):
        if not {"label", "url", "type"} <= link.keys():
            yield f"{place}.links needs label, url and type"


def _suggestion_faults(card: Mapping[str, object], place: str) -> Iterator[str]:
    suggestions = [*_objects(card.get("suggestions"))]
    if suggestions and card.get("selectionBehavior") not in ("at-most-one", "any"):
        yield f"{place}.selectionBehavior is not at-most-one or any"
    recommended = sum(suggestion.get("isRecommended") is True for suggestion in suggestions)
    if recommended > 1 and card.get("selectionBehavior") == "at-most-one":
        yield f"{place} recommends {recommended} suggestions of which at most one can be chosen"
    for suggestion in suggestions:
        if not {"label", "uuid"} <= suggestion.keys():
            yield f"{place}.suggestions needs label and uuid"
        for action in _objects(suggestion.get("actions")):
            yield from _action_faults(action, f"{place}.suggestions.actions")


def _action_faults(action: Mapping[str, object], place: str) -> Iterator[str]:
    kind = action.get("type")
    needed = {"create": "resource", "update": "resource", "delete": "resourceId"}.get(str(kind))
    if needed is None:
        yield f"{place}.type is not create, update or delete"
    elif needed not in action:
        yield f"{place} of type {kind} needs {needed}"
    if "description" not in action:
        yield f"{place}.description is missing"


def _objects(value: object) -> Iterator[Mapping[str, object]]:
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))
