"""Provenance of results, variants, haplotypes, panels and laboratory values."""

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
    Reading,
    ReadingStatus,
    SelfContradiction,
    Span,
    Undetermined,
    When,
)

from .small import concept, gap_reasons, gene_component, genotype, observation, read_all, says, subject


def reading(*resources: object) -> Reading:
    (found,) = read_all(*resources).patient.readings
    return found


def test_everything_about_a_result_is_kept() -> None:
    found = reading(
        genotype(
            "CYP2C19",
            "CYP2C19 *1/*2",
            effectiveDateTime="2024-03-05T10:00:00Z",
            performer=[
                {"reference": "Practitioner/p", "display": "Dr Made Up"},
                {"display": "Testhausen Laboratory"},
            ],
            method={"text": "targeted genotyping of *2, *3 and *17"},
        )
    )
    assert found.reference == "Observation/obs"
    assert (found.on, found.laboratory, found.method) == (date(2024, 3, 5), "Testhausen Laboratory", "genotype")
    assert (found.panel, found.quoted) == (("*2", "*3", "*17"), "CYP2C19 *1/*2")
    assert found.coding is not None
    assert found.coding.code == "84413-4"


def test_the_specimen_of_a_gene_result_is_kept_and_of_a_laboratory_value_it_is_not() -> None:
    """By its display, its type and its site, folded."""
    taken = {
        "resourceType": "Specimen",
        "id": "hair",
        "type": {"text": "Hair-follicle"},
        "collection": {"bodySite": {"text": "Eyebrow"}},
        "subject": subject(),
    }
    specimen = {"reference": "Specimen/hair", "display": "Hairs"}
    assert reading(genotype("CYP2C19", "*1/*2", specimen=specimen), taken).specimen == "hairs hair follicle eyebrow"
    assert reading(genotype("CYP2C19", "*1/*2")).specimen == ""
    potassium = observation(
        "k", concept("2823-3"), valueQuantity={"value": 4, "unit": "mmol/L"}, specimen={"display": "Serum"}
    )
    assert reading(potassium).specimen == ""


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"issued": "2020-02-03T00:00:00Z"}, date(2020, 2, 3)),
        ({"effectivePeriod": {"start": "2019-01-01", "end": "2019-02-01"}}, date(2019, 2, 1)),
        ({"effectiveTiming": {"event": ["2019-02-01T08:00:00Z", "2019-01-01"]}}, date(2019, 2, 1)),
        ({"effectiveTiming": {"repeat": {"boundsPeriod": {"end": "2019-02-01"}}}}, date(2019, 2, 1)),
        ({"effectiveTiming": {"code": {"text": "BID"}}, "issued": "2019-02-01"}, date(2019, 2, 1)),
        ({"effectiveDateTime": "2016"}, Span(date(2016, 1, 1), date(2016, 12, 31))),
        ({"effectiveDateTime": "2016-13-45"}, None),
        ({}, None),
    ],
)
def test_dates(fields: dict[str, object], expected: When | None) -> None:
    assert reading(genotype("CYP2C19", "*1/*2", **fields)).on == expected


@pytest.mark.parametrize("status", ["final", "amended", "corrected"])
def test_final_statuses(status: str) -> None:
    found = reading(genotype("CYP2C19", "*1/*2", status=status))
    assert (found.status, found.grade) == (ReadingStatus.FINAL, Grade.CLINICAL)


def test_preliminary_is_kept_as_such() -> None:
    assert reading(genotype("CYP2C19", "*1/*2", status="preliminary")).status is ReadingStatus.PRELIMINARY


@pytest.mark.parametrize("status", ["cancelled", "entered-in-error"])
def test_dropped_statuses(status: str) -> None:
    assert says(genotype("CYP2C19", "*1/*2", status=status)) == []


@pytest.mark.parametrize("status", ["unknown", None])
def test_a_result_of_unknown_status_is_unverified(status: str | None) -> None:
    found = reading(genotype("CYP2C19", "*1/*2", status=status))
    assert (found.grade, found.why_unverified) == (Grade.UNVERIFIED, "status_unknown")


