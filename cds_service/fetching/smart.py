"""An access token by SMART Backend Services (SMART App Launch 2.2, Backend Services and Asymmetric Client
Authentication): a JWT signed with the client's private key, exchanged at the server's token endpoint.

Signing needs the optional dependency `smart` (PyJWT with cryptography).
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import uuid4

import orjson

from cds_service.errors import SettingsError
from cds_service.fetching.client import FetchError, FhirClient, open_session
from cds_service.fetching.deadline import Deadline
from cds_service.fetching.sending import Reply, send

_CONFIGURATION = ".well-known/smart-configuration"
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ASSERTION_LIFE_S = 300  # the longest that the specification allows
_LARGEST_BYTES = 1_000_000
_ALGORITHMS = {("RSA", ""): "RS384", ("EC", "P-384"): "ES384"}


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

    Raises SettingsError where the key, the dependency or the server's configuration is not usable, and
    where the server refuses the client; FetchError where it does not answer.
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
    try:
        jwt = importlib.import_module("jwt")
    except ImportError as fault:
        raise SettingsError("SMART Backend Services needs PyJWT: install the extra 'cds-service[smart]'") from fault
    key, algorithm, key_id = _signing_key(client)
    claims = {
        "iss": client.client_id,
        "sub": client.client_id,
        "aud": token_url,
        "exp": int(now_s) + _ASSERTION_LIFE_S,
        "iat": int(now_s),
        "jti": str(uuid4()),
    }
    return str(jwt.encode(claims, key, algorithm=algorithm, headers={"kid": key_id}))


def is_loopback(url: str) -> bool:
    """Whether the host of `url` is this machine, by its name or address alone (nothing is looked up)."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


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
    told = " ".join(str(body[name]) for name in ("error", "error_description") if body.get(name))
    raise SettingsError(f"{token_url} gave no access token (HTTP {reply.status} {told})".replace(" )", ")"))


def _signing_key(client: BackendClient) -> tuple[Any, str, str]:
    """The key, its algorithm and its id."""
    text = client.private_key.strip()
    key, kind, curve, key_id = _from_jwk(text) if text.startswith("{") else _from_pem(text)
    algorithm = _ALGORITHMS.get((kind, curve))
    if algorithm is None:
        raise SettingsError(f"the private key is {kind} {curve}; expected RSA (RS384) or EC P-384 (ES384)")
    chosen = client.key_id or key_id
    if not chosen:
        raise SettingsError("the id (kid) of the private key is not known: name it, or give the key as a JWK")
    return key, algorithm, chosen


def _from_jwk(text: str) -> tuple[Any, str, str, str]:
    algorithms = importlib.import_module("jwt.algorithms")
    try:
        jwk = orjson.loads(text)
        kind, curve = str(jwk.get("kty")), str(jwk.get("crv", ""))
        reader = algorithms.RSAAlgorithm if kind == "RSA" else algorithms.ECAlgorithm
        key = reader.from_jwk(jwk)
    except (orjson.JSONDecodeError, ValueError, KeyError, importlib.import_module("jwt").InvalidKeyError) as fault:
        raise SettingsError("the private key is not a usable JWK (kty RSA, or EC with crv P-384)") from fault
    if "d" not in jwk:
        raise SettingsError("the JWK holds a public key; the private one is needed to sign")
    return key, kind, curve, str(jwk.get("kid", ""))


def _from_pem(text: str) -> tuple[Any, str, str, str]:
    serialization = importlib.import_module("cryptography.hazmat.primitives.serialization")
    rsa = importlib.import_module("cryptography.hazmat.primitives.asymmetric.rsa")
    elliptic = importlib.import_module("cryptography.hazmat.primitives.asymmetric.ec")
    try:
        key = serialization.load_pem_private_key(text.encode(), password=None)
    except (ValueError, TypeError) as fault:
        raise SettingsError("the private key is neither an unencrypted PEM nor a JWK") from fault
    if isinstance(key, rsa.RSAPrivateKey):
        return key, "RSA", "", ""
    if isinstance(key, elliptic.EllipticCurvePrivateKey):
        return key, "EC", {"secp384r1": "P-384"}.get(key.curve.name, key.curve.name), ""
    return key, type(key).__name__, "", ""
