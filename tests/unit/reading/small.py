"""A small knowledge base, a drug index of four drugs, and builders for made-up resources."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar

from cds_service.codes import LOINC, RXNORM, SNOMED, Coding
from cds_service.knowledge.base import Knowledge
from cds_service.knowledge.load import load_result_words
from cds_service.knowledge.schema import (
    Allele,
    ConditionKey,
    Gene,
    GeneModel,
    HlaMarker,
    Observable,
    ObservableKind,
    ObservationCode,
    SampleFault,
    SupplyLengths,
    Test,
    UnitConversion,
)
from cds_service.model import Availability, DrugMatch, Query, QueryResult, Question, Reading, Trust
from cds_service.reading import Read, read

TODAY = date(2026, 11, 25)
PATIENT = "ada"
Json = dict[str, Any]

METABOLIZER_TERMS = ("Poor Metabolizer", "Intermediate Metabolizer", "Normal Metabolizer", "Rapid Metabolizer")


def _gene(symbol: str, hgnc: str, model: GeneModel, alleles: tuple[str, ...], **more: Any) -> Gene:
    terms = more.pop("terms", METABOLIZER_TERMS)
    return Gene(
        symbol=symbol,
        hgnc=hgnc,
        model=model,
        source="made_up",
        states=terms,
        phenotypes={term: (term,) for term in terms},
        alleles={name: Allele(name, "", 1.0) for name in alleles},
        **more,
    )


GENES = {
    gene.symbol: gene
    for gene in (
        _gene(
            "CYP2C19",
            "HGNC:2621",
            GeneModel.FUNCTION_PAIR,
            ("*1", "*2", "*3", "*17"),
            reference="*1",
            ncbi="1557",
            codes=(
                ObservationCode("66489-6", display="CYP2C19 gene targeted mutation analysis"),
                ObservationCode("79714-2", role="phenotype", ambiguous=True),
                ObservationCode("66741-0", role="presence", allele="*2"),
            ),
        ),
        _gene(
            "CYP2D6",
            "HGNC:2625",
            GeneModel.SCORE,
            ("*1", "*4", "*7", "*10", "*36"),
            reference="*1",
            codes=(
                ObservationCode("00000-1", role="activity_score"),
                ObservationCode("73682-7", role="allele"),
                ObservationCode("73681-9", role="allele"),
            ),
        ),
        _gene("CYP2C9", "HGNC:2623", GeneModel.SCORE, ("*1", "*2", "*3"), reference="*1"),
        _gene(
            "DPYD",
            "HGNC:3012",
            GeneModel.SCORE,
            ("Reference", "c.1905+1G>A (*2A)", "c.2846A>T"),
            reference="Reference",
            codes=(ObservationCode("738542003", system=SNOMED, role="phenotype"),),
        ),
        _gene(
            "VKORC1",
            "HGNC:23663",
            GeneModel.FUNCTION_PAIR,
            ("rs9923231 reference (C)", "rs9923231 variant (T)"),
            reference="rs9923231 reference (C)",
            terms=("Normal", "Low"),
        ),
        _gene(
            "MT-RNR1",
            "HGNC:7470",
            GeneModel.MITOCHONDRIAL,
            ("Reference", "m.1555A>G"),
            reference="Reference",
            terms=("increased risk", "normal risk"),
        ),
        _gene(
            "TPMT",
            "HGNC:12014",
            GeneModel.FUNCTION_PAIR,
            ("*1", "*3A", "*3B", "*3C"),
            reference="*1",
            codes=(
                ObservationCode("41048-0", display="TPMT gene targeted mutation analysis"),
                ObservationCode("21563-2", role="enzyme_activity"),
            ),
        ),
    )
}

HLA = {
    marker.marker: marker
    for marker in (
        HlaMarker("B", "*57:01", "made_up", codes=(ObservationCode("50956-2", role="presence"),)),
        HlaMarker("B", "*15:02", "made_up", variant_codes=("14909",)),
        HlaMarker("A", "*31:01", "made_up"),
    )
}

OBSERVABLES = {
    found.id: found
    for found in (
        Observable(
            "lab:potassium",
            ObservableKind.QUANTITY,
            "made_up",
            codes=(ObservationCode("2823-3", role="quantity"),),
            names=("potassium", "serum potassium"),
            unit="mmol/L",
            conversions=(UnitConversion("mg/dL", 0.25, "made up"), UnitConversion("odd", 2, "made up", offset=1)),
            plausible=(1.5, 10),
        ),
        Observable(
            "lab:qt",
            ObservableKind.QUANTITY,
            "made_up",
            codes=(ObservationCode("8634-8", role="quantity"),),
            unit="ms",
            contradicted_by=("qtc", "corrected"),
        ),
        Observable(
            "lab:tpmt_activity",
            ObservableKind.QUANTITY,
            "made_up",
            codes=(ObservationCode("21563-2", role="quantity"),),
            unit="U/mL",
        ),
        Observable(
            "lab:antigen",
            ObservableKind.PRESENCE,
            "made_up",
            codes=(ObservationCode("5195-3", role="presence"),),
            names=("surface antigen",),
            answers={"reactive": "positive", "nonreactive": "negative"},
        ),
        Observable("lab:antibody", ObservableKind.PRESENCE, "made_up",
                   codes=(ObservationCode("70173-0", role="presence"),), unit="1"),
        Observable(
            "tumour:grade",
            ObservableKind.ORDINAL,
            "made_up",
            codes=(ObservationCode("18474-7", role="interpretation"),),
            answers={"LA6576-8": "positive", "3": "3+", "2": "2+", "negative": "negative"},
            refines={"3+": "positive"},
        ),
        Observable("tumour:protein", ObservableKind.PRESENCE, "made_up", gene="PROT",
                   codes=(ObservationCode("85147-7", role="report"),)),
        Observable(
            "somatic:KRAS",
            ObservableKind.PRESENCE,
            "made_up",
            codes=(ObservationCode("21702-6", role="presence"), ObservationCode("81420-2", role="presence"),
                   ObservationCode("75974-6", role="presence", allele="p.Gly12Cys")),
            gene="KRAS",
            hgnc="HGNC:6407",
        ),
        Observable("somatic:NRAS", ObservableKind.PRESENCE, "made_up", gene="NRAS", hgnc="HGNC:7989",
                   codes=(ObservationCode("81420-2", role="presence"),)),
        Observable("germline:BRCA1", ObservableKind.PRESENCE, "made_up", gene="BRCA1", hgnc="HGNC:1100"),
        Observable("germline:BRCA", ObservableKind.PRESENCE, "made_up", needs_significance=True,
                   codes=(ObservationCode("94191-4", role="presence"),)),
        Observable("somatic:BRCA1", ObservableKind.PRESENCE, "made_up", gene="BRCA1", hgnc="HGNC:1100"),
        Observable("gene:APOE", ObservableKind.GENOTYPE, "made_up", gene="APOE", hgnc="HGNC:613"),
    )
}  # fmt: skip

KNOWLEDGE = Knowledge(
    version="0",
    content_hash="",
    developer="",
    supplies=SupplyLengths(usual_days=90, longest_days=365, longest_pause_days=14),
    drugs={},
    genes=GENES,
    hla=HLA,
    tests={
        "cyp2c19": Test("cyp2c19", ("gene:CYP2C19",), (Coding(LOINC, "66489-6"),), "genotype", "made_up"),
        "potassium": Test("potassium", ("lab:potassium",), (Coding(LOINC, "2823-3"),), "chemistry", "made_up"),
    },
    sample_faults={
        "haemolysed": SampleFault(
            "haemolysed",
            "less",
            Trust.READ,
            ("haemolysed", "hemolyzed", "haemolysis"),
            ("HEM",),
            {"lab:potassium": "study"},
        )
    },
    conditions={
        "stroke": ConditionKey("stroke", (Coding("http://hl7.org/fhir/sid/icd-10-cm", "I63*"),), ("stroke",)),
        "hyperthermia": ConditionKey("hyperthermia", (), ("malignant hyperthermia",), lasting=True),
        "rash": ConditionKey("rash", (Coding(SNOMED, "271807003"),), ("severe rash",)),
    },
    groups={},
    sources={},
    tables={},
    modifiers=(),
    modulators=(),
    frequencies=(),
    phenotype_labels={
        "poor metabolizer": "Poor Metabolizer",
        "pm": "Poor Metabolizer",
        "intermediate metabolizer": "Intermediate Metabolizer",
        "normal metabolizer": "Normal Metabolizer",
        "extensive metabolizer": "Normal Metabolizer",
        "rapid metabolizer": "Rapid Metabolizer",
        "high risk": "High Risk",
    },
    answer_codes={
        (LOINC, "LA9657-3"): "Poor Metabolizer",
        (LOINC, "LA25391-6"): "Normal Metabolizer",
        (LOINC, "LA19541-4"): "High Risk",
        (SNOMED, "738542003"): "Poor Metabolizer",
        (SNOMED, "1144910008"): "Poor Metabolizer",
    },
    answer_genes={(SNOMED, "738542003"): "DPYD", (SNOMED, "1144910008"): "CYP2C9"},
    observables=OBSERVABLES,
    result_words=load_result_words(),
    unit_spellings={"mmol/l": "mmol/L", "258813002": "mmol/L", "": "1"},
)


class SmallIndex:
    """Four drugs by RxNorm code or by whole words."""

    is_fixed = True
    CODES: ClassVar = {"32968": "clopidogrel", "2670": "codeine", "161": "acetaminophen", "11289": "warfarin"}

    def find(self, codings: tuple[Coding, ...], text: str) -> DrugMatch | None:
        for coding in codings:
            if coding.system == RXNORM and coding.code == "309362":
                return DrugMatch(("clopidogrel",), "code", "clopidogrel 75 MG Oral Tablet", "oral", 75.0)
            if coding.system == RXNORM and coding.code in self.CODES:
                return DrugMatch((self.CODES[coding.code],), "code", self.CODES[coding.code])
        found = tuple(drug for drug in sorted(self.CODES.values()) if drug in text.lower().split())
        return DrugMatch(found, "name", text, strength_mg=300.0 if len(found) > 1 else None) if found else None


def subject(name: str = PATIENT) -> Json:
    return {"reference": f"Patient/{name}"}


def concept(code: str, display: str = "", text: str = "", system: str = LOINC) -> Json:
    coding = {"system": system, "code": code, "display": display}
    return {"coding": [{k: v for k, v in coding.items() if v}], **({"text": text} if text else {})}


def gene_component(code: str = "", display: str = "", text: str = "") -> Json:
    value: Json = concept(code, display, system="http://www.genenames.org/geneId") if code or display else {}
    if text:
        value["text"] = text
    return {"code": concept("48018-6"), "valueCodeableConcept": value}


def observation(name: str = "obs", code: Json | None = None, **fields: Any) -> Json:
    """A final genotype Observation of the patient, unless told otherwise; None leaves a field out."""
    body = {
        "resourceType": "Observation",
        "id": name,
        "status": "final",
        "code": code if code is not None else concept("84413-4"),
        "subject": subject(),
        **fields,
    }
    return {key: value for key, value in body.items() if value is not None}


def genotype(gene: str, text: str, name: str = "obs", **fields: Any) -> Json:
    return observation(name, component=[gene_component(text=gene)], valueCodeableConcept={"text": text}, **fields)


def order(name: str = "draft", **fields: Any) -> Json:
    body = {
        "resourceType": "MedicationRequest",
        "id": name,
        "status": "draft",
        "intent": "order",
        "subject": subject(),
        "medicationCodeableConcept": concept("32968", "clopidogrel", system=RXNORM),
        **fields,
    }
    return {key: value for key, value in body.items() if value is not None}


def read_all(*resources: Any, drafts: tuple[Any, ...] = (), **question: Any) -> Read:
    """Read the resources as the answer of the results query, and drafts as those of the hook."""
    results = {query: QueryResult(Availability.COMPLETE) for query in Query}
    results[Query.RESULTS] = QueryResult(Availability.COMPLETE, resources)
    asked = Question("order-sign", PATIENT, drafts, **question)
    return read(asked, results, SmallIndex(), KNOWLEDGE, TODAY)


def says(*resources: Any) -> list[Any]:
    """What the readings say."""
    return [reading.says for reading in read_all(*resources).patient.readings]


def gap_reasons(result: Read) -> list[str]:
    return [gap.reason for gap in result.patient.gaps]


def statement(**fields: object) -> dict[str, object]:
    base = {"resourceType": "MedicationStatement", "id": "s", "status": "active", "subject": subject()}
    return {**base, "medicationCodeableConcept": {"text": "warfarin"}, **fields}


def ordered(code: object, **fields: object) -> dict[str, object]:
    base = {"resourceType": "ServiceRequest", "id": "q", "status": "active", "intent": "order", "subject": subject()}
    return {**base, "code": code, "authoredOn": "2026-11-20", **fields}


def reading_of(*resources: object) -> Reading:
    (found,) = read_all(*resources).patient.readings
    return found


def somatic(answer: str = "LA6684-0") -> dict[str, object]:
    return {"code": concept("48002-0"), "valueCodeableConcept": concept(answer)}
