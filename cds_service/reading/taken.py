"""The medicines that a patient takes, and until when: by status and dates, and by the supply that was handed out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import NamedTuple

from cds_service.model import Gap, GapReason, Medication, Query, When, earliest, latest
from cds_service.reading.addresses import reference, references
from cds_service.reading.chart import Chart
from cds_service.reading.dates import day
from cds_service.reading.medications import Medicine, medicine_of
from cds_service.reading.records import Record
from cds_service.reading.shapes import Resource, child, clean, first, objects
from cds_service.reading.supplies import Supply, dispensed, prescribed
from cds_service.reading.vocabulary import (
    ENDED_STATUSES,
    GIVEN,
    GIVEN_STATUSES,
    REQUEST,
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


def medication_records(chart: Chart) -> tuple[Record, ...]:
    """What tells of medicines, less what only repeats a request that is there too."""
    return tuple(r for r in chart.of_kind(REQUEST, STATEMENT, *GIVEN) if not _repeats(r, chart))


def _repeats(record: Record, chart: Chart) -> bool:
    """Whether it tells of a request that is there and speaks for itself. One that is completed does not, and neither
    does one whose supply may long be over: what was handed out last, the patient may still take."""
    if record.kind == REQUEST:
        return False
    sources = [address for name in _SOURCES for address in references(record.resource.get(name))]
    found = (chart.references.find(address, record.resource) for address in sources)
    return any(target is not None and target.kind == REQUEST and _speaks(target, chart) for target in found)


def _speaks(request: Record, chart: Chart) -> bool:
    return request.status != "completed" and not _use_of(request, medicine_of(request, chart), chart).may_go_on


def is_taken(record: Record, chart: Chart) -> bool:
    """Whether the patient takes the medicine: by its status, and what was handed out or given until it is used up."""
    use = _use_of(record, medicine_of(record, chart), chart)
    return use.is_taken and (record.kind not in GIVEN or use.stopped is None)


class _Use(NamedTuple):
    """Whether and until when a medicine is taken. `is_taken` goes by the status alone."""

    is_taken: bool
    stopped: When | None = None
    may_have_ended: bool = False
    may_go_on: bool = False
    is_assumed: bool = False
    """It ended by what is assumed of supplies alone."""


def _use_of(record: Record, medicine: Medicine, chart: Chart) -> _Use:
    match record.kind:
        case "MedicationAdministration":
            return _use_of_administered(record, chart.today)
        case "MedicationDispense":
            supply = dispensed(record.resource, medicine, chart.lexicon.supplies)
            return _use_of_dispensed(record, supply, chart.today)
        case _:
            return _use_of_ordered(record, medicine, chart)


def _use_of_administered(record: Record, today: date) -> _Use:
    """What was given yesterday may be given today too."""
    period = first(record.resource.get("effectivePeriod"))
    end = day(period.get("end"), record.resource.get("effectiveDateTime"), period.get("start"))
    if record.status in _GIVEN and (end is None or latest(end) >= today - _A_DAY):
        return _Use(is_taken=True, may_have_ended=end is None or earliest(end) < today)
    over = record.status in ENDED_STATUSES | _GIVEN and end is not None and earliest(end) <= today
    return _Use(is_taken=False, stopped=end if over else None)


def _use_of_dispensed(record: Record, supply: Supply | None, today: date) -> _Use:
    """Taken until the supply is used up. Some of it may be left for a while."""
    given = record.status in _GIVEN
    if supply is None:
        return _Use(is_taken=given, may_have_ended=given)
    if given and not supply.is_over(today):
        return _Use(is_taken=True, may_have_ended=not supply.is_told or earliest(supply.until) < today)
    over = (given or (supply.is_told and record.status in ENDED_STATUSES)) and earliest(supply.until) <= today
    left = given and supply.may_be_left(today)
    return _Use(given, supply.until if over else None, may_go_on=left, is_assumed=not (left or supply.is_told))


def _use_of_ordered(record: Record, medicine: Medicine, chart: Chart) -> _Use:
    """Taken while it is active or on hold, ordered and not forbidden, until the end that it names. Where only its
    supply is used up it may have ended, and where that was long ago, it may go on."""
    today, end, taken = chart.today, _end(record.resource), _is_in_force(record)
    if end is not None:
        over = latest(end) < today if taken else record.status in ENDED_STATUSES and earliest(end) <= today
        return _Use(taken, end if over else None, may_have_ended=not over and earliest(end) < today)
    is_supplied = taken and record.kind == REQUEST
    supply = prescribed(record.resource, medicine, chart.lexicon.supplies) if is_supplied else None
    if supply is None or not supply.is_over(today):
        return _Use(taken)
    left = supply.may_be_left(today)
    return _Use(taken, None if left else supply.until, may_have_ended=left, may_go_on=not left)


def _is_in_force(record: Record) -> bool:
    if record.status not in TAKEN_STATUSES or record.resource.get("doNotPerform") is True:
        return False
    return _is_ordered(record.resource) or _is_reported(record.resource)


def _is_ordered(resource: Resource) -> bool:
    return clean(resource.get("intent")) not in UNORDERED_INTENTS


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
    if _repeats(record, chart):
        return
    found = medicine_of(record, chart)
    use = _use_of(record, found, chart)
    if not use.is_taken and use.stopped is None:
        yield from _untaken(record)
        return
    if not found.name:
        yield Gap(record.reference, GapReason.UNREADABLE, "a medicine without a name", record.query)
        return
    yield from [_part_of_answer(gap, taken=is_taken(record, chart)) for gap in found.gaps]
    if use.is_assumed:
        yield Gap(record.reference, GapReason.SUPPLY_NOT_SAID, "handed out over a year ago", record.query)
    yield Medication(
        reference=record.reference,
        name=found.name,
        ingredients=found.ingredients,
        started=_started(record.resource),
        dose=found.dose,
        route=found.route,
        stopped=use.stopped,
        may_have_ended=use.may_have_ended,
        may_go_on=use.may_go_on,
        is_prescribed=record.kind == REQUEST and _is_ordered(record.resource),
    )


def _started(resource: Resource) -> When | None:
    return day(first(resource.get("effectivePeriod")).get("start"), resource.get("effectiveDateTime"),
               resource.get("whenHandedOver"), resource.get("whenPrepared"), resource.get("authoredOn"),
               resource.get("dateAsserted"))  # fmt: skip


def _end(resource: Resource) -> When | None:
    """The day on which what was ordered or is reported ended or is to end, where the resource names one."""
    return day(first(resource.get("effectivePeriod")).get("end")) or _end_of_last_step(resource)


def _end_of_last_step(resource: Resource) -> When | None:
    """The end of the dosage instruction that ends last. A dose that is stepped up has an instruction for each step,
    and the medicine goes on until the last of them ends."""
    steps = [child(step, "timing", "repeat", "boundsPeriod") for step in objects(resource.get("dosageInstruction"))]
    ends = [day(step.get("end")) for step in steps]
    told = [end for end in ends if end is not None]
    return max(told, key=latest) if told and len(told) == len(ends) else None
