"""One point in time that everything done for a request has to keep."""

from __future__ import annotations

import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Deadline:
    """`at_s` is a reading of the monotonic clock."""

    at_s: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        return cls(time.monotonic() + seconds)

    def remaining_s(self) -> float:
        """Seconds left; zero when it has passed."""
        return max(0.0, self.at_s - time.monotonic())

    def has_passed(self) -> bool:
        return self.remaining_s() == 0.0
