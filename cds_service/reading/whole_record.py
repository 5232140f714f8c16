"""The whole record behind a question: its orders and its patient.

Entry by entry: what cannot be read becomes a `Gap` and never spoils the rest.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from operator import attrgetter
from types import MappingProxyType
from typing import Any, TypeVar

from cds_service.effort import go_on
from cds_service.knowledge.base import Knowledge
from cds_service.knowledge.derived import changing_conditions
from cds_service.model import (
    Allergy,
    Availability,
    Condition,
    DrugIndex,
    FamilyCondition,
    Gap,
    GapReason,
    Medication,
    Order,
    Patient,
    PendingTest,
    Query,
    QueryResult,
    Question,
    Reading,
    Recommendation,
    Shortfall,
    newest_of,
)
from cds_service.policy import CatalogueTest
from cds_service.reading.changes import conditions_told
from cds_service.reading.chart import Chart
from cds_service.reading.history import read_allergy, read_condition, read_family, read_procedure
from cds_service.reading.lexicon import lexicon_of
from cds_service.reading.listed_genes import read_listed_gene
from cds_service.reading.listed_markers import read_listed_marker
from cds_service.reading.medications import medicines_of
from cds_service.reading.orders import (
    OrderedDrug,
    drafted,
    drafts_by_reference,
    missing,
    read_order,
    read_orders,
    wanted,
)
from cds_service.reading.patient import birth_date_of, read_sex, sex_of
from cds_service.reading.readings import Assessed, Weighed
from cds_service.reading.recommendations import read_recommendation
from cds_service.reading.records import Record, records_of, references_of
from cds_service.reading.reports import read_report
from cds_service.reading.requests import read_request
from cds_service.reading.results import read_observation
from cds_service.reading.screening import apart, check_patient, screened
from cds_service.reading.searches import with_tumours
from cds_service.reading.shapes import Resource
from cds_service.reading.site_codes import SiteCodes, with_loinc
from cds_service.reading.taken import is_taken, medication_records, read_medication
from cds_service.reading.tumour_reports import read_tumour_report
from cds_service.reading.value_reports import read_value_report
from cds_service.reading.variants import with_genotypes
from cds_service.reading.vocabulary import GIVEN

T = TypeVar("T")
_QUERIES = tuple(Query)
_MEDICINE_LOST = frozenset({GapReason.UNREADABLE, GapReason.UNKNOWN_STATUS, GapReason.MEDICATION_NOT_AVAILABLE})
_UNASKED = QueryResult(Availability.MISSING, reason=Shortfall.MISSING)


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
    site_codes: SiteCodes = MappingProxyType({}),
) -> Read:
    """The orders and the patient behind a hook's question.

    `results` are the raw resources of each query; `catalogue` the site's own test codes, by which pending
    orders are recognised, `site_codes` its own result codes. Raises RequestError (422) where a Patient was
    sent who is not `question.patient_id`; anything else that is odd becomes a gap of the patient.
    """
    patient_id = question.patient_id.rpartition("/")[2]
    answered = {query: results.get(query, _UNASKED) for query in _QUERIES}
    unpacked, unreadable = records_of(answered)
    sent = with_loinc(unpacked, site_codes)
    check_patient([r for r in sent if r.kind == "Patient" and r.query is Query.PATIENT], patient_id)
    drafts, broken = drafted(question)
    references = references_of((*sent, *drafts), question.server, patient_id)
    readable, refused = screened(sent, patient_id, references)
    records, of_others = apart(readable, patient_id, references)
    asked, unasked = screened((*drafts, *wanted(question, references)), patient_id, references)
    local_codes = {test.code: test.markers for test in catalogue}
    chart = Chart(records, references, lexicon_of(knowledge), index, today, local_codes, medicines_of(index))
    found = _sorted_out((*_facts(chart), *_drafted_tests(asked, chart), *_orders(question, asked, chart)))
    found[Gap].extend(_about_another(record, chart) for record in of_others)
    asked_about = {(gap.about, gap.reason) for gap in unasked}
    elsewhere = [gap for gap in refused if (gap.about, gap.reason) not in asked_about]
    told = (*question.gaps, *broken, *unreadable, *elsewhere, *unasked)
    lost = [gap for gap in found[Gap] if gap.query is Query.MEDICATIONS and gap.reason in _MEDICINE_LOST]
    unread = {gap.query for gap in (*unreadable, *refused, *lost)}
    availability = with_tumours({q: _availability(q, r, unread) for q, r in answered.items()}, answered, chart)
    gaps = (*told, *missing(question, references), *_unavailable(answered, availability), *found[Gap])
    patient = _with_changes(_patient(patient_id, chart, found, gaps, availability), knowledge, today)
    withdrawn = tuple(sorted({r.reference for r in (*sent, *drafts) if r.withdrawn}))
    orders = found[OrderedDrug]
    return Read(tuple([item.order for item in orders]), patient, drafts_by_reference(orders), withdrawn)


def _orders(question: Question, asked: tuple[Record, ...], chart: Chart) -> Iterator[OrderedDrug | Gap]:
    yield from read_orders(question, asked, chart)
    if question.active:
        yield from _medicines_in_question(chart)


def _medicines_in_question(chart: Chart) -> Iterator[OrderedDrug]:
    """The medicines taken, as orders. What is handed out or given again and again is asked about once."""
    seen: set[tuple[str, ...]] = set()
    for record in sorted(medication_records(chart), key=lambda r: (r.kind in GIVEN, r.reference)):
        if is_taken(record, chart):
            # The medicine's own gaps were told when the patient's medicines were read.
            for found in read_order(record, chart, active=True):
                if isinstance(found, OrderedDrug) and not (record.kind in GIVEN and _drug(found) in seen):
                    seen.add(_drug(found))
                    yield found


def _drug(found: OrderedDrug) -> tuple[str, ...]:
    return found.order.ingredients or (found.order.name,)


def _drafted_tests(asked: tuple[Record, ...], chart: Chart) -> Iterator[PendingTest]:
    """Tests drafted beside the medication count as ordered."""
    for record in asked:
        if record.kind == "ServiceRequest":
            yield from read_request(record, chart)


def _facts(chart: Chart) -> list[object]:
    found: list[object] = []
    for record in chart.records:
        go_on()
        for read_as in _READERS.get(record.kind, (_unread,)):
            found += read_as(record, chart)
    return found


def _unread(record: Record, _: Chart) -> Iterator[Gap]:
    """A resource of a kind that nothing is read from is told, unless others only refer to it."""
    if record.kind not in _SUPPORTING:
        yield Gap(record.reference, GapReason.KIND_NOT_READ, record.kind, record.query)


_READERS: Mapping[str, tuple[Callable[[Record, Chart], Iterable[object]], ...]] = {
    "Patient": (read_sex,),
    "MedicationRequest": (read_medication,),
    "MedicationStatement": (read_medication,),
    "MedicationDispense": (read_medication,),
    "MedicationAdministration": (read_medication,),
    "Observation": (read_observation,),
    "DiagnosticReport": (read_report, read_tumour_report, read_value_report),
    "Condition": (read_condition, read_listed_gene, read_listed_marker),
    "AllergyIntolerance": (read_allergy, read_listed_gene),
    "FamilyMemberHistory": (read_family,),
    "Procedure": (read_procedure,),
    "ServiceRequest": (read_request,),
    "Task": (read_recommendation,),
}
"""What reads a resource, by its kind."""
_SUPPORTING = frozenset({
    "Basic", "CareTeam", "Coverage", "Device", "Encounter", "EpisodeOfCare", "Group", "HealthcareService", "Location",
    "Medication", "MolecularSequence", "OperationOutcome", "Organization", "Practitioner",
    "PractitionerRole", "Provenance", "RelatedPerson", "Specimen", "Substance",
})  # fmt: skip
"""Kinds that say nothing of the patient's results, medicines and history by themselves."""


