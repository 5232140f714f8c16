"""What is said of a tumour in another way gets the same answer: every case of `tests/cases/tumours_*.yaml`, by every
way of `tests.support.tumour_rewriting` that changes it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.property.test_other_words import Said, requests, told, usual, ways
from tests.support.rewriting import Json, Rewrite
from tests.support.tumour_rewriting import TUMOURS

_SILENT = 1
"""Where a finding as `told` gives it says that it is not shown."""


def rewritten(way: Rewrite) -> Iterator[tuple[Said, Json]]:
    tried = ((said, said.body) for said in requests() if said.name.startswith("tumours_"))
    return ((said, body) for said, body in tried if way(body))


@pytest.mark.parametrize("way", ways({name: way for name, way in TUMOURS.items() if "conclusion" not in name}))
def test_a_tumour_s_result_in_other_words_gets_the_same_answer(way: Rewrite) -> None:
    tried = list(rewritten(way))
    assert tried
    assert [said.name for said, body in tried if told(said, body) != usual(said.name)] == []


@pytest.mark.parametrize("way", ways({name: way for name, way in TUMOURS.items() if "conclusion" in name}))
def test_a_conclusion_gets_the_same_answer(way: Rewrite) -> None:
    """It may tell a second marker by the way: what is shown is the same."""
    tried = list(rewritten(way))
    assert tried
    assert [said.name for said, body in tried if shown(told(said, body)) != shown(usual(said.name))] == []


def shown(findings: list[tuple[object, ...]]) -> list[tuple[object, ...]]:
    return [finding for finding in findings if not finding[_SILENT]]
