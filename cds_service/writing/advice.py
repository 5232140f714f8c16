"""What the options of an advice say of one drug: worked out once for each option of the knowledge."""

from __future__ import annotations

from dataclasses import dataclass

from cds_service.memory import remembered_by_identity
from cds_service.model import Action, Advice, Finding, Option
from cds_service.writing.text import sentence
from cds_service.writing.words import About, Words

_BESIDE = frozenset({Action.MONITOR, Action.COUNSEL})
"""What is done beside the preferred option; other options are done instead of it."""


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
    reason: str = ""
    together: str = ""
    """All options in a row."""


NO_ADVICE = AdviceWords()


def advised(finding: Finding, words: Words) -> AdviceWords:
    """What the advice now says, `NO_ADVICE` without one."""
    return advice_words(finding.advice, words, words.about(finding)) if finding.advice else NO_ADVICE


@remembered_by_identity
def advice_words(advice: Advice, words: Words, about: About) -> AdviceWords:
    """What an advice says of a drug and its markers. `about` is one that `Words.about` gave."""
    options = tuple(option_words(option, words, about) for option in advice.options)
    further = options[1:]
    return AdviceWords(
        options=options,
        act=words.act_if(advice.options[0], about) if options else "",
        act_on_condition=words.act_on_condition(advice.options[0]) if options else "",
        instead=tuple(one.said for one in further if one.option.action not in _BESIDE),
        beside=tuple(one.said for one in further if one.option.action in _BESIDE),
        reason=sentence(words.wording.phrase(advice.reason, **about.names())) if advice.reason else "",
        together=words.wording.catalogue["lists"]["semicolon"].join(one.said for one in options),
    )


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
