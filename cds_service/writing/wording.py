"""The wording: catalogue, phrases and templates of `cards/`, read and compiled once at start."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, TemplateError

from cds_service import unique_yaml
from cds_service.errors import KnowledgeError
from cds_service.knowledge.schema import Fact
from cds_service.model import (
    Action,
    GapReason,
    Harm,
    Kind,
    Narrowing,
    Outcome,
    Query,
    Refusal,
    Silence,
    Strength,
    Testing,
    Trust,
    Unconfirmed,
)
from cds_service.writing.text import escaped, link_target, sentence

_PLACES = (Path(__file__).parents[1] / "_packaged" / "cards", Path(__file__).parents[2] / "cards")
"""In an installed wheel, and in a working copy."""

_CLOSED_SETS: Mapping[str, type[StrEnum]] = {
    "kinds": Kind,
    "actions": Action,
    "outcomes": Outcome,
    "harms": Harm,
    "strengths": Strength,
    "testing": Testing,
    "trusts": Trust,
    "queries": Query,
    "facts": Fact,
    "gap_reasons": GapReason,
    "narrowed_reasons": Narrowing,
    "unverified_reasons": Unconfirmed,
    "silence": Silence,
    "refusals": Refusal,
}
_EVIDENCE = ("evidence.md.j2", "evidence_line.md.j2")
_INCLUDE = re.compile(r'^\{% include "([^"]+)" %\}\n', re.MULTILINE)


@dataclass(frozen=True, slots=True, eq=False)
class Wording:
    """`catalogue` maps group -> key -> words, `phrases` key -> text, `templates` file name -> template."""

    catalogue: Mapping[str, Any]
    phrases: Mapping[str, str]
    templates: Mapping[str, Template]

    def say(self, group: str, key: str, **values: object) -> str:
        """The words of `key`, its placeholders filled."""
        return str(self.catalogue[group][key]).format_map(values)

    def say_or_spell(self, group: str, key: str) -> str:
        """The words of a key that guidance or a record names; the key itself, spaced, where the group has none."""
        words = self.catalogue[group].get(key)
        return spaced(key) if words is None else str(words)

    def phrase(self, key: str, **values: str) -> str:
        """The text of a phrase key with its placeholders filled; the key, spaced, where it has no text."""
        text = self.phrases.get(key) or spaced(key)
        for name, value in values.items():
            text = text.replace(f"{{{name}}}", value)
        return text

    def rendered(self, name: str, values: Mapping[str, Any]) -> str:
        """The template `name` with these values for its names."""
        return self.templates[name].render(values)

    def any_of(self, words: tuple[str, ...] | list[str], last: str = "and") -> str:
        """`a, b and c`, joined by the catalogue's own signs; `last` is `and` or `or`."""
        if not words:
            return ""
        signs = self.catalogue["lists"]
        return words[0] if len(words) == 1 else f"{signs['comma'].join(words[:-1])}{signs[last]}{words[-1]}"


def spaced(key: str) -> str:
    """A key as words, for want of better ones."""
    return key.replace("_", " ")


def load_wording(folder: Path | None = None) -> Wording:
    """The wording in `folder`, else the packaged one. Raises KnowledgeError where a file is missing or not
    valid, a phrase key stands twice, or the catalogue lacks words for a member of a closed set."""
    place = folder or _default_folder()
    catalogue = _mapping(place / "catalogue.yaml")
    _check_closed_sets(catalogue)
    return Wording(
        catalogue=MappingProxyType(catalogue),
        phrases=MappingProxyType(_phrases(place / "phrases")),
        templates=MappingProxyType(_templates(place, catalogue)),
    )


def _default_folder() -> Path:
    for place in _PLACES:
        if (place / "catalogue.yaml").is_file():
            return place
    raise KnowledgeError("catalogue.yaml: the folder `cards` is neither packaged nor beside cds_service")


def _check_closed_sets(catalogue: Mapping[str, Any]) -> None:
    for group, members in _CLOSED_SETS.items():
        missing = [member.value for member in members if member and member not in catalogue.get(group, {})]
        if missing:
            raise KnowledgeError(f"catalogue.yaml: {group}: no words for {', '.join(missing)}")


def _phrases(folder: Path) -> dict[str, str]:
    phrases: dict[str, str] = {}
    for path in sorted(folder.glob("*.yaml")):
        for key, text in _mapping(path).items():
            if key in phrases:
                raise KnowledgeError(f"{path.name}: phrase {key!r} stands in another file too; each key stands once")
            if not isinstance(text, str) or not text.strip():
                raise KnowledgeError(f"{path.name}: phrase {key!r}: expected a text, found {text!r}")
            phrases[key] = text.strip()
    return phrases


def _mapping(path: Path) -> dict[str, Any]:
    try:
        content = unique_yaml.load(path.read_bytes())
    except (OSError, yaml.YAMLError) as fault:
        raise KnowledgeError(f"{path.name}: {fault}") from fault
    if not isinstance(content, dict):
        raise KnowledgeError(f"{path.name}: expected a mapping, found {type(content).__name__}")
    return content


def _templates(folder: Path, catalogue: Mapping[str, Any]) -> dict[str, Template]:
    plain = _environment(folder)
    markdown = _environment(folder)
    markdown.finalize = escaped
    names = {kind["template"] for kind in catalogue["kinds"].values()}
    try:
        details = {name: _template(name, markdown) for name in (*(f"{name}.md.j2" for name in names), *_EVIDENCE)}
        return details | {name: _template(name, plain) for name in (f"{name}.summary.j2" for name in names)}
    except TemplateError as fault:
        raise KnowledgeError(f"cards: template {fault}") from fault


def _template(name: str, environment: Environment) -> Template:
    """Without the functions that Jinja would carry into every context: the templates use none."""
    template = environment.get_template(name)
    template.globals = {}
    return template


class _WholeFiles(FileSystemLoader):
    """The files of a folder, each with those that it includes (a line of its own) in their places: a template of one
    piece takes one context.
    """

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        source, path, is_fresh = super().get_source(environment, template)
        whole = _INCLUDE.sub(lambda included: self.get_source(environment, included[1])[0], source)
        return whole, path, is_fresh


def _environment(folder: Path) -> Environment:
    # `finalize` escapes for Markdown
    environment = Environment(  # noqa: S701  # nosec B701
        loader=_WholeFiles(folder),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters.update(sentence=sentence, url=link_target)
    return environment
