"""References and the addresses in them: of whom or of what they are, and on which server."""

from __future__ import annotations

import re

from cds_service.reading.shapes import clean, first, items
from cds_service.references import DEFAULT_PORTS

_ABSOLUTE = re.compile(r"https?:", re.IGNORECASE)
_REFERENCE = re.compile(r"([^?#]*)/[A-Za-z]+/[^/?#]+(?:/_history/[^/?#]*)?/?")
_BASE = re.compile(
    r"(https?)://([a-z0-9._-]+?|\[[0-9a-f:]+\])\.?(?::([0-9]{1,5}))?((?:/(?!\.{1,2}(?:/|$))[a-z0-9._~!$&'()*+,=:@-]+)*)/?",
    re.IGNORECASE,
)


def reference(value: object) -> str:
    """The reference in a Reference object, or a bare string in its place."""
    if type(value) is dict:
        return clean(value.get("reference"))
    for item in items(value):
        found = clean(item) if isinstance(item, str) else clean(first(item).get("reference"))
        if found:
            return found
    return ""


def references(value: object) -> tuple[str, ...]:
    """All references in an array of Reference objects."""
    if value is None:
        return ()
    return tuple(found for item in items(value) if (found := reference(item)))


def is_absolute(address: str) -> bool:
    """Whether a reference names the server that it leads to."""
    return _ABSOLUTE.match(address) is not None


def base_of(address: str) -> str:
    """The base URL of an absolute reference, as `base_url` writes it; empty where there is none to be sure of.

    >>> base_of("HTTPS://EHR.example:443/fhir/Patient/1/_history/2")
    'https://ehr.example/fhir'
    """
    match = _REFERENCE.fullmatch(address)
    return base_url(match.group(1)) if match is not None else ""


def base_url(url: str) -> str:
    """A base URL in one spelling, for comparing; empty where parsers may understand it differently.

    >>> base_url("https://ehr.example@other.example/fhir")
    ''
    """
    match = _BASE.fullmatch(url)
    if match is None:
        return ""
    scheme, host, port, path = match.groups(default="")
    scheme = scheme.lower()
    named_port = f":{int(port)}" if port and int(port) != DEFAULT_PORTS[scheme] else ""
    return f"{scheme}://{host.lower()}{named_port}{path}"
