"""What many services do: every resource of the request becomes a `fhir.resources` object, and so does what is sent.

It reads nothing out of them and decides nothing: one draft ServiceRequest is suggested, whatever the patient has.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from fhir.resources.R4B.servicerequest import ServiceRequest
from flask import Flask, Response, request

from benchmarks.bare import CARD

application = Flask(__name__)


@application.get("/readyz")
def ready() -> str:
    return Path(__file__).stem


@application.post("/cds-services/order-sign")
def answer() -> Response:
    body = json.loads(request.get_data())
    parsed = [_parsed(resource) for resource in _resources(body)]
    suggestion = {
        "label": "Order a test",
        "actions": [{"type": "create", "description": "Orders a test", "resource": _order(body, len(parsed))}],
    }
    card = CARD | {"suggestions": [suggestion], "selectionBehavior": "any"}
    return Response(json.dumps({"cards": [card]}), content_type="application/json")


def _resources(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield body["context"]["draftOrders"]
    yield from (resource for resource in body["prefetch"].values() if resource)


def _parsed(resource: dict[str, Any]) -> Any:
    kind = resource["resourceType"]
    model = getattr(import_module(f"fhir.resources.R4B.{kind.lower()}"), kind)
    return model.model_validate(resource)


def _order(body: dict[str, Any], read: int) -> dict[str, Any]:
    order = ServiceRequest.model_validate(
        {
            "resourceType": "ServiceRequest",
            "status": "draft",
            "intent": "order",
            "code": {"text": f"A test, after {read} Bundles and resources"},
            "subject": {"reference": f"Patient/{body['context']['patientId']}"},
        }
    )
    return json.loads(order.model_dump_json())  # type: ignore[no-any-return]
