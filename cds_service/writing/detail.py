"""Summary and detail of a card: the parts of its findings' templates, arranged and kept within 900 characters."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from cds_service.model import Finding
from cds_service.policy import Policy
from cds_service.writing.text import escaped, first_that_fits, sentence
from cds_service.writing.views import Surroundings, evidence_of, view_of
from cds_service.writing.words import Words

HEAD_LIMIT = 900
"""Characters before the evidence section: what is read in ten seconds."""
_PART = "%% "


@dataclass(frozen=True, slots=True)
class _Part:
    name: str
    text: str
    place: int
    """Number of its finding on the card."""


def summary_of(finding: Finding, words: Words, around: Surroundings) -> str:
    """One plain sentence under 140 characters: drug, test or result, consequence."""
    template = words.wording.templates[f"{_template(finding, words)}.summary.j2"]
    return sentence(first_that_fits(template.render(view_of(finding, words, around)).splitlines()))


def detail_of(findings: Sequence[Finding], words: Words, around: Surroundings, policy: Policy, summary: str) -> str:
    """GitHub Flavored Markdown: at most 900 characters, a rule, the evidence, and below it what did not fit."""
    parts = _parts(findings, words, around)
    kept, moved = _within_limit(parts, words.wording.catalogue["keep"])
    head = _joined(kept) or escaped(summary)
    more = [f"{words.wording.say('service', 'more')}\n\n{_joined(moved)}"] if moved else []
    return "\n\n".join([head, "---", _evidence(findings, words, policy), *more])


def _parts(findings: Sequence[Finding], words: Words, around: Surroundings) -> list[_Part]:
    """The non-empty parts of every finding in order; a part said before is not said again."""
    parts: dict[str, _Part] = {}
    for place, finding in enumerate(findings):
        template = words.wording.templates[f"{_template(finding, words)}.md.j2"]
        for name, text in _split(template.render(view_of(finding, words, around))):
            parts.setdefault(text, _Part(name, text, place))
    return list(parts.values())


def _split(rendered: str) -> list[tuple[str, str]]:
    sections = f"\n{rendered}".split(f"\n{_PART}")[1:]
    named = [re.sub(r" +\n", "\n", section).partition("\n") for section in sections]
    return [(name.strip(), text.strip()) for name, _, text in named if text.strip()]


def _within_limit(parts: Sequence[_Part], keep: Sequence[str]) -> tuple[list[_Part], list[_Part]]:
    """What stays and what moves: the least important part of the last finding moves first."""
    kept = [part for part in parts if part.name != "rest"]
    while len(_joined(kept)) > HEAD_LIMIT:
        kept.remove(max(kept, key=lambda part: (keep.index(part.name), part.place)))
    return kept, [part for part in parts if part not in kept]


def _joined(parts: Sequence[_Part]) -> str:
    return "\n\n".join(part.text for part in parts)


def _evidence(findings: Sequence[Finding], words: Words, policy: Policy) -> str:
    found = (evidence_of(finding, words, review_note=policy.review_note) for finding in findings)
    items = [item for item in found if item is not None]
    once = [item for number, item in enumerate(items) if item not in items[:number]]
    template = words.wording.templates["evidence.md.j2"]
    knowledge = words.knowledge
    return template.render(items=once, version=knowledge.version, hash=knowledge.content_hash).strip()


def _template(finding: Finding, words: Words) -> str:
    return str(words.wording.catalogue["kinds"][finding.kind]["template"])
