"""The patient, medicines, conditions, allergies, relatives and ordered tests."""

from __future__ import annotations

from datetime import date

import pytest

from cds_service.codes import RXNORM, SNOMED
from cds_service.errors import RequestError
from cds_service.model import Availability, Patient, Query, QueryResult, Question, Span, When
from cds_service.policy import CatalogueTest
from cds_service.reading import read
from tests.support.reading import read_record
from tests.support.world import index, knowledge

from .small import (
    KNOWLEDGE,
    PATIENT,
    TODAY,
    SmallIndex,
    concept,
    gap_reasons,
    genotype,
    observation,
    order,
    read_all,
    subject,
)

ADA = {"resourceType": "Patient", "id": PATIENT, "birthDate": "1980-05", "gender": "female"}


# --- the patient ---


def test_birth_date_and_sex() -> None:
    found = read_all(ADA).patient
    assert (found.id, found.birth_date, found.sex) == (PATIENT, Span(date(1980, 5, 1), date(1980, 5, 31)), "female")


def test_a_patient_id_may_come_as_a_reference() -> None:
    results = {Query.PATIENT: QueryResult(Availability.COMPLETE, (ADA,))}
    assert read(Question("x", f"Patient/{PATIENT}"), results, SmallIndex(), KNOWLEDGE, TODAY).patient.sex == "female"


@pytest.mark.parametrize("gender", ["other", "unknown", "", None, 7])
def test_a_sex_that_is_not_known_is_empty(gender: object) -> None:
    assert read_all({**ADA, "gender": gender}).patient.sex == ""


def test_the_newest_weight_counts() -> None:
    def weight(name: str, value: object, unit: str, on: str) -> dict[str, object]:
        quantity = {"value": value, "unit": unit}
        return observation(name, code=concept("29463-7"), valueQuantity=quantity, effectiveDateTime=on)

    old, new = weight("a", 70, "kg", "2020-01-01"), weight("b", 100, "[lb_av]", "2024-01-01")
    odd = weight("c", 12, "stone", "2025-01-01")
    assert read_all(old, new, odd).patient.weight_kg == pytest.approx(45.359)
    assert read_all(odd).patient.weight_kg is None
    evening = weight("a", 71, "kg", "2024-01-01T20:00:00+01:00")
    assert read_all(weight("z", 80, "kg", "2024-01-01T18:00:00Z"), evening).patient.weight_kg == 71
    of_one_day = read_all(weight("a", 80, "kg", "2024-01-01"), weight("b", 71, "kg", "2024-01-01")).patient
    assert (of_one_day.weight_kg, of_one_day.weights_kg) == (None, (71, 80))
    same = read_all(weight("a", 80, "kg", "2024-01-01"), weight("b", 80, "kg", "2024-01-01")).patient
    assert (same.weight_kg, same.weights_kg) == (80, ())
    future = weight("d", 7, "kg", "2046-01-01")
    assert read_all(new, future).patient.weight_kg == pytest.approx(45.359)


@pytest.mark.parametrize(
    ("said", "kilograms"),
    [
        ({"valueString": "71,5 kg"}, 71.5),
        ({"valueCodeableConcept": {"text": "71.5\u00a0KG"}}, 71.5),
        ({"valueQuantity": {"value": "71.5", "unit": "kg"}}, 71.5),
        ({"valueQuantity": {"value": 71.5, "code": "kg"}, "dataAbsentReason": {"text": "error"}}, None),
        ({"valueQuantity": {"value": 250, "comparator": ">", "code": "kg"}}, None),
        ({"valueString": "> 250 kg"}, None),
        ({"valueQuantity": {"value": 0, "code": "kg"}}, None),
    ],
)
def test_a_weight_is_read_as_any_other_value_is(said: dict[str, object], kilograms: float | None) -> None:
    assert read_all(observation("a", code=concept("29463-7"), **said)).patient.weight_kg == kilograms
    bare = {"coding": [{"code": "29463-7", "display": "Body weight"}]}
    assert read_all(observation("a", code=bare, **said)).patient.weight_kg == kilograms
    panel = {"code": {"text": "Vital signs"}, "component": [{"code": concept("29463-7"), **said}]}
    assert read_all(observation("a", **panel)).patient.weight_kg == kilograms


