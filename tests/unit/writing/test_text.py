"""What a card may not hold is left out of it, whatever holds it."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import pytest

from cds_service.model import Outcome
from cds_service.writing.text import Markdown, is_empty, without_empties


@pytest.mark.parametrize("empty", [None, "", " ", "\t\n", [], {}, (), Markdown(""), Markdown(" ")])
def test_what_is_empty_is_left_out_at_any_depth(empty: Any) -> None:
    assert is_empty(empty)
    held = {"a": empty, "b": [empty, {"c": empty}], "d": {"e": {"f": empty}}, "g": "kept", "h": (1, empty)}
    assert without_empties(held) == {"g": "kept", "h": [1]}
    assert without_empties(MappingProxyType(held)) == {"g": "kept", "h": [1]}


@pytest.mark.parametrize("filled", [0, 0.0, False, True, "0", " x ", Markdown("x"), Outcome.STOP, [0], {"a": False}])
def test_what_says_something_stays(filled: Any) -> None:
    assert not is_empty(filled)
    assert without_empties({"a": filled, "b": [filled]}) == {"a": filled, "b": [filled]}
