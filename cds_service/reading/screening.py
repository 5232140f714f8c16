"""What may be read at all: withdrawn entries, another patient's, and bodies of another FHIR version."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache

from cds_service.errors import RequestError
from cds_service.model import Gap, GapReason
from cds_service.reading.addresses import reference
from cds_service.reading.records import SUBJECTS, Record, References
from cds_service.reading.shapes import Resource, clean, items, objects, statuses, text_at
from cds_service.reading.vocabulary import RULED_OUT
from cds_service.references import local_name

_R5_KEYS = {
    "MedicationRequest": frozenset({"medication", "reason"}),
    "MedicationStatement": frozenset({"medication", "adherence"}),
    "MedicationDispense": frozenset({"medication"}),
    "MedicationAdministration": frozenset({"medication"}),
    "Observation": frozenset({"triggeredBy", "bodyStructure", "instantiatesCanonical", "instantiatesReference"}),
    "Condition": frozenset({"participant"}),
    "DiagnosticReport": frozenset({"supportingInfo", "composition"}),
    "Procedure": frozenset({"occurrenceDateTime", "occurrencePeriod", "occurrenceString"}),
}
_R5_REPEATED_CONCEPT = {"AllergyIntolerance": ("reaction", "manifestation"), "ServiceRequest": ("code",)}
_MATTERS = frozenset({
    "BodyStructure", "CarePlan", "Condition", "Device", "DiagnosticReport", "Encounter", "Immunization", "Location",
    "Medication", "MedicationAdministration", "MedicationDispense", "MedicationRequest", "MedicationStatement",
    "MolecularSequence", "Observation", "Procedure", "ServiceRequest", "Specimen", "Substance",
})  # fmt: skip
"""What a result may be about, or a specimen be of, and be the patient's all the same."""
_DSTU2_KINDS = frozenset({"MedicationOrder", "DiagnosticOrder"})


def is_ruled_out(resource: Resource) -> bool:
    """A condition or allergy that its own verification status takes back."""
    return "verificationStatus" in resource and not RULED_OUT.isdisjoint(statuses(resource["verificationStatus"]))


def foreign_version(record: Record) -> str:
    """`R5` or `DSTU2` where the body has the shape of that version, else empty: such a body is named and never
    half-read."""
    if record.kind in _DSTU2_KINDS:
        return "DSTU2"
    resource = record.resource
    if record.kind in _R5_KEYS and not _R5_KEYS[record.kind].isdisjoint(resource):
        return "R5"
    if record.kind not in _R5_REPEATED_CONCEPT:
        return ""
    path = _R5_REPEATED_CONCEPT[record.kind]
    holders = objects(resource.get(path[0]))
    inner = [concept for holder in holders for concept in objects(holder.get(path[-1]))] if path[1:] else holders
    return "R5" if any(isinstance(concept.get("concept"), dict) for concept in inner) else ""


def is_of_patient(record: Record, patient_id: str, is_patient: Callable[[str], bool]) -> bool:
    """Whether the resource is about the patient; a resource that names no subject is taken to be. `is_patient` tells
    whether an address is the patient's."""
    if record.kind == "Patient":
        return record.name in ("", patient_id) or not patient_id
    if not patient_id:
        return True
    for name in SUBJECTS:
        told = name in record.resource or record.holder is not None
        if told and not _is_only(record.field(name), is_patient):
            return False
    return True


def _is_only(subject: object, is_patient: Callable[[str], bool]) -> bool:
    """Whether a subject, or each of several, is the patient."""
    if type(subject) is dict and type(subject.get("reference")) is str:  # as nearly all are sent
        return is_patient(subject["reference"])
    return all(map(is_patient, map(reference, items(subject))))


def _is_patient(sent: str, patient_id: str, references: References) -> bool:
    address = clean(sent)
    if not address:
        return True
    target = references.find(address)
    if target is not None and target.kind == "Patient":
        return target.name == patient_id
    kind, _, name = references.name_of(address).rpartition("/")
    if address.startswith("urn:"):
        return address.rpartition(":")[2] == patient_id
    return kind in ("", "Patient") and name == patient_id


def screened(
    records: Iterable[Record], patient_id: str, references: References
) -> tuple[tuple[Record, ...], tuple[Gap, ...]]:
    """The records that may be read, and a gap for each refused one. Withdrawn ones go without a word: their
    sender took them back."""
    kept: list[Record] = []
    gaps: list[Gap] = []
    is_patient = cache(lambda address: _is_patient(address, patient_id, references))
    for record in records:
        if record.withdrawn:
            continue
        refusal = _refusal(record, patient_id, is_patient)
        if refusal is None:
            kept.append(record)
        else:
            gaps.append(refusal)
    return tuple(kept), tuple(gaps)


def _refusal(record: Record, patient_id: str, is_patient: Callable[[str], bool]) -> Gap | None:
    version = foreign_version(record)
    if version:
        return Gap(record.reference, GapReason.UNSUPPORTED_VERSION, f"FHIR {version}; expected R4", record.query)
    if not is_of_patient(record, patient_id, is_patient):
        return Gap(
            record.reference, GapReason.WRONG_PATIENT, "its subject is not the patient of the request", record.query
        )
    return None


def apart(
    records: Iterable[Record], patient_id: str, references: References
) -> tuple[tuple[Record, ...], tuple[Record, ...]]:
    """The records less the results about someone else (a donor, a fetus), and those results."""
    own: list[Record] = []
    others: list[Record] = []
    for record in records:
        told = patient_id and ("focus" in record.resource or "specimen" in record.resource)
        (others if told and _is_about_another(record, patient_id, references) else own).append(record)
    return tuple(own), tuple(others)


def _is_about_another(record: Record, patient_id: str, references: References) -> bool:
    if any(_is_another(pointer, record, patient_id, references) for pointer in items(record.resource.get("focus"))):
        return True
    addresses = filter(None, map(reference, items(record.resource.get("specimen"))))
    specimens = (references.find(address, record.resource) for address in addresses)
    return any(
        _is_another(specimen.resource.get("subject"), specimen, patient_id, references)
        for specimen in specimens
        if specimen is not None and specimen.kind == "Specimen"
    )


def _is_another(pointer: object, record: Record, patient_id: str, references: References) -> bool:
    """Whether a Reference of the record's leads to a person who is not the patient, or to nobody knows whom."""
    if not pointer:
        return False
    address = reference(pointer)
    if address and _is_patient(address, patient_id, references):
        return False
    target = references.find(address, record.resource) if address else None
    kind = target.kind if target is not None else text_at(pointer, "type") or local_name(address).partition("/")[0]
    return kind not in _MATTERS


def check_patient(resources: Iterable[Record], patient_id: str) -> None:
    """Raise RequestError where the Patient that was sent is not the patient of the request."""
    for record in resources:
        if patient_id and record.name and record.name != patient_id:
            raise RequestError(
                status=422,
                code="invalid",
                message="the Patient in the prefetch is not the patient of the context; "
                "expected the Patient whose id is context.patientId: send that one, or none",
                expression="prefetch.patient",
            )
