"""The store keeps feedback and issued cards once, and nothing of the patient."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from unittest.mock import Mock

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from cds_service.codes import Coding
from cds_service.model import Feedback, FeedbackOutcome, IssuedCard
from cds_service.store import connections
from cds_service.store.faults import named
from cds_service.store.store import Issued, KnowledgeStamp, Store, StoreError
from cds_service.store.tables import WrongTables, issued_table

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
STAMP = KnowledgeStamp("1", "abc")
ENTRY = Feedback("c1", FeedbackOutcome.OVERRIDDEN, NOW, (), Coding("https://example.org", "d7"), "a comment")
CARD = IssuedCard("c1", "warning", ("change_now",), ("codeine",))


@pytest.fixture(autouse=True)
def _readiness_is_never_remembered(monkeypatch) -> None:
    monkeypatch.setattr("cds_service.store.store._READINESS_HOLDS_S", 0)


@pytest.fixture
def store(tmp_path) -> Iterator[Store]:
    store = Store(f"sqlite:///{tmp_path / 'store.sqlite'}")
    yield store
    store.close()


def keep(store, *entries, with_comments=False, service="order-sign"):
    store.keep_feedback(entries, service, STAMP, NOW, with_comments=with_comments)


def test_feedback_is_kept_with_the_knowledge_in_use(store):
    keep(store, ENTRY)
    (row,) = store.feedback()
    assert row["card"] == "c1"
    assert row["outcome"] == "overridden"
    assert (row["reason_system"], row["reason_code"]) == ("https://example.org", "d7")
    assert (row["knowledge_version"], row["knowledge_hash"]) == ("1", "abc")
    assert row["outcome_at"].replace(tzinfo=UTC) == NOW


def test_comments_are_kept_only_where_the_site_says_so(store):
    keep(store, ENTRY)
    keep(store, replace(ENTRY, card="c2"), with_comments=True)
    assert {row["card"]: row["comment"] for row in store.feedback()} == {"c1": "", "c2": "a comment"}


def test_a_repeat_changes_nothing_and_a_later_answer_is_another_row(store):
    keep(store, ENTRY, ENTRY)
    keep(store, ENTRY)
    keep(store, replace(ENTRY, at=NOW + timedelta(minutes=1)))
    keep(store, replace(ENTRY, outcome=FeedbackOutcome.ACCEPTED, accepted_suggestions=("s1",)))
    assert len(store.feedback()) == 3


def test_issued_cards_are_kept_once_for_each_knowledge(store):
    for stamp in (STAMP, STAMP, KnowledgeStamp("2", "def")):
        store.keep_issued([Issued((CARD,), "order-sign", stamp, NOW)])
    rows = store.issued()
    assert [(row["uuid"], row["knowledge_hash"]) for row in rows] == [("c1", "abc"), ("c1", "def")]
    assert rows[0]["drugs"] == ["codeine"]


def test_nothing_to_keep_is_fine(store):
    store.keep_issued([Issued((), "order-sign", STAMP, NOW)])
    assert store.issued() == []


def test_a_store_keeps_over_restarts(tmp_path):
    url = f"sqlite:///{tmp_path / 'store.sqlite'}"
    first = Store(url)
    keep(first, ENTRY)
    first.close()
    second = Store(url)
    assert len(second.feedback()) == 1
    second.close()


def test_a_database_that_cannot_be_opened_is_a_fault(tmp_path):
    with pytest.raises(StoreError):
        Store(f"sqlite:///{tmp_path / 'missing' / 'store.sqlite'}")


def test_without_tables_to_make_a_database_that_is_away_is_told_where_it_is_used(tmp_path):
    away = Store(f"sqlite:///{tmp_path / 'missing' / 'store.sqlite'}", make_tables=False)
    assert not away.can_keep()
    with pytest.raises(StoreError):
        away.use_token("d1", expires_at_s=1000, now_s=700)
    away.close()


def test_where_no_token_could_be_used_nothing_can_be_kept(store):
    assert store.can_keep()
    with store._engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE used_token")
    assert not store.can_keep()


def test_where_no_row_can_be_written_nothing_can_be_kept(store):
    """As on a full disk, where to delete nothing still works."""
    with store._engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER full BEFORE INSERT ON used_token BEGIN SELECT RAISE(ABORT, 'full'); END"
        )
    assert not store.can_keep()
    with pytest.raises(StoreError):
        store.check()


def test_to_find_out_whether_it_can_be_written_leaves_nothing(tmp_path, store):
    assert store.can_keep()
    store.check()
    with closing(sqlite3.connect(tmp_path / "store.sqlite")) as reader:
        assert reader.execute("SELECT count(*) FROM used_token").fetchone() == (0,)


def test_readiness_writes_once_a_second_however_often_it_is_asked_for(store, monkeypatch):
    monkeypatch.setattr("cds_service.store.store._READINESS_HOLDS_S", 60)
    asked = []
    event.listen(store._engine, "commit", asked.append)
    assert [store.can_keep() for _ in range(5)] == [True] * 5
    assert len(asked) == 1


def test_a_database_that_another_has_locked_cannot_be_written(tmp_path, store):
    other = sqlite3.connect(tmp_path / "store.sqlite", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    assert not store.can_keep()
    other.rollback()
    assert store.can_keep()
    other.close()


@pytest.mark.parametrize("set_up", [connections._set_up_sqlite, connections._set_up_postgresql])
def test_a_connection_that_cannot_be_set_up_is_closed(set_up):
    connection = Mock()
    connection.execute.side_effect = connection.cursor.side_effect = sqlite3.OperationalError("locked")
    with pytest.raises(sqlite3.OperationalError):
        set_up(connection, None)
    connection.close.assert_called_once_with()


@pytest.mark.parametrize("set_up", [connections._set_up_sqlite, connections._set_up_postgresql])
def test_a_connection_that_is_set_up_stays_open(set_up):
    connection = Mock()
    set_up(connection, None)
    connection.close.assert_not_called()


def test_tables_of_another_version_are_told_with_what_they_lack(store):
    store.check()
    with store._engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE feedback DROP COLUMN comment")
        connection.exec_driver_sql("ALTER TABLE issued_card DROP COLUMN kinds")
    with pytest.raises(WrongTables, match=r"lack feedback\.comment, issued_card\.kinds"):
        store.check()


def test_tables_of_a_later_version_that_ask_for_more_are_told(store):
    with store._engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE feedback ADD COLUMN ward TEXT")
        connection.exec_driver_sql("ALTER TABLE feedback ADD COLUMN site TEXT NOT NULL DEFAULT ''")
    store.check()
    with store._engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE issued_card")
        columns = ", ".join(f"{column.name} TEXT" for column in issued_table.columns)
        connection.exec_driver_sql(f"CREATE TABLE issued_card ({columns}, ward TEXT NOT NULL)")
    with pytest.raises(WrongTables, match=r"another version of the service and want issued_card\.ward$"):
        store.check()


def test_a_token_is_used_once_and_forgotten_when_it_has_expired(tmp_path, store):
    other = Store(f"sqlite:///{tmp_path / 'store.sqlite'}")
    assert store.use_token("d1", expires_at_s=1000, now_s=700)
    assert not store.use_token("d1", expires_at_s=1000, now_s=701)
    assert not other.use_token("d1", expires_at_s=1000, now_s=701)
    assert other.use_token("d2", expires_at_s=2000, now_s=1000)
    assert not store.use_token("d1", expires_at_s=1000, now_s=1000)
    assert store.use_token("d3", expires_at_s=2000, now_s=1001)
    assert store.use_token("d1", expires_at_s=1000, now_s=1060), "forgotten: such a token is expired by then"
    other.close()


def test_used_tokens_are_forgotten_also_once_a_clock_that_was_ahead_is_put_back(store):
    year_s = 365 * 86_400
    assert store.use_token("d1", expires_at_s=year_s + 1000, now_s=year_s)
    assert store.use_token("d2", expires_at_s=1000, now_s=700)
    assert store.use_token("d3", expires_at_s=2000, now_s=1061)
    assert store.use_token("d2", expires_at_s=1000, now_s=1062), "forgotten"


def test_of_many_uses_at_once_one_is_the_first(tmp_path, store):
    stores = [store, *(Store(f"sqlite:///{tmp_path / 'store.sqlite'}") for _ in range(3))]
    with ThreadPoolExecutor(8) as pool:
        uses = [pool.submit(stores[n % 4].use_token, "d1", 1000, 700) for n in range(40)]
        assert sum(use.result() for use in uses) == 1
    for other in stores[1:]:
        other.close()


def test_no_worker_waits_for_the_thread_of_another_that_has_just_used_a_token(tmp_path, store):
    """SQLite's lock ends with the statement: who holds it longer makes others sleep for a multiple of the time."""
    other = Store(f"sqlite:///{tmp_path / 'store.sqlite'}")
    first = []

    def use_another(_connection, _cursor, statement, *_):
        if statement.startswith("INSERT"):
            first.append(other.use_token("d2", expires_at_s=1000, now_s=700))

    event.listen(store._engine, "after_cursor_execute", use_another)
    assert store.use_token("d1", expires_at_s=1000, now_s=700)
    assert first == [True]
    other.close()


