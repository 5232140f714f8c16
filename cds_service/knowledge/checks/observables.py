"""Proofs about observables: a quantity has a unit, every unit can be written, one code means one thing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from cds_service.knowledge.base import Knowledge
from cds_service.knowledge.schema import Observable, ObservableKind


def observable_problems(knowledge: Knowledge) -> Iterator[str]:
    """Observables without a unit or an answer, conversions that cannot be, codes and names that several claim."""
    units = set(knowledge.unit_spellings.values())
    for observable in knowledge.observables.values():
        for problem in (*_own_problems(observable), *_unit_problems(observable, units)):
            yield f"observable {observable.id}: {problem}"
    yield from _told_problems(knowledge)
    yield from _gene_problems(knowledge)
    yield from _shared_codes(knowledge)
    yield from _shared_names(knowledge)


def _own_problems(observable: Observable) -> Iterator[str]:
    kind = observable.kind
    if not (observable.codes or observable.names or observable.gene):
        yield "no code, name or gene: nothing could ever mean it"
    if kind is ObservableKind.QUANTITY and not observable.unit:
        yield "a quantity needs its unit"
    if kind is ObservableKind.ORDINAL and not observable.answers:
        yield "a grade needs the answers that mean it"
    if kind is ObservableKind.PRESENCE:
        for state in sorted(set(observable.answers.values()) - {"positive", "negative"}):
            yield f"answer {state!r}; expected positive or negative"
    if observable.found_above_reference and (kind is not ObservableKind.PRESENCE or observable.unit):
        yield "found_above_reference: expected of a presence that has no unit"
    if observable.plausible is not None and observable.plausible[0] >= observable.plausible[1]:
        yield "plausible: expected low below high"


def _unit_problems(observable: Observable, units: set[str]) -> Iterator[str]:
    used = [observable.unit, *(c.unit for c in observable.conversions)] if observable.unit else []
    for unit in used:
        if used.count(unit) > 1:
            yield f"unit {unit!r} is named twice"
        if unit not in units:
            yield f"unit {unit!r} has no spelling in unit_spellings.yaml"
    for conversion in observable.conversions:
        if conversion.factor <= 0:
            yield f"conversion from {conversion.unit!r}: expected a factor above 0"


def _told_problems(knowledge: Knowledge) -> Iterator[str]:
    """What tests tell of others that no result could mean, or that is not known."""
    methods = {test.method for test in knowledge.tests.values()}
    for observable in knowledge.observables.values():
        own = {*observable.answers.values(), "positive", "negative"}
        for state, method in observable.spends.items():
            if state not in own or method not in methods:
                yield f"observable {observable.id}: spends {method!r} by {state!r}; expected a state and a method"
        for other, told in observable.tells.items():
            if not _may_be_told(other, knowledge):
                yield f"observable {observable.id}: tells {other!r}, which is no observable of a tumour or a gene"
            for state in sorted(told.keys() - own):
                yield f"observable {observable.id}: tells by {state!r}, which is none of its states"
        for other in observable.beside:
            if other not in knowledge.observables or other == observable.id:
                yield f"observable {observable.id}: beside it {other!r}; expected another observable"


def _may_be_told(other: str, knowledge: Knowledge) -> bool:
    is_of_tumour = other.startswith(("tumour:", "somatic:", "germline:"))
    return other in knowledge.observables and (is_of_tumour or knowledge.observables[other].needs_significance)


def _gene_problems(knowledge: Knowledge) -> Iterator[str]:
    """Genes that make others together negative and do not tell of them."""
    for observable in knowledge.observables.values():
        for part in observable.negative_where:
            if part not in knowledge.observables or observable.id not in knowledge.observables[part].tells:
                yield f"observable {observable.id}: negative_where {part!r}, which does not tell it"


def _shared_codes(knowledge: Knowledge) -> Iterator[str]:
    """A code of several observables is a combined test of genes; anything else would read one value twice."""
    users: defaultdict[tuple[str, str], list[Observable]] = defaultdict(list)
    for observable in knowledge.observables.values():
        for code in observable.codes:
            users[code.system, code.code].append(observable)
    for (_, code_text), sharing in sorted(users.items()):
        if len(sharing) > 1 and not all(o.gene and o.kind is ObservableKind.PRESENCE for o in sharing):
            yield f"code {code_text} means several observables: {', '.join(o.id for o in sharing)}"


def _shared_names(knowledge: Knowledge) -> Iterator[str]:
    users: defaultdict[str, list[str]] = defaultdict(list)
    for observable in knowledge.observables.values():
        for name in observable.names:
            users[name].append(observable.id)
    for name, sharing in sorted(users.items()):
        if len(sharing) > 1:
            yield f"name {name!r} means several observables: {', '.join(sharing)}"
