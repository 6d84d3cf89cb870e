"""Generated buildings: a plan (drawn by hypothesis, so that it shrinks), a seed for the noise."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from random import Random
from typing import Literal

from hypothesis import strategies as st

from tests.oracle.allocation import Key
from tests.oracle.facts import (
    ELECTRICITY,
    QUARTER_S,
    RAW_REGISTERS,
    BalanceMode,
    BatteryOrder,
    Building,
    Delivery,
    Device,
    Facts,
    Medium,
    Meter,
    Mode,
    Operand,
    Resolution,
    Side,
)
from tests.oracle.flows import (
    Flows,
    a_battery,
    a_charge_point,
    a_grid_connection,
    a_home,
    a_pv_plant,
)
from tests.oracle.gateways import TROUBLES, Gateway, Sending, Trouble

QUARTERS_A_DAY = 96
FIRST_DAYS = (19_076, 19_660, 20_148)  # 2022-03-25, 2023-10-30, 2025-03-01
FACTORS = tuple(Fraction(text) for text in ("1", "0.5", "1.25", "40", "0.333", "4000", "0.001"))
CADENCES_S = (900, 900, 900, 300, 1800, 3600, 10_800, 86_400)
SLOW: tuple[Medium, ...] = ("heating", "cooling", "cold_water", "hot_water")

KEYS: tuple[Key, ...] = Key.__args__  # type: ignore[attr-defined]
SHARES = tuple(
    None if text is None else Fraction(text)
    for text in (None, "0", "100", "50", "33.333333", "12.5", "0.000001")
)

Change = Literal[
    "enabled", "balance", "isolated", "factor", "swap", "mode", "rule", "site", "key", "terms"
]
CHANGES: tuple[Change, ...] = Change.__args__  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Plan:
    """What a building has. The smallest plan is one day without meters and without troubles."""

    seed: int = 0
    days: int = 1
    consumers: int = 0
    charge_points: int = 0
    producers: int = 0
    grids: int = 0
    batteries: int = 0
    rule_meters: int = 0
    slow_meters: int = 0
    clamped: bool = False
    key: Key = "pro_rata"
    battery_first: bool = False
    proxy_days: bool = False
    intervals: bool = False
    lives: bool = False
    devices: bool = False
    resolutions: bool = False
    changes: frozenset[Change] = frozenset()
    troubles: frozenset[Trouble] = frozenset()


def plans(days: int = 2) -> st.SearchStrategy[Plan]:
    """Plans of buildings over up to so many days."""
    return st.builds(
        Plan,
        seed=st.integers(0, 2**32 - 1),
        days=st.integers(1, days),
        consumers=st.integers(0, 4),
        charge_points=st.integers(0, 2),
        producers=st.integers(0, 2),
        grids=st.integers(0, 2),
        batteries=st.integers(0, 2),
        rule_meters=st.integers(0, 3),
        slow_meters=st.integers(0, 2),
        clamped=st.booleans(),
        key=st.sampled_from(KEYS),
        battery_first=st.booleans(),
        proxy_days=st.booleans(),
        intervals=st.booleans(),
        lives=st.booleans(),
        devices=st.booleans(),
        resolutions=st.booleans(),
        changes=st.frozensets(st.sampled_from(CHANGES)),
        troubles=st.frozensets(st.sampled_from(TROUBLES)),
    )


def first_day(plan: Plan) -> int:
    """The UTC day (since 1970) on which a plan's building begins to be read."""
    return FIRST_DAYS[plan.seed % len(FIRST_DAYS)]


def building_of(plan: Plan) -> Building:
    """Build the building of a plan; the same plan, the same building."""
    return _Builder(plan, Random(plan.seed)).build()


