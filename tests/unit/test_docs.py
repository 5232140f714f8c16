"""The documents agree with each other and with the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cds_service.codes import OWN
from cds_service.model import Action, Kind
from cds_service.policy import load_policy
from cds_service.store.outbox import NOT_KEPT, WAIT

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("docker/*.md"), *ROOT.glob("fixtures/*.md")]
)
_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
_COMMAND = re.compile(r"`make ([a-z-]+)`")


def _text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link names a file that is there."""
    links = [link for link in _LINK.findall(_text(page)) if "://" not in link and not link.startswith("/")]
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_make_targets_that_are_named_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", _text(ROOT / "Makefile"), re.MULTILINE))
    named = {target for page in PAGES for target in _COMMAND.findall(_text(page))}
    assert named
    assert named <= targets


def test_the_code_map_names_files_that_exist() -> None:
    """A name alone is that of a module in one of the rooms."""
    named = set(re.findall(r"`([a-z_]+(?:/[a-z_]+)*\.py)`", _text(ROOT / "docs" / "ARCHITECTURE.md")))
    modules = {path.name for path in (ROOT / "cds_service").rglob("*.py")}
    assert len(named) > 100
    assert {
        n for n in named if not ((ROOT / "cds_service" / n).exists() or (ROOT / n).exists() or n in modules)
    } == set()


def test_codes_page_lists_every_code() -> None:
    """The code systems of our own, whole."""
    page = _text(ROOT / "docs" / "codes.md")
    codes = {kind.value for kind in Kind} | {reason.code for reason in load_policy().override_reasons}
    assert OWN in page
    assert {code for code in codes if f"`{code}`" not in page} == set()


def test_glossary_names_every_action() -> None:
    page = _text(ROOT / "docs" / "GLOSSARY.md")
    assert {action.value for action in Action if f"`{action.value}`" not in page} == set()


def test_no_page_is_orphaned() -> None:
    """Every page of docs/ but the decisions is linked from the README or from a page that is."""
    linked = {
        (page.parent / link).resolve() for page in PAGES for link in _LINK.findall(_text(page)) if "://" not in link
    }
    pages = {page.resolve() for page in (ROOT / "docs").glob("*.md")}
    assert pages <= linked


def test_every_event_of_the_log_is_explained_to_the_operator() -> None:
    """Those of `log` and `tell`, and the lines of the service's other modules."""
    code = "\n".join(_text(path) for path in (ROOT / "cds_service").rglob("*.py"))
    ours = re.findall(r'\b(?:log|tell|log_always)\(\s*"([a-z_]+)"', code)
    others = re.findall(r'\blog\.(?:warning|error|exception)\(\s*"([^"]+)"', code)
    others += re.findall(r'self\._tell\(logging\.[A-Z]+, "([^"]+)"', code)
    page = _text(ROOT / "docs" / "operating.md")
    assert len(ours) > 8
    assert len(others) > 5
    assert {event for event in (*ours, *others, WAIT, NOT_KEPT) if f"`{event}`" not in page} == set()
