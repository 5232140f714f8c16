"""One call over HTTP, and what was wrong with its answer."""

from __future__ import annotations

from http.client import HTTPConnection, HTTPException

PATH = "/cds-services/order-sign"
HOST = "127.0.0.1"


def fault(connection: HTTPConnection, content: bytes, headers: dict[str, str] | None = None) -> str:
    """Call, and say why that came to nothing; the empty text for an answer of 200 with a card. After a fault of the
    connection it is closed, and opens again with the next call.
    """
    try:
        connection.request("POST", PATH, content, {"Content-Type": "application/json", **(headers or {})})
        response = connection.getresponse()
        answer = response.read()
    except (OSError, HTTPException) as broken:
        connection.close()
        return type(broken).__name__
    return fault_of(response.status, answer)


def fault_of(status: int, answer: bytes) -> str:
    """Each of our bodies draws a card: an answer without one is as wrong as an error."""
    if status != 200:
        return f"status {status}"
    return "" if b'"summary"' in answer else "no card"
