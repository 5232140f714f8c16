"""Which row of a table answers a set of states. Rows are expanded once: phenotype terms become their states."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cds_service.knowledge.schema import Gene, MarkerUse, Row, Table
from cds_service.memory import Memory
from cds_service.model import INDETERMINATE, NO_RESULT, Action

HLA_STATES = ("positive", "negative")
OTHER_VARIANT = "other variant"
NO_VARIANT = "negative"
OTHER_THAN, OR = "other than ", "|"


@dataclass(frozen=True, slots=True)
class TableRows:
    """A table ready for look-up. `states` holds, for each marker, every state that a test could return."""

    markers: tuple[str, ...]
    states: Mapping[str, tuple[str, ...]]
    rows: tuple[tuple[Row, tuple[frozenset[str] | None, ...]], ...]
    uses: Mapping[str, MarkerUse] = field(default_factory=dict)
    table: str = ""
    deferring: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """For each marker the states whose advice is to use another test (G6PD variable)."""
    answered: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """For each marker the other states: those that a test worth ordering returns."""
    found: Memory[tuple[str, ...], Row | None] = field(default_factory=Memory, init=False, repr=False, compare=False)

    def find(self, tokens: tuple[str, ...]) -> Row | None:
        """The row for one token a marker, in the order of `markers`; None where no row answers.

        A token is a state, `No Result` or `Indeterminate`. The two tokens match only rows that name them.
        """
        return self.found.get(tokens, self._find, tokens)

    def answering(self, tokens: tuple[str, ...]) -> list[Row]:
        """Every row that answers the tokens and that no other one supersedes, the one that `find` gives first."""
        found = [row for row, accepted in self.rows if _matches(accepted, tokens)]
        superseded = {other for row in found for other in row.supersedes}
        return [row for row in found if row.id not in superseded]

    def _find(self, tokens: tuple[str, ...]) -> Row | None:
        return next(iter(self.answering(tokens)), None)


def _matches(accepted: tuple[frozenset[str] | None, ...], tokens: tuple[str, ...]) -> bool:
    return all(states is None or token in states for states, token in zip(accepted, tokens, strict=True))


def expand(table: Table, genes: Mapping[str, Gene]) -> TableRows:
    """The table's rows with phenotype terms expanded to states by `Gene.phenotypes`."""
    markers = tuple(table.markers)
    states = {marker: states_of_marker(marker, table, genes) for marker in markers}
    deferring = {marker: _deferring(marker, table, genes) for marker in markers}
    return TableRows(
        markers=markers,
        states=states,
        rows=tuple((row, tuple(_accepted(row, m, genes) for m in markers)) for row in table.rows),
        uses=table.markers,
        table=table.id,
        deferring={marker: deferring[marker].intersection(states[marker]) for marker in markers},
        answered={marker: frozenset(states[marker]) - deferring[marker] for marker in markers},
    )


def _deferring(marker: str, table: Table, genes: Mapping[str, Gene]) -> frozenset[str]:
    rows = [r for r in table.rows if [o.action for o in r.advice.options[:1]] == [Action.USE_OTHER_TEST]]
    return frozenset().union(*(_accepted(row, marker, genes) or frozenset() for row in rows))


def states_of_marker(marker: str, table: Table, genes: Mapping[str, Gene]) -> tuple[str, ...]:
    """Every state of the marker that a test could return, for this table."""
    use = table.markers[marker]
    if use.bands:
        return tuple(use.bands)
    if use.variants:
        return (*use.variants, OTHER_VARIANT, NO_VARIANT)
    if use.states:
        return use.states
    kind, _, name = marker.partition(":")
    if kind == "hla":
        return HLA_STATES
    return genes[name].states if kind == "gene" and name in genes else ()


def _accepted(row: Row, marker: str, genes: Mapping[str, Gene]) -> frozenset[str] | None:
    terms = row.when.get(marker)
    return None if terms is None else frozenset(expand_terms(marker, terms, genes))


def expand_terms(marker: str, terms: Iterable[str], genes: Mapping[str, Gene]) -> list[str]:
    """States that the terms stand for; tokens and states stand for themselves."""
    kind, _, name = marker.partition(":")
    phenotypes = genes[name].phenotypes if kind == "gene" and name in genes else {}
    return [state for term in terms for state in _states_of(term, phenotypes)]


def _states_of(term: str, phenotypes: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    return (term,) if term in (NO_RESULT, INDETERMINATE) else phenotypes.get(term, (term,))


def states_counted(marker: str, term: str, states: Iterable[str], genes: Mapping[str, Gene]) -> frozenset[str]:
    """The states of a table's marker that a published share of `term` counts (`Frequency.state`). A variant that the
    table does not name may be any that it finds; what is other than such a variant may be anything.

    >>> sorted(states_counted("somatic:KRAS", "other than G12C", ("G12C", "other variant", "negative"), {}))
    ['negative', 'other variant']
    >>> sorted(states_counted("somatic:KRAS", "G12C", ("positive", "negative"), {}))
    ['positive']
    """
    if marker.startswith(("gene:", "hla:")):
        return frozenset(expand_terms(marker, (term,), genes))
    every = frozenset(states)
    named = frozenset(term.removeprefix(OTHER_THAN).split(OR))
    if term.startswith(OTHER_THAN):
        return every - named
    return named if named <= every else every - {NO_VARIANT}
