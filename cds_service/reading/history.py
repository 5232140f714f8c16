"""Conditions, allergies and family history."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from cds_service.codes import NDC, RXNORM
from cds_service.model import Allergy, Condition, FamilyCondition, Gap, GapReason, Span, When, earliest, latest
from cds_service.reading.chart import Chart
from cds_service.reading.dates import day
from cds_service.reading.lexicon import Lexicon
from cds_service.reading.records import Record
from cds_service.reading.screening import is_ruled_out
from cds_service.reading.shapes import (
    TOO_LONG,
    Resource,
    codings,
    concept_label,
    concept_texts,
    first,
    fold,
    items,
    objects,
    statuses,
    text_at,
)
from cds_service.reading.vocabulary import (
    ABATED_WORDS,
    DEGREE_BEYOND,
    DEGREE_BY_ROLE,
    DEGREE_BY_WORD,
    DEGREE_UNSAID,
    NOT_BY_BLOOD,
    NOT_DONE_STATUSES,
    OUTSIDE_MOTHERS_LINE,
    OUTSIDE_MOTHERS_LINE_WORDS,
    PAST_STATUSES,
    RELATIVE_BY_ROLE,
)

_FAMILY_WORDS = ("family history of ", "fh of ")


class Problem(NamedTuple):
    """What the concept of a condition means; `relatives` are the condition keys of a family history in words."""

    label: str
    relatives: frozenset[str]
    keys: frozenset[str]


def problem_of(concept: object, lexicon: Lexicon) -> Problem:
    """What the concept of a condition means, by its codes and texts."""
    texts = concept_texts(concept)
    relatives = lexicon.conditions((), (text for whole in texts if (text := _of_relatives(whole))))
    return Problem(concept_label(concept), relatives, lexicon.conditions(codings(concept), texts))


def _is_past(clinical_status: object) -> bool:
    """Resolved, inactive or in remission."""
    return not PAST_STATUSES.isdisjoint(statuses(clinical_status))


def _end(resource: Resource) -> When | None:
    """The day on which it was over or is to be over."""
    period = first(resource.get("abatementPeriod"))
    dates = (resource.get("abatementDateTime"), period.get("end"), period.get("start"))
    return day(*dates, resource.get("abatementString"))


def _has_abated(resource: Resource, today: date) -> bool:
    """Whether it is over for certain: by a date that has passed (a due date has not), an age, or in so many words."""
    end = _end(resource)
    if end is not None:
        return latest(end) <= today
    told = fold(text_at(resource, "abatementString"))
    by_age = "abatementAge" in resource or "abatementRange" in resource
    return by_age or resource.get("abatementBoolean") is True or told in ABATED_WORDS


def _onset(resource: Resource) -> When | None:
    """The onset. Of a period any day of it."""
    period = first(resource.get("onsetPeriod"))
    found, end = day(resource.get("onsetDateTime"), period.get("start")), day(period.get("end"))
    if found is None or end is None or "onsetDateTime" in resource:
        return found
    return Span(earliest(found), max(latest(found), latest(end)))


def read_condition(record: Record, chart: Chart) -> Iterator[Condition | FamilyCondition | Gap]:
    """A condition of the problem list, or a family history that stands there in words. A condition that has
    passed stays only where its keys count for life."""
    resource = record.resource
    if is_ruled_out(resource):
        return
    label, relatives, keys = chart.lexicon.of_content("problem", resource.get("code"), problem_of)
    if not label or (label == TOO_LONG and not keys):
        what = "a condition without a code or a text that can be read"
        yield Gap(record.reference, GapReason.UNREADABLE, what, record.query)
        return
    if relatives:
        yield FamilyCondition(relatives, "", DEGREE_UNSAID, label, record.reference)
        return
    past: frozenset[str] = frozenset()
    if _is_past(resource.get("clinicalStatus")) or _has_abated(resource, chart.today):
        past = (keys & chart.lexicon.spoiling) - chart.lexicon.lasting
        keys &= chart.lexicon.lasting
        if not (keys or past):
            return
    yield Condition(keys, label, record.reference, _onset(resource), _end(resource), past)


def read_procedure(record: Record, chart: Chart) -> Iterator[Condition | Gap]:
    """An event that spoils results (a transplant, a transfusion) and stands as a procedure. One that was broken off
    may have gone far enough; of other procedures nothing is asked."""
    resource = record.resource
    if record.status in NOT_DONE_STATUSES:
        return
    label = concept_label(resource.get("code"))
    if not label:
        yield Gap(record.reference, GapReason.UNREADABLE, "a procedure without a code or text", record.query)
        return
    _, _, keys = chart.lexicon.of_content("problem", resource.get("code"), problem_of)
    events = keys & chart.lexicon.events
    if events:
        begun, over = _performed(resource)
        yield Condition(events, label, record.reference, begun, over)


def _performed(resource: Resource) -> tuple[When | None, When | None]:
    """The first and the last day of a procedure."""
    on = day(resource.get("performedDateTime"), resource.get("performedString"))
    period = first(resource.get("performedPeriod"))
    begun = on or day(period.get("start"), period.get("end"))
    return begun, on or day(period.get("end"))


def _of_relatives(text: str) -> str:
    """What stands after `family history of`; empty where the text is about the patient."""
    return next((rest for words in _FAMILY_WORDS if (rest := fold(text).partition(words)[2])), "")


def read_allergy(record: Record, chart: Chart) -> Iterator[Allergy | Gap]:
    """An allergy or earlier reaction: the drugs meant and the condition keys of its manifestations."""
    resource = record.resource
    if is_ruled_out(resource) or _is_past(resource.get("clinicalStatus")):
        return
    concepts = [resource.get("code"), *(r.get("substance") for r in objects(resource.get("reaction")))]
    label = next((found for concept in concepts if (found := concept_label(concept))), "")
    ingredients = tuple(dict.fromkeys(d for c in concepts for d in _drugs(c, chart)))
    if not label or (label == TOO_LONG and not ingredients):
        what = "an allergy without a code or a text that can be read"
        yield Gap(record.reference, GapReason.UNREADABLE, what, record.query)
        return
    signs = [m for r in objects(resource.get("reaction")) for m in items(r.get("manifestation"))]
    texts = [text for sign in signs for text in concept_texts(sign)]
    texts += [text_at(r, "description") for r in objects(resource.get("reaction"))]
    keys = chart.lexicon.conditions([c for sign in signs for c in codings(sign)], texts)
    if not ingredients and _is_of_medicine(resource):
        yield Gap(label, GapReason.NOT_RECOGNISED, "an allergy to a medicine that was not recognised", record.query)
    yield Allergy(ingredients, label, record.reference, keys)


def _is_of_medicine(resource: Resource) -> bool:
    """Whether an allergy is to a medicine, by its category or by the code system of drugs that its code is of."""
    coded = any(coding.system in (RXNORM, NDC) for coding in codings(resource.get("code")))
    return coded or "medication" in items(resource.get("category"))


def _drugs(concept: object, chart: Chart) -> tuple[str, ...]:
    texts = concept_texts(concept)
    match = chart.index.find(codings(concept), texts[0] if texts else "") if texts or codings(concept) else None
    return match.drugs if match is not None else ()


def read_family(record: Record, chart: Chart) -> Iterator[FamilyCondition | Gap]:
    """The conditions of one relative. Relatives who are not by blood tell nothing of the patient."""
    resource = record.resource
    if record.status == "health-unknown":
        return
    label = concept_label(resource.get("relationship"))
    relationship = RELATIVE_BY_ROLE.get(label, label)
    degree = _degree(resource.get("relationship"))
    if degree == 0:
        return
    of_mothers_line = _is_of_mothers_line(resource.get("relationship"))
    for condition in objects(resource.get("condition")):
        concept = condition.get("code")
        said = concept_label(concept)
        if said:
            keys = chart.lexicon.conditions(codings(concept), concept_texts(concept))
            yield FamilyCondition(keys, relationship, degree, said, record.reference, of_mothers_line)
        else:
            yield Gap(
                record.reference, GapReason.UNREADABLE, "a relative's condition without a code or text", record.query
            )


def _is_of_mothers_line(relationship: object) -> bool:
    """False where the relative cannot have what mothers alone pass on in common with the patient."""
    if {coding.code for coding in codings(relationship)} & OUTSIDE_MOTHERS_LINE:
        return False
    return not any(f" {word} " in _padded(relationship) for word in OUTSIDE_MOTHERS_LINE_WORDS)


def _padded(relationship: object) -> str:
    return " ".join(f" {fold(text)} " for text in concept_texts(relationship))


def _degree(relationship: object) -> int:
    """1 to 3, or 0 for relatives who are not by blood."""
    codes = {coding.code for coding in codings(relationship)}
    if codes & NOT_BY_BLOOD:
        return 0
    by_code = [DEGREE_BY_ROLE[code] for code in sorted(codes) if code in DEGREE_BY_ROLE]
    if by_code:
        return by_code[0]
    padded = _padded(relationship)
    by_word = [(len(word), degree) for word, degree in DEGREE_BY_WORD.items() if f" {word} " in padded]
    if by_word:
        return max(by_word)[1]
    return DEGREE_BEYOND if codes & {"EXT", "COUSN", "MCOUSN", "PCOUSN"} else DEGREE_UNSAID
