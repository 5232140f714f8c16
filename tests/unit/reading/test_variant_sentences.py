"""Variants that a text names: each with its gene and its call, negations included; what is not plain stays open."""

from __future__ import annotations

from functools import cache

import pytest

from cds_service.knowledge.variant_names import is_named_in, variant_key
from cds_service.model import NotReadable, Presence, SelfContradiction
from cds_service.reading.answers import Answer
from cds_service.reading.lexicon import Lexicon, lexicon_of
from cds_service.reading.named_variants import statements_by_gene
from cds_service.reading.variant_sentences import NOT_TOLD, is_mixed, variants_in
from tests.support.world import knowledge

NOT_UNDERSTOOD = NotReadable("not_understood")


@cache
def lexicon() -> Lexicon:
    return lexicon_of(knowledge())


def called(text: str, own: str = "EGFR") -> str:
    """`+` found, `-` not found, `?` open, `=` no call; `~` of the others than those named."""
    signs = {True: "+", False: "-", None: "="}
    found = variants_in(text, own, lexicon())
    said = [
        f"{n.gene} {n.name}".strip() + (signs[n.present] if n.clear else "?") + ("~" if n.rest else "") for n in found
    ]
    return ", ".join(said)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("T315I detected; E255K not detected", "EGFR T315I+, EGFR E255K-"),
        ("KRAS G12C mutation detected, NRAS not detected", "KRAS G12C+, NRAS-"),
        ("BRAF V600E: Not Detected", "BRAF V600E-"),
        ("T315I and E255K not detected", "EGFR T315I-, EGFR E255K-"),
        ("T315I detected and E255K not detected", "EGFR T315I+, EGFR E255K-"),
        ("kras g12c detected nras not detected", "KRAS g12c+, NRAS-"),
        ("L858R, T790M detected, C797S not detected", "EGFR L858R+, EGFR T790M+, EGFR C797S-"),
        ("Positive for L858R, negative for T790M, C797S", "EGFR L858R+, EGFR T790M-, EGFR C797S-"),
        ("Detected L858R, T790M not detected", "EGFR L858R+, EGFR T790M-"),
        ("Detected: L858R. Not detected: T790M, C797S", "EGFR L858R+, EGFR T790M-, EGFR C797S-"),
        ("negative for T790M but positive for L858R", "EGFR T790M-, EGFR L858R+"),
        ("L858R detected (positive); T790M absent", "EGFR L858R+, EGFR T790M-"),
        ("T790M: non-mutated", "EGFR T790M-"),
        ("T790M has not been detected", "EGFR T790M-"),
        ("KRAS: G12C detected, G13D not detected", "KRAS G12C+, KRAS G13D-"),
        ("KRAS: G12C detected; G13D not detected; NRAS wild type", "KRAS G12C+, KRAS G13D-, NRAS-"),
        ("KRAS G12C and NRAS Q61K detected", "KRAS G12C+, NRAS Q61K+"),
        ("G12C mutation of KRAS detected", "KRAS G12C+"),
        ("KRAS mutated, G12C", "KRAS G12C+"),
        ("Mutations detected: L858R, T790M", "EGFR L858R+, EGFR T790M+"),
    ],
)
def test_each_variant_has_its_gene_and_its_call(text: str, expected: str) -> None:
    assert called(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("No T790M detected", "EGFR T790M-"),
        ("no T790M mutation", "EGFR T790M-"),
        ("No evidence of T790M", "EGFR T790M-"),
        ("Neither L858R nor T790M was found", "EGFR L858R-, EGFR T790M-"),
        ("No T790M, L858R or exon 19 deletion detected", "EGFR T790M-, EGFR L858R-, EGFR exon 19 deletion-"),
        ("No KRAS, NRAS, BRAF mutations detected", "KRAS-, NRAS-, BRAF-"),
        ("No T790M, L858R detected", "EGFR T790M?, EGFR L858R?"),
        ("no T790M: not detected", "EGFR T790M-"),
    ],
)
def test_a_denial_goes_as_far_as_it_is_plain(text: str, expected: str) -> None:
    assert called(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("T790M could not be assessed, L858R detected", "EGFR T790M?, EGFR L858R+"),
        ("T790M previously detected, not detected here", "EGFR T790M?"),
        ("L858R detected, T790M", "EGFR L858R?, EGFR T790M?"),
        ("L858R detected, T790M detected, C797S", "EGFR L858R?, EGFR T790M?, EGFR C797S?"),
        ("KRAS mutated, NRAS", "KRAS?, NRAS?"),
        ("L858R detected in one sample and not detected in the other", "EGFR L858R?"),
        ("V600E of BRAF and G12C of KRAS detected", "? V600E?, ? G12C?"),
        ("KRAS and NRAS wild type; G12C detected", "KRAS-, NRAS-, ? G12C?"),
        ("p.L858R", "EGFR p.L858R="),
        ("L858R detected. This could not be repeated.", "EGFR L858R+, EGFR?"),
        ("L858R detected. Variants below 5 % may not be detected.", "EGFR L858R+"),
        ("L858R detected. Sample received.", "EGFR L858R+"),
        ("L858R likely detected", "EGFR L858R?"),
        ("L858R or T790M detected", "EGFR L858R?, EGFR T790M?"),
        ("L858R likely pathogenic, detected", "EGFR L858R+"),
        ("G12C not detected; KRAS amplification detected", "EGFR G12C-, KRAS?"),
        ("KRAS by an unheard-of method: wild type, NRAS wild type", "KRAS?, NRAS-"),
        ("L858R not detected; HER2 positive", "EGFR L858R-"),
    ],
)
def test_what_is_not_plain_stays_open(text: str, expected: str) -> None:
    assert called(text) == expected


