"""The kinds of load, each a `Part`: what is done, what is told of it, and whether that is what we want."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Figures = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Extent:
    """How long the longer parts take."""

    highest_s: float
    """At the highest rate."""
    soak_minutes: float


@dataclass(frozen=True, slots=True)
class Part:
    """`measure` gets an empty folder."""

    title: str
    measure: Callable[[Path, Extent], Figures]
    told: str
    """With the names of figures in braces."""
    is_met: Callable[[Figures], bool]
    need: Callable[[], object] = lambda: None
    """Raises SystemExit that says what to install."""
