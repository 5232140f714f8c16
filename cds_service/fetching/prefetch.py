"""What a value under a prefetch key, or the answer of a FHIR server to the same query, means.

| value | meaning |
|---|---|
| key missing | MISSING: not satisfied |
| null | COMPLETE and empty: the client knows that there is nothing |
| Bundle | its resources; PARTIAL where something is left out (`_shortfall`, or a `next` link) |
| OperationOutcome | FAILED: tried and refused, not to be asked again blindly |
| a resource of the type asked for | COMPLETE with that one |
| anything else | FAILED: unreadable |
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from cds_service.model import Availability, Query, QueryResult

JsonObject = Mapping[str, object]

MISSING = QueryResult(Availability.MISSING, reason="missing")
MORE_PAGES = "more_pages"

RESOURCE_TYPES: Mapping[Query, tuple[str, ...]] = MappingProxyType(
    {
        Query.PATIENT: ("Patient",),
        Query.MEDICATIONS: ("MedicationRequest", "MedicationStatement"),
        Query.RESULTS: ("Observation", "DiagnosticReport"),
        Query.CONDITIONS: ("Condition",),
        Query.ALLERGIES: ("AllergyIntolerance",),
        Query.REQUESTS: ("ServiceRequest",),
        Query.FAMILY: ("FamilyMemberHistory",),
    }
)


@dataclass(frozen=True, slots=True)
class Page:
    """One answer. `next_url` is the address of the following page, as given; empty when there is none. `flaw` is
    why something on this page itself is missing, whatever the following pages hold.
    """

    result: QueryResult
    next_url: str = ""
    flaw: str = ""


def prefetched(prefetch: Mapping[str, object], query: Query) -> Page:
    """What the prefetch says of `query`."""
    if query.value not in prefetch:
        return Page(MISSING)
    return page(prefetch[query.value], query)


def prefetched_results(prefetch: Mapping[str, object]) -> Mapping[Query, QueryResult]:
    """What the prefetch alone says of every query."""
    return {query: prefetched(prefetch, query).result for query in Query}


def page(value: object, query: Query, before: int = 0) -> Page:
    """What `value`, the answer to `query`, says; `before` is how many matches the pages before it held. Never raises."""
    if value is None:
        return Page(QueryResult(Availability.COMPLETE))
    if not isinstance(value, dict):
        return Page(failed("unreadable"))
    resource_type = value.get("resourceType")
    if resource_type == "Bundle":
        return _bundle(value, before)
    if resource_type == "OperationOutcome":
        return Page(failed("refused"))
    if resource_type in RESOURCE_TYPES[query]:
        return Page(QueryResult(Availability.COMPLETE, (value,)))
    return Page(failed("unreadable"))


def failed(reason: str) -> QueryResult:
    return QueryResult(Availability.FAILED, reason=reason)


def resources_in(resources: Iterable[JsonObject]) -> Iterator[JsonObject]:
    """The resources themselves, those inside Bundles included and the Bundles not."""
    for resource in resources:
        if resource.get("resourceType") == "Bundle":
            yield from resources_in(_entry_resources(resource.get("entry")))
        else:
            yield resource


def matches_in(resources: Iterable[JsonObject]) -> int:
    """How many matches there are, as a Bundle's `total` counts them."""
    return sum(resource.get("resourceType") != "OperationOutcome" for resource in resources_in(resources))


def _bundle(bundle: JsonObject, before: int) -> Page:
    """The Bundle goes on whole: the addresses of its entries are needed to follow references."""
    entries = bundle.get("entry", [])
    if not isinstance(entries, list):
        return Page(failed("unreadable"))
    next_url = _next_url(bundle)
    flaw = _flaw(entries)
    reason = MORE_PAGES if next_url else flaw or _shortfall(bundle, before)
    availability = Availability.PARTIAL if reason else Availability.COMPLETE
    return Page(QueryResult(availability, (bundle,) if entries else (), reason), next_url, flaw)


def _entry_resources(entries: object) -> Iterator[JsonObject]:
    for entry in entries if isinstance(entries, list) else ():
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(resource, dict) and isinstance(resource.get("resourceType"), str):
            yield resource


def _flaw(entries: list[object]) -> str:
    """Why entries of a page are missing; empty when none is."""
    resources = tuple(_entry_resources(entries))
    if len(resources) < len(entries):
        return "unreadable"
    return "refused" if any(_is_error(resource) for resource in resources) else ""


def _shortfall(bundle: JsonObject, before: int) -> str:
    """Why the last page is still not all of it; empty when it is. `total` counts the matches of all pages."""
    total = bundle.get("total")
    return "fewer_than_total" if isinstance(total, int) and total > before + matches_in((bundle,)) else ""


def _is_error(resource: JsonObject) -> bool:
    """An OperationOutcome among the matches: warnings are remarks, errors mean that something is left out."""
    issues = resource.get("issue") if resource["resourceType"] == "OperationOutcome" else None
    if not isinstance(issues, list):
        return False
    return any(isinstance(issue, dict) and issue.get("severity") in ("error", "fatal") for issue in issues)


def _next_url(bundle: JsonObject) -> str:
    links = bundle.get("link")
    if not isinstance(links, list):
        return ""
    urls = [link.get("url") for link in links if isinstance(link, dict) and link.get("relation") == "next"]
    return next((url for url in urls if isinstance(url, str)), "")
