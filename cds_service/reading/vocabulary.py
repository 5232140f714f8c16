"""Codes and words of FHIR itself and of its Genomics Reporting guide: where in a resource something stands.

Codes that mean a gene, a marker, a drug or a condition are knowledge, and are not here.
"""

from __future__ import annotations

import re

from cds_service.codes import LOINC, SNOMED
from cds_service.model import Significance

# LOINC codes of Observations

GENOTYPE = frozenset({"84413-4"})
HAPLOTYPE = frozenset({"84414-2"})
VARIANT = frozenset({"69548-6"})
OLD_GENE_VARIANT = frozenset({"55233-1"})
REGION_STUDIED = frozenset({"53041-0"})
PHENOTYPE_IN_VALUE = frozenset({"53040-2", "51961-1", "83009-1", "51971-0"})
"""Medication metabolism, efficacy, high risk and transporter of the guide's first release."""
PANEL = frozenset({"81247-9", "51969-4"})
SNOMED_GENOTYPE = frozenset({"363779003"})
THERAPEUTIC_IMPLICATION = frozenset({"therapeutic-implication"})
DIAGNOSTIC_IMPLICATION = frozenset({"diagnostic-implication"})
"""What a variant means for a disease: it carries the variant's clinical significance."""
IMPLICATION = frozenset({"therapeutic-implication", "predicted-therapeutic-implication"})
BODY_WEIGHT = frozenset({"29463-7", "3141-9"})

RECOMMENDATION = frozenset({"LA26421-0", "LA26422-8", "LA14020-4", "LA14021-2"})
"""Answers that code a laboratory's Task: another medicine, a lower dose, counselling, a confirming test."""
RECOMMENDATION_PROFILES = ("medication-recommendation", "followup-recommendation", "rec-medication")
UNRECOMMENDED_STATUSES = frozenset({"rejected", "cancelled", "failed", "entered-in-error"})

# LOINC codes of components

GENE_STUDIED = frozenset({"48018-6"})
SOURCE_CLASS = frozenset({"48002-0"})
ALLELIC_STATE = frozenset({"53034-5"})
REFERENCE_ALLELE = frozenset({"69547-8"})
ALTERNATE_ALLELE = frozenset({"69551-0"})
CODING_CHANGE = frozenset({"48004-6"})
PROTEIN_CHANGE = frozenset({"48005-3"})
REFERENCE_SEQUENCE = frozenset({"48013-7", "51958-7"})
EXACT_START = frozenset({"81254-5"})
GENOMIC_CHANGE = frozenset({"81290-9"})
VARIATION_CODE = frozenset({"81252-9"})
CHANGE_TYPE = frozenset({"48019-4", "62378-5"})
COPY_NUMBER = frozenset({"82155-3"})
MEDICATION_ASSESSED = frozenset({"51963-7"})
CLINICAL_SIGNIFICANCE = frozenset({"53037-8"})
"""Also the code of a whole Observation in the guide's first release."""

# LOINC answers

PRESENT_ANSWERS = frozenset({"LA9633-4", "LA6576-8"})
ABSENT_ANSWERS = frozenset({"LA9634-2", "LA6577-6"})
UNDETERMINED_ANSWERS = frozenset({"LA18198-4", "LA11884-6"})
PRESENT_FINDINGS = frozenset({"10828004", "52101004", "260373001"})
ABSENT_FINDINGS = frozenset({"260385009", "2667000", "260415000"})
SOMATIC_ANSWERS = frozenset({"LA6684-0"})
GERMLINE_ANSWERS = frozenset({"LA6683-2"})
POSITIVE_CALLS = frozenset({"LA6576-8", "10828004", "POS"})
POSITIVE_WORDS = ("positive", "pos")
"""Codes and words of a positive result, as against those that something was found."""
SIGNIFICANCE_ANSWERS = {
    "LA6668-3": Significance.PATHOGENIC, "LA26332-9": Significance.PATHOGENIC, "LA6669-1": Significance.PATHOGENIC,
    "LA26333-7": Significance.UNCERTAIN, "LA6682-4": Significance.UNCERTAIN,
    "LA26334-5": Significance.BENIGN, "LA6675-8": Significance.BENIGN, "LA6674-1": Significance.BENIGN,
}  # fmt: skip
FUSIONS = frozenset({"SO:0001565"})
REARRANGEMENTS = FUSIONS | {"SO:0002062"}
CHANGES_OF_COPIES = frozenset({"LA14033-7", "LA14034-5", "SO:0001019", "SO:0001742", "SO:0001743", "SO:0001880"})
"""Of LOINC and the Sequence Ontology: a gene that is there more often or less often."""
COPIES_BY_ANSWER = {"LA6706-1": 1, "LA6705-3": 2, "LA6707-9": 1}

