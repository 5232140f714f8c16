"""DiagnosticReports (conclusions, coded conclusions, reports that only a person can read) and the genetic
findings that stand in problem lists and allergy lists. Whatever is read here is read from free text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from cds_service.codes import LOINC, Coding
from cds_service.model import FUTURE, Gap, Grade, NotReadable, Reading, SelfContradiction, Statement
from cds_service.reading.answers import Answer
from cds_service.reading.chart import Chart
from cds_service.reading.hla import gl_string_types
from cds_service.reading.lexicon import HLA_PREFIX, Lexicon
from cds_service.reading.provenance import HLA_METHOD, circumstances_of, grade_of
from cds_service.reading.records import Record, named_results
from cds_service.reading.screening import is_ruled_out
from cds_service.reading.shapes import (
    clean,
    codings,
    concept_label,
    concept_texts,
    day,
    has_code,
    items,
    objects,
    text_at,
)
from cds_service.reading.statements import TAKEN_BACK, kind_of, statements_in, statements_of
from cds_service.reading.vocabulary import DROPPED_STATUSES, PANEL, UNSTARTED_STATUSES

_GL_EXTENSION = "glstring"
_GENETIC_WORDS = ("pharmacogen", "pgx", "genotyp", "genetic")


def read_report(record: Record, chart: Chart) -> Iterator[Reading | Gap]:
    """The readings of a report's conclusion and coded conclusions; where there are none and none of its results
    is there either, that a result exists which a machine cannot read."""
    if record.status in DROPPED_STATUSES | UNSTARTED_STATUSES:
        return
    resource = record.resource
    typed = list(_of_gl_strings(record, chart))
    coded = [r for concept in items(resource.get("conclusionCode")) for r in _of_concept(record, concept, chart)]
    text = clean(resource.get("conclusion"))
    written = [r for symbol, part in segments(text, chart) for r in _of_text(record, symbol, part, chart)]
    yield from (*typed, *coded, *written)
    results = [chart.references.find(address, resource) for address in named_results(record)]
    symbols = _symbols(record, chart)
    if typed or coded or written or not (symbols or _is_genetic(record)):
        return
    missing = [a for a, found in zip(named_results(record), results, strict=True) if found is None]
    yield from (Gap(a, "not_available", "a result that a genetic report names", record.query) for a in missing)
    if not results:
        yield from _unreadable(record, symbols, chart)


def _of_gl_strings(record: Record, chart: Chart) -> Iterator[Reading]:
    """HLA types that FHIR R4's extension for HLA reports holds."""
    for extension in objects(record.resource.get("extension")):
        if text_at(extension, "url").lower().endswith(_GL_EXTENSION):
            texts = [text_at(part, "valueString") for part in objects(extension.get("extension"))]
            for text in filter(None, (*texts, text_at(extension, "valueString"))):
                for locus in sorted({marker.locus for marker in chart.lexicon.markers.values()}):
                    for says in gl_string_types(text, locus):
                        made = _reading(record, "", says, text, chart)
                        yield replace(made, observable=f"hla:{locus}", method=HLA_METHOD)


def _of_concept(record: Record, concept: object, chart: Chart) -> Iterator[Reading]:
    """A pre-coordinated finding: its code or its words name the gene, and its answer code or words the rest."""
    found = codings(concept)
    for symbol in chart.lexicon.of_content("genes", concept, _genes_named):
        said = statements_of(
            Answer(codings=found, texts=concept_texts(concept)), chart.lexicon.genes[symbol], chart.lexicon
        )
        for statement in _told(said.statements):
            by_code = any((c.system, c.code) in chart.lexicon.answers for c in found)
            yield _reading(
                record, symbol, statement, concept_label(concept), chart, coding=_coding(found), free_text=not by_code
            )


def _genes_named(concept: object, lexicon: Lexicon) -> tuple[str, ...]:
    found = codings(concept)
    symbols = {m.symbol for m in lexicon.meanings(found)}
    symbols |= {s for c in found if (s := lexicon.answer_genes.get((c.system, c.code)))}
    symbols |= {s for text in concept_texts(concept) for s in lexicon.symbols_in(text)}
    return tuple(sorted(symbols & set(lexicon.genes)))


