"""Tables, readings and interactions of made-up drugs that are evaluated together."""

from __future__ import annotations

from cds_service.knowledge.schema import Fact, Modifier, Modulator, Predicate
from cds_service.model import (
    Gravity,
    Trust,
)
from tests.support.tiny import (
    ALPHA,
    BETA,
    INTERMEDIATE,
    NORMAL,
    POOR,
    REST,
    ULTRARAPID,
    advice,
    population,
    reading,
    row,
    swap,
    table,
    use,
)

POOR_READING = reading(ALPHA, "*2/*2")


def interaction(drug, *others, then="avoid", **fields):
    """A table that speaks against the drug beside the others."""
    fits = population(Predicate(Fact.COMEDICATION, is_in=others))
    return table(drug, row({}, then), **{"id": f"{drug}_with_{others[0]}", "population": fits, **fields})


def unol(then="avoid", drug="unol", **fields):
    return table(drug, row({ALPHA: POOR}, then), row({ALPHA: REST}, "standard", id="rest"), **fields)


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
