"""What is known of a marker that changes with time: laboratory values, serologies, intervals.

Unlike a germline marker, the newest valid reading counts and the others are history.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from itertools import product
from math import inf, nextafter

from cds_service.knowledge.base import Knowledge
from cds_service.knowledge.schema import Band, Fact, MarkerUse, SampleFault
from cds_service.model import (
    FUTURE,
    Between,
    Conflicting,
    GapReason,
    Grade,
    Indeterminate,
    Known,
    MarkerKnowledge,
    Narrowed,
    Narrowing,
    NotReadable,
    Patient,
    Phenotype,
    Presence,
    Quantity,
    Reading,
    ReadingStatus,
    SelfContradiction,
    Stale,
    Statement,
    Undetermined,
    Unreadable,
    earliest,
    latest,
    newest_of,
    years_between,
)
from cds_service.reasoning.bounds import some_within
from cds_service.reasoning.context import Context
from cds_service.reasoning.exposure import exposure_days
from cds_service.reasoning.predicates import holds
from cds_service.reasoning.states import possible, untold

CREATININE_CLEARANCE = "derived:creatinine_clearance"
CREATININE = "lab:creatinine"

_UNREAD = (NotReadable, SelfContradiction)
_NUMBERS = (Quantity, Between)
_SEXES = ("male", "female")


def is_measured(marker: str) -> bool:
    """Whether the marker changes with time."""
    return marker.startswith(("lab:", "derived:"))


def measured(marker: str, use: MarkerUse, states: frozenset[str], context: Context, table: str) -> MarkerKnowledge:
    """What the newest usable reading of the marker tells, in the table's own bands.

    `states` are all the states of the marker in the table, `table` its id for the spoilers' assumptions.
    """
    readings = readings_of(marker, context.patient, context.today)
    usable = usable_of(readings)
    if not usable:
        return untold(marker, readings, context.patient, context.knowledge)
    newest = _from_sound_samples(sorted(newest_of(usable), key=_place), context.knowledge)
    told = _together([_of_its_sample(r, use, states, context.knowledge) for r in newest], newest, states)
    if isinstance(told, Conflicting) and Fact.SEX in facts_lacking(marker, context.patient):
        told = Unreadable(GapReason.NEEDS_FACTS, newest)
    window = _window_of(told, marker, use, context)
    if window is None:
        return _spoiled(told, use, states, context, table)
    dates = [reading.on for reading in newest if reading.on is not None]
    if not dates:
        return Unreadable(GapReason.UNDATED, newest)
    # Whichever is the newest, it is no older than the one whose date is the latest for certain.
    since = max(dates, key=earliest)
    if (context.today - earliest(since)).days > window:
        state = told.state if isinstance(told, Known) else ""
        may_count = any((context.today - latest(on)).days <= window for on in dates)
        return Stale(state, since, newest, may_count)
    return _spoiled(told, use, states, context, table)


def usable_of(readings: tuple[Reading, ...]) -> list[Reading]:
    """The final and verified ones. One that is dated after today is told of only where there is no other."""
    usable = [r for r in readings if r.status is ReadingStatus.FINAL and r.grade is not Grade.UNVERIFIED]
    return [r for r in usable if r.says != FUTURE] or usable


def _from_sound_samples(readings: list[Reading], knowledge: Knowledge) -> tuple[Reading, ...]:
    """Of readings of which any may be the newest, those whose sample had no fault, where there are any: they are the
    repeat that the laboratory asked for."""
    return tuple([r for r in readings if not _faults(r, knowledge)] or readings)


def _faults(reading: Reading, knowledge: Knowledge) -> list[SampleFault]:
    """The faults of its sample that touch what it measures."""
    said = [knowledge.sample_faults[flag] for flag in reading.flags if flag in knowledge.sample_faults]
    return [fault for fault in said if reading.observable in {*fault.raises, *fault.lowers}]


def _of_its_sample(reading: Reading, use: MarkerUse, states: frozenset[str], knowledge: Knowledge) -> MarkerKnowledge:
    """What the reading tells. A fault of its sample leaves open how much lower or higher the true value is
    (decision 0008); a value that such a fault cannot bring into another band stands."""
    told, faults = told_alone(reading, use, states), _faults(reading, knowledge)
    if not faults or not isinstance(reading.says, _NUMBERS) or not isinstance(told, Known | Narrowed):
        return told
    low, high = _range(reading.says)
    low = -inf if any(reading.observable in fault.raises for fault in faults) else low
    high = inf if any(reading.observable in fault.lowers for fault in faults) else high
    found = bands_between(low, high, use.bands)
    return (
        told
        if found == frozenset(possible(told, states))
        else Narrowed(found, faults[0].reason, (reading,), may_count=True)
    )


def _place(reading: Reading) -> tuple[str, str]:
    """What it says goes before its name, which means nothing."""
    return repr(reading.says), reading.reference


def _together(told: list[MarkerKnowledge], readings: tuple[Reading, ...], states: frozenset[str]) -> MarkerKnowledge:
    """What readings tell of which any may be the newest: they conflict where they do not tell the same."""
    first = replace(told[0], readings=readings)
    if all(replace(one, readings=readings) == first for one in told):
        return first
    if not any(isinstance(one, Known | Narrowed) for one in told):
        return first
    return Conflicting(frozenset().union(*(possible(one, states) for one in told)), readings)


def readings_of(marker: str, patient: Patient, today: date) -> tuple[Reading, ...]:
    """The readings of the marker; a derived one is reckoned from the readings that it rests on."""
    if marker != CREATININE_CLEARANCE:
        return tuple(r for r in patient.readings if r.observable == marker)
    creatinines = [r for r in patient.readings if r.observable == CREATININE]
    born, weights = patient.birth_date, [kg for kg in patient.possible_weights_kg if kg is not None]
    if born is None or not weights:
        return tuple([_without_facts(r) for r in creatinines])
    # What cannot be read is told of the clearance too: an older creatinine is not today's.
    unread = [replace(r, observable=marker) for r in creatinines if isinstance(r.says, _UNREAD)]
    # Of a birth date that is told roughly both ages count, of weights those of which any may be the newest; where the
    # sex is not known, both.
    ages = dict.fromkeys([float(int(years_between(day(born), today))) for day in (earliest, latest)])
    sexes = (patient.sex,) if patient.sex in _SEXES else _SEXES
    found = (_clearance(r, *body) for r in creatinines for body in product(sexes, ages, weights))
    return (*unread, *(r for r in found if r is not None))


def facts_lacking(marker: str, patient: Patient) -> tuple[Fact, ...]:
    """The facts that are not on record and with which the marker is reckoned."""
    if marker != CREATININE_CLEARANCE:
        return ()
    lacking = {
        Fact.AGE: patient.birth_date is None,
        Fact.WEIGHT: patient.possible_weights_kg == (None,),
        Fact.SEX: patient.sex not in _SEXES,
    }
    return tuple([fact for fact, is_lacking in lacking.items() if is_lacking])


def _without_facts(creatinine: Reading) -> Reading:
    """What a creatinine says of the clearance where the age or the weight is not known. Another one would tell no
    more."""
    says = NotReadable(GapReason.NEEDS_FACTS) if isinstance(creatinine.says, _NUMBERS) else creatinine.says
    return replace(creatinine, observable=CREATININE_CLEARANCE, says=says)


def _clearance(creatinine: Reading, sex: str, age_years: float, weight_kg: float) -> Reading | None:
    """Creatinine clearance in mL/min from serum creatinine in mg/dL (Cockcroft and Gault 1976, PMID 1244564);
    None where the creatinine is no number above zero."""
    at_one = (140 - age_years) * weight_kg / 72 * (0.85 if sex == "female" else 1)
    says: Statement
    match creatinine.says:
        case Quantity(value, _, comparator) if value > 0:
            # The comparator turns round: a creatinine above a bound is a clearance below one.
            turned = comparator.translate(str.maketrans("<>", "><"))
            says, quoted = Quantity(round(at_one / value, 1), "mL/min", turned), f"{at_one / value:.0f} mL/min"
        case Between(low, high) if low > 0:
            says = Between(round(at_one / high, 1), round(at_one / low, 1), "mL/min")
            quoted = f"{says.low:.0f} - {says.high:.0f} mL/min"
        case _:
            return None
    return replace(creatinine, observable=CREATININE_CLEARANCE, says=says, quoted=quoted)


def told_alone(reading: Reading, use: MarkerUse, states: frozenset[str]) -> MarkerKnowledge:
    """What one reading of the marker tells by itself, whenever it was made."""
    match reading.says:
        case Quantity() | Between() as says:
            return _banded(reading, says, use)
        case Presence(_, present):
            return _stated("positive" if present else "negative", reading, states)
        case Phenotype(term):
            return _stated(term, reading, states)
        case Undetermined():
            return Indeterminate(states, (reading,), tried=frozenset({reading.method}))
        case NotReadable(reason):
            return Unreadable(reason, (reading,))
        case SelfContradiction():
            return Unreadable(GapReason.CONTRADICTION, (reading,))
        case _:
            return Unreadable(GapReason.UNEXPECTED_VALUE, (reading,))


def _stated(state: str, reading: Reading, states: frozenset[str]) -> MarkerKnowledge:
    return Known(state, (reading,)) if state in states else Unreadable(GapReason.UNEXPECTED_VALUE, (reading,))


def _banded(reading: Reading, says: Quantity | Between, use: MarkerUse) -> MarkerKnowledge:
    """The bands that the value may lie in. A unit other than the table's is refused, never guessed."""
    if not use.bands or says.unit != use.unit:
        return Unreadable(GapReason.UNIT_NOT_KNOWN, (reading,))
    found = bands_between(*_range(says), use.bands)
    if not found:
        return Unreadable(GapReason.OUTSIDE_ALL_BANDS, (reading,))
    if len(found) == 1:
        return Known(next(iter(found)), (reading,))
    why = Narrowing.REPORTED_AS_RANGE if isinstance(says, Between) else Narrowing.BEYOND_MEASURING_RANGE
    return Narrowed(found, why, (reading,))


