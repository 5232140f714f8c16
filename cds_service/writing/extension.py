"""The machine-readable side of an answer (docs/extension.md, docs/schema/card-extension.schema.json)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cds_service.codes import RXNORM
from cds_service.knowledge.schema import Table
from cds_service.model import (
    Amount,
    Assumption,
    Branch,
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
    Stale,
    TestQuestion,
)
from cds_service.policy import Policy
from cds_service.writing.laboratory import coding_of
from cds_service.writing.text import clean, without_empties
from cds_service.writing.views import reason_of, table_of, trust_of
from cds_service.writing.wording import spaced
from cds_service.writing.words import About, Words

FINDINGS = "org.cds-service.findings"
BASIS = "org.cds-service.basis"


def extension(
    findings: Iterable[Finding], patient: Patient, words: Words, policy: Policy, hook: str
) -> dict[str, Any]:
    """Findings and basis of a card, or of a response without cards. Nothing in it is empty."""
    told = tuple(findings)
    whole = {
        FINDINGS: [finding_json(finding, words) for finding in told],
        BASIS: basis_json(told, patient, words, policy, hook),
    }
    cleaned: dict[str, Any] = without_empties(whole)
    return cleaned


def finding_json(finding: Finding, words: Words) -> dict[str, Any]:
    """One finding as the schema has it; empty members are left to the caller to drop."""
    advice, resulting, about = finding.advice, finding.resulting, words.about(finding)
    return {
        "kind": finding.kind.value,
        "indicator": finding.indicator.value,
        "silent": finding.silent,
        "order": finding.order.reference,
        "drug": {**_drug(finding.drug, words), "display": words.drug_of(finding)},
        "markers": [_marker(view) for view in finding.markers],
        "resultingOrder": resulting.outcome.value,
        "options": [_option(option, about, words) for option in (advice.options if advice else ())],
        "arithmetic": _arithmetic(finding.arithmetic),
        "strength": advice.strength.value if advice else "",
        "gravity": advice.gravity.value if advice else "",
        "reason": reason_of(advice, finding, words),
        "tests": [_test(question, about, words) for question in finding.tests],
        "alternatives": [
            {"drug": _drug(one.drug, words), "refused": one.refused, "openMarkers": list(one.open_markers)}
            for one in finding.alternatives
        ],
        "closedMarkers": list(finding.closed_markers),
        "furtherMayAskMore": True if finding.further_may_ask_more else None,
        "hold": True if finding.hold else None,
        "bridge": [_option(option, about, words) for option in finding.bridge],
        "causedBy": finding.caused_by,
        "facts": list(finding.facts),
        "guidance": _guidance(finding, words),
        "assumptions": [_assumption(one, words) for one in finding.assumptions],
        "gaps": [_gap(gap) for gap in finding.gaps],
    }


def basis_json(
    findings: Iterable[Finding], patient: Patient, words: Words, policy: Policy, hook: str
) -> dict[str, Any]:
    """On what the answer rests: versions, what could not be read, and the source attributes of
    45 CFR 170.315(b)(11)(iv)(A) for each source used."""
    told = tuple(findings)
    gaps = dict.fromkeys((*patient.gaps, *(gap for finding in told for gap in finding.gaps)))
    return {
        "hook": hook,
        "knowledge": {"version": words.knowledge.version, "hash": words.knowledge.content_hash},
        "policy": {"name": policy.name, "version": policy.version, "hash": policy.content_hash},
        "gaps": [_gap(gap) for gap in gaps],
        "sourceAttributes": _source_attributes(told, words),
    }


def _source_attributes(findings: Iterable[Finding], words: Words) -> list[dict[str, Any]]:
    tables = filter(None, (table_of(finding, words) for finding in findings))
    sources = list(dict.fromkeys(table.source for table in tables))
    return [_attributes(source, words) for source in sources] or [_own_attributes(words)]


def _attributes(source_id: str, words: Words) -> dict[str, Any]:
    source, default = words.knowledge.sources[source_id], words.wording.catalogue["source_defaults"]
    pmids = "".join(f"; PMID {pmid}" for pmid in source.pmids)
    return {
        "source": source.id,
        "citation": f"{source.title}, {source.version}; {source.url}{pmids}",
        "developer": source.developer,
        "funding": source.funding or default["funding"],
        "released": source.released or default["released"],
        "revised": source.revised or default["revised"],
        **words.wording.catalogue["source_attributes"],
    }


def _own_attributes(words: Words) -> dict[str, Any]:
    """For an answer that no guidance gave."""
    default = words.wording.catalogue["source_defaults"]
    return {
        "source": "cds-service",
        "citation": words.wording.say("source_defaults", "own_citation", version=words.knowledge.version),
        "developer": words.knowledge.developer,
        **{name: default[name] for name in ("funding", "released", "revised")},
        **words.wording.catalogue["source_attributes"],
    }


# --- parts of a finding -------------------------------------------------------------------------------------------


def _drug(drug: str, words: Words) -> dict[str, Any]:
    known = words.knowledge.drugs.get(drug)
    coding = {"system": RXNORM, "code": known.rxcui} if known and known.rxcui else {}
    return {**coding, "display": words.drug(drug)}


def _marker(view: MarkerView) -> dict[str, Any]:
    found = view.knowledge
    states = sorted(found.states) if isinstance(found, Narrowed | Indeterminate | Conflicting) else []
    effective = sorted(view.effective) if view.modified_by else []
    return {
        "id": view.marker,
        "knowledge": type(found).__name__,
        "state": found.state if isinstance(found, Known | Stale) else "",
        "states": states,
        "effectiveState": effective[0] if len(effective) == 1 else "",
        "effectiveStates": effective if len(effective) > 1 else [],
        "modifiedBy": list(view.modified_by),
        "inferred": True if view.inferred else None,
        "readings": [reading.reference for reading in found.readings],
    }


def _option(option: Option, about: About, words: Words) -> dict[str, Any]:
    def phrase(key: str) -> str:
        return words.wording.phrase(key, **about.names()) if key else ""

    return {
        "action": option.action.value,
        "dose": _dose(option.dose, words) if option.dose else {},
        "alternatives": [_drug(drug, words) for drug in option.alternatives],
        "alternativeClass": phrase(option.alternative_class),
        "note": phrase(option.note),
        "onlyIf": phrase(option.only_if),
    }


def _dose(change: DoseChange, words: Words) -> dict[str, Any]:
    return {
        "phase": change.phase.value,
        "factor": {"low": change.factor[0], "high": change.factor[1]} if change.factor else {},
        "amount": _amount(change.amount),
        "cap": _amount(change.cap),
        "direction": change.direction,
        "frequency": words.wording.phrase(change.frequency) if change.frequency else "",
        "appliesAbove": _amount(change.applies_above),
    }


def _amount(amount: Amount | None) -> dict[str, Any]:
    return {"value": amount.value, "unit": amount.unit} if amount else {}


def _arithmetic(arithmetic: DoseArithmetic | None) -> dict[str, Any]:
    if arithmetic is None:
        return {}
    return {
        "basis": arithmetic.basis,
        "unit": arithmetic.unit,
        "old": arithmetic.old,
        "factor": {"low": arithmetic.factor[0], "high": arithmetic.factor[1]},
        "new": {"low": arithmetic.new[0], "high": arithmetic.new[1]},
    }


def _test(question: TestQuestion, about: About, words: Words) -> dict[str, Any]:
    test, chance = words.knowledge.tests.get(question.test), question.probability
    days = test.turnaround_days if test else None
    return {
        "id": question.test,
        "markers": [question.marker],
        "codes": [coding_of(coding) for coding in test.codes] if test else [],
        "turnaroundDays": {"low": days[0], "high": days[1]} if days else {},
        "changeProbability": {"low": chance.low, "high": chance.high, "populations": chance.populations}
        if chance
        else {},
        "outcomes": [_outcome(branch, about, words) for branch in question.branches],
        "offered": question.order_it,
        "specimen": words.wording.phrase(question.specimen) if question.specimen else "",
        "relative": question.relative.reference if question.relative else "",
    }


def _outcome(branch: Branch, about: About, words: Words) -> dict[str, Any]:
    return {
        "states": list(branch.states),
        "resultingOrder": branch.resulting.outcome.value,
        "options": [_option(option, about, words) for option in branch.advice.options],
        "strength": branch.advice.strength.value,
        "gravity": branch.advice.gravity.value,
        "probability": {"low": branch.probability[0], "high": branch.probability[1]} if branch.probability else {},
    }


def _guidance(finding: Finding, words: Words) -> dict[str, Any]:
    table = table_of(finding, words)
    if table is None:
        return {}
    return {
        "id": table.id,
        "row": finding.row,
        "version": table.version,
        "source": table.source,
        "trust": trust_of(finding, table).value,
        "review": _review(table),
        "differs": list(finding.quotes),
    }


def _review(table: Table) -> dict[str, Any]:
    if not table.review.by:
        return {"state": "unreviewed"}
    return {
        "state": "reviewed",
        "by": table.review.by,
        "on": table.review.on.isoformat() if table.review.on else "",
    }


def _assumption(one: Assumption, words: Words) -> dict[str, Any]:
    return {"fact": one.fact, "assumed": words.wording.phrase(one.assumed), "table": one.table}


def _gap(gap: Gap) -> dict[str, Any]:
    about = clean(gap.about) or spaced(gap.reason)
    return {
        "about": about,
        "reason": gap.reason,
        "detail": clean(gap.detail, 200),
        "query": gap.query.value if gap.query else "",
    }
