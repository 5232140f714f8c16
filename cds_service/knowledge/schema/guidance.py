"""Tables of advice (`guidance/*.yaml`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from cds_service.knowledge.schema.predicates import Population, Predicate
from cds_service.model import Advice, Option, Testing, Timing, Trust


@dataclass(frozen=True, slots=True)
class Band:
    """A state of a quantity: the values between its bounds, in the unit of the marker's use."""

    at_least: float | None = None
    above: float | None = None
    below: float | None = None
    at_most: float | None = None


@dataclass(frozen=True, slots=True)
class Validity:
    """From `from_days` of exposure on, a result counts for `valid_for_days`."""

    from_days: float
    valid_for_days: float


@dataclass(frozen=True, slots=True)
class Spoiler:
    """What makes a result unreliable in one direction: when it holds, a result in one of `distrusts` leaves all
    states open. `reason` is a phrase key."""

    when: Predicate
    distrusts: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class MarkerUse:
    """How a table uses one of its markers."""

    testing: Testing = Testing.NONE
    timing: Timing = Timing.PARALLEL
    risks: tuple[Predicate, ...] = ()
    """With `if_risk`: the test fires when any of these holds, and never otherwise."""
    required_when: tuple[Predicate, ...] = ()
    """Testing is required when any of these holds, and `none` otherwise (a label's dose gate)."""
    urgent: bool = False
    """An urgent or single-dose drug: with `before_start` a test must answer in time to be offered."""
    bridge: tuple[Option, ...] = ()
    """What to do when the test cannot be waited for."""
    tolerated_after_days: int | None = None
    """Taken for longer than this, the marker no longer makes a test (it concerns starting)."""
    testing_source: str = ""
    states: tuple[str, ...] = ()
    """The states of a `genotype:` or fact marker that is defined by this table alone, or of a laboratory marker
    that is present or absent (`positive`, `negative`). `*3/any` is any other genotype that contains `*3`, `other`
    one that no state names."""
    variants: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Of a gene of the tumour: state -> the variants that mean it, as reports name them, amino acids in one letter.
    The first state that was found counts; `other variant` is one that no state names, `negative` none at all."""
    bands: Mapping[str, Band] = field(default_factory=dict)
    """The states of a quantity, by name. A quantity has no global states: each table names its cut-points."""
    unit: str = ""
    """Unit of the bands: the observable's own."""
    valid_for_days: float | None = None
    """A result older than this is Stale; None for what does not change."""
    valid_by_exposure: tuple[Validity, ...] = ()
    """Windows that depend on how long the drug has been taken; the last that applies counts."""
    spoilers: tuple[Spoiler, ...] = ()


class Concerns(StrEnum):
    """Which doses an advice is about."""

    START = "start"
    """Moot once the drug was tolerated, in whatever dose."""
    DOSE = "dose"
    """Moot once as much of the drug was tolerated as is ordered; where too little of it is feared, once as little
    was taken."""
    ALWAYS = "always"
    """Holds during therapy too."""


@dataclass(frozen=True, slots=True)
class Row:
    """`when` maps each of the table's markers to the states or phenotype terms that this row answers; a
    marker that is left out may have any state. `No Result` and `Indeterminate` are tokens for what is known,
    never states that a test returns."""

    id: str
    when: Mapping[str, tuple[str, ...]]
    advice: Advice
    supersedes: tuple[str, ...] = ()
    trust: Trust | None = None
    """Else the table's."""
    concerns: Concerns | None = None
    """Else the table's."""
    differs: str = ""
    """Why this row departs from the source on purpose (shown by `knowledge compare`)."""


class TableKind(StrEnum):
    SAFETY = "safety"
    """All-of: the worst wins."""
    INDICATION = "indication"
    """Any-of: not indicated only when every one that fits excludes it."""


@dataclass(frozen=True, slots=True)
class Review:
    by: str = ""
    on: date | None = None


@dataclass(frozen=True, slots=True)
class Table:
    id: str
    drugs: tuple[str, ...]
    source: str
    trust: Trust
    rows: tuple[Row, ...]
    markers: Mapping[str, MarkerUse] = field(default_factory=dict)
    population: Population = field(default_factory=Population)
    routes: tuple[str, ...] = ("systemic",)
    """`systemic`, `topical`, `inhaled`, ...; `any` for all. An order without a route counts as the product's
    route, else as systemic."""
    kind: TableKind = TableKind.SAFETY
    review: Review = Review()
    version: str = "1"
    label: str = ""
    """Phrase key: what the table is about, for the card's evidence line."""
    compares_as: str = ""
    """The population name in a CPIC export, where it differs from `population.id`."""
    note: str = ""
    concerns: Concerns = Concerns.START
    tolerated_after_days: int | None = None
    """Of a table without markers: taken for longer than this, beside what the table speaks of, its advice is moot."""

    def trust_of(self, row: Row | None) -> Trust:
        """The row's own trust, else the table's."""
        return (row.trust if row is not None else None) or self.trust
