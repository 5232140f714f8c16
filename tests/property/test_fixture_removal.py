"""Taking any one resource out of a fixture never turns a card into silence, except by a rule that `inspect` names.

Less knowledge must not look like safety: an order that had a card keeps one, or its findings say by which rule they
are silent, or the resource taken out was the order itself.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from cds_service.errors import RequestError
from tests.support import fixtures
from tests.support.fixtures import Json
from tests.support.world import inspected

FINDINGS = "org.cds-service.findings"
Path = tuple[Any, ...]


def _removals() -> Iterator[Any]:
    for name in fixtures.names():
        if fixtures.read("expected", name)["cards"]:
            for path, resource in _resources(fixtures.read("requests", name)):
                removed = {f"{held['resourceType']}/{held.get('id')}" for _, held in _resources(resource)}
                what = ".".join(str(key) for key in path)
                yield pytest.param(name, path, removed, id=f"{name}-without-{what}")


def _resources(value: Any, path: Path = ()) -> Iterator[tuple[Path, Json]]:
    """Every resource of a request with the way to it: Bundles, and the resources that they hold."""
    items: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    if isinstance(value, dict) and "resourceType" in value:
        yield path, value
    for key, inner in items:
        if key != "contained":
            yield from _resources(inner, (*path, key))


def without(request: Json, path: Path) -> Json:
    """The request without what stands at `path`; of a Bundle the whole entry goes, and its total is one less."""
    changed = copy.deepcopy(request)
    holder: Any = changed
    way = path[:-1] if path[-1] == "resource" else path
    for key in way[:-2]:
        holder = holder[key]
    parent = holder[way[-2]] if len(way) > 1 else holder
    del parent[way[-1]]
    if isinstance(parent, list) and isinstance(holder.get("total"), int):
        holder["total"] -= 1
    return changed


def orders_with_cards(answer: Json) -> dict[str, set[str]]:
    """The orders that cards are about, each with the references whose removal takes the question itself away:
    its own, and that of the draft that made a medicine already taken a question.
    """
    worst = [card["extension"][FINDINGS][0] for card in answer["cards"]]
    return {finding["order"]: {finding["order"], finding.get("causedBy", "")} for finding in worst}


@pytest.mark.parametrize(("name", "path", "removed"), list(_removals()))
def test_no_card_falls_silent_without_a_rule(name: str, path: Path, removed: set[str]) -> None:
    """A request that is refused is not silent either: the clinician's EHR learns what is missing."""
    request = fixtures.read("requests", name)
    changed = without(request, path)
    try:
        kept = orders_with_cards(fixtures.answered(changed))
    except RequestError:
        return
    told = [entry["finding"] for entry in inspected(changed, fixtures.TODAY) if "finding" in entry]
    for order, question in orders_with_cards(fixtures.answered(request)).items():
        if order in kept or removed & question:
            continue
        rules = [finding.get("silentBecause") for finding in told if finding["order"] == order]
        assert rules, f"{order} lost its card, and nothing says why"
        assert all(rules), f"a finding of {order} is neither on a card nor silent by a rule"


def test_a_removal_takes_one_resource_out() -> None:
    """The helper removes what it is told to and leaves the request itself alone."""
    request = fixtures.read("requests", "01-clopidogrel-acs-poor-metaboliser")
    path = next(p for p, r in _resources(request) if r.get("id") == "genotype-cyp2c19")
    changed = without(request, path)
    assert "genotype-cyp2c19" in {r.get("id") for _, r in _resources(request)}
    assert "genotype-cyp2c19" not in {r.get("id") for _, r in _resources(changed)}
    assert changed["prefetch"]["results"]["total"] == request["prefetch"]["results"]["total"] - 1
