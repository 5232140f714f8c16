"""What a value says in numbers, grades, states and genotypes."""

from __future__ import annotations

import re

from cds_service.codes import LOINC
from cds_service.model import (
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
from cds_service.reading.answers import interpreted, presence_of
from cds_service.reading.observed import NEGATIVE, NOT_UNDERSTOOD, POSITIVE, TUMOUR, Observed
from cds_service.reading.quantities import (
    above_reference,
    in_unit_of,
    is_implausible,
    quantity_beside_marks,
    quantity_in_text,
)
from cds_service.reading.readings import says_of
from cds_service.reading.shapes import fold, has_code
from cds_service.reading.tumour_words import Words, quantity_among_words, states_in
from cds_service.reading.vocabulary import HAPLOTYPE

_BRACKETED_NUMBER = re.compile(r"\s*[(\[][<>]?\s*\d[^()\[\]]*[)\]]\s*$")


def measured(result: Observed) -> tuple[Statement, tuple[str, ...]]:
    """The number in the unit of the observable, and flags; not readable where there is none that can be."""
    answer, observable = result.answer, result.observable
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


def _in_text(result: Observed) -> Quantity | None:
    """The value that the text is; with marks of the laboratory around it where its unit is known then."""
    answer, lexicon = result.answer, result.chart.lexicon
    value = quantity_in_text(answer)
    if value is not None and in_unit_of(result.observable, value, lexicon.unit_spellings):
        return value
    marked = None if lexicon.takes_back(answer.texts) else quantity_beside_marks(answer)
    is_known = marked is not None and in_unit_of(result.observable, marked, lexicon.unit_spellings)
    return marked if is_known else value


def _among_words(result: Observed) -> Quantity | None:
    """The value of a tumour's marker that words stand around."""
    observable, lexicon = result.observable, result.chart.lexicon
    texts = result.answer.texts if observable.in_words and not lexicon.takes_back(result.answer.texts) else ()
    found = {value for text in texts if (value := quantity_among_words(text, observable, lexicon)) is not None}
    return found.pop() if len(found) == 1 else None


def graded(result: Observed) -> Statement:
    """The grade that codes and words mean; one that says more stands for the coarser one beside it."""
    refines = result.observable.refines
    said = states_said(result)
    fine = said - {refines[state] for state in said if state in refines}
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
