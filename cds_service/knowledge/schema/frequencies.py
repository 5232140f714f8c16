"""How likely a state is (`frequencies/*.tsv`, `family_priors.yaml`)."""

from __future__ import annotations

from dataclasses import dataclass

from cds_service.model import Trust


@dataclass(frozen=True, slots=True)
class Frequency:
    """Share of people of a population with a state of a marker, 0 to 1 (patients, never alleles)."""

    marker: str
    state: str
    """A state, or a phenotype term that stands for several. Of a marker whose states are those of each table: one of
    them, several (`V600E|V600K`), all the others (`other than G12C`), or `positive` for any variant."""
    population: str
    low: float
    high: float
    source: str
    trust: Trust
    lower_bound: bool = False
    """The figure is known to be too low (no copy numbers)."""
    condition: str = ""
    """The key of the condition that all of the population have, where shares differ by it (a cancer); empty: none."""


@dataclass(frozen=True, slots=True)
class FamilyPrior:
    """A condition of relatives by blood that makes a result of the markers likelier to change an order. It never
    tells the patient's own state."""

    id: str
    markers: tuple[str, ...]
    conditions: tuple[str, ...]
    source: str
    trust: Trust
    share_up_to: float | None = None
    """The most by which a relative of the first degree may have the state that the condition shows (one half where
    one changed copy of the gene suffices); half of it for each further degree. None: no figure."""
