"""The decision of one table: the advice now, and which tests would change it (docs/reasoning.md, step 5)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from enum import StrEnum

from cds_service.model import CONTRAINDICATING, Outcome, ResultingOrder, Testing, Timing
from cds_service.policy import Policy
from cds_service.reasoning.apply import AS_DRAFTED, apply, departs, severity
from cds_service.reasoning.questions import MarkerQuestion, questions_of
from cds_service.reasoning.tables import Reached, Situation, advising

WAIT = ResultingOrder(Outcome.WAIT)


class Basis(StrEnum):
    """Why the advice now is what it is (docs/reasoning.md, step 5)."""

    ONE_OUTCOME = "one_outcome"
    NO_RESULT_ROW = "no_result_row"
    MILDEST = "mildest"
    WAIT = "wait"
    DRAFT = "draft"


_MAY_WAIT = frozenset({Basis.DRAFT, Basis.NO_RESULT_ROW})
"""Where nothing is known to speak against the order, a required test may be waited for."""


@dataclass(frozen=True, slots=True)
class Decision:
    situation: Situation
    now: Reached
    basis: Basis
    questions: tuple[MarkerQuestion, ...]
    floor: ResultingOrder = AS_DRAFTED
    """What other tables already make of the order."""

    @property
    def changes_now(self) -> bool:
        """What is known changes the order."""
        return self.basis is not Basis.WAIT and departs(self.now.resulting)

    @property
    def holds_order(self) -> bool:
        """The order should wait for a test."""
        return self.basis is Basis.WAIT


def decide(situation: Situation, policy: Policy, floor: ResultingOrder = AS_DRAFTED) -> Decision:
    """The table's decision. `floor` is what other tables already make of the order: a result that cannot lead
    beyond it changes nothing."""
    now, basis = _advice_now(situation)
    questions = tuple(questions_of(situation, now, floor, policy))
    speaks_against = now.advice.options[0].action in CONTRAINDICATING
    if basis in _MAY_WAIT and not speaks_against and any(map(_must_wait, questions)):
        return Decision(situation, Reached(now.row, WAIT), Basis.WAIT, questions, floor)
    return Decision(situation, now, basis, questions, floor)


def floored(decision: Decision, policy: Policy, floor: ResultingOrder) -> Decision:
    """The decision where other tables already make `floor` of the order. That takes questions away, and never makes
    one: without questions only the floor itself is another. What is to be prepared first takes none away: the order
    is to follow."""
    if not departs(floor):
        return decision
    if decision.questions and floor.outcome is not Outcome.WAIT:
        return decide(decision.situation, policy, floor)
    return replace(decision, floor=floor)


def _must_wait(question: MarkerQuestion) -> bool:
    return question.fires and question.testing is Testing.REQUIRED and question.use.timing is Timing.BEFORE_START


def _advice_now(situation: Situation) -> tuple[Reached, Basis]:
    reached = list(situation.reached.values())
    if len({r.resulting for r in reached}) == 1:
        return _common(reached, situation), Basis.ONE_OUTCOME
    literal = _literal_advice(situation)
    if literal is not None:
        return literal, Basis.NO_RESULT_ROW
    if all(departs(r.resulting) for r in reached):
        return min(reached, key=lambda r: severity(r.resulting)), Basis.MILDEST
    return Reached(None, AS_DRAFTED), Basis.DRAFT


def _common(reached: list[Reached], situation: Situation) -> Reached:
    """The advice that all outcomes share. Where several rows leave the order as drafted, only the row for
    exactly what is known says why."""
    rows = Counter(r.row.id if r.row is not None else "" for r in reached)
    if len(rows) > 1 and not departs(reached[0].resulting):
        return Reached(situation.literal, AS_DRAFTED)
    return max(reached, key=lambda r: rows[r.row.id] if r.row is not None else 0)


def _literal_advice(situation: Situation) -> Reached | None:
    """The row for exactly what is known, if it advises anything."""
    row = advising(situation.literal)
    if row is None:
        return None
    context = situation.context
    return Reached(row, apply(row.advice, context.order, context.patient.weight_kg))
