"""Who is let in: with which tokens, where, and how often."""

from __future__ import annotations

import json
import time

import pytest

from tests.support import tokens
from tests.support.calls import BODY, answer_nothing, assert_refused, post
from tests.support.tokens import (
    ES384,
    ES512,
    ISSUER_B,
    JKU_A,
    OF_B,
    PUBLIC_URL,
    SIGN,
    STRANGER,
    at,
    in_seconds,
    rsa_signer,
)

SIGNERS = [ES384, ES512, *map(rsa_signer, ("RS384", "RS512", "PS384", "PS512"))]


@pytest.mark.parametrize("signer", SIGNERS, ids=lambda signer: signer.algorithm)
def test_every_algorithm_of_the_list_is_accepted(guarded, signer):
    assert post(guarded(), signer.bearer()).status_code == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"headers": {"jku": JKU_A}},
        {"headers": {"x5t": "abc"}},
        {"nbf": 0},
        {"sub": "someone"},
        {"tenant": "any"},
        {"jti": "kürbis \ud800"},
    ],
    ids=str,
)
def test_what_a_good_token_may_also_hold(guarded, changes):
    assert post(guarded(), ES384.bearer(**changes)).status_code == 200


@pytest.mark.parametrize("seconds", [{"iat": 50, "exp": 300}, {"iat": -300, "exp": -50}, {"nbf": 50}], ids=str)
def test_clocks_may_differ_by_a_minute(guarded, seconds):
    assert post(guarded(), at(**seconds)()).status_code == 200


def test_a_time_may_have_a_fraction(guarded):
    now = time.time()
    assert post(guarded(), ES384.bearer(iat=now, exp=now + 60.5)).status_code == 200


@pytest.mark.parametrize(("lives_s", "status"), [(600, 200), (601, 401)])
def test_a_token_may_live_as_long_as_the_setting_says_and_no_longer(guarded, lives_s, status):
    now = int(time.time())
    assert post(guarded(longest_token_s=600), ES384.bearer(iat=now, exp=now + lives_s)).status_code == status


PATHS = [("GET", "/cds-services"), ("POST", SIGN), ("POST", f"{SIGN}/feedback")]
NOWHERE = [("GET", SIGN), ("POST", "/cds-services/none"), ("GET", "/nowhere"), ("HEAD", "/cds-services")]


@pytest.mark.parametrize(("method", "path"), PATHS + NOWHERE)
def test_without_a_token_no_path_says_more_than_401(guarded, method, path):
    response = guarded().open(path, method=method, json={} if method == "POST" else None)
    assert response.status_code == 401
    if method != "HEAD":
        assert_refused(response)


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_every_endpoint_takes_a_token_for_its_own_address(guarded, method, path):
    client = guarded()
    headers = {"Authorization": ES384.bearer(path=path)}
    entry = {
        "card": "3f9a6b0e-8a53-4a0a-9d52-0d8d9f3c8d11",
        "outcome": "overridden",
        "outcomeTimestamp": "2026-11-22T10:05:31Z",
    }
    body = {"feedback": [entry]} if path.endswith("feedback") else BODY
    response = client.open(path, method=method, headers=headers, json=body if method == "POST" else None)
    assert response.status_code in (200, 204)


def test_preflight_health_and_pages_need_none(guarded):
    client = guarded()
    assert client.options(SIGN).status_code == 200
    for path in ("/healthz", "/readyz", "/", "/about/decision-support"):
        assert client.get(path).status_code == 200


def test_in_development_only_this_machine_may_call_with_a_token_too(guarded):
    client = guarded(development=True)
    headers = {"Authorization": ES384.bearer()}
    elsewhere = client.post(SIGN, json=BODY, headers=headers, environ_base={"REMOTE_ADDR": "10.0.0.7"})
    assert elsewhere.status_code == 403
    assert client.post(SIGN, json=BODY, headers=headers).status_code == 200


def test_a_token_in_the_query_or_the_body_is_none(guarded, reasons):
    client = guarded()
    token = ES384.token()
    assert_refused(client.post(f"{SIGN}?access_token={token}&Authorization=Bearer%20{token}", json=BODY))
    assert_refused(client.post(SIGN, json=BODY | {"access_token": token}))
    assert_refused(client.post(SIGN, json=BODY, headers={"X-Authorization": f"Bearer {token}"}))
    assert reasons == ["no_token"] * 3


def test_two_headers_are_refused(guarded):
    two = [("Authorization", ES384.bearer()), ("Authorization", STRANGER.bearer())]
    assert_refused(guarded().post(SIGN, json=BODY, headers=two))
    assert_refused(guarded().post(SIGN, json=BODY, headers=[two[0], two[0]]))


def test_the_host_header_does_not_say_who_we_are(guarded):
    headers = {"Authorization": ES384.bearer(aud=f"https://other.example.org{SIGN}"), "Host": "other.example.org"}
    forwarded = {"X-Forwarded-Host": "other.example.org", "X-Forwarded-Proto": "https"}
    assert_refused(guarded().post(SIGN, json=BODY, headers=headers | forwarded))


def test_the_body_is_not_read_before_the_token(guarded):
    client = guarded()
    assert_refused(client.post(SIGN, data=b"{" * 6_000_000, content_type="application/json"))
    assert_refused(client.post(SIGN, data=b"x", content_type="text/plain"))


def test_a_token_is_used_once_in_a_worker(guarded, reasons):
    client, bearer = guarded(), ES384.bearer()
    assert post(client, bearer).status_code == 200
    assert_refused(post(client, bearer))
    assert reasons == ["used_before"]


