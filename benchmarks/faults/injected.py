"""Faults of the field, put into the readings of a year; each is remembered with its span."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from benchmarks.site.settled_site import Column, Sent
from commonwatt.domain.metering.findings import FindingRule as Rule

HOUR, DAY = 4, 96
"""Readings."""
RANGE_MWH = 10**10
"""Registers count to 9,999.999 kWh."""
_YEAR_2000_AT = 946_684_800
_STAMP_OF_2000 = "stamp of 2000"
_SWAPPED = "two readings swapped, an hour apart"
_APART = 48
"""Readings without a fault between two faults: more than verdicts look at."""


@dataclass(frozen=True, slots=True)
class Injected:
    """A fault of a meter over [start, end] [Unix seconds], both inclusive."""

    kind: str
    meter: int
    start_at: int
    end_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of fault: how many readings it concerns, and the rules that have to find it.

    ``spoil`` is given the readings by position, of which the first and the last stay right; None:
    it happens by itself. ``share`` is how often it is drawn, 0: once a meter. ``moves_rest``: all
    readings that follow are others too.
    """

    name: str
    length: int
    rules: frozenset[Rule]
    share: int = 3
    moves_rest: bool = False
    spoil: Callable[["FaultyMeter", range], None] | None


@dataclass
class FaultyMeter:
    """The readings of one meter while faults are put into them, by position."""

    number: int
    stamps: Column
    values: Column
    other: Column
    random: np.random.Generator
    kept: NDArray[np.bool_] = field(init=False)
    serials: NDArray[np.int16] = field(init=False)
    faults: list[Injected] = field(default_factory=list)
    again: list[tuple[int, int]] = field(default_factory=list)
    more: list[tuple[int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.kept = np.ones(len(self.stamps), np.bool_)
        self.serials = np.zeros(len(self.stamps), np.int16)

    def note(self, kind: str, first: int, last: int) -> None:
        """Remember a fault of the readings [first, last]."""
        self.faults.append(
            Injected(kind, self.number, int(self.stamps[first]), int(self.stamps[last]))
        )

    def sent(self) -> Sent:
        """The readings as they are delivered."""
        kept = self.kept
        return Sent(stamps=self.stamps[kept], values=self.values[kept], serials=self.serials[kept])

    def sent_more(self) -> Sent:
        """The readings at instants of their own, and the last one again, in one delivery."""
        last = np.flatnonzero(self.kept)[-1]
        more = [*self.more, (int(self.stamps[last]), int(self.values[last]))]
        stamps, values = (np.array(column, np.int64) for column in zip(*more, strict=True))
        return Sent(stamps=stamps, values=values)

    def sent_again(self) -> Sent:
        """The duplicates with other values, in a delivery of their own."""
        positions = np.array([position for position, _ in self.again], np.int64)
        values = np.array([value for _, value in self.again], np.int64)
        return Sent(stamps=self.stamps[positions], values=values, serials=self.serials[positions])


def _gap(meter: FaultyMeter, here: range) -> None:
    meter.kept[here[1:-1]] = False


def _spike(meter: FaultyMeter, here: range) -> None:
    meter.values[here[1]] += _drawn_mwh(meter)


def _dip(meter: FaultyMeter, here: range) -> None:
    value = int(meter.values[here[1]])
    meter.values[here[1]] = max(1, value - _drawn_mwh(meter))


def _drawn_mwh(meter: FaultyMeter) -> int:
    """0.5 to 1,000 kWh, every order of size alike."""
    return int(10 ** meter.random.uniform(5.7, 9))


def _zeros(meter: FaultyMeter, here: range) -> None:
    count = int(meter.random.integers(1, len(here) - 1))
    meter.values[here[1 : 1 + count]] = 0


def _swap(meter: FaultyMeter, here: range) -> None:
    pair = [here[1], here[-2]]
    meter.values[pair] = meter.values[pair[::-1]]


def _is_visible(kind: Kind, meter: FaultyMeter, here: range) -> bool:
    """Whether there is anything to see: equal readings may be swapped without a trace."""
    return kind.name != _SWAPPED or bool(meter.values[here[1]] != meter.values[here[-2]])


def _foreign(meter: FaultyMeter, here: range) -> None:
    meter.values[here[1:-1]] = meter.other[here[1:-1]]


def _exchange(lower: bool, told: bool) -> Callable[[FaultyMeter, range], None]:
    """From a reading on another device counts, from less or from more, with or without serial."""

    def spoil(meter: FaultyMeter, here: range) -> None:
        before = int(meter.values[here[0]]) % RANGE_MWH
        start = int(meter.random.integers(0, max(1, before // 2)))
        if not lower:
            start = int(meter.random.integers(before, RANGE_MWH))
        meter.values[here[1] :] += start - before
        if told:
            meter.serials[here[1] :] += 1

    return spoil


def _duplicate(meter: FaultyMeter, here: range) -> None:
    value = int(meter.values[here[1]])
    meter.again.append((here[1], value + int(meter.random.integers(1, 20_000))))


def _few_foreign(meter: FaultyMeter, here: range) -> None:
    count = int(meter.random.integers(2, len(here) - 1))
    meter.values[here[1 : 1 + count]] = meter.other[here[1 : 1 + count]]


def _begin_again(meter: FaultyMeter, here: range) -> None:
    """Four times the counter begins again, as each session or day, and shows 1 Wh at once."""
    for at in here[1 : -1 : (len(here) - 2) // 4][:4]:
        meter.values[at:] -= meter.values[at - 1] - 1_000


def _unusual_step(meter: FaultyMeter, here: range) -> None:
    """All at once what 150 of the highest quarter-hours count."""
    meter.values[here[1] :] += 150 * int(np.diff(meter.other).max())


def _clock_of_2000(meter: FaultyMeter, here: range) -> None:
    """A reading once more, with a stamp of the first of January 2000."""
    stamp = _YEAR_2000_AT + 60 * len(meter.more) + int(meter.random.integers(60))
    meter.more.append((stamp, int(meter.values[here[1]])))
    meter.faults.append(Injected(_STAMP_OF_2000, meter.number, stamp, stamp))


KINDS = (
    Kind(name="gap, 3 h", length=3 * HOUR + 1, rules=frozenset({Rule.GAP}), spoil=_gap),
    Kind(name="gap, 12 h", length=12 * HOUR + 1, rules=frozenset({Rule.GAP}), spoil=_gap),
    Kind(name="gap, 2 days", length=2 * DAY + 1, rules=frozenset({Rule.GAP}), spoil=_gap, share=1),
    Kind(
        name="gap, 10 days", length=10 * DAY + 1, rules=frozenset({Rule.GAP}), spoil=_gap, share=1
    ),
    Kind(
        name="spike, 0.5 to 1,000 kWh",
        length=3,
        rules=frozenset({Rule.INDEX_OUT_OF_ORDER}),
        spoil=_spike,
    ),
    Kind(
        name="dip, 0.5 to 1,000 kWh",
        length=3,
        rules=frozenset({Rule.INDEX_OUT_OF_ORDER}),
        spoil=_dip,
    ),
    Kind(
        name="placeholder zeros, 1 to 12",
        length=14,
        rules=frozenset({Rule.ZERO_AFTER_POSITIVE}),
        spoil=_zeros,
    ),
    Kind(
        name=_SWAPPED,
        length=7,
        rules=frozenset({Rule.INDEX_OUT_OF_ORDER}),
        spoil=_swap,
    ),
    Kind(
        name="8 readings of another meter",
        length=10,
        rules=frozenset({Rule.INDEX_OUT_OF_ORDER, Rule.INDEX_BREAK, Rule.SERIAL_CHANGED}),
        spoil=_foreign,
    ),
    Kind(
        name="2 to 4 readings of another meter",
        length=6,
        rules=frozenset({Rule.INDEX_BREAK, Rule.INDEX_OUT_OF_ORDER, Rule.SERIAL_CHANGED}),
        spoil=_few_foreign,
    ),
    Kind(
        name="counter that begins again, four times",
        length=DAY + 2,
        rules=frozenset({Rule.INDEX_BREAK}),
        spoil=_begin_again,
        share=0,
        moves_rest=True,
    ),
    Kind(
        name="step of 150 highest quarter-hours",
        length=2,
        rules=frozenset({Rule.UNUSUAL_STEP, Rule.POWER_ABOVE_LIMIT, Rule.CATCH_UP}),
        spoil=_unusual_step,
        share=0,
        moves_rest=True,
    ),
    Kind(
        name=_STAMP_OF_2000,
        length=3,
        rules=frozenset({Rule.STAMP_FAR_BEFORE}),
        spoil=_clock_of_2000,
        share=1,
    ),
    Kind(
        name="exchange, serial told, lower start",
        length=2,
        rules=frozenset({Rule.SERIAL_CHANGED}),
        spoil=_exchange(lower=True, told=True),
        share=1,
        moves_rest=True,
    ),
    Kind(
        name="exchange, serial told, higher start",
        length=2,
        rules=frozenset({Rule.SERIAL_CHANGED}),
        spoil=_exchange(lower=False, told=True),
        share=1,
        moves_rest=True,
    ),
    Kind(
        name="exchange, no serial, lower start",
        length=2,
        rules=frozenset({Rule.INDEX_BREAK}),
        spoil=_exchange(lower=True, told=False),
        share=1,
        moves_rest=True,
    ),
    Kind(
        name="exchange, no serial, higher start",
        length=2,
        rules=frozenset({Rule.POWER_ABOVE_LIMIT, Rule.CATCH_UP, Rule.UNUSUAL_STEP}),
        spoil=_exchange(lower=False, told=False),
        share=1,
        moves_rest=True,
    ),
    Kind(
        name="duplicate with another value",
        length=3,
        rules=frozenset({Rule.DUPLICATE_READING}),
        spoil=_duplicate,
    ),
)
ROLLOVER = Kind(
    name="rollover at 10,000 kWh",
    length=2,
    rules=frozenset({Rule.ROLLOVER}),
    spoil=None,
)


def inject(meter: FaultyMeter, count: int) -> None:
    """Put faults of all kinds into a meter's readings, apart from each other."""
    shares = np.array([kind.share for kind in KINDS])
    once = np.flatnonzero(shares == 0)
    drawn = meter.random.choice(len(KINDS), count - len(once), p=shares / shares.sum())
    drawn = meter.random.permutation(np.concatenate((drawn, once)))
    room = len(meter.stamps) - sum(KINDS[each].length + _APART for each in drawn) - _APART
    assert room > 0, "so many faults do not fit into the year"
    edges = np.sort(meter.random.integers(0, room, count))
    at, placed = _APART, list[tuple[Kind, range]]()
    for each, edge, before in zip(drawn, edges, (0, *edges[:-1]), strict=True):
        at += int(edge - before)
        placed.append((KINDS[each], range(at, at + KINDS[each].length)))
        at = placed[-1][1].stop + _APART
    # First what moves all that follows. Then the registers run over, then readings go wrong.
    _spoil(meter, [each for each in placed if each[0].moves_rest])
    _roll_over(meter)
    _spoil(meter, [each for each in placed if not each[0].moves_rest])


def _spoil(meter: FaultyMeter, placed: Sequence[tuple[Kind, range]]) -> None:
    for kind, here in placed:
        if kind.spoil is not None and _is_visible(kind, meter, here):
            kind.spoil(meter, here)
            if kind.name != _STAMP_OF_2000:
                meter.note(kind.name, here[0], here[-1])


def _roll_over(meter: FaultyMeter) -> None:
    rounds = meter.values // RANGE_MWH
    meter.values %= RANGE_MWH
    for before in np.flatnonzero(rounds[1:] > rounds[:-1]).tolist():
        seam = meter.serials[before] != meter.serials[before + 1]
        jump = any(f.start_at == int(meter.stamps[before]) for f in meter.faults)
        if not seam and not jump:
            meter.note(ROLLOVER.name, before, before + 1)
