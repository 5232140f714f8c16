"""Reports that carry their findings themselves, and genetic findings in problem and allergy lists."""

from __future__ import annotations

from datetime import date

import pytest

from cds_service.codes import SNOMED, Coding
from cds_service.model import Diplotype, Grade, HlaType, NotReadable, Phenotype, Presence, Reading, SelfContradiction

from .small import concept, gap_reasons, genotype, observation, read_all, subject

DPYD_FINDING = concept("738542003", "Dihydropyrimidine dehydrogenase poor metabolizer", system=SNOMED)


def report(**fields: object) -> dict[str, object]:
    base = {
        "resourceType": "DiagnosticReport",
        "id": "r",
        "status": "final",
        "code": concept("51969-4"),
        "subject": subject(),
    }
    return {**base, **fields}


def readings(*resources: object) -> list[tuple[str, object, Grade]]:
    return [(r.observable, r.says, r.grade) for r in read_all(*resources).patient.readings]


def test_a_coded_conclusion_names_gene_and_phenotype() -> None:
    assert readings(report(conclusionCode=[DPYD_FINDING])) == [
        ("gene:DPYD", Phenotype("Poor Metabolizer"), Grade.CLINICAL)
    ]


def test_a_coded_conclusion_needs_no_words_and_keeps_its_code_its_day_and_its_laboratory() -> None:
    coded = concept("1144910008", system=SNOMED)
    fields = {"effectiveDateTime": "2024-05-01", "performer": [{"display": "Testhausen Laboratory"}]}
    (found,) = read_all(report(conclusionCode=[coded], **fields)).patient.readings
    assert (found.observable, found.says) == ("gene:CYP2C9", Phenotype("Poor Metabolizer"))
    assert found.coding == Coding(SNOMED, "1144910008")
    assert (found.on, found.laboratory) == (date(2024, 5, 1), "Testhausen Laboratory")


def test_a_conclusion_in_words_is_free_text() -> None:
    text = "CYP2C19 *2/*2, poor metabolizer; CYP2D6 *1/*4. Nothing else."
    assert set(readings(report(conclusion=text))) == {
        ("gene:CYP2C19", Diplotype("*2/*2"), Grade.LOW),
        ("gene:CYP2C19", Phenotype("Poor Metabolizer"), Grade.LOW),
        ("gene:CYP2D6", Diplotype("*1/*4"), Grade.LOW),
    }


def test_a_conclusion_that_says_two_phenotypes_contradicts_itself() -> None:
    ((_, says, _),) = readings(report(conclusion="CYP2C19 poor metabolizer and normal metabolizer"))
    assert isinstance(says, SelfContradiction)


def test_a_conclusion_among_words_that_may_change_it_is_not_read() -> None:
    found = readings(report(conclusion="CYP2C19 *1/*1 in the blue sample; CYP2D6 *1/*1 was invalid"))
    assert found == [("gene:CYP2C19", NotReadable("other_words"), Grade.LOW)]


def test_a_coded_conclusion_in_words_only_is_free_text() -> None:
    assert readings(report(conclusionCode={"text": "CYP2C19 poor metabolizer"})) == [
        ("gene:CYP2C19", Phenotype("Poor Metabolizer"), Grade.LOW)
    ]


def test_a_document_only_report_says_that_a_result_exists() -> None:
    result = read_all(
        report(code={"text": "CYP2C19 and HLA-B genotyping"}, presentedForm=[{"contentType": "application/pdf"}])
    )
    assert {(r.observable, r.says) for r in result.patient.readings} == {
        ("gene:CYP2C19", NotReadable("document_only")),
        ("hla:B", NotReadable("document_only")),
    }
    assert gap_reasons(result) == ["not_machine_readable"]


@pytest.mark.parametrize(
    "fields",
    [{}, {"code": {"text": "PGx panel"}}, {"code": {"text": "Panel"}, "category": [{"coding": [{"code": "GE"}]}]}],
)
def test_a_genetic_report_that_names_no_gene_is_a_gap(fields: dict[str, object]) -> None:
    result = read_all(report(**fields))
    assert (result.patient.readings, gap_reasons(result)) == ((), ["not_machine_readable"])


