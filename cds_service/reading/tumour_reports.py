"""What the conclusion of a report says of a tumour: variants of its genes, its receptors, scores and shares.

It is free text. A sentence counts where nothing else stands in it than names, what is said of them, and words that
change nothing.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import groupby

from cds_service.model import Reading
from cds_service.reading.chart import Chart
from cds_service.reading.lexicon import Lexicon
from cds_service.reading.observables import read_variants, read_words
from cds_service.reading.provenance import circumstances_of, origin_of
from cds_service.reading.readings import Found, reading_of
from cds_service.reading.records import Record
from cds_service.reading.shapes import concept_texts, fold
from cds_service.reading.tumour_words import as_written
from cds_service.reading.variant_sentences import is_plain, sentences_in
from cds_service.reading.vocabulary import DROPPED_STATUSES, INHERITED_WORDS, UNSTARTED_STATUSES

_COMMA = re.compile(r",(?!\d)")
_OF_THE_PATIENT = frozenset({"germline", "foetal"})


def read_tumour_report(record: Record, chart: Chart) -> Iterator[Reading]:
    """The readings of a report's conclusion on markers of a tumour."""
    conclusion = record.resource.get("conclusion")
    if not isinstance(conclusion, str) or record.status in DROPPED_STATUSES | UNSTARTED_STATUSES:
        return
    if _is_of_the_patient(record, conclusion, chart):
        return
    around = circumstances_of(record, chart)
    for found in _read(record, conclusion, chart):
        yield reading_of(found, record, around, chart)


def _is_of_the_patient(record: Record, conclusion: str, chart: Chart) -> bool:
    """Whether the report is about what is inherited."""
    texts = [f" {fold(text)} " for text in (conclusion, *concept_texts(record.resource.get("code")))]
    by_words = any(f" {word} " in text for text in texts for word in INHERITED_WORDS)
    return by_words or origin_of(record, chart) in _OF_THE_PATIENT


def _read(record: Record, conclusion: str, chart: Chart) -> Iterator[Found]:
    lexicon = chart.lexicon
    told = [("" if lexicon.takes_back([sentence]) else sentence) for sentence in sentences_in(conclusion)]
    # Sentences that follow each other speak of one gene until another is named.
    runs = groupby(told, lambda sentence: bool(sentence) and is_plain(sentence, lexicon))
    yield from read_variants(record, tuple("; ".join(run) for plain, run in runs if plain), chart)
    for clause in (part for sentence in told for part in _COMMA.split(sentence)):
        for ids, text in _named_in(clause, lexicon):
            yield from read_words(record, ids, text, chart)


def _named_in(clause: str, lexicon: Lexicon) -> Iterator[tuple[tuple[str, ...], str]]:
    """The observables that a clause names, each with the clause less the names of others: `ER and PR positive`."""
    names: defaultdict[tuple[str, ...], set[str]] = defaultdict(set)
    for match in lexicon.marker_pattern.finditer(fold(clause)):
        names[lexicon.marker_words[match.group()]].add(match.group())
    for ids in names:
        others = [name for other, of_other in names.items() if other != ids for name in of_other]
        yield ids, _without(sorted(others), clause)


def _without(names: list[str], text: str) -> str:
    for name in names:
        text = re.sub(rf"(?<![^\W_]){as_written(name)}(?![^\W_])", " ", text, flags=re.IGNORECASE)
    return text
