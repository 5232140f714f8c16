"""The doses that one click writes, for the cases that say them (`writes`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.acceptance.test_cases import CASE_PARAMETERS
from tests.support.build import hook_request
from tests.support.world import TODAY, answered, drug_codes

WRITING = [one for one in CASE_PARAMETERS if "writes" in one.values[0]]


@pytest.mark.parametrize("case", WRITING)
def test_one_click_writes_these_doses(case: Mapping[str, Any]) -> None:
    assert list(written(case)) == case["writes"]


def written(case: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Amount and interval of every suggestion that changes a dose."""
    body = hook_request(case, drug_codes(), TODAY)
    for card in answered(body).body["cards"]:
        for suggestion in card.get("suggestions", ()):
            (action,) = suggestion["actions"]
            for instruction in action["resource"].get("dosageInstruction", ()):
                amount = instruction["doseAndRate"][0]["doseQuantity"]["value"]
                yield {"amount": amount, **instruction["timing"]["repeat"]}
