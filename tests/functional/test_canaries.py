"""Marked names, ids, tokens and free text go in by every way there is; none comes out in a log line, an error or a
stored row that is not meant to hold it.
"""

from __future__ import annotations

import errno
import io
import json
import logging
import re
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from cds_service.web.logs import JsonLines, install, log, log_always
from tests.support import tokens
from tests.support.logs import logging_restored
from tests.support.tokens import ES384, PUBLIC_URL, SIGN

MARK = "zzcanary"
PATIENT = f"{MARK}-patient"
FEEDBACK = f"{SIGN}/feedback"
CARD = "3f9a6b0e-8a53-4a0a-9d52-0d8d9f3c8d11"


def mark(what: str) -> str:
    return f"{MARK}-{what}"


def bundle(*resources: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "id": mark("bundle"), "entry": [{"resource": r} for r in resources]}


SUBJECT = {"reference": f"Patient/{PATIENT}", "display": mark("display")}
PERSON = {
    "resourceType": "Patient",
    "id": PATIENT,
    "identifier": [{"system": mark("system"), "value": mark("mrn")}],
    "name": [{"family": mark("family"), "given": [mark("given")]}],
    "birthDate": "1961-04-02",
    "telecom": [{"value": mark("telecom")}],
}
CODEINE = {
    "resourceType": "MedicationRequest",
    "id": mark("order"),
    "status": "draft",
    "intent": "order",
    "subject": SUBJECT,
    "medicationCodeableConcept": {"text": "codeine 30 mg tablet"},
    "note": [{"text": mark("note")}],
    "requester": {"display": mark("requester")},
}
UNRECOGNISED = CODEINE | {"id": mark("unknown"), "medicationCodeableConcept": {"text": mark("drops for somebody")}}
PAROXETINE = CODEINE | {
    "id": mark("medicine"),
    "status": "active",
    "medicationCodeableConcept": {"text": "paroxetine 20 mg tablet"},
}
RESULT = {
    "resourceType": "Observation",
    "id": mark("result"),
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "84413-4"}], "text": mark("code-text")},
    "subject": SUBJECT,
    "valueCodeableConcept": {"text": mark("value")},
    "note": [{"text": mark("result-note")}],
}
UNREADABLE = {"resourceType": mark("type"), "id": mark("odd"), "code": {"text": mark("odd-text")}}
OUTCOME = {
    "resourceType": "OperationOutcome",
    "issue": [{"severity": "error", "code": "processing", "diagnostics": mark("diagnostics")}],
}


def call(hook: str = "order-sign", **fields: Any) -> dict[str, Any]:
    context = {
        "userId": f"Practitioner/{mark('user')}",
        "patientId": PATIENT,
        "encounterId": mark("encounter"),
        "draftOrders": bundle(CODEINE),
        "selections": [f"MedicationRequest/{mark('order')}", f"MedicationRequest/{mark('nowhere')}"],
        "medications": bundle(PAROXETINE),
        "dispatchedOrders": [f"MedicationRequest/{mark('dispatched')}"],
        "performer": mark("performer"),
    }
    prefetch = {
        "patient": PERSON,
        "medications": bundle(PAROXETINE),
        "results": bundle(RESULT, UNREADABLE),
        "conditions": OUTCOME,
        "family": None,
        mark("prefetch-key"): bundle(UNREADABLE),
    }
    body = {"hook": hook, "hookInstance": mark("instance"), "context": context, "prefetch": prefetch}
    return body | {"fhirAuthorization": {"access_token": mark("token"), "subject": mark("subject")}} | fields


def feedback(**changes: Any) -> dict[str, Any]:
    reason = {
        "reason": {"code": mark("code"), "system": mark("system"), "display": mark("reason")},
        "userComment": mark("comment"),
    }
    entry = {
        "card": CARD,
        "outcome": "overridden",
        "outcomeTimestamp": "2026-11-22T10:05:31Z",
        "overrideReason": reason,
    }
    return {"feedback": [entry | changes]}


