"""The service's logger, given back as it was: an application that several tests share outlives `_own_logging`."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def logging_restored() -> Iterator[logging.Logger]:
    logger = logging.getLogger("cds_service")
    handlers, propagates, level = list(logger.handlers), logger.propagate, logger.level
    tells_faults = logging.raiseExceptions
    formatter = logging.lastResort.formatter if logging.lastResort else None
    try:
        yield logger
    finally:
        logger.handlers[:] = handlers
        logger.propagate = propagates
        logger.setLevel(level)
        logging.raiseExceptions = tells_faults
        if logging.lastResort:
            logging.lastResort.setFormatter(formatter)
