"""What the log is told of a fault of the database."""

from __future__ import annotations

from sqlalchemy.exc import SQLAlchemyError

_CODES = ("sqlite_errorname", "sqlstate", "pgcode")


def named(fault: SQLAlchemyError) -> str:
    """The kind of a fault, with the database's own code where it gave one: `OperationalError SQLITE_FULL`. Not its
    message, which may quote a row.
    """
    cause = getattr(fault, "orig", None)
    codes = [str(code) for name in _CODES if (code := getattr(cause, name, None))]
    return " ".join([type(fault).__name__, *codes[:1]])
