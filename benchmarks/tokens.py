"""A client with a key of its own, and as many signed tokens as calls: each is of one use."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import jwt
import yaml
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from benchmarks.calls import PATH

_PUBLIC_URL, _ISSUER, _KEY_ID = "https://cds.example.org", "https://ehr.example.org", "benchmark"


@dataclass(frozen=True, slots=True)
class Caller:
    """A client that the file `clients` names. No key of it is real."""

    key: Any
    clients: Path

    def environment(self) -> dict[str, str]:
        """Settings under which the service lets it in, as often as it likes."""
        return {
            "CDS_CLIENTS": str(self.clients), "CDS_PUBLIC_URL": _PUBLIC_URL, "CDS_CALLS_PER_SECOND": "100000",
        }  # fmt: skip

    def tokens(self, count: int, file: Path) -> Path:
        """The file, with `count` new tokens, one a line."""
        file.write_text("\n".join(self._token() for _ in range(count)))
        return file

    def _token(self) -> str:
        now = int(time.time())
        claims = {"iss": _ISSUER, "aud": f"{_PUBLIC_URL}{PATH}", "iat": now, "exp": now + 600, "jti": str(uuid4())}
        return jwt.encode(claims, self.key, "ES384", headers={"kid": _KEY_ID})


def caller(folder: Path) -> Caller:
    """A new client; its files are put into `folder`."""
    key = ec.generate_private_key(ec.SECP384R1())
    public = {**ECAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": _KEY_ID, "use": "sig", "alg": "ES384"}
    (folder / "keys.json").write_text(json.dumps({"keys": [public]}))
    entry = {
        "name": "benchmark", "issuer": _ISSUER, "keys": "keys.json",
        "fhir_servers": ["https://ehr.example.org/fhir/r4"],
    }  # fmt: skip
    (folder / "clients.yaml").write_text(yaml.safe_dump({"clients": [entry]}))
    return Caller(key, folder / "clients.yaml")
