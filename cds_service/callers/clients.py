"""Who may call: the clients that the file of `CDS_CLIENTS` names, with their keys and their FHIR servers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass as plain_dataclass
from dataclasses import field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import orjson
import yaml
from pydantic import TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from cds_service import unique_yaml
from cds_service.callers.key_sets import LONGEST_WAIT_S, FetchedKeys, FixedKeys, Keys, read_key_set
from cds_service.errors import KeySetError, SettingsError
from cds_service.fetching.addresses import parse, same_server
from cds_service.fetching.client import FhirClient, open_session
from cds_service.fetching.connections import Reach
from cds_service.fetching.deadline import Deadline

_FETCH_S = 2.0
_LARGEST_KEY_SET_BYTES = 262_144


@dataclass(frozen=True, slots=True, config={"extra": "forbid", "strict": False})
class ClientEntry:
    """A client as the file has it (SECURITY.md)."""

    name: str
    """Ours, for the log."""
    issuer: str
    """The `iss` of its tokens."""
    keys: str = ""
    """The file of its JWK Set, relative to this one."""
    jku: str = ""
    """The address of its JWK Set, fetched where `keys` is not given. A token may name this one and no other."""
    fhir_servers: tuple[str, ...] = ()
    tenant: str = ""
    """The `tenant` of its tokens, where several clients share an issuer."""
    calls_per_second: int | None = None


@plain_dataclass(frozen=True, slots=True)
class Client:
    """Somebody who may call."""

    name: str
    issuer: str
    tenant: str
    jku: str
    keys: Keys = field(repr=False)
    fhir_servers: tuple[str, ...]
    """Base URLs as configured, without a slash at the end."""
    calls_per_second: int | None = None

    def own_server(self, url: str) -> str | None:
        """The configured base URL that `url` means; None where the client has no such server."""
        return same_server(url, self.fhir_servers)


@plain_dataclass(frozen=True, slots=True)
class Clients:
    """All of them, by issuer and tenant."""

    by_issuer: Mapping[tuple[str, str], Client]

    def find(self, issuer: object, tenant: object) -> Client | None:
        """The client of a token's claims. A client without a tenant is meant whatever the token says of one."""
        if not isinstance(issuer, str):
            return None
        whole = self.by_issuer.get((issuer, ""))
        return whole or (self.by_issuer.get((issuer, tenant)) if isinstance(tenant, str) else None)

    def start(self) -> None:
        """Begin to fetch their keys. What comes at once is there for the first tokens."""
        for client in self.by_issuer.values():
            client.keys.start()
        until = Deadline.after(LONGEST_WAIT_S)
        for client in self.by_issuer.values():
            client.keys.wait(until.remaining_s())

    def close(self) -> None:
        """Fetch their keys no more."""
        for client in self.by_issuer.values():
            client.keys.close()

    @property
    def fhir_servers(self) -> frozenset[str]:
        """The servers of all clients."""
        return frozenset(url for client in self.by_issuer.values() for url in client.fhir_servers)


def load_clients(path: Path, *, development: bool = False, reach: Reach | None = None) -> Clients:
    """The clients of a file. Plain http is for development. `reach` is where their keys may be fetched from. Raises
    SettingsError that names every fault.
    """
    entries = _entries(path)
    faults = [*_doubles(entries)]
    clients = {}
    for entry in entries:
        told = [f"{entry.name}: {fault}" for fault in _faults(entry, development)]
        faults += told
        if not told:
            try:
                clients[entry.issuer, entry.tenant] = _client(entry, path.parent, reach)
            except SettingsError as fault:
                faults.append(f"{entry.name}: {fault}")
    if faults:
        raise SettingsError("\n".join(f"CDS_CLIENTS: {fault}" for fault in faults))
    return Clients(clients)


def _entries(path: Path) -> tuple[ClientEntry, ...]:
    try:
        document = unique_yaml.load(path.read_text(encoding="utf-8"))
        entries = document.get("clients") if isinstance(document, dict) else None
        if not entries or not isinstance(entries, list):
            raise SettingsError(f"CDS_CLIENTS: {path.name}: expected a list of them under 'clients'")
        others = sorted(str(name) for name in document.keys() - {"clients"})
        if others:
            raise SettingsError(
                f"CDS_CLIENTS: {path.name}: nothing but 'clients' was expected, found {', '.join(map(repr, others))}"
            )
        return TypeAdapter(tuple[ClientEntry, ...]).validate_python(entries)
    except (OSError, UnicodeDecodeError) as fault:
        raise SettingsError(f"CDS_CLIENTS: {path.name}: {fault}") from fault
    except (yaml.YAMLError, ValidationError) as fault:
        raise SettingsError(f"CDS_CLIENTS: {path.name}: {unique_yaml.faults_of(fault, 'clients')}") from fault


