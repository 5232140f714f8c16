"""A fresh app for each test, with an answer that the test chooses."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from cds_service.answer import AnswerResult, Service, answer
from cds_service.app import close, create_app
from cds_service.model import Patient
from cds_service.settings import Settings
from cds_service.web.runtime import Answer
from tests.support import tokens, world
from tests.support.calls import answer_nothing
from tests.support.tokens import PUBLIC_URL

ClientFactory = Callable[..., FlaskClient]


@pytest.fixture(scope="session")
def service() -> Service:
    return world.service()


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, object]:
    """What a test may change before it asks for a client."""
    return {"database_url": f"sqlite:///{tmp_path / 'store.sqlite'}", "log_level": "ERROR", "development": True}


@pytest.fixture
def client_with(service: Service, settings: dict[str, object]) -> Iterator[ClientFactory]:
    """Makes a client of an app that answers with `answer_with`, else really."""
    apps = []

    def make(answer_with: Answer = answer, **changes: object) -> FlaskClient:
        app = create_app(Settings(**settings | changes), service, answer_with)
        apps.append(app)
        return app.test_client()

    yield make
    for app in apps:
        close(app)


@pytest.fixture
def client(client_with: ClientFactory) -> FlaskClient:
    """A client of an app that has nothing to say on any request."""
    return client_with(lambda request, *_: AnswerResult({"cards": []}, (), Patient(request.question.patient_id)))


@pytest.fixture
def caplog_json(caplog: pytest.LogCaptureFixture) -> Iterator[Callable[[str], list[dict[str, Any]]]]:
    """The log lines of an event. The service's logger does not propagate, so the handler is put on it."""
    logger = logging.getLogger("cds_service")
    logger.addHandler(caplog.handler)
    yield lambda event: [
        line for record in caplog.records if (line := json.loads(record.getMessage()))["event"] == event
    ]
    logger.removeHandler(caplog.handler)


@pytest.fixture
def guarded(client_with: ClientFactory, tmp_path: Path) -> ClientFactory:
    """Makes clients of apps, each a worker of its own, on one database."""

    def make(*entries: dict[str, Any], **changes: Any) -> FlaskClient:
        fields = {"development": False, "clients": tokens.clients_file(tmp_path, *entries), "public_url": PUBLIC_URL}
        return client_with(answer_nothing, **fields | {"log_level": "WARNING"} | changes)

    return make


@pytest.fixture
def reasons() -> Iterator[list[str]]:
    """Why callers were refused, from the log."""
    found: list[str] = []

    class Reader(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            line = json.loads(record.getMessage())
            if line["event"] == "unauthenticated":
                found.append(line["reason"])

    reader = Reader()
    logging.getLogger("cds_service").addHandler(reader)
    yield found
    logging.getLogger("cds_service").removeHandler(reader)
