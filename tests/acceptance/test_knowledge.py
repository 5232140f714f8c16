"""The packaged knowledge as a whole: nothing is missing, it agrees with CPIC's export, and its words are its own."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import yaml

from cds_service.knowledge.checks import check
from cds_service.knowledge.comparison import compare
from cds_service.knowledge.load import DATA
from cds_service.model import (
    Action,
    ActivityScore,
    Advice,
    Diplotype,
    Gravity,
    Harm,
    HlaType,
    NotReadable,
    Patient,
    Phenotype,
    Presence,
    Quantity,
    Query,
    Reading,
    SelfContradiction,
    Undetermined,
    Unreadable,
)
from cds_service.offered import result_codes
from cds_service.policy import Policy, Switch
from cds_service.reasoning.states import knowledge_of, possible
from cds_service.writing import load_wording
from tests.support.world import TODAY, definition, knowledge, service

ROOT = Path(__file__).parents[2]
FACTS = ROOT.parent / "shared" / "facts"
needs_facts = pytest.mark.skipif(not FACTS.is_dir(), reason="the facts tables are not part of the project")

RUN = 9
LONGEST_REQUEST_LINE = 8192
"""Words in a row that would make a sentence a copy."""
TEXTS = {
    "cpic_recs.csv": ("recommendation_text", "implications", "comments"),
    "dpwg_recs.csv": ("text", "implications"),
    "fda_pgx.csv": ("description",),
    "lab_biomarker.csv": (
        "required_state_or_threshold", "population", "consequence", "action", "note", "correction", "checked_note",
    ),
    "test_dependent_facts.csv": ("decision_thresholds", "effect_on_card", "correction", "checked_note"),
}  # fmt: skip
"""Columns of guideline text; names of codes and titles of sources are not sentences."""


def test_the_packaged_knowledge_has_no_problems() -> None:
    assert check(knowledge(), load_wording().phrases, datetime.now(UTC).date()) == []


def test_every_phenotype_of_the_knowledge_has_words() -> None:
    """A genotype is its own word. That phrases have their texts is proved by `knowledge check`."""
    terms = {term for gene in knowledge().genes.values() for term in gene.phenotypes if term[0].isalpha()}
    assert terms
    assert terms - load_wording().catalogue["states"].keys() == set()


def test_a_watch_for_serious_harm_is_not_hidden_behind_the_standard() -> None:
    """Behind `standard` without a note nothing is told (`findings._is_done_beside`); a recheck is told by itself."""
    hidden = [
        f"{table.id}/{row.id}"
        for table in knowledge().tables.values()
        for row in table.rows
        if _hides_a_watch(row.advice)
    ]
    assert hidden == []


def _hides_a_watch(advice: Advice) -> bool:
    first, *others = advice.options
    is_grave = advice.gravity in (Gravity.SERIOUS, Gravity.FATAL_OR_IRREVERSIBLE) and advice.harm is not Harm.NONE
    is_hidden = first.action is Action.STANDARD and not first.note
    return is_grave and is_hidden and any(o.action is Action.MONITOR and not o.recheck for o in others)


@needs_facts
def test_the_knowledge_differs_from_the_export_only_where_it_says_why() -> None:
    comparison = compare(knowledge(), FACTS / "cpic_recs.csv")
    assert comparison.compared > 2000
    assert list(comparison.unexplained) == []
    assert len(comparison.explained) <= 40


def runs(text: str) -> Iterator[tuple[str, ...]]:
    """Every run of nine words."""
    words = re.findall(r"[a-z0-9]+", text.lower())
    yield from (tuple(words[n : n + RUN]) for n in range(len(words) - RUN + 1))


def facts_texts() -> Iterator[str]:
    for name, columns in TEXTS.items():
        with (FACTS / name).open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines):
                yield from (row[column] for column in columns)


def own_texts() -> Iterator[tuple[str, str]]:
    """File and text of every scalar of the knowledge, and of every paragraph of the templates."""
    for path in sorted([*DATA.rglob("*.yaml"), *(ROOT / "cards").rglob("*.yaml")]):
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        yield from ((path.name, text) for text in scalars(content))
    for path in sorted((ROOT / "cards").glob("*.j2")):
        yield from ((path.name, text) for text in path.read_text(encoding="utf-8").split("\n\n"))


def scalars(content: Any) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    elif isinstance(content, dict | list):
        for part in content.values() if isinstance(content, dict) else content:
            yield from scalars(part)


def copied(ours: Iterable[tuple[str, str]], theirs: frozenset[tuple[str, ...]]) -> list[str]:
    return [f"{name}: {' '.join(run)}" for name, text in ours for run in runs(text) if run in theirs]


@needs_facts
def test_no_sentence_of_the_facts_stands_in_the_knowledge_or_on_a_card() -> None:
    theirs = frozenset(run for text in facts_texts() for run in runs(text))
    assert len(theirs) > 10_000
    assert copied(own_texts(), theirs) == []


def test_a_copied_sentence_would_be_found() -> None:
    theirs = frozenset(runs("In made-up patients testolol is given at half of the usual starting dose"))
    assert copied([("x.yaml", "Testolol is given at HALF of the usual starting dose.")], theirs)
    assert not copied([("x.yaml", "Give half of the usual starting dose of testolol")], theirs)


STATEMENTS = (
    Diplotype("*1/*2"),
    Diplotype("*1/?"),
    Diplotype(""),
    Phenotype("Poor Metabolizer"),
    Phenotype("Indeterminate"),
    Phenotype("x"),
    ActivityScore(1.0),
    ActivityScore(-1.0),
    ActivityScore(1e300, at_least=True),
    Presence("*2", True),
    Presence("", False),
    HlaType(("*57:01",), complete=True),
    Quantity(1.0, "mg"),
    Undetermined(),
    NotReadable("unreadable"),
    SelfContradiction(("a", "b")),
)
"""Whatever a laboratory, or somebody who means to harm, may say of any marker."""


def test_no_statement_of_any_marker_stops_an_answer() -> None:
    asked = {(m, frozenset(rows.states[m])) for rows in knowledge().rows_by_table.values() for m in rows.markers}
    for marker, states in asked:
        kind, _, name = marker.partition(":")
        observable = f"gene:{name}" if kind == "genotype" else marker.partition("*")[0]
        for says in STATEMENTS:
            patient = Patient(id="p", readings=(Reading(observable, says, "Observation/1"),))
            found = knowledge_of(marker, tuple(states), patient, knowledge(), TODAY)
            assert possible(found, states) <= states, (marker, says)


def test_a_score_of_a_gene_without_scores_is_told_as_unreadable() -> None:
    patient = Patient(id="p", readings=(Reading("gene:CYP2C19", ActivityScore(1.0), "Observation/1"),))
    found = knowledge_of("gene:CYP2C19", knowledge().genes["CYP2C19"].states, patient, knowledge(), TODAY)
    assert found == Unreadable("no_scores", patient.readings)


@pytest.mark.parametrize("query", [Query.RESULTS, Query.TUMOUR_RESULTS])
def test_each_search_for_results_is_one_that_servers_take(query: Query) -> None:
    """Sent by an EHR that fills the prefetch, with room for the base URL and the token."""
    path = definition("order-sign").prefetch[query]
    assert len(quote(path, safe="/:?&=,")) < LONGEST_REQUEST_LINE - 1000


def test_tablets_are_halved_capsules_are_not_and_liquids_are_measured() -> None:
    parts = knowledge().parts_mg
    assert parts["hydroxychloroquine"] == (100.0,)
    assert parts["clomipramine"] == (25.0, 50.0, 75.0)
    assert parts.keys().isdisjoint({"citalopram", "mercaptopurine"})


def test_no_code_is_asked_for_twice() -> None:
    codes = [coding.code for found in result_codes(service()).values() for coding in found]
    assert sorted(set(codes)) == sorted(codes)


def test_results_of_what_the_site_switched_off_are_not_asked_for() -> None:
    """Silent guidance is evaluated all the same, and so is what one line switches on again."""

    def asked(**guidance: Switch) -> set[Query]:
        site = replace(service(), policy=Policy(guidance=guidance))
        return {query for query, codes in result_codes(site).items() if codes}

    both, off = {Query.RESULTS, Query.TUMOUR_RESULTS}, dict.fromkeys(("tumour", "somatic", "germline"), Switch.OFF)
    assert asked(**off) == {Query.RESULTS}
    assert asked(**off | {"trastuzumab": Switch.ON}) == both
    assert asked(tumour=Switch.OFF) == both
    assert asked(**dict.fromkeys(("tumour", "somatic", "germline"), Switch.SILENT)) == both


def test_what_is_not_inherited_leads_to_no_geneticist() -> None:
    """Neither a virus nor a count, nor an inherited variant that matters to a tumour's treatment alone."""
    rules, found = knowledge().no_match, knowledge().tests_by_marker
    assert {"gene", "genotype"} == set(rules.inherited)
    by_method = {m for m, tests in found.items() if any(t.method in rules.inherited_by_method for t in tests)}
    assert {"lab:agxt_variants", "lab:gla_amenable", "lab:tpp1_deficiency"} <= by_method
    assert by_method.isdisjoint({"lab:hiv_tropism", "lab:haemoglobin", "lab:ige", "lab:eosinophils"})
