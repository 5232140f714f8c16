"""A finding as the plain words that the templates arrange."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from cds_service.knowledge.schema import GeneModel, MarkerUse, Table
from cds_service.model import (
    INDETERMINATE,
    Action,
    Alternative,
    Branch,
    Finding,
    Gravity,
    Indeterminate,
    Kind,
    MarkerView,
    Outcome,
    Testing,
    TestQuestion,
    Timing,
)
from cds_service.writing.advice import AdviceWords, advised, option_words
from cds_service.writing.provenance import known_of, modifiers_of, result_of
from cds_service.writing.text import clean, sentence
from cds_service.writing.words import About, Words

FACTS_SHOWN = 5
_GRAVEST_SHOWN = 3
"""Outcomes of a test that are shown, the gravest first, beside the mildest one."""
_ASKS_NOTHING = frozenset({Action.STANDARD, Action.NO_RECOMMENDATION})
_WATCHES = frozenset({Action.MONITOR, Action.COUNSEL})
_SEVERITY, _GRAVITY = tuple(Outcome), tuple(Gravity)
DEPARTS = frozenset(Outcome) - {Outcome.AS_DRAFTED, Outcome.WAIT}
"""Outcomes that leave another order than the one drafted."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a finding's words need to know of the other orders.

    `names`: order reference -> drug name; `elsewhere`: (marker, test) -> name of the order whose card offers it.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    elsewhere: Mapping[tuple[str, str], str] = field(default_factory=dict)
    touched_by: Mapping[str, Sequence[Finding]] = field(default_factory=dict)
    """Order reference -> findings of other orders that change now and that this order brings about: what is said
    there comes before what its own card says."""
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


def tables_of(findings: Iterable[Finding], words: Words) -> list[Table]:
    """The tables that gave the findings, each once."""
    tables = {finding.table: table_of(finding, words) for finding in findings}
    return [table for table in tables.values() if table]


def _subject(finding: Finding, words: Words, around: Surroundings) -> dict[str, object]:
    order, wording = finding.order, words.wording
    table = table_of(finding, words)
    drug = words.drug_of(finding)
    is_taken = order.active and not (around.in_review or finding.is_of_list)
    return {
        "drug": wording.say("names", "taken", name=drug) if is_taken else drug,
        "of_list": finding.is_of_list,
        "order": clean(order.name),
        "dose": clean(order.dose.text) if order.dose else "",
        "active": order.active,
        "cause": around.names.get(finding.caused_by, wording.say("causes", "unknown")) if finding.caused_by else "",
        "topic": wording.phrase(table.label) if table and table.label else "",
        "results": wording.any_of([said for view in _deciding(finding, table) if (said := result_of(view, words))]),
        "marker_names": words.markers(asked_markers(finding)),
        "why": [sentence(known_of(view, words)) for view in finding.markers],
        "used": _used(finding, words),
        "modifiers": [shift for view in finding.markers if (shift := modifiers_of(view, words))],
        "assumptions": dict.fromkeys([wording.phrase(one.assumed, drug=drug) for one in finding.assumptions]),
        "gaps": wording.any_of(list(dict.fromkeys([words.gap(gap, order.reference) for gap in finding.gaps]))),
        "elsewhere": _said_elsewhere(finding, words, around),
        "closed": words.markers(finding.closed_markers, "or") if finding.closed_markers else "",
        "further": finding.further_may_ask_more,
        "unclear": _unclear(finding, words),
    }


def _deciding(finding: Finding, table: Table | None) -> tuple[MarkerView, ...]:
    """The markers that the row of a change names; all that the finding saw where no row is known."""
    row = next((row for row in table.rows if row.id == finding.row), None) if table else None
    if finding.kind is not Kind.CHANGE_NOW or row is None or not row.when:
        return finding.markers
    return tuple([view for view in finding.markers if view.marker in row.when])


def _unclear(finding: Finding, words: Words) -> tuple[str, ...]:
    """Of each marker asked about that was tested without a clear result, what to do about it."""
    about = {*[test.marker for test in finding.tests], *[gap.about for gap in finding.gaps]}
    found = [(view.marker, view.knowledge) for view in finding.markers if view.marker in about]
    return tuple(
        [
            words.wording.say(
                "unclear", "repeat" if known.tried - known.spent else "spent", marker=words.marker(marker)
            )
            for marker, known in found
            if isinstance(known, Indeterminate) and known.literal == INDETERMINATE
        ]
    )


def _used(finding: Finding, words: Words) -> str:
    """The facts of the record that made the guidance speak; what caused the finding is named before."""
    told = [words.used(one) for one in finding.used if not one.reference or one.reference != finding.caused_by]
    said = list(dict.fromkeys(told))
    more = [words.wording.say("lists", "more", count=len(said) - FACTS_SHOWN)] if len(said) > FACTS_SHOWN else []
    return words.wording.any_of([*said[:FACTS_SHOWN], *more])


