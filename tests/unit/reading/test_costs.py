"""What a hostile resource may cost: the CPU time of reading it. What is too long to be read is told."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cds_service.model import GapReason
from cds_service.reading.doses import dose_of
from cds_service.reading.shapes import LONGEST_TEXT, TOO_LONG
from tests.support import world
from tests.support.dear import condition, draft, loinc, observation, report
from tests.support.reading import read_record

FAR_MORE_THAN_IT_TAKES_S = 2.0
"""The dearest text takes a tenth of it; where each part of a text is held against each other, minutes."""

DEAR = (
    "KRAS G12C;",
    "KRAS G12C not detected, ",
    "no ",
    "CYP2C19 or\n",
    "CYP2C19 *1/*2\n",
    "CYP2C19. ",
    "no mutation in KRAS or ",
    "poor metabolizer ",
    "HLA-B*57:01 ",
    "p.G12C ",
    "1,",
    "[",
    " \t",
    "likely pathogenic, benign, ",
    "breast cancer was ruled out, ",
    "was ",
    "75 mg ",
    "clopidogrel / ",
)


@pytest.fixture
def measured() -> Iterator[None]:
    """What the test does takes no more CPU time than anything should."""
    before_s = time.thread_time()
    yield
    assert time.thread_time() - before_s < FAR_MORE_THAN_IT_TAKES_S


def of_length(part: str) -> str:
    return part * (LONGEST_TEXT // len(part))


READ_IN: dict[str, Callable[[str], dict[str, Any]]] = {
    "problem list": lambda text: condition(1, text),
    "conclusion": report,
    "genotype": lambda text: observation(1, "84413-4", text),
    "tumour": lambda text: observation(1, "82535-6", text),
    "medicine": lambda text: draft(1, text) | {"status": "active"},
}


@pytest.mark.usefixtures("measured")
@pytest.mark.parametrize("part", DEAR)
@pytest.mark.parametrize("place", READ_IN)
def test_the_longest_text_that_is_read_costs_little(part, place):
    resource = READ_IN[place](of_length(part))
    read_record([resource], world.index(), world.knowledge(), world.TODAY, patient_id="p1")


DIGITS = ("*", "CYP2D6 *1/*", "CYP2D6 *1x", "CYP2C19 activity score ", "rs", "exon ", "KRAS G", "1/", "HLA-B*", "<")


@pytest.mark.usefixtures("measured")
@pytest.mark.parametrize("before", DIGITS)
@pytest.mark.parametrize("place", READ_IN)
def test_the_longest_number_costs_little_and_breaks_nothing(place, before):
    resource = READ_IN[place](before + "9" * (LONGEST_TEXT - len(before)))
    read_record([resource], world.index(), world.knowledge(), world.TODAY, patient_id="p1")


@pytest.mark.usefixtures("measured")
def test_a_component_with_many_codes_costs_little():
    coded = {"coding": loinc("48018-6")["coding"] * 4000}
    part = {"code": coded, "valueCodeableConcept": {"text": "CYP2C19"}}
    resource = observation(1, "69548-6", "Present", component=[part])
    read_record([resource], world.index(), world.knowledge(), world.TODAY, patient_id="p1")


class TestTooLong:
    """A longer text is not read, and that it is there is told."""

    LONG = f"CYP2C19 *1/*1, normal metabolizer. {'x ' * LONGEST_TEXT}"

    @pytest.mark.parametrize("resource", [report(LONG), observation(1, "84413-4", LONG)], ids=["report", "value"])
    def test_that_a_result_cannot_be_read_is_told(self, resource):
        found = read_record([resource], world.index(), world.knowledge(), world.TODAY, patient_id="p1")
        assert not found.patient.readings
        assert [gap.reason for gap in found.patient.gaps] == [GapReason.NOT_MACHINE_READABLE]

    @pytest.mark.parametrize(
        "beside",
        [
            {"conclusionCode": [{"text": "CYP2C19 *2/*2"}]},
            {"result": [{"reference": "Observation/o1"}]},
        ],
    )
    def test_what_stands_beside_a_conclusion_does_not_hide_it(self, beside):
        resources = [report(self.LONG) | beside, observation(1, "2823-3", "4.1 mmol/L")]
        found = read_record(resources, world.index(), world.knowledge(), world.TODAY, patient_id="p1")
        assert GapReason.NOT_MACHINE_READABLE in {gap.reason for gap in found.patient.gaps}

    def test_a_result_on_a_tumour_is_unreadable(self):
        resource = observation(1, "82535-6", f"No mutation detected. {'x ' * LONGEST_TEXT}")
        found = read_record([resource], world.index(), world.knowledge(), world.TODAY, patient_id="p1")
        assert [reading.quoted for reading in found.patient.readings] == [TOO_LONG]


@pytest.mark.parametrize("number", ["9" * 400, "9" * 5000])
@pytest.mark.parametrize("words", ["1/{} tablet", "{}/3 tablet", "{0} 1/2 tablets", "{0}/{0} tablet"])
def test_a_fraction_of_figures_without_end_is_no_dose(words, number):
    dose = dose_of([{"text": words.format(number)}], None)
    assert dose is not None
    assert not dose.per_dose
