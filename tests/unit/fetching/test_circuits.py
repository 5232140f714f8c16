"""A server that does not answer is left alone for a while, then tried once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import count

import pytest

from cds_service.circuits import Circuit, Circuits, State
from cds_service.fetching.deadline import Deadline
from cds_service.fetching.fetcher import Fetcher, Limits
from cds_service.hooks.requests import HookRequest, parse
from cds_service.model import Availability
from tests.support.fault_server import Exchange, serving
from tests.support.world import definition


class FakeClock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def circuit(clock: FakeClock) -> Circuit:
    return Circuit(3, 10.0, clock)


def fail(circuit: Circuit, times: int = 3) -> None:
    for _ in range(times):
        circuit.failed()


def test_it_opens_after_failures_in_a_row(circuit):
    fail(circuit, 2)
    circuit.succeeded()
    fail(circuit, 2)
    assert (circuit.state, circuit.admits()) == (State.CLOSED, True)
    circuit.failed()
    assert (circuit.state, circuit.admits()) == (State.OPEN, False)


def test_after_its_rest_one_may_try(circuit, clock):
    fail(circuit)
    clock.now_s += 9.9
    assert not circuit.admits()
    clock.now_s += 0.2
    assert circuit.state is State.HALF_OPEN
    assert [circuit.admits() for _ in range(3)] == [True, False, False]


def test_an_answer_closes_it(circuit, clock):
    fail(circuit)
    clock.now_s += 10
    assert circuit.admits()
    circuit.succeeded()
    assert circuit.state is State.CLOSED
    fail(circuit, 2)
    assert circuit.admits(), "the count began anew"


def test_another_failure_costs_another_rest(circuit, clock):
    fail(circuit)
    clock.now_s += 10
    assert circuit.admits()
    circuit.failed()
    assert circuit.state is State.OPEN
    clock.now_s += 10
    assert circuit.admits()


def test_who_tries_and_tells_nothing_costs_no_more_than_a_rest(circuit, clock):
    fail(circuit)
    clock.now_s += 10
    assert circuit.admits()
    clock.now_s += 10
    assert circuit.admits()


def test_reads_that_were_on_their_way_make_the_rest_no_longer(circuit, clock):
    fail(circuit)
    clock.now_s += 9
    fail(circuit, 5)
    clock.now_s += 1
    assert circuit.admits()


def test_of_many_threads_one_tries(circuit, clock):
    fail(circuit)
    clock.now_s += 10
    admitted: list[bool] = []
    barrier = threading.Barrier(8)

    def ask() -> None:
        barrier.wait()
        admitted.append(circuit.admits())

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(admitted) == [False] * 7 + [True]


def test_each_server_has_its_own_and_the_oldest_is_forgotten(clock):
    circuits = Circuits(1, 10.0, most=2, clock=clock)
    circuits.of("a").failed()
    assert [circuits.of(server).admits() for server in ("a", "b")] == [False, True]
    assert not circuits.of("a").admits()
    circuits.of("c")
    assert circuits.of("b").state is State.CLOSED
    assert circuits.of("a").state is State.CLOSED, "made anew: c and b were used since"


def test_failures_that_have_one_thing_in_common_count_as_one(circuit):
    for n in range(9):
        circuit.failed("one patient", f"token {n}")
    assert circuit.admits()
    circuit.succeeded()
    for n in range(9):
        circuit.failed(f"patient {n}", "one token")
    assert circuit.admits()
    circuit.failed("patient 10", "another token")
    circuit.failed("patient 11", "a third token")
    assert not circuit.admits()


def test_where_no_tokens_are_given_the_patients_count(circuit):
    for n in range(2):
        circuit.failed(f"patient {n}", "")
    assert circuit.admits()
    circuit.failed("patient 2", "")
    assert not circuit.admits()


@pytest.fixture
def fetcher() -> Iterator[Fetcher]:
    fetcher = Fetcher(Limits(failures_in_a_row=2, rest_s=0.4))
    yield fetcher
    fetcher.close()


_PATIENTS = count()


def request(base_url: str, patient: str = "", token: str = "") -> HookRequest:
    """For a patient of its own, unless one is named."""
    body = {
        "hook": "order-sign",
        "hookInstance": "i",
        "fhirServer": base_url,
        "context": {"patientId": patient or f"p{next(_PATIENTS)}", "draftOrders": {"resourceType": "Bundle"}},
    }
    if token:
        body["fhirAuthorization"] = {"access_token": token}
    return parse(body, definition("order-sign"))


def reasons(fetcher: Fetcher, base_url: str, seconds: float = 2.0, **asked: str) -> set[str]:
    answers = fetcher.resolve(request(base_url, **asked), Deadline.after(seconds))
    return {result.reason for result in answers.values()}


def shut_off(fetcher: Fetcher, base_url: str) -> None:
    """By requests for two patients: the second one's first failure does it, its other reads may come after that."""
    assert reasons(fetcher, base_url) == {"server_error"}
    assert "server_error" in reasons(fetcher, base_url)


