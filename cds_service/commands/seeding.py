"""`cds-service seed`: load the made-up patients of `fixtures/patients` into a FHIR server made for tests.

Ids are stable, so a second run changes nothing. Resources of different patients may share an id in the files; on
the server each carries the id of its patient before its own.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson

from cds_service.errors import RequestError, SettingsError
from cds_service.fetching.client import FetchError, open_session
from cds_service.fetching.deadline import Deadline
from cds_service.fetching.sending import Reply, send
from cds_service.fetching.smart import is_loopback

Json = dict[str, Any]

_PLACES = (
    Path(__file__).parents[1] / "_packaged" / "fixtures" / "patients",
    Path(__file__).parents[2] / "fixtures" / "patients",
)
"""In an installed wheel, and in a working copy."""

_LONGEST_ID = 64
_STAND_INS = frozenset({"Practitioner", "PractitionerRole", "Organization", "Location"})
"""Types that are valid with an id alone: servers that check references get them where the files name them."""
_LITERAL = re.compile(r"(?:.*/)?([A-Z][A-Za-z]+)/([A-Za-z0-9.-]{1,64})(?:/_history/.*)?")
_STORED = frozenset({200, 201})
_NO_TRANSACTIONS = frozenset({404, 405, 501})


@dataclass(frozen=True, slots=True)
class Record:
    """The resources of one patient with the ids that they get on the server, referenced ones first."""

    title: str
    resources: tuple[Json, ...]


@dataclass(frozen=True, slots=True)
class Loaded:
    """What came of one record: how many resources by type were new, and how many were there before or were
    written without the server saying which.
    """

    title: str
    created: Mapping[str, int]
    kept: Mapping[str, int]
    singly: bool
    """Put one by one, since the server takes no transactions."""


@dataclass(frozen=True, slots=True)
class Target:
    """The server to load. `is_test_server` is a person's word that no real patient is on it."""

    fhir_server: str
    access_token: str = ""
    is_test_server: bool = False


def fixture_folder() -> Path:
    """Where the packaged patients lie. Raises SettingsError where there are none."""
    for folder in _PLACES:
        if folder.is_dir():
            return folder
    raise SettingsError("no fixtures/patients, neither packaged nor in a working copy")


def read_records(folder: Path) -> tuple[Record, ...]:
    """The patients of a folder, one Bundle a file. Raises SettingsError."""
    records = tuple(_record(path) for path in sorted(folder.glob("*.json")))
    if not records:
        raise SettingsError(f"{folder} holds no *.json")
    return records


def seed(target: Target, records: Iterable[Record], deadline: Deadline) -> Iterator[Loaded]:
    """Load each record. Raises SettingsError before anything is sent where the server may be real, and
    RequestError where the server refuses a resource or does not answer.
    """
    if not (target.is_test_server or is_loopback(target.fhir_server)):
        raise SettingsError(
            f"{target.fhir_server} is not on this machine: made-up patients do not belong among real ones. If it is "
            "a server for tests, say so with --yes-this-is-a-test-server"
        )
    session = open_session(connections=1)
    try:
        for record in records:
            yield _Sender(session, target, deadline).load(record)
    finally:
        session.close()


def _record(path: Path) -> Record:
    try:
        bundle = orjson.loads(path.read_bytes())
        resources = [entry["resource"] for entry in bundle["entry"]]
        addresses = {f"{found['resourceType']}/{found['id']}" for found in resources}
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError) as fault:
        raise SettingsError(f"{path.name}: not a Bundle of resources with ids ({fault!r})") from fault
    patients = [found["id"] for found in resources if found["resourceType"] == "Patient"]
    if len(patients) != 1:
        raise SettingsError(f"{path.name}: expected one Patient, found {len(patients)}")
    renamed = {address: server_address(address, patients[0]) for address in addresses}
    stand_ins = dict(_stand_in(address, path.name) for address in _referenced(resources) - addresses)
    placed = {renamed[f"{r['resourceType']}/{r['id']}"]: _placed(r, renamed) for r in resources}
    return Record(path.stem, tuple(_referenced_first(placed | stand_ins)))


def server_address(address: str, patient_id: str) -> str:
    """`Type/id` on the server of the resource that a patient's file calls `address`."""
    kind, _, bare = address.partition("/")
    if kind == "Patient":
        return address
    whole = f"{patient_id}-{bare}"
    if len(whole) > _LONGEST_ID:
        whole = f"{whole[: _LONGEST_ID - 9]}-{sha256(whole.encode()).hexdigest()[:8]}"
    return f"{kind}/{whole}"


def _stand_in(address: str, file: str) -> tuple[str, Json]:
    kind, _, bare = address.partition("/")
    if kind not in _STAND_INS:
        raise SettingsError(f"{file}: names {address}, which it does not hold")
    return address, {"resourceType": kind, "id": bare}


