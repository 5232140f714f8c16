"""Connections to the database: each wait of theirs, for a lock, a statement or another connection, has its limit."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.dialects import sqlite
from sqlalchemy.pool import ConnectionPoolEntry

from cds_service.store.patience import Unanswered

_WAIT_S = 2
_LIBPQ = frozenset({"psycopg", "psycopg2"})
_LIBPQ_ARGUMENTS: Mapping[str, object] = {
    "connect_timeout": _WAIT_S,
    "tcp_user_timeout": _WAIT_S * 1000,
    "keepalives_idle": 5,
    "keepalives_interval": 1,
    "keepalives_count": 3,
}


class Connections:
    """`engine` makes them."""

    def __init__(self, database_url: str) -> None:
        self._sockets: set[socket.socket] = set()
        self._path = make_url(database_url).database or ""
        """Of an SQLite database."""
        self._newest_path = f"{self._path}-wal"
        self._file: tuple[int, int] | None = None
        self._newest: tuple[int, int] | None = None
        """The `-wal` file beside it, which stays the same one as long as a connection is open."""
        self._open: set[int] = set()
        """Connections to an SQLite database, by `id`."""
        self.engine = self._opened(database_url)

    def remember_file(self) -> None:
        """Once the database has been made: its file is the one that is meant from now on."""
        if self.engine.dialect.name == "sqlite":
            self._file = _identity(self._path)
            self._newest = _identity(self._newest_path) if self._open else None

    def check_file(self) -> None:
        """Raises Unanswered where the file of an SQLite database is another one than was opened, or none: what is
        written into a file without a name is lost. So where that is true of the file with its newest rows: each
        connection would go on with a file of its own.
        """
        if self._file and _identity(self._path) != self._file:
            raise Unanswered("the database file was removed or replaced while it was in use")
        newest = self._newest
        if newest and _identity(self._newest_path) != newest:
            raise Unanswered("the -wal file of the database was removed or replaced while it was in use")

    def hang_up(self) -> None:
        """End every connection, so that who waits in one is told; whoever comes next makes another."""
        for handle in tuple(self._sockets):
            with suppress(OSError):  # it ended by itself
                handle.shutdown(socket.SHUT_RDWR)

    def _opened(self, database_url: str) -> Engine:
        dialect = make_url(database_url).get_dialect()
        if dialect.name == "sqlite":
            engine = create_engine(database_url, connect_args={"timeout": _WAIT_S})
            event.listen(engine, "connect", _set_up_sqlite)
            event.listen(engine, "connect", self._remember_newest)
            event.listen(engine, "close", self._forget_newest)
            return engine
        is_libpq = dialect.driver in _LIBPQ
        arguments = dict(_LIBPQ_ARGUMENTS) if is_libpq else {}
        engine = create_engine(database_url, connect_args=arguments, pool_pre_ping=True, pool_timeout=_WAIT_S)
        event.listen(engine, "connect", _set_up_postgresql)
        if is_libpq:
            event.listen(engine, "connect", self._remember_socket)
            event.listen(engine, "close", self._forget_socket)
        return engine

    def _remember_newest(self, connection: Any, _entry: ConnectionPoolEntry) -> None:
        self._open.add(id(connection))
        if self._newest is None:
            self._newest = _identity(self._newest_path)

    def _forget_newest(self, connection: Any, _entry: ConnectionPoolEntry) -> None:
        """The last connection that is closed takes the `-wal` file away."""
        self._open.discard(id(connection))
        if not self._open:
            self._newest = None

    def _remember_socket(self, connection: Any, entry: ConnectionPoolEntry) -> None:
        """A second handle of the connection's socket: its number cannot become another one's meanwhile."""
        entry.info["socket"] = socket.socket(fileno=os.dup(connection.fileno()))
        self._sockets.add(entry.info["socket"])

    def _forget_socket(self, _connection: Any, entry: ConnectionPoolEntry) -> None:
        handle = entry.info.pop("socket", None)
        if handle is not None:
            self._sockets.discard(handle)
            handle.close()


def _identity(path: str) -> tuple[int, int] | None:
    """Of a file; None where there is none, as for a database in memory."""
    try:
        found = os.stat(path)  # noqa: PTH116  in each call of a client
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _set_up_sqlite(connection: sqlite.pysqlite.PySQLiteConnection, _entry: ConnectionPoolEntry) -> None:  # type: ignore[name-defined]
    """Write-ahead logging lets several workers read while one writes."""
    with _closed_on_failure(connection):
        for pragma in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=NORMAL"):
            connection.execute(pragma)


def _set_up_postgresql(connection: Any, _entry: ConnectionPoolEntry) -> None:
    """Locks and statements have their time, as with SQLite."""
    with _closed_on_failure(connection):
        cursor = connection.cursor()
        for name in ("lock_timeout", "statement_timeout"):
            cursor.execute(f"SET {name} = '{_WAIT_S}s'")
        cursor.close()
        connection.commit()


@contextmanager
def _closed_on_failure(connection: Any) -> Iterator[None]:
    """SQLAlchemy leaves a connection open that it could not set up."""
    with ExitStack() as failing:
        failing.callback(connection.close)
        yield
        failing.pop_all()
