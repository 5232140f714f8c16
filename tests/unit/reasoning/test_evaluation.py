"""Several tables, several orders, active medicines, alternatives."""

from __future__ import annotations

import pytest

from cds_service.knowledge.schema import Fact, Predicate
from cds_service.model import (
    Alternative,
    Gap,
    GapReason,
    Indicator,
    Kind,
    Outcome,
    PendingTest,
    Refusal,
)
from cds_service.policy import Policy, Switch
from tests.support.tiny import (
    ALPHA,
    BETA,
    HLA,
    POOR,
    REST,
    ago,
    fatal,
    findings,
    half,
    only,
    order,
    person,
    population,
    row,
    shown,
    table,
    taking,
    use,
    world,
)

from .evaluating import OPIOL, PHENOCONVERSION, POOR_READING, TRAMOL, interaction, unol

GENOTYPE = ALPHA.replace("gene:", "genotype:")
SLOWED = person(medications=(taking("slowol"),))


def test_a_drug_without_guidance_is_silent():
    finding = only(findings(world(), order("plainol"), person()))
    assert (finding.kind, finding.silent) == (Kind.NO_CHANGE, "no_guidance")


@pytest.mark.parametrize(("say", "silent"), [(True, ""), (False, "policy_silent")])
def test_a_drug_that_nobody_knows_is_said(say, silent):
    unknown = order(reference="Draft/1", name="Zzyzxomab")
    finding = only(findings(world(), unknown, person(), Policy(say_not_recognised=say)))
    assert (finding.kind, finding.drug, finding.silent) == (Kind.NOT_ASSESSED, "Zzyzxomab", silent)
    assert finding.gaps[0].reason == "not_recognised"


def test_a_draft_whose_medicine_was_not_sent_is_not_called_unrecognised():
    gone = order(reference="Draft/1", name="Medication/m1")
    patient = person(gaps=(Gap("Draft/1", GapReason.MEDICATION_NOT_AVAILABLE),))
    finding = only(findings(world(), gone, patient, Policy(say_not_recognised=False)))
    assert (finding.kind, finding.gaps[0].reason, finding.silent) == (
        Kind.NOT_ASSESSED,
        GapReason.MEDICATION_NOT_AVAILABLE,
        "",
    )


def test_an_order_of_which_a_part_is_not_known_is_told_beside_what_is_found_of_the_rest():
    half = order("plainol", reference="Draft/1", name="plainol w xyz", unread=("xyz",))
    told, found = findings(world(), half, person())
    assert (told.kind, told.drug, told.silent) == (Kind.NOT_ASSESSED, "plainol w xyz", "")
    assert [gap.reason for gap in told.gaps] == ["partly_recognised"]
    assert (found.kind, found.drug) == (Kind.NO_CHANGE, "plainol")
    silent, _ = findings(world(), half, person(), Policy(say_not_recognised=False))
    assert silent.silent == "policy_silent"


@pytest.mark.parametrize(
    ("routes", "route", "fits"),
    [
        (("systemic",), "topical", False),
        (("systemic",), "intravenous", True),
        (("topical",), "topical", True),
        (("any",), "topical", True),
    ],
)
def test_the_route_decides_whether_a_table_fits(routes, route, fits):
    found = findings(world(unol(routes=routes)), order("unol", route=route), person(POOR_READING))
    assert (found[0].silent == "") is fits


def test_every_ingredient_of_a_combination_is_evaluated():
    knowledge = world(unol(), unol(drug="duol", then=half()))
    found = findings(knowledge, order("unol", "duol"), person(POOR_READING))
    assert {f.drug: f.resulting.outcome for f in found} == {
        "unol": Outcome.OTHER_DRUG,
        "duol": Outcome.CHANGED_DOSE,
    }
    assert {f.order.reference for f in found} == {"Draft/unol-duol"}


def test_ingredients_of_one_product_interact():
    found = findings(world(interaction("unol", "duol")), order("unol", "duol"), person())
    assert [f.drug for f in shown(found)] == ["unol"]


