"""Read the files under `data/` into one immutable `Knowledge`. Unknown keys and wrong types are refused.

Files may be split freely: every `*.yaml` in a folder below is a list of entries of one type, so that each
area of medicine has files of its own. Every fault names the file and the place in it.
"""

from __future__ import annotations

import csv
import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Protocol, TypeVar

import yaml
from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config

from cds_service import codes, model
from cds_service.errors import KnowledgeError
from cds_service.knowledge import schema
from cds_service.knowledge.base import Knowledge
from cds_service.knowledge.nomenclature import folded_names
from cds_service.knowledge.reach import comedication_keys
from cds_service.knowledge.rows import expand
from cds_service.unique_yaml import UniqueKeys

DATA = Path(__file__).parent / "data"

T = TypeVar("T")


class _Loader(UniqueKeys):
    """Leaves dates as text, since a version may look like one."""

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in UniqueKeys.yaml_implicit_resolvers.items()
    }


class _Identified(Protocol):
    @property
    def id(self) -> str: ...


I = TypeVar("I", bound=_Identified)  # noqa: E741


def load_knowledge(data: Path = DATA) -> Knowledge:
    """Everything under `data`, indexed. Raises KnowledgeError where a file is not valid."""
    meta = _yaml(data / "meta.yaml")
    genes = load_genes(data / "genes")
    tables = _by_id(_entries(data / "guidance", schema.Table), "table")
    tests = _by_id(_entries(data / "tests", schema.Test), "test")
    frequencies = tuple(_rows(sorted((data / "frequencies").glob("*.tsv")), schema.Frequency))
    modulators = tuple(_rows([data / "modulators.tsv"], schema.Modulator))
    modifiers = tuple(_file(data / "modifiers.yaml", schema.Modifier))
    groups = _by_id(_entries(data / "groups", schema.DrugGroup), "group")
    tables_by_drug = _index((d, t) for t in tables.values() for d in t.drugs)
    sources = _by_id(_entries(data / "sources", schema.Source), "source")
    _check_sources(tables.values(), sources)
    return Knowledge(
        version=str(meta["version"]),
        content_hash=content_hash(data),
        developer=str(meta["developer"]),
        drugs=_by_id(_rows([data / "drugs.tsv"], schema.Drug), "drug"),
        genes=genes,
        hla=MappingProxyType({m.marker: m for m in _file(data / "hla.yaml", schema.HlaMarker)}),
        tests=tests,
        conditions=_by_id(_entries(data / "conditions", schema.ConditionKey), "condition"),
        groups=groups,
        sources=sources,
        no_match=load_no_match(data),
        supplies=_validated(schema.SupplyLengths, _yaml(data / "supplies.yaml"), "supplies.yaml"),
        publishers=frozenset(_yaml(data / "publishers.yaml")),
        tables=tables,
        modifiers=modifiers,
        modulators=modulators,
        frequencies=frequencies,
        phenotype_labels=MappingProxyType(dict(_yaml(data / "phenotype_labels.yaml"))),
        answer_codes=MappingProxyType(
            {(a["system"], a["code"]): a["term"] for a in _yaml(data / "answer_codes.yaml")}
        ),
        answer_genes=MappingProxyType(
            {(a["system"], a["code"]): a["gene"] for a in _yaml(data / "answer_codes.yaml") if "gene" in a}
        ),
        tables_by_drug=tables_by_drug,
        tests_by_marker=_index((m, t) for t in sorted(tests.values(), key=lambda t: t.preference) for m in t.markers),
        frequencies_by_marker=_index((f.marker, f) for f in frequencies),
        modulators_by_drug=_index((m.drug, m) for m in modulators),
        observables=_by_id(_entries(data / "observables", schema.Observable), "observable"),
        unit_spellings=MappingProxyType(_spellings(data / "unit_spellings.yaml")),
        result_words=load_result_words(data),
        rows_by_table=MappingProxyType({t.id: expand(t, genes) for t in tables.values()}),
        comedications_by_drug=MappingProxyType(
            {d: comedication_keys(of, modifiers) for d, of in tables_by_drug.items()}
        ),
        parts_mg=MappingProxyType({p.drug: p.parts_mg for p in _rows([data / "parts.tsv"], schema.DrugParts)}),
        groups_by_drug=_index((d, g.id) for g in groups.values() for d in g.drugs),
        family_priors=tuple(_by_id(_file(data / "family_priors.yaml", schema.FamilyPrior), "family prior").values()),
        spoilers=tuple(_by_id(_file(data / "spoilers.yaml", schema.ResultSpoiler), "spoiler").values()),
        sample_faults=_by_id(_file(data / "sample_faults.yaml", schema.SampleFault), "sample fault"),
    )


def _check_sources(tables: Iterable[schema.Table], sources: Mapping[str, schema.Source]) -> None:
    """A table whose source is not known could neither lead nor be cited: the service does not start with it."""
    for table in tables:
        if table.source not in sources:
            raise KnowledgeError(f"table {table.id}: source {table.source!r} is not defined under sources/")


