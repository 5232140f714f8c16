"""Find the drugs that a recommendation's text names, for holding our choices against it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from cds_service.knowledge.base import Knowledge

_LONGEST_NAME_WORDS = 4
_SHORTEST_NAME_LETTERS = 5
"""Shorter synonyms are abbreviations that also mean other things."""


_WARNING_WORDS = frozenset({"avoid", "contraindicated", "previously"})
_WARNING_PAIRS = frozenset({("not", "use"), ("should", "not")})
"""A sentence with one of these tells what not to do, or what was done before: it names no choice."""
_JOINTS: tuple[list[str], ...] = ([], ["or"], ["and"])


class DrugNames:
    """The drugs that a text names, by their ids. A name is found as whole words; `non-tramadol` is none."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._ids: dict[str, str] = {}
        for drug in knowledge.drugs.values():
            for name in (*drug.synonyms, drug.display):
                if len(name) >= _SHORTEST_NAME_LETTERS:
                    self._ids.setdefault(_folded(name), drug.id)
        self._ids.update({_folded(drug.id): drug.id for drug in knowledge.drugs.values()})

    def named_instead(self, text: str, drug: str) -> frozenset[str]:
        """Drugs named in `text` as a choice beside `drug`.

        No choice is a drug that the sentence warns of, or one that only shares the drug's place (`if citalopram
        or escitalopram are appropriate`).
        """
        sentences = [_words(sentence) for sentence in re.split(r"[.;]\s", text)]
        named = {name for words in sentences if not _warns(words) for name, _, _ in self._places(words)}
        return frozenset(named - {drug} - {p for words in sentences for p in self._partners(words, drug)})

    def _partners(self, words: list[str], drug: str) -> Iterator[str]:
        for (first, _, after), (second, before, _) in pairwise(self._places(words)):
            if words[after:before] in _JOINTS and drug in {first, second}:
                yield second if first == drug else first

    def _places(self, words: list[str]) -> Iterator[tuple[str, int, int]]:
        """(drug id, first word, word after) of each name, the longest name winning."""
        start = 0
        while start < len(words):
            for end in range(min(start + _LONGEST_NAME_WORDS, len(words)), start, -1):
                drug = self._ids.get(" ".join(words[start:end]))
                if drug is not None:
                    yield drug, start, end
                    start = end - 1
                    break
            start += 1


def _warns(words: list[str]) -> bool:
    return not _WARNING_WORDS.isdisjoint(words) or any(pair in _WARNING_PAIRS for pair in pairwise(words))


def _words(text: str) -> list[str]:
    return re.findall(r"[\w-]+", text.casefold())


def _folded(name: str) -> str:
    return " ".join(_words(name))
