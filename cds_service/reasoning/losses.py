"""What a lost query takes from an answer: of the results or medicines that were read there may be more.

Only the rare request with a lost query pays for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from cds_service.knowledge.schema import Fact
from cds_service.model import Gap, GapReason, Outcome, Query, ResultingOrder, Testing, name_of
from cds_service.policy import Policy
from cds_service.reasoning.context import Context, Gathered
from cds_service.reasoning.decide import Decision, decide
from cds_service.reasoning.modifiers import Shift, inhibitors_among, modifier_of
from cds_service.reasoning.obtained import is_lost, queries_telling, why_lost
from cds_service.reasoning.silence import may_be_hidden
from cds_service.reasoning.spoilers import may_be_spoiled
from cds_service.reasoning.tables import Situation, outcomes_under, situation_of


def doubts(decision: Decision, policy: Policy) -> tuple[Gap, ...]:
    """What was lost and could alter an order that what was obtained leaves as it is."""
    if decision.changes_now:
        return ()
    results = [Gap(marker, GapReason.FURTHER_RESULTS_LOST) for marker in _reopened(decision, policy)]
    return (*results, *_events_lost(decision, policy), *_medicines_lost(decision, policy))


def lost_beside(decision: Decision, policy: Policy) -> tuple[Gap, ...]:
    """What was lost and could ask for more than what is said now; nothing where that is to leave the drug."""
    if decision.now.resulting.outcome in (Outcome.OTHER_DRUG, Outcome.STOP):
        return ()
    results = [Gap(query.value, GapReason.FURTHER_RESULTS_LOST) for query in _cut_short(decision.situation)]
    return (*results, *_diagnoses_lost(decision.situation), *_medicines_lost(decision, policy))


def requests_lost(situation: Situation) -> tuple[Gap, ...]:
    """That a test asked for may be ordered already."""
    patient = situation.context.patient
    lost = is_lost(Query.REQUESTS, patient)
    return (Gap(Query.REQUESTS.value, why_lost(Query.REQUESTS, patient)),) if lost else ()


def _cut_short(situation: Situation) -> tuple[Query, ...]:
    """The lost queries that may have held more of the results on which the table rests."""
    patient, knowledge = situation.context.patient, situation.context.knowledge
    told = [view.marker for view in situation.views if view.knowledge.readings]
    telling = dict.fromkeys(query for marker in told for query in queries_telling(marker, knowledge))
    return tuple(query for query in telling if is_lost(query, patient))


def _diagnoses_lost(situation: Situation) -> tuple[Gap, ...]:
    """Where a problem list that was lost may tell an open gene by a diagnosis."""
    context = situation.context
    genes = [context.knowledge.genes.get(name_of(marker)) for marker in situation.open_markers()]
    if context.is_lost(Fact.CONDITION) and any(gene.listed for gene in genes if gene is not None):
        return (Gap(Fact.CONDITION.value, context.why_unknown(Fact.CONDITION)),)
    return ()


def _reopened(decision: Decision, policy: Policy) -> list[str]:
    """The markers of which something would be said had none of the results been obtained."""
    if not _cut_short(decision.situation):
        return []
    unread = _without_results(decision, policy)
    return [q.marker for q in unread.questions if q.fires or may_be_hidden(q, unread)]


def _events_lost(decision: Decision, policy: Policy) -> tuple[Gap, ...]:
    """Where a result that labelling requires is on file, and what may have spoiled it was lost."""
    situation = decision.situation
    context = situation.context
    if not context.is_lost(Fact.CONDITION):
        return ()
    doubtful = {
        view.marker
        for view in situation.views
        if any(may_be_spoiled(view.marker, reading, context.knowledge) for reading in view.knowledge.readings)
    }
    asked = _without_results(decision, policy).questions if doubtful else ()
    if any(q.marker in doubtful and q.testing is Testing.REQUIRED and q.fires for q in asked):
        return (Gap(Fact.CONDITION.value, context.why_unknown(Fact.CONDITION)),)
    return ()


def _without_results(decision: Decision, policy: Policy) -> Decision:
    """What would be decided had no result been obtained."""
    situation = decision.situation
    unread = situation_of(situation.table, _without_readings(situation), policy)
    return decide(unread, policy, decision.floor)


def _without_readings(situation: Situation) -> Context:
    context = situation.context
    return replace(context, patient=replace(context.patient, readings=()), gathered=Gathered())


def _medicines_lost(decision: Decision, policy: Policy) -> tuple[Gap, ...]:
    """Where a medicine that was lost, or may be taken still, could act on a marker so that the order changes."""
    context, now = decision.situation.context, decision.now.resulting
    if context.is_lost(Fact.COMEDICATION) and any(o != now for o in _shifted_outcomes(decision, policy)):
        return (Gap(Fact.COMEDICATION.value, context.why_unknown(Fact.COMEDICATION)),)
    return tuple(Gap(drug, GapReason.SUPPLY_USED_UP) for drug in dict.fromkeys(_doubtful(decision, policy)))


def _doubtful(decision: Decision, policy: Policy) -> Iterator[str]:
    """The drugs that may be taken still and would act on a marker so that the order changes otherwise than now."""
    situation, now = decision.situation, decision.now.resulting
    drugs = situation.context.doubtful_drugs()
    for marker in situation.markers if drugs else ():
        modifier = modifier_of(marker, situation.context, policy)
        if modifier is not None:
            for found in inhibitors_among(drugs, modifier, situation.context):
                shift = Shift(modifier.factors[found.strength], (), inferred=False)
                if any(outcome != now for outcome in outcomes_under(shift, marker, situation)):
                    yield found.drug


def _shifted_outcomes(decision: Decision, policy: Policy) -> Iterator[ResultingOrder]:
    situation = decision.situation
    for marker in situation.markers:
        modifier = modifier_of(marker, situation.context, policy)
        for factor in modifier.factors.values() if modifier is not None else ():
            yield from outcomes_under(Shift(factor, (), inferred=False), marker, situation)
