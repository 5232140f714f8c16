"""Who calls: the JWT of CDS Hooks (2.0.1, Trusting CDS Clients). PyJWT reads and verifies it; this module says what
must be in it.

Every endpoint is guarded but those of `_OPEN`, paths that do not exist among them. Every refusal is the same 401.
"""

from __future__ import annotations

import hashlib
import math
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from ipaddress import ip_address
from typing import Any

import jwt
from flask import Flask, g, request

from cds_service.callers.clients import Client, Clients
from cds_service.callers.key_sets import ALGORITHMS, KEY_ID, VerificationKey
from cds_service.errors import RequestError, Unauthenticated
from cds_service.hooks.requests import HookRequest
from cds_service.store.faults import named
from cds_service.store.store import Store, StoreError
from cds_service.web.access import tell
from cds_service.web.rates import Rates

CLOCK_SKEW_S = 60

_OPEN = frozenset({"health", "pages"})
_LONGEST_TOKEN = 8192
_BEARER = re.compile(r"Bearer ([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)")
_HEADERS = frozenset({"alg", "kid", "typ", "jku", "x5t", "x5t#S256"})
"""What a token's header may hold. Keys and certificates that it brings along, `crit`, `b64` and the like are
refused unread; the thumbprints of a certificate that some libraries add are not looked at.
"""
_REQUIRED = ("iss", "aud", "exp", "iat", "jti")
_TIMES = ("exp", "iat", "nbf")
_LARGEST_TIME = 2**53
_LONGEST_ID = 512


@dataclass(frozen=True, slots=True)
class Guard:
    """What a token is held against."""

    clients: Clients
    public_url: str
    longest_token_s: int

    def caller(self, header: str | None, path: str) -> tuple[Client, Mapping[str, Any]]:
        """The client that calls `path` with this Authorization header, and the verified claims of its token.
        Raises Unauthenticated. Whether the token was used before is for `_once` to say.
        """
        token = _token(header)
        try:
            unverified = jwt.decode_complete(token, options={"verify_signature": False})
        except jwt.PyJWTError as fault:
            raise Unauthenticated("not_a_token") from fault
        client = self.clients.find(unverified["payload"].get("iss"), unverified["payload"].get("tenant"))
        if client is None:
            raise Unauthenticated("unknown_client")
        key = _key(client, unverified["header"])
        claims = self._claims(token, client, key, path)
        _check_times(claims, self.longest_token_s, client)
        return client, claims

    def _claims(self, token: str, client: Client, key: VerificationKey, path: str) -> Mapping[str, Any]:
        try:
            return jwt.decode(
                token,
                key.public_key,
                algorithms=sorted(key.algorithms),
                audience=f"{self.public_url}{path}",
                issuer=client.issuer,
                leeway=CLOCK_SKEW_S,
                options={"require": list(_REQUIRED), "strict_aud": True},
            )
        except jwt.PyJWTError as fault:
            raise Unauthenticated(type(fault).__name__, client.name) from fault


def install(app: Flask, guard: Guard, store: Store, rates: Rates) -> None:
    """Let only authenticated clients in; the view finds the client in `flask.g`."""

    def authenticate() -> None:
        if request.method == "OPTIONS" or request.blueprint in _OPEN:
            return
        client, claims = guard.caller(_authorization(), request.path)
        g.client = client
        _once(store, client, claims)
        rates.take(client.name, client.calls_per_second)

    app.before_request(authenticate)


def install_for_development(app: Flask) -> None:
    """Only this machine may call, whatever the server is bound to."""

    def check_address() -> None:
        if not _is_this_machine(request.remote_addr):
            raise RequestError(403, "forbidden", "in development mode only this machine may call")

    app.before_request(check_address)


def with_own_server(hook_request: HookRequest) -> HookRequest:
    """The request with its `fhirServer` as its client's configuration writes it. Raises RequestError 403 where it
    is none of the client's.
    """
    client: Client | None = g.get("client")
    if client is None or not hook_request.fhir_server:
        return hook_request
    own = client.own_server(hook_request.fhir_server)
    if own is None:
        raise RequestError(403, "forbidden", "fhirServer is none of those configured for this client", "fhirServer")
    return replace(hook_request, fhir_server=own)


def _authorization() -> str | None:
    """The one Authorization header. A WSGI server joins several with commas, which `_BEARER` does not allow."""
    return request.headers.get("Authorization")


def _token(header: str | None) -> str:
    if header is None:
        raise Unauthenticated("no_token")
    if len(header) > _LONGEST_TOKEN:
        raise Unauthenticated("too_long")
    bearer = _BEARER.fullmatch(header)
    if bearer is None:
        raise Unauthenticated("not_a_bearer_token")
    return bearer[1]


def _key(client: Client, header: Mapping[str, Any]) -> VerificationKey:
    """The client's key that the header of a token names."""
    algorithm, key_id = header.get("alg"), header.get("kid")
    if not header.keys() <= _HEADERS:
        raise Unauthenticated("header_not_allowed", client.name)
    if str(header.get("typ")).upper() != "JWT":
        raise Unauthenticated("not_typ_jwt", client.name)
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise Unauthenticated("algorithm_not_allowed", client.name)
    if not isinstance(key_id, str) or not KEY_ID.fullmatch(key_id):
        raise Unauthenticated("no_key_id", client.name)
    if "jku" in header and (not client.jku or header["jku"] != client.jku):
        raise Unauthenticated("jku_not_allowed", client.name)
    key = client.keys.find(key_id, algorithm)
    if key is None:
        raise Unauthenticated("unknown_key", client.name)
    return key


def _check_times(claims: Mapping[str, Any], longest_token_s: int, client: Client) -> None:
    """PyJWT compares times with the clock, but reads texts as times, and has no opinion on how long is too long."""
    if not all(_is_time(claims[name]) for name in _TIMES if name in claims):
        raise Unauthenticated("time_not_a_number", client.name)
    if not 0 < claims["exp"] - claims["iat"] <= longest_token_s:
        raise Unauthenticated("lifetime", client.name)
    if not isinstance(claims["jti"], str) or not 0 < len(claims["jti"]) <= _LONGEST_ID:
        raise Unauthenticated("jti", client.name)


def _is_time(value: object) -> bool:
    """Whether a claim is a number that the clock can be compared with."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _LARGEST_TIME


def _once(store: Store, client: Client, claims: Mapping[str, Any]) -> None:
    """Raise Unauthenticated unless this is the first use of the token. The store holds a digest of its id, as long
    as any machine whose clock is off by a minute might still accept it.
    """
    identity = f"{client.issuer}\n{claims['jti']}".encode("utf-8", "surrogatepass")
    digest = hashlib.sha256(identity).hexdigest()
    expires_at_s = math.ceil(claims["exp"]) + 2 * CLOCK_SKEW_S
    try:
        is_first = store.use_token(digest, expires_at_s, int(time.time()))
    except StoreError as fault:
        tell("token_not_kept", level="ERROR", fault=named(fault))
        raise RequestError(503, "transient", "the store of used tokens does not answer; try again") from fault
    if not is_first:
        raise Unauthenticated("used_before", client.name)


@lru_cache(maxsize=64)
def _is_this_machine(address: str | None) -> bool:
    """A socket of the file system has no address."""
    try:
        return not address or ip_address(address).is_loopback
    except ValueError:
        return False
