"""What must hold for any input: nothing raises, order and strangers change nothing."""

from __future__ import annotations

import random
from contextlib import suppress
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cds_service.errors import RequestError
from cds_service.knowledge.load import load_result_words
from cds_service.model import Availability, NotReadable, Query, QueryResult, Question, Undetermined
from cds_service.reading import read
from cds_service.reading.addresses import reference, references
from cds_service.reading.dates import day, moment
from cds_service.reading.shapes import clean, codings, concept_text, fold, number
from tests.support.reading import read_record

from .small import (
    KNOWLEDGE,
    PATIENT,
    TODAY,
    SmallIndex,
    concept,
    gene_component,
    genotype,
    observation,
    order,
    read_all,
    says,
    subject,
)

IMPLIED = {"component": [gene_component(text="CYP2C19")], "valueCodeableConcept": concept("LA9657-3")}
VARIANT = [gene_component(text="DPYD"), {"code": concept("48004-6"), "valueString": "c.2846A>T"}]
DOSAGE = [{"text": "75 mg once daily", "timing": {"repeat": {"frequency": 1}}}]
SEEDS: list[dict[str, Any]] = [
    genotype("CYP2C19", "*1/*2", "a", performer=[{"display": "Lab"}], specimen={"reference": "Specimen/s"}),
    observation("b", code=concept("53040-2"), **IMPLIED),
    observation("c", code=concept("50956-2"), valueCodeableConcept=concept("LA9634-2", "Absent")),
    observation("d", code=concept("69548-6"), component=VARIANT, valueString="Present"),
    order("e", status="active", dosageInstruction=DOSAGE),
    {"resourceType": "Condition", "id": "f", "code": {"text": "Stroke"}},
    {"resourceType": "AllergyIntolerance", "id": "g", "code": {"text": "codeine"}, "reaction": [{}]},
    {"resourceType": "FamilyMemberHistory", "id": "h", "condition": [{"code": {"text": "stroke"}}]},
    {"resourceType": "ServiceRequest", "id": "i", "status": "active", "code": {"text": "CYP2D6 genotype"}},
    {
        "resourceType": "DiagnosticReport",
        "id": "j",
        "status": "final",
        "conclusion": "CYP2C19 *1/*2",
        "result": [{"reference": "Observation/a"}],
    },
]
KINDS = [
    "Observation", "MedicationRequest", "MedicationStatement", "Condition", "AllergyIntolerance",
    "DiagnosticReport", "FamilyMemberHistory", "ServiceRequest", "Medication", "Bundle", "Parameters",
    "Patient", "Specimen", ""
]  # fmt: skip
KEYS = [
    "status", "subject", "code", "coding", "system", "display", "text", "valueCodeableConcept",
    "valueString", "valueQuantity", "component", "id", "meta", "versionId", "contained", "entry",
    "resource", "parameter", "part", "derivedFrom", "reference", "hasMember", "result", "performer",
    "dosageInstruction", "timing", "repeat", "period", "frequency", "doseAndRate", "doseQuantity", "value",
    "unit", "medicationCodeableConcept", "medicationReference", "ingredient", "itemCodeableConcept",
    "reaction", "manifestation", "relationship", "condition", "conclusion", "conclusionCode", "extension",
    "url", "issued", "effectiveDateTime", "resourceType", "category", "valueBoolean", "specimen",
    "verificationStatus", "clinicalStatus"
]  # fmt: skip
WORDS = [
    "CYP2C19", "*1/*2", "HLA-B*57:01", "LA9657-3", "48018-6", "http://loinc.org", "84413-4", "69548-6",
    "84414-2", "final", "#a", "urn:uuid:a", "Observation/a", "2024-13-40", "Reference", "1e999", "\u200b",
    "1/0 tablet", "9" * 400
]  # fmt: skip

scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.sampled_from(WORDS), st.text(max_size=12)
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(KEYS), inner, max_size=4)),
    max_leaves=12,
)
resources = st.builds(
    lambda kind, body: {**body, "resourceType": kind},
    st.sampled_from(KINDS),
    st.dictionaries(st.sampled_from(KEYS), values, max_size=8),
)


