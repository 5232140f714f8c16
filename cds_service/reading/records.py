"""The resources of a request as records: unpacked, without duplicates, and reachable by reference."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import NamedTuple

from cds_service.codes import LOINC
from cds_service.effort import go_on
from cds_service.model import Gap, GapReason, Query, QueryResult
from cds_service.reading.addresses import base_of, base_url, is_absolute, reference, references
from cds_service.reading.dates import moment
from cds_service.reading.shapes import (
    Resource,
    child,
    clean,
    first,
    has_code,
    items,
    number,
    objects,
    statuses,
    text_at,
)
from cds_service.reading.vocabulary import (
    CLINICAL_SIGNIFICANCE,
    DRAFT_STATUSES,
    DROPPED_STATUSES,
    ENDED_STATUSES,
    ENTERED_IN_ERROR,
    FINAL_STATUSES,
    PRELIMINARY_STATUSES,
    REGION_STUDIED,
)
from cds_service.references import local_name

_DEEPEST_NESTING = 4
_CONTAINED_RESULTS = frozenset({"Observation"})
_KINDS = frozenset({
    "AllergyIntolerance", "Bundle", "Condition", "DiagnosticReport", "FamilyMemberHistory", "Medication",
    "MedicationAdministration", "MedicationDispense", "MedicationRequest", "MedicationStatement", "Observation",
    "Organization", "Patient", "Practitioner", "Procedure", "ServiceRequest", "Specimen", "Task",
})  # fmt: skip
SUBJECTS = ("subject", "patient", "for")
"""Elements that name the patient; `for` is a Task's."""
_STATUSES = FINAL_STATUSES | PRELIMINARY_STATUSES | DRAFT_STATUSES | ENDED_STATUSES
"""Kinds and statuses as nearly all are sent; others are cleaned before they are compared."""


class Record(NamedTuple):
    """One resource. `reference` is `Type/id`, or `Type#n` of its entry when it has no id; `address` its
    fullUrl where a Bundle gave one; `holder` the resource that contains it; `status` its own status code."""

    resource: Resource
    kind: str
    reference: str
    query: Query | None = None
    address: str = ""
    holder: Resource | None = None
    name: str = ""
    """Its id; empty where it has none."""
    status: str = ""
    withdrawn: bool = False
    """Entered in error, by status or by verification status; also what an entered-in-error resource contains."""

    def field(self, name: str) -> object:
        """A field of the resource; a contained resource takes what it does not say from its holder."""
        found = self.resource.get(name)
        return self.holder.get(name) if found is None and self.holder is not None else found


def _is_nobodys(_: str) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class References:
    """Where references lead, whatever their form: relative, absolute, versioned, `urn:uuid:`, `#contained`. The same
    `Type/id` on another server is another resource."""

    by_name: Mapping[str, Record] = field(default_factory=dict)
    by_address: Mapping[str, Record] = field(default_factory=dict)
    by_id: Mapping[str, Record] = field(default_factory=dict)
    parents: Mapping[str, tuple[Record, ...]] = field(default_factory=dict)
    """`Type/id` -> panels and reports that name it as a result."""
    opinions: Mapping[str, tuple[Record, ...]] = field(default_factory=dict)
    """`Type/id` of a variant -> results derived from it that say its clinical significance."""
    tell_coverage: bool = False
    """Whether results of those panels and reports say what was tested rather than what was found."""
    is_ours: Callable[[str], bool] = _is_nobodys
    """Whether a base URL is that of the record that was sent."""

    def find(self, address: str, within: Resource | None = None) -> Record | None:
        """The record that a reference of the resource `within` leads to; None when it is not there."""
        go_on()
        if address.startswith("#"):
            return _contained(address[1:], within)
        if address.startswith("urn:"):
            return self.by_address.get(address) or self.by_id.get(address.rpartition(":")[2])
        return self.by_address.get(address) or self._named(address)

    def _named(self, address: str) -> Record | None:
        found = self.by_name.get(local_name(address))
        if found is None or not is_absolute(address):
            return found
        named, sent = base_of(address), base_of(found.address)
        if named and named == sent:
            return found
        return found if self.is_ours(named) and (not sent or self.is_ours(sent)) else None

    def name_of(self, address: str) -> str:
        """`Type/id` that a reference names in the record; empty where it is of another server."""
        is_elsewhere = is_absolute(address) and not self.is_ours(base_of(address))
        return "" if is_elsewhere else local_name(address)

    def parents_of(self, record: Record) -> tuple[Record, ...]:
        """Panels and reports that name the record as one of their results."""
        return self.parents.get(record.reference, ())

    def opinions_of(self, record: Record) -> tuple[Record, ...]:
        """Results derived from the record that say what the laboratory thinks of its variant."""
        return self.opinions.get(record.reference, ())


