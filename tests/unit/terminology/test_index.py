"""Codes to ingredients, routes and strengths; what a broken table of products does."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cds_service.codes import ATC, LOINC, RXNORM, SNOMED, Coding
from cds_service.errors import KnowledgeError
from cds_service.knowledge.load import DATA
from cds_service.knowledge.schema import Drug
from cds_service.model import DrugMatch
from cds_service.terminology import open_index
from cds_service.terminology.text import fold
from tests.support.terminology import by_code, by_name, drugs_of, knowledge_of, packaged_drugs, packaged_index


def test_every_ingredient_is_found_by_its_code_its_name_and_its_synonyms() -> None:
    for drug in packaged_drugs():
        for text in (drug.id, drug.display, *drug.synonyms):
            assert not text or drug.id in drugs_of(text), text
        if drug.rxcui:
            match = by_code((RXNORM, drug.rxcui))
            assert match is not None
            assert drug.id in match.drugs


@pytest.mark.parametrize(
    ("text", "drug"),
    [
        ("vincristine sulfate 2 mg", "vincristine"),
        ("Docetaxel 20 mg/mL", "docetaxel"),
        ("anti-thymocyte globulin", "antithymocyte globulin"),
        ("dalteparin sodium 5000 units", "dalteparin"),
        ("tranexamic acid 1 g injection", "tranexamic acid"),
    ],
)
def test_what_order_sets_of_hospitals_hold_is_known_by_name(text: str, drug: str) -> None:
    assert drugs_of(text) == (drug,)


def test_a_code_counts_in_its_own_system_alone() -> None:
    assert by_code((RXNORM, "32968")) is not None
    for system in (LOINC, SNOMED, ATC, "", "http://example.org/local"):
        assert by_code((system, "32968")) is None
    assert by_code((LOINC, "2106-3"), (RXNORM, "2106-3")) is None


def test_atc_codes_are_read() -> None:
    match = by_code((ATC, "B01AC04"))
    assert match is not None
    assert (match.drugs, match.by) == (("clopidogrel",), "code")


def test_a_product_code_gives_all_its_ingredients_with_route_and_strength() -> None:
    match = by_code((RXNORM, "1000000"))
    assert match == DrugMatch(
        ("amlodipine", "hydrochlorothiazide", "olmesartan"),
        "code",
        "amlodipine 5 MG / hydrochlorothiazide 12.5 MG / olmesartan medoxomil 40 MG Oral Tablet [Tribenzor]",
        "oral",
        5.0,
    )


def test_an_unknown_code_falls_back_to_its_display_and_the_text() -> None:
    match = packaged_index().find((Coding("urn:local", "X1", "Plavix"), Coding(RXNORM, "999999999")), "")
    assert match is not None
    assert (match.drugs, match.by, match.name) == (("clopidogrel",), "name", "Plavix")


def test_code_and_name_that_disagree_are_said() -> None:
    match = by_code((RXNORM, "32968"), text="prasugrel 10 mg")
    assert match is not None
    assert (match.drugs, match.by, match.disagrees) == (("clopidogrel",), "code", ("prasugrel",))


def test_a_brand_that_contradicts_the_ingredient_beside_it_is_said() -> None:
    match = by_name("Plavix (prasugrel)")
    assert match is not None
    assert (match.drugs, match.disagrees) == (("prasugrel",), ("clopidogrel",))


def test_codes_are_joined_only_where_the_text_names_them_together() -> None:
    codeine, acetaminophen = (RXNORM, "2670"), (RXNORM, "161")
    joined = by_code(codeine, acetaminophen, text="acetaminophen/codeine")
    assert joined is not None
    assert (joined.drugs, joined.disagrees) == (("codeine", "acetaminophen"), ())
    apart = by_code(codeine, acetaminophen)
    assert apart is not None
    assert (apart.drugs, apart.disagrees) == (("codeine",), ("acetaminophen",))


@pytest.mark.parametrize(
    ("text", "route"),
    [
        ("fluorouracil 5 % Topical Cream", "topical"),
        ("hydrocortisone 25 MG/ML Rectal Cream", "rectal"),
        ("tobramycin 3 MG/ML Ophthalmic Solution", "ophthalmic"),
        ("ofloxacin 3 MG/ML Otic Solution", "otic"),
        ("gentamicin 40 MG/ML Injectable Solution", "injectable"),
        ("tobramycin 60 MG/ML Inhalant Solution", "inhaled"),
        ("sumatriptan 5 MG/ACTUAT Nasal Spray", "nasal"),
        ("fentanyl 0.025 MG/HR Transdermal System", "transdermal"),
        ("fentanyl 0.1 MG Buccal Tablet", "buccal"),
        ("nitroglycerin 0.4 MG Sublingual Tablet", "sublingual"),
        ("codeine phosphate 30 MG Oral Tablet", "oral"),
        ("carbamazepine 100 MG Chewable Tablet", "oral"),
        ("methotrexate 0.5 ML Prefilled Syringe", "injectable"),
        ("codeine", ""),
    ],
)
def test_the_form_tells_the_route(text: str, route: str) -> None:
    match = by_name(text)
    assert match is not None
    assert match.route == route


@pytest.mark.parametrize(
    ("text", "strength_mg"),
    [
        ("clopidogrel 75 MG Oral Tablet", 75.0),
        ("digoxin 125 micrograms tablets", 0.125),
        ("metformin 1,000 mg tab", 1000.0),
        ("capecitabine 0.5 g tablet", 500.0),
        ("24 HR tramadol hydrochloride 200 MG Extended Release Oral Tablet", 200.0),
        ("325 mg aspirin tablet", 325.0),
        ("HYDROCODONE-ACETAMINOPHEN 5-325 MG PO TABS", 5.0),
        ("codeine phosphate 3 MG/ML Oral Solution", None),
        ("clopidogrel 75 mg", None),
        ("co-trimoxazole 480 mg tablets", None),
        ("co-codamol 30/500 tablets", None),
        ("{7 (varenicline 0.5 MG Oral Tablet) / 7 (varenicline 1 MG Oral Tablet) } Pack", None),
    ],
)
def test_the_strength_is_that_of_the_first_ingredient_in_one_piece(text: str, strength_mg: float | None) -> None:
    match = by_name(text)
    assert match is not None
    assert match.strength_mg == strength_mg


@given(st.text(max_size=60))
@example("\N{MATHEMATICAL BOLD SMALL FINAL SIGMA}")
def test_any_text_is_answered_and_folding_is_stable(text: str) -> None:
    by_name(text)
    assert fold(fold(text)) == fold(text)


def _data_folder(folder: Path) -> Path:
    for name in ("products.tsv.gz", "brands.tsv", "drug_words.yaml"):
        shutil.copy(DATA / name, folder / name)
    return folder


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match=r"brands\.tsv"):
        open_index(knowledge_of([]), tmp_path)


def test_a_drug_that_the_knowledge_lacks_is_named(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match=r"not in drugs\.tsv: .*clopidogrel"):
        open_index(knowledge_of([Drug("aspirin")]), _data_folder(tmp_path))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"brand\tdrugs\nPlavix\tclopidogrel\n", "expected the columns"),
        (b"brand\tdrugs\tordinary\nPlavix\n", r"brands\.tsv:2: expected 3 cells, found 1"),
        (b"\xff\xfe", "brands"),
    ],
)
def test_a_broken_table_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    (_data_folder(tmp_path) / "brands.tsv").write_bytes(content)
    with pytest.raises(KnowledgeError, match=message):
        open_index(knowledge_of(list(packaged_drugs())), tmp_path)


def test_a_truncated_product_table_is_refused(tmp_path: Path) -> None:
    folder = _data_folder(tmp_path)
    (folder / "products.tsv.gz").write_bytes(gzip.compress(b"rxcui")[:-4])
    with pytest.raises(KnowledgeError, match=r"products\.tsv\.gz"):
        open_index(knowledge_of(list(packaged_drugs())), folder)


def test_broken_lists_of_words_are_refused(tmp_path: Path) -> None:
    (_data_folder(tmp_path) / "drug_words.yaml").write_text("routes: 3\n", encoding="utf-8")
    with pytest.raises(KnowledgeError, match=r"drug_words\.yaml"):
        open_index(knowledge_of(list(packaged_drugs())), tmp_path)
