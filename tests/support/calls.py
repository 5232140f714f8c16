"""Calls of a guarded service, and the one answer that a caller without a good token gets."""

from __future__ import annotations

import json
from typing import Any

from cds_service.answer import AnswerResult
from cds_service.model import Patient
from tests.support.tokens import SIGN

BODY = {
    "hook": "order-sign",
    "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
    "context": {"userId": "Practitioner/1", "patientId": "p1", "draftOrders": {"resourceType": "Bundle"}},
}


def answer_nothing(request: Any, *_: object) -> AnswerResult:
    return AnswerResult({"cards": []}, (), Patient(request.question.patient_id))


def post(client, header: str | None, path: str = SIGN, body: object = BODY):
    headers = {} if header is None else {"Authorization": header.encode("utf-8").decode("latin-1")}
    return client.post(path, json=body, headers=headers)


REFUSAL = {
    "resourceType": "OperationOutcome",
    "issue": [{"severity": "error", "code": "login", "diagnostics": "the caller is not authenticated"}],
}


def assert_refused(response) -> None:
    assert response.status_code == 401
    assert json.loads(response.data) == REFUSAL
    assert response.content_type == "application/fhir+json"
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert response.headers["Access-Control-Allow-Origin"] == "*"
