"""A query that was lost: what it would have said is not known, and is told where it could alter the order."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cds_service.knowledge.schema import Fact, Modifier, Modulator, Predicate, ResultSpoiler
from cds_service.model import (
    Availability,
    Gap,
    GapReason,
    Gravity,
    Indicator,
    Kind,
    Outcome,
    PendingTest,
    Query,
    Trust,
)
from cds_service.reasoning.predicates import holds
from tests.support.tiny import (
    ALPHA,
    ALPHA_GENE,
    BETA,
    COMPLETE,
    INTERMEDIATE,
    NORMAL,
    POOR,
    ULTRARAPID,
    advice,
    ago,
    around,
    findings,
    half,
    only,
    order,
    person,
    phenotype,
    population,
    row,
    shown,
    table,
    taking,
    use,
    world,
)

LOST = (Availability.FAILED, Availability.PARTIAL)
NOT_LOST = (Availability.COMPLETE, Availability.MISSING)
WHY = {Availability.MISSING: "missing", Availability.FAILED: "not_obtained", Availability.PARTIAL: "partial"}


def missing(query: Query, availability: Availability, *readings, **fields):
    return person(*readings, availability={**COMPLETE, query: availability}, **fields)


ABSENT = [
    (Predicate(Fact.FAMILY_HISTORY, is_in=("stroke",), when_unknown=False), Query.FAMILY),
    (Predicate(Fact.CONDITION, is_in=("stroke",), when_unknown=False), Query.CONDITIONS),
    (Predicate(Fact.INDICATION, is_in=("stroke",), when_unknown=False), Query.CONDITIONS),
    (Predicate(Fact.REACTION, is_in=("stroke",), when_unknown=False), Query.ALLERGIES),
    (Predicate(Fact.COMEDICATION, is_in=("blockol",), when_unknown=False), Query.MEDICATIONS),
    (Predicate(Fact.EXPOSURE, above=90, when_unknown=False), Query.MEDICATIONS),
    (Predicate(Fact.WEIGHT, below=40, when_unknown=False), Query.RESULTS),
]


@pytest.mark.parametrize(("predicate", "query"), ABSENT)
@pytest.mark.parametrize("availability", Availability)
def test_a_fact_counts_as_absent_only_where_its_query_was_not_lost(predicate, query, availability):
    context = around("x", missing(query, availability), world())
    truth = holds(predicate, context, "t")
    lost = availability in LOST
    assert truth.holds is (None if lost else False)
    assert truth.missing == ((predicate.fact.value,) if lost else ())
    assert context.why_unknown(predicate.fact) == WHY.get(availability, "fact_not_known")


def test_of_several_facts_that_are_not_known_one_that_was_lost_is_enough():
    facts = (Predicate(Fact.WEIGHT, above=40), Predicate(Fact.CONDITION, is_in=("stroke",)))
    both = Predicate(all=facts, when_unknown=False)
    lost = missing(Query.CONDITIONS, Availability.FAILED)
    assert holds(both, around("unol", lost, world()), "unol_table").holds is None
    never_sent = missing(Query.CONDITIONS, Availability.MISSING)
    assert holds(both, around("unol", never_sent, world()), "unol_table").holds is False


def test_what_is_assumed_and_said_is_assumed_all_the_same():
    assumed = Predicate(Fact.AGE, at_least=18, when_unknown=True, say="assumed_adult")
    patient = replace(missing(Query.PATIENT, Availability.FAILED), birth_date=None)
    assert holds(assumed, around("x", patient, world()), "t").holds is True


def test_what_the_order_says_needs_no_query():
    context = around("x", missing(Query.PATIENT, Availability.FAILED), world())
    assert not context.is_lost(Fact.DAILY_DOSE)
    assert context.why_unknown(Fact.DAILY_DOSE) == "fact_not_known"


HISTORY = table(
    "unol",
    row({}, half()),
    population=population(Predicate(Fact.FAMILY_HISTORY, is_in=("stroke",), when_unknown=False)),
)


@pytest.mark.parametrize("availability", LOST)
def test_a_lost_family_history_is_said_and_makes_nothing_of_the_order(availability):
    finding = only(findings(world(HISTORY), order("unol", mg=100), missing(Query.FAMILY, availability)))
    assert (finding.kind, finding.silent, finding.indicator) == (Kind.NOT_ASSESSED, "", Indicator.INFO)
    assert finding.gaps == (Gap("family_history", WHY[availability]),)
    assert (finding.resulting.outcome, finding.arithmetic) == (Outcome.AS_DRAFTED, None), "no dose is offered"


@pytest.mark.parametrize("availability", NOT_LOST)
def test_a_family_history_that_is_empty_or_never_sent_is_silent(availability):
    assert shown(findings(world(HISTORY), order("unol"), missing(Query.FAMILY, availability))) == []


AT_RISK = (Predicate(Fact.CONDITION, is_in=("stroke",), when_unknown=False),)


@pytest.mark.parametrize("asks", [use("if_risk", risks=AT_RISK), use("none", required_when=AT_RISK)])
@pytest.mark.parametrize("availability", Availability)
def test_a_risk_that_was_lost_is_said(asks, availability):
    of = table("unol", row({ALPHA: POOR}, "avoid"), uses={ALPHA: asks})
    found = shown(findings(world(of), order("unol"), missing(Query.CONDITIONS, availability)))
    if availability in NOT_LOST:
        assert found == []
    else:
        assert only(found).kind is Kind.NOT_ASSESSED
        assert only(found).gaps == (Gap("condition", WHY[availability]),)
        at_risk = table("unol", row({ALPHA: POOR}, "avoid"), uses={ALPHA: replace(asks, tolerated_after_days=9)})
        taken = (taking("unol", started=ago(99)),)
        patient = missing(Query.CONDITIONS, availability, medications=taken)
        assert shown(findings(world(at_risk), order("unol"), patient)) == []


def test_a_risk_that_is_known_needs_nothing_that_was_lost():
    young = (Predicate(Fact.AGE, at_least=18), *AT_RISK)
    of = table("unol", row({ALPHA: POOR}, "avoid"), uses={ALPHA: use("if_risk", risks=young)})
    found = only(shown(findings(world(of), order("unol"), missing(Query.CONDITIONS, Availability.FAILED))))
    assert found.kind is Kind.TEST_WOULD_CHANGE


OPIOL = table(
    "opiol",
    row({BETA: POOR}, advice("avoid", gravity=Gravity.SERIOUS)),
    row({BETA: (INTERMEDIATE, NORMAL)}, "standard", id="rest"),
    row({BETA: ULTRARAPID}, half()),
    uses={BETA: use("recommended")},
)
OPIOIDS = world(
    OPIOL,
    modifiers=(Modifier("m", BETA, "guideline", Trust.READ, {"strong": 0.0}, ("opiol",)),),
    modulators=(Modulator("BETA", "inhibitor", "strong", "blockol", "label", Trust.READ),),
)
COMEDICATION = Gap("comedication", GapReason.NOT_OBTAINED)


def opiol(*readings, **fields):
    patient = missing(Query.MEDICATIONS, Availability.FAILED, *readings, **fields)
    return only(shown(findings(OPIOIDS, order("opiol"), patient)))


def test_a_normal_metaboliser_may_be_blocked_by_a_medicine_that_was_lost():
    finding = opiol(phenotype(BETA, NORMAL))
    assert (finding.kind, finding.silent, finding.gaps) == (Kind.NOT_ASSESSED, "", (COMEDICATION,))


def test_a_medicine_that_was_lost_may_act_on_a_marker_beside_others():
    of = table("opiol", row({ALPHA: POOR}, half()), row({ALPHA: NORMAL, BETA: POOR}, "avoid", id="beta"))
    blocked = world(of, modifiers=OPIOIDS.modifiers)
    lost = missing(Query.MEDICATIONS, Availability.FAILED, phenotype(ALPHA, NORMAL), phenotype(BETA, NORMAL))
    assert only(shown(findings(blocked, order("opiol"), lost))).gaps == (COMEDICATION,)


def test_what_is_asked_or_changed_says_that_medicines_were_lost():
    asked = opiol()
    assert (asked.kind, asked.gaps) == (Kind.TEST_WOULD_CHANGE, (COMEDICATION,))
    milder = opiol(phenotype(BETA, ULTRARAPID))
    assert (milder.kind, milder.gaps) == (Kind.CHANGE_NOW, (COMEDICATION,))
    left = opiol(phenotype(BETA, POOR))
    assert (left.kind, left.gaps) == (Kind.CHANGE_NOW, ()), "no medicine makes it worse"


def test_without_a_modifier_the_medicines_are_not_missed():
    plain = findings(world(OPIOL), order("opiol"), missing(Query.MEDICATIONS, Availability.FAILED))
    assert only(plain).gaps == ()


@pytest.mark.parametrize("availability", LOST)
def test_a_draft_that_could_matter_to_a_lost_medicine_says_so(availability):
    finding = only(shown(findings(OPIOIDS, order("blockol"), missing(Query.MEDICATIONS, availability))))
    assert (finding.kind, finding.table, finding.drug) == (Kind.NOT_ASSESSED, "", "blockol")
    assert finding.gaps == (Gap("comedication", WHY[availability]),)


@pytest.mark.parametrize("availability", NOT_LOST)
def test_a_draft_is_not_doubted_where_nothing_was_lost(availability):
    assert shown(findings(OPIOIDS, order("blockol"), missing(Query.MEDICATIONS, availability))) == []


def test_a_lost_list_of_medicines_is_said_once_and_where_it_matters():
    lost = missing(Query.MEDICATIONS, Availability.FAILED)
    assert shown(findings(OPIOIDS, order("plainol"), lost)) == []
    assert shown(findings(OPIOIDS, order("blockol", active=True), lost)) == []
    pair = table(
        "blockol",
        row({}, "avoid"),
        population=population(Predicate(Fact.COMEDICATION, is_in=("otherol",), when_unknown=False)),
    )
    both = world(OPIOL, pair, modifiers=OPIOIDS.modifiers, modulators=(*OPIOIDS.modulators_by_drug["blockol"],))
    assert only(shown(findings(both, order("blockol"), lost))).table == "blockol_table"
    assert only(shown(findings(both, order("blockol", "plainol"), lost))).table == "blockol_table"


def test_a_lost_list_of_medicines_is_said_beside_what_is_shown_of_something_else():
    limit = table("blockol", row({}, "avoid"))
    both = world(OPIOL, limit, modifiers=OPIOIDS.modifiers, modulators=OPIOIDS.modulators_by_drug["blockol"])
    found = shown(findings(both, order("blockol"), missing(Query.MEDICATIONS, Availability.FAILED)))
    assert [(f.kind, f.gaps) for f in found] == [(Kind.CHANGE_NOW, ()), (Kind.NOT_ASSESSED, (COMEDICATION,))]


def test_a_lost_problem_list_may_tell_one_of_two_genes():
    """What a diagnosis tells of a gene is missed whether or not it could tell the other one too."""
    of = table("unol", row({ALPHA: POOR, BETA: POOR}, "avoid"), uses={ALPHA: use("required"), BETA: use("required")})
    told = replace(ALPHA_GENE, listed={"favism": (POOR,)})
    knowledge = world(of)
    knowledge = replace(knowledge, genes={**knowledge.genes, told.symbol: told})
    found = shown(findings(knowledge, order("unol"), missing(Query.CONDITIONS, Availability.FAILED)))
    assert {gap.about for finding in found for gap in finding.gaps} == {"condition"}


HAEMOLYSIS = ResultSpoiler(
    "haemolysis", (ALPHA,), ("haemolysis",), "young_cells", "study", Trust.READ, methods=("enzyme_activity",),
    spared_specimens=("hair",),
)  # fmt: skip


def activity(state, testing="required", query=Query.CONDITIONS, **fields):
    of = table("unol", row({ALPHA: POOR}, "avoid"), uses={ALPHA: use(testing)})
    reading = replace(phenotype(ALPHA, state), method="enzyme_activity", **fields)
    lost = missing(query, Availability.FAILED, reading)
    return only(findings(replace(world(of), spoilers=(HAEMOLYSIS,)), order("unol"), lost))


def test_a_required_result_is_doubted_where_what_may_have_spoiled_it_was_lost():
    finding = activity(NORMAL)
    assert (finding.kind, finding.silent, finding.gaps) == (
        Kind.NOT_ASSESSED, "", (Gap("condition", GapReason.NOT_OBTAINED),)
    )  # fmt: skip


def test_one_of_two_results_that_may_be_spoiled_is_enough():
    of = table("unol", row({ALPHA: POOR}, "avoid"), uses={ALPHA: use("required")})
    blood = replace(phenotype(ALPHA, NORMAL), method="enzyme_activity")
    hair = replace(blood, specimen="hair", reference="Observation/hair")
    lost = missing(Query.CONDITIONS, Availability.FAILED, blood, hair)
    finding = only(findings(replace(world(of), spoilers=(HAEMOLYSIS,)), order("unol"), lost))
    assert finding.gaps == (Gap("condition", GapReason.NOT_OBTAINED),)


def test_a_result_is_not_doubted_where_it_changes_the_order_is_not_required_or_cannot_be_spoiled():
    assert activity(POOR).kind is Kind.CHANGE_NOW
    assert activity(NORMAL, testing="recommended").kind is Kind.NO_CHANGE
    assert activity(NORMAL, specimen="hair root").kind is Kind.NO_CHANGE
    assert activity(NORMAL, query=Query.ALLERGIES).kind is Kind.NO_CHANGE
    genotype = replace(phenotype(ALPHA, NORMAL), method="genotype")
    of = table("unol", row({ALPHA: POOR}, "avoid"), uses={ALPHA: use("required")})
    lost = missing(Query.CONDITIONS, Availability.FAILED, genotype)
    assert only(findings(replace(world(of), spoilers=(HAEMOLYSIS,)), order("unol"), lost)).kind is Kind.NO_CHANGE


def test_a_test_asked_for_may_be_ordered_already_where_the_requests_were_lost():
    of = table("unol", row({ALPHA: POOR}, "avoid"), uses={ALPHA: use("required")})
    finding = only(findings(world(of), order("unol"), missing(Query.REQUESTS, Availability.FAILED)))
    assert (finding.kind, finding.gaps) == (Kind.TEST_WOULD_CHANGE, (Gap("requests", GapReason.NOT_OBTAINED),))
    pending = (PendingTest((ALPHA,), "ServiceRequest/1", ago(1)),)
    known = missing(Query.REQUESTS, Availability.PARTIAL, pending=pending)
    assert only(findings(world(of), order("unol"), known)).gaps == ()


def unasked(marker, *readings, says=None):
    """An order whose marker nobody would test for, with the results lost."""
    of = table("unol", row({marker: POOR}, says or half()), uses={marker: use("if_risk", risks=AT_RISK)})
    return lambda availability: only(
        findings(world(of), order("unol", mg=100), missing(Query.RESULTS, availability, *readings))
    )


GRAVE = advice("avoid", gravity=Gravity.FATAL_OR_IRREVERSIBLE)


@pytest.mark.parametrize("availability", Availability)
def test_a_lost_result_that_would_save_from_fatal_harm_is_told_whoever_asks_for_it(availability):
    finding = unasked(ALPHA, says=GRAVE)(availability)
    assert (not finding.silent) == (availability in LOST)
    assert (finding.kind is Kind.NOT_ASSESSED) == (availability is not Availability.COMPLETE)
    assert finding.indicator is Indicator.INFO


def test_a_usual_result_does_not_settle_what_a_lost_one_could_save_from():
    asked = unasked(ALPHA, phenotype(ALPHA, NORMAL), says=GRAVE)
    assert asked(Availability.COMPLETE).silent
    told = asked(Availability.PARTIAL)
    assert (told.kind, told.silent, told.gaps) == (
        Kind.NOT_ASSESSED,
        "",
        (Gap(ALPHA, GapReason.FURTHER_RESULTS_LOST),),
    )
    assert unasked(ALPHA, phenotype(ALPHA, NORMAL))(Availability.PARTIAL).silent


@pytest.mark.parametrize("availability", LOST)
def test_a_lost_result_of_a_gene_is_told_in_someone_who_has_others(availability):
    assert unasked(ALPHA)(availability).silent
    told = unasked(ALPHA, phenotype(BETA, NORMAL))(availability)
    assert (told.kind, told.silent, told.indicator) == (Kind.NOT_ASSESSED, "", Indicator.INFO)
    assert unasked(ALPHA, phenotype(BETA, NORMAL))(Availability.MISSING).silent


def test_a_lost_result_is_not_missed_where_the_drug_was_tolerated():
    of = table("unol", row({ALPHA: POOR}, GRAVE), uses={ALPHA: replace(use("none"), tolerated_after_days=9)})
    patient = missing(Query.RESULTS, Availability.FAILED, medications=(taking("unol", started=ago(99)),))
    assert shown(findings(world(of), order("unol"), patient)) == []
