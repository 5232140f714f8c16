"""The parts of a product's name: which of them name nothing that is known.

A name that joins a known drug to something else (`acetaminophen w cod`, `abacavir/lamivud`) is read in part: what the
other part is may be the half that matters.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence

from cds_service.terminology.text import Token

SEPARATORS = frozenset("/+;&{}")
_JOINS = frozenset("/+&")
_SHORTEST = 3
"""Shorter words are units, routes and abbreviations of use."""


def unread_parts(
    found: Sequence[Token], named: Collection[int], text: str, joins: frozenset[str], is_plain: Callable[[int], bool]
) -> tuple[str, ...]:
    """The first word of each part that names no drug and is no plain word. `named` are the places in `found` that
    belong to a name, `joins` the words that join as signs do."""
    parts = [part for part in _parts(found, joins | _JOINS) if part]
    silent = (part for part in parts if len(parts) > 1 and not any(place in named for place in part))
    first = (next((place for place in part if found[place].text.isalpha()), -1) for part in silent)
    places = sorted({*(place for place in first if place >= 0), *_glued(found, named, text)})
    return tuple([word for place in places if len(word := found[place].text) >= _SHORTEST and not is_plain(place)])


def _parts(found: Sequence[Token], joins: frozenset[str]) -> Iterator[list[int]]:
    """The places between joining signs and words."""
    part: list[int] = []
    for place, token in enumerate(found):
        if token.text in joins:
            yield part
            part = []
        else:
            part.append(place)
    yield part


def _glued(found: Sequence[Token], named: Collection[int], text: str) -> Iterator[int]:
    """Words that a hyphen ties to a name: `paracetamol-cod`."""
    for place in range(1, len(found)):
        if place not in named and place - 1 in named and found[place].text.isalpha() and is_glued(found, place, text):
            yield place


def is_glued(found: Sequence[Token], place: int, text: str) -> bool:
    """Whether nothing but a hyphen stands between the token and the one before it."""
    return place > 0 and text[found[place - 1].end : found[place].start] == "-"


def is_numbered(found: Sequence[Token], place: int, text: str) -> bool:
    """Whether the token is one figure after a `#`: the number of a product, no strength and no amount."""
    token = found[place] if place < len(found) else None
    if place == 0 or token is None or len(token.text) != 1 or not token.text.isdigit():
        return False
    return text[found[place - 1].end : token.start].strip() == "#"