@settings(max_examples=150)
@given(st.lists(st.one_of(values, resources), max_size=4), st.lists(st.one_of(values, resources), max_size=3))
def test_no_json_raises_anything_but_a_refusal(found: list[Any], drafts: list[Any]) -> None:
    results = {query: QueryResult(Availability.COMPLETE, tuple(found)) for query in Query}
    for active in (False, True):
        with suppress(RequestError):
            read(Question("x", PATIENT, tuple(drafts), active=active), results, SmallIndex(), KNOWLEDGE, TODAY)
    read_record(found, SmallIndex(), KNOWLEDGE, TODAY)


@settings(max_examples=150)
@given(st.sampled_from(SEEDS), st.data())
def test_a_spoiled_field_never_raises_and_never_spoils_the_rest(seed: dict[str, Any], data: st.DataObject) -> None:
    key = data.draw(st.sampled_from(sorted(seed)))
    spoiled = {**seed, "id": "spoiled", key: data.draw(values)}
    good = genotype("CYP2D6", "*1/*4", "good")
    found = read_all(good, spoiled).patient.readings
    assert any(r.reference == "Observation/good" for r in found)


@settings(max_examples=40)
@given(st.randoms(use_true_random=False))
def test_the_order_of_entries_changes_nothing(shuffler: random.Random) -> None:
    shuffled = list(SEEDS)
    shuffler.shuffle(shuffled)
    assert read_all(*shuffled, active=True) == read_all(*SEEDS, active=True)


@settings(max_examples=40)
@given(st.sampled_from(SEEDS))
def test_a_resource_of_another_kind_changes_nothing(seed: dict[str, Any]) -> None:
    stranger = {"resourceType": "Encounter", "id": "x", "status": "finished", "subject": subject()}
    assert read_all(seed, stranger) == read_all(seed)


def test_each_seed_is_read() -> None:
    found = read_all(*SEEDS, active=True)
    patient = found.patient
    assert all(
        (
            patient.readings,
            patient.medications,
            patient.conditions,
            patient.allergies,
            patient.family,
            patient.pending,
            found.orders,
        )
    )


@given(values)
def test_the_shapes_take_anything(value: Any) -> None:
    (
        clean(value),
        codings(value),
        concept_text(value),
        day(value),
        moment(value),
        number(value),
        reference(value),
        references(value),
    )


def test_an_entry_of_another_fhir_version_leaves_its_query_incomplete():
    """A genotype that could not be read may be among it: absence of a reading is then no proof of absence."""
    r5 = {"resourceType": "MedicationRequest", "id": "m", "medication": {"concept": {"text": "x"}}}
    results = {
        Query.MEDICATIONS: QueryResult(Availability.COMPLETE, (r5,)),
        Query.RESULTS: QueryResult(Availability.COMPLETE),
    }
    found = read(Question("order-sign", "p1"), results, SmallIndex(), KNOWLEDGE, TODAY).patient
    assert found.availability[Query.MEDICATIONS] is Availability.PARTIAL
    assert found.availability[Query.RESULTS] is Availability.COMPLETE
    assert "unsupported_version" in {g.reason for g in found.gaps}


letters = st.text("abcdefghijklmnopqrstuvwxyzäéß", min_size=3, max_size=12)
CALLS = ["*1/*2", "CYP2C19 *1/*1", "normal metabolizer", "*2/*2 (PM)", "activity score 2"]
HARMLESS = {*load_result_words().fillers, *load_result_words().narrative, *load_result_words().duplications}


@given(call=st.sampled_from(CALLS), word=letters.filter(lambda word: fold(word) not in HARMLESS), ahead=st.booleans())
def test_a_call_beside_an_unknown_word_is_never_a_call(call: str, word: str, *, ahead: bool) -> None:
    text = f"{word} {call}" if ahead else f"{call} {word}"
    assert all(isinstance(one, NotReadable | Undetermined) for one in says(genotype("CYP2C19", text))), text
