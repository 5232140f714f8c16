"""A prefetch key that a site never fills is told to its operators once; one that it fills now and then is not."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from cds_service.web.unfilled import REQUESTS_BEFORE_TOLD, UnfilledKeys

KEYS = ("results", "family")
BODY = {
    "hook": "order-sign",
    "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
    "context": {
        "userId": "Practitioner/1",
        "patientId": "pat-77",
        "draftOrders": {"resourceType": "Bundle", "entry": []},
    },
    "prefetch": {
        "patient": {"resourceType": "Patient", "id": "pat-77", "name": [{"family": "Testperson"}]},
        "medications": None,
        "tumour_results": None,
        "conditions": None,
        "allergies": None,
        "requests": None,
        "family": None,
    },
}


@pytest.fixture
def warnings() -> Iterator[list[dict[str, object]]]:
    """The log lines of keys never sent."""
    lines: list[dict[str, object]] = []
    handler = logging.Handler(logging.WARNING)

    def keep(record: logging.LogRecord) -> None:
        line = json.loads(record.getMessage())
        if line["event"] == "prefetch_keys_never_sent":
            lines.append(line)

    handler.emit = keep  # type: ignore[method-assign]
    logger = logging.getLogger("cds_service")
    logger.addHandler(handler)
    yield lines
    logger.removeHandler(handler)


def test_it_is_told_once_and_shown_to_whoever_asks_for_readiness(client_with, warnings):
    client = client_with(log_level="WARNING")
    for _ in range(REQUESTS_BEFORE_TOLD - 1):
        client.post("/cds-services/order-sign", json=BODY)
    assert warnings == []
    assert client.get("/readyz").get_json()["prefetchNeverSent"] == {}
    for _ in range(REQUESTS_BEFORE_TOLD):
        client.post("/cds-services/order-sign", json=BODY)
    (line,) = warnings
    assert (line["level"], line["queries"]) == ("WARNING", {"results": REQUESTS_BEFORE_TOLD})
    assert "Testperson" not in json.dumps(line)
    assert "pat-77" not in json.dumps(line)
    assert client.get("/readyz").get_json()["prefetchNeverSent"] == {"results": 1}


def test_a_key_that_came_once_is_never_told():
    unfilled = UnfilledKeys(3)
    unfilled.count("site", KEYS, KEYS)
    assert [unfilled.count("site", KEYS, ()) for _ in range(5)] == [{}] * 5
    assert unfilled.clients_by_key() == {}


def test_a_key_that_comes_after_all_is_shown_no_longer():
    unfilled = UnfilledKeys(2)
    assert [unfilled.count("site", KEYS, ("family",)) for _ in range(3)] == [{}, {"results": 2}, {}]
    assert unfilled.clients_by_key() == {"results": 1}
    unfilled.count("site", KEYS, KEYS)
    assert unfilled.clients_by_key() == {}


def test_each_client_counts_for_itself():
    unfilled = UnfilledKeys(2)
    unfilled.count("a", KEYS, ("family",))
    assert unfilled.count("b", KEYS, ("family",)) == {}
    assert unfilled.count("a", KEYS, ("family",)) == {"results": 2}
    assert unfilled.count("b", KEYS, ("family",)) == {"results": 2}
    assert unfilled.clients_by_key() == {"results": 2}


def test_threads_tell_it_once_together():
    unfilled = UnfilledKeys(100)
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda _: unfilled.count("site", KEYS, ("family",)), range(400)))
    assert [found for found in told if found] == [{"results": 100}]
