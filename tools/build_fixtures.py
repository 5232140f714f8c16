"""Write `fixtures/`: patients, hook requests and the answers to them, one of which stands in the README.

    python -m tools.build_fixtures

Read the difference that git shows before committing it: an answer changes only because knowledge, wording or code
did.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from uuid import NAMESPACE_URL, uuid5

from cds_service.fetching.prefetch import RESOURCE_TYPES
from cds_service.model import Query
from tests.support.fixtures import EXPECTED, FIXTURES, README, answered, normalised, readme_with_answer
from tests.support.keys import key_of
from tools.fixture_patients import PATIENTS, REQUESTS, Request
from tools.fixture_shapes import Json

SERVER = "https://ehr.example.org/fhir"
_NAMED_BY_PATIENT = frozenset({"AllergyIntolerance", "FamilyMemberHistory"})
_WITHOUT_PATIENT = frozenset({"Patient", "Medication"})


def main() -> None:
    for name, resources in PATIENTS.items():
        _write("patients", name, _bundle(_about(resources, name), "collection"))
    for request in REQUESTS:
        body = hook_request(request)
        _write("requests", request.name, body)
        _write(EXPECTED, request.name, normalised(answered(body)))
    README.write_text(readme_with_answer(README.read_text(encoding="utf-8")), encoding="utf-8")


def hook_request(request: Request) -> Json:
    """The body that an EHR would send."""
    resources = _about(PATIENTS[request.patient], request.patient)
    context: Json = {"userId": "Practitioner/made-up-clinician", "patientId": resources[0]["id"]}
    if request.hook == "order-dispatch":
        del context["userId"]
    if request.drafts:
        key = "medications" if request.hook == "medication-refill" else "draftOrders"
        context[key] = _drafts(_about(request.drafts, request.patient), request)
    body: Json = {
        "hook": request.hook,
        "hookInstance": str(uuid5(NAMESPACE_URL, f"urn:example:fixture:{request.name}")),
        "context": {**context, **(request.context or {})},
    }
    return {**body, "prefetch": _prefetch(resources)} if request.has_prefetch else body


def _drafts(drafts: list[Json], request: Request) -> Json:
    if request.has_prefetch:
        return _bundle(drafts, "collection")
    return {"resourceType": "Bundle", "entry": [{"resource": resource} for resource in drafts]}


def _prefetch(resources: list[Json]) -> Json:
    filled: Json = {Query.PATIENT.value: resources[0]}
    for query, kinds in RESOURCE_TYPES.items():
        if query is not Query.PATIENT:
            found = [r for r in resources if r["resourceType"] in kinds and _is_asked(r, query)]
            filled[query.value] = {**_bundle(found, "searchset"), "total": len(found)}
    return filled


def _is_asked(resource: Json, query: Query) -> bool:
    """Whether `query`, among those for resources of this kind, is the one that asks for it."""
    return query not in (Query.RESULTS, Query.TUMOUR_RESULTS) or key_of(resource) == query.value


def _about(resources: Iterable[Json], name: str) -> list[Json]:
    """The resources with a reference to their patient."""
    subject = {"reference": f"Patient/{PATIENTS[name][0]['id']}"}
    return [{**resource, **_pointer(resource["resourceType"], subject)} for resource in resources]


def _pointer(kind: str, subject: Json) -> Json:
    if kind in _WITHOUT_PATIENT:
        return {}
    return {"patient" if kind in _NAMED_BY_PATIENT else "subject": subject}


def _bundle(resources: list[Json], kind: str) -> Json:
    bundle: Json = {"resourceType": "Bundle", "type": kind}
    entries = [_entry(resource, kind) for resource in resources]
    return {**bundle, "entry": entries} if entries else bundle


def _entry(resource: Json, kind: str) -> Json:
    entry = {"fullUrl": f"{SERVER}/{resource['resourceType']}/{resource['id']}", "resource": resource}
    return {**entry, "search": {"mode": "match"}} if kind == "searchset" else entry


def _write(folder: str, name: str, content: object) -> None:
    path = FIXTURES / folder / f"{name}.json"
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