# Folded words

PRESENT_WORDS = frozenset(
    {"present", "positive", "detected", "carrier", "heterozygous", "homozygous", "hemizygous", "homoplasmic"}
)
ABSENT_WORDS = frozenset({"absent", "negative", "not detected", "not present", "non carrier", "not carrier",
                          "none detected", "undetected"})  # fmt: skip
WHOLE_WORD_ANSWERS = {"yes": True, "no": False, "true": True, "false": False, "pos": True, "neg": False}
UNDETERMINED_WORDS = frozenset(
    {"indeterminate", "no call", "nocall", "inconclusive", "unable to determine", "equivocal", "undetermined",
     "could not be determined", "cannot be determined", "cannot be determined indeterminate", "not determined",
     "no result obtained", "test failed", "failed", "not negative", "not absent", "false negative", "false positive"}
)  # fmt: skip
FOUND_WORDS = PRESENT_WORDS | {"found", "identified", "mutated", "mutant"}
"""What says of a variant that it is there, beside its name."""
MISSED_WORDS = ABSENT_WORDS | {
    "not found", "not identified", "not seen", "not mutated", "none found", "none identified", "undetectable",
    "not been detected", "not been found", "not been identified", "unmutated", "non mutated", "non mutant",
    "wild type", "wildtype", "no evidence of",
}  # fmt: skip
LISTED_AS_FOUND = frozenset(
    {*FOUND_WORDS, "amplified", "overexpressing", "mutation", "mutations", "variant", "rearrangement", "rearranged",
     "fusion", "hereditary", "syndrome", "related", "associated"}
)  # fmt: skip
"""What says of a marker in a problem list that it was found, where nothing denies it."""
NOT_DONE_WORDS = frozenset(
    {"not performed", "not done", "not indicated", "not required", "not needed", "not necessary", "not tested",
     "not applicable", "n a", "na"}
)  # fmt: skip
"""What says of a test that it was not done: it is no result that cannot be read."""
NO_FINDING_WORDS = ("family history", "fh", "history of", "risk of", "at risk", "rule out", "ruled out", "exclude",
                    "excluded", "screening", "test", "tests", "testing", "tested", "declined", "counseling",
                    "counselling", "vaccine")  # fmt: skip
