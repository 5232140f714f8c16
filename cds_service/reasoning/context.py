"""What is true around one order: the facts that predicates and modifiers ask about.

The other drafts count as taken; the active medicines less those that the drafts replace (docs/reasoning.md, step 1).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TypeAlias

from cds_service.knowledge.base import Knowledge
from cds_service.knowledge.derived import implied
from cds_service.knowledge.schema import Fact, Predicate
from cds_service.model import (
    Availability,
    GapReason,
    MarkerView,
    Medication,
    Order,
    Patient,
    Query,
    earliest,
    latest,
    years_between,
)
from cds_service.reasoning.obtained import is_lost, why_lost

SECOND_DEGREE = 2

LOCAL_ROUTES = frozenset(
    {"topical", "ophthalmic", "otic", "nasal", "inhaled", "vaginal", "intravitreal", "intradermal", "dental"}
)
"""Routes that do not act on the whole body; everything else, and no route at all, counts as systemic."""

OUTER_ROUTES = frozenset({"topical", "ophthalmic", "otic", "intravitreal", "intradermal", "dental"})
"""Routes of which too little reaches the blood to act on another medicine. From the nose, the lungs and the vagina
enough may."""

Range: TypeAlias = tuple[float, float]
"""The least and the most that a number may be, where it is reckoned from dates that are told roughly."""

KeysSaid = tuple[Collection[str], str]
"""Keys, and the reference of the resource that says them."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A set-valued fact: all its `keys`, and what each resource says. `complete` tells whether a key that is
    missing is known to be absent."""

    keys: frozenset[str]
    said: tuple[KeysSaid, ...]
    complete: bool
    doubtful: frozenset[str] = frozenset()
    """Keys of medicines of which it is not known whether they are taken still."""

    def references(self, keys: Iterable[str]) -> tuple[str, ...]:
        """Resources that say one of the keys."""
        asked = frozenset(keys)
        return tuple(sorted({reference for said, reference in self.said if not asked.isdisjoint(said)} - {""}))


@dataclass(frozen=True, slots=True)
class Gathered:
    """What was worked out of one patient on one day, whatever the order: many tables ask for the same."""

    facts: dict[Fact, Evidence] = field(default_factory=dict)
    views: dict[tuple[str, frozenset[str], frozenset[str]], MarkerView] = field(default_factory=dict)
    """By marker, the states that a test could return, and those that defer to another test."""


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
    gathered: Gathered = field(default_factory=Gathered, repr=False, compare=False)
    """Shared by all contexts of the patient."""
    own: dict[Fact, Evidence] = field(default_factory=dict, init=False, repr=False, compare=False)
    """What depends on this order, gathered before."""

    @property
    def route(self) -> str:
        """`systemic`, or the order's local route."""
        return self.order.route if self.order.route in LOCAL_ROUTES else "systemic"

    def is_complete(self, query: Query) -> bool:
        """Whether an absence in this query's answer means absence."""
        return self.patient.availability.get(query) is Availability.COMPLETE

    def is_lost(self, fact: Fact) -> bool:
        """Whether the query behind the fact was refused, late or broken, in whole or in part: what it would have said
        is not known. A query that a site never sends is not lost."""
        query = _QUERY_OF.get(fact)
        return query is not None and is_lost(query, self.patient)

    def is_doubtful(self, predicate: Predicate) -> bool:
        """Whether it asks for a medicine of which it is not known whether it is taken still."""
        if predicate.fact is None:
            return any(map(self.is_doubtful, (*predicate.all, *predicate.any)))
        return not self.evidence(predicate.fact).doubtful.isdisjoint(predicate.is_in)

    def why_unknown(self, fact: Fact) -> GapReason:
        """Why the fact is not known, as the reason of a gap."""
        query = _QUERY_OF.get(fact)
        if query is None or self.patient.availability.get(query) is Availability.COMPLETE:
            return GapReason.FACT_NOT_KNOWN
        return why_lost(query, self.patient) if is_lost(query, self.patient) else GapReason.MISSING

    def medications(self) -> tuple[Medication, ...]:
        """Active medicines other than those that the drafts replace and the order itself."""
        left_out = {order.replaces for order in (self.order, *self.others)} - {""}
        if self.order.active:
            left_out.add(self.order.reference)
        found = [m for m in self.patient.medications if m.stopped is None and m.reference not in left_out]
        return tuple(found)

    def evidence(self, fact: Fact) -> Evidence:
        """What is known of a set-valued fact; nothing, incompletely, of any other."""
        kept = self.gathered.facts if fact in _OF_THE_PATIENT else self.own
        found = kept.get(fact)
        if found is None:
            found = kept[fact] = self._evidence(fact)
        return found

    def _evidence(self, fact: Fact) -> Evidence:
        match fact:
            case Fact.INDICATION:
                return self.indication()
            case Fact.CONDITION:
                return self.conditions()
            case Fact.REACTION:
                return self.reactions()
            case Fact.FAMILY_HISTORY:
                return self.family_history()
            case Fact.MOTHERS_LINE:
                return self.family_history(of_mothers_line=True)
            case Fact.COMEDICATION:
                return self.comedication()
            case Fact.ROUTE:
                return _collected([((self.route, self.order.route), "")], complete=True)
            case Fact.SEX:
                return _collected([((self.patient.sex,), "")], complete=bool(self.patient.sex))
            case _:
                return _collected([], complete=False)

    def comedication(self) -> Evidence:
        """Ids of the other drugs taken or drafted, the order's own other ingredients included, and of the groups
        that hold them. What stays outside of the body is not taken."""
        groups = self.knowledge.groups_by_drug
        beside = self._beside()
        said = [((d, *groups.get(d, ())), reference) for drugs, reference in beside for d in drugs if d != self.drug]
        found = _collected(said, complete=self.is_complete(Query.MEDICATIONS))
        doubtful = frozenset(key for d in self.doubtful_drugs() for key in (d, *groups.get(d, ())))
        return replace(found, doubtful=doubtful - found.keys)

    def doubtful_drugs(self) -> frozenset[str]:
        """Other drugs whose supply is used up and that may be taken still."""
        left = [m for m in self.patient.medications if m.may_go_on and m.route not in OUTER_ROUTES]
        drugs = frozenset(drug for m in left for drug in m.ingredients if drug != self.drug)
        return drugs.difference(drug for taken, _ in self._beside() for drug in taken) if drugs else drugs

    def _beside(self) -> list[tuple[tuple[str, ...], str]]:
        """The ingredients of what is taken or drafted, and the reference of each."""
        taken = [(m.ingredients, m.reference) for m in self.medications() if m.route not in OUTER_ROUTES]
        taken += [(o.ingredients, o.reference) for o in self.others if o.route not in OUTER_ROUTES]
        return [*taken, (self.order.ingredients, self.order.reference)]

    def takes_of(self, group: str) -> bool:
        """Whether a drug of the group is taken for certain: a draft is not taken yet, and what may have ended may not
        be taken any more."""
        given = [m for m in self.medications() if not m.may_have_ended and m.route not in OUTER_ROUTES]
        return any(group in self.knowledge.groups_by_drug.get(d, ()) for m in given for d in m.ingredients)

    def age_years(self) -> Range | None:
        """Age today in years; None when the birth date is not known."""
        born = self.patient.birth_date
        if born is None:
            return None
        return years_between(latest(born), self.today), years_between(earliest(born), self.today)

    def drugs_beside(self, keys: Collection[str]) -> frozenset[str]:
        """The other drugs, taken or drafted, that the keys name themselves or by a group of theirs."""
        return self._named({d for drugs, _ in self._beside() for d in drugs if d != self.drug}, keys)

    def doubtful_of(self, keys: Collection[str]) -> frozenset[str]:
        """The other drugs that may be taken still and that the keys name, where they name nothing that is taken."""
        doubtful = self.evidence(Fact.COMEDICATION).doubtful
        return self._named(self.doubtful_drugs(), doubtful.intersection(keys))

    def _named(self, drugs: Iterable[str], keys: Collection[str]) -> frozenset[str]:
        groups = self.knowledge.groups_by_drug
        return frozenset(d for d in drugs if not frozenset(keys).isdisjoint((d, *groups.get(d, ()))))

    def conditions(self) -> Evidence:
        """Condition keys of the patient's record, with what each key implies."""
        found = [(c.keys, c.reference) for c in self.patient.conditions]
        return self._implied(found, complete=self.is_complete(Query.CONDITIONS))

    def indication(self) -> Evidence:
        """Condition keys of the order's reason. Where the order does not say why, those of the record, which
        never rule an indication out: a record rarely tells what a drug is for."""
        if self.order.reasons:
            return self._implied([(self.order.reasons, self.order.reference)], complete=True)
        recorded = self.evidence(Fact.CONDITION)
        return Evidence(recorded.keys, recorded.said, complete=False)

    def reactions(self) -> Evidence:
        """Drug ids and condition keys of recorded allergies and earlier reactions."""
        found = [(a.keys.union(a.ingredients), a.reference) for a in self.patient.allergies]
        return self._implied(found, complete=self.is_complete(Query.ALLERGIES))

    def family_history(self, *, of_mothers_line: bool = False) -> Evidence:
        """Condition keys of relatives of the first and second degree, or of those who may be of the mother's line."""
        near = [f for f in self.patient.family if f.degree <= SECOND_DEGREE]
        found = [(f.keys, f.reference) for f in near if f.of_mothers_line or not of_mothers_line]
        return self._implied(found, complete=self.is_complete(Query.FAMILY))

    def _implied(self, found: list[tuple[frozenset[str], str]], *, complete: bool) -> Evidence:
        said = [(implied(keys, self.knowledge), reference) for keys, reference in found]
        return _collected(said, complete=complete)


_QUERY_OF = {
    Fact.AGE: Query.PATIENT,
    Fact.SEX: Query.PATIENT,
    Fact.WEIGHT: Query.RESULTS,
    Fact.DAILY_DOSE_PER_KG: Query.RESULTS,
    Fact.INDICATION: Query.CONDITIONS,
    Fact.CONDITION: Query.CONDITIONS,
    Fact.REACTION: Query.ALLERGIES,
    Fact.FAMILY_HISTORY: Query.FAMILY,
    Fact.MOTHERS_LINE: Query.FAMILY,
    Fact.COMEDICATION: Query.MEDICATIONS,
    Fact.EXPOSURE: Query.MEDICATIONS,
}
"""The query that would tell a fact; what the order itself says (route, dose) needs none."""

_OF_THE_PATIENT = frozenset({Fact.CONDITION, Fact.REACTION, Fact.FAMILY_HISTORY, Fact.MOTHERS_LINE})
"""Facts that are the same for every order."""


def _collected(said: Sequence[KeysSaid], *, complete: bool) -> Evidence:
    return Evidence(frozenset().union(*[keys for keys, _ in said]), tuple(said), complete)
