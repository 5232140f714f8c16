"""The store does on PostgreSQL what it does on SQLite, with either driver."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from cds_service.codes import Coding
from cds_service.model import Feedback, FeedbackOutcome, IssuedCard
from cds_service.store.store import Issued, KnowledgeStamp, Store

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
STAMP = KnowledgeStamp("1", "abc")
ENTRY = Feedback("c1", FeedbackOutcome.OVERRIDDEN, NOW, (), Coding("https://example.org", "d7"), "a comment")
CARD = IssuedCard("c1", "warning", ("change_now",), ("codeine",))


@pytest.fixture
def store(url) -> Iterator[Store]:
    store = Store(url)
    yield store
    store.close()


def test_a_token_is_used_once_and_forgotten_when_it_has_expired(url, store):
    other = Store(url)
    assert store.use_token("d1", expires_at_s=1000, now_s=700)
    assert not store.use_token("d1", expires_at_s=1000, now_s=701)
    assert not other.use_token("d1", expires_at_s=1000, now_s=701)
    assert other.use_token("d2", expires_at_s=2000, now_s=1000)
    assert store.use_token("d3", expires_at_s=2000, now_s=1001)
    assert store.use_token("d1", expires_at_s=1000, now_s=1062), "forgotten: such a token is expired by then"
    other.close()


def test_of_many_uses_at_once_one_is_the_first(url, store):
    other = Store(url)
    with ThreadPoolExecutor(8) as pool:
        uses = [pool.submit((store, other)[n % 2].use_token, "d1", 1000, 700) for n in range(40)]
        assert sum(use.result() for use in uses) == 1
    other.close()


def test_feedback_is_kept_once(store):
    for _ in range(2):
        store.keep_feedback([ENTRY, ENTRY], "order-sign", STAMP, NOW, with_comments=True)
    (row,) = store.feedback()
    assert (row["card"], row["comment"], row["outcome_at"]) == ("c1", "a comment", NOW)


def test_issued_cards_are_kept_once(store):
    for _ in range(2):
        store.keep_issued([Issued((CARD,), "order-sign", STAMP, NOW)])
    (row,) = store.issued()
    assert (row["uuid"], row["drugs"]) == ("c1", ["codeine"])


def test_it_can_keep_and_can_be_written(store):
    store.check()
    assert store.can_keep()
