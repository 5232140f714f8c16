"""One JSON object a line on standard error. Nothing of the patient is ever an argument of `log`."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

import orjson

_logger = logging.getLogger("cds_service")


def install(level: str) -> None:
    """Write the service's log lines as JSON from `level` on. Calling it again changes the level only."""
    _logger.setLevel(level)
    _logger.propagate = False
    if not _logger.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(message)s"))
        _logger.addHandler(handler)


def log(event: str, *, level: str = "INFO", **fields: object) -> None:
    number = logging.getLevelNamesMapping()[level]
    if _logger.isEnabledFor(number):
        line = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "level": level, "event": event}
        _logger.log(number, orjson.dumps(line | fields, option=orjson.OPT_NON_STR_KEYS).decode())
