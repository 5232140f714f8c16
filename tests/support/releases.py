"""A tiny release in NLM's two formats. Its products and their codes are made up; its ingredients are real."""

from __future__ import annotations

import zipfile
from pathlib import Path

CLOPIDOGREL, CODEINE, ACETAMINOPHEN = "32968", "2670", "161"
FILLERIUM = "9900001"
"""An ingredient that the knowledge lacks."""
CONCEPTS = {
    CLOPIDOGREL: ("IN", "clopidogrel"), CODEINE: ("IN", "codeine"), ACETAMINOPHEN: ("IN", "acetaminophen"),
    FILLERIUM: ("IN", "Fillerium"), "9900002": ("PIN", "clopidogrel besylate"),
    "9900003": ("MIN", "acetaminophen / codeine"), "9900010": ("SCDC", "clopidogrel 75 MG"),
    "9900011": ("SCD", "clopidogrel 75 MG Oral Tablet"), "9900012": ("SBDC", "clopidogrel 75 MG [Clotaway]"),
    "9900013": ("SBD", "clopidogrel 75 MG Oral Tablet [Clotaway]"), "9900014": ("BN", "Clotaway"),
    "9900015": ("SCDF", "clopidogrel Oral Tablet"), "9900016": ("SBDF", "clopidogrel Oral Tablet [Clotaway]"),
    "9900017": ("SCDG", "clopidogrel Oral Product"), "9900018": ("SBDG", "Clotaway Oral Product"),
    "9900019": ("GPCK", "{28 (clopidogrel 75 MG Oral Tablet) } Pack"),
    "9900020": ("BPCK", "{28 (clopidogrel 75 MG Oral Tablet [Clotaway]) } Pack [Clotaway 28]"),
    "9900030": ("SCDC", "codeine 30 MG"), "9900031": ("SCDC", "acetaminophen 300 MG"),
    "9900032": ("SCD", "acetaminophen 300 MG / codeine 30 MG Oral Tablet"),
    "9900040": ("SCDC", "Fillerium 5 MG"), "9900041": ("SCD", "Fillerium 5 MG Oral Tablet"),
}  # fmt: skip
RELATIONS = (
    # source, relation, target; as in "9900010 has_ingredient 32968"
    ("9900002", "form_of", CLOPIDOGREL),
    ("9900003", "has_part", CODEINE), ("9900003", "has_part", ACETAMINOPHEN),
    ("9900010", "has_precise_ingredient", "9900002"),
    ("9900011", "consists_of", "9900010"),
    ("9900012", "tradename_of", "9900010"), ("9900012", "has_ingredient", "9900014"),
    ("9900013", "consists_of", "9900012"), ("9900013", "tradename_of", "9900011"),
    ("9900014", "tradename_of", CLOPIDOGREL), ("9900014", "reformulated_to", FILLERIUM),
    ("9900015", "has_ingredient", CLOPIDOGREL), ("9900016", "tradename_of", "9900015"),
    ("9900017", "has_ingredient", CLOPIDOGREL), ("9900018", "tradename_of", "9900017"),
    ("9900019", "contains", "9900011"), ("9900020", "contains", "9900013"),
    ("9900030", "has_ingredient", CODEINE), ("9900031", "has_ingredient", ACETAMINOPHEN),
    ("9900032", "consists_of", "9900030"), ("9900032", "consists_of", "9900031"),
    ("9900032", "has_ingredients", "9900003"),
    ("9900040", "has_ingredient", FILLERIUM), ("9900041", "consists_of", "9900040"),
)  # fmt: skip
OTHER_CODES = (
    # RXCUI, source, code
    (CLOPIDOGREL, "SNOMEDCT_US", "990000001"), ("9900032", "SNOMEDCT_US", "990000002"),
    (CLOPIDOGREL, "SNOMEDCT_US", "990000003"), (CODEINE, "SNOMEDCT_US", "990000003"),
    (FILLERIUM, "ATC", "Z99ZZ99"), (CLOPIDOGREL, "ATC", "Z99Z"), ("9999999", "ATC", "Z99ZZ98"),
    (CLOPIDOGREL, "DRUGBANK", "Z99ZZ97"),
)  # fmt: skip
NDC = (
    ("9900011", "99999000101"), ("9900011", "99999000102"), ("9900032", "09999099902"), ("9900041", "99990999901"),
    ("9900011", "09999000102"), ("9900032", "99990000102"),
)  # fmt: skip
RETIRED = (("9900098", "9900097"), ("9900097", "9900011"), ("9900011", "9900032"))