def test_another_patient_in_the_prefetch_is_refused() -> None:
    results = {Query.PATIENT: QueryResult(Availability.COMPLETE, ({**ADA, "id": "bob"},))}
    with pytest.raises(RequestError) as refused:
        read(Question("order-sign", PATIENT), results, SmallIndex(), KNOWLEDGE, TODAY)
    assert (refused.value.code, refused.value.expression) == ("invalid", "prefetch.patient")


def test_availability_is_kept() -> None:
    results = {
        Query.PATIENT: QueryResult(Availability.COMPLETE, (ADA,)),
        Query.FAMILY: QueryResult(Availability.PARTIAL),
    }
    found = read(Question("order-sign", PATIENT), results, SmallIndex(), KNOWLEDGE, TODAY).patient
    assert found.availability[Query.PATIENT] is Availability.COMPLETE
    assert found.availability[Query.RESULTS] is Availability.MISSING
    assert {(g.about, g.reason) for g in found.gaps} >= {("family", "incomplete"), ("results", "not_available")}


# --- whose resources ---


@pytest.mark.parametrize(
    "address",
    ["Patient/ada", "https://ehr.example/fhir/Patient/ada", "Patient/ada/_history/3", "urn:uuid:ada", "ada"],
)
def test_every_form_of_reference_to_the_patient(address: str) -> None:
    assert len(read_all(genotype("CYP2C19", "*1/*2", subject={"reference": address})).patient.readings) == 1


@pytest.mark.parametrize("address", ["Patient/bob", "urn:uuid:bob", "Group/ada", "Device/ada"])
def test_another_subject_is_refused(address: str) -> None:
    result = read_all(genotype("CYP2C19", "*1/*2", subject={"reference": address}))
    assert (result.patient.readings, gap_reasons(result)) == ((), ["wrong_patient"])


def test_a_missing_subject_is_taken_to_be_the_patient() -> None:
    assert len(read_all(genotype("CYP2C19", "*1/*2", subject=None)).patient.readings) == 1


def test_a_full_url_leads_to_the_patient() -> None:
    bundle = {
        "resourceType": "Bundle",
        "entry": [
            {"fullUrl": "urn:uuid:1-2-3", "resource": ADA},
            {
                "fullUrl": "urn:uuid:4-5-6",
                "resource": genotype("CYP2C19", "*1/*2", subject={"reference": "urn:uuid:1-2-3"}),
            },
            {"fullUrl": "urn:uuid:7-8-9"},
        ],
    }
    result = read_all(bundle)
    assert len(result.patient.readings) == 1
    assert gap_reasons(result) == ["unreadable"]


# --- medicines ---


def test_an_active_medicine() -> None:
    found = read_all(order("m", status="active", authoredOn="2024-02-03")).patient.medications[0]
    assert (found.reference, found.ingredients, found.started) == (
        "MedicationRequest/m",
        ("clopidogrel",),
        date(2024, 2, 3),
    )
    assert found.stopped is None


def statement(**fields: object) -> dict[str, object]:
    base = {"resourceType": "MedicationStatement", "id": "s", "status": "active", "subject": subject()}
    return {**base, "medicationCodeableConcept": {"text": "warfarin"}, **fields}


def test_a_statement_with_its_dosage() -> None:
    found = read_all(
        statement(effectivePeriod={"start": "2020-01-01"}, dosage=[{"text": "5 mg daily", "route": {"text": "oral"}}])
    ).patient.medications[0]
    assert (found.started, found.route) == (date(2020, 1, 1), "oral")
    assert found.dose is not None
    assert found.dose.daily == 5.0


