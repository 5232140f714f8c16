"""A resource is as valid as FHIR's models find it, whatever was validated before, and no verdict names anybody."""

from __future__ import annotations

import copy
import random
from typing import Any

import pytest

from cds_service.memory import Memory
from cds_service.writing import validity

SEED = 7
Json = dict[str, Any]

ORDER: Json = {
    "resourceType": "MedicationRequest",
    "id": "id-canary",
    "meta": {"versionId": "1", "lastUpdated": "2026-11-25T08:30:00.000Z"},
    "status": "draft",
    "intent": "order",
    "category": [{"coding": [{"system": "http://example.org/c", "code": "outpatient"}]}],
    "subject": {"reference": "Patient/patient-canary", "display": "Canary, Ada"},
    "encounter": {"reference": "Encounter/encounter-canary"},
    "authoredOn": "2026-11-24",
    "requester": {"reference": "Practitioner/person-canary", "display": "Canary, Kim"},
    "reasonCode": [{"text": "gout"}],
    "medicationCodeableConcept": {"coding": [{"system": "http://example.org/d", "code": "1"}], "text": "primol"},
    "dosageInstruction": [
        {
            "text": "100 mg daily",
            "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}},
            "doseAndRate": [{"doseQuantity": {"value": 100, "unit": "mg"}}],
        }
    ],
}
REQUEST: Json = {
    "resourceType": "ServiceRequest",
    "status": "draft",
    "intent": "order",
    "priority": "routine",
    "code": {"coding": [{"system": "http://loinc.org", "code": "57132-3"}], "text": "GENA genotype"},
    "subject": {"reference": "Patient/patient-canary"},
    "occurrencePeriod": {"start": "2026-11-27", "end": "2026-11-29"},
    "authoredOn": "2026-11-25",
    "reasonCode": [{"text": "primol"}],
    "note": [{"text": "Specimen: blood"}],
}
ODD: tuple[Any, ...] = (
    None, "", " ", "\u000b", "a b", "x" * 300, 0, 1, 1.5, True, [], {}, [None], [{}], {"reference": "Patient/b"},
    {"reference": 1}, {"reference": ""}, {"reference": "Patient/b", "type": "Patient"}, [{"reference": "Patient/b"}],
    "2026-02-30", "2026-11-31T00:00:00Z", "2026", "2026-11-25T08:30:00", "2026-11-25T08:30:00+01:00", "0000-01-01",
    {"start": "2026-01-01"}, {"start": "soon"}, {"versionId": "a b"}, {"lastUpdated": "2026-11-25"}, {"text": "gout"},
    [{"text": "gout"}], {"coding": [{"code": " a"}]},
)  # fmt: skip


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch) -> None:
    monkeypatch.setattr(validity, "_valid", Memory())


def changed(resource: Json, chance: random.Random) -> Json:
    """With an element, or a member of one, dropped or made odd, or with one that it did not have."""
    made = copy.deepcopy(resource)
    name = chance.choice(
        [*made, "identifier", "doNotPerform", "performer", "reportedBoolean", "_status", "unheard_of"]
    )
    holder: Any = made
    while isinstance(holder.get(name), dict) and holder[name] and chance.random() < 0.6:
        holder = holder[name]
        name = chance.choice([*holder])
    if name != "resourceType":
        holder[name] = copy.deepcopy(chance.choice(ODD))
        if chance.random() < 0.3:
            del holder[name]
    return made


@pytest.mark.parametrize("resource", [ORDER, REQUEST], ids=lambda resource: resource["resourceType"])
def test_the_verdict_is_that_of_the_models(resource: Json) -> None:
    chance, wrong = random.Random(SEED), 0
    assert validity.fault(resource) == ""
    for _ in range(800):
        sent = changed(resource, chance)
        if chance.random() < 0.5:
            sent = changed(sent, chance)
        expected = validity._fault(sent)
        assert (validity.fault(sent), validity.fault(sent)) == (expected, expected), sent
        wrong += bool(expected)
    assert 200 < wrong < 750


def test_what_was_valid_is_not_validated_again_for_the_next_patient(monkeypatch) -> None:
    assert validity.fault(ORDER) == ""
    monkeypatch.setattr(validity, "_fault", lambda _: "validated again")
    next_one = {**ORDER, "id": "2", "subject": {"reference": "Patient/2"}, "authoredOn": "2026-11-26"}
    assert validity.fault(next_one) == ""
    assert validity.fault({**next_one, "reasonCode": [{"text": "pain"}]}) == "validated again"
    assert validity.fault({**next_one, "authoredOn": "2026-02-30"}) == "validated again"
    assert validity.fault({name: part for name, part in next_one.items() if name != "status"}) == "validated again"


def test_no_verdict_names_anybody_or_a_day() -> None:
    concerning = {"reference": "Condition/condition-canary"}
    for resource in (ORDER, REQUEST, {**ORDER, "reasonReference": [concerning]}):
        assert validity.fault(resource) == ""
    for whom in ({"reference": "Patient/patient-canary"}, {"identifier": {"value": "patient-canary"}}):
        extended = [{"url": "http://example.org/e", "valueReference": whom}]
        assert validity.fault({**REQUEST, "code": {**REQUEST["code"], "extension": extended}}) == ""
    kept = repr(validity._valid._values).lower()
    assert "primol" in kept
    assert "canary" not in kept
    assert "2026" not in kept
