"""Every error is an OperationOutcome. A crash is a 500 with an incident id, never an answer without cards."""

from __future__ import annotations

import traceback
from types import MappingProxyType
from uuid import uuid4

import orjson
from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from cds_service.errors import CdsError, RequestError
from cds_service.hooks.responses import operation_outcome
from cds_service.web.logs import log

_ISSUE_TYPES = MappingProxyType({404: "not-found", 405: "not-supported", 413: "too-long", 415: "not-supported"})


def install(app: Flask) -> None:
    app.register_error_handler(RequestError, _request_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _crash)


def _request_error(fault: RequestError) -> Response:
    log("refused", level="WARNING", status=fault.status, code=fault.code, expression=fault.expression)
    return _response(fault.status, operation_outcome(fault.code, str(fault), fault.expression))


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
    places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(fault.__traceback__)]
    message = str(fault) if isinstance(fault, CdsError) else ""
    log("crash", level="ERROR", incident=incident, fault=type(fault).__name__, message=message, places=places[-12:])
    told = f"the service failed and nothing was assessed; tell its operator incident {incident}"
    return _response(500, operation_outcome("exception", told))


def _response(status: int, outcome: dict[str, object]) -> Response:
    return Response(orjson.dumps(outcome), status=status, content_type="application/fhir+json")
