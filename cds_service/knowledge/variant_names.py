"""How variants of genes are written, and how one spelling is told from another: `p.(Val600Glu)`, `V600E`."""

from __future__ import annotations

import re

from cds_service.memory import remembered_by_text

_LETTERS = {
    "ala": "a", "arg": "r", "asn": "n", "asp": "d", "cys": "c", "gln": "q", "glu": "e", "gly": "g", "his": "h",
    "ile": "i", "leu": "l", "lys": "k", "met": "m", "phe": "f", "pro": "p", "ser": "s", "thr": "t", "trp": "w",
    "tyr": "y", "val": "v", "ter": "*",
}  # fmt: skip
_ACID = rf"(?:{'|'.join(_LETTERS)}|[a-z*])"
_CHANGE = rf"(?:delins{_ACID}*|del|ins{_ACID}*|dup|fs[\w*]*|{_ACID}(?:fs[\w*]*)?)"
_BASES = r"(?:[acgt]+>[acgt]+|delins[acgt]*|del[acgt]*|ins[acgt]*|dup[acgt]*|inv)"
_BEFORE, _AFTER = r"(?<![a-z0-9])", r"(?![a-z0-9>]|/[a-z](?![a-z0-9]))"

_PLACE = rf"(?:p\.\(?{_ACID}\d+|{_ACID}\d{{2,4}})"
VARIANT = rf"{_BEFORE}(?:c\.[\d_+*-]+{_BASES}|{_PLACE}(?:_{_ACID}?\d+)?{_CHANGE}){_AFTER}"
"""A name that tells the variant itself, as a regular expression that knows no case."""
PART = rf"{_BEFORE}(?:exon[\s-]?\d+|codons?\s\d+|{_PLACE}(?:[a-z](?:/[a-z])+)?){_AFTER}"
"""A name of a part of the gene, of which variants may be several: `exon 18`, `codon 12`, `V600`, `V600E/K`."""

_VARIANT_OR_EXON = re.compile(rf"{VARIANT}|{_BEFORE}exon[\s-]?\d", re.IGNORECASE)
_IN_ONE_LETTER = re.compile(rf"({'|'.join(_LETTERS)})(?=\d)|(?<=\d)({'|'.join(_LETTERS)})(?![a-z])")
_IN_AN_EXON = re.compile(r"\b(deletion|insertion|skipping)s? (?:in|of|within|at) exon[\s-]?(\d+)", re.IGNORECASE)
_EXON = re.compile(r"\bexon[\s-]*(?=\d)")
_LIST = re.compile(
    r"\b(codon|exon)s?[\s-]*(\d+(?:\s*(?:[,/&+-]|–|\band/or\b|\b(?:and|or|to|through)\b)+\s*(?:(?:codon|exon)s?\s+)?\d+)+)"
    r"(?![\w>]|-\w)",
    re.IGNORECASE,
)
_ONE_OR_RANGE = re.compile(r"(\d+)(?:\s*(?:-|–|\b(?:to|through)\b)\s*(\d+))?")
_LONGEST_RANGE = 10
_CODON = re.compile(r"(?:codon |[a-z*])(\d+)[a-z*]?|c\.(\d+)[acgt]+>[acgt]+")
_SEQUENCE = re.compile(r"\b(?:N[CGMPR]_|LRG_|ENS[TGP])\d[\w.]*:?", re.IGNORECASE)
_SEVERAL = re.compile(r"(deletion|insertion|fusion|rearrangement|duplication)s\b")


@remembered_by_text
def variant_key(name: str) -> str:
    """The form in which spellings of one variant agree: small letters, amino acids in one letter.

    >>> variant_key("p.(Val600Glu)"), variant_key("Deletions in exon 19")
    ('v600e', 'exon 19 deletion')
    """
    small = _IN_ONE_LETTER.sub(lambda m: _LETTERS[m.group()], _EXON.sub("exon ", name.lower()))
    bare = re.sub(r"\bp\.\(?|[()]", "", small).replace("-deletion", " deletion").replace("-insertion", " insertion")
    return _SEVERAL.sub(r"\1", tidied(" ".join(bare.split())))


def tidied(text: str) -> str:
    """The text without reference sequences, with `deletion in exon 19` written as `exon 19 deletion`, and each part
    of a list by itself.

    >>> tidied("codons 12, 13 and 61"), tidied("exons 2-4")
    ('codon 12 and codon 13 and codon 61', 'exon 2 and exon 3 and exon 4')
    """
    return _LIST.sub(_each_by_itself, _IN_AN_EXON.sub(r"exon \2 \1", _SEQUENCE.sub("", text)))


def _each_by_itself(found: re.Match[str]) -> str:
    kind, listed = found[1].lower(), _ONE_OR_RANGE.findall(found[2])
    ends = [(int(first), int(last or first)) for first, last in listed]
    if any(not 0 <= last - first < _LONGEST_RANGE for first, last in ends):
        return found[0]
    return " and ".join(f"{kind} {n}" for first, last in ends for n in range(first, last + 1))


def is_named_in(name: str, written: str) -> bool:
    """Whether the variant's name stands in what is written, however either is spelled."""
    return re.search(rf"(?<![a-z0-9]){re.escape(variant_key(name))}(?![a-z0-9])", variant_key(written)) is not None


def codon_of(name: str) -> int | None:
    """The codon that a part or a substitution names; None for any other name.

    >>> codon_of("codon 600"), codon_of("p.Val600Glu"), codon_of("c.1799T>A"), codon_of("exon 15")
    (600, 600, 600, None)
    """
    found = _CODON.fullmatch(variant_key(name))
    if found is None:
        return None
    return int(found[1]) if found[1] else (int(found[2]) - 1) // 3 + 1


def first_variant(text: str) -> str:
    """The first variant or exon that the text names; empty where there is none."""
    found = _VARIANT_OR_EXON.search(text)
    return found.group() if found is not None else ""
