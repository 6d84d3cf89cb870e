"""Quarter-hours sum to what the registers counted, to the Wh, whatever happened to the readings."""

from dataclasses import replace
from random import Random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from commonwatt.domain.catalogue import Device, Medium, Meter, MeterFacts, Mode, Register
from commonwatt.domain.readings import ReadingQuality, StoredReadings, counting_readings
from commonwatt.domain.vee.history import RegisterHistory
from commonwatt.domain.vee.index_energy import index_energy, index_segments
from commonwatt.domain.vee.pipeline import JudgedRegister, judge_index_register

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
    readings = counting_readings(stored, EN_IM, ())
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
