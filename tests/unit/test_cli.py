"""The command line: what goes to standard output, and the exit code."""

from __future__ import annotations

import io
import json
import os
import re
import sys
from types import SimpleNamespace

import pytest
import yaml

from cds_service import cli
from cds_service.commands import knowledge as knowledge_commands
from cds_service.commands.pretty import answer_lines, without_markdown
from cds_service.errors import KnowledgeError
from tests.support.bundles import bundle
from tests.support.world import knowledge, loaded

PATIENT = {"resourceType": "Patient", "id": "p1", "birthDate": "1970-05-01"}
GENOTYPE = {
    "resourceType": "Observation",
    "id": "o1",
    "status": "final",
    "subject": {"reference": "Patient/p1"},
    "code": {"coding": [{"system": "http://loinc.org", "code": "84413-4"}]},
    "component": [
        {
            "code": {"coding": [{"system": "http://loinc.org", "code": "48018-6"}]},
            "valueCodeableConcept": {"text": "CYP2C19"},
        }
    ],
    "valueCodeableConcept": {"text": "*2/*2"},
}
DRAFT = {
    "resourceType": "MedicationRequest",
    "id": "rx-1",
    "status": "draft",
    "intent": "order",
    "subject": {"reference": "Patient/p1"},
    "medicationCodeableConcept": {"text": "clopidogrel 75 mg tablet"},
}


def hook_request(**fields):
    return {
        "hook": "order-sign",
        "hookInstance": "i",
        "context": {"patientId": "p1", "draftOrders": bundle(DRAFT)},
        "prefetch": {"patient": PATIENT, "results": bundle(GENOTYPE)},
    } | fields


@pytest.fixture(autouse=True)
def no_settings(monkeypatch):
    for name in [name for name in os.environ if name.startswith("CDS_")]:
        monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def loaded_once(monkeypatch):
    monkeypatch.setattr(cli, "load_service", loaded)
    for command in (cli, knowledge_commands):
        monkeypatch.setattr(command, "load_knowledge", knowledge)


@pytest.fixture
def run(capsys):
    """Runs the command; gives exit code, lines on standard output, text on standard error."""

    def call(*arguments):
        code = cli.main([str(argument) for argument in arguments])
        told = capsys.readouterr()
        return code, told.out.splitlines(), told.err

    return call


@pytest.fixture
def file_of(tmp_path):
    def write(content, name="input.json"):
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return path

    return write


def test_a_request_gives_one_response_on_one_line(run, file_of):
    code, lines, _ = run("answer", file_of(hook_request()))
    (body,) = map(json.loads, lines)
    assert code == 0
    assert "cards" in body


def test_ndjson_and_lists_give_one_response_each(run, file_of):
    line = json.dumps(hook_request())
    ndjson, listed = file_of(f"{line}\n\n{line}\n", "a.ndjson"), file_of([hook_request()] * 2, "b.json")
    code, lines, _ = run("answer", ndjson, listed)
    assert (code, len(lines)) == (0, 4)


def test_standard_input_is_read(run, monkeypatch):
    stdin = SimpleNamespace(buffer=io.BytesIO(json.dumps(hook_request()).encode()))
    monkeypatch.setattr(sys, "stdin", stdin)
    code, lines, _ = run("answer", "-")
    assert (code, len(lines)) == (0, 1)


def test_a_bad_request_keeps_its_line_and_the_others_their_answers(run, file_of):
    requests = [hook_request(), hook_request(hook="encounter-start"), hook_request(context=None)]
    code, lines, told = run("answer", file_of("\n".join(map(json.dumps, requests))))
    bodies = [json.loads(line) for line in lines]
    assert code == 2
    assert "cards" in bodies[0]
    assert [body["resourceType"] for body in bodies[1:]] == ["OperationOutcome"] * 2
    assert "input.json:2" in told
    assert "input.json:3" in told


@pytest.mark.parametrize("content", ["{bad", "{}\n{bad"])
def test_what_is_no_json_is_a_usage_fault(run, file_of, content):
    code, _, _told = run("answer", file_of(content))
    assert code == 2