def _range(says: Quantity | Between) -> tuple[float, float]:
    """The least and the most that the value may be. `<` and `>` do not include the bound itself: `<30` lies wholly
    in a band below 30."""
    if isinstance(says, Between):
        return says.low, says.high
    value = says.value
    match says.comparator:
        case "<":
            return -inf, nextafter(value, -inf)
        case "<=":
            return -inf, value
        case ">":
            return nextafter(value, inf), inf
        case ">=":
            return value, inf
        case _:
            return value, value


def bands_between(low: float, high: float, bands: Mapping[str, Band]) -> frozenset[str]:
    """The bands that some value from `low` to `high` lies in."""
    return frozenset(name for name, band in bands.items() if some_within(low, high, band))


def _window_of(told: MarkerKnowledge, marker: str, use: MarkerUse, context: Context) -> float | None:
    """How long what was told counts: as the table says, or longer where the state stands longer by itself."""
    window, observable = window_days(use, context), context.knowledge.observables.get(marker)
    if window is None or observable is None or not isinstance(told, Known):
        return window
    return max(window, observable.stands_for_days.get(told.state, 0.0))


def window_days(use: MarkerUse, context: Context) -> float | None:
    """How long a result counts for this order, by how long the drug has been taken for certain."""
    shortest, _ = exposure_days(context) or (0.0, 0.0)
    applying = [v.valid_for_days for v in use.valid_by_exposure if shortest >= v.from_days]
    return applying[-1] if applying else use.valid_for_days


def _spoiled(
    told: MarkerKnowledge, use: MarkerUse, states: frozenset[str], context: Context, table: str
) -> MarkerKnowledge:
    if not isinstance(told, Known):
        return told
    for spoiler in use.spoilers:
        if told.state in spoiler.distrusts and holds(spoiler.when, context, table).holds:
            return Narrowed(states, spoiler.reason, told.readings)
    return told
