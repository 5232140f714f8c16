"""The settings, from the environment and from secret files. Every fault is named at start, all at once.

A setting `CDS_X` may also be given as `CDS_X_FILE`, the path of a file that holds its value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from ipaddress import ip_network
from pathlib import Path
from ssl import SSLError, create_default_context
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from cds_service.errors import SettingsError
from cds_service.fetching import addresses
from cds_service.fetching.connections import IpNetwork
from cds_service.store import addresses as databases

PREFIX = "CDS_"


@dataclass(frozen=True, slots=True)
class Settings:
    """`docs/settings.md` tells each of them to an operator."""

    development: bool = False
    """On a developer's machine: any FHIR server may be read, over plain http too, and only this machine may call.
    Without `clients` nobody is authenticated then."""
    clients: Path | None = None
    """Who may call (`callers/clients.py`). Needed to serve outside development."""
    public_url: str = ""
    """The base URL by which clients call this service, which is that of the proxy in front of it."""
    longest_token_s: int = 600
    """From `iat` to `exp` of a client's token."""
    calls_per_second: int = 100
    """Of one client, for each worker process."""
    policy: Path | None = None
    """The site's policy file; the packaged default without it."""
    terminology: Path | None = None
    """The drug codes that `cds-service terminology import` made; the packaged ones alone without it."""
    rxnav_url: str = ""
    """An address that speaks RxNav, asked for codes that are known nowhere else; never asked without it."""
    rxnav_timeout_ms: int = 100
    """How long one request waits for it."""
    database_url: str = "sqlite:///cds-service.sqlite"
    answer_budget_ms: int = 450
    """From the arrival of a request to its answer."""
    evaluation_reserve_ms: int = 120
    """The part of the budget that fetching must leave for reading, reasoning and writing."""
    fhir_servers: tuple[str, ...] = ()
    """Base URLs that may be read in development; elsewhere each client has its own in `clients`."""
    private_networks: tuple[IpNetwork, ...] = ()
    """Where the names of configured servers may lead beside the public internet. In development: anywhere."""
    ca_bundle: Path | None = None
    """A PEM file of authorities that vouch for servers, beside the public ones."""
    largest_request_bytes: int = 5_000_000
    most_entries: int = 10_000
    """Of all Bundles and lists of one request together."""
    largest_fhir_answer_bytes: int = 10_000_000
    fetch_workers: int = 32
    cors_origin: str = "*"
    keep_feedback_comments: bool = False
    """Comments are free text and may name the patient."""
    log_level: str = "INFO"
    time_zone: ZoneInfo | None = None
    """By whose clock today is meant; the machine's own without it."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Raises SettingsError that lists every fault, one a line."""
        faults: list[str] = []
        given = _given(environment, faults)
        values: dict[str, object] = {}
        for name, text in given.items():
            try:
                values[name] = _READERS[name](text)
            except ValueError as fault:
                faults.append(f"{PREFIX}{name.upper()}: {fault}")
        settings = cls(**values)  # type: ignore[arg-type]
        faults.extend(_contradictions_apart_from(faults, settings))
        if faults:
            raise SettingsError("\n".join(faults))
        return settings


def _given(environment: Mapping[str, str], faults: list[str]) -> dict[str, str]:
    """The text of each setting that the environment or a file gives, by field name."""
    given: dict[str, str] = {}
    for variable in sorted(name for name in environment if name.upper().startswith(PREFIX)):
        name = variable.removeprefix(PREFIX).lower() if variable.isupper() else variable
        if name in _READERS:
            given[name] = environment[variable]
        elif name.removesuffix("_file") in _READERS:
            _read_file(variable, environment, given, faults)
        else:
            faults.append(f"{variable}: no such setting; known are {', '.join(_names())}")
    return given


def _read_file(variable: str, environment: Mapping[str, str], given: dict[str, str], faults: list[str]) -> None:
    direct = variable.removesuffix("_FILE")
    if direct in environment:
        faults.append(f"{variable}: {direct} is set too; keep one of them")
        return
    try:
        given[direct.removeprefix(PREFIX).lower()] = Path(environment[variable]).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as fault:
        faults.append(f"{variable}: the file cannot be read ({type(fault).__name__})")


def _contradictions_apart_from(faults: list[str], settings: Settings) -> list[str]:
    """A faulty setting has its default by now, which contradicts nothing that anybody wrote."""
    faulty = [fault.partition(":")[0].removesuffix("_FILE") for fault in faults]
    return [told for told in _contradictions(settings) if not any(name in told for name in faulty)]


def _contradictions(settings: Settings) -> list[str]:
    faults = []
    if settings.evaluation_reserve_ms >= settings.answer_budget_ms:
        faults.append(
            f"{PREFIX}EVALUATION_RESERVE_MS: {settings.evaluation_reserve_ms} leaves nothing of "
            f"{PREFIX}ANSWER_BUDGET_MS={settings.answer_budget_ms} for fetching"
        )
    if settings.rxnav_url and settings.rxnav_timeout_ms >= settings.evaluation_reserve_ms:
        faults.append(
            f"{PREFIX}RXNAV_TIMEOUT_MS: {settings.rxnav_timeout_ms} must stay under "
            f"{PREFIX}EVALUATION_RESERVE_MS={settings.evaluation_reserve_ms}, of which it is a part"
        )
    if settings.rxnav_url.startswith("http://") and not settings.development:
        faults.append(f"{PREFIX}RXNAV_URL: https only, unless in development; found {settings.rxnav_url}")
    faults.extend(_contradictions_of_clients(settings))
    insecure = [server for server in settings.fhir_servers if not server.startswith("https://")]
    if insecure and not settings.development:
        faults.append(f"{PREFIX}FHIR_SERVERS: https only, unless in development; found {', '.join(insecure)}")
    return faults


