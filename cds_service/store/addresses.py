"""What the address of a database says, read as SQLAlchemy reads it."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

_KINDS = frozenset({"sqlite", "postgresql"})


def check(database_url: str) -> None:
    """Raises ValueError for what is no address of a database that `Store` knows. It quotes nothing: a password may
    stand there.
    """
    url = _parsed(database_url)
    if url.get_backend_name() not in _KINDS:
        raise ValueError("expected sqlite:///PATH or postgresql+DRIVER://...")
    try:
        url.get_dialect()
    except NoSuchModuleError as fault:
        raise ValueError(f"expected a driver that SQLAlchemy knows, found '{url.drivername}'") from fault


def is_in_memory(database_url: str) -> bool:
    """Whether each process has a database of its own there, which ends with it. Raises ValueError.

    >>> is_in_memory("sqlite+pysqlite:///:memory:")
    True
    >>> is_in_memory("sqlite:///file:cds.sqlite?mode=ro&uri=true")
    False
    """
    url = _parsed(database_url)
    if url.get_backend_name() != "sqlite":
        return False
    return _file_of(url) in ("", ":memory:") or "memory" in url.normalized_query.get("mode", ())


def place(database_url: str) -> str:
    """Where an SQLite database is; empty for another, whose driver tells it. Raises ValueError.

    >>> place("sqlite:////var/lib/cds-service/cds.sqlite")
    '/var/lib/cds-service/cds.sqlite'
    >>> place("postgresql://db.example.org/cds")
    ''
    """
    url = _parsed(database_url)
    return str(Path(_file_of(url)).absolute()) if url.get_backend_name() == "sqlite" else ""


def _file_of(url: URL) -> str:
    return (url.database or "").removeprefix("file:").partition("?")[0]


def _parsed(database_url: str) -> URL:
    try:
        return make_url(database_url)
    except (ArgumentError, ValueError) as fault:
        raise ValueError("expected sqlite:///PATH or postgresql+DRIVER://...") from fault
