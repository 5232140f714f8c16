"""What the files under `data/` hold, as types: a module for each kind of file. Unknown keys are refused at load
(`load.py`).

The types are plain frozen dataclasses; pydantic validates them from YAML. YAML keys are the field names.
Text that a clinician reads is never here: fields called `reason`, `note`, `label`, `only_if`,
`alternative_class` hold phrase keys of `cards/phrases/`.
"""

from cds_service.knowledge.schema.codes import CodeRole, ObservationCode
from cds_service.knowledge.schema.conditions import ConditionKey, StateChange
from cds_service.knowledge.schema.drugs import Drug, DrugGroup, DrugParts, SupplyLengths
from cds_service.knowledge.schema.frequencies import FamilyPrior, Frequency
from cds_service.knowledge.schema.genes import Allele, Gene, GeneModel, HlaMarker, ResultWords, ScoreBand
from cds_service.knowledge.schema.guidance import (
    Band,
    Concerns,
    MarkerUse,
    Review,
    Row,
    Spoiler,
    Table,
    TableKind,
    Validity,
)
from cds_service.knowledge.schema.modifiers import Modifier, Modulator, ModulatorRole, ModulatorStrength
from cds_service.knowledge.schema.observables import Observable, ObservableKind, UnitConversion
from cds_service.knowledge.schema.predicates import Fact, Population, Predicate
from cds_service.knowledge.schema.sources import Source, SourceKind
from cds_service.knowledge.schema.spoilers import ResultSpoiler, SampleFault
from cds_service.knowledge.schema.tests import NoMatch, Test

__all__ = [
    "Allele",
    "Band",
    "CodeRole",
    "Concerns",
    "ConditionKey",
    "Drug",
    "DrugGroup",
    "DrugParts",
    "Fact",
    "FamilyPrior",
    "Frequency",
    "Gene",
    "GeneModel",
    "HlaMarker",
    "MarkerUse",
    "Modifier",
    "Modulator",
    "ModulatorRole",
    "ModulatorStrength",
    "NoMatch",
    "Observable",
    "ObservableKind",
    "ObservationCode",
    "Population",
    "Predicate",
    "ResultSpoiler",
    "ResultWords",
    "Review",
    "Row",
    "SampleFault",
    "ScoreBand",
    "Source",
    "SourceKind",
    "Spoiler",
    "StateChange",
    "SupplyLengths",
    "Table",
    "TableKind",
    "Test",
    "UnitConversion",
    "Validity",
]
