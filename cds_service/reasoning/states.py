"""What is known of a marker: readings -> exactly one `MarkerKnowledge` (docs/reasoning.md, step 2).

Germline markers are lifelong: readings that disagree are Conflicting, whatever their dates.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from cds_service.knowledge.base import Knowledge
from cds_service.knowledge.derived import observables_telling
from cds_service.knowledge.nomenclature import normalised
from cds_service.knowledge.schema import Gene, ResultSpoiler
from cds_service.model import (
    FUTURE,
    INDETERMINATE,
    Availability,
    Conflicting,
    Diplotype,
    GapReason,
    Grade,
    Indeterminate,
    Known,
    MarkerKnowledge,
    Narrowed,
    Narrowing,
    NotTested,
    Patient,
    Pending,
    PendingTest,
    Phenotype,
    Reading,
    ReadingStatus,
    Unavailable,
    Unconfirmed,
    Unreadable,
    Unverified,
    When,
    earliest,
    is_of_variants,
    name_of,
    tested_as,
)
from cds_service.reasoning.obtained import results_availability
from cds_service.reasoning.phenotypes import phenotype_of_state
from cds_service.reasoning.said import Said, said_of
from cds_service.reasoning.spoilers import spoiler_of, states_left

_BESIDE = frozenset({
    GapReason.NOT_MACHINE_READABLE, GapReason.ABOUT_ANOTHER, GapReason.COPY_NUMBER, GapReason.UNKNOWN_CODE,
})  # fmt: skip
"""Reasons of gaps that tell of a result which is on file and does not count."""
_UNAVAILABLE = {
    Availability.PARTIAL: GapReason.PARTIAL,
    Availability.MISSING: GapReason.MISSING,
    Availability.FAILED: GapReason.FAILED,
}
INHERITED = ("gene:", "genotype:", "germline:", "hla:")
"""Markers and observables that do not change with time."""


def knowledge_of(
    marker: str,
    states: tuple[str, ...],
    patient: Patient,
    knowledge: Knowledge,
    today: date,
    *,
    deferring: frozenset[str] = frozenset(),
) -> MarkerKnowledge:
    """What the patient's readings, pending tests and gaps tell of the marker. `states` are all the states that
    a test could return; `deferring` are those of which another test has to be done (G6PD variable)."""
    observable = _observable(marker)
    readings = tuple(sorted([r for r in patient.readings if r.observable == observable], key=newest_first))
    usable = [r for r in readings if r.status is ReadingStatus.FINAL and r.grade is not Grade.UNVERIFIED]
    if not usable:
        return untold(marker, readings, patient, knowledge)
    every = frozenset(states)
    said = [_deferred(said_of(marker, r, every, patient, knowledge), deferring) for r in usable]
    telling = [s for s in said if _tells(s)]
    counted = [_spoiled(s, spoiler_of(marker, s.reading, patient, knowledge, today), every) for s in telling]
    kept = [s for s in counted if not _is_set_aside(s, every)]
    set_aside = [s for s in counted if _is_set_aside(s, every)]
    told = _combined(kept, every, marker, knowledge)
    if told is not None:
        doubtful = [s.otherwise for s in set_aside if s.otherwise is not None]
        with_doubtful = _combined([*kept, *doubtful], every, marker, knowledge) if doubtful else None
        return with_doubtful if isinstance(with_doubtful, Conflicting) else told
    return _all_open(set_aside, every) if set_aside else untold(marker, readings, patient, knowledge)


def newest_first(reading: Reading) -> tuple[int, str, str]:
    """The newest first, undated ones last, so that the order of the resources makes no difference; nor do their
    names, but between equal ones."""
    return (0 if reading.on is None else -earliest(reading.on).toordinal(), repr(reading.says), reading.reference)


def pending_of(marker: str, patient: Patient) -> tuple[PendingTest, ...]:
    """Ordered tests that answer the marker, the newest first; one without a date counts as new."""
    if not patient.pending:
        return ()
    names = {marker, _observable(marker)}
    found = (p for p in patient.pending if names.intersection(p.markers))
    return tuple(sorted(found, key=lambda p: (0 if p.since is None else _age(p.since), p.reference)))


def _age(since: When) -> int:
    """Grows with the age; of any day it is more than 0."""
    return (date.max - earliest(since)).days + 1


def _observable(marker: str) -> str:
    return marker.partition("*")[0] if marker.startswith("hla:") else tested_as(marker)


def _deferred(said: Said, deferring: frozenset[str]) -> Said:
    """A state that defers leaves open whatever the other test returns, and its own method is spent."""
    if not said.states & deferring or said.contradicts_itself:
        return said
    literal = next(iter(said.states)) if len(said.states) == 1 else INDETERMINATE
    return replace(said, states=frozenset(), indeterminate=said.indeterminate or literal)


def _tells(said: Said) -> bool:
    return bool(said.states or said.indeterminate or said.unreadable)


def _spoiled(said: Said, found: tuple[ResultSpoiler, bool] | None, states: frozenset[str]) -> Said:
    """What is left of what a reading says once what spoils it, for certain or not, is reckoned with."""
    if found is None:
        return said
    spoiler, certain = found
    left = states_left(said.states, spoiler, states)
    if left == said.states and spoiler.may_hide:
        return said
    unclear = said.indeterminate if spoiler.may_hide else ""
    otherwise = None if certain else said
    return Said(said.reading, left, unclear, said.repeatable, spoiled=spoiler.reason, otherwise=otherwise)


def _is_set_aside(said: Said, states: frozenset[str]) -> bool:
    """A spoiled reading that leaves every state open speaks neither for nor against another reading."""
    return bool(said.spoiled) and said.states >= states


def _all_open(set_aside: list[Said], states: frozenset[str]) -> MarkerKnowledge:
    may_count = any(s.otherwise is not None for s in set_aside)
    return Narrowed(states, set_aside[0].spoiled, tuple(s.reading for s in set_aside), may_count)


def untold(marker: str, readings: tuple[Reading, ...], patient: Patient, knowledge: Knowledge) -> MarkerKnowledge:
    """Nothing usable is on file: why, from the most to the least telling."""
    preliminary = tuple(r for r in readings if r.status is ReadingStatus.PRELIMINARY and r.says != FUTURE)
    if preliminary:
        return Pending(preliminary[0].on, preliminary[0].reference, preliminary)
    ordered = next(iter(pending_of(marker, patient)), None)
    unverified = tuple(r for r in readings if r.grade is Grade.UNVERIFIED)
    if ordered is not None:
        return Pending(ordered.since, ordered.reference, unverified)
    availability = results_availability(marker, patient, knowledge)
    # The report that a problem list rests on may be among what was not obtained.
    is_lost = availability is not Availability.COMPLETE
    if unverified and not (is_lost and all(r.why_unverified is Unconfirmed.PROBLEM_LIST for r in unverified)):
        return Unverified(unverified)
    if is_lost:
        return Unavailable(_UNAVAILABLE[availability], readings)
    return NotTested(readings, _beside(marker, patient, knowledge))


def _beside(marker: str, patient: Patient, knowledge: Knowledge) -> GapReason | None:
    """Why what is on file does not count; None where there is nothing. A report that cannot be read and does not say
    of which genes it is may be of any."""
    told_by = {_observable(marker), *observables_telling(knowledge).get(marker, ())}
    is_of_genes = marker.startswith(INHERITED) or is_of_variants(marker)
    for gap in patient.gaps:
        of_any = is_of_genes and not gap.observables and gap.reason is GapReason.NOT_MACHINE_READABLE
        if gap.reason in _BESIDE and (of_any or not told_by.isdisjoint(gap.observables)):
            return gap.reason
    return None


def _combined(said: list[Said], states: frozenset[str], marker: str, knowledge: Knowledge) -> MarkerKnowledge | None:
    """The readings of a lifelong marker taken together; None where none of them tells anything."""
    readings = tuple(s.reading for s in said)
    if any(s.contradicts_itself for s in said):
        return Conflicting(frozenset().union(*(s.states for s in said)), readings)
    telling = [s for s in _without_earlier_labels(said, marker, knowledge) if s.states and not s.indeterminate]
    undetermined = [s for s in said if s.indeterminate]
    if telling:
        return _agreed([*telling, *(s for s in undetermined if s.states)], readings)
    if undetermined:
        literal, spent = undetermined[0].indeterminate, _methods(s for s in undetermined if not s.repeatable)
        return Indeterminate(_left_open(undetermined, states), readings, spent, literal, _methods(undetermined))
    unreadable = next((s.unreadable for s in said if s.unreadable), None)
    return Unreadable(unreadable, readings) if unreadable is not None else None


def _left_open(said: list[Said], states: frozenset[str]) -> frozenset[str]:
    return frozenset().union(*(s.states or states for s in said))


def _methods(said: Iterable[Said]) -> frozenset[str]:
    return frozenset(s.reading.method or "genotype" for s in said)


def _agreed(said: list[Said], readings: tuple[Reading, ...]) -> MarkerKnowledge:
    common = frozenset.intersection(*(s.states for s in said))
    if not common:
        return Conflicting(frozenset().union(*(s.states for s in said)), readings)
    if len(common) == 1:
        return Known(next(iter(common)), readings)
    why = next((s.spoiled for s in said if s.spoiled), Narrowing.REPORTED_AS_RANGE)
    return Narrowed(common, why, readings)


def _without_earlier_labels(said: list[Said], marker: str, knowledge: Knowledge) -> list[Said]:
    """Without phenotype labels that an earlier consensus would have given the same diplotype: the diplotype
    decides by today's rule."""
    gene = knowledge.genes.get(name_of(marker))
    if gene is None or len(said) == 1:
        return said
    allowed = frozenset(term for s in said for term in _earlier_labels(s, gene))
    return [s for s in said if not (isinstance(s.reading.says, Phenotype) and s.reading.says.term in allowed)]


def _earlier_labels(said: Said, gene: Gene) -> Iterable[str]:
    """Labels that an earlier consensus would have given what a genotype or score reading says."""
    if isinstance(said.reading.says, Phenotype) or len(said.states) != 1:
        return ()
    state = next(iter(said.states))
    keys = {state, phenotype_of_state(gene, state)}
    if isinstance(said.reading.says, Diplotype):
        keys.add(normalised(gene, said.reading.says.text))
    return (term for key in keys for term in gene.earlier_labels.get(key, ()))


def possible(knowledge: MarkerKnowledge, states: frozenset[str]) -> frozenset[str]:
    """S(M): the states that what is known leaves possible, before modifiers (docs/reasoning.md, step 2)."""
    match knowledge:
        case Known(state):
            return frozenset({state})
        case Narrowed(left) | Conflicting(left) | Indeterminate(left):
            return left
        case _:
            return states
