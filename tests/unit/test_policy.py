"""A site's policy is read strictly, and one line silences a guidance."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from cds_service.errors import PolicyError
from cds_service.policy import Policy, Switch, load_policy, policy_schema, site_codes
from cds_service.policy_names import check_names
from tests.support.world import knowledge

DOCS = Path(__file__).parents[2] / "docs"
SCHEMA = DOCS / "schema" / "policy.schema.json"


@pytest.fixture
def policy_of(tmp_path):
    def load(text: str) -> Policy:
        path = tmp_path / "site.yaml"
        path.write_text(text, encoding="utf-8")
        return load_policy(path)

    return load


def test_the_packaged_policy_has_an_override_reason_for_every_real_answer():
    policy = load_policy()
    assert [reason.code for reason in policy.override_reasons] == [
        "already-tested",
        "tolerated-before",
        "will-monitor",
        "patient-declines",
        "emergency",
        "test-not-available",
        "specialist-decision",
    ]
    assert policy.guidance == {}
    assert len(policy.content_hash) == 16


@pytest.mark.parametrize(
    ("word", "switch"),
    [("off", Switch.OFF), ("on", Switch.ON), ("silent", Switch.SILENT), ("'off'", Switch.OFF)],
)
def test_one_line_silences_a_guidance(policy_of, word, switch):
    """A bare `off` is a boolean to YAML and must still mean the switch."""
    assert policy_of(f"guidance: {{omeprazole: {word}}}").guidance == {"omeprazole": switch}


def test_a_key_that_stands_twice_is_a_fault(policy_of):
    with pytest.raises(PolicyError, match="omeprazole stands twice"):
        policy_of("guidance:\n  omeprazole: off\n  codeine: off\n  omeprazole: silent")


@pytest.mark.parametrize("text", ["", "# guidance: {omeprazole: off}\n"])
def test_a_policy_that_says_nothing_is_a_fault(policy_of, text):
    """Cut off by a full disk, it would bring back all that the site has silenced."""
    with pytest.raises(PolicyError, match="the file says nothing"):
        policy_of(text)


def test_what_a_site_leaves_out_keeps_its_default(policy_of):
    policy = policy_of("name: site")
    assert policy.firing == load_policy().firing
    assert policy.override_reasons == load_policy().override_reasons
    assert policy.content_hash != load_policy().content_hash


def test_a_site_has_its_own_override_reasons(tmp_path):
    path = tmp_path / "policy.yaml"
    path.write_text("override_reasons: [{code: local, display: As decided here}]")
    assert [reason.code for reason in load_policy(path).override_reasons] == ["local"]


def test_a_catalogue_entry_names_the_local_order(policy_of):
    entry = "{markers: ['gene:X'], code: L1, system: 'https://lab.example', name: X, turnaround_days: [2, 5]}"
    (test,) = policy_of(f"catalogue: [{entry}]").catalogue
    assert (test.code, test.turnaround_days) == ("L1", (2.0, 5.0))


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("guidence: {}", "guidence"),
        ("guidance: {omeprazole: quiet}", "guidance.omeprazole"),
        ("firing: {grave: 1}", "firing.grave"),
        ("override_reasons: [{code: a}]", "override_reasons.0.display"),
        ("override_reasons: [{code: '', display: b}]", "override_reasons.0.code"),
        ("override_reasons: [{code: a, display: b}, {code: a, display: c}]", "override_reasons"),
        ("firing: {grave_probability_at_least: 5}", "firing.grave_probability_at_least"),
        ("firing: {change_probability_at_least: -1}", "firing.change_probability_at_least"),
        ("firing: {change_probability_at_least: .nan}", "firing.change_probability_at_least"),
        ("pending_turnarounds: -3", "pending_turnarounds"),
        ("urgent_turnaround_days: 0", "urgent_turnaround_days"),
        ("catalogue: [{markers: [], code: a, system: b, name: c}]", "catalogue.0.markers"),
        ("catalogue: [{markers: [m], code: '', system: b, name: c}]", "catalogue.0.code"),
        ("catalogue: [{markers: [m], code: a, system: b, name: c, turnaround_days: [7, 3]}]", "turnaround_days"),
        ("result_codes: [{system: s, code: '', loinc: 2823-3}]", "result_codes.0.code"),
        ("result_codes: [{system: s, code: 'a,b', loinc: 2823-3}]", "result_codes.0.code"),
        ("result_codes: [{system: 's|t', code: a, loinc: 2823-3}]", "result_codes.0.system"),
        (
            "result_codes: [{system: s, code: a, loinc: 1-8}, {system: s, code: a, loinc: 2-6}]",
            "result_codes: .*once",
        ),
        ("content_hash: abc", "mapping"),
        ("- a", "mapping"),
        ("a: [", "site.yaml"),
    ],
)
def test_a_fault_names_its_place(policy_of, text, place):
    with pytest.raises(PolicyError, match=place):
        policy_of(text)


def test_a_missing_file_is_a_fault():
    with pytest.raises(PolicyError):
        load_policy(Path("no-such-policy.yaml"))


def test_the_schema_in_the_documentation_is_that_of_the_code():
    """Where it is not: `python docs/schema/generate_policy.py`."""
    assert json.loads(SCHEMA.read_text(encoding="utf-8")) == policy_schema()


def test_the_example_in_the_documentation_is_a_valid_policy(policy_of):
    example = (DOCS / "policy.md").read_text(encoding="utf-8").split("```yaml")[1].split("```")[0]
    policy = policy_of(example)
    check_names(policy, knowledge())
    Draft202012Validator(policy_schema()).validate(yaml.safe_load(example.replace(": off", ": 'off'")))
    assert policy.guidance == {
        "omeprazole": Switch.SILENT,
        "gene:CYP2C9": Switch.OFF,
        "tumour": Switch.OFF,
        "somatic": Switch.OFF,
        "germline": Switch.OFF,
    }
    assert [test.code for test in policy.catalogue] == ["PGX-2C19", "PGX-THIO"]
    assert site_codes(policy) == {
        ("https://laboratory.example.org/results", "K-PL"): "2823-3",
        ("", "2C19"): "57132-3",
    }


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("guidance: {omeprazol: silent}", "guidance: omeprazol;"),
        ("assume_when_unknown: {no_table: true}", "assume_when_unknown: no_table;"),
        ("source_order: [foo, guideline]", "source_order: foo;"),
        ("phenoconversion: {CYP9: [metoprolol]}", "phenoconversion: CYP9;"),
        ("phenoconversion: {CYP2D6: [metoprolo]}", "phenoconversion.CYP2D6: metoprolo;"),
        ("catalogue: [{markers: ['gene:X'], code: a, system: b, name: c}]", "catalogue.0.markers: gene:X;"),
        ("result_codes: [{system: s, code: a, loinc: 2823-9}]", "result_codes.0.loinc: 2823-9;"),
    ],
)
def test_a_name_that_the_knowledge_does_not_hold_is_a_fault(policy_of, text, told):
    """A misspelt drug would otherwise leave its guidance on without a word."""
    with pytest.raises(PolicyError, match=told):
        check_names(policy_of(text), knowledge())


def test_every_marker_that_a_table_asks_for_can_be_silenced(policy_of):
    asked = {marker for table in knowledge().tables.values() for marker in table.markers}
    assert {marker.partition(":")[0] for marker in asked} > {"lab", "derived", "genotype"}
    check_names(policy_of(json.dumps({"guidance": dict.fromkeys(sorted(asked), "silent")})), knowledge())
