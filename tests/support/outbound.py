"""A world in which every name leads to this machine, where somebody listens: what is sent anywhere is seen."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from unittest.mock import patch

from tests.support.fault_server import FaultServer, serving

OWN_HOST = "fhir.ehr.example.org"
LOOPBACK = "127.0.0.1"

HOSTILE_HOSTS = (
    # this machine, by any of its spellings
    "127.0.0.1", "localhost", "LOCALHOST", "localhost.", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.0.0.1",
    "0177.0.0.1", "017700000001", "0000127.0.0.1", "127.0.0.1.", "[::1]", "[::]", "0.0.0.0", "0",
    "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]",
    "[fe80::1%25lo]", "[::1%lo]",
    # private networks and what clouds tell their own machines
    "10.0.0.1", "172.16.0.1", "192.168.0.1", "169.254.169.254", "[fd00:ec2::254]", "2852039166", "0xa9fea9fe",
    "[::ffff:169.254.169.254]", "metadata.google.internal", "100.100.100.200",
    # names that look like ours
    f"{OWN_HOST}.evil.example", f"evil-{OWN_HOST}", f"evil.{OWN_HOST}", "fhir.ehr.example.com", "ehr.example.org",
    "fhir-ehr.example.org", "fhir.ehr.examp1e.org", "fhir.ehr.ex\u0430mple.org", "fhir.ehr.xn--exmple-4nf.org",
    "\uff46hir.ehr.example.org", "fhir\u3002ehr\u3002example\u3002org", "fhir.ehr.example.or\u0261",
    "fh\u0131r.ehr.example.org", "fhir.ehr.example.org%2eevil.example", "fhir%2eehr%2eexample%2eorg",
    "fhir.ehr.example.org%00.evil.example", "fhir.ehr.example.org\u200b", f"{OWN_HOST}..", "fhir..ehr.example.org",
    "\u24d5hir.ehr.example.org", "fhir.ehr.example.\u00adorg",
    # credentials, and other places where parsers put the host
    f"{OWN_HOST}@127.0.0.1", f"{OWN_HOST}:443@127.0.0.1", f"{OWN_HOST}%40127.0.0.1", "@127.0.0.1",
    f"127.0.0.1\\@{OWN_HOST}", f"127.0.0.1#@{OWN_HOST}", f"127.0.0.1?@{OWN_HOST}", f"127.0.0.1/@{OWN_HOST}",
    f"127.0.0.1;{OWN_HOST}", f"127.0.0.1 {OWN_HOST}", f"127.0.0.1\t{OWN_HOST}", f"127.0.0.1\r\nHost: {OWN_HOST}",
    f"127.0.0.1%0d%0aHost:%20{OWN_HOST}", f"127.0.0.1%09{OWN_HOST}", f"127.0.0.1,{OWN_HOST}",
)  # fmt: skip

_WHOLE = (
    # our own host, with another port, scheme or path
    "http://{own}:{spy}/fhir", "http://{own}/fhir", "https://{own}:{port}/fhir", "ftp://{own}:{port}/fhir",
    "file:///etc/passwd", "gopher://127.0.0.1:{spy}/_", "//{own}:{spy}/fhir", "http:{own}:{spy}/fhir",
    "http:///{own}:{spy}/fhir", "http:\\\\{own}:{spy}\\fhir", "javascript:alert(1)", "data:application/json,{{}}",
    "http://{own}:{port}/fhir/../admin", "http://{own}:{port}/fhir/%2e%2e/admin", "http://{own}:{port}/fhir/..%2fadmin",
    "http://{own}:{port}/fhir/..;/admin", "http://{own}:{port}/fhir/%252e%252e/admin", "http://{own}:{port}/admin",
    "http://{own}:{port}/fhir/..\\admin", "http://{own}:{port}/fhirevil", "http://{own}:{port}/FHIR",
    "http://{own}:{port}/%66hir", "http://{own}:{port}//fhir", "http://{own}:{port}", "http://{own}:99999/fhir",
    "http://{own}:{port}:{spy}/fhir", "http://{own}:{port}/fhir/\u2025/admin", "http://user:secret@{own}:{port}/fhir",
    "http://@{own}:{port}/fhir", "http://{own}:{port}/fhir#x", "http://{own}:{port}/fhir\r\nX-Injected: 1",
)  # fmt: skip


@dataclass
class Outbound:
    """`server` is the configured one, at `base_url`; nobody should ever call `spy`. `looked_up` and `called` are
    the names and addresses of everything that this process asked for.
    """

    server: FaultServer
    spy: FaultServer
    looked_up: list[str] = field(default_factory=list)
    called: list[tuple[str, int]] = field(default_factory=list)

    @property
    def base_url(self) -> str:
        return f"http://{OWN_HOST}:{self.server.port}/fhir"

    def hostile(self) -> list[str]:
        """Every hostile base URL; those of other hosts lead to the spy's port."""
        whole = [text.format(own=OWN_HOST, port=self.server.port, spy=self.spy.port) for text in _WHOLE]
        return [self.address(host) for host in HOSTILE_HOSTS] + whole

    def address(self, host: str) -> str:
        return f"http://{host}:{self.spy.port}/fhir"

    def assert_only_the_server_was_called(self) -> None:
        assert self.spy.connections_made == 0
        assert set(self.looked_up) <= {OWN_HOST, LOOPBACK}  # what our host was looked up to be is passed on
        assert {address for address in self.called if address[1] != self.server.port} == set()
        assert [head for head in self.server.heads if not head.startswith("GET /fhir/")] == []
        assert [head for head in self.server.heads if f"\r\nHost: {OWN_HOST}:" not in head] == []
        assert [head for head in self.server.heads if "admin" in head or "Injected" in head] == []


HOSTILE_COUNT = len(HOSTILE_HOSTS) + len(_WHOLE)


@contextmanager
def watched(server: FaultServer, spy: FaultServer) -> Iterator[Outbound]:
    """Every name is this machine, so that a call to any of them reaches the spy; all of them are written down."""
    world = Outbound(server, spy)
    really_look_up, really_connect = socket.getaddrinfo, socket.socket.connect

    def look_up(host: str, port: int, *arguments: object, **settings: object):
        world.looked_up.append(host)
        return really_look_up(LOOPBACK, port, *arguments, **settings)

    def connect(self: socket.socket, address: tuple[str, int]) -> None:
        world.called.append(address)
        if address[0] != LOOPBACK:
            raise ConnectionRefusedError
        really_connect(self, address)

    server.heads.clear()
    with (
        patch.object(socket, "getaddrinfo", look_up),
        patch.object(socket.socket, "connect", connect),
    ):
        yield world


@contextmanager
def spying() -> Iterator[FaultServer]:
    with serving(lambda exchange: exchange.answer(b"{}")) as spy:
        yield spy
