"""The hour that a clock change repeats or leaves out, decided as a whole for each meter of a file.

A file on the wall clock names an hour of autumn twice and one of spring not at all, and portals do
it in ways of their own: by the start or the end of intervals, oldest or newest first, with a
doubled hour or without, with fillers for what does not exist. A single row tells nothing of this;
all labels of the hour together often do. So either the whole hour can be read in one way, or all of
its rows are refused.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.metering.quarter_hours import DAY_S
from commonwatt.domain.metering.zones import offset_changes
from commonwatt.formats.stamps.wall_times import instants_of_wall_times, wall_text

_END_S = 7_258_118_400
"""2200-01-01: what zones do from then on nobody knows."""
_ALIKE_S = 60
"""Labels of the first and the second pass of an hour are as much alike as stamps of intervals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WallStamps:
    """The stamps of a file on a zone's clock, as columns of equal length, in the file's order.

    walls_s: seconds since 1970-01-01 00:00 on that clock. owners: a number for the meter or sensor
    of each row. blank: which rows say 0 or nothing, as rows do that only fill a table.
    """

    walls_s: NDArray[np.int64]
    owners: NDArray[np.int32]
    blank: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Switch:
    """A change of a zone's clock at ``at`` [Unix seconds], from one offset to another [s]."""

    zone: str
    at: int
    offset_before: int
    offset_after: int

    @property
    def first_s(self) -> int:
        """The first wall time that happens twice or never."""
        return self.at + min(self.offset_before, self.offset_after)

    @property
    def end_s(self) -> int:
        """The wall time at which that ends; as the label of an interval's end it is of the hour."""
        return self.at + max(self.offset_before, self.offset_after)

    @property
    def repeats(self) -> bool:
        """Whether the clock went back."""
        return self.offset_after < self.offset_before


def instants_of_stamps(
    stamps: WallStamps, zone: str, *, by_order: bool = False
) -> tuple[NDArray[np.int64], dict[int, str]]:
    """Return Unix seconds of a file's stamps, and what is wrong with others by position (0 there).

    The rows of a repeated hour are told apart by their order where each of its labels is there
    twice, one pass after the other; ``by_order``: also where labels lack, or both of a label stand
    together. Of an hour that is left out, a row counts if its label can only be the instant of the
    change. Else all rows of the hour are faults. Raises `UnknownTimezone`.
    """
    instants, faults = instants_of_wall_times(stamps.walls_s, zone)
    for switch, positions in _of_switches(stamps.walls_s, zone):
        for owner in np.unique(stamps.owners[positions]).tolist():
            of_owner = positions[stamps.owners[positions] == owner]
            hour = _SwitchHour(switch, stamps, owner, of_owner, by_order)
            for position in of_owner.tolist():
                faults.pop(position, None)
            instants[of_owner] = hour.instants
            faults |= {int(of_owner[at]): reason for at, reason in hour.faults.items()}
    return instants, faults


def is_within_switches(walls_s: NDArray[np.int64], zone: str) -> NDArray[np.bool_]:
    """Mark the wall times that belong to an hour which a clock change repeats or leaves out."""
    marked = np.zeros(len(walls_s), np.bool_)
    for _, positions in _of_switches(walls_s, zone):
        marked[positions] = True
    return marked


def _of_switches(walls_s: NDArray[np.int64], zone: str) -> list[tuple[_Switch, NDArray[np.intp]]]:
    """Return the clock changes whose hours have rows, each with the positions of these."""
    known = walls_s[(walls_s >= 0) & (walls_s < _END_S)]
    if not len(known):
        return []
    changes = offset_changes(zone, int(known.min()) - DAY_S, int(known.max()) + DAY_S)
    offsets = changes.utc_offsets.tolist()
    switches = [
        _Switch(zone, at, before, after)
        for at, before, after in zip(
            changes.starts_at[1:].tolist(), offsets[:-1], offsets[1:], strict=True
        )
        if before != after
    ]
    ends = np.array([switch.end_s for switch in switches], np.int64)
    place = np.searchsorted(ends, walls_s)
    firsts = np.array([*(switch.first_s for switch in switches), _END_S], np.int64)
    within = np.flatnonzero((walls_s >= firsts[place]) & (walls_s < _END_S))
    return [
        (switches[number], within[place[within] == number])
        for number in np.unique(place[within]).tolist()
    ]


