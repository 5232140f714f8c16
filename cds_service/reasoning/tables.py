"""One table held against one order: which markers are open, and what each assignment of states makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import product

from cds_service.knowledge.rows import TableRows
from cds_service.knowledge.schema import Row, Table
from cds_service.model import (
    NO_RESULT,
    Action,
    Advice,
    Grade,
    Indeterminate,
    MarkerView,
    Option,
    ResultingOrder,
    is_of_tumour,
    name_of,
)
from cds_service.policy import Policy
from cds_service.reasoning.apply import AS_DRAFTED, apply
from cds_service.reasoning.context import Context, Gathered
from cds_service.reasoning.measures import is_measured, measured
from cds_service.reasoning.modifiers import Shift, shift_of, shifted
from cds_service.reasoning.said_of_tumours import is_of_gene
from cds_service.reasoning.states import knowledge_of, possible
from cds_service.reasoning.tumours import of_tumour

Assignment = tuple[str, ...]
"""One state a marker, in the order of `Situation.markers`."""

NO_ADVICE = Advice((Option(Action.NO_RECOMMENDATION),))


@dataclass(frozen=True, slots=True)
class Reached:
    """What one assignment leads to."""

    row: Row | None
    resulting: ResultingOrder

    @property
    def advice(self) -> Advice:
        """The row's advice; no advice where no row answers."""
        return self.row.advice if self.row is not None else NO_ADVICE


@dataclass(frozen=True, slots=True)
class Situation:
    """A table with what is known of each of its markers for this order."""

    table: Table
    context: Context
    markers: tuple[str, ...]
    views: tuple[MarkerView, ...]
    domains: tuple[frozenset[str], ...]
    """The states left for each marker after spoilers and modifiers."""
    reached: Mapping[Assignment, Reached]
    """Every assignment of the states left."""
    literal: Row | None
    """The row for exactly what is known: states, `Indeterminate` and `No Result` tokens."""
    shifts: Mapping[str, Shift]

    def view(self, marker: str) -> MarkerView:
        """The view of one of the table's markers."""
        return self.views[self.markers.index(marker)]

    def moved(self, marker: str, states: frozenset[str]) -> frozenset[str]:
        """Those of a test's states that are left, as they act now: shifted by what is taken."""
        return self.acting(marker, states & possible(self.view(marker).knowledge, states))

    def acting(self, marker: str, states: frozenset[str]) -> frozenset[str]:
        """The marker's states under what is taken."""
        shift = self.shifts.get(marker)
        return states if shift is None else _under(shift, marker, states, self.context)

    def spoken_of(self, marker: str, state: str) -> Reached | None:
        """What the row for this one result, beside exactly what is known of the other markers, makes of the order."""
        place = self.markers.index(marker)
        tokens = [_token(view) for view in self.views]
        rows = self.context.knowledge.rows_by_table[self.table.id]
        row = advising(row_for((*tokens[:place], state, *tokens[place + 1 :]), rows, self.context))
        return None if row is None else Reached(row, _resulting(row, self.context))

    def open_markers(self) -> tuple[str, ...]:
        """Markers with more than one state left."""
        return tuple([m for m, states in zip(self.markers, self.domains, strict=True) if len(states) > 1])


def advising(row: Row | None) -> Row | None:
    """The row, unless it advises nothing."""
    silent = row is None or row.advice.options[0].action in (Action.NO_RECOMMENDATION, Action.USE_OTHER_TEST)
    return None if silent else row


def outcomes_under(shift: Shift, marker: str, situation: Situation) -> frozenset[ResultingOrder]:
    """What could become of the order, were the marker shifted so."""
    place = situation.markers.index(marker)
    moved = _under(shift, marker, situation.domains[place], situation.context)
    domains = (*situation.domains[:place], moved, *situation.domains[place + 1 :])
    rows = situation.context.knowledge.rows_by_table[situation.table.id]
    return frozenset(r.resulting for r in _reached(rows, domains, situation.context).values())


