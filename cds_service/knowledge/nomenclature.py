"""How alleles, diplotypes and HLA types are written, and how one spelling is told from another.

Pure text against an allele table: nothing is inferred of function or phenotype here. An allele that the table
does not hold is kept as it came and named, never replaced by a similar one.

Notation read: PharmVar star alleles with sub-alleles (`*2.001`), HGVS and legacy variant names, names that
contain a slash, a comma or a plus sign, copy numbers (`*1x2`, `*1x≥3`, `*1xN`, both chromosomes together as in
`(*1/*4)x3`) and tandem arrangements (`*36+*10`) of score genes, and HLA names and GL Strings (`A*03:01+A*30:01`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from cds_service.knowledge.schema import Allele, Gene, GeneModel
from cds_service.memory import remembered_by_identity

_INVISIBLE = re.compile("[\u200b\u200c\u200d\u2060\ufeff\u00ad]")
_REFERENCE_SEQUENCE = re.compile(r"^(?:N[CGMPR]_|LRG_|ENS[TG])[\w.]+(?:\([\w-]+\))?:", re.IGNORECASE)
_SUBALLELE = re.compile(r"^(\*\d+)(?:\.\d+|[a-wyz]\d*)$")
_NUMBER = r"n|(?:≥|>=)?\d+\+?"
_COPIES = re.compile(rf"^(\()?(\*[0-9a-wyz.]+)(?(1)\))(?:x({_NUMBER}))?$")
_TOGETHER = re.compile(rf"^\(([^()]+[/|][^()]+)\)(?:\s*[x×]\s*({_NUMBER}))?$", re.IGNORECASE)
_STAR_NUMBER = re.compile(r"\d+")
_BETWEEN_CHROMOSOMES = re.compile(r"[/|]")
_IN_TANDEM = re.compile(r"\+(?=\(?\*)")

MOST_COPIES = 13
"""More copies than any published arrangement has: read as an error of writing, not as a number."""

WITH_ANY = "/any"
"""Ends a state that names one allele: a genotype that contains it, and that is no state itself (`*3/any`)."""


def plain(text: str) -> str:
    """The text without invisible characters and doubled or unusual spaces: what a person sees."""
    return " ".join(_INVISIBLE.sub("", text).split())


def folded(text: str) -> str:
    """The form in which two spellings of one allele name agree: no spaces, lower case, one sign for ×."""
    return re.sub(r"\s", "", plain(text)).lower().replace("×", "x")


def folded_names(alleles: Mapping[str, Allele]) -> Mapping[str, str]:
    """Folded name or alias -> the allele's name in the table. A name goes before an alias."""
    aliases = ((folded(alias), a.name) for a in alleles.values() for alias in a.aliases)
    names = ((folded(name), name) for name in alleles)
    return MappingProxyType({**dict(aliases), **dict(names)})


@dataclass(frozen=True, slots=True)
class Copies:
    """An allele of the table and how often it stands on one chromosome. `count` is None for `xN`; `at_least`
    marks `x≥3`."""

    allele: str
    count: int | None = 1
    at_least: bool = False

    @property
    def text(self) -> str:
        if self.count is None:
            return f"{self.allele}xN"
        return self.allele if self.count == 1 else f"{self.allele}x{'≥' if self.at_least else ''}{self.count}"


@dataclass(frozen=True, slots=True)
class Haplotype:
    """What stands on one chromosome. `parts` is empty where the allele is not in the gene's table; several
    parts are a tandem arrangement."""

    text: str
    parts: tuple[Copies, ...] = ()

    @property
    def known(self) -> bool:
        return bool(self.parts)


@dataclass(frozen=True, slots=True)
class ParsedDiplotype:
    """The chromosomes that a text names, reference first and then in natural order."""

    haplotypes: tuple[Haplotype, ...]
    together: Copies | None = None
    """Copies of both together (`(*1/*4)x3`, no allele of its own): the text does not say which one is multiplied."""

    @property
    def alleles(self) -> tuple[str, ...]:
        return tuple(h.text for h in self.haplotypes)

    @property
    def unknown(self) -> tuple[str, ...]:
        """Names that the gene's table does not hold, as they came."""
        return tuple(h.text for h in self.haplotypes if not h.known)

    @property
    def text(self) -> str:
        text = "/".join(self.alleles)
        return f"({text}){self.together.text}" if self.together else text


