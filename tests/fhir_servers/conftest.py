"""These tests run under `make test-fhir` alone: it names the servers in FHIR_SERVERS, and they need Node or Java."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from cds_service.commands.seeding import Target, fixture_folder, read_records, seed
from cds_service.fetching.deadline import Deadline
from tests.fhir_servers.servers import running

CHOSEN = [name.strip() for name in os.environ.get("FHIR_SERVERS", "").split(",") if name.strip()]
if not CHOSEN:
    collect_ignore_glob = ["test_*.py"]


@dataclass(frozen=True)
class Seeded:
    """A running server that holds the made-up patients, and how many resources each of two loads created."""

    name: str
    url: str
    created_first: int
    created_again: int


@pytest.fixture(scope="session", params=CHOSEN)
def server(request: pytest.FixtureRequest) -> Iterator[Seeded]:
    with running(request.param) as url:
        first, again = _load(url), _load(url)
        yield Seeded(request.param, url, first, again)


def _load(url: str) -> int:
    records = read_records(fixture_folder())
    return sum(sum(loaded.created.values()) for loaded in seed(Target(url), records, Deadline.after(120)))
