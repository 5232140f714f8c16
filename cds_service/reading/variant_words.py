"""The words by which texts name variants of a tumour, and what the knowledge calls them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cds_service.knowledge.base import Knowledge
from cds_service.knowledge.variant_names import PART, VARIANT, variant_key
from cds_service.reading.vocabulary import FOUND_WORDS, HEDGES, MISSED_WORDS

_OF_A_TUMOUR = "somatic:"


@dataclass(frozen=True, slots=True)
class VariantWords:
    """`names` are what tables call variants of a gene, as keys; `whole_tests` those of other genes that the codes of
    a gene use of the test as a whole."""

    pattern: re.Pattern[str]
    """A group for each kind of word: calls, names, genes and commas."""
    symbols: Mapping[str, str]
    """Symbol in small letters -> symbol."""
    names: Mapping[str, frozenset[str]]
    whole_tests: Mapping[str, frozenset[str]]

    def symbol_of(self, written: str) -> str:
        """The gene's symbol, however it is written."""
        return self.symbols[written.lower()]


def variant_words_of(knowledge: Knowledge) -> VariantWords:
    """What texts may say of the genes of a tumour that the knowledge has."""
    found = [o for o in knowledge.observables.values() if o.id.startswith(_OF_A_TUMOUR) and o.gene]
    names: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for table in knowledge.tables.values():
        for marker, use in table.markers.items():
            names[marker.removeprefix(_OF_A_TUMOUR)].update(
                dict.fromkeys(n for ns in use.variants.values() for n in ns)
            )
    events = sorted({name for of_gene in names.values() for name in of_gene if _is_no_notation(name)})
    keys = [variant_key(event) for event in events]
    displays = {o.gene: variant_key(" ".join(code.display for code in o.codes)) for o in found}
    return VariantWords(
        pattern=_pattern([o.gene for o in found], events),
        symbols={o.gene.lower(): o.gene for o in found},
        names={gene: frozenset(map(variant_key, of_gene)) for gene, of_gene in names.items()},
        whole_tests={gene: frozenset(key for key in keys if key in shown) for gene, shown in displays.items()},
    )


def _is_no_notation(name: str) -> bool:
    return re.fullmatch(f"{VARIANT}|{PART}", name, re.IGNORECASE) is None


def _pattern(symbols: Iterable[str], events: Iterable[str]) -> re.Pattern[str]:
    kinds = {
        "event": _any_of(events, "s?"),
        "absent": _any_of(MISSED_WORDS),
        "open": _any_of(HEDGES),
        "denial": _any_of(("no", "neither", "without")),
        "present": _any_of(FOUND_WORDS),
        "variant": VARIANT,
        "part": PART,
        "gene": _any_of(symbols),
        "comma": ",",
    }
    return re.compile("|".join(f"(?P<{kind}>{pattern})" for kind, pattern in kinds.items()), re.IGNORECASE)


def _any_of(words: Iterable[str], ending: str = "") -> str:
    """Any of the words or phrases, the longest first, with spaces or hyphens between words."""
    longest_first = sorted(words, key=lambda word: (-len(word), word))
    written = "|".join(r"[\s-]+".join(map(re.escape, word.split())) for word in longest_first)
    return rf"(?<![a-zA-Z0-9])(?:{written or '(?!)'}){ending}(?![a-zA-Z0-9])"
