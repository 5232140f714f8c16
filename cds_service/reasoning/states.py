"""What is known of a marker: readings -> exactly one `MarkerKnowledge` (design sections 2, 4.2 and 4.8).

Germline markers are lifelong: readings that disagree are Conflicting, whatever their dates.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

from cds_service.knowledge.base import Knowledge
from cds_service.knowledge.nomenclature import WITH_ANY, normalised, parse_diplotype
from cds_service.knowledge.schema import Gene, GeneModel
from cds_service.model import (
    FUTURE,
    INDETERMINATE,
    ActivityScore,
    Availability,
    Conflicting,
    Diplotype,
    Grade,
    HlaType,
    Indeterminate,
    Known,
    MarkerKnowledge,
    Narrowed,
    NotReadable,
    NotTested,
    OneOf,
    Patient,
    Pending,
    PendingTest,
    Phenotype,
    Presence,
    Query,
    Reading,
    ReadingStatus,
    SelfContradiction,
    Unavailable,
    Undetermined,
    Unreadable,
    Unverified,
    When,
    earliest,
)
from cds_service.reasoning.phenotypes import (
    call_phenotype,
    phenotype_of_state,
    state_of_score,
    states_of_phenotype,
)
from cds_service.reasoning.spoilers import spoiler_of, states_left

_UNREAD_REPORT = "not_machine_readable"
_BESIDE = frozenset({_UNREAD_REPORT, "about_another"})
"""Reasons of gaps that tell of a result which is on file and does not count."""
_INHERITED = ("gene:", "genotype:", "hla:")


@dataclass(frozen=True, slots=True)
class Said:
    """What one reading says of a marker. `states` is empty where it says nothing of it."""

    reading: Reading
    states: frozenset[str]
    indeterminate: str = ""
    """The literal state where the test gave none (`Indeterminate`, or a state that defers to another test)."""
    repeatable: bool = False
    """The test gave none because the run failed or was too coarse: done again it may tell."""
    contradicts_itself: bool = False
    unreadable: str = ""
    spoiled: str = ""
    """Phrase key of why it does not exclude what it should (a transfusion before it)."""
    otherwise: Said | None = None
    """What it says where dates that are told roughly leave open whether it is spoiled."""


def knowledge_of(
    marker: str,
    states: tuple[str, ...],
    patient: Patient,
    knowledge: Knowledge,
    deferring: frozenset[str] = frozenset(),
) -> MarkerKnowledge:
    """What the patient's readings, pending tests and gaps tell of the marker. `states` are all the states that
    a test could return; `deferring` are those of which another test has to be done (G6PD variable)."""
    observable = _observable(marker)
    readings = tuple(sorted([r for r in patient.readings if r.observable == observable], key=_place))
    usable = [r for r in readings if r.status is ReadingStatus.FINAL and r.grade is not Grade.UNVERIFIED]
    if not usable:
        return untold(marker, readings, patient)
    every = frozenset(states)
    said = [_deferred(_said(marker, r, every, patient, knowledge), deferring) for r in usable]
    counted = [_spoiled(s, marker, every, patient, knowledge) for s in said if _tells(s)]
    kept = [s for s in counted if not _is_set_aside(s, every)]
    set_aside = [s for s in counted if _is_set_aside(s, every)]
    told = _combined(kept, every, marker, knowledge)
    if told is not None:
        doubtful = [s.otherwise for s in set_aside if s.otherwise is not None]
        with_doubtful = _combined([*kept, *doubtful], every, marker, knowledge) if doubtful else None
        return with_doubtful if isinstance(with_doubtful, Conflicting) else told
    return _all_open(set_aside, every) if set_aside else untold(marker, readings, patient)


def _place(reading: Reading) -> tuple[int, str, str]:
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
    kind, _, name = marker.partition(":")
    if kind == "hla":
        return f"hla:{name.partition('*')[0]}"
    return f"gene:{name}" if kind == "genotype" else marker


def _deferred(said: Said, deferring: frozenset[str]) -> Said:
    """A state that defers leaves open whatever the other test returns, and its own method is spent."""
    if not said.states & deferring or said.contradicts_itself:
        return said
    literal = next(iter(said.states)) if len(said.states) == 1 else INDETERMINATE
    return replace(said, states=frozenset(), indeterminate=said.indeterminate or literal)


def _tells(said: Said) -> bool:
    return bool(said.states or said.indeterminate or said.unreadable)


def _spoiled(said: Said, marker: str, states: frozenset[str], patient: Patient, knowledge: Knowledge) -> Said:
    """What is left of what a reading says once an event of the record that spoils it is reckoned with."""
    found = spoiler_of(marker, said.reading, patient, knowledge)
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


def untold(marker: str, readings: tuple[Reading, ...], patient: Patient) -> MarkerKnowledge:
    """Nothing usable is on file: why, from the most to the least telling."""
    preliminary = tuple(r for r in readings if r.status is ReadingStatus.PRELIMINARY and r.says != FUTURE)
    if preliminary:
        return Pending(preliminary[0].on, preliminary[0].reference, preliminary)
    ordered = next(iter(pending_of(marker, patient)), None)
    unverified = tuple(r for r in readings if r.grade is Grade.UNVERIFIED)
    if ordered is not None:
        return Pending(ordered.since, ordered.reference, unverified)
    if unverified:
        return Unverified(unverified)
    availability = patient.availability.get(Query.RESULTS, Availability.MISSING)
    if availability is not Availability.COMPLETE:
        return Unavailable(availability.value, readings)
    return NotTested(readings, _beside(marker, patient))


def _beside(marker: str, patient: Patient) -> str:
    """Why what is on file does not count; empty where there is nothing. A report that cannot be read and does not say
    of which genes it is may be of any."""
    observable = _observable(marker)
    for gap in patient.gaps:
        of_any = not gap.observables and gap.reason == _UNREAD_REPORT and marker.startswith(_INHERITED)
        if gap.reason in _BESIDE and (of_any or observable in gap.observables):
            return gap.reason
    return ""


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
    unreadable = next((s for s in said if s.unreadable), None)
    return Unreadable(unreadable.unreadable, readings) if unreadable is not None else None


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
    why = next((s.spoiled for s in said if s.spoiled), "reported_as_range")
    return Narrowed(common, why, readings)


def _without_earlier_labels(said: list[Said], marker: str, knowledge: Knowledge) -> list[Said]:
    """Without phenotype labels that an earlier consensus would have given the same diplotype: the diplotype
    decides by today's rule (design section 4.8)."""
    gene = knowledge.genes.get(marker.partition(":")[2])
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


