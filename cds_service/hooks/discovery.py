"""The services that we offer and the data that they ask for (CDS Hooks 2.0.1, Discovery).

Each hook has an id of its own: with one id for several hooks the public Sandbox keeps only the last.
Templates use `{{context.patientId}}` alone, a root-level token that every plain 2.0 client can fill.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from urllib.parse import quote

from cds_service.codes import Coding
from cds_service.model import Query

SPECIFICATION_VERSION = "2.0.1"
PATIENT_TOKEN = "{{context.patientId}}"  # noqa: S105  a template token, no secret


class Hook(StrEnum):
    ORDER_SELECT = "order-select"
    ORDER_SIGN = "order-sign"
    PATIENT_VIEW = "patient-view"
    ORDER_DISPATCH = "order-dispatch"
    MEDICATION_REFILL = "medication-refill"


@dataclass(frozen=True, slots=True)
class ServiceDefinition:
    """One entry of discovery. `prefetch` maps a query to its template."""

    id: str
    hook: Hook
    title: str
    description: str
    hook_version: str
    usage_requirements: str
    prefetch: Mapping[Query, str]


TEMPLATES: Mapping[Query, str] = MappingProxyType(
    {
        Query.PATIENT: f"Patient/{PATIENT_TOKEN}",
        Query.MEDICATIONS: f"MedicationRequest?patient={PATIENT_TOKEN}&status=active,on-hold",
        Query.RESULTS: f"Observation?patient={PATIENT_TOKEN}&code={{codes}}",
        Query.TUMOUR_RESULTS: f"Observation?patient={PATIENT_TOKEN}&code={{codes}}",
        Query.CONDITIONS: f"Condition?patient={PATIENT_TOKEN}",
        Query.ALLERGIES: f"AllergyIntolerance?patient={PATIENT_TOKEN}",
        Query.REQUESTS: f"ServiceRequest?patient={PATIENT_TOKEN}&status=active,on-hold",
        Query.FAMILY: f"FamilyMemberHistory?patient={PATIENT_TOKEN}",
    }
)

_DEGRADED = (
    "Works with prefetch alone. What is neither prefetched nor readable from fhirServer counts as not known, "
    "never as normal, and the cards say so where it matters."
)
_QUESTION = "and says whether a known result changes them, or whether a test exists whose result would."
_NEEDS_ORDERS = (
    "Needs the patient's active medications, by prefetch or from fhirServer; without them the answer is 412. "
    f"{_DEGRADED}"
)


_OFFERED = (
    (
        Hook.ORDER_SELECT,
        "Is there a test that would change this order? (while ordering)",
        "1.0",
        f"Looks at the selected medication orders {_QUESTION}",
        _DEGRADED,
    ),
    (
        Hook.ORDER_SIGN,
        "Is there a test that would change this order? (before signing)",
        "1.0",
        f"Looks at all medication orders about to be signed {_QUESTION}",
        _DEGRADED,
    ),
    (
        Hook.PATIENT_VIEW,
        "Is there a result that changes a current medicine?",
        "1.0",
        "Asks the same question of the medicines that the patient already takes.",
        _NEEDS_ORDERS,
    ),
    (
        Hook.ORDER_DISPATCH,
        "Is there a test that would change this order? (at dispatch)",
        "1.1",
        "Asks the same question of the medication orders that are being sent to a performer.",
        _NEEDS_ORDERS,
    ),
    (
        Hook.MEDICATION_REFILL,
        "Is there a result that changes this refill?",
        "0.1.0",
        "Asks the same question of the medicines whose refill is requested.",
        _DEGRADED,
    ),
)
"""Hook, title, version of the hook's page, description, requirements."""


def services(result_codes: Mapping[Query, Iterable[Coding]]) -> tuple[ServiceDefinition, ...]:
    """The services on offer. `result_codes` are the observation codes that the knowledge can use, by the query that
    asks for them: results are asked for by code, since a missing category must not hide one.
    """
    prefetch = _prefetch(result_codes)
    return tuple(
        ServiceDefinition(hook.value, hook, title, description, version, requirements, prefetch)
        for hook, title, version, description, requirements in _OFFERED
    )


def discovery(offered: Iterable[ServiceDefinition]) -> dict[str, object]:
    """The body of `GET /cds-services`."""
    return {"services": [_entry(service) for service in offered]}


def _entry(service: ServiceDefinition) -> dict[str, object]:
    return {
        "hook": service.hook.value,
        "id": service.id,
        "title": service.title,
        "description": service.description,
        "version": SPECIFICATION_VERSION,
        "hookVersion": service.hook_version,
        "usageRequirements": service.usage_requirements,
        "prefetch": {query.value: template for query, template in service.prefetch.items()},
    }


def _prefetch(result_codes: Mapping[Query, Iterable[Coding]]) -> Mapping[Query, str]:
    """The templates. A query by code that has no codes is left out: it would ask for everything."""
    codes = {query: _tokens(found) for query, found in result_codes.items()}
    filled = {query: template.replace("{codes}", codes.get(query, "")) for query, template in TEMPLATES.items()}
    return MappingProxyType({query: path for query, path in filled.items() if not path.endswith("=")})


def _tokens(codes: Iterable[Coding]) -> str:
    # A code without a system is asked for bare: `|code` would mean a code that has none.
    return ",".join(sorted({quote(f"{c.system}|{c.code}" if c.system else c.code, safe=":/|") for c in codes}))
