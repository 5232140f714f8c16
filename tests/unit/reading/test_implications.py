"""Results that say what a medicine does, and the laboratory's recommendations."""

from __future__ import annotations

from cds_service.codes import RXNORM
from cds_service.model import (
    Gap,
    Phenotype,
    Query,
)

from .small import (
    concept,
    gap_reasons,
    gene_component,
    observation,
    read_all,
    somatic,
    subject,
)


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
