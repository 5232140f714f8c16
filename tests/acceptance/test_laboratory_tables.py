"""What every speaking table on a measured marker must keep to, whatever its drug."""

from __future__ import annotations

from collections.abc import Iterator

from cds_service import model
from cds_service.knowledge.schema import Table
from cds_service.model import Action, Timing, Trust
from cds_service.writing import load_wording
from tests.support.world import knowledge

LEAVES_THE_ORDER = frozenset({Action.STANDARD, Action.MONITOR, Action.COUNSEL, Action.NO_RECOMMENDATION})


def speaking(marker: str = "") -> Iterator[Table]:
    """Tables that are not recalled, with this marker where one is named."""
    for table in knowledge().tables.values():
        if table.trust is not Trust.RECALLED and (not marker or marker in table.markers):
            yield table


def test_a_test_that_is_required_before_the_start_can_hold_the_order() -> None:
    """Where every result leaves the order as it is, the engine has nothing to wait for."""
    required = {
        table.id: {row.advice.options[0].action for row in table.rows}
        for table in speaking()
        for marker, use in table.markers.items()
        if marker.startswith(("lab:", "derived:"))
        and use.testing is model.Testing.REQUIRED
        and use.timing is Timing.BEFORE_START
    }
    assert len(required) > 30
    assert [table for table, actions in required.items() if actions <= LEAVES_THE_ORDER] == []


def test_the_assumed_upper_limit_of_alt_is_said_on_the_card() -> None:
    """Sources count in multiples of the laboratory's upper limit, results in U/L: the evidence line, which stands on
    every card, says which limit was assumed."""
    phrases = load_wording().phrases
    tables = list(speaking("lab:alt"))
    assert len(tables) > 5
    assert [t.id for t in tables if "assuming an upper limit of ALT of 40 U/L" not in phrases[t.label]] == []


def test_a_band_says_where_its_values_lie() -> None:
    """A card reads `digoxin level other` and `eGFR severe` as they stand."""
    bands = {(table.id, band) for table in speaking() for use in table.markers.values() for band in use.bands}
    assert len(bands) > 200
    assert [found for found in sorted(bands) if found[1] in {"other", "outside", "mild", "moderate", "severe"}] == []
