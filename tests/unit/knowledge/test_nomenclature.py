"""Alleles, diplotypes and HLA names are read in every spelling that reports use, and nothing is read into them."""

from __future__ import annotations

import pytest

from cds_service.knowledge.load import load_genes
from cds_service.knowledge.nomenclature import (
    folded,
    hla_name,
    natural_order,
    normalised,
    parse_diplotype,
    parse_gl_string,
)

GENES = load_genes()


@pytest.mark.parametrize(
    ("gene", "text", "expected"),
    [
        ("CYP2C19", "*17/*1", "*1/*17"),
        ("CYP2C19", "CYP2C19*1/CYP2C19*17", "*1/*17"),
        ("CYP2C19", "cyp2c19 *1 / *17", "*1/*17"),
        ("CYP2C19", "CYP2C19:\u00a0*1|*17", "*1/*17"),
        ("CYP2C19", "*\u200b1/*17", "*1/*17"),
        ("CYP2C19", "*2.001/*4B", "*2/*4"),
        ("TPMT", "*3C/*1", "*1/*3C"),
        ("UGT1A1", "(TA)7/(TA)6", "*1/*28"),
        ("UGT1A1", "*80+*28/*1", "*1/*80+*28"),
        ("CYP2D6", "*4/*1x2", "*1x2/*4"),
        ("CYP2D6", "(*1)x2/*4", "*1x2/*4"),
        ("CYP2D6", "*1×2/*4", "*1x2/*4"),
        ("CYP2D6", "*2Ax>=3/*4", "*2x≥3/*4"),
        ("CYP2D6", "*1xN/*2", "*1xN/*2"),
        ("CYP2D6", "*1/*2 xN", "*1/*2xN"),
        ("CYP2D6", "(*4/*1)x3", "(*1/*4)x3"),
        ("CYP2D6", "CYP2D6 ( *1 / *2 ) × N", "(*1/*2)xN"),
        ("CYP2D6", "(*1/*2)x>=3", "(*1/*2)x≥3"),
        ("CYP2D6", "(*1/*2)", "*1/*2"),
        ("CYP2D6", "*10+*36/*1", "*1/*36+*10"),
        ("CYP2D6", "*1/*36x2+*10x2", "*1/*36x2+*10x2"),
        ("DPYD", "c.1905+1G>A/*1", "Reference/c.1905+1G>A (*2A)"),
        ("DPYD", "NM_000110.4(DPYD):c.2846A>T/Reference", "Reference/c.2846A>T"),
        ("DPYD", "HapB3/Reference", "Reference/c.1129-5923C>G, c.1236G>A (HapB3)"),
        ("G6PD", "Telti/Kobe", "Telti/Kobe"),
        ("G6PD", "Kobe/Telti", "Telti/Kobe"),
        ("G6PD", "Telti, Kobe/B", "B (reference)/Telti/Kobe"),
        ("G6PD", "Telti/Kobe/Telti/Kobe", "Telti/Kobe/Telti/Kobe"),
        ("G6PD", "Mediterranean/MALE", "Mediterranean, Dallas, Panama, Sassari, Cagliari, Birmingham/Y"),
        ("CFTR", "F508C, S1251N/F508del", "F508C,S1251N/F508del"),
        ("MT-RNR1", "MT-RNR1 m.1555A>G", "m.1555A>G"),
        ("MT-RNR1", "m.961T>del+Cn", "m.961T>del+Cn"),
        ("VKORC1", "rs9923231 C/T", "rs9923231 reference (C)/rs9923231 variant (T)"),
    ],
)
def test_a_spelling_gives_the_tables_own_names(gene: str, text: str, expected: str) -> None:
    assert normalised(GENES[gene], text) == expected
    assert parse_diplotype(GENES[gene], text).unknown == ()


@pytest.mark.parametrize(
    ("gene", "text", "unknown"),
    [
        ("CYP2C19", "*1/*999", ("*999",)),
        ("TPMT", "*1/*3D", ("*3D",)),
        ("CYP2C19", "*1x2/*2", ("*1x2",)),
        ("CYP2D6", "*1x0/*1", ("*1x0",)),
        ("CYP2D6", "*1x40/*1", ("*1x40",)),
        ("CYP2D6", "*1/*4)x3", ("*4)x3",)),
        ("CYP2D6", "(*1/*4)x40", ("(*1", "*4)x40")),
        ("CYP2C19", "(*1/*2)x3", ("(*1", "*2)x3")),
        ("CYP2D6", "*36+*999/*1", ("*36+*999",)),
        ("CYP2C19", "see report", ("see report",)),
        ("CYP2C19", "CYP2C9 *2/*3", ("CYP2C9 *2",)),
    ],
)
def test_an_allele_outside_the_table_is_named_as_it_came(gene: str, text: str, unknown: tuple[str, ...]) -> None:
    assert parse_diplotype(GENES[gene], text).unknown == unknown


