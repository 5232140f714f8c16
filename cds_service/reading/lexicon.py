"""The knowledge turned round for reading: from codes, symbols and words to markers, terms and conditions."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from cds_service.codes import LOINC, TEST, Coding
from cds_service.knowledge.base import Knowledge
from cds_service.knowledge.derived import (
    events_that_spoil,
    observables_telling,
    once_for_each,
    spoiling_conditions,
)
from cds_service.knowledge.schema import (
    CodeRole,
    Gene,
    HlaMarker,
    Observable,
    ObservationCode,
    ResultWords,
    SupplyLengths,
)
from cds_service.memory import Memory, content_key
from cds_service.model import REFERRAL_TO_GENETICS
from cds_service.reading.shapes import fold
from cds_service.reading.variant_words import VariantWords, variant_words_of
from cds_service.reading.vocabulary import (
    ABSENT_WORDS,
    CALLED_NEGATIVE,
    FOUND_WORDS,
    MISSED_WORDS,
    NEGATING_WORDS,
    PRESENT_WORDS,
    TAKEN_BACK_BEHIND,
)

HLA_PREFIX = "HLA-"

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class CodeMeaning:
    """What an Observation code means: the symbol of a gene or locus, and which kind of result it carries."""

    symbol: str
    role: CodeRole
    ambiguous: bool = False
    allele: str = ""
    """The one allele that the code asks about, for codes of role `presence`."""


@dataclass(frozen=True, slots=True)
class FaultWords:
    """What says that a sample has a fault: codes of its condition, and words in folded text."""

    id: str
    codes: frozenset[str]
    words: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Everything that reading looks up. Symbols are gene symbols and HLA loci (`HLA-B`)."""

    genes: Mapping[str, Gene]
    markers: Mapping[str, HlaMarker]
    symbols: Mapping[str, str]
    """Folded symbol -> symbol."""
    symbol_pattern: re.Pattern[str]
    products: Mapping[str, str]
    """Folded name of what a gene codes for -> symbol."""
    by_hgnc: Mapping[str, str]
    by_ncbi: Mapping[str, str]
    codes: Mapping[tuple[str, str], tuple[CodeMeaning, ...]]
    observables: Mapping[str, Observable]
    observable_codes: Mapping[tuple[str, str], tuple[str, ...]]
    """(system, code) of an Observation -> ids of the observables that it reports."""
    listed: Mapping[tuple[str, str], tuple[str, ...]]
    """(system, code) of a problem list -> ids of the observables that it says were found."""
    observable_code_values: frozenset[str]
    """The codes of `observable_codes` without their systems."""
    observable_names: Mapping[str, str]
    """Folded name of a result without a code -> id of the observable."""
    observable_genes: Mapping[str, tuple[str, ...]]
    """Gene symbol -> ids of the observables that are about this gene."""
    unit_spellings: Mapping[str, str]
    tests: Mapping[tuple[str, str], tuple[str, ...]]
    """(system, code) of an order -> markers that it answers."""
    test_names: Mapping[str, tuple[str, ...]]
    """Folded name of a result -> markers that an order of this name answers."""
    answers: Mapping[tuple[str, str], str]
    answer_genes: Mapping[tuple[str, str], str]
    """(system, code) of a finding that names its gene itself -> symbol."""
    gene_labels: Mapping[str, Mapping[str, tuple[str, ...]]]
    """Gene -> folded label or term -> standard term, or those between which it leaves open; its own labels before
    the general ones."""
    diagnoses: Mapping[str, tuple[tuple[str, tuple[str, ...]], ...]]
    """Condition key -> genes of which it tells the phenotype, each with the terms that it may mean."""
    variant_alleles: Mapping[str, tuple[str, str]]
    """Folded identifier of a variant -> (HLA locus symbol, allele)."""
    condition_codes: Mapping[tuple[str, str], tuple[str, ...]]
    condition_prefixes: tuple[tuple[str, str, str], ...]
    """(system, prefix, condition key)."""
    condition_words: Mapping[str, tuple[str, ...]]
    """First folded word -> condition keys that have a text beginning with it."""
    condition_texts: Mapping[str, tuple[str, ...]]
    condition_negations: Mapping[str, tuple[str, ...]]
    """Condition key -> words that take its texts back where they stand ahead of one."""
    condition_strangers: Mapping[str, tuple[str, ...]]
    """Condition key -> phrases that hold a text of it and do not mean it."""
    lasting: frozenset[str]
    """Condition keys that count for life."""
    spoiling: frozenset[str]
    """Condition keys that make results of their time unreliable."""
    events: frozenset[str]
    """Those, and the keys by which such an event is told to spoil nothing."""
    fillers: re.Pattern[str]
    """Words that belong to a call, in folded text."""
    harmless: re.Pattern[str]
    """Those, and words beside a call that change nothing."""
    retractions: re.Pattern[str]
    """Words that take any result back, or say it of someone else."""
    doubts: re.Pattern[str]
    """Those, and words that deny a call or suppose it."""
    duplications: re.Pattern[str]
    """A duplication without its number."""
    liquid_biopsies: re.Pattern[str]
    """Specimens in which a tumour's variant may be missed."""
    inherited_too: frozenset[str]
    """Genes of a tumour of which inherited variants are known too: words do not always tell them apart."""
    marker_words: Mapping[str, tuple[str, ...]]
    """What sentences call a tumour's marker -> ids of the observables that may be meant."""
    marker_pattern: re.Pattern[str]
    """Any of those names, in folded text."""
    called_negative: re.Pattern[str]
    """A marker of a tumour that is called negative, which denies no tumour: `HER2 negative breast cancer`."""
    variants: VariantWords
    supplies: SupplyLengths
    sample_faults: Mapping[str, tuple[FaultWords, ...]]
    """Observable -> what may be said of a sample that touches its value."""
    harmless_of_tumours: re.Pattern[str]
    """Words beside what is said of a tumour's marker that change nothing, in folded text."""
    words_around_values: tuple[str, ...]
    """Those words, calls among them, as they may stand around a number."""
    calls_of_tumours: re.Pattern[str]
    """Found and not found, in folded text."""
    remembered: Memory[Any, Any] = field(default_factory=Memory, repr=False, compare=False)
    """What readers worked out with this lexicon, by its name and its content."""
    results: Memory[bytes, Any] = field(default_factory=Memory, repr=False, compare=False)
    """What results say by themselves, by their content."""

    def of_content(self, kind: str, value: object, make: Callable[[Any, Lexicon], V]) -> V:
        """What `make` gives for decoded JSON and this lexicon, which is remembered with the kind of question where it
        is short."""
        content = content_key(value)
        if content is None:
            return make(value, self)
        found: V = self.remembered.get((kind, content), make, value, self)
        return found

    def symbols_in(self, text: str) -> tuple[str, ...]:
        """Symbols that stand in the text as whole words, each once, in their order.

        A cytochrome may be spelled out (`cytochrome P450 2D6`); an allele may follow at once (`CYP2C19*2`), and a
        locus before the fields of an allele needs no prefix (`B*57:01`).
        """
        found: tuple[str, ...] = self.remembered.get_by_text("symbols", text, self._symbols_in)
        return found

    def _symbols_in(self, text: str) -> tuple[str, ...]:
        spelled = _BARE_LOCUS.sub(HLA_PREFIX, _CYTOCHROME.sub(r"CYP\1", text))
        found = (self.symbols[fold(m.group())] for m in self.symbol_pattern.finditer(spelled))
        return tuple(dict.fromkeys(found))

    def symbols_by_product(self, text: str) -> frozenset[str]:
        """Symbols of the genes whose products stand in the text as whole words."""
        padded = f" {fold(text)} "
        return frozenset(symbol for name, symbol in self.products.items() if f" {name} " in padded)

    def other_symbols_in(self, text: str) -> frozenset[str]:
        """Symbols of genes that stand outside the germline genes, written as symbols are: `MET`, never `met`."""
        return frozenset(_SYMBOL.findall(text)).intersection(self.observable_genes)

    def takes_back(self, texts: Iterable[str]) -> bool:
        """Whether a text takes its result back or says it of someone else: `negative (donor)`."""
        return any(self.retractions.search(fold(text)) for text in texts)

    def liquid_in(self, texts: Iterable[str]) -> str:
        """The liquid biopsy that a text names, as the words have it; empty where none does."""
        found = (self.liquid_biopsies.search(fold(text)) for text in texts)
        return next((match.group() for match in found if match is not None), "")

    def observables_of(self, codings: Iterable[Coding]) -> tuple[str, ...]:
        """Ids of the observables that the codes of an Observation report. A code of LOINC's that is sent without its
        system is known by itself: no other system writes its codes so."""
        coded = ((c.system or LOINC, c.code) for c in codings)
        return tuple(dict.fromkeys(i for code in coded for i in self.observable_codes.get(code, ())))

    def meanings(self, codings: Iterable[Coding]) -> tuple[CodeMeaning, ...]:
        """What the codings mean as codes of Observations of our markers, LOINC's also without its system."""
        found = (m for c in codings for m in self.codes.get((c.system or LOINC, c.code), ()))
        return tuple(dict.fromkeys(found))

    def conditions(self, codings: Iterable[Coding], texts: Iterable[str]) -> frozenset[str]:
        """Condition keys that codes or texts mean. A text that negates or supposes means none."""
        by_code = (keys for c in codings if (keys := self.remembered.get(c, self._conditions_of_code, c)))
        by_text = (self.remembered.get_by_text("conditions", text, self._conditions_in) for text in texts)
        return frozenset().union(*by_code, *by_text)

    def _conditions_of_code(self, coding: Coding) -> frozenset[str]:
        plain = _plain(coding.code)
        own = self.condition_codes.get((coding.system, coding.code), ())
        prefixes = (p for p in self.condition_prefixes if p[0] == coding.system)
        return frozenset((*own, *(key for _, prefix, key in prefixes if plain.startswith(prefix))))

    def _conditions_in(self, text: str) -> frozenset[str]:
        return frozenset(self._keys_in(fold(text)))

    def _keys_in(self, folded: str) -> Iterator[str]:
        padded = f" {folded} "
        candidates = {key for word in folded.split() for key in self.condition_words.get(word, ())}
        for key in sorted(candidates):
            told = _standing(_without(padded, self.condition_strangers.get(key, ())), self.condition_texts[key])
            before = (told.partition(f" {text} ") for text in self.condition_texts[key])
            words = (*NEGATING_WORDS, *self.condition_negations.get(key, ()))
            if any(found and not _negates(self.called_negative.sub(" ", ahead), words) for ahead, found, _ in before):
                yield key


