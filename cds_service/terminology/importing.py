"""`cds-service terminology import`: a RxNorm or RxTerms release to one SQLite file of codes and their ingredients.

The file is built beside its place, checked, and only then moved there: a reader sees the old file or the new one,
never a part. Records are streamed; in memory stands only the term type of each concept.

In RXNREL.RRF the second concept of a line is what its relation says to the first, and each relation stands in both
directions. The term types tell which of the two concepts holds the other, so either line serves.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from itertools import islice
from pathlib import Path
from typing import TypeVar

from cds_service.codes import ATC, NDC, RXNORM, SNOMED
from cds_service.errors import TerminologyError
from cds_service.terminology.codings import forms_of
from cds_service.terminology.layout import APPLICATION_ID, LAYOUT_VERSION, TABLES
from cds_service.terminology.release import Part, ReleaseFile

T = TypeVar("T")

_HOLDS: Mapping[str, frozenset[str]] = {
    "PIN": frozenset({"IN"}),
    "MIN": frozenset({"IN", "PIN"}),
    "BN": frozenset({"IN", "PIN", "MIN"}),
    "SCDC": frozenset({"IN", "PIN"}),
    "SCDF": frozenset({"IN", "PIN", "MIN"}),
    "SCDFP": frozenset({"PIN", "MIN"}),
    "SCDG": frozenset({"IN", "PIN", "MIN"}),
    "SCDGP": frozenset({"PIN", "MIN"}),
    "SCD": frozenset({"SCDC", "MIN"}),
    "SBDC": frozenset({"SCDC"}),
    "SBDF": frozenset({"SCDF"}),
    "SBDFP": frozenset({"SCDFP"}),
    "SBDG": frozenset({"SCDG"}),
    "SBD": frozenset({"SCD", "SCDC", "SBDC"}),
    "GPCK": frozenset({"SCD"}),
    "BPCK": frozenset({"GPCK", "SCD", "SBD"}),
}
"""Term type -> term types that it is made of. A branded product never goes by way of its brand name, which may
stand for other products too."""
_TERM_TYPES = frozenset({*_HOLDS, "IN"})
_RELATIONS = frozenset(
    {
        "has_ingredient", "ingredient_of", "has_ingredients", "ingredients_of", "has_precise_ingredient",
        "precise_ingredient_of", "consists_of", "constitutes", "tradename_of", "has_tradename", "contains",
        "contained_in", "has_part", "part_of", "form_of", "has_form",
    }
)  # fmt: skip
_PRODUCTS = "concept WHERE in_use AND tty IN ('SCD', 'SBD', 'GPCK', 'BPCK')"
_BARE_PRODUCTS = " ".join((_PRODUCTS, "AND rxcui NOT IN (SELECT rxcui FROM ingredient)"))
_COLUMNS = {
    Part.TERMS: {"RXCUI", "TTY", "FULL_NAME", "IS_RETIRED"},
    Part.TERM_INGREDIENTS: {"RXCUI", "INGREDIENT", "ING_RXCUI"},
}
_OTHER_SOURCES = {"ATC": ATC, "SNOMEDCT_US": SNOMED}
_BATCH = 5_000
_MOST_WITHOUT = 0.02
"""Share of the products in use that may lead to no ingredient, and of NDC that may name no concept."""

_CLOSURE = """
WITH RECURSIVE reach(rxcui, part) AS (
    SELECT rxcui, rxcui FROM concept
    UNION
    SELECT reach.rxcui, edge.target FROM reach JOIN edge ON edge.source = reach.part
)
INSERT INTO ingredient SELECT reach.rxcui, part FROM reach JOIN concept ON concept.rxcui = part WHERE tty = 'IN'
"""
_SUCCESSION = """
WITH RECURSIVE heir(rxcui, now) AS (
    SELECT rxcui, now FROM replaced
    UNION
    SELECT heir.rxcui, replaced.now FROM heir JOIN replaced ON replaced.rxcui = heir.now
    WHERE heir.now NOT IN (SELECT rxcui FROM concept)
)
INSERT OR IGNORE INTO code
SELECT ?, CAST(heir.rxcui AS TEXT), now FROM heir JOIN concept ON concept.rxcui = now
WHERE heir.rxcui NOT IN (SELECT rxcui FROM concept)
"""


@dataclass(frozen=True, slots=True)
class Summary:
    """What an import made. `counts` are what the file holds, by name."""

    path: Path
    source: str
    release: str
    counts: Mapping[str, int]


def import_release(files: Mapping[Part, ReleaseFile], to: Path, today: date) -> Summary:
    """Build, check and put in place the file at `to`. Raises TerminologyError and OSError; `to` is then as it was."""
    handle, name = tempfile.mkstemp(prefix=f".{to.name}.", suffix=".part", dir=to.parent)
    os.close(handle)
    part = Path(name)
    try:
        summary = _build(files, part, to, today)
        part.chmod(0o644)
        _put_in_place(part, to)
    except sqlite3.Error as fault:
        raise TerminologyError(f"{to.name}: the file cannot be written: {fault}") from fault
    finally:
        part.unlink(missing_ok=True)
    return summary


def _build(files: Mapping[Part, ReleaseFile], part: Path, to: Path, today: date) -> Summary:
    with closing(sqlite3.connect(part)) as database:
        # Nothing needs to survive a crash half way: the part is thrown away then.
        database.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA temp_store = FILE;")
        database.executescript(TABLES)
        if Part.TERMS in files:
            source, release = "RxTerms", _load_rxterms(files, database)
        else:
            source, release = "RxNorm", _load_rxnorm(files, database)
        counts = _counts(database)
        _check(database, counts)
        meta = {"source": source, "release": release, "imported_on": today.isoformat()}
        meta |= {f"sha256 {file.name}": file.digest for file in files.values() if file.digest}
        meta |= {f"count {what}": str(count) for what, count in counts.items()}
        database.executemany("INSERT INTO meta VALUES (?, ?)", sorted(meta.items()))
        database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        database.execute(f"PRAGMA user_version = {LAYOUT_VERSION}")
        database.commit()
        database.executescript("ANALYZE; VACUUM;")
    return Summary(to, source, release, counts)


def _put_in_place(part: Path, to: Path) -> None:
    with part.open("rb") as written:
        os.fsync(written.fileno())
    part.replace(to)


def _load_rxnorm(files: Mapping[Part, ReleaseFile], database: sqlite3.Connection) -> str:
    term_types = _load_concepts(files[Part.CONCEPTS], database)
    _insert(database, "INSERT OR IGNORE INTO edge VALUES (?, ?)", _edges(files[Part.RELATIONS], term_types))
    database.execute(_CLOSURE)
    # Codes of other sources stand before the concepts they belong to, so only here it is known which remain.
    database.execute("DELETE FROM code WHERE rxcui NOT IN (SELECT rxcui FROM ingredient)")
    _load_ndc(files[Part.ATTRIBUTES], database, term_types)
    if Part.ARCHIVE in files:
        _insert(database, "INSERT OR IGNORE INTO replaced VALUES (?, ?)", _replaced(files[Part.ARCHIVE]))
        database.execute(_SUCCESSION, (RXNORM,))
    return _release_of(files[Part.SOURCES]) if Part.SOURCES in files else ""


def _load_concepts(file: ReleaseFile, database: sqlite3.Connection) -> dict[str, str]:
    """Concepts, and the codes of other sources. Term type by RXCUI."""
    # RXNCONSO.RRF: RXCUI 0, SAB 11, TTY 12, CODE 13, STR 14, SUPPRESS 16
    term_types: dict[str, str] = {}
    insert_concept = (
        "INSERT INTO concept VALUES (?, ?, ?, ?) ON CONFLICT (rxcui) DO UPDATE SET "
        "tty = excluded.tty, name = excluded.name, in_use = excluded.in_use WHERE excluded.in_use > in_use"
    )
    for batch in _batches(file.records()):
        concepts, codes = [], []
        for record in batch:
            rxcui, source, tty, code, text = record[0], record[11], record[12], record[13], record[14]
            if source == "RXNORM" and tty in _TERM_TYPES:
                in_use = record[16] == "N"
                concepts.append((rxcui, tty, text, in_use))
                if in_use or rxcui not in term_types:
                    term_types[rxcui] = tty
            elif source in _OTHER_SOURCES:
                system = _OTHER_SOURCES[source]
                codes += [(system, form, rxcui) for form in forms_of(system, code)]
        database.executemany(insert_concept, concepts)
        database.executemany("INSERT OR IGNORE INTO code VALUES (?, ?, ?)", codes)
    if "IN" not in term_types.values():
        raise TerminologyError(f"{file.name}: no ingredient of RxNorm was found; is the download complete?")
    return term_types


def _edges(file: ReleaseFile, term_types: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    # RXNREL.RRF: RXCUI1 0, RXCUI2 4, RELA 7, SAB 10
    for record in file.records():
        if record[10] != "RXNORM" or record[7] not in _RELATIONS:
            continue
        first, second = record[0], record[4]
        if term_types.get(second) in _HOLDS.get(term_types.get(first, ""), ()):
            yield first, second
        elif term_types.get(first) in _HOLDS.get(term_types.get(second, ""), ()):
            yield second, first


def _load_ndc(file: ReleaseFile, database: sqlite3.Connection, term_types: Mapping[str, str]) -> None:
    # RXNSAT.RRF: RXCUI 0, ATN 8, SAB 9, ATV 10. RxNorm's own NDC rows have 11 digits and no obsolete products.
    lost = 0

    def found() -> Iterator[tuple[str, str, str]]:
        nonlocal lost
        for record in file.records():
            if record[8] != "NDC" or record[9] != "RXNORM":
                continue
            forms = forms_of(NDC, record[10])
            if len(forms) == 1 and record[0] in term_types:
                yield NDC, forms[0], record[0]
            else:
                lost += 1

    _insert(database, "INSERT OR IGNORE INTO code VALUES (?, ?, ?)", found())
    held = _count(database, "code WHERE system = ?", NDC)
    if lost > _MOST_WITHOUT * (held + lost):
        raise TerminologyError(
            f"{file.name}: {lost} of {held + lost} National Drug Codes belong to no concept of RXNCONSO.RRF; are the "
            "files of one release?"
        )


def _replaced(file: ReleaseFile) -> Iterator[tuple[str, str]]:
    # RXNATOMARCHIVE.RRF: RXCUI 12, SAB 13, TTY 14, MERGED_TO_RXCUI 15
    for record in file.records():
        is_name = record[13] == "RXNORM" and record[14] in _TERM_TYPES
        if is_name and record[12] and record[15] and record[12] != record[15]:
            yield record[12], record[15]


def _release_of(file: ReleaseFile) -> str:
    # RXNSAB.RRF: VSAB 2, RSAB 3. Read to its end, so that the hash is of the whole file.
    named = [record[2] for record in file.records() if record[3] == "RXNORM"]
    return named[0] if named else ""


def _load_rxterms(files: Mapping[Part, ReleaseFile], database: sqlite3.Connection) -> str:
    """RxTerms tells the ingredients of each product itself; it has neither NDC nor codes of other sources."""
    terms, ingredients = files[Part.TERMS], files[Part.TERM_INGREDIENTS]
    insert_concept = "INSERT OR IGNORE INTO concept VALUES (?, ?, ?, ?)"
    _insert(
        database,
        insert_concept,
        ((r["RXCUI"], r["TTY"], r["FULL_NAME"], not r["IS_RETIRED"]) for r in _headed(terms) if r["RXCUI"]),
    )
    pairs: set[tuple[str, str]] = set()
    for row in _headed(ingredients):
        if row["ING_RXCUI"]:
            database.execute(insert_concept, (row["ING_RXCUI"], "IN", row["INGREDIENT"], True))
            pairs.add((row["RXCUI"], row["ING_RXCUI"]))
    known = "INSERT OR IGNORE INTO edge SELECT ?1, ?2 WHERE EXISTS (SELECT 1 FROM concept WHERE rxcui = ?1)"
    _insert(database, known, sorted(pairs))
    database.execute(_CLOSURE)
    digits = "".join(sign for sign in terms.name if sign.isdigit())
    return f"{digits[:4]}-{digits[4:6]}" if len(digits) == 6 else digits


def _headed(file: ReleaseFile) -> Iterator[dict[str, str]]:
    records = file.records()
    header = [name.strip() for name in next(records, [])]
    if missing := sorted(_COLUMNS[file.part] - set(header)):
        raise TerminologyError(f"{file.name}: the header lacks {', '.join(missing)}")
    for record in records:
        yield dict.fromkeys(header, "") | {k: v.strip() for k, v in zip(header, record, strict=False)}


def _check(database: sqlite3.Connection, counts: Mapping[str, int]) -> None:
    """Raise TerminologyError where the file would not be whole."""
    if not counts["ingredients"] or not counts["products"]:
        raise TerminologyError("the release holds no ingredient or no product; is the download complete?")
    bare = _count(database, _BARE_PRODUCTS)
    if bare > _MOST_WITHOUT * counts["products"]:
        raise TerminologyError(
            f"{bare} of {counts['products']} products lead to no ingredient; are all files whole, and of one release?"
        )
    dangling = database.execute("PRAGMA foreign_key_check").fetchall()
    state = database.execute("PRAGMA integrity_check").fetchone()[0]
    if dangling or state != "ok":
        raise TerminologyError(f"the file is not whole: {len(dangling)} references lead nowhere, SQLite says {state}")


def _counts(database: sqlite3.Connection) -> dict[str, int]:
    return {
        "concepts": _count(database, "concept"),
        "ingredients": _count(database, "concept WHERE tty = 'IN'"),
        "products": _count(database, _PRODUCTS),
        "NDC": _count(database, "code WHERE system = ?", NDC),
        "SNOMED CT": _count(database, "code WHERE system = ?", SNOMED),
        "ATC": _count(database, "code WHERE system = ?", ATC),
        "replaced codes": _count(database, "code WHERE system = ?", RXNORM),
    }


def _count(database: sqlite3.Connection, what: str, *values: str) -> int:
    return int(database.execute(f"SELECT count(*) FROM {what}", values).fetchone()[0])  # noqa: S608  # nosec B608


def _insert(database: sqlite3.Connection, statement: str, rows: Iterable[tuple[object, ...]]) -> None:
    for batch in _batches(rows):
        database.executemany(statement, batch)


def _batches(rows: Iterable[T]) -> Iterator[list[T]]:
    remaining = iter(rows)
    while batch := list(islice(remaining, _BATCH)):
        yield batch
