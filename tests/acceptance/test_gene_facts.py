"""The tables of genes, of medicines that shift them and of what labelling says of tests hold what the facts hold.

Skipped where the facts are absent.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

from cds_service.knowledge.load import load_genes
from cds_service.knowledge.nomenclature import folded, folded_names
from cds_service.knowledge.schema import GeneModel
from cds_service.model import Testing as Level
from tests.support.terminology import packaged_index
from tests.support.world import knowledge

FACTS = Path(__file__).parents[3] / "shared" / "facts"
pytestmark = pytest.mark.skipif(not FACTS.is_dir(), reason="the facts tables are not part of the project")

GENES = load_genes()

OWN_FUNCTIONS = {"CYP4F2", "F5", "IFNL3", "VKORC1"}
"""Genes to whose alleles CPIC gives no function that a table asks about: the functions are our own words."""
OTHER_FUNCTIONS = {
    ("SLCO1B1", "*39"): "decision 6",
    ("SLCO1B1", "*41"): "decision 6",
    ("SLCO1B1", "*45"): "decision 6",
    ("CFTR", "F508del"): "not CPIC's: an allele that ivacaftor alone does not act on",
    ("G6PD", "MALE"): "a Y chromosome is no allele",
}
NOT_CARRIED = {
    ("CYP1A2", "oral contraceptives"): "a class, not an ingredient",
    ("CYP1A2", "tobacco smoking"): "an observation, not a medicine",
    ("CYP2C9", "felbamate"): "not found when looked up",
    ("CYP3A4", "telaprevir"): "not found when looked up",
    ("CYP3A4", "grapefruit juice"): "no medicine",
}
BY_CONDITION = {"POLG", "OTC", "MT-RNR1", "RYR1", "CACNA1S"}
"""Genes that labels want tested in those at risk alone."""
TESTED_BY_OTHERS = {
    "dapsone": "reviews of its use ask for G6PD",
    "elexacaftor": "the label's indication, entered by hand",
    "lumacaftor": "the label's indication, entered by hand",
    "vanzacaftor": "the label's indication, entered by hand",
}


def rows(name: str) -> Iterator[dict[str, str]]:
    with (FACTS / name).open(encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines)


def published(row: dict[str, str], model: GeneModel) -> tuple[str, float | None]:
    """Function and, of a score gene, activity value."""
    function = row["cpic154_function"] or row["function"] or "Unassigned function"
    value = row["cpic154_av"] or row["activity_value"]
    has_value = model is GeneModel.SCORE and value[:1].isdigit()
    return function.lower(), float(value) if has_value else None


def test_every_allele_has_the_function_and_value_of_the_newest_table() -> None:
    differing, compared = [], 0
    names = {symbol: folded_names(gene.alleles) for symbol, gene in GENES.items()}
    for row in rows("alleles.csv"):
        gene, allele = row["gene"], row["allele"]
        name = names.get(gene, {}).get(folded(allele))
        if name is None or (gene, allele) in OTHER_FUNCTIONS or gene in OWN_FUNCTIONS:
            continue
        compared += 1
        ours = GENES[gene].alleles[name]
        told = (ours.function.lower(), ours.value if GENES[gene].model is GeneModel.SCORE else None)
        if told != published(row, GENES[gene].model):
            differing.append((gene, allele, told, published(row, GENES[gene].model)))
    assert compared > 1300
    assert differing == []


def test_every_inhibitor_and_inducer_has_the_strength_that_was_checked() -> None:
    ours = {(m.enzyme, m.role.value, m.drug): m.strength.value for m in knowledge().modulators}
    missing, differing = [], []
    for row in rows("cyp_modulators.csv"):
        if (row["enzyme"], row["drug"]) in NOT_CARRIED or " and ritonavir" in row["drug"]:
            continue
        match = packaged_index().find((), row["drug"])
        strengths = {ours.get((row["enzyme"], row["role"], drug)) for drug in (match.drugs if match else ())}
        if strengths <= {None}:
            missing.append(row["drug"])
        elif (row["checked_strength"] or row["strength"]) not in strengths:
            differing.append((row["enzyme"], row["drug"], strengths))
    assert missing == []
    assert differing == []


def labelled(drug: str, gene: str) -> Level:
    """The highest level that labelling has for the pair, by any of the two columns."""
    if gene in BY_CONDITION:
        return Level.IF_RISK
    levels = {
        level.rpartition(":")[2]
        for row in rows("drugs.csv")
        if row["drug"] == drug
        for column in ("fda_label_testing", "cpic_pgx_testing")
        for level in row[column].split(";")
        if gene in {g.strip() for g in level.rpartition(":")[0].split(",")}
    }
    if "Testing Required" in levels:
        return Level.REQUIRED
    return Level.RECOMMENDED if "Testing Recommended" in levels else Level.NONE


def test_a_test_is_asked_for_as_labelling_asks_for_it() -> None:
    """A label's own condition (a dose, a risk) stands in its table; what others ask for has a source of its own."""
    differing = [
        (table.id, drug, marker, use.testing)
        for table in knowledge().tables.values()
        for marker, use in table.markers.items()
        if marker.startswith(("gene:", "genotype:", "hla:"))
        for drug in table.drugs
        for gene in [f"HLA-{marker[4]}" if marker.startswith("hla:") else marker.partition(":")[2]]
        if drug not in TESTED_BY_OTHERS
        if use.testing is not labelled(drug, gene) and not use.required_when
    ]
    assert differing == []
