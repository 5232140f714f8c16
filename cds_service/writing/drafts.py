"""Updates of a drafted MedicationRequest: cleaned, changed in one respect, and valid FHIR R4B or not offered.

Drafts come from EHRs as they are: with empty values, single objects where FHIR has lists, and fields missing. What
cannot be made valid without guessing is not offered as an action.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import floor, isclose, log10
from typing import Any

from cds_service.codes import RXNORM, USUAL_DOSE
from cds_service.knowledge.schema import Drug
from cds_service.model import DoseArithmetic, Times
from cds_service.writing.text import number

_LISTS_ANYWHERE = frozenset({"additionalInstruction", "coding", "doseAndRate", "extension", "modifierExtension"})
_LISTS_OF_THE_ORDER = _LISTS_ANYWHERE | frozenset(
    {
        "basedOn", "category", "contained", "detectedIssue", "dosageInstruction", "eventHistory", "identifier",
        "instantiatesCanonical", "instantiatesUri", "insurance", "note", "reasonCode", "reasonReference",
        "supportingInformation",
    }
)  # fmt: skip
_KEPT_IN_A_SWAP = frozenset(
    {
        "resourceType", "id", "meta", "identifier", "status", "intent", "category", "priority", "subject",
        "encounter", "authoredOn", "requester", "performer", "performerType", "recorder", "reasonCode",
        "reasonReference", "groupIdentifier", "courseOfTherapyType", "insurance",
    }
)  # fmt: skip
"""What does not depend on the drug. Dose, amount, product, notes and local extensions belong to the old one."""


def repaired(draft: Mapping[str, Any], patient_id: str, *, for_swaps: bool = False) -> dict[str, Any] | None:
    """A clean copy of a drafted MedicationRequest; None where it is none, or has no id to be updated by.

    Missing `status`, `intent` and `subject` are those of any draft of this hook. The narrative is left out: it
    would describe the order before the update. `for_swaps`: only what a swap keeps.
    """
    if draft.get("resourceType") != "MedicationRequest" or not isinstance(draft.get("id"), str):
        return None
    clean = _tidied(_kept_in_a_swap(draft) if for_swaps else draft, _LISTS_OF_THE_ORDER)
    clean.pop("text", None)
    defaults = {
        "resourceType": clean["resourceType"],
        "status": "draft",
        "intent": "order",
        "subject": {"reference": reference_to(patient_id)},
    }
    return {**defaults, **clean}


def reference_to(patient_id: str) -> str:
    """`Patient/<id>`."""
    return patient_id if "/" in patient_id else f"Patient/{patient_id}"


def on_hold(draft: Mapping[str, Any], reason: str) -> dict[str, Any]:
    """The draft with status on-hold; `reason` is said in its statusReason."""
    return {**draft, "status": "on-hold", "statusReason": {"text": reason}}


def swapped(draft: Mapping[str, Any], drug: Drug, display: str) -> dict[str, Any]:
    """The draft for another drug, without dose, amount or anything else that belonged to the old drug."""
    coding = {"system": RXNORM, "code": drug.rxcui, "display": display}
    return {**_kept_in_a_swap(draft), "medicationCodeableConcept": {"coding": [coding], "text": display}}


def _kept_in_a_swap(draft: Mapping[str, Any]) -> dict[str, Any]:
    return {name: part for name, part in draft.items() if name in _KEPT_IN_A_SWAP}


def redosed(
    draft: Mapping[str, Any],
    arithmetic: DoseArithmetic,
    says: Callable[[str], str],
    noted: Callable[[str], str],
    parts: tuple[float, ...],
    *,
    undivided: bool = False,
) -> dict[str, Any] | None:
    """The draft with its one dose changed as reckoned, and given as often as the source has it. None where there is
    not exactly one dose to change, nothing says what one administration will give, the drafted dose is not the one
    reckoned with, the result is no dose of a product, or how often it is given stands in words alone.

    `says` makes the new dosage text of an amount (`50 mg`). The drafted text, which names the old one, goes to a note
    on the order, which `noted` makes of it. `parts` are the amounts in milligrams that products give, half a tablet
    for example, where they are known; `undivided`: pieces of the product are not halved. Where the drafted dose is
    taken for the usual one, it stands beside its share.
    """
    instruction = _only(draft.get("dosageInstruction"))
    rate = _only(instruction.get("doseAndRate"))
    quantity = _mapping(rate.get("doseQuantity"))
    value = _new_value(quantity, arithmetic, parts, whole=undivided)
    if value is None or not (arithmetic.times or _mapping(instruction.get("timing"))):
        return None
    changed = {
        **{key: part for key, part in instruction.items() if key != "patientInstruction"},
        "text": says(f"{number(value)} {quantity.get('unit') or quantity.get('code', '')}".strip()),
        "doseAndRate": [{**rate, "doseQuantity": {**quantity, "value": value}}],
        **({"extension": _noting(quantity, instruction)} if arithmetic.assumes_usual else {}),
        **({"timing": _timing(instruction, arithmetic.times)} if arithmetic.times else {}),
    }
    dispense = {key: part for key, part in _mapping(draft.get("dispenseRequest")).items() if key != "quantity"}
    notes = [*draft.get("note", ()), {"text": noted(str(instruction.get("text", "")))}]
    whole = {**draft, "dosageInstruction": [changed], "dispenseRequest": dispense, "note": notes}
    return {key: part for key, part in whole.items() if part}


def _noting(usual: Mapping[str, Any], instruction: Mapping[str, Any]) -> list[Any]:
    """The extensions with the usual dose, so that no share is taken of the new one again."""
    others = [part for part in instruction.get("extension", ()) if _mapping(part).get("url") != USUAL_DOSE]
    return [*others, {"url": USUAL_DOSE, "valueQuantity": dict(usual)}]


def _timing(instruction: Mapping[str, Any], times: Times) -> dict[str, Any]:
    """How often, in place of what the draft says; how long the treatment lasts stays."""
    drafted = _mapping(_mapping(instruction.get("timing")).get("repeat"))
    lasting = {key: part for key, part in drafted.items() if key.startswith("bounds")}
    return {"repeat": {**lasting, "frequency": times.count, "period": times.period, "periodUnit": times.unit.value}}


def _new_value(
    quantity: Mapping[str, Any], arithmetic: DoseArithmetic, parts: tuple[float, ...], *, whole: bool
) -> float | int | None:
    old, units = quantity.get("value"), (quantity.get("unit"), quantity.get("code"))
    each = arithmetic.each
    if each is None or not isinstance(old, int | float):
        return None
    drafted, given = each
    if arithmetic.unit in units and not isclose(old, drafted, rel_tol=1e-6):
        return None
    value = round(old * given / drafted, 6)
    of_the_drug = arithmetic.unit.split("/")[0] in units
    if value <= 0 or not (_is_a_dose(value, old, parts) if of_the_drug else _is_counted(value, whole=whole)):
        return None
    return int(value) if value.is_integer() else value


def _is_a_dose(value: float, old: float, parts: tuple[float, ...]) -> bool:
    """Whether a product may give this amount: a multiple of what one gives; where that is not known, half or a
    multiple of the drafted dose, or a figure as doses are (5, 7.5, 17.5, 150; not 16.67 or 99)."""
    if parts:
        return any(round(value / part, 6).is_integer() for part in parts)
    step = 10 ** floor(log10(value)) / 4
    is_half = isclose(2 * value, old, rel_tol=1e-6)
    return is_half or any(isclose(part, round(part), abs_tol=1e-6) for part in (value / old, value / step))


def _is_counted(value: float, *, whole: bool) -> bool:
    """Whether so many pieces can be taken: whole ones, and halves of tablets."""
    return (value if whole else value * 2).is_integer()


def _only(parts: Any) -> Mapping[str, Any]:
    """The one member of a list of one; nothing otherwise."""
    return _mapping(parts[0]) if isinstance(parts, list) and len(parts) == 1 else {}


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _tidied(held: Mapping[str, Any], lists: frozenset[str] = _LISTS_ANYWHERE) -> dict[str, Any]:
    """A copy without null, empty or blank values at any depth. A single object where FHIR has a list becomes a list
    of one; `lists` are those of this level alone.
    """
    tidy: dict[str, Any] = {}
    for name, part in held.items():
        kept = _tidied_part(part)
        if kept or kept == 0:
            tidy[name] = [kept] if name in lists and isinstance(kept, dict) else kept
    return tidy


def _tidied_part(part: Any) -> Any:
    if isinstance(part, str):
        return "" if part.isspace() else part
    if isinstance(part, dict):
        return _tidied(part)
    if isinstance(part, list):
        return [kept for one in part if (kept := _tidied_part(one)) or kept == 0]
    return part
