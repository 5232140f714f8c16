"""What one reading says of a marker: the states that it leaves possible, or why it leaves them open."""

from __future__ import annotations

from dataclasses import dataclass

from cds_service.knowledge.base import Knowledge
from cds_service.knowledge.nomenclature import WITH_ANY, normalised, parse_diplotype
from cds_service.knowledge.schema import Gene, GeneModel
from cds_service.model import (
    INDETERMINATE,
    ActivityScore,
    Diplotype,
    GapReason,
    HlaType,
    NotReadable,
    OneOf,
    Patient,
    Phenotype,
    Presence,
    Quantity,
    Reading,
    SelfContradiction,
    Significance,
    Undetermined,
    name_of,
)
from cds_service.reasoning.phenotypes import call_phenotype, states_of_phenotype, states_of_score

OTHER_GENOTYPE = "other"
_NOBODY = Patient(id="")


@dataclass(frozen=True, slots=True)
class Said:
    """What one reading says of a marker. `states` is empty where it says nothing of it."""

    reading: Reading
    states: frozenset[str]
    indeterminate: str = ""
    """The literal state where the test gave none (`Indeterminate`, or a state that defers to another test)."""
    repeatable: bool = False
    """The test gave none because the run failed or was too coarse: done again it may tell."""
    contradicts_itself: bool = False
    unreadable: GapReason | None = None
    spoiled: str = ""
    """Phrase key of why it does not exclude what it should (a transfusion before it)."""
    otherwise: Said | None = None
    """What it says where dates that are told roughly leave open whether it is spoiled."""


def said_of(marker: str, reading: Reading, states: frozenset[str], patient: Patient, knowledge: Knowledge) -> Said:
    """What the reading says of the marker, of whose `states` a test could return any."""
    match reading.says:
        case NotReadable(reason):
            return Said(reading, frozenset(), unreadable=reason)
        case SelfContradiction():
            return Said(reading, states, contradicts_itself=True)
        case Undetermined():
            return Said(reading, frozenset(), indeterminate=INDETERMINATE, repeatable=True)
        case HlaType() | Presence() as says if marker.startswith("hla:"):
            return _said_of_hla(f"*{marker.partition('*')[2]}", says, reading)
    gene = knowledge.genes.get(name_of(marker))
    if gene is None:
        return Said(reading, frozenset())
    if marker.startswith("genotype:"):
        return _said_of_genotype(gene, reading, states)
    return _said_of_gene(gene, reading, states, patient)


def _said_of_hla(name: str, says: HlaType | Presence, reading: Reading) -> Said:
    """An HLA allele is there, is not there, or stays open. A negative needs both chromosomes typed."""
    if isinstance(says, Presence):
        found = frozenset({"positive" if says.present else "negative"})
        return Said(reading, found if says.allele == name else frozenset())
    if name in says.alleles:
        return Said(reading, frozenset({"positive"}))
    if name in says.ambiguous:
        return Said(reading, frozenset({"positive", "negative"}), indeterminate=INDETERMINATE, repeatable=True)
    return Said(reading, frozenset({"negative"}) if says.complete else frozenset())


def _said_of_gene(gene: Gene, reading: Reading, states: frozenset[str], patient: Patient) -> Said:
    match reading.says:
        case Diplotype(text):
            return _said_by_diplotype(gene, text, reading, states, patient)
        case Phenotype(term) if term == INDETERMINATE:
            return Said(reading, frozenset(), indeterminate=INDETERMINATE)
        case Phenotype(term):
            return Said(reading, states_of_phenotype(gene, term))
        case OneOf(terms):
            return Said(reading, frozenset().union(*(states_of_phenotype(gene, term) for term in terms)))
        case ActivityScore() if not gene.bands:
            return Said(reading, frozenset(), unreadable=GapReason.NO_SCORES)
        case ActivityScore(value, at_least):
            return Said(reading, states_of_score(gene, value, at_least=at_least))
        case Quantity():
            return Said(reading, frozenset(), unreadable=GapReason.NO_CALL)
        case Presence(allele, True, significance):
            found = _states_with(gene, allele)
            is_lost = not found and significance is Significance.PATHOGENIC
            return Said(reading, found, unreadable=GapReason.UNKNOWN_ALLELE if is_lost else None)
        case _:
            return Said(reading, frozenset())


