"""The proofs about observables find what is wrong, and the packaged observables pass them."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from cds_service.knowledge import load
from cds_service.knowledge.checks.observables import observable_problems
from cds_service.knowledge.schema import Observable, ObservableKind, ObservationCode, UnitConversion
from cds_service.model import Quantity, Query
from cds_service.offered import result_codes
from cds_service.reading.quantities import in_unit_of
from tests.support.world import knowledge, service

MADE = Observable(
    "lab:made_up",
    ObservableKind.QUANTITY,
    "made_up",
    codes=(ObservationCode("0-0", role="quantity"),),
    names=("made up",),
    unit="mmol/L",
    conversions=(UnitConversion("mg/dL", 0.5, "made up"),),
    plausible=(1, 2),
)


def problems(*observables: Observable) -> list[str]:
    made = replace(
        knowledge(),
        observables={o.id: o for o in observables},
        unit_spellings={"mmol/l": "mmol/L", "mg/dl": "mg/dL"},
    )
    return list(observable_problems(made))


def test_the_packaged_observables_are_whole() -> None:
    assert list(observable_problems(knowledge())) == []
    assert len(knowledge().observables) > 100


def test_every_gene_is_known_by_its_number() -> None:
    """Guides code a gene by it, and need not write the symbol beside it."""
    named = [o for o in knowledge().observables.values() if o.gene]
    assert [o.id for o in named if not re.fullmatch(r"HGNC:\d+", o.hgnc)] == []
    numbers = {(o.gene, o.hgnc) for o in named}
    assert len(numbers) == len({gene for gene, _ in numbers}) == len({number for _, number in numbers})


def test_every_conversion_says_how_it_comes_about() -> None:
    conversions = [c for o in knowledge().observables.values() for c in o.conversions]
    assert all(c.derivation for c in conversions)


@pytest.mark.parametrize("drug", ["voriconazole", "posaconazole", "itraconazole"])
@pytest.mark.parametrize(("value", "unit"), [(1, "mg/L"), (1, "mcg/mL"), (1000, "ng/mL")])
def test_an_antifungal_level_is_read_in_each_unit_of_laboratories(drug: str, value: float, unit: str) -> None:
    observable = knowledge().observables[f"lab:{drug}_level"]
    assert in_unit_of(observable, Quantity(value, unit), knowledge().unit_spellings) == Quantity(1, "mg/L")


def test_every_factor_is_what_its_derivation_comes_to() -> None:
    """Of those by a molar mass: `mass / number` or `number / mass`, halved where two charges are counted."""
    reckoned = {}
    for observable in knowledge().observables.values():
        for conversion in observable.conversions:
            mass = re.search(r"([\d.]+) g/mol(?: \([^)]*\))?(?: / (\d+))?", conversion.derivation)
            over = re.search(r"(\d+) / [\d.]+ g/mol", conversion.derivation)
            if mass:
                factor = float(over[1]) / float(mass[1]) if over else float(mass[1]) / float(mass[2] or 1)
                charges = 2 if "two charges" in conversion.derivation else 1
                reckoned[observable.id, conversion.unit] = (conversion.factor, factor / charges)
    assert len(reckoned) > 30
    assert {key: pair for key, pair in reckoned.items() if pair[0] != pytest.approx(pair[1], rel=5e-5)} == {}


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"codes": (), "names": ()}, "no code, name or gene: nothing could ever mean it"),
        ({"unit": "", "conversions": ()}, "a quantity needs its unit"),
        ({"kind": ObservableKind.ORDINAL}, "a grade needs the answers that mean it"),
        (
            {"kind": ObservableKind.PRESENCE, "answers": {"high": "high"}},
            "answer 'high'; expected positive or negative",
        ),
        ({"found_above_reference": True}, "found_above_reference: expected of a presence that has no unit"),
        ({"plausible": (2, 1)}, "plausible: expected low below high"),
        ({"unit": "stone", "conversions": ()}, "unit 'stone' has no spelling in unit_spellings.yaml"),
        (
            {"conversions": (UnitConversion("mg/dL", 0, "made up"),)},
            "conversion from 'mg/dL': expected a factor above 0",
        ),
        ({"conversions": (UnitConversion("mmol/L", 2, "made up"),)}, "unit 'mmol/L' is named twice"),
    ],
)
def test_what_is_wrong_is_found(fields: dict[str, object], problem: str) -> None:
    assert f"observable lab:made_up: {problem}" in problems(replace(MADE, **fields))  # type: ignore[arg-type]


def test_a_sound_observable_has_no_problems() -> None:
    assert problems(MADE) == []


def test_codes_and_names_that_several_claim() -> None:
    other = replace(MADE, id="lab:other")
    assert problems(MADE, other) == [
        "code 0-0 means several observables: lab:made_up, lab:other",
        "name 'made up' means several observables: lab:made_up, lab:other",
    ]


def test_a_combined_test_of_genes_may_share_its_code() -> None:
    one = replace(MADE, id="somatic:A", gene="A", kind=ObservableKind.PRESENCE, names=(), unit="", conversions=())
    assert problems(one, replace(one, id="somatic:B", gene="B")) == []


def test_a_base_without_spellings_loads() -> None:

    assert load._spellings(load.DATA / "absent.yaml") == {}
    assert load._spellings(load.DATA / "unit_spellings.yaml")["mmol/l"] == "mmol/L"


@pytest.mark.parametrize(
    "unit",
    ["×10⁹/L", "10⁹/L", "x 10^9/L", "10**9/L", "X10(9)/L", "G/L", "Gpt/L", "K/mcL", "K/µL", "10^3/mcL", "10^3/mm3"],
)
def test_a_count_is_read_in_every_common_spelling(unit: str) -> None:
    assert _read("lab:neutrophils", 3.0, unit) == 3.0


@pytest.mark.parametrize(
    ("observable", "value", "unit", "expected"),
    [
        ("lab:neutrophils", 3000.0, "10*6/L", 3.0),
        ("lab:neutrophils", 3000.0, "/mcL", 3.0),
        ("lab:neutrophils", 3.0, "g/L", None),
        ("lab:haemoglobin", 140.0, "G/L", 14.0),
        ("lab:creatinine", 9.0, "mg/L", 0.9),
        ("lab:glucose", 1.2, "g/L", 120.0),
        ("lab:clozapine_level", 0.35, "mg/L", 350.0),
        ("lab:infliximab_trough", 5.0, "mg/L", 5.0),
    ],
)
def test_a_mass_is_turned_and_a_unit_of_another_kind_refused(
    observable: str, value: float, unit: str, expected: float | None
) -> None:
    assert _read(observable, value, unit) == expected


def _read(observable: str, value: float, unit: str) -> float | None:
    found = in_unit_of(knowledge().observables[observable], Quantity(value, unit), knowledge().unit_spellings)
    return found.value if found is not None else None


@pytest.mark.parametrize("spends", [{"9+": "immunohistochemistry"}, {"positive": "guessing"}])
def test_what_a_state_spends_is_a_test_s_method(spends: dict[str, str]) -> None:
    one = replace(MADE, id="tumour:made", spends=spends)
    assert [problem.partition(" spends ")[0] for problem in problems(one)] == ["observable tumour:made:"]
    assert problems(replace(one, spends={"positive": "immunohistochemistry"})) == []


@pytest.mark.parametrize("beside", ["tumour:gone", "tumour:made"])
def test_what_a_value_tells_beside_is_another_observable(beside: str) -> None:
    one = replace(MADE, id="tumour:made", beside=(beside,))
    assert problems(one) == [f"observable tumour:made: beside it {beside!r}; expected another observable"]


def test_a_test_tells_of_what_is_known_and_by_states_that_it_has() -> None:
    odd = replace(MADE, tells={"lab:made_up": {"positive": ("positive",)}, "somatic:NONE": {"purple": ("positive",)}})
    assert problems(odd) == [
        "observable lab:made_up: tells 'lab:made_up', which is no observable of a tumour or a gene",
        "observable lab:made_up: tells 'somatic:NONE', which is no observable of a tumour or a gene",
        "observable lab:made_up: tells by 'purple', which is none of its states",
    ]


def test_what_makes_genes_together_negative_has_to_tell_of_them() -> None:
    part, other = (replace(MADE, id=name, codes=(), names=(name,)) for name in ("germline:A", "germline:B"))
    whole = replace(MADE, id="germline:AB", codes=(), names=("ab",), negative_where=("germline:A", "germline:C"))
    assert [p for p in problems(whole, part, other) if "negative_where" in p] == [
        "observable germline:AB: negative_where 'germline:A', which does not tell it",
        "observable germline:AB: negative_where 'germline:C', which does not tell it",
    ]
    telling = replace(part, tells={"germline:AB": {"positive": ("positive",)}})
    assert problems(replace(whole, negative_where=("germline:A",)), telling) == []


@pytest.mark.parametrize("panel", ["85354-9", "106793-3"])
def test_a_panel_that_holds_markers_is_asked_for_by_its_own_code(panel: str) -> None:
    """A FHIR server finds an Observation by its code, not by those of its components."""
    assert panel in {coding.code for coding in result_codes(service())[Query.RESULTS]}
