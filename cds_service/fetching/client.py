"""Reads from one FHIR server: bounded in time, size and destination.

No redirect is followed, no proxy or netrc of the environment is used, no cookie is kept, and the caller's
token goes to the server that the caller named and nowhere else.
"""

from __future__ import annotations

import re
import socket
import ssl
import time
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from http.client import HTTPException
from http.cookiejar import DefaultCookiePolicy
from threading import Lock
from typing import Any

import orjson
import requests
from urllib3 import Timeout
from urllib3.exceptions import HTTPError, InvalidChunkLength
from urllib3.exceptions import IncompleteRead as IncompleteBody

from cds_service.circuits import Circuit
from cds_service.errors import CdsError
from cds_service.fetching.addresses import path_below
from cds_service.fetching.connections import BoundedAdapter, ForbiddenAddress, Reach
from cds_service.fetching.deadline import Deadline
from cds_service.model import Shortfall
from cds_service.received_json.double_names import has_double_names
from cds_service.received_json.nesting import TooDeep, decoded, has_too_many_parts

_CHUNK_BYTES = 64 * 1024
_SHORTEST_TIMEOUT_S = 0.001
_PAUSE_BEFORE_RETRY_S = 0.02
_RETRY_NEEDS_S = 0.05
_STATUS_REASONS = {
    401: Shortfall.TOKEN_REFUSED,
    403: Shortfall.REFUSED,
    404: Shortfall.NOT_FOUND,
    410: Shortfall.NOT_FOUND,
    429: Shortfall.BUSY,
}
_COMPRESSED = frozenset({"gzip", "x-gzip", "deflate"})
_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_FHIR_VERSION = re.compile(r";\s*fhirversion\s*=\s*\"?([0-9.]+)", re.IGNORECASE)
_OF_THE_SERVER = frozenset(
    {Shortfall.LATE, Shortfall.UNREACHABLE, Shortfall.NAME_NOT_FOUND, Shortfall.TLS_FAILED, Shortfall.SERVER_ERROR}
)
"""What a server that is down gives; a server that refuses is up."""
_FAIR_S = 0.1
"""A server that was given less is not to blame for being late."""
_REASONS_OF_FAULTS: tuple[tuple[tuple[type[BaseException], ...], Shortfall], ...] = (
    ((ForbiddenAddress,), Shortfall.ADDRESS_NOT_ALLOWED),
    ((socket.gaierror,), Shortfall.NAME_NOT_FOUND),
    ((ssl.SSLError,), Shortfall.TLS_FAILED),
    ((HTTPException, IncompleteBody, InvalidChunkLength, zlib.error), Shortfall.BROKEN_OFF),
)
"""What a fault among the causes means; the first that is there counts."""


class FetchError(CdsError):
    """A read gave nothing usable. `retry_after_s` says after how many seconds the same read may well succeed; None:
    it is not to be repeated.
    """

    def __init__(self, reason: Shortfall, *, retry_after_s: float | None = None) -> None:
        super().__init__(f"the FHIR server gave no usable answer: {reason}")
        self.reason = reason
        self.retry_after_s = retry_after_s


def open_session(connections: int, reach: Reach | None = None) -> requests.Session:
    """A session for one server; it may be shared by threads. Without `reach` it may lead anywhere."""
    session = requests.Session()
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    adapter = BoundedAdapter(reach or Reach(), pool_connections=1, pool_maxsize=connections, max_retries=0)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


