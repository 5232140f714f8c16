"""evaluate(): every order with the others, every active medicine that a draft affects, every alternative."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date

from cds_service.effort import go_on
from cds_service.knowledge.base import Knowledge
from cds_service.knowledge.derived import reached_drugs
from cds_service.knowledge.schema import Fact, Table
from cds_service.model import (
    Advice,
    Alternative,
    Finding,
    Gap,
    GapReason,
    Indicator,
    Kind,
    Medication,
    Order,
    Outcome,
    Patient,
    Query,
    Refusal,
    ResultingOrder,
    Silence,
)
from cds_service.policy import Policy, Switch
from cds_service.reasoning.apply import AS_DRAFTED, departs, severity
from cds_service.reasoning.context import Context, Gathered
from cds_service.reasoning.decide import Decision, decide, floored
from cds_service.reasoning.findings import findings_of, speaks
from cds_service.reasoning.leading import Decided, leading_among, moot_by
from cds_service.reasoning.obtained import is_lost, why_lost
from cds_service.reasoning.predicates import FALSE, Truth, all_hold
from cds_service.reasoning.silence import switch_of
from cds_service.reasoning.tables import situation_of


def evaluate(
    orders: tuple[Order, ...], patient: Patient, knowledge: Knowledge, policy: Policy, today: date
) -> tuple[Finding, ...]:
    """All findings, shown and silent, for the selected orders, and for active medicines whose findings a draft
    changes (those carry `caused_by`).

    Pure: the same arguments give the same findings, and the order of resources makes no difference to them.
    """
    evaluator = _evaluator(orders, patient, knowledge, policy, today)
    found = [f for order in orders if order.selected for f in evaluator.of_order(order, _without(orders, order))]
    found += [f for draft in orders if draft.selected for f in evaluator.affected_by(draft, orders)]
    return tuple(found)


def _without(orders: tuple[Order, ...], order: Order) -> tuple[Order, ...]:
    """The other orders, the ones in question and the ones beside them. Active medicines under review stand among
    the patient's medicines already."""
    return tuple([o for o in orders if o is not order and not o.active])


