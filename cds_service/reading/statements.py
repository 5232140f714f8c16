"""What the value of an Observation says of a gene, with code, display and text held against each other."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from cds_service.knowledge.nomenclature import normalised
from cds_service.knowledge.schema import Gene
from cds_service.memory import LONGEST_CONTENT
from cds_service.model import (
    INDETERMINATE,
    ActivityScore,
    Diplotype,
    GapReason,
    NotReadable,
    OneOf,
    Phenotype,
    Presence,
    SelfContradiction,
    Statement,
    Undetermined,
)
from cds_service.reading.alleles import (
    allele_with_zygosity,
    diplotype_of_copies,
    diplotypes_in,
    known_allele,
    reference_diplotype,
    without_symbol,
    without_words,
)
from cds_service.reading.answers import Answer, presence_word
from cds_service.reading.lexicon import Lexicon
from cds_service.reading.phenotype_terms import term_of_code, terms_in
from cds_service.reading.shapes import fold
from cds_service.reading.vocabulary import UNDETERMINED_WORDS

_PARTS = re.compile(r"[.;,](?:\s+|$)")
_SCORE = re.compile(
    r"\b(?:activity\s+(?:score|value)|AS)\b\s*(?:\([A-Z]+\))?\s*(?:of|is|[:=])?\s*(≥|>=|>)?\s*(\d+(?:\.\d+)?)(?![\d.]*\d|\s*(?:-|to|–)\s*\d)",
    re.IGNORECASE,
)
_CALL_WORDS = re.compile(
    r"\b(?:not|non|was|is|detected|present|absent|positive|negative|carrier|variant|mutation|none)\b", re.IGNORECASE
)
TAKEN_BACK = GapReason.NOT_UNDERSTOOD
OTHER_WORDS = GapReason.OTHER_WORDS


@dataclass(frozen=True, slots=True)
class Said:
    """`statements` are what the value says, at most one of each kind; `narrative` is true where it had to be
    found among other words; `unknown_answers` are answer codes that the gene has no term for."""

    statements: tuple[Statement, ...] = ()
    narrative: bool = False
    unknown_answers: tuple[str, ...] = ()


@dataclass(slots=True)
class _Voices:
    """What each part of the value says, by kind; `coded` are the phenotypes that answer codes mean."""

    by_kind: defaultdict[type, dict[Statement, None]] = field(default_factory=lambda: defaultdict(dict))
    coded: set[Statement] = field(default_factory=set)
    narrative: bool = False

    def hear(self, statements: Iterable[Statement]) -> None:
        for statement in statements:
            kind = kind_of(statement)
            if kind is not Undetermined or kind not in self.by_kind:
                self.by_kind[kind][statement] = None


def kind_of(statement: Statement) -> type:
    """Two statements of one kind that differ contradict each other."""
    return Phenotype if isinstance(statement, OneOf) else type(statement)


def statements_of(answer: Answer, gene: Gene, lexicon: Lexicon) -> Said:
    """What a value says of a gene. Parts that disagree within one kind make one SelfContradiction; a phenotype
    beside a diplotype stays beside it."""
    if any(len(text) > LONGEST_CONTENT for text in answer.texts):
        return _statements_of(answer, gene, lexicon)
    said: Said = lexicon.remembered.get(("said", gene.symbol, answer), _statements_of, answer, gene, lexicon)
    return said


def _statements_of(answer: Answer, gene: Gene, lexicon: Lexicon) -> Said:
    voices = _Voices()
    unknown = []
    for coding in answer.codings:
        term = term_of_code(coding, gene.symbol, lexicon)
        voices.coded |= {Phenotype(term)} if term else set()
        voices.hear(voices.coded)
        unknown += [coding.code] if not term and (coding.system, coding.code) in lexicon.answers else []
        if "*" in coding.code:
            voices.hear(_hear_text(coding.code, gene, lexicon, voices))
    for text in answer.texts:
        voices.hear(_hear_text(text, gene, lexicon, voices))
    if answer.undetermined and not voices.by_kind:
        voices.hear([Undetermined(answer.quoted)])
    return Said(_settled(voices, answer), voices.narrative, tuple(unknown))


def _settled(voices: _Voices, answer: Answer) -> tuple[Statement, ...]:
    if unread := tuple(voices.by_kind[NotReadable]):
        # Words that were not understood may change what the other parts of the value say.
        return unread[:1]
    for statements in voices.by_kind.values():
        if len(statements) > 1:
            says = (*answer.texts, *(c.code for c in answer.codings if c.code))
            return (SelfContradiction(tuple(dict.fromkeys(says))),)
    return tuple(s for statements in voices.by_kind.values() for s in statements)


def _hear_text(text: str, gene: Gene, lexicon: Lexicon, voices: _Voices) -> tuple[Statement, ...]:
    heard = _heard(text, gene, lexicon)
    if not heard.calls:
        return ()
    by_code = heard.refusal == OTHER_WORDS and heard.says <= voices.coded
    voices.narrative = voices.narrative or (heard.rest and (by_code or not heard.refusal))
    # Where the code makes the call, the text may name the same one among words of its own.
    return () if by_code else heard.statements


def statements_in(text: str, gene: Gene, lexicon: Lexicon) -> tuple[Statement, ...]:
    """What a text says of a gene. A call beside words that may change it or take it back is not readable; a text
    without a call says nothing."""
    return _heard(text, gene, lexicon).statements


class _Heard(NamedTuple):
    """The calls in a text; `refusal` is why they do not count, None where they do; `rest` whether there were words
    beside them."""

    calls: tuple[Statement, ...] = ()
    refusal: GapReason | None = None
    rest: bool = False

    @property
    def says(self) -> set[Statement]:
        return set(self.calls)

    @property
    def statements(self) -> tuple[Statement, ...]:
        return (NotReadable(self.refusal),) if self.refusal else self.calls


def _heard(text: str, gene: Gene, lexicon: Lexicon) -> _Heard:
    """What the text says as a whole or, where words stand in the way, part by part: each part has to make a call by
    itself (`Heterozygous for c.1905+1G>A. Intermediate metaboliser.`)."""
    whole = _heard_whole(text, gene, lexicon)
    parts = [part for part in _PARTS.split(text) if part.strip()] if whole.refusal is OTHER_WORDS else []
    told = [_heard_whole(part, gene, lexicon) for part in parts]
    if len(told) < 2 or not all(part.calls and part.refusal is None for part in told):
        return whole
    return _Heard(tuple(dict.fromkeys(call for part in told for call in part.calls)), rest=True)


def _heard_whole(text: str, gene: Gene, lexicon: Lexicon) -> _Heard:
    if fold(without_symbol(text, gene.symbol)) in UNDETERMINED_WORDS:
        return _Heard((Undetermined(text),))
    single = _single_allele(text, gene)
    if single is not None:
        return _Heard((single,))
    diplotypes, rest = diplotypes_in(text, gene)
    if not diplotypes and (reference := reference_diplotype(text, gene)):
        return _Heard((Diplotype(reference),))
    scores = tuple(dict.fromkeys(_scores_in(rest)))
    terms = terms_in(_SCORE.sub(" ", rest), gene.symbol, lexicon)
    left, duplicated = lexicon.duplications.subn(" ", lexicon.harmless.sub(" ", terms.rest))
    words = _unnamed(left, gene)
    genotype = _duplicated(diplotypes, gene) if duplicated else diplotypes
    beside = (*(phenotype_of(group, text) for group in terms.found), *scores)
    calls = (*_genotype(genotype or diplotypes, text), *beside) if genotype or not beside else beside
    called = any(not isinstance(call, Undetermined) for call in calls)
    refusal = _refusal(words, text, lexicon, placed=bool(genotype or beside)) if called else None
    return _Heard(calls, refusal, bool(_unnamed(lexicon.fillers.sub(" ", terms.rest), gene)))


def _unnamed(words: str, gene: Gene) -> str:
    """The words without those that name the gene itself."""
    symbol = fold(gene.symbol)
    own = {*symbol.split(), symbol.removeprefix("cyp")}
    return " ".join(word for word in words.split() if word not in own)


def _refusal(words: str, text: str, lexicon: Lexicon, *, placed: bool) -> GapReason | None:
    """Why a call does not count: words that take it back, a duplication of which nobody says whose it is, or any
    other word that is not known to change nothing."""
    if lexicon.doubts.search(words) or "?" in text:
        return TAKEN_BACK
    return OTHER_WORDS if words or not placed else None


def _duplicated(diplotypes: tuple[str, ...], gene: Gene) -> tuple[str, ...]:
    """The genotype with a duplication that the text adds in words: of two equal alleles it is one's; of two that
    differ it is not said which one's, and the genotype is no call."""
    chromosomes = [tuple(diplotype.split("/")) for diplotype in diplotypes]
    if len(chromosomes) != 1 or len(set(chromosomes[0])) != 1:
        return ()
    return (normalised(gene, f"{chromosomes[0][0]}/{chromosomes[0][0]}xN"),)


