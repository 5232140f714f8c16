"""Feedback, issued cards and used tokens in SQLite or PostgreSQL (SQLAlchemy Core). Repeats are kept once."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import uuid4

from sqlalchemy import Column, Table, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from cds_service.model import Feedback, IssuedCard
from cds_service.store.connections import Connections
from cds_service.store.faults import named
from cds_service.store.patience import Patience
from cds_service.store.tables import check, feedback_table, issued_table, metadata, used_token_table

_INSERTS: Mapping[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
_LONGEST_S: Mapping[str, float | None] = {"sqlite": None, "postgresql": 3.0}
"""How long a caller waits for a database that keeps none of those limits; SQLite is a library, and does."""
_FORGET_EVERY_S = 60
_READINESS_HOLDS_S = 1.0
"""Anybody may ask for it, and it writes: what was found counts for so long."""

StoreError = SQLAlchemyError
"""What every function here raises when the database does not do its part."""


@dataclass(frozen=True, slots=True)
class KnowledgeStamp:
    """The knowledge in use when something was issued or received."""

    version: str
    content_hash: str


@dataclass(frozen=True, slots=True)
class Issued:
    """The cards of one answer to a hook, and the knowledge they came from."""

    cards: tuple[IssuedCard, ...]
    hook: str
    stamp: KnowledgeStamp
    at: datetime


class Store:
    """A database with our tables, made when they are missing."""

    def __init__(self, database_url: str, *, make_tables: bool = True) -> None:
        """Raises StoreError when the tables cannot be made. Without that, nothing is opened before it is used."""
        self._connections = Connections(database_url)
        self._engine = self._connections.engine
        self._statements = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        if make_tables:
            metadata.create_all(self._engine)
        self._connections.remember_file()
        insert = _INSERTS[self._engine.dialect.name]
        self._keep = {table: insert(table).on_conflict_do_nothing() for table in (feedback_table, issued_table)}
        # Drivers do not keep the count of an insert unless they are told to.
        self._use_token = insert(used_token_table).on_conflict_do_nothing().execution_options(preserve_rowcount=True)
        self._forgot_at_s = 0
        self._could_keep, self._readiness_until_s = False, float("-inf")
        # Apart: a table that is locked does not take the others with it.
        longest_s = _LONGEST_S[self._engine.dialect.name]
        self._for_tokens, self._for_feedback, self._for_readiness = (
            Patience(longest_s, self._connections.hang_up) for _ in range(3)
        )

    def close(self) -> None:
        """Let go of the connections and threads."""
        for patience in (self._for_tokens, self._for_feedback, self._for_readiness):
            patience.close()
        self._engine.dispose()

    def can_keep(self, tell: Callable[[str], None] = lambda _fault: None) -> bool:
        """Whether a call would find the store ready, at this moment or a second ago: a token could be used. Of a
        fault that is found at this moment `tell` is told what the log may know.
        """
        if time.monotonic() >= self._readiness_until_s:
            self._could_keep = self._keeps_now(tell)
            self._readiness_until_s = time.monotonic() + _READINESS_HOLDS_S
        return self._could_keep

    def _keeps_now(self, tell: Callable[[str], None]) -> bool:
        try:
            self._for_readiness.call(self._try_to_write)
        except SQLAlchemyError as fault:
            tell(named(fault))
            return False
        return True

    def check(self) -> None:
        """Raises StoreError when nothing can be kept, as on a read-only file or a full disk, and WrongTables."""
        check(self._engine)
        self._try_to_write()

    def keep_feedback(
        self,
        entries: Iterable[Feedback],
        service: str,
        stamp: KnowledgeStamp,
        received_at: datetime,
        *,
        with_comments: bool,
    ) -> None:
        """Keep all entries or none. The same entry sent again changes nothing."""
        rows = [_feedback_row(entry, service, stamp, received_at, with_comments) for entry in entries]
        self._for_feedback.call(partial(self._insert, feedback_table, rows))

    def keep_issued(self, answers: Iterable[Issued]) -> None:
        """Keep all cards or none. A card with a known uuid from the same knowledge changes nothing."""
        self._insert(issued_table, [_issued_row(card, issued) for issued in answers for card in issued.cards])

    def use_token(self, digest: str, expires_at_s: int, now_s: int) -> bool:
        """Whether this is the first use of the token by any worker. It is remembered until `expires_at_s`; times
        are seconds since 1970. Raises StoreError, too where the database does not say whether it is.
        """
        return self._for_tokens.call(partial(self._is_first_use, digest, expires_at_s, now_s))

    def feedback(self) -> list[Mapping[str, object]]:
        """Every feedback row, the oldest first."""
        return self._rows(feedback_table, feedback_table.c.received_at)

    def issued(self) -> list[Mapping[str, object]]:
        """Every issued card, the oldest first."""
        return self._rows(issued_table, issued_table.c.issued_at)

    def _is_first_use(self, digest: str, expires_at_s: int, now_s: int) -> bool:
        """One statement, one transaction: no lock is held while this thread waits for its turn to compute."""
        self._connections.check_file()
        with self._statements.connect() as connection:
            if not 0 <= now_s - self._forgot_at_s < _FORGET_EVERY_S:  # also where the clock was put back
                self._forgot_at_s = now_s
                connection.execute(delete(used_token_table).where(used_token_table.c.expires_at_s < now_s))
            used = connection.execute(self._use_token, {"digest": digest, "expires_at_s": expires_at_s})
            if used.rowcount not in (0, 1):
                raise StoreError(f"one or no new row was expected of a token; found {used.rowcount}")
            return bool(used.rowcount == 1)

    def _try_to_write(self) -> None:
        """Use a token that nobody has, and forget it: to delete what is not there would still work on a full disk."""
        self._connections.check_file()
        digest = f"readiness-{uuid4()}"
        with self._engine.begin() as connection:
            connection.execute(self._use_token, {"digest": digest, "expires_at_s": 0})
            connection.execute(delete(used_token_table).where(used_token_table.c.digest == digest))

    def _rows(self, table: Table, order: Column[datetime]) -> list[Mapping[str, object]]:
        with self._engine.connect() as connection:
            return [dict(row) for row in connection.execute(select(table).order_by(order)).mappings()]

    def _insert(self, table: Table, rows: list[dict[str, object]]) -> None:
        if not rows:
            return
        self._connections.check_file()
        with self._engine.begin() as connection:
            connection.execute(self._keep[table], rows)


def _feedback_row(
    entry: Feedback,
    service: str,
    stamp: KnowledgeStamp,
    received_at: datetime,
    with_comments: bool,  # noqa: FBT001
) -> dict[str, object]:
    system, code = (entry.reason.system, entry.reason.code) if entry.reason else ("", "")
    identity = "\n".join(
        (service, entry.card, entry.outcome, entry.at.isoformat(), *entry.accepted_suggestions, system, code)
    )
    return {
        "digest": hashlib.sha256(identity.encode()).hexdigest(),
        "card": entry.card,
        "service": service,
        "outcome": entry.outcome.value,
        "accepted_suggestions": list(entry.accepted_suggestions),
        "reason_system": system,
        "reason_code": code,
        "comment": entry.comment if with_comments else "",
        "outcome_at": entry.at,
        "received_at": received_at,
        "knowledge_version": stamp.version,
        "knowledge_hash": stamp.content_hash,
    }


def _issued_row(card: IssuedCard, issued: Issued) -> dict[str, object]:
    return {
        "uuid": card.uuid,
        "knowledge_hash": issued.stamp.content_hash,
        "knowledge_version": issued.stamp.version,
        "hook": issued.hook,
        "indicator": card.indicator,
        "kinds": list(card.kinds),
        "drugs": list(card.drugs),
        "issued_at": issued.at,
    }
