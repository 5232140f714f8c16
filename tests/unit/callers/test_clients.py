"""The file of clients: who may call, or every fault of it."""

from __future__ import annotations

import contextlib
import json

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cds_service.callers.clients import load_clients
from cds_service.errors import SettingsError
from tests.support.tokens import (
    ES384,
    ES512,
    ISSUER_A,
    ISSUER_B,
    SERVER_A,
    SERVER_B,
    clients_file,
    entry_a,
    entry_b,
    private_jwk,
    private_key,
    public_jwk,
)


def test_clients_are_found_by_their_issuer(tmp_path):
    clients = load_clients(clients_file(tmp_path))
    assert clients.find(ISSUER_A, None).name == "ehr-a"
    assert clients.find(ISSUER_B, "any").name == "ehr-b"
    assert clients.fhir_servers == {SERVER_A, SERVER_B}
    for issuer in (f"{ISSUER_A}/", None, ["x"], 7):
        assert clients.find(issuer, None) is None


def test_a_server_is_the_clients_own_in_any_spelling_or_it_is_not(tmp_path):
    client = load_clients(clients_file(tmp_path)).find(ISSUER_A, None)
    assert client.own_server(SERVER_A.replace("fhir.", "FHIR.") + "/") == SERVER_A
    assert client.own_server(SERVER_A.replace("org/", "org:443/")) == SERVER_A
    with_credentials = SERVER_A.replace("https://", "https://user:x@")
    others = (SERVER_B, f"{SERVER_A}/x", SERVER_A.replace("https", "http"), "https://[", "https://x:99999/")
    for other in (*others, with_credentials):
        assert client.own_server(other) is None


def test_credentials_of_an_address_are_not_told(tmp_path):
    with pytest.raises(SettingsError) as told:
        load_clients(clients_file(tmp_path, entry_a(jku="https://user:hush@ehr-a.example.org/set.json")))
    assert "hush" not in str(told.value)
    assert "ehr-a.example.org/set.json: an absolute" in str(told.value)


@pytest.mark.parametrize(
    "entries",
    [
        [entry_a(issuer="")],
        [entry_a(name="")],
        [entry_a(name="ehr\na")],
        [entry_a(issuer=" https://ehr-a.example.org")],
        [entry_a(tenant="north ")],
        [entry_a(keys="", jku="")],
        [entry_a(keys="missing.json")],
        [entry_a(colour="blue")],
        [entry_a(jku="http://ehr-a.example.org/set.json")],
        [entry_a(jku="https://user:x@ehr-a.example.org/set.json")],
        [entry_a(jku="file:///etc/passwd")],
        [entry_a(fhir_servers=["http://fhir.example.org"])],
        [entry_a(fhir_servers=["fhir.example.org"])],
        [entry_a(fhir_servers=["https://fhir.example.org/r4?x=1"])],
        [entry_a(fhir_servers=["https://fhir.example.org/r4#x"])],
        [entry_a(fhir_servers=["https://fhir.example.org:99999/r4"])],
        [entry_a(fhir_servers=["https://[/r4"])],
        [entry_a(fhir_servers=["https://fhir.example.org/a%2Fr4"])],
        [entry_a(fhir_servers=["https://fhir.example.org/a/../r4"])],
        [entry_a(fhir_servers=["https://fhir.example.org/r4é"])],
        [entry_a(calls_per_second=0)],
        [entry_a(), entry_a(name="again")],
        [entry_a(), entry_a(name="again", tenant="t")],
        [entry_a(tenant="t"), entry_a(name="again", tenant="t")],
        [entry_a(), entry_b(name="ehr-a")],
        [{"name": "x"}],
        ["x"],
    ],
    ids=str,
)
def test_what_cannot_be_meant_is_refused(tmp_path, entries):
    with pytest.raises(SettingsError, match=r"^CDS_CLIENTS: "):
        load_clients(clients_file(tmp_path, *entries))