def fault(exchange: Exchange) -> None:
    exchange.answer(b"", "500 Internal Server Error")


def test_a_server_that_is_down_is_not_asked_until_its_rest_is_over(fetcher):
    is_down, may_answer = threading.Event(), threading.Event()
    is_down.set()

    def script(exchange: Exchange) -> None:
        if is_down.is_set():
            exchange.answer(b"", "500 Internal Server Error")
        else:
            may_answer.wait(0.5)  # the others ask while the one that tries is on its way
            exchange.answer(b'{"resourceType": "Bundle", "type": "searchset"}')

    with serving(script) as server:
        shut_off(fetcher, server.base_url)
        asked = len(server.heads)
        results = fetcher.resolve(request(server.base_url), Deadline.after(2))
        assert {(r.availability, r.reason) for r in results.values()} == {(Availability.FAILED, "circuit_open")}
        assert len(server.heads) == asked, "nothing was asked"
        is_down.clear()
        threading.Event().wait(0.45)
        assert "circuit_open" in reasons(fetcher, server.base_url), "one read tries, the others wait"
        assert len(server.heads) == asked + 1
        may_answer.set()
        assert "circuit_open" not in reasons(fetcher, server.base_url)


@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden", "404 Not Found", "429 Too Many Requests"])
def test_a_server_that_refuses_is_up(fetcher, status):
    with serving(lambda exchange: exchange.answer(b"", status)) as server:
        for _ in range(3):
            assert "circuit_open" not in reasons(fetcher, server.base_url)


def test_a_read_that_was_given_no_time_blames_no_server(fetcher):
    with serving(lambda exchange: exchange.hang()) as server:
        for _ in range(4):
            assert reasons(fetcher, server.base_url, 0.07) == {"late"}
        for _ in range(2):
            assert reasons(fetcher, server.base_url, 0.2) == {"late"}
        assert reasons(fetcher, server.base_url, 0.2) == {"circuit_open"}


@pytest.mark.parametrize("in_common", [{"patient": "p1"}, {"token": "t1"}])
def test_one_patients_record_or_one_token_shuts_nobody_off(fetcher, in_common):
    with serving(fault) as server:
        for n in range(5):
            asked = {"patient": f"p{n}", "token": f"t{n}"} | in_common
            assert reasons(fetcher, server.base_url, **asked) == {"server_error"}


def test_one_server_does_not_stand_for_another(fetcher):
    with (
        serving(lambda exchange: exchange.answer(b"", "500 Internal Server Error")) as broken,
        serving(lambda exchange: exchange.answer(b'{"resourceType": "Bundle"}')) as sound,
    ):
        shut_off(fetcher, broken.base_url)
        assert reasons(fetcher, broken.base_url) == {"circuit_open"}
        assert "circuit_open" not in reasons(fetcher, sound.base_url)


def test_another_spelling_of_a_server_is_the_same():
    with serving(lambda exchange: exchange.answer(b"", "500 Internal Server Error")) as server:
        fetcher = Fetcher(Limits(servers=frozenset({server.base_url}), failures_in_a_row=2, rest_s=60))
        try:
            shut_off(fetcher, server.base_url)
            assert reasons(fetcher, server.base_url.replace("http", "HTTP")) == {"circuit_open"}
        finally:
            fetcher.close()
