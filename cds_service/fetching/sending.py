"""Writes to one server: a token request, or resources of a test server. Bounded like the reads of `client`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import orjson
import requests

from cds_service.fetching.client import FetchError
from cds_service.fetching.deadline import Deadline
from cds_service.model import Shortfall
from cds_service.received_json.nesting import TooDeep, decoded

_CHUNK_BYTES = 64 * 1024
_LARGEST_BYTES = 10_000_000


@dataclass(frozen=True, slots=True)
class Reply:
    """The HTTP status, and the body as decoded JSON (None where it is none)."""

    status: int
    body: object = None


def send(
    session: requests.Session,
    method: str,
    url: str,
    *,
    content: bytes,
    headers: Mapping[str, str],
    deadline: Deadline,
) -> Reply:
    """The answer to one request, whatever its status. Raises FetchError: `late`, `unreachable`, `redirected`,
    `too_large`.
    """
    if deadline.has_passed():
        raise FetchError(Shortfall.LATE)
    try:
        with session.request(
            method,
            url,
            data=content,
            headers=dict(headers),
            timeout=deadline.remaining_s(),
            allow_redirects=False,
            stream=True,
        ) as response:
            if 300 <= response.status_code < 400:
                raise FetchError(Shortfall.REDIRECTED)
            return Reply(response.status_code, _decoded(_body(response, deadline)))
    except requests.Timeout as fault:
        raise FetchError(Shortfall.LATE) from fault
    except (requests.RequestException, ValueError) as fault:
        raise FetchError(Shortfall.LATE if deadline.has_passed() else Shortfall.UNREACHABLE) from fault


def _body(response: requests.Response, deadline: Deadline) -> bytes:
    body = bytearray()
    for chunk in response.iter_content(_CHUNK_BYTES):
        body += chunk
        if len(body) > _LARGEST_BYTES:
            raise FetchError(Shortfall.TOO_LARGE)
        if deadline.has_passed():
            raise FetchError(Shortfall.LATE)
    return bytes(body)


def _decoded(body: bytes) -> object:
    try:
        return decoded(body)
    except (orjson.JSONDecodeError, TooDeep):
        return None
