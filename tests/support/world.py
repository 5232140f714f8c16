"""The service's parts, loaded once for all tests."""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path

from cds_service.answer import Service, load_service, result_codes
from cds_service.hooks.discovery import ServiceDefinition, services
from cds_service.knowledge.base import Knowledge
from cds_service.model import DrugIndex

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
def definition(hook: str) -> ServiceDefinition:
    """The discovery entry of a hook's service."""
    return next(s for s in services(result_codes(service())) if s.hook.value == hook)


@cache
def drug_codes() -> dict[str, str]:
    """Drug id and synonyms -> RxNorm ingredient code."""
    drugs = knowledge().drugs.values()
    names = {d.id: d.rxcui for d in drugs if d.rxcui}
    return {s: d.rxcui for d in drugs if d.rxcui for s in d.synonyms} | names
