"""What a laboratory thinks of a variant: by words, codes, components, interpretations and results derived from it."""

from __future__ import annotations

import pytest

from cds_service.codes import SNOMED
from cds_service.model import NotReadable, Presence, Reading, SelfContradiction, Significance

from .small import concept, gene_component, observation, read_all, says

P, U, B, NOT_SAID = Significance.PATHOGENIC, Significance.UNCERTAIN, Significance.BENIGN, Significance.NOT_SAID
PANEL = "94191-4"
INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
GERMLINE = {"code": concept("48002-0"), "valueCodeableConcept": concept("LA6683-2")}


def meaning(answer: object) -> dict[str, object]:
    value = {"text": answer} if isinstance(answer, str) and not answer.startswith("LA") else concept(str(answer))
    return {"code": concept("53037-8"), "valueCodeableConcept": value}


def variant(*parts: object, **fields: object) -> dict[str, object]:
    found = [gene_component("HGNC:1100", "BRCA1"), GERMLINE, *parts]
    return observation(
        **{
            "code": concept("69548-6"),
            "id": "v",
            "component": found,
            "valueCodeableConcept": concept("LA9633-4"),
            **fields,
        }
    )


def implication(answer: str, **fields: object) -> dict[str, object]:
    return observation(**{
        "id": "i", "code": {"coding": [{"system": "http://example.org", "code": "diagnostic-implication"}]},
        "component": [meaning(answer)], "derivedFrom": [{"reference": "Observation/v"}], **fields,
    })  # fmt: skip


def of(*resources: object) -> Reading:
    (found,) = [r for r in read_all(*resources).patient.readings if r.reference == "Observation/v"]
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("BRCA2 c.5946delT pathogenic", P),
        ("Likely pathogenic variant detected", P),
        ("Suspected deleterious mutation", P),
        ("Positive", P),
        ("POSITIVE: pathogenic variant in BRCA2", P),
        ("Result: positive. Classification: Pathogenic. No other variant detected.", P),
        ("Pathogenic variant detected, no other variants detected", P),
        ("Pathogenic variant detected; VUS in BRCA1 too", P),
        ("BRCA1 negative, BRCA2 pathogenic variant c.5946delT", P),
        ("VUS", U),
        ("Variant of Uncertain Significance (BRCA1)", U),
        ("Conflicting classifications of pathogenicity", U),
        ("pathogenic or benign", U),
        ("No pathogenic variants were identified. VUS in BRCA2 c.123A>G detected.", U),
        ("Negative, VUS in BRCA2", U),
        ("likely benign", B),
        ("non-pathogenic variant", B),
        ("Detected", NOT_SAID),
        ("mutation found: present", NOT_SAID),
    ],
)
def test_words_of_a_variant_that_was_found(text: str, expected: Significance) -> None:
    assert says(observation(code=concept(PANEL), valueString=text)) == [Presence("", True, expected)]


@pytest.mark.parametrize(
    "text",
    [
        "Negative",
        "No pathogenic variant detected",
        "No pathogenic variants",
        "No pathogenic mutation",
        "Pathogenic variant not detected",
        "Negative for pathogenic or likely pathogenic variants",
        "No VUS or pathogenic variants detected",
        "No pathogenic, likely pathogenic or uncertain variants were detected",
        "No pathogenic variant detected. Benign variant found.",
        "Negative. No VUS.",
    ],
)
def test_words_that_say_no_harmful_variant_was_found(text: str) -> None:
    assert says(observation(code=concept(PANEL), valueString=text)) == [Presence("", present=False)]


@pytest.mark.parametrize(
    "text",
    [
        "not a carrier of a pathogenic variant",
        "no BRCA1 mutation and BRCA2 pathogenic variant",
        "negative BRCA1 and BRCA2 likely pathogenic",
        "mother carries a pathogenic variant",
        "pathogenic variant cannot be excluded",
        "No VUS, pathogenic variant found",
        "No VUS, likely pathogenic variant in BRCA2 detected",
    ],
)
def test_words_that_may_deny_it_are_not_guessed(text: str) -> None:
    assert says(observation(code=concept(PANEL), valueString=text)) == [NotReadable("not_understood")]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("LA6668-3", P), ("LA26332-9", P), ("LA6669-1", P), ("LA26333-7", U), ("LA6682-4", U), ("LA26334-5", B),
        ("LA6675-8", B), ("LA6674-1", B), ("Likely Pathogenic", P), ("not specified", NOT_SAID),
    ],
)  # fmt: skip
def test_a_component_says_it(answer: str, expected: Significance) -> None:
    assert of(variant(meaning(answer))).says == Presence("", True, expected)


