"""JWK Sets: which keys are used, and how often an address is asked for them."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from hypothesis import given, settings
from hypothesis import strategies as st
from jwt.algorithms import HMACAlgorithm, OKPAlgorithm

from cds_service.callers import key_sets
from cds_service.callers.key_sets import FetchedKeys, read_key_set
from cds_service.errors import KeySetError
from cds_service.fetching.client import FetchError
from tests.support.tokens import ES384, ES512, key_set_a, private_jwk, private_key, public_jwk

GOOD = public_jwk(ES384.key, "k")


def test_each_key_is_bound_to_the_algorithms_of_its_kind():
    keys, faults = read_key_set(key_set_a())
    assert not faults
    assert [sorted(key.algorithms) for key in keys] == [["ES384"], ["ES512"], ["PS384", "PS512", "RS384", "RS512"]]


def test_keys_of_two_names_may_be_for_one_algorithm():
    old, new = public_jwk(ES384.key, "old"), public_jwk(private_key("P-384", "b"), "new")
    keys, faults = read_key_set({"keys": [old, new]})
    assert ([key.key_id for key in keys], faults) == (["old", "new"], ())


def test_a_key_may_name_its_one_algorithm():
    rsa = public_jwk(private_key("RSA2048"), "k", alg="PS384")
    ((key,), _) = read_key_set({"keys": [rsa]})
    assert key.algorithms == {"PS384"}


@pytest.mark.parametrize(
    "entry",
    [
        7,
        {},
        GOOD | {"kid": None},
        GOOD | {"kid": "a b"},
        GOOD | {"use": "enc"},
        GOOD | {"key_ops": ["sign"]},
        GOOD | {"key_ops": 7},
        GOOD | {"alg": "RS384"},
        GOOD | {"alg": "HS384"},
        GOOD | {"x": "AAAA"},
        GOOD | {"x": 7},
        GOOD | {"kty": ["EC"]},
        GOOD | {"crv": ["P-384"]},
        *[GOOD | {part: "AAAA"} for part in ("d", "p", "q", "dp", "dq", "qi", "oth", "k")],
        private_jwk(ES384.key, "k"),
        public_jwk(private_key("P-256"), "k"),
        public_jwk(private_key("RSA1024"), "k"),
        {**HMACAlgorithm.to_jwk(b"x" * 48, as_dict=True), "kid": "k"},
        {**OKPAlgorithm.to_jwk(ed25519.Ed25519PrivateKey.generate().public_key(), as_dict=True), "kid": "k"},
    ],
    ids=str,
)
def test_a_key_that_is_not_fit_is_left_out(entry):
    keys, faults = read_key_set({"keys": [entry, public_jwk(ES512.key, "other")]})
    assert [key.key_id for key in keys] == ["other"]
    assert len(faults) == 1
    assert faults[0].startswith("keys[0]")


@pytest.mark.parametrize("document", [None, [], {}, {"keys": {}}, GOOD])
def test_what_is_no_set_is_a_fault(document):
    with pytest.raises(KeySetError):
        read_key_set(document)


class Address:
    """An address of keys with a clock of its own. While it is held, an answer does not come."""

    def __init__(self, *sets: object) -> None:
        self.sets, self.asked, self.now_s = list(sets), 0, 0.0
        self.answers = threading.Event()
        self.answers.set()
        self.keys = FetchedKeys(self.fetch, lambda: self.now_s, client="ehr-a")

    def fetch(self) -> object:
        self.asked += 1
        found = self.sets[min(self.asked, len(self.sets)) - 1]
        assert self.answers.wait(10)
        if isinstance(found, FetchError):
            raise found
        return found

    def finds(self, key_id: str, after_s: float = 0.0) -> bool:
        self.now_s += after_s
        return self.keys.find(key_id, "ES384") is not None

    def finds_at_once(self, *key_ids: str) -> list[tuple[bool, float]]:
        """Whether each is found, and how long that took, in seconds, when all ask at once."""
        with ThreadPoolExecutor(len(key_ids)) as pool:
            return list(pool.map(self._finds_timed, key_ids))

    def _finds_timed(self, key_id: str) -> tuple[bool, float]:
        began_s = time.monotonic()
        return self.finds(key_id), time.monotonic() - began_s


@pytest.fixture
def address_of() -> Iterator[Callable[..., Address]]:
    made: list[Address] = []

    def make(*sets: object) -> Address:
        made.append(Address(*sets))
        return made[-1]

    yield make
    for address in made:
        address.answers.set()
        address.keys.close()


def wait_for(condition) -> None:
    until = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


def set_of(*key_ids: str) -> dict[str, Any]:
    return {"keys": [public_jwk(ES384.key, key_id) for key_id in key_ids]}


SILENT = FetchError("unreachable")


def test_keys_are_fetched_at_the_start_and_kept(address_of):
    address = address_of(set_of("a"))
    assert address.asked == 0
    address.keys.start()
    address.keys.wait(5)
    assert address.asked == 1
    address.answers.clear()
    assert all(address.finds("a", after_s=50) for _ in range(10))
    assert address.asked == 1


def test_a_first_token_before_they_are_there_waits_a_moment(address_of):
    address = address_of(set_of("a"))
    assert address.finds("a")


def test_an_unknown_id_has_them_fetched_once_a_minute_at_most(address_of):
    address = address_of(set_of("a"))
    for n in range(100):
        assert not address.finds(f"unknown-{n}", after_s=1)
    assert address.asked == 2


def test_a_new_key_is_found_when_it_is_first_used(address_of):
    weak = public_jwk(private_key("P-256"), "weak")
    address = address_of(set_of("a"), {"keys": [*set_of("a", "b")["keys"], weak]})
    assert address.finds("a")
    assert address.finds("b", after_s=61)
    assert not address.finds("weak")


def test_while_an_address_is_slow_few_wait_for_it_and_none_for_long(address_of):
    address = address_of(set_of("a"))
    address.answers.clear()
    took = [seconds for found, seconds in address.finds_at_once(*"abcdefgh") if not found]
    assert len(took) == 8
    assert max(took) < 1
    assert sum(seconds > 0.28 for seconds in took) <= 2
    address.now_s += 0.4
    assert max(seconds for _, seconds in address.finds_at_once(*"abcdefgh")) < 0.28, "the moment is over for all"
    assert address.asked == 1
    address.answers.set()
    wait_for(lambda: address.finds("a"))


def test_whoever_names_an_unknown_id_makes_no_other_wait(address_of):
    address = address_of(set_of("a"))
    assert address.finds("a")
    address.answers.clear()
    address.now_s += 61
    asked = address.finds_at_once("x", "a", "y", "a", "z", "a")
    assert [found for found, _ in asked] == [False, True] * 3
    assert max(seconds for found, seconds in asked if found) < 0.28
    assert address.asked == 2


def test_keys_are_fetched_anew_before_ten_minutes_are_over_and_nobody_waits(address_of):
    address = address_of(set_of("a"), set_of("b"))
    assert address.finds("a")
    address.answers.clear()
    address.now_s += 541
    ((found, seconds),) = address.finds_at_once("a")
    assert found
    assert seconds < 0.28
    wait_for(lambda: address.asked == 2)
    address.answers.set()
    wait_for(lambda: not address.finds("a"))
    assert address.finds("b")


def test_keys_are_fetched_anew_without_being_asked_for(monkeypatch):
    monkeypatch.setattr(key_sets, "_RENEWED_AFTER_S", 0.05)
    monkeypatch.setattr(key_sets, "_PAUSE_S", 0.05)
    fetched: list[int] = []
    keys = FetchedKeys(lambda: fetched.append(1) or set_of("a"))
    keys.start()
    wait_for(lambda: len(fetched) > 2)
    keys.close()
    wait_for(lambda: not keys._thread.is_alive())
    count = len(fetched)
    keys.start()
    assert keys.find("unknown", "ES384") is None
    assert len(fetched) == count


@given(ages_s=st.lists(st.floats(0, 1800), min_size=1, max_size=5).map(sorted))
@settings(max_examples=40)
def test_a_key_that_is_gone_is_not_used_after_ten_minutes_however_rare_the_calls_are(ages_s):
    address = Address(set_of("gone"), set_of("new"))
    assert address.finds("gone")
    for address.now_s in ages_s:
        found = address.finds("gone")
        assert not found or address.now_s <= 600
    address.keys.close()


def test_after_ten_minutes_a_key_waits_for_an_address_that_did_not_fail(address_of):
    """As after a night in which the machine slept."""
    address = address_of(set_of("a"), set_of("b"), SILENT)
    assert address.finds("a")
    address.answers.clear()
    assert not address.finds("a", after_s=601), "nobody knows whether it is among them still"
    address.answers.set()
    wait_for(lambda: address.finds("b"))
    assert not address.finds("a")


def test_while_the_address_is_silent_the_keys_serve_for_an_hour(address_of):
    address = address_of(set_of("a"), SILENT)
    assert address.finds("a")
    assert address.finds("a", after_s=1800), "this very fetch failed"
    assert address.asked == 2
    address.answers.clear()
    assert address.finds("a", after_s=61), "the last fetch failed, and this one is not back"
    assert address.asked == 3
    address.answers.set()
    assert address.finds("a", after_s=1700)
    assert not address.finds("a", after_s=61)


def test_what_is_no_set_is_no_answer(address_of):
    address = address_of(set_of("a"), {"no": "set"})
    assert address.finds("a")
    assert address.finds("a", after_s=1800)


def test_the_log_says_whose_keys_are_not_to_be_had_and_why(address_of, caplog):
    cases = (
        (FetchError("timeout"), logging.ERROR, "timeout"),
        ({"keys": {}}, logging.ERROR, "no JWK Set; expected an object with a list of keys"),
        ({"keys": [{}]}, logging.WARNING, "keys[0]: kid is missing or not usable"),
    )
    for answer, level, reason in cases:
        caplog.clear()
        address_of(answer).finds("a")
        (record,) = caplog.records
        assert (record.levelno, record.client, record.reason) == (level, "ehr-a", reason)


def test_without_keys_the_address_is_tried_every_ten_seconds(address_of):
    address = address_of(SILENT, {"no": "set"}, set_of("a"))
    assert not address.finds("a")
    assert not address.finds("a", after_s=9)
    assert not address.finds("a", after_s=2)
    assert address.finds("a", after_s=11)
    assert address.asked == 3


def test_many_calls_at_once_after_an_hour_leave_the_keys_that_were_just_fetched(address_of):
    address = address_of(set_of("a"))
    assert address.finds("a")
    address.now_s += 4000
    address.finds_at_once(*"aaaaaaaa")
    assert address.finds("a", after_s=1)


def test_two_keys_of_one_id_for_one_algorithm_are_none(address_of):
    address = address_of({"keys": [public_jwk(ES384.key, "a"), public_jwk(private_key("P-384", "b"), "a")]})
    assert not address.finds("a")
