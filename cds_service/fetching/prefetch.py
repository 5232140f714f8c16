"""What a value under a prefetch key, or the answer of a FHIR server to the same query, means.

| value | meaning |
|---|---|
| key missing | MISSING: not satisfied |
| null | COMPLETE and empty: the client knows that there is nothing |
| Bundle | its resources; PARTIAL where something is left out (`_shortfall`, or a `next` link) |
| OperationOutcome | FAILED: tried and refused, not to be asked again blindly |
| a resource of the type asked for | COMPLETE with that one |
| anything else | FAILED: unreadable |

A server that answers a query says what it has: from it a bare null is no answer (`fetched`). Whoever it comes from,
another patient's resource makes the result PARTIAL (`of_patient`): whoever mixes patients up has not told all of
this one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
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

_EXPECTED: Mapping[Query, frozenset[str]] = MappingProxyType(
    {query: frozenset({*types, "Parameters"}) for query, types in RESOURCE_TYPES.items()}
)
"""What matches a query; other resources stand beside the matches (outcomes, included ones)."""
_BESIDE = frozenset({"OperationOutcome", "Medication", "Patient", "Encounter", "Practitioner", "Organization"})
"""What may stand there although nothing matches."""


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


def prefetched_results(prefetch: Mapping[str, object], patient_id: str = "") -> Mapping[Query, QueryResult]:
    """What the prefetch alone says of every query. Without `patient_id` subjects are not looked at."""
    return {query: of_patient(prefetched(prefetch, query).result, patient_id) for query in Query}


def fetched(value: object, query: Query, before: int = 0) -> Page:
    """What `value`, the answer of a server to `query`, says. Never raises; `before` as for `page`."""
    return Page(failed("unreadable")) if value is None else page(value, query, before)


def of_patient(result: QueryResult, patient_id: str) -> QueryResult:
    """`result`, which is PARTIAL where it holds another patient's resource."""
    if result.availability is not Availability.COMPLETE or not patient_id:
        return result
    if any(_is_of_another(resource, patient_id) for resource in resources_in(result.resources)):
        return replace(result, availability=Availability.PARTIAL, reason="wrong_patient")
    return result


def page(value: object, query: Query, before: int = 0) -> Page:
    """What `value`, the answer to `query`, says. Never raises. `before` is how many matches earlier pages held."""
    if value is None:
        return Page(QueryResult(Availability.COMPLETE))
    if not isinstance(value, dict):
        return Page(failed("unreadable"))
    resource_type = value.get("resourceType")
    if resource_type == "Bundle":
        return _bundle(value, query, before)
    if resource_type == "OperationOutcome":
        return Page(failed("refused"))
    if resource_type in RESOURCE_TYPES[query]:
        return Page(QueryResult(Availability.COMPLETE, (value,)))
    return Page(failed("unreadable"))


def failed(reason: str) -> QueryResult:
    return QueryResult(Availability.FAILED, reason=reason)


def resources_in(resources: Iterable[JsonObject]) -> list[JsonObject]:
    """The resources themselves, those inside Bundles included and the Bundles not."""
    found: list[JsonObject] = []
    for resource in resources:
        if resource.get("resourceType") == "Bundle":
            found += resources_in(_entry_resources(resource.get("entry")))
        else:
            found.append(resource)
    return found


def matches_in(resources: Iterable[JsonObject], query: Query) -> int:
    """How many matches of `query` there are, as a Bundle's `total` counts them."""
    return sum(resource.get("resourceType") in _EXPECTED[query] for resource in resources_in(resources))


def _is_of_another(resource: JsonObject, patient_id: str) -> bool:
    """Whether the resource names its patient, as `.../Patient/id`, and that is another one."""
    for holder in (resource.get("subject"), resource.get("patient")):
        reference = holder.get("reference") if isinstance(holder, dict) else None
        if isinstance(reference, str):
            path, _, named = reference.partition("/_history/")[0].rpartition("/")
            if named != patient_id and path.rpartition("/")[2] == "Patient":
                return True
    return False


def _bundle(bundle: JsonObject, query: Query, before: int) -> Page:
    """The Bundle goes on whole: the addresses of its entries are needed to follow references."""
    entries = bundle.get("entry", [])
    if not isinstance(entries, list):
        return Page(failed("unreadable"))
    next_url = _next_url(bundle)
    flaw = _flaw(entries, query)
    reason = MORE_PAGES if next_url else flaw or _shortfall(bundle, query, before)
    availability = Availability.PARTIAL if reason else Availability.COMPLETE
    return Page(QueryResult(availability, (bundle,) if entries else (), reason), next_url, flaw)


def _entry_resources(entries: object) -> list[JsonObject]:
    held = [entry.get("resource") for entry in _list(entries) if isinstance(entry, dict)]
    return [r for r in held if isinstance(r, dict) and isinstance(r.get("resourceType"), str)]


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _flaw(entries: list[object], query: Query) -> str:
    """Why entries of a page are missing; empty when none is. A page of other things answers another question."""
    resources = _entry_resources(entries)
    if len(resources) < len(entries):
        return "unreadable"
    if any(_is_error(resource) for resource in resources):
        return "refused"
    kinds = {resource["resourceType"] for resource in resources_in(resources)}
    return "unreadable" if not kinds <= _BESIDE and kinds.isdisjoint(_EXPECTED[query]) else ""


def _shortfall(bundle: JsonObject, query: Query, before: int) -> str:
    """Why the last page is still not all of it; empty when it is. `total` counts the matches of all pages."""
    total = bundle.get("total")
    is_short = isinstance(total, int) and total > before + matches_in((bundle,), query)
    return "fewer_than_total" if is_short else ""


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
