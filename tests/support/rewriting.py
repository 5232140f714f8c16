"""Ways to say the same of a patient otherwise: each changes a request in place, and says whether it did.

`RESULTS`, `GENOTYPES` and so on map a name to such a way.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from functools import cache, partial
from pathlib import Path
from typing import Any

import cds_service.knowledge
from cds_service.codes import ATC, LOINC, RXNORM, SNOMED
from cds_service.knowledge.schema import Observable
from tests.support.world import drug_codes, knowledge

Json = dict[str, Any]
Rewrite = Callable[[Json], bool]

DATA = Path(cds_service.knowledge.__file__).parent / "data"
LOCAL: Json = {"system": "urn:oid:1.2.3.4", "code": "4711"}
UNKNOWN: Json = {"system": SNOMED, "code": "999999999"}
INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
_GENE_STUDIED, _GENOTYPE, _POSITIVE, _NEGATIVE = "48018-6", "84413-4", "LA6576-8", "LA6577-6"
_VARIANTS = frozenset({"69548-6"})
_NO_UNIT = "1"
_VALUES = ("valueQuantity", "valueCodeableConcept", "valueString")


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


def _text(concept: Json) -> str:
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
    name = _text(concept)
    concept.clear()
    concept["coding"] = [{"display": name}]
    return bool(name)


def _renamed(concept: Json, rename: Callable[[str], str]) -> bool:
    name = _text(concept)
    concept.clear()
    concept["text"] = rename(name)
    return bool(name)


def _without_system(concept: Json) -> bool:
    return bool(sum(coding.pop("system", None) is not None for coding in concept.get("coding", ())))


def at(name: str, rewrite: Rewrite) -> Rewrite:
    """Rewrites the concept of that name."""
    return lambda resource: name in resource and rewrite(resource[name])


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
    display = _text(resource.pop("medicationCodeableConcept"))
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


CONCEPTS: dict[str, Rewrite] = {
    "foreign codings ahead": _foreign_ahead,
    "codes alone": _without_words,
    "spaces of all kinds": _spaced,
}
WORDS: dict[str, Rewrite] = {"capitals": _in_capitals, "text alone": _only_text, "display alone": _only_display}
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


@cache
def _observables() -> Mapping[str, Observable]:
    return {name: o for o in knowledge().observables.values() for name in (*(c.code for c in o.codes), *o.names)}


def _measured(resource: Json, change: Callable[[Json], bool]) -> bool:
    return "valueQuantity" in resource and change(resource["valueQuantity"])


def _unit_alone(rewrite: Callable[[str], str], quantity: Json) -> bool:
    quantity["unit"] = rewrite(quantity.get("unit") or quantity["code"])
    return bool(sum(quantity.pop(name, None) is not None for name in ("code", "system")))


def _code_of_unit_alone(quantity: Json) -> bool:
    return "code" in quantity and quantity.pop("unit", None) is not None


def _final_as(status: str, resource: Json) -> bool:
    return resource.get("status") == "final" and putting(status=status)(resource)


def _converted(nth: int, resource: Json) -> bool:
    names = [*(c["code"] for c in resource["code"].get("coding", ())), resource["code"].get("text", "")]
    observable = next((_observables()[name] for name in names if name in _observables()), None)
    quantity = resource.get("valueQuantity", {})
    if observable is None or quantity.get("code") != observable.unit or len(observable.conversions) <= nth:
        return False
    other = observable.conversions[nth]
    value = float(f"{(quantity['value'] - other.offset) / other.factor:.12g}")
    quantity.update(value=value, unit=other.unit, code=other.unit)
    return True


def _as_text(form: str, point: str, resource: Json) -> bool:
    quantity = resource.pop("valueQuantity", None)
    if quantity is not None:
        written = f"{quantity.get('comparator', '')}{quantity['value']}".replace(".", point)
        unit = quantity.get("unit") or quantity["code"]
        resource["valueString"] = form.format(written, unit if unit != _NO_UNIT else "")
    return quantity is not None


def _in_a_component(resource: Json) -> bool:
    if any(coding.get("code") in _VARIANTS for coding in resource["code"].get("coding", ())):
        return False  # its own components say of what it is
    value = {name: resource.pop(name) for name in _VALUES if name in resource}
    if not value or not resource["code"].get("coding"):
        resource.update(value)
        return False
    inner = resource.get("component", [])
    resource["component"] = [*inner, {"code": resource["code"], **value}]
    resource["code"] = {"text": "Panel"}
    return True


def _dated(form: Callable[[str], Json], resource: Json) -> bool:
    day = resource.pop("effectiveDateTime", "")
    resource.update(form(day) if len(day) == 10 else {"effectiveDateTime": day} if day else {})
    return len(day) == 10


def _panelled(body: Json, kind: str, name: str, code: Json) -> bool:
    """A panel or report that names every result."""
    keys = [body.get("prefetch", {}).get(key) or {} for key in ("results", "tumour_results")]
    found = [entry["resource"] for bundle in keys for entry in bundle.get("entry", ())]
    held = [resource for resource in found if resource["resourceType"] == "Observation"]
    if not held:
        return False
    results = keys[0]
    named = [{"reference": f"Observation/{resource['id']}"} for resource in held]
    panel = {"resourceType": kind, "id": "whole", "status": "final", "code": code, name: named}
    results.setdefault("entry", []).append({"resource": panel | {"subject": held[0]["subject"]}})
    results.pop("total", None)
    return True


RESULTS: Mapping[str, Rewrite] = {
    **{
        name: of("Observation", rewrite)
        for name, rewrite in {
            **{f"code: {name}": at("code", rewrite) for name, rewrite in CONCEPTS.items() if name != "codes alone"},
            "code: without its system": at("code", _without_system),
            "unit in capitals": partial(_measured, change=partial(_unit_alone, str.upper)),
            "unit in small letters": partial(_measured, change=partial(_unit_alone, str.lower)),
            "unit among spaces": partial(_measured, change=partial(_unit_alone, lambda u: f" {u}\u00a0")),
            "code of the unit alone": partial(_measured, change=_code_of_unit_alone),
            **{f"unit {n}": partial(_converted, n) for n in range(3)},
            "text": partial(_as_text, "{} {}", "."),
            "text with a comma": partial(_as_text, "\u00a0{}\u00a0{} ", ","),
            "component": _in_a_component,
            **{status: partial(_final_as, status) for status in ("amended", "corrected", "appended")},
            "high": putting(interpretation=[{"coding": [{"system": INTERPRETATION, "code": "H"}]}]),
            "period": partial(_dated, lambda day: {"effectivePeriod": {"start": day, "end": day}}),
            "instant": partial(_dated, lambda day: {"effectiveInstant": f"{day}T12:00:00Z"}),
            "events": partial(_dated, lambda day: {"effectiveTiming": {"event": [day]}}),
            "issue": partial(_dated, lambda day: {"issued": f"{day}T12:00:00Z"}),
            "far east": partial(_dated, lambda day: {"effectiveDateTime": f"{day}T00:30:00+13:00"}),
            "far west": partial(_dated, lambda day: {"effectiveDateTime": f"{day}T23:30:00-11:00"}),
        }.items()
    },
    "panel": partial(_panelled, kind="Observation", name="hasMember", code={"text": "Panel"}),
    "report": partial(_panelled, kind="DiagnosticReport", name="result", code={"text": "Laboratory report"}),
}


def _finding(said: Callable[[bool], Json], resource: Json) -> bool:
    codes = {coding.get("code") for coding in resource.get("valueCodeableConcept", {}).get("coding", ())}
    if codes.isdisjoint({_POSITIVE, _NEGATIVE}):
        return False
    del resource["valueCodeableConcept"]
    resource.update(said(_POSITIVE in codes))
    return True


def _coded(system: str, positive: str, negative: str) -> Callable[[bool], Json]:
    return lambda found: _concept("", system, positive if found else negative)


FINDINGS: Mapping[str, Rewrite] = {
    name: of("Observation", partial(_finding, said))
    for name, said in {
        "LOINC": _coded(LOINC, "LA9633-4", "LA9634-2"),
        "SNOMED": _coded(SNOMED, "10828004", "260385009"),
        "SNOMED detected": _coded(SNOMED, "260373001", "260415000"),
        "interpretation as value": _coded(INTERPRETATION, "POS", "NEG"),
        "text": lambda found: {"valueString": "POSITIVE" if found else "NEGATIVE"},
        "abbreviation": lambda found: {"valueString": "Pos" if found else "Neg"},
        "detected": lambda found: {"valueCodeableConcept": {"text": "Detected" if found else "Not detected"}},
        "boolean": lambda found: {"valueBoolean": found},
    }.items()
}


def _gene_in(resource: Json) -> tuple[Json, str] | None:
    """The component that names the gene, and its symbol."""
    for component in resource.get("component", ()):
        if any(coding.get("code") == _GENE_STUDIED for coding in component["code"].get("coding", ())):
            symbol = component.get("valueCodeableConcept", {}).get("text", "")
            return (component, symbol) if symbol in knowledge().genes else None
    return None


def _gene(said: Callable[[str, str], Json], resource: Json) -> bool:
    found = _gene_in(resource)
    if found is not None:
        del found[0]["valueCodeableConcept"]
        found[0].update(said(found[1], re.sub(r"\D", "", knowledge().genes[found[1]].hgnc)))
    return found is not None


def _gene_by_code(resource: Json) -> bool:
    """A code of the gene's own in place of that of any genotype."""
    found = _gene_in(resource)
    is_genotype = any(coding.get("code") == _GENOTYPE for coding in resource["code"].get("coding", ()))
    codes = knowledge().genes[found[1]].codes if found else ()
    own = [c.code for c in codes if c.role == "genotype" and not c.ambiguous]
    if found is None or not is_genotype or not own:
        return False
    resource["component"].remove(found[0])
    resource["code"] = {"coding": [{"system": LOINC, "code": own[0]}]}
    return True


