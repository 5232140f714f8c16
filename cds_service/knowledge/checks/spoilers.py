"""What bears on results from outside, spoilers, faults of samples and family history, names what exists."""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.knowledge.base import Knowledge
from cds_service.knowledge.checks.codes import states_named
from cds_service.knowledge.schema import ResultSpoiler
from cds_service.model import Trust

_KINDS = frozenset({"gene", "genotype", "germline", "hla"})


def spoiler_problems(knowledge: Knowledge) -> Iterator[str]:
    """The problems of all spoilers and family priors, a line each."""
    yield from _family_problems(knowledge)
    yield from _fault_problems(knowledge)
    methods = {test.method for test in knowledge.tests.values()}
    for spoiler in knowledge.spoilers:
        yield from (f"spoiler {spoiler.id}: {told}" for told in _problems(spoiler, methods, knowledge))


def _problems(spoiler: ResultSpoiler, methods: set[str], knowledge: Knowledge) -> Iterator[str]:
    for marker in spoiler.markers:
        states = states_named(marker, knowledge)
        if marker not in _KINDS and not states:
            yield f"{marker} is no gene or HLA marker that is known"
        named = {*spoiler.may_hide, *(state for hidden in spoiler.may_hide.values() for state in hidden)}
        if states:
            yield from (f"{marker} has no state {state!r}" for state in sorted(named - states))
    if spoiler.may_hide and not _KINDS.isdisjoint(spoiler.markers):
        yield "states are named for a kind of markers: they would not be those of each"
    for key in (*spoiler.conditions, *spoiler.unless):
        if key not in knowledge.conditions:
            yield f"condition {key!r} is not known"
    yield from (
        f"{key!r} goes on and is none of its conditions" for key in spoiler.ongoing if key not in spoiler.conditions
    )
    if not spoiler.conditions:
        yield "no condition sets it going"
    yield from (f"no test has the method {m!r}" for m in spoiler.methods if m and m not in methods)


def _fault_problems(knowledge: Knowledge) -> Iterator[str]:
    for fault in knowledge.sample_faults.values():
        where = f"sample fault {fault.id}"
        touched = {*fault.raises, *fault.lowers}
        yield from (f"{where}: {i} is no observable" for i in sorted(touched - knowledge.observables.keys()))
        if fault.trust is Trust.RECALLED:
            yield f"{where}: recalled; it takes back warnings, and that wants a source"
        if not (touched and (fault.words or fault.codes)):
            yield f"{where}: nothing says it, or it touches no observable"


def _family_problems(knowledge: Knowledge) -> Iterator[str]:
    for prior in knowledge.family_priors:
        where = f"family prior {prior.id}"
        unknown = (marker for marker in prior.markers if not states_named(marker, knowledge))
        yield from (f"{where}: {marker} is no gene or HLA marker that is known" for marker in unknown)
        missing = (key for key in prior.conditions if key not in knowledge.conditions)
        yield from (f"{where}: condition {key!r} is not known" for key in missing)
        if prior.share_up_to is not None and not 0 < prior.share_up_to <= 1:
            yield f"{where}: share {prior.share_up_to}; expected more than 0 and at most 1"
