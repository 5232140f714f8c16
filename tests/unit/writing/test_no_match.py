"""Where a medicine for one variant does not fit: trials and clinical genetics, and no word of the patient."""

from __future__ import annotations

from dataclasses import replace

import pytest
from writing_samples import KNOWLEDGE, TODAY, change_now, order, table

from cds_service.errors import AnswerError
from cds_service.knowledge.schema import (
    Fact,
    MarkerUse,
    NoMatch,
    Population,
    Predicate,
    TableKind,
    Test,
)
from cds_service.model import (
    REFERRAL_TO_GENETICS,
    Action,
    Advice,
    Condition,
    Known,
    MarkerView,
    NotTested,
    Option,
    Patient,
    PendingTest,
)
from cds_service.writing import service_requests
from cds_service.writing.no_match import referral, trials, unmatched
from cds_service.writing.words import Words

NOT_INDICATED = Advice((Option(Action.NOT_INDICATED),))
AVOID = Advice((Option(Action.AVOID),))
FEVER = Predicate(Fact.INDICATION, is_in=("gaol_fever",))
NO_FEVER = Predicate(none=(Predicate(Fact.CONDITION, is_in=("gaol_fever",)),))
ILL = Patient(id="ada", conditions=(Condition(frozenset({"gaol_fever"}), "The fever of Ada", "Condition/1"),))
RULES = NoMatch("https://trials.example.org/?c={condition}&g={gene}", ("somatic",), ("gene",), ("genotype",))


TESTS = {
    "lab:genb": (Test("genb", ("lab:genb",), (), "genotype", "made_up"),),
    "lab:count": (Test("count", ("lab:count",), (), "blood_count", "made_up"),),
}


@pytest.fixture
def world(wording):
    """The words of a knowledge of these tables."""
    named = replace(wording, phrases={**wording.phrases, "marker_genb": "GENB variant"})

    def _world(*tables, rules=RULES, wording=named):
        held = {one.id: one for one in tables}
        return Words(replace(KNOWLEDGE, tables=held, no_match=rules, tests_by_marker=TESTS), wording)

    return _world


def indication(marker, *fits, **changes):
    return table("for_one", "primol", marker, kind=TableKind.INDICATION, population=Population(fits=fits), **changes)


def finding(marker="gene:GENA", state="Poor Metabolizer", advice=NOT_INDICATED, **changes):
    return change_now(table="for_one", advice=advice, markers=(MarkerView(marker, Known(state, ())),), **changes)


@pytest.mark.parametrize(
    ("marker", "state", "inherited"),
    [("gene:GENA", "Poor Metabolizer", True), ("lab:genb", "negative", True), ("somatic:GENC", "p.Gly12Asp", False)],
)
def test_a_variant_that_does_not_fit_is_searched_for(world, marker, state, inherited):
    words = world(indication(marker))
    assert unmatched(finding(marker, state), words).marker == marker
    assert (referral(finding(marker, state), ILL, words, TODAY) is not None) is inherited


@pytest.mark.parametrize(
    ("kind", "changed"),
    [
        (TableKind.SAFETY, finding()),
        (TableKind.INDICATION, finding(advice=AVOID)),
        (TableKind.INDICATION, finding("lab:count", "low")),
        (TableKind.INDICATION, finding("somatic:GENC", "negative")),
        (TableKind.INDICATION, replace(finding(), markers=(MarkerView("gene:GENA", NotTested()),))),
        (TableKind.INDICATION, replace(finding(), table="elsewhere")),
    ],
)
def test_nothing_else_is(world, kind, changed):
    words = world(table("for_one", "primol", "gene:GENA", kind=kind))
    assert unmatched(changed, words) is None
    assert (trials(changed, ILL, words), referral(changed, ILL, words, TODAY)) == (None, None)


@pytest.mark.parametrize(
    ("of", "found", "address"),
    [
        (indication("gene:GENA", FEVER), finding(), "c=gaol%20fever&g=GENA"),
        (indication("gene:GENA"), finding(), "c=&g=GENA"),
        (indication("lab:genb", FEVER), finding("lab:genb", "negative"), "c=gaol%20fever&g=GENB"),
        (indication("somatic:GENC", FEVER), finding("somatic:GENC", "other"), "c=gaol%20fever&g=GENC"),
        (
            indication("gene:GENA", markers={"gene:GENA": MarkerUse(required_when=(NO_FEVER,))}),
            finding(),
            "c=gaol%20fever&g=GENA",
        ),
        (
            indication("gene:GENA", FEVER),
            finding(order=order("primol", "1", reasons=frozenset({"another"}))),
            "c=&g=GENA",
        ),
    ],
)
def test_the_address_has_condition_and_gene_in_the_words_of_the_knowledge(world, of, found, address):
    label, url = trials(found, ILL, world(of))
    assert url == f"https://trials.example.org/?{address}"
    assert "Ada" not in label + url


def test_of_a_tumour_the_disease_may_be_one_that_other_guidance_names(world):
    other = replace(indication("somatic:GEND", FEVER), id="other")
    words = world(indication("somatic:GENC"), other)
    assert trials(finding("somatic:GENC", "other"), ILL, words)[0] == "Search for trials: gaol fever and GENC"


def test_two_diseases_are_not_chosen_between(world):
    both = replace(ILL, conditions=(*ILL.conditions, Condition(frozenset({"flux"}), "Flux", "Condition/2")))
    either = Predicate(Fact.INDICATION, is_in=("gaol_fever", "flux"))
    assert trials(finding(), both, world(indication("gene:GENA", either)))[1].endswith("c=&g=GENA")


def test_nothing_is_searched_for_without_an_address_or_a_word(world, wording):
    assert trials(finding(), ILL, world(indication("gene:GENA"), rules=replace(RULES, trials=""))) is None
    nameless = world(indication("lab:genb"), wording=wording)
    assert trials(finding("lab:genb", "negative"), ILL, nameless) is None


def test_the_referral_is_a_draft_that_names_the_medicine(world):
    request = referral(finding(), ILL, world(indication("gene:GENA")), TODAY)
    assert (request["status"], request["code"]) == ("draft", {"text": "referral to clinical genetics"})
    assert request["subject"] == {"reference": "Patient/ada"}


def test_no_second_referral_is_offered(world):
    referred = replace(ILL, pending=(PendingTest((REFERRAL_TO_GENETICS,), "ServiceRequest/1"),))
    assert referral(finding(), referred, world(indication("gene:GENA")), TODAY) is None


def test_a_referral_that_is_not_valid_is_not_sent(monkeypatch, world):
    monkeypatch.setattr(service_requests, "fault", lambda _: "a fault")
    with pytest.raises(AnswerError, match="clinical genetics: not valid"):
        referral(finding(), ILL, world(indication("gene:GENA")), TODAY)


def test_the_card_says_it_links_the_search_and_offers_one_referral(card_of):
    of = indication("gene:GENA", FEVER)
    knowledge = replace(KNOWLEDGE, tables={of.id: of}, no_match=RULES)
    card = card_of(finding(), finding(row="poor"), patient=ILL, knowledge=knowledge)
    assert "not to say that there is no treatment" in card["detail"]
    assert card["links"][-1]["label"] == "Search for trials: gaol fever and GENA"
    assert [s["label"] for s in card["suggestions"] if "genetics" in s["label"]] == ["Refer to clinical genetics"]
    assert "Ada" not in str(card["links"])