class _SwitchHour:
    """The rows of one owner in the hour of one switch; ``positions`` are in the file's order.

    ``instants`` and ``faults`` say of each row what it is, or why it is refused.
    """

    def __init__(
        self,
        switch: _Switch,
        stamps: WallStamps,
        owner: int,
        positions: NDArray[np.intp],
        by_order: bool,
    ) -> None:
        self._switch = switch
        self._walls = stamps.walls_s[positions]
        self._blank = stamps.blank[positions]
        self._around = _Around.of(stamps, owner, positions, switch.end_s - switch.first_s)
        self._by_order = by_order
        self.instants = np.zeros(len(positions), np.int64)
        self.faults: dict[int, str] = {}
        only_end = bool((self._walls == switch.end_s).all())
        if only_end and not (switch.repeats and len(positions) > 1):
            # The clock shows the end of the hour once, and nothing here doubts it.
            self.instants[:] = switch.end_s - switch.offset_after
        elif switch.repeats:
            self._repeated()
        else:
            self._left_out()

    def _repeated(self) -> None:
        """Tell both passes of a repeated hour apart, or refuse all of it."""
        second = self._second_pass()
        if second is None:
            once = len(np.unique(self._walls)) == len(self._walls)
            why = "is in the file once" if once else "its rows are not told apart by their order"
            hint = "" if once or self._by_order else ", or import with --repeated-hour by-order"
            self._refuse(f"happens twice in {{zone}} and {why}", hint)
            return
        switch = self._switch
        offsets = np.where(second, switch.offset_after, switch.offset_before)
        self.instants[:] = self._walls - offsets

    def _second_pass(self) -> NDArray[np.bool_] | None:
        """Mark the rows of the second pass; None where it is not certain which they are."""
        around = self._around
        if around.between:
            # Other rows stand amid these: the file has several runs, each with its own hour.
            return None
        oldest_first = np.arange(len(self._walls))
        orders = {True: oldest_first, False: oldest_first[::-1]}
        found = {up: self._pass_after(order) for up, order in orders.items()}
        certain = [up for up, (_, whole) in found.items() if whole]
        if len(certain) == 2:
            # One label a pass fits both ways; the rows beside the hour tell which it is.
            certain = [up for up in certain if around.near and up == around.ascending]
        if certain:
            return found[certain[0]][0]
        if not self._by_order:
            return None
        up = around.ascending is not False
        return self._occurrences(orders[up]) if found[up][0] is None else found[up][0]

    def _pass_after(self, order: NDArray[np.intp]) -> tuple[NDArray[np.bool_] | None, bool]:
        """Split rows where the clock goes back, if it does so once; whether both passes are whole.

        ``order`` puts the rows in the order of time.
        """
        walls = self._walls[order]
        back = np.flatnonzero(np.diff(walls) <= 0)
        if len(back) != 1:
            return None, False
        second = np.zeros(len(walls), np.bool_)
        second[order[back[0] + 1 :]] = True
        before, after = walls[: back[0] + 1], walls[back[0] + 1 :]
        # Labels of starts do not name the end of the hour twice, labels of ends not its beginning.
        ends_twice = before[-1] == after[-1] == self._switch.end_s
        if before[0] == self._switch.first_s < after[0]:
            before = before[1:]
        if after[-1] == self._switch.end_s and not ends_twice:
            after = after[:-1]
        # Nothing but the end twice may be one row twice.
        alike = len(before) == len(after) > 0 and walls[0] < self._switch.end_s
        return second, alike and bool((np.abs(before - after) <= _ALIKE_S).all())

    def _occurrences(self, order: NDArray[np.intp]) -> NDArray[np.bool_] | None:
        """Take the second row of each label for the second pass, if each label has two.

        But not of the hour's first label and its end, of which a file has one.
        """
        second = np.zeros(len(order), np.bool_)
        for wall in np.unique(self._walls).tolist():
            of_label = order[self._walls[order] == wall]
            if len(of_label) == 2:
                second[of_label[1]] = True
            elif len(of_label) == 1 and wall == self._switch.end_s:
                second[of_label[0]] = True
            elif len(of_label) > 2 or wall != self._switch.first_s:
                return None
        return second if second.any() and len(np.unique(self._walls)) < len(order) else None

    def _left_out(self) -> None:
        """Find the row that stands at the change itself; the others name what does not happen."""
        switch = self._switch
        at_change = self._row_at_change()
        if at_change is None:
            self._refuse("does not happen in {zone}")
            return
        self.instants[at_change] = switch.at
        for at in np.flatnonzero(~at_change).tolist():
            label = wall_text(int(self._walls[at]))
            self.faults[at] = f"{label} does not happen in {switch.zone}; the row fills a table"

    def _row_at_change(self) -> NDArray[np.bool_] | None:
        """Mark the row that ends at the change; None where it is not certain which that is.

        The last interval before is labelled by the hour's beginning where labels are of ends, and
        by its end where they are instants. A file with all labels in between has rows that only
        fill the table: those that are blank.
        """
        walls, switch = self._walls, self._switch
        at_first: NDArray[np.bool_] = walls == switch.first_s
        at_end: NDArray[np.bool_] = walls == switch.end_s
        if bool(at_first.all()):
            return at_first
        labels = np.sort(walls)
        steps = np.diff(labels)
        filled = int(at_first.sum()) == int(at_end.sum()) == 1 and bool((steps == steps[0]).all())
        if not filled:
            return None
        if bool(self._blank[~at_end].all()):
            return at_end
        return at_first if bool(self._blank[~at_first].all()) else None

    def _refuse(self, why: str, hint: str = "") -> None:
        """Refuse all rows of the hour."""
        zone = self._switch.zone
        for at, wall in enumerate(self._walls.tolist()):
            says = why.format(zone=zone)
            if wall == self._switch.end_s:
                says = f"ends an hour of which rows are refused: it {says.partition(' and ')[0]}"
            self.faults[at] = f"{wall_text(wall)} {says}; write it in UTC, or its offset{hint}"


