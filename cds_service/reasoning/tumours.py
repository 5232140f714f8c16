"""What is known of a marker of a tumour: a protein, a burden, a variant of its DNA, or an inherited one that matters
to its treatment (docs/reasoning.md, step 2).

Several tests may tell one marker, and some leave it to another: an equivocal immunohistochemistry to the in situ
hybridisation. Of each test the newest result counts, and what the tests tell is taken together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from itertools import groupby

from cds_service.effort import go_on
from cds_service.knowledge.base import Knowledge
from cds_service.knowledge.derived import observables_telling
from cds_service.knowledge.schema import MarkerUse, Observable, ResultSpoiler
from cds_service.knowledge.variant_names import variant_key
from cds_service.model import (
    Conflicting,
    GapReason,
    Indeterminate,
    Known,
    MarkerKnowledge,
    Narrowed,
    Narrowing,
    Presence,
    Reading,
    Stale,
    Unreadable,
    earliest,
    latest,
    newest_of,
)
from cds_service.reasoning.context import Context
from cds_service.reasoning.measures import usable_of, window_days
from cds_service.reasoning.said_of_tumours import INHERITED, AskedMarker, is_liquid, is_of_gene, said_of_tumour
from cds_service.reasoning.spoilers import spoiler_of
from cds_service.reasoning.states import newest_first, possible, untold

_OF_ONE_VARIANT = frozenset({Narrowing.OTHER_VARIANTS_NOT_TOLD, Narrowing.BENIGN_ALONE})
_POSITIVE, _NEGATIVE = "positive", "negative"

Told = tuple[Reading, MarkerKnowledge]


def of_tumour(marker: str, use: MarkerUse, states: frozenset[str], context: Context) -> MarkerKnowledge:
    """What the patient's results tell of the marker. `states` are all that a test could return for the table."""
    told_by = observables_telling(context.knowledge).get(marker, ())
    readings = tuple(sorted([r for r in context.patient.readings if r.observable in told_by], key=_place))
    usable = _without_earlier_opinions(usable_of(readings))
    if not usable:
        return untold(marker, readings, context.patient, context.knowledge)
    sound = [r for r in usable if not _is_spoiled(r, context)]
    if not sound:
        return _set_aside(usable, states, context)
    sound += _wholes(sound, context.knowledge)
    asked = AskedMarker(marker, use, states)
    told = [(r, said_of_tumour(r, asked, context.knowledge)) for r in sound]
    window = window_days(use, context)
    if window is None:
        return _taken_together(told, asked, context)
    counted = [(r, k) for r, k in told if r.on is not None and (context.today - earliest(r.on)).days <= window]
    known = _taken_together(counted or told, asked, context)
    return known if counted else _too_old(known, sound, window, context.today)


def _wholes(readings: list[Reading], knowledge: Knowledge) -> list[Reading]:
    """For each gene of which no part that matters had a variant: that it has none, as of the oldest of these
    results. What was looked for in plasma does not count. The newest of `readings` stands first."""
    missed: defaultdict[str, dict[str, Reading]] = defaultdict(dict)
    for reading in readings:
        says = reading.says
        if isinstance(says, Presence) and not says.present and says.allele and not is_liquid(reading, knowledge):
            missed[reading.observable].setdefault(variant_key(says.allele), reading)
    parts = {i: _parts_in(of_gene, knowledge.observables[i]) for i, of_gene in missed.items()}
    oldest = [
        max((missed[i][part] for part in of_gene), key=readings.index) for i, of_gene in parts.items() if of_gene
    ]
    return [replace(reading, says=Presence("", present=False)) for reading in oldest]


def _parts_in(missed: Mapping[str, Reading], observable: Observable) -> list[str]:
    """The parts missed that make up the gene; none where one is left."""
    made_up = [[part] if part in missed else [*smaller] for part, smaller in observable.whole_where.items()]
    parts = [part for one in made_up for part in one]
    return parts if all(made_up) and all(part in missed for part in parts) else []


def _taken_together(told: list[Told], asked: AskedMarker, context: Context) -> MarkerKnowledge:
    found = _first_found(told, asked.marker, asked.use, context.knowledge)
    if found is not None:
        return found
    together = _together(_newest(told), asked.states)
    if isinstance(together, Known | Conflicting):
        return together
    return _by_genes(asked.marker, asked.states, context) or together


