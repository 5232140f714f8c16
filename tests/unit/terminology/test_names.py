"""Names of medicines to ingredients: what must be recognised, and what must never be."""

from __future__ import annotations

import pytest

from cds_service.codes import RXNORM, Coding
from cds_service.memory import LONGEST_CONTENT
from tests.support.terminology import by_code, by_name, drugs_of, packaged_drugs, packaged_index

SULFAMETHOXAZOLE_TRIMETHOPRIM = ("sulfamethoxazole / trimethoprim", "sulfamethoxazole", "trimethoprim")


def test_a_text_too_long_to_be_remembered_is_read_like_any_other() -> None:
    text = "clopidogrel 75 MG Oral Tablet, " + "one in the morning with water, " * 30
    assert len(text) > LONGEST_CONTENT
    assert drugs_of(text) == ("clopidogrel",)


@pytest.mark.parametrize(
    ("text", "drugs"),
    [
        ("clopidogrel 75 MG Oral Tablet", ("clopidogrel",)),
        ("MERCAPTOPURINE 50 MG PO TABS", ("mercaptopurine",)),
        ("24 HR metoprolol succinate 100 MG Extended Release Oral Tablet [Toprol]", ("metoprolol",)),
        ("acetaminophen 300 MG / codeine phosphate 30 MG Oral Tablet", ("acetaminophen", "codeine")),
        ("HYDROCODONE-ACETAMINOPHEN 5-325 MG PO TABS", ("hydrocodone", "acetaminophen")),
        ("codeine/paracetamol 30mg/500mg tablets", ("codeine", "acetaminophen")),
        ("co-codamol 30/500 tablets", ("acetaminophen", "codeine")),
        ("divalproex sodium 500 MG Delayed Release Oral Tablet", ("valproic acid",)),
        ("fosphenytoin sodium", ("fosphenytoin",)),
        ("azathioprine sodium 100 mg injection", ("azathioprine",)),
        ("mycophenolate mofetil 500 MG Oral Tablet", ("mycophenolic acid",)),
        ("silver sulfadiazine 1 % cream", ("silver sulfadiazine",)),
        ("dihydrocodeine 30 mg", ("dihydrocodeine",)),
        ("liposomal amphotericin B 50 mg injection", ("amphotericin b liposomal",)),
        ("6-mercaptopurine", ("mercaptopurine",)),
        ("tioguanine 40 mg tablets", ("thioguanine",)),
        ("Suxamethonium chloride", ("succinylcholine",)),
        ("glibenclamide", ("glyburide",)),
        ("phytomenadione 10 mg injection", ("vitamin k",)),
        ("St. John's Wort", ("st. john's wort",)),
        ("levoFLOXacin", ("levofloxacin",)),
        ("lisinopril", ("lisinopril",)),
    ],
)
def test_names_give_their_ingredients(text: str, drugs: tuple[str, ...]) -> None:
    assert drugs_of(text) == drugs


@pytest.mark.parametrize(
    "text",
    [
        "plavi\u200bx",
        "Plavix\u2122 75\u00a0mg",
        "PLAVIX",
        "Take Plavix 75 mg daily",
        "\uff30\uff2c\uff21\uff36\uff29\uff38",
    ],
)
def test_brands_are_read_through_case_width_and_invisible_signs(text: str) -> None:
    assert drugs_of(text) == ("clopidogrel",)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "nothing we know",
        "vitamin K antagonist",
        "iron deficiency",
        "codeine-free cough syrup",
        "non-codeine analgesic",
        "instead of clopidogrel",
        "insulin syringe 1 mL",
        "glucose test strips",
        "calcium lactate",
        "codeineX",
        "stop warfarin",
    ],
)
def test_names_are_not_read_where_they_mean_something_else(text: str) -> None:
    assert by_name(text) is None


@pytest.mark.parametrize(
    ("text", "drugs"),
    [
        ("rizatriptan benzoate 10 MG", ("rizatriptan",)),
        ("perindopril arginine 5 mg", ("perindopril",)),
        ("vancomycin 1 g in sodium chloride 0.9% 250 mL", ("vancomycin",)),
        ("warfarin by INR, patient taking amiodarone", ("warfarin",)),
    ],
)
def test_salts_diluents_and_remarks_are_no_ingredients(text: str, drugs: tuple[str, ...]) -> None:
    assert drugs_of(text) == drugs


