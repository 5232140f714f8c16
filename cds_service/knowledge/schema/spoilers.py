"""What makes results unreliable (`spoilers.yaml`, `sample_faults.yaml`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cds_service.model import Trust


@dataclass(frozen=True, slots=True)
class ResultSpoiler:
    """What makes results of a lifelong marker unreliable from an event of the patient's record on. Written once,
    for a marker or for every marker of a kind; no table repeats it."""

    id: str
    markers: tuple[str, ...]
    """`gene:TPMT`, or a kind for all its markers: `gene`, `genotype`, `hla`."""
    conditions: tuple[str, ...]
    """Condition keys of the event; its onset is the day of it, or the beginning of an event that has an end."""
    reason: str
    """Phrase key: why the result is not counted, as it stands behind the marker on the card."""
    source: str
    trust: Trust
    methods: tuple[str, ...] = ()
    """Methods of the results that it spoils; an empty text stands for a result that names none. None: all."""
    unless: tuple[str, ...] = ()
    """Condition keys that make the same entry another event (a transplant of the patient's own cells)."""
    may_hide: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """One-sided: state as found -> states that it cannot exclude then; a state left out stands. Empty: the result
    says nothing at all."""
    lasts_days: float | None = None
    """How long after the event results are spoiled; None for good."""
    ongoing: tuple[str, ...] = ()
    """Those of the conditions that go on until they end (a chronic haemolysis): the days count from the end, and an
    entry that names none has not ended."""
    spared_specimens: tuple[str, ...] = ()
    """Folded words of specimens that the event does not touch."""
    specimen: str = ""
    """Phrase key of the specimen to ask for from then on."""


@dataclass(frozen=True, slots=True)
class SampleFault:
    """What a laboratory says of a sample that makes values of it too high or too low. Written once, for every
    observable that it touches; no table repeats it."""

    id: str
    """It stands among the flags of a reading whose report says it."""
    reason: str
    """Phrase key: how the value may differ, as it stands behind the marker on the card."""
    trust: Trust
    words: tuple[str, ...] = ()
    """What comments call it; folded while reading."""
    codes: tuple[str, ...] = ()
    """Codes of `Specimen.condition` (HL7 table 0493)."""
    raises: Mapping[str, str] = field(default_factory=dict)
    """Observable of which the true value may be lower -> the source that says so."""
    lowers: Mapping[str, str] = field(default_factory=dict)
    """Observable of which the true value may be higher -> the source that says so."""
