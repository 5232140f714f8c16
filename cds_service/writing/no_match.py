"""Where a medicine for one variant does not fit: a search for trials, and a referral to clinical genetics.

No match in this knowledge is not "no treatment exists". The address of the search has a condition and a gene as the
knowledge names them, and nothing of the patient.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any
from urllib.parse import quote

from cds_service.knowledge.base import Knowledge
from cds_service.knowledge.derived import once_for_each
from cds_service.knowledge.reach import keys_named
from cds_service.knowledge.schema import Fact, Table, TableKind
from cds_service.model import REFERRAL_TO_GENETICS, Action, Finding, Kind, Known, MarkerView, Patient
from cds_service.writing.findings import first_action, table_of
from cds_service.writing.service_requests import drafted_request
from cds_service.writing.text import clean
from cds_service.writing.words import Words

_SYMBOL = re.compile(r"[A-Z][A-Z0-9]+\b")
_NAMES_CONDITIONS = frozenset({Fact.INDICATION, Fact.CONDITION})


def unmatched(finding: Finding, words: Words) -> MarkerView | None:
    """The variant or enzyme for which the medicine is not indicated; None where it is about something else."""
    table = table_of(finding, words)
    of_label = table is not None and table.kind is TableKind.INDICATION
    if not of_label or finding.kind is not Kind.CHANGE_NOW or first_action(finding) is not Action.NOT_INDICATED:
        return None
    told = (view for view in finding.markers if isinstance(view.knowledge, Known))
    return next((view for view in told if _is_inherited(view, words) or _is_found_in_tumour(view, words)), None)


def _is_inherited(view: MarkerView, words: Words) -> bool:
    rules = words.knowledge.no_match
    methods = {test.method for test in words.knowledge.tests_by_marker.get(view.marker, ())}
    of_kind = view.marker.partition(":")[0]
    return of_kind in rules.inherited or (
        of_kind not in rules.of_tumour and not methods.isdisjoint(rules.inherited_by_method)
    )


def _is_found_in_tumour(view: MarkerView, words: Words) -> bool:
    found = isinstance(view.knowledge, Known) and view.knowledge.state != "negative"
    return found and view.marker.partition(":")[0] in words.knowledge.no_match.of_tumour


def trials(finding: Finding, patient: Patient, words: Words) -> tuple[str, str] | None:
    """Label and address of the search for trials."""
    view, address = unmatched(finding, words), words.knowledge.no_match.trials
    if view is None or not address:
        return None
    table = table_of(finding, words)
    condition, gene = _condition(view, table, finding, patient, words), _gene(view, words)
    about = words.wording.any_of([one for one in (condition, gene) if one], "and")
    if not about:
        return None
    url = address.format(condition=quote(condition), gene=quote(gene))
    return words.wording.say("links", "trials", about=about), url


def _gene(view: MarkerView, words: Words) -> str:
    """The gene's symbol, from the marker's id or, where that is none, from its name."""
    kind, _, name = view.marker.partition(":")
    rules = words.knowledge.no_match
    if kind in (*rules.inherited, *rules.of_tumour):
        return name
    symbol = _SYMBOL.match(words.marker(view.marker))
    return symbol.group() if symbol else ""


def _condition(view: MarkerView, table: Table | None, finding: Finding, patient: Patient, words: Words) -> str:
    """The patient's disease in the knowledge's own words, where it is one: of those that the table names, for a
    variant of a tumour else of those that any guidance about such variants names. The order's reason goes first."""
    named = frozenset(_named(table)) if table is not None else frozenset()
    of_tumour = _of_tumours(words.knowledge) if _is_found_in_tumour(view, words) else frozenset()
    held = [finding.order.reasons] if finding.order.reasons else [one.keys for one in patient.conditions]
    for wanted in (named, of_tumour):
        shared = {keys & wanted for keys in held if keys & wanted}
        if len(shared) == 1:
            return words.condition(max(sorted(shared.pop()), key=len))
    return ""


@once_for_each
def _of_tumours(knowledge: Knowledge) -> frozenset[str]:
    """The conditions that guidance about variants of tumours names."""
    kinds = knowledge.no_match.of_tumour
    about = (table for table in knowledge.tables.values() if any(m.partition(":")[0] in kinds for m in table.markers))
    return frozenset(key for table in about for key in _named(table))


def _named(table: Table) -> Iterator[str]:
    """Also what a test is not needed for: that is the disease where its diagnosis does."""
    asked = (p for use in table.markers.values() for p in (*use.required_when, *use.risks))
    return keys_named((*table.population.fits, *asked), _NAMES_CONDITIONS, excluded=True)


def referral(finding: Finding, patient: Patient, words: Words, today: date) -> Mapping[str, Any] | None:
    """A draft ServiceRequest to clinical genetics where the cause looked for is inherited and none is under way.
    Raises AnswerError where it is not valid FHIR R4B."""
    view = unmatched(finding, words)
    under_way = any(REFERRAL_TO_GENETICS in request.markers for request in patient.pending)
    if view is None or under_way or not _is_inherited(view, words):
        return None
    say = words.wording.say
    reason = say("suggestions", "genetics_reason", drug=clean(words.drug_of(finding)))
    return drafted_request({"text": say("suggestions", "genetics")}, [reason], patient.id, today)