def situation_of(table: Table, context: Context, policy: Policy) -> Situation:
    """The table as it stands for this order and patient."""
    rows = context.knowledge.rows_by_table[table.id]
    shifts = {m: s for m in rows.markers if (s := shift_of(m, context, policy)) is not None}
    views = tuple([_view(m, rows, context, shifts.get(m)) for m in rows.markers])
    domains = tuple([v.effective for v in views])
    literal = row_for(tuple([_token(v) for v in views]), rows, context)
    return Situation(table, context, rows.markers, views, domains, _reached(rows, domains, context), literal, shifts)


def states_if_verified(marker: str, situation: Situation) -> frozenset[str]:
    """The states of a marker that its unverified readings would leave if a clinical laboratory confirmed them."""
    context = situation.context
    trusted = [
        replace(r, grade=Grade.CLINICAL) if r.grade is Grade.UNVERIFIED else r for r in context.patient.readings
    ]
    confirmed = replace(context, patient=replace(context.patient, readings=tuple(trusted)), gathered=Gathered())
    return _view(marker, context.knowledge.rows_by_table[situation.table.id], confirmed, None).effective


def _reached(rows: TableRows, domains: tuple[frozenset[str], ...], context: Context) -> dict[Assignment, Reached]:
    """What each assignment leads to: the same for all that one row answers."""
    found: dict[Assignment, Reached] = {}
    by_row: dict[str | None, Reached] = {}
    for assignment in product(*map(sorted, domains)):
        row = row_for(assignment, rows, context)
        name = row.id if row is not None else None
        if name not in by_row:
            by_row[name] = Reached(row, _resulting(row, context))
        found[assignment] = by_row[name]
    return found


def row_for(tokens: tuple[str, ...], rows: TableRows, context: Context) -> Row | None:
    """The row for the tokens, without what it asks for and is under way already."""
    row = rows.find(tokens)
    if row is None or not any(option.under_way_with for option in row.advice.options):
        return row
    left = tuple([o for o in row.advice.options if not (o.under_way_with and context.takes_of(o.under_way_with))])
    return replace(row, advice=replace(row.advice, options=left))


def _resulting(row: Row | None, context: Context) -> ResultingOrder:
    return AS_DRAFTED if row is None else apply(row.advice, context.order, context.patient.weight_kg)


def _view(marker: str, rows: TableRows, context: Context, shift: Shift | None) -> MarkerView:
    if is_of_tumour(marker) or is_of_gene(marker, context.knowledge):
        return _of_tumour(marker, rows, context)
    view = _measured(marker, rows, context) if is_measured(marker) else _lifelong(marker, rows, context)
    if shift is None:
        return view
    moved = _under(shift, marker, view.effective, context)
    return MarkerView(marker, view.knowledge, moved, shift.drugs, shift.inferred)


def _under(shift: Shift, marker: str, states: frozenset[str], context: Context) -> frozenset[str]:
    return shifted(states, shift, context.knowledge.genes[name_of(marker)])


def _measured(marker: str, rows: TableRows, context: Context) -> MarkerView:
    known = measured(marker, rows.uses[marker], frozenset(rows.states[marker]), context, rows.table)
    return MarkerView(marker, known, possible(known, rows.answered[marker]))


def _of_tumour(marker: str, rows: TableRows, context: Context) -> MarkerView:
    known = of_tumour(marker, rows.uses[marker], rows.answered[marker], context)
    return MarkerView(marker, known, possible(known, rows.answered[marker]))


def _lifelong(marker: str, rows: TableRows, context: Context) -> MarkerView:
    """Of a marker that tables and orders have in common."""
    answered, deferring = rows.answered[marker], rows.deferring[marker]
    views, asked = context.gathered.views, (marker, answered, deferring)
    view = views.get(asked)
    if view is None:
        known = knowledge_of(
            marker, tuple(answered), context.patient, context.knowledge, context.today, deferring=deferring
        )
        view = views[asked] = MarkerView(marker, known, possible(known, answered))
    return view


def _token(view: MarkerView) -> str:
    """How the rows name what is known of the marker."""
    undetermined = isinstance(view.knowledge, Indeterminate) and not view.modified_by
    if len(view.effective) == 1 and not undetermined:
        return next(iter(view.effective))
    return view.knowledge.literal if isinstance(view.knowledge, Indeterminate) else NO_RESULT