def test_a_token_is_used_once_across_workers(guarded):
    first, second, bearer = guarded(), guarded(), ES384.bearer()
    assert post(first, bearer).status_code == 200
    assert_refused(post(second, bearer))


def test_a_token_is_used_once_across_restarts(guarded):
    bearer = ES384.bearer()
    client = guarded()
    assert post(client, bearer).status_code == 200
    client.application.extensions["cds_service"].store.close()
    assert_refused(post(guarded(), bearer))


def test_another_token_with_the_same_id_is_the_same(guarded):
    client = guarded()
    assert post(client, ES384.bearer(jti="one")).status_code == 200
    assert_refused(post(client, ES384.bearer(jti="one", sub="x")))
    assert_refused(post(client, ES512.bearer(jti="one")))
    assert post(client, OF_B.bearer(iss=ISSUER_B, jti="one")).status_code == 200


def test_a_refused_token_does_not_use_up_the_id_of_a_good_one(guarded):
    client = guarded()
    assert_refused(post(client, STRANGER.bearer(jti="one")))
    assert post(client, ES384.bearer(jti="one")).status_code == 200


def test_used_tokens_are_kept_as_digests_until_they_expire(guarded):
    client = guarded()
    post(client, ES384.bearer(jti="canary-jti"))
    store = client.application.extensions["cds_service"].store
    with store._engine.connect() as connection:
        ((digest, expires_at_s),) = connection.exec_driver_sql("SELECT * FROM used_token").all()
    assert len(digest) == 64
    assert abs(expires_at_s - in_seconds(420)) <= 5


def test_a_removed_client_is_refused(guarded):
    assert post(guarded(), OF_B.bearer(iss=ISSUER_B)).status_code == 200
    assert_refused(post(guarded(tokens.entry_a()), OF_B.bearer(iss=ISSUER_B)))


def test_a_client_cannot_speak_for_another(guarded, reasons):
    assert_refused(post(guarded(), OF_B.bearer()))
    assert_refused(post(guarded(), ES384.bearer(iss=ISSUER_B)))
    assert reasons == ["unknown_key", "unknown_key"]


def test_tenants_of_one_issuer_are_told_apart(guarded):
    both = (
        tokens.entry_a(name="north", tenant="n", fhir_servers=["https://n.example.org/fhir"]),
        tokens.entry_a(name="south", tenant="s", fhir_servers=["https://s.example.org/fhir"]),
    )
    client = guarded(*both)
    body = BODY | {"fhirServer": "https://n.example.org/fhir"}
    assert_refused(post(client, ES384.bearer()))
    assert_refused(post(client, ES384.bearer(tenant="x")))
    assert post(client, ES384.bearer(tenant="s"), body=body).status_code == 403
    assert post(client, ES384.bearer(tenant="n")).status_code == 200


@pytest.mark.parametrize(
    "server",
    [
        tokens.SERVER_B,
        "https://fhir.ehr-a.example.org/r4/../admin",
        "https://fhir.ehr-a.example.org/r4/x",
        "https://fhir.ehr-a.example.org",
        "https://fhir.ehr-a.example.org:8443/r4",
        "http://fhir.ehr-a.example.org/r4",
        "https://fhir.ehr-a.example.org.attacker.example/r4",
        "https://169.254.169.254/r4",
    ],
)
def test_a_server_that_is_not_the_clients_is_403(guarded, server):
    response = post(guarded(), ES384.bearer(), body=BODY | {"fhirServer": server})
    assert response.status_code == 403
    assert json.loads(response.data)["issue"][0]["expression"] == ["fhirServer"]
    assert server not in response.text


@pytest.mark.parametrize(
    "spelling",
    [
        "https://fhir.ehr-a.example.org/r4/",
        "https://FHIR.ehr-a.example.org/r4",
        "https://fhir.ehr-a.example.org:443/r4",
    ],
)
def test_a_server_is_asked_as_the_configuration_writes_it(client_with, tmp_path, spelling):
    seen = []

    def look(request, *_):
        seen.append(request.fhir_server)
        return answer_nothing(request)

    client = client_with(
        look, development=False, clients=tokens.clients_file(tmp_path), public_url=PUBLIC_URL, answer_budget_ms=130
    )
    prefetch = dict.fromkeys(("patient", "medications", "results", "conditions", "allergies", "requests", "family"))
    response = post(client, ES384.bearer(), body=BODY | {"fhirServer": spelling, "prefetch": prefetch})
    assert response.status_code == 200
    assert seen == [tokens.SERVER_A]


def test_too_many_calls_are_429_and_other_clients_go_on(guarded):
    client = guarded(tokens.entry_a(calls_per_second=1), tokens.entry_b())
    answers = [post(client, ES384.bearer()) for _ in range(4)]
    assert [response.status_code for response in answers][:3] == [200, 200, 429]
    assert answers[2].headers["Retry-After"] == "1"
    assert json.loads(answers[2].data)["issue"][0]["code"] == "throttled"
    assert post(client, OF_B.bearer(iss=ISSUER_B)).status_code == 200


def test_a_store_that_does_not_answer_lets_nobody_in(guarded, caplog_json):
    client = guarded()
    with client.application.extensions["cds_service"].store._engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE used_token")
    response = post(client, ES384.bearer())
    assert response.status_code == 503
    assert json.loads(response.data)["issue"][0]["code"] == "transient"
    (line,) = caplog_json("token_not_kept")
    assert (line["level"], line["client"], line["fault"]) == ("ERROR", "ehr-a", "OperationalError SQLITE_ERROR")
