"""Orders: which drafts count, which drug they name, reason, route, selection, and what cannot be read."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cds_service.codes import RXNORM, Coding
from cds_service.model import Availability, Dose, DrugMatch, Gap, GapReason, Query, QueryResult, Question, Shortfall
from cds_service.reading import Read, read

from .small import KNOWLEDGE, PATIENT, TODAY, SmallIndex, concept, gap_reasons, genotype, order, read_all, subject

MEDICATION = {
    "resourceType": "Medication",
    "id": "med",
    "code": {"text": "Painaway Forte"},
    "ingredient": [
        {"itemCodeableConcept": concept("2670", "codeine", system=RXNORM)},
        {"itemCodeableConcept": concept("161", "acetaminophen", system=RXNORM)},
        {"itemCodeableConcept": {"text": "starch"}, "isActive": False},
        {"itemCodeableConcept": {}},
    ],
}


def by_reference(address: str, **fields: object) -> dict[str, object]:
    pointer = {"reference": address, **fields}
    return order(medicationCodeableConcept=None, medicationReference=pointer)


def test_a_plain_order() -> None:
    found = read_all(drafts=(order(),)).orders[0]
    assert (found.reference, found.name, found.ingredients) == (
        "MedicationRequest/draft",
        "clopidogrel",
        ("clopidogrel",),
    )
    assert (found.selected, found.active, found.replaces, found.dose) == (True, False, "", None)


def test_a_draft_is_kept_for_writing() -> None:
    draft = order()
    assert read_all(drafts=(draft,)).drafts == {"MedicationRequest/draft": draft}


@pytest.mark.parametrize("status", [None, "draft", "active", "on-hold", "unknown"])
def test_statuses_that_are_orders(status: str | None) -> None:
    assert len(read_all(drafts=(order(status=status),)).orders) == 1


@pytest.mark.parametrize(
    ("named", "unit", "expected"),
    [
        ("clopidogrel 75 MG Oral Tablet", "tablet", False),
        ("clopidogrel 75 MG Oral Capsule", "mg", True),
        ("clopidogrel 75 MG Extended Release Oral Tablet", "tablet", True),
        ("clopidogrel XR", "mg", True),
        ("clopidogrel", "CAP", True),
        ("clopidogrel with derivation", "mg", False),
    ],
)
def test_what_is_not_halved_is_told_by_the_product_or_the_unit(named: str, unit: str, expected: bool) -> None:
    dosage = [{"doseAndRate": [{"doseQuantity": {"value": 1, "unit": unit}}]}]
    draft = order(medicationCodeableConcept={"text": named}, dosageInstruction=dosage)
    assert read_all(drafts=(draft,)).orders[0].undivided is expected


def test_the_form_of_a_medication_tells_that_it_is_not_halved() -> None:
    medication = {
        "resourceType": "Medication",
        "id": "m",
        "code": {"text": "clopidogrel"},
        "form": {"text": "Capsule"},
    }
    draft = order(medicationReference={"reference": "#m"}, contained=[medication])
    del draft["medicationCodeableConcept"]
    assert read_all(drafts=(draft,)).orders[0].undivided


def test_only_the_status_puts_an_order_on_hold() -> None:
    held = {status: read_all(drafts=(order(status=status),)).orders[0].on_hold for status in ("draft", "on-hold")}
    assert held == {"draft": False, "on-hold": True}


def test_a_status_that_fhir_does_not_have_is_told_as_such() -> None:
    result = read_all(drafts=(order(status="sleeping"),))
    assert (result.orders, gap_reasons(result)) == ((), ["unknown_status"])


def test_a_medicine_is_called_what_its_sender_calls_it() -> None:
    drug = concept("309362", "Clopi 75", system=RXNORM)
    assert read_all(drafts=(order(medicationCodeableConcept=drug),)).orders[0].name == "Clopi 75"


@pytest.mark.parametrize("status", ["cancelled", "stopped", "completed"])
def test_statuses_that_are_no_orders_are_told(status: str) -> None:
    result = read_all(drafts=(order(status=status),))
    gap = Gap("MedicationRequest/draft", GapReason.NOT_IN_FORCE, status)
    assert (result.orders, result.patient.gaps) == ((), (gap,))


def test_an_order_entered_in_error_is_dropped() -> None:
    assert read_all(drafts=(order(status="entered-in-error"),)).orders == ()


def test_an_order_not_to_perform_is_no_order() -> None:
    assert read_all(drafts=(order(doNotPerform=True),)).orders == ()


@pytest.mark.parametrize(
    "concept_", [None, {}, {"coding": [{}]}, {"coding": []}, concept("unknown", system="http://x/data-absent-reason")]
)
def test_an_order_without_a_drug_is_told_once_it_is_to_be_signed(concept_: object) -> None:
    drafts = (order(medicationCodeableConcept=concept_),)
    signed, chosen = read_all(drafts=drafts), read_all(drafts=drafts, being_written=True)
    gap = Gap("MedicationRequest/draft", GapReason.NO_DRUG, "an order without a drug")
    assert (signed.orders, signed.patient.gaps) == ((), (gap,))
    assert (chosen.orders, chosen.patient.gaps) == ((), ())


def test_an_unrecognised_drug_is_an_order_by_name() -> None:
    result = read_all(drafts=(order(medicationCodeableConcept={"text": "Wonderpill"}),))
    assert [(o.name, o.ingredients) for o in result.orders] == [("Wonderpill", ())]
    assert [(g.about, g.reason) for g in result.patient.gaps] == [("Wonderpill", "not_recognised")]


def test_a_text_in_place_of_a_concept_is_its_text() -> None:
    assert read_all(drafts=(order(medicationCodeableConcept="warfarin 5 mg"),)).orders[0].ingredients == ("warfarin",)


def test_every_coding_is_tried() -> None:
    codes = {"coding": [{"system": "urn:local", "code": "9"}, {"system": RXNORM, "code": "2670"}]}
    found = read_all(drafts=(order(medicationCodeableConcept=codes),)).orders[0]
    assert found.ingredients == ("codeine",)
    assert found.coding is not None
    assert found.coding.code == "2670"


def test_code_and_text_of_different_drugs_are_not_trusted() -> None:
    contrary = concept("32968", "clopidogrel", text="warfarin 5 mg", system=RXNORM)
    result = read_all(drafts=(order(medicationCodeableConcept=contrary),))
    assert result.orders[0].ingredients == ()
    assert gap_reasons(result) == ["contradiction"]


class DisputingIndex(SmallIndex):
    """Several codes are read as the packaged index reads them: the first counts, the others contradict it."""

    def find(self, codings: tuple[Coding, ...], text: str) -> DrugMatch | None:
        drugs = [match.drugs[0] for coding in codings if (match := super(DisputingIndex, self).find((coding,), ""))]
        first = super().find(codings, text)
        if first and drugs and set(drugs) <= set(text.split()):
            return replace(first, drugs=tuple(drugs))
        others = tuple(drug for drug in drugs if first and drug not in first.drugs)
        return replace(first, disagrees=others) if first else None


def read_disputed(*codes: str, text: str = "", displays: tuple[str, ...] = ("", "")) -> Read:
    coding = [{"system": RXNORM, "code": c, "display": d} for c, d in zip(codes, displays, strict=True)]
    draft = order(medicationCodeableConcept={"coding": coding, "text": text})
    results = {query: QueryResult(Availability.COMPLETE) for query in Query}
    return read(Question("order-sign", PATIENT, (draft,)), results, DisputingIndex(), KNOWLEDGE, TODAY)


class PartialIndex(SmallIndex):
    """What follows `w` in a name is no drug that it knows."""

    def find(self, codings: tuple[Coding, ...], text: str) -> DrugMatch | None:
        found = super().find(codings, text)
        _, joined, rest = text.partition(" w ")
        return replace(found, unread=(rest,)) if found and joined and not codings else found


def read_in_part(draft: dict[str, object]) -> Read:
    results = {query: QueryResult(Availability.COMPLETE) for query in Query}
    return read(Question("order-sign", PATIENT, (draft,)), results, PartialIndex(), KNOWLEDGE, TODAY)


def test_a_part_of_a_name_that_is_not_known_is_told_of_the_order() -> None:
    result = read_in_part(order(medicationCodeableConcept={"text": "acetaminophen w cod"}))
    (found,) = result.orders
    assert (found.ingredients, found.unread) == (("acetaminophen",), ("cod",))
    assert [(g.about, g.reason) for g in result.patient.gaps] == [("MedicationRequest/draft", "partly_recognised")]


def test_what_the_name_of_a_medication_leaves_open_its_ingredients_tell() -> None:
    named = {**MEDICATION, "code": {"text": "acetaminophen w cod"}}
    told = read_in_part({**by_reference("#med"), "contained": [named]})
    assert (told.orders[0].unread, gap_reasons(told)) == ((), [])
    untold = read_in_part({**by_reference("#med"), "contained": [{**named, "ingredient": []}]})
    assert (untold.orders[0].unread, gap_reasons(untold)) == (("cod",), ["partly_recognised"])


@pytest.mark.parametrize("displays", [("", ""), ("clopidogrel 75 mg", "codeine 30 mg")])
def test_codes_of_different_drugs_are_not_trusted(displays: tuple[str, str]) -> None:
    result = read_disputed("32968", "2670", displays=displays)
    assert result.orders[0].ingredients == ()
    assert gap_reasons(result) == ["codes_disagree"]


def test_a_text_decides_between_codes_and_the_disagreement_is_said() -> None:
    result = read_disputed("32968", "2670", text="clopidogrel 75 mg")
    assert result.orders[0].ingredients == ("clopidogrel",)
    assert gap_reasons(result) == ["codes_disagree"]


def test_codes_of_the_ingredients_that_the_text_names_do_not_disagree() -> None:
    result = read_disputed("2670", "161", text="acetaminophen / codeine")
    assert (result.orders[0].ingredients, gap_reasons(result)) == (("codeine", "acetaminophen"), [])


def test_a_strength_in_the_text_is_that_of_the_texts_first_ingredient() -> None:
    both = read_disputed("2670", "161", text="acetaminophen / codeine").orders[0]
    assert (both.ingredients[0], both.strength_mg) == ("codeine", None)


def test_an_order_by_code_alone_is_called_what_the_code_means() -> None:
    draft = order(medicationCodeableConcept={"coding": [{"system": RXNORM, "code": "309362"}]})
    assert read_all(drafts=(draft,)).orders[0].name == "clopidogrel 75 MG Oral Tablet"


def test_codes_that_agree_are_no_gap() -> None:
    result = read_disputed("32968", "309362")
    assert (result.orders[0].ingredients, gap_reasons(result)) == (("clopidogrel",), [])


def test_a_medication_whose_codes_disagree_says_so_beside_its_ingredients() -> None:
    draft = {**by_reference("#med"), "contained": [{**MEDICATION, "code": concept("32968", text="warfarin 5 mg",
                                                                                 system=RXNORM)}]}  # fmt: skip
    result = read_all(drafts=(draft,))
    assert result.orders[0].ingredients == ("codeine", "acetaminophen")
    assert gap_reasons(result) == ["contradiction"]


@pytest.mark.parametrize("address", ["Medication/med", "https://ehr.example/fhir/Medication/med", "urn:uuid:med"])
def test_a_referenced_medication_beside_the_drafts(address: str) -> None:
    result = read_all(drafts=(by_reference(address), MEDICATION), server="https://ehr.example/fhir")
    assert result.orders[0].ingredients == ("codeine", "acetaminophen")
    assert result.orders[0].name == "Painaway Forte"
    assert result.patient.gaps == ()


def test_a_contained_medication() -> None:
    draft = {**by_reference("#med", display="Shown name"), "contained": [MEDICATION]}
    found = read_all(drafts=(draft,)).orders[0]
    assert (found.name, found.ingredients) == ("Shown name", ("codeine", "acetaminophen"))


def test_a_medication_known_by_the_display_of_its_reference() -> None:
    medication = {"resourceType": "Medication", "id": "med", "code": {"text": "Brandname"}}
    found = read_all(drafts=(by_reference("Medication/med", display="codeine 30 mg"), medication)).orders[0]
    assert found.ingredients == ("codeine",)


def test_a_medication_with_an_unknown_ingredient_keeps_the_known_one_and_says_so() -> None:
    medication = {
        **MEDICATION,
        "ingredient": [*MEDICATION["ingredient"], {"itemCodeableConcept": {"text": "unknownium"}}],
    }  # type: ignore[misc]
    result = read_all(drafts=(by_reference("Medication/med"), medication))
    assert result.orders[0].ingredients == ("codeine", "acetaminophen")
    assert [(g.about, g.reason) for g in result.patient.gaps] == [("unknownium", "not_recognised")]


def test_an_unknown_medication_is_named() -> None:
    medication = {"resourceType": "Medication", "id": "med"}
    result = read_all(drafts=(by_reference("Medication/med"), medication))
    assert [(o.name, o.ingredients) for o in result.orders] == [("MedicationRequest/draft", ())]
    assert gap_reasons(result) == ["not_recognised"]


def test_only_a_display_may_be_there() -> None:
    found = read_all(drafts=(by_reference("Medication/gone", display="codeine 30 mg tablet"),)).orders[0]
    assert found.ingredients == ("codeine",)


def test_a_medication_that_was_not_sent_is_a_gap() -> None:
    result = read_all(drafts=(by_reference("Medication/gone"),))
    assert [(o.name, o.ingredients) for o in result.orders] == [("Medication/gone", ())]
    assert gap_reasons(result) == ["medication_not_available"]


def test_one_of_several_contained_medications() -> None:
    other = {"resourceType": "Medication", "id": "other", "code": {"text": "warfarin"}}
    draft = {**by_reference("#med"), "contained": [other, MEDICATION]}
    assert read_all(drafts=(draft,)).orders[0].ingredients == ("codeine", "acetaminophen")


def test_a_medication_entered_in_error_is_not_used() -> None:
    medication = {**MEDICATION, "status": "entered-in-error"}
    assert read_all(drafts=(by_reference("Medication/med"), medication)).orders[0].ingredients == ()


def test_a_contained_medication_that_is_not_there_is_a_gap() -> None:
    assert gap_reasons(read_all(drafts=(by_reference("#gone"),))) == ["medication_not_available"]


def test_strength_turns_tablets_into_milligrams() -> None:
    instruction = {"doseAndRate": [{"doseQuantity": {"value": 2, "unit": "tablet"}}], "text": "2 tablets once daily"}
    drug = concept("309362", "clopidogrel 75 MG Oral Tablet", system=RXNORM)
    found = read_all(drafts=(order(medicationCodeableConcept=drug, dosageInstruction=[instruction]),)).orders[0]
    assert found.dose == Dose(150.0, "mg", 1.0, "2 tablets once daily")
    assert (found.strength_mg, found.route) == (75.0, "oral")


def test_tablets_of_a_combination_stay_tablets() -> None:
    drug = {"text": "acetaminophen and codeine"}
    draft = order(medicationCodeableConcept=drug, dosageInstruction=[{"text": "2 tablets daily"}])
    found = read_all(drafts=(draft,)).orders[0]
    assert found.ingredients == ("acetaminophen", "codeine")
    assert found.strength_mg == 300.0
    assert found.dose == Dose(2.0, "tablet", 1.0, "2 tablets daily")


@pytest.mark.parametrize(
    ("route", "expected"),
    [
        (concept("47625008", system="http://snomed.info/sct"), "intravenous"),
        ({"text": "Topical application"}, "topical"),
        ({"text": "by an unheard-of way"}, ""),
    ],
)
def test_routes(route: object, expected: str) -> None:
    assert read_all(drafts=(order(dosageInstruction=[{"route": route}]),)).orders[0].route == expected


@pytest.mark.parametrize(
    ("text", "route"),
    [
        ("Take 1 by mouth", "oral"),
        ("Inhale 2 puffs by mouth twice daily", "inhaled"),
        ("Apply 1 transdermal patch topically", "transdermal"),
        ("Apply topically, keep away from eyes", "topical"),
    ],
)
def test_a_route_in_the_text_of_the_instruction(text: str, route: str) -> None:
    assert read_all(drafts=(order(dosageInstruction={"text": text}),)).orders[0].route == route


def test_the_route_of_a_medications_form() -> None:
    medication = {**MEDICATION, "form": {"text": "Oral tablet"}}
    assert read_all(drafts=(by_reference("Medication/med"), medication)).orders[0].route == "oral"


@pytest.mark.parametrize("reason", [{"text": "Acute stroke"}, [{"text": "Acute stroke"}]])
def test_a_reason_as_object_or_array(reason: object) -> None:
    found = read_all(drafts=(order(reasonCode=reason),)).orders[0]
    assert (found.reasons, found.reason_texts) == (frozenset({"stroke"}), ("Acute stroke",))


def test_a_reason_by_code_prefix() -> None:
    reason = [concept("I63.9", system="http://hl7.org/fhir/sid/icd-10-cm")]
    assert read_all(drafts=(order(reasonCode=reason),)).orders[0].reasons == {"stroke"}


def test_a_reason_by_reference_and_by_display() -> None:
    condition = {"resourceType": "Condition", "id": "c", "code": {"text": "Stroke"}, "subject": subject()}
    by_resource = order(reasonReference=[{"reference": "Condition/c"}])
    by_display = order(reasonReference={"display": "Stroke"})
    assert read_all(condition, drafts=(by_resource,)).orders[0].reasons == {"stroke"}
    assert read_all(drafts=(by_display,)).orders[0].reasons == {"stroke"}


def test_a_negated_reason_is_none() -> None:
    assert read_all(drafts=(order(reasonCode=[{"text": "no stroke"}]),)).orders[0].reasons == frozenset()


def test_selections_name_the_drafts_in_question() -> None:
    drafts = (order("a"), order("b"))
    found = read_all(drafts=drafts, selections=frozenset({"MedicationRequest/b"})).orders
    assert {(o.reference, o.selected) for o in found} == {
        ("MedicationRequest/a", False),
        ("MedicationRequest/b", True),
    }


def test_the_same_drug_drafted_twice_is_two_orders_and_the_same_draft_one() -> None:
    assert len(read_all(drafts=(order("a"), order("b"))).orders) == 2
    assert len(read_all(drafts=(order("a"), order("a"))).orders) == 1


def test_two_drafts_under_one_id_are_told_apart() -> None:
    other = order("a", medicationCodeableConcept={"text": "warfarin"})
    result = read_all(drafts=(order("a"), other))
    assert len(result.orders) == len(result.drafts) == 2


def test_a_draft_may_replace_a_statement_of_a_medicine_taken() -> None:
    statement = {**order("old", status="active"), "resourceType": "MedicationStatement"}
    draft = order(basedOn=[{"reference": "MedicationStatement/old"}])
    assert read_all(statement, drafts=(draft,)).orders[0].replaces == "MedicationStatement/old"


@pytest.mark.parametrize("field", ["basedOn", "priorPrescription"])
def test_the_active_medicine_that_a_draft_replaces(field: str) -> None:
    active = order("old", status="active")
    pointer = {"reference": "MedicationRequest/old"}
    draft = order(**{field: [pointer] if field == "basedOn" else pointer})
    assert read_all(active, drafts=(draft,)).orders[0].replaces == "MedicationRequest/old"
    stopped = order("old", status="stopped")
    assert read_all(stopped, drafts=(draft,)).orders[0].replaces == ""
    assert read_all(drafts=(draft,)).orders[0].replaces == "", "nobody sent it"


def test_a_plan_that_a_draft_follows_is_no_medicine_that_it_replaces() -> None:
    plan = {"resourceType": "ServiceRequest", "id": "plan", "status": "active", "subject": subject()}
    draft = order(basedOn=[{"reference": "ServiceRequest/plan"}])
    assert read_all(plan, drafts=(draft,)).orders[0].replaces == ""


@pytest.mark.parametrize("kind", ["MedicationStatement", "MedicationDispense", "MedicationAdministration"])
def test_a_medicine_that_is_no_order_and_is_sent_as_a_draft_is_told(kind: str) -> None:
    sent = {"resourceType": kind, "id": "m", "status": "active", "subject": subject()}
    result = read_all(drafts=({**sent, "medicationCodeableConcept": {"text": "warfarin"}}, order()))
    assert [found.reference for found in result.orders] == ["MedicationRequest/draft"]
    assert [(gap.about, gap.reason) for gap in result.patient.gaps] == [(f"{kind}/m", "unsupported_kind")]


def test_other_requests_are_passed_over_and_drafted_tests_count_as_ordered() -> None:
    nutrition = {"resourceType": "NutritionOrder", "id": "n"}
    test = {"resourceType": "ServiceRequest", "id": "s", "status": "draft", "code": {"text": "CYP2C19 genotype"}}
    result = read_all(drafts=(nutrition, test, order()))
    assert len(result.orders) == 1
    assert [p.markers for p in result.patient.pending] == [("gene:CYP2C19",)]
    assert result.patient.gaps == ()


@pytest.mark.parametrize("broken", [{}, {"id": "x"}, 7, None, []])
def test_an_entry_that_is_no_resource_is_a_gap(broken: object) -> None:
    result = read_all(drafts=(broken, order()))
    assert len(result.orders) == 1
    assert gap_reasons(result) == ["unreadable"]


def test_an_order_of_another_patient_is_refused() -> None:
    result = read_all(drafts=(order(subject=subject("bob")),))
    assert (result.orders, gap_reasons(result)) == ((), ["wrong_patient"])


@pytest.mark.parametrize(
    ("draft", "version"),
    [
        ({"resourceType": "MedicationRequest", "id": "d", "status": "draft", "medication": {"concept": {}}}, "R5"),
        ({"resourceType": "MedicationOrder", "id": "d"}, "DSTU2"),
    ],
)
def test_a_body_of_another_fhir_version_is_named(draft: dict[str, object], version: str) -> None:
    result = read_all(drafts=(draft,))
    assert (result.orders, gap_reasons(result)) == ((), ["unsupported_version"])
    assert version in result.patient.gaps[0].detail


def test_dispatched_orders_are_looked_up() -> None:
    wanted = ("MedicationRequest/sent", "MedicationRequest/gone", "ServiceRequest/s")
    other = {"resourceType": "ServiceRequest", "id": "s", "status": "active"}
    result = read_all(order("sent", status="active"), other, wanted=wanted)
    assert [o.reference for o in result.orders] == ["MedicationRequest/sent"]
    assert [(g.about, g.reason) for g in result.patient.gaps] == [("MedicationRequest/gone", "not_available")]


def test_active_medicines_are_the_orders_of_patient_view() -> None:
    statement = {
        "resourceType": "MedicationStatement",
        "id": "st",
        "status": "active",
        "medicationCodeableConcept": {"text": "warfarin"},
    }
    result = read_all(order("rx", status="active"), order("off", status="stopped"), statement, active=True)
    assert {(o.reference, o.active) for o in result.orders} == {
        ("MedicationRequest/rx", True),
        ("MedicationStatement/st", True),
    }
    assert set(result.drafts) == {"MedicationRequest/rx", "MedicationStatement/st"}


def test_gaps_of_the_hook_layer_are_kept_and_missing_queries_are_told() -> None:
    given = Gap("draftOrders", GapReason.UNREADABLE)
    question = Question("order-sign", PATIENT, (order(),), gaps=(given,))
    results = {Query.RESULTS: QueryResult(Availability.FAILED, reason=Shortfall.LATE)}
    result = read(question, results, SmallIndex(), KNOWLEDGE, TODAY)
    assert given in result.patient.gaps
    assert Gap("results", GapReason.NOT_AVAILABLE, "late", Query.RESULTS) in result.patient.gaps
    assert result.patient.availability[Query.RESULTS] is Availability.FAILED
    assert result.patient.availability[Query.CONDITIONS] is Availability.MISSING


def two_keys(others: QueryResult, of_tumours: QueryResult) -> Read:
    results = {query: QueryResult(Availability.COMPLETE) for query in Query}
    results |= {Query.RESULTS: others, Query.TUMOUR_RESULTS: of_tumours}
    return read(Question("order-sign", PATIENT, (order(),)), results, SmallIndex(), KNOWLEDGE, TODAY)


def test_results_without_an_id_under_two_keys_are_two() -> None:
    """Neither passes for the older version of the other."""
    one, other = (genotype(gene, "*1/*1", id=None) for gene in ("CYP2C19", "CYP2D6"))
    dated = {"meta": {"lastUpdated": "2026-01-01T00:00:00Z"}}
    complete = Availability.COMPLETE
    result = two_keys(QueryResult(complete, (one,)), QueryResult(complete, (other | dated,)))
    assert [r.observable for r in result.patient.readings] == ["gene:CYP2C19", "gene:CYP2D6"]
    again = two_keys(QueryResult(complete, (one | {"id": "a"},)), QueryResult(complete, (one | {"id": "a"},)))
    assert len(again.patient.readings) == 1, "a server that gives one resource for both is no second result"


@pytest.mark.parametrize("own", list(Availability))
@pytest.mark.parametrize("others", list(Availability))
def test_results_of_tumours_are_lost_with_the_others_where_their_key_was_never_sent(
    own: Availability, others: Availability
) -> None:
    told = two_keys(QueryResult(others), QueryResult(own)).patient.availability
    is_never_sent = own is Availability.MISSING and others in (Availability.PARTIAL, Availability.FAILED)
    assert told[Query.RESULTS] is others
    assert told[Query.TUMOUR_RESULTS] is (others if is_never_sent else own)