@pytest.mark.parametrize("code", ["LA6668-3", "LA26333-7", "LA26334-5"])
def test_a_value_may_be_the_answer_itself(code: str) -> None:
    ((_, _, significance),) = [
        (s.allele, s.present, s.significance)
        for s in says(observation(code=concept(PANEL), valueCodeableConcept=concept(code)))
        if isinstance(s, Presence) and s.present
    ]
    assert significance


def test_what_is_said_of_an_absent_variant_does_not_make_it_present() -> None:
    assert of(variant(meaning("LA6668-3"), valueCodeableConcept=concept("LA9634-2"))).says == Presence("", False)


def test_results_derived_from_the_variant_say_it() -> None:
    assert of(variant(), implication("LA6668-3")).says == Presence("", True, P)
    whole = implication("", code=concept("53037-8"), component=[], valueCodeableConcept=concept("LA26332-9"))
    assert of(variant(), whole).says == Presence("", True, P)


def test_withdrawn_opinions_and_those_on_another_variant_say_nothing() -> None:
    gone = implication("LA6668-3", status="entered-in-error")
    other = implication("LA6668-3", derivedFrom=[{"reference": "Observation/w"}])
    assert of(variant(), gone, other).says == Presence("", True, NOT_SAID)


def test_opinions_that_disagree_make_it_uncertain() -> None:
    assert of(variant(meaning("LA26334-5")), implication("LA6668-3")).says == Presence("", True, U)
    assert of(variant(meaning("LA6668-3")), implication("Likely pathogenic")).says == Presence("", True, P)


@pytest.mark.parametrize(
    ("interpretation", "expected"),
    [([{"text": "Pathogenic"}], P), ([concept("LA26333-7")], U), ([concept("10828004", system=SNOMED)], NOT_SAID)],
)
def test_an_interpretation_may_say_it_and_positive_alone_says_it_of_no_variant(
    interpretation: object, expected: Significance
) -> None:
    assert of(variant(interpretation=interpretation)).says == Presence("", True, expected)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"valueCodeableConcept": concept("LA6576-8")}, P),
        ({"valueCodeableConcept": concept("10828004", system=SNOMED)}, P),
        ({"interpretation": [concept("POS", system=INTERPRETATION)]}, P),
        ({"interpretation": [{"text": "Positive"}]}, P),
        (
            {"valueCodeableConcept": concept("LA9633-4"), "interpretation": [concept("POS", system=INTERPRETATION)]},
            NOT_SAID,
        ),
        ({"valueCodeableConcept": concept("260373001", system=SNOMED)}, NOT_SAID),
    ],
)
def test_a_test_of_the_whole_gene_that_is_called_positive_found_a_harmful_variant(
    fields: dict[str, object], expected: Significance
) -> None:
    assert says(observation(code=concept(PANEL), **fields)) == [Presence("", True, expected)]


def test_a_value_that_is_denied_by_its_code_and_says_no_significance_still_contradicts_itself() -> None:
    both = {"coding": [{"system": "http://loinc.org", "code": "LA9634-2"}], "text": "Detected"}
    (found,) = says(observation(code=concept(PANEL), valueCodeableConcept=both))
    assert isinstance(found, SelfContradiction)


def test_of_a_gene_of_a_tumour_it_is_read_alike() -> None:
    parts = [gene_component("HGNC:6407", "KRAS"), meaning("LA26333-7")]
    found = observation(code=concept("69548-6"), component=parts, valueCodeableConcept=concept("LA9633-4"))
    assert says(found) == [Presence("", True, U)]


def test_of_a_protein_it_is_not_read() -> None:
    assert says(observation(code=concept("85147-7"), valueString="positive, uncertain")) == [
        NotReadable("not_understood")
    ]
    found = observation(code=concept("85147-7"), valueString="positive", interpretation=[{"text": "benign"}])
    assert says(found) == [Presence("", True, NOT_SAID)]
