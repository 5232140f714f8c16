"""Which test answers for a marker, and whether one that is ordered may still answer."""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.knowledge.schema import MarkerUse, ResultSpoiler, Test
from cds_service.model import Indeterminate, Timing, When, earliest, tested_as
from cds_service.policy import Policy
from cds_service.reasoning.asking import Asking
from cds_service.reasoning.spoilers import spoiler_today
from cds_service.reasoning.tables import Situation

_NONE: frozenset[str] = frozenset()


def usable_test(asking: Asking) -> Test | None:
    """The preferred test that is not spent, tells the open states apart and can answer in time; one whose result
    would mislead today, or that gave no clear result before, only where there is no other."""
    known = asking.known
    spent, tried = (known.spent, known.tried) if isinstance(known, Indeterminate) else (_NONE, _NONE)
    usable = (test for test in _fitting(asking) if test.method not in spent)
    return min(usable, key=lambda test: (misled_by(test, asking) is not None, test.method in tried), default=None)


def is_spent(asking: Asking) -> bool:
    """Whether a test would answer, had its method not been spent on a result that leaves the marker open."""
    return isinstance(asking.known, Indeterminate) and any(True for _ in _fitting(asking))


def _fitting(asking: Asking) -> Iterator[Test]:
    """The tests that tell the open states apart and can answer in time, the preferred one first."""
    marker = asking.marker
    return (
        test
        for test in asking.situation.context.knowledge.tests_by_marker.get(tested_as(marker), ())
        if _in_time(test, asking.use, asking.policy) and _tells_apart(test, marker, asking.situation)
    )


def misled_by(test: Test, asking: Asking) -> ResultSpoiler | None:
    """What would make the test's result mislead, were the specimen taken today."""
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


def is_overdue(since: When | None, test: Test | None, asking: Asking) -> bool:
    """A pending test older than three turnarounds is taken as lost."""
    if since is None:
        return False
    turnaround = turnaround_days(test, asking.policy) if test is not None else None
    if turnaround is None:
        return False
    return (asking.situation.context.today - earliest(since)).days > asking.policy.pending_turnarounds * turnaround[1]


def turnaround_days(test: Test, policy: Policy) -> tuple[float, float] | None:
    """Days from specimen to result: the site's own where its catalogue has the test."""
    for entry in policy.catalogue:
        if entry.method == test.method and set(test.markers) <= set(entry.markers):
            return entry.turnaround_days or test.turnaround_days
    return test.turnaround_days
