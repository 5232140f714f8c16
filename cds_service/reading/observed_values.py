"""What a value says in numbers, grades, states and genotypes."""

from __future__ import annotations

import re

from cds_service.codes import LOINC
from cds_service.model import (
    Between,
    Diplotype,
    GapReason,
    NotReadable,
    Phenotype,
    Presence,
    Quantity,
    SelfContradiction,
    Statement,
    Undetermined,
)
from cds_service.reading.alleles import without_symbol
from cds_service.reading.answers import interpreted, presence_of, quantity_of
from cds_service.reading.observed import NEGATIVE, NOT_UNDERSTOOD, POSITIVE, TUMOUR, Observed
from cds_service.reading.quantities import (
    above_reference,
    ends_of_text,
    in_unit_of,
    is_implausible,
    quantity_in_text,
    quantity_of_text,
    without_marks,
)
from cds_service.reading.readings import says_of
from cds_service.reading.shapes import Resource, first, fold, has_code, objects
from cds_service.reading.tumour_words import Words, states_in, without_name, without_words
from cds_service.reading.vocabulary import HAPLOTYPE

_BRACKETED_NUMBER = re.compile(r"\s*[(\[][<>]?\s*\d[^()\[\]]*[)\]]\s*$")


def measured(result: Observed) -> tuple[Statement, tuple[str, ...]]:
    """The number or range in the unit of the observable, and flags; not readable where there is none that can be."""
    answer, observable = result.answer, result.observable
    ends = answer.ends or (None if answer.quantity else _ends_in_text(result))
    if ends is not None:
        return _between(ends, result)
    value = answer.quantity or _among_words(result) or _in_text(result)
    if value is None:
        return (Undetermined(answer.quoted) if answer.undetermined else NotReadable(GapReason.NO_NUMBER)), ()
    spellings = result.chart.lexicon.unit_spellings
    converted = in_unit_of(observable, value, spellings)
    if converted is None:
        return NotReadable(GapReason.UNIT_NOT_KNOWN), ()
    flags = () if answer.quantity else ("value_in_text",)
    if is_implausible(observable, converted):
        # Most likely in another unit than it says: it neither warns nor clears.
        return NotReadable(GapReason.IMPLAUSIBLE), (*flags, "implausible")
    return converted, flags


def _between(ends: tuple[Quantity, Quantity], result: Observed) -> tuple[Statement, tuple[str, ...]]:
    """The range in the unit of the observable, and flags."""
    observable, spellings = result.observable, result.chart.lexicon.unit_spellings
    low, high = (in_unit_of(observable, end, spellings) for end in ends)
    if low is None or high is None:
        return NotReadable(GapReason.UNIT_NOT_KNOWN), ()
    flags = () if result.answer.ends else ("value_in_text",)
    if is_implausible(observable, low) or is_implausible(observable, high):
        return NotReadable(GapReason.IMPLAUSIBLE), (*flags, "implausible")
    return Between(low.value, high.value, low.unit), flags


def _ends_in_text(result: Observed) -> tuple[Quantity, Quantity] | None:
    """The range that a text is, in a unit that is known: a range without one may be anything. The laboratory's own
    reference range is no value."""
    found = {ends for text in (*_bare_texts(result), *_texts_without_words(result)) if (ends := ends_of_text(text))}
    known = {ends for ends in found if _is_known(ends[1], result)} - _reference_ranges(result.holder)
    return known.pop() if len(known) == 1 else None


def _reference_ranges(holder: Resource) -> set[tuple[Quantity | None, Quantity | None]]:
    parts = objects(holder.get("referenceRange"))
    return {(quantity_of(first(part.get("low"))), quantity_of(first(part.get("high")))) for part in parts}


def _in_text(result: Observed) -> Quantity | None:
    """The value that the text is; with its name and the laboratory's marks around it where its unit is known then."""
    value = quantity_in_text(result.answer)
    if value is not None and _is_known(value, result):
        return value
    bare = (quantity_of_text(text) for text in _bare_texts(result))
    return next((marked for marked in bare if marked is not None and _is_known(marked, result)), value)


def _is_known(value: Quantity, result: Observed) -> bool:
    """Whether the unit is one of the observable's."""
    return in_unit_of(result.observable, value, result.chart.lexicon.unit_spellings) is not None


