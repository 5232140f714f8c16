"""Feedback is valid as a whole or refused as a whole."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from cds_service.codes import OVERRIDE_REASON, Coding
from cds_service.errors import RequestError
from cds_service.hooks.feedback import parse_feedback
from cds_service.model import Feedback, FeedbackOutcome

CARD, FIRST, SECOND = (f"3f9a6b0e-8a53-4a0a-9d52-0d8d9f3c8d1{n}" for n in range(3))
REASONS = frozenset({"d7"})
OVERRIDDEN = {"card": CARD, "outcome": "overridden", "outcomeTimestamp": "2026-11-22T10:05:31.000Z"}
ACCEPTED = OVERRIDDEN | {"outcome": "accepted", "acceptedSuggestions": [{"id": FIRST}, {"id": SECOND}]}
AT = datetime(2026, 11, 22, 10, 5, 31, tzinfo=UTC)


def test_entries_are_read_in_their_order():
    assert parse_feedback({"feedback": [ACCEPTED, OVERRIDDEN]}, REASONS) == (
        Feedback(CARD, FeedbackOutcome.ACCEPTED, AT, (FIRST, SECOND)),
        Feedback(CARD, FeedbackOutcome.OVERRIDDEN, AT),
    )


def test_reason_and_comment_are_read():
    override = {"reason": {"code": "d7", "system": "https://example.org/r"}, "userComment": "later"}
    (entry,) = parse_feedback({"feedback": [OVERRIDDEN | {"overrideReason": override}]}, REASONS)
    assert (entry.reason, entry.comment) == (Coding(OVERRIDE_REASON, "d7"), "later")


def test_a_reason_that_no_card_offers_is_kept_without_its_text():
    override = {"reason": {"code": "Jane would not", "system": "https://example.org/r"}}
    (entry,) = parse_feedback({"feedback": [OVERRIDDEN | {"overrideReason": override}]}, REASONS)
    assert entry.reason == Coding(OVERRIDE_REASON, "other")


def test_a_time_with_another_zone_is_kept_in_utc():
    (entry,) = parse_feedback({"feedback": [OVERRIDDEN | {"outcomeTimestamp": "2026-11-22T12:05:31+02:00"}]}, REASONS)
    assert entry.at == AT
    assert entry.at.tzinfo is UTC


@pytest.mark.parametrize("body", [{}, [], {"feedback": None}, {"feedback": []}, {"feedback": {}}, {"feedback": [1]}])
def test_a_body_without_entries_is_refused(body):
    with pytest.raises(RequestError):
        parse_feedback(body, REASONS)


@pytest.mark.parametrize(
    ("change", "expression"),
    [
        ({"card": None}, "card"),
        ({"card": "the card of Jane"}, "card"),
        ({"outcome": "accepted", "acceptedSuggestions": [{"id": "the one for Jane"}]}, "acceptedSuggestions[0].id"),
        ({"card": "c1\0"}, "card"),
        ({"overrideReason": {"userComment": "a\0b"}}, "overrideReason.userComment"),
        ({"outcome": "ignored"}, "outcome"),
        ({"outcome": ["accepted"]}, "outcome"),
        ({"outcome": "accepted"}, "acceptedSuggestions"),
        ({"outcome": "accepted", "acceptedSuggestions": []}, "acceptedSuggestions"),
        ({"acceptedSuggestions": [{}]}, "acceptedSuggestions[0].id"),
        ({"acceptedSuggestions": "s1"}, "acceptedSuggestions"),
        ({"overrideReason": {}}, "overrideReason"),
        ({"overrideReason": {"reason": {"code": "d7"}}}, "overrideReason.reason.system"),
        ({"overrideReason": {"userComment": 7}}, "overrideReason.userComment"),
        ({"overrideReason": {"userComment": "x" * 4097}}, "overrideReason.userComment"),
        ({"outcomeTimestamp": None}, "outcomeTimestamp"),
        ({"outcomeTimestamp": "yesterday"}, "outcomeTimestamp"),
        ({"outcomeTimestamp": "2026-11-22T10:05:31"}, "outcomeTimestamp"),
    ],
)
def test_one_bad_entry_refuses_all_and_names_its_place(change, expression):
    with pytest.raises(RequestError) as caught:
        parse_feedback({"feedback": [OVERRIDDEN, OVERRIDDEN | change]}, REASONS)
    assert (caught.value.status, caught.value.expression) == (400, f"feedback[1].{expression}")


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
def test_a_time_that_has_no_utc_is_refused(moment):
    with pytest.raises(RequestError, match="outcomeTimestamp"):
        parse_feedback({"feedback": [OVERRIDDEN | {"outcomeTimestamp": moment}]}, REASONS)
