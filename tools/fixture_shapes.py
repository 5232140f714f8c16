"""Resources of made-up patients in the shapes that EHRs and laboratories send: one function for each shape.

Codes are those that the facts of the knowledge show in real files. Every function gives a plain FHIR R4 dictionary.
"""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"
UCUM = "http://unitsofmeasure.org"
HGNC = "http://www.genenames.org/geneId"
PHARMVAR = "https://www.pharmvar.org"
TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
GENOTYPE_PROFILE = "http://hl7.org/fhir/uv/genomics-reporting/StructureDefinition/genotype"
IMPLICATION_PROFILE = "http://hl7.org/fhir/uv/genomics-reporting/StructureDefinition/therapeutic-implication"
IMPLICATION_CODES = "http://hl7.org/fhir/uv/genomics-reporting/CodeSystem/tbd-codes-cs"

GENES = {
    "CYP2C19": "HGNC:2621",
    "CYP2D6": "HGNC:2625",
    "DPYD": "HGNC:3012",
    "SLCO1B1": "HGNC:10959",
    "TPMT": "HGNC:12014",
}
DRUGS = {
    "clopidogrel": ("309362", "clopidogrel 75 MG Oral Tablet"),
    "aspirin": ("243670", "aspirin 81 MG Oral Tablet"),
    "atorvastatin": ("617311", "atorvastatin 40 MG Oral Tablet"),
    "metoprolol": ("866924", "metoprolol tartrate 25 MG Oral Tablet"),
    "lisinopril": ("314076", "lisinopril 10 MG Oral Tablet"),
    "codeine": ("2670", "codeine"),
    "acetaminophen/codeine": ("993781", "acetaminophen 300 MG / codeine phosphate 30 MG Oral Tablet"),
    "paroxetine": ("314199", "paroxetine 20 MG Oral Tablet"),
    "capecitabine": ("213293", "capecitabine 500 MG Oral Tablet [Xeloda]"),
    "oxaliplatin": ("32592", "oxaliplatin"),
    "cetuximab": ("318341", "cetuximab"),
    "abacavir": ("213460", "abacavir 300 MG Oral Tablet [Ziagen]"),
    "abacavir/lamivudine": ("602395", "abacavir 600 MG / lamivudine 300 MG Oral Tablet [Epzicom]"),
    "dolutegravir": ("1433868", "dolutegravir"),
    "carbamazepine": ("308979", "carbamazepine 200 MG Oral Tablet"),
    "azathioprine": ("197388", "azathioprine 50 MG Oral Tablet"),
    "mesalamine": ("104112", "mesalamine 400 MG Delayed Release Oral Tablet [Asacol]"),
    "mercaptopurine": ("197931", "mercaptopurine 50 MG Oral Tablet"),
    "simvastatin": ("198211", "simvastatin 40 MG Oral Tablet"),
    "gentamicin": ("313996", "gentamicin 40 MG/ML Injectable Solution"),
    "ampicillin": ("733", "ampicillin"),
    "succinylcholine": ("10154", "succinylcholine"),
    "rasburicase": ("283821", "rasburicase"),
    "fluorouracil": ("4492", "fluorouracil"),
    "omeprazole": ("198051", "omeprazole 20 MG Delayed Release Oral Capsule"),
    "tramadol": ("835603", "tramadol hydrochloride 50 MG Oral Tablet"),
    "ondansetron": ("198052", "ondansetron 4 MG Oral Tablet"),
    "ibuprofen": ("197806", "ibuprofen 600 MG Oral Tablet"),
    "allopurinol": ("197319", "allopurinol 100 MG Oral Tablet"),
    "colchicine": ("197541", "colchicine 0.6 MG Oral Tablet"),
    "citalopram": ("309314", "citalopram 40 MG Oral Tablet"),
}
ROUTES = {
    "oral": ("26643006", "Oral route"),
    "intravenous": ("47625008", "Intravenous route"),
    "topical": ("6064005", "Topical route"),
}
RELATIONS = {"brother": "BRO", "mother": "MTH", "father": "FTH", "sister": "SIS"}


def concept(system: str, code: str, display: str, text: str = "") -> Json:
    return {"coding": [{"system": system, "code": code, "display": display}], "text": text or display}


