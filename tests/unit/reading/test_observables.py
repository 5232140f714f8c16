"""Laboratory values, serologies and tumour markers: units, answers, contradictions and where a result comes from."""

from __future__ import annotations

from datetime import date

import pytest

from cds_service.codes import RXNORM, SNOMED
from cds_service.model import (
    Diplotype,
    Gap,
    Grade,
    HlaType,
    NotReadable,
    Phenotype,
    Presence,
    Quantity,
    Query,
    Reading,
    SelfContradiction,
    Undetermined,
)
from cds_service.reading.alleles import strand_of
from cds_service.reading.answers import Answer
from cds_service.reading.quantities import canonical_unit, quantity_in_text

from .small import GENES, concept, gap_reasons, gene_component, observation, read_all, says, subject

INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"


def of(*resources: object) -> Reading:
    (found,) = read_all(*resources).patient.readings
    return found


def somatic(answer: str = "LA6684-0") -> dict[str, object]:
    return {"code": concept("48002-0"), "valueCodeableConcept": concept(answer)}


# --- quantities ---


@pytest.mark.parametrize(
    ("quantity", "expected"),
    [
        ({"value": 4.2, "code": "mmol/L"}, Quantity(4.2, "mmol/L")),
        ({"value": 4.2, "unit": "MMOL / L"}, Quantity(4.2, "mmol/L")),
        ({"value": 4.2, "code": "258813002", "system": SNOMED}, Quantity(4.2, "mmol/L")),
        ({"value": 16, "unit": "mg/dL", "comparator": ">="}, Quantity(4.0, "mmol/L", ">=")),
        ({"value": 2, "unit": "odd"}, Quantity(5.0, "mmol/L")),
    ],
)
def test_a_value_is_turned_into_the_unit_of_its_observable(quantity: object, expected: Quantity) -> None:
    assert says(observation(code=concept("2823-3"), valueQuantity=quantity)) == [expected]


@pytest.mark.parametrize(("unit", "named"), [("furlongs", "furlongs"), ("", "none")])
def test_a_unit_that_is_not_known_is_refused_by_name(unit: str, named: str) -> None:
    result = read_all(observation(code=concept("2823-3"), valueQuantity={"value": 4.2, "unit": unit}))
    assert [found.says for found in result.patient.readings] == [NotReadable("unit_not_known")]
    (gap,) = result.patient.gaps
    assert (gap.reason, gap.detail) == ("unknown_unit", f"lab:potassium in {named}")


def test_an_implausible_value_neither_warns_nor_clears() -> None:
    found = of(observation(code=concept("2823-3"), valueQuantity={"value": 42, "unit": "mmol/L"}))
    assert (found.says, found.flags, found.quoted) == (NotReadable("implausible"), ("implausible",), "42 mmol/L")
    assert of(observation(code=concept("8634-8"), valueQuantity={"value": 9999, "unit": "ms"})).flags == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("4.2 mmol/L", Quantity(4.2, "mmol/L")),
        ("< 0,5", Quantity(0.5, "", "<")),
        ("0,850 mmol/L", Quantity(0.85, "mmol/L")),
        ("3,200 cells/uL", None),
        ("12,5 10*9/L", Quantity(12.5, "10*9/L")),
        ("12.5 x10^9/L", Quantity(12.5, "x10^9/L")),
        ("1.2.3 mmol/L", None),
        ("-12,500", None),
        ("≥3 mmol/L", Quantity(3.0, "mmol/L", ">=")),
        ("between 3 and 4", None),
        ("", None),
    ],
)
def test_a_number_in_a_text(text: str, expected: Quantity | None) -> None:
    assert quantity_in_text(Answer(texts=(text,) if text else ())) == expected


@pytest.mark.parametrize(
    ("quantity", "expected"),
    [
        ({"value": "6,8"}, Quantity(6.8, "mmol/L")),
        ({"value": ">6.8"}, Quantity(6.8, "mmol/L", ">")),
        ({"value": "≥ 6,8"}, Quantity(6.8, "mmol/L", ">=")),
        ({"value": "<6.8", "comparator": "<"}, Quantity(6.8, "mmol/L", "<")),
        ({"value": "6,8", "comparator": "gt"}, Quantity(6.8, "mmol/L", ">")),
        ({"value": 6.8, "comparator": "≥"}, Quantity(6.8, "mmol/L", ">=")),
        ({"value": 6.8, "comparator": "le"}, Quantity(6.8, "mmol/L", "<=")),
    ],
)
def test_a_number_is_read_as_senders_write_it(quantity: dict[str, object], expected: Quantity) -> None:
    assert says(observation(code=concept("2823-3"), valueQuantity={**quantity, "unit": "mmol/L"})) == [expected]


