"""The decision of one table: the advice now, and which tests would change it (design sections 4.4 to 4.7)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import product

from cds_service.knowledge.schema import MarkerUse, ResultSpoiler, Test
from cds_service.model import (
    Action,
    Branch,
    ChangeProbability,
    Conflicting,
    Gravity,
    Indeterminate,
    MarkerKnowledge,
    Outcome,
    Pending,
    ResultingOrder,
    Strength,
    Testing,
    TestQuestion,
    Timing,
    Unavailable,
    Unreadable,
    Unverified,
)
from cds_service.policy import Policy
from cds_service.reasoning.apply import AS_DRAFTED, apply, departs, severity
from cds_service.reasoning.predicates import any_holds
from cds_service.reasoning.probability import Inherited, change_probability, inherited, raised
from cds_service.reasoning.spoilers import spoiler_today
from cds_service.reasoning.states import pending_of
from cds_service.reasoning.tables import Assignment, Reached, Situation

WAIT = ResultingOrder(Outcome.WAIT)
CONTRAINDICATING = frozenset({Action.AVOID, Action.ALTERNATIVE, Action.NOT_INDICATED, Action.STOP})


class Basis(StrEnum):
    """Why the advice now is what it is (design 4.5 a to e)."""

    ONE_OUTCOME = "one_outcome"
    NO_RESULT_ROW = "no_result_row"
    MILDEST = "mildest"
    WAIT = "wait"
    DRAFT = "draft"


_MAY_WAIT = frozenset({Basis.DRAFT, Basis.NO_RESULT_ROW})
"""Where nothing is known to change the order, a required test may be waited for."""


class Status(StrEnum):
    """What stands between a marker and its answer."""

    OPEN = "open"
    CONFLICT = "conflict"
    CONFIRM = "confirm"
    PENDING = "pending"
    NOT_OBTAINED = "not_obtained"


_ORDERABLE = frozenset({Status.OPEN, Status.CONFLICT, Status.CONFIRM})
"""A pending test is not ordered twice, and what could not be looked at may be on file."""


@dataclass(frozen=True, slots=True)
class MarkerQuestion:
    """A marker whose result would change the order. `silent` is the rule that keeps the question quiet."""

    marker: str
    status: Status
    testing: Testing
    use: MarkerUse
    question: TestQuestion | None
    """None where no test tells the states apart, or none is left to do."""
    silent: str = ""

    @property
    def fires(self) -> bool:
        """Whether the question may interrupt."""
        return not self.silent


@dataclass(frozen=True, slots=True)
class Decision:
    situation: Situation
    now: Reached
    basis: Basis
    questions: tuple[MarkerQuestion, ...]
    floor: ResultingOrder = AS_DRAFTED
    """What other tables already make of the order."""

    @property
    def changes_now(self) -> bool:
        """What is known changes the order."""
        return self.basis is not Basis.WAIT and departs(self.now.resulting)

    @property
    def holds_order(self) -> bool:
        """The order should wait for a test."""
        return self.basis is Basis.WAIT


def decide(situation: Situation, policy: Policy, floor: ResultingOrder = AS_DRAFTED) -> Decision:
    """The table's decision. `floor` is what other tables already make of the order: a result that cannot lead
    beyond it changes nothing."""
    now, basis = _advice_now(situation)
    questions = tuple(_questions(situation, now, floor, policy))
    if basis in _MAY_WAIT and any(map(_must_wait, questions)):
        return Decision(situation, Reached(now.row, WAIT), Basis.WAIT, questions, floor)
    return Decision(situation, now, basis, questions, floor)


def floored(decision: Decision, policy: Policy, floor: ResultingOrder) -> Decision:
    """The decision where other tables already make `floor` of the order. That takes questions away, and never makes
    one: without questions only the floor itself is another."""
    if not departs(floor):
        return decision
    if decision.questions:
        return decide(decision.situation, policy, floor)
    return Decision(decision.situation, decision.now, decision.basis, (), floor)


def _must_wait(question: MarkerQuestion) -> bool:
    return question.fires and question.testing is Testing.REQUIRED and question.use.timing is Timing.BEFORE_START


# --- advice now ---------------------------------------------------------------------------------------------------


def _advice_now(situation: Situation) -> tuple[Reached, Basis]:
    reached = list(situation.reached.values())
    if len(reached) == 1:
        return reached[0], Basis.ONE_OUTCOME
    if len({r.resulting for r in reached}) == 1:
        return _common(reached, situation), Basis.ONE_OUTCOME
    literal = _literal_advice(situation)
    if literal is not None:
        return literal, Basis.NO_RESULT_ROW
    if all(departs(r.resulting) for r in reached):
        return min(reached, key=lambda r: severity(r.resulting)), Basis.MILDEST
    return Reached(None, AS_DRAFTED), Basis.DRAFT


def _common(reached: list[Reached], situation: Situation) -> Reached:
    """The advice that all outcomes share. Where several rows leave the order as drafted, only the row for
    exactly what is known says why."""
    rows = Counter(r.row.id if r.row is not None else "" for r in reached)
    if len(rows) > 1 and not departs(reached[0].resulting):
        return Reached(situation.literal, AS_DRAFTED)
    return max(reached, key=lambda r: rows[r.row.id] if r.row is not None else 0)


def _literal_advice(situation: Situation) -> Reached | None:
    """The row for exactly what is known, if it advises anything."""
    row = situation.literal
    if row is None or row.advice.options[0].action in (Action.NO_RECOMMENDATION, Action.USE_OTHER_TEST):
        return None
    context = situation.context
    return Reached(row, apply(row.advice, context.order, context.patient.weight_kg))


# --- would a result change the order? --------------------------------------------------------------------------


def _questions(situation: Situation, now: Reached, floor: ResultingOrder, policy: Policy) -> Iterator[MarkerQuestion]:
    baseline = _beyond(now, floor)
    for marker in situation.open_markers():
        lines = lines_of(marker, situation)
        testing = testing_level(situation.table.markers[marker], situation)
        asking = _Asking(marker, situation, lines, testing, floor, baseline, policy)
        if _would_change(asking):
            yield _question(asking)


def _would_change(asking: _Asking) -> bool:
    """For some assignment of the other open markers, two states of the marker give different orders."""
    minor_counts = asking.testing in (Testing.REQUIRED, Testing.RECOMMENDED) and not departs(asking.floor)
    lines = [[asking.situation.reached[a] for a in line] for line in asking.lines]
    return any(
        len({_beyond(r, asking.floor) for r in line}) > 1 or (minor_counts and len(_beside(line)) > 1)
        for line in lines
    )


def _beside(line: list[Reached]) -> set[tuple[Action, str]]:
    """What is done beside the order as drafted: it counts where labelling asks for the test."""
    firsts = [r.advice.options[0] for r in line if not departs(r.resulting)]
    return {(first.action, first.note) for first in firsts if first.action is not Action.NO_RECOMMENDATION}


def lines_of(marker: str, situation: Situation) -> list[list[Assignment]]:
    """Groups of assignments that differ in the marker alone."""
    place = situation.markers.index(marker)
    states = sorted(situation.domains[place])
    others = [sorted(d) if n != place else [""] for n, d in enumerate(situation.domains)]
    return [[(*rest[:place], state, *rest[place + 1 :]) for state in states] for rest in product(*others)]


# --- the question --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Asking:
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

    @property
    def use(self) -> MarkerUse:
        return self.situation.table.markers[self.marker]

    @property
    def known(self) -> MarkerKnowledge:
        return self.situation.view(self.marker).knowledge

    def changes(self, reached: Reached) -> bool:
        """Whether this outcome differs from the advice now."""
        return _beyond(reached, self.floor) != self.baseline

    def changing(self) -> frozenset[Assignment]:
        """The assignments in which this marker's own state leads away: from the advice now, or, where the other
        markers already lead away from it, from the mildest that they leave."""
        return frozenset(a for line in self.lines for a in self._leading_away(line))

    def _leading_away(self, line: list[Assignment]) -> Iterator[Assignment]:
        outcomes = {a: _beyond(self.situation.reached[a], self.floor) for a in line}
        held = self.baseline if self.baseline in outcomes.values() else min(outcomes.values(), key=severity)
        return (a for a, outcome in outcomes.items() if outcome != held)


def _question(asking: _Asking) -> MarkerQuestion:
    marker, context = asking.marker, asking.situation.context
    test = _usable_test(asking)
    status = _status(asking, test)
    prior = inherited(marker, context.patient, context.knowledge)
    probability = raised(change_probability(asking.situation, marker, asking.changing()), prior)
    question = _test_question(test, status, asking, probability, prior) if test is not None else None
    silent = "no_test" if test is None and status is Status.OPEN else _silent(asking, probability)
    return MarkerQuestion(marker, status, asking.testing, asking.use, question, silent)


def _test_question(
    test: Test, status: Status, asking: _Asking, probability: ChangeProbability | None, prior: Inherited | None
) -> TestQuestion:
    spoiler = _spoiler_today(test, asking)
    return TestQuestion(
        asking.marker,
        test.id,
        branches(asking.marker, asking.situation, asking.floor),
        probability,
        order_it=status in _ORDERABLE,
        relative=prior.relative if prior is not None else None,
        specimen=spoiler.specimen if spoiler is not None else "",
    )


def _beyond(reached: Reached, floor: ResultingOrder) -> ResultingOrder:
    return max(reached.resulting, floor, key=severity) if departs(floor) else reached.resulting


def testing_level(use: MarkerUse, situation: Situation) -> Testing:
    """What labelling says of the test for this order: a dose gate or a risk decides where the table has one."""
    context, table = situation.context, situation.table.id
    if use.required_when:
        return Testing.REQUIRED if any_holds(use.required_when, context, table).holds else Testing.NONE
    return use.testing


def _status(asking: _Asking, test: Test | None) -> Status:
    match asking.known:
        case Conflicting():
            return Status.CONFLICT
        case Unverified():
            return Status.CONFIRM
        case Unavailable() | Unreadable():
            return Status.NOT_OBTAINED
        case Pending(since) if not _overdue(since, test, asking):
            return Status.PENDING
        case _:
            return Status.PENDING if _is_awaited(test, asking) else Status.OPEN


def _is_awaited(test: Test | None, asking: _Asking) -> bool:
    """Whether a further test is ordered beside a result that leaves the marker open."""
    told = [r.on for r in asking.known.readings if r.on is not None]
    return any(
        not _overdue(pending.since, test, asking)
        and (pending.since is None or all(pending.since >= on for on in told))
        for pending in pending_of(asking.marker, asking.situation.context.patient)
    )


def _overdue(since: date | None, test: Test | None, asking: _Asking) -> bool:
    """A pending test older than three turnarounds is taken as lost."""
    if since is None:
        return False
    turnaround = turnaround_days(test, asking.policy) if test is not None else None
    if turnaround is None:
        return False
    return (asking.situation.context.today - since).days > asking.policy.pending_turnarounds * turnaround[1]


def turnaround_days(test: Test, policy: Policy) -> tuple[float, float] | None:
    """Days from specimen to result: the site's own where its catalogue has the test."""
    for entry in policy.catalogue:
        if entry.method == test.method and set(test.markers) <= set(entry.markers):
            return entry.turnaround_days or test.turnaround_days
    return test.turnaround_days


