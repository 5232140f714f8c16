"""What the states of one marker lead to, the others of the table held fast (docs/reasoning.md, step 6)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

from cds_service.model import Action, Branch, ResultingOrder
from cds_service.reasoning.apply import departs, severity
from cds_service.reasoning.tables import Assignment, Reached, Situation


def beyond(reached: Reached, floor: ResultingOrder) -> ResultingOrder:
    """What becomes of the order, where other tables make at least `floor` of it."""
    return max(reached.resulting, floor, key=severity) if departs(floor) else reached.resulting


def has_more(reached: Reached) -> bool:
    """Whether something is done beside the order."""
    return reached.advice.options[0].action not in (Action.STANDARD, Action.NO_RECOMMENDATION)


def lines_of(marker: str, situation: Situation) -> list[list[Assignment]]:
    """Groups of assignments that differ in the marker alone."""
    place = situation.markers.index(marker)
    states = sorted(situation.domains[place])
    others = [sorted(d) if n != place else [""] for n, d in enumerate(situation.domains)]
    return [[(*rest[:place], state, *rest[place + 1 :]) for state in states] for rest in product(*others)]


def branches(marker: str, situation: Situation, floor: ResultingOrder) -> tuple[Branch, ...]:
    """The marker's outcomes, states with the same consequence together, the mildest first. Where other markers
    are open too, each state stands for the row that speaks of it alone, else for its mildest consequence. Where that
    tells no states apart (one of several results is enough), it stands for its consequence in the mildest case in
    which the marker decides.
    """
    told = [_told(state, marker, situation, floor) for state in sorted(_domain(marker, situation))]
    if len({beyond(one.reached, floor) for one in told}) == 1:
        told = _deciding(marker, situation, floor) or told
    grouped: dict[tuple[ResultingOrder, str, Given], list[_Told]] = {}
    for one in told:
        key = (beyond(one.reached, floor), one.reached.row.id if one.reached.row is not None else "", one.given)
        grouped.setdefault(key, []).append(one)
    found = [
        Branch(tuple([one.state for one in of_one]), resulting, of_one[0].reached.advice, given=given)
        for (resulting, _, given), of_one in grouped.items()
    ]
    return tuple(sorted(found, key=lambda b: severity(b.resulting)))


Given = tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class _Told:
    """What one state of the marker stands for, and the other results with which it does."""

    state: str
    reached: Reached
    given: Given = ()


def _domain(marker: str, situation: Situation) -> frozenset[str]:
    return situation.domains[situation.markers.index(marker)]


def _told(state: str, marker: str, situation: Situation, floor: ResultingOrder) -> _Told:
    place = situation.markers.index(marker)
    reached = [r for a, r in situation.reached.items() if a[place] == state]
    spoken = situation.spoken_of(marker, state) if len({r.resulting for r in reached}) > 1 else None
    return _Told(state, spoken or min(reached, key=lambda r: severity(beyond(r, floor))))


def _deciding(marker: str, situation: Situation, floor: ResultingOrder) -> list[_Told]:
    """The mildest line in which the marker's states lead to different orders, else one in which what is done beside
    the order differs; empty where there is none."""

    def order(assignment: Assignment) -> Weight:
        return (severity(beyond(situation.reached[assignment], floor)),)

    def order_and_more(assignment: Assignment) -> Weight:
        return (*order(assignment), has_more(situation.reached[assignment]))

    place, lines = situation.markers.index(marker), lines_of(marker, situation)
    for weight in (order, order_and_more):
        weights = {tuple(sorted(map(weight, line))): line for line in reversed(lines)}
        apart = [found for found in weights if found[0] != found[-1]]
        if apart:
            chosen = weights[min(apart)]
            return [_Told(a[place], situation.reached[a], _given(a, marker, situation, weight)) for a in chosen]
    return []


Weight = tuple[tuple[int, float] | bool, ...]


def _given(
    assignment: Assignment, marker: str, situation: Situation, weight: Callable[[Assignment], Weight]
) -> Given:
    """The other markers of which another state would lead to something milder, with the states that would not."""
    here = weight(assignment)

    def is_as_grave(place: int, state: str) -> bool:
        return weight((*assignment[:place], state, *assignment[place + 1 :])) >= here

    found = []
    for place, (name, states) in enumerate(zip(situation.markers, situation.domains, strict=True)):
        as_grave = tuple([state for state in sorted(states) if is_as_grave(place, state)])
        if name != marker and len(as_grave) < len(states):
            found.append((name, as_grave))
    return tuple(found)
