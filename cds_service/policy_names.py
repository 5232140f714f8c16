"""Whether a policy names only what the knowledge holds."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from cds_service.errors import PolicyError
from cds_service.knowledge.base import Knowledge
from cds_service.knowledge.derived import loinc_codes
from cds_service.model import name_of
from cds_service.policy import Policy


def check_names(policy: Policy, knowledge: Knowledge) -> None:
    """Raise PolicyError that tells every name of the policy that the knowledge does not hold."""
    faults = [*_faults(policy, knowledge)]
    if faults:
        raise PolicyError(
            f"the policy '{policy.name}' names what the knowledge does not hold: {'; '.join(faults)}; expected ids "
            "that 'cds-service knowledge list' shows"
        )


def _faults(policy: Policy, knowledge: Knowledge) -> Iterator[str]:
    markers, kinds = _markers(knowledge), {source.kind for source in knowledge.sources.values()}
    enzymes = {name_of(modifier.marker) for modifier in knowledge.modifiers}
    of_markers = {marker.partition(":")[0] for marker in markers}
    yield from _unknown("guidance", policy.guidance, {*knowledge.tables, *knowledge.drugs, *markers, *of_markers})
    yield from _unknown("assume_when_unknown", policy.assume_when_unknown, knowledge.tables)
    yield from _unknown("source_order", policy.source_order, kinds)
    yield from _unknown("phenoconversion", policy.phenoconversion, enzymes)
    for enzyme, drugs in policy.phenoconversion.items():
        yield from _unknown(f"phenoconversion.{enzyme}", drugs, knowledge.drugs)
    for n, test in enumerate(policy.catalogue):
        yield from _unknown(f"catalogue.{n}.markers", test.markers, markers)
    for n, result in enumerate(policy.result_codes):
        yield from _unknown(f"result_codes.{n}.loinc", [result.loinc], loinc_codes(knowledge))


def _markers(knowledge: Knowledge) -> frozenset[str]:
    asked = (marker for table in knowledge.tables.values() for marker in table.markers)
    genes = (f"gene:{symbol}" for symbol in knowledge.genes)
    return frozenset([*asked, *genes, *knowledge.hla])


def _unknown(place: str, names: Iterable[str], known: Collection[str]) -> Iterator[str]:
    unknown = [name for name in names if name not in known]
    if unknown:
        yield f"{place}: {', '.join(unknown)}"
