"""What results report beside germline genes (`observables/*.yaml`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from cds_service.knowledge.schema.codes import ObservationCode
from cds_service.model import Trust


class ObservableKind(StrEnum):
    """What a result of the observable is."""

    QUANTITY = "quantity"
    PRESENCE = "presence"
    """Found or not found: a serology, a protein, a variant."""
    ORDINAL = "ordinal"
    """One of a few named grades."""
    GENOTYPE = "genotype"
    """A genotype of a gene that no guidance asks about: read and shown, never interpreted."""


@dataclass(frozen=True, slots=True)
class UnitConversion:
    """A value in `unit` times `factor` plus `offset` is the value in the observable's own unit."""

    unit: str
    factor: float
    derivation: str
    """How the factor comes about: molar mass, valence or prefix."""
    offset: float = 0.0


@dataclass(frozen=True, slots=True)
class Observable:
    """What a result reports that is no germline gene of the knowledge: a laboratory value, a serology, an
    interval, a tumour marker. Ids: `lab:potassium`, `tumour:CD274`, `somatic:KRAS`, `germline:BRCA1`, `gene:APOE`."""

    id: str
    kind: ObservableKind
    source: str
    codes: tuple[ObservationCode, ...] = ()
    """Role `quantity`, `presence`, `interpretation` or `report`. A code of several observables is a combined
    test: its negative result holds for each of them."""
    names: tuple[str, ...] = ()
    """What reports without a code call it; matched as a whole and trusted little."""
    reports: tuple[str, ...] = ()
    """Words in the names of reports that tell it among other things (`ecg`): folded."""
    in_words: tuple[str, ...] = ()
    """What sentences call it, beside its value (`tps`, `er`): folded."""
    methods: tuple[str, ...] = ()
    """Of one of several tests of a marker: what texts call its method (`fish`), for telling their parts apart."""
    listed: tuple[ObservationCode, ...] = ()
    """Codes by which a problem list says that it was found."""
    beside: tuple[str, ...] = ()
    """Other observables that the same value may tell: the score in a report's words, the call beside a share."""
    unit: str = ""
    """The unit of every reading (UCUM)."""
    conversions: tuple[UnitConversion, ...] = ()
    plausible: tuple[float, float] | None = None
    """Low and high in `unit`, recalled. A value outside is shown as unreadable: most likely its unit is not the one
    that it says."""
    answers: Mapping[str, str] = field(default_factory=dict)
    """Folded label, or answer code, -> the state that it means."""
    refines: Mapping[str, str] = field(default_factory=dict)
    """State -> the coarser state that it does not contradict (`3+` -> `positive`)."""
    gene: str = ""
    """Symbol of the gene, where components or extensions may name the observable by it."""
    hgnc: str = ""
    contradicted_by: tuple[str, ...] = ()
    """Folded words that contradict the code where they stand beside it (`qtc` beside the uncorrected QT)."""
    tells: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    """Of a tumour's test: another observable -> own state -> the states that it leaves possible there. Several leave
    it to another test (`2+` of immunohistochemistry). Of itself: a coarser word -> the states that it may stand for
    (`negative` for the scores 0 and 1+)."""
    spends: Mapping[str, str] = field(default_factory=dict)
    """Of a tumour's test: own state -> the method of the test that left it open, where the code does not tell: doing
    it again tells nothing."""
    needs_significance: bool = False
    """Of a gene in which most variants are harmless: one that was found counts only where the report calls it
    pathogenic."""
    both_copies: bool = False
    """Of such a gene: one variant counts only where it is told to be on both copies."""
    negative_where: tuple[str, ...] = ()
    """Of several genes together: it is negative where each of these was found negative."""
    whole_where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Of a gene of which only some parts matter: these parts, each with the smaller ones that make it up. Where none
    of them had a variant, the gene has none."""
    whole_source: str = ""
    stands_for_days: Mapping[str, float] = field(default_factory=dict)
    """State -> how long it stands at least once it was found, however soon tables want the others looked at again: a
    positive pregnancy test is not too old after a day. A newer result ends it."""
    stands_source: str = ""
    found_above_reference: bool = False
    """Of a presence that some laboratories measure: a number above the report's own reference range, or interpreted
    as high, means found, and one within it not found."""
    trust: Trust = Trust.CORROBORATED
