"""A name that stands twice is seen wherever it is and however it is written; nothing else is taken for one."""

from __future__ import annotations

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.received_json.double_names import has_double_names

TEXTS = st.text(st.sampled_from('ab:"\\{},u003 é'), max_size=6)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


def told(content: bytes) -> bool:
    return has_double_names(content, orjson.loads(content))


@given(VALUES, st.booleans(), st.sampled_from([None, 2]))
def test_what_has_each_name_once_passes(value, escaped, indent):
    assert not told(json.dumps(value, ensure_ascii=escaped, indent=indent, allow_nan=False).encode())


@given(VALUES, VALUES, TEXTS)
def test_a_name_twice_is_seen(first, second, name):
    key = json.dumps(name)
    inner = f"{{{key}: {json.dumps(first)}, {key}: {json.dumps(second)}}}"
    assert told(f'{{"a": [{inner}]}}'.encode())


@pytest.mark.parametrize(
    "content",
    [
        rb'{"a": 1, "\u0061": 2}',
        rb'{"a": 1, "b": "\u003a", "a": 2}',
        rb'{"a": 1, "b": "\u003A", "a": ":"}',
        b'{"a": {"x": 1}, "a": {}}',
    ],
)
def test_escapes_hide_none(content):
    assert told(content)


def test_long_numbers_and_escaped_colons_are_no_names():
    assert not told(b'{"a": ' + b"9" * 25 + rb', "b": "\u003a"}')
