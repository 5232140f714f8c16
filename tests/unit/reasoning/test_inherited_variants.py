"""Variants that count only where they are harmful, inherited or of the tumour, in one gene or in several together."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cds_service.codes import LOINC, Coding
from cds_service.knowledge.schema import (
    MarkerUse,
    Observable,
    ObservableKind,
    ObservationCode,
    ResultSpoiler,
    Test,
)
from cds_service.model import (
    Condition,
    Conflicting,
    Indeterminate,
    Known,
    Narrowed,
    NotReadable,
    Presence,
    Reading,
    Significance,
    Trust,
    Unreadable,
    is_of_tumour,
)
from cds_service.reasoning.tumours import of_tumour
from tests.support.tiny import ago, around, person, row, table, world

INHERITED, ONE, TWO = "germline:BOTH", "germline:ONE", "germline:TWO"
ANYWHERE, TUMOUR_ONE, TUMOUR_TWO, LARGER = "somatic:BOTH", "somatic:ONE", "somatic:TWO", "somatic:MORE"
FOUND_COUNTS = {"positive": ("positive",), "negative": ("positive", "negative")}
PANEL_CODE = Coding(LOINC, "1-1")
P, U, B = Significance.PATHOGENIC, Significance.UNCERTAIN, Significance.BENIGN
EITHER = MarkerUse(states=("positive", "negative"))
STATES = frozenset(EITHER.states)


def _observable(name: str, tells: tuple[str, ...] = (), **fields: object) -> Observable:
    made = Observable(name, ObservableKind.PRESENCE, "source", needs_significance=True)
    return replace(made, tells=dict.fromkeys(tells, FOUND_COUNTS), **fields)


OBSERVABLES = {
    o.id: o
    for o in (
        _observable(INHERITED, (ANYWHERE, LARGER), negative_where=(ONE, TWO), codes=(ObservationCode("1-1"),)),
        _observable(ONE, (INHERITED, ANYWHERE, LARGER)),
        _observable(TWO, (INHERITED, ANYWHERE, LARGER)),
        _observable(ANYWHERE, (INHERITED, LARGER), negative_where=(TUMOUR_ONE, TUMOUR_TWO)),
        _observable(TUMOUR_ONE, (INHERITED, ANYWHERE, LARGER)),
        _observable(TUMOUR_TWO, (INHERITED, ANYWHERE, LARGER)),
        _observable(LARGER),
    )
}
TESTS = {
    marker: (Test(id=method, markers=(marker,), codes=(), method=method, source="source"),)
    for marker, method in ((INHERITED, "genotype"), (ANYWHERE, "sequencing"))
}
TRANSPLANT = ResultSpoiler(
    "transplant", ("germline",), ("donor_transplant",), reason="of_the_donor", source="source", trust=Trust.READ
)


def told(marker: str, *readings: Reading, conditions: tuple[Condition, ...] = (), use: MarkerUse = EITHER):
    states = frozenset((*use.variants, "other variant", "negative")) if use.variants else STATES
    of = table("oncol", row({marker: next(iter(states))}, "standard"), uses={marker: use})
    words = replace(world(of).result_words, liquid_biopsies=("plasma",))
    knowledge = replace(
        world(of), observables=OBSERVABLES, tests_by_marker=TESTS, result_words=words, spoilers=(TRANSPLANT,)
    )
    patient = replace(person(*readings), conditions=conditions)
    return of_tumour(marker, use, states, around("oncol", patient, knowledge))


def found(observable: str, significance: Significance, days: int = 1, allele: str = "c.1A>G", **fields) -> Reading:
    says = Presence(allele, True, significance)
    return Reading(observable, says, f"Observation/{observable}{days}", on=ago(days), method="genotype", **fields)


def none(observable: str, days: int = 1, **fields) -> Reading:
    says = Presence("", False)
    return Reading(observable, says, f"Observation/no{observable}{days}", on=ago(days), method="genotype", **fields)


def state(known) -> str:
    assert isinstance(known, Known)
    return known.state


def why(known) -> str:
    assert isinstance(known, Narrowed)
    assert known.states == STATES
    return known.why


def test_inherited_variants_are_judged_with_the_tumour_s():
    assert is_of_tumour(INHERITED)


@pytest.mark.parametrize("observable", [ONE, TWO, INHERITED])
def test_a_harmful_inherited_variant_counts_for_the_patient_and_for_the_tumour(observable):
    for marker in (INHERITED, ANYWHERE, LARGER):
        assert state(told(marker, found(observable, P))) == "positive"


def test_a_harmful_variant_of_the_tumour_does_not_tell_what_is_inherited():
    assert state(told(ANYWHERE, found(TUMOUR_ONE, P))) == "positive"
    for reading in (
        found(TUMOUR_ONE, P),
        found(TUMOUR_ONE, U),
        none(TUMOUR_ONE),
        found(TUMOUR_ONE, Significance.NOT_SAID),
    ):
        assert why(told(INHERITED, reading)) == "tumour_alone"


def test_nothing_inherited_leaves_the_tumour_open():
    assert why(told(ANYWHERE, none(INHERITED))) == "inherited_alone"
    assert state(told(INHERITED, none(INHERITED))) == "negative"


def test_one_gene_without_a_variant_leaves_the_others_open_and_all_of_them_close_the_marker():
    assert why(told(INHERITED, none(ONE))) == "other_genes_open"
    for marker, genes in ((INHERITED, (ONE, TWO)), (ANYWHERE, (TUMOUR_ONE, TUMOUR_TWO))):
        known = told(marker, *map(none, genes))
        assert (state(known), len(known.readings)) == ("negative", 2)
    assert why(told(LARGER, none(TUMOUR_ONE), none(TUMOUR_TWO))) == "other_genes_open"
    assert why(told(ANYWHERE, none(TUMOUR_ONE), none(TUMOUR_TWO, specimen="plasma"))) == "other_genes_open"


@pytest.mark.parametrize(("marker", "observable"), [(INHERITED, ONE), (INHERITED, INHERITED), (ANYWHERE, TUMOUR_ONE)])
def test_a_variant_of_uncertain_significance_leaves_it_open_and_is_not_looked_for_again(marker, observable):
    known = told(marker, found(observable, U))
    assert isinstance(known, Indeterminate)
    assert (known.states, known.spent) == (STATES, known.tried)
    assert known.spent == {"genotype", TESTS[marker][0].method}


def test_an_uncertain_variant_elsewhere_spends_no_test():
    assert why(told(LARGER, found(TUMOUR_ONE, U))) == "other_genes_open"
    assert why(told(ANYWHERE, found(ONE, U))) == "inherited_alone"


@pytest.mark.parametrize("marker", [INHERITED, ANYWHERE])
def test_a_harmless_variant_counts_neither_as_found_nor_as_none(marker):
    observable = ONE if marker == INHERITED else TUMOUR_ONE
    assert why(told(marker, found(observable, B))) == "benign_alone"


def test_a_harmless_variant_hides_no_earlier_result_of_the_whole_gene():
    assert state(told(INHERITED, none(INHERITED, days=90), found(INHERITED, B))) == "negative"


def test_a_harmless_variant_excludes_the_state_that_it_would_be():
    named = MarkerUse(variants={"V600E": ("V600E",)})
    known = told(TUMOUR_ONE, found(TUMOUR_ONE, B, allele="V600E"), use=named)
    assert known == Narrowed(frozenset({"other variant", "negative"}), "benign_alone", known.readings)


def test_a_variant_of_which_nothing_is_said_is_read_by_a_person():
    unsaid = found(ONE, Significance.NOT_SAID)
    assert told(INHERITED, unsaid) == Unreadable("significance_not_said", (unsaid,))


def test_beside_a_harmful_variant_one_of_which_nothing_is_said_hides_nothing():
    assert state(told(INHERITED, found(ONE, P, days=9), found(TWO, Significance.NOT_SAID))) == "positive"


@pytest.mark.parametrize(
    ("fields", "known"),
    [
        ({}, False),
        ({"specimen": "plasma"}, False),
        ({"specimen": "blood"}, True),
        ({"coding": Coding(LOINC, "2-2")}, False),
        ({"coding": PANEL_CODE}, True),
    ],
)
def test_without_its_origin_a_variant_may_be_of_the_tumour(fields, known):
    for reading in (
        found(INHERITED, P, flags=("origin_not_said",), **fields),
        none(INHERITED, flags=("origin_not_said",), **fields),
    ):
        told_of = told(INHERITED, reading)
        assert isinstance(told_of, Known) if known else why(told_of) == "origin_not_said"
    assert state(told(ANYWHERE, found(INHERITED, P, flags=("origin_not_said",), **fields))) == "positive"


@pytest.mark.parametrize("days", [1, 400])
def test_results_of_the_whole_gene_that_disagree_conflict_whichever_is_newer(days):
    known = told(INHERITED, found(INHERITED, P, days=50), none(INHERITED, days=days))
    assert isinstance(known, Conflicting)
    assert (known.states, len(known.readings)) == (STATES, 2)
    assert isinstance(told(INHERITED, found(ONE, P), none(ONE, days=days)), Conflicting)
    assert state(told(INHERITED, found(ONE, P), none(TWO, days=days))) == "positive"


def test_of_the_tumour_a_variant_that_was_found_once_stays():
    assert state(told(ANYWHERE, found(ANYWHERE, P, days=50), none(ANYWHERE))) == "positive"


@pytest.mark.parametrize(("later", "expected"), [(B, Narrowed), (U, Indeterminate), (P, Known)])
def test_what_the_laboratory_thought_of_the_variant_last_counts(later, expected):
    known = told(INHERITED, found(ONE, P if later is not P else U, days=900), found(ONE, later, days=3))
    assert isinstance(known, expected)
    assert [r.says.significance for r in known.readings] == [later]


def test_another_variant_or_an_opinion_without_a_word_replaces_nothing():
    older = found(ONE, P, days=900)
    assert state(told(INHERITED, older, found(ONE, U, days=3, allele="c.9A>G"))) == "positive"
    assert state(told(INHERITED, older, found(ONE, Significance.NOT_SAID, days=3))) == "positive"
    assert state(told(INHERITED, older, replace(found(ONE, U, days=3), says=NotReadable("odd")))) == "positive"
    assert (
        state(told(INHERITED, replace(older, says=Presence("", True, P)), found(ONE, U, days=3, allele="")))
        == "positive"
    )


def test_after_a_donor_transplant_blood_tells_of_the_donor():
    transplant = Condition(frozenset({"donor_transplant"}), "transplant", "Condition/1", onset=ago(100))
    after, before = found(ONE, P, days=9), none(INHERITED, days=400)
    spoiled = told(INHERITED, after, conditions=(transplant,))
    assert (why(spoiled), spoiled.readings, spoiled.may_count) == ("of_the_donor", (after,), False)
    assert state(told(INHERITED, after, before, conditions=(transplant,))) == "negative"
    assert state(told(ANYWHERE, after, found(TUMOUR_ONE, P), conditions=(transplant,))) == "positive"
    assert why(told(ANYWHERE, after, conditions=(transplant,))) == "of_the_donor"
