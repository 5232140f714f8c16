"""Readings with their provenance, and the gap where a result that is there says nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cds_service.codes import LOINC, SNOMED, Coding
from cds_service.knowledge.schema import Gene
from cds_service.model import Diplotype, Gap, NotReadable, Presence, Reading, Statement
from cds_service.reading.alleles import strand_of
from cds_service.reading.answers import Answer
from cds_service.reading.chart import Chart
from cds_service.reading.genes import GeneNaming
from cds_service.reading.lexicon import HLA_PREFIX
from cds_service.reading.panels import panel_of
from cds_service.reading.patient import date_of
from cds_service.reading.provenance import (
    ENZYME_METHOD,
    GENOTYPE_METHOD,
    HLA_METHOD,
    grade_of,
    is_enzyme_method,
    laboratory_of,
    reading_status,
    specimen_of,
    why_unverified,
)
from cds_service.reading.records import Record
from cds_service.reading.shapes import Resource, codings, concept_label, concept_text, has_code, objects
from cds_service.reading.variants import Variant
from cds_service.reading.vocabulary import GENOTYPE, MEDICATION_ASSESSED, SNOMED_GENOTYPE


@dataclass(frozen=True, slots=True)
class Found:
    """A reading, and the variant and gene behind it where it assesses a single variant."""

    reading: Reading
    variant: Variant | None = None
    gene: Gene | None = None


@dataclass(frozen=True, slots=True)
class About:
    """Which observable is being read, how its gene was named, and the chart."""

    observable: str
    naming: GeneNaming
    chart: Chart


def founds(
    record: Record, about: About, statements: tuple[Statement, ...], answer: Answer, *, narrative: bool = False
) -> Iterator[Found | Gap]:
    """The readings, or why a result that is there gives none."""
    uncoded = not any(c.code for c in codings(record.resource.get("code")))
    free_text = narrative or (about.naming.by_words and uncoded)
    for statement in statements:
        yield Found(reading(record, about.observable, statement, answer, about.chart, free_text=free_text))
    if not statements and answer.missing:
        yield Gap(record.reference, "no_value", answer.missing, record.query)
    elif not statements and not answer.is_empty:
        yield Found(reading(record, about.observable, NotReadable("not_understood"), answer, about.chart))
    elif not statements and not objects(record.resource.get("hasMember")):
        yield Gap(record.reference, "no_value", "a result without a value that can be used", record.query)


def reading(
    record: Record, observable: str, statement: Statement, answer: Answer, chart: Chart, *, free_text: bool = False
) -> Reading:
    """What the resource says of an observable, with where it comes from."""
    why = why_unverified(record, chart)
    gene = chart.lexicon.genes.get(observable.removeprefix("gene:"))
    return Reading(
        observable=observable,
        says=statement,
        reference=record.reference,
        status=reading_status(record),
        grade=grade_of(why, free_text=free_text),
        on=date_of(record.resource) or (date_of(record.holder) if record.holder else None),
        laboratory=laboratory_of(record, chart),
        method=_method(record, observable, statement, chart),
        specimen=specimen_of(record, chart) if observable.startswith(("gene:", "hla:")) else "",
        panel=panel_of(record, gene, chart) if gene is not None else (),
        quoted=answer.quoted,
        coding=_coding(record.resource),
        why_unverified=why,
        flags=_flags(record, statement, answer, gene),
        drugs=drugs_assessed(record.resource, chart),
    )


def _flags(record: Record, statement: Statement, answer: Answer, gene: Gene | None) -> tuple[str, ...]:
    flags = ["issued_only"] if _is_issued_only(record.resource) else []
    if isinstance(statement, Diplotype) and gene is not None:
        flags += [strand for text in answer.texts[:1] if (strand := strand_of(text, gene))]
    return tuple(flags)


def _is_issued_only(resource: Resource) -> bool:
    """Whether the only date is that of issue: when the specimen was taken is not known."""
    return "issued" in resource and not any(name.startswith("effective") for name in resource)


def drugs_assessed(resource: Resource, chart: Chart) -> tuple[str, ...]:
    """The medicines that a result assesses: none, one or several; a name where one is not recognised."""
    found: dict[str, None] = {}
    for component in objects(resource.get("component")):
        if has_code(component.get("code"), LOINC, MEDICATION_ASSESSED):
            concept = component.get("valueCodeableConcept")
            match = chart.index.find(codings(concept), concept_text(concept))
            found.update(dict.fromkeys(match.drugs if match is not None else (concept_label(concept),)))
    return tuple(name for name in found if name)


def _method(record: Record, observable: str, statement: Statement, chart: Chart) -> str:
    if observable.startswith("hla:"):
        return HLA_METHOD
    roles = {m.role for m in chart.lexicon.meanings(codings(record.resource.get("code")))}
    if ENZYME_METHOD in roles or is_enzyme_method(record):
        return ENZYME_METHOD
    if not observable.startswith(("gene:", "somatic:")):
        return ""
    genetic = isinstance(statement, Diplotype | Presence) or is_genotype(record.resource) or "genotype" in roles
    return GENOTYPE_METHOD if genetic else ""


def is_genotype(resource: Resource) -> bool:
    """Whether the Observation's code means a genotype."""
    code = resource.get("code")
    return has_code(code, LOINC, GENOTYPE) or has_code(code, SNOMED, SNOMED_GENOTYPE)


def _coding(resource: Resource) -> Coding | None:
    return next((c for c in codings(resource.get("code")) if c.code), None)


def observable_of(symbol: str) -> str:
    """`gene:CYP2C19` or `hla:B` of a symbol."""
    return f"hla:{symbol.removeprefix(HLA_PREFIX)}" if symbol.startswith(HLA_PREFIX) else f"gene:{symbol}"


def says_of(answer: Answer) -> tuple[str, ...]:
    """Every part of a value, for showing how they disagree."""
    return tuple(dict.fromkeys((*answer.texts, *(c.code for c in answer.codings if c.code))))
