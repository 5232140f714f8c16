"""What is said of a patient in another way gets the same answer: codes or words, units, shapes, dates, places.

Every case of `tests/cases` and every fixture is written otherwise by each way of `tests.support.rewriting`; some
of those that it changes are tried. `test_same_findings` has the order of entries, and prefetch or fetch.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache, partial
from itertools import islice
from random import Random
from typing import NamedTuple

import pytest

from cds_service.answer import Service, evaluate
from cds_service.fetching.prefetch import prefetched_results
from cds_service.hooks.requests import parse
from cds_service.model import Finding
from tests.acceptance.test_cases import CASE_PARAMETERS, policy_of
from tests.support import fixtures, medicine_rewriting, result_rewriting, rewriting
from tests.support.build import hook_request
from tests.support.rewriting import Json, Rewrite
from tests.support.world import TODAY, definition, drug_codes, service

MOST = 30
"""How many of the requests that a way changes are tried."""


class Said(NamedTuple):
    """A request as JSON, and the service that answers it."""

    name: str
    written: str
    service: Service

    @property
    def body(self) -> Json:
        """A copy of its own each time."""
        body: Json = json.loads(self.written)
        return body


@cache
def requests() -> tuple[Said, ...]:
    """All of them, in an order that mixes their kinds and is the same each time."""
    of_fixtures = ((name, fixtures.read("requests", name)) for name in fixtures.names())
    every = [*_cases(), *(Said(name, json.dumps(body), service()) for name, body in of_fixtures)]
    Random(0).shuffle(every)
    return tuple(every)


def _cases() -> Iterator[Said]:
    for parameter in CASE_PARAMETERS:
        (case,) = parameter.values
        body = hook_request(case, drug_codes(), TODAY, case.get("hook", "order-sign"))
        yield Said(str(parameter.id), json.dumps(body), replace(service(), policy=policy_of(case)))


def told(said: Said, body: Json) -> list[tuple[object, ...]]:
    """What is found, but for the words of the record that were changed."""
    request = parse(body, definition(body["hook"]))
    results = prefetched_results(request.prefetch, request.question.patient_id)
    return sorted(map(_of, evaluate(request.question, results, said.service, TODAY)[1]), key=repr)


def _of(f: Finding) -> tuple[object, ...]:
    tests = tuple((t.marker, t.test, t.order_it, t.specimen, t.due_days) for t in f.tests)
    gaps = tuple(sorted(gap.reason for gap in f.gaps))
    offered = tuple((a.drug, a.refused) for a in f.alternatives)
    advice = (f.row, f.indicator, f.resulting, f.advice, f.hold, offered, f.assumptions)
    drug = f.drug if f.drug in service().knowledge.drugs else ""
    return (f.kind, f.silent, f.order.reference, f.caused_by, drug, f.table, *advice, tests, f.closed_markers, gaps)


@cache
def usual(name: str) -> list[tuple[object, ...]]:
    """What is found where nothing is said otherwise."""
    said = next(said for said in requests() if said.name == name)
    return told(said, said.body)


def rewritten(way: Rewrite) -> Iterator[tuple[Said, Json]]:
    """The first requests that the way changes, and what it makes of them."""
    tried = ((said, said.body) for said in requests())
    return islice(((said, body) for said, body in tried if way(body)), MOST)


def ways(known: Mapping[str, Rewrite]) -> list[object]:
    return [pytest.param(way, id=name.replace(" ", "-")) for name, way in known.items()]


ALL = {
    f"{group} {name}": way
    for group, known in {
        "medicine": medicine_rewriting.MEDICINES,
        "dose": medicine_rewriting.DOSES,
        "result": result_rewriting.RESULTS,
        "finding": result_rewriting.FINDINGS,
        "genotype": result_rewriting.GENOTYPES,
        "condition": rewriting.CONDITIONS,
        "request": rewriting.REQUESTS,
    }.items()
    for name, way in known.items()
}


@pytest.mark.parametrize("way", ways(ALL))
def test_the_same_said_otherwise_gets_the_same_answer(way: Rewrite) -> None:
    tried = list(rewritten(way))
    assert tried
    assert [said.name for said, body in tried if told(said, body) != usual(said.name)] == []


WITHOUT_RESULTS = partial(rewriting.emptied, "Observation")
WITHOUT_CONDITIONS = partial(rewriting.emptied, "Condition")
TAKEN_BACK = {name: (way, WITHOUT_RESULTS) for name, way in rewriting.WITHDRAWN.items()} | {
    name: (way, WITHOUT_CONDITIONS) for name, way in rewriting.RULED_OUT.items()
}


@pytest.mark.parametrize(("way", "without"), [pytest.param(*both, id=name) for name, both in TAKEN_BACK.items()])
def test_what_is_taken_back_counts_as_if_it_had_never_been_sent(way: Rewrite, without: Rewrite) -> None:
    tried = list(rewritten(way))
    bare = {said.name: said.body for said, _ in tried}
    assert tried
    assert all(without(body) for body in bare.values())
    answered = {name: body for name, body in bare.items() if not _leaves_a_procedure_alone(body)}
    compared = [(said, body) for said, body in tried if said.name in answered]
    assert [said.name for said, body in compared if told(said, body) != told(said, answered[said.name])] == []


def _leaves_a_procedure_alone(body: Json) -> bool:
    """A Bundle of procedures alone answers another question than for results: it counts as partial."""
    held = (value.get("entry", []) for value in body["prefetch"].values() if value)
    return any({entry["resource"]["resourceType"] for entry in entries} == {"Procedure"} for entries in held)
