"""The systems that name drugs by code, and their codes in one form.

National Drug Codes are written in many ways: 10 digits as 4-4-2, 5-3-2 or 5-4-1, 11 digits as 5-4-2, with or
without hyphens, and without the package (labeler and product alone). Here they have 11 digits, or 9 without the
package. Ten digits without hyphens may be any of the three, so all of them come into question.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from cds_service.codes import ATC, NDC, RXNORM, SNOMED

BELIEF = (RXNORM, NDC, SNOMED, ATC)
"""A product's own code is believed before a class or a substance."""

_ALIASES = {
    RXNORM: RXNORM,
    NDC: NDC,
    SNOMED: SNOMED,
    ATC: ATC,
    "urn:oid:2.16.840.1.113883.6.88": RXNORM,
    "urn:oid:2.16.840.1.113883.6.69": NDC,
    "urn:oid:2.16.840.1.113883.6.96": SNOMED,
    "urn:oid:2.16.840.1.113883.6.73": ATC,
}
_SEGMENTS = (5, 4, 2)
_TEN_DIGITS = ((4, 4, 2), (5, 3, 2), (5, 4, 1))


def system_of(uri: str) -> str:
    """The system that `uri` names, as `codes.py` writes it; empty where it names none of drugs.

    >>> system_of("http://snomed.info/sct/731000124108")
    'http://snomed.info/sct'
    """
    bare = uri.strip().rstrip("/")
    return SNOMED if bare.startswith(f"{SNOMED}/") else _ALIASES.get(bare, "")


def forms_of(system: str, code: str) -> tuple[str, ...]:
    """The code as it is looked up, in each form that it may stand for; empty where it is no code of `system`.

    >>> forms_of(NDC, "0071-0155-23"), forms_of(NDC, "00071-0155")
    (('00071015523',), ('000710155',))
    """
    return _FORMS[system](code.strip()) if system in _FORMS else ()


def _matching(pattern: str) -> Callable[[str], tuple[str, ...]]:
    expected = re.compile(pattern, re.ASCII)
    return lambda code: (code.upper(),) if expected.fullmatch(code.upper()) else ()


def _ndc(code: str) -> tuple[str, ...]:
    parts = code.split("-")
    if not all(part.isascii() and part.isdecimal() for part in parts):
        return ()
    if len(parts) in (2, 3):
        return _padded(parts)
    if len(parts) > 3:
        return ()
    if len(code) == 12 and code.startswith("0"):  # as the Veterans Administration writes them, 6-4-2
        return (code[1:],)
    if len(code) == 11:
        return (code,)
    return tuple(dict.fromkeys(_padded(_cut(code, cut))[0] for cut in _TEN_DIGITS)) if len(code) == 10 else ()


def _padded(parts: list[str]) -> tuple[str, ...]:
    lengths = tuple(len(part) for part in parts)
    if any(found > most for found, most in zip(lengths, _SEGMENTS, strict=False)):
        return ()
    if sum(lengths) < sum(_SEGMENTS[: len(parts)]) - 1:
        return ()  # more than one digit short is no National Drug Code
    return ("".join(part.zfill(most) for part, most in zip(parts, _SEGMENTS, strict=False)),)


def _cut(code: str, lengths: tuple[int, int, int]) -> list[str]:
    first, second, _ = lengths
    return [code[:first], code[first : first + second], code[first + second :]]


_FORMS: Mapping[str, Callable[[str], tuple[str, ...]]] = {
    RXNORM: _matching(r"\d{1,8}"),
    NDC: _ndc,
    SNOMED: _matching(r"\d{6,18}"),
    ATC: _matching(r"[A-Z]\d\d[A-Z]{2}\d\d"),
}
