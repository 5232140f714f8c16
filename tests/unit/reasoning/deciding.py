"""A table of one drug, what is decided by it, and the question that it asks."""

from __future__ import annotations

from cds_service.model import (
    Outcome,
    ResultingOrder,
    Timing,
)
from cds_service.policy import Policy
from cds_service.reasoning.apply import AS_DRAFTED
from cds_service.reasoning.decide import decide
from cds_service.reasoning.tables import situation_of
from tests.support.tiny import (
    ALPHA,
    POOR,
    REST,
    around,
    person,
    row,
    shares,
    table,
    use,
    world,
)

OTHER_DRUG = ResultingOrder(Outcome.OTHER_DRUG)
FIRST = use("required", timing=Timing.BEFORE_START)


def unol(poor="avoid", rest="standard", more=(), **fields):
    return table("unol", row({ALPHA: POOR}, poor), row({ALPHA: REST}, rest, id="rest"), *more, **fields)


def decided(of, *readings, floor=AS_DRAFTED, policy=None, knowledge=None, patient=None, mg=None, **fields):
    patient = patient or person(*readings, **fields)
    context = around(of.drugs[0], patient, knowledge or world(of), mg=mg)
    return decide(situation_of(of, context, policy or Policy()), policy or Policy(), floor)


def question(decision, marker=ALPHA):
    (found,) = (q for q in decision.questions if q.marker == marker)
    return found


def silent(of, *readings, frequencies=(), policy=None, marker=ALPHA, **fields):
    found = decided(of, *readings, knowledge=world(of, frequencies=frequencies), policy=policy, **fields)
    return question(found, marker).silent


def share(poor):
    return shares(ALPHA, Poor_Metabolizer=poor, Normal_Metabolizer=1 - poor)
