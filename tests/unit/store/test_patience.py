"""Who asks a database that says nothing is told so in time, and does not take the web server's threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
from sqlalchemy.exc import OperationalError

from cds_service.store.patience import Patience, Unanswered

LONGEST_S = 0.15


@pytest.fixture
def silence() -> Iterator[threading.Event]:
    """What a hanging database waits for."""
    silence = threading.Event()
    yield silence
    silence.set()


@pytest.fixture
def patience() -> Iterator[Patience]:
    patience = Patience(LONGEST_S)
    yield patience
    patience.close()


def refuse() -> None:
    raise OperationalError("", None, Exception("gone"))


def test_what_was_done_is_given_back(patience):
    assert patience.call(lambda: 7) == 7


def test_without_a_limit_the_callers_own_thread_does_it():
    patience = Patience(None)
    assert patience.call(threading.get_ident) == threading.get_ident()
    patience.close()


@pytest.mark.parametrize("longest_s", [None, LONGEST_S])
def test_after_failures_in_a_row_nobody_waits_until_one_was_answered(longest_s, monkeypatch):
    patience = Patience(longest_s)
    for _ in range(3):
        with pytest.raises(OperationalError):
            patience.call(refuse)
    called: list[bool] = []
    with pytest.raises(Unanswered):
        patience.call(lambda: called.append(True))
    assert not called
    now_s = time.monotonic()
    monkeypatch.setattr(patience._circuit, "_clock", lambda: now_s + 3)
    for _ in range(3):
        patience.call(lambda: called.append(True))
    assert len(called) == 3, "one tried, and the others followed"
    patience.close()


def test_nobody_waits_longer_and_the_connections_are_ended(silence):
    ended: list[bool] = []
    patience = Patience(LONGEST_S, lambda: ended.append(True))
    began_s = time.monotonic()
    with pytest.raises(Unanswered):
        patience.call(silence.wait)
    assert LONGEST_S <= time.monotonic() - began_s < LONGEST_S + 0.5
    assert ended == [True]
    patience.close()


def test_what_a_call_raises_is_its_own(patience):
    def fail() -> None:
        raise TimeoutError("of the work")

    with pytest.raises(TimeoutError, match="of the work"):
        patience.call(fail)


def test_calls_that_hang_leave_the_others_a_fast_answer(patience, silence):
    def ask() -> None:
        with suppress(Unanswered):
            patience.call(silence.wait)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    began_s = time.monotonic()
    for _ in range(50):
        with pytest.raises(Unanswered):
            patience.call(silence.wait)
    assert time.monotonic() - began_s < LONGEST_S


def test_after_a_fork_it_has_threads_of_its_own(patience, monkeypatch):
    assert patience.call(lambda: 1) == 1
    first = patience._pool
    monkeypatch.setattr("os.getpid", lambda: -1)
    assert patience.call(lambda: 2) == 2
    assert patience._pool is not first
    monkeypatch.undo()
    first.shutdown()
