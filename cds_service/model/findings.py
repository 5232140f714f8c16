"""Resulting orders, and what is found of an order."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from cds_service.model.advice import Advice, DoseChange, Option, Times
from cds_service.model.dates import When
from cds_service.model.markers import MarkerKnowledge
from cds_service.model.orders import Order
from cds_service.model.patient import FamilyCondition
from cds_service.model.questions import Gap, Query
from cds_service.model.reasons import Refusal, Silence


class Outcome(StrEnum):
    """The kinds of resulting order, from the mildest departure to the gravest."""

    AS_DRAFTED = "as_drafted"
    CHANGED_DOSE = "changed_dose"
    WAIT = "wait"
    OTHER_DRUG = "other_drug"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class ResultingOrder:
    """apply(advice, order). Two advices differ materially when these differ."""

    outcome: Outcome
    dose: DoseChange | None = None


@dataclass(frozen=True, slots=True)
class DoseArithmetic:
    """How a new dose was reckoned: `old` in `unit` a dose or day, times `factor`, gives `new` (low, high).
    `basis` is `per_dose` or `per_day`; `frequency` and `times` say how often the source has it given, where it does;
    `drafted_per_day` is how often the draft has it."""

    old: float
    unit: str
    factor: tuple[float, float]
    new: tuple[float, float]
    basis: str
    frequency: str = ""
    times: Times | None = None
    drafted_per_day: float | None = None
    at_most: float | None = None
    """The cap that the new dose met, on the same basis: `new` is not above it."""
    assumes_usual: bool = False
    """Whether `new` is a share of the usual dose and `old`, the drafted one, is only taken for that."""

    @property
    def each(self) -> tuple[float, float] | None:
        """What one administration gives as drafted, and what it will give. None where that is open: the advice is a
        range or leaves the times open, or a day's amount would have to be spread over the times of the old dose."""
        if not self.old or self._is_range or (self.frequency and self.times is None):
            return None
        if self.basis == "per_dose":
            return self.old, self.new[0]
        drafted = self.drafted_per_day
        given = self.times.per_day if self.times else 1.0 if drafted == 1 else None
        return (self.old / drafted, self.new[0] / given) if drafted and given else None

    @property
    def _is_range(self) -> bool:
        return self.factor[0] != self.factor[1] or self.new[0] != self.new[1]


class Kind(StrEnum):
    CHANGE_NOW = "change_now"
    TEST_WOULD_CHANGE = "test_would_change"
    TEST_PENDING = "test_pending"
    RESULTS_CONFLICT = "results_conflict"
    CONFIRM_RESULT = "confirm_result"
    NO_TEST_CHANGES = "no_test_changes"
    NO_CHANGE = "no_change"
    NOT_ASSESSED = "not_assessed"


class Indicator(StrEnum):
    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class MarkerView:
    """A marker as the finding saw it."""

    marker: str
    knowledge: MarkerKnowledge
    effective: frozenset[str] = frozenset()
    """The states left after spoilers and modifiers."""
    modified_by: tuple[str, ...] = ()
    """Drug ids that shifted the states."""
    inferred: bool = False
    """The shift is the service's own inference (site policy), not the guideline's rule."""


@dataclass(frozen=True, slots=True)
class Alternative:
    """A suggested drug after it was itself evaluated."""

    drug: str
    refused: Refusal = Refusal.OFFERED
    open_markers: tuple[str, ...] = ()
    """Markers whose test would be asked for if this drug were ordered."""


