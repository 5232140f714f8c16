"""Tokens that must not open the door. Each is refused, for the reason that it is about, with the very same answer."""

from __future__ import annotations

import hashlib
import hmac
import json
import random
import string
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization

from tests.support import tokens
from tests.support.calls import assert_refused, post
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
    STRANGER,
    Signer,
    at,
    by_hand,
    claims,
    in_seconds,
    private_key,
    rsa_signer,
    segment,
)

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
