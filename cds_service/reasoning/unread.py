"""Orders and lists that were asked about and could not be read: silence on them would read as "no risk"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cds_service.model import Availability, Finding, Gap, GapReason, Kind, Order, Patient, Query

_ORDER_NOT_READ = frozenset(
    {
        GapReason.NOT_AVAILABLE,
        GapReason.NO_DRUG,
        GapReason.UNREADABLE,
        GapReason.WRONG_PATIENT,
        GapReason.UNSUPPORTED_VERSION,
        GapReason.UNKNOWN_STATUS,
        GapReason.UNSUPPORTED_KIND,
    }
)
_AN_ORDER = re.compile(r"(?:.*/)?Medication[a-z]+[/#]|#|[^/#]+$", re.IGNORECASE)
"""What an order may be named by: `Type/id`, its place in the request, its address on another server, or anything that
does not say its type, such as `urn:uuid:`.
"""


def unread_orders(patient: Patient) -> Iterator[Finding]:
    """A finding for each order of the request that could not be read."""
    for gap in patient.gaps:
        of_the_request = gap.query is None and _AN_ORDER.match(gap.about)
        if of_the_request and gap.reason in _ORDER_NOT_READ:
            order = Order(reference=gap.about, name="", ingredients=())
            yield Finding(Kind.NOT_ASSESSED, order, drug="", table="", gaps=(gap,))


def unread_medicines(patient: Patient) -> Iterator[Finding]:
    """A finding where only a part of the list of medicines was read."""
    if patient.availability[Query.MEDICATIONS] is Availability.PARTIAL:
        told = (gap for gap in patient.gaps if (gap.about, gap.reason) == (Query.MEDICATIONS, GapReason.INCOMPLETE))
        gap = next(told, Gap(Query.MEDICATIONS.value, GapReason.INCOMPLETE, query=Query.MEDICATIONS))
        the_list = Order(reference=Query.MEDICATIONS.value, name="", ingredients=(), active=True)
        yield Finding(Kind.NOT_ASSESSED, the_list, drug="", table="", gaps=(gap,))
