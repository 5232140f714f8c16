"""Results on germline genes and HLA loci: genotypes, haplotypes, variants, phenotypes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from cds_service.codes import LOINC
from cds_service.knowledge.nomenclature import normalised
from cds_service.knowledge.schema import CodeRole, Gene
from cds_service.model import (
    INDETERMINATE,
    ActivityScore,
    Diplotype,
    Gap,
    GapReason,
    NotReadable,
    Phenotype,
    Presence,
    SelfContradiction,
    Significance,
    Statement,
    Undetermined,
)
from cds_service.reading.alleles import known_allele, without_symbol
from cds_service.reading.answers import (
    Answer,
    answer_of,
    answer_or_interpretation,
    interpreted,
    presence_disagrees,
    presence_of,
)
from cds_service.reading.chart import Chart
from cds_service.reading.genes import GeneNaming, meanings_for
from cds_service.reading.haplotypes import (
    allele_of,
    diplotype_of_haplotypes,
    is_part_of_genotype,
    partner_of,
    statement_of_extensions,
)
from cds_service.reading.hla import hla_statements
from cds_service.reading.lexicon import HLA_PREFIX
from cds_service.reading.readings import About, Found, finding, founds, is_genotype, observable_of, says_of
from cds_service.reading.records import Record, is_region_studied
from cds_service.reading.shapes import Resource, codes_of, codings, concept_texts, has_code, objects
from cds_service.reading.significance import agreed, significance_beside, significance_in
from cds_service.reading.statements import TAKEN_BACK, Said, kind_of, statements_of
from cds_service.reading.variants import Variant, variant_flags, variant_of, variant_statements
from cds_service.reading.vocabulary import (
    HAPLOTYPE,
    IMPLICATION,
    INTERPRETATIONS,
    INTERPRETED_USUAL,
    PANEL,
    PHENOTYPE_IN_VALUE,
    VARIANT,
)

_IMPLYING = IMPLICATION | PHENOTYPE_IN_VALUE


# A number with a comparator may be the limit of what a word means, and no measurement: it stays.
_RANGE_IN_BRACKETS = re.compile(
    r"[(\[]\s*(?:ref|reference|normal|usual)?\.?\s*(?:range|interval|value)?s?\s*[:=]?\s*[<>]?\s*\d[^()\[\]a-z]*(?:u/\s?\w+(?:\s?\w+)?)?\s*[)\]]",
    re.IGNORECASE,
)
_ACTIVITY = re.compile(
    r"(?<![\d.,<>≤≥=])(?<![<>≤≥=]\s)\d+(?:[.,]\d+)?\s*(?:m?I?U|units?|nmol)\s?/\s?(?:g|mL|L)\b(?:[\s/]*(?:Hb|Hgb|RBCs?|h|hr)\b)*",
    re.IGNORECASE,
)
_ABSENT = "absent"
"""The label of a gene's table for nothing found."""


def is_germline(symbol: str, chart: Chart) -> bool:
    """Whether the symbol is a germline gene of the knowledge or an HLA locus."""
    return symbol in chart.lexicon.genes or symbol.startswith(HLA_PREFIX)


def read_genes(record: Record, naming: GeneNaming, chart: Chart) -> Iterator[Found | Gap]:
    """What an Observation says of the germline genes and HLA loci that it is about."""
    if naming.says:
        for symbol in filter(lambda s: is_germline(s, chart), naming.symbols):
            statement = SelfContradiction(naming.says)
            yield finding(record, observable_of(symbol), statement, answer_of(record.resource), chart)
        return
    if is_region_studied(record.resource):
        return
    if naming.linked and len(naming.symbols) > 1:
        if _carries_value(record.resource):
            yield Gap(
                record.reference, GapReason.GENE_NOT_NAMED, "it derives from results of several genes", record.query
            )
        return
    for symbol in _symbols_of_value(record, naming, chart):
        if symbol.startswith(HLA_PREFIX):
            yield from _read_locus(record, symbol, naming, chart)
        elif symbol in chart.lexicon.genes:
            yield from _read_gene(record, chart.lexicon.genes[symbol], naming, chart)


