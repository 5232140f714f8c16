"""What a laboratory recommended in a Task beside its results. It stays the laboratory's: shown, never acted on."""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.codes import LOINC
from cds_service.model import Recommendation
from cds_service.reading.addresses import reference
from cds_service.reading.chart import Chart
from cds_service.reading.dates import day
from cds_service.reading.readings import drugs_assessed
from cds_service.reading.records import Record
from cds_service.reading.shapes import child, clean, codings, concept_label, first_coded, has_code, items, text_at
from cds_service.reading.vocabulary import RECOMMENDATION, RECOMMENDATION_PROFILES, UNRECOMMENDED_STATUSES


def read_recommendation(record: Record, chart: Chart) -> Iterator[Recommendation]:
    """The recommendation of a Task by its code or its profile; other Tasks are none of ours."""
    resource = record.resource
    if record.status in UNRECOMMENDED_STATUSES or not _recommends(record):
        return
    text = text_at(resource, "description") or concept_label(resource.get("code"))
    reason = reference(resource.get("reasonReference"))
    target = chart.references.find(reason, resource) if reason else None
    assessed = drugs_assessed(target.resource, chart) if target is not None else ()
    match = chart.index.find((), text) if not assessed else None
    yield Recommendation(
        reference=record.reference,
        coding=first_coded(codings(resource.get("code"))),
        text=text,
        drugs=assessed or (match.drugs if match is not None else ()),
        reason=chart.references.name_of(reason) or reason,
        on=day(resource.get("authoredOn")),
    )


def _recommends(record: Record) -> bool:
    profiles = (clean(p) for p in items(child(record.resource, "meta").get("profile")))
    by_profile = any(name in profile for profile in profiles for name in RECOMMENDATION_PROFILES)
    return by_profile or has_code(record.resource.get("code"), LOINC, RECOMMENDATION)
