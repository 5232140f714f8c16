"""Orders that could not be checked for one reason share a card: said of each, it would soon be read of none."""

from __future__ import annotations

from collections.abc import Sequence

from cds_service.knowledge.schema import Fact
from cds_service.model import Finding, GapReason, Kind, Outcome
from cds_service.policy import Policy
from cds_service.writing.detail import CardText, listed_detail_of
from cds_service.writing.findings import table_of
from cds_service.writing.groups import Group
from cds_service.writing.text import clean, escaped, first_that_fits, sentence
from cds_service.writing.words import Words

_LOST = frozenset({GapReason.NOT_OBTAINED, GapReason.PARTIAL, GapReason.MISSING})
_NOT_ON_RECORD = frozenset({GapReason.FACT_NOT_KNOWN, GapReason.TOLD_ROUGHLY})
_FACTS = frozenset(fact.value for fact in Fact)
_OF_THE_PATIENT = frozenset({Fact.AGE.value, Fact.WEIGHT.value, Fact.SEX.value})
"""Facts that are not on record for one order or for all."""


def gathered(groups: Sequence[Group]) -> list[tuple[Group, ...]]:
    """The orders' findings by card: those that lack the same facts together, at the place of the first of them."""
    cards: dict[object, list[Group]] = {}
    for number, group in enumerate(groups):
        cards.setdefault(_facts_lost(group) or number, []).append(group)
    return [tuple(together) for together in cards.values()]


def unchecked_of(groups: Sequence[Group], words: Words, policy: Policy) -> CardText:
    """The words of one card for several orders that lack the same facts."""
    said = (words.gap(gap, group[0].order.reference) for group in groups for f in group for gap in f.gaps)
    gaps = dict.fromkeys(said)
    drugs = words.wording.any_of(list(dict.fromkeys(words.order(group[0].order) for group in groups)))
    told = {"drugs": drugs, "count": len(groups), "gaps": words.wording.any_of(list(gaps))}
    summary = first_that_fits(
        words.wording.say("list_unchecked", key, **told) for key in ("summary", "summary_count")
    )
    heading = words.wording.say("list_unchecked", "heading", gaps=escaped(told["gaps"]))
    lines = [heading, "", *(_line(group, words) for group in groups)]
    findings = [finding for group in groups for finding in group]
    return CardText(sentence(summary), listed_detail_of(lines, findings, words, policy))


def _facts_lost(group: Group) -> frozenset[tuple[str, GapReason]]:
    """The facts for want of which the order could not be checked, and why they are missing. Empty where its card says
    anything else: what another order lacks too, or that this one should wait.
    """
    gaps = {(gap.about, gap.reason) for finding in group for gap in finding.gaps}
    says_no_more = all(_only_lacks(finding) for finding in group)
    return frozenset(gaps) if says_no_more and all(_is_of_all(*gap) for gap in gaps) else frozenset()


def _is_of_all(about: str, reason: GapReason) -> bool:
    """Whether it is missing for every order: its query was lost, or nobody recorded it of the patient."""
    return (about in _FACTS and reason in _LOST) or (about in _OF_THE_PATIENT and reason in _NOT_ON_RECORD)


def _only_lacks(finding: Finding) -> bool:
    waits = finding.hold or finding.resulting.outcome is Outcome.WAIT
    asks = any(test.order_it for test in finding.tests)
    return finding.kind is Kind.NOT_ASSESSED and not (waits or asks or finding.order.active)


def _line(group: Group, words: Words) -> str:
    order = escaped(clean(group[0].order.name) or words.order(group[0].order))
    labels = [table.label for finding in group if (table := table_of(finding, words)) and table.label]
    topics = words.wording.say("lists", "semicolon").join(dict.fromkeys(map(words.wording.phrase, labels)))
    key = "line_of_topics" if topics else "line"
    return words.wording.say("list_unchecked", key, order=order, topics=escaped(topics))