def _standing(padded: str, names: Iterable[str]) -> str:
    """The text without the names that it takes back right behind them, of several the longest."""
    kept, begun = "", 0
    for found in TAKEN_BACK_BEHIND.finditer(padded):
        ahead, begun = padded[begun : found.start()], found.start()
        name = max((name for name in names if ahead.endswith(f" {name} ")), key=len, default="")
        kept += ahead[: -len(f"{name} ")] if name else ahead
    return kept + padded[begun:]


def _without(padded: str, phrases: Iterable[str]) -> str:
    for phrase in phrases:
        padded = padded.replace(f" {phrase} ", " ")
    return padded


def _negates(ahead: str, words: Iterable[str]) -> bool:
    """Whether words ahead of a condition take it back: `no`, `family history of`."""
    return any(f" {word} " in f"{ahead} " for word in words)


_SYMBOL = re.compile(r"[A-Z][A-Z0-9]+")
_BARE_LOCUS = re.compile(r"(?<![\w-])(?=[A-Z][A-Z0-9]{0,3}\*\s?\d{2,3}:\d{2})")
_CYTOCHROME = re.compile(r"(?:cytochrome\s+)?\bp-?450[\s,]*(\d[a-z]\d+)", re.IGNORECASE)


@once_for_each
def lexicon_of(knowledge: Knowledge) -> Lexicon:
    """The lexicon of a knowledge base, made on first use."""
    loci = {f"{HLA_PREFIX}{marker.locus}" for marker in knowledge.hla.values()}
    symbols = {fold(symbol): symbol for symbol in (*knowledge.genes, *sorted(loci))}
    texts = {key: tuple(_singular_and_plural(c.texts)) for key, c in knowledge.conditions.items()}
    return Lexicon(
        genes=knowledge.genes,
        markers=knowledge.hla,
        symbols=symbols,
        symbol_pattern=_symbol_pattern(symbols.values()),
        products={name: gene.symbol for gene in knowledge.genes.values() for name in gene.products},
        by_hgnc={
            **{_digits(o.hgnc): o.gene for o in knowledge.observables.values() if o.hgnc},
            **{_digits(g.hgnc): g.symbol for g in knowledge.genes.values() if g.hgnc},
        },
        by_ncbi={g.ncbi: g.symbol for g in knowledge.genes.values() if g.ncbi},
        codes=_grouped(_codes(knowledge)),
        observables=knowledge.observables,
        observable_codes=_grouped(
            ((code.system, code.code), o.id) for o in knowledge.observables.values() for code in o.codes
        ),
        listed=_grouped(((c.system, c.code), o.id) for o in knowledge.observables.values() for c in o.listed),
        observable_code_values=frozenset(c.code for o in knowledge.observables.values() for c in o.codes),
        observable_names={fold(name): o.id for o in knowledge.observables.values() for name in o.names},
        observable_genes=_grouped((o.gene, o.id) for o in knowledge.observables.values() if o.gene),
        unit_spellings=knowledge.unit_spellings,
        tests=_grouped(_test_markers(knowledge)),
        test_names=_grouped(_ordered_names(knowledge)),
        answers=knowledge.answer_codes,
        answer_genes=knowledge.answer_genes,
        gene_labels={symbol: _labels(gene, knowledge) for symbol, gene in knowledge.genes.items()},
        diagnoses=_grouped(
            (key, (gene.symbol, terms)) for gene in knowledge.genes.values() for key, terms in gene.listed.items()
        ),
        variant_alleles={
            fold(code): (f"{HLA_PREFIX}{m.locus}", m.allele)
            for m in knowledge.hla.values()
            for code in m.variant_codes
        },
        condition_codes=_grouped(
            ((c.system, c.code), key)
            for key, condition in knowledge.conditions.items()
            for c in condition.codes
            if not c.code.endswith("*")
        ),
        condition_prefixes=tuple(
            (c.system, _plain(c.code.rstrip("*")), key)
            for key, condition in knowledge.conditions.items()
            for c in condition.codes
            if c.code.endswith("*")
        ),
        condition_words=_grouped((t.partition(" ")[0], key) for key, ts in texts.items() for t in ts),
        condition_texts=texts,
        condition_negations={k: tuple(map(fold, c.taken_back_by)) for k, c in knowledge.conditions.items()},
        condition_strangers={k: tuple(map(fold, c.not_in)) for k, c in knowledge.conditions.items()},
        fillers=words_pattern(knowledge.result_words.fillers),
        harmless=words_pattern((*knowledge.result_words.fillers, *knowledge.result_words.narrative)),
        retractions=words_pattern(knowledge.result_words.retractions),
        doubts=words_pattern((*knowledge.result_words.retractions, *knowledge.result_words.negations)),
        duplications=words_pattern(knowledge.result_words.duplications),
        inherited_too=frozenset(o.gene for o in knowledge.observables.values() if o.id.startswith("germline:")),
        marker_words=_grouped((fold(w), o.id) for o in knowledge.observables.values() for w in o.in_words),
        marker_pattern=words_pattern(w for o in knowledge.observables.values() for w in o.in_words),
        called_negative=words_pattern(f"{name} negative" for name in _names_of_markers(knowledge)),
        liquid_biopsies=words_pattern(knowledge.result_words.liquid_biopsies),
        variants=variant_words_of(knowledge),
        supplies=knowledge.supplies,
        sample_faults=_grouped(_faults(knowledge)),
        harmless_of_tumours=words_pattern(_harmless_of_tumours(knowledge.result_words)),
        words_around_values=(*_harmless_of_tumours(knowledge.result_words), *PRESENT_WORDS, *ABSENT_WORDS),
        calls_of_tumours=words_pattern(("no", *FOUND_WORDS, *MISSED_WORDS)),
        lasting=frozenset(key for key, condition in knowledge.conditions.items() if condition.lasting),
        spoiling=spoiling_conditions(knowledge),
        events=events_that_spoil(knowledge),
    )


