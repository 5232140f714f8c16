"""Names of drugs in free text and in the names of products.

A name counts only as whole words, the longest first, and not where the words around it say that it is something
else ("vitamin k antagonist", "codeine-free", "instead of clopidogrel"). Brands are held to more: they are
dropped where a word follows that makes another product of them ("Sudafed PE" is not Sudafed), and brands that are
words of ordinary language count only alone or in square brackets. The lists of words are data (`drug_words.yaml`).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cds_service.knowledge.schema import Drug
from cds_service.terminology.components import SEPARATORS, is_glued, is_numbered, unread_parts
from cds_service.terminology.text import Token, fold, tokens, words
from cds_service.terminology.word_lists import Words

_LONGEST_NAME = 6
_SUFFIX = 4
_NUMBERS = frozenset("1234")
"""Numbers of products, where a brand has them."""
_BRACKETED = re.compile(r"\[([^\[\]]*)\]")


@dataclass(frozen=True, slots=True)
class Brand:
    name: str
    drugs: tuple[str, ...]
    ordinary: bool = False
    """Also a word of ordinary language."""


@dataclass(frozen=True, slots=True)
class NameReading:
    """What a text says: drugs in the order of the text, and what the product's name tells beside them.

    `contradiction` are the drugs of a brand that stands beside other ingredients, `unread` what else the name joins
    to them that names nothing known."""

    ingredients: tuple[str, ...] = ()
    route: str = ""
    strength_mg: float | None = None
    contradiction: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Name:
    key: tuple[str, ...]
    drugs: tuple[str, ...]
    is_brand: bool = False
    ordinary: bool = False

    @property
    def is_compound(self) -> bool:
        """Of several ingredients: a figure beside it is no strength of the first."""
        return len(self.drugs) > 1 or " / " in self.drugs[0]


@dataclass(frozen=True, slots=True)
class _Mention:
    name: _Name
    first: int
    """Token where it begins."""
    after: int
    """Token after it."""


class NameTable:
    """All names by their first word. Immutable once made."""

    def __init__(self, drugs: Iterable[Drug], brands: Iterable[Brand], lists: Words) -> None:
        """Names of `drugs` (id, display and synonyms) win over equal names of `brands`."""
        self._lists = lists
        self._plain = lists.plain
        self._beside_brand = lists.plain_words | lists.ends
        self._brands: dict[str, Brand] = {}
        self._by_first: dict[str, tuple[_Name, ...]] = {}
        keyed: dict[tuple[str, ...], _Name] = {}
        for brand in brands:
            self._brands[fold(brand.name)] = brand
            key = words(brand.name)
            keyed[key] = _Name(key, brand.drugs, is_brand=True, ordinary=brand.ordinary)
        for drug in drugs:
            for text in (*drug.synonyms, drug.display, drug.id):
                key = words(text)
                keyed[key] = _Name(key, (drug.id,))
        by_first: defaultdict[str, list[_Name]] = defaultdict(list)
        for key, name in keyed.items():
            if key:
                by_first[key[0]].append(name)
        for first, names in by_first.items():
            self._by_first[first] = tuple(sorted(names, key=lambda name: -len(name.key)))

    def read(self, text: str) -> NameReading:
        """The ingredients, route and strength that `text` names; all empty where it names no drug."""
        folded = fold(text)
        plain = _BRACKETED.sub(" ", folded)
        found = tokens(plain)
        every = self._mentions(found, plain)
        mentions = self._without_reactions(found, every)
        named = _union(m.name.drugs for m in mentions if not m.name.is_brand)
        by_brand = _union(m.name.drugs for m in mentions if m.name.is_brand)
        bracketed = _union(self._brands[b].drugs for b in _brackets(folded) if b in self._brands)
        ingredients, contradiction = _agree(named, by_brand, bracketed)
        return NameReading(
            ingredients,
            self._route(found) if ingredients else "",
            self._strength_mg(found, mentions, plain) if ingredients else None,
            contradiction,
            self._unread(found, every, plain) if ingredients else (),
        )

    def _unread(self, found: Sequence[Token], mentions: Sequence[_Mention], text: str) -> tuple[str, ...]:
        if not mentions:
            return ()
        start = mentions[0].after
        end = next((n for n in range(start, len(found)) if found[n].text in self._lists.ends), len(found))
        named = {place for mention in mentions for place in range(mention.first, mention.after)}

        def is_plain(place: int) -> bool:
            word = found[place].text
            return word in self._plain or (len(word) == _SUFFIX and self._is_biological(found, place, text))

        return unread_parts(found[:end], named, text, self._lists.joins, is_plain)

    def _is_biological(self, found: Sequence[Token], place: int, text: str) -> bool:
        """Whether a hyphen ties the word to the name of a biological substance."""
        return is_glued(found, place, text) and found[place - 1].text.endswith(self._lists.suffixed)

    def _mentions(self, found: Sequence[Token], text: str) -> list[_Mention]:
        mentions: list[_Mention] = []
        at = 0
        while at < len(found):
            if mentions and found[at].text in self._lists.ends:
                break
            mention = self._mention(found, at) or self._whole(found, at, text)
            if mention is None:
                at += 1
                continue
            name = mention.name
            counts = self._counts(found, mention, text)
            if counts:
                mentions.append(mention)
            # A brand that does not count may still hold the name of an ingredient ("Capital and Codeine").
            at = mention.after if counts or not name.is_brand else at + 1
        return mentions

    def _mention(self, found: Sequence[Token], at: int) -> _Mention | None:
        name = self._longest(found, at)
        return _Mention(name, at, at + len(name.key)) if name is not None else None

    def _whole(self, found: Sequence[Token], at: int, text: str) -> _Mention | None:
        """A name that a hyphen cuts in two: `es-citalopram`."""
        if at + 1 >= len(found) or not is_glued(found, at + 1, text):
            return None
        joined = Token(found[at].text + found[at + 1].text, found[at].start, found[at + 1].end)
        name = self._longest([joined, *found[at + 2 :]], 0)
        return _Mention(name, at, at + 1 + len(name.key)) if name is not None else None

    def _without_reactions(self, found: Sequence[Token], mentions: list[_Mention]) -> list[_Mention]:
        """Drugs that are named for a reaction are left out beside others, and stay where nothing else is named."""
        return [mention for mention in mentions if not self._is_reaction(found, mention)] or mentions

    def _is_reaction(self, found: Sequence[Token], mention: _Mention) -> bool:
        following = found[mention.after].text if mention.after < len(found) else ""
        return following in self._lists.reaction_after or _follows(found, mention.first, self._lists.reaction_before)

    def _longest(self, found: Sequence[Token], at: int) -> _Name | None:
        for name in self._by_first.get(found[at].text, ()) if at < len(found) else ():
            here = found[at : at + len(name.key)]
            if len(here) == len(name.key) and all(t.text == w for t, w in zip(here, name.key, strict=True)):
                return name
        return None

    def _counts(self, found: Sequence[Token], mention: _Mention, text: str) -> bool:
        following = found[mention.after].text if mention.after < len(found) else ""
        if self._is_prefixed(found, mention, text) or self._is_numbered(found, mention, text):
            return False
        if following in self._lists.not_before or _follows(found, mention.first, self._lists.not_after):
            return False
        if mention.name.ordinary:
            return self._is_alone(found, mention)
        if mention.name.is_brand:
            is_plain = not following.isalpha() or following in self._beside_brand
            return is_plain or self._drug_follows(found, mention)
        return mention.name.key not in self._lists.leading_only or self._leads(found, mention.first)

    def _is_prefixed(self, found: Sequence[Token], mention: _Mention, text: str) -> bool:
        """Letters that a hyphen ties to the front make another substance of it, unless they name its maker."""
        before = found[mention.first - 1].text if mention.first else ""
        if len(before) < 2 or not before.isalpha() or not is_glued(found, mention.first, text):
            return False
        return before not in self._plain and not self._ends_a_name(found, mention.first)

    def _ends_a_name(self, found: Sequence[Token], after: int) -> bool:
        """Whether a name ends directly before the token `after`."""
        firsts = range(max(0, after - _LONGEST_NAME), after)
        names = ((first, self._longest(found[:after], first)) for first in firsts)
        return any(name is not None and first + len(name.key) == after for first, name in names)

    def _is_numbered(self, found: Sequence[Token], mention: _Mention, text: str) -> bool:
        """A number makes another product of a brand of one ingredient: Tylenol #3 holds codeine too."""
        if not mention.name.is_brand or mention.name.is_compound:
            return False
        if is_numbered(found, mention.after, text):
            return True
        number = found[mention.after].text if mention.after < len(found) else ""
        after = found[mention.after + 1].text if mention.after + 1 < len(found) else ""
        is_amount = number == "1" or after in self._lists.several or after in self._lists.milligrams_in
        return mention.name.key[-1] in self._lists.numbered and number in _NUMBERS and not is_amount

    def _is_alone(self, found: Sequence[Token], mention: _Mention) -> bool:
        beside = [*found[: mention.first], *found[mention.after :]]
        return all(t.text in self._lists.plain_words or not t.text.isalpha() for t in beside)

    def _drug_follows(self, found: Sequence[Token], mention: _Mention) -> bool:
        """An ingredient directly behind a brand explains it: "Plavix clopidogrel"."""
        following = self._longest(found, mention.after)
        return following is not None and not following.is_brand

    def _leads(self, found: Sequence[Token], first: int) -> bool:
        """Nothing but figures and plain words stands before it in its component."""
        for token in reversed(found[:first]):
            if token.text in SEPARATORS:
                return True
            if token.text.isalpha() and token.text not in self._lists.plain_words:
                return False
        return True

    def _route(self, found: Sequence[Token]) -> str:
        said = " ".join(["", *(token.text for token in found), ""])
        return next((route for phrase, route in self._lists.routes if f" {' '.join(phrase)} " in said), "")

    def _strength_mg(self, found: Sequence[Token], mentions: Sequence[_Mention], text: str) -> float | None:
        """Milligrams of the first ingredient in one tablet or capsule; None for packs, liquids and compounds."""
        counted = any(token.text in self._lists.counted_forms for token in found)
        if not counted or "{" in text or (mentions and mentions[0].name.is_compound):
            return None
        units = "|".join(sorted(self._lists.milligrams_in, key=len, reverse=True))
        amount = re.compile(
            rf"(\d+(?:,\d{{3}})*(?:\.\d+)?)(?:\s?[-/]\s?\d+(?:\.\d+)?)*\s?-?({units})\b(?!/[a-z]|\s?/\s?\d*\s?ml\b)"
        )
        start = found[mentions[0].after - 1].end if mentions else 0
        amount_found = amount.search(text, start) or amount.search(text)
        if amount_found is None:
            return None
        return round(float(amount_found[1].replace(",", "")) * self._lists.milligrams_in[amount_found[2]], 9)


def _follows(found: Sequence[Token], first: int, phrases: Iterable[tuple[str, ...]]) -> bool:
    """Whether one of the phrases stands directly before the token `first`."""
    return any(tuple(t.text for t in found[max(0, first - len(phrase)) : first]) == phrase for phrase in phrases)


def _brackets(folded: str) -> list[str]:
    return [inside.strip() for inside in _BRACKETED.findall(folded)]


def _union(groups: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(drug for group in groups for drug in group))


def _agree(
    named: tuple[str, ...], by_brand: tuple[str, ...], bracketed: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Ingredients spelled out are complete beside a brand in brackets (RxNorm's way of writing); a brand in the
    text may hold more than the ingredient that someone put beside it. What names no common drug contradicts."""
    brand = by_brand or bracketed
    if not named:
        return brand, ()
    if brand and not set(brand) & set(named):
        return named, brand
    return (_union([named, by_brand]) if by_brand else named), ()
