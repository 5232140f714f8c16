"""What the blueprints share: one object, made by `create_app`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date

from cds_service.answer import AnswerResult, Service
from cds_service.callers.clients import Clients
from cds_service.fetching.fetcher import Fetcher
from cds_service.hooks.discovery import ServiceDefinition
from cds_service.hooks.requests import HookRequest
from cds_service.model import Query, QueryResult
from cds_service.settings import Settings
from cds_service.store.outbox import Outbox
from cds_service.store.store import KnowledgeStamp, Store
from cds_service.web.unfilled import UnfilledKeys

Answer = Callable[[HookRequest, Mapping[Query, QueryResult], Service, date], AnswerResult]


@dataclass(frozen=True, slots=True)
class Runtime:
    settings: Settings
    service: Service
    services: Mapping[str, ServiceDefinition]
    """By id."""
    fetcher: Fetcher
    store: Store
    outbox: Outbox
    answer: Answer
    clients: Clients | None
    """None: nobody is authenticated."""
    unfilled: UnfilledKeys = field(default_factory=UnfilledKeys)

    @property
    def stamp(self) -> KnowledgeStamp:
        return KnowledgeStamp(self.service.knowledge.version, self.service.knowledge.content_hash)
