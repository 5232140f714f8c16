"""What is nested too deeply is found, however it is written."""

from __future__ import annotations

import json
import random
import subprocess
import sys

import orjson
import pytest

from cds_service.received_json.nesting import DEEPEST, is_too_deep


def lists(depth: int) -> object:
    value: object = []
    for _ in range(depth - 1):
        value = [value]
    return value


def objects(depth: int) -> object:
    value: object = {}
    for _ in range(depth - 1):
        value = {"a": value}
    return value


@pytest.mark.parametrize("nested", [lists, objects])
@pytest.mark.parametrize("beside", ["", "[", "]" * 200, "[{" * 200, '"[', "\\"])
def test_the_limit_is_exact(nested, beside):
    for depth, expected in ((1, False), (20, False), (DEEPEST - 2, False), (DEEPEST - 1, True), (300, True)):
        value = [beside, {"a": nested(depth)}] if depth > 1 else nested(depth)
        content = json.dumps(value).encode()
        assert is_too_deep(content, orjson.loads(content)) is expected


def test_it_agrees_with_a_walk():
    def depth(value: object) -> int:
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
        return 0 if inner is None else 1 + max(map(depth, inner), default=0)

    chance = random.Random(1)

    def made(left: int) -> object:
        if not left or chance.random() < 0.02:
            return chance.choice(["[", "]]", "{}", 1, None])
        inner = [made(left - 1), chance.choice(["", "][", 2])]
        return inner if chance.random() < 0.5 else dict(zip("ab", inner, strict=True))

    for _ in range(200):
        value = made(chance.randint(0, 140))
        assert is_too_deep(json.dumps(value).encode(), value) is (depth(value) > DEEPEST)


@pytest.mark.parametrize("value", [1, "[" * 500, None, True, [], {}])
def test_what_is_not_nested(value):
    assert not is_too_deep(json.dumps(value).encode(), value)


def test_what_is_let_through_can_be_written():
    """As deep as allowed, and by as much deeper as an answer puts around a request's own resource."""
    program = (
        "import orjson\n"
        "v = 'x'\n"
        f"for _ in range({DEEPEST} + 20): v = [v]\n"
        "for k in range(0, 1100, 3): orjson.dumps({'t': ['x' * k] + [v] * 12})\n"
    )
    checked = {"PYTHONMALLOC": "debug"}  # a byte beyond a buffer ends the process
    run = subprocess.run([sys.executable, "-c", program], env=checked, check=False, capture_output=True)
    assert (run.returncode, run.stderr) == (0, b"")
