"""What is known of a marker: exactly one of these."""

from __future__ import annotations

from dataclasses import dataclass

from cds_service.model.advice import INDETERMINATE
from cds_service.model.dates import When
from cds_service.model.readings import Presence, Reading, Significance
from cds_service.model.reasons import GapReason, Narrowing


@dataclass(frozen=True, slots=True)
class Known:
    state: str
    readings: tuple[Reading, ...] = ()


@dataclass(frozen=True, slots=True)
class Narrowed:
    states: frozenset[str]
    why: Narrowing | str
    """Where an event of the record spoiled the result, or its sample had a fault: the phrase key of that."""
    readings: tuple[Reading, ...] = ()
    may_count: bool = False
    """Whether the result may count as it stands: its dates are told roughly, or its sample had a fault."""


@dataclass(frozen=True, slots=True)
class Indeterminate:
    states: frozenset[str]
    readings: tuple[Reading, ...]
    spent: frozenset[str] = frozenset()
    """Test methods that were done and whose result leaves the state open by its nature; repeating them tells
    nothing."""
    literal: str = INDETERMINATE
    """The state as reported, for tables with a row of its own for it (G6PD `Variable`)."""
    tried: frozenset[str] = frozenset()
    """Test methods that were done, the spent ones among them; a run that failed may be repeated."""

    @property
    def is_of_uncertain_variant(self) -> bool:
        """Whether it is a variant of uncertain significance that leaves it open."""
        said = [r.says.significance for r in self.readings if isinstance(r.says, Presence)]
        return Significance.UNCERTAIN in said


@dataclass(frozen=True, slots=True)
class Stale:
    state: str
    since: When
    readings: tuple[Reading, ...] = ()
    may_count: bool = False
    """Whether its date is told so roughly that it may be new enough after all."""


@dataclass(frozen=True, slots=True)
class Pending:
    since: When | None
    request: str
    readings: tuple[Reading, ...] = ()


@dataclass(frozen=True, slots=True)
class Conflicting:
    states: frozenset[str]
    readings: tuple[Reading, ...]


@dataclass(frozen=True, slots=True)
class Unverified:
    readings: tuple[Reading, ...]


@dataclass(frozen=True, slots=True)
class Unavailable:
    reason: GapReason
    readings: tuple[Reading, ...] = ()


@dataclass(frozen=True, slots=True)
class Unreadable:
    reason: GapReason
    readings: tuple[Reading, ...]


@dataclass(frozen=True, slots=True)
class NotTested:
    readings: tuple[Reading, ...] = ()
    beside: GapReason | None = None
    """Why what is on file all the same does not count."""


MarkerKnowledge = (
    Known
    | Narrowed
    | Indeterminate
    | Stale
    | Pending
    | Conflicting
    | Unverified
    | Unavailable
    | Unreadable
    | NotTested
)


def is_of_tumour(marker: str) -> bool:
    """Whether the marker is of a tumour, or an inherited variant that matters to its treatment, and not of the
    patient's pharmacogenes or blood."""
    return is_of_variants(marker) or marker.startswith("tumour:")


def is_of_variants(marker: str) -> bool:
    """Whether the marker is of a gene's variants, of the tumour or inherited, and not of a protein or a burden."""
    return marker.startswith(("somatic:", "germline:"))


def name_of(marker: str) -> str:
    """The marker without its kind: a gene's symbol, the name of an observable.

    >>> name_of("gene:CYP2D6")
    'CYP2D6'
    """
    return marker.partition(":")[2]


def tested_as(marker: str) -> str:
    """The marker that tests of this one tell: of a genotype it is the gene.

    >>> tested_as("genotype:VKORC1")
    'gene:VKORC1'
    """
    return f"gene:{name_of(marker)}" if marker.startswith("genotype:") else marker