def test_a_report_whose_results_are_there_adds_nothing() -> None:
    result = read_all(report(result=[{"reference": "Observation/obs"}]), genotype("CYP2C19", "*1/*2"))
    assert len(result.patient.readings) == 1
    assert result.patient.gaps == ()


def test_results_that_were_not_sent_are_told() -> None:
    result = read_all(report(result=[{"reference": "Observation/gone"}]))
    assert [(g.about, g.reason) for g in result.patient.gaps] == [("Observation/gone", "not_available")]


def test_a_report_of_something_else_is_passed_over() -> None:
    result = read_all(report(code={"text": "Chest X-ray"}, conclusion="Clear lungs. HLA-B typing advised"))
    assert (result.patient.readings, result.patient.gaps) == ((), ())


@pytest.mark.parametrize(
    "conclusion",
    [
        "CYP2C19: *2/*2\nCYP2D6: *1/*4",
        "CYP2C19 *2/*2\r\n\r\nCYP2D6 *1/*4",
        "- CYP2C19 *2/*2\n- CYP2D6 *1/*4",
        "CYP2C19 *2/*2. CYP2D6 *1/*4.",
        "Result of the panel\nCYP2C19:\n*2/*2\nCYP2D6:\n*1/*4",
    ],
)
def test_each_line_and_sentence_of_a_conclusion_is_read(conclusion: str) -> None:
    result = read_all(report(conclusion=conclusion))
    assert [(r.observable, r.says) for r in result.patient.readings] == [
        ("gene:CYP2C19", Diplotype("*2/*2")),
        ("gene:CYP2D6", Diplotype("*1/*4")),
    ]
    assert result.patient.gaps == ()


@pytest.mark.parametrize(
    "conclusion",
    [
        "No evidence of\nCYP2C19 *2/*2",
        "Excluded are CYP2D6 *4 and\nCYP2C19 *2/*2",
        "CYP2C19 *2/*2 was not\ndetected",
        "CYP2C19 *2/*2 and CYP2D6 *1/*4",
    ],
)
def test_a_wrapped_line_takes_its_other_half_along(conclusion: str) -> None:
    """What is not understood as a whole is not read by halves, and is told."""
    result = read_all(report(conclusion=conclusion))
    assert (result.patient.readings, gap_reasons(result)) == ((), ["not_machine_readable"])
    assert "gene:CYP2C19" in result.patient.gaps[0].observables


def test_a_gene_of_a_conclusion_that_is_not_read_is_told_beside_those_that_are() -> None:
    result = read_all(report(conclusion="CYP2C19 *2/*2; CYP2D6: see attached"))
    assert [r.observable for r in result.patient.readings] == ["gene:CYP2C19"]
    assert [(g.reason, g.observables) for g in result.patient.gaps] == [("not_machine_readable", ("gene:CYP2D6",))]


@pytest.mark.parametrize(
    ("conclusion", "says"),
    [
        ("HLA-B*57:01 positive", [Presence("*57:01", present=True)]),
        ("CYP2C19 see below; HLA-B*57:01: not detected.", [Presence("*57:01", present=False)]),
        ("The patient is HLA-B*57:01 negative", [Presence("*57:01", present=False)]),
        (
            "HLA-B*57:01 positive, HLA-B*15:02 negative",
            [Presence("*15:02", present=False), Presence("*57:01", present=True)],
        ),
        ("HLA-B*57:01/HLA-B*07:02", [HlaType(("*57:01", "*07:02"), complete=True)]),
        ("HLA-B*57:01 was not tested", []),
        ("HLA-B*57:01 has not been detected", []),
        ("If HLA-B*57:01 is positive, avoid abacavir", []),
        ("The mother is HLA-B*57:01 positive", []),
        ("HLA-B*57:01 positive and HLA-B*15:02 negative", []),
        ("HLA-B*57:01 indeterminate", []),
    ],
)
def test_an_hla_result_of_a_conclusion_is_read_or_told(conclusion: str, says: list[object]) -> None:
    result = read_all(report(conclusion=conclusion))
    found = [r for r in result.patient.readings if r.observable == "hla:B"]
    assert [r.says for r in found] == says
    assert {(r.grade, r.method) for r in found} <= {(Grade.LOW, "hla_typing")}
    told = {observable for gap in result.patient.gaps for observable in gap.observables}
    assert ("hla:B" in told) is not bool(says)


