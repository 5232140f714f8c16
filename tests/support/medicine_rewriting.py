"""Ways to say the same of a medicine and of its dose otherwise."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

import cds_service.knowledge
from cds_service.codes import ATC, RXNORM
from tests.support.rewriting import CONCEPTS, WORDS, Json, Rewrite, at, bundles, called, of
from tests.support.world import drug_codes, knowledge

DATA = Path(cds_service.knowledge.__file__).parent / "data"


def _moved(resource: Json, reference: str, **apart: Any) -> Json:
    medication = {"resourceType": "Medication", "code": resource.pop("medicationCodeableConcept"), **apart}
    resource["medicationReference"] = {"reference": reference}
    return medication


def _contained(resource: Json) -> bool:
    resource["contained"] = [_moved(resource, "#m", id="m")]
    return True


def _apart(body: Json, reference: str, address: str = "") -> bool:
    """The drugs stand in Medications of the same Bundle."""
    for bundle in bundles(body):
        bundle.pop("total", None)
        for n, entry in enumerate(list(bundle["entry"])):
            if "medicationCodeableConcept" in (resource := entry["resource"]):
                name = f"{n}-of-{resource['id']}"
                made = _moved(resource, reference.format(name), id=name)
                bundle["entry"].append({"resource": made, **({"fullUrl": address.format(name)} if address else {})})
    return True


def _named_by_display(resource: Json) -> bool:
    display = called(resource.pop("medicationCodeableConcept"))
    resource["medicationReference"] = {"reference": "Medication/elsewhere", "display": display}
    return bool(display)


def _drug(resource: Json) -> str:
    codes = {code: name for name, code in drug_codes().items() if name in knowledge().drugs}
    held = (codes.get(c.get("code", "")) for c in resource["medicationCodeableConcept"].get("coding", ()))
    return next((name for name in held if name), "")


def _rows(name: str) -> Iterator[list[str]]:
    """The lines of a packaged table that are of one drug."""
    content = (DATA / name).read_bytes()
    lines = (gzip.decompress(content) if name.endswith(".gz") else content).decode().splitlines()[1:]
    yield from (cells for line in lines if "|" not in (cells := line.split("\t"))[1] + cells[2])


@cache
def _brands() -> Mapping[str, str]:
    return {drug: brand for brand, drug, *_ in _rows("brands.tsv")}


@cache
def _products(kind: str) -> Mapping[str, str]:
    held = _rows("products.tsv.gz")
    return {drug: code for code, its_kind, drug, route, *_ in held if its_kind == kind and route in ("", "oral")}


def _by_brand(resource: Json) -> bool:
    brand = _brands().get(_drug(resource), "")
    resource["medicationCodeableConcept"] = {"text": brand} if brand else resource["medicationCodeableConcept"]
    return bool(brand)


def _by_class(resource: Json) -> bool:
    drug = knowledge().drugs.get(_drug(resource))
    classes = drug.atc if drug is not None else ()
    if classes:
        resource["medicationCodeableConcept"] = {"coding": [{"system": ATC, "code": classes[0]}]}
    return bool(classes)


def _by_product(kind: str, resource: Json) -> bool:
    product = _products(kind).get(_drug(resource), "")
    if not product or any("route" in step for step in resource.get("dosageInstruction", ())):
        return False
    resource["medicationCodeableConcept"] = {"coding": [{"system": RXNORM, "code": product}]}
    return True


_CONCEPT = "medicationCodeableConcept"


def _where_named(rewrite: Rewrite, resource: Json) -> bool:
    return _CONCEPT in resource and rewrite(resource)


_SINGLE = {name: at(_CONCEPT, rewrite) for name, rewrite in (CONCEPTS | WORDS).items()} | {
    "contained": _contained,
    "display of a reference": _named_by_display,
    "brand": _by_brand,
    "class": _by_class,
    **{f"product {kind}": partial(_by_product, kind) for kind in ("SCD", "SBD")},
}
_SERVER = "https://ehr.example/Medication/{}"
MEDICINES: Mapping[str, Rewrite] = {
    **{name: of("MedicationRequest", partial(_where_named, rewrite)) for name, rewrite in _SINGLE.items()},
    "Medication by its id": partial(_apart, reference="Medication/{}"),
    "Medication by urn": partial(_apart, reference="urn:uuid:{}", address="urn:uuid:{}"),
    "Medication by address": partial(_apart, reference=_SERVER, address=_SERVER),
}


def _doses(resource: Json, change: Callable[[Json], bool]) -> bool:
    return bool(sum(change(step) for step in resource.get("dosageInstruction", ())))


def _quantity(step: Json) -> Json:
    held = step.get("doseAndRate") or [{}]
    found: Json = held[0].get("doseQuantity", {})
    return found


def _daily(step: Json) -> int:
    """How often a day, where that is all that the timing says; else 0."""
    repeat = step.get("timing", {}).get("repeat", {})
    is_plain = repeat == {"frequency": repeat.get("frequency"), "period": 1, "periodUnit": "d"}
    return int(repeat["frequency"]) if is_plain else 0


def _scaled(factor: float, unit: str, step: Json) -> bool:
    quantity = _quantity(step)
    is_mg = quantity.get("code") == "mg"
    if is_mg:
        quantity.update(value=quantity["value"] * factor, unit=unit, code=unit)
    return is_mg


def _as_range(step: Json) -> bool:
    quantity = _quantity(step)
    if quantity:
        step["doseAndRate"] = [{"doseRange": {"low": dict(quantity), "high": dict(quantity)}}]
    return bool(quantity)


def _in_words(step: Json) -> bool:
    quantity, times = _quantity(step), _daily(step)
    if not (quantity and times) or "route" in step:
        return False
    often = {1: "once", 2: "twice"}.get(times, f"{times} times")
    step.clear()
    step["text"] = f"{quantity['value']:g} {quantity['unit']} {often} a day"
    return True


def _timed(timing: Callable[[int], Json | None], step: Json) -> bool:
    made = timing(_daily(step))
    if made is not None:
        step["timing"] = made
    return made is not None


def _by_hours(times: int) -> Json | None:
    is_even = times > 0 and 24 % times == 0
    return {"repeat": {"frequency": 1, "period": 24 // times, "periodUnit": "h"}} if is_even else None


def _by_code(times: int) -> Json | None:
    code = {1: "QD", 2: "BID", 3: "TID", 4: "QID"}.get(times)
    return {"code": {"coding": [{"code": code}]}} if code else None


def _by_times_of_day(times: int) -> Json | None:
    hours = ["08:00:00", "14:00:00", "20:00:00"]
    return {"repeat": {"timeOfDay": hours[:times]}} if 1 <= times <= len(hours) else None


DOSES: Mapping[str, Rewrite] = {
    name: of("MedicationRequest", partial(_doses, change=change))
    for name, change in {
        "grams": partial(_scaled, 0.001, "g"),
        "micrograms": partial(_scaled, 1000, "ug"),
        "range": _as_range,
        "words": _in_words,
        "hours": partial(_timed, _by_hours),
        "code": partial(_timed, _by_code),
        "times of day": partial(_timed, _by_times_of_day),
    }.items()
}
