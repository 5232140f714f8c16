"""`cds-service inspect` over published examples: it raises nothing, and reads the hand-read ones as a person did.

The examples are third-party data that lie beside a working copy; without them the tests are skipped.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.world import inspected

SAMPLES = Path(__file__).parents[2].parent / "shared" / "samples"
pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason="the samples are not here")
STU4 = "gr-ig/stu4"
Json = dict[str, Any]


def content(name: str) -> Any:
    return json.loads((SAMPLES / name).read_text(encoding="utf-8"))


def told(name: str, kind: str) -> list[Json]:
    return [entry[kind] for entry in inspected(content(name)) if kind in entry]


def reading_of(name: str) -> Json:
    (reading,) = told(name, "reading")
    return reading


def said(name: str) -> tuple[str, Json]:
    reading = reading_of(name)
    return reading["observable"], reading["says"]


def reasons(name: str, about: str) -> list[str]:
    return [gap["reason"] for gap in told(name, "gap") if gap["about"] == about]


def test_every_sample_is_inspected() -> None:
    names = sorted(SAMPLES.rglob("*.json"))
    assert len(names) == 744
    for path in names:
        entries = inspected(json.loads(path.read_text(encoding="utf-8")))
        assert "availability" in entries[0] or "not_served" in entries[0], path.name
        assert "count" in entries[-1], path.name
        json.dumps(entries)


def test_every_hand_read_case_has_its_test() -> None:
    with (SAMPLES / "key_cases.csv").open(encoding="utf-8", newline="") as lines:
        cases = {row["file"] for row in csv.DictReader(lines)}
    assert cases == set(CASES)
    assert len(cases) == 22


def clinvar_number_beside_a_diplotype(name: str) -> None:
    reading = reading_of(name)
    assert (reading["observable"], reading["says"]["text"]) == ("gene:CYP2C19", "*2/*2")
    assert (reading["status"], reading["grade"]) == ("final", "clinical")


def diplotype_in_text_alone(name: str) -> None:
    assert said(name) == ("gene:CYP2C9", {"is": "Diplotype", "text": "*1/*1"})


def bases_with_their_strand(name: str) -> None:
    reading = reading_of(name)
    assert reading["observable"] == "gene:VKORC1"
    assert reading["says"]["text"] == "rs9923231 reference (C)/rs9923231 variant (T)"
    assert reading["flags"] == ["strand_as_in_table"]


def suballeles_are_core_alleles_in_order(name: str) -> None:
    assert said(name) == ("gene:CYP2D6", {"is": "Diplotype", "text": "*1/*7"})
    assert reading_of(name)["quoted"] == "CYP2D6*7.001 / CYP2D6*1.001"


def one_hla_allele_leaves_the_other_open(name: str) -> None:
    assert said(name) == ("hla:B", {"is": "HlaType", "alleles": ["*15:02"], "complete": False})


def a_genotype_that_nothing_asks_about(name: str) -> None:
    assert said(name) == ("gene:APOE", {"is": "Diplotype", "text": "e1/e1"})
    assert not [f for f in told(name, "finding") if "APOE" in json.dumps(f)]


def gl_string_in_two_fields(name: str) -> None:
    assert said(name) == ("hla:A", {"is": "HlaType", "alleles": ["*03:01", "*30:01"], "complete": True})


def present_with_equal_bases_is_the_reference(name: str) -> None:
    observable, says = said(name)
    assert (observable, says["is"], says["present"]) == ("gene:CYP2C19", "Presence", False)
    assert "homozygous" not in reading_of(name).get("flags", [])
    if "1011" in name:
        assert reasons(name, "Observation/Pgx-var-1011") == ["unknown_code"]


def homozygous_in_build_37(name: str) -> None:
    assert said(name) == (
        "gene:CYP2C19", {"is": "Presence", "allele": "NC_000010.10:g.96540410G>A", "present": True}
    )  # fmt: skip
    assert reading_of(name)["flags"] == ["homozygous", "build_37"]


def absent_in_three_genes(name: str) -> None:
    readings = told(name, "reading")
    assert {r["observable"]: r["says"] for r in readings} == {
        f"somatic:{gene}": {"is": "Presence", "present": False} for gene in ("BRAF", "KIT", "NRAS")
    }


def implication_names_its_drug(name: str) -> None:
    reading = reading_of(name)
    assert (reading["says"]["term"], reading["drugs"]) == ("Poor Metabolizer", ["clopidogrel"])
    assert reasons(name, "Observation/TxImp01") == ["gene_not_named"]
    with_source = {"resourceType": "Bundle", "entry": [
        {"resource": content(name)},
        {"resource": content(f"{STU4}/gr-genotype/Observation-Pgx-geno-1001.json")},
    ]}  # fmt: skip
    found = [e["reading"] for e in inspected(with_source) if "reading" in e]
    by_source = {r["reference"]: (r["observable"], r["says"]["is"]) for r in found}
    assert by_source["Observation/TxImp01"] == ("gene:CYP2C19", "Phenotype")


def recommendation_stays_the_laboratorys(name: str) -> None:
    (recommendation,) = told(name, "recommendation")
    assert (recommendation["coding"]["code"], recommendation["drugs"]) == ("LA26421-0", ["clopidogrel"])
    assert recommendation["reason"] == "Observation/TxImp01"
    assert told(name, "reading") == []
    assert told(name, "finding") == []


def finding_in_a_conclusion_code(name: str) -> None:
    assert said(name) == ("gene:DPYD", {"is": "Phenotype", "term": "Poor Metabolizer"})


def gene_in_an_extension(name: str) -> None:
    assert said(name) == ("gene:TPMT", {"is": "Diplotype", "text": "*1/*4"})


def diplotype_of_contradicting_haplotypes(name: str) -> None:
    assert told(name, "reading") == []
    assert reasons(name, "Observation/example-diplotype1") == ["no_value"]
    parts = [name, *(name.replace("diplotype1", f"haplotype{n}") for n in (1, 2))]
    bundle = {"resourceType": "Bundle", "entry": [{"resource": content(part)} for part in parts]}
    says = [e["reading"]["says"]["is"] for e in inspected(bundle) if "reading" in e and "diplotype1" in str(e)]
    assert says == ["SelfContradiction"]


def phenotype_without_a_genotype(name: str) -> None:
    assert said(name) == ("gene:CYP2C9", {"is": "Phenotype", "term": "Normal Metabolizer"})


def ingredient_of_a_contained_medication(name: str) -> None:
    (order,) = told(name, "order")
    assert order["coding"] == {
        "system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "3628", "display": "Dopamine"
    }  # fmt: skip
    assert order.get("ingredients") == ["dopamine"] or "not_recognised" in reasons(name, order["name"])


def entered_in_error_is_counted_and_not_read(name: str) -> None:
    assert told(name, "withdrawn") == [{"reference": "MedicationRequest/261542609"}]
    assert (told(name, "order"), told(name, "medication")) == ([], [])
    assert told(name, "count")[0]["withdrawn"] == 1


def unit_under_a_snomed_code(name: str) -> None:
    reading = reading_of(name)
    assert reading["observable"] == "lab:potassium"
    assert (reading["says"], reading["quoted"]) == ({"is": "NotReadable", "reason": "implausible"}, "0.9 mmol/L")
    assert reading["flags"] == ["issued_only", "implausible"]
    assert reading["on"] == "2018-08-04"


def protein_ligand_without_a_score(name: str) -> None:
    assert said(name) == ("tumour:CD274", {"is": "Presence", "present": True})
    assert reading_of(name)["flags"] == ["score_not_coded"]


def a_protein_is_no_mutation(name: str) -> None:
    assert said(name) == ("tumour:EGFR_protein", {"is": "Presence", "present": True})


CASES = {
    f"{STU4}/gr-genotype/Observation-Pgx-geno-1001.json": clinvar_number_beside_a_diplotype,
    f"{STU4}/gr-genotype/Observation-Pgx-geno-1002.json": diplotype_in_text_alone,
    f"{STU4}/gr-genotype/Observation-Pgx-geno-1003.json": bases_with_their_strand,
    f"{STU4}/gr-genotype/Observation-GenotypeExamplePharmVar.json": suballeles_are_core_alleles_in_order,
    f"{STU4}/gr-genotype/Observation-GenotypeExample1.json": one_hla_allele_leaves_the_other_open,
    f"{STU4}/gr-genotype/Observation-Genotype-Clinical-Trial-Example-using-haplotypes.json":
        a_genotype_that_nothing_asks_about,
    f"{STU4}/gr-genotype/Observation-genotype-hla-a-glstring-r4.json": gl_string_in_two_fields,
    f"{STU4}/gr-variant/Observation-Pgx-var-1011.json": present_with_equal_bases_is_the_reference,
    f"{STU4}/gr-variant/Observation-Pgx-var-1016.json": present_with_equal_bases_is_the_reference,
    f"{STU4}/gr-variant/Observation-Pgx-var-1015.json": homozygous_in_build_37,
    "mcode/mcode-variant/Observation-gx-genomic-variant-pertinent-negative-nras-kit-braf.json": absent_in_three_genes,
    f"{STU4}/gr-therapeutic-implication/Observation-TxImp01.json": implication_names_its_drug,
    f"{STU4}/task/Task-PGxRecEx01.json": recommendation_stays_the_laboratorys,
    "r4-core/observation/r4_Observation-example-TPMT-diplotype.json": gene_in_an_extension,
    "r4-core/observation/r4_Observation-example-diplotype1.json": diplotype_of_contradicting_haplotypes,
    "r4-core/observation/r4_Observation-example-phenotype.json": phenotype_without_a_genotype,
    "cerner/meds/r4_medication_request_revinclude_bundle.json": ingredient_of_a_contained_medication,
    "cerner/meds/r4_medication_request_entered_in_error.json": entered_in_error_is_counted_and_not_read,
    "condition/snomed_conclusioncode_dpyd_pm.json": finding_in_a_conclusion_code,
    "pddi-cds/observation-digoxin-cyclosporine-potassium.json": unit_under_a_snomed_code,
    f"{STU4}/gr-molecular-biomarker/Observation-PDL1Example.json": protein_ligand_without_a_score,
    "mcode/mcode-tumor-marker/Observation-tumor-marker-test-egf.json": a_protein_is_no_mutation,
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_hand_read_case(name: str) -> None:
    CASES[name](name)
