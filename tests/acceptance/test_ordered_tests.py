"""A test that a card offers, once it is ordered, is known as ordered: no card offers it again."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from cds_service.answer import answer
from cds_service.fetching.prefetch import prefetched_results
from cds_service.hooks.requests import parse
from tests.acceptance.test_cases import CASE_PARAMETERS
from tests.support.build import hook_request
from tests.support.world import TODAY, definition, drug_codes, service

Json = dict[str, Any]
DATED_BY_YEAR = "clozapine-count-of-a-year"
"""Its count may be of a later day than the order: whether it is the one that was awaited cannot be told."""


def body_of(case: Mapping[str, Any]) -> Json | None:
    """The request for the case, where it signs an order and the record's requests are sent."""
    hook = case.get("hook", "order-sign")
    is_usual = hook == "order-sign" and not case.get("missing") and case["id"] != DATED_BY_YEAR
    return hook_request(case, drug_codes(), TODAY, hook) if is_usual else None


def offered(body: Json) -> Iterator[tuple[str, Json]]:
    """Label and resource of each test that a card offers."""
    request = parse(body, definition(body["hook"]))
    made = answer(request, prefetched_results(request.prefetch, request.question.patient_id), service(), TODAY)
    for card in made.body["cards"]:
        for suggestion in card.get("suggestions", []):
            for action in suggestion.get("actions", []):
                resource = action.get("resource", {})
                if resource.get("resourceType") == "ServiceRequest" and suggestion["label"].startswith("Order test"):
                    yield suggestion["label"], resource


def ordered(body: Json, tests: list[Json]) -> Json:
    """The request where these tests have been signed today."""
    signed = [
        {**test, "id": f"signed-{n}", "status": "active", "intent": "order", "authoredOn": TODAY.isoformat()}
        for n, test in enumerate(tests)
    ]
    changed = copy.deepcopy(body)
    changed["prefetch"]["requests"].setdefault("entry", []).extend({"resource": one} for one in signed)
    return changed


def test_what_is_ordered_is_not_offered_again() -> None:
    seen: set[str] = set()
    again: dict[str, list[str]] = {}
    for parameter in CASE_PARAMETERS:
        (case,) = parameter.values
        body = body_of(case)
        tests = list(offered(body)) if body else []
        if body is None or {label for label, _ in tests} <= seen:
            continue
        seen |= {label for label, _ in tests}
        told = [label for label, _ in offered(ordered(body, [test for _, test in tests]))]
        again |= {case["id"]: told} if told else {}
    assert len(seen) > 80
    assert not again
