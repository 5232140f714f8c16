"""What one click writes, for every dose that the knowledge advises first: nothing that its condition, its frequency
or the products speak against."""

from __future__ import annotations

from itertools import product

import pytest

from cds_service.knowledge.schema import Row, Table
from cds_service.model import Dose, DoseChange, Finding, Kind, Order, Outcome, Patient, Times
from cds_service.reasoning.apply import apply, arithmetic
from cds_service.writing.advice import advice_words
from cds_service.writing.suggestions import suggestions_for
from cds_service.writing.text import SUMMARY_LIMIT
from cds_service.writing.words import words_of
from tests.support.world import TODAY, knowledge, service

DRAFTED = (2.0, 7.0, 12.5, 25.0, 84.0, 100.0, 300.0)
TIMES_A_DAY = (1, 2, 3)
WEIGHTS = (45.0, 70.0)
DOSES = [
    pytest.param(table, row, id=f"{table.id}/{row.id}")
    for table in knowledge().tables.values()
    for row in table.rows
    if row.advice.options[0].dose is not None
]
Written = tuple[float, object]


def updates(table: Table, row: Row, per_dose: float, per_day: int, weight: float) -> list[Written]:
    """The amount and the timing that the updates of such an order write."""
    dose = Dose(per_dose, "mg", per_day)
    order = Order("MedicationRequest/1", table.drugs[0], (table.drugs[0],), dose=dose)
    resulting = apply(row.advice, order, weight)
    reckoned = arithmetic(resulting, order, weight)
    if reckoned is None or resulting.outcome is not Outcome.CHANGED_DOSE:
        return []
    finding = Finding(
        Kind.CHANGE_NOW, order, table.drugs[0], table.id, row.id, resulting=resulting, advice=row.advice,
        arithmetic=reckoned,
    )  # fmt: skip
    words = words_of(knowledge(), service().wording)
    drafted = draft(per_dose, per_day)
    offered = suggestions_for((finding,), (), drafted, patient=Patient("p"), words=words, today=TODAY)
    return [written_in(one.resource) for one in offered if one.kind == "update"]


def draft(per_dose: float, per_day: int) -> dict[str, object]:
    timing = {"repeat": {"frequency": per_day, "period": 1, "periodUnit": "d"}}
    amount = {"doseQuantity": {"value": per_dose, "unit": "mg"}}
    return {
        "resourceType": "MedicationRequest",
        "id": "1",
        "status": "draft",
        "intent": "order",
        "subject": {"reference": "Patient/p"},
        "medicationCodeableConcept": {"text": "a medicine"},
        "dosageInstruction": [{"timing": timing, "doseAndRate": [amount]}],
    }


def written_in(resource: object) -> Written:
    (instruction,) = resource["dosageInstruction"]
    return instruction["doseAndRate"][0]["doseQuantity"]["value"], instruction["timing"]["repeat"]


def wrong_with(change: DoseChange, per_day: int, written: Written) -> str:
    """What the written order has that the advice does not; empty where it is right."""
    value, repeat = written
    if len(f"{value:.6f}".replace(".", "").strip("0")) > 3:
        return f"{value} is no dose of a product"
    if change.frequency and repeat != repeat_of(change.times):
        return f"{repeat} is not {change.frequency}"
    limit = change.amount or change.cap
    if limit is not None and limit.unit == "mg/d":
        times = change.times.per_day if change.times else per_day
        if abs(value * times - limit.value) > 1e-6:
            return f"{value} mg, {times} times a day, is not {limit.value} mg a day"
    return ""


def repeat_of(times: Times | None) -> object:
    return times and {"frequency": times.count, "period": times.period, "periodUnit": times.unit.value}


@pytest.mark.parametrize(("table", "row"), DOSES)
def test_one_click_writes_what_is_advised_or_nothing(table: Table, row: Row) -> None:
    option = row.advice.options[0]
    for per_dose, per_day, weight in product(DRAFTED, TIMES_A_DAY, WEIGHTS):
        found = updates(table, row, per_dose, per_day, weight)
        assert not (option.only_if and found), f"{found} ignores {option.only_if}"
        wrong = [problem for one in found if (problem := wrong_with(option.dose, per_day, one))]
        assert not wrong, f"{per_dose} mg, {per_day} times a day: {wrong}"


def test_an_amount_a_day_is_written_for_several_doses_only_where_the_source_says_how_many() -> None:
    by_day = [one for one in DOSES if is_by_the_day(one.values[1].advice.options[0].dose)]
    assert len(by_day) > 20
    assert not [one.id for one in by_day if updates(*one.values, 1000.0, 2, 70.0)]


def is_by_the_day(change: DoseChange) -> bool:
    """An amount a day whose source does not say how often."""
    limit = change.amount or change.cap
    return limit is not None and limit.unit.endswith("/d") and change.times is None


def test_the_updates_are_not_all_empty() -> None:
    found = [updates(*one.values, 100.0, 1, 70.0) for one in DOSES]
    assert sum(map(bool, found)) > 20


def test_a_condition_of_the_preferred_option_fits_into_a_summary() -> None:
    """What is advised in one case only is said so, whatever the drug is called."""
    words = words_of(knowledge(), service().wording)
    cut = [
        f"{table.id}/{row.id} {drug}: {said}"
        for table in knowledge().tables.values()
        for row in table.rows
        for drug in table.drugs
        if row.advice.options[0].only_if and len(said := f"{words.drug(drug)}: {told_of(row, drug)}") > SUMMARY_LIMIT
    ]
    assert not cut


def told_of(row: Row, drug: str) -> str:
    words = words_of(knowledge(), service().wording)
    finding = Finding(Kind.CHANGE_NOW, Order("MedicationRequest/1", drug, (drug,)), drug, "")
    return advice_words(row.advice, words, words.about(finding)).act
