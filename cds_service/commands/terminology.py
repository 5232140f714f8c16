"""The command `terminology` of the command line: import a release, and tell what an imported file holds."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self, TextIO

from cds_service.commands.arguments import WELL
from cds_service.errors import SettingsError
from cds_service.settings import Settings
from cds_service.terminology.database import CodeDatabase
from cds_service.terminology.importing import import_release
from cds_service.terminology.release import ReleaseFile, find_files

_DEFAULT = Path("terminology.sqlite")
_WIDTH = 30
_REDRAWN_S = 0.1


def add_terminology_command(commands: Any) -> None:
    """Add `terminology import` and `terminology show` to the subparsers of the command line."""
    terminology = commands.add_parser("terminology", help="drug codes of a RxNorm or RxTerms release")
    inner = terminology.add_subparsers(required=True, metavar="COMMAND")
    importing = inner.add_parser("import", help="make the file of drug codes from the release that NLM publishes")
    importing.add_argument("files", nargs="+", type=Path, metavar="FILE", help="the zip, its folder, or its files")
    importing.add_argument("--to", type=Path, metavar="PATH", help=f"CDS_TERMINOLOGY, else {_DEFAULT}")
    importing.set_defaults(run=_import)
    showing = inner.add_parser("show", help="which release a file holds")
    showing.add_argument("file", nargs="?", type=Path, metavar="PATH", help="CDS_TERMINOLOGY where it is left out")
    showing.set_defaults(run=_show)


def _import(chosen: argparse.Namespace) -> int:
    target = chosen.to or Path(os.environ.get("CDS_TERMINOLOGY") or _DEFAULT)
    files = find_files(chosen.files)
    with ProgressBar(files.values(), sys.stderr):
        summary = import_release(files, target, datetime.now(UTC).date())
    counts = ", ".join(f"{count} {what}" for what, count in summary.counts.items())
    sys.stdout.write(f"{summary.path}: {summary.source} {summary.release or '(release not named)'}: {counts}\n")
    return WELL


def _show(chosen: argparse.Namespace) -> int:
    path = chosen.file or Settings.from_environment(os.environ).terminology
    if path is None:
        raise SettingsError("name the file: PATH, or CDS_TERMINOLOGY")
    for key, value in sorted(CodeDatabase(path).meta.items()):
        sys.stdout.write(f"{key}\t{value}\n")
    return WELL


class ProgressBar:
    """One line on a terminal, redrawn as the files are read; nothing where `stream` is no terminal."""

    def __init__(self, files: Iterable[ReleaseFile], stream: TextIO) -> None:
        self._stream = stream
        self._shown = stream.isatty()
        self._total_bytes = 0
        self._read_bytes = 0
        self._drawn_at_s = 0.0
        for file in files:
            self._total_bytes += file.size_bytes
            file.advanced = self._advance

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown:
            self._draw()
            self._stream.write("\n")

    def _advance(self, size_bytes: int) -> None:
        self._read_bytes += size_bytes
        if self._shown and time.monotonic() - self._drawn_at_s > _REDRAWN_S:
            self._drawn_at_s = time.monotonic()
            self._draw()

    def _draw(self) -> None:
        share = min(1.0, self._read_bytes / self._total_bytes) if self._total_bytes else 1.0
        bar = ("#" * round(share * _WIDTH)).ljust(_WIDTH, ".")
        self._stream.write(f"\r[{bar}] {share:4.0%}  {self._read_bytes / 1e6:,.0f} MB read")
        self._stream.flush()
