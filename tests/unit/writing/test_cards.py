"""One card for an order: merged, worst first, short, safe, and the same again for the same draft."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace

import pytest
from writing_samples import (
    AVOID,
    KNOWLEDGE,
    OTHER_DRUG,
    PATIENT,
    READING,
    TODAY,
    change_now,
    dose_change,
    draft,
    head_of,
    not_assessed,
    order,
    question,
    test_wanted,
)

from cds_service.errors import AnswerError
from cds_service.model import (
    Action,
    Advice,
    Amount,
    Assumption,
    Conflicting,
    Dose,
    DoseChange,
    DosePhase,
    Finding,
    Gap,
    GapReason,
    Gravity,
    Harm,
    Indeterminate,
    Indicator,
    Kind,
    Known,
    MarkerView,
    NotTested,
    Option,
    Outcome,
    Patient,
    Presence,
    Query,
    ResultingOrder,
    Significance,
    Silence,
)
from cds_service.policy import OverrideReason, Policy
from cds_service.writing import explain, write


def test_a_card_for_a_known_result_reads_as_agreed(card_of):
    card = card_of(change_now())
    assert card["summary"] == "Primol, GENA poor metaboliser: avoid. Primol stays inactive in these GENA results."
    assert card["indicator"] == "warning"
    assert head_of(card) == (
        "Order: primol 100 mg tablet, 100 mg daily\n\n"
        "**Avoid.** Primol stays inactive in these GENA results.\n\n"
        r"- GENA: poor metaboliser, from \*2/\*2 (12 March 2024, Northern Test Laboratory)."
        "\n\nPossible instead: secundol."
    )
    assert card["detail"].split("\n\n---\n\n")[1] == (
        "**Evidence**\n"
        "- GENA and primol: Avoid (strong recommendation). Source: [Guideline made\\_up]"
        "(https://example.org/made_up), Made-up Consortium, 2023, PMID 12345678. Source text read; not yet "
        "reviewed by a clinician.\n\n"
        "Knowledge version 2026.1 (0123456789abcdef)."
    )
    assert card["source"]["url"] == "https://example.org/made_up"
    assert card["source"]["topic"]["code"] == "change_now"


def test_a_card_for_a_test_says_what_each_outcome_changes(card_of):
    card = card_of(test_wanted())
    assert card["summary"] == "Primol: GENA test recommended, no result; if poor metaboliser: avoid"
    assert (
        "GENA genotype, by result:\n"
        "- poor metaboliser (2 in 100 to 6 in 100): avoid\n"
        "- intermediate metaboliser (10 in 100 to 30 in 100): start with 50 % of the usual dose; monitor"
    ).removesuffix("; monitor") in head_of(card)
    assert "- normal or ultrarapid metaboliser (60 in 100 to 90 in 100): as drafted" in head_of(card)
    assert "changes the order: from 2 in 100 to about 6 in 100 people across 5 populations." in head_of(card)


def test_a_marker_beside_results_that_disagree_is_not_said_to_disagree(card_of):
    both = frozenset({"Poor Metabolizer", "Normal Metabolizer"})
    views = (
        MarkerView("gene:GENA", Conflicting(both, ()), both),
        MarkerView("gene:GENS", Known("1.0", ()), frozenset({"1.0"})),
    )
    card = card_of(replace(test_wanted(), kind=Kind.RESULTS_CONFLICT, markers=views))
    assert card["summary"] == "Primol: GENA poor and normal metaboliser; confirm before relying on either"


@pytest.mark.parametrize(
    ("spent", "what_to_do"),
    [((), "repeat the test or use another method"), (("genotype",), "ask the laboratory whether a repeat")],
)
def test_a_test_without_a_clear_result_is_named_with_what_to_do(card_of, spent, what_to_do):
    states = frozenset({"Poor Metabolizer", "Normal Metabolizer"})
    known = Indeterminate(states, (READING,), frozenset(spent), tried=frozenset({"genotype"}))
    views = (MarkerView("gene:GENA", known), MarkerView("gene:GENS", NotTested()))
    for finding in (
        test_wanted(markers=views),
        not_assessed("primol", markers=views, gaps=(Gap("gene:GENA", GapReason.NO_CLEAR_RESULT),)),
    ):
        assert f"GENA was tested without a clear result: {what_to_do}" in head_of(card_of(finding))
    gaps = (Gap("lab:serum_sign", GapReason.NO_CLEAR_RESULT),)
    of_serum = not_assessed("primol", markers=(MarkerView("lab:serum_sign", known),), gaps=gaps)
    assert "\nSerum sign was tested without a clear result" in head_of(card_of(of_serum))
    variable = MarkerView("gene:GENA", replace(known, literal="Variable"))
    assert "without a clear result" not in head_of(card_of(test_wanted(markers=(variable,))))


def test_a_variant_of_uncertain_significance_is_said_to_be_no_positive_result(card_of):
    found = replace(READING, says=Presence("c.1A>G", True, Significance.UNCERTAIN))
    known = Indeterminate(frozenset({"positive", "negative"}), (found,), spent=frozenset({"genotype"}))
    gaps = (Gap("gene:GENA", GapReason.UNCERTAIN_SIGNIFICANCE),)
    said = head_of(card_of(not_assessed("primol", markers=(MarkerView("gene:GENA", known),), gaps=gaps)))
    assert "GENA: a variant of uncertain significance is no positive result" in said
    assert "c.1A>G found, of uncertain significance" in said


def test_an_order_that_could_not_be_checked_says_that_it_waits(card_of):
    waiting = not_assessed(
        "primol", gaps=(Gap("gene:GENA", GapReason.FAILED),), resulting=ResultingOrder(Outcome.WAIT)
    )
    assert "Until it is settled: hold the order." in head_of(card_of(waiting))


def test_findings_of_one_order_are_one_card_the_worst_first(respond):
    grave = dose_change(table="primol_gens", indicator=Indicator.CRITICAL)
    (card,) = respond(test_wanted(), change_now(), grave)["cards"]
    kinds = [(one["kind"], one["indicator"]) for one in card["extension"]["org.cds-service.findings"]]
    assert kinds == [("change_now", "critical"), ("change_now", "warning"), ("test_would_change", "info")]
    assert card["indicator"] == "critical"
    assert card["source"]["label"] == "Guideline third"
    assert [link["label"] for link in card["links"]] == ["Guideline third", "Guideline made_up"]


def test_of_findings_of_one_kind_the_graver_departure_goes_first(respond):
    milder = dose_change(table="primol_gens")
    (card,) = respond(milder, change_now())["cards"]
    actions = [one["options"][0]["action"] for one in card["extension"]["org.cds-service.findings"]]
    assert actions == ["avoid", "dose"]


def test_of_two_reasons_to_leave_a_drug_the_one_that_can_kill_goes_first(respond):
    """Tramadol beside a monoamine oxidase inhibitor, ahead of tramadol that may not work."""
    fails = replace(AVOID, harm=Harm.LACK_OF_EFFECT)
    kills = replace(AVOID, gravity=Gravity.FATAL_OR_IRREVERSIBLE, harm=Harm.TOXICITY)
    harms = replace(AVOID, harm=Harm.TOXICITY)
    given = [("primol_gena", fails), ("primol_gens", kills), ("gated", harms)]
    (card,) = respond(*[change_now(table=table, advice=advice) for table, advice in given])["cards"]
    told = [one["guidance"]["id"] for one in card["extension"]["org.cds-service.findings"]]
    assert told == ["primol_gens", "gated", "primol_gena"]


def test_findings_that_weigh_the_same_stand_in_one_order_in_whatever_order_they_came(respond):
    alike = [change_now(table=table, row=row) for table in ("primol_gena", "primol_gens") for row in ("a", "b")]
    assert respond(*alike) == respond(*reversed(alike))


def test_cards_come_worst_first(respond):
    other = change_now(order=order("secundol", "2"), drug="secundol", indicator=Indicator.CRITICAL)
    cards = respond(test_wanted(), other)["cards"]
    assert [card["indicator"] for card in cards] == ["critical", "info"]


def test_what_is_said_twice_stands_once(card_of):
    card = card_of(change_now(), change_now(table="primol_gens"))
    assert card["detail"].count("from \\*2/\\*2") == 1


def test_no_test_changes_is_a_sentence_on_the_card_of_its_order(card_of):
    closed = Finding(Kind.NO_TEST_CHANGES, order(), "primol", "primol_gena", silent=Silence.NO_TEST_CHANGES)
    card = card_of(change_now(closed_markers=("gene:GENA", "hla:B*99:01")), closed)
    assert "No need to test GENA or HLA-B\\*99:01: no result could change this advice." in head_of(card)
    kinds = [one["kind"] for one in card["extension"]["org.cds-service.findings"]]
    assert kinds == ["change_now", "no_test_changes"]


def test_without_cards_the_silent_findings_stand_on_the_response(respond):
    silent = change_now(silent=Silence.RECALLED)
    shown_but_no_card = Finding(Kind.NO_CHANGE, order(), "primol", "primol_gena")
    body = respond(silent, shown_but_no_card)
    assert body["cards"] == []
    told = body["extension"]["org.cds-service.findings"]
    assert [(one["kind"], one.get("silent")) for one in told] == [("change_now", "recalled"), ("no_change", None)]


def test_nothing_found_and_nothing_missing_is_an_empty_answer(respond):
    assert respond() == {"cards": []}


def test_a_gap_alone_is_said_on_the_response(respond):
    gap = Gap("conditions", GapReason.NOT_AVAILABLE, "late", Query.CONDITIONS)
    body = respond(patient=replace(PATIENT, gaps=(gap,)))
    (told,) = body["extension"]["org.cds-service.basis"]["gaps"]
    assert told == {
        "about": "conditions",
        "reason": "not_available",
        "detail": "late",
        "query": "conditions",
    }


def _ids(body):
    return [card["uuid"] for card in body["cards"]] + [
        suggestion["uuid"] for card in body["cards"] for suggestion in card.get("suggestions", ())
    ]


def _emptied(value):
    for part in [*(value.values() if isinstance(value, dict) else value)]:
        if isinstance(part, dict | list):
            _emptied(part)
    value.clear()


def test_no_answer_shares_a_part_with_the_next_one(respond):
    findings, drafts = (change_now(), test_wanted()), {"MedicationRequest/1": draft()}
    first = respond(*findings, drafts=drafts)
    expected = deepcopy(first)
    _emptied(first)
    assert respond(*findings, drafts=drafts) == expected


def test_the_same_finding_of_the_same_draft_keeps_its_ids(respond):
    first = respond(change_now(), test_wanted(), drafts={"MedicationRequest/1": draft()})
    again = respond(test_wanted(), change_now(), drafts={"MedicationRequest/1": draft()})
    assert len(_ids(first)) == 3
    assert len(set(_ids(first))) == 3
    assert _ids(first) == _ids(again)


@pytest.mark.parametrize(
    ("finding", "others"),
    [
        (change_now(order=order(dose=Dose(50.0, "mg", 1.0))), {}),
        (change_now(order=order(dose=Dose(100.0, "mg/kg", 1.0))), {}),
        (change_now(order=order(dose=Dose(100.0, "mg", 2.0))), {}),
        (change_now(order=order(dose=None)), {}),
        (change_now(order=order(number="2")), {}),
        (change_now(row="other"), {}),
        (change_now(drug="tertiol"), {}),
        (change_now(), {"patient": Patient("bob-testperson")}),
        (change_now(), {"knowledge": replace(KNOWLEDGE, content_hash="f" * 16)}),
    ],
)
def test_another_dose_draft_finding_patient_or_knowledge_is_another_card(respond, finding, others):
    assert _ids(respond(finding, **others)) != _ids(respond(change_now()))


def test_ids_are_distinct_within_one_answer(respond):
    same_name = replace(order(), name="primol 100 mg tablet", reasons=frozenset({"x"}))
    twice = respond(change_now(), change_now(order=replace(order(), name="primol")))
    assert len(set(_ids(twice))) == 2
    assert len(respond(change_now(), change_now(order=same_name))["cards"]) == 1


def test_the_card_id_does_not_show_the_patient(respond):
    assert PATIENT.id not in str(_ids(respond(change_now())))


def test_a_summary_too_long_drops_the_reason_and_then_is_cut(card_of):
    card = card_of(change_now(order=order(name="x" * 400), drug="y" * 400, advice=replace(AVOID, reason="")))
    assert len(card["summary"]) <= 139
    card = card_of(change_now(caused_by="MedicationRequest/9", markers=()))
    assert card["summary"].startswith("Primol with another draft: avoid")


def test_a_summary_too_long_keeps_the_result_and_the_bare_dose(card_of):
    change = DoseChange(DosePhase.START, factor=(0.3, 0.8), applies_above=(Amount(2, "mg/kg/d"),))
    advice = Advice((Option(Action.DOSE, dose=change, only_if="long_" * 20),))
    card = card_of(change_now(advice=advice))
    assert card["summary"] == (
        "Primol, GENA poor metaboliser: start with 30 to 80 % of the usual dose, under a condition"
    )
    assert "only where the usual start is 2 mg/kg a day or more" in head_of(card)


def test_what_does_not_fit_moves_below_the_evidence_and_nothing_is_lost(card_of):
    assumption = [Assumption("age", f"assumed {number} {'very ' * 12}old", "primol_gena") for number in range(20)]
    card = card_of(test_wanted(assumptions=tuple(assumption)))
    assert len(head_of(card)) <= 900
    assert "**A test could change this order" in head_of(card)
    below = card["detail"].split("**More on this order**")[1]
    assert all(f"assumed {number} " in below for number in range(20))


def test_a_head_that_cannot_be_kept_gives_way_to_the_summary(card_of):
    options = tuple(replace(option, note="long_" * 400) for option in AVOID.options)
    card = card_of(change_now(advice=replace(AVOID, options=options), order=order(name="", dose=None), markers=()))
    assert len(head_of(card)) <= 900
    assert "long" in card["detail"].split("**More on this order**")[1]


def test_more_than_four_outcomes_are_told_below(card_of):
    branch = question().branches[0]
    branches = [
        replace(
            branch,
            states=(state,),
            resulting=OTHER_DRUG,
            advice=replace(AVOID, options=(replace(AVOID.options[0], note=f"note {state}"),)),
        )
        for state in "abcdef"
    ]
    card = card_of(test_wanted(tests=(question(branches=tuple(branches)),)))
    assert head_of(card).count("avoid: note") == 4
    assert "other results:\n- d (60 in 100 to 90 in 100): avoid: note d\n- e" in card["detail"]


HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[click](javascript:alert(1))",
    "a | b\n---\n%% now\n# heading",
    "**bold** _it_ `code` ~~x~~ ![i](http://evil.example/x.png) www.evil.example",
    "\x00\u202eabc\u2028",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_names_from_the_record_cannot_bring_markup(card_of, name):
    gap = Gap(name, GapReason.NOT_RECOGNISED)
    card = card_of(not_assessed(name, gaps=(gap,)))
    text = str(card)
    for sign in ("<script", "<img", "javascript:", "http://evil", "\u202e", "\x00"):
        assert sign not in text
    assert "\n" not in card["summary"]
    assert head_of(card).count("\n\n") <= 2
    assert not any(line.startswith(("#", "---", "%%")) for line in head_of(card).splitlines())
    for raw in (" | ", "[click]", "**bold**", "`code`", "~~", "![i]", "www.evil"):
        assert raw not in head_of(card)


def test_an_order_without_any_name_still_has_a_card(card_of):
    card = card_of(not_assessed(""))
    assert card["summary"] == "This order could not be checked"
    assert card["source"]["label"] == "Medication decision support"
    assert "links" not in card
    assert "No guidance was applied." in card["detail"]


def test_a_drug_not_recognised_is_said_with_its_name_and_reason(card_of):
    finding = not_assessed("Unknownol 5 mg", gaps=(Gap("MedicationRequest/7", GapReason.NOT_RECOGNISED),))
    assert card_of(finding)["summary"] == "Unknownol 5 mg could not be checked: drug not recognised"


def test_override_reasons_are_the_sites_own(card_of):
    policy = Policy(override_reasons=(OverrideReason("seen", "Seen by us"),))
    assert card_of(change_now(), policy=policy)["overrideReasons"] == [
        {
            "system": "https://cds-service.org/fhir/CodeSystem/override-reason",
            "code": "seen",
            "display": "Seen by us",
        }
    ]


def test_without_a_sites_own_the_usual_override_reasons_stand(card_of):
    codes = [reason["code"] for reason in card_of(test_wanted())["overrideReasons"]]
    assert codes == [
        "already-tested",
        "tolerated-before",
        "will-monitor",
        "patient-declines",
        "emergency",
        "test-not-available",
        "specialist-decision",
    ]


def test_the_basis_has_every_source_attribute(card_of):
    card = card_of(change_now(), change_now(table="secundol_gena"))
    basis = card["extension"]["org.cds-service.basis"]
    assert basis["knowledge"] == {"version": "2026.1", "hash": "0123456789abcdef"}
    first, second = basis["sourceAttributes"]
    assert first == {
        "source": "made_up",
        "citation": "Guideline made_up, 2; https://example.org/made_up; PMID 12345678",
        "developer": "Made-up Consortium",
        "funding": "not stated by the source",
        "released": "2014",
        "revised": "2023-05-01",
        "race": "not used",
        "ethnicity": "not used",
        "language": "not used",
        "sexualOrientation": "not used",
        "genderIdentity": "not used",
        "sex": "used",
        "dateOfBirth": "used",
        "socialDeterminants": "not used",
        "healthStatus": "used",
    }
    assert second["funding"] == "Made-up Fund"


def test_a_card_of_no_guidance_names_this_service_as_its_source(card_of):
    (own,) = card_of(not_assessed("x"))["extension"]["org.cds-service.basis"]["sourceAttributes"]
    assert own["developer"] == "Made-up Developer"
    assert own["race"] == "not used"


def test_explain_tells_silent_findings_with_their_rule_in_words(wording):
    told = explain(
        (change_now(silent=Silence.BELOW_THRESHOLD), change_now(silent=Silence.SHOWN, row="x")), KNOWLEDGE, wording
    )
    assert told[0]["silentBecause"].startswith("the chance of a change is below")
    assert "silentBecause" not in told[1]


def test_a_test_order_that_is_not_valid_is_never_sent(wording):
    patient = Patient("not an id with spaces\n")
    broken = replace(KNOWLEDGE, tests={"gena": replace(KNOWLEDGE.tests["gena"], codes=())})
    catalogue = {**wording.catalogue, "laboratory_category": {"code": ["wrong"]}}
    with pytest.raises(AnswerError, match="ServiceRequest for GENA genotype: not valid"):
        write(
            (test_wanted(),),
            patient,
            {},
            broken,
            Policy(),
            replace(wording, catalogue=catalogue),
            TODAY,
            "order-sign",
        )


def test_the_head_never_passes_900_characters_by_a_few(card_of):
    long = [card_of(change_now(advice=replace(AVOID, reason="word_" * words))) for words in range(90, 180)]
    lengths = [len(head_of(card)) for card in long]
    assert max(lengths) <= 900
    assert max(lengths) > 850
