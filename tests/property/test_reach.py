"""What is said not to reach a drug's tables really changes nothing there."""

from __future__ import annotations

from random import Random

from cds_service.knowledge.derived import reached_drugs
from cds_service.knowledge.reach import modifier_key
from cds_service.knowledge.schema import Fact, Predicate
from cds_service.model import Availability, Order, Patient, Query
from cds_service.reasoning import evaluate
from tests.support.world import TODAY, knowledge, service

PAIRS = 400


def _reaches(draft: str, drug: str) -> bool:
    known = knowledge()
    keys = {draft, *known.groups_by_drug.get(draft, ())}
    keys |= {modifier_key(m.enzyme) for m in known.modulators_by_drug.get(draft, ())}
    return bool(keys & known.comedications_by_drug[drug])


def _findings(drug: str, *beside: str) -> set[tuple[str, str, str, str]]:
    orders = tuple(Order(f"Draft/{d}", d, (d,), selected=d == drug) for d in (drug, *beside))
    patient = Patient("testperson", availability=dict.fromkeys(Query, Availability.COMPLETE))
    found = evaluate(orders, patient, knowledge(), service().policy, TODAY)
    return {(f.table, f.kind.value, f.row, f.silent) for f in found if f.drug == drug}


def test_a_drug_that_does_not_reach_a_table_changes_nothing_in_it():
    chance = Random(20261125)
    drugs, others = sorted(knowledge().tables_by_drug), sorted(knowledge().drugs)
    pairs = [(chance.choice(others), chance.choice(drugs)) for _ in range(PAIRS)]
    apart = [(draft, drug) for draft, drug in pairs if draft != drug and not _reaches(draft, drug)]
    assert len(apart) > PAIRS / 2
    for draft, drug in apart:
        assert _findings(drug, draft) == _findings(drug), f"{draft} beside {drug}"


def test_the_drugs_that_a_draft_reaches_are_found_at_once():
    guided = knowledge().tables_by_drug
    for draft in {*knowledge().drugs, *knowledge().groups_by_drug, *knowledge().modulators_by_drug}:
        expected = {drug for drug in guided if _reaches(draft, drug)}
        assert reached_drugs(knowledge()).get(draft, frozenset()) == expected, draft


def test_the_pairs_that_matter_do_reach():
    assert _reaches("paroxetine", "codeine")
    assert _reaches("febuxostat", "azathioprine")
    assert not _reaches("amoxicillin", "codeine")


def test_every_comedication_that_a_table_names_anywhere_is_among_its_keys():
    def named(predicate: Predicate):
        if predicate.fact is Fact.COMEDICATION:
            yield from predicate.is_in
        for part in (*predicate.all, *predicate.any, *predicate.none):
            yield from named(part)

    for table in knowledge().tables.values():
        asked = [*table.population.fits]
        for use in table.markers.values():
            asked += [*use.risks, *use.required_when, *(s.when for s in use.spoilers)]
        keys = {key for p in asked for key in named(p)}
        for drug in table.drugs:
            assert keys <= knowledge().comedications_by_drug[drug], table.id
