"""What is worked out from a knowledge base on first use, and kept for as long as the knowledge is in use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

from cds_service.knowledge.base import Knowledge

T = TypeVar("T")

_KNOWLEDGE_BASES_REMEMBERED = 4


@dataclass(frozen=True, slots=True)
class _Identity:
    """Knowledge compared by identity: it is immutable, and comparing its contents would cost more than the work."""

    knowledge: Knowledge

    def __hash__(self) -> int:
        return id(self.knowledge)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Identity) and other.knowledge is self.knowledge


def once_for_each(make: Callable[[Knowledge], T]) -> Callable[[Knowledge], T]:
    """`make`, called once for each knowledge base."""

    @lru_cache(maxsize=_KNOWLEDGE_BASES_REMEMBERED)
    def made(identity: _Identity) -> T:
        return make(identity.knowledge)

    return lambda knowledge: made(_Identity(knowledge))


@once_for_each
def implied_conditions(knowledge: Knowledge) -> Mapping[str, frozenset[str]]:
    """Each condition key -> itself and every key of the knowledge that includes it, directly or through others."""
    return {key: _widened(frozenset((key,)), knowledge) for key in _mentioned(knowledge)}


def implied(keys: frozenset[str], knowledge: Knowledge) -> frozenset[str]:
    """The condition keys, and every key of the knowledge that includes one of them."""
    wider = implied_conditions(knowledge)
    return keys.union(*(wider.get(key, ()) for key in keys))


def _mentioned(knowledge: Knowledge) -> frozenset[str]:
    included = (key for condition in knowledge.conditions.values() for key in condition.includes)
    return frozenset(knowledge.conditions) | frozenset(included)


def _widened(keys: frozenset[str], knowledge: Knowledge) -> frozenset[str]:
    wider = {c.id for c in knowledge.conditions.values() if keys.intersection(c.includes)}
    return keys if wider <= keys else _widened(keys | wider, knowledge)
