"""Tests that are ordered already: ServiceRequests of the record and of the hook's own drafts, and
reports that are registered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cds_service.model import PendingTest, When
from cds_service.reading.chart import Chart
from cds_service.reading.dates import day
from cds_service.reading.hla import alleles_named
from cds_service.reading.lexicon import HLA_PREFIX
from cds_service.reading.records import Record
from cds_service.reading.shapes import clean, codings, concept_label, concept_texts, fold, items
from cds_service.reading.vocabulary import ORDERED_STATUSES, UNORDERED_INTENTS


def read_request(record: Record, chart: Chart) -> Iterator[PendingTest]:
    """The test that a ServiceRequest orders, where it answers a marker of ours and is still open."""
    resource = record.resource
    forbidden = resource.get("doNotPerform") is True or clean(resource.get("intent")) in UNORDERED_INTENTS
    if record.status not in ORDERED_STATUSES or forbidden:
        return
    since = day(resource.get("authoredOn")) or day(resource.get("occurrenceDateTime"))
    yield from awaited(record, items(resource.get("orderDetail")), since, chart)


def awaited(record: Record, details: Iterable[object], since: When | None, chart: Chart) -> Iterator[PendingTest]:
    """The test that a code and the details beside it name, where it answers a marker of ours."""
    code = record.resource.get("code")
    markers = tuple(dict.fromkeys(m for concept in (code, *details) for m in _markers(concept, chart)))
    if markers:
        yield PendingTest(markers, record.reference, since, concept_label(code))


def _markers(concept: object, chart: Chart) -> Iterator[str]:
    """Markers by code, by the site's own catalogue, by the name of a result where it is the whole text, and by the
    symbols and HLA alleles that the text names."""
    for coding in codings(concept):
        yield from chart.lexicon.tests.get((coding.system, coding.code), ())
        yield from chart.catalogue.get(coding.code, ())
    for text in concept_texts(concept):
        yield from chart.lexicon.test_names.get(fold(text), ())
        for symbol in chart.lexicon.symbols_in(text):
            yield from (f"gene:{symbol}",) if not symbol.startswith(HLA_PREFIX) else _hla_markers(symbol, text, chart)


def _hla_markers(symbol: str, text: str, chart: Chart) -> Iterator[str]:
    """The HLA markers of a locus: the ones whose allele the text names, or all of them for a typing."""
    locus = symbol.removeprefix(HLA_PREFIX)
    named = {allele for _, allele in alleles_named(text)}
    for marker in chart.lexicon.markers.values():
        if marker.locus == locus and (not named or marker.allele in named):
            yield marker.marker
