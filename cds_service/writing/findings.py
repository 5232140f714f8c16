"""What cards, suggestions and the extension ask of a finding."""

from __future__ import annotations

from collections.abc import Iterable

from cds_service.knowledge.schema import Table
from cds_service.model import (
    Action,
    Finding,
    Outcome,
)
from cds_service.writing.words import Words

DEPARTS = frozenset(Outcome) - {Outcome.AS_DRAFTED, Outcome.WAIT}
"""Outcomes that leave another order than the one drafted."""


def table_of(finding: Finding, words: Words) -> Table | None:
    """The table that gave the finding, where it has one."""
    return words.knowledge.tables.get(finding.table)


def tables_of(findings: Iterable[Finding], words: Words) -> list[Table]:
    """The tables that gave the findings, each once."""
    tables = {finding.table: table_of(finding, words) for finding in findings}
    return [table for table in tables.values() if table]


def asked_markers(finding: Finding) -> tuple[str, ...]:
    """The markers whose tests are asked for, else all that the finding saw."""
    if finding.tests:
        return tuple([test.marker for test in finding.tests])
    return tuple([view.marker for view in finding.markers])


def departs_to_other_drug(finding: Finding) -> bool:
    """Whether the advice now is to leave the drug."""
    return finding.resulting.outcome in (Outcome.OTHER_DRUG, Outcome.STOP)


def is_conditional(finding: Finding) -> bool:
    """Whether the preferred option holds under a condition only (`if given for cancer`)."""
    return bool(finding.advice and finding.advice.options and finding.advice.options[0].only_if)


def first_action(finding: Finding) -> Action | None:
    """The action of the preferred option now."""
    return finding.advice.options[0].action if finding.advice and finding.advice.options else None
