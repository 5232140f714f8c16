"""Genes and genotypes: where the gene stands, how the genotype is written, and disagreement within a resource."""

from __future__ import annotations

import pytest

from cds_service.memory import LONGEST_CONTENT
from cds_service.model import (
    ActivityScore,
    Diplotype,
    Grade,
    NotReadable,
    OneOf,
    Phenotype,
    Presence,
    SelfContradiction,
    Undetermined,
)

from .small import concept, gap_reasons, gene_component, genotype, observation, read_all, says

HGNC = "http://www.genenames.org"


@pytest.mark.parametrize(
    ("gene", "text", "expected"),
    [
        ("CYP2C19", "CYP2C19 *2/*1", "*1/*2"),
        ("CYP2C19", "CYP2C19*17/*2", "*2/*17"),
        ("CYP2C19", "*2|*1", "*1/*2"),
        ("CYP2C19", "\u200b*1/*\u200b2", "*1/*2"),
        ("CYP2C19", "*2 heterozygous", "*1/*2"),
        ("CYP2C19", "Homozygous for *2", "*2/*2"),
        ("CYP2C19", "*1/*99", "*1/*99"),
        ("CYP2C19", "No variants detected", "*1/*1"),
        ("CYP2D6", "CYP2D6*7.001 / CYP2D6*1.001", "*1/*7"),
        ("CYP2D6", "*1/[*36 + *10]", "*1/*36+*10"),
        ("DPYD", "c.1905+1G>A (*2A)/Reference", "Reference/c.1905+1G>A (*2A)"),
        ("DPYD", "c.1905+1G>A heterozygous", "Reference/c.1905+1G>A (*2A)"),
        ("DPYD", "c.1905+1G>A (*2A) heterozygous", "Reference/c.1905+1G>A (*2A)"),
        ("DPYD", "heterozygous (c.2846A>T)", "Reference/c.2846A>T"),
        ("VKORC1", "VKORC1 rs9923231 C/T", "rs9923231 reference (C)/rs9923231 variant (T)"),
        ("VKORC1", "rs9923231 G>A", "rs9923231 reference (C)/rs9923231 variant (T)"),
        ("MT-RNR1", "m.1555A>G", "m.1555A>G"),
        ("MT-RNR1", "wild type", "Reference"),
        ("MT-RNR1", "m.1555A>G homozygous", "m.1555A>G"),
    ],
)
def test_genotype_text_becomes_the_genes_own_notation(gene: str, text: str, expected: str) -> None:
    assert says(genotype(gene, text)) == [Diplotype(expected)]


def test_a_text_too_long_to_be_remembered_is_read_like_any_other() -> None:
    text = "CYP2C19 *1/*2" + " as reported by the laboratory;" * 30
    assert len(text) > LONGEST_CONTENT
    assert says(genotype("CYP2C19", text)) == [Diplotype("*1/*2")]


@pytest.mark.parametrize("text", ["*1/*2/*3", "CYP2C19 is not *1/*2", "see attached report", "rs12248560 C/T"])
def test_what_cannot_be_understood_is_said_and_not_guessed(text: str) -> None:
    assert says(genotype("CYP2C19", text)) == [NotReadable("not_understood")]


def test_an_undetermined_code_and_its_words_are_one_statement() -> None:
    value = {"coding": [{"code": "x", "display": "Indeterminate"}], "text": "No call"}
    found = says(observation(component=[gene_component(text="CYP2C19")], valueCodeableConcept=value))
    assert found == [Undetermined("No call")]


def test_several_genotypes_left_open_are_no_call() -> None:
    text = "*1/*3A or *3B/*3C"
    assert says(genotype("TPMT", text)) == [Undetermined(text)]


@pytest.mark.parametrize("text", ["Indeterminate", "No call", "inconclusive"])
def test_a_test_without_a_call_is_undetermined(text: str) -> None:
    assert says(genotype("CYP2C19", text)) == [Undetermined(text)]


def test_an_undetermined_answer_code_is_undetermined() -> None:
    value = concept("LA18198-4")
    resource = observation(component=[gene_component(text="CYP2C19")], valueCodeableConcept=value)
    assert says(resource) == [Undetermined("LA18198-4")]