@remembered_by_identity
def parse_diplotype(gene: Gene, text: str) -> ParsedDiplotype:
    """The haplotypes named in `text`, in a fixed order.

    Never raises: what cannot be read is a haplotype without parts. One haplotype is given for a single allele
    (mitochondrial, one X chromosome) and more than two where the text names several unphased variants.
    """
    names = gene.names or folded_names(gene.alleles)
    inner, together = _in_brackets(gene, plain(text))
    haplotypes = [_haplotype(gene, names, token) for token in _tokens(gene, names, inner)]
    return ParsedDiplotype(tuple(sorted(haplotypes, key=lambda h: _order(gene, h))), together)


def normalised(gene: Gene, text: str) -> str:
    """The diplotype in the table's own names and a fixed order, so that equal diplotypes are equal texts."""
    return parse_diplotype(gene, text).text


def _in_brackets(gene: Gene, text: str) -> tuple[str, Copies | None]:
    """What stands in brackets around both chromosomes, and the copies of both together behind them; the text
    itself where there are no such brackets, or a number that cannot be read."""
    found = _TOGETHER.match(_bare(gene, text)) if gene.model is GeneModel.SCORE else None
    if found is None or not found.group(2):
        return (found.group(1) if found else text), None
    together = _counted("", found.group(2).lower())
    return (found.group(1), together) if together else (text, None)


def _tokens(gene: Gene, names: Mapping[str, str], text: str) -> Iterator[str]:
    """The text cut at `/` and `|`, where a name of the table that itself holds a slash stays whole."""
    pieces = [p for p in (_bare(gene, p) for p in _BETWEEN_CHROMOSOMES.split(_bare(gene, text))) if p]
    most = max((name.count("/") for name in names), default=0) + 1 if len(pieces) > 1 else 1
    while pieces:
        length = _longest_name(names, pieces[:most])
        yield "/".join(pieces[:length])
        pieces = pieces[length:]


def _longest_name(names: Mapping[str, str], pieces: list[str]) -> int:
    lengths = range(len(pieces), 1, -1)
    return next((n for n in lengths if folded("/".join(pieces[:n])) in names), 1)


def _bare(gene: Gene, text: str) -> str:
    """Without the gene's symbol and a reference sequence in front: `CYP2D6 *4` and `CYP2D6:*4` are `*4`."""
    token = _REFERENCE_SEQUENCE.sub("", text.strip())
    if token.lower().startswith(gene.symbol.lower()):
        rest = token[len(gene.symbol) :]
        token = rest if not rest[:1].isalnum() else token
    return token.strip(" :,;_=")


def _haplotype(gene: Gene, names: Mapping[str, str], token: str) -> Haplotype:
    parts = _parts(gene, names, token)
    return Haplotype("+".join(p.text for p in parts), parts) if parts else Haplotype(token)


def _parts(gene: Gene, names: Mapping[str, str], token: str) -> tuple[Copies, ...]:
    """The token as one allele of the table, or for a score gene as copies and tandems of such alleles."""
    whole = _named(names, folded(token))
    if whole:
        return (Copies(whole),)
    if gene.model is not GeneModel.SCORE:
        return ()
    parts = [_copies(names, part) for part in _IN_TANDEM.split(folded(token))]
    known = [part for part in parts if part is not None]
    return tuple(sorted(known, key=lambda p: _tandem_order(gene, p))) if len(known) == len(parts) else ()


def _named(names: Mapping[str, str], token: str) -> str:
    """The table's name for a folded token; a sub-allele counts as its core allele where the table has only
    that. Empty where the table has neither."""
    if token in names:
        return names[token]
    core = _SUBALLELE.match(token)
    return names.get(core.group(1), "") if core else ""


def _copies(names: Mapping[str, str], token: str) -> Copies | None:
    found = _COPIES.match(token)
    allele = _named(names, found.group(2)) if found else ""
    if not found or not allele:
        return None
    return _counted(allele, found.group(3) or "1")


def _counted(allele: str, number: str) -> Copies | None:
    """`n`, `3`, `≥3` as copies of the allele; None for no copy and for more than any arrangement has."""
    if number == "n":
        return Copies(allele, None)
    count = float(_STAR_NUMBER.findall(number)[0])  # however many digits it has
    at_least = not number.isdigit()
    return Copies(allele, int(count), at_least) if 1 <= count <= MOST_COPIES else None


