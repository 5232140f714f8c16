"""Every row of the CPIC export, and every drug with nothing known, against a naive reader of the same file.

The reader (`naive_export`) shares no module with the service. The patient of a case has exactly the readings of its
row, and the facts that make its population, and no other, fit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from cds_service.knowledge.schema import SourceKind
from cds_service.model import (
    ActivityScore,
    Availability,
    Condition,
    Finding,
    Indicator,
    Kind,
    Medication,
    Order,
    Outcome,
    Patient,
    Phenotype,
    Presence,
    Query,
    Reading,
    Statement,
    Undetermined,
)
from cds_service.policy import Policy
from cds_service.reasoning import evaluate
from cds_service.reasoning.apply import departs
from tests.acceptance import naive_export
from tests.acceptance.naive_export import (
    CHANGE,
    KEEP,
    MEASURE,
    NO_RESULT,
    UNASSIGNED,
    Case,
    Untested,
    read_cases,
    read_untested,
)
from tests.support.world import TODAY, knowledge

FACTS = Path(__file__).parents[2].parent / "shared" / "facts"
EXPORT = FACTS / "cpic_recs.csv"
pytestmark = pytest.mark.skipif(not EXPORT.is_file(), reason="the export is not part of the project")

ADULT = Patient(
    id="made-up",
    birth_date=date(1980, 1, 1),
    sex="female",
    weight_kg=70,
    availability=dict.fromkeys(Query, Availability.COMPLETE),
)
REASONS = {
    "cvi acs pci": frozenset({"acute_coronary_syndrome"}),
    "cvi non-acs non-pci": frozenset({"other_cardiovascular"}),
    "nvi": frozenset({"neurovascular"}),
}
CONDITIONS = {"cbz-no alternatives": "no_alternative_antiseizure_drug"}
CHILDREN = frozenset({"pediatrics"})
LONG_TAKEN = frozenset({"pht use >3mos", "cbz use >3mos", "oxc use >3 mos"})
OUTCOMES = {
    Outcome.CHANGED_DOSE: "dose",
    Outcome.OTHER_DRUG: "other drug",
    Outcome.STOP: "other drug",
}


def order_of(drug: str, population: str) -> Order:
    """The drug without a dose, for the reason of the population."""
    return Order("MedicationRequest/draft", drug, (drug,), reasons=REASONS.get(population, frozenset()))


def patient_of(drug: str, population: str, readings: Iterable[Reading]) -> Patient:
    """A made-up patient whom exactly this population fits."""
    patient = replace(ADULT, readings=tuple(readings))
    if population in CHILDREN:
        patient = replace(patient, birth_date=TODAY - timedelta(days=3000), weight_kg=25)
    if population in LONG_TAKEN:
        taken = Medication("MedicationRequest/taken", drug, (drug,), started=TODAY - timedelta(days=200))
        patient = replace(patient, medications=(taken,))
    if population in CONDITIONS:
        condition = Condition(frozenset({CONDITIONS[population]}), "", "Condition/1")
        patient = replace(patient, conditions=(condition,))
    return patient


def readings_of(states: Iterable[tuple[str, str]]) -> Iterator[Reading]:
    """The readings that say exactly these states."""
    for gene, state in states:
        if state != NO_RESULT:
            observable = f"hla:{gene[-1]}" if gene.startswith("HLA-") else f"gene:{gene}"
            says = statement_of(gene, state)
            yield Reading(observable, says, f"Observation/{gene}", on=TODAY, method="genotype")


def statement_of(gene: str, state: str) -> Statement:
    if state in UNASSIGNED:
        return Undetermined(state)
    if gene.startswith("HLA-"):
        allele, _, result = state.partition(" ")
        return Presence(allele, result == "positive")
    try:
        return ActivityScore(float(state.removeprefix("≥")), state.startswith("≥"))
    except ValueError:
        return Phenotype(state)


def findings_of(drug: str, population: str, readings: Iterable[Reading], genes: Iterable[str]) -> list[Finding]:
    """The findings of the CPIC tables, and of tables of other sources that lead for the same markers."""
    found = evaluate(
        (order_of(drug, population),), patient_of(drug, population, readings), knowledge(), Policy(), TODAY
    )
    wanted = set(genes)
    return [f for f in found if f.table and genes_of(f.table) == wanted and not f.caused_by]


def genes_of(table: str) -> set[str]:
    """The genes of a table's markers as the export names them."""
    return {
        f"HLA-{marker[4]}" if marker.startswith("hla:") else marker.partition(":")[2]
        for marker in knowledge().tables[table].markers
    }


def populations_of(findings: list[Finding]) -> set[str]:
    tables = [knowledge().tables[f.table] for f in findings]
    return {
        table.compares_as or table.population.id
        for table in tables
        if "CPIC" in knowledge().sources[table.source].developer
    }


