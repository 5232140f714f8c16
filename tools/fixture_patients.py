"""The made-up patients of `fixtures/`, and the hook requests that are made of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tools.fixture_shapes import (
    LOINC,
    SNOMED,
    Json,
    allergy,
    body_weight,
    by_contained_medication,
    concept,
    condition,
    dosage,
    draft,
    drug,
    first_release_genotype,
    laboratory_answer,
    laboratory_text,
    ordered_test,
    patient,
    relative,
    report,
    reported_genotype,
    reported_implication,
    taken,
)


@dataclass(frozen=True, slots=True)
class Request:
    """A hook call. `patient` is a key of PATIENTS; `context` holds more of the context than every hook has."""

    name: str
    hook: str
    patient: str
    drafts: tuple[Json, ...] = ()
    context: Json | None = None
    has_prefetch: bool = True


ONCE = 1
TWICE = 2

PATIENTS: dict[str, tuple[Json, ...]] = {
    "ada": (
        patient("Testperson", "Ada", "female", "1965-03-14"),
        condition("nstemi", ("I21.4", "Non-ST elevation (NSTEMI) myocardial infarction"), "2026-11-23", "401314000"),
        taken("aspirin", "2026-11-23", dosage(81, "mg", ONCE)),
        taken("atorvastatin", "2026-11-23", dosage(40, "mg", ONCE)),
        taken("metoprolol", "2026-11-24", dosage(25, "mg", TWICE)),
        reported_genotype("CYP2C19", "*2/*2", "2025-06-02"),
        reported_implication("CYP2C19", "LA9657-3", "Poor metabolizer", "2025-06-02"),
        report("report-pgx", ("genotype-cyp2c19", "implication-cyp2c19"), "2025-06-02"),
    ),
    "bruno": (
        patient("Beispielmann", "Bruno", "male", "1978-09-30"),
        condition("back-pain", ("M54.50", "Low back pain, unspecified"), "2026-10-01"),
        condition(
            "depression", ("F33.1", "Major depressive disorder, recurrent, moderate"), "2024-02-11", "370143000"
        ),
        taken("paroxetine", "2024-03-01", dosage(20, "mg", ONCE)),
        taken("lisinopril", "2025-01-09", dosage(10, "mg", ONCE)),
    ),
    "clara": (
        patient("Fictiona", "Clara", "female", "1983-01-05"),
        condition("depression", ("F32.1", "Major depressive disorder, single episode, moderate"), "2026-11-20"),
        taken("codeine", "2026-11-05", dosage(30, "mg", 4, text="30 mg every 6 hours as needed for pain")),
    ),
    "dmitri": (
        patient("Inventovich", "Dmitri", "male", "1957-12-19"),
        condition("colon-cancer", ("C18.2", "Malignant neoplasm of ascending colon"), "2026-09-08", "93761005"),
        body_weight(74, "2026-11-18"),
        taken(
            "oxaliplatin", "2026-11-24", dosage(240, "mg", ONCE, "intravenous", "130 mg/m2 on day 1 of each cycle")
        ),
        first_release_genotype("DPYD", "c.1905+1G>A (*2A)/Reference", "2026-11-12"),
    ),
    "emil": (
        patient("Madeupson", "Emil", "male", "1994-07-22"),
        condition("hiv", ("B20", "Human immunodeficiency virus [HIV] disease"), "2026-11-10", "86406008"),
    ),
    "fatima": (
        patient("Exempla", "Fatima", "female", "2001-05-17"),
        condition("epilepsy", ("G40.209", "Localization-related symptomatic epilepsy"), "2026-08-30", "84757009"),
        allergy("penicillin", {"text": "Penicillin"}, "Rash"),
    ),
    "greta": (
        patient("Phantasie", "Greta", "female", "1989-11-02"),
        condition("colitis", ("K51.90", "Ulcerative colitis, unspecified, without complications"), "2021-04-12"),
        body_weight(70, "2026-11-20"),
        taken("mesalamine", "2021-05-01", dosage(1200, "mg", TWICE)),
        laboratory_text("tpmt", "41048-0", "TPMT gene targeted mutation analysis", "*1/*1", "2026-10-28"),
    ),
    "hugo": (
        patient("Kunstname", "Hugo", "male", "2019-02-08"),
        condition("leukaemia", ("C91.00", "Acute lymphoblastic leukemia"), "2026-10-02", "91857003"),
        body_weight(22, "2026-11-23"),
        laboratory_answer(
            "tpmt-phenotype",
            "79713-4",
            "TPMT gene product metabolic activity interpretation",
            ("LA10317-8", "Intermediate metabolizer"),
            "2026-10-15",
        ),
    ),
    "ines": (
        patient("Probando", "Ines", "female", "1960-06-25"),
        condition("lipids", ("E78.5", "Hyperlipidemia, unspecified"), "2019-08-01"),
        taken("simvastatin", "2026-09-15", dosage(40, "mg", ONCE)),
        first_release_genotype("SLCO1B1", "*5/*5", "2023-04-19"),
    ),
    "jonas": (
        patient("Nonesuch", "Jonas", "male", "2026-11-23"),
        condition("sepsis", ("P36.9", "Bacterial sepsis of newborn, unspecified"), "2026-11-25"),
        body_weight(3.2, "2026-11-25"),
        taken("ampicillin", "2026-11-25", dosage(160, "mg", TWICE, "intravenous")),
    ),
    "karim": (
        patient("Placeholder", "Karim", "male", "1998-10-10"),
        condition("appendicitis", ("K35.80", "Unspecified acute appendicitis"), "2026-11-25"),
        relative("brother", concept(SNOMED, "405501007", "Malignant hyperthermia")),
        relative("mother", {"text": "Type 2 diabetes"}),
    ),
    "lena": (
        patient("Sampleton", "Lena", "female", "1971-04-03"),
        condition("lysis", ("E88.3", "Tumor lysis syndrome"), "2026-11-25"),
    ),
    "mona": (
        patient("Dummyson", "Mona", "female", "1949-08-16"),
        condition("keratosis", ("L57.0", "Actinic keratosis"), "2026-06-06"),
    ),
    "nils": (
        patient("Ficticius", "Nils", "male", "1985-12-01"),
        condition("reflux", ("K21.9", "Gastro-esophageal reflux disease without esophagitis"), "2026-11-01"),
    ),
    "olga": (
        patient("Imaginova", "Olga", "female", "1990-03-28"),
        condition("fracture", ("S82.841A", "Displaced bimalleolar fracture of right lower leg"), "2026-11-24"),
        reported_genotype("CYP2D6", "*1/*1x2", "2024-01-22"),
    ),
    "petra": (
        patient("Namenlos", "Petra", "female", "1993-09-09"),
        condition("tooth", ("K04.7", "Periapical abscess without sinus"), "2026-11-24"),
    ),
    "quentin": (
        patient("Invented", "Quentin", "male", "1968-02-29"),
        condition("gout", ("M10.9", "Gout, unspecified"), "2026-09-19", "90560007"),
        taken("colchicine", "2026-11-01", dosage(0.6, "mg", ONCE)),
        laboratory_answer("hla-b-5801", "79711-8", "HLA-B*58:01", ("LA6576-8", "Positive"), "2026-11-17"),
    ),
    "rosa": (
        patient("Testfall", "Rosa", "female", "1955-05-05"),
        condition("depression", ("F33.0", "Major depressive disorder, recurrent, mild"), "2023-01-10"),
        taken("citalopram", "2026-11-02", dosage(40, "mg", ONCE)),
        reported_genotype("CYP2C19", "*2/*3", "2026-11-19"),
        report("report-pgx", ("genotype-cyp2c19",), "2026-11-19"),
    ),
    "sven": (
        patient("Attrapp", "Sven", "male", "1963-07-07"),
        condition("stent", ("I21.09", "ST elevation (STEMI) myocardial infarction of anterior wall"), "2026-11-22"),
        taken("aspirin", "2026-11-22", dosage(81, "mg", ONCE)),
        taken("clopidogrel", "2026-11-25", dosage(75, "mg", ONCE)),
        ordered_test("cyp2c19", "57132-3", "CYP2C19 gene allele", "2026-11-24"),
    ),
    "tilda": (
        patient("Pretendova", "Tilda", "female", "1991-01-31"),
        condition("hiv", ("B20", "Human immunodeficiency virus [HIV] disease"), "2026-11-03", "86406008"),
        taken("dolutegravir", "2026-11-20", dosage(50, "mg", ONCE)),
        laboratory_answer("hla-b-5701", "50956-2", "HLA-B*57:01", ("LA6577-6", "Negative"), "2026-11-14"),
        laboratory_answer("hbs-antigen", "5195-3", "Hepatitis B surface Ag", ("LA6577-6", "Negative"), "2026-11-14"),
    ),
    "udo": (
        patient("Musterov", "Udo", "male", "1961-06-17"),
        condition("rectal-cancer", ("C20", "Malignant neoplasm of rectum"), "2026-09-30"),
        condition("liver-metastases", ("C78.7", "Secondary malignant neoplasm of liver"), "2026-11-02"),
        laboratory_text("kras", "21702-6", "KRAS gene mutations found [Identifier]", "Not detected", "2026-11-16"),
    ),
}

_FOR_NSTEMI: Json = {
    "reasonCode": [concept(SNOMED, "401314000", "Acute non-ST segment elevation myocardial infarction")]
}
_BLOOD_COUNT: Json = {
    "resourceType": "ServiceRequest",
    "id": "draft-blood-count",
    "status": "draft",
    "intent": "order",
    "code": concept(LOINC, "58410-2", "Complete blood count panel"),
}

# What the public CDS Hooks Sandbox sends: no Bundle type, objects where FHIR has lists, no prefetch.
_AS_THE_SANDBOX_SENDS: Json = {
    "resourceType": "MedicationRequest",
    "id": "request-123",
    "status": "draft",
    "medicationCodeableConcept": drug("clopidogrel"),
    "reasonCode": {"coding": [{"system": SNOMED, "code": "394659003"}], "text": "Acute coronary syndrome"},
}


def _sign(name: str, who: str, *drafts: Json, **more: Any) -> Request:
    return Request(name, "order-sign", who, drafts, **more)


REQUESTS: tuple[Request, ...] = (
    _sign("01-clopidogrel-acs-poor-metaboliser", "ada", draft("clopidogrel", dosage(75, "mg", ONCE), **_FOR_NSTEMI)),
    Request(
        "02-codeine-on-paroxetine",
        "order-select",
        "bruno",
        (draft("codeine", dosage(30, "mg", 4)),),
        {"selections": ["MedicationRequest/draft-codeine"]},
    ),
    _sign("03-paroxetine-on-codeine", "clara", draft("paroxetine", dosage(20, "mg", ONCE))),
    _sign("04-capecitabine-dpyd-heterozygous", "dmitri", draft("capecitabine", dosage(1500, "mg", TWICE))),
    _sign("05-abacavir-untested", "emil", draft("abacavir", dosage(300, "mg", TWICE))),
    Request(
        "06-carbamazepine-untested",
        "order-select",
        "fatima",
        (draft("carbamazepine", dosage(200, "mg", TWICE)),),
        {"selections": ["MedicationRequest/draft-carbamazepine"], "encounterId": "made-up-visit"},
    ),
    _sign("07-azathioprine-nudt15-unknown", "greta", draft("azathioprine", dosage(150, "mg", ONCE))),
    _sign("08-mercaptopurine-tpmt-intermediate", "hugo", draft("mercaptopurine", dosage(50, "mg", ONCE))),
    _sign("09-simvastatin-slco1b1-poor", "ines", draft("simvastatin", dosage(40, "mg", ONCE))),
    _sign("10-gentamicin-newborn", "jonas", draft("gentamicin", dosage(12.8, "mg", ONCE, "intravenous"))),
    _sign("11-succinylcholine-family", "karim", draft("succinylcholine", dosage(100, "mg", ONCE, "intravenous"))),
    _sign("12-rasburicase-untested", "lena", draft("rasburicase", dosage(12, "mg", ONCE, "intravenous"))),
    _sign(
        "13-fluorouracil-cream-silent",
        "mona",
        draft("fluorouracil", {"text": "Thin layer twice daily", "route": dosage(1, "g", TWICE, "topical")["route"]}),
    ),
    _sign("14-omeprazole-silent", "nils", draft("omeprazole", dosage(20, "mg", ONCE))),
    _sign(
        "15-several-drafts",
        "olga",
        draft("tramadol", dosage(50, "mg", 4)),
        draft("ondansetron", dosage(4, "mg", 3)),
        draft("ibuprofen", dosage(600, "mg", 3)),
        _BLOOD_COUNT,
    ),
    _sign(
        "16-acetaminophen-codeine-untested",
        "petra",
        by_contained_medication(draft("acetaminophen/codeine", dosage(1, "{tablet}", 4))),
    ),
    Request(
        "17-allopurinol-hla-positive",
        "order-select",
        "quentin",
        (draft("allopurinol", dosage(100, "mg", ONCE)),),
        {"selections": ["MedicationRequest/draft-allopurinol"]},
    ),
    Request("18-citalopram-patient-view", "patient-view", "rosa"),
    Request(
        "19-clopidogrel-dispatched-test-pending",
        "order-dispatch",
        "sven",
        context={
            "dispatchedOrders": ["MedicationRequest/active-clopidogrel"],
            "performer": "Organization/made-up-pharmacy",
        },
    ),
    Request("20-simvastatin-refill", "medication-refill", "ines", (draft("simvastatin", dosage(40, "mg", ONCE)),)),
    _sign(
        "21-abacavir-lamivudine-hla-negative-silent",
        "tilda",
        draft("abacavir/lamivudine", dosage(1, "{tablet}", ONCE)),
    ),
    _sign("22-clopidogrel-nothing-sent", "ada", _AS_THE_SANDBOX_SENDS, has_prefetch=False),
    _sign(
        "23-cetuximab-nras-unknown",
        "udo",
        draft("cetuximab", dosage(720, "mg", ONCE, "intravenous", "400 mg/m2 as the first dose")),
    ),
)
