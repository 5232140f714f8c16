"""Observations to readings: which reader an Observation goes to, by its code, its gene or its label."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from cds_service.codes import LOINC, Coding
from cds_service.memory import content_key
from cds_service.model import (
    Gap,
    GapReason,
    NotReadable,
    PendingTest,
    Phenotype,
    Reading,
)
from cds_service.reading.answers import VALUE_FIELDS, answer_of
from cds_service.reading.chart import Chart
from cds_service.reading.dates import date_of, dated_of, is_after
from cds_service.reading.genes import GeneNaming, gene_naming, is_measurement, naming_gaps, naming_of
from cds_service.reading.germline import implications, is_germline, names_one_allele, read_genes
from cds_service.reading.lexicon import HLA_PREFIX
from cds_service.reading.mentions import mentions_in
from cds_service.reading.observables import named_by_label, read_components, read_gene_result, read_observables
from cds_service.reading.parts import parts_of
from cds_service.reading.patient import weight_in
from cds_service.reading.phenotype_terms import term_of_code
from cds_service.reading.provenance import Circumstances, circumstances_of, origin_of, tissue_of
from cds_service.reading.readings import Assessed, Found, Weighed, finding, reading_of
from cds_service.reading.records import Record, References, is_region_studied
from cds_service.reading.reports import is_genetic, missing_results
from cds_service.reading.samples import faults_of
from cds_service.reading.shapes import (
    TOO_LONG,
    Resource,
    codings,
    concept_label,
    concept_texts,
    has_code,
    objects,
    text_at,
)
from cds_service.reading.vocabulary import (
    BODY_WEIGHT,
    DROPPED_STATUSES,
    FINAL_STATUSES,
    GENOTYPE,
    PHENOTYPE_IN_VALUE,
    UNSTARTED_STATUSES,
    VARIANT,
)

IMPLICATION_OBSERVABLE = "implication"
"""Of a reading that says what a medicine does in this patient, and not by which gene."""
_GENETIC_VALUE = re.compile(r"\bmetaboli[sz]er\b|\*\d\w*\s*[/|]\s*\S*\*\d", re.IGNORECASE)
_NOT_INHERITED = frozenset({"somatic", "foetal"})
_CONTENT = ("code", "component", "interpretation", "referenceRange", "extension", "method", *VALUE_FIELDS)
"""The elements in which a result says what was found; the others are whose it is, when, by whom and of what."""


def read_observation(record: Record, chart: Chart) -> list[Reading | Assessed | Weighed | PendingTest | Gap]:
    """Everything that an Observation says of genes, HLA loci, laboratory values of the knowledge, and weight."""
    if record.status in DROPPED_STATUSES:
        return []
    told = _said_by_itself(record, chart) or _told(_read(record, _subject_of(record, chart), chart))
    beside = [_of_record(record, one, chart) for one in told.beside]
    if "hasMember" in record.resource and is_genetic(record):
        beside += missing_results(record, chart)
    return [*beside, *_results_of(record, told.said, chart)] if told.said else [*beside]


def _results_of(record: Record, said: tuple[Found, ...], chart: Chart) -> list[Reading | Assessed | Gap]:
    around = circumstances_of(record, chart)
    found = [_reported(_result_of(record, one, around, chart), record, chart) for one in said]
    if around.is_future:
        found.append(Gap(record.reference, GapReason.FUTURE_DATE, "a result dated after today", record.query))
    return found


def _result_of(record: Record, found: Found, around: Circumstances, chart: Chart) -> Reading | Assessed:
    reading = reading_of(found, record, around, chart)
    return reading if found.variant is None or around.is_future else Assessed(reading, *found.variant)


def _reported(result: Reading | Assessed, record: Record, chart: Chart) -> Reading | Assessed | Gap:
    """The result, or that there is none where a fault of the sample stands in place of the number."""
    if not isinstance(result, Reading) or result.says != NotReadable(GapReason.NO_NUMBER):
        return result
    if faults_of(record, result.observable, chart):
        return Gap(record.reference, GapReason.NO_VALUE, result.quoted, record.query)
    return result


def _of_record(record: Record, found: Weighed | PendingTest | Gap, chart: Chart) -> Weighed | PendingTest | Gap:
    """What was found, as that of this record."""
    match found:
        case PendingTest():
            return PendingTest(found.markers, record.reference, date_of(record.resource), found.name)
        case Weighed():
            when = dated_of(record.resource)
            on, at = when if when is not None else (None, None)
            counts = record.status in FINAL_STATUSES and not is_after(on, chart.today)
            return Weighed(found.kilograms, on, at, counts)
        case _:
            return Gap(record.reference, found.reason, found.detail, record.query, found.observables)


class _Told(NamedTuple):
    """What a result says of observables, and what else is found in it."""

    said: tuple[Found, ...]
    beside: tuple[Weighed | PendingTest | Gap, ...]


def _told(found: Iterable[Found | Weighed | PendingTest | Gap]) -> _Told:
    every = tuple(found)
    said = tuple([one for one in every if isinstance(one, Found)])
    return _Told(said, tuple([one for one in every if not isinstance(one, Found)]))


class _Sheet(NamedTuple):
    """What a result says by itself, whoever's it is."""

    told: _Told
    is_of_genes: bool
    """Whether it is about genes: what was tested may stand in its notes, or elsewhere in its panel or report."""
    is_unnamed: bool
    """Whether its panel or report may tell which gene it is about."""


