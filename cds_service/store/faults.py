"""What the log is told of a fault of the database."""

from __future__ import annotations

from sqlalchemy.exc import SQLAlchemyError

from cds_service.store.patience import Unanswered

_CODES = ("sqlite_errorname", "sqlstate", "pgcode")


def named(fault: SQLAlchemyError) -> str:
    """The kind of a fault, with the database's own code where it gave one: `OperationalError SQLITE_FULL`. Not its
    message, which may quote a row, but where it is ours.
    """
    cause = getattr(fault, "orig", None)
    if isinstance(fault, Unanswered):
        return f"{type(fault).__name__}: {cause}"
    codes = [str(code) for name in _CODES if (code := getattr(cause, name, None))]
    return " ".join([type(fault).__name__, *codes[:1]])
