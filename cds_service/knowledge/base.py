"""The knowledge base: everything loaded once, immutable, indexed for the way of a request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from cds_service.knowledge.rows import TableRows
from cds_service.knowledge.schema import (
    ConditionKey,
    Drug,
    DrugGroup,
    FamilyPrior,
    Frequency,
    Gene,
    HlaMarker,
    Modifier,
    Modulator,
    NoMatch,
    Observable,
    ResultSpoiler,
    ResultWords,
    SampleFault,
    Source,
    SupplyLengths,
    Table,
    Test,
)


@dataclass(frozen=True, slots=True)
class Knowledge:
    """Immutable. `version` and `content_hash` stand on every card, log line and feedback row."""

    version: str
    content_hash: str
    developer: str
    drugs: Mapping[str, Drug]
    genes: Mapping[str, Gene]
    """By symbol."""
    hla: Mapping[str, HlaMarker]
    """By marker id."""
    tests: Mapping[str, Test]
    conditions: Mapping[str, ConditionKey]
    groups: Mapping[str, DrugGroup]
    sources: Mapping[str, Source]
    tables: Mapping[str, Table]
    modifiers: tuple[Modifier, ...]
    modulators: tuple[Modulator, ...]
    frequencies: tuple[Frequency, ...]
    phenotype_labels: Mapping[str, str]
    """Folded general label -> standard term."""
    answer_codes: Mapping[tuple[str, str], str]
    """(system, code) of an answer -> standard term."""
    tables_by_drug: Mapping[str, tuple[Table, ...]] = field(default_factory=dict)
    tests_by_marker: Mapping[str, tuple[Test, ...]] = field(default_factory=dict)
    frequencies_by_marker: Mapping[str, tuple[Frequency, ...]] = field(default_factory=dict)
    modulators_by_drug: Mapping[str, tuple[Modulator, ...]] = field(default_factory=dict)
    rows_by_table: Mapping[str, TableRows] = field(default_factory=dict)
    answer_genes: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """(system, code) of a finding that names its gene itself -> gene symbol."""
    observables: Mapping[str, Observable] = field(default_factory=dict)
    """What results report beside the germline genes and HLA markers, by id."""
    unit_spellings: Mapping[str, str] = field(default_factory=dict)
    """Unit as written, lower case and without spaces, or its code elsewhere -> UCUM."""
    result_words: ResultWords = field(default_factory=ResultWords)
    comedications_by_drug: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Drug -> what co-medication can matter to its tables (`reach.comedication_keys`)."""
    groups_by_drug: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    parts_mg: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """Drug -> what its tablets and capsules give (`schema.DrugParts`)."""
    spoilers: tuple[ResultSpoiler, ...] = ()
    """Of results of lifelong markers; medicines that spoil a measured value stand with the table that uses it."""
    sample_faults: Mapping[str, SampleFault] = field(default_factory=dict)
    """What is said of samples that makes their values too high or too low, by id."""
    family_priors: tuple[FamilyPrior, ...] = ()
    no_match: NoMatch = field(default_factory=NoMatch)
    supplies: SupplyLengths = field(default_factory=lambda: SupplyLengths(0, 0, 0))
    publishers: frozenset[str] = frozenset()
    """Hosts on which publishers keep their own texts: what was read elsewhere is a copy."""

    def copied_at(self, source: Source) -> str:
        """The host where the source was read, if that is not its publisher's own; else empty."""
        host = urlsplit(source.url).hostname or ""
        return "" if host in self.publishers else host
