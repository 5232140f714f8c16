"""What shifts a marker's states for now: phenoconversion by an interacting co-medication.

The activity score is multiplied by the factor of the strongest inhibitor taken (CPIC opioid guideline 2021,
PMID 33387367: strong 0, moderate 0.5). Where no guideline states the rule it applies by site policy only and
the result is labelled as the service's own inference.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from cds_service.knowledge.schema import Fact, Gene, Modifier, Modulator, ModulatorRole
from cds_service.model import Trust, latest, name_of
from cds_service.policy import Policy
from cds_service.reasoning.context import OUTER_ROUTES, Context
from cds_service.reasoning.phenotypes import states_of_score


@dataclass(frozen=True, slots=True)
class Shift:
    """How a marker's states move: `factor` on the activity score, because of `drugs`."""

    factor: float
    drugs: tuple[str, ...]
    inferred: bool


def shift_of(marker: str, context: Context, policy: Policy) -> Shift | None:
    """The shift of the marker for this order, or None where nothing that is taken shifts it."""
    modifier = modifier_of(marker, context, policy)
    if modifier is None:
        return None
    return _strongest(modifier, context, inferred=context.drug not in modifier.guideline_drugs)


def modifier_of(marker: str, context: Context, policy: Policy) -> Modifier | None:
    """The rule by which other medicines may shift the marker for this order: a guideline's, or the site's."""
    for modifier in context.knowledge.modifiers:
        if modifier.marker != marker or modifier.trust is Trust.RECALLED:
            continue
        by_policy = context.drug in policy.phenoconversion.get(name_of(marker), ())
        if by_policy or context.drug in modifier.guideline_drugs:
            return modifier
    return None


def _strongest(modifier: Modifier, context: Context, *, inferred: bool) -> Shift | None:
    found = [(modifier.factors[m.strength], m.drug) for m in inhibitors_taken(modifier, context)]
    if not found:
        return None
    factor = min(factor for factor, _ in found)
    return Shift(factor, tuple(sorted({drug for f, drug in found if f == factor})), inferred)


def inhibitors_taken(modifier: Modifier, context: Context) -> Iterator[Modulator]:
    """Inhibitors of the modifier's enzyme among what is taken, drafted, or stopped and still acting."""
    return inhibitors_among(context.evidence(Fact.COMEDICATION).keys | _still_acting(context), modifier, context)


def inhibitors_among(drugs: Collection[str], modifier: Modifier, context: Context) -> Iterator[Modulator]:
    """Inhibitors of the modifier's enzyme among the drugs."""
    enzyme = name_of(modifier.marker)
    found = (m for drug in sorted(drugs) for m in context.knowledge.modulators_by_drug.get(drug, ()))
    for modulator in found:
        inhibits = modulator.enzyme == enzyme and modulator.role == ModulatorRole.INHIBITOR
        if inhibits and modulator.strength in modifier.factors and modulator.trust is not Trust.RECALLED:
            yield modulator


def _still_acting(context: Context) -> frozenset[str]:
    """Drugs stopped so recently that their effect lasts."""
    return frozenset(
        drug
        for m in context.patient.medications
        if m.stopped is not None and m.route not in OUTER_ROUTES
        for drug in m.ingredients
        if (context.today - latest(m.stopped)).days <= _offset_days(drug, context)
    )


def _offset_days(drug: str, context: Context) -> float:
    found = context.knowledge.modulators_by_drug.get(drug, ())
    return max((m.offset_days for m in found if m.offset_days is not None), default=-1.0)


def shifted(states: frozenset[str], shift: Shift, gene: Gene) -> frozenset[str]:
    """The states after the shift: scores are multiplied, states without a score stay as they are."""
    return frozenset().union(*(_shifted(state, shift, gene) for state in states))


def _shifted(state: str, shift: Shift, gene: Gene) -> frozenset[str]:
    try:
        score = float(state.removeprefix("≥"))
    except ValueError:
        return frozenset({state})
    at_least = state.startswith("≥") and shift.factor != 0
    return states_of_score(gene, score * shift.factor, at_least=at_least)
