"""A content that was read before: what stands around it is read anew, and nothing of it is kept."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from cds_service.codes import RXNORM, Coding
from cds_service.memory import LONGEST_CONTENT
from cds_service.model import (
    Availability,
    Diplotype,
    DrugIndex,
    DrugMatch,
    Grade,
    Presence,
    Query,
    QueryResult,
    Question,
    ReadingStatus,
)
from cds_service.reading import Read, read
from cds_service.reading.lexicon import lexicon_of
from cds_service.reading.medications import medicines_of

from .small import (
    KNOWLEDGE,
    PATIENT,
    TODAY,
    SmallIndex,
    concept,
    gap_reasons,
    gene_component,
    genotype,
    observation,
    order,
    read_all,
    subject,
)

Json = dict[str, Any]
BLOOD = {"display": "Blood of tube 4711"}


def potassium(name: str = "k", **fields: Any) -> Json:
    quantity = {"value": 4.5, "unit": "mmol/L", "code": "mmol/L"}
    return observation(name, concept("2823-3"), valueQuantity=quantity, **fields)


def test_the_same_result_of_two_patients_has_its_own_circumstances() -> None:
    first = genotype("CYP2C19", "*1/*17", "a", effectiveDateTime="2024-05-01", performer=[{"display": "Lab A"}])
    second = genotype("CYP2C19", "*1/*17", "b", issued="2025-06-02", status="preliminary", specimen=BLOOD)
    second["subject"] = subject("bo")
    (one,) = read_all(first).patient.readings
    results = {query: QueryResult(Availability.COMPLETE) for query in Query}
    results[Query.RESULTS] = QueryResult(Availability.COMPLETE, (second,))
    (other,) = read(Question("x", "bo"), results, Drugs("codeine"), KNOWLEDGE, TODAY).patient.readings
    assert one.says == other.says == Diplotype("*1/*17")
    assert (one.reference, one.on, one.laboratory, one.flags) == ("Observation/a", date(2024, 5, 1), "Lab A", ())
    assert (other.reference, other.on, other.laboratory) == ("Observation/b", date(2025, 6, 2), "")
    assert (other.status, other.flags) == (ReadingStatus.PRELIMINARY, ("issued_only",))
    assert (one.specimen, other.specimen) == ("", "blood of tube 4711")


@pytest.mark.parametrize(
    ("around", "why"),
    [
        ({}, ""),
        ({"performer": [{"display": "23andMe"}]}, "consumer"),
        ({"category": [{"text": "Direct-to-consumer"}]}, "consumer"),
        ({"meta": {"tag": [{"display": "DTC"}]}}, "consumer"),
        ({"performer": [{"reference": f"Patient/{PATIENT}"}]}, "patient_reported"),
        ({"category": [{"coding": [{"code": "survey"}]}]}, "patient_reported"),
        ({"derivedFrom": [{"reference": "QuestionnaireResponse/q"}]}, "patient_reported"),
        ({"status": "unknown"}, "status_unknown"),
    ],
)
def test_whether_it_may_be_relied_on_is_asked_for_each(around: Json, why: str) -> None:
    fields = {"status": "final", **around}
    (reading,) = read_all(genotype("CYP2D6", "*1/*10", **fields)).patient.readings
    assert reading.why_unverified == why
    assert reading.grade is (Grade.UNVERIFIED if why else Grade.CLINICAL)


def test_a_laboratory_value_without_a_status_says_so_and_one_with_it_does_not() -> None:
    silent, final = read_all(potassium("a", status=None), potassium("b")).patient.readings
    assert (silent.flags, silent.why_unverified) == (("status_unknown",), "")
    assert final.flags == ()


def test_a_registered_result_is_pending_and_the_same_content_reported_is_not() -> None:
    waiting = read_all(potassium("a", status="registered", effectiveDateTime="2026-11-24")).patient
    reported = read_all(potassium("a", effectiveDateTime="2026-11-24")).patient
    assert [(p.reference, p.since) for p in waiting.pending] == [("Observation/a", date(2026, 11, 24))]
    assert (waiting.readings, reported.pending) == ((), ())
    assert len(reported.readings) == 1


def test_the_tissue_decides_whatever_was_read_of_the_same_content_before() -> None:
    assert len(read_all(genotype("CYP2C9", "*1/*3", specimen=BLOOD)).patient.readings) == 1
    tumour = read_all(genotype("CYP2C9", "*1/*3", specimen={"display": "Tumour tissue"}))
    foetal = read_all(genotype("CYP2C9", "*1/*3", specimen={"display": "Amniotic fluid"}))
    assert gap_reasons(tumour) == gap_reasons(foetal) == ["not_germline"]
    assert {gap.detail for read in (tumour, foetal) for gap in read.patient.gaps} == {"somatic", "foetal"}


def test_gaps_are_those_of_their_own_resource() -> None:
    nothing = {"dataAbsentReason": {"coding": [{"code": "error"}]}}
    told = read_all(genotype("CYP2C19", "", "a", **nothing), genotype("CYP2C19", "", "b", **nothing)).patient.gaps
    assert [(gap.about, gap.reason, gap.query) for gap in told] == [
        ("Observation/a", "no_value", Query.RESULTS),
        ("Observation/b", "no_value", Query.RESULTS),
    ]


def test_notes_and_the_panel_around_it_tell_what_was_tested_of_a_content_read_before() -> None:
    alone = genotype("CYP2C19", "*1/*1", "a")
    studied = observation("s", concept("53041-0"), component=[gene_component(text="CYP2C19")], valueString="*2, *3")
    panel = observation(
        "p", concept("51969-4"), hasMember=[{"reference": "Observation/a"}, {"reference": "Observation/s"}]
    )
    noted = {**alone, "note": [{"text": "Tested for *17"}]}
    panels = [read_all(*found).patient.readings[0].panel for found in ((alone,), (noted,), (alone, studied, panel))]
    assert panels == [(), ("*17",), ("*2", "*3")]


def test_a_row_without_a_gene_of_its_own_takes_that_of_its_panel_though_it_was_read_alone() -> None:
    row = observation("a", concept("LP0", "Result"), valueString="*2/*3")
    panel = observation("p", {"text": "CYP2C19 panel"}, hasMember=[{"reference": "Observation/a"}])
    assert gap_reasons(read_all(row)) == ["gene_not_named"]
    (reading,) = read_all(row, panel).patient.readings
    assert reading.says == Diplotype("*2/*3")


def test_half_of_a_genotype_finds_its_other_half_though_it_was_read_alone() -> None:
    one = observation("a", concept("73682-7"), valueString="*4")
    other = observation("b", concept("73681-9"), valueString="*10")
    assert [r.says for r in read_all(one).patient.readings] == [Presence("*4", present=True)]
    assert [r.says for r in read_all(one, other).patient.readings] == [Diplotype("*4/*10")]


class Drugs:
    """An index that knows every text as one drug."""

    def __init__(self, drug: str, *, is_fixed: bool = True) -> None:
        self.drug = drug
        self.is_fixed = is_fixed

    def find(self, codings: tuple[Coding, ...], text: str) -> DrugMatch | None:
        return DrugMatch((self.drug,), "name", text)


def test_the_medicines_that_a_result_assesses_are_looked_up_each_time() -> None:
    assessed = {"code": concept("51963-7"), "valueCodeableConcept": {"text": "the medicine"}}
    result = genotype("CYP2C19", "*2/*17")
    result["component"].append(assessed)
    results = {Query.RESULTS: QueryResult(Availability.COMPLETE, (result,))}
    asked = (read(Question("x", PATIENT), results, Drugs(drug), KNOWLEDGE, TODAY) for drug in ("codeine", "warfarin"))
    assert [found.patient.readings[0].drugs for found in asked] == [("codeine",), ("warfarin",)]


def test_only_a_final_weight_counts_whatever_was_read_of_the_same_content_before() -> None:
    weight = {"code": concept("29463-7"), "valueQuantity": {"value": 71, "code": "kg"}}
    assert read_all(observation("a", **weight)).patient.weight_kg == 71
    assert read_all(observation("a", status="preliminary", **weight)).patient.weight_kg is None
    newer = {**weight, "valueQuantity": {"value": 68, "code": "kg"}}
    both = (
        observation("a", effectiveDateTime="2026-01-01", **weight),
        observation("b", effectiveDateTime="2026-02-01", **newer),
    )
    assert read_all(*both).patient.weight_kg == 68


def test_nothing_is_kept_of_whose_it_was_when_by_whom_and_of_what() -> None:
    lexicon_of(KNOWLEDGE).results._values.clear()
    mine = [{"url": "http://example.org/of", "valueReference": {"reference": "Patient/ext-77"}}]
    read_all(
        genotype(
            "CYP2C19",
            "*3/*17",
            "id-77",
            subject={"reference": f"Patient/{PATIENT}", "display": "Ada-77"},
            performer=[{"reference": "Practitioner/p-77", "display": "Dr 77"}],
            identifier=[{"value": "accession-77"}],
            effectiveDateTime="1977-07-07",
            note=[{"text": "note 77"}],
            specimen={"display": "tumour 77", "reference": "Specimen/77"},
            extension=mine,
        ),
        genotype("CYP2C19", "*3/*17" + " " * 77 + "." * 520, "long"),
    )
    kept = lexicon_of(KNOWLEDGE).results._values
    assert len(kept) == 1
    assert "77" not in repr(kept)
    assert all(len(content) <= 512 for content in kept)


def drafted(index: DrugIndex, *drafts: Json) -> Read:
    return read(Question("order-sign", PATIENT, drafts), {}, index, KNOWLEDGE, TODAY)


def test_the_same_contradiction_in_two_orders_is_told_of_each() -> None:
    contrary = concept("32968", "clopidogrel", text="warfarin 5 mg", system=RXNORM)
    sent = (order(name, medicationCodeableConcept=contrary) for name in ("one", "two"))
    found = [gap for gap in read_all(drafts=tuple(sent)).patient.gaps if gap.reason == "contradiction"]
    assert [gap.about for gap in found] == ["MedicationRequest/one", "MedicationRequest/two"]


def test_an_index_that_may_say_something_else_is_asked_in_each_request() -> None:
    index = Drugs("codeine", is_fixed=False)
    told = []
    for drug in ("codeine", "warfarin"):
        index.drug = drug
        told += [found.ingredients for found in drafted(index, order()).orders]
    assert told == [("codeine",), ("warfarin",)]


def test_what_a_medicine_refers_to_is_read_anew() -> None:
    refers = {"medicationCodeableConcept": None, "medicationReference": {"reference": "#m"}}
    drug = [{"resourceType": "Medication", "id": "m", "code": {"text": "warfarin"}}]
    other = [{"resourceType": "Medication", "id": "m", "code": {"text": "codeine"}}]
    found = read_all(drafts=(order("a", contained=drug, **refers), order("b", contained=other, **refers))).orders
    assert [each.ingredients for each in found] == [("warfarin",), ("codeine",)]


def test_of_a_medicine_what_it_is_and_how_it_is_taken_is_kept_and_no_more() -> None:
    index = SmallIndex()
    mine = {"subject": {**subject(), "display": "Ada-77"}, "authoredOn": "1977-07-07", "note": [{"text": "note 77"}]}
    long = order("long", dosageInstruction=[{"text": "." * 520}])
    assert len(drafted(index, order("id-77", reasonCode=[{"text": "reason 77"}], **mine), long).orders) == 2
    kept = medicines_of(index)._values
    assert len(kept) == 1
    assert "77" not in repr(kept)


def test_a_result_within_a_report_that_the_patient_made_is_the_patients_word() -> None:
    inner = {key: value for key, value in genotype("CYP2C19", "*1/*2", "o").items() if key != "subject"}
    report = {
        "resourceType": "DiagnosticReport",
        "id": "r",
        "status": "final",
        "subject": subject(),
        "performer": [{"reference": "#me"}],
        "contained": [inner, {"resourceType": "Patient", "id": "me"}],
        "result": [{"reference": "#o"}],
    }
    (reading,) = read_all(report).patient.readings
    assert reading.why_unverified == "patient_reported"


def test_contained_performers_of_one_name_are_each_their_own() -> None:
    def performed(name: str, laboratory: str) -> Json:
        organisation = {"resourceType": "Organization", "id": "lab", "name": laboratory}
        return genotype("CYP2C19", "*1/*2", name, performer=[{"reference": "#lab"}], contained=[organisation])

    found = read_all(performed("a", "Lab A"), performed("b", "Lab B")).patient.readings
    assert [reading.laboratory for reading in found] == ["Lab A", "Lab B"]


def test_what_a_long_conclusion_tells_is_not_kept() -> None:
    story = "the tumour has been with her for long and KRAS was looked at " * 20
    report = {
        "resourceType": "DiagnosticReport", "id": "r", "status": "final", "subject": subject(),
        "code": {"text": "Pathology"}, "conclusion": story,
    }  # fmt: skip
    read_all(report)
    texts = [part for key in lexicon_of(KNOWLEDGE).remembered._values if isinstance(key, tuple) for part in key]
    assert max(len(part) for part in texts if isinstance(part, str)) <= LONGEST_CONTENT