def test_a_file_that_is_no_text_is_refused(tmp_path):
    path = tmp_path / "clients.yaml"
    path.write_bytes(b"clients: \xff")
    with pytest.raises(SettingsError, match=r"^CDS_CLIENTS: "):
        load_clients(path)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "expected a list of them under 'clients'"),
        ("clients: nope", "expected a list of them under 'clients'"),
        ("- {name: a}", "expected a list of them under 'clients'"),
        ("clients: []", "expected a list of them under 'clients'"),
        (
            "{clients: [{name: a}], calls_per_second: 5}",
            "nothing but 'clients' was expected, found 'calls_per_second'",
        ),
        (
            "clients: [{name: a, issuer: b, key: c, fhir_servers: d}]",
            "clients.0.fhir_servers: expected a list, found 'd'; clients.0.key: no such key, found 'c'",
        ),
        ("clients: [{name: a, issuer: [b]}]", "clients.0.issuer: Input should be a valid string, found \"['b']\""),
        ("clients: [{name: a}]", "clients.0.issuer: missing, found \"{'name': 'a'}\""),
    ],
)
def test_a_fault_says_where_it_is_and_what_was_expected(tmp_path, text, told):
    path = tmp_path / "clients.yaml"
    path.write_text(text)
    with pytest.raises(SettingsError) as caught:
        load_clients(path)
    assert str(caught.value) == f"CDS_CLIENTS: clients.yaml: {told}"


def test_every_fault_is_told_at_once(tmp_path):
    path = clients_file(tmp_path, entry_a(keys="missing.json"), entry_b(fhir_servers=["http://x.example.org"]))
    with pytest.raises(SettingsError) as caught:
        load_clients(path)
    assert [line.split(": ")[1] for line in str(caught.value).splitlines()] == ["ehr-a", "ehr-b"]


def test_plain_http_is_for_development(tmp_path):
    path = clients_file(tmp_path, entry_a(fhir_servers=["http://127.0.0.1:8080/fhir"]))
    assert load_clients(path, development=True).fhir_servers == {"http://127.0.0.1:8080/fhir"}


def test_a_private_key_in_the_set_stops_the_start_and_is_not_shown(tmp_path):
    path = clients_file(tmp_path, entry_a())
    private = private_jwk(ES384.key, "k")
    (tmp_path / "a.json").write_text(json.dumps({"keys": [private]}))
    with pytest.raises(SettingsError, match="public half") as caught:
        load_clients(path)
    assert private["d"] not in str(caught.value)


def test_two_keys_of_one_id_for_one_algorithm_stop_the_start(tmp_path):
    path = clients_file(tmp_path, entry_a())
    keys = [public_jwk(ES384.key, "k"), public_jwk(ES512.key, "k")]
    (tmp_path / "a.json").write_text(json.dumps({"keys": keys}))
    assert load_clients(path).find(ISSUER_A, None), "one kid for keys of different kinds is no fault"
    (tmp_path / "a.json").write_text(json.dumps({"keys": [*keys, public_jwk(private_key("P-384", "z"), "k")]}))
    with pytest.raises(SettingsError, match="two keys of one kid"):
        load_clients(path)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.dates() | st.sampled_from(["https://[", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
FIELDS = st.sampled_from(["name", "issuer", "keys", "jku", "fhir_servers", "tenant", "calls_per_second"])


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.dictionaries(FIELDS, ANYTHING, max_size=3))
def test_whatever_stands_in_an_entry_is_meant_or_is_a_settings_error(tmp_path, changes):
    """A running service reads the file again: another kind of error would end it."""
    path = tmp_path / "clients.yaml"
    path.write_text(yaml.safe_dump({"clients": [entry_a(keys="", **changes) if "keys" not in changes else changes]}))
    with contextlib.suppress(SettingsError):
        load_clients(path)


DEEP = "[" * 5000


TWICE = "clients: [{name: a, issuer: b, jku: 'https://a/k', fhir_servers: ['https://a/r'], fhir_servers: []}]"


FILES = [TWICE, "", "clients:", "clients: []", "- x", "{", "clients: 7", "a: 2026-99-99", DEEP]


@pytest.mark.parametrize("text", FILES)
def test_a_file_without_clients_is_a_fault(tmp_path, text):
    path = tmp_path / "clients.yaml"
    path.write_text(text)
    with pytest.raises(SettingsError):
        load_clients(path)
