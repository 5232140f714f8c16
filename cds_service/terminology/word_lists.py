"""The lists of words around the names of drugs (`drug_words.yaml`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from cds_service import unique_yaml
from cds_service.errors import KnowledgeError
from cds_service.terminology.text import words


@dataclass(frozen=True, slots=True)
class Words:
    """The lists of `drug_words.yaml`, as keys."""

    routes: tuple[tuple[tuple[str, ...], str], ...]
    counted_forms: frozenset[str]
    milligrams_in: Mapping[str, float]
    plain_words: frozenset[str]
    leading_only: frozenset[tuple[str, ...]]
    not_before: frozenset[str]
    not_after: tuple[tuple[str, ...], ...]
    reaction_after: frozenset[str]
    reaction_before: tuple[tuple[str, ...], ...]
    ends: frozenset[str]
    joins: frozenset[str]
    beside: frozenset[str]
    makers: frozenset[str]
    numbered: frozenset[str]
    several: frozenset[str]
    suffixed: tuple[str, ...]

    @property
    def plain(self) -> frozenset[str]:
        """Words that may stand as a part of a name and name nothing."""
        routes = {word for phrase, _ in self.routes for word in phrase}
        return self.plain_words | self.beside | self.makers | self.counted_forms | self.ends | routes


def load_words(data: Path) -> Words:
    """The lists of `drug_words.yaml` under `data`. Raises KnowledgeError where the file is not as expected."""
    path = data / "drug_words.yaml"
    try:
        raw: dict[str, Any] = unique_yaml.load(path.read_bytes())
        return Words(
            routes=tuple((words(phrase), route) for phrase, route in raw["routes"]),
            counted_forms=frozenset(raw["counted_forms"]),
            milligrams_in={unit: float(factor) for unit, factor in raw["milligrams_in"].items()},
            plain_words=frozenset(raw["plain_words"]),
            leading_only=frozenset(words(name) for name in raw["leading_only"]),
            not_before=frozenset(raw["not_before"]),
            not_after=tuple(words(phrase) for phrase in raw["not_after"]),
            reaction_after=frozenset(raw["reaction_after"]),
            reaction_before=tuple(words(phrase) for phrase in raw["reaction_before"]),
            ends=frozenset(raw["ends"]),
            joins=frozenset(raw["joins"]),
            beside=frozenset(raw["beside"]),
            makers=frozenset(raw["makers"]),
            numbered=frozenset(raw["numbered"]),
            several=frozenset(raw["several"]),
            suffixed=tuple(raw["suffixed"]),
        )
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError) as fault:
        raise KnowledgeError(f"{path.name}: expected the lists that `Words` names; found {fault!r}") from fault
