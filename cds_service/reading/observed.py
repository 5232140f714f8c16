"""One value to be read as what an observable has, and what is found in it as a reading."""

from __future__ import annotations

from dataclasses import dataclass

from cds_service.codes import LOINC
from cds_service.knowledge.schema import Observable, ObservableKind, ObservationCode
from cds_service.model import GapReason, NotReadable, Statement
from cds_service.reading.answers import Answer, answer_of
from cds_service.reading.chart import Chart
from cds_service.reading.readings import Found, How, finding
from cds_service.reading.records import Record
from cds_service.reading.shapes import Resource, codings, concept_texts

POSITIVE, NEGATIVE = "positive", "negative"
GERMLINE, SOMATIC, TUMOUR = "germline:", "somatic:", "tumour:"
OF_VARIANTS = (GERMLINE, SOMATIC)
OF_TUMOUR = (*OF_VARIANTS, TUMOUR)
NOT_UNDERSTOOD = NotReadable(GapReason.NOT_UNDERSTOOD)


@dataclass(frozen=True, slots=True)
class Observed:
    """One value to be read: of an Observation itself or of a component (`holder`); `several` where the same value
    stands for several genes."""

    record: Record
    observable: Observable
    holder: Resource
    answer: Answer
    chart: Chart
    several: bool = False
    codes: tuple[ObservationCode, ...] = ()
    """Those of the observable that its code reports, where its origin turned it to another."""

    @property
    def is_of_variants(self) -> bool:
        """Whether it is about variants, inherited or of a tumour."""
        return self.observable.id.startswith(OF_VARIANTS) or self.observable.needs_significance


def observed_in(
    record: Record, observable: Observable, holder: Resource, chart: Chart, *, several: bool = False
) -> Observed:
    """What `holder`, the resource itself or a component, has as its value."""
    return Observed(record, observable, holder, answer_of(holder), chart, several)


def code_of(result: Observed) -> ObservationCode | None:
    """The code by which the value was recognised; None for one found by its gene or its label."""
    own = {(c.system or LOINC, c.code) for c in codings(result.holder.get("code"))}
    return next((c for c in result.codes or result.observable.codes if (c.system, c.code) in own), None)


def found_as(result: Observed, statement: Statement, flags: tuple[str, ...] = ()) -> Found:
    """The statement as a finding of the observable, with how it was found."""
    observable = result.observable
    named = any(coding.system for coding in codings(result.holder.get("code")))
    known = bool(observable.gene) or (named and code_of(result) is not None)
    in_sentence = result.record.kind == "DiagnosticReport"
    texts = (*result.answer.texts, *concept_texts(result.holder.get("code")))
    specimen = result.chart.lexicon.liquid_in(texts) if observable.id.startswith(OF_TUMOUR) else ""
    how = How(
        flags,
        specimen=specimen,
        free_text=in_sentence or not known,
        needs_no_status=observable.kind is ObservableKind.QUANTITY,
        named_by=result.holder.get("code"),
    )
    return finding(result.record, observable.id, statement, result.answer, result.chart, how=how)
