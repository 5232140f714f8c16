"""CORS on every path, errors included: a browser-based client must be able to read why it was refused."""

from __future__ import annotations

from flask import Flask, Response


def install(app: Flask, origin: str) -> None:
    """`origin` is the one origin that may call, or `*`. Tokens travel in headers, so no credentials mode."""

    def allow(response: Response) -> Response:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Allow-Methods"] = "GET, POST, OPTIONS"
        response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type, Accept"
        response.headers["Access-Control-Max-Age"] = "600"
        if origin != "*":
            response.headers.add("Vary", "Origin")
        return response

    app.after_request(allow)