def _spellings(path: Path) -> dict[str, str]:
    """The file groups spellings by unit; reading asks the other way round."""
    if not path.is_file():
        return {}
    return {str(spelling): unit for unit, spellings in _yaml(path).items() for spelling in spellings}


def load_result_words(data: Path = DATA) -> schema.ResultWords:
    """The words around a genotype in the text of a result; none where `data` lists none."""
    path = data / "result_words.yaml"
    return _validated(schema.ResultWords, _yaml(path), path.name) if path.is_file() else schema.ResultWords()


def load_no_match(data: Path = DATA) -> schema.NoMatch:
    """What is offered where nothing fits; nothing where `data` says nothing of it."""
    path = data / "no_match.yaml"
    return _validated(schema.NoMatch, _yaml(path), path.name) if path.is_file() else schema.NoMatch()


def content_hash(data: Path) -> str:
    """First 16 hexadecimal digits of the SHA-256 over the names and bytes of all files under `data`."""
    digest = hashlib.sha256()
    for path in sorted(p for p in data.rglob("*") if p.is_file()):
        digest.update(path.relative_to(data).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _index(pairs: Iterable[tuple[str, T]]) -> Mapping[str, tuple[T, ...]]:
    lists: defaultdict[str, list[T]] = defaultdict(list)
    for key, value in pairs:
        lists[key].append(value)
    return MappingProxyType({key: tuple(values) for key, values in lists.items()})


def _by_id(entries: Iterable[I], what: str) -> Mapping[str, I]:
    found: dict[str, I] = {}
    for entry in entries:
        if entry.id in found:
            raise KnowledgeError(f"{what} {entry.id!r} is defined twice; each id stands once")
        found[entry.id] = entry
    return MappingProxyType(found)


def _entries(folder: Path, kind: type[T]) -> Iterator[T]:
    for path in sorted(folder.glob("*.yaml")):
        yield from _file(path, kind)


def _file(path: Path, kind: type[T]) -> list[T]:
    content = _yaml(path)
    if not isinstance(content, list):
        raise KnowledgeError(f"{path.name}: expected a list of {kind.__name__}, found {type(content).__name__}")
    return [_validated(kind, entry, f"{path.name}[{n}]") for n, entry in enumerate(content)]


def load_genes(folder: Path = DATA / "genes") -> Mapping[str, schema.Gene]:
    """The genes by symbol, each with its allele table. Raises KnowledgeError where a file is not valid."""
    genes = {}
    for path in sorted(folder.glob("*.yaml")):
        gene = _validated(schema.Gene, _yaml(path), path.name)
        alleles = {a.name: a for a in _rows([folder / "alleles" / f"{path.stem}.tsv"], schema.Allele)}
        genes[gene.symbol] = replace(gene, alleles=MappingProxyType(alleles), names=folded_names(alleles))
    return MappingProxyType(genes)


def _rows(paths: Iterable[Path], kind: type[T]) -> Iterator[T]:
    """Tab-separated files with a header of field names; an empty cell leaves the field's default, tuples are
    separated by `|`."""
    for path in paths:
        if not path.is_file():
            raise KnowledgeError(f"{path.name}: the file is missing")
        with path.open(encoding="utf-8", newline="") as lines:
            for n, row in enumerate(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE), start=2):
                yield _validated(kind, _cells(row, kind), f"{path.name}:{n}")


def _cells(row: Mapping[str, str], kind: type[Any]) -> dict[str, object]:
    hashable: Any = kind
    tuples = _tuple_fields(hashable)
    return {key: tuple(value.split("|")) if key in tuples else value for key, value in row.items() if value != ""}


@cache
def _tuple_fields(kind: Any) -> frozenset[str]:
    fields: Mapping[str, Any] = kind.__dataclass_fields__
    return frozenset(name for name, field in fields.items() if str(field.type).startswith("tuple"))


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _validated(kind: type[T], entry: object, where: str) -> T:
    hashable: Any = kind
    try:
        valid: T = _adapter(hashable).validate_python(entry)
    except ValidationError as fault:
        first = fault.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        found = str(first.get("input"))[:80]
        raise KnowledgeError(f"{where}: {place}: {first['msg']}; found {found}") from fault
    return valid


def _yaml(path: Path) -> Any:
    try:
        with path.open(encoding="utf-8") as stream:
            return _Loader(stream).get_single_data()
    except (OSError, yaml.YAMLError) as fault:
        raise KnowledgeError(f"{path.name}: {fault}") from fault


def _strict() -> None:
    """Refuse unknown keys in every type of the schema and of the advice that it holds."""
    for module in (schema, model, codes):
        for kind in vars(module).values():
            if isinstance(kind, type) and hasattr(kind, "__dataclass_fields__"):
                with_config(ConfigDict(extra="forbid"))(kind)


_strict()
