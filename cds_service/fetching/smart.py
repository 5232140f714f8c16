"""An access token by SMART Backend Services (SMART App Launch 2.2, Backend Services and Asymmetric Client
Authentication): a JWT signed with the client's private key, exchanged at the server's token endpoint.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias
from urllib.parse import urlencode, urlsplit
from uuid import uuid4

import jwt
import orjson
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from cds_service.errors import SettingsError
from cds_service.fetching.addresses import is_this_machine
from cds_service.fetching.client import FetchError, FhirClient, open_session
from cds_service.fetching.deadline import Deadline
from cds_service.fetching.sending import Reply, send

_CONFIGURATION = ".well-known/smart-configuration"
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ASSERTION_LIFE_S = 300  # the longest that the specification allows
_LARGEST_BYTES = 1_000_000
_CURVES = {"secp384r1": "P-384", "secp256r1": "P-256", "secp521r1": "P-521"}
_ALGORITHMS = {"RSA": "RS384", "EC P-384": "ES384"}

PrivateKey: TypeAlias = RSAPrivateKey | EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class BackendClient:
    """A client as registered with the server. `private_key` is a PEM or a private JWK, as text; `key_id` the
    `kid` under which its public half was registered, which a JWK says itself.
    """

    client_id: str
    private_key: str = field(repr=False)
    scope: str
    key_id: str = ""
    token_url: str = ""
    """Asked of the server's configuration where it is empty."""


def access_token(base_url: str, client: BackendClient, now_s: float, deadline: Deadline) -> str:
    """A bearer token for the FHIR server at `base_url`; `now_s` is the time in seconds since 1970.

    Raises SettingsError where the key or the server's configuration is not usable, and where the server refuses the
    client; FetchError where it does not answer.
    """
    session = open_session(connections=1)
    try:
        token_url = client.token_url or _token_url(FhirClient(session, base_url, "", _LARGEST_BYTES), deadline)
        _check_secure(token_url)
        content = urlencode(
            {
                "grant_type": "client_credentials",
                "scope": client.scope,
                "client_assertion_type": _ASSERTION_TYPE,
                "client_assertion": assertion(client, token_url, now_s),
            }
        ).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        reply = send(session, "POST", token_url, content=content, headers=headers, deadline=deadline)
        return _token(reply, token_url)
    finally:
        session.close()


def assertion(client: BackendClient, token_url: str, now_s: float) -> str:
    """The signed JWT that proves who the client is. Raises SettingsError."""
    key, algorithm, key_id = _signing_key(client)
    claims = {
        "iss": client.client_id,
        "sub": client.client_id,
        "aud": token_url,
        "exp": int(now_s) + _ASSERTION_LIFE_S,
        "iat": int(now_s),
        "jti": str(uuid4()),
    }
    return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": key_id})


def is_loopback(url: str) -> bool:
    """Whether the host of `url` is this machine, by its name or address alone (nothing is looked up)."""
    return is_this_machine(urlsplit(url).hostname or "")


def _token_url(client: FhirClient, deadline: Deadline) -> str:
    try:
        configuration = client.read(_CONFIGURATION, deadline)
    except FetchError as fault:
        raise SettingsError(
            f"the server's {_CONFIGURATION} could not be read ({fault.reason}); name the token endpoint itself"
        ) from fault
    url = configuration.get("token_endpoint") if isinstance(configuration, dict) else None
    if not isinstance(url, str) or not urlsplit(url).hostname:
        raise SettingsError(f"the server's {_CONFIGURATION} names no token_endpoint; name it yourself")
    return url


def _check_secure(url: str) -> None:
    if urlsplit(url).scheme != "https" and not is_loopback(url):
        raise SettingsError(f"the token endpoint is not https: {url}")


def _token(reply: Reply, token_url: str) -> str:
    body: Mapping[str, object] = reply.body if isinstance(reply.body, dict) else {}
    token = body.get("access_token")
    if reply.status == 200 and isinstance(token, str) and token:
        return token
    told = (f"HTTP {reply.status}", *(str(body[name]) for name in ("error", "error_description") if body.get(name)))
    raise SettingsError(f"{token_url} gave no access token ({' '.join(told)})")


def _signing_key(client: BackendClient) -> tuple[PrivateKey, str, str]:
    """The key, its algorithm and its id. Raises SettingsError."""
    text = client.private_key.strip()
    key, own_id = _from_jwk(text) if text.startswith("{") else (_from_pem(text), "")
    kind = _kind_of(key)
    if not isinstance(key, RSAPrivateKey | EllipticCurvePrivateKey) or kind not in _ALGORITHMS:
        raise SettingsError(f"the private key is {kind}; expected RSA (RS384) or EC P-384 (ES384)")
    key_id = client.key_id or own_id
    if not key_id:
        raise SettingsError("the id (kid) of the private key is not known: name it, or give the key as a JWK")
    return key, _ALGORITHMS[kind], key_id


def _kind_of(key: object) -> str:
    """`RSA`, `EC P-384` and the like; the name of its type for what is neither."""
    if isinstance(key, EllipticCurvePrivateKey):
        return f"EC {_CURVES.get(key.curve.name, key.curve.name)}"
    return "RSA" if isinstance(key, RSAPrivateKey) else type(key).__name__


def _from_jwk(text: str) -> tuple[PrivateKey, str]:
    """The key and the `kid` that stands in it."""
    try:
        jwk = orjson.loads(text)
        reader = RSAAlgorithm if jwk.get("kty") == "RSA" else ECAlgorithm
        key = reader.from_jwk(jwk)
    except (orjson.JSONDecodeError, ValueError, KeyError, jwt.InvalidKeyError) as fault:
        raise SettingsError("the private key is not a usable JWK (kty RSA, or EC with crv P-384)") from fault
    if not isinstance(key, RSAPrivateKey | EllipticCurvePrivateKey):
        raise SettingsError("the JWK holds a public key; the private one is needed to sign")
    return key, str(jwk.get("kid", ""))


def _from_pem(text: str) -> object:
    try:
        return load_pem_private_key(text.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as fault:
        raise SettingsError("the private key is neither an unencrypted PEM nor a JWK") from fault
