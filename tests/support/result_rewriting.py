"""Ways to say the same of a laboratory's result, a finding or a genotype otherwise."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache, partial

from cds_service.codes import LOINC, SNOMED
from cds_service.knowledge.schema import Observable
from cds_service.reading.shapes import fold
from tests.support.rewriting import CONCEPTS, INTERPRETATION, Json, Rewrite, at, of, putting
from tests.support.world import knowledge

_GENE_STUDIED, _GENOTYPE, _POSITIVE, _NEGATIVE = "48018-6", "84413-4", "LA6576-8", "LA6577-6"
_VARIANTS = frozenset({"69548-6"})
_NO_UNIT = "1"
_VALUES = ("valueQuantity", "valueCodeableConcept", "valueString")


def _without_system(concept: Json) -> bool:
    return bool(sum(coding.pop("system", None) is not None for coding in concept.get("coding", ())))


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
    if _is_interpreted(resource):
        return False
    quantity = resource.pop("valueQuantity", None)
    if quantity is not None:
        written = f"{quantity.get('comparator', '')}{quantity['value']}".replace(".", point)
        unit = quantity.get("unit") or quantity["code"]
        resource["valueString"] = form.format(written, unit if unit != _NO_UNIT else "")
    return quantity is not None


def _is_interpreted(resource: Json) -> bool:
    """Whether the laboratory's own interpretation, and not the value, makes the call."""
    return "interpretation" in resource


def _called_high(resource: Json) -> bool:
    if _is_interpreted(resource):
        return False
    resource["interpretation"] = [{"coding": [{"system": INTERPRETATION, "code": "H"}]}]
    return True


def _in_a_component(resource: Json) -> bool:
    if _is_interpreted(resource):
        return False
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
            "high": _called_high,
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


def _found(said: Callable[[bool], Json], resource: Json) -> bool:
    """Where most variants are harmless, a test that is positive says more than that something was found."""
    code = resource["code"]
    named = {fold(code.get("text", "")), *(coding.get("code", "") for coding in code.get("coding", ()))}
    return named.isdisjoint(_names_of_judged()) and _finding(said, resource)


@cache
def _names_of_judged() -> frozenset[str]:
    """Names and codes of the tests of such genes."""
    judged = [o for o in knowledge().observables.values() if o.needs_significance]
    codes = (code.code for o in judged for code in o.codes)
    of_tests = (c.code for t in knowledge().tests.values() if {o.id for o in judged} & {*t.markers} for c in t.codes)
    return frozenset((*(fold(name) for o in judged for name in o.names), *codes, *of_tests))


def _coded(system: str, positive: str, negative: str) -> Callable[[bool], Json]:
    return lambda found: _concept("", system, positive if found else negative)


FINDINGS: Mapping[str, Rewrite] = {
    name: of("Observation", partial(way, said))
    for name, (way, said) in {
        "LOINC": (_found, _coded(LOINC, "LA9633-4", "LA9634-2")),
        "SNOMED": (_finding, _coded(SNOMED, "10828004", "260385009")),
        "SNOMED detected": (_found, _coded(SNOMED, "260373001", "260415000")),
        "interpretation as value": (_finding, _coded(INTERPRETATION, "POS", "NEG")),
        "text": (_finding, lambda found: {"valueString": "POSITIVE" if found else "NEGATIVE"}),
        "abbreviation": (_finding, lambda found: {"valueString": "Pos" if found else "Neg"}),
        "detected": (
            _found,
            lambda found: {"valueCodeableConcept": {"text": "Detected" if found else "Not detected"}},
        ),
        "boolean": (_found, lambda found: {"valueBoolean": found}),
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
