"""The loader refuses what it does not know, names the place, and hashes what it read."""

from __future__ import annotations

import dataclasses
import shutil
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest
import yaml
from pydantic import TypeAdapter, ValidationError

from cds_service.errors import KnowledgeError
from cds_service.knowledge import schema
from cds_service.knowledge.load import DATA, content_hash, load_knowledge

TYPES = [
    kind
    for module in iter_modules(schema.__path__, f"{schema.__name__}.")
    for kind in vars(import_module(module.name)).values()
    if dataclasses.is_dataclass(kind) and kind.__module__ == module.name
]

TABLE = {
    "id": "made_up_table",
    "drugs": ["codeine"],
    "source": "cpic_opioids",
    "trust": "read",
    "rows": [{"id": "always", "when": {}, "advice": {"options": [{"action": "standard"}]}}],
}


def row(**changes: object) -> dict[str, object]:
    return {"id": "x", "when": {}, "advice": {"options": [{"action": "standard"}]}} | changes


@pytest.fixture(scope="module")
def packaged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packaged data with one file of guidance: each test loads it anew."""

    def other_guidance(folder: str, names: list[str]) -> list[str]:
        return [name for name in names if Path(folder).name == "guidance" and name != "cpic_opioids.yaml"]

    copy = shutil.copytree(DATA, tmp_path_factory.mktemp("knowledge") / "data", ignore=other_guidance)
    return Path(copy)


@pytest.fixture
def data(packaged: Path):
    """That, with one more guidance file, which each test writes."""
    added = packaged / "guidance" / "zz_made_up.yaml"

    def write(*tables: object) -> Path:
        added.write_text(yaml.safe_dump(list(tables)), encoding="utf-8")
        return packaged

    yield write
    added.unlink(missing_ok=True)


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.__name__)
def test_every_type_of_the_schema_refuses_an_unknown_key(kind):
    with pytest.raises(ValidationError) as told:
        TypeAdapter(kind).validate_python({"made_up_key": "x"})
    assert "unexpected_keyword_argument" in {fault["type"] for fault in told.value.errors()}


def test_a_table_that_is_added_is_found_by_its_drug(data):
    known = load_knowledge(data(TABLE))
    assert "made_up_table" in known.tables
    assert "made_up_table" in {t.id for t in known.tables_by_drug["codeine"]}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"colour": "blue"}, r"zz_made_up.yaml\[0\]: colour: Unexpected keyword argument"),
        ({"trust": "hearsay"}, r"zz_made_up.yaml\[0\]: trust: .*; found hearsay"),
        ({"rows": [{"id": "x", "when": {}}]}, r"zz_made_up.yaml\[0\]: rows.0.advice: "),
        ({"concerns": "never"}, r"zz_made_up.yaml\[0\]: concerns: .*; found never"),
        ({"rows": [row(concerns="never")]}, r"zz_made_up.yaml\[0\]: rows.0.concerns: .*; found never"),
        (
            {
                "rows": [
                    row(advice={"options": [{"action": "dose", "dose": {"phase": "start", "direction": "down"}}]})
                ]
            },
            r"options.0.dose.direction: .*; found down",
        ),
        ({"source": "nobody"}, "table made_up_table: source 'nobody' is not defined"),
        ({"id": "cpic_codeine"}, "table 'cpic_codeine' is defined twice"),
    ],
)
def test_what_is_not_valid_is_refused_and_the_place_is_named(data, change, told):
    with pytest.raises(KnowledgeError, match=told):
        load_knowledge(data(TABLE | change))


@pytest.mark.parametrize(
    ("file", "entry"),
    [
        ("sources/zz_made_up.yaml", {
            "id": "x", "title": "x", "developer": "x", "version": "1", "released": "2020", "revised": "2020",
            "url": "https://example.org", "checked": "2026-01-01", "kind": "lable",
        }),
        ("observables/zz_made_up.yaml", {
            "id": "lab:x", "kind": "quantity", "source": "x", "codes": [{"code": "1-8", "role": "quantitty"}],
        }),
    ],
)  # fmt: skip
def test_a_word_that_is_none_of_its_set_is_refused(data, file, entry):
    """A misspelt kind of source would never be critical, a misspelt role would hide its results."""
    folder = data()
    added = folder / file
    added.write_text(yaml.safe_dump([entry]), encoding="utf-8")
    try:
        with pytest.raises(KnowledgeError, match=r"zz_made_up.yaml\[0\]: .*(kind|role): .*found (lable|quantitty)"):
            load_knowledge(folder)
    finally:
        added.unlink()


def test_a_file_that_is_no_list_is_refused(data):
    folder = data()
    (folder / "guidance" / "zz_made_up.yaml").write_text("a: 1", encoding="utf-8")
    with pytest.raises(KnowledgeError, match=r"zz_made_up.yaml: expected a list of Table, found dict"):
        load_knowledge(folder)


def test_a_key_that_stands_twice_is_refused(data):
    """The later of two limits would otherwise replace the first in silence."""
    folder = data()
    (folder / "guidance" / "zz_made_up.yaml").write_text("- {id: a, trust: read, trust: recalled}", encoding="utf-8")
    with pytest.raises(KnowledgeError, match=r"zz_made_up.yaml: line 1: trust stands twice"):
        load_knowledge(folder)


def test_a_file_that_is_no_yaml_is_refused(data):
    folder = data()
    (folder / "guidance" / "zz_made_up.yaml").write_text("a: [", encoding="utf-8")
    with pytest.raises(KnowledgeError, match=r"zz_made_up.yaml: "):
        load_knowledge(folder)


def test_a_missing_file_is_named(data):
    folder = data()
    moved = (folder / "modulators.tsv").rename(folder / "modulators.away")
    try:
        with pytest.raises(KnowledgeError, match=r"modulators.tsv: the file is missing"):
            load_knowledge(folder)
    finally:
        moved.rename(folder / "modulators.tsv")


def test_the_hash_follows_the_content_and_nothing_else(data):
    folder = data(TABLE)
    before = content_hash(folder)
    (folder / "guidance" / "zz_made_up.yaml").touch()
    assert content_hash(folder) == before
    assert content_hash(data(TABLE | {"version": "2"})) != before
    assert len(before) == 16
