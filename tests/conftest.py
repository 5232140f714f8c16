"""What holds for every test: none inherits the logging that another one's application set up, and none is timed."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import hypothesis
import pytest

from tests.support.logs import logging_restored

# The first example may load the knowledge, and the machine may be busy: speed is for the benchmarks.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")


@pytest.fixture(scope="module", autouse=True)
def _logging_of_the_module() -> Iterator[None]:
    """What an application that a module shares does to the service's logger ends with the module."""
    with logging_restored():
        yield


@pytest.fixture(autouse=True)
def _own_logging() -> Iterator[None]:
    """The service's logger as it is before any application is created."""
    with logging_restored() as logger:
        logger.propagate = True
        logger.setLevel(logging.NOTSET)
        yield