@pytest.mark.parametrize("command", ["answer", "inspect"])
@pytest.mark.parametrize("content", ["", "\n", "[]\n"])
def test_an_empty_file_is_a_usage_fault_and_no_empty_answer(run, file_of, command, content):
    code, out, err = run(command, file_of(content))
    assert (code, out) == (2, [])
    assert "is empty" in err


def test_a_missing_file_is_a_usage_fault(run):
    code, lines, told = run("answer", "no-such-file.json")
    assert (code, lines) == (2, [])
    assert "no-such-file.json" in told


def test_packaged_fixtures_are_found_from_any_directory(run, tmp_path, monkeypatch):
    folder = tmp_path / "_packaged" / "fixtures" / "requests"
    folder.mkdir(parents=True)
    for name in ("b.json", "a.json"):
        (folder / name).write_text(json.dumps(hook_request()))
    monkeypatch.setattr(cli, "_PACKAGED", tmp_path / "_packaged")
    monkeypatch.chdir(folder)
    assert len(run("answer", "fixtures/requests/*.json")[1]) == 2
    assert len(run("answer", "fixtures/requests/a.json")[1]) == 1
    assert run("answer", "fixtures/requests/c.json")[0] == 2


def test_wrong_settings_are_a_usage_fault(run, file_of, monkeypatch):
    monkeypatch.setenv("CDS_NO_SUCH", "1")
    code, _, told = run("answer", file_of(hook_request()))
    assert code == 2
    assert "CDS_NO_SUCH" in told


@pytest.mark.parametrize("arguments", [[], ["answer"], ["knowledge"], ["serve", "--port", "many"], ["serve", "-x"]])
def test_wrong_usage_is_told(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert caught.value.code == 2
    assert "usage" in capsys.readouterr().err


def kinds(lines):
    return [next(iter(json.loads(line))) for line in lines]


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (hook_request(), {"availability", "order", "reading", "gap"}),
        (bundle(PATIENT, DRAFT, GENOTYPE), {"availability", "order", "reading"}),
        (GENOTYPE, {"availability", "reading"}),
    ],
)
def test_inspect_takes_a_request_a_bundle_or_a_resource(run, file_of, document, expected):
    code, lines, _ = run("inspect", file_of(document))
    assert code == 0
    assert expected <= set(kinds(lines))


def test_inspect_shows_what_a_reading_says_and_by_which_type(run, file_of):
    _, lines, _ = run("inspect", file_of(bundle(PATIENT, GENOTYPE)))
    (reading,) = [json.loads(line)["reading"] for line in lines if "reading" in json.loads(line)]
    assert reading["observable"] == "gene:CYP2C19"
    assert reading["says"] == {"is": "Diplotype", "text": "*2/*2"}


def test_inspect_names_a_bad_entry_as_a_gap(run, file_of):
    code, lines, _ = run("inspect", file_of({"resourceType": "Bundle", "entry": [{"resource": PATIENT}, 7]}))
    assert code == 0
    assert "gap" in kinds(lines)


@pytest.mark.parametrize("document", [[], 7, {"a": 1}, {"resourceType": "Bundle", "entry": 7}, {"hook": "x"}])
def test_inspect_refuses_anything_else(run, file_of, document):
    code, lines, _ = run("inspect", file_of([document]))
    assert (code, lines) == (2, [])


@pytest.mark.parametrize("lines", [1, 2])
def test_inspect_refuses_what_is_nested_too_deeply(run, tmp_path, lines):
    deep = tmp_path / "deep.json"
    deep.write_text("\n".join([f'{{"resourceType": "Patient", "x": {"[" * 100}{"]" * 100}}}'] * lines))
    code, out, err = run("inspect", str(deep))
    assert (code, out) == (2, [])
    assert "nested deeper than 100" in str(err)


def test_pretty_inspection_is_for_people(run, file_of):
    code, lines, _ = run("inspect", file_of(hook_request()), "--pretty")
    assert code == 0
    assert any(line.startswith("reading") and "gene:CYP2C19  Diplotype *2/*2" in line for line in lines)
    assert any(line.startswith("gap") and "family not_available" in line for line in lines)


