"""What a problem list or an allergy list says of genes and HLA alleles: `CYP2C19 poor metabolizer`, favism. What it
says of tumours and of variants that matter to their treatment: `listed_markers`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cds_service.model import FUTURE, Gap, Grade, Reading
from cds_service.reading.chart import Chart
from cds_service.reading.dates import day, is_after
from cds_service.reading.gene_findings import gene_reading, genes_named, of_concept
from cds_service.reading.history import problem_of
from cds_service.reading.readings import observable_of
from cds_service.reading.records import Record
from cds_service.reading.reports import LIKE_A_RESULT, report_unread
from cds_service.reading.screening import is_ruled_out
from cds_service.reading.shapes import concept_texts
from cds_service.reading.statements import phenotype_of

_LIKE_A_FINDING = re.compile(rf"{LIKE_A_RESULT.pattern}|\bdeficien", re.IGNORECASE)


def read_listed_gene(record: Record, chart: Chart) -> Iterator[Reading | Gap]:
    """A genetic finding in a problem list or allergy list: gene and phenotype, or HLA allele, in its text or codes.
    An allergy to a drug is never one. What looks like one and cannot be read is told."""
    if is_ruled_out(record.resource):
        return
    found = list(of_concept(record, record.resource.get("code"), chart))
    found += _diagnosed(record, {reading.observable for reading in found}, chart)
    if not found:
        yield from _unread_entry(record, chart)
    for reading in found:
        on = reading.on or day(record.resource.get("recordedDate"))
        yield Reading(
            observable=reading.observable,
            says=FUTURE if is_after(on, chart.today) else reading.says,
            reference=reading.reference,
            grade=Grade.LOW,
            on=on,
            method=reading.method,
            quoted=reading.quoted,
            coding=reading.coding,
            is_listed=True,
        )


def _diagnosed(record: Record, told: set[str], chart: Chart) -> Iterator[Reading]:
    """What a diagnosis tells of a gene (favism), beside those that the entry names with their phenotype."""
    problem = chart.lexicon.of_content("problem", record.resource.get("code"), problem_of)
    for key in sorted(problem.keys if not problem.relatives else ()):
        for symbol, terms in chart.lexicon.diagnoses.get(key, ()):
            if observable_of(symbol) not in told:
                yield gene_reading(record, symbol, phenotype_of(terms, problem.label), problem.label, chart)


def _unread_entry(record: Record, chart: Chart) -> Iterator[Gap]:
    concept = record.resource.get("code")
    if any(_LIKE_A_FINDING.search(text) for text in concept_texts(concept)):
        symbols = chart.lexicon.of_content("genes", concept, genes_named)
        if symbols:
            yield report_unread(record, map(observable_of, symbols))
