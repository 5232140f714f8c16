"""Which findings stand on a card, by order, and the order in which they are told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from cds_service.model import Finding, Gravity, Harm, Indicator, Kind, NotTested, Outcome, Silence
from cds_service.writing.findings import departs_to_other_drug, is_conditional

_INDICATORS = (Indicator.CRITICAL, Indicator.WARNING, Indicator.INFO)
_KINDS, _OUTCOMES = tuple(Kind), tuple(Outcome)
_GRAVITIES, _HARMS = tuple(Gravity), tuple(Harm)
_NO_HARM = len(_GRAVITIES), len(_HARMS)
_NEVER_A_CARD = frozenset({Kind.NO_TEST_CHANGES, Kind.NO_CHANGE})
"""These stand beside the findings of their order and make no card of their own."""

Group = tuple[Finding, ...]


def worst_first(findings: Iterable[Finding]) -> Group:
    """By indicator, then by kind in the order of the closed set, then by how far the resulting order departs, then by
    the harm: what can kill goes before what may not work."""
    return tuple(sorted(findings, key=_rank))


def _rank(finding: Finding) -> tuple[int, int, int, int, int, str, str, str, str, str]:
    """The texts only make the order the same whatever the order of the findings was."""
    return (
        _INDICATORS.index(finding.indicator),
        _KINDS.index(finding.kind),
        -_OUTCOMES.index(finding.resulting.outcome),
        *_harm(finding),
        finding.order.reference,
        finding.order.name,
        finding.drug,
        finding.table,
        finding.row,
    )


def _harm(finding: Finding) -> tuple[int, int]:
    """Of what changes now; of what is asked or could not be checked nothing is decided yet."""
    if finding.kind is not Kind.CHANGE_NOW or finding.advice is None:
        return _NO_HARM
    return _GRAVITIES.index(finding.advice.gravity), _HARMS.index(finding.advice.harm)


def groups_of(findings: Iterable[Finding]) -> list[Group]:
    """The findings that a card tells, by order, the gravest first; orders without a shown finding have no card."""
    told = [one for one in findings if _stands_beside(one) or _makes_a_card(one)]
    by_order: dict[tuple[str, str], list[Finding]] = {}
    for finding in worst_first(told):
        by_order.setdefault((finding.order.reference, finding.order.name), []).append(finding)
    return [tuple(group) for group in by_order.values() if any(map(_makes_a_card, group))]


def departs(finding: Finding) -> bool:
    """Whether a shown finding lets the order not stand as drafted."""
    return not finding.silent and (finding.hold or finding.resulting.outcome is not Outcome.AS_DRAFTED)


def ends(finding: Finding) -> bool:
    """Whether what is known ends the order, whatever else holds."""
    is_known = finding.kind is Kind.CHANGE_NOW and not finding.silent
    return is_known and departs_to_other_drug(finding) and not is_conditional(finding)


def told_in_words(findings: Sequence[Finding]) -> Sequence[Finding]:
    """The findings that say something of their own. What needs no test is one sentence with the first of them; of
    what was never tested nothing else is left to say."""
    asked = {test.marker for finding in findings for test in finding.tests}
    closed = tuple(dict.fromkeys([m for one in findings for m in one.closed_markers if m not in asked]))
    told = [finding for finding in findings if not _closes_alone(finding)]
    if not told or not any(finding.closed_markers for finding in findings):
        return told or findings
    return [_closing(finding, () if place else closed) for place, finding in enumerate(told)]


def _closes_alone(finding: Finding) -> bool:
    untested = all(isinstance(view.knowledge, NotTested) for view in finding.markers)
    return finding.kind is Kind.NO_TEST_CHANGES and bool(finding.closed_markers) and untested


def _closing(finding: Finding, markers: tuple[str, ...]) -> Finding:
    return finding if finding.closed_markers == markers else replace(finding, closed_markers=markers)


def _stands_beside(finding: Finding) -> bool:
    """Whether the finding is told on the card of its order, unless another rule keeps it silent."""
    return finding.kind is Kind.NO_TEST_CHANGES and finding.silent in (Silence.SHOWN, Silence.NO_TEST_CHANGES)


def _makes_a_card(finding: Finding) -> bool:
    return not finding.silent and finding.kind not in _NEVER_A_CARD