@pytest.mark.parametrize(
    ("text", "own", "expected"),
    [
        ("T790M not detected. No other mutation detected.", "EGFR", "EGFR T790M-, EGFR-~"),
        ("Detected. Tested for: L858R, T790M", "EGFR", "EGFR+, EGFR L858R=, EGFR T790M="),
        ("No mutation detected in codon 12", "KRAS", "KRAS codon 12-"),
        ("No mutations in codons 12, 13 and 61", "KRAS", "KRAS codon 12-, KRAS codon 13-, KRAS codon 61-"),
        ("Codons 12/13: wild type, codon 61: Q61H detected", "KRAS", "KRAS codon 12-, KRAS codon 13-, KRAS Q61H+"),
        ("KRAS exons 2-4 wild type", "", "KRAS exon 2-, KRAS exon 3-, KRAS exon 4-"),
        ("KRAS (exons 2, 3 & exon 4): no mutation", "", "KRAS exon 2-, KRAS exon 3-, KRAS exon 4-"),
        ("KRAS/NRAS codons 12, 13 wild type", "", "KRAS codon 12-, KRAS codon 13-, NRAS codon 12-, NRAS codon 13-"),
        ("mutation detected in codons 12 or 13", "KRAS", "KRAS+, KRAS+"),
        ("exon 19 to 17 wild type", "EGFR", "EGFR exon 19-"),
        ("exon 2 mutation detected", "KRAS", "KRAS+"),
        ("exon 2 G12C mutation detected", "KRAS", "KRAS G12C+"),
        ("exon 18 mutation detected", "PDGFRA", "PDGFRA exon 18+"),
        ("V600E/K detected", "BRAF", "BRAF+"),
        ("V600 mutation detected", "BRAF", "BRAF V600+"),
        ("V600E/K not detected", "BRAF", "BRAF V600E/K-"),
        ("deletions in exon 19 not detected", "EGFR", "EGFR exon 19 deletion-"),
        ("FLT3-ITD: positive (ratio 0.6); FLT3-TKD: negative", "FLT3", "FLT3 ITD+, FLT3?"),
        ("FLT3-ITD detected; D835 not detected", "FLT3", "FLT3 ITD+, FLT3 D835-"),
        ("No BCR-ABL1 kinase domain mutation detected", "ABL1", "ABL1-"),
        ("No kinase domain mutation detected", "KRAS", "KRAS kinase domain-"),
        ("EML4-ALK detected", "ALK", "ALK EML4-ALK+"),
        ("NPM1-ALK fusion detected", "ALK", "ALK fusion+"),
        ("criteria met; exon 14 skipping not detected", "EGFR", "EGFR exon 14 skipping-"),
        ("MET exon 14 skipping not detected", "EGFR", "MET exon 14 skipping-"),
    ],
)
def test_parts_of_a_gene_fusions_and_the_gene_as_a_whole(text: str, own: str, expected: str) -> None:
    assert called(text, own) == expected


