"""Genotypes in text: diplotypes of star alleles, of named alleles, of rs numbers, and zygosity in words."""

from __future__ import annotations

import re
from functools import lru_cache

from cds_service.knowledge.nomenclature import normalised, parse_diplotype
from cds_service.knowledge.schema import Gene, GeneModel
from cds_service.reading.shapes import fold
from cds_service.reading.vocabulary import ABSENT_WORDS, COPIES_BY_WORD, REFERENCE_WORDS

_ALLELE = r"\*\d+(?:[A-Za-z]\d*)?(?:\.\d+)?(?:x(?:N|(?:≥|>=)?\d+\+?)|×\d+)?"
_CHROMOSOME = rf"{_ALLELE}(?:\s?\+\s?{_ALLELE})*"
_SINGLE = re.compile(r"\*\d+(?:[A-Za-z]\d*)?(?:\.\d+)?(?![\w:])")
_BASES = re.compile(r"\b(rs\d+)\b[\s:,(]*([ACGT])\s*[/|>;]?\s*([ACGT])\b\)?", re.IGNORECASE)
_VARIANT = re.compile(r"\brs\d+\b|\b[cgmnp]\.[\w>_=*()+-]+")
_LEADING_WORDS = re.compile(
    r"^(?:(?:genotype|diplotype|result|alleles?|haplotypes?|is|call|gene)\b[\s:=]*)+", re.IGNORECASE
)
_ZYGOSITY_WORDS = re.compile(
    r"\b(?:heterozygous|homozygous|hemizygous|homoplasmic|for|carrier|variant|mutation|detected|the)\b", re.IGNORECASE
)
_COMPLEMENT = str.maketrans("ACGT", "TGCA")


@lru_cache(maxsize=256)
def _diplotype_pattern(symbol: str) -> re.Pattern[str]:
    name = rf"(?:{re.escape(symbol)}[\s:_]*)?"
    return re.compile(
        rf"(?<![\w*/|+])({name}{_CHROMOSOME})\s*[/|]\s*({name}{_CHROMOSOME})(?!\s?[/|+]\s?\S|\w)", re.IGNORECASE
    )


def diplotypes_in(text: str, gene: Gene) -> tuple[tuple[str, ...], str]:
    """The normalised diplotypes that stand in the text, and the rest of the text without them."""
    plain = re.sub(r"[\[\]]", "", text)
    whole = _whole(plain, gene)
    if whole:
        return (whole,), ""
    pattern = _diplotype_pattern(gene.symbol)
    found = [f"{_bare(a, gene)}/{_bare(b, gene)}" for a, b in pattern.findall(plain)]
    bases = [by_bases for match in _BASES.finditer(plain) if (by_bases := _by_bases(match, gene))]
    rest = _BASES.sub(" ", pattern.sub(" ", plain)) if found or bases else plain
    return tuple(dict.fromkeys(normalised(gene, d) for d in (*found, *bases))), rest


def _bare(chromosome: str, gene: Gene) -> str:
    bare = re.sub(rf"^{re.escape(gene.symbol)}[\s:_]*", "", chromosome, flags=re.IGNORECASE)
    return bare.replace(" ", "").replace("×", "x")


def _whole(text: str, gene: Gene) -> str:
    """The diplotype where the text is nothing else and the allele table holds every name in it."""
    bare = _LEADING_WORDS.sub("", without_symbol(text, gene.symbol))
    parsed = parse_diplotype(gene, bare)
    wanted = {1, 2} if gene.model in {GeneModel.X_LINKED, GeneModel.MITOCHONDRIAL} else {2}
    return parsed.text if len(parsed.haplotypes) in wanted and not parsed.unknown else ""


def without_symbol(text: str, symbol: str) -> str:
    """The text without the gene's symbol in front."""
    return re.sub(rf"^\s*{re.escape(symbol)}(?![\w-])[\s:,]*", "", text, flags=re.IGNORECASE)


def _by_bases(match: re.Match[str], gene: Gene) -> str:
    """`rs9923231 C/T` in the table's names. Bases of the other strand are turned where neither base is in the
    table and both complements are: with such a pair there is no doubt."""
    name, first, second = match.groups()
    return _by_bases_of(name, first, second, gene)