def test_the_coded_diagnosis_of_stu3_is_a_coded_conclusion() -> None:
    assert readings(report(codedDiagnosis=[DPYD_FINDING])) == readings(report(conclusionCode=[DPYD_FINDING]))


def test_results_that_were_not_sent_are_told_beside_a_conclusion() -> None:
    result = read_all(report(conclusion="CYP2C19 *2/*2", result=[{"reference": "Observation/gone"}]))
    assert len(result.patient.readings) == 1
    assert [(g.about, g.reason) for g in result.patient.gaps] == [("Observation/gone", "not_available")]


@pytest.mark.parametrize(("code", "told"), [("81247-9", True), ("58410-2", False)])
def test_members_of_a_genetic_panel_that_were_not_sent_are_told(code: str, told: bool) -> None:
    panel = observation(code=concept(code), hasMember=[{"reference": "Observation/gone"}])
    gaps = [(g.about, g.reason) for g in read_all(panel).patient.gaps]
    assert gaps == ([("Observation/gone", "not_available")] if told else [])


def test_members_of_a_genetic_panel_that_are_there_add_nothing() -> None:
    panel = observation("p", code=concept("81247-9"), hasMember=[{"reference": "Observation/obs"}])
    result = read_all(panel, genotype("CYP2C19", "*1/*2"))
    assert (len(result.patient.readings), result.patient.gaps) == (1, ())


@pytest.mark.parametrize(
    ("title", "reasons"), [("Pharmacogenomics", ["not_machine_readable"]), ("Full blood count", [])]
)
def test_the_title_of_a_document_says_that_it_is_genetic(title: str, reasons: list[str]) -> None:
    document = [{"contentType": "application/pdf", "title": title}]
    assert gap_reasons(read_all(report(code={"text": "Laboratory report"}, presentedForm=document))) == reasons


def test_a_report_of_something_else_that_holds_what_looks_like_a_result_is_told() -> None:
    result = read_all(report(code={"text": "Laboratory report"}, conclusion="CYP2C19 *2/*2 and CYP2D6 *1/*4"))
    assert [g.observables for g in result.patient.gaps] == [("gene:CYP2C19", "gene:CYP2D6")]


@pytest.mark.parametrize("status", ["registered", "cancelled", "entered-in-error"])
def test_reports_that_are_not_there_yet_or_any_more(status: str) -> None:
    assert readings(report(status=status, conclusionCode=[DPYD_FINDING])) == []


def test_results_contained_in_a_report_are_read() -> None:
    inner = genotype("CYP2C19", "*1/*2", "inner")
    del inner["subject"]
    outer = report(contained=[inner], result=[{"reference": "#inner"}], issued="2024-05-06T00:00:00Z")
    (found,) = read_all(outer).patient.readings
    assert (found.reference, found.says) == ("DiagnosticReport/r#inner", Diplotype("*1/*2"))
    assert str(found.on) == "2024-05-06"
    assert readings({**outer, "subject": subject("bob")}) == []
    assert readings({**outer, "status": "entered-in-error"}) == []


def listed(kind: str, text: str) -> list[Reading]:
    resource = {"resourceType": kind, "id": "x", "code": {"text": text}, "recordedDate": "2023-01-02"}
    return list(read_all(resource).patient.readings)


@pytest.mark.parametrize("kind", ["Condition", "AllergyIntolerance"])
def test_a_genetic_finding_in_a_list_is_of_low_grade(kind: str) -> None:
    (found,) = listed(kind, "CYP2C19 poor metabolizer")
    assert (found.says, found.grade, str(found.on)) == (Phenotype("Poor Metabolizer"), Grade.LOW, "2023-01-02")


def test_an_allergy_to_a_drug_is_no_genotype() -> None:
    assert listed("AllergyIntolerance", "codeine") == []