def _said_by_diplotype(gene: Gene, text: str, reading: Reading, states: frozenset[str], patient: Patient) -> Said:
    call = call_phenotype(gene, text)
    if call.indeterminate and call.unknown_alleles:
        return Said(reading, frozenset(), unreadable=GapReason.UNKNOWN_ALLELE)
    if call.indeterminate:
        return Said(reading, call.states, indeterminate=INDETERMINATE)
    if _zygosity_unknown(gene, text, patient):
        return Said(reading, _states_with(gene, text))
    if _panel_incomplete(gene, text, reading):
        return Said(reading, states)
    return Said(reading, call.states)


def _zygosity_unknown(gene: Gene, text: str, patient: Patient) -> bool:
    """One allele named for an X-linked gene in a patient not known to have one X chromosome."""
    return gene.model is GeneModel.X_LINKED and "/" not in normalised(gene, text) and patient.sex != "male"


def _panel_incomplete(gene: Gene, text: str, reading: Reading) -> bool:
    """A reference call from a panel known to lack alleles that matter leaves everything open."""
    if not reading.panel or not gene.panel_alleles or not gene.reference:
        return False
    if set(parse_diplotype(gene, text).alleles) != {gene.reference}:
        return False
    return not set(gene.panel_alleles) <= set(reading.panel)


def _states_with(gene: Gene, allele: str) -> frozenset[str]:
    """States of the gene that are possible when one chromosome carries the allele."""
    if gene.model is GeneModel.MITOCHONDRIAL:
        return call_phenotype(gene, allele).states
    calls = (call_phenotype(gene, f"{allele}/{other}") for other in gene.alleles)
    return frozenset().union(*(c.states for c in calls if not c.indeterminate and not c.unknown_alleles))


def _said_of_genotype(gene: Gene, reading: Reading, states: frozenset[str]) -> Said:
    """A marker that is the genotype itself. A phenotype or score leaves every genotype of that phenotype, an allele
    that was found every genotype with it."""
    match reading.says:
        case Diplotype(text):
            return _genotype_state(gene, reading, text, states)
        case Phenotype(term) if term == INDETERMINATE:
            return Said(reading, frozenset(), indeterminate=INDETERMINATE)
        case Phenotype() | OneOf() | ActivityScore():
            wanted = _said_of_gene(gene, reading, frozenset(gene.states), _NOBODY).states
            left = (s for s in states if _is_open(s) or call_phenotype(gene, s).states & wanted)
            return Said(reading, frozenset(left))
        case Presence(allele, True):
            return Said(reading, _genotypes_with(normalised(gene, allele), states))
        case _:
            return Said(reading, frozenset())


def _genotypes_with(allele: str, states: frozenset[str]) -> frozenset[str]:
    """The states that a genotype with the allele may be."""
    contains = f"{allele}{WITH_ANY}"
    rest = frozenset({contains if contains in states else OTHER_GENOTYPE}) & states
    return rest | frozenset(s for s in states if allele in s.split("/"))


def _is_open(state: str) -> bool:
    """Whether the state stands for genotypes that it does not name."""
    return "/" not in state or state.endswith(WITH_ANY)


def _genotype_state(gene: Gene, reading: Reading, text: str, states: frozenset[str]) -> Said:
    call = call_phenotype(gene, text)
    if call.unknown_alleles:
        return Said(reading, frozenset(), unreadable=GapReason.UNKNOWN_ALLELE)
    name = normalised(gene, text)
    if name in states:
        return Said(reading, frozenset({name}))
    containing = frozenset(f"{allele}{WITH_ANY}" for allele in name.split("/")) & states
    if containing:
        return Said(reading, containing)
    if OTHER_GENOTYPE in states:
        return Said(reading, frozenset({OTHER_GENOTYPE}))
    return Said(reading, frozenset(), indeterminate=INDETERMINATE)