def _by_bases_of(name: str, first: str, second: str, gene: Gene) -> str:
    for bases in ((first, second), tuple(b.upper().translate(_COMPLEMENT) for b in (first, second))):
        alleles = [_allele_of_base(name, base, gene) for base in bases]
        if all(alleles):
            return "/".join(alleles)
    return ""


def strand_of(text: str, gene: Gene) -> str:
    """How the bases of `rs9923231 C/T` stand to the table's: `strand_as_in_table`, `strand_turned`, or empty where
    no bases are given."""
    for name, first, second in _BASES.findall(text):
        if all(_allele_of_base(name, base, gene) for base in (first, second)):
            return "strand_as_in_table"
        if _by_bases_of(name, first, second, gene):
            return "strand_turned"
    return ""


def _allele_of_base(name: str, base: str, gene: Gene) -> str:
    ending = f"({base.upper()})"
    return next((a for a in gene.alleles if a.lower().startswith(name.lower()) and a.endswith(ending)), "")


def known_allele(text: str, gene: Gene) -> str:
    """The table's name for an allele or variant named alone; empty where the table does not hold it.

    A published name may carry a star name after its HGVS name: either part means the allele.
    """
    parsed = parse_diplotype(gene, without_symbol(text, gene.symbol))
    if len(parsed.haplotypes) == 1 and not parsed.unknown:
        return parsed.text
    wanted = re.sub(r"\s", "", text).lower().rpartition(":")[2]
    return next((name for name in gene.alleles if wanted and wanted in _parts_of(name)), "")


@lru_cache(maxsize=4096)
def _parts_of(name: str) -> frozenset[str]:
    pieces = re.split(r"[\s,]+", re.sub(r"[()]", " ", name).lower())
    return (
        frozenset(piece for piece in pieces if re.match(r"(?:[cgmnp]\.|\*\d)", piece))
        if "," not in name
        else frozenset()
    )


def allele_with_zygosity(text: str, gene: Gene) -> tuple[str, int | None]:
    """An allele of the table named with how often it is there (`c.1905+1G>A heterozygous`, `*2 homozygous`);
    empty where the text says more or less than that."""
    words = fold(text).split()
    copies = next((COPIES_BY_WORD[word] for word in words if word in COPIES_BY_WORD), None)
    if copies is None or set(words) & ABSENT_WORDS:
        return "", None
    bare = without_words(text, _ZYGOSITY_WORDS).replace(f"({gene.symbol}*", "(*")
    return known_allele(bare, gene), copies


def without_words(text: str, words: re.Pattern[str]) -> str:
    """The text without these words and the punctuation that stood around them."""
    bare = " ".join(words.sub(" ", text).split()).strip(" ,;:")
    return bare[1:-1] if bare.startswith("(") and bare.endswith(")") else bare


def diplotype_of_copies(allele: str, copies: int, gene: Gene) -> str:
    """The diplotype of a gene in which nothing but this allele was found."""
    if gene.model is GeneModel.MITOCHONDRIAL:
        return allele
    return normalised(gene, f"{allele}/{allele}" if copies == 2 else f"{gene.reference}/{allele}")


def reference_diplotype(text: str, gene: Gene) -> str:
    """The reference diplotype where the whole text says that nothing was found."""
    symbol = fold(gene.symbol)
    words = " ".join(word for word in fold(without_symbol(text, gene.symbol)).split() if word != symbol)
    if words not in REFERENCE_WORDS or not gene.reference:
        return ""
    return gene.reference if gene.model is GeneModel.MITOCHONDRIAL else f"{gene.reference}/{gene.reference}"


def alleles_looked_for(text: str, gene: Gene) -> tuple[str, ...]:
    """Alleles of the gene named in a description of what was tested; empty where it names none."""
    stars = [match.group() for match in _SINGLE.finditer(text)]
    variants = [match.group().rstrip(").,;") for match in _VARIANT.finditer(text)]
    names = (known_allele(token, gene) or token for token in (*stars, *variants))
    return tuple(dict.fromkeys(names))
