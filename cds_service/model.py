"""The words of the service as types: what reading makes, reasoning compares and writing says.

Everything is frozen. FHIR dictionaries never appear here. Closed sets are enums, and "unknown" is always
a value of its own, never `None` and never "normal by default".

Ids are stable, typed strings: markers `gene:CYP2C19`, `genotype:CYP2C9`, `hla:B*57:01`, `lab:potassium`;
facts `age`, `indication`, ... (`Fact`); drugs by their RxNorm ingredient name in lower case (`clopidogrel`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from cds_service.codes import Coding

NO_RESULT = "No Result"
"""Row token: nothing usable is known of the marker. Never a state that a test returns."""
INDETERMINATE = "Indeterminate"
"""Row token: a test was done and could not assign a state. Never a state that a test returns."""


# --- closed sets of the knowledge -----------------------------------------------------------------------


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


class DosePhase(StrEnum):
    START = "start"
    MAINTENANCE = "maintenance"
    MAXIMUM = "maximum"


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


# --- advice ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Amount:
    """A dose: `value` in `unit`, a UCUM-like text (`mg`, `mg/d`, `mg/kg/d`, `mg/m2/d`)."""

    value: float
    unit: str


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
    direction: str = ""
    """`lower` or `higher` where the source names no figure."""
    frequency: str = ""
    """Phrase key for a changed interval, e.g. `three_times_a_week`."""
    applies_above: Amount | None = None
    """The change is only needed where the usual start is at or above this."""


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


# --- what was read ---------------------------------------------------------------------------------------


class Availability(StrEnum):
    """What became of one of the queries that the service depends on (`Query`)."""

    COMPLETE = "complete"
    """Answered, possibly with nothing: known empty."""
    PARTIAL = "partial"
    """Answered, but pages or entries are missing."""
    MISSING = "missing"
    """Never asked and never sent."""
    FAILED = "failed"
    """Asked, and refused, late or broken."""


class Query(StrEnum):
    """The queries of discovery; their values are the prefetch keys."""

    PATIENT = "patient"
    MEDICATIONS = "medications"
    RESULTS = "results"
    CONDITIONS = "conditions"
    ALLERGIES = "allergies"
    REQUESTS = "requests"
    FAMILY = "family"


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that could not be read or obtained. `about` is a query, a resource reference or a drug name
    as ordered; `reason` a stable key (`not_available`, `unreadable`, `wrong_patient`, `not_recognised`,
    `not_machine_readable`, `incomplete`, ...); `detail` tells a person more and holds no patient data."""

    about: str
    reason: str
    detail: str = ""
    query: Query | None = None


@dataclass(frozen=True, slots=True)
class Quantity:
    value: float
    unit: str
    comparator: str = ""


@dataclass(frozen=True, slots=True)
class Dose:
    """A dose as ordered. `per_dose` is what one administration gives, in `unit` (`mg`, `mg/kg`, `mg/m2`,
    `tablet`, ...); `per_day` how many administrations a day; None where the order does not say."""

    per_dose: float | None
    unit: str
    per_day: float | None = None
    text: str = ""
    """The dosage instruction as text, for the card."""

    @property
    def daily(self) -> float | None:
        """Amount a day in `unit`, or None where either factor is missing."""
        return None if self.per_dose is None or self.per_day is None else self.per_dose * self.per_day


@dataclass(frozen=True, slots=True)
class Order:
    """One drafted medication."""

    reference: str
    """`MedicationRequest/103`, the draft it came from."""
    name: str
    """The drug as the EHR shows it, or the best display found; may be empty when the order has no drug yet."""
    ingredients: tuple[str, ...]
    """Drug ids recognised; empty when the drug was not recognised."""
    coding: Coding | None = None
    dose: Dose | None = None
    strength_mg: float | None = None
    """Milligrams of the first ingredient in one unit of the product (tablet), where the product says so."""
    route: str = ""
    """`oral`, `intravenous`, `topical`, `ophthalmic`, `inhaled`, ...; empty when neither order nor product says."""
    reasons: frozenset[str] = frozenset()
    """Condition keys of the order's reason."""
    reason_texts: tuple[str, ...] = ()
    selected: bool = True
    """False for a draft that the hook's `selections` do not name: context, not the question."""
    active: bool = False
    """True for a medicine already taken (patient-view, refill, an active medicine affected by a draft)."""
    replaces: str = ""
    """Reference of the active medication that this draft replaces."""


@dataclass(frozen=True, slots=True)
class Medication:
    """A medicine that the patient takes."""

    reference: str
    name: str
    ingredients: tuple[str, ...]
    started: date | None = None
    dose: Dose | None = None
    route: str = ""
    stopped: date | None = None
    """Set for a medicine that ended (its effect may still last)."""


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
class ActivityScore:
    value: float
    at_least: bool = False


@dataclass(frozen=True, slots=True)
class Presence:
    """An allele or a variant reported as present or absent: HLA `*57:01`, `m.1555A>G`. Without a name the
    observable itself was found or not: an antigen, any variant of the gene."""

    allele: str
    present: bool


