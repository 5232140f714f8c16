"""evaluate(): every order with the others, every active medicine that a draft affects, every alternative."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date

from cds_service.knowledge.base import Knowledge
from cds_service.knowledge.reach import modifier_key
from cds_service.knowledge.schema import Table, TableKind
from cds_service.model import (
    Advice,
    Alternative,
    Finding,
    Gap,
    Indicator,
    Kind,
    Medication,
    Order,
    Outcome,
    Patient,
    ResultingOrder,
    Trust,
)
from cds_service.policy import Policy, Switch
from cds_service.reasoning.apply import AS_DRAFTED, severity
from cds_service.reasoning.context import Context
from cds_service.reasoning.decide import Decision, decide
from cds_service.reasoning.findings import findings_of, switch_of
from cds_service.reasoning.measures import is_measured
from cds_service.reasoning.predicates import Truth, all_hold
from cds_service.reasoning.tables import situation_of


def evaluate(
    orders: tuple[Order, ...], patient: Patient, knowledge: Knowledge, policy: Policy, today: date
) -> tuple[Finding, ...]:
    """All findings, shown and silent, for the selected orders, and for active medicines whose findings a draft
    changes (those carry `caused_by`).

    Pure: the same arguments give the same findings, and the order of resources makes no difference to them.
    """
    evaluator = _Evaluator(patient, knowledge, policy, today)
    found = [f for order in orders if order.selected for f in evaluator.of_order(order, _without(orders, order))]
    found += [f for draft in orders if draft.selected for f in evaluator.affected_by(draft, orders)]
    return tuple(found)


def _without(orders: tuple[Order, ...], order: Order) -> tuple[Order, ...]:
    """The other orders, the ones in question and the ones beside them. Active medicines under review stand among
    the patient's medicines already."""
    return tuple(o for o in orders if o is not order and not o.active)


Decided = tuple[Decision, Truth]
"""A table's decision, and how its population was found to fit."""