def test_a_registered_result_is_a_pending_test() -> None:
    result = read_all(
        genotype("CYP2C19", "", status="registered"),
        observation(code=concept("50956-2"), name="h", status="registered"),
    )
    assert {p.markers for p in result.patient.pending} == {("gene:CYP2C19",), ("hla:B*57:01", "hla:B*15:02")}
    assert result.patient.readings == ()


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"performer": [subject()]}, "patient_reported"),
        ({"performer": [{"reference": "RelatedPerson/mother"}]}, "patient_reported"),
        ({"category": [{"coding": [{"code": "survey"}]}]}, "patient_reported"),
        ({"derivedFrom": [{"reference": "QuestionnaireResponse/q"}]}, "patient_reported"),
        ({"performer": [{"display": "Direct-to-Consumer Genomics"}]}, "consumer"),
        ({"meta": {"tag": [{"code": "DTC"}]}}, "consumer"),
        ({"method": {"text": "consumer array"}}, "consumer"),
    ],
)
def test_results_that_no_laboratory_vouches_for(fields: dict[str, object], why: str) -> None:
    found = reading(genotype("CYP2C19", "*1/*2", **fields))
    assert (found.grade, found.why_unverified) == (Grade.UNVERIFIED, why)


def test_a_performer_that_is_the_patients_own_record() -> None:
    patient = {"resourceType": "Patient", "id": "ada"}
    assert (
        reading(patient, genotype("CYP2C19", "*1/*2", performer=[{"reference": "urn:uuid:ada"}])).grade
        is Grade.UNVERIFIED
    )


def test_the_laboratory_by_reference_and_from_the_report() -> None:
    laboratory = {"resourceType": "Organization", "id": "lab", "name": "Testhausen Laboratory"}
    report = {
        "resourceType": "DiagnosticReport",
        "id": "r",
        "status": "final",
        "performer": [{"reference": "Organization/lab"}],
        "result": [{"reference": "Observation/obs"}],
    }
    assert reading(laboratory, genotype("CYP2C19", "*1/*2", performer=[{"reference": "Organization/lab"}])).laboratory
    assert reading(laboratory, report, genotype("CYP2C19", "*1/*2")).laboratory == "Testhausen Laboratory"


@pytest.mark.parametrize(
    "extra",
    [
        {
            "component": [
                gene_component(text="CYP2C19"),
                {"code": concept("48002-0"), "valueCodeableConcept": concept("LA6684-0")},
            ]
        },
        {"component": [gene_component(text="CYP2C19"), {"code": concept("48002-0"), "valueString": "Fetal"}]},
        {"specimen": {"display": "Tumour biopsy"}},
        {"specimen": {"reference": "Specimen/s"}},
        {
            "specimen": {"reference": "#inside"},
            "contained": [{"resourceType": "Specimen", "id": "inside", "type": {"text": "Solid tumor"}}],
        },
        {
            "extension": [
                {
                    "url": "http://x/observation-geneticsGenomicSourceClass",
                    "valueCodeableConcept": {"text": "somatic"},
                }
            ]
        },
    ],
)
def test_results_that_are_not_inherited_are_kept_out(extra: dict[str, object]) -> None:
    specimen = {"resourceType": "Specimen", "id": "s", "type": {"text": "Solid tumor"}}
    result = read_all(specimen, {**genotype("CYP2C19", "*1/*2"), **extra})
    assert (result.patient.readings, gap_reasons(result)) == ((), ["not_germline"])


def test_a_germline_source_class_is_read() -> None:
    source = {"code": concept("48002-0"), "valueCodeableConcept": concept("LA6683-2", "Germline")}
    assert says({**genotype("CYP2C19", "*1/*2"), "component": [gene_component(text="CYP2C19"), source]}) == [
        Diplotype("*1/*2")
    ]


def test_the_panel_from_the_region_studied_and_from_notes() -> None:
    region = {"code": concept("53041-0"), "valueString": "c.1905+1G>A, c.2846A>T and rs67376798"}
    resource = {**genotype("DPYD", "Reference/Reference"), "component": [gene_component(text="DPYD"), region]}
    noted = genotype("CYP2C19", "*1/*1", note=[{"text": "Alleles tested: *2, *3"}])
    assert reading(resource).panel == ("c.1905+1G>A (*2A)", "c.2846A>T", "rs67376798")
    assert reading(noted).panel == ("*2", "*3")


def test_the_panel_from_a_region_studied_observation_of_the_same_report() -> None:
    def region(name: str, gene: str) -> dict[str, object]:
        return observation(
            name, code=concept("53041-0"), component=[gene_component(text=gene)], valueString="*2 and *3"
        )

    results = [{"reference": f"Observation/{name}"} for name in ("obs", "mine", "gone")]
    report = {"resourceType": "DiagnosticReport", "id": "r", "status": "final", "result": results}
    linked = genotype("CYP2C19", "*1/*1", derivedFrom=[{"reference": "Observation/other"}])
    assert reading(report, region("mine", "CYP2C19"), genotype("CYP2C19", "*1/*1")).panel == ("*2", "*3")
    assert reading(region("mine", "CYP2C19"), genotype("CYP2C19", "*1/*1")).panel == ()
    assert reading(region("other", "CYP2D6"), linked).panel == ()