def test_medicines_that_ended() -> None:
    ended = statement(status="completed", effectivePeriod={"start": "2020-01-01", "end": "2026-11-20"})
    bounds = {"timing": {"repeat": {"boundsPeriod": {"end": "2026-11-01"}}}}
    course = order("m", status="active", dosageInstruction=[bounds])
    assert read_all(ended).patient.medications[0].stopped == date(2026, 11, 20)
    assert read_all(course).patient.medications[0].stopped == date(2026, 11, 1)
    assert not read_all(course).patient.medications[0].may_have_ended


@pytest.mark.parametrize(
    ("end", "stopped", "may_have_ended"),
    [
        ("2026-10", Span(date(2026, 10, 1), date(2026, 10, 31)), False),
        ("2026-11", None, True),
        ("2026", None, True),
        ("2026-11-25", None, False),
        ("2026-12", None, False),
    ],
)
def test_an_active_medicine_has_ended_only_where_that_is_certain(
    end: str, stopped: When | None, may_have_ended: bool
) -> None:
    (found,) = read_all(statement(effectivePeriod={"end": end})).patient.medications
    assert (found.stopped, found.may_have_ended) == (stopped, may_have_ended)


def test_an_ended_medicine_whose_last_day_is_told_roughly_is_kept() -> None:
    (found,) = read_all(statement(status="completed", effectivePeriod={"end": "2026-11"})).patient.medications
    assert found.stopped == Span(date(2026, 11, 1), date(2026, 11, 30))
    assert not found.may_have_ended
    assert read_all(statement(status="completed", effectivePeriod={"end": "2026-12"})).patient.medications == ()


@pytest.mark.parametrize(
    "resource",
    [
        order("m", status="stopped"),
        order("m", status="cancelled"),
        order("m", status="draft"),
        order("m", status="active", intent="proposal"),
        order("m", status="active", doNotPerform=True),
        statement(status="not-taken"),
        statement(status="entered-in-error"),
    ],
)
def test_what_the_patient_does_not_take(resource: dict[str, object]) -> None:
    assert read_all(resource).patient.medications == ()


def test_a_medicine_without_a_name_is_a_gap() -> None:
    result = read_all(statement(medicationCodeableConcept={}))
    assert (result.patient.medications, gap_reasons(result)) == ((), ["unreadable"])


MEDICINES_NOT_SENT = [
    {"reference": "https://elsewhere.example.org/fhir/Medication/m1"},
    {"reference": "#gone"},
    {"reference": "urn:uuid:11111111-1111-1111-1111-111111111111"},
    {"reference": "Medication/gone"},
    {},
]


def with_medicines(*medicines: dict[str, object], drafts: tuple[dict[str, object], ...] = ()) -> Patient:
    answered = dict.fromkeys(Query, QueryResult(Availability.COMPLETE))
    answered[Query.MEDICATIONS] = QueryResult(Availability.COMPLETE, medicines)
    return read(Question("order-sign", PATIENT, drafts), answered, SmallIndex(), KNOWLEDGE, TODAY).patient


def referring(pointer: dict[str, str], **fields: object) -> dict[str, object]:
    return order("m", medicationCodeableConcept=None, medicationReference=pointer, **fields)


@pytest.mark.parametrize("pointer", MEDICINES_NOT_SENT, ids=str)
def test_a_medicine_taken_that_was_not_sent_is_missing_from_the_answer(pointer: dict[str, str]) -> None:
    found = with_medicines(statement(), referring(pointer, status="active"))
    assert found.availability[Query.MEDICATIONS] is Availability.PARTIAL
    assert [gap.query for gap in found.gaps] == [Query.MEDICATIONS]


def test_a_draft_or_an_ended_medicine_that_was_not_sent_leaves_the_answer_whole() -> None:
    until = [{"timing": {"repeat": {"boundsPeriod": {"end": "2026-11-01"}}}}]
    gone = {"reference": "#gone"}
    for ended in (referring(gone, status="stopped"), referring(gone, status="stopped", dosageInstruction=until)):
        found = with_medicines(statement(), ended, drafts=(referring(gone, status="draft"),))
        assert found.availability[Query.MEDICATIONS] is Availability.COMPLETE


