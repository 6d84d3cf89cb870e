"""What a gateway, a careless one, delivers of a meter whose true flows are known.

True flows are mWh (or ml) per quarter-hour. From them come index readings (or interval values),
cut into deliveries, and then the troubles of the field are added, one after the other.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Literal

from tests.oracle.facts import QUARTER_S, Row
from tests.oracle.flows import Flows
from tests.oracle.verdicts import YEAR_2000

Trouble = Literal[
    "jitter",
    "gaps",
    "sparse",
    "outage",
    "duplicates",
    "late",
    "placeholders",
    "estimated",
    "corrections",
    "withdrawn",
    "spikes",
    "resets",
    "zeros",
    "wild_stamps",
    "half_rows",
    "rollovers",
    "exchanges",
    "serials",
    "silent",
    "finer",
    "totals",
    "twins",
]
TROUBLES: tuple[Trouble, ...] = Trouble.__args__  # type: ignore[attr-defined]

HOUR_S, DAY_S = 3600, 86400
GAPS_S = (HOUR_S, 2 * HOUR_S, 2 * HOUR_S + 1, 5 * HOUR_S, 26 * HOUR_S, 26 * HOUR_S + 900)
SILENCES_S = (27 * HOUR_S, 40 * DAY_S, 399 * DAY_S, 400 * DAY_S, 400 * DAY_S + 1, 402 * DAY_S)


OUTAGES_S = (3 * HOUR_S, 9 * HOUR_S, DAY_S, 3 * DAY_S + 450, 9 * DAY_S, 40 * DAY_S)


@dataclass
class Sending:
    """A delivery that has no number yet."""

    recorded_at: int
    rows: list[Row]
    withdrawn: bool = False


@dataclass(frozen=True)
class Exchange:
    """Another device at an instant: what the old one showed last, and the new one first."""

    at: int
    end_index: Mapping[str, int]
    start_index: Mapping[str, int]


@dataclass
class Gateway:
    """Sends one meter's readings, with the troubles that it was given."""

    random: Random
    flows: Flows
    troubles: frozenset[Trouble]
    interval_s: int | None = None
    cadence_s: int = QUARTER_S
    rows: list[Row] = field(default_factory=list)
    sendings: list[Sending] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)
    begun_anew: list[tuple[int, int]] = field(default_factory=list)
    digits: int | None = None

    def send(self) -> list[Sending]:
        """All deliveries, in no order."""
        self.rows = self._interval_rows() if self.interval_s else self._index_rows()
        spoil: dict[Trouble, Callable[[], None]] = {
            "rollovers": self._roll,
            "exchanges": self._exchange,
            "serials": self._serials,
            "resets": self._reset,
            "spikes": self._spikes,
            "zeros": self._zeros,
            "gaps": self._gaps,
            "sparse": self._silence,
            "outage": self._outage,
            "silent": self._silent,
            "estimated": self._estimated,
            "half_rows": self._half_rows,
            "wild_stamps": self._wild_stamps,
            "twins": self._twins,
        }
        for trouble, add in spoil.items():
            if trouble in self.troubles:
                add()
        self._cut_into_sendings()
        again: dict[Trouble, Callable[[], None]] = {
            "placeholders": self._placeholders,
            "corrections": self._corrections,
            "duplicates": self._duplicates,
            "totals": self._totals,
            "withdrawn": self._withdrawn,
            "late": self._late,
        }
        for trouble, add in again.items():
            if trouble in self.troubles:
                add()
        return self.sendings

    def _jitter(self, most_s: int) -> int:
        if "jitter" not in self.troubles:
            return 0
        return self.random.choice((0, self.random.randint(-most_s, most_s)))

    def _index_rows(self) -> list[Row]:
        bases = {
            register: self.random.choice((0, 7, self.random.randrange(10**12)))
            for register in self.flows.energy
        }
        stamps = range(self.flows.first_at, self.flows.last_at + 1, self.cadence_s)
        jittered = sorted({stamp + self._jitter(20) for stamp in stamps})
        return [
            Row(at, {r: self.flows.index(r, base, at) for r, base in bases.items()})
            for at in jittered
        ]

    def _interval_rows(self) -> list[Row]:
        """One value for each whole interval, stamped near its end."""
        assert self.interval_s is not None
        quarters = self.interval_s // QUARTER_S
        offset = self.random.randrange(quarters)
        rows = []
        length = len(next(iter(self.flows.energy.values())))
        for first in range(offset, length - quarters + 1, quarters):
            end = self.flows.first_at + QUARTER_S * (first + quarters)
            values = {
                register: sum(energy[first : first + quarters])
                for register, energy in self.flows.energy.items()
            }
            rows.append(Row(end + self._jitter(65), values))
        return self._finer(rows) if "finer" in self.troubles else rows

    def _finer(self, rows: list[Row]) -> list[Row]:
        """Some stretches in finer intervals, of which now and then one is lost."""
        assert self.interval_s is not None
        lengths = [s for s in (60, 300, 900, 1800) if s < self.interval_s]
        found: list[Row] = []
        while rows:
            count = self.random.choice((1, 2, 3, 9))
            stretch, rows = rows[:count], rows[count:]
            finer_s = self.random.choice((None, *lengths))
            for row in stretch:
                found += [row] if finer_s is None else self._split(row, finer_s)
        lost = self.random.choice((0, 0.02, 0.3))
        kept = [row for row in found if self.random.random() >= lost]
        return sorted({row.stamp: row for row in kept or found}.values(), key=lambda r: r.stamp)

    def _split(self, row: Row, finer_s: int) -> list[Row]:
        assert self.interval_s is not None
        parts = self.interval_s // finer_s
        return [
            Row(
                row.stamp - finer_s * (parts - number),
                {r: v * number // parts - v * (number - 1) // parts for r, v in row.values.items()},
            )
            for number in range(1, parts + 1)
        ]

    def _position(self) -> int:
        return self.random.randrange(len(self.rows))

    def _stretch(self) -> range:
        """The positions of a random run of rows, mostly a short one."""
        first = self._position()
        longest = self.random.choice((1, 2, 5, 20, 60))
        return range(first, min(len(self.rows), first + self.random.randint(1, longest)))

    def _raise(self, position: int, by_mwh: int) -> None:
        row = self.rows[position]
        values = {register: max(0, value + by_mwh) for register, value in row.values.items()}
        self.rows[position] = replace(row, values=values)

    def _reset(self) -> None:
        """From some reading on the index counts from (nearly) nothing, for ever or for a while."""
        position = self._position()
        lost = min(self.rows[position].values.values()) - self.random.choice((0, 0, 5000))
        until = self.random.choice((len(self.rows), position + self.random.randint(1, 30)))
        self.begun_anew.append(self._stamps_around(position))
        for spoiled in range(position, min(len(self.rows), until)):
            self._raise(spoiled, -max(0, lost))

    def _stamps_around(self, position: int) -> tuple[int, int]:
        return self.rows[max(0, position - 1)].stamp, self.rows[position].stamp

    def _roll(self) -> None:
        """The register has few digits and runs over them at some reading."""
        position, self.digits = self._position(), self.random.choice((4, 4, 5))
        size = 10 ** (self.digits + 6)
        turn = self.rows[position]
        self.begun_anew.append(self._stamps_around(position))
        for late, row in enumerate(self.rows):
            values = {r: (value - turn.values[r]) % size for r, value in row.values.items()}
            self.rows[late] = replace(row, values=values)

    def _exchange(self) -> None:
        """Other devices, which begin lower or higher, at instants between readings or at one."""
        for _ in range(self.random.randint(1, 3)):
            position = self.random.randrange(1, len(self.rows)) if len(self.rows) > 1 else 0
            before, after = self.rows[position - 1], self.rows[position]
            if not position or after.stamp - before.stamp < 2:
                continue
            at = self.random.choice(
                (after.stamp, self.random.randint(before.stamp + 1, after.stamp))
            )
            last = {r: (before.values[r] + value) // 2 for r, value in after.values.items()}
            if at == after.stamp:
                last = dict(after.values)
            base = self.random.choice((0, 0, 4_000, 10**12, 10**10 - 5_000))
            self.exchanges.append(Exchange(at, last, dict.fromkeys(last, base)))
            self.begun_anew.append((before.stamp, after.stamp))
            for late in range(position, len(self.rows)):
                row = self.rows[late]
                values = {r: max(0, value - last[r] + base) for r, value in row.values.items()}
                self.rows[late] = replace(row, values=values)

    def _serials(self) -> None:
        """Readings say which device they are of; a few do not, or name another."""
        for position, row in enumerate(self.rows):
            devices = sum(exchange.at <= row.stamp for exchange in self.exchanges)
            wrong = self.random.random() < 0.02
            serial = f"S{devices + wrong}" if self.random.random() < 0.9 else ""
            self.rows[position] = replace(row, serial=serial)

    def _spikes(self) -> None:
        for _ in range(self.random.randint(1, 4)):
            by_mwh = self.random.choice((995_000_000, 1, 10**15, -200_000, -1))
            for position in self._stretch()[: self.random.choice((1, 1, 3, 18))]:
                self._raise(position, by_mwh)

    def _zeros(self) -> None:
        for _ in range(self.random.randint(1, 3)):
            for position in self._stretch():
                row = self.rows[position]
                self.rows[position] = replace(row, values=dict.fromkeys(row.values, 0))

    def _gaps(self) -> None:
        for _ in range(self.random.randint(1, 3)):
            first_at = self.rows[self._position()].stamp
            last_at = first_at + self.random.choice(GAPS_S)
            kept = [row for row in self.rows if not first_at < row.stamp < last_at]
            self.rows = kept or self.rows

    def _silence(self) -> None:
        """The first reading, or all until some reading, was taken long before."""
        position = self._position()
        reference_at = self.rows[position].stamp
        silent_s = self.random.choice(SILENCES_S)
        first = replace(self.rows[0], stamp=reference_at - silent_s)
        if position:
            self.rows = [first, *self.rows[position:]]

    def _outage(self) -> None:
        """Amid the readings a long silence: the days before and after it know its shape."""
        position, silent_s = self._position(), self.random.choice(OUTAGES_S)
        counted = self.random.choice((0, 10_000, 5_000_000))
        for late in range(position, len(self.rows)):
            row = self.rows[late]
            values = {register: value + counted for register, value in row.values.items()}
            if self.interval_s:
                values = dict(row.values)
            self.rows[late] = replace(row, stamp=row.stamp + silent_s, values=values)

    def _silent(self) -> None:
        """From some reading on nothing more is heard."""
        self.rows = self.rows[: self._position() + 1]

    def _estimated(self) -> None:
        for position in self._stretch():
            self.rows[position] = replace(self.rows[position], quality="estimated")

    def _half_rows(self) -> None:
        """Some rows carry only one of the registers."""
        for position, row in enumerate(self.rows):
            if self.random.random() < 0.3:
                register = self.random.choice(sorted(row.values))
                self.rows[position] = replace(row, values={register: row.values[register]})

    def _wild_stamps(self) -> None:
        row = self.rows[self._position()]
        wild = self.random.choice((0, YEAR_2000 - 1, YEAR_2000, row.stamp + 31, row.stamp + 400))
        self.rows.append(replace(row, stamp=wild))
        # A quarter-hour beside the others' rhythm: intervals that overlap.
        row = self.rows[self._position()]
        self.rows.append(
            replace(row, stamp=row.stamp + self.random.choice((-QUARTER_S, QUARTER_S)))
        )

    def _twins(self) -> None:
        """Of an interval meter a second row beside the boundary of another, with another value."""
        for _ in range(self.random.randint(1, 4) if self.interval_s else 0):
            row = self.rows[self._position()]
            by_s = self.random.choice((-40, -1, 1, 30, 60))
            values = {register: value + 1_000 for register, value in row.values.items()}
            self.rows.append(replace(row, stamp=row.stamp + by_s, values=values))

    def _cut_into_sendings(self) -> None:
        """Runs of rows, recorded right after their last one; some senders' clocks run ahead."""
        position = 0
        while position < len(self.rows):
            rows = self.rows[position : position + self.random.choice((1, 4, 24, 96, 500))]
            position += len(rows)
            delay_s = self.random.choice((0, 3, 60, 1800))
            if "wild_stamps" in self.troubles and self.random.random() < 0.1:
                delay_s = self.random.choice((-899, -900, -901, -3600))
            # No delivery is older than 2000: whether a stamp is then ahead or too old, is idle.
            recorded_at = max(YEAR_2000, max(row.stamp for row in rows) + delay_s)
            self.sendings.append(Sending(recorded_at, list(rows)))

    def _some_rows(self) -> list[Row]:
        return [self.rows[position] for position in self._stretch()]

    def _send_again(self, rows: list[Row], *, withdrawn: bool = False) -> None:
        """Deliver more rows, soon after their stamps or long after all others."""
        end_at = self.flows.last_at + self.random.randrange(DAY_S)
        soon_at = max(row.stamp for row in rows) + self.random.randrange(HOUR_S)
        recorded_at = max(YEAR_2000, self.random.choice((soon_at, end_at)))
        self.sendings.append(Sending(recorded_at, rows, withdrawn))

    def _otherwise(self, row: Row) -> Row:
        """The row with other values, now and then with a word on when it was issued."""
        by = self.random.choice((1, 300, 50_000, -1, -300))
        issued_at = row.stamp + self.random.choice((-DAY_S, 0, 10, DAY_S, 9 * DAY_S))
        return replace(
            row,
            values={register: max(0, value + by) for register, value in row.values.items()},
            quality=self.random.choice(("measured", "measured", "estimated")),
            issued_at_us=self.random.choice((None, issued_at * 1_000_000)),
            replaces=self.random.random() < 0.2,
        )

    def _placeholders(self) -> None:
        rows = [replace(self._otherwise(r), quality="placeholder") for r in self._some_rows()]
        between = [replace(row, stamp=row.stamp + 450) for row in rows[:3]]
        self._send_again(rows + between)

    def _corrections(self) -> None:
        for _ in range(self.random.randint(1, 3)):
            rows = self._some_rows()
            again = [
                self._otherwise(row) for row in rows for _ in range(self.random.choice((1, 2)))
            ]
            self._send_again(again)
            if self.random.random() < 0.5:  # the same again, in two deliveries of one second
                last = self.sendings[-1]
                again = [self._otherwise(row) for row in again]
                self.sendings.append(Sending(last.recorded_at, again))

    def _totals(self) -> None:
        """Sums of some intervals, or other ones, where finer rows may have been sent."""
        for _ in range(self.random.randint(1, 4) if self.interval_s else 0):
            rows: dict[int, Row] = {}
            for row in self._some_rows():
                end = -(-(row.stamp - 60) // (self.interval_s or 1)) * (self.interval_s or 1)
                before = rows[end].values if end in rows else {}
                values = {r: value + before.get(r, 0) for r, value in row.values.items()}
                rows[end] = replace(row, stamp=end, values=values)
            by = self.random.choice((0, 0, 1_000, -300))
            self._send_again(
                [
                    replace(row, values={r: max(0, v + by) for r, v in row.values.items()})
                    for row in rows.values()
                ]
            )

    def _duplicates(self) -> None:
        self._send_again(self._some_rows())
        self._send_again(list(self.rows))

    def _withdrawn(self) -> None:
        self._send_again([self._otherwise(row) for row in self._some_rows()], withdrawn=True)
        if self.random.random() < 0.3:
            self.random.choice(self.sendings).withdrawn = True

    def _late(self) -> None:
        """Some deliveries come days later, with their rows in any order."""
        for sending in self.sendings:
            if self.random.random() < 0.3:
                sending.recorded_at += self.random.choice((HOUR_S, DAY_S, 5 * DAY_S))
                self.random.shuffle(sending.rows)
