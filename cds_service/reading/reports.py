"""DiagnosticReports: conclusions, coded conclusions, and reports that only a person can read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from cds_service.codes import LOINC
from cds_service.model import Gap, GapReason, NotReadable, PendingTest, Reading
from cds_service.reading.chart import Chart
from cds_service.reading.dates import date_of
from cds_service.reading.gene_findings import Segment, gene_reading, of_concept, of_gl_strings, of_sentence, segments
from cds_service.reading.readings import observable_of
from cds_service.reading.records import Record, named_results
from cds_service.reading.requests import awaited
from cds_service.reading.shapes import (
    TOO_LONG,
    clean,
    codings,
    concept_label,
    concept_texts,
    has_code,
    items,
    objects,
    text_at,
)
from cds_service.reading.vocabulary import DROPPED_STATUSES, PANEL, UNSTARTED_STATUSES

_GENETIC_WORDS = ("pharmacogen", "pgx", "genotyp", "genetic")
LIKE_A_RESULT = re.compile(r"\*\s?\d|\bmetaboli[sz]er", re.IGNORECASE)


def read_report(record: Record, chart: Chart) -> Iterator[Reading | PendingTest | Gap]:
    """The readings of a report's conclusion and coded conclusions; a gap for the genes that its conclusion names and
    of which nothing is read; where there are no readings and none of its results is there either, that a result
    exists which a machine cannot read."""
    if record.status in UNSTARTED_STATUSES:
        yield from awaited(record, (), date_of(record.resource), chart)
    if record.status in DROPPED_STATUSES | UNSTARTED_STATUSES:
        return
    named = list(segments(record.resource.get("conclusion"), chart))
    read = list(_read(record, named, chart))
    yield from read
    symbols = _symbols(record, chart)
    is_too_long = text_at(record.resource, "conclusion") == TOO_LONG
    is_ours = bool(read or symbols or is_too_long or is_genetic(record))
    unread = _mentioned(named, is_ours=is_ours) - {reading.observable for reading in read}
    if not (is_ours or unread):
        return
    yield from missing_results(record, chart)
    if read and (unread or is_too_long):
        yield report_unread(record, unread)
    elif not read and (is_too_long or not named_results(record)):
        yield from _unreadable(record, symbols, unread, chart)


def _read(record: Record, named: Iterable[Segment], chart: Chart) -> Iterator[Reading]:
    yield from of_gl_strings(record, chart)
    for concept in _conclusions(record):
        yield from of_concept(record, concept, chart)
    for symbols, sentence in named:
        if len(symbols) == 1:
            yield from of_sentence(record, symbols[0], sentence, chart)


def _mentioned(named: Iterable[Segment], *, is_ours: bool) -> set[str]:
    """The observables that sentences name. What a report of something else mentions in passing is no result."""
    told = [symbols for symbols, sentence in named if is_ours or LIKE_A_RESULT.search(sentence)]
    return {observable_of(symbol) for symbols in told for symbol in symbols}


def _conclusions(record: Record) -> Iterator[object]:
    """The coded conclusions; STU3 calls them diagnoses."""
    for name in ("conclusionCode", "codedDiagnosis"):
        yield from items(record.resource.get(name))


def missing_results(record: Record, chart: Chart) -> Iterator[Gap]:
    """A gap for each result that a genetic report or panel names and that is not there."""
    for address in named_results(record):
        if chart.references.find(address, record.resource) is None:
            yield Gap(address, GapReason.NOT_AVAILABLE, "a result that a genetic report names", record.query)


def _symbols(record: Record, chart: Chart) -> tuple[str, ...]:
    concepts = [record.resource.get("code"), *items(record.resource.get("conclusionCode"))]
    texts = [text for concept in concepts for text in concept_texts(concept)]
    texts += [clean(form.get("title")) for form in objects(record.resource.get("presentedForm"))]
    named = [s for text in texts for s in chart.lexicon.symbols_in(text)]
    named += [m.symbol for m in chart.lexicon.meanings(c for concept in concepts for c in codings(concept))]
    return tuple(dict.fromkeys(named))


def is_genetic(record: Record) -> bool:
    """Whether a report or a panel is a genetic one, by its code, its category or what it is called."""
    concepts = [record.resource.get("code"), *items(record.resource.get("category"))]
    titles = [clean(form.get("title")) for form in objects(record.resource.get("presentedForm"))]
    texts = " ".join([*titles, *(text for concept in concepts for text in concept_texts(concept))]).lower()
    by_category = any(c.code == "GE" for concept in items(record.resource.get("category")) for c in codings(concept))
    return (
        by_category or has_code(record.resource.get("code"), LOINC, PANEL) or any(w in texts for w in _GENETIC_WORDS)
    )


def report_unread(record: Record, observables: Iterable[str]) -> Gap:
    """That a report is there which only a person can read, on these observables, or on any where it names none."""
    name = concept_label(record.resource.get("code"))
    detail = f"report without readable results: {name}"
    return Gap(record.reference, GapReason.NOT_MACHINE_READABLE, detail, record.query, tuple(sorted(observables)))


def _unreadable(record: Record, symbols: tuple[str, ...], unread: set[str], chart: Chart) -> Iterator[Reading | Gap]:
    name = concept_label(record.resource.get("code"))
    yield report_unread(record, {*unread, *map(observable_of, symbols)})
    for symbol in symbols:
        yield gene_reading(record, symbol, NotReadable(GapReason.DOCUMENT_ONLY), name, chart)
