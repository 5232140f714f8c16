"""One card for each order, its findings merged, the worst first; one for all that lack the same facts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import orjson

from cds_service.codes import OVERRIDE_REASON, OWN, TOPIC
from cds_service.knowledge.base import Knowledge
from cds_service.knowledge.schema import Table
from cds_service.memory import remembered_by_identity
from cds_service.model import Finding, Kind, Order, Patient
from cds_service.policy import Policy
from cds_service.writing.detail import CardText, detail_of, summary_of
from cds_service.writing.evidence import source_of
from cds_service.writing.extension import extension, finding_json
from cds_service.writing.findings import tables_of
from cds_service.writing.groups import Group, departs, ends, groups_of, worst_first
from cds_service.writing.laboratory import Orderable, orderables
from cds_service.writing.no_match import trials
from cds_service.writing.review import HOOK as REVIEW_HOOK
from cds_service.writing.review import review_of
from cds_service.writing.suggestions import Suggestion, as_json, exclusive, suggestions_for
from cds_service.writing.text import filled
from cds_service.writing.unchecked import gathered, unchecked_of
from cds_service.writing.views import Surroundings
from cds_service.writing.wording import Wording
from cds_service.writing.words import Words, words_of

_NAMESPACE = uuid5(NAMESPACE_URL, OWN)


@dataclass(frozen=True, slots=True)
class _Offer:
    """A test that one card offers, for all drugs that want it."""

    card: int
    orderable: Orderable
    drugs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Setting:
    """What every card of one answer shares."""

    patient: Patient
    whose: str
    """A digest of the patient's id."""
    drafts: Mapping[str, Mapping[str, Any]]
    policy: Policy
    words: Words
    today: date
    hook: str


def write(  # noqa: PLR0917  the order is that of the way of a request
    findings: tuple[Finding, ...],
    patient: Patient,
    drafts: Mapping[str, Mapping[str, Any]],
    knowledge: Knowledge,
    policy: Policy,
    wording: Wording,
    today: date,
    hook: str,
) -> dict[str, Any]:
    """The response body: cards worst first; without cards, the silent findings and the basis on the response itself.

    `drafts` maps an order's reference to its drafted resource; only those are offered to be updated. Raises
    AnswerError where a test order that we make is not valid FHIR.
    """
    whose = hashlib.sha256(patient.id.encode()).hexdigest()
    setting = _Setting(patient, whose, drafts, policy, words_of(knowledge, wording), today, hook)
    groups = groups_of(findings)
    if len(groups) > 1 and hook == REVIEW_HOOK:
        return {"cards": [_review(groups, findings, setting)]}
    if groups:
        return {"cards": _cards(gathered(groups), findings, setting)}
    if findings or patient.gaps:
        return {"cards": [], "extension": _extension(worst_first(findings), setting)}
    return {"cards": []}


def explain(findings: Iterable[Finding], knowledge: Knowledge, wording: Wording) -> list[dict[str, Any]]:
    """Each finding, silent ones included, as the extension has it; `silentBecause` says the rule in words."""
    words = words_of(knowledge, wording)
    return [{**finding_json(finding, words), **_silence(finding, words)} for finding in worst_first(findings)]


def _silence(finding: Finding, words: Words) -> dict[str, str]:
    return {"silentBecause": words.wording.say("silence", finding.silent)} if finding.silent else {}


def _cards(
    by_card: Sequence[tuple[Group, ...]], findings: Sequence[Finding], setting: _Setting
) -> list[dict[str, Any]]:
    words, groups = setting.words, [together[0] for together in by_card]
    names = _names_of_causes(findings, words)
    by_question = orderables([finding for group in groups for finding in group], words, setting.policy)
    offers = _offers(groups, by_question, words)
    touched = _touched(groups)
    cards = []
    for number, together in enumerate(by_card):
        group = together[0]
        if len(together) > 1:
            cards.append(_of_unchecked(together, setting))
            continue
        elsewhere = {
            question: words.drug_of(groups[offers[orderable.key].card][0])
            for question, orderable in by_question.items()
            if offers[orderable.key].card != number
        }
        own = [offer for offer in offers.values() if offer.card == number]
        around = Surroundings(names, elsewhere, touched, departs=any(map(departs, group)), ends=any(map(ends, group)))
        cards.append(_card(group, own, around, setting))
    return cards