def test_a_region_studied_observation_is_no_result() -> None:
    result = read_all(
        observation(code=concept("53041-0"), component=[gene_component(text="CYP2C19")], valueString="*2")
    )
    assert (result.patient.readings, result.patient.gaps) == ((), ())


@pytest.mark.parametrize("fields", [{"dataAbsentReason": concept("not-performed", system="x")}, {}])
def test_a_result_without_a_value_is_a_gap(fields: dict[str, object]) -> None:
    result = read_all(observation(component=[gene_component(text="CYP2D6")], code=concept("z"), **fields))
    assert (result.patient.readings, gap_reasons(result)) == ((), ["no_value"])


def test_an_enzymes_activity_is_a_quantity_and_no_genotype() -> None:
    value = {"value": 12, "unit": "U/mL", "comparator": "<"}
    on_gene, value_itself = read_all(observation(code=concept("21563-2"), valueQuantity=value)).patient.readings
    assert (on_gene.observable, value_itself.observable) == ("gene:TPMT", "lab:tpmt_activity")
    assert (on_gene.says, on_gene.method) == (Quantity(12.0, "U/mL", "<"), "enzyme_activity")
    assert (value_itself.says, value_itself.quoted) == (Quantity(12.0, "U/mL", "<"), "<12 U/mL")


def test_an_enzyme_method_is_not_a_genotype() -> None:
    resource = genotype(
        "TPMT", "normal metabolizer", code=concept("local", system="x"), method={"text": "RBC enzyme assay"}
    )
    assert reading(resource).method == "enzyme_activity"


def test_a_number_without_a_meaning_is_not_readable() -> None:
    resource = observation(component=[gene_component(text="CYP2D6")], valueQuantity={"value": 2})
    assert says(resource) == [NotReadable("not_understood")]


def test_a_row_without_a_gene_takes_that_of_its_panel_or_of_its_only_sibling() -> None:
    row = observation("row", code=concept("62365-2", "Interpretation"), valueString="Intermediate metabolizer")
    members = [{"reference": "Observation/row"}, {"reference": "Observation/obs"}]
    panel = observation("panel", code={"text": "CYP2C19 panel"}, hasMember=members)
    report = {"resourceType": "DiagnosticReport", "id": "r", "status": "final", "result": members}
    alone = read_all(row)
    assert (alone.patient.readings, gap_reasons(alone)) == ((), ["gene_not_named"])
    assert ("gene:CYP2C19", Phenotype("Intermediate Metabolizer")) in {
        (r.observable, r.says) for r in read_all(row, panel, genotype("CYP2D6", "*1/*4")).patient.readings
    }
    by_sibling = read_all(row, report, genotype("CYP2D6", "*1/*4")).patient.readings
    assert ("gene:CYP2D6", Phenotype("Intermediate Metabolizer")) in {(r.observable, r.says) for r in by_sibling}


def test_a_row_among_siblings_of_several_genes_has_none() -> None:
    row = observation("row", code=concept("62365-2"), valueString="Intermediate metabolizer")
    names = ("row", "a", "b")
    report = {
        "resourceType": "DiagnosticReport",
        "id": "r",
        "result": [{"reference": f"Observation/{n}"} for n in names],
    }
    found = read_all(
        row, report, genotype("CYP2D6", "*1/*4", "a"), genotype("CYP2C19", "*1/*2", "b")
    ).patient.readings
    assert {r.reference for r in found} == {"Observation/a", "Observation/b"}


def test_a_panel_without_a_value_of_its_own_is_no_gap() -> None:
    panel = observation(
        "panel", code=concept("81247-9", "CYP2C19 panel"), hasMember=[{"reference": "Observation/obs"}]
    )
    assert gap_reasons(read_all(panel, genotype("CYP2C19", "*1/*2"))) == []


def test_a_link_in_a_circle_ends() -> None:
    one = observation("one", code=concept("z"), valueString="x", derivedFrom=[{"reference": "Observation/two"}])
    two = observation("two", code=concept("z"), valueString="x", derivedFrom=[{"reference": "Observation/one"}])
    assert read_all(one, two).patient.readings == ()


