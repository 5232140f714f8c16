"""Answers and inspections for people at a terminal."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterator, Mapping

_WIDTH = 96
_LINK = re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)")
_MARKS = re.compile(r"\*\*|__|`|^#+\s*", re.MULTILINE)
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")
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
    """One entry of an inspection as a line: its kind, what it says first, and where it is from last."""
    ((kind, content),) = entry.items()
    words = _LINES.get(kind, _told)(_object(content))
    return f"{kind:<12} {words}"


def _finding(finding: Json) -> str:
    drug, guidance = _object(finding.get("drug")), _object(finding.get("guidance"))
    head = (
        f"{finding.get('kind')} [{finding.get('indicator')}] {drug.get('display', '')} {finding.get('order', '')}  "
        f"{guidance.get('id', 'no guidance')} {guidance.get('row', '')}"
    )
    markers = "; ".join(_marker(view) for view in _objects(finding.get("markers")))
    gaps = "".join(f"  missing: {_gap(gap)}" for gap in _objects(finding.get("gaps")))
    silent = f"  silent: {finding['silent']} ({finding.get('silentBecause', '')})" if "silent" in finding else ""
    return f"{head.rstrip()}  {markers}{gaps}{silent}".rstrip()


def _marker(view: Json) -> str:
    state = view.get("state", view.get("states", ""))
    return f"{view.get('id')} {view.get('knowledge')} {_told(state)}".rstrip()


def _reading(reading: Json) -> str:
    said = " ".join(_told(value) for value in _object(reading.get("says")).values())
    known = [reading.get(name) for name in ("on", "laboratory", "status", "grade")]
    known += [*_texts(reading.get("flags")), *(f"for {drug}" for drug in _texts(reading.get("drugs")))]
    known.append(reading.get("reference"))
    return f"{reading.get('observable')}  {said}  " + ", ".join(str(value) for value in known if value)


def _gap(gap: Json) -> str:
    detail = f": {gap['detail']}" if "detail" in gap else ""
    return f"{gap.get('about')} {gap.get('reason')}{detail}"


_LINES: Mapping[str, Callable[[Json], str]] = {"finding": _finding, "reading": _reading, "gap": _gap}


def without_markdown(text: str) -> str:
    """Markdown as it reads when its marks are taken away.

    >>> without_markdown("**Why**: see [the label](https://example.org)")
    'Why: see the label (https://example.org)'
    """
    return _ESCAPE.sub(r"\1", _MARKS.sub("", _LINK.sub(r"\1 (\2)", text)))


def _card(card: Json) -> Iterator[str]:
    yield ""
    yield f"   [{str(card.get('indicator')).upper()}] {card.get('summary')}"
    yield from _paragraphs(without_markdown(str(card.get("detail", ""))))
    for suggestion in _objects(card.get("suggestions")):
        mark = " (recommended)" if suggestion.get("isRecommended") else ""
        yield f"     -> {suggestion.get('label')}{mark}"
        for action in _objects(suggestion.get("actions")):
            yield from _wrapped(f"{action.get('type')}: {action.get('description')}", "          ")
    source = card.get("source")
    if isinstance(source, dict):
        yield f"     source: {' '.join(str(source[name]) for name in ('label', 'url') if name in source)}"
    for link in _objects(card.get("links")):
        if not isinstance(source, dict) or link.get("url") != source.get("url"):
            yield f"     link: {link.get('label')} {link.get('url')}"


def _paragraphs(text: str) -> Iterator[str]:
    """The lines of a text, wrapped; rules of Markdown go, and no two empty lines follow each other."""
    before = ""
    for line in text.splitlines():
        shown = "" if _RULE.match(line) else line
        if shown or before:
            yield from _wrapped(shown, "     ")
        before = shown


def _wrapped(line: str, indent: str) -> list[str]:
    hang = indent + "  " if line.lstrip().startswith(("-", "*")) else indent
    return textwrap.wrap(line, _WIDTH, initial_indent=indent, subsequent_indent=hang) or [""]


def _told(value: object) -> str:
    if isinstance(value, Mapping):
        return " ".join(f"{name}={_nested(inner)}" for name, inner in value.items())
    if isinstance(value, list):
        return ", ".join(_nested(item) for item in value)
    return str(value)


def _nested(value: object) -> str:
    if isinstance(value, Mapping):
        return f"{{{_told(value)}}}"
    return f"[{_told(value)}]" if isinstance(value, list) else str(value)


def _object(value: object) -> Json:
    return value if isinstance(value, Mapping) else {}


def _texts(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _objects(value: object) -> list[Json]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
