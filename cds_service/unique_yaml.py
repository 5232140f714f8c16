"""YAML in which a key stands once: YAML itself lets a later one replace an earlier one in silence."""

from __future__ import annotations

from collections import Counter
from typing import Any

import yaml


def load(text: str | bytes) -> Any:
    r"""What `text` holds. Raises yaml.YAMLError, also where a key stands twice in one mapping.

    >>> load("a: [1, {b: 2}]")
    {'a': [1, {'b': 2}]}
    >>> load("a: 1\na: 2")
    Traceback (most recent call last):
    yaml.error.YAMLError: line 1: a stands twice in one mapping
    """
    try:
        return yaml.load(text, Loader=UniqueKeys)  # noqa: S506  # nosec B506
    except (ValueError, RecursionError) as fault:  # 2026-99-99 is no YAMLError but the ValueError of a date
        raise yaml.YAMLError(f"not to be read: {fault}") from fault


class UniqueKeys(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """The safe loader, in C where there is one, and stricter."""


def _unique_mapping(loader: Any, node: yaml.MappingNode) -> Any:
    keys = Counter(key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode))
    twice = sorted(key for key, times in keys.items() if times > 1)
    if twice:
        raise yaml.YAMLError(f"line {node.start_mark.line + 1}: {', '.join(twice)} stands twice in one mapping")
    return loader.construct_mapping(node)


UniqueKeys.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _unique_mapping)
