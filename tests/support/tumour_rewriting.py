"""Ways to say the same of a tumour otherwise: a variant or a marker in words, in a report, in another notation. Each
changes a request in place, and says whether it did."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from functools import partial
from typing import NamedTuple

from cds_service.codes import LOINC
from cds_service.knowledge.schema import CodeRole, Observable
from tests.support.rewriting import INTERPRETATION, Json, Rewrite, bundles, of
from tests.support.world import knowledge

_VARIANT, _GENE, _CHANGE, _FOUND, _MISSED = "69548-6", "48018-6", "48005-3", "LA9633-4", "LA9634-2"
_LETTERS = {
    "Ala": "A", "Arg": "R", "Asn": "N", "Asp": "D", "Cys": "C", "Gln": "Q", "Glu": "E", "Gly": "G", "His": "H",
    "Ile": "I", "Leu": "L", "Lys": "K", "Met": "M", "Phe": "F", "Pro": "P", "Ser": "S", "Thr": "T", "Trp": "W",
    "Tyr": "Y", "Val": "V", "Ter": "*",
}  # fmt: skip
_ACIDS = {letter: acid for acid, letter in _LETTERS.items()}
_IN_ONE_LETTER = re.compile(r"([A-Z])(\d+)([A-Z])")


class Variant(NamedTuple):
    """A result on a variant: its gene, its name (empty for the gene as a whole), and whether it was found."""

    gene: str
    name: str
    found: bool


_SIGNIFICANCE, _SOURCE, _GERMLINE = "53037-8", "48002-0", "LA6683-2"
"""What the words would have to say too."""


def variant_of(resource: Json) -> Variant | None:
    """The variant of a tumour that the Observation is about, by the components of the reporting guide."""
    if _code(resource) != _VARIANT or "valueCodeableConcept" not in resource:
        return None
    parts = {_code(part): part["valueCodeableConcept"] for part in resource.get("component", ())}
    said = {coding.get("code") for coding in resource["valueCodeableConcept"].get("coding", ())}
    gene, found = parts.get(_GENE, {}).get("text", ""), _FOUND in said
    if f"somatic:{gene}" not in knowledge().observables or said.isdisjoint({_FOUND, _MISSED}):
        return None
    inherited = {coding.get("code") for coding in parts.get(_SOURCE, {}).get("coding", ())} & {_GERMLINE}
    if _SIGNIFICANCE in parts or inherited:
        return None
    return Variant(gene, parts.get(_CHANGE, {}).get("text", ""), found)


def _code(holder: Json) -> str:
    return next((str(c.get("code", "")) for c in holder["code"].get("coding", ())), "")


def _without(code: str, resource: Json) -> None:
    resource["component"] = [part for part in resource["component"] if _code(part) != code]


# --- variants in words ---


def _in_words(written: Callable[[Variant], str], resource: Json) -> bool:
    variant = variant_of(resource)
    if variant is None or (variant.found and not variant.name):
        return False
    del resource["valueCodeableConcept"]
    _without(_CHANGE, resource)
    resource["valueString"] = written(variant)
    return True


def _plain(variant: Variant) -> str:
    return f"{variant.name} detected" if variant.found else f"{variant.name} not detected".strip()


def _named(variant: Variant) -> str:
    """With the gene ahead."""
    named = f"{variant.gene} {variant.name}".strip()
    return f"{named}: Detected" if variant.found else f"No {named} mutation detected"


def _beside_another(variant: Variant) -> str:
    return (
        f"{variant.name} detected; S999L not detected" if variant.found else f"No {variant.name} mutation detected."
    )


def _beside_another_ahead(variant: Variant) -> str:
    return f"S999L absent, {variant.name} present" if variant.found else f"No {variant.name} mutations were found"


def _in_text(resource: Json) -> bool:
    """The name in the text of the coded value."""
    variant = variant_of(resource)
    if variant is None or not variant.name:
        return False
    _without(_CHANGE, resource)
    resource["valueCodeableConcept"]["text"] = variant.name
    return True


def _interpreted(resource: Json) -> bool:
    variant = variant_of(resource)
    if variant is None:
        return False
    del resource["valueCodeableConcept"]
    code = "POS" if variant.found else "NEG"
    resource["interpretation"] = [{"coding": [{"system": INTERPRETATION, "code": code}]}]
    if variant.name:
        _without(_CHANGE, resource)
        resource["valueString"] = variant.name
    return True


def _by_own_code(resource: Json) -> bool:
    """The gene's own code in place of that of any variant."""
    variant = variant_of(resource)
    codes = knowledge().observables[f"somatic:{variant.gene}"].codes if variant is not None else ()
    own = [c.code for c in codes if c.role is CodeRole.PRESENCE and not c.allele]
    if variant is None or not own or not _in_words(_plain, resource):
        return False
    _without(_GENE, resource)
    resource["code"] = {"coding": [{"system": LOINC, "code": own[0]}]}
    return True


# --- notations ---


def _renamed(rename: Callable[[str], str], resource: Json) -> bool:
    variant = variant_of(resource)
    if variant is None or rename(variant.name) == variant.name:
        return False
    for part in resource["component"]:
        if _code(part) == _CHANGE:
            part["valueCodeableConcept"] = {"text": rename(variant.name)}
    return True


def _one_letter(name: str) -> str:
    short = re.sub("|".join(_LETTERS), lambda m: _LETTERS[m.group()], name)
    return short.removeprefix("p.") if name.startswith("p.") else name


