"""Every error is an OperationOutcome. A crash is a 500 with an incident id, never an answer without cards."""

from __future__ import annotations

from types import MappingProxyType
from uuid import uuid4

import orjson
from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from cds_service.errors import CdsError, RequestError, Unauthenticated
from cds_service.hooks.responses import operation_outcome
from cds_service.web.access import tell
from cds_service.web.logs import places
from cds_service.web.rates import RateError

_ISSUE_TYPES = MappingProxyType({404: "not-found", 405: "not-supported", 413: "too-long", 415: "not-supported"})
_UNAUTHENTICATED = orjson.dumps(operation_outcome("login", "the caller is not authenticated"))


def install(app: Flask) -> None:
    app.register_error_handler(Unauthenticated, _unauthenticated)
    app.register_error_handler(RequestError, _request_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _crash)


def _request_error(fault: RequestError) -> Response:
    tell("refused", level="WARNING", status=fault.status, code=fault.code, expression=fault.expression)
    response = _response(fault.status, operation_outcome(fault.code, str(fault), fault.expression))
    if isinstance(fault, RateError):
        response.headers["Retry-After"] = str(fault.retry_after_s)
    return response


def _unauthenticated(fault: Unauthenticated) -> Response:
    """The same for every reason, which the log alone is told; the name in it is claimed, not proven."""
    named = {"client": fault.client} if fault.client else {}
    tell("unauthenticated", level="WARNING", status=401, reason=fault.reason, **named)
    response = Response(_UNAUTHENTICATED, status=401, content_type="application/fhir+json")
    response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _http_error(fault: HTTPException) -> Response:
    status = fault.code or 500
    outcome = operation_outcome(_ISSUE_TYPES.get(status, "processing"), fault.description or fault.name)
    response = _response(status, outcome)
    allowed = getattr(fault, "valid_methods", None)
    if allowed:
        response.headers["Allow"] = ", ".join(sorted(allowed))
    return response


def _crash(fault: Exception) -> Response:
    """The log has the type and the places of any fault, and the message of our own alone: another's message may
    quote the request.
    """
    incident = str(uuid4())
    message = str(fault) if isinstance(fault, CdsError) else ""
    named = type(fault).__name__
    tell("crash", level="ERROR", incident=incident, fault=named, message=message, places=places(fault))
    told = f"the service failed and nothing was assessed; tell its operator incident {incident}"
    return _response(500, operation_outcome("exception", told))


def _response(status: int, outcome: dict[str, object]) -> Response:
    return Response(orjson.dumps(outcome), status=status, content_type="application/fhir+json")
