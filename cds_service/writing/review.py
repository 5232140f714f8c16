"""The one card of patient-view: the whole list of medicines reviewed at once, a line for each that speaks."""

from __future__ import annotations

from collections.abc import Sequence

from cds_service.model import Finding
from cds_service.policy import Policy
from cds_service.writing.detail import CardText, review_detail_of, summary_of
from cds_service.writing.text import escaped, first_that_fits
from cds_service.writing.views import Surroundings
from cds_service.writing.words import Words

HOOK = "patient-view"
"""CDS Hooks: opening the chart; no order is in question."""


def review_of(
    groups: Sequence[Sequence[Finding]], medicines: int, words: Words, around: Surroundings, policy: Policy
) -> CardText:
    """The words of the card. `groups` are the findings of each medicine that speaks, the gravest first; `medicines`
    is how many were looked at."""
    summaries = [summary_of(group[0], words, around) for group in groups]
    lines = [_line(group[0], summary, words) for group, summary in zip(groups, summaries, strict=True)]
    return CardText(
        _summary(groups, summaries[0], medicines, words), review_detail_of(groups, lines, words, around, policy)
    )


def _line(finding: Finding, summary: str, words: Words) -> str:
    urgency = words.wording.say("list_review", finding.indicator)
    return words.wording.say("list_review", "line", urgency=urgency, summary=escaped(summary))


def _summary(groups: Sequence[Sequence[Finding]], worst: str, medicines: int, words: Words) -> str:
    """The fullest candidate that fits: with the gravest line, with the names, or the mere count."""
    speaking = [group[0] for group in groups if not group[0].is_of_list]
    drugs = words.wording.any_of([words.drug_of(finding) for finding in speaking])
    told = {"concerned": len(speaking), "all": medicines, "worst": worst, "drugs": drugs}
    keys = ("summary", "summary_names", "summary_count")
    return first_that_fits(words.wording.say("list_review", key, **told) for key in keys)
