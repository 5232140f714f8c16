"""`knowledge check`: a whole knowledge has no problem, and each kind of fault is reported, alone and by name."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from cds_service import model
from cds_service.codes import LOINC, Coding
from cds_service.knowledge.base import Knowledge
from cds_service.knowledge.checks import check
from cds_service.knowledge.schema import (
    Allele,
    Band,
    Concerns,
    ConditionKey,
    Drug,
    DrugGroup,
    Fact,
    Frequency,
    Gene,
    GeneModel,
    HlaMarker,
    MarkerUse,
    Modifier,
    Modulator,
    Observable,
    ObservableKind,
    ObservationCode,
    Population,
    Predicate,
    Review,
    Row,
    ScoreBand,
    Source,
    StateChange,
    Table,
    Test,
)
from cds_service.model import (
    Action,
    Advice,
    Amount,
    DoseChange,
    DosePhase,
    Gravity,
    Harm,
    Option,
    Strength,
    Times,
    TimesUnit,
    Trust,
)

MARKER = "gene:CYP9Z9"
CODE = "1234-4"
PHRASES = {"less_active": "It works less.", "if_needed": "if it is needed", "test_name": "CYP9Z9 genotype"}
STANDARD = Advice((Option(Action.STANDARD),), Strength.STRONG)
AVOID = Advice((Option(Action.AVOID, alternatives=("otherolol",)),), Strength.STRONG, reason="less_active")
POOR = Row("poor", {MARKER: ("Poor Metabolizer",)}, AVOID)
OTHERS = Row("others", {MARKER: ("1.0", "2.0")}, STANDARD)
USE = MarkerUse(testing=model.Testing.RECOMMENDED, testing_source="study")
TABLE = Table(
    "table", ("testolol",), "study", Trust.READ, (POOR, OTHERS), {MARKER: USE},
    Population(fits=(Predicate(Fact.CONDITION, ("gout",)),)),
)  # fmt: skip
GENE = Gene(
    "CYP9Z9", "0", GeneModel.SCORE, "study",
    states=("0.0", "1.0", "2.0"),
    phenotypes={"Poor Metabolizer": ("0.0",), "Normal Metabolizer": ("1.0", "2.0")},
    alleles={"*1": Allele("*1", "normal", 1.0)}, reference="*1",
    codes=(ObservationCode(CODE, display="CYP9Z9 gene", source="study"),),
)  # fmt: skip
HLA = HlaMarker("B", "*99:99", "study")
TEST = Test("test", (MARKER,), (Coding(LOINC, CODE, "CYP9Z9 gene"),), "genotype", "study", label="test_name")
SOURCE = Source(
    "study", "A study", "Nobody", "1", "2020", "2021-05", "https://example.org", date(2026, 1, 1), "guideline"
)


def frequency(state: str, low: float, high: float) -> Frequency:
    return Frequency(MARKER, state, "everyone", low, high, "study", Trust.READ)


WHOLE = Knowledge(
    version="1",
    content_hash="0",
    developer="us",
    drugs={name: Drug(name) for name in ("testolol", "otherolol")},
    genes={GENE.symbol: GENE},
    hla={HLA.marker: HLA},
    tests={TEST.id: TEST},
    conditions={"gout": ConditionKey("gout", source="study")},
    groups={"olols": DrugGroup("olols", ("testolol", "otherolol"), source="study")},
    sources={SOURCE.id: SOURCE},
    tables={TABLE.id: TABLE},
    modifiers=(Modifier("blockers", MARKER, "study", Trust.READ, {"strong": 0.0}, ("testolol",)),),
    modulators=(Modulator("CYP9Z9", "inhibitor", "strong", "otherolol", "study", Trust.READ),),
    frequencies=(frequency("Poor Metabolizer", 0.1, 0.1), frequency("1.0", 0.4, 0.4), frequency("2.0", 0.5, 0.5)),
    phenotype_labels={},
    answer_codes={},
)


def with_table(**changes: Any) -> Knowledge:
    return replace(WHOLE, tables={"table": replace(TABLE, **changes)})


def with_rows(*rows: Row) -> Knowledge:
    return with_table(rows=rows)


def with_use(marker: str = MARKER, **changes: Any) -> Knowledge:
    rows = tuple(replace(row, when={marker: row.when[MARKER]}) for row in TABLE.rows)
    return with_table(markers={marker: replace(USE, **changes)}, rows=rows)


def with_advice(advice: Advice) -> Knowledge:
    return with_rows(replace(POOR, advice=advice), OTHERS)


BAND = Band(below=1)
MADE_UP = {"lab:made_up": Observable("lab:made_up", ObservableKind.QUANTITY, "source", unit="mg/dL")}
STATE_CHANGE = StateChange("lab:nosuch", "a", "b", 9)


def with_fits(*fits: Predicate) -> Knowledge:
    return with_table(population=Population(fits=fits))


def with_gene(**changes: Any) -> Knowledge:
    return replace(WHOLE, genes={GENE.symbol: replace(GENE, **changes)})


def with_test(**changes: Any) -> Knowledge:
    return replace(WHOLE, tests={"test": replace(TEST, **changes)})


def with_source(**changes: Any) -> Knowledge:
    return replace(WHOLE, sources={"study": replace(SOURCE, **changes)})


def another_table(**changes: Any) -> Knowledge:
    return replace(WHOLE, tables={"table": TABLE, "twin": replace(TABLE, id="twin", **changes)})


def dose(**changes: Any) -> Advice:
    return Advice((Option(Action.DOSE, DoseChange(DosePhase.START, **changes)),))


def test_a_whole_knowledge_has_no_problems() -> None:
    assert check(WHOLE, PHRASES, date(2026, 6, 1)) == []


GRAVE = replace(AVOID, gravity=Gravity.FATAL_OR_IRREVERSIBLE, harm=Harm.TOXICITY)
ALSO_POOR = Row("also_poor", {MARKER: ("0.0",)}, STANDARD)
ELSEWHERE = replace(GENE, symbol="OTHER1", codes=())

FAULTS = {
    # rows
    "no row answers": with_rows(POOR),
    "the combinations of states (gene:CYP9Z9 1.0; gene:CYP9Z9 2.0)": with_rows(POOR),
    "rows 'poor' and 'also_poor' answer the same facts differently (gene:CYP9Z9 0.0)":
        with_rows(POOR, replace(OTHERS, when={MARKER: ("1.0", "2.0", "Indeterminate")}), ALSO_POOR),
    "row 'hidden' is never reached": with_rows(POOR, OTHERS, Row("hidden", {MARKER: ("0.0",)}, AVOID)),
    "row 'none' is never reached": with_rows(POOR, OTHERS, Row("none", {MARKER: ()}, AVOID)),
    "'Odd Metabolizer' is no state or phenotype of gene:CYP9Z9":
        with_rows(replace(POOR, when={MARKER: ("Poor Metabolizer", "Odd Metabolizer")}), OTHERS),
    "asks about gene:OTHER, which is no marker of the table":
        with_rows(replace(POOR, when={**POOR.when, "gene:OTHER": ("x",)}), OTHERS),
    "row 'poor' stands 2 times": with_rows(POOR, OTHERS, POOR),
    "supersedes 'nothing', which is no other row": with_rows(replace(POOR, supersedes=("nothing",)), OTHERS),
    "no rows": with_rows(),
    # advice
    "table table/poor: critical advice of trust corroborated":
        with_rows(replace(POOR, advice=GRAVE, trust=Trust.CORROBORATED), OTHERS),
    "the advice has no option": with_advice(Advice(())),
    "a dose change stands with the action `dose`": with_advice(Advice((Option(Action.DOSE),))),
    "does not say how": with_advice(dose()),
    "more than one of factor, amount and cap": with_advice(
        dose(factor=(0.5, 0.5), cap=Amount(5, "mg"))
    ),
    "the first option joins one before it": with_advice(Advice((Option(Action.STOP, joins=True),))),
    "a dose change with `times` says them in words too":
        with_advice(dose(factor=(0.5, 0.5), times=Times(3, 1, TimesUnit.WEEK))),
    "each a figure above 0": with_advice(dose(frequency="never", times=Times(0, 1, TimesUnit.DAY))),
    "dose factor (0.8, 0.3)": with_advice(dose(factor=(0.8, 0.3))),
    "every option may be under way already":
        with_advice(Advice((Option(Action.PREPARE_FIRST, under_way_with="olols"),))),
    "table table/poor: group 'nosuch' is not known":
        with_advice(Advice((Option(Action.PREPARE_FIRST, under_way_with="nosuch"), Option(Action.MONITOR)))),
    "table table: age: everybody has one": with_fits(Predicate(Fact.AGE, below=18, when_unknown=False)),
    "table table: concerns the dose, and does not say": with_table(concerns=Concerns.DOSE),
    "does not say after how many days": with_rows(replace(POOR, concerns=Concerns.DOSE), OTHERS),
    "says with each of them after how many days": with_table(tolerated_after_days=90),
    "testolol is named as an alternative to itself":
        with_advice(Advice((Option(Action.AVOID, alternatives=("testolol",)),))),
    # markers
    "gene:NOSUCH: no such gene or HLA marker": with_use("gene:NOSUCH"),
    "hla:B*00:00: no such gene or HLA marker": with_use("hla:B*00:00"),
    "genotype:CYP9Z9: the marker needs the states": with_use("genotype:CYP9Z9"),
    "lab:made_up: bands in mmol/L, values in mg/dL":
        replace(with_use("lab:made_up", unit="mmol/L", bands={"Poor Metabolizer": BAND}), observables=MADE_UP),
    "testing is asked for and no test answers the marker": replace(WHOLE, tests={}),
    "testing is if_risk and no risk is named": with_use(testing=model.Testing.IF_RISK),
    "gene:NOSUCH is no gene or HLA marker that is known": with_test(markers=(MARKER, "gene:NOSUCH")),
    "test test: gene:CYP9Z9 has no state '7.0'": with_test(splits={MARKER: (("0.0",), ("7.0",))}),
    "modifier blockers: gene:NOSUCH":
        replace(WHOLE, modifiers=(replace(WHOLE.modifiers[0], marker="gene:NOSUCH"),)),
    "tables table and twin have the same markers, population and source for testolol": another_table(),
    # predicates
    "condition: 'nosuch' is not known": with_fits(Predicate(Fact.CONDITION, ("nosuch",))),
    "comedication: 'nosuch' is not known":
        with_fits(Predicate(none=(Predicate(Fact.COMEDICATION, ("olols", "testolol", "nosuch")),))),
    "reaction: 'nosuch' is not known": with_fits(Predicate(Fact.REACTION, ("gout", "testolol", "nosuch"))),
    "sex: 'nosuch' is not known": with_fits(Predicate(Fact.SEX, ("nosuch",))),
    "indication: 'nosuch' is not known":
        with_use(risks=(Predicate(any=(Predicate(Fact.INDICATION, ("nosuch",)),)),)),
    "family_history: 'nosuch' is not known":
        with_use(required_when=(Predicate(Fact.FAMILY_HISTORY, ("nosuch",)),)),
    "exactly one of fact, all, any, none; found 0": with_fits(Predicate()),
    "age: expected a limit": with_fits(Predicate(Fact.AGE)),
    "condition: expected is_in and no limit": with_fits(Predicate(Fact.CONDITION, ("gout",), below=5)),
    "condition gout: changes with 'lab:nosuch'":
        replace(WHOLE, conditions={"gout": ConditionKey("gout", source="study", change=STATE_CHANGE)}),
    "condition gout: includes 'nosuch'":
        replace(WHOLE, conditions={"gout": ConditionKey("gout", source="study", includes=("nosuch",))}),
    "gene CYP9Z9: told by 'nosuch'": with_gene(listed={"nosuch": ("Poor Metabolizer",)}),
    "gene CYP9Z9: without alleles the laboratory's conclusion tells it": with_gene(
        alleles={}, reference="", panel_alleles=()
    ),
    "gene CYP9Z9: a diagnosis means 'Nosuch'": with_gene(listed={"gout": ("Nosuch",)}),
    # drugs
    "table table: drug 'nosuch' is not known": with_table(drugs=("testolol", "nosuch")),
    "table table/poor: drug 'nosuch' is not known":
        with_advice(Advice((Option(Action.AVOID, alternatives=("nosuch",)),))),
    "bridge: drug 'nosuch' is not known": with_use(bridge=(Option(Action.ALTERNATIVE, alternatives=("nosuch",)),)),
    "group olols: drug 'nosuch' is not known":
        replace(WHOLE, groups={"olols": DrugGroup("olols", ("nosuch",), source="study")}),
    "parts.tsv: drug 'nosuch' is not known": replace(WHOLE, parts_mg={"nosuch": (5.0,)}),
    "modulator of CYP9Z9: drug 'nosuch' is not known":
        replace(WHOLE, modulators=(replace(WHOLE.modulators[0], drug="nosuch"),)),
    "modifier blockers: drug 'nosuch' is not known":
        replace(WHOLE, modifiers=(replace(WHOLE.modifiers[0], guideline_drugs=("nosuch",)),)),
    # sources
    "table table: source 'nosuch' does not exist": with_table(source="nosuch"),
    "testing: no source is cited": with_use(testing_source=""),
    "code 1234-4: no source is cited": with_gene(codes=(replace(GENE.codes[0], source=""),)),
    "observable lab:trust: code 1234-4: source 'nosuch' does not exist":
        replace(WHOLE, observables={"lab:trust": Observable(
            "lab:trust", ObservableKind.PRESENCE, "study", (ObservationCode(CODE, source="nosuch"),),
        )}),
    "group olols: no source is cited": replace(WHOLE, groups={"olols": DrugGroup("olols", ("testolol",))}),
    "(everyone): source 'nosuch' does not exist":
        replace(WHOLE, frequencies=(replace(WHOLE.frequencies[0], source="nosuch"),)),
    # codes
    "code 1234-4 of http://loinc.org has several names: CYP9Z9 gene; Something else":
        with_test(codes=(Coding(LOINC, CODE, "Something else"),)),
    "LOINC code 1234-5: not a code": with_test(codes=(Coding(LOINC, "1234-5"),)),
    "code 1234-4 names several genes and is not marked ambiguous: CYP9Z9, OTHER1":
        replace(WHOLE, genes={"CYP9Z9": GENE, "OTHER1": replace(ELSEWHERE, codes=GENE.codes)}),
    "test test: a result under its code 2160-0 would not be read":
        with_test(codes=(Coding(LOINC, "2160-0", "Creatinine"),)),
    "test test: code 1234-4 names CYP9Z9, not a gene of the test":
        replace(WHOLE, genes={"CYP9Z9": GENE, "OTHER1": ELSEWHERE},
                tests={"test": replace(TEST, markers=("gene:OTHER1",)), "own": replace(TEST, codes=())}),
    "code 1234-4 asks about several alleles: *1, *2":
        with_gene(codes=tuple(replace(GENE.codes[0], allele=name) for name in ("*1", "*2"))),
    # frequencies
    "frequency gene:CYP9Z9 3.0 (everyone): the marker has no such state":
        replace(WHOLE, frequencies=(frequency("3.0", 0.1, 0.1),)),
    "frequency gene:NOSUCH 1.0 (everyone): the marker has no such state":
        replace(WHOLE, frequencies=(replace(frequency("1.0", 0.1, 0.1), marker="gene:NOSUCH"),)),
    "the shares add up to 1.100":
        replace(WHOLE, frequencies=(frequency("0.0", 0.6, 0.6), frequency("1.0", 0.5, 0.5))),
    "frequency gene:CYP9Z9 0.0 (everyone): there is no condition 'gout' with a label":
        replace(WHOLE, frequencies=(replace(frequency("0.0", 0.1, 0.1), condition="gout"),)),
    "0.5 to 0.4; expected low <= high": replace(WHOLE, frequencies=(frequency("0.0", 0.5, 0.4),)),
    "stands twice": replace(WHOLE, frequencies=(frequency("0.0", 0.1, 0.1), frequency("0.0", 0.2, 0.2))),
    # genes
    "each state belongs to exactly one phenotype; not so: 2.0":
        with_gene(phenotypes={"Poor Metabolizer": ("0.0",), "Normal Metabolizer": ("1.0",)}),
    "gene CYP9Z9: 'Odd Metabolizer' is no phenotype":
        with_gene(bands=(ScoreBand("Odd Metabolizer"), ScoreBand("Indeterminate"))),
    "gene CYP9Z9: '*7' is no allele": with_gene(panel_alleles=("*1", "*7")),
    # dates and reviews
    "released 'last year'": with_source(released="last year"),
    "released '2020-13'": with_source(released="2020-13"),
    "revised 2019 before it was released 2020": with_source(revised="2019"),
    "checked 2020-01-01 before it was revised 2021-05": with_source(checked=date(2020, 1, 1)),
    "checked 2026-07-01, in the future": with_source(checked=date(2026, 7, 1)),
    "a review has both a name and a date": with_table(review=Review(by="a pharmacist")),
    # phrases
    "table table: phrase 'nosuch' has no text": with_advice(replace(AVOID, reason="nosuch")),
    "test test: phrase 'nosuch' has no text": with_test(label="nosuch"),
    "table table: phrase 'assumed' has no text":
        with_fits(Predicate(any=(Predicate(Fact.CONDITION, ("gout",), when_unknown=True, say="assumed"),))),
    "condition 'less_active' begins 'It works less.'":
        with_advice(Advice((Option(Action.AVOID, only_if="less_active"),))),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_reported(fault: str) -> None:
    problems = check(FAULTS[fault], PHRASES, date(2026, 6, 1))
    assert any(fault in problem for problem in problems), problems


def test_a_long_reason_is_reported_with_its_length() -> None:
    problems = check(WHOLE, {**PHRASES, "less_active": "long " * 30})
    assert problems == ["table table: reason 'less_active' has 150 characters; expected at most 110"]


def test_phrases_are_not_checked_where_none_are_given() -> None:
    assert check(with_test(label="nosuch")) == []


def test_every_kind_of_fault_stands_alone() -> None:
    """One fault in the rows makes one problem: nothing else is dragged in."""
    assert len(check(with_rows(POOR, OTHERS, Row("hidden", {MARKER: ("0.0",)}, AVOID)), PHRASES)) == 1
    assert len(check(with_fits(Predicate(Fact.CONDITION, ("nosuch",))), PHRASES)) == 1


@pytest.mark.parametrize(
    "well",
    [
        pytest.param(with_rows(replace(POOR, supersedes=("also_poor",)), OTHERS,
                               replace(ALSO_POOR, when={MARKER: ("0.0", "No Result")})), id="superseded"),
        pytest.param(with_rows(replace(POOR, advice=GRAVE), OTHERS), id="grave and read"),
        pytest.param(with_rows(replace(POOR, advice=GRAVE, trust=Trust.RECALLED), OTHERS), id="grave and silent"),
        pytest.param(with_rows(replace(POOR, advice=replace(GRAVE, harm=Harm.LACK_OF_EFFECT),
                                       trust=Trust.CORROBORATED), OTHERS), id="lack of effect is never critical"),
        pytest.param(with_source(released="not stated", revised="not stated"), id="dates that the source lacks"),
        pytest.param(with_source(released="2021", revised="2021-05"), id="released and revised in one year"),
        pytest.param(another_table(routes=("topical",)), id="same table for another route"),
        pytest.param(another_table(population=Population()), id="same table for another population"),
        pytest.param(replace(WHOLE, genes={
            "CYP9Z9": replace(GENE, codes=(replace(GENE.codes[0], ambiguous=True),)),
            "OTHER1": replace(ELSEWHERE, codes=(replace(GENE.codes[0], ambiguous=True),)),
        }), id="ambiguous code"),
        pytest.param(with_advice(dose(factor=(0.0, 0.25))), id="a dose down to nothing"),
        pytest.param(with_use("lab:potassium", states=("Poor Metabolizer", "1.0", "2.0"), testing=model.Testing.NONE),
                     id="a marker with states of its own"),
    ],
)  # fmt: skip
def test_what_is_allowed_is_no_problem(well: Knowledge) -> None:
    assert check(well, PHRASES, date(2026, 6, 1)) == []
