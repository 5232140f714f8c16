"""HLA types and single HLA alleles."""

from __future__ import annotations

import pytest

from cds_service.codes import SNOMED
from cds_service.model import HlaType, NotReadable, Presence, SelfContradiction, Undetermined

from .small import concept, gene_component, genotype, observation, read_all, says

GL = "http://glstring.org"


def typed(code: str) -> dict[str, object]:
    return observation(
        component=[gene_component("HGNC:4932", "HLA-B")], valueCodeableConcept=concept(code, system=GL)
    )


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("hla#3.31.0#HLA-B*57:01:01+HLA-B*08:01", HlaType(("*57:01", "*08:01"), complete=True)),
        ("HLA-B*57:01:01G", HlaType(("*57:01",), complete=False)),
        ("HLA-B*57:01/HLA-B*57:03+HLA-B*08:01", HlaType(("*08:01",), complete=True, ambiguous=("*57:01", "*57:03"))),
    ],
)
def test_gl_strings(code: str, expected: HlaType) -> None:
    result = read_all(typed(code))
    assert [(r.observable, r.says) for r in result.patient.readings] == [("hla:B", expected)]
    assert result.patient.gaps == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("HLA-B*08:01/HLA-B*57:01", HlaType(("*08:01", "*57:01"), complete=True)),
        ("HLA-B*57:01", HlaType(("*57:01",), complete=False)),
        ("B*5701, B*0801", HlaType(("*57:01", "*08:01"), complete=True)),
        ("HLA-B*57:01 homozygous", None),
        ("HLA-B*57", HlaType((), complete=False, ambiguous=("*57:01",))),
        ("HLA-B*57, HLA-B*08:01", HlaType(("*08:01",), complete=True, ambiguous=("*57:01",))),
    ],
)
def test_types_in_text(text: str, expected: HlaType | None) -> None:
    assert says(genotype("HLA-B", text)) == [expected or Presence("*57:01", present=True)]


def test_a_variant_code_means_its_allele() -> None:
    value = concept("14909", system="http://www.ncbi.nlm.nih.gov/clinvar")
    resource = observation(component=[gene_component(text="HLA-B")], valueCodeableConcept=value)
    assert says(resource) == [HlaType(("*15:02",), complete=False)]


@pytest.mark.parametrize(
    ("value", "present"),
    [
        ({"valueCodeableConcept": concept("LA9633-4", "Present")}, True),
        ({"valueCodeableConcept": concept("LA6577-6")}, False),
        ({"valueCodeableConcept": concept("260385009", system=SNOMED)}, False),
        ({"valueString": "Not detected"}, False),
        ({"valueString": "No HLA-B*57:01 allele was detected"}, False),
        ({"valueString": "Yes"}, True),
        ({"valueString": "no"}, False),
        ({"valueString": "POSITIVE"}, True),
        ({"valueBoolean": False}, False),
    ],
)
def test_presence_of_the_allele_that_the_code_asks_about(value: dict[str, object], present: bool) -> None:
    by_code = observation(code=concept("50956-2"), **value)
    by_words = observation(code=concept("x", "HLA-B*57:01 typing", system="urn:lab"), **value)
    assert says(by_code) == [Presence("*57:01", present)]
    assert says(by_words) == [Presence("*57:01", present)]


@pytest.mark.parametrize(("value", "code"), [("Positive", "NEG"), ("Negative", "POS")])
def test_an_interpretation_against_the_value_contradicts_it(value: str, code: str) -> None:
    resource = observation(code=concept("50956-2"), valueString=value, interpretation=[concept(code)])
    assert says(resource) == [SelfContradiction((value,))]


def test_an_allele_in_the_value_is_the_one_that_was_found() -> None:
    assert says(genotype("HLA-B", "HLA-B*57:01 negative")) == [Presence("*57:01", present=False)]


def test_code_and_display_that_differ_contradict_each_other() -> None:
    resource = observation(code=concept("50956-2"), valueCodeableConcept=concept("LA9634-2", "Present"))
    assert says(resource) == [SelfContradiction(("Present", "LA9634-2"))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("No call", Undetermined("No call")), ("pending review", None), ("Inconclusive, seen as detected once", None)],
)
def test_no_call_is_neither_present_nor_absent(text: str, expected: Undetermined | None) -> None:
    resource = observation(code=concept("50956-2"), valueString=text)
    assert says(resource) == [expected or NotReadable("not_understood")]


@pytest.mark.parametrize("code", ["hla#3.1#malformed", "urn:local:7"])
def test_a_code_that_names_no_allele_is_not_readable(code: str) -> None:
    assert says(typed(code)) == [NotReadable("not_understood")]


def test_an_allele_of_another_locus_is_not_this_loci() -> None:
    resource = observation(
        component=[gene_component(text="HLA-A")], valueCodeableConcept=concept("A*31:01", system="x")
    )
    assert [(r.observable, r.says) for r in read_all(resource).patient.readings] == [
        ("hla:A", HlaType(("*31:01",), complete=False))
    ]


@pytest.mark.parametrize("text", ["HLA-B*57:01 negative (donor)", "negative, sample mix-up", "HLA-B*57:01 invalid"])
def test_an_allele_that_words_take_back_is_not_read(text: str) -> None:
    assert says(observation(code=concept("50956-2"), valueString=text)) == [NotReadable("not_understood")]


@pytest.mark.parametrize("other", ["HLA-A*31:01", "HLA-A*57:01", "A*31:01, A*02:01", "HLA-A*57"])
def test_alleles_of_another_locus_are_none_of_this_one(other: str) -> None:
    resource = observation(component=[gene_component(text="HLA-B")], valueString=f"{other}; HLA-B*07:02, HLA-B*08:01")
    found = [r.says for r in read_all(resource).patient.readings if r.observable == "hla:B"]
    assert found == [HlaType(("*07:02", "*08:01"), complete=True)]
