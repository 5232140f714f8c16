"""Whether the search behind the other results took in those of tumours, where their own key was never sent."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from cds_service.model import Availability, Query, QueryResult
from cds_service.reading.chart import Chart
from cds_service.reading.observed import OF_TUMOUR
from cds_service.reading.records import Record
from cds_service.reading.shapes import Resource, codings, concept_texts, fold, objects, text_at

_LOST = (Availability.PARTIAL, Availability.FAILED)
_WHOSE = frozenset({"patient", "subject"})
_WHOLE = _WHOSE | {"_count", "_sort", "_format", "_pretty", "_total", "_include"}
"""Parameters of a search that leave no result out."""
_SEARCHES = ("Observation", "Observation/_search")


def with_tumours(
    availability: Mapping[Query, Availability], answered: Mapping[Query, QueryResult], chart: Chart
) -> Mapping[Query, Availability]:
    """What became of the queries, that for tumours as the other results tell it: lost with them, since its results
    may be among them; had with them, where their search left nothing out or found what only tumours are asked for."""
    others = availability[Query.RESULTS]
    if availability[Query.TUMOUR_RESULTS] is not Availability.MISSING:
        return availability
    is_told = (
        others in _LOST or _is_whole(answered[Query.RESULTS]) or any(_is_of_tumour(r, chart) for r in chart.records)
    )
    return {**availability, Query.TUMOUR_RESULTS: others} if is_told else availability


def _is_of_tumour(record: Record, chart: Chart) -> bool:
    """Whether a result under the key of the others would not be there, had these alone been asked for."""
    code = record.resource.get("code")
    if record.kind != "Observation" or record.query is not Query.RESULTS or code is None:
        return False
    named = (chart.lexicon.observable_names.get(fold(text), "") for text in concept_texts(code))
    return any(i.startswith(OF_TUMOUR) for i in (*chart.lexicon.observables_of(codings(code)), *named))


def _is_whole(result: QueryResult) -> bool:
    """Whether a Bundle says of itself that it answers a search for all results of a patient."""
    bundles = (r for r in result.resources if r.get("resourceType") == "Bundle")
    return any(_asks_for_all(_own_links(bundle)) for bundle in bundles)


def _own_links(bundle: Resource) -> Iterable[str]:
    return (text_at(link, "url") for link in objects(bundle.get("link")) if text_at(link, "relation") == "self")


def _asks_for_all(addresses: Iterable[str]) -> bool:
    return any(_is_for_all(*address.partition("?")[::2]) for address in addresses)


def _is_for_all(path: str, query: str) -> bool:
    asked = {re.split("[:=]", parameter, maxsplit=1)[0] for parameter in query.split("&")}
    return path.endswith(_SEARCHES) and bool(asked & _WHOSE) and asked <= _WHOLE
