"""Whatever address a request brings, nothing but the configured server is called, and the card says what is missing.

Every address is tried as `fhirServer`, as `next` link (of the prefetch and of the server's own answers) and as a
reference to a medication.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from cds_service.app import clients_of, close, create_app
from cds_service.fetching.connections import Reach
from cds_service.fetching.deadline import Deadline
from cds_service.fetching.fetcher import Fetcher, Limits
from cds_service.hooks.requests import parse
from cds_service.model import Query
from cds_service.settings import Settings
from tests.support.bundles import searchset
from tests.support.fault_server import Exchange, FaultServer, serving
from tests.support.outbound import HOSTILE_COUNT, OWN_HOST, Outbound, spying, watched
from tests.support.tokens import ES384, ISSUER_A, PUBLIC_URL, SERVER_A, clients_file, entry_a
from tests.support.world import definition

PATIENT = {"resourceType": "Patient", "id": "p1", "birthDate": "1970-05-01"}
CODEINE = {
    "resourceType": "MedicationRequest",
    "id": "rx-1",
    "status": "draft",
    "intent": "order",
    "subject": {"reference": "Patient/p1"},
    "medicationCodeableConcept": {"text": "codeine 30 mg tablet"},
}
SIGN = "/cds-services/order-sign"
NUMBERS = range(HOSTILE_COUNT)


def next_link(url):
    return [{"relation": "next", "url": url}]


def referring(url, identifier="rx-1", status="draft"):
    order = {k: v for k, v in CODEINE.items() if k != "medicationCodeableConcept"}
    return order | {"id": identifier, "status": status, "medicationReference": {"reference": url}}


class Record:
    """What the configured server says: nothing of the patient but that he exists, and what a test adds."""

    def __init__(self) -> None:
        self.by_type: dict[str, object] = {}

    def __call__(self, exchange: Exchange) -> None:
        kind = exchange.target.removeprefix("/fhir/").split("?")[0].split("/")[0]
        answer = PATIENT if kind == "Patient" else self.by_type.get(kind, searchset())
        exchange.answer(json.dumps(answer).encode())


@pytest.fixture(scope="module")
def record() -> Record:
    return Record()


@pytest.fixture(scope="module")
def servers(record: Record) -> Iterator[tuple[FaultServer, FaultServer]]:
    with serving(record) as server, spying() as spy:
        yield server, spy


@pytest.fixture
def world(servers, record) -> Iterator[Outbound]:
    record.by_type.clear()
    with watched(*servers) as world:
        yield world
        world.assert_only_the_server_was_called()


@pytest.fixture(scope="module")
def client(servers, service, tmp_path_factory) -> Iterator[FlaskClient]:
    settings = Settings(
        development=True,
        database_url=f"sqlite:///{tmp_path_factory.mktemp('store') / 'store.sqlite'}",
        log_level="ERROR",
        fhir_servers=(f"http://{OWN_HOST}:{servers[0].port}/fhir",),
        answer_budget_ms=5000,
    )
    app = create_app(settings, service)
    yield app.test_client()
    close(app)


def ask(client, server, draft=CODEINE, **prefetch):
    return client.post(
        SIGN,
        json={
            "hook": "order-sign",
            "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
            "fhirServer": server,
            "fhirAuthorization": {"access_token": "s3cret-token"},
            "context": {"userId": "Practitioner/1", "patientId": "p1", "draftOrders": searchset(draft)},
            "prefetch": prefetch,
        },
    )


def gaps(card):
    return {gap["about"]: gap.get("detail") for gap in card["extension"]["org.cds-service.basis"]["gaps"]}


def only_card(response):
    assert response.status_code == 200
    (card,) = response.get_json()["cards"]
    return card


def test_there_are_enough_of_them(world):
    assert len(set(world.hostile())) == HOSTILE_COUNT >= 60


@pytest.mark.parametrize("number", NUMBERS)
def test_a_hostile_fhir_server(client, world, number):
    """Refused as no URL at all, or no server of ours: the card says that nothing was obtained."""
    response = ask(client, world.hostile()[number])
    if response.status_code == 400:
        assert response.get_json(force=True)["issue"][0]["expression"] == ["fhirServer"]
    else:
        card = only_card(response)
        assert "results could not be obtained" in card["detail"]
        assert {query.value: gaps(card)[query.value] for query in Query} == {
            query.value: "server_not_allowed" for query in Query
        }
    assert world.called == []
    assert world.server.heads == []


@pytest.mark.parametrize("number", NUMBERS)
def test_a_hostile_next_link(client, record, world, number):
    """Of the prefetch, and of the server's own answer. What came before it is kept, and is not all."""
    url = world.hostile()[number]
    record.by_type["Observation"] = searchset(link=next_link(f"{url}/Observation?page=2"))
    response = ask(client, world.base_url, conditions=searchset(link=next_link(url)))
    card = only_card(response)
    told = gaps(card)
    assert (told["results"], told["conditions"]) == ("foreign_link", "foreign_link")
    assert "results could not be obtained" in card["detail"]
    assert world.server.heads, "the configured server was asked for the rest"