def _names_of_markers(knowledge: Knowledge) -> Iterator[str]:
    """What is called negative of a tumour: its markers and their genes, receptors in general, and lymph nodes."""
    yield from CALLED_NEGATIVE
    for observable in knowledge.observables.values():
        yield from (*observable.names, *observable.in_words)
        if observable.gene:
            yield observable.gene


def _harmless_of_tumours(words: ResultWords) -> tuple[str, ...]:
    return (*words.fillers, *words.narrative, *words.tumours, *words.liquid_biopsies)


def _singular_and_plural(texts: Iterable[str]) -> Iterator[str]:
    """Texts for comparing, phrases that are no plural with their plural: `major burn`, `major burns`."""
    for text in map(fold, texts):
        yield text
        if " " in text and not text.endswith("s"):
            yield f"{text}s"


def _plain(code: str) -> str:
    return code.replace(".", "").upper()


def _digits(text: str) -> str:
    return "".join(re.findall(r"\d", text))


def _grouped(pairs: Iterable[tuple[K, V]]) -> Mapping[K, tuple[V, ...]]:
    found: defaultdict[K, dict[V, None]] = defaultdict(dict)
    for key, value in pairs:
        found[key][value] = None
    return {key: tuple(values) for key, values in found.items()}


def _symbol_pattern(symbols: Iterable[str]) -> re.Pattern[str]:
    """Any symbol as a whole word, the longest first. The hyphen of a symbol may be missing or a space."""
    longest_first = sorted(symbols, key=lambda s: (-len(s), s))
    alternatives = "|".join(re.escape(symbol).replace(r"\-", r"[-\s]") for symbol in longest_first)
    return re.compile(rf"(?<![A-Za-z0-9])(?:{alternatives or '(?!)'})(?![A-Za-z0-9]|-\d)", re.IGNORECASE)


