"""Of several tables that fit one order: which of them speak, and which an indication makes moot (docs/reasoning.md,
step 8)."""

from __future__ import annotations

from collections import defaultdict

from cds_service.knowledge.base import Knowledge
from cds_service.knowledge.schema import Table, TableKind
from cds_service.model import Action, Silence, Trust, is_of_tumour
from cds_service.policy import Policy
from cds_service.reasoning.decide import Decision
from cds_service.reasoning.measures import is_measured
from cds_service.reasoning.predicates import Truth

Decided = tuple[Decision, Truth]
"""A table's decision, and how its population was found to fit."""

Fitting = tuple[Table, Truth]
"""A table that fits or may fit."""


def leading_among(fitting: list[Fitting], knowledge: Knowledge, policy: Policy) -> frozenset[str]:
    """Ids of the tables that speak: for the same markers one source leads."""
    of_same: defaultdict[frozenset[str], list[Fitting]] = defaultdict(list)
    for table, fit in fitting:
        of_same[_shared(table)].append((table, fit))
    return frozenset([t.id for same in of_same.values() for t in _leading_of(same, knowledge, policy)])


def _leading_of(same: list[Fitting], knowledge: Knowledge, policy: Policy) -> list[Table]:
    """Of tables of the same markers those of the source that leads, one that fits for certain before others; and
    those that may fit and would then lead."""
    if len(same) == 1:
        return [same[0][0]]
    ranks = {table.id: _rank(table, knowledge, policy) for table, _ in same}
    leader, _ = min(same, key=lambda pair: (not pair[1].holds, ranks[pair[0].id]))
    return [table for table, _ in same if table.source == leader.source or ranks[table.id] < ranks[leader.id]]


def _rank(table: Table, knowledge: Knowledge, policy: Policy) -> tuple[bool, int]:
    """What leads: knowledge that may be shown before what is recalled, then the site's order of sources."""
    kind = knowledge.sources[table.source].kind
    order = policy.source_order
    return table.trust is Trust.RECALLED, order.index(kind) if kind in order else len(order)


def _shared(table: Table) -> frozenset[str]:
    """What tables have in common of which one source leads: their markers. Tables of no marker, of a measured one or
    of a tumour's stand for themselves."""
    alone = not table.markers or any(is_measured(m) or is_of_tumour(m) for m in table.markers)
    return frozenset((table.id,)) if alone else frozenset(table.markers)


def moot_by(decided: Decided, decisions: list[Decided]) -> Silence:
    """The rule that makes an indication table's finding moot, or SHOWN. A drug is not indicated only when every
    indication that fits excludes it."""
    if decided[0].situation.table.kind is not TableKind.INDICATION:
        return Silence.SHOWN
    others = [d for d in decisions if d is not decided and d[0].situation.table.kind is TableKind.INDICATION]
    if any(_supports(d) for d in others):
        return Silence.SHOWN if _supports(decided) else Silence.INDICATED_OTHERWISE
    open_elsewhere = any(not d.changes_now for d, _ in others)
    return Silence.OTHER_INDICATION_OPEN if decided[0].changes_now and open_elsewhere else Silence.SHOWN


def _supports(decided: Decided) -> bool:
    """What is known indicates the drug; a row without advice speaks neither for nor against it."""
    decision, fit = decided
    settled = bool(fit.holds) and not decision.changes_now and not decision.questions
    return settled and decision.now.advice.options[0].action is not Action.NO_RECOMMENDATION
