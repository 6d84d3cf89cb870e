"""Quarter-hours sum to what the registers counted, to the Wh, whatever happened to the readings."""

from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import pairwise
from random import Random

import numpy as np
from hypothesis import event, given
from hypothesis import strategies as st

from commonwatt.domain.energy.index_energy import index_energy, index_segments
from commonwatt.domain.metering.catalogue import Device, Medium, Meter, MeterFacts, Mode, Register
from commonwatt.domain.metering.load_profile import LoadProfile
from commonwatt.domain.metering.quality import Method, Quality
from commonwatt.domain.metering.readings import ReadingQuality, StoredReadings, effective_readings
from commonwatt.domain.vee.history import RegisterHistory
from commonwatt.domain.vee.pipeline import JudgedRegister, judge_index_register
from tests.oracle import facts as oracle
from tests.oracle.product import settled_by_product

START_AT = 20_000 * 86_400
KILO = 1_000_000
"""mWh in a Wh x 1000."""
METER = Meter(
    number=1,
    id="a" * 24,
    name="Any",
    medium=Medium.ELECTRICITY,
    prim_ad=1,
    facts=(MeterFacts(valid_from=0, valid_to=None, mode=Mode.CONSUMPTION),),
)
EN_IM = Register.EN_IM
DAY_S = 86_400
REGISTERS: dict[oracle.Medium, str] = {
    "electricity": "en_im",
    "heating": "heat_energy_kwh",
    "cold_water": "vol_m3",
}
FACTORS = tuple(Fraction(text) for text in ("1", "40", "0.333", "1.25"))


