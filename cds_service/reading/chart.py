"""What every reader needs beside the resource in hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from cds_service.memory import Memory
from cds_service.model import DrugIndex, Unconfirmed
from cds_service.reading.lexicon import Lexicon
from cds_service.reading.records import Record, References


class Source(NamedTuple):
    """Where a result comes from: the laboratory's name, and why it may not be relied on."""

    laboratory: str
    why_unverified: Unconfirmed


@dataclass(frozen=True, slots=True)
class Chart:
    """The screened records of one request and the means to read them."""

    records: tuple[Record, ...]
    references: References
    lexicon: Lexicon
    index: DrugIndex
    today: date
    catalogue: Mapping[str, tuple[str, ...]]
    """Local order code of the site's test catalogue -> markers."""
    medicines: Memory[bytes, Any] = field(default_factory=Memory)
    """What medicines say by themselves, by their content."""
    namings: dict[int, object] = field(default_factory=dict)
    """How each resource itself names its gene, by its identity: panels ask for it again and again."""

    sources: dict[bytes, Source] = field(default_factory=dict)
    """Where results come from, by the elements that say so: the same stand in many results of one request."""

    def of_kind(self, *kinds: str) -> tuple[Record, ...]:
        """Records of these resource types."""
        return tuple(record for record in self.records if record.kind in kinds)
