"""The questions of a table: each open marker whose result would change the order, the test that would answer, and
what it would tell (docs/reasoning.md, steps 6 and 7).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from cds_service.knowledge.schema import MarkerUse, Test
from cds_service.model import (
    ChangeProbability,
    Conflicting,
    Narrowed,
    Pending,
    ResultingOrder,
    Silence,
    Stale,
    Testing,
    TestQuestion,
    Unavailable,
    Unreadable,
    Unverified,
    earliest,
    latest,
)
from cds_service.policy import Policy
from cds_service.reasoning.asking import Asking, lost_facts, testing_level, would_change
from cds_service.reasoning.firing import why_silent
from cds_service.reasoning.outcomes import beyond, branches, lines_of
from cds_service.reasoning.probability import Inherited, change_probability, inherited, raised
from cds_service.reasoning.states import pending_of
from cds_service.reasoning.tables import Reached, Situation
from cds_service.reasoning.usable_tests import is_overdue, is_spent, misled_by, turnaround_days, usable_test


class Status(StrEnum):
    """What stands between a marker and its answer."""

    OPEN = "open"
    CONFLICT = "conflict"
    CONFIRM = "confirm"
    PENDING = "pending"
    NOT_OBTAINED = "not_obtained"
    ON_FILE = "on_file"
    """A result is on file, and what it says or whether it counts cannot be told."""
    UNCLEAR = "unclear"
    """Tested without a clear result, and no other test is left that would tell."""


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
    silent: Silence = Silence.SHOWN
    lost: tuple[str, ...] = ()
    """Facts that were lost and would tell whether to ask."""

    @property
    def fires(self) -> bool:
        """Whether the question may interrupt."""
        return not self.silent


Asked = list[MarkerQuestion]
"""Questions of one status."""


def questions_of(
    situation: Situation, now: Reached, floor: ResultingOrder, policy: Policy
) -> Iterator[MarkerQuestion]:
    """The questions, those that stay silent included, where `now` is the advice now."""
    baseline = beyond(now, floor)
    for marker in situation.open_markers():
        lines = lines_of(marker, situation)
        testing = testing_level(situation.table.markers[marker], situation)
        lost = lost_facts(situation.table.markers[marker], situation)
        asking = Asking(marker, situation, lines, testing, floor, baseline, policy, lost)
        if would_change(asking):
            yield _question(asking)


def _question(asking: Asking) -> MarkerQuestion:
    marker, context = asking.marker, asking.situation.context
    test = usable_test(asking)
    status = _status(asking, test)
    prior = inherited(marker, context.patient, context.knowledge)
    probability = raised(change_probability(asking.situation, marker, asking.changing()), prior)
    question = _test_question(test, status, asking, probability, prior) if test is not None else None
    no_test = test is None and status is Status.OPEN
    silent = Silence.NO_TEST if no_test else why_silent(asking, prior)
    return MarkerQuestion(marker, status, asking.testing, asking.use, question, silent, asking.lost)


def _test_question(
    test: Test, status: Status, asking: Asking, probability: ChangeProbability | None, prior: Inherited | None
) -> TestQuestion:
    spoiler = misled_by(test, asking)
    return TestQuestion(
        asking.marker,
        test.id,
        branches(asking.marker, asking.situation, asking.floor),
        probability,
        order_it=status in _ORDERABLE and not _is_awaited(test, asking),
        relative=prior.relative if prior is not None else None,
        specimen=spoiler.specimen if spoiler is not None else "",
        turnaround_days=turnaround_days(test, asking.policy),
    )


def _status(asking: Asking, test: Test | None) -> Status:
    match asking.known:
        case Stale(may_count=True) | Narrowed(may_count=True) if test is None:
            return Status.ON_FILE
        case Conflicting():
            return Status.CONFLICT
        case Unverified():
            return Status.CONFIRM
        case Unreadable():
            return Status.ON_FILE
        case Unavailable():
            return Status.NOT_OBTAINED
        case Pending(since) if not is_overdue(since, test, asking):
            return Status.PENDING
        case _ if _is_awaited(test, asking):
            return Status.PENDING
        case _ if asking.lost:
            return Status.NOT_OBTAINED
        case _:
            return Status.UNCLEAR if test is None and is_spent(asking) else Status.OPEN


def _is_awaited(test: Test | None, asking: Asking) -> bool:
    """Whether a further test is ordered beside a result that leaves the marker open."""
    told = [r.on for r in asking.known.readings if r.on is not None]
    return any(
        not is_overdue(pending.since, test, asking)
        and (pending.since is None or all(earliest(pending.since) >= latest(on) for on in told))
        for pending in pending_of(asking.marker, asking.situation.context.patient)
    )
