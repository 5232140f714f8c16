"""Single variants: present, absent, or the reference in spite of the word `Present`.

A variant is named and never made into a star allele. Only where the gene's own allele table names the variant
itself, and it is the one variant found, its allelic state is a genotype.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from cds_service.codes import LOINC
from cds_service.knowledge.schema import Gene
from cds_service.model import Diplotype, Presence, Reading, Statement, Undetermined
from cds_service.reading.alleles import diplotype_of_copies, known_allele
from cds_service.reading.answers import Answer, answer_of, presence_of
from cds_service.reading.records import Record
from cds_service.reading.shapes import Resource, child, codings, fold, loinc_parts, objects, text_at
from cds_service.reading.vocabulary import (
    ALLELIC_STATE,
    ALTERNATE_ALLELE,
    CHANGE_OF_COPIES_WORDS,
    CHANGE_TYPE,
    CHANGES_OF_COPIES,
    CODING_CHANGE,
    COPIES_BY_ANSWER,
    COPIES_BY_WORD,
    COPY_NUMBER,
    EXACT_START,
    FUSIONS,
    GENE_STUDIED,
    GENOME_BUILD_37,
    GENOMIC_CHANGE,
    PROTEIN_CHANGE,
    REARRANGEMENTS,
    REFERENCE_ALLELE,
    REFERENCE_SEQUENCE,
    VARIANT_WORDS,
    VARIATION_CODE,
)

_CHROMOSOME = re.compile(r"(NC_\d{6})\.(\d+)")


Parts: TypeAlias = Mapping[str, tuple[Resource, ...]]


@dataclass(frozen=True, slots=True)
class Variant:
    """`allele` is the gene's own name of the variant where its table has one, else the best name given."""

    allele: str
    present: bool | None
    copies: int | None
    in_table: bool


def variant_of(record: Record, gene: Gene, answer: Answer) -> Variant:
    """The variant that an Observation assesses. `present` is None where it gives no call."""
    parts = loinc_parts(record.resource)
    names = _all_names(parts)
    known = next((allele for name in names if (allele := known_allele(name, gene))), "")
    present = presence_of(answer)
    copies = _copies(parts)
    if present is not False and _is_reference(parts):
        # GR STU4 examples report `Present` with the same reference and alternate base: nothing was found there.
        return Variant(known or next(iter(names), ""), present=False, copies=None, in_table=bool(known))
    if present is None and answer.is_empty and not answer.missing and copies:
        present = True
    return Variant(known or next(iter(names), ""), present, copies, bool(known))


def names_of(resource: Resource) -> tuple[str, ...]:
    """Everything that the components call the variant, the best name first."""
    return _all_names(loinc_parts(resource))


def fusion_of(resource: Resource) -> str:
    """What a fusion is called after the two genes that are named for one finding (`EML4::ALK fusion`), or by the kind
    of change alone (`fusion`); empty for any other finding."""
    genes = fused_genes(resource)
    if genes:
        return f"{'::'.join(genes)} fusion"
    return "fusion" if _says(resource, FUSIONS) else ""


def fused_genes(resource: Resource) -> tuple[str, ...]:
    """The two genes that are named for one finding, by their names; none where another number is."""
    answers = _component_answers(loinc_parts(resource), GENE_STUDIED)
    genes = dict.fromkeys(text for answer in answers for text in answer.texts[:1])
    return tuple(genes) if len(genes) == 2 else ()


def is_of_copies(resource: Resource) -> bool:
    """Whether it is said how often the gene is there (an amplification, a loss), and of no change of its sequence."""
    parts = loinc_parts(resource)
    if any(True for _ in _component_answers(parts, CODING_CHANGE | PROTEIN_CHANGE)):
        return False
    # The kind of change stands in a component of its own, or in that for its consequence.
    kinds = [text for answer in _component_answers(parts, CHANGE_TYPE | VARIATION_CODE) for text in answer.texts]
    if _says(resource, CHANGES_OF_COPIES) or any(map(tells_copies, kinds)):
        return True
    return any(True for _ in _component_answers(parts, COPY_NUMBER)) and not _all_names(parts)


def is_rearrangement(resource: Resource) -> bool:
    """Whether the finding joins genes, so that several of them are named for one."""
    return _says(resource, REARRANGEMENTS)


def _says(resource: Resource, kinds: frozenset[str]) -> bool:
    """Whether a component tells one of these kinds of change."""
    parts = objects(resource.get("component"))
    return any(c.code in kinds for part in parts for c in codings(part.get("valueCodeableConcept")))


