"""The patient: birth date, sex, weight, and the medicines taken."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from math import ceil

from cds_service.model import Gap, GapReason, Medication, Query, Span, When, earliest, latest
from cds_service.reading.addresses import reference, references
from cds_service.reading.answers import answer_of, quantity_of
from cds_service.reading.chart import Chart
from cds_service.reading.dates import day
from cds_service.reading.dose_text import known_unit
from cds_service.reading.medications import medicine_of
from cds_service.reading.quantities import quantity_in_text
from cds_service.reading.records import Record
from cds_service.reading.shapes import Resource, child, clean, codes_of, first, objects, text_at
from cds_service.reading.vocabulary import (
    ENDED_STATUSES,
    GIVEN,
    GIVEN_STATUSES,
    REQUEST,
    SEX_EXTENSIONS,
    SEXES,
    STATEMENT,
    TAKEN_STATUSES,
    UNORDERED_INTENTS,
    UNTAKEN_STATUSES,
)
from cds_service.references import local_name

_SOURCES = ("basedOn", "derivedFrom", "authorizingPrescription", "request")
"""Elements by which a statement, a dispense and an administration name the request that they tell of."""
_GIVEN = TAKEN_STATUSES | GIVEN_STATUSES
_A_DAY = timedelta(days=1)
_DAYS = frozenset({"d", "day", "days", ""})
_LONGEST_SUPPLY = 10_000
"""Days; what is longer is no supply."""
_KILOGRAMS = {"kg": 1.0, "g": 0.001, "[lb_av]": 0.45359237, "lb": 0.45359237, "lbs": 0.45359237}


def birth_date_of(patient: Resource) -> When | None:
    """The birth date, or the year or month of it."""
    return day(patient.get("birthDate"))


def sex_of(patient: Resource) -> str:
    """`male` or `female`: the administrative gender, or what extensions say of the sex where it says neither. Empty
    where nothing tells, and where they differ: then it is open by which of them a patient may become pregnant."""
    said = {sex for text in (text_at(patient, "gender"), *_sexes_said(patient)) if (sex := SEXES.get(text.lower()))}
    return said.pop() if len(said) == 1 else ""


def read_sex(record: Record, _: Chart) -> Iterator[Gap]:
    """That the patient's sex is recorded in ways that differ."""
    told = {
        SEXES.get(text.lower(), "") for text in (text_at(record.resource, "gender"), *_sexes_said(record.resource))
    }
    if told >= set(SEXES.values()):
        yield Gap(
            record.reference,
            GapReason.SEX_DIFFERS,
            "its gender and its extensions name different sexes",
            record.query,
        )


def _sexes_said(patient: Resource) -> Iterator[str]:
    """Codes of the extensions about sex: simple ones, and those that hold theirs in an inner `value`."""
    for extension in objects(patient.get("extension")):
        if text_at(extension, "url").rpartition("/")[2].lower() in SEX_EXTENSIONS:
            inner = (part for part in objects(extension.get("extension")) if text_at(part, "url") == "value")
            for holder in (extension, *inner):
                yield text_at(holder, "valueCode")
                yield from codes_of(holder.get("valueCodeableConcept"))
                yield from codes_of(holder.get("valueCoding"))


def weight_in(holder: Resource) -> float | None:
    """The body weight in kilograms that an Observation or a component measured; None where it cannot be read, is
    taken back, or is only a bound."""
    answer = answer_of(holder)
    weight = answer.quantity or quantity_in_text(answer)
    if weight is None or weight.comparator or answer.missing or weight.value <= 0:
        return None
    factor = _KILOGRAMS.get(known_unit(weight.unit) or weight.unit.lower())
    return round(weight.value * factor, 3) if factor is not None else None


def medication_records(chart: Chart) -> tuple[Record, ...]:
    """What tells of medicines, less what only repeats a request that is there too."""
    return tuple(r for r in chart.of_kind(REQUEST, STATEMENT, *GIVEN) if not _repeats(r, chart))


def _repeats(record: Record, chart: Chart) -> bool:
    """Whether it tells of a request that is there and speaks for itself. One that is completed does not: what was
    handed out last, the patient may still take."""
    if record.kind == REQUEST:
        return False
    sources = [address for name in _SOURCES for address in references(record.resource.get(name))]
    found = (chart.references.find(address, record.resource) for address in sources)
    return any(target is not None and target.kind == REQUEST and target.status != "completed" for target in found)