def _of_text(record: Record, symbol: str, text: str, chart: Chart) -> Iterator[Reading]:
    if symbol.startswith(HLA_PREFIX):
        return
    statements = statements_in(text, chart.lexicon.genes[symbol], chart.lexicon)
    kinds = [kind_of(statement) for statement in statements]
    if len(kinds) > len(set(kinds)):
        statements = (SelfContradiction((text,)),)
    for statement in _told(statements):
        yield _reading(record, symbol, statement, text, chart, free_text=True)


def _told(statements: tuple[Statement, ...]) -> Iterator[Statement]:
    """Without those that words take back: a sentence or a finding that says what is not so is no result."""
    return (statement for statement in statements if statement != NotReadable(TAKEN_BACK))


def segments(text: str, chart: Chart) -> Iterator[tuple[str, str]]:
    """The sentences of a text that name exactly one gene or locus, with that symbol."""
    for sentence in re.split(r"[;\n]|(?<=[a-z)])\.(?:\s|$)|,(?=\s*[A-Z]{2,}\d)", text):
        symbols = chart.lexicon.symbols_in(sentence)
        if len(symbols) == 1:
            yield symbols[0], sentence.strip()


def _reading(
    record: Record,
    symbol: str,
    says: Statement,
    quoted: str,
    chart: Chart,
    *,
    coding: Coding | None = None,
    free_text: bool = False,
) -> Reading:
    around = circumstances_of(record, chart)
    return Reading(
        observable=f"gene:{symbol}",
        says=FUTURE if around.is_future else says,
        reference=record.reference,
        status=around.status,
        grade=grade_of(around.why_unverified, free_text=free_text),
        on=around.on,
        at=around.at,
        laboratory=around.laboratory,
        quoted=quoted,
        coding=coding,
        why_unverified=around.why_unverified,
    )


def _coding(found: tuple[Coding, ...]) -> Coding | None:
    return next((c for c in found if c.code), None)


def _symbols(record: Record, chart: Chart) -> tuple[str, ...]:
    concepts = [record.resource.get("code"), *items(record.resource.get("conclusionCode"))]
    texts = [text for concept in concepts for text in concept_texts(concept)]
    texts += [clean(form.get("title")) for form in objects(record.resource.get("presentedForm"))]
    named = [s for text in texts for s in chart.lexicon.symbols_in(text)]
    named += [m.symbol for m in chart.lexicon.meanings(c for concept in concepts for c in codings(concept))]
    return tuple(dict.fromkeys(named))


def _is_genetic(record: Record) -> bool:
    concepts = [record.resource.get("code"), *items(record.resource.get("category"))]
    texts = " ".join(text for concept in concepts for text in concept_texts(concept)).lower()
    by_category = any(c.code == "GE" for concept in items(record.resource.get("category")) for c in codings(concept))
    return (
        by_category or has_code(record.resource.get("code"), LOINC, PANEL) or any(w in texts for w in _GENETIC_WORDS)
    )


def _unreadable(record: Record, symbols: tuple[str, ...], chart: Chart) -> Iterator[Reading | Gap]:
    name = concept_label(record.resource.get("code"))
    yield Gap(record.reference, "not_machine_readable", f"report without readable results: {name}", record.query)
    for symbol in symbols:
        locus = symbol.startswith(HLA_PREFIX)
        reading = _reading(record, symbol, NotReadable("document_only"), name, chart)
        yield Reading(
            observable=f"hla:{symbol.removeprefix(HLA_PREFIX)}" if locus else reading.observable,
            says=reading.says,
            reference=reading.reference,
            status=reading.status,
            grade=reading.grade,
            on=reading.on,
            at=reading.at,
            laboratory=reading.laboratory,
            quoted=name,
            why_unverified=reading.why_unverified,
        )


def read_listed_finding(record: Record, chart: Chart) -> Iterator[Reading]:
    """A genetic finding in a problem list or allergy list: gene and phenotype in its text or codes. An allergy to
    a drug is never one."""
    if is_ruled_out(record.resource):
        return
    for reading in _of_concept(record, record.resource.get("code"), chart):
        yield Reading(
            observable=reading.observable,
            says=reading.says,
            reference=reading.reference,
            grade=Grade.LOW,
            on=reading.on or day(record.resource.get("recordedDate")),
            quoted=reading.quoted,
            coding=reading.coding,
        )
