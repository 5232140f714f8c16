"""Which gene or HLA locus an Observation is about, and what its witnesses say against each other.

Witnesses, the best first: gene-studied components, the geneticsGene extension, a gene-specific code, words of
the code and of the value. Only where none of them names a gene do linked resources speak.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cds_service.codes import LOINC, Coding
from cds_service.model import Gap, GapReason
from cds_service.reading.addresses import references
from cds_service.reading.answers import answer_of
from cds_service.reading.chart import Chart
from cds_service.reading.lexicon import HLA_PREFIX, CodeMeaning, Lexicon
from cds_service.reading.records import Record, named_results
from cds_service.reading.shapes import Resource, codings, concept_texts, first, fold, has_code, objects, text_at
from cds_service.reading.vocabulary import GENE_STUDIED

_GENE_EXTENSIONS = ("geneticsgene", "observation-geneticsgene", "gene-studied")
_NAMING = frozenset({"code", "component", "extension", "dataAbsentReason"})
_FARTHEST_LINK = 2


@dataclass(frozen=True, slots=True)
class GeneNaming:
    """`symbols` are the genes or loci named; `says` is set where the witnesses disagree; `foreign` where only
    genes outside the knowledge are named; `by_words` where nothing but words names the gene; `linked` where
    only other resources do; `unknown_codes` are gene codes that stand beside a known symbol; `unconfirmed` are genes
    that an ambiguous code names and nothing else does."""

    symbols: tuple[str, ...] = ()
    says: tuple[str, ...] = ()
    foreign: bool = False
    by_words: bool = False
    linked: bool = False
    unknown_codes: tuple[str, ...] = ()
    unconfirmed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Witness:
    by_code: frozenset[str] = frozenset()
    by_words: frozenset[str] = frozenset()
    foreign: bool = False
    unknown_code: str = ""

    @property
    def symbols(self) -> frozenset[str]:
        return self.by_code | self.by_words


def gene_naming(record: Record, chart: Chart) -> GeneNaming:
    """The genes that an Observation is about, with every disagreement of its own witnesses."""
    own = _own_naming(record.resource, chart)
    if own.symbols or own.says or own.foreign or own.unconfirmed or is_measurement(record.resource):
        return own
    linked = frozenset(_linked_symbols(record, chart, _FARTHEST_LINK))
    return GeneNaming(symbols=tuple(sorted(linked)), linked=bool(linked))


def is_measurement(resource: Resource) -> bool:
    """Whether the result is a number with a unit: such a row of a panel measures something, and inherits no gene. A
    score has none."""
    value = first(resource.get("valueQuantity"))
    unit = text_at(value, "code") or text_at(value, "unit")
    return "component" not in resource and unit.strip("{}").lower() not in {"", "1", "score"}


def _own_naming(resource: Resource, chart: Chart) -> GeneNaming:
    """The naming by the resource's own witnesses; each resource of the chart is looked at once."""
    known = chart.namings.get(id(resource))
    if not isinstance(known, GeneNaming):
        known = chart.namings[id(resource)] = naming_of(resource, chart.lexicon)
    return known


def naming_of(resource: Resource, lexicon: Lexicon) -> GeneNaming:
    """The naming by the witnesses of a resource alone. What names the gene is the same in the results of many
    patients."""
    naming = {name: part for name, part in resource.items() if name in _NAMING or name.startswith("value")}
    return lexicon.of_content("naming", naming, _naming_of)


def _naming_of(resource: Resource, lexicon: Lexicon) -> GeneNaming:
    studied = [_witness_of(concept, lexicon) for concept in _gene_concepts(resource)]
    meanings = lexicon.meanings(codings(resource.get("code")))
    sure = frozenset(m.symbol for m in meanings if not m.ambiguous) | _observed_genes(resource, lexicon)
    doubtful = frozenset(m.symbol for m in meanings if m.ambiguous)
    words = frozenset(_symbols_in_words(resource, lexicon))
    structured = frozenset().union(*(w.symbols for w in studied))
    foreign = any(w.foreign for w in studied)
    named = [symbols for symbols in (structured, sure, words) if symbols]
    if named and doubtful:
        named.append(doubtful)
    everyone = frozenset().union(*named)
    if _contradict(studied) or (foreign and not structured and named) or not _agree(named):
        return GeneNaming(symbols=tuple(sorted(everyone)), says=(*_gene_labels(resource), *sorted(everyone)))
    if not named:
        return GeneNaming(foreign=foreign, unconfirmed=() if foreign else tuple(sorted(doubtful)))
    common = structured or frozenset.intersection(*named)
    return GeneNaming(
        symbols=tuple(sorted(common)),
        by_words=not structured and not sure and not doubtful,
        unknown_codes=tuple(w.unknown_code for w in studied if w.unknown_code),
    )


def _observed_genes(resource: Resource, lexicon: Lexicon) -> frozenset[str]:
    """Genes of the observables that the code reports, other than the germline genes."""
    ids = lexicon.observables_of(codings(resource.get("code")))
    return frozenset(gene for i in ids if (gene := lexicon.observables[i].gene) and gene not in lexicon.genes)


def _contradict(studied: list[_Witness]) -> bool:
    """Whether codes and words of the gene concepts name different genes. A result on several genes says the same
    of each, so that it does not matter which of its codes stands beside which name."""
    if len(studied) > 1:
        by_code = frozenset().union(*(w.by_code for w in studied))
        by_words = frozenset().union(*(w.by_words for w in studied))
        if by_code == by_words:
            return False
    return any(len(w.symbols) > 1 for w in studied)


def _agree(named: list[frozenset[str]]) -> bool:
    return not named or bool(frozenset.intersection(*named))


