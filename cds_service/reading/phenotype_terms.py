"""Phenotype labels as laboratories write them, to the standard term of the gene."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from cds_service.codes import Coding
from cds_service.reading.lexicon import Lexicon
from cds_service.reading.shapes import fold

_SHORT = 3
"""Abbreviations up to this length (`PM`) count only where they stand alone, in brackets, or in capitals that follow
no figure (`3 PM` is an hour, `CYP2D6 PM` a call)."""
_OR = "or"
_BETWEEN = frozenset({_OR, "to"})
"""What joins the two ends of a range; `/` and `-` between words are folded away or said as `or`."""
_SLASH = re.compile(r"(?<=[^\W\d_)])\s*/\s*(?=[^\W\d_(])")


_Labels = Mapping[str, tuple[str, ...]]
"""Folded label -> what it means: one term, or those between which it leaves open."""


class Terms(NamedTuple):
    """What labels in a text mean: one term for each place, several where it leaves them open."""

    found: tuple[tuple[str, ...], ...]
    rest: str
    """The folded text without the labels."""


def term_of_code(coding: Coding, symbol: str, lexicon: Lexicon) -> str:
    """The gene's term for an answer code; empty where the code is not known or the gene has no such term."""
    answer = fold(lexicon.answers.get((coding.system, coding.code), ""))
    return next(iter(lexicon.gene_labels.get(symbol, {}).get(answer, ())), "")


def terms_in(text: str, symbol: str, lexicon: Lexicon) -> Terms:
    """The gene's terms that stand in the text.

    The longest label goes first, so that `likely poor metabolizer` is not also `poor metabolizer`.
    """
    labels = lexicon.gene_labels.get(symbol, {})
    order = tuple(lexicon.genes[symbol].phenotypes)
    whole = labels.get(fold(text))
    if whole is not None:
        return Terms((whole,), "")
    rest = f" {fold(_SLASH.sub(' or ', text))} "
    held: list[str] = []
    for label in _longest_first(labels, rest):
        if len(label) > _SHORT or _is_abbreviation(label, text):
            rest, count = re.subn(rf"(?<!\S){re.escape(label)}(?!\S)", f"#{len(held)}", rest)
            held += [label] if count else []
    return _gathered(rest.split(), held, labels, order)


def _gathered(words: list[str], held: list[str], labels: _Labels, order: tuple[str, ...]) -> Terms:
    """`words` are the text with `#n` in the place of the label `held[n]`. A label takes with it what is joined to it
    by `or` or `to`: another label, or the beginning of one that shares its last word (`poor or intermediate
    metabolizer`). Without an `or` it is a range, with the terms that lie between in `order`."""
    found: list[tuple[str, ...]] = []
    left: list[str] = []
    while words:
        word = words.pop()
        if not word.startswith("#"):
            left.append(word)
            continue
        last = held[int(word[1:])].split()[-1]
        group = list(reversed(labels[held[int(word[1:])]]))
        while (length := _joined(words, last, labels)) > 0:
            taken = words[-length:]
            del words[-length:]
            terms = _meant([w for w in taken if w not in _BETWEEN], last, held, labels)
            group += [*(() if _OR in taken else _inside(terms[-1], group[-1], order)), *reversed(terms)]
        found.append(tuple(dict.fromkeys(reversed(group))))
    return Terms(tuple(dict.fromkeys(reversed(found))), " ".join(reversed(left)))


def _meant(taken: list[str], last: str, held: list[str], labels: _Labels) -> tuple[str, ...]:
    return labels[held[int(taken[0][1:])]] if taken[0].startswith("#") else labels[" ".join([*taken, last])]


def _inside(term: str, other: str, order: tuple[str, ...]) -> tuple[str, ...]:
    """The terms between two in their order."""
    first, last = sorted(order.index(one) if one in order else 0 for one in (term, other))
    return order[first + 1 : last]


def _joined(words: list[str], last: str, labels: _Labels) -> int:
    """How many words at the end belong to the label behind them; 0 where none do."""
    between = 1 if words and words[-1] in _BETWEEN else 0
    before = words[: len(words) - between]
    if between and before and before[-1].startswith("#"):
        return 2
    beginnings = (n for n in (2, 1) if len(before) >= n and " ".join([*before[-n:], last]) in labels)
    return next((n + between for n in beginnings), 0)


def _longest_first(labels: _Labels, text: str) -> list[str]:
    """Labels that stand anywhere in the text, the longest first."""
    return sorted((label for label in labels if label in text), key=lambda label: (-len(label), label))


def _is_abbreviation(label: str, text: str) -> bool:
    in_brackets = re.search(rf"[(\[]\s*{re.escape(label)}\s*[)\]]", text, re.IGNORECASE)
    in_capitals = re.search(rf"(?<![\w*/])(?<!\b\d\s)(?<!\b\d\d\s){re.escape(label.upper())}(?![\w*/])", text)
    return in_brackets is not None or in_capitals is not None
