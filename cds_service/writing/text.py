"""Plain text to lines that may stand on a card: what comes from a record is cleaned, what goes into Markdown is
escaped."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from cds_service.memory import LONGEST_CONTENT, MOST_ENTRIES

SUMMARY_LIMIT = 139
"""CDS Hooks 2.0.1: a summary has fewer than 140 characters."""

_TAG = re.compile(r"<[A-Za-z/!?][^>]*>?")
_SCHEME = re.compile(r"\b(javascript|vbscript|data|file|https?|ftp|mailto)\s*:", re.IGNORECASE)
_NOT_PRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]+")
_SPECIAL = re.compile(r"[\\`*_\[\]|~@#&<]|^>")


class Markdown(str):
    """Text that is Markdown already and is not escaped again."""

    __slots__ = ()


def clean(text: str, limit: int = 80) -> str:
    """Text from a record as one line of at most `limit` characters, without mark-up, link schemes or control
    characters.

    >>> clean("aspirin <script>alert(1)</script> 100  mg")
    'aspirin alert(1) 100 mg'
    """
    return _remembered_clean(text, limit) if len(text) <= LONGEST_CONTENT else _clean(text, limit)


def _clean(text: str, limit: int) -> str:
    printable = _NOT_PRINTABLE.sub(" ", text)
    without_links = _SCHEME.sub(r"\1 ", _TAG.sub(" ", printable))
    return shortened(" ".join(without_links.split()), limit)


_remembered_clean = lru_cache(maxsize=MOST_ENTRIES)(_clean)


def shortened(text: str, limit: int) -> str:
    """`text`, cut at a word where it can be, with an ellipsis, when it is longer than `limit`.

    >>> shortened("one two three", 9)
    'one two…'
    """
    if len(text) <= limit:
        return text
    words, _, rest = text[:limit].rpartition(" ")
    return (words or rest[:-1]).rstrip(" ,;:.") + "…"


def escaped(text: object) -> str:
    r"""Plain text for GitHub Flavored Markdown: every sign that could begin mark-up is written literally.

    >>> print(escaped("HLA-B*57:01 below <5 mg, 1905+1G>A"))
    HLA-B\*57:01 below \<5 mg, 1905+1G>A
    """
    if isinstance(text, Markdown):
        return text
    plain = str(text)
    return _remembered_escaped(plain) if len(plain) <= LONGEST_CONTENT else _escaped(plain)


def _escaped(text: str) -> str:
    return _SPECIAL.sub(lambda sign: f"\\{sign[0]}", text).replace("www.", "www\\.")


_remembered_escaped = lru_cache(maxsize=MOST_ENTRIES)(_escaped)


def link_target(url: str) -> Markdown:
    """A URL for the parentheses of a Markdown link."""
    return Markdown(url.replace("(", "%28").replace(")", "%29").replace(" ", "%20"))


def sentence(text: str) -> str:
    """`text` with a capital first letter; the rest is left alone, and so is a name that has its capitals elsewhere.

    >>> sentence("no result"), sentence("eGFR is low")
    ('No result', 'eGFR is low')
    """
    return text if text[1:2].isupper() else text[:1].upper() + text[1:]


def first_that_fits(candidates: Iterable[str], limit: int = SUMMARY_LIMIT) -> str:
    """The first non-empty candidate of at most `limit` characters, else the last one, cut."""
    line = ""
    for candidate in candidates:
        line = " ".join(candidate.split()) or line
        if line and len(line) <= limit:
            return line
    return shortened(line, limit)


def number(value: float) -> str:
    """A figure as people write it: no trailing zeros, no exponent, five significant digits for small ones.

    >>> number(37.50), number(1200.0), number(0.00025)
    ('37.5', '1,200', '0.00025')
    """
    digits = 4 if abs(value) >= 0.01 else 8
    return f"{value:,.{digits}f}".rstrip("0").rstrip(".")


def filled(**members: Any) -> dict[str, Any]:
    """A JSON object of the members that say something: None, "", [] and {} do not, False and 0 do (CDS Hooks 2.0.1,
    JSON: no empty values).
    """
    return {name: value for name, value in members.items() if value or value == 0}
