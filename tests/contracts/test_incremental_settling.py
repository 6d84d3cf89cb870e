"""Settling step by step leaves the same bytes as settling everything at the end."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, note
from hypothesis import strategies as st

from commonwatt.adapters.store.sql_store import SqlStore
from commonwatt.app.readings.deliveries import reinstate_delivery, withdraw_delivery
from commonwatt.domain.metering.catalogue import Group, SiteCatalogue
from tests.contracts.stored_results import (
    add_building,
    deliver,
    known_results,
    settle_everything,
)
from tests.depth import by_depth, examples
from tests.oracle import facts as oracle
from tests.oracle.buildings import Plan, building_of, plans

DAY_S = 86_400
FIRST_DAY = 19_076
FOUR_DIGITS = 10**10
"""Where a register of 9999 kWh rolls over [mWh]."""


def assert_stepwise_equals_at_once(store: SqlStore, plan: Plan) -> None:
    note(str(plan))
    building = building_of(plan)
    stepwise = add_building(store, building)
    at_once = add_building(store, building)
    chance = random.Random(plan.seed)
    steps = [
        (position, delivery)
        for position, meter in enumerate(building.meters)
        for delivery in meter.deliveries
        if not meter.facts[-1].rule
    ]
    chance.shuffle(steps)
    for position, delivery in steps:
        for catalogue in (stepwise, at_once):
            meter = next(m for m in catalogue.meters if m.number == position + 1)
            site, at_us = catalogue.site.number, delivery.recorded_at_us
            number = deliver(store, site, meter, delivery.rows, at_us).delivery
            if number is not None and delivery.withdrawn:
                withdraw_delivery(store, site, number, "wrong", "me", at_us)
                if number % 3 == 0:
                    reinstate_delivery(store, site, number, "me", at_us)
        if chance.random() < 0.3:
            settle_everything(store, stepwise.site.number)
    settle_everything(store, stepwise.site.number)
    settle_everything(store, at_once.site.number)
    left, right = (known_results(store, each.site.number) for each in (stepwise, at_once))
    assert left == right


@pytest.mark.both_engines
@examples(few=3, many=60)
@given(plan=plans(days=by_depth(1, 2)))
def test_a_building_step_by_step_equals_from_scratch(store: SqlStore, plan: Plan) -> None:
    assert_stepwise_equals_at_once(store, plan)


@dataclass(frozen=True)
class Step:
    """One change of a history: a delivery, and which earlier one is withdrawn or reinstated."""

    rows: tuple[oracle.Row, ...]
    turned: int | None
    settled: bool


TROUBLES = (*["none"] * 6, "zero", "spike", "wild")


@dataclass(frozen=True)
class Rhythm:
    """How far apart readings are: hours, so that the sight of a verdict is days wide.

    The meter is silent amid them, and from the one at ``reset`` on its register counts anew. Its
    four digits run over at the one at ``rollover``; from the one at ``exchange`` on the readings
    name another device, where they name any (0: they do not).
    """

    spacing_s: int
    silence_s: int
    reset: int
    rollover: int = 0
    exchange: int = 0

    def row(
        self,
        slot: int,
        trouble: str,
        registers: tuple[str, ...],
        quality: str,
        replaces: bool = False,
    ) -> oracle.Row:
        at = FIRST_DAY * DAY_S + slot * self.spacing_s + (self.silence_s if slot >= 40 else 0)
        value = slot * 1_000 if slot < self.reset else slot * 10
        if self.rollover:
            value = (value - self.rollover * 1_000 + 7) % FOUR_DIGITS
        value = {"zero": 0, "spike": value + 35_000}.get(trouble, value)
        if trouble == "wild":
            at = (253_402_300_799, 946_684_799, at + 1_800)[slot % 3]
        serial = ("A" if slot < self.exchange else "B") if self.exchange and slot % 7 else ""
        values = dict.fromkeys(registers, value)
        return oracle.Row(at, values, quality, None, serial, replaces)  # type: ignore[arg-type]


rhythms = st.builds(
    Rhythm,
    st.sampled_from((21_600, 21_599, 3_600, 86_400)),
    st.sampled_from((0, 0, 0, 40 * DAY_S, 401 * DAY_S)),
    st.sampled_from((80, 80, 10, 20, 43)),
    st.sampled_from((0, 0, 12, 30)),
    st.sampled_from((0, 0, 11, 33)),
)


@st.composite
def histories(draw: st.DrawFn) -> list[Step]:
    """Draw runs of readings, mostly one after the other, settled in between."""
    rhythm = draw(rhythms)
    edges = np.cumsum([draw(st.integers(0, 40)), *draw(st.lists(st.integers(1, 9), max_size=14))])
    runs = [list(range(a, min(80, b))) for a, b in pairwise(edges) if a < 80]
    runs += draw(st.lists(st.lists(st.integers(0, 79), min_size=1, max_size=4), max_size=3))
    if draw(st.booleans()):
        runs = draw(st.permutations(runs))
    steps = []
    for number, slots in enumerate(runs):
        trouble = draw(st.sampled_from(TROUBLES))
        registers = draw(st.sampled_from((("en_im",), ("en_im",), ("en_im", "en_ex"), ("en_ex",))))
        quality = draw(st.sampled_from(("measured", "measured", "estimated", "placeholder")))
        replaces = draw(st.sampled_from((False, False, True)))
        rows = tuple(rhythm.row(slot, trouble, registers, quality, replaces) for slot in slots)
        turned = draw(st.none() | st.none() | st.integers(0, number))
        steps.append(Step(rows, turned, draw(st.sampled_from((True, True, False)))))
    return steps


seams_at = st.integers(0, 20 * 24).map(lambda hours: FIRST_DAY * DAY_S + hours * 3600 - 1)
seam_indexes = st.sampled_from(({}, {"en_im": 0}, {"en_im": 5_000}, {"en_im": 60_000, "en_ex": 0}))
a_device = st.builds(
    oracle.Device,
    st.none(),
    st.sampled_from(("A", "B", "")),
    st.sampled_from((None, 4)),
    st.sampled_from((None, None, Fraction(2))),
    seam_indexes,
    seam_indexes,
)


@st.composite
def _device_lists(draw: st.DrawFn) -> tuple[oracle.Device, ...]:
    instants: list[int | None] = [None, *sorted(draw(st.sets(seams_at, min_size=1, max_size=3)))]
    return tuple(replace(draw(a_device), from_at=at) for at in instants)


device_lists = st.just(()) | st.just(()) | _device_lists()
resolutions = st.builds(
    lambda register, kind, at, lasts_s, digits: oracle.Resolution(
        register, kind, at, at + lasts_s, digits
    ),
    st.sampled_from(("en_im", "en_ex")),
    st.sampled_from(("reset", "rollover", "faulty")),
    seams_at,
    st.sampled_from((0, 21_600, 86_400)),
    st.sampled_from((None, 4)),
)


@st.composite
def lone_meters(draw: st.DrawFn) -> oracle.Meter:
    """Draw a meter: any life and devices, index or intervals."""
    first_at = FIRST_DAY * DAY_S
    installed_at = draw(st.sampled_from((None, None, None, first_at, first_at + 3 * DAY_S + 7)))
    removed_at = draw(st.sampled_from((None, None, None, first_at + 9 * DAY_S)))
    return oracle.Meter(
        "a" * 24,
        facts=(oracle.Facts(mode=draw(st.sampled_from(("consumption", "introduction")))),),
        interval_s=draw(st.sampled_from((None, None, None, 3600))),
        installed_at=installed_at,
        installed_index=draw(st.sampled_from(({}, {"en_im": 3}))),
        removed_at=removed_at,
        devices=draw(device_lists),
        resolutions=tuple(draw(st.lists(resolutions, max_size=2))),
    )


def settle_afresh(store: SqlStore, catalogue: SiteCatalogue, stamps: Sequence[int]) -> None:
    """Settle every day of the site anew, whatever was marked."""
    site = catalogue.site.number
    days = np.unique(np.array(stamps) // DAY_S).tolist()
    spans = [(day - 2, day + 3) for day in days]
    gaps = [(a, b) for a, b in pairwise(days) if b - a < 500]
    with store.change(site) as change:
        generation = change.catalogue.next_generation(site)
        change.results.mark_dirty(site, Group.ELECTRICITY, [*spans, *gaps], generation)
    settle_everything(store, site)


def assert_marks_suffice(store: SqlStore, meter: oracle.Meter, history: list[Step]) -> None:
    catalogue = add_building(store, oracle.Building((meter,)))
    site, declared = catalogue.site.number, catalogue.meters[0]
    at_us = (FIRST_DAY + 900) * DAY_S * 1_000_000
    numbers: list[int] = []
    withdrawn: set[int] = set()
    for step in history:
        at_us += 1_000_000
        number = deliver(store, site, declared, step.rows, at_us).delivery
        numbers += [] if number is None else [number]
        if step.turned is not None and step.turned < len(numbers):
            turned = numbers[step.turned]
            if turned in withdrawn:
                reinstate_delivery(store, site, turned, "me", at_us)
            else:
                withdraw_delivery(store, site, turned, "wrong", "me", at_us)
            withdrawn ^= {turned}
        if step.settled:
            settle_everything(store, site)
    settle_everything(store, site)
    stepwise = known_results(store, site)
    settle_afresh(store, catalogue, [row.stamp for step in history for row in step.rows])
    assert stepwise == known_results(store, site)


def told(slots: range, trouble: str = "none", *registers: str, turned: int | None = None) -> Step:
    """Make a delivery of readings six hours apart, counting anew from the twentieth on."""
    rhythm = Rhythm(21_600, 0, 20)
    rows = tuple(rhythm.row(slot, trouble, registers or ("en_im",), "measured") for slot in slots)
    return Step(rows, turned, settled=True)


A_RESET = [told(range(20)), *(told(range(slot, slot + 1)) for slot in range(20, 45))]


def rolling(slots: range, turned: int | None = None) -> Step:
    """Make a delivery of a register whose digits run over at the thirtieth."""
    rhythm = Rhythm(21_600, 0, 80, rollover=30)
    rows = tuple(rhythm.row(slot, "none", ("en_im",), "measured") for slot in slots)
    return Step(rows, turned, settled=True)


FAR_REACHING = {
    "a reset that new readings confirm one by one": A_RESET,
    "a reset whose first readings come last": [A_RESET[0], *reversed(A_RESET[1:])],
    "a first positive index before many zeros": [
        told(range(1, 60), "zero"),
        told(range(1), "spike"),
    ],
    "a first positive index that is withdrawn": [
        told(range(1), "spike"),
        told(range(1, 60), "zero"),
        told(range(70, 71), turned=0),
    ],
    "a first positive index that is corrected to zero": [
        told(range(1), "spike"),
        told(range(1, 60), "zero"),
        told(range(1), "zero"),
    ],
    "a register that appears late": [
        told(range(60)),
        told(range(40, 43), "none", "en_ex"),
    ],
    "the only readings of a register are withdrawn": [
        told(range(40, 43), "none", "en_ex"),
        told(range(60)),
        told(range(70, 71), turned=0),
    ],
    "a rollover that is confirmed one by one": [
        rolling(range(26)),
        *(rolling(range(slot, slot + 1)) for slot in range(26, 60)),
    ],
    "a reading of before the rollover that comes last": [
        rolling(range(28)),
        rolling(range(31, 60)),
        rolling(range(29, 30)),
        rolling(range(30, 31)),
    ],
    "a reading beside a rollover that is withdrawn": [
        rolling(range(29)),
        rolling(range(29, 31)),
        rolling(range(31, 60)),
        rolling(range(70, 71), turned=1),
    ],
    "a reading after a long gap": [told(range(2)), told(range(60, 61))],
    "a reading before a long gap": [told(range(60, 61)), told(range(2))],
}


@pytest.mark.parametrize("mode", ["consumption", "introduction"])
@pytest.mark.parametrize("story", FAR_REACHING)
def test_what_reaches_far_is_marked(store: SqlStore, story: str, mode: oracle.Mode) -> None:
    meter = oracle.Meter("a" * 24, facts=(oracle.Facts(mode=mode),))
    assert_marks_suffice(store, meter, FAR_REACHING[story])


SCATTERED = {
    "over an empty history": [told(range(0, 80, 20))],
    "before a zero": [told(range(1, 60), "zero"), told(range(0, 80, 26), "spike")],
    "and withdrawn": [told(range(60)), told(range(0, 80, 21)), told(range(70, 71), turned=1)],
    "of another register": [told(range(60)), told(range(3, 80, 24), "none", "en_ex")],
}


@pytest.mark.parametrize("story", SCATTERED)
def test_a_delivery_of_scattered_days_marks_enough_without_looking_around_each(
    store: SqlStore, story: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a delivery with hundreds of runs of days all days are marked; here of more than two."""
    monkeypatch.setattr("commonwatt.app.readings.incoming._RUNS_FOLLOWED", 2)
    monkeypatch.setattr("commonwatt.app.readings.incoming._RUNS_OF_A_METER", 2)
    assert_marks_suffice(store, oracle.Meter("a" * 24), SCATTERED[story])


