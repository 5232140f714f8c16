"""DiagnosticReports (conclusions, coded conclusions, reports that only a person can read) and the genetic
findings that stand in problem lists and allergy lists. Whatever is read here is read from free text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from cds_service.codes import LOINC, Coding
from cds_service.model import (
    FUTURE,
    Gap,
    GapReason,
    Grade,
    NotReadable,
    PendingTest,
    Reading,
    SelfContradiction,
    Statement,
)
from cds_service.reading.answers import Answer
from cds_service.reading.chart import Chart
from cds_service.reading.dates import date_of, day, is_after
from cds_service.reading.history import problem_of
from cds_service.reading.hla import gl_string_types, hla_statements, without_alleles
from cds_service.reading.lexicon import HLA_PREFIX, Lexicon
from cds_service.reading.provenance import HLA_METHOD, circumstances_of, grade_of
from cds_service.reading.readings import observable_of
from cds_service.reading.records import Record, named_results
from cds_service.reading.requests import awaited
from cds_service.reading.screening import is_ruled_out
from cds_service.reading.shapes import (
    TOO_LONG,
    clean,
    codings,
    concept_label,
    concept_texts,
    first_coded,
    fold,
    has_code,
    items,
    objects,
    text_at,
)
from cds_service.reading.statements import TAKEN_BACK, kind_of, phenotype_of, statements_in, statements_of
from cds_service.reading.vocabulary import ABSENT_WORDS, DROPPED_STATUSES, PANEL, PRESENT_WORDS, UNSTARTED_STATUSES

_GL_EXTENSION = "glstring"
_GENETIC_WORDS = ("pharmacogen", "pgx", "genotyp", "genetic")
_LINE_BREAKS = re.compile(r"[\r\n]+")
_SENTENCE_ENDS = re.compile(r";|\.(?:\s|$)|,(?=\s*(?:[A-Z]{2,}\d|HLA))")
_BULLET = re.compile(r"^[^\w(]+")
_GOES_ON = re.compile(r"(?:,|\b(?:and|or|of|the|not|no|nor|for|with|without|in|neither|either))$", re.IGNORECASE)
_LAST_WORD = 12
"""Characters in which such a word ends a line."""
_LIKE_A_RESULT = re.compile(r"\*\s?\d|\bmetaboli[sz]er", re.IGNORECASE)
_LIKE_A_FINDING = re.compile(rf"{_LIKE_A_RESULT.pattern}|\bdeficien", re.IGNORECASE)
_COLON_AT_THE_END = re.compile(r":(?=\s|$)")
_ABSENT = re.compile(rf" (?:{'|'.join(sorted(ABSENT_WORDS, key=len, reverse=True))})(?= )")
_HLA_WORDS = frozenset({
    "hla", "locus", "allele", "alleles", "genotype", "type", "typing", "result", "results", "is", "was", "the", "and",
    "for", "of", "finding", "patient", *PRESENT_WORDS,
})  # fmt: skip
"""Words of a sentence that says of HLA alleles no more than whether they are there."""

Segment = tuple[tuple[str, ...], str]
"""The symbols that a sentence names, and the sentence."""


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
    yield from _of_gl_strings(record, chart)
    for concept in _conclusions(record):
        yield from _of_concept(record, concept, chart)
    for symbols, sentence in named:
        if len(symbols) == 1:
            yield from _of_text(record, symbols[0], sentence, chart)


def _mentioned(named: Iterable[Segment], *, is_ours: bool) -> set[str]:
    """The observables that sentences name. What a report of something else mentions in passing is no result."""
    told = [symbols for symbols, sentence in named if is_ours or _LIKE_A_RESULT.search(sentence)]
    return {observable_of(symbol) for symbols in told for symbol in symbols}


def missing_results(record: Record, chart: Chart) -> Iterator[Gap]:
    """A gap for each result that a genetic report or panel names and that is not there."""
    for address in named_results(record):
        if chart.references.find(address, record.resource) is None:
            yield Gap(address, GapReason.NOT_AVAILABLE, "a result that a genetic report names", record.query)


def _conclusions(record: Record) -> Iterator[object]:
    """The coded conclusions; STU3 calls them diagnoses."""
    for name in ("conclusionCode", "codedDiagnosis"):
        yield from items(record.resource.get(name))


def _of_gl_strings(record: Record, chart: Chart) -> Iterator[Reading]:
    """HLA types that FHIR R4's extension for HLA reports holds."""
    for extension in objects(record.resource.get("extension")):
        if text_at(extension, "url").lower().endswith(_GL_EXTENSION):
            texts = [text_at(part, "valueString") for part in objects(extension.get("extension"))]
            for text in filter(None, (*texts, text_at(extension, "valueString"))):
                for locus in sorted({marker.locus for marker in chart.lexicon.markers.values()}):
                    for says in gl_string_types(text, locus):
                        made = _reading(record, f"{HLA_PREFIX}{locus}", says, text, chart)
                        yield replace(made, method=HLA_METHOD)


def _of_concept(record: Record, concept: object, chart: Chart) -> Iterator[Reading]:
    """A pre-coordinated finding: its code or its words name the gene, and its answer code or words the rest."""
    symbols = chart.lexicon.of_content("genes", concept, _genes_named)
    if not symbols:
        return
    found, label = codings(concept), concept_label(concept)
    answer = Answer(codings=found, texts=concept_texts(concept))
    by_code = any((c.system, c.code) in chart.lexicon.answers for c in found)
    for symbol in symbols:
        if symbol.startswith(HLA_PREFIX):
            yield from _of_hla_texts(record, symbol, answer.texts, chart)
            continue
        said = statements_of(answer, chart.lexicon.genes[symbol], chart.lexicon)
        for says in _told(said.statements):
            yield _reading(record, symbol, says, label, chart, coding=first_coded(found), free_text=not by_code)


