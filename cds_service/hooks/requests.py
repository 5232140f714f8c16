"""A hook request, read tolerantly into a `HookRequest` (CDS Hooks 2.0.1, Calling a CDS Service).

Unknown fields are ignored. What cannot be used at all is a `RequestError` that says where and what was
expected; a single bad entry of a Bundle becomes a `Gap` and leaves the others alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TypeGuard
from urllib.parse import urlsplit

from cds_service.errors import RequestError
from cds_service.hooks.discovery import Hook, ServiceDefinition
from cds_service.model import Gap, GapReason, Question
from cds_service.references import local_name, without_version

JsonObject = Mapping[str, object]

# Wider than FHIR's id (servers exist with `_` and longer ids), and still safe inside a URL path or query.
_ID = re.compile(r"(?!\.+$)[A-Za-z0-9._~-]{1,128}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_TOKEN = re.compile(r"[\x21-\x7e]{1,16384}")


@dataclass(frozen=True, slots=True)
class HookRequest:
    """What a client asked. The access token is never shown, logged or kept."""

    service: ServiceDefinition
    hook_instance: str
    question: Question
    prefetch: Mapping[str, object] = field(default_factory=dict, repr=False)
    fhir_server: str = ""
    """Without trailing slash; empty when the client gave none."""
    access_token: str = field(default="", repr=False)


def parse(body: object, service: ServiceDefinition) -> HookRequest:
    """Read the decoded body of a call to `service`. Raises RequestError (400)."""
    request = _object(body, "the request body", "")
    _check_hook(request, service)
    hook_instance = _text(request, "hookInstance", "hookInstance", "a UUID")
    context = _object(request.get("context"), "context", "context")
    patient_id = _patient_id(context)
    fhir_server = _fhir_server(request)
    return HookRequest(
        service=service,
        hook_instance=hook_instance,
        question=replace(_QUESTIONS[service.hook](context, patient_id), server=fhir_server),
        prefetch=_prefetch(request),
        fhir_server=fhir_server,
        access_token=_access_token(request),
    )


def is_id(text: object) -> TypeGuard[str]:
    """Whether `text` is an id that may be put into a URL."""
    return isinstance(text, str) and _ID.fullmatch(text) is not None


def is_uuid(text: str) -> bool:
    """Whether the text is a UUID as RFC 9562 writes it, and nothing else."""
    return _UUID.fullmatch(text) is not None


def _check_hook(request: JsonObject, service: ServiceDefinition) -> None:
    hook = _text(request, "hook", "hook", f"'{service.hook}'")
    if hook != service.hook:
        raise RequestError(
            400,
            "invalid",
            f"hook is not the hook of this service; expected '{service.hook}': call the service that "
            "discovery lists for the hook",
            "hook",
        )


def _patient_id(context: JsonObject) -> str:
    given = _text(context, "patientId", "context.patientId", "the id of the patient")
    bare = given.removeprefix("Patient/")
    if not is_id(bare):
        raise RequestError(
            400, "invalid", "context.patientId is no FHIR id (letters, digits, '-', '.')", "context.patientId"
        )
    return bare


def _order_question(context: JsonObject, patient_id: str) -> Question:
    return Question(Hook.ORDER_SIGN, patient_id, _bundle(context, "draftOrders"))


def _order_select_question(context: JsonObject, patient_id: str) -> Question:
    drafts = _bundle(context, "draftOrders")
    selections, gaps = _selections(context, drafts)
    return Question(Hook.ORDER_SELECT, patient_id, drafts, selections, gaps=gaps, being_written=True)


def _patient_view_question(_context: JsonObject, patient_id: str) -> Question:
    return Question(Hook.PATIENT_VIEW, patient_id, active=True)


def _refill_question(context: JsonObject, patient_id: str) -> Question:
    return Question(Hook.MEDICATION_REFILL, patient_id, _bundle(context, "medications"))


def _dispatch_question(context: JsonObject, patient_id: str) -> Question:
    where = "context.dispatchedOrders"
    given = context.get("dispatchedOrders")
    if given is None and isinstance(context.get("order"), str):
        given = [context["order"]]  # order-dispatch before 1.1
    if not isinstance(given, list) or not all(isinstance(reference, str) and reference for reference in given):
        raise RequestError(400, "required", f"{where} is not a list of references 'Type/id'", where)
    return Question(
        Hook.ORDER_DISPATCH,
        patient_id,
        wanted=tuple(without_version(reference.strip()).rstrip("/") for reference in given),
    )


_QUESTIONS = MappingProxyType(
    {
        Hook.ORDER_SELECT: _order_select_question,
        Hook.ORDER_SIGN: _order_question,
        Hook.PATIENT_VIEW: _patient_view_question,
        Hook.ORDER_DISPATCH: _dispatch_question,
        Hook.MEDICATION_REFILL: _refill_question,
    }
)


def _bundle(context: JsonObject, name: str) -> tuple[JsonObject]:
    """The Bundle of the context, whole: reading isolates its entries and needs their addresses. `Bundle.type` is
    not asked for: the Sandbox leaves it out.
    """
    where = f"context.{name}"
    bundle = _object(context.get(name), where, where)
    if bundle.get("resourceType", "Bundle") != "Bundle":
        raise RequestError(400, "invalid", f"{where} is not a Bundle (resourceType)", f"{where}.resourceType")
    if not isinstance(bundle.get("entry", []), list):
        raise RequestError(400, "structure", f"{where}.entry is not a list of entries", f"{where}.entry")
    return ({**bundle, "resourceType": "Bundle"},)


def _selections(context: JsonObject, drafts: tuple[JsonObject]) -> tuple[frozenset[str] | None, tuple[Gap, ...]]:
    """The drafts in question. A missing or empty list means all of them, and so does a list that names none of
    the drafts: a selection that we cannot follow must not make an order go unlooked at.
    """
    where = "context.selections"
    given = context.get("selections")
    if given is None:
        return None, ()
    if not isinstance(given, list) or not all(isinstance(reference, str) for reference in given):
        raise RequestError(400, "structure", f"{where} is not a list of references 'Type/id'", where)
    addresses = _addresses(drafts[0])
    named = {reference: addresses.get(reference, local_name(reference)) for reference in given}
    known = frozenset(addresses.values())
    gaps = tuple(
        Gap(reference, GapReason.NOT_IN_DRAFT_ORDERS, "selections names an order that draftOrders does not hold")
        for reference in sorted(set(named.values()) - known)
        if known
    )
    selected = frozenset(named.values())
    return (selected if selected & known else None), gaps


def _addresses(bundle: JsonObject) -> dict[str, str]:
    """`Type/id` of each resource in a Bundle, by its fullUrl and by itself."""
    found: dict[str, str] = {}
    entries = bundle.get("entry", [])
    for entry in entries if isinstance(entries, list) else ():
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(resource, dict):
            reference = f"{resource.get('resourceType')}/{resource.get('id')}"
            found |= {reference: reference, str(entry.get("fullUrl", reference)): reference}
    return found


def _prefetch(request: JsonObject) -> Mapping[str, object]:
    given = request.get("prefetch")
    return {} if given is None else _object(given, "prefetch", "prefetch")


def _fhir_server(request: JsonObject) -> str:
    given = request.get("fhirServer")
    if given is None:
        return ""
    if not isinstance(given, str) or not _is_base_url(given):
        raise RequestError(
            400, "invalid", "fhirServer is not an absolute http(s) URL without credentials, query or fragment",
            "fhirServer",
        )  # fmt: skip
    return given.rstrip("/")


def _is_base_url(text: str) -> bool:
    try:
        url = urlsplit(text)
        _ = url.port
    except ValueError:
        return False
    plain = not (url.username or url.password or url.query or url.fragment)
    clean = text.isprintable() and " " not in text
    return url.scheme in ("http", "https") and bool(url.hostname) and plain and clean


def _access_token(request: JsonObject) -> str:
    where = "fhirAuthorization.access_token"
    given = request.get("fhirAuthorization")
    if given is None:
        return ""
    token = _object(given, "fhirAuthorization", "fhirAuthorization").get("access_token")
    if not isinstance(token, str) or _TOKEN.fullmatch(token) is None:
        raise RequestError(400, "invalid", f"{where} is not a bearer token", where)
    return token


def _object(value: object, what: str, expression: str) -> JsonObject:
    if isinstance(value, dict):
        return value
    if value is None:
        raise RequestError(400, "required", f"{what} is missing; expected a JSON object", expression)
    raise RequestError(400, "structure", f"{what} is not a JSON object", expression)


def _text(holder: JsonObject, name: str, where: str, expected: str) -> str:
    value = holder.get(name)
    if isinstance(value, str) and value:
        return value
    if value is None or value == "":
        raise RequestError(400, "required", f"{where} is missing; expected {expected}", where)
    raise RequestError(400, "structure", f"{where} is not a text; expected {expected}", where)
