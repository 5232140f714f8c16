"""What a card offers, once it was taken, is known as done: no card offers it again, and none goes beyond it."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from tests.acceptance.test_cases import CASE_PARAMETERS
from tests.support.build import hook_request
from tests.support.world import TODAY, answered, drug_codes

Json = dict[str, Any]
DATED_BY_YEAR = "clozapine-count-of-a-year"
"""Its count may be of a later day than the order: whether it is the one that was awaited cannot be told."""


def bodies() -> Iterator[tuple[str, Json]]:
    """Id and request of each case in which an order is signed."""
    for (case,) in (parameter.values for parameter in CASE_PARAMETERS):
        if case.get("hook", "order-sign") == "order-sign":
            yield case["id"], hook_request(case, drug_codes(), TODAY, "order-sign")


def offered(body: Json, kind: str) -> Iterator[tuple[str, Json]]:
    """Label and resource of each suggestion that creates or updates a resource of this kind."""
    for card in answered(body).body["cards"]:
        for suggestion in card.get("suggestions", []):
            for action in suggestion["actions"]:
                if action["resource"]["resourceType"] == kind:
                    yield suggestion["label"], action["resource"]


def orders_of_tests(body: Json) -> list[tuple[str, Json]]:
    return [one for one in offered(body, "ServiceRequest") if one[0].startswith("Order test")]


def ordered(body: Json, tests: list[Json]) -> Json:
    """The request where these tests have been signed today."""
    signed = [
        {**test, "id": f"signed-{n}", "status": "active", "intent": "order", "authoredOn": TODAY.isoformat()}
        for n, test in enumerate(tests)
    ]
    changed = copy.deepcopy(body)
    changed["prefetch"]["requests"].setdefault("entry", []).extend({"resource": one} for one in signed)
    return changed


def updated(body: Json, draft: Mapping[str, Any]) -> Json:
    """The request where the draft of this id is this one."""
    changed = copy.deepcopy(body)
    entries = changed["context"]["draftOrders"]["entry"]
    (entry,) = (one for one in entries if one["resource"]["id"] == draft["id"])
    entry["resource"] = draft
    return changed


def test_a_test_that_is_ordered_is_not_offered_again() -> None:
    seen: set[str] = set()
    again: dict[str, list[str]] = {}
    for case, body in bodies():
        tests = orders_of_tests(body) if "requests" in body["prefetch"] and case != DATED_BY_YEAR else []
        if {label for label, _ in tests} <= seen:
            continue
        seen |= {label for label, _ in tests}
        told = [label for label, _ in orders_of_tests(ordered(body, [test for _, test in tests]))]
        again |= {case: told} if told else {}
    assert len(seen) > 80
    assert not again


def test_an_order_that_was_changed_as_offered_is_not_changed_further() -> None:
    """An EHR asks again when what was suggested at the selection is signed."""
    changes = {"Change": 0, "Replace": 0, "Hold": 0}
    again: dict[str, list[str]] = {}
    for case, body in bodies():
        for label, draft in offered(body, "MedicationRequest"):
            changes[label.split()[0]] += 1
            further = [
                then
                for then, other in offered(updated(body, draft), "MedicationRequest")
                if other["id"] == draft["id"]
            ]
            again |= {f"{case}: {label}": further} if further else {}
    assert min(changes.values()) > 5
    assert not again
