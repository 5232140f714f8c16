"""What a card may not hold is left out of it, whatever holds it."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import pytest

from cds_service.model import Outcome
from cds_service.writing.drafts import repaired
from cds_service.writing.text import Markdown, filled, first_that_fits, sentence

ORDER = {"resourceType": "MedicationRequest", "id": "1", "status": "draft", "intent": "order", "subject": {"a": 1}}


@pytest.mark.parametrize("empty", [None, "", [], {}, (), Markdown("")])
def test_what_is_empty_is_no_member(empty: Any) -> None:
    assert filled(a=empty, b="kept") == {"b": "kept"}


@pytest.mark.parametrize("something", [0, 0.0, False, True, "0", Markdown("x"), Outcome.STOP, [0], {"a": False}])
def test_what_says_something_is_a_member(something: Any) -> None:
    assert filled(a=something) == {"a": something}


@pytest.mark.parametrize(("text", "said"), [("", ""), ("no result", "No result"), ("eGFR is low", "eGFR is low")])
def test_a_sentence_leaves_a_name_with_capitals_of_its_own(text: str, said: str) -> None:
    """EGFR is another marker."""
    assert sentence(text) == said


@pytest.mark.parametrize("empty", [None, "", " ", "\t\n", [], {}])
def test_what_is_empty_in_a_draft_is_left_out_at_any_depth(empty: Any) -> None:
    held = {"a": empty, "b": [empty, {"c": empty}], "d": {"e": {"f": empty}}, "g": "kept", "h": [1, empty]}
    assert repaired({**ORDER, "x": held, "y": empty}, "p") == {**ORDER, "x": {"g": "kept", "h": [1]}}
    assert repaired(MappingProxyType({**ORDER, "x": held}), "p") == {**ORDER, "x": {"g": "kept", "h": [1]}}


@pytest.mark.parametrize("other", [{"resourceType": "ServiceRequest"}, {"id": None}, {"id": 7}])
def test_what_is_no_draft_that_can_be_updated_is_not_repaired(other: dict[str, object]) -> None:
    assert repaired({**ORDER, **other}, "p") is None


@pytest.mark.parametrize("something", [0, 0.0, False, True, "0", " x ", [0], {"a": False}])
def test_what_says_something_in_a_draft_stays(something: Any) -> None:
    said = {**ORDER, "x": {"a": something, "b": [something]}}
    assert repaired(said, "p") == said


@pytest.mark.parametrize(
    ("candidates", "expected"),
    [
        (["far too long", "fits"], "fits"),
        (["", "  ", "fits"], "fits"),
        ([" two  spaces "], "two…"),
        (["far too long", "too long too", ""], "too…"),
    ],
)
def test_the_first_line_that_fits_is_taken_and_the_last_one_cut(candidates: list[str], expected: str) -> None:
    assert first_that_fits(candidates, 8) == expected
