"""What a site decides. An argument of `evaluate`; the packaged default is `policy.yaml` beside this file."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

import yaml
from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter, ValidationError, with_config

from cds_service import unique_yaml
from cds_service.errors import PolicyError
from cds_service.memory import remembered_by_identity

PACKAGED = Path(__file__).with_name("policy.yaml")


Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
"""Of 1, not of 100."""
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Filled = Annotated[str, Field(min_length=1)]
InSearches = Annotated[str, Field(pattern=r"^[^,|$\\]*$")]
"""Without the signs that FHIR searches set apart by."""


class Switch(StrEnum):
    ON = "on"
    SILENT = "silent"
    """Evaluated and counted, not shown."""
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Firing:
    """When a test question interrupts though labelling does not ask for the test (docs/reasoning.md, step 7)."""

    grave_probability_at_least: Share = 0.01
    change_probability_at_least: Share = 0.20


@dataclass(frozen=True, slots=True)
class OverrideReason:
    code: Filled
    display: Filled


def _rising(days: tuple[float, float]) -> tuple[float, float]:
    if days[0] > days[1]:
        raise ValueError("expected the shorter time first")
    return days


def _each_once(reasons: tuple[OverrideReason, ...]) -> tuple[OverrideReason, ...]:
    if len({reason.code for reason in reasons}) < len(reasons):
        raise ValueError("expected each code once")
    return reasons


@dataclass(frozen=True, slots=True)
class CatalogueTest:
    """What the site's laboratory calls a marker's test: LOINC alone is not orderable in an EHR."""

    markers: Annotated[tuple[str, ...], Field(min_length=1)]
    code: Filled
    system: Filled
    name: Filled
    specimen: str = ""
    turnaround_days: Annotated[tuple[Positive, Positive], AfterValidator(_rising)] | None = None
    """The usual shortest and longest."""
    method: str = "genotype"


@dataclass(frozen=True, slots=True)
class ResultCode:
    """A code of the site's own under which its laboratory reports what the LOINC code stands for."""

    system: InSearches
    """Empty for results whose code has none."""
    code: Annotated[InSearches, Field(min_length=1)]
    loinc: Filled


def _told_once(codes: tuple[ResultCode, ...]) -> tuple[ResultCode, ...]:
    if len({(one.system, one.code) for one in codes}) < len(codes):
        raise ValueError("expected each code of a system once")
    return codes


@dataclass(frozen=True, slots=True)
class Policy:
    """`guidance` maps a table id, a drug id, a marker id or a kind of markers (`tumour`) to a switch; the most
    specific wins (table, then drug, then marker, then kind). `phenoconversion` maps an enzyme's gene to the drugs,
    beyond those of the guideline, whose states are adjusted for inhibitors; such results are labelled as our own
    inference.
    """

    name: str = "default"
    version: str = "1"
    firing: Firing = Firing()
    guidance: Mapping[str, Switch] = field(default_factory=dict)
    phenoconversion: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    source_order: tuple[str, ...] = ("label_contraindication", "guideline", "label", "regulator_table")
    override_reasons: Annotated[tuple[OverrideReason, ...], AfterValidator(_each_once)] = ()
    catalogue: tuple[CatalogueTest, ...] = ()
    result_codes: Annotated[tuple[ResultCode, ...], AfterValidator(_told_once)] = ()
    say_not_recognised: bool = True
    """A card for an order whose drug could not be recognised."""
    assume_when_unknown: Mapping[str, bool] = field(default_factory=dict)
    """`<table id>` -> whether the table is taken to fit when its population is not known; overrides the data."""
    pending_turnarounds: Positive = 3
    """A pending test older than this many turnarounds is taken as lost."""
    urgent_turnaround_days: Positive = 2
    """Before an urgent or single-dose drug a test must answer within this many days to be worth ordering."""
    review_note: bool = True
    """Cards of unreviewed knowledge say so."""
    content_hash: str = ""


def load_policy(path: Path | None = None) -> Policy:
    """The policy in the YAML file at `path`, the packaged one without it; what the file leaves out keeps its
    default, except that override reasons come from the packaged policy. Raises PolicyError.
    """
    policy = _read(path or PACKAGED)
    if path is None or policy.override_reasons:
        return policy
    return replace(policy, override_reasons=_read(PACKAGED).override_reasons)


@remembered_by_identity
def site_codes(policy: Policy) -> Mapping[tuple[str, str], str]:
    """(system, code) of the site's own result codes -> LOINC code."""
    return MappingProxyType({(one.system, one.code): one.loinc for one in policy.result_codes})


def policy_schema() -> dict[str, Any]:
    """JSON Schema of a policy file (kept in `docs/schema/policy.schema.json`)."""
    schema = _adapter().json_schema()
    del schema["properties"]["content_hash"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "Policy of a site",
    }


def _read(path: Path) -> Policy:
    try:
        text = path.read_bytes()
        content = unique_yaml.load(text)
    except OSError as fault:
        raise PolicyError(f"{path.name}: {fault}") from fault
    except yaml.YAMLError as fault:
        raise PolicyError(f"{path.name}: {unique_yaml.faults_of(fault)}") from fault
    if content is None:
        raise PolicyError(f"{path.name}: the file says nothing; leave CDS_POLICY out for the packaged policy")
    if not isinstance(content, dict) or "content_hash" in content:
        raise PolicyError(f"{path.name}: expected a mapping of the settings in policy.schema.json")
    try:
        policy = _adapter().validate_python(_with_switches(content))
    except ValidationError as fault:
        raise PolicyError(f"{path.name}: {unique_yaml.faults_of(fault)}") from fault
    return replace(policy, content_hash=hashlib.sha256(text).hexdigest()[:16])


def _with_switches(content: dict[str, Any]) -> dict[str, Any]:
    """YAML 1.1 reads a bare `on` or `off` as true or false; in `guidance` they are switches."""
    guidance = content.get("guidance")
    if not isinstance(guidance, dict):
        return content
    words = {True: Switch.ON, False: Switch.OFF}
    return content | {
        "guidance": {key: words[value] if isinstance(value, bool) else value for key, value in guidance.items()}
    }


@cache
def _adapter() -> TypeAdapter[Policy]:
    for kind in (Firing, OverrideReason, CatalogueTest, ResultCode, Policy):
        with_config(ConfigDict(extra="forbid"))(kind)
    return TypeAdapter(Policy)
