"""What the states of one marker lead to, the others of the table held fast (docs/reasoning.md, step 6)."""

from __future__ import annotations

from itertools import product

from cds_service.model import Branch, ResultingOrder
from cds_service.reasoning.apply import departs, severity
from cds_service.reasoning.tables import Assignment, Reached, Situation


def beyond(reached: Reached, floor: ResultingOrder) -> ResultingOrder:
    """What becomes of the order, where other tables make at least `floor` of it."""
    return max(reached.resulting, floor, key=severity) if departs(floor) else reached.resulting


def lines_of(marker: str, situation: Situation) -> list[list[Assignment]]:
    """Groups of assignments that differ in the marker alone."""
    place = situation.markers.index(marker)
    states = sorted(situation.domains[place])
    others = [sorted(d) if n != place else [""] for n, d in enumerate(situation.domains)]
    return [[(*rest[:place], state, *rest[place + 1 :]) for state in states] for rest in product(*others)]


def branches(marker: str, situation: Situation, floor: ResultingOrder) -> tuple[Branch, ...]:
    """The marker's outcomes, states with the same consequence together, the mildest first. Where other markers
    are open too, each state stands for its mildest consequence."""
    place = situation.markers.index(marker)
    grouped: dict[tuple[ResultingOrder, str], tuple[list[str], Reached]] = {}
    for state in sorted(situation.domains[place]):
        reached = min(
            (r for a, r in situation.reached.items() if a[place] == state),
            key=lambda r: severity(beyond(r, floor)),
        )
        key = (beyond(reached, floor), reached.row.id if reached.row is not None else "")
        grouped.setdefault(key, ([], reached))[0].append(state)
    found = [Branch(tuple(states), key[0], reached.advice) for key, (states, reached) in grouped.items()]
    return tuple(sorted(found, key=lambda b: severity(b.resulting)))
