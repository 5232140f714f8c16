"""Markers of a tumour: several tests tell one marker, variants by name, plasma, what was found once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cds_service.codes import LOINC, Coding
from cds_service.knowledge.schema import Band, MarkerUse, Observable, ObservableKind, ObservationCode, Test
from cds_service.model import (
    FUTURE,
    Availability,
    Conflicting,
    Gap,
    GapReason,
    Grade,
    Indeterminate,
    Known,
    Narrowed,
    NotReadable,
    NotTested,
    Phenotype,
    Presence,
    Quantity,
    Query,
    Reading,
    Span,
    Stale,
    Unavailable,
    Undetermined,
    Unreadable,
    Unverified,
    is_of_tumour,
)
from cds_service.reasoning.tumours import of_tumour
from tests.support.tiny import ago, around, person, row, table, world

PROTEIN, STAIN, PROBE, GENE = "tumour:PROT", "tumour:PROT_ihc", "tumour:PROT_ish", "somatic:GENE"
SHARE = "tumour:SHARE"
STAIN_CODE, PROBE_CODE = Coding(LOINC, "1-1"), Coding(LOINC, "2-2")
OBSERVABLES = {
    PROTEIN: Observable(PROTEIN, ObservableKind.ORDINAL, "source"),
    STAIN: Observable(
        STAIN, ObservableKind.ORDINAL, "source",
        tells={PROTEIN: {"0": ("negative",), "2+": ("positive", "negative"), "3+": ("positive",)}},
    ),
    PROBE: Observable(
        PROBE, ObservableKind.PRESENCE, "source",
        tells={PROTEIN: {"positive": ("positive",), "negative": ("negative",)}},
    ),
    GENE: Observable(GENE, ObservableKind.PRESENCE, "source", gene="GENE"),
}  # fmt: skip
TESTS = tuple(
    Test(id=method, markers=(PROTEIN,), codes=(code,), method=method, source="source")
    for method, code in (("stain", STAIN_CODE), ("probe", PROBE_CODE))
)
EITHER = MarkerUse(states=("positive", "negative"))
V600 = MarkerUse(variants={"V600E": ("V600E", "c.1799T>A"), "V600K": ("V600K",)})
V600_STATES = frozenset({"V600E", "V600K", "other variant", "negative"})


def told(marker: str, use: MarkerUse, *readings: Reading, observables=OBSERVABLES, lost=None, gaps=()):
    states = frozenset((*use.variants, "other variant", "negative") if use.variants else use.states or use.bands)
    of = table("oncol", row({marker: next(iter(states))}, "standard"), uses={marker: use})
    words = replace(world(of).result_words, liquid_biopsies=("plasma",))
    knowledge = replace(world(of), observables=observables, tests_by_marker={PROTEIN: TESTS}, result_words=words)
    patient = person(*readings)
    patient = replace(patient, availability={**patient.availability, **(lost or {})}, gaps=gaps)
    return of_tumour(marker, use, states, around("oncol", patient, knowledge))


def stain(shown: str, days: int = 1, **fields) -> Reading:
    return Reading(STAIN, Phenotype(shown), f"Observation/s{shown}{days}", on=ago(days), coding=STAIN_CODE, **fields)


def probe(present: bool, days: int = 1, **fields) -> Reading:
    return Reading(PROBE, Presence("", present), f"Observation/p{days}", on=ago(days), coding=PROBE_CODE, **fields)


def gene(allele: str, present: bool, days: int = 1, **fields) -> Reading:
    return Reading(GENE, Presence(allele, present), f"Observation/{allele}{days}", on=ago(days), **fields)


def state(known) -> str:
    assert isinstance(known, Known)
    return known.state


def test_a_tumour_s_markers_are_told_by_their_kind():
    assert is_of_tumour(PROTEIN)
    assert is_of_tumour(GENE)
    assert not is_of_tumour("gene:GENE")


def test_without_a_result_nothing_is_known():
    assert told(PROTEIN, EITHER) == NotTested()


@pytest.mark.parametrize(
    ("gap", "marker", "beside"),
    [
        (Gap("Observation/1", GapReason.UNKNOWN_CODE, observables=(STAIN,)), PROTEIN, "unknown_code"),
        (Gap("Observation/1", GapReason.UNKNOWN_CODE, observables=(STAIN,)), GENE, None),
        (Gap("Observation/1", GapReason.UNKNOWN_CODE), PROTEIN, None),
        (Gap("DiagnosticReport/1", GapReason.NOT_MACHINE_READABLE), GENE, "not_machine_readable"),
        (Gap("DiagnosticReport/1", GapReason.NOT_MACHINE_READABLE), PROTEIN, None),
    ],
)
def test_what_is_there_and_not_read_is_told_of_each_test_that_tells_the_marker(gap, marker, beside):
    """A genetic report that does not say of which genes it is may be of any gene, and of no stain."""
    assert told(marker, EITHER, gaps=(gap,)) == NotTested(beside=beside)


@pytest.mark.parametrize("availability", [a for a in Availability if a is not Availability.COMPLETE])
def test_results_that_were_not_seen_are_not_absent(availability):
    """A protein's stand under the tumours' own key alone, a variant's also among those of any gene."""
    own, others = ({query: availability} for query in (Query.TUMOUR_RESULTS, Query.RESULTS))
    assert told(PROTEIN, EITHER, lost=own) == Unavailable(availability.value)
    assert told(PROTEIN, EITHER, lost=others) == NotTested()
    assert told(GENE, V600, lost=own) == told(GENE, V600, lost=others) == Unavailable(availability.value)


