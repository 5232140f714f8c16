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
from dataclasses import dataclass, field, replace
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
_RENEWED_AFTER_S = 540.0
_FRESH_S = 600.0
_STALE_S = 3600.0
_PAUSE_S = 60.0
_PAUSE_WITHOUT_KEYS_S = 10.0
_MOST_WAITING = 2

LONGEST_WAIT_S = 0.3
"""For keys that are on their way."""


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """A public key, and the algorithms that may be used with it."""

    key_id: str
    algorithms: frozenset[str]
    public_key: Any = field(repr=False)


class Keys(Protocol):
    """The keys of one client."""

    def start(self) -> None:
        """Begin to fetch them, where they are fetched."""

    def wait(self, longest_s: float) -> None:
        """Wait for those that are on their way, so many seconds at most."""

    def close(self) -> None:
        """Let go of what fetches them."""

    def find(self, key_id: str, algorithm: str) -> VerificationKey | None:
        """The one key of that id for that algorithm."""


def read_key_set(document: object) -> tuple[tuple[VerificationKey, ...], tuple[str, ...]]:
    """The usable keys of a decoded JWK Set, and what is wrong with it. Raises KeySetError where it is no JWK Set."""
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
    uses = [(key.key_id, algorithm) for key in keys for algorithm in key.algorithms]
    if len(set(uses)) < len(uses):
        faults.append("two keys of one kid are for the same algorithm; neither is used with it")
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

    def start(self) -> None:
        """There is nothing to fetch."""

    def wait(self, longest_s: float) -> None:
        """There is nothing to wait for."""

    def close(self) -> None:
        """There is nothing to let go of."""

    def find(self, key_id: str, algorithm: str) -> VerificationKey | None:
        """See `Keys`."""
        return _found(self.keys, key_id, algorithm)


@dataclass(frozen=True, slots=True)
class _Held:
    """What came of the fetches so far."""

    keys: tuple[VerificationKey, ...] = ()
    asked_for_at_s: float = float("-inf")
    """When the fetch that gave them began."""
    last_failed: bool = False

    def in_force(self, now_s: float) -> tuple[VerificationKey, ...]:
        """A key may have been taken out of its set since: only an address that does not answer makes old ones do."""
        longest_s = _STALE_S if self.last_failed else _FRESH_S
        return self.keys if now_s - self.asked_for_at_s <= longest_s else ()


class FetchedKeys:
    """The keys behind an address, fetched by a thread of their own: before they are ten minutes old, and for an id
    that is not among them, but never more than once a minute. While the address does not answer, what was fetched
    serves for an hour.

    A caller need not be anybody for us to look for the key that it names. So it waits a moment at most for an
    address that may be slow, and few do: the threads of requests belong to all clients.
    """

    def __init__(
        self, fetch: Callable[[], object], clock: Callable[[], float] = time.monotonic, *, client: str = ""
    ) -> None:
        """`fetch` gives the decoded JWK Set or raises FetchError; `client` is whose keys they are, for the log."""
        self._client = client
        self._fetch = fetch
        self._clock = clock
        self._held = _Held()
        self._changed = threading.Condition()
        # The lock of `_changed` guards what follows.
        self._thread: threading.Thread | None = None
        self._is_closed = False
        self._tried_at_s = float("-inf")
        self._wanted_at_s: float | None = None
        """Since when a fetch is wanted or on its way."""
        self._waiting = 0

    def start(self) -> None:
        """Have them fetched, and again from time to time."""
        with self._changed:
            self._want()

    def wait(self, longest_s: float) -> None:
        """Wait for a fetch that is on its way."""
        with self._changed:
            self._changed.wait_for(lambda: self._wanted_at_s is None, longest_s)

    def close(self) -> None:
        """Fetch no more."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def find(self, key_id: str, algorithm: str) -> VerificationKey | None:
        """See `Keys`."""
        held, now_s = self._held, self._clock()
        age_s = now_s - held.asked_for_at_s
        key = _found(held.in_force(now_s), key_id, algorithm)
        if key is not None and age_s <= _RENEWED_AFTER_S:
            return key
        if key is not None and age_s <= _FRESH_S:
            self.start()
            return key
        self._await_fetch()
        return _found(self._held.in_force(self._clock()), key_id, algorithm)

    def _await_fetch(self) -> None:
        with self._changed:
            self._want()
            if self._wanted_at_s is None or self._waiting == _MOST_WAITING:
                return
            self._waiting += 1
            self.wait(self._wanted_at_s + LONGEST_WAIT_S - self._clock())
            self._waiting -= 1

    def _want(self) -> None:
        """Have the keys fetched, unless that was tried a moment ago."""
        if self._is_closed:
            return
        if self._thread is None or not self._thread.is_alive():
            self._wanted_at_s = None  # a process that was forked has no thread of the one before
            self._thread = threading.Thread(target=self._keep, name="client-keys", daemon=True)
            self._thread.start()
        pause_s = _PAUSE_S if self._held.in_force(self._clock()) else _PAUSE_WITHOUT_KEYS_S
        if self._wanted_at_s is None and self._clock() - self._tried_at_s >= pause_s:
            self._wanted_at_s = self._clock()
            self._changed.notify_all()

    def _keep(self) -> None:
        while self._comes_due():
            self._renew()

    def _comes_due(self) -> bool:
        """Wait until the keys are to be fetched. False when they are not to be fetched any more."""
        with self._changed:
            while self._wanted_at_s is None and not self._is_closed:
                due_in_s = self._due_at_s() - self._clock()
                if due_in_s > 0:
                    self._changed.wait(due_in_s)
                else:
                    self._wanted_at_s = self._clock()
            self._tried_at_s = self._clock()
            return not self._is_closed

    def _due_at_s(self) -> float:
        """When they are to be fetched without being asked for."""
        return max(self._held.asked_for_at_s + _RENEWED_AFTER_S, self._tried_at_s + _PAUSE_S)

    def _renew(self) -> None:
        held = replace(self._held, last_failed=True)
        try:
            keys, faults = read_key_set(self._fetch())
            held = _Held(keys, self._tried_at_s)
            if faults:
                self._tell(logging.WARNING, "a client's key set holds keys that are not used", "; ".join(faults))
        except FetchError as fault:
            self._tell(logging.ERROR, "a client's keys could not be fetched", fault.reason)
        except KeySetError as fault:
            self._tell(logging.ERROR, "a client's key set is not usable", str(fault))
        finally:
            with self._changed:
                self._held = held
                self._wanted_at_s = None
                self._changed.notify_all()

    def _tell(self, level: int, what: str, reason: str) -> None:
        log.log(level, what, extra={"client": self._client, "reason": reason})
