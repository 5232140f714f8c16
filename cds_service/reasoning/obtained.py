"""What became of the queries, and which of them tell a marker."""

from __future__ import annotations

from cds_service.knowledge.base import Knowledge
from cds_service.knowledge.derived import observables_telling
from cds_service.model import Availability, GapReason, Patient, Query, is_of_tumour, is_of_variants

_LOST = frozenset({Availability.PARTIAL, Availability.FAILED})
_WORST_FIRST = (Availability.FAILED, Availability.PARTIAL, Availability.MISSING, Availability.COMPLETE)


def is_lost(query: Query, patient: Patient) -> bool:
    """Whether the query was asked, and not answered in full."""
    return patient.availability.get(query) in _LOST


def why_lost(query: Query, patient: Patient) -> GapReason:
    """How a lost query was lost, as the reason of a gap."""
    is_partial = patient.availability.get(query) is Availability.PARTIAL
    return GapReason.PARTIAL if is_partial else GapReason.NOT_OBTAINED


def queries_telling(marker: str, knowledge: Knowledge) -> tuple[Query, ...]:
    """The queries among whose results the marker's stand. The Genomics Reporting guide puts a variant under one code
    whether it is a tumour's or inherited, so those of tumours stand among the other results too.
    """
    if not is_of_tumour(marker):
        return (Query.RESULTS,)
    told_by = observables_telling(knowledge).get(marker, (marker,))
    return (Query.TUMOUR_RESULTS, Query.RESULTS) if any(map(is_of_variants, told_by)) else (Query.TUMOUR_RESULTS,)


def results_availability(marker: str, patient: Patient, knowledge: Knowledge) -> Availability:
    """What became of the results that would tell the marker: of several queries the worst counts."""
    found = [patient.availability.get(query, Availability.MISSING) for query in queries_telling(marker, knowledge)]
    return min(found, key=_WORST_FIRST.index)
