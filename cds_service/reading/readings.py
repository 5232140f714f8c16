"""Readings with their provenance, and the gap where a result that is there says nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from cds_service.codes import LOINC, SNOMED, Coding
from cds_service.knowledge.schema import CodeRole, Gene
from cds_service.model import (
    FUTURE,
    Diplotype,
    Gap,
    GapReason,
    NotReadable,
    Presence,
    Reading,
    Statement,
    Unconfirmed,
    Undetermined,
    When,
)
from cds_service.reading.alleles import strand_of
from cds_service.reading.answers import Answer
from cds_service.reading.chart import Chart
from cds_service.reading.genes import GeneNaming
from cds_service.reading.lexicon import HLA_PREFIX
from cds_service.reading.panels import panel_of
from cds_service.reading.phenotype_terms import terms_in
from cds_service.reading.provenance import (
    ENZYME_METHOD,
    GENOTYPE_METHOD,
    HLA_METHOD,
    Circumstances,
    grade_of,
    is_enzyme_method,
    specimen_of,
)
from cds_service.reading.records import Record
from cds_service.reading.samples import faults_of
from cds_service.reading.shapes import Resource, codings, concept_label, concept_text, first_coded, has_code, objects
from cds_service.reading.variants import Variant
from cds_service.reading.vocabulary import GENOTYPE, MEDICATION_ASSESSED, SNOMED_GENOTYPE


@dataclass(frozen=True, slots=True)
class Found:
    """What a result says of an observable: all of a reading but its circumstances (`reading_of`)."""

    observable: str
    says: Statement
    quoted: str
    method: str = ""
    panel: tuple[str, ...] = ()
    coding: Coding | None = None
    flags: tuple[str, ...] = ()
    free_text: bool = False
    assesses_drugs: bool = False
    """Whether it names medicines that it assesses."""
    needs_no_status: bool = False
    """Sandbox data often has no status: a laboratory value stays readable and says so."""
    specimen: str = ""
    """What words of the result say of its specimen (`plasma`), folded."""
    variant: tuple[Variant, Gene] | None = None
    """The variant and its gene where it assesses a single variant."""


class Assessed(NamedTuple):
    """A reading, and the variant and gene behind it."""

    reading: Reading
    variant: Variant
    gene: Gene


class Weighed(NamedTuple):
    """A body weight, when it was taken, and whether it counts: it is final, and of no day to come."""

    kilograms: float
    on: When | None = None
    at: float | None = None
    counts: bool = False


@dataclass(frozen=True, slots=True)
class About:
    """Which observable is being read, how its gene was named, and the chart."""

    observable: str
    naming: GeneNaming
    chart: Chart


_OF_A_SPECIMEN = ("gene:", "germline:", "hla:", "somatic:", "tumour:")
"""Observables of which it matters where the specimen is from."""
TAKEN_BACK_BY_REASON = GapReason.VALUE_TAKEN_BACK
"""Why a value is not read that stands beside a reason why there is none."""


def founds(
    record: Record, about: About, statements: tuple[Statement, ...], answer: Answer, *, narrative: bool = False
) -> Iterator[Found | Gap]:
    """The readings, or why a result that is there gives none."""
    uncoded = not any(c.code for c in codings(record.resource.get("code")))
    how = How(free_text=narrative or (about.naming.by_words and uncoded))
    if answer.is_taken_back:
        statements = (NotReadable(TAKEN_BACK_BY_REASON),)
    elif _takes_back(answer, about) and not all(isinstance(s, Undetermined) for s in statements):
        statements = (NotReadable(GapReason.NOT_UNDERSTOOD),)
    for statement in statements:
        yield finding(record, about.observable, statement, answer, about.chart, how=how)
    if not statements and answer.missing:
        yield Gap(record.reference, GapReason.NO_VALUE, answer.missing, record.query)
    elif not statements and not answer.is_empty:
        yield finding(record, about.observable, NotReadable(GapReason.NOT_UNDERSTOOD), answer, about.chart)
    elif not statements and not objects(record.resource.get("hasMember")):
        yield Gap(record.reference, GapReason.NO_VALUE, "a result without a value that can be used", record.query)


def _takes_back(answer: Answer, about: About) -> bool:
    """Whether the answer's words take it back; those of the gene's own terms do not (`uncertain susceptibility`)."""
    lexicon, symbol = about.chart.lexicon, about.observable.removeprefix("gene:")
    if symbol not in lexicon.genes or not lexicon.takes_back(answer.texts):
        return lexicon.takes_back(answer.texts)
    return lexicon.takes_back(terms_in(text, symbol, lexicon).rest for text in answer.texts)


class How(NamedTuple):
    """How something was found: what a reader should know beside it, and how far it may be relied on (`Found`)."""

    flags: tuple[str, ...] = ()
    free_text: bool = False
    needs_no_status: bool = False
    specimen: str = ""
    named_by: object = None
    """The concept that names it, where it is a part of the resource."""


_BY_CODE = How()


def finding(
    record: Record, observable: str, statement: Statement, answer: Answer, chart: Chart, *, how: How = _BY_CODE
) -> Found:
    """What the resource says of an observable."""
    gene = chart.lexicon.genes.get(observable.removeprefix("gene:"))
    return Found(
        observable=observable,
        says=statement,
        quoted=answer.quoted,
        method=_method(record, observable, statement, chart),
        panel=panel_of(record, gene, chart) if gene is not None else (),
        coding=_coding_of((how.named_by, record.resource.get("code")), chart),
        flags=(*_strands(statement, answer, gene), *how.flags),
        free_text=how.free_text,
        assesses_drugs=any(True for _ in _assessed(record.resource)),
        needs_no_status=how.needs_no_status,
        specimen=how.specimen,
    )


def _coding_of(concepts: Iterable[object], chart: Chart) -> Coding | None:
    """The coding that we know, else the first: a laboratory's own code may stand ahead of it."""
    found, lexicon = [coding for concept in concepts for coding in codings(concept)], chart.lexicon
    keyed = (((coding.system or LOINC, coding.code), coding) for coding in found)
    known = [coding for key, coding in keyed if key in lexicon.observable_codes or key in lexicon.codes]
    return first_coded((*known, *found))


