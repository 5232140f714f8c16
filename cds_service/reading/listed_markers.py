"""What a problem list says of inherited variants and markers of a tumour: `BRCA2 mutation carrier`, `HER2 positive
breast cancer`. It is no report of a laboratory: it decides nothing, and is told until the report is seen."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from cds_service.knowledge.schema import Observable, ObservableKind
from cds_service.knowledge.variant_names import first_variant
from cds_service.memory import remembered_by_identity
from cds_service.model import FUTURE, Grade, Phenotype, Presence, Reading, Statement, Unconfirmed
from cds_service.reading.answers import presence_word
from cds_service.reading.chart import Chart
from cds_service.reading.dates import day, is_after
from cds_service.reading.lexicon import Lexicon
from cds_service.reading.mentions import Mention, mentions_in, names_of_tumours
from cds_service.reading.observed import GERMLINE, NEGATIVE, POSITIVE
from cds_service.reading.records import Record
from cds_service.reading.screening import is_ruled_out
from cds_service.reading.shapes import codings, concept_label, concept_texts, first_coded, fold, has_word
from cds_service.reading.tumour_words import as_written
from cds_service.reading.vocabulary import HEDGES, LISTED_AS_FOUND, MISSED_WORDS, NO_FINDING_WORDS, TUMOUR_WORDS

_CLAUSE_ENDS = re.compile(r"[,;()]")
_CALLED = r"\s?(?P<plus>\+)|-(?=[\s,;)/]|$)|[\s-](?P<word>positive|negative)(?!\w)"


class _Said(NamedTuple):
    observable: str
    present: bool
    variant: str = ""


def read_listed_marker(record: Record, chart: Chart) -> Iterator[Reading]:
    """What an entry of a problem list says of markers."""
    if is_ruled_out(record.resource):
        return
    code = record.resource.get("code")
    on = day(record.resource.get("recordedDate"))
    for said in chart.lexicon.of_content("listed markers", code, _said_by):
        yield Reading(
            observable=said.observable,
            says=FUTURE if is_after(on, chart.today) else _statement(said, chart.lexicon),
            reference=record.reference,
            grade=Grade.UNVERIFIED,
            on=on,
            quoted=concept_label(code),
            coding=first_coded(codings(code)),
            why_unverified=Unconfirmed.PROBLEM_LIST,
        )


def _statement(said: _Said, lexicon: Lexicon) -> Statement:
    if lexicon.observables[said.observable].kind is ObservableKind.ORDINAL:
        return Phenotype(POSITIVE if said.present else NEGATIVE)
    return Presence(said.variant, said.present)


def _said_by(concept: object, lexicon: Lexicon) -> tuple[_Said, ...]:
    by_code = [_Said(i, present=True) for c in codings(concept) for i in lexicon.listed.get((c.system, c.code), ())]
    by_words = [said for text in concept_texts(concept) for said in _said_in(text, lexicon)]
    # Some say more of the same: the code, its display and the text.
    named = {said.observable for said in by_words}
    return tuple(dict.fromkeys([*by_words, *(said for said in by_code if said.observable not in named)]))


def _said_in(text: str, lexicon: Lexicon) -> Iterator[_Said]:
    """What the words say, unless they speak of a relative, of a test, or of what may be."""
    if lexicon.takes_back([text]) or has_word(NO_FINDING_WORDS, fold(text)):
        return
    signed, rest = _signed(text, lexicon)
    yield from signed
    of_all = _call(rest) if len(mentions_in([rest], lexicon)) == 1 else None
    said: dict[tuple[Mention, bool], None] = {}
    for clause in _CLAUSE_ENDS.split(rest):
        mentions = mentions_in([clause], lexicon)
        call = _call(clause) if len(mentions) == 1 else None
        call = of_all if call is None and len(mentions) == 1 else call
        said |= {(mention, call): None for mention in mentions if call is not None}
    for mention, present in said:
        yield from _of(mention, rest, lexicon, present=present)


def _signed(text: str, lexicon: Lexicon) -> tuple[list[_Said], str]:
    """Markers with their call as a sign or a word behind them (`ER+/HER2-`, `ER positive HER2 negative`), and what is
    left of the text."""
    names, pattern = _called_names(lexicon)
    found: list[_Said] = []
    for match in pattern.finditer(text):
        present = bool(match["plus"]) or (match["word"] or "").lower() == POSITIVE
        found += _of(names[fold(match["name"])], match["name"], lexicon, present=present)
    return found, pattern.sub(" ", text)


@remembered_by_identity
def _called_names(lexicon: Lexicon) -> tuple[dict[str, Mention], re.Pattern[str]]:
    symbols = {fold(gene): ids for gene, ids in lexicon.observable_genes.items() if not gene.isalpha()}
    names = {**symbols, **names_of_tumours(lexicon)}
    longest_first = sorted(names, key=lambda name: (-len(name), name))
    written = "|".join(map(as_written, longest_first))
    return names, re.compile(rf"(?<![^\W_])(?P<name>{written})(?:{_CALLED})", re.IGNORECASE)


def _call(clause: str) -> bool | None:
    said = presence_word(clause)
    if said is not None:
        return said
    if has_word(MISSED_WORDS, fold(clause)):
        return False
    return True if has_word(LISTED_AS_FOUND, fold(clause)) and not has_word(HEDGES, fold(clause)) else None


def _of(mention: Mention, text: str, lexicon: Lexicon, *, present: bool) -> Iterator[_Said]:
    """The marker meant: of a gene that may be inherited, the inherited variant unless the words are of a tumour."""
    of_tumour = has_word(TUMOUR_WORDS, fold(text))
    called = [i for i in mention if _may_be_called(lexicon.observables[i])]
    side = [i for i in called if i.startswith(GERMLINE) is not of_tumour] or called
    if side:
        yield _Said(side[0], present, first_variant(text) if present else "")


def _may_be_called(observable: Observable) -> bool:
    """Whether it is found or not, and no number or grade of another kind."""
    return observable.kind is ObservableKind.PRESENCE or POSITIVE in observable.answers.values()
