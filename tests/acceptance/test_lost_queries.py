"""The worked cases with one query lost: what is shown is the same, or the card names what was lost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from cds_service.answer import evaluate
from cds_service.fetching.prefetch import prefetched_results
from cds_service.hooks.requests import parse
from cds_service.model import Availability, Finding, Kind, Query, QueryResult, Question, Shortfall, is_of_tumour
from cds_service.reasoning.obtained import queries_telling
from tests.acceptance.test_cases import CASE_PARAMETERS, findings_of, policy_of
from tests.support.build import hook_request
from tests.support.world import TODAY, definition, drug_codes, knowledge, service

NAMES_A_LOSS = frozenset({"not_obtained", "failed"})
GROUPS = ("worked", "interactions", "family_history")
TUMOURS = ("tumours_breast", "tumours_solid", "tumours_blood", "tumours_brca")
BOTH = (Query.RESULTS, Query.TUMOUR_RESULTS)
ABSENT: dict[Query, QueryResult] = {Query.TUMOUR_RESULTS: QueryResult(Availability.MISSING, reason=Shortfall.MISSING)}


def _cases(*groups: str) -> Iterator[Any]:
    return (p for p in CASE_PARAMETERS if str(p.id).partition(":")[0] in groups)


def _parameters() -> Iterator[Any]:
    for parameter in _cases(*GROUPS):
        yield from (pytest.param(parameter.values[0], q, id=f"{parameter.id}-without-{q}") for q in Query)


def answered(case: Mapping[str, Any]) -> tuple[Question, dict[Query, QueryResult]]:
    body = hook_request(case, drug_codes(), TODAY, case.get("hook", "order-sign"))
    request = parse(body, definition(body["hook"]))
    return request.question, {**prefetched_results(request.prefetch, request.question.patient_id)}


def found(case: Mapping[str, Any], question: Question, results: Mapping[Query, QueryResult]) -> list[Finding]:
    _, findings = evaluate(question, results, replace(service(), policy=policy_of(case)), TODAY)
    return [finding for finding in findings if not finding.silent]


def usually_shown(case: Mapping[str, Any]) -> list[Finding]:
    """What is shown where nothing is lost."""
    return [finding for finding in findings_of(case) if not finding.silent]


def shown_without(case: Mapping[str, Any], lost: Query) -> list[Finding]:
    question, results = answered(case)
    results[lost] = QueryResult(Availability.FAILED, reason=Shortfall.REFUSED)
    return found(case, question, results)


@pytest.mark.parametrize(("case", "query"), list(_parameters()))
def test_a_lost_query_never_takes_a_finding_away_in_silence(case: Mapping[str, Any], query: Query) -> None:
    after = shown_without(case, query)
    same = {(f.kind, f.table, f.row, f.order.reference) for f in after}
    naming = {f.order.reference for f in after if any(gap.reason in NAMES_A_LOSS for gap in f.gaps)}
    for finding in usually_shown(case):
        is_same = (finding.kind, finding.table, finding.row, finding.order.reference) in same
        assert is_same or {finding.order.reference, finding.caused_by} & naming, finding.table


@pytest.mark.parametrize("case", list(_cases(*GROUPS, *TUMOURS)))
def test_losing_the_results_of_tumours_matters_to_no_other_guidance(case: Mapping[str, Any]) -> None:
    kept = [f for f in usually_shown(case) if not is_about_tumours(f)]
    assert kept == [f for f in shown_without(case, Query.TUMOUR_RESULTS) if not is_about_tumours(f)]


def _has_report(case: Mapping[str, Any]) -> bool:
    """Whether a whole report is on record, which no query for results of tumours asks for."""
    return any(r["resourceType"] == "DiagnosticReport" for r in case["patient"].get("resources", ()))


@pytest.mark.parametrize("case", [p for p in _cases(*TUMOURS) if not _has_report(p.values[0])])
def test_losing_the_other_results_matters_to_no_protein_of_a_tumour(case: Mapping[str, Any]) -> None:
    """A variant may be among the other results: its code tells no tumour from an inheritance. A report that nobody
    asked for is lost with the key under which it was sent.
    """
    kept = [f for f in usually_shown(case) if hangs_on_proteins(f)]
    assert kept == [f for f in shown_without(case, Query.RESULTS) if hangs_on_proteins(f)]


def is_about_tumours(finding: Finding) -> bool:
    return bool(finding.table) and any(map(is_of_tumour, knowledge().tables[finding.table].markers))


def hangs_on_proteins(finding: Finding) -> bool:
    """Whether the finding is about a tumour, and no guidance for its drug is about a variant."""
    markers = {m for table in knowledge().tables_by_drug[finding.drug] for m in table.markers if is_of_tumour(m)}
    return is_about_tumours(finding) and all(len(queries_telling(m, knowledge())) == 1 for m in markers)


@pytest.mark.parametrize("case", list(_cases(*TUMOURS)))
def test_results_of_tumours_are_read_alike_under_either_key(case: Mapping[str, Any]) -> None:
    """A client that fills one key for all results, whether it knows of the other or not, or both with the same."""
    question, results = answered(case)
    usual = found(case, question, results)
    both = (*results[Query.RESULTS].resources, *results[Query.TUMOUR_RESULTS].resources)
    under_one = results | {Query.RESULTS: QueryResult(Availability.COMPLETE, both)}
    assert found(case, question, under_one | {Query.TUMOUR_RESULTS: QueryResult(Availability.COMPLETE)}) == usual
    assert found(case, question, results | dict.fromkeys(BOTH, QueryResult(Availability.COMPLETE, both))) == usual
    known = {(f.table, f.row) for f in usual if f.kind is Kind.CHANGE_NOW and is_about_tumours(f)}
    assert known <= {(f.table, f.row) for f in found(case, question, under_one | ABSENT)}


def test_results_lost_under_one_key_are_lost_to_tumours_too_where_the_other_was_never_sent() -> None:
    case = next(p.values[0] for p in _cases("tumours_breast") if str(p.id).endswith("trastuzumab-ihc-2-amplified"))
    question, results = answered(case)
    both = (*results[Query.RESULTS].resources, *results[Query.TUMOUR_RESULTS].resources)
    results[Query.RESULTS] = QueryResult(Availability.PARTIAL, both, Shortfall.MORE_PAGES)
    finding = next(f for f in found(case, question, results | ABSENT) if is_about_tumours(f))
    assert (finding.kind, [gap.reason for gap in finding.gaps]) == (Kind.NOT_ASSESSED, ["further_results_lost"])


def test_a_lost_result_of_a_tumour_is_told_though_nobody_asks_for_the_test() -> None:
    """Breast cancers are tested: the receptor that speaks against tamoxifen may be what was lost."""
    orders = [{"drug": "tamoxifen", "dose": "20 mg"}]
    case = {"patient": {"age": 60, "sex": "female", "conditions": ["breast cancer"]}, "orders": orders}
    question, results = answered(case)
    assert found(case, question, results) == []
    lost = results | {Query.TUMOUR_RESULTS: QueryResult(Availability.FAILED, reason=Shortfall.REFUSED)}
    (finding,) = found(case, question, lost)
    assert (finding.kind, {gap.about for gap in finding.gaps}) == (Kind.NOT_ASSESSED, {"tumour:ER", "tumour:PR"})
    assert found(case, question, results | ABSENT) == [], "a key that a site never fills is told to the operators"
