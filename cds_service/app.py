"""`create_app`: the only place that puts everything together, and the only one that imports `web`."""

from __future__ import annotations

from types import MappingProxyType

from flask import Flask

from cds_service.answer import Service, answer, load_service, result_codes
from cds_service.fetching.fetcher import Fetcher, Limits
from cds_service.fetching.rxnav import RxNav
from cds_service.hooks.discovery import services
from cds_service.settings import Settings
from cds_service.store.store import Store
from cds_service.web import cds, cors, errors, health, logs, pages
from cds_service.web.runtime import Answer, Runtime


def create_app(settings: Settings, service: Service | None = None, answer_with: Answer = answer) -> Flask:
    """The WSGI application. `service` may be given where it is loaded already (workers share it). Raises
    KnowledgeError, PolicyError, and StoreError when the database cannot be opened.
    """
    service = service or load(settings)
    runtime = Runtime(
        settings=settings,
        service=service,
        services=MappingProxyType({s.id: s for s in services(result_codes(service.knowledge))}),
        fetcher=Fetcher(_limits(settings)),
        store=Store(settings.database_url),
        answer=answer_with,
    )
    app = Flask("cds_service.web", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.largest_request_bytes
    app.url_map.strict_slashes = False
    app.extensions["cds_service"] = runtime
    logs.install(settings.log_level)
    cors.install(app, settings.cors_origin)
    errors.install(app)
    for module in (cds, health, pages):
        app.register_blueprint(module.blueprint(runtime))
    return app


def load(settings: Settings) -> Service:
    """What an answer is made of, as the settings say. Raises KnowledgeError, PolicyError and TerminologyError."""
    codes = RxNav(settings.rxnav_url, settings.rxnav_timeout_ms / 1000) if settings.rxnav_url else None
    return load_service(settings.policy, settings.terminology, codes)


def close(app: Flask) -> None:
    """Let go of the connections that `app` holds."""
    runtime: Runtime = app.extensions["cds_service"]
    runtime.fetcher.close()
    runtime.store.close()


def _limits(settings: Settings) -> Limits:
    any_server = settings.development and not settings.fhir_servers
    return Limits(
        servers=None if any_server else frozenset(settings.fhir_servers),
        largest_bytes=settings.largest_fhir_answer_bytes,
        workers=settings.fetch_workers,
    )