def _symbols_of_value(record: Record, naming: GeneNaming, chart: Chart) -> tuple[str, ...]:
    """Of several genes named, those that the value itself names; all of them where it names none."""
    answer = answer_of(record.resource)
    texts = (*answer.texts, *(coding.code for coding in answer.codings))
    named = {s for text in texts for s in chart.lexicon.symbols_in(text)}
    return tuple(symbol for symbol in naming.symbols if symbol in named) or naming.symbols


def _carries_value(resource: Resource) -> bool:
    return not answer_of(resource).is_empty or any(True for _ in implications(resource))


def _read_locus(record: Record, symbol: str, naming: GeneNaming, chart: Chart) -> Iterator[Found | Gap]:
    answer = answer_or_interpretation(record.resource)
    asked = next((m.allele for m in meanings_for(record.resource, symbol, chart.lexicon) if m.allele), "")
    statements: tuple[Statement, ...]
    if presence_disagrees(answer) or _interpreted_otherwise(record.resource, answer):
        statements = (SelfContradiction(says_of(answer)),)
    else:
        code_texts = concept_texts(record.resource.get("code"))
        statements = hla_statements(symbol, answer, asked, code_texts, chart.lexicon)
    yield from founds(record, About(observable_of(symbol), naming, chart), statements, answer)


def _interpreted_otherwise(resource: Resource, answer: Answer) -> bool:
    """Whether the interpretation says the opposite of the value."""
    said = presence_of(answer)
    return said is not None and (not said) in interpreted(resource)


def _read_gene(record: Record, gene: Gene, naming: GeneNaming, chart: Chart) -> Iterator[Found | Gap]:
    resource = record.resource
    answer = answer_of(resource)
    if has_code(resource.get("code"), LOINC, VARIANT) or _asks_one_allele(resource, gene, chart):
        yield from _read_variant(record, gene, answer_or_interpretation(resource), naming, chart)
        return
    if names_one_allele(resource, gene, answer, chart):
        yield from _read_haplotype(record, gene, answer, naming, chart)
        return
    by_extension = statement_of_extensions(record, gene) if answer.is_empty else None
    if by_extension is not None:
        yield finding(record, gene.marker, by_extension, answer, chart)
        return
    if answer.is_empty and is_genotype(resource):
        rebuilt = diplotype_of_haplotypes(record, gene, chart)
        if rebuilt is not None:
            yield finding(record, gene.marker, rebuilt, answer, chart)
            return
    is_enzyme = CodeRole.ENZYME_ACTIVITY in _roles(resource, gene, chart)
    is_activity = is_enzyme and answer.quantity is not None
    called = _calls(resource) if is_activity else _interpretations(resource, answer)
    answers = [answer, *implications(resource), *called]
    heard = [_without_measurement(part) if is_enzyme else part for part in answers if not part.is_empty]
    said = [statements_of(part, gene, chart.lexicon) for part in heard]
    yield from (_unknown_answer(record, code) for part in said for code in part.unknown_answers)
    statements = _with_quantity(_merged(said, answer), answer, gene, resource, chart)
    narrative = any(part.narrative for part in said) or _is_misused(resource, statements)
    about = About(gene.marker, naming, chart)
    yield from founds(record, about, statements, _spoken(answers), narrative=narrative)


def _asks_one_allele(resource: Resource, gene: Gene, chart: Chart) -> bool:
    return any(m.role == CodeRole.PRESENCE and m.allele for m in meanings_for(resource, gene.symbol, chart.lexicon))


def names_one_allele(resource: Resource, gene: Gene, answer: Answer, chart: Chart) -> bool:
    """A haplotype by its code, a code for one of two alleles, or a value that is one star allele."""
    by_code = has_code(resource.get("code"), LOINC, HAPLOTYPE)
    by_role = any(m.role == CodeRole.ALLELE for m in meanings_for(resource, gene.symbol, chart.lexicon))
    star = any(re.fullmatch(r"\*\d+\w*(\.\d+)?", without_symbol(text, gene.symbol)) for text in answer.texts)
    return by_code or star or (by_role and "/" not in answer.quoted)


