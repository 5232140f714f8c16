"""YAML in which a key stands once: YAML itself lets a later one replace an earlier one in silence. And what is wrong
with a file, in a line.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import yaml
from pydantic import ValidationError

_EXPECTED = {
    "unexpected_keyword_argument": "no such key",
    "missing": "missing",
    "tuple_type": "expected a list",
}
"""Pydantic's names of faults, where its own words are about Python."""


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


def faults_of(fault: yaml.YAMLError | ValidationError, *above: str) -> str:
    """Each fault with its place, on one line; `above` is where in the file that begins what was validated."""
    if isinstance(fault, yaml.YAMLError):
        return " ".join(str(fault).split())
    return "; ".join(
        f"{'.'.join(str(part) for part in (*above, *error['loc']))}: {_EXPECTED.get(error['type'], error['msg'])}, "
        f"found {str(error.get('input'))[:80]!r}"
        for error in fault.errors()
    )


class UniqueKeys(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """The safe loader, in C where there is one, and stricter."""


def _unique_mapping(loader: Any, node: yaml.MappingNode) -> Any:
    keys = Counter(key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode))
    twice = sorted(key for key, times in keys.items() if times > 1)
    if twice:
        raise yaml.YAMLError(f"line {node.start_mark.line + 1}: {', '.join(twice)} stands twice in one mapping")
    return loader.construct_mapping(node)


UniqueKeys.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _unique_mapping)