def _said_by_itself(record: Record, chart: Chart) -> _Told | None:
    """What the result says, from its content alone; None where other resources have a part in it. Results of many
    patients say the same: each content is read once."""
    resource = record.resource
    if "derivedFrom" in resource or "hasMember" in resource or chart.references.opinions_of(record):
        return None
    content = {name: resource[name] for name in _CONTENT if name in resource}
    if "extension" in content:
        content["extension"] = [part for part in objects(content["extension"]) if "valueCodeableConcept" in part]
    if record.status in UNSTARTED_STATUSES:
        content["status"] = record.status
    if tissue := tissue_of(record, chart):
        content["specimen"] = {"display": tissue}
    key = content_key(content)
    if key is None:
        return None
    sheet: _Sheet | None = chart.lexicon.results.get(key, _sheet_of, content, chart)
    return None if sheet is None or _is_told_elsewhere(record, sheet, chart) else sheet.told


def _is_told_elsewhere(record: Record, sheet: _Sheet, chart: Chart) -> bool:
    """Whether there is more of the result than its content."""
    stands_in_panel = bool(chart.references.parents_of(record))
    if sheet.is_of_genes or (_is_variant(record) and "note" in record.resource):
        return "note" in record.resource or (stands_in_panel and chart.references.tell_coverage)
    return stands_in_panel and sheet.is_unnamed


def _sheet_of(content: Resource, chart: Chart) -> _Sheet | None:
    """None for a content that may be half of a genotype. It is read as if nothing else were there."""
    status = content.get("status")
    record = Record(content, "Observation", "", status=status if isinstance(status, str) else "")
    alone = Chart((), References(), chart.lexicon, chart.index, chart.today, chart.catalogue)
    subject = _subject_of(record, alone)
    genes = [chart.lexicon.genes[symbol] for symbol in subject.naming.symbols if symbol in chart.lexicon.genes]
    if any(names_one_allele(content, gene, answer_of(content), chart) for gene in genes):
        return None
    told = _told(_read(record, subject, alone))
    return _Sheet(told, is_of_genes=bool(subject.naming.symbols), is_unnamed=not is_measurement(content))


class _Subject(NamedTuple):
    """What a result is about: its genes and its observables."""

    naming: GeneNaming
    ids: tuple[str, ...]
    by_code: bool
    """Whether its code names the observables, and no gene beside them: an enzyme's activity is both a value and a
    result on its gene."""


def _subject_of(record: Record, chart: Chart) -> _Subject:
    found = codings(record.resource.get("code"))
    ids = chart.lexicon.observables_of(found)
    measured = bool(ids) and not chart.lexicon.meanings(found)
    if measured and not any(chart.lexicon.observables[i].gene for i in ids):
        return _Subject(GeneNaming(), ids, by_code=True)
    naming = gene_naming(record, chart)
    return _Subject(naming, ids or _observable_by_label(record, naming, chart), by_code=measured)


def _read(record: Record, subject: _Subject, chart: Chart) -> Iterator[Found | Weighed | PendingTest | Gap]:
    if record.status in UNSTARTED_STATUSES:
        yield from _pending(record, subject, chart)
        return
    yield from _weights(record)
    if subject.ids:
        yield from read_observables(record, subject.ids, subject.naming, chart)
    yield from read_components(record, chart)
    parts = list(_read_parts(record, chart))
    yield from parts
    if not subject.by_code:
        told = _beside_code(record, subject, chart)
        yield from (one for one in told if not (parts and isinstance(one, Gap) and one.reason is GapReason.NO_VALUE))


def _weights(record: Record) -> Iterator[Weighed | Gap]:
    """Body weights, and that one is there which cannot be read."""
    for holder in (record.resource, *objects(record.resource.get("component"))):
        if has_code(holder.get("code"), LOINC, BODY_WEIGHT):
            kilograms = weight_in(holder)
            unread = Gap(record.reference, GapReason.NO_NUMBER, "a body weight that cannot be read", record.query)
            yield unread if kilograms is None else Weighed(kilograms)


def _read_parts(record: Record, chart: Chart) -> Iterator[Found | Gap]:
    """What the components say that are results on genes themselves."""
    for part in parts_of(record, chart.lexicon):
        naming = naming_of(part.resource, chart.lexicon)
        yield from naming_gaps(part, naming)
        if naming.symbols:
            yield from _read_by_gene(part, naming, (), chart)
        else:
            yield from _without_gene(part, naming, chart)


