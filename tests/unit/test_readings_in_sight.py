"""What is told of the meters of a delivery together is what each alone would tell."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from commonwatt.app.ports import RegisterSpan
from commonwatt.app.readings.hold_back import Beside, certainly_as_before, may_change
from commonwatt.app.readings.in_sight import ReadingsInSight
from commonwatt.domain.metering.catalogue import (
    Medium,
    Meter,
    MeterFacts,
    Mode,
    Register,
    Site,
    SiteCatalogue,
    SiteFacts,
)
from commonwatt.domain.metering.readings import StoredReadings, effective_readings
from commonwatt.domain.vee.ordinary import highest_powers

DAY, DAYS, WITHDRAWN = 20_000, 3, frozenset({3})
LIMIT_W = 20_000


def meter(number: int, interval_s: int | None) -> Meter:
    facts = MeterFacts(valid_from=0, valid_to=None, mode=Mode.CONSUMPTION)
    return Meter(
        number=number,
        id=f"{number:024x}",
        name=f"Meter {number}",
        medium=Medium.ELECTRICITY,
        prim_ad=number,
        facts=(facts,),
        interval_s=interval_s,
    )


METERS = {1: meter(1, None), 2: meter(2, 900), 3: meter(3, None)}
CATALOGUE = SiteCatalogue(
    site=Site(number=1, id="5" * 24, name="House", timezone="UTC"),
    facts=(SiteFacts(valid_from=0, valid_to=None, connection_w=LIMIT_W),),
    meters=tuple(METERS.values()),
    sensors=(),
    generation=1,
)


@st.composite
def readings(draw: st.DrawFn, days: int) -> StoredReadings:
    """Readings at quarter-hours from `DAY` on; the value rises with the time, or is any."""
    quarters = draw(st.lists(st.integers(0, days * 96 - 1), min_size=1, max_size=20))
    count = len(quarters)
    stamps = DAY * 86_400 + 900 * np.array(quarters)
    rising = draw(st.sampled_from((0, 1_000, 4_000_000, 9_000_000)))
    other = draw(st.lists(st.sampled_from((0, 0, 0, 1, -1)), min_size=count, max_size=count))
    values = np.array(quarters) * rising + np.array(other) * rising * 5
    registers = draw(st.sampled_from(((Register.EN_IM,), (Register.EN_EX, Register.EN_IM))))
    return StoredReadings(
        stamps=stamps,
        values={register: np.maximum(values, 0) for register in registers},
        qualities=np.array(draw(st.lists(st.integers(0, 2), min_size=count, max_size=count)), "u1"),
        issued_at=np.full(count, draw(st.integers(1, 3)), np.int64),
        issued=np.zeros(count, np.bool_),
        ahead=np.array(
            draw(st.lists(st.just(False) | st.booleans(), min_size=count, max_size=count))
        ),
        deliveries=np.full(count, draw(st.integers(1, 5)), np.int64),
        serials=np.zeros(count, "U1"),
    )


SAID = st.dictionaries(st.sampled_from((1, 2, 3)), st.tuples(st.none() | readings(2), readings(3)))


@given(SAID.filter(bool))
def test_together_and_alone(
    said: dict[int, tuple[StoredReadings | None, StoredReadings]],
) -> None:
    stored = [(number, before) for number, (before, _) in said.items() if before is not None]
    added = [(number, added) for number, (_, added) in said.items()]
    named = {number: METERS[number] for number in said}
    in_sight = ReadingsInSight.of([*stored, *added], named, WITHDRAWN)
    for number, parts in said.items():
        joined = StoredReadings.joined([part for part in parts if part is not None])
        alone = {
            register.value: highest_powers(
                effective_readings(joined, register, WITHDRAWN), METERS[number].interval_s
            )
            for register in joined.values
        }
        together = in_sight.powers[number]
        assert dict(together) == {name: powers for name, powers in alone.items() if powers}
    besides = [
        Beside(
            meter=METERS[number],
            spans={"en_im": RegisterSpan(DAY, DAY + 1, None)} if before is not None else {},
            added_days=(
                int(more.stamps.min()) // 86_400,
                int(more.stamps.max()) // 86_400,
            ),
            stored=before,
            added=more,
            first_day=DAY,
            end_day=DAY + DAYS,
        )
        for number, (before, more) in said.items()
    ]
    certain = certainly_as_before(CATALOGUE, besides, in_sight, WITHDRAWN)
    for beside in besides:
        if beside.meter.number in certain:
            assert not may_change(CATALOGUE, beside, WITHDRAWN)


def test_what_rises_as_a_meter_may_is_told_together() -> None:
    stamps = DAY * 86_400 + 900 * np.arange(96)
    plain = {
        "qualities": np.zeros(96, np.uint8),
        "issued_at": np.ones(96, np.int64),
        "issued": np.zeros(96, np.bool_),
        "ahead": np.zeros(96, np.bool_),
        "deliveries": np.ones(96, np.int64),
        "serials": np.zeros(96, "U1"),
    }
    quarters = np.arange(96)
    said = {
        "as it may": 1_000_000 + quarters * LIMIT_W // 2 * 250,
        "faster": 1_000_000 + quarters * LIMIT_W * 4 * 250,
        "falling often": 1_000_000 + quarters % 2,
    }
    certain = {}
    for name, index in said.items():
        values = {Register.EN_IM: index}
        more = StoredReadings(stamps=stamps, values=values, **plain)  # type: ignore[arg-type]
        in_sight = ReadingsInSight.of([(1, more)], {1: METERS[1]}, WITHDRAWN)
        beside = Beside(
            meter=METERS[1],
            spans={},
            added_days=(DAY, DAY),
            stored=None,
            added=more,
            first_day=DAY - 1,
            end_day=DAY + 2,
        )
        certain[name] = certainly_as_before(CATALOGUE, [beside], in_sight, WITHDRAWN)
    assert certain == {"as it may": {1}, "faster": set(), "falling often": set()}
