"""What is remembered is what would be worked out anew, within bounds."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from cds_service import memory
from cds_service.memory import Memory, remembered_by_content, remembered_by_identity, remembered_by_text

LONG = "x" * (memory.LONGEST_CONTENT + 1)


@dataclass
class Counted:
    """A function that counts its calls."""

    calls: list[object] = field(default_factory=list)

    def __call__(self, value: object, *more: object) -> object:
        self.calls.append((value, *more))
        return (str(value), *more)


def test_none_is_remembered_like_any_value():
    made = []
    kept: Memory[str, None] = Memory()
    for _ in range(2):
        assert kept.get("a", lambda: made.append(1)) is None
    assert made == [1]


def test_a_full_memory_begins_anew(monkeypatch):
    monkeypatch.setattr(memory, "MOST_ENTRIES", 3)
    kept: Memory[int, int] = Memory()
    assert [kept.get(n, lambda n: n * 2, n) for n in (*range(10), 0)] == [*(n * 2 for n in range(10)), 0]
    assert len(kept._values) <= 3


def test_what_was_kept_is_known_until_the_memory_is_full(monkeypatch):
    monkeypatch.setattr(memory, "MOST_ENTRIES", 2)
    kept: Memory[str, int] = Memory()
    assert (kept.holds({"a"}), kept.keep("a", 1), kept.holds({"a"})) == (False, 1, True)
    kept.keep("b", 2)
    assert (kept.get("b", lambda: 0), kept.find("b"), kept.holds({"a", "b"})) == (2, 2, True)
    kept.keep("c", 3)
    assert (kept.find("a"), kept.find("c"), kept.holds({"a", "c"})) == (None, 3, False)


def test_texts_are_told_apart_and_long_ones_not_kept():
    counted = Counted()
    call = remembered_by_text(counted)
    assert [call(text) for text in ("a", "A", "a", LONG, LONG)] == [("a",), ("A",), ("a",), (LONG,), (LONG,)]
    assert counted.calls == [("a",), ("A",), (LONG,), (LONG,)]


def test_equal_contents_are_one_and_others_are_not():
    counted = Counted()
    call = remembered_by_content(counted)
    contents = [{"a": 1}, {"a": 1}, {"a": 1.5}, {"a": "1"}, {"a": None}, {}, [], None, ["a"], "a"]
    assert [call(content) for content in contents] == [(str(content),) for content in contents]
    assert len(counted.calls) == len(contents) - 1


def test_further_arguments_count():
    call = remembered_by_content(Counted())
    assert [call({"a": 1}, 2.0), call({"a": 1}, 3.0), call({"a": 1}, None)] == [
        ("{'a': 1}", 2.0), ("{'a': 1}", 3.0), ("{'a': 1}", None)
    ]  # fmt: skip


@pytest.mark.parametrize("content", [{"a": LONG}, {"a": 2**70}, {1: "a"}, {"a": "\ud800"}], ids=str)
def test_what_is_long_or_cannot_be_written_is_worked_out_each_time(content):
    counted = Counted()
    call = remembered_by_content(counted)
    assert call(content) == call(content) == (str(content),)
    assert len(counted.calls) == 2


def test_a_changed_object_is_read_anew():
    call = remembered_by_content(Counted())
    content = {"a": 1}
    before = call(content)
    content["a"] = 2
    assert (before, call(content)) == (("{'a': 1}",), ("{'a': 2}",))


def test_parts_of_the_knowledge_are_told_apart_by_identity():
    one, other = {"name": "one"}, {"name": "one"}
    counted = Counted()
    call = remembered_by_identity(counted)
    for part in (one, other, one):
        assert call(part, "x") == (str(part), "x")
    assert len(counted.calls) == 2
    assert call(one, LONG) == call(one, LONG)
    assert len(counted.calls) == 4


def test_what_is_asked_by_name_is_worked_out_each_time():
    counted: list[str] = []

    def told(part: dict[str, str], kind: str) -> str:
        counted.append(kind)
        return part["name"] + kind

    call, part = remembered_by_identity(told), {"name": "one "}
    assert [call(part, kind="x"), call(part, kind="y")] == ["one x", "one y"]
    assert [call(part, "x"), call(part, "x")] == ["one x", "one x"]
    assert counted == ["x", "y", "x"]


def test_the_identity_of_a_part_that_is_gone_is_not_mistaken():
    call = remembered_by_identity(lambda part: part["n"])
    assert [call({"n": n}) for n in range(200)] == list(range(200))
