"""Requests that somebody's software got wrong: fixtures with parts dropped, retyped, duplicated, deepened, swapped.

Every mutation is chosen by a random number generator of the caller's, so that a seed and a number name a request.
"""

from __future__ import annotations

import copy
import json
import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cds_service import unique_yaml
from tests.acceptance.test_shape_cases import FOLDER
from tests.acceptance.test_shape_cases import resource as resource_of
from tests.support import fixtures

Json = Any
Holder = dict[str, Json] | list[Json]

_MOST_CHANGES = 6
_SWAPPED = ("code", "system", "text", "display", "reference", "value", "status", "unit", "valueString")
_DEPTHS = (1, 2, 3, 10, 60, 120, 240)
_ODD: tuple[Json, ...] = (
    None, True, False, 0, -1, 1, 2**63 - 1, -(2**63), 1e308, -1e-308, 0.1, "", " ", "\t\n", "0", "null", "NaN",
    "\u0000", "\u202egnp.exe", "\ufeff", "\U0001f9ec", "a\u0301" * 20, "<script>alert(1)</script>",
    "[x](javascript:1)", "x" * 5000, "*" * 300, "9" * 400, "1e400", "-0", "0/0", "{{context.patientId}}", "${jndi:x}",
    "%s%n", "../../etc",
    [], {}, [[]], [None], [{}], [""], {"": ""}, {"resourceType": "Bundle"}, {"value": None}, {"extension": [{}]},
    "2024-02-30", "0000-00-00", "9999-12-31", "2024", "2024-13", "24:00:00", "1900-01-01T00:00:00+14:00",
    "2024-01-01T00:00:60Z", "*1/*1", "*4x3/*1", "*1+*2/*999", "rs1/rs2", "*1/*1/*1", "CYP2D6", "Poor Metabolizer",
)  # fmt: skip

