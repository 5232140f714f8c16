"""Variants of a tumour that a text names, each with the gene and the call that belong to it.

A text is taken sentence by sentence. One call holds for all that its sentence names (`T315I and E255K not detected`).
Of several calls each holds for its own part between commas, else for the names before it (`KRAS G12C detected NRAS
not detected`) or, where a call stands first, for those after it. Whatever else there is stays open.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain, dropwhile, groupby, pairwise
from typing import NamedTuple

from cds_service.knowledge.variant_names import VARIANT, tidied, variant_key
from cds_service.reading.lexicon import Lexicon
from cds_service.reading.shapes import fold

_SENTENCE_ENDS = re.compile(r"[;\n\r]|\.(?=\s|$)|\b(?:but|while|whereas|however)\b", re.IGNORECASE)
_OF_A_LIST = re.compile(r"\b(?:or|and|nor|mutations|variants|alterations)\b", re.IGNORECASE)
_IN_GENERAL = re.compile(r"\b(?:mutations|variants|alterations)\b", re.IGNORECASE)
_OF_THE_REST = re.compile(r"\b(?:other|others|else|further|additional)\b", re.IGNORECASE)
_NAMES = frozenset({"gene", "variant", "event", "part"})
_CALLS: Mapping[str, bool | None] = {"present": True, "absent": False, "open": None}
_NUMBERS = re.compile(r"\d+")
_EITHER = re.compile(r"\bn?or\b")
_FUSED = re.compile(r"(?:::|-)")
_PARTNER = re.compile(r"\b[A-Z][A-Z0-9]+(?:::|-)(?=\s)")
"""What a gene that was taken out of a text was fused to."""
NOT_TOLD = "?"
"""In place of a gene that the words do not tell."""


@dataclass(frozen=True, slots=True)
class Named:
    """What a text says of one variant of a gene, of a part of it or, without a name, of the gene as a whole.

    `present` is None where no call stands with the name, `clear` is False where the words leave it open, and `rest`
    tells that others than the ones named are meant."""

    gene: str
    name: str = ""
    present: bool | None = None
    clear: bool = True
    rest: bool = False


class _Token(NamedTuple):
    kind: str
    text: str
    start: int
    end: int


_Group = tuple[list[_Token], str]
"""Names, and the kind of the call that holds for them; empty where none does."""


def variants_in(text: str, own: str, lexicon: Lexicon) -> tuple[Named, ...]:
    """What the text says of variants. `own` is meant where the words name no gene: a gene, empty for a result that is
    of several together, or `NOT_TOLD`."""
    found: tuple[Named, ...] = lexicon.remembered.get_by_text(
        f"variants {own}", text, lambda t: _read(t, own, lexicon)
    )
    return found


def _read(text: str, own: str, lexicon: Lexicon) -> tuple[Named, ...]:
    found: list[Named] = []
    gene = own
    for sentence in _SENTENCE_ENDS.split(tidied(text)):
        tokens = list(_tokens(sentence, lexicon))
        if _NAMES.isdisjoint(token.kind for token in tokens):
            found += _of_the_whole(sentence, tokens, gene, lexicon)
            continue
        for names, call in _groups(_without_denials(tokens, sentence)):
            said, gene = _of_group(names, gene, lexicon)
            told = "open" if call == "present" and _is_one_of(names, sentence) else call
            found += [_called(one, told, sentence, lexicon) for one in said]
    return tuple(found)


def _tokens(sentence: str, lexicon: Lexicon) -> Iterator[_Token]:
    for match in lexicon.variants.pattern.finditer(sentence):
        kind = match.lastgroup or ""
        if kind == "gene" and _is_no_gene(match, sentence, lexicon):
            continue
        yield _Token(kind, match.group(), match.start(), match.end())


def _is_no_gene(match: re.Match[str], sentence: str, lexicon: Lexicon) -> bool:
    """Whether it is an English word in small letters (`met`), or the first partner of a fusion of two genes."""
    written = match.group()
    if written.islower() and written.isalpha() and len(written) < 4:
        return True
    joint = _FUSED.match(sentence, match.end())
    partner = lexicon.variants.pattern.match(sentence, joint.end()) if joint is not None else None
    return partner is not None and partner.lastgroup == "gene"


def _without_denials(tokens: list[_Token], sentence: str) -> list[_Token]:
    """`no ... detected` and `no ...` as calls; one whose end is not plain leaves it open. A call that is said twice
    counts once."""
    found: list[_Token] = []
    for token in _called_tokens(tokens, sentence):
        if not (token.kind in _CALLS and found and found[-1].kind == token.kind):
            found.append(token)
    return found


def _called_tokens(tokens: list[_Token], sentence: str) -> Iterator[_Token]:
    calls = deque(n for n, token in enumerate(tokens) if token.kind in _CALLS)
    denied: set[int] = set()
    for n, token in enumerate(tokens):
        if n in denied:
            continue
        if token.kind in _CALLS:
            calls.popleft()
        if token.kind != "denial":
            yield token
        elif calls and tokens[calls[0]].kind == "present":
            denied.add(calls[0])
            yield token._replace(kind=_of_denial(tokens[n : calls.popleft() + 1], sentence))
        else:
            yield token._replace(kind="absent")


def _of_denial(tokens: list[_Token], sentence: str) -> str:
    """The call that a denial makes of the call that ends its words."""
    is_plain = all(token.kind != "comma" for token in tokens)
    is_list = _OF_A_LIST.search(sentence[tokens[0].end : tokens[-1].start]) is not None
    return "absent" if is_plain or is_list else "open"


def _groups(tokens: list[_Token]) -> Iterator[_Group]:
    """The names of a sentence with the call that holds for them."""
    calls = {token.kind for token in tokens if token.kind in _CALLS}
    if len(calls) <= 1:
        yield _names(tokens), "open" if calls and _trails_off(tokens) else "".join(calls)
        return
    parts = [list(part) for is_comma, part in groupby(tokens, lambda t: t.kind == "comma") if not is_comma]
    whole = [_whole(part) for part in parts]
    if None not in whole:
        yield from (group for group in whole if group is not None)
        return
    yield from _by_turns([token for token in tokens if token.kind != "comma"])


def _trails_off(tokens: list[_Token]) -> bool:
    """Whether names stand after the comma that follows the last call, though it has names already: `L858R detected,
    T790M`. A gene alone waits for its variant: `KRAS mutated, G12C`."""
    last = max(n for n, token in enumerate(tokens) if token.kind in _CALLS)
    before = {token.kind for token in _names(tokens[:last])}
    after = list(dropwhile(lambda token: token.kind != "comma", tokens[last:]))
    kinds = {token.kind for token in _names(after)}
    return bool(before and kinds) and (before != {"gene"} or "gene" in kinds)


def _whole(part: list[_Token]) -> _Group | None:
    """The part of a sentence, where it has names and one call."""
    calls = [token.kind for token in part if token.kind in _CALLS]
    names = _names(part)
    return (names, calls[0]) if names and len(calls) == 1 else None


def _by_turns(tokens: list[_Token]) -> Iterator[_Group]:
    """Names and calls by turns: each call holds for the names before it, or for those after where a call begins."""
    turns = [(is_name, list(part)) for is_name, part in groupby(tokens, lambda t: t.kind in _NAMES)]
    pairs = list(zip(turns[::2], turns[1::2], strict=False))
    if len(turns) % 2 or any(len(part) > 1 for is_name, part in turns if not is_name):
        yield _names(tokens), "open"
        return
    for (is_name, first), (_, second) in pairs:
        yield (first, second[0].kind) if is_name else (second, first[0].kind)


def sentences_in(text: str) -> Iterator[str]:
    """The sentences of a text, each one that says something for itself."""
    return filter(None, map(str.strip, _SENTENCE_ENDS.split(text)))


def is_plain(sentence: str, lexicon: Lexicon) -> bool:
    """Whether a sentence says no more than genes, variants and calls, but for words that change nothing."""
    rest = fold(_PARTNER.sub(" ", lexicon.variants.pattern.sub(" ", tidied(sentence))))
    return not _NUMBERS.sub("", lexicon.harmless_of_tumours.sub("", _EITHER.sub("", rest))).split()


def is_mixed(text: str, lexicon: Lexicon) -> bool:
    """Whether the text says both found and not found."""
    sentences = _SENTENCE_ENDS.split(text)
    calls = (t.kind for s in sentences for t in _without_denials(list(_tokens(s, lexicon)), s))
    return {"present", "absent"} <= set(calls)


def _names(tokens: Iterable[_Token]) -> list[_Token]:
    return [token for token in tokens if token.kind in _NAMES]


def _called(named: Named, call: str, sentence: str, lexicon: Lexicon) -> Named:
    if not named.name and not _is_of_whole(sentence, named.gene, lexicon):
        return replace(named, clear=False)
    present = _CALLS.get(call)
    is_clear = named.clear and call != "open"
    is_unspecific = present is True and _is_part(named.name) and not _is_known(named.name, named.gene, lexicon)
    rest = present is False and not named.name and _OF_THE_REST.search(sentence) is not None
    return replace(named, name="" if is_unspecific else named.name, present=present, clear=is_clear, rest=rest)


def _is_one_of(names: list[_Token], sentence: str) -> bool:
    """Whether it is not said which of them is meant: `KRAS or NRAS`."""
    return bool(names) and _EITHER.search(sentence[names[0].start : names[-1].end]) is not None


def _is_of_whole(sentence: str, gene: str, lexicon: Lexicon) -> bool:
    """Whether a sentence that names the gene alone means all of it: `FLT3-TKD: negative` does not."""
    parts = (part for part in sentence.split(",") if gene.lower() in part.lower())
    return all(is_plain(part, lexicon) for part in parts)


def _of_the_whole(sentence: str, tokens: list[_Token], gene: str, lexicon: Lexicon) -> Iterator[Named]:
    """A sentence without a name that says no more than a call: it is about the gene spoken of. One that leaves
    something open is about what was said before it, unless it speaks of variants in general."""
    calls = {token.kind for token in _without_denials(tokens, sentence)} & set(_CALLS)
    if calls in ({"absent"}, {"present"}):
        if not lexicon.harmless_of_tumours.sub("", lexicon.calls_of_tumours.sub("", fold(sentence))).split():
            rest = _OF_THE_REST.search(sentence) is not None
            yield Named(gene, present=_CALLS[calls.pop()], rest=rest)
    elif calls and not _IN_GENERAL.search(sentence):
        yield Named(gene, clear=False)


def _of_group(names: list[_Token], gene: str, lexicon: Lexicon) -> tuple[list[Named], str]:
    """The variants named, each with its gene: the one named before it, the only one of the group, or the one spoken
    of before. The gene that is spoken of then goes with them; it is not told where there are several."""
    symbols = dict.fromkeys(lexicon.variants.symbol_of(token.text) for token in names if token.kind == "gene")
    if len(symbols) > 1:
        return list(_of_genes(names, lexicon)), NOT_TOLD
    gene = next(iter(symbols), gene)
    return _of_gene(gene, [token for token in names if token.kind != "gene"], lexicon), gene


def _of_genes(names: list[_Token], lexicon: Lexicon) -> Iterator[Named]:
    """Variants after their genes; where one stands before the first gene, it is not told whose any of them is."""
    starts = [n for n, token in enumerate(names) if token.kind == "gene"]
    if starts[0]:
        yield from _of_gene(NOT_TOLD, [token for token in names if token.kind != "gene"], lexicon)
        return
    shared: list[_Token] = []
    found: list[list[Named]] = []
    for start, end in reversed(list(pairwise([*starts, len(names)]))):
        of_this = names[start + 1 : end]
        shared = of_this or (shared if _stands_beside(names[start : end + 1]) else [])
        found.insert(0, _of_gene(lexicon.variants.symbol_of(names[start].text), shared, lexicon))
    yield from chain.from_iterable(found)


def _stands_beside(genes: list[_Token]) -> bool:
    """Whether no more than a slash or an `and` stands between a gene and the next: what that has is of both."""
    return len(genes) > 1 and genes[1].start - genes[0].end <= len(" and ")


def _of_gene(gene: str, names: list[_Token], lexicon: Lexicon) -> list[Named]:
    """The variants of one gene; parts of it only where no variant is named, else the gene as a whole."""
    told = [_own_kind(token, gene, lexicon) for token in names]
    of_kind = {kind: [t.text for t in told if t.kind == kind] for kind in ("variant", "part")}
    written = of_kind["variant"] or of_kind["part"] or [""]
    return [Named(gene, _bare(name), clear=gene != NOT_TOLD) for name in dict.fromkeys(written)]


def _own_kind(token: _Token, gene: str, lexicon: Lexicon) -> _Token:
    """A name that the knowledge has for this gene is a variant's; for another gene it tells a part, unless the gene's
    own codes say it of the whole test."""
    if token.kind != "event":
        return token
    if _is_known(token.text, gene, lexicon):
        return token._replace(kind="variant")
    is_whole = variant_key(token.text) in lexicon.variants.whole_tests.get(gene, ())
    return token._replace(kind="whole" if is_whole else "part")


def _is_known(name: str, gene: str, lexicon: Lexicon) -> bool:
    return variant_key(name) in lexicon.variants.names.get(gene, ())


def is_variant(name: str, gene: str, lexicon: Lexicon) -> bool:
    """Whether it is the name of a variant, and not of the gene or a part of it."""
    return bool(name) and (not _is_part(name) or _is_known(name, gene, lexicon))


def _is_part(name: str) -> bool:
    return bool(name) and not re.fullmatch(VARIANT, name, re.IGNORECASE)


def _bare(name: str) -> str:
    return name.replace("(", "").replace(")", "").strip()
