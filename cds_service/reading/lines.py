"""The lines of a report's free text, those that are only wrapped put together again."""

from __future__ import annotations

import re
from collections.abc import Callable

from cds_service.reading.shapes import TOO_LONG, clean

_BREAKS = re.compile(r"[\r\n]+")
_GOES_ON = re.compile(r"(?:[,:]|\b(?:and|or|of|the|not|no|nor|for|with|without|in|neither|either))$", re.IGNORECASE)
_LAST_WORD = 12
"""Characters in which such a word ends a line."""
BULLET = re.compile(r"^[^\w(]+")
LABEL = re.compile(r"[^:]{1,40}:(?:\s|$)")
"""What names that which follows: `Ki-67: 20 %`."""


def lines_of(text: object, is_new: Callable[[str, str], bool]) -> list[str]:
    """The lines of a text. One is new where the line before it does not leave off in the middle and `is_new` says so
    of that line and of itself; else it goes on with that line, which may become long: `is_new` looks at it last. None
    of a text that is too long to be read."""
    found: list[str] = []
    written = text if isinstance(text, str) and clean(text) != TOO_LONG else ""
    for line in filter(None, map(clean, _BREAKS.split(written))):
        if not found or (not goes_on(found[-1]) and is_new(found[-1], line)):
            found.append(line)
        else:
            found[-1] = f"{found[-1]} {line}"
    return found


def goes_on(line: str) -> bool:
    """Whether a line leaves off in the middle."""
    return _GOES_ON.search(line[-_LAST_WORD:]) is not None