def test_a_display_names_a_medicine_that_was_not_sent() -> None:
    pointer = {"reference": "#gone", "display": "warfarin 5 mg tablet"}
    found = with_medicines(referring(pointer, status="active"))
    assert found.availability[Query.MEDICATIONS] is Availability.COMPLETE


def test_a_statement_that_repeats_a_request_counts_once() -> None:
    request = order("m", status="active", medicationCodeableConcept={"text": "warfarin"})
    result = read_all(request, statement(basedOn=[{"reference": "MedicationRequest/m"}]))
    assert [m.reference for m in result.patient.medications] == ["MedicationRequest/m"]


# --- conditions ---


def condition(text: str = "Stroke", **fields: object) -> dict[str, object]:
    return {"resourceType": "Condition", "id": "c", "subject": subject(), "code": {"text": text}, **fields}


def test_a_condition_by_text() -> None:
    found = read_all(condition("Acute ischaemic stroke", onsetDateTime="2021")).patient.conditions[0]
    in_2021 = Span(date(2021, 1, 1), date(2021, 12, 31))
    assert (found.keys, found.text, found.onset) == ({"stroke"}, "Acute ischaemic stroke", in_2021)


def test_a_condition_that_we_have_no_key_for_is_kept() -> None:
    assert [(c.keys, c.text) for c in read_all(condition("Hay fever")).patient.conditions] == [
        (frozenset(), "Hay fever")
    ]


def test_a_phrase_means_its_plural_too() -> None:
    assert read_all(condition("Two malignant hyperthermias")).patient.conditions[0].keys == {"hyperthermia"}


@pytest.mark.parametrize("text", ["Strokes of luck", "No stroke", "Risk of stroke", "Severe itching"])
def test_words_that_do_not_mean_the_condition(text: str) -> None:
    assert read_all(condition(text)).patient.conditions[0].keys == frozenset()


def test_words_after_a_condition_do_not_take_it_back() -> None:
    assert read_all(condition("Stroke, not elsewhere classified")).patient.conditions[0].keys == {"stroke"}


def test_a_family_history_in_the_problem_list_is_one_of_a_relative() -> None:
    found = read_all(condition("Family history of malignant hyperthermia")).patient
    assert found.conditions == ()
    assert [(f.keys, f.degree) for f in found.family] == [({"hyperthermia"}, 2)]


@pytest.mark.parametrize(
    "fields",
    [
        {"verificationStatus": {"coding": [{"code": "refuted"}]}},
        {"verificationStatus": {"coding": [{"code": "entered-in-error"}]}},
        {"verificationStatus": "refuted"},
        {"verificationStatus": {"text": "Refuted"}},
        {"verificationStatus": {"text": "Entered in error"}},
        {"clinicalStatus": {"coding": [{"code": "resolved"}]}},
        {"clinicalStatus": {"coding": [{"display": "Resolved"}]}},
        {"clinicalStatus": "inactive"},
        {"abatementDateTime": "2020"},
        {"abatementDateTime": "2026-11-25"},
        {"abatementPeriod": {"start": "2019-01-01"}},
        {"abatementPeriod": {"start": "2019-01-01", "end": "2020-01-01"}},
        {"abatementAge": {"value": 12, "unit": "a"}},
        {"abatementBoolean": True},
        {"abatementString": "Resolved"},
        {"abatementString": "2019"},
    ],
)
def test_conditions_that_do_not_hold(fields: dict[str, object]) -> None:
    assert read_all(condition(**fields)).patient.conditions == ()


