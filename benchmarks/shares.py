"""Where the CPU time of a call goes, by package: the whole application in this process, its stack looked at every few
milliseconds of CPU time. That slows nothing down, whereas a profiler makes small functions look dear.

    python -m benchmarks.shares [SECONDS]
"""

from __future__ import annotations

import signal
import sys
import sysconfig
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType

from benchmarks import report
from benchmarks.body import another, content
from benchmarks.scaling import called
from benchmarks.servers import PROJECT
from cds_service.answer import load_service

_EVERY_S = 0.002
_OURS = PROJECT / "cds_service"
_LIBRARIES = Path(sysconfig.get_path("purelib"))
_DRIVERS = PROJECT / "benchmarks"

Shares = Mapping[str, tuple[float, float]]
"""By package: its share with all that it calls for itself, and the share of its own lines."""


def measure(folder: Path, seconds: float) -> Shares:
    """Looked at for so many seconds, after as many calls as fill what is remembered."""
    with called(folder, load_service()) as call:
        for number in range(200):
            call(another(content(), number))
        with _looked_at() as stacks:
            _call_for(call, seconds)
    return shares(stacks)


def _call_for(call: Callable[[bytes], None], seconds: float) -> None:
    until_s, number = time.monotonic() + seconds, 1000
    while time.monotonic() < until_s:
        call(another(content(), number))
        number += 1


@contextmanager
def _looked_at() -> Iterator[list[tuple[str, ...]]]:
    """The file names of each stack that was seen, the innermost first."""
    stacks: list[tuple[str, ...]] = []
    before = signal.signal(signal.SIGPROF, lambda _signal, frame: stacks.append(tuple(_files(frame))))
    signal.setitimer(signal.ITIMER_PROF, _EVERY_S, _EVERY_S)
    try:
        yield stacks
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _files(frame: FrameType | None) -> Iterator[str]:
    while frame is not None:
        yield frame.f_code.co_filename
        frame = frame.f_back


def shares(stacks: Iterable[tuple[str, ...]]) -> Shares:
    """Shares by package, the largest first. The innermost frame has its own lines; with what it calls for itself, a
    stack belongs to our innermost package in it, else to the outermost library but the one that everything runs in.
    """
    own: Counter[str] = Counter()
    whole: Counter[str] = Counter()
    for stack in stacks:
        packages = [package(file) for file in stack if not file.startswith(str(_DRIVERS))]
        if packages:
            own[packages[0]] += 1
            whole[_answerable(packages)] += 1
    count = own.total() or 1
    return {name: (whole[name] / count, own[name] / count) for name, _ in (whole + own).most_common()}


def _answerable(packages: list[str]) -> str:
    return next((name for name in packages if name.startswith(_OURS.name)), packages[0])


def package(file: str) -> str:
    """`cds_service/reading`, `flask`, `cards` (the templates), or the standard library.

    >>> package("<string>")
    'standard library'
    """
    path = Path(file)
    if path.is_relative_to(_OURS):
        return "/".join((_OURS.name, *path.relative_to(_OURS).parts[:1]))
    if path.is_relative_to(_LIBRARIES):
        return path.relative_to(_LIBRARIES).parts[0].removesuffix(".py")
    if path.is_relative_to(PROJECT / "cards"):
        return "cards"
    return "standard library"


def main() -> None:
    """Print the shares."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    with TemporaryDirectory() as folder:
        print(*report.shares(measure(Path(folder), seconds)), sep="\n")


if __name__ == "__main__":
    main()
