"""What sentences and coded findings say of genes and HLA loci, wherever they stand: in the conclusion of a report, in
a problem list or in an allergy list."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from cds_service.codes import Coding
from cds_service.model import FUTURE, NotReadable, Reading, SelfContradiction, Statement
from cds_service.reading.answers import Answer
from cds_service.reading.chart import Chart
from cds_service.reading.hla import gl_string_types, hla_statements, without_alleles
from cds_service.reading.lexicon import HLA_PREFIX, Lexicon
from cds_service.reading.lines import BULLET, lines_of
from cds_service.reading.provenance import HLA_METHOD, circumstances_of, grade_of
from cds_service.reading.readings import observable_of
from cds_service.reading.records import Record
from cds_service.reading.shapes import (
    codings,
    concept_label,
    concept_texts,
    first_coded,
    fold,
    objects,
    text_at,
)
from cds_service.reading.statements import TAKEN_BACK, kind_of, statements_in, statements_of
from cds_service.reading.vocabulary import ABSENT_WORDS, PRESENT_WORDS

_GL_EXTENSION = "glstring"
_SENTENCE_ENDS = re.compile(r";|\.(?:\s|$)|,(?=\s*(?:[A-Z]{2,}\d|HLA))")
_COLON_AT_THE_END = re.compile(r":(?=\s|$)")
_ABSENT = re.compile(rf" (?:{'|'.join(sorted(ABSENT_WORDS, key=len, reverse=True))})(?= )")
_HLA_WORDS = frozenset({
    "hla", "locus", "allele", "alleles", "genotype", "type", "typing", "result", "results", "is", "was", "the", "and",
    "for", "of", "finding", "patient", *PRESENT_WORDS,
})  # fmt: skip
"""Words of a sentence that says of HLA alleles no more than whether they are there."""

Segment = tuple[tuple[str, ...], str]
"""The symbols that a sentence names, and the sentence."""


def segments(text: object, chart: Chart) -> Iterator[Segment]:
    """The sentences of a text that name genes or loci, with their symbols."""
    for line in _lines(text, chart):
        for sentence in _SENTENCE_ENDS.split(line):
            symbols = chart.lexicon.symbols_in(sentence)
            if symbols:
                yield symbols, sentence.strip()


def _lines(text: object, chart: Chart) -> list[str]:
    """The lines of a text. A new one begins with a gene, and what comes before it names one too or is a sentence."""

    def is_new(before: str, line: str) -> bool:
        first_word = BULLET.sub("", line).partition(" ")[0]
        begins = bool(chart.lexicon.symbols_in(first_word))
        return begins and (before.endswith((".", ";")) or bool(chart.lexicon.symbols_in(before)))

    return lines_of(text, is_new)


def of_sentence(record: Record, symbol: str, text: str, chart: Chart) -> Iterator[Reading]:
    """What a sentence says of the one gene or locus that it names."""
    if symbol.startswith(HLA_PREFIX):
        yield from _of_hla_texts(record, symbol, (text,), chart)
        return
    statements = statements_in(text, chart.lexicon.genes[symbol], chart.lexicon)
    kinds = [kind_of(statement) for statement in statements]
    if len(kinds) > len(set(kinds)):
        statements = (SelfContradiction((text,)),)
    for statement in _told(statements):
        yield gene_reading(record, symbol, statement, text, chart, free_text=True)


def of_concept(record: Record, concept: object, chart: Chart) -> Iterator[Reading]:
    """A pre-coordinated finding: its code or its words name the gene, and its answer code or words the rest."""
    symbols = chart.lexicon.of_content("genes", concept, genes_named)
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
            yield gene_reading(record, symbol, says, label, chart, coding=first_coded(found), free_text=not by_code)


def genes_named(concept: object, lexicon: Lexicon) -> tuple[str, ...]:
    """The symbols of the genes and loci that a concept names, sorted."""
    found = codings(concept)
    symbols = {m.symbol for m in lexicon.meanings(found)}
    symbols |= {s for c in found if (s := lexicon.answer_genes.get((c.system, c.code)))}
    for text in concept_texts(concept):
        symbols |= {*lexicon.symbols_in(text), *lexicon.symbols_by_product(text)}
    return tuple(sorted(s for s in symbols if s in lexicon.genes or s.startswith(HLA_PREFIX)))


def of_gl_strings(record: Record, chart: Chart) -> Iterator[Reading]:
    """HLA types that FHIR R4's extension for HLA reports holds."""
    for extension in objects(record.resource.get("extension")):
        if text_at(extension, "url").lower().endswith(_GL_EXTENSION):
            texts = [text_at(part, "valueString") for part in objects(extension.get("extension"))]
            for text in filter(None, (*texts, text_at(extension, "valueString"))):
                for locus in sorted({marker.locus for marker in chart.lexicon.markers.values()}):
                    for says in gl_string_types(text, locus):
                        made = gene_reading(record, f"{HLA_PREFIX}{locus}", says, text, chart)
                        yield replace(made, method=HLA_METHOD)


def _of_hla_texts(record: Record, symbol: str, texts: Iterable[str], chart: Chart) -> Iterator[Reading]:
    """What the text and the displays of a concept say of a locus, each thing once."""
    said = {says: text for text in texts for says in _of_hla_text(symbol, text, chart.lexicon)}
    for says, text in said.items():
        yield replace(gene_reading(record, symbol, says, text, chart, free_text=True), method=HLA_METHOD)


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


def _told(statements: tuple[Statement, ...]) -> Iterator[Statement]:
    """Without those that words take back: a sentence or a finding that says what is not so is no result."""
    return (statement for statement in statements if statement != NotReadable(TAKEN_BACK))


def gene_reading(
    record: Record,
    symbol: str,
    says: Statement,
    quoted: str,
    chart: Chart,
    *,
    coding: Coding | None = None,
    free_text: bool = False,
) -> Reading:
    """A reading of a gene or locus, dated and graded as its record is."""
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
