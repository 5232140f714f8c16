"""Diplotype -> phenotype, activity score and state, by the rules of each gene (CPIC).

A score gene adds the activity values of its two chromosomes and looks the sum up in bands; the other genes look
up the pair of allele functions. An allele without a known function or value, or one that the table does not
hold, makes the call indeterminate: it then says which states stay possible, and guesses none.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations

from cds_service.knowledge.nomenclature import Copies, Haplotype, ParsedDiplotype, parse_diplotype
from cds_service.knowledge.schema import Gene, GeneModel, ScoreBand
from cds_service.memory import remembered_by_identity
from cds_service.model import INDETERMINATE
from cds_service.reasoning.bounds import all_within

OPEN_FUNCTIONS = frozenset({"Uncertain function", "Unknown function", "Unassigned function"})
"""Functions that say that the function is not known."""
NO_CHROMOSOME = "No second X chromosome"
"""Function of the entry that stands for a Y chromosome in the table of an X-linked gene."""
NO_SCORE = "n/a"
"""How CPIC writes the score of a diplotype that cannot be scored."""
_ONE_COPY = frozenset({GeneModel.MITOCHONDRIAL, GeneModel.X_LINKED})


@dataclass(frozen=True, slots=True)
class PhenotypeCall:
    """`phenotype` the standard term, or Indeterminate; `activity_score` as
    CPIC writes it (`1.25`, `≥3.0`, `n/a`), empty for genes without one; `states` what stays possible, exactly
    one where the call is determined; `unknown_alleles` as they came."""

    phenotype: str
    activity_score: str
    states: frozenset[str]
    unknown_alleles: tuple[str, ...] = ()

    @property
    def indeterminate(self) -> bool:
        return self.phenotype == INDETERMINATE


@dataclass(frozen=True, slots=True)
class Score:
    """A sum of activity values. `at_least` where more copies than counted may be there (`x≥3`); `known` is
    false where a value is missing, and `value` is then the part that is certain."""

    value: float
    at_least: bool = False
    known: bool = True


@remembered_by_identity
def call_phenotype(gene: Gene, diplotype: str) -> PhenotypeCall:
    """The phenotype that a diplotype means for this gene. Never raises and never guesses.

    A single allele is a whole result for a mitochondrial gene and for an X-linked one (one X chromosome);
    elsewhere it leaves open whatever the other chromosome could add.
    """
    parsed = parse_diplotype(gene, diplotype)
    if gene.model is GeneModel.SCORE:
        return _by_score(gene, parsed)
    return _by_functions(gene, parsed)


def _by_score(gene: Gene, parsed: ParsedDiplotype) -> PhenotypeCall:
    if parsed.together is not None:
        return _by_ways(gene, _ways_to_share(gene, parsed.haplotypes, parsed.together), parsed)
    score = _score(gene, parsed)
    phenotype = _phenotype_of_score(gene, score) if score.known else INDETERMINATE
    if phenotype == INDETERMINATE:
        left = _states_left_by_score(gene, parsed, score)
        return PhenotypeCall(INDETERMINATE, NO_SCORE, left, parsed.unknown)
    states = states_of_score(gene, score.value, at_least=score.at_least)
    return PhenotypeCall(phenotype, score_text(score.value, at_least=score.at_least), states)


def _by_ways(gene: Gene, ways: frozenset[Score], parsed: ParsedDiplotype) -> PhenotypeCall:
    """The call where every way to share the copies gives the same score; otherwise the states of all the ways."""
    if not ways or not all(way.known for way in ways):
        return PhenotypeCall(INDETERMINATE, NO_SCORE, frozenset(gene.states), parsed.unknown)
    states = frozenset().union(*(states_of_score(gene, w.value, at_least=w.at_least) for w in ways))
    score = next(iter(ways))
    phenotype = _phenotype_of_score(gene, score) if len(ways) == 1 else INDETERMINATE
    if phenotype == INDETERMINATE:
        return PhenotypeCall(INDETERMINATE, NO_SCORE, states)
    return PhenotypeCall(phenotype, score_text(score.value, at_least=score.at_least), states)


def _ways_to_share(gene: Gene, haplotypes: tuple[Haplotype, ...], together: Copies) -> frozenset[Score]:
    """The scores of the ways in which two chromosomes share so many copies, each with one at least. `xN` is three
    at least. Empty where it is not two chromosomes of one allele each, or not two copies."""
    if len(haplotypes) != 2 or not all(len(h.parts) == 1 and h.parts[0].count == 1 for h in haplotypes):
        return frozenset()
    one, other = (gene.alleles[h.parts[0].allele].value for h in haplotypes)
    count, at_least = together.count or 3, together.at_least or together.count is None
    return frozenset(
        _sum((_copies_score(one, n, at_least=at_least), _copies_score(other, count - n, at_least=at_least)))
        for n in range(1, count)
    )


def _states_left_by_score(gene: Gene, parsed: ParsedDiplotype, score: Score) -> frozenset[str]:
    """At least what is certain; and at most one more full chromosome for each that is not, where the gene has
    no multiplied copies (no state of the kind `≥3.0`)."""
    left = _states_from(gene, score.value)
    if any(s.startswith("≥") for s in gene.states) or len(parsed.haplotypes) > 2:
        return left
    most = max((a.value for a in gene.alleles.values() if a.value is not None), default=0.0)
    unknown = 2 - sum(_haplotype_score(gene, h).known for h in parsed.haplotypes)
    return frozenset(s for s in left if _number(s) <= score.value + unknown * most)


def _score(gene: Gene, parsed: ParsedDiplotype) -> Score:
    scores = [_haplotype_score(gene, haplotype) for haplotype in parsed.haplotypes]
    if gene.two_lowest and len(scores) > 2:
        # Which variants share a chromosome is not known: the two with the least activity count.
        scores = sorted(scores, key=lambda s: s.value)[:2] if all(s.known for s in scores) else [_NOTHING_KNOWN]
    if len(scores) > 2:
        return _NOTHING_KNOWN
    return _sum(scores, complete=len(scores) == 2)


_NOTHING_KNOWN = Score(0.0, known=False)


def _sum(scores: Iterable[Score], *, complete: bool = True) -> Score:
    parts = tuple(scores)
    return Score(
        sum(p.value for p in parts),
        at_least=any(p.at_least for p in parts),
        known=complete and all(p.known for p in parts),
    )


def _haplotype_score(gene: Gene, haplotype: Haplotype) -> Score:
    if not haplotype.known:
        return _NOTHING_KNOWN
    return _sum(
        _copies_score(gene.alleles[part.allele].value, part.count, at_least=part.at_least) for part in haplotype.parts
    )


def _copies_score(value: float | None, count: int | None, *, at_least: bool) -> Score:
    if value is None:
        return _NOTHING_KNOWN
    if value == 0:
        return Score(0.0)
    if count is None:
        # "xN" does not say how many: two at least, and CPIC gives no score for it.
        return Score(2 * value, known=False)
    return Score(count * value, at_least=at_least)


def score_text(value: float, *, at_least: bool = False) -> str:
    """The score as CPIC writes it: `0.0`, `0.25`, `≥3.0`."""
    digits = f"{value:.4f}".rstrip("0")
    return f"{'≥' if at_least else ''}{digits}{'0' if digits.endswith('.') else ''}"


def states_of_score(gene: Gene, value: float, *, at_least: bool = False) -> frozenset[str]:
    """The state of the gene for a score; a score that is no state itself is the nearest one of its phenotype.

    `at_least` says that the true score may be higher; where it may then be of another phenotype, all states
    from `value` upwards are given. Without a band for the score (a negative one) every state is given.
    """
    phenotype = _phenotype_of_score(gene, Score(value, at_least))
    if phenotype == INDETERMINATE:
        return _states_from(gene, value)
    written = score_text(value, at_least=at_least)
    states = gene.phenotypes[phenotype]
    if written in states:
        return frozenset({written})
    return frozenset({min(states, key=lambda s: _distance(s, value, at_least=at_least))})


def _distance(state: str, value: float, *, at_least: bool) -> tuple[float, bool, float]:
    return (abs(_number(state) - value), state.startswith("≥") is not at_least, _number(state))


def _number(state: str) -> float:
    return float(state.removeprefix("≥"))


def _states_from(gene: Gene, value: float) -> frozenset[str]:
    """The states that a score of at least `value` leaves possible."""
    return frozenset(s for s in gene.states if s.startswith("≥") or _number(s) >= value)


def _phenotype_of_score(gene: Gene, score: Score) -> str:
    bands = [
        b
        for b in gene.bands
        if all_within(score.value, score.value, b) or (score.at_least and _reaches(b, score.value))
    ]
    return bands[0].phenotype if len(bands) == 1 else INDETERMINATE


def _reaches(band: ScoreBand, value: float) -> bool:
    """Whether some score above `value` lies in the band."""
    return (band.below is None or value < band.below) and (band.at_most is None or value < band.at_most)


def _by_functions(gene: Gene, parsed: ParsedDiplotype) -> PhenotypeCall:
    functions = [_function(gene, h) for h in parsed.haplotypes]
    functions = [f for f in functions if f != NO_CHROMOSOME]
    if len(functions) == 1 and gene.model in _ONE_COPY:
        functions = functions * 2
    phenotype = _phenotype_of_functions(gene, functions)
    if phenotype != INDETERMINATE:
        return PhenotypeCall(phenotype, "", states_of_phenotype(gene, phenotype), parsed.unknown)
    return PhenotypeCall(INDETERMINATE, "", _states_left(gene, functions), parsed.unknown)


def _function(gene: Gene, haplotype: Haplotype) -> str:
    """The function of the allele; empty where the table does not hold it."""
    return gene.alleles[haplotype.parts[0].allele].function if haplotype.known else ""


def _phenotype_of_functions(gene: Gene, functions: list[str]) -> str:
    """By the pair, or by one function that decides whatever stands beside it."""
    if len(functions) == 2 and all(functions):
        return _phenotype_of_pair(gene, *functions)
    deciding = (_with_any_partner(gene, f) for f in functions)
    return next((next(iter(p)) for p in deciding if len(p) == 1), INDETERMINATE)


def _phenotype_of_pair(gene: Gene, one: str, other: str) -> str:
    """A pair that no rule names is Indeterminate: CPIC has not assigned it."""
    pairs = ((one, other), (other, one))
    return next((p for a, b, p in gene.pairs if (a, b) in pairs), INDETERMINATE)


def _with_any_partner(gene: Gene, function: str) -> frozenset[str]:
    """The phenotypes that a function gives with each that is known; empty for one that is itself not known."""
    pairs = (p for p in gene.pairs if function in p[:2] and OPEN_FUNCTIONS.isdisjoint(p[:2]))
    return frozenset(phenotype for _, _, phenotype in pairs)


def _states_left(gene: Gene, functions: list[str]) -> frozenset[str]:
    """What an indeterminate call leaves possible: with one function known, what any partner of it gives."""
    closed = [f for f in functions if f and f not in OPEN_FUNCTIONS]
    if len(functions) > 2:
        found = frozenset(_phenotype_of_pair(gene, a, b) for a, b in combinations(closed, 2))
        return _states_of(gene, found) if len(closed) == len(functions) else frozenset(gene.states)
    return _states_of(gene, _with_any_partner(gene, closed[0])) if len(closed) == 1 else frozenset(gene.states)


def _states_of(gene: Gene, phenotypes: frozenset[str]) -> frozenset[str]:
    if not phenotypes or INDETERMINATE in phenotypes:
        return frozenset(gene.states)
    return frozenset().union(*(states_of_phenotype(gene, p) for p in phenotypes))


def phenotype_of_state(gene: Gene, state: str) -> str:
    """The standard term that a state stands for; Indeterminate for a text that is no state of the gene."""
    return next((term for term, states in gene.phenotypes.items() if state in states), INDETERMINATE)


def states_of_phenotype(gene: Gene, term: str) -> frozenset[str]:
    """The states that a standard term stands for; empty for a term that the gene does not have."""
    return frozenset(gene.phenotypes.get(term, ()))
