"""FHIR resources to the words of the model. Pure; the only folder that knows FHIR shapes.

Entry by entry: what cannot be read becomes a `Gap` and never spoils the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, TypeVar

from cds_service.knowledge.base import Knowledge
from cds_service.model import (
    Allergy,
    Availability,
    Condition,
    DrugIndex,
    FamilyCondition,
    Gap,
    Medication,
    Order,
    Patient,
    PendingTest,
    Query,
    QueryResult,
    Question,
    Reading,
    Recommendation,
)
from cds_service.policy import CatalogueTest
from cds_service.reading.chart import Chart
from cds_service.reading.history import read_allergy, read_condition, read_family
from cds_service.reading.lexicon import lexicon_of
from cds_service.reading.orders import OrderedDrug, drafted, drafts_by_reference, read_order, read_orders
from cds_service.reading.patient import (
    birth_date_of,
    is_taken,
    medication_records,
    read_medication,
    sex_of,
    weight_kg,
)
from cds_service.reading.readings import Found
from cds_service.reading.recommendations import read_recommendation
from cds_service.reading.records import Record, records_of, references_of, unpack
from cds_service.reading.reports import read_listed_finding, read_report
from cds_service.reading.requests import read_request
from cds_service.reading.results import read_observation
from cds_service.reading.screening import check_patient, is_withdrawn, screened
from cds_service.reading.shapes import Resource, local_name, reference, text_at
from cds_service.reading.variants import with_genotypes

__all__ = ["Read", "read", "read_resources"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Read:
    """What was read. `drafts` maps each order's reference to the resource it came from; `withdrawn` names what its
    sender took back (entered in error), of which nothing was read."""

    orders: tuple[Order, ...]
    patient: Patient
    drafts: Mapping[str, Mapping[str, object]]
    withdrawn: tuple[str, ...] = ()


def read(
    question: Question,
    results: Mapping[Query, QueryResult],
    index: DrugIndex,
    knowledge: Knowledge,
    today: date,
    *,
    catalogue: tuple[CatalogueTest, ...] = (),
) -> Read:
    """The orders and the patient behind a hook's question.

    `results` are the raw resources of each query; `catalogue` the site's own test codes, by which pending
    orders are recognised. Raises RequestError (422) where a Patient was sent who is not
    `question.patient_id`; anything else that is odd becomes a gap of the patient.
    """
    question = replace(question, patient_id=question.patient_id.rpartition("/")[2])
    sent, unreadable = records_of(results)
    check_patient((r for r in sent if r.kind == "Patient" and r.query is Query.PATIENT), question.patient_id)
    drafts, broken = drafted(question)
    references = references_of((*sent, *drafts))
    records, refused = screened(sent, question.patient_id, references)
    local_codes = {test.code: test.markers for test in catalogue}
    chart = Chart(records, references, lexicon_of(knowledge), index, today, local_codes)
    found = [*_patient_facts(chart), *_drafted_tests(drafts, question, chart)]
    ordered = list(_orders(question, drafts, chart))
    orders = [item for item in ordered if isinstance(item, OrderedDrug)]
    told = (*question.gaps, *broken, *unreadable, *refused, *_unavailable(results))
    gaps = (*told, *_of(Gap, found), *_of(Gap, ordered))
    unread = {gap.query for gap in (*unreadable, *refused) if gap.reason != "wrong_patient"}
    availability = {query: _availability(results, query, unread) for query in Query}
    patient = _patient(question.patient_id, chart, found, gaps, availability)
    withdrawn = tuple(sorted({r.reference for r in (*sent, *drafts) if is_withdrawn(r)}))
    return Read(tuple(item.order for item in orders), patient, drafts_by_reference(orders), withdrawn)


def read_resources(
    resources: Iterable[object],
    index: DrugIndex,
    knowledge: Knowledge,
    today: date,
    *,
    patient_id: str = "",
    catalogue: tuple[CatalogueTest, ...] = (),
) -> Read:
    """Everything in a Bundle or in single resources, for inspection: the medicines found are the orders.

    Without `patient_id` the only Patient there is the patient; where there is none, subjects are not checked.
    """
    everything = tuple(resources)
    of_whom = patient_id or _only_patient(everything)
    raw = tuple(item if isinstance(item, Mapping) else {} for item in everything)
    answered = dict.fromkeys(Query, QueryResult(Availability.COMPLETE))
    answered[Query.RESULTS] = QueryResult(Availability.COMPLETE, raw)
    question = Question(hook="inspect", patient_id=of_whom, active=True)
    return read(question, answered, index, knowledge, today, catalogue=catalogue)


def _only_patient(resources: tuple[object, ...]) -> str:
    found = [record for record in unpack(resources) if isinstance(record, Record)]
    ids = {text_at(record.resource, "id") for record in found if record.kind == "Patient"}
    named = {local_name(reference(record.field("subject") or record.field("patient"))) for record in found} - {""}
    if len(ids) == 1:
        return ids.pop()
    only = named.pop() if not ids and len(named) == 1 else ""
    return only.rpartition("/")[2] if only.startswith("Patient/") else ""


def _orders(question: Question, drafts: tuple[Record, ...], chart: Chart) -> Iterator[OrderedDrug | Gap]:
    yield from read_orders(question, drafts, chart)
    if question.active:
        for record in sorted(medication_records(chart), key=lambda r: r.reference):
            if is_taken(record):
                # The medicine's own gaps were told when the patient's medicines were read.
                yield from (o for o in read_order(record, chart, active=True) if isinstance(o, OrderedDrug))


def _drafted_tests(drafts: tuple[Record, ...], question: Question, chart: Chart) -> Iterator[PendingTest]:
    """Tests drafted beside the medication count as ordered."""
    kept, _ = screened(drafts, question.patient_id, chart.references)
    for record in kept:
        if record.kind == "ServiceRequest":
            yield from read_request(record, chart)


def _patient_facts(chart: Chart) -> Iterator[object]:
    for record in medication_records(chart):
        yield from read_medication(record, chart)
    for record in chart.records:
        yield from _facts_of(record, chart)


def _facts_of(record: Record, chart: Chart) -> Iterator[object]:
    match record.kind:
        case "Observation":
            yield from read_observation(record, chart)
        case "DiagnosticReport":
            yield from read_report(record, chart)
        case "Condition":
            yield from read_condition(record, chart)
            yield from read_listed_finding(record, chart)
        case "AllergyIntolerance":
            yield from read_allergy(record, chart)
            yield from read_listed_finding(record, chart)
        case "FamilyMemberHistory":
            yield from read_family(record, chart)
        case "ServiceRequest":
            yield from read_request(record, chart)
        case "Task":
            yield from read_recommendation(record, chart)


def _patient(
    patient_id: str,
    chart: Chart,
    found: list[object],
    gaps: tuple[Gap, ...],
    availability: Mapping[Query, Availability],
) -> Patient:
    patients = (record.resource for record in chart.of_kind("Patient"))
    own: Resource = next((p for p in patients if text_at(p, "id") == patient_id), {})
    results = _of(Found, found)
    readings = (*with_genotypes((f.reading, f.variant, f.gene) for f in results), *_of(Reading, found))
    return Patient(
        id=patient_id,
        birth_date=birth_date_of(own),
        sex=sex_of(own),
        weight_kg=weight_kg(chart),
        medications=_sorted(_of(Medication, found)),
        readings=_sorted(readings),
        conditions=_sorted(_of(Condition, found)),
        allergies=_sorted(_of(Allergy, found)),
        family=_sorted(_of(FamilyCondition, found)),
        pending=_sorted(_of(PendingTest, found)),
        gaps=_sorted(gaps),
        availability=availability,
        recommendations=_sorted(_of(Recommendation, found)),
    )


def _of(kind: type[T], found: Iterable[object]) -> tuple[T, ...]:
    return tuple(item for item in found if isinstance(item, kind))


def _sorted(found: Iterable[T]) -> tuple[T, ...]:
    """Each once and in an order of its own, so that the order of entries changes nothing: as all of it is written, of
    which the first field mostly tells enough."""
    once = set(found)
    by_first = {_first_field(item): item for item in once}
    if len(by_first) == len(once):
        return tuple([by_first[written] for written in sorted(by_first)])
    return tuple(sorted(once, key=repr))


def _first_field(item: Any) -> str:
    return repr(getattr(item, item.__slots__[0]))


def _availability(results: Mapping[Query, QueryResult], query: Query, unread: set[Query | None]) -> Availability:
    """What became of a query. One that holds an entry which could not be read is no proof of an absence."""
    found = results[query].availability if query in results else Availability.MISSING
    return Availability.PARTIAL if found is Availability.COMPLETE and query in unread else found


def _unavailable(results: Mapping[Query, QueryResult]) -> Iterator[Gap]:
    """A gap for each query that was not answered in full."""
    for query in Query:
        result = results.get(query, QueryResult(Availability.MISSING, reason="missing"))
        if result.availability is not Availability.COMPLETE:
            reason = "incomplete" if result.availability is Availability.PARTIAL else "not_available"
            yield Gap(query.value, reason, result.reason or result.availability.value, query)
