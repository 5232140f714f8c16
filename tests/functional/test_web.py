"""The HTTP surface: discovery, calls, feedback, errors, CORS, health, pages, logs."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event

from cds_service.answer import AnswerResult
from cds_service.errors import AnswerError
from cds_service.model import Availability, Patient, Query
from cds_service.store.store import Store

SIGN = "/cds-services/order-sign"
FEEDBACK = f"{SIGN}/feedback"
SECRETS = ("Testperson", "pat-77", "s3cret", "1961-04-02")


def hook_request(hook="order-sign", **fields):
    draft = {"resourceType": "MedicationRequest", "id": "rx-1", "status": "draft", "intent": "order"}
    bundle = {"resourceType": "Bundle", "entry": [{"resource": draft}]}
    context = {
        "userId": "Practitioner/1",
        "patientId": "pat-77",
        "draftOrders": bundle,
        "medications": bundle,
        "dispatchedOrders": ["MedicationRequest/rx-1"],
    }
    return {"hook": hook, "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea", "context": context} | fields


def outcome(response, status):
    """The one issue of an error, after checking that it is one."""
    assert response.status_code == status
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    body = response.get_json(force=True)
    assert body["resourceType"] == "OperationOutcome"
    (issue,) = body["issue"]
    assert issue["severity"] == "error"
    assert issue["diagnostics"]
    return issue


def answering(body, seen=None):
    def answer_with(request, results, _service, _today):
        if seen is not None:
            seen.append((request, results))
        return AnswerResult(body, (), Patient(request.question.patient_id))

    return answer_with


CARD = {
    "uuid": "3f9a6b0e-8a53-4a0a-9d52-0d8d9f3c8d11",
    "indicator": "warning",
    "summary": "s",
    "source": {"label": "l"},
    "extension": {
        "org.cds-service.findings": [
            {"kind": "change_now", "drug": {"code": "1", "system": "s", "display": "codeine"}}
        ]
    },
}


def test_discovery_lists_five_services(client):
    response = client.get("/cds-services")
    assert response.status_code == 200
    assert response.content_type == "application/json"
    services = response.get_json()["services"]
    assert [s["id"] for s in services] == [
        "order-select",
        "order-sign",
        "patient-view",
        "order-dispatch",
        "medication-refill",
    ]
    assert "http://loinc.org|84413-4" in services[0]["prefetch"]["results"]


def test_the_answer_goes_out_as_it_is(client_with):
    response = client_with(answering({"cards": [CARD]})).post(SIGN, json=hook_request())
    assert response.status_code == 200
    assert response.content_type == "application/json"
    assert response.get_json() == {"cards": [CARD]}


def test_prefetch_reaches_the_answer_with_its_meanings(client_with):
    seen = []
    prefetch = {"results": None, "conditions": {"resourceType": "OperationOutcome"}}
    client_with(answering({"cards": []}, seen)).post(SIGN, json=hook_request(prefetch=prefetch))
    ((_request, results),) = seen
    assert results[Query.RESULTS].availability is Availability.COMPLETE
    assert results[Query.CONDITIONS].availability is Availability.FAILED
    assert results[Query.FAMILY].availability is Availability.MISSING


@pytest.mark.parametrize(
    ("servers", "reason"), [((), "unreachable"), (("https://ehr.example.org/fhir",), "server_not_allowed")]
)
def test_any_server_is_read_in_development_unless_some_are_named(client_with, servers, reason):
    seen = []
    client = client_with(answering({"cards": []}, seen), fhir_servers=servers)
    client.post(SIGN, json=hook_request(fhirServer="http://127.0.0.1:1/fhir"))
    assert seen[0][1][Query.RESULTS].reason == reason


def test_trailing_slashes_and_charsets_are_no_fault(client):
    assert client.get("/cds-services/").status_code == 200
    data = json.dumps(hook_request())
    assert client.post(SIGN, data=data, content_type="application/json; charset=utf-8").status_code == 200
    assert client.post(SIGN, data=data, content_type="application/fhir+json").status_code == 200


@pytest.mark.parametrize("body", ["{bad", "", "{} {}", '{"a": NaN}', b"\xff\xfe"])
def test_what_is_no_json_is_400(client, body):
    assert outcome(client.post(SIGN, data=body, content_type="application/json"), 400)["code"] == "structure"


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_another_content_type_is_415(client, content_type):
    outcome(client.post(SIGN, data="{}", content_type=content_type), 415)


def test_a_request_that_cannot_be_used_is_400_with_its_place(client):
    issue = outcome(client.post(SIGN, json=hook_request(hook="patient-view")), 400)
    assert issue["expression"] == ["hook"]


def test_an_unknown_service_is_404(client):
    assert "order-sign" in outcome(client.post("/cds-services/none", json=hook_request()), 404)["diagnostics"]
    outcome(client.post("/cds-services/none/feedback", json={}), 404)
    outcome(client.get("/nowhere"), 404)


def test_a_wrong_method_is_405(client):
    response = client.get(SIGN)
    outcome(response, 405)
    assert "POST" in response.headers["Allow"]


def test_a_large_request_is_413(client_with):
    client = client_with(answering({"cards": []}), largest_request_bytes=1000)
    outcome(client.post(SIGN, json=hook_request(surplus="x" * 2000)), 413)


def test_another_patient_in_the_prefetch_is_422(client_with):
    prefetch = {"patient": {"resourceType": "Patient", "id": "someone-else"}}
    issue = outcome(client_with().post(SIGN, json=hook_request(prefetch=prefetch)), 422)
    assert "someone-else" not in json.dumps(issue)


@pytest.mark.parametrize("hook", ["patient-view", "order-dispatch"])
def test_hooks_without_orders_of_their_own_are_412_when_nothing_can_be_obtained(client_with, hook):
    client = client_with()
    for prefetch in ({}, {"medications": {"resourceType": "OperationOutcome"}, "results": None}):
        issue = outcome(client.post(f"/cds-services/{hook}", json=hook_request(hook, prefetch=prefetch)), 412)
        assert issue["expression"] == ["prefetch.medications"]
    response = client.post(f"/cds-services/{hook}", json=hook_request(hook, prefetch={"medications": None}))
    assert response.status_code == 200


@pytest.mark.parametrize("hook", ["order-select", "order-sign", "medication-refill"])
def test_hooks_with_orders_are_never_412(client_with, hook):
    assert client_with().post(f"/cds-services/{hook}", json=hook_request(hook)).status_code == 200


EVERYTHING_EMPTY = {query.value: None for query in Query}


@pytest.mark.parametrize(
    "entry",
    [
        7,
        {"request": {}},
        {"resource": {"resourceType": "MedicationRequest", "id": "rx-9", "subject": {"reference": "Patient/other"}}},
    ],
    ids=["no entry", "no resource", "another patient"],
)
def test_an_order_that_cannot_be_read_is_said_and_the_others_are_answered(client_with, entry):
    body = hook_request(prefetch=EVERYTHING_EMPTY)
    body["context"]["draftOrders"] = {"resourceType": "Bundle", "entry": [entry]}
    (card,) = client_with().post(SIGN, json=body).get_json()["cards"]
    (finding,) = card["extension"]["org.cds-service.findings"]
    assert finding["kind"] == "not_assessed"
    assert "could not be checked" in card["summary"]


def test_a_dispatched_order_that_nobody_sent_is_said(client_with):
    body = hook_request("order-dispatch", prefetch=EVERYTHING_EMPTY)
    (card,) = client_with().post("/cds-services/order-dispatch", json=body).get_json()["cards"]
    assert "could not be checked" in card["summary"]


def test_an_order_without_a_drug_has_no_cards_before_it_is_signed(client_with):
    chosen = hook_request("order-select", prefetch=EVERYTHING_EMPTY)
    response = client_with().post("/cds-services/order-select", json=chosen)
    assert response.get_json() == {"cards": []}
    (card,) = client_with().post(SIGN, json=hook_request(prefetch=EVERYTHING_EMPTY)).get_json()["cards"]
    assert card["summary"] == "This order could not be checked: it names no drug"


def test_what_the_public_sandbox_sends_is_answered(client_with):
    """No Bundle type, no intent, objects where FHIR has lists, and a code without content."""
    medication = {
        "resourceType": "MedicationRequest",
        "id": "request-123",
        "status": "draft",
        "category": {"text": "outpatient"},
        "reasonCode": {"text": "unknown"},
        "subject": {"reference": "Patient/pat-77"},
        "medicationCodeableConcept": {"text": "no such medicine", "coding": [{}]},
    }
    service_request = {"resourceType": "ServiceRequest", "id": "request-124", "code": {"coding": [{}]}}
    for resource in (medication, service_request):
        body = hook_request("order-select", prefetch=EVERYTHING_EMPTY)
        body["context"] |= {
            "draftOrders": {"resourceType": "Bundle", "entry": [{"resource": resource}]},
            "selections": [f"{resource['resourceType']}/{resource['id']}"],
        }
        assert client_with().post("/cds-services/order-select", json=body).status_code == 200


def test_a_crash_is_500_with_an_incident_and_never_an_empty_answer(client_with, caplog_json):
    def crash(*_arguments):
        raise ValueError("Testperson, Ada")

    issue = outcome(client_with(crash).post(SIGN, json=hook_request()), 500)
    (line,) = caplog_json("crash")
    assert line["incident"] in issue["diagnostics"]
    assert line["fault"] == "ValueError"
    assert any("test_web.py" in place for place in line["places"])
    assert "Testperson" not in json.dumps([issue, line])


def test_an_answer_that_breaks_the_rules_is_not_sent(client_with, caplog_json):
    def break_rules(*_arguments):
        raise AnswerError("cards[0].detail is empty")

    issue = outcome(client_with(break_rules).post(SIGN, json=hook_request()), 500)
    (line,) = caplog_json("crash")
    assert line["message"] == "cards[0].detail is empty"
    assert "cards" not in issue["diagnostics"]


@pytest.mark.parametrize("path", ["/cds-services", SIGN, FEEDBACK])
def test_preflight_is_answered(client, path):
    response = client.options(path, headers={"Origin": "https://ehr.example.org"})
    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert {"authorization", "content-type"} <= set(
        response.headers["Access-Control-Allow-Headers"].lower().split(", ")
    )
    assert "POST" in response.headers["Access-Control-Allow-Methods"]


def test_one_origin_may_be_named(client_with):
    client = client_with(answering({"cards": []}), cors_origin="https://ehr.example.org")
    response = client.get("/cds-services")
    assert response.headers["Access-Control-Allow-Origin"] == "https://ehr.example.org"
    assert "Origin" in response.headers["Vary"]


ENTRY = {
    "card": CARD["uuid"],
    "outcome": "overridden",
    "outcomeTimestamp": "2026-11-22T10:05:31Z",
    "overrideReason": {"reason": {"code": "emergency", "system": "https://example.org"}, "userComment": "Testperson"},
}


@pytest.fixture
def store(settings) -> Iterator[Store]:
    store = Store(str(settings["database_url"]))
    yield store
    store.close()


def test_feedback_is_kept_once_without_its_comment(client, store):
    for _ in range(2):
        assert client.post(FEEDBACK, json={"feedback": [ENTRY]}).status_code == 204
    (row,) = store.feedback()
    assert (row["service"], row["card"], row["reason_code"]) == ("order-sign", CARD["uuid"], "emergency")
    assert row["comment"] == ""
    assert row["knowledge_hash"]


def test_bad_feedback_is_refused_and_none_of_it_kept(client, store):
    bad = ENTRY | {"outcome": "ignored"}
    issue = outcome(client.post(FEEDBACK, json={"feedback": [ENTRY, bad]}), 400)
    assert issue["expression"] == ["feedback[1].outcome"]
    assert store.feedback() == []


def test_issued_cards_are_kept_without_the_patient(client_with, store):
    client = client_with(answering({"cards": [CARD]}))
    client.post(SIGN, json=hook_request())
    client.application.extensions["cds_service"].outbox.close()
    (row,) = store.issued()
    assert (row["uuid"], row["hook"], row["indicator"]) == (CARD["uuid"], "order-sign", "warning")
    assert (row["kinds"], row["drugs"]) == (["change_now"], ["codeine"])
    assert not any(secret in str(row) for secret in SECRETS)


def test_an_answer_does_not_wait_for_the_store(client_with, settings, caplog_json):
    """The clinician's answer counts; what could not be kept is an error in the log."""
    client = client_with(answering({"cards": [CARD]}))
    runtime = client.application.extensions["cds_service"]
    with runtime.store._engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE issued_card")
    assert client.post(SIGN, json=hook_request()).status_code == 200
    runtime.outbox.close()
    (line,) = caplog_json("issued_cards_not_kept")
    assert (line["level"], line["answers"], line["fault"]) == ("ERROR", 1, "OperationalError SQLITE_ERROR")


