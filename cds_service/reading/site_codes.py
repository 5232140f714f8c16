"""Results under codes of the site's own, as if they had the LOINC code that the site says each stands for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cds_service.codes import LOINC
from cds_service.reading.records import Record
from cds_service.reading.shapes import Resource, codings, first, objects

SiteCodes = Mapping[tuple[str, str], str]
"""(system, code) of the site -> LOINC code."""


def with_loinc(records: Iterable[Record], site_codes: SiteCodes) -> tuple[Record, ...]:
    """The records, each Observation and component with the LOINC code of the site's, unless it has its own."""
    if not site_codes:
        return tuple(records)
    return tuple([_of_record(record, site_codes) if record.kind == "Observation" else record for record in records])


def _of_record(record: Record, site_codes: SiteCodes) -> Record:
    resource = _of_holder(record.resource, site_codes)
    parts = objects(resource.get("component"))
    told = [_of_holder(part, site_codes) for part in parts]
    if any(one is not part for one, part in zip(told, parts, strict=True)):
        resource = {**resource, "component": told}
    return record if resource is record.resource else record._replace(resource=resource)


def _of_holder(holder: Resource, site_codes: SiteCodes) -> Resource:
    found = codings(holder.get("code"))
    if any(coding.system == LOINC for coding in found):
        return holder
    loinc = next((site_codes[key] for c in found if (key := (c.system, c.code)) in site_codes), "")
    if not loinc:
        return holder
    concept = first(holder.get("code"))
    told = objects(concept.get("coding")) or (concept,)
    return {**holder, "code": {**concept, "coding": [*told, {"system": LOINC, "code": loinc}]}}