@pytest.mark.parametrize("text", ["Soma", "Soma 350 mg tablet", "carisoprodol 350 MG Tablet [Soma]", "Xyz [Soma]"])
def test_brands_that_are_ordinary_words_count_alone_or_in_brackets(text: str) -> None:
    assert drugs_of(text) == ("carisoprodol",)


@pytest.mark.parametrize(
    ("text", "drugs"),
    [
        ("Eliquis 5 mg tablet", {"apixaban"}),
        ("Triumeq", {"abacavir", "dolutegravir", "lamivudine"}),
        ("Fasturtec 7.5 mg", {"rasburicase"}),
        ("Seroxat 20 mg", {"paroxetine"}),
    ],
)
def test_brands_of_other_countries_and_of_late_years_are_known(text: str, drugs: set[str]) -> None:
    assert set(drugs_of(text)) == drugs


@pytest.mark.parametrize("text", ["soma weekly clinic", "Excel spreadsheet", "duration of therapy", "perform a test"])
def test_ordinary_words_are_no_brands(text: str) -> None:
    assert by_name(text) is None


@pytest.mark.parametrize(
    ("text", "drug"),
    [
        ("Kadcyla instead of Herceptin", "trastuzumab emtansine"),
        ("Herceptin (not Kadcyla/Enhertu)", "trastuzumab"),
        ("Plavix because of a stent", "clopidogrel"),
    ],
)
def test_a_remark_behind_a_brand_makes_no_other_product_of_it(text: str, drug: str) -> None:
    assert drugs_of(text) == (drug,)


def test_a_drug_named_for_a_reaction_counts_only_where_no_other_is_named() -> None:
    for text in ("Allergy to codeine (finding)", "codeine allergy", "allergic to codeine"):
        assert drugs_of(text) == ("codeine",)
    assert drugs_of("oxycodone 5 mg tablet (codeine allergy)") == ("oxycodone",)
    assert drugs_of("allergy: codeine. oxycodone 5 mg tablet") == ("oxycodone",)


def test_a_word_behind_a_brand_may_make_another_product_of_it() -> None:
    assert drugs_of("Sudafed") == ("pseudoephedrine",)
    assert drugs_of("Sudafed PE") == ("phenylephrine",)
    assert by_name("Plavix Nova") is None


@pytest.mark.parametrize(
    ("text", "drugs", "unread"),
    [
        ("acetaminophen w cod", ("acetaminophen",), ("cod",)),
        ("acetaminophen w/ cod", ("acetaminophen",), ("cod",)),
        ("paracetamol-cod", ("acetaminophen",), ("cod",)),
        ("Aspirin + codein", ("aspirin",), ("codein",)),
        ("kodein/ibuprofen", ("ibuprofen",), ("kodein",)),
        ("ibuprofen 200 mg / kodein 12.8 mg", ("ibuprofen",), ("kodein",)),
        ("Trimethoprim-sulfa", ("trimethoprim",), ("sulfa",)),
        ("Carbamazepine ER + levetirac.", ("carbamazepine",), ("levetirac",)),
        ("efavirenz / emtricit / tenofovir", ("efavirenz", "tenofovir"), ("emtricit",)),
        ("infliximab/dyyb", ("infliximab",), ("dyyb",)),
    ],
)
def test_a_part_of_a_name_that_names_nothing_is_told(
    text: str, drugs: tuple[str, ...], unread: tuple[str, ...]
) -> None:
    match = by_name(text)
    assert match is not None
    assert (match.drugs, match.unread) == (drugs, unread)


