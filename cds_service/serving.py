"""`cds-service serve`: gunicorn's master process loads and checks what is configured, and its workers use that.

A worker that reads files or makes tables while it starts may fail, and gunicorn ends all of a service of which one
worker fails to start. So a worker reads nothing but what the master hands it, also one that is started again later.
"""

from __future__ import annotations

import gc
from collections.abc import Mapping

from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter

from cds_service.app import clients_of, create_app, load, tell_serving
from cds_service.callers.clients import Clients
from cds_service.errors import CdsError
from cds_service.settings import Settings


class Server(BaseApplication):  # type: ignore[misc]
    """gunicorn, configured by us alone. Knowledge and clients are loaded once and shared by the workers; connections
    and threads are each worker's own.
    """

    def __init__(self, settings: Settings, clients: Clients | None, options: Mapping[str, object]) -> None:
        """Raises KnowledgeError, PolicyError and TerminologyError."""
        self._settings = settings
        self._clients = clients
        self._options = options
        gc.disable()
        self._service = load(settings)
        gc.freeze()  # what is loaded stays: to look through it again would hold an answer up by 0.1 s now and then
        gc.enable()
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> object:
        return create_app(self._settings, self._service, clients=self._clients, make_tables=False)

    def run(self) -> None:
        tell_serving(self._settings, self._service, self._clients)
        _Master(self).run()

    def read_clients(self) -> None:
        """Read the file of clients again, for the workers to come. Raises SettingsError, and changes nothing then."""
        self._clients = clients_of(self._settings)
        tell_serving(self._settings, self._service, self._clients)


class _Master(Arbiter):  # type: ignore[misc]
    """gunicorn's master, which would end everything where a file that it is to read again has a fault."""

    def handle_hup(self) -> None:
        try:
            self.app.read_clients()
        except CdsError:
            self.log.exception("not read again, and what was read last stays in force")
        else:
            super().handle_hup()