@dataclass
class _Builder:
    plan: Plan
    random: Random
    meters: list[Meter] = field(default_factory=list)
    sendings: list[tuple[int, str, Sending]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.quarters = self.plan.days * QUARTERS_A_DAY
        self.first_at = first_day(self.plan) * 86_400

    def build(self) -> Building:
        self._electricity()
        for _ in range(self.plan.slow_meters):
            medium = self.random.choice(SLOW)
            steps = [self.random.choice((0, 250_000, 1_000_000)) for _ in range(self.quarters)]
            self._add("consumption", {"im": steps}, medium)
        for _ in range(self.plan.rule_meters):
            self._add_rule_meter()
        balance: list[tuple[int, BalanceMode]] = [(0, "clamped" if self.plan.clamped else "plain")]
        if "site" in self.plan.changes:
            balance.append((self._some_quarter(), "plain" if self.plan.clamped else "clamped"))
        key, battery = self._keys(), self._battery_orders()
        meters, proxies = self._with_terms(self._numbered()), self._proxy_days()
        return Building(meters, tuple(balance), key, battery, proxies)

    def _proxy_days(self) -> tuple[tuple[int, bool], ...]:
        told = [(0, self.plan.proxy_days)]
        if "site" in self.plan.changes and self.plan.proxy_days:
            told = [(0, False), (self._some_quarter(), True)]
        return tuple(told)

    def _keys(self) -> tuple[tuple[int, Key], ...]:
        keys: list[tuple[int, Key]] = [(0, self.plan.key)]
        if "key" in self.plan.changes:
            keys.append((self._some_quarter(), self.random.choice(KEYS)))
        return tuple(keys)

    def _battery_orders(self) -> tuple[tuple[int, BatteryOrder], ...]:
        orders: list[BatteryOrder] = (
            ["first", "last"] if self.plan.battery_first else ["last", "first"]
        )
        told = [(0, orders[0])]
        if "site" in self.plan.changes:
            told.append((self._some_quarter(), orders[1]))
        return tuple(told)

    def _with_terms(self, meters: tuple[Meter, ...]) -> tuple[Meter, ...]:
        """The meters with shares, priorities and producers, which may change at a quarter-hour."""
        modes = {meter.id: {facts.mode for facts in meter.facts} for meter in meters}
        producers = [name for name, of_meter in modes.items() if "production" in of_meter]
        changed = []
        for meter in meters:
            facts = [self._terms(each, producers) for each in meter.facts[:1]]
            facts += [
                replace(
                    each,
                    share=facts[0].share,
                    priority=facts[0].priority,
                    producers=facts[0].producers,
                )
                for each in meter.facts[1:]
            ]
            if "terms" in self.plan.changes and self.random.random() < 0.5:
                since = facts[-1].valid_from + QUARTER_S
                since = max(since, self._some_quarter())
                facts.append(replace(self._terms(facts[-1], producers), valid_from=since))
            changed.append(replace(meter, facts=tuple(facts)))
        return tuple(changed)

    def _terms(self, facts: Facts, producers: list[str]) -> Facts:
        named = [name for name in producers if self.random.random() < 0.6]
        return replace(
            facts,
            share=self.random.choice(SHARES),
            priority=self.random.choice((0, 0, 1, -3)),
            producers={name: self.random.choice(SHARES) for name in named},
        )

    def _numbered(self) -> tuple[Meter, ...]:
        """The meters with their deliveries, which are numbered in the order of recording."""
        deliveries: dict[str, list[Delivery]] = {meter.id: [] for meter in self.meters}
        in_order = sorted(self.sendings, key=lambda sent: sent[0])
        for number, (recorded_at, meter_id, sent) in enumerate(in_order, start=1):
            deliveries[meter_id].append(
                Delivery(number, recorded_at * 1_000_000, tuple(sent.rows), sent.withdrawn)
            )
        numbered = [replace(m, deliveries=tuple(deliveries[m.id])) for m in self.meters]
        return tuple(sorted(numbered, key=lambda meter: meter.id))

    def _electricity(self) -> None:
        """Loads, sun and batteries of a whole building, and the grid that closes its books."""
        plan, random, quarters = self.plan, self.random, self.quarters
        net = [0] * quarters
        for _ in range(plan.consumers):
            load = a_home(random, quarters)
            net = [n + used for n, used in zip(net, load, strict=True)]
            idle: dict[Side, Sequence[int]] = (
                {"ex": [0] * quarters} if random.random() < 0.3 else {}
            )
            self._add("consumption", {"im": load, **idle}, "electricity")
        for _ in range(plan.charge_points):
            load = a_charge_point(random, quarters)
            net = [n + used for n, used in zip(net, load, strict=True)]
            self._add("consumption", {"im": load}, "charge_point")
        for _ in range(plan.producers):
            sun = a_pv_plant(random, quarters)
            net = [n - made for n, made in zip(net, sun, strict=True)]
            plant: dict[Side, Sequence[int]] = {"ex": sun}
            if random.random() < 0.3:
                plant["im"] = [3_000] * quarters
            self._add("production", plant, "electricity")
        for _ in range(plan.batteries):
            charged, discharged = a_battery(random, net)
            net = [n + c - d for n, c, d in zip(net, charged, discharged, strict=True)]
            self._add("battery", {"im": charged, "ex": discharged}, "electricity")
        for _ in range(plan.grids):
            bought, sold = a_grid_connection(random, [n // plan.grids for n in net])
            grid: dict[Side, Sequence[int]] = {"im": bought}
            if plan.producers or random.random() < 0.5:
                grid["ex"] = sold
            self._add("introduction", grid, "electricity")

    def _add_rule_meter(self) -> None:
        """Add a sum or difference over meters that exist already, rule meters included."""
        operands = [m for m in self.meters if m.medium in ELECTRICITY and not _ever_isolated(m)]
        if not operands:
            return
        mode: Mode = self.random.choice(("consumption", "consumption", "production"))
        facts = [Facts(mode=mode, balance=self.random.random() < 0.8, rule=self._rule(operands))]
        for change in sorted(self.plan.changes & {"enabled", "balance", "rule"}):
            changed = self._changed(facts[-1], change)
            if change == "rule":
                changed = replace(changed, rule=self._rule(operands))
            since = max(facts[-1].valid_from + QUARTER_S, self._some_quarter())
            facts.append(replace(changed, valid_from=since))
        self.meters.append(Meter(f"{self.random.getrandbits(96):024x}", facts=tuple(facts)))

    def _rule(self, meters: list[Meter]) -> tuple[Operand, ...]:
        registers = (None, None, "en_im", "en_ex")
        return tuple(
            Operand(
                self.random.choice((1, 1, -1)),
                self.random.choice(meters).id,
                self.random.choice(registers),
            )
            for _ in range(self.random.randint(1, 4))
        )

    def _some_quarter(self) -> int:
        return self.first_at + QUARTER_S * self.random.randrange(-4, self.quarters + 4)

    def _some_instant(self) -> int:
        """Often on a quarter-hour's boundary, where most goes wrong."""
        return self._some_quarter() + self.random.choice((0, 0, 1, 300, 450, 899))

    def _add(self, mode: Mode, flows: dict[Side, Sequence[int]], medium: Medium) -> None:
        """Add a meter that measures these flows, by side."""
        raw = RAW_REGISTERS[medium]
        meter = Meter(
            id=f"{self.random.getrandbits(96):024x}",
            medium=medium,
            facts=self._facts(Facts(mode=mode), medium),
            interval_s=self.random.choice((None, 900, 1800, 3600)) if self.plan.intervals else None,
        )
        meter = self._with_life(meter, list(raw.values())) if self.plan.lives else meter
        if self.random.random() < 0.02:
            self.meters.append(meter)
            return  # a meter that was never read
        energy = {raw[side]: steps for side, steps in flows.items()}
        gateway = Gateway(
            self.random,
            Flows(self.first_at, energy),
            frozenset(t for t in sorted(self.plan.troubles) if self.random.random() < 0.35),
            meter.interval_s,
            self.random.choice(CADENCES_S),
        )
        self.sendings += [(sent.recorded_at, meter.id, sent) for sent in gateway.send()]
        if "resets" in self.plan.troubles and meter.interval_s is None:
            meter = replace(meter, begins_again=self.random.random() < 0.4)
        if self.plan.devices and meter.interval_s is None:
            meter = replace(meter, devices=self._devices(gateway))
        if self.plan.resolutions:
            meter = replace(meter, resolutions=self._resolutions(gateway, list(raw.values())))
        self.meters.append(meter)

    def _devices(self, gateway: Gateway) -> tuple[Device, ...]:
        """What somebody declared of the devices: mostly right, now and then only half of it."""
        random = self.random
        devices = [Device(random.choice((None, None, self._some_instant())), "S0")]
        for number, each in enumerate(sorted(gateway.exchanges, key=lambda each: each.at), start=1):
            off_s = random.choice((0, 0, 0, 1, -450, 900))
            end = random.choice((each.end_index, each.end_index, {}))
            start = random.choice((each.start_index, each.start_index, {}))
            devices[-1] = replace(devices[-1], end_index=end)
            devices.append(Device(each.at + off_s, f"S{number}", start_index=start))
        if random.random() < 0.2:
            devices.append(Device(self._some_instant(), start_index={"en_im": 0}))
        digits = random.choice((None, gateway.digits))
        known = {each.from_at: each for each in devices}
        ordered = sorted(known.values(), key=lambda each: each.from_at or 0)
        return tuple(
            replace(each, digits=digits, factor=random.choice((None, None, *FACTORS)))
            for each in ordered
        )

    def _resolutions(self, gateway: Gateway, registers: list[str]) -> tuple[Resolution, ...]:
        """What somebody declared of what was found, there or somewhere else."""
        random = self.random
        some_at = self._some_instant()
        spans = [*gateway.begun_anew, *gateway.begun_anew, (some_at, some_at + 1800)]
        kinds: tuple[Literal["reset", "rollover", "faulty"], ...] = ("reset", "rollover", "faulty")
        return tuple(
            Resolution(
                random.choice(registers),
                random.choice(kinds),
                *random.choice(spans),
                random.choice((None, None, gateway.digits)),
            )
            for _ in range(random.randint(0, 3))
        )

    def _with_life(self, meter: Meter, registers: list[str]) -> Meter:
        installed_at, removed_at = sorted((self._some_instant(), self._some_instant()))
        index = {register: self.random.choice((0, 5, 10**9)) for register in registers}
        return replace(
            meter,
            installed_at=self.random.choice((None, self.first_at, installed_at)),
            installed_index=self.random.choice(({}, index)),
            removed_at=self.random.choice((None, None, removed_at)),
        )

    def _facts(self, first: Facts, medium: Medium) -> tuple[Facts, ...]:
        """The first facts and, from quarter-hours on, what changed of them."""
        limit = self.random.choice((None, None, 2_000, 400_000))
        facts = [replace(first, factor=self._factor(), max_per_hour=limit)]
        possible = self.plan.changes
        if medium != "electricity":
            possible -= {"mode", "swap"}
        for change in sorted(possible):
            if self.random.random() < 0.25:
                changed = self._changed(facts[-1], change)
                since = max(facts[-1].valid_from + QUARTER_S, self._some_quarter())
                facts.append(replace(changed, valid_from=since))
        return tuple(facts)

    def _factor(self) -> Fraction:
        may_differ = "factor" in self.plan.changes and self.random.random() < 0.3
        return self.random.choice(FACTORS) if may_differ else Fraction(1)

    def _changed(self, facts: Facts, change: Change) -> Facts:
        swapped = {"en_im": "en_ex", "en_ex": "en_im"}
        changed: dict[Change, Callable[[], Facts]] = {
            "enabled": lambda: replace(facts, enabled=not facts.enabled),
            "balance": lambda: replace(facts, balance=not facts.balance),
            "isolated": lambda: replace(facts, isolated=not facts.isolated),
            "factor": lambda: replace(facts, factor=self.random.choice(FACTORS)),
            "swap": lambda: replace(facts, registers={} if facts.registers else swapped),
            "mode": lambda: replace(facts, mode=self._other_mode(facts.mode)),
        }
        return changed[change]() if change in changed else facts

    def _other_mode(self, mode: Mode) -> Mode:
        others: tuple[Mode, ...] = ("consumption", "production", "introduction", "battery")
        return self.random.choice([other for other in others if other != mode])


def _ever_isolated(meter: Meter) -> bool:
    return any(facts.isolated for facts in meter.facts)
