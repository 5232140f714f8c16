"""The way of a request on one page: read, evaluate, write.

The same three steps serve HTTP, the command line and any run over recorded requests.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from cds_service import reading, reasoning, writing
from cds_service.errors import RequestError
from cds_service.hooks.discovery import Hook
from cds_service.hooks.requests import HookRequest
from cds_service.hooks.responses import checked
from cds_service.knowledge.base import Knowledge
from cds_service.knowledge.load import load_knowledge
from cds_service.model import (
    Availability,
    DrugCodes,
    DrugIndex,
    Finding,
    Patient,
    Query,
    QueryResult,
    Question,
    Shortfall,
)
from cds_service.policy import Policy, load_policy, site_codes
from cds_service.policy_names import check_names
from cds_service.reading import Read
from cds_service.terminology import open_index
from cds_service.writing import Wording, load_wording

_OBTAINED = frozenset({Availability.COMPLETE, Availability.PARTIAL})
_HOOKS_THAT_NEED_MEDICATIONS = frozenset({Hook.PATIENT_VIEW, Hook.ORDER_DISPATCH})


@dataclass(frozen=True, slots=True)
class Service:
    """Everything immutable that an answer is made of. Reloading swaps the whole."""

    knowledge: Knowledge
    policy: Policy
    index: DrugIndex
    wording: Wording


@dataclass(frozen=True, slots=True)
class AnswerResult:
    """The response body, and what it was made from."""

    body: dict[str, object]
    findings: tuple[Finding, ...]
    patient: Patient


def load_service(
    policy_path: Path | None = None, terminology: Path | None = None, drug_codes: DrugCodes | None = None
) -> Service:
    """`terminology` is an imported release, `drug_codes` what is asked for codes that are known nowhere else. Raises
    KnowledgeError, TerminologyError and PolicyError, the last also where the policy names what the knowledge lacks.
    """
    knowledge = load_knowledge()
    policy = load_policy(policy_path)
    check_names(policy, knowledge)
    index = open_index(knowledge, database=terminology, address=drug_codes)
    return Service(knowledge, policy, index, load_wording())


def answer(request: HookRequest, results: Mapping[Query, QueryResult], service: Service, today: date) -> AnswerResult:
    """The answer to `request`, given what came of its queries. Raises RequestError 412 where the orders
    themselves could not be obtained, and AnswerError for an answer that must not be sent.
    """
    _need_orders(request, results)
    read, findings = evaluate(request.question, results, service, today)
    _need_some_left(request, results, read)
    body = writing.write(
        findings,
        read.patient,
        read.drafts,
        service.knowledge,
        service.policy,
        service.wording,
        today,
        request.service.hook.value,
    )
    return AnswerResult(checked(body), findings, read.patient)


def evaluate(
    question: Question, results: Mapping[Query, QueryResult], service: Service, today: date
) -> tuple[Read, tuple[Finding, ...]]:
    """What was read and every finding, the silent ones included."""
    policy = service.policy
    read = reading.read(
        question,
        results,
        service.index,
        service.knowledge,
        today,
        catalogue=policy.catalogue,
        site_codes=site_codes(policy),
    )
    findings = reasoning.evaluate(read.orders, read.patient, service.knowledge, policy, today)
    lists = reasoning.unread_medicines(read.patient) if question.hook == Hook.PATIENT_VIEW else ()
    return read, (*findings, *reasoning.unread_orders(read.patient), *lists)


def reason_codes(service: Service) -> frozenset[str]:
    """The codes of the reasons that cards offer for not following them."""
    own = {reason.code for reason in service.policy.override_reasons}
    return frozenset(own | service.wording.catalogue["override_reasons"].keys())


def _need_orders(request: HookRequest, results: Mapping[Query, QueryResult]) -> None:
    """These hooks have no order in their request: without the patient's medications nothing can be said, and
    an answer without cards would read as "all clear".
    """
    if request.service.hook not in _HOOKS_THAT_NEED_MEDICATIONS:
        return
    medications = results[Query.MEDICATIONS]
    if medications.availability not in _OBTAINED and not medications.resources:
        raise _no_orders(medications)


def _need_some_left(request: HookRequest, results: Mapping[Query, QueryResult], read: Read) -> None:
    """The same where something came and no medicine could be read of it. A dispatched order has a card of its own."""
    is_whole = read.patient.availability[Query.MEDICATIONS] is Availability.COMPLETE
    if request.service.hook is Hook.PATIENT_VIEW and not is_whole and not read.orders:
        raise _no_orders(results[Query.MEDICATIONS])


def _no_orders(medications: QueryResult) -> RequestError:
    why = medications.reason or Shortfall.UNREADABLE
    return RequestError(
        412,
        "incomplete",
        f"the medication orders could not be obtained ({why}): send them under the prefetch key "
        f"'{Query.MEDICATIONS}', or give fhirServer and fhirAuthorization",
        f"prefetch.{Query.MEDICATIONS}",
    )
