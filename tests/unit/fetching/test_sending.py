"""Writes are bounded like reads: in time and size, and they follow nobody elsewhere."""

from __future__ import annotations

import pytest

from cds_service.fetching import sending
from cds_service.fetching.client import FetchError, open_session
from cds_service.fetching.deadline import Deadline
from cds_service.fetching.sending import Reply, send
from tests.support.fault_server import Exchange, closed_port, serving

IN_TIME_S, LATE_S = 3.0, 0.2


def sent(base_url: str, within_s: float = IN_TIME_S) -> Reply:
    with open_session(1) as session:
        return send(
            session, "POST", f"{base_url}/token", content=b"secret", headers={}, deadline=Deadline.after(within_s)
        )


def why_not(base_url: str, within_s: float = IN_TIME_S) -> str:
    with pytest.raises(FetchError) as fault:
        sent(base_url, within_s)
    return fault.value.reason


@pytest.mark.parametrize(
    ("status", "content", "reply"),
    [
        ("200 OK", b'{"access_token": "t"}', Reply(200, {"access_token": "t"})),
        ("400 Bad Request", b'{"error": "invalid_client"}', Reply(400, {"error": "invalid_client"})),
        ("500 Internal Server Error", b"<html>", Reply(500, None)),
        ("200 OK", b"[" * 3000, Reply(200, None)),
    ],
)
def test_whatever_the_server_answers_is_told(status: str, content: bytes, reply: Reply) -> None:
    with serving(lambda exchange: exchange.answer(content, status)) as server:
        assert sent(server.base_url) == reply


@pytest.mark.parametrize("status", ["300 Multiple Choices", "302 Found", "307 Temporary Redirect"])
def test_what_is_sent_goes_nowhere_else(status: str) -> None:
    def script(exchange: Exchange) -> None:
        exchange.answer(b"{}", status, headers={"Location": "/elsewhere"})

    with serving(script) as server:
        assert why_not(server.base_url) == "redirected"
        assert len(server.heads) == 1


def test_an_answer_may_have_its_size_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "_LARGEST_BYTES", 4)
    with serving(lambda exchange: exchange.answer(b"1234")) as server:
        assert sent(server.base_url) == Reply(200, 1234)
    with serving(lambda exchange: exchange.answer(b"12345")) as server:
        assert why_not(server.base_url) == "too_large"


def test_a_server_that_does_not_answer_is_late_and_one_that_is_not_there_unreachable() -> None:
    with serving(Exchange.hang) as server:
        assert why_not(server.base_url, LATE_S) == "late"
    assert why_not(f"http://127.0.0.1:{closed_port()}") == "unreachable"


def test_nothing_is_sent_once_the_time_has_passed() -> None:
    with serving(lambda exchange: exchange.answer(b"{}")) as server:
        assert why_not(server.base_url, 0) == "late"
        assert server.heads == []
