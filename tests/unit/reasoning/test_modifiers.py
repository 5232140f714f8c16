"""An interacting medicine moves the states of a marker, where guidance or the site says so."""

from __future__ import annotations

import pytest

from cds_service.knowledge.schema import Modifier, Modulator
from cds_service.model import Span, Trust
from cds_service.policy import Policy
from cds_service.reasoning.modifiers import Shift, shift_of, shifted
from tests.support.tiny import ALPHA, ALPHA_GENE, BETA, BETA_GENE, NORMAL, ago, around, order, person, taking, world

FACTORS = {"strong": 0.0, "moderate": 0.5}


def inhibitor(drug, strength="strong", **fields):
    return Modulator(
        **{
            "enzyme": "BETA",
            "role": "inhibitor",
            "strength": strength,
            "drug": drug,
            "source": "label",
            "trust": Trust.READ,
            **fields,
        }
    )


def modifier(**fields):
    return Modifier(
        **{
            "id": "beta",
            "marker": BETA,
            "source": "guideline",
            "trust": Trust.READ,
            "factors": FACTORS,
            "guideline_drugs": ("opiol",),
            **fields,
        }
    )


MODULATORS = (
    inhibitor("blockol", offset_days=14.0),
    inhibitor("slowol", "moderate"),
    inhibitor("weakol", "weak"),
    inhibitor("hearsayol", trust=Trust.RECALLED),
    inhibitor("inducol", role="inducer"),
    inhibitor("elsewherol", enzyme="ALPHA"),
)
KNOWLEDGE = world(modifiers=(modifier(marker=ALPHA), modifier()), modulators=MODULATORS)


def shift(*taken, drug="opiol", policy=None, knowledge=KNOWLEDGE, marker=BETA):
    medications = tuple(t if not isinstance(t, str) else taking(t) for t in taken)
    return shift_of(marker, around(drug, person(medications=medications), knowledge), policy or Policy())


def test_the_strongest_inhibitor_decides():
    assert shift("slowol") == Shift(0.5, ("slowol",), inferred=False)
    assert shift("slowol", "blockol") == Shift(0.0, ("blockol",), inferred=False)


@pytest.mark.parametrize("drug", ["weakol", "hearsayol", "inducol", "elsewherol", "plainol"])
def test_what_does_not_count_shifts_nothing(drug):
    assert shift(drug) is None


def test_a_drafted_inhibitor_counts():
    context = around("opiol", person(), KNOWLEDGE, order("blockol"))
    assert shift_of(BETA, context, Policy()) == Shift(0.0, ("blockol",), inferred=False)


def test_outside_the_guideline_only_the_site_decides():
    assert shift("blockol", drug="otherol") is None
    policy = Policy(phenoconversion={"BETA": ("otherol",)})
    assert shift("blockol", drug="otherol", policy=policy) == Shift(0.0, ("blockol",), inferred=True)
    assert shift("blockol", marker="gene:XI") is None


def test_a_recalled_rule_stays_silent():
    recalled = world(modifiers=(modifier(trust=Trust.RECALLED),), modulators=MODULATORS)
    assert shift("blockol", knowledge=recalled) is None


@pytest.mark.parametrize(("days", "acts"), [(1, True), (14, True), (15, False)])
def test_a_stopped_inhibitor_acts_until_its_effect_is_over(days, acts):
    assert (shift(taking("blockol", stopped=ago(days))) is not None) is acts


def test_a_stop_told_by_its_month_counts_from_its_last_day():
    assert shift(taking("blockol", stopped=Span(ago(400), ago(1)))) is not None
    assert shift(taking("blockol", stopped=Span(ago(4), ago(-20)))) is not None
    assert shift(taking("blockol", stopped=Span(ago(430), ago(400)))) is None


def test_a_stopped_inhibitor_of_unknown_length_no_longer_counts():
    assert shift(taking("slowol", stopped=ago(0))) is None


def test_scores_are_multiplied():
    half, none = Shift(0.5, (), inferred=False), Shift(0.0, (), inferred=False)
    assert shifted(frozenset({"2.0", "1.0", "0.0"}), half, BETA_GENE) == {"1.0", "0.5", "0.0"}
    assert shifted(frozenset({"≥3.0", "1.25"}), none, BETA_GENE) == {"0.0"}
    assert shifted(frozenset({"≥3.0"}), half, BETA_GENE) == {"2.0", "3.0", "≥3.0"}
    assert shifted(frozenset(), half, BETA_GENE) == frozenset()


def test_states_without_a_score_stay():
    assert shifted(frozenset({NORMAL}), Shift(0.0, (), inferred=False), ALPHA_GENE) == {NORMAL}
