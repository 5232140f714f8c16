"""The command `cds-service phenotype`: one line out for each line in.

A line in is `gene<TAB>diplotype`; a line out repeats both as they came and adds `phenotype<TAB>activity_score`.
The third column says it where a line cannot be answered: `Indeterminate: unknown allele *999`,
`Error: unknown gene ABC`, `Error: expected gene<TAB>diplotype`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from cds_service.knowledge.nomenclature import plain
from cds_service.knowledge.schema import Gene
from cds_service.model import INDETERMINATE
from cds_service.reasoning.phenotypes import NO_SCORE, call_phenotype


class HoldsGenes(Protocol):
    """What of the knowledge is needed here."""

    @property
    def genes(self) -> Mapping[str, Gene]: ...


def phenotype_lines(lines: Iterable[str], knowledge: HoldsGenes) -> Iterator[str]:
    """Exactly one line for each line, without line ends."""
    by_symbol = {symbol.upper(): gene for symbol, gene in knowledge.genes.items()}
    for line in lines:
        yield _answer(line.rstrip("\r\n"), by_symbol)


def _answer(line: str, by_symbol: Mapping[str, Gene]) -> str:
    symbol, tab, diplotype = line.partition("\t")
    if not tab or not plain(symbol) or not plain(diplotype) or "\t" in diplotype:
        return _refused(line, "expected gene<TAB>diplotype")
    gene = by_symbol.get(plain(symbol).upper())
    if gene is None:
        return _refused(line, f"unknown gene {plain(symbol)}")
    call = call_phenotype(gene, diplotype)
    if call.unknown_alleles:
        said = f"{INDETERMINATE}: unknown allele {', '.join(call.unknown_alleles)}"
        return f"{line}\t{said}\t{NO_SCORE if call.activity_score else ''}"
    return f"{line}\t{call.phenotype}\t{call.activity_score}"


def _refused(line: str, why: str) -> str:
    """The first two columns as they came, filled up where the line has fewer, and the fault in the third."""
    columns = [*line.split("\t"), ""][:2]
    return "\t".join([*columns, f"Error: {why}", ""])