def test_a_marker_that_variants_tell_too_may_stand_under_either_key():
    telling = replace(OBSERVABLES[GENE], tells={PROTEIN: {"positive": ("positive",)}})
    lost = {Query.RESULTS: Availability.FAILED}
    assert told(PROTEIN, EITHER, observables={**OBSERVABLES, GENE: telling}, lost=lost) == Unavailable("failed")


def test_of_two_queries_the_worse_is_told():
    lost = {Query.TUMOUR_RESULTS: Availability.MISSING, Query.RESULTS: Availability.FAILED}
    assert told(GENE, V600, lost=lost) == Unavailable("failed")


@pytest.mark.parametrize(("grade", "expected"), [("0", "negative"), ("3+", "positive")])
def test_another_test_that_settles_the_marker_is_enough(grade, expected):
    assert state(told(PROTEIN, EITHER, stain(grade))) == expected


def test_an_equivocal_test_leaves_it_open_and_is_not_done_again():
    known = told(PROTEIN, EITHER, stain("2+"))
    assert known == Indeterminate(
        frozenset({"positive", "negative"}), (stain("2+"),), frozenset({"stain"}), tried=frozenset({"stain"})
    )


@pytest.mark.parametrize(("present", "expected"), [(True, "positive"), (False, "negative")])
def test_the_second_test_settles_what_the_first_left_open_whichever_is_newer(present, expected):
    for days in (1, 9):
        assert state(told(PROTEIN, EITHER, stain("2+", 5), probe(present, days))) == expected


def test_tests_that_exclude_each_other_conflict():
    known = told(PROTEIN, EITHER, stain("3+", 5), probe(False, 1))
    assert known == Conflicting(frozenset({"positive", "negative"}), (stain("3+", 5), probe(False, 1)))


def test_of_one_test_the_newest_result_counts():
    assert state(told(PROTEIN, EITHER, stain("3+", 400), stain("0", 3))) == "negative"


def test_an_older_result_that_cannot_be_read_is_none_of_those_that_tell():
    unread = Reading(STAIN, NotReadable("pdf"), "Observation/pdf", on=ago(9))
    assert told(PROTEIN, EITHER, unread, probe(True, 1)) == Known("positive", (probe(True, 1),))


def test_a_newer_result_that_cannot_be_read_does_not_give_way_to_an_older_one():
    unread = Reading(PROBE, NotReadable("not_understood"), "Observation/x", on=ago(1), coding=PROBE_CODE)
    assert told(PROTEIN, EITHER, stain("3+", 9), unread) == Unreadable("not_understood", (unread,))
    assert state(told(PROTEIN, EITHER, stain("3+", 1), replace(unread, on=ago(9)))) == "positive"


def test_a_grade_that_tells_nothing_of_the_marker_is_not_understood():
    assert told(PROTEIN, EITHER, stain("9+")) == Unreadable("unexpected_value", (stain("9+"),))


def test_a_test_without_a_result_leaves_it_open():
    failed = Reading(PROBE, Undetermined(), "Observation/x", on=ago(1), method="probe")
    assert told(PROTEIN, EITHER, failed) == Indeterminate(
        frozenset(EITHER.states), (failed,), frozenset(), tried=frozenset({"probe"})
    )


