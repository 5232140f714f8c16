"""Two pages for people: what this is, and the attributes of its decision support. And one for programs: the routes
as an OpenAPI document (`openapi.yaml`).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
import yaml
from flask import Blueprint, Response, render_template

from cds_service import __version__
from cds_service.web.runtime import Runtime

_OPENAPI = Path(__file__).with_name("openapi.yaml")


@cache
def openapi() -> dict[str, Any]:
    """The document, of this version."""
    document: dict[str, Any] = yaml.safe_load(_OPENAPI.read_text(encoding="utf-8"))
    document["info"]["version"] = __version__
    return document


def blueprint(runtime: Runtime) -> Blueprint:
    pages = Blueprint("pages", __name__, template_folder="templates")
    knowledge = runtime.service.knowledge
    cited = {table.source for table in knowledge.tables.values()}
    reviewed = sum(bool(table.review.by) for table in knowledge.tables.values())
    url = runtime.settings.public_url
    on_each_page = {"version": __version__, "knowledge": knowledge, "base": urlsplit(url).path}

    @pages.get("/")
    def home() -> str:
        return render_template("home.html", **on_each_page, url=url, services=tuple(runtime.services.values()))

    @pages.get("/about/decision-support")
    def decision_support() -> str:
        sources = sorted((s for s in knowledge.sources.values() if s.id in cited), key=lambda s: s.title)
        return render_template(
            "decision_support.html",
            **on_each_page,
            reviewed=reviewed,
            sources=sources,
            used=runtime.service.wording.catalogue["source_attributes"],
        )

    @pages.get("/openapi.json")
    def routes() -> Response:
        servers = {"servers": [{"url": url}]} if url else {}
        return Response(orjson.dumps(openapi() | servers), content_type="application/json")

    @pages.get("/style.css")
    def style() -> Response:
        return Response(render_template("style.css"), content_type="text/css; charset=utf-8")

    return pages
