"""What one resource says of one observable, with its provenance."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from cds_service.codes import Coding
from cds_service.model.dates import When
from cds_service.model.orders import Quantity
from cds_service.model.reasons import GapReason, Unconfirmed


class Grade(StrEnum):
    """How far a reading may be relied on."""

    CLINICAL = "clinical"
    UNVERIFIED = "unverified"
    """Consumer test, patient-reported, or of unknown status."""
    LOW = "low"
    """Read from free text."""


class ReadingStatus(StrEnum):
    FINAL = "final"
    PRELIMINARY = "preliminary"


@dataclass(frozen=True, slots=True)
class Diplotype:
    """`text` is the genotype in the gene's own notation, cleaned of the gene's name: `*1/*2`."""

    text: str


@dataclass(frozen=True, slots=True)
class Phenotype:
    """A phenotype in the standard term of the gene (`Poor Metabolizer`)."""

    term: str


@dataclass(frozen=True, slots=True)
class OneOf:
    """A phenotype that the report leaves open between several standard terms (`poor or intermediate`)."""

    terms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ActivityScore:
    value: float
    at_least: bool = False


class Significance(StrEnum):
    """What the laboratory thinks of a variant that it found."""

    NOT_SAID = ""
    PATHOGENIC = "pathogenic"
    """Likely pathogenic and suspected deleterious too."""
    UNCERTAIN = "uncertain"
    """Also where several opinions disagree."""
    BENIGN = "benign"
    """Likely benign too."""


@dataclass(frozen=True, slots=True)
class Presence:
    """An allele or a variant reported as present or absent: HLA `*57:01`, `m.1555A>G`. Without a name the
    observable itself was found or not: an antigen, any variant of the gene. Of a tumour's gene a name may also be
    that of a part (`codon 12`); a result that names several variants gives a reading for each."""

    allele: str
    present: bool
    significance: Significance = Significance.NOT_SAID


@dataclass(frozen=True, slots=True)
class HlaType:
    """The alleles found at an HLA locus, two fields each (`*57:01`). `complete` when both chromosomes were
    typed; `ambiguous` names alleles that the typing left possible."""

    alleles: tuple[str, ...]
    complete: bool
    ambiguous: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Between:
    """A measured value that is told as a range, both ends in it: an ejection fraction of 55 to 60 %."""

    low: float
    high: float
    unit: str


@dataclass(frozen=True, slots=True)
class Undetermined:
    """The laboratory did the test and could not assign a state."""

    text: str = ""


@dataclass(frozen=True, slots=True)
class NotReadable:
    """A result exists that a machine cannot read or that contradicts itself within one resource."""

    reason: GapReason


FUTURE = NotReadable(GapReason.FUTURE_DATE)
"""What a result says that is dated after today: nothing, since its date or the result itself is wrong."""


@dataclass(frozen=True, slots=True)
class SelfContradiction:
    """One resource says two things (code against display, gene against text)."""

    says: tuple[str, ...]


Statement = (
    Diplotype
    | Phenotype
    | OneOf
    | ActivityScore
    | Presence
    | HlaType
    | Quantity
    | Between
    | Undetermined
    | NotReadable
    | SelfContradiction
)


@dataclass(frozen=True, slots=True)
class Reading:
    """What one FHIR resource says of one observable, with its provenance."""

    observable: str
    """`gene:CYP2C19`, `hla:B` (the locus), `lab:potassium`, `tumour:CD274`, `somatic:KRAS`; `implication` for what
    a result says of a medicine without naming the gene."""
    says: Statement
    reference: str
    """`Observation/123`; `#n` of its Bundle entry when it has no id."""
    status: ReadingStatus = ReadingStatus.FINAL
    grade: Grade = Grade.CLINICAL
    on: When | None = None
    """Effective date, else issued; None when the resource has neither."""
    laboratory: str = ""
    method: str = ""
    """`genotype`, `enzyme_activity`, ... as a test method of the knowledge; empty when not said."""
    specimen: str = ""
    """What the specimen of a result on a gene or a tumour and its site are called, folded, also by the result's own
    words; empty when not said."""
    panel: tuple[str, ...] = ()
    """Alleles or region that the test looked for, when the resource says so."""
    quoted: str = ""
    """The value as the report has it, for display."""
    coding: Coding | None = None
    """The observation code it was recognised by."""
    why_unverified: Unconfirmed = Unconfirmed.NOT
    flags: tuple[str, ...] = ()
    """Stable keys of what a reader should know beside the value: `implausible`, `status_unknown`, `homozygous`,
    `build_37`, `strand_turned`, `origin_not_said`, ..."""
    drugs: tuple[str, ...] = ()
    """Drug ids (or names, where not recognised) of the medicines that the result itself assesses."""
    is_listed: bool = False
    """It stands in a problem or allergy list, and not in a result."""
    at: float | None = None
    """The instant in seconds since 1970, where the resource tells the time of day."""
