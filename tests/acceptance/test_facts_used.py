"""A card names each fact of the record that made its guidance speak."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.acceptance.test_cases import CASE_PARAMETERS, answer_of

FINDINGS = "org.cds-service.findings"


@pytest.mark.parametrize("case", CASE_PARAMETERS)
def test_each_fact_of_a_finding_stands_on_its_card(case: Mapping[str, Any]) -> None:
    """And every resource that decided the population is one of them."""
    for card in answer_of(case).body["cards"]:
        for finding in card["extension"].get(FINDINGS, ()):
            told = finding.get("used", [])
            caused_by = finding.get("causedBy")
            shown = [one for one in told[:5] if not caused_by or one.get("reference") != caused_by]
            missing = [one for one in shown if said(one) not in card["detail"].replace("\\", "")]
            assert not missing, card["detail"]
            if not finding.get("silent"):
                assert set(finding.get("facts", ())) <= {one.get("reference") for one in told}


def said(used: Mapping[str, Any]) -> str:
    """The name or the value as the card has it."""
    if "name" in used:
        return str(used["name"])[:40]
    return f"{int(used['value']) if used['fact'] == 'age' else round(used['value'], 2):,g}"


def test_a_dose_by_weight_tells_the_weight() -> None:
    case = {
        "patient": {"age": 52, "weight": 60},
        "orders": [{"drug": "hydroxychloroquine", "dose": "400 mg", "per_day": 1}],
    }
    (card,) = answer_of(case).body["cards"]
    assert "Facts used: weight 60 kg." in card["detail"]
