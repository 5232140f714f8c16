"""A tiny made-up knowledge, findings about it, and what every response must be."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

from cds_service.codes import Coding
from cds_service.knowledge.base import Knowledge
from cds_service.knowledge.schema import (
    ConditionKey,
    Drug,
    Gene,
    GeneModel,
    HlaMarker,
    MarkerUse,
    Modulator,
    Review,
    Row,
    Source,
    Table,
    Test,
)
from cds_service.model import (
    Action,
    Advice,
    Alternative,
    Branch,
    ChangeProbability,
    Diplotype,
    Dose,
    DoseArithmetic,
    DoseChange,
    DosePhase,
    Finding,
    Gravity,
    Indicator,
    Kind,
    Known,
    MarkerView,
    NotTested,
    Option,
    Order,
    Outcome,
    Patient,
    Reading,
    ResultingOrder,
    Strength,
    Testing,
    TestQuestion,
    Timing,
    Trust,
)
from cds_service.policy import CatalogueTest, Policy

TODAY = date(2026, 11, 25)
ROOT = Path(__file__).parents[3]
EXTENSION_SCHEMA = json.loads((ROOT / "docs/schema/card-extension.schema.json").read_text(encoding="utf-8"))

PHENOTYPES = ("Poor Metabolizer", "Intermediate Metabolizer", "Normal Metabolizer", "Ultrarapid Metabolizer")


def source(name: str, **changes: object) -> Source:
    fields = {
        "title": f"Guideline {name}",
        "developer": "Made-up Consortium",
        "version": "2",
        "released": "2014",
        "revised": "2023-05-01",
        "url": f"https://example.org/{name}",
        "checked": TODAY,
        "kind": "guideline",
        "pmids": ("12345678",),
    }
    return Source(id=name, **{**fields, **changes})


def table(name: str, drug: str, *markers: str, **changes: object) -> Table:
    use = MarkerUse(testing=Testing.RECOMMENDED)
    fields = {
        "source": "made_up",
        "trust": Trust.READ,
        "rows": (Row("poor", {}, Advice(())),),
        "markers": dict.fromkeys(markers, use),
        "label": f"about_{drug}",
    }
    return Table(id=name, drugs=(drug,), **{**fields, **changes})


KNOWLEDGE = Knowledge(
    version="2026.1",
    content_hash="0123456789abcdef",
    developer="Made-up Developer",
    drugs={
        name: Drug(name, rxcui)
        for name, rxcui in (("primol", "1001"), ("secundol", "1002"), ("tertiol", "1003"), ("quartol", "1004"))
    }
    | {"uncoded": Drug("uncoded", ""), "shown": Drug("shown", "1009", display="Shown Drug")},
    genes={
        "GENA": Gene("GENA", "1", GeneModel.FUNCTION_PAIR, "made_up", PHENOTYPES, {p: (p,) for p in PHENOTYPES}),
        "GENS": Gene(
            "GENS",
            "2",
            GeneModel.SCORE,
            "made_up",
            ("0.0", "0.5", "1.0", "2.0"),
            {
                "Poor Metabolizer": ("0.0",),
                "Intermediate Metabolizer": ("0.5", "1.0"),
                "Normal Metabolizer": ("2.0",),
            },
        ),
    },
    hla={"hla:B*99:01": HlaMarker("B", "*99:01", "made_up")},
    tests={
        "gena": Test(
            "gena",
            ("gene:GENA",),
            (Coding("http://loinc.org", "99999-1", "GENA gene"),),
            "genotype",
            "made_up",
            specimen="specimen_of_blood",
            turnaround_days=(2.0, 5.0),
            label="test_gena",
        ),
        "gens": Test("gens", ("gene:GENS",), (Coding("http://loinc.org", "99999-2"),), "genotype", "made_up"),
    },
    conditions={"gaol_fever": ConditionKey("gaol_fever", label="condition_gaol_fever")},
    groups={},
    publishers=frozenset({"example.org"}),
    sources={
        "made_up": source("made_up"),
        "plain": source("plain", url="", funding="Made-up Fund"),
        "third": source("third"),
    },
    tables={
        one.id: one
        for one in (
            table("primol_gena", "primol", "gene:GENA"),
            table("secundol_gena", "secundol", "gene:GENA", source="plain", label=""),
            table("primol_gens", "primol", "gene:GENS", source="third", review=Review("A. Reviewer", TODAY)),
            table("reviewed_undated", "primol", review=Review("A. Reviewer")),
            table(
                "gated",
                "primol",
                "gene:GENA",
                markers={"gene:GENA": MarkerUse(testing=Testing.REQUIRED, timing=Timing.BEFORE_START)},
                rows=(Row("poor", {}, Advice(()), trust=Trust.CORROBORATED),),
            ),
            table("beside", "primol", "gene:GENA", markers={"gene:GENA": MarkerUse(testing=Testing.REQUIRED)}),
        )
    },
    modifiers=(),
    modulators=(),
    frequencies=(),
    phenotype_labels={},
    answer_codes={},
    modulators_by_drug={
        "secundol": (Modulator("GENA", "inhibitor", "strong", "secundol", "made_up", Trust.READ),),
        "quartol": (Modulator("GENA", "inhibitor", "moderate", "quartol", "made_up", Trust.READ),),
        "tertiol": (Modulator("GENA", "inducer", "strong", "tertiol", "made_up", Trust.READ),),
    },
)

PATIENT = Patient(id="ada-testperson")
POLICY = Policy()
PANEL = CatalogueTest(("gene:GENA", "gene:GENS"), "LAB77", "https://example.org/lab", "Drug gene panel", "EDTA tube")

READING = Reading(
    "gene:GENA", Diplotype("*2/*2"), "Observation/1", on=date(2024, 3, 12), laboratory="Northern Test Laboratory"
)
AVOID = Advice(
    (Option(Action.AVOID, alternatives=("secundol",)),), Strength.STRONG, Gravity.SERIOUS, reason="why_poor"
)
HALF = Advice(
    (Option(Action.DOSE, dose=DoseChange(DosePhase.START, factor=(0.5, 0.5))), Option(Action.MONITOR, note="levels")),
    Strength.MODERATE,
)
STANDARD = Advice((Option(Action.STANDARD),), Strength.STRONG)
OTHER_DRUG, SAME = ResultingOrder(Outcome.OTHER_DRUG), ResultingOrder(Outcome.AS_DRAFTED)
CHANGED = ResultingOrder(Outcome.CHANGED_DOSE)
HALVED = DoseArithmetic(100.0, "mg", (0.5, 0.5), (50.0, 50.0), "per_dose")


def order(drug: str = "primol", number: str = "1", **changes: object) -> Order:
    fields = {"name": f"{drug} 100 mg tablet", "ingredients": (drug,), "dose": Dose(100.0, "mg", 1.0, "100 mg daily")}
    return Order(f"MedicationRequest/{number}", **{**fields, **changes})


def question(marker: str = "gene:GENA", test: str = "gena", **changes: object) -> TestQuestion:
    fields = {
        "branches": (
            Branch(("Normal Metabolizer", "Ultrarapid Metabolizer"), SAME, STANDARD, (0.6, 0.9)),
            Branch(("Poor Metabolizer",), OTHER_DRUG, AVOID, (0.02, 0.06)),
            Branch(("Intermediate Metabolizer",), CHANGED, HALF, (0.1, 0.3)),
        ),
        "probability": ChangeProbability(0.02, 0.06, 5),
    }
    return TestQuestion(marker, test, **{**fields, **changes})


def change_now(**changes: object) -> Finding:
    fields = {
        "order": order(),
        "drug": "primol",
        "table": "primol_gena",
        "row": "poor",
        "indicator": Indicator.WARNING,
        "markers": (MarkerView("gene:GENA", Known("Poor Metabolizer", (READING,))),),
        "resulting": OTHER_DRUG,
        "advice": AVOID,
        "alternatives": (Alternative("secundol"),),
    }
    return Finding(Kind.CHANGE_NOW, **{**fields, **changes})


def dose_change(**changes: object) -> Finding:
    fields = {"resulting": CHANGED, "advice": HALF, "arithmetic": HALVED, "alternatives": ()}
    return change_now(**{**fields, **changes})


def test_wanted(**changes: object) -> Finding:
    fields = {
        "order": order(),
        "drug": "primol",
        "table": "primol_gena",
        "markers": (MarkerView("gene:GENA", NotTested()),),
        "tests": (question(),),
    }
    return Finding(Kind.TEST_WOULD_CHANGE, **{**fields, **changes})


test_wanted.__test__ = False


def not_assessed(name: str, **changes: object) -> Finding:
    return Finding(
        Kind.NOT_ASSESSED, order(number="7", name=name, ingredients=(), dose=None), name, table="", **changes
    )


def draft(number: str = "1", **changes: object) -> dict[str, object]:
    """A draft as untidy as the public sandbox and others send them."""
    return {
        "resourceType": "MedicationRequest",
        "id": number,
        "status": "draft",
        "category": {"coding": {"system": "http://example.org/c", "code": "outpatient"}},
        "reasonCode": {"coding": [{}], "text": "Made-up reason"},
        "text": {"status": "generated", "div": "<div>primol 100 mg</div>"},
        "medicationCodeableConcept": {"coding": [{"system": "", "code": None}], "text": "primol 100 mg tablet"},
        "dosageInstruction": [
            {
                "text": "100 mg daily",
                "patientInstruction": "",
                "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}},
                "doseAndRate": {"doseQuantity": {"value": 100, "unit": "mg"}},
            }
        ],
        "dispenseRequest": {"quantity": {"value": 30, "unit": "tablet"}, "numberOfRepeatsAllowed": 1},
        "note": [],
        **changes,
    }


_TEXT = {"type": "string", "pattern": r"\S"}
_URL = {"type": "string", "pattern": r"^https?://\S+$"}
_UUID = {"type": "string", "pattern": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"}


def _object(required: str, **properties: object) -> dict[str, object]:
    return {
        "type": "object",
        "required": required.split(),
        "additionalProperties": False,
        "properties": properties,
    }


_CODING = _object("code system", code=_TEXT, system=_TEXT, display=_TEXT)
_ACTION = _object(
    "type description resource",
    type={"enum": ["create", "update"]},
    description=_TEXT,
    resource={"type": "object", "required": ["resourceType"]},
)
_SUGGESTION = _object(
    "label uuid actions",
    label=_TEXT,
    uuid=_UUID,
    isRecommended={"const": True},
    actions={"type": "array", "minItems": 1, "items": _ACTION},
)
_CARD = {
    **_object(
        "uuid summary detail indicator source overrideReasons extension",
        uuid=_UUID,
        summary={**_TEXT, "maxLength": 139},
        detail=_TEXT,
        indicator={"enum": ["info", "warning", "critical"]},
        source={**_object("label topic", label=_TEXT, url=_URL, topic=_CODING)},
        suggestions={"type": "array", "minItems": 1, "items": _SUGGESTION},
        selectionBehavior={"enum": ["at-most-one", "any"]},
        overrideReasons={
            "type": "array",
            "minItems": 1,
            "items": {**_CODING, "required": ["code", "system", "display"]},
        },
        links={
            "type": "array",
            "minItems": 1,
            "items": _object("label url type", label=_TEXT, url=_URL, type={"const": "absolute"}),
        },
        extension=EXTENSION_SCHEMA,
    ),
    "dependentRequired": {"suggestions": ["selectionBehavior"], "selectionBehavior": ["suggestions"]},
}
RESPONSE_SCHEMA = {
    "$defs": EXTENSION_SCHEMA["$defs"],
    **_object("cards", cards={"type": "array", "items": _CARD}, extension=EXTENSION_SCHEMA),
}


def empties(value: object, place: str = "") -> list[str]:
    """Places of null, empty or blank values below `value`; `cards: []` is allowed."""
    if isinstance(value, dict):
        children = [(f"{place}.{key}", child) for key, child in value.items()]
    elif isinstance(value, list):
        children = [(f"{place}[{number}]", child) for number, child in enumerate(value)]
    else:
        return []
    here = [
        where
        for where, child in children
        if (child is None or child in ("", [], {}) or (isinstance(child, str) and not child.strip()))
        and (where, child) != (".cards", [])
    ]
    return here + [found for where, child in children for found in empties(child, where)]


def head_of(card: dict[str, object]) -> str:
    return str(card["detail"]).split("\n\n---\n\n")[0]


DRAFTS = {"MedicationRequest/1": draft()}


def resources_of(card):
    """What the suggestions of a card would write."""
    return [suggestion["actions"][0]["resource"] for suggestion in card.get("suggestions", ())]


def labels_of(card):
    return [suggestion["label"] for suggestion in card.get("suggestions", ())]
