"""Prove that the knowledge is whole: nothing that it names is missing, nothing contradicts itself.

Pure: the knowledge as loaded, the phrases of the cards and, where given, the day of the check.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from itertools import combinations, pairwise

from cds_service.knowledge.base import Knowledge
from cds_service.knowledge.checks.codes import code_problems, frequency_problems, gene_problems, states_named
from cds_service.knowledge.checks.observables import observable_problems
from cds_service.knowledge.checks.rows import option_problems, row_problems
from cds_service.knowledge.checks.spoilers import spoiler_problems
from cds_service.knowledge.schema import Fact, MarkerUse, Predicate, Source, Table
from cds_service.model import Option, Testing, tested_as

_PHRASE_FIELDS = frozenset(
    {"reason", "note", "label", "only_if", "alternative_class", "frequency", "say", "specimen"}
)
_NUMBERS = frozenset({Fact.AGE, Fact.WEIGHT, Fact.EXPOSURE, Fact.DAILY_DOSE, Fact.DAILY_DOSE_PER_KG})
_CONDITIONS = frozenset({Fact.INDICATION, Fact.CONDITION, Fact.FAMILY_HISTORY, Fact.MOTHERS_LINE})
_LIFELONG = frozenset({"gene", "hla", "genotype"})
"""Kinds of markers whose states stand with the gene or the HLA marker."""
_SEXES = frozenset({"male", "female"})
_NOT_STATED = "not stated"
"""Of a date that the source does not give."""
_LONGEST_REASON = 110
"""Characters; a card is read in ten seconds."""


def check(knowledge: Knowledge, phrases: Mapping[str, str] | None = None, today: date | None = None) -> list[str]:
    """The problems of the knowledge, a line each; empty when it is whole.

    `phrases` maps phrase keys to texts: without it phrases are not checked. `today` lets dates in the future be
    found.
    """
    problems = [
        *_table_problems(knowledge),
        *_same_tables(knowledge),
        *_predicate_problems(knowledge),
        *_drug_problems(knowledge),
        *_source_problems(knowledge),
        *_marker_problems(knowledge),
        *_condition_problems(knowledge),
        *(problem for gene in knowledge.genes.values() for problem in gene_problems(gene)),
        *code_problems(knowledge),
        *observable_problems(knowledge),
        *spoiler_problems(knowledge),
        *frequency_problems(knowledge),
        *(problem for source in knowledge.sources.values() for problem in _date_problems(source, today)),
        *_review_problems(knowledge),
        *(_phrase_problems(knowledge, phrases) if phrases is not None else ()),
    ]
    return list(dict.fromkeys(problems))


def _table_problems(knowledge: Knowledge) -> Iterator[str]:
    for table in knowledge.tables.values():
        if not table.rows:
            yield f"table {table.id}: no rows"
        yield from row_problems(table, knowledge.genes, knowledge.sources)
        for marker, use in table.markers.items():
            for problem in _use_problems(marker, use, knowledge):
                yield f"table {table.id}: {marker}: {problem}"


def _use_problems(marker: str, use: MarkerUse, knowledge: Knowledge) -> Iterator[str]:
    kind, tested = marker.partition(":")[0], tested_as(marker)
    if kind in _LIFELONG and not states_named(tested, knowledge):
        yield "no such gene or HLA marker"
    if kind not in ("gene", "hla") and not (use.states or use.bands or use.variants):
        yield "the marker needs the states that the table tells apart"
    observable = knowledge.observables.get(marker)
    if use.bands and observable is not None and use.unit != observable.unit:
        yield f"bands in {use.unit}, values in {observable.unit}: no value would ever be read"
    asked = use.testing is not Testing.NONE or bool(use.required_when)
    if asked and not any(tested in test.markers for test in knowledge.tests.values()):
        yield "testing is asked for and no test answers the marker"
    if use.testing is Testing.IF_RISK and not use.risks:
        yield "testing is if_risk and no risk is named: it would never be asked for"
    for option in use.bridge:
        yield from option_problems(option)


def _same_tables(knowledge: Knowledge) -> Iterator[str]:
    """Two tables of one drug that would always speak together for the same markers, from one source."""
    for one, other in combinations(knowledge.tables.values(), 2):
        drugs = sorted(set(one.drugs) & set(other.drugs))
        if drugs and _speak_alike(one, other):
            told = ", ".join(drugs)
            yield f"tables {one.id} and {other.id} have the same markers, population and source for {told}"


def _speak_alike(one: Table, other: Table) -> bool:
    routes = {*one.routes} & {*other.routes} or "any" in (*one.routes, *other.routes)
    return (
        bool(routes)
        and one.source == other.source
        and set(one.markers) == set(other.markers)
        and one.population.fits == other.population.fits
    )


def _predicate_problems(knowledge: Knowledge) -> Iterator[str]:
    for table in knowledge.tables.values():
        asked = [*table.population.fits]
        for use in table.markers.values():
            asked += [*use.risks, *use.required_when]
        for predicate in asked:
            yield from (f"table {table.id}: {problem}" for problem in _asked(predicate, knowledge))


def _asked(predicate: Predicate, knowledge: Knowledge) -> Iterator[str]:
    forms = sum(map(bool, (predicate.fact, predicate.all, predicate.any, predicate.none)))
    if forms != 1:
        yield f"a predicate has exactly one of fact, all, any, none; found {forms}"
    for part in (*predicate.all, *predicate.any, *predicate.none):
        yield from _asked(part, knowledge)
    if predicate.fact is not None:
        yield from _fact_problems(predicate.fact, predicate, knowledge)


def _fact_problems(fact: Fact, predicate: Predicate, knowledge: Knowledge) -> Iterator[str]:
    limits = (predicate.below, predicate.at_least, predicate.above, predicate.at_most)
    if fact is Fact.AGE and predicate.when_unknown is False:
        yield "age: everybody has one; with `when_unknown: false` it would be passed over where it is not known"
    limited = any(limit is not None for limit in limits)
    if fact in _NUMBERS:
        if predicate.is_in or not limited:
            yield f"{fact.value}: expected a limit (below, at_least, above, at_most) and no is_in"
        return
    if limited or not predicate.is_in:
        yield f"{fact.value}: expected is_in and no limit"
    known = _keys_of(fact, knowledge)
    unknown = () if known is None else (key for key in predicate.is_in if key not in known)
    yield from (f"{fact.value}: {key!r} is not known" for key in unknown)


def _keys_of(fact: Fact, knowledge: Knowledge) -> frozenset[str] | None:
    """What a predicate about the fact may name; None where any word will do."""
    if fact in _CONDITIONS:
        return frozenset(knowledge.conditions)
    if fact is Fact.REACTION:
        return frozenset(knowledge.conditions) | knowledge.drugs.keys()
    if fact is Fact.COMEDICATION:
        return frozenset(knowledge.groups) | knowledge.drugs.keys()
    return _SEXES if fact is Fact.SEX else None


def _drug_problems(knowledge: Knowledge) -> Iterator[str]:
    for where, drugs in _named_drugs(knowledge):
        yield from (f"{where}: drug {drug!r} is not known" for drug in drugs if drug not in knowledge.drugs)
    for table in knowledge.tables.values():
        for where, option in _options(table):
            if option.under_way_with not in ("", *knowledge.groups):
                yield f"{where}: group {option.under_way_with!r} is not known"


def _named_drugs(knowledge: Knowledge) -> Iterator[tuple[str, tuple[str, ...]]]:
    for table in knowledge.tables.values():
        yield f"table {table.id}", table.drugs
        for where, option in _options(table):
            yield where, option.alternatives
    yield "parts.tsv", tuple(knowledge.parts_mg)
    yield from ((f"group {group.id}", group.drugs) for group in knowledge.groups.values())
    yield from ((f"modulator of {modulator.enzyme}", (modulator.drug,)) for modulator in knowledge.modulators)
    yield from ((f"modifier {modifier.id}", modifier.guideline_drugs) for modifier in knowledge.modifiers)


def _options(table: Table) -> Iterator[tuple[str, Option]]:
    for row in table.rows:
        yield from ((f"table {table.id}/{row.id}", option) for option in row.advice.options)
    for marker, use in table.markers.items():
        yield from ((f"table {table.id}: {marker}: bridge", option) for option in use.bridge)


def _source_problems(knowledge: Knowledge) -> Iterator[str]:
    for where, source in _cited(knowledge):
        if source not in knowledge.sources:
            yield f"{where}: source {source!r} does not exist" if source else f"{where}: no source is cited"


def _cited(knowledge: Knowledge) -> Iterator[tuple[str, str]]:
    for table in knowledge.tables.values():
        yield f"table {table.id}", table.source
        for marker, use in table.markers.items():
            if use.testing_source or use.testing is not Testing.NONE:
                yield f"table {table.id}: {marker}: testing", use.testing_source
    for gene in knowledge.genes.values():
        yield f"gene {gene.symbol}", gene.source
        yield from ((f"gene {gene.symbol}: code {code.code}", code.source) for code in gene.codes)
    for hla in knowledge.hla.values():
        yield hla.marker, hla.source
        yield from ((f"{hla.marker}: code {code.code}", code.source) for code in hla.codes)
    yield from ((f"test {test.id}", test.source) for test in knowledge.tests.values())
    for observable in knowledge.observables.values():
        yield f"observable {observable.id}", observable.source
        codes = (code for code in (*observable.codes, *observable.listed) if code.source)
        yield from ((f"observable {observable.id}: code {code.code}", code.source) for code in codes)
    wholes = (o for o in knowledge.observables.values() if o.whole_where)
    yield from ((f"observable {o.id}: whole_where", o.whole_source) for o in wholes)
    standing = (o for o in knowledge.observables.values() if o.stands_for_days)
    yield from ((f"observable {o.id}: stands_for_days", o.stands_source) for o in standing)
    yield from ((f"condition {condition.id}", condition.source) for condition in knowledge.conditions.values())
    yield from ((f"group {group.id}", group.source) for group in knowledge.groups.values())
    yield from ((f"modifier {modifier.id}", modifier.source) for modifier in knowledge.modifiers)
    yield from ((f"spoiler {spoiler.id}", spoiler.source) for spoiler in knowledge.spoilers)
    for fault in knowledge.sample_faults.values():
        named = (*fault.raises.values(), *fault.lowers.values())
        yield from ((f"sample fault {fault.id}", source) for source in named)
    yield from ((f"family prior {prior.id}", prior.source) for prior in knowledge.family_priors)
    yield from ((f"modulator {m.drug} of {m.enzyme}", m.source) for m in knowledge.modulators)
    yield from ((f"frequency {f.marker} {f.state} ({f.population})", f.source) for f in knowledge.frequencies)


def _marker_problems(knowledge: Knowledge) -> Iterator[str]:
    """Markers of tests and modifiers."""
    for test in knowledge.tests.values():
        for marker in test.markers:
            states = states_named(marker, knowledge)
            if not states and marker.partition(":")[0] in _LIFELONG:
                yield f"test {test.id}: {marker} is no gene or HLA marker that is known"
            told = {state for group in test.splits.get(marker, ()) for state in group}
            if states:
                yield from (f"test {test.id}: {marker} has no state {state!r}" for state in sorted(told - states))
    for modifier in knowledge.modifiers:
        if not states_named(modifier.marker, knowledge):
            yield f"modifier {modifier.id}: {modifier.marker} is no gene or HLA marker that is known"


def _condition_problems(knowledge: Knowledge) -> Iterator[str]:
    """Condition keys that others include or genes are told by, and observables by which they change."""
    for gene in knowledge.genes.values():
        for key in sorted(gene.listed.keys() - knowledge.conditions.keys()):
            yield f"gene {gene.symbol}: told by {key!r}, which is no condition that is known"
    for condition in knowledge.conditions.values():
        if condition.change is not None and condition.change.observable not in knowledge.observables:
            yield f"condition {condition.id}: changes with {condition.change.observable!r}, which is not known"
        for key in condition.includes:
            if key not in knowledge.conditions:
                yield f"condition {condition.id}: includes {key!r}, which is not known"


def _date_problems(source: Source, today: date | None) -> Iterator[str]:
    where = f"source {source.id}"
    told = [(name, text) for name, text in _dates(source) if text != _NOT_STATED]
    for name, text in told:
        if not _is_date(text):
            yield f"{where}: {name} {text!r}; expected a year, year-month or date from 1950, or {_NOT_STATED!r}"
    for (earlier, one), (later, other) in pairwise(told):
        if one[: len(other)] > other[: len(one)]:
            yield f"{where}: {later} {other} before it was {earlier} {one}"
    if today is not None and source.checked > today:
        yield f"{where}: checked {source.checked}, in the future"


def _dates(source: Source) -> tuple[tuple[str, str], ...]:
    """What happened to the source, in the order in which it must have happened."""
    checked = source.checked.isoformat()
    return ("released", source.released), ("revised", source.revised), ("checked", checked)


def _is_date(text: str) -> bool:
    if not re.fullmatch(r"\d{4}(-\d{2}(-\d{2})?)?", text):
        return False
    try:
        return date.fromisoformat((text + "-01-01")[:10]).year >= 1950
    except ValueError:
        return False


def _review_problems(knowledge: Knowledge) -> Iterator[str]:
    for table in knowledge.tables.values():
        if bool(table.review.by) != (table.review.on is not None):
            yield f"table {table.id}: a review has both a name and a date"


def _phrase_problems(knowledge: Knowledge, phrases: Mapping[str, str]) -> Iterator[str]:
    entries = {
        "table": knowledge.tables,
        "test": knowledge.tests,
        "condition": knowledge.conditions,
        "spoiler": {spoiler.id: spoiler for spoiler in knowledge.spoilers},
        "sample fault": knowledge.sample_faults,
    }
    for kind, by_id in entries.items():
        for name, entry in by_id.items():
            for field, key in _phrase_keys(entry):
                yield from (f"{kind} {name}: {problem}" for problem in _phrase_of(field, key, phrases))


def _phrase_of(field: str, key: str, phrases: Mapping[str, str]) -> Iterator[str]:
    text = phrases.get(key)
    if text is None:
        yield f"phrase {key!r} has no text"
    elif field == "reason" and len(text) > _LONGEST_REASON:
        yield f"reason {key!r} has {len(text)} characters; expected at most {_LONGEST_REASON}"
    elif field == "only_if" and not text.startswith("if "):
        yield f"condition {key!r} begins {text[:20]!r}; expected a text that begins with if"


def _phrase_keys(value: object) -> Iterator[tuple[str, str]]:
    """Field and key of every phrase that an entry names, at any depth."""
    if isinstance(value, Mapping):
        value = tuple(value.values())
    if isinstance(value, tuple):
        for part in value:
            yield from _phrase_keys(part)
    elif is_dataclass(value):
        for field in fields(value):
            content = getattr(value, field.name)
            if field.name in _PHRASE_FIELDS and isinstance(content, str) and content:
                yield field.name, content
            else:
                yield from _phrase_keys(content)