def beginning(*devices: oracle.Device) -> oracle.Meter:
    return oracle.Meter("a" * 24, devices=(oracle.Device(), *devices))


ZEROS = told(range(14, 60), "zero")
SECOND = FIRST_DAY * DAY_S + 12 * 21_600
OF_LATER_DEVICES = {
    "an exchange on a day after the last reading": [told(range(8))],
    "a first positive index before many zeros": [told(range(12)), ZEROS, told(range(12, 13))],
    "a first positive index that is withdrawn": [
        told(range(12, 13)),
        told(range(12)),
        ZEROS,
        told(range(70, 71), turned=0),
    ],
    "a first positive index that is corrected to zero": [
        told(range(12, 13)),
        ZEROS,
        told(range(12, 13), "zero"),
    ],
}


@pytest.mark.parametrize("start_index", [{}, {"en_im": 0}, {"en_im": 1}])
@pytest.mark.parametrize("story", OF_LATER_DEVICES)
def test_what_reaches_far_of_a_later_device_is_marked(
    store: SqlStore, story: str, start_index: dict[str, int]
) -> None:
    meter = beginning(oracle.Device(SECOND, start_index=start_index))
    assert_marks_suffice(store, meter, OF_LATER_DEVICES[story])


@pytest.mark.both_engines
def test_the_finding_of_a_last_reading_at_midnight_is_marked(store: SqlStore) -> None:
    midnight = (FIRST_DAY + 1) * DAY_S
    removed = oracle.Meter("a" * 24, removed_at=midnight - 900)
    rows = tuple(oracle.Row(at, {"en_im": 5}) for at in (midnight - 1800, midnight))
    assert_marks_suffice(store, removed, [Step((row,), None, settled=True) for row in rows])


