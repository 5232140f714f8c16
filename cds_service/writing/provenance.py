"""What is known of a marker, in words: state, date and origin of each reading used."""

from __future__ import annotations

from cds_service.knowledge.schema import ModulatorRole, ModulatorStrength
from cds_service.model import (
    ActivityScore,
    Between,
    Conflicting,
    Diplotype,
    Grade,
    HlaType,
    Indeterminate,
    Known,
    MarkerKnowledge,
    MarkerView,
    Narrowed,
    Narrowing,
    NotReadable,
    NotTested,
    OneOf,
    Pending,
    Phenotype,
    Presence,
    Quantity,
    Reading,
    ReadingStatus,
    SelfContradiction,
    Stale,
    Statement,
    Unavailable,
    Unreadable,
    name_of,
)
from cds_service.writing.text import clean, number, sentence
from cds_service.writing.words import Words

_SHIFTED = {"inhibitor": "blocked", "weaker_inhibitor": "slowed", "inducer": "sped_up", "other": "changed"}
READINGS_SHOWN = 3
"""More are in the extension."""


def known_of(view: MarkerView, words: Words) -> str:
    """One sentence: the marker, what is known of it, and from where."""
    found, state = view.knowledge, _state(view, words)
    beside = f"_{found.beside}" if isinstance(found, NotTested) and found.beside else ""
    return words.wording.say(
        "knowledge",
        "Preliminary" if _is_preliminary(found) else f"{type(found).__name__}{beside}",
        marker=words.marker(view.marker),
        state=state,
        states=_states(view, words),
        reason=_reason(view, words),
        since=words.day(found.since) if isinstance(found, Stale | Pending) else "",
        origin=_origin(found.readings, state, words),
    )


def _is_preliminary(found: MarkerKnowledge) -> bool:
    """Whether the test that is pending has told something already."""
    return isinstance(found, Pending) and any(r.status is ReadingStatus.PRELIMINARY for r in found.readings)


def result_of(view: MarkerView, words: Words) -> str:
    """Marker and result as a noun phrase for a summary (`CYP2D6 poor metaboliser`); "" where there is none."""
    found = view.knowledge
    if view.modified_by:
        marker = words.marker(view.marker)
        return words.wording.say(
            "modifiers", _SHIFTED[_role(view, words)], drugs=_modifiers(view, words), marker=marker
        )
    if isinstance(found, Known):
        return words.result(view.marker, found.state)
    if isinstance(found, Narrowed | Conflicting):
        return f"{words.marker(view.marker)} {_states(view, words)}"
    return ""


def modifiers_of(view: MarkerView, words: Words) -> str:
    """`Paroxetine blocks CYP2D6: for now it acts as poor metaboliser.`; "" where nothing shifts the marker."""
    if not view.modified_by:
        return ""
    wording = words.wording
    cause = wording.say(
        "modifiers",
        _role(view, words),
        drugs=_modifiers(view, words),
        marker=words.marker(view.marker),
    )
    if isinstance(view.knowledge, NotTested) and len(view.effective) > 1:
        return sentence(wording.say("modifiers", "open", cause=cause))
    key = "inferred" if view.inferred else "effect"
    states = words.states(view.marker, tuple(sorted(view.effective)))
    return sentence(wording.say("modifiers", key, cause=cause, states=states))


def _modifiers(view: MarkerView, words: Words) -> str:
    return words.wording.any_of(tuple(map(words.drug, view.modified_by)))


def _role(view: MarkerView, words: Words) -> str:
    enzyme = name_of(view.marker)
    acting = [
        modulator
        for drug in view.modified_by
        for modulator in words.knowledge.modulators_by_drug.get(drug, ())
        if modulator.enzyme == enzyme
    ]
    roles = {modulator.role for modulator in acting}
    if len(roles) != 1:
        return "other"
    is_strong = any(modulator.strength == ModulatorStrength.STRONG for modulator in acting)
    return "weaker_inhibitor" if roles == {ModulatorRole.INHIBITOR} and not is_strong else roles.pop()


def _state(view: MarkerView, words: Words) -> str:
    found = view.knowledge
    return words.state(view.marker, found.state) if isinstance(found, Known | Stale) else ""


def _states(view: MarkerView, words: Words) -> str:
    found = view.knowledge
    if not isinstance(found, Narrowed | Indeterminate | Conflicting):
        return ""
    last = "and" if isinstance(found, Conflicting) else "or"
    return words.states(view.marker, tuple(sorted(found.states)), last)


