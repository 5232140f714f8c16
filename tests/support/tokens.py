"""Clients of made-up EHRs: their keys, their tokens, and the files that configure them. No key of these is real."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import jwt
import yaml
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

PUBLIC_URL = "https://cds.example.org/pgx"
SIGN = "/cds-services/order-sign"
ISSUER_A, ISSUER_B = "https://ehr-a.example.org", "https://ehr-b.example.org"
SERVER_A, SERVER_B = "https://fhir.ehr-a.example.org/r4", "https://fhir.ehr-b.example.org/r4"
JKU_A = "https://ehr-a.example.org/keys/set.json"
CURVES = {"P-256": ec.SECP256R1, "P-384": ec.SECP384R1, "P-521": ec.SECP521R1}


@cache
def private_key(kind: str, name: str = "") -> Any:
    """One key for each kind (a curve, or RSA with its bits) and name in a test run."""
    if kind.startswith("RSA"):
        return rsa.generate_private_key(public_exponent=65537, key_size=int(kind.removeprefix("RSA")))
    return ec.generate_private_key(CURVES[kind]())


def public_jwk(key: Any, key_id: str, **fields: object) -> dict[str, Any]:
    algorithm = ECAlgorithm if isinstance(key, ec.EllipticCurvePrivateKey) else RSAAlgorithm
    return {**algorithm.to_jwk(key.public_key(), as_dict=True), "kid": key_id, "use": "sig"} | fields


def private_jwk(key: Any, key_id: str) -> dict[str, Any]:
    return {**ECAlgorithm.to_jwk(key, as_dict=True), "kid": key_id}


def claims(path: str = SIGN, **changes: object) -> dict[str, Any]:
    """Those of a good token of client A; a change to None leaves the claim out."""
    now = int(time.time())
    good = {"iss": ISSUER_A, "aud": PUBLIC_URL + path, "exp": now + 300, "iat": now, "jti": str(uuid4())}
    return {name: value for name, value in (good | changes).items() if value is not None}


@dataclass(frozen=True)
class Signer:
    """A key of a client, as its EHR uses it."""

    algorithm: str
    key: Any
    key_id: str
    headers: Mapping[str, object] = field(default_factory=dict)

    def token(self, *, headers: Mapping[str, object] | None = None, path: str = SIGN, **changes: object) -> str:
        given = {"kid": self.key_id, **self.headers, **(headers or {})}
        return jwt.encode(claims(path, **changes), self.key, self.algorithm, headers=given)

    def bearer(self, **changes: Any) -> str:
        return f"Bearer {self.token(**changes)}"


def segment(value: object) -> str:
    content = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def by_hand(header: Mapping[str, object], payload: Any, sign: Any = None) -> str:
    """A token that PyJWT would not make. `sign` makes the signature of what is to be signed."""
    signed = f"{segment(header)}.{segment(payload)}"
    return f"{signed}.{segment(sign(signed.encode())) if sign else ''}"


ES384 = Signer("ES384", private_key("P-384"), "a-es384")
ES512 = Signer("ES512", private_key("P-521"), "a-es512")
RSA_KEY_ID = "a-rsa"
OF_B = Signer("ES384", private_key("P-384", "b"), "b-es384")


def rsa_signer(algorithm: str) -> Signer:
    return Signer(algorithm, private_key("RSA2048"), RSA_KEY_ID)


def key_set_a() -> dict[str, Any]:
    keys = ((ES384.key, ES384.key_id), (ES512.key, ES512.key_id), (private_key("RSA2048"), RSA_KEY_ID))
    return {"keys": [public_jwk(key, key_id) for key, key_id in keys]}


def key_set_b() -> dict[str, Any]:
    return {"keys": [public_jwk(OF_B.key, OF_B.key_id)]}


def entry_a(**changes: object) -> dict[str, Any]:
    fields = {"name": "ehr-a", "issuer": ISSUER_A, "keys": "a.json", "jku": JKU_A, "fhir_servers": [SERVER_A]}
    return {name: value for name, value in (fields | changes).items() if value is not None}


def entry_b(**changes: object) -> dict[str, Any]:
    return {"name": "ehr-b", "issuer": ISSUER_B, "keys": "b.json", "fhir_servers": [SERVER_B]} | changes


def clients_file(folder: Path, *entries: Mapping[str, Any]) -> Path:
    """A file of clients with their key sets beside it."""
    (folder / "a.json").write_text(json.dumps(key_set_a()))
    (folder / "b.json").write_text(json.dumps(key_set_b()))
    path = folder / f"clients-{len(list(folder.glob('clients-*')))}.yaml"
    path.write_text(yaml.safe_dump({"clients": list(entries) or [entry_a(), entry_b()]}))
    return path


STRANGER = Signer("ES384", private_key("P-384", "stranger"), ES384.key_id)


def in_seconds(seconds: float) -> int:
    return int(time.time() + seconds)


def at(**seconds: float) -> Callable[[], str]:
    """A token with claims so many seconds from now."""
    return lambda: ES384.bearer(**{name: in_seconds(value) for name, value in seconds.items()})