def test_health_and_readiness(client):
    assert client.get("/healthz").get_json() == {"status": "ok"}
    body = client.get("/readyz").get_json()
    assert body["status"] == "ready"
    assert len(body["knowledge"]["hash"]) == 16


def test_without_its_store_the_service_is_not_ready(client, monkeypatch):
    runtime = client.application.extensions["cds_service"]
    monkeypatch.setattr(type(runtime.store), "can_keep", lambda *_arguments: False)
    outcome(client.get("/readyz"), 503)


def test_a_database_file_that_was_removed_is_503(client, settings, caplog_json):
    Path(settings["database_url"].removeprefix("sqlite:///")).unlink()
    for _ in range(5):
        outcome(client.get("/readyz"), 503)
    outcome(client.post(FEEDBACK, json={"feedback": [ENTRY]}), 503)
    for event_ in ("not_ready", "feedback_not_kept"):
        (line,) = caplog_json(event_)
        told = "Unanswered: the database file was removed or replaced while it was in use"
        assert (line["level"], line["fault"]) == ("ERROR", told)


def test_a_store_that_hangs_is_503_in_time_and_healthz_answers(client_with, monkeypatch):
    monkeypatch.setattr("cds_service.store.store._LONGEST_S", {"sqlite": 0.2})
    client = client_with(answering({"cards": []}))
    hangs = threading.Event()
    engine = client.application.extensions["cds_service"].store._engine
    event.listen(engine, "before_cursor_execute", lambda *_arguments: hangs.wait(5))
    began_s = time.monotonic()
    outcome(client.get("/readyz"), 503)
    outcome(client.post(FEEDBACK, json={"feedback": [ENTRY]}), 503)
    assert client.get("/healthz").status_code == 200
    assert time.monotonic() - began_s < 2
    hangs.set()
    while engine.pool.checkedout():  # closed with the store, once nobody uses it
        assert time.monotonic() - began_s < 8
        time.sleep(0.01)


