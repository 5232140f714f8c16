"""Which drug a request or statement names: every coding, contained, bundled and referenced medications, several
ingredients, or only a text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from cds_service.codes import RXNORM, Coding
from cds_service.memory import (
    Memory,
    content_key,
    remembered_by_content,
    remembered_by_identity,
)
from cds_service.model import Dose, DrugIndex, DrugMatch, Gap, GapReason
from cds_service.reading.addresses import reference
from cds_service.reading.chart import Chart
from cds_service.reading.doses import dose_of, units_of
from cds_service.reading.records import Record, References
from cds_service.reading.routes import route_of, route_of_concept, route_through
from cds_service.reading.shapes import (
    Resource,
    codings,
    concept_label,
    concept_text,
    concept_texts,
    first,
    fold,
    has_word,
    objects,
    text_at,
)
from cds_service.reading.vocabulary import UNDIVIDED_WORDS
from cds_service.references import local_name

_ABSENT_REASON = "data-absent-reason"
_CONTENT = ("medicationCodeableConcept", "dosageInstruction", "dosage")
"""The elements in which a medicine says what it is and how it is taken, unless it refers to a Medication."""


class Medicine(NamedTuple):
    """The drug and the dosage of a request or a statement. `ingredients` is empty where nothing was recognised,
    `name` where it names no drug at all (an order still being written)."""

    name: str = ""
    ingredients: tuple[str, ...] = ()
    coding: Coding | None = None
    dose: Dose | None = None
    strength_mg: float | None = None
    undivided: bool = False
    route: str = ""
    gaps: tuple[Gap, ...] = ()
    unread: tuple[str, ...] = ()
    """Words of the name that stand for a further part of the product and name no known drug."""

    @property
    def mg_per_piece(self) -> float | None:
        """What one tablet counts in milligrams; None for combinations, whose drugs differ in it."""
        return self.strength_mg if len(self.ingredients) == 1 else None


def medicines_of(index: DrugIndex) -> Memory[bytes, Any]:
    """What medicines say as the index knows drugs, for the life of the process or, where the index may say something
    else another time, for one request."""
    return _medicines_of_process(index) if index.is_fixed else Memory()


@remembered_by_identity
def _medicines_of_process(_: DrugIndex) -> Memory[bytes, Any]:
    return Memory()


def medicine_of(record: Record, chart: Chart) -> Medicine:
    """The medicine of a MedicationRequest or MedicationStatement. Those of many patients say the same: each content
    is read once."""
    resource = record.resource
    content = {name: resource[name] for name in _CONTENT if name in resource}
    key = content_key(content) if "medicationReference" not in resource else None
    if key is None:
        return _read(record, chart)
    found: Medicine = chart.medicines.get(key, _read_content, content, chart)
    return found._replace(gaps=_about(record, found.gaps)) if found.gaps else found


def _read_content(content: Resource, chart: Chart) -> Medicine:
    return _read(Record(content, "", ""), chart)


def _about(record: Record, gaps: tuple[Gap, ...]) -> tuple[Gap, ...]:
    return tuple(gap if gap.about else Gap(record.reference, gap.reason, gap.detail) for gap in gaps)


def _read(record: Record, chart: Chart) -> Medicine:
    drug = _drug_of(record, chart.index, chart.references)
    instructions = record.resource.get("dosageInstruction", record.resource.get("dosage"))
    dosage = _dosage_of(instructions, drug.mg_per_piece)
    undivided = drug.undivided or _is_undivided(units_of(instructions))
    return drug._replace(dose=dosage.dose, route=route_through(dosage.route, drug.route), undivided=undivided)


def _is_undivided(texts: Iterable[str]) -> bool:
    return any(has_word(UNDIVIDED_WORDS, fold(text)) for text in texts)


def _drug_of(record: Record, index: DrugIndex, references: References) -> Medicine:
    resource = record.resource
    concept = resource.get("medicationCodeableConcept")
    said = _said_by({"text": concept} if isinstance(concept, str) else first(concept))
    if said.is_a_name:
        return _drug_said(said, index, record.reference)
    pointer = first(resource.get("medicationReference"))
    address = reference(resource.get("medicationReference"))
    target = references.find(address, resource) if address else None
    if target is not None and not target.withdrawn:
        return _drug_of_medication(target.resource, text_at(pointer, "display"), index, record.reference)
    return _drug_of_display(pointer, address, index, record.reference)


def _drug_of_display(pointer: Resource, address: str, index: DrugIndex, about: str) -> Medicine:
    """A reference that leads nowhere: its display may still name the drug."""
    display = text_at(pointer, "display") or concept_text(first(pointer.get("identifier")).get("type"))
    if display:
        return _drug_of_text(display, index, about)
    if not address:
        return Medicine()
    gap = Gap(about, GapReason.MEDICATION_NOT_AVAILABLE, "the medication it refers to was not sent")
    return Medicine(name=local_name(address), gaps=(gap,))


def _drug_of_medication(medication: Resource, display: str, index: DrugIndex, about: str) -> Medicine:
    said = _said_by(first(medication.get("code")))
    parts = [drug for part in objects(medication.get("ingredient")) if (drug := _ingredient(part, index, about))]
    whole = _drug_said(said, index, about) if said.is_a_name else Medicine()
    if not whole.ingredients and display:
        by_display = _drug_of_text(display, index, about)
        whole = by_display if by_display.ingredients or not whole.name else whole
    ingredients = tuple(dict.fromkeys((*whole.ingredients, *(d for part in parts for d in part.ingredients))))
    # What the name leaves open the ingredients tell.
    settled = {GapReason.NOT_RECOGNISED, GapReason.PARTLY_RECOGNISED} if parts else {GapReason.NOT_RECOGNISED}
    contrary = tuple(gap for gap in whole.gaps if gap.reason not in settled)
    missed = (*contrary, *(gap for part in parts for gap in part.gaps))
    name = display or whole.name or " / ".join(part.name for part in parts) or about
    return Medicine(
        name=name,
        ingredients=ingredients,
        coding=whole.coding or next((part.coding for part in parts if part.coding), None),
        route=whole.route or route_of_concept(medication.get("form")),
        strength_mg=whole.strength_mg,
        undivided=whole.undivided or _is_undivided((name, *concept_texts(medication.get("form")))),
        gaps=missed if ingredients else (whole.gaps or (_not_recognised(name),)),
        unread=tuple(dict.fromkeys(word for drug in (parts or [whole]) for word in drug.unread)),
    )


def _ingredient(part: Resource, index: DrugIndex, about: str) -> Medicine | None:
    said = _said_by(first(part.get("itemCodeableConcept")))
    if part.get("isActive") is False or not said.is_a_name:
        return None
    return _drug_said(said, index, about)


def _drug_of_text(text: str, index: DrugIndex, about: str) -> Medicine:
    return _drug_said(_said_by({"text": text}), index, about)


def _drug_said(said: _Said, index: DrugIndex, about: str) -> Medicine:
    """The drug of a concept. Where its codes and its text name drugs that have nothing in common, neither
    counts: it is not known which one is meant. Nor do codes that disagree, unless the text decides between them."""
    by_code = index.find(said.codings, said.text) if said.codings else None
    by_texts = tuple([match for text in said.texts if (match := index.find((), text)) is not None])
    by_text = by_texts[0] if by_texts else None
    match = by_code or by_text
    if match is None:
        return Medicine(said.name, coding=said.coding, gaps=(_not_recognised(said.name),))
    if by_code and by_text and set(by_code.drugs).isdisjoint(by_text.drugs):
        gap = Gap(about, GapReason.CONTRADICTION, "the code and the text of the medication name different drugs")
        return Medicine(said.name, coding=said.coding, gaps=(gap,))
    dispute = _dispute(said.codings, by_texts, index)
    disagree = Gap(about, GapReason.CODES_DISAGREE, "the codes of the medication name different drugs")
    gaps = (disagree,) if dispute else ()
    if dispute and not _decides(by_texts, dispute):
        return Medicine(said.name, coding=said.coding, gaps=gaps)
    if match.unread:
        gaps = (*gaps, Gap(about, GapReason.PARTLY_RECOGNISED, f"no drug is known by: {', '.join(match.unread)}"))
    return Medicine(
        name=said.name if said.texts else match.name or said.name,
        ingredients=match.drugs,
        coding=said.coding,
        route=match.route or (by_text.route if by_text else ""),
        strength_mg=_strength_mg(match, by_text),
        undivided=_is_undivided((said.name, match.name, *said.texts)),
        gaps=gaps,
        unread=match.unread,
    )


@dataclass(frozen=True, slots=True)
class _Said:
    """What a concept offers to know a drug by; `coding` is the most telling of its codes."""

    codings: tuple[Coding, ...]
    text: str
    texts: tuple[str, ...]
    name: str
    coding: Coding | None
    is_a_name: bool
    """Whether it names anything, and not only why there is no name."""


@remembered_by_content
def _said_by(concept: object) -> _Said:
    every, label = codings(concept), concept_label(concept)
    found = tuple(c for c in every if _ABSENT_REASON not in c.system)
    coded = [coding for coding in found if coding.code]
    telling = next((c for c in coded if c.system == RXNORM), coded[0] if coded else None)
    is_a_name = bool(label) and (bool(found) or not every)
    return _Said(found, concept_text(concept), concept_texts(concept), label, telling, is_a_name)


def _strength_mg(match: DrugMatch, by_text: DrugMatch | None) -> float | None:
    """Of the first ingredient; the text's is of its own first."""
    if match.strength_mg is not None or by_text is None or by_text.drugs[0] != match.drugs[0]:
        return match.strength_mg
    return by_text.strength_mg


