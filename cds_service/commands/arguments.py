"""What the commands of `cds-service` have in common: exit codes, and how an argument is read."""

from __future__ import annotations

import argparse
from datetime import date

WELL, PROBLEMS, USAGE = 0, 1, 2
"""Exit codes: well; problems were found, or something is missing of what was asked for; wrong usage or input."""


def day(text: str) -> date:
    """The date of an argument. Raises ArgumentTypeError.

    >>> day("2026-11-25")
    datetime.date(2026, 11, 25)
    """
    try:
        return date.fromisoformat(text)
    except ValueError as fault:
        raise argparse.ArgumentTypeError(f"expected a date YYYY-MM-DD, found {text!r}") from fault