def test_a_coded_genotype_is_read_from_its_display_and_code() -> None:
    value = {
        "coding": [
            {"system": "http://www.ncbi.nlm.nih.gov/clinvar", "code": "638797", "display": "CYP2C19*2/*2"},
            {"system": "https://www.pharmvar.org", "code": "CYP2C19 *2/*2"},
        ]
    }
    resource = observation(component=[gene_component("HGNC:2621", "CYP2C19")], valueCodeableConcept=value)
    reading = read_all(resource).patient.readings[0]
    assert (reading.says, reading.grade) == (Diplotype("*2/*2"), Grade.CLINICAL)


def test_display_and_text_that_differ_contradict_each_other() -> None:
    value = {"coding": [{"code": "x", "display": "CYP2C19 *1/*2"}], "text": "*1/*3"}
    found = says(observation(component=[gene_component(text="CYP2C19")], valueCodeableConcept=value))
    assert [type(s) for s in found] == [SelfContradiction]


@pytest.mark.parametrize(
    "extra",
    [
        {"component": [gene_component("HGNC:2621")]},
        {"component": [gene_component("2621")]},
        {"component": gene_component("CYP2C19")},
        {"component": [{"code": concept("48018-6"), "valueString": "CYP2C19"}]},
        {
            "component": [
                {
                    "code": concept("48018-6"),
                    "valueCodeableConcept": concept("1557", system="http://www.ncbi.nlm.nih.gov/gene"),
                }
            ]
        },
        {
            "extension": [
                {
                    "url": "http://hl7.org/fhir/StructureDefinition/observation-geneticsGene",
                    "valueCodeableConcept": concept("2621", system=HGNC),
                }
            ]
        },
        {"code": concept("66489-6")},
        {"code": concept("local", "CYP2C19 genotype", system="urn:lab")},
        {"code": {"text": "Cytochrome P450 2C19 genotype"}},
    ],
)
def test_the_gene_is_found_wherever_it_stands(extra: dict[str, object]) -> None:
    result = read_all(observation(valueString="*1/*2", **extra))
    assert [(r.observable, r.says) for r in result.patient.readings] == [("gene:CYP2C19", Diplotype("*1/*2"))]
    assert gap_reasons(result) == []


def test_a_gene_named_only_by_uncoded_words_is_of_low_grade() -> None:
    by_words = read_all(observation(code={"text": "CYP2C19 genotype"}, valueString="*1/*2"))
    by_code = read_all(observation(code=concept("l", "CYP2C19 genotype", system="urn:lab"), valueString="*1/*2"))
    assert by_words.patient.readings[0].grade is Grade.LOW
    assert by_code.patient.readings[0].grade is Grade.CLINICAL


def test_another_genes_code_beside_the_symbol_is_a_contradiction() -> None:
    resource = observation(component=[gene_component("HGNC:2625", "CYP2C19")], valueString="*1/*4")
    found = read_all(resource).patient.readings
    assert {r.observable for r in found} == {"gene:CYP2C19", "gene:CYP2D6"}
    assert all(isinstance(r.says, SelfContradiction) for r in found)


def test_an_unknown_code_beside_the_symbol_is_that_symbol_and_a_gap() -> None:
    result = read_all(observation(component=[gene_component("HGNC:262", "CYP2C19")], valueString="*1/*2"))
    assert [r.says for r in result.patient.readings] == [Diplotype("*1/*2")]
    assert gap_reasons(result) == ["unknown_code"]


def test_component_and_code_that_name_different_genes_contradict_each_other() -> None:
    resource = observation(code=concept("66489-6"), component=[gene_component(text="CYP2D6")], valueString="*1/*2")
    assert all(isinstance(s, SelfContradiction) for s in says(resource))


def test_a_gene_outside_the_knowledge_gives_nothing() -> None:
    result = read_all(genotype("FOXP2", "FOXP2 a/b"))
    assert (result.patient.readings, result.patient.gaps) == ((), ())


def test_a_gene_outside_the_knowledge_against_a_known_code_is_a_contradiction() -> None:
    resource = observation(code=concept("66489-6"), component=[gene_component(text="APOE")], valueString="*1/*2")
    assert isinstance(says(resource)[0], SelfContradiction)