@dataclass(frozen=True, slots=True)
class HlaType:
    """The alleles found at an HLA locus, two fields each (`*57:01`). `complete` when both chromosomes were
    typed; `ambiguous` names alleles that the typing left possible."""

    alleles: tuple[str, ...]
    complete: bool
    ambiguous: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Undetermined:
    """The laboratory did the test and could not assign a state."""

    text: str = ""


@dataclass(frozen=True, slots=True)
class NotReadable:
    """A result exists that a machine cannot read or that contradicts itself within one resource."""

    reason: str


@dataclass(frozen=True, slots=True)
class SelfContradiction:
    """One resource says two things (code against display, gene against text)."""

    says: tuple[str, ...]


Statement = (
    Diplotype | Phenotype | ActivityScore | Presence | HlaType | Quantity | Undetermined | NotReadable
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
    on: date | None = None
    """Effective date, else issued; None when the resource has neither."""
    laboratory: str = ""
    method: str = ""
    """`genotype`, `enzyme_activity`, ... as a test method of the knowledge; empty when not said."""
    specimen: str = ""
    """What the specimen of a gene or HLA result and its site are called, folded; empty when not said."""
    panel: tuple[str, ...] = ()
    """Alleles or region that the test looked for, when the resource says so."""
    quoted: str = ""
    """The value as the report has it, for display only."""
    coding: Coding | None = None
    """The observation code it was recognised by."""
    why_unverified: str = ""
    """Stable key: `consumer`, `patient_reported`, `status_unknown`."""
    flags: tuple[str, ...] = ()
    """Stable keys of what a reader should know beside the value: `implausible`, `status_unknown`, `homozygous`,
    `build_37`, `strand_turned`, `origin_not_said`, ..."""
    drugs: tuple[str, ...] = ()
    """Drug ids (or names, where not recognised) of the medicines that the result itself assesses."""


@dataclass(frozen=True, slots=True)
class Condition:
    keys: frozenset[str]
    """Condition keys of the knowledge that its codes or text mean; may be empty."""
    text: str
    reference: str
    onset: date | None = None


@dataclass(frozen=True, slots=True)
class Allergy:
    """An allergy or earlier reaction to a drug."""

    ingredients: tuple[str, ...]
    text: str
    reference: str
    keys: frozenset[str] = frozenset()
    """Condition keys of its manifestation."""


@dataclass(frozen=True, slots=True)
class FamilyCondition:
    keys: frozenset[str]
    relationship: str
    degree: int
    """1 for parents, siblings, children; 2 for grandparents, aunts, uncles, half-siblings; 3 beyond."""
    text: str
    reference: str


@dataclass(frozen=True, slots=True)
class PendingTest:
    """A test that is ordered, on hold, or in the laboratory."""

    markers: tuple[str, ...]
    reference: str
    since: date | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Recommendation:
    """What a laboratory recommended beside its results. Shown as the laboratory's, never as our own advice."""

    reference: str
    coding: Coding | None
    text: str
    drugs: tuple[str, ...] = ()
    reason: str = ""
    """Reference of the result that it rests on."""
    on: date | None = None


@dataclass(frozen=True, slots=True)
class Patient:
    """What is known of the patient. `availability` tells empty from unknown for each query."""

    id: str
    birth_date: date | None = None
    sex: str = ""
    """`male`, `female`, or empty when unknown or other: sex for clinical use, as in X-linked genes."""
    weight_kg: float | None = None
    medications: tuple[Medication, ...] = ()
    readings: tuple[Reading, ...] = ()
    conditions: tuple[Condition, ...] = ()
    allergies: tuple[Allergy, ...] = ()
    family: tuple[FamilyCondition, ...] = ()
    pending: tuple[PendingTest, ...] = ()
    gaps: tuple[Gap, ...] = ()
    availability: Mapping[Query, Availability] = field(default_factory=dict)
    recommendations: tuple[Recommendation, ...] = ()


# --- drug names to ingredients (implemented in terminology, given to reading) --------------------------------


@dataclass(frozen=True, slots=True)
class DrugMatch:
    """`drugs` are drug ids (ingredients); `by` is `code` or `name`; `name` the best display; `route` and
    `strength_mg` are what the product itself says."""

    drugs: tuple[str, ...]
    by: str
    name: str = ""
    route: str = ""
    strength_mg: float | None = None
    disagrees: tuple[str, ...] = ()
    """Drug ids that another code, a display or the text gives, and that contradict `drugs`."""


class DrugIndex(Protocol):
    def find(self, codings: tuple[Coding, ...], text: str) -> DrugMatch | None:
        """The ingredients that codes or text name, or None when they are not recognised.

        Codes come first; text is used when no code is known. Never guesses: a text matches only where a
        known ingredient, brand or synonym stands in it as whole words.
        """


@dataclass(frozen=True, slots=True)
class RxNormIngredient:
    rxcui: str
    name: str


@dataclass(frozen=True, slots=True)
class CodedDrug:
    """What a terminology outside the knowledge says of one code."""

    ingredients: tuple[RxNormIngredient, ...]
    name: str = ""


class DrugCodes(Protocol):
    def look_up(self, system: str, code: str) -> CodedDrug | None:
        """What `code` is, in one of the systems that `codes.py` names; None where it is not known or could not be
        asked. `code` is in the form of `terminology.codings`. Never raises.
        """


# --- knowledge of a marker -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Known:
    state: str
    readings: tuple[Reading, ...] = ()


@dataclass(frozen=True, slots=True)
class Narrowed:
    states: frozenset[str]
    why: str
    readings: tuple[Reading, ...] = ()


@dataclass(frozen=True, slots=True)
class Indeterminate:
    states: frozenset[str]
    readings: tuple[Reading, ...]
    spent: frozenset[str] = frozenset()
    """Test methods that were done and gave no state; repeating them tells nothing."""
    literal: str = INDETERMINATE
    """The state as reported, for tables with a row of its own for it (G6PD `Variable`)."""


@dataclass(frozen=True, slots=True)
class Stale:
    state: str
    since: date
    readings: tuple[Reading, ...] = ()


@dataclass(frozen=True, slots=True)
class Pending:
    since: date | None
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
    reason: str
    readings: tuple[Reading, ...] = ()


@dataclass(frozen=True, slots=True)
class Unreadable:
    reason: str
    readings: tuple[Reading, ...]


@dataclass(frozen=True, slots=True)
class NotTested:
    readings: tuple[Reading, ...] = ()


MarkerKnowledge = (
    Known | Narrowed | Indeterminate | Stale | Pending | Conflicting | Unverified | Unavailable | Unreadable
    | NotTested
)


# --- resulting orders and findings -------------------------------------------------------------------------------


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
    `basis` is `per_dose` or `per_day`."""

    old: float
    unit: str
    factor: tuple[float, float]
    new: tuple[float, float]
    basis: str


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
    """A suggested drug after it was itself evaluated. Not offered when `refused` is set (a stable key:
    `contraindicated_by_result`, `allergy`, `limit`, `taken_already`, `interaction`)."""

    drug: str
    refused: str = ""
    open_markers: tuple[str, ...] = ()
    """Markers whose test would be asked for if this drug were ordered."""


@dataclass(frozen=True, slots=True)
class Branch:
    """One outcome of a test: the states it groups, what the order would become, and the advice behind it."""

    states: tuple[str, ...]
    resulting: ResultingOrder
    advice: Advice
    probability: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class ChangeProbability:
    low: float
    high: float
    populations: int


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


@dataclass(frozen=True, slots=True)
class Assumption:
    """A context fact that was not known and what was taken for it, as phrase keys."""

    fact: str
    assumed: str
    table: str


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
    silent: str = ""
    """Empty: shown. Else the rule that keeps it silent (`no_change`, `recalled`, `policy_off`,
    `below_threshold`, `tolerated`, `decided_by_other`, ...)."""
    markers: tuple[MarkerView, ...] = ()
    resulting: ResultingOrder = ResultingOrder(Outcome.AS_DRAFTED)
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
    quotes: tuple[str, ...] = ()
    """Ids of tables of other sources that say something else."""


# --- what a request asks (raw resources pass through unread) -------------------------------------------------------


@dataclass(frozen=True, slots=True)
class QueryResult:
    """What came of one query. `resources` are FHIR resources as decoded JSON, unread."""

    availability: Availability
    resources: tuple[Mapping[str, object], ...] = ()
    reason: str = ""
    """Stable key when not complete: `missing`, `refused`, `late`, `unreachable`, `too_large`, `more_pages`, ..."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a hook asks about. `resources` are the drafted resources (requests, and Medications beside them) as
    decoded JSON; `selections` names the drafts in question (None: all of them); `active` is true where the
    orders are medicines already taken (patient-view: `resources` is empty and the patient's active medicines
    are the orders); `wanted` are references to be looked up among the query results (order-dispatch)."""

    hook: str
    patient_id: str
    resources: tuple[Mapping[str, object], ...] = ()
    selections: frozenset[str] | None = None
    active: bool = False
    wanted: tuple[str, ...] = ()
    gaps: tuple[Gap, ...] = ()
    """Entries that were no resources at all, found by the hook layer."""


# --- what clients tell back, and what was issued (kept by the store) ------------------------------------------------


class FeedbackOutcome(StrEnum):
    ACCEPTED = "accepted"
    OVERRIDDEN = "overridden"


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a clinician did with one card."""

    card: str
    """The card's uuid."""
    outcome: FeedbackOutcome
    at: datetime
    """When it happened, in UTC."""
    accepted_suggestions: tuple[str, ...] = ()
    reason: Coding | None = None
    """The override reason chosen."""
    comment: str = ""
    """Free text of the clinician: may hold patient data, and is kept only where the site says so."""


@dataclass(frozen=True, slots=True)
class IssuedCard:
    """A card that was sent, without anything that names the patient."""

    uuid: str
    indicator: str
    kinds: tuple[str, ...] = ()
    drugs: tuple[str, ...] = ()
