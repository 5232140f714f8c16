"""Every fault of a FHIR server, for every query: an answer in time that names what is missing, never "no risk"."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from cds_service.answer import answer
from cds_service.fetching.client import FetchError, FhirClient, open_session
from cds_service.fetching.deadline import Deadline
from cds_service.fetching.fetcher import Fetcher, Limits
from cds_service.hooks.requests import HookRequest, parse
from cds_service.model import Availability, Query, QueryResult
from tests.support import world
from tests.support.bundles import searchset
from tests.support.fault_server import Exchange, closed_port, serving
from tests.support.faults import (
    FAULTS,
    MIB,
    PATIENT_ID,
    SUBJECT,
    Fault,
    body_of,
    kind_of,
    resource,
    sound,
)

DEADLINE_S = 0.4
PATIENCE_S = 3.0
"""For faults that do not wait: a busy machine must not turn them into late ones."""
GRACE_S = 0.25
LIMITS = Limits(longest_search=100_000, largest_bytes=2 * MIB, most_pages=3, workers=9)
LARGEST_GROWTH_BYTES = 60 * MIB
"""All queries at once, each with its compressed and its decompressed piece; the bombs are 200 MiB each."""
FINDINGS, BASIS = "org.cds-service.findings", "org.cds-service.basis"

Json = dict[str, Any]


def draft(**medication: object) -> Json:
    reason = {
        "coding": [{"system": "http://snomed.info/sct", "code": "394659003"}],
        "text": "Acute coronary syndrome",
    }
    order = {"resourceType": "MedicationRequest", "id": "draft-1", "status": "draft", "intent": "order"}
    return order | {"subject": SUBJECT, "reasonCode": [reason]} | medication


CLOPIDOGREL = draft(medicationCodeableConcept={"text": "clopidogrel 75 MG Oral Tablet"})


def asked(base_url: str, order: Json = CLOPIDOGREL, prefetch: Json | None = None) -> HookRequest:
    body = {
        "hook": "order-sign",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "fhirServer": base_url,
        "fhirAuthorization": {"access_token": "s3cret"},
        "context": {"userId": "Practitioner/1", "patientId": PATIENT_ID, "draftOrders": searchset(order)},
        "prefetch": prefetch or {},
    }
    return parse(body, world.definition("order-sign"))


@pytest.fixture(scope="module", autouse=True)
def loaded() -> None:
    """The knowledge is loaded before any clock runs."""
    world.service()


@pytest.fixture
def fetcher() -> Iterator[Fetcher]:
    fetcher = Fetcher(LIMITS)
    yield fetcher
    fetcher.close()


def resolved_in_time(fetcher: Fetcher, request: HookRequest, seconds: float) -> Mapping[Query, QueryResult]:
    started_s = time.monotonic()
    results = fetcher.resolve(request, Deadline.after(seconds))
    assert time.monotonic() - started_s < seconds + GRACE_S
    return results


@contextmanager
def memory_bounded(*, measured: bool) -> Iterator[None]:
    if not measured:
        yield
        return
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < LARGEST_GROWTH_BYTES
    finally:
        tracemalloc.stop()


def answered(request: HookRequest, results: Mapping[Query, QueryResult]) -> Json:
    """The one card; there is one whatever happened."""
    (card,) = answer(request, results, world.service(), world.TODAY).body["cards"]
    return card


def told_gaps(card: Json) -> set[tuple[str, str]]:
    return {(gap["about"], gap.get("detail", "")) for gap in card["extension"][BASIS].get("gaps", [])}


def expected(fault: Fault, query: Query) -> tuple[Availability, str]:
    if query is Query.PATIENT and fault.name == "another_patient":
        return Availability.FAILED, "wrong_patient"
    return fault.availability, fault.reason


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_every_query_says_what_became_of_it(fetcher: Fetcher, fault: Fault) -> None:
    seconds = DEADLINE_S if fault.waits else PATIENCE_S
    with serving(fault.script) as server, memory_bounded(measured=fault.on_bytes):
        request = asked(server.base_url)
        results = resolved_in_time(fetcher, request, seconds)
        assert not [head for head in server.heads if "redirected" in head]
    assert {q: (r.availability, r.reason) for q, r in results.items()} == {q: expected(fault, q) for q in Query}
    check_card(answered(request, results), results)


def check_card(card: Json, results: Mapping[Query, QueryResult]) -> None:
    """The card names every gap, and its finding rests on nothing that was not obtained."""
    assert {(q.value, r.reason) for q, r in results.items() if r.reason} <= told_gaps(card)
    finding = card["extension"][FINDINGS][0]
    if results[Query.RESULTS].resources and results[Query.RESULTS].reason not in ("wrong_patient", "unreadable"):
        assert finding["kind"] in ("change_now", "not_assessed")
    else:
        assert finding["kind"] == "not_assessed"
        assert finding["markers"] == [{"id": "gene:CYP2C19", "knowledge": "Unavailable"}]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_medication_that_is_only_referred_to(fetcher: Fetcher, fault: Fault) -> None:
    """The fault meets the reads of single Medications alone: that of the draft, and that of a current medicine."""

    def script(exchange: Exchange) -> None:
        if kind_of(exchange) == "Medication":
            fault.script(exchange)
        else:
            sound(exchange)

    current = draft(medicationReference={"reference": "Medication/m2"}) | {"id": "rx-1", "status": "active"}
    order = draft(medicationReference={"reference": "Medication/m1"})
    with serving(script) as server, memory_bounded(measured=fault.on_bytes):
        request = asked(server.base_url, order, {"medications": searchset(current)})
        results = resolved_in_time(fetcher, request, 2 * DEADLINE_S if fault.waits else PATIENCE_S)
    medications = results.pop(Query.MEDICATIONS)
    assert {r.availability for r in results.values()} == {Availability.COMPLETE}
    results = {**results, Query.MEDICATIONS: medications}
    # The good Medication is m1: for the current medicine it is another one than was asked for.
    assert (medications.availability, medications.reason) == (
        Availability.PARTIAL,
        fault.single_reason or "unreadable",
    )
    card = answered(request, results)
    assert ("medications", medications.reason) in told_gaps(card)
    finding = card["extension"][FINDINGS][0]
    if fault.single_reason:
        assert finding["kind"] == "not_assessed"
        assert "could not be checked" in card["summary"]
    else:
        assert finding["drug"]["display"] == "clopidogrel"


def test_bodies_of_r5_that_do_not_say_so_are_named(fetcher: Fetcher) -> None:
    """Reading tells them by their shape: none is half read, and none counts as "nothing on file"."""
    shapes: dict[str, Json] = {
        "Observation": {"triggeredBy": [{"observation": {"reference": "Observation/o2"}}]},
        "MedicationRequest": {"medication": {"concept": {"text": "warfarin"}}},
        "Condition": {"participant": [{"actor": {"reference": "Practitioner/1"}}]},
        "ServiceRequest": {"code": {"concept": {"text": "CYP2C19"}}},
    }

    def script(exchange: Exchange) -> None:
        found = resource(kind_of(exchange)) | shapes.get(kind_of(exchange), {})
        exchange.answer(body_of(found if kind_of(exchange) == "Patient" else searchset(found)))

    with serving(script) as server:
        request = asked(server.base_url)
        card = answered(request, resolved_in_time(fetcher, request, PATIENCE_S))
    named = {gap["about"] for gap in card["extension"][BASIS]["gaps"] if gap["reason"] == "unsupported_version"}
    assert named == {f"{kind}/{kind.lower()}-1" for kind in shapes}
    assert card["extension"][FINDINGS][0]["kind"] != "change_now"


def check_all(results: Mapping[Query, QueryResult], reason: str, request: HookRequest) -> None:
    assert {(r.availability, r.reason) for r in results.values()} == {(Availability.FAILED, reason)}
    check_card(answered(request, results), results)


def test_nobody_listens(fetcher: Fetcher) -> None:
    request = asked(f"http://127.0.0.1:{closed_port()}/fhir")
    check_all(resolved_in_time(fetcher, request, PATIENCE_S), "unreachable", request)


def test_connections_are_not_accepted(fetcher: Fetcher) -> None:
    """More connections than the kernel queues: some hang before they are made, the others after."""
    with serving(sound, accepts=False) as server:
        request = asked(server.base_url)
        check_all(resolved_in_time(fetcher, request, DEADLINE_S), "late", request)


@pytest.mark.parametrize("greeting", [b"", b"\x16\x03\x03\x40\x00" + b"\x02" * 400], ids=["silent", "trickling"])
def test_the_handshake_of_tls_does_not_end(fetcher: Fetcher, greeting: bytes) -> None:
    with serving(lambda exchange: exchange.trickle(greeting, 0.03), greets=True) as server:
        request = asked(server.base_url.replace("http:", "https:"))
        check_all(resolved_in_time(fetcher, request, DEADLINE_S), "late", request)


def test_no_tls_where_tls_was_expected(fetcher: Fetcher) -> None:
    with serving(lambda exchange: exchange.answer(b"{}", "400 Bad Request"), greets=True) as server:
        request = asked(server.base_url.replace("http:", "https:"))
        check_all(resolved_in_time(fetcher, request, PATIENCE_S), "tls_failed", request)


WAITING = [fault for fault in FAULTS if fault.waits]


@pytest.mark.parametrize("fault", WAITING, ids=lambda fault: fault.name)
def test_a_server_that_waits_holds_no_thread(fetcher: Fetcher, fault: Fault) -> None:
    """Its connections are closed soon after the deadline, and another server is read at once."""
    with serving(fault.script) as server, serving(sound) as other:
        fetcher.resolve(asked(server.base_url), Deadline.after(0.1))
        results = resolved_in_time(fetcher, asked(other.base_url), PATIENCE_S)
        assert {r.availability for r in results.values()} == {Availability.COMPLETE}
        until_s = time.monotonic() + 1
        while server.open_connections and time.monotonic() < until_s:
            time.sleep(0.01)
        assert not server.open_connections
    reads = fetcher._servers[server.base_url]
    until_s = time.monotonic() + 1
    while reads._hanging and time.monotonic() < until_s:
        time.sleep(0.01)
    assert not reads._hanging


def test_huge_answers_together_are_bounded(fetcher: Fetcher) -> None:
    """Each is within the cap of one; only so many of them are taken in for one request."""
    large = body_of(searchset(surplus="x" * (2 * MIB - 1000)))
    with serving(lambda exchange: exchange.answer(large)) as server, memory_bounded(measured=True):
        results = resolved_in_time(fetcher, asked(server.base_url), PATIENCE_S)
    reasons = [result.reason for result in results.values()]
    assert set(reasons) <= {"", "too_large"}
    assert 1 <= reasons.count("") <= 3


def test_a_broken_answer_takes_no_room_from_the_next() -> None:
    """A body cut short is given up, whatever ended it; then there is room for a whole one."""
    whole = b'{"resourceType": "Patient", "id": "' + b"x" * 300_000 + b'"}'

    def script(exchange: Exchange) -> None:
        if "whole" in exchange.target:
            exchange.answer(whole)
        else:
            exchange.answer(whole[:-1], headers={"Content-Length": str(len(whole))}, framed=False)

    with serving(script) as server, open_session(1) as session:
        client = FhirClient(session, server.base_url, "", MIB, largest_total_bytes=len(whole))
        for _ in range(2):
            with pytest.raises(FetchError):
                client.read("broken", Deadline.after(DEADLINE_S))
            assert client._bytes_left == len(whole)
        assert client.read("whole", Deadline.after(PATIENCE_S))


def test_the_environment_says_nothing(
    fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """No proxy, no netrc, no cookie: the token goes where the caller said and stands alone."""
    netrc = tmp_path_factory.mktemp("home") / "netrc"
    netrc.write_text("machine 127.0.0.1 login ada password other\n")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{closed_port()}")
    cookies = next(fault for fault in FAULTS if fault.name == "sets_cookies")
    with serving(cookies.script) as server:
        for _ in range(2):
            results = fetcher.resolve(asked(server.base_url), Deadline.after(PATIENCE_S))
        assert {r.availability for r in results.values()} == {Availability.COMPLETE}
        assert {head.lower().count("authorization: bearer s3cret") for head in server.heads} == {1}
        assert not [head for head in server.heads if "cookie" in head.lower()]


def test_connections_are_used_again(fetcher: Fetcher) -> None:
    with serving(sound) as server:
        for _ in range(3):
            fetcher.resolve(asked(server.base_url), Deadline.after(PATIENCE_S))
        assert len(server.heads) == 3 * len(Query)
        assert server.connections_made <= len(Query)


def test_what_is_refused_is_not_asked_twice(fetcher: Fetcher) -> None:
    with serving(lambda exchange: exchange.answer(b"", "429 Slow Down")) as server:
        fetcher.resolve(asked(server.base_url), Deadline.after(PATIENCE_S))
        assert len(server.heads) == len(Query)


def test_a_server_that_is_down_is_asked_twice_at_most(fetcher: Fetcher) -> None:
    with serving(lambda exchange: exchange.answer(b"", "503 Down")) as server:
        fetcher.resolve(asked(server.base_url), Deadline.after(PATIENCE_S))
        assert len(server.heads) == 2 * len(Query)


def test_the_pages_before_a_late_one_are_kept(fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a longer last word than is usual: a busy machine must not turn the first pages into late ones."""
    last_word_s = 0.5
    monkeypatch.setattr("cds_service.fetching.fetcher._LAST_WORD_S", last_word_s)

    def script(exchange: Exchange) -> None:
        if "page=2" in exchange.target:
            exchange.hang()
        following = [{"relation": "next", "url": f"{exchange.base_url}?page=2"}]
        exchange.answer(body_of(searchset(resource(kind_of(exchange)), link=following)))

    with serving(script) as server:
        results = resolved_in_time(fetcher, asked(server.base_url), DEADLINE_S + last_word_s)
    assert {(r.availability, r.reason) for r in results.values()} == {(Availability.PARTIAL, "late")}
    assert {len(r.resources) for r in results.values()} == {1}


def test_there_are_enough_faults() -> None:
    names = [fault.name for fault in FAULTS]
    assert len(names) == len(set(names))
    assert len(names) >= 35
