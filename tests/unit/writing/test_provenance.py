"""What is known of a marker, in words: its state, its readings, what shifts it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from writing_samples import (
    READING,
    change_now,
    head_of,
)

from cds_service.model import (
    ActivityScore,
    Between,
    Conflicting,
    GapReason,
    Grade,
    HlaType,
    Indeterminate,
    Known,
    MarkerView,
    Narrowed,
    Narrowing,
    NotReadable,
    NotTested,
    OneOf,
    Pending,
    Phenotype,
    Presence,
    Quantity,
    Reading,
    ReadingStatus,
    SelfContradiction,
    Significance,
    Span,
    Stale,
    Unavailable,
    Unconfirmed,
    Undetermined,
    Unreadable,
    Unverified,
)
from cds_service.writing.provenance import known_of, modifiers_of, result_of

IN_NOVEMBER = Span(date(2026, 11, 1), date(2026, 11, 30))
IN_2026 = Span(date(2026, 1, 1), date(2026, 12, 31))
OTHER = replace(READING, says=Phenotype("Normal Metabolizer"), on=None, laboratory="")
NOWHERE = "(undated, laboratory not named)"
SEEN = ", from *2/*2 (12 March 2024, Northern Test Laboratory)"


@pytest.mark.parametrize(
    ("knowledge", "expected"),
    [
        (NotTested(), "GENA: no result found in the record."),
        (
            NotTested(beside="about_another"),
            "GENA: no result of the patient found, only one about someone else (a donor, a fetus).",
        ),
        (
            NotTested(beside="copy_number"),
            "GENA: no result on variants found, only one on how often the gene is there.",
        ),
        (
            NotTested(beside="not_machine_readable"),
            "GENA: no result found, but a report is there that could not be read.",
        ),
        (
            NotTested(beside="unknown_code"),
            "GENA: no result found, but one is there that is known by its name alone.",
        ),
        (Known("Poor Metabolizer"), "GENA: poor metaboliser."),
        (Known("Poor Metabolizer", (READING,)), f"GENA: poor metaboliser{SEEN}."),
        (
            Known("Normal Metabolizer", (OTHER,)),
            "GENA: normal metaboliser, from a report (undated, laboratory not named).",
        ),
        (
            Narrowed(frozenset({"Poor Metabolizer", "Normal Metabolizer"}), Narrowing.REPORTED_AS_RANGE, (READING,)),
            f"GENA: poor or normal metaboliser (the report leaves this open){SEEN}.",
        ),
        (
            Indeterminate(frozenset({"Poor Metabolizer"}), ()),
            "GENA: tested, but no clear result (poor metaboliser remain possible).",
        ),
        (
            Stale("Poor Metabolizer", date(2020, 5, 2)),
            "GENA: poor metaboliser on 2 May 2020, too old to rely on.",
        ),
        (Pending(date(2026, 11, 20), "ServiceRequest/1"), "GENA: test ordered (20 November 2026), result not back."),
        (Pending(IN_NOVEMBER, "ServiceRequest/1"), "GENA: test ordered (November 2026), result not back."),
        (Pending(IN_2026, "ServiceRequest/1"), "GENA: test ordered (2026), result not back."),
        (Pending(None, "ServiceRequest/1"), "GENA: test ordered (undated), result not back."),
        (
            Pending(None, "ServiceRequest/1", (replace(READING, grade=Grade.UNVERIFIED),)),
            "GENA: test ordered (undated), result not back.",
        ),
        (
            Pending(None, "Observation/1", (replace(READING, status=ReadingStatus.PRELIMINARY),)),
            f"GENA: only a preliminary result{SEEN[:-1]}, preliminary).",
        ),
        (
            Conflicting(frozenset({"Poor Metabolizer", "Normal Metabolizer"}), (READING, OTHER)),
            f"GENA: results disagree (poor and normal metaboliser){SEEN}; normal metaboliser {NOWHERE}.",
        ),
        (
            Unverified((replace(READING, why_unverified=Unconfirmed.CONSUMER),)),
            f"GENA: only an unconfirmed result{SEEN[:-1]}, consumer test).",
        ),
        (
            Unverified((replace(READING, grade=Grade.LOW),)),
            f"GENA: only an unconfirmed result{SEEN[:-1]}, read from free text).",
        ),
        (Unavailable(GapReason.FAILED), "GENA: results could not be obtained (the record did not answer)."),
        (
            Unreadable(GapReason.UNKNOWN_ALLELE, (READING,)),
            f"GENA: a result exists but cannot be used (allele not known){SEEN}.",
        ),
    ],
)  # fmt: skip
def test_what_is_known_of_a_marker(words, knowledge, expected):
    assert known_of(MarkerView("gene:GENA", knowledge), words) == expected


@pytest.mark.parametrize(
    ("says", "expected"),
    [
        (OneOf(("Poor Metabolizer", "Normal Metabolizer")), "poor metaboliser or normal metaboliser"),
        (Phenotype("a_term_without_words"), "a term without words"),
        (OneOf(("Poor Metabolizer", "a_term_without_words")), "poor metaboliser or a term without words"),
        (ActivityScore(1.5), "activity score 1.5"),
        (ActivityScore(3.0, at_least=True), "activity score 3 or more"),
        (Presence("*57:01", present=True), "*57:01 found"),
        (Presence("*57:01", present=False), "*57:01 not found"),
        (Presence("c.1A>G", True, Significance.UNCERTAIN), "c.1A>G found, of uncertain significance"),
        (Presence("c.1A>G", True, Significance.BENIGN), "c.1A>G found, called benign"),
        (Presence("", True, Significance.PATHOGENIC), "a variant found, called pathogenic"),
        (HlaType(("*01:01", "*02:01"), complete=True), "typed *01:01 and *02:01"),
        (HlaType(("*01:01",), complete=False), "typed *01:01, second allele not stated"),
        (HlaType((), complete=False), "typing without named alleles"),
        (Quantity(5.6, "mmol/L"), "5.6 mmol/L"),
        (Quantity(1.2, "10*9/L"), "1.2 × 10⁹/L"),
        (Quantity(22.0, "mL/min/{1.73_m2}", "<"), "<22 mL/min/1.73 m²"),
        (Quantity(5.0, "", ">"), ">5"),
        (Between(55.0, 60.0, "%"), "55 to 60 %"),
        (Between(2.0, 2.5, "1"), "2 to 2.5"),
        (Undetermined("text"), "no result assigned"),
        (NotReadable(GapReason.NO_NUMBER), "a report"),
        (SelfContradiction(("poor", "normal")), "says both poor and normal"),
    ],
)
def test_what_a_reading_says(words, says, expected):
    reading = replace(READING, says=says, status=ReadingStatus.PRELIMINARY)
    said = known_of(MarkerView("gene:GENA", Known("x", (reading,))), words)
    assert said == f"GENA: x, from {expected} (12 March 2024, Northern Test Laboratory, preliminary)."


@pytest.mark.parametrize(
    ("says", "expected"),
    [
        (Phenotype("x"), "a problem or allergy list (12 March 2024)"),
        (Phenotype("y"), "y (12 March 2024, in a problem or allergy list)"),
    ],
)
def test_what_stands_in_a_list_is_of_no_laboratory(words, says, expected):
    reading = replace(READING, says=says, laboratory="", grade=Grade.LOW, is_listed=True)
    assert known_of(MarkerView("gene:GENA", Known("x", (reading,))), words) == f"GENA: x, from {expected}."


def test_of_many_readings_three_are_named(words):
    said = known_of(MarkerView("gene:GENA", Known("x", (READING,) * 5)), words)
    assert said.count("Northern") == 3
    assert said.endswith("; 2 more.")


@pytest.mark.parametrize(
    ("drugs", "inferred", "result", "sentence"),
    [
        (
            ("secundol",),
            False,
            "GENA blocked by secundol",
            "GENA is blocked by secundol: for now it acts as poor metaboliser.",
        ),
        (
            ("quartol",),
            False,
            "GENA slowed by quartol",
            "GENA is slowed by quartol: for now it acts as poor metaboliser.",
        ),
        (
            ("secundol", "quartol"),
            False,
            "GENA blocked by secundol and quartol",
            "GENA is blocked by secundol and quartol: for now it acts as poor metaboliser.",
        ),
        (
            ("tertiol",),
            False,
            "GENA sped up by tertiol",
            "GENA is sped up by tertiol: for now it acts as poor metaboliser.",
        ),
        (
            ("secundol", "tertiol"),
            True,
            "GENA changed by secundol and tertiol",
            (
                "GENA is changed by secundol and tertiol: for now it acts as poor metaboliser (this service's own "
                "inference, not stated by the guideline)."
            ),
        ),
    ],
)
def test_a_modifier(words, drugs, inferred, result, sentence):
    view = MarkerView("gene:GENA", NotTested(), frozenset({"Poor Metabolizer"}), drugs, inferred)
    assert result_of(view, words) == result
    assert modifiers_of(view, words) == sentence


def test_a_shift_of_what_is_not_known_tells_no_state(words):
    both = frozenset({"Poor Metabolizer", "Normal Metabolizer"})
    view = MarkerView("gene:GENA", NotTested(), both, ("quartol",))
    assert modifiers_of(view, words) == "GENA is slowed by quartol: a result has to be read with that in mind."


def test_an_inferred_shift_is_labelled_on_card_and_extension(card_of):
    view = MarkerView("gene:GENA", NotTested(), frozenset({"Poor Metabolizer"}), ("secundol",), inferred=True)
    card = card_of(change_now(markers=(view,)))
    assert "own inference" in head_of(card)
    marker = card["extension"]["org.cds-service.findings"][0]["markers"][0]
    assert marker == {
        "id": "gene:GENA",
        "knowledge": "NotTested",
        "effectiveState": "Poor Metabolizer",
        "modifiedBy": ["secundol"],
        "inferred": True,
    }


def test_narrowed_and_shifted_states_are_lists_in_the_extension(card_of):
    both = frozenset({"Poor Metabolizer", "Normal Metabolizer"})
    view = MarkerView("gene:GENA", Narrowed(both, Narrowing.REPORTED_AS_RANGE), both, ("secundol",))
    marker = card_of(change_now(markers=(view,)))["extension"]["org.cds-service.findings"][0]["markers"][0]
    assert marker["states"] == marker["effectiveStates"] == ["Normal Metabolizer", "Poor Metabolizer"]


def test_a_test_of_one_thing_is_a_report_and_not_a_nameless_find(card_of):
    serology = replace(READING, says=Presence("", False))
    seen = MarkerView("gene:GENA", Known("negative", (serology,)), frozenset({"negative"}))
    detail = card_of(change_now(markers=(seen,)))["detail"]
    assert "a report (" in detail
    assert "not found" not in detail


def test_a_spoiled_result_says_what_spoils_it(card_of):
    states = frozenset({"Poor Metabolizer", "Normal Metabolizer"})
    spoiled = MarkerView("gene:GENA", Narrowed(states, "blood_was_haemolysed", (READING,)), states)
    assert "(blood was haemolysed)" in card_of(change_now(markers=(spoiled,)))["detail"]


def test_a_value_without_a_unit_is_told_without_one(card_of):
    inr = Reading("gene:GENA", Quantity(5.2, "1"), "Observation/9", on=date(2026, 11, 23))
    head = head_of(card_of(change_now(markers=(MarkerView("gene:GENA", Known("Poor Metabolizer", (inr,))),))))
    assert "from 5.2 (" in head
