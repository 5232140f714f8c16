"""What is known of a marker of a tumour: a protein, a burden, a variant of its DNA (docs/reasoning.md, step 2).

Several tests may tell one marker, and some leave it to another: an equivocal immunohistochemistry to the in situ
hybridisation. Of each test the newest result counts, and what the tests tell is taken together.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import groupby

from cds_service.knowledge.base import Knowledge
from cds_service.knowledge.derived import observables_telling
from cds_service.knowledge.rows import NO_VARIANT, OTHER_VARIANT
from cds_service.knowledge.schema import MarkerUse, Observable
from cds_service.knowledge.variant_names import is_named_in
from cds_service.model import (
    Conflicting,
    GapReason,
    Indeterminate,
    Known,
    MarkerKnowledge,
    Narrowed,
    Narrowing,
    Phenotype,
    Presence,
    Reading,
    Stale,
    Unreadable,
    earliest,
    latest,
    newest_of,
)
from cds_service.reasoning.context import Context
from cds_service.reasoning.measures import told_alone, usable_of, window_days
from cds_service.reasoning.states import possible, untold

Told = tuple[Reading, MarkerKnowledge]


def is_of_tumour(marker: str) -> bool:
    """Whether the marker is of a tumour and not of the patient's inherited genes or blood."""
    return marker.startswith(("tumour:", "somatic:"))


def of_tumour(marker: str, use: MarkerUse, states: frozenset[str], context: Context) -> MarkerKnowledge:
    """What the patient's results tell of the marker. `states` are all that a test could return for the table."""
    told_by = observables_telling(context.knowledge).get(marker, ())
    readings = tuple(sorted([r for r in context.patient.readings if r.observable in told_by], key=_place))
    usable = usable_of(readings)
    if not usable:
        return untold(marker, readings, context.patient)
    told = [(r, _told(r, marker, use, states, context.knowledge)) for r in usable]
    window = window_days(use, context)
    if window is None:
        return _taken_together(told, marker, use, states)
    counted = [(r, k) for r, k in told if r.on is not None and (context.today - earliest(r.on)).days <= window]
    known = _taken_together(counted or told, marker, use, states)
    return known if counted else _too_old(known, usable, window, context.today)


def _taken_together(told: list[Told], marker: str, use: MarkerUse, states: frozenset[str]) -> MarkerKnowledge:
    found = _first_found(told, marker, use)
    return found if found is not None else _together(_newest(told), states)


def _too_old(known: MarkerKnowledge, usable: list[Reading], window: float, today: date) -> MarkerKnowledge:
    """What results tell of which none counts any more for the table."""
    dates = [reading.on for reading in usable if reading.on is not None]
    if not dates:
        return Unreadable(GapReason.UNDATED, tuple(usable))
    may_count = any((today - latest(on)).days <= window for on in dates)
    return Stale(known.state if isinstance(known, Known) else "", max(dates, key=earliest), tuple(usable), may_count)


def _place(reading: Reading) -> tuple[str, int, str, str]:
    """The observable, then the newest first and undated ones last; the name only between equal ones."""
    days = 0 if reading.on is None else -earliest(reading.on).toordinal()
    return reading.observable, days, repr(reading.says), reading.reference


def _told(
    reading: Reading, marker: str, use: MarkerUse, states: frozenset[str], knowledge: Knowledge
) -> MarkerKnowledge:
    """What one reading tells by itself."""
    is_absent = isinstance(reading.says, Presence) and not reading.says.present
    if is_absent and _is_liquid(reading, knowledge):
        return Narrowed(states, Narrowing.PLASMA_MAY_MISS_IT, (reading,))
    if isinstance(reading.says, Presence) and use.variants and reading.observable == marker:
        return _by_variant(reading, reading.says, use, states, knowledge)
    if isinstance(reading.says, Presence) and is_absent and reading.says.allele:
        return Narrowed(states, Narrowing.OTHER_VARIANTS_NOT_TOLD, (reading,))
    if reading.observable != marker:
        return _told_of_another(reading, marker, states, knowledge)
    left = states.intersection(knowledge.observables[marker].tells.get(marker, {}).get(_said(reading), ()))
    if left and _said(reading) not in states:
        return _told_by_a_coarser_word(reading, left, knowledge.observables[marker])
    return told_alone(reading, use, states)


def _told_by_a_coarser_word(reading: Reading, left: frozenset[str], observable: Observable) -> MarkerKnowledge:
    """What a word for the marker itself leaves possible, which names none of the table's states."""
    if len(left) == 1:
        return Known(next(iter(left)), (reading,))
    spent = observable.spends.get(_said(reading))
    if spent is not None:
        return Indeterminate(left, (reading,), spent=frozenset({spent}))
    return Narrowed(left, Narrowing.REPORTED_AS_RANGE, (reading,))


def _said(reading: Reading) -> str:
    """The state that the result names; empty where it names none."""
    match reading.says:
        case Presence(_, present):
            return "positive" if present else "negative"
        case Phenotype(term):
            return term
        case _:
            return ""


