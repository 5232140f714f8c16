"""Public FHIR servers to try the service against (`sandboxes.yaml`)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from pathlib import Path

import yaml
from pydantic import TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from cds_service import unique_yaml
from cds_service.errors import SettingsError

_FILE = Path(__file__).with_name("sandboxes.yaml")


class Access(StrEnum):
    OPEN = "open"
    TOKEN = "token"  # noqa: S105  a kind of access, no secret
    SMART_BACKEND = "smart_backend"


@dataclass(frozen=True, slots=True, config={"extra": "forbid"})
class Sandbox:
    """A public server. `needs` tells a person what to bring; `seen` is when its address was last looked up."""

    title: str
    fhir: str
    access: Access
    documentation: str
    needs: str
    seen: date
    token_url: str = ""


def load_sandboxes(path: Path = _FILE) -> Mapping[str, Sandbox]:
    """Name -> server. Raises SettingsError where the file is not what it should be."""
    try:
        return TypeAdapter(dict[str, Sandbox]).validate_python(unique_yaml.load(path.read_bytes()))
    except (OSError, yaml.YAMLError, ValidationError) as fault:
        raise SettingsError(f"{path.name}: {fault}") from fault