BAD_CONTEXT = [
    {"patientId": f"{MARK} {MARK}"},
    {"patientId": 7},
    {"draftOrders": mark("drafts")},
    {"draftOrders": {"resourceType": mark("type")}},
    {"draftOrders": {"entry": mark("entry")}},
    {"draftOrders": {"resourceType": "Bundle", "entry": [mark("entry"), {"resource": UNREADABLE}]}},
]
BODIES: list[tuple[str, Any]] = [
    *((f"/cds-services/{hook}", call(hook)) for hook in ("order-sign", "order-select", "patient-view")),
    *((f"/cds-services/{hook}", call(hook)) for hook in ("order-dispatch", "medication-refill")),
    (SIGN, call(context={"userId": mark("user"), "patientId": PATIENT, "draftOrders": bundle(UNRECOGNISED)})),
    (SIGN, call(mark("hook"))),
    (SIGN, call(hookInstance={mark("key"): mark("value")})),
    (SIGN, call(fhirServer=f"https://{MARK}.example.org/r4")),
    (SIGN, call(fhirServer=f"https://{MARK}:{MARK}@example.org/r4")),
    (SIGN, call(fhirServer=mark("server"))),
    (SIGN, call(fhirAuthorization=mark("authorization"))),
    (SIGN, call(fhirAuthorization={"access_token": f"{MARK} {MARK}"})),
    (SIGN, call(prefetch=mark("prefetch"))),
    (SIGN, call(prefetch={"patient": PERSON | {"id": mark("other")}})),
    (SIGN, call(prefetch={"patient": mark("patient"), "results": {"resourceType": mark("type")}})),
    *((SIGN, call(context=call()["context"] | change)) for change in BAD_CONTEXT),
    (SIGN, mark("text")),
    (SIGN, {mark("key"): {mark("key"): 1}}),
    (f"/cds-services/{mark('service')}", call()),
    (f"/{mark('path')}", call()),
    (f"{SIGN}?patient={mark('query')}", call()),
    (FEEDBACK, feedback()),
    (FEEDBACK, feedback(card=mark("card"))),
    (FEEDBACK, feedback(acceptedSuggestions=[{"id": mark("suggestion")}])),
    (FEEDBACK, feedback(outcome=mark("outcome"))),
    (FEEDBACK, feedback(outcomeTimestamp=mark("time"))),
    (FEEDBACK, feedback(overrideReason=mark("reason"))),
    (FEEDBACK, feedback(acceptedSuggestions=[{mark("key"): mark("id")}])),
    (FEEDBACK, {mark("key"): mark("value")}),
]
RAW = [
    (f'{{"{MARK}": {MARK}}}', "application/json"),
    (f'{{"{MARK}": 1, "{MARK}": 2}}', "application/json"),
    (mark("plain"), "text/plain"),
    (mark("text"), f"application/{MARK}"),
    (mark("text"), f"application/json; charset={MARK}"),
]
HEADERS = {"User-Agent": mark("agent"), "Referer": mark("referer"), "X-Request-Id": mark("id"), "Cookie": mark("c=1")}
BAD_TOKENS = [
    mark("scheme"),
    f"Bearer {mark('bearer')}",
    f"Bearer {MARK}.{MARK}.{MARK}",
    f"Bearer {ES384.token(iss=mark('issuer'), sub=mark('sub'))}",
    f"Bearer {ES384.token(headers={'kid': mark('kid')}, sub=mark('sub'))}",
    f"Bearer {ES384.token(aud=mark('audience'), jti=mark('jti'))}",
]


