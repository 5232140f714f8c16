"""The tables, and whether those of a database are these."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import JSON, BigInteger, Column, DateTime, Engine, MetaData, String, Table, Text, inspect
from sqlalchemy.exc import SQLAlchemyError

metadata = MetaData()

feedback_table = Table(
    "feedback",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("card", Text, nullable=False, index=True),
    Column("service", Text, nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("accepted_suggestions", JSON, nullable=False),
    Column("reason_system", Text, nullable=False),
    Column("reason_code", Text, nullable=False),
    Column("comment", Text, nullable=False),
    Column("outcome_at", DateTime(timezone=True), nullable=False),
    Column("received_at", DateTime(timezone=True), nullable=False),
    Column("knowledge_version", Text, nullable=False),
    Column("knowledge_hash", String(16), nullable=False),
)
issued_table = Table(
    "issued_card",
    metadata,
    Column("uuid", Text, primary_key=True),
    Column("knowledge_hash", String(16), primary_key=True),
    Column("knowledge_version", Text, nullable=False),
    Column("hook", Text, nullable=False),
    Column("indicator", String(16), nullable=False),
    Column("kinds", JSON, nullable=False),
    Column("drugs", JSON, nullable=False),
    Column("issued_at", DateTime(timezone=True), nullable=False),
)

used_token_table = Table(
    "used_token",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("expires_at_s", BigInteger, nullable=False, index=True),
    sqlite_with_rowid=False,
)


class WrongTables(SQLAlchemyError):
    """The database has a table of ours that lacks a column: another version of the service made it."""


def check(engine: Engine) -> None:
    """Raises WrongTables, which names every column that is missing."""
    missing = [*_missing(engine)]
    if missing:
        raise WrongTables(f"the tables were made by another version of the service and lack {', '.join(missing)}")


def _missing(engine: Engine) -> Iterator[str]:
    there = inspect(engine)
    for table in metadata.sorted_tables:
        columns = {column["name"] for column in there.get_columns(table.name)}
        yield from (f"{table.name}.{column.name}" for column in table.columns if column.name not in columns)
