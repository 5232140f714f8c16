"""A value that leaves the order as it is today and has to be looked at again soon.

The row says so with a `monitor` option that names the marker and the days; the recheck is offered as an orderable
test unless one is ordered already.
"""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.model import Branch, Known, Option, TestQuestion
from cds_service.policy import Policy
from cds_service.reasoning.apply import apply, severity
from cds_service.reasoning.tables import Situation, row_for
from cds_service.reasoning.usable_tests import turnaround_days


def rechecks(situation: Situation, options: tuple[Option, ...], policy: Policy) -> Iterator[TestQuestion]:
    """The rechecks that the advice asks for, of markers that are known now and not ordered yet."""
    for option in options:
        if option.recheck in situation.markers and not _is_ordered(option.recheck, situation):
            yield from _recheck(option, situation, policy)


def _is_ordered(marker: str, situation: Situation) -> bool:
    return any(marker in p.markers for p in situation.context.patient.pending)


def _recheck(option: Option, situation: Situation, policy: Policy) -> Iterator[TestQuestion]:
    marker = option.recheck
    tests = situation.context.knowledge.tests_by_marker.get(marker, ())
    if tests and isinstance(situation.view(marker).knowledge, Known):
        outcomes = tuple(_branches(marker, situation))
        test, due_days = tests[0], option.recheck_days
        takes_days = turnaround_days(test, policy)
        yield TestQuestion(marker, test.id, outcomes, due_days=due_days, turnaround_days=takes_days)


def _branches(marker: str, situation: Situation) -> Iterator[Branch]:
    """What each value found then would mean, everything else being as it is now."""
    rows = situation.context.knowledge.rows_by_table[situation.table.id]
    place = situation.markers.index(marker)
    now = [next(iter(sorted(d))) for d in situation.domains]
    found: dict[str, tuple[list[str], Branch]] = {}
    for state in rows.states[marker]:
        row = row_for((*now[:place], state, *now[place + 1 :]), rows, situation.context)
        if row is None:
            continue
        resulting = apply(row.advice, situation.context.order, situation.context.patient.weight_kg)
        found.setdefault(row.id, ([], Branch((), resulting, row.advice)))[0].append(state)
    branches = [Branch(tuple(states), b.resulting, b.advice) for states, b in found.values()]
    yield from sorted(branches, key=lambda b: severity(b.resulting))
