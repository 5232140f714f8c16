"""`cds-service inspect`: everything that was read, found, kept silent or missed, as plain data.

Takes a hook request, a Bundle (taken as the whole record of one patient) or a single resource.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import date

from cds_service import writing
from cds_service.answer import Service, evaluate
from cds_service.errors import RequestError
from cds_service.fetching.prefetch import RESOURCE_TYPES, prefetched_results
from cds_service.hooks.discovery import Hook, ServiceDefinition
from cds_service.hooks.requests import parse
from cds_service.model import Availability, Gap, Query, QueryResult, Question
from cds_service.reading import Read

JsonObject = Mapping[str, object]

_NAMED_BY_TYPE = frozenset({"says"})
"""Fields that hold one of several types: their type is part of what they say."""


def service_for(document: object, services: Mapping[str, ServiceDefinition]) -> ServiceDefinition:
    """The service that a hook request calls by its `hook`. Raises RequestError."""
    hook = document.get("hook") if isinstance(document, dict) else None
    for service in services.values():
        if service.hook == hook:
            return service
    known = ", ".join(services)
    raise RequestError(400, "invalid", f"not a request of a hook that is served ({known})", "hook")


def inspect(
    document: object, service: Service, services: Mapping[str, ServiceDefinition], today: date
) -> Iterator[dict[str, object]]:
    """One object for each order, reading, medicine, finding and gap; the single key says which it is. Raises
    RequestError for a document that is none of the three.
    """
    question, results = _asked(document, services)
    read, findings = evaluate(question, results, service, today)
    patient = read.patient
    if question.hook not in {offered.hook for offered in services.values()}:
        yield {"not_served": {"hook": question.hook}}
    yield {"availability": {query.value: patient.availability.get(query) for query in Query}}
    yield from _told("order", read.orders)
    yield from _told("reading", patient.readings)
    yield from _told("medication", patient.medications)
    yield from _told("condition", patient.conditions)
    yield from _told("allergy", patient.allergies)
    yield from _told("family", patient.family)
    yield from _told("pending", patient.pending)
    yield from _told("recommendation", patient.recommendations)
    yield from _told("withdrawn", [{"reference": reference} for reference in read.withdrawn])
    for finding in writing.explain(findings, service.knowledge, service.wording):
        yield {"finding": finding}
    gaps = tuple(_distinct((*patient.gaps, *(gap for finding in findings for gap in finding.gaps))))
    yield from _told("gap", gaps)
    yield {"count": _counts(read, len(findings), gaps)}


def plain(value: object, *, named: bool = False) -> object:
    """A model value as JSON data: fields that are empty are left out, sets are sorted, dates are ISO text.

    >>> from cds_service.model import Diplotype
    >>> plain(Diplotype("*1/*2"), named=True)
    {'is': 'Diplotype', 'text': '*1/*2'}
    """
    if is_dataclass(value) and not isinstance(value, type):
        content = {f.name: plain(getattr(value, f.name), named=f.name in _NAMED_BY_TYPE) for f in fields(value)}
        kept = {name: inner for name, inner in content.items() if inner not in (None, "", [], {})}
        return {"is": type(value).__name__, **kept} if named else kept
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, (frozenset, set)):
        return sorted((plain(item) for item in value), key=str)
    if isinstance(value, (tuple, list)):
        return [plain(item) for item in value]
    return value.isoformat() if isinstance(value, date) else value


def _counts(read: Read, findings: int, gaps: tuple[Gap, ...]) -> dict[str, object]:
    """How many of each were found, and gaps by their reason."""
    patient = read.patient
    reasons = Counter(gap.reason for gap in gaps)
    return {
        "orders": len(read.orders),
        "readings": len(patient.readings),
        "medications": len(patient.medications),
        "findings": findings,
        "withdrawn": len(read.withdrawn),
        "gaps": dict(sorted(reasons.items())),
    }


def _told(kind: str, values: Iterable[object]) -> Iterator[dict[str, object]]:
    yield from ({kind: plain(value)} for value in values)


def _distinct(gaps: Iterable[Gap]) -> Iterable[Gap]:
    return dict.fromkeys(gaps)


def _asked(
    document: object, services: Mapping[str, ServiceDefinition]
) -> tuple[Question, Mapping[Query, QueryResult]]:
    if isinstance(document, dict) and "hook" in document:
        if document["hook"] not in {service.hook for service in services.values()}:
            return _of_unserved(document, services)
        request = parse(document, service_for(document, services))
        return request.question, prefetched_results(request.prefetch, request.question.patient_id)
    if not isinstance(document, dict) or not isinstance(document.get("resourceType"), str):
        raise RequestError(400, "structure", "neither a hook request nor a Bundle nor a FHIR resource")
    if document["resourceType"] == "Bundle":
        entries = document.get("entry", [])
        if not isinstance(entries, list):
            raise RequestError(400, "structure", "Bundle.entry is not a list of entries", "Bundle.entry")
        return _of_record(entries, Availability.COMPLETE)
    return _of_record([{"resource": document}], Availability.MISSING)


def _of_unserved(
    document: dict[str, object], services: Mapping[str, ServiceDefinition]
) -> tuple[Question, Mapping[Query, QueryResult]]:
    """A request of a hook that is not served: what it carries is read as a record, and no card comes of it."""
    context = document.get("context")
    found = [*_resources_in(context, 4), *_resources_in(document.get("prefetch"), 4)]
    if not found:
        service_for(document, services)
    named = context.get("patientId") if isinstance(context, dict) else None
    entries: list[object] = [{"resource": resource} for resource in found]
    question, results = _of_record(entries, Availability.MISSING, named if isinstance(named, str) else "")
    return replace(question, hook=str(document["hook"])), results


def _resources_in(value: object, depth: int) -> Iterator[JsonObject]:
    if isinstance(value, dict) and isinstance(value.get("resourceType"), str) and value["resourceType"] != "Bundle":
        yield value
    elif depth and isinstance(value, (dict, list)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _resources_in(inner, depth - 1)


def _of_record(
    entries: list[object], otherwise: Availability, named: str = ""
) -> tuple[Question, Mapping[Query, QueryResult]]:
    """Drafts are the orders in question; without any, the active medicines are. `otherwise` is what holds of
    queries of which nothing is there; `named` the patient where the document says who it is.
    """
    drafts = [entry for entry in entries if _is_draft(_resource(entry))]
    by_query: dict[Query, list[object]] = {query: [] for query in Query}
    for entry in entries:
        if entry not in drafts:
            by_query[_query_of(_resource(entry))].append(entry)
    results = {
        query: QueryResult(Availability.COMPLETE, (_bundle(found),)) if found else QueryResult(otherwise)
        for query, found in by_query.items()
    }
    patient_id = named or _patient_id(_resource(entry) for entry in entries)
    results[Query.TUMOUR_RESULTS] = QueryResult(results[Query.RESULTS].availability)  # they stand among the others
    results[Query.PATIENT] = _of_one_patient(by_query[Query.PATIENT], patient_id, otherwise)
    if drafts:
        return Question(Hook.ORDER_SIGN, patient_id, (_bundle(drafts),)), results
    return Question(Hook.PATIENT_VIEW, patient_id, active=True), results


def _of_one_patient(entries: list[object], patient_id: str, otherwise: Availability) -> QueryResult:
    """A Bundle may hold several patients: the first is the patient, and reading refuses what is of the others."""
    own = [entry for entry in entries if _resource(entry).get("id") == patient_id]
    return QueryResult(Availability.COMPLETE, (_bundle(own),)) if own else QueryResult(otherwise)


def _bundle(entries: list[object]) -> JsonObject:
    return {"resourceType": "Bundle", "entry": entries}


def _resource(entry: object) -> JsonObject:
    resource = entry.get("resource") if isinstance(entry, dict) else None
    return resource if isinstance(resource, dict) else {}


def _is_draft(resource: JsonObject) -> bool:
    return resource.get("resourceType") == "MedicationRequest" and resource.get("status") == "draft"


def _query_of(resource: JsonObject) -> Query:
    kind = resource.get("resourceType")
    if kind == "Medication":
        return Query.MEDICATIONS
    return next((query for query, kinds in RESOURCE_TYPES.items() if kind in kinds), Query.RESULTS)


def _patient_id(resources: Iterable[JsonObject]) -> str:
    """The id of the Patient, else of the patient that the first resource with a subject names; may be empty."""
    named = ""
    for resource in resources:
        if resource.get("resourceType") == "Patient":
            return str(resource.get("id", ""))
        subject = resource.get("subject", resource.get("patient"))
        if not named and isinstance(subject, dict):
            named = str(subject.get("reference", "")).rpartition("/")[2]
    return named
