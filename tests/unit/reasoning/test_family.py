"""A family history raises the chance that a test changes the order, and never tells the patient's own state."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cds_service.knowledge.schema import ConditionKey, FamilyPrior
from cds_service.model import ChangeProbability, FamilyCondition, Outcome, Trust
from cds_service.reasoning.probability import Inherited, inherited, raised
from tests.support.tiny import (
    ALPHA,
    BETA,
    INTERMEDIATE,
    NORMAL,
    POOR,
    RAPID,
    ULTRARAPID,
    findings,
    only,
    order,
    person,
    row,
    shares,
    table,
    use,
    world,
)

HALF = FamilyPrior("half", (ALPHA,), ("alpha_deficiency",), "study", Trust.READ, share_up_to=0.5)
WITHOUT = FamilyPrior("without", (ALPHA,), ("alpha_trouble",), "study", Trust.READ)
TABLE = table(
    "testolol",
    row({ALPHA: POOR}, "avoid"),
    row({ALPHA: (INTERMEDIATE, NORMAL, RAPID, ULTRARAPID)}, "standard"),
    uses={ALPHA: use("recommended")},
)
KNOWN = shares(ALPHA, Poor_Metabolizer=0.02, Intermediate_Metabolizer=0.28, Normal_Metabolizer=0.7)
KNOWLEDGE = replace(
    world(TABLE, frequencies=KNOWN),
    family_priors=(HALF, WITHOUT),
    conditions={"alpha_deficiency": ConditionKey("alpha_deficiency", includes=("severe_deficiency",))},
)


def relative(key="alpha_deficiency", degree=1, name="1"):
    return FamilyCondition(frozenset((key,)), "brother", degree, key, f"FamilyMemberHistory/{name}")


def found(*family, marker=ALPHA, knowledge=KNOWLEDGE):
    return inherited(marker, person(family=family), knowledge)


@pytest.mark.parametrize(("degree", "share"), [(1, 0.5), (2, 0.25)])
def test_the_share_halves_with_each_degree(degree, share):
    assert found(relative(degree=degree)) == Inherited(relative(degree=degree), share)


@pytest.mark.parametrize(
    ("family", "marker"),
    [((), ALPHA), ((relative(degree=3),), ALPHA), ((relative("gout"),), ALPHA), ((relative(),), BETA)],
)
def test_no_relative_that_matters(family, marker):
    assert found(*family, marker=marker) is None


def test_a_narrower_key_counts_and_a_recalled_rule_does_not():
    assert found(relative("severe_deficiency")).share == 0.5
    recalled = replace(KNOWLEDGE, family_priors=(replace(HALF, trust=Trust.RECALLED),))
    assert found(relative(), knowledge=recalled) is None


def test_a_figure_goes_before_none_and_the_nearest_before_others():
    aunt, trouble = relative(degree=2, name="2"), relative("alpha_trouble", name="3")
    assert found(trouble) == Inherited(trouble, None)
    assert found(trouble, aunt).relative == aunt
    assert found(aunt, relative()).relative == relative()


@pytest.mark.parametrize(
    ("before", "prior", "after"),
    [
        ((0.02, 0.05), Inherited(relative(), 0.5), (0.02, 0.5)),
        ((0.02, 0.7), Inherited(relative(), 0.5), (0.02, 0.7)),
        ((0.02, 0.05), Inherited(relative(), None), (0.02, 0.05)),
        ((0.02, 0.05), None, (0.02, 0.05)),
    ],
)
def test_the_upper_end_is_at_least_the_share(before, prior, after):
    assert raised(ChangeProbability(*before, 3), prior) == ChangeProbability(*after, 3)


def test_what_is_not_known_stays_not_known():
    assert raised(None, Inherited(relative(), 0.5)) is None


def test_the_question_names_the_relative_and_the_order_stays():
    asked = only(findings(KNOWLEDGE, order("testolol"), person(family=(relative(),))))
    question = only(asked.tests)
    assert asked.resulting.outcome is Outcome.AS_DRAFTED
    assert (question.relative, question.probability.high) == (relative(), 0.5)
    alone = only(only(findings(KNOWLEDGE, order("testolol"), person())).tests)
    assert (alone.relative, alone.probability.high) == (None, pytest.approx(0.02))
