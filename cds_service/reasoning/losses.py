"""What a query that came back in part takes from an answer: what was read may not be all that there is.

Only the rare request with a lost query pays for it: the table is decided once more, as if nothing had been read.
"""

from __future__ import annotations

from dataclasses import replace

from cds_service.model import Availability, Query
from cds_service.policy import Policy
from cds_service.reasoning.context import Context, Gathered
from cds_service.reasoning.decide import Decision, decide
from cds_service.reasoning.tables import Situation, situation_of

LOST = frozenset({Availability.PARTIAL, Availability.FAILED})
"""Asked for, and not obtained in full."""


def rests_on_part(situation: Situation) -> bool:
    """Whether the table rests on results of which others may have been lost."""
    availability = situation.context.patient.availability.get(Query.RESULTS)
    return availability in LOST and any(view.knowledge.readings for view in situation.views)


def reopened(decision: Decision, policy: Policy) -> tuple[str, ...]:
    """The markers of which a result that was lost could alter the order, where the results that were obtained
    leave it: those that would be asked for had none been obtained. Empty where none was lost."""
    situation = decision.situation
    if decision.changes_now or not rests_on_part(situation):
        return ()
    unread = decide(situation_of(situation.table, _without_readings(situation), policy), policy, decision.floor)
    return tuple([question.marker for question in unread.questions if question.fires])


def _without_readings(situation: Situation) -> Context:
    context = situation.context
    return replace(context, patient=replace(context.patient, readings=()), gathered=Gathered())
