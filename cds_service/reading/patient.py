"""The patient: birth date, sex, weight, and the medicines taken."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from cds_service.codes import LOINC
from cds_service.model import Gap, Medication
from cds_service.reading.chart import Chart
from cds_service.reading.dose_text import known_unit
from cds_service.reading.doses import dose_of
from cds_service.reading.medications import drug_of, route_of
from cds_service.reading.records import Record
from cds_service.reading.screening import status_of
from cds_service.reading.shapes import Resource, child, clean, day, first, has_code, number, references, text_at
from cds_service.reading.vocabulary import (
    BODY_WEIGHT,
    ENDED_STATUSES,
    FINAL_STATUSES,
    TAKEN_STATUSES,
    UNORDERED_INTENTS,
)

_SEXES = frozenset({"male", "female"})
_KILOGRAMS = {"kg": 1.0, "g": 0.001, "[lb_av]": 0.45359237, "lb": 0.45359237, "lbs": 0.45359237}
_MEDICATION_KINDS = ("MedicationRequest", "MedicationStatement")


def birth_date_of(patient: Resource) -> date | None:
    """The birth date; a year or month alone is its first day."""
    return day(patient.get("birthDate"))


def sex_of(patient: Resource) -> str:
    """`male` or `female` as recorded, empty otherwise."""
    found = text_at(patient, "gender").lower()
    return found if found in _SEXES else ""


def weight_kg(chart: Chart) -> float | None:
    """The newest body weight in kilograms; None where none can be read."""
    weights = [
        (date_of(record.resource) or date.min, kilograms)
        for record in chart.of_kind("Observation")
        if has_code(record.resource.get("code"), LOINC, BODY_WEIGHT) and status_of(record) in FINAL_STATUSES
        if (kilograms := _kilograms(first(record.resource.get("valueQuantity")))) is not None
    ]
    return max(weights)[1] if weights else None


def _kilograms(quantity: Resource) -> float | None:
    value = number(quantity.get("value"))
    unit = text_at(quantity, "code") or text_at(quantity, "unit")
    factor = _KILOGRAMS.get(known_unit(unit) or unit.lower())
    return round(value * factor, 3) if value is not None and value > 0 and factor is not None else None


def date_of(resource: Resource) -> date | None:
    """The effective date of an Observation or report, else the date it was issued."""
    period = child(resource, "effectivePeriod")
    return _first_day(resource.get("effectiveDateTime"), period.get("end"), period.get("start"),
                      resource.get("effectiveInstant"), resource.get("issued"))  # fmt: skip


def _first_day(*values: object) -> date | None:
    for value in values:
        if value is not None and (found := day(value)) is not None:
            return found
    return None


def medication_records(chart: Chart) -> tuple[Record, ...]:
    """Requests and statements of medicines, less statements that only repeat a request that is there too."""
    return tuple(r for r in chart.of_kind(*_MEDICATION_KINDS) if not _repeats(r, chart))


def _repeats(record: Record, chart: Chart) -> bool:
    if record.kind != "MedicationStatement":
        return False
    sources = references(record.resource.get("basedOn")) + references(record.resource.get("derivedFrom"))
    found = (chart.references.find(address, record.resource) for address in sources)
    return any(target is not None and target.kind == "MedicationRequest" for target in found)


def is_taken(record: Record) -> bool:
    """Whether the patient takes the medicine by its status: active or on hold, ordered, not forbidden."""
    resource = record.resource
    forbidden = resource.get("doNotPerform") is True or clean(resource.get("intent")) in UNORDERED_INTENTS
    return status_of(record) in TAKEN_STATUSES and not forbidden


def read_medication(record: Record, chart: Chart) -> Iterator[Medication | Gap]:
    """A medicine that the patient takes, or one that ended on a known day."""
    resource = record.resource
    stopped = _stopped(resource, chart.today)
    if not is_taken(record) and not (status_of(record) in ENDED_STATUSES and stopped is not None):
        return
    drug = drug_of(record, chart.index, chart.references)
    if not drug.named:
        yield Gap(record.reference, "unreadable", "a medicine without a name", record.query)
        return
    yield from drug.gaps
    instructions = resource.get("dosageInstruction", resource.get("dosage"))
    yield Medication(
        reference=record.reference,
        name=drug.name,
        ingredients=drug.ingredients,
        started=_started(resource),
        dose=dose_of(instructions, drug.mg_per_piece),
        route=route_of(instructions) or drug.route,
        stopped=stopped,
    )


def _started(resource: Resource) -> date | None:
    return _first_day(child(resource, "effectivePeriod").get("start"), resource.get("effectiveDateTime"),
                      resource.get("authoredOn"), resource.get("dateAsserted"))  # fmt: skip


def _stopped(resource: Resource, today: date) -> date | None:
    """The day on which the medicine ended, where the resource names one that has passed."""
    bounds = child(resource, "dosageInstruction", "timing", "repeat", "boundsPeriod")
    found = _first_day(child(resource, "effectivePeriod").get("end"), bounds.get("end"))
    return found if found is not None and found < today else None