def tells_copies(text: str) -> bool:
    """Whether words are about how often a gene is there, and about no variant (`amplification` may be a step of the
    test that found one)."""
    words = f" {fold(text)} "
    return any(word in words for word in CHANGE_OF_COPIES_WORDS) and not any(word in words for word in VARIANT_WORDS)


def _all_names(parts: Parts) -> tuple[str, ...]:
    return (*_names(parts), *_place(parts))


def variant_flags(resource: Resource, *, present: bool = True) -> tuple[str, ...]:
    """On how many chromosomes the variant is, and the genome build of its position (`homozygous`, `build_37`). Of
    a variant that is not there a position may still be given, and no copies."""
    parts = loinc_parts(resource)
    copies = _copies(parts) if present else None
    sequences = [name for name in _all_names(parts) if name.startswith("NC_")]
    sequences += [c.code for answer in _component_answers(parts, REFERENCE_SEQUENCE) for c in answer.codings]
    builds = dict.fromkeys(b for name in sequences if (b := _build_of(name)))
    return (*(("homozygous",) if copies == 2 else ("heterozygous",) if copies else ()), *builds)


def _build_of(name: str) -> str:
    """The genome build of a chromosome's RefSeq name, which says it in its version alone."""
    match = _CHROMOSOME.match(name)
    if match is None or match.group(1) not in GENOME_BUILD_37:
        return ""
    newer = int(match.group(2)) - GENOME_BUILD_37[match.group(1)]
    return {0: "build_37", 1: "build_38"}.get(newer, "")


def variant_statements(variant: Variant, answer: Answer) -> tuple[Statement, ...]:
    """What the variant says on its own."""
    if answer.undetermined:
        return (Undetermined(answer.quoted),)
    if variant.present is None or not variant.allele:
        return ()
    return (Presence(variant.allele, variant.present),)


def _component_answers(parts: Parts, codes: frozenset[str]) -> Iterator[Answer]:
    for code in sorted(codes):
        yield from map(answer_of, parts.get(code, ()))


def _names(parts: Parts) -> Iterator[str]:
    for codes in (CODING_CHANGE, GENOMIC_CHANGE, VARIATION_CODE, PROTEIN_CHANGE):
        for answer in _component_answers(parts, codes):
            yield from (
                coding.code for coding in answer.codings if ":" in coding.code or coding.code.startswith("rs")
            )
            yield from answer.texts


def _place(parts: Parts) -> Iterator[str]:
    """The variant by reference sequence, position and bases, where it has no name of its own."""
    sequence = next(_component_answers(parts, REFERENCE_SEQUENCE), None)
    starts = [part for code in EXACT_START for part in parts.get(code, ())]
    bases = [next(_component_answers(parts, codes), None) for codes in (REFERENCE_ALLELE, ALTERNATE_ALLELE)]
    start = text_at(child(starts, "valueRange", "low"), "value") or text_at(starts, "valueInteger")
    if sequence is not None and start and all(bases):
        before, after = (part.quoted for part in bases if part is not None)
        yield f"{sequence.codings[0].code if sequence.codings else sequence.quoted}:g.{start}{before}>{after}"


def _is_reference(parts: Parts) -> bool:
    first = next(_component_answers(parts, REFERENCE_ALLELE), None)
    second = next(_component_answers(parts, ALTERNATE_ALLELE), None)
    return first is not None and second is not None and first.texts == second.texts != ()


def _copies(parts: Parts) -> int | None:
    for answer in _component_answers(parts, ALLELIC_STATE):
        for coding in answer.codings:
            if coding.system == LOINC and coding.code in COPIES_BY_ANSWER:
                return COPIES_BY_ANSWER[coding.code]
        words = (COPIES_BY_WORD.get(fold(text)) for text in answer.texts)
        found = next((copies for copies in words if copies), None)
        if found:
            return found
    return None


def with_genotypes(found: Sequence[tuple[Reading, Variant, Gene]]) -> tuple[Reading, ...]:
    """The readings of single variants, and for the only one that is present in a gene the genotype that it is.

    Several variants of one gene may stand on one chromosome or on two: they stay single findings.
    """
    present: defaultdict[str, set[str]] = defaultdict(set)
    for reading, variant, _ in found:
        if variant.present:
            present[reading.observable].add(variant.allele)
    return tuple(_genotype(r, v, g, lone=len(present[r.observable]) == 1) for r, v, g in found)


def _genotype(reading: Reading, variant: Variant, gene: Gene, *, lone: bool) -> Reading:
    if not (lone and variant.in_table and variant.present and variant.copies):
        return reading
    return replace(reading, says=Diplotype(diplotype_of_copies(variant.allele, variant.copies, gene)))
