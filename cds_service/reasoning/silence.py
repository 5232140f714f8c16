"""Whether a finding is shown, or which rule keeps it silent."""

from __future__ import annotations

from datetime import date

from cds_service.knowledge.reach import least_exposure_days
from cds_service.knowledge.schema import Table
from cds_service.model import (
    Advice,
    GapReason,
    Gravity,
    Kind,
    Outcome,
    ResultingOrder,
    Silence,
    Trust,
    Unavailable,
    is_of_tumour,
    latest,
)
from cds_service.policy import Policy, Switch
from cds_service.reasoning.apply import departs
from cds_service.reasoning.decide import Decision
from cds_service.reasoning.exposure import last_prescribed, taken_days
from cds_service.reasoning.questions import Asked, MarkerQuestion
from cds_service.reasoning.states import INHERITED
from cds_service.reasoning.tables import Reached, Situation, states_if_verified
from cds_service.reasoning.tolerance import companions, is_dose_taken, is_tolerated_change


def silence_of(kind: Kind, asked: Asked, decision: Decision) -> Silence:
    """SHOWN where the finding is shown, else the rule that keeps it silent."""
    match kind:
        case Kind.CHANGE_NOW if is_tolerated_change(decision.now, decision.situation):
            return Silence.TOLERATED
        case Kind.CHANGE_NOW:
            return Silence.SAID_BEFORE if _was_said_before(decision) else Silence.SHOWN
        case Kind.RESULTS_CONFLICT:
            return Silence.SHOWN
        case Kind.NO_CHANGE:
            return Silence.NO_CHANGE
        case Kind.NO_TEST_CHANGES:
            return Silence.NO_TEST_CHANGES
        case _ if not asked or any(q.fires for q in asked):
            return Silence.SHOWN
        case Kind.CONFIRM_RESULT if any(_says_depart(q, decision) for q in asked):
            return Silence.SHOWN
        case Kind.NOT_ASSESSED if any(may_be_hidden(q, decision) for q in asked):
            return Silence.SHOWN
        case _:
            return asked[0].silent


def never_shown(decision: Decision, policy: Policy) -> Silence:
    """The rule that keeps the whole table silent, whatever it finds."""
    table, context = decision.situation.table, decision.situation.context
    if table.trust_of(decision.now.row) is Trust.RECALLED:
        return Silence.RECALLED
    is_silent = switch_of(table, context.drug, policy) is Switch.SILENT
    return Silence.POLICY_SILENT if is_silent else Silence.SHOWN


def _was_said_before(decision: Decision) -> bool:
    """Whether what is to be done beside the order as drafted, or a dose that it asks for, rests on results that were
    there when the drug was last prescribed, so: whoever did so was told. Of grave harm everybody is told, and of a
    dose that is feared to do serious harm."""
    advice, resulting = decision.now.advice, decision.now.resulting
    if advice.gravity is Gravity.FATAL_OR_IRREVERSIBLE or not _may_stand(advice, resulting, decision.situation):
        return False
    prescribed = last_prescribed(decision.situation.context)
    if prescribed is None or not _fitted_on(prescribed, decision.situation):
        return False
    days = [r.on for view in decision.situation.views for r in view.knowledge.readings if r.on is not None]
    return bool(days) and all(latest(day) <= prescribed for day in days)


def _fitted_on(day: date, situation: Situation) -> bool:
    """Whether the drug had been taken for long enough by that day for the table to speak, and the medicines of which
    it speaks were taken too."""
    context = situation.context
    since = (context.today - day).days
    # A table for every order but the first (one day and more) follows one for the first, which speaks then.
    long_enough = taken_days(context.drug, context) - since + 1 >= least_exposure_days(situation.table)
    return long_enough and all(taken_days(drug, context) >= max(since, 1) for drug in companions(situation))


def _may_stand(advice: Advice, resulting: ResultingOrder, situation: Situation) -> bool:
    """Whether nothing becomes of the order, or another dose than the one taken for fear of no serious harm."""
    if not departs(resulting):
        return True
    is_minor = resulting.outcome is Outcome.CHANGED_DOSE and advice.gravity is not Gravity.SERIOUS
    return is_minor and is_dose_taken(advice.harm, situation.context)


def _says_depart(question: MarkerQuestion, decision: Decision) -> bool:
    """Whether what the unverified reading says would change the order if it were true."""
    situation, marker = decision.situation, question.marker
    place = situation.markers.index(marker)
    domain = situation.domains[place]
    acting = (situation.acting(marker, states_if_verified(marker, situation)) & domain) or domain
    return any(departs(r.resulting) for a, r in situation.reached.items() if a[place] in acting)


def may_be_hidden(question: MarkerQuestion, decision: Decision) -> bool:
    """Whether a result that nobody would ask for may be on file and was lost: a tumour's, since tumours are tested;
    of a gene in someone who has results on genes; and any that would save from fatal or irreversible harm."""
    situation = decision.situation
    known = situation.view(question.marker).knowledge
    was_lost = isinstance(known, Unavailable) and known.reason is not GapReason.MISSING
    if not was_lost or question.silent is Silence.TOLERATED:
        return False
    is_usual = is_of_tumour(question.marker) or _is_of_tested_genes(question.marker, situation)
    return is_usual or any(_saves(reached) for reached in situation.reached.values())


def _is_of_tested_genes(marker: str, situation: Situation) -> bool:
    observables = (reading.observable for reading in situation.context.patient.readings)
    return marker.startswith(INHERITED) and any(observable.startswith(INHERITED) for observable in observables)


def _saves(reached: Reached) -> bool:
    return reached.advice.gravity is Gravity.FATAL_OR_IRREVERSIBLE and departs(reached.resulting)


def switch_of(table: Table, drug: str, policy: Policy) -> Switch:
    """The policy's switch for the table: the table's own, else the drug's, else its markers' or those of their
    kinds."""
    guidance = policy.guidance
    if not guidance:
        return Switch.ON
    for name in (table.id, drug):
        if name in guidance:
            return guidance[name]
    named = [(m if m in guidance else m.partition(":")[0]) for m in table.markers]
    found = [guidance[name] for name in named if name in guidance]
    return found[0] if found and len(found) == len(table.markers) else Switch.ON
