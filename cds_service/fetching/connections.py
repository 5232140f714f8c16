"""HTTP connections that lead only where they may, and whose answers end when their time is up.

A name is looked up once, and the connection goes to the address that was looked at: a name that is answered
differently the second time gains nothing.

The timeout of a socket starts anew with each piece that arrives: a server that trickles could hold a thread for
as long as it likes. Here the read timeout of a request is that of its whole answer (status line, headers and
body), and a line of the protocol has a length that it may not pass.
"""

from __future__ import annotations

import io
import socket
from dataclasses import dataclass
from functools import partial
from http.client import HTTPResponse, LineTooLong
from ipaddress import IPv4Network, IPv6Network, ip_address
from pathlib import Path
from ssl import VERIFY_X509_PARTIAL_CHAIN, VERIFY_X509_STRICT, SSLContext
from typing import Any

from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.util.connection import create_connection
from urllib3.util.ssl_ import create_urllib3_context

from cds_service.fetching.addresses import ip_of, is_public
from cds_service.fetching.deadline import Deadline

_LONGEST_LINE_BYTES = 65_536
_BUFFER_BYTES = 65_536


IpNetwork = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Reach:
    """Where connections may lead, and which authorities vouch for a server.

    A host that is named by its IP address was meant: it may be anything. A name may lead to public addresses, and
    to those of `private_networks`; None: to any address.
    """

    private_networks: tuple[IpNetwork, ...] | None = None
    ca_bundle: Path | None = None
    """A PEM file of authorities that are trusted beside the public ones."""

    def allows(self, host: str, address: str) -> bool:
        """Whether the connection to `host` may go to the IP address that its name was looked up to be."""
        if self.private_networks is None or ip_of(host) is not None:
            return True
        found = ip_address(address.partition("%")[0])
        return is_public(found) or any(found in network for network in self.private_networks)


class ForbiddenAddress(OSError):
    """A name leads to an address that it must not lead to."""


class BoundedAdapter(HTTPAdapter):
    """The transport of a `requests` session, with connections of this module."""

    def __init__(self, reach: Reach, **settings: Any) -> None:
        self._reach = reach
        super().__init__(**settings)

    def init_poolmanager(self, *arguments: Any, **settings: Any) -> None:
        super().init_poolmanager(*arguments, ssl_context=_trusting(self._reach.ca_bundle), **settings)
        manager: PoolManager = self.poolmanager
        # The pools hand what they do not know on to their connections.
        pools: Any = {"http": partial(_Pool, reach=self._reach), "https": partial(_SecurePool, reach=self._reach)}
        manager.pool_classes_by_scheme = pools

    def cert_verify(self, *_: Any) -> None:
        """Nothing is left to do: `requests` would have each connection read the public authorities, which takes more
        time than many an answer, and those of all queries begin at once.
        """


def _trusting(ca_bundle: Path | None) -> SSLContext:
    """What verifies the servers of all connections: the public authorities, and those of `ca_bundle`. Python verifies
    after RFC 5280 from 3.13 on; here it does so in each version, so that an upgrade refuses no server.
    """
    context = create_urllib3_context()
    context.verify_flags |= VERIFY_X509_PARTIAL_CHAIN | VERIFY_X509_STRICT
    context.load_verify_locations(DEFAULT_CA_BUNDLE_PATH)
    if ca_bundle is not None:
        context.load_verify_locations(ca_bundle)
    return context


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


class _Reaching(HTTPConnection):
    """Goes where its `Reach` allows."""

    def __init__(self, *arguments: Any, reach: Reach, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self._reach = reach

    def _new_conn(self) -> socket.socket:
        """A connection to the first address that answers. Raises what urllib3 raises, and ForbiddenAddress where
        every address of the host is one.
        """
        fault: Exception = ForbiddenAddress(f"{self.host} leads to no address that it may lead to")
        for address in _looked_up(self):
            if self._reach.allows(self.host, address):
                try:
                    return self._connected(address)
                except ConnectTimeoutError:
                    raise
                except NewConnectionError as refused:
                    fault = refused
        raise fault

    def _connected(self, address: str) -> socket.socket:
        try:
            return create_connection(
                (address, self.port),
                self.timeout,
                source_address=self.source_address,
                socket_options=self.socket_options,
            )
        except TimeoutError as fault:
            raise ConnectTimeoutError(self, "the connection took too long") from fault
        except OSError as fault:
            raise NewConnectionError(self, "no connection") from fault


def _looked_up(connection: HTTPConnection) -> list[str]:
    """The IP addresses of a connection's host. Raises NameResolutionError."""
    try:
        found = socket.getaddrinfo(connection.host, connection.port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as fault:
        told = fault if isinstance(fault, socket.gaierror) else socket.gaierror(str(fault))
        raise NameResolutionError(connection.host, connection, told) from fault
    return [str(where[0]) for *_, where in found]


class _Connection(_Reaching):
    response_class = _Answer


class _SecureConnection(_Reaching, HTTPSConnection):
    response_class = _Answer


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection
