"""Tokens that must not open the door. Each is refused, for the reason that it is about, with the very same answer."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import random
import string
import time
from collections.abc import Callable, Iterator
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization

from tests.support import tokens
from tests.support.calls import BODY, answer_nothing, assert_refused, post
from tests.support.tokens import (
    ES384,
    ES512,
    ISSUER_A,
    ISSUER_B,
    JKU_A,
    OF_B,
    PUBLIC_URL,
    RSA_KEY_ID,
    SIGN,
    Signer,
    by_hand,
    claims,
    private_key,
    rsa_signer,
    segment,
)

STRANGER = Signer("ES384", private_key("P-384", "stranger"), ES384.key_id)
HEADER = {"alg": "ES384", "typ": "JWT", "kid": ES384.key_id}


def pem() -> bytes:
    public = private_key("RSA2048").public_key()
    return public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def hmac_with(secret: bytes, algorithm: str = "HS256") -> str:
    digest = {"HS256": hashlib.sha256, "HS384": hashlib.sha384}[algorithm]
    header = {"alg": algorithm, "typ": "JWT", "kid": RSA_KEY_ID}
    return by_hand(header, claims(), lambda signed: hmac.new(secret, signed, digest).digest())


def changed_payload(token: str, **changes: object) -> str:
    header, payload, signature = token.split(".")
    read = jwt.decode(token, options={"verify_signature": False})
    assert payload
    return f"{header}.{segment(read | changes)}.{signature}"


def without_signature(token: str) -> str:
    return token.rsplit(".", 1)[0] + "."


def signed_by_hand(header: dict[str, object], payload: Any) -> str:
    """With a signature by the right key over whatever header and payload."""
    signer = jwt.get_algorithm_by_name("ES384")
    content = payload() if callable(payload) else payload
    return by_hand(header, content, lambda signed: signer.sign(signed, ES384.key))


def unsigned(header: object, payload: object) -> str:
    return f"{segment(header)}.{segment(payload)}.{segment(b'x')}"


def of(maker: Callable[..., str], *arguments: Any, **changes: Any) -> Callable[[], str]:
    """A header made when the test runs: times are those of then."""
    return lambda: f"Bearer {maker(*arguments, **changes)}"


def es384(headers: dict[str, object] | None = None, **changes: Any) -> Callable[[], str]:
    return of(ES384.token, headers=headers, **changes)


def in_seconds(seconds: float) -> int:
    return int(time.time() + seconds)


def at(**seconds: float) -> Callable[[], str]:
    """A token with claims so many seconds from now."""
    return lambda: ES384.bearer(**{name: in_seconds(value) for name, value in seconds.items()})


ATTACKS: dict[str, tuple[str, Callable[[], str]]] = {
    # no token, or none that can be read
    "empty": ("not_a_bearer_token", lambda: ""),
    "scheme alone": ("not_a_bearer_token", lambda: "Bearer "),
    "basic": ("not_a_bearer_token", lambda: "Basic YTpi"),
    "lower-case scheme": ("not_a_bearer_token", lambda: f"bearer {ES384.token()}"),
    "no scheme": ("not_a_bearer_token", ES384.token),
    "two spaces": ("not_a_bearer_token", lambda: f"Bearer  {ES384.token()}"),
    "tab": ("not_a_bearer_token", lambda: f"Bearer\t{ES384.token()}"),
    "space within": ("not_a_bearer_token", lambda: f"{ES384.bearer()} x"),
    "padded base64": ("not_a_bearer_token", lambda: f"{ES384.bearer()}="),
    "non-ASCII": ("not_a_bearer_token", lambda: f"{ES384.bearer()}é"),
    "standard base64": ("not_a_bearer_token", lambda: f"Bearer {ES384.token()}+/"),
    "two tokens joined": ("not_a_bearer_token", lambda: f"{ES384.bearer()}, {ES384.bearer()}"),
    "huge": ("too_long", es384(padding="x" * 10_000)),
    "JWE, five parts": ("not_a_bearer_token", lambda: f"{ES384.bearer()}.{segment(b'iv')}.{segment(b'tag')}"),
    "two parts": ("not_a_bearer_token", lambda: f"Bearer {segment(HEADER)}.{segment({})}"),
    "header no JSON": ("not_a_token", of(unsigned, b"{alg}", {})),
    "header a list": ("not_a_token", of(unsigned, [], {})),
    "header not UTF-8": ("not_a_token", of(unsigned, b"{\xff}", {})),
    "header nested deeply": ("not_a_token", of(unsigned, b"[" * 3000, {})),
    "payload nested deeply": ("not_a_token", of(signed_by_hand, HEADER, b"[" * 3000)),
    "payload a list": ("not_a_token", of(signed_by_hand, HEADER, [1])),
    "payload a token": ("not_a_token", lambda: f"Bearer {signed_by_hand(HEADER, ES384.token().encode())}"),
    "huge number": ("not_a_token", of(signed_by_hand, HEADER, b'{"exp":' + b"9" * 4500 + b"}")),
    # algorithms
    "none": ("algorithm_not_allowed", lambda: f"Bearer {by_hand(HEADER | {'alg': 'none'}, claims())}{segment(b'x')}"),
    "None": ("algorithm_not_allowed", lambda: f"Bearer {by_hand(HEADER | {'alg': 'None'}, claims())}{segment(b'x')}"),
    "none, no signature": ("not_a_bearer_token", lambda: f"Bearer {by_hand(HEADER | {'alg': 'none'}, claims())}"),
    "HS256 with the public key as PEM": ("algorithm_not_allowed", lambda: f"Bearer {hmac_with(pem())}"),
    "HS384 with the key set": (
        "algorithm_not_allowed",
        lambda: f"Bearer {hmac_with(json.dumps(tokens.key_set_a()).encode(), 'HS384')}",
    ),
    "HS256 with an empty secret": ("algorithm_not_allowed", lambda: f"Bearer {hmac_with(b'')}"),
    "weaker curve": (
        "algorithm_not_allowed",
        of(Signer("ES256", private_key("P-256"), ES384.key_id).token),
    ),
    "weaker hash": ("algorithm_not_allowed", of(rsa_signer("RS256").token)),
    "algorithm in lower case": ("algorithm_not_allowed", of(signed_by_hand, HEADER | {"alg": "es384"}, claims)),
    "algorithm a list": ("algorithm_not_allowed", of(signed_by_hand, HEADER | {"alg": ["ES384"]}, claims)),
    "no algorithm": ("algorithm_not_allowed", of(signed_by_hand, {"typ": "JWT", "kid": ES384.key_id}, claims)),
    "another kind of key than the algorithm's": (
        "unknown_key",
        of(Signer("RS384", private_key("RSA2048"), ES384.key_id).token),
    ),
    "another curve than the key's": ("unknown_key", of(Signer("ES512", private_key("P-521"), ES384.key_id).token)),
    # keys
    "stranger's key": ("InvalidSignatureError", of(STRANGER.token)),
    "another client's key": ("unknown_key", of(Signer("ES384", OF_B.key, OF_B.key_id).token)),
    "another client's key id": ("unknown_key", es384(headers={"kid": OF_B.key_id})),
    "another key's id": ("unknown_key", es384(headers={"kid": ES512.key_id})),
    "no key id": ("no_key_id", of(signed_by_hand, {"alg": "ES384", "typ": "JWT"}, claims)),
    "empty key id": ("no_key_id", es384(headers={"kid": ""})),
    "key id a number": ("not_a_token", of(signed_by_hand, HEADER | {"kid": 1}, claims)),
    "key id a path": ("unknown_key", es384(headers={"kid": "../../../../dev/null"})),
    "key id a query": ("unknown_key", es384(headers={"kid": "'OR'1'='1"})),
    "key id an address": ("unknown_key", es384(headers={"kid": "https://attacker.example.org/key"})),
    "key id with a line break": ("no_key_id", es384(headers={"kid": "a-es384\n"})),
    "key brought along": (
        "header_not_allowed",
        of(STRANGER.token, headers={"jwk": tokens.public_jwk(STRANGER.key, ES384.key_id)}),
    ),
    "certificate brought along": ("header_not_allowed", of(STRANGER.token, headers={"x5c": ["MIIB"]})),
    "certificate elsewhere": (
        "header_not_allowed",
        of(STRANGER.token, headers={"x5u": "https://attacker.example.org/c.pem"}),
    ),
    "jku elsewhere": ("jku_not_allowed", es384(headers={"jku": "https://attacker.example.org/set.json"})),
    "jku look-alike": ("jku_not_allowed", es384(headers={"jku": JKU_A.replace("example", "examp1e")})),
    "jku with userinfo": ("jku_not_allowed", es384(headers={"jku": JKU_A.replace("https://", "https://x@")})),
    "jku longer": ("jku_not_allowed", es384(headers={"jku": f"{JKU_A}?x"})),
    "jku in a list": ("jku_not_allowed", es384(headers={"jku": [JKU_A]})),
    "jku of a client without one": (
        "jku_not_allowed",
        of(OF_B.token, headers={"jku": JKU_A}, iss=ISSUER_B),
    ),
    # the rest of the header
    "crit": ("not_a_token", of(signed_by_hand, HEADER | {"crit": ["exp"], "exp": 1}, claims)),
    "b64": ("header_not_allowed", of(signed_by_hand, HEADER | {"b64": True}, claims)),
    "b64 and crit": ("header_not_allowed", of(signed_by_hand, HEADER | {"b64": True, "crit": ["b64"]}, claims)),
    "b64 off": ("not_a_token", of(signed_by_hand, HEADER | {"b64": False, "crit": ["b64"]}, claims)),
    "compressed": ("header_not_allowed", es384(headers={"zip": "DEF"})),
    "another type of token": ("not_typ_jwt", es384(headers={"typ": "at+jwt"})),
    "no type": ("not_typ_jwt", of(signed_by_hand, {"alg": "ES384", "kid": ES384.key_id}, claims)),
    # signatures
    "stripped signature": ("not_a_bearer_token", lambda: f"Bearer {without_signature(ES384.token())}"),
    "signature of zeros": (
        "InvalidSignatureError",
        lambda: f"Bearer {without_signature(ES384.token())}{segment(bytes(96))}",
    ),
    "short signature": ("InvalidSignatureError", lambda: f"Bearer {ES384.token()[:-4]}"),
    "another token's signature": (
        "InvalidSignatureError",
        lambda: f"Bearer {without_signature(ES384.token())}{ES384.token().rsplit('.', 1)[1]}",
    ),
    "changed payload": ("InvalidSignatureError", lambda: f"Bearer {changed_payload(ES384.token(), sub='admin')}"),
    "changed issuer": ("unknown_key", lambda: f"Bearer {changed_payload(ES384.token(), iss=ISSUER_B)}"),
    # who
    "unknown issuer": ("unknown_client", es384(iss="https://ehr-c.example.org")),
    "public sandbox": ("unknown_client", es384(iss="https://sandbox.cds-hooks.org")),
    "issuer with a slash": ("unknown_client", es384(iss=f"{ISSUER_A}/")),
    "issuer in capitals": ("unknown_client", es384(iss=ISSUER_A.upper())),
    "issuer a list": ("unknown_client", of(signed_by_hand, HEADER, lambda: claims(iss=[ISSUER_A]))),
    "issuer an object": ("unknown_client", of(signed_by_hand, HEADER, lambda: claims(iss={ISSUER_A: 1}))),
    "issuer with half a character": ("unknown_client", es384(iss="\ud800")),
    "no issuer": ("unknown_client", es384(iss=None)),
    # for whom
    "no audience": ("MissingRequiredClaimError", es384(aud=None)),
    "empty audience": ("MissingRequiredClaimError", es384(aud="")),
    "audience elsewhere": ("InvalidAudienceError", es384(aud=f"https://cds.example.com/pgx{SIGN}")),
    "audience by http": ("InvalidAudienceError", es384(aud=f"http://cds.example.org/pgx{SIGN}")),
    "audience the base": ("InvalidAudienceError", es384(aud=PUBLIC_URL)),
    "audience a prefix": ("InvalidAudienceError", es384(aud=f"{PUBLIC_URL}{SIGN}"[:-1])),
    "audience longer": ("InvalidAudienceError", es384(aud=f"{PUBLIC_URL}{SIGN}?x=1")),
    "audience discovery": ("InvalidAudienceError", es384(path="/cds-services")),
    "audience another service": ("InvalidAudienceError", es384(path="/cds-services/patient-view")),
    "audience feedback": ("InvalidAudienceError", es384(path=f"{SIGN}/feedback")),
    "audience behind the proxy": ("InvalidAudienceError", es384(aud=f"http://localhost{SIGN}")),
    "audience a list": ("InvalidAudienceError", es384(aud=[f"{PUBLIC_URL}{SIGN}", "https://other.example.org"])),
    "audience a list of one": ("InvalidAudienceError", es384(aud=[f"{PUBLIC_URL}{SIGN}"])),
    "audience an object": ("InvalidAudienceError", es384(aud={f"{PUBLIC_URL}{SIGN}": 1})),
    # when
    "no expiry": ("MissingRequiredClaimError", es384(exp=None)),
    "no issue time": ("MissingRequiredClaimError", es384(iat=None)),
    "expired": ("ExpiredSignatureError", at(iat=-400, exp=-61)),
    "issued in the future": ("ImmatureSignatureError", at(iat=90, exp=300)),
    "not yet valid": ("ImmatureSignatureError", at(nbf=90)),
    "expiry as text": ("time_not_a_number", lambda: ES384.bearer(exp=str(in_seconds(300)))),
    "issue time as text": ("time_not_a_number", lambda: ES384.bearer(iat=str(in_seconds(0)))),
    "not-before as text": ("time_not_a_number", es384(nbf="0")),
    "expiry true": ("ExpiredSignatureError", es384(exp=True)),
    "issue time false": ("time_not_a_number", es384(iat=False)),
    "expiry far away": ("lifetime", at(exp=10**9)),
    "expiry infinite": ("DecodeError", es384(exp=float("inf"))),
    "expiry no number": ("DecodeError", es384(exp=float("nan"))),
    "expiry a list": ("DecodeError", es384(exp=[1])),
    "expiry beyond every number": ("time_not_a_number", es384(exp=10**400)),
    "issue time before every number": ("time_not_a_number", es384(iat=-(10**400))),
    "issue time beyond every number": ("ImmatureSignatureError", es384(iat=10**400)),
    "issue time infinite": ("InvalidIssuedAtError", es384(iat=float("-inf"))),
    "not-before before every number": ("time_not_a_number", es384(nbf=-(10**400))),
    "not-before beyond every number": ("ImmatureSignatureError", es384(nbf=10**400)),
    "not-before no number": ("DecodeError", es384(nbf=float("nan"))),
    "issued long ago, valid for long": ("lifetime", at(iat=-1000)),
    "issued after its expiry": ("lifetime", at(iat=50, exp=20)),
    # which
    "no token id": ("MissingRequiredClaimError", es384(jti=None)),
    "empty token id": ("jti", es384(jti="")),
    "token id a number": ("InvalidJTIError", es384(jti=7)),
    "token id without end": ("jti", es384(jti="x" * 600)),
}


@pytest.fixture
def guarded(client_with, tmp_path):
    """Makes clients of apps, each a worker of its own, on one database."""

    def make(*entries: dict[str, Any], **changes: Any):
        fields = {"development": False, "clients": tokens.clients_file(tmp_path, *entries), "public_url": PUBLIC_URL}
        return client_with(answer_nothing, **fields | {"log_level": "WARNING"} | changes)

    return make


@pytest.fixture
def reasons() -> Iterator[list[str]]:
    """Why callers were refused, from the log."""
    found: list[str] = []

    class Reader(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            line = json.loads(record.getMessage())
            if line["event"] == "unauthenticated":
                found.append(line["reason"])

    reader = Reader()
    logging.getLogger("cds_service").addHandler(reader)
    yield found
    logging.getLogger("cds_service").removeHandler(reader)


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_refused(guarded, reasons, name):
    expected, attack = ATTACKS[name]
    assert_refused(post(guarded(), attack()))
    assert [expected] == reasons


def test_there_are_enough_of_them():
    assert len(ATTACKS) >= 40


def test_no_change_of_one_character_is_accepted(guarded):
    client, chosen = guarded(), random.Random(5)
    token = ES384.token()
    alphabet = string.ascii_letters + string.digits + "-_.=+/ \"'"
    for _ in range(300):
        at_character = chosen.randrange(len(token))
        other = chosen.choice(alphabet.replace(token[at_character], ""))
        assert_refused(post(client, f"Bearer {token[:at_character]}{other}{token[at_character + 1 :]}"))
    assert post(client, f"Bearer {token}").status_code == 200


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
