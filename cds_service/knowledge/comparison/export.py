"""Read a CPIC export: CSV with one recommendation a row, or the JSON of CPIC's public API."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from cds_service.errors import KnowledgeError
from cds_service.knowledge.base import Knowledge
from cds_service.model import INDETERMINATE, Strength

_STRENGTHS = {
    "strong": Strength.STRONG,
    "moderate": Strength.MODERATE,
    "optional": Strength.OPTIONAL,
    "no recommendation": Strength.NONE,
    "n/a": Strength.NONE,
    "": Strength.NONE,
}
_BOOLEANS = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One row of an export.

    `lookup` maps a gene to its state, with `Indeterminate` where the export writes a score of `n/a`. `dose` and
    `alternative` are None where the export has no curated flags.
    """

    drug: str
    lookup: Mapping[str, str]
    population: str
    strength: Strength
    text: str
    comments: str
    dose: bool | None
    alternative: bool | None


def read_export(path: Path, knowledge: Knowledge) -> tuple[Recommendation, ...]:
    """The recommendations in `path`. Raises KnowledgeError where the file cannot be read as an export."""
    try:
        content = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as fault:
        raise KnowledgeError(f"{path.name}: the export cannot be read as UTF-8 text: {fault}") from fault
    is_json = content.lstrip()[:1] in {"[", "{"}
    recommendations = tuple(_from_json(content, path.name, knowledge) if is_json else _from_csv(content, path.name))
    if not recommendations:
        raise KnowledgeError(f"{path.name}: no recommendation found; expected a CPIC export as CSV or JSON")
    return recommendations


def _from_csv(content: str, name: str) -> Iterator[Recommendation]:
    reader = csv.DictReader(io.StringIO(content))
    wanted = {"drug", "lookup", "population", "classification", "recommendation_text", "dosing", "alternative"}
    if missing := sorted(wanted - set(reader.fieldnames or ())):
        missing_text = ", ".join(missing)
        raise KnowledgeError(f"{name}: missing columns: {missing_text}; expected the header of a CPIC export")
    for number, row in enumerate(reader, start=2):
        where = f"{name}:{number}"
        curated = row.get("flags_source") != "derived"
        yield Recommendation(
            drug=_text(row, "drug").casefold(),
            lookup=_lookup(_decoded(_text(row, "lookup"), where), where),
            population=_text(row, "population").casefold(),
            strength=_strength(_text(row, "classification"), where),
            text=_text(row, "recommendation_text"),
            comments=_text(row, "comments"),
            dose=_flag(row["dosing"], where) if curated else None,
            alternative=_flag(row["alternative"], where) if curated else None,
        )


def _from_json(content: str, name: str, knowledge: Knowledge) -> Iterator[Recommendation]:
    entries = _decoded(content, name)
    if not isinstance(entries, list):
        raise KnowledgeError(f"{name}: expected a JSON list of recommendations, found {type(entries).__name__}")
    by_code = {drug.rxcui: drug.id for drug in knowledge.drugs.values() if drug.rxcui}
    for number, entry in enumerate(entries):
        where = f"{name}[{number}]"
        if not isinstance(entry, dict):
            raise KnowledgeError(f"{where}: expected a recommendation object, found {type(entry).__name__}")
        yield Recommendation(
            drug=_drug(entry, by_code, where),
            lookup=_lookup(entry.get("lookupkey"), where),
            population=(_text(entry, "population") or "general").casefold(),
            strength=_strength(_text(entry, "classification"), where),
            text=_text(entry, "drugrecommendation"),
            comments=_text(entry, "comments"),
            dose=_flag(entry.get("dosinginformation"), where),
            alternative=_flag(entry.get("alternatedrugavailable"), where),
        )


def _drug(entry: Mapping[str, object], by_code: Mapping[str, str], where: str) -> str:
    """The API names the drug as `drugname` (view), as embedded `drug.name`, or only by its RxNorm code."""
    embedded = entry.get("drug")
    name = _text(entry, "drugname") or (_text(embedded, "name") if isinstance(embedded, dict) else "")
    if name:
        return name.casefold()
    code = _text(entry, "drugid").removeprefix("RxNorm:")
    if code not in by_code:
        raise KnowledgeError(f"{where}: no drug name, and drugid {code!r} is no RxNorm code of our drugs")
    return by_code[code]


def _text(entry: Mapping[str, object], key: str) -> str:
    value = entry.get(key)
    return value.strip() if isinstance(value, str) else ""


def _decoded(content: str, where: str) -> object:
    try:
        return json.loads(content)
    except json.JSONDecodeError as fault:
        raise KnowledgeError(f"{where}: not valid JSON: {fault}") from fault


def _lookup(value: object, where: str) -> Mapping[str, str]:
    if not isinstance(value, dict) or not value:
        found = str(value)[:80]
        raise KnowledgeError(f"{where}: lookup: expected an object of gene and state, found {found!r}")
    return {str(gene): INDETERMINATE if state == "n/a" else str(state) for gene, state in sorted(value.items())}


def _strength(value: str, where: str) -> Strength:
    strength = _STRENGTHS.get(value.casefold())
    if strength is None:
        expected = ", ".join(filter(None, _STRENGTHS))
        raise KnowledgeError(f"{where}: classification {value!r}; expected one of {expected}")
    return strength


def _flag(value: object, where: str) -> bool | None:
    """None where the export says nothing."""
    if value is None or value == "":
        return None
    flag = _BOOLEANS.get(str(value).casefold())
    if flag is None:
        raise KnowledgeError(f"{where}: flag {str(value)[:20]!r}; expected true or false")
    return flag