@dataclass(frozen=True, slots=True)
class _Evaluator:
    patient: Patient
    knowledge: Knowledge
    policy: Policy
    today: date
    active: tuple[Medication, ...]
    """The medicines that the patient takes."""
    taken: frozenset[str]
    """Their ingredients."""
    beside: frozenset[str]
    """What is taken or drafted: all that a draft could matter to."""
    gathered: Gathered = field(default_factory=Gathered)

    def of_order(self, order: Order, others: tuple[Order, ...]) -> list[Finding]:
        """The findings of an order with its alternatives evaluated."""
        go_on()
        if not order.ingredients:
            return [self._not_recognised(order, self._why_no_drug(order))]
        unread = [self._not_recognised(order, GapReason.PARTLY_RECOGNISED)] if order.unread else []
        found = [f for drug in order.ingredients for f in self._of_drug(order, drug, others)]
        found += self._others_unseen(order, found)
        return [*unread, *(self._with_alternatives(f, order, others) for f in found)]

    def _others_unseen(self, order: Order, found: list[Finding]) -> Iterator[Finding]:
        """That the medicines taken could not be obtained, where the draft could change what is known of them and
        nothing says so already."""
        if not is_lost(Query.MEDICATIONS, self.patient) or order.active or not self._reached_by(order):
            return
        gap = Gap(Fact.COMEDICATION.value, why_lost(Query.MEDICATIONS, self.patient))
        if not any(gap in finding.gaps and not finding.silent for finding in found):
            yield Finding(Kind.NOT_ASSESSED, order, order.ingredients[0], table="", gaps=(gap,))

    def _why_no_drug(self, order: Order) -> GapReason:
        not_sent = (order.reference, GapReason.MEDICATION_NOT_AVAILABLE)
        is_there = all((gap.about, gap.reason) != not_sent for gap in self.patient.gaps)
        return GapReason.NOT_RECOGNISED if is_there else GapReason.MEDICATION_NOT_AVAILABLE

    def _not_recognised(self, order: Order, reason: GapReason) -> Finding:
        """What the order names is not known, not there, or not known in all its parts."""
        gap = Gap(order.reference, reason)
        is_said = self.policy.say_not_recognised or reason is GapReason.MEDICATION_NOT_AVAILABLE
        silent = Silence.SHOWN if is_said else Silence.POLICY_SILENT
        return Finding(Kind.NOT_ASSESSED, order, order.name, table="", gaps=(gap,), silent=silent)

    def _of_drug(self, order: Order, drug: str, others: tuple[Order, ...]) -> list[Finding]:
        tables = self.knowledge.tables_by_drug.get(drug, ())
        if not tables:
            return [Finding(Kind.NO_CHANGE, order, drug, table="", silent=Silence.NO_GUIDANCE)]
        context = Context(order, drug, self.patient, self.knowledge, self.today, others, self.gathered)
        return list(self._of_tables(tables, context))

    def _of_tables(self, tables: tuple[Table, ...], context: Context) -> Iterator[Finding]:
        go_on()
        route = context.route
        given = [t for t in tables if route in t.routes or "any" in t.routes]
        fitting = [(t, fit) for t in given if (fit := self._fit(t, context)).holds is not False]
        if not fitting:
            yield Finding(Kind.NO_CHANGE, context.order, context.drug, table="", silent=Silence.NO_TABLE_FITS)
            return
        leading = leading_among(fitting, self.knowledge, self.policy)
        decided = [(decide(situation_of(t, context, self.policy), self.policy), fit) for t, fit in fitting]
        decisions = [d for d in decided if d[0].situation.table.id in leading]
        led = [d for d in decided if d[0].situation.table.id not in leading]
        moot = [moot_by(d, decisions) for d in decisions]
        for (decision, fit), rule in zip(decisions, moot, strict=True):
            if rule:
                yield from findings_of(decision, fit, self.policy, moot=rule)
        yield from self._of_decisions([d for d, rule in zip(decisions, moot, strict=True) if not rule], led)

    def _of_decisions(self, decisions: list[Decided], led: list[Decided]) -> Iterator[Finding]:
        """Each with what the others already make of the order, and what sources that do not lead say instead."""
        makes = [self._makes(d) for d in decisions] if len(decisions) > 1 else []
        for n, (decision, fit) in enumerate(decisions):
            others = [made for m, made in enumerate(makes) if m != n and departs(made)]
            floor = max(others, key=severity, default=AS_DRAFTED)
            quotes = tuple([d.situation.table.id for d, other in led if self._differs(d, other, decision)])
            yield from findings_of(floored(decision, self.policy, floor), fit, self.policy, quotes)

    def _makes(self, decided: Decided) -> ResultingOrder:
        """What the table, taken for certain, already makes of the order."""
        decision, fit = decided
        certain = fit.holds and decision.changes_now and speaks(decision, self.policy)
        return decision.now.resulting if certain else AS_DRAFTED

    def _differs(self, led: Decision, fit: Truth, leading: Decision) -> bool:
        """Whether a source that does not lead says something else of the same markers now."""
        same = frozenset(led.situation.markers) == frozenset(leading.situation.markers)
        return same and led.now.resulting != leading.now.resulting and bool(fit.holds) and speaks(led, self.policy)

    def _fit(self, table: Table, context: Context) -> Truth:
        """Whether the table speaks for this order. A site may say what is assumed where that is not known."""
        if switch_of(table, context.drug, self.policy) is Switch.OFF:
            return FALSE
        fit = all_hold(table.population.fits, context, table.id)
        if fit.holds is not None:
            return fit
        assumed = self.policy.assume_when_unknown.get(table.id)
        return fit if assumed is None else replace(fit, holds=assumed)

    def affected_by(self, draft: Order, orders: tuple[Order, ...]) -> Iterator[Finding]:
        """Findings of active medicines that this draft changes (paroxetine ordered on top of codeine)."""
        if draft.active:
            return
        yield from self._doubtfully_affected_by(draft, orders)
        if self._reached_by(draft).isdisjoint(self.taken):
            return
        for taken in self._taken_beside(orders, draft):
            rest = tuple([o for o in orders if o is not draft and self._can_change(o, taken)])
            caused = self._caused_by(draft, taken, rest)
            # What other tables make of it is told where it is news too.
            told = any(departs(f.resulting) for f in caused)
            for finding in caused:
                found = self._with_alternatives(finding, taken, (draft, *rest))
                yield replace(found, caused_by=draft.reference, decided=found.decided if told else AS_DRAFTED)

    def _doubtfully_affected_by(self, draft: Order, orders: tuple[Order, ...]) -> Iterator[Finding]:
        """That a medicine may be taken still of which this draft would change what is found."""
        for medication in [m for m in self.patient.medications if m.may_go_on]:
            drugs = self._reached_by(draft).intersection(medication.ingredients) - self.beside
            if not drugs:
                continue
            taken = _as_order(medication)
            rest = tuple([o for o in orders if o is not draft and self._can_change(o, taken)])
            if self._caused_by(draft, taken, rest):
                gaps = tuple(Gap(drug, GapReason.SUPPLY_USED_UP) for drug in sorted(drugs))
                yield Finding(Kind.NOT_ASSESSED, draft, draft.ingredients[0], table="", gaps=gaps)

    def _can_change(self, draft: Order, taken: Order) -> bool:
        return not draft.active and not self._reached_by(draft).isdisjoint(taken.ingredients)

    def _caused_by(self, draft: Order, taken: Order, rest: tuple[Order, ...]) -> list[Finding]:
        """Shown findings of the medicine taken, all drafts being given, that this one causes: alone, or together with
        the rest."""
        if not rest:
            return self._changed_by(draft, taken, ())
        alone = {_gist(f) for f in self._changed_by(draft, taken, ())}
        together = self._changed_by(draft, taken, rest)
        given = [f for f in self._all(taken, (*rest, draft)) if not f.silent]
        return [f for f in given if _gist(f) in alone or f in together]

    def _reached_by(self, draft: Order) -> frozenset[str]:
        """The drugs whose findings the draft can change at all."""
        reached = reached_drugs(self.knowledge)
        return frozenset().union(*[reached.get(drug, ()) for drug in draft.ingredients])

    def _taken_beside(self, orders: Iterable[Order], draft: Order) -> Iterator[Order]:
        """The active medicines that the orders do not replace and whose findings the draft can change."""
        reached, replaced = self._reached_by(draft), {o.replaces for o in orders}
        for medication in self.active:
            if medication.reference not in replaced and not reached.isdisjoint(medication.ingredients):
                yield _as_order(medication)

    def _changed_by(self, draft: Order, other: Order, rest: tuple[Order, ...]) -> list[Finding]:
        """Shown findings of the other order, or of a medicine taken, that are there because of the draft."""
        if not frozenset(draft.ingredients).isdisjoint(other.ingredients):
            return []
        after = [f for f in self._all(other, (*rest, draft)) if not f.silent]
        before = {_gist(f) for f in self._all(other, rest)} if after else set()
        return [f for f in after if _gist(f) not in before]

    def _all(self, order: Order, others: tuple[Order, ...]) -> list[Finding]:
        return [f for drug in order.ingredients for f in self._of_drug(order, drug, others)]

    def _with_alternatives(self, finding: Finding, order: Order, others: tuple[Order, ...]) -> Finding:
        """The finding with each drug that its advice names evaluated for this patient."""
        if finding.silent:
            return finding
        drugs = dict.fromkeys([d for advice in _advices(finding) for o in advice.options for d in o.alternatives])
        evaluated = [self._alternative(drug, order, others) for drug in drugs if drug != finding.drug]
        return replace(finding, alternatives=tuple(evaluated)) if evaluated else finding

    def _alternative(self, drug: str, order: Order, others: tuple[Order, ...]) -> Alternative:
        refused = self._refused_outright(drug, others)
        if refused:
            return Alternative(drug, refused)
        replaces = order.reference if order.active else order.replaces
        candidate = Order(order.reference, drug, (drug,), reasons=order.reasons, replaces=replaces)
        shown = [f for f in self._all(candidate, others) if not f.silent]
        against = next((f for f in shown if _is_against(f)), None)
        if against is not None:
            return Alternative(drug, Refusal.BY_RESULT if against.markers else Refusal.BY_LIMIT)
        if self._harms_others(candidate, others):
            return Alternative(drug, Refusal.INTERACTION)
        return Alternative(drug, open_markers=tuple(dict.fromkeys([t.marker for f in shown for t in f.tests])))

    def _harms_others(self, candidate: Order, others: tuple[Order, ...]) -> bool:
        """Whether the candidate would draw a change or a warning on another draft or on a medicine taken."""
        reached = self._reached_by(candidate)
        if reached.isdisjoint(self.beside):
            return False
        found = [(taken, others) for taken in self._taken_beside((candidate, *others), candidate)]
        drafted = [o for o in others if not reached.isdisjoint(o.ingredients)]
        found += [(o, tuple([rest for rest in others if rest is not o])) for o in drafted]
        return any(_is_against(f) for other, rest in found for f in self._changed_by(candidate, other, rest))

    def _refused_outright(self, drug: str, others: tuple[Order, ...]) -> Refusal:
        if any(drug in a.ingredients for a in self.patient.allergies):
            return Refusal.ALLERGY
        drafted = [o for o in others if drug in o.ingredients]
        return Refusal.TAKEN_ALREADY if drafted or drug in self.taken else Refusal.OFFERED


def _evaluator(
    orders: tuple[Order, ...], patient: Patient, knowledge: Knowledge, policy: Policy, today: date
) -> _Evaluator:
    active = tuple([m for m in patient.medications if m.stopped is None])
    taken = frozenset([drug for m in active for drug in m.ingredients])
    beside = taken.union([drug for order in orders for drug in order.ingredients])
    return _Evaluator(patient, knowledge, policy, today, active, taken, beside)


def _advices(finding: Finding) -> Iterator[Advice]:
    if finding.advice is not None:
        yield finding.advice
    for question in finding.tests:
        yield from (b.advice for b in question.branches if b.resulting.outcome is not Outcome.AS_DRAFTED)


def _is_against(finding: Finding) -> bool:
    changes = finding.kind is Kind.CHANGE_NOW and departs(finding.resulting)
    return changes or finding.indicator is not Indicator.INFO


def _gist(finding: Finding) -> tuple[str, ...]:
    """What makes a finding of an active medicine news."""
    return finding.table, finding.kind.value, finding.row, finding.silent


def _as_order(medication: Medication) -> Order:
    return Order(
        reference=medication.reference,
        name=medication.name,
        ingredients=medication.ingredients,
        dose=medication.dose,
        route=medication.route,
        active=True,
    )
