"""Bodies that no two readers would understand the same way, and bodies that are too much: a 4xx each."""

from __future__ import annotations

import gzip
import io
import json

import pytest
from gunicorn.http.errors import InvalidChunkSize, NoMoreData

from tests.support.tokens import SIGN

START = '{"hook": "order-sign", "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea", "context": '
CONTEXT = '{"userId": "Practitioner/1", "patientId": "p1", "draftOrders": {"resourceType": "Bundle"}}'


def body(more: str = "") -> str:
    return f"{START}{CONTEXT}{more}}}"


def nested(depth: int, opening: str = "[", closing: str = "]") -> str:
    return f', "x": {opening * depth}1{closing * depth}'


@pytest.mark.parametrize(
    "content",
    [
        body(', "hook": "order-sign"'),
        body(', "ho\\u006fk": "order-sign"'),
        body(', "a": {"b": 1, "c": [{"d": 1, "d": 1}]}'),
        body(', "a": 1, "a": "\\u003a"'),
        body(', "a": "\\u003a", "a": "\\u003A"'),
        body(', "a": "x:y", "a": ["\\u003a:"]'),
        body(', "": 1, "": 2'),
        body(', "x": 18446744073709551615'),
        body(', "x": -9223372036854775809'),
        body(f', "x": {"9" * 5000}'),
        body(', "x": 1e999'),
        body(', "x": NaN'),
        body(', "x": -Infinity'),
        body(', "x": "\\ud800"'),
        body(', "x": "\\udc00\\ud800"'),
        body(nested(100)),
        body(nested(250)),
        body(nested(300)),
        body(nested(1000)),
        body(nested(1000, '{"a":', "}")),
        body(nested(100_000)),
        "[" * 100_000,
        '{"a":' * 100_000,
        body(', "x": 01'),
        body(', "x": "\t"'),
        body(",") + "x",
        body().encode("utf-16"),
        body().encode("utf-32"),
        b"\xef\xbb\xbf" + body().encode(),
        body(', "x": "é"').encode("latin-1"),
        b"\x00",
    ],
    ids=lambda content: str(content[-40:]),
)
def test_what_is_no_plain_json_is_400(client, content):
    response = client.post(SIGN, data=content, content_type="application/json")
    assert response.status_code == 400
    assert json.loads(response.data)["issue"][0]["code"] == "structure"


@pytest.mark.parametrize(
    "content",
    [
        body(),
        body(', "x": "\\u003a", "y": ":"'),
        body(', "x": 9223372036854775807, "y": -9223372036854775808'),
        body(', "x": 0.1234567890123456789012345'),
        body(', "x": "123456789012345678901234567890"'),
        body(nested(99)),
        body(f', "x": "{"[" * 300}", "y": "{"]" * 300}"'),
        body(', "x": "😀\\ud83d\\ude00 {[:"'),
        f"\n {body()} \n",
    ],
    ids=lambda content: content[-40:],
)
def test_what_only_looks_like_it_is_read(client, content):
    assert client.post(SIGN, data=content.encode(), content_type="application/json").status_code == 200


@pytest.mark.parametrize(
    ("headers", "content"),
    [
        ({"Content-Encoding": "gzip"}, gzip.compress(body().encode())),
        ({"Content-Encoding": "gzip"}, body().encode()),
        ({"Content-Type": "application/json; charset=utf-16"}, body().encode()),
        ({"Content-Type": "application/json; charset=latin-1"}, body().encode()),
    ],
)
def test_another_encoding_is_415(client, headers, content):
    response = client.post(SIGN, data=content, headers={"Content-Type": "application/json"} | headers)
    assert response.status_code == 415


@pytest.mark.parametrize(
    "more",
    [
        {"prefetch": {"results": {"resourceType": "Bundle", "entry": [{}] * 101}}},
        {"prefetch": {name: {"resourceType": "Bundle", "entry": [{}] * 51} for name in ("results", "conditions")}},
        {"context": {**json.loads(CONTEXT), "draftOrders": {"resourceType": "Bundle", "entry": [{}] * 101}}},
        {"context": {**json.loads(CONTEXT), "selections": ["x"] * 101}},
    ],
    ids=["one Bundle", "several", "drafts", "a list"],
)
def test_too_many_entries_are_413(client_with, more):
    client = client_with(most_entries=100)
    response = client.post(SIGN, json=json.loads(body()) | more)
    assert response.status_code == 413
    assert json.loads(response.data)["issue"][0]["code"] == "too-costly"


def test_too_much_feedback_is_413(client_with):
    assert client_with(most_entries=100).post(f"{SIGN}/feedback", json={"feedback": [{}] * 101}).status_code == 413


@pytest.mark.parametrize("path", ["/", "/about/decision-support", "/cds-services", "/nowhere", "/healthz"])
def test_a_browser_runs_nothing_of_any_answer(client, path):
    headers = client.get(path).headers
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"


def test_the_pages_keep_to_their_own_policy(client):
    for path in ("/", "/about/decision-support"):
        page = client.get(path).text
        assert "<style" not in page
        assert "style=" not in page
        assert "<script" not in page
    assert client.get("/style.css").content_type.startswith("text/css")


def test_in_development_only_this_machine_may_call(client):
    for address in ("10.0.0.7", "::ffff:10.0.0.7", "x"):
        assert client.get("/cds-services", environ_base={"REMOTE_ADDR": address}).status_code == 403
    for address in ("127.0.0.1", "::1", ""):
        assert client.get("/cds-services", environ_base={"REMOTE_ADDR": address}).status_code == 200


class Arriving(io.BytesIO):
    """A body in chunks, as gunicorn hands it on; where it ends with a fault, that is raised."""

    def __init__(self, content: bytes, fault: Exception | None = None) -> None:
        super().__init__(content)
        self.fault = fault

    def readinto(self, buffer):
        count = super().readinto(buffer)
        if not count and self.fault is not None:
            raise self.fault
        return count


def in_chunks(client, content, fault=None):
    return client.post(
        SIGN,
        input_stream=Arriving(content, fault),
        content_type="application/json",
        headers={"Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"},
    )


def test_a_body_in_chunks_is_read_whole(client):
    assert in_chunks(client, body().encode()).status_code == 200


@pytest.mark.parametrize("fault", [InvalidChunkSize(b"0x1"), NoMoreData(b""), ConnectionResetError()], ids=repr)
def test_chunks_that_are_none_or_break_off_are_the_callers_fault(client, fault):
    assert in_chunks(client, body().encode()[:50], fault).status_code == 400


def test_a_body_in_chunks_is_not_cut_where_it_is_too_large(client_with):
    client = client_with(largest_request_bytes=10_000)
    content = body().encode().ljust(10_000) + b"and more"
    assert in_chunks(client, content).status_code == 413
