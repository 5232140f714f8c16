"""`knowledge check` reports a spoiler that names what is not there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cds_service.knowledge.base import Knowledge
from cds_service.knowledge.checks import check
from cds_service.knowledge.schema import FamilyPrior, Observable, ObservableKind, ResultSpoiler, SampleFault
from cds_service.model import Trust
from tests.unit.knowledge.test_checks import MARKER, PHRASES, WHOLE

SPOILER = ResultSpoiler(
    "spoiler", (MARKER,), ("gout",), "less_active", "study", Trust.READ, methods=("genotype", ""),
    may_hide={"Normal Metabolizer": ("0.0",)},
)  # fmt: skip


OBSERVABLE = "lab:urate"
OBSERVED = Observable(OBSERVABLE, ObservableKind.QUANTITY, "study", names=("urate",), unit="mg/dL")


def faulty(fault: SampleFault) -> Knowledge:
    return replace(
        WHOLE, sample_faults={"f": fault}, observables={OBSERVABLE: OBSERVED}, unit_spellings={"mg/dl": "mg/dL"}
    )


def spoiled(**changes: Any) -> Knowledge:
    return replace(WHOLE, spoilers=(replace(SPOILER, **changes),))


def test_a_whole_spoiler_has_no_problems() -> None:
    assert check(spoiled(), PHRASES) == []
    assert check(spoiled(markers=("gene", "hla"), may_hide={}), PHRASES) == []


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"markers": ("gene:NOSUCH",), "may_hide": {}}, "spoiler spoiler: gene:NOSUCH is no gene or HLA marker"),
        ({"may_hide": {"Normal": ("0.0",)}}, f"spoiler spoiler: {MARKER} has no state 'Normal'"),
        ({"may_hide": {"1.0": ("7.0",)}}, f"spoiler spoiler: {MARKER} has no state '7.0'"),
        ({"markers": (MARKER, "gene")}, "spoiler spoiler: states are named for a kind of markers"),
        ({"conditions": ("gout", "nosuch")}, "spoiler spoiler: condition 'nosuch' is not known"),
        ({"ongoing": ("nosuch",)}, "spoiler spoiler: 'nosuch' goes on and is none of its conditions"),
        ({"unless": ("nosuch",)}, "spoiler spoiler: condition 'nosuch' is not known"),
        ({"conditions": ()}, "spoiler spoiler: no condition sets it going"),
        ({"methods": ("palm_reading",)}, "spoiler spoiler: no test has the method 'palm_reading'"),
        ({"source": "nobody"}, "spoiler spoiler: source 'nobody' does not exist"),
        ({"reason": "unsaid"}, "spoiler spoiler: phrase 'unsaid' has no text"),
        ({"specimen": "unsaid"}, "spoiler spoiler: phrase 'unsaid' has no text"),
    ],
)
def test_what_is_not_there_is_reported(changes: dict[str, Any], told: str) -> None:
    problems = check(spoiled(**changes), PHRASES)
    assert any(problem.startswith(told) for problem in problems), problems


PRIOR = FamilyPrior("prior", (MARKER,), ("gout",), "study", Trust.READ, share_up_to=0.5)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, ""),
        ({"share_up_to": None}, ""),
        ({"share_up_to": 1.0}, ""),
        ({"markers": ("gene",)}, "family prior prior: gene is no gene or HLA marker that is known"),
        ({"conditions": ("nosuch",)}, "family prior prior: condition 'nosuch' is not known"),
        ({"share_up_to": 1.5}, "family prior prior: share 1.5; expected more than 0 and at most 1"),
        ({"share_up_to": 0.0}, "family prior prior: share 0.0"),
        ({"source": "nobody"}, "family prior prior: source 'nobody' does not exist"),
    ],
)
def test_family_priors_are_checked_too(changes: dict[str, Any], told: str) -> None:
    problems = check(replace(WHOLE, family_priors=(replace(PRIOR, **changes),)), PHRASES)
    assert problems == [] if not told else any(problem.startswith(told) for problem in problems)


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (
            SampleFault("f", "less_active", Trust.READ, ("spilt",), raises={"lab:nosuch": "study"}),
            "lab:nosuch is no observable",
        ),
        (SampleFault("f", "less_active", Trust.READ, ("spilt",), raises={OBSERVABLE: "nosuch"}), "source 'nosuch'"),
        (SampleFault("f", "less_active", Trust.RECALLED, ("spilt",), raises={OBSERVABLE: "study"}), "recalled"),
        (SampleFault("f", "less_active", Trust.READ, raises={OBSERVABLE: "study"}), "nothing says it"),
        (SampleFault("f", "less_active", Trust.READ, codes=("HEM",)), "it touches no observable"),
    ],
)
def test_a_fault_of_a_sample_is_held_against_what_there_is(fault: SampleFault, told: str) -> None:
    problems = check(faulty(fault), PHRASES)
    assert any("sample fault f" in problem and told in problem for problem in problems), problems


def test_a_whole_fault_has_no_problems() -> None:
    whole = SampleFault("f", "less_active", Trust.READ, ("spilt",), lowers={OBSERVABLE: "study"})
    assert check(faulty(whole), PHRASES) == []