def _without_earlier_opinions(readings: list[Reading]) -> list[Reading]:
    """Without what a laboratory thought of a variant before it thought better of it."""
    opinions: defaultdict[tuple[str, str], list[Reading]] = defaultdict(list)
    for reading in readings:
        if isinstance(reading.says, Presence) and reading.says.significance and _variant_of(reading)[1]:
            opinions[_variant_of(reading)].append(reading)
    return [r for r in readings if not any(_replaces(other, r) for other in opinions.get(_variant_of(r), ()))]


def _variant_of(reading: Reading) -> tuple[str, str]:
    return reading.observable, variant_key(reading.says.allele) if isinstance(reading.says, Presence) else ""


def _replaces(newer: Reading, older: Reading) -> bool:
    """Whether of two readings of one variant, of which the newer says what is thought of it, it takes the place."""
    go_on()
    return isinstance(older.says, Presence) and older.says.present and newest_of([newer, older]) == [newer]


def _is_spoiled(reading: Reading, context: Context) -> bool:
    return _spoiler_of(reading, context) is not None


def _spoiler_of(reading: Reading, context: Context) -> tuple[ResultSpoiler, bool] | None:
    return spoiler_of(reading.observable, reading, context.patient, context.knowledge, context.today)


def _set_aside(readings: list[Reading], states: frozenset[str], context: Context) -> Narrowed:
    """What is left where an event of the record spoils every result: all states, and why."""
    found = [_spoiler_of(reading, context) for reading in readings]
    spoilers = [one for one in found if one is not None]
    may_count = any(not certain for _, certain in spoilers)
    return Narrowed(states, spoilers[0][0].reason, tuple(readings), may_count)


def _by_genes(marker: str, states: frozenset[str], context: Context) -> Known | None:
    """Of several genes together: negative where each of them was found negative."""
    genes = context.knowledge.observables[marker].negative_where
    use = MarkerUse(states=(_POSITIVE, _NEGATIVE))
    told = [of_tumour(gene, use, states, context) for gene in genes]
    if not told or not all(isinstance(known, Known) and known.state == _NEGATIVE for known in told):
        return None
    return Known(_NEGATIVE, tuple(r for known in told for r in known.readings))


def _too_old(known: MarkerKnowledge, usable: list[Reading], window: float, today: date) -> MarkerKnowledge:
    """What results tell of which none counts any more for the table."""
    dates = [reading.on for reading in usable if reading.on is not None]
    if not dates:
        return Unreadable(GapReason.UNDATED, tuple(usable))
    may_count = any((today - latest(on)).days <= window for on in dates)
    return Stale(known.state if isinstance(known, Known) else "", max(dates, key=earliest), tuple(usable), may_count)


def _place(reading: Reading) -> tuple[str, int, str, str]:
    return reading.observable, *newest_first(reading)


def _first_found(told: list[Told], marker: str, use: MarkerUse, knowledge: Knowledge) -> Known | Conflicting | None:
    """Of a gene the first state that was ever found: a later test that misses the variant takes nothing back. Of an
    inherited one, which no test of the whole gene should miss, the two conflict."""
    found = use.variants or ((_POSITIVE,) if is_of_gene(marker, knowledge) else ())
    for state in found:
        readings = tuple([r for r, known in told if isinstance(known, Known) and known.state == state])
        against = [r for r, _ in told if marker.startswith(INHERITED) and _is_against(r, marker, readings)]
        if readings and against:
            return Conflicting(frozenset({state, _NEGATIVE}), (*readings, *against))
        if readings:
            return Known(state, readings)
    return None


def _is_against(reading: Reading, marker: str, found: tuple[Reading, ...]) -> bool:
    """Whether a test of the whole gene, or of all genes of the marker, found nothing."""
    says = reading.says
    whole = {marker, *(r.observable for r in found)}
    is_none = isinstance(says, Presence) and not says.present and not says.allele
    return is_none and reading.observable in whole


def _newest(told: list[Told]) -> list[Told]:
    """The newest of each observable; what leaves everything open, or tells of one variant alone, hides no older
    result."""
    found: list[Told] = []
    for _, of_one in groupby(told, key=lambda pair: pair[0].observable):
        every = [*of_one]
        telling = [pair for pair in every if not _is_open(pair[1], Narrowing.PLASMA_MAY_MISS_IT)] or every
        whole = [pair for pair in telling if not any(_is_open(pair[1], why) for why in _OF_ONE_VARIANT)]
        newest = {reading for of in (telling, whole) for reading in newest_of([r for r, _ in of])}
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