def test_nothing_is_no_haplotype() -> None:
    assert parse_diplotype(GENES["CYP2C19"], " / ").haplotypes == ()


@pytest.mark.parametrize("symbol", sorted(GENES))
def test_every_name_of_a_table_reads_as_itself(symbol: str) -> None:
    gene = GENES[symbol]
    assert {name: normalised(gene, f"{symbol} {name}") for name in gene.alleles} == {n: n for n in gene.alleles}


@pytest.mark.parametrize("symbol", sorted(GENES))
def test_no_spelling_stands_for_two_alleles(symbol: str) -> None:
    owners: dict[str, set[str]] = {}
    for allele in GENES[symbol].alleles.values():
        for spelling in (allele.name, *allele.aliases):
            owners.setdefault(folded(spelling), set()).add(allele.name)
    assert {spelling: names for spelling, names in owners.items() if len(names) > 1} == {}


def test_numbers_sort_as_numbers() -> None:
    assert sorted(["*10", "*2", "*1"], key=natural_order) == ["*1", "*2", "*10"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("HLA-A*03:01:01:01", "*03:01"),
        ("A*03:01", "*03:01"),
        ("*57:01", "*57:01"),
        ("HLA-B*57:01:01G", "*57:01"),
        ("HLA-B*15:02P", "*15:02"),
        ("HLA-B*5701", "*57:01"),
        ("HLA-A*24:09N", "*24:09N"),
        ("HLA-B*15:220", "*15:220"),
        ("HLA-A:01:01G", None),
        ("DRB1*13:AKBAR", None),
        ("B*57", None),
        ("B*57:01/B*58:01", None),
        ("positive", None),
    ],
)
def test_an_hla_name_to_two_fields_or_none(text: str, expected: str | None) -> None:
    name = hla_name(text)
    assert (name.allele if name else None) == expected


def test_an_hla_name_says_its_locus_where_the_text_does() -> None:
    names = [hla_name(text) for text in ("HLA-DRB1*15:01", "b*57:01", "*57:01")]
    assert [n.locus for n in names if n] == ["DRB1", "B", ""]


def test_a_gl_string_has_two_chromosomes() -> None:
    (typing,) = parse_gl_string("hla#3.31.0#HLA-A*03:01:01:01+HLA-A*30:01:01")
    assert (typing.locus, typing.chromosomes, typing.refused) == ("A", (("*03:01",), ("*30:01",)), ())


def test_a_slash_in_a_gl_string_is_ambiguity() -> None:
    (typing,) = parse_gl_string("#hla#HLA-B*15:01+HLA-B*57:01/HLA-B*58:01")
    assert typing.chromosomes == (("*15:01",), ("*57:01", "*58:01"))


def test_possible_genotypes_of_a_gl_string_are_joined() -> None:
    (typing,) = parse_gl_string("hla#3.33.0#HLA-A*02:69+HLA-A*23:30|HLA-A*02:302+HLA-A*23:26/HLA-A*23:39")
    assert typing.chromosomes == (("*02:69", "*02:302"), ("*23:26", "*23:30", "*23:39"))


def test_loci_of_a_gl_string_are_told_apart() -> None:
    typings = parse_gl_string("HLA-A*01:01+HLA-A*02:01^HLA-B*08:01~HLA-C*07:01+HLA-B*44:02~HLA-C*05:01")
    assert {t.locus: t.chromosomes for t in typings} == {
        "A": (("*01:01",), ("*02:01",)),
        "B": (("*08:01",), ("*44:02",)),
        "C": (("*07:01",), ("*05:01",)),
    }


def test_a_malformed_hla_name_is_refused_by_name_and_leaves_one_chromosome() -> None:
    (typing,) = parse_gl_string("hla#3.23.0#HLA-A:01:01G+HLA-A*01:02")
    assert (typing.chromosomes, typing.refused) == ((("*01:02",),), ("HLA-A:01:01G",))
    (nothing,) = parse_gl_string("not an HLA type")
    assert (nothing.locus, nothing.chromosomes, nothing.refused) == ("", (), ("not an HLA type",))
