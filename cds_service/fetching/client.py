"""Reads from one FHIR server: bounded in time, size and destination.

No redirect is followed, no proxy or netrc of the environment is used, no cookie is kept, and the caller's
token goes to the server that the caller named and nowhere else.
"""

from __future__ import annotations

from http.cookiejar import DefaultCookiePolicy
from urllib.parse import unquote, urljoin, urlsplit

import orjson
import requests
from requests.adapters import HTTPAdapter

from cds_service.errors import CdsError
from cds_service.fetching.deadline import Deadline

_CHUNK_BYTES = 64 * 1024
_SHORTEST_TIMEOUT_S = 0.001
_STATUS_REASONS = {401: "refused", 403: "refused", 404: "not_found", 410: "not_found", 429: "busy"}


class FetchError(CdsError):
    """A read gave nothing usable. `reason` is a stable key: `late`, `refused`, `not_found`, `busy`,
    `unreachable`, `redirected`, `server_error`, `too_large`, `unreadable`, `foreign_link`.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"the FHIR server gave no usable answer: {reason}")
        self.reason = reason


def open_session(connections: int) -> requests.Session:
    """A session for one server; it may be shared by threads."""
    session = requests.Session()
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    adapter = HTTPAdapter(pool_connections=1, pool_maxsize=connections, max_retries=0)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


class FhirClient:
    """Reads of one request from one server, with the token of that request."""

    def __init__(self, session: requests.Session, base_url: str, access_token: str, largest_bytes: int) -> None:
        self._session = session
        self._base_url = base_url.rstrip("/")
        self._largest_bytes = largest_bytes
        self._headers = {"Accept": "application/fhir+json, application/json"}
        if access_token:
            self._headers["Authorization"] = f"Bearer {access_token}"

    def read(self, path: str, deadline: Deadline) -> object:
        """The decoded answer to `path`, relative to the base URL. Raises FetchError."""
        return self._get(f"{self._base_url}/{path}", deadline)

    def follow(self, link: str, deadline: Deadline) -> object:
        """The decoded page behind a `next` link. Raises FetchError: `foreign_link` when it is elsewhere."""
        try:
            url = urljoin(f"{self._base_url}/", link)
            is_own = self._is_own(url)
        except ValueError as fault:
            raise FetchError("foreign_link") from fault
        if not is_own:
            raise FetchError("foreign_link")
        return self._get(url, deadline)

    def _is_own(self, url: str) -> bool:
        own, other = urlsplit(self._base_url), urlsplit(url)
        same_origin = (own.scheme, own.hostname, own.port) == (other.scheme, other.hostname, other.port)
        path = unquote(other.path)
        below = path in (own.path, f"{own.path}/") or path.startswith(f"{own.path}/")
        return same_origin and not other.username and below and ".." not in path.split("/")

    def _get(self, url: str, deadline: Deadline) -> object:
        remaining_s = deadline.remaining_s()
        if not remaining_s:
            raise FetchError("late")
        timeout_s = max(remaining_s, _SHORTEST_TIMEOUT_S)
        try:
            with self._session.get(
                url, headers=self._headers, timeout=timeout_s, allow_redirects=False, stream=True
            ) as response:
                return _decoded(_checked(response), self._largest_bytes, deadline)
        except requests.Timeout as fault:
            raise FetchError("late") from fault
        except (requests.RequestException, ValueError) as fault:
            raise FetchError("late" if deadline.has_passed() else "unreachable") from fault


def _checked(response: requests.Response) -> requests.Response:
    status = response.status_code
    if status == 200:
        return response
    if 300 <= status < 400:
        raise FetchError("redirected")
    raise FetchError(_STATUS_REASONS.get(status, "server_error" if status >= 500 else "refused"))


def _decoded(response: requests.Response, largest_bytes: int, deadline: Deadline) -> object:
    """The body as JSON. The timeout of requests starts anew with each piece that arrives, so the clock is
    looked at between the pieces.
    """
    body = bytearray()
    for chunk in response.iter_content(_CHUNK_BYTES):
        body += chunk
        if len(body) > largest_bytes:
            raise FetchError("too_large")
        if deadline.has_passed():
            raise FetchError("late")
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as fault:
        raise FetchError("unreadable") from fault
