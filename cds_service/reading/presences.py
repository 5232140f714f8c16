"""Whether a value says that something was found: a serology, a protein, a variant with its name and significance."""

from __future__ import annotations

from cds_service.codes import LOINC
from cds_service.knowledge.schema import CodeRole
from cds_service.knowledge.variant_names import first_variant
from cds_service.model import (
    GapReason,
    NotReadable,
    Presence,
    SelfContradiction,
    Significance,
    Statement,
    Undetermined,
)
from cds_service.reading.answers import interpreted, presence_disagrees, presence_of
from cds_service.reading.observed import (
    NOT_UNDERSTOOD,
    OF_TUMOUR,
    OF_VARIANTS,
    POSITIVE,
    SOMATIC,
    TUMOUR,
    Observed,
    code_of,
)
from cds_service.reading.observed_values import found_by_reference, found_or_not, states_said
from cds_service.reading.provenance import origin_of
from cds_service.reading.readings import says_of
from cds_service.reading.shapes import codings, concept_texts, fold, has_code, has_word, items
from cds_service.reading.significance import (
    NOT_SAID,
    agreed,
    denies_harm,
    is_unclear,
    significance_beside,
    significance_in,
    without_significance,
)
from cds_service.reading.tumour_words import is_share_of_none
from cds_service.reading.variant_sentences import is_mixed, variants_in
from cds_service.reading.variants import fusion_of, names_of, variant_flags
from cds_service.reading.vocabulary import POSITIVE_CALLS, POSITIVE_WORDS, VARIANT


def presence_said(result: Observed) -> tuple[Statement, tuple[str, ...]]:
    """Whether it was found, as what and with which significance, and flags."""
    answer = result.answer
    in_value = significance_in(answer) if result.is_of_variants else NOT_SAID
    said = {True} if in_value else _presences(result)
    told = said if result.is_of_variants else said | found_or_not(result)
    if len(told) > 1 or (presence_disagrees(answer) and not in_value):
        return SelfContradiction(says_of(answer)), ()
    if result.is_of_variants and is_unclear(answer):
        return NOT_UNDERSTOOD, ()
    if not said:
        left_open = answer.undetermined or None in interpreted(result.holder)
        return (Undetermined(answer.quoted) if left_open else NOT_UNDERSTOOD), ()
    texts = map(without_significance, answer.texts) if result.is_of_variants else answer.texts
    if result.chart.lexicon.takes_back(texts) or (not in_value and _is_mixed(result)):
        return NOT_UNDERSTOOD, ()
    present = said.pop()
    if present and _is_of_none(result):
        return NOT_UNDERSTOOD, ()
    if result.several and present:
        return NotReadable(GapReason.SEVERAL_GENES), ()
    significance = significance_said(result, in_value) if present else NOT_SAID
    if significance is Significance.PATHOGENIC and _is_one_copy(result):
        return NotReadable(GapReason.OTHER_COPY_NOT_TOLD), ()
    found = Presence(_variant(result, present=present), present, significance)
    return found, flags_of_variant(result, present=present)


def _is_one_copy(result: Observed) -> bool:
    """Whether a single variant is told of a gene of which both copies matter, and not that it is on both."""
    if not result.observable.both_copies or not has_code(result.record.resource.get("code"), LOINC, VARIANT):
        return False
    return "homozygous" not in variant_flags(result.record.resource)


def _presences(result: Observed) -> set[bool]:
    """What the value says of presence, by its states, codes and words."""
    by_value = presence_of(result.answer)
    said = {state == POSITIVE for state in states_said(result)} | ({by_value} if by_value is not None else set())
    said = (said or _called_in_sentences(result)) | found_by_reference(result)
    # Beside the denial of harm a variant that is there is a harmless one.
    return {False} if result.is_of_variants and denies_harm(result.answer) else said


def significance_said(result: Observed, in_value: Significance) -> Significance:
    """What the laboratory thinks of a variant that it found: said in the value or beside it, or by calling the test
    of the whole gene positive."""
    if not result.is_of_variants:
        return NOT_SAID
    beside = significance_beside(result.record, result.holder, result.chart)
    said = agreed((in_value, beside))
    is_called = result.observable.needs_significance and _is_of_whole_gene(result) and _calls_positive(result)
    return said or (Significance.PATHOGENIC if is_called else NOT_SAID)


def _is_of_whole_gene(result: Observed) -> bool:
    """Whether it is a test of the whole gene by its own code or name, and not one variant of it."""
    names, own = result.chart.lexicon.observable_names, result.observable.id
    labels = concept_texts(result.holder.get("code"))
    return code_of(result) is not None or any(names.get(fold(label)) == own for label in labels)


def _calls_positive(result: Observed) -> bool:
    """Whether the value, or the interpretation of an empty one, says positive and not merely found."""
    answer = result.answer
    texts = list(answer.texts)
    found = [*answer.codings]
    if answer.is_empty:
        concepts = items(result.holder.get("interpretation"))
        found += [c for concept in concepts for c in codings(concept)]
        texts += [text for concept in concepts for text in concept_texts(concept)]
    return any(c.code in POSITIVE_CALLS for c in found) or any(has_word(POSITIVE_WORDS, fold(text)) for text in texts)


def _called_in_sentences(result: Observed) -> set[bool]:
    """The calls of a text on a gene of the tumour in words of their own: `wild type`, `mutated`."""
    if not result.observable.id.startswith(SOMATIC) or result.several:
        return set()
    own, lexicon = result.observable.gene, result.chart.lexicon
    found = [one for text in result.answer.texts for one in variants_in(text, own, lexicon)]
    return {bool(one.present) for one in found} if all(one.clear for one in found) else set()


def _is_mixed(result: Observed) -> bool:
    """Whether words say of a tumour both that something was found and that something was not."""
    of_tumour = result.observable.id.startswith(OF_TUMOUR) and not denies_harm(result.answer)
    return of_tumour and any(is_mixed(text, result.chart.lexicon) for text in result.answer.texts)


def _is_of_none(result: Observed) -> bool:
    """Whether words call a share positive that may be none."""
    return result.observable.id.startswith(TUMOUR) and any(map(is_share_of_none, result.answer.texts))


def _variant(result: Observed, *, present: bool) -> str:
    """The variant found or not found, as its code or its components name it; empty for the observable itself."""
    coded = code_of(result)
    if coded is not None and coded.allele:
        return coded.allele
    if not result.observable.gene:
        return "" if present else _variant_missed(result)
    resource = result.record.resource
    name = next(iter(names_of(resource)), "")
    return name or (fusion_of(resource) if present else _variant_missed(result))


def _variant_missed(result: Observed) -> str:
    """The variant that words say was not found: of others they say nothing."""
    of_tumour = result.observable.id.startswith(OF_TUMOUR)
    return next((name for text in result.answer.texts if (name := first_variant(text))), "") if of_tumour else ""


def flags_of_variant(result: Observed, *, present: bool = False) -> tuple[str, ...]:
    """What a reader should know beside a variant."""
    flags = list(variant_flags(result.record.resource, present=present))
    if result.observable.id.startswith(OF_VARIANTS) and not origin_of(result.record, result.chart):
        flags.append("origin_not_said")
    coded = code_of(result)
    if coded is not None and coded.role == CodeRole.REPORT:
        flags.append("score_not_coded")
    return tuple(flags)
