"""A diplotype gives the phenotype, score and states that the gene's rule says, or says that it cannot."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, combinations_with_replacement
from types import SimpleNamespace

import pytest
import yaml

from cds_service.commands.phenotyping import phenotype_lines
from cds_service.knowledge.load import DATA, load_genes
from cds_service.knowledge.nomenclature import folded
from cds_service.knowledge.schema import Gene, GeneModel
from cds_service.model import INDETERMINATE
from cds_service.reasoning.phenotypes import (
    NO_CHROMOSOME,
    call_phenotype,
    phenotype_of_state,
    score_text,
    states_of_phenotype,
    states_of_score,
)

GENES = load_genes()
SYMBOLS = sorted(GENES)
SCORE_GENES = sorted(s for s, g in GENES.items() if g.model is GeneModel.SCORE)


@pytest.mark.parametrize(
    ("gene", "diplotype", "phenotype", "score"),
    [
        ("CYP2D6", "*4/*4", "Poor Metabolizer", "0.0"),
        ("CYP2D6", "*4/*10", "Intermediate Metabolizer", "0.25"),
        ("CYP2D6", "*1/*4", "Intermediate Metabolizer", "1.0"),
        ("CYP2D6", "*1/*10", "Normal Metabolizer", "1.25"),
        ("CYP2D6", "*2x2/*10", "Normal Metabolizer", "2.25"),
        ("CYP2D6", "*1x2/*17", "Ultrarapid Metabolizer", "2.5"),
        ("CYP2D6", "*1/*1x2", "Ultrarapid Metabolizer", "3.0"),
        ("CYP2D6", "*1/*1x3", "Ultrarapid Metabolizer", "4.0"),
        ("CYP2D6", "*1x≥3/*4", "Ultrarapid Metabolizer", "≥3.0"),
        ("CYP2D6", "*1x≥3/*10", "Ultrarapid Metabolizer", "≥3.25"),
        ("CYP2D6", "*4xN/*4", "Poor Metabolizer", "0.0"),
        ("CYP2D6", "*36+*10/*4", "Intermediate Metabolizer", "0.25"),
        ("CYP2D6", "*68+*4/*5", "Poor Metabolizer", "0.0"),
        ("CYP2D6", "*13+*68x2+*4/*41x3", "Intermediate Metabolizer", "0.75"),
        ("CYP2D6", "*1/*1xN", INDETERMINATE, "n/a"),
        ("CYP2D6", "*1/*10x≥3", INDETERMINATE, "n/a"),
        ("CYP2D6", "(*1/*2)x3", "Ultrarapid Metabolizer", "3.0"),
        ("CYP2D6", "(*1/*2)xN", "Ultrarapid Metabolizer", "≥3.0"),
        ("CYP2D6", "(*4/*4)xN", "Poor Metabolizer", "0.0"),
        ("CYP2D6", "(*1/*4)x2", "Intermediate Metabolizer", "1.0"),
        ("CYP2C9", "*1/*3", "Intermediate Metabolizer", "1.0"),
        ("CYP2C9", "*2/*3", "Poor Metabolizer", "0.5"),
        ("DPYD", "Reference/c.1905+1G>A", "Intermediate Metabolizer", "1.0"),
        ("DPYD", "c.2846A>T/HapB3", "Intermediate Metabolizer", "1.0"),
        ("DPYD", "c.85T>C/c.2846A>T/c.1905+1G>A", "Poor Metabolizer", "0.5"),
        ("CYP2C19", "*2/*17", "Intermediate Metabolizer", ""),
        ("CYP2C19", "*1/*17", "Rapid Metabolizer", ""),
        ("CYP2C19", "*2/*9", "Likely Poor Metabolizer", ""),
        ("CYP2B6", "*6/*18", "Poor Metabolizer", ""),
        ("SLCO1B1", "*5/*2", "Possible Decreased Function", ""),
        ("TPMT", "*1/*8", "Normal Metabolizer", ""),
        ("NUDT15", "*1/*5", "Normal Metabolizer", ""),
        ("NUDT15", "*3/*5", "Poor Metabolizer", ""),
        ("G6PD", "B/Mediterranean", "Variable", ""),
        ("G6PD", "Mediterranean", "Deficient", ""),
        ("G6PD", "Y/A-", "Deficient", ""),
        ("G6PD", "Telti/Kobe", "Deficient with CNSHA", ""),
        ("MT-RNR1", "m.1555A>G", "increased risk of aminoglycoside-induced hearing loss", ""),
        ("MT-RNR1", "m.827A>G/m.1555A>G", "increased risk of aminoglycoside-induced hearing loss", ""),
        ("RYR1", "Reference/Reference", "Uncertain Susceptibility", ""),
        ("RYR1", "Reference/c.7300G>A", "Malignant Hyperthermia Susceptibility", ""),
        ("RYR1", "c.7300G>A/c.9A>T", "Malignant Hyperthermia Susceptibility", ""),
        ("CFTR", "F508del/G551D", "ivacaftor responsive in CF patients", ""),
        ("CFTR", "F508del/F508del", "ivacaftor non-responsive in CF patients", ""),
        ("CFTR", "Reference/F508del", INDETERMINATE, ""),
        ("VKORC1", "-1639 G/A", "-1639 AG", ""),
        ("ABCG2", "rs2231142 G/T", "Decreased Function", ""),
    ],
)
def test_a_diplotype_gives_phenotype_and_score(gene: str, diplotype: str, phenotype: str, score: str) -> None:
    call = call_phenotype(GENES[gene], diplotype)
    assert (call.phenotype, call.activity_score) == (phenotype, score)


@pytest.mark.parametrize(
    ("gene", "diplotype", "least", "most"),
    [
        ("CYP2C9", "*1/*999", "1.0", "2.0"),
        ("CYP2C9", "*3/*999", "0.0", "1.0"),
        ("CYP2D6", "*4/*10xN", "0.5", "≥6.0"),
        ("DPYD", "c.85T>C/c.2846A>T/c.1A>G", "0.0", "2.0"),
    ],
)
def test_what_is_not_known_of_a_score_is_at_least_nothing_and_at_most_one_full_chromosome(
    gene: str, diplotype: str, least: str, most: str
) -> None:
    """But for copies that nobody counted, which are two at least."""
    states = call_phenotype(GENES[gene], diplotype).states
    every = [s for s in GENES[gene].states if s in states]
    assert (every[0], every[-1]) == (least, most)


@pytest.mark.parametrize(
    ("gene", "diplotype", "states"),
    [
        ("CYP2D6", "*1x≥3/*4", {"≥3.0"}),
        ("CYP2D6", "*1x≥3/*10", {"≥3.25"}),
        ("RYR1", "c.7300G>A/c.9A>T", {"Malignant Hyperthermia Susceptibility"}),
        ("CYP2C19", "*2/*999", {"Intermediate Metabolizer", "Likely Poor Metabolizer", "Poor Metabolizer"}),
        ("CYP2C19", "*998/*999", set(GENES["CYP2C19"].states)),
    ],
)
def test_an_allele_that_the_table_lacks_leaves_what_the_other_one_leaves(
    gene: str, diplotype: str, states: set[str]
) -> None:
    assert call_phenotype(GENES[gene], diplotype).states == states


def each_beside_one_of_each_kind(gene: Gene) -> Iterator[tuple[str, str]]:
    """Each allele with itself and with one of each function and value: what else stands there decides nothing."""
    kinds = {(allele.function, allele.value): name for name, allele in gene.alleles.items()}
    yield from ((one, other) for one in gene.alleles for other in dict.fromkeys((one, *kinds.values())))


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_no_two_alleles_together_are_written_like_a_third(symbol: str) -> None:
    alone = {folded(allele) for allele in GENES[symbol].alleles}
    with_slash = [name.split("/") for name in GENES[symbol].names if "/" in name]
    assert [pieces for pieces in with_slash if alone.issuperset(pieces)] == []


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_every_allele_beside_every_kind_is_determined_or_leaves_states_open(symbol: str) -> None:
    gene = GENES[symbol]
    for one, other in each_beside_one_of_each_kind(gene):
        call = call_phenotype(gene, f"{one}/{other}")
        turned = call_phenotype(gene, f"{symbol} {other} | {one}")
        assert call == turned
        assert call.states
        assert call.states <= set(gene.states)
        assert call.indeterminate or len(call.states) == 1
        assert call.unknown_alleles == ()


@pytest.mark.parametrize("symbol", [s for s in SYMBOLS if s not in SCORE_GENES])
def test_a_rule_names_every_pair_of_assigned_functions(symbol: str) -> None:
    gene = GENES[symbol]
    functions = {a.function for a in gene.alleles.values()} - {"Unassigned function", NO_CHROMOSOME}
    named = {frozenset(pair[:2]) for pair in gene.pairs}
    assert {frozenset(p) for p in combinations_with_replacement(sorted(functions), 2)} - named == set()
    assert {phenotype for _, _, phenotype in gene.pairs} <= {*gene.phenotypes, INDETERMINATE}


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_states_and_phenotypes_of_a_gene_agree(symbol: str) -> None:
    gene = GENES[symbol]
    assert sorted(s for states in gene.phenotypes.values() for s in states) == sorted(gene.states)
    assert INDETERMINATE not in gene.states
    assert {phenotype_of_state(gene, s) for s in gene.states} == set(gene.phenotypes)


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_labels_codes_and_panels_name_what_the_gene_has(symbol: str) -> None:
    gene = GENES[symbol]
    meant = [[terms] if isinstance(terms, str) else terms for terms in gene.labels.values()]
    assert set(chain.from_iterable(meant)) <= {*gene.phenotypes, INDETERMINATE}
    assert [label for label in gene.labels if label != " ".join(label.lower().split())] == []
    assert set(gene.panel_alleles) <= set(gene.alleles)
    assert {c.allele for c in gene.codes if c.role == "presence"} <= set(gene.alleles)
    assert not gene.reference or gene.reference in gene.alleles


@pytest.mark.parametrize("symbol", SCORE_GENES)
def test_each_state_of_a_score_gene_lies_in_the_band_of_its_phenotype(symbol: str) -> None:
    gene = GENES[symbol]
    for state in gene.states:
        value, at_least = float(state.removeprefix("≥")), state.startswith("≥")
        assert states_of_score(gene, value, at_least=at_least) == {state}


def test_general_labels_are_folded_and_mean_a_phenotype_of_some_gene() -> None:
    labels = yaml.safe_load((DATA / "phenotype_labels.yaml").read_text(encoding="utf-8"))
    terms = {term for gene in GENES.values() for term in gene.phenotypes} | {INDETERMINATE}
    assert [label for label in labels if label != " ".join(label.lower().split())] == []
    assert set(labels.values()) <= terms
    assert [labels[x] for x in ("extensive metaboliser", "em", "ultra-rapid metabolizer", "likely pm")] == [
        "Normal Metabolizer",
        "Normal Metabolizer",
        "Ultrarapid Metabolizer",
        "Likely Poor Metabolizer",
    ]


def test_codes_of_two_genes_never_collide_and_disputed_ones_are_marked() -> None:
    owners = [(c.system, c.code) for gene in GENES.values() for c in gene.codes]
    assert sorted(o for o in set(owners) if owners.count(o) > 1) == []
    disputed = {c.code for gene in GENES.values() for c in gene.codes if c.ambiguous}
    assert disputed == {"79713-4", "79714-2", "79715-9", "79716-7", "79719-1"}


def test_an_unknown_allele_is_named_and_the_other_chromosome_still_counts() -> None:
    call = call_phenotype(GENES["CYP2C19"], "*2/*999")
    assert (call.phenotype, call.unknown_alleles) == (INDETERMINATE, ("*999",))
    assert call.states == {"Poor Metabolizer", "Likely Poor Metabolizer", "Intermediate Metabolizer"}


def test_an_uncertain_allele_leaves_what_any_partner_would_give() -> None:
    assert call_phenotype(GENES["TPMT"], "*1/*14").states <= {"Normal Metabolizer", "Intermediate Metabolizer"}
    assert call_phenotype(GENES["CYP2C19"], "*12/*12").states == set(GENES["CYP2C19"].states)


def test_one_deciding_variant_decides_beside_an_unknown_one() -> None:
    call = call_phenotype(GENES["RYR1"], "c.7300G>A/c.1A>T/c.2A>T")
    assert call.phenotype == "Malignant Hyperthermia Susceptibility"
    assert call.unknown_alleles == ("c.1A>T", "c.2A>T")


def test_more_alleles_than_chromosomes_leave_what_their_pairs_give() -> None:
    call = call_phenotype(GENES["CYP2C19"], "*1/*2/*17")
    assert call.phenotype == INDETERMINATE
    assert call.states == {"Intermediate Metabolizer", "Rapid Metabolizer"}
    assert call_phenotype(GENES["CYP2C19"], "*1/*2/*999").states == set(GENES["CYP2C19"].states)
    assert call_phenotype(GENES["CYP2D6"], "*1/*1/*1").states == set(GENES["CYP2D6"].states)


def test_a_single_allele_of_a_paired_gene_is_no_diplotype() -> None:
    assert call_phenotype(GENES["CYP2C9"], "*3").states == {"0.0", "0.5", "1.0"}
    assert call_phenotype(GENES["DPYD"], "c.1905+1G>A").states == {"0.0", "0.5", "1.0"}
    assert call_phenotype(GENES["CYP2D6"], "*1").states == {
        s for s in GENES["CYP2D6"].states if s.startswith("≥") or float(s) >= 1
    }


def test_copies_without_a_number_are_two_at_least() -> None:
    states = call_phenotype(GENES["CYP2D6"], "*1/*2xN").states
    assert {phenotype_of_state(GENES["CYP2D6"], s) for s in states} == {"Ultrarapid Metabolizer"}


@pytest.mark.parametrize(
    ("diplotype", "left"),
    [
        ("(*1/*4)x3", {"1.0", "2.0"}),
        ("(*2/*41)x4", {"1.75", "2.5", "≥3.25"}),
        ("(*1x2/*4)x3", set(GENES["CYP2D6"].states)),
        ("(*1/*999)x3", set(GENES["CYP2D6"].states)),
        ("(*1/*4)x1", set(GENES["CYP2D6"].states)),
    ],
)
def test_copies_of_both_chromosomes_together_leave_open_which_is_multiplied(diplotype: str, left: set[str]) -> None:
    call = call_phenotype(GENES["CYP2D6"], diplotype)
    assert call.indeterminate
    assert call.states == left


def test_more_than_two_variants_with_an_unknown_one_leave_all_open() -> None:
    call = call_phenotype(GENES["DPYD"], "c.1905+1G>A/c.2846A>T/c.9999A>T")
    assert (call.phenotype, call.states) == (INDETERMINATE, set(GENES["DPYD"].states))


def test_an_empty_text_and_a_lone_y_chromosome_say_nothing() -> None:
    assert call_phenotype(GENES["CYP2C19"], "").states == set(GENES["CYP2C19"].states)
    assert call_phenotype(GENES["G6PD"], "MALE").states == set(GENES["G6PD"].states)


@pytest.mark.parametrize(
    ("value", "at_least", "state"),
    [
        (0.0, False, "0.0"),
        (0.125, False, "0.25"),
        (0.625, False, "0.5"),
        (1.125, False, "1.0"),
        (1.24, False, "1.0"),
        (2.4, False, "2.5"),
        (3.25, False, "≥3.25"),
        (3.0, True, "≥3.0"),
        (4.5, True, "≥4.0"),
        (8.0, True, "≥6.0"),
    ],
)
def test_a_score_off_the_list_is_the_nearest_state_of_its_phenotype(value: float, at_least: bool, state: str) -> None:
    assert states_of_score(GENES["CYP2D6"], value, at_least=at_least) == {state}


def test_a_lower_bound_across_phenotypes_gives_all_states_from_there() -> None:
    states = states_of_score(GENES["CYP2D6"], 1.5, at_least=True)
    assert states == {s for s in GENES["CYP2D6"].states if s.startswith("≥") or float(s) >= 1.5}


def test_a_term_and_its_states() -> None:
    assert states_of_phenotype(GENES["CYP2C9"], "Intermediate Metabolizer") == {"1.0", "1.5"}
    assert states_of_phenotype(GENES["CYP2C9"], "Rapid Metabolizer") == frozenset()
    assert phenotype_of_state(GENES["CYP2C9"], "7.0") == INDETERMINATE


@pytest.mark.parametrize(("value", "text"), [(0.0, "0.0"), (0.25, "0.25"), (2.0, "2.0"), (10.0, "10.0")])
def test_a_score_is_written_as_cpic_writes_it(value: float, text: str) -> None:
    assert score_text(value) == text
    assert score_text(value, at_least=True) == f"≥{text}"


def test_one_line_out_for_each_line_in() -> None:
    lines = [
        "CYP2D6\t*1x2/*4\n",
        "CYP2C19\t*17/*1\r\n",
        "cyp2c19\tCYP2C19*2/*2\n",
        "CYP2C9\t*1/*999\n",
        "CYP2C19\t*1/*999",
        "ABC\t*1/*1",
        "CYP2C19",
        "CYP2C19\t",
        "CYP2C19\t*1/*1\textra",
        "\n",
    ]
    assert list(phenotype_lines(lines, SimpleNamespace(genes=GENES))) == [
        "CYP2D6\t*1x2/*4\tNormal Metabolizer\t2.0",
        "CYP2C19\t*17/*1\tRapid Metabolizer\t",
        "cyp2c19\tCYP2C19*2/*2\tPoor Metabolizer\t",
        "CYP2C9\t*1/*999\tIndeterminate: unknown allele *999\tn/a",
        "CYP2C19\t*1/*999\tIndeterminate: unknown allele *999\t",
        "ABC\t*1/*1\tError: unknown gene ABC\t",
        "CYP2C19\t\tError: expected gene<TAB>diplotype\t",
        "CYP2C19\t\tError: expected gene<TAB>diplotype\t",
        "CYP2C19\t*1/*1\tError: expected gene<TAB>diplotype\t",
        "\t\tError: expected gene<TAB>diplotype\t",
    ]