@pytest.mark.parametrize(
    ("fields", "quoted"),
    [
        ({"valueQuantity": {"value": "6,800", "unit": "mmol/L"}}, "6,800 mmol/L"),
        ({"valueQuantity": {"value": "high", "unit": "mmol/L"}}, "high mmol/L"),
        ({"valueQuantity": {"value": 6.8, "unit": "mmol/L", "comparator": "ad"}}, "ad 6.8 mmol/L"),
        ({"valueQuantity": {"value": ">6.8", "unit": "mmol/L", "comparator": "<"}}, "< >6.8 mmol/L"),
        ({"valueRange": {"low": {"value": 6.8, "unit": "mmol/L"}}}, "6.8 mmol/L"),
        ({"valueRange": {"low": {"value": 6}, "high": {"value": 7.5}}}, "6 - 7.5"),
        ({"valueRatio": {"numerator": {"value": 1}}}, "ratio"),
        ({"valueDateTime": "2026-11-01"}, "2026-11-01"),
        ({"valueString": "6,800 mmol/L"}, "6,800 mmol/L"),
    ],
)
def test_a_value_that_is_there_and_not_read_is_a_reading(fields: dict[str, object], quoted: str) -> None:
    found = of(observation(code=concept("2823-3"), effectiveDateTime="2026-11-02", **fields))
    assert (found.says, found.quoted, found.on) == (NotReadable("no_number"), quoted, date(2026, 11, 2))


def test_a_panel_whose_values_stand_in_its_components_lacks_none() -> None:
    part = {"code": concept("2823-3"), "valueQuantity": {"value": 4.1, "unit": "mmol/L", "code": "mmol/L"}}
    result = read_all(observation(code=concept("2823-3"), component=[part]))
    assert ([r.observable for r in result.patient.readings], gap_reasons(result)) == (["lab:potassium"], [])


def test_a_quantity_without_a_number_is_no_value() -> None:
    result = read_all(observation(code=concept("2823-3"), valueQuantity={"unit": "mmol/L"}))
    assert (result.patient.readings, gap_reasons(result)) == ((), ["no_value"])


@pytest.mark.parametrize("code", ["2823-3", "66489-6"])
def test_a_value_beside_a_reason_why_there_is_none_is_not_read(code: str) -> None:
    value = {"valueString": "*1/*1"} if code == "66489-6" else {"valueQuantity": {"value": 4.2, "unit": "mmol/L"}}
    resource = observation(code=concept(code), dataAbsentReason=concept("error", system="x"), **value)
    assert says(resource) == [NotReadable("value_taken_back")]


def test_a_code_of_loinc_without_its_system_is_known_by_itself() -> None:
    value = {"value": 4.2, "unit": "mmol/L"}
    found = of(observation(code={"coding": [{"code": "2823-3"}]}, valueQuantity=value))
    assert (found.observable, found.says, found.grade) == ("lab:potassium", Quantity(4.2, "mmol/L"), Grade.LOW)
    foreign = observation(code={"coding": [{"code": "2823-3", "system": "urn:lab"}]}, valueQuantity=value)
    assert says(foreign) == []


def test_a_value_that_is_no_number_leaves_the_interpretation() -> None:
    ratio = {"valueRatio": {"numerator": {"value": 1}}}
    interpretation = concept("NEG", system=INTERPRETATION)
    assert says(observation(code=concept("5195-3"), **ratio)) == [NotReadable("not_understood")]
    assert says(observation(code=concept("5195-3"), interpretation=interpretation, **ratio)) == [
        Presence("", present=False)
    ]


def test_a_number_too_long_to_be_one_is_none() -> None:
    assert quantity_in_text(Answer(texts=("9" * 400,))) is None


def test_a_value_in_text_says_so() -> None:
    found = of(observation(code=concept("2823-3"), valueString="4.2 mmol/L"))
    assert (found.says, found.flags) == (Quantity(4.2, "mmol/L"), ("value_in_text",))


def test_a_measurement_that_failed_is_undetermined() -> None:
    assert says(observation(code=concept("2823-3"), valueString="not determined")) == [Undetermined("not determined")]
    assert says(observation(code=concept("2823-3"), valueString="clotted")) == [NotReadable("no_number")]


def test_spellings_of_a_unit() -> None:
    assert canonical_unit("μmol/L", {"umol/l": "umol/L"}) == "umol/L"
    assert canonical_unit("×10^9/L", {"x10^9/l": "10*9/L"}) == "10*9/L"
    assert canonical_unit("unheard of", {}) == "unheard of"


