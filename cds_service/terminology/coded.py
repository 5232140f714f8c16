"""What codes say: those of the knowledge first, then those of an imported release, last those of an address.

An ingredient of RxNorm becomes our drug by its code, else by its whole name. One that the knowledge lacks stays
under its RxNorm name: it is recognised, and has no guidance.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from cds_service.codes import Coding
from cds_service.model import CodedDrug, DrugCodes, RxNormIngredient
from cds_service.terminology.codings import BELIEF, forms_of, system_of
from cds_service.terminology.names import NameReading
from cds_service.terminology.text import fold


class Coded(NamedTuple):
    """What one code says."""

    drugs: tuple[str, ...]
    route: str = ""
    strength_mg: float | None = None
    name: str = ""


class CodeBook:
    """Codes to drugs. Immutable but for what its sources remember."""

    def __init__(
        self,
        packaged: Mapping[tuple[str, str], Coded],
        ids_by_name: Mapping[str, str],
        read_name: Callable[[str], NameReading],
        imported: DrugCodes | None = None,
        address: DrugCodes | None = None,
    ) -> None:
        """`packaged` by system and code; `ids_by_name` by folded name; `read_name` tells what a product's name
        says of route and strength."""
        self._packaged = packaged
        self._ids_by_name = ids_by_name
        self._read_name = read_name
        self._imported = imported
        self._address = address

    @property
    def is_fixed(self) -> bool:
        """Whether a code always says the same: no file and no address is asked, which may fail this time."""
        return self._imported is None and self._address is None

    def held(self, codings: Iterable[Coding]) -> list[Coded]:
        """What the codings say by the knowledge and the imported release, the most telling system first."""
        return [entry for system, forms in _in_order(codings) if (entry := self._held(system, forms))]

    def asked(self, codings: Iterable[Coding]) -> list[Coded]:
        """What the address says of the codings; asks only for codes of one form."""
        if self._address is None:
            return []
        forms = [(system, forms[0]) for system, forms in _in_order(codings) if len(forms) == 1]
        found = (self._address.look_up(system, code) for system, code in dict.fromkeys(forms))
        return [self._coded(drug) for drug in found if drug is not None]

    def _held(self, system: str, forms: Sequence[str]) -> Coded | None:
        """None too where the forms that a code may stand for are different drugs."""
        found = [entry for form in forms if (entry := self._of_form(system, form))]
        return found[0] if len({frozenset(entry.drugs) for entry in found}) == 1 else None

    def _of_form(self, system: str, code: str) -> Coded | None:
        packaged = self._packaged.get((system, code))
        if packaged is not None or self._imported is None:
            return packaged
        drug = self._imported.look_up(system, code)
        return self._coded(drug) if drug is not None else None

    def _coded(self, drug: CodedDrug) -> Coded:
        drugs = tuple(dict.fromkeys(found for ingredient in drug.ingredients for found in self._ids(ingredient)))
        said = self._read_name(drug.name)
        same = said.ingredients[:1] == drugs[:1]
        return Coded(drugs, said.route, said.strength_mg if same else None, drug.name)

    def _ids(self, ingredient: RxNormIngredient) -> tuple[str, ...]:
        by_code = self._packaged.get((BELIEF[0], ingredient.rxcui))
        if by_code is not None:
            return by_code.drugs
        return (self._ids_by_name.get(fold(ingredient.name), ingredient.name.lower()),)


def _in_order(codings: Iterable[Coding]) -> Iterator[tuple[str, tuple[str, ...]]]:
    coded = [(system, forms_of(system, coding.code)) for coding in codings if (system := system_of(coding.system))]
    for wanted in BELIEF:
        yield from ((system, forms) for system, forms in coded if system == wanted and forms)
