"""Addresses that a request brings, compared by their parsed parts with those that the configuration names.

Only text that every parser of URLs understands the same way is parsed at all. What is then called is built from the
configuration: of what a request brought, the rest of a path and a query may be added to it, and never a host.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import unquote_to_bytes, urljoin, urlsplit

from cds_service.references import DEFAULT_PORTS

_UNSAFE = re.compile(r"[\x00-\x20\x7f\\#]")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_UNSAFE_IN_SEGMENT = re.compile(rb"[\x00-\x1f\x7f/\\%]")
_EMBEDS_IPV4 = IPv6Network("64:ff9b::/96")
_METADATA = frozenset({ip_address("fd00:ec2::254"), ip_address("100.100.100.200"), ip_address("192.0.0.192")})
"""Of clouds, outside the link-local networks."""

IpAddress = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class Address:
    """A parsed URL. `segments` are those of its path as written, without a slash at the end."""

    scheme: str
    host: str
    port: int
    segments: tuple[str, ...]
    query: str = ""

    def is_below(self, base: Address) -> bool:
        """Whether this is `base`, or a path beneath it on the same server."""
        same = (self.scheme, self.host, self.port) == (base.scheme, base.host, base.port)
        return same and self.segments[: len(base.segments)] == base.segments


def parse(url: str) -> Address:
    """The parts of an absolute http(s) URL: the host in lower case, in its ASCII form and without a dot at the end.

    Raises ValueError for what parsers understand differently: credentials, fragments, backslashes, control
    characters and spaces, other letters than ASCII but in an internationalised host, dots and slashes that are
    encoded or go up, and numbers as hosts that are no plain IP address.

    >>> parse("HTTPS://EHR.example.org.:443/fhir/").host
    'ehr.example.org'
    """
    if _UNSAFE.search(url):
        raise ValueError("a URL without spaces, control characters, backslashes and fragment was expected")
    parts = urlsplit(url)
    host, rest = parts.hostname, (parts.path, parts.query)
    if parts.scheme not in DEFAULT_PORTS or not host or "@" in parts.netloc:
        raise ValueError("an absolute http(s) URL without credentials was expected")
    if not all(part.isascii() for part in rest):
        raise ValueError("a URL in ASCII was expected")
    port = parts.port if parts.port is not None else DEFAULT_PORTS[parts.scheme]
    return Address(parts.scheme, _host(host), port, _segments(parts.path), parts.query)


def same_server(url: str, allowed: Iterable[str]) -> str | None:
    """The one of the configured base URLs `allowed` that `url` means, as it is configured; None where it is none.

    >>> same_server("https://EHR.example.org:443/fhir/", ["https://ehr.example.org/fhir"])
    'https://ehr.example.org/fhir'
    >>> same_server("https://ehr.example.org@evil.example/fhir", ["https://ehr.example.org/fhir"])
    """
    try:
        asked = parse(url)
    except ValueError:
        return None
    wanted = (asked.scheme, asked.host, asked.port, asked.segments, asked.query)
    for base in allowed:
        own = parse(base)
        if (own.scheme, own.host, own.port, own.segments, own.query) == wanted:
            return base
    return None


def path_below(url: str, base_url: str) -> str | None:
    """Path and query of `url` relative to `base_url`, beneath which it must lie; it may be relative itself. None
    where it is elsewhere, or not to be understood in one way only.

    >>> path_below("https://ehr.example.org/fhir/Observation?page=2", "https://EHR.example.org/fhir")
    'Observation?page=2'
    >>> path_below("https://ehr.example.org/fhir2/Observation", "https://ehr.example.org/fhir")
    """
    try:
        own = parse(base_url)
        is_relative = not (_SCHEME.match(url) or _UNSAFE.search(url))
        other = parse(urljoin(f"{base_url.rstrip('/')}/", url) if is_relative else url)
    except ValueError:
        return None
    if not other.is_below(own):
        return None
    path = "/".join(other.segments[len(own.segments) :])
    return f"{path}?{other.query}" if other.query else path


def ip_of(host: str) -> IpAddress | None:
    """The IP address that a host is; None for a name."""
    try:
        return ip_address(host)
    except ValueError:
        return None


def is_this_machine(host: str) -> bool:
    """Whether a host is this machine, by its name or address alone: nothing is looked up.

    >>> is_this_machine("localhost"), is_this_machine("127.0.0.7"), is_this_machine("localhost.example.org")
    (True, True, False)
    """
    address = ip_of(host)
    return host == "localhost" if address is None else address.is_loopback


def is_public(address: IpAddress) -> bool:
    """Whether an address is one of the open internet, whatever it is wrapped in."""
    inner = _embedded(address)
    if inner is not None:
        return is_public(inner)
    return address.is_global and not (address.is_multicast or address.is_reserved or address in _METADATA)


def is_metadata(address: IpAddress) -> bool:
    """Whether a cloud's machines find their own secrets at an address: no FHIR server is ever there."""
    inner = _embedded(address)
    return is_metadata(inner) if inner is not None else address.is_link_local or address in _METADATA


def _embedded(address: IpAddress) -> IPv4Address | None:
    if isinstance(address, IPv4Address):
        return None
    if address in _EMBEDS_IPV4:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None)


def _host(host: str) -> str:
    if ":" in host:
        address = IPv6Address(host)
        if address.scope_id or _embedded(address) is not None:
            raise ValueError("an IPv6 address without a zone and without an IPv4 address in it was expected")
        return address.compressed
    name = _in_ascii(host).removesuffix(".")
    labels = name.split(".")
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError("a host name was expected")
    # RFC 3986 knows dotted decimals alone; resolvers read octal, hexadecimal and shortened ones too.
    return str(IPv4Address(name)) if _NUMBER.fullmatch(labels[-1]) else name


def _in_ascii(host: str) -> str:
    """An internationalised name as DNS has it. A spelling that only folds to another one is refused."""
    lower = host.lower()
    if lower.isascii():
        return lower
    encoded = lower.encode("idna")
    if encoded.decode("idna") != lower:
        raise ValueError("a host name in its normal form was expected")
    return encoded.decode("ascii")


def _segments(path: str) -> tuple[str, ...]:
    segments = tuple(path.rstrip("/").split("/")[1:])
    for segment in segments:
        plain = unquote_to_bytes(segment)
        # Some servers cut `;...` off before they go up.
        if _UNSAFE_IN_SEGMENT.search(plain) or plain.split(b";")[0] in (b".", b".."):
            raise ValueError("a path without encoded slashes or dots and without '..' was expected")
    return segments
