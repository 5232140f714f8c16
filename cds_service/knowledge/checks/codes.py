"""Proofs about codes and frequencies: one code has one name and one gene, shares of patients add up."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import chain

from cds_service.codes import LOINC, Coding
from cds_service.knowledge.base import Knowledge
from cds_service.knowledge.derived import loinc_codes
from cds_service.knowledge.rows import HLA_STATES, OR, OTHER_THAN
from cds_service.knowledge.schema import Frequency, Gene, ObservationCode

_OF_A_CONCLUSION = frozenset({"absent", "pathogenic"})
"""Labels by which a variant, or none, tells the state of a gene without a table of alleles."""
_ROUNDING = 1.02
"""Shares of one population may add up to a little more than 1: they were rounded one by one."""


def code_problems(knowledge: Knowledge) -> Iterator[str]:
    """Codes that cannot be, that have two names, or that name two genes."""
    for (system, code), names in sorted(_names(knowledge).items()):
        if system == LOINC and not _is_loinc(code):
            yield f"LOINC code {code}: not a code of the form 12345-6 with a valid check digit"
        if len(set(map(str.casefold, names))) > 1:
            yield f"code {code} of {system} has several names: {'; '.join(sorted(names))}"
    yield from _shared_codes(knowledge)
    yield from _test_codes(knowledge)
    yield from _unread_codes(knowledge)


def _names(knowledge: Knowledge) -> dict[tuple[str, str], set[str]]:
    """(system, code) -> the names that it is given anywhere; a code without a name has an empty set."""
    names: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    used: list[ObservationCode | Coding] = [
        *(code for _, code in _observation_codes(knowledge)),
        *(code for o in knowledge.observables.values() for code in (*o.codes, *o.listed)),
        *(coding for test in knowledge.tests.values() for coding in test.codes),
        *(coding for condition in knowledge.conditions.values() for coding in condition.codes),
    ]
    for coding in used:
        names[coding.system, coding.code].update({coding.display} - {""})
    return names


def _observation_codes(knowledge: Knowledge) -> Iterator[tuple[str, ObservationCode]]:
    """Gene (`CYP2C19`, `HLA-B`) and code, for every code that names a gene."""
    yield from ((gene.symbol, code) for gene in knowledge.genes.values() for code in gene.codes)
    yield from ((f"HLA-{marker.locus}", code) for marker in knowledge.hla.values() for code in marker.codes)


def _shared_codes(knowledge: Knowledge) -> Iterator[str]:
    used: defaultdict[tuple[str, str], list[tuple[str, ObservationCode]]] = defaultdict(list)
    for gene, code in _observation_codes(knowledge):
        used[code.system, code.code].append((gene, code))
    for (_, code_text), users in sorted(used.items()):
        genes = sorted({gene for gene, _ in users})
        if len(genes) > 1 and not all(code.ambiguous for _, code in users):
            yield f"code {code_text} names several genes and is not marked ambiguous: {', '.join(genes)}"
        alleles = sorted({code.allele for _, code in users if code.allele})
        if len(alleles) > 1:
            yield f"code {code_text} asks about several alleles: {', '.join(alleles)}"


def _test_codes(knowledge: Knowledge) -> Iterator[str]:
    """Tests whose code names a gene that the test does not answer."""
    named: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for gene, code in _observation_codes(knowledge):
        named[code.system, code.code].add(gene)
    for test in knowledge.tests.values():
        answered = {_gene_of(marker) for marker in test.markers}
        for coding in test.codes:
            genes = named.get((coding.system, coding.code), set())
            if genes and not genes & answered:
                yield f"test {test.id}: code {coding.code} names {', '.join(sorted(genes))}, not a gene of the test"


def _unread_codes(knowledge: Knowledge) -> Iterator[str]:
    """Tests of one marker under whose code no result would be read. Of a panel the parts have codes of their own."""
    read = loinc_codes(knowledge)
    for test in knowledge.tests.values():
        for coding in test.codes if len(test.markers) == 1 else ():
            if coding.system == LOINC and coding.code not in read:
                yield f"test {test.id}: a result under its code {coding.code} would not be read: no marker has it"


def _gene_of(marker: str) -> str:
    kind, _, name = marker.partition(":")
    return f"HLA-{name.partition('*')[0]}" if kind == "hla" else name


def _is_loinc(code: str) -> bool:
    """Digits, a hyphen and the check digit of modulus 10 (LOINC Users' Guide, appendix on check digits)."""
    if not re.fullmatch(r"\d{1,7}-\d", code):
        return False
    digits = [int(digit) for digit in code.replace("-", "")]
    doubled = [sum(divmod(2 * digit, 10)) if place % 2 else digit for place, digit in enumerate(reversed(digits))]
    return sum(doubled) % 10 == 0


def frequency_problems(knowledge: Knowledge) -> Iterator[str]:
    """Frequencies of markers, states or conditions that do not exist, and shares that cannot be."""
    sums: defaultdict[tuple[str, str, str], float] = defaultdict(float)
    for frequency in knowledge.frequencies:
        where = f"frequency {frequency.marker} {frequency.state} ({frequency.population})"
        if not _terms(frequency) <= _countable(frequency.marker, knowledge):
            yield f"{where}: the marker has no such state or phenotype"
        if frequency.condition and not _has_name(frequency.condition, knowledge):
            yield f"{where}: there is no condition {frequency.condition!r} with a label"
        if not 0 <= frequency.low <= frequency.high <= 1:
            yield f"{where}: {frequency.low} to {frequency.high}; expected low <= high, from 0 to 1"
        sums[frequency.marker, frequency.population, frequency.source] += frequency.low
    for (marker, population, source), total in sums.items():
        if total > _ROUNDING:
            yield f"frequency {marker} ({population}, {source}): the shares add up to {total:.3f}; expected at most 1"
    yield from _twice(knowledge.frequencies)


def _has_name(condition: str, knowledge: Knowledge) -> bool:
    return condition in knowledge.conditions and bool(knowledge.conditions[condition].label)


def _terms(frequency: Frequency) -> frozenset[str]:
    return frozenset(frequency.state.removeprefix(OTHER_THAN).split(OR))


def _countable(marker: str, knowledge: Knowledge) -> frozenset[str]:
    """What a share may count: of a marker whose states are those of each table, those of any, and any variant."""
    found = [rows.states[marker] for rows in knowledge.rows_by_table.values() if marker in rows.states]
    return states_named(marker, knowledge).union(*found, HLA_STATES if found else ())


def states_named(marker: str, knowledge: Knowledge) -> frozenset[str]:
    """States and phenotype terms of a marker that does not depend on a table; empty for an unknown marker."""
    if marker in knowledge.hla:
        return frozenset(HLA_STATES)
    gene = knowledge.genes.get(marker.removeprefix("gene:")) if marker.startswith("gene:") else None
    return frozenset() if gene is None else frozenset(gene.states) | gene.phenotypes.keys()


def _twice(frequencies: tuple[Frequency, ...]) -> Iterator[str]:
    seen: set[tuple[str, str, str, str]] = set()
    for frequency in frequencies:
        key = (frequency.marker, frequency.state, frequency.population, frequency.source)
        if key in seen:
            yield f"frequency {' '.join(key[:2])} ({key[2]}, {key[3]}) stands twice"
        seen.add(key)


def gene_problems(gene: Gene) -> Iterator[str]:
    """Terms, states and alleles that a gene's own rules name and that it does not have."""
    where = f"gene {gene.symbol}"
    stood_for = [state for states in gene.phenotypes.values() for state in states]
    if sorted(stood_for) != sorted(gene.states):
        odd = sorted({s for s in (*stood_for, *gene.states) if stood_for.count(s) != 1 or s not in gene.states})
        yield f"{where}: each state belongs to exactly one phenotype; not so: {', '.join(odd)}"
    meant = [[terms] if isinstance(terms, str) else terms for terms in gene.labels.values()]
    terms = {*(pair[2] for pair in gene.pairs), *(band.phenotype for band in gene.bands), *chain.from_iterable(meant)}
    for term in sorted(terms - gene.phenotypes.keys() - {"Indeterminate"}):
        yield f"{where}: {term!r} is no phenotype of the gene"
    if not gene.alleles and not gene.labels.keys() >= _OF_A_CONCLUSION:
        yield f"{where}: without alleles the laboratory's conclusion tells it: labels {sorted(_OF_A_CONCLUSION)}"
    for term in sorted({term for terms in gene.listed.values() for term in terms} - gene.phenotypes.keys()):
        yield f"{where}: a diagnosis means {term!r}, which is no phenotype of the gene"
    for allele in sorted({gene.reference, *gene.panel_alleles} - gene.alleles.keys() - {""}):
        yield f"{where}: {allele!r} is no allele of the gene"