def test_a_value_of_unknown_status_stays_readable_and_says_so() -> None:
    value = {"value": 4.2, "unit": "mmol/L"}
    found = of(observation(code=concept("2823-3"), status="unknown", valueQuantity=value))
    assert (found.grade, found.flags, found.why_unverified) == (Grade.CLINICAL, ("status_unknown",), "")
    named = of(observation(code={"text": "Serum potassium"}, status="unknown", valueQuantity=value))
    assert (named.grade, named.flags) == (Grade.LOW, ("status_unknown",))
    told = of(observation(code=concept("2823-3"), performer=[subject()], valueQuantity=value))
    assert (told.grade, told.why_unverified) == (Grade.UNVERIFIED, "patient_reported")


def test_a_value_in_a_component() -> None:
    part = {"code": concept("2823-3"), "valueQuantity": {"value": 4.2, "unit": "mmol/L"}}
    found = of(observation(code={"text": "electrolytes"}, component=[part, {"code": concept("0-0")}]))
    assert (found.observable, found.grade) == ("lab:potassium", Grade.CLINICAL)


def test_a_panel_without_a_value_of_its_own_is_no_gap() -> None:
    result = read_all(observation(code=concept("2823-3"), hasMember=[{"reference": "Observation/x"}]))
    assert (result.patient.readings, result.patient.gaps) == ((), ())
    missing = read_all(observation(code=concept("2823-3"), dataAbsentReason=concept("masked", system="x")))
    assert [gap.detail for gap in missing.patient.gaps] == ["masked"]


# --- presence and grades ---


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"valueString": "Reactive"}, Presence("", present=True)),
        ({"valueString": "nonreactive"}, Presence("", present=False)),
        ({"valueBoolean": True}, Presence("", present=True)),
        ({"valueCodeableConcept": concept("LA6577-6")}, Presence("", present=False)),
        ({"interpretation": [concept("POS", system=INTERPRETATION)]}, Presence("", present=True)),
        ({"interpretation": [concept("IND", system=INTERPRETATION)]}, Undetermined("")),
        ({"valueQuantity": {"value": 0.1, "unit": "x"}, "interpretation": concept("NEG", system=INTERPRETATION)},
         Presence("", present=False)),
        ({"valueQuantity": {"value": 0.1, "unit": "x"}}, NotReadable("not_understood")),
        ({"valueString": "equivocal"}, Undetermined("equivocal")),
        ({"valueString": "not detected, donor blood"}, NotReadable("not_understood")),
        ({"valueCodeableConcept": concept("LA6577-6", text="reactive")}, SelfContradiction(("reactive", "LA6577-6"))),
        ({"valueCodeableConcept": concept("LA6577-6", "Positive")}, SelfContradiction(("Positive", "LA6577-6"))),
    ],
)  # fmt: skip
def test_found_or_not_found(fields: dict[str, object], expected: object) -> None:
    assert says(observation(code=concept("5195-3"), **fields)) == [expected]


def test_an_index_is_a_number_and_an_answer_is_an_answer() -> None:
    assert says(observation(code=concept("70173-0"), valueQuantity={"value": 1.7})) == [Quantity(1.7, "1")]
    assert says(observation(code=concept("70173-0"), valueString="positive")) == [Presence("", present=True)]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (concept("LA6576-8"), Phenotype("positive")),
        (concept("LA6576-8", text="3+"), Phenotype("3+")),
        (concept("LA6576-8", text="2+"), SelfContradiction(("2+", "LA6576-8"))),
        ({"text": "absent"}, Phenotype("negative")),
        ({"text": "indeterminate"}, Undetermined("indeterminate")),
        ({"text": "speckled"}, NotReadable("not_understood")),
    ],
)
def test_grades(value: object, expected: object) -> None:
    assert says(observation(code=concept("18474-7"), valueCodeableConcept=value)) == [expected]


def test_a_report_code_says_that_the_score_is_not_coded() -> None:
    found = of(observation(code=concept("85147-7"), valueCodeableConcept=concept("LA6576-8")))
    assert (found.says, found.flags) == (Presence("", present=True), ("score_not_coded",))


# --- contradictions ---


@pytest.mark.parametrize(
    ("code", "observable"),
    [
        (concept("8634-8", "QT corrected"), "lab:qt"),
        (concept("8634-8", text="Potassium"), "lab:qt"),
    ],
)
def test_words_that_contradict_the_code(code: dict[str, object], observable: str) -> None:
    found = of(observation(code=code, valueQuantity={"value": 400, "unit": "ms"}))
    assert found.observable == observable
    assert isinstance(found.says, SelfContradiction)


