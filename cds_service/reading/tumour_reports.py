"""What the conclusion of a report says of a tumour: variants of its genes, its receptors, scores and shares.

It is free text. A sentence counts where nothing else stands in it than names, what is said of them, and words that
change nothing. What is named and not read is told.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import groupby

from cds_service.model import Gap, Reading
from cds_service.reading.chart import Chart
from cds_service.reading.lexicon import Lexicon
from cds_service.reading.lines import BULLET, LABEL, lines_of
from cds_service.reading.mentions import Mention, mentions_in
from cds_service.reading.methods import methods_named
from cds_service.reading.observables import read_methods, read_variants, read_words
from cds_service.reading.observed import GERMLINE, OF_TUMOUR
from cds_service.reading.provenance import circumstances_of, origin_of
from cds_service.reading.readings import Found, reading_of
from cds_service.reading.records import Record, named_results
from cds_service.reading.reports import missing_results, report_unread
from cds_service.reading.shapes import clean, codings, concept_texts, fold, has_word, objects, text_at
from cds_service.reading.tumour_words import as_written, is_plain_call, states_in
from cds_service.reading.variant_sentences import is_plain, sentences_in
from cds_service.reading.vocabulary import DROPPED_STATUSES, INHERITED_WORDS, UNSTARTED_STATUSES

_COMMA = re.compile(r",(?!\d)")
_NUMBER = re.compile(r"(?<!\S)\d+(?!\S)")
_OF_THE_PATIENT = frozenset({"germline", "foetal"})


def read_tumour_report(record: Record, chart: Chart) -> Iterator[Reading | Gap]:
    """The readings of a report's conclusion on markers of a tumour; a gap for those that the report is called after,
    or that its conclusion speaks of, and that only a person can read."""
    if record.status in DROPPED_STATUSES | UNSTARTED_STATUSES:
        return
    conclusion = _conclusion(record, chart.lexicon)
    is_inherited = _is_of_the_patient(record, conclusion, chart)
    found = [] if is_inherited else list(_read(record, conclusion, chart))
    if found:
        around = circumstances_of(record, chart)
        yield from (reading_of(one, record, around, chart) for one in found)
    topics = _topics(record, chart)
    if topics:
        yield from missing_results(record, chart)
    named = _spoken_of(conclusion, chart) | (frozenset() if named_results(record) else topics)
    read = frozenset(one.observable for one in found)
    unread = {i for ids in named if read.isdisjoint(ids) for i in ids if i.startswith(GERMLINE) or not is_inherited}
    if unread:
        yield report_unread(record, unread)


def _conclusion(record: Record, lexicon: Lexicon) -> str:
    """The conclusion with its lines apart. A new one names something and says what was found, after one that does
    both or neither: a heading with a list below it stays together (`Not detected`, `KRAS`)."""

    def is_new(before: str, line: str) -> bool:
        bare = BULLET.sub("", line)
        if not (_names_in(bare, lexicon, at_start=True) and _says_something(bare, lexicon)):
            return False
        return _names_in(before, lexicon) == _says_something(before, lexicon)

    return "\n".join(lines_of(record.resource.get("conclusion"), is_new)) or text_at(record.resource, "conclusion")


def _names_in(text: str, lexicon: Lexicon, *, at_start: bool = False) -> bool:
    """Whether a label begins the text, or a marker or a gene of a tumour is named or begins it."""
    find = lexicon.marker_pattern.match if at_start else lexicon.marker_pattern.search
    of_symbols = text.partition(" ")[0] if at_start else text
    is_labelled = LABEL.match(BULLET.sub("", text)) is not None
    return is_labelled or find(fold(text)) is not None or bool(lexicon.other_symbols_in(of_symbols))


def _says_something(line: str, lexicon: Lexicon) -> bool:
    """Whether a line has a call, a number or a state of a marker that it names, or a label and what follows it."""
    folded = fold(line)
    if lexicon.calls_of_tumours.search(folded) or _NUMBER.search(folded) or LABEL.match(line):
        return True
    named = {i for match in lexicon.marker_pattern.finditer(folded) for i in lexicon.marker_words[match.group()]}
    return any(states_in(line, lexicon.observables[i], lexicon).states for i in named)


def _topics(record: Record, chart: Chart) -> frozenset[Mention]:
    """What the report is called after: by its code, else the words of its code and the titles of its documents."""
    code = record.resource.get("code")
    titles = [clean(form.get("title")) for form in objects(record.resource.get("presentedForm"))]
    coded = frozenset((i,) for i in chart.lexicon.observables_of(codings(code)) if i.startswith(OF_TUMOUR))
    return coded or mentions_in((*concept_texts(code), *titles), chart.lexicon)


def _spoken_of(conclusion: str, chart: Chart) -> frozenset[Mention]:
    """What the conclusion names, but in sentences that take it back or say it of someone else."""
    told = (sentence for sentence in sentences_in(conclusion) if not chart.lexicon.takes_back([sentence]))
    return mentions_in(told, chart.lexicon)


def _is_of_the_patient(record: Record, conclusion: str, chart: Chart) -> bool:
    """Whether the report is about what is inherited."""
    texts = (conclusion, *concept_texts(record.resource.get("code")))
    by_words = any(has_word(INHERITED_WORDS, fold(text)) for text in texts)
    return by_words or origin_of(record, chart) in _OF_THE_PATIENT


def _read(record: Record, conclusion: str, chart: Chart) -> Iterator[Found]:
    lexicon = chart.lexicon
    told = [("" if lexicon.takes_back([sentence]) else sentence) for sentence in sentences_in(conclusion)]
    # Sentences that follow each other speak of one gene until another is named.
    runs = groupby(told, lambda sentence: bool(sentence) and is_plain(sentence, lexicon))
    yield from read_variants(record, tuple("; ".join(run) for plain, run in runs if plain), chart)
    for clause in _clauses(told, lexicon):
        named = list(_named_in(clause, lexicon))
        by_method = list(read_methods(record, named[0][0], clause, chart)) if len(named) == 1 else []
        yield from by_method or (one for ids, text in named for one in read_words(record, ids, text, chart))


def _clauses(sentences: Iterable[str], lexicon: Lexicon) -> Iterator[str]:
    """The clauses of sentences, those that go on about the tests of one marker together."""
    clause = ""
    for sentence in sentences:
        for n, part in enumerate(_COMMA.split(sentence)):
            if _goes_on(clause, part, lexicon, in_sentence=n > 0):
                clause = f"{clause}{',' if n else ';'} {part}"
            else:
                yield clause
                clause = part
    yield clause


def _goes_on(clause: str, part: str, lexicon: Lexicon, *, in_sentence: bool) -> bool:
    """Whether a part names no marker and goes on about the one of the clause before it: with another method, or with
    a call of the method that stands there."""
    named = {ids for ids, _ in _named_in(clause, lexicon)}
    if len(named) != 1 or not part.strip() or mentions_in([part], lexicon) or [*_named_in(part, lexicon)]:
        return False
    observable = lexicon.observables[named.pop()[0]]
    if methods_named(part, observable, lexicon):
        return True
    goes_on = in_sentence and methods_named(clause, observable, lexicon)
    return bool(goes_on) and is_plain_call(part, observable, lexicon)


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
