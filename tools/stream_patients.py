"""One made-up order after another, each with a patient of its own, as the cases that `tests.support.build` reads.

Order number `n` of a seed is always the same, whichever process makes it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, TypeVar

from cds_service.knowledge.base import Knowledge
from tools.stream_data import Prescribed, StreamData
from tools.stream_results import results_that_were_asked_for

T = TypeVar("T")
PATIENTS_LOOKED_AT = 5
"""How often an order that a prescriber would avoid is drawn again."""
UNKNOWN_UNIT = "vials"
MOST_LIKELY = 0.95
"""No condition is likelier than this, whatever it stands beside."""


@dataclass(frozen=True, slots=True)
class MadeUp:
    """The patient so far."""

    drug: Prescribed
    reason: str
    sex: str
    band: int
    age: float
    conditions: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    is_renewal: bool = False
    tags: frozenset[str] = field(default_factory=frozenset)
    """Conditions and drugs: what laboratory values depend on."""


def made_order(number: int, seed: int, data: StreamData, knowledge: Knowledge) -> dict[str, Any]:
    """The case of one order: what `hook_request` takes, and under `stream` what it is in the stream."""
    random = Random(f"{seed}:{number}")  # noqa: S311  # made-up patients need no secrets
    is_top = random.random() < data.share("from_most_prescribed")
    drugs = data.most_prescribed if is_top else data.others
    for _ in range(PATIENTS_LOOKED_AT):
        patient = _made_up(random, weighted(random, [(d, d.weight) for d in drugs]), data)
        record = _patient(random, patient, data, knowledge)
        states = frozenset(_states(patient, record, data))
        if not any(state in states and random.random() < share for state, share in patient.drug.avoided_in):
            break
    order = _order(random, patient, states, data)
    if patient.is_renewal:
        record["medications"][0] |= _dose_taken(random, patient.drug, order, data)
    if random.random() < data.share("order_in_words"):
        order["drug"] = random.choice(data.patients["words"])
    _spoil_a_value(random, record, data)
    return {
        "id": f"stream-{seed}-{number}",
        "orders": [order],
        "patient": record,
        "missing": [random.choice(data.patients["parts"])] if random.random() < data.share("part_not_sent") else [],
        "stream": {"top": is_top, "renewal": patient.is_renewal, "drug": order["drug"]},
    }


def weighted(random: Random, choices: Sequence[tuple[T, float]]) -> T:
    """One of the choices, as likely as its weight."""
    return random.choices([c for c, _ in choices], [w for _, w in choices])[0]


def _made_up(random: Random, drug: Prescribed, data: StreamData) -> MadeUp:
    reason = weighted(random, drug.reasons)
    sex = drug.sex or _sex(random, reason, data)
    band = _band(random, drug, reason, data)
    low, high = data.patients["ages"]["bands"][band]
    age = random.uniform(max(low, drug.ages[0]), min(high + 1, drug.ages[1]))
    conditions = tuple(_conditions(random, reason, sex, band, data))
    is_renewal = drug.renewed and random.random() < data.share("renewal_of_long_courses")
    takes = tuple(_comedication(random, drug, conditions, data))
    tags = frozenset({*conditions, *takes, drug.name, *drug.ingredients})
    return MadeUp(drug, reason, sex, band, age, conditions, takes, is_renewal, tags)


def _sex(random: Random, reason: str, data: StreamData) -> str:
    women = data.patients["ages"]["female"]["value"]
    ratio = data.conditions[reason].get("female", 1)
    return "female" if random.random() < women * ratio / (women * ratio + 1 - women) else "male"


def _band(random: Random, drug: Prescribed, reason: str, data: StreamData) -> int:
    """The age band: by the orders of all ages, and by how common the reason is in each."""
    bands, orders = data.patients["ages"]["bands"], data.patients["ages"]["orders"]["value"]
    condition = data.conditions[reason]
    prevalence = condition.get("prevalence", condition.get("by_age", [1] * len(bands)))
    years = [max(0, min(high + 1, drug.ages[1]) - max(low, drug.ages[0])) / (high + 1 - low) for low, high in bands]
    return weighted(random, [(n, orders[n] * prevalence[n] * years[n]) for n in range(len(bands))])


def _conditions(random: Random, reason: str, sex: str, band: int, data: StreamData) -> Iterator[str]:
    yield reason
    found = {reason}
    for key, condition in data.conditions.items():
        if key == reason or "prevalence" not in condition:
            continue
        likely = condition["prevalence"][band] * data.share("morbidity")
        likely *= math.prod(factor for other, factor in condition.get("with", {}).items() if other in found)
        ratio = condition.get("female", 1)
        likely *= ratio if sex == "female" else max(0, 2 - ratio)
        if random.random() < min(likely, MOST_LIKELY):
            found.add(key)
            yield key


def _comedication(random: Random, drug: Prescribed, conditions: tuple[str, ...], data: StreamData) -> Iterator[str]:
    """What is taken for the conditions; nobody takes two drugs of a class, nor an ingredient twice."""
    classes = {data.drug_classes[d] for d in (drug.name, *drug.ingredients) if d in data.drug_classes}
    taken = set(drug.ingredients)
    for condition in conditions:
        for share, options in data.patients["treatments"]["choices"].get(condition, ()):
            free = [d for d in options if not taken & set(d.split(" / ")) and data.drug_classes[d] not in classes]
            if not free or random.random() >= share:
                continue
            chosen = weighted(random, [(d, data.weight_of(d)) for d in free])
            classes.add(data.drug_classes[chosen])
            taken |= set(chosen.split(" / "))
            yield chosen


def _order(random: Random, patient: MadeUp, states: frozenset[str], data: StreamData) -> dict[str, Any]:
    drug = patient.drug
    order: dict[str, Any] = {"drug": drug.name, **_dosage(random, drug, states)}
    if random.random() < data.share("reason_on_order"):
        order["reason"] = data.conditions[patient.reason]["text"]
    return order


def _dosage(random: Random, drug: Prescribed, states: frozenset[str]) -> dict[str, Any]:
    dosage: dict[str, Any] = {"route": drug.route} if drug.route else {}
    doses = next((doses for state, doses in drug.doses_when if state in states), drug.doses)
    if doses:
        dosage |= {"dose": f"{weighted(random, doses):g} mg", "per_day": drug.per_day}
    return dosage


def _dose_taken(random: Random, drug: Prescribed, order: Mapping[str, Any], data: StreamData) -> dict[str, Any]:
    """The dose so far of what is renewed: that of the order, or any."""
    if "dose" not in order:
        return {}
    is_another = random.random() < data.share("renewed_at_another_dose")
    dose = f"{weighted(random, drug.doses):g} mg" if is_another else order["dose"]
    return {"dose": dose, "per_day": order["per_day"]}


def _states(patient: MadeUp, record: Mapping[str, Any], data: StreamData) -> Iterator[str]:
    """The states of patients.yaml that the prescriber can see."""
    for name, bounds in data.patients["states"].items():
        if isinstance(bounds, Mapping):
            met = list(_met(patient, record, bounds))
            if met and sum(met) >= bounds.get("at_least", len(met)):
                yield name


def _met(patient: MadeUp, record: Mapping[str, Any], bounds: Mapping[str, Any]) -> Iterator[bool]:
    labs, weight = record["labs"], record.get("weight")
    for bound, limit in bounds.items():
        match bound:
            case "is_new":
                yield not patient.is_renewal
            case "age_at_least":
                yield patient.age >= limit
            case "weight_at_most":
                yield weight is not None and weight <= limit
            case "egfr_below":
                yield "egfr" in labs and labs["egfr"]["value"] < limit
            case "creatinine_at_least":
                yield "creatinine" in labs and labs["creatinine"]["value"] >= limit


def _patient(random: Random, patient: MadeUp, data: StreamData, knowledge: Knowledge) -> dict[str, Any]:
    record: dict[str, Any] = {
        "sex": patient.sex,
        "age": round(patient.age, 2),
        "conditions": [data.conditions[key]["text"] for key in patient.conditions],
        "medications": list(_medications(random, patient, data)),
        "allergies": list(_allergies(random, patient, data)),
    }
    if patient.sex == "female" and patient.band == 1 and random.random() < data.share("pregnancy"):
        record["conditions"].append("Pregnancy")
    if random.random() < data.share("weight_on_file_in_hospital" if patient.drug.in_hospital else "weight_on_file"):
        figures = data.patients["weight_kg"][patient.sex]
        grown = min(1.0, (patient.age + 2) / 20)
        record["weight"] = round(max(8, random.gauss(figures["mean"], figures["sd"])) * grown, 1)
    record["labs"] = _laboratory(random, patient, data)
    if random.random() < data.share("genotyped"):
        record["phenotypes"] = _genotypes(random, data, knowledge)
    results_that_were_asked_for(random, patient.drug, data, knowledge, record)
    return record


def _medications(random: Random, patient: MadeUp, data: StreamData) -> Iterator[dict[str, Any]]:
    days = data.patients["exposure_days"]
    if patient.is_renewal:
        yield {"drug": patient.drug.name, "days": since(random, days["low"], days["high"])}
    for drug in patient.takes:
        yield {"drug": drug, "days": since(random, days["low"], days["high"])}


def _allergies(random: Random, patient: MadeUp, data: StreamData) -> Iterator[str]:
    """Nobody is given, or takes, what the record warns of."""
    avoided = {d for name in (patient.drug.name, *patient.takes) for d in name.split(" / ")}
    shares = data.patients["allergies"]["drugs"]
    yield from (drug for drug, share in shares.items() if random.random() < share and drug not in avoided)


def _genotypes(random: Random, data: StreamData, knowledge: Knowledge) -> dict[str, str]:
    """A panel: the phenotype of each gene, as common as in the population."""
    found = {}
    population = data.patients["genotypes"]["population"]
    for gene in data.patients["genotypes"]["genes"]:
        rows = knowledge.frequencies_by_marker.get(f"gene:{gene}", ())
        named = [(f.state, f.low) for f in rows if f.population == population and f.state[0].isalpha()]
        if named:
            found[gene] = weighted(random, named)
    return found


def _spoil_a_value(random: Random, record: dict[str, Any], data: StreamData) -> None:
    if record["labs"] and random.random() < data.share("unreadable_value"):
        name = random.choice(sorted(record["labs"]))
        if "unit" in record["labs"][name]:
            record["labs"][name] = {**record["labs"][name], "unit": UNKNOWN_UNIT}


def since(random: Random, low: float, high: float) -> int:
    """Days ago, evenly on the scale of logarithms."""
    return round(math.exp(random.uniform(math.log(max(low, 1)), math.log(max(high, 1)))))


def _laboratory(random: Random, patient: MadeUp, data: StreamData) -> dict[str, Any]:
    laboratory = data.laboratory
    is_ill = bool(patient.tags & set(laboratory["ill"]))
    on_file = laboratory["on_file_when_ill"]["value"] if is_ill else laboratory["on_file"]["value"][patient.band]
    found: dict[str, Any] = {}
    if patient.drug.in_hospital or random.random() < on_file:
        days = laboratory["days_when_ill"] if is_ill else laboratory["days"]
        days = laboratory["hospital_days"] if patient.drug.in_hospital else days
        found |= _blood_sample(random, patient, data, since(random, days["low"], days["high"]))
    for name, figures in laboratory["special"].items():
        if patient.tags & set(figures["for"]) and random.random() < figures["share"]:
            found[name] = _value(random, patient, figures, since(random, *figures["days"]))
    return found


def _blood_sample(random: Random, patient: MadeUp, data: StreamData, days: int) -> dict[str, Any]:
    found = {n: _value(random, patient, figures, days) for n, figures in data.laboratory["basic"].items()}
    figures = data.laboratory["egfr"]
    mean, sd = _first(patient, figures.get("with", {})) or figures["normal"][patient.band]
    low, high = figures["bounds"]
    rate = min(high, max(low, random.gauss(mean, sd)))
    found["egfr"] = {"value": round(rate), "unit": "mL/min/{1.73_m2}", "days": days}
    measured = round(creatinine(rate, patient.age, patient.sex), 2)
    found["creatinine"] = {"value": measured, "unit": "mg/dL", "days": days}
    return found


def _value(random: Random, patient: MadeUp, figures: Mapping[str, Any], days: int) -> dict[str, Any]:
    mean, spread = _first(patient, figures.get("with", {})) or figures.get("normal") or figures["lognormal"]
    drawn = random.gauss(mean, spread) if "normal" in figures else mean * math.exp(random.gauss(0, spread))
    low, high = figures["bounds"]
    return {"value": round(min(high, max(low, drawn)), 2), "unit": figures["unit"], "days": days}


def _first(patient: MadeUp, by_condition: Mapping[str, Any]) -> Any:
    return next((figures for key, figures in by_condition.items() if key in patient.tags), None)


def creatinine(rate: float, age: float, sex: str) -> float:
    """The creatinine (mg/dL) that the CKD-EPI equation of 2021 turns into this filtration rate."""
    scale, power, factor = (0.7, -0.241, 1.012) if sex == "female" else (0.9, -0.302, 1.0)
    ratio = rate / (142 * 0.9938**age * factor)
    return float(scale * ratio ** (1 / (power if ratio > 1 else -1.2)))
