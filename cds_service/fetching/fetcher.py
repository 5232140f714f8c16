"""Resolves a request: prefetch first, the FHIR server for what is missing, all in parallel, one deadline."""

from __future__ import annotations

import re
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial, reduce
from threading import Lock

import requests

from cds_service.circuits import Circuits
from cds_service.fetching.addresses import ip_of, is_metadata, parse, path_below, same_server
from cds_service.fetching.client import FetchError, FhirClient, open_session
from cds_service.fetching.connections import Reach
from cds_service.fetching.deadline import Deadline
from cds_service.fetching.prefetch import (
    RESOURCE_TYPES,
    Page,
    failed,
    fetched,
    of_patient,
    prefetched,
    resources_in,
)
from cds_service.fetching.reads import Reads
from cds_service.hooks.discovery import PATIENT_TOKEN
from cds_service.hooks.requests import HookRequest, is_id
from cds_service.model import Availability, Query, QueryResult, Shortfall
from cds_service.references import without_version

JsonObject = Mapping[str, object]

_MEDICATION = re.compile(r"Medication/[^/]+")
_DISPATCHED = re.compile(r"MedicationRequest/[^/]+")
_LAST_WORD_S = 0.02
_ANSWERS_TOGETHER = 3
"""How many answers of the largest size one request may have taken in."""


@dataclass(frozen=True, slots=True)
class Limits:
    """`servers` are the base URLs that may be read; None means any (development)."""

    servers: frozenset[str] | None = None
    largest_bytes: int = 10_000_000
    most_pages: int = 10
    longest_search: int = 2000
    """Characters of a search beneath the base URL. Servers and proxies have a limit, the strictest one of 2,048; what
    is longer is asked in parts."""
    most_reads: int = 50
    """Medications and dispatched orders that one request may have us read singly."""
    workers: int = 32
    """Threads for each server."""
    sessions: int = 16
    reach: Reach = field(default_factory=Reach)
    failures_in_a_row: int = 3
    """Of reads for different patients and with different tokens; then the server is left alone for `rest_s`."""
    rest_s: float = 10.0


@dataclass(frozen=True, slots=True)
class _Visit:
    """What all reads of one request have in common."""

    client: FhirClient
    reads: Reads
    deadline: Deadline

    @property
    def deadline_of_reads(self) -> Deadline:
        """A moment before ours, so that a late page leaves us what came before it."""
        return Deadline(self.deadline.at_s - _LAST_WORD_S)


