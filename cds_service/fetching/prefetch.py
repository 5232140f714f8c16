"""What a value under a prefetch key, or the answer of a FHIR server to the same query, means.

| value | meaning |
|---|---|
| key missing | MISSING: not satisfied |
| null | COMPLETE and empty: the client knows that there is nothing |
| Bundle | its resources; PARTIAL where something is left out (`_flaw`, `_lost_link`, `_shortfall`, a `next` link) |
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

from cds_service.model import Availability, Query, QueryResult, Shortfall
from cds_service.references import without_version

JsonObject = Mapping[str, object]

MISSING = QueryResult(Availability.MISSING, reason=Shortfall.MISSING)

RESOURCE_TYPES: Mapping[Query, tuple[str, ...]] = MappingProxyType(
    {
        Query.PATIENT: ("Patient",),
        Query.MEDICATIONS: (
            "MedicationRequest",
            "MedicationStatement",
            "MedicationDispense",
            "MedicationAdministration",
        ),
        Query.RESULTS: ("Observation", "DiagnosticReport"),
        Query.TUMOUR_RESULTS: ("Observation", "DiagnosticReport"),
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
"""What may stand beside matches, or without any where it is said to be included."""
_REMARKS = frozenset({"OperationOutcome"})
"""What may stand alone where nothing matches."""
_LONGEST_TOTAL = 18


@dataclass(frozen=True, slots=True)
class Page:
    """One answer. `next_url` is the address of the following page, as given; empty when there is none. `flaw` is
    why something on this page itself is missing, whatever the following pages hold.
    """

    result: QueryResult
    next_url: str = ""
    flaw: Shortfall = Shortfall.NONE


def prefetched(prefetch: Mapping[str, object], query: Query) -> Page:
    """What the prefetch says of `query`."""
    if query.value not in prefetch:
        return Page(MISSING)
    return page(prefetch[query.value], query)


def prefetched_results(prefetch: Mapping[str, object], patient_id: str = "") -> Mapping[Query, QueryResult]:
    """What the prefetch alone says of every query. Without `patient_id` subjects are not looked at."""
    return {query: of_patient(prefetched(prefetch, query).result, patient_id) for query in Query}


def fetched(value: object, query: Query, before: tuple[JsonObject, ...] = ()) -> Page:
    """What `value`, the answer of a server to `query`, says. Never raises; `before` as for `page`."""
    return Page(failed(Shortfall.UNREADABLE)) if value is None else page(value, query, before)


def of_patient(result: QueryResult, patient_id: str) -> QueryResult:
    """`result`, which is PARTIAL where it holds another patient's resource."""
    if result.availability is not Availability.COMPLETE or not patient_id:
        return result
    if any(_is_of_another(resource, patient_id) for resource in resources_in(result.resources)):
        return replace(result, availability=Availability.PARTIAL, reason=Shortfall.WRONG_PATIENT)
    return result


def page(value: object, query: Query, before: tuple[JsonObject, ...] = ()) -> Page:
    """What `value`, the answer to `query`, says. Never raises. `before` is what earlier pages held."""
    if value is None:
        return Page(QueryResult(Availability.COMPLETE))
    if not isinstance(value, dict):
        return Page(failed(Shortfall.UNREADABLE))
    resource_type = value.get("resourceType")
    if resource_type == "Bundle":
        return _bundle(value, query, before)
    if resource_type == "OperationOutcome":
        return Page(failed(Shortfall.REFUSED))
    if resource_type in RESOURCE_TYPES[query]:
        return Page(QueryResult(Availability.COMPLETE, (value,)))
    return Page(failed(Shortfall.UNREADABLE))


def failed(reason: Shortfall) -> QueryResult:
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
    """How many matches of `query` there are, as a Bundle's `total` counts them: each resource once."""
    matches = [r for r in resources_in(resources) if r.get("resourceType") in _EXPECTED[query]]
    named = [(r["resourceType"], r["id"]) for r in matches if isinstance(r.get("id"), str)]
    return len(set(named)) + len(matches) - len(named)


def _is_of_another(resource: JsonObject, patient_id: str) -> bool:
    """Whether the resource names its patient, as `.../Patient/id`, and that is another one."""
    for holder in (resource.get("subject"), resource.get("patient")):
        reference = holder.get("reference") if isinstance(holder, dict) else None
        if isinstance(reference, str):
            path, _, named = without_version(reference).rpartition("/")
            if named != patient_id and path.rpartition("/")[2] == "Patient":
                return True
    return False