def test_the_driver_is_told_to_count_the_rows_of_a_token(store):
    """psycopg says -1 otherwise, and every first use would look like another one."""
    asked: list[bool] = []

    def note(_connection, _cursor, statement, _parameters, context, _many):
        if statement.startswith("INSERT"):
            asked.append(context.execution_options.get("preserve_rowcount", False))

    event.listen(store._engine, "before_cursor_execute", note)
    store.use_token("d1", 1000, 700)
    assert asked == [True]


@pytest.mark.parametrize("count", [-1, 2])
def test_a_driver_that_does_not_count_the_rows_of_a_token_is_a_fault(store, monkeypatch, count):
    monkeypatch.setattr("sqlalchemy.engine.CursorResult.rowcount", count)
    with pytest.raises(StoreError):
        store.use_token("d1", 1000, 700)


def use_in_every_way(store):
    return (
        lambda: keep(store, ENTRY),
        lambda: store.keep_issued([Issued((CARD,), "order-sign", STAMP, NOW)]),
        lambda: store.use_token("d1", 1000, 700),
    )


def test_a_file_that_was_moved_is_noticed_until_it_is_back(tmp_path, store):
    path = tmp_path / "store.sqlite"
    path.rename(tmp_path / "kept.sqlite")
    for use in use_in_every_way(store):
        with pytest.raises(OperationalError):
            use()
    assert not store.can_keep()
    (tmp_path / "kept.sqlite").rename(path)
    for use in use_in_every_way(store):
        use()
    assert store.can_keep()


