"""Notes beside genotypes: strand, build, alleles in extensions and GL strings."""

from __future__ import annotations

import pytest

from cds_service.model import (
    Diplotype,
    HlaType,
    Presence,
)
from cds_service.reading.alleles import strand_of

from .small import (
    GENES,
    concept,
    gap_reasons,
    gene_component,
    observation,
    read_all,
    reading_of,
    says,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rs9923231 C/T", "strand_as_in_table"),
        ("rs9923231 G/A", "strand_turned"),
        ("rs9923231 A/C", ""),
        ("*1/*2", ""),
    ],
)
def test_the_strand_of_bases(text: str, expected: str) -> None:
    assert strand_of(text, GENES["VKORC1"]) == expected


@pytest.mark.parametrize(
    ("sequence", "build"),
    [("NC_000010.10", "build_37"), ("NC_000010.11", "build_38"), ("NC_000010.9", None), ("NC_000099.1", None)],
)
def test_the_build_stands_in_the_version_of_the_sequence(sequence: str, build: str | None) -> None:
    change = {"code": concept("81290-9"), "valueCodeableConcept": concept(f"{sequence}:g.1A>G", system="x")}
    reference = {"code": concept("48013-7"), "valueCodeableConcept": concept("NM_000001.1", system="x")}
    parts = [gene_component("HGNC:2621"), change, reference]
    found = reading_of(
        observation(code=concept("69548-6"), component=parts, valueCodeableConcept=concept("LA9633-4"))
    )
    assert found.flags == ((build,) if build else ())


def test_alleles_in_extensions() -> None:
    def resource(*names: str) -> dict[str, object]:
        genes = [{"url": "x/observation-geneticsGene", "valueCodeableConcept": {"text": "CYP2C19"}}]
        alleles = [{"url": "x/observation-geneticsAlleleName", "valueCodeableConcept": {"text": n}} for n in names]
        return observation(code=concept("55233-1"), extension=[*genes, *alleles])

    assert says(resource("*2", "*1")) == [Diplotype("*1/*2")]
    assert says(resource("CYP2C19*2")) == [Presence("*2", present=True)]
    assert says(resource("*2", "*99")) == says(resource("*1", "*2", "*3")) == says(resource()) == []


def test_a_gl_string_may_stand_in_a_text() -> None:
    resource = observation(
        component=[gene_component(text="HLA-B")], valueString="hla#3.1.0#HLA-B*57:01/HLA-B*57:02+HLA-B*07:02"
    )
    assert says(resource) == [HlaType(("*07:02",), complete=True, ambiguous=("*57:01", "*57:02"))]


def test_a_variant_of_the_table_without_a_call_is_told() -> None:
    parts = [gene_component("HGNC:2621")]
    result = read_all(observation(code=concept("69548-6"), component=parts))
    assert (result.patient.readings, gap_reasons(result)) == ((), ["no_value"])


GL_STRING = "HLA-A*31:01+HLA-A*01:01^HLA-B*57:01/HLA-B*57:02+HLA-B*07:02"


@pytest.mark.parametrize(
    "within", [{"extension": [{"url": "text", "valueString": GL_STRING}]}, {"valueString": GL_STRING}]
)
def test_gl_strings_in_an_extension_of_the_report(within: dict[str, object]) -> None:
    report = {
        "resourceType": "DiagnosticReport",
        "id": "r",
        "status": "final",
        "extension": [
            {"url": "x/other", "valueString": "HLA-A*31:01+HLA-A*01:01"},
            {"url": "x/hla-genotyping-results-glstring", **within},
        ],
    }
    found = read_all(report).patient
    assert {r.observable: r.says.alleles for r in found.readings} == {
        "hla:A": ("*31:01", "*01:01"),
        "hla:B": ("*07:02",),
    }
    assert {r.method for r in found.readings} == {"hla_typing"}
    assert found.gaps == ()