def test_a_text_that_says_both() -> None:
    assert is_mixed("ITD detected; D835 not detected", lexicon())
    assert not is_mixed("not detected; none found; no mutation identified", lexicon())


def said(*texts: str, own: str = "EGFR", **fields: bool | None) -> dict[str, tuple[object, ...]]:
    interpreted = fields.pop("interpreted", None)
    answer = Answer(texts=texts, boolean=fields.get("boolean"))
    return dict(statements_by_gene(answer, own, lexicon(), interpreted=interpreted))


def present(name: str) -> Presence:
    return Presence(name, present=True)


def absent(name: str) -> Presence:
    return Presence(name, present=False)


def test_words_that_name_nothing_are_no_variants() -> None:
    assert said("Not detected") == said("Mutation detected") == said("see report") == {}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("L858R detected; T790M not detected", (present("L858R"), absent("T790M"))),
        ("L858R detected; no other mutation detected", (present("L858R"),)),
        ("T790M not detected; no other mutation detected", (absent("T790M"), absent(""))),
        ("No mutation detected. T790M: not detected", (absent("T790M"), absent(""))),
        ("Mutation detected; T790M not detected", (absent("T790M"), present(""))),
        ("Detected. Tested for: L858R, T790M", (present(""),)),
        ("Not detected. Tested for: L858R, T790M", (absent("L858R"), absent("T790M"))),
        ("T790M could not be assessed, L858R detected", (present("L858R"), NOT_UNDERSTOOD)),
        ("T790M could not be assessed", (NOT_UNDERSTOOD,)),
        ("EGFR amplification not detected; T790M not detected", (absent("T790M"), NOT_UNDERSTOOD)),
        ("p.L858R", (NOT_UNDERSTOOD,)),
    ],
)
def test_what_the_words_say_of_a_gene(text: str, expected: tuple[object, ...]) -> None:
    assert said(text)["EGFR"] == expected


@pytest.mark.parametrize("text", ["No mutation detected; L858R detected", "T790M detected; p.Thr790Met not detected"])
def test_words_that_contradict_each_other(text: str) -> None:
    assert said(text)["EGFR"] == (SelfContradiction((text,)),)


def test_a_code_calls_what_the_words_name_and_contradicts_another_call() -> None:
    assert said("L858R", boolean=True)["EGFR"] == (present("L858R"),)
    assert said("L858R", boolean=False)["EGFR"] == (absent("L858R"),)
    assert said("L858R detected", boolean=False)["EGFR"] == (SelfContradiction(("L858R detected",)),)
    assert said("L858R not detected", boolean=True)["EGFR"] == (SelfContradiction(("L858R not detected",)),)
    assert said("L858R could not be assessed", boolean=True)["EGFR"] == (NOT_UNDERSTOOD,)


def test_an_interpretation_counts_where_the_value_has_no_call() -> None:
    assert said("L858R", interpreted=True)["EGFR"] == (present("L858R"),)
    assert said("L858R not detected", interpreted=True)["EGFR"] == (absent("L858R"),)


def test_a_code_for_several_genes_together() -> None:
    assert said("KRAS, NRAS", own="", boolean=False) == {"KRAS": (absent(""),), "NRAS": (absent(""),)}
    assert said("KRAS, NRAS", own="", boolean=True) == {"KRAS": (NOT_UNDERSTOOD,), "NRAS": (NOT_UNDERSTOOD,)}
    assert said("KRAS", own="", boolean=True) == {"KRAS": (present(""),)}
    assert said("G12C detected", own="") == {"": (present("G12C"),)}
    assert said("G12C detected", own=NOT_TOLD) == {NOT_TOLD: (present("G12C"), NOT_UNDERSTOOD)}


def test_one_variant_is_known_however_it_is_written() -> None:
    assert variant_key("p.(Val600Glu)") == variant_key("V600E") == "v600e"
    assert is_named_in("exon 19 deletion", "Deletions in exon 19")
    assert not is_named_in("exon 2", "exon 20 insertion")
