"""What the conclusion of a report says of a measured value that the report is called after: an electrocardiogram of
the QTc, a pregnancy test of itself.

It is free text: a sentence counts where it names the value, or is all there is, and says nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from cds_service.model import Gap, Reading
from cds_service.reading.chart import Chart
from cds_service.reading.lexicon import Lexicon
from cds_service.reading.lines import lines_of
from cds_service.reading.observables import read_words
from cds_service.reading.provenance import circumstances_of
from cds_service.reading.readings import Found, reading_of
from cds_service.reading.records import Record, named_results
from cds_service.reading.reports import report_unread
from cds_service.reading.shapes import codings, concept_texts, fold, has_word
from cds_service.reading.variant_sentences import sentences_in
from cds_service.reading.vocabulary import DROPPED_STATUSES, FOETAL_WORDS, UNSTARTED_STATUSES

_MEASURED = "lab:"


class _Topic(NamedTuple):
    observable: str
    is_all: bool
    """Whether the report is about nothing else."""


def read_value_report(record: Record, chart: Chart) -> Iterator[Reading | Gap]:
    """The readings of a report's conclusion on what it is called after, and a gap for what only a person can read.
    Results of its own that are here say it better."""
    if record.status in DROPPED_STATUSES | UNSTARTED_STATUSES:
        return
    topics = chart.lexicon.of_content("topics", record.resource.get("code"), _topics_of)
    if not topics or any(chart.references.find(one, record.resource) for one in named_results(record)):
        return
    found = [one for topic in topics for one in _read(record, topic, chart)]
    if found:
        around = circumstances_of(record, chart)
        yield from (reading_of(one, record, around, chart) for one in found)
    if unread := {topic.observable for topic in topics} - {one.observable for one in found}:
        yield report_unread(record, unread)


def _topics_of(code: object, lexicon: Lexicon) -> tuple[_Topic, ...]:
    """What the report is called after: by its code or the whole of its name, else what such reports are of. A code of
    a gene's enzyme is read with the gene."""
    if lexicon.meanings(codings(code)):
        return ()
    labels = [fold(text) for text in concept_texts(code)]
    named = (lexicon.observable_names[label] for label in labels if label in lexicon.observable_names)
    own = {i for i in (*lexicon.observables_of(codings(code)), *named) if i.startswith(_MEASURED)}
    if any(has_word(FOETAL_WORDS, label) for label in labels):
        return ()
    every = (o for o in lexicon.observables.values() if o.reports and o.id not in own)
    others = [o.id for o in every if any(has_word(o.reports, label) for label in labels)]
    return (*(_Topic(i, is_all=True) for i in sorted(own)), *(_Topic(i, is_all=False) for i in others))


def _read(record: Record, topic: _Topic, chart: Chart) -> Iterator[Found]:
    """What the one sentence that names the value says, or the only one there is."""
    conclusion = "\n".join(lines_of(record.resource.get("conclusion"), lambda _, __: True))
    if chart.lexicon.takes_back([conclusion]):
        return
    names = chart.lexicon.observables[topic.observable].names
    sentences = list(sentences_in(conclusion))
    named = [sentence for sentence in sentences if has_word(names, fold(sentence))]
    told = sentences if topic.is_all and len(sentences) == 1 else named
    if len(told) == 1:
        yield from read_words(record, (topic.observable,), told[0], chart)
