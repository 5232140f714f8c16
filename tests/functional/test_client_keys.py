"""Keys from an allow-listed address: our own HTTP client asks it, and nothing else is asked."""

from __future__ import annotations

import json
import time
from uuid import uuid4

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from tests.support import tokens
from tests.support.calls import answer_nothing, assert_refused, post
from tests.support.tokens import ES384, key_set_a

PATH = ""


@pytest.fixture(autouse=True)
def _own_path() -> None:
    """An address for each test: a late fetch of the test before is none of this one's."""
    globals()["PATH"] = f"/keys/{uuid4().hex}.json"


@pytest.fixture
def client(client_with, tmp_path, httpserver: HTTPServer):
    entry = tokens.entry_a(keys="", jku=httpserver.url_for(PATH))
    return client_with(answer_nothing, clients=tokens.clients_file(tmp_path, entry), public_url=tokens.PUBLIC_URL)


def asked(httpserver: HTTPServer) -> list[str]:
    paths = [request.path for request, _ in httpserver.log]
    return [path for path in paths if path == PATH or not path.startswith("/keys/")]


def test_keys_are_fetched_once_without_anything_of_the_caller(client, httpserver):
    httpserver.expect_request(PATH).respond_with_json(key_set_a())
    for _ in range(3):
        assert post(client, ES384.bearer()).status_code == 200
    assert post(client, ES384.bearer(headers={"jku": httpserver.url_for(PATH)})).status_code == 200
    assert asked(httpserver) == [PATH]
    ((request, _),) = [entry for entry in httpserver.log if entry[0].path == PATH]
    assert "Authorization" not in request.headers
    assert "Cookie" not in request.headers


def test_a_jku_that_is_not_the_clients_is_never_asked(client, httpserver):
    httpserver.expect_request("/elsewhere.json").respond_with_json(key_set_a())
    assert_refused(post(client, ES384.bearer(headers={"jku": httpserver.url_for("/elsewhere.json")})))
    assert asked(httpserver) == []


def test_unknown_key_ids_are_no_lever_to_have_us_call(client, httpserver):
    httpserver.expect_request(PATH).respond_with_json(key_set_a())
    for n in range(20):
        assert_refused(post(client, ES384.bearer(headers={"kid": f"unknown-{n}"})))
    assert asked(httpserver) == [PATH]


def test_a_redirect_is_not_followed(client, httpserver):
    httpserver.expect_request(PATH).respond_with_data(
        status=302, headers={"Location": httpserver.url_for("/elsewhere.json")}
    )
    httpserver.expect_request("/elsewhere.json").respond_with_json(key_set_a())
    assert_refused(post(client, ES384.bearer()))
    assert asked(httpserver) == [PATH]


def slow(_request: Request) -> Response:
    time.sleep(3)
    return Response(json.dumps(key_set_a()))


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
def test_an_address_that_gives_no_keys_lets_nobody_in(client, httpserver, answer):
    httpserver.expect_request(PATH).respond_with_handler(lambda _: answer)
    assert_refused(post(client, ES384.bearer()))


def test_an_address_that_is_slow_is_given_up(client, httpserver):
    httpserver.expect_request(PATH).respond_with_handler(slow)
    began = time.monotonic()
    assert_refused(post(client, ES384.bearer()))
    assert time.monotonic() - began < 2.9
