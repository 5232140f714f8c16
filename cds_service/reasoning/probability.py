"""How likely a test result is to change the order: a range over published populations (design 4.6).

States are weighted by the shares of patients that have them. Where a published term stands for several states
the least and the most that are compatible are taken, so that the range says what is not known instead of hiding
it. Another open marker counts with its shares in the same population, else with its range over all populations;
without any published shares it counts as its mildest state.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from cds_service.knowledge.base import Knowledge
from cds_service.knowledge.derived import implied
from cds_service.knowledge.rows import expand_terms
from cds_service.knowledge.schema import FamilyPrior, Frequency
from cds_service.model import ChangeProbability, FamilyCondition, Patient, Trust
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
class Span:
    low: float
    high: float


def change_probability(situation: Situation, marker: str, counted: Counted) -> ChangeProbability | None:
    """The probability that the marker's result leads to one of `counted`, low to high over populations; None
    where no population has published shares."""
    populations = _populations(marker, situation.context.knowledge)
    spans = [span for p in populations if (span := _in_population(situation, marker, p, counted)) is not None]
    if not spans:
        return None
    return ChangeProbability(min(s.low for s in spans), max(s.high for s in spans), len(spans))


@dataclass(frozen=True, slots=True)
class Inherited:
    """A relative's condition that makes a change likelier. `share` is the most that the patient may have of it, None
    where no figure is known."""

    relative: FamilyCondition
    share: float | None


def inherited(marker: str, patient: Patient, knowledge: Knowledge) -> Inherited | None:
    """What the family history tells of the marker: the nearest relative's condition, one with a figure first."""
    found = [
        Inherited(relative, _share_of(prior, relative))
        for prior in knowledge.family_priors
        if marker in prior.markers and prior.trust is not Trust.RECALLED
        for relative in patient.family
        if relative.degree <= SECOND_DEGREE and _has(relative, prior, knowledge)
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


def _populations(marker: str, knowledge: Knowledge) -> list[str]:
    """Populations with published shares. Those whose shares are known to be too low count only where there are
    no others."""
    found = [f for f in knowledge.frequencies_by_marker.get(marker, ()) if f.trust is not Trust.RECALLED]
    too_low = {f.population for f in found if f.lower_bound}
    return sorted({f.population for f in found} - too_low) or sorted(too_low)


def _in_population(situation: Situation, marker: str, population: str, counted: Counted) -> Span | None:
    own = shares_of(situation, marker, population)
    if not own:
        return None
    others = [m for m in situation.open_markers() if m != marker]
    shares = {m: shares_of(situation, m, population) or _pooled(situation, m) for m in others}
    return _expected(situation, [marker, *others], {marker: own, **shares}, {}, counted)


def _pooled(situation: Situation, marker: str) -> tuple[Share, ...]:
    """Each state's range over all populations."""
    ranges: dict[frozenset[str], Share] = {}
    for population in _populations(marker, situation.context.knowledge):
        for share in shares_of(situation, marker, population):
            seen = ranges.get(share.states, share)
            ranges[share.states] = Share(share.states, min(seen.low, share.low), max(seen.high, share.high))
    return tuple(ranges.values())


def _expected(
    situation: Situation,
    markers: list[str],
    shares: Mapping[str, tuple[Share, ...]],
    fixed: Mapping[str, str],
    counted: Counted,
) -> Span:
    """The share of assignments that count, the remaining `markers` weighted by their shares."""
    if not markers:
        counts = float(_assignment(situation, fixed) in counted)
        return Span(counts, counts)
    marker, *rest = markers

    def over(states: frozenset[str]) -> Span:
        spans = [_expected(situation, rest, shares, {**fixed, marker: s}, counted) for s in states]
        return Span(min(s.low for s in spans), max(s.high for s in spans))

    if not shares[marker]:
        mildest = over(situation.domains[situation.markers.index(marker)]).low
        return Span(mildest, mildest)
    spans = [(share, over(share.states)) for share in shares[marker]]
    low = sum(share.low * span.low for share, span in spans)
    high = sum(share.high * span.high for share, span in spans)
    return Span(min(low, 1.0), min(high, 1.0))


def _assignment(situation: Situation, fixed: Mapping[str, str]) -> Assignment:
    return tuple(
        fixed[m] if m in fixed else next(iter(states))
        for m, states in zip(situation.markers, situation.domains, strict=True)
    )


def shares_of(situation: Situation, marker: str, population: str) -> tuple[Share, ...]:
    """Shares of the states left for the marker, scaled to them; empty where nothing usable is published."""
    left = situation.domains[situation.markers.index(marker)]
    best: tuple[Share, ...] = ()
    for frequencies in _by_source(marker, population, situation.context.knowledge):
        shares = _scaled(tuple(_shares(frequencies, left, situation)))
        if shares and len(shares) >= len(best):
            best = shares
    return best


def _by_source(marker: str, population: str, knowledge: Knowledge) -> Iterator[list[Frequency]]:
    """Each source's shares for the population, if they cover it."""
    by_source: defaultdict[str, list[Frequency]] = defaultdict(list)
    for f in knowledge.frequencies_by_marker.get(marker, ()):
        if f.population == population and f.trust is not Trust.RECALLED:
            by_source[f.source].append(f)
    yield from (found for found in by_source.values() if sum(f.high for f in found) >= COVERED_AT_LEAST)


def _shares(frequencies: list[Frequency], left: frozenset[str], situation: Situation) -> Iterator[Share]:
    """The published shares of what is left. They count people before any co-medication: a shift moves them."""
    for f in frequencies:
        published = frozenset(expand_terms(f.marker, (f.state,), situation.context.knowledge.genes))
        states = situation.moved(f.marker, published) & left
        if states:
            yield Share(states, f.low, f.high)


def _scaled(shares: tuple[Share, ...]) -> tuple[Share, ...]:
    """Shares of what is left, scaled to one."""
    mass = sum((s.low + s.high) / 2 for s in shares)
    return tuple(Share(s.states, s.low / mass, s.high / mass) for s in shares) if mass > 0 else ()
