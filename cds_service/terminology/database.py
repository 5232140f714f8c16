"""The imported file as a source of codes: read only, one connection for each thread and process."""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
from collections.abc import Mapping
from contextlib import closing
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote

from cds_service.codes import NDC, RXNORM
from cds_service.errors import TerminologyError
from cds_service.model import CodedDrug, RxNormIngredient
from cds_service.terminology.layout import APPLICATION_ID, LAYOUT_VERSION

_REMEMBERED = 16_384
_BY_CODE = "SELECT rxcui FROM code WHERE system = ? AND code = ?"
_BY_PRODUCT = "SELECT DISTINCT rxcui FROM code WHERE system = ? AND code BETWEEN ? || '00' AND ? || '99'"
_INGREDIENTS = (
    "SELECT concept.rxcui, name FROM ingredient JOIN concept ON concept.rxcui = ingredient.ingredient "
    "WHERE ingredient.rxcui = ? ORDER BY name, concept.rxcui"
)
_NDC_WITHOUT_PACKAGE = 9

log = logging.getLogger(__name__)


class CodeDatabase:
    """A `DrugCodes` over the file at `path`. Raises TerminologyError where it is not such a file.

    The file is never written to: a newer one takes its place, and is read from the next start on.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._own = threading.local()
        self._remembered = lru_cache(_REMEMBERED)(self._read)
        self.meta = _meta(path)

    def look_up(self, system: str, code: str) -> CodedDrug | None:
        """See `DrugCodes.look_up`. A code that stands for drugs of different ingredients is not known."""
        try:
            return self._remembered(system, code)
        except sqlite3.Error as fault:
            log.warning("the terminology file cannot be read", extra={"reason": type(fault).__name__})
            return None

    def close(self) -> None:
        """Let go of the calling thread's connection."""
        if hasattr(self._own, "connection"):
            self._own.connection.close()
            self._own.process = None

    def _read(self, system: str, code: str) -> CodedDrug | None:
        connection = self._connection()
        found = [drug for rxcui in _rxcuis(connection, system, code) if (drug := _drug(connection, rxcui))]
        contents = {drug.ingredients for drug in found}
        return found[0] if len(contents) == 1 else None

    def _connection(self) -> sqlite3.Connection:
        """SQLite connections must not cross threads, nor the fork that makes the workers."""
        if getattr(self._own, "process", None) != os.getpid():
            self._own.connection = _connect(self._path)
            self._own.process = os.getpid()
        connection: sqlite3.Connection = self._own.connection
        return connection


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(path.resolve()))}?mode=ro&immutable=1", uri=True)


def _meta(path: Path) -> Mapping[str, str]:
    try:
        with closing(_connect(path)) as database:
            application = database.execute("PRAGMA application_id").fetchone()[0]
            version = database.execute("PRAGMA user_version").fetchone()[0]
            if application != APPLICATION_ID or version != LAYOUT_VERSION:
                raise TerminologyError(
                    f"{path.name}: expected a file made by 'cds-service terminology import' of this version; "
                    "import the release again"
                )
            return dict(database.execute("SELECT key, value FROM meta"))
    except sqlite3.Error as fault:
        raise TerminologyError(f"{path.name}: cannot be read as a terminology file: {fault}") from fault


def _rxcuis(connection: sqlite3.Connection, system: str, code: str) -> list[int]:
    if system == NDC and len(code) == _NDC_WITHOUT_PACKAGE:
        rows = connection.execute(_BY_PRODUCT, (system, code, code))
    else:
        rows = connection.execute(_BY_CODE, (system, code))
    own = [int(code)] if system == RXNORM else []
    return [*own, *(rxcui for (rxcui,) in rows)]


def _drug(connection: sqlite3.Connection, rxcui: int) -> CodedDrug | None:
    rows = connection.execute(_INGREDIENTS, (rxcui,))
    ingredients = tuple(RxNormIngredient(str(code), name) for code, name in rows)
    if not ingredients:
        return None
    (name,) = connection.execute("SELECT name FROM concept WHERE rxcui = ?", (rxcui,)).fetchone()
    return CodedDrug(ingredients, name)
