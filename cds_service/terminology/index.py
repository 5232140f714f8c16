"""Codes and names to ingredients, from the files of the knowledge, an imported release and, where a site sets
one, a RxNav address; made once at start.

Order of belief: codes (RxNorm, NDC, SNOMED CT, ATC), then names (the text, then each coding's display). A code
counts only in its own system. Where code and name disagree the code is followed and the match says so
(`disagrees`).

A drug id that joins other ids with " / " is a combination that guidance speaks of as one (sulfamethoxazole and
trimethoprim). A product that holds all its parts, or the combination's own code, gives the combination first and
then its parts, so that tables keyed on any of them apply.
"""

from __future__ import annotations

import csv
import gzip
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from cds_service.codes import ATC, RXNORM, Coding
from cds_service.errors import KnowledgeError
from cds_service.knowledge.base import Knowledge
from cds_service.knowledge.load import DATA
from cds_service.memory import LONGEST_CONTENT, Memory, remembered_by_text
from cds_service.model import DrugCodes, DrugIndex, DrugMatch
from cds_service.terminology.coded import CodeBook, Coded
from cds_service.terminology.database import CodeDatabase
from cds_service.terminology.names import Brand, NameReading, NameTable
from cds_service.terminology.text import fold
from cds_service.terminology.word_lists import load_words

_PRODUCT_COLUMNS = ["rxcui", "tty", "drugs", "route", "strength_mg", "name"]
_BRAND_COLUMNS = ["brand", "drugs", "ordinary"]


@dataclass(frozen=True, slots=True)
class _Agreed:
    drugs: tuple[str, ...]
    contradicted: tuple[str, ...] = ()


class Index:
    """A `DrugIndex` held in memory, but for what its code book looks up."""

    def __init__(
        self,
        codes: CodeBook,
        read_name: Callable[[str], NameReading],
        combinations: Mapping[str, tuple[str, ...]],
        displays: Mapping[str, str],
    ) -> None:
        self.is_fixed = codes.is_fixed
        self._codes = codes
        self._read = read_name
        self._combinations = combinations
        self._displays = displays
        self._found: Memory[tuple[tuple[Coding, ...], str], tuple[DrugMatch | None]] = Memory()

    def find(self, codings: tuple[Coding, ...], text: str) -> DrugMatch | None:
        """See `DrugIndex.find`."""
        key = (codings, text)
        found = self._found.find(key)
        if found is None:
            found = (self._find(codings, text),)
            if self.is_fixed and all(len(said) <= LONGEST_CONTENT for said in _texts(codings, text)):
                self._found.keep(key, found)
        return found[0]

    def _find(self, codings: tuple[Coding, ...], text: str) -> DrugMatch | None:
        texts = _texts(codings, text)
        readings = [reading for said in texts if said and (reading := self._read(said)).ingredients]
        coded = self._codes.held(codings) or ([] if readings else self._codes.asked(codings))
        named = _agreed([reading.ingredients for reading in readings])
        by_code = _agreed([entry.drugs for entry in coded], named.drugs)
        agreed = _agreed([by_code.drugs, named.drugs])
        if not agreed.drugs:
            return None
        first = next((entry for entry in coded if entry.name), None)
        contradicted = (
            *by_code.contradicted,
            *named.contradicted,
            *agreed.contradicted,
            *(drug for reading in readings for drug in reading.contradiction),
        )
        return DrugMatch(
            drugs=self._with_combinations(agreed.drugs),
            by="code" if coded else "name",
            name=next((said for said in texts if said), "") or self._display(first, agreed.drugs),
            route=_route(coded, readings),
            strength_mg=_strength_mg(coded, readings, agreed.drugs[0]),
            unread=() if coded else _unread(readings, agreed.drugs),
            disagrees=tuple(dict.fromkeys(drug for drug in contradicted if drug not in agreed.drugs)),
        )

    def _with_combinations(self, drugs: tuple[str, ...]) -> tuple[str, ...]:
        whole = [
            combination
            for combination, parts in self._combinations.items()
            if combination in drugs or set(parts) <= set(drugs)
        ]
        parts = [part for combination in whole for part in self._combinations[combination]]
        return tuple(dict.fromkeys([*whole, *drugs, *parts]))

    def _display(self, entry: Coded | None, drugs: tuple[str, ...]) -> str:
        return entry.name if entry else self._displays.get(drugs[0], drugs[0])


