"""Orders: the drafted medications of a hook, and active medicines where the hook asks about those."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from cds_service.effort import go_on
from cds_service.model import Gap, GapReason, Order, Question
from cds_service.reading.addresses import reference, references
from cds_service.reading.chart import Chart
from cds_service.reading.medications import medicine_of
from cds_service.reading.records import Record, References, newest, unpack
from cds_service.reading.shapes import Resource, codings, concept_texts, first, items, text_at
from cds_service.reading.vocabulary import (
    DRAFT_STATUSES,
    ENDED_STATUSES,
    REQUEST,
    STATEMENT,
    UNTAKEN_STATUSES,
)
from cds_service.references import local_name

_OF_MEDICINES = "medication"
"""How the types of resources that name a medicine begin: in place of an order they are told and not guessed at."""
_NO_MEDICINE_TAKEN = frozenset({"Medication", "MedicationKnowledge"})


@dataclass(frozen=True, slots=True)
class OrderedDrug:
    """An order and the resource it was read from."""

    order: Order
    resource: Resource


def drafted(question: Question) -> tuple[tuple[Record, ...], tuple[Gap, ...]]:
    """The resources of the hook's context as records, and a gap for each entry that is no resource. The same
    draft sent twice counts once; two drafts under one id are both kept."""
    found = unpack(question.resources)
    return _told_apart(newest(found.records)), tuple(found.gaps)


def _told_apart(records: Iterable[Record]) -> tuple[Record, ...]:
    seen: dict[str, int] = {}
    kept = []
    for record in records:
        seen[record.reference] = seen.get(record.reference, 0) + 1
        n = seen[record.reference]
        kept.append(record if n == 1 else record._replace(reference=f"{record.reference}#{n}"))
    return tuple(kept)


def read_orders(question: Question, asked: tuple[Record, ...], chart: Chart) -> Iterator[OrderedDrug | Gap]:
    """The orders that the hook asks about, of the records that may be read, and a gap for each not in force."""
    named = question.selections
    selected = None if named is None else frozenset(local_name(address) for address in named)
    for record in asked:
        go_on()
        if record.kind == REQUEST:
            yield from _read_draft(record, question, selected, chart)
        elif record.kind.lower().startswith(_OF_MEDICINES) and record.kind not in _NO_MEDICINE_TAKEN:
            yield Gap(record.reference, GapReason.UNSUPPORTED_KIND, f"{record.kind}; expected {REQUEST}")


def wanted(question: Question, references: References) -> Iterator[Record]:
    """The orders that the hook names, where they are among the resources sent. They are asked about, whatever query
    gave them."""
    found = [references.find(address) for address in question.wanted]
    named = {target.reference: target for target in found if target is not None and target.kind == REQUEST}
    yield from (target._replace(query=None) for target in named.values())


def missing(question: Question, references: References) -> Iterator[Gap]:
    """A gap for each order that the hook names and nobody sent."""
    for address in dict.fromkeys(question.wanted):
        if references.find(address) is None:
            yield Gap(address, GapReason.NOT_AVAILABLE, "the dispatched order was not among the resources sent")


def _read_draft(
    record: Record, question: Question, selected: frozenset[str] | None, chart: Chart
) -> Iterator[OrderedDrug | Gap]:
    status = record.status
    if record.resource.get("doNotPerform") is True:
        yield Gap(record.reference, GapReason.NOT_IN_FORCE, "doNotPerform")
    elif status not in DRAFT_STATUSES | ENDED_STATUSES | UNTAKEN_STATUSES:
        yield Gap(record.reference, GapReason.UNKNOWN_STATUS, "an order whose status FHIR does not have")
    elif status not in DRAFT_STATUSES:
        yield Gap(record.reference, GapReason.NOT_IN_FORCE, status)
    else:
        found = [*read_order(record, chart, selected)]
        yield from found
        if not found and not question.being_written:
            yield Gap(record.reference, GapReason.NO_DRUG, "an order without a drug", record.query)


def read_order(
    record: Record, chart: Chart, selected: frozenset[str] | None = None, *, active: bool = False
) -> Iterator[OrderedDrug | Gap]:
    """The order in a MedicationRequest or MedicationStatement, which is among the `selected` where some are. One that
    names no drug gives nothing."""
    resource = record.resource
    found = medicine_of(record, chart)
    if not found.name:
        return
    yield from found.gaps
    reasons, texts = _reasons(resource, chart)
    order = Order(
        reference=record.reference,
        name=found.name,
        ingredients=found.ingredients,
        coding=found.coding,
        dose=found.dose,
        strength_mg=found.strength_mg,
        undivided=found.undivided,
        route=found.route,
        reasons=reasons,
        reason_texts=texts,
        selected=selected is None or record.reference.partition("#")[0] in selected,
        active=active,
        unread=found.unread,
        replaces=_replaced(resource, chart),
        on_hold=record.status == "on-hold",
    )
    yield OrderedDrug(order, resource)


def _reasons(resource: Resource, chart: Chart) -> tuple[frozenset[str], tuple[str, ...]]:
    """Condition keys and texts of the order's reason, coded or by reference."""
    concepts = [resource.get("reasonCode")]
    for pointer in items(resource.get("reasonReference")):
        target = chart.references.find(reference(pointer), resource) if reference(pointer) else None
        concepts.append(target.resource.get("code") if target is not None else None)
        concepts.append({"text": text_at(first(pointer), "display")})
    texts = tuple(dict.fromkeys(t for c in concepts for part in items(c) for t in concept_texts(part)))
    coded = [coding for concept in concepts for coding in codings(concept)]
    return chart.lexicon.conditions(coded, texts), texts


def _replaced(resource: Resource, chart: Chart) -> str:
    """Reference of the active medication that the draft is based on or follows."""
    for address in (*references(resource.get("priorPrescription")), *references(resource.get("basedOn"))):
        target = chart.references.find(address, resource)
        kind, status = (target.kind, target.status) if target is not None else ("", "")
        if target is not None and kind in {REQUEST, STATEMENT} and status in {"active", "on-hold"}:
            return target.reference
    return ""


def drafts_by_reference(ordered: Iterable[OrderedDrug]) -> Mapping[str, Mapping[str, object]]:
    """Each order's reference -> the resource it came from."""
    return {found.order.reference: found.resource for found in ordered}
