"""What is worked out from a knowledge base is worked out once, and for that knowledge base alone."""

from __future__ import annotations

from dataclasses import replace

from cds_service.knowledge.derived import once_for_each
from tests.support.tiny import world


def _counting():
    made = []

    def make(knowledge):
        made.append(knowledge.version)
        return knowledge.version

    return once_for_each(make), made


def test_it_is_worked_out_once():
    version_of, made = _counting()
    knowledge = world()
    assert [version_of(knowledge) for _ in range(3)] == ["tiny"] * 3
    assert made == ["tiny"]


def test_another_knowledge_base_has_its_own():
    version_of, made = _counting()
    bases = [replace(world(), version=str(n)) for n in range(9)]
    assert [version_of(base) for base in bases] == [base.version for base in bases]
    assert [version_of(base) for base in bases] == [base.version for base in bases]
    assert len(made) > len(bases), "only a few are kept"
    assert version_of(bases[-1]) == "8"
    assert made[-1] == "8"