def judged(meter: Meter, said: list[tuple[int, int, int]], random: Random) -> JudgedRegister:
    """Judge (instant, index [mWh], delivery) said in any order, some of it twice."""
    said = said + random.sample(said, len(said) // 3)
    random.shuffle(said)
    stamps, values, deliveries = (np.array(column, np.int64) for column in zip(*said, strict=True))
    none = np.zeros(len(said), np.bool_)
    stored = StoredReadings(
        stamps=stamps,
        values={EN_IM: values},
        qualities=np.full(len(said), ReadingQuality.MEASURED, np.uint8),
        issued_at=deliveries,
        issued=none,
        ahead=none,
        deliveries=deliveries,
        serials=np.zeros(len(said), "U1"),
    )
    readings = effective_readings(stored, EN_IM, ())
    positive = readings.stamps[readings.values > 0]
    first = int(positive[0]) if len(positive) else None
    of_later = {d.from_at: first for d in meter.devices if d.from_at is not None}
    history = RegisterHistory(
        meter=1,
        register="en_im",
        readings=readings,
        from_start=True,
        to_end=True,
        first_positive_at=first,
        first_positive_of=of_later,
    )
    return judge_index_register(history, meter)


@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(3, 80),
    exchange=st.booleans(),
    rolls=st.booleans(),
    gaps=st.booleans(),
    corrections=st.booleans(),
)
def test_quarter_hours_sum_to_the_differences_of_the_registers(
    seed: int, count: int, exchange: bool, rolls: bool, gaps: bool, corrections: bool
) -> None:
    random = Random(seed)
    steps_s = [random.choice((900, 900, 893, 907, 40_000 if gaps else 900)) for _ in range(count)]
    steps_s[-1] += -sum(steps_s) % 900  # the last one stands on a boundary, as the first does
    stamps = np.cumsum([START_AT, *steps_s]).tolist()
    flow = [random.randint(60, 300) * step_s for step_s in steps_s]
    true = np.cumsum([0, *flow]).tolist()
    size = 10**4 * KILO
    base = size - true[random.randrange(count)] - 1 if rolls else random.randrange(1, 10**9)
    shown = [(base + index) % size for index in true]
    meter, seam = METER, count + 1
    if rolls:
        limit = replace(METER.facts[0], max_per_hour=2_000)
        meter = replace(METER, facts=(limit,), devices=(Device(digits=4),))
    if exchange:
        seam = random.randrange(1, count + 1)
        at = random.randint(stamps[seam - 1] + 1, stamps[seam])
        end = shown[seam - 1]
        start = random.choice((1, 5 * KILO, 700))
        digits = 4 if rolls else None
        devices = (
            Device(digits=digits, end_index={EN_IM: end}),
            Device(from_at=at, start_index={EN_IM: start}, digits=digits),
        )
        meter = replace(meter, devices=devices)
        shown[seam:] = [start + index - true[seam - 1] for index in true[seam:]]
    said = [(at, index, 2) for at, index in zip(stamps, shown, strict=True)]
    if corrections:
        said += [(at, random.randrange(size), 1) for at, _, _ in random.sample(said, 2)]
    first, last = -(-stamps[0] // 900), stamps[-1] // 900
    indexes = index_segments(judged(meter, said, random).segments, first, last, 7200)
    columns = index_energy(indexes, first, last, meter.facts[0].factor)
    assert (columns.energy >= 0).all()
    counted = [(base, base + true[min(seam, count + 1) - 1])]
    if exchange:
        counted.append((shown[seam] - true[seam] + true[seam - 1], shown[-1]))
    expected = sum((to + 500) // 1000 - (of + 500) // 1000 for of, to in counted)
    assert int(columns.energy.sum()) == expected


@dataclass
class Life:
    """A meter from its first reading to its last, with what its registers must come to.

    Its index is cut into pieces by exchanges and resets; ``counted`` has of each its factor and the
    index [mWh, ml] at its start and end. What a reset lost is in none.
    """

    random: Random
    medium: oracle.Medium
    rolls: bool
    rows: list[oracle.Row] = field(default_factory=list)
    counted: list[tuple[Fraction, int, int]] = field(default_factory=list)
    devices: list[oracle.Device] = field(default_factory=list)
    resolutions: list[oracle.Resolution] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.register = REGISTERS[self.medium]
        self.factor = self.random.choice(FACTORS)
        self.size = 10**4 * KILO if self.rolls else 10**16
        # A register that rolls over is about to.
        least = self.size - 50 * KILO if self.rolls else 1
        self.index = self.start = self.random.randrange(least, least + 50 * KILO)
        self.devices.append(oracle.Device(digits=4 if self.rolls else None))

    def shown(self) -> int:
        return self.index % self.size

    def read(self, at: int) -> None:
        self.rows.append(oracle.Row(at, {self.register: self.shown()}))

    def exchange(self, at: int, rise: int) -> None:
        """Put another device in amid a rise, which counts the rest of it."""
        before = self.random.randint(0, rise)
        self.index += before
        self.end()
        old = self.devices[-1]
        self.devices[-1] = replace(old, end_index={self.register: self.shown()})
        self.index = self.start = self.random.choice((1, 700, 5 * KILO, self.size // 2))
        start_index = {self.register: self.shown()}
        factor = self.random.choice((None, *FACTORS))
        self.devices.append(oracle.Device(at, "", old.digits, factor, start_index))
        self.index += rise - before

    def reset(self, since: int, at: int, rise: int) -> None:
        """Count from nothing amid a rise; what was counted before in it is lost."""
        self.end()
        kind = oracle.Resolution(self.register, "reset", since, at)
        self.resolutions.append(kind)
        self.start, self.index = 0, self.random.randint(1, rise)

    def end(self) -> None:
        own = self.devices[-1].factor
        self.counted.append((self.factor if own is None else own, self.start, self.index))

    def energy_wh(self) -> int:
        """What all quarter-hours together must be."""
        return sum(
            oracle.round_half_up(factor * last / 1000) - oracle.round_half_up(factor * first / 1000)
            for factor, first, last in self.counted
        )


def lived(random: Random, medium: oracle.Medium, seams: bool, rolls: bool, gaps: bool) -> Life:
    """Read a meter for a while, at most for some weeks."""
    life = Life(random, medium, rolls)
    steps_s = (900, 900, 900, 893, 907)
    gaps_s = (7_201, 40_000, 3 * DAY_S, 9 * DAY_S)
    at = START_AT + random.randint(0, 5_000)
    life.read(at)
    for _ in range(random.randint(2, 300)):
        is_gap = gaps and random.random() < 0.03
        since, at = at, at + random.choice(gaps_s if is_gap else steps_s)
        rise = random.randint(60, 300) * (at - since)
        event = random.random() if seams else 1.0
        if event < 0.03:
            life.exchange(random.randint(since + 1, at - 1), rise)
        elif event < 0.05:
            life.reset(since, at, rise)
        else:
            life.index += rise
        life.read(at)
    life.end()
    return life


def deliveries(random: Random, rows: list[oracle.Row]) -> tuple[oracle.Delivery, ...]:
    """What was said of it, in any order: some wrong and corrected, some twice, some taken back."""

    def wrong(quality: oracle.ReadingQuality) -> list[oracle.Row]:
        return [
            replace(
                row, values=dict.fromkeys(row.values, random.randrange(10**12)), quality=quality
            )
            for row in random.sample(rows, len(rows) // 4)
        ]

    said = [
        wrong("measured"),
        [*rows, *random.sample(rows, len(rows) // 3)],
        wrong("estimated"),
        wrong("placeholder"),
        wrong("measured"),
    ]
    for each in said:
        random.shuffle(each)
    recorded_us = (rows[-1].stamp + 60) * 1_000_000
    return tuple(
        oracle.Delivery(number, recorded_us + number, tuple(each), withdrawn=number == len(said))
        for number, each in enumerate(said, 1)
    )


def profile_of(building: oracle.Building, first: int, end: int) -> LoadProfile:
    """Settle the only meter over the quarter-hours [first, end)."""
    _, settlements = settled_by_product(building, range(first, end))
    [profile] = [profile for each in settlements.values() for profile in each.profiles]
    return profile


@given(
    seed=st.integers(0, 2**32 - 1),
    medium=st.sampled_from(tuple(REGISTERS)),
    seams=st.booleans(),
    rolls=st.booleans(),
    gaps=st.booleans(),
)
def test_a_life_of_quarter_hours_sums_to_what_its_devices_counted(
    seed: int, medium: oracle.Medium, seams: bool, rolls: bool, gaps: bool
) -> None:
    """Settled at once and in pieces, over exchanges, resets, rollovers and estimated gaps."""
    random = Random(seed)
    life = lived(random, medium, seams, rolls, gaps)
    first_at, last_at = life.rows[0].stamp, life.rows[-1].stamp
    meter = oracle.Meter(
        "a" * 24,
        medium,
        (oracle.Facts(factor=life.factor, max_per_hour=80_000),),
        installed_at=first_at,
        installed_index={life.register: life.rows[0].values[life.register]},
        removed_at=last_at,
        devices=tuple(life.devices),
        resolutions=tuple(life.resolutions),
        deliveries=deliveries(random, life.rows),
    )
    building = oracle.Building((meter,))
    first, end = first_at // 900, -(-last_at // 900)
    cuts = sorted({first, end, *(random.randint(first, end) for _ in range(4))})
    whole = profile_of(building, first, end)
    assert whole.im is not None
    assert whole.method is not None
    event(", ".join(sorted({Method(method).name for method in whole.method.tolist()})))
    assert (whole.quality_total >= Quality.ESTIMATED).all()
    assert (whole.im >= 0).all()
    assert int(whole.im.sum()) == life.energy_wh()
    parts = [profile_of(building, *span).im for span in pairwise(cuts)]
    assert (
        np.concatenate([part for part in parts if part is not None]).tolist() == whole.im.tolist()
    )