def _bundle(bundle: JsonObject, query: Query, before: tuple[JsonObject, ...]) -> Page:
    """The Bundle goes on whole: the addresses of its entries are needed to follow references."""
    entries = bundle.get("entry", [])
    if not isinstance(entries, list):
        return Page(failed(Shortfall.UNREADABLE))
    next_url = _next_url(bundle)
    flaw = _flaw(entries, query, before) or (Shortfall.NONE if next_url else _lost_link(bundle))
    reason = Shortfall.MORE_PAGES if next_url else flaw or _shortfall(bundle, query, before)
    availability = Availability.PARTIAL if reason else Availability.COMPLETE
    return Page(QueryResult(availability, (bundle,) if entries else (), reason), next_url, flaw)


def _entry_resources(entries: object) -> list[JsonObject]:
    held = [entry.get("resource") for entry in _list(entries) if isinstance(entry, dict)]
    return [r for r in held if isinstance(r, dict) and isinstance(r.get("resourceType"), str)]


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _flaw(entries: list[object], query: Query, before: tuple[JsonObject, ...]) -> Shortfall:
    """Why entries of a page are missing; NONE where none is. A page of other things answers another question, unless
    they are said to stand beside the matches or go on with what stands beside those of earlier pages.
    """
    resources = _entry_resources(entries)
    if len(resources) < len(entries):
        return Shortfall.UNREADABLE
    if any(_is_error(resource) for resource in resources):
        return Shortfall.REFUSED
    kinds = {resource["resourceType"] for resource in resources_in(resources)}
    is_answer = kinds <= _REMARKS or not kinds.isdisjoint(_EXPECTED[query])
    if is_answer or (kinds <= _BESIDE and (before or all(map(_is_included, entries)))):
        return Shortfall.NONE
    return Shortfall.UNREADABLE


def _is_included(entry: object) -> bool:
    """Whether a server says that an entry is no match but stands beside them."""
    search = entry.get("search") if isinstance(entry, dict) else None
    return isinstance(search, dict) and search.get("mode") in ("include", "outcome")


def _shortfall(bundle: JsonObject, query: Query, before: tuple[JsonObject, ...]) -> Shortfall:
    """Why the last page is still not all of it; NONE where it is. `total` counts the matches of all pages."""
    pages = (*before, bundle)
    total = max(map(_total, pages))
    is_short = total > 0 and total > matches_in(pages, query)
    return Shortfall.FEWER_THAN_TOTAL if is_short else Shortfall.NONE


def _total(bundle: JsonObject) -> float:
    """What a Bundle says its matches are, as a number or as text; 0 where it says nothing."""
    total = bundle.get("total")
    if isinstance(total, str):
        return int(total[:_LONGEST_TOTAL]) if total.isascii() and total.isdecimal() else 0
    return total if isinstance(total, int | float) and not isinstance(total, bool) else 0


def _is_error(resource: JsonObject) -> bool:
    """An OperationOutcome among the matches: warnings are remarks, errors mean that something is left out, and one
    that says nothing is no remark.
    """
    if resource["resourceType"] != "OperationOutcome":
        return False
    issues = resource.get("issue")
    if not isinstance(issues, list) or not issues:
        return True
    return any(not isinstance(issue, dict) or issue.get("severity") in ("error", "fatal") for issue in issues)


def _next_url(bundle: JsonObject) -> str:
    links = _list(bundle.get("link"))
    urls = [link.get("url") for link in links if isinstance(link, dict) and _relation(link) == "next"]
    return next((url for url in urls if isinstance(url, str)), "")


def _lost_link(bundle: JsonObject) -> Shortfall:
    """Why it is not known whether there is a following page; NONE where it is."""
    links = bundle.get("link")
    if links is None or (isinstance(links, list) and all(_relation(link) not in ("", "next") for link in links)):
        return Shortfall.NONE
    return Shortfall.UNREADABLE


def _relation(link: object) -> str:
    """What a link leads to; empty where it does not say."""
    relation = link.get("relation") if isinstance(link, dict) else None
    return relation if isinstance(relation, str) else ""