def test_another_file_in_its_place_is_noticed(tmp_path, store):
    for path in tmp_path.iterdir():
        path.unlink()
    other = Store(f"sqlite:///{tmp_path / 'store.sqlite'}")
    assert other.can_keep()
    assert not store.can_keep()
    other.close()


def test_the_newest_rows_removed_from_beside_a_file_in_use_are_noticed(tmp_path, store):
    """As by a backup that is put back without stopping the service: its inode stays, and each connection would go on
    writing for itself.
    """
    assert store.use_token("d1", expires_at_s=1000, now_s=700)
    for ending in ("-wal", "-shm"):
        (tmp_path / f"store.sqlite{ending}").unlink()
    assert not store.can_keep()
    with pytest.raises(StoreError):
        store.use_token("d1", expires_at_s=1000, now_s=700)


def test_without_a_connection_the_newest_rows_are_in_the_file_itself(tmp_path, store):
    assert store.use_token("d1", expires_at_s=1000, now_s=700)
    store._engine.dispose()
    assert not (tmp_path / "store.sqlite-wal").exists()
    assert not store.use_token("d1", expires_at_s=1000, now_s=700)
    assert store.can_keep()


@pytest.mark.parametrize(
    ("statement", "told"),
    [(None, "OperationalError: connection refused"), ("INSERT", "OperationalError")],
)
def test_of_a_fault_without_a_code_the_log_is_told_why_nobody_could_connect_and_no_row(statement, told):
    assert named(OperationalError(statement, None, ConnectionError("connection refused\n  at 127.0.0.1"))) == told


def test_a_fault_with_a_code_is_told_by_it_alone():
    refused = sqlite3.OperationalError("a row of somebody")
    refused.sqlite_errorname = "SQLITE_FULL"
    assert named(OperationalError(None, None, refused)) == "OperationalError SQLITE_FULL"


def test_a_database_in_memory_has_no_file():
    store = Store("sqlite://")
    assert store.use_token("d1", 1000, 700)
    store.close()
