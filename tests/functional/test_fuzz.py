"""A short, seeded run of `make fuzz`: whatever is sent, the service answers, and validly."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cds_service.hooks.responses import operation_outcome
from tests.support.mutations import UNREADABLE
from tools import fuzz

SEED = 20261125
COUNT = 1500


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[fuzz.FlaskClient, fuzz.Crashes]]:
    with fuzz.service() as running:
        yield running


def test_mutated_requests_are_answered(running):
    report = fuzz.run_mutations(*running, SEED, range(COUNT))
    assert report.faults == {}
    assert sum(report.statuses.values()) == COUNT + len(UNREADABLE)
    assert report.statuses[200] > COUNT / 2, "most of them are read in spite of all"
    assert report.with_cards > COUNT / 3


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_cannot_be_read_is_refused(running, name):
    client, _ = running
    response = client.post("/cds-services/order-sign", data=UNREADABLE[name], content_type="application/json")
    assert 400 <= response.status_code < 500
    assert response.get_json(force=True)["resourceType"] == "OperationOutcome"


def test_the_same_seed_gives_the_same_requests():
    first, second = fuzz.Mutations(1), fuzz.Mutations(1)
    assert [first.request(n).content for n in range(50)] == [second.request(n).content for n in range(50)]
    assert fuzz.Mutations(2).request(0).content != first.request(0).content


def test_a_crash_and_an_invalid_answer_would_be_noticed(running, monkeypatch):
    client, crashes = running
    checks = fuzz.Checks()
    assert checks.fault(500, b"{}") == "status 500"
    assert "breaks the schema" in checks.fault(200, b'{"cards": [{"summary": "s"}]}')
    assert "breaks the schema" in checks.fault(400, b"{}")
    outcome = fuzz.json.dumps(operation_outcome("invalid", "told")).encode()
    assert (checks.fault(400, outcome), checks.fault(200, b'{"cards": []}')) == ("", "")

    def crash(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("cds_service.web.cds.decoded_body", crash)
    report = fuzz.run_mutations(client, crashes, SEED, range(3))
    assert any("ZeroDivisionError" in kind for kind in report.faults)