@pytest.mark.parametrize(
    ("text", "drug"),
    [
        ("trastuzumab-dkst 150 mg", "trastuzumab"),
        ("Ogivri", "trastuzumab"),
        ("ado-trastuzumab emtansine 100 MG Injection", "trastuzumab emtansine"),
        ("trastuzumab-emtansine", "trastuzumab emtansine"),
        ("T-DM1", "trastuzumab emtansine"),
        ("fam-trastuzumab deruxtecan-nxki 100 MG Injection", "trastuzumab deruxtecan"),
        ("TRASTUZUMAB DERUXTECAN 100MG", "trastuzumab deruxtecan"),
        ("switched from trastuzumab emtansine to trastuzumab deruxtecan", "trastuzumab deruxtecan"),
        ("datopotamab deruxtecan-dlnk", "datopotamab deruxtecan"),
        ("telisotuzumab vedotin-tllv", "telisotuzumab vedotin"),
        ("tebentafusp-tebn", "tebentafusp"),
        ("abemaciclib 150 mg tablet", "abemaciclib"),
        ("dabrafenib mesylate 75 mg capsule", "dabrafenib"),
        ("trametinib dimethyl sulfoxide 2 mg tablet", "trametinib"),
        ("Vesanoid", "tretinoin"),
    ],
)
def test_antibodies_their_conjugates_and_salts_are_told_apart(text: str, drug: str) -> None:
    match = by_name(text)
    assert match is not None
    assert (match.drugs, match.unread, match.disagrees) == ((drug,), (), ())


@pytest.mark.parametrize("text", ["trastuzumab duocarmazine", "cetuximab sarotalocan", "sacituzumab tirumotecan"])
def test_a_conjugate_that_we_do_not_know_is_not_its_antibody(text: str) -> None:
    assert by_name(text) is None


@pytest.mark.parametrize(
    ("text", "drugs"),
    [
        ("pertuzumab, trastuzumab, and hyaluronidase-zzxf", ("pertuzumab", "trastuzumab", "hyaluronidase")),
        ("Phesgo", ("pertuzumab", "trastuzumab", "hyaluronidase")),
        ("trastuzumab / hyaluronidase-oysk", ("trastuzumab", "hyaluronidase")),
        ("Herceptin Hylecta 600 mg", ("trastuzumab", "hyaluronidase")),
        ("Braftovi 75 mg + Mektovi 15 mg", ("encorafenib", "binimetinib")),
        ("Avmapki Fakzynja Co-Pack", ("avutometinib", "defactinib")),
        ("niraparib / abiraterone", ("niraparib", "abiraterone")),
        ("Akeega", ("niraparib", "abiraterone")),
        ("Kisqali Femara Co-Pack", ("ribociclib", "letrozole")),
    ],
)
def test_packs_and_mixtures_give_all_their_ingredients(text: str, drugs: tuple[str, ...]) -> None:
    match = by_name(text)
    assert match is not None
    assert (match.drugs, match.unread) == (drugs, ())


@pytest.mark.parametrize(
    ("code", "drug", "display"),
    [
        ("224905", "trastuzumab", "trastuzumab emtansine"),
        ("1371041", "trastuzumab emtansine", "trastuzumab"),
        ("2267582", "trastuzumab deruxtecan", "ado-trastuzumab emtansine"),
    ],
)
def test_the_code_of_one_antibody_under_the_name_of_another_is_told(code: str, drug: str, display: str) -> None:
    named = by_code((RXNORM, code), text=drug)
    confused = by_code((RXNORM, code), text=display)
    assert named is not None
    assert confused is not None
    assert (named.drugs, named.disagrees) == ((drug,), ())
    assert (confused.drugs, bool(confused.disagrees)) == ((drug,), True)


@pytest.mark.parametrize(
    "text",
    [
        "clopidogrel 75 MG Oral Tablet",
        "HYDROCODONE-ACETAMINOPHEN 5-325 MG PO TABS",
        "carbidopa-levodopa-entacapone",
        "amoxicillin / potassium clavulanate",
        "morphine 10 mg/5 mL",
        "warfarin 5 mg with food",
        "clopidogrel-bisulfate",
        "metoprolol-succinat",
        "Apo-Clopidogrel",
        "Clopidogrel-ratiopharm 75 mg",
        "infliximab-dyyb",
        "ibuprofen 400 mg IV/PO",
        "codeine 30 mg for pain / fever",
        "codeine in water/syrup",
        "co-codamol 30/500",
    ],
)
def test_salts_forms_makers_and_remarks_are_no_part_of_a_name(text: str) -> None:
    match = by_name(text)
    assert match is not None
    assert match.unread == ()