@pytest.mark.parametrize("number", NUMBERS)
def test_a_hostile_reference(client, record, world, number):
    """Of the draft, and of an order that the server has."""
    url = f"{world.hostile()[number]}/Medication/m1"
    record.by_type["MedicationRequest"] = searchset(referring(url, "rx-0", "active"))
    card = only_card(ask(client, world.base_url, draft=referring(url)))
    assert "could not be checked" in card["summary"]
    assert [head for head in world.server.heads if "GET /fhir/Medication/" in head] == []


@pytest.mark.parametrize(
    "spelling",
    [
        "http://{own}:{port}/fhir",
        "http://{own}:{port}/fhir/",
        "HTTP://FHIR.Ehr.Example.ORG:{port}/fhir",
        "http://{own}.:{port}/fhir",
    ],
)
def test_the_configured_server_is_called_however_it_is_spelled(client, record, world, spelling):
    """As the configuration writes it; `next` links and references too."""
    url = spelling.format(own=OWN_HOST, port=world.server.port)
    below = f"{url.rstrip('/')}/"
    record.by_type["Medication"] = {"resourceType": "Medication", "id": "m1", "code": {"text": "codeine"}}
    response = ask(
        client,
        url,
        draft=referring(f"{below}Medication/m1"),
        conditions=searchset(link=next_link(f"{below}Condition?page=2")),
    )
    assert only_card(response)["summary"].startswith("Codeine")
    targets = [head.split(" ")[1] for head in world.server.heads]
    assert {"/fhir/Patient/p1", "/fhir/Medication/m1", "/fhir/Condition?page=2"} <= set(targets)


INSIDE = ("127.0.0.1", "10.1.2.3", "192.168.7.7", "169.254.169.254", "100.64.0.1", "0.0.0.0", "::1",
          "fe80::1", "fd00:ec2::254", "::ffff:127.0.0.1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "224.0.0.1",
          "::7f00:1")  # fmt: skip


class Names:
    """A DNS that answers the n-th question with the n-th of `answers`, and a network that writes down calls."""

    def __init__(self, monkeypatch, *answers: tuple[str, ...]) -> None:
        self.questions = 0
        self.called: list[str] = []
        self._answers = answers
        monkeypatch.setattr(socket, "getaddrinfo", self._look_up)
        monkeypatch.setattr(socket.socket, "connect", lambda _socket, address: self._connect(address))

    def _look_up(self, host, port, *_arguments, **_settings):
        # What is an address already is not looked up in any DNS.
        if host == OWN_HOST:
            self.questions += 1
            found = self._answers[min(self.questions, len(self._answers)) - 1]
        else:
            found = (host,)
        return [
            (socket.AF_INET6 if ":" in a else socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, port)) for a in found
        ]

    def _connect(self, address) -> None:
        self.called.append(address[0])
        raise ConnectionRefusedError


def fetch(reach: Reach, server=f"https://{OWN_HOST}/fhir"):
    body = {
        "hook": "order-sign",
        "hookInstance": "i",
        "fhirServer": server,
        "context": {"patientId": "p1", "draftOrders": searchset(CODEINE)},
        "prefetch": {query.value: None for query in Query if query is not Query.RESULTS},
    }
    fetcher = Fetcher(Limits(longest_search=100_000, servers=frozenset({server}), reach=reach))
    try:
        return fetcher.resolve(parse(body, definition("order-sign")), Deadline.after(2))[Query.RESULTS].reason
    finally:
        fetcher.close()


