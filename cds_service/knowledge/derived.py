"""What is worked out from a knowledge base on first use, and kept for as long as the knowledge is in use."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from cds_service.codes import LOINC
from cds_service.knowledge.base import Knowledge
from cds_service.knowledge.reach import modifier_key
from cds_service.knowledge.schema import ObservationCode, StateChange

T = TypeVar("T")

_KNOWLEDGE_BASES_REMEMBERED = 4


def once_for_each(make: Callable[[Knowledge], T]) -> Callable[[Knowledge], T]:
    """`make`, called once for each knowledge base. They are compared by identity: a knowledge base is immutable, and
    comparing contents would cost more than the work."""
    kept: dict[int, tuple[Knowledge, T]] = {}

    def made(knowledge: Knowledge) -> T:
        found = kept.get(id(knowledge))
        return found[1] if found is not None else keep(knowledge)

    def keep(knowledge: Knowledge) -> T:
        value = make(knowledge)
        if len(kept) >= _KNOWLEDGE_BASES_REMEMBERED:
            kept.clear()
        kept[id(knowledge)] = knowledge, value  # with the knowledge itself kept, no other can come by its identity
        return value

    return made


@once_for_each
def implied_conditions(knowledge: Knowledge) -> Mapping[str, frozenset[str]]:
    """Each condition key -> itself and every key of the knowledge that includes it, directly or through others."""
    return {key: _widened(frozenset((key,)), knowledge) for key in _mentioned(knowledge)}


@once_for_each
def spoiling_conditions(knowledge: Knowledge) -> frozenset[str]:
    """The condition keys that may set a spoiler going, themselves or through what they imply."""
    events = frozenset(key for spoiler in knowledge.spoilers for key in spoiler.conditions)
    return events.union(key for key, wider in implied_conditions(knowledge).items() if not wider.isdisjoint(events))


@once_for_each
def events_that_spoil(knowledge: Knowledge) -> frozenset[str]:
    """Those, and the conditions by which an event is told to spoil nothing."""
    return spoiling_conditions(knowledge).union(*(spoiler.unless for spoiler in knowledge.spoilers))


def implied(keys: frozenset[str], knowledge: Knowledge) -> frozenset[str]:
    """The condition keys, and every key of the knowledge that includes one of them."""
    wider = implied_conditions(knowledge)
    return keys.union(*[wider.get(key, ()) for key in keys])


def _mentioned(knowledge: Knowledge) -> frozenset[str]:
    included = (key for condition in knowledge.conditions.values() for key in condition.includes)
    return frozenset(knowledge.conditions) | frozenset(included)


def _widened(keys: frozenset[str], knowledge: Knowledge) -> frozenset[str]:
    wider = {c.id for c in knowledge.conditions.values() if keys.intersection(c.includes)}
    return keys if wider <= keys else _widened(keys | wider, knowledge)


@once_for_each
def observables_telling(knowledge: Knowledge) -> Mapping[str, tuple[str, ...]]:
    """Marker -> the observables whose results tell it: the one that it is itself, and those of other tests."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for observable in knowledge.observables.values():
        for marker in dict.fromkeys((observable.id, *observable.tells)):
            found[marker].append(observable.id)
    return {marker: tuple(ids) for marker, ids in found.items()}


@once_for_each
def loinc_codes(knowledge: Knowledge) -> frozenset[str]:
    """The LOINC codes under which results of genes, HLA loci and observables are read."""
    return frozenset(code.code for _, code in codes_of_results(knowledge) if code.system == LOINC)


def codes_of_results(knowledge: Knowledge) -> Iterator[tuple[str, ObservationCode]]:
    """Every code under which results are read, with the id of what it tells (`gene:CYP2C19`, `lab:potassium`)."""
    yield from ((gene.marker, code) for gene in knowledge.genes.values() for code in gene.codes)
    yield from ((marker.marker, code) for marker in knowledge.hla.values() for code in marker.codes)
    yield from ((observable.id, code) for observable in knowledge.observables.values() for code in observable.codes)


@once_for_each
def changing_conditions(knowledge: Knowledge) -> Mapping[str, StateChange]:
    """Condition key -> the change of a result that tells it."""
    return {key: c.change for key, c in knowledge.conditions.items() if c.change is not None}


@once_for_each
def drug_names(knowledge: Knowledge) -> frozenset[str]:
    """What cards call the drugs of the knowledge."""
    return frozenset(drug.display or drug.id for drug in knowledge.drugs.values())


@once_for_each
def reached_drugs(knowledge: Knowledge) -> Mapping[str, frozenset[str]]:
    """Each drug that can matter to the tables of others -> those others (`reach.comedication_keys`)."""
    by_key: defaultdict[str, set[str]] = defaultdict(set)
    for other, keys in knowledge.comedications_by_drug.items():
        for key in keys:
            by_key[key].add(other)
    drugs = {*by_key, *knowledge.groups_by_drug, *knowledge.modulators_by_drug}
    reached = {drug: _reached(drug, by_key, knowledge) for drug in drugs}
    return {drug: others for drug, others in reached.items() if others}


def _reached(drug: str, by_key: Mapping[str, set[str]], knowledge: Knowledge) -> frozenset[str]:
    modified = [modifier_key(m.enzyme) for m in knowledge.modulators_by_drug.get(drug, ())]
    keys = (drug, *knowledge.groups_by_drug.get(drug, ()), *modified)
    return frozenset().union(*(by_key.get(key, ()) for key in keys))
