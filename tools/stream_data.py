"""What the order stream is made of: the files of `tools/order_stream`, checked, and the knowledge beside them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from cds_service.knowledge.base import Knowledge
from cds_service.knowledge.schema import Fact, Predicate

FOLDER = Path(__file__).with_name("order_stream")
MOST_PRESCRIBED = 200
Json = Mapping[str, Any]
Doses = tuple[tuple[float, float], ...]
"""Milligrams, and how often."""


@dataclass(frozen=True, slots=True)
class Prescribed:
    """A drug as it is ordered. `weight` says how often; `reasons` are condition keys with weights."""

    name: str
    weight: float
    reasons: tuple[tuple[str, float], ...]
    renewed: bool = True
    route: str = ""
    doses: Doses = ()
    per_day: int = 1
    doses_when: tuple[tuple[str, Doses], ...] = ()
    avoided_in: tuple[tuple[str, float], ...] = ()
    sex: str = ""
    ages: tuple[int, int] = (0, 110)
    in_hospital: bool = False

    @property
    def ingredients(self) -> frozenset[str]:
        return frozenset(self.name.split(" / "))


@dataclass(frozen=True, slots=True)
class StreamData:
    """Everything that is drawn from. The mappings are those of the YAML files, by the same keys."""

    most_prescribed: tuple[Prescribed, ...]
    others: tuple[Prescribed, ...]
    conditions: Json
    patients: Json
    laboratory: Json
    drug_classes: Mapping[str, int]
    """Drug -> number of a class of which nobody takes two: drugs that stand in one choice of treatments."""

    def share(self, name: str) -> float:
        """One of the shares of patients.yaml."""
        return float(self.patients["shares"][name]["value"])

    def weight_of(self, name: str) -> float:
        """How often a drug is prescribed, for the choice of a co-medication."""
        return max((d.weight for d in (*self.most_prescribed, *self.others) if d.name == name), default=100.0)


def load_stream_data(knowledge: Knowledge) -> StreamData:
    """The data of the stream. Raises ValueError for a figure without a source, or a name that no file explains."""
    conditions = dict(_read("conditions"))
    top = _read("most_prescribed")
    rest = _read("others")
    patients = _read("patients")
    most = sorted((_prescribed(d, "purchases") for d in top["drugs"]), key=lambda d: -d.weight)[:MOST_PRESCRIBED]
    named = [_prescribed(d, "weight") for d in rest["drugs"]]
    unnamed = list(_unnamed(knowledge, {*most, *named}, rest["unnamed_weight"], conditions))
    data = StreamData(
        most_prescribed=tuple(most),
        others=(*named, *unnamed),
        conditions=conditions,
        patients=patients,
        laboratory=_read("laboratory"),
        drug_classes=_drug_classes(patients["treatments"]["choices"]),
    )
    _check(data, top, rest)
    return data


def _read(name: str) -> Any:
    return yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))


def _prescribed(line: Json, weight: str) -> Prescribed:
    reasons = line["for"]
    weighted = reasons.items() if isinstance(reasons, Mapping) else ((r, 1) for r in reasons)
    low, high = line.get("ages", (0, 110))
    return Prescribed(
        name=line["name"],
        weight=float(line[weight]),
        reasons=tuple((key, float(share)) for key, share in weighted),
        renewed=line.get("course", "long") == "long",
        route=line.get("route", ""),
        doses=_doses(line.get("doses", {})),
        doses_when=tuple((state, _doses(doses)) for state, doses in line.get("doses_when", {}).items()),
        avoided_in=tuple(line.get("avoided_in", {}).items()),
        per_day=line.get("per_day", 1),
        sex=line.get("sex", ""),
        ages=(low, high),
        in_hospital=line.get("hospital", False),
    )


def _doses(doses: Json) -> Doses:
    return tuple((float(mg), float(share)) for mg, share in doses.items())


def _unnamed(
    knowledge: Knowledge, named: set[Prescribed], weight: float, conditions: dict[str, Any]
) -> Iterator[Prescribed]:
    """The drugs of the knowledge that no file names, for the conditions that their own tables ask for. Those
    conditions are added to `conditions`."""
    known = frozenset().union(*(d.ingredients for d in named))
    for drug, tables in sorted(knowledge.tables_by_drug.items()):
        if drug in known or " / " in drug:
            continue
        keys = sorted({key for t in tables for p in t.population.fits for key in _indications(p)})
        texts = {f"knowledge:{k}": knowledge.conditions[k].texts[0] for k in keys if knowledge.conditions[k].texts}
        conditions |= {key: {"text": text} for key, text in texts.items()}
        yield Prescribed(drug, weight, tuple((key, 1.0) for key in texts) or (("inpatient_illness", 1.0),))


def _indications(predicate: Predicate) -> Iterator[str]:
    if predicate.fact is Fact.INDICATION:
        yield from predicate.is_in
    for part in (*predicate.all, *predicate.any):
        yield from _indications(part)


def _drug_classes(choices: Mapping[str, Any]) -> dict[str, int]:
    """Numbers that drugs of overlapping choices share."""
    number: dict[str, int] = {}
    for n, (_, drugs) in enumerate(choice for of_condition in choices.values() for choice in of_condition):
        joined = {number[d] for d in drugs if d in number}
        number |= dict.fromkeys(drugs, n) | {d: n for d, old in number.items() if old in joined}
    return number


def _check(data: StreamData, top: Json, rest: Json) -> None:
    sources = {*data.patients["sources"], "issue"}
    figures = [
        *data.patients["shares"].items(),
        *((key, c) for key, c in data.conditions.items() if "prevalence" in c),
        *data.laboratory["basic"].items(),
        *data.laboratory["special"].items(),
        *((key, data.patients[key]) for key in ("allergies", "genotypes", "treatments", "exposure_days", "states")),
        ("most_prescribed", top),
        ("others", rest),
    ]
    for name, figure in figures:
        if figure.get("source") not in sources:
            raise ValueError(f"order_stream: '{name}' has no source that patients.yaml knows")
    wanted = {key for d in (*data.most_prescribed, *data.others) for key, _ in d.reasons}
    wanted |= set(data.patients["treatments"]["choices"]) | set(data.laboratory["ill"])
    unknown = sorted(wanted - set(data.conditions))
    if unknown:
        raise ValueError(f"order_stream: conditions.yaml does not hold {', '.join(unknown)}")