class FhirClient:
    """Reads from one server with one token. An answer may have `largest_bytes`, decompressed, and all answers
    together `largest_total_bytes` (None: any number). While `circuit` is open nothing is asked; of a failure it is
    told `patient_id` and the token, by its hash.
    """

    def __init__(
        self,
        session: requests.Session,
        base_url: str,
        access_token: str,
        largest_bytes: int,
        *,
        largest_total_bytes: int | None = None,
        circuit: Circuit | None = None,
        patient_id: str = "",
    ) -> None:
        self._session = session
        self._base_url = base_url.rstrip("/")
        self._largest_bytes = largest_bytes
        self._bytes_left = largest_total_bytes
        self._circuit = circuit
        self._circumstances = (patient_id, str(hash(access_token)) if access_token else "")
        self._counting = Lock()
        self._decoding = Lock()
        self._headers = {"Accept": "application/fhir+json, application/json", "Accept-Encoding": "gzip"}
        if access_token:
            self._headers["Authorization"] = f"Bearer {access_token}"

    def read(self, path: str, deadline: Deadline) -> object:
        """The decoded answer to `path`, relative to the base URL. Raises FetchError."""
        return self._get(f"{self._base_url}/{path}", deadline)

    def follow(self, link: str, deadline: Deadline) -> object:
        """The decoded page behind a `next` link. Raises FetchError: `foreign_link` when it is elsewhere."""
        path = path_below(link, self._base_url)
        if path is None:
            raise FetchError(Shortfall.FOREIGN_LINK)
        parted = "" if not path or path.startswith("?") else "/"
        return self._get(f"{self._base_url}{parted}{path}", deadline)

    def _get(self, url: str, deadline: Deadline) -> object:
        """One read, unless the circuit is open; the circuit is told what became of it."""
        remaining_s = deadline.remaining_s()
        if not remaining_s:
            raise FetchError(Shortfall.LATE)
        if self._circuit is None:
            return self._get_again(url, deadline)
        if not self._circuit.admits():
            raise FetchError(Shortfall.CIRCUIT_OPEN)
        try:
            answer = self._get_again(url, deadline)
        except FetchError as fault:
            if fault.reason not in _OF_THE_SERVER:
                self._circuit.succeeded()
            elif fault.reason is not Shortfall.LATE or remaining_s >= _FAIR_S:
                self._circuit.failed(*self._circumstances)
            raise
        self._circuit.succeeded()
        return answer

    def _get_again(self, url: str, deadline: Deadline) -> object:
        """One read; a dropped connection and a 503 are tried once more where the time is there."""
        try:
            return self._get_once(url, deadline)
        except FetchError as fault:
            if fault.retry_after_s is None or deadline.remaining_s() < fault.retry_after_s + _RETRY_NEEDS_S:
                raise
            pause_s = fault.retry_after_s
        time.sleep(pause_s)
        return self._get_once(url, deadline)

    def _get_once(self, url: str, deadline: Deadline) -> object:
        remaining_s = deadline.remaining_s()
        if not remaining_s:
            raise FetchError(Shortfall.LATE)
        # Of connecting and reading together; requests hands it on as it is, which its types do not say.
        timeout: Any = Timeout(total=max(remaining_s, _SHORTEST_TIMEOUT_S))
        try:
            with self._session.get(
                url, headers=self._headers, timeout=timeout, allow_redirects=False, stream=True
            ) as response:
                _check(response)
                return self._decoded(self._body(response, deadline), deadline)
        except (requests.RequestException, HTTPError, HTTPException, OSError, ValueError, zlib.error) as fault:
            raise _told(fault, deadline) from fault

    def _body(self, response: requests.Response, deadline: Deadline) -> bytearray:
        """The whole body, decompressed. What is given up counts no longer among the answers together, so that of
        many at once some are complete.
        """
        body = bytearray()
        with ExitStack() as given_up:
            given_up.callback(lambda: self._release(len(body)))
            self._take_in(response, deadline, body)
            given_up.pop_all()
        return body

    def _take_in(self, response: requests.Response, deadline: Deadline, body: bytearray) -> None:
        """Add the pieces to `body`. What is too large is not taken in, however small it came."""
        for piece in _decompressed(response, self._largest_bytes):
            self._reserve(len(piece), body)
            body += piece
            if len(body) > self._largest_bytes:
                raise FetchError(Shortfall.TOO_LARGE)
            if deadline.has_passed():
                raise FetchError(Shortfall.LATE)

    def _reserve(self, count: int, body: bytearray) -> None:
        """Bytes for a piece to be added to `body`. Where there are not as many, what `body` holds is given back in
        the same moment: of answers that come together, the last one left always finds room.
        """
        if self._bytes_left is None:
            return
        with self._counting:
            if count <= self._bytes_left:
                self._bytes_left -= count
                return
            self._bytes_left += len(body)
            body.clear()
        raise FetchError(Shortfall.TOO_LARGE)

    def _release(self, count: int) -> None:
        if self._bytes_left is not None:
            with self._counting:
                self._bytes_left += count

    def _decoded(self, body: bytearray, deadline: Deadline) -> object:
        """The body as JSON. One at a time: decoding holds the interpreter, and of several large answers only one
        may still be decoded when the time is up.
        """
        with self._decoding:
            if deadline.has_passed():
                raise FetchError(Shortfall.LATE)
            if has_too_many_parts(body):
                raise FetchError(Shortfall.TOO_LARGE)
            content = body.removeprefix(_BYTE_ORDER_MARK)
            try:
                value = decoded(content)
            except orjson.JSONDecodeError as fault:
                raise FetchError(Shortfall.NOT_JSON) from fault
            except TooDeep as fault:
                raise FetchError(Shortfall.UNREADABLE) from fault
            if has_double_names(content, value):
                raise FetchError(Shortfall.UNREADABLE)
            return value


