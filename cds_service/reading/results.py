"""Observations to readings: which reader an Observation goes to, by its code, its gene or its label."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cds_service.codes import LOINC, Coding
from cds_service.model import (
    Gap,
    PendingTest,
    Phenotype,
)
from cds_service.reading.answers import answer_of
from cds_service.reading.chart import Chart
from cds_service.reading.genes import GeneNaming, gene_naming, naming_gaps
from cds_service.reading.germline import implications, is_germline, read_genes
from cds_service.reading.lexicon import HLA_PREFIX
from cds_service.reading.observables import named_by_label, read_components, read_gene_result, read_observables
from cds_service.reading.panels import is_region_studied
from cds_service.reading.patient import date_of
from cds_service.reading.phenotype_terms import term_of_code
from cds_service.reading.provenance import (
    origin_of,
)
from cds_service.reading.readings import Found, reading
from cds_service.reading.records import Record
from cds_service.reading.screening import status_of
from cds_service.reading.shapes import (
    codings,
    concept_label,
    has_code,
)
from cds_service.reading.vocabulary import (
    DROPPED_STATUSES,
    PHENOTYPE_IN_VALUE,
    UNSTARTED_STATUSES,
)

IMPLICATION_OBSERVABLE = "implication"
"""Of a reading that says what a medicine does in this patient, and not by which gene."""
_GENETIC_VALUE = re.compile(r"\bmetaboli[sz]er\b|\*\d+\w*\s*[/|]\s*\S*\*\d", re.IGNORECASE)
_NOT_INHERITED = frozenset({"somatic", "foetal"})


def read_observation(record: Record, chart: Chart) -> Iterator[Found | PendingTest | Gap]:
    """Everything that an Observation says of genes, HLA loci and laboratory values of the knowledge."""
    status = status_of(record)
    if status in DROPPED_STATUSES:
        return
    by_code = chart.lexicon.observables_of(codings(record.resource.get("code")))
    measured = bool(by_code) and _is_measured(record, chart)
    plain = measured and not any(chart.lexicon.observables[i].gene for i in by_code)
    naming = GeneNaming() if plain else gene_naming(record, chart)
    ids = by_code or _observable_by_label(record, naming, chart)
    if status in UNSTARTED_STATUSES:
        yield from _pending(record, naming, ids, chart)
        return
    if ids:
        yield from read_observables(record, ids, naming, chart)
    yield from read_components(record, chart)
    if measured:
        return
    yield from naming_gaps(record, naming)
    if naming.symbols:
        yield from _read_by_gene(record, naming, ids, chart)
        return
    found = list(_read_implication(record, chart))
    yield from found
    if found:
        yield Gap(record.reference, "gene_not_named", "an implication whose gene is not said", record.query)
    else:
        yield from _without_gene(record, naming)


def _read_by_gene(
    record: Record, naming: GeneNaming, ids: tuple[str, ...], chart: Chart
) -> Iterator[Found | PendingTest | Gap]:
    """What is said of the genes that are named: germline genes and HLA loci, and genes of other observables unless
    the code reported them already (`ids`)."""
    others = [symbol for symbol in naming.symbols if not is_germline(symbol, chart)]
    if others and naming.linked:
        yield from _read_implication(record, chart)
    elif others and not ids and not is_region_studied(record.resource):
        yield from read_gene_result(record, naming, chart)
    if len(others) == len(naming.symbols):
        return
    reason = origin_of(record, chart)
    if reason in _NOT_INHERITED:
        yield Gap(record.reference, "not_germline", reason, record.query)
    else:
        yield from read_genes(record, naming, chart)


def _observable_by_label(record: Record, naming: GeneNaming, chart: Chart) -> tuple[str, ...]:
    """The observable that the label names, where neither a code nor a gene is known."""
    label = named_by_label(record, chart) if not (naming.symbols or naming.says) else ""
    return (label,) if label else ()


def _is_measured(record: Record, chart: Chart) -> bool:
    """Whether no gene's code stands there too: an enzyme's activity is both a value and a result on its gene."""
    return not chart.lexicon.meanings(codings(record.resource.get("code")))


def _pending(record: Record, naming: GeneNaming, ids: tuple[str, ...], chart: Chart) -> Iterator[PendingTest]:
    """A result that the laboratory has registered and not reported yet."""
    name = concept_label(record.resource.get("code"))
    inherited = _markers(naming, chart) if origin_of(record, chart) not in _NOT_INHERITED else ()
    markers = tuple(dict.fromkeys((*ids, *inherited)))
    if markers:
        yield PendingTest(markers, record.reference, date_of(record.resource), name)


def _markers(naming: GeneNaming, chart: Chart) -> Iterator[str]:
    for symbol in naming.symbols:
        if symbol in chart.lexicon.genes:
            yield chart.lexicon.genes[symbol].marker
        else:
            locus = symbol.removeprefix(HLA_PREFIX)
            yield from (m.marker for m in chart.lexicon.markers.values() if m.locus == locus)


def _without_gene(record: Record, naming: GeneNaming) -> Iterator[Gap]:
    """A diplotype or a metabolizer status whose gene nobody names is told and not guessed."""
    told = naming.foreign or naming.unconfirmed
    if not told and any(_GENETIC_VALUE.search(text) for text in answer_of(record.resource).texts):
        yield Gap(record.reference, "gene_not_named", "a genetic result whose gene is not said", record.query)


def _read_implication(record: Record, chart: Chart) -> Iterator[Found]:
    """An implication whose gene was not sent or is none of the germline genes: what it says is shown with the
    medicines that it assesses, and belongs to no marker."""
    answers = list(implications(record.resource))
    if has_code(record.resource.get("code"), LOINC, PHENOTYPE_IN_VALUE):
        answers.append(answer_of(record.resource))
    for answer in answers:
        coding = next((c for c in answer.codings if _is_answer(c, chart)), None)
        if coding is not None:
            says = Phenotype(chart.lexicon.answers[coding.system, coding.code])
            yield Found(reading(record, IMPLICATION_OBSERVABLE, says, answer, chart))


def _is_answer(coding: Coding, chart: Chart) -> bool:
    """Whether an answer code means a phenotype that a gene of ours may have."""
    return any(term_of_code(coding, symbol, chart.lexicon) for symbol in chart.lexicon.genes)