def _usable_test(asking: _Asking) -> Test | None:
    """The preferred test that is not spent, tells the open states apart and can answer in time; one whose result
    would mislead today only where there is no other."""
    spent = asking.known.spent if isinstance(asking.known, Indeterminate) else frozenset()
    marker = asking.marker
    name = f"gene:{marker.partition(':')[2]}" if marker.startswith("genotype:") else marker
    usable = (
        test
        for test in asking.situation.context.knowledge.tests_by_marker.get(name, ())
        if test.method not in spent
        and _in_time(test, asking.use, asking.policy)
        and _tells_apart(test, marker, asking.situation)
    )
    return min(usable, key=lambda test: _spoiler_today(test, asking) is not None, default=None)


def _spoiler_today(test: Test, asking: _Asking) -> ResultSpoiler | None:
    context = asking.situation.context
    return spoiler_today(asking.marker, test.method, context.patient, context.knowledge, context.today)


def _in_time(test: Test, use: MarkerUse, policy: Policy) -> bool:
    if not (use.urgent and use.timing is Timing.BEFORE_START):
        return True
    turnaround = turnaround_days(test, policy)
    return turnaround is None or turnaround[0] <= policy.urgent_turnaround_days


def _tells_apart(test: Test, marker: str, situation: Situation) -> bool:
    """Whether the test's groups of states lead to more than one resulting order."""
    groups = test.splits.get(marker)
    if groups is None:
        return True
    place = situation.markers.index(marker)
    outcomes = {frozenset(r.resulting for a, r in situation.reached.items() if a[place] in group) for group in groups}
    return len(outcomes - {frozenset()}) > 1