def test_an_ambiguous_code_needs_a_second_witness() -> None:
    alone = read_all(observation(code=concept("79714-2"), valueCodeableConcept=concept("LA9657-3")))
    named = observation(code=concept("79714-2", "CYP2C19 activity"), valueCodeableConcept=concept("LA9657-3"))
    other = observation(code=concept("79714-2", "CYP2D6 activity"), valueCodeableConcept=concept("LA9657-3"))
    assert (alone.patient.readings, gap_reasons(alone)) == ((), ["gene_not_confirmed"])
    assert says(named) == [Phenotype("Poor Metabolizer")]
    assert all(isinstance(s, SelfContradiction) for s in says(other))


def test_a_variant_that_the_result_names_is_not_taken_for_the_allele_that_its_code_asks_about() -> None:
    asked = observation(code=concept("66741-0"), valueString="Positive")
    named = asked | {"component": [{"code": concept("48004-6"), "valueCodeableConcept": {"text": "c.636G>A"}}]}
    assert says(asked) == [Presence("*2", present=True)]
    assert says(named) == [Presence("c.636G>A", present=True)]


def test_an_implication_inherits_no_gene_from_a_result_that_contradicts_itself() -> None:
    source = observation(
        code=concept("66489-6"), component=[gene_component(text="NOSUCH1")], valueCodeableConcept={"text": "*1/*2"}
    )
    derived = [{"reference": "Observation/obs"}]
    found = read_all(source, implication("therapeutic-implication", concept("LA9657-3"), derivedFrom=derived))
    assert [r.observable for r in found.patient.readings if r.reference == "Observation/imp"] == ["implication"]


def test_several_gene_components_are_one_reading_each() -> None:
    components = [gene_component(text="CYP2C19"), gene_component(text="CYP2C9")]
    found = read_all(observation(component=components, valueString="*1/*1")).patient.readings
    assert {(r.observable, r.says) for r in found} == {
        ("gene:CYP2C19", Diplotype("*1/*1")),
        ("gene:CYP2C9", Diplotype("*1/*1")),
    }


def implication(code: str, value: dict[str, object], **fields: object) -> dict[str, object]:
    component = {
        "code": concept(code, system="http://hl7.org/x/CodeSystem/tbd-codes-cs"),
        "valueCodeableConcept": value,
    }
    return observation("imp", code=concept("therapeutic-implication", system="x"), component=[component], **fields)


@pytest.mark.parametrize("code", ["therapeutic-implication", "predicted-therapeutic-implication"])
def test_an_implication_takes_its_gene_from_what_it_derives_from(code: str) -> None:
    value = concept("LA9657-3", "Poor metabolizer")
    resource = implication(code, value, derivedFrom=[{"reference": "Observation/obs"}])
    found = read_all(resource, genotype("CYP2C19", "*2/*2")).patient.readings
    assert {(r.reference, r.says) for r in found} == {
        ("Observation/imp", Phenotype("Poor Metabolizer")),
        ("Observation/obs", Diplotype("*2/*2")),
    }


def test_what_a_result_entered_in_error_says_is_not_inherited() -> None:
    source = genotype("CYP2C19", "*2/*2", status="entered-in-error")
    resource = implication(
        "therapeutic-implication", concept("LA9657-3"), derivedFrom=[{"reference": "Observation/obs"}]
    )
    assert [found.observable for found in read_all(resource, source).patient.readings] == ["implication"]


def test_an_implication_inherits_no_gene_from_a_result_that_names_two() -> None:
    source = observation(
        component=[gene_component("HGNC:2621", text="CYP2C9")], valueCodeableConcept={"text": "*1/*1"}
    )
    resource = implication(
        "therapeutic-implication", concept("LA9657-3"), derivedFrom=[{"reference": "Observation/obs"}]
    )
    found = read_all(resource, source).patient.readings
    assert [r.observable for r in found if r.reference == "Observation/imp"] == ["implication"]


def test_a_gene_number_needs_no_system_where_it_says_whose_it_is() -> None:
    part = {"code": concept("48018-6"), "valueCodeableConcept": {"coding": [{"code": "HGNC:2621"}]}}
    resource = observation(component=[part], valueCodeableConcept={"text": "*1/*2"})
    assert [r.observable for r in read_all(resource).patient.readings] == ["gene:CYP2C19"]


def test_a_code_of_one_gene_beside_the_name_of_a_gene_that_is_not_ours_contradicts_itself() -> None:
    resource = observation(
        code=concept("66489-6"), component=[gene_component(text="NOSUCH1")], valueCodeableConcept={"text": "*1/*2"}
    )
    assert [type(one) for one in says(resource)] == [SelfContradiction]