def status(kind: str, code: str) -> Json:
    return {"coding": [{"system": f"{TERMINOLOGY}/{kind}", "code": code}]}


def patient(family: str, given: str, sex: str, born: str) -> Json:
    """The name is plainly made up; the id is made from the given name."""
    return {
        "resourceType": "Patient",
        "id": f"made-up-{given.lower()}",
        "identifier": [{"system": "urn:example:made-up-hospital:mrn", "value": f"TEST-{given.upper()}"}],
        "active": True,
        "name": [{"use": "official", "family": family, "given": [given]}],
        "gender": sex,
        "birthDate": born,
    }


def dosage(amount: float, unit: str, per_day: int, route: str = "oral", text: str = "") -> Json:
    """`unit` in UCUM; a unit in braces is shown without them."""
    code, display = ROUTES[route]
    quantity = {"value": amount, "unit": unit.strip("{}"), "system": UCUM, "code": unit}
    times = {1: "once", 2: "twice"}.get(per_day, f"{per_day} times")
    return {
        "text": text or f"{amount:g} {quantity['unit']} {times} daily",
        "timing": {"repeat": {"frequency": per_day, "period": 1, "periodUnit": "d"}},
        "route": {"coding": [{"system": SNOMED, "code": code, "display": display}]},
        "doseAndRate": [{"type": status("dose-rate-type", "ordered"), "doseQuantity": quantity}],
    }


def drug(name: str) -> Json:
    code, display = DRUGS[name]
    return concept(RXNORM, code, display)


def draft(name: str, dose: Json | None, **more: Any) -> Json:
    """An unsigned order, as in `context.draftOrders`."""
    resource = {
        "resourceType": "MedicationRequest",
        "id": f"draft-{name.replace('/', '-')}",
        "status": "draft",
        "intent": "order",
        "category": [concept(f"{TERMINOLOGY}/medicationrequest-category", "outpatient", "Outpatient")],
        "medicationCodeableConcept": drug(name),
        "authoredOn": "2026-11-25T09:12:00Z",
        "requester": {"reference": "Practitioner/made-up-clinician"},
    }
    return {**resource, **({"dosageInstruction": [dose]} if dose else {}), **more}


def taken(name: str, since: str, dose: Json | None = None, **more: Any) -> Json:
    """A medicine on the patient's active list."""
    order = draft(name, dose, **more)
    return {**order, "id": f"active-{name.replace('/', '-')}", "status": "active", "authoredOn": f"{since}T10:00:00Z"}


def by_contained_medication(order: Json) -> Json:
    """The same order with its drug in a contained Medication, as one large EHR sends it."""
    medication = {"resourceType": "Medication", "id": "med", "code": order["medicationCodeableConcept"]}
    rest = {name: value for name, value in order.items() if name != "medicationCodeableConcept"}
    return {**rest, "contained": [medication], "medicationReference": {"reference": "#med"}}


def observation(name: str, code: Json, on: str, **more: Any) -> Json:
    return {
        "resourceType": "Observation",
        "id": name,
        "status": "final",
        "category": [concept(f"{TERMINOLOGY}/observation-category", "laboratory", "Laboratory")],
        "code": code,
        "effectiveDateTime": f"{on}T08:00:00Z",
        "issued": f"{on}T16:30:00Z",
        "performer": [{"display": "Invented Genomics Laboratory"}],
        **more,
    }


def gene_studied(gene: str) -> Json:
    return {
        "code": concept(LOINC, "48018-6", "Gene studied [ID]"),
        "valueCodeableConcept": {"coding": [{"system": HGNC, "code": GENES[gene], "display": gene}]},
    }


def reported_genotype(gene: str, diplotype: str, on: str) -> Json:
    """The Genotype profile of the Genomics Reporting guide, coded by PharmVar."""
    coding = {"system": PHARMVAR, "code": f"{gene} {diplotype}", "display": f"{gene} {diplotype}"}
    return observation(
        f"genotype-{gene.lower()}",
        concept(LOINC, "84413-4", "Genotype display name"),
        on,
        meta={"profile": [GENOTYPE_PROFILE]},
        valueCodeableConcept={"coding": [coding], "text": f"{gene} {diplotype}"},
        component=[gene_studied(gene)],
    )


