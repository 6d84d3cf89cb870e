"""Gaps with donors around them, silent meters: product and oracle estimate alike, to the Wh."""

from dataclasses import dataclass, replace
from fractions import Fraction
from random import Random

from hypothesis import event, example, given, note
from hypothesis import strategies as st

from commonwatt.domain.metering.catalogue import Group
from commonwatt.domain.metering.quality import Method
from tests.depth import examples
from tests.oracle.agreement import assert_agree
from tests.oracle.facts import Building, Delivery, Facts, Medium, Meter, Row
from tests.oracle.pipeline import settle
from tests.oracle.product import settled_by_product

DAY_S = 86_400
FIRST_DAYS = (19_068, 19_288, 19_500)
"""2022-03-17 and 2022-10-23, days before the clocks change, and 2023-05-23."""
REGISTERS: dict[Medium, str] = {"electricity": "en_im", "cold_water": "vol_m3"}


@dataclass(frozen=True)
class Outage:
    """A meter that was silent between days on which it was read every quarter-hour, or hour.

    `mixed`: every quarter-hour in part of each day only.
    """

    seed: int
    first_day: int
    days_before: int
    days_after: int
    silent_s: int
    counted_mwh: int
    largest_mwh: int
    jitter_s: int = 0
    medium: Medium = "electricity"
    factor_changes: bool = False
    step_s: int = 900
    mixed: bool = False

    def is_read(self, at: int) -> bool:
        """Whether the meter is read at a quarter-hour."""
        return at % self.step_s == 0 or (self.mixed and at % DAY_S < DAY_S // 3)

    def meter(self) -> Meter:
        """Make the meter with all that it sent."""
        random = Random(self.seed)
        silent_from = self.first_day * DAY_S + self.days_before * DAY_S + 300 * random.randint(0, 3)
        before = range(self.first_day * DAY_S, silent_from + 1, 900)
        back_at = silent_from + self.silent_s
        after = range(back_at, back_at + self.days_after * DAY_S + 1, 900)
        index, rows = random.randrange(10**9), []
        edges = (before[0], before[-1], back_at)
        for at in [each for each in [*before, *after] if self.is_read(each) or each in edges]:
            stamp = at + random.randint(-self.jitter_s, self.jitter_s)
            index += self.counted_mwh if at == back_at else random.randint(0, self.largest_mwh)
            rows.append(Row(stamp, {REGISTERS[self.medium]: index}))
        delivery = Delivery(1, (rows[-1].stamp + 60) * 1_000_000, tuple(rows))
        facts = [Facts()]
        if self.factor_changes:
            since = (silent_from // 900 + random.randint(-200, 200)) * 900
            facts.append(Facts(valid_from=since, factor=Fraction(random.choice((40, "0.333")))))
        return Meter("a" * 24, self.medium, tuple(facts), deliveries=(delivery,))

    def quarters(self) -> range:
        """A day somewhere from the one before the silence to the one after it."""
        silent_days = self.silent_s // DAY_S
        day = self.first_day + self.days_before - 1 + Random(self.seed).randint(0, silent_days + 2)
        return range(day * 96, day * 96 + 96)


outages = st.builds(
    Outage,
    seed=st.integers(0, 2**32),
    first_day=st.sampled_from(FIRST_DAYS),
    days_before=st.integers(0, 9),
    days_after=st.integers(0, 9),
    silent_s=st.integers(7_201, 3 * DAY_S) | st.sampled_from((9 * DAY_S, 46 * DAY_S + 3_600)),
    counted_mwh=st.sampled_from((0, 1, 12_345, 10**7, 10**9, 9 * 10**14)),
    largest_mwh=st.sampled_from((0, 1_000, 99_999, 2_000_000)),
    jitter_s=st.sampled_from((0, 20)),
    medium=st.sampled_from(tuple(REGISTERS)),
    factor_changes=st.booleans(),
    step_s=st.sampled_from((900, 900, 1_800, 3_600, 7_200)),
    mixed=st.booleans(),
)


@examples(few=25, many=100)
@given(outage=outages)
@example(Outage(1, 19_288, 9, 9, 9 * DAY_S, 10**7, 99_999, jitter_s=20, step_s=3_600))
@example(Outage(1, 19_288, 9, 9, 9 * DAY_S, 10**7, 99_999, jitter_s=20, step_s=3_600, mixed=True))
@example(Outage(1, 19_068, 9, 9, 9 * DAY_S, 10**7, 99_999, jitter_s=20, factor_changes=True))
@example(Outage(2, 19_288, 3, 0, 5 * 3_600, 12_345, 1_000))
def test_product_and_oracle_estimate_alike(outage: Outage) -> None:
    note(str(outage))
    building = Building((outage.meter(),))
    quarters = outage.quarters()
    expected = settle(building, quarters)
    catalogue, settlements = settled_by_product(building, quarters)
    assert_agree(building, expected, catalogue, settlements)
    group = Group(outage.medium)
    methods: set[int] = set()
    for profile in settlements[group].profiles:
        assert profile.method is not None
        methods.update(profile.method.tolist())
    event(", ".join(sorted(Method(method).name for method in methods)))


@dataclass(frozen=True)
class Silence:
    """A meter of which nothing is heard any more, or nothing for a while, beside one that speaks.

    It was read every quarter-hour, or every half or hour, over so many days.
    """

    seed: int
    first_day: int
    days: int
    later_day: int
    interval_s: int | None
    largest_mwh: int
    back_after_s: int | None
    medium: Medium = "electricity"
    allowed_late: bool = False
    step_s: int = 900

    def building(self) -> Building:
        """Build both meters with all that they sent."""
        random = Random(self.seed)
        last_at = (self.first_day + self.days) * DAY_S - 900 * random.randint(0, 95)
        stamps = list(range(self.first_day * DAY_S, last_at + 1, self.interval_s or self.step_s))
        if self.back_after_s is not None:
            back_at = last_at + self.back_after_s // 900 * 900
            stamps += range(back_at, back_at + 3_600 * 5, self.interval_s or self.step_s)
        index, rows = random.randrange(10**9), []
        for at in stamps:
            counted = random.randint(0, self.largest_mwh)
            index += counted
            value = index if self.interval_s is None else counted
            rows.append(Row(at, {REGISTERS[self.medium]: value}))
        factor = random.choice((Fraction(1), Fraction(40), Fraction("0.333")))
        facts = Facts(), Facts(valid_from=last_at // 900 * 900 - 9 * 900, factor=factor)
        silent = Meter("a" * 24, self.medium, facts, self.interval_s, deliveries=(_said(rows),))
        # The other one has quarter-hours of its own that are missing.
        heard = [self.later_day * DAY_S - DAY_S, (self.later_day + 1) * DAY_S - 900 * 7]
        other_rows = [Row(at, {REGISTERS[self.medium]: at}) for at in heard]
        other = Meter("b" * 24, self.medium, deliveries=(_said(other_rows),))
        told = ((0, False), (last_at // 900 * 900 + 4_500, True))
        return Building((silent, other), proxy_days=told if self.allowed_late else ((0, True),))


def _said(rows: list[Row]) -> Delivery:
    return Delivery(1, (rows[-1].stamp + 60) * 1_000_000, tuple(rows))


silences = st.builds(
    Silence,
    seed=st.integers(0, 2**32),
    first_day=st.sampled_from(FIRST_DAYS),
    days=st.integers(1, 40),
    later_day=st.just(0),
    interval_s=st.sampled_from((None, None, 900, 1800, 3600)),
    step_s=st.sampled_from((900, 3600)),
    largest_mwh=st.sampled_from((0, 1_000, 99_999, 2_000_000)),
    back_after_s=st.none() | st.integers(1_800, 40 * DAY_S),
    medium=st.sampled_from(tuple(REGISTERS)),
    allowed_late=st.booleans(),
).flatmap(
    lambda silence: st.integers(-1, 37).map(
        lambda after: replace(silence, later_day=silence.first_day + silence.days + after)
    )
)


@examples(few=10, many=100)
@given(silence=silences)
@example(Silence(3, 19_288, 9, 19_297, None, 99_999, None))
@example(Silence(3, 19_288, 1, 19_323, None, 99_999, None))
@example(Silence(4, 19_068, 35, 19_104, 1800, 99_999, 9 * DAY_S))
@example(Silence(4, 19_068, 9, 19_078, 3600, 99_999, None))
@example(Silence(4, 19_068, 9, 19_078, None, 99_999, None, step_s=3600))
def test_product_and_oracle_fill_in_alike_for_a_silent_meter(silence: Silence) -> None:
    note(str(silence))
    building = silence.building()
    quarters = range(silence.later_day * 96, silence.later_day * 96 + 96)
    expected = settle(building, quarters)
    catalogue, settlements = settled_by_product(building, quarters)
    assert_agree(building, expected, catalogue, settlements)
    methods = {
        method
        for profile in settlements[Group(silence.medium)].profiles
        if profile.method is not None
        for method in profile.method.tolist()
    }
    event("filled" if Method.PROXY in methods else "as it is")
