"""Every row of the laboratory, tumour and test-dependent facts and of the high-priority pairs is entered or listed.

"Listed" is with its reason in docs/not-entered. Skipped where the facts are absent.

A row counts as entered where for each of its drugs a table asks for one of its tests, speaks of one of its other
medicines, or rests on its source, and each of those others is spoken of. That shows a forgotten drug, not whether a
table is right.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

from cds_service.knowledge.schema import Fact, Predicate, Table
from tests.support.terminology import packaged_index
from tests.support.world import knowledge

ROOT = Path(__file__).parents[2]
FACTS = ROOT.parent / "shared" / "facts"
LISTS = ROOT / "docs" / "not-entered"
pytestmark = pytest.mark.skipif(not FACTS.is_dir(), reason="the facts tables are not part of the project")

AT_MOST_NOT_EXPRESSIBLE = 30
ENTERED_BY_HAND = {
    "LAB011": "lab_phenylbutyrate_urea_cycle",
    "LAB016": "lab_eteplirsen_dmd",
    "LAB017": "lab_golodirsen_dmd",
    "LAB018": "lab_viltolarsen_dmd",
    "LAB019": "lab_casimersen_dmd",
    "LAB054": "lab_clopidogrel_platelet_reactivity",
    "LAB055": "limit_prasugrel_stroke_or_tia",
    "LAB069": "lab_setmelanotide_gene",
    "LAB070": "lab_metreleptin_lipodystrophy",
    "LAB083": "lab_infliximab_trough",
    "LAB094": "lab_antibiotics_procalcitonin",
    "LAB117": "lab_biotin_dose",
    "LAB125": "lab_triheptanoin_gene",
    "LAB126": "lab_fosdenopterin_gene",
    "LAB127": "lab_lonafarnib_gene",
    "LAB128": "lab_sacrosidase_si",
    "LAB131": "lab_everolimus_tsc",
    "LAB147": "lab_naltrexone_opioids",
}
"""Rows whose tables neither name the row's code nor its source: no code is published, or the row is recalled."""


