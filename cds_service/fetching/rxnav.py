"""Codes that are known nowhere else, asked of an address that speaks NLM's RxNav: nothing but the code is sent.

Answers and "not known" are remembered for a day. Whoever asks waits a moment at most, several codes of one request
taken together; what comes later is there for the next order. After a failure the address is left alone for a while.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as Late
from typing import Any
from urllib.parse import urlencode

from cds_service.codes import ATC, NDC, RXNORM, SNOMED
from cds_service.fetching.client import FetchError, FhirClient, open_session
from cds_service.fetching.connections import Reach
from cds_service.fetching.deadline import Deadline
from cds_service.model import CodedDrug, RxNormIngredient, Shortfall

_ID_TYPES = {NDC: "NDC", SNOMED: "SNOMEDCT", ATC: "ATC"}
_NDC_LENGTH = 11
_WORKERS = 2
_MOST_WAITING = 50
_ASK_S = 2.0
"""For one code, in the background."""
_LARGEST_BYTES = 100_000
_REMEMBERED = 5_000
_REMEMBERED_S = 86_400.0
_REST_S = 30.0
_RATION_PERIOD_S = 1.0
"""The time within which a thread waits no longer than the timeout: the codes of one request come in one go."""

log = logging.getLogger(__name__)

Key = tuple[str, str]


class RxNav:
    """A `DrugCodes` over `base_url` (such as `https://rxnav.nlm.nih.gov/REST`). Shared by the threads of a process;
    threads are started at the first question, so that it may be made before the workers are forked."""

    def __init__(self, base_url: str, timeout_s: float, reach: Reach | None = None) -> None:
        self._base_url = base_url
        self._timeout_s = timeout_s
        self._reach = reach
        self._lock = threading.Lock()
        self._remembered: OrderedDict[Key, tuple[float, CodedDrug | None]] = OrderedDict()
        self._asking: dict[Key, Future[CodedDrug | None]] = {}
        self._rests_until_s = 0.0
        self._is_closed = False
        self._process = 0
        """The one that the pool and the session are of: a process that was forked needs its own."""
        self._waited = threading.local()

    def look_up(self, system: str, code: str) -> CodedDrug | None:
        """See `DrugCodes.look_up`."""
        key = (system, code)
        if not _can_be_asked(system, code):
            return None
        with self._lock:
            known = self._remembered.get(key)
            if known and known[0] > time.monotonic():
                return known[1]
            future = self._future(key)
        return self._awaited(future) if future is not None else None

    def close(self) -> None:
        """Ask no more, and let go of the connections."""
        with self._lock:
            if self._process == os.getpid():
                self._pool.shutdown(wait=False, cancel_futures=True)
                self._session.close()
            self._asking.clear()
            self._process = 0
            self._is_closed = True

    def _future(self, key: Key) -> Future[CodedDrug | None] | None:
        """The answer under way; None while the address is left alone, and once it is closed. The lock is held."""
        if self._is_closed:
            return None
        if self._process != os.getpid():
            self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="rxnav")
            self._session = open_session(_WORKERS, self._reach)
            self._asking.clear()
            self._process = os.getpid()
        if key in self._asking:
            return self._asking[key]
        if time.monotonic() < self._rests_until_s or len(self._asking) >= _MOST_WAITING:
            return None
        future = self._asking[key] = self._pool.submit(self._ask, key)
        return future

    def _awaited(self, future: Future[CodedDrug | None]) -> CodedDrug | None:
        began = time.monotonic()
        if began - getattr(self._waited, "since_s", 0.0) > _RATION_PERIOD_S:
            self._waited.since_s, self._waited.spent_s = began, 0.0
        try:
            return future.result(max(0.0, self._timeout_s - self._waited.spent_s))
        except (Late, CancelledError):
            return None
        finally:
            self._waited.spent_s += time.monotonic() - began

    def _ask(self, key: Key) -> CodedDrug | None:
        """In a thread of the pool."""
        deadline = Deadline.after(_ASK_S)
        try:
            drug = _asked(FhirClient(self._session, self._base_url, "", _LARGEST_BYTES), key, deadline)
        except FetchError as fault:
            log.warning("the RxNav address gave no usable answer", extra={"reason": fault.reason})
            with self._lock:
                self._asking.pop(key, None)
                self._rests_until_s = max(self._rests_until_s, time.monotonic() + _REST_S)
            return None
        with self._lock:
            self._asking.pop(key, None)
            self._remembered[key] = (time.monotonic() + _REMEMBERED_S, drug)
            self._remembered.move_to_end(key)
            while len(self._remembered) > _REMEMBERED:
                self._remembered.popitem(last=False)
        return drug


def _can_be_asked(system: str, code: str) -> bool:
    """A National Drug Code without its package is not one that the address knows."""
    return system == RXNORM or (system in _ID_TYPES and (system != NDC or len(code) == _NDC_LENGTH))


def _asked(client: FhirClient, key: Key, deadline: Deadline) -> CodedDrug | None:
    """None for a code that the address does not know or that stands for several concepts. Raises FetchError."""
    system, code = key
    rxcuis = [code] if system == RXNORM else _rxcuis(_read(client, _identity_path(system, code), deadline))
    if len(rxcuis) != 1:
        return None
    ingredients = tuple(_ingredients(_read(client, f"rxcui/{rxcuis[0]}/related.json?tty=IN", deadline)))
    return CodedDrug(ingredients) if ingredients else None


def _identity_path(system: str, code: str) -> str:
    return f"rxcui.json?{urlencode({'idtype': _ID_TYPES[system], 'id': code})}"


def _read(client: FhirClient, path: str, deadline: Deadline) -> Mapping[str, Any]:
    try:
        answer = client.read(path, deadline)
    except FetchError as fault:
        if fault.reason is Shortfall.NOT_FOUND:
            return {}
        raise
    if not isinstance(answer, dict):
        raise FetchError(Shortfall.UNREADABLE)
    return answer


def _rxcuis(answer: Mapping[str, Any]) -> list[str]:
    codes = _inner(answer, "idGroup").get("rxnormId") or []
    return [code for code in codes if isinstance(code, str) and code.isdecimal()] if isinstance(codes, list) else []


def _ingredients(answer: Mapping[str, Any]) -> Iterator[RxNormIngredient]:
    for group in _objects(_inner(answer, "relatedGroup").get("conceptGroup")):
        for concept in _objects(group.get("conceptProperties")) if group.get("tty") == "IN" else ():
            rxcui, name = concept.get("rxcui"), concept.get("name")
            if not (isinstance(rxcui, str) and isinstance(name, str) and name):
                raise FetchError(Shortfall.UNREADABLE)
            yield RxNormIngredient(rxcui, name)


def _inner(answer: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    inner = answer.get(name)
    return inner if isinstance(inner, dict) else {}


def _objects(value: object) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