class Watch(logging.Handler):
    """The lines as they would be written, and what Python would print of the records beside them."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(JsonLines())
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture
def watch() -> Iterator[Watch]:
    watch = Watch()
    loggers = [logging.getLogger(name) for name in ("cds_service", "")]
    for logger in loggers:
        logger.addHandler(watch)
    yield watch
    for logger in loggers:
        logger.removeHandler(watch)


def rows(client) -> str:
    """Every row of every table, as text, once what waits to be written is there."""
    runtime = client.application.extensions["cds_service"]
    runtime.outbox.close()
    with runtime.store._engine.connect() as connection:
        names = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars().all()
        return str([connection.exec_driver_sql(f"SELECT * FROM {name}").all() for name in names])


def assert_clean(what: str, *texts: str) -> None:
    for text in texts:
        assert MARK not in text.lower(), f"{what}: {text[:400]}"


def assert_error_is_clean(response) -> None:
    assert_clean("headers", str(response.headers))
    if response.status_code >= 300:
        assert_clean("error", response.text)


def send_everything(client, headers) -> set[int]:
    """Every way in; gives the statuses that came back."""
    statuses = set()
    for path, body in BODIES:
        with client.post(path, json=body, headers=HEADERS | headers(path.split("?")[0])) as response:
            assert_error_is_clean(response)
            statuses.add(response.status_code)
    for content, content_type in RAW:
        response = client.post(SIGN, data=content, content_type=content_type, headers=HEADERS | headers(SIGN))
        assert_error_is_clean(response)
        statuses.add(response.status_code)
    for method in (MARK.upper(), "PUT", "DELETE"):
        response = client.open(SIGN, method=method, data=mark("body"), headers=HEADERS | headers(SIGN))
        assert_error_is_clean(response)
    return statuses


def test_in_development(client_with, watch):
    client = client_with(log_level="DEBUG", fhir_servers=("https://ehr.example.org/r4",))
    assert {200, 204, 400, 404, 415, 422} <= send_everything(client, lambda _: {})
    assert len(watch.lines) >= len(BODIES)
    assert_clean("log", *watch.lines)
    assert_clean("rows", rows(client))
    assert CARD in rows(client)
    assert client.application.extensions["cds_service"].store.issued()


def test_with_clients_and_their_tokens(client_with, tmp_path, watch):
    settings = {"development": False, "clients": tokens.clients_file(tmp_path), "public_url": PUBLIC_URL}
    client = client_with(log_level="DEBUG", **settings)

    def bearer(path: str) -> dict[str, str]:
        return {"Authorization": ES384.bearer(path=path, sub=mark("sub"))}

    assert {200, 204, 400, 403, 404} <= send_everything(client, bearer)
    used = ES384.bearer(jti=mark("jti"), sub=mark("sub"))
    for header in (*BAD_TOKENS, used, used):
        with client.post(SIGN, json=call(), headers=HEADERS | {"Authorization": header}) as response:
            assert_error_is_clean(response)
    tokens_sent = [header.removeprefix("Bearer ") for header in (*BAD_TOKENS, used)]
    for token in tokens_sent:
        assert token not in "".join(watch.lines) + rows(client)
    assert_clean("log", *watch.lines)
    assert_clean("rows", rows(client))


def test_when_something_breaks(client_with, watch):
    def crash(*_arguments: object) -> None:
        raise ValueError(mark("crash"))

    client = client_with(crash, log_level="DEBUG")
    response = client.post(SIGN, json=call(), headers=HEADERS)
    assert response.status_code == 500
    assert_error_is_clean(response)
    store = client.application.extensions["cds_service"].store
    with store._engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE feedback")
    response = client.post(FEEDBACK, json=feedback(), headers=HEADERS)
    assert response.status_code == 503
    assert_error_is_clean(response)
    for event in ("crash", "feedback_not_kept"):
        assert len([line for line in watch.lines if f'"{event}"' in line]) == 1
    assert_clean("log", *watch.lines)


ODD_ANSWERS = [
    {"status": 200, "response_data": mark("text")},
    {"status": 200, "response_data": json.dumps(OUTCOME)},
    {"status": 200, "response_data": json.dumps(PERSON | {"id": mark("other")})},
    {"status": 200, "response_data": json.dumps(bundle(UNREADABLE, RESULT))},
    {"status": 401, "response_data": json.dumps(OUTCOME)},
    {"status": 302, "headers": {"Location": f"https://{MARK}.example.org/"}},
    {"status": 500, "response_data": mark("failure"), "headers": {"X-Fault": mark("fault")}},
]


@pytest.mark.parametrize("answer", ODD_ANSWERS, ids=lambda answer: str(answer)[:60])
def test_whatever_a_fhir_server_answers(client_with, httpserver: HTTPServer, watch, answer):
    httpserver.expect_request(re.compile("/fhir/.*")).respond_with_data(**answer)
    client = client_with(log_level="DEBUG", answer_budget_ms=2000)
    for hook in ("order-sign", "order-dispatch"):
        body = call(hook, fhirServer=httpserver.url_for("/fhir"), prefetch={})
        with client.post(f"/cds-services/{hook}", json=body, headers=HEADERS) as response:
            assert_error_is_clean(response)
    assert {response.status_code for _, response in httpserver.log} == {answer["status"]}
    assert_clean("log", *watch.lines)
    assert_clean("rows", rows(client))


def test_comments_are_kept_only_where_they_are_meant_to_be(client_with):
    client = client_with(keep_feedback_comments=True)
    assert client.post(FEEDBACK, json=feedback()).status_code == 204
    assert mark("comment") in rows(client)
    assert mark("reason") not in rows(client)


def test_what_is_no_key_of_the_log_is_withheld(client, watch):
    log("answer", level="ERROR", patient=mark("id"), service="order-sign")
    line = json.loads(watch.lines[-1])
    assert line["service"] == "order-sign"
    assert line["withheld"] == ["patient"]
    assert_clean("log", *watch.lines)


def test_lines_of_libraries_tell_their_own_text_alone():
    formatter = JsonLines()
    fault = ValueError(mark("message"))
    for name, level, text, arguments in (
        ("urllib3.connectionpool", logging.DEBUG, '%s "%s"', (mark("host"), mark("path"))),
        ("gunicorn.error", logging.WARNING, f"Invalid request from ip=127.0.0.1: {mark('header')}", ()),
        ("gunicorn.error", logging.ERROR, "Error handling request %s", (f"/x?{mark('query')}",)),
        ("cds_service.fetching.rxnav", logging.WARNING, "no usable answer: %s", (mark("code"),)),
    ):
        record = logging.LogRecord(name, level, __file__, 1, text, arguments, (ValueError, fault, None))
        line = json.loads(formatter.format(record))
        assert_clean("log", json.dumps(line))
        assert line["event"]
        assert line["fault"] == "ValueError"


def test_a_warning_of_a_library_is_a_line_like_others(monkeypatch, capsys):
    with logging_restored():
        install("INFO")
        library = logging.getLogger("psycopg")
        monkeypatch.setattr(library, "parent", None)  # pytest has handlers of its own at the root
        library.warning("error ignored terminating %s", mark("row"))
    line = json.loads(capsys.readouterr().err)
    assert (line["event"], line["logger"]) == ("error ignored terminating %s", "psycopg")


def test_the_server_tells_whole_what_became_of_its_workers_and_addresses():
    for text, arguments, told in (
        ("Worker (pid:%s) was sent %s! Perhaps out of memory?", (7, "SIGKILL"), "Perhaps out of memory?"),
        ("WORKER TIMEOUT (pid:%s)", (7,), "(pid:7)"),
        ("Connection in use: %s", ("('127.0.0.1', 8000)",), "8000"),
        ("Can't connect to %s", ("/run/cds-service/http.sock",), "http.sock"),
        ("connection to /run/cds-service/http.sock failed: [Errno 13] Permission denied", (), "Permission denied"),
    ):
        record = logging.LogRecord("gunicorn.error", logging.ERROR, __file__, 1, text, arguments, None)
        assert told in json.loads(JsonLines().format(record))["event"]


class FullDisk(io.StringIO):
    def write(self, text: str) -> int:
        raise OSError(errno.ENOSPC, "no space left", text)


def test_a_line_that_cannot_be_written_is_dropped(capsys):
    with logging_restored():
        install("INFO")
        record = logging.LogRecord("gunicorn.error", logging.ERROR, __file__, 1, "%s", (mark("path"),), None)
        logging.StreamHandler(FullDisk()).handle(record)
    assert capsys.readouterr().err == ""


class Pieces(io.StringIO):
    """Remembers what was written at once: processes that share a file write between each other's pieces."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[str] = []

    def write(self, text: str) -> int:
        self.written.append(text)
        return len(text)


def test_a_line_that_no_level_drops_is_written_whole(monkeypatch):
    monkeypatch.setattr("sys.stderr", Pieces())
    log_always("development_mode", level="WARNING", message="nobody is authenticated")
    (line,) = sys.stderr.written
    assert json.loads(line)["event"] == "development_mode"
    assert line.endswith("\n")


def test_our_own_lines_tell_the_client_and_the_reason_that_they_are_given():
    told = {"client": "ehr-a", "reason": "refused", "hook": mark("hook")}
    for name, fields in (("cds_service.callers.key_sets", {"client": "ehr-a", "reason": "refused"}), ("urllib3", {})):
        record = logging.LogRecord(name, logging.ERROR, __file__, 1, "no keys", (), None)
        record.__dict__.update(told)
        line = json.loads(JsonLines().format(record))
        assert {key: line[key] for key in told if key in line} == fields