def _value(rewrite: Callable[[str, str], str], resource: Json) -> bool:
    found, value = _gene_in(resource), resource.get("valueCodeableConcept", {})
    if found is None or value.get("coding") or not value.get("text"):
        return False
    written = rewrite(value["text"], found[1])
    changed = written != value["text"]
    value["text"] = written
    return changed


def _with_symbol(text: str, symbol: str) -> str:
    return text if text.startswith(symbol) else f"{symbol} {text}"


def _swapped(text: str, symbol: str) -> str:
    one, slash, other = text.partition("/")
    return f"{other}/{one}" if slash and "/" not in other and " " not in text else text


def _abbreviated(text: str, symbol: str) -> str:
    terms = {"ultrarapid": "UM", "poor": "PM", "intermediate": "IM", "normal": "NM"}
    words = text.removeprefix(symbol).lower().split()
    return f"{symbol} {terms[words[0]]}" if len(words) == 2 and words[0] in terms else text


def _concept(name: str, system: str = "", code: str = "") -> Json:
    coding = {"system": system, "code": code} if system else {}
    return {"valueCodeableConcept": {"text": name} if not coding else {"coding": [coding]}}


GENOTYPES: Mapping[str, Rewrite] = {
    name: of("Observation", rewrite)
    for name, rewrite in {
        "HGNC": partial(_gene, lambda s, n: _concept("", "http://www.genenames.org/geneId", f"HGNC:{n}")),
        "HGNC without prefix": partial(_gene, lambda s, n: _concept("", "http://www.genenames.org", n)),
        "symbol as code": partial(_gene, lambda s, n: _concept("", "http://www.genenames.org", s)),
        "symbol in small letters": partial(_gene, lambda s, n: _concept(s.lower())),
        "symbol as string": partial(_gene, lambda s, n: {"valueString": f"\u00a0{s} gene "}),
        "code of the gene": _gene_by_code,
        "other order": partial(_value, _swapped),
        "symbol before the value": partial(_value, _with_symbol),
        "bar": partial(_value, lambda text, s: text.replace("/*", "|*")),
        "spaces": partial(_value, lambda text, s: text.replace("/", " / ").replace(" ", "\u00a0")),
        "small letters": partial(_value, lambda text, s: text.lower() if "etaboli" in text else text),
        "other spelling": partial(_value, lambda text, s: text.replace("etabolizer", "etaboliser")),
        "abbreviation": partial(_value, _abbreviated),
    }.items()
}


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