_OBSERVED = (
    "CYP2C19", "CYP2C9", "CYP2D6", "CYP2B6", "CYP3A5", "DPYD", "TPMT", "NUDT15", "UGT1A1", "SLCO1B1", "ABCG2",
    "VKORC1", "CYP4F2", "G6PD", "RYR1", "CACNA1S", "CFTR", "MT-RNR1", "IFNL3", "NAT2", "F5", "HLA-A", "HLA-B",
    "HLA-B*57:01", "KRAS", "HER2", "Potassium",
)  # fmt: skip
_ASKED = (
    "", "activity score", "genotype", "diplotype", "phenotype", "metabolizer status", "enzyme activity", "haplotype",
)  # fmt: skip
_SAID: tuple[tuple[str, Json], ...] = (
    ("valueQuantity", {"value": 1.0}), ("valueQuantity", {"value": -2, "unit": "%"}),
    ("valueQuantity", {"value": 5, "unit": "mmol/L"}), ("valueInteger", 3), ("valueBoolean", True),
    ("valueString", "1.25"), ("valueString", "≥3"), ("valueString", "*1/*2"), ("valueString", "*2"),
    ("valueString", "positive"), ("valueString", "A-/A-"), ("valueString", "m.1555A>G"),
    ("valueCodeableConcept", {"text": "Poor Metabolizer"}), ("valueCodeableConcept", {"text": "Indeterminate"}),
    ("valueCodeableConcept", {"text": "*57:01/*58:01"}), ("valueRange", {"low": {"value": 1}, "high": {"value": 2}}),
    ("dataAbsentReason", {"text": "unknown"}),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """A value in its holder."""

    holder: Holder
    key: Any

    @property
    def value(self) -> Json:
        return self.holder[self.key]

    def put(self, value: Json) -> None:
        self.holder[self.key] = value


class Pool:
    """Every value of all fixtures, by the name under which it stands: what may be swapped in for another."""

    def __init__(self, bodies: Sequence[Json]) -> None:
        self.by_name: dict[str, list[Json]] = defaultdict(list)
        for body in bodies:
            for place in places(body):
                if isinstance(place.key, str):
                    self.by_name[place.key].append(place.value)
        self.names = sorted(self.by_name)
        self.all = [value for name in self.names for value in self.by_name[name]]

    def like(self, place: Place, chance: random.Random) -> Json:
        named = self.by_name.get(place.key) if isinstance(place.key, str) else None
        return copy.deepcopy(chance.choice(named or self.all))


def places(value: Json) -> Iterator[Place]:
    """Every value below `value`."""
    keys: Any = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        place = Place(value, key)
        yield place
        yield from places(place.value)


def fixture_bodies() -> dict[str, Json]:
    folder = fixtures.FIXTURES / "requests"
    return {name: json.loads((folder / f"{name}.json").read_bytes()) for name in fixtures.names()}


def shapes() -> list[str]:
    """Every resource of the shape cases, as JSON: the many ways in which laboratories write a result."""
    cases = [case for path in sorted(FOLDER.glob("*.yaml")) for case in unique_yaml.load(path.read_bytes())]
    written = [resource for case in cases for resource in case["resources"]]
    return [json.dumps(resource_of(form, number), default=str) for number, form in enumerate(written)]


def with_shapes(body: Json, resources: Sequence[str], chance: random.Random) -> Json:
    """A copy of `body` with some `resources` among the patient's results."""
    changed = copy.deepcopy(body)
    patient = changed["context"]["patientId"].removeprefix("Patient/")
    drawn = [chance.choice(resources) for _ in range(chance.randint(1, 5))]
    entries = [{"resource": json.loads(text.replace("Patient/ada", f"Patient/{patient}"))} for text in drawn]
    results = changed.setdefault("prefetch", {}).get("results")
    before = results.get("entry", []) if isinstance(results, dict) else []
    changed["prefetch"]["results"] = {"resourceType": "Bundle", "type": "searchset", "entry": before + entries}
    return changed


def mutated(body: Json, pool: Pool, chance: random.Random) -> tuple[Json, tuple[str, ...]]:
    """A changed copy of `body`, and the names of the changes."""
    changed = copy.deepcopy(body)
    changes = []
    for _ in range(chance.randint(1, _MOST_CHANGES)):
        found = list(places(changed))
        if not found:
            break
        name = chance.choice(list(_CHANGES))
        results = [place for place in found if name == "result" and _is_observation(place.value)]
        _CHANGES[name](chance.choice(results or found), pool, chance)
        changes.append(name)
    return changed, tuple(changes)


def _copied(value: Json) -> Json:
    """A copy; the value itself where it is nested too deeply to be copied."""
    try:
        return copy.deepcopy(value)
    except RecursionError:
        return value


def _drop(place: Place, _pool: Pool, _chance: random.Random) -> None:
    del place.holder[place.key]


def _retype(place: Place, _pool: Pool, chance: random.Random) -> None:
    value = place.value
    forms = (
        [value],
        {"value": value},
        json.dumps(value)[:2000],
        list(value) if isinstance(value, dict | str) else [value, value],
        chance.choice(_ODD),
    )
    place.put(_copied(chance.choice(forms)))


def _odd(place: Place, _pool: Pool, chance: random.Random) -> None:
    place.put(copy.deepcopy(chance.choice(_ODD)))


def _duplicate(place: Place, pool: Pool, chance: random.Random) -> None:
    if isinstance(place.holder, list):
        copies = chance.choice((1, 1, 2, 20))
        place.holder[place.key : place.key] = [_copied(place.value) for _ in range(copies)]
    else:
        place.holder[chance.choice(pool.names)] = _copied(place.value)


def _deepen(place: Place, _pool: Pool, chance: random.Random) -> None:
    value = place.value
    wrap = chance.choice(
        (
            lambda inner: [inner],
            lambda inner: {"extension": [inner]},
            lambda inner: {"contained": [inner], "resourceType": "Bundle"},
            lambda inner: {"resourceType": "Bundle", "entry": [{"resource": inner}]},
            lambda inner: {"coding": inner},
        )
    )
    for _ in range(chance.choice(_DEPTHS) // (2 if not isinstance(wrap(0), list) else 1) + 1):
        value = wrap(value)
    place.put(value)


def _swap(place: Place, pool: Pool, chance: random.Random) -> None:
    place.put(pool.like(place, chance))


def _swap_code(place: Place, pool: Pool, chance: random.Random) -> None:
    """Swap in another code, system, text or reference, wherever the nearest one is."""
    wanted = chance.choice(_SWAPPED)
    inside = [inner for inner in places(place.value) if inner.key == wanted]
    target = chance.choice(inside) if inside else place
    _swap(target, pool, chance)


def _cross(place: Place, pool: Pool, chance: random.Random) -> None:
    """Another value of any kind from any fixture."""
    place.put(copy.deepcopy(chance.choice(pool.all)))


def _text(place: Place, _pool: Pool, chance: random.Random) -> None:
    """A text with a character more, fewer or different."""
    value = place.value
    if not isinstance(value, str):
        _odd(place, _pool, chance)
        return
    at = chance.randint(0, len(value))
    place.put(value[:at] + chance.choice("\u0000 \n*/+>:|\u00d7\u2265[]x0") + value[at + chance.randint(0, 1) :])


def _result(place: Place, _pool: Pool, chance: random.Random) -> None:
    """An Observation says another thing, of its own gene or another, that no laboratory would."""
    result = place.value
    if not _is_observation(result):
        return
    own = [name for name in _OBSERVED if name in json.dumps(result)]
    observed = chance.choice(own if own and chance.random() < 0.5 else _OBSERVED)
    for name in [name for name in result if name.startswith("value") or name in ("component", "interpretation")]:
        del result[name]
    result["code"] = {"text": f"{observed} {chance.choice(_ASKED)}".strip()}
    name, value = chance.choice(_SAID)
    result[name] = copy.deepcopy(value)


def _is_observation(value: Json) -> bool:
    return isinstance(value, dict) and value.get("resourceType") == "Observation"


Change = Callable[[Place, Pool, random.Random], None]
_CHANGES: Mapping[str, Change] = {
    "drop": _drop,
    "retype": _retype,
    "odd": _odd,
    "duplicate": _duplicate,
    "deepen": _deepen,
    "swap": _swap,
    "swap_code": _swap_code,
    "cross": _cross,
    "text": _text,
    "result": _result,
}


_START = b'{"hook": "order-sign", "hookInstance": "i", "context": {"patientId": "p1", "draftOrders": '
_END = b"}}"
_PLAIN = json.dumps({"hook": "order-sign", "hookInstance": "i", "context": {"patientId": "p1", "draftOrders": {}}})


def _with(value: bytes) -> bytes:
    return _START + b'{"resourceType": "Bundle", "x": ' + value + b"}" + _END


UNREADABLE: Mapping[str, bytes] = {
    "depth 100,000 of lists": _with(b"[" * 100_000 + b"]" * 100_000),
    "depth 100,000 of objects": _with(b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
    "depth 100,000 and no end": _START + b"[" * 100_000,
    "depth 250, where orjson.dumps ends the process": _with(b"[%s]" % b",".join([b"[" * 250 + b"]" * 250] * 21)),
    "depth 1,000": _with(b"[" * 1_000 + b"]" * 1_000),
    "NaN": _with(b"NaN"),
    "Infinity": _with(b"-Infinity"),
    "a huge whole number": _with(b"1" + b"0" * 400),
    "a whole number of 65 bits": _with(b"18446744073709551616"),
    "a negative one": _with(b"-9223372036854775809"),
    "a whole number of a million digits": _with(b"9" * 1_000_000),
    "a huge float": _with(b"1e999999"),
    "a lone high surrogate": _with(b'"\\ud800"'),
    "a lone low surrogate": _with(b'"\\udc00"'),
    "surrogates the wrong way round": _with(b'"\\udc00\\ud800"'),
    "a surrogate as a name": _START + b'{"\\ud800": 1}' + _END,
    "surrogates in UTF-8": _with(b'"\xed\xa0\x80"'),
    "overlong UTF-8": _with(b'"\xc0\xaf"'),
    "Latin-1": _with('"é"'.encode("latin-1")),
    "UTF-16": _PLAIN.encode("utf-16"),
    "UTF-16 without a mark": _PLAIN.encode("utf-16-le"),
    "UTF-32": _PLAIN.encode("utf-32"),
    "a byte order mark": b"\xef\xbb\xbf" + _PLAIN.encode(),
    "a name twice": _with(b'{"code": "a", "code": "b"}'),
    "the patient twice": _PLAIN.replace('"patientId": "p1"', '"patientId": "p1", "patientId": "p2"').encode(),
    "the hook twice, once escaped": _PLAIN.replace('"hook":', '"h\\u006fok": "patient-view", "hook":').encode(),
    "single quotes": _PLAIN.replace('"', "'").encode(),
    "a comment": _PLAIN.encode() + b" // x",
    "a comma too many": _with(b"[1,]"),
    "two values": _PLAIN.encode() * 2,
    "half of it": _PLAIN.encode()[:-9],
    "a control character in a text": _with(b'"\x01"'),
    "nothing": b"",
    "a zero byte": b"\x00",
    "a number": b"1",
    "a list": b"[]",
    "null": b"null",
}


def corrupted(content: bytes, chance: random.Random) -> bytes:
    """`content` with some bytes changed, lost or inserted."""
    changed = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        at = chance.randint(0, len(changed))  # of a short one nothing may be left
        changed[at : at + chance.randint(0, 3)] = chance.randbytes(chance.randint(0, 3))
    return bytes(changed)
