"""What a browser is told about each answer: nothing of ours runs, is framed, guessed at or kept."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from flask import Flask, Response

HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "Content-Security-Policy": (
            "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        ),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }
)


def install(app: Flask) -> None:
    def tell(response: Response) -> Response:
        response.headers.update(HEADERS)
        return response

    app.after_request(tell)
