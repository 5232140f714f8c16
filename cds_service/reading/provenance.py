"""Where a result comes from: status, date, laboratory, method, specimen, and how far it may be relied on."""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.codes import LOINC
from cds_service.model import Grade, ReadingStatus
from cds_service.reading.answers import answer_of
from cds_service.reading.chart import Chart, Performer
from cds_service.reading.records import Record
from cds_service.reading.screening import status_of
from cds_service.reading.shapes import (
    Resource,
    child,
    codings,
    concept_texts,
    first,
    fold,
    has_code,
    items,
    local_name,
    objects,
    reference,
    references,
    text_at,
)
from cds_service.reading.vocabulary import (
    CONSUMER_WORDS,
    FINAL_STATUSES,
    FOETAL_WORDS,
    GERMLINE_ANSWERS,
    GERMLINE_WORDS,
    PRELIMINARY_STATUSES,
    SOMATIC_ANSWERS,
    SOURCE_CLASS,
    TUMOUR_WORDS,
)

_SOURCE_EXTENSION = "genomicsourceclass"
_ENZYME_WORDS = ("enzyme", "activity assay", "enzymatic", "radiochemical", "spectrophotometry")
_PEOPLE = frozenset({"Patient", "RelatedPerson"})
_PERSONS = _PEOPLE | {"Practitioner", "PractitionerRole"}
ENZYME_METHOD = "enzyme_activity"
GENOTYPE_METHOD = "genotype"
HLA_METHOD = "hla_typing"


def reading_status(record: Record) -> ReadingStatus:
    """Preliminary or final; `registered` and dropped statuses never come here."""
    return ReadingStatus.PRELIMINARY if status_of(record) in PRELIMINARY_STATUSES else ReadingStatus.FINAL


def why_unverified(record: Record, chart: Chart) -> str:
    """Why a result may not be relied on: `consumer`, `patient_reported` or `status_unknown`; else empty."""
    if any(_has_word(text, CONSUMER_WORDS) for text in _origin_texts(record, chart)):
        return "consumer"
    if _is_patient_reported(record, chart):
        return "patient_reported"
    return "" if status_of(record) in FINAL_STATUSES | PRELIMINARY_STATUSES else "status_unknown"


def grade_of(why: str, *, free_text: bool) -> Grade:
    """The grade of a reading from why it is unverified and whether it was found in free text."""
    if why:
        return Grade.UNVERIFIED
    return Grade.LOW if free_text else Grade.CLINICAL


def _has_word(text: str, words: tuple[str, ...]) -> bool:
    padded = f" {fold(text)} "
    return any(f" {word} " in padded for word in words)


def _origin_texts(record: Record, chart: Chart) -> Iterator[str]:
    yield from performers(record, chart)
    for name in ("category", "method"):
        for concept in items(record.field(name)):
            yield from concept_texts(concept)
            yield from (coding.code for coding in codings(concept))
    for tag in objects(child(record.resource, "meta").get("tag")):
        yield from (text_at(tag, "display"), text_at(tag, "code"))


def _is_patient_reported(record: Record, chart: Chart) -> bool:
    addresses = references(record.field("performer"))
    performing = {local_name(address).partition("/")[0] for address in addresses}
    sources = {local_name(address).partition("/")[0] for address in references(record.resource.get("derivedFrom"))}
    survey = any(c.code == "survey" for concept in items(record.field("category")) for c in codings(concept))
    told = {t.kind for a in addresses if (t := chart.references.find(a, record.resource))}
    return bool((performing | told) & _PEOPLE) or "QuestionnaireResponse" in sources or survey


def performers(record: Record, chart: Chart) -> tuple[str, ...]:
    """Names of the performing organisations and people, organisations first."""
    found = _performers_of(record, chart)
    named = sorted((one for one in found if one.name), key=lambda one: one.kind in _PERSONS)
    return tuple(one.name for one in named)


def _performers_of(record: Record, chart: Chart) -> tuple[Performer, ...]:
    """Everyone who performed it, in the order of the record."""
    known = chart.performers.get(id(record))
    if known is None:
        told = tuple(_performer(pointer, record, chart) for pointer in objects(record.field("performer")))
        known = chart.performers[id(record)] = (record, told)
    return known[1]


def _performer(pointer: Resource, record: Record, chart: Chart) -> Performer:
    address = reference(pointer)
    target = chart.references.find(address, record.holder or record.resource) if address else None
    if target is None:
        kind = text_at(pointer, "type") or local_name(address).partition("/")[0]
        return Performer(text_at(pointer, "display"), kind)
    return Performer(text_at(target.resource, "name") or text_at(pointer, "display"), target.kind)


def laboratory_of(record: Record, chart: Chart) -> str:
    """The performing laboratory's name, else that of the report that holds the result."""
    for source in (record, *chart.references.parents_of(record)):
        names = performers(source, chart)
        if names:
            return names[0]
    return ""


def method_text(record: Record) -> str:
    """The method as the report names it."""
    return " ".join(concept_texts(record.resource.get("method")))


def is_enzyme_method(record: Record) -> bool:
    """Whether the method says that an enzyme's activity was measured."""
    return _has_word(method_text(record), _ENZYME_WORDS)


def origin_of(record: Record, chart: Chart) -> str:
    """Whose genes the result tells of, by its source class and its specimen: `somatic`, `foetal` or `germline`;
    empty where neither says it."""
    classes = tuple(_source_classes(record))
    texts = (*classes, *_specimen_texts(record, chart))
    if any(_has_word(text, TUMOUR_WORDS) for text in texts):
        return "somatic"
    if any(_has_word(text, FOETAL_WORDS) for text in texts):
        return "foetal"
    return "germline" if any(_has_word(text, GERMLINE_WORDS) for text in classes) else ""


def _source_classes(record: Record) -> Iterator[str]:
    for component in objects(record.resource.get("component")):
        if has_code(component.get("code"), LOINC, SOURCE_CLASS):
            answer = answer_of(component)
            yield from answer.texts
            value = {"coding": component_codings(component)}
            if has_code(value, LOINC, SOMATIC_ANSWERS):
                yield "somatic"
            if has_code(value, LOINC, GERMLINE_ANSWERS):
                yield "germline"
    for extension in objects(record.resource.get("extension")):
        if text_at(extension, "url").lower().endswith(_SOURCE_EXTENSION):
            yield from concept_texts(extension.get("valueCodeableConcept"))


def component_codings(component: object) -> object:
    """The raw codings of a component's value."""
    return child(component, "valueCodeableConcept").get("coding")


def specimen_of(record: Record, chart: Chart) -> str:
    """What the specimen, its type and its site are called, folded; empty where the result does not say."""
    return " ".join(fold(text) for text in _specimen_texts(record, chart) if text)


def _specimen_texts(record: Record, chart: Chart) -> Iterator[str]:
    pointer = first(record.field("specimen"))
    yield text_at(pointer, "display")
    address = reference(pointer)
    target = chart.references.find(address, record.holder or record.resource) if address else None
    if target is not None:
        yield from concept_texts(target.resource.get("type"))
        yield from concept_texts(child(target.resource, "collection").get("bodySite"))
