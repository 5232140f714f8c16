"""Is the process alive, and can it answer."""

from __future__ import annotations

import orjson
from flask import Blueprint, Response

from cds_service import __version__
from cds_service.hooks.responses import operation_outcome
from cds_service.web.logs import log
from cds_service.web.runtime import Runtime


def blueprint(runtime: Runtime) -> Blueprint:
    pages = Blueprint("health", __name__)

    @pages.get("/healthz")
    def alive() -> Response:
        return Response(orjson.dumps({"status": "ok"}), content_type="application/json")

    @pages.get("/readyz")
    def ready() -> Response:
        if not runtime.store.can_keep(_tell_not_ready):
            outcome = operation_outcome(
                "transient", "the store of tokens, feedback and issued cards cannot be written"
            )
            return Response(orjson.dumps(outcome), status=503, content_type="application/fhir+json")
        body = {
            "status": "ready",
            "version": __version__,
            "knowledge": {"version": runtime.stamp.version, "hash": runtime.stamp.content_hash},
            "policy": {"name": runtime.service.policy.name, "hash": runtime.service.policy.content_hash},
            "prefetchNeverSent": runtime.unfilled.clients_by_key(),
        }
        return Response(orjson.dumps(body), content_type="application/json")

    return pages


def _tell_not_ready(fault: str) -> None:
    """Where no call comes, since the service is not ready, this line alone says why."""
    log("not_ready", level="ERROR", fault=fault)
