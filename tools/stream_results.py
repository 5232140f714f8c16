"""The tests that labelling asks for before a drug: prescribers have mostly done them, and have seen the result."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

from cds_service.knowledge.base import Knowledge
from cds_service.knowledge.schema import Band, MarkerUse, Table
from cds_service.model import Action, Testing
from tools.stream_data import Prescribed, StreamData

_SHARES = {
    Testing.REQUIRED: "required_test_done",
    Testing.RECOMMENDED: "recommended_test_done",
    Testing.IF_RISK: "recommended_test_done",
}
DAYS_WITHOUT_WINDOW = 300
FRESH = 0.7
"""Share of a result's window within which it was taken, at the latest."""
CREATININE = "lab:creatinine"
Asked = tuple[Table, str, MarkerUse]


def results_that_were_asked_for(
    random: Random, drug: Prescribed, data: StreamData, knowledge: Knowledge, record: dict[str, Any]
) -> None:
    """Add to the patient's record what the drug's tables ask for, where the data say that it was done."""
    basic = {*data.laboratory["basic"], *data.laboratory["special"], "egfr", "creatinine"}
    for table, marker, use in _asked(drug, knowledge):
        kind, _, name = marker.partition(":")
        is_basic = name in basic
        if is_basic and use.testing is not Testing.REQUIRED:
            continue
        if random.random() >= data.share(_SHARES[use.testing]):
            continue
        if kind == "hla":
            record.setdefault("hla", {}).setdefault(name, _let_stand(table, marker) or "negative")
        elif kind == "gene" and use.testing is Testing.REQUIRED:
            state = _let_stand(table, marker)
            if state:
                record.setdefault("phenotypes", {}).setdefault(name, state)
        elif kind == "lab" and f"lab:{name}" in knowledge.observables:
            _add_laboratory(random, (table, marker, use), data, record)


def _asked(drug: Prescribed, knowledge: Knowledge) -> Iterator[Asked]:
    """What is asked for, each marker once; a clearance that is reckoned wants its creatinine."""
    seen = set()
    for ingredient in sorted(drug.ingredients):
        for table in knowledge.tables_by_drug.get(ingredient, ()):
            for marker, use in table.markers.items():
                measured = CREATININE if marker == "derived:creatinine_clearance" else marker
                if use.testing in _SHARES and measured not in seen:
                    seen.add(measured)
                    yield table, measured, use


def _add_laboratory(random: Random, asked: Asked, data: StreamData, record: dict[str, Any]) -> None:
    table, marker, use = asked
    name = marker.removeprefix("lab:")
    days = round(random.uniform(0, (use.valid_for_days or DAYS_WITHOUT_WINDOW) * FRESH))
    held = record["labs"].get(name)
    if held is not None:
        record["labs"][name] = {**held, "days": min(held["days"], days)}
        return
    if random.random() >= data.share("favourable"):
        return
    state = _let_stand(table, marker)
    if state in use.bands:
        record["labs"][name] = {"value": _inside(use.bands[state]), "unit": use.unit, "days": days}
    elif state in ("positive", "negative"):
        record["labs"][name] = {"result": state, "days": days}
    elif state:
        record["labs"][name] = {"grade": state, "days": days}


def _let_stand(table: Table, marker: str) -> str:
    """A state of the marker for which the table lets the order stand; empty when it names none."""
    for row in table.rows:
        if row.advice.options[0].action is Action.STANDARD and row.when.get(marker):
            return row.when[marker][0]
    return ""


def _inside(band: Band) -> float:
    """A value within the band, away from its bounds."""
    low = band.at_least if band.at_least is not None else band.above
    high = band.at_most if band.at_most is not None else band.below
    if low is not None and high is not None:
        return round((low + high) / 2, 2)
    return round(low * 1.3 + 0.1, 2) if low is not None else round((high or 0) * 0.6, 2)
