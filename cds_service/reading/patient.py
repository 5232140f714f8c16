"""The patient: birth date, sex, weight, and the medicines taken."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from cds_service.codes import LOINC
from cds_service.model import Gap, GapReason, Medication, Query, When, earliest, latest
from cds_service.reading.addresses import reference, references
from cds_service.reading.answers import answer_of
from cds_service.reading.chart import Chart
from cds_service.reading.dates import day
from cds_service.reading.dose_text import known_unit
from cds_service.reading.medications import medicine_of
from cds_service.reading.quantities import quantity_in_text
from cds_service.reading.records import Record
from cds_service.reading.shapes import Resource, child, clean, first, has_code, objects, text_at
from cds_service.reading.vocabulary import (
    BODY_WEIGHT,
    ENDED_STATUSES,
    TAKEN_STATUSES,
    UNORDERED_INTENTS,
    UNTAKEN_STATUSES,
)
from cds_service.references import local_name

_SEXES = frozenset({"male", "female"})
_KILOGRAMS = {"kg": 1.0, "g": 0.001, "[lb_av]": 0.45359237, "lb": 0.45359237, "lbs": 0.45359237}


def birth_date_of(patient: Resource) -> When | None:
    """The birth date, or the year or month of it."""
    return day(patient.get("birthDate"))


def sex_of(patient: Resource) -> str:
    """`male` or `female` as recorded, empty otherwise."""
    found = text_at(patient, "gender").lower()
    return found if found in _SEXES else ""


def weight_in(holder: Resource) -> float | None:
    """The body weight in kilograms that an Observation or a component measured; None where it is of something else,
    is taken back, or is only a bound."""
    if not has_code(holder.get("code"), LOINC, BODY_WEIGHT):
        return None
    answer = answer_of(holder)
    weight = answer.quantity or quantity_in_text(answer)
    if weight is None or weight.comparator or answer.missing or weight.value <= 0:
        return None
    factor = _KILOGRAMS.get(known_unit(weight.unit) or weight.unit.lower())
    return round(weight.value * factor, 3) if factor is not None else None


def medication_records(chart: Chart) -> tuple[Record, ...]:
    """Requests and statements of medicines, less statements that only repeat a request that is there too."""
    return tuple(r for r in chart.of_kind("MedicationRequest", "MedicationStatement") if not _repeats(r, chart))


def _repeats(record: Record, chart: Chart) -> bool:
    if record.kind != "MedicationStatement":
        return False
    sources = references(record.resource.get("basedOn")) + references(record.resource.get("derivedFrom"))
    found = (chart.references.find(address, record.resource) for address in sources)
    return any(target is not None and target.kind == "MedicationRequest" for target in found)


def is_taken(record: Record) -> bool:
    """Whether the patient takes the medicine by its status: active or on hold, ordered, not forbidden."""
    if record.status not in TAKEN_STATUSES or record.resource.get("doNotPerform") is True:
        return False
    return clean(record.resource.get("intent")) not in UNORDERED_INTENTS or _is_reported(record.resource)


def _is_reported(resource: Resource) -> bool:
    """Whether a plan is a medicine that the patient takes on their own: US Core records those as reported, or with
    the patient as requester."""
    if clean(resource.get("intent")) != "plan":
        return False
    by_patient = local_name(reference(resource.get("requester"))).startswith("Patient/")
    return resource.get("reportedBoolean") is True or "reportedReference" in resource or by_patient


def _untaken(record: Record) -> Iterator[Gap]:
    """What keeps a medicine from being counted, where that is not that it ended or never began."""
    if record.resource.get("doNotPerform") is True:
        return
    if record.status not in TAKEN_STATUSES | ENDED_STATUSES | UNTAKEN_STATUSES:
        yield Gap(
            record.reference, GapReason.UNKNOWN_STATUS, "a medicine whose status FHIR does not have", record.query
        )
    elif record.status == "active":
        yield Gap(record.reference, GapReason.NOT_AN_ORDER, "a medicine that is proposed or planned", record.query)


def _part_of_answer(gap: Gap, record: Record) -> Gap:
    """A medicine that the patient takes and that was not sent is missing from the answer to the query."""
    return (
        replace(gap, query=Query.MEDICATIONS)
        if gap.reason is GapReason.MEDICATION_NOT_AVAILABLE and is_taken(record)
        else gap
    )


def read_medication(record: Record, chart: Chart) -> Iterator[Medication | Gap]:
    """A medicine that the patient takes, or one that ended on a known day. A statement that only repeats a request
    that is there too tells nothing."""
    taken, end = is_taken(record), _end(record.resource)
    ended = record.status in ENDED_STATUSES and end is not None and earliest(end) <= chart.today
    if _repeats(record, chart):
        return
    if not (taken or ended):
        yield from _untaken(record)
        return
    has_ended = ended or (end is not None and latest(end) < chart.today)
    found = medicine_of(record, chart)
    if not found.name:
        yield Gap(record.reference, GapReason.UNREADABLE, "a medicine without a name", record.query)
        return
    yield from [_part_of_answer(gap, record) for gap in found.gaps]
    yield Medication(
        reference=record.reference,
        name=found.name,
        ingredients=found.ingredients,
        started=_started(record.resource),
        dose=found.dose,
        route=found.route,
        stopped=end if has_ended else None,
        may_have_ended=end is not None and not has_ended and earliest(end) < chart.today,
    )


def _started(resource: Resource) -> When | None:
    return day(first(resource.get("effectivePeriod")).get("start"), resource.get("effectiveDateTime"),
               resource.get("authoredOn"), resource.get("dateAsserted"))  # fmt: skip


def _end(resource: Resource) -> When | None:
    """The day on which the medicine ended or is to end, where the resource names one."""
    return day(first(resource.get("effectivePeriod")).get("end")) or _end_of_last_step(resource)


def _end_of_last_step(resource: Resource) -> When | None:
    """The end of the dosage instruction that ends last. A dose that is stepped up has an instruction for each step,
    and the medicine goes on until the last of them ends."""
    steps = [child(step, "timing", "repeat", "boundsPeriod") for step in objects(resource.get("dosageInstruction"))]
    ends = [day(step.get("end")) for step in steps]
    told = [end for end in ends if end is not None]
    return max(told, key=latest) if told and len(told) == len(ends) else None