def is_led(findings: list[Finding]) -> bool:
    """Whether a label's contraindication on the same markers speaks in the place of CPIC."""
    sources = {knowledge().sources[knowledge().tables[f.table].source].kind for f in findings}
    return sources == {SourceKind.LABEL_CONTRAINDICATION}


def test_the_naive_reader_shares_no_module_with_the_service() -> None:
    """And it stays small enough to be read at a glance."""
    source = Path(naive_export.__file__).read_text(encoding="utf-8")
    assert "cds_service" not in source
    assert "tests." not in source
    assert len(source.splitlines()) < 150


def wrong_with(case: Case) -> str:
    """What is wrong with the service's answer; empty where it is right."""
    genes = [gene for gene, _ in case.states]
    found = findings_of(case.drug, case.population, readings_of(case.states), genes)
    if populations_of(found) != {case.population} and not is_led(found):
        return f"populations {sorted(populations_of(found))}"
    quiet = {"", "tolerated"} if case.population in LONG_TAKEN else {""}
    changes = [f for f in found if f.kind is Kind.CHANGE_NOW and f.silent in quiet and departs(f.resulting)]
    if case.verdict == CHANGE:
        outcomes = {OUTCOMES.get(f.resulting.outcome, f.resulting.outcome.value) for f in changes}
        return "" if outcomes and outcomes <= case.outcomes else f"expected {sorted(case.outcomes)}, {told(found)}"
    if changes:
        return f"expected {case.verdict}, {told(found)}"
    if case.verdict == MEASURE and not any(measures_enzyme(f) for f in found):
        return f"expected {case.verdict}, {told(found)}"
    if case.verdict == KEEP and any(asks(f) and not is_open(case) for f in found):
        return f"expected {case.verdict}, {told(found)}"
    return ""


def measures_enzyme(finding: Finding) -> bool:
    methods = {knowledge().tests[question.test].method for question in finding.tests}
    return asks(finding) and methods == {"enzyme_activity"}


def asks(finding: Finding) -> bool:
    return finding.kind is Kind.TEST_WOULD_CHANGE and not finding.silent


def is_open(case: Case) -> bool:
    """Whether a gene of the case has no state: its test may be asked for."""
    return any(state in (NO_RESULT, *UNASSIGNED) for _, state in case.states)


def told(findings: list[Finding]) -> str:
    return "found " + ("; ".join(f"{f.kind.value} {f.resulting.outcome.value} {f.table}/{f.row} {f.silent}".strip()
                                 for f in findings) or "nothing")  # fmt: skip


def report(wrong: dict[str, list[str]]) -> str:
    counts = Counter({drug: len(lines) for drug, lines in wrong.items()})
    lines = [f"{drug}: {count} wrong, such as {wrong[drug][0]}" for drug, count in counts.most_common()]
    return "\n".join([f"{counts.total()} wrong answers", *lines])


def test_every_row_of_the_export_gives_the_right_kind_of_finding() -> None:
    """2,129 rows: what is known changes the order, leaves it, or asks for the enzyme, as the row says."""
    wrong: dict[str, list[str]] = {}
    cases = read_cases(EXPORT)
    assert len(cases) > 2000
    for case in cases:
        problem = wrong_with(case)
        if problem:
            states = ", ".join(map(" ".join, case.states))
            wrong.setdefault(case.drug, []).append(f"[{case.population}] {states}: {problem}")
    assert not wrong, report(wrong)


def wrong_when_untested(case: Untested, genes: set[str]) -> str:
    found = findings_of(case.drug, case.population, (), genes)
    changes = [f for f in found if f.kind is Kind.CHANGE_NOW and not f.silent]
    asking = [f for f in found if asks(f)]
    asked = {m for f in asking for q in f.tests for m in genes_of_marker(q.marker)}
    if changes or asked != case.genes:
        return f"expected tests of {sorted(case.genes)}, asked {sorted(asked)}, {told(found)}"
    warned = any(f.indicator is Indicator.WARNING for f in asking)
    return "" if warned == case.required else f"required {case.required}, warned {warned}"


def genes_of_marker(marker: str) -> set[str]:
    return {f"HLA-{marker[4]}" if marker.startswith("hla:") else marker.partition(":")[2]}


def test_a_drug_with_nothing_known_asks_for_a_test_exactly_where_one_is_due() -> None:
    """Tests that labels require or recommend, and those against grave harm; silence for the others."""
    genes: dict[str, set[str]] = {}
    for row in read_cases(EXPORT):
        genes.setdefault(row.drug, set()).update(gene for gene, _ in row.states)
    untested = list(read_untested(EXPORT, FACTS / "drugs.csv"))
    assert len(untested) > 109
    wrong: dict[str, list[str]] = {}
    for case in untested:
        problem = wrong_when_untested(case, genes[case.drug])
        if problem:
            wrong.setdefault(case.drug, []).append(f"[{case.population}] {problem}")
    assert not wrong, report(wrong)
