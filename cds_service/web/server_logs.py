"""gunicorn's own lines as JSON like ours, without what they would quote of a request."""

from __future__ import annotations

from gunicorn.config import Config
from gunicorn.glogging import Logger

from cds_service.web.logs import JsonLines


class ServerLogger(Logger):  # type: ignore[misc]
    """gunicorn's logger; named by `cds-service serve`."""

    def setup(self, cfg: Config) -> None:
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(JsonLines())
