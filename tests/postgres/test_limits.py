"""A PostgreSQL that is locked, stands still or is gone costs a caller about three seconds, and no worker."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from cds_service.app import close, create_app
from cds_service.settings import Settings
from cds_service.store.store import Store, StoreError

FEEDBACK = {
    "feedback": [
        {
            "card": "3f9a6b0e-8a53-4a0a-9d52-0d8d9f3c8d11",
            "outcome": "overridden",
            "overrideReason": {"reason": {"system": "s", "code": "c"}},
            "outcomeTimestamp": "2026-11-26T00:00:00Z",
        }
    ]
}


@pytest.fixture
def store(url) -> Iterator[Store]:
    store = Store(url)
    yield store
    store.close()


@pytest.fixture
def client(url) -> Iterator[FlaskClient]:
    app = create_app(Settings(development=True, database_url=url))
    yield app.test_client()
    close(app)


def seconds(work: Callable[[], object]) -> float:
    began_s = time.monotonic()
    work()
    return time.monotonic() - began_s


def fails(work: Callable[..., object], *arguments: object) -> None:
    with pytest.raises(StoreError):
        work(*arguments)


def post_feedback(client: FlaskClient) -> int:
    return client.post("/cds-services/order-sign/feedback", json=FEEDBACK).status_code


def test_a_locked_table_is_not_waited_for(cluster, url, store):
    with cluster.connect(url.rpartition("/")[2]) as other, other.transaction():
        other.execute("LOCK TABLE used_token")
        assert 1.5 < seconds(lambda: fails(store.use_token, "d1", 1000, 700)) < 3.5
        assert store.feedback() == [], "the others are not taken with it"
        assert not store.can_keep()
    assert store.use_token("d1", 1000, 700)


def test_a_statement_has_its_time(store):
    def sleep() -> None:
        with store._engine.connect() as connection:
            connection.execute(text("SELECT pg_sleep(30)"))

    assert seconds(lambda: fails(sleep)) < 3.5


def test_a_server_that_stands_still_is_503_in_time_and_healthz_answers(cluster, client):
    assert (client.get("/readyz").status_code, post_feedback(client)) == (200, 204)
    with cluster.frozen():
        statuses: list[int] = []
        assert seconds(lambda: statuses.append(client.get("/readyz").status_code)) < 4
        assert seconds(lambda: statuses.append(post_feedback(client))) < 4
        assert statuses == [503, 503]
        assert client.get("/healthz").status_code == 200
        for _ in range(2):
            client.get("/readyz")
        assert seconds(lambda: client.get("/readyz")) < 0.5, "after three in a row nobody waits"
    time.sleep(2.1)
    assert (client.get("/readyz").status_code, post_feedback(client)) == (200, 204)


def test_nothing_is_left_waiting_in_a_connection_that_was_given_up(cluster, store):
    assert store.use_token("d1", 1000, 700)
    with cluster.frozen():
        fails(store.use_token, "d2", 1000, 700)
        pool = store._for_tokens._pool
        store.close()
        assert seconds(lambda: pool.shutdown(wait=True)) < 4
