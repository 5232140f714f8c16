"""Conditions, allergies and relatives."""

from __future__ import annotations

from datetime import date

import pytest

from cds_service.codes import RXNORM, SNOMED
from cds_service.model import Patient, Span, When
from cds_service.reading.shapes import LONGEST_TEXT
from tests.support.reading import read_record
from tests.support.world import index, knowledge

from .small import (
    PATIENT,
    TODAY,
    concept,
    gap_reasons,
    read_all,
    statement,
    subject,
)


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
    "behind", ["ruled out", "- excluded", ", was ruled out by MRI", "(not confirmed)", ": unlikely"]
)
def test_a_condition_that_is_taken_back_right_behind_its_name_does_not_hold(behind: str) -> None:
    (found,) = read_all(condition(f"Ischaemic stroke {behind}")).patient.conditions
    assert found.keys == frozenset()


@pytest.mark.parametrize("behind", ["with haemorrhage excluded", "; bleeding ruled out", ", cause not confirmed"])
def test_what_is_taken_back_further_on_may_be_something_else(behind: str) -> None:
    (found,) = read_all(condition(f"Ischaemic stroke {behind}")).patient.conditions
    assert found.keys == {"stroke"}


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


def test_a_problem_or_an_allergy_whose_text_is_too_long_to_be_read_is_a_gap() -> None:
    told = "stroke or codeine, " * LONGEST_TEXT
    assert gap_reasons(read_all(condition(told))) == ["unreadable"]
    assert gap_reasons(read_all(allergy(code={"text": told}))) == ["unreadable"]
    by_code = {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "I63.9"}], "text": told}
    (found,) = read_all(condition("", code=by_code)).patient.conditions
    assert found.keys == {"stroke"}


def test_an_allergy_of_another_fhir_version_is_named() -> None:
    reaction = [{"manifestation": [{"concept": {"text": "rash"}}]}]
    assert gap_reasons(read_all(allergy(code={"text": "codeine"}, reaction=reaction))) == ["unsupported_version"]


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


@pytest.mark.parametrize(
    ("relationship", "told"),
    [
        (concept("MTH", system="v3"), True),
        (concept("MGRMTH", system="v3"), True),
        (concept("BRO", "brother", system="v3"), True),
        (concept("GRMTH", system="v3"), True),
        (concept("FTH", system="v3"), False),
        (concept("PAUNT", "aunt", system="v3"), False),
        (concept("MGRFTH", system="v3"), False),
        ({"text": "Mother's father"}, False),
        ({"text": "Paternal grandmother"}, False),
        ({"text": "Maternal aunt"}, True),
        ({"text": "grandfather"}, False),
        ({"text": "grandmother"}, True),
        ({}, True),
    ],
)
def test_who_may_have_what_mothers_alone_pass_on(relationship: dict[str, object], told: bool) -> None:
    assert read_all(relative(relationship)).patient.family[0].of_mothers_line is told


def test_a_relative_who_is_a_code_alone_is_called_what_the_code_means() -> None:
    called = [concept("MGRMTH", system="v3"), concept("MTH", "Mom", system="v3"), concept("EXT", system="v3")]
    found = [read_all(relative(relationship)).patient.family[0].relationship for relationship in called]
    assert found == ["mother's mother", "Mom", "EXT"]


def test_relatives_who_are_not_by_blood_tell_nothing() -> None:
    assert read_all(relative(concept("WIFE", system="v3"))).patient.family == ()
    assert read_all(relative({"text": "mother"}, status="health-unknown")).patient.family == ()


def test_a_relatives_condition_without_words_is_a_gap() -> None:
    assert gap_reasons(read_all(relative({"text": "mother"}, condition=[{}]))) == ["unreadable"]


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


@pytest.mark.parametrize(
    ("code", "reasons"),
    [
        (concept("99999999", "zzyzxamab", system=RXNORM), ["not_recognised"]),
        (concept("227493005", "Cashew nuts", system=SNOMED), []),
    ],
)
def test_an_allergy_without_a_category_is_to_a_medicine_where_its_code_says_so(
    code: dict[str, object], reasons: list[str]
) -> None:
    allergy = {"resourceType": "AllergyIntolerance", "id": "a", "patient": subject(), "code": code}
    assert gap_reasons(read_all(allergy)) == reasons


# --- procedures, and kinds that nothing is read from ---


def procedures(**fields: object) -> Patient:
    body = {"resourceType": "Procedure", "id": "p", "status": "completed", "subject": subject(), **fields}
    return read_record([body], index(), knowledge(), TODAY, patient_id=PATIENT).patient


IN_2026 = Span(date(2026, 1, 1), date(2026, 12, 31))
TRANSPLANT = {"text": "Allogeneic bone marrow transplant"}


@pytest.mark.parametrize(
    ("fields", "begun", "over"),
    [
        ({}, None, None),
        ({"performedDateTime": "2026-03-04"}, date(2026, 3, 4), date(2026, 3, 4)),
        ({"performedString": "2026"}, IN_2026, IN_2026),
        ({"performedPeriod": {"start": "2026-03-04", "end": "2026-03-06"}}, date(2026, 3, 4), date(2026, 3, 6)),
        ({"performedPeriod": {"start": "2026-03-04"}}, date(2026, 3, 4), None),
        ({"performedPeriod": {"end": "2026-03-06"}}, date(2026, 3, 6), date(2026, 3, 6)),
        ({"status": "in-progress"}, None, None),
        ({"status": "stopped"}, None, None),
        ({"status": "unknown"}, None, None),
    ],
)  # fmt: skip
def test_a_procedure_that_spoils_results_is_an_event(
    fields: dict[str, object], begun: When | None, over: When | None
) -> None:
    (found,) = procedures(code=TRANSPLANT, **fields).conditions
    assert (found.reference, found.onset, found.end) == ("Procedure/p", begun, over)
    assert found.keys == {"stem_cell_transplant"}


def test_a_transplant_of_the_own_cells_is_told_by_the_procedure_too() -> None:
    (found,) = procedures(code={"text": "Autologous stem cell transplantation"}).conditions
    assert "autologous_transplant" in found.keys


@pytest.mark.parametrize(
    "fields",
    [
        {"code": TRANSPLANT, "status": "not-done"},
        {"code": TRANSPLANT, "status": "preparation"},
        {"code": TRANSPLANT, "status": "on-hold"},
        {"code": {"text": "Muscle biopsy for malignant hyperthermia"}},
        {"code": {"text": "Appendectomy"}},
    ],
)
def test_another_procedure_or_one_not_done_is_no_event(fields: dict[str, object]) -> None:
    found = procedures(**fields)
    assert (found.conditions, found.gaps) == ((), ())


@pytest.mark.parametrize(
    ("fields", "reason"),
    [({}, "unreadable"), ({"code": TRANSPLANT, "occurrenceDateTime": "2026"}, "unsupported_version")],
)
def test_a_procedure_that_cannot_be_read_is_told(fields: dict[str, object], reason: str) -> None:
    assert [gap.reason for gap in procedures(**fields).gaps] == [reason]


@pytest.mark.parametrize(
    ("kind", "reasons"), [("QuestionnaireResponse", ["kind_not_read"]), ("Encounter", []), ("OperationOutcome", [])]
)
def test_a_kind_that_nothing_is_read_from_is_told(kind: str, reasons: list[str]) -> None:
    assert gap_reasons(read_all({"resourceType": kind, "id": "k", "subject": subject()})) == reasons