def test_what_was_gathered_for_one_order_does_not_tell_of_another():
    """Reasons, routes, companions and a table's own states are each order's own."""
    of_stroke = population(Predicate(Fact.INDICATION, is_in=("stroke",)))
    by_vein = population(Predicate(Fact.ROUTE, is_in=("intravenous",)))
    own_states = {GENOTYPE: use(states=("*2/*2", "other"))}
    other_states = {GENOTYPE: use(states=("*2/any", "other"))}
    knowledge = world(
        unol(population=of_stroke),
        unol(drug="duol", population=by_vein),
        interaction("triol", "unol"),
        table("tetrol", row({GENOTYPE: "*2/*2"}, "avoid"), uses=own_states),
        table("pentol", row({GENOTYPE: "*2/any"}, "avoid"), uses=other_states),
    )
    drafts = (
        order("unol", reasons=frozenset({"stroke"})),
        order("unol", reasons=frozenset({"heart_attack"}), reference="Draft/again"),
        order("duol", route="oral"),
        order("duol", route="intravenous", reference="Draft/by_vein"),
        order("unol", "triol"),
        order("tetrol"),
        order("pentol"),
    )
    patient = person(POOR_READING)
    together = findings(knowledge, drafts, patient)
    alone = [f for draft in drafts for f in findings(knowledge, draft, patient)]
    assert [f for f in together if f.drug != "triol"] == [f for f in alone if f.drug != "triol"]
    assert {f.order.reference for f in shown(together)} == {
        "Draft/unol", "Draft/by_vein", "Draft/unol-triol", "Draft/tetrol", "Draft/pentol",
    }  # fmt: skip


def test_the_worst_of_several_decides_and_closes_the_rest():
    beta = table("unol", row({BETA: POOR}, half()), id="beta", uses={BETA: use("required")})
    found = findings(world(unol(), beta), order("unol"), person(POOR_READING))
    assert {f.table: f.kind for f in found} == {"unol_table": Kind.CHANGE_NOW, "beta": Kind.NO_TEST_CHANGES}
    # What others make of the order, which is never what the table itself makes of it.
    assert {f.table: f.decided.outcome for f in found} == {
        "unol_table": Outcome.AS_DRAFTED,
        "beta": Outcome.OTHER_DRUG,
    }


def test_a_change_beside_a_silent_question_closes_the_rest_too():
    either = table(
        "unol",
        row({ALPHA: POOR, HLA: "negative"}, "avoid"),
        row({ALPHA: POOR, HLA: "positive"}, "stop"),
        row({ALPHA: REST}, "standard", id="rest"),
    )
    beta = table("unol", row({BETA: POOR}, half()), id="beta", uses={BETA: use("required")})
    patient = person(POOR_READING, pending=(PendingTest((HLA,), "ServiceRequest/1", ago(1)),))
    found = findings(world(either, beta), order("unol"), patient)
    assert {(f.table, f.kind, f.silent) for f in found} == {
        ("unol_table", Kind.CHANGE_NOW, ""),
        ("unol_table", Kind.TEST_PENDING, "below_threshold"),
        ("beta", Kind.NO_TEST_CHANGES, "no_test_changes"),
    }


def test_silent_advice_closes_nothing():
    beta = table("unol", row({BETA: POOR}, half()), id="beta", uses={BETA: use("required")})
    silent = Policy(guidance={"unol_table": Switch.SILENT})
    found = findings(world(unol(), beta), order("unol"), person(POOR_READING), silent)
    assert {f.table: f.kind for f in shown(found)} == {"beta": Kind.TEST_WOULD_CHANGE}


def test_a_table_that_only_may_fit_closes_nothing():
    maybe = unol(population=population(Predicate(Fact.WEIGHT, above=40)))
    beta = table("unol", row({BETA: POOR}, half()), id="beta", uses={BETA: use("required")})
    found = findings(world(maybe, beta), order("unol"), person(POOR_READING))
    assert {f.table: f.kind for f in found} == {"unol_table": Kind.NOT_ASSESSED, "beta": Kind.TEST_WOULD_CHANGE}


def test_a_test_that_leads_beyond_what_another_table_makes_of_the_order_is_still_asked_for():
    tested = unol(then=fatal(), uses={ALPHA: use("required")})
    found = findings(world(tested, interaction("unol", "slowol", then=half())), order("unol"), SLOWED)
    asked = only(f for f in found if f.table == "unol_table")
    (question,) = asked.tests
    assert [b.resulting.outcome for b in question.branches] == [Outcome.CHANGED_DOSE, Outcome.OTHER_DRUG]
    assert asked.decided.outcome is Outcome.CHANGED_DOSE