@dataclass(frozen=True, slots=True)
class Branch:
    """One outcome of a test: the states it groups, what the order would become, and the advice behind it."""

    states: tuple[str, ...]
    resulting: ResultingOrder
    advice: Advice
    probability: tuple[float, float] | None = None
    given: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Other open markers and the states of theirs with which it is so, where another state would lead to less."""


@dataclass(frozen=True, slots=True)
class ChangeProbability:
    low: float
    high: float
    populations: int
    condition: str = ""
    """The key of the condition that all of these people have; empty where they need not share one."""


@dataclass(frozen=True, slots=True)
class TestQuestion:
    """A test that would change the order. `test` is an id of the knowledge's tests."""

    __test__ = False  # pytest would collect the name

    marker: str
    test: str
    branches: tuple[Branch, ...]
    probability: ChangeProbability | None = None
    """None: not known."""
    order_it: bool = True
    """False where the finding names the test without offering to order it (pending)."""
    due_days: tuple[float, float] | None = None
    """For a recheck: days from now, low and high, at which to measure again."""
    relative: FamilyCondition | None = None
    """A condition of a relative that makes a change likelier; `probability` reckons with it where it has a figure."""
    specimen: str = ""
    """Phrase key of the specimen that this patient needs, where the test's usual one would mislead."""
    turnaround_days: tuple[float, float] | None = None
    """Days from the specimen to the result, low and high: the site's own where its catalogue has the test."""


@dataclass(frozen=True, slots=True)
class Assumption:
    """A context fact that was not known and what was taken for it, as phrase keys."""

    fact: str
    assumed: str
    table: str


@dataclass(frozen=True, slots=True)
class UsedFact:
    """A fact of the record for which a table speaks for this order."""

    fact: str
    """What it is about: `age`, `comedication`, `condition`, ..."""
    name: str = ""
    """As the record has it: the condition, the medicine."""
    value: float | None = None
    on: When | None = None
    reference: str = ""
    at_most: float | None = None
    """Where the record tells so roughly that the number may be anything from `value` to this."""


@dataclass(frozen=True, slots=True)
class Preliminary:
    """What preliminary results would make of the order if they were confirmed. They decide nothing."""

    markers: tuple[MarkerView, ...]
    resulting: ResultingOrder
    advice: Advice


@dataclass(frozen=True, slots=True)
class Finding:
    """The answer for one order and one table, or one order as a whole (table empty)."""

    kind: Kind
    order: Order
    drug: str
    """Drug id; the order's name where it was not recognised."""
    table: str
    """Table id of the knowledge, empty for findings of no table (drug not recognised)."""
    row: str = ""
    """Id of the row that gave the advice now."""
    indicator: Indicator = Indicator.INFO
    silent: Silence = Silence.SHOWN
    markers: tuple[MarkerView, ...] = ()
    resulting: ResultingOrder = ResultingOrder(Outcome.AS_DRAFTED)
    decided: ResultingOrder = ResultingOrder(Outcome.AS_DRAFTED)
    """What other findings of the order already make of it."""
    advice: Advice | None = None
    """Advice now."""
    arithmetic: DoseArithmetic | None = None
    alternatives: tuple[Alternative, ...] = ()
    tests: tuple[TestQuestion, ...] = ()
    closed_markers: tuple[str, ...] = ()
    """Markers commonly tested here whose test could not change the order now (no_test_changes)."""
    assumptions: tuple[Assumption, ...] = ()
    gaps: tuple[Gap, ...] = ()
    further_may_ask_more: bool = False
    """The advice now is the mildest of several; an open result may ask for more."""
    hold: bool = False
    """Waiting for the test is an option to offer."""
    bridge: tuple[Option, ...] = ()
    caused_by: str = ""
    """Reference of the draft that changed this active medicine's finding."""
    facts: tuple[str, ...] = ()
    """References of resources whose facts decided the population or the row (conditions, family, ...)."""
    used: tuple[UsedFact, ...] = ()
    """The facts that made the table speak; told of what is shown."""
    quotes: tuple[str, ...] = ()
    """Ids of tables of other sources that say something else."""

    preliminary: Preliminary | None = None
    """Preliminary results that speak against the order more than what is said now."""

    @property
    def is_of_list(self) -> bool:
        """Whether it is about the list of medicines as such: its order names the query."""
        return self.order.reference == Query.MEDICATIONS
