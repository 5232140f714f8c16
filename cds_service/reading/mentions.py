"""Which markers of tumours, and inherited variants that matter to their treatment, a text speaks of, whatever it says
of them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import partial

from cds_service.memory import remembered_by_identity
from cds_service.reading.lexicon import Lexicon, words_pattern
from cds_service.reading.observed import OF_TUMOUR
from cds_service.reading.shapes import fold

_SHORT = re.compile(r"[a-z]{1,3}")
"""A name of few letters may be any word: ER, PR, MMR."""

Mention = tuple[str, ...]
"""The ids of the observables that one name may mean."""


def mentions_in(texts: Iterable[str], lexicon: Lexicon) -> frozenset[Mention]:
    """What the texts name: genes by their symbols, other markers by names that mean nothing else."""
    make = partial(_mentions, lexicon=lexicon)
    return frozenset().union(*(lexicon.remembered.get_by_text("mentions", text, make) for text in texts))


def _mentions(text: str, lexicon: Lexicon) -> frozenset[Mention]:
    names, pattern = _plain_names(lexicon)
    found = {match.group() for match in pattern.finditer(fold(text))}
    named = {word for name in found for word in name.split()}
    return frozenset({*(names[name] for name in found), *_by_symbol(text, named, lexicon)})


def _by_symbol(text: str, named: set[str], lexicon: Lexicon) -> Iterator[Mention]:
    """The genes whose symbols stand in the text and in none of its names (`FLT3 ITD`). Where all is in capitals, one
    without a figure is a word."""
    for symbol in lexicon.other_symbols_in(text):
        ids = tuple(i for i in lexicon.observable_genes[symbol] if i.startswith(OF_TUMOUR))
        if ids and fold(symbol) not in named and (text != text.upper() or not symbol.isalpha()):
            yield ids


@remembered_by_identity
def _plain_names(lexicon: Lexicon) -> tuple[Mapping[str, Mention], re.Pattern[str]]:
    names = {name: ids for name, ids in names_of_tumours(lexicon).items() if not _SHORT.fullmatch(name)}
    return names, words_pattern(names)


def names_of_tumours(lexicon: Lexicon) -> Mapping[str, Mention]:
    """What markers of tumours are called, folded, short names among them."""
    found: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for observable in lexicon.observables.values():
        if observable.id.startswith(OF_TUMOUR):
            for name in map(fold, (*observable.names, *observable.in_words)):
                found[name][observable.id] = None
    return {name: tuple(ids) for name, ids in found.items()}
