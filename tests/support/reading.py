"""Resources read as the whole record of a patient, whatever their types."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from cds_service.knowledge.base import Knowledge
from cds_service.model import Availability, DrugIndex, Query, QueryResult, Question
from cds_service.reading import Read, read


def read_record(
    resources: Iterable[object], index: DrugIndex, knowledge: Knowledge, today: date, *, patient_id: str = ""
) -> Read:
    """Every query is answered, and the medicines found are the orders; without `patient_id` no subject is checked."""
    answered = dict.fromkeys(Query, QueryResult(Availability.COMPLETE))
    sent = tuple(item if isinstance(item, Mapping) else {} for item in resources)
    answered[Query.RESULTS] = QueryResult(Availability.COMPLETE, sent)
    return read(Question("patient-view", patient_id, active=True), answered, index, knowledge, today)