def variant(name: str = "var", gene: str = "DPYD", value: object = None, **parts: object) -> dict[str, object]:
    codes = {"c": "48004-6", "g": "81290-9", "ref": "69547-8", "alt": "69551-0", "state": "53034-5", "seq": "48013-7",
             "start": "81254-5"}  # fmt: skip
    components = [gene_component(text=gene)]
    for key, part in parts.items():
        form = "valueString" if isinstance(part, str) else "valueRange" if key == "start" else "valueCodeableConcept"
        components.append({"code": concept(codes[key]), form: part})
    answer = concept("LA9633-4", "Present") if value is None else value
    return observation(name, code=concept("69548-6"), component=components, valueCodeableConcept=answer)


def test_one_variant_of_the_genes_table_with_its_zygosity_is_a_genotype() -> None:
    het = variant(c=concept("NM_000110.4:c.1905+1G>A", system="hgvs"), state=concept("LA6706-1"))
    hom = variant(c="c.1905+1G>A", state={"text": "Homozygous"})
    assert says(het) == [Diplotype("Reference/c.1905+1G>A (*2A)")]
    assert says(hom) == [Diplotype("c.1905+1G>A (*2A)/c.1905+1G>A (*2A)")]


def test_a_variant_without_zygosity_is_only_present() -> None:
    assert says(variant(c="c.1905+1G>A")) == [Presence("c.1905+1G>A (*2A)", present=True)]
    assert says(variant(c="c.1905+1G>A", state={"text": "unclear"})) == [Presence("c.1905+1G>A (*2A)", present=True)]


def test_a_zygosity_among_other_codings() -> None:
    state = {"coding": [{"system": "urn:x", "code": "1"}, {"system": "http://loinc.org", "code": "LA6706-1"}]}
    assert says(variant(c="c.1905+1G>A", state=state)) == [Diplotype("Reference/c.1905+1G>A (*2A)")]


def test_several_variants_of_one_gene_stay_single_findings() -> None:
    one = variant("a", c="c.1905+1G>A", state=concept("LA6706-1"))
    two = variant("b", c="c.2846A>T", state=concept("LA6706-1"))
    assert set(says(one, two)) == {Presence("c.1905+1G>A (*2A)", present=True), Presence("c.2846A>T", present=True)}


def test_a_zygosity_without_a_value_means_present() -> None:
    resource = variant(c="c.1905+1G>A", state=concept("LA6706-1"))
    del resource["valueCodeableConcept"]
    assert says(resource) == [Diplotype("Reference/c.1905+1G>A (*2A)")]


def test_present_with_the_reference_base_is_the_reference() -> None:
    place = {"seq": concept("NC_1.1"), "start": {"low": {"value": 12}}}
    assert says(variant(gene="CYP2C19", ref="C", alt="C", **place)) == [Presence("NC_1.1:g.12C>C", present=False)]
    assert says(variant(gene="CYP2C19", ref="C", alt="T", **place)) == [Presence("NC_1.1:g.12C>T", present=True)]
    assert says(variant(gene="CYP2C19", ref="C", alt="T")) == [NotReadable("not_understood")]


def test_a_variant_is_never_made_into_a_star_allele() -> None:
    found = says(variant(gene="CYP2C19", g=concept("NC_000010.10:g.96541616G>A", system="hgvs")))
    assert found == [Presence("NC_000010.10:g.96541616G>A", present=True)]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (concept("LA9634-2", "Absent"), Presence("c.2846A>T", present=False)),
        (concept("LA18198-4", "No call"), Undetermined("No call")),
        (concept("LA9634-2", "Present"), SelfContradiction(("Present", "LA9634-2"))),
        ({"text": "gone fishing"}, NotReadable("not_understood")),
    ],
)
def test_what_a_variant_may_answer(value: dict[str, object], expected: object) -> None:
    assert says(variant(c="c.2846A>T", value=value)) == [expected]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Present", Presence("*2", present=True)),
        ("Heterozygous", Diplotype("*1/*2")),
        ("Homozygous", Diplotype("*2/*2")),
        ("Not detected", Presence("*2", present=False)),
    ],
)
def test_a_code_that_asks_about_one_allele(value: str, expected: object) -> None:
    assert says(observation(code=concept("66741-0"), valueString=value)) == [expected]


@pytest.mark.parametrize(
    ("text", "present"),
    [("c.2846A>T not detected", False), ("c.2846A>T: present", True), ("no c.2846A>T detected", False)],
)
def test_an_allele_named_as_found_or_not(text: str, present: bool) -> None:
    found = says(genotype("DPYD", text))
    assert found in ([Presence("c.2846A>T", present)], [NotReadable("not_understood")])
    assert present or found != [Presence("c.2846A>T", present=True)]


def haplotype(name: str, gene: str, allele: str, **fields: object) -> dict[str, object]:
    return genotype(gene, allele, name, code=concept("84414-2"), **fields)