# --- what one reading says ------------------------------------------------------------------------------------


def _said(marker: str, reading: Reading, states: frozenset[str], patient: Patient, knowledge: Knowledge) -> Said:
    match reading.says:
        case NotReadable(reason):
            return Said(reading, frozenset(), unreadable=reason)
        case SelfContradiction():
            return Said(reading, states, contradicts_itself=True)
        case Undetermined():
            return Said(reading, frozenset(), indeterminate=INDETERMINATE, repeatable=True)
        case HlaType() | Presence() as says if marker.startswith("hla:"):
            return _said_of_hla(f"*{marker.partition('*')[2]}", says, reading)
    gene = knowledge.genes.get(marker.partition(":")[2])
    if gene is None:
        return Said(reading, frozenset())
    if marker.startswith("genotype:"):
        return _said_of_genotype(gene, reading, states)
    return _said_of_gene(gene, reading, states, patient)


def _said_of_hla(name: str, says: HlaType | Presence, reading: Reading) -> Said:
    """An HLA allele is there, is not there, or stays open. A negative needs both chromosomes typed."""
    if isinstance(says, Presence):
        found = frozenset({"positive" if says.present else "negative"})
        return Said(reading, found if says.allele == name else frozenset())
    if name in says.alleles:
        return Said(reading, frozenset({"positive"}))
    if name in says.ambiguous:
        return Said(reading, frozenset({"positive", "negative"}), indeterminate=INDETERMINATE, repeatable=True)
    return Said(reading, frozenset({"negative"}) if says.complete else frozenset())


def _said_of_gene(gene: Gene, reading: Reading, states: frozenset[str], patient: Patient) -> Said:
    match reading.says:
        case Diplotype(text):
            return _said_by_diplotype(gene, text, reading, states, patient)
        case Phenotype(term) if term == INDETERMINATE:
            return Said(reading, frozenset(), indeterminate=INDETERMINATE)
        case Phenotype(term):
            return Said(reading, states_of_phenotype(gene, term))
        case OneOf(terms):
            return Said(reading, frozenset().union(*(states_of_phenotype(gene, term) for term in terms)))
        case ActivityScore() if not gene.bands:
            return Said(reading, frozenset(), unreadable="no_scores")
        case ActivityScore(value, at_least):
            found = state_of_score(gene, value, at_least)
            return Said(reading, frozenset({found}) if isinstance(found, str) else found)
        case Presence(allele, True):
            return Said(reading, _states_with(gene, allele))
        case _:
            return Said(reading, frozenset())