def _faults(knowledge: Knowledge) -> Iterator[tuple[str, FaultWords]]:
    for fault in knowledge.sample_faults.values():
        words = FaultWords(fault.id, frozenset(fault.codes), words_pattern(fault.words))
        yield from ((observable, words) for observable in dict.fromkeys((*fault.raises, *fault.lowers)))


def words_pattern(words: Iterable[str]) -> re.Pattern[str]:
    """Any of the words or phrases in folded text, the longest first."""
    longest_first = sorted({fold(word) for word in words}, key=lambda word: (-len(word), word))
    return re.compile(rf"(?<!\S)(?:{'|'.join(map(re.escape, longest_first)) or '(?!)'})(?!\S)")


def _codes(knowledge: Knowledge) -> Iterator[tuple[tuple[str, str], CodeMeaning]]:
    for gene in knowledge.genes.values():
        for code in gene.codes:
            yield (code.system, code.code), _meaning(code, gene.symbol, "")
    for marker in knowledge.hla.values():
        for code in marker.codes:
            yield (code.system, code.code), _meaning(code, f"{HLA_PREFIX}{marker.locus}", marker.allele)


def _meaning(code: ObservationCode, symbol: str, allele: str) -> CodeMeaning:
    asks_one = code.role in {CodeRole.PRESENCE, CodeRole.ALLELE}
    return CodeMeaning(symbol, code.role, code.ambiguous, (code.allele or allele) if asks_one else "")


