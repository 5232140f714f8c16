"""A finding as the plain words that the templates arrange."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cds_service.knowledge.schema import Table
from cds_service.model import (
    INDETERMINATE,
    Alternative,
    Branch,
    Conflicting,
    Finding,
    Indeterminate,
    Kind,
    MarkerView,
    Outcome,
    Unconfirmed,
)
from cds_service.writing.advice import action_said, advised, option_words
from cds_service.writing.asked import order_said, tests_of
from cds_service.writing.findings import DEPARTS, asked_markers, table_of
from cds_service.writing.no_match import unmatched
from cds_service.writing.provenance import known_of, modifiers_of, result_of
from cds_service.writing.text import clean, sentence
from cds_service.writing.words import Words

FACTS_SHOWN = 5
_LESSER = frozenset({Outcome.CHANGED_DOSE, Outcome.WAIT})
"""What matters only where the order is kept in spite of advice to leave the medicine."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a finding's words need to know of the other orders.

    `names`: order reference -> drug name; `elsewhere`: (marker, test) -> name of the order whose card offers it.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    elsewhere: Mapping[tuple[str, str], str] = field(default_factory=dict)
    touched_by: Mapping[str, Sequence[Finding]] = field(default_factory=dict)
    """Order reference -> findings of other orders that change now and that this order brings about: what is said
    there comes before what its own card says."""
    departs: bool = False
    """Something on the card already asks for another order, or for none until a result is there."""
    ends: bool = False
    """Something on the card asks for another medicine, or for none."""
    in_review: bool = False
    """Every medicine on the card is taken now: it need not be said of each."""
    seen: dict[int, tuple[Finding, Mapping[str, object]]] = field(default_factory=dict, repr=False, compare=False)
    """What was worked out for findings of these surroundings, by their identity: summary and detail show the same.
    """


def view_of(finding: Finding, words: Words, around: Surroundings) -> Mapping[str, object]:
    """The variables of the templates for one finding."""
    known = around.seen.get(id(finding))
    if known is None:
        view = {
            **_subject(finding, words, around),
            **_advice(finding, words, around),
            **tests_of(finding, words, around.elsewhere),
        }
        known = around.seen[id(finding)] = (finding, view)
    return known[1]


def _subject(finding: Finding, words: Words, around: Surroundings) -> dict[str, object]:
    order, wording = finding.order, words.wording
    table = table_of(finding, words)
    drug = words.drug_of(finding)
    is_taken = order.active and not (around.in_review or finding.is_of_list)
    return {
        "drug": wording.say("names", "taken", name=drug) if is_taken else drug,
        "of_list": finding.is_of_list,
        "order": clean(order.name),
        "dose": clean(order.dose.text) if order.dose else "",
        "active": order.active,
        "cause": around.names.get(finding.caused_by, wording.say("causes", "unknown")) if finding.caused_by else "",
        "topic": wording.phrase(table.label) if table and table.label else "",
        "results": wording.any_of([said for view in _deciding(finding, table) if (said := result_of(view, words))]),
        "marker_names": words.markers(asked_markers(finding)),
        "why": [sentence(known_of(view, words)) for view in finding.markers],
        "used": _used(finding, words),
        "modifiers": [shift for view in finding.markers if (shift := modifiers_of(view, words))],
        "assumptions": dict.fromkeys([wording.phrase(one.assumed, drug=drug) for one in finding.assumptions]),
        "gaps": wording.any_of(list(dict.fromkeys([words.gap(gap, order.reference) for gap in finding.gaps]))),
        "elsewhere": _said_elsewhere(finding, words, around),
        "closed": words.markers(finding.closed_markers, "or") if finding.closed_markers else "",
        "no_match": unmatched(finding, words) is not None,
        "further": finding.further_may_ask_more,
        "unclear": _unclear(finding, words),
        "listed": _is_listed(finding),
        "preliminary": _preliminary(finding, words),
    }


def _preliminary(finding: Finding, words: Words) -> Mapping[str, object] | None:
    """What preliminary results are, and what they would make of the order."""
    told = finding.preliminary
    if told is None:
        return None
    branch, about = Branch((), told.resulting, told.advice), words.about(finding)
    return {
        "results": words.wording.any_of([result_of(v, words) or words.marker(v.marker) for v in told.markers]),
        "known": [sentence(known_of(view, words)) for view in told.markers],
        "order": order_said(branch, words, about),
        "harm": words.harm(branch),
    }


