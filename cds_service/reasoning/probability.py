"""How likely a test result is to change the order: a range over published populations (decision 0003).

States are weighted by the shares of patients that have them. Where a published term stands for several states
the least and the most that are compatible are taken, so that the range says what is not known instead of hiding
it. Another open marker counts with its shares in the same population, else with its range over all populations;
without any published shares it may have any state that is left.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from cds_service.knowledge.base import Knowledge
from cds_service.knowledge.derived import implied, once_for_each
from cds_service.knowledge.reach import indications
from cds_service.knowledge.rows import states_counted
from cds_service.knowledge.schema import Fact, FamilyPrior, Frequency, GeneModel
from cds_service.memory import Memory
from cds_service.model import ChangeProbability, FamilyCondition, Patient, Trust, name_of
from cds_service.reasoning.context import SECOND_DEGREE
from cds_service.reasoning.tables import Assignment, Situation

COVERED_AT_LEAST = 0.9
"""Shares that cover less of a population than this say nothing about the rest of it."""

Counted = frozenset[Assignment]
"""The assignments whose probability is asked for."""


@dataclass(frozen=True, slots=True)
class Share:
    """`low` to `high` of a population have one of `states`."""

    states: frozenset[str]
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Chance:
    """A probability, from the least to the most that it may be."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Shares:
    """Of the states left for a marker, scaled to them."""

    by_population: Mapping[str, tuple[Share, ...]]
    """Where anything usable is published."""
    counted: tuple[str, ...]
    """The populations of those that count: the ones whose shares are known to be too low only where there are no
    others."""
    pooled: tuple[Share, ...]
    """Each state's range over the populations that count."""
    condition: str = ""
    """What all of these people have, where it is one condition."""


def change_probability(situation: Situation, marker: str, counted: Counted) -> ChangeProbability | None:
    """The probability that the marker's result leads to one of `counted`, low to high over populations; None
    where no population has published shares, or where they leave everything open."""
    own = _shares(situation, marker)
    others = [m for m in situation.open_markers() if m != marker] if own.counted else []
    shares = {marker: own, **{m: _shares(situation, m) for m in others}}
    spans = [_expected(_weighed(situation, shares, p), _any(situation), counted) for p in own.counted]
    low, high = min([s.low for s in spans], default=0.0), max([s.high for s in spans], default=1.0)
    if (low, high) == (0.0, 1.0):
        return None
    return ChangeProbability(low, high, len(spans), own.condition)


@dataclass(frozen=True, slots=True)
class Inherited:
    """A relative's condition that makes a change likelier. `share` is the most that the patient may have of it, None
    where no figure is known."""

    relative: FamilyCondition
    share: float | None


def inherited(marker: str, patient: Patient, knowledge: Knowledge) -> Inherited | None:
    """What the family history tells of the marker: the nearest relative's condition, one with a figure first."""
    gene = knowledge.genes.get(name_of(marker))
    from_mothers = gene is not None and gene.model is GeneModel.MITOCHONDRIAL
    found = [
        Inherited(relative, _share_of(prior, relative))
        for prior in knowledge.family_priors
        if marker in prior.markers and prior.trust is not Trust.RECALLED
        for relative in patient.family
        if relative.degree <= SECOND_DEGREE and _has(relative, prior, knowledge)
        if relative.of_mothers_line or not from_mothers
    ]
    return min(found, key=lambda f: (-(f.share or 0), f.relative.degree, f.relative.reference), default=None)


def _share_of(prior: FamilyPrior, relative: FamilyCondition) -> float | None:
    return None if prior.share_up_to is None else prior.share_up_to / 2 ** (relative.degree - 1)


def _has(relative: FamilyCondition, prior: FamilyPrior, knowledge: Knowledge) -> bool:
    return not implied(relative.keys, knowledge).isdisjoint(prior.conditions)


def raised(probability: ChangeProbability | None, prior: Inherited | None) -> ChangeProbability | None:
    """The probability with the family history: its upper end is at least the relative's share. The lower end stays,
    since the patient may have inherited nothing."""
    if probability is None or prior is None or prior.share is None:
        return probability
    return replace(probability, high=max(probability.high, prior.share))


Weighed = tuple[int, frozenset[str], tuple[Share, ...]]
"""A marker's place in assignments, the states left for it, and their shares in one population."""


def _weighed(situation: Situation, shares: Mapping[str, Shares], population: str) -> list[Weighed]:
    places = [(situation.markers.index(marker), of) for marker, of in shares.items()]
    return [(n, situation.domains[n], of.by_population.get(population, of.pooled)) for n, of in places]


def _any(situation: Situation) -> Assignment:
    """An assignment of the states left."""
    return tuple([next(iter(states)) for states in situation.domains])


def _expected(weighed: list[Weighed], assignment: Assignment, counted: Counted) -> Chance:
    """The share of assignments that count, of those that differ from `assignment` in the `weighed` markers alone."""
    (place, left, shares), *rest = weighed
    before, after = assignment[:place], assignment[place + 1 :]

    def over(states: frozenset[str]) -> Chance:
        reached = [(*before, state, *after) for state in states]
        if not rest:
            count = [a in counted for a in reached]
            return Chance(float(all(count)), float(any(count)))
        spans = [_expected(rest, a, counted) for a in reached]
        return Chance(min([s.low for s in spans]), max([s.high for s in spans]))

    if not shares:
        return over(left)
    spans = [(share, over(share.states)) for share in shares]
    low = sum([share.low * span.low for share, span in spans])
    high = sum([share.high * span.high for share, span in spans])
    return Chance(min(low, 1.0), min(high, 1.0))


