"""A server whose reads hang takes no threads from the others, and costs its own callers nothing more."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from cds_service.fetching.deadline import Deadline
from cds_service.fetching.fetcher import Fetcher, Limits
from cds_service.fetching.reads import Reads
from cds_service.hooks.requests import parse
from tests.support.fault_server import Exchange, serving
from tests.support.world import definition

NOWHERE = "http://never.example.org/fhir"


@pytest.fixture
def looked_up(monkeypatch) -> Iterator[threading.Event]:
    """Until it is set, the name of `NOWHERE` is not looked up."""
    looked_up = threading.Event()
    real = socket.getaddrinfo

    def slow(host, *arguments, **settings):
        if host == "never.example.org":
            looked_up.wait(10)
            raise socket.gaierror("unknown")
        return real(host, *arguments, **settings)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    yield looked_up
    looked_up.set()


def reasons(fetcher: Fetcher, server: str, seconds: float) -> set[str]:
    context = {"patientId": "p1", "draftOrders": {"resourceType": "Bundle"}}
    body = {"hook": "order-sign", "hookInstance": "i", "fhirServer": server, "context": context}
    answers = fetcher.resolve(parse(body, definition("order-sign")), Deadline.after(seconds))
    return {result.reason for result in answers.values()}


def sound(exchange: Exchange) -> None:
    is_patient = "/Patient/" in exchange.target
    exchange.answer(b'{"resourceType": "Patient", "id": "p1"}' if is_patient else b'{"resourceType": "Bundle"}')


def test_a_name_that_is_not_looked_up_leaves_the_other_servers_their_threads(looked_up):
    fetcher = Fetcher(Limits(workers=8))
    with serving(sound) as server:
        assert reasons(fetcher, NOWHERE, 0.15) == {"late"}
        tried = (reasons(fetcher, NOWHERE, 0.15) for _ in range(20))  # on a busy machine threads begin late
        assert {"reads_hang"} in tried
        began_s = time.monotonic()
        assert reasons(fetcher, NOWHERE, 5) == {"reads_hang"}
        assert time.monotonic() - began_s < 1, "refused at once"
        assert reasons(fetcher, server.base_url, 2) == {""}
        looked_up.set()
        until_s = time.monotonic() + 5
        while reasons(fetcher, NOWHERE, 0.5) == {"reads_hang"} and time.monotonic() < until_s:
            time.sleep(0.02)
        assert reasons(fetcher, NOWHERE, 0.5) == {"name_not_found"}
    fetcher.close()


def test_reads_that_never_began_do_not_count_as_hanging():
    release = threading.Event()
    with socket.socket() as unused:
        reads = Reads(unused, 2)  # type: ignore[arg-type]  the session is not touched but to close it
        late = reads.in_parallel({n: lambda: release.wait(5) for n in range(9)}, Deadline.after(0.05))
        assert {fault.reason for fault in late.values()} == {"late"}
        assert reads._hanging == 2
        release.set()
        reads.close()