@dataclass(frozen=True, slots=True)
class _Evaluator:
    patient: Patient
    knowledge: Knowledge
    policy: Policy
    today: date

    def of_order(self, order: Order, others: tuple[Order, ...]) -> list[Finding]:
        """The findings of an order with its alternatives evaluated."""
        if not order.ingredients:
            return [self._not_recognised(order)]
        found = [f for drug in order.ingredients for f in self._of_drug(order, drug, others)]
        return [self._with_alternatives(f, order, others) for f in found]

    def _not_recognised(self, order: Order) -> Finding:
        gap = Gap(order.reference, "not_recognised")
        silent = "" if self.policy.say_not_recognised else "policy_silent"
        return Finding(Kind.NOT_ASSESSED, order, order.name, table="", gaps=(gap,), silent=silent)

    def _of_drug(self, order: Order, drug: str, others: tuple[Order, ...]) -> list[Finding]:
        tables = self.knowledge.tables_by_drug.get(drug, ())
        if not tables:
            return [Finding(Kind.NO_CHANGE, order, drug, table="", silent="no_guidance")]
        context = Context(order, drug, self.patient, self.knowledge, self.today, others)
        return list(self._of_tables(tables, context))

    def _of_tables(self, tables: tuple[Table, ...], context: Context) -> Iterator[Finding]:
        fitting = [(t, fit) for t in tables if (fit := self._fit(t, context)).holds is not False]
        if not fitting:
            yield Finding(Kind.NO_CHANGE, context.order, context.drug, table="", silent="no_table_fits")
        decided = [(decide(situation_of(t, context, self.policy), self.policy), fit) for t, fit in fitting]
        leading = self._leading(fitting)
        decisions = [d for d in decided if d[0].situation.table.id in leading]
        led = [d for d in decided if d[0].situation.table.id not in leading]
        yield from self._moot(decisions)
        decisions = [d for d in decisions if not moot_by(d, decisions)]
        for n, (decision, fit) in enumerate(decisions):
            floor = self._floor(d for m, d in enumerate(decisions) if m != n)
            floored = decision if floor == AS_DRAFTED else decide(decision.situation, self.policy, floor)
            quotes = tuple(d.situation.table.id for d, other in led if self._differs(d, other, decision))
            yield from (replace(f, quotes=quotes) for f in findings_of(floored, fit, self.policy))

    def _moot(self, decisions: list[Decided]) -> Iterator[Finding]:
        """Findings of indication tables that another indication makes moot: kept, and silent."""
        for decision, fit in decisions:
            rule = moot_by((decision, fit), decisions)
            if rule:
                yield from (replace(f, silent=f.silent or rule) for f in findings_of(decision, fit, self.policy))

    def _differs(self, led: Decision, fit: Truth, leading: Decision) -> bool:
        """Whether a source that does not lead says something else of the same markers now."""
        same = frozenset(led.situation.markers) == frozenset(leading.situation.markers)
        return same and led.now.resulting != leading.now.resulting and bool(fit.holds) and self._speaks(led, fit)

    def _fit(self, table: Table, context: Context) -> Truth:
        """Whether the table speaks for this order. A site may say what is assumed where that is not known."""
        if switch_of(table, context, self.policy) is Switch.OFF:
            return Truth(holds=False)
        if "any" not in table.routes and context.route not in table.routes:
            return Truth(holds=False)
        fit = all_hold(table.population.fits, context, table.id)
        assumed = self.policy.assume_when_unknown.get(table.id)
        return replace(fit, holds=assumed) if fit.holds is None and assumed is not None else fit

    def _leading(self, fitting: list[tuple[Table, Truth]]) -> frozenset[str]:
        """Ids of the tables that speak. For the same markers one source leads (design 4.8), one that fits for
        certain before others; tables of no marker or of a measured one stand for themselves, and so does one that
        may fit and would then lead."""
        leaders: dict[frozenset[str], Table] = {}
        for table, _ in sorted(fitting, key=lambda pair: (not pair[1].holds, self._rank(pair[0]))):
            leaders.setdefault(frozenset(table.markers), table)

        def speaks(table: Table, fit: Truth) -> bool:
            leader = leaders[frozenset(table.markers)]
            would_lead = not fit.holds and self._rank(table) < self._rank(leader)
            alone = not table.markers or any(map(is_measured, table.markers))
            return alone or table.source == leader.source or would_lead

        return frozenset(table.id for table, fit in fitting if speaks(table, fit))

    def _rank(self, table: Table) -> tuple[bool, int]:
        """What leads: knowledge that may be shown before what is recalled, then the site's order of sources."""
        kind = self.knowledge.sources[table.source].kind
        order = self.policy.source_order
        return table.trust is Trust.RECALLED, order.index(kind) if kind in order else len(order)

    def _floor(self, others: Iterable[tuple[Decision, Truth]]) -> ResultingOrder:
        """What the other tables, taken for certain, already make of the order."""
        decided = [d.now.resulting for d, fit in others if fit.holds and d.changes_now and self._speaks(d, fit)]
        return max(decided, key=severity, default=AS_DRAFTED)

    def _speaks(self, decision: Decision, fit: Truth) -> bool:
        return any(not f.silent for f in findings_of(decision, fit, self.policy))

    # --- active medicines that a draft affects ------------------------------------------------------------------

    def affected_by(self, draft: Order, orders: tuple[Order, ...]) -> Iterator[Finding]:
        """Findings of active medicines that this draft changes (paroxetine ordered on top of codeine)."""
        if draft.active or not draft.ingredients:
            return
        replaced = {o.replaces for o in orders}
        for medication in self.patient.medications:
            if medication.stopped is None and medication.reference not in replaced:
                taken = _as_order(medication)
                for finding in self._changed_by(draft, taken, ()):
                    yield replace(self._with_alternatives(finding, taken, (draft,)), caused_by=draft.reference)

    def _changed_by(self, draft: Order, other: Order, rest: tuple[Order, ...]) -> list[Finding]:
        """Shown findings of the other order, or of a medicine taken, that are there because of the draft."""
        if set(other.ingredients) & set(draft.ingredients) or not self._may_affect(draft, other):
            return []
        before = {_gist(f) for f in self._all(other, rest)}
        after = self._all(other, (*rest, draft))
        return [f for f in after if not f.silent and _gist(f) not in before]

    def _may_affect(self, draft: Order, other: Order) -> bool:
        """Whether any table of the other order can be touched by the draft at all."""
        knowledge = self.knowledge
        reaching = set(draft.ingredients)
        for drug in draft.ingredients:
            reaching.update(knowledge.groups_by_drug.get(drug, ()))
            reaching.update(modifier_key(m.enzyme) for m in knowledge.modulators_by_drug.get(drug, ()))
        return any(reaching & knowledge.comedications_by_drug.get(d, frozenset()) for d in other.ingredients)

    def _all(self, order: Order, others: tuple[Order, ...]) -> list[Finding]:
        return [f for drug in order.ingredients for f in self._of_drug(order, drug, others)]

    # --- alternatives ---------------------------------------------------------------------------------------------

    def _with_alternatives(self, finding: Finding, order: Order, others: tuple[Order, ...]) -> Finding:
        """The finding with each drug that its advice names evaluated for this patient."""
        if finding.silent:
            return finding
        drugs = dict.fromkeys(d for advice in _advices(finding) for o in advice.options for d in o.alternatives)
        return replace(
            finding, alternatives=tuple(self._alternative(d, order, others) for d in drugs if d != finding.drug)
        )

    def _alternative(self, drug: str, order: Order, others: tuple[Order, ...]) -> Alternative:
        refused = self._refused_outright(drug, others)
        if refused:
            return Alternative(drug, refused)
        replaces = order.reference if order.active else order.replaces
        candidate = Order(order.reference, drug, (drug,), reasons=order.reasons, replaces=replaces)
        shown = [f for f in self._all(candidate, others) if not f.silent]
        against = next((f for f in shown if _is_against(f)), None)
        if against is not None:
            return Alternative(drug, "by_result" if against.markers else "by_limit")
        if self._harms_others(candidate, others):
            return Alternative(drug, "interaction")
        return Alternative(drug, open_markers=tuple(dict.fromkeys(t.marker for f in shown for t in f.tests)))

    def _harms_others(self, candidate: Order, others: tuple[Order, ...]) -> bool:
        """Whether the candidate would draw a change or a warning on another draft or on a medicine taken."""
        replaced = {o.replaces for o in (candidate, *others)}
        taken = [
            _as_order(m) for m in self.patient.medications if m.stopped is None and m.reference not in replaced
        ]
        found = [f for other in taken for f in self._changed_by(candidate, other, others)]
        found += [f for o in others for f in self._changed_by(candidate, o, tuple(r for r in others if r is not o))]
        return any(_is_against(f) for f in found)

    def _refused_outright(self, drug: str, others: tuple[Order, ...]) -> str:
        if any(drug in a.ingredients for a in self.patient.allergies):
            return "allergy"
        active = [m.ingredients for m in self.patient.medications if m.stopped is None]
        taken = any(drug in ingredients for ingredients in (*active, *(o.ingredients for o in others)))
        return "taken_already" if taken else ""


def moot_by(decided: Decided, decisions: list[Decided]) -> str:
    """The rule that makes an indication table's finding moot, or empty. A drug is not indicated only when every
    indication that fits excludes it (design 4.8)."""
    if decided[0].situation.table.kind is not TableKind.INDICATION:
        return ""
    others = [d for d in decisions if d is not decided and d[0].situation.table.kind is TableKind.INDICATION]
    if any(_supports(d) for d in others):
        return "" if _supports(decided) else "indicated_otherwise"
    open_elsewhere = any(not d.changes_now for d, _ in others)
    return "other_indication_open" if decided[0].changes_now and open_elsewhere else ""


def _supports(decided: Decided) -> bool:
    """What is known indicates the drug."""
    decision, fit = decided
    return bool(fit.holds) and not decision.changes_now and not decision.questions


def _advices(finding: Finding) -> Iterator[Advice]:
    if finding.advice is not None:
        yield finding.advice
    for question in finding.tests:
        yield from (b.advice for b in question.branches if b.resulting.outcome is not Outcome.AS_DRAFTED)


def _is_against(finding: Finding) -> bool:
    return finding.kind is Kind.CHANGE_NOW or finding.indicator is not Indicator.INFO


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
