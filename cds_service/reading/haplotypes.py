"""Haplotype Observations: two of them make the genotype that derives from them."""

from __future__ import annotations

from cds_service.codes import LOINC, SNOMED
from cds_service.knowledge.nomenclature import normalised
from cds_service.knowledge.schema import CodeRole, Gene
from cds_service.model import Diplotype, Presence, SelfContradiction
from cds_service.reading.addresses import references
from cds_service.reading.alleles import known_allele
from cds_service.reading.answers import answer_of
from cds_service.reading.chart import Chart
from cds_service.reading.dates import date_of
from cds_service.reading.genes import gene_naming
from cds_service.reading.records import Record
from cds_service.reading.shapes import codings, concept_texts, has_code, objects, text_at
from cds_service.reading.vocabulary import GENOTYPE, SNOMED_GENOTYPE

_ALLELE_EXTENSION = "allelename"


def diplotype_of_haplotypes(record: Record, gene: Gene, chart: Chart) -> Diplotype | SelfContradiction | None:
    """The diplotype of the two haplotypes that a genotype without a value derives from.

    Haplotypes of another gene contradict the genotype; anything but two known alleles gives None.
    """
    targets = (chart.references.find(a, record.resource) for a in references(record.resource.get("derivedFrom")))
    sources = [t for t in targets if t is not None and not t.withdrawn]
    namings = [gene_naming(source, chart) for source in sources]
    others = {s for naming in namings for s in naming.symbols if s != gene.symbol}
    if others or any(naming.says for naming in namings):
        return SelfContradiction((gene.symbol, *sorted(others)))
    alleles = [allele for source in sources if (allele := allele_of(source, gene))]
    return Diplotype(normalised(gene, "/".join(alleles))) if len(alleles) == len(sources) == 2 else None


def statement_of_extensions(record: Record, gene: Gene) -> Diplotype | Presence | None:
    """The alleles that observation-genetics extensions name where there is no value: two make the diplotype, one
    says that its allele is there, and a name that the gene does not have makes them unusable."""
    named = [
        text
        for extension in objects(record.resource.get("extension"))
        if text_at(extension, "url").lower().endswith(_ALLELE_EXTENSION)
        for text in concept_texts(extension.get("valueCodeableConcept"))[:1]
    ]
    alleles = [known_allele(text, gene) for text in named]
    if not all(alleles) or len(alleles) not in {1, 2}:
        return None
    return Diplotype(normalised(gene, "/".join(alleles))) if alleles[1:] else Presence(alleles[0], present=True)


def allele_of(record: Record, gene: Gene) -> str:
    """The one allele of the gene that a haplotype names, empty where it names none."""
    answer = answer_of(record.resource)
    names = (*answer.texts, *(coding.code for coding in answer.codings))
    return next((allele for name in names if (allele := known_allele(name, gene))), "")


def is_part_of_genotype(record: Record, chart: Chart) -> bool:
    """Whether a genotype that is there derives from this haplotype."""
    for other in chart.of_kind("Observation"):
        code = other.resource.get("code")
        if has_code(code, LOINC, GENOTYPE) or has_code(code, SNOMED, SNOMED_GENOTYPE):
            sources = (
                chart.references.find(a, other.resource) for a in references(other.resource.get("derivedFrom"))
            )
            if any(source is not None and source.reference == record.reference for source in sources):
                return True
    return False


def partner_of(record: Record, gene: Gene, chart: Chart) -> Record | None:
    """The other of two results that report one allele each, under two codes of that kind, of the same day."""
    own = _allele_codes(record, gene, chart)
    others = [
        other
        for other in chart.of_kind("Observation")
        if (codes := _allele_codes(other, gene, chart)) and own and not codes & own
        if other.status == record.status and date_of(other.resource) == date_of(record.resource)
        if allele_of(other, gene)
    ]
    return others[0] if len(others) == 1 and allele_of(record, gene) else None


def _allele_codes(record: Record, gene: Gene, chart: Chart) -> frozenset[str]:
    found = codings(record.resource.get("code"))
    meant = ((c.code, m) for c in found for m in chart.lexicon.meanings((c,)))
    return frozenset(code for code, m in meant if m.role == CodeRole.ALLELE and m.symbol == gene.symbol)