def _doubles(entries: tuple[ClientEntry, ...]) -> Iterator[str]:
    names = [entry.name for entry in entries]
    yield from (f"the name {name!r} stands twice" for name in sorted({n for n in names if names.count(n) > 1}))
    for issuer in sorted({entry.issuer for entry in entries}):
        tenants = [entry.tenant for entry in entries if entry.issuer == issuer]
        if len(set(tenants)) < len(tenants) or ("" in tenants and len(tenants) > 1):
            yield f"the issuer {issuer} stands more than once; give each of its clients a tenant of its own"


def _faults(entry: ClientEntry, development: bool) -> Iterator[str]:  # noqa: FBT001
    if not entry.name or not entry.issuer:
        yield "name and issuer must not be empty"
    for field_name in ("name", "issuer", "tenant"):
        text = getattr(entry, field_name)
        if text != text.strip() or not text.isprintable():
            yield f"{field_name} must have no space around it and no control character in it, found {text!r}"
    if not entry.keys and not entry.jku:
        yield "no keys; give the file of its JWK Set (keys) or the address of it (jku)"
    if entry.calls_per_second is not None and entry.calls_per_second < 1:
        yield "calls_per_second must be at least 1"
    for url in (*entry.fhir_servers, *([entry.jku] if entry.jku else ())):
        fault = _url_fault(url, ("https", "http") if development else ("https",))
        if fault:
            yield f"{_without_credentials(url)}: {fault}"
        elif "?" in url and url in entry.fhir_servers:
            yield f"{url}: a base URL has no query"


def _without_credentials(url: str) -> str:
    """To be shown.

    >>> _without_credentials("https://user:secret@ehr.example.org/jwks")
    'https://...@ehr.example.org/jwks'
    """
    ahead, at, rest = url.rpartition("@")
    return f"{ahead.partition('//')[0]}//...@{rest}" if at else url


def _url_fault(text: str, schemes: tuple[str, ...]) -> str:
    try:
        address = parse(text)
    except ValueError as fault:
        return str(fault)
    return "" if address.scheme in schemes else f"an absolute URL with {' or '.join(schemes)} was expected"


def _client(entry: ClientEntry, folder: Path, reach: Reach | None) -> Client:
    return Client(
        name=entry.name,
        issuer=entry.issuer,
        tenant=entry.tenant,
        jku=entry.jku,
        keys=_keys_of_file(folder / entry.keys) if entry.keys else _keys_behind(entry, reach),
        fhir_servers=tuple(url.rstrip("/") for url in entry.fhir_servers),
        calls_per_second=entry.calls_per_second,
    )


def _keys_of_file(path: Path) -> FixedKeys:
    try:
        keys, faults = read_key_set(orjson.loads(path.read_bytes()))
    except OSError as fault:
        raise SettingsError(f"keys: {path.name} cannot be read ({type(fault).__name__})") from fault
    except (orjson.JSONDecodeError, KeySetError) as fault:
        raise SettingsError(f"keys: {path.name} is not usable: {fault}") from fault
    if faults or not keys:
        raise SettingsError(f"keys: {path.name}: {'; '.join(faults) or 'no key in it'}")
    return FixedKeys(keys)


def _keys_behind(entry: ClientEntry, reach: Reach | None) -> FetchedKeys:
    return FetchedKeys(_fetch_from(entry.jku, reach), client=entry.name)


def _fetch_from(jku: str, reach: Reach | None) -> Callable[[], object]:
    url = urlsplit(jku)
    folder, _, name = url.path.rpartition("/")
    base = urlunsplit((url.scheme, url.netloc, folder, "", ""))
    path = urlunsplit(("", "", name, url.query, ""))

    def fetch() -> object:
        session = open_session(connections=1, reach=reach)
        try:
            return FhirClient(session, base, "", _LARGEST_KEY_SET_BYTES).read(path, Deadline.after(_FETCH_S))
        finally:
            session.close()

    return fetch
