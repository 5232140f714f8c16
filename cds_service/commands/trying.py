"""`cds-service try`: ask the service about a patient of any FHIR server, as an EHR would.

The request is the one that an EHR sends: the templates of our own discovery are filled from the server, one page
each, and the order is drafted from words. What the prefetch leaves open the service then fetches itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from uuid import uuid4

from cds_service.answer import AnswerResult, Service, answer
from cds_service.commands.drafting import Draft, draft
from cds_service.commands.pretty import answer_lines
from cds_service.errors import RequestError
from cds_service.fetching.client import FetchError, FhirClient, open_session
from cds_service.fetching.deadline import Deadline
from cds_service.fetching.fetcher import Fetcher, Limits
from cds_service.fetching.prefetch import resources_in
from cds_service.hooks.discovery import PATIENT_TOKEN, Hook, ServiceDefinition
from cds_service.hooks.requests import HookRequest, parse
from cds_service.model import Availability, Finding, Gap, Patient, Query, QueryResult, Shortfall

JsonObject = Mapping[str, object]

_USER = "Practitioner/cds-service-try"
_LARGEST_BYTES = 50_000_000
_MOST_PAGES = 50
_WORKERS = 8
_TELLS_NOTHING = frozenset({Availability.FAILED, Availability.MISSING})


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person wants tried. `drugs` are in words; none are needed for a hook without drafts."""

    fhir_server: str
    patient_id: str
    drugs: tuple[str, ...] = ()
    reason: str = ""
    access_token: str = ""


@dataclass(frozen=True, slots=True)
class Trial:
    """The request as sent, without the token; what came of its queries, and the answer."""

    request: JsonObject
    results: Mapping[Query, QueryResult]
    answered: AnswerResult
    drafts: tuple[Draft, ...] = ()

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """Everything that could not be read or obtained, once each."""
        found = (*self.answered.patient.gaps, *(gap for finding in self.answered.findings for gap in finding.gaps))
        return tuple(dict.fromkeys(found))

    @property
    def incomplete(self) -> bool:
        """Whether an answered query or a recognised drug is missing."""
        failed = any(result.availability is not Availability.COMPLETE for result in self.results.values())
        return failed or any(drafted.match is None for drafted in self.drafts)


def attempt(asked: Asked, definition: ServiceDefinition, service: Service, today: date, deadline: Deadline) -> Trial:
    """Draft the order, ask the server, then answer. Raises RequestError where the request cannot be made: no such
    patient, no drug for a hook about drafts, or a server that answers none of the queries.
    """
    asked = replace(asked, patient_id=asked.patient_id.removeprefix("Patient/"))
    drafts = tuple(
        draft(text, n, asked.patient_id, service.index, service.knowledge, reason=asked.reason)
        for n, text in enumerate(asked.drugs, start=1)
    )
    body = {**_body(asked, definition, drafts), **_authorization(asked)}
    return replace(ask(body, definition, service, today, deadline), drafts=drafts)


def ask(body: JsonObject, definition: ServiceDefinition, service: Service, today: date, deadline: Deadline) -> Trial:
    """The answer to a hook request whose prefetch is filled from its `fhirServer` first. Raises RequestError."""
    request = parse(body, definition)
    prefetch = _filled(request, deadline)
    request = replace(request, prefetch=prefetch)
    results = {q: found for q, found in _resolved(request, deadline).items() if q in definition.prefetch}
    _check_answered(request, results)
    answered = answer(request, results, service, today)
    sent = {name: value for name, value in body.items() if name != "fhirAuthorization"}
    return Trial({**sent, "prefetch": prefetch}, results, answered)


def report(trial: Trial) -> dict[str, object]:
    """The trial as JSON data."""
    return {
        "request": trial.request,
        "drugs": [_drug(drafted) for drafted in trial.drafts],
        "queries": {query.value: _query(result) for query, result in trial.results.items()},
        "gaps": [{"about": gap.about, "reason": gap.reason, "detail": gap.detail} for gap in trial.gaps],
        "silent": [_silent(finding) for finding in trial.answered.findings if finding.silent],
        "response": trial.answered.body,
    }


def report_lines(trial: Trial, title: str) -> Iterator[str]:
    """The trial for people: the drugs, what was found and what was not, then the cards."""
    yield f"== {title}"
    for drafted in trial.drafts:
        yield f"   drug         {_drug_line(drafted)}"
    for query, result in trial.results.items():
        yield f"   {query.value:<13}{_query_line(result)}"
    yield f"   read         {_read_line(trial.answered.patient)}"
    for gap in trial.gaps:
        yield f"   gap          {gap.about}: {gap.reason}" + (f" ({gap.detail})" if gap.detail else "")
    for finding in trial.answered.findings:
        if finding.silent:
            where = f" in {finding.table}" if finding.table else ""
            yield f"   silent       {finding.drug}: {finding.kind}{where}, because of the rule {finding.silent}"
    yield from answer_lines(trial.answered.body, "cards")


