"""Guidance that a site has put in silent mode reaches no card: neither its id nor what it would make of the order."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from cds_service.answer import AnswerResult, answer
from cds_service.fetching.prefetch import prefetched_results
from cds_service.hooks.requests import parse
from cds_service.model import Kind
from cds_service.policy import Policy, Switch
from tests.acceptance.test_cases import CASE_PARAMETERS, policy_of
from tests.support.build import hook_request
from tests.support.world import TODAY, definition, drug_codes, service

WARFARIN = {
    "id": "two-tables-of-warfarin",
    "patient": {"age": 74, "sex": "female", "genotypes": {"CYP2C9": "*3/*3"}, "medications": ["amiodarone"]},
    "orders": [{"drug": "warfarin", "dose": "5 mg", "per_day": 1}],
}


def _parameters() -> Iterator[Any]:
    """One case in four: each of them is answered once for each table that has a part in it."""
    yield pytest.param(WARFARIN, id=WARFARIN["id"])
    yield from CASE_PARAMETERS[::4]


def answered(case: Mapping[str, Any], policy: Policy) -> AnswerResult:
    body = hook_request(case, drug_codes(), TODAY, case.get("hook", "order-sign"))
    request = parse(body, definition(body["hook"]))
    results = prefetched_results(request.prefetch, request.question.patient_id)
    return answer(request, results, replace(service(), policy=policy), TODAY)


@pytest.mark.parametrize("case", list(_parameters()))
def test_a_silenced_table_stands_nowhere_on_the_cards(case: Mapping[str, Any]) -> None:
    policy = policy_of(case)
    findings = answered(case, policy).findings
    told = {f.table for f in findings if f.table and (not f.silent or f.kind is Kind.NO_TEST_CHANGES)}
    for table in sorted(told):
        quiet = replace(policy, guidance={**policy.guidance, table: Switch.SILENT})
        cards: Any = answered(case, quiet).body["cards"]
        assert f'"{table}"' not in json.dumps(cards), table


WRITING = [one for one in CASE_PARAMETERS if one.values[0].get("writes")]


@pytest.mark.parametrize("case", WRITING)
def test_a_silenced_dose_is_not_on_offer(case: Mapping[str, Any]) -> None:
    policy = policy_of(case)
    changing = {f.table for f in answered(case, policy).findings if f.kind is Kind.CHANGE_NOW and not f.silent}
    assert offered_doses(case, policy)
    quiet = replace(policy, guidance=policy.guidance | dict.fromkeys(changing, Switch.SILENT))
    assert not offered_doses(case, quiet)


def offered_doses(case: Mapping[str, Any], policy: Policy) -> list[str]:
    cards: Any = answered(case, policy).body["cards"]
    suggestions = [s for card in cards for s in card.get("suggestions", [])]
    return [s["label"] for s in suggestions if "dosageInstruction" in str(s["actions"]) and "Change" in s["label"]]


def test_a_drug_without_guidance_makes_no_card_and_no_gap() -> None:
    knowledge = service().knowledge
    without = [drug for drug in knowledge.drugs if drug not in knowledge.tables_by_drug]
    case = {"patient": {"age": 60, "sex": "female"}, "orders": [{"drug": drug, "dose": "1 mg"} for drug in without]}
    result = answered(case, Policy())
    assert {f.silent for f in result.findings} == {"no_guidance"}
    assert {f.drug for f in result.findings} >= set(without)
    assert result.body["cards"] == []