def _reason(view: MarkerView, words: Words) -> str:
    match view.knowledge:
        case Narrowed(why=Narrowing() as why):
            return words.wording.say("narrowed_reasons", why)
        case Narrowed(why=why):
            return words.wording.phrase(why)
        case Unavailable(reason=reason) | Unreadable(reason=reason):
            return words.wording.say("gap_reasons", reason)
    return ""


def _origin(readings: tuple[Reading, ...], state: str, words: Words) -> str:
    if not readings:
        return ""
    said = [_reading(reading, state, words) for reading in readings[:READINGS_SHOWN]]
    if len(readings) > READINGS_SHOWN:
        said.append(words.wording.say("lists", "more", count=len(readings) - READINGS_SHOWN))
    together = words.wording.catalogue["lists"]["semicolon"].join(said)
    return words.wording.say("readings", "origin", readings=together)


def _reading(reading: Reading, state: str, words: Words) -> str:
    """What a reading says, unless that is the state itself or cannot be read, with date and origin."""
    says = _says(reading.says, words)
    # A test of one thing says no more than that it was found or not: that is the state itself.
    nameless = isinstance(reading.says, Presence) and not (reading.says.allele or reading.says.significance)
    adds_nothing = nameless or says in ("", state)
    key = "one" if not adds_nothing else "same_listed" if reading.is_listed else "same"
    details = _details(reading, words, is_place_said=key == "same_listed")
    return words.wording.say("readings", key, says=says, details=details)


def _details(reading: Reading, words: Words, *, is_place_said: bool) -> str:
    """Date and origin of a reading, and how far it may be relied on."""
    say = words.wording.say
    place = say("readings", "listed") if reading.is_listed else clean(reading.laboratory, 40)
    details = [
        words.day(reading.on),
        "" if is_place_said else place or say("readings", "laboratory_unknown"),
        say("readings", "preliminary") if reading.status is ReadingStatus.PRELIMINARY else "",
        "" if reading.is_listed else _grade(reading, words),
    ]
    comma: str = words.wording.catalogue["lists"]["comma"]
    return comma.join([detail for detail in details if detail])


def _grade(reading: Reading, words: Words) -> str:
    if reading.why_unverified:
        return words.wording.say("unverified_reasons", reading.why_unverified)
    return "" if reading.grade is Grade.CLINICAL else words.wording.say("grades", reading.grade)


def _says(statement: Statement, words: Words) -> str:
    say = words.wording.say
    match statement:
        case Diplotype(text=text):
            return say("readings", "Diplotype", text=clean(text, 40))
        case Phenotype(term=term):
            return say("readings", "Phenotype", term=words.wording.say_or_spell("states", term))
        case OneOf(terms=terms):
            return words.wording.any_of([words.wording.say_or_spell("states", term) for term in terms], "or")
        case ActivityScore(value=value, at_least=at_least):
            return say("readings", "ActivityScore_at_least" if at_least else "ActivityScore", value=number(value))
        case NotReadable():
            return ""
        case Presence():
            return _presence(statement, words)
        case HlaType():
            return _hla_type(statement, words)
        case Quantity() | Between():
            return _measured(statement, words)
        case SelfContradiction(says=says):
            return say("readings", "SelfContradiction", says=words.wording.any_of([clean(one, 30) for one in says]))
    return say("readings", type(statement).__name__)


def _measured(said: Quantity | Between, words: Words) -> str:
    say = words.wording.say
    unit = "" if said.unit == "1" else words.wording.say_or_spell("units", clean(said.unit, 20))
    if isinstance(said, Between):
        return say("readings", "Between", low=number(said.low), high=number(said.high), unit=unit).strip()
    return say("readings", "Quantity", comparator=said.comparator, value=number(said.value), unit=unit).strip()


def _presence(said: Presence, words: Words) -> str:
    say = words.wording.say
    allele = clean(said.allele, 40) or say("readings", "variant")
    found = say("readings", "Presence_present" if said.present else "Presence_absent", allele=allele)
    if not said.significance:
        return found
    return say("readings", "significance", found=found, significance=say("significances", said.significance))


def _hla_type(typed: HlaType, words: Words) -> str:
    if not typed.alleles:
        return words.wording.say("readings", "HlaType_none")
    key = "HlaType" if typed.complete else "HlaType_incomplete"
    alleles = words.wording.any_of([clean(allele, 20) for allele in typed.alleles[:4]])
    return words.wording.say("readings", key, alleles=alleles)
