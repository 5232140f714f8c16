"""JSON objects with a name twice: readers differ in which of the values they take, and orjson takes the last."""

from __future__ import annotations

import json

import orjson

_ESCAPED_COLONS = (b"\\u003a", b"\\u003A")


class _Twice(ValueError):
    pass


def has_double_names(content: bytes | bytearray, value: object) -> bool:
    """Whether an object of `content`, which orjson decoded as `value`, has a name twice. Written anew, JSON has as
    many colons as before unless a name stood twice: only what shows that sign is read again, slowly and exactly.

    >>> has_double_names(b'{"a": 5.9, "a": 4.2}', {"a": 4.2})
    True
    """
    has_escapes = b"\\" in content and any(sign in content for sign in _ESCAPED_COLONS)
    if not has_escapes and content.count(b":") == orjson.dumps(value).count(b":"):
        return False
    try:
        json.loads(content, object_pairs_hook=_once_each, parse_int=str, parse_float=str)
    except _Twice:
        return True
    return False


def _once_each(pairs: list[tuple[str, object]]) -> None:
    if len(dict(pairs)) < len(pairs):
        raise _Twice
