"""The rooms of docs/ARCHITECTURE.md and the doors between them, read from the imports themselves."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "cds_service"
FILES = sorted(PACKAGE.rglob("*.py"))
WORDS = {
    "model",
    "codes",
    "errors",
    "policy",
    "memory",
    "effort",
    "circuits",
    "received_json",
    "unique_yaml",
    "references",
}
ROOMS = {
    "knowledge": WORDS,
    "reading": WORDS | {"knowledge"},
    "reasoning": WORDS | {"knowledge"},
    "writing": WORDS | {"knowledge"},
    "terminology": WORDS | {"knowledge"},
    "hooks": WORDS,
    "fetching": WORDS | {"hooks"},
    "store": WORDS,
}
WORLD = {
    "flask", "logging", "requests", "urllib", "urllib3", "http", "socket", "time", "sqlalchemy", "sqlite3", "random",
    "threading", "concurrent", "asyncio", "subprocess", "os", "werkzeug",
}  # fmt: skip
CLOCKS = {"today", "now", "utcnow"}


def name(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    """Everything that stands in a file."""
    return tuple(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, relative imports resolved, `from cds_service import x` as `cds_service.x`."""
    for node in nodes(path):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name(path)}: imports are written out"
            if node.module == "cds_service":
                yield from (f"cds_service.{alias.name}" for alias in node.names)
            else:
                yield str(node.module)


def ours(path: Path) -> set[str]:
    found = {module.split(".")[1] for module in imports(path) if module.startswith("cds_service.")}
    return found - {"__version__"}


def foreign(path: Path) -> set[str]:
    return {module.split(".")[0] for module in imports(path)} - {"cds_service"}


def of_room(*names: str) -> list[Path]:
    return [path for path in FILES if room(path) in names]


@pytest.mark.parametrize("path", of_room(*ROOMS), ids=name)
def test_a_room_imports_only_what_its_line_in_the_table_says(path):
    assert ours(path) <= ROOMS[room(path)] | {room(path)}


@pytest.mark.parametrize("path", of_room(*WORDS), ids=name)
def test_the_words_import_each_other_alone(path):
    assert ours(path) <= WORDS


def test_only_the_app_imports_web():
    assert [name(path) for path in FILES if "web" in ours(path) and room(path) != "web"] == ["app.py"]


def test_only_the_command_line_imports_commands():
    assert {name(path) for path in FILES if "commands" in ours(path) and room(path) != "commands"} == {"cli.py"}


def test_only_answer_puts_reading_reasoning_and_writing_together():
    rooms = {"reading", "reasoning", "writing"}
    assert [name(path) for path in FILES if rooms <= ours(path)] == ["answer.py"]


@pytest.mark.parametrize("path", of_room("reading", "reasoning", "writing", "knowledge"), ids=name)
def test_the_pure_rooms_have_no_network_logger_or_web(path):
    allowed = {"urllib"} if room(path) in ("knowledge", "writing") else set()
    assert not foreign(path) & (WORLD - allowed)


@pytest.mark.parametrize("path", of_room("reasoning", "reading", "writing"), ids=name)
def test_the_pure_rooms_have_no_clock(path):
    calls = (node for node in nodes(path) if isinstance(node, ast.Call))
    assert not [c.lineno for c in calls if isinstance(c.func, ast.Attribute) and c.func.attr in CLOCKS]


@pytest.mark.parametrize("path", of_room("hooks"), ids=name)
def test_hooks_have_no_http_library(path):
    assert not foreign(path) & {"flask", "werkzeug", "requests", "urllib3", "http"}


def test_flask_stays_in_web_and_the_app():
    assert {room(path) for path in FILES if {"flask", "werkzeug"} & foreign(path)} <= {"web", "app"}


def test_requests_stays_in_fetching_and_sqlalchemy_in_the_store():
    assert {room(path) for path in FILES if "requests" in foreign(path)} == {"fetching"}
    assert {room(path) for path in FILES if "sqlalchemy" in foreign(path)} == {"store"}


def test_only_writing_builds_fhir_resources():
    assert {room(path) for path in FILES if "fhir" in foreign(path)} <= {"writing"}


def test_a_broad_catch_stands_in_the_error_handler_alone():
    def broad(node: ast.AST) -> bool:
        if isinstance(node, ast.ExceptHandler):
            caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            return any(
                c is None or (isinstance(c, ast.Name) and c.id in ("Exception", "BaseException")) for c in caught
            )
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            handles = node.func.attr in ("errorhandler", "register_error_handler", "app_errorhandler")
            return handles and any(isinstance(a, ast.Name) and a.id == "Exception" for a in node.args)
        return False

    places = [name(path) for path in FILES for node in nodes(path) if broad(node)]
    assert places == ["web/errors.py"]
