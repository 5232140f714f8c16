"""Whether a question may interrupt (docs/reasoning.md, step 7)."""

from __future__ import annotations

from collections.abc import Callable

from cds_service.model import (
    Action,
    ChangeProbability,
    Gravity,
    Indeterminate,
    MarkerKnowledge,
    Narrowed,
    Silence,
    Stale,
    Strength,
    Testing,
    Unreadable,
)
from cds_service.reasoning.asking import Asking
from cds_service.reasoning.outcomes import beyond
from cds_service.reasoning.predicates import any_holds
from cds_service.reasoning.probability import Inherited, change_probability, raised
from cds_service.reasoning.tables import Reached
from cds_service.reasoning.tolerance import is_tolerated


def why_silent(asking: Asking, prior: Inherited | None) -> Silence:
    """SHOWN where the question fires, else the rule that keeps it quiet. `prior` is what the family history adds."""
    situation, testing = asking.situation, asking.testing
    if is_tolerated(asking.use, situation):
        return Silence.TOLERATED
    if isinstance(asking.known, Unreadable) or _may_count(asking.known) or asking.lost:
        # A result is on file and might change the order, or a fact would tell that the test is asked for: that is
        # said whatever a new test would be worth.
        return Silence.SHOWN
    if testing in (Testing.REQUIRED, Testing.RECOMMENDED) or _deferred_by_row(asking):
        return Silence.SHOWN
    if testing is Testing.IF_RISK:
        at_risk = any_holds(asking.use.risks, situation.context, situation.table.id).holds
        if at_risk:
            return Silence.SHOWN
        return Silence.RISK_NOT_KNOWN if at_risk is None else Silence.NOT_AT_RISK
    return Silence.SHOWN if _likely_enough(asking, prior) else Silence.BELOW_THRESHOLD


def _may_count(known: MarkerKnowledge) -> bool:
    """Whether a result of which a rough date leaves open whether it counts."""
    return isinstance(known, Stale | Narrowed) and known.may_count


def _deferred_by_row(asking: Asking) -> bool:
    """The guidance itself asks for another test, given what is known (G6PD variable)."""
    row = asking.situation.literal
    if row is None or not isinstance(asking.known, Indeterminate):
        return False
    return row.advice.options[0].action is Action.USE_OTHER_TEST


def _likely_enough(asking: Asking, prior: Inherited | None) -> bool:
    firing = asking.policy.firing
    if _grave(asking):
        grave = _chance(_is_grave, asking, prior)
        if grave is None or grave.high >= firing.grave_probability_at_least:
            return True
    strong = _chance(_strongly_against, asking, prior)
    return strong is not None and strong.low >= firing.change_probability_at_least


def _chance(counts: Callable[[Reached], bool], asking: Asking, prior: Inherited | None) -> ChangeProbability | None:
    """The probability that the result leads to advice that counts, with the family history."""
    reached = asking.situation.reached
    counted = frozenset(a for a in asking.changing() if counts(reached[a]))
    return raised(change_probability(asking.situation, asking.marker, counted), prior)


def _grave(asking: Asking) -> bool:
    """Whether the marker itself decides about grave harm: in some surroundings its states differ, and one of
    them leads to advice that avoids something fatal or irreversible."""
    reached = asking.situation.reached
    return any(
        len({beyond(reached[a], asking.floor) for a in line}) > 1
        and any(_is_grave(reached[a]) and asking.changes(reached[a]) for a in line)
        for line in asking.lines
    )


def _is_grave(reached: Reached) -> bool:
    return reached.advice.gravity is Gravity.FATAL_OR_IRREVERSIBLE


def _strongly_against(reached: Reached) -> bool:
    advice = reached.advice
    strong = advice.strength in (Strength.STRONG, Strength.MODERATE)
    return strong and advice.options[0].action in (Action.AVOID, Action.ALTERNATIVE, Action.NOT_INDICATED)
