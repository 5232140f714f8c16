"""Pages of a search as real servers send them: `total` counts all of them, and a flaw on one of them stays."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_httpserver import HTTPServer

from cds_service.codes import LOINC, Coding
from cds_service.fetching.deadline import Deadline
from cds_service.fetching.fetcher import Fetcher, Limits
from cds_service.fetching.prefetch import resources_in
from cds_service.hooks.discovery import services
from cds_service.hooks.requests import parse
from cds_service.model import Availability, Query, QueryResult

SIGN = next(s for s in services({Query.RESULTS: (Coding(LOINC, "84413-4"),)}) if s.id == "order-sign")
ERROR = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "processing"}]}


@pytest.fixture
def fetcher() -> Iterator[Fetcher]:
    fetcher = Fetcher(Limits())
    yield fetcher
    fetcher.close()


def observation(n):
    return {"resourceType": "Observation", "id": f"o{n}", "subject": {"reference": "Patient/p1"}}


def results(fetcher: Fetcher, server: HTTPServer, *pages) -> QueryResult:
    """What comes of the results query when the server gives `pages`, each (entries, total)."""
    bundles = []
    for n, (entries, total) in enumerate(pages):
        following = [{"relation": "next", "url": server.url_for(f"/fhir?page={n + 1}")}] if n + 1 < len(pages) else []
        bundles.append({"resourceType": "Bundle", "total": total, "link": following, "entry": entries})
    for n, bundle in enumerate(bundles[1:], start=1):
        server.expect_request("/fhir", query_string=f"page={n}").respond_with_json(bundle)
    body = {
        "hook": "order-sign",
        "hookInstance": "i",
        "fhirServer": server.url_for("/fhir"),
        "context": {"patientId": "p1", "draftOrders": {"resourceType": "Bundle"}},
        "prefetch": {query.value: None for query in Query} | {"results": bundles[0]},
    }
    return fetcher.resolve(parse(body, SIGN), Deadline.after(5))[Query.RESULTS]


def entries(*resources):
    return [{"resource": resource} for resource in resources]


def test_the_total_is_that_of_all_pages(fetcher, httpserver):
    pages = [(entries(observation(1), observation(2)), 5), (entries(observation(3), observation(4)), 5)]
    found = results(fetcher, httpserver, *pages, (entries(observation(5)), 5))
    assert (found.availability, found.reason) == (Availability.COMPLETE, "")
    assert [resource["id"] for resource in resources_in(found.resources)] == ["o1", "o2", "o3", "o4", "o5"]


def test_fewer_than_the_total_over_all_pages_is_partial(fetcher, httpserver):
    found = results(fetcher, httpserver, (entries(observation(1)), 3), (entries(observation(2)), 3))
    assert (found.availability, found.reason) == (Availability.PARTIAL, "fewer_than_total")


@pytest.mark.parametrize(("bad", "reason"), [({"resource": ERROR}, "refused"), ({}, "unreadable")])
def test_a_flaw_on_an_earlier_page_is_not_made_good_by_the_last(fetcher, httpserver, bad, reason):
    found = results(fetcher, httpserver, ([*entries(observation(1)), bad], 2), (entries(observation(2)), 2))
    assert (found.availability, found.reason) == (Availability.PARTIAL, reason)


def test_an_entry_that_a_later_page_repeats_counts_once(fetcher, httpserver):
    found = results(fetcher, httpserver, (entries(observation(1)), 2), (entries(observation(1)), 2))
    assert (found.availability, found.reason) == (Availability.PARTIAL, "fewer_than_total")


def test_the_total_of_an_earlier_page_counts_where_the_last_one_has_none(fetcher, httpserver):
    found = results(fetcher, httpserver, (entries(observation(1)), 3), (entries(observation(2)), None))
    assert (found.availability, found.reason) == (Availability.PARTIAL, "fewer_than_total")


def test_what_stands_beside_the_matches_may_have_a_page_of_its_own(fetcher, httpserver):
    patient = {"resourceType": "Patient", "id": "p1"}
    found = results(fetcher, httpserver, (entries(observation(1)), 1), (entries(patient), 1))
    assert (found.availability, found.reason) == (Availability.COMPLETE, "")