def _told_of_another(reading: Reading, marker: str, states: frozenset[str], knowledge: Knowledge) -> MarkerKnowledge:
    """What a result of another test leaves possible of the marker."""
    said = _said(reading)
    if not said:
        return told_alone(reading, MarkerUse(), states)
    left = states.intersection(knowledge.observables[reading.observable].tells[marker].get(said, ()))
    if not left:
        return Unreadable(GapReason.UNEXPECTED_VALUE, (reading,))
    if len(left) == 1:
        return Known(next(iter(left)), (reading,))
    return Indeterminate(left, (reading,), spent=_methods(reading, marker, knowledge))


def _methods(reading: Reading, marker: str, knowledge: Knowledge) -> frozenset[str]:
    """How the result was got, as the tests of the marker name it: doing the same again tells nothing."""
    own = [code.code for code in knowledge.observables[reading.observable].codes]
    for codes in ([reading.coding.code] if reading.coding is not None else [], own):
        done = [t.method for t in knowledge.tests_by_marker.get(marker, ()) if any(c.code in codes for c in t.codes)]
        if done:
            return frozenset(done)
    return frozenset({reading.method})


def _is_liquid(reading: Reading, knowledge: Knowledge) -> bool:
    specimen = f" {reading.specimen} "
    return any(f" {word} " in specimen for word in knowledge.result_words.liquid_biopsies)


def _by_variant(
    reading: Reading, says: Presence, use: MarkerUse, states: frozenset[str], knowledge: Knowledge
) -> MarkerKnowledge:
    named = next((s for s, names in use.variants.items() if any(is_named_in(n, says.allele) for n in names)), "")
    if says.present:
        if says.allele:
            return Known(named or OTHER_VARIANT, (reading,))
        return Narrowed(states - {NO_VARIANT}, Narrowing.VARIANT_NOT_NAMED, (reading,))
    if not says.allele:
        return Known(NO_VARIANT, (reading,))
    left = _left_without(named, reading.observable, states, knowledge)
    return (
        Known(next(iter(left)), (reading,))
        if len(left) == 1
        else Narrowed(left, Narrowing.OTHER_VARIANTS_NOT_TOLD, (reading,))
    )


def _left_without(named: str, marker: str, states: frozenset[str], knowledge: Knowledge) -> frozenset[str]:
    """The states that are left where one was not found: as a test of that one alone tells them, if there is one."""
    tests = (knowledge.observables[i].tells.get(marker, {}) for i in observables_telling(knowledge)[marker])
    alone = (told.get("negative", ()) for told in tests if told.get("positive") == (named,))
    return next((states.intersection(left) for left in alone), states - {named})


def _first_found(told: list[Told], marker: str, use: MarkerUse) -> Known | None:
    """Of a gene the first state that was ever found: a later test that misses the variant takes nothing back."""
    found = use.variants or (("positive",) if marker.startswith("somatic:") else ())
    for state in found:
        readings = tuple([r for r, known in told if isinstance(known, Known) and known.state == state])
        if readings:
            return Known(state, readings)
    return None


def _newest(told: list[Told]) -> list[Told]:
    """The newest of each observable; what leaves everything open, or tells of one variant alone, hides no older
    result."""
    found: list[Told] = []
    for _, of_one in groupby(told, key=lambda pair: pair[0].observable):
        every = [*of_one]
        telling = [pair for pair in every if not _is_open(pair[1], Narrowing.PLASMA_MAY_MISS_IT)] or every
        whole = [pair for pair in telling if not _is_open(pair[1], Narrowing.OTHER_VARIANTS_NOT_TOLD)]
        newest = [reading for of in (telling, whole) for reading in newest_of([r for r, _ in of])]
        found += [pair for pair in telling if pair[0] in newest]
    return found


def _is_open(known: MarkerKnowledge, why: Narrowing) -> bool:
    return isinstance(known, Narrowed) and known.why is why


def _together(told: list[Told], states: frozenset[str]) -> MarkerKnowledge:
    """What results of one marker tell taken together: they conflict where no state is left."""
    unreadable = [(r, k) for r, k in told if isinstance(k, Unreadable)]
    clear = [(r, k) for r, k in told if not isinstance(k, Unreadable)]
    if not clear or any(_is_as_new(r, [other for other, _ in clear]) for r, _ in unreadable):
        return unreadable[0][1]
    readings = tuple([r for r, _ in clear])
    left = frozenset.intersection(*[possible(k, states) for _, k in clear])
    if not left:
        return Conflicting(frozenset().union(*[possible(k, states) for _, k in clear]), readings)
    if len(left) == 1:
        return Known(next(iter(left)), readings)
    return _open(left, [k for _, k in clear], readings)


def _is_as_new(reading: Reading, others: list[Reading]) -> bool:
    return reading in newest_of([reading, *others])


def _open(left: frozenset[str], told: list[MarkerKnowledge], readings: tuple[Reading, ...]) -> MarkerKnowledge:
    undetermined = [k for k in told if isinstance(k, Indeterminate)]
    if undetermined:
        spent = frozenset().union(*[k.spent for k in undetermined])
        return Indeterminate(left, readings, spent, tried=spent.union(*[k.tried for k in undetermined]))
    return Narrowed(left, next(_reasons(told)), readings)


def _reasons(told: list[MarkerKnowledge]) -> Iterator[Narrowing | str]:
    return (k.why for k in told if isinstance(k, Narrowed))
