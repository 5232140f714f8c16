"""Made-up patients with drafts, of whatever the packaged knowledge knows, and what is found of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from cds_service.model import (
    ActivityScore,
    Allergy,
    Availability,
    Condition,
    Diplotype,
    Dose,
    FamilyCondition,
    Finding,
    GapReason,
    Grade,
    Medication,
    NotReadable,
    Order,
    Patient,
    PendingTest,
    Phenotype,
    Presence,
    Query,
    Reading,
    Statement,
    Undetermined,
)
from cds_service.policy import Policy
from cds_service.reasoning import evaluate
from tests.support.world import TODAY, knowledge

KNOWLEDGE = knowledge()
POLICY = Policy()
DRUGS = sorted(KNOWLEDGE.tables_by_drug)
MARKERS = sorted({m for t in KNOWLEDGE.tables.values() for m in t.markers})
CONDITIONS = sorted(KNOWLEDGE.conditions)
COMPANIONS = sorted({*KNOWLEDGE.modulators_by_drug, *(d for g in KNOWLEDGE.groups.values() for d in g.drugs)})
COMPLETE = dict.fromkeys(Query, Availability.COMPLETE)

bounded = settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])


thorough = settings(bounded, max_examples=150)


def markers_of(drug: str) -> list[str]:
    return sorted({m for t in KNOWLEDGE.tables_by_drug.get(drug, ()) for m in t.markers})


def observable(marker: str) -> str:
    kind, _, name = marker.partition(":")
    if kind == "hla":
        return f"hla:{name.partition('*')[0]}"
    return f"gene:{name}" if kind in ("gene", "genotype") else marker


def results(marker: str) -> st.SearchStrategy[Statement]:
    """Results that decide something about the marker."""
    kind, _, name = marker.partition(":")
    if kind == "hla":
        return st.booleans().map(lambda found: Presence(f"*{name.partition('*')[2]}", found))
    gene = KNOWLEDGE.genes.get(name)
    if gene is None:
        return st.just(Undetermined())
    scores = [float(s.removeprefix("≥")) for s in gene.states if s.removeprefix("≥").replace(".", "").isdigit()]
    made: list[st.SearchStrategy[Statement]] = [st.sampled_from(sorted(gene.phenotypes)).map(Phenotype)]
    if gene.alleles:
        allele = st.sampled_from(sorted(gene.alleles))
        made.append(st.tuples(allele, allele).map("/".join).map(Diplotype))
    if scores:
        made.append(st.sampled_from(scores).map(ActivityScore))
    return st.one_of(*made)


@st.composite
def readings(draw: Any, marker: str, *, odd: bool = True) -> Reading:
    """One result; `odd` ones may be undetermined, unreadable or unverified."""
    strange = st.sampled_from([Undetermined(), NotReadable(GapReason.NOT_MACHINE_READABLE)])
    says = draw(st.one_of(results(marker), results(marker), strange) if odd else results(marker))
    grade = draw(st.sampled_from([Grade.CLINICAL] * 4 + [Grade.UNVERIFIED])) if odd else Grade.CLINICAL
    days = draw(st.integers(1, 3000))
    reference = f"Observation/{marker}-{draw(st.integers(0, 10**6))}"
    return Reading(observable(marker), says, reference, grade=grade, on=TODAY - timedelta(days=days))


@st.composite
def patients(draw: Any, drug: str, *, odd: bool = True) -> Patient:
    """A patient with at most one result for each observable."""
    own = st.sampled_from(markers_of(drug) or MARKERS)
    chosen = draw(st.lists(st.one_of(own, st.sampled_from(MARKERS)), max_size=4))
    markers = {observable(m): m for m in chosen}.values()
    conditions = draw(st.lists(st.sampled_from(CONDITIONS), max_size=3, unique=True))
    allergies = draw(st.lists(st.sampled_from(DRUGS), max_size=2, unique=True))
    taken = draw(st.lists(st.one_of(st.sampled_from(DRUGS), st.sampled_from(COMPANIONS)), max_size=3, unique=True))
    return Patient(
        id="testperson",
        birth_date=draw(
            st.sampled_from([None, *(TODAY - timedelta(days=365 * y + 9) for y in (0, 1, 5, 15, 40, 80))])
        ),
        sex=draw(st.sampled_from(["male", "female", ""])),
        weight_kg=draw(st.sampled_from([None, 12.0, 70.0])),
        medications=tuple(
            Medication(f"MedicationRequest/{d}", d, (d,), started=draw(st.sampled_from([None, TODAY]))) for d in taken
        ),
        readings=tuple(draw(readings(m, odd=odd)) for m in markers),
        conditions=tuple(Condition(frozenset({c}), c, f"Condition/{c}") for c in conditions),
        allergies=tuple(Allergy((d,), d, f"AllergyIntolerance/{d}") for d in allergies),
        family=tuple(
            FamilyCondition(frozenset({c}), "brother", 1, c, f"FamilyMemberHistory/{c}") for c in conditions[:1]
        ),
        pending=tuple(
            PendingTest((m,), f"ServiceRequest/{n}", TODAY - timedelta(days=draw(st.sampled_from([1, 100]))))
            for n, m in enumerate(draw(st.lists(own, max_size=2 if odd else 0)))
        ),
        availability=draw(st.sampled_from([COMPLETE] * 3 + [{}])) if odd else COMPLETE,
    )


def drafted(drug: str, **fields: Any) -> Order:
    return Order(**{"reference": f"Draft/{drug}", "name": drug, "ingredients": (drug,), **fields})


@st.composite
def orders(draw: Any, drug: str) -> tuple[Order, ...]:
    """The drug's draft, and often another beside it."""
    mg = draw(st.sampled_from([None, 5.0, 40.0, 400.0]))
    first = drafted(drug, dose=None if mg is None else Dose(mg, "mg", 1))
    others = draw(st.lists(st.one_of(st.sampled_from(DRUGS), st.sampled_from(COMPANIONS)), max_size=1))
    return (first, *(drafted(d) for d in others if d != drug))


@st.composite
def situations(draw: Any, *, odd: bool = True) -> tuple[tuple[Order, ...], Patient]:
    drug = draw(st.sampled_from(DRUGS))
    return draw(orders(drug)), draw(patients(drug, odd=odd))


def found(drafts: Iterable[Order], patient: Patient) -> tuple[Finding, ...]:
    return evaluate(tuple(drafts), patient, KNOWLEDGE, POLICY, TODAY)


def by_table(findings: Iterable[Finding]) -> dict[tuple[str, str, str, str], list[Finding]]:
    groups = defaultdict(list)
    for f in findings:
        groups[f.order.reference, f.drug, f.table, f.caused_by].append(f)
    return groups
