"""Answers and inspections for people at a terminal."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping

_WIDTH = 96
_LINK = re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)")
_MARKS = re.compile(r"\*\*|__|`|^#+\s*", re.MULTILINE)
_RULE = re.compile(r"^\|?[\s:|-]+\|?$")

Json = Mapping[str, object]


def answer_lines(body: Json, title: str) -> Iterator[str]:
    """A response (or the OperationOutcome of a refused request) as text lines."""
    yield f"== {title}"
    for issue in _objects(body.get("issue")):
        yield f"   not answered: {issue.get('diagnostics', issue.get('code'))}"
    cards = _objects(body.get("cards"))
    if not cards and "cards" in body:
        yield "   no cards"
    for card in cards:
        yield from _card(card)


def inspection_line(entry: Json) -> str:
    """One entry of an inspection as a line."""
    ((kind, content),) = entry.items()
    return f"{kind:<13}{_told(content)}"


def without_markdown(text: str) -> str:
    """Markdown as it reads when its marks are taken away.

    >>> without_markdown("**Why**: see [the label](https://example.org)")
    'Why: see the label (https://example.org)'
    """
    return _MARKS.sub("", _LINK.sub(r"\1 (\2)", text))


def _card(card: Json) -> Iterator[str]:
    yield ""
    yield f"   [{str(card.get('indicator')).upper()}] {card.get('summary')}"
    for line in without_markdown(str(card.get("detail", ""))).splitlines():
        if not _RULE.match(line) or not line.strip():
            yield from _wrapped(line, "     ")
    for suggestion in _objects(card.get("suggestions")):
        mark = " (recommended)" if suggestion.get("isRecommended") else ""
        yield f"     -> {suggestion.get('label')}{mark}"
        for action in _objects(suggestion.get("actions")):
            yield from _wrapped(f"{action.get('type')}: {action.get('description')}", "          ")
    source = card.get("source")
    if isinstance(source, dict):
        yield f"     source: {' '.join(str(source[name]) for name in ('label', 'url') if name in source)}"
    for link in _objects(card.get("links")):
        yield f"     link: {link.get('label')} {link.get('url')}"


def _wrapped(line: str, indent: str) -> list[str]:
    hang = indent + "  " if line.lstrip().startswith(("-", "*")) else indent
    return textwrap.wrap(line, _WIDTH, initial_indent=indent, subsequent_indent=hang) or [""]


def _told(value: object) -> str:
    if isinstance(value, Mapping):
        return "  ".join(f"{name}={_told(inner)}" for name, inner in value.items())
    if isinstance(value, list):
        return "[" + ", ".join(_told(item) for item in value) + "]"
    return str(value)


def _objects(value: object) -> list[Json]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