SOURCES = [{"reference": "Observation/one"}, {"reference": "Observation/two"}]


def test_two_haplotypes_make_the_genotype_that_derives_from_them() -> None:
    empty = observation(component=[gene_component(text="CYP2C19")], derivedFrom=SOURCES)
    assert says(empty, haplotype("one", "CYP2C19", "*17"), haplotype("two", "CYP2C19", "*2")) == [Diplotype("*2/*17")]


def test_a_genotype_by_another_code_system_is_rebuilt_too() -> None:
    empty = observation(
        code=concept("363779003", system=SNOMED), component=[gene_component(text="CYP2C19")], derivedFrom=SOURCES
    )
    assert says(empty, haplotype("one", "CYP2C19", "*1"), haplotype("two", "CYP2C19", "*2")) == [Diplotype("*1/*2")]


def test_haplotypes_of_different_genes_are_refused() -> None:
    empty = observation(component=[gene_component(text="CYP2C19")], derivedFrom=SOURCES)
    found = says(empty, haplotype("one", "CYP2D6", "*4"), haplotype("two", "CYP2C19", "*2"))
    assert found == [SelfContradiction(("CYP2C19", "CYP2D6"))]


def test_one_haplotype_is_not_a_genotype() -> None:
    empty = observation(component=[gene_component(text="CYP2C19")], derivedFrom=SOURCES[:1])
    result = read_all(empty, haplotype("one", "CYP2C19", "*2"))
    assert (result.patient.readings, gap_reasons(result)) == ((), ["no_value"])


def test_a_haplotype_alone_says_that_its_allele_is_there() -> None:
    assert says(haplotype("one", "CYP2C19", "CYP2C19*2")) == [Presence("*2", present=True)]
    assert says(genotype("CYP2C19", "*2")) == [Presence("*2", present=True)]
    assert says(haplotype("one", "CYP2C19", "nonsense")) == [NotReadable("not_understood")]


def test_two_codes_for_one_allele_each_make_a_genotype() -> None:
    one = observation("one", code=concept("73682-7"), valueString="*4")
    two = observation("two", code=concept("73681-9"), valueString="*1")
    assert says(one, two) == [Diplotype("*1/*4")]
    assert says(one) == [Presence("*4", present=True)]
    assert says(observation("one", code=concept("73682-7"), valueString="*1/*4")) == [Diplotype("*1/*4")]


def test_a_laboratory_value_by_the_tests_of_the_knowledge() -> None:
    value = {"value": "4.2", "unit": "mmol/L", "code": "258813002", "system": SNOMED}
    found = reading(observation(code=concept("2823-3"), valueQuantity=value))
    assert (found.observable, found.says) == ("lab:potassium", Quantity(4.2, "mmol/L"))


def test_units_come_from_ucum_where_it_is_used() -> None:
    value = {"value": 4.2, "unit": "millimole per litre", "code": "mmol/L", "system": "http://unitsofmeasure.org"}
    assert says(observation(code=concept("2823-3"), valueQuantity=value)) == [Quantity(4.2, "mmol/L")]


def test_a_laboratory_value_without_a_number_is_a_gap() -> None:
    result = read_all(observation(code=concept("2823-3")))
    assert (result.patient.readings, gap_reasons(result)) == ((), ["no_value"])
    pending = read_all(observation(code=concept("2823-3"), status="registered")).patient
    assert ([test.markers for test in pending.pending], pending.gaps) == ([("lab:potassium",)], ())


def test_the_newest_version_of_a_result_counts_whatever_the_order() -> None:
    old = genotype("CYP2C19", "*1/*1", meta={"versionId": "1"})
    new = genotype("CYP2C19", "*1/*2", meta={"versionId": "2"}, status="amended")
    assert says(old, new) == says(new, old) == [Diplotype("*1/*2")]


def test_a_version_entered_in_error_takes_the_result_with_it() -> None:
    old = genotype("CYP2C19", "*1/*1", meta={"lastUpdated": "2024-01-01T00:00:00Z"})
    new = genotype("CYP2C19", "*1/*2", meta={"lastUpdated": "2024-02-01T00:00:00"}, status="entered-in-error")
    assert says(old, new) == []


def test_versions_that_cannot_be_told_apart_are_both_kept() -> None:
    assert set(says(genotype("CYP2C19", "*1/*1"), genotype("CYP2C19", "*1/*2"))) == {
        Diplotype("*1/*1"),
        Diplotype("*1/*2"),
    }
    assert says(genotype("CYP2C19", "*1/*1"), genotype("CYP2C19", "*1/*1")) == [Diplotype("*1/*1")]
