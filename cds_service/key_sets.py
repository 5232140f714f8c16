"""The public keys by which clients' tokens are verified: JWK Sets (RFC 7517) from a file or from an address.

Only the algorithms of CDS Hooks' own examples and stronger ones are known here, each bound to its kind of key: a
token cannot choose one that its key was not made for.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Protocol

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from cds_service.errors import KeySetError
from cds_service.fetching.client import FetchError

log = logging.getLogger(__name__)

ALGORITHMS: Mapping[str, str] = MappingProxyType(
    {"ES384": "P-384", "ES512": "P-521", "RS384": "RSA", "RS512": "RSA", "PS384": "RSA", "PS512": "RSA"}
)
"""What may sign a token -> the kind of key that it takes: a curve, or RSA."""

KEY_ID = re.compile(r"[\x21-\x7e]{1,256}")

_PRIVATE_PARTS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_LEAST_RSA_BITS, _MOST_RSA_BITS, _LARGEST_EXPONENT = 2048, 8192, 2**32
_FRESH_S = 600.0
_STALE_S = 3600.0
_PAUSE_S = 60.0
_PAUSE_WITHOUT_KEYS_S = 10.0
_WAIT_S = 3.0


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """A public key, and the algorithms that may be used with it."""

    key_id: str
    algorithms: frozenset[str]
    public_key: Any = field(repr=False)


class Keys(Protocol):
    """The keys of one client."""

    def find(self, key_id: str, algorithm: str) -> VerificationKey | None:
        """The one key of that id for that algorithm."""


def read_key_set(document: object) -> tuple[tuple[VerificationKey, ...], tuple[str, ...]]:
    """The usable keys of a decoded JWK Set, and why each of the others is not. Raises KeySetError where it is no
    JWK Set.
    """
    entries = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise KeySetError("no JWK Set; expected an object with a list of keys")
    keys: list[VerificationKey] = []
    faults: list[str] = []
    for n, entry in enumerate(entries):
        try:
            keys.append(_key(entry))
        except KeySetError as fault:
            faults.append(f"keys[{n}]: {fault}")
    return tuple(keys), tuple(faults)


def _key(entry: object) -> VerificationKey:
    """Raises KeySetError with a reason that quotes nothing of the key."""
    if not isinstance(entry, dict):
        raise KeySetError("no JSON object")
    key_id = entry.get("kid")
    if not isinstance(key_id, str) or not KEY_ID.fullmatch(key_id):
        raise KeySetError("kid is missing or not usable")
    if _PRIVATE_PARTS & entry.keys():
        raise KeySetError("holds a private or symmetric key; expected the public half alone")
    operations = entry.get("key_ops", ["verify"])
    if entry.get("use", "sig") != "sig" or not isinstance(operations, list) or "verify" not in operations:
        raise KeySetError("is not meant for signatures (use, key_ops)")
    algorithms = _algorithms(entry)
    if not algorithms:
        raise KeySetError(f"is for none of {', '.join(ALGORITHMS)} (kty, crv, alg)")
    return VerificationKey(key_id, algorithms, _public_key(entry, min(algorithms)))


def _algorithms(entry: Mapping[str, Any]) -> frozenset[str]:
    kind = entry.get("crv") if entry.get("kty") == "EC" else entry.get("kty")
    fitting = frozenset(name for name, needed in ALGORITHMS.items() if needed == kind)
    return fitting & {str(entry["alg"])} if "alg" in entry else fitting


def _public_key(entry: dict[str, Any], algorithm: str) -> object:
    try:
        public_key: object = jwt.PyJWK(entry, algorithm=algorithm).key
    except (jwt.PyJWTError, KeyError, AttributeError) as fault:
        raise KeySetError("is not a valid key") from fault
    if isinstance(public_key, RSAPublicKey):
        exponent = public_key.public_numbers().e
        if not _LEAST_RSA_BITS <= public_key.key_size <= _MOST_RSA_BITS or exponent > _LARGEST_EXPONENT:
            raise KeySetError(f"is RSA of unfit size; expected {_LEAST_RSA_BITS} to {_MOST_RSA_BITS} bits")
    return public_key


def _found(keys: Iterable[VerificationKey], key_id: str, algorithm: str) -> VerificationKey | None:
    """Two keys of one id for one algorithm are none: nobody can say which is meant."""
    fitting = [key for key in keys if key.key_id == key_id and algorithm in key.algorithms]
    return fitting[0] if len(fitting) == 1 else None


@dataclass(frozen=True, slots=True)
class FixedKeys:
    """The keys of a file."""

    keys: tuple[VerificationKey, ...]

    def find(self, key_id: str, algorithm: str) -> VerificationKey | None:
        """See `Keys`."""
        return _found(self.keys, key_id, algorithm)


class FetchedKeys:
    """The keys behind an address. They are fetched anew when they are ten minutes old, and at once for an id that
    is not among them, but never more than once a minute. While the address does not answer, what was fetched
    serves for an hour.
    """

    def __init__(self, fetch: Callable[[], object], clock: Callable[[], float] = time.monotonic) -> None:
        """`fetch` gives the decoded JWK Set or raises FetchError."""
        self._fetch = fetch
        self._clock = clock
        self._lock = threading.Lock()
        self._keys: tuple[VerificationKey, ...] = ()
        self._fetched_at_s = float("-inf")
        self._tried_at_s = float("-inf")

    def find(self, key_id: str, algorithm: str) -> VerificationKey | None:
        """See `Keys`."""
        age_s = self._clock() - self._fetched_at_s
        if age_s > _STALE_S:
            self._keys = ()
        key = _found(self._keys, key_id, algorithm)
        if key is None:
            self._renew()
            return _found(self._keys, key_id, algorithm)
        if age_s > _FRESH_S and self._may_try():
            threading.Thread(target=self._renew, name="client-keys", daemon=True).start()
        return key

    def _may_try(self) -> bool:
        pause_s = _PAUSE_S if self._keys else _PAUSE_WITHOUT_KEYS_S
        return self._clock() - self._tried_at_s >= pause_s

    def _renew(self) -> None:
        """Fetch, unless somebody did a moment ago; one thread fetches, and the others wait for it."""
        if not self._lock.acquire(timeout=_WAIT_S):
            return
        try:
            if self._may_try():
                self._tried_at_s = self._clock()
                self._keys, faults = read_key_set(self._fetch())
                self._fetched_at_s = self._clock()
                if faults:
                    log.warning("a client's key set holds keys that are not used")
        except FetchError as fault:
            log.error("a client's keys could not be fetched: %s", fault.reason)  # noqa: TRY400  as below
        except KeySetError:
            log.error("a client's key set is not usable")  # noqa: TRY400  a traceback tells no more
        finally:
            self._lock.release()
