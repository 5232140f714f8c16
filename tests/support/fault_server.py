"""A server on loopback that does to a client what its script says, byte by byte.

`pytest-httpserver` answers well-formed HTTP; this one answers anything: half a header, a body that trickles, a reset.
"""

from __future__ import annotations

import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass

HOST = "127.0.0.1"
_REQUEST_ENDS = b"\r\n\r\n"
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Exchange:
    """One request and the means to answer it. `target` is path and query as sent; `attempt` counts from 1 how
    often it was asked for.
    """

    connection: socket.socket
    target: str
    head: str
    attempt: int
    base_url: str
    stopping: threading.Event

    def send(self, content: bytes) -> None:
        self.connection.sendall(content)

    def answer(
        self, body: bytes, status: str = "200 OK", headers: Mapping[str, str] | None = None, *, framed: bool = True
    ) -> None:
        """A whole answer; without `framed` the headers say nothing of its length unless they are given."""
        said = {"Content-Type": "application/fhir+json"}
        said |= {"Content-Length": str(len(body))} if framed else {}
        lines = [f"{name}: {value}\r\n" for name, value in (said | dict(headers or {})).items()]
        self.send(f"HTTP/1.1 {status}\r\n{''.join(lines)}\r\n".encode("latin-1"))
        self.send(body)

    def trickle(self, content: bytes, pause_s: float) -> None:
        """`content` byte by byte, then silence, until the client leaves or the server stops."""
        for n in range(len(content)):
            self.send(content[n : n + 1])
            if self.stopping.wait(pause_s):
                return
        self.hang()

    def hang(self) -> None:
        """Silence until the client leaves or the server stops."""
        self.connection.settimeout(0.05)
        while not self.stopping.is_set():
            try:
                if not self.connection.recv(65536):
                    return
            except TimeoutError:
                continue

    def reset(self) -> None:
        """The connection ends with RST."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self.end()

    def end(self) -> None:
        """Nothing more is sent or read. Raises ConnectionError to leave the script."""
        raise ConnectionAbortedError


Script = Callable[[Exchange], None]


class FaultServer:
    """Answers each request by `script`. With `greets` the script is run at once for each connection, before
    anything was read (`target` is empty then). `targets` are the requests so far.
    """

    def __init__(self, script: Script, *, accepts: bool = True, greets: bool = False) -> None:
        self._script = script
        self._greets = greets
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._asked: Counter[str] = Counter()
        self._connections: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self.heads: list[str] = []
        self.connections_made = 0
        self._listener = socket.create_server((HOST, 0), backlog=128 if accepts else 0)
        self.port: int = self._listener.getsockname()[1]
        self.base_url = f"http://{HOST}:{self.port}/fhir"
        if accepts:
            self._start(self._accept)

    @property
    def open_connections(self) -> int:
        with self._lock:
            return len(self._connections)

    def close(self) -> None:
        self._stopping.set()
        with self._lock:
            for connection in self._connections:
                _shut(connection)
        _shut(self._listener)
        self._listener.close()
        for thread in tuple(self._threads):
            thread.join(5)

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self._connections.add(connection)
                self.connections_made += 1
            self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                if self._greets:
                    self._script(self._exchange(connection, "", ""))
                for head in _requests(connection):
                    target = head.split(" ")[1]
                    self._script(self._exchange(connection, target, head))
            except OSError:
                pass  # the client left, the script ended the connection, or the server stops
            finally:
                with self._lock:
                    self._connections.discard(connection)

    def _exchange(self, connection: socket.socket, target: str, head: str) -> Exchange:
        with self._lock:
            self._asked[target] += 1
            self.heads.append(head)
            attempt = self._asked[target]
        return Exchange(connection, target, head, attempt, self.base_url, self._stopping)


def _requests(connection: socket.socket) -> Iterator[str]:
    """The head of each request of the connection; none of ours has a body."""
    arrived = b""
    while True:
        while _REQUEST_ENDS not in arrived:
            piece = connection.recv(65536)
            if not piece:
                return
            arrived += piece
        head, _, arrived = arrived.partition(_REQUEST_ENDS)
        yield head.decode("latin-1")


def _shut(sock: socket.socket) -> None:
    with suppress(OSError):  # it is shut already
        sock.shutdown(socket.SHUT_RDWR)


@contextmanager
def serving(script: Script, *, accepts: bool = True, greets: bool = False) -> Iterator[FaultServer]:
    server = FaultServer(script, accepts=accepts, greets=greets)
    try:
        yield server
    finally:
        server.close()


def closed_port() -> int:
    """A port on which nobody listens."""
    with socket.create_server((HOST, 0)) as listener:
        port: int = listener.getsockname()[1]
    return port