# --- does the question fire? --------------------------------------------------------------------------------------


def _silent(asking: _Asking, probability: ChangeProbability | None) -> str:
    """Empty where the question fires, else the rule that keeps it quiet (design 4.7)."""
    situation, testing = asking.situation, asking.testing
    if is_tolerated(asking.use, situation):
        return "tolerated"
    if isinstance(asking.known, Unreadable):
        # A result is on file and might change the order: that is said whatever a new test would be worth.
        return ""
    if testing in (Testing.REQUIRED, Testing.RECOMMENDED) or _deferred_by_row(asking):
        return ""
    if testing is Testing.IF_RISK:
        at_risk = any_holds(asking.use.risks, situation.context, situation.table.id).holds
        return "" if at_risk else "risk_not_known" if at_risk is None else "not_at_risk"
    return "" if _likely_enough(asking, probability) else "below_threshold"


def _deferred_by_row(asking: _Asking) -> bool:
    """The guidance itself asks for another test, given what is known (G6PD variable)."""
    row = asking.situation.literal
    if row is None or not isinstance(asking.known, Indeterminate):
        return False
    return row.advice.options[0].action is Action.USE_OTHER_TEST


def is_tolerated(use: MarkerUse, situation: Situation) -> bool:
    """Taken for longer than the marker's window: the marker concerns starting."""
    if use.tolerated_after_days is None:
        return False
    exposure = situation.context.exposure_days()
    return exposure is not None and exposure > use.tolerated_after_days


