"""What the log is told of a fault of the database."""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from cds_service.store.patience import Unanswered

_CODES = ("sqlite_errorname", "sqlstate", "pgcode")


def named(fault: SQLAlchemyError) -> str:
    """The kind of a fault, with the database's own code where it gave one: `OperationalError SQLITE_FULL`. A message
    may quote a row; but not ours, nor one of a connection that was not made, which has no code either.
    """
    kind, cause = type(fault).__name__, getattr(fault, "orig", None)
    codes = [str(code) for name in _CODES if (code := getattr(cause, name, None))]
    if codes:
        return f"{kind} {codes[0]}"
    is_of_nobody = isinstance(fault, Unanswered) or (isinstance(fault, DBAPIError) and fault.statement is None)
    message = str(cause).partition("\n")[0]
    return f"{kind}: {message}" if is_of_nobody else kind
