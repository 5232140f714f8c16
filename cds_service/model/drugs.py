"""Drug names and codes to ingredients: implemented in `terminology`, given to `reading`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from cds_service.codes import Coding


@dataclass(frozen=True, slots=True)
class DrugMatch:
    """`drugs` are drug ids (ingredients); `by` is `code` or `name`; `name` the best display; `route` and
    `strength_mg` are what the product itself says."""

    drugs: tuple[str, ...]
    by: str
    name: str = ""
    route: str = ""
    strength_mg: float | None = None
    disagrees: tuple[str, ...] = ()
    """Drug ids that another code, a display or the text gives, and that contradict `drugs`."""
    unread: tuple[str, ...] = ()
    """Words of the name that stand for a further part of the product and name no known drug; none where a code says
    what the product is."""


class DrugIndex(Protocol):
    @property
    def is_fixed(self) -> bool:
        """Whether it always says the same, so that what it says may be remembered."""

    def find(self, codings: tuple[Coding, ...], text: str) -> DrugMatch | None:
        """The ingredients that codes or text name, or None when they are not recognised.

        Codes come first; text is used when no code is known. Never guesses: a text matches only where a
        known ingredient, brand or synonym stands in it as whole words.
        """


@dataclass(frozen=True, slots=True)
class RxNormIngredient:
    rxcui: str
    name: str


@dataclass(frozen=True, slots=True)
class CodedDrug:
    """What a terminology outside the knowledge says of one code."""

    ingredients: tuple[RxNormIngredient, ...]
    name: str = ""


class DrugCodes(Protocol):
    def look_up(self, system: str, code: str) -> CodedDrug | None:
        """What `code` is, in one of the systems that `codes.py` names; None where it is not known or could not be
        asked. `code` is in the form of `terminology.codings`. Never raises.
        """
