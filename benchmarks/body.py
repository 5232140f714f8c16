"""The body of a call that all handlers get: an order-sign of about 15 kB, and larger, smaller and other ones.

    python -m benchmarks.body        writes benchmarks/order-sign.json anew

Two draft orders, eight medicines, five genotypes, laboratory values and conditions, as an EHR would send them. The
dates are fixed, so that the file is the same on every day.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from copy import deepcopy
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

FILE = Path(__file__).with_name("order-sign.json")
PATIENT, INSTANCE = b"case-patient", b"000000000000"
"""What is another in each call: the patient's id, and the end of the hookInstance. post.lua knows them too."""

Json = dict[str, Any]

_TODAY = date(2026, 11, 25)
_CASE: Mapping[str, Any] = {
    "id": "benchmark",
    "orders": [
        {"drug": "clopidogrel", "dose": "75 mg", "per_day": 1, "route": "oral", "reason": "acute coronary syndrome"},
        {"drug": "simvastatin", "dose": "40 mg", "per_day": 1, "route": "oral", "reason": "hypercholesterolaemia"},
    ],
    "patient": {
        "sex": "female",
        "age": 68,
        "weight": 71,
        "medications": [
            {"drug": drug, "dose": dose, "per_day": per_day, "route": "oral", "days": days}
            for drug, dose, per_day, days in (
                ("aspirin", "75 mg", 1, 900),
                ("bisoprolol", "5 mg", 1, 400),
                ("ramipril", "5 mg", 1, 400),
                ("metformin", "500 mg", 2, 1200),
                ("amlodipine", "5 mg", 1, 200),
                ("omeprazole", "20 mg", 1, 90),
                ("sertraline", "50 mg", 1, 60),
                ("allopurinol", "300 mg", 1, 700),
            )
        ],
        "genotypes": {
            "CYP2C19": "*1/*2",
            "CYP2D6": "*1/*4",
            "SLCO1B1": "*1/*5",
            "CYP2C9": "*1/*1",
            "DPYD": "Reference/Reference",
        },
        "labs": {
            "potassium": {"value": 4.2, "unit": "mmol/L", "days": 2},
            "creatinine": {"value": 84, "unit": "umol/L", "days": 2},
        },
        "conditions": ["acute coronary syndrome", "type 2 diabetes", "hypertension", "gout", "hypercholesterolaemia"],
    },
}


@cache
def content() -> bytes:
    """The committed body, as sent."""
    return FILE.read_bytes()


def order_sign() -> Json:
    """The committed body."""
    body: Json = json.loads(content())
    return body


def another(body: bytes, number: int) -> bytes:
    """The body for another patient of the same history, under another hookInstance; as long as it was."""
    mark = b"%012x" % (number % 16**12)
    return body.replace(PATIENT, mark).replace(INSTANCE, mark, 1)


def stranger(number: int) -> bytes:
    """The committed body for a patient whose days, values and ids are none of another's: what the service remembers
    of earlier calls is of little use.
    """
    body, drawn = order_sign(), Random(number)
    for bundle in body["prefetch"].values():
        for entry in bundle.get("entry", ()):
            _vary(entry["resource"], number, drawn)
    return another(json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode(), number)


_DAYS = ("effectiveDateTime", "authoredOn", "recordedDate")


def _vary(resource: Json, number: int, drawn: Random) -> None:
    resource["id"] = f"{resource['id']}-{number:x}"
    resource["meta"]["lastUpdated"] = f"{_TODAY}T08:{drawn.randrange(60):02}:{drawn.randrange(60):02}.000Z"
    for key in _DAYS:
        if key in resource:
            resource[key] = str(date.fromisoformat(resource[key]) - timedelta(days=drawn.randrange(20)))
    if "valueQuantity" in resource:
        quantity = resource["valueQuantity"]
        quantity["value"] = round(quantity["value"] * drawn.uniform(0.9, 1.1), 2)


def with_entries(count: int) -> Json:
    """The body with `count` prefetch entries: fewer of what it has, or more laboratory values of other days."""
    body = order_sign()
    bundles = [value for value in body["prefetch"].values() if value.get("resourceType") == "Bundle"]
    entries = [entry for bundle in bundles for entry in bundle.get("entry", [])]
    for bundle in bundles:
        bundle.pop("entry", None)
    kept = _evenly(entries, count)
    measured = [entry for entry in entries if "valueQuantity" in entry["resource"]]
    more = [_again(measured[n % len(measured)], n) for n in range(count - len(kept))]
    return _with(body, [*kept, *more])


def with_orders(count: int) -> Json:
    """The body with `count` draft orders: its own two in turn, under other ids."""
    body = order_sign()
    drafts = body["context"]["draftOrders"]
    drafts["entry"] = [_again(drafts["entry"][n % len(drafts["entry"])], n) for n in range(count)]
    return body


def _evenly(entries: list[Json], count: int) -> list[Json]:
    """`count` of the entries from all over the list, in their order; all of them where there are fewer."""
    if count >= len(entries):
        return entries
    return [entries[n * len(entries) // count] for n in range(count)]


def _again(entry: Json, number: int) -> Json:
    copy = deepcopy(entry)
    resource = copy["resource"]
    resource["id"] = f"{resource['id']}-{number}"
    if "effectiveDateTime" in resource:
        on = date.fromisoformat(resource["effectiveDateTime"][:10])
        resource["effectiveDateTime"] = date.fromordinal(on.toordinal() - number).isoformat()
    return copy


_PLACES = {"MedicationRequest": "medications", "Observation": "results", "Condition": "conditions"}


def _with(body: Json, entries: Iterable[Json]) -> Json:
    for entry in entries:
        bundle = body["prefetch"][_PLACES[entry["resource"]["resourceType"]]]
        bundle.setdefault("entry", []).append(entry)
    return body


def generated() -> bytes:
    """What the committed file holds, made anew. Needs the tests' packages."""
    from tests.support.build import hook_request  # noqa: PLC0415  measuring does without them
    from tests.support.world import drug_codes  # noqa: PLC0415

    body = hook_request(_CASE, drug_codes(), _TODAY) | {
        "hookInstance": f"00000000-0000-4000-8000-{INSTANCE.decode()}"
    }
    for bundle in (body["context"]["draftOrders"], *body["prefetch"].values()):
        for entry in bundle.get("entry", ()):
            _as_sent(entry)
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()


def _as_sent(entry: Json) -> None:
    """What EHRs send beside the content: addresses, versions and a few references."""
    resource = entry["resource"]
    entry["fullUrl"] = f"https://ehr.example.org/fhir/r4/{resource['resourceType']}/{resource['id']}"
    resource["meta"] = {"versionId": "1", "lastUpdated": f"{_TODAY}T08:30:00.000Z"}
    if resource["resourceType"] == "MedicationRequest":
        resource["encounter"] = {"reference": "Encounter/enc-20417"}
        resource["requester"] = {"reference": "Practitioner/case-clinician", "display": "Testclinician, Kim"}


if __name__ == "__main__":
    FILE.write_bytes(generated())
