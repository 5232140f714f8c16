"""Which findings stand on a card, by order, and the order in which they are told."""

from __future__ import annotations

from collections.abc import Iterable

from cds_service.model import Finding, Indicator, Kind, Outcome, Silence

_INDICATORS = (Indicator.CRITICAL, Indicator.WARNING, Indicator.INFO)
_KINDS, _OUTCOMES = tuple(Kind), tuple(Outcome)
_NEVER_A_CARD = frozenset({Kind.NO_TEST_CHANGES, Kind.NO_CHANGE})
"""These stand beside the findings of their order and make no card of their own."""

Group = tuple[Finding, ...]


def worst_first(findings: Iterable[Finding]) -> Group:
    """By indicator, then by kind in the order of the closed set, then by the gravity of the resulting order."""
    return tuple(sorted(findings, key=_rank))


def _rank(finding: Finding) -> tuple[int, int, int, str, str, str, str, str]:
    """The texts only make the order the same whatever the order of the findings was."""
    return (
        _INDICATORS.index(finding.indicator),
        _KINDS.index(finding.kind),
        -_OUTCOMES.index(finding.resulting.outcome),
        finding.order.reference,
        finding.order.name,
        finding.drug,
        finding.table,
        finding.row,
    )


def groups_of(findings: Iterable[Finding]) -> list[Group]:
    """The findings that a card tells, by order, the gravest first; orders without a shown finding have no card."""
    told = [one for one in findings if _stands_beside(one) or _makes_a_card(one)]
    by_order: dict[tuple[str, str], list[Finding]] = {}
    for finding in worst_first(told):
        by_order.setdefault((finding.order.reference, finding.order.name), []).append(finding)
    return [tuple(group) for group in by_order.values() if any(map(_makes_a_card, group))]


def _stands_beside(finding: Finding) -> bool:
    """Whether the finding is told on the card of its order, unless another rule keeps it silent."""
    return finding.kind is Kind.NO_TEST_CHANGES and finding.silent in (Silence.SHOWN, Silence.NO_TEST_CHANGES)


def _makes_a_card(finding: Finding) -> bool:
    return not finding.silent and finding.kind not in _NEVER_A_CARD
