"""`knowledge compare`: each kind of difference from a CPIC export is found, and only real ones."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from cds_service.errors import KnowledgeError
from cds_service.knowledge.base import Knowledge
from cds_service.knowledge.comparison import Comparison, DifferenceKind, compare
from cds_service.knowledge.schema import Drug, Gene, GeneModel, MarkerUse, Population, Row, Source, Table
from cds_service.model import Action, Advice, DoseChange, DosePhase, Option, Strength, Trust

COLUMNS = (
    "drug", "lookup", "population", "classification", "recommendation_text", "comments", "dosing", "alternative",
    "flags_source",
)  # fmt: skip
POOR = {"CYP9Z9": "0.0"}

STANDARD = Option(Action.STANDARD)
HALF = Option(Action.DOSE, dose=DoseChange(DosePhase.START, factor=(0.5, 0.5)))


def avoid(*alternatives: str) -> Option:
    return Option(Action.AVOID, alternatives=alternatives)


def row(state: str, *options: Option, strength: Strength = Strength.STRONG, differs: str = "") -> Row:
    return Row(f"row_{state}", {"gene:CYP9Z9": (state,)}, Advice(options, strength), differs=differs)


def table(*rows: Row, **changes: object) -> Table:
    made = Table("table", ("testolol",), "cpic_test", Trust.READ, rows, markers={"gene:CYP9Z9": MarkerUse()})
    return replace(made, **changes)  # type: ignore[arg-type]


def knowledge(*tables: Table) -> Knowledge:
    drugs = [
        Drug("testolol", "1"),
        Drug("otherolol", "2", synonyms=("oil of othera",)),
        Drug("thirdolol", "3"),
    ]
    gene = Gene(
        "CYP9Z9", "0", GeneModel.SCORE, "cpic_test",
        states=("0.0", "1.0", "≥3.0"), phenotypes={"Poor Metabolizer": ("0.0",), "Ultrarapid Metabolizer": ("≥3.0",)},
    )  # fmt: skip
    checked = date(2026, 1, 1)
    source = Source("cpic_test", "t", "CPIC", "1", "2020", "2020", "https://example.org", checked, "guideline")
    return Knowledge(
        "1", "0", "us", {d.id: d for d in drugs}, {"CYP9Z9": gene}, {}, {}, {}, {}, {source.id: source},
        {t.id: t for t in tables}, (), (), (), {}, {},
    )  # fmt: skip


def export_row(lookup: dict[str, str] | None = None, **changes: str) -> dict[str, str]:
    cells = ("testolol", "", "general", "Strong", "", "n/a", "False", "True", "lookup")
    asked = json.dumps(POOR if lookup is None else lookup)
    return {**dict(zip(COLUMNS, cells, strict=True)), "lookup": asked, **changes}


def held(tmp_path: Path, ours: Knowledge, *rows: dict[str, str]) -> Comparison:
    path = tmp_path / "export.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    return compare(ours, path)


def kinds(comparison: Comparison) -> list[DifferenceKind]:
    return [d.kind for d in comparison.differences]


@pytest.mark.parametrize(
    ("term", "lookup"),
    [
        ("Poor Metabolizer", "0.0"),
        ("0.0", "0.0"),
        ("Ultrarapid Metabolizer", "≥3.0"),
        ("Indeterminate", "n/a"),
        ("No Result", "No Result"),
    ],
)
def test_equal_rows_show_no_difference(tmp_path: Path, term: str, lookup: str) -> None:
    comparison = held(tmp_path, knowledge(table(row(term, avoid()))), export_row({"CYP9Z9": lookup}))
    assert comparison.differences == ()
    assert comparison.compared == 1


def test_class_of_action_is_dose_and_alternative(tmp_path: Path) -> None:
    comparison = held(tmp_path, knowledge(table(row("0.0", HALF, STANDARD))), export_row(dosing="True"))
    (difference,) = comparison.differences
    assert difference.kind is DifferenceKind.CLASS_OF_ACTION
    assert (difference.ours, difference.export) == ("dose", "dose and alternative")
    assert difference.states == "CYP9Z9 0.0"


@pytest.mark.parametrize("action", [Action.AVOID, Action.ALTERNATIVE, Action.STOP, Action.NOT_INDICATED])
def test_every_way_to_another_drug_counts_as_alternative(tmp_path: Path, action: Action) -> None:
    assert held(tmp_path, knowledge(table(row("0.0", Option(action)))), export_row()).differences == ()


@pytest.mark.parametrize(
    ("classification", "ours", "expected"),
    [
        ("Moderate", Strength.STRONG, [DifferenceKind.STRENGTH]),
        ("No recommendation", Strength.NONE, []),
        ("n/a", Strength.NONE, []),
        ("n/a", Strength.OPTIONAL, [DifferenceKind.STRENGTH]),
    ],
)
def test_strength(tmp_path: Path, classification: str, ours: Strength, expected: list[DifferenceKind]) -> None:
    comparison = held(
        tmp_path, knowledge(table(row("0.0", avoid(), strength=ours))), export_row(classification=classification)
    )
    assert kinds(comparison) == expected


def test_rows_with_derived_flags_are_held_by_strength_alone(tmp_path: Path) -> None:
    ours = knowledge(table(row("0.0", STANDARD)))
    derived = export_row(flags_source="derived", recommendation_text="Use otherolol.")
    assert held(tmp_path, ours, derived).differences == ()
    assert kinds(held(tmp_path, ours, {**derived, "classification": "Optional"})) == [DifferenceKind.STRENGTH]


@pytest.mark.parametrize(
    ("text", "comments", "chosen", "equal"),
    [
        ("Use otherolol.", "n/a", ("otherolol",), True),
        ("Use Oil of Othera.", "n/a", ("otherolol",), True),
        ("Use otherolol.", "n/a", (), False),
        ("Use otherolol.", "n/a", ("otherolol", "thirdolol"), False),
        ("Use otherolol.", "Another is thirdolol.", ("otherolol", "thirdolol"), True),
        ("Use otherolol.", "Another is thirdolol.", ("otherolol",), True),
        ("Avoid testolol.", "Thirdolol is contraindicated.", ("thirdolol",), False),
        ("Use a non-otherolol drug.", "n/a", (), True),
        ("Avoid otherolol. Use thirdolol.", "n/a", ("thirdolol",), True),
        ("If testolol or otherolol is chosen, use thirdolol.", "n/a", ("thirdolol",), True),
        ("Avoid testolol.", "n/a", ("otherolol",), False),
    ],
)
def test_drug_choice(tmp_path: Path, text: str, comments: str, chosen: tuple[str, ...], *, equal: bool) -> None:
    ours = knowledge(table(row("0.0", avoid(*chosen))))
    comparison = held(tmp_path, ours, export_row(recommendation_text=text, comments=comments))
    assert kinds(comparison) == ([] if equal else [DifferenceKind.DRUG_CHOICE])


def test_a_row_without_an_answer_and_a_row_without_a_question(tmp_path: Path) -> None:
    ours = knowledge(table(row("1.0", STANDARD)))
    comparison = held(tmp_path, ours, export_row())
    assert kinds(comparison) == [DifferenceKind.NO_ANSWER, DifferenceKind.NOT_IN_EXPORT]
    assert comparison.differences[1].row == "table/row_1.0"


def test_populations_are_held_apart(tmp_path: Path) -> None:
    adults = table(row("0.0", avoid()), id="a", population=Population("adults"))
    children = table(row("0.0", STANDARD), id="c", population=Population("under 18"), compares_as="pediatrics")
    rows = [export_row(population="adults"), export_row(population="pediatrics", alternative="False")]
    assert held(tmp_path, knowledge(adults, children), *rows).differences == ()


def test_a_superseded_row_gives_no_answer(tmp_path: Path) -> None:
    general = Row("general", {}, Advice((STANDARD,), Strength.STRONG))
    special = replace(row("0.0", avoid()), supersedes=("general",))
    rows = [export_row(), export_row({"CYP9Z9": "1.0"}, alternative="False")]
    assert held(tmp_path, knowledge(table(general, special)), *rows).differences == ()


@pytest.mark.parametrize("state", ["*01:01 positive", "No Result"])
def test_hla_states_find_the_marker_of_their_locus(tmp_path: Path, state: str) -> None:
    answered = {"hla:B*01:01": ("positive", "No Result")}
    ours = table(Row("r", answered, Advice((avoid(),), Strength.STRONG)), markers={"hla:B*01:01": MarkerUse()})
    assert held(tmp_path, knowledge(ours), export_row({"HLA-B": state})).differences == ()


def test_a_gene_that_a_table_does_not_use_is_not_answered_by_it(tmp_path: Path) -> None:
    ours = knowledge(table(row("0.0", avoid())))
    comparison = held(tmp_path, ours, export_row({**POOR, "CYP8Y8": "0.0"}))
    assert DifferenceKind.NO_ANSWER in kinds(comparison)


def test_an_explained_row_is_counted_apart_and_shows_its_reason(tmp_path: Path) -> None:
    comparison = held(tmp_path, knowledge(table(row("0.0", STANDARD, differs="on purpose"))), export_row())
    assert comparison.unexplained == ()
    assert len(comparison.explained) == 1
    *lines, first, second = comparison.lines()
    assert len(lines) == 1
    assert "on purpose" in lines[0]
    assert "unexplained differences: 0 (none)" in first
    assert second == "explained differences: 1"


def test_tables_of_other_sources_and_drugs_not_exported_are_not_held(tmp_path: Path) -> None:
    foreign = table(row("0.0", STANDARD), id="foreign", source="unknown")
    unheld = table(row("0.0", STANDARD), id="unheld", drugs=("otherolol",))
    comparison = held(tmp_path, knowledge(table(row("0.0", avoid())), foreign, unheld), export_row())
    assert comparison.differences == ()
    assert comparison.unheld_drugs == ("otherolol",)


@pytest.mark.parametrize("drug", [{"drug": {"name": "Testolol"}}, {"drugname": "testolol"}, {"drugid": "RxNorm:1"}])
def test_json_of_the_public_api(tmp_path: Path, drug: dict[str, object]) -> None:
    entry = {
        **drug, "lookupkey": POOR, "population": "General", "classification": "Moderate", "comments": None,
        "drugrecommendation": "Use otherolol.", "dosinginformation": False, "alternatedrugavailable": True,
    }  # fmt: skip
    path = tmp_path / "export.json"
    path.write_text(json.dumps([entry]), encoding="utf-8")
    ours = knowledge(table(row("0.0", avoid("otherolol"), strength=Strength.STRONG)))
    assert kinds(compare(ours, path)) == [DifferenceKind.STRENGTH]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "missing columns"),
        ("drug,lookup\n", "missing columns: alternative"),
        (",".join(COLUMNS) + "\n", "no recommendation found"),
        ("[]", "no recommendation found"),
        ('{"drug": 1}', "expected a JSON list"),
        ("[1]", r"\[0\]: expected a recommendation object"),
        ("[", "not valid JSON"),
        ('[{"drugid": "RxNorm:77"}]', "'RxNorm:77'|'77'"),
        ('[{"drugname": "testolol", "lookupkey": []}]', "lookup"),
        ('[{"drugname": "testolol", "lookupkey": {"A": "b"}, "classification": "Sure"}]', "'Sure'"),
        (
            '[{"drugname": "testolol", "lookupkey": {"A": "b"}, "dosinginformation": "maybe"}]',
            "'maybe'; expected true or false",
        ),
    ],
)
def test_what_is_no_export_is_refused(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "export"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(KnowledgeError, match=message):
        compare(knowledge(), path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match="cannot be read"):
        compare(knowledge(), tmp_path / "absent.csv")
