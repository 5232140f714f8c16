"""Loosely typed JSON, and the small tools of the reader."""

from __future__ import annotations

import time
from datetime import date

import pytest

from cds_service.codes import LOINC, SNOMED, Coding
from cds_service.model import Span, When
from cds_service.reading.addresses import references
from cds_service.reading.dates import dated, day, moment
from cds_service.reading.shapes import (
    child,
    clean,
    codings,
    concept_label,
    concept_text,
    fold,
    has_code,
    number,
    text_at,
)
from cds_service.references import local_name


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a\u200b b\u00a0 c", "a b c"),
        (" plain ", "plain"),
        (12014, "12014"),
        (True, ""),
        (1.5, ""),
        (None, ""),
        ([], ""),
    ],
)
def test_clean(value: object, expected: str) -> None:
    assert clean(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [("4.2", 4.2), (3, 3.0), ("x", None), (True, None), ("1e999", None), (10**400, None), ([], None)],
)
def test_number(value: object, expected: float | None) -> None:
    assert number(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2016", Span(date(2016, 1, 1), date(2016, 12, 31))),
        ("2016-02", Span(date(2016, 2, 1), date(2016, 2, 29))),
        ("2016-05-06T07:08:09Z", date(2016, 5, 6)),
        ("2016/05/06", date(2016, 5, 6)),
        ("2016.05.06 07:08", date(2016, 5, 6)),
        ("2016/05", Span(date(2016, 5, 1), date(2016, 5, 31))),
        ("2016/05-06", None),
        ("2016-5-6", None),
        ("2016.5", None),
        ("2016-13", None),
        ("06.05.2016", None),
        ("2016-02-31", None),
        ("20160506", None),
        (None, None),
    ],
)
def test_day(value: object, expected: When | None) -> None:
    assert day(value) == expected


def test_moments_compare_across_time_zones() -> None:
    assert moment("2024-01-01T12:00:00+02:00") == moment("2024-01-01T10:00:00Z") == moment("2024-01-01T10:00:00")
    assert moment("soon") == 0.0


def test_an_instant_without_a_zone_is_the_same_wherever_the_service_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("TZ", "EST+5")
        time.tzset()
        found = moment("2024-01-01T10:00:00")
    time.tzset()
    assert found == moment("2024-01-01T10:00:00Z")


@pytest.mark.parametrize(
    "concept",
    [
        {"coding": [{"system": LOINC, "code": "1-8"}]},
        {"coding": {"system": LOINC, "code": "1-8"}},
        [{"coding": [{"system": LOINC, "code": "1-8"}]}],
        {"system": LOINC, "code": "1-8"},
    ],
)
def test_codings_in_every_shape(concept: object) -> None:
    assert codings(concept) == (Coding(LOINC, "1-8"),)
    assert has_code(concept, LOINC, frozenset({"1-8"}))
    assert concept_label(concept) == "1-8"


def test_a_code_of_another_system_is_another_code() -> None:
    assert not has_code({"coding": [{"system": "urn:x", "code": "1-8"}]}, LOINC, frozenset({"1-8"}))


def test_without_a_system_a_code_may_be_loinc_s_and_no_other_s() -> None:
    assert has_code({"coding": [{"code": "1-8"}]}, LOINC, frozenset({"1-8"}))
    assert not has_code({"coding": [{"code": "18"}]}, SNOMED, frozenset({"18"}))


def test_texts_and_paths() -> None:
    assert concept_text("bare") == concept_text([{"text": ""}, {"text": "bare"}]) == "bare"
    assert text_at([{"b": ["", "x"]}], "b") == "x"
    assert child({"a": 7}, "a", "b") == {}


def test_references_in_every_shape() -> None:
    assert references([{"reference": "A/1"}, "B/2", {}, 7]) == ("A/1", "B/2")
    assert local_name("https://x.example/fhir/A/1/_history/2") == local_name("A/1/") == "A/1"
    assert fold("Poor-metaboliser (PM)") == "poor metabolizer pm"


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("1970-01-02", None),
        ("1970-01-02T00:00:00Z", 86400.0),
        ("1970-01-02T01:00:00+01:00", 86400.0),
        ("1970-01-01T19:00:00-05:00", 86400.0),
        ("1970-01-02T00:00:00.5Z", 86400.5),
        ("1970-01-02 and more", None),
    ],
)
def test_a_date_with_a_time_is_an_instant_whatever_its_offset(text: str, at: float | None) -> None:
    found = dated(text)
    assert found is not None
    assert found.at == at