def _likely_enough(asking: _Asking, probability: ChangeProbability | None) -> bool:
    firing = asking.policy.firing
    if _grave(asking):
        return probability is None or probability.high >= firing.grave_probability_at_least
    reached = asking.situation.reached
    against = frozenset(a for a in asking.changing() if _strongly_against(reached[a]))
    strong = change_probability(asking.situation, asking.marker, against)
    return strong is not None and strong.low >= firing.change_probability_at_least


def _grave(asking: _Asking) -> bool:
    """Whether the marker itself decides about grave harm: in some surroundings its states differ, and one of
    them leads to advice that avoids something fatal or irreversible."""
    reached = asking.situation.reached
    return any(
        len({_beyond(reached[a], asking.floor) for a in line}) > 1
        and any(_is_grave(reached[a]) and asking.changes(reached[a]) for a in line)
        for line in asking.lines
    )


def _is_grave(reached: Reached) -> bool:
    return reached.advice.gravity is Gravity.FATAL_OR_IRREVERSIBLE


def _strongly_against(reached: Reached) -> bool:
    advice = reached.advice
    strong = advice.strength in (Strength.STRONG, Strength.MODERATE)
    return strong and advice.options[0].action in (Action.AVOID, Action.ALTERNATIVE, Action.NOT_INDICATED)


# --- what each outcome would mean --------------------------------------------------------------------------------


def branches(marker: str, situation: Situation, floor: ResultingOrder) -> tuple[Branch, ...]:
    """The marker's outcomes, states with the same consequence together, the mildest first. Where other markers
    are open too, each state stands for its mildest consequence."""
    place = situation.markers.index(marker)
    grouped: dict[tuple[ResultingOrder, str], tuple[list[str], Reached]] = {}
    for state in sorted(situation.domains[place]):
        reached = min(
            (r for a, r in situation.reached.items() if a[place] == state),
            key=lambda r: severity(_beyond(r, floor)),
        )
        key = (_beyond(reached, floor), reached.row.id if reached.row is not None else "")
        grouped.setdefault(key, ([], reached))[0].append(state)
    found = [Branch(tuple(states), key[0], reached.advice) for key, (states, reached) in grouped.items()]
    return tuple(sorted(found, key=lambda b: severity(b.resulting)))