def open_index(
    knowledge: Knowledge,
    data_folder: Path = DATA,
    *,
    database: Path | None = None,
    address: DrugCodes | None = None,
) -> DrugIndex:
    """The index over `knowledge.drugs` and `products.tsv.gz`, `brands.tsv`, `drug_words.yaml` in `data_folder`, over
    an imported release in `database`, and, for codes that neither holds, over `address`.

    Raises KnowledgeError where a file is missing, has other columns, or names a drug that the knowledge lacks, and
    TerminologyError where `database` is no imported release.
    """
    products = data_folder / "products.tsv.gz"
    brands = [
        Brand(name, tuple(drugs.split("|")), ordinary == "true")
        for name, drugs, ordinary in _rows(data_folder / "brands.tsv", _BRAND_COLUMNS)
    ]
    by_rxcui = {
        code: Coded(tuple(drugs.split("|")), route, float(strength) if strength else None, name)
        for code, _, drugs, route, strength, name in _rows(products, _PRODUCT_COLUMNS)
    }
    named = {drug for entry in by_rxcui.values() for drug in entry.drugs}
    named |= {drug for brand in brands for drug in brand.drugs}
    if unknown := sorted(named - set(knowledge.drugs)):
        raise KnowledgeError(f"{products.name}, brands.tsv: not in drugs.tsv: {', '.join(unknown)}")
    by_rxcui |= {drug.rxcui: Coded((drug.id,)) for drug in knowledge.drugs.values() if drug.rxcui}
    names = NameTable(knowledge.drugs.values(), brands, load_words(data_folder))
    read_name = remembered_by_text(names.read)
    packaged = {(RXNORM, code): entry for code, entry in by_rxcui.items()}
    packaged |= {(ATC, code): entry for code, entry in _by_atc(knowledge).items()}
    imported = CodeDatabase(database) if database else None
    return Index(
        CodeBook(packaged, _ids_by_name(knowledge), read_name, imported, address),
        read_name,
        _combinations(knowledge),
        {drug.id: drug.display or drug.id for drug in knowledge.drugs.values()},
    )


def _ids_by_name(knowledge: Knowledge) -> dict[str, str]:
    drugs = knowledge.drugs.values()
    named = {fold(name): drug.id for drug in drugs for name in (*drug.synonyms, drug.display) if name}
    return named | {fold(drug.id): drug.id for drug in drugs}


def _by_atc(knowledge: Knowledge) -> dict[str, Coded]:
    drugs: defaultdict[str, list[str]] = defaultdict(list)
    for drug in knowledge.drugs.values():
        for code in drug.atc:
            drugs[code].append(drug.id)
    return {code: Coded(tuple(ids)) for code, ids in drugs.items()}


def _combinations(knowledge: Knowledge) -> dict[str, tuple[str, ...]]:
    split = {drug: tuple(drug.split(" / ")) for drug in knowledge.drugs if " / " in drug}
    return {drug: parts for drug, parts in split.items() if all(part in knowledge.drugs for part in parts)}


def _rows(path: Path, columns: list[str]) -> Iterator[list[str]]:
    try:
        packed = path.read_bytes()
        text = (gzip.decompress(packed) if path.suffix == ".gz" else packed).decode("utf-8")
    except (OSError, EOFError, UnicodeDecodeError) as fault:
        raise KnowledgeError(f"{path.name}: {fault}") from fault
    lines = csv.reader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    header = next(lines, [])
    if header != columns:
        raise KnowledgeError(f"{path.name}: expected the columns {columns}, found {header}")
    for number, row in enumerate(lines, start=2):
        if len(row) != len(columns):
            raise KnowledgeError(f"{path.name}:{number}: expected {len(columns)} cells, found {len(row)}")
        yield row


def _texts(codings: tuple[Coding, ...], text: str) -> list[str]:
    return [text, *(coding.display for coding in codings)]


def _agreed(groups: Iterable[tuple[str, ...]], witness: tuple[str, ...] = ()) -> _Agreed:
    """The first group, widened by each later one that contains it; groups that `witness` names together are
    joined. What else a later group names contradicts."""
    drugs: tuple[str, ...] = ()
    contradicted: list[str] = []
    for group in groups:
        joined = tuple(dict.fromkeys([*drugs, *group]))
        if set(drugs) <= set(group) or set(group) <= set(drugs):
            drugs = group if len(group) > len(drugs) else drugs
        elif set(joined) <= set(witness):
            drugs = joined
        else:
            contradicted += [drug for drug in group if drug not in drugs]
    return _Agreed(drugs, tuple(contradicted))


def _unread(readings: Iterable[NameReading], drugs: tuple[str, ...]) -> tuple[str, ...]:
    """What no other text explains: one that names more drugs than it tells what it leaves open."""
    telling = (reading for reading in readings if set(reading.ingredients) == set(drugs))
    return tuple(dict.fromkeys(word for reading in telling for word in reading.unread))


def _route(coded: Iterable[Coded], readings: Iterable[NameReading]) -> str:
    routes = [*(entry.route for entry in coded), *(reading.route for reading in readings)]
    return next((route for route in routes if route), "")


def _strength_mg(coded: Iterable[Coded], readings: Iterable[NameReading], first: str) -> float | None:
    """The strength that a product gives, where its first ingredient is the match's first."""
    said = [
        *((entry.drugs, entry.strength_mg) for entry in coded),
        *((reading.ingredients, reading.strength_mg) for reading in readings),
    ]
    return next((strength for drugs, strength in said if strength is not None and drugs[0] == first), None)
