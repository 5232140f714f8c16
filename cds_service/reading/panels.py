"""What a test looked for: a reference call is relative to it."""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.codes import LOINC
from cds_service.knowledge.schema import Gene
from cds_service.reading.addresses import references
from cds_service.reading.alleles import alleles_looked_for
from cds_service.reading.answers import answer_of
from cds_service.reading.chart import Chart
from cds_service.reading.genes import gene_naming
from cds_service.reading.provenance import method_text
from cds_service.reading.records import Record, is_region_studied, named_results
from cds_service.reading.shapes import has_code, objects, text_at
from cds_service.reading.vocabulary import REGION_STUDIED


def panel_of(record: Record, gene: Gene, chart: Chart) -> tuple[str, ...]:
    """Alleles that were looked for, as the result says in its region-studied component, method or notes, else as
    a region-studied Observation says that it derives from or that stands in the same panel or report."""
    own = tuple(_coverage_texts(record))
    texts = own if any(alleles_looked_for(text, gene) for text in own) else _shared_coverage(record, gene, chart)
    return tuple(dict.fromkeys(allele for text in texts for allele in alleles_looked_for(text, gene)))


def _coverage_texts(record: Record) -> Iterator[str]:
    yield method_text(record)
    yield from (text_at(note, "text") for note in objects(record.resource.get("note")))
    for component in objects(record.resource.get("component")):
        if has_code(component.get("code"), LOINC, REGION_STUDIED):
            yield from answer_of(component).texts


def _shared_coverage(record: Record, gene: Gene, chart: Chart) -> tuple[str, ...]:
    addresses = [(a, record) for a in references(record.resource.get("derivedFrom"))]
    addresses += [(a, p) for p in chart.references.parents_of(record) for a in named_results(p)]
    targets = {
        t.reference: t for a, holder in addresses if (t := chart.references.find(a, holder.resource)) is not None
    }
    studied = [t for t in targets.values() if is_region_studied(t.resource)]
    same_gene = [t for t in studied if gene.symbol in gene_naming(t, chart).symbols]
    return tuple(text for t in same_gene for text in (*answer_of(t.resource).texts, *_coverage_texts(t)))
