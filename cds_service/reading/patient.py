"""The patient: birth date, sex and weight."""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.model import Gap, GapReason, When
from cds_service.reading.answers import answer_of
from cds_service.reading.chart import Chart
from cds_service.reading.dates import day
from cds_service.reading.dose_text import known_unit
from cds_service.reading.quantities import quantity_in_text
from cds_service.reading.records import Record
from cds_service.reading.shapes import Resource, codes_of, objects, text_at
from cds_service.reading.vocabulary import SEX_EXTENSIONS, SEXES

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
