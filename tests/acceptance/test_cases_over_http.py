"""Every clinical case over HTTP: the cards say what the findings say, one card for each order
or, in patient-view, for the whole list."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from cds_service.answer import AnswerResult, Service, answer
from cds_service.app import close, create_app
from cds_service.hooks.requests import HookRequest
from cds_service.model import Finding
from cds_service.settings import Settings
from tests.acceptance.test_cases import CASE_PARAMETERS, findings_of, policy_of
from tests.support.build import hook_request
from tests.support.world import TODAY, drug_codes, service

SEEN = "org.cds-service.findings"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """One application for all cases; the day is that of the cases."""
    folder: Path = tmp_path_factory.mktemp("store")
    settings = Settings(database_url=f"sqlite:///{folder / 'store.sqlite'}", log_level="ERROR", development=True)
    made = create_app(settings, service(), _on_the_day)
    yield made
    close(made)


def _on_the_day(request: HookRequest, results: Any, served: Service, _today: object) -> AnswerResult:
    policy = POLICIES.get(request.hook_instance)
    return answer(request, results, replace(served, policy=policy) if policy else served, TODAY)


POLICIES: dict[str, Any] = {}
"""The policy of a case that has its own, by the hook instance of its request."""


@pytest.mark.parametrize("case", CASE_PARAMETERS)
def test_case_over_http(app: Flask, case: Mapping[str, Any]) -> None:
    body = hook_request(case, drug_codes(), TODAY, case.get("hook", "order-sign"))
    if "policy" in case:
        POLICIES[body["hookInstance"]] = policy_of(case)
    response = app.test_client().post(f"/cds-services/{body['hook']}", json=body)
    assert response.status_code == 200, response.text
    cards = response.json["cards"]
    told = [finding for card in cards for finding in card["extension"][SEEN]]
    shown = [f for f in findings_of(case) if not f.silent]
    expected = sorted((f.kind.value, f.indicator.value, f.table, _asked(f)) for f in shown)
    seen = sorted((f["kind"], f["indicator"], _table(f), _markers(f)) for f in told if "silent" not in f)
    assert seen == expected
    concerned = len({f.order.reference for f in shown})
    assert len(cards) == (min(concerned, 1) if body["hook"] == "patient-view" else concerned)


def _asked(finding: Finding) -> tuple[str, ...]:
    return tuple(sorted(test.marker for test in finding.tests))


def _table(finding: Mapping[str, Any]) -> str:
    return str(finding.get("guidance", {}).get("id", ""))


def _markers(finding: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(sorted(m for test in finding.get("tests", []) for m in test["markers"]))
