"""Connections that come together are shared among the workers."""

from __future__ import annotations

import logging
import selectors
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from gunicorn.config import Config

from cds_service.web import server


@contextmanager
def waiting(count: int) -> Iterator[socket.socket]:
    """A listening socket at which so many clients wait."""
    with ExitStack() as stack:
        door = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        for _ in range(count):
            stack.enter_context(socket.create_connection(door.getsockname()))
        yield door


@contextmanager
def worker_at(door: socket.socket, workers: int) -> Iterator[server.Worker]:
    """One of so many workers, which answers nobody."""
    settings = Config()
    settings.set("workers", workers)
    worker = server.Worker(1, 1, [door], None, 30, settings, logging.getLogger("test"))
    worker.poller = selectors.DefaultSelector()
    taken: list[object] = []
    worker.enqueue_req = taken.append
    yield worker
    worker.poller.close()
    worker.tmp.close()
    for connection in taken:
        connection.close()


def look(worker: server.Worker, times: int) -> int:
    """Let the worker go through its loop; how many connections it has then."""
    for _ in range(times):
        worker.set_accept_enabled(True)
        worker.wait_for_and_dispatch_events(0.0)
    return worker.nr_conns


@pytest.mark.parametrize(("workers", "taken"), [(1, 3), (2, 1)])
def test_who_took_a_connection_leaves_the_next_ones_to_others(workers, taken, monkeypatch):
    monkeypatch.setattr(server, "_step_back_s", lambda _connections: 60.0)
    with waiting(3) as door, worker_at(door, workers) as worker:
        assert look(worker, times=5) == taken


def test_whom_nobody_else_takes_is_not_left_waiting():
    with waiting(3) as door, worker_at(door, workers=2) as worker:
        assert look(worker, times=1) == 1
        until_s = time.monotonic() + 5
        while look(worker, times=1) < 3:
            assert time.monotonic() < until_s


def test_the_more_a_worker_has_the_longer_it_steps_back(monkeypatch):
    seen: list[int] = []
    monkeypatch.setattr(server, "_step_back_s", lambda connections: seen.append(connections) or 0.0)
    with waiting(3) as door, worker_at(door, workers=2) as worker:
        look(worker, times=3)
    assert seen == [1, 2, 3]