def _contained(name: str, within: Resource | None) -> Record | None:
    for resource in objects((within or {}).get("contained")):
        if text_at(resource, "id").lstrip("#") == name:
            kind, status = _kind_of(resource), _status_in(resource)
            in_error = _is_withdrawn(status, resource, within)
            return Record(resource, kind, f"#{name}", None, "", within, name, status, in_error)
    return None


def _is_withdrawn(status: str, resource: Resource, holder: Resource | None) -> bool:
    return (
        status == ENTERED_IN_ERROR
        or ("verificationStatus" in resource and ENTERED_IN_ERROR in statuses(resource["verificationStatus"]))
        or (holder is not None and _status_in(holder) == ENTERED_IN_ERROR)
    )


def _kind_of(resource: Resource) -> str:
    kind = resource.get("resourceType")
    return kind if type(kind) is str and kind in _KINDS else text_at(resource, "resourceType")


def _status_in(resource: Resource) -> str:
    status = resource.get("status")
    return status if type(status) is str and status in _STATUSES else clean(status).lower()


def records_of(answered: Mapping[Query, QueryResult]) -> tuple[tuple[Record, ...], tuple[Gap, ...]]:
    """Every resource of every query once, and a gap for each entry that is no resource."""
    records: list[Record] = []
    gaps: list[Gap] = []
    for query, result in answered.items():
        # Results stand under two keys: two without an id must not share a place, or one would pass for the other.
        before = len(answered[Query.RESULTS].resources) if query is Query.TUMOUR_RESULTS else 0
        unpacked = unpack(result.resources, query, before)
        records += unpacked.records
        gaps += unpacked.gaps
    return newest(records), tuple(gaps)


class Unpacked(NamedTuple):
    """The records that the answer to a query holds, and a gap for each entry that is no resource."""

    query: Query | None
    records: list[Record]
    gaps: list[Gap]


def unpack(resources: Iterable[object], query: Query | None = None, before: int = 0) -> Unpacked:
    """Records of resources, of the entries of Bundles and Parameters, and of Observations contained in reports.
    `before` is how many resources of their kind were unpacked already: places are counted on.
    """
    found = Unpacked(query, [], [])
    for n, resource in enumerate(resources, start=before):
        _unpack(resource, f"#{n}", "", _DEEPEST_NESTING, found)
    return found


def _unpack(value: object, place: str, address: str, depth: int, found: Unpacked) -> None:
    go_on()
    resource = value if type(value) is dict or isinstance(value, Mapping) else {}
    kind = _kind_of(resource)
    if not kind or depth == 0:
        found.gaps.append(Gap(place, GapReason.UNREADABLE, "an entry that is no FHIR resource", found.query))
    elif kind == "Bundle":
        _unpack_bundle(resource, place, depth - 1, found)
    elif kind == "Parameters":
        for n, inner in enumerate(_parameters(resource)):
            _unpack(inner, f"{place}.{n}", "", depth - 1, found)
    else:
        record = _record_of(resource, kind, found.query, place, address)
        found.records.append(record)
        if "contained" in resource:
            found.records.extend(_results_in(record))


def _unpack_bundle(bundle: Resource, place: str, depth: int, found: Unpacked) -> None:
    for n, entry in enumerate(items(bundle.get("entry"))):
        inner = first(entry)
        if "resource" in inner:
            _unpack(inner["resource"], f"{place}.{n}", text_at(inner, "fullUrl"), depth, found)
        else:
            found.gaps.append(
                Gap(f"{place}.{n}", GapReason.UNREADABLE, "a Bundle entry without a resource", found.query)
            )


def _parameters(resource: Resource) -> Iterator[Resource]:
    for parameter in objects(resource.get("parameter")):
        for part in (parameter, *objects(parameter.get("part"))):
            yield from objects(part.get("resource"))


def _record_of(resource: Resource, kind: str, query: Query | None, place: str, address: str) -> Record:
    name = text_at(resource, "id")
    reference = f"{kind}/{name}" if name else f"{kind}{place}"
    status = _status_in(resource)
    in_error = _is_withdrawn(status, resource, None)
    return Record(resource, kind, reference, query, address, None, name, status, in_error)


def _results_in(holder: Record) -> Iterator[Record]:
    for inner in objects(holder.resource["contained"]):
        kind, name, status = _kind_of(inner), text_at(inner, "id"), _status_in(inner)
        if kind in _CONTAINED_RESULTS:
            reference = f"{holder.reference}#{name.lstrip('#')}"
            in_error = _is_withdrawn(status, inner, holder.resource)
            yield Record(inner, kind, reference, holder.query, "", holder.resource, name, status, in_error)


def newest(records: Iterable[Record]) -> tuple[Record, ...]:
    """One record for each reference and content: older versions of a resource give way to the newest, and a
    newest version that was entered in error takes the others with it. Versions that cannot be told apart and
    differ are all kept, and so are resources of several servers."""
    sent = tuple(records)
    if len({record.reference for record in sent}) == len(sent):
        return sent
    versions: defaultdict[str, list[Record]] = defaultdict(list)
    for record in sent:
        versions[record.reference].append(record)
    return tuple(record for same in versions.values() for each in _by_server(same) for record in _current(each))


