"""The range of probabilities over published populations; what is not published is not known."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cds_service.knowledge.schema import Fact, Frequency, Modifier, Modulator, Predicate
from cds_service.model import Condition, Presence, Trust
from cds_service.policy import Policy
from cds_service.reasoning.apply import departs
from cds_service.reasoning.probability import change_probability
from cds_service.reasoning.tables import situation_of
from tests.support.tiny import (
    ALPHA,
    BETA,
    HLA,
    INTERMEDIATE,
    NORMAL,
    POOR,
    RAPID,
    around,
    person,
    phenotype,
    population,
    reading,
    row,
    shares,
    table,
    taking,
    use,
    world,
)

ONE = table("unol", row({ALPHA: POOR}, "avoid"), row({ALPHA: (INTERMEDIATE, NORMAL, RAPID)}, "standard"))
TWO = table("duol", row({ALPHA: POOR, BETA: POOR}, "avoid"))
SCORES = table("scol", row({BETA: ("0.25", "3.0", "≥3.0")}, "avoid"))


def probability(of, frequencies, marker=ALPHA, *readings, medications=(), patient=None, **more):
    knowledge = world(of, frequencies=frequencies, **more)
    who = person(*readings, medications=medications, **(patient or {}))
    situation = situation_of(of, around(of.drugs[0], who, knowledge), Policy())
    counted = frozenset(a for a, r in situation.reached.items() if departs(r.resulting))
    return change_probability(situation, marker, counted)


def alpha(where, poor, source="study"):
    return shares(
        ALPHA,
        where,
        source,
        Poor_Metabolizer=poor,
        Intermediate_Metabolizer=0.3,
        Normal_Metabolizer=0.7 - poor,
    )


def test_nothing_published_is_not_known():
    assert probability(ONE, ()) is None


def test_recalled_shares_are_not_used():
    recalled = tuple(Frequency(f.marker, f.state, "X", f.low, f.high, "s", Trust.RECALLED) for f in alpha("X", 0.1))
    assert probability(ONE, recalled) is None


def test_the_range_spans_the_populations():
    found = probability(ONE, (*alpha("North", 0.02), *alpha("South", 0.1)))
    assert (found.low, found.high) == pytest.approx((0.02, 0.1))
    assert found.populations == 2


def test_shares_that_leave_much_of_a_population_out_say_nothing():
    assert probability(ONE, shares(ALPHA, Poor_Metabolizer=0.1)) is None
    partly = (*alpha("North", 0.02), *shares(ALPHA, "South", Poor_Metabolizer=0.1))
    assert probability(ONE, partly).populations == 1


def test_another_marker_without_shares_takes_nothing_from_what_all_its_states_lead_to():
    either = table(
        "duol",
        row({ALPHA: POOR, BETA: POOR}, "stop"),
        row({ALPHA: POOR, BETA: (INTERMEDIATE, NORMAL, "Ultrarapid Metabolizer")}, "avoid", id="rest"),
    )
    assert probability(either, alpha("North", 0.1)).high == pytest.approx(0.1)


def test_another_marker_without_shares_may_be_in_none_of_the_states_that_count():
    """Nobody knows how many have the other state too: perhaps nobody, perhaps all."""
    found = probability(TWO, alpha("North", 0.1))
    assert (found.low, found.high) == pytest.approx((0.0, 0.1))
    three = table("triol", row({ALPHA: POOR, BETA: POOR, HLA: "positive"}, "avoid"))
    beta = shares(BETA, Poor_Metabolizer=0.5, Normal_Metabolizer=0.5)
    found = probability(three, (*beta, *shares(HLA, positive=0.1, negative=0.9)), HLA)
    assert (found.low, found.high) == pytest.approx((0.0, 0.05))


def test_another_marker_counts_with_its_range_over_all_populations_where_this_one_has_none():
    poor = {"East": (0.3, 0.4), "South": (0.5, 0.6), "West": (0.1, 0.2)}
    beta = [Frequency(BETA, POOR, where, low, high, "study", Trust.READ) for where, (low, high) in poor.items()]
    beta += [Frequency(BETA, NORMAL, w, 1 - high, 1 - low, "study", Trust.READ) for w, (low, high) in poor.items()]
    found = probability(TWO, (*alpha("North", 0.5), *beta))
    assert (found.low, found.high) == pytest.approx((0.05, 0.3))


def test_a_population_known_to_be_counted_too_low_serves_only_alone():
    low = tuple(
        Frequency(f.marker, f.state, "South", f.low, f.high, "s", Trust.READ, lower_bound=True)
        for f in alpha("South", 0.5)
    )
    assert probability(ONE, (*alpha("North", 0.02), *low)).high == pytest.approx(0.02)
    assert probability(ONE, low).high == pytest.approx(0.5)


def test_what_is_known_scales_the_shares():
    found = probability(ONE, alpha("North", 0.1), ALPHA, reading(ALPHA, "*2/*9"))
    assert (found.low, found.high) == pytest.approx((0.25, 0.25)), "0.1 of 0.1 and 0.3"


def test_a_published_range_stays_a_range():
    frequencies = (
        Frequency(ALPHA, POOR, "X", 0.1, 0.3, "s", Trust.READ),
        Frequency(ALPHA, NORMAL, "X", 0.7, 0.9, "s", Trust.READ),
    )
    found = probability(ONE, frequencies)
    assert (found.low, found.high) == pytest.approx((0.1, 0.3))


def test_a_term_of_several_scores_counts_with_least_and_most():
    frequencies = (
        Frequency(BETA, INTERMEDIATE, "X", 0.4, 0.4, "s", Trust.READ),
        Frequency(BETA, NORMAL, "X", 0.6, 0.6, "s", Trust.READ),
    )
    found = probability(SCORES, frequencies, BETA)
    assert (found.low, found.high) == pytest.approx((0.0, 0.4))


def test_another_open_marker_counts_with_its_own_shares():
    beta = shares(BETA, "North", Poor_Metabolizer=0.2, Normal_Metabolizer=0.8)
    found = probability(TWO, (*alpha("North", 0.1), *beta))
    assert found.high == pytest.approx(0.02)


def test_another_marker_without_shares_here_counts_with_its_range_elsewhere():
    beta = (
        *shares(BETA, "East", Poor_Metabolizer=0.2, Normal_Metabolizer=0.8),
        *shares(BETA, "West", Poor_Metabolizer=0.4, Normal_Metabolizer=0.6),
    )
    found = probability(TWO, (*alpha("North", 0.1), *beta))
    assert (found.low, found.high) == pytest.approx((0.02, 0.04))


def test_another_marker_without_any_shares_may_have_any_state():
    found = probability(TWO, alpha("North", 0.1))
    assert (found.low, found.high) == pytest.approx((0.0, 0.1))
    assert probability(TWO, alpha("North", 0.1), ALPHA, phenotype(BETA, POOR)).high == pytest.approx(0.1)


def test_a_range_that_leaves_everything_open_is_not_known():
    unnamed = shares(SOMATIC, **{"V600R": 0.3, "other than V600R": 0.7})
    assert probability(BY_VARIANT, unnamed, SOMATIC) is None


def test_the_source_that_tells_most_states_apart_is_used():
    coarse = shares(ALPHA, "North", "coarse", Poor_Metabolizer=0.5, Normal_Metabolizer=0.5)
    for frequencies in ((*coarse, *alpha("North", 0.1)), (*alpha("North", 0.1), *coarse)):
        assert probability(ONE, frequencies).high == pytest.approx(0.1)


def test_shares_of_nothing_that_is_left_give_no_probability():
    assert (
        probability(ONE, shares(ALPHA, Poor_Metabolizer=0.0, Normal_Metabolizer=1.0), ALPHA, reading(ALPHA, "*2/*9"))
        is None
    )


def test_what_is_left_of_one_patient_is_not_what_is_left_of_the_next():
    knowledge = world(ONE, frequencies=alpha("North", 0.1))

    def low(*readings):
        situation = situation_of(ONE, around("unol", person(*readings), knowledge), Policy())
        return change_probability(situation, ALPHA, frozenset({(POOR,)})).low

    assert low() == pytest.approx(0.1)
    assert low(reading(ALPHA, Presence("*2", True))) == pytest.approx(0.1 / 0.4), "poor or intermediate"
    assert low() == pytest.approx(0.1)


def test_published_shares_count_people_before_any_comedication():
    """A moderate inhibitor halves scores: the share of what is now 0.25 is that of people born with 0.5."""
    frequencies = (
        Frequency(BETA, "0.25", "X", 0.7, 0.7, "s", Trust.READ),
        Frequency(BETA, "0.5", "X", 0.2, 0.2, "s", Trust.READ),
        Frequency(BETA, "0.0", "X", 0.1, 0.1, "s", Trust.READ),
    )
    halved = world(
        table("scol", row({BETA: "0.25"}, "avoid")),
        frequencies=frequencies,
        modifiers=(Modifier("m", BETA, "guideline", Trust.READ, {"moderate": 0.5}, ("scol",)),),
        modulators=(Modulator("BETA", "inhibitor", "moderate", "slowol", "label", Trust.READ),),
    )
    of = halved.tables["scol_table"]
    situation = situation_of(of, around("scol", person(medications=(taking("slowol"),)), halved), Policy())
    poor = change_probability(situation, BETA, frozenset({("0.0",)}))
    assert (poor.low, poor.high) == pytest.approx((0.1, 0.1))
    counted = frozenset({("0.25",)})
    assert change_probability(situation, BETA, counted).high == pytest.approx(0.9), "0.25 halved is nearest 0.25"


MARROW, SKIN = "marrow_cancer", "skin_cancer"
VARIANTS = {"V600E": ("V600E",), "V600K": ("V600K",)}
SOMATIC = "somatic:GENX"
BY_VARIANT = table("varol", row({SOMATIC: "V600E"}, "avoid"), uses={SOMATIC: use(variants=VARIANTS)})


def among(condition, where, **by_state):
    return tuple(replace(f, condition=condition) for f in shares(ALPHA, where, **by_state))


OF_MARROW = among(MARROW, "marrow", Poor_Metabolizer=0.3, Normal_Metabolizer=0.7)
OF_SKIN = among(SKIN, "skin", Poor_Metabolizer=0.6, Normal_Metabolizer=0.4)
OF_NONE = shares(ALPHA, "all", Poor_Metabolizer=0.1, Normal_Metabolizer=0.9)


def having(*keys):
    return {"conditions": tuple(Condition(frozenset((key,)), key, f"Condition/{key}") for key in keys)}


@pytest.mark.parametrize(
    ("keys", "expected", "told"),
    [((MARROW,), (0.3, 0.3), MARROW), ((), (0.1, 0.1), ""), ((MARROW, SKIN), (0.3, 0.6), "")],
)
def test_shares_among_people_with_the_disease_count_where_there_are_any(keys, expected, told):
    found = probability(ONE, (*OF_MARROW, *OF_SKIN, *OF_NONE), patient=having(*keys))
    assert (found.low, found.high) == pytest.approx(expected)
    assert found.condition == told


def test_shares_of_a_disease_say_nothing_of_people_without_it():
    assert probability(ONE, OF_MARROW) is None


def test_of_several_diseases_that_of_the_table_counts():
    for_skin = replace(ONE, population=population(Predicate(Fact.INDICATION, is_in=(SKIN,))))
    found = probability(for_skin, (*OF_MARROW, *OF_SKIN), patient=having(MARROW, SKIN))
    assert (found.low, found.condition) == (pytest.approx(0.6), SKIN)


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ({"V600E": 0.3, "negative": 0.7}, (0.3, 0.3)),
        ({"V600E|V600K": 0.3, "other than V600E|V600K": 0.7}, (0.0, 0.3)),
        ({"positive": 0.3, "negative": 0.7}, (0.0, 0.3)),
        ({"other than V600E": 0.9, "V600E": 0.1}, (0.1, 0.1)),
    ],
)
def test_a_share_counts_the_states_that_it_may_mean(states, expected):
    found = probability(BY_VARIANT, shares(SOMATIC, **states), SOMATIC)
    assert (found.low, found.high) == pytest.approx(expected)
