"""The machine-readable side of an answer (docs/extension.md, docs/schema/card-extension.schema.json)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import orjson

from cds_service.codes import RXNORM
from cds_service.effort import go_on
from cds_service.knowledge.schema import Source, Table
from cds_service.memory import remembered_by_identity
from cds_service.model import (
    Advice,
    Alternative,
    Amount,
    Assumption,
    Branch,
    ChangeProbability,
    Conflicting,
    DoseArithmetic,
    DoseChange,
    Finding,
    Gap,
    Indeterminate,
    Known,
    MarkerView,
    Narrowed,
    Option,
    Patient,
    Preliminary,
    Stale,
    TestQuestion,
    Times,
    UsedFact,
    fhir_date,
)
from cds_service.policy import Policy
from cds_service.writing.advice import OptionWords, advice_words, option_words
from cds_service.writing.evidence import trust_of
from cds_service.writing.findings import table_of, tables_of
from cds_service.writing.laboratory import coding_of
from cds_service.writing.text import clean, filled
from cds_service.writing.wording import spaced
from cds_service.writing.words import About, Words

FINDINGS = "org.cds-service.findings"
BASIS = "org.cds-service.basis"
_MOST_GAPS = 200
"""Of the whole request, on each of its cards: what nobody reads would make an answer a thousand times its request."""


def extension(
    findings: Iterable[Finding], patient: Patient, words: Words, policy: Policy, hook: str
) -> dict[str, Any]:
    """Findings and basis of a card, or of a response without cards. Nothing in it is empty."""
    told = tuple(findings)
    basis = basis_json(told, patient, words, policy, hook)
    if not told:
        return {BASIS: basis}
    return {FINDINGS: [finding_json(finding, words) for finding in told], BASIS: basis}


def finding_json(finding: Finding, words: Words) -> dict[str, Any]:
    """One finding as the schema has it."""
    go_on()
    about, tests, table = words.about(finding), finding.tests, table_of(finding, words)
    advice = _advice(finding.advice, words, about) if finding.advice else _NO_ADVICE
    return filled(
        kind=finding.kind.value,
        indicator=finding.indicator.value,
        silent=finding.silent.value,
        order=finding.order.reference,
        drug={**_drug(finding.drug, words), "display": words.drug_of(finding)},
        markers=[_marker(view) for view in finding.markers],
        resultingOrder=finding.resulting.outcome.value,
        options=orjson.loads(advice.options),
        arithmetic=_arithmetic(finding.arithmetic),
        strength=advice.strength,
        gravity=advice.gravity,
        reason=advice.reason,
        tests=tests and [_test(question, about, words) for question in tests],
        alternatives=[_alternative(one, words) for one in finding.alternatives],
        closedMarkers=list(finding.closed_markers),
        preliminary=_preliminary(finding.preliminary, about, words),
        furtherMayAskMore=finding.further_may_ask_more or None,
        hold=finding.hold or None,
        bridge=finding.bridge and _options(finding.bridge, about, words),
        causedBy=finding.caused_by,
        facts=list(finding.facts),
        used=[_used(one) for one in finding.used],
        guidance=table and orjson.loads(_guidance(table, finding.row, finding.quotes)),
        assumptions=[_assumption(one, words) for one in finding.assumptions],
        gaps=[_gap(gap) for gap in finding.gaps],
    )


def basis_json(
    findings: Iterable[Finding], patient: Patient, words: Words, policy: Policy, hook: str
) -> dict[str, Any]:
    """On what the answer rests: versions, what could not be read, and the source attributes of
    45 CFR 170.315(b)(11)(iv)(A) for each source used."""
    told = tuple(findings)
    gaps = [*dict.fromkeys([*patient.gaps, *[gap for finding in told for gap in finding.gaps]])]
    return filled(
        hook=hook,
        **orjson.loads(_versions(policy, words)),
        gaps=[_gap(gap) for gap in gaps[:_MOST_GAPS]],
        gapsLeftOut=len(gaps[_MOST_GAPS:]) or None,
        sourceAttributes=_source_attributes(told, words),
    )


@remembered_by_identity
def _versions(policy: Policy, words: Words) -> bytes:
    return orjson.dumps(
        {
            "knowledge": {"version": words.knowledge.version, "hash": words.knowledge.content_hash},
            "policy": filled(name=policy.name, version=policy.version, hash=policy.content_hash),
        }
    )


def _source_attributes(findings: Iterable[Finding], words: Words) -> list[dict[str, Any]]:
    sources = dict.fromkeys([table.source for table in tables_of(findings, words)])
    each = [{**_attributes(words.knowledge.sources[source], words)} for source in sources]
    return each or [_own_attributes(words)]


@remembered_by_identity
def _attributes(source: Source, words: Words) -> Mapping[str, Any]:
    default = words.wording.catalogue["source_defaults"]
    pmids = "".join(f"; PMID {pmid}" for pmid in source.pmids)
    return MappingProxyType(
        filled(
            source=source.id,
            citation=f"{source.title}, {source.version}; {source.url}{pmids}",
            developer=source.developer,
            funding=source.funding or default["funding"],
            released=source.released or default["released"],
            revised=source.revised or default["revised"],
            **words.wording.catalogue["source_attributes"],
        )
    )


def _own_attributes(words: Words) -> dict[str, Any]:
    """For an answer that no guidance gave."""
    default = words.wording.catalogue["source_defaults"]
    return filled(
        source="cds-service",
        citation=words.wording.say("source_defaults", "own_citation", version=words.knowledge.version),
        developer=words.knowledge.developer,
        **{name: default[name] for name in ("funding", "released", "revised")},
        **words.wording.catalogue["source_attributes"],
    )


@dataclass(frozen=True, slots=True)
class _Advice:
    """What the extension says of an advice."""

    options: bytes = b"[]"
    """As JSON: read anew for each answer, so that no two share a part."""
    strength: str = ""
    gravity: str = ""
    reason: str = ""


_NO_ADVICE = _Advice()


@remembered_by_identity
def _advice(advice: Advice, words: Words, about: About) -> _Advice:
    told = advice_words(advice, words, about)
    options = [_option(option, words) for option in told.options]
    return _Advice(orjson.dumps(options), advice.strength.value, advice.gravity.value, told.reason)


def _preliminary(told: Preliminary | None, about: About, words: Words) -> dict[str, Any]:
    if told is None:
        return {}
    return filled(
        markers=[_marker(view) for view in told.markers],
        resultingOrder=told.resulting.outcome.value,
        options=orjson.loads(_advice(told.advice, words, about).options),
    )


def _drug(drug: str, words: Words) -> dict[str, Any]:
    known = words.knowledge.drugs.get(drug)
    if known is None or not known.rxcui:
        return filled(display=words.drug(drug))
    return {"system": RXNORM, "code": known.rxcui, "display": known.display or known.id}


def _alternative(one: Alternative, words: Words) -> dict[str, Any]:
    return filled(drug=_drug(one.drug, words), refused=one.refused.value, openMarkers=list(one.open_markers))


def _marker(view: MarkerView) -> dict[str, Any]:
    found = view.knowledge
    effective = sorted(view.effective) if view.modified_by else []
    return filled(
        id=view.marker,
        knowledge=type(found).__name__,
        state=found.state if isinstance(found, Known | Stale) else "",
        states=sorted(found.states) if isinstance(found, Narrowed | Indeterminate | Conflicting) else [],
        effectiveState=effective[0] if len(effective) == 1 else "",
        effectiveStates=effective if len(effective) > 1 else [],
        modifiedBy=list(view.modified_by),
        inferred=view.inferred or None,
        readings=[reading.reference for reading in found.readings if reading.reference],
    )


def _options(options: Iterable[Option], about: About, words: Words) -> list[dict[str, Any]]:
    return [_option(option_words(option, words, about), words) for option in options]


def _option(told: OptionWords, words: Words) -> dict[str, Any]:
    option = told.option
    return filled(
        action=option.action.value,
        dose=_dose(option.dose, words) if option.dose else {},
        alternatives=[_drug(drug, words) for drug in option.alternatives],
        alternativeClass=told.alternative_class,
        note=told.note,
        onlyIf=told.only_if,
        joins=option.joins or None,
    )


def _dose(change: DoseChange, words: Words) -> dict[str, Any]:
    return filled(
        phase=change.phase.value,
        factor={"low": change.factor[0], "high": change.factor[1]} if change.factor else {},
        amount=_amount(change.amount),
        cap=_amount(change.cap),
        atMost=_amount(change.at_most),
        direction=change.direction,
        frequency=words.wording.phrase(change.frequency) if change.frequency else "",
        times=_times(change.times),
        appliesAbove=_amount(next(iter(change.applies_above), None)),
    )


def _times(times: Times | None) -> dict[str, Any]:
    return filled(count=times.count, period=times.period, unit=times.unit.value) if times else {}


def _amount(amount: Amount | None) -> dict[str, Any]:
    return filled(value=amount.value, unit=amount.unit) if amount else {}


def _arithmetic(arithmetic: DoseArithmetic | None) -> dict[str, Any]:
    if arithmetic is None:
        return {}
    return filled(
        basis=arithmetic.basis,
        unit=arithmetic.unit,
        old=arithmetic.old,
        factor={"low": arithmetic.factor[0], "high": arithmetic.factor[1]},
        new={"low": arithmetic.new[0], "high": arithmetic.new[1]},
        atMost=arithmetic.at_most,
        assumesUsual=arithmetic.assumes_usual or None,
    )


def _test(question: TestQuestion, about: About, words: Words) -> dict[str, Any]:
    test, chance = words.knowledge.tests.get(question.test), question.probability
    days = question.turnaround_days
    return filled(
        id=question.test,
        markers=[question.marker],
        codes=[coding_of(coding) for coding in test.codes] if test else [],
        turnaroundDays={"low": days[0], "high": days[1]} if days else {},
        changeProbability=_chance(chance, words) if chance else {},
        outcomes=[_outcome(branch, about, words) for branch in question.branches],
        offered=question.order_it,
        specimen=words.wording.phrase(question.specimen) if question.specimen else "",
        relative=question.relative.reference if question.relative else "",
    )


def _chance(chance: ChangeProbability, words: Words) -> dict[str, Any]:
    shares = {**_range(chance.low, chance.high), "populations": chance.populations}
    return shares | filled(condition=words.condition(chance.condition))


def _range(low: float, high: float) -> dict[str, float]:
    return {"low": _four_figures(low), "high": _four_figures(high)}


def _four_figures(share: float) -> float:
    """More than any study of frequencies gives. The last ones of a sum depend on the version of Python.

    >>> _four_figures(0.20576588468230636)
    0.2058
    """
    return float(f"{share:.4g}")


def _outcome(branch: Branch, about: About, words: Words) -> dict[str, Any]:
    advice = _advice(branch.advice, words, about)
    return filled(
        states=list(branch.states),
        given=[{"marker": marker, "states": list(states)} for marker, states in branch.given],
        resultingOrder=branch.resulting.outcome.value,
        options=orjson.loads(advice.options),
        strength=advice.strength,
        gravity=advice.gravity,
        probability=_range(*branch.probability) if branch.probability else {},
    )


@remembered_by_identity
def _guidance(table: Table, row: str, quotes: tuple[str, ...]) -> bytes:
    return orjson.dumps(
        filled(
            id=table.id,
            row=row,
            version=table.version,
            source=table.source,
            trust=trust_of(table, row).value,
            review=_review(table),
            differs=list(quotes),
        )
    )


def _review(table: Table) -> dict[str, Any]:
    if not table.review.by:
        return {"state": "unreviewed"}
    on = table.review.on.isoformat() if table.review.on else ""
    return filled(state="reviewed", by=table.review.by, on=on)


def _assumption(one: Assumption, words: Words) -> dict[str, Any]:
    return filled(fact=one.fact, assumed=words.wording.phrase(one.assumed), table=one.table)


def _used(one: UsedFact) -> dict[str, Any]:
    return filled(
        fact=one.fact,
        name=clean(one.name),
        value=one.value,
        atMost=one.at_most,
        date=fhir_date(one.on) if one.on else "",
        reference=one.reference,
    )


def _gap(gap: Gap) -> dict[str, Any]:
    return filled(
        about=clean(gap.about) or spaced(gap.reason),
        reason=gap.reason.value,
        detail=clean(gap.detail, 200),
        query=gap.query.value if gap.query else "",
    )