def _of_unchecked(groups: Sequence[Group], setting: _Setting) -> dict[str, Any]:
    """One card for several orders that lack the same facts; it offers nothing, since nothing is known."""
    text = unchecked_of(groups, setting.words, setting.policy)
    return _of_several(text, groups, (), setting, by_guidance=False)


def _touched(groups: Sequence[Group]) -> dict[str, Sequence[Finding]]:
    """By the reference of an order, the shown changes of other orders that it brings about: it caused them, is a fact
    that decided them, or shifts one of their markers."""
    changes = [f for group in groups for f in group if f.kind is Kind.CHANGE_NOW and not f.silent]
    orders = {group[0].order.reference: group[0].order for group in groups if group[0].order.reference}
    found = {
        reference: [f for f in changes if f.order.reference != reference and _is_brought_about(f, order)]
        for reference, order in orders.items()
    }
    return {reference: others for reference, others in found.items() if others}


def _is_brought_about(finding: Finding, order: Order) -> bool:
    if order.reference in (finding.caused_by, *finding.facts):
        return True
    return any(drug in order.ingredients for view in finding.markers for drug in view.modified_by)


def _names_of_causes(findings: Sequence[Finding], words: Words) -> dict[str, str]:
    """Reference -> name of the orders that a finding names as what caused it."""
    causes = {finding.caused_by for finding in findings}
    orders = [finding.order for finding in findings if finding.order.reference in causes]
    return {order.reference: words.order(order) for order in orders}


def _review(groups: Sequence[Group], findings: Iterable[Finding], setting: _Setting) -> dict[str, Any]:
    """One card for all medicines taken. A test that informs several of them is offered once; a medicine is changed
    where it is ordered, never from here."""
    words, told = setting.words, worst_first(finding for group in groups for finding in group)
    medicines = {(one.order.reference, one.order.name) for one in findings if not one.is_of_list}
    text = review_of(groups, len(medicines), words, Surroundings(in_review=True), setting.policy)
    offers = _offers([told], orderables(told, words, setting.policy), words)
    return _of_several(text, groups, list(offers.values()), setting, named=(setting.hook,))


def _of_several(
    text: CardText,
    groups: Sequence[Group],
    offers: Sequence[_Offer],
    setting: _Setting,
    *,
    named: tuple[str, ...] = (),
    by_guidance: bool = True,
) -> dict[str, Any]:
    """One card for the findings of several orders, none of which is changed from it."""
    card_id = uuid5(_NAMESPACE, json.dumps([*named, *(str(_card_id(group, setting)) for group in groups)]))
    told = worst_first(finding for group in groups for finding in group)
    said = _Said(card_id, text, [group[0] for group in groups], by_guidance=by_guidance)
    return _assembled(said, told, offers, replace(setting, drafts={}))


def _offers(
    groups: Sequence[Group], by_question: Mapping[tuple[str, str], Orderable], words: Words
) -> dict[str, _Offer]:
    """Key of an orderable -> the first card that wants it, and the names of all drugs that do."""
    offers: dict[str, _Offer] = {}
    for number, group in enumerate(groups):
        for finding in group:
            for orderable in _wanted(finding, by_question):
                offer = offers.get(orderable.key, _Offer(number, orderable, ()))
                drugs = dict.fromkeys((*offer.drugs, words.drug_of(finding)))
                offers[orderable.key] = replace(offer, drugs=tuple(drugs))
    return offers


def _wanted(finding: Finding, by_question: Mapping[tuple[str, str], Orderable]) -> list[Orderable]:
    return [by_question[test.marker, test.test] for test in finding.tests if test.order_it]


def _card(group: Group, offers: Sequence[_Offer], around: Surroundings, setting: _Setting) -> dict[str, Any]:
    words = setting.words
    summary = summary_of(group[0], words, around)
    detail = detail_of(group, words, around, setting.policy, summary)
    text = CardText(summary, detail)
    said = _Said(_card_id(group, setting), text, group[:1], redose=not _is_touched(group, around))
    return _assembled(said, group, offers, setting)


def _is_touched(group: Group, around: Surroundings) -> bool:
    return group[0].order.reference in around.touched_by


