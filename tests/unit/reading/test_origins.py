"""Variants outside the germline genes, and whether they are inherited or a tumour's."""

from __future__ import annotations

import pytest

from cds_service.model import (
    NotReadable,
    Presence,
)

from .small import (
    concept,
    gap_reasons,
    gene_component,
    observation,
    read_all,
    reading_of,
    says,
    somatic,
)


def test_a_variant_of_a_tumour() -> None:
    change = {"code": concept("48005-3"), "valueCodeableConcept": {"text": "p.Gly12Asp"}}
    parts = [gene_component("HGNC:6407", "KRAS"), somatic(), change]
    found = reading_of(
        observation(code=concept("69548-6"), component=parts, valueCodeableConcept=concept("LA9633-4"))
    )
    assert (found.observable, found.says, found.flags) == ("somatic:KRAS", Presence("p.Gly12Asp", present=True), ())
    assert found.method == "genotype"


def test_a_code_may_name_the_variant() -> None:
    found = reading_of(observation(code=concept("75974-6"), valueString="not detected"))
    assert (found.says, found.flags) == (Presence("p.Gly12Cys", present=False), ("origin_not_said",))


@pytest.mark.parametrize(
    ("answer", "expected"),
    [("LA6683-2", "germline:BRCA1"), ("LA6684-0", "somatic:BRCA1"), ("other", "germline:BRCA1")],
)
def test_inherited_and_tumour_variants_are_kept_apart(answer: str, expected: str) -> None:
    parts = [gene_component("HGNC:1100"), somatic(answer)]
    found = reading_of(
        observation(code=concept("69548-6"), component=parts, valueCodeableConcept=concept("LA9634-2"))
    )
    assert found.observable == expected
    assert ("origin_not_said" in found.flags) == (answer == "other")


@pytest.mark.parametrize(
    ("code", "fields", "reason", "detail"),
    [
        ("21702-6", {"component": [somatic("LA6683-2")]}, "not_somatic", "germline"),
        ("21702-6", {"specimen": {"display": "amniotic fluid"}}, "not_germline", "foetal"),
    ],
)
def test_a_result_of_the_other_side_is_told(code: str, fields: dict[str, object], reason: str, detail: str) -> None:
    result = read_all(observation(code=concept(code), valueString="detected", **fields))
    assert result.patient.readings == ()
    assert [(gap.reason, gap.detail) for gap in result.patient.gaps] == [(reason, detail)]


def test_a_combined_test_speaks_for_each_gene_only_where_it_is_negative() -> None:
    negative = read_all(observation(code=concept("81420-2"), valueString="not detected")).patient.readings
    assert {r.observable: r.says for r in negative} == {
        "somatic:KRAS": Presence("", present=False), "somatic:NRAS": Presence("", present=False)
    }  # fmt: skip
    assert says(observation(code=concept("81420-2"), valueString="detected")) == [NotReadable("several_genes")] * 2


@pytest.mark.parametrize(
    ("partners", "value", "expected"),
    [
        (["ABCD1"], "LA9633-4", Presence("KRAS::ABCD1 fusion", present=True)),
        (["ABCD1"], "LA9634-2", Presence("", present=False)),
        ([], "LA9633-4", Presence("", present=True)),
        (["ABCD1", "EFGH2"], "LA9633-4", Presence("", present=True)),
    ],
)
def test_a_finding_of_two_genes_without_a_name_is_their_fusion(partners, value, expected) -> None:
    others = [{"code": concept("48018-6"), "valueCodeableConcept": {"text": partner}} for partner in partners]
    parts = [gene_component("HGNC:6407", "KRAS"), *others]
    assert says(observation(code=concept("69548-6"), component=parts, valueCodeableConcept=concept(value))) == [
        expected
    ]


def test_a_germline_variant_through_the_generic_code_is_refused_where_only_the_tumour_counts() -> None:
    parts = [gene_component("HGNC:6407"), somatic("LA6683-2")]
    result = read_all(observation(code=concept("69548-6"), component=parts, valueCodeableConcept=concept("LA9633-4")))
    assert (result.patient.readings, gap_reasons(result)) == ((), ["not_somatic"])


def test_a_gene_result_under_a_code_that_is_not_known() -> None:
    for gene in ("KRAS", "PROT"):
        code = concept("69548-6") if gene == "PROT" else concept("local", "expression", system="x")
        result = read_all(observation(code=code, component=[gene_component(text=gene)], valueString="high"))
        assert (result.patient.readings, gap_reasons(result)) == ((), ["unknown_code"])


def test_a_symbol_is_written_as_symbols_are() -> None:
    assert says(observation(component=[gene_component(text="kras of a person")], valueString="detected")) == []


def test_a_symbol_may_stand_in_place_of_a_code() -> None:
    part = {"code": concept("48018-6"), "valueCodeableConcept": concept("KRAS", system="http://example.org")}
    resource = observation(code=concept("69548-6"), component=[part], valueCodeableConcept=concept("LA9634-2"))
    assert reading_of(resource).observable == "somatic:KRAS"


def test_a_registered_result_of_a_tumour_is_pending_for_its_own_observable() -> None:
    resource = observation(code=concept("21702-6"), status="registered", component=[somatic()])
    assert [test.markers for test in read_all(resource).patient.pending] == [("somatic:KRAS",)]
    unknown = observation(code=concept("0-0"), status="registered")
    assert read_all(unknown).patient.pending == ()


def test_a_region_studied_is_no_result_on_such_a_gene() -> None:
    result = read_all(observation(code=concept("53041-0"), component=[gene_component("HGNC:6407")], valueString="x"))
    assert (result.patient.readings, result.patient.gaps) == ((), ())


def test_a_component_of_another_system_names_no_variant() -> None:
    change = {"code": concept("48004-6", system="http://example.org"), "valueString": "c.1A>G"}
    parts = [gene_component("HGNC:6407"), somatic(), change]
    assert says(observation(code=concept("69548-6"), component=parts, valueCodeableConcept=concept("LA9633-4"))) == [
        Presence("", present=True)
    ]


@pytest.mark.parametrize(("unit", "expected"), [("ng/uL", 1), ("{score}", 2), ("", 2)])
def test_a_measurement_of_a_panel_inherits_no_gene_and_a_score_does(unit: str, expected: int) -> None:
    row = observation("row", code={"text": "a row"}, valueQuantity={"value": 1.5, "unit": unit})
    members = [{"reference": "Observation/row"}, {"reference": "Observation/geno"}]
    panel = observation("panel", code={"text": "panel"}, hasMember=members)
    geno = observation("geno", component=[gene_component("HGNC:2621")], valueString="*1/*2")
    assert len(read_all(row, panel, geno).patient.readings) == expected