def test_the_marker_s_own_result_and_its_bands_are_read_as_any_other():
    own = Reading(PROTEIN, Phenotype("positive"), "Observation/x", on=ago(1))
    assert state(told(PROTEIN, EITHER, own)) == "positive"
    high = MarkerUse(bands={"low": Band(below=50), "high": Band(at_least=50)}, unit="%")
    share = Reading(PROTEIN, Quantity(60, "%"), "Observation/y", on=ago(1))
    assert state(told(PROTEIN, high, share)) == "high"


def test_results_that_do_not_count_are_told_as_such():
    assert isinstance(told(PROTEIN, EITHER, stain("3+", grade=Grade.UNVERIFIED)), Unverified)
    ahead = replace(stain("3+"), says=FUTURE)
    assert told(PROTEIN, EITHER, ahead) == Unreadable("future_date", (ahead,))
    assert state(told(PROTEIN, EITHER, ahead, stain("0", 4))) == "negative"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("p.Val600Glu", "V600E"),
        ("NM_004333.6(BRAF):c.1799T>A (p.Val600Glu)", "V600E"),
        ("V600E", "V600E"),
        ("p.(Val600Lys)", "V600K"),
        ("p.Val600Glufs*11", "other variant"),
        ("p.Gly469Ala", "other variant"),
    ],
)
def test_a_variant_is_known_by_its_name_however_it_is_written(written, expected):
    assert state(told(GENE, V600, gene(written, present=True))) == expected


def test_nothing_found_in_the_gene_excludes_all_variants():
    assert state(told(GENE, V600, gene("", present=False))) == "negative"


def test_one_variant_that_was_not_found_excludes_that_one_alone():
    known = told(GENE, V600, gene("V600E", present=False))
    assert (known.states, known.why) == (V600_STATES - {"V600E"}, "other_variants_not_told")


def test_one_variant_that_was_not_found_tells_nothing_of_a_gene_of_which_any_counts():
    known = told(GENE, EITHER, gene("T790M", present=False))
    assert (known.states, known.why) == ({"positive", "negative"}, "other_variants_not_told")


def test_a_part_of_the_gene_that_was_clear_clears_no_whole_gene():
    known = told(GENE, V600, gene("exon 19", present=False))
    assert (known.states, known.why) == (V600_STATES, "other_variants_not_told")


def test_variants_of_one_result_are_taken_together():
    use = MarkerUse(variants={"T315I": ("T315I",), "E255K": ("E255K",)})
    both = gene("T315I", present=False), gene("E255K", present=False)
    assert told(GENE, use, *both).states == {"other variant", "negative"}
    assert state(told(GENE, use, both[0], gene("E255K", present=True))) == "E255K"


def test_a_variant_that_a_test_of_its_own_looks_for_is_cleared_as_by_that_test():
    probe_of = Observable(PROBE, ObservableKind.PRESENCE, "source",
                          tells={GENE: {"positive": ("fusion",), "negative": ("negative",)}})  # fmt: skip
    use = MarkerUse(variants={"fusion": ("fusion", "rearrangement")})
    observables = {GENE: OBSERVABLES[GENE], PROBE: probe_of}
    assert state(told(GENE, use, gene("rearrangement", present=False), observables=observables)) == "negative"
    alone = told(GENE, use, gene("rearrangement", present=False), observables={GENE: OBSERVABLES[GENE]})
    assert alone.states == {"other variant", "negative"}


@pytest.mark.parametrize("use", [V600, EITHER])
def test_one_variant_that_was_not_found_later_hides_no_result_of_the_whole_gene(use):
    whole = gene("", present=False, days=60)
    assert state(told(GENE, use, whole, gene("V600E", present=False, days=2))) == "negative"


def test_a_mutation_without_its_name_excludes_only_that_there_is_none():
    known = told(GENE, V600, gene("", present=True))
    assert (known.states, known.why) == (V600_STATES - {"negative"}, "variant_not_named")


def test_the_variant_that_the_table_names_counts_beside_others():
    both = gene("V600K", present=True), gene("p.Gly469Ala", present=True)
    assert state(told(GENE, V600, *both)) == "V600K"
    assert state(told(GENE, V600, gene("V600E", present=True), *both)) == "V600E"


