"""The least that a Python service can do: Flask, the body decoded by the standard library, one constant card."""

from __future__ import annotations

import json
from pathlib import Path

from flask import Flask, Response, request

CARD = {
    "uuid": "00000000-0000-4000-8000-000000000000",
    "summary": "A constant card",
    "indicator": "info",
    "source": {"label": "Benchmark"},
}

application = Flask(__name__)


@application.get("/readyz")
def ready() -> str:
    return Path(__file__).stem


@application.post("/cds-services/order-sign")
def answer() -> Response:
    json.loads(request.get_data())
    return Response(json.dumps({"cards": [CARD]}), content_type="application/json")