def _genotype(diplotypes: tuple[str, ...], text: str) -> tuple[Statement, ...]:
    if len(diplotypes) > 1:
        # A text that leaves several genotypes open (`*1/*3A or *3B/*3C`) is no contradiction but no call either.
        return (Undetermined(text),)
    return tuple(Diplotype(diplotype) for diplotype in diplotypes)


def phenotype_of(terms: tuple[str, ...], text: str) -> Statement:
    """The phenotype, or those that the text leaves open."""
    if len(terms) == 1:
        return Phenotype(terms[0])
    return Undetermined(text) if INDETERMINATE in terms else OneOf(terms)


def _single_allele(text: str, gene: Gene) -> Statement | None:
    """An allele named with its zygosity, or as found or not found."""
    allele, copies = allele_with_zygosity(text, gene)
    if allele and copies is not None:
        return Diplotype(diplotype_of_copies(allele, copies, gene))
    present = presence_word(text)
    if present is None:
        return None
    bare = without_words(text, _CALL_WORDS)
    allele = known_allele(bare, gene) if bare else ""
    return Presence(allele, present) if allele else None


def _scores_in(text: str) -> Iterator[ActivityScore]:
    for match in _SCORE.finditer(text):
        yield ActivityScore(float(match.group(2)), bool(match.group(1)))