@pytest.mark.parametrize(
    ("fields", "end"),
    [
        ({"abatementDateTime": "2027-03-01"}, date(2027, 3, 1)),
        ({"abatementDateTime": "2026"}, Span(date(2026, 1, 1), date(2026, 12, 31))),
        ({"abatementDateTime": "soon"}, None),
        ({"abatementPeriod": {"start": "2026-11-01", "end": "2026-12-01"}}, date(2026, 12, 1)),
        ({"abatementBoolean": False}, None),
        ({"abatementString": "ongoing"}, None),
        ({"abatementString": "not resolved"}, None),
    ],
)
def test_a_condition_goes_on_until_its_end_has_passed(fields: dict[str, object], end: When | None) -> None:
    (found,) = read_all(condition(**fields)).patient.conditions
    assert (found.keys, found.end) == ({"stroke"}, end)


@pytest.mark.parametrize(
    ("fields", "onset"),
    [
        ({"onsetPeriod": {"start": "2026-01-05"}}, date(2026, 1, 5)),
        ({"onsetPeriod": {"start": "2026-01-05", "end": "2026-02-09"}}, Span(date(2026, 1, 5), date(2026, 2, 9))),
        ({"onsetPeriod": {"start": "2026-01", "end": "2026-02"}}, Span(date(2026, 1, 1), date(2026, 2, 28))),
        ({"onsetPeriod": {"end": "2026-02"}}, None),
        ({"onsetDateTime": "2025-01-01", "onsetPeriod": {"start": "2026-01", "end": "2026-02"}}, date(2025, 1, 1)),
    ],
)
def test_the_onset_of_a_period_is_any_day_of_it(fields: dict[str, object], onset: When | None) -> None:
    assert read_all(condition(**fields)).patient.conditions[0].onset == onset


def test_what_may_have_spoiled_results_is_kept_when_it_is_over_and_means_nothing_else() -> None:
    resource = {
        "resourceType": "Condition",
        "id": "c",
        "code": {"text": "Autoimmune haemolytic anaemia"},
        "onsetDateTime": "2020-01-01",
        "abatementDateTime": "2020-06-01",
    }
    (found,) = read_record([resource], index(), knowledge(), TODAY).patient.conditions
    assert (found.keys, found.past, found.end) == (frozenset(), {"haemolytic_anaemia"}, date(2020, 6, 1))


def test_a_condition_that_counts_for_life_stays_when_it_is_over() -> None:
    over = condition("Malignant hyperthermia", clinicalStatus={"coding": [{"code": "resolved"}]})
    assert read_all(over).patient.conditions[0].keys == {"hyperthermia"}


def test_a_condition_without_words_is_a_gap() -> None:
    assert gap_reasons(read_all(condition("", code={}))) == ["unreadable"]


# --- allergies ---


def allergy(**fields: object) -> dict[str, object]:
    return {"resourceType": "AllergyIntolerance", "id": "a", "patient": subject(), **fields}


def test_an_allergy_with_its_reaction() -> None:
    reaction = [{"manifestation": [{"text": "severe rash"}], "substance": concept("161", system=RXNORM)}]
    found = read_all(allergy(code=concept("2670", "codeine", system=RXNORM), reaction=reaction)).patient.allergies[0]
    assert (found.ingredients, found.text, found.keys) == (("codeine", "acetaminophen"), "codeine", {"rash"})


def test_a_reaction_by_code_or_description() -> None:
    by_code = allergy(code={"text": "codeine"}, reaction={"manifestation": [concept("271807003", system=SNOMED)]})
    by_words = allergy(code={"text": "codeine"}, reaction=[{"description": "A severe rash"}])
    assert read_all(by_code).patient.allergies[0].keys == read_all(by_words).patient.allergies[0].keys == {"rash"}


def test_an_unrecognised_medicine_is_kept_and_told() -> None:
    result = read_all(allergy(code={"text": "Wonderpill"}, category=["medication"]))
    assert result.patient.allergies[0].ingredients == ()
    assert gap_reasons(result) == ["not_recognised"]
    assert gap_reasons(read_all(allergy(code={"text": "Peanuts"}, category=["food"]))) == []


