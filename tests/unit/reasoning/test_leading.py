"""Of tables of the same markers one source leads, and of several indications one that is supported is enough."""

from __future__ import annotations

import pytest

from cds_service.knowledge.schema import Band, Fact, Predicate, TableKind, Test
from cds_service.model import (
    Kind,
    Presence,
    Quantity,
    Reading,
    Trust,
)
from cds_service.policy import Policy
from tests.support.tiny import (
    ALPHA,
    BETA,
    POOR,
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
    table,
    use,
    world,
)

from .evaluating import POOR_READING, unol

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


@pytest.mark.parametrize("beside", [{}, {ALPHA: POOR}])
def test_tables_of_one_measured_value_stand_beside_each_other(beside):
    potassium = reading("lab:potassium", Quantity(6.3, "mmol/L"), on=ago(1))
    uses = {"lab:potassium": use(bands={"usual": Band(at_most=5), "high": Band(above=5)}, unit="mmol/L")}
    high = row({"lab:potassium": "high", **beside}, "avoid")
    both = (table("unol", high, id=source, source=source, uses=uses) for source in ("label", "guideline"))
    found = shown(findings(world(*both), order("unol"), person(POOR_READING, potassium)))
    assert {f.table for f in found} == {"label", "guideline"}


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
