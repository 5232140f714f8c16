"""Why something is not there, not told or not shown: closed sets, of which the catalogue of the wording words each
member that a card can name.
"""

from __future__ import annotations

from enum import StrEnum


class _Reason(StrEnum):
    """Written as its text: what is read is put in order by how it is written."""

    __repr__ = str.__repr__


class GapReason(_Reason):
    """Why something could not be read, obtained or used."""

    ABOUT_ANOTHER = "about_another"
    CODES_DISAGREE = "codes_disagree"
    CONTRADICTION = "contradiction"
    COPY_NUMBER = "copy_number"
    """How often a gene is there, which is no variant of it."""
    DOCUMENT_ONLY = "document_only"
    FACT_NOT_KNOWN = "fact_not_known"
    FAILED = "failed"
    FURTHER_RESULTS_LOST = "further_results_lost"
    FUTURE_DATE = "future_date"
    GENE_NOT_CONFIRMED = "gene_not_confirmed"
    GENE_NOT_NAMED = "gene_not_named"
    IMPLAUSIBLE = "implausible"
    INCOMPLETE = "incomplete"
    KIND_NOT_READ = "kind_not_read"
    MEDICATION_NOT_AVAILABLE = "medication_not_available"
    """An order or a medicine refers to a Medication that is not there."""
    MISSING = "missing"
    NO_CALL = "no_call"
    """A number of which the laboratory does not say what it means."""
    NEEDS_FACTS = "needs_facts"
    """Of what is reckoned from a result and facts of the patient, of which one is not known."""
    NO_CLEAR_RESULT = "no_clear_result"
    NO_NUMBER = "no_number"
    NO_SCORES = "no_scores"
    NO_DRUG = "no_drug"
    NO_VALUE = "no_value"
    NOT_AN_ORDER = "not_an_order"
    NOT_AVAILABLE = "not_available"
    NOT_GERMLINE = "not_germline"
    NOT_IN_DRAFT_ORDERS = "not_in_draft_orders"
    NOT_IN_FORCE = "not_in_force"
    NOT_MACHINE_READABLE = "not_machine_readable"
    NOT_OBTAINED = "not_obtained"
    NOT_RECOGNISED = "not_recognised"
    NOT_SOMATIC = "not_somatic"
    NOT_UNDERSTOOD = "not_understood"
    OTHER_WORDS = "other_words"
    OUTSIDE_ALL_BANDS = "outside_all_bands"
    OTHER_COPY_NOT_TOLD = "other_copy_not_told"
    """Of a variant in a gene of which both copies matter."""
    PARTIAL = "partial"
    PARTLY_RECOGNISED = "partly_recognised"
    SEVERAL_GENES = "several_genes"
    SEX_DIFFERS = "sex_differs"
    SIGNIFICANCE_NOT_SAID = "significance_not_said"
    """Of a variant in a gene in which most are harmless."""
    SUPPLY_NOT_SAID = "supply_not_said"
    """Of a medicine that was handed out so long ago that it counts as used up, whatever its supply."""
    SUPPLY_USED_UP = "supply_used_up"
    """Of a medicine that may be taken still."""
    TOLD_ROUGHLY = "told_roughly"
    UNCERTAIN_SIGNIFICANCE = "uncertain_significance"
    UNDATED = "undated"
    UNEXPECTED_VALUE = "unexpected_value"
    UNIT_NOT_KNOWN = "unit_not_known"
    UNKNOWN_ALLELE = "unknown_allele"
    UNKNOWN_ANSWER = "unknown_answer"
    UNKNOWN_CODE = "unknown_code"
    UNKNOWN_STATUS = "unknown_status"
    UNKNOWN_UNIT = "unknown_unit"
    UNREADABLE = "unreadable"
    UNSUPPORTED_KIND = "unsupported_kind"
    UNSUPPORTED_VERSION = "unsupported_version"
    VALUE_TAKEN_BACK = "value_taken_back"
    WRONG_PATIENT = "wrong_patient"


class Narrowing(_Reason):
    """Why a result leaves several states open."""

    REPORTED_AS_RANGE = "reported_as_range"
    BEYOND_MEASURING_RANGE = "beyond_measuring_range"
    PLASMA_MAY_MISS_IT = "plasma_may_miss_it"
    VARIANT_NOT_NAMED = "variant_not_named"
    OTHER_VARIANTS_NOT_TOLD = "other_variants_not_told"
    BENIGN_ALONE = "benign_alone"
    TUMOUR_ALONE = "tumour_alone"
    INHERITED_ALONE = "inherited_alone"
    OTHER_GENES_OPEN = "other_genes_open"
    ORIGIN_NOT_SAID = "origin_not_said"


class Unconfirmed(_Reason):
    """Why a result may not be relied on."""

    NOT = ""
    CONSUMER = "consumer"
    PATIENT_REPORTED = "patient_reported"
    PROBLEM_LIST = "problem_list"
    """Stated in a problem list: somebody has read a report that is not here."""
    STATUS_UNKNOWN = "status_unknown"


class Shortfall(_Reason):
    """Why a query was not answered in full, or a read of a server gave nothing usable."""

    NONE = ""
    ADDRESS_NOT_ALLOWED = "address_not_allowed"
    BROKEN_OFF = "broken_off"
    BUSY = "busy"
    CIRCUIT_OPEN = "circuit_open"
    FEWER_THAN_TOTAL = "fewer_than_total"
    FOREIGN_LINK = "foreign_link"
    LATE = "late"
    MISSING = "missing"
    """Neither sent nor asked for."""
    MORE_PAGES = "more_pages"
    NAME_NOT_FOUND = "name_not_found"
    NOT_ACCEPTED = "not_accepted"
    NOT_FOUND = "not_found"
    NOT_JSON = "not_json"
    READS_HANG = "reads_hang"
    REDIRECTED = "redirected"
    REFUSED = "refused"
    SERVER_ERROR = "server_error"
    SERVER_NOT_ALLOWED = "server_not_allowed"
    TLS_FAILED = "tls_failed"
    TOKEN_REFUSED = "token_refused"  # noqa: S105  no password
    TOO_LARGE = "too_large"
    TOO_MANY_READS = "too_many_reads"
    UNREACHABLE = "unreachable"
    UNREADABLE = "unreadable"
    UNSUPPORTED_VERSION = "unsupported_version"
    WRONG_PATIENT = "wrong_patient"


class Silence(_Reason):
    """The rule that keeps a finding silent."""

    SHOWN = ""
    BELOW_THRESHOLD = "below_threshold"
    INDICATED_OTHERWISE = "indicated_otherwise"
    NO_CHANGE = "no_change"
    NO_GUIDANCE = "no_guidance"
    NO_TABLE_FITS = "no_table_fits"
    NO_TEST = "no_test"
    NO_TEST_CHANGES = "no_test_changes"
    NOT_AT_RISK = "not_at_risk"
    OTHER_INDICATION_OPEN = "other_indication_open"
    POLICY_SILENT = "policy_silent"
    RECALLED = "recalled"
    RISK_NOT_KNOWN = "risk_not_known"
    SAID_BEFORE = "said_before"
    TOLERATED = "tolerated"
    WOULD_NOT_CHANGE = "would_not_change"


class Refusal(_Reason):
    """Why an alternative is not offered."""

    OFFERED = ""
    ALLERGY = "allergy"
    BY_LIMIT = "by_limit"
    BY_RESULT = "by_result"
    INTERACTION = "interaction"
    TAKEN_ALREADY = "taken_already"
