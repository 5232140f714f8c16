"""Proofs about the rows of a table: every state is answered, no two rows disagree, every row is reached.

All combinations of a table's states, and of what is known instead of a state, are gone through one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations, product

from cds_service.knowledge.rows import TableRows, expand
from cds_service.knowledge.schema import Concerns, Gene, Source, SourceKind, Table
from cds_service.model import (
    CONTRAINDICATING,
    INDETERMINATE,
    NO_RESULT,
    Action,
    Advice,
    DoseChange,
    Gravity,
    Harm,
    Option,
    Trust,
)

_TOKENS = (NO_RESULT, INDETERMINATE)
_SAID_EXAMPLES = 3


def row_problems(table: Table, genes: Mapping[str, Gene], sources: Mapping[str, Source]) -> Iterator[str]:
    """Everything that is wrong with the table's rows, a line each."""
    where = f"table {table.id}"
    rows = expand(table, genes)
    yield from (f"{where}: {problem}" for problem in _ids(table))
    yield from (f"{where}: {problem}" for problem in _terms(table, rows))
    yield from (f"{where}: {problem}" for problem in _look_ups(table, rows))
    yield from (f"{where}: {problem}" for problem in _windows(table))
    for row in table.rows:
        place = f"{where}/{row.id}"
        yield from (f"{place}: {problem}" for problem in _advice(row.advice, table))
        if _would_be_critical(row.advice, table, sources) and table.trust_of(row) is Trust.CORROBORATED:
            yield f"{place}: critical advice of trust {table.trust_of(row).value}; expected trust read"


def _ids(table: Table) -> Iterator[str]:
    ids = [row.id for row in table.rows]
    yield from (f"row {name!r} stands {ids.count(name)} times" for name in dict.fromkeys(ids) if ids.count(name) > 1)
    for row in table.rows:
        for other in row.supersedes:
            if other not in ids or other == row.id:
                yield f"row {row.id!r} supersedes {other!r}, which is no other row of the table"


def _terms(table: Table, rows: TableRows) -> Iterator[str]:
    """Markers and terms of the rows that the table or the gene does not have."""
    for row, accepted in rows.rows:
        for marker in row.when:
            if marker not in table.markers:
                yield f"row {row.id!r} asks about {marker}, which is no marker of the table"
        for marker, states in zip(rows.markers, accepted, strict=True):
            known = {*rows.states[marker], *_TOKENS}
            for state in sorted((states or frozenset()) - known):
                yield f"row {row.id!r}: {state!r} is no state or phenotype of {marker}"


def _look_ups(table: Table, rows: TableRows) -> Iterator[str]:
    """One pass over all combinations: states that no row answers, rows that disagree, rows never reached."""
    unanswered: list[str] = []
    disagreeing: dict[tuple[str, str], str] = {}
    reached: set[str] = set()
    for tokens in product(*((*rows.states[marker], *_TOKENS) for marker in rows.markers)):
        found = rows.answering(tokens)
        reached.update(row.id for row in found[:1])
        for one, other in combinations(found, 2):
            if one.advice != other.advice:
                disagreeing.setdefault((one.id, other.id), _told(rows, tokens))
        if not found and not set(tokens) & set(_TOKENS):
            unanswered.append(_told(rows, tokens))
    if unanswered:
        examples = "; ".join(unanswered[:_SAID_EXAMPLES])
        yield f"no row answers {len(unanswered)} of the combinations of states ({examples})"
    for (first, second), example in disagreeing.items():
        yield f"rows {first!r} and {second!r} answer the same facts differently ({example})"
    yield from (f"row {row.id!r} is never reached" for row in table.rows if row.id not in reached)


def _windows(table: Table) -> Iterator[str]:
    """What concerns a dose says after how long that dose is tolerated."""
    by_marker = [use.tolerated_after_days for use in table.markers.values()]
    concerns_dose = Concerns.DOSE in (table.concerns, *(row.concerns for row in table.rows))
    if concerns_dose and None in (by_marker or [table.tolerated_after_days]):
        yield "concerns the dose, and does not say after how many days a dose is tolerated"
    if by_marker and table.tolerated_after_days is not None:
        yield "a table of markers says with each of them after how many days it is tolerated"


def _told(rows: TableRows, tokens: tuple[str, ...]) -> str:
    return ", ".join(f"{m} {t}" for m, t in zip(rows.markers, tokens, strict=True)) or "no marker"


def _advice(advice: Advice, table: Table) -> Iterator[str]:
    if not advice.options:
        yield "the advice has no option"
    if advice.options and all(option.under_way_with for option in advice.options):
        yield "every option may be under way already: the advice needs one that is left then"
    for n, option in enumerate(advice.options):
        yield from option_problems(option)
        if n == 0 and option.joins:
            yield "the first option joins one before it, and there is none"
        if n == 0 and option.dose is not None and not _says_something(option.dose):
            yield "the first option changes the dose and does not say how: no figure, direction or frequency"
        own = sorted(set(option.alternatives) & set(table.drugs))
        if own and set(table.drugs) <= set(option.alternatives):
            yield f"{', '.join(own)} is named as an alternative to itself"


def option_problems(option: Option) -> Iterator[str]:
    """What is wrong with one option in itself."""
    if (option.action is Action.DOSE) != (option.dose is not None):
        yield f"option {option.action.value}: a dose change stands with the action `dose`, and only there"
    if option.dose is not None:
        yield from _dose(option.dose)


def _dose(change: DoseChange) -> Iterator[str]:
    figures = [figure for figure in (change.factor, change.amount, change.cap) if figure is not None]
    if len(figures) > 1:
        yield "a dose change has more than one of factor, amount and cap"
    if change.times is not None and not (change.frequency and change.times.count > 0 and change.times.period > 0):
        yield "a dose change with `times` says them in words too (`frequency`), each a figure above 0"
    if change.factor is not None and not 0 <= change.factor[0] <= change.factor[1] > 0:
        yield f"dose factor {change.factor}; expected the low and the high share of the usual dose"


def _says_something(change: DoseChange) -> bool:
    given = (change.factor, change.amount, change.cap, change.floor)
    return bool(change.direction or change.frequency) or any(figure is not None for figure in given)


def _would_be_critical(advice: Advice, table: Table, sources: Mapping[str, Source]) -> bool:
    """By the rule of the indicators. Recalled guidance is silent and may be as grave as it likes."""
    if not advice.options or advice.harm is Harm.LACK_OF_EFFECT:
        return False
    first = advice.options[0].action
    source = sources.get(table.source)
    label = source is not None and source.kind == SourceKind.LABEL_CONTRAINDICATION and first in CONTRAINDICATING
    return label or advice.gravity is Gravity.FATAL_OR_IRREVERSIBLE
