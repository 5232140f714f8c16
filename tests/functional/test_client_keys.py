"""Keys from an allow-listed address: our own HTTP client asks it, and nothing else is asked."""

from __future__ import annotations

import json
import threading
import time
from uuid import uuid4

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from cds_service.callers import clients
from cds_service.callers.key_sets import LONGEST_WAIT_S
from tests.support import tokens
from tests.support.calls import answer_nothing, assert_refused, post
from tests.support.tokens import ES384, key_set_a

PATH = ""


@pytest.fixture(autouse=True)
def _own_path() -> None:
    """An address for each test: a late fetch of the test before is none of this one's."""
    globals()["PATH"] = f"/keys/{uuid4().hex}.json"


@pytest.fixture
def started(client_with, tmp_path, httpserver: HTTPServer, monkeypatch):
    """Starts an app, which fetches the keys; `longest_wait_s` is how long it waits for them."""

    def start(longest_wait_s: float = 5.0):
        monkeypatch.setattr(clients, "LONGEST_WAIT_S", longest_wait_s)
        entry = tokens.entry_a(keys="", jku=httpserver.url_for(PATH))
        return client_with(answer_nothing, clients=tokens.clients_file(tmp_path, entry), public_url=tokens.PUBLIC_URL)

    return start


def asked(httpserver: HTTPServer) -> list[str]:
    paths = [request.path for request, _ in httpserver.log]
    return [path for path in paths if path == PATH or not path.startswith("/keys/")]


def test_keys_are_fetched_once_without_anything_of_the_caller(started, httpserver):
    httpserver.expect_request(PATH).respond_with_json(key_set_a())
    client = started()
    for _ in range(3):
        assert post(client, ES384.bearer()).status_code == 200
    assert post(client, ES384.bearer(headers={"jku": httpserver.url_for(PATH)})).status_code == 200
    assert asked(httpserver) == [PATH]
    ((request, _),) = [entry for entry in httpserver.log if entry[0].path == PATH]
    assert "Authorization" not in request.headers
    assert "Cookie" not in request.headers


def test_a_jku_that_is_not_the_clients_is_never_asked(started, httpserver):
    httpserver.expect_request("/elsewhere.json").respond_with_json(key_set_a())
    httpserver.expect_request(PATH).respond_with_json(key_set_a())
    assert_refused(post(started(), ES384.bearer(headers={"jku": httpserver.url_for("/elsewhere.json")})))
    assert asked(httpserver) == [PATH]


def test_unknown_key_ids_are_no_lever_to_have_us_call(started, httpserver):
    httpserver.expect_request(PATH).respond_with_json(key_set_a())
    client = started()
    for n in range(20):
        assert_refused(post(client, ES384.bearer(headers={"kid": f"unknown-{n}"})))
    assert asked(httpserver) == [PATH]


def test_a_redirect_is_not_followed(started, httpserver):
    httpserver.expect_request(PATH).respond_with_data(
        status=302, headers={"Location": httpserver.url_for("/elsewhere.json")}
    )
    httpserver.expect_request("/elsewhere.json").respond_with_json(key_set_a())
    assert_refused(post(started(), ES384.bearer()))
    assert asked(httpserver) == [PATH]


@pytest.mark.parametrize(
    "answer",
    [
        Response("{", status=200),
        Response("[]", status=200),
        Response(json.dumps(key_set_a()), status=500),
        Response(json.dumps(key_set_a() | {"padding": "x" * 300_000})),
        Response(b"\xff"),
    ],
    ids=["broken", "no set", "failed", "too large", "no text"],
)
def test_an_address_that_gives_no_keys_lets_nobody_in(started, httpserver, answer):
    httpserver.expect_request(PATH).respond_with_handler(lambda _: answer)
    assert_refused(post(started(), ES384.bearer()))


def test_an_address_that_is_slow_is_not_waited_for(started, httpserver):
    answers = threading.Event()

    def slow(_request: Request) -> Response:
        answers.wait(10)
        return Response(json.dumps(key_set_a()))

    httpserver.expect_request(PATH).respond_with_handler(slow)
    began_s = time.monotonic()
    client = started(LONGEST_WAIT_S)
    started_s = time.monotonic()
    assert_refused(post(client, ES384.bearer()))
    answered_s = time.monotonic()
    answers.set()
    assert answered_s - started_s < 1
    assert started_s - began_s < 1.8
