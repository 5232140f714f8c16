"""Several tables, several orders, active medicines, alternatives."""

from __future__ import annotations

import pytest

from cds_service.knowledge.schema import Band, Fact, Modifier, Modulator, Predicate, TableKind, Test
from cds_service.model import (
    Action,
    Allergy,
    Alternative,
    Gap,
    GapReason,
    Gravity,
    Indicator,
    Kind,
    Option,
    Outcome,
    PendingTest,
    Presence,
    Quantity,
    Reading,
    Refusal,
    Trust,
)
from cds_service.policy import Policy, Switch
from tests.support.tiny import (
    ALPHA,
    BETA,
    HLA,
    INTERMEDIATE,
    NORMAL,
    POOR,
    RAPID,
    ULTRARAPID,
    advice,
    ago,
    fatal,
    findings,
    half,
    only,
    order,
    person,
    population,
    reading,
    row,
    shown,
    swap,
    table,
    taking,
    use,
    world,
)

GENOTYPE = ALPHA.replace("gene:", "genotype:")
REST = (INTERMEDIATE, NORMAL, RAPID, ULTRARAPID)
SLOWED = person(medications=(taking("slowol"),))
POOR_READING = reading(ALPHA, "*2/*2")


def interaction(drug, *others, then="avoid", **fields):
    """A table that speaks against the drug beside the others."""
    fits = population(Predicate(Fact.COMEDICATION, is_in=others))
    return table(drug, row({}, then), **{"id": f"{drug}_with_{others[0]}", "population": fits, **fields})


def unol(then="avoid", drug="unol", **fields):
    return table(drug, row({ALPHA: POOR}, then), row({ALPHA: REST}, "standard", id="rest"), **fields)


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


LABEL = unol(fatal(), id="label", source="label_contraindication")
GUIDELINE = unol(half(), id="guide")


def test_one_source_leads_and_others_are_quoted_where_they_differ():
    finding = only(findings(world(GUIDELINE, LABEL), order("unol"), person(POOR_READING)))
    assert (finding.table, finding.quotes) == ("label", ("guide",))
    of_others = table("unol", row({BETA: POOR}, half(0.25)), id="beta")
    beside = findings(world(GUIDELINE, LABEL, of_others), order("unol"), person(POOR_READING, reading(BETA, "*4/*4")))
    assert {f.table: f.quotes for f in beside} == {"label": ("guide",), "beta": ()}
    same = unol(id="guide")
    assert only(findings(world(same, LABEL), order("unol"), person(POOR_READING))).quotes == ()


def test_a_site_chooses_which_source_leads():
    policy = Policy(source_order=("guideline", "label_contraindication"))
    finding = only(findings(world(GUIDELINE, LABEL), order("unol"), person(POOR_READING), policy))
    assert (finding.table, finding.quotes) == ("guide", ("label",))
    unlisted = Policy(source_order=("guideline",))
    assert only(findings(world(GUIDELINE, LABEL), order("unol"), person(POOR_READING), unlisted)).table == "guide"


def test_disagreement_makes_no_test():
    kinds = {f.kind for f in findings(world(GUIDELINE, LABEL), order("unol"), person(reading(ALPHA, "*1/*1")))}
    assert kinds == {Kind.NO_CHANGE}


def test_recalled_guidance_never_displaces_what_may_be_shown():
    recalled = unol(fatal(), id="label", source="label_contraindication", trust=Trust.RECALLED)
    finding = only(findings(world(recalled, GUIDELINE), order("unol"), person(POOR_READING)))
    assert (finding.table, finding.quotes) == ("guide", ())


def test_a_table_that_only_may_fit_never_displaces_one_that_fits():
    heavy = population(Predicate(Fact.WEIGHT, above=40))
    maybe = unol(fatal(), id="label", source="label_contraindication", population=heavy)
    found = findings(world(maybe, GUIDELINE), order("unol"), person(POOR_READING))
    assert {f.table: f.kind for f in found} == {"label": Kind.NOT_ASSESSED, "guide": Kind.CHANGE_NOW}
    lesser = unol(fatal(), id="lesser", source="regulator_table", population=heavy)
    assert only(findings(world(lesser, GUIDELINE), order("unol"), person(POOR_READING))).table == "guide"