def _three_letters(name: str) -> str:
    whole = _IN_ONE_LETTER.fullmatch(name)
    return f"p.{_ACIDS[whole[1]]}{whole[2]}{_ACIDS[whole[3]]}" if whole is not None else name


def _bracketed(name: str) -> str:
    return f"p.({name.removeprefix('p.')})" if name.startswith("p.") else name


# --- reports ---


def _concluded(written: Callable[[Json], str], resource: Json) -> bool:
    """The Observation as the conclusion of a report that names no result."""
    said = written(resource)
    if not said:
        return False
    kept = {
        name: resource[name]
        for name in ("id", "status", "subject", "effectiveDateTime", "specimen")
        if name in resource
    }
    resource.clear()
    resource.update(kept, resourceType="DiagnosticReport", code={"text": "Pathology report"}, conclusion=said)
    return True


def _variant_concluded(resource: Json) -> str:
    variant = variant_of(resource)
    if (
        variant is None
        or f"germline:{variant.gene}" in knowledge().observables
        or (variant.found and not variant.name)
    ):
        return ""
    return (
        f"{variant.gene} {variant.name}: detected."
        if variant.found
        else f"{variant.gene}: no {variant.name} mutation detected."
    )


def _contained(body: Json) -> bool:
    """Every result of a tumour stands in a report that contains it."""
    done = False
    for bundle in bundles(body):
        for entry in bundle["entry"]:
            resource = entry["resource"]
            if resource["resourceType"] == "Observation" and (variant_of(resource) or marker_of(resource)):
                inner = {**deepcopy(resource), "id": "inner"}
                inner.pop("subject", None)
                entry["resource"] = {
                    "resourceType": "DiagnosticReport", "id": f"of-{resource['id']}", "status": "final",
                    "subject": resource["subject"], "code": {"text": "Pathology report"}, "contained": [inner],
                    "result": [{"reference": "#inner"}],
                }  # fmt: skip
                done = True
    return done


# --- other markers ---


def marker_of(resource: Json) -> Observable | None:
    """The marker of a tumour that the Observation's code reports."""
    if resource["resourceType"] != "Observation":
        return None
    code = _code(resource)
    known = (o for o in knowledge().observables.values() if o.id.startswith("tumour:"))
    return next((o for o in known if code and code in [c.code for c in o.codes]), None)


def _value_of(resource: Json) -> str:
    """The value in words: a grade, a call or a share."""
    quantity = resource.get("valueQuantity")
    if quantity is not None:
        unit = quantity["unit"] if quantity["unit"] == "%" else "mut/Mb" if "Base" in quantity["unit"] else ""
        return f"{quantity.get('comparator', '')}{quantity['value']} {unit}"
    return str(resource.get("valueCodeableConcept", {}).get("text", ""))


def _marker_in_words(form: str, resource: Json) -> bool:
    marker, said = marker_of(resource), _value_of(resource)
    if marker is None or not marker.in_words or not said:
        return False
    for name in ("valueCodeableConcept", "valueQuantity"):
        resource.pop(name, None)
    resource["valueString"] = form.format(name=marker.in_words[0], said=said)
    return True


def _marker_concluded(resource: Json) -> str:
    marker, said = marker_of(resource), _value_of(resource)
    if marker is None or not marker.in_words or not said:
        return ""
    return f"{marker.in_words[0].upper()}: {said}."


def _marker_interpreted(resource: Json) -> bool:
    marker = marker_of(resource)
    codes = {c.get("code") for c in resource.get("valueCodeableConcept", {}).get("coding", ())}
    if marker is None or codes.isdisjoint({"LA6576-8", "LA6577-6"}):
        return False
    del resource["valueCodeableConcept"]
    code = "POS" if "LA6576-8" in codes else "NEG"
    resource["interpretation"] = [{"coding": [{"system": INTERPRETATION, "code": code}]}]
    return True


def _every(kind: str, rewrites: Mapping[str, Rewrite]) -> Iterator[tuple[str, Rewrite]]:
    return ((name, of(kind, rewrite)) for name, rewrite in rewrites.items())


TUMOURS: Mapping[str, Rewrite] = {
    **dict(
        _every(
            "Observation",
            {
                "variant in words": partial(_in_words, _plain),
                "variant with its gene in words": partial(_in_words, _named),
                "variant in small letters": partial(_in_words, lambda v: _named(v).lower()),
                "variant beside another": partial(_in_words, _beside_another),
                "variant after another": partial(_in_words, _beside_another_ahead),
                "variant in the text of the code": _in_text,
                "variant with an interpretation": _interpreted,
                "variant by the gene's own code": _by_own_code,
                "one letter": partial(_renamed, _one_letter),
                "three letters": partial(_renamed, _three_letters),
                "brackets": partial(_renamed, _bracketed),
                "small letters": partial(_renamed, str.lower),
                "variant in a conclusion": partial(_concluded, _variant_concluded),
                "marker in words": partial(_marker_in_words, "{said}"),
                "marker with its name": partial(_marker_in_words, "{name}: {said}"),
                "marker in small letters": partial(_marker_in_words, "result {name} is {said}"),
                "marker in a conclusion": partial(_concluded, _marker_concluded),
                "marker with an interpretation": _marker_interpreted,
            },
        )
    ),
    "contained in a report": _contained,
}