def _placed(value: Any, renamed: Mapping[str, str]) -> Any:
    """A resource with its new id, and its references rewritten."""
    resource = _with_references(value, renamed)
    resource["id"] = renamed[f"{value['resourceType']}/{value['id']}"].split("/")[1]
    return resource


def _with_references(value: Any, renamed: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_with_references(item, renamed) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: renamed.get(_address(inner), inner) if key == "reference" else _with_references(inner, renamed)
        for key, inner in value.items()
    }


def _referenced(value: Any) -> set[str]:
    """`Type/id` of everything that a value refers to."""
    if isinstance(value, list):
        return {found for item in value for found in _referenced(item)}
    if not isinstance(value, dict):
        return set()
    own = {_address(value["reference"])} if "reference" in value else set()
    return (own - {""}) | {found for inner in value.values() for found in _referenced(inner)}


def _address(reference: object) -> str:
    match = _LITERAL.fullmatch(reference) if isinstance(reference, str) else None
    return f"{match[1]}/{match[2]}" if match else ""


def _referenced_first(placed: Mapping[str, Json]) -> list[Json]:
    graph = {address: _referenced(resource) & placed.keys() for address, resource in placed.items()}
    try:
        return [placed[address] for address in TopologicalSorter(graph).static_order()]
    except CycleError:
        return list(placed.values())


class _Sender:
    def __init__(self, session: Any, target: Target, deadline: Deadline) -> None:
        self._session = session
        self._base_url = target.fhir_server.rstrip("/")
        self._deadline = deadline
        self._headers = {"Content-Type": "application/fhir+json", "Accept": "application/fhir+json"}
        if target.access_token:
            self._headers["Authorization"] = f"Bearer {target.access_token}"

    def load(self, record: Record) -> Loaded:
        statuses = self._by_transaction(record)
        singly = statuses is None
        if statuses is None:
            statuses = [self._put(resource) for resource in record.resources]
        kinds = [resource["resourceType"] for resource in record.resources]
        created = Counter(kind for kind, status in zip(kinds, statuses, strict=True) if status == 201)
        kept = Counter(kind for kind, status in zip(kinds, statuses, strict=True) if status != 201)
        return Loaded(record.title, created, kept, singly)

    def _by_transaction(self, record: Record) -> list[int] | None:
        """The status of each resource, or None where the server takes no transactions."""
        entries = [self._entry(resource) for resource in record.resources]
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
        reply = self._send("POST", self._base_url, bundle)
        if reply.status in _NO_TRANSACTIONS:
            return None
        _check(reply, record.title)
        responses = [_response(entry) for entry in _entries(reply.body)]
        statuses = [_status(response) for response in responses]
        if len(statuses) != len(record.resources) or not all(status in _STORED for status in statuses):
            told = [_told(r) for r, status in zip(responses, statuses, strict=True) if status not in _STORED]
            reason = "; ".join(told) or f"{len(statuses)} answers for {len(record.resources)} resources"
            raise RequestError(502, "processing", f"{record.title}: not all was stored: {reason}")
        return statuses

    def _entry(self, resource: Json) -> Json:
        address = f"{resource['resourceType']}/{resource['id']}"
        request = {"method": "PUT", "url": address}
        return {"fullUrl": f"{self._base_url}/{address}", "resource": resource, "request": request}

    def _put(self, resource: Json) -> int:
        address = f"{resource['resourceType']}/{resource['id']}"
        reply = self._send("PUT", f"{self._base_url}/{address}", resource)
        _check(reply, address)
        return reply.status

    def _send(self, method: str, url: str, content: Json) -> Reply:
        try:
            return send(
                self._session,
                method,
                url,
                content=orjson.dumps(content),
                headers=self._headers,
                deadline=self._deadline,
            )
        except FetchError as fault:
            raise RequestError(502, "transient", f"{method} {url}: {fault}") from fault


def _entries(body: Any) -> list[Any]:
    entries = body.get("entry") if isinstance(body, dict) else None
    return entries if isinstance(entries, list) else []


def _response(entry: Any) -> Json:
    response = entry.get("response") if isinstance(entry, dict) else None
    return response if isinstance(response, dict) else {}


def _status(response: Json) -> int:
    """The number of a status such as `201 Created`; 0 where there is none."""
    number = str(response.get("status", "")).partition(" ")[0]
    return int(number) if number.isdecimal() else 0


def _check(reply: Reply, what: str) -> None:
    if reply.status not in _STORED:
        raise RequestError(502, "processing", f"{what}: the server answered HTTP {reply.status}: {_told(reply.body)}")


def _told(body: Any) -> str:
    """What an OperationOutcome says, also inside an entry's response."""
    outcome = body.get("outcome", body) if isinstance(body, dict) else {}
    issues = outcome.get("issue", []) if isinstance(outcome, dict) else []
    texts = [str(i.get("diagnostics") or i.get("details", {}).get("text") or i.get("code")) for i in issues]
    return "; ".join(texts) or "no reason given"