def _dispute(found: tuple[Coding, ...], by_texts: tuple[DrugMatch, ...], index: DrugIndex) -> frozenset[str]:
    """The drugs that some codes name against the others. The codes are asked without their displays, which are
    compared as texts; codes of single ingredients that one text names together are of one product."""
    if len(found) < 2:
        return frozenset()
    by_code = index.find(tuple(replace(coding, display="") for coding in found), "")
    if by_code is None or any({*by_code.drugs, *by_code.disagrees} <= set(text.drugs) for text in by_texts):
        return frozenset()
    return frozenset(by_code.disagrees)


def _decides(by_texts: tuple[DrugMatch, ...], dispute: frozenset[str]) -> bool:
    return bool(by_texts) and not any(dispute & set(text.drugs) for text in by_texts)


def _not_recognised(name: str) -> Gap:
    return Gap(name, GapReason.NOT_RECOGNISED, "no drug of the knowledge base was recognised in its codes or text")


class _Dosage(NamedTuple):
    dose: Dose | None
    route: str


@remembered_by_content
def _dosage_of(instructions: object, mg_per_piece: float | None) -> _Dosage:
    """The dosage of a product of which one piece holds `mg_per_piece`."""
    return _Dosage(dose_of(instructions, mg_per_piece), route_of(instructions))