def _about_another(record: Record, chart: Chart) -> Gap:
    """That a result about someone else is there, and what it tells of."""
    found = (item for read_as in _READERS.get(record.kind, ()) for item in read_as(record, chart))
    readings = (item.reading if isinstance(item, Assessed) else item for item in found)
    observables = tuple(sorted({item.observable for item in readings if isinstance(item, Reading)}))
    detail = "its focus or its specimen is of someone else"
    return Gap(record.reference, GapReason.ABOUT_ANOTHER, detail, record.query, observables)


def _patient(
    patient_id: str,
    chart: Chart,
    found: Mapping[type, list[Any]],
    gaps: tuple[Gap, ...],
    availability: Mapping[Query, Availability],
) -> Patient:
    own: Resource = next((r.resource for r in chart.of_kind("Patient") if r.name == patient_id), {})
    weights = sorted({w.kilograms for w in newest_of([w for w in found[Weighed] if w.counts])})
    return Patient(
        id=patient_id,
        birth_date=birth_date_of(own),
        sex=sex_of(own),
        weight_kg=weights[0] if len(weights) == 1 else None,
        medications=_sorted(found[Medication], attrgetter("reference")),
        readings=_sorted(
            [*with_genotypes(found[Assessed]), *found[Reading]], attrgetter("observable", "says", "reference")
        ),
        conditions=_sorted(found[Condition], _by_keys("text", "reference")),
        allergies=_sorted(found[Allergy], attrgetter("ingredients")),
        family=_sorted(found[FamilyCondition], _by_keys("relationship", "degree", "text", "reference")),
        pending=_sorted(found[PendingTest], attrgetter("markers")),
        gaps=_sorted(gaps, attrgetter("about", "reason")),
        availability=availability,
        recommendations=_sorted(found[Recommendation], attrgetter("reference")),
        weights_kg=tuple(weights) if len(weights) > 1 else (),
    )


