"""A knowledge base small enough to see each rule at work. No gene, drug or source of it exists.

Genes: ALPHA (function pairs), BETA (activity scores), XI (X-linked, `Variable` defers to the enzyme), MU
(mitochondrial); and the HLA marker B*57:01. Drugs are whatever a table names.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from cds_service.knowledge.base import Knowledge
from cds_service.knowledge.nomenclature import folded_names
from cds_service.knowledge.reach import comedication_keys
from cds_service.knowledge.rows import expand
from cds_service.knowledge.schema import (
    Allele,
    ConditionKey,
    DrugGroup,
    Frequency,
    Gene,
    GeneModel,
    HlaMarker,
    MarkerUse,
    Modifier,
    Modulator,
    Population,
    Predicate,
    Row,
    ScoreBand,
    Source,
    SupplyLengths,
    Table,
    Test,
)
from cds_service.model import (
    Action,
    ActivityScore,
    Advice,
    Amount,
    Availability,
    Diplotype,
    Dose,
    DoseChange,
    DosePhase,
    Finding,
    Gravity,
    Harm,
    Medication,
    Option,
    Order,
    Patient,
    Phenotype,
    Presence,
    Query,
    Reading,
    Statement,
    Strength,
    Testing,
    Trust,
)
from cds_service.policy import Policy
from cds_service.reasoning import evaluate
from cds_service.reasoning.context import Context

TODAY = date(2026, 11, 25)
ALPHA, BETA, XI, MU, HLA = "gene:ALPHA", "gene:BETA", "gene:XI", "gene:MU", "hla:B*57:01"
POOR, INTERMEDIATE, NORMAL, RAPID, ULTRARAPID = (
    f"{word} Metabolizer" for word in ("Poor", "Intermediate", "Normal", "Rapid", "Ultrarapid")
)
REST = (INTERMEDIATE, NORMAL, RAPID, ULTRARAPID)
"""The states of `ALPHA` but the poor one."""
COMPLETE: Mapping[Query, Availability] = dict.fromkeys(Query, Availability.COMPLETE)


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


def _gene(
    symbol: str, model: GeneModel, alleles: Iterable[Allele], phenotypes: Mapping[str, Any], **more: Any
) -> Gene:
    by_name = {a.name: a for a in alleles}
    states = tuple(s for group in phenotypes.values() for s in group)
    return Gene(
        symbol, "HGNC:0", model, "guideline", states, phenotypes, alleles=by_name, names=folded_names(by_name), **more
    )


ALPHA_GENE = _gene(
    "ALPHA",
    GeneModel.FUNCTION_PAIR,
    [
        Allele("*1", "Normal function"),
        Allele("*2", "No function"),
        Allele("*17", "Increased function"),
        Allele("*9", "Uncertain function"),
        Allele("*5", "Decreased function"),
    ],
    {term: (term,) for term in (POOR, INTERMEDIATE, NORMAL, RAPID, ULTRARAPID)},
    pairs=(
        ("No function", "No function", POOR),
        ("No function", "Normal function", INTERMEDIATE),
        ("No function", "Increased function", INTERMEDIATE),
        ("Normal function", "Normal function", NORMAL),
        ("Normal function", "Increased function", RAPID),
        ("Increased function", "Increased function", ULTRARAPID),
    ),
    reference="*1",
    panel_alleles=("*2", "*17"),
    earlier_labels={"*1/*17": (ULTRARAPID,), RAPID: (NORMAL,)},
)
BETA_GENE = _gene(
    "BETA",
    GeneModel.SCORE,
    [
        Allele("*1", "Normal function", 1.0),
        Allele("*4", "No function", 0.0),
        Allele("*10", "Decreased function", 0.25),
    ],
    {
        POOR: ("0.0",),
        INTERMEDIATE: ("0.25", "0.5", "1.0"),
        NORMAL: ("1.25", "2.0"),
        ULTRARAPID: ("3.0", "≥3.0"),
    },
    bands=(
        ScoreBand(POOR, at_least=0, at_most=0),
        ScoreBand(INTERMEDIATE, above=0, below=1.25),
        ScoreBand(NORMAL, at_least=1.25, at_most=2.25),
        ScoreBand(ULTRARAPID, above=2.25),
    ),
    reference="*1",
    earlier_labels={"1.0": (NORMAL,)},
)
XI_GENE = _gene(
    "XI",
    GeneModel.X_LINKED,
    [Allele("B", "Normal"), Allele("A-", "Deficient"), Allele("Q", "Uncertain function")],
    {term: (term,) for term in ("Deficient", "Variable", "Normal")},
    pairs=(
        ("Normal", "Normal", "Normal"),
        ("Deficient", "Normal", "Variable"),
        ("Deficient", "Deficient", "Deficient"),
    ),
    reference="B",
    panel_alleles=("A-",),
)
MU_GENE = _gene(
    "MU",
    GeneModel.MITOCHONDRIAL,
    [Allele("m.1A>G", "increased risk"), Allele("Reference", "normal risk")],
    {"increased risk": ("increased risk",), "normal risk": ("normal risk",)},
    pairs=(("increased risk", "increased risk", "increased risk"), ("normal risk", "normal risk", "normal risk")),
    reference="Reference",
)
GENES = {g.symbol: g for g in (ALPHA_GENE, BETA_GENE, XI_GENE, MU_GENE)}


TESTS = (
    Test("alpha_genotype", (ALPHA,), (), "genotype", "guideline", turnaround_days=(2, 5)),
    Test("beta_genotype", (BETA,), (), "genotype", "guideline"),
    Test("xi_genotype", (XI,), (), "genotype", "guideline", turnaround_days=(5, 10)),
    Test(
        "xi_activity",
        (XI,),
        (),
        "enzyme_activity",
        "guideline",
        turnaround_days=(1, 2),
        splits={XI: (("Normal",), ("Deficient",))},
        preference=5,
    ),
    Test("mu_genotype", (MU,), (), "genotype", "guideline", turnaround_days=(7, 14)),
    Test("hla_b_typing", (HLA,), (), "hla_typing", "guideline", turnaround_days=(1, 3)),
)

CONDITIONS = (
    ConditionKey("heart_attack"),
    ConditionKey("acute_coronary_syndrome", includes=("heart_attack",)),
    ConditionKey("vascular_disease", includes=("acute_coronary_syndrome",)),
    ConditionKey("stroke"),
)

SOURCES = ("guideline", "label", "label_contraindication", "regulator_table")


def world(
    *tables: Table,
    tests: tuple[Test, ...] = TESTS,
    frequencies: tuple[Frequency, ...] = (),
    modifiers: tuple[Modifier, ...] = (),
    modulators: tuple[Modulator, ...] = (),
    groups: tuple[DrugGroup, ...] = (),
) -> Knowledge:
    """A knowledge of these tables. Source ids are their kinds, with a suffix where two are needed."""
    sources = {t.source for t in tables} | set(SOURCES)
    tables_by_drug = _index((d, t) for t in tables for d in t.drugs)
    return Knowledge(
        version="tiny",
        content_hash="0",
        developer="Testhausen",
        supplies=SupplyLengths(usual_days=90, longest_days=365, longest_pause_days=14),
        drugs={},
        genes=GENES,
        hla={HLA: HlaMarker("B", "*57:01", "guideline")},
        tests={t.id: t for t in tests},
        conditions={c.id: c for c in CONDITIONS},
        groups={g.id: g for g in groups},
        sources={s: _source(s) for s in sources},
        tables={t.id: t for t in tables},
        modifiers=modifiers,
        modulators=modulators,
        frequencies=frequencies,
        phenotype_labels={},
        answer_codes={},
        tables_by_drug=tables_by_drug,
        comedications_by_drug={d: comedication_keys(of, modifiers) for d, of in tables_by_drug.items()},
        groups_by_drug=_index((d, g.id) for g in groups for d in g.drugs),
        tests_by_marker=_index((m, t) for t in sorted(tests, key=lambda t: t.preference) for m in t.markers),
        frequencies_by_marker=_index((f.marker, f) for f in frequencies),
        modulators_by_drug=_index((m.drug, m) for m in modulators),
        rows_by_table={t.id: expand(t, GENES) for t in tables},
    )


def _source(name: str) -> Source:
    return Source(name, name, "Testhausen", "1", "2026", "2026", "", TODAY, name.partition(".")[0])


def _index(pairs: Iterable[tuple[str, Any]]) -> dict[str, tuple[Any, ...]]:
    found: defaultdict[str, list[Any]] = defaultdict(list)
    for key, value in pairs:
        found[key].append(value)
    return {key: tuple(values) for key, values in found.items()}


def advice(action: str | Option, *more: Option, **fields: Any) -> Advice:
    first = Option(Action(action)) if isinstance(action, str) else action
    return Advice((first, *more), **{"strength": Strength.STRONG, "harm": Harm.TOXICITY, **fields})


def fatal(action: str | Option = "avoid") -> Advice:
    return advice(action, gravity=Gravity.FATAL_OR_IRREVERSIBLE)


def half(factor: float = 0.5) -> Option:
    return Option(Action.DOSE, DoseChange(DosePhase.START, factor=(factor, factor)))


def swap(*drugs: str) -> Option:
    return Option(Action.ALTERNATIVE, alternatives=drugs)


def at_most(value: float, unit: str = "mg/d") -> Option:
    return Option(Action.DOSE, DoseChange(DosePhase.MAXIMUM, cap=Amount(value, unit)))


def row(when: Mapping[str, str | tuple[str, ...]], then: str | Option | Advice, **fields: Any) -> Row:
    """A row named after its states."""
    terms = {m: (s,) if isinstance(s, str) else s for m, s in when.items()}
    name = "_and_".join(s for group in terms.values() for s in group) or "always"
    return Row(**{"id": name, "when": terms, "advice": then if isinstance(then, Advice) else advice(then), **fields})


def table(drug: str, *rows: Row, uses: Mapping[str, MarkerUse] | None = None, **fields: Any) -> Table:
    """A table of one drug; its markers are those of the rows."""
    markers = dict.fromkeys(m for r in rows for m in r.when)
    defaults = {"id": f"{drug}_table", "source": "guideline", "trust": Trust.READ}
    return Table(
        **{
            **defaults,
            "drugs": (drug,),
            "rows": rows,
            "markers": {m: (uses or {}).get(m, MarkerUse()) for m in markers},
            **fields,
        }
    )


def use(testing: str = "none", **fields: Any) -> MarkerUse:
    return MarkerUse(Testing(testing), **fields)


def population(*fits: Predicate) -> Population:
    return Population(fits=fits)


def shares(marker: str, where: str = "Testland", source: str = "study", **by_state: float) -> tuple[Frequency, ...]:
    """Shares by state; spaces of a state are underscores."""
    return tuple(
        Frequency(marker, state.replace("_", " "), where, share, share, source, Trust.READ)
        for state, share in by_state.items()
    )


def reading(marker: str, says: Statement | str, reference: str = "", **fields: Any) -> Reading:
    """What one result says; a text is a diplotype."""
    said = Diplotype(says) if isinstance(says, str) else says
    name = reference or f"Observation/{marker}-{says}"
    return Reading(marker.partition("*")[0] if marker.startswith("hla") else marker, said, name, **fields)


def phenotype(marker: str, term: str, **fields: Any) -> Reading:
    return reading(marker, Phenotype(term), f"Observation/{term}", **fields)


def score(marker: str, value: float, **fields: Any) -> Reading:
    return reading(marker, ActivityScore(value), f"Observation/{value}", **fields)


def hla(present: bool, **fields: Any) -> Reading:
    return reading(HLA, Presence("*57:01", present), f"Observation/{present}", **fields)


def person(*readings: Reading, **fields: Any) -> Patient:
    """A patient of whom everything was asked: what is not named is known to be absent."""
    defaults = {"id": "testperson", "birth_date": ago(40 * 366), "sex": "female", "availability": COMPLETE}
    return Patient(**{**defaults, "readings": readings, **fields})


def taking(drug: str, **fields: Any) -> Medication:
    return Medication(**{"reference": f"MedicationRequest/{drug}", "name": drug, "ingredients": (drug,), **fields})


def order(*drugs: str, mg: float | None = None, per_day: float | None = 1, **fields: Any) -> Order:
    """A draft of the ingredients."""
    dose = None if mg is None else Dose(mg, "mg", per_day)
    name = "-".join(drugs)
    return Order(**{"reference": f"Draft/{name}", "name": name, "ingredients": drugs, "dose": dose, **fields})


def around(drug: str, patient: Patient, knowledge: Knowledge, *others: Order, **fields: Any) -> Context:
    """The drug's order in its surroundings."""
    return Context(order(drug, **fields), drug, patient, knowledge, TODAY, others)


def findings(
    knowledge: Knowledge, drafts: Order | tuple[Order, ...], patient: Patient, policy: Policy | None = None
) -> tuple[Finding, ...]:
    """Everything that is found, silent findings included."""
    orders = (drafts,) if isinstance(drafts, Order) else drafts
    return evaluate(orders, patient, knowledge, policy or Policy(), TODAY)


def only(found: Iterable[Finding]) -> Finding:
    """The one finding."""
    (finding,) = tuple(found)
    return finding


def shown(found: Iterable[Finding]) -> list[Finding]:
    return [f for f in found if not f.silent]


def without(patient: Patient, *queries: Query) -> Patient:
    """The patient as seen when these queries failed."""
    return replace(patient, availability={**patient.availability, **dict.fromkeys(queries, Availability.FAILED)})
