from __future__ import annotations

from dataclasses import replace

import jsonschema
import pytest
from writing_samples import KNOWLEDGE, PATIENT, POLICY, RESPONSE_SCHEMA, TODAY, empties

from cds_service.writing import load_wording, write
from cds_service.writing.words import Words

_VALIDATOR = jsonschema.Draft202012Validator(RESPONSE_SCHEMA)
_PHRASES = {
    "about_primol": "GENA and primol",
    "why_poor": "{drug} stays inactive in these {gene} results.",
    "levels": "drug levels",
    "specimen_of_blood": "whole blood",
    "test_gena": "GENA genotype",
    "condition_gaol_fever": "gaol fever",
    "assumed_adult_here": "The age is not on record: an adult is assumed.",
}


@pytest.fixture(scope="session")
def wording():
    packaged = load_wording()
    return replace(packaged, phrases={**packaged.phrases, **_PHRASES})


@pytest.fixture(scope="session")
def words(wording):
    """Those of the made-up knowledge."""
    return Words(KNOWLEDGE, wording)


@pytest.fixture(scope="session")
def respond(wording):
    """write() on the made-up knowledge; every response is held against the schema on its way."""

    def _respond(*findings, drafts=None, policy=POLICY, patient=PATIENT, knowledge=KNOWLEDGE, hook="order-sign"):
        body = write(findings, patient, drafts or {}, knowledge, policy, wording, TODAY, hook)
        faults = [f"{list(fault.path)}: {fault.message[:300]}" for fault in _VALIDATOR.iter_errors(body)]
        assert faults == []
        assert empties(body) == []
        return body

    return _respond


@pytest.fixture(scope="session")
def card_of(respond):
    """The only card of a response."""

    def _card_of(*findings, **others):
        (card,) = respond(*findings, **others)["cards"]
        return card

    return _card_of
