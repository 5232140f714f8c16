"""Results on genes that stand in the components of a panel, each as a result of its own."""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.codes import LOINC
from cds_service.knowledge.schema import CodeRole
from cds_service.reading.answers import VALUE_FIELDS, answer_or_interpretation
from cds_service.reading.lexicon import Lexicon
from cds_service.reading.records import Record
from cds_service.reading.shapes import Resource, codings, has_code, objects
from cds_service.reading.vocabulary import GENE_STUDIED, GENOTYPE

_OF_WHOLE = frozenset({"code", "component", "derivedFrom", "hasMember", "interpretation", "note", *VALUE_FIELDS})
"""What a panel says of itself and not of its parts."""
_OF_PART = ("code", "interpretation", *VALUE_FIELDS)
_READ_ALONE = frozenset({CodeRole.ENZYME_ACTIVITY, CodeRole.GENOTYPE, CodeRole.PHENOTYPE, CodeRole.PRESENCE})


def parts_of(record: Record, lexicon: Lexicon) -> Iterator[Record]:
    """The components that are results on genes: by a code of the gene's own, or by that of any genotype."""
    components = objects(record.resource.get("component"))
    if not components:
        return
    results = [part for part in components if _is_result(part, lexicon) and _is_answered(part)]
    genes = [part for part in components if has_code(part.get("code"), LOINC, GENE_STUDIED)]
    are_of_one = len(genes) == 1 and sum(map(_is_genotype, results)) <= 1
    for part in results:
        studied = genes if are_of_one and not _names_its_gene(part, lexicon) else []
        yield record._replace(resource=_as_result(record.resource, part, studied))


def _is_answered(part: Resource) -> bool:
    return not answer_or_interpretation(part).is_empty


def _is_genotype(part: Resource) -> bool:
    return has_code(part.get("code"), LOINC, GENOTYPE)


def _is_result(part: Resource, lexicon: Lexicon) -> bool:
    meanings = lexicon.meanings(codings(part.get("code")))
    return _is_genotype(part) or any(meaning.role in _READ_ALONE for meaning in meanings)


def _names_its_gene(part: Resource, lexicon: Lexicon) -> bool:
    """Whether the code alone tells the gene."""
    return any(not meaning.ambiguous for meaning in lexicon.meanings(codings(part.get("code"))))


def _as_result(panel: Resource, part: Resource, genes: list[Resource]) -> Resource:
    own = {name: part[name] for name in _OF_PART if name in part}
    around = {name: said for name, said in panel.items() if name not in _OF_WHOLE}
    return {**around, **own, **({"component": genes} if genes else {})}
