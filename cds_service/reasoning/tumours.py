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
from typing import NamedTuple

from cds_service.effort import go_on
from cds_service.knowledge.base import Knowledge
from cds_service.knowledge.derived import observables_telling
from cds_service.knowledge.rows import NO_VARIANT, OTHER_VARIANT
from cds_service.knowledge.schema import MarkerUse, Observable
from cds_service.knowledge.variant_names import codon_of, is_named_in, variant_key
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
    Significance,
    Stale,
    Unreadable,
    earliest,
    is_of_variants,
    latest,
    newest_of,
)
from cds_service.reasoning.context import Context
from cds_service.reasoning.measures import told_alone, usable_of, window_days
from cds_service.reasoning.spoilers import spoiler_of
from cds_service.reasoning.states import newest_first, possible, untold

_OF_ONE_VARIANT = frozenset({Narrowing.OTHER_VARIANTS_NOT_TOLD, Narrowing.BENIGN_ALONE})
_ORIGIN_NOT_SAID = "origin_not_said"
_POSITIVE, _NEGATIVE = "positive", "negative"
_INHERITED = "germline:"

Told = tuple[Reading, MarkerKnowledge]


class _Asked(NamedTuple):
    """A marker as a table uses it, and all states that a test could return."""

    marker: str
    use: MarkerUse
    states: frozenset[str]


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
    told = [(r, _told(r, marker, use, states, context.knowledge)) for r in sound]
    asked = _Asked(marker, use, states)
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
        if isinstance(says, Presence) and not says.present and says.allele and not _is_liquid(reading, knowledge):
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


def is_of_gene(marker: str, knowledge: Knowledge) -> bool:
    """Whether results tell variants of a gene with what the laboratory thinks of them: of a tumour, or inherited."""
    return is_of_variants(marker) or (
        marker in knowledge.observables and knowledge.observables[marker].needs_significance
    )


def _taken_together(told: list[Told], asked: _Asked, context: Context) -> MarkerKnowledge:
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
    return spoiler_of(reading.observable, reading, context.patient, context.knowledge) is not None


def _set_aside(readings: list[Reading], states: frozenset[str], context: Context) -> Narrowed:
    """What is left where an event of the record spoils every result: all states, and why."""
    found = [spoiler_of(r.observable, r, context.patient, context.knowledge) for r in readings]
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


def _told(
    reading: Reading, marker: str, use: MarkerUse, states: frozenset[str], knowledge: Knowledge
) -> MarkerKnowledge:
    """What one reading tells by itself."""
    unsettled = _unsettled(reading, _Asked(marker, use, states), knowledge)
    if unsettled is not None:
        return unsettled
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


def _unsettled(reading: Reading, asked: _Asked, knowledge: Knowledge) -> MarkerKnowledge | None:
    """What a reading tells that does not count as it stands, for where it was found or for what the laboratory thinks
    of it; None where it counts."""
    is_of_inherited = asked.marker.startswith(_INHERITED)
    if is_of_inherited and not reading.observable.startswith(_INHERITED):
        return Narrowed(asked.states, Narrowing.TUMOUR_ALONE, (reading,))
    judged = _by_significance(reading, asked, knowledge)
    if judged is not None:
        return judged
    if is_of_inherited and _may_be_of_tumour(reading, knowledge):
        return Narrowed(asked.states, Narrowing.ORIGIN_NOT_SAID, (reading,))
    return None


def _by_significance(reading: Reading, asked: _Asked, knowledge: Knowledge) -> MarkerKnowledge | None:
    """What a variant tells that was found and does not count as one that matters; None where it does."""
    says = reading.says
    if not (isinstance(says, Presence) and says.present):
        return None
    match says.significance:
        case Significance.UNCERTAIN if _is_of(reading.observable, asked.marker, knowledge):
            # The next test of the marker would find it again.
            spent = frozenset([reading.method, *(t.method for t in knowledge.tests_by_marker.get(asked.marker, ()))])
            return Indeterminate(asked.states, (reading,), spent, tried=spent)
        case Significance.UNCERTAIN:
            return Narrowed(asked.states, _why_open(reading, asked.marker), (reading,))
        case Significance.BENIGN:
            named = _state_named(says.allele, asked.use)
            return Narrowed(asked.states - {named}, Narrowing.BENIGN_ALONE, (reading,))
        case Significance.NOT_SAID if knowledge.observables[reading.observable].needs_significance:
            return Unreadable(GapReason.SIGNIFICANCE_NOT_SAID, (reading,))
    return None


