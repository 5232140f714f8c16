"""Each drug that advice names instead is evaluated for the patient before it is offered."""

from __future__ import annotations

from cds_service.knowledge.schema import Fact, Predicate
from cds_service.model import (
    Action,
    Allergy,
    Alternative,
    Option,
    PendingTest,
    Refusal,
)
from tests.support.tiny import (
    ALPHA,
    BETA,
    POOR,
    advice,
    ago,
    findings,
    only,
    order,
    person,
    population,
    row,
    shown,
    swap,
    table,
    taking,
    use,
    world,
)

from .evaluating import OPIOL, PHENOCONVERSION, POOR_READING, TRAMOL, interaction, unol


def alternatives(*tables, patient=None, drafts=None, option=None):
    offering = unol(option or swap("altol"))
    found = findings(world(offering, *tables), drafts or order("unol"), patient or person(POOR_READING))
    finding = next(f for f in found if f.drug == "unol")
    return finding.alternatives


def test_an_alternative_without_objection_is_offered():
    assert alternatives() == (Alternative("altol"),)


def test_the_drug_itself_is_no_alternative():
    assert alternatives(option=swap("unol", "altol")) == (Alternative("altol"),)


def test_an_allergy_refuses():
    patient = person(POOR_READING, allergies=(Allergy(("altol",), "", "AllergyIntolerance/1"),))
    assert alternatives(patient=patient) == (Alternative("altol", Refusal.ALLERGY),)


def test_what_is_taken_or_drafted_already_is_not_offered():
    taken = person(POOR_READING, medications=(taking("altol"),))
    assert alternatives(patient=taken) == (Alternative("altol", Refusal.TAKEN_ALREADY),)
    ended = person(POOR_READING, medications=(taking("altol", stopped=ago(9)),))
    assert alternatives(patient=ended) == (Alternative("altol"),)
    assert alternatives(drafts=(order("unol"), order("altol"))) == (Alternative("altol", Refusal.TAKEN_ALREADY),)


def test_a_result_or_a_limit_refuses():
    assert alternatives(unol(drug="altol")) == (Alternative("altol", Refusal.BY_RESULT),)
    assert alternatives(table("altol", row({}, "avoid"))) == (Alternative("altol", Refusal.BY_LIMIT),)


def test_a_warning_refuses_and_an_open_question_is_named():
    required = table("altol", row({BETA: POOR}, "avoid"), uses={BETA: use("required")})
    assert alternatives(required) == (Alternative("altol", Refusal.BY_RESULT),)
    recommended = table("altol", row({BETA: POOR}, "avoid"), uses={BETA: use("recommended")})
    assert alternatives(recommended) == (Alternative("altol", open_markers=(BETA,)),)


def test_an_alternative_that_harms_what_is_taken_or_drafted_is_refused():
    spoils = interaction("takenol", "altol")
    taken = person(POOR_READING, medications=(taking("takenol"),))
    assert alternatives(spoils, patient=taken) == (Alternative("altol", Refusal.INTERACTION),)
    assert alternatives(spoils, drafts=(order("unol"), order("takenol"))) == (
        Alternative("altol", Refusal.INTERACTION),
    )
    replacing = order("unol", replaces="MedicationRequest/takenol")
    assert alternatives(spoils, patient=taken, drafts=replacing) == (Alternative("altol"),)
    by_another = (order("unol"), order("newol", replaces="MedicationRequest/takenol"))
    assert alternatives(spoils, patient=taken, drafts=by_another) == (Alternative("altol"),)
    harmless = interaction("takenol", "altol", then="standard")
    assert alternatives(harmless, patient=taken) == (Alternative("altol"),)


def test_an_alternative_that_only_raises_a_question_elsewhere_is_offered():
    raises = table(
        "takenol",
        row({BETA: POOR}, "avoid"),
        uses={BETA: use("recommended")},
        population=population(Predicate(Fact.COMEDICATION, is_in=("altol",))),
    )
    assert alternatives(raises, patient=person(POOR_READING, medications=(taking("takenol"),))) == (
        Alternative("altol"),
    )


def test_an_alternative_for_a_medicine_taken_takes_its_place():
    """Morphol does not go with opiol, but it would stand in opiol's place."""
    knowledge = world(OPIOL, TRAMOL, interaction("morphol", "opiol"), **PHENOCONVERSION)
    change = only(shown(findings(knowledge, order("blockol"), person(medications=(taking("opiol"),)))))
    assert Alternative("morphol") in change.alternatives


def test_alternatives_that_affect_each_other_end():
    """Each of two medicines taken has an alternative that speaks against the other."""
    knowledge = world(
        interaction("aol", "triggerol", "xol", then=advice(swap("yol"))),
        interaction("bol", "triggerol", "yol", then=advice(swap("xol"))),
    )
    found = shown(findings(knowledge, order("triggerol"), person(medications=(taking("aol"), taking("bol")))))
    assert {f.drug: [a.refused for a in f.alternatives] for f in found} == {"aol": [""], "bol": [""]}
    quiet = shown(findings(knowledge, order("xol"), person(medications=(taking("aol"), taking("bol")))))
    assert [(f.drug, [a.refused for a in f.alternatives]) for f in quiet] == [("aol", ["interaction"])]


def test_alternatives_of_a_test_s_outcomes_are_evaluated_too():
    of = unol(swap("altol"), uses={ALPHA: use("required")})
    assert only(findings(world(of), order("unol"), person())).alternatives == (Alternative("altol"),)
    pending = (PendingTest((ALPHA,), "ServiceRequest/1", ago(1)),)
    assert only(findings(world(of), order("unol"), person(pending=pending))).alternatives == (Alternative("altol"),)


def test_silent_findings_offer_nothing():
    assert only(findings(world(unol(swap("altol"))), order("unol"), person())).alternatives == ()


def test_an_alternative_is_evaluated_without_the_old_dose():
    limited = table(
        "altol", row({}, "avoid"), population=population(Predicate(Fact.DAILY_DOSE, above=10, when_unknown=False))
    )
    assert alternatives(limited, drafts=order("unol", mg=100)) == (Alternative("altol"),)
    assert Option(Action.AVOID).alternatives == ()
