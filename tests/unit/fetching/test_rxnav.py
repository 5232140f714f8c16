"""Codes asked of a RxNav address: only the code leaves, the wait is bounded, and what fails is "not known"."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from cds_service.codes import ATC, NDC, RXNORM, SNOMED
from cds_service.fetching.rxnav import RxNav
from cds_service.model import CodedDrug, RxNormIngredient

FILLERIUM = CodedDrug((RxNormIngredient("9900001", "Fillerium"),))
PATIENT_WAITS_S = 3.0


def related(*ingredients: tuple[str, str]) -> dict[str, object]:
    properties = [{"rxcui": rxcui, "name": name, "tty": "IN"} for rxcui, name in ingredients]
    return {"relatedGroup": {"rxcui": "9", "conceptGroup": [{"tty": "IN", "conceptProperties": properties}]}}


def identity(*rxcuis: str) -> dict[str, object]:
    return {"idGroup": {"rxnormId": list(rxcuis)} if rxcuis else {}}


@pytest.fixture
def rxnav(httpserver: HTTPServer) -> Iterator[RxNav]:
    made = RxNav(httpserver.url_for("/REST"), PATIENT_WAITS_S)
    yield made
    made.close()


def asked(server: HTTPServer) -> list[str]:
    return [f"{request.path}?{request.query_string.decode()}" for request, _ in server.log]


def test_a_rxnorm_code_is_asked_for_its_ingredients_and_remembered(httpserver: HTTPServer, rxnav: RxNav) -> None:
    httpserver.expect_request("/REST/rxcui/77/related.json").respond_with_json(related(("9900001", "Fillerium")))
    assert rxnav.look_up(RXNORM, "77") == FILLERIUM
    assert rxnav.look_up(RXNORM, "77") == FILLERIUM
    assert asked(httpserver) == ["/REST/rxcui/77/related.json?tty=IN"]


@pytest.mark.parametrize(
    ("system", "code", "id_type"),
    [(NDC, "99999000101", "NDC"), (SNOMED, "990000001", "SNOMEDCT"), (ATC, "Z99ZZ99", "ATC")],
)
def test_other_codes_are_asked_for_their_concept_first(
    httpserver: HTTPServer, rxnav: RxNav, system: str, code: str, id_type: str
) -> None:
    httpserver.expect_request("/REST/rxcui.json").respond_with_json(identity("77"))
    httpserver.expect_request("/REST/rxcui/77/related.json").respond_with_json(related(("9900001", "Fillerium")))
    assert rxnav.look_up(system, code) == FILLERIUM
    assert asked(httpserver)[0] == f"/REST/rxcui.json?idtype={id_type}&id={code}"


@pytest.mark.parametrize("answer", [identity(), identity("77", "78"), {}, {"idGroup": {"rxnormId": "77"}}])
def test_no_concept_or_several_is_not_known_and_remembered(
    httpserver: HTTPServer, rxnav: RxNav, answer: dict[str, object]
) -> None:
    httpserver.expect_request("/REST/rxcui.json").respond_with_json(answer)
    assert rxnav.look_up(NDC, "99999000101") is None
    assert rxnav.look_up(NDC, "99999000101") is None
    assert len(httpserver.log) == 1


@pytest.mark.parametrize("answer", [{"relatedGroup": {"conceptGroup": [{"tty": "IN"}]}}, {}, {"relatedGroup": None}])
def test_a_concept_without_ingredients_is_not_known(
    httpserver: HTTPServer, rxnav: RxNav, answer: dict[str, object]
) -> None:
    httpserver.expect_request("/REST/rxcui/77/related.json").respond_with_json(answer)
    assert rxnav.look_up(RXNORM, "77") is None


def test_what_the_address_does_not_know_is_remembered(httpserver: HTTPServer, rxnav: RxNav) -> None:
    httpserver.expect_request("/REST/rxcui/77/related.json").respond_with_data("", status=404)
    assert (rxnav.look_up(RXNORM, "77"), rxnav.look_up(RXNORM, "77")) == (None, None)
    assert len(httpserver.log) == 1


def test_a_code_without_a_package_and_other_systems_are_not_asked(httpserver: HTTPServer, rxnav: RxNav) -> None:
    assert rxnav.look_up(NDC, "999990001") is None
    assert rxnav.look_up("urn:local", "77") is None
    assert httpserver.log == []


def test_nothing_but_the_code_is_sent(httpserver: HTTPServer, rxnav: RxNav, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    cookie = {"Set-Cookie": "session=1"}
    httpserver.expect_request("/REST/rxcui.json").respond_with_json(identity("77"), headers=cookie)
    httpserver.expect_request("/REST/rxcui/77/related.json").respond_with_json(related(("9900001", "Fillerium")))
    assert rxnav.look_up(SNOMED, "990000001") == FILLERIUM
    for request, _ in httpserver.log:
        assert set(request.headers.keys()) <= {"Host", "User-Agent", "Accept", "Accept-Encoding", "Connection"}
        assert request.data == b""


@pytest.mark.parametrize(
    "answer",
    [
        Response(status=500),
        Response(status=302, headers={"Location": "http://127.0.0.1:9/"}),
        Response("<html>", content_type="text/html"),
        Response("[1]", content_type="application/json"),
        Response('{"x": "' + "y" * 200_000 + '"}', content_type="application/json"),
        Response('{"relatedGroup": {"conceptGroup": [{"tty": "IN", "conceptProperties": [{"rxcui": 1}]}]}}'),
    ],
    ids=["500", "redirect", "html", "list", "large", "shape"],
)
def test_after_a_failure_the_address_is_left_alone(httpserver: HTTPServer, rxnav: RxNav, answer: Response) -> None:
    httpserver.expect_request("/REST/rxcui/77/related.json").respond_with_response(answer)
    assert rxnav.look_up(RXNORM, "77") is None
    assert rxnav.look_up(RXNORM, "77") is None
    assert rxnav.look_up(RXNORM, "78") is None
    assert len(httpserver.log) == 1


def test_a_server_that_is_not_there_is_not_known() -> None:
    rxnav = RxNav("http://127.0.0.1:9/REST", PATIENT_WAITS_S)
    assert rxnav.look_up(RXNORM, "77") is None
    rxnav.close()


def slow(answer: dict[str, object], delay_s: float) -> Callable[[Request], Response]:
    def handle(_: Request) -> Response:
        time.sleep(delay_s)
        return Response(json.dumps(answer), content_type="application/json")

    return handle


def test_the_codes_of_one_request_wait_no_longer_than_the_timeout_together(httpserver: HTTPServer) -> None:
    rxnav = RxNav(httpserver.url_for("/REST"), 0.1)
    answer = related(("9900001", "Fillerium"))
    for code in range(70, 76):
        httpserver.expect_request(f"/REST/rxcui/{code}/related.json").respond_with_handler(slow(answer, 0.3))
    began = time.monotonic()
    assert [rxnav.look_up(RXNORM, str(code)) for code in range(70, 76)] == [None] * 6
    assert time.monotonic() - began < 0.5, "one after the other they would take 0.6 s"
    until = time.monotonic() + 5  # a handler that outlasts its test would be counted in the next one
    while len(httpserver.log) < 6 and time.monotonic() < until:
        time.sleep(0.02)
    while rxnav.look_up(RXNORM, "70") != FILLERIUM and time.monotonic() < until:
        time.sleep(0.02)
    assert rxnav.look_up(RXNORM, "70") == FILLERIUM, "what came late is there for the next order"
    rxnav.close()


def test_a_closed_one_asks_no_more(httpserver: HTTPServer, rxnav: RxNav) -> None:
    rxnav.close()
    assert rxnav.look_up(RXNORM, "77") is None
    assert httpserver.log == []
