"""A finding as the plain words that the templates arrange."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cds_service.knowledge.schema import MarkerUse, Source, Table
from cds_service.model import (
    Action,
    Advice,
    Alternative,
    Branch,
    Finding,
    Gravity,
    Outcome,
    Testing,
    TestQuestion,
    Timing,
    Trust,
)
from cds_service.writing.provenance import known_of, modifiers_of, result_of
from cds_service.writing.text import clean, sentence
from cds_service.writing.words import Words

OUTCOMES_SHOWN = 4
_SEVERITY = list(Outcome)
_BESIDE = frozenset({Action.MONITOR, Action.COUNSEL})
"""What is done beside the preferred option; other options are done instead of it."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a finding's words need to know of the other orders.

    `names`: order reference -> drug name; `elsewhere`: (marker, test) -> name of the order whose card offers it.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    elsewhere: Mapping[tuple[str, str], str] = field(default_factory=dict)
    in_review: bool = False
    """Every medicine on the card is taken now: it need not be said of each."""
    seen: dict[int, tuple[Finding, Mapping[str, object]]] = field(default_factory=dict, repr=False, compare=False)
    """What was worked out for findings of these surroundings, by their identity: summary and detail show the same.
    """


def view_of(finding: Finding, words: Words, around: Surroundings) -> Mapping[str, object]:
    """The variables of the templates for one finding."""
    known = around.seen.get(id(finding))
    if known is None:
        view = {**_subject(finding, words, around), **_advice(finding, words), **_tests(finding, words, around)}
        known = around.seen[id(finding)] = (finding, view)
    return known[1]


def table_of(finding: Finding, words: Words) -> Table | None:
    """The table that gave the finding, where it has one."""
    return words.knowledge.tables.get(finding.table)


def _subject(finding: Finding, words: Words, around: Surroundings) -> dict[str, object]:
    order, wording = finding.order, words.wording
    table = table_of(finding, words)
    cause = around.names.get(finding.caused_by, wording.say("causes", "unknown")) if finding.caused_by else ""
    drug = words.drug_of(finding)
    return {
        "drug": wording.say("names", "taken", name=drug) if order.active and not around.in_review else drug,
        "order": clean(order.name),
        "dose": clean(order.dose.text) if order.dose else "",
        "active": order.active,
        "cause": cause,
        "topic": wording.phrase(table.label) if table and table.label else "",
        "results": wording.any_of(list(filter(None, (result_of(view, words) for view in finding.markers)))),
        "marker_names": words.markers(_asked_markers(finding)),
        "why": [known_of(view, words) for view in finding.markers],
        "modifiers": list(filter(None, (modifiers_of(view, words) for view in finding.markers))),
        "assumptions": list(dict.fromkeys(wording.phrase(one.assumed, drug=drug) for one in finding.assumptions)),
        "gaps": wording.any_of(list(dict.fromkeys(words.gap(gap, order.reference) for gap in finding.gaps))),
        "closed": words.markers(finding.closed_markers, "or"),
        "further": finding.further_may_ask_more,
    }


def _asked_markers(finding: Finding) -> list[str]:
    return [test.marker for test in finding.tests] or [view.marker for view in finding.markers]


def _advice(finding: Finding, words: Words) -> dict[str, object]:
    options = finding.advice.options if finding.advice else ()
    outcome, about = finding.resulting.outcome, words.about(finding)
    offered = [_offered(one, words) for one in finding.alternatives if not one.refused]
    refused = [_refused(one, words) for one in finding.alternatives if one.refused]
    factor = options[0].dose.factor if options and options[0].dose else None
    return {
        "action": action_of(finding, words),
        "act": words.act(options[0]) if options else words.wording.say("outcomes", outcome),
        "options": [words.option(option, about) for option in options[1:] if option.action not in _BESIDE],
        "also": [words.option(option, about) for option in options[1:] if option.action in _BESIDE],
        "reason": reason_of(finding.advice, finding, words),
        "arithmetic": words.arithmetic(finding.arithmetic) if finding.arithmetic else "",
        "dose_needed": bool(factor) and finding.arithmetic is None,
        "departs": outcome not in (Outcome.AS_DRAFTED, Outcome.WAIT),
        "waits": outcome is Outcome.WAIT,
        "hold": finding.hold,
        "bridge": words.wording.any_of([words.option(option, about) for option in finding.bridge], "or"),
        "offered": words.wording.any_of(offered, "or"),
        "refused": words.wording.any_of(refused),
    }


