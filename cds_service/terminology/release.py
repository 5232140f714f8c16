"""The files of a RxNorm or RxTerms release as NLM publishes them: found in folders and archives, read as streams.

RxNorm's Rich Release Format has no header, one record a line, fields that each end with `|`; RxTerms has a header
and fields separated by `|`. The bytes are hashed as they are read.
"""

from __future__ import annotations

import hashlib
import re
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path, PurePosixPath
from typing import IO

from cds_service.errors import TerminologyError


class Part(Enum):
    """The files that are used: the pattern of their names, and how many fields a record has."""

    CONCEPTS = (r"RXNCONSO\.RRF", 18)
    RELATIONS = (r"RXNREL\.RRF", 16)
    ATTRIBUTES = (r"RXNSAT\.RRF", 13)
    SOURCES = (r"RXNSAB\.RRF", 25)
    ARCHIVE = (r"RXNATOMARCHIVE\.RRF", 16)
    TERMS = (r"RXTERMS\d*\.TXT", 14)
    TERM_INGREDIENTS = (r"RXTERMSINGREDIENTS\d*\.TXT", 3)

    def __init__(self, pattern: str, fields: int) -> None:
        self.pattern = re.compile(pattern)
        self.fields = fields


RXNORM_NEEDS = (Part.CONCEPTS, Part.RELATIONS, Part.ATTRIBUTES)
RXTERMS_NEEDS = (Part.TERMS, Part.TERM_INGREDIENTS)


@dataclass
class ReleaseFile:
    """One file of a release."""

    part: Part
    name: str
    size_bytes: int
    depth: int
    open_stream: Callable[[], IO[bytes]]
    digest: str = ""
    """SHA-256 of the whole content, once `records` has been read to its end."""
    advanced: Callable[[int], None] = field(default=lambda _: None)
    """Told of the bytes read."""

    def records(self) -> Iterator[list[str]]:
        """The fields of each record; RxTerms' header included. Raises TerminologyError at the first line that
        does not have them, or when the file cannot be read to its end.
        """
        digest = hashlib.sha256()
        try:
            with self.open_stream() as stream:
                for number, line in enumerate(stream, start=1):
                    digest.update(line)
                    self.advanced(len(line))
                    yield self._fields(line, number)
        except (OSError, EOFError, zipfile.BadZipFile, zlib.error, RuntimeError) as fault:
            raise TerminologyError(f"{self.name}: cannot be read to its end: {fault}") from fault
        self.digest = digest.hexdigest()

    def _fields(self, line: bytes, number: int) -> list[str]:
        try:
            fields = line.decode("utf-8").rstrip("\r\n").split("|")
        except UnicodeDecodeError as fault:
            raise TerminologyError(f"{self.name}:{number}: not UTF-8") from fault
        is_whole = line.endswith(b"\n") and len(fields) >= self.part.fields
        if not is_whole:
            raise TerminologyError(
                f"{self.name}:{number}: expected a line of {self.part.fields} fields separated by '|', found "
                f"{len(fields)}; is the download complete?"
            )
        return fields


def find_files(paths: Iterable[Path]) -> dict[Part, ReleaseFile]:
    """The files of one release in `paths`: single files, folders that hold them, or the archives as downloaded.
    A full RxNorm release repeats its files for the prescribable subset deeper down; the outer ones count. Raises
    TerminologyError where files are missing, come twice, or come from both RxNorm and RxTerms.
    """
    found: dict[Part, list[ReleaseFile]] = {}
    for path in paths:
        for file in _files_of(path):
            found.setdefault(file.part, []).append(file)
    files = {part: _outermost(candidates) for part, candidates in found.items()}
    needed = _needed(files)
    if missing := [part.pattern.pattern.replace("\\", "") for part in needed if part not in files]:
        raise TerminologyError(f"not found in what was given: {', '.join(missing)}; give all files of one release")
    return files


def _needed(files: dict[Part, ReleaseFile]) -> tuple[Part, ...]:
    is_rxnorm, is_rxterms = any(p in files for p in RXNORM_NEEDS), any(p in files for p in RXTERMS_NEEDS)
    if is_rxnorm and is_rxterms:
        raise TerminologyError("files of RxNorm and of RxTerms were given together; give one of the two")
    if not is_rxnorm and not is_rxterms:
        raise TerminologyError(
            "no file of a RxNorm or RxTerms release was found; expected RXNCONSO.RRF, RXNREL.RRF and RXNSAT.RRF, or "
            "RxTerms*.txt and RxTermsIngredients*.txt, in a folder or in the archive as downloaded"
        )
    return RXNORM_NEEDS if is_rxnorm else RXTERMS_NEEDS


def _outermost(candidates: list[ReleaseFile]) -> ReleaseFile:
    nearest = min(file.depth for file in candidates)
    outer = [file for file in candidates if file.depth == nearest]
    if len(outer) > 1:
        raise TerminologyError(f"found twice: {outer[0].name} and {outer[1].name}; give one release")
    return outer[0]


def _files_of(path: Path) -> Iterator[ReleaseFile]:
    if path.is_dir():
        for inner in sorted(path.rglob("*")):
            if inner.is_file() and (part := _part_of(inner.name)):
                yield _on_disk(inner, part, len(inner.relative_to(path).parts))
    elif not path.is_file():
        raise TerminologyError(f"{path}: no such file or folder")
    elif part := _part_of(path.name):
        yield _on_disk(path, part, 1)
    elif zipfile.is_zipfile(path):
        yield from _in_archive(path)
    else:
        raise TerminologyError(f"{path.name}: neither a file of RxNorm or RxTerms nor a zip archive of them")


def _on_disk(path: Path, part: Part, depth: int) -> ReleaseFile:
    return ReleaseFile(part, path.name, path.stat().st_size, depth, lambda: path.open("rb"))


def _in_archive(path: Path) -> Iterator[ReleaseFile]:
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
    for entry in entries:
        inner = PurePosixPath(entry.filename)
        if not entry.is_dir() and (part := _part_of(inner.name)):
            yield ReleaseFile(part, inner.name, entry.file_size, len(inner.parts), _opener(path, entry.filename))


def _opener(path: Path, inner: str) -> Callable[[], IO[bytes]]:
    def open_entry() -> IO[bytes]:
        with zipfile.ZipFile(path) as archive:  # stays open for as long as the entry is
            return archive.open(inner)

    return open_entry


def _part_of(name: str) -> Part | None:
    return next((part for part in Part if part.pattern.fullmatch(name.upper())), None)