def _is_of(observable: str, marker: str, knowledge: Knowledge) -> bool:
    """Whether the observable is the marker itself or one of the genes that it puts together."""
    return observable in {marker, *knowledge.observables[marker].negative_where}


def _why_open(reading: Reading, marker: str) -> Narrowing:
    """Why a result on one gene, or on inherited genes, leaves a marker of the tumour open."""
    is_inherited = reading.observable.startswith(_INHERITED) and not marker.startswith(_INHERITED)
    return Narrowing.INHERITED_ALONE if is_inherited else Narrowing.OTHER_GENES_OPEN


def _may_be_of_tumour(reading: Reading, knowledge: Knowledge) -> bool:
    """Whether nothing tells that the variant is inherited: no source class, no specimen but plasma, and no code of a
    test of inherited genes."""
    if _ORIGIN_NOT_SAID not in reading.flags or (reading.specimen and not _is_liquid(reading, knowledge)):
        return False
    codes = knowledge.observables[reading.observable].codes
    return reading.coding is None or reading.coding.code not in [code.code for code in codes]


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
    if is_of_gene(reading.observable, knowledge):
        return Narrowed(left, _why_open(reading, marker), (reading,))
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
    named = _state_named(says.allele, use)
    if says.present:
        if says.allele:
            return Known(named or OTHER_VARIANT, (reading,))
        return Narrowed(states - {NO_VARIANT}, Narrowing.VARIANT_NOT_NAMED, (reading,))
    if not says.allele:
        return Known(NO_VARIANT, (reading,))
    covered = frozenset() if named else _in_codon(says.allele, use)
    left = states - covered if covered else _left_without(named, reading.observable, states, knowledge)
    return (
        Known(next(iter(left)), (reading,))
        if len(left) == 1
        else Narrowed(left, Narrowing.OTHER_VARIANTS_NOT_TOLD, (reading,))
    )


def _in_codon(part: str, use: MarkerUse) -> frozenset[str]:
    """The states of which every variant lies in the codon."""
    codon = codon_of(part)
    return frozenset(s for s, names in use.variants.items() if codon and all(codon_of(n) == codon for n in names))


def _state_named(variant: str, use: MarkerUse) -> str:
    """The state that the variant means; empty where no state names it."""
    return next((s for s, names in use.variants.items() if any(is_named_in(n, variant) for n in names)), "")


def _left_without(named: str, marker: str, states: frozenset[str], knowledge: Knowledge) -> frozenset[str]:
    """The states that are left where one was not found: as a test of that one alone tells them, if there is one."""
    tests = (knowledge.observables[i].tells.get(marker, {}) for i in observables_telling(knowledge)[marker])
    alone = (told.get("negative", ()) for told in tests if told.get("positive") == (named,))
    return next((states.intersection(left) for left in alone), states - {named})


def _first_found(told: list[Told], marker: str, use: MarkerUse, knowledge: Knowledge) -> Known | Conflicting | None:
    """Of a gene the first state that was ever found: a later test that misses the variant takes nothing back. Of an
    inherited one, which no test of the whole gene should miss, the two conflict."""
    found = use.variants or ((_POSITIVE,) if is_of_gene(marker, knowledge) else ())
    for state in found:
        readings = tuple([r for r, known in told if isinstance(known, Known) and known.state == state])
        against = [r for r, _ in told if marker.startswith(_INHERITED) and _is_against(r, marker, readings)]
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
