"""What tables reach for: the other drugs that can matter to a drug's tables at all (those that its predicates name as
co-medication, and those that shift one of its markers; everything else taken beside it cannot change a finding), and
what a drug is taken for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from cds_service.knowledge.schema import Fact, Modifier, Predicate, Table


def comedication_keys(tables: Iterable[Table], modifiers: Iterable[Modifier]) -> frozenset[str]:
    """Drug ids and group ids that the tables' predicates name, and `modifier:<gene>` for each marker of theirs that a
    co-medication may shift."""
    shifting = {m.marker for m in modifiers}
    found: set[str] = set()
    for table in tables:
        found.update(keys_named(_predicates(table), {Fact.COMEDICATION}, excluded=True))
        found.update(modifier_key(m) for m in table.markers if m in shifting)
    return frozenset(found)


def indications(table: Table) -> frozenset[str]:
    """The condition keys for one of which the table's population takes the drug."""
    return frozenset(keys_named(table.population.fits, {Fact.INDICATION}))


def keys_named(predicates: Iterable[Predicate], facts: Collection[Fact], *, excluded: bool = False) -> Iterator[str]:
    """The keys that predicates about one of the facts name; with `excluded` those too that rule a population out."""
    for leaf in _leaves(predicates, excluded=excluded):
        if leaf.fact in facts:
            yield from leaf.is_in


def least_exposure_days(table: Table) -> float:
    """Days for which the drug has been taken at least by the table's population."""
    about = [leaf for leaf in _leaves(table.population.fits) if leaf.fact is Fact.EXPOSURE]
    return max((days for leaf in about for days in (leaf.at_least, leaf.above) if days is not None), default=0.0)


def _leaves(predicates: Iterable[Predicate], *, excluded: bool = False) -> Iterator[Predicate]:
    """The predicates about one fact each; with `excluded` those too that rule a population out."""
    for predicate in predicates:
        if predicate.fact is not None:
            yield predicate
        yield from _leaves((*predicate.all, *predicate.any, *(predicate.none if excluded else ())), excluded=excluded)


def modifier_key(marker_or_enzyme: str) -> str:
    """The key under which an inhibitor or inducer of a gene's enzyme reaches its markers."""
    return f"modifier:{marker_or_enzyme.removeprefix('gene:')}"


def _predicates(table: Table) -> Iterator[Predicate]:
    yield from table.population.fits
    for use in table.markers.values():
        yield from use.risks
        yield from use.required_when
        yield from (s.when for s in use.spoilers)
