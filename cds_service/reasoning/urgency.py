"""How urgent a finding is: the indicator of its card, and whether the order should be held."""

from __future__ import annotations

from cds_service.knowledge.schema import SourceKind
from cds_service.model import CONTRAINDICATING, Gravity, Harm, Indicator, Kind, Order, Testing, Trust
from cds_service.reasoning.apply import departs
from cds_service.reasoning.decide import Decision
from cds_service.reasoning.outcomes import lines_of
from cds_service.reasoning.questions import Asked, Status
from cds_service.reasoning.tables import Reached

_UNTESTED = frozenset({Status.OPEN, Status.UNCLEAR, Status.CONFIRM, Status.ON_FILE})
"""A test that is asked for, was done for nothing, or has a result that is not confirmed or cannot be read. What could
not be obtained may be on file and clear: a site that sends no results is not warned on each order (decision 0017)."""


def indicator_of_question(kind: Kind, asked: Asked, order: Order, *, hold: bool) -> Indicator:
    """Warning where labelling requires a test that was not done or told nothing, or where readings disagree about
    an order to be held; else info, and so of an order that is on hold already."""
    if order.on_hold:
        return Indicator.INFO
    if any(q.fires and q.status in _UNTESTED and q.testing is Testing.REQUIRED for q in asked):
        return Indicator.WARNING
    return Indicator.WARNING if kind is Kind.RESULTS_CONFLICT and hold else Indicator.INFO


def indicator_of_change(decision: Decision) -> Indicator:
    """Critical only for contraindication or grave toxicity that was read. What is done beside the order as drafted
    is no warning, unless the harm is grave."""
    advice, table = decision.now.advice, decision.situation.table
    read = table.trust_of(decision.now.row) is Trust.READ
    source = decision.situation.context.knowledge.sources[table.source]
    label = source.kind == SourceKind.LABEL_CONTRAINDICATION
    contraindicated = label and advice.options[0].action in CONTRAINDICATING
    grave = advice.gravity is Gravity.FATAL_OR_IRREVERSIBLE or contraindicated
    if not departs(decision.now.resulting):
        return Indicator.WARNING if grave else Indicator.INFO
    if read and grave and advice.harm is not Harm.LACK_OF_EFFECT:
        return Indicator.CRITICAL
    return Indicator.WARNING


def conflict_contraindicates(decision: Decision) -> bool:
    """Whether one of the readings that disagree would end the order, and another would not."""
    situation = decision.situation
    lines = [
        [situation.reached[a] for a in line]
        for q in decision.questions
        if q.status is Status.CONFLICT
        for line in lines_of(q.marker, situation)
    ]
    return any(len({r.resulting for r in line}) > 1 and any(map(_contraindicates, line)) for line in lines)


def _contraindicates(reached: Reached) -> bool:
    advice = reached.advice
    grave = advice.gravity in (Gravity.FATAL_OR_IRREVERSIBLE, Gravity.SERIOUS)
    return grave and advice.options[0].action in CONTRAINDICATING
