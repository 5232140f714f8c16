"""Remembering what pure functions gave: of a code, a label, a dosage or a value as laboratories and EHRs write them,
which come back in request after request, whoever the patient is. What may be remembered: docs/decisions/0010.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import wraps
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, cast

import orjson

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
P = ParamSpec("P")

MOST_ENTRIES = 2048
LONGEST_CONTENT = 512
"""Bytes or characters; longer ones seldom come back, and are more of a story than a label."""

_ABSENT: Any = object()


class Memory(Generic[K, V]):
    """Values by key, at most `MOST_ENTRIES`: a full memory begins anew, which keeps a look-up as cheap as can be.
    Threads may share it: at worst two of them make the same value.
    """

    __slots__ = ("_values", "find")

    def __init__(self) -> None:
        self._values: dict[K, V] = {}
        self.find: Callable[[K], V | None] = self._values.get
        """The value of a key, None where it is not remembered."""

    def get(self, key: K, make: Callable[..., V], *args: object) -> V:
        """The value of `key`, made by `make(*args)` where it is not remembered."""
        found = self._values.get(key, _ABSENT)
        if found is not _ABSENT:
            return found  # type: ignore[no-any-return]
        return self.keep(key, make(*args))

    def keep(self, key: K, value: V) -> V:
        """`value` itself, remembered under the key."""
        if len(self._values) >= MOST_ENTRIES:
            self._values.clear()
        self._values[key] = value
        return value

    def holds(self, keys: set[K]) -> bool:
        """Whether all of these are remembered."""
        return keys <= self._values.keys()

    def get_by_text(self: Memory[tuple[str, str], V], kind: str, text: str, make: Callable[[str], V]) -> V:
        """What `make` gives for a text, which is remembered with the kind of question where it is short."""
        return self.get((kind, text), make, text) if len(text) <= LONGEST_CONTENT else make(text)


def remembered_by_text(function: Callable[[str], V]) -> Callable[[str], V]:
    """A pure function of a text that remembers what it gave for short ones."""
    memory: Memory[str, V] = Memory()

    @wraps(function)
    def call(text: str) -> V:
        return memory.get(text, function, text) if len(text) <= LONGEST_CONTENT else function(text)

    return call


def remembered_by_identity(function: Callable[Concatenate[T, P], V]) -> Callable[Concatenate[T, P], V]:
    """A pure function of an immutable part of the knowledge, compared by identity, and of hashable arguments by
    position, that remembers what it gave.
    """
    memory: Memory[Hashable, tuple[T, V]] = Memory()

    @wraps(function)
    def call(part: T, *args: P.args, **kwargs: P.kwargs) -> V:
        if kwargs:
            return function(part, *args, **kwargs)
        key = (id(part), args)
        found = memory.find(key)
        if found is not None:
            return found[1]
        value = function(part, *args, **kwargs)
        if any(isinstance(arg, str) and len(arg) > LONGEST_CONTENT for arg in args):
            return value
        return memory.keep(key, (part, value))[1]  # with the part itself kept, no other can come by its identity

    return cast("Callable[Concatenate[T, P], V]", call)


def remembered_by_content(function: Callable[Concatenate[Any, P], V]) -> Callable[Concatenate[Any, P], V]:
    """A pure function of decoded JSON, and perhaps of hashable arguments by position, that remembers what it gave for
    short contents. What it gives must be immutable.
    """
    memory: Memory[Hashable, V] = Memory()

    @wraps(function)
    def call(value: object, *args: P.args, **kwargs: P.kwargs) -> V:
        content = content_key(value)
        if content is None:
            return function(value, *args, **kwargs)
        return memory.get((content, args) if args else content, function, value, *args)

    return cast("Callable[Concatenate[Any, P], V]", call)


def content_key(value: object) -> bytes | None:
    """Equal for equal contents; None for what is long or cannot be written as JSON."""
    try:
        key = orjson.dumps(value)
    except TypeError:
        return None
    return key if len(key) <= LONGEST_CONTENT else None
