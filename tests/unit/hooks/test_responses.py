"""No answer leaves that CDS Hooks forbids, and none is repaired in silence."""

from __future__ import annotations

import copy

import pytest

from cds_service.errors import AnswerError
from cds_service.hooks.responses import checked, operation_outcome

CARD = {
    "uuid": "a",
    "summary": "s" * 139,
    "indicator": "info",
    "source": {"label": "l"},
    "suggestions": [
        {
            "label": "l",
            "uuid": "b",
            "isRecommended": True,
            "actions": [{"type": "create", "description": "d", "resource": {"resourceType": "ServiceRequest"}}],
        }
    ],
    "selectionBehavior": "any",
    "overrideReasons": [{"code": "c", "system": "s", "display": "d"}],
    "links": [{"label": "l", "url": "https://example.org", "type": "absolute"}],
}


def test_a_valid_answer_goes_out_as_it_is():
    body = {"cards": [CARD], "extension": {"org.example": {"a": 0, "b": False}}}
    assert checked(body) is body


def test_no_cards_is_an_answer():
    assert checked({"cards": []}) == {"cards": []}


@pytest.mark.parametrize("nothing", [None, "", [], {}])
def test_nothing_stands_anywhere(nothing):
    card = CARD | {"extension": {"org.example": [{"deep": nothing}]}}
    with pytest.raises(AnswerError, match=r"cards\[0\]\.extension\.org\.example\[0\]\.deep is empty"):
        checked({"cards": [card]})
    with pytest.raises(AnswerError, match=r"extension\.x is empty"):
        checked({"cards": [], "extension": {"x": nothing}})


@pytest.mark.parametrize("card", ["x", 1, None, ["x"]])
def test_a_card_is_an_object(card):
    with pytest.raises(AnswerError, match=r"cards\[1\] is not an object"):
        checked({"cards": [CARD, card]})


def without(path):
    card = copy.deepcopy(CARD)
    holder = card
    for step in path[:-1]:
        holder = holder[step]
    del holder[path[-1]]
    return card


@pytest.mark.parametrize(
    "path",
    [
        ("uuid",),
        ("summary",),
        ("indicator",),
        ("source",),
        ("source", "label"),
        ("selectionBehavior",),
        ("suggestions", 0, "uuid"),
        ("suggestions", 0, "label"),
        ("suggestions", 0, "actions", 0, "description"),
        ("suggestions", 0, "actions", 0, "resource"),
        ("suggestions", 0, "actions", 0, "type"),
        ("overrideReasons", 0, "code"),
        ("overrideReasons", 0, "system"),
        ("overrideReasons", 0, "display"),
        ("links", 0, "label"),
        ("links", 0, "url"),
        ("links", 0, "type"),
    ],
)
def test_what_is_required_is_there(path):
    with pytest.raises(AnswerError):
        checked({"cards": [without(path)]})


@pytest.mark.parametrize(
    "change",
    [
        {"summary": "s" * 140},
        {"indicator": "hard-stop"},
        {"selectionBehavior": "at-most-one", "suggestions": [CARD["suggestions"][0]] * 2},
    ],
)
def test_what_is_limited_is_within_its_limit(change):
    with pytest.raises(AnswerError):
        checked({"cards": [CARD | change]})


def test_cards_are_never_missing():
    with pytest.raises(AnswerError):
        checked({})


def test_an_outcome_has_no_empty_expression():
    assert operation_outcome("invalid", "why")["issue"] == [
        {"severity": "error", "code": "invalid", "diagnostics": "why"}
    ]
    assert operation_outcome("invalid", "why", "hook")["issue"][0]["expression"] == ["hook"]