@pytest.mark.parametrize(
    "fields",
    [
        {"clinicalStatus": {"coding": [{"code": "resolved"}]}},
        {"clinicalStatus": {"text": "Inactive"}},
        {"verificationStatus": {"coding": [{"code": "refuted"}]}},
        {"verificationStatus": {"text": "refuted"}},
    ],
)
def test_allergies_that_do_not_hold(fields: dict[str, object]) -> None:
    assert read_all(allergy(code={"text": "codeine"}, **fields)).patient.allergies == ()


def test_an_allergy_without_words_is_a_gap() -> None:
    assert gap_reasons(read_all(allergy())) == ["unreadable"]


def test_an_allergy_of_another_fhir_version_is_named() -> None:
    reaction = [{"manifestation": [{"concept": {"text": "rash"}}]}]
    assert gap_reasons(read_all(allergy(code={"text": "codeine"}, reaction=reaction))) == ["unsupported_version"]


# --- relatives ---


def relative(relationship: object, **fields: object) -> dict[str, object]:
    base = {"resourceType": "FamilyMemberHistory", "id": "f", "status": "completed", "patient": subject()}
    return {
        **base,
        "relationship": relationship,
        "condition": [{"code": {"text": "malignant hyperthermia"}}],
        **fields,
    }


@pytest.mark.parametrize(
    ("relationship", "degree"),
    [
        (concept("BRO", "brother", system="v3"), 1),
        (concept("GRMTH", system="v3"), 2),
        (concept("FAMMEMB", system="v3"), 2),
        (concept("COUSN", system="v3"), 3),
        ({"text": "Maternal aunt"}, 2),
        ({"text": "half-brother"}, 2),
        ({"text": "mother"}, 1),
        ({"text": "someone"}, 2),
        ({}, 2),
    ],
)
def test_degrees(relationship: dict[str, object], degree: int) -> None:
    found = read_all(relative(relationship)).patient.family[0]
    assert (found.degree, found.keys) == (degree, {"hyperthermia"})


def test_relatives_who_are_not_by_blood_tell_nothing() -> None:
    assert read_all(relative(concept("WIFE", system="v3"))).patient.family == ()
    assert read_all(relative({"text": "mother"}, status="health-unknown")).patient.family == ()


def test_a_relatives_condition_without_words_is_a_gap() -> None:
    assert gap_reasons(read_all(relative({"text": "mother"}, condition=[{}]))) == ["unreadable"]


# --- ordered tests ---


def request(code: object, **fields: object) -> dict[str, object]:
    base = {"resourceType": "ServiceRequest", "id": "q", "status": "active", "intent": "order", "subject": subject()}
    return {**base, "code": code, "authoredOn": "2026-11-20", **fields}


@pytest.mark.parametrize(
    ("code", "markers"),
    [
        (concept("66489-6"), ("gene:CYP2C19",)),
        (concept("66741-0"), ("gene:CYP2C19",)),
        ({"text": "CYP2C19 and CYP2D6 genotyping"}, ("gene:CYP2C19", "gene:CYP2D6")),
        (concept("50956-2"), ("hla:B*57:01",)),
        ({"text": "HLA-B*57:01 screening"}, ("hla:B*57:01",)),
        ({"text": "HLA-B typing"}, ("hla:B*57:01", "hla:B*15:02")),
        (concept("PGX7", system="urn:lab"), ("gene:DPYD",)),
    ],
)
def test_tests_that_are_ordered(code: dict[str, object], markers: tuple[str, ...]) -> None:
    catalogue = (CatalogueTest(("gene:DPYD",), "PGX7", "urn:lab", "DPYD"),)
    results = {Query.REQUESTS: QueryResult(Availability.COMPLETE, (request(code),))}
    found = read(Question("x", PATIENT), results, SmallIndex(), KNOWLEDGE, TODAY, catalogue=catalogue).patient.pending
    assert [(p.markers, p.since) for p in found] == [(markers, date(2026, 11, 20))]


