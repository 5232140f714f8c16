"""The tables, and whether those of a database are these."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import JSON, BigInteger, Column, DateTime, Engine, MetaData, String, Table, Text, inspect
from sqlalchemy.engine.interfaces import ReflectedColumn
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
    """A table of ours lacks a column, or wants one that we do not fill: another version of the service made it."""


def check(engine: Engine) -> None:
    """Raises WrongTables, which names every such column."""
    there = inspect(engine)
    found = {table: {c["name"]: c for c in there.get_columns(table.name)} for table in metadata.sorted_tables}
    told = (("lack", _missing(found)), ("want", _wanted(found)))
    differences = [f"{verb} {', '.join(columns)}" for verb, columns in told if columns]
    if differences:
        raise WrongTables(f"the tables were made by another version of the service and {'; they '.join(differences)}")


def _missing(found: Mapping[Table, Mapping[str, ReflectedColumn]]) -> list[str]:
    return [
        f"{t.name}.{column.name}"
        for t, columns in found.items()
        for column in t.columns
        if column.name not in columns
    ]


def _wanted(found: Mapping[Table, Mapping[str, ReflectedColumn]]) -> list[str]:
    """Those that must be filled and that we do not know."""
    return [f"{t.name}.{name}" for t, columns in found.items() for name, c in columns.items() if _is_wanted(t, c)]


def _is_wanted(table: Table, column: ReflectedColumn) -> bool:
    return column["name"] not in table.columns and not column["nullable"] and column["default"] is None
