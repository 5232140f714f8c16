"""What a card says of each outcome of a test is what happens once that result is here, under the very code by which
the test was offered.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from cds_service.codes import LOINC, UCUM
from cds_service.knowledge.schema import Band, MarkerUse
from cds_service.model import Branch, Finding, Kind, NotReadable, TestQuestion
from tests.acceptance.test_taken_suggestions import bodies
from tests.support.world import TODAY, answered, knowledge

Json = dict[str, Any]
ASKED_OF = ("gene:", "hla:", "lab:", "somatic:")
OTHERWISE_SAID = ("other variant", "/any", "not ", "fusion")
"""In states that stand for many results, or for one that a rearrangement's test tells in other words."""
NOT_RELIED_ON = ("donor-transplant", "on-prednisone", "count-of-a-year", "alone-ordered")
"""In these cases blood is the donor's or changed by a medicine, or another result may be newer or is awaited."""

UNREAD = {"gene:MT-RNR1", "hla:A*02:01"}
"""The code asks for one variant, and these outcomes are phenotypes; the code is of A2, and has to name the type."""


def asked(body: Json) -> Iterator[tuple[Finding, TestQuestion, Branch]]:
    """Each outcome of each test that alone would change an order."""
    for finding in answered(body).findings:
        is_shown = finding.kind is Kind.TEST_WOULD_CHANGE and not finding.silent
        if is_shown and len(finding.tests) == 1 and finding.tests[0].marker.startswith(ASKED_OF):
            yield from ((finding, finding.tests[0], branch) for branch in finding.tests[0].branches)


def asks(finding: Finding, question: TestQuestion) -> bool:
    """Whether the finding still asks for the result; to look at it again in some days is no such question."""
    return not finding.silent and any(q.marker == question.marker and q.due_days is None for q in finding.tests)


def with_result(body: Json, question: TestQuestion, state: str, use: MarkerUse) -> Json | None:
    """The request with a result of today under the first code of the test; None for a test without one."""
    codes = [coding for coding in knowledge().tests[question.test].codes if coding.system == LOINC]
    if not codes:
        return None
    result = {
        "resourceType": "Observation",
        "id": "the-result",
        "status": "final",
        "subject": {"reference": "Patient/case-patient"},
        "effectiveDateTime": TODAY.isoformat(),
        "code": {"coding": [{"system": LOINC, "code": codes[0].code}]},
        **value_of(state, use),
    }
    changed = copy.deepcopy(body)
    changed["prefetch"]["results"].setdefault("entry", []).append({"resource": result})
    return changed


def value_of(state: str, use: MarkerUse) -> Json:
    if state not in use.bands:
        is_score = state.replace(".", "").isdigit()
        return {"valueCodeableConcept": {"text": f"Activity score {state}" if is_score else state}}
    quantity = {"value": value_within(use.bands[state]), "unit": use.unit, "system": UCUM, "code": use.unit}
    return {"valueQuantity": quantity}


def value_within(band: Band) -> float:
    low = band.at_least if band.at_least is not None else band.above
    high = band.at_most if band.at_most is not None else band.below
    if low is None or high is None:
        return round(high * 0.8 if high is not None else (low or 1.0) * 1.15, 3)
    return round((low + high) / 2, 3)


def test_a_result_does_what_the_card_said_of_it() -> None:
    kept, unread = 0, set()
    broken: list[str] = []
    for case, body in bodies():
        for finding, question, branch in asked(body):
            state, use = branch.states[0], knowledge().tables[finding.table].markers[question.marker]
            told = with_result(body, question, state, use)
            if (
                told is None
                or any(part in case for part in NOT_RELIED_ON)
                or any(part in state for part in OTHERWISE_SAID)
            ):
                continue
            after = answered(told)
            read = [one.says for one in after.patient.readings if one.reference == "Observation/the-result"]
            if all(isinstance(says, NotReadable) for says in read):
                unread.add(question.marker)
                continue
            found = [one for one in after.findings if (one.table, one.order) == (finding.table, finding.order)]
            said = {one.resulting.outcome for one in found if one.kind is not Kind.NO_TEST_CHANGES}
            is_kept = branch.resulting.outcome in said and not any(asks(one, question) for one in found)
            kept += is_kept
            broken += [] if is_kept else [f"{case}: {question.test}, {state}: expected {branch.resulting.outcome}"]
    assert kept > 300
    assert unread == UNREAD
    assert not broken
