"""A marker that may be asked for, and whether its result would change the order (docs/reasoning.md, step 6)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cds_service.knowledge.schema import Fact, MarkerUse
from cds_service.model import Action, MarkerKnowledge, ResultingOrder, Testing
from cds_service.policy import Policy
from cds_service.reasoning.apply import departs, severity
from cds_service.reasoning.outcomes import beyond, has_more
from cds_service.reasoning.predicates import any_holds
from cds_service.reasoning.tables import Assignment, Reached, Situation


@dataclass(frozen=True, slots=True)
class Asking:
    """A marker that would change the order, before it is known whether to ask."""

    marker: str
    situation: Situation
    lines: list[list[Assignment]]
    """Assignments that differ in the marker alone."""
    testing: Testing
    floor: ResultingOrder
    baseline: ResultingOrder
    """The advice now, or what other tables already make of the order."""
    policy: Policy
    lost: tuple[str, ...] = ()
    """Facts that were lost and would tell whether labelling asks for the test."""

    @property
    def use(self) -> MarkerUse:
        return self.situation.table.markers[self.marker]

    @property
    def known(self) -> MarkerKnowledge:
        return self.situation.view(self.marker).knowledge

    def changes(self, reached: Reached) -> bool:
        """Whether this outcome differs from the advice now."""
        return beyond(reached, self.floor) != self.baseline

    def changing(self) -> frozenset[Assignment]:
        """The assignments in which this marker's own state leads away: from the advice now, or, where the other
        markers already lead away from it, from the mildest that they leave. Where the order stays the same, those in
        which something is done beside it."""
        away = frozenset(a for line in self.lines for a in self._leading_away(line))
        return away or frozenset(a for line in self.lines for a in line if has_more(self.situation.reached[a]))

    def _leading_away(self, line: list[Assignment]) -> Iterator[Assignment]:
        outcomes = {a: beyond(self.situation.reached[a], self.floor) for a in line}
        held = self.baseline if self.baseline in outcomes.values() else min(outcomes.values(), key=severity)
        return (a for a, outcome in outcomes.items() if outcome != held)


def testing_level(use: MarkerUse, situation: Situation) -> Testing:
    """What labelling says of the test for this order: a dose gate or a risk decides where the table has one."""
    context, table = situation.context, situation.table.id
    if use.required_when:
        return Testing.REQUIRED if any_holds(use.required_when, context, table).holds else Testing.NONE
    return use.testing


def lost_facts(use: MarkerUse, situation: Situation) -> tuple[str, ...]:
    """The facts that could not be obtained where labelling's demand for the test hangs on them; an age that is not
    known is among them, as everybody has one."""
    context = situation.context
    asks = use.required_when or (use.risks if use.testing is Testing.IF_RISK else ())
    truth = any_holds(asks, context, situation.table.id)
    if truth.holds is not None:
        return ()
    return tuple(f for f in truth.missing if f == Fact.AGE or context.is_lost(Fact(f)))


def would_change(asking: Asking) -> bool:
    """For some assignment of the other open markers, two states of the marker give different orders."""
    minor_counts = asking.testing in (Testing.REQUIRED, Testing.RECOMMENDED) and not departs(asking.floor)
    lines = [[asking.situation.reached[a] for a in line] for line in asking.lines]
    return any(
        len({beyond(r, asking.floor) for r in line}) > 1 or (minor_counts and len(_beside(line)) > 1)
        for line in lines
    )


def _beside(line: list[Reached]) -> set[tuple[Action, str]]:
    """What is done beside the order as drafted: it counts where labelling asks for the test."""
    firsts = [r.advice.options[0] for r in line if not departs(r.resulting)]
    return {(first.action, first.note) for first in firsts if first.action is not Action.NO_RECOMMENDATION}
