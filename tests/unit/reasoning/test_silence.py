"""How urgent a finding is, and which rule keeps it silent."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cds_service.model import (
    Gravity,
    Harm,
    Indicator,
    Kind,
    Span,
    Trust,
)
from cds_service.policy import Policy, Switch
from tests.support.tiny import (
    ALPHA,
    BETA,
    POOR,
    advice,
    ago,
    fatal,
    half,
    only,
    reading,
    row,
    shown,
    table,
    taking,
    use,
)

from .finding import NORMAL_READING, POOR_READING, duol, found, unol


@pytest.mark.parametrize(
    ("then", "fields", "indicator"),
    [
        (fatal(), {}, Indicator.CRITICAL),
        (fatal(), {"trust": Trust.CORROBORATED}, Indicator.WARNING),
        (replace(fatal(), harm=Harm.LACK_OF_EFFECT), {}, Indicator.WARNING),
        (advice("avoid", gravity=Gravity.SERIOUS), {}, Indicator.WARNING),
        (advice("avoid", gravity=Gravity.SERIOUS), {"source": "label_contraindication"}, Indicator.CRITICAL),
        (advice(half(), gravity=Gravity.SERIOUS), {"source": "label_contraindication"}, Indicator.WARNING),
    ],
)
def test_critical_is_read_grave_toxicity_or_contraindication(then, fields, indicator):
    assert only(found(unol(then, **fields), POOR_READING)).indicator is indicator


def test_a_row_has_its_own_trust():
    of = table("unol", row({ALPHA: POOR}, fatal(), trust=Trust.CORROBORATED))
    assert only(found(of, POOR_READING)).indicator is Indicator.WARNING


@pytest.mark.parametrize("readings", [(), (POOR_READING,), (NORMAL_READING,), (POOR_READING, NORMAL_READING)])
def test_recalled_guidance_is_silent(readings):
    assert {f.silent for f in found(unol(trust=Trust.RECALLED), *readings)} == {"recalled"}


@pytest.mark.parametrize("name", ["unol_table", "unol", ALPHA, "gene"])
def test_one_line_silences_a_guidance(name):
    policy = Policy(guidance={name: Switch.SILENT})
    assert only(found(unol(), POOR_READING, policy=policy)).silent == "policy_silent"
    off = only(found(unol(), POOR_READING, policy=Policy(guidance={name: Switch.OFF})))
    assert (off.kind, off.silent) == (Kind.NO_CHANGE, "no_table_fits")


def test_the_most_specific_switch_wins():
    policy = Policy(guidance={"unol_table": Switch.ON, "unol": Switch.OFF, ALPHA: Switch.OFF})
    assert only(found(unol(), POOR_READING, policy=policy)).silent == ""
    one_of_its_kind = Policy(guidance={"gene": Switch.OFF, ALPHA: Switch.ON})
    assert only(found(unol(), POOR_READING, policy=one_of_its_kind)).silent == ""
    of_another = Policy(guidance={"hla": Switch.OFF})
    assert only(found(unol(), POOR_READING, policy=of_another)).silent == ""


def test_a_marker_switched_off_leaves_tables_that_ask_for_more():
    policy = Policy(guidance={BETA: Switch.OFF})
    assert shown(found(duol(), POOR_READING, policy=policy)) != []


def test_a_change_that_concerns_starting_is_silent_once_tolerated():
    window = use("required", tolerated_after_days=90)
    taken = (taking("unol", started=ago(200)),)
    assert only(found(unol(level=window), POOR_READING, medications=taken)).silent == "tolerated"
    assert only(found(unol(level=window), POOR_READING)).silent == ""
    assert only(found(unol(level=window, concerns="always"), POOR_READING, medications=taken)).silent == ""
    assert only(found(unol(fatal(), level=window), POOR_READING, medications=taken)).silent == "tolerated"
    assert only(found(table("unol", row({}, "avoid")), medications=taken)).silent == ""


def test_of_two_markers_the_one_that_matters_longer_says_how_long_tolerance_takes():
    uses = {ALPHA: use("required", tolerated_after_days=30), BETA: use("required", tolerated_after_days=90)}
    of = table("unol", row({ALPHA: POOR, BETA: POOR}, "avoid"), uses=uses)
    readings = (POOR_READING, reading(BETA, "*4/*4"))
    for days, silent in ((60, ""), (91, "tolerated")):
        taken = (taking("unol", started=ago(days)),)
        assert only(found(of, *readings, medications=taken)).silent == silent


def test_a_start_that_is_told_roughly_is_taken_as_late_as_it_may_have_been():
    window = use("required", tolerated_after_days=90)
    for latest, silent in ((60, ""), (91, "tolerated")):
        taken = (taking("unol", started=Span(ago(400), ago(latest))),)
        assert only(found(unol(level=window), POOR_READING, medications=taken)).silent == silent


@pytest.mark.parametrize(("table_s", "row_s", "silent"), [("start", "always", ""), ("always", "start", "tolerated")])
def test_a_row_may_concern_more_or_less_than_its_table(table_s, row_s, silent):
    window = {ALPHA: use("required", tolerated_after_days=90)}
    of = table("unol", row({ALPHA: POOR}, fatal(), concerns=row_s), uses=window, concerns=table_s)
    assert only(found(of, POOR_READING, medications=(taking("unol", started=ago(200)),))).silent == silent
