"""Faults of the field, put into the readings of a year; each is remembered with its span."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from benchmarks.settled_site import Column, Sent
from commonwatt.domain.findings import FindingRule as Rule

HOUR, DAY = 4, 96
"""Readings."""
RANGE_MWH = 10**10
"""Registers count to 9,999.999 kWh."""
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
    it happens by itself. ``share`` is how often it is drawn.
    """

    name: str
    length: int
    rules: frozenset[Rule]
    share: int = 3
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
        rules=frozenset({Rule.INDEX_OUT_OF_ORDER, Rule.SERIAL_CHANGED}),
        spoil=_foreign,
    ),
    Kind(
        name="exchange, serial told, lower start",
        length=2,
        rules=frozenset({Rule.SERIAL_CHANGED}),
        spoil=_exchange(lower=True, told=True),
        share=1,
    ),
    Kind(
        name="exchange, serial told, higher start",
        length=2,
        rules=frozenset({Rule.SERIAL_CHANGED}),
        spoil=_exchange(lower=False, told=True),
        share=1,
    ),
    Kind(
        name="exchange, no serial, lower start",
        length=2,
        rules=frozenset({Rule.INDEX_BREAK}),
        spoil=_exchange(lower=True, told=False),
        share=1,
    ),
    Kind(
        name="exchange, no serial, higher start",
        length=2,
        rules=frozenset({Rule.POWER_ABOVE_LIMIT}),
        spoil=_exchange(lower=False, told=False),
        share=1,
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
    drawn = meter.random.choice(len(KINDS), count, p=shares / shares.sum())
    room = len(meter.stamps) - sum(KINDS[each].length + _APART for each in drawn) - _APART
    assert room > 0, "so many faults do not fit into the year"
    edges = np.sort(meter.random.integers(0, room, count))
    at, placed = _APART, list[tuple[Kind, range]]()
    for each, edge, before in zip(drawn, edges, (0, *edges[:-1]), strict=True):
        at += int(edge - before)
        placed.append((KINDS[each], range(at, at + KINDS[each].length)))
        at = placed[-1][1].stop + _APART
    # Exchanges first: they move what follows. Then the registers run over, then readings go wrong.
    _spoil(meter, [each for each in placed if each[0].name.startswith("exchange")])
    _roll_over(meter)
    _spoil(meter, [each for each in placed if not each[0].name.startswith("exchange")])


def _spoil(meter: FaultyMeter, placed: Sequence[tuple[Kind, range]]) -> None:
    for kind, here in placed:
        if kind.spoil is not None and _is_visible(kind, meter, here):
            kind.spoil(meter, here)
            meter.note(kind.name, here[0], here[-1])


def _roll_over(meter: FaultyMeter) -> None:
    rounds = meter.values // RANGE_MWH
    meter.values %= RANGE_MWH
    for before in np.flatnonzero(rounds[1:] > rounds[:-1]).tolist():
        seam = meter.serials[before] != meter.serials[before + 1]
        jump = any(f.start_at == int(meter.stamps[before]) for f in meter.faults)
        if not seam and not jump:
            meter.note(ROLLOVER.name, before, before + 1)
