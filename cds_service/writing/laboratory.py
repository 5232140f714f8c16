"""Orders of tests: which orderable answers which question, and the ServiceRequest of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from cds_service.codes import TEST, Coding
from cds_service.knowledge.schema import Test
from cds_service.model import Finding, Patient, TestQuestion, Timing
from cds_service.policy import CatalogueTest, Policy
from cds_service.writing.findings import table_of
from cds_service.writing.service_requests import drafted_request
from cds_service.writing.text import clean, filled
from cds_service.writing.words import Words


@dataclass(frozen=True, slots=True)
class Orderable:
    """What one ServiceRequest orders: the site's test, or one of the knowledge."""

    key: str
    name: str
    markers: tuple[str, ...]
    codings: tuple[Coding, ...]
    specimen: str = ""
    urgent: bool = False
    due_days: tuple[float, float] | None = None
    """For a recheck: days from now, low and high."""


def orderables(findings: Sequence[Finding], words: Words, policy: Policy) -> dict[tuple[str, str], Orderable]:
    """(marker, test) -> what to order, for every test that the findings offer. A panel answers several."""
    asked = [(finding, test) for finding in findings for test in finding.tests if test.order_it]
    wanted = {test.marker for _, test in asked}
    gathered: dict[str, list[tuple[Finding, TestQuestion]]] = {}
    chosen: dict[str, CatalogueTest | None] = {}
    for finding, test in asked:
        site = _of_the_site(test, wanted, words, policy)
        key = f"{site.system}|{site.code}" if site else test.test
        gathered.setdefault(key, []).append((finding, test))
        chosen[key] = site
    made = {key: _orderable(key, chosen[key], pairs, words) for key, pairs in gathered.items()}
    return {(test.marker, test.test): made[key] for key, pairs in gathered.items() for _, test in pairs}


def _of_the_site(test: TestQuestion, wanted: set[str], words: Words, policy: Policy) -> CatalogueTest | None:
    """The site's test for this marker that answers most of what is wanted."""
    known = words.knowledge.tests.get(test.test)
    fitting = [
        entry
        for entry in policy.catalogue
        if test.marker in entry.markers and (known is None or entry.method == known.method)
    ]
    return max(fitting, key=lambda entry: len(wanted.intersection(entry.markers)), default=None)


def _orderable(
    key: str, site: CatalogueTest | None, pairs: Sequence[tuple[Finding, TestQuestion]], words: Words
) -> Orderable:
    tests = {test.test: words.knowledge.tests.get(test.test) for _, test in pairs}
    known = next(iter(tests.values())) if len(tests) == 1 else None
    local = (Coding(site.system, site.code, site.name),) if site else ()
    specimen = words.wording.phrase(known.specimen) if known and known.specimen else ""
    return Orderable(
        key=key,
        name=site.name if site else words.test(pairs[0][1]),
        markers=tuple(dict.fromkeys(test.marker for _, test in pairs)),
        # the codes of single tests would not mean the panel
        codings=(local + (known.codes if known else ())) or _own(known),
        specimen=_needed(pairs, words) or (site.specimen if site else "") or specimen,
        urgent=any(_is_urgent(finding, test, words) for finding, test in pairs if test.due_days is None),
        due_days=next((test.due_days for _, test in pairs if test.due_days), None),
    )


def _own(known: Test | None) -> tuple[Coding, ...]:
    """A test that no public code names is known again by ours when it has been ordered."""
    return (Coding(TEST, known.id),) if known else ()


def _needed(pairs: Sequence[tuple[Finding, TestQuestion]], words: Words) -> str:
    """The specimen that this patient needs instead of the usual one."""
    return next((words.wording.phrase(test.specimen) for _, test in pairs if test.specimen), "")


def _is_urgent(finding: Finding, test: TestQuestion, words: Words) -> bool:
    table = table_of(finding, words)
    use = table.markers.get(test.marker) if table else None
    return use is not None and (use.timing is Timing.BEFORE_START or use.urgent)


def service_request(
    orderable: Orderable, drugs: Iterable[str], patient: Patient, words: Words, today: date
) -> Mapping[str, Any]:
    """A draft ServiceRequest for the test. Raises AnswerError where it is not valid FHIR R4B."""
    say = words.wording.say
    specimen = say("suggestions", "specimen", specimen=orderable.specimen) if orderable.specimen else ""
    return drafted_request(
        filled(coding=[coding_of(one) for one in orderable.codings], text=orderable.name),
        [say("suggestions", "reason", drug=clean(drug)) for drug in drugs],
        patient.id,
        today,
        category=[{"coding": [dict(words.wording.catalogue["laboratory_category"])]}],
        priority="urgent" if orderable.urgent else "routine",
        occurrence_period=_due(orderable.due_days, today),
        note=specimen,
    )


def _due(days: tuple[float, float] | None, today: date) -> dict[str, str]:
    if days is None:
        return {}
    start, end = (today + timedelta(days=day) for day in days)
    return {"start": start.isoformat(), "end": end.isoformat()}


def coding_of(coding: Coding) -> dict[str, str]:
    """A FHIR Coding without empty members."""
    return filled(system=coding.system, code=coding.code, display=coding.display)