def reason_of(advice: Advice | None, finding: Finding, words: Words) -> str:
    """The sentence that says why, its placeholders filled; "" without one."""
    if advice is None or not advice.reason:
        return ""
    return sentence(words.wording.phrase(advice.reason, **words.about(finding).names()))


def action_of(finding: Finding, words: Words) -> str:
    """The preferred option now; without advice, the resulting order."""
    if finding.advice and finding.advice.options:
        return words.option(finding.advice.options[0], words.about(finding))
    return words.wording.say("outcomes", finding.resulting.outcome)


def _offered(alternative: Alternative, words: Words) -> str:
    drug = words.drug(alternative.drug)
    if not alternative.open_markers:
        return drug
    return words.wording.say("alternatives", "open", drug=drug, markers=words.markers(alternative.open_markers))


def _refused(alternative: Alternative, words: Words) -> str:
    reason = words.wording.say("refusals", alternative.refused)
    return words.wording.say("alternatives", "refused", drug=words.drug(alternative.drug), reason=reason)


# --- tests ---------------------------------------------------------------------------------------------------


def _tests(finding: Finding, words: Words, around: Surroundings) -> dict[str, object]:
    rows = [_outcomes(question, finding, words) for question in finding.tests]
    level, asked = _testing(finding, words)
    return {
        "tests": [
            {
                "name": words.test(question),
                "outcomes": [*outcomes[:3], *outcomes[3:][-1:]],
                "rest": outcomes[3:-1],
                "probability": words.probability(question.probability),
                "relative": _relative(question, words),
                "specimen": words.wording.phrase(question.specimen) if question.specimen else "",
                "elsewhere": around.elsewhere.get((question.marker, question.test), ""),
            }
            for question, outcomes in zip(finding.tests, rows, strict=True)
        ],
        "test_names": words.wording.any_of(list(dict.fromkeys(map(words.test, finding.tests)))),
        "worst": next((of_test[0] for of_test in rows if of_test), None),
        "asked": words.wording.say("testing", level, markers=asked),
        "need": _need(finding, level, asked, words),
        "urgent": _is_urgent(finding, words),
    }


def _relative(question: TestQuestion, words: Words) -> str:
    """The relative and the condition that make a change likelier; "" without one."""
    told = question.relative
    if told is None:
        return ""
    who = clean(told.relationship, 30) or words.wording.say("family", "relative")
    return words.wording.say("family", "condition", relative=who, condition=clean(told.text, 60))


def _need(finding: Finding, level: Testing, asked: str, words: Words) -> str:
    again = [question for question in finding.tests if question.due_days is not None]
    if again:
        return words.wording.say("needs", "recheck", tests=words.wording.any_of(list(map(words.test, again))))
    return words.wording.say("needs", level, markers=asked)


def _testing(finding: Finding, words: Words) -> tuple[Testing, str]:
    """The most that labelling says of a test asked for, and the markers of which it says so."""
    table = table_of(finding, words)
    uses = table.markers if table else {}
    levels = {marker: _level(uses.get(marker, MarkerUse())) for marker in _asked_markers(finding)}
    most = next((level for level in Testing if level in levels.values()), Testing.NONE)
    return most, words.markers(marker for marker, level in levels.items() if level is most)


def _is_urgent(finding: Finding, words: Words) -> bool:
    """A drug that cannot wait, asked about while its test runs."""
    table = table_of(finding, words)
    uses = [table.markers[q.marker] for q in finding.tests if q.marker in table.markers] if table else []
    return any(use.urgent and use.timing is Timing.PARALLEL for use in uses)


def _level(use: MarkerUse) -> Testing:
    return Testing.REQUIRED if use.required_when else use.testing


