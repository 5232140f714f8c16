"""HTTP connections whose answers end when their time is up.

The timeout of a socket starts anew with each piece that arrives: a server that trickles could hold a thread for
as long as it likes. Here the read timeout of a request is that of its whole answer (status line, headers and
body), and a line of the protocol has a length that it may not pass.
"""

from __future__ import annotations

import io
import socket
from collections.abc import Mapping
from http.client import HTTPResponse, LineTooLong
from types import MappingProxyType
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection

from cds_service.fetching.deadline import Deadline

_LONGEST_LINE_BYTES = 65_536
_BUFFER_BYTES = 65_536


class BoundedAdapter(HTTPAdapter):
    """The transport of a `requests` session, with connections of this module."""

    def init_poolmanager(self, *arguments: Any, **settings: Any) -> None:
        super().init_poolmanager(*arguments, **settings)
        manager: PoolManager = self.poolmanager
        manager.pool_classes_by_scheme = dict(_POOLS)


class _TimedSocket(io.RawIOBase):
    """What arrives at a socket, until the timeout that the socket has at the start has passed in all."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._arriving = sock.makefile("rb", buffering=0)
        timeout_s = sock.gettimeout()
        self._deadline = None if timeout_s is None else Deadline.after(timeout_s)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self._deadline is not None:
            remaining_s = self._deadline.remaining_s()
            if not remaining_s:
                raise TimeoutError("the answer was not complete in time")
            self._socket.settimeout(remaining_s)
        return self._arriving.readinto(buffer)

    def close(self) -> None:
        self._arriving.close()
        super().close()


class _BoundedReader(io.BufferedReader):
    """Reads no endless line: `http.client` bounds those of the headers, nobody those between chunks."""

    def readline(self, size: int | None = -1, /) -> bytes:
        longest = _LONGEST_LINE_BYTES + 1
        line = super().readline(longest if size is None or not 0 <= size <= longest else size)
        if len(line) >= longest:
            raise LineTooLong("line of the answer")
        return line


class _Answer(HTTPResponse):
    def __init__(self, sock: socket.socket, *arguments: Any, **settings: Any) -> None:
        super().__init__(sock, *arguments, **settings)
        self.fp.close()
        self.fp = _BoundedReader(_TimedSocket(sock), _BUFFER_BYTES)


class _Connection(HTTPConnection):
    response_class = _Answer


class _SecureConnection(HTTPSConnection):
    response_class = _Answer


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


_POOLS: Mapping[str, type[HTTPConnectionPool]] = MappingProxyType({"http": _Pool, "https": _SecurePool})