def test_a_gene_component_that_contradicts_the_code() -> None:
    resource = observation(code=concept("21702-6"), component=[gene_component(text="NRAS")], valueString="detected")
    found = of(resource)
    assert (found.observable, found.says) == ("somatic:KRAS", SelfContradiction(("NRAS", "KRAS", "NRAS")))


def test_a_gene_component_whose_code_and_name_differ() -> None:
    parts = [gene_component("HGNC:6407", "NRAS")]
    result = read_all(observation(code=concept("69548-6"), component=parts, valueCodeableConcept=concept("LA9633-4")))
    assert {r.observable: type(r.says) for r in result.patient.readings} == {
        "somatic:KRAS": SelfContradiction, "somatic:NRAS": SelfContradiction
    }  # fmt: skip


def test_a_germline_gene_that_stands_against_another() -> None:
    parts = [gene_component("HGNC:2621", "KRAS")]
    result = read_all(observation(code=concept("69548-6"), component=parts, valueCodeableConcept=concept("LA9633-4")))
    assert {r.observable: type(r.says) for r in result.patient.readings} == {
        "gene:CYP2C19": SelfContradiction, "somatic:KRAS": SelfContradiction
    }  # fmt: skip


def test_codes_that_changed_places_among_several_genes_do_not_matter() -> None:
    parts = [gene_component("HGNC:6407", "NRAS"), gene_component("HGNC:7989", "KRAS")]
    result = read_all(observation(code=concept("69548-6"), component=parts, valueCodeableConcept=concept("LA9634-2")))
    assert {r.observable: r.says for r in result.patient.readings} == {
        "somatic:KRAS": Presence("", present=False), "somatic:NRAS": Presence("", present=False)
    }  # fmt: skip


def test_an_absence_in_a_germline_gene_and_another() -> None:
    change = {"code": concept("48004-6"), "valueCodeableConcept": {"text": "c.1A>G"}}
    parts = [gene_component("HGNC:2621"), gene_component("HGNC:6407"), change]
    result = read_all(observation(code=concept("69548-6"), component=parts, valueCodeableConcept=concept("LA9634-2")))
    assert {r.observable for r in result.patient.readings} == {"gene:CYP2C19", "somatic:KRAS"}


# --- variants, and where they come from ---


def test_a_variant_of_a_tumour() -> None:
    change = {"code": concept("48005-3"), "valueCodeableConcept": {"text": "p.Gly12Asp"}}
    parts = [gene_component("HGNC:6407", "KRAS"), somatic(), change]
    found = of(observation(code=concept("69548-6"), component=parts, valueCodeableConcept=concept("LA9633-4")))
    assert (found.observable, found.says, found.flags) == ("somatic:KRAS", Presence("p.Gly12Asp", present=True), ())
    assert found.method == "genotype"


def test_a_code_may_name_the_variant() -> None:
    found = of(observation(code=concept("75974-6"), valueString="not detected"))
    assert (found.says, found.flags) == (Presence("p.Gly12Cys", present=False), ("origin_not_said",))


@pytest.mark.parametrize(
    ("answer", "expected"), [("LA6683-2", "gene:BRCA1"), ("LA6684-0", "somatic:BRCA1"), ("other", "gene:BRCA1")]
)
def test_inherited_and_tumour_variants_are_kept_apart(answer: str, expected: str) -> None:
    parts = [gene_component("HGNC:1100"), somatic(answer)]
    found = of(observation(code=concept("69548-6"), component=parts, valueCodeableConcept=concept("LA9634-2")))
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
    assert of(resource).observable == "somatic:KRAS"


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


# --- genotypes that nothing asks about ---


def test_a_genotype_without_guidance() -> None:
    part = [gene_component("HGNC:613", "APOE")]
    found = of(observation(component=part, valueCodeableConcept={"text": "APOE e3/e4"}))
    assert (found.observable, found.says) == ("gene:APOE", Diplotype("e3/e4"))
    assert says(observation(component=part, valueDateTime="2026-11-01")) == [NotReadable("not_understood")]
    by_code = observation(component=part, valueCodeableConcept=concept("e3/e4", system="x"))
    assert says(by_code) == [Diplotype("e3/e4")]
    differing = observation(component=part, valueCodeableConcept=concept("e3/e4", "e2/e2", system="x"))
    assert says(differing) == [Diplotype("e2/e2")]
    twofold = observation(component=part, valueCodeableConcept=concept("c", "e2/e2", text="e3/e4", system="x"))
    assert says(twofold) == [SelfContradiction(("e3/e4", "e2/e2", "c"))]


