"""ServiceRequests drafted for signature: of a test, or to somebody who is to be asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from cds_service.errors import AnswerError
from cds_service.writing.drafts import reference_to
from cds_service.writing.text import filled
from cds_service.writing.validity import fault

Json = Mapping[str, Any]


def drafted_request(
    code: Json,
    reasons: Sequence[str],
    patient_id: str,
    today: date,
    *,
    category: Sequence[Json] = (),
    priority: str = "routine",
    occurrence_period: Json | None = None,
    note: str = "",
) -> Json:
    """A draft of what `code`, with its text, names. Raises AnswerError where it is not valid FHIR R4B."""
    request = filled(
        resourceType="ServiceRequest",
        status="draft",
        intent="order",
        category=list(category),
        priority=priority,
        code=code,
        subject={"reference": reference_to(patient_id)},
        occurrencePeriod=occurrence_period,
        authoredOn=today.isoformat(),
        reasonCode=[{"text": reason} for reason in reasons],
        note=[{"text": note}] if note else [],
    )
    wrong = fault(request)
    if wrong:
        raise AnswerError(f"ServiceRequest for {code['text']}: not valid as FHIR R4B: {wrong}")
    return request
