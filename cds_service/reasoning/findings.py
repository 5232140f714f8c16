"""Decision -> findings: which of the closed set of kinds it is, how urgent, and whether it is shown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cds_service.knowledge.schema import Table
from cds_service.model import (
    Finding,
    Gap,
    Gravity,
    Harm,
    Indicator,
    Kind,
    Known,
    Option,
    Testing,
    TestQuestion,
    Trust,
)
from cds_service.policy import Policy, Switch
from cds_service.reasoning.apply import arithmetic, departs
from cds_service.reasoning.context import Context
from cds_service.reasoning.decide import (
    CONTRAINDICATING,
    Basis,
    Decision,
    MarkerQuestion,
    Status,
    is_tolerated,
    lines_of,
)
from cds_service.reasoning.measures import is_measured
from cds_service.reasoning.predicates import Truth
from cds_service.reasoning.rechecks import rechecks
from cds_service.reasoning.states import states_if_verified
from cds_service.reasoning.tables import Reached, Situation

_KINDS = (
    (Status.CONFLICT, Kind.RESULTS_CONFLICT),
    (Status.OPEN, Kind.TEST_WOULD_CHANGE),
    (Status.CONFIRM, Kind.CONFIRM_RESULT),
    (Status.PENDING, Kind.TEST_PENDING),
    (Status.NOT_OBTAINED, Kind.NOT_ASSESSED),
)


def findings_of(
    decision: Decision, fit: Truth, policy: Policy, quotes: tuple[str, ...] = (), moot: str = ""
) -> list[Finding]:
    """The findings of one table. `fit` is how its population was found to fit: where that is not known, the
    table's own question is the missing fact. `quotes` are tables of other sources that say something else; `moot` is
    the rule that keeps all of it silent, if there is one."""
    telling = _Telling(decision, fit, quotes, moot)
    never = _never_shown(decision, policy)
    if fit.holds is None:
        return [_population_unknown(telling, never)]
    closed = _closed(decision)
    found = [_told(kind, asked, telling, never, closed) for kind, asked in _kinds(decision)]
    if decision.changes_now and closed:
        found.insert(1, telling.finding(Kind.NO_TEST_CHANGES, Kind.NO_TEST_CHANGES.value, closed=closed))
    return found


def speaks(decision: Decision, policy: Policy) -> bool:
    """Whether a table that fits for certain shows any finding."""
    if _never_shown(decision, policy):
        return False
    return not all(_silence(kind, asked, decision) for kind, asked in _kinds(decision))


Asked = list[MarkerQuestion]
"""Questions of one status."""


def _kinds(decision: Decision) -> list[tuple[Kind, Asked]]:
    """What is said, and of which questions: what changes now with the open questions beside it, else one for each
    status."""
    questions, changes_now = decision.questions, decision.changes_now
    told = {q.status for q in questions if not (changes_now and q.status is Status.OPEN)}
    asked = [(kind, [q for q in questions if q.status is status]) for status, kind in _KINDS if status in told]
    if changes_now:
        return [(Kind.CHANGE_NOW, []), *asked]
    return asked or [(_settled(decision), [])]


def _settled(decision: Decision) -> Kind:
    """Nothing changes the order now: because other tables decide, or until a value is looked at again."""
    if departs(decision.floor) and _closed(decision):
        return Kind.NO_TEST_CHANGES
    return Kind.TEST_WOULD_CHANGE if _rechecks(decision) else Kind.NO_CHANGE


def _rechecks(decision: Decision) -> tuple[TestQuestion, ...]:
    return tuple(rechecks(decision.situation, decision.now.advice.options))


@dataclass(frozen=True, slots=True)
class _Telling:
    """A decision with what its findings have in common."""

    decision: Decision
    fit: Truth
    quotes: tuple[str, ...]
    moot: str

    def finding(
        self,
        kind: Kind,
        silent: str,
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
        context = situation.context
        return Finding(
            kind=kind,
            order=context.order,
            drug=context.drug,
            table=situation.table.id,
            row=now.row.id if now.row is not None else "",
            indicator=indicator,
            silent=silent or self.moot,
            markers=situation.views,
            resulting=now.resulting,
            advice=now.row.advice if now.row is not None else None,
            arithmetic=arithmetic(now.resulting, context.order, context.patient.weight_kg),
            tests=tests,
            closed_markers=closed,
            assumptions=self.fit.assumptions,
            gaps=gaps,
            further_may_ask_more=further_may_ask_more,
            hold=hold,
            bridge=bridge,
            facts=self.fit.references,
            quotes=self.quotes,
        )


def _closed(decision: Decision) -> tuple[str, ...]:
    """Markers commonly asked for here that are not known and whose test could not change the order now. Of the
    measured ones, those that labelling or guidance asks for."""
    unknown = [v.marker for v in decision.situation.views if not isinstance(v.knowledge, Known)]
    if not unknown:
        return ()
    asked = [q.marker for q in decision.questions]
    uses = decision.situation.table.markers
    return tuple([m for m in unknown if m not in asked and not (uses[m].testing is Testing.NONE and is_measured(m))])


def _population_unknown(telling: _Telling, never: str) -> Finding:
    decision = telling.decision
    matters = decision.changes_now or any(q.fires for q in decision.questions)
    gaps = tuple(Gap(fact, "fact_not_known") for fact in dict.fromkeys(telling.fit.missing))
    return telling.finding(Kind.NOT_ASSESSED, never or ("" if matters else "would_not_change"), gaps=gaps)


def _told(kind: Kind, asked: Asked, telling: _Telling, never: str, closed: tuple[str, ...]) -> Finding:
    decision = telling.decision
    silent = never or _silence(kind, asked, decision)
    if kind is Kind.CHANGE_NOW:
        return telling.finding(
            kind,
            silent,
            _indicator_of_change(decision),
            closed=closed,
            tests=_tests(q for q in decision.questions if q.fires and q.status is Status.OPEN),
            hold=_conflict_contraindicates(decision),
            further_may_ask_more=decision.basis is Basis.MILDEST,
        )
    if asked:
        return _questioned(kind, asked, telling, silent)
    again = _rechecks(decision) if kind is Kind.TEST_WOULD_CHANGE else ()
    return telling.finding(kind, silent, closed=closed, tests=again)


def _questioned(kind: Kind, asked: Asked, telling: _Telling, silent: str) -> Finding:
    decision = telling.decision
    told = [q for q in asked if q.fires] or asked
    hold = decision.holds_order or (kind is Kind.RESULTS_CONFLICT and _conflict_contraindicates(decision))
    return telling.finding(
        kind,
        silent,
        _indicator_of_question(kind, asked, hold=hold),
        tests=_tests(told),
        gaps=_gaps(kind, told, decision.situation),
        bridge=tuple(option for q in told for option in q.use.bridge),
        hold=hold,
    )


def _tests(questions: Iterable[MarkerQuestion]) -> tuple[TestQuestion, ...]:
    return tuple(q.question for q in questions if q.question is not None)


def _gaps(kind: Kind, questions: list[MarkerQuestion], situation: Situation) -> tuple[Gap, ...]:
    if kind is not Kind.NOT_ASSESSED:
        return ()
    views = (situation.view(q.marker) for q in questions)
    return tuple(Gap(v.marker, getattr(v.knowledge, "reason", "not_available")) for v in views)


def _conflict_contraindicates(decision: Decision) -> bool:
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


# --- how urgent ----------------------------------------------------------------------------------------------------


def _indicator_of_question(kind: Kind, asked: Asked, *, hold: bool) -> Indicator:
    if kind is Kind.TEST_WOULD_CHANGE:
        required = any(q.fires and q.testing is Testing.REQUIRED for q in asked)
        return Indicator.WARNING if required else Indicator.INFO
    return Indicator.WARNING if kind is Kind.RESULTS_CONFLICT and hold else Indicator.INFO


def _indicator_of_change(decision: Decision) -> Indicator:
    """Critical only for contraindication or grave toxicity that was read."""
    advice, table = decision.now.advice, decision.situation.table
    read = trust_of(table, decision.now) is Trust.READ
    label = decision.situation.context.knowledge.sources[table.source].kind == "label_contraindication"
    contraindicated = label and advice.options[0].action in CONTRAINDICATING
    grave = advice.gravity is Gravity.FATAL_OR_IRREVERSIBLE or contraindicated
    if read and grave and advice.harm is not Harm.LACK_OF_EFFECT:
        return Indicator.CRITICAL
    return Indicator.WARNING


def trust_of(table: Table, reached: Reached) -> Trust:
    """The row's trust, else its table's."""
    own = reached.row.trust if reached.row is not None else None
    return own or table.trust


# --- shown or silent ------------------------------------------------------------------------------------------------


def _silence(kind: Kind, asked: Asked, decision: Decision) -> str:
    """Empty where the finding is shown, else the rule that keeps it silent."""
    match kind:
        case Kind.CHANGE_NOW:
            return "tolerated" if _is_tolerated_change(decision) else ""
        case Kind.RESULTS_CONFLICT:
            return ""
        case Kind.NO_CHANGE | Kind.NO_TEST_CHANGES:
            return kind.value
        case _ if not asked or any(q.fires for q in asked):
            return ""
        case Kind.CONFIRM_RESULT if any(_says_depart(q, decision) for q in asked):
            return ""
        case _:
            return asked[0].silent


def _never_shown(decision: Decision, policy: Policy) -> str:
    """The rule that keeps the whole table silent, whatever it finds."""
    if trust_of(decision.situation.table, decision.now) is Trust.RECALLED:
        return "recalled"
    table, context = decision.situation.table, decision.situation.context
    return "policy_silent" if switch_of(table, context, policy) is Switch.SILENT else ""


def _says_depart(question: MarkerQuestion, decision: Decision) -> bool:
    """Whether what the unverified reading says would change the order if it were true."""
    situation, marker = decision.situation, question.marker
    context, place = situation.context, situation.markers.index(marker)
    states = frozenset(context.knowledge.rows_by_table[situation.table.id].states[marker])
    said = states_if_verified(marker, states, context.patient, context.knowledge)
    domain = situation.domains[place]
    acting = (situation.acting(marker, said) & domain) or domain
    return any(departs(r.resulting) for a, r in situation.reached.items() if a[place] in acting)


def _is_tolerated_change(decision: Decision) -> bool:
    """A change that concerns starting, in someone who has taken the drug for longer than the window. Grave
    toxicity is said all the same."""
    situation, advice = decision.situation, decision.now.advice
    if situation.table.concerns != "start" or not situation.markers:
        return False
    if advice.gravity is Gravity.FATAL_OR_IRREVERSIBLE:
        return False
    return all(is_tolerated(use, situation) for use in situation.table.markers.values())


def switch_of(table: Table, context: Context, policy: Policy) -> Switch:
    """The policy's switch for the table: the table's own, else the drug's, else one of its markers'."""
    guidance = policy.guidance
    if not guidance:
        return Switch.ON
    for name in (table.id, context.drug):
        if name in guidance:
            return guidance[name]
    found = [guidance[m] for m in table.markers if m in guidance]
    return found[0] if found and len(found) == len(table.markers) else Switch.ON
