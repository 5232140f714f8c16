"""`create_app`: the only place that puts everything together, and the only one that imports `web`."""

from __future__ import annotations

from flask import Flask

from cds_service import __version__
from cds_service.answer import Service, answer, load_service
from cds_service.callers.clients import Clients, load_clients
from cds_service.errors import SettingsError
from cds_service.fetching.connections import Reach
from cds_service.fetching.fetcher import Fetcher, Limits
from cds_service.fetching.rxnav import RxNav
from cds_service.offered import offered_by
from cds_service.settings import Settings
from cds_service.store.outbox import Outbox
from cds_service.store.store import Store
from cds_service.web import access, authentication, cds, cors, errors, headers, health, logs, pages
from cds_service.web.rates import Rates
from cds_service.web.runtime import Answer, Runtime


def create_app(
    settings: Settings,
    service: Service | None = None,
    answer_with: Answer = answer,
    *,
    clients: Clients | None = None,
    make_tables: bool = True,
) -> Flask:
    """The WSGI application. `service` and `clients` may be given where they are loaded already (workers share them).
    Raises SettingsError, and what `load` raises where it loads the service itself; StoreError when tables cannot be
    made.
    """
    clients = clients or clients_of(settings)
    service = service or load(settings)
    store = Store(settings.database_url, make_tables=make_tables)
    runtime = Runtime(
        settings=settings,
        service=service,
        services=offered_by(service),
        fetcher=Fetcher(_limits(settings, clients)),
        store=store,
        outbox=Outbox(store, _tell_of_outbox),
        answer=answer_with,
        clients=clients,
    )
    app = Flask("cds_service.web", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.largest_request_bytes
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.extensions["cds_service"] = runtime
    logs.install(settings.log_level)
    access.install(app)
    cors.install(app, settings.cors_origin)
    headers.install(app)
    errors.install(app)
    _authenticate(app, runtime)
    for module in (cds, health, pages):
        app.register_blueprint(module.blueprint(runtime))
    return app


def clients_of(settings: Settings) -> Clients | None:
    """Who may call; None in development, where nobody is authenticated. Raises SettingsError where the file of
    clients is faulty, or missing without that being said to be meant.
    """
    if settings.clients is not None:
        return load_clients(settings.clients, development=settings.development, reach=_reach(settings))
    if settings.development:
        return None
    raise SettingsError(
        "CDS_CLIENTS: needed to serve: the file that names who may call (SECURITY.md). On a developer's machine "
        "CDS_DEVELOPMENT=true serves this machine alone, without it"
    )


def _authenticate(app: Flask, runtime: Runtime) -> None:
    settings, clients = runtime.settings, runtime.clients
    if settings.development:
        logs.log_always("development_mode", level="WARNING", message=_what_is_off(settings, clients))
        authentication.install_for_development(app)
    if clients is None:
        return
    guard = authentication.Guard(clients, settings.public_url, settings.longest_token_s)
    authentication.install(app, guard, runtime.store, Rates(settings.calls_per_second))
    clients.start()


def _what_is_off(settings: Settings, clients: Clients | None) -> str:
    off = "plain http is allowed, and servers may lie in any network; this machine alone may call"
    if clients is not None:
        return f"CDS_DEVELOPMENT=true: {off}"
    servers = "those of CDS_FHIR_SERVERS" if settings.fhir_servers else "any FHIR server"
    return f"CDS_DEVELOPMENT=true: callers are not authenticated, no rate is limited, {servers} may be read, {off}"


def load(settings: Settings) -> Service:
    """What an answer is made of, as the settings say. Raises KnowledgeError, PolicyError and TerminologyError."""
    timeout_s = settings.rxnav_timeout_ms / 1000
    codes = RxNav(settings.rxnav_url, timeout_s, _reach(settings)) if settings.rxnav_url else None
    return load_service(settings.policy, settings.terminology, codes)


def tell_serving(settings: Settings, service: Service, clients: Clients | None) -> None:
    """Say in the log what is in force from now on: the versions, and who may call."""
    logs.install(settings.log_level)
    logs.log(
        "serving",
        version=__version__,
        knowledge_version=service.knowledge.version,
        knowledge=service.knowledge.content_hash,
        policy=service.policy.content_hash,
        clients=sorted(client.name for client in clients.by_issuer.values()) if clients else [],
    )


def close(app: Flask) -> None:
    """Write what waits to be written, and let go of the connections and threads that `app` holds."""
    runtime: Runtime = app.extensions["cds_service"]
    if runtime.clients is not None:
        runtime.clients.close()
    runtime.fetcher.close()
    runtime.outbox.close()
    runtime.store.close()


def _tell_of_outbox(event: str, answers: int, fault: str) -> None:
    logs.log(event, level="ERROR", answers=answers, fault=fault)


def _limits(settings: Settings, clients: Clients | None) -> Limits:
    named = clients.fhir_servers if clients else frozenset(settings.fhir_servers)
    any_server = settings.development and not named and clients is None
    return Limits(
        servers=None if any_server else named,
        largest_bytes=settings.largest_fhir_answer_bytes,
        workers=settings.fetch_workers,
        reach=_reach(settings),
    )


def _reach(settings: Settings) -> Reach:
    return Reach(None if settings.development else settings.private_networks, settings.ca_bundle)
