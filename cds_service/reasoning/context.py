"""What is true around one order: the facts that predicates and modifiers ask about.

The other drafts count as taken; the active medicines less those that the drafts replace (design section 4.1).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from cds_service.knowledge.base import Knowledge
from cds_service.knowledge.derived import implied
from cds_service.model import Availability, Medication, Order, Patient, Query

DAYS_A_YEAR = 365.25
SECOND_DEGREE = 2

LOCAL_ROUTES = frozenset(
    {"topical", "ophthalmic", "otic", "nasal", "inhaled", "vaginal", "intravitreal", "intradermal", "dental"}
)
"""Routes that do not act on the whole body; everything else, and no route at all, counts as systemic."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A set-valued fact: key -> references of the resources that say it. `complete` tells whether a key that
    is missing is known to be absent."""

    by_key: Mapping[str, tuple[str, ...]]
    complete: bool

    def references(self, keys: Iterable[str]) -> tuple[str, ...]:
        """Resources that say one of the keys."""
        return tuple(sorted({r for key in keys for r in self.by_key.get(key, ()) if r}))


@dataclass(frozen=True, slots=True)
class Context:
    """One order of one drug in its surroundings."""

    order: Order
    drug: str
    patient: Patient
    knowledge: Knowledge
    today: date
    others: tuple[Order, ...] = ()
    """The other drafts, taken as if given."""
    gathered: dict[str, Evidence] = field(default_factory=dict, init=False, repr=False, compare=False)
    """Facts asked for before: many predicates ask for the same."""

    @property
    def route(self) -> str:
        """`systemic`, or the order's local route."""
        return self.order.route if self.order.route in LOCAL_ROUTES else "systemic"

    def is_complete(self, query: Query) -> bool:
        """Whether an absence in this query's answer means absence."""
        return self.patient.availability.get(query) is Availability.COMPLETE

    def medications(self) -> tuple[Medication, ...]:
        """Active medicines other than those that the drafts replace and the order itself."""
        replaced = {order.replaces for order in (self.order, *self.others) if order.replaces}
        own = self.order.reference if self.order.active else ""
        return tuple(
            m
            for m in self.patient.medications
            if m.stopped is None and m.reference not in replaced and m.reference != own
        )

    def comedication(self) -> Evidence:
        """Ids of the other drugs taken or drafted, the order's own other ingredients included, and of the groups
        that hold them."""
        return self._once("comedication", self._comedication)

    def _comedication(self) -> Evidence:
        taken = [(m.ingredients, m.reference) for m in self.medications()]
        taken += [(o.ingredients, o.reference) for o in (self.order, *self.others)]
        found = [(d, reference) for drugs, reference in taken for d in drugs if d != self.drug]
        pairs = [(key, reference) for d, reference in found for key in (d, *self.knowledge.groups_by_drug.get(d, ()))]
        return Evidence(_collect(pairs), self.is_complete(Query.MEDICATIONS))

    def age_years(self) -> float | None:
        """Age today in years; None when the birth date is not known."""
        born = self.patient.birth_date
        return None if born is None else (self.today - born).days / DAYS_A_YEAR

    def exposure_days(self) -> float | None:
        """Days that this drug has been taken without a new start; 0 when it is new, None when not known."""
        taken = [m for m in self.patient.medications if self.drug in m.ingredients and m.stopped is None]
        if not taken:
            return 0.0 if self.is_complete(Query.MEDICATIONS) and not self.order.active else None
        starts = [m.started for m in taken if m.started is not None]
        return float((self.today - min(starts)).days) if starts else None

    def conditions(self) -> Evidence:
        """Condition keys of the patient's record, with what each key implies."""
        return self._once("conditions", self._conditions)

    def _conditions(self) -> Evidence:
        found = [(c.keys, c.reference) for c in self.patient.conditions]
        return self._evidence(found, complete=self.is_complete(Query.CONDITIONS))

    def indication(self) -> Evidence:
        """Condition keys of the order's reason. Where the order does not say why, those of the record, which
        never rule an indication out: a record rarely tells what a drug is for."""
        return self._once("indication", self._indication)

    def _indication(self) -> Evidence:
        if self.order.reasons:
            return self._evidence([(self.order.reasons, self.order.reference)], complete=True)
        return replace(self.conditions(), complete=False)

    def reactions(self) -> Evidence:
        """Drug ids and condition keys of recorded allergies and earlier reactions."""
        found = [(frozenset(a.ingredients) | a.keys, a.reference) for a in self.patient.allergies]
        return self._evidence(found, complete=self.is_complete(Query.ALLERGIES))

    def family_history(self) -> Evidence:
        """Condition keys of relatives of the first and second degree."""
        found = [(f.keys, f.reference) for f in self.patient.family if f.degree <= SECOND_DEGREE]
        return self._evidence(found, complete=self.is_complete(Query.FAMILY))

    def _once(self, fact: str, gather: Callable[[], Evidence]) -> Evidence:
        found = self.gathered.get(fact)
        if found is None:
            found = self.gathered[fact] = gather()
        return found

    def _evidence(self, found: list[tuple[frozenset[str], str]], *, complete: bool) -> Evidence:
        pairs = [(key, reference) for keys, reference in found for key in implied(keys, self.knowledge)]
        return Evidence(_collect(pairs), complete)


def _collect(pairs: Iterable[tuple[str, str]]) -> Mapping[str, tuple[str, ...]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for key, reference in pairs:
        found[key].append(reference)
    return {key: tuple(references) for key, references in found.items()}