def test_the_pages_link_to_each_other_below_the_public_url(client_with):
    client = client_with(answering({"cards": []}), public_url="https://cds.example.org/pgx")
    pages = {path: client.get(path).text for path in ("/", "/about/decision-support")}
    for page in pages.values():
        local = [link for link in re.findall(r'(?:href|src)="([^"]*)"', page) if "://" not in link]
        assert local
        for link in local:
            assert link.startswith("/pgx/")
            assert client.get(link.removeprefix("/pgx")).status_code == 200
    assert "https://cds.example.org/pgx/cds-services" in pages["/"]


def test_a_screen_reader_finds_its_way_through_the_pages(client):
    """A landmark, one heading of the first rank, columns that say what they are, tables that keys can move."""
    for path in ("/", "/about/decision-support"):
        page = client.get(path).text
        assert (page.count("<main>"), page.count("<h1>")) == (1, 1)
        assert "<th>" not in page
        assert page.count("<table>") == page.count('<div class="wide" role="region" tabindex="0" aria-label="')


def test_the_page_links_to_publishers_only_and_names_the_hosts_of_copies(client, service):
    page = client.get("/about/decision-support").text
    linked = {urlsplit(link).hostname for link in re.findall(r'href="(https?://[^"]*)"', page)}
    assert linked <= service.knowledge.publishers
    assert linked > {"cpicpgx.org"}
    assert "(read in a copy at www.drugs.com)" in page


