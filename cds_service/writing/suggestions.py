"""Suggestions of one card: order a test, change the dose, swap the drug, hold the order. Each is an option."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID, uuid5

from cds_service.model import Action, Alternative, Finding, Kind, Outcome, Patient
from cds_service.writing.drafts import on_hold, redosed, repaired, swapped
from cds_service.writing.findings import asked_markers, departs_to_other_drug, first_action, is_conditional
from cds_service.writing.laboratory import Orderable, service_request
from cds_service.writing.no_match import referral
from cds_service.writing.text import clean, shortened
from cds_service.writing.validity import faults
from cds_service.writing.words import Words

ALTERNATIVES_OFFERED = 3
_LABEL_LIMIT = 120


@dataclass(frozen=True, slots=True)
class Suggestion:
    key: str
    """What it is among those of its card."""
    label: str
    kind: str
    """`create` or `update`, the type of its one action."""
    description: str
    resource: Mapping[str, Any]
    recommended: bool = False


def suggestions_for(
    findings: Sequence[Finding],
    tests: Sequence[tuple[Orderable, Sequence[str]]],
    draft: Mapping[str, Any] | None,
    *,
    patient: Patient,
    words: Words,
    today: date,
    redose: bool = True,
) -> tuple[Suggestion, ...]:
    """What the card of one order offers, its findings worst first. `tests` are the tests this card offers, each with
    the names of the drugs that want it; `draft` is the drafted resource, None where it may not be updated. Without
    `redose` no other dose is offered."""
    swaps = any(finding.alternatives for finding in findings)
    others = any(finding.arithmetic or finding.hold for finding in findings)
    clean_draft = repaired(draft, patient.id, for_swaps=not others) if draft and (swaps or others) else None
    recommended = findings[0].kind is Kind.TEST_WOULD_CHANGE
    ordering = [
        _order_test(
            orderable, drugs, patient=patient, words=words, today=today, recommended=recommended and number == 0
        )
        for number, (orderable, drugs) in enumerate(tests)
    ]
    referring = [_refer(request, words) for request in _referrals(findings, patient, words, today)]
    updates = _updates(findings, clean_draft, words, redose=redose) if clean_draft else []
    wrong = faults([update.resource for update in updates])
    return (*ordering, *referring, *[update for update, fault in zip(updates, wrong, strict=True) if not fault])


def exclusive(suggestions: Sequence[Suggestion]) -> bool:
    """Whether at most one may be taken: two updates of one draft cannot both be."""
    return sum(suggestion.kind == "update" for suggestion in suggestions) > 1


def as_json(suggestions: Sequence[Suggestion], card: UUID) -> list[dict[str, Any]]:
    """The suggestions as CDS Hooks has them; at most the first recommended one is marked."""
    marked = next((suggestion.key for suggestion in suggestions if suggestion.recommended), "")
    return [
        {
            "label": shortened(suggestion.label, _LABEL_LIMIT),
            "uuid": str(uuid5(card, suggestion.key)),
            **({"isRecommended": True} if suggestion.key == marked else {}),
            "actions": [
                {
                    "type": suggestion.kind,
                    "description": suggestion.description,
                    "resource": dict(suggestion.resource),
                }
            ],
        }
        for suggestion in suggestions
    ]


def _order_test(
    orderable: Orderable, drugs: Sequence[str], *, patient: Patient, words: Words, today: date, recommended: bool
) -> Suggestion:
    return Suggestion(
        key=f"test {orderable.key}",
        label=words.wording.say("suggestions", "order_test", test=orderable.name),
        kind="create",
        description=words.wording.say("suggestions", "order_test_does", test=orderable.name),
        resource=service_request(orderable, drugs, patient, words, today),
        recommended=recommended,
    )


def _referrals(findings: Sequence[Finding], patient: Patient, words: Words, today: date) -> list[Mapping[str, Any]]:
    """One for the card, whichever of its findings asks for it."""
    found = (referral(finding, patient, words, today) for finding in findings)
    return [request for request in found if request is not None][:1]


def _refer(request: Mapping[str, Any], words: Words) -> Suggestion:
    return Suggestion(
        key="genetics",
        label=words.wording.say("suggestions", "refer_to_genetics"),
        kind="create",
        description=words.wording.say("suggestions", "refer_to_genetics_does"),
        resource=request,
    )


def _updates(
    findings: Sequence[Finding], draft: Mapping[str, Any], words: Words, *, redose: bool
) -> list[Suggestion]:
    """Only what agrees with the gravest advice: a drug to be left is not offered at another dose, and what advice on
    its dose would take instead was not chosen with the reason to leave it in mind. A combination product is only
    held: an update would change or drop its other ingredients too."""
    single = [finding for finding in findings if len(finding.order.ingredients) < 2]
    left = any(map(departs_to_other_drug, findings))
    departing = [f for f in single if f.resulting.outcome is not Outcome.AS_DRAFTED]
    leaving = [f for f in departing if departs_to_other_drug(f)] if left else departing
    swaps = [
        _swap(finding, alternative, draft, words)
        for finding in leaving
        for alternative in _offered(finding, findings)
        if alternative.drug in words.knowledge.drugs
    ]
    once = list({swap.key: swap for swap in swaps}.values())[:ALTERNATIVES_OFFERED]
    doses = _doses(single, draft, words) if redose and not left else []
    holds = [_hold(finding, draft, words) for finding in findings if finding.hold and not finding.order.on_hold][:1]
    return [*doses, *once, *holds]


def _offered(finding: Finding, findings: Sequence[Finding]) -> list[Alternative]:
    """The alternatives that no finding of this order refuses."""
    refused = {one.drug for other in findings for one in other.alternatives if one.refused}
    return [one for one in finding.alternatives if one.drug not in refused]


def _swap(finding: Finding, alternative: Alternative, draft: Mapping[str, Any], words: Words) -> Suggestion:
    drug, other = words.drug_of(finding), words.drug(alternative.drug)
    markers = words.markers(alternative.open_markers)
    key = "swap_open" if markers else "swap"
    only_if = _condition(finding, alternative.drug, words)
    sole = not markers and sum(not one.refused for one in finding.alternatives) == 1
    return Suggestion(
        key=f"swap {alternative.drug}",
        label=words.wording.say("suggestions", key, drug=drug, alternative=other, markers=markers, only_if=only_if),
        kind="update",
        description=words.wording.say("suggestions", "swap_does", alternative=other),
        resource=swapped(draft, words.knowledge.drugs[alternative.drug], other),
        recommended=sole and departs_to_other_drug(finding) and not is_conditional(finding),
    )


def _condition(finding: Finding, drug: str, words: Words) -> str:
    """`, if menopause is past`, where all that the advice says of the drug holds under a condition."""
    naming = [option for option in finding.advice.options if drug in option.alternatives] if finding.advice else []
    found = [words.only_if(option, words.about(finding)) for option in naming]
    return f", {found[0]}" if found and all(found) else ""


def _doses(findings: Sequence[Finding], draft: Mapping[str, Any], words: Words) -> list[Suggestion]:
    """The dose reckoned, where it is the only one advised, without a condition that only the prescriber knows, and
    the draft can take it. Two dose changes of one order are for the prescriber to put together."""
    changed = [finding for finding in findings if finding.resulting.outcome is Outcome.CHANGED_DOSE]
    if len({finding.table for finding in changed}) != 1:
        return []
    finding = changed[0]
    arithmetic = finding.arithmetic
    if arithmetic is None or finding.kind is not Kind.CHANGE_NOW or is_conditional(finding):
        return []
    say, shown = words.wording.say, words.arithmetic(arithmetic)
    reckoned = say("suggestions", "dose_reckoned", arithmetic=shown, assumed=words.assumed_of(arithmetic))

    def noted(drafted: str) -> str:
        return (
            say("suggestions", "dose_drafted", reckoned=reckoned, text=clean(drafted, 200)) if drafted else reckoned
        )

    def says(amount: str) -> str:
        return words.as_often(say("suggestions", "dose_text", amount=clean(amount)), arithmetic)

    parts, undivided = _parts_mg(finding, words), finding.order.undivided
    update = redosed(draft, arithmetic, says, noted, parts, undivided=undivided)
    if update is None:
        return []
    return [
        Suggestion(
            key="dose",
            label=say("suggestions", "change_dose", drug=words.drug_of(finding), arithmetic=shown),
            kind="update",
            description=say(
                "suggestions", "change_dose_does", arithmetic=shown, assumed=words.assumed_of(arithmetic)
            ),
            resource=update,
            recommended=first_action(finding) is Action.DOSE,
        )
    ]


def _parts_mg(finding: Finding, words: Words) -> tuple[float, ...]:
    """What one piece of the product drafted can give, or of any product by mouth; empty where nothing is known.
    Only a tablet is halved."""
    order = finding.order
    if order.strength_mg:
        return (order.strength_mg if order.undivided else order.strength_mg / 2,)
    return words.knowledge.parts_mg.get(finding.drug, ()) if order.route in ("", "oral") else ()


def _hold(finding: Finding, draft: Mapping[str, Any], words: Words) -> Suggestion:
    reason = words.wording.say("suggestions", "hold_reason", markers=words.markers(asked_markers(finding)))
    return Suggestion(
        key="hold",
        label=words.wording.say("suggestions", "hold", drug=words.drug_of(finding)),
        kind="update",
        description=words.wording.say("suggestions", "hold_does"),
        resource=on_hold(draft, reason),
    )