"""What says of an entry of a problem list that it tells no finding of the patient."""
CALLED_NEGATIVE = ("triple", "receptor", "receptors", "node", "nodes")
"""What is called negative of a tumour beside its markers (`triple negative breast cancer`)."""
HEDGES = UNDETERMINED_WORDS | {
    "not", "if", "can", "cannot", "could", "may", "might", "possible", "possibly", "probable", "probably", "previous",
    "previously", "prior", "history", "unless", "expected", "likely detected", "likely present", "likely positive",
    "unlikely", "suspicious", "borderline",
}  # fmt: skip
"""What leaves open whether a variant is there, or speaks of another time; any other `not` among them."""
REFERENCE_WORDS = frozenset(
    {"negative", "not detected", "no variants detected", "no variant detected", "no mutations detected",
     "no mutation detected", "wild type", "wildtype", "none detected", "no variants found", "no mutation found"}
)  # fmt: skip
SIGNIFICANCE_WORDS = {
    **dict.fromkeys(
        ("pathogenic", "likely pathogenic", "presumed pathogenic", "suspected pathogenic", "deleterious",
         "likely deleterious", "suspected deleterious", "oncogenic", "likely oncogenic"),
        Significance.PATHOGENIC,
    ),
    **dict.fromkeys(
        ("uncertain significance", "uncertain clinical significance", "unknown significance",
         "unknown clinical significance", "undetermined significance", "unclear significance",
         "conflicting interpretations of pathogenicity", "conflicting classifications of pathogenicity", "uncertain",
         "vus"),
        Significance.UNCERTAIN,
    ),
    **dict.fromkeys(
        ("benign", "likely benign", "presumed benign", "not pathogenic", "non pathogenic", "nonpathogenic",
         "not deleterious"),
        Significance.BENIGN,
    ),
}  # fmt: skip
"""Folded words of a variant's clinical significance, of reports that classify variants by ACMG or by tumour type."""
CHANGE_OF_COPIES_WORDS = (" copy number ", " copies ", " amplification ", " amplified ")
VARIANT_WORDS = (" mutation ", " mutations ", " variant ", " variants ", " wild type ", " wildtype ")
COPIES_BY_WORD = {"heterozygous": 1, "hemizygous": 1, "homozygous": 2, "homoplasmic": 2}
TUMOUR_WORDS = ("tumor", "tumour", "neoplasm", "neoplastic", "carcinoma", "metastasis", "ffpe", "somatic")
GERMLINE_WORDS = ("germline",)
INHERITED_WORDS = (*GERMLINE_WORDS, "hereditary", "inherited", "carrier screening")
FOETAL_WORDS = ("fetal", "foetal", "amniotic", "chorionic")
CONSUMER_WORDS = ("direct to consumer", "dtc", "consumer", "23andme", "ancestrydna", "myheritage", "familytreedna",
                  "livingdna", "living dna", "nebula genomics", "selfdecode", "promethease", "circledna", "tellmegen",
                  "24genetics", "smartwatch", "smart watch", "apple watch", "galaxy watch", "fitbit", "garmin",
                  "kardiamobile")  # fmt: skip
"""What tells that the patient's own test or device is meant: one that no laboratory or clinic answers for."""
NEGATING_WORDS = ("no", "not", "without", "denies", "negative", "family history", "fh", "rule out", "ruled out",
                  "exclude", "excluded", "unlikely", "risk of", "screening")  # fmt: skip
TAKEN_BACK_BEHIND = re.compile(
    r"\b(?:(?:was|is|has been|had been|now|since|clinically|genetically) ){0,3}"
    r"(?:ruled out|excluded|not confirmed|disproved|disproven|refuted|unlikely)\b"
)
"""What takes a condition back right behind its name. Words further on may be about something else."""

# Faults of samples, in folded text

FAULT_DENIED_AHEAD = (
    "no", "not", "non", "nil", "without", "negative for", "free of", "free from", "exclude", "excludes", "excluded",
    "rule out", "if", "unless", "whether", "when", "avoid", "avoids", "avoiding", "checked for", "screened for",
    "tested for", "monitor for", "previous", "previously", "prior", "earlier", "last", "first", "original", "initial",
    "consistent with", "suggestive of", "signs of", "features of", "history of", "intravascular", "in vivo",
)  # fmt: skip
"""Words ahead of a fault that deny it, suppose it, or say it of another sample or of the patient."""
FAULT_DENIED_AFTER = (
    "no", "none", "nil", "negative", "neg", "absent", "normal", "within", "insignificant", "0", "not detected",
    "not seen", "not present", "not observed", "not noted", "not found", "not significant", "not evident",
    "not visible", "not apparent",
)  # fmt: skip
"""What denies a fault where it follows it."""