@pytest.mark.parametrize("address", INSIDE)
def test_a_listed_name_that_leads_inside_is_not_called(monkeypatch, address):
    names = Names(monkeypatch, (address,))
    assert fetch(Reach(private_networks=())) == "address_not_allowed"
    assert names.called == []


def test_nor_for_the_keys_of_a_client(monkeypatch, tmp_path):
    names = Names(monkeypatch, ("10.1.2.3",))
    path = clients_file(tmp_path, entry_a(keys="", jku=f"https://{OWN_HOST}/keys"))
    given = {"CDS_CLIENTS": str(path), "CDS_PUBLIC_URL": PUBLIC_URL}
    for networks, called in (("", []), ("10.1.0.0/16", ["10.1.2.3"])):
        clients = clients_of(Settings.from_environment(given | {"CDS_PRIVATE_NETWORKS": networks}))
        assert clients
        clients.by_issuer[ISSUER_A, ""].keys.find("any", "ES384")
        clients.close()
        assert names.called == called


def test_a_name_is_called_where_it_was_looked_up_to_be(monkeypatch):
    """Rebinding: the second answer would be this machine, and is never asked for."""
    names = Names(monkeypatch, ("93.184.216.34",), ("127.0.0.1",))
    assert fetch(Reach(private_networks=())) == "unreachable"
    assert (names.questions, names.called) == (1, ["93.184.216.34"])


def test_of_several_addresses_those_inside_are_left_out(monkeypatch):
    names = Names(monkeypatch, ("127.0.0.1", "93.184.216.34", "10.0.0.1"))
    assert fetch(Reach(private_networks=())) == "unreachable"
    assert names.called == ["93.184.216.34"]


def test_a_private_network_may_be_configured(monkeypatch):
    settings = Settings.from_environment({"CDS_PRIVATE_NETWORKS": "10.1.0.0/16, fd12:3456::/48"})
    reach = Reach(settings.private_networks)
    names = Names(monkeypatch, ("10.1.2.3", "10.2.2.3"))
    assert fetch(reach) == "unreachable"
    assert names.called == ["10.1.2.3"]
    assert [reach.allows(OWN_HOST, a) for a in ("fd12:3456::1", "fd12:3457::1", "fd12:3456::1%eth0")] == [
        True, False, True,
    ]  # fmt: skip


def test_a_server_that_is_configured_by_its_address_was_meant(monkeypatch):
    names = Names(monkeypatch)
    assert fetch(Reach(private_networks=()), "https://10.9.8.7/fhir") == "unreachable"
    assert names.called == ["10.9.8.7"]


def test_outside_development_names_lead_to_the_internet_alone(service, tmp_path, monkeypatch):
    """The whole way from the settings: a client's configured server whose name leads to this machine."""
    names = Names(monkeypatch, ("127.0.0.1",))
    settings = Settings(
        clients=clients_file(tmp_path, entry_a(fhir_servers=[f"https://{OWN_HOST}/fhir"])),
        public_url=PUBLIC_URL,
        database_url=f"sqlite:///{tmp_path / 'store.sqlite'}",
        log_level="ERROR",
    )
    app = create_app(settings, service)
    try:
        body = {
            "hook": "order-sign",
            "hookInstance": "i",
            "fhirServer": f"https://{OWN_HOST}/fhir",
            "context": {"patientId": "p1", "draftOrders": searchset(CODEINE)},
        }
        headers = {"Authorization": ES384.bearer()}
        response = app.test_client().post(SIGN, json=body, headers=headers)
        assert gaps(only_card(response))["results"] == "address_not_allowed"
        refused = app.test_client().post(
            SIGN, json=body | {"fhirServer": SERVER_A}, headers={"Authorization": ES384.bearer()}
        )
        assert refused.status_code == 403
    finally:
        close(app)
    assert names.called == []


def test_even_in_development_metadata_is_not_read(service, tmp_path, monkeypatch):
    names = Names(monkeypatch)
    fetcher = Fetcher(
        Limits(
            longest_search=100_000,
        )
    )
    body = {
        "hook": "order-sign",
        "hookInstance": "i",
        "fhirServer": "http://169.254.169.254/latest",
        "context": {"patientId": "p1", "draftOrders": searchset(CODEINE)},
    }
    found = fetcher.resolve(parse(body, definition("order-sign")), Deadline.after(1))
    fetcher.close()
    assert {result.reason for result in found.values()} == {"server_not_allowed"}
    assert names.called == []