def reported_implication(gene: str, code: str, display: str, on: str) -> Json:
    """The guide's Therapeutic Implication, which names its gene only through what it derives from."""
    return observation(
        f"implication-{gene.lower()}",
        {"coding": [{"system": IMPLICATION_CODES, "code": "therapeutic-implication"}]},
        on,
        meta={"profile": [IMPLICATION_PROFILE]},
        derivedFrom=[{"reference": f"Observation/genotype-{gene.lower()}"}],
        component=[
            {
                "code": {"coding": [{"system": IMPLICATION_CODES, "code": "therapeutic-implication"}]},
                "valueCodeableConcept": concept(LOINC, code, display),
            }
        ],
    )


def first_release_genotype(gene: str, diplotype: str, on: str) -> Json:
    """Gene by its bare symbol, genotype as text only."""
    symbol = {"code": concept(LOINC, "48018-6", "Gene studied [ID]"), "valueCodeableConcept": {"text": gene}}
    code = concept(LOINC, "84413-4", "Genotype display name")
    name = f"genotype-{gene.lower()}"
    return observation(name, code, on, valueCodeableConcept={"text": diplotype}, component=[symbol])


def laboratory_text(name: str, loinc: str, display: str, value: str, on: str, **more: Any) -> Json:
    """A plain laboratory result: the LOINC code names the gene, the value is a text."""
    return observation(name, concept(LOINC, loinc, display), on, valueString=value, **more)


def laboratory_answer(name: str, loinc: str, display: str, answer: tuple[str, str], on: str) -> Json:
    """A plain laboratory result with a coded answer."""
    return observation(name, concept(LOINC, loinc, display), on, valueCodeableConcept=concept(LOINC, *answer))


def body_weight(kilograms: float, on: str) -> Json:
    quantity = {"value": kilograms, "unit": "kg", "system": UCUM, "code": "kg"}
    vital = [concept(f"{TERMINOLOGY}/observation-category", "vital-signs", "Vital Signs")]
    code = concept(LOINC, "29463-7", "Body weight")
    return {**observation("body-weight", code, on, valueQuantity=quantity), "category": vital}


def report(name: str, results: tuple[str, ...], on: str) -> Json:
    return {
        "resourceType": "DiagnosticReport",
        "id": name,
        "status": "final",
        "code": concept(LOINC, "51969-4", "Genetic analysis report"),
        "effectiveDateTime": f"{on}T08:00:00Z",
        "issued": f"{on}T16:30:00Z",
        "performer": [{"display": "Invented Genomics Laboratory"}],
        "result": [{"reference": f"Observation/{result}"} for result in results],
    }


def condition(name: str, icd: tuple[str, str], onset: str, snomed: str = "") -> Json:
    code, display = icd
    codings = [{"system": ICD10CM, "code": code, "display": display}]
    codings += [{"system": SNOMED, "code": snomed}] if snomed else []
    return {
        "resourceType": "Condition",
        "id": f"condition-{name}",
        "clinicalStatus": status("condition-clinical", "active"),
        "verificationStatus": status("condition-ver-status", "confirmed"),
        "category": [concept(f"{TERMINOLOGY}/condition-category", "problem-list-item", "Problem List Item")],
        "code": {"coding": codings, "text": display},
        "onsetDateTime": onset,
    }


def allergy(name: str, substance: Json, manifestation: str) -> Json:
    return {
        "resourceType": "AllergyIntolerance",
        "id": f"allergy-{name}",
        "clinicalStatus": status("allergyintolerance-clinical", "active"),
        "verificationStatus": status("allergyintolerance-verification", "confirmed"),
        "code": substance,
        "reaction": [{"manifestation": [{"text": manifestation}]}],
    }


def relative(relation: str, condition_code: Json) -> Json:
    return {
        "resourceType": "FamilyMemberHistory",
        "id": f"family-{relation}",
        "status": "completed",
        "relationship": concept(f"{TERMINOLOGY}/v3-RoleCode", RELATIONS[relation], relation),
        "condition": [{"code": condition_code}],
    }


def ordered_test(name: str, loinc: str, display: str, on: str) -> Json:
    return {
        "resourceType": "ServiceRequest",
        "id": f"ordered-{name}",
        "status": "active",
        "intent": "order",
        "code": concept(LOINC, loinc, display),
        "authoredOn": f"{on}T11:00:00Z",
    }
