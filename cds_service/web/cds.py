"""The CDS Hooks endpoints: discovery, services, feedback."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Container, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
from flask import Blueprint, Response, g

from cds_service.answer import AnswerResult, reason_codes
from cds_service.effort import at_most
from cds_service.errors import RequestError
from cds_service.fetching.deadline import Deadline
from cds_service.hooks.discovery import ServiceDefinition, discovery
from cds_service.hooks.feedback import parse_feedback
from cds_service.hooks.requests import HookRequest, is_uuid, parse
from cds_service.knowledge.derived import drug_names
from cds_service.model import Availability, IssuedCard, Query, QueryResult
from cds_service.store.faults import named
from cds_service.store.store import Issued, StoreError
from cds_service.web.access import tell
from cds_service.web.authentication import with_own_server
from cds_service.web.bodies import JSON, decoded_body
from cds_service.web.logs import log
from cds_service.web.runtime import Runtime
from cds_service.writing.extension import FINDINGS

_TIMES_THE_BUDGET = 2
"""In CPU time: what takes longer is refused. For what takes a little longer than the budget an EHR may still wait."""
_OTHER_DRUG = "other"
"""Kept in place of what is no drug of the knowledge: it may be the order's own text."""


def blueprint(runtime: Runtime) -> Blueprint:
    endpoints = Blueprint("cds", __name__)
    listing = orjson.dumps(discovery(runtime.services.values()))

    @endpoints.get("/cds-services")
    def list_services() -> Response:
        return Response(listing, content_type=JSON)

    @endpoints.post("/cds-services/<service_id>")
    def call_service(service_id: str) -> Response:
        return _call(runtime, _service(runtime, service_id))

    @endpoints.post("/cds-services/<service_id>/feedback")
    def receive_feedback(service_id: str) -> Response:
        return _feedback(runtime, _service(runtime, service_id))

    return endpoints


def _call(runtime: Runtime, service: ServiceDefinition) -> Response:
    started_s: float = g.started_s
    settings = runtime.settings
    deadline = Deadline(started_s + (settings.answer_budget_ms - settings.evaluation_reserve_ms) / 1000)
    hook_request = with_own_server(parse(decoded_body(settings.most_entries), service))
    _tell_unfilled(runtime, hook_request)
    results = runtime.fetcher.resolve(hook_request, deadline)
    now = datetime.now(UTC)
    with at_most(_TIMES_THE_BUDGET * settings.answer_budget_ms / 1000):
        result = runtime.answer(hook_request, results, runtime.service, now.astimezone(settings.time_zone).date())
    response = Response(orjson.dumps(result.body), content_type=JSON)
    _log_answer(runtime, hook_request, results, result, time.monotonic() - started_s)
    cards = tuple(_issued_cards(result.body, drug_names(runtime.service.knowledge)))
    runtime.outbox.put(Issued(cards, service.hook.value, runtime.stamp, now))
    return response


def _feedback(runtime: Runtime, service: ServiceDefinition) -> Response:
    entries = parse_feedback(decoded_body(runtime.settings.most_entries), reason_codes(runtime.service))
    with_comments = runtime.settings.keep_feedback_comments
    try:
        runtime.store.keep_feedback(
            entries, service.id, runtime.stamp, datetime.now(UTC), with_comments=with_comments
        )
    except StoreError as fault:
        tell("feedback_not_kept", level="ERROR", fault=named(fault))
        raise RequestError(503, "transient", "the store of feedback does not answer; try again") from fault
    outcomes = Counter(entry.outcome.value for entry in entries)
    tell("feedback", service=service.id, outcomes=dict(outcomes), knowledge=runtime.stamp.content_hash)
    return Response(status=204)


def _service(runtime: Runtime, service_id: str) -> ServiceDefinition:
    service = runtime.services.get(service_id)
    if service is None:
        known = ", ".join(runtime.services)
        raise RequestError(404, "not-found", f"there is no such service; discovery lists {known}")
    return service


def _tell_unfilled(runtime: Runtime, hook_request: HookRequest) -> None:
    """Tell the operators, once, of a prefetch key that a client of theirs never sends."""
    client = g.get("client")
    asked_for = [query.value for query in hook_request.service.prefetch]
    never_sent = runtime.unfilled.count(client.name if client else "", asked_for, hook_request.prefetch.keys())
    if never_sent:
        named = {"client": client.name} if client else {}
        log("prefetch_keys_never_sent", level="WARNING", queries=never_sent, **named)


def _log_answer(
    runtime: Runtime,
    hook_request: HookRequest,
    results: Mapping[Query, QueryResult],
    result: AnswerResult,
    seconds: float,
) -> None:
    """What happened, without anything of the patient: kinds, counts and what became of the queries."""
    failed = any(found.availability is Availability.FAILED for found in results.values())
    tell(
        "answer",
        level="WARNING" if failed else "INFO",
        service=hook_request.service.id,
        hook_instance=_uuid(hook_request.hook_instance),
        milliseconds=round(seconds * 1000, 1),
        cards=Counter(card["indicator"] for card in _cards(result.body)),
        shown=Counter(finding.kind.value for finding in result.findings if not finding.silent),
        silent=Counter(finding.silent for finding in result.findings if finding.silent),
        queries={query.value: found.reason or found.availability.value for query, found in results.items()},
        knowledge=runtime.stamp.content_hash,
        policy=runtime.service.policy.content_hash,
    )


def _uuid(hook_instance: str) -> str:
    """The client's UUID; anything else is text of the client's, which does not belong in a log."""
    return hook_instance if is_uuid(hook_instance) else "not a UUID"


def _issued_cards(body: Mapping[str, object], known: Container[str]) -> Iterator[IssuedCard]:
    """The cards as they are kept; `known` are the names of the drugs of the knowledge."""
    for card in _cards(body):
        findings = card.get("extension", {}).get(FINDINGS, [])
        drugs = {finding["drug"].get("display") for finding in findings}
        yield IssuedCard(
            uuid=card["uuid"],
            indicator=card["indicator"],
            kinds=tuple(finding["kind"] for finding in findings),
            drugs=tuple(sorted({drug if drug in known else _OTHER_DRUG for drug in drugs})),
        )


def _cards(body: Mapping[str, object]) -> list[Any]:
    cards = body["cards"]
    return cards if isinstance(cards, list) else []