def _check(response: requests.Response) -> None:
    """Raise FetchError unless there is an answer in a version of FHIR that is read here (R4, R4B)."""
    status = response.status_code
    if 300 <= status < 400:
        raise FetchError(Shortfall.REDIRECTED)
    if status >= 400:
        reason = _STATUS_REASONS.get(status, Shortfall.SERVER_ERROR if status >= 500 else Shortfall.NOT_ACCEPTED)
        raise FetchError(reason, retry_after_s=_pause(response) if status == 503 else None)
    if status != 200:
        raise FetchError(Shortfall.UNREADABLE)
    version = _FHIR_VERSION.search(response.headers.get("Content-Type", ""))
    if version and not version[1].startswith("4."):
        raise FetchError(Shortfall.UNSUPPORTED_VERSION)


def _pause(response: requests.Response) -> float:
    asked = response.headers.get("Retry-After", "").strip()
    return max(_PAUSE_BEFORE_RETRY_S, float(asked[:9])) if asked.isdecimal() else _PAUSE_BEFORE_RETRY_S


def _decompressed(response: requests.Response, largest_bytes: int) -> Iterator[bytes]:
    """The pieces of the body. Of a compressed one each piece is at most a byte more than `largest_bytes`."""
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    arriving = response.raw.stream(_CHUNK_BYTES, decode_content=False)
    if encoding in ("identity", ""):
        yield from arriving
        return
    if encoding not in _COMPRESSED:
        raise FetchError(Shortfall.UNREADABLE)
    decoder = zlib.decompressobj(_GZIP_OR_ZLIB)
    for piece in arriving:
        if not decoder.eof:
            yield decoder.decompress(piece, largest_bytes + 1)
        if decoder.unused_data:
            raise FetchError(Shortfall.UNREADABLE)
    if not decoder.eof:
        raise FetchError(Shortfall.BROKEN_OFF)


def _told(fault: BaseException, deadline: Deadline) -> FetchError:
    """What a fault of the libraries means. They wrap one another, so the chain of causes is looked at."""
    causes = tuple(_causes(fault))
    if isinstance(fault, requests.Timeout) or any(isinstance(cause, TimeoutError) for cause in causes):
        return FetchError(Shortfall.LATE)
    if deadline.has_passed():
        return FetchError(Shortfall.LATE)
    if any(isinstance(cause, ConnectionResetError | BrokenPipeError) for cause in causes):
        return FetchError(Shortfall.UNREACHABLE, retry_after_s=_PAUSE_BEFORE_RETRY_S)
    meant = (reason for kinds, reason in _REASONS_OF_FAULTS if any(isinstance(cause, kinds) for cause in causes))
    return FetchError(next(meant, Shortfall.UNREACHABLE))


def _causes(fault: BaseException | None) -> Iterator[BaseException]:
    while fault is not None:
        yield fault
        fault = fault.__cause__ or fault.__context__
