"""Germline genes and HLA alleles, and the words around their results (`genes/`, `hla.yaml`, `result_words.yaml`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from cds_service.knowledge.schema.codes import ObservationCode
from cds_service.model import Trust


class GeneModel(StrEnum):
    """How a diplotype gives a state."""

    SCORE = "score"
    """Activity values are added (CYP2D6, CYP2C9; DPYD the two lowest variants)."""
    FUNCTION_PAIR = "function_pair"
    """Each chromosome's function is looked up as a pair."""
    ANY_RESPONSIVE = "any_responsive"
    """A function pair in which one responsive variant is enough (CFTR): the pairs say so."""
    MITOCHONDRIAL = "mitochondrial"
    X_LINKED = "x_linked"
    """A function pair, or a single allele in a patient with one X chromosome (G6PD)."""


@dataclass(frozen=True, slots=True)
class Allele:
    name: str
    function: str
    value: float | None = None
    """Activity value; None where the gene has none or the allele's is unknown."""
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ScoreBand:
    phenotype: str
    at_least: float | None = None
    above: float | None = None
    below: float | None = None
    at_most: float | None = None


@dataclass(frozen=True, slots=True)
class Gene:
    """A germline gene whose marker is `gene:<symbol>`."""

    symbol: str
    hgnc: str
    model: GeneModel
    source: str
    states: tuple[str, ...]
    """What a test can return, as the tables name it: phenotypes, or scores (`0.0`, `0.25`, `≥3.0`)."""
    phenotypes: Mapping[str, tuple[str, ...]]
    """Standard phenotype term -> the states it stands for; the identity for function-pair genes."""
    alleles: Mapping[str, Allele] = field(default_factory=dict)
    """By name as published. Loaded from `genes/alleles/<symbol>.tsv`."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Folded name or alias -> name of the allele. Made at load (`nomenclature.folded_names`)."""
    pairs: tuple[tuple[str, str, str], ...] = ()
    """(function, function, phenotype), unordered."""
    bands: tuple[ScoreBand, ...] = ()
    two_lowest: bool = False
    """Where more than two variants are named, the two lowest values count (unphased variants of one gene)."""
    reference: str = ""
    """The allele that reports call normal when nothing was found (`*1`, `Reference`)."""
    labels: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    """Folded label -> standard term (`extensive metabolizer` -> `Normal Metabolizer`), or those between which it
    leaves open (`dpd deficiency`); gene-specific ones: general ones stand in `phenotype_labels.yaml`."""
    products: tuple[str, ...] = ()
    """Folded names of what it codes for, by which a problem list or a coded conclusion may name it (`dpd`)."""
    listed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Condition key -> the phenotype terms that a problem list may mean by it (a DPD deficiency: poor or
    intermediate)."""
    earlier_labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """State or diplotype -> labels that an earlier consensus would have given it: no conflict."""
    codes: tuple[ObservationCode, ...] = ()
    panel_alleles: tuple[str, ...] = ()
    """Alleles that a panel must have looked for, for a reference call to be Known rather than Narrowed."""
    ncbi: str = ""
    trust: Trust = Trust.READ

    @property
    def marker(self) -> str:
        return f"gene:{self.symbol}"


@dataclass(frozen=True, slots=True)
class HlaMarker:
    """`hla:B*57:01`, states `positive` and `negative`."""

    locus: str
    """`A`, `B`."""
    allele: str
    """Two fields: `*57:01`."""
    source: str
    codes: tuple[ObservationCode, ...] = ()
    variant_codes: tuple[str, ...] = ()
    """Other identifiers that mean presence of the allele (ClinVar, dbSNP)."""
    trust: Trust = Trust.READ

    @property
    def marker(self) -> str:
        return f"hla:{self.locus}{self.allele}"


@dataclass(frozen=True, slots=True)
class ResultWords:
    """Words around a genotype or phenotype in the text of a result (`result_words.yaml`), lower case without
    punctuation. A call beside any other word is not read."""

    fillers: tuple[str, ...] = ()
    """Belong to a call."""
    narrative: tuple[str, ...] = ()
    """Change nothing in whatever company they stand, but make free text of the result."""
    retractions: tuple[str, ...] = ()
    """Take any result back, or say it of someone else."""
    negations: tuple[str, ...] = ()
    """Deny a call or suppose it."""
    duplications: tuple[str, ...] = ()
    """A duplication without its number."""
    liquid_biopsies: tuple[str, ...] = ()
    """Specimens in which a tumour's variant may be missed: nothing found there excludes none."""
    tumours: tuple[str, ...] = ()
    """Change nothing beside a call, a score or a share of a tumour's marker."""
