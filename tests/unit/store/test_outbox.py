"""Issued cards reach the store a moment after their answer, and whatever the store does, somebody is told."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from threading import Event

import pytest
from sqlalchemy.exc import DataError, OperationalError

from cds_service.model import IssuedCard
from cds_service.store import outbox as module
from cds_service.store.outbox import Outbox
from cds_service.store.store import Issued, KnowledgeStamp, Store

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
STAMP = KnowledgeStamp("1", "abc")
UNREACHABLE = OperationalError("insert", {}, Exception("locked"))
REFUSED = DataError("insert", {}, Exception("no such text"))


def issued(*uuids: str) -> Issued:
    cards = tuple(IssuedCard(uuid, "info", ("change_now",), ("codeine",)) for uuid in uuids)
    return Issued(cards, "order-sign", STAMP, NOW)


class FakeStore:
    """Answers each writing with what `faults` has next, if anything, and keeps the rest."""

    def __init__(self, *faults: Exception | None, refused: str = "") -> None:
        self.faults = list(faults)
        self.refused = refused
        self.batches: list[list[str]] = []
        self.entered, self.may_go = Event(), Event()
        self.may_go.set()

    def keep_issued(self, answers: list[Issued]) -> None:
        uuids = [card.uuid for one in answers for card in one.cards]
        self.entered.set()
        assert self.may_go.wait(5)
        fault = self.faults.pop(0) if self.faults else None
        if fault or self.refused in uuids:
            raise fault or REFUSED
        self.batches.append(uuids)

    def kept(self) -> list[str]:
        return [uuid for batch in self.batches for uuid in batch]


@pytest.fixture
def told() -> list[tuple[str, int, str]]:
    return []


@pytest.fixture
def opened(told, monkeypatch) -> Iterator[Callable[..., Outbox]]:
    monkeypatch.setattr(module, "_TRY_AGAIN_S", 0.01)
    boxes: list[Outbox] = []

    def open_(store: object) -> Outbox:
        boxes.append(Outbox(store, lambda *what: told.append(what)))
        return boxes[-1]

    yield open_
    for box in boxes:
        box.close()


def until(holds: Callable[[], object]) -> None:
    limit_s = time.monotonic() + 5
    while not holds():
        assert time.monotonic() < limit_s
        time.sleep(0.002)


def test_cards_are_in_the_store_soon_without_being_asked_for(opened, tmp_path):
    store = Store(f"sqlite:///{tmp_path / 'store.sqlite'}")
    box = opened(store)
    box.put(issued("c1", "c2"))
    until(lambda: len(store.issued()) == 2)
    assert [row["hook"] for row in store.issued()] == ["order-sign", "order-sign"]
    box.close()
    store.close()


def test_a_process_that_ends_writes_what_waits(opened, monkeypatch):
    at_the_end: list[Callable[[], None]] = []
    monkeypatch.setattr(module.atexit, "register", at_the_end.append)
    store = FakeStore()
    opened(store).put(issued("c1"))
    (end,) = at_the_end
    end()
    assert store.batches == [["c1"]]


def test_answers_that_come_together_are_written_together(opened):
    store = FakeStore()
    store.may_go.clear()
    box = opened(store)
    box.put(issued("c1"))
    assert store.entered.wait(5)
    for n in range(100):
        box.put(issued(f"d{n}"))
    store.may_go.set()
    box.close()
    assert store.kept() == ["c1", *(f"d{n}" for n in range(100))]
    assert len(store.batches) == 2


def test_closing_writes_what_waits_and_answers_without_cards_write_nothing(opened, told):
    store = FakeStore()
    box = opened(store)
    box.put(issued())
    box.put(issued("c1"))
    box.close()
    box.close()
    assert store.batches == [["c1"]]
    assert told == []


def test_what_comes_after_the_end_is_told(opened, told):
    store = FakeStore()
    box = opened(store)
    box.close()
    box.put(issued("c1"))
    assert store.batches == []
    assert told == [("issued_cards_not_kept", 1, "closed")]


def test_what_arrives_while_the_last_batch_is_gathered_is_written(opened, told, monkeypatch):
    """Closing begins after the queue was found empty, and before that is acted on."""
    store = FakeStore()
    box = opened(store)
    gather = box._arrived

    def then_closed(longest_s):
        arrived = gather(longest_s)
        if not box._closing.is_set():
            box.put(issued("c2"))
            box._closing.set()
            box._arriving.put(None)
        return arrived

    monkeypatch.setattr(box, "_arrived", then_closed)
    box.put(issued("c1"))
    until(lambda: not box._thread.is_alive())
    assert store.kept() == ["c1", "c2"]
    assert told == []


def test_a_database_that_hangs_at_the_end_is_told(opened, told, monkeypatch):
    monkeypatch.setattr(module, "_LAST_TRY_S", 0.05)
    store = FakeStore()
    store.may_go.clear()
    box = opened(store)
    box.put(issued("c1"))
    assert store.entered.wait(5)
    box.put(issued("c2"))
    box.close()
    assert told == [("issued_cards_not_kept", 2, "not_in_time")]
    store.may_go.set()


def test_a_database_that_does_not_answer_is_asked_again(opened, told):
    store = FakeStore(UNREACHABLE, UNREACHABLE)
    opened(store).put(issued("c1"))
    until(store.kept)
    assert store.kept() == ["c1"]
    assert told == [("issued_cards_wait", 1, "OperationalError")] * 2


def test_at_the_end_there_is_one_last_try(opened, told, monkeypatch):
    monkeypatch.setattr(module, "_TRY_AGAIN_S", 60)
    store = FakeStore(UNREACHABLE, UNREACHABLE)
    box = opened(store)
    box.put(issued("c1"))
    until(lambda: told)
    box.close()
    assert store.kept() == []
    assert told[-1] == ("issued_cards_not_kept", 1, "OperationalError")


def test_a_row_that_is_refused_takes_no_other_with_it(opened, told):
    store = FakeStore(refused="bad")
    box = opened(store)
    for uuid in ("c1", "bad", "c2"):
        box.put(issued(uuid))
    box.close()
    assert store.kept() == ["c1", "c2"]
    assert told == [("issued_cards_not_kept", 1, "DataError")]


def test_not_more_may_wait_than_there_is_room_for(opened, told, monkeypatch):
    monkeypatch.setattr(module, "_MOST_WAITING", 3)
    store = FakeStore(UNREACHABLE, UNREACHABLE)
    store.may_go.clear()
    box = opened(store)
    box.put(issued("c0"))
    assert store.entered.wait(5)
    for n in range(1, 5):
        box.put(issued(f"c{n}"))
    assert told == [("issued_cards_not_kept", 1, "too_many_waiting")]
    store.may_go.set()
    until(store.kept)
    assert store.kept() == ["c1", "c2", "c3"]
    assert ("issued_cards_not_kept", 1, "OperationalError") in told
