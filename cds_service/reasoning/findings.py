"""Decision -> findings: which of the closed set of kinds it is, how urgent, and whether it is shown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from cds_service.knowledge.reach import keys_named
from cds_service.knowledge.schema import Fact
from cds_service.model import (
    Action,
    DoseArithmetic,
    DoseChange,
    DosePhase,
    Finding,
    Gap,
    GapReason,
    Harm,
    Indeterminate,
    Indicator,
    Kind,
    Known,
    Option,
    Preliminary,
    ResultingOrder,
    Silence,
    Testing,
    TestQuestion,
    UsedFact,
)
from cds_service.policy import Policy
from cds_service.reasoning.apply import AS_DRAFTED, arithmetic, departs
from cds_service.reasoning.asking import testing_level
from cds_service.reasoning.context import Context
from cds_service.reasoning.decide import Basis, Decision
from cds_service.reasoning.exposure import is_taken
from cds_service.reasoning.losses import doubts, lost_beside, requests_lost
from cds_service.reasoning.measures import facts_lacking, is_measured
from cds_service.reasoning.predicates import Truth, why_not_known
from cds_service.reasoning.preliminary import preliminary_of
from cds_service.reasoning.questions import Asked, MarkerQuestion, Status
from cds_service.reasoning.rechecks import rechecks
from cds_service.reasoning.silence import never_shown, silence_of
from cds_service.reasoning.states import INHERITED
from cds_service.reasoning.tables import Situation
from cds_service.reasoning.urgency import conflict_contraindicates, indicator_of_change, indicator_of_question
from cds_service.reasoning.used import used_facts, weight_used

_KINDS = {
    Status.CONFLICT: Kind.RESULTS_CONFLICT,
    Status.OPEN: Kind.TEST_WOULD_CHANGE,
    Status.CONFIRM: Kind.CONFIRM_RESULT,
    Status.PENDING: Kind.TEST_PENDING,
    Status.NOT_OBTAINED: Kind.NOT_ASSESSED,
    Status.ON_FILE: Kind.NOT_ASSESSED,
    Status.UNCLEAR: Kind.NOT_ASSESSED,
}
_BESIDE = frozenset({Action.MONITOR, Action.COUNSEL})
_ASKED_FOR = frozenset({Testing.REQUIRED, Testing.RECOMMENDED})
"""Of a measured marker that is asked for at a risk only, nobody expects a test where there is none."""
_Kinds = list[tuple[Kind, Asked]]
_IN_ORDER = tuple(dict.fromkeys(_KINDS.values()))


def findings_of(
    decision: Decision, fit: Truth, policy: Policy, quotes: tuple[str, ...] = (), moot: Silence = Silence.SHOWN
) -> list[Finding]:
    """The findings of one table. `fit` is how its population was found to fit: where that is not known, the
    table's own question is the missing fact. `quotes` are tables of other sources that say something else; `moot` is
    the rule that keeps all of it silent, if there is one."""
    telling = _Telling(decision, fit, quotes, moot, lost_beside(decision, policy), policy)
    never = never_shown(decision, policy)
    if fit.holds is None:
        return [_population_unknown(telling, never)]
    found = _of_what_is_known(telling, never, policy)
    told = preliminary_of(decision, policy)
    return found if told is None else _with_preliminary(found, told, telling, never)


def _with_preliminary(found: list[Finding], told: Preliminary, telling: _Telling, never: Silence) -> list[Finding]:
    """What is shown says it too; where nothing is, it is a finding of its own."""
    place = next((n for n, finding in enumerate(found) if not finding.silent), None)
    if place is not None:
        return [*found[:place], replace(found[place], preliminary=told), *found[place + 1 :]]
    own = telling.finding(Kind.TEST_PENDING, never)
    about = {view.marker for view in told.markers}
    return [replace(own, preliminary=told, markers=tuple(v for v in own.markers if v.marker in about)), *found]


def _of_what_is_known(telling: _Telling, never: Silence, policy: Policy) -> list[Finding]:
    decision = telling.decision
    closed = _closed(decision)
    kinds = _kinds(decision, policy)
    if (lost := doubts(decision, policy)) and not _interrupts(kinds, decision):
        return [telling.finding(Kind.NOT_ASSESSED, never, gaps=lost)]
    found = [_finding_of(kind, asked, telling, never, closed) for kind, asked in kinds]
    if decision.changes_now and closed:
        # What is closed stands or falls with the change that closes it.
        silent = found[0].silent or Silence.NO_TEST_CHANGES
        found.insert(1, telling.finding(Kind.NO_TEST_CHANGES, silent, closed=closed))
    return found


def speaks(decision: Decision, policy: Policy) -> bool:
    """Whether a table that fits for certain shows any finding."""
    if never_shown(decision, policy):
        return False
    return _interrupts(_kinds(decision, policy), decision)


def _interrupts(kinds: _Kinds, decision: Decision) -> bool:
    return not all(silence_of(kind, asked, decision) for kind, asked in kinds)


def _kinds(decision: Decision, policy: Policy) -> _Kinds:
    """What is said, and of which questions: what changes now with the open questions beside it, else one for each
    kind, and what is to be done beside the order where none of them is asked."""
    questions, changes_now = decision.questions, decision.changes_now
    told = [q for q in questions if not (changes_now and q.status is Status.OPEN)]
    kinds = {_KINDS[q.status] for q in told}
    asked = [(kind, [q for q in told if _KINDS[q.status] is kind]) for kind in _IN_ORDER if kind in kinds]
    if changes_now:
        return [(Kind.CHANGE_NOW, []), *asked]
    settled = _settled(decision, policy)
    beside: _Kinds = [(settled, [])] if settled is Kind.CHANGE_NOW and not any(q.fires for q in told) else []
    return [*beside, *asked] or [(settled, [])]


def _settled(decision: Decision, policy: Policy) -> Kind:
    """Nothing changes the order now: because other tables decide, or until a value is looked at again."""
    if departs(decision.floor) and _closed(decision):
        return Kind.NO_TEST_CHANGES
    if _rechecks(decision, policy):
        return Kind.TEST_WOULD_CHANGE
    return Kind.CHANGE_NOW if _is_done_beside(decision) else Kind.NO_CHANGE


def _is_done_beside(decision: Decision) -> bool:
    """Whether a result that labelling or guidance asks for is here, or one that is inherited, and something is to be
    done beside the order as drafted because of a harm (a closer watch, a word to the patient). A value that is to be
    looked at again is a recheck, and of what is prepared already nothing is left to say."""
    table, advice = decision.situation.table, decision.now.advice
    asked = any(
        testing_level(use, decision.situation) in _ASKED_FOR or marker.startswith(INHERITED)
        for marker, use in table.markers.items()
    )
    first = advice.options[0]
    is_told = first.action in _BESIDE or (first.action is Action.STANDARD and bool(first.note))
    is_beside = is_told and advice.harm is not Harm.NONE
    is_said_already = decision.now.row not in table.rows or any(option.recheck for option in advice.options)
    return asked and is_beside and not is_said_already


def _rechecks(decision: Decision, policy: Policy) -> tuple[TestQuestion, ...]:
    return tuple(rechecks(decision.situation, decision.now.advice.options, policy))


@dataclass(frozen=True, slots=True)
class _Telling:
    """A decision with what its findings have in common."""

    decision: Decision
    fit: Truth
    quotes: tuple[str, ...]
    moot: Silence
    lost: tuple[Gap, ...]
    """What could ask for more than is said, and was lost."""
    policy: Policy

    def finding(
        self,
        kind: Kind,
        silent: Silence,
        indicator: Indicator = Indicator.INFO,
        *,
        closed: tuple[str, ...] = (),
        tests: tuple[TestQuestion, ...] = (),
        gaps: tuple[Gap, ...] = (),
        bridge: tuple[Option, ...] = (),
        hold: bool = False,
        further_may_ask_more: bool = False,
    ) -> Finding:
        """The finding, made at once with all that it says."""
        situation, now = self.decision.situation, self.decision.now
        context, resulting = situation.context, self._resulting(kind)
        reckoned = _arithmetic(resulting, context)
        return Finding(
            kind=kind,
            order=context.order,
            drug=context.drug,
            table=situation.table.id,
            row=now.row.id if now.row is not None else "",
            indicator=indicator,
            silent=silent or self.moot,
            markers=situation.views,
            resulting=resulting,
            decided=self.decision.floor,
            advice=now.row.advice if now.row is not None else None,
            arithmetic=reckoned,
            tests=tests,
            closed_markers=closed,
            assumptions=self.fit.assumptions,
            gaps=gaps,
            further_may_ask_more=further_may_ask_more,
            hold=hold,
            bridge=bridge,
            facts=self.fit.references,
            used=() if silent or self.moot else self._used(resulting.dose if reckoned else None),
            quotes=self.quotes,
        )

    def _used(self, reckoned: DoseChange | None) -> tuple[UsedFact, ...]:
        """What made the table fit, and the weight with which the new dose was reckoned."""
        situation = self.decision.situation
        found = used_facts(situation.table.population.fits, situation.context)
        weight = weight_used(reckoned, situation.context) if reckoned is not None else ()
        return tuple(dict.fromkeys((*found, *weight)))

    def _resulting(self, kind: Kind) -> ResultingOrder:
        """What becomes of the order: nothing by a test that changes nothing (the change itself does), nor by a table
        that is not known to fit."""
        nothing = kind is Kind.NO_TEST_CHANGES or self.fit.holds is None
        return AS_DRAFTED if nothing else self.decision.now.resulting


def _closed(decision: Decision) -> tuple[str, ...]:
    """Markers commonly asked for here that are not known and whose test could not change the order now. Of the
    measured ones, those that labelling or guidance asks for."""
    unknown = [v.marker for v in decision.situation.views if not isinstance(v.knowledge, Known)]
    if not unknown:
        return ()
    asked = [q.marker for q in decision.questions]
    uses = decision.situation.table.markers
    return tuple([m for m in unknown if m not in asked and (uses[m].testing in _ASKED_FOR or not is_measured(m))])


def _population_unknown(telling: _Telling, never: Silence) -> Finding:
    decision = telling.decision
    matters = decision.changes_now or any(q.fires for q in decision.questions)
    gaps = _facts_missing(telling.fit.missing, decision.situation)
    moot = Silence.SHOWN if matters else Silence.WOULD_NOT_CHANGE
    return telling.finding(Kind.NOT_ASSESSED, never or moot, gaps=gaps)


def _facts_missing(facts: Iterable[str], situation: Situation) -> tuple[Gap, ...]:
    return tuple(gap for fact in dict.fromkeys(facts) for gap in _gaps_of_fact(fact, situation))


def _gaps_of_fact(fact: str, situation: Situation) -> tuple[Gap, ...]:
    """Why the fact is not known. Medicines that may be taken still are named."""
    context = situation.context
    if fact == Fact.COMEDICATION and not context.is_lost(Fact.COMEDICATION):
        doubtful = context.doubtful_of(tuple(keys_named(situation.table.population.fits, {Fact.COMEDICATION})))
        if doubtful:
            return tuple(Gap(drug, GapReason.SUPPLY_USED_UP) for drug in sorted(doubtful))
    return (Gap(fact, why_not_known(fact, context)),)


def _finding_of(kind: Kind, asked: Asked, telling: _Telling, never: Silence, closed: tuple[str, ...]) -> Finding:
    decision = telling.decision
    silent = never or silence_of(kind, asked, decision)
    if kind is Kind.CHANGE_NOW:
        return telling.finding(
            kind,
            silent,
            indicator_of_change(decision),
            closed=closed,
            tests=_tests(q for q in decision.questions if q.fires and q.status is Status.OPEN),
            hold=conflict_contraindicates(decision),
            gaps=telling.lost,
            further_may_ask_more=decision.basis is Basis.MILDEST,
        )
    if asked:
        return _questioned(kind, asked, telling, silent)
    again = _rechecks(decision, telling.policy) if kind is Kind.TEST_WOULD_CHANGE else ()
    return telling.finding(kind, silent, closed=closed, tests=again, gaps=telling.lost if again else ())


def _questioned(kind: Kind, asked: Asked, telling: _Telling, silent: Silence) -> Finding:
    decision = telling.decision
    told = [q for q in asked if q.fires] or asked
    hold = decision.holds_order or (kind is Kind.RESULTS_CONFLICT and conflict_contraindicates(decision))
    return telling.finding(
        kind,
        silent,
        indicator_of_question(kind, asked, decision.situation.context.order, hold=hold),
        tests=_tests(told),
        gaps=_gaps(kind, told, telling),
        bridge=tuple(option for q in told for option in q.use.bridge),
        hold=hold,
    )


def _tests(questions: Iterable[MarkerQuestion]) -> tuple[TestQuestion, ...]:
    return tuple(q.question for q in questions if q.question is not None)


def _gaps(kind: Kind, questions: list[MarkerQuestion], telling: _Telling) -> tuple[Gap, ...]:
    situation = telling.decision.situation
    if kind is Kind.TEST_WOULD_CHANGE:
        return telling.lost + requests_lost(situation) + _facts_needed_too(questions, situation)
    if kind is not Kind.NOT_ASSESSED:
        return telling.lost
    return tuple(dict.fromkeys(gap for q in questions for gap in _gaps_of(q, situation)))


def _facts_needed_too(questions: Iterable[MarkerQuestion], situation: Situation) -> tuple[Gap, ...]:
    """The facts without which a result would not tell the markers."""
    patient = situation.context.patient
    return _facts_missing((fact for q in questions for fact in facts_lacking(q.marker, patient)), situation)


def _gaps_of(question: MarkerQuestion, situation: Situation) -> tuple[Gap, ...]:
    """The facts that were lost, where they would tell whether to ask; else why the marker's result is not there."""
    if question.lost:
        return _facts_missing(question.lost, situation)
    known = situation.view(question.marker).knowledge
    if getattr(known, "reason", None) is GapReason.NEEDS_FACTS:
        return _facts_needed_too([question], situation)
    is_of_variant = isinstance(known, Indeterminate) and known.is_of_uncertain_variant
    unclear = GapReason.UNCERTAIN_SIGNIFICANCE if is_of_variant else GapReason.NO_CLEAR_RESULT
    return (Gap(question.marker, getattr(known, "reason", unclear)),)


def _arithmetic(resulting: ResultingOrder, context: Context) -> DoseArithmetic | None:
    """How the new dose is reckoned. A share of the usual dose is not taken of a dose that may be that share already:
    one drafted anew for a drug that is taken, or any once the start is over."""
    change, order = resulting.dose, context.order
    share = change is not None and change.factor is not None
    begun = not order.active or (change is not None and change.phase is DosePhase.START)
    if share and begun and is_taken(context):
        return None
    return arithmetic(resulting, order, context.patient.weight_kg)