def _tandem_order(gene: Gene, part: Copies) -> tuple[float, list[float | str]]:
    """Non-functional units first, then the higher number, as arrangements are usually published."""
    value = gene.alleles[part.allele].value
    number = _STAR_NUMBER.search(part.allele)
    return (99.0 if value is None else value, [-float(number.group()) if number else 0.0, part.text])


def _order(gene: Gene, haplotype: Haplotype) -> tuple[bool, list[tuple[float, str]]]:
    return (haplotype.text != gene.reference, natural_order(haplotype.text))


def natural_order(text: str) -> list[tuple[float, str]]:
    """A sort key by which `*2` comes before `*10`."""
    return [(float(n), "") if n else (-1.0, t.lower()) for n, t in re.findall(r"(\d+)|(\D+)", text)]


_HLA = re.compile(
    r"^(?:HLA[-_ ]?)?(?:(?P<locus>[A-Z][A-Z0-9]{0,3})[-_ ]?)?\*\s?(?P<first>\d{2,3}):(?P<second>\d{2,4})"
    r"(?::\d{2,4}){0,2}(?P<suffix>[GPNLSCAQ]?)$",
    re.IGNORECASE,
)
_HLA_FOUR_DIGITS = re.compile(r"^((?:HLA[-_ ]?)?[A-Z][A-Z0-9]{0,3}[-_ ]?\*)(\d{2})(\d{2})$", re.IGNORECASE)
_GL_HEADER = re.compile(r"^#?hla#(?:[\d.]*#)?", re.IGNORECASE)
_GROUP = frozenset("GP")


@dataclass(frozen=True, slots=True)
class HlaName:
    """An HLA allele to two fields. `locus` is empty where the text does not say it."""

    locus: str
    allele: str


def hla_name(text: str) -> HlaName | None:
    """The name to two fields, or None where it is not one: `HLA-A*03:01:01:01` is `A`, `*03:01`.

    G and P groups count as their first allele, an expression suffix (`N`) stays, `B*5701` is the old form.
    One field (`B*57`), a code for several alleles (`*13:AKBAR`) and a malformed name (`A:01:01G`) give None.
    """
    token = _HLA_FOUR_DIGITS.sub(r"\1\2:\3", plain(text).replace(" ", ""))
    found = _HLA.match(token)
    if found is None:
        return None
    suffix = found["suffix"].upper()
    allele = f"*{found['first']}:{found['second']}{'' if suffix in _GROUP else suffix}"
    return HlaName((found["locus"] or "").upper(), allele)


@dataclass(frozen=True, slots=True)
class HlaTyping:
    """One locus of a GL String. Each chromosome lists the alleles that the typing left possible there;
    `refused` are names that could not be read."""

    locus: str
    chromosomes: tuple[tuple[str, ...], ...]
    refused: tuple[str, ...] = ()


def parse_gl_string(text: str) -> tuple[HlaTyping, ...]:
    """The loci of a GL String, with or without its `hla#release#` header.

    `^` separates loci, `|` possible genotypes, `+` chromosomes, `~` loci of one chromosome, `/` possible
    alleles. A genotype alternative adds its alleles to the chromosome at the same place.
    """
    blocks = _GL_HEADER.sub("", plain(text)).split("^")
    return tuple(typing for block in blocks for typing in _typings(block) if block.strip())


def _typings(block: str) -> Iterator[HlaTyping]:
    chromosomes: dict[str, dict[int, set[str]]] = {}
    refused: list[str] = []
    for place, token in _placed(block):
        name = hla_name(token)
        if name is None or not name.locus:
            refused.append(token)
        else:
            chromosomes.setdefault(name.locus, {}).setdefault(place, set()).add(name.allele)
    for locus, places in chromosomes.items():
        yield HlaTyping(locus, tuple(_sorted(places[p]) for p in sorted(places)), tuple(refused))
    if refused and not chromosomes:
        yield HlaTyping("", (), tuple(refused))


def _placed(block: str) -> Iterator[tuple[int, str]]:
    """Each allele name of a GL block with the number of its chromosome."""
    for genotype in block.split("|"):
        for place, chromosome in enumerate(genotype.split("+")):
            for token in re.split(r"[~/]", chromosome):
                yield place, token.strip()


def _sorted(alleles: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(alleles, key=natural_order))
