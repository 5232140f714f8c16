"""A drug in words, as a person writes it, to the draft that an EHR would send."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cds_service.codes import RXNORM, UCUM
from cds_service.knowledge.base import Knowledge
from cds_service.model import Dose, DrugIndex, DrugMatch
from cds_service.reading.dose_text import dose_in_text

JsonObject = dict[str, object]


@dataclass(frozen=True, slots=True)
class Draft:
    """The resource, and what was understood of the words it was made from."""

    text: str
    resource: JsonObject
    match: DrugMatch | None
    rxnorm: str
    """RxNorm code of the ingredient, or of the combination as one; empty where there is none."""
    dose: Dose | None


def draft(
    text: str, number: int, patient_id: str, index: DrugIndex, knowledge: Knowledge, *, reason: str = ""
) -> Draft:
    """A drafted MedicationRequest for `text` ("clopidogrel 75 mg once daily"), with the id `draft-<number>`.
    A drug that is not recognised stays as its text: the service is to say so, as it would to an EHR.
    """
    match = index.find((), text)
    rxnorm = _rxnorm(match, knowledge)
    dose = dose_in_text(text, match.strength_mg if match else None)
    resource: JsonObject = {
        "resourceType": "MedicationRequest",
        "id": f"draft-{number}",
        "status": "draft",
        "intent": "order",
        "subject": {"reference": f"Patient/{patient_id}"},
        "medicationCodeableConcept": _concept(text, rxnorm),
    }
    if instruction := _instruction(dose, match.route if match else ""):
        resource["dosageInstruction"] = [instruction]
    if reason:
        resource["reasonCode"] = [{"text": reason}]
    return Draft(text, resource, match, rxnorm, dose)


def _rxnorm(match: DrugMatch | None, knowledge: Knowledge) -> str:
    """A single ingredient's code, or that of the combination, which stands first among its parts."""
    if match is None or (len(match.drugs) > 1 and " / " not in match.drugs[0]):
        return ""
    drug = knowledge.drugs.get(match.drugs[0])
    return drug.rxcui if drug else ""


def _concept(text: str, rxnorm: str) -> JsonObject:
    coding = {"system": RXNORM, "code": rxnorm, "display": text}
    return {"text": text, **({"coding": [coding]} if rxnorm else {})}


def _instruction(dose: Dose | None, route: str) -> JsonObject:
    instruction: JsonObject = {"route": {"text": route}} if route else {}
    if dose is None:
        return instruction
    if dose.per_dose is not None:
        quantity: JsonObject = {"value": dose.per_dose, "unit": dose.unit}
        if "mg" in dose.unit:
            quantity |= {"system": UCUM, "code": dose.unit}
        instruction["doseAndRate"] = [{"doseQuantity": quantity}]
    if dose.per_day:
        instruction["timing"] = {"repeat": _repeat(dose.per_day)}
    return instruction


def _repeat(per_day: float) -> Mapping[str, object]:
    """So many times a day; anything that is no whole number of times as an interval in hours."""
    if per_day == int(per_day):
        return {"frequency": int(per_day), "period": 1, "periodUnit": "d"}
    return {"frequency": 1, "period": round(24 / per_day, 3), "periodUnit": "h"}
