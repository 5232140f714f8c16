"""Ordered tests: which count as pending."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from cds_service.knowledge.schema import NoMatch
from cds_service.model import REFERRAL_TO_GENETICS, Availability, Query, QueryResult, Question
from cds_service.policy import CatalogueTest
from cds_service.reading import read

from .small import (
    KNOWLEDGE,
    PATIENT,
    TODAY,
    SmallIndex,
    concept,
    ordered,
    read_all,
)


@pytest.mark.parametrize(
    ("code", "markers"),
    [
        (concept("66489-6"), ("gene:CYP2C19",)),
        (concept("66741-0"), ("gene:CYP2C19",)),
        ({"text": "CYP2C19 and CYP2D6 genotyping"}, ("gene:CYP2C19", "gene:CYP2D6")),
        (concept("50956-2"), ("hla:B*57:01",)),
        ({"text": "HLA-B*57:01 screening"}, ("hla:B*57:01",)),
        ({"text": "HLA-B typing"}, ("hla:B*57:01", "hla:B*15:02")),
        (concept("PGX7", system="urn:lab"), ("gene:DPYD",)),
    ],
)
def test_tests_that_are_ordered(code: dict[str, object], markers: tuple[str, ...]) -> None:
    catalogue = (CatalogueTest(("gene:DPYD",), "PGX7", "urn:lab", "DPYD"),)
    results = {Query.REQUESTS: QueryResult(Availability.COMPLETE, (ordered(code),))}
    found = read(Question("x", PATIENT), results, SmallIndex(), KNOWLEDGE, TODAY, catalogue=catalogue).patient.pending
    assert [(p.markers, p.since) for p in found] == [(markers, date(2026, 11, 20))]


def test_a_referral_to_clinical_genetics_is_known_by_its_name() -> None:
    knowing = replace(KNOWLEDGE, no_match=NoMatch(referrals=("referral to clinical genetics",)))
    orders = (ordered({"text": "Referral to Clinical Genetics"}), ordered({"text": "Referral to cardiology"}))
    results = {Query.REQUESTS: QueryResult(Availability.COMPLETE, orders)}
    found = read(Question("x", PATIENT), results, SmallIndex(), knowing, TODAY).patient.pending
    assert [p.markers for p in found] == [(REFERRAL_TO_GENETICS,)]


@pytest.mark.parametrize(
    "fields", [{"status": "completed"}, {"status": "revoked"}, {"intent": "proposal"}, {"doNotPerform": True}]
)
def test_requests_that_order_nothing(fields: dict[str, object]) -> None:
    assert read_all(ordered(concept("66489-6"), **fields)).patient.pending == ()


def test_other_requests_are_passed_over() -> None:
    assert read_all(ordered({"text": "Chest X-ray"})).patient.pending == ()
