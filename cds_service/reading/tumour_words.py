"""Scores, shares and calls of a tumour's marker among the words of a text: `IHC 2+ (equivocal)`, `TPS: >= 50 %`.

A text counts only where nothing else stands in it than names of the marker, what is said of it, and words that change
nothing: any other may.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from cds_service.knowledge.schema import Observable
from cds_service.reading.lexicon import Lexicon, words_pattern
from cds_service.reading.shapes import fold, has_word

_NUMBERS = re.compile(r"(?<!\S)\d+(?!\S)")
_AROUND_A_VALUE = re.compile(r"[():;\[\]]|(?<![<>])=|,(?!\d)|(?<!\d),|\.(?!\d)")
_NO_SHARE = re.compile(r"[<≤]|\bless than\b|(?<![\d.,])0(?:[.,]\d+)?\s*%")


class Words(NamedTuple):
    """The states whose labels stand in a text, and whether nothing else does that may change them."""

    states: frozenset[str]
    is_plain: bool


def is_called_in(text: str, observable: Observable) -> bool:
    """Whether a name of the observable stands in the text."""
    return has_word(observable.in_words, fold(text))


def states_in(text: str, observable: Observable, lexicon: Lexicon) -> Words:
    """What labels of the observable say in the text. Numbers change nothing where none of them is a label."""
    labels = lexicon.remembered.get(("labels", observable.id), _labels, observable)
    folded = fold(text)
    found = {observable.answers[m.group()] for m in labels.finditer(folded) if m.group() in observable.answers}
    rest = lexicon.harmless_of_tumours.sub("", labels.sub("", folded))
    if not any(label.isdigit() for label in observable.answers):
        rest = _NUMBERS.sub("", rest)
    return Words(frozenset(found), not rest.split())


def is_plain_call(text: str, observable: Observable, lexicon: Lexicon) -> bool:
    """Whether the text says no more of the observable than a call, but for numbers and words that change nothing."""
    labels = lexicon.remembered.get(("labels", observable.id), _labels, observable)
    rest = lexicon.calls_of_tumours.sub("", labels.sub("", fold(text)))
    return not _NUMBERS.sub("", lexicon.harmless_of_tumours.sub("", rest)).split()


def _labels(observable: Observable) -> re.Pattern[str]:
    return words_pattern((*observable.answers, *observable.names, *observable.in_words))


def without_words(text: str, observable: Observable, lexicon: Lexicon) -> str:
    """The text without names of the marker and words that change nothing: of `TPS 60 %` or `95 % positive` the value
    is left."""
    names = lexicon.remembered.get(("names", observable.id), _names, observable, lexicon)
    return _AROUND_A_VALUE.sub(" ", names.sub(" ", text)).strip()


def without_name(text: str, observable: Observable, lexicon: Lexicon) -> str:
    """The text without the name of the observable that it begins with: `LVEF: 55 %`."""
    name = lexicon.remembered.get(("name ahead", observable.id), _name_ahead, observable)
    found = name.match(text)
    return text if found is None else text[found.end() :]


def _name_ahead(observable: Observable) -> re.Pattern[str]:
    written = "|".join(as_written(name) for name in sorted(map(fold, observable.names), key=len, reverse=True))
    return re.compile(rf"\s*(?:{written or '(?!)'})(?![^\W_])\s*(?:[:=]|(?:is|of)\b)?\s*", re.IGNORECASE)


def _names(observable: Observable, lexicon: Lexicon) -> re.Pattern[str]:
    words = (*observable.names, *observable.in_words, *lexicon.words_around_values)
    longest_first = sorted(dict.fromkeys(map(fold, words)), key=lambda word: (-len(word), word))
    written = "|".join(map(as_written, longest_first))
    return re.compile(rf"(?<![^\W_])(?:{written})(?![^\W_]|/)", re.IGNORECASE)


def as_written(name: str) -> str:
    """A folded name as a regular expression for it in a text that is not folded."""
    return r"[\W_]+".join(map(re.escape, name.split()))


def is_share_of_none(text: str) -> bool:
    """Whether a share that may be none stands in the text: of `<1 % positive` the word is no call."""
    return _NO_SHARE.search(text.lower()) is not None