def _said_by_diplotype(gene: Gene, text: str, reading: Reading, states: frozenset[str], patient: Patient) -> Said:
    call = call_phenotype(gene, text)
    if call.indeterminate and call.unknown_alleles:
        return Said(reading, frozenset(), unreadable="unknown_allele")
    if call.indeterminate:
        return Said(reading, call.states, indeterminate=INDETERMINATE)
    if _zygosity_unknown(gene, text, patient):
        return Said(reading, _states_with(gene, text))
    if _panel_incomplete(gene, text, reading):
        return Said(reading, states)
    return Said(reading, call.states)


def _zygosity_unknown(gene: Gene, text: str, patient: Patient) -> bool:
    """One allele named for an X-linked gene in a patient not known to have one X chromosome."""
    return gene.model is GeneModel.X_LINKED and "/" not in normalised(gene, text) and patient.sex != "male"


def _panel_incomplete(gene: Gene, text: str, reading: Reading) -> bool:
    """A reference call from a panel known to lack alleles that matter leaves everything open."""
    if not reading.panel or not gene.panel_alleles or not gene.reference:
        return False
    if set(parse_diplotype(gene, text).alleles) != {gene.reference}:
        return False
    return not set(gene.panel_alleles) <= set(reading.panel)


def _states_with(gene: Gene, allele: str) -> frozenset[str]:
    """States of the gene that are possible when one chromosome carries the allele."""
    if gene.model is GeneModel.MITOCHONDRIAL:
        return call_phenotype(gene, allele).states
    calls = (call_phenotype(gene, f"{allele}/{other}") for other in gene.alleles)
    return frozenset().union(*(c.states for c in calls if not c.indeterminate and not c.unknown_alleles))


def _said_of_genotype(gene: Gene, reading: Reading, states: frozenset[str]) -> Said:
    """A marker that is the genotype itself. A phenotype or score leaves every genotype of that phenotype, an allele
    that was found every genotype with it."""
    match reading.says:
        case Diplotype(text):
            return _genotype_state(gene, reading, text, states)
        case Phenotype(term) if term == INDETERMINATE:
            return Said(reading, frozenset(), indeterminate=INDETERMINATE)
        case Phenotype() | OneOf() | ActivityScore():
            wanted = _said_of_gene(gene, reading, frozenset(gene.states), _NOBODY).states
            left = (s for s in states if _is_open(s) or call_phenotype(gene, s).states & wanted)
            return Said(reading, frozenset(left))
        case Presence(allele, True):
            return Said(reading, _genotypes_with(normalised(gene, allele), states))
        case _:
            return Said(reading, frozenset())


_NOBODY = Patient(id="")
OTHER_GENOTYPE = "other"


def _genotypes_with(allele: str, states: frozenset[str]) -> frozenset[str]:
    """The states that a genotype with the allele may be."""
    contains = f"{allele}{WITH_ANY}"
    rest = frozenset({contains if contains in states else OTHER_GENOTYPE}) & states
    return rest | frozenset(s for s in states if allele in s.split("/"))


def _is_open(state: str) -> bool:
    """Whether the state stands for genotypes that it does not name."""
    return "/" not in state or state.endswith(WITH_ANY)


def _genotype_state(gene: Gene, reading: Reading, text: str, states: frozenset[str]) -> Said:
    call = call_phenotype(gene, text)
    if call.unknown_alleles:
        return Said(reading, frozenset(), unreadable="unknown_allele")
    name = normalised(gene, text)
    if name in states:
        return Said(reading, frozenset({name}))
    containing = frozenset(f"{allele}{WITH_ANY}" for allele in name.split("/")) & states
    if containing:
        return Said(reading, containing)
    if OTHER_GENOTYPE in states:
        return Said(reading, frozenset({OTHER_GENOTYPE}))
    return Said(reading, frozenset(), indeterminate=INDETERMINATE)


# --- which states are possible --------------------------------------------------------------------------------


def possible(knowledge: MarkerKnowledge, states: frozenset[str]) -> frozenset[str]:
    """S(M): the states that what is known leaves possible, before spoilers and modifiers (design 4.2)."""
    match knowledge:
        case Known(state):
            return frozenset({state})
        case Narrowed(left) | Conflicting(left) | Indeterminate(left):
            return left
        case _:
            return states


def states_if_verified(marker: str, states: frozenset[str], patient: Patient, knowledge: Knowledge) -> frozenset[str]:
    """The states that unverified readings would leave if a clinical laboratory confirmed them."""
    trusted = tuple(replace(r, grade=Grade.CLINICAL) if r.grade is Grade.UNVERIFIED else r for r in patient.readings)
    known = knowledge_of(marker, tuple(states), replace(patient, readings=trusted), knowledge)
    return possible(known, states)