class Fetcher:
    """Holds the connections and the threads that requests to the same server share."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._servers: OrderedDict[str, Reads] = OrderedDict()
        self._circuits = Circuits(limits.failures_in_a_row, limits.rest_s, most=10 * limits.sessions)
        self._lock = Lock()

    def close(self) -> None:
        """Let go of connections and threads; reads on their way are not waited for."""
        with self._lock:
            for reads in self._servers.values():
                reads.close()
            self._servers.clear()

    def resolve(self, request: HookRequest, deadline: Deadline) -> Mapping[Query, QueryResult]:
        """What came of each query of the request's service. Never raises for what a server does: late, refused
        and broken are FAILED with their reason. Medications that orders only refer to, and dispatched orders
        that no query gave, are read too and stand among the results of `medications`.
        """
        patient_id = request.question.patient_id
        results = self._resolved(request, deadline)
        return {query: of_patient(result, patient_id) for query, result in results.items()}

    def _resolved(self, request: HookRequest, deadline: Deadline) -> Mapping[Query, QueryResult]:
        pages = {query: prefetched(request.prefetch, query) for query in Query}
        if not request.fhir_server:
            return {query: found.result for query, found in pages.items()}
        server = self._readable(request.fhir_server)
        if server is None:
            return {query: _not_allowed(found.result) for query, found in pages.items()}
        request = replace(request, fhir_server=server)
        reads = self._reads_of(server)
        visit = _Visit(self._client(request, reads.session), reads, deadline)
        results = self._queried(request, visit, pages)
        for elsewhere in (_dispatched_elsewhere, _medications_elsewhere):
            results = self._with_singles(elsewhere(request, results), visit, results)
        return results

    def _client(self, request: HookRequest, session: requests.Session) -> FhirClient:
        largest_bytes = self._limits.largest_bytes
        return FhirClient(
            session,
            request.fhir_server,
            request.access_token,
            largest_bytes,
            largest_total_bytes=_ANSWERS_TOGETHER * largest_bytes,
            circuit=self._circuits.of(request.fhir_server),
            patient_id=request.question.patient_id,
        )

    def _readable(self, server: str) -> str | None:
        """The configured server that is meant; None where none is. Where any may be read it is the given one."""
        if self._limits.servers is not None:
            return same_server(server, self._limits.servers)
        try:
            address = ip_of(parse(server).host)
        except ValueError:
            return None
        return None if address is not None and is_metadata(address) else server

    def _reads_of(self, server: str) -> Reads:
        """The reads of a server; the one unused longest makes room for a new one."""
        with self._lock:
            reads = self._servers.pop(server, None)
            workers = self._limits.workers
            reads = reads or Reads(open_session(workers, self._limits.reach), workers)
            self._servers[server] = reads
            if len(self._servers) > self._limits.sessions:
                # Not its threads: a request may be on its way that asks for more.
                self._servers.popitem(last=False)[1].session.close()
            return reads

    def _queried(self, request: HookRequest, visit: _Visit, pages: Mapping[Query, Page]) -> dict[Query, QueryResult]:
        templates = request.service.prefetch
        patient_id = request.question.patient_id
        reads: dict[tuple[Query, int], Callable[[], QueryResult]] = {}
        for query, found in pages.items():
            if found.result.availability is Availability.MISSING and query in templates:
                path = templates[query].replace(PATIENT_TOKEN, patient_id)
                for n, part in enumerate(in_parts(path, self._limits.longest_search)):
                    reads[query, n] = partial(self._search, visit, query, part, patient_id)
            elif found.result.reason is Shortfall.MORE_PAGES:
                reads[query, 0] = partial(self._pages, visit, query, found)
        answers = visit.reads.in_parallel(reads, visit.deadline)
        kept = {query: found.result for query, found in pages.items()}
        parts: defaultdict[Query, list[QueryResult]] = defaultdict(list)
        for (query, _), result in answers.items():
            parts[query].append(_answer(result, kept[query]))
        return kept | {query: reduce(_with_part, results) for query, results in parts.items()}

    def _search(self, visit: _Visit, query: Query, path: str, patient_id: str) -> QueryResult:
        found = fetched(visit.client.read(path, visit.deadline_of_reads), query)
        if query is Query.PATIENT and any(_is_other(r, patient_id) for r in resources_in(found.result.resources)):
            return failed(Shortfall.WRONG_PATIENT)
        return self._pages(visit, query, found)

    def _pages(self, visit: _Visit, query: Query, first: Page) -> QueryResult:
        """`first` and the pages after it. Pages that do not come leave the result PARTIAL, with the reason."""
        result, next_url, flaw = first.result, first.next_url, first.flaw
        followed: set[str] = set()
        while next_url and next_url not in followed and len(followed) < self._limits.most_pages:
            followed.add(next_url)
            try:
                answer = visit.client.follow(next_url, visit.deadline_of_reads)
                following = fetched(answer, query, result.resources)
            except FetchError as fault:
                return replace(result, availability=Availability.PARTIAL, reason=fault.reason)
            result, next_url, flaw = _joined(result, following.result), following.next_url, flaw or following.flaw
        return _with_flaw(result, flaw)

    def _with_singles(
        self, references: Mapping[str, bool], visit: _Visit, results: dict[Query, QueryResult]
    ) -> dict[Query, QueryResult]:
        """`results` with the resources that `references` name among the medications. Those named with True are
        of the patient's medicines, which are PARTIAL without them; a draft that lacks its own is told by reading.
        """
        wanted = sorted(references, key=lambda reference: (not references[reference], reference))
        reads = {r: partial(_single, visit, r) for r in wanted[: self._limits.most_reads]}
        answers = visit.reads.in_parallel(reads, visit.deadline)
        read = tuple(answer for answer in answers.values() if not isinstance(answer, FetchError))
        reasons = [fault.reason for r, fault in answers.items() if references[r] and isinstance(fault, FetchError)]
        reasons += [Shortfall.TOO_MANY_READS for r in wanted[self._limits.most_reads :] if references[r]]
        known = results[Query.MEDICATIONS]
        result = _with_flaw(replace(known, resources=known.resources + read), next(iter(reasons), Shortfall.NONE))
        return results | {Query.MEDICATIONS: result}


def _single(visit: _Visit, reference: str) -> JsonObject:
    """The resource that `reference` names, and no other. Raises FetchError."""
    answer = visit.client.read(reference, visit.deadline_of_reads)
    if not isinstance(answer, dict) or _reference(answer) != reference:
        raise FetchError(Shortfall.UNREADABLE)
    return answer


def _is_other(resource: JsonObject, patient_id: str) -> bool:
    return resource.get("resourceType") == "Patient" and resource.get("id") != patient_id


def _answer(answer: QueryResult | FetchError, before: QueryResult) -> QueryResult:
    """The result of a query; when its read failed, what the prefetch had already given stays as PARTIAL."""
    if isinstance(answer, QueryResult):
        return answer
    if before.availability is Availability.PARTIAL:
        return replace(before, reason=answer.reason)
    return failed(answer.reason)


def in_parts(path: str, longest: int) -> tuple[str, ...]:
    """The searches that together ask what `path` does, none longer than `longest` characters as it is sent, but one
    of a single value: they share out the values of the last parameter, of which any is meant.

    >>> in_parts("Observation?patient=1&code=a,b,c", 29)
    ('Observation?patient=1&code=a', 'Observation?patient=1&code=b', 'Observation?patient=1&code=c')
    """
    if _length(path) <= longest:
        return (path,)
    head, _, values = path.rpartition("=")
    parts: list[str] = []
    for value in values.split(","):
        longer = f"{parts[-1]},{value}" if parts else ""
        if parts and _length(longer) <= longest:
            parts[-1] = longer
        else:
            parts.append(f"{head}={value}")
    return tuple(parts)


def _length(path: str) -> int:
    """As it is sent: a vertical bar takes three characters."""
    return len(path) + 2 * path.count("|")


def _with_part(whole: QueryResult, part: QueryResult) -> QueryResult:
    """A query's answer with that of a further part of it. It failed where all of it did."""
    if whole.availability is part.availability is Availability.FAILED:
        return whole
    reason = whole.reason or part.reason
    availability = Availability.PARTIAL if reason else Availability.COMPLETE
    return QueryResult(availability, (*whole.resources, *part.resources), reason)


