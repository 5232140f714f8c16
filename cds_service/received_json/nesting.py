"""How deep JSON may be nested that others sent, and of how many parts it may be. FHIR itself hardly passes twenty.

orjson reads more, and must never be asked to write it: where many lists end at one place, `orjson.dumps` writes
beyond its buffer and takes the process down (seen with 3.10 to 3.13: beyond 64 lists with the older, 200 with the
newer).
"""

from __future__ import annotations

import orjson

DEEPEST = 100
MOST_PARTS = 500_000
"""Objects and arrays: what decoding costs, in time and memory, goes by them rather than by bytes."""

_USUAL = 16
_ONE_KIND = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


class TooDeep(ValueError):
    """JSON nested deeper than `DEEPEST`."""

    def __init__(self) -> None:
        super().__init__(f"nested deeper than {DEEPEST}")


def has_too_many_parts(content: bytes | bytearray) -> bool:
    """Whether `content` may be JSON of more than `MOST_PARTS` objects and arrays."""
    return content.count(b"{") + content.count(b"[") > MOST_PARTS


def decoded(content: bytes | bytearray) -> object:
    """`content` as JSON. Raises orjson.JSONDecodeError and TooDeep."""
    value: object = orjson.loads(content)
    if is_too_deep(content, value):
        raise TooDeep
    return value


def is_too_deep(content: bytes | bytearray, value: object) -> bool:
    """Whether `value`, decoded from `content`, is nested deeper than `DEEPEST`.

    >>> is_too_deep(b'{"a": [1, "]"]}', {"a": [1, "]"]})
    False
    """
    brackets = content.translate(_ONE_KIND, _NO_BRACKETS)
    for _ in range(_USUAL):
        brackets = brackets.replace(b"[]", b"")
        if not brackets:
            return False
    return _is_deeper(value)  # or there are brackets within texts


def _is_deeper(value: object) -> bool:
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(DEEPEST):
        level = [
            child
            for holder in level
            for child in (holder.values() if isinstance(holder, dict) else holder)
            if isinstance(child, dict | list)
        ]
    return bool(level)