def reading_of(found: Found, record: Record, around: Circumstances, chart: Chart) -> Reading:
    """The reading: what was found, with where it comes from."""
    excused = found.needs_no_status and around.why_unverified is Unconfirmed.STATUS_UNKNOWN
    why = Unconfirmed.NOT if excused else around.why_unverified
    before = ("issued_only",) if around.issued_only else ()
    after = (Unconfirmed.STATUS_UNKNOWN.value,) if excused else ()
    return Reading(
        observable=found.observable,
        says=FUTURE if around.is_future else found.says,
        reference=record.reference,
        status=around.status,
        grade=grade_of(why, free_text=found.free_text),
        on=around.on,
        at=around.at,
        laboratory=around.laboratory,
        method=found.method,
        specimen=_specimen(found, record, chart) if found.observable.startswith(_OF_A_SPECIMEN) else "",
        panel=found.panel,
        quoted=found.quoted,
        coding=found.coding,
        why_unverified=why,
        flags=(*before, *found.flags, *faults_of(record, found.observable, chart), *after),
        drugs=drugs_assessed(record.resource, chart) if found.assesses_drugs else (),
    )


def _specimen(found: Found, record: Record, chart: Chart) -> str:
    return " ".join(filter(None, (specimen_of(record, chart), found.specimen)))


def _strands(statement: Statement, answer: Answer, gene: Gene | None) -> tuple[str, ...]:
    if not isinstance(statement, Diplotype) or gene is None:
        return ()
    return tuple(strand for text in answer.texts[:1] if (strand := strand_of(text, gene)))


def drugs_assessed(resource: Resource, chart: Chart) -> tuple[str, ...]:
    """The medicines that a result assesses: none, one or several; a name where one is not recognised."""
    found: dict[str, None] = {}
    for concept in _assessed(resource):
        match = chart.index.find(codings(concept), concept_text(concept))
        found.update(dict.fromkeys(match.drugs if match is not None else (concept_label(concept),)))
    return tuple(name for name in found if name)


def _assessed(resource: Resource) -> Iterator[object]:
    for component in objects(resource.get("component")):
        if has_code(component.get("code"), LOINC, MEDICATION_ASSESSED):
            yield component.get("valueCodeableConcept")


def _method(record: Record, observable: str, statement: Statement, chart: Chart) -> str:
    if observable.startswith("hla:"):
        return HLA_METHOD
    roles = {m.role for m in chart.lexicon.meanings(codings(record.resource.get("code")))}
    if CodeRole.ENZYME_ACTIVITY in roles or is_enzyme_method(record):
        return ENZYME_METHOD
    if not observable.startswith(("gene:", "germline:", "somatic:")):
        return ""
    genetic = (
        isinstance(statement, Diplotype | Presence) or is_genotype(record.resource) or CodeRole.GENOTYPE in roles
    )
    return GENOTYPE_METHOD if genetic else ""


def is_genotype(resource: Resource) -> bool:
    """Whether the Observation's code means a genotype."""
    code = resource.get("code")
    return has_code(code, LOINC, GENOTYPE) or has_code(code, SNOMED, SNOMED_GENOTYPE)


def observable_of(symbol: str) -> str:
    """`gene:CYP2C19` or `hla:B` of a symbol."""
    return f"hla:{symbol.removeprefix(HLA_PREFIX)}" if symbol.startswith(HLA_PREFIX) else f"gene:{symbol}"


def says_of(answer: Answer) -> tuple[str, ...]:
    """Every part of a value, for showing how they disagree."""
    return tuple(dict.fromkeys((*answer.texts, *(c.code for c in answer.codings if c.code))))