def implications(resource: Resource) -> Iterator[Answer]:
    """Phenotypes in components: of therapeutic implications, under their several names and systems."""
    for component in objects(resource.get("component")):
        if not _IMPLYING.isdisjoint(codes_of(component.get("code"))):
            yield answer_of(component)


def _interpretations(resource: Resource, answer: Answer) -> Iterator[Answer]:
    """Where the value is empty or a genotype, `interpretation` may hold the phenotype in words."""
    texts = tuple(
        t for concept in objects(resource.get("interpretation")) for t in concept_texts({"text": concept.get("text")})
    )
    if texts and (answer.is_empty or "*" in answer.quoted):
        yield Answer(texts=texts)


def _roles(resource: Resource, gene: Gene, chart: Chart) -> set[CodeRole]:
    """What the code says that the result is of the gene: an enzyme's activity, a score."""
    return {m.role for m in meanings_for(resource, gene.symbol, chart.lexicon)}


def _without_measurement(answer: Answer) -> Answer:
    """The words that call an enzyme's activity without the number and the laboratory's range beside them: `Deficient,
    1.2 U/g Hb (ref 7-20)`."""
    bare = (_ACTIVITY.sub(" ", _RANGE_IN_BRACKETS.sub(" ", text)).strip(" ,;:()[]") for text in answer.texts)
    return replace(answer, texts=tuple([called or text for called, text in zip(bare, answer.texts, strict=True)]))


def _calls(resource: Resource) -> Iterator[Answer]:
    """What the laboratory calls a number, by code or in words: only that tells a phenotype, as limits are its own."""
    for concept in objects(resource.get("interpretation")):
        # Whatever address the code system has here, its codes are these.
        said = (replace(c, system=INTERPRETATIONS[0]) if c.code in INTERPRETED_USUAL else c for c in codings(concept))
        yield Answer(codings=tuple(said), texts=concept_texts(concept))


def _merged(said: list[Said], answer: Answer) -> tuple[Statement, ...]:
    """The statements of all parts, each once; parts that disagree within one kind contradict each other, and a part
    that words take back takes the others with it."""
    found = tuple(dict.fromkeys(s for part in said for s in part.statements))
    if NotReadable(TAKEN_BACK) in found:
        return (NotReadable(TAKEN_BACK),)
    kinds = [kind_of(s) for s in found if not isinstance(s, Undetermined)]
    if len(kinds) > len(set(kinds)) and SelfContradiction not in kinds:
        shown = (s.term if isinstance(s, Phenotype) else s.text if isinstance(s, Diplotype) else "" for s in found)
        return (SelfContradiction(tuple(dict.fromkeys((*filter(None, shown), *answer.texts)))),)
    return found


def _with_quantity(
    statements: tuple[Statement, ...], answer: Answer, gene: Gene, resource: Resource, chart: Chart
) -> tuple[Statement, ...]:
    """A bare number is an activity score or an enzyme's activity only where the code says so."""
    roles = _roles(resource, gene, chart)
    named_score = any("activity score" in text.lower() for text in concept_texts(resource.get("code")))
    number = answer.quantity
    if number is None and (CodeRole.ACTIVITY_SCORE in roles or named_score):
        bare = answer_of({"valueQuantity": {"value": answer.quoted.lstrip("≥>= ")}}).quantity
        return (*statements, ActivityScore(bare.value, answer.quoted[:1] in "≥>")) if bare is not None else statements
    if number is None:
        return statements
    if CodeRole.ACTIVITY_SCORE in roles or named_score:
        return (*statements, ActivityScore(number.value, number.comparator in {">", ">="}))
    return (*statements, number) if CodeRole.ENZYME_ACTIVITY in roles else statements


def _is_misused(resource: Resource, statements: tuple[Statement, ...]) -> bool:
    """Whether the code is meant for something else than it carries, or no code stands there at all: then the
    reading is one of free text."""
    code = resource.get("code")
    if not any(c.code for c in codings(code)) or has_code(code, LOINC, PANEL):
        return True
    kinds = {kind_of(statement) for statement in statements}
    if has_code(code, LOINC, PHENOTYPE_IN_VALUE) and Diplotype in kinds:
        return True
    return is_genotype(resource) and Phenotype in kinds and Diplotype not in kinds


