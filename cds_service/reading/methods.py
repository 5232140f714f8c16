"""Texts that name the methods of several tests of one marker, each part with the test that it is about: `IHC 2+
(equivocal); FISH not amplified`.

A part ends where another method is named. What stands before the first one is about the marker as a whole. Where it
is not plain which words belong to which method, the part is there and says nothing.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import NamedTuple

from cds_service.knowledge.schema import Observable
from cds_service.memory import remembered_by_identity
from cds_service.reading.lexicon import Lexicon
from cds_service.reading.shapes import fold
from cds_service.reading.tumour_words import as_written
from cds_service.reading.vocabulary import NOT_DONE_WORDS

_PIECES = re.compile(r"[;\n\r]|\.(?=\s|$)|,(?!\d)")
_SIGN = re.compile(r"\s?(?:(\+)|[−–-])\s*$")


class Part(NamedTuple):
    """What a text says of one test, or of the marker as a whole; `text` is empty where that is not plain."""

    observable: str
    text: str


class _Methods(NamedTuple):
    """The tests of a marker, and what texts call their methods."""

    marker: str
    by_word: Mapping[str, str]
    pattern: re.Pattern[str]
    in_brackets: re.Pattern[str]
    slash: re.Pattern[str]

    def named_in(self, text: str) -> list[str]:
        """The tests whose methods stand in the text, in their order."""
        return [self.by_word[fold(match.group())] for match in self.pattern.finditer(text)]


class _Piece(NamedTuple):
    text: str
    observable: str = ""
    is_closed: bool = False
    """Whether the method stands behind what it found (`2+ by IHC`): the words after it are not about it."""


def methods_named(text: str, observable: Observable, lexicon: Lexicon) -> frozenset[str]:
    """The tests of the observable's marker whose methods a text names."""
    methods = _methods(lexicon).get(observable.id)
    return frozenset(methods.named_in(text) if methods is not None else ())


def parts_by_method(text: str, observable: Observable, lexicon: Lexicon) -> tuple[Part, ...]:
    """The parts of a text on the observable; none where it names no other method than the observable's own, or where
    words take back all of it."""
    named = methods_named(text, observable, lexicon)
    if named <= {observable.id} or lexicon.takes_back([text]):
        return ()
    return tuple(_parts(text, _methods(lexicon)[observable.id], lexicon))


def _parts(text: str, methods: _Methods, lexicon: Lexicon) -> Iterator[Part]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    last = _Piece("", methods.marker)
    for piece in _pieces(text, methods, lexicon):
        own = piece.observable or last.observable
        returns = own in found and own != last.observable
        found[own].append("" if returns or (last.is_closed and not piece.observable) else piece.text)
        last = piece._replace(observable=own)
    for own, texts in found.items():
        said = ", ".join(texts) if all(texts) else ""
        if not _is_undone(said, methods, lexicon):
            yield Part(own, said)


def _pieces(text: str, methods: _Methods, lexicon: Lexicon) -> Iterator[_Piece]:
    apart = methods.slash.sub("; ", methods.in_brackets.sub(r"; \1; ", text))
    for sentence in filter(str.strip, _PIECES.split(apart)):
        for written in _by_turns(sentence, methods, lexicon):
            yield _piece(written.strip(), methods, lexicon)


def _by_turns(sentence: str, methods: _Methods, lexicon: Lexicon) -> Iterator[str]:
    """The sentence cut where another method's turn begins; a sentence that neither begins nor ends with a method is
    not."""
    spans = [(m.start(), m.end(), methods.by_word[fold(m.group())]) for m in methods.pattern.finditer(sentence)]
    turns = [(before, after) for before, after in pairwise(spans) if before[2] != after[2]]
    if turns and not _rest(sentence[: spans[0][0]], lexicon):
        cuts = [after[0] for _, after in turns]
    elif turns and not _rest(sentence[spans[-1][1] :], lexicon):
        cuts = [before[1] for before, _ in turns]
    else:
        cuts = []
    yield from (sentence[start:end] for start, end in pairwise([0, *cuts, len(sentence)]))


def _piece(text: str, methods: _Methods, lexicon: Lexicon) -> _Piece:
    named = methods.named_in(text)
    if not named:
        return _Piece(text)
    if len(set(named)) > 1:
        return _Piece("", named[0])
    *_, last = methods.pattern.finditer(text)
    is_closed = not _rest(text[last.end() :], lexicon) and bool(_rest(text[: last.start()], lexicon))
    sign = _SIGN.fullmatch(text, last.end())
    if sign is not None and not is_closed:
        text = f"{text[: last.end()]} {'positive' if sign[1] else 'negative'}"
    return _Piece(text, named[0], is_closed)


def _rest(text: str, lexicon: Lexicon) -> str:
    """What is left of a text without names of markers and words that change nothing."""
    return lexicon.harmless_of_tumours.sub("", lexicon.marker_pattern.sub("", fold(text))).strip()


def _is_undone(text: str, methods: _Methods, lexicon: Lexicon) -> bool:
    bare = methods.pattern.sub(" ", text)
    return not NOT_DONE_WORDS.isdisjoint((fold(bare), _rest(bare, lexicon)))


@remembered_by_identity
def _methods(lexicon: Lexicon) -> Mapping[str, _Methods]:
    """Observable -> the methods of the tests that tell the same marker as it does."""
    found: dict[str, _Methods] = {}
    every = lexicon.observables.values()
    for marker in every:
        tests = [o for o in every if o.methods and marker.id in o.tells and o is not marker and not marker.methods]
        if len(tests) > 1:
            made = _made(marker, tests)
            found.update({o.id: made for o in (marker, *tests)})
    return found


def _made(marker: Observable, tests: list[Observable]) -> _Methods:
    by_word = {fold(word): test.id for test in tests for word in test.methods}
    words = "|".join(as_written(word) for word in sorted(by_word, key=len, reverse=True))
    named = rf"(?<![^\W_])(?:{words})(?![^\W_])"
    return _Methods(
        marker.id,
        by_word,
        re.compile(named, re.IGNORECASE),
        re.compile(rf"[(\[]([^()\[\]]*{named}[^()\[\]]*)[)\]]", re.IGNORECASE),
        re.compile(rf"/(?=\s*{named})", re.IGNORECASE),
    )
