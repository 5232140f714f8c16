"""The worked cases with one query lost: what is shown is the same, or the card names what was lost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from cds_service.answer import evaluate
from cds_service.fetching.prefetch import prefetched_results
from cds_service.hooks.requests import parse
from cds_service.model import Availability, Finding, Query, QueryResult, Shortfall
from tests.acceptance.test_cases import CASE_PARAMETERS, policy_of
from tests.support.build import hook_request
from tests.support.world import TODAY, definition, drug_codes, service

NAMES_A_LOSS = frozenset({"not_obtained", "failed"})
GROUPS = ("worked", "interactions", "family_history")


def _parameters() -> Iterator[Any]:
    for parameter in CASE_PARAMETERS:
        group, _, _ = str(parameter.id).partition(":")
        if group in GROUPS:
            yield from (pytest.param(parameter.values[0], q, id=f"{parameter.id}-without-{q}") for q in Query)


def shown(case: Mapping[str, Any], lost: Query | None) -> list[Finding]:
    body = hook_request(case, drug_codes(), TODAY, case.get("hook", "order-sign"))
    request = parse(body, definition(body["hook"]))
    results = {**prefetched_results(request.prefetch, request.question.patient_id)}
    if lost is not None:
        results[lost] = QueryResult(Availability.FAILED, reason=Shortfall.REFUSED)
    _, findings = evaluate(request.question, results, replace(service(), policy=policy_of(case)), TODAY)
    return [finding for finding in findings if not finding.silent]


@pytest.mark.parametrize(("case", "query"), list(_parameters()))
def test_a_lost_query_never_takes_a_finding_away_in_silence(case: Mapping[str, Any], query: Query) -> None:
    after = shown(case, query)
    same = {(f.kind, f.table, f.row, f.order.reference) for f in after}
    naming = {f.order.reference for f in after if any(gap.reason in NAMES_A_LOSS for gap in f.gaps)}
    for finding in shown(case, None):
        is_same = (finding.kind, finding.table, finding.row, finding.order.reference) in same
        assert is_same or {finding.order.reference, finding.caused_by} & naming, finding.table