def test_one_haplotype_of_such_a_gene() -> None:
    part = [gene_component("HGNC:613", "APOE")]
    assert says(observation(code=concept("84414-2"), component=part, valueString="e4")) == [
        Presence("e4", present=True)
    ]


# --- implications whose gene is elsewhere ---


def test_an_implication_linked_to_such_a_gene_keeps_its_medicine() -> None:
    source = observation("var", code=concept("69548-6"), component=[gene_component("HGNC:6407"), somatic()],
                         valueCodeableConcept=concept("LA9633-4"))  # fmt: skip
    parts = [
        {"code": concept("therapeutic-implication", system="x"), "valueCodeableConcept": concept("LA9657-3")},
        {"code": concept("51963-7"), "valueCodeableConcept": {"text": "codeine"}},
        {"code": concept("51963-7"), "valueCodeableConcept": {"text": "an elixir"}},
    ]
    derived = [{"reference": "Observation/var"}]
    resource = observation("imp", code=concept("x", system="y"), component=parts, derivedFrom=derived)
    found = {r.reference: r for r in read_all(source, resource).patient.readings}
    assert found["Observation/imp"].observable == "implication"
    assert found["Observation/imp"].drugs == ("codeine", "an elixir")


def test_an_implication_that_says_nothing_known_is_no_reading() -> None:
    parts = [{"code": concept("therapeutic-implication", system="x"), "valueCodeableConcept": {"text": "unclear"}}]
    result = read_all(observation(code=concept("x", system="y"), component=parts))
    assert (result.patient.readings, result.patient.gaps) == ((), ())


def test_a_phenotype_in_the_value_without_a_gene_is_an_implication() -> None:
    result = read_all(observation(code=concept("53040-2"), valueCodeableConcept=concept("LA9657-3")))
    assert [(r.observable, r.says) for r in result.patient.readings] == [
        ("implication", Phenotype("Poor Metabolizer"))
    ]
    assert gap_reasons(result) == ["gene_not_named"]


# --- notes beside genotypes ---


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
    found = of(observation(code=concept("69548-6"), component=parts, valueCodeableConcept=concept("LA9633-4")))
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


# --- recommendations, withdrawn entries, other patients ---


def task(**fields: object) -> dict[str, object]:
    return {"resourceType": "Task", "id": "t", "status": "requested", "for": subject(), **fields}


def test_a_recommendation_is_the_laboratorys() -> None:
    wanted = task(code=concept("LA26421-0"), description="another medicine than codeine", authoredOn="2025-01-02")
    (found,) = read_all(wanted).patient.recommendations
    assert (found.drugs, found.text) == (("codeine",), "another medicine than codeine")
    assert str(found.on) == "2025-01-02"


def test_a_recommendation_takes_the_medicine_of_its_result() -> None:
    parts = [{"code": concept("51963-7"), "valueCodeableConcept": concept("11289", system=RXNORM)}]
    result = observation("imp", code=concept("x", system="y"), component=parts)
    profile = {"profile": ["http://example.org/StructureDefinition/followup-recommendation"]}
    wanted = task(meta=profile, reasonReference={"reference": "Observation/imp"})
    (found,) = read_all(result, wanted).patient.recommendations
    assert (found.drugs, found.reason, found.coding) == (("warfarin",), "Observation/imp", None)
    (unknown,) = read_all(task(meta=profile)).patient.recommendations
    assert unknown.drugs == ()


def test_other_tasks_are_none_of_ours() -> None:
    others = [task(code=concept("LA26421-0"), status="rejected"), task(id="u", code={"text": "ring the ward"})]
    assert read_all(*others).patient.recommendations == ()


def test_the_task_of_another_patient_is_refused() -> None:
    result = read_all(task(**{"for": subject("bob")}, code=concept("LA26421-0")))
    assert (result.patient.recommendations, gap_reasons(result)) == ((), ["wrong_patient"])


def test_what_was_withdrawn_is_named() -> None:
    assert read_all(observation(status="entered-in-error")).withdrawn == ("Observation/obs",)


def test_another_patient_beside_the_patient_is_refused() -> None:
    patients = [{"resourceType": "Patient", "id": name} for name in ("ada", "bob")]
    assert read_all(*patients).patient.gaps == (
        Gap("Patient/bob", "wrong_patient", "its subject is not the patient of the request", Query.RESULTS),
    )