def test_what_a_text_leaves_open_a_code_or_a_fuller_text_tells() -> None:
    text = "acetaminophen w cod"
    fuller = packaged_index().find((Coding("urn:x", "1", "acetaminophen / codeine"),), text)
    assert fuller is not None
    assert (fuller.drugs, fuller.unread) == (("acetaminophen", "codeine"), ())
    coded = by_code((RXNORM, "161"), text=text)
    assert coded is not None
    assert coded.unread == ()
    as_little = packaged_index().find((Coding("urn:x", "1", "acetaminophen"),), text)
    assert as_little is not None
    assert as_little.unread == ("cod",)


@pytest.mark.parametrize(
    "text", ["Tylenol #3", "Tylenol # 1", "Tylenol No. 3", "Tylenol 3", "Tylenol 3 tablet", "Plavix #3"]
)
def test_a_number_makes_another_product_of_a_brand(text: str) -> None:
    assert drugs_of(text) == ()


@pytest.mark.parametrize(
    ("text", "drugs"),
    [
        ("Tylenol 3 tablets", ("acetaminophen",)),
        ("Tylenol 1 tablet", ("acetaminophen",)),
        ("Tylenol 3 g", ("acetaminophen",)),
        ("Tylenol 500", ("acetaminophen",)),
        ("Tylenol #30", ("acetaminophen",)),
        ("Tylenol with codeine #3", ("acetaminophen", "codeine")),
        ("Plavix 75", ("clopidogrel",)),
        ("Coumadin 3 tab", ("warfarin",)),
        ("acetaminophen #3", ("acetaminophen",)),
    ],
)
def test_an_amount_or_a_strength_does_not(text: str, drugs: tuple[str, ...]) -> None:
    assert drugs_of(text) == drugs


@pytest.mark.parametrize(
    ("text", "drugs"),
    [
        ("es-citalopram 10 mg", ("escitalopram",)),
        ("xyz-citalopram", ()),
        ("N-acetylcysteine", ("acetylcysteine",)),
        ("ibuprofen-codeine", ("ibuprofen", "codeine")),
        ("codeine tablet-ibuprofen", ("codeine", "ibuprofen")),
    ],
)
def test_letters_tied_to_the_front_make_another_substance(text: str, drugs: tuple[str, ...]) -> None:
    assert drugs_of(text) == drugs


@pytest.mark.parametrize(
    "text", ["not taking codeine", "no longer on codeine", "denies codeine", "stopped taking codeine"]
)
def test_a_drug_that_is_not_taken_is_not_read(text: str) -> None:
    assert drugs_of(text) == ()


def test_a_combination_gives_itself_and_its_parts() -> None:
    for text in ("sulfamethoxazole 800 MG / trimethoprim 160 MG Tablet", "co-trimoxazole", "TMP/SMX", "Bactrim DS"):
        assert drugs_of(text) == SULFAMETHOXAZOLE_TRIMETHOPRIM
    combination = next(drug for drug in packaged_drugs() if drug.id == SULFAMETHOXAZOLE_TRIMETHOPRIM[0])
    match = by_code((RXNORM, combination.rxcui))
    assert match is not None
    assert match.drugs == SULFAMETHOXAZOLE_TRIMETHOPRIM
    assert drugs_of("trimethoprim 200 mg") == ("trimethoprim",)


@pytest.mark.parametrize(
    ("text", "drugs"),
    [
        ("Biotin 5 mg capsule", ("d-biotin",)),
        ("Evkeeza 150 mg/mL vial", ("evinacumab",)),
        ("Evrysdi 0.75 mg/mL oral solution", ("risdiplam",)),
        ("Exondys 51 50 mg/mL", ("eteplirsen",)),
        ("Orfadin 10 mg capsules", ("nitisinone",)),
        ("Xyrem 500 mg/mL oral solution", ("sodium oxybate",)),
        ("Humalog KwikPen 100 units/mL", ("insulin lispro",)),
        ("Lantus SoloStar", ("insulin glargine",)),
        ("Tresiba FlexTouch 200 units/mL", ("insulin degludec",)),
        ("NovoRapid Penfill", ("insulin aspart",)),
        ("Campral 333 mg tablets", ("acamprosate",)),
    ],
)
def test_brands_of_rare_diseases_and_pens_are_recognised(text: str, drugs: tuple[str, ...]) -> None:
    assert drugs_of(text) == drugs