def _shares(situation: Situation, marker: str) -> Shares:
    """Shares count people before any co-medication: a shift moves them. Without one they are the same for everybody
    of whom as much is known."""
    left, knowledge = situation.domains[situation.markers.index(marker)], situation.context.knowledge
    counting = _counting(situation, marker)
    if marker in situation.shifts:
        return _left_of(counting, knowledge, lambda states: situation.moved(marker, states) & left)
    return _remembered(knowledge).get((counting, left), _unshifted, counting, left, knowledge)


@dataclass(frozen=True, slots=True)
class Counting:
    """Whose shares count, and as which states: those of a table's marker among people with the same disease."""

    marker: str
    states: tuple[str, ...]
    diseases: frozenset[str]


def _counting(situation: Situation, marker: str) -> Counting:
    knowledge = situation.context.knowledge
    states = knowledge.rows_by_table[situation.table.id].states[marker]
    published = _diseases_published(knowledge).get(marker)
    if not published:
        return Counting(marker, states, published or frozenset())
    found = published & situation.context.evidence(Fact.INDICATION).keys
    return Counting(marker, states, found & indications(situation.table) or found)


@once_for_each
def _diseases_published(knowledge: Knowledge) -> Mapping[str, frozenset[str]]:
    """Marker -> the conditions for which it has shares of their own."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for frequency in knowledge.frequencies:
        if frequency.condition:
            found[frequency.marker].add(frequency.condition)
    return {marker: frozenset(conditions) for marker, conditions in found.items()}


@once_for_each
def _remembered(_knowledge: Knowledge) -> Memory[tuple[Counting, frozenset[str]], Shares]:
    return Memory()


def _unshifted(counting: Counting, left: frozenset[str], knowledge: Knowledge) -> Shares:
    return _left_of(counting, knowledge, left.intersection)


Published = Mapping[str, tuple[bool, list[list[Share]]]]
"""Of each population, whether its shares are known to be too low, and what each source that covers it says."""


def _published(frequencies: list[Frequency], counting: Counting, knowledge: Knowledge) -> Published:
    populations: defaultdict[str, list[Frequency]] = defaultdict(list)
    for frequency in frequencies:
        populations[frequency.population].append(frequency)
    return {
        population: (any(f.lower_bound for f in found), list(_by_source(found, counting, knowledge)))
        for population, found in populations.items()
    }


def _of_the_disease(counting: Counting, knowledge: Knowledge) -> list[Frequency]:
    """Shares among people with the disease, where there are any; else those that are of none."""
    every = knowledge.frequencies_by_marker.get(counting.marker, ())
    trusted = [f for f in every if f.trust is not Trust.RECALLED]
    return [f for f in trusted if f.condition in counting.diseases] or [f for f in trusted if not f.condition]


def _by_source(frequencies: list[Frequency], counting: Counting, knowledge: Knowledge) -> Iterator[list[Share]]:
    """Each source's shares of one population, if they cover it."""
    by_source: defaultdict[str, list[Share]] = defaultdict(list)
    for f in frequencies:
        states = states_counted(counting.marker, f.state, counting.states, knowledge.genes)
        by_source[f.source].append(Share(states, f.low, f.high))
    yield from (found for found in by_source.values() if sum(s.high for s in found) >= COVERED_AT_LEAST)


def _left_of(counting: Counting, knowledge: Knowledge, left: Callable[[frozenset[str]], frozenset[str]]) -> Shares:
    """The published shares of the states that `left` leaves of each."""
    frequencies = _of_the_disease(counting, knowledge)
    published = _published(frequencies, counting, knowledge)
    best = {population: _best(sources, left) for population, (_, sources) in published.items()}
    by_population = {population: shares for population, shares in best.items() if shares}
    enough = sorted(population for population, (too_low, _) in published.items() if not too_low)
    counted = tuple(p for p in enough or sorted(published) if p in by_population)
    return Shares(by_population, counted, _pooled(by_population[p] for p in counted), _shared(frequencies))


def _shared(frequencies: list[Frequency]) -> str:
    """The condition that all of them are of; empty where there is not exactly one."""
    conditions = {f.condition for f in frequencies}
    return conditions.pop() if len(conditions) == 1 else ""


def _best(sources: list[list[Share]], left: Callable[[frozenset[str]], frozenset[str]]) -> tuple[Share, ...]:
    """Of the source that tells most of the states apart; the last one of several."""
    best: tuple[Share, ...] = ()
    for source in sources:
        shares = _scaled([Share(states, s.low, s.high) for s in source if (states := left(s.states))])
        if shares and len(shares) >= len(best):
            best = shares
    return best


def _scaled(shares: list[Share]) -> tuple[Share, ...]:
    """Shares of what is left, scaled to one."""
    mass = sum((s.low + s.high) / 2 for s in shares)
    return tuple(Share(s.states, s.low / mass, s.high / mass) for s in shares) if mass > 0 else ()


def _pooled(populations: Iterable[tuple[Share, ...]]) -> tuple[Share, ...]:
    ranges: dict[frozenset[str], Share] = {}
    for share in (share for shares in populations for share in shares):
        seen = ranges.get(share.states, share)
        ranges[share.states] = Share(share.states, min(seen.low, share.low), max(seen.high, share.high))
    return tuple(ranges.values())
