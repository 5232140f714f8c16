"""Tables of one drug, and what is found by them."""

from __future__ import annotations

from cds_service.model import (
    Action,
    Option,
    Timing,
)
from tests.support.tiny import (
    ALPHA,
    BETA,
    HLA,
    INTERMEDIATE,
    NORMAL,
    POOR,
    REST,
    ULTRARAPID,
    fatal,
    findings,
    half,
    order,
    person,
    reading,
    row,
    table,
    use,
    world,
)

BRIDGE = Option(Action.COUNSEL, note="bridge")
FIRST = use("required", timing=Timing.BEFORE_START, bridge=(BRIDGE,))
POOR_READING = reading(ALPHA, "*2/*2")
NORMAL_READING = reading(ALPHA, "*1/*1")


def unol(poor="avoid", rest="standard", level="required", **fields):
    fields = {"uses": {ALPHA: use(level) if isinstance(level, str) else level}, **fields}
    return table("unol", row({ALPHA: POOR}, poor), row({ALPHA: REST}, rest, id="rest"), **fields)


def found(of, *readings, policy=None, mg=None, knowledge=None, patient=None, **fields):
    patient = patient or person(*readings, **fields)
    return findings(knowledge or world(of), order(of.drugs[0], mg=mg), patient, policy)


def abol(then=None, **fields):
    return table("abol", row({HLA: "positive"}, then or fatal()), row({HLA: "negative"}, "standard"), **fields)


def duol(**uses):
    return table(
        "duol",
        row({ALPHA: INTERMEDIATE, BETA: (INTERMEDIATE, NORMAL, ULTRARAPID)}, half(), id="intermediate"),
        row({ALPHA: INTERMEDIATE, BETA: POOR}, "avoid", id="both"),
        row({ALPHA: POOR}, "avoid"),
        uses={ALPHA: use("required"), BETA: use("required"), **uses},
    )
