"""What is said where something is missing: a result, a part of the results, a fact of the population."""

from __future__ import annotations

import pytest

from cds_service.knowledge.schema import Fact, Predicate
from cds_service.model import (
    INDETERMINATE,
    Assumption,
    Availability,
    Gap,
    Indicator,
    Kind,
    NotReadable,
    Query,
    Trust,
    Undetermined,
)
from cds_service.policy import Policy
from tests.support.tiny import (
    ALPHA,
    BETA,
    COMPLETE,
    HLA,
    POOR,
    REST,
    ago,
    fatal,
    half,
    hla,
    only,
    person,
    phenotype,
    population,
    reading,
    row,
    table,
    taking,
    use,
    without,
)

from .finding import FIRST, NORMAL_READING, POOR_READING, abol, found, unol


@pytest.mark.parametrize(
    ("patient", "reason"),
    [
        (without(person(), Query.RESULTS), "failed"),
        (person(reading(ALPHA, NotReadable("pdf"))), "pdf"),
        (person(reading(ALPHA, "*1/*99")), "unknown_allele"),
    ],
)
def test_not_assessed_says_what_is_missing(patient, reason):
    finding = only(found(unol(), patient=patient))
    assert (finding.kind, finding.silent) == (Kind.NOT_ASSESSED, "")
    assert finding.gaps == (Gap(ALPHA, reason),)


@pytest.mark.parametrize(
    ("level", "indicator", "hold"), [(FIRST, Indicator.WARNING, True), ("recommended", Indicator.INFO, False)]
)
def test_a_test_without_a_clear_result_is_said_as_it_would_be_untested(level, indicator, hold):
    spent = only(found(unol(fatal(), level=level), phenotype(ALPHA, INDETERMINATE)))
    assert (spent.kind, spent.silent, spent.gaps) == (Kind.NOT_ASSESSED, "", (Gap(ALPHA, "no_clear_result"),))
    failed = only(found(unol(fatal(), level=level), reading(ALPHA, Undetermined())))
    assert (failed.kind, failed.silent, [t.order_it for t in failed.tests]) == (Kind.TEST_WOULD_CHANGE, "", [True])
    assert {(f.indicator, f.hold) for f in (spent, failed)} == {(indicator, hold)}


def test_what_is_unclear_and_what_was_not_obtained_are_one_finding():
    spent = person(phenotype(ALPHA, INDETERMINATE), reading(BETA, NotReadable("pdf")))
    of = table(
        "duol",
        row({ALPHA: POOR}, "avoid"),
        row({ALPHA: REST, BETA: POOR}, half(), id="beta"),
        uses={ALPHA: use("required"), BETA: use("required")},
    )
    finding = only(found(of, patient=spent))
    assert finding.gaps == (Gap(ALPHA, "no_clear_result"), Gap(BETA, "pdf"))


def test_what_could_not_be_read_and_could_not_matter_is_silent():
    unreadable = person(reading(ALPHA, NotReadable("pdf")))
    assert only(found(unol("monitor", level="none"), patient=unreadable)).kind is Kind.NO_CHANGE


def partly(*readings, lost=Availability.PARTIAL, **fields):
    return person(*readings, availability={**COMPLETE, Query.RESULTS: lost}, **fields)


@pytest.mark.parametrize("lost", [Availability.PARTIAL, Availability.FAILED])
def test_a_reassuring_result_does_not_settle_what_a_lost_one_could_change(lost):
    finding = only(found(abol(uses={HLA: FIRST}), patient=partly(hla(False), lost=lost)))
    assert (finding.kind, finding.silent, finding.indicator) == (Kind.NOT_ASSESSED, "", Indicator.INFO)
    assert finding.gaps == (Gap(HLA, "further_results_lost"),)
    assert finding.markers[0].knowledge.state == "negative", "what was read is still shown"
    assert not finding.hold


@pytest.mark.parametrize("lost", [Availability.COMPLETE, Availability.MISSING])
def test_a_reassuring_result_settles_where_nothing_was_lost(lost):
    assert only(found(abol(uses={HLA: FIRST}), patient=partly(hla(False), lost=lost))).kind is Kind.NO_CHANGE


def test_a_lost_result_of_a_tumour_leaves_an_inherited_marker_settled():
    lost = {**COMPLETE, Query.TUMOUR_RESULTS: Availability.FAILED}
    assert only(found(abol(uses={HLA: FIRST}), patient=person(hla(False), availability=lost))).kind is Kind.NO_CHANGE


def test_a_lost_result_that_would_not_be_asked_for_is_silent():
    quiet = abol(half(), uses={HLA: use("none")})
    assert only(found(quiet, patient=partly(hla(False)))).kind is Kind.NO_CHANGE
    window = use("required", tolerated_after_days=90)
    taken = (taking("abol", started=ago(200)),)
    tolerated = only(found(abol(uses={HLA: window}), patient=partly(hla(False), medications=taken)))
    assert tolerated.kind is Kind.NO_CHANGE
    recalled = abol(uses={HLA: FIRST}, trust=Trust.RECALLED)
    assert only(found(recalled, patient=partly(hla(False)))).silent == "recalled"


def test_a_result_that_speaks_against_the_order_stands_whatever_was_lost():
    finding = only(found(abol(uses={HLA: FIRST}), patient=partly(hla(True))))
    assert (finding.kind, finding.indicator, finding.gaps) == (Kind.CHANGE_NOW, Indicator.CRITICAL, ())


def test_a_milder_change_says_that_results_were_lost():
    finding = only(found(unol(half()), patient=partly(POOR_READING)))
    assert (finding.kind, finding.gaps) == (Kind.CHANGE_NOW, (Gap("results", "further_results_lost"),))


HEAVY = population(Predicate(Fact.WEIGHT, above=40))


@pytest.mark.parametrize("readings", [(), (POOR_READING,)])
def test_a_population_that_is_not_known_is_said_where_it_matters(readings):
    finding = only(found(unol(population=HEAVY), *readings))
    assert (finding.kind, finding.silent) == (Kind.NOT_ASSESSED, "")
    assert finding.gaps == (Gap("weight", "fact_not_known"),)


def test_a_population_that_would_not_matter_is_silent():
    assert only(found(unol(population=HEAVY), NORMAL_READING)).silent == "would_not_change"
    assert only(found(unol(population=HEAVY, level="none"))).silent == "would_not_change"
    assert only(found(unol(population=HEAVY, trust=Trust.RECALLED), POOR_READING)).silent == "recalled"


def test_a_named_assumption_is_made_and_said():
    assumed = population(Predicate(Fact.WEIGHT, above=40, when_unknown=True, say="assumed_heavy"))
    finding = only(found(unol(population=assumed), POOR_READING))
    assert finding.kind is Kind.CHANGE_NOW
    assert finding.assumptions == (Assumption("weight", "assumed_heavy", "unol_table"),)
    assert only(found(unol(population=assumed), POOR_READING, weight_kg=30)).silent == "no_table_fits"


@pytest.mark.parametrize(("assumed", "kind"), [(True, Kind.CHANGE_NOW), (False, Kind.NO_CHANGE)])
def test_a_site_says_what_it_assumes(assumed, kind):
    policy = Policy(assume_when_unknown={"unol_table": assumed})
    assert only(found(unol(population=HEAVY), POOR_READING, policy=policy)).kind is kind