def test_the_page_says_how_much_a_clinician_has_reviewed(client, service):
    tables = service.knowledge.tables.values()
    reviewed = sum(bool(table.review.by) for table in tables)
    page = client.get("/about/decision-support").text
    assert f"{reviewed} of {len(tables)} tables of guidance have been reviewed by a clinician" in page


def test_the_pages_say_what_stands_behind_the_cards(client, service):
    assert "order-sign" in client.get("/").text
    page = client.get("/about/decision-support").text
    for attribute in (
        "Race",
        "Ethnicity",
        "Language",
        "Sexual orientation",
        "Gender identity",
        "Sex",
        "Date of birth",
    ):
        assert f"<td>{attribute}</td><td>" in page
    assert "<td>Date of birth</td><td>used</td>" in page
    cited = {table.source for table in service.knowledge.tables.values()}
    assert page.count("<tr>") >= 10 + len(cited & set(service.knowledge.sources))


def test_a_call_is_logged_without_anything_of_the_patient(client_with, caplog_json):
    client = client_with(
        answering({"cards": [CARD]}), log_level="INFO", fhir_servers=("https://ehr.example.org/fhir",)
    )
    patient = {
        "resourceType": "Patient",
        "id": "pat-77",
        "name": [{"family": "Testperson"}],
        "birthDate": "1961-04-02",
    }
    access = {"fhirServer": "http://127.0.0.1:1/fhir", "fhirAuthorization": {"access_token": "s3cret"}}
    client.post(SIGN, json=hook_request(prefetch={"patient": patient}, **access))
    (line,) = caplog_json("answer")
    assert line["service"] == "order-sign"
    assert line["cards"] == {"warning": 1}
    assert line["level"] == "INFO"
    assert line["queries"]["patient"] == "complete"
    assert line["queries"]["results"] == "server_not_allowed"
    assert len(line["knowledge"]) == 16
    assert line["milliseconds"] >= 0
    assert line["hook_instance"] == "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"
    client.post(SIGN, json=hook_request(hookInstance="Testperson, Ada"))
    assert caplog_json("answer")[-1]["hook_instance"] == "not a UUID"


def test_an_answer_without_what_was_asked_for_is_a_warning(client_with, caplog_json):
    client = client_with(answering({"cards": [CARD]}), log_level="WARNING")
    client.post(SIGN, json=hook_request(prefetch={"family": None}))
    client.post(SIGN, json=hook_request(prefetch={"family": {"resourceType": "OperationOutcome"}}))
    (line,) = caplog_json("answer")
    assert (line["level"], line["queries"]["family"]) == ("WARNING", "refused")
    assert not any(secret in json.dumps(line) for secret in SECRETS)


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12"])
def test_today_is_the_day_of_the_hospital(client_with, zone):
    """The two zones are a day and two hours apart: at no time is today the same in both."""
    seen = []

    def answer_with(request, _results, _service, today):
        seen.append(today)
        return AnswerResult({"cards": []}, (), Patient(request.question.patient_id))

    before = datetime.now(ZoneInfo(zone)).date()
    assert client_with(answer_with, time_zone=ZoneInfo(zone)).post(SIGN, json=hook_request()).status_code == 200
    assert seen[0] in (before, datetime.now(ZoneInfo(zone)).date())