@pytest.mark.parametrize("use", [V600, EITHER])
def test_what_was_found_once_is_not_taken_back_by_a_test_that_misses_it(use):
    known = told(GENE, use, gene("V600E", present=True, days=400), gene("", present=False, days=2))
    assert state(known) == next(iter((*use.variants, *use.states)))


def test_a_protein_may_change_so_that_its_newest_result_counts():
    own = Reading(PROTEIN, Presence("", present=True), "Observation/x", on=ago(400))
    newer = replace(own, says=Presence("", present=False), reference="Observation/y", on=ago(2))
    assert state(told(PROTEIN, EITHER, own, newer)) == "negative"


@pytest.mark.parametrize("use", [V600, EITHER])
def test_nothing_found_in_plasma_leaves_all_open_and_hides_no_result_of_tissue(use):
    missed = gene("", present=False, specimen="plasma edta")
    known = told(GENE, use, missed)
    assert isinstance(known, Narrowed)
    assert (known.why, known.readings) == ("plasma_may_miss_it", (missed,))
    assert state(told(GENE, use, missed, gene("", present=False, days=30, specimen="tissue"))) == "negative"


def test_another_test_of_plasma_or_of_one_variant_that_found_nothing_clears_nothing():
    for missed in (probe(False, specimen="plasma"), replace(probe(False), says=Presence("c.35G>A", present=False))):
        known = told(PROTEIN, EITHER, missed)
        assert isinstance(known, Narrowed)
        assert known.states == frozenset(EITHER.states)
    assert state(told(PROTEIN, EITHER, probe(False, specimen="tissue"))) == "negative"


def test_what_is_found_in_plasma_is_there():
    assert state(told(GENE, V600, gene("V600E", present=True, specimen="plasma"))) == "V600E"


def test_a_coarser_word_for_the_marker_s_own_states_leaves_those_that_it_may_stand_for():
    words = {"negative": ("0", "1+"), "equivocal": ("2+",)}
    scored = MarkerUse(states=("0", "1+", "2+", "3+"))
    observables = {STAIN: replace(OBSERVABLES[STAIN], tells={STAIN: words})}
    assert told(STAIN, scored, stain("negative"), observables=observables) == Narrowed(
        frozenset({"0", "1+"}), "reported_as_range", (stain("negative"),)
    )
    assert state(told(STAIN, scored, stain("equivocal"), observables=observables)) == "2+"
    assert state(told(STAIN, scored, stain("3+"), observables=observables)) == "3+"


def test_a_word_that_leaves_it_to_another_test_spends_its_method():
    observables = {PROTEIN: replace(OBSERVABLES[PROTEIN], tells={PROTEIN: {"equivocal": EITHER.states}},
                                    spends={"equivocal": "stain"})}  # fmt: skip
    equivocal = Reading(PROTEIN, Phenotype("equivocal"), "Observation/x", on=ago(1))
    assert told(PROTEIN, EITHER, equivocal, observables=observables) == Indeterminate(
        frozenset(EITHER.states), (equivocal,), frozenset({"stain"}), tried=frozenset({"stain"})
    )


def test_the_method_of_a_stain_is_known_by_its_observable_where_its_code_does_not_tell():
    observables = {
        **OBSERVABLES,
        STAIN: replace(OBSERVABLES[STAIN], codes=(ObservationCode(STAIN_CODE.code, role="presence"),)),
    }
    in_words = replace(stain("2+"), coding=None)
    known = told(PROTEIN, EITHER, in_words, observables=observables)
    assert known.spent == frozenset({"stain"})
    assert told(PROTEIN, EITHER, replace(in_words, method="other")).spent == frozenset({"other"})


def test_a_newer_result_that_leaves_some_states_open_does_not_give_way_to_an_older_one():
    share = MarkerUse(
        bands={"none": Band(below=1), "low": Band(at_least=1, below=50), "high": Band(at_least=50)}, unit="%"
    )
    observables = {SHARE: Observable(SHARE, ObservableKind.QUANTITY, "source", unit="%")}
    old = Reading(SHARE, Quantity(60.0, "%"), "Observation/old", on=ago(90))
    new = Reading(SHARE, Quantity(50.0, "%", "<"), "Observation/new", on=ago(2))
    known = told(SHARE, share, old, new, observables=observables)
    assert (known.states, known.readings) == (frozenset({"none", "low"}), (new,))


