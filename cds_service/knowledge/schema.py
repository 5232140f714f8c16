"""What the files under `data/` hold, as types. Unknown keys are refused at load (`load.py`).

The types are plain frozen dataclasses; pydantic validates them from YAML. YAML keys are the field names.
Text that a clinician reads is never here: fields called `reason`, `note`, `label`, `only_if`,
`alternative_class` hold phrase keys of `cards/phrases/`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from cds_service.codes import Coding
from cds_service.model import Advice, Option, Testing, Timing, Trust


class SourceKind(StrEnum):
    """What a source is. The order in which one source leads is policy."""

    GUIDELINE = "guideline"
    LABEL_CONTRAINDICATION = "label_contraindication"
    LABEL = "label"
    REGULATOR_TABLE = "regulator_table"
    STUDY = "study"
    CATALOGUE = "catalogue"
    TERMINOLOGY = "terminology"


@dataclass(frozen=True, slots=True)
class Source:
    """Where facts come from. The fields are those that a card and its decision-support attributes need."""

    id: str
    title: str
    developer: str
    version: str
    released: str
    """ISO date or year of first release."""
    revised: str
    """ISO date or year of the revision used."""
    url: str
    checked: date
    """When we last held our rows against it."""
    kind: SourceKind
    pmids: tuple[str, ...] = ()
    funding: str = ""
    licence: str = ""


@dataclass(frozen=True, slots=True)
class Drug:
    id: str
    rxcui: str = ""
    """Ingredient code; empty where no source read gives one."""
    atc: tuple[str, ...] = ()
    synonyms: tuple[str, ...] = ()
    display: str = ""


@dataclass(frozen=True, slots=True)
class DrugParts:
    """What the tablets and capsules of a drug give, half a tablet included. A drug that is also a liquid has none:
    any amount of it can be measured."""

    drug: str
    parts_mg: tuple[float, ...]


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


class CodeRole(StrEnum):
    """Which kind of result a code carries."""

    GENOTYPE = "genotype"
    PHENOTYPE = "phenotype"
    ACTIVITY_SCORE = "activity_score"
    ENZYME_ACTIVITY = "enzyme_activity"
    PRESENCE = "presence"
    ALLELE = "allele"
    """One of the two alleles."""
    QUANTITY = "quantity"
    INTERPRETATION = "interpretation"
    REPORT = "report"
    ORDER = "order"
    """None: it orders the test."""


@dataclass(frozen=True, slots=True)
class ObservationCode:
    """A code of an Observation (or ServiceRequest) that means this marker."""

    code: str
    system: str = "http://loinc.org"
    role: CodeRole = CodeRole.GENOTYPE
    display: str = ""
    source: str = ""
    trust: Trust = Trust.CORROBORATED
    allele: str = ""
    """With role `presence` or `allele`: the allele that the code asks about, as the gene names it."""
    ambiguous: bool = False
    """Public projects disagree about the gene that the code names: needs a second witness."""


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
    in_words: tuple[str, ...] = ()
    """What sentences call it, beside its value (`tps`, `er`): folded."""
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
class StateChange:
    """A condition that a result tells by differing from an earlier one (a former smoker who smoked)."""

    observable: str
    was: str
    then: str
    within_days: float
    """For how long after it the change counts."""


@dataclass(frozen=True, slots=True)
class ConditionKey:
    """A condition that tables ask about, and how records name it."""

    id: str
    codes: tuple[Coding, ...] = ()
    """A code ending in `*` matches by prefix (ICD)."""
    texts: tuple[str, ...] = ()
    """Folded whole-word texts."""
    taken_back_by: tuple[str, ...] = ()
    """Folded words that take a text of this condition back where they stand ahead of it (`history of` a pregnancy),
    beside those that take back any."""
    not_in: tuple[str, ...] = ()
    """Folded phrases that hold a text of this condition and do not mean it (`for pregnancy test`)."""
    source: str = ""
    trust: Trust = Trust.CORROBORATED
    label: str = ""
    """Needed where the chance that a test changes an order is told for people who have it."""
    includes: tuple[str, ...] = ()
    """Other condition keys that imply this one."""
    change: StateChange | None = None
    """Results that tell it too."""
    lasting: bool = False
    """It counts for life: an entry that is resolved or inactive still means it (an earlier severe reaction)."""


class Fact(StrEnum):
    """What a predicate can ask about. Numbers: age (years), weight (kg), daily_dose (mg), daily_dose_per_kg (mg/kg),
    exposure (days that this drug has been taken). Sets: indication (the order's reason, else the patient's
    conditions), condition, reaction (condition keys or drug ids of recorded allergies),
    family_history (first and second degree), comedication (drug ids or group ids taken or drafted), route, sex."""

    AGE = "age"
    WEIGHT = "weight"
    SEX = "sex"
    INDICATION = "indication"
    CONDITION = "condition"
    ROUTE = "route"
    REACTION = "reaction"
    FAMILY_HISTORY = "family_history"
    COMEDICATION = "comedication"
    EXPOSURE = "exposure"
    DAILY_DOSE = "daily_dose"
    DAILY_DOSE_PER_KG = "daily_dose_per_kg"


@dataclass(frozen=True, slots=True)
class Predicate:
    """A three-valued question about one context fact, or a combination. Exactly one of `fact`, `all`, `any`,
    `none` is set. `when_unknown` is what is assumed when the fact is not known; without it an unknown fact
    leaves the predicate unknown."""

    fact: Fact | None = None
    is_in: tuple[str, ...] = ()
    below: float | None = None
    at_least: float | None = None
    above: float | None = None
    at_most: float | None = None
    all: tuple[Predicate, ...] = ()
    any: tuple[Predicate, ...] = ()
    none: tuple[Predicate, ...] = ()
    when_unknown: bool | None = None
    say: str = ""
    """Phrase key by which the card says the assumption made (`assumed_acs_pci`); empty: it is not said."""


@dataclass(frozen=True, slots=True)
class Population:
    """For whom a table speaks. All predicates must hold. `id` is the source's own name of it (CPIC's
    `cvi acs pci`), `label` a phrase key."""

    id: str = "general"
    label: str = ""
    fits: tuple[Predicate, ...] = ()


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
    population: Population = Population()
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


@dataclass(frozen=True, slots=True)
class SupplyLengths:
    """How long medicines last of which the record does not say it, in days."""

    usual_days: int
    """What is handed out at once, where nobody says how long it lasts."""
    longest_days: int
    """No supply handed out at once lasts longer."""
    longest_pause_days: int
    """Between two entries of a drug that follow each other: a late renewal, and no new start."""


class ModulatorRole(StrEnum):
    INHIBITOR = "inhibitor"
    INDUCER = "inducer"


class ModulatorStrength(StrEnum):
    STRONG = "strong"
    MODERATE = "moderate"
    WEAK = "weak"


@dataclass(frozen=True, slots=True)
class Modifier:
    """What shifts a marker's states for now: the inhibitors of its enzyme (`Modulator`) that are taken beside it."""

    id: str
    marker: str
    source: str
    trust: Trust
    factors: Mapping[ModulatorStrength, float]
    """Strength of the inhibitor -> factor on the activity score."""
    guideline_drugs: tuple[str, ...]
    """Drugs for which the source states the rule; elsewhere it is applied only by site policy."""


@dataclass(frozen=True, slots=True)
class Modulator:
    """A drug that inhibits or induces an enzyme."""

    enzyme: str
    role: ModulatorRole
    strength: ModulatorStrength
    drug: str
    source: str
    trust: Trust
    offset_days: float | None = None
    """How long the effect lasts after the last dose, where known."""


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


@dataclass(frozen=True, slots=True)
class DrugGroup:
    """A named set of drugs for predicates and modifiers."""

    id: str
    drugs: tuple[str, ...]
    source: str = ""