def _said_elsewhere(finding: Finding, words: Words, around: Surroundings) -> list[str]:
    """Beside another dose of this order: what other cards advise because of it."""
    if finding.resulting.outcome is not Outcome.CHANGED_DOSE:
        return []
    others = around.touched_by.get(finding.order.reference, ())
    actions = [(words.drug_of(other), _action(other, advised(other, words), words)) for other in others]
    said = [words.wording.say("causes", "elsewhere", drug=drug, action=action) for drug, action in actions]
    return list(dict.fromkeys(said))


def asked_markers(finding: Finding) -> tuple[str, ...]:
    """The markers whose tests are asked for, else all that the finding saw."""
    if finding.tests:
        return tuple([test.marker for test in finding.tests])
    return tuple([view.marker for view in finding.markers])


def _advice(finding: Finding, words: Words) -> dict[str, object]:
    wording, advice, outcome = words.wording, advised(finding, words), finding.resulting.outcome
    dose = advice.options[0].option.dose if advice.options else None
    return {
        "action": _action(finding, advice, words),
        "act": advice.act or wording.say("outcomes", outcome),
        "act_on_condition": advice.act_on_condition,
        "options": advice.instead,
        "also": advice.beside,
        "reason": advice.reason,
        "arithmetic": words.arithmetic(finding.arithmetic) if finding.arithmetic else "",
        "dose_needed": dose is not None and bool(dose.factor) and dose.of_drafted and not _has_dose(finding),
        "departs": outcome in DEPARTS,
        "decided": finding.decided.outcome in DEPARTS,
        "waits": outcome is Outcome.WAIT,
        "hold": finding.hold,
        "bridge": _bridge(finding, words) if finding.bridge else "",
        "offered": wording.any_of([_offered(one, words) for one in finding.alternatives if not one.refused], "or"),
        "refused": wording.any_of([_refused(one, words) for one in finding.alternatives if one.refused]),
    }


def _has_dose(finding: Finding) -> bool:
    return finding.order.dose is not None and finding.order.dose.per_dose is not None


def _action(finding: Finding, advice: AdviceWords, words: Words) -> str:
    """The preferred option now; without advice, the resulting order."""
    return advice.options[0].said if advice.options else words.wording.say("outcomes", finding.resulting.outcome)


def _bridge(finding: Finding, words: Words) -> str:
    about = words.about(finding)
    return words.wording.any_of([option_words(option, words, about).said for option in finding.bridge], "or")


def _offered(alternative: Alternative, words: Words) -> str:
    drug = words.drug(alternative.drug)
    if not alternative.open_markers:
        return drug
    return words.wording.say("alternatives", "open", drug=drug, markers=words.markers(alternative.open_markers))


def _refused(alternative: Alternative, words: Words) -> str:
    reason = words.wording.say("refusals", alternative.refused)
    return words.wording.say("alternatives", "refused", drug=words.drug(alternative.drug), reason=reason)


_NO_TESTS: Mapping[str, object] = {
    "tests": (), "test_names": "", "worst": None, "asked": "", "need": "", "urgent": False
}  # fmt: skip


def _what_changes(question: TestQuestion) -> str:
    return "the_order" if len({branch.resulting for branch in question.branches}) > 1 else "beside"


def _tests(finding: Finding, words: Words, around: Surroundings) -> Mapping[str, object]:
    if not finding.tests and finding.kind is not Kind.TEST_WOULD_CHANGE:
        return _NO_TESTS
    rows = [_outcomes(question, finding, words) for question in finding.tests]
    level, asked = _testing(finding, words)
    said = _level_said(level, finding, words)
    of_tests = [question.test for question in finding.tests]
    return {
        "tests": [
            {
                "name": words.marker(question.marker) if of_tests.count(question.test) > 1 else words.test(question),
                "outcomes": [*outcomes[:_GRAVEST_SHOWN], *outcomes[_GRAVEST_SHOWN:][-1:]],
                "rest": outcomes[_GRAVEST_SHOWN:-1],
                "changes": words.wording.say("probability", _what_changes(question)),
                "probability": words.probability(question.probability),
                "relative": _relative(question, words),
                "inherited": _inherited(question, words),
                "specimen": words.wording.phrase(question.specimen) if question.specimen else "",
                "elsewhere": around.elsewhere.get((question.marker, question.test), ""),
            }
            for question, outcomes in zip(finding.tests, rows, strict=True)
        ],
        "test_names": words.wording.any_of(list(dict.fromkeys(map(words.test, finding.tests)))),
        "worst": _worst(finding, rows, asked, words),
        "asked": words.wording.say("testing", said, markers=asked),
        "need": _need(finding, said, asked, words),
        "urgent": _is_urgent(finding, words),
    }


def _worst(finding: Finding, rows: list[list[dict[str, str]]], asked: str, words: Words) -> Mapping[str, str] | None:
    """The gravest outcome of the first test that has any; it names which, where several are needed."""
    found = next(((q, of_test[0]) for q, of_test in zip(finding.tests, rows, strict=True) if of_test[1:]), None)
    if found is None:
        return None
    question, worst = found
    named = words.marker(question.marker)
    return worst if asked == named else worst | {"states": f"{named} {worst['states']}"}


