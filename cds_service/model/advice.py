"""What the knowledge advises: closed sets, dose changes, options."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

NO_RESULT = "No Result"
"""Row token: nothing usable is known of the marker. Never a state that a test returns."""
INDETERMINATE = "Indeterminate"
"""Row token: a test was done and could not assign a state. Never a state that a test returns."""


class Action(StrEnum):
    STANDARD = "standard"
    AVOID = "avoid"
    ALTERNATIVE = "alternative"
    DOSE = "dose"
    STOP = "stop"
    NOT_INDICATED = "not_indicated"
    PREPARE_FIRST = "prepare_first"
    USE_OTHER_TEST = "use_other_test"
    MONITOR = "monitor"
    COUNSEL = "counsel"
    NO_RECOMMENDATION = "no_recommendation"


CONTRAINDICATING = frozenset({Action.AVOID, Action.ALTERNATIVE, Action.NOT_INDICATED, Action.STOP})
"""Actions that speak against the drug itself."""


class DosePhase(StrEnum):
    START = "start"
    MAINTENANCE = "maintenance"
    MAXIMUM = "maximum"


class Direction(StrEnum):
    """Of a dose for which the source names no figure."""

    LOWER = "lower"
    HIGHER = "higher"


class TimesUnit(StrEnum):
    """Units of a period, by their UCUM codes."""

    DAY = "d"
    WEEK = "wk"


_DAYS = {TimesUnit.DAY: 1, TimesUnit.WEEK: 7}


class Strength(StrEnum):
    STRONG = "strong"
    MODERATE = "moderate"
    OPTIONAL = "optional"
    NONE = "none"
    """The guideline gives no recommendation, or no strength."""


class Gravity(StrEnum):
    """Of what the advice avoids."""

    FATAL_OR_IRREVERSIBLE = "fatal_or_irreversible"
    SERIOUS = "serious"
    MODERATE = "moderate"
    MINOR = "minor"


class Harm(StrEnum):
    TOXICITY = "toxicity"
    LACK_OF_EFFECT = "lack_of_effect"
    NONE = "none"


class Trust(StrEnum):
    READ = "read"
    CORROBORATED = "corroborated"
    RECALLED = "recalled"


class Testing(StrEnum):
    """What labelling says of testing a marker before or with a drug."""

    REQUIRED = "required"
    RECOMMENDED = "recommended"
    IF_RISK = "if_risk"
    NONE = "none"


class Timing(StrEnum):
    BEFORE_START = "before_start"
    PARALLEL = "parallel"


@dataclass(frozen=True, slots=True)
class Amount:
    """A dose: `value` in `unit`, a UCUM-like text (`mg`, `mg/d`, `mg/kg/d`, `mg/m2/d`)."""

    value: float
    unit: str


@dataclass(frozen=True, slots=True)
class Times:
    """How often a dose is given: `count` times in `period` of `unit`, as FHIR's Timing has them."""

    count: int
    period: int
    unit: TimesUnit

    @property
    def per_day(self) -> float:
        """Administrations a day."""
        return self.count / (self.period * _DAYS[self.unit])


@dataclass(frozen=True, slots=True)
class DoseChange:
    """What happens to the dose. Exactly one of `factor`, `amount`, `cap` is set, or none of them where the
    source gives a direction and no figure (`direction`)."""

    phase: DosePhase
    factor: tuple[float, float] | None = None
    """Low and high share of the usual dose that remains: (0.5, 0.5) is half, (0.3, 0.8) 30 to 80 %."""
    amount: Amount | None = None
    cap: Amount | None = None
    floor: Amount | None = None
    """The least dose that the source still advises: with `amount` or `cap` the lower end of a range, alone `at
    least` (then `direction` is `higher`). An order at or above it, and not above the rest, is unchanged."""
    direction: Direction | None = None
    frequency: str = ""
    """Phrase key of how often the source has it given, e.g. `three_times_a_week`."""
    times: Times | None = None
    """The same as a figure. An amount a day is given in these; a share is a share of one administration."""
    at_most: Amount | None = None
    """What the new dose must not exceed, where the source caps a share or a single dose."""
    of_drafted: bool = True
    """False where the share is one of something else than the dose drafted (the lowest recommended start): then
    nothing can be reckoned from the draft."""
    applies_above: tuple[Amount, ...] = ()
    """The change is only needed where the usual start is at or above this. Of several the first is said, and the
    first that the order's dose can be compared with decides."""


@dataclass(frozen=True, slots=True)
class Option:
    action: Action
    dose: DoseChange | None = None
    alternatives: tuple[str, ...] = ()
    """Drug ids that the source names instead."""
    alternative_class: str = ""
    """Phrase key of a class named instead (`antidepressant_not_by_cyp2d6`)."""
    note: str = ""
    """Phrase key: what to monitor, counsel or prepare."""
    only_if: str = ""
    """Phrase key: the condition under which this option comes into question (`if_no_alternative`)."""
    joins: bool = False
    """It goes with the option before it ("and"), and is no choice beside it ("or")."""
    under_way_with: str = ""
    """Group of drugs: while one of them is taken, what this option asks for is being done, and the next decides."""
    recheck: str = ""
    """Marker to measure again, for a `monitor` option."""
    recheck_days: tuple[float, float] | None = None
    """Days from now, low and high, at which to measure it."""


@dataclass(frozen=True, slots=True)
class Advice:
    """Options in the order of preference; the first decides the resulting order."""

    options: tuple[Option, ...]
    strength: Strength = Strength.NONE
    gravity: Gravity = Gravity.MINOR
    harm: Harm = Harm.NONE
    reason: str = ""
    """Phrase key: why, in plain words."""