def conso(rxcui: str, source: str, tty: str, code: str, text: str, suppress: str = "N") -> str:
    return f"{rxcui}|ENG||||||1|{rxcui}|{rxcui}||{source}|{tty}|{code}|{text}||{suppress}|4096|\n"


def rel(source: str, relation: str, target: str) -> str:
    """The second concept of a line is what the relation says to the first."""
    return f"{target}||CUI|RO|{source}||CUI|{relation}|1||RXNORM||||N|4096|\n"


def sat(rxcui: str, name: str, source: str, value: str) -> str:
    return f"{rxcui}|||1|AUI|{rxcui}|||{name}|{source}|{value}|N|4096|\n"


def rxnorm_files() -> dict[str, str]:
    concepts = [conso(rxcui, "RXNORM", tty, rxcui, text) for rxcui, (tty, text) in CONCEPTS.items()]
    concepts += [
        conso(CLOPIDOGREL, "RXNORM", "SY", CLOPIDOGREL, "a synonym"),
        conso("9900013", "RXNORM", "SBD", "9900013", "an older name", "O"),
        *(conso(rxcui, source, "PT", code, "a name elsewhere") for rxcui, source, code in OTHER_CODES),
    ]
    relations = [rel(*relation) for relation in RELATIONS]
    relations.append(f"{CODEINE}||CUI|RO|9900010||CUI|has_ingredient|1||OTHER||||N|4096|\n")
    attributes = [sat(rxcui, "NDC", "RXNORM", code) for rxcui, code in NDC]
    attributes += [sat("9900011", "NDC", "OTHER", "11111111111"), sat("9900011", "STRENGTH", "RXNORM", "75 mg")]
    archive = [f"1|1|old||||{old}|N|ENG||||{old}|RXNORM|SCD|{now}|\n" for old, now in RETIRED]
    return {
        "RXNCONSO.RRF": "".join(concepts),
        "RXNREL.RRF": "".join(relations),
        "RXNSAT.RRF": "".join(attributes),
        "RXNATOMARCHIVE.RRF": "".join(archive),
        "RXNSAB.RRF": "|".join(["C1", "C2", "RXNORM_made_up", "RXNORM", *[""] * 21, "\n"]),
    }


def rxterms_files() -> dict[str, str]:
    header = (
        "RXCUI|GENERIC_RXCUI|TTY|FULL_NAME|RXN_DOSE_FORM|FULL_GENERIC_NAME|BRAND_NAME|DISPLAY_NAME|ROUTE|"
        "NEW_DOSE_FORM|STRENGTH|SUPPRESS_FOR|DISPLAY_NAME_SYNONYM|IS_RETIRED|SXDG_RXCUI|SXDG_TTY|SXDG_NAME|PSN\n"
    )
    rows = [
        f"{rxcui}||{tty}|{name}||||||||||{retired}||||\n"
        for rxcui, tty, name, retired in (
            ("9900011", "SCD", CONCEPTS["9900011"][1], ""),
            ("9900032", "SCD", CONCEPTS["9900032"][1], ""),
            ("9900050", "SCD", "an old product", "Y"),
        )
    ]
    pairs = (
        ("9900011", "clopidogrel", CLOPIDOGREL), ("9900032", "codeine", CODEINE),
        ("9900032", "acetaminophen", ACETAMINOPHEN), ("9900060", "codeine", CODEINE), ("9900011", "no code", ""),
    )  # fmt: skip
    return {
        "RxTerms202611.txt": header + "".join(rows),
        "RxTermsIngredients202611.txt": "RXCUI|INGREDIENT|ING_RXCUI\n" + "".join("|".join(p) + "\n" for p in pairs),
    }


def write(folder: Path, files: dict[str, str]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_text(content, encoding="utf-8")
    return folder


def pack(path: Path, files: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path