def _by_server(same: list[Record]) -> Iterable[list[Record]]:
    """Records of one name, apart where their addresses are of several servers: those are different resources."""
    servers: defaultdict[str, list[Record]] = defaultdict(list)
    for record in same:
        servers[base_of(record.address)].append(record)
    return servers.values() if len(servers.keys() - {""}) > 1 else [same]


def _current(same: list[Record]) -> Iterable[Record]:
    if len(same) == 1:
        return same
    latest = max(_version(record.resource) for record in same)
    current = [record for record in same if _version(record.resource) == latest]
    withdrawn = [record for record in current if record.status == ENTERED_IN_ERROR]
    return withdrawn[:1] or _distinct(current)


def _distinct(records: list[Record]) -> Iterable[Record]:
    found: dict[str, Record] = {}
    for record in records:
        found.setdefault(json.dumps(record.resource, sort_keys=True, default=str), record)
    return [found[content] for content in sorted(found)]


def _version(resource: Resource) -> tuple[float, float, float]:
    meta = child(resource, "meta")
    return (number(meta.get("versionId")) or 0.0, moment(meta.get("lastUpdated")), moment(resource.get("issued")))


def references_of(records: Iterable[Record], server: str = "", patient_id: str = "") -> References:
    """An index of where references lead. `server` is the base URL of the record's FHIR server, where one is named."""
    known = tuple(records)
    ours = cache(lambda: _bases_of(known, server, patient_id))
    by_name = {record.reference: record for record in known}
    if len(by_name) < len(known):
        by_name |= {
            record.reference: record for record in known if record.address and base_of(record.address) in ours()
        }
    references_only = References(
        by_name=by_name,
        by_address={record.address: record for record in known if record.address},
        by_id={record.name: record for record in known if record.name},
        is_ours=lambda base: base in ours(),
    )
    references_only = replace(references_only, opinions=_opinions(known, references_only))
    holders = [r for r in known if r.kind == "DiagnosticReport" or "hasMember" in r.resource]
    if not holders:
        return references_only
    tell_coverage = any(is_region_studied(record.resource) for record in known)
    return replace(references_only, parents=_parents(holders, references_only), tell_coverage=tell_coverage)


def _bases_of(records: Iterable[Record], server: str, patient_id: str) -> frozenset[str]:
    """The base URLs of the record: the server that the request names, and the one under which all entries stand.
    Where neither is said, the one that every absolute reference to the patient has. Several are none: which of them
    is meant cannot be known."""
    named = {base_url(server)} - {""}
    stated = {base_of(record.address) for record in records if is_absolute(record.address)}
    bases = named | (stated if len(stated) == 1 else set())
    if not bases:
        subjects = {base_of(address) for address in _subjects_in(records) if is_absolute(address)
                    and local_name(address) == f"Patient/{patient_id}"}  # fmt: skip
        bases = subjects if len(subjects) == 1 else set()
    return frozenset(bases - {""})


def _subjects_in(records: Iterable[Record]) -> Iterator[str]:
    for record in records:
        for name in SUBJECTS:
            yield from map(reference, items(record.resource.get(name)))


def is_region_studied(resource: Resource) -> bool:
    """Whether the Observation says what was tested rather than what was found."""
    return has_code(resource.get("code"), LOINC, REGION_STUDIED)


def _parents(holders: list[Record], known: References) -> Mapping[str, tuple[Record, ...]]:
    found: defaultdict[str, list[Record]] = defaultdict(list)
    for record in sorted(holders, key=lambda r: r.reference):
        for address in named_results(record):
            found[_name_of(address, record, known)].append(record)
    return {name: tuple(parents) for name, parents in found.items()}


def _opinions(records: Iterable[Record], known: References) -> Mapping[str, tuple[Record, ...]]:
    found: defaultdict[str, list[Record]] = defaultdict(list)
    for record in records:
        if "derivedFrom" in record.resource and record.status not in DROPPED_STATUSES and says_significance(record):
            for address in references(record.resource["derivedFrom"]):
                found[_name_of(address, record, known)].append(record)
    return {name: tuple(opinions) for name, opinions in found.items()}


def says_significance(record: Record) -> bool:
    """Whether a result says the clinical significance of a variant, as a whole or in a component."""
    holders = (record.resource, *objects(record.resource.get("component")))
    return any(has_code(holder.get("code"), LOINC, CLINICAL_SIGNIFICANCE) for holder in holders)


def _name_of(address: str, record: Record, known: References) -> str:
    if address.startswith("#"):
        return f"{record.reference}{address}"
    target = known.find(address)
    return target.reference if target is not None else address


def named_results(record: Record) -> tuple[str, ...]:
    """References of the results that a panel or a report names."""
    if record.kind == "DiagnosticReport":
        return references(record.resource.get("result"))
    return references(record.resource.get("hasMember")) if record.kind == "Observation" else ()
