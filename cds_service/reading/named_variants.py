"""What the words of a result say of variants of a tumour, gene by gene, held against its code and each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from cds_service.knowledge.variant_names import variant_key
from cds_service.model import GapReason, NotReadable, Presence, SelfContradiction, Statement
from cds_service.reading.answers import Answer, presence_of
from cds_service.reading.lexicon import Lexicon
from cds_service.reading.readings import says_of
from cds_service.reading.variant_sentences import NOT_TOLD, Named, is_plain, is_variant, variants_in

_UNCLEAR = NotReadable(GapReason.NOT_UNDERSTOOD)


def statements_by_gene(
    answer: Answer, own: str, lexicon: Lexicon, *, interpreted: bool | None = None
) -> Mapping[str, tuple[Statement, ...]]:
    """Gene -> what the value says of its variants, where its words name a variant or another gene; else empty. `own`
    as in `variants_in`; the interpretation counts where the value has no call at all."""
    coded = presence_of(replace(answer, texts=()))
    shown = {coding.display for coding in answer.codings} if coded is not None else set()
    found = [one for text in answer.texts if text not in shown for one in variants_in(text, own, lexicon)]
    if not any(one.name or one.gene not in {own, NOT_TOLD} for one in found):
        return {}
    has_call = coded is not None or any(one.present is not None or not one.clear for one in found)
    call = coded if has_call else interpreted
    return {gene: _of_one(gene, own, found, answer, coded=call) for gene in dict.fromkeys(one.gene for one in found)}


def is_one_alone(answer: Answer, own: str, lexicon: Lexicon) -> bool:
    """Whether the value is the name of one variant and says no more: as the result of a test, it was found. A change
    of the coding sequence beside one of the protein is the same variant."""
    if len(set(answer.texts)) != 1 or not is_plain(answer.texts[0], lexicon):
        return False
    found = variants_in(answer.texts[0], own, lexicon)
    named = all(is_variant(one.name, one.gene, lexicon) and one.clear and one.present is None for one in found)
    return named and len({one.gene for one in found} - {NOT_TOLD}) == 1 and _are_of_one([one.name for one in found])


def _are_of_one(names: list[str]) -> bool:
    return len(names) == 1 or (len(names) == 2 and sum(name.startswith("c.") for name in names) == 1)


def _of_one(gene: str, own: str, found: list[Named], answer: Answer, *, coded: bool | None) -> tuple[Statement, ...]:
    """What is said of one gene. A call of the code is of the gene that the result is about, or of all."""
    mine = [one for one in found if one.gene == gene]
    call = coded if own in {gene, ""} else None
    told = _with_call(mine, coded=call, is_alone=len({one.gene for one in found}) == 1)
    if _disagree(told, coded=call if gene == own else None):
        return (SelfContradiction(says_of(answer)),)
    said = tuple(_said_of(told))
    is_open = not said or any(not one.clear for one in mine)
    return (*said, _UNCLEAR) if is_open else said


def _with_call(mine: list[Named], *, coded: bool | None, is_alone: bool) -> list[Named]:
    """What has a call, and what stands without one with that of the code, or where none was found at all with that.
    Several genes are not all present where a code says so of them together."""
    called = [one for one in mine if one.present is not None]
    whole = {one.present for one in called if not one.name}
    call = coded if coded is not None else False if whole == {False} else None
    bare = [one for one in mine if one.present is None and one.clear and (one.name or is_alone or not call)]
    if call is None or not bare:
        return called
    limited = [one for one in called if one.name or one.present or one.rest]
    return [*limited, *(replace(one, present=call) for one in bare)]


def _disagree(told: list[Named], *, coded: bool | None) -> bool:
    """Whether a variant, or a variant and the gene as a whole or the code beside the words, are both present and
    absent."""
    names = {
        call: {variant_key(one.name) for one in told if one.name and one.present is call} for call in (True, False)
    }
    whole = {one.present for one in told if not one.name and not one.rest}
    is_there = bool(names[True]) or True in whole
    by_words = not names[True].isdisjoint(names[False]) or (False in whole and is_there)
    return by_words or (coded is False and is_there) or (coded is True and bool(told) and not is_there)


def _said_of(told: list[Named]) -> Iterator[Statement]:
    named = [Presence(one.name, bool(one.present)) for one in told if one.name]
    whole = {one.present for one in told if not one.name}
    yield from dict.fromkeys(named)
    if not any(presence.present for presence in named) and whole:
        yield Presence("", present=True in whole)
