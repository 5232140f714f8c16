"""Ways to say the same of a patient otherwise: each changes a request in place, and says whether it did.

`CONDITIONS`, `REQUESTS` and so on map a name to such a way. Those of medicines and results have modules of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from functools import partial
from typing import Any

from cds_service.codes import LOINC, SNOMED

Json = dict[str, Any]
Rewrite = Callable[[Json], bool]

LOCAL: Json = {"system": "urn:oid:1.2.3.4", "code": "4711"}
UNKNOWN: Json = {"system": SNOMED, "code": "999999999"}
INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"


def bundles(body: Json) -> Iterator[Json]:
    """The Bundles of a request, those of its context included."""
    held = [*body.get("prefetch", {}).values(), *body["context"].values()]
    yield from (value for value in held if isinstance(value, dict) and value.get("entry"))


def of(kind: str, rewrite: Rewrite) -> Rewrite:
    """Rewrites every resource of the kind."""

    def all_of_kind(body: Json) -> bool:
        found = [entry["resource"] for bundle in bundles(body) for entry in bundle["entry"]]
        return bool(sum(rewrite(resource) for resource in found if resource["resourceType"] == kind))

    return all_of_kind


def putting(**fields: Any) -> Rewrite:
    def put(resource: Json) -> bool:
        resource.update(deepcopy(fields))
        return True

    return put


def called(concept: Json) -> str:
    """What the concept is called in one word, where it has a single name."""
    displays = [coding["display"] for coding in concept.get("coding", ()) if coding.get("display")]
    return str(concept.get("text") or next(iter(displays), ""))


def _foreign_ahead(concept: Json) -> bool:
    concept["coding"] = [LOCAL, UNKNOWN, *concept.get("coding", ())]
    return True


def _without_words(concept: Json) -> bool:
    if not concept.get("coding"):
        return False
    concept.pop("text", None)
    for coding in concept["coding"]:
        coding.pop("display", None)
    return True


def _spaced(concept: Json) -> bool:
    for coding in concept.get("coding", ()):
        coding.update({name: f" {said}\u00a0" for name, said in coding.items()})
    if "text" in concept:
        concept["text"] = f"\u00a0{concept['text'].replace(' ', chr(0xA0))} "
    return True


def _in_capitals(concept: Json) -> bool:
    return _renamed(concept, str.upper)


def _only_text(concept: Json) -> bool:
    return _renamed(concept, str)


def _only_display(concept: Json) -> bool:
    name = called(concept)
    concept.clear()
    concept["coding"] = [{"display": name}]
    return bool(name)


def _renamed(concept: Json, rename: Callable[[str], str]) -> bool:
    name = called(concept)
    concept.clear()
    concept["text"] = rename(name)
    return bool(name)


def at(name: str, rewrite: Rewrite) -> Rewrite:
    """Rewrites the concept of that name."""
    return lambda resource: name in resource and rewrite(resource[name])


CONCEPTS: dict[str, Rewrite] = {
    "foreign codings ahead": _foreign_ahead,
    "codes alone": _without_words,
    "spaces of all kinds": _spaced,
}
WORDS: dict[str, Rewrite] = {"capitals": _in_capitals, "text alone": _only_text, "display alone": _only_display}
_UNSURE = ("confirmed", "provisional", "unconfirmed")
CONDITIONS: Mapping[str, Rewrite] = {
    name: of("Condition", rewrite)
    for name, rewrite in {
        "display alone": at("code", _only_display),
        "capitals": at("code", lambda concept: not concept.get("coding") and _in_capitals(concept)),
        "foreign codings ahead": at("code", _foreign_ahead),
        "spaces of all kinds": at("code", _spaced),
        **{status: putting(verificationStatus={"coding": [{"code": status}]}) for status in _UNSURE},
    }.items()
}
RULED_OUT: Mapping[str, Rewrite] = {
    name: of("Condition", putting(verificationStatus=status))
    for name, status in {
        "refuted": {"coding": [{"code": "refuted"}]},
        "entered in error": {"coding": [{"code": "entered-in-error"}]},
        "in words": {"text": "Refuted"},
        "bare": "refuted",
    }.items()
}
WITHDRAWN: Mapping[str, Rewrite] = {
    status: of("Observation", putting(status=status)) for status in ("entered-in-error", "cancelled")
}


def emptied(kind: str, body: Json) -> bool:
    """Takes all resources of the kind out of the prefetch."""
    bundles = [value for value in body.get("prefetch", {}).values() if value and value["resourceType"] == "Bundle"]
    taken = 0
    for bundle in bundles:
        entries = bundle.get("entry", [])
        bundle["entry"] = [entry for entry in entries if entry["resource"]["resourceType"] != kind]
        taken += len(entries) - len(bundle["entry"])
        bundle.pop("total", None)
    return taken > 0


def _selected(body: Json) -> bool:
    """The orders that are signed are all selected instead."""
    drafts = body["context"].get("draftOrders")
    if body["hook"] != "order-sign" or not drafts:
        return False
    body["hook"] = "order-select"
    held = [entry["resource"] for entry in drafts["entry"]]
    body["context"]["selections"] = [f"{resource['resourceType']}/{resource['id']}" for resource in held]
    return True


def _prefetched(change: Callable[[Json], Json | None], body: Json) -> bool:
    prefetch = body.get("prefetch", {})
    held = {key: value for key, value in prefetch.items() if isinstance(value, dict)}
    prefetch.update({key: change(value) for key, value in held.items()})
    return bool(held)


def _as_bundles(value: Json) -> Json:
    """A Bundle of Bundles, one for each entry."""
    entries = value["entry"] if value.get("entry") else [{"resource": value}]
    held = [{"resourceType": "Bundle", "type": "searchset", "entry": [entry]} for entry in entries]
    is_empty = value["resourceType"] == "Bundle" and not value.get("entry")
    return value if is_empty else {"resourceType": "Bundle", "entry": [{"resource": one} for one in held]}


def _as_single(value: Json) -> Json | None:
    """The resource itself where it is the only one, and null where there is none."""
    if value["resourceType"] != "Bundle":
        return value
    entries = value.get("entry", [])
    alone: Json = entries[0]["resource"] if len(entries) == 1 else value
    return alone if entries else None


def _with_normal_results(body: Json) -> bool:
    results = body.get("prefetch", {}).get("results")
    if not isinstance(results, dict):
        return False
    results.pop("total", None)
    glucose = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": "2345-7", "display": "Glucose"}]},
        "subject": {"reference": f"Patient/{body['context']['patientId']}"},
        "valueQuantity": {"value": 90, "unit": "mg/dL", "code": "mg/dL"},
    }
    results["entry"] = [*results.get("entry", ()), *({"resource": {**glucose, "id": f"n{n}"}} for n in range(400))]
    return True


REQUESTS: Mapping[str, Rewrite] = {
    "selected": _selected,
    "Bundles in a Bundle": partial(_prefetched, _as_bundles),
    "single resources": partial(_prefetched, _as_single),
    "many normal results": _with_normal_results,
}
