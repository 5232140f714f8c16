"""Two pages for people: what this is, and the attributes of its decision support."""

from __future__ import annotations

from flask import Blueprint, Response, render_template

from cds_service import __version__
from cds_service.web.runtime import Runtime


def blueprint(runtime: Runtime) -> Blueprint:
    pages = Blueprint("pages", __name__, template_folder="templates")
    knowledge = runtime.service.knowledge
    cited = {table.source for table in knowledge.tables.values()}

    @pages.get("/")
    def home() -> str:
        return render_template(
            "home.html", version=__version__, knowledge=knowledge, services=tuple(runtime.services.values())
        )

    @pages.get("/about/decision-support")
    def decision_support() -> str:
        sources = sorted((s for s in knowledge.sources.values() if s.id in cited), key=lambda s: s.title)
        return render_template(
            "decision_support.html",
            version=__version__,
            knowledge=knowledge,
            sources=sources,
            used=runtime.service.wording.catalogue["source_attributes"],
        )

    @pages.get("/style.css")
    def style() -> Response:
        return Response(render_template("style.css"), content_type="text/css; charset=utf-8")

    return pages
