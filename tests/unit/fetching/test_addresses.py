"""Which addresses are of the open internet, and which are a cloud's own, whatever they are wrapped in."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from cds_service.fetching.addresses import is_metadata, is_public, parse, path_below

TEREDO = "2001:0:4136:e378:8000:63bf:{}"
"""Holds the client's IPv4 address with every bit turned."""


@pytest.mark.parametrize(
    "text",
    [
        "169.254.169.254", "169.254.170.2", "fe80::1", "100.100.100.200", "192.0.0.192", "fd00:ec2::254",
        "64:ff9b::a9fe:a9fe", "::ffff:169.254.169.254", "2002:a9fe:a9fe::", TEREDO.format("5601:5601"),
    ],
)  # fmt: skip
def test_where_a_clouds_machines_find_their_secrets(text: str) -> None:
    address = ip_address(text)
    assert is_metadata(address)
    assert not is_public(address)


@pytest.mark.parametrize(
    ("text", "public"),
    [
        ("9.9.9.9", True),
        ("2620:fe::9", True),
        ("64:ff9b::909:909", True),
        (TEREDO.format("f6f6:f6f6"), True),
        ("10.1.2.3", False),
        ("127.0.0.1", False),
        ("::1", False),
        ("fd00::1", False),
        ("::ffff:10.1.2.3", False),
        (TEREDO.format("f5fe:fdfc"), False),
        ("224.0.0.1", False),
        ("240.0.0.1", False),
        ("ff0e::1", False),
    ],
)
def test_other_addresses_are_of_the_open_internet_or_inside(text: str, public: bool) -> None:
    address = ip_address(text)
    assert not is_metadata(address)
    assert is_public(address) is public


@pytest.mark.parametrize("url", ["ftp://ehr.example/fhir", "file:///fhir", "//ehr.example/fhir", "https://:443/fhir"])
def test_an_address_of_no_web_server_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        parse(url)


@pytest.mark.parametrize("path", ["fhir/./Patient", "fhir/../Patient", "fhir/.;x/Patient", "fhir/%2e%2e/Patient"])
def test_a_path_that_goes_up_or_stands_still_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        parse(f"https://ehr.example/{path}")


@pytest.mark.parametrize("segment", ["a%2fPatient", "a%2FPatient", "a%5cPatient", "a%00"])
def test_a_path_with_an_encoded_slash_is_refused(segment: str) -> None:
    """Servers differ in what they make of one."""
    with pytest.raises(ValueError, match="expected"):
        parse(f"https://ehr.example/fhir/{segment}")


def test_an_internationalised_host_is_the_one_of_dns_and_a_spelling_that_folds_to_another_is_refused() -> None:
    assert parse("https://bücher.example/fhir").host == "xn--bcher-kva.example"
    with pytest.raises(ValueError, match="expected"):
        parse("https://faß.example/fhir")


def test_a_relative_link_with_a_scheme_is_read_by_nobody() -> None:
    base = "https://ehr.example/fhir"
    assert path_below("Observation?page=2", base) == "Observation?page=2"
    assert path_below("https:Observation?page=2", base) is None
