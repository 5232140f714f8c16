"""References of FHIR resources as text: what they name, whatever server or version they name it on."""

from __future__ import annotations

DEFAULT_PORTS = {"http": 80, "https": 443}


def without_version(reference: str) -> str:
    """A reference as it is without the version that it names.

    >>> without_version("Observation/7/_history/2")
    'Observation/7'
    """
    return reference.partition("/_history/")[0]


def local_name(address: str) -> str:
    """`Type/id` of a relative, absolute or versioned reference; anything else as it is.

    >>> local_name("https://ehr.example/fhir/Observation/7/_history/2")
    'Observation/7'
    """
    parts = without_version(address).rstrip("/").split("/")
    return "/".join(parts[-2:]) if len(parts) > 1 else address
