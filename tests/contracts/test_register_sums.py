"""Locked sum + open differences + open sum = register difference [kWh], at any moment."""

from dataclasses import dataclass, field
from decimal import Decimal
from random import Random

from hypothesis import example, given
from hypothesis import strategies as st

from commonwatt.adapters.store.sql_store import SqlStore
from commonwatt.app.billing.differences import read_differences
from commonwatt.app.billing.lock import lock_group, read_locks, unlock_group
from commonwatt.app.readings.deliveries import withdraw_delivery
from commonwatt.domain.metering.catalogue import Group
from tests.contracts.answers import Window, answers_of
from tests.contracts.stored_results import add_building, deliver, settle_everything
from tests.depth import examples
from tests.oracle import facts as oracle

DAY_S = 86_400
FIRST_DAY = 19_076
START_AT = FIRST_DAY * DAY_S
NOW_US = (FIRST_DAY + 400) * DAY_S * 1_000_000
QUARTERS = 200
WINDOW = Window(FIRST_DAY - 1, FIRST_DAY + 4)


@dataclass
class Register:
    """A register that counts, perhaps of a device that took another's place.

    ``true`` are its indexes [mWh] at the quarter-hours; a reading lies between the one before and
    that, so that readings rise whichever of them are known.
    """

    chance: Random
    true: list[int] = field(default_factory=list)
    exchanged: int | None = None
    started: int = 0
    known: dict[int, list[tuple[int, int]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.true = [self.chance.randrange(2_000, 10**9)]
        for _ in range(QUARTERS):
            self.true.append(self.true[-1] + self.chance.choice((0, 1, 700, 40_000, 2_000_000)))
        if self.chance.random() < 0.5:
            self.exchanged = self.chance.randrange(1, QUARTERS)
            self.started = self.chance.choice((1_499, 10**6, 2 * 10**9))

    def meter(self) -> oracle.Meter:
        if self.exchanged is None:
            return oracle.Meter("a" * 24)
        end, start = {"en_im": self.true[self.exchanged]}, {"en_im": self.started}
        at = START_AT + 900 * self.exchanged
        devices = (oracle.Device(end_index=end), oracle.Device(at, start_index=start))
        return oracle.Meter("a" * 24, devices=devices)

    def read(self, quarter: int) -> int:
        """An index [mWh] that the register may have shown at a quarter-hour."""
        since = self.true[max(quarter - 1, self.exchanged or 0, 0)]
        if self.exchanged is None or quarter < self.exchanged:
            since = self.true[max(quarter - 1, 0)]
            return self.chance.randint(since, self.true[quarter])
        index = self.chance.randint(min(since, self.true[quarter]), self.true[quarter])
        return index - self.true[self.exchanged] + self.started

    def difference(self) -> Decimal:
        """What the registers counted between the readings that count [kWh]."""
        indexes = {quarter: said[-1][1] for quarter, said in sorted(self.known.items()) if said}
        parts = [[self.whole(index) for index in indexes.values()]]
        if self.exchanged is not None:
            before = [self.whole(i) for quarter, i in indexes.items() if quarter < self.exchanged]
            after = [self.whole(i) for quarter, i in indexes.items() if quarter >= self.exchanged]
            parts = [
                [*before, self.whole(self.true[self.exchanged])] if before else [],
                [self.whole(self.started), *after] if after else [],
            ]
        return sum((Decimal(part[-1] - part[0]) for part in parts if part), Decimal(0)) / 1000

    def whole(self, index: int) -> int:
        """An index [mWh] in whole Wh."""
        return (index + 500) // 1000


def summed(store: SqlStore, site: int) -> Decimal:
    """What is answered, locked or not, with the open differences [kWh]."""
    with store.snapshot() as snapshot:
        catalogue = snapshot.catalogue.catalogue(site)
        (meter,) = catalogue.meters
        answered = sum(answers_of(snapshot, catalogue, WINDOW)[meter.id]["total"])
        differing = sum(
            int(each.difference.sum())
            for each in read_differences(snapshot, catalogue, Group.ELECTRICITY)
            if each.column == "total"
        )
    return Decimal(answered + differing) / 1000


def assert_sums_are_those_of_registers(store: SqlStore, seed: int) -> None:
    chance = Random(seed)
    register = Register(chance)
    catalogue = add_building(store, oracle.Building((register.meter(),)))
    site, (meter,) = catalogue.site.number, catalogue.meters
    for step in range(14):
        now_us = NOW_US + step * 60_000_000
        quarters = sorted(chance.sample(range(QUARTERS + 1), chance.choice((1, 3, 40))))
        indexes = {quarter: register.read(quarter) for quarter in quarters}
        rows = tuple(oracle.Row(START_AT + 900 * q, {"en_im": i}) for q, i in indexes.items())
        number = deliver(store, site, meter, rows, now_us).delivery
        if number is not None:
            for quarter, index in indexes.items():
                if index not in (value for _, value in register.known.get(quarter, ())):
                    register.known.setdefault(quarter, []).append((number, index))
            if chance.random() < 0.2:
                withdraw_delivery(store, site, number, "wrong", "me", now_us)
                for said in register.known.values():
                    said[:] = [each for each in said if each[0] != number]
        if chance.random() < 0.4:
            settle_everything(store, site)
        lock_or_unlock(store, site, chance, now_us)
        assert summed(store, site) == register.difference()


def lock_or_unlock(store: SqlStore, site: int, chance: Random, now_us: int) -> None:
    with store.snapshot() as snapshot:
        locks = read_locks(snapshot, site)
    until_at = locks[0].last.until_at if locks else START_AT
    if chance.random() < 0.5:
        further_at = until_at + 900 * chance.randrange(1, 60)
        lock_group(store, site, Group.ELECTRICITY, further_at, "me", now_us, "a test")
    elif locks and chance.random() < 0.4:
        back_at = START_AT + 900 * chance.randrange((until_at - START_AT) // 900 + 1)
        unlock_group(store, site, Group.ELECTRICITY, back_at, "wrong", "me", now_us)


@examples(few=5, many=60)
@example(seed=17)  # an exchange with its end index, days after the last reading
@given(seed=st.integers(0, 2**32 - 1))
def test_locked_differing_and_open_sum_up_to_the_register(store: SqlStore, seed: int) -> None:
    assert_sums_are_those_of_registers(store, seed)