@dataclass(frozen=True, slots=True)
class _Around:
    """What stands around the rows of an hour: whether they come oldest first, None if not clear.

    near: whether the nearest row beside them is as near as the hour is long. between: whether
    there are other rows of the same owner amid them.
    """

    ascending: bool | None
    near: bool
    between: bool

    @classmethod
    def of(
        cls, stamps: WallStamps, owner: int, positions: NDArray[np.intp], length_s: int
    ) -> "_Around":
        """Look at the rows of the owner before and after those at ``positions``."""
        of_owner = np.flatnonzero(stamps.owners == owner)
        first, last = np.searchsorted(of_owner, positions[[0, -1]]).tolist()
        before = stamps.walls_s[of_owner[max(0, first - 1) : first]]
        after = stamps.walls_s[of_owner[last + 1 : last + 2]]
        walls_s = stamps.walls_s[positions]
        lowest, highest = int(walls_s.min()), int(walls_s.max())
        up = {*(before < lowest).tolist(), *(after > highest).tolist()}
        beside = np.concatenate((before, after))
        apart = np.maximum(lowest - beside, beside - highest)
        return cls(
            ascending=next(iter(up)) if len(up) == 1 else None,
            near=bool((apart <= length_s).any()),
            between=last - first + 1 > len(positions),
        )