def test_an_interval_that_began_on_the_day_before_is_marked(store: SqlStore) -> None:
    midnight = (FIRST_DAY + 1) * DAY_S
    hourly = oracle.Meter("a" * 24, interval_s=3600)
    rows = [oracle.Row(midnight + after_s, {"en_im": 400}) for after_s in (43_200, 900)]
    assert_marks_suffice(store, hourly, [Step((row,), None, settled=True) for row in rows])


def test_what_is_held_back_has_no_findings_of_before_the_installation(store: SqlStore) -> None:
    """Indexes of an interval meter: those before its installation are told, then held back too."""
    day_at = (FIRST_DAY + 400) * DAY_S
    meter = oracle.Meter("a" * 24, interval_s=3600, installed_at=(FIRST_DAY + 3) * DAY_S)
    steps = [
        Step(tuple(oracle.Row(at, {"en_im": 9_999_970_007}) for at in stamps), None, settled=True)
        for stamps in (
            (day_at + 3600, day_at + 68_400),
            (FIRST_DAY * DAY_S + 3600,),
            (day_at + 21_600, day_at + 79_200),
        )
    ]
    assert_marks_suffice(store, meter, steps)


def ends_just_before_midnight(meter: oracle.Meter, history: list[Step]) -> bool:
    """Whether the last interval of all is stamped up to a minute before it ends at midnight."""
    last_at = max((row.stamp for step in history for row in step.rows), default=0)
    return meter.interval_s is not None and last_at % DAY_S >= DAY_S - 60


@examples(few=15, many=150)
@given(meter=lone_meters(), history=histories())
def test_whatever_a_change_touches_is_marked(
    store: SqlStore, meter: oracle.Meter, history: list[Step]
) -> None:
    # The known fault below.
    assume(not ends_just_before_midnight(meter, history))
    assert_marks_suffice(store, meter, history)


@pytest.mark.xfail(
    strict=True,
    reason="a finding about a last interval that is stamped just before midnight is filed under "
    "the day after, which is not settled where all days with data are",
)
def test_a_last_interval_stamped_just_before_midnight(store: SqlStore) -> None:
    facts = oracle.Facts(valid_from=0, mode="consumption")
    meter = oracle.Meter(id="a" * 24, medium="electricity", facts=(facts,), interval_s=3600)
    first_at = (FIRST_DAY + 1) * DAY_S - 4 * 21_600 - 4
    rows = [
        oracle.Row(first_at + 21_600 * count, {"en_im": 9_999_988_007 + 1_000 * count})
        for count in range(5)
    ]
    assert_marks_suffice(
        store, meter, [Step(tuple(rows[:2]), 0, settled=True), Step(tuple(rows[2:]), None, True)]
    )