def is_taken(record: Record, today: date) -> bool:
    """Whether the patient takes the medicine by its status: active or on hold, ordered, not forbidden; or handed out
    or given, and not used up. What was given yesterday may be given today too."""
    if record.kind in GIVEN:
        end, over = _end(record), today - _A_DAY if record.kind == "MedicationAdministration" else today
        return record.status in _GIVEN and (end is None or latest(end) >= over)
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
    begun = _GIVEN if record.kind in GIVEN else TAKEN_STATUSES
    if record.status not in begun | ENDED_STATUSES | UNTAKEN_STATUSES:
        yield Gap(
            record.reference, GapReason.UNKNOWN_STATUS, "a medicine whose status FHIR does not have", record.query
        )
    elif record.status == "active":
        yield Gap(record.reference, GapReason.NOT_AN_ORDER, "a medicine that is proposed or planned", record.query)


def _part_of_answer(gap: Gap, *, taken: bool) -> Gap:
    """A medicine that the patient takes and that was not sent is missing from the answer to the query."""
    is_lost = taken and gap.reason is GapReason.MEDICATION_NOT_AVAILABLE
    return replace(gap, query=Query.MEDICATIONS) if is_lost else gap


def read_medication(record: Record, chart: Chart) -> Iterator[Medication | Gap]:
    """A medicine that the patient takes, or one that ended on a known day. What only repeats a request that is there
    too tells nothing."""
    taken, end = is_taken(record, chart.today), _end(record)
    over = ENDED_STATUSES | _GIVEN if record.kind in GIVEN else ENDED_STATUSES
    ended = not taken and record.status in over and end is not None and earliest(end) <= chart.today
    if _repeats(record, chart):
        return
    if not (taken or ended):
        yield from _untaken(record)
        return
    has_ended = ended or (record.kind not in GIVEN and end is not None and latest(end) < chart.today)
    found = medicine_of(record, chart)
    if not found.name:
        yield Gap(record.reference, GapReason.UNREADABLE, "a medicine without a name", record.query)
        return
    yield from [_part_of_answer(gap, taken=taken) for gap in found.gaps]
    yield Medication(
        reference=record.reference,
        name=found.name,
        ingredients=found.ingredients,
        started=_started(record.resource),
        dose=found.dose,
        route=found.route,
        stopped=end if has_ended else None,
        may_have_ended=not has_ended and _may_have_ended(record, end, chart.today),
    )


def _may_have_ended(record: Record, end: When | None, today: date) -> bool:
    """Whether it is told to end about today, or was handed out or given and nobody says for how long."""
    return record.kind in GIVEN if end is None else earliest(end) < today


def _started(resource: Resource) -> When | None:
    return day(first(resource.get("effectivePeriod")).get("start"), resource.get("effectiveDateTime"),
               resource.get("whenHandedOver"), resource.get("whenPrepared"), resource.get("authoredOn"),
               resource.get("dateAsserted"))  # fmt: skip


def _end(record: Record) -> When | None:
    """The day on which the medicine ended or is to end, where the resource names one."""
    resource = record.resource
    period = first(resource.get("effectivePeriod"))
    match record.kind:
        case "MedicationAdministration":
            return day(period.get("end"), resource.get("effectiveDateTime"), period.get("start"))
        case "MedicationDispense":
            return _end_of_supply(resource)
        case _:
            return day(period.get("end")) or _end_of_last_step(resource)


def _end_of_supply(resource: Resource) -> When | None:
    """The last day for which a dispense is enough."""
    handed = day(resource.get("whenHandedOver"), resource.get("whenPrepared"))
    supply = quantity_of(first(resource.get("daysSupply")))
    if handed is None or supply is None or not 0 < supply.value < _LONGEST_SUPPLY or supply.unit.lower() not in _DAYS:
        return None
    lasts = timedelta(days=ceil(supply.value))
    if latest(handed) > date.max - lasts:
        return None
    return Span(earliest(handed) + lasts, latest(handed) + lasts) if isinstance(handed, Span) else handed + lasts


def _end_of_last_step(resource: Resource) -> When | None:
    """The end of the dosage instruction that ends last. A dose that is stepped up has an instruction for each step,
    and the medicine goes on until the last of them ends."""
    steps = [child(step, "timing", "repeat", "boundsPeriod") for step in objects(resource.get("dosageInstruction"))]
    ends = [day(step.get("end")) for step in steps]
    told = [end for end in ends if end is not None]
    return max(told, key=latest) if told and len(told) == len(ends) else None
