"""What the states of one marker lead to, the others of the table held fast (docs/reasoning.md, step 6)."""

from __future__ import annotations

from collections.abc import Callable
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
    are open too, each state stands for the row that speaks of it alone, else for its mildest consequence; where that
    tells no states apart, for its gravest."""
    mildest = _consequences(marker, situation, floor, min)
    differ = len({beyond(r, floor) for r in mildest.values()}) > 1
    reached = mildest if differ else _consequences(marker, situation, floor, max)
    grouped: dict[tuple[ResultingOrder, str], tuple[list[str], Reached]] = {}
    for state, of_state in reached.items():
        key = (beyond(of_state, floor), of_state.row.id if of_state.row is not None else "")
        grouped.setdefault(key, ([], of_state))[0].append(state)
    found = [Branch(tuple(states), key[0], of_state.advice) for key, (states, of_state) in grouped.items()]
    return tuple(sorted(found, key=lambda b: severity(b.resulting)))


def _consequences(
    marker: str, situation: Situation, floor: ResultingOrder, chosen: Callable[..., Reached]
) -> dict[str, Reached]:
    """What each state stands for; `chosen` is `min` or `max` by severity."""
    place = situation.markers.index(marker)
    found: dict[str, Reached] = {}
    for state in sorted(situation.domains[place]):
        reached = [r for a, r in situation.reached.items() if a[place] == state]
        spoken = situation.spoken_of(marker, state) if len({r.resulting for r in reached}) > 1 else None
        found[state] = spoken or chosen(reached, key=lambda r: severity(beyond(r, floor)))
    return found