def _contradictions_of_clients(settings: Settings) -> Iterator[str]:
    if settings.public_url.startswith("http://") and not settings.development:
        yield f"{PREFIX}PUBLIC_URL: https only, unless in development; found {settings.public_url}"
    if settings.clients is None:
        return
    if not settings.public_url:
        yield f"{PREFIX}PUBLIC_URL: needed with {PREFIX}CLIENTS, whose tokens name the address that they call"
    if settings.fhir_servers:
        yield f"{PREFIX}FHIR_SERVERS: each client names its own in {PREFIX}CLIENTS; leave it out"
    if databases.is_in_memory(settings.database_url):
        yield f"{PREFIX}DATABASE_URL: a database in memory forgets which tokens were used; name a file"


def _flag(text: str) -> bool:
    known = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False, "": False}
    if text.strip().lower() not in known:
        raise ValueError(f"expected true or false, found {text!r}")
    return known[text.strip().lower()]


def _whole_number(lowest: int, highest: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.strip().isdecimal() or not lowest <= int(text) <= highest:
            raise ValueError(f"expected a whole number from {lowest} to {highest}, found {text!r}")
        return int(text)

    return read


def _file(text: str) -> Path | None:
    path = Path(text)
    try:
        path.open("rb").close()
    except (OSError, ValueError) as fault:
        why = getattr(fault, "strerror", None) or fault
        raise ValueError(f"expected the path of a file that can be read, found {text!r}: {why}") from fault
    return path


def _urls(text: str) -> tuple[str, ...]:
    return tuple(_url(part) for part in text.split(",") if part.strip())


def _url(text: str) -> str:
    url = text.strip().rstrip("/")
    if "," in url:
        raise ValueError(f"expected one URL, found {url!r}")
    try:
        if url:
            addresses.parse(url)
    except ValueError as fault:
        raise ValueError(f"expected an absolute http(s) URL, found {url!r}: {fault}") from fault
    return url


def _origin(text: str) -> str:
    """`*`, or what a browser calls an origin: scheme, host and perhaps a port."""
    text = text.strip()
    if text == "*":
        return text
    try:
        url = _url(text)
    except ValueError:
        url = ""
    if not url or urlsplit(url).path or "?" in url:
        raise ValueError(f"expected * or one origin such as https://ehr.example.org, found {text!r}")
    return url


def _networks(text: str) -> tuple[IpNetwork, ...]:
    try:
        return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())
    except ValueError as fault:
        raise ValueError(f"expected networks such as 10.20.0.0/16 separated by commas: {fault}") from fault


def _authorities(text: str) -> Path | None:
    path = _file(text)
    try:
        create_default_context(cafile=path)
    except SSLError as fault:
        raise ValueError(f"expected certificates of authorities in PEM, found {text!r}: {fault.reason}") from fault
    return path


def _public_url(text: str) -> str:
    url = _url(text)
    if "?" in url:
        raise ValueError(f"expected a URL without a query, to which paths are added; found {text!r}")
    if url.endswith("/cds-services"):
        raise ValueError(f"expected the URL to which /cds-services is added; found {text!r}")
    return url


def _database_url(text: str) -> str:
    databases.check(text)
    return text


def _log_level(text: str) -> str:
    known = ("DEBUG", "INFO", "WARNING", "ERROR")
    if text.upper() not in known:
        raise ValueError(f"expected one of {', '.join(known)}, found {text!r}")
    return text.upper()


def _time_zone(text: str) -> ZoneInfo | None:
    name = text.strip()
    try:
        return ZoneInfo(name) if name else None
    except (KeyError, ValueError, OSError) as fault:  # also where the machine has no zones at all
        raise ValueError(f"expected the name of a time zone such as Europe/Vienna, found {text!r}") from fault


_READERS: Mapping[str, Callable[[str], object]] = {
    "development": _flag,
    "clients": _file,
    "public_url": _public_url,
    "longest_token_s": _whole_number(30, 3600),
    "calls_per_second": _whole_number(1, 100_000),
    "policy": _file,
    "terminology": _file,
    "rxnav_url": _url,
    "rxnav_timeout_ms": _whole_number(1, 10_000),
    "database_url": _database_url,
    "answer_budget_ms": _whole_number(50, 60_000),
    "evaluation_reserve_ms": _whole_number(0, 30_000),
    "fhir_servers": _urls,
    "private_networks": _networks,
    "ca_bundle": _authorities,
    "largest_request_bytes": _whole_number(10_000, 100_000_000),
    "most_entries": _whole_number(100, 1_000_000),
    "largest_fhir_answer_bytes": _whole_number(10_000, 200_000_000),
    "fetch_workers": _whole_number(1, 256),
    "cors_origin": _origin,
    "keep_feedback_comments": _flag,
    "log_level": _log_level,
    "time_zone": _time_zone,
}


def _names() -> list[str]:
    return [PREFIX + field.name.upper() for field in fields(Settings)]
