"""What discovery offers for a loaded `Service`: its services, and the codes of results that they ask for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from cds_service.answer import Service
from cds_service.codes import LOINC, Coding
from cds_service.hooks.discovery import ServiceDefinition, services
from cds_service.knowledge.base import Knowledge
from cds_service.knowledge.derived import observables_telling
from cds_service.knowledge.schema import CodeRole
from cds_service.model import Query, is_of_tumour
from cds_service.policy import Policy, Switch, site_codes
from cds_service.reading import vocabulary
from cds_service.reasoning.silence import switch_of


def offered_by(service: Service) -> Mapping[str, ServiceDefinition]:
    """The services on offer, by id."""
    return MappingProxyType({offered.id: offered for offered in services(result_codes(service))})


def result_codes(service: Service) -> Mapping[Query, frozenset[Coding]]:
    """The codes by which discovery asks for Observations, those of tumours by themselves. What the site has switched
    off is not asked for.
    """
    knowledge = service.knowledge
    asked = frozenset(_asked_markers(knowledge, service.policy))
    of_tumours = frozenset(filter(is_of_tumour, asked))
    found = {
        Query.RESULTS: frozenset((*_codes_of(asked - of_tumours, knowledge), *_codes_of_genes(knowledge))),
        Query.TUMOUR_RESULTS: frozenset(_codes_of(of_tumours, knowledge)),
    }
    return {query: codes.union(_site_codes_for(codes, service.policy)) for query, codes in found.items()}


def _site_codes_for(codes: frozenset[Coding], policy: Policy) -> Iterator[Coding]:
    """The site's own codes that stand for these."""
    for (system, code), loinc in site_codes(policy).items():
        if Coding(LOINC, loinc) in codes:
            yield Coding(system, code)


def _asked_markers(knowledge: Knowledge, policy: Policy) -> Iterator[str]:
    for drug, tables in knowledge.tables_by_drug.items():
        for table in tables:
            if switch_of(table, drug, policy) is not Switch.OFF:
                yield from table.markers


def _codes_of(markers: frozenset[str], knowledge: Knowledge) -> Iterator[Coding]:
    """The codes of results that tell the markers."""
    for test in knowledge.tests.values():
        if not markers.isdisjoint(test.markers):
            yield from (Coding(code.system, code.code) for code in test.codes if code.system == LOINC)
    telling = observables_telling(knowledge)
    for observable in (knowledge.observables[i] for marker in markers for i in telling.get(marker, ())):
        yield from (Coding(c.system, c.code) for c in observable.codes if c.role != CodeRole.ORDER)


def _codes_of_genes(knowledge: Knowledge) -> Iterator[Coding]:
    """The codes of the inherited genes, those under which the Genomics Reporting guide puts any gene, and weight."""
    held = [*(gene.codes for gene in knowledge.genes.values()), *(marker.codes for marker in knowledge.hla.values())]
    for codes in held:
        yield from (Coding(c.system, c.code) for c in codes if c.role != CodeRole.ORDER)
    for code in (
        *vocabulary.GENOTYPE,
        *vocabulary.HAPLOTYPE,
        *vocabulary.VARIANT,
        *vocabulary.OLD_GENE_VARIANT,
        *vocabulary.PHENOTYPE_IN_VALUE,
        *vocabulary.PANEL,
        *vocabulary.CLINICAL_SIGNIFICANCE,
        *vocabulary.BODY_WEIGHT,
    ):
        yield Coding(LOINC, code)
    # The guide's provisional code system has had three URLs: its codes are asked for without one.
    provisional = sorted(vocabulary.THERAPEUTIC_IMPLICATION | vocabulary.DIAGNOSTIC_IMPLICATION)
    yield from (Coding("", code) for code in provisional)