def _genes_named(concept: object, lexicon: Lexicon) -> tuple[str, ...]:
    found = codings(concept)
    symbols = {m.symbol for m in lexicon.meanings(found)}
    symbols |= {s for c in found if (s := lexicon.answer_genes.get((c.system, c.code)))}
    for text in concept_texts(concept):
        symbols |= {*lexicon.symbols_in(text), *lexicon.symbols_by_product(text)}
    return tuple(sorted(s for s in symbols if s in lexicon.genes or s.startswith(HLA_PREFIX)))


def _of_hla_texts(record: Record, symbol: str, texts: Iterable[str], chart: Chart) -> Iterator[Reading]:
    """What the text and the displays of a concept say of a locus, each thing once."""
    said = {says: text for text in texts for says in _of_hla_text(symbol, text, chart.lexicon)}
    for says, text in said.items():
        yield replace(_reading(record, symbol, says, text, chart, free_text=True), method=HLA_METHOD)


def _of_text(record: Record, symbol: str, text: str, chart: Chart) -> Iterator[Reading]:
    if symbol.startswith(HLA_PREFIX):
        yield from _of_hla_texts(record, symbol, (text,), chart)
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


def _of_hla_text(symbol: str, text: str, lexicon: Lexicon) -> tuple[Statement, ...]:
    """What a sentence says of a locus that consists of alleles and of words for found or not found alone: other words
    may suppose, deny or speak of someone else, and of both together it is not plain which allele is which."""
    plain = _COLON_AT_THE_END.sub(" ", text)
    words = f" {fold(without_alleles(plain))} "
    rest = _ABSENT.sub(" ", words)
    left = set(rest.split()) - set(fold(symbol).split())
    is_mixed = rest != words and not left.isdisjoint(PRESENT_WORDS)
    if is_mixed or left - _HLA_WORDS:
        return ()
    return hla_statements(symbol, Answer(texts=(plain,)), "", (), lexicon)


def segments(text: object, chart: Chart) -> Iterator[Segment]:
    """The sentences of a text that name genes or loci, with their symbols."""
    for line in _lines(text, chart):
        for sentence in _SENTENCE_ENDS.split(line):
            symbols = chart.lexicon.symbols_in(sentence)
            if symbols:
                yield symbols, sentence.strip()


def _lines(text: object, chart: Chart) -> list[str]:
    """The lines of a text. One that is only wrapped goes on with the line before it: a new one begins with a gene,
    and what comes before it names one too and does not leave off in the middle."""
    found: list[str] = []
    written = text if isinstance(text, str) and clean(text) != TOO_LONG else ""
    for line in filter(None, map(clean, _LINE_BREAKS.split(written))):
        first_word = _BULLET.sub("", line).partition(" ")[0]
        begins = bool(chart.lexicon.symbols_in(first_word))
        if found and not (begins and _is_whole(found[-1], chart)):
            found[-1] = f"{found[-1]} {line}"
        else:
            found.append(line)
    return found


def _is_whole(line: str, chart: Chart) -> bool:
    goes_on = _GOES_ON.search(line[-_LAST_WORD:]) is not None
    return line.endswith((".", ";")) or (not goes_on and bool(chart.lexicon.symbols_in(line)))


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
        observable=observable_of(symbol),
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
        yield _reading(record, symbol, NotReadable(GapReason.DOCUMENT_ONLY), name, chart)


def read_listed_finding(record: Record, chart: Chart) -> Iterator[Reading | Gap]:
    """A genetic finding in a problem list or allergy list: gene and phenotype, or HLA allele, in its text or codes.
    An allergy to a drug is never one. What looks like one and cannot be read is told."""
    if is_ruled_out(record.resource):
        return
    found = list(_of_concept(record, record.resource.get("code"), chart))
    found += _diagnosed(record, {reading.observable for reading in found}, chart)
    if not found:
        yield from _unread_entry(record, chart)
    for reading in found:
        on = reading.on or day(record.resource.get("recordedDate"))
        yield Reading(
            observable=reading.observable,
            says=FUTURE if is_after(on, chart.today) else reading.says,
            reference=reading.reference,
            grade=Grade.LOW,
            on=on,
            method=reading.method,
            quoted=reading.quoted,
            coding=reading.coding,
            is_listed=True,
        )


def _diagnosed(record: Record, told: set[str], chart: Chart) -> Iterator[Reading]:
    """What a diagnosis tells of a gene (favism), beside those that the entry names with their phenotype."""
    problem = chart.lexicon.of_content("problem", record.resource.get("code"), problem_of)
    for key in sorted(problem.keys if not problem.relatives else ()):
        for symbol, terms in chart.lexicon.diagnoses.get(key, ()):
            if observable_of(symbol) not in told:
                yield _reading(record, symbol, phenotype_of(terms, problem.label), problem.label, chart)


def _unread_entry(record: Record, chart: Chart) -> Iterator[Gap]:
    concept = record.resource.get("code")
    if any(_LIKE_A_FINDING.search(text) for text in concept_texts(concept)):
        symbols = chart.lexicon.of_content("genes", concept, _genes_named)
        if symbols:
            yield report_unread(record, map(observable_of, symbols))
