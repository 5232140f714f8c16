"""What the value of an Observation says of a gene, with code, display and text held against each other."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from cds_service.knowledge.schema import Gene
from cds_service.memory import LONGEST_CONTENT
from cds_service.model import (
    ActivityScore,
    Diplotype,
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

_SCORE = re.compile(
    r"\b(?:activity\s+(?:score|value)|AS)\b\s*(?:\([A-Z]+\))?\s*(?:of|is|[:=])?\s*(≥|>=|>)?\s*(\d+(?:\.\d+)?)(?!\s*(?:-|to|–)\s*\d)",
    re.IGNORECASE,
)
_CALL_WORDS = re.compile(
    r"\b(?:not|non|was|is|detected|present|absent|positive|negative|carrier|variant|mutation|none)\b", re.IGNORECASE
)
_FILLERS = frozenset(
    {"genotype", "diplotype", "phenotype", "predicted", "result", "results", "interpretation", "status", "activity",
     "score", "value", "metabolizer", "metabolism", "function", "functional", "the", "is", "a", "an", "of", "gene",
     "and", "with", "consistent", "call", "patient", "for", "allele", "alleles"}
)  # fmt: skip
_NEGATIONS = frozenset({"not", "no", "without", "unlikely", "if", "cannot", "neither", "nor", "unless", "versus",
                        "family", "mother", "father", "exclude", "excluded"})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Said:
    """`statements` are what the value says, at most one of each kind; `narrative` is true where it had to be
    found among other words; `unknown_answers` are answer codes that the gene has no term for."""

    statements: tuple[Statement, ...] = ()
    narrative: bool = False
    unknown_answers: tuple[str, ...] = ()


@dataclass(slots=True)
class _Voices:
    """What each part of the value says, by kind."""

    by_kind: defaultdict[type, dict[Statement, None]] = field(default_factory=lambda: defaultdict(dict))
    narrative: bool = False

    def hear(self, statements: Iterable[Statement]) -> None:
        for statement in statements:
            kind = type(statement)
            if kind is not Undetermined or kind not in self.by_kind:
                self.by_kind[kind][statement] = None


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
        voices.hear([Phenotype(term)] if term else ())
        unknown += [coding.code] if not term and (coding.system, coding.code) in lexicon.answers else []
        if "*" in coding.code:
            voices.hear(_hear_text(coding.code, gene, lexicon, voices))
    for text in answer.texts:
        voices.hear(_hear_text(text, gene, lexicon, voices))
    if answer.undetermined and not voices.by_kind:
        voices.hear([Undetermined(answer.quoted)])
    return Said(_settled(voices, answer), voices.narrative, tuple(unknown))


def _settled(voices: _Voices, answer: Answer) -> tuple[Statement, ...]:
    for statements in voices.by_kind.values():
        if len(statements) > 1:
            says = (*answer.texts, *(c.code for c in answer.codings if c.code))
            return (SelfContradiction(tuple(dict.fromkeys(says))),)
    return tuple(s for statements in voices.by_kind.values() for s in statements)


def _hear_text(text: str, gene: Gene, lexicon: Lexicon, voices: _Voices) -> tuple[Statement, ...]:
    statements, rest = statements_in(text, gene, lexicon)
    if statements and rest:
        voices.narrative = True
    return statements


def statements_in(text: str, gene: Gene, lexicon: Lexicon) -> tuple[tuple[Statement, ...], str]:
    """What a text says of a gene, and the words that the grammar did not use.

    Words that negate or suppose take everything back: such a text says nothing.
    """
    if fold(without_symbol(text, gene.symbol)) in UNDETERMINED_WORDS:
        return (Undetermined(text),), ""
    single = _single_allele(text, gene)
    if single is not None:
        return (single,), ""
    diplotypes, rest = diplotypes_in(text, gene)
    if not diplotypes and (reference := reference_diplotype(text, gene)):
        return (Diplotype(reference),), ""
    scores = tuple(dict.fromkeys(_scores_in(rest)))
    terms, rest = terms_in(_SCORE.sub(" ", rest), gene.symbol, lexicon)
    left = [word for word in rest.split() if word not in _FILLERS and word not in fold(gene.symbol).split()]
    if _NEGATIONS & set(left):
        return (), " ".join(left)
    genotype: tuple[Statement, ...] = tuple(Diplotype(d) for d in diplotypes)
    if len(diplotypes) > 1:
        # A text that leaves several genotypes open (`*1/*3A or *3B/*3C`) is no contradiction but no call either.
        genotype = (Undetermined(text),)
    return (*genotype, *(Phenotype(t) for t in terms), *scores), " ".join(left)


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
