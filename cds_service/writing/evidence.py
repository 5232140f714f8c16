"""The guidance behind a finding, and the source it comes from, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from cds_service.knowledge.schema import Source, Table
from cds_service.memory import remembered_by_identity
from cds_service.model import Advice, Finding, Outcome, Strength, Trust
from cds_service.writing.advice import NO_ADVICE, AdviceWords, advice_words
from cds_service.writing.findings import DEPARTS, table_of
from cds_service.writing.text import Markdown
from cds_service.writing.words import Words

_SEVERITY = tuple(Outcome)


@dataclass(frozen=True, slots=True)
class SourceWords:
    """What is shown of a source. `url` is "" where it is not the publisher's own web address, `year` where it is not
    dated, `copy_at` where it is no copy on another's host."""

    title: str
    developer: str
    year: str
    url: str
    copy_at: str
    pmids: tuple[str, ...]


def source_of(table: Table, words: Words) -> SourceWords:
    """The source of a table in words."""
    source = words.knowledge.sources[table.source]
    return _source_words(source, words.knowledge.copied_at(source))


@remembered_by_identity
def _source_words(source: Source, copy_at: str) -> SourceWords:
    url = "" if copy_at else source.url
    return SourceWords(source.title, source.developer, _year(source), url, copy_at, source.pmids)


def _year(source: Source) -> str:
    """The year of the revision, else of the release; empty where neither is dated."""
    dated = (text[:4] for text in (source.revised, source.released) if text[:4].isdigit())
    return next(dated, "")


class _Evidence(NamedTuple):
    """What a line of evidence says beside what its table does."""

    drug: str
    """For a table without a label."""
    advice: AdviceWords
    states: str
    """The result that the advice is for; "" where it is the advice now."""
    strength: Strength
    topic: str
    row: str
    quotes: tuple[str, ...]
    review_note: bool


def evidence_of(finding: Finding, words: Words, *, review_note: bool) -> Markdown:
    """The guidance behind a finding with source, trust and review; "" without a table."""
    table = table_of(finding, words)
    if table is None:
        return Markdown()
    advice, states = _leading_advice(finding, words)
    evidence = _Evidence(
        drug="" if table.label else words.drug_of(finding),
        advice=advice_words(advice, words, words.about(finding)) if advice else NO_ADVICE,
        states=states,
        strength=advice.strength if advice else Strength.NONE,
        topic=words.wording.catalogue["kinds"][finding.kind]["topic"],
        row=finding.row,
        quotes=finding.quotes,
        review_note=review_note,
    )
    return _evidence_line(table, words, evidence)


def _leading_advice(finding: Finding, words: Words) -> tuple[Advice | None, str]:
    """The advice now; where that is none, or as drafted with a test open, the gravest outcome's with its states."""
    undecided = not finding.advice or finding.resulting.outcome not in DEPARTS
    branches = [(test.marker, branch) for test in finding.tests for branch in test.branches] if undecided else []
    if not branches:
        return finding.advice, ""
    marker, worst = max(branches, key=lambda pair: _SEVERITY.index(pair[1].resulting.outcome))
    return worst.advice, f"{words.marker(marker)} {words.states(marker, worst.states)}{words.given(worst)}"


@remembered_by_identity
def _evidence_line(table: Table, words: Words, evidence: _Evidence) -> Markdown:
    wording, source = words.wording, source_of(table, words)
    told = evidence.advice.together or evidence.topic
    by_result = evidence.states and wording.say("evidence", "by_result", states=evidence.states, advice=told)
    said = {
        "about": wording.phrase(table.label) if table.label else evidence.drug,
        "advice": by_result or told,
        "strength": wording.say("strengths", evidence.strength),
        "title": source.title,
        "url": source.url,
        "copy": wording.say("evidence", "copy", host=source.copy_at) if source.copy_at else "",
        "developer": source.developer,
        "year": source.year,
        "pmids": source.pmids,
        "trust": wording.say("trusts", trust_of(table, evidence.row)),
        "review": _review(table, words) if evidence.review_note or table.review.by else "",
        "quotes": [source_of(words.knowledge.tables[one], words) for one in evidence.quotes],
    }
    return Markdown(wording.rendered("evidence_line.md.j2", said).strip())


def trust_of(table: Table, row_id: str) -> Trust:
    """The trust of the row that gave the advice, else of the table."""
    return table.trust_of(next((row for row in table.rows if row.id == row_id), None))


def _review(table: Table, words: Words) -> str:
    if not table.review.by:
        return words.wording.say("review", "unreviewed")
    return words.wording.say("review", "reviewed", by=table.review.by, on=words.day(table.review.on))