@pytest.mark.parametrize("name", ["geneticsGene", "observation-geneticsGene", "gene-studied"])
def test_an_extension_may_name_the_gene(name: str) -> None:
    extension = {"url": f"http://x/{name}", "valueCodeableConcept": {"text": "CYP2C19"}}
    resource = observation(extension=[extension], valueCodeableConcept={"text": "*1/*2"})
    assert [r.observable for r in read_all(resource).patient.readings] == ["gene:CYP2C19"]


def test_a_number_of_another_list_is_no_gene() -> None:
    part = {"code": concept("48018-6"), "valueCodeableConcept": concept("2621", system="http://lab.example/genes")}
    assert says(observation(component=[part], valueCodeableConcept={"text": "*1/*2"})) == []


def test_a_result_on_a_gene_that_its_code_alone_names_inherits_none() -> None:
    """Of a gene that is not ours, by number and without a name."""
    resource = observation(
        "imp", component=[gene_component("99")], valueString="*1/*1", derivedFrom=[{"reference": "Observation/obs"}]
    )
    found = read_all(resource, genotype("CYP2C19", "*2/*2")).patient.readings
    assert [(r.observable, r.reference) for r in found] == [("gene:CYP2C19", "Observation/obs")]


def test_the_interpretation_of_a_result_without_a_value_may_be_its_phenotype() -> None:
    parts, words = [gene_component("HGNC:2621")], [{"text": "Poor metabolizer"}]
    assert says(observation(component=parts, interpretation=words)) == [Phenotype("Poor Metabolizer")]


def test_a_result_takes_its_gene_from_what_it_consists_of() -> None:
    members = [{"reference": "Observation/obs"}]
    whole = observation(
        "whole",
        code=concept("l", "Metaboliser status", system="u"),
        valueString="Poor metabolizer",
        hasMember=members,
    )
    found = read_all(whole, genotype("CYP2C19", "*2/*2")).patient.readings
    assert {(r.observable, r.reference) for r in found} == {
        ("gene:CYP2C19", "Observation/whole"),
        ("gene:CYP2C19", "Observation/obs"),
    }


def test_an_implication_of_no_named_gene_is_a_gap() -> None:
    assert gap_reasons(read_all(implication("therapeutic-implication", concept("LA9657-3")))) == ["gene_not_named"]


def test_an_implication_of_several_genes_is_a_gap() -> None:
    sources = [{"reference": "Observation/a"}, {"reference": "Observation/b"}]
    resource = implication("therapeutic-implication", concept("LA9657-3"), derivedFrom=sources)
    result = read_all(resource, genotype("CYP2C19", "*1/*1", "a"), genotype("CYP2C9", "*1/*1", "b"))
    assert gap_reasons(result) == ["gene_not_named"]


def test_an_implication_of_several_genes_without_a_value_is_no_gap() -> None:
    sources = [{"reference": "Observation/a"}, {"reference": "Observation/b"}]
    resource = observation(code=concept("therapeutic-implication", system="x"), derivedFrom=sources)
    assert gap_reasons(read_all(resource, genotype("CYP2C19", "*1/*1", "a"), genotype("CYP2C9", "*1/*1", "b"))) == []


def test_a_phenotype_in_the_value_is_read() -> None:
    value = concept("LA9657-3", "Poor metabolizer")
    resource = observation(
        code=concept("53040-2"), component=[gene_component(text="CYP2C19")], valueCodeableConcept=value
    )
    assert says(resource) == [Phenotype("Poor Metabolizer")]


def test_code_and_display_of_a_phenotype_that_differ_contradict_each_other() -> None:
    value = concept("LA9657-3", "Normal metabolizer")
    resource = observation(
        code=concept("53040-2"), component=[gene_component(text="CYP2C19")], valueCodeableConcept=value
    )
    assert says(resource) == [SelfContradiction(("Normal metabolizer", "LA9657-3"))]


def test_an_older_word_for_the_same_phenotype_is_no_contradiction() -> None:
    value = concept("LA25391-6", "Extensive metabolizer (EM)")
    resource = observation(
        code=concept("53040-2"), component=[gene_component(text="CYP2C19")], valueCodeableConcept=value
    )
    assert says(resource) == [Phenotype("Normal Metabolizer")]


