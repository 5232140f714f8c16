"""Where references lead: the same `Type/id` on another server is another resource."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.model import Availability, Query
from cds_service.reading.addresses import base_of, base_url
from cds_service.reading.records import References
from tests.unit.reading.small import PATIENT, gap_reasons, genotype, observation, order, read_all

OURS = "https://ehr.example/fhir"
ELSEWHERE = (
    "http://other.example.org/fhir",
    "http://ehr.example/fhir",
    "https://ehr.example:8443/fhir",
    "https://ehr.example/fhir2",
    "https://ehr.example/fhir/tenant",
    "https://ehr.example",
    "https://ehr.example@other.example.org/fhir",
    "https://ehr.example/x/../fhir",
    "https://ehr.example%2ffhir",
    "https://",
)
SPELLINGS = (
    OURS,
    "HTTPS://EHR.Example/fhir",
    "https://ehr.example:443/fhir",
    "https://ehr.example./fhir",
)
CODEINE = {"resourceType": "Medication", "id": "m1", "code": {"text": "codeine"}}


def of(reference: str) -> dict[str, str]:
    return {"reference": reference}


def draft(address: str, **pointer: str) -> dict[str, Any]:
    return order(medicationCodeableConcept=None, medicationReference=of(address) | pointer)


def entry(resource: dict[str, Any], base: str) -> dict[str, Any]:
    address = f"{base}/{resource['resourceType']}/{resource['id']}"
    return {"resourceType": "Bundle", "entry": [{"fullUrl": address, "resource": resource}]}


@pytest.mark.parametrize("base", ELSEWHERE)
def test_a_medication_of_another_server_is_not_our_own_of_the_same_name(base: str) -> None:
    result = read_all(CODEINE, drafts=(draft(f"{base}/Medication/m1"),), server=OURS)
    assert result.orders[0].ingredients == ()
    assert gap_reasons(result) == ["medication_not_available"]


@pytest.mark.parametrize("base", SPELLINGS)
@pytest.mark.parametrize("version", ["", "/_history/3"])
def test_every_spelling_of_our_own_server_leads_to_our_own(base: str, version: str) -> None:
    result = read_all(CODEINE, drafts=(draft(f"{base}/Medication/m1{version}"),), server=f"{OURS}/")
    assert result.orders[0].ingredients == ("codeine",)


def test_the_display_of_a_medication_elsewhere_still_names_the_drug() -> None:
    pointer = draft("http://other.example.org/fhir/Medication/m1", display="clopidogrel 75 MG Oral Tablet")
    assert read_all(CODEINE, drafts=(pointer,), server=OURS).orders[0].ingredients == ("clopidogrel",)


@pytest.mark.parametrize("server", ["", OURS])
def test_a_medication_elsewhere_that_came_along_is_found_by_its_full_address(server: str) -> None:
    base = "http://other.example.org/fhir"
    sent = (entry(CODEINE, base), entry(genotype("CYP2D6", "*1/*1"), OURS))
    result = read_all(*sent, drafts=(draft(f"{base}/Medication/m1"),), server=server)
    assert result.orders[0].ingredients == ("codeine",)


@pytest.mark.parametrize("ours_first", [True, False])
@pytest.mark.parametrize("version", ["1", "9"])
def test_resources_of_one_name_on_two_servers_are_two(ours_first: bool, version: str) -> None:
    """Neither is an older version of the other, and a relative reference leads to our own."""
    base = "http://other.example.org/fhir"
    own = entry({**CODEINE, "meta": {"versionId": "5"}}, OURS)
    warfarin = {**CODEINE, "code": {"text": "warfarin"}, "meta": {"versionId": version}}
    sent = (own, entry(warfarin, base)) if ours_first else (entry(warfarin, base), own)
    asked = (draft("Medication/m1") | {"id": "a"}, draft(f"{base}/Medication/m1") | {"id": "b"})
    result = read_all(*sent, drafts=asked, server=OURS)
    assert [o.ingredients for o in result.orders] == [("codeine",), ("warfarin",)]


def test_results_of_one_name_on_two_servers_both_count() -> None:
    sent = [
        entry(genotype("CYP2D6", text), base)
        for text, base in (("*1/*1", OURS), ("*4/*4", "http://other.example/r4"))
    ]
    assert len(read_all(*sent, server=OURS).patient.readings) == 2


@pytest.mark.parametrize(("base", "found"), [(OURS, 1), ("http://other.example.org/fhir", 0)])
def test_a_full_address_tells_which_server_a_name_is_of(base: str, found: int) -> None:
    """The version differs, so that it is not found by its address alone."""
    sent = (entry(CODEINE, OURS), entry(genotype("CYP2D6", "*1/*1"), "http://third.example/fhir"))
    result = read_all(*sent, drafts=(draft(f"{base}/Medication/m1/_history/2"),))
    assert len(result.orders[0].ingredients) == found


@pytest.mark.parametrize("base", ELSEWHERE)
@pytest.mark.parametrize("kind", ["subject", "patient"])
def test_a_patient_of_another_server_is_not_ours_of_the_same_name(base: str, kind: str) -> None:
    result = read_all(genotype("CYP2D6", "*1/*1", **{kind: of(f"{base}/Patient/{PATIENT}")}), server=OURS)
    assert (result.patient.readings, gap_reasons(result)) == ((), ["wrong_patient"])
    assert result.patient.availability[Query.RESULTS] is Availability.PARTIAL


@pytest.mark.parametrize("base", SPELLINGS)
def test_our_patient_by_the_address_on_our_own_server(base: str) -> None:
    result = read_all(genotype("CYP2D6", "*1/*1", subject=of(f"{base}/Patient/{PATIENT}")), server=OURS)
    assert (len(result.patient.readings), result.patient.gaps) == (1, ())


def test_without_a_server_the_addresses_of_the_entries_tell_which_it_is() -> None:
    """EHRs send absolute references of their own server in a prefetch without fhirServer."""
    ours = genotype("CYP2D6", "*1/*1", "one", subject=of(f"{OURS}/Patient/{PATIENT}"))
    theirs = genotype("CYP2D6", "*1/*1", "two", subject=of(f"http://other.example.org/fhir/Patient/{PATIENT}"))
    result = read_all(entry(ours, OURS), entry(theirs, OURS))
    assert [r.reference for r in result.patient.readings] == ["Observation/one"]
    assert [(g.about, g.reason) for g in result.patient.gaps] == [("Observation/two", "wrong_patient")]


def test_without_any_address_the_references_to_the_patient_tell_which_it_is() -> None:
    sent = genotype("CYP2D6", "*1/*1", subject=of(f"{OURS}/Patient/{PATIENT}"))
    prescribed = draft(f"{OURS}/Medication/m1")
    result = read_all(sent, CODEINE, drafts=(prescribed,))
    assert (len(result.patient.readings), result.orders[0].ingredients) == (1, ("codeine",))


def test_references_to_the_patient_on_two_servers_tell_nothing() -> None:
    bases = (OURS, "http://other.example.org/fhir")
    sent = [genotype("CYP2D6", "*1/*1", f"o{n}", subject=of(f"{b}/Patient/{PATIENT}")) for n, b in enumerate(bases)]
    result = read_all(*sent)
    assert (result.patient.readings, gap_reasons(result)) == ((), ["wrong_patient", "wrong_patient"])


def test_a_medication_that_only_its_own_address_places_is_not_looked_up_by_name() -> None:
    result = read_all(CODEINE, drafts=(draft("http://other.example.org/fhir/Medication/m1"),))
    assert (result.orders[0].ingredients, gap_reasons(result)) == ((), ["medication_not_available"])


def test_a_server_behind_a_proxy_is_ours_under_both_addresses() -> None:
    """Its entries are written under its inner address, the request names the outer one."""
    inner = "http://inner.example:8080/fhir"
    sent = entry(genotype("CYP2D6", "*1/*1", subject=of(f"{inner}/Patient/{PATIENT}")), inner)
    result = read_all(sent, entry(CODEINE, inner), drafts=(draft(f"{OURS}/Medication/m1"),), server=OURS)
    assert (len(result.patient.readings), result.orders[0].ingredients) == (1, ("codeine",))


@pytest.mark.parametrize(("base", "read"), [(OURS, 1), ("http://other.example.org/fhir", 0)])
def test_a_dispatched_order_of_another_server_is_not_our_own(base: str, read: int) -> None:
    address = f"{base}/MedicationRequest/7"
    result = read_all(order("7", status="active"), wanted=(address,), server=OURS)
    assert len(result.orders) == read
    assert [(g.about, g.reason) for g in result.patient.gaps] == [(address, "not_available")] * (1 - read)


def test_an_order_that_is_dispatched_twice_is_one() -> None:
    wanted = ("MedicationRequest/7", f"{OURS}/MedicationRequest/7")
    assert len(read_all(order("7", status="active"), wanted=wanted, server=OURS).orders) == 1


def test_a_panel_of_another_server_does_not_name_our_result() -> None:
    """Its member of the same name is another result: our own stays without a gene."""
    member = observation("7", valueCodeableConcept={"text": "*1/*1"})
    elsewhere = "http://other.example.org/fhir/Observation/7"
    panel = {"resourceType": "DiagnosticReport", "id": "r", "status": "final", "subject": of(f"Patient/{PATIENT}"),
             "code": {"text": "CYP2D6 genotype"}, "result": [of(elsewhere)]}  # fmt: skip
    result = read_all(member, panel, server=OURS)
    assert result.patient.readings == ()
    assert (elsewhere, "not_available") in {(g.about, g.reason) for g in result.patient.gaps}


@pytest.mark.parametrize(
    ("text", "base"),
    [
        ("https://EHR.example:443/fhir/Patient/1", "https://ehr.example/fhir"),
        ("http://ehr.example:8080/Patient/1/_history/2", "http://ehr.example:8080"),
        ("http://[2001:DB8::1]:80/fhir/Patient/1", "http://[2001:db8::1]/fhir"),
        ("https://ehr.example/fhir/Patient/1?x=2", ""),
        ("https://user:secret@ehr.example/fhir/Patient/1", ""),
        ("Patient/1", ""),
        ("urn:uuid:1", ""),
        ("", ""),
    ],
)
def test_the_base_of_an_address(text: str, base: str) -> None:
    assert base_of(text) == base


def test_without_a_record_no_server_is_ours() -> None:
    assert References().name_of(f"{OURS}/Observation/7") == ""
    assert References().name_of("Observation/7") == "Observation/7"


def test_a_base_is_written_one_way() -> None:
    assert {base_url(spelling) for spelling in (*SPELLINGS, f"{OURS}/")} == {OURS}
    assert OURS not in {base_url(other) for other in ELSEWHERE}