@pytest.mark.parametrize(
    "fields", [{"status": "completed"}, {"status": "revoked"}, {"intent": "proposal"}, {"doNotPerform": True}]
)
def test_requests_that_order_nothing(fields: dict[str, object]) -> None:
    assert read_all(request(concept("66489-6"), **fields)).patient.pending == ()


def test_other_requests_are_passed_over() -> None:
    assert read_all(request({"text": "Chest X-ray"})).patient.pending == ()


# --- inspection ---


def test_the_patient_and_every_result_of_a_bundle_are_read() -> None:
    bundle = {"resourceType": "Bundle", "entry": [{"resource": ADA}, {"resource": genotype("CYP2C19", "*1/*2")}]}
    found = read_record([bundle], SmallIndex(), KNOWLEDGE, TODAY, patient_id=PATIENT)
    assert (found.patient.id, len(found.patient.readings), found.patient.gaps) == (PATIENT, 1, ())


def test_a_result_of_another_patient_is_refused() -> None:
    found = read_record([genotype("CYP2C19", "*1/*2")], SmallIndex(), KNOWLEDGE, TODAY, patient_id="bob")
    assert (found.patient.readings, [g.reason for g in found.patient.gaps]) == ((), ["wrong_patient"])


def test_where_nobody_is_said_to_be_the_patient_subjects_are_not_checked() -> None:
    other = genotype("CYP2C19", "*1/*1", "other", subject=subject("bob"))
    found = read_record([genotype("CYP2C19", "*1/*2"), other], SmallIndex(), KNOWLEDGE, TODAY)
    assert (found.patient.id, len(found.patient.readings)) == ("", 2)


def test_medicines_taken_are_the_orders_where_those_are_asked_about() -> None:
    found = read_record([order("m", status="active")], SmallIndex(), KNOWLEDGE, TODAY)
    assert [(o.reference, o.active) for o in found.orders] == [("MedicationRequest/m", True)]


def test_parameters_are_unpacked() -> None:
    parts = [{"name": "genotype", "resource": genotype("CYP2C19", "*1/*2")}, {"name": "geneItem", "valueString": "x"}]
    parameters = {"resourceType": "Parameters", "parameter": [{"name": "haplotypes", "part": parts}]}
    assert len(read_record([parameters], SmallIndex(), KNOWLEDGE, TODAY).patient.readings) == 1


def test_bundles_without_end_are_refused() -> None:
    nested: dict[str, object] = genotype("CYP2C19", "*1/*2")
    for _ in range(6):
        nested = {"resourceType": "Bundle", "entry": [{"resource": nested}]}
    found = read_record([nested], SmallIndex(), KNOWLEDGE, TODAY)
    assert (found.patient.readings, [g.reason for g in found.patient.gaps]) == ((), ["unreadable"])


def test_conditions_of_the_same_keys_stand_in_the_order_of_their_texts() -> None:
    found = [{"resourceType": "Condition", "id": name, "code": {"text": text}} for name, text in ("1b", "2a", "3c")]
    assert [condition.text for condition in read_all(*found).patient.conditions] == ["a", "b", "c"]


def test_a_condition_whose_verification_was_entered_in_error_is_taken_back() -> None:
    status = {"coding": [{"code": "entered-in-error"}]}
    found = read_all(
        {"resourceType": "Condition", "id": "c", "code": {"text": "Stroke"}, "verificationStatus": status}
    )
    assert (found.withdrawn, found.patient.conditions) == (("Condition/c",), ())


def test_the_dosage_of_a_statement_does_not_tell_until_when_the_medicine_was_taken() -> None:
    bounds = {"timing": {"repeat": {"boundsPeriod": {"end": "2026-11-01"}}}}
    (medication,) = read_all(statement(dosage=[bounds])).patient.medications
    assert medication.stopped is None