INTERPRETATIONS = (
    "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation",
    "http://terminology.hl7.org/CodeSystem/v2-0078",
)
INTERPRETED_PRESENT = frozenset({"POS", "DET", "RR"})
INTERPRETED_ABSENT = frozenset({"NEG", "ND", "NR"})
INTERPRETED_OPEN = frozenset({"IND", "E"})
"""Codes of HL7's ObservationInterpretation that say found, not found, or neither."""
INTERPRETED_USUAL = frozenset({"N"})
"""Its code of a value within the laboratory's limits."""

INTERPRETED_HIGH = frozenset({"H", "HH", "HU"})
INTERPRETED_NOT_HIGH = frozenset({"N", "L", "LL", "LU"})
"""The same codes' words for a number: above its reference range, or not."""
UNSENT_REASONS = frozenset({"", "unsupported", "masked", "not-permitted", "not-applicable", "unknown", "as-text"})
"""Reasons why a value is not sent that say nothing against the test itself."""

PRESENCE_CODES = (
    (LOINC, PRESENT_ANSWERS, ABSENT_ANSWERS),
    (SNOMED, PRESENT_FINDINGS, ABSENT_FINDINGS),
    *((system, INTERPRETED_PRESENT, INTERPRETED_ABSENT) for system in INTERPRETATIONS),
)
"""(system, codes of found, codes of not found): some senders put the interpretation where the value belongs."""

GENOME_BUILD_37 = dict(
    zip(
        (*(f"NC_{n:06}" for n in range(1, 25)),),
        (10, 11, 11, 11, 9, 11, 13, 10, 11, 10, 9, 11, 10, 8, 9, 9, 10, 9, 9, 10, 8, 10, 10, 9),
        strict=True,
    )
)
"""RefSeq chromosome -> its version in build 37 of the human genome; build 38 has the next one."""

# Kinds of resources that tell of a medicine

REQUEST = "MedicationRequest"
STATEMENT = "MedicationStatement"
GIVEN = ("MedicationDispense", "MedicationAdministration")
"""What tells that a medicine was handed out or given."""

# Sex

SEX_EXTENSIONS = frozenset({
    "us-core-birthsex", "us-core-sex", "us-core-individual-sex", "patient-sexparameterforclinicaluse",
    "individual-recordedsexorgender",
})  # fmt: skip
"""Last parts, in lower case, of the extensions that say a patient's sex. None is about gender identity."""
SEXES = {
    "male": "male", "m": "male", "248153007": "male", "male-typical": "male",
    "female": "female", "f": "female", "248152002": "female", "female-typical": "female",
}  # fmt: skip
"""Codes, in lower case, of FHIR's and HL7 v3's AdministrativeGender, SNOMED CT and SexParameterForClinicalUse."""

# Statuses

ENTERED_IN_ERROR = "entered-in-error"
FINAL_STATUSES = frozenset({"final", "amended", "corrected", "appended"})
PRELIMINARY_STATUSES = frozenset({"preliminary", "partial"})
UNSTARTED_STATUSES = frozenset({"registered"})
DROPPED_STATUSES = frozenset({"cancelled", "entered-in-error"})
UNDIVIDED_WORDS = (
    "capsule", "capsules", "cap", "caps", "lozenge", "suppository",
    "extended", "sustained", "prolonged", "controlled", "delayed", "modified", "enteric", "gastro",
    "er", "xr", "xl", "sr", "cr", "dr", "ec", "la",
)  # fmt: skip
"""In the name of a product, its form or the unit of its dose: pieces of it are not halved."""
DRAFT_STATUSES = frozenset({"", "draft", "active", "on-hold", "unknown"})
TAKEN_STATUSES = frozenset({"active", "on-hold", "intended", "unknown", "", "recorded"})
ENDED_STATUSES = frozenset({"stopped", "completed", "ended"})
GIVEN_STATUSES = frozenset({"completed", "in-progress", "preparation"})
"""Of what was handed out or given; of a request or a statement `completed` means over."""
UNTAKEN_STATUSES = frozenset({"cancelled", "draft", "not-taken", "declined", "not-done", "entered-in-error"})
ORDERED_STATUSES = frozenset({"draft", "active", "on-hold", ""})
UNORDERED_INTENTS = frozenset({"proposal", "plan", "option", "directive"})
RULED_OUT = frozenset({"refuted", "entered-in-error", "differential"})
NOT_DONE_STATUSES = frozenset({"preparation", "not-done", "on-hold", "entered-in-error"})
"""Of a procedure that did not take place, or not yet."""
PAST_STATUSES = frozenset({"resolved", "inactive", "remission"})
ABATED_WORDS = PAST_STATUSES | {
    "abated", "childhood", "cured", "ended", "finished", "gone", "healed", "in childhood", "in remission",
    "in the past", "over", "past", "recovered", "stopped", "yes",
}  # fmt: skip
"""What is said of the end of a condition that is over; `ongoing` or `unknown` is no end."""

