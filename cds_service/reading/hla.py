"""HLA results: types in GL Strings and in lists, and single alleles found or not found."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from cds_service.codes import Coding
from cds_service.knowledge.nomenclature import HlaTyping, hla_name, parse_gl_string
from cds_service.model import HlaType, Presence, Statement, Undetermined
from cds_service.reading.answers import Answer, presence_of, presence_word
from cds_service.reading.lexicon import HLA_PREFIX, Lexicon
from cds_service.reading.shapes import fold

_GL_SYSTEM = "glstring"
_NAME = re.compile(
    r"(?:HLA[-_ ]?)?(?:\b[A-Z][A-Z0-9]{0,3}[-_ ]?)?\*\s?\d{2,3}:?\d{2,4}[A-Z]?(?::\d{2,4}){0,2}[GPNLSCAQ]?(?![\w:])",
    re.I,
)
_LOW_RESOLUTION = re.compile(r"(?:HLA[-_ ]?)?\b([A-Z][A-Z0-9]{0,3})\*(\d{2,3})(?::([A-Z]{2,5}))?(?![\w:])", re.I)


def alleles_named(text: str) -> tuple[tuple[str, str], ...]:
    """(locus, allele of two fields) for each HLA allele named in the text; the locus may be empty."""
    found = (hla_name(match.group().strip()) for match in _NAME.finditer(text))
    return tuple(dict.fromkeys((name.locus, name.allele) for name in found if name is not None))


def without_alleles(text: str) -> str:
    """The text less the HLA alleles that it names."""
    return _LOW_RESOLUTION.sub(" ", _NAME.sub(" ", text))


def hla_statements(
    symbol: str, answer: Answer, asked: str, code_texts: Iterable[str], lexicon: Lexicon
) -> tuple[Statement, ...]:
    """What a value says of a locus (`HLA-B`). `asked` is the one allele that the Observation's code asks
    about, empty for a typing; `code_texts` are its displays, which may name that allele too."""
    locus = symbol.removeprefix(HLA_PREFIX)
    named = [a for text in code_texts for owner, a in alleles_named(text) if owner in ("", locus)]
    allele = asked or (named[0] if len(set(named)) == 1 else "")
    typings = tuple(_typings(locus, answer, lexicon))
    said = presence_of(answer)
    if typings and said is None:
        return typings
    in_value = {a for text in answer.texts for owner, a in alleles_named(text) if owner in ("", locus)}
    wanted = in_value or ({allele} if allele else set())
    if said is not None:
        return tuple(Presence(name, said) for name in sorted(wanted))
    return (Undetermined(answer.quoted),) if answer.undetermined else ()


def _typings(locus: str, answer: Answer, lexicon: Lexicon) -> Iterator[Statement]:
    found: dict[Statement, None] = {}
    for coding in answer.codings:
        for statement in _of_coding(locus, coding, lexicon):
            found[statement] = None
    for text in answer.texts:
        for statement in _of_words(locus, text, lexicon):
            found[statement] = None
    yield from found


def _of_words(locus: str, text: str, lexicon: Lexicon) -> Iterator[Statement]:
    if is_gl_string(text):
        yield from gl_string_types(text, locus)
    else:
        yield from filter(None, (_of_text(locus, text, lexicon),))


def is_gl_string(text: str) -> bool:
    """Whether the text is a GL String and no list: it names its allele database, or separates loci."""
    return text.lower().startswith("hla#") or text.startswith("#hla#") or ("^" in text and "HLA-" in text)


def gl_string_types(text: str, locus: str) -> tuple[HlaType, ...]:
    """The types of a locus in a GL String."""
    return tuple(_of_typing(typing) for typing in parse_gl_string(text) if typing.locus == locus)


def _of_coding(locus: str, coding: Coding, lexicon: Lexicon) -> Iterator[Statement]:
    if _GL_SYSTEM in coding.system or "#" in coding.code:
        yield from gl_string_types(coding.code, locus)
        return
    symbol, allele = lexicon.variant_alleles.get(fold(coding.code), ("", ""))
    if symbol == f"{HLA_PREFIX}{locus}":
        yield HlaType((allele,), complete=False)
    else:
        yield from _of_words(locus, coding.code, lexicon)


def _of_typing(typing: HlaTyping) -> HlaType:
    sure = tuple(dict.fromkeys(c[0] for c in typing.chromosomes if len(c) == 1))
    doubtful = tuple(dict.fromkeys(a for c in typing.chromosomes if len(c) > 1 for a in c))
    return HlaType(sure, len(typing.chromosomes) == 2 and not typing.refused, doubtful)


def _of_text(locus: str, text: str, lexicon: Lexicon) -> HlaType | None:
    """A list of alleles outside a GL String: `/`, `+` and `,` separate the two chromosomes."""
    if presence_word(text) is not None:
        return None
    alleles = [a for owner, a in _each_allele(text) if owner in ("", locus)]
    low = [m for m in _LOW_RESOLUTION.finditer(_NAME.sub(" ", text)) if m.group(1).upper() == locus]
    open_alleles = tuple(dict.fromkeys(a for m in low for a in _possible(locus, m.group(2), lexicon)))
    if not alleles and not low:
        return None
    return HlaType(tuple(dict.fromkeys(alleles)), len(alleles) + len(low) == 2, open_alleles)


def _each_allele(text: str) -> Iterator[tuple[str, str]]:
    """Every allele as often as it is named: twice the same is a homozygous type."""
    names = (hla_name(match.group().strip()) for match in _NAME.finditer(text))
    yield from ((name.locus, name.allele) for name in names if name is not None)


def _possible(locus: str, field: str, lexicon: Lexicon) -> tuple[str, ...]:
    """The alleles of our markers that a name of one field leaves possible."""
    return tuple(
        sorted(m.allele for m in lexicon.markers.values() if m.locus == locus and m.allele.startswith(f"*{field}:"))
    )
