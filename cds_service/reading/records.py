"""The resources of a request as records: unpacked, without duplicates, and reachable by reference."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from cds_service.model import Gap, Query, QueryResult
from cds_service.reading.shapes import (
    Resource,
    child,
    clean,
    first,
    items,
    local_name,
    moment,
    number,
    objects,
    references,
    text_at,
)
from cds_service.reading.vocabulary import ENTERED_IN_ERROR

_DEEPEST_NESTING = 4
_CONTAINED_RESULTS = frozenset({"Observation"})


@dataclass(frozen=True, slots=True)
class Record:
    """One resource. `reference` is `Type/id`, or `Type#n` of its entry when it has no id; `address` its
    fullUrl where a Bundle gave one; `holder` the resource that contains it."""

    resource: Resource
    kind: str
    reference: str
    query: Query | None = None
    address: str = ""
    holder: Resource | None = None

    def field(self, name: str) -> object:
        """A field of the resource; a contained resource takes what it does not say from its holder."""
        found = self.resource.get(name)
        return self.holder.get(name) if found is None and self.holder is not None else found


@dataclass(frozen=True, slots=True)
class References:
    """Where references lead, whatever their form: relative, absolute, versioned, `urn:uuid:`, `#contained`."""

    by_name: Mapping[str, Record] = field(default_factory=dict)
    by_address: Mapping[str, Record] = field(default_factory=dict)
    by_id: Mapping[str, Record] = field(default_factory=dict)
    parents: Mapping[str, tuple[Record, ...]] = field(default_factory=dict)
    """`Type/id` -> panels and reports that name it as a result."""

    def find(self, address: str, within: Resource | None = None) -> Record | None:
        """The record that a reference of the resource `within` leads to; None when it is not there."""
        if address.startswith("#"):
            return _contained(address[1:], within)
        if address.startswith("urn:"):
            return self.by_address.get(address) or self.by_id.get(address.rpartition(":")[2])
        return self.by_address.get(address) or self.by_name.get(local_name(address))

    def parents_of(self, record: Record) -> tuple[Record, ...]:
        """Panels and reports that name the record as one of their results."""
        return self.parents.get(record.reference, ())


def _contained(name: str, within: Resource | None) -> Record | None:
    for resource in objects((within or {}).get("contained")):
        if text_at(resource, "id").lstrip("#") == name:
            return Record(resource, text_at(resource, "resourceType"), f"#{name}", holder=within)
    return None


def records_of(results: Mapping[Query, QueryResult]) -> tuple[tuple[Record, ...], tuple[Gap, ...]]:
    """Every resource of every query once, and a gap for each entry that is no resource."""
    records: list[Record] = []
    gaps: list[Gap] = []
    for query in Query:
        if query in results:
            for found in unpack(results[query].resources, query):
                if isinstance(found, Record):
                    records.append(found)
                else:
                    gaps.append(found)
    return newest(records), tuple(gaps)


def unpack(resources: Iterable[object], query: Query | None = None) -> list[Record | Gap]:
    """Records of resources, of the entries of Bundles and Parameters, and of Observations contained in reports."""
    found: list[Record | Gap] = []
    for n, resource in enumerate(resources):
        found += _unpack(resource, query, f"#{n}", "", _DEEPEST_NESTING)
    return found


def _unpack(value: object, query: Query | None, place: str, address: str, depth: int) -> list[Record | Gap]:
    resource = value if isinstance(value, Mapping) else {}
    kind = text_at(resource, "resourceType")
    if not kind or depth == 0:
        return [Gap(place, "unreadable", "an entry that is no FHIR resource", query)]
    if kind == "Bundle":
        return _of_bundle(resource, query, place, depth - 1)
    if kind == "Parameters":
        parts = enumerate(_parameters(resource))
        return [found for n, inner in parts for found in _unpack(inner, query, f"{place}.{n}", "", depth - 1)]
    return _with_contained(resource, kind, query, place, address)


def _of_bundle(bundle: Resource, query: Query | None, place: str, depth: int) -> list[Record | Gap]:
    found: list[Record | Gap] = []
    for n, entry in enumerate(items(bundle.get("entry"))):
        inner = first(entry)
        if "resource" in inner:
            found += _unpack(inner["resource"], query, f"{place}.{n}", text_at(inner, "fullUrl"), depth)
        else:
            found.append(Gap(f"{place}.{n}", "unreadable", "a Bundle entry without a resource", query))
    return found


def _parameters(resource: Resource) -> Iterator[Resource]:
    for parameter in objects(resource.get("parameter")):
        for part in (parameter, *objects(parameter.get("part"))):
            yield from objects(part.get("resource"))


def _with_contained(
    resource: Resource, kind: str, query: Query | None, place: str, address: str
) -> list[Record | Gap]:
    name = text_at(resource, "id")
    reference = f"{kind}/{name}" if name else f"{kind}{place}"
    found: list[Record | Gap] = [Record(resource, kind, reference, query, address)]
    for inner in objects(resource.get("contained")):
        inner_kind = text_at(inner, "resourceType")
        if inner_kind in _CONTAINED_RESULTS:
            inner_name = text_at(inner, "id").lstrip("#")
            found.append(Record(inner, inner_kind, f"{reference}#{inner_name}", query, "", resource))
    return found


def newest(records: Iterable[Record]) -> tuple[Record, ...]:
    """One record for each reference and content: older versions of a resource give way to the newest, and a
    newest version that was entered in error takes the others with it. Versions that cannot be told apart and
    differ are all kept."""
    sent = tuple(records)
    if len({record.reference for record in sent}) == len(sent):
        return sent
    versions: defaultdict[str, list[Record]] = defaultdict(list)
    for record in sent:
        versions[record.reference].append(record)
    return tuple(record for same in versions.values() for record in _current(same))


def _current(same: list[Record]) -> Iterable[Record]:
    if len(same) == 1:
        return same
    latest = max(_version(record.resource) for record in same)
    current = [record for record in same if _version(record.resource) == latest]
    withdrawn = [record for record in current if clean(record.resource.get("status")) == ENTERED_IN_ERROR]
    return withdrawn[:1] or _distinct(current)


def _distinct(records: list[Record]) -> Iterable[Record]:
    found: dict[str, Record] = {}
    for record in records:
        found.setdefault(json.dumps(record.resource, sort_keys=True, default=str), record)
    return [found[content] for content in sorted(found)]


def _version(resource: Resource) -> tuple[float, float, float]:
    meta = child(resource, "meta")
    return (number(meta.get("versionId")) or 0.0, moment(meta.get("lastUpdated")), moment(resource.get("issued")))


def references_of(records: Iterable[Record]) -> References:
    """An index of where references lead."""
    known = tuple(records)
    references_only = References(
        by_name={record.reference: record for record in known},
        by_address={record.address: record for record in known if record.address},
        by_id={text_at(record.resource, "id"): record for record in known if record.resource.get("id")},
    )
    return replace(references_only, parents=_parents(known, references_only))


def _parents(records: tuple[Record, ...], known: References) -> Mapping[str, tuple[Record, ...]]:
    found: defaultdict[str, list[Record]] = defaultdict(list)
    for record in sorted(records, key=lambda r: r.reference):
        for address in named_results(record):
            found[_name_of(address, record, known)].append(record)
    return {name: tuple(parents) for name, parents in found.items()}


def _name_of(address: str, record: Record, known: References) -> str:
    if address.startswith("#"):
        return f"{record.reference}{address}"
    target = known.find(address)
    return target.reference if target is not None else local_name(address)


def named_results(record: Record) -> tuple[str, ...]:
    """References of the results that a panel or a report names."""
    if record.kind == "DiagnosticReport":
        return references(record.resource.get("result"))
    return references(record.resource.get("hasMember")) if record.kind == "Observation" else ()