def _bare_texts(result: Observed) -> list[str]:
    """The texts without the name and the laboratory's marks; none where words take them back."""
    observable, lexicon, texts = result.observable, result.chart.lexicon, result.answer.texts
    bare = (without_marks(without_name(text, observable, lexicon)) for text in texts)
    return [] if lexicon.takes_back(texts) else [*bare]


def _among_words(result: Observed) -> Quantity | None:
    """The value of a tumour's marker that words stand around."""
    found = {value for text in _texts_without_words(result) if (value := quantity_of_text(text)) is not None}
    return found.pop() if len(found) == 1 else None


def _texts_without_words(result: Observed) -> list[str]:
    """What is left of the texts on a tumour's marker without names and words that change nothing."""
    observable, lexicon, texts = result.observable, result.chart.lexicon, result.answer.texts
    if not observable.in_words or lexicon.takes_back(texts):
        return []
    return [without_words(text, observable, lexicon) for text in texts]


def graded(result: Observed) -> Statement:
    """The grade that codes and words mean; one that says more stands for the coarser one beside it."""
    refines = result.observable.refines
    said = states_said(result)
    finer = result.observable.tells.get(result.observable.id, {})
    coarse = {state for state in said if not (said - {state}).isdisjoint(finer.get(state, ()))}
    fine = said - coarse - {refines.get(state) for state in said}
    if len(fine) > 1:
        return SelfContradiction(says_of(result.answer))
    if fine:
        return Phenotype(fine.pop())
    return Undetermined(result.answer.quoted) if result.answer.undetermined else NOT_UNDERSTOOD


def genotype_said(result: Observed) -> Statement:
    """The genotype or allele as written."""
    answer = result.answer
    if answer.unread:
        return NOT_UNDERSTOOD
    texts = {without_symbol(text, result.observable.gene) for text in answer.texts} or {answer.quoted}
    if len(texts) > 1:
        return SelfContradiction(says_of(answer))
    if has_code(result.record.resource.get("code"), LOINC, HAPLOTYPE):
        return Presence(texts.pop(), present=True)
    return Diplotype(texts.pop())


def states_said(result: Observed, *, plainly: bool = False) -> set[str]:
    """The states that codes, words and, where there is no value, the interpretation mean; `plainly` those that codes
    and words name alone."""
    answer, answers = result.answer, result.observable.answers
    said = {answers[c.code] for c in answer.codings if c.code in answers}
    said |= {
        s for text in answer.texts if (s := answers.get(fold(text)) or answers.get(_without_number(text, result)))
    }
    words = _words_of_tumour(result) if not said else ()
    said |= {state for told in words if told.is_plain for state in told.states}
    if said or plainly:
        return said
    if POSITIVE in answers.values() and (found := presence_of(answer)) is not None:
        said = {POSITIVE if found else NEGATIVE}
        if not all(told.states <= said for told in words):
            return set()
    is_number = answer.quantity or answer.unread or quantity_in_text(answer)
    if answer.is_empty or (is_number and not said):
        said |= {POSITIVE if found else NEGATIVE for found in found_or_not(result)}
    return said


def _without_number(text: str, result: Observed) -> str:
    """The folded text without the number that it gives in brackets (`Non-reactive (0.05 S/CO)`); of a tumour's marker
    the number may count itself."""
    return "" if result.observable.id.startswith(TUMOUR) else fold(_BRACKETED_NUMBER.sub("", text))


def _words_of_tumour(result: Observed) -> tuple[Words, ...]:
    """What labels of a tumour's marker say among other words."""
    observable, lexicon = result.observable, result.chart.lexicon
    if not observable.id.startswith(TUMOUR):
        return ()
    return tuple(states_in(text, observable, lexicon) for text in result.answer.texts)


def found_or_not(result: Observed) -> set[bool]:
    """What interpretations say of presence, where they say anything."""
    return {found for found in interpreted(result.holder) if found is not None}


def found_by_reference(result: Observed) -> set[bool]:
    """Whether a number means found, where the observable is one that is held against its reference range."""
    value = result.answer.quantity or quantity_in_text(result.answer)
    if value is None or not result.observable.found_above_reference:
        return set()
    above = above_reference(result.holder, value)
    return set() if above is None else {above}
