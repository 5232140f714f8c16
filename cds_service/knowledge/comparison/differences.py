"""Hold the guidance tables against a CPIC export: what differs, where, and whether the data say why.

Compared are the class of action, the strength and the drugs named instead. Rows without curated flags are
compared by strength alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from cds_service.knowledge.base import Knowledge
from cds_service.knowledge.comparison.drug_names import DrugNames
from cds_service.knowledge.comparison.export import Recommendation, read_export
from cds_service.knowledge.rows import expand_terms
from cds_service.knowledge.schema import Row, Table
from cds_service.model import CONTRAINDICATING, Action


class DifferenceKind(StrEnum):
    CLASS_OF_ACTION = "class of action"
    STRENGTH = "strength"
    DRUG_CHOICE = "drug choice"
    NO_ANSWER = "no answer of ours"
    NOT_IN_EXPORT = "not in the export"


@dataclass(frozen=True, slots=True)
class Difference:
    kind: DifferenceKind
    drug: str
    population: str
    states: str
    """`CYP2C19 Poor Metabolizer, CYP2D6 0.0`."""
    ours: str
    export: str
    row: str = ""
    """`table/row` of ours."""
    explained: str = ""
    """The reason that the row of ours gives for departing from its source."""


@dataclass(frozen=True, slots=True)
class Comparison:
    compared: int
    """Rows of the export."""
    differences: tuple[Difference, ...]
    unheld_drugs: tuple[str, ...] = ()
    """Drugs of our CPIC tables that the export does not name at all: not compared."""

    @property
    def unexplained(self) -> tuple[Difference, ...]:
        return tuple(d for d in self.differences if not d.explained)

    @property
    def explained(self) -> tuple[Difference, ...]:
        return tuple(d for d in self.differences if d.explained)

    def lines(self) -> Iterator[str]:
        """The comparison for people: one line for each difference, then two lines of summary."""
        for difference in self.differences:
            yield _line(difference)
        counts = Counter(d.kind for d in self.unexplained)
        kinds = "; ".join(f"{kind} {counts[kind]}" for kind in DifferenceKind if counts[kind]) or "none"
        yield f"rows of the export: {self.compared}; unexplained differences: {len(self.unexplained)} ({kinds})"
        unheld = f"; our drugs that it does not name: {len(self.unheld_drugs)}" if self.unheld_drugs else ""
        yield f"explained differences: {len(self.explained)}{unheld}"


def compare(knowledge: Knowledge, path: Path) -> Comparison:
    """Hold the export in `path` against our CPIC tables. Raises KnowledgeError where the file is no export."""
    export = read_export(path, knowledge)
    names = DrugNames(knowledge)
    tables = _tables_by_drug(knowledge)
    differences: list[Difference] = []
    used: set[tuple[str, str, str]] = set()
    for recommendation in export:
        answers = tuple(_answers(tables.get(recommendation.drug, ()), recommendation, knowledge))
        used.update((recommendation.drug, table.id, row.id) for table, row in answers)
        differences += _held(recommendation, answers, names)
    drugs = {recommendation.drug for recommendation in export}
    differences += _unused(tables, drugs, used)
    unheld = tuple(sorted(set(tables) - drugs))
    return Comparison(compared=len(export), differences=tuple(differences), unheld_drugs=unheld)


def _tables_by_drug(knowledge: Knowledge) -> Mapping[str, tuple[Table, ...]]:
    """Our tables that come from CPIC, by drug. An export holds recommendations by genotype, so that a table
    without markers (a family history) has nothing to be compared with."""
    by_drug: dict[str, tuple[Table, ...]] = {}
    for table in knowledge.tables.values():
        source = knowledge.sources.get(table.source)
        if source is None or "CPIC" not in source.developer or not table.markers:
            continue
        for drug in table.drugs:
            by_drug[drug] = (*by_drug.get(drug, ()), table)
    return by_drug


def _answers(
    tables: Iterable[Table], recommendation: Recommendation, knowledge: Knowledge
) -> Iterator[tuple[Table, Row]]:
    """The rows of ours that answer exactly the states of the export's row, for its population."""
    for table in tables:
        if (table.compares_as or table.population.id).casefold() != recommendation.population:
            continue
        states = _marker_states(table, recommendation.lookup)
        if states is None:
            continue
        rows = [row for row in table.rows if _row_answers(row, states, knowledge)]
        superseded = {id_ for row in rows for id_ in row.supersedes}
        yield from ((table, row) for row in rows if row.id not in superseded)


def _marker_states(table: Table, lookup: Mapping[str, str]) -> dict[str, str] | None:
    """The export's states by our marker ids, or None where the table does not use one of its genes."""
    states = {}
    for gene, state in lookup.items():
        marker, value = _marker_state(table, gene, state)
        if marker not in table.markers:
            return None
        states[marker] = value
    return states