def test_tables_of_other_markers_and_of_none_stand_beside_each_other():
    beta = table("unol", row({BETA: POOR}, half()), id="beta", source="label")
    limit = table("unol", row({}, "standard"), id="limit", source="label")
    other_limit = table("unol", row({}, half()), id="other_limit")
    found = findings(world(GUIDELINE, beta, limit, other_limit), order("unol"), person(POOR_READING))
    assert {f.table for f in found} == {"guide", "beta", "limit", "other_limit"}


def test_tables_of_one_measured_value_stand_beside_each_other():
    potassium = reading("lab:potassium", Quantity(6.3, "mmol/L"), on=ago(1))
    uses = {"lab:potassium": use(bands={"usual": Band(at_most=5), "high": Band(above=5)}, unit="mmol/L")}
    high = row({"lab:potassium": "high"}, "avoid")
    both = (table("unol", high, id=source, source=source, uses=uses) for source in ("label", "guideline"))
    assert {f.table for f in shown(findings(world(*both), order("unol"), person(potassium)))} == {
        "label",
        "guideline",
    }


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


PHENOCONVERSION = {
    "modifiers": (Modifier("m", BETA, "guideline", Trust.READ, {"strong": 0.0}, ("opiol",)),),
    "modulators": (Modulator("BETA", "inhibitor", "strong", "blockol", "label", Trust.READ),),
}
OPIOL = table(
    "opiol",
    row({BETA: POOR}, advice(swap("tramol", "morphol"), gravity=Gravity.SERIOUS)),
    row({BETA: (INTERMEDIATE, NORMAL, ULTRARAPID)}, "standard", id="rest"),
    uses={BETA: use("recommended")},
)
TRAMOL = interaction("tramol", "blockol")
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


def _indication(name: str, marker: str, fitting: str = "standard", **fields):
    return table(
        "onculol",
        row({marker: "negative"}, "not_indicated"),
        row({marker: "positive"}, fitting),
        id=name,
        kind=TableKind.INDICATION,
        uses={marker: use("required", states=("positive", "negative"))},
        **fields,
    )


PROTEIN, REPAIR = "lab:protein", "lab:repair"
ONCULOL = (_indication("protein", PROTEIN), _indication("repair", REPAIR))


def _found(marker: str, present: bool) -> Reading:
    return Reading(marker, Presence("", present), f"Observation/{marker}", on=ago(3))


def _told(*readings: Reading, tables=ONCULOL) -> dict[str, tuple[Kind, str]]:
    tests = tuple(Test(m, (m,), (), "stain", "study") for m in (PROTEIN, REPAIR))
    found = findings(world(*tables, tests=tests), order("onculol"), person(*readings))
    return {f.table: (f.kind, f.silent) for f in found}


def test_one_indication_that_is_supported_ends_the_others():
    told = _told(_found(PROTEIN, False), _found(REPAIR, True))
    assert told == {"protein": (Kind.CHANGE_NOW, "indicated_otherwise"), "repair": (Kind.NO_CHANGE, "no_change")}
    told = _told(_found(REPAIR, True))
    assert told["protein"] == (Kind.TEST_WOULD_CHANGE, "indicated_otherwise")


def test_a_result_without_advice_supports_no_indication_and_ends_no_other():
    silent = (_indication("protein", PROTEIN, "no_recommendation"), ONCULOL[1])
    told = _told(_found(PROTEIN, True), tables=silent)
    assert told["repair"] == (Kind.TEST_WOULD_CHANGE, "")


def test_an_excluded_indication_says_nothing_while_another_is_open():
    told = _told(_found(PROTEIN, False))
    assert told["protein"] == (Kind.CHANGE_NOW, "other_indication_open")
    assert told["repair"] == (Kind.TEST_WOULD_CHANGE, "")


def test_not_indicated_when_every_indication_excludes_it():
    told = _told(_found(PROTEIN, False), _found(REPAIR, False))
    assert told == {"protein": (Kind.CHANGE_NOW, ""), "repair": (Kind.CHANGE_NOW, "")}


def test_both_supported_is_no_change():
    told = _told(_found(PROTEIN, True), _found(REPAIR, True))
    assert set(told.values()) == {(Kind.NO_CHANGE, "no_change")}
