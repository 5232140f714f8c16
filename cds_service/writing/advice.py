"""What the options of an advice say of one drug: worked out once for each option of the knowledge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from cds_service.memory import remembered_by_identity
from cds_service.model import Action, Advice, Finding, Option
from cds_service.writing.text import sentence
from cds_service.writing.words import About, Words

_BESIDE = frozenset({Action.MONITOR, Action.COUNSEL})
"""What is done beside the preferred option; other options are done instead of it."""
_LEAVES = frozenset({Action.AVOID, Action.STOP})


@dataclass(frozen=True, slots=True)
class OptionWords:
    option: Option
    said: str
    """`start with 50 % of the usual dose, if no alternative works`."""
    alternative_class: str
    note: str
    only_if: str


@dataclass(frozen=True, slots=True, eq=False)
class AdviceWords:
    options: tuple[OptionWords, ...] = ()
    act: str = ""
    """The bare action of the preferred option with its condition, for a summary."""
    act_on_condition: str = ""
    """The same where the condition is too long to be said there; "" without a condition."""
    instead: tuple[str, ...] = ()
    """What may be done instead of the preferred option, said whole."""
    beside: tuple[str, ...] = ()
    """What is done with it."""
    reason: str = ""
    together: str = ""
    """All options in a row."""


NO_ADVICE = AdviceWords()


def advised(finding: Finding, words: Words) -> AdviceWords:
    """What the advice now says, `NO_ADVICE` without one."""
    return advice_words(finding.advice, words, words.about(finding)) if finding.advice else NO_ADVICE


def action_said(finding: Finding, advice: AdviceWords, words: Words) -> str:
    """The preferred option now; without advice, the resulting order."""
    if not advice.options:
        return words.wording.say("outcomes", finding.resulting.outcome)
    first = advice.options[0]
    return watched(first.said, words) if first.option.action in _BESIDE else first.said


def watched(said: str, words: Words) -> str:
    """What is done beside an order that stays as it is."""
    return words.wording.say("outcomes", "watched", watch=said)


@remembered_by_identity
def advice_words(advice: Advice, words: Words, about: About) -> AdviceWords:
    """What an advice says of a drug and its markers. `about` is one that `Words.about` gave."""
    options = tuple(option_words(option, words, about) for option in advice.options)
    first, *others = _groups(options) or [[]]
    return AdviceWords(
        options=options,
        act=_act(advice.options[0], words, about) if options else "",
        act_on_condition=words.act_on_condition(advice.options[0]) if options else "",
        instead=tuple(_joined(group, words, about) for group in others if group[0].option.action not in _BESIDE),
        beside=(
            *(one.said for one in first[1:]),
            *(_joined(group, words, about) for group in others if group[0].option.action in _BESIDE),
        ),
        reason=sentence(words.wording.phrase(advice.reason, **about.names())) if advice.reason else "",
        together=words.wording.catalogue["lists"]["semicolon"].join(one.said for one in options),
    )


def _act(option: Option, words: Words, about: About) -> str:
    act = words.act_if(option, about)
    return watched(act, words) if option.action in _BESIDE else act


def _groups(options: Sequence[OptionWords]) -> list[list[OptionWords]]:
    """The options that are done together; each group is a choice of its own."""
    groups: list[list[OptionWords]] = []
    for one in options:
        if groups and _goes_with(one.option, groups[-1][-1].option):
            groups[-1].append(one)
        else:
            groups.append([one])
    return groups


def _goes_with(option: Option, before: Option) -> bool:
    """To leave a drug and to choose another is one thing."""
    is_what_is_chosen = option.action is Action.ALTERNATIVE and before.action in _LEAVES and not option.only_if
    return option.joins or is_what_is_chosen


def _joined(group: Sequence[OptionWords], words: Words, about: About) -> str:
    """A group in one sentence; a condition that all of it has is said once."""
    said = group[0].said
    for one in group[1:]:
        option = replace(one.option, only_if="") if one.option.only_if == group[0].option.only_if else one.option
        said = words.wording.say("option_forms", "joined", action=said, joined=words.option(option, about))
    return said


@remembered_by_identity
def option_words(option: Option, words: Words, about: About) -> OptionWords:
    """What an option says of a drug and its markers."""

    def phrase(key: str) -> str:
        return words.wording.phrase(key, **about.names()) if key else ""

    return OptionWords(
        option,
        words.option(option, about),
        alternative_class=phrase(option.alternative_class),
        note=phrase(option.note),
        only_if=phrase(option.only_if),
    )