def _marker_state(table: Table, gene: str, state: str) -> tuple[str, str]:
    """Marker and state of ours: `HLA-B` with `*57:01 positive` is `hla:B*57:01` with `positive`.

    An HLA gene without an allele is the table's marker of that locus.
    """
    if not gene.startswith("HLA-"):
        return f"gene:{gene}", state
    prefix = f"hla:{gene.removeprefix('HLA-')}"
    if state.startswith("*"):
        allele, _, value = state.partition(" ")
        return f"{prefix}{allele}", value
    return next((marker for marker in table.markers if marker.startswith(f"{prefix}*")), prefix), state


def _row_answers(row: Row, states: Mapping[str, str], knowledge: Knowledge) -> bool:
    return all(
        states.get(marker) in expand_terms(marker, wanted, knowledge.genes) for marker, wanted in row.when.items()
    )


def _held(
    recommendation: Recommendation, answers: tuple[tuple[Table, Row], ...], names: DrugNames
) -> Iterator[Difference]:
    if not answers:
        yield _difference(DifferenceKind.NO_ANSWER, recommendation, "nothing", _flags_text(recommendation))
    for table, row in answers:
        for kind, ours, export in _row_differences(recommendation, row, names):
            place = f"{table.id}/{row.id}"
            yield _difference(kind, recommendation, ours, export, row=place, explained=row.differs)


def _row_differences(
    recommendation: Recommendation, row: Row, names: DrugNames
) -> Iterator[tuple[DifferenceKind, str, str]]:
    if row.advice.strength != recommendation.strength:
        yield DifferenceKind.STRENGTH, row.advice.strength.value, recommendation.strength.value
    if recommendation.dose is None or recommendation.alternative is None:
        return
    ours, export = _class_of(row), _flags_text(recommendation)
    if ours != export:
        yield DifferenceKind.CLASS_OF_ACTION, ours, export
    named = names.named_instead(recommendation.text, recommendation.drug)
    # What only the guideline's comments name is a fair choice of ours, and no must.
    allowed = named | names.named_instead(recommendation.comments, recommendation.drug)
    chosen = frozenset(drug for option in row.advice.options for drug in option.alternatives)
    if not named <= chosen <= allowed:
        yield DifferenceKind.DRUG_CHOICE, _listed(chosen), _listed(named)


def _class_of(row: Row) -> str:
    actions = {option.action for option in row.advice.options}
    return _class_text(dose=Action.DOSE in actions, alternative=bool(actions & CONTRAINDICATING))


def _flags_text(recommendation: Recommendation) -> str:
    return _class_text(dose=bool(recommendation.dose), alternative=bool(recommendation.alternative))


def _class_text(*, dose: bool, alternative: bool) -> str:
    return " and ".join(["dose"] * dose + ["alternative"] * alternative) or "neither"


def _listed(drugs: frozenset[str]) -> str:
    return ", ".join(sorted(drugs)) or "none"


def _difference(
    kind: DifferenceKind,
    recommendation: Recommendation,
    ours: str,
    export: str,
    *,
    row: str = "",
    explained: str = "",
) -> Difference:
    return Difference(
        kind=kind,
        drug=recommendation.drug,
        population=recommendation.population,
        states=", ".join(f"{gene} {state}" for gene, state in recommendation.lookup.items()),
        ours=ours,
        export=export,
        row=row,
        explained=explained,
    )


def _unused(
    tables: Mapping[str, tuple[Table, ...]], drugs: set[str], used: set[tuple[str, str, str]]
) -> Iterator[Difference]:
    """Rows of ours that no row of the export asks for, of the drugs that it names."""
    for drug in sorted(drugs & set(tables)):
        for table in tables[drug]:
            for row in table.rows:
                if (drug, table.id, row.id) not in used:
                    yield _unused_row(drug, table, row)


def _unused_row(drug: str, table: Table, row: Row) -> Difference:
    return Difference(
        kind=DifferenceKind.NOT_IN_EXPORT,
        drug=drug,
        population=table.compares_as or table.population.id,
        states=", ".join(f"{marker} {' | '.join(wanted)}" for marker, wanted in sorted(row.when.items())),
        ours=_class_of(row),
        export="nothing",
        row=f"{table.id}/{row.id}",
        explained=row.differs,
    )


def _line(difference: Difference) -> str:
    reason = f" [explained: {difference.explained}]" if difference.explained else ""
    where = f"{difference.drug} | {difference.population} | {difference.states}"
    row = f" ({difference.row})" if difference.row else ""
    return f"{where} | {difference.kind}: ours {difference.ours}, export {difference.export}{row}{reason}"
