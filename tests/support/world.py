"""The service's parts, loaded once for all tests."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from cds_service.answer import AnswerResult, Service, answer, load_service
from cds_service.commands.inspection import inspect
from cds_service.fetching.prefetch import prefetched_results
from cds_service.hooks.discovery import ServiceDefinition
from cds_service.hooks.requests import parse
from cds_service.knowledge.base import Knowledge
from cds_service.model import DrugIndex
from cds_service.offered import offered_by

TODAY = date(2026, 11, 25)


@cache
def loaded(policy: Path | None = None, terminology: Path | None = None) -> Service:
    """What `load_service` gives, which takes a second: once for the same files."""
    return load_service(policy, terminology)


def service() -> Service:
    """Everything that an answer is made of, as packaged."""
    return loaded()


def knowledge() -> Knowledge:
    """The packaged knowledge."""
    return service().knowledge


def index() -> DrugIndex:
    """The packaged drug index."""
    return service().index


@cache
def offered() -> Mapping[str, ServiceDefinition]:
    """What the packaged service offers, by id."""
    return offered_by(service())


def inspected(document: object, today: date = TODAY) -> list[dict[str, Any]]:
    """All that is read and found, as `cds-service inspect` has it."""
    return list(inspect(document, service(), offered(), today))


def answered(body: dict[str, Any], asked: Service | None = None) -> AnswerResult:
    """The answer to a hook request by its prefetch alone, of the packaged service or another."""
    loaded_service = asked or service()
    request = parse(body, offered_by(loaded_service)[body["hook"]] if asked else definition(body["hook"]))
    results = prefetched_results(request.prefetch, request.question.patient_id)
    return answer(request, results, loaded_service, TODAY)


def definition(hook: str) -> ServiceDefinition:
    """The discovery entry of a hook's service."""
    return offered()[hook]


@cache
def drug_codes() -> dict[str, str]:
    """Drug id and synonyms -> RxNorm ingredient code."""
    drugs = knowledge().drugs.values()
    names = {d.id: d.rxcui for d in drugs if d.rxcui}
    return {s: d.rxcui for d in drugs if d.rxcui for s in d.synonyms} | names
