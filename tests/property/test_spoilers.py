"""With the packaged rules: an event that spoils results in one direction never reassures and softens no advice."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cds_service.knowledge.schema import ResultSpoiler
from cds_service.model import Condition, Finding, Outcome, Phenotype, Reading
from cds_service.policy import Policy
from cds_service.reasoning import evaluate
from tests.support.tiny import TODAY, ago, order, person
from tests.support.world import knowledge

ONE_SIDED = [spoiler for spoiler in knowledge().spoilers if spoiler.may_hide]
TWO_SIDED = [spoiler for spoiler in knowledge().spoilers if not spoiler.may_hide]
OUTCOMES = list(Outcome)


def drugs_of(marker: str) -> list[str]:
    return sorted({drug for table in knowledge().tables.values() if marker in table.markers for drug in table.drugs})


def found(drug: str, marker: str, state: str, spoiler: ResultSpoiler, *, spoiled: bool) -> list[Finding]:
    method = spoiler.methods[0]
    result = Reading(marker, Phenotype(state), "Observation/1", on=ago(3), method=method)
    event = Condition(frozenset(spoiler.conditions[:1]), "event", "Condition/1", ago(5))
    patient = person(result, conditions=(event,) if spoiled else (), sex="male")
    shown = evaluate((order(drug),), patient, knowledge(), Policy(), TODAY)
    return [f for f in shown if not f.silent and marker in {view.marker for view in f.markers}]


def gravest(findings: list[Finding]) -> int:
    return max((OUTCOMES.index(f.resulting.outcome) for f in findings), default=0)


@pytest.mark.parametrize("spoiler", ONE_SIDED, ids=lambda spoiler: spoiler.id)
def test_a_one_sided_spoiler_never_reassures(spoiler: ResultSpoiler) -> None:
    (marker,) = spoiler.markers
    for drug in drugs_of(marker):
        for state in knowledge().genes[marker.removeprefix("gene:")].phenotypes:
            plain = found(drug, marker, state, spoiler, spoiled=False)
            spoiled = found(drug, marker, state, spoiler, spoiled=True)
            assert bool(spoiled) >= bool(plain), (drug, state)
            assert gravest(spoiled) >= gravest(plain), (drug, state)


@pytest.mark.parametrize("spoiler", ONE_SIDED, ids=lambda spoiler: spoiler.id)
def test_some_drug_is_asked_about_again(spoiler: ResultSpoiler) -> None:
    """The most reassuring result closes the question without the event, and leaves it open with it."""
    (marker,) = spoiler.markers
    best = next(iter(spoiler.may_hide))

    def asks(drug: str, *, spoiled: bool) -> bool:
        return any(t.marker == marker for f in found(drug, marker, best, spoiler, spoiled=spoiled) for t in f.tests)

    assert [drug for drug in drugs_of(marker) if asks(drug, spoiled=True)]
    assert not [drug for drug in drugs_of(marker) if asks(drug, spoiled=False)]


@pytest.mark.parametrize("spoiler", TWO_SIDED, ids=lambda spoiler: spoiler.id)
def test_a_result_that_is_set_aside_is_as_good_as_none(spoiler: ResultSpoiler) -> None:
    """But for the reason on the card: the same kinds of finding, the same tests, the same advice now."""
    for marker in ("gene:DPYD", "gene:CYP2C19", "gene:CYP2D6", "gene:TPMT"):
        for drug in drugs_of(marker):
            for state in knowledge().genes[marker.removeprefix("gene:")].phenotypes:
                spoiled = found(drug, marker, state, spoiler, spoiled=True)
                event = Condition(frozenset(spoiler.conditions), "event", "Condition/1", ago(5))
                untested = evaluate(
                    (order(drug),), person(conditions=(event,), sex="male"), knowledge(), Policy(), TODAY
                )
                assert gist(spoiled) == gist(
                    [f for f in untested if not f.silent and marker in {view.marker for view in f.markers}]
                ), (drug, state)


def gist(findings: list[Finding]) -> list[tuple[object, ...]]:
    tests = [tuple(replace(t, branches=()) for t in f.tests) for f in findings]
    return [(f.kind, f.table, f.row, f.resulting, t) for f, t in zip(findings, tests, strict=True)]
