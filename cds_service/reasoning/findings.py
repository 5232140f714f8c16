"""Decision -> findings: which of the closed set of kinds it is, how urgent, and whether it is shown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from cds_service.knowledge.schema import Table
from cds_service.model import (
    Finding,
    Gap,
    Gravity,
    Harm,
    Indicator,
    Kind,
    Known,
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


def findings_of(decision: Decision, fit: Truth, policy: Policy) -> Iterator[Finding]:
    """The findings of one table. `fit` is how its population was found to fit: where that is not known, the
    table's own question is the missing fact."""
    base = _base(decision, fit)
    if fit.holds is None:
        yield _population_unknown(decision, base, fit, policy)
        return
    found = list(_kinds(decision, base))
    for n, finding in enumerate(found):
        yield replace(finding, indicator=indicator_of(finding, decision), silent=_silence(finding, decision, policy))
        if n == 0 and finding.kind is Kind.CHANGE_NOW and finding.closed_markers:
            yield replace(base, kind=Kind.NO_TEST_CHANGES, silent="no_test_changes")


def _base(decision: Decision, fit: Truth) -> Finding:
    situation, now = decision.situation, decision.now
    context = situation.context
    return Finding(
        kind=Kind.NO_CHANGE,
        order=context.order,
        drug=context.drug,
        table=situation.table.id,
        row=now.row.id if now.row is not None else "",
        markers=situation.views,
        resulting=now.resulting,
        advice=now.advice if now.row is not None else None,
        arithmetic=arithmetic(now.resulting, context.order, context.patient.weight_kg),
        closed_markers=_closed(decision),
        assumptions=fit.assumptions,
        facts=fit.references,
    )


def _closed(decision: Decision) -> tuple[str, ...]:
    """Markers commonly asked for here that are not known and whose test could not change the order now. Of the
    measured ones, those that labelling or guidance asks for."""
    asked = {q.marker for q in decision.questions}
    uses = decision.situation.table.markers
    return tuple(
        v.marker
        for v in decision.situation.views
        if v.marker not in asked
        and not isinstance(v.knowledge, Known)
        and not (is_measured(v.marker) and uses[v.marker].testing is Testing.NONE)
    )


def _population_unknown(decision: Decision, base: Finding, fit: Truth, policy: Policy) -> Finding:
    matters = decision.changes_now or any(q.fires for q in decision.questions)
    silence = _never_shown(decision, policy) or ("" if matters else "would_not_change")
    gaps = tuple(Gap(fact, "fact_not_known") for fact in dict.fromkeys(fit.missing))
    return replace(base, kind=Kind.NOT_ASSESSED, gaps=gaps, closed_markers=(), silent=silence)


def _kinds(decision: Decision, base: Finding) -> Iterator[Finding]:
    """The decision's findings: what changes now with the open questions beside it, else one for each status."""
    questions = decision.questions
    if decision.changes_now:
        yield replace(
            base,
            kind=Kind.CHANGE_NOW,
            tests=_tests(q for q in questions if q.fires and q.status is Status.OPEN),
            further_may_ask_more=decision.basis is Basis.MILDEST,
            hold=_conflict_contraindicates(decision),
        )
    by_status = [(kind, [q for q in questions if q.status is status]) for status, kind in _KINDS]
    rest = [(kind, found) for kind, found in by_status if found]
    if decision.changes_now:
        rest = [(kind, found) for kind, found in rest if kind is not Kind.TEST_WOULD_CHANGE]
    elif not rest:
        yield _settled(decision, base)
    for kind, found in rest:
        yield _questioned(kind, found, decision, base)


def _settled(decision: Decision, base: Finding) -> Finding:
    """Nothing changes the order now: because other tables decide, or until a value is looked at again."""
    if departs(decision.floor) and base.closed_markers:
        return replace(base, kind=Kind.NO_TEST_CHANGES)
    again = tuple(rechecks(decision.situation, decision.now.advice.options))
    return replace(base, kind=Kind.TEST_WOULD_CHANGE if again else Kind.NO_CHANGE, tests=again)


def _questioned(kind: Kind, found: list[MarkerQuestion], decision: Decision, base: Finding) -> Finding:
    firing = [q for q in found if q.fires]
    told = firing or found
    return replace(
        base,
        kind=kind,
        tests=_tests(told),
        closed_markers=(),
        hold=decision.holds_order or (kind is Kind.RESULTS_CONFLICT and _conflict_contraindicates(decision)),
        bridge=tuple(option for q in told for option in q.use.bridge),
        gaps=_gaps(kind, told, decision.situation),
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


def indicator_of(finding: Finding, decision: Decision) -> Indicator:
    """By the rules of the indicators: critical only for contraindication or grave toxicity that was read."""
    match finding.kind:
        case Kind.CHANGE_NOW:
            return _indicator_of_change(decision)
        case Kind.TEST_WOULD_CHANGE:
            asked = (q for q in decision.questions if q.status is Status.OPEN and q.fires)
            required = any(q.testing is Testing.REQUIRED for q in asked)
            return Indicator.WARNING if required else Indicator.INFO
        case Kind.RESULTS_CONFLICT:
            return Indicator.WARNING if finding.hold else Indicator.INFO
        case _:
            return Indicator.INFO


def _indicator_of_change(decision: Decision) -> Indicator:
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


def _silence(finding: Finding, decision: Decision, policy: Policy) -> str:
    """Empty where the finding is shown, else the rule that keeps it silent."""
    never = _never_shown(decision, policy)
    if never:
        return never
    match finding.kind:
        case Kind.CHANGE_NOW:
            return "tolerated" if _is_tolerated_change(decision) else ""
        case Kind.RESULTS_CONFLICT:
            return ""
        case Kind.NO_CHANGE | Kind.NO_TEST_CHANGES:
            return finding.kind.value
        case Kind.CONFIRM_RESULT:
            return _silence_of(finding, decision, or_departs=True)
        case _:
            return _silence_of(finding, decision, or_departs=False)


def _never_shown(decision: Decision, policy: Policy) -> str:
    """The rule that keeps the whole table silent, whatever it finds."""
    if trust_of(decision.situation.table, decision.now) is Trust.RECALLED:
        return "recalled"
    table, context = decision.situation.table, decision.situation.context
    return "policy_silent" if switch_of(table, context, policy) is Switch.SILENT else ""


def _silence_of(finding: Finding, decision: Decision, *, or_departs: bool) -> str:
    status = next(status for status, kind in _KINDS if kind is finding.kind)
    asked = [q for q in decision.questions if q.status is status]
    if any(q.fires for q in asked):
        return ""
    if or_departs and any(_says_depart(q, decision) for q in asked):
        return ""
    return asked[0].silent if asked else ""


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
    for name in (table.id, context.drug):
        if name in policy.guidance:
            return policy.guidance[name]
    found = [policy.guidance[m] for m in table.markers if m in policy.guidance]
    return found[0] if found and len(found) == len(table.markers) else Switch.ON
