"""The clinical cases of tests/cases, each through reading and reasoning, and each over HTTP.

A case lists every finding that a clinician should be shown (`expect`), and nothing else may be shown; `silent: true`
says that nothing is. Fields of an expectation that are left out are not compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from cds_service import unique_yaml
from cds_service.answer import AnswerResult, answer
from cds_service.fetching.prefetch import prefetched_results
from cds_service.hooks.requests import parse
from cds_service.model import Finding
from cds_service.policy import Policy
from tests.support.build import hook_request
from tests.support.world import TODAY, definition, drug_codes, service

CASES = Path(__file__).parents[1] / "cases"


def _cases() -> list[Any]:
    found = []
    for path in sorted(CASES.glob("*.yaml")):
        cases = unique_yaml.load(path.read_bytes())
        found += [pytest.param(case, id=f"{path.stem}:{case['id']}") for case in cases]
    return found


CASE_PARAMETERS = _cases()
_POLICIES = TypeAdapter(Policy)


_ANSWERS: dict[int, tuple[Mapping[str, Any], AnswerResult]] = {}
"""By the identity of a case, which is kept so that no other case comes by it."""


def answer_of(case: Mapping[str, Any]) -> AnswerResult:
    """The answer to the case, made once for all that is asked of it."""
    if id(case) not in _ANSWERS:
        _ANSWERS[id(case)] = case, _answered(case)
    return _ANSWERS[id(case)][1]


def _answered(case: Mapping[str, Any]) -> AnswerResult:
    body = hook_request(case, drug_codes(), TODAY, case.get("hook", "order-sign"))
    request = parse(body, definition(body["hook"]))
    results = prefetched_results(request.prefetch, request.question.patient_id)
    return answer(request, results, replace(service(), policy=policy_of(case)), TODAY)


def findings_of(case: Mapping[str, Any]) -> tuple[Finding, ...]:
    """All findings of the case, straight through reading and reasoning."""
    return answer_of(case).findings


def policy_of(case: Mapping[str, Any]) -> Policy:
    """The packaged policy with what the case's site decides otherwise."""
    packaged, own = service().policy, case.get("policy")
    return _POLICIES.validate_python({**_POLICIES.dump_python(packaged), **own}) if own else packaged


@pytest.mark.parametrize("case", CASE_PARAMETERS)
def test_case(case: Mapping[str, Any]) -> None:
    """The shown findings are exactly the expected ones."""
    findings = findings_of(case)
    shown = [described(f) for f in findings if not f.silent]
    expected = case.get("expect", [])
    told = "\n".join(f"{d}" for d in map(described, findings))
    assert len(shown) == len(expected), told
    for wanted in expected:
        assert any(matches(wanted, found) for found in shown), f"{wanted}\n{told}"
    for wanted in case.get("silently", []):
        quiet = [described(f) for f in findings if f.silent]
        assert any(matches(wanted, found) for found in quiet), f"{wanted}\n{told}"


def described(finding: Finding) -> dict[str, Any]:
    """A finding in the words of a case."""
    options = finding.advice.options if finding.advice is not None else ()
    return {
        "kind": finding.kind.value,
        "drug": finding.drug,
        "order": finding.order.reference,
        "caused_by": finding.caused_by,
        "indicator": finding.indicator.value,
        "silent": finding.silent,
        "table": finding.table,
        "row": finding.row,
        "outcome": finding.resulting.outcome.value,
        "decided": finding.decided.outcome.value,
        "first": options[0].action.value if options else "",
        "only_if": options[0].only_if if options else "",
        "factor": _factor(finding),
        "tests": sorted(t.marker for t in finding.tests),
        "by": sorted(t.test for t in finding.tests),
        "closed": sorted(finding.closed_markers),
        "offered": sorted(a.drug for a in finding.alternatives if not a.refused),
        "refused": sorted(a.drug for a in finding.alternatives if a.refused),
        "hold": finding.hold,
        "preliminary": finding.preliminary.resulting.outcome.value if finding.preliminary else "",
        "bridge": bool(finding.bridge),
        "assumed": sorted(a.assumed for a in finding.assumptions),
        "gaps": sorted(g.reason for g in finding.gaps),
        "modified_by": sorted(d for v in finding.markers for d in v.modified_by),
        "relatives": sorted({t.relative.text for t in finding.tests if t.relative is not None}),
        "likeliest": round(max((t.probability.high for t in finding.tests if t.probability), default=0), 3),
        "probability_known": all(t.probability is not None for t in finding.tests),
    }


def _factor(finding: Finding) -> list[float]:
    dose = finding.resulting.dose
    return list(dose.factor) if dose is not None and dose.factor is not None else []


def matches(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    """Whether every field that the case names is so. `offers` and `not_offered` ask for members."""
    for key, value in wanted.items():
        if key == "offers":
            if not set(value) <= set(found["offered"]):
                return False
        elif key == "not_offered":
            if set(value) & set(found["offered"]):
                return False
        elif key == "closes":
            if not set(value) <= set(found["closed"]):
                return False
        elif found[key] != (sorted(value) if isinstance(value, list) and key != "factor" else value):
            return False
    return True
