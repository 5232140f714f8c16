"""What a report says of the sample: haemolysed, clotted, contaminated. The value is kept; whether it may be too
high or too low is knowledge.

It stands in the condition of the Specimen, in comments, in the interpretation or beside the value; on the result
itself or on the panel or report that holds it. What is denied, supposed, or said of samples in general tells nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from cds_service.reading.addresses import references
from cds_service.reading.answers import answer_of, concept_codes
from cds_service.reading.chart import Chart
from cds_service.reading.lexicon import FaultWords
from cds_service.reading.records import Record
from cds_service.reading.shapes import Resource, concept_texts, fold, items, objects, text_at
from cds_service.reading.vocabulary import FAULT_DENIED_AFTER, FAULT_DENIED_AHEAD


def _any_of(words: Iterable[str]) -> str:
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))


_AFTER = rf"(?:{_any_of(FAULT_DENIED_AFTER)})"
_CLAUSE_ENDS = re.compile(rf"[;()!?\r\n]|\.(?=\s|$)|\s-\s|,(?!\s*{_AFTER}\b)", re.IGNORECASE)
_DENIED_AHEAD = re.compile(rf" (?:{_any_of(FAULT_DENIED_AHEAD)}) (?:\w+ ){{0,4}}$")
_DENIED_AFTER = re.compile(rf" (?:(?:index|level|grade|is|was) )*(?:{_AFTER}|(?<=index )\d+) ")
_IN_GENERAL = re.compile(
    r" (?:samples|specimens|(?:may|might|can|could|will|falsely|causes?|increases?|raises?) (?!.* th(?:is|ese) ))"
)


def faults_of(record: Record, observable: str, chart: Chart) -> tuple[str, ...]:
    """Ids of what the report says is wrong with the sample, of what touches the observable."""
    faults = chart.lexicon.sample_faults.get(observable, ())
    if not faults:
        return ()
    holders = (record, *chart.references.parents_of(record))
    codes = {code for holder in holders for specimen in _specimens(holder, chart) for code in _conditions(specimen)}
    texts = [text for holder in holders for text in _texts(holder, chart)]
    return tuple(f.id for f in faults if not codes.isdisjoint(f.codes) or any(_is_said(f, text) for text in texts))


def _is_said(fault: FaultWords, text: str) -> bool:
    return any(_is_plainly_said(fault, f" {fold(clause)} ") for clause in _CLAUSE_ENDS.split(text))


def _is_plainly_said(fault: FaultWords, clause: str) -> bool:
    found = fault.words.search(clause)
    if found is None:
        return False
    ahead, after = clause[: found.start()], clause[found.end() :]
    is_denied = _DENIED_AHEAD.search(ahead) or _DENIED_AFTER.match(after)
    return not (is_denied or (not ahead.strip() and _IN_GENERAL.match(after)))


def _texts(holder: Record, chart: Chart) -> Iterator[str]:
    resource = holder.resource
    yield from _comments(resource)
    yield text_at(resource, "conclusion")
    for part in (resource, *objects(resource.get("component"))):
        yield from answer_of(part).texts
        yield from _labels(part, "interpretation", "dataAbsentReason")
    for specimen in _specimens(holder, chart):
        yield from _comments(specimen)
        yield from _labels(specimen, "condition", "type")
        yield text_at(specimen, "display")


def _comments(resource: Resource) -> Iterator[str]:
    yield from (text_at(note, "text") for note in objects(resource.get("note")))


def _labels(resource: Resource, *names: str) -> Iterator[str]:
    yield from (text for name in names for concept in items(resource.get(name)) for text in concept_texts(concept))


def _conditions(specimen: Resource) -> Iterator[str]:
    yield from (code for concept in items(specimen.get("condition")) for code in concept_codes(concept))


def _specimens(holder: Record, chart: Chart) -> Iterator[Resource]:
    """The specimens of a result or a report, and the references to them with what they show."""
    for pointer in objects(holder.field("specimen")):
        yield pointer
        for address in references(pointer):
            target = chart.references.find(address, holder.holder or holder.resource)
            if target is not None:
                yield target.resource