def _beside_code(record: Record, subject: _Subject, chart: Chart) -> Iterator[Found | Gap]:
    """What is said of genes, or without one."""
    naming = subject.naming
    yield from naming_gaps(record, naming)
    if naming.symbols:
        yield from _read_by_gene(record, naming, subject.ids, chart)
        return
    found = list(_read_implication(record, chart))
    yield from found
    if found:
        yield Gap(record.reference, GapReason.GENE_NOT_NAMED, "an implication whose gene is not said", record.query)
    else:
        yield from _without_gene(record, naming, chart)
        if not subject.ids:
            yield from _named_in_words(record, chart)


def _named_in_words(record: Record, chart: Chart) -> Iterator[Gap]:
    """That a result is there of which only words of its code tell that it is about a marker of a tumour."""
    if answer_of(record.resource).is_empty:
        return
    ids = _ids_in(concept_texts(record.resource.get("code")), chart)
    if ids:
        label = concept_label(record.resource.get("code"))
        yield Gap(record.reference, GapReason.UNKNOWN_CODE, f"a result by its name alone: {label}", record.query, ids)


def _read_by_gene(record: Record, naming: GeneNaming, ids: tuple[str, ...], chart: Chart) -> Iterator[Found | Gap]:
    """What is said of the genes that are named: germline genes and HLA loci, and genes of other observables unless
    the code reported them already (`ids`)."""
    others = [symbol for symbol in naming.symbols if not is_germline(symbol, chart)]
    if others and naming.linked:
        yield from _read_implication(record, chart)
    elif others and not ids and not is_region_studied(record.resource):
        yield from read_gene_result(record, naming, chart)
    if len(others) == len(naming.symbols):
        return
    reason = origin_of(record, chart)
    if reason in _NOT_INHERITED:
        yield Gap(record.reference, GapReason.NOT_GERMLINE, reason, record.query)
    else:
        yield from read_genes(record, naming, chart)


def _observable_by_label(record: Record, naming: GeneNaming, chart: Chart) -> tuple[str, ...]:
    """The observable that the label names, where neither a code nor a gene is known."""
    label = named_by_label(record, chart) if not (naming.symbols or naming.says) else ""
    return (label,) if label else ()


def _pending(record: Record, subject: _Subject, chart: Chart) -> Iterator[PendingTest]:
    """A result that the laboratory has registered and not reported yet."""
    name = concept_label(record.resource.get("code"))
    inherited = _markers(subject.naming, chart) if origin_of(record, chart) not in _NOT_INHERITED else ()
    markers = tuple(dict.fromkeys((*subject.ids, *inherited)))
    if markers:
        yield PendingTest(markers, record.reference, date_of(record.resource), name)


def _markers(naming: GeneNaming, chart: Chart) -> Iterator[str]:
    for symbol in naming.symbols:
        if symbol in chart.lexicon.genes:
            yield chart.lexicon.genes[symbol].marker
        else:
            locus = symbol.removeprefix(HLA_PREFIX)
            yield from (m.marker for m in chart.lexicon.markers.values() if m.locus == locus)


def _without_gene(record: Record, naming: GeneNaming, chart: Chart) -> Iterator[Gap]:
    """A diplotype, a metabolizer status or a variant whose gene nobody names is told and not guessed. A note that
    names it is for people."""
    is_told = naming.foreign or naming.unconfirmed or naming.says
    texts = answer_of(record.resource).texts
    is_genetic_text = TOO_LONG in texts and has_code(record.resource.get("code"), LOINC, GENOTYPE)
    if not is_told and (_is_variant(record) or is_genetic_text or any(map(_GENETIC_VALUE.search, texts))):
        notes = [text_at(note, "text") for note in objects(record.resource.get("note"))]
        noted = _ids_in((*texts, *notes), chart)
        is_unread = noted or TOO_LONG in texts
        reason = GapReason.NOT_MACHINE_READABLE if is_unread else GapReason.GENE_NOT_NAMED
        yield Gap(record.reference, reason, "a genetic result whose gene is not said", record.query, noted)


def _is_variant(record: Record) -> bool:
    return has_code(record.resource.get("code"), LOINC, VARIANT)


def _ids_in(texts: Iterable[str], chart: Chart) -> tuple[str, ...]:
    """The observables of tumours that texts speak of."""
    return tuple(sorted({i for ids in mentions_in(texts, chart.lexicon) for i in ids}))


def _read_implication(record: Record, chart: Chart) -> Iterator[Found]:
    """An implication whose gene was not sent or is none of the germline genes: what it says is shown with the
    medicines that it assesses, and belongs to no marker."""
    answers = list(implications(record.resource))
    if has_code(record.resource.get("code"), LOINC, PHENOTYPE_IN_VALUE):
        answers.append(answer_of(record.resource))
    for answer in answers:
        coding = next((c for c in answer.codings if _is_answer(c, chart)), None)
        if coding is not None:
            says = Phenotype(chart.lexicon.answers[coding.system, coding.code])
            yield finding(record, IMPLICATION_OBSERVABLE, says, answer, chart)


def _is_answer(coding: Coding, chart: Chart) -> bool:
    """Whether an answer code means a phenotype that a gene of ours may have."""
    return any(term_of_code(coding, symbol, chart.lexicon) for symbol in chart.lexicon.genes)
