"""The body of a request, decoded: only JSON that every reader would understand the same way, and not too much of it.

orjson decodes fast, but takes the last of two equal names, and makes a whole number of more than 64 bits a float.
Both are refused here, by signs that cost little: only a body that shows one is read again, slowly and exactly.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from math import inf

import orjson
from flask import request
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import RequestEntityTooLarge

from cds_service.errors import RequestError
from cds_service.received_json.double_names import has_double_names
from cds_service.received_json.nesting import MOST_PARTS, TooDeep, decoded, has_too_many_parts

JSON = "application/json"

_CHARSETS = frozenset({"utf-8", "utf8", "us-ascii"})
_DIGITS = bytes.maketrans(b"123456789", b"000000000")
_LONG_NUMBER = b"0" * 19
_GREATEST, _LEAST = 2**63 - 1, -(2**63)


def decoded_body(most_entries: int) -> object:
    """The body as JSON. Raises RequestError 415, 400 or 413; Flask itself answers 413 for too many bytes."""
    _check_content_type()
    content = _content()
    if has_too_many_parts(content):
        raise RequestError(413, "too-costly", f"the body has more than {MOST_PARTS} objects and arrays; send fewer")
    try:
        body = decoded(content)
    except TooDeep as fault:
        raise RequestError(400, "structure", f"the body is {fault}") from fault
    except orjson.JSONDecodeError as fault:
        where = f"line {fault.lineno}, column {fault.colno}"
        raise RequestError(400, "structure", f"the body is not valid JSON ({where})") from fault
    _check_unambiguous(content, body)
    if _entries(body) > most_entries:
        raise RequestError(413, "too-costly", f"more than {most_entries} entries; send fewer")
    return body


def _content() -> bytes:
    """The bytes of the body. Of one that comes in chunks Werkzeug takes as many as are allowed, and leaves the rest
    without a word; of what is no chunk gunicorn tells here, where it would seem a fault of ours.
    """
    try:
        content = request.get_data(cache=False)
    except ParseException as fault:
        raise RequestError(400, "structure", "the chunks of the body are broken") from fault
    if request.content_length is None and len(content) >= (request.max_content_length or inf):
        raise RequestEntityTooLarge
    return content


def _check_content_type() -> None:
    if request.mimetype != JSON and not request.mimetype.endswith("+json"):
        raise RequestError(415, "not-supported", f"the body is not JSON; expected Content-Type: {JSON}")
    if request.mimetype_params.get("charset", "utf-8").lower() not in _CHARSETS:
        raise RequestError(415, "not-supported", "the body is not in UTF-8")
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise RequestError(415, "not-supported", "the body is compressed; expected no Content-Encoding")


def _check_unambiguous(content: bytes, body: object) -> None:
    """Raises RequestError 400."""
    if has_double_names(content, body) or _has_too_long_number(content):
        told = "the body is ambiguous: a name stands twice, or a whole number has more than 64 bits"
        raise RequestError(400, "structure", told)


def _has_too_long_number(content: bytes) -> bool:
    if _LONG_NUMBER not in content.translate(_DIGITS):
        return False
    try:
        json.loads(content, parse_int=_whole_number)
    except ValueError:
        return True
    return False


def _whole_number(text: str) -> int:
    if len(text) > 20 or not _LEAST <= int(text) <= _GREATEST:
        raise ValueError("a whole number of more than 64 bits")
    return int(text)


def _entries(body: object) -> int:
    """The entries of all Bundles in the prefetch and the context, or of a feedback."""
    if not isinstance(body, dict):
        return 0
    bundles = [*_values(body.get("prefetch")), *_values(body.get("context")), body.get("feedback")]
    return sum(len(entries) for entries in _lists(bundles))


def _values(value: object) -> Iterable[object]:
    return value.values() if isinstance(value, dict) else ()


def _lists(bundles: Iterable[object]) -> Iterator[list[object]]:
    for bundle in bundles:
        entries = bundle.get("entry") if isinstance(bundle, dict) else bundle
        if isinstance(entries, list):
            yield entries