def _relative(question: TestQuestion, words: Words) -> str:
    """The relative and the condition that make a change likelier; "" without one."""
    told = question.relative
    if told is None:
        return ""
    who = clean(told.relationship, 30) or words.wording.say("family", "relative")
    return words.wording.say("family", "condition", relative=who, condition=clean(told.text, 60))


def _inherited(question: TestQuestion, words: Words) -> str:
    """How sure the patient is to have what the relative has."""
    gene = words.knowledge.genes.get(question.marker.partition(":")[2])
    maternal = gene is not None and gene.model is GeneModel.MITOCHONDRIAL
    return words.wording.say("family", "inherited_from_the_mother" if maternal else "inherited")


def _need(finding: Finding, level: str, asked: str, words: Words) -> str:
    again = [question for question in finding.tests if question.due_days is not None]
    if again:
        return words.wording.say("needs", "recheck", tests=words.wording.any_of(list(map(words.test, again))))
    return words.wording.say("needs", level, markers=asked)


def _testing(finding: Finding, words: Words) -> tuple[Testing, str]:
    """The most that labelling says of a test asked for, and the markers of which it says so."""
    table = table_of(finding, words)
    uses = table.markers if table else {}
    levels = {marker: _level(uses.get(marker, MarkerUse())) for marker in asked_markers(finding)}
    most = next((level for level in Testing if level in levels.values()), Testing.NONE)
    return most, words.markers(tuple(marker for marker, level in levels.items() if level is most))


def _level_said(level: Testing, finding: Finding, words: Words) -> str:
    """A required test that runs beside the medicine is not needed first."""
    first = level is not Testing.REQUIRED or any(use.timing is Timing.BEFORE_START for use in _uses(finding, words))
    return level if first else "required_beside"


def _is_urgent(finding: Finding, words: Words) -> bool:
    """A drug that cannot wait, asked about while its test runs."""
    return any(use.urgent and use.timing is Timing.PARALLEL for use in _uses(finding, words))


def _uses(finding: Finding, words: Words) -> list[MarkerUse]:
    """How the finding's table uses the markers that it asks for."""
    table = table_of(finding, words)
    return [table.markers[q.marker] for q in finding.tests if q.marker in table.markers] if table else []


def _level(use: MarkerUse) -> Testing:
    return Testing.REQUIRED if use.required_when else use.testing


def _outcomes(question: TestQuestion, finding: Finding, words: Words) -> list[dict[str, str]]:
    """Outcomes with one resulting order, avoided for one kind of harm, as one row, the gravest first."""
    rows: dict[tuple[str, str, str], list[Branch]] = {}
    about, now = words.about(finding), _action(finding, advised(finding, words), words)
    departs = finding.resulting.outcome is not Outcome.AS_DRAFTED
    decided = finding.decided.outcome is not Outcome.AS_DRAFTED

    def is_said(order: str, branch: Branch) -> bool:
        return (departs and order == now) or (decided and branch.resulting == finding.decided)

    for branch in sorted(question.branches, key=_gravest_first):
        order = _resulting(branch, words, about)
        said = words.wording.say("outcomes", "as_advised") if is_said(order, branch) else order
        rows.setdefault((said, words.harm(branch), words.given(branch)), []).append(branch)
    return [
        {
            "states": words.states(question.marker, tuple([s for branch in branches for s in branch.states])) + given,
            "probability": words.branch_probability(_sum(branches)),
            "order": order,
            "harm": harm,
        }
        for (order, harm, given), branches in rows.items()
    ]


def _gravest_first(branch: Branch) -> tuple[int, int]:
    return -_SEVERITY.index(branch.resulting.outcome), _GRAVITY.index(branch.advice.gravity)


def _resulting(branch: Branch, words: Words, about: About) -> str:
    """What the order becomes in this branch: its first option, that it stays as drafted (and what is watched or told
    then), or where the branch itself asks for nothing, what another finding makes of it anyway."""
    options, outcome = branch.advice.options, branch.resulting.outcome
    if outcome is Outcome.AS_DRAFTED and options and options[0].action in _WATCHES:
        return words.wording.say("outcomes", "watched", watch=option_words(options[0], words, about).said)
    if outcome is Outcome.AS_DRAFTED or not options:
        return words.wording.say("outcomes", outcome)
    if options[0].action in _ASKS_NOTHING:
        return words.wording.say("outcomes", "as_advised")
    return option_words(options[0], words, about).said


def _sum(branches: list[Branch]) -> tuple[float, float] | None:
    pairs = [branch.probability for branch in branches if branch.probability]
    if len(pairs) < len(branches):
        return None
    return min(1.0, sum(low for low, _ in pairs)), min(1.0, sum(high for _, high in pairs))


def departs_to_other_drug(finding: Finding) -> bool:
    """Whether the advice now is to leave the drug."""
    return finding.resulting.outcome in (Outcome.OTHER_DRUG, Outcome.STOP)


def is_conditional(finding: Finding) -> bool:
    """Whether the preferred option holds under a condition only (`if given for cancer`)."""
    return bool(finding.advice and finding.advice.options and finding.advice.options[0].only_if)


def first_action(finding: Finding) -> Action | None:
    """The action of the preferred option now."""
    return finding.advice.options[0].action if finding.advice and finding.advice.options else None