def _with_changes(patient: Patient, knowledge: Knowledge, today: date) -> Patient:
    """With the conditions that only a change between results tells."""
    told = list(conditions_told(patient.readings, changing_conditions(knowledge), today))
    if not told:
        return patient
    return replace(patient, conditions=_sorted([*patient.conditions, *told], _by_keys("text", "reference")))


def _sorted_out(found: Iterable[object]) -> Mapping[type, list[Any]]:
    """What was found, by its kind."""
    kinds: defaultdict[type, list[Any]] = defaultdict(list)
    for item in found:
        kinds[type(item)].append(item)
    return kinds


def _sorted(found: Sequence[T], mostly_by: Callable[[T], object]) -> tuple[T, ...]:
    """Each once and in an order of its own, so that the order of entries changes nothing: as all of it is written, of
    which the beginning mostly tells enough."""
    if len(found) < 2:
        return tuple(found)
    written = {repr(mostly_by(item)): item for item in found}
    if len(written) == len(found):
        return tuple([written[beginning] for beginning in sorted(written)])
    return tuple(sorted(set(found), key=repr))


def _by_keys(*fields: str) -> Callable[[Condition | FamilyCondition], object]:
    rest = attrgetter(*fields)
    return lambda condition: (" ".join(sorted(condition.keys)), rest(condition))


def _availability(query: Query, result: QueryResult, unread: set[Query | None]) -> Availability:
    """What became of a query. One that holds an entry which could not be read is no proof of an absence."""
    found = result.availability
    return Availability.PARTIAL if found is Availability.COMPLETE and query in unread else found


def _unavailable(answered: Mapping[Query, QueryResult], availability: Mapping[Query, Availability]) -> Iterator[Gap]:
    """A gap for each query that was not answered in full, by itself or by another."""
    for query, result in answered.items():
        if Availability.COMPLETE not in (result.availability, availability[query]):
            reason = GapReason.INCOMPLETE if result.availability is Availability.PARTIAL else GapReason.NOT_AVAILABLE
            yield Gap(query.value, reason, (result.reason or result.availability).value, query)
