"""Laboratory values, serologies and tumour markers: units, answers, contradictions and where a result comes from."""

from __future__ import annotations

from datetime import date

import pytest

from cds_service.codes import SNOMED
from cds_service.model import (
    Diplotype,
    Grade,
    NotReadable,
    Phenotype,
    Presence,
    Quantity,
    SelfContradiction,
    Undetermined,
)
from cds_service.reading.answers import Answer
from cds_service.reading.quantities import canonical_unit, quantity_in_text

from .small import (
    concept,
    gap_reasons,
    gene_component,
    observation,
    read_all,
    reading_of,
    says,
    subject,
)

INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"


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
    found = reading_of(observation(code=concept("2823-3"), valueQuantity={"value": 42, "unit": "mmol/L"}))
    assert (found.says, found.flags, found.quoted) == (NotReadable("implausible"), ("implausible",), "42 mmol/L")
    assert reading_of(observation(code=concept("8634-8"), valueQuantity={"value": 9999, "unit": "ms"})).flags == ()


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
        ({"valueRange": {"low": {"value": 7.5, "unit": "mmol/L"}, "high": {"value": 6}}}, "7.5 mmol/L - 6"),
        ({"valueRange": {"low": {"value": 6, "comparator": ">"}}}, "> 6"),
        ({"valueRatio": {"numerator": {"value": 1}}}, "ratio"),
        ({"valueDateTime": "2026-11-01"}, "2026-11-01"),
        ({"valueString": "6,800 mmol/L"}, "6,800 mmol/L"),
    ],
)
def test_a_value_that_is_there_and_not_read_is_a_reading(fields: dict[str, object], quoted: str) -> None:
    found = reading_of(observation(code=concept("2823-3"), effectiveDateTime="2026-11-02", **fields))
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
    found = reading_of(observation(code={"coding": [{"code": "2823-3"}]}, valueQuantity=value))
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
    found = reading_of(observation(code=concept("2823-3"), valueString="4.2 mmol/L"))
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
    found = reading_of(observation(code=concept("2823-3"), status="unknown", valueQuantity=value))
    assert (found.grade, found.flags, found.why_unverified) == (Grade.CLINICAL, ("status_unknown",), "")
    named = reading_of(observation(code={"text": "Serum potassium"}, status="unknown", valueQuantity=value))
    assert (named.grade, named.flags) == (Grade.LOW, ("status_unknown",))
    told = reading_of(observation(code=concept("2823-3"), performer=[subject()], valueQuantity=value))
    assert (told.grade, told.why_unverified) == (Grade.UNVERIFIED, "patient_reported")


def test_a_value_in_a_component() -> None:
    part = {"code": concept("2823-3"), "valueQuantity": {"value": 4.2, "unit": "mmol/L"}}
    found = reading_of(observation(code={"text": "electrolytes"}, component=[part, {"code": concept("0-0")}]))
    assert (found.observable, found.grade) == ("lab:potassium", Grade.CLINICAL)


def test_a_panel_without_a_value_of_its_own_is_no_gap() -> None:
    result = read_all(observation(code=concept("2823-3"), hasMember=[{"reference": "Observation/x"}]))
    assert (result.patient.readings, result.patient.gaps) == ((), ())
    missing = read_all(observation(code=concept("2823-3"), dataAbsentReason=concept("masked", system="x")))
    assert [gap.detail for gap in missing.patient.gaps] == ["masked"]


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
    found = reading_of(observation(code=concept("85147-7"), valueCodeableConcept=concept("LA6576-8")))
    assert (found.says, found.flags) == (Presence("", present=True), ("score_not_coded",))


@pytest.mark.parametrize(
    ("code", "observable"),
    [
        (concept("8634-8", "QT corrected"), "lab:qt"),
        (concept("8634-8", text="Potassium"), "lab:qt"),
    ],
)
def test_words_that_contradict_the_code(code: dict[str, object], observable: str) -> None:
    found = reading_of(observation(code=code, valueQuantity={"value": 400, "unit": "ms"}))
    assert found.observable == observable
    assert isinstance(found.says, SelfContradiction)


def test_a_gene_component_that_contradicts_the_code() -> None:
    resource = observation(code=concept("21702-6"), component=[gene_component(text="NRAS")], valueString="detected")
    found = reading_of(resource)
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


def test_a_genotype_without_guidance() -> None:
    part = [gene_component("HGNC:613", "APOE")]
    found = reading_of(observation(component=part, valueCodeableConcept={"text": "APOE e3/e4"}))
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