def test_phenotype_gives_a_line_for_each_line(run, file_of):
    code, lines, _ = run("phenotype", file_of("CYP2C19\t*2/*2\nCYP2C19\t*999/*1\nnonsense\n", "d.tsv"))
    assert code == 0
    assert lines[0].split("\t")[:3] == ["CYP2C19", "*2/*2", "Poor Metabolizer"]
    assert "*999" in lines[1].split("\t")[2]
    assert len(lines) == 3


def test_show_of_an_unknown_drug_is_a_usage_fault(run):
    code, lines, told = run("knowledge", "show", "placebo")
    assert (code, lines) == (2, [])
    assert "placebo" in told


def test_list_counts_by_trust_and_review(run):
    """The counts are those of the tables: each is in one trust and in one review state."""
    code, lines, told = run("knowledge", "list")
    assert code == 0
    head, trusts, reviews = told.strip().splitlines()
    total = int(re.search(r"(\d+) tables", head).group(1))
    assert sum(map(int, re.findall(r"\d+", trusts))) == total
    assert sum(map(int, re.findall(r"\d+", reviews))) == total
    assert f"{len(lines)} drugs" in head
    assert "read" in trusts
    assert "unreviewed" in reviews


@pytest.mark.parametrize(("problems", "code"), [([], 0), (["table x: row y is never reached"], 1)])
def test_check_prints_each_problem(run, monkeypatch, problems, code):
    monkeypatch.setattr(knowledge_commands, "check", lambda *_arguments: problems)
    assert run("knowledge", "check")[:2] == (code, problems)


def test_the_codes_under_which_results_are_read_are_listed_with_what_they_tell(run):
    code, lines = run("knowledge", "codes")[:2]
    assert code == 0
    assert [line for line in lines if line.startswith("2823-3\t")] == [
        "2823-3\tlab:potassium\tPotassium [Moles/volume] in Serum or Plasma"
    ]


def test_knowledge_that_cannot_be_loaded_is_a_problem_found(run, monkeypatch):
    def broken():
        raise KnowledgeError("drugs.tsv:7: rxcui: missing")

    monkeypatch.setattr(knowledge_commands, "load_knowledge", broken)
    assert run("knowledge", "check")[:2] == (1, ["drugs.tsv:7: rxcui: missing"])
    assert run("knowledge", "list")[0] == 2


@pytest.mark.parametrize(("unexplained", "code"), [((), 0), (("a difference",), 1)])
def test_compare_fails_on_what_is_not_explained(run, monkeypatch, unexplained, code):
    comparison = SimpleNamespace(lines=lambda: iter(["a line"]), unexplained=unexplained)
    monkeypatch.setattr(knowledge_commands, "compare", lambda *_arguments: comparison)
    assert run("knowledge", "compare", "export.csv")[:2] == (code, ["a line"])


def test_show_prints_tables_and_their_sources(run):
    code, lines, _ = run("knowledge", "show", "Clopidogrel")
    assert code == 0
    shown = yaml.safe_load("\n".join(lines))
    assert {table["source"] for table in shown["tables"]} == {source["id"] for source in shown["sources"]}
    assert all(table["rows"] for table in shown["tables"])


def test_cards_read_as_text():
    card = {
        "indicator": "warning",
        "summary": "Summary.",
        "detail": "**Why**: [label](https://example.org)\n\n| a | b |\n|---|---|\n| 1 | 2 |",
        "suggestions": [
            {"label": "Order it", "isRecommended": True, "actions": [{"type": "create", "description": "an order"}]}
        ],
        "source": {"label": "CPIC", "url": "https://example.org/s"},
    }
    text = "\n".join(answer_lines({"cards": [card]}, "a.json"))
    assert "[WARNING] Summary." in text
    assert "Why: label (https://example.org)" in text
    assert "|---|" not in text
    assert "-> Order it (recommended)" in text
    assert "create: an order" in text
    assert "source: CPIC https://example.org/s" in text


def test_no_cards_and_refusals_are_said():
    assert "   no cards" in list(answer_lines({"cards": []}, "t"))
    refused = {"resourceType": "OperationOutcome", "issue": [{"diagnostics": "why"}]}
    assert list(answer_lines(refused, "t")) == ["== t", "   not answered: why"]


def test_marks_are_taken_away_and_words_are_not():
    assert without_markdown("### A `b` **c** *2/*17, \\*1") == "A b c *2/*17, *1"
