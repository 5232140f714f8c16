"""Text as names are compared: one form for case, accents, widths and invisible characters."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

_APOSTROPHES = str.maketrans("", "", "'’‘ʼ`´")
_TOKEN = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+|[/+;&{}]")
_DASHES = re.compile(r"[‐-―−]")
_INVISIBLE = frozenset({"Cf", "Mn", "So"})
"""Formatting characters, combining accents, and signs such as those of trade marks (which NFKD would spell out)."""


class Token(NamedTuple):
    text: str
    start: int
    end: int


def fold(text: str) -> str:
    r"""Lower case, without accents, invisible characters and apostrophes; one blank for any white space.

    >>> fold("  Plavix\u200b\u2122  75\u00a0MG ")
    'plavix 75 mg'
    """
    if not text.isascii():
        # Some signs are letters only once they are spelt out, and some letters are spelt anew in lower case.
        spelt = unicodedata.normalize("NFKD", _visible(text)).casefold()
        text = _DASHES.sub("-", _visible(unicodedata.normalize("NFKD", spelt)))
    return " ".join(text.lower().translate(_APOSTROPHES).split())


def _visible(text: str) -> str:
    return "".join(sign for sign in text if unicodedata.category(sign) not in _INVISIBLE)


def tokens(folded: str) -> list[Token]:
    """Numbers, words and the signs that separate components, with their places in the text."""
    return [Token(found[0], found.start(), found.end()) for found in _TOKEN.finditer(folded)]


def words(text: str) -> tuple[str, ...]:
    """The tokens of a name, as a key.

    >>> words("6-Mercaptopurine")
    ('6', 'mercaptopurine')
    """
    return tuple(token.text for token in tokens(fold(text)))
