"""The context data around the germline tables (shares, tests, conditions, groups, modulators) hold together."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest

import cds_service
from cds_service import unique_yaml
from cds_service.codes import ICD10, ICD10CM, LOINC, SNOMED, Coding
from cds_service.knowledge import schema
from cds_service.knowledge.load import DATA, _by_id, _file, _rows, load_genes
from cds_service.model import Trust
from cds_service.reading.lexicon import Lexicon, lexicon_of
from tests.support.world import knowledge

PHRASES = Path(cds_service.__file__).parent.parent / "cards" / "phrases"

FREQUENCIES = tuple(_rows(sorted((DATA / "frequencies").glob("*.tsv")), schema.Frequency))
TESTS = tuple(_file(DATA / "tests" / "germline.yaml", schema.Test))
ALL_TESTS = tuple(knowledge().tests.values())
CONDITIONS = tuple(_file(DATA / "conditions" / "germline.yaml", schema.ConditionKey))
GROUPS = tuple(_file(DATA / "groups" / "germline.yaml", schema.DrugGroup))
MODULATORS = tuple(_rows([DATA / "modulators.tsv"], schema.Modulator))
MODIFIERS = tuple(_file(DATA / "modifiers.yaml", schema.Modifier))
SOURCES = _by_id(
    (
        source
        for topic in ("frequencies", "tests", "conditions", "modulators", "groups")
        for source in _file(DATA / "sources" / f"{topic}.yaml", schema.Source)
    ),
    "source",
)
GENES = load_genes(DATA / "genes")
DRUGS = {drug.id for drug in _rows([DATA / "drugs.tsv"], schema.Drug)}

# A share that a source rounds may push a distribution a little above one.
ROUNDING = 0.02
# Shares of people whose diplotype has no known function are left out.
UNKNOWN_FUNCTION = 0.30


def _distributions() -> dict[tuple[str, str], list[schema.Frequency]]:
    found = defaultdict(list)
    for frequency in FREQUENCIES:
        found[frequency.marker, frequency.population].append(frequency)
    return found


def _repeated(values: Iterable[object]) -> list[object]:
    return [value for value, count in Counter(values).items() if count > 1]


@pytest.mark.parametrize(
    "entries", [FREQUENCIES, TESTS, CONDITIONS, GROUPS, MODULATORS, MODIFIERS], ids=lambda e: type(e[0]).__name__
)
def test_every_source_exists(entries: tuple[schema.Test, ...]) -> None:
    assert [entry.source for entry in entries if entry.source not in SOURCES] == []


@pytest.mark.parametrize("entries", [TESTS, CONDITIONS, GROUPS, MODIFIERS], ids=lambda e: type(e[0]).__name__)
def test_ids_stand_once(entries: tuple[schema.Test, ...]) -> None:
    assert _repeated(entry.id for entry in entries) == []


def test_shares_lie_between_zero_and_one_and_low_is_not_above_high() -> None:
    wrong = [f for f in FREQUENCIES if not 0 <= f.low <= f.high <= 1]

    assert wrong == []


def test_a_state_stands_once_in_a_population() -> None:
    assert _repeated((f.marker, f.population, f.state) for f in FREQUENCIES) == []


def test_the_states_of_a_population_form_one_distribution() -> None:
    middles = {key: sum((f.low + f.high) / 2 for f in states) for key, states in _distributions().items()}

    assert {key: m for key, m in middles.items() if not 1 - UNKNOWN_FUNCTION <= m <= 1 + ROUNDING} == {}


def test_a_population_has_one_source_and_two_states_at_least() -> None:
    odd = [key for key, states in _distributions().items() if len({f.source for f in states}) != 1 or len(states) < 2]

    assert odd == []


def test_gene_shares_and_splits_name_states_that_the_gene_has() -> None:
    known = {gene.marker: {*gene.states, *gene.phenotypes} for gene in GENES.values()}
    named = [(f.marker, f.state) for f in FREQUENCIES if f.marker in known]
    named += [(m, s) for t in TESTS for m, parts in t.splits.items() for part in parts for s in part]

    assert {(marker, state) for marker, state in named if state not in known[marker]} == set()


def test_hla_markers_have_both_states() -> None:
    states = {k: {f.state for f in v} for k, v in _distributions().items() if k[0].startswith("hla:")}

    assert states
    assert all(found == {"positive", "negative"} for found in states.values())


def test_ultrarapid_codeine_metabolisers_are_counted_from_copy_numbers() -> None:
    """Without copy numbers nobody would be ultrarapid; at least one supported European figure passes 1 %."""
    above_normal = sum(
        f.low
        for f in FREQUENCIES
        if f.marker == "gene:CYP2D6"
        and f.population == "European"
        and f.trust is not Trust.RECALLED
        and f.state[:1].isdigit()
        and float(f.state) > 2.25
    )

    assert 0.02 <= above_normal <= 0.035


def test_germline_tests_use_loinc_and_name_markers_and_labels() -> None:
    assert {coding.system for test in TESTS for coding in test.codes} == {LOINC}
    assert [test.id for test in TESTS if not test.markers or not test.label] == []


def test_every_marker_with_shares_can_be_tested() -> None:
    testable = {marker for test in ALL_TESTS for marker in test.markers}

    assert {f.marker for f in FREQUENCIES} - testable == set()


def test_turnarounds_run_from_low_to_high() -> None:
    assert [t.id for t in TESTS if t.turnaround_days and not 0 < t.turnaround_days[0] <= t.turnaround_days[1]] == []


def test_a_split_names_a_marker_of_its_test_and_each_state_once() -> None:
    for test in TESTS:
        for marker, parts in test.splits.items():
            assert marker in test.markers
            assert _repeated(state for part in parts for state in part) == []


def test_enzyme_activity_is_preferred_for_g6pd_and_not_for_tpmt() -> None:
    def first(marker: str) -> str:
        return min((t for t in TESTS if marker in t.markers), key=lambda t: t.preference).method

    assert first("gene:G6PD") == "enzyme_activity"
    assert first("gene:TPMT") == "genotype"


def test_conditions_use_known_systems_and_can_be_recognised() -> None:
    assert {c.system for key in CONDITIONS for c in key.codes} == {ICD10CM, ICD10, SNOMED}
    assert [key.id for key in CONDITIONS if not (key.codes or key.texts or key.includes)] == []
    assert [c.code for key in CONDITIONS for c in key.codes if c.system == SNOMED and not c.code.isdigit()] == []


def test_conditions_include_conditions_that_exist() -> None:
    ids = {key.id for key in CONDITIONS}

    assert {other for key in CONDITIONS for other in key.includes} - ids == set()


def test_condition_texts_are_folded() -> None:
    texts = [text for key in CONDITIONS for text in key.texts]

    assert [text for text in texts if text != " ".join(text.casefold().split())] == []


def test_a_condition_code_stands_once_in_its_key() -> None:
    assert {key.id: _repeated(key.codes) for key in CONDITIONS if _repeated(key.codes)} == {}


def test_every_phrase_is_named_by_the_knowledge() -> None:
    """Those of markers, whose keys are made of their names, by the marker itself."""
    files = (path for path in DATA.rglob("*") if path.suffix in (".yaml", ".tsv"))
    named = {word for path in files for word in re.findall(r"\w+", path.read_text(encoding="utf-8"))}
    phrases = [key for path in PHRASES.glob("*.yaml") for key in unique_yaml.load(path.read_bytes())]
    assert [key for key in phrases if not named & {key, key.removeprefix("marker_")}] == []


def test_drugs_of_groups_modulators_and_modifiers_exist() -> None:
    named = {d for group in GROUPS for d in group.drugs} | {m.drug for m in MODULATORS}
    named |= {d for modifier in MODIFIERS for d in modifier.guideline_drugs}

    assert named - DRUGS == set()


def test_a_drug_modulates_an_enzyme_in_one_way() -> None:
    assert _repeated((m.enzyme, m.role, m.drug) for m in MODULATORS) == []
    assert {m.role for m in MODULATORS} == {"inhibitor", "inducer"}
    assert {m.strength for m in MODULATORS} == {"strong", "moderate", "weak"}


def test_the_checked_strength_decides() -> None:
    strengths = {(m.enzyme, m.drug): m.strength for m in MODULATORS if m.role == "inhibitor"}

    assert strengths["CYP1A2", "ciprofloxacin"] == "moderate"
    assert strengths["CYP2C19", "voriconazole"] == "moderate"
    assert strengths["CYP3A4", "cyclosporine"] == "weak"
    assert strengths["CYP2D6", "paroxetine"] == "strong"


def test_phenoconversion_is_stated_for_three_opioids_alone() -> None:
    (modifier,) = MODIFIERS

    assert modifier.factors == {"strong": 0.0, "moderate": 0.5}
    assert set(modifier.guideline_drugs) == {"codeine", "tramadol", "hydrocodone"}


@cache
def packaged_lexicon() -> Lexicon:
    return lexicon_of(knowledge())


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("major burns", {"burn_or_denervation"}),
        ("Severe burn of the trunk", {"burn_or_denervation"}),
        ("Allogeneic HSCT 2024", {"stem_cell_transplant"}),
        ("s/p allo-HSCT", {"stem_cell_transplant"}),
        ("BMT", {"stem_cell_transplant"}),
        ("auto-HSCT", {"stem_cell_transplant", "autologous_transplant"}),
        ("Subarachnoid hemorrhages", {"haemorrhagic_stroke", "haemorrhagic_stroke_ever", "stroke_or_tia_ever"}),
        ("intracerebral haemorrhage", {"haemorrhagic_stroke", "haemorrhagic_stroke_ever", "stroke_or_tia_ever"}),
        ("ischaemic stroke", {"stroke", "stroke_or_tia_ever"}),
        ("no BMT so far", set()),
    ],
)
def test_conditions_as_people_write_them(text: str, keys: set[str]) -> None:
    assert packaged_lexicon().conditions((), (text,)) == keys


def test_every_stroke_counts_for_life_and_only_the_ischaemic_one_is_an_indication() -> None:
    lexicon = packaged_lexicon()
    for code in ("I60.9", "I61.0", "I62.9", "I69.10", "I63.9", "G45.9", "Z86.73"):
        keys = lexicon.conditions((Coding(ICD10CM, code),), ())
        assert "stroke_or_tia_ever" in keys & lexicon.lasting, code
    assert "neurovascular" not in lexicon.conditions((Coding(ICD10CM, "I61.0"),), ())
    assert "stroke" not in lexicon.conditions((Coding(ICD10CM, "I61.0"),), ())
