"""One JSON object a line on standard error. Only what `KEYS` names is ever written, and nothing of the patient, no
token and no text of the caller's is ever an argument of `log`.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import orjson

from cds_service.errors import CdsError

KEYS = frozenset(
    {
        "answers", "cards", "client", "clients", "code", "expression", "fault", "hook_instance", "incident",
        "knowledge", "knowledge_version", "message", "method", "milliseconds", "outcomes", "places", "policy",
        "queries", "reason", "route", "service", "shown", "silent", "status", "version",
    }
)  # fmt: skip

_EXTRA = ("client", "reason")
"""What modules that do not know this one may add to a line of theirs."""
_MOST_PLACES = 12
_ABOUT_ITSELF = (
    "Worker (pid",
    "WORKER TIMEOUT",
    "Connection in use",
    "Invalid address",
    "Can't connect",
    "connection to",
)
"""How those of gunicorn's warnings begin that tell process ids, signals, and addresses that it is to listen on."""

_logger = logging.getLogger("cds_service")


class JsonLines(logging.Formatter):
    """Makes a line of any record. Of a record that is not `log`'s own only the text of the program is written:
    its arguments, and the message of an exception that is not ours, may quote a request.
    """

    def format(self, record: logging.LogRecord) -> str:
        if record.name == _logger.name:
            return record.getMessage()
        line: dict[str, object] = {
            "time": _time(datetime.fromtimestamp(record.created, UTC)),
            "level": record.levelname,
            "event": _text(record),
            "logger": record.name,
        }
        if record.name.startswith(f"{_logger.name}."):
            line |= {name: getattr(record, name) for name in _EXTRA if hasattr(record, name)}
        fault = record.exc_info[1] if record.exc_info else None
        if fault is not None:
            message = str(fault) if isinstance(fault, CdsError) else ""
            line |= {"fault": type(fault).__name__, "message": message, "places": places(fault)}
        return orjson.dumps(line).decode()


def install(level: str) -> None:
    """Write the service's log lines as JSON from `level` on. Calling it again changes the level only. A line that
    cannot be written, as on a full disk, is dropped: `logging` would write a report instead, with what it is about.
    """
    logging.raiseExceptions = False
    if logging.lastResort is not None:
        logging.lastResort.setFormatter(JsonLines())  # warnings of libraries
    _logger.setLevel(level)
    _logger.propagate = False
    if not _logger.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(JsonLines())
        _logger.addHandler(handler)


def log(event: str, *, level: str = "INFO", **fields: object) -> None:
    """Write a line. A field that `KEYS` does not name is left out, and `withheld` says which."""
    number = logging.getLevelNamesMapping()[level]
    if _logger.isEnabledFor(number):
        _logger.log(number, "%s", _line(event, level, fields))


def log_always(event: str, *, level: str, message: str) -> None:
    """Write a line whatever the levels are that the service is to write."""
    sys.stderr.write(f"{_line(event, level, {'message': message})}\n")  # whole: other processes write there too
    sys.stderr.flush()


def _line(event: str, level: str, fields: Mapping[str, object]) -> str:
    line: dict[str, object] = {"time": _time(datetime.now(UTC)), "level": level, "event": event}
    line |= {name: value for name, value in fields.items() if name in KEYS}
    if not fields.keys() <= KEYS:
        line["withheld"] = sorted(fields.keys() - KEYS)
    return orjson.dumps(line, option=orjson.OPT_NON_STR_KEYS).decode()


def places(fault: BaseException) -> list[str]:
    """Where a fault came from, the innermost last, without its message."""
    frames = traceback.extract_tb(fault.__traceback__)[-_MOST_PLACES:]
    return [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]


def _text(record: logging.LogRecord) -> str:
    """The arguments of gunicorn's notices are addresses and process ids; those of its warnings may be anybody's
    text, which it partly puts into the message itself, after a colon or an `=`.
    """
    text = str(record.msg)
    if record.name.startswith("gunicorn") and (record.levelno == logging.INFO or text.startswith(_ABOUT_ITSELF)):
        return record.getMessage()
    return text.split("=", maxsplit=1)[0].split(":", maxsplit=1)[0]


def _time(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")
