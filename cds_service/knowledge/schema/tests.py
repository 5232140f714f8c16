"""What can be ordered, and what is offered where nothing fits (`tests/*.yaml`, `no_match.yaml`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cds_service.codes import Coding
from cds_service.model import Trust


@dataclass(frozen=True, slots=True)
class Test:
    """A test that can be ordered. The site's catalogue (policy) overrides code, specimen and turnaround."""

    __test__ = False

    id: str
    markers: tuple[str, ...]
    """Markers that one specimen answers; several make a panel."""
    codes: tuple[Coding, ...]
    method: str
    """`genotype`, `enzyme_activity`, `hla_typing`, ...; a spent method is not offered again."""
    source: str
    specimen: str = ""
    """Phrase key."""
    turnaround_days: tuple[float, float] | None = None
    splits: Mapping[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict)
    """Marker -> groups of states that the test tells apart; every state for itself where it is missing."""
    trust: Trust = Trust.CORROBORATED
    label: str = ""
    """Phrase key of its name."""
    preference: int = 0
    """Lower is preferred where several tests answer one marker."""


@dataclass(frozen=True, slots=True)
class NoMatch:
    """What is offered where a medicine for one variant does not fit the patient."""

    trials: str = ""
    """Address of a search for trials, with `{condition}` and `{gene}`; empty: none is offered."""
    of_tumour: tuple[str, ...] = ()
    """Kinds of markers for which trials are searched where a variant was found."""
    inherited: tuple[str, ...] = ()
    """Kinds of markers for which clinical genetics is offered too."""
    inherited_by_method: tuple[str, ...] = ()
    """Methods of tests whose markers count as inherited, whatever their kind."""
    referrals: tuple[str, ...] = ()
    """What orders call a referral to clinical genetics."""
