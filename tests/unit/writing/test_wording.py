"""Catalogue, phrases and templates: complete at start, or refused with the place."""

from __future__ import annotations

import shutil

import pytest
from writing_samples import ROOT

from cds_service.errors import KnowledgeError
from cds_service.model import GapReason, Narrowing, Refusal, Silence, Unconfirmed
from cds_service.writing import load_wording, wording
from tests.support.world import knowledge


@pytest.fixture
def cards(tmp_path):
    return shutil.copytree(ROOT / "cards", tmp_path / "cards", ignore=shutil.ignore_patterns("phrases"))


def _phrases(cards, **files):
    (cards / "phrases").mkdir(exist_ok=True)
    for name, text in files.items():
        (cards / "phrases" / f"{name}.yaml").write_text(text, encoding="utf-8")


def test_phrases_of_all_files_are_merged(cards):
    _phrases(cards, a="one: First\n", b="two: Second about {drug} and {gene}\n")
    loaded = load_wording(cards)
    assert loaded.phrase("one") == "First"
    assert loaded.phrase("two", drug="primol", gene="GENA") == "Second about primol and GENA"


def test_a_phrase_without_a_text_falls_back_to_its_key(cards):
    assert load_wording(cards).phrase("not_written_yet") == "not written yet"


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"a": "one: First\n", "b": "one: Again\n"}, r"b\.yaml: phrase 'one' stands in another file too"),
        ({"a": "one: First\none: Again\n"}, r"a\.yaml: line 1: one stands twice"),
        ({"a": "one: 1\n"}, r"a\.yaml: phrase 'one': expected a text, found 1"),
        ({"a": "one: ' '\n"}, r"a\.yaml: phrase 'one': expected a text"),
        ({"a": "- one\n"}, r"a\.yaml: expected a mapping, found list"),
        ({"a": "one: [\n"}, r"a\.yaml: while parsing"),
    ],
)
def test_a_fault_in_the_phrases_is_named(cards, files, message):
    _phrases(cards, **files)
    with pytest.raises(KnowledgeError, match=message):
        load_wording(cards)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(KnowledgeError, match=r"catalogue\.yaml"):
        load_wording(tmp_path)


def test_a_catalogue_without_words_for_an_action_is_refused(cards):
    catalogue = cards / "catalogue.yaml"
    catalogue.write_text(catalogue.read_text(encoding="utf-8").replace("  avoid: avoid\n", ""), encoding="utf-8")
    with pytest.raises(KnowledgeError, match="actions: no words for avoid"):
        load_wording(cards)


@pytest.mark.parametrize(
    ("group", "reasons"),
    [
        ("gap_reasons", GapReason),
        ("narrowed_reasons", Narrowing),
        ("unverified_reasons", Unconfirmed),
        ("silence", Silence),
        ("refusals", Refusal),
    ],
)
def test_each_reason_has_its_words_and_no_words_are_of_none(group, reasons):
    assert {reason.value for reason in reasons} - {""} == load_wording().catalogue[group].keys()


@pytest.mark.parametrize(
    ("group", "line", "reason"),
    [
        ("gap_reasons", "  unreadable: could not be read\n", "unreadable"),
        ("silence", "  no_test: no test is known that would tell\n", "no_test"),
    ],
)
def test_a_catalogue_without_words_for_a_reason_is_refused(cards, group, line, reason):
    catalogue = cards / "catalogue.yaml"
    catalogue.write_text(catalogue.read_text(encoding="utf-8").replace(line, ""), encoding="utf-8")
    with pytest.raises(KnowledgeError, match=f"{group}: no words for {reason}"):
        load_wording(cards)


def test_a_template_that_does_not_compile_is_refused(cards):
    (cards / "change_now.md.j2").write_text("{% if %}", encoding="utf-8")
    with pytest.raises(KnowledgeError, match="template"):
        load_wording(cards)


def test_a_template_that_includes_what_is_not_there_is_refused(cards):
    (cards / "_advice.md.j2").unlink()
    with pytest.raises(KnowledgeError, match="_advice"):
        load_wording(cards)


def test_what_a_template_includes_stands_in_its_place(cards):
    (cards / "no_change.md.j2").write_text(
        '{% set who = "X" %}\nBefore\n{% include "_a.j2" %}\nAfter', encoding="utf-8"
    )
    (cards / "_a.j2").write_text('{{ who }}\n{% include "_b.j2" %}\n', encoding="utf-8")
    (cards / "_b.j2").write_text("{{ said }}\n", encoding="utf-8")
    assert load_wording(cards).rendered("no_change.md.j2", {"said": "a_b"}) == "Before\nX\na\\_b\nAfter"


def test_the_packaged_folder_comes_first_and_none_is_a_fault(cards, monkeypatch, tmp_path):
    monkeypatch.setattr(wording, "_PLACES", (tmp_path / "absent", cards))
    _phrases(cards, a="only_here: Here\n")
    assert load_wording().phrase("only_here") == "Here"
    monkeypatch.setattr(wording, "_PLACES", (tmp_path / "absent",))
    with pytest.raises(KnowledgeError, match="neither packaged nor beside"):
        load_wording()


def test_every_override_reason_of_a_kind_has_words():
    catalogue = load_wording().catalogue
    used = {code for kind in catalogue["kinds"].values() for code in kind["override_reasons"]}
    assert used <= set(catalogue["override_reasons"])


def test_every_kind_of_marker_has_words():
    kinds = {marker.partition(":")[0] for table in knowledge().tables.values() for marker in table.markers}
    assert kinds <= load_wording().catalogue["markers"].keys()
