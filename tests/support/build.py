"""Build a CDS Hooks request, as an EHR would send it, from a clinical case in a few words.

A case names a patient and one or more orders; everything that it does not name is known to be absent (empty
search results), unless `missing` names the prefetch key. Dates are relative to the day of the test.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from tests.support.keys import key_of
from tests.support.world import knowledge

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
BODY_WEIGHT = "29463-7"
PATIENT_ID = "case-patient"

_ENZYME_CODES = {"G6PD": "32546-4", "TPMT": "21563-2"}
_FOUND = {"positive": "LA6576-8", "negative": "LA6577-6"}

Json = dict[str, Any]


def hook_request(case: Mapping[str, Any], codes: Mapping[str, str], today: date, hook: str = "order-sign") -> Json:
    """The request body for the case. `codes` maps drug names to RxNorm ingredient codes."""
    patient = case.get("patient", {})
    orders = [_order(n, o, codes) for n, o in enumerate(case.get("orders", []), start=1)]
    results = [*_results(patient, today), *patient.get("resources", [])]
    prefetch = {
        "patient": _patient(patient, today),
        "medications": _bundle(_medications(patient.get("medications", []), codes, today)),
        "results": _bundle(r for r in results if key_of(r) == "results"),
        "tumour_results": _bundle(r for r in results if key_of(r) == "tumour_results"),
        "conditions": _bundle(_conditions(patient.get("conditions", []), today)),
        "allergies": _bundle(_allergies(patient.get("allergies", []))),
        "requests": _bundle(_pending(patient.get("pending", []), today)),
        "family": _bundle(_family(patient.get("family", []))),
    }
    for key in case.get("missing", []):
        del prefetch[key]
    context: Json = {"userId": "Practitioner/case-clinician", "patientId": PATIENT_ID}
    if hook in ("order-sign", "order-select"):
        context["draftOrders"] = _bundle(orders, "collection")
    if hook == "order-select":
        context["selections"] = [f"MedicationRequest/{o['id']}" for o in orders]
    if hook == "medication-refill":
        context["medications"] = _bundle(orders, "collection")
    instance = str(uuid5(NAMESPACE_URL, str(case.get("id", "case"))))
    return {"hook": hook, "hookInstance": instance, "context": context, "prefetch": prefetch}


def _bundle(resources: Iterable[Json], kind: str = "searchset") -> Json:
    entries = [{"resource": r} for r in resources]
    bundle: Json = {"resourceType": "Bundle", "type": kind}
    return {**bundle, "entry": entries} if entries else bundle


def _subject() -> Json:
    return {"reference": f"Patient/{PATIENT_ID}"}


def _patient(patient: Mapping[str, Any], today: date) -> Json:
    resource: Json = {
        "resourceType": "Patient",
        "id": PATIENT_ID,
        "name": [{"family": "Testperson", "given": ["Casey"]}],
    }
    if "sex" in patient:
        resource["gender"] = patient["sex"]
    if "age" in patient:
        resource["birthDate"] = (today - timedelta(days=float(patient["age"]) * 365.25 + 1)).isoformat()
    if "born" in patient:
        resource["birthDate"] = str(today.year - int(patient["born"]))
    if "age_days" in patient:
        resource["birthDate"] = (today - timedelta(days=int(patient["age_days"]))).isoformat()
    return resource


def drug_concept(name: str, codes: Mapping[str, str]) -> Json:
    """The drug as a CodeableConcept: RxNorm ingredient code where known, and its name."""
    concept: Json = {"text": name}
    if name in codes:
        concept["coding"] = [{"system": RXNORM, "code": codes[name], "display": name}]
    return concept


def _order(n: int, order: Mapping[str, Any], codes: Mapping[str, str]) -> Json:
    resource: Json = {
        "resourceType": "MedicationRequest",
        "id": order.get("id", f"draft-{n}"),
        "status": "draft",
        "intent": "order",
        "subject": _subject(),
        "medicationCodeableConcept": drug_concept(order["drug"], codes),
    }
    dosage = _dosage(order)
    if dosage:
        resource["dosageInstruction"] = [dosage]
    if "reason" in order:
        resource["reasonCode"] = [{"text": order["reason"]}]
    return resource


def _dosage(order: Mapping[str, Any]) -> Json:
    """`dose: 75 mg` with `per_day: 1`, and a route text."""
    dosage: Json = {}
    if "dose" in order:
        value, unit = str(order["dose"]).split()
        quantity = {"value": float(value), "unit": unit, "system": UCUM, "code": unit}
        dosage["doseAndRate"] = [{"doseQuantity": quantity}]
        dosage["timing"] = {"repeat": {"frequency": order.get("per_day", 1), "period": 1, "periodUnit": "d"}}
    if "route" in order:
        dosage["route"] = {"text": order["route"]}
    return dosage


def _medications(medications: Iterable[Any], codes: Mapping[str, str], today: date) -> Iterable[Json]:
    """A name, or {drug, days (taken since), until (days ago, of which the month is told), dose, per_day}. With
    `supply` (days) and `repeats` it says for how long it is; `dispensed` (days ago) makes it a dispense."""
    for n, entry in enumerate(medications, start=1):
        given: Mapping[str, Any] = {"drug": entry} if isinstance(entry, str) else entry
        resource: Json = {
            "resourceType": "MedicationRequest",
            "id": f"med-{n}",
            "status": "active",
            "intent": "order",
            "subject": _subject(),
            "authoredOn": (today - timedelta(days=given.get("days", 30))).isoformat(),
            "medicationCodeableConcept": drug_concept(given["drug"], codes),
        }
        dosage = _dosage(given)
        if "until" in given:
            bounds = {"end": (today - timedelta(days=given["until"])).isoformat()[:7]}
            dosage.setdefault("timing", {}).setdefault("repeat", {})["boundsPeriod"] = bounds
        if dosage:
            resource["dosageInstruction"] = [dosage]
        yield _supplied(resource, given, today)


def _supplied(resource: Json, given: Mapping[str, Any], today: date) -> Json:
    supply = {"value": given["supply"], "unit": "days", "system": UCUM, "code": "d"} if "supply" in given else None
    if "dispensed" in given:
        handed = (today - timedelta(days=given["dispensed"])).isoformat()
        kept = {name: resource[name] for name in ("id", "subject", "medicationCodeableConcept")}
        dispense = {"resourceType": "MedicationDispense", "status": "completed", "whenHandedOver": handed}
        return {**kept, **dispense, **({"daysSupply": supply} if supply else {})}
    if supply is not None:
        told = {"expectedSupplyDuration": supply, "numberOfRepeatsAllowed": given.get("repeats", 0)}
        resource["dispenseRequest"] = told
    return resource


def _results(patient: Mapping[str, Any], today: date) -> Iterable[Json]:
    on = (today - timedelta(days=200)).isoformat()
    for gene, text in patient.get("genotypes", {}).items():
        values = text if isinstance(text, list) else [text]
        for n, value in enumerate(values):
            yield _genomic(f"geno-{gene}-{n}", "84413-4", "Genotype display name", gene, {"text": value}, on)
    for gene, term in patient.get("phenotypes", {}).items():
        value = {"text": f"{gene} {term}"}
        yield _genomic(f"pheno-{gene}", "53040-2", "Genetic variation's effect on drug metabolism", gene, value, on)
    for allele, result in patient.get("hla", {}).items():
        for n, value in enumerate(result if isinstance(result, list) else [result]):
            yield _hla(f"hla-{allele}-{n}".replace("*", "-").replace(":", ""), allele, value, on)
    yield from _enzymes(patient.get("enzymes", {}), today)
    for entry in patient.get("consumer", []):
        resource = _genomic(
            f"dtc-{entry['gene']}", "84413-4", "Genotype", entry["gene"], {"text": entry["genotype"]}, on
        )
        yield {**resource, "performer": [_subject()]}
    if "weight" in patient:
        yield _measured(
            "weight", BODY_WEIGHT, "Body weight", {"value": patient["weight"], "unit": "kg", "days": 30}, today
        )
    yield from _labs(patient.get("labs", {}), today)
    yield from _variants(patient, today)


def _variants(patient: Mapping[str, Any], today: date) -> Iterable[Json]:
    """{somatic: {gene: variant or variants}, inherited: {gene: variant or variants}}"""
    for kind, made in (("somatic", _of_tumour), ("inherited", _inherited)):
        for gene, given in patient.get(kind, {}).items():
            for n, found in enumerate(given if isinstance(given, list) else [given]):
                yield made(f"{kind}-{gene}-{n}", gene, found, today)


def _labs(labs: Mapping[str, Any], today: date) -> Iterable[Json]:
    """{potassium: result or results}; an observable of another kind by its whole id (`tumour:ER`)."""
    for name, given in labs.items():
        observable = knowledge().observables[name if ":" in name else f"lab:{name}"]
        code = observable.codes[0] if observable.codes else None
        label = code.display or name if code else observable.names[0]
        stem = f"lab-{name}".replace("_", "-").replace(":", "-")
        for n, result in enumerate(given if isinstance(given, list) else [given]):
            made = _measured(f"{stem}-{n}", code.code if code else "", label, result, today)
            if code and code.system != LOINC:
                made["code"]["coding"][0]["system"] = code.system
            yield made


def _of_tumour(name: str, gene: str, found: Any, today: date) -> Json:
    """A variant of a tumour by its name, `negative` for none found, or {variant, significance, days, specimen}."""
    told: Mapping[str, Any] = {"variant": found} if isinstance(found, str) else found
    made = _assessed(name, gene, told, {"system": LOINC, "code": "LA6684-0", "display": "Somatic"}, today)
    return {**made, "specimen": {"display": told.get("specimen", "tumour tissue")}}


def _inherited(name: str, gene: str, found: Any, today: date) -> Json:
    """An inherited variant, as one of a tumour is told."""
    told: Mapping[str, Any] = {"variant": found} if isinstance(found, str) else found
    return _assessed(name, gene, told, {"system": LOINC, "code": "LA6683-2", "display": "Germline"}, today)


def _assessed(name: str, gene: str, told: Mapping[str, Any], source: Json, today: date) -> Json:
    absent = told["variant"] == "negative"
    on = (today - timedelta(days=told.get("days", 20))).isoformat()
    answer = {"coding": [{"system": LOINC, "code": "LA9634-2" if absent else "LA9633-4"}]}
    made = _genomic(name, "69548-6", "Genetic variant assessment", gene, answer, on)
    parts = [*made["component"], _part("48002-0", {"coding": [source]})]
    if not absent:
        parts.append(_part("48005-3", {"text": told["variant"]}))
    if "significance" in told:
        parts.append(_part("53037-8", {"text": told["significance"]}))
    return {**made, "component": parts}


def _part(code: str, value: Json) -> Json:
    return {"code": {"coding": [{"system": LOINC, "code": code}]}, "valueCodeableConcept": value}


def _written(day: date, told: Mapping[str, Any]) -> str:
    """The day as a sender writes it: with the `time` of an entry ("20:00:00Z"), or only the `month` or `year`."""
    if "time" in told:
        return f"{day.isoformat()}T{told['time']}"
    return day.isoformat()[: {"month": 7, "year": 4}.get(told.get("written", ""), 10)]


def _measured(name: str, code: str, display: str, given: Mapping[str, Any], today: date) -> Json:
    """A laboratory value {value, unit, days, comparator?}, a finding {result: positive or negative, days}, or a
    {grade, days} in words; `time` and `written` say how its date is told. Without a code the label alone names it."""
    concept: Json = {"coding": [{"system": LOINC, "code": code, "display": display}]} if code else {"text": display}
    return {
        "resourceType": "Observation",
        "id": name,
        "status": given.get("status", "final"),
        "code": concept,
        "subject": _subject(),
        "effectiveDateTime": _written(today - timedelta(days=given.get("days", 1)), given),
        "performer": [{"display": "Testhausen Laboratory"}],
        **_value(given),
    }


def _value(given: Mapping[str, Any]) -> Json:
    if "grade" in given:
        return {"valueCodeableConcept": {"text": given["grade"]}}
    if "result" in given:
        coding = {"system": LOINC, "code": _FOUND[given["result"]], "display": given["result"].capitalize()}
        return {"valueCodeableConcept": {"coding": [coding], "text": given["result"].capitalize()}}
    quantity = {"value": given["value"], "unit": given["unit"], "system": UCUM, "code": given["unit"]}
    return {"valueQuantity": quantity | ({"comparator": given["comparator"]} if "comparator" in given else {})}


def _enzymes(enzymes: Mapping[str, Any], today: date) -> Iterable[Json]:
    """{gene: {says: Normal, days (ago)}}"""
    for gene, told in enzymes.items():
        measured = (today - timedelta(days=told["days"])).isoformat()
        says = {"text": told["says"]}
        yield _genomic(f"enzyme-{gene}", _ENZYME_CODES[gene], f"{gene} enzyme activity", gene, says, measured)


def _genomic(name: str, code: str, display: str, gene: str, value: Json, on: str) -> Json:
    return {
        "resourceType": "Observation",
        "id": name,
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": code, "display": display}]},
        "subject": _subject(),
        "effectiveDateTime": on,
        "performer": [{"display": "Testhausen Molecular Laboratory"}],
        "valueCodeableConcept": value,
        "component": [
            {
                "code": {"coding": [{"system": LOINC, "code": "48018-6", "display": "Gene studied [ID]"}]},
                "valueCodeableConcept": {"text": gene},
            }
        ],
    }


def _hla(name: str, allele: str, result: str, on: str) -> Json:
    """An allele-specific result: `HLA-B*57:01` positive or negative."""
    positive = result == "positive"
    coding = {"system": LOINC, "code": "LA6576-8" if positive else "LA6577-6", "display": result.capitalize()}
    return {
        "resourceType": "Observation",
        "id": name,
        "status": "final",
        "code": {"text": f"HLA-{allele} presence"},
        "subject": _subject(),
        "effectiveDateTime": on,
        "performer": [{"display": "Testhausen Molecular Laboratory"}],
        "valueCodeableConcept": {"coding": [coding]},
    }


def _conditions(conditions: Iterable[Any], today: date) -> Iterable[Json]:
    """A text, or {text, days (since its onset), ended (days ago), status (active)}."""
    for n, entry in enumerate(conditions, start=1):
        told: Mapping[str, Any] = {"text": entry} if isinstance(entry, str) else entry
        resource: Json = {
            "resourceType": "Condition",
            "id": f"cond-{n}",
            "clinicalStatus": {"coding": [{"code": told.get("status", "active")}]},
            "code": {"text": told["text"]},
            "subject": _subject(),
        }
        if "days" in told:
            resource["onsetDateTime"] = (today - timedelta(days=told["days"])).isoformat()
        if "ended" in told:
            resource["abatementDateTime"] = (today - timedelta(days=told["ended"])).isoformat()
        yield resource


def _allergies(allergies: Iterable[str]) -> Iterable[Json]:
    for n, text in enumerate(allergies, start=1):
        yield {
            "resourceType": "AllergyIntolerance",
            "id": f"allergy-{n}",
            "clinicalStatus": {"coding": [{"code": "active"}]},
            "code": {"text": text},
            "patient": _subject(),
        }


def _pending(pending: Iterable[Mapping[str, Any]], today: date) -> Iterable[Json]:
    """{text, loinc?, days (since ordered)}"""
    for n, entry in enumerate(pending, start=1):
        code: Json = {"text": entry["text"]}
        if "loinc" in entry:
            code["coding"] = [{"system": LOINC, "code": entry["loinc"]}]
        yield {
            "resourceType": "ServiceRequest",
            "id": f"pending-{n}",
            "status": "active",
            "intent": "order",
            "code": code,
            "subject": _subject(),
            "authoredOn": (today - timedelta(days=entry.get("days", 1))).isoformat(),
        }


_RELATION = {
    "brother": "BRO",
    "sister": "SIS",
    "mother": "MTH",
    "father": "FTH",
    "aunt": "AUNT",
    "grandfather": "GRFTH",
}


def _family(family: Iterable[Mapping[str, Any]]) -> Iterable[Json]:
    """{relation: brother, condition: malignant hyperthermia}"""
    for n, entry in enumerate(family, start=1):
        relation = entry["relation"]
        system = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
        yield {
            "resourceType": "FamilyMemberHistory",
            "id": f"family-{n}",
            "status": "completed",
            "patient": _subject(),
            "relationship": {"coding": [{"system": system, "code": _RELATION[relation], "display": relation}]},
            "condition": [{"code": {"text": entry["condition"]}}],
        }
