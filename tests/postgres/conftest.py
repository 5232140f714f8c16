"""These tests run under `make test-postgres` alone: they need PostgreSQL's programs and both drivers."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.postgres.server import Cluster, running

if not os.environ.get("POSTGRES_TESTS"):
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(autouse=True)
def _readiness_is_never_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cds_service.store.store._READINESS_HOLDS_S", 0)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    with running() as cluster:
        yield cluster


@pytest.fixture(params=["psycopg", "psycopg2"])
def url(request: pytest.FixtureRequest, cluster: Cluster) -> str:
    """An empty database, by the name that one of the drivers has in it."""
    return cluster.new_database(request.param)
