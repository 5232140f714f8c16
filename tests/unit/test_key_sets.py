"""JWK Sets: which keys are used, and how often an address is asked for them."""

from __future__ import annotations

import time

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from jwt.algorithms import HMACAlgorithm, OKPAlgorithm

from cds_service.errors import KeySetError
from cds_service.fetching.client import FetchError
from cds_service.key_sets import FetchedKeys, read_key_set
from tests.support.tokens import ES384, ES512, key_set_a, private_jwk, private_key, public_jwk

GOOD = public_jwk(ES384.key, "k")


def test_each_key_is_bound_to_the_algorithms_of_its_kind():
    keys, faults = read_key_set(key_set_a())
    assert not faults
    assert [sorted(key.algorithms) for key in keys] == [["ES384"], ["ES512"], ["PS384", "PS512", "RS384", "RS512"]]


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
    """An address of keys with a clock of its own."""

    def __init__(self, *sets: object) -> None:
        self.sets, self.asked, self.now_s = list(sets), 0, 0.0
        self.keys = FetchedKeys(self.fetch, lambda: self.now_s)

    def fetch(self) -> object:
        self.asked += 1
        found = self.sets[min(self.asked, len(self.sets)) - 1]
        if isinstance(found, FetchError):
            raise found
        return found

    def finds(self, key_id: str, after_s: float = 0.0) -> bool:
        self.now_s += after_s
        return self.keys.find(key_id, "ES384") is not None


def wait_for(condition) -> None:
    until = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


def set_of(*key_ids: str) -> dict[str, object]:
    return {"keys": [public_jwk(ES384.key, key_id) for key_id in key_ids]}


def test_keys_are_fetched_at_the_first_token_and_kept():
    address = Address(set_of("a"))
    assert address.asked == 0
    assert all(address.finds("a", after_s=50) for _ in range(10))
    assert address.asked == 1


def test_an_unknown_id_has_them_fetched_once_a_minute_at_most():
    address = Address(set_of("a"))
    for n in range(100):
        assert not address.finds(f"unknown-{n}", after_s=1)
    assert address.asked == 2


def test_a_new_key_is_found_when_it_is_first_used():
    address = Address(set_of("a"), set_of("a", "b"))
    assert address.finds("a")
    assert address.finds("b", after_s=61)


def test_a_key_that_is_gone_is_not_used_after_ten_minutes():
    address = Address(set_of("a"), set_of("b"))
    assert address.finds("a")
    assert address.finds("a", after_s=601), "the first token after ten minutes does not wait for the address"
    wait_for(lambda: not address.finds("a"))
    assert address.finds("b")


def test_while_the_address_is_silent_the_keys_serve_for_an_hour():
    address = Address(set_of("a"), FetchError("unreachable"))
    assert address.finds("a")
    assert address.finds("a", after_s=1800)
    wait_for(lambda: address.asked == 2)
    assert address.finds("a", after_s=50)
    assert not address.finds("a", after_s=1800)


def test_without_keys_the_address_is_tried_every_ten_seconds():
    address = Address(FetchError("unreachable"), {"no": "set"}, set_of("a"))
    assert not address.finds("a")
    assert not address.finds("a", after_s=9)
    assert not address.finds("a", after_s=2)
    assert address.finds("a", after_s=11)
    assert address.asked == 3


def test_two_keys_of_one_id_for_one_algorithm_are_none():
    address = Address({"keys": [public_jwk(ES384.key, "a"), public_jwk(private_key("P-384", "b"), "a")]})
    assert not address.finds("a")
