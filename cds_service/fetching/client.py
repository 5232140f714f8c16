"""Reads from one FHIR server: bounded in time, size and destination.

No redirect is followed, no proxy or netrc of the environment is used, no cookie is kept, and the caller's
token goes to the server that the caller named and nowhere else.
"""

from __future__ import annotations

import re
import time
import zlib
from collections.abc import Iterator
from http.client import HTTPException
from http.cookiejar import DefaultCookiePolicy
from threading import Lock
from typing import Any
from urllib.parse import SplitResult, unquote, urljoin, urlsplit, urlunsplit

import orjson
import requests
from urllib3 import Timeout
from urllib3.exceptions import HTTPError, InvalidChunkLength
from urllib3.exceptions import IncompleteRead as IncompleteBody

from cds_service.errors import CdsError
from cds_service.fetching.connections import BoundedAdapter
from cds_service.fetching.deadline import Deadline

_CHUNK_BYTES = 64 * 1024
_SHORTEST_TIMEOUT_S = 0.001
_MOST_CONTAINERS = 500_000
"""Objects and arrays in one answer: what decoding costs, in time and memory, goes by them rather than by bytes."""
_PAUSE_BEFORE_RETRY_S = 0.02
_RETRY_NEEDS_S = 0.05
_STATUS_REASONS = {401: "refused", 403: "refused", 404: "not_found", 410: "not_found", 429: "busy"}
_DEFAULT_PORTS = {"http": 80, "https": 443}
_COMPRESSED = frozenset({"gzip", "x-gzip", "deflate"})
_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_FHIR_VERSION = re.compile(r";\s*fhirversion\s*=\s*\"?([0-9.]+)", re.IGNORECASE)
_UNREADABLE = (HTTPException, IncompleteBody, InvalidChunkLength, zlib.error)


