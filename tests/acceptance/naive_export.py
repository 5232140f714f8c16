"""A second, naive reader of a CPIC export: from the flags and the words of each row, what should become of an order
that has no dose yet. It shares no module with the service and knows nothing of its knowledge.
"""

from __future__ import annotations

import csv
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CHANGE, KEEP, NO_ADVICE, MEASURE = "change", "keep", "no advice", "measure the enzyme"
NO_RESULT = "No Result"
UNASSIGNED = ("Indeterminate", "n/a")

LEVELS = ("Testing Required", "Testing Recommended")
ONLY_AT_RISK = {"MT-RNR1", "RYR1", "CACNA1S"}
"""Genes that labels ask for only where there is a risk, with the drugs of the export."""
GRAVE = {
    "HLA-A": {"carbamazepine"},
    "HLA-B": {"abacavir", "allopurinol", "carbamazepine", "oxcarbazepine", "phenytoin", "fosphenytoin"},
    "DPYD": {"capecitabine", "fluorouracil"},
    "TPMT": {"azathioprine", "mercaptopurine", "thioguanine"},
    "NUDT15": {"azathioprine", "mercaptopurine", "thioguanine"},
    "G6PD": {"rasburicase", "pegloticase", "primaquine", "tafenoquine", "dapsone"},
    "CYP2D6": {"codeine", "tramadol"},
}
"""Fatal or irreversible harm, common enough to ask for the test though no label does."""
ASKED_IN = {"cvi acs pci": {"CYP2C19"}, "nvi": {"CYP2C19"}}
"""Clopidogrel: stent thrombosis; after a stroke a fifth of every population has a result that speaks against it."""
LONG_TAKEN = re.compile(r">\s*3\s*mos")


@dataclass(frozen=True)
class Case:
    """One row: gene -> state as the export has it, and what is right for the order."""

    drug: str
    population: str
    states: tuple[tuple[str, str], ...]
    verdict: str
    outcomes: frozenset[str] = frozenset()
    """With CHANGE: `dose`, `other drug`, or both where the row offers both."""


@dataclass(frozen=True)
class Untested:
    """A drug in a population with nothing known: the genes whose test is asked for."""

    drug: str
    population: str
    genes: frozenset[str]
    required: bool


def read_cases(path: Path) -> list[Case]:
    """A case for each row of the export at `path`."""
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    matters = {row["drug"] for row in rows if _flagged(row)}
    cases = [_case(row, matters) for row in rows]
    definite: defaultdict[tuple[str, str], list[Case]] = defaultdict(list)
    for case in cases:
        if not any(state in (NO_RESULT, *UNASSIGNED) for _, state in case.states):
            definite[case.drug, case.population].append(case)
    return [_as_all_agree(case, definite[case.drug, case.population]) for case in cases]


def _case(row: dict[str, str], matters: set[str]) -> Case:
    states = tuple(sorted(json.loads(row["lookup"]).items()))
    verdict = _verdict(row, matters)
    kinds = {"dose": row["dosing"] == "True", "other drug": row["alternative"] == "True"}
    outcomes = frozenset(kind for kind, flag in kinds.items() if flag) if verdict == CHANGE else frozenset()
    return Case(row["drug"], row["population"], states, verdict, outcomes)


def _flagged(row: dict[str, str]) -> bool:
    return "True" in (row["dosing"], row["alternative"])


def _verdict(row: dict[str, str], matters: set[str]) -> str:
    text = row["recommendation_text"]
    if re.search(r"enzyme activity must be measured", text):
        return MEASURE if row["drug"] in matters else KEEP  # nothing to measure where no activity changes anything
    if re.match(r"no (action )?recommend|n/a", text, re.IGNORECASE):
        return NO_ADVICE
    if not _flagged(row) or _is_cap(text) or _is_remark(text):
        return KEEP
    return CHANGE


def _is_cap(text: str) -> bool:
    """A largest starting dose, or a range that the usual start is in, leaves an order without a dose as it is."""
    cap = r"(Based on \w+ status, )?prescribe ≤|Initiate therapy at a total daily dose of \d+ to"
    return bool(re.match(cap, text, re.IGNORECASE))


def _is_remark(text: str) -> bool:
    """The usual start, or the usual first steps, with a word on what may come later."""
    start = r"standard starting daily dose|therapy with recommended starting dose"
    steps = r"with a dose of [\d.]+ mg\S* and increase to [\d.]+ mg\S* after 3 days"
    return bool(re.match(f"Initiate ({start}|{steps})", text))


def _as_all_agree(case: Case, definite: list[Case]) -> Case:
    """Where no advice is given for an open gene, and all its results would change the order, it changes now."""
    if case.verdict != NO_ADVICE:
        return case
    known = {pair for pair in case.states if pair[1] not in (NO_RESULT, *UNASSIGNED)}
    reachable = [other for other in definite if known <= set(other.states)]
    if reachable and all(other.verdict == CHANGE for other in reachable):
        outcomes = frozenset().union(*(other.outcomes for other in reachable))
        return Case(case.drug, case.population, case.states, CHANGE, outcomes)
    return case


def read_untested(export: Path, drugs: Path) -> Iterator[Untested]:
    """Every drug and population of the export with nothing known. `drugs` tells what labels say of testing."""
    with drugs.open(encoding="utf-8", newline="") as lines:
        levels = {r["drug"]: f"{r['fda_label_testing']};{r['cpic_pgx_testing']}" for r in csv.DictReader(lines)}
    groups: defaultdict[tuple[str, str], list[Case]] = defaultdict(list)
    for case in read_cases(export):
        groups[case.drug, case.population].append(case)
    for (drug, population), cases in sorted(groups.items()):
        label = levels.get(drug, "")
        genes = {gene for gene in dict(cases[0].states) if _asked(gene, drug, population, label)}
        asked = {gene for gene in genes if _matters(gene, cases) and not LONG_TAKEN.search(population)}
        required = any(f"{gene}:{LEVELS[0]}" in label for gene in asked)
        yield Untested(drug, population, frozenset(asked), required)


def _asked(gene: str, drug: str, population: str, label: str) -> bool:
    if gene in ONLY_AT_RISK:
        return False
    if gene in ASKED_IN.get(population, set()):
        return True
    return any(f"{gene}:{level}" in label for level in LEVELS) or drug in GRAVE.get(gene, set())


def _matters(gene: str, cases: list[Case]) -> bool:
    """Whether two results of the gene, the others being equal, make different orders."""
    verdicts: defaultdict[tuple[tuple[str, str], ...], set[frozenset[str]]] = defaultdict(set)
    for case in cases:
        if dict(case.states)[gene] not in (NO_RESULT, *UNASSIGNED):
            verdicts[tuple(pair for pair in case.states if pair[0] != gene)].add(case.outcomes)
    return any(len(found) > 1 for found in verdicts.values())
