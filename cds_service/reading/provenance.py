"""Where a result comes from: status, date, laboratory, method, specimen, and how far it may be relied on."""

from __future__ import annotations

from collections.abc import Iterator
from operator import itemgetter
from typing import NamedTuple

from cds_service.codes import LOINC
from cds_service.memory import content_key, remembered_by_text
from cds_service.model import Grade, ReadingStatus, Unconfirmed, When
from cds_service.reading.addresses import reference, references
from cds_service.reading.answers import answer_of
from cds_service.reading.chart import Chart, Source
from cds_service.reading.dates import dated_of, is_after
from cds_service.reading.records import Record
from cds_service.reading.shapes import (
    Resource,
    child,
    codings,
    concept_texts,
    first,
    fold,
    has_code,
    has_word,
    items,
    objects,
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
from cds_service.references import local_name

_SOURCE_EXTENSION = "genomicsourceclass"
_ENZYME_WORDS = ("enzyme", "activity assay", "enzymatic", "radiochemical", "spectrophotometry")
_PEOPLE = frozenset({"Patient", "RelatedPerson"})
_PERSONS = _PEOPLE | {"Practitioner", "PractitionerRole"}
_SHARED_WITH_HOLDER = ("performer", "category", "method")
_OF_SOURCE = (*_SHARED_WITH_HOLDER, "derivedFrom")
_KNOWN_STATUSES = FINAL_STATUSES | PRELIMINARY_STATUSES
ENZYME_METHOD = "enzyme_activity"
GENOTYPE_METHOD = "genotype"
HLA_METHOD = "hla_typing"


class Circumstances(NamedTuple):
    """What stands around a result and is no part of what it says."""

    status: ReadingStatus
    why_unverified: Unconfirmed
    on: When | None
    at: float | None
    """The instant in seconds since 1970, where the time is told."""
    laboratory: str
    issued_only: bool
    """Whether the only date is that of issue: when the specimen was taken is not known."""
    is_future: bool
    """Whether it is dated after today."""


def circumstances_of(record: Record, chart: Chart) -> Circumstances:
    """What stands around an Observation or a report."""
    source = _source_of(record, chart)
    resource = record.resource
    when = dated_of(resource) or (dated_of(record.holder) if record.holder is not None else None)
    on, at = when if when is not None else (None, None)
    status_doubt = Unconfirmed.NOT if record.status in _KNOWN_STATUSES else Unconfirmed.STATUS_UNKNOWN
    return Circumstances(
        status=ReadingStatus.PRELIMINARY if record.status in PRELIMINARY_STATUSES else ReadingStatus.FINAL,
        why_unverified=source.why_unverified or status_doubt,
        on=on,
        at=at,
        laboratory=source.laboratory or _laboratory_of_parents(record, chart),
        issued_only="issued" in resource and not any(name.startswith("effective") for name in resource),
        is_future=is_after(on, chart.today),
    )


def grade_of(why: Unconfirmed, *, free_text: bool) -> Grade:
    """The grade of a reading from why it is unverified and whether it was found in free text."""
    if why:
        return Grade.UNVERIFIED
    return Grade.LOW if free_text else Grade.CLINICAL


def _source_of(record: Record, chart: Chart) -> Source:
    """Where a result comes from. Many results of one request say the same of it."""
    told = _told_of_source(record)
    within = record.holder or record.resource
    content = content_key(told) if "contained" not in within else None
    if content is None:
        return _read_source(told, within, chart)
    if content not in chart.sources:
        chart.sources[content] = _read_source(told, within, chart)
    return chart.sources[content]


def _told_of_source(record: Record) -> dict[str, object]:
    own = record.resource
    told = {name: own[name] for name in _OF_SOURCE if name in own}
    if record.holder is not None:
        told |= {name: record.field(name) for name in _SHARED_WITH_HOLDER}
    if (tags := first(own.get("meta")).get("tag")) is not None:
        told["tag"] = tags
    if device := text_at(own.get("device"), "display"):
        told["device"] = device
    if not codings(code := own.get("code")) and (name := text_at(code, "text")):
        told["name"] = name
    return told


def _read_source(told: Resource, within: Resource, chart: Chart) -> Source:
    named = [(kind in _PERSONS, name) for name, kind in _performers(told, within, chart) if name]
    texts = (*(name for _, name in named), *_words_of_source(told))
    if any(_is_of_consumer_test(text) for text in texts):
        why = Unconfirmed.CONSUMER
    else:
        why = Unconfirmed.PATIENT_REPORTED if _is_patient_reported(told, within, chart) else Unconfirmed.NOT
    # Organisations go before people.
    return Source(min(named, key=itemgetter(0))[1] if named else "", why)


def _performers(told: Resource, within: Resource, chart: Chart) -> Iterator[tuple[str, str]]:
    """Name and kind of everyone who performed it."""
    for pointer in objects(told.get("performer")):
        address, shown = reference(pointer), text_at(pointer, "display")
        target = chart.references.find(address, within) if address else None
        if target is None:
            yield shown, text_at(pointer, "type") or _kind_in(address)
        else:
            yield text_at(target.resource, "name") or shown, target.kind


def _words_of_source(told: Resource) -> Iterator[str]:
    yield from (text_at(told, "device"), text_at(told, "name"))
    for concept in (*items(told.get("category")), *items(told.get("method"))):
        yield from (*concept_texts(concept), *(coding.code for coding in codings(concept)))
    for tag in objects(told.get("tag")):
        yield from (text_at(tag, "display"), text_at(tag, "code"))


@remembered_by_text
def _is_of_consumer_test(text: str) -> bool:
    return has_word(CONSUMER_WORDS, fold(text))


def _is_patient_reported(told: Resource, within: Resource, chart: Chart) -> bool:
    addresses = references(told.get("performer"))
    kinds = {_kind_in(address) for address in addresses}
    kinds |= {target.kind for address in addresses if (target := chart.references.find(address, within))}
    asked = any(_kind_in(address) == "QuestionnaireResponse" for address in references(told.get("derivedFrom")))
    survey = any(c.code == "survey" for concept in items(told.get("category")) for c in codings(concept))
    return not _PEOPLE.isdisjoint(kinds) or asked or survey


def _kind_in(address: str) -> str:
    return local_name(address).partition("/")[0]


def _laboratory_of_parents(record: Record, chart: Chart) -> str:
    """The performing laboratory of the report that holds the result."""
    parents = chart.references.parents_of(record)
    return next((name for parent in parents if (name := _source_of(parent, chart).laboratory)), "")


def method_text(record: Record) -> str:
    """The method as the report names it."""
    return " ".join(concept_texts(record.resource.get("method")))


def is_enzyme_method(record: Record) -> bool:
    """Whether the method says that an enzyme's activity was measured."""
    return "method" in record.resource and has_word(_ENZYME_WORDS, fold(method_text(record)))


def origin_of(record: Record, chart: Chart) -> str:
    """Whose genes the result tells of, by its source class and its specimen: `somatic`, `foetal` or `germline`;
    empty where neither says it."""
    classes = tuple(_source_classes(record))
    said = {_tissue_in(text) for text in classes} | {tissue_of(record, chart)}
    if "somatic" in said or "foetal" in said:
        return "somatic" if "somatic" in said else "foetal"
    return "germline" if any(has_word(GERMLINE_WORDS, fold(text)) for text in classes) else ""


def tissue_of(record: Record, chart: Chart) -> str:
    """`somatic` for the specimen of a tumour, `foetal` for a foetus's; empty for any other."""
    specimen = specimen_of(record, chart)
    return _tissue_in(specimen) if specimen else ""


def _tissue_in(text: str) -> str:
    folded = fold(text)
    if has_word(TUMOUR_WORDS, folded):
        return "somatic"
    return "foetal" if has_word(FOETAL_WORDS, folded) else ""


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
    told = record.field("specimen")
    return "" if told is None else " ".join(fold(text) for text in _specimen_texts(told, record, chart) if text)


def _specimen_texts(told: object, record: Record, chart: Chart) -> Iterator[str]:
    pointer = first(told)
    yield text_at(pointer, "display")
    address = reference(pointer)
    target = chart.references.find(address, record.holder or record.resource) if address else None
    if target is not None:
        yield from concept_texts(target.resource.get("type"))
        yield from concept_texts(child(target.resource, "collection").get("bodySite"))