def _body(asked: Asked, definition: ServiceDefinition, drafts: Iterable[Draft]) -> JsonObject:
    context: dict[str, object] = {"userId": _USER, "patientId": asked.patient_id}
    entries = [{"resource": drafted.resource} for drafted in drafts]
    if definition.hook is not Hook.PATIENT_VIEW:
        if not entries:
            raise RequestError(400, "required", f"the hook {definition.hook} asks about a drafted drug: name one")
        context["draftOrders"] = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    return {
        "hook": definition.hook.value,
        "hookInstance": str(uuid4()),
        "fhirServer": asked.fhir_server,
        "context": context,
    }


def _authorization(asked: Asked) -> JsonObject:
    if not asked.access_token:
        return {}
    return {"fhirAuthorization": {"access_token": asked.access_token, "token_type": "Bearer"}}


def _filled(request: HookRequest, deadline: Deadline) -> JsonObject:
    """The prefetch as far as the server answers. A query that fails has no key, as in an EHR."""
    session = open_session(_WORKERS)
    client = FhirClient(session, request.fhir_server, request.access_token, _LARGEST_BYTES)
    paths = {
        query.value: template.replace(PATIENT_TOKEN, request.question.patient_id)
        for query, template in request.service.prefetch.items()
    }
    with ThreadPoolExecutor(_WORKERS) as pool:
        answers = dict(zip(paths, pool.map(lambda path: _read(client, path, deadline), paths.values()), strict=True))
    session.close()
    return {key: found for key, found in answers.items() if not isinstance(found, FetchError)}


def _read(client: FhirClient, path: str, deadline: Deadline) -> object:
    try:
        return client.read(path, deadline)
    except FetchError as fault:
        return fault


def _resolved(request: HookRequest, deadline: Deadline) -> Mapping[Query, QueryResult]:
    fetcher = Fetcher(
        Limits(
            servers=frozenset({request.fhir_server}),
            largest_bytes=_LARGEST_BYTES,
            most_pages=_MOST_PAGES,
            workers=_WORKERS,
        )
    )
    try:
        return fetcher.resolve(request, deadline)
    finally:
        fetcher.close()


def _check_answered(request: HookRequest, results: Mapping[Query, QueryResult]) -> None:
    server = request.fhir_server
    if results[Query.PATIENT].reason is Shortfall.NOT_FOUND:
        raise RequestError(404, "not-found", f"{server} has no Patient/{request.question.patient_id}")
    if all(result.availability in _TELLS_NOTHING for result in results.values()):
        reasons = ", ".join(sorted({result.reason for result in results.values()}))
        raise RequestError(
            502, "transient", f"{server} answered none of the queries: {reasons}. Is it the base URL of a "
            "FHIR R4 server, and does it want a token?",
        )  # fmt: skip


def _drug(drafted: Draft) -> dict[str, object]:
    match, dose = drafted.match, drafted.dose
    return {
        "text": drafted.text,
        "recognised": list(match.drugs) if match else [],
        "rxnorm": drafted.rxnorm or None,
        "dose": {"perDose": dose.per_dose, "unit": dose.unit, "perDay": dose.per_day} if dose else None,
    }


def _drug_line(drafted: Draft) -> str:
    if drafted.match is None:
        return f"{drafted.text}: not recognised"
    code = f" (RxNorm {drafted.rxnorm})" if drafted.rxnorm else ""
    return f"{drafted.text}: {', '.join(drafted.match.drugs)}{code}, {_dose_line(drafted)}"


def _dose_line(drafted: Draft) -> str:
    dose = drafted.dose
    if dose is None or dose.per_dose is None:
        return "no dose read"
    times = f", {dose.per_day:g} a day" if dose.per_day else ""
    return f"{dose.per_dose:g} {dose.unit}{times}"


def _read_line(patient: Patient) -> str:
    counts = {
        "results": patient.readings,
        "medicines": patient.medications,
        "conditions": patient.conditions,
        "allergies": patient.allergies,
        "family conditions": patient.family,
        "tests pending": patient.pending,
    }
    return ", ".join(f"{len(found)} {name}" for name, found in counts.items())


def _query(result: QueryResult) -> dict[str, object]:
    return {
        "availability": result.availability.value,
        "resources": sum(1 for _ in resources_in(result.resources)),
        "reason": result.reason or None,
    }


def _query_line(result: QueryResult) -> str:
    count = sum(1 for _ in resources_in(result.resources))
    found = f"{count} resource{'' if count == 1 else 's'}"
    return f"{result.availability.value:<10}{found}" + (f", {result.reason}" if result.reason else "")


def _silent(finding: Finding) -> dict[str, object]:
    return {
        "kind": finding.kind.value,
        "drug": finding.drug,
        "table": finding.table or None,
        "because": finding.silent,
    }