def _ordered_names(knowledge: Knowledge) -> Iterator[tuple[str, str]]:
    """The names by which orders ask for a marker's test, or for clinical genetics."""
    yield from ((fold(name), marker) for marker, o in _tested_observables(knowledge) for name in o.names)
    yield from ((fold(name), REFERRAL_TO_GENETICS) for name in knowledge.no_match.referrals)


def _test_markers(knowledge: Knowledge) -> Iterator[tuple[tuple[str, str], str]]:
    for test in knowledge.tests.values():
        for system, code in ((TEST, test.id), *((code.system, code.code) for code in test.codes)):
            yield from (((system, code), marker) for marker in test.markers)
    for marker, observable in _tested_observables(knowledge):
        yield from (((reported.system, reported.code), marker) for reported in observable.codes)
    for gene in knowledge.genes.values():
        yield from (((code.system, code.code), gene.marker) for code in gene.codes)
    for typed in knowledge.hla.values():
        yield from (((code.system, code.code), typed.marker) for code in typed.codes)


def _tested_observables(knowledge: Knowledge) -> Iterator[tuple[str, Observable]]:
    """The markers of the tests, each with the observables that tell it: one of a panel tells no other."""
    telling = observables_telling(knowledge)
    for marker in dict.fromkeys(m for test in knowledge.tests.values() for m in test.markers):
        yield from ((marker, knowledge.observables[i]) for i in telling.get(marker, ()))


def _labels(gene: Gene, knowledge: Knowledge) -> Mapping[str, tuple[str, ...]]:
    """Labels that mean a term of this gene, or several. A general label counts where the gene has the term."""
    terms = {*gene.phenotypes, "Indeterminate"}
    general = {fold(label): (term,) for label, term in knowledge.phenotype_labels.items() if term in terms}
    own = {fold(label): (meant,) if isinstance(meant, str) else meant for label, meant in gene.labels.items()}
    return {**general, **{fold(term): (term,) for term in terms}, **own}