def _gene_concepts(resource: Resource) -> Iterator[Resource]:
    """The concepts that name the gene studied: components first, then extensions."""
    for component in objects(resource.get("component")):
        if has_code(component.get("code"), LOINC, GENE_STUDIED):
            answer = answer_of(component)
            yield {"coding": [_as_json(c) for c in answer.codings], "text": " ".join(answer.texts)}
    for extension in objects(resource.get("extension")):
        if text_at(extension, "url").rpartition("/")[2].lower() in _GENE_EXTENSIONS:
            yield from objects(extension.get("valueCodeableConcept"))


def _as_json(coding: Coding) -> Resource:
    return {"system": coding.system, "code": coding.code, "display": coding.display}


def _gene_labels(resource: Resource) -> tuple[str, ...]:
    """What the gene concepts say, for showing a disagreement."""
    concepts = tuple(_gene_concepts(resource))
    texts = (text for concept in concepts for text in (*concept_texts(concept), *(c.code for c in codings(concept))))
    return tuple(dict.fromkeys(text for text in texts if text))


def _witness_of(concept: Resource, lexicon: Lexicon) -> _Witness:
    """What one gene concept says. Its code and its words may name different genes: then it says neither."""
    found = codings(concept)
    by_code = frozenset(s for coding in found if (s := symbol_of_code(coding, lexicon)))
    texts = concept_texts(concept)
    by_words = frozenset(s for text in texts for s in lexicon.symbols_in(text))
    by_words |= frozenset(s for text in texts for s in lexicon.other_symbols_in(text))
    unknown = next((c.code for c in found if c.code and not symbol_of_code(c, lexicon)), "")
    hla = all(symbol.startswith(HLA_PREFIX) for symbol in by_words)
    return _Witness(
        by_code=by_code,
        by_words=by_words,
        foreign=bool(texts or found) and not (by_code | by_words) and _names_a_gene(texts, found),
        unknown_code=unknown if by_words and not hla else "",
    )


def _names_a_gene(texts: tuple[str, ...], found: tuple[Coding, ...]) -> bool:
    """Whether a gene is named at all, known to us or not: by any word, or by a code of a gene nomenclature."""
    return any(texts) or any("genenames" in c.system or c.code.startswith("HGNC:") for c in found)


def symbol_of_code(coding: Coding, lexicon: Lexicon) -> str:
    """The gene of a code: HGNC number with or without its prefix, NCBI gene number, or a symbol as code."""
    digits = coding.code.upper().removeprefix("HGNC:").strip()
    if digits.isdigit():
        if "ncbi" in coding.system and "gene" in coding.system:
            return lexicon.by_ncbi.get(digits, "")
        hgnc = "genenames" in coding.system or "hgnc" in coding.system or coding.code.upper().startswith("HGNC:")
        return lexicon.by_hgnc.get(digits, "") if hgnc else ""
    other = coding.code if coding.code in lexicon.observable_genes else ""
    return lexicon.symbols.get(fold(coding.code), other)


def _symbols_in_words(resource: Resource, lexicon: Lexicon) -> Iterator[str]:
    """Symbols in the words of the code and of the value. Words of the code that name a gene go first: a value
    may mention further genes in passing, but then its own gene too."""
    by_code = {s for text in concept_texts(resource.get("code")) for s in lexicon.symbols_in(text)}
    answer = answer_of(resource)
    values = (*answer.texts, *(coding.code for coding in answer.codings))
    by_value = {s for text in values for s in lexicon.symbols_in(text)}
    yield from (by_code & by_value) or (by_code | by_value)


def _linked_symbols(record: Record, chart: Chart, depth: int) -> Iterator[str]:
    """Symbols of the resources that the Observation derives from or consists of, else of its panel or report,
    else of the other results there where they agree on one gene."""
    if depth == 0:
        return
    sources = (*references(record.resource.get("derivedFrom")), *references(record.resource.get("hasMember")))
    found = set(_symbols_of(_targets(sources, record, chart), chart, depth))
    if not found:
        parents = chart.references.parents_of(record)
        found = set(_symbols_of(parents, chart, 1))
        siblings = {s for parent in parents for s in _sibling_symbols(parent, record, chart)}
        found = found or (siblings if len(siblings) == 1 else set())
    yield from found


def _sibling_symbols(parent: Record, record: Record, chart: Chart) -> Iterable[str]:
    others = (t for t in _targets(named_results(parent), parent, chart) if t.reference != record.reference)
    return _symbols_of(others, chart, 1)


def _targets(addresses: Iterable[str], record: Record, chart: Chart) -> Iterator[Record]:
    for address in addresses:
        target = chart.references.find(address, record.resource)
        if target is not None and not target.withdrawn:
            yield target


def _symbols_of(records: Iterable[Record], chart: Chart, depth: int) -> Iterator[str]:
    for record in records:
        own = _own_naming(record.resource, chart)
        if own.symbols and not own.says:
            yield from own.symbols
        elif not own.says and not own.foreign and record.kind == "Observation":
            yield from _linked_symbols(record, chart, depth - 1)


def naming_gaps(record: Record, naming: GeneNaming) -> Iterator[Gap]:
    """What is odd in how the gene is named, though it can be read."""
    for code in naming.unknown_codes:
        yield Gap(record.reference, GapReason.UNKNOWN_CODE, f"gene code {code} beside a known symbol", record.query)
    for symbol in naming.unconfirmed:
        detail = f"its code alone does not tell that it is about {symbol}"
        yield Gap(record.reference, GapReason.GENE_NOT_CONFIRMED, detail, record.query)


def meanings_for(resource: Resource, symbol: str, lexicon: Lexicon) -> tuple[CodeMeaning, ...]:
    """What the Observation's own code means for this gene."""
    return tuple(m for m in lexicon.meanings(codings(resource.get("code"))) if m.symbol == symbol)
