"""What a laboratory thinks of a variant that it found: harmful, harmless, or not known.

It stands in a component, in the value itself, in its interpretation, or in a result that is derived from the variant.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from enum import Enum, auto

from cds_service.codes import LOINC
from cds_service.memory import remembered_by_text
from cds_service.model import Significance
from cds_service.reading.answers import NEGATED, NOTHING_FOUND, Answer, answer_of
from cds_service.reading.chart import Chart
from cds_service.reading.records import Record
from cds_service.reading.shapes import Resource, codings, concept_texts, fold, has_code, items, objects
from cds_service.reading.vocabulary import (
    ABSENT_WORDS,
    CLINICAL_SIGNIFICANCE,
    PRESENT_WORDS,
    SIGNIFICANCE_ANSWERS,
    SIGNIFICANCE_WORDS,
)

NOT_SAID = Significance.NOT_SAID


class _Denied(Enum):
    """What words of significance say that call no variant anything."""

    HARM = auto()
    """No harmful variant was found."""
    UNCLEAR = auto()
    """Something is denied, and perhaps not the harmful variant."""


def _any_of(words: Iterable[str]) -> str:
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))


_CLAUSE_ENDS = re.compile(r"[;\r\n]|\.(?:\s|$)|,(?=\s*[A-Z]{2,}\d)")
_MEANING = _any_of(SIGNIFICANCE_WORDS)
_WORDS = re.compile(rf"(?<= )(?:{_MEANING})(?= )")
_APART = re.compile(rf"\b(?:{_MEANING})\s*,\s*(?:{_MEANING})\b", re.IGNORECASE)
_OR = re.compile(r"\b(?:n?or|and)\b", re.IGNORECASE)
_ABSENT = re.compile(rf" (?:{_any_of(ABSENT_WORDS)})(?= )")
_PRESENT = re.compile(rf" (?:{_any_of(PRESENT_WORDS)})(?= )")
_NO_NOUN = r"(?!variants? |mutations? )"
_BEFORE = (
    rf" (?:no|without|negative for) (?:{_NO_NOUN}\w+ ){{0,6}}?(?:{_MEANING})"
    r"(?:(?: \w+){0,4}? (?:variants?|mutations?)| $)(?: (?:was|were))?(?: (?:detected|found|identified|seen))?"
)
_AFTER = rf" (?:{_MEANING}) (?:\w+ ){{0,3}}?(?:not (?:detected|found|identified|present|seen)|absent|undetected)"
_NOT_FOUND = re.compile(rf"(?:{_BEFORE}|{_AFTER})(?= |$)")


def agreed(said: Iterable[Significance]) -> Significance:
    """What several opinions of one variant come to: uncertain where they disagree."""
    found = {*said} - {NOT_SAID}
    return next(iter(found)) if len(found) == 1 else Significance.UNCERTAIN if found else NOT_SAID


def significance_in(answer: Answer) -> Significance:
    """What the codes and words of a value say of a variant that was found."""
    coded = [SIGNIFICANCE_ANSWERS.get(c.code, NOT_SAID) for c in answer.codings if c.system in (LOINC, "")]
    said = map(_in_text, answer.texts)
    return agreed((*coded, *(one for one in said if isinstance(one, Significance))))


def significance_beside(record: Record, holder: Resource, chart: Chart) -> Significance:
    """What components, interpretations and results derived from the variant say of it."""
    opinions = (opinion.resource for opinion in chart.references.opinions_of(record))
    told = [part for resource in (record.resource, *opinions) for part in _parts(resource)]
    told += [Answer(codings(c), concept_texts(c)) for c in items(holder.get("interpretation"))]
    return agreed(map(significance_in, told))


def _parts(resource: Resource) -> Iterator[Answer]:
    for part in (resource, *objects(resource.get("component"))):
        if has_code(part.get("code"), LOINC, CLINICAL_SIGNIFICANCE):
            yield answer_of(part)


def denies_harm(answer: Answer) -> bool:
    """Whether the words say that no harmful variant was found, whatever harmless one was."""
    return any(_in_text(text) is _Denied.HARM for text in answer.texts)


def is_unclear(answer: Answer) -> bool:
    """Whether words of significance stand beside a denial that may mean them or not."""
    return any(_in_text(text) is _Denied.UNCLEAR for text in answer.texts)


def without_significance(text: str) -> str:
    """The folded text without words of significance: `uncertain` is none that takes its result back."""
    return _WORDS.sub("", f" {fold(text)} ")


def _meaning_of(word: str) -> Significance:
    return SIGNIFICANCE_WORDS[word]


_GRAVEST_FIRST = (Significance.PATHOGENIC, _Denied.UNCLEAR, Significance.UNCERTAIN, _Denied.HARM, Significance.BENIGN)


@remembered_by_text
def _in_text(text: str) -> Significance | _Denied:
    """The gravest that a clause of the text says: each may be about another variant."""
    found = {_in_clause(clause) for clause in _CLAUSE_ENDS.split(text)}
    return next((said for said in _GRAVEST_FIRST if said in found), NOT_SAID)


def _may_end_early(clause: str) -> bool:
    """Whether a denial may end at a comma (`no VUS, pathogenic variant found`), where no `or` goes on with it."""
    return _APART.search(clause) is not None and _OR.search(clause) is None


def _in_clause(written: str) -> Significance | _Denied:
    clause = f" {fold(written)} "
    left = _NOT_FOUND.sub(" ", clause)
    said = agreed(map(_meaning_of, _WORDS.findall(left)))
    if not said:
        if Significance.PATHOGENIC not in map(_meaning_of, _WORDS.findall(clause)):
            return NOT_SAID
        return _Denied.UNCLEAR if _may_end_early(written) else _Denied.HARM
    if said is Significance.UNCERTAIN:
        return said
    # What is left of a denial is about something else, where something is plainly said to be there.
    rest = NOTHING_FOUND.sub(" ", left)
    plain = _ABSENT.sub("", _WORDS.sub("", rest))
    is_denied = NEGATED.search(plain) or (_ABSENT.search(rest) and not _PRESENT.search(plain))
    return _Denied.UNCLEAR if is_denied else said