def test_an_answer_that_the_gene_has_no_term_for_is_told() -> None:
    value = concept("LA19541-4")
    resource = observation(
        code=concept("53040-2"), component=[gene_component(text="CYP2C19")], valueCodeableConcept=value
    )
    result = read_all(resource)
    assert [r.says for r in result.patient.readings] == [NotReadable("not_understood")]
    assert gap_reasons(result) == ["unknown_answer"]


def test_a_phenotype_beside_a_diplotype_gives_both() -> None:
    found = read_all(genotype("CYP2C19", "*2/*2 (Poor Metabolizer)")).patient.readings
    assert {r.says for r in found} == {Diplotype("*2/*2"), Phenotype("Poor Metabolizer")}
    assert {r.grade for r in found} == {Grade.CLINICAL}


def test_an_abbreviation_counts_only_in_brackets() -> None:
    assert set(says(genotype("CYP2C19", "*2/*2 (PM)"))) == {Diplotype("*2/*2"), Phenotype("Poor Metabolizer")}
    assert set(says(genotype("CYP2C19", "*2/*2 PM"))) == {Diplotype("*2/*2"), Phenotype("Poor Metabolizer")}
    assert says(genotype("CYP2C19", "*2/*2 reported at 3 PM")) == [NotReadable("other_words")]
    assert says(genotype("CYP2C19", "*2/*2 reported at 10 PM")) == [NotReadable("other_words")]


@pytest.mark.parametrize("text", ["CYP2C19 PM", "CYP2C19: PM", "CYP2C19 (PM)", "CYP2C19 PM phenotype"])
def test_the_figure_at_the_end_of_a_symbol_makes_no_hour_of_the_abbreviation_behind_it(text: str) -> None:
    assert says(genotype("CYP2C19", text)) == [Phenotype("Poor Metabolizer")]


@pytest.mark.parametrize(
    ("gene", "text"),
    [
        ("CYP2D6", "*1/*4 DUP"),
        ("CYP2D6", "*1/*4, xN"),
        ("CYP2D6", "*1/*4 copy number 3"),
        ("CYP2D6", "*1/*4 deletion"),
        ("CYP2C19", "normal metabolizer (phenoconverted to poor metabolizer)"),
        ("CYP2C19", "at risk of poor metabolizer status"),
        ("CYP2C19", "likely rapid or normal metabolizer"),
    ],
)
def test_a_call_beside_words_that_may_change_it_is_not_read(gene: str, text: str) -> None:
    assert says(genotype(gene, text)) == [NotReadable("other_words")]


@pytest.mark.parametrize(
    "text",
    [
        "*1/*1 invalid",
        "*1/*1, sample mix-up suspected",
        "donor genotype *1/*1",
        "*1/*1 (fetus)",
        "*1/*1 presumed",
        "*1/*1?",
        "normal metabolizer; poor metabolizer cannot be excluded",
    ],
)
def test_a_call_that_words_take_back_is_not_read_whatever_stands_beside_it(text: str) -> None:
    coded = {"coding": [{"system": "http://loinc.org", "code": "LA25391-6"}], "text": text}
    component = {"code": concept("53040-2"), "valueCodeableConcept": concept("LA25391-6")}
    gene = gene_component(text="CYP2C19")
    for beside in (
        genotype("CYP2C19", text),
        observation(component=[gene], valueCodeableConcept=coded),
        observation(component=[gene, component], valueString=text),
    ):
        assert says(beside) == [NotReadable("not_understood")]


@pytest.mark.parametrize("text", ["*1/*1 duplication", "*1/*1 (DUP)", "*1/*1, gene duplication detected"])
def test_a_duplication_of_two_equal_alleles_is_that_alleles(text: str) -> None:
    assert says(genotype("CYP2D6", text)) == [Diplotype("*1/*1xN")]


def test_a_duplication_that_nobody_places_leaves_the_phenotype_beside_it() -> None:
    assert says(genotype("CYP2D6", "*1/*4 DUP (normal metabolizer)")) == [Phenotype("Normal Metabolizer")]