def _deciding(finding: Finding, table: Table | None) -> tuple[MarkerView, ...]:
    """The markers that the row of a change names, and those whose results disagree where that is told; all that the
    finding saw where no row is known."""
    if finding.kind is Kind.RESULTS_CONFLICT:
        return tuple([view for view in finding.markers if isinstance(view.knowledge, Conflicting)])
    row = next((row for row in table.rows if row.id == finding.row), None) if table else None
    if finding.kind is not Kind.CHANGE_NOW or row is None or not row.when:
        return finding.markers
    return tuple([view for view in finding.markers if view.marker in row.when])


def _unclear(finding: Finding, words: Words) -> tuple[str, ...]:
    """Of each marker asked about that was tested without a clear result, what to do about it."""
    about = {*[test.marker for test in finding.tests], *[gap.about for gap in finding.gaps]}
    found = [(view.marker, view.knowledge) for view in finding.markers if view.marker in about]
    return tuple(
        [
            words.wording.say("unclear", _what_to_do(known), marker=words.marker(marker))
            for marker, known in found
            if isinstance(known, Indeterminate) and known.literal == INDETERMINATE
        ]
    )


def _is_listed(finding: Finding) -> bool:
    """Whether only a problem list tells of the markers asked about."""
    about = asked_markers(finding)
    told = [r.why_unverified for view in finding.markers if view.marker in about for r in view.knowledge.readings]
    return bool(told) and all(why is Unconfirmed.PROBLEM_LIST for why in told)


def _what_to_do(known: Indeterminate) -> str:
    if known.is_of_uncertain_variant:
        return "uncertain_variant"
    return "repeat" if known.tried - known.spent else "spent"


def _used(finding: Finding, words: Words) -> str:
    """The facts of the record that made the guidance speak; what caused the finding is named before. What is both
    taken and drafted is named once, with its day."""
    told = [one for one in finding.used if not one.reference or one.reference != finding.caused_by]
    dated = {(one.fact, one.name) for one in told if one.on is not None}
    said = list(dict.fromkeys([words.used(u) for u in told if u.on is not None or (u.fact, u.name) not in dated]))
    more = [words.wording.say("lists", "more", count=len(said) - FACTS_SHOWN)] if len(said) > FACTS_SHOWN else []
    return words.wording.any_of([*said[:FACTS_SHOWN], *more])


def _said_elsewhere(finding: Finding, words: Words, around: Surroundings) -> list[str]:
    """Beside another dose of this order: what other cards advise because of it."""
    if finding.resulting.outcome is not Outcome.CHANGED_DOSE:
        return []
    others = around.touched_by.get(finding.order.reference, ())
    actions = [(words.drug_of(other), action_said(other, advised(other, words), words)) for other in others]
    said = [words.wording.say("causes", "elsewhere", drug=drug, action=action) for drug, action in actions]
    return list(dict.fromkeys(said))


def _advice(finding: Finding, words: Words, around: Surroundings) -> dict[str, object]:
    wording, advice, outcome = words.wording, advised(finding, words), finding.resulting.outcome
    dose = advice.options[0].option.dose if advice.options else None
    return {
        "action": action_said(finding, advice, words),
        "act": advice.act or wording.say("outcomes", outcome),
        "act_on_condition": advice.act_on_condition,
        "options": advice.instead,
        "also": advice.beside,
        "reason": advice.reason,
        "arithmetic": words.arithmetic(finding.arithmetic) if finding.arithmetic else "",
        "assumed": words.assumed_of(finding.arithmetic) if finding.arithmetic else "",
        "dose_needed": dose is not None and bool(dose.factor) and dose.of_drafted and not _has_dose(finding),
        "departs": outcome in DEPARTS,
        "decided": finding.decided.outcome is not Outcome.AS_DRAFTED or around.departs,
        "outdone": around.ends and outcome in _LESSER,
        "waits": outcome is Outcome.WAIT,
        "hold": finding.hold,
        "bridge": _bridge(finding, words) if finding.bridge else "",
        "offered": wording.any_of([_offered(one, words) for one in finding.alternatives if not one.refused], "or"),
        "refused": wording.any_of([_refused(one, words) for one in finding.alternatives if one.refused]),
    }


def _has_dose(finding: Finding) -> bool:
    return finding.order.dose is not None and finding.order.dose.per_dose is not None


def _bridge(finding: Finding, words: Words) -> str:
    about = words.about(finding)
    return words.wording.any_of([option_words(option, words, about).said for option in finding.bridge], "or")


def _offered(alternative: Alternative, words: Words) -> str:
    drug = words.drug(alternative.drug)
    if not alternative.open_markers:
        return drug
    return words.wording.say("alternatives", "open", drug=drug, markers=words.markers(alternative.open_markers))


def _refused(alternative: Alternative, words: Words) -> str:
    reason = words.wording.say("refusals", alternative.refused)
    return words.wording.say("alternatives", "refused", drug=words.drug(alternative.drug), reason=reason)
