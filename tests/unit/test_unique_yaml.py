"""YAML in which a key stands once."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from cds_service import unique_yaml

CONTENT = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(content=CONTENT)
def test_what_is_written_is_read(content):
    assert unique_yaml.load(yaml.safe_dump(content)) == content


@given(key=st.text(), outer=st.sampled_from(["{}", "[{}]", "x: {}", "x: {{y: [{}]}}"]))
def test_a_key_that_stands_twice_is_a_fault_however_deep(key, outer):
    one = yaml.safe_dump({key: 1}, default_flow_style=True, width=10**6).strip()[1:-1]
    with pytest.raises(yaml.YAMLError, match="stands twice"):
        unique_yaml.load(outer.format(f"{{{one}, {one}}}"))


def test_a_mapping_may_take_over_from_another():
    assert unique_yaml.load("a: &a {b: 1}\nc: {<<: *a, b: 2}") == {"a": {"b": 1}, "c": {"b": 2}}


@pytest.mark.parametrize("text", ["a: 2026-99-99", "? [1]\n: 2", b"\xff", "[" * 5000, "{"])
def test_what_cannot_be_read_is_a_fault_of_yaml(text):
    with pytest.raises(yaml.YAMLError):
        unique_yaml.load(text)