@dataclass(frozen=True, slots=True)
class _Said:
    """What a card says, and the findings that it may be overridden for: the first of each of its orders."""

    id: UUID
    text: CardText
    firsts: Sequence[Finding]
    redose: bool = True
    """Whether another dose may be offered: not where another card asks for something else of this order."""
    by_guidance: bool = True
    """Whether the first finding's guidance is what the card rests on."""


def _assembled(said: _Said, group: Group, offers: Sequence[_Offer], setting: _Setting) -> dict[str, Any]:
    words = setting.words
    tests = [(offer.orderable, offer.drugs) for offer in offers]
    draft = setting.drafts.get(group[0].order.reference)
    suggestions = suggestions_for(
        group, tests, draft, patient=setting.patient, words=words, today=setting.today, redose=said.redose
    )
    return filled(
        uuid=str(said.id),
        summary=said.text.summary,
        detail=said.text.detail,
        indicator=group[0].indicator.value,
        source=orjson.loads(_source(words, group[0].table if said.by_guidance else "", group[0].kind)),
        suggestions=as_json(suggestions, said.id),
        selectionBehavior=_selection_behavior(suggestions),
        overrideReasons=_override_reasons(said.firsts, setting),
        links=_links(group, setting.patient, words),
        extension=_extension(group, setting),
    )


def _selection_behavior(suggestions: Sequence[Suggestion]) -> str:
    if not suggestions:
        return ""
    return "at-most-one" if exclusive(suggestions) else "any"


def _extension(findings: Group, setting: _Setting) -> dict[str, Any]:
    return extension(findings, setting.patient, setting.words, setting.policy, setting.hook)


def _card_id(group: Group, setting: _Setting) -> UUID:
    """The same for the same findings of the same draft of the same patient; distinct within one answer, since its
    groups differ in reference or name."""
    order = group[0].order
    dose = order.dose
    parts = [
        order.reference,
        order.name,
        sorted({finding.drug for finding in group}),
        [dose.per_dose, dose.unit, dose.per_day] if dose else [],
        sorted([finding.kind, finding.table, finding.row] for finding in group),
        setting.words.knowledge.content_hash,
        setting.whose,
    ]
    return uuid5(_NAMESPACE, json.dumps(parts))


@remembered_by_identity
def _source(words: Words, table_id: str, kind: Kind) -> bytes:
    """As JSON, which each card reads anew: no two answers share a part."""
    table = words.knowledge.tables.get(table_id)
    topic = {"system": TOPIC, "code": kind.value, "display": words.wording.catalogue["kinds"][kind]["topic"]}
    if table is None:
        return orjson.dumps({"label": words.wording.say("service", "label"), "topic": topic})
    source = source_of(table, words)
    return orjson.dumps(filled(label=source.title, url=source.url, topic=topic))


def _override_reasons(findings: Sequence[Finding], setting: _Setting) -> list[dict[str, str]]:
    kinds = tuple([finding.kind for finding in findings])
    return [{**reason} for reason in _reasons_for(setting.policy, setting.words, kinds)]


@remembered_by_identity
def _reasons_for(policy: Policy, words: Words, kinds: tuple[Kind, ...]) -> Sequence[Mapping[str, str]]:
    """The site's own, else the catalogue's for these kinds of findings, each once."""
    catalogue = words.wording.catalogue
    own = [(reason.code, reason.display) for reason in policy.override_reasons]
    named = {code for kind in kinds for code in catalogue["kinds"][kind]["override_reasons"]}
    usual = [(code, display) for code, display in catalogue["override_reasons"].items() if code in named]
    return [{"system": OVERRIDE_REASON, "code": code, "display": display} for code, display in own or usual]


def _links(group: Group, patient: Patient, words: Words) -> list[dict[str, str]]:
    """The sources of the guidance, then searches for trials where nothing fits."""
    guidance = [_link(table, words) for table in tables_of(group, words)]
    searches = [found for finding in group if (found := trials(finding, patient, words))]
    links = dict.fromkeys([*guidance, *searches])
    return [{"label": label, "url": url, "type": "absolute"} for label, url in links if url]


@remembered_by_identity
def _link(table: Table, words: Words) -> tuple[str, str]:
    """Label and web address, which is empty where the source has none."""
    source = source_of(table, words)
    return words.wording.say("links", "guidance", title=source.title), source.url