def _joined(first: QueryResult, following: QueryResult) -> QueryResult:
    resources = first.resources + following.resources
    if following.availability is Availability.FAILED:
        return QueryResult(Availability.PARTIAL, resources, following.reason)
    return QueryResult(following.availability, resources, following.reason)


def _with_flaw(result: QueryResult, flaw: Shortfall) -> QueryResult:
    """Something missing on an earlier page is not made good by the later ones."""
    if flaw and result.availability is Availability.COMPLETE:
        return replace(result, availability=Availability.PARTIAL, reason=flaw)
    return result


def _not_allowed(result: QueryResult) -> QueryResult:
    if result.availability is Availability.MISSING:
        return replace(result, reason=Shortfall.SERVER_NOT_ALLOWED)
    return result


def _dispatched_elsewhere(request: HookRequest, results: Mapping[Query, QueryResult]) -> dict[str, bool]:
    """Dispatched medication orders that the query for active medications did not give."""
    known = {_reference(resource) for resource in resources_in(results[Query.MEDICATIONS].resources)}
    named = (path_below(address, request.fhir_server) for address in request.question.wanted)
    return {r: True for r in named if r is not None and r not in known and _names(_DISPATCHED, r)}


def _medications_elsewhere(request: HookRequest, results: Mapping[Query, QueryResult]) -> dict[str, bool]:
    """Medications that drafts and current orders refer to and that nobody sent; whether a current order does."""
    drafts = resources_in(request.question.resources)
    taken = resources_in(results[Query.MEDICATIONS].resources)
    known = {_reference(resource) for resource in (*drafts, *taken)}
    named = dict.fromkeys(_medications_of(drafts, request.fhir_server), False)
    named |= dict.fromkeys(_medications_of(taken, request.fhir_server), True)
    return {reference: is_taken for reference, is_taken in named.items() if reference not in known}


def _medications_of(resources: Iterable[JsonObject], server: str) -> Iterator[str]:
    for resource in resources:
        if resource.get("resourceType") in RESOURCE_TYPES[Query.MEDICATIONS]:
            reference = path_below(_medication_reference(resource), server)
            if reference is not None and _names(_MEDICATION, reference):
                yield reference


def _names(kind: re.Pattern[str], reference: str) -> bool:
    """Whether a reference is one of `kind` whose id may stand in a URL."""
    return kind.fullmatch(reference) is not None and is_id(reference.split("/")[1])


def _medication_reference(medication_request: JsonObject) -> str:
    reference = medication_request.get("medicationReference")
    value = reference.get("reference") if isinstance(reference, dict) else None
    return without_version(value) if isinstance(value, str) else ""


def _reference(resource: JsonObject) -> str:
    return f"{resource.get('resourceType')}/{resource.get('id')}"
