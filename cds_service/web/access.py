"""One log line for each request: its event's own, or `request` where there was none. Never a path, query or body."""

from __future__ import annotations

import time

from flask import Flask, Response, g, request

from cds_service.web.logs import log

_METHODS = frozenset({"GET", "POST", "HEAD", "OPTIONS"})
_NOT_TOLD = frozenset({"health"})


def install(app: Flask) -> None:
    def start() -> None:
        g.started_s = time.monotonic()

    def end(response: Response) -> Response:
        if "told" not in g and request.blueprint not in _NOT_TOLD:
            seconds = time.monotonic() - g.started_s
            tell("request", status=response.status_code, milliseconds=round(seconds * 1000, 1))
        return response

    app.before_request(start)
    app.after_request(end)


def tell(event: str, *, level: str = "INFO", **fields: object) -> None:
    """Log what became of the request at hand, with the client that made it and the route it took."""
    g.told = True
    client = g.get("client")
    log(
        event,
        level=level,
        method=request.method if request.method in _METHODS else "other",
        route=request.url_rule.rule if request.url_rule else "none",
        **({"client": client.name} if client else {}) | fields,
    )
