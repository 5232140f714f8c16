"""Feedback on cards (CDS Hooks 2.0.1, Feedback): all of a request is valid or none of it is kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime

from cds_service.codes import OVERRIDE_REASON, Coding
from cds_service.errors import RequestError
from cds_service.hooks.requests import is_uuid
from cds_service.model import Feedback, FeedbackOutcome

_LONGEST_TEXT = 4096
OTHER = "other"
"""The code kept in place of a reason that no card offers: it may be anybody's text."""


def parse_feedback(body: object, reasons: Collection[str]) -> tuple[Feedback, ...]:
    """The entries of a feedback request. `reasons` are the codes that our cards offer; any other reason becomes
    `OTHER`. Raises RequestError (400) that names the first fault.
    """
    entries = body.get("feedback") if isinstance(body, dict) else None
    if not isinstance(entries, list) or not entries:
        raise RequestError(400, "required", "feedback is missing; expected a list of entries", "feedback")
    return tuple(_entry(entry, f"feedback[{n}]", reasons) for n, entry in enumerate(entries))


def _entry(entry: object, where: str, reasons: Collection[str]) -> Feedback:
    given = _object(entry, where)
    outcome = _outcome(given, where)
    accepted = _accepted(given, where)
    if outcome is FeedbackOutcome.ACCEPTED and not accepted:
        raise _fault("required", f"{where}.acceptedSuggestions", "the ids of the suggestions accepted")
    reason, comment = _override(given, where, reasons)
    return Feedback(
        card=_uuid(given, "card", where, "the uuid of the card"),
        outcome=outcome,
        at=_timestamp(given, where),
        accepted_suggestions=accepted,
        reason=reason,
        comment=comment,
    )


def _outcome(entry: Mapping[str, object], where: str) -> FeedbackOutcome:
    given = entry.get("outcome")
    if given not in tuple(FeedbackOutcome):
        raise _fault("value", f"{where}.outcome", "'accepted' or 'overridden'")
    return FeedbackOutcome(str(given))


def _accepted(entry: Mapping[str, object], where: str) -> tuple[str, ...]:
    place = f"{where}.acceptedSuggestions"
    given = entry.get("acceptedSuggestions")
    if given is None:
        return ()
    if not isinstance(given, list):
        raise _fault("structure", place, "a list of objects with an id")
    return tuple(
        _uuid(_object(suggestion, f"{place}[{n}]"), "id", f"{place}[{n}]", "the uuid of a suggestion")
        for n, suggestion in enumerate(given)
    )


def _override(entry: Mapping[str, object], where: str, reasons: Collection[str]) -> tuple[Coding | None, str]:
    """Reason and comment of an override; the invariant cds-fb-3 wants at least one of them."""
    place = f"{where}.overrideReason"
    if entry.get("overrideReason") is None:
        return None, ""
    given = _object(entry["overrideReason"], place)
    comment = given.get("userComment")
    if given.get("reason") is None and comment is None:
        raise _fault("required", place, "a reason, a userComment or both")
    return _reason(given, place, reasons), _text(given, "userComment", place, "a text") if comment is not None else ""


def _reason(override: Mapping[str, object], place: str, reasons: Collection[str]) -> Coding | None:
    if override.get("reason") is None:
        return None
    reason = _object(override["reason"], f"{place}.reason")
    code = _text(reason, "code", f"{place}.reason", "the code of an override reason")
    _text(reason, "system", f"{place}.reason", "the system of the code")
    return Coding(OVERRIDE_REASON, code if code in reasons else OTHER)


def _timestamp(entry: Mapping[str, object], where: str) -> datetime:
    place = f"{where}.outcomeTimestamp"
    text = _text(entry, "outcomeTimestamp", where, "an RFC 3339 time with its zone")
    try:
        moment = datetime.fromisoformat(text)
        in_utc = moment.astimezone(UTC)
    except (ValueError, OverflowError) as fault:  # the first and the last day there are, in some zones, have no UTC
        raise _fault("value", place, "an RFC 3339 time with its zone") from fault
    if moment.tzinfo is None:
        raise _fault("value", place, "an RFC 3339 time with its zone")
    return in_utc


def _object(value: object, where: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise _fault("structure", where, "a JSON object")
    return value


def _text(holder: Mapping[str, object], name: str, where: str, expected: str) -> str:
    value = holder.get(name)
    if not isinstance(value, str) or not value or len(value) > _LONGEST_TEXT or "\0" in value:
        raise _fault("required" if value in (None, "") else "value", f"{where}.{name}", expected)
    return value


def _uuid(holder: Mapping[str, object], name: str, where: str, expected: str) -> str:
    text = _text(holder, name, where, expected)
    if not is_uuid(text):
        raise _fault("value", f"{where}.{name}", expected)
    return text


def _fault(code: str, where: str, expected: str) -> RequestError:
    return RequestError(400, code, f"{where} is missing or not usable; expected {expected}", where)
