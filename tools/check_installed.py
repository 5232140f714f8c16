"""Whether an installed `cds-service` answers the fixtures, from a folder of its own and with nothing of this one.

    python -m tools.check_installed COMMAND...

COMMAND starts the command line: a path, or `docker run ... IMAGE`, where the fixtures stand at `/fixtures`.
Prints how many answers were as expected; exits with 1 where one was not.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.support import fixtures

_IN_CONTAINER = Path("/fixtures")
_TIMEOUT_S = 120


def main(command: Sequence[str]) -> int:
    if not command:
        sys.stderr.write("usage: python -m tools.check_installed COMMAND...\n")
        return 2
    names = fixtures.names()
    answers = _answers(command, names)
    wrong = [name for name, found in zip(names, answers, strict=True) if found != fixtures.read("expected", name)]
    sys.stdout.write(f"{len(names) - len(wrong)} of {len(names)} fixtures answered as expected\n")
    sys.stderr.writelines(f"not as expected: {name}\n" for name in wrong)
    return 1 if wrong else 0


def _answers(command: Sequence[str], names: Sequence[str]) -> list[fixtures.Json]:
    """The answers in their normal form, one for each name."""
    executable = Path(command[0])
    own = [str(executable.absolute())] if executable.is_file() else [command[0]]
    folder = _IN_CONTAINER if len(command) > 1 else fixtures.FIXTURES
    files = [str(folder / "requests" / f"{name}.json") for name in names]
    asked = [*own, *command[1:], "answer", "--today", fixtures.TODAY.isoformat(), *files]
    with tempfile.TemporaryDirectory() as elsewhere:
        ran = subprocess.run(  # noqa: S603  the command is the caller's own
            asked, cwd=elsewhere, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
        )
    if ran.returncode:
        raise SystemExit(f"exit code {ran.returncode}: {ran.stderr.strip()}")
    return [fixtures.normalised(json.loads(line)) for line in ran.stdout.splitlines()]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