def _read_variant(
    record: Record, gene: Gene, answer: Answer, naming: GeneNaming, chart: Chart
) -> Iterator[Found | Gap]:
    variant = variant_of(record, gene, answer)
    asked = next((m.allele for m in meanings_for(record.resource, gene.symbol, chart.lexicon) if m.allele), "")
    if asked and not variant.allele:
        variant = Variant(
            known_allele(asked, gene) or asked,
            presence_of(answer),
            _copies_in(answer),
            bool(known_allele(asked, gene)),
        )
    statements = _judged(
        variant_statements(variant, answer), variant, gene, _significance(record, answer, chart), chart
    )
    if presence_disagrees(answer) or _interpreted_otherwise(record.resource, answer):
        statements = (SelfContradiction(says_of(answer)),)
    for found in founds(record, About(gene.marker, naming, chart), statements, answer):
        if isinstance(found, Found):
            flags = variant_flags(record.resource, present=variant.present is not False)
            single = (variant, gene) if isinstance(found.says, Presence) else None
            yield replace(found, flags=(*found.flags, *flags), variant=single)
        else:
            yield found


def _significance(record: Record, answer: Answer, chart: Chart) -> Significance:
    return agreed((significance_in(answer), significance_beside(record, record.resource, chart)))


def _judged(
    said: tuple[Statement, ...], variant: Variant, gene: Gene, significance: Significance, chart: Chart
) -> tuple[Statement, ...]:
    """What a variant tells by what the laboratory thinks of it, where no table of alleles tells its function."""
    if not gene.alleles:
        return _by_laboratory(variant, significance, chart.lexicon.gene_labels[gene.symbol]) or said
    return tuple(
        [replace(s, significance=significance) if isinstance(s, Presence) and s.present else s for s in said]
    )


def _by_laboratory(
    variant: Variant, significance: Significance, labels: Mapping[str, tuple[str, ...]]
) -> tuple[Statement, ...]:
    """The state of a gene of which the laboratory's conclusion alone is read. One harmless variant, or one that was
    not found, tells nothing of others."""
    if variant.present is False:
        return () if variant.allele else tuple(map(Phenotype, labels[_ABSENT]))
    match significance:
        case Significance.PATHOGENIC:
            return tuple(map(Phenotype, labels[significance]))
        case Significance.UNCERTAIN:
            return (Phenotype(INDETERMINATE),)
        case Significance.NOT_SAID if variant.present:
            return (NotReadable(GapReason.SIGNIFICANCE_NOT_SAID),)
    return ()


def _copies_in(answer: Answer) -> int | None:
    words = {word for text in answer.texts for word in text.lower().split()}
    return 2 if "homozygous" in words else 1 if words & {"heterozygous", "hemizygous"} else None


def _read_haplotype(
    record: Record, gene: Gene, answer: Answer, naming: GeneNaming, chart: Chart
) -> Iterator[Found | Gap]:
    """A haplotype alone says that its allele is there and nothing of the other chromosome."""
    if is_part_of_genotype(record, chart):
        return
    partner = partner_of(record, gene, chart)
    if partner is not None and partner.reference < record.reference:
        return
    allele = allele_of(record, gene)
    statements: tuple[Statement, ...] = (Presence(allele, present=True),) if allele else ()
    if partner is not None:
        statements = (Diplotype(normalised(gene, f"{allele}/{allele_of(partner, gene)}")),)
    yield from founds(record, About(gene.marker, naming, chart), statements, answer)


def _spoken(answers: list[Answer]) -> Answer:
    return next((part for part in answers if not part.is_empty), answers[0])


def _unknown_answer(record: Record, code: str) -> Gap:
    return Gap(
        record.reference, GapReason.UNKNOWN_ANSWER, f"answer {code} is no phenotype of this gene", record.query
    )
