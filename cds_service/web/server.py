"""gunicorn as `cds-service serve` runs it: lines of JSON like ours, and nothing of a broken request in a line or an
answer. Both are named there by their path.
"""

from __future__ import annotations

import socket
import time

from gunicorn import util
from gunicorn.config import Config
from gunicorn.glogging import Logger
from gunicorn.http import errors
from gunicorn.workers.gthread import ThreadWorker

from cds_service.web.logs import JsonLines

_OUR_OWN = (errors.InvalidResponseHeader, errors.InvalidResponseHeaderName)
_STEP_BACK_S, _LONGEST_STEP_BACK_S = 0.001, 0.005
"""For each connection that a worker has, and at most: others are awake within a millisecond where they are idle."""


class ServerLogger(Logger):  # type: ignore[misc]
    """gunicorn's logger with our lines."""

    def setup(self, cfg: Config) -> None:
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(JsonLines())


class Worker(ThreadWorker):  # type: ignore[misc]
    """gunicorn's worker. It would quote what it cannot read, such as a header with a token, to log and caller."""

    _steps_back_until_s = 0.0

    def accept(self, listener: socket.socket) -> None:
        """Having taken a connection, leave the next ones to the other workers for a moment, the longer the more it
        has: whoever is awake first would take all that come together, and keep them while the others are idle.
        """
        super().accept(listener)
        if self.cfg.workers > 1:
            self._steps_back_until_s = time.monotonic() + _step_back_s(self.nr_conns)

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        left_s = self._steps_back_until_s - time.monotonic()
        if self.alive and left_s > 0:
            self.set_accept_enabled(False)  # until gunicorn's loop comes round, which opens the door again
            timeout = min(timeout, left_s)
        super().wait_for_and_dispatch_events(timeout)

    def set_accept_enabled(self, enabled: bool) -> None:  # noqa: FBT001  gunicorn's signature
        """On its way out a worker still takes who is waiting at its door, and then shuts it: whoever comes later is
        refused before sending anything. gunicorn leaves the door open, and drops who waits there at the end.
        """
        super().set_accept_enabled(enabled)
        if enabled or self.alive:
            return
        for listener in self.sockets:
            self._accept_waiting(listener)
            listener.close()

    def _accept_waiting(self, listener: socket.socket) -> None:
        before = -1
        while before != self.nr_conns:
            before = self.nr_conns
            self.accept(listener)

    def handle_error(self, req: object, client: socket.socket, addr: object, exc: Exception) -> None:
        if not isinstance(exc, errors.ParseException) or isinstance(exc, _OUR_OWN):
            super().handle_error(req, client, addr, exc)
            return
        self.log.warning("broken request")
        try:
            util.write_error(client, 400, "Bad Request", "")
        except OSError:
            self.log.debug("the caller of a broken request is gone")


def _step_back_s(connections: int) -> float:
    """For how long.

    >>> _step_back_s(1), _step_back_s(4), _step_back_s(500)
    (0.001, 0.004, 0.005)
    """
    return min(connections * _STEP_BACK_S, _LONGEST_STEP_BACK_S)