# Routes: SNOMED CT and HL7 codes, and folded words

ROUTE_CODES = {
    "26643006": "oral", "260548002": "oral", "394899003": "oral", "PO": "oral", "C38288": "oral",
    "47625008": "intravenous", "255560000": "intravenous", "IV": "intravenous", "IVPUSH": "intravenous",
    "C38279": "intravenous", "C38276": "intravenous",
    "78421000": "intramuscular", "255559005": "intramuscular", "IM": "intramuscular", "C28161": "intramuscular",
    "34206005": "subcutaneous", "263887005": "subcutaneous", "SQ": "subcutaneous", "SC": "subcutaneous",
    "6064005": "topical", "359540000": "topical", "TOPICAL": "topical",
    "54485002": "ophthalmic", "10547007": "otic", "46713006": "nasal", "37161004": "rectal",
    "16857009": "vaginal", "37839007": "sublingual", "45890007": "transdermal", "72607000": "intrathecal",
    "418401004": "intravitreal", "372464004": "intradermal",
}  # fmt: skip
ROUTE_WORDS = {
    "nasal": "nasal", "intranasal": "nasal",
    "inhalation": "inhaled", "inhaled": "inhaled", "inhale": "inhaled", "respiratory": "inhaled",
    "ophthalmic": "ophthalmic", "otic": "otic", "vaginal": "vaginal", "rectal": "rectal", "rectally": "rectal",
    "transdermal": "transdermal", "sublingual": "sublingual", "intrathecal": "intrathecal",
    "intravitreal": "intravitreal", "intradermal": "intradermal", "dental": "dental",
    "topical": "topical", "topically": "topical", "cutaneous": "topical", "to skin": "topical",
    "eye": "ophthalmic", "eyes": "ophthalmic", "ear": "otic",
    "intravenous": "intravenous", "intravenously": "intravenous", "iv": "intravenous",
    "intramuscular": "intramuscular", "im": "intramuscular", "subcutaneous": "subcutaneous", "sc": "subcutaneous",
    "subcut": "subcutaneous", "subq": "subcutaneous",
    "by mouth": "oral", "oral": "oral", "orally": "oral", "po": "oral", "per os": "oral",
}  # fmt: skip
"""Of several words in one text the one that stands first here counts: what is inhaled by mouth is inhaled."""

# Family relationships (HL7 RoleCode and words): degree

