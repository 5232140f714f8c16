"""Summary and detail of a card: the parts of its findings' templates, arranged and kept within 900 characters."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from cds_service.memory import remembered_by_identity
from cds_service.model import Finding
from cds_service.policy import Policy
from cds_service.writing.evidence import evidence_of
from cds_service.writing.groups import told_in_words
from cds_service.writing.text import Markdown, escaped, first_that_fits, sentence
from cds_service.writing.views import Surroundings, view_of
from cds_service.writing.words import Words

HEAD_LIMIT = 900
"""Characters before the evidence section: what is read in ten seconds."""
_PART = "%% "
_BLANKS_AT_THE_END = re.compile(r" +\n")


@dataclass(frozen=True, slots=True)
class CardText:
    """What a card says to people."""

    summary: str
    detail: str


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    name: str
    text: str
    place: int
    """Number of its finding on the card."""


def summary_of(finding: Finding, words: Words, around: Surroundings) -> str:
    """One plain sentence under 140 characters: drug, test or result, consequence."""
    candidates = words.wording.rendered(f"{_template(finding, words)}.summary.j2", view_of(finding, words, around))
    return sentence(first_that_fits(candidates.splitlines()))


def detail_of(findings: Sequence[Finding], words: Words, around: Surroundings, policy: Policy, summary: str) -> str:
    """GitHub Flavored Markdown: at most 900 characters, a rule, the evidence, and below it what did not fit."""
    parts = _parts(findings, words, around)
    kept, moved = _within_limit(parts, words.wording.catalogue["keep"])
    head = _joined(kept) or escaped(summary)
    more = [f"{words.wording.say('service', 'more')}\n\n{_joined(moved)}"] if moved else []
    evidence = _evidence_of_an_order(words, _evidence_lines(findings, words, policy))
    return "\n\n".join([head, "---", evidence, *more])


def lines_within_limit(lines: Sequence[str]) -> int:
    """How many of the lines stay above the evidence."""
    ends = accumulate(len(line) + 1 for line in lines)
    return sum(end <= HEAD_LIMIT + 1 for end in ends)


def listed_detail_of(
    lines: Sequence[str], findings: Sequence[Finding], words: Words, policy: Policy, below: Sequence[str] = ()
) -> str:
    """The detail of one card of lines: as many as 900 characters hold, a rule, the lines left, what stands below, and
    the evidence."""
    kept = lines_within_limit(lines)
    left = ["\n".join(lines[kept:])] if kept < len(lines) else []
    evidence = _evidence(words, _evidence_lines(findings, words, policy))
    return "\n\n".join(["\n".join(lines[:kept]), "---", *left, *below, evidence])


def review_detail_of(
    groups: Sequence[Sequence[Finding]], lines: Sequence[str], words: Words, around: Surroundings, policy: Policy
) -> str:
    """The detail of one card for several medicines: their lines, and below them what each order's own card would
    say."""
    each = [_joined(_parts(group, words, around)) or escaped(summary_of(group[0], words, around)) for group in groups]
    told = [finding for group in groups for finding in group]
    return listed_detail_of(lines, told, words, policy, below=[words.wording.say("list_review", "each"), *each])


def _parts(findings: Sequence[Finding], words: Words, around: Surroundings) -> list[_Part]:
    """The non-empty parts of every finding in order; a part said before is not said again."""
    parts: dict[str, _Part] = {}
    for place, finding in enumerate(told_in_words(findings)):
        rendered = words.wording.rendered(f"{_template(finding, words)}.md.j2", view_of(finding, words, around))
        for name, text in _split(rendered):
            parts.setdefault(text, _Part(name, text, place))
    return list(parts.values())


def _split(rendered: str) -> list[tuple[str, str]]:
    lines = _BLANKS_AT_THE_END.sub("\n", rendered) if " \n" in rendered else rendered
    said = [section.split("\n", 1) for section in f"\n{lines}".split(f"\n{_PART}")[1:] if "\n" in section]
    return [(name, text) for name, section in said if (text := section.strip())]


def _within_limit(parts: Sequence[_Part], keep: Sequence[str]) -> tuple[list[_Part], list[_Part]]:
    """What stays and what moves: the least important part of the last finding moves first."""
    kept = [part for part in parts if part.name != "rest"]
    while len(_joined(kept)) > HEAD_LIMIT:
        kept.remove(max(kept, key=lambda part: (keep.index(part.name), part.place)))
    return kept, [part for part in parts if part not in kept]


def _joined(parts: Sequence[_Part]) -> str:
    return "\n\n".join([part.text for part in parts])


def _evidence_lines(findings: Sequence[Finding], words: Words, policy: Policy) -> tuple[Markdown, ...]:
    told = told_in_words(findings)
    lines = [evidence_of(finding, words, review_note=policy.review_note) for finding in told]
    return tuple(dict.fromkeys([line for line in lines if line]))


def _evidence(words: Words, lines: tuple[Markdown, ...]) -> str:
    knowledge = words.knowledge
    told = {"lines": lines, "version": knowledge.version, "hash": knowledge.content_hash}
    return words.wording.rendered("evidence.md.j2", told).strip()


_evidence_of_an_order = remembered_by_identity(_evidence)
"""The knowledge says the same of an order in answer after answer; a whole list of medicines is somebody's own."""


def _template(finding: Finding, words: Words) -> str:
    return str(words.wording.catalogue["kinds"][finding.kind]["template"])