@pytest.mark.parametrize("text", ["*1/*1, no duplication detected", "*1/*1 copy number 2"])
def test_a_duplication_that_is_not_there_changes_nothing(text: str) -> None:
    assert says(genotype("CYP2D6", text)) == [Diplotype("*1/*1")]


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("rapid or normal metabolizer", ("Rapid", "Normal")),
        ("Poor/intermediate metaboliser", ("Poor", "Intermediate")),
        ("intermediate metabolizer or normal metabolizer", ("Intermediate", "Normal")),
        ("poor, intermediate or normal metabolizer", ("Poor", "Intermediate", "Normal")),
        ("poor to normal metabolizer", ("Poor", "Intermediate", "Normal")),
        ("normal-poor metabolizer", ("Normal", "Intermediate", "Poor")),
    ],
)
def test_phenotypes_left_open_are_all_of_them(text: str, terms: tuple[str, ...]) -> None:
    assert says(genotype("CYP2C19", text)) == [OneOf(tuple(f"{term} Metabolizer" for term in terms))]


def test_a_phenotype_left_open_against_indeterminate_is_none() -> None:
    text = "indeterminate or poor metabolizer"
    assert says(genotype("DPYD", text)) == [Undetermined(text)]


def test_one_phenotype_beside_several_in_one_value_is_a_contradiction() -> None:
    value = {
        "coding": [{"system": "http://loinc.org", "code": "LA9657-3"}],
        "text": "poor or intermediate metabolizer",
    }
    resource = observation(component=[gene_component(text="CYP2C19")], valueCodeableConcept=value)
    assert [type(s) for s in says(resource)] == [SelfContradiction]


def test_a_code_makes_the_call_where_the_text_names_the_same_among_words_of_its_own() -> None:
    value = {"coding": [{"system": "http://loinc.org", "code": "LA9657-3"}], "text": "Poor metabolizer, blue band"}
    resource = observation(code=concept("53040-2"), component=[gene_component(text="CYP2C19")])
    found = read_all({**resource, "valueCodeableConcept": value}).patient.readings
    assert [(r.says, r.grade) for r in found] == [(Phenotype("Poor Metabolizer"), Grade.LOW)]


def test_a_genotype_among_other_words_is_of_low_grade() -> None:
    found = read_all(genotype("CYP2C19", "*2/*2, discuss with the pharmacist")).patient.readings
    assert [(r.says, r.grade) for r in found] == [(Diplotype("*2/*2"), Grade.LOW)]


@pytest.mark.parametrize(
    ("code", "value"),
    [("53040-2", "CYP2C19 *2/*2"), ("81247-9", "CYP2C19 *2/*2"), ("84413-4", "CYP2C19 poor metabolizer")],
)
def test_a_code_that_means_something_else_makes_it_free_text(code: str, value: str) -> None:
    found = read_all(observation(code=concept(code), valueString=value)).patient.readings
    assert [r.grade for r in found] == [Grade.LOW]


def test_an_interpretation_in_words_is_a_phenotype() -> None:
    resource = genotype("CYP2C19", "*2/*2", interpretation=[{"text": "Poor metabolizer"}])
    assert set(says(resource)) == {Diplotype("*2/*2"), Phenotype("Poor Metabolizer")}


def test_value_and_component_that_differ_contradict_each_other() -> None:
    component = {"code": concept("53040-2"), "valueCodeableConcept": concept("LA9657-3")}
    resource = observation(component=[gene_component(text="CYP2C19"), component], valueString="Normal metabolizer")
    assert [type(s) for s in says(resource)] == [SelfContradiction]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"code": concept("00000-1"), "valueQuantity": {"value": "1.25"}}, ActivityScore(1.25)),
        ({"code": concept("00000-1"), "valueQuantity": {"value": 3, "comparator": ">="}}, ActivityScore(3.0, True)),
        ({"code": concept("00000-1"), "valueString": "≥3"}, ActivityScore(3.0, True)),
        (
            {"code": concept("l", "CYP2D6 activity score", system="u"), "valueQuantity": {"value": 2}},
            ActivityScore(2.0),
        ),
        ({"code": concept("l", "CYP2D6 activity score", system="u"), "valueString": "1.5"}, ActivityScore(1.5)),
        ({"code": concept("l", "CYP2D6", system="u"), "valueString": "Activity score: 0.5"}, ActivityScore(0.5)),
        (
            {"code": concept("l", "CYP2D6", system="u"), "valueString": "Activity score: 1.0-1.25"},
            NotReadable("not_understood"),
        ),
    ],
)
def test_activity_scores_are_read(fields: dict[str, object], expected: ActivityScore) -> None:
    assert says(observation(**fields)) == [expected]
