"""The fixtures: every resource is valid FHIR, every request gets the answer that is written down for it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from tests.support import fixtures
from tests.support.fixtures import FIXTURES, Json

REQUESTS = fixtures.names()
PATIENTS = sorted(path.stem for path in (FIXTURES / "patients").glob("*.json"))
SILENT = {name for name in REQUESTS if name.endswith("-silent")}
NOT_VALID = {"22-clopidogrel-nothing-sent"}  # written as a sandbox sends it: no Bundle type, objects for lists


@pytest.mark.parametrize("name", REQUESTS)
def test_answer_is_the_expected_one(name: str) -> None:
    """Wording, options, suggestions and extension are those that were read and written down."""
    answer = fixtures.answered(fixtures.read("requests", name))
    assert fixtures.normalised(answer) == fixtures.read("expected", name)


@pytest.mark.parametrize("name", REQUESTS)
def test_silence_is_meant(name: str) -> None:
    """Only the fixtures that are named so get no card."""
    assert (fixtures.read("expected", name)["cards"] == []) == (name in SILENT)


@pytest.mark.parametrize("name", REQUESTS)
def test_uuids_are_stable(name: str) -> None:
    """The same call a day later gets cards with the same identity: a dismissed card stays dismissed."""
    body = fixtures.read("requests", name)
    later = fixtures.answered(body, fixtures.TODAY + timedelta(days=1))
    assert _card_ids(fixtures.answered(body)) == _card_ids(later)


@pytest.mark.parametrize("name", REQUESTS)
def test_summaries_and_details_keep_their_length(name: str) -> None:
    """Under 140 characters, and at most 900 before the evidence."""
    for card in fixtures.read("expected", name)["cards"]:
        assert len(card["summary"]) < 140
        assert len(re.split(r"\n#+ Evidence|\n\*\*Evidence", card["detail"])[0]) <= 900


@pytest.mark.parametrize("name", PATIENTS)
def test_patients_are_valid(name: str) -> None:
    """Each patient is a valid R4 Bundle, and so is each resource in it."""
    bundle = fixtures.read("patients", name)
    _validate(bundle)
    assert bundle["type"] == "collection"
    for entry in bundle["entry"]:
        _validate(entry["resource"])


@pytest.mark.parametrize("name", [name for name in REQUESTS if name not in NOT_VALID])
def test_requests_are_valid(name: str) -> None:
    """Each resource of a request, drafts included, is valid R4 by itself."""
    for resource in _resources(fixtures.read("requests", name)):
        _validate(resource)


@pytest.mark.parametrize("name", REQUESTS)
def test_resources_we_send_are_valid(name: str) -> None:
    """Every resource in a suggestion, as written down."""
    for card in fixtures.read("expected", name)["cards"]:
        for suggestion in card.get("suggestions", []):
            for action in suggestion["actions"]:
                if "resource" in action:
                    _validate(action["resource"])


def test_readme_shows_a_real_answer() -> None:
    """The README's card is what the code of today says."""
    readme = fixtures.README.read_text(encoding="utf-8")
    assert fixtures.read("expected", fixtures.SHOWN_IN_README)["cards"][0]["summary"] in readme
    assert fixtures.readme_with_answer(readme) == readme


def test_there_are_enough() -> None:
    """At least 12 patients and 14 requests, each of the five hooks among them."""
    hooks = {fixtures.read("requests", name)["hook"] for name in REQUESTS}
    assert len(PATIENTS) >= 12
    assert len(REQUESTS) >= 14
    assert hooks == {"order-sign", "order-select", "patient-view", "medication-refill", "order-dispatch"}


def test_names_are_made_up() -> None:
    """Every id says that its patient does not exist."""
    for name in PATIENTS:
        patient = fixtures.read("patients", name)["entry"][0]["resource"]
        assert patient["id"] == f"made-up-{name}"
        assert patient["identifier"][0]["value"].startswith("TEST-")


def _card_ids(answer: Json) -> list[str]:
    return [card["uuid"] for card in answer["cards"]]


def _resources(value: Any) -> Iterator[Json]:
    """Every resource at any depth but for contained ones, Bundles without those that they hold."""
    if isinstance(value, list):
        for item in value:
            yield from _resources(item)
    elif isinstance(value, dict):
        if "resourceType" in value and value["resourceType"] != "Bundle":
            yield value
        else:
            for item in value.values():
                yield from _resources(item)


def _validate(resource: Json) -> None:
    get_fhir_model_class(resource["resourceType"]).model_validate(resource)