def test_where_a_table_says_how_long_a_result_counts_older_ones_do_not():
    use = replace(V600, valid_for_days=90)
    old, new = gene("V600E", present=True, days=400), gene("", present=False, days=2)
    assert told(GENE, use, old) == Stale("V600E", ago(400), (old,))
    assert told(GENE, use, gene("", present=True, days=400)).state == ""
    assert state(told(GENE, use, old, new)) == "negative"
    assert state(told(GENE, V600, old, new)) == "V600E"


def test_a_result_whose_date_is_told_roughly_may_still_count():
    roughly = replace(gene("V600E", present=True), on=Span(ago(100), ago(80)))
    known = told(GENE, replace(V600, valid_for_days=90), roughly)
    assert isinstance(known, Stale)
    assert known.may_count


def test_of_old_results_the_newest_day_is_told_and_one_told_roughly_may_still_count():
    """The last day on which it may have been done is the last of the window."""
    roughly = replace(gene("V600E", present=True), on=Span(ago(400), ago(90)))
    older = gene("V600E", present=True, days=300)
    known = told(GENE, replace(V600, valid_for_days=90), roughly, older)
    assert (known.state, known.since, known.may_count) == ("V600E", ago(300), True)


@pytest.mark.parametrize(("days", "counts"), [(90, True), (91, False)])
def test_a_result_counts_up_to_the_last_day_of_its_window(days, counts):
    known = told(GENE, replace(V600, valid_for_days=90), gene("V600E", present=True, days=days))
    assert isinstance(known, Known if counts else Stale)


def test_a_result_without_a_date_does_not_count_where_its_age_matters():
    undated = replace(gene("V600E", present=True), on=None)
    assert told(GENE, replace(V600, valid_for_days=90), undated) == Unreadable("undated", (undated,))


IN_PARTS = OBSERVABLES | {
    GENE: replace(OBSERVABLES[GENE], whole_where={"exon 2": ("codon 12", "codon 13"), "exon 3": ()}),
}


def in_parts(*missed: Reading):
    return told(GENE, V600, *missed, observables=IN_PARTS)


@pytest.mark.parametrize("parts", [("Exon 2", "exon 3"), ("codon 12", "codon 13", "exon 3")])
def test_a_gene_is_clear_where_no_part_that_matters_had_a_variant(parts):
    assert state(in_parts(*[gene(part, present=False) for part in parts])) == "negative"
    assert isinstance(told(GENE, V600, *[gene(part, present=False) for part in parts]), Narrowed)


@pytest.mark.parametrize("parts", [("exon 2",), ("codon 12", "exon 3"), ("exon 3", "codon 61")])
def test_one_part_that_was_not_looked_at_leaves_the_gene_open(parts):
    assert isinstance(in_parts(*[gene(part, present=False) for part in parts]), Narrowed)


def test_parts_looked_at_in_plasma_and_a_variant_that_was_found_clear_nothing():
    plasma = [gene(part, present=False, specimen="plasma") for part in ("exon 2", "exon 3")]
    assert isinstance(in_parts(*plasma), Narrowed)
    clear = [gene(part, present=False) for part in ("exon 2", "exon 3")]
    assert state(in_parts(*clear, gene("V600E", present=True, days=90))) == "V600E"


def test_a_gene_clear_in_parts_is_as_old_as_the_oldest_of_them():
    use = replace(V600, valid_for_days=30)
    parts = (
        gene("exon 2", present=False),
        gene("exon 3", present=False, days=20),
        gene("exon 3", present=False, days=40),
    )
    assert state(told(GENE, use, *parts, observables=IN_PARTS)) == "negative"
    assert isinstance(told(GENE, use, parts[0], parts[2], observables=IN_PARTS), Narrowed)


def test_a_codon_without_a_mutation_clears_the_variants_in_it():
    assert told(GENE, V600, gene("codon 600", present=False)) == Narrowed(
        frozenset({"other variant", "negative"}), "other_variants_not_told", (gene("codon 600", present=False),)
    )
    assert told(GENE, V600, gene("codon 12", present=False)).states == V600_STATES
    assert told(GENE, V600, gene("V600E", present=False)).states == V600_STATES - {"V600E"}


def test_a_codon_without_a_mutation_does_not_clear_a_state_with_variants_elsewhere():
    use = MarkerUse(variants={"hot spot": ("G12D", "G13D"), "G12C": ("G12C",)})
    clear = told(GENE, use, gene("codon 12", present=False))
    assert clear.states == frozenset({"hot spot", "other variant", "negative"})
