"""One gate in five, chosen by a hash of its id, has a case that was written by hand from its source."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from cds_service.knowledge.schema import Table
from cds_service.model import Trust
from tests.acceptance.test_cases import CASE_PARAMETERS, findings_of
from tests.support.world import knowledge

ONE_IN = 5


def is_gate(table: Table) -> bool:
    """A table that speaks, with a marker that is measured."""
    return table.trust is not Trust.RECALLED and any(m.startswith(("lab:", "derived:")) for m in table.markers)


def is_chosen(table: Table) -> bool:
    return int(sha256(table.id.encode()).hexdigest(), 16) % ONE_IN == 0


def cases() -> list[dict[str, Any]]:
    return [parameters.values[0] for parameters in CASE_PARAMETERS]


def test_every_chosen_gate_speaks_in_a_case() -> None:
    """A gate that is added and chosen by its id needs a case of its own before this is green again."""
    chosen = {t.id for t in knowledge().tables.values() if is_gate(t) and is_chosen(t)}
    spoken = {f.table for case in cases() for f in findings_of(case) if not f.silent}
    assert len(chosen) > 20
    assert chosen - spoken == set()


def test_the_gates_that_cases_name_exist() -> None:
    named = {case["gate"] for case in cases() if "gate" in case}
    assert named
    assert named <= set(knowledge().tables)
