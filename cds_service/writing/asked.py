"""The tests that a finding asks for and their outcomes, as the plain words that the templates arrange."""

from __future__ import annotations

from collections.abc import Mapping
from operator import itemgetter

from cds_service.knowledge.schema import GeneModel, MarkerUse
from cds_service.model import (
    Action,
    Branch,
    Finding,
    Gravity,
    Kind,
    Narrowed,
    Narrowing,
    Outcome,
    Testing,
    TestQuestion,
    Timing,
    name_of,
)
from cds_service.writing.advice import action_said, advised, option_words, watched
from cds_service.writing.findings import asked_markers, table_of
from cds_service.writing.text import clean
from cds_service.writing.words import About, Words

_GRAVEST_SHOWN = 3
"""Outcomes of a test that are shown, the gravest first, beside the mildest one."""
_ASKS_NOTHING = frozenset({Action.STANDARD, Action.NO_RECOMMENDATION})
_WATCHES = frozenset({Action.MONITOR, Action.COUNSEL})
_SEVERITY, _GRAVITY = tuple(Outcome), tuple(Gravity)
_NO_TESTS: Mapping[str, object] = {
    "tests": (), "test_names": "", "worst": None, "asked": "", "need": "", "urgent": False, "takes": ""
}  # fmt: skip


def tests_of(finding: Finding, words: Words, elsewhere: Mapping[tuple[str, str], str]) -> Mapping[str, object]:
    """The variables of the templates for the tests that a finding asks for.

    `elsewhere`: (marker, test) -> name of the order whose card offers it.
    """
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
                "elsewhere": elsewhere.get((question.marker, question.test), ""),
            }
            for question, outcomes in zip(finding.tests, rows, strict=True)
        ],
        "test_names": words.wording.any_of(list(dict.fromkeys(map(words.test, finding.tests)))),
        "worst": _worst(finding, rows, asked, words),
        "asked": words.wording.say("testing", said, markers=asked),
        "need": _need(finding, said, asked, words),
        "urgent": _is_urgent(finding, words),
        "takes": _takes(finding, words),
    }


def _what_changes(question: TestQuestion) -> str:
    return "the_order" if len({branch.resulting for branch in question.branches}) > 1 else "beside"


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
    gene = words.knowledge.genes.get(name_of(question.marker))
    maternal = gene is not None and gene.model is GeneModel.MITOCHONDRIAL
    return words.wording.say("family", "inherited_from_the_mother" if maternal else "inherited")


def _need(finding: Finding, level: str, asked: str, words: Words) -> str:
    again = [question for question in finding.tests if question.due_days is not None]
    if again:
        return words.wording.say("needs", "recheck", tests=words.wording.any_of(list(map(words.test, again))))
    is_asked_first = level not in (Testing.NONE, Testing.RECOMMENDED)
    doubts = {_doubt(marker, finding, words) for marker in asked_markers(finding)}
    doubt = doubts.pop() if len(doubts) == 1 and not is_asked_first else ""
    return words.wording.say("needs", doubt or level, markers=asked)


def _doubt(marker: str, finding: Finding, words: Words) -> str:
    """What to say of a value on file that a fault of its sample, or what the patient has or takes, makes uncertain;
    empty where there is none."""
    known = next((view.knowledge for view in finding.markers if view.marker == marker), None)
    if not isinstance(known, Narrowed) or isinstance(known.why, Narrowing):
        return ""
    faults = {fault.reason for fault in words.knowledge.sample_faults.values()}
    return "unsure" if known.why in faults else "spoiled"


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


def _takes(finding: Finding, words: Words) -> str:
    """How long the slowest of the results takes; empty where it is a day at most, or not known."""
    known = [question.turnaround_days for question in finding.tests if question.turnaround_days is not None]
    slowest = max(known, key=itemgetter(1), default=(0.0, 0.0))
    return words.wording.say("names", "takes", days=words.range_of(slowest)) if slowest[1] > 1 else ""


def _uses(finding: Finding, words: Words) -> list[MarkerUse]:
    """How the finding's table uses the markers that it asks for."""
    table = table_of(finding, words)
    return [table.markers[q.marker] for q in finding.tests if q.marker in table.markers] if table else []


def _level(use: MarkerUse) -> Testing:
    return Testing.REQUIRED if use.required_when else use.testing


def _outcomes(question: TestQuestion, finding: Finding, words: Words) -> list[dict[str, str]]:
    """Outcomes with one resulting order, avoided for one kind of harm, as one row, the gravest first."""
    rows: dict[tuple[str, str, str], list[Branch]] = {}
    about, now = words.about(finding), action_said(finding, advised(finding, words), words)
    departs = finding.resulting.outcome is not Outcome.AS_DRAFTED
    decided = finding.decided.outcome is not Outcome.AS_DRAFTED
    drafted = words.wording.say("outcomes", Outcome.AS_DRAFTED)

    def is_said(order: str, branch: Branch) -> bool:
        adds_nothing = branch.resulting == finding.decided or order == drafted
        return (departs and order == now) or (decided and adds_nothing)

    for branch in sorted(question.branches, key=_gravest_first):
        order = order_said(branch, words, about)
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


def order_said(branch: Branch, words: Words, about: About) -> str:
    """What the order becomes in this branch: its first option, that it stays as drafted (and what is watched or told
    then), or where the branch itself asks for nothing, what another finding makes of it anyway."""
    options, outcome = branch.advice.options, branch.resulting.outcome
    if outcome is Outcome.AS_DRAFTED and options and options[0].action in _WATCHES:
        return watched(option_words(options[0], words, about).said, words)
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
