"""Phenotype labels as laboratories write them, to the standard term of the gene."""

from __future__ import annotations

import re
from collections.abc import Mapping

from cds_service.codes import Coding
from cds_service.reading.lexicon import Lexicon
from cds_service.reading.shapes import fold

_SHORT = 3
"""Abbreviations up to this length (`PM`) count only where they stand alone or in brackets."""


def term_of_code(coding: Coding, symbol: str, lexicon: Lexicon) -> str:
    """The gene's term for an answer code; empty where the code is not known or the gene has no such term."""
    term = lexicon.answers.get((coding.system, coding.code), "")
    return lexicon.gene_labels.get(symbol, {}).get(fold(term), "") if term else ""


def terms_in(text: str, symbol: str, lexicon: Lexicon) -> tuple[tuple[str, ...], str]:
    """The gene's terms that stand in the text, and the folded rest of the text without their labels.

    The longest label goes first, so that `likely poor metabolizer` is not also `poor metabolizer`.
    """
    labels = lexicon.gene_labels.get(symbol, {})
    rest = f" {fold(text)} "
    whole = labels.get(rest.strip())
    if whole is not None:
        return (whole,), ""
    found: dict[str, None] = {}
    for label in _longest_first(labels, rest):
        if f" {label} " in rest and (len(label) > _SHORT or _stands_in_brackets(label, text)):
            rest = rest.replace(f" {label} ", "  ")
            found[labels[label]] = None
    return tuple(found), rest.strip()


def _longest_first(labels: Mapping[str, str], text: str) -> list[str]:
    """Labels that stand anywhere in the text, the longest first."""
    return sorted((label for label in labels if label in text), key=lambda label: (-len(label), label))


def _stands_in_brackets(label: str, text: str) -> bool:
    return re.search(rf"[(\[]\s*{re.escape(label)}\s*[)\]]", text, re.IGNORECASE) is not None
