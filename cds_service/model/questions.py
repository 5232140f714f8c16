"""What a request asks, and what became of the queries behind it. Raw resources pass through unread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from cds_service.model.reasons import GapReason, Shortfall


class Availability(StrEnum):
    """What became of one of the queries that the service depends on (`Query`)."""

    COMPLETE = "complete"
    """Answered, possibly with nothing: known empty."""
    PARTIAL = "partial"
    """Answered, but pages or entries are missing."""
    MISSING = "missing"
    """Never asked and never sent."""
    FAILED = "failed"
    """Asked, and refused, late or broken."""


class Query(StrEnum):
    """The queries of discovery; their values are the prefetch keys."""

    PATIENT = "patient"
    MEDICATIONS = "medications"
    RESULTS = "results"
    TUMOUR_RESULTS = "tumour_results"
    CONDITIONS = "conditions"
    ALLERGIES = "allergies"
    REQUESTS = "requests"
    FAMILY = "family"


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that could not be read or obtained. `about` is a query, a resource reference or a drug name
    as ordered; `detail` tells a person more and holds no patient data."""

    about: str
    reason: GapReason
    detail: str = ""
    query: Query | None = None
    observables: tuple[str, ...] = ()
    """What it would have told of (`gene:CYP2D6`), where that is known."""


@dataclass(frozen=True, slots=True)
class QueryResult:
    """What came of one query. `resources` are FHIR resources as decoded JSON, unread."""

    availability: Availability
    resources: tuple[Mapping[str, object], ...] = ()
    reason: Shortfall = Shortfall.NONE


@dataclass(frozen=True, slots=True)
class Question:
    """What a hook asks about. `resources` are the drafted resources (requests, and Medications beside them) as
    decoded JSON; `selections` names the drafts in question (None: all of them); `active` is true where the
    orders are medicines already taken (patient-view: `resources` is empty and the patient's active medicines
    are the orders); `wanted` are references to be looked up among the query results (order-dispatch), as they were
    sent: an absolute one may be of another server."""

    hook: str
    patient_id: str
    resources: tuple[Mapping[str, object], ...] = ()
    selections: frozenset[str] | None = None
    active: bool = False
    wanted: tuple[str, ...] = ()
    gaps: tuple[Gap, ...] = ()
    """Entries that were no resources at all, found by the hook layer."""
    server: str = ""
    """Base URL of the FHIR server whose record is asked about; empty where the request names none."""
    being_written: bool = False
    """Whether drafts may still lack their drug (order-select)."""