class FetchError(CdsError):
    """A read gave nothing usable. `reason` is a stable key: `late`, `refused`, `not_found`, `busy`,
    `unreachable`, `redirected`, `server_error`, `too_large`, `unreadable`, `unsupported_version`,
    `foreign_link`. `retry_after_s` says after how many seconds the same read may well succeed; None: it is not
    to be repeated.
    """

    def __init__(self, reason: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(f"the FHIR server gave no usable answer: {reason}")
        self.reason = reason
        self.retry_after_s = retry_after_s


def open_session(connections: int) -> requests.Session:
    """A session for one server; it may be shared by threads."""
    session = requests.Session()
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    adapter = BoundedAdapter(pool_connections=1, pool_maxsize=connections, max_retries=0)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


class FhirClient:
    """Reads from one server with one token. An answer may have `largest_bytes`, decompressed, and all answers
    together `largest_total_bytes` (None: any number).
    """

    def __init__(
        self,
        session: requests.Session,
        base_url: str,
        access_token: str,
        largest_bytes: int,
        largest_total_bytes: int | None = None,
    ) -> None:
        self._session = session
        self._base_url = base_url.rstrip("/")
        self._largest_bytes = largest_bytes
        self._bytes_left = largest_total_bytes
        self._decoding = Lock()
        self._headers = {"Accept": "application/fhir+json, application/json", "Accept-Encoding": "gzip"}
        if access_token:
            self._headers["Authorization"] = f"Bearer {access_token}"

    def read(self, path: str, deadline: Deadline) -> object:
        """The decoded answer to `path`, relative to the base URL. Raises FetchError."""
        return self._get(f"{self._base_url}/{path}", deadline)

    def follow(self, link: str, deadline: Deadline) -> object:
        """The decoded page behind a `next` link. Raises FetchError: `foreign_link` when it is elsewhere."""
        return self._get(self._own(link), deadline)

    def _own(self, link: str) -> str:
        """The address of `link` at this server, written anew from its path and query: the check and the request
        cannot then understand it differently.
        """
        own = urlsplit(self._base_url)
        try:
            other = urlsplit(urljoin(f"{self._base_url}/", link))
            is_own = _origin(own) == _origin(other) and not other.username and _is_below(own.path, other.path)
        except ValueError as fault:
            raise FetchError("foreign_link") from fault
        if not is_own:
            raise FetchError("foreign_link")
        return urlunsplit((own.scheme, own.netloc, other.path, other.query, ""))

    def _get(self, url: str, deadline: Deadline) -> object:
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
            raise FetchError("late")
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
        """The whole body, decompressed. What is too large is not taken in, however small it came."""
        body = bytearray()
        for piece in _decompressed(response, self._largest_bytes):
            body += piece
            self._count(len(piece))
            if len(body) > self._largest_bytes:
                raise FetchError("too_large")
            if deadline.has_passed():
                raise FetchError("late")
        return body

    def _count(self, count: int) -> None:
        if self._bytes_left is not None:
            self._bytes_left -= count  # threads may lose a count: the bound is no exact figure
            if self._bytes_left < 0:
                raise FetchError("too_large")

    def _decoded(self, body: bytearray, deadline: Deadline) -> object:
        """The body as JSON. One at a time: decoding holds the interpreter, and of several large answers only one
        may still be decoded when the time is up.
        """
        with self._decoding:
            if deadline.has_passed():
                raise FetchError("late")
            if body.count(b"{") + body.count(b"[") > _MOST_CONTAINERS:
                raise FetchError("too_large")
            try:
                return orjson.loads(body.removeprefix(_BYTE_ORDER_MARK))
            except orjson.JSONDecodeError as fault:
                raise FetchError("unreadable") from fault


def _origin(url: SplitResult) -> tuple[str, str | None, int | None]:
    return url.scheme, url.hostname, url.port or _DEFAULT_PORTS.get(url.scheme)


def _is_below(base_path: str, path: str) -> bool:
    base, plain = unquote(base_path), unquote(path).replace("\\", "/")
    return (plain == base or plain.startswith(f"{base}/")) and ".." not in plain.split("/")


def _check(response: requests.Response) -> None:
    """Raise FetchError unless there is an answer in a version of FHIR that is read here (R4, R4B)."""
    status = response.status_code
    if 300 <= status < 400:
        raise FetchError("redirected")
    if status >= 400:
        reason = _STATUS_REASONS.get(status, "server_error" if status >= 500 else "refused")
        raise FetchError(reason, retry_after_s=_pause(response) if status == 503 else None)
    if status != 200:
        raise FetchError("unreadable")
    version = _FHIR_VERSION.search(response.headers.get("Content-Type", ""))
    if version and not version[1].startswith("4."):
        raise FetchError("unsupported_version")


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
        raise FetchError("unreadable")
    decoder = zlib.decompressobj(_GZIP_OR_ZLIB)
    for piece in arriving:
        if not decoder.eof:
            yield decoder.decompress(piece, largest_bytes + 1)
        if decoder.unused_data:
            raise FetchError("unreadable")
    if not decoder.eof:
        raise FetchError("unreadable")


def _told(fault: BaseException, deadline: Deadline) -> FetchError:
    """What a fault of the libraries means. They wrap one another, so the chain of causes is looked at."""
    causes = tuple(_causes(fault))
    if isinstance(fault, requests.Timeout) or any(isinstance(cause, TimeoutError) for cause in causes):
        return FetchError("late")
    if deadline.has_passed():
        return FetchError("late")
    if any(isinstance(cause, ConnectionResetError | BrokenPipeError) for cause in causes):
        return FetchError("unreachable", retry_after_s=_PAUSE_BEFORE_RETRY_S)
    return FetchError("unreadable" if any(isinstance(cause, _UNREADABLE) for cause in causes) else "unreachable")


def _causes(fault: BaseException | None) -> Iterator[BaseException]:
    while fault is not None:
        yield fault
        fault = fault.__cause__ or fault.__context__