def rows(name: str) -> list[dict[str, str]]:
    with (FACTS / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


@cache
def drugs_named(text: str) -> frozenset[str]:
    """The drugs that a cell names; what stands behind `=` is a code."""
    found: set[str] = set()
    for part in re.split(r"[;/,|+()]| and | or ", text):
        match = packaged_index().find((), part.partition("=")[0].strip())
        found.update(match.drugs if match else ())
    return frozenset(found)


@cache
def markers_of_code(code: str) -> frozenset[str]:
    of_results = {o.id for o in knowledge().observables.values() if any(c.code == code for c in o.codes)}
    of_tests = {m for t in knowledge().tests.values() if any(c.code == code for c in t.codes) for m in t.markers}
    return frozenset(of_results | of_tests)


def markers_named(text: str) -> frozenset[str]:
    return frozenset().union(*(markers_of_code(code) for code in re.findall(r"\d+-\d", text)))


def parts(predicate: Predicate) -> Iterator[Predicate]:
    yield predicate
    for part in (*predicate.all, *predicate.any):
        yield from parts(part)


@cache
def partners(table_id: str) -> frozenset[str]:
    """The medicines that the table wants beside its own."""
    asked = (p for fit in knowledge().tables[table_id].population.fits for p in parts(fit))
    names = [name for p in asked if p.fact is Fact.COMEDICATION for name in p.is_in]
    groups = knowledge().groups
    return frozenset(d for name in names for d in (groups[name].drugs if name in groups else (name,)))


def pairs_with(table: Table, one: frozenset[str], other: frozenset[str]) -> bool:
    drugs, beside = set(table.drugs), partners(table.id)
    return bool(drugs & one and beside & other) or bool(drugs & other and beside & one)


def address(url: str) -> str:
    return re.sub(r"^https?://(www\.)?", "", url).rstrip("/").lower()


def rests_on(table: Table, url: str) -> bool:
    return bool(url) and address(knowledge().sources[table.source].url) == address(url)


def listed_lines() -> Iterator[tuple[str, str, str]]:
    """Heading, first cell and whole line of every row of the lists."""
    for path in sorted(LISTS.glob("*.md")):
        heading = path.stem
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("## "):
                heading = line.removeprefix("## ")
            if line.startswith("| ") and not line.startswith("| row"):
                yield heading, line.split("|")[1], line


def numbers(cell: str) -> Iterator[int]:
    """`39, 48, 59 to 65` -> each of them."""
    for first, last in re.findall(r"(\d+)(?: to (\d+))?", cell):
        yield from range(int(first), int(last or first) + 1)


def listed_facts() -> frozenset[int]:
    own = (n for heading, cell, _ in listed_lines() if heading == "Rows of the facts" for n in numbers(cell))
    named = (int(n) for _, cell, _ in listed_lines() for n in re.findall(r"fact (\d+)", cell))
    return frozenset([*own, *named])


def missing(found: Iterable[tuple[str, bool]]) -> list[str]:
    return [name for name, entered in found if not entered]


def drug_is_entered(drug: str, markers: frozenset[str], url: str) -> bool:
    return any(
        drug in t.drugs and (rests_on(t, url) or set(t.markers) & markers) for t in knowledge().tables.values()
    )


def lab_row_is_entered(row: dict[str, str]) -> bool:
    drugs = drugs_named(row["drug"]) | drugs_named(row["rxnorm_ingredient_cui"])
    markers = markers_named(row["loinc_codes"])
    tables = knowledge().tables.values()
    if not drugs:
        return any(rests_on(t, row["checked_source_url"]) for t in tables)
    return all(drug_is_entered(drug, markers, row["checked_source_url"]) for drug in drugs)


def test_every_laboratory_row_is_entered_or_listed() -> None:
    listed = frozenset(i for _, cell, _ in listed_lines() for i in re.findall(r"LAB\d+", cell))
    found = [
        (row["row_id"], row["row_id"] in listed | set(ENTERED_BY_HAND) or lab_row_is_entered(row))
        for row in rows("lab_biomarker.csv")
    ]
    assert len(found) == 149
    assert missing(found) == []


def test_the_tables_named_by_hand_exist() -> None:
    assert set(ENTERED_BY_HAND.values()) <= set(knowledge().tables)


def tumour_row_is_entered(row: dict[str, str]) -> bool:
    """Whether each drug that the row names has a table on a marker of the tumour, or on another gene of the row."""
    drugs = drugs_named(row["drug"])
    asking = [t for t in knowledge().tables.values() if any(m.startswith(("tumour:", "somatic:")) for m in t.markers)]
    return bool(drugs) and all(any(drug in t.drugs for t in asking) for drug in drugs)


def test_every_tumour_row_is_entered_or_listed() -> None:
    listed = frozenset(i for _, cell, _ in listed_lines() for i in re.findall(r"ONC\d+", cell))
    found = [
        (row["row_id"], row["row_id"] in listed or tumour_row_is_entered(row)) for row in rows("biomarker_drug.csv")
    ]
    assert len(found) == 136
    assert missing(found) == []


def fact_is_entered(row: dict[str, str]) -> bool:
    one, other = drugs_named(row["drugs_rxcui"]), drugs_named(row["interacting_rxcui"])
    if other:
        alone = (frozenset([drug]) for drug in one)
        others = (frozenset([drug]) for drug in other)
        return all(pair_is_entered(drug, other) for drug in alone) and all(pair_is_entered(one, o) for o in others)
    markers = markers_named(row["loinc"])
    return all(drug_is_entered(drug, markers, row["checked_source_url"]) for drug in one)


def test_every_test_dependent_fact_is_entered_or_listed() -> None:
    listed = listed_facts()
    found = [
        (row["id"], int(row["id"]) in listed or fact_is_entered(row)) for row in rows("test_dependent_facts.csv")
    ]
    assert len(found) == 87
    assert missing(found) == []


def test_every_high_priority_pair_is_entered_or_its_class_is_listed() -> None:
    """Drug by drug, in the one direction or the other. A class is left out for its licence alone."""
    licensed = {
        n
        for heading, cell, line in listed_lines()
        if heading == "High-priority pairs" and "licence" in line
        for n in numbers(cell)
    }
    by_class: dict[int, dict[str, list[str]]] = {}
    for row in rows("onc_high_priority_15.csv"):
        by_class.setdefault(int(row["n"]), {}).setdefault(row["side"], []).append(row["drug"])
    found = [
        (f"{n}: {one} with {other}", pair_is_entered(drugs_named(one), drugs_named(other)))
        for n, sides in by_class.items()
        if n not in licensed
        for one in sides["object"]
        for other in sides["precipitant"]
        if one != other
    ]
    assert licensed == {8}
    assert len(found) > 380
    assert missing(found) == []


@cache
def pair_is_entered(one: frozenset[str], other: frozenset[str]) -> bool:
    return any(pairs_with(t, one, other) for t in knowledge().tables.values())


GENE = re.compile(r"HLA-[A-Z]+\d*|[A-Z][A-Z0-9-]{2,}")


@cache
def genes_asked_about(drug: str) -> frozenset[str]:
    """The inherited genes (`CYP2D6`, `HLA-B`) of the tables that speak of any drug that the cell names."""
    named = drugs_named(drug)
    markers = {m for t in knowledge().tables.values() if named & set(t.drugs) for m in t.markers}
    hla = {f"HLA-{m.removeprefix('hla:').partition('*')[0]}" for m in markers if m.startswith("hla:")}
    return frozenset(hla | {m.partition(":")[2] for m in markers if m.startswith(("gene:", "genotype:"))})


def fda_pairs() -> set[tuple[str, str]]:
    """What the FDA's table says to manage (its first section) or holds for a risk (its second)."""
    associations = (r for r in rows("fda_pgx.csv") if r["section"].startswith(("1", "2")))
    return {(r["drug"], gene) for r in associations for gene in GENE.findall(r["gene"])}


def dpwg_rows() -> Iterator[dict[str, str]]:
    """Rows of the Dutch guideline that change a dose or a drug."""
    return (r for r in rows("dpwg_recs.csv") if "True" in (r["dosing"], r["alternative"]))


def labelled_pairs() -> set[tuple[str, str]]:
    """Where labelling requires or recommends the test of a gene that we know, or an HLA type."""
    levels = (
        (r["drug"], *level.rpartition(":")[::2])
        for r in rows("drugs.csv")
        for column in ("fda_label_testing", "cpic_pgx_testing")
        for level in r[column].split(";")
    )
    asked = {"Testing Required", "Testing Recommended"}
    found = {(drug, gene) for drug, genes, level in levels if level in asked for gene in GENE.findall(genes)}
    return {(drug, gene) for drug, gene in found if gene in knowledge().genes or gene.startswith("HLA-")}


def test_every_pair_of_a_drug_and_an_inherited_gene_is_entered_or_listed() -> None:
    listed = {cell.strip() for heading, cell, _ in listed_lines() if heading == "Pairs of a drug and a gene"}
    pairs = fda_pairs() | {(r["drug"], r["genes"]) for r in dpwg_rows()} | labelled_pairs()
    open_pairs = {f"{drug} and {gene}" for drug, gene in pairs if gene not in genes_asked_about(drug)}
    assert len(pairs) > 120
    assert sorted(open_pairs - listed) == []
    assert sorted(listed - open_pairs - {"pair"}) == [], "entered since"


def test_the_dutch_guideline_is_dated_by_the_export_that_has_its_rows() -> None:
    exports: dict[tuple[str, str], set[str]] = {}
    for row in dpwg_rows():
        found = re.search(r"20\d\d-\d\d", row["source"])
        exports.setdefault((row["drug"], row["genes"]), set()).add(found.group() if found else "")
    tables = [t for t in knowledge().tables.values() if t.source.startswith("dpwg_")]
    for table in tables:
        genes = genes_asked_about(table.drugs[0])
        dates = {d for (drug, gene), found in exports.items() if drug in table.drugs and gene in genes for d in found}
        assert knowledge().sources[table.source].revised == max(dates), table.id
    assert len(tables) > 12


def test_few_rows_are_not_expressible() -> None:
    lines = [line for _, _, line in listed_lines() if "not expressible" in line]
    assert 0 < len(lines) <= AT_MOST_NOT_EXPRESSIBLE