def _outcomes(question: TestQuestion, finding: Finding, words: Words) -> list[dict[str, str]]:
    """Outcomes with one resulting order, avoided for one kind of harm, as one row, the gravest first."""
    rows: dict[tuple[str, str], list[Branch]] = {}
    about, now = words.about(finding), action_of(finding, words)
    departs = finding.resulting.outcome is not Outcome.AS_DRAFTED
    for branch in sorted(question.branches, key=_gravest_first):
        rows.setdefault((words.resulting(branch, about), words.harm(branch)), []).append(branch)
    return [
        {
            "states": words.states(question.marker, (state for branch in branches for state in branch.states)),
            "probability": words.branch_probability(_sum(branches)),
            "order": words.wording.say("outcomes", "as_advised") if departs and order == now else order,
            "harm": harm,
        }
        for (order, harm), branches in rows.items()
    ]


def _gravest_first(branch: Branch) -> tuple[int, int]:
    return -_SEVERITY.index(branch.resulting.outcome), list(Gravity).index(branch.advice.gravity)


def _sum(branches: list[Branch]) -> tuple[float, float] | None:
    pairs = [branch.probability for branch in branches if branch.probability]
    if len(pairs) < len(branches):
        return None
    return min(1.0, sum(low for low, _ in pairs)), min(1.0, sum(high for _, high in pairs))


# --- evidence ------------------------------------------------------------------------------------------------


def _year(source: Source) -> str:
    """The year of the revision, else of the release; empty where neither is dated."""
    dated = (text[:4] for text in (source.revised, source.released) if text[:4].isdigit())
    return next(dated, "")


def evidence_of(finding: Finding, words: Words, *, review_note: bool) -> dict[str, object] | None:
    """The guidance behind a finding in plain words, with source, trust and review; None without a table."""
    table = table_of(finding, words)
    if table is None:
        return None
    wording, (advice, states) = words.wording, _leading_advice(finding, words)
    options = [words.option(option, words.about(finding)) for option in advice.options] if advice else []
    told = wording.catalogue["lists"]["semicolon"].join(options) or _topic(finding, words)
    return {
        "about": wording.phrase(table.label) if table.label else words.drug_of(finding),
        "advice": wording.say("evidence", "by_result", states=states, advice=told) if states else told,
        "strength": wording.say("strengths", advice.strength if advice else "none"),
        **source_words(table.source, words),
        "trust": words.wording.say("trusts", trust_of(finding, table)),
        "review": _review(table, words) if review_note or table.review.by else "",
        "quotes": [source_words(words.knowledge.tables[one].source, words) for one in finding.quotes],
    }


def _leading_advice(finding: Finding, words: Words) -> tuple[Advice | None, str]:
    """The advice now; where that is none, or as drafted with a test open, the gravest outcome's with its states."""
    branches = [(test.marker, branch) for test in finding.tests for branch in test.branches]
    if branches and (not finding.advice or finding.resulting.outcome in (Outcome.AS_DRAFTED, Outcome.WAIT)):
        marker, worst = max(branches, key=lambda pair: _SEVERITY.index(pair[1].resulting.outcome))
        return worst.advice, f"{words.marker(marker)} {words.states(marker, worst.states)}"
    return finding.advice, ""


def trust_of(finding: Finding, table: Table) -> Trust:
    """The trust of the row that gave the advice, else of the table."""
    return next((row.trust for row in table.rows if row.id == finding.row and row.trust), table.trust)


def source_words(source_id: str, words: Words) -> dict[str, Any]:
    """Title, developer, year, link and PMIDs of a source."""
    source = words.knowledge.sources[source_id]
    url = source.url if source.url.startswith(("https://", "http://")) else ""
    return {
        "title": source.title,
        "developer": source.developer,
        "year": _year(source),
        "url": url,
        "pmids": source.pmids,
    }


def _review(table: Table, words: Words) -> str:
    if not table.review.by:
        return words.wording.say("review", "unreviewed")
    return words.wording.say("review", "reviewed", by=table.review.by, on=words.day(table.review.on))


def _topic(finding: Finding, words: Words) -> str:
    return str(words.wording.catalogue["kinds"][finding.kind]["topic"])


def departs_to_other_drug(finding: Finding) -> bool:
    """Whether the advice now is to leave the drug."""
    return finding.resulting.outcome in (Outcome.OTHER_DRUG, Outcome.STOP)


def first_action(finding: Finding) -> Action | None:
    """The action of the preferred option now."""
    return finding.advice.options[0].action if finding.advice and finding.advice.options else None
