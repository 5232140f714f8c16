"""Derive the terminology files of the knowledge from a folder of facts tables.

    python tools/build_terminology.py FACTS_FOLDER [DATA_FOLDER]

Writes `drugs.tsv`, `parts.tsv`, `products.tsv.gz` and `brands.tsv`. What the tables do not say of names stands in
`terminology_curation.yaml` beside this file. Codes come from the tables alone. The same tables give the same
bytes.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from cds_service.knowledge.schema import Drug
from cds_service.terminology.names import NameTable
from cds_service.terminology.text import fold, words
from cds_service.terminology.word_lists import load_words

CURATION = Path(__file__).with_name("terminology_curation.yaml")
DATA = Path(__file__).parents[1] / "cds_service" / "knowledge" / "data"
ATC_SUBSTANCE_LENGTH = 7
NAME_COLUMNS = (
    # The first file that names a code decides what the ingredient is called.
    ("cpic_recs.csv", "drug", "rxcui"),
    ("drugs.csv", "drug", "rxcui"),
    ("rxnorm_scd_in.csv", "ingredient_name", "ingredient_rxcui"),
    ("brand_ingredient.csv", "ingredient_name", "ingredient_rxcui"),
    ("cyp_modulators.csv", "drug", "rxcui_in"),
    ("onc_high_priority_15.csv", "drug", "rxcui_in"),
)
CODE_COLUMNS = (
    # Cells of `name=code`, often several: codes for drugs that are named elsewhere.
    ("lab_biomarker.csv", "rxnorm_ingredient_cui"),
    ("test_dependent_facts.csv", "interacting_rxcui"),
)
UNCUT = re.compile(r"capsule|release|coated|enteric", re.IGNORECASE)
SEVERAL_DRUGS = re.compile(r" / | and |[/;+]|\bor\b")


@dataclass(frozen=True)
class Curation:
    ids: Mapping[str, str]
    main_code_of: Mapping[str, str]
    combinations: Mapping[str, list[str]]
    not_in_product: Mapping[str, list[str]]
    not_drugs: list[str]
    more: list[str]
    liquids: list[str]
    synonyms: Mapping[str, list[str]]
    displays: Mapping[str, str]
    compound_names: Mapping[str, list[str]]
    more_brands: Mapping[str, list[str]]
    ordinary_brands: list[str]
    ordinary_words: list[str]


@dataclass
class Ingredients:
    """What the tables name: id -> names, and code -> ids."""

    names: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    codes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    main_codes: dict[str, str] = field(default_factory=dict)


def main(facts: Path, data: Path = DATA) -> None:
    """Write the files."""
    curation = Curation(**yaml.safe_load(CURATION.read_text(encoding="utf-8")))
    ingredients = read_ingredients(facts, curation)
    drugs = drug_rows(ingredients, curation, read_atc(facts, curation))
    write_tsv(data / "drugs.tsv", ("id", "rxcui", "atc", "synonyms", "display"), drugs)
    known = [Drug(row[0], synonyms=tuple(filter(None, row[3].split("|")))) for row in drugs]
    parser = NameTable(known, (), load_words(data))
    products = [*code_rows(ingredients), *product_rows(facts, ingredients, curation, parser)]
    write_tsv(data / "parts.tsv", ("drug", "parts_mg"), parts_of(products, curation))
    write_gzip(data / "products.tsv.gz", ("rxcui", "tty", "drugs", "route", "strength_mg", "name"), products)
    brands = brand_rows(facts, ingredients, curation, products)
    write_tsv(data / "brands.tsv", ("brand", "drugs", "ordinary"), brands)
    print(f"{len(drugs)} drugs, {len(products)} codes, {len(brands)} brands")  # noqa: T201  a build script reports


def rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines)


def read_ingredients(facts: Path, curation: Curation) -> Ingredients:
    """Names and codes of every ingredient in the tables, combinations taken apart or left out."""
    found = Ingredients()
    for name, code in named_codes(facts):
        add_ingredient(found, name, code, curation)
    for name in curation.more:
        found.names[name]
    for name, code in codes_beside_names(facts):
        add_code(found, name, code, curation)
    return found


def named_codes(facts: Path) -> Iterator[tuple[str, str]]:
    for file, name, code in NAME_COLUMNS:
        for row in rows(facts / file):
            yield row[name].strip().lower(), row[code].strip() if row[code].strip().isdigit() else ""
    yield from biomarker_codes(facts)
    for row in rows(facts / "test_dependent_facts.csv"):
        for part in re.split(r"[;|,+]", row["drugs_rxcui"]):
            name, _, code = part.strip().lower().partition("=")
            if code.isdigit() and re.fullmatch(r"[a-z][a-z -]+", name):
                yield name, code


def biomarker_codes(facts: Path) -> Iterator[tuple[str, str]]:
    """One for each drug of a row; the name alone where a row gives no code or does not say where it is from."""
    for row in rows(facts / "biomarker_drug.csv"):
        coded = coded_names(row["rxnorm_ingredient_cui"]) if row["rxcui_source"].strip() else ()
        yield from list(coded) or [(without_use(row["drug"].lower()), "")]


def codes_beside_names(facts: Path) -> Iterator[tuple[str, str]]:
    for file, column in CODE_COLUMNS:
        for row in rows(facts / file):
            yield from coded_names(row[column])


def coded_names(cell: str) -> Iterator[tuple[str, str]]:
    """The names and codes of a cell of `name=code`, often several."""
    for part in re.split(r"[;|,+]", cell):
        name, _, code = part.strip().lower().partition("=")
        if code.isdigit():
            yield without_use(name), code


def without_use(name: str) -> str:
    """The name without the use that stands in brackets behind it ("alemtuzumab (ms)")."""
    return re.sub(r" \(.*\)$", "", name)


def add_code(found: Ingredients, name: str, code: str, curation: Curation) -> None:
    """The code of a drug that is already named; a code that a table of names explains stays as it is."""
    drug = curation.ids.get(name, name)
    if drug in found.names and code not in found.codes:
        found.codes[code] = (drug,)
        found.main_codes.setdefault(drug, code)


def add_ingredient(found: Ingredients, name: str, code: str, curation: Curation) -> None:
    if name in curation.not_drugs:
        return
    parts = curation.combinations.get(name)
    if parts:
        found.codes[code] = tuple(parts)
        return
    drug = curation.ids.get(name, name)
    if code in found.codes:
        drug = found.codes[code][0]
    elif SEVERAL_DRUGS.search(drug) and not code:
        return
    if name not in found.names[drug]:
        found.names[drug].append(name)
    if code:
        found.codes.setdefault(code, (drug,))
        if curation.main_code_of.get(drug, name) == name:
            found.main_codes.setdefault(drug, code)


def read_atc(facts: Path, curation: Curation) -> Mapping[str, list[str]]:
    """The ATC codes by drug id: those of substances; those of whole classes are left out."""
    codes: defaultdict[str, list[str]] = defaultdict(list)
    for row in rows(facts / "drugs.csv"):
        name = row["drug"].lower()
        drug = curation.ids.get(name, name)
        codes[drug] += [c for c in row["atc"].split() if len(c) == ATC_SUBSTANCE_LENGTH and c not in codes[drug]]
    return codes


def drug_rows(found: Ingredients, curation: Curation, atc: Mapping[str, list[str]]) -> list[tuple[str, ...]]:
    """Rows of drugs.tsv, by id. Raises ValueError where curation names a drug that no table has."""
    curated = {*curation.synonyms, *curation.displays}
    for brands in (curation.compound_names, curation.more_brands):
        curated |= {drug for drugs in brands.values() for drug in drugs}
    unknown = sorted(curated - set(found.names))
    if unknown:
        raise ValueError(f"terminology_curation.yaml names drugs that are in no table: {', '.join(unknown)}")
    return [
        (
            drug,
            found.main_codes.get(drug, ""),
            "|".join(atc.get(drug, ())),
            "|".join(dict.fromkeys(n for n in [*curation.synonyms.get(drug, ()), *found.names[drug]] if n != drug)),
            curation.displays.get(drug, ""),
        )
        for drug in sorted(found.names)
    ]


def code_rows(found: Ingredients) -> Iterator[tuple[str, ...]]:
    """Codes of ingredients other than the main one of each drug."""
    main = set(found.main_codes.values())
    for code, drugs in sorted(found.codes.items(), key=lambda item: int(item[0])):
        if code not in main:
            yield code, "IN", "|".join(drugs), "", "", ""


def product_rows(facts: Path, found: Ingredients, curation: Curation, parser: NameTable) -> Iterator[tuple[str, ...]]:
    """One row for each product. The tables often give a product one of its ingredients only, so those that its
    name spells out are added; the drugs stand in the order of the name."""
    kinds: dict[str, tuple[str, str]] = {}
    drugs: defaultdict[str, list[str]] = defaultdict(list)
    for row in rows(facts / "rxnorm_scd_in.csv"):
        code = row["rxcui"]
        kinds.setdefault(code, (row["tty"], row["name"]))
        drugs[code] += [d for d in found.codes.get(row["ingredient_rxcui"], ()) if d not in drugs[code]]
    for code in sorted(kinds, key=int):
        tty, name = kinds[code]
        read = parser.read(name)
        wrong = curation.not_in_product.get(code, ())
        given = [d for d in drugs[code] if d not in wrong and not is_spelled_out(d, read.ingredients)]
        ranked = [*read.ingredients, *(d for d in given if d not in read.ingredients)]
        if ranked:
            strength = f"{read.strength_mg:g}" if read.strength_mg is not None else ""
            yield code, tty, "|".join(ranked), read.route, strength, name


def parts_of(products: Iterable[tuple[str, ...]], curation: Curation) -> list[tuple[str, str]]:
    """Rows of parts.tsv, drug and what its tablets and capsules give: halves of tablets, and whole ones of what must
    not be cut. None for a drug that is made as a liquid too."""
    parts: defaultdict[str, set[float]] = defaultdict(set)
    measured = set(curation.liquids)
    for _, tty, drug, route, strength, name in products:
        if tty not in ("SCD", "SBD") or route != "oral" or "|" in drug:
            continue
        if not strength:
            measured.add(drug)
            continue
        parts[drug].add(float(strength) if UNCUT.search(name) else float(strength) / 2)
    solid = sorted(set(parts) - measured)
    return [(drug, "|".join(f"{part:g}" for part in sorted(parts[drug]))) for drug in solid]


def is_spelled_out(drug: str, named: Iterable[str]) -> bool:
    """Whether the name says more exactly what the table says ("insulin lispro" for "insulin")."""
    return any(drug != other and set(words(drug)) < set(words(other)) for other in named)


def brand_rows(
    facts: Path, found: Ingredients, curation: Curation, products: Iterable[tuple[str, ...]]
) -> list[tuple[str, ...]]:
    """Brand -> drugs. Where the products of one brand differ, only what they have in common."""
    brands: dict[str, list[str]] = defaultdict(list)
    for row in rows(facts / "brand_ingredient.csv"):
        brands[row["brand"]] += [
            d for d in found.codes.get(row["ingredient_rxcui"], ()) if d not in brands[row["brand"]]
        ]
    brands_by_fold = {fold(brand): brand for brand in brands}
    table = {**biomarker_brands(facts, found, curation), **curation.more_brands, **brands}
    table |= {brands_by_fold.get(fold(b), b): drugs for b, drugs in common_drugs(products).items()}
    table |= curation.compound_names
    return [
        (brand, "|".join(drugs), "true" if is_ordinary(brand, curation) else "")
        for brand, drugs in sorted(table.items())
        if drugs
    ]


def biomarker_brands(facts: Path, found: Ingredients, curation: Curation) -> dict[str, list[str]]:
    """Brands of rows that name one brand for each drug, in the same order."""
    brands = {}
    for row in rows(facts / "biomarker_drug.csv"):
        names = [name for name in row["drug"].lower().split(" + ") if name not in curation.not_drugs]
        drugs = [curation.ids.get(name, name) for name in map(without_use, names)]
        written = row["brand"].removesuffix(" and biosimilars").split(" + ")
        if len(written) == len(drugs):
            brands |= {brand: [drug] for brand, drug in zip(written, drugs, strict=True) if drug in found.names}
    return {brand: drugs for brand, drugs in brands.items() if brand.isalpha() and brand != "generic"}


def is_ordinary(brand: str, curation: Curation) -> bool:
    """Whether the brand is a word of ordinary language, or nothing but generic words."""
    listed = {fold(other) for other in curation.ordinary_brands}
    return fold(brand) in listed or {word for word in words(brand) if word.isalpha()} <= set(curation.ordinary_words)


def common_drugs(products: Iterable[tuple[str, ...]]) -> Mapping[str, list[str]]:
    """Brand -> the drugs that all its products have in common; none where they have nothing in common."""
    shared: dict[str, list[str]] = {}
    written: dict[str, str] = {}
    for _, tty, drugs, _, _, name in products:
        brand = re.search(r"\[([^\[\]]+)\]\s*$", name)
        if tty == "SBD" and brand:
            ids = drugs.split("|")
            key = fold(brand[1])
            written.setdefault(key, brand[1])
            shared[key] = [drug for drug in shared.get(key, ids) if drug in ids]
    return {written[key]: drugs for key, drugs in shared.items()}


def write_tsv(path: Path, header: tuple[str, ...], lines: Iterable[tuple[str, ...]]) -> None:
    path.write_text(as_tsv(header, lines), encoding="utf-8", newline="")


def write_gzip(path: Path, header: tuple[str, ...], lines: Iterable[tuple[str, ...]]) -> None:
    """Compressed with no file name and no time in it, so that builds are reproducible."""
    packed = io.BytesIO()
    with gzip.GzipFile(filename="", fileobj=packed, mode="wb", mtime=0) as stream:
        stream.write(as_tsv(header, lines).encode())
    path.write_bytes(packed.getvalue())


def as_tsv(header: tuple[str, ...], lines: Iterable[tuple[str, ...]]) -> str:
    return "".join("\t".join(cells) + "\n" for cells in (header, *lines))


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:3]))
