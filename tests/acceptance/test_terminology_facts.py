"""The packaged terminology held against the facts tables it was derived from; skipped where they are absent.

The tables often give a product one of its ingredients only; the name of a product is complete. So a product's own
code must give at least what the table gives, and name and code must agree.
"""

from __future__ import annotations

import csv
import gzip
import re
import shutil
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from cds_service.codes import RXNORM, Coding
from cds_service.knowledge.load import DATA
from cds_service.terminology.text import words
from tests.support.terminology import packaged_index
from tools.build_terminology import main as build_terminology

FACTS = Path(__file__).parents[2].parent / "shared" / "facts"
pytestmark = pytest.mark.skipif(not FACTS.is_dir(), reason="the facts tables are not here")

BY_BRAND_ALONE = frozenset({"352164", "352165", "1795950", "541623", "541625", "541631"})
"""Products that a table calls aspirin by their brand, though their names spell out other ingredients."""


def rows(name: str) -> Iterator[dict[str, str]]:
    with (FACTS / name).open(encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines)


def ingredients(*codings: Coding, text: str = "") -> frozenset[str]:
    match = packaged_index().find(codings, text)
    return frozenset(match.drugs) if match else frozenset()


@cache
def products() -> tuple[dict[str, set[str]], dict[str, str]]:
    """Code -> the drugs that the table gives, and code -> name, for products with an ingredient that we know."""
    given: defaultdict[str, set[str]] = defaultdict(set)
    names = {}
    for row in rows("rxnorm_scd_in.csv"):
        drugs = ingredients(Coding(RXNORM, row["ingredient_rxcui"]))
        if drugs:
            given[row["rxcui"]] |= drugs
            names[row["rxcui"]] = row["name"]
    return dict(given), names


def less_exact(drug: str, others: frozenset[str]) -> bool:
    """`insulin` beside `insulin lispro`."""
    return any(set(words(drug)) < set(words(other)) for other in others)


def test_every_product_code_gives_what_the_table_gives() -> None:
    given, names = products()
    lacking = {
        names[code]: drugs - found
        for code, drugs in given.items()
        if code not in BY_BRAND_ALONE
        for found in [ingredients(Coding(RXNORM, code))]
        if any(drug not in found and not less_exact(drug, found) for drug in drugs)
    }
    assert len(given) > 7000
    assert lacking == {}


def test_names_alone_give_the_same_ingredients_for_99_percent_of_products() -> None:
    given, names = products()
    differing = [names[code] for code in given if ingredients(text=names[code]) != ingredients(Coding(RXNORM, code))]
    assert len(differing) <= 0.01 * len(given), differing[:20]


def test_few_names_of_products_leave_a_part_open() -> None:
    _, names = products()
    matches = {name: packaged_index().find((), name) for name in names.values()}
    left = {name: match.unread for name, match in matches.items() if match is not None and match.unread}
    assert len(left) <= 0.02 * len(names), left


def test_no_brand_leaves_a_part_open() -> None:
    index = packaged_index()
    matches = ((row["brand"], index.find((), row["brand"])) for row in rows("brand_ingredient.csv"))
    assert {brand for brand, match in matches if match is not None and match.unread} == set()


def test_no_name_gives_more_ingredients_than_it_has_components() -> None:
    _, names = products()
    surplus = {}
    for name in names.values():
        components = {part.strip() for part in re.sub(r"\[.*?\]", "", name).split(" / ")}
        found = {drug for drug in ingredients(text=name) if " / " not in drug}
        if len(found) > len(components):
            surplus[name] = found
    assert surplus == {}


def test_every_brand_gives_an_ingredient_of_the_table_and_none_that_its_products_lack() -> None:
    given: defaultdict[str, set[str]] = defaultdict(set)
    for row in rows("brand_ingredient.csv"):
        given[row["brand"]] |= ingredients(Coding(RXNORM, row["ingredient_rxcui"]))
    in_products: defaultdict[str, set[str]] = defaultdict(set)
    for row in rows("rxnorm_scd_in.csv"):
        brand = re.search(r"\[([^\[\]]+)\]\s*$", row["name"])
        if brand:
            in_products[brand[1]] |= ingredients(Coding(RXNORM, row["rxcui"]))
    found = {brand: ingredients(text=brand) for brand in given}
    surplus = {
        (brand, drug)
        for brand, drugs in found.items()
        for drug in drugs - given[brand] - in_products[brand]
        if not set(drug.split(" / ")) <= given[brand] | in_products[brand]
    }
    assert surplus == set()
    unread = [brand for brand in given if given[brand] and not found[brand]]
    assert len(unread) <= 0.01 * len(given), unread


def test_every_drug_of_the_guidelines_is_known_by_name_and_code() -> None:
    for row in rows("cpic_recs.csv"):
        assert row["drug"] in ingredients(text=row["drug"])
        if row["rxcui"].isdigit():
            assert row["drug"] in ingredients(Coding(RXNORM, row["rxcui"]))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the tool has filled."""
    folder = tmp_path_factory.mktemp("built")
    shutil.copy(DATA / "drug_words.yaml", folder)
    build_terminology(FACTS, folder)
    return folder


@pytest.mark.parametrize("name", ["drugs.tsv", "parts.tsv", "brands.tsv", "products.tsv.gz"])
def test_the_packaged_files_are_what_the_tool_makes(name: str, built: Path) -> None:
    """A name or code added by hand would be lost with the next build: it belongs into the tool's curation."""
    assert content(DATA / name) == content(built / name)


def content(path: Path) -> bytes:
    """The bytes of the file, unpacked: compression may differ between versions of zlib."""
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def test_codes_that_stand_beside_names_are_known() -> None:
    """Codes in cells of `name=code`, of drugs that only guidance names."""
    for code, drug in (("5690", "imipenem"), ("117055", "alemtuzumab"), ("6448", "lithium carbonate")):
        assert ingredients(Coding(RXNORM, code)) == {drug}


def test_every_drug_of_the_tumour_markers_is_known_by_the_code_that_has_a_source() -> None:
    """All but `platinum`, which is a class. A use may stand in brackets: `tretinoin (oral atra)`."""
    cells = [row["rxnorm_ingredient_cui"] for row in rows("biomarker_drug.csv") if row["rxcui_source"]]
    pairs = {tuple(part.strip().lower().split("=")) for cell in cells for part in cell.split(";")}
    found = {name: ingredients(Coding(RXNORM, code)) for name, code in pairs}
    assert len(found) > 110
    assert {name for name, drugs in found.items() if not drugs} == {"platinum"}
    assert {n for n, drugs in found.items() if drugs != ingredients(text=re.sub(r" \(.*\)$", "", n))} == set()
