"""What one result says of a marker of a tumour: the states that it leaves possible, or why it leaves them open."""

from __future__ import annotations

from typing import NamedTuple

from cds_service.knowledge.base import Knowledge
from cds_service.knowledge.derived import observables_telling
from cds_service.knowledge.rows import NO_VARIANT, OTHER_VARIANT
from cds_service.knowledge.schema import MarkerUse, Observable
from cds_service.knowledge.variant_names import codon_of, is_named_in
from cds_service.model import (
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
    Unreadable,
    is_of_variants,
)
from cds_service.reasoning.measures import told_alone

_ORIGIN_NOT_SAID = "origin_not_said"
INHERITED = "germline:"


class AskedMarker(NamedTuple):
    """A marker as a table uses it, and all states that a test could return."""

    marker: str
    use: MarkerUse
    states: frozenset[str]


def said_of_tumour(reading: Reading, asked: AskedMarker, knowledge: Knowledge) -> MarkerKnowledge:
    """What one reading tells by itself."""
    marker, use, states = asked
    unsettled = _unsettled(reading, asked, knowledge)
    if unsettled is not None:
        return unsettled
    is_absent = isinstance(reading.says, Presence) and not reading.says.present
    if is_absent and is_liquid(reading, knowledge):
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


def _unsettled(reading: Reading, asked: AskedMarker, knowledge: Knowledge) -> MarkerKnowledge | None:
    """What a reading tells that does not count as it stands, for where it was found or for what the laboratory thinks
    of it; None where it counts."""
    is_of_inherited = asked.marker.startswith(INHERITED)
    if is_of_inherited and not reading.observable.startswith(INHERITED):
        return Narrowed(asked.states, Narrowing.TUMOUR_ALONE, (reading,))
    judged = _by_significance(reading, asked, knowledge)
    if judged is not None:
        return judged
    if is_of_inherited and _may_be_of_tumour(reading, knowledge):
        return Narrowed(asked.states, Narrowing.ORIGIN_NOT_SAID, (reading,))
    return None


def _by_significance(reading: Reading, asked: AskedMarker, knowledge: Knowledge) -> MarkerKnowledge | None:
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
    is_inherited = reading.observable.startswith(INHERITED) and not marker.startswith(INHERITED)
    return Narrowing.INHERITED_ALONE if is_inherited else Narrowing.OTHER_GENES_OPEN


def _may_be_of_tumour(reading: Reading, knowledge: Knowledge) -> bool:
    """Whether nothing tells that the variant is inherited: no source class, no specimen but plasma, and no code of a
    test of inherited genes."""
    if _ORIGIN_NOT_SAID not in reading.flags or (reading.specimen and not is_liquid(reading, knowledge)):
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


def is_liquid(reading: Reading, knowledge: Knowledge) -> bool:
    specimen = f" {reading.specimen} "
    return any(f" {word} " in specimen for word in knowledge.result_words.liquid_biopsies)


def is_of_gene(marker: str, knowledge: Knowledge) -> bool:
    """Whether results tell variants of a gene with what the laboratory thinks of them: of a tumour, or inherited."""
    return is_of_variants(marker) or (
        marker in knowledge.observables and knowledge.observables[marker].needs_significance
    )