DEGREE_BY_ROLE = {
    **dict.fromkeys(
        ("MTH", "FTH", "PRN", "NMTH", "NFTH", "NPRN", "SIB", "SIS", "BRO", "NSIB", "NSIS", "NBRO", "TWIN", "TWINSIS",
         "TWINBRO", "FTWIN", "ITWIN", "CHILD", "NCHILD", "DAU", "DAUC", "SON", "SONC"), 1),
    **dict.fromkeys(
        ("GRPRN", "GRMTH", "GRFTH", "MGRMTH", "MGRFTH", "MGRPRN", "PGRMTH", "PGRFTH", "PGRPRN", "AUNT", "MAUNT",
         "PAUNT", "UNCLE", "MUNCLE", "PUNCLE", "HSIB", "HSIS", "HBRO", "NIENEPH", "NIECE", "NEPHEW", "GRNDCHILD",
         "GRNDDAU", "GRNDSON", "FAMMEMB"), 2),
}  # fmt: skip
RELATIVE_BY_ROLE = {
    **dict.fromkeys(("MTH", "NMTH"), "mother"), **dict.fromkeys(("FTH", "NFTH"), "father"),
    **dict.fromkeys(("PRN", "NPRN"), "parent"), **dict.fromkeys(("SIS", "NSIS"), "sister"),
    **dict.fromkeys(("BRO", "NBRO"), "brother"), **dict.fromkeys(("SIB", "NSIB"), "sibling"),
    "HSIS": "half-sister", "HBRO": "half-brother", "HSIB": "half-sibling",
    "TWIN": "twin", "ITWIN": "identical twin", "FTWIN": "fraternal twin",
    "TWINSIS": "twin sister", "TWINBRO": "twin brother",
    **dict.fromkeys(("DAU", "DAUC"), "daughter"), **dict.fromkeys(("SON", "SONC"), "son"),
    **dict.fromkeys(("CHILD", "NCHILD"), "child"),
    "GRPRN": "grandparent", "GRMTH": "grandmother", "GRFTH": "grandfather",
    "MGRPRN": "mother's parent", "MGRMTH": "mother's mother", "MGRFTH": "mother's father",
    "PGRPRN": "father's parent", "PGRMTH": "father's mother", "PGRFTH": "father's father",
    "AUNT": "aunt", "MAUNT": "mother's sister", "PAUNT": "father's sister",
    "UNCLE": "uncle", "MUNCLE": "mother's brother", "PUNCLE": "father's brother",
    "NIENEPH": "niece or nephew", "NIECE": "niece", "NEPHEW": "nephew",
    "GRNDCHILD": "grandchild", "GRNDDAU": "granddaughter", "GRNDSON": "grandson",
    "COUSN": "cousin", "MCOUSN": "cousin on the mother's side", "PCOUSN": "cousin on the father's side",
}  # fmt: skip
"""What the codes mean, for a record that gives them alone."""
NOT_BY_BLOOD = frozenset(
    {"WIFE", "HUSB", "SPS", "DOMPART", "CHLDADOPT", "DAUADOPT", "SONADOPT", "ADOPTF", "ADOPTM", "ADOPTP", "STPPRN",
     "STPMTH", "STPFTH", "STPSIB", "STPSIS", "STPBRO", "STPCHLD", "STPDAU", "STPSON", "FSTCHLD", "PRNINLAW",
     "MTHINLAW", "FTHINLAW", "SIBINLAW", "SISINLAW", "BROINLAW", "CHLDINLAW", "DAUINLAW", "SONINLAW"}
)  # fmt: skip
DEGREE_BY_WORD = {
    **dict.fromkeys(
        ("mother", "father", "parent", "sister", "brother", "sibling", "son", "daughter", "child", "twin"), 1),
    **dict.fromkeys(
        ("grandmother", "grandfather", "grandparent", "aunt", "uncle", "half sister", "half brother", "half sibling",
         "niece", "nephew", "grandson", "granddaughter", "grandchild"), 2),
    **dict.fromkeys(("cousin", "great grandmother", "great grandfather", "great aunt", "great uncle"), 3),
}  # fmt: skip
OUTSIDE_MOTHERS_LINE = frozenset(
    {"FTH", "NFTH", "GRFTH", "MGRFTH", "PGRMTH", "PGRFTH", "PGRPRN", "PAUNT", "PUNCLE", "PCOUSN"}
)
OUTSIDE_MOTHERS_LINE_WORDS = ("father", "grandfather", "paternal")
"""Relatives whose mitochondria are not the patient's: a mother has hers from her own mother."""
DEGREE_UNSAID = 2
"""A relative of unnamed degree counts as near: a family history is never lost for want of a word."""
DEGREE_BEYOND = 3
