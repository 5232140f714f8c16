"""The way by which a medicine is taken, as its instructions, its form and its product say it."""

from __future__ import annotations

from cds_service.memory import remembered_by_text
from cds_service.reading.shapes import codings, concept_texts, fold, objects, text_at, whole_words
from cds_service.reading.vocabulary import ROUTE_CODES, ROUTE_WORDS


def route_through(said: str, of_product: str) -> str:
    """The route said, else the product's. What a patch on the skin holds goes through it."""
    through_skin = said == "topical" and of_product == "transdermal"
    return of_product if through_skin else said or of_product


def route_of(instructions: object) -> str:
    """The first route that dosage instructions say, in their route or in their text; empty where they say none."""
    parts = objects(instructions)
    by_route = (route_of_concept(part.get("route")) for part in parts)
    by_text = (_route_in(text_at(part, "text")) for part in parts)
    return next((route for route in (*by_route, *by_text) if route), "")


def route_of_concept(concept: object) -> str:
    """`oral`, `topical`, ... of a route or dose form; empty where it is not known."""
    by_code = (ROUTE_CODES.get(coding.code, "") for coding in codings(concept))
    by_text = (_route_in(text) for text in concept_texts(concept))
    return next((route for route in (*by_code, *by_text) if route), "")


@remembered_by_text
def _route_in(text: str) -> str:
    """The route that whole words of the text name, the narrower one before the wider."""
    return next((ROUTE_WORDS[word] for word in whole_words(ROUTE_WORDS, fold(text))), "")
