"""The packaged drug index alone, so that a fault elsewhere in the knowledge does not hide one here."""

from __future__ import annotations

import csv
from functools import cache

from cds_service.codes import Coding
from cds_service.knowledge.base import Knowledge
from cds_service.knowledge.load import DATA
from cds_service.knowledge.schema import Drug
from cds_service.model import DrugIndex, DrugMatch
from cds_service.terminology import open_index


def knowledge_of(drugs: list[Drug]) -> Knowledge:
    """Knowledge that holds nothing but `drugs`."""
    return Knowledge(
        version="0",
        content_hash="",
        developer="",
        drugs={drug.id: drug for drug in drugs},
        genes={},
        hla={},
        tests={},
        conditions={},
        groups={},
        sources={},
        tables={},
        modifiers=(),
        modulators=(),
        frequencies=(),
        phenotype_labels={},
        answer_codes={},
    )


@cache
def packaged_drugs() -> tuple[Drug, ...]:
    with (DATA / "drugs.tsv").open(encoding="utf-8", newline="") as lines:
        return tuple(
            Drug(row["id"], row["rxcui"], _split(row["atc"]), _split(row["synonyms"]), row["display"])
            for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        )


@cache
def packaged_index() -> DrugIndex:
    return open_index(knowledge_of(list(packaged_drugs())))


def _split(cell: str) -> tuple[str, ...]:
    return tuple(filter(None, cell.split("|")))


def by_name(text: str) -> DrugMatch | None:
    return packaged_index().find((), text)


def drugs_of(text: str) -> tuple[str, ...]:
    match = by_name(text)
    return match.drugs if match else ()


def by_code(*codings: tuple[str, str], text: str = "") -> DrugMatch | None:
    return packaged_index().find(tuple(Coding(system, code) for system, code in codings), text)
