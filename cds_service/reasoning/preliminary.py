"""What preliminary results would make of an order if they were confirmed: told, and deciding nothing.

Only the rare patient with a preliminary result pays for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from cds_service.model import FUTURE, Kind, MarkerView, Patient, Preliminary, Reading, ReadingStatus
from cds_service.policy import Policy
from cds_service.reasoning.apply import severity
from cds_service.reasoning.context import Gathered
from cds_service.reasoning.decide import Decision, decide
from cds_service.reasoning.silence import never_shown, silence_of
from cds_service.reasoning.states import INHERITED
from cds_service.reasoning.tables import situation_of


def preliminary_of(decision: Decision, policy: Policy) -> Preliminary | None:
    """What preliminary results speak for against the order, where that is more than what is said now."""
    found = {r.reference for r in decision.situation.context.patient.readings if _is_preliminary(r)}
    if not found:
        return None
    confirmed = _if_confirmed(decision, policy)
    now = max(decision.now.resulting, decision.floor, key=severity)
    telling = tuple(_views(confirmed, found))
    more = confirmed.changes_now and severity(confirmed.now.resulting) > severity(now)
    silent = never_shown(confirmed, policy) or silence_of(Kind.CHANGE_NOW, [], confirmed)
    if not (more and telling) or silent:
        return None
    return Preliminary(telling, confirmed.now.resulting, confirmed.now.advice)


def _is_preliminary(reading: Reading) -> bool:
    return reading.status is ReadingStatus.PRELIMINARY and reading.says != FUTURE


def _if_confirmed(decision: Decision, policy: Policy) -> Decision:
    """The decision as it would be if the preliminary results were final."""
    context = decision.situation.context
    patient = replace(context.patient, readings=tuple(_confirmed(context.patient)))
    confirmed = replace(context, patient=patient, gathered=Gathered())
    return decide(situation_of(decision.situation.table, confirmed, policy), policy, decision.floor)


def _confirmed(patient: Patient) -> Iterator[Reading]:
    """The readings with the preliminary ones as final. Of a lifelong marker those count alone: beside an earlier
    result that says otherwise it is asked what they themselves would mean."""
    told = {r.observable for r in patient.readings if _is_preliminary(r) and r.observable.startswith(INHERITED)}
    for reading in patient.readings:
        if _is_preliminary(reading):
            yield replace(reading, status=ReadingStatus.FINAL)
        elif reading.observable not in told:
            yield reading


def _views(confirmed: Decision, found: set[str]) -> Iterator[MarkerView]:
    """The markers that rest on a preliminary result, with those results as they are."""
    for view in confirmed.situation.views:
        told = [r for r in view.knowledge.readings if r.reference in found]
        if told:
            readings = tuple(replace(r, status=ReadingStatus.PRELIMINARY) for r in told)
            yield replace(view, knowledge=replace(view.knowledge, readings=readings))