def test_drafts_are_evaluated_with_each_other():
    found = findings(world(interaction("unol", "blockol")), (order("unol"), order("blockol")), person())
    assert [f.drug for f in shown(found)] == ["unol"]


def test_the_same_drug_drafted_twice_is_no_interaction():
    knowledge = world(interaction("unol", "unol"), unol())
    twice = (order("unol"), order("unol", reference="Draft/second"))
    found = shown(findings(knowledge, twice, person(POOR_READING)))
    assert {f.order.reference for f in found} == {"Draft/unol", "Draft/second"}
    assert {f.table for f in found} == {"unol_table"}


def test_a_draft_beside_is_context_and_not_the_question():
    beside = order("blockol", selected=False)
    found = findings(world(interaction("unol", "blockol"), unol(drug="blockol")), (order("unol"), beside), person())
    assert {f.drug for f in found} == {"unol"}
    assert len(shown(found)) == 1
    taken = person(medications=(taking("takenol"),))
    assert shown(findings(world(interaction("takenol", "blockol")), (order("unol"), beside), taken)) == []


OPIOIDS = world(OPIOL, TRAMOL, **PHENOCONVERSION)


def test_phenoconversion_when_the_opioid_is_ordered():
    found = findings(OPIOIDS, order("opiol"), person(medications=(taking("blockol"),)))
    change, closed = found
    assert (change.kind, change.indicator) == (Kind.CHANGE_NOW, Indicator.WARNING)
    assert change.markers[0].modified_by == ("blockol",)
    assert change.alternatives == (Alternative("tramol", Refusal.BY_LIMIT), Alternative("morphol"))
    assert (closed.kind, closed.closed_markers) == (Kind.NO_TEST_CHANGES, (BETA,))


def test_phenoconversion_when_the_inhibitor_is_ordered():
    found = findings(OPIOIDS, order("blockol"), person(medications=(taking("opiol"),)))
    change = only(shown(found))
    assert (change.kind, change.drug, change.caused_by) == (Kind.CHANGE_NOW, "opiol", "Draft/blockol")
    assert change.order.active
    assert change.alternatives == (Alternative("tramol", Refusal.BY_LIMIT), Alternative("morphol"))


def test_an_active_medicine_that_a_draft_does_not_change_is_not_reported():
    knowledge = world(OPIOL, TRAMOL, unol(drug="oldol"), **PHENOCONVERSION)
    patient = person(POOR_READING, medications=(taking("oldol"), taking("endol", stopped=ago(4))))
    assert {f.drug for f in findings(knowledge, order("blockol"), patient)} == {"blockol"}


@pytest.mark.parametrize(("route", "told"), [("oral", 1), ("topical", 0)])
def test_a_draft_affects_a_medicine_taken_only_by_the_route_by_which_it_is_given(route, told):
    patient = person(medications=(taking("unol", route=route),))
    assert len(shown(findings(world(interaction("unol", "blockol")), order("blockol"), patient))) == told


def test_a_medicine_that_a_draft_replaces_is_not_affected():
    patient = person(medications=(taking("opiol"),))
    replacing = order("blockol", replaces="MedicationRequest/opiol")
    assert shown(findings(OPIOIDS, replacing, patient)) == []


def test_a_renewal_is_not_affected_by_itself():
    knowledge = world(interaction("unol", "blockol"))
    patient = person(medications=(taking("unol"),))
    assert shown(findings(knowledge, order("unol", "blockol"), patient))[0].caused_by == ""
    assert len(shown(findings(knowledge, order("unol", "blockol"), patient))) == 1


def test_medicines_under_review_are_seen_with_the_others_taken():
    knowledge = world(interaction("unol", "blockol"))
    patient = person(medications=(taking("unol"), taking("blockol")))
    reviewed = tuple(order(d, reference=f"MedicationRequest/{d}", active=True) for d in ("unol", "blockol"))
    finding = only(shown(findings(knowledge, reviewed, patient)))
    assert (finding.drug, finding.caused_by) == ("unol", "")


def test_an_unrecognised_draft_affects_nothing():
    unknown = order(reference="Draft/1", name="Zzyzxomab")
    assert len(findings(OPIOIDS, unknown, person(medications=(taking("opiol"),)))) == 1
