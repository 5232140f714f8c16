"""Numbers held against bounds: those of a quantity's band, of a score's band and of a predicate are alike."""

from __future__ import annotations

from typing import Protocol


class Bounds(Protocol):
    """What a number has to keep to; None where there is no such bound."""

    @property
    def at_least(self) -> float | None: ...

    @property
    def above(self) -> float | None: ...

    @property
    def below(self) -> float | None: ...

    @property
    def at_most(self) -> float | None: ...


def some_within(low: float, high: float, bounds: Bounds) -> bool:
    """Whether some number from `low` to `high` keeps to the bounds."""
    return _is_high_enough(high, bounds) and _is_low_enough(low, bounds)


def all_within(low: float, high: float, bounds: Bounds) -> bool:
    """Whether every number from `low` to `high` keeps to the bounds."""
    return _is_high_enough(low, bounds) and _is_low_enough(high, bounds)


def _is_high_enough(value: float, bounds: Bounds) -> bool:
    return (bounds.at_least is None or value >= bounds.at_least) and (bounds.above is None or value > bounds.above)


def _is_low_enough(value: float, bounds: Bounds) -> bool:
    return (bounds.below is None or value < bounds.below) and (bounds.at_most is None or value <= bounds.at_most)
