"""Whatever can change a site, drawn by chance and done to one site or to several alike."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from random import Random

from commonwatt.adapters.store.sql_store import SqlStore
from commonwatt.app.billing.edit_quarters import UnknownEdit, WantedEdit, edit_quarters, undo_edit
from commonwatt.app.billing.edit_reading import WantedReading, edit_reading
from commonwatt.app.declaring.apply import CannotChange, apply_declaration
from commonwatt.app.declaring.declaration import (
    InvalidDeclaration,
    MeterDeclaration,
    SiteDeclaration,
)
from commonwatt.app.declaring.exchange import Exchange, exchange_device
from commonwatt.app.findings.read import read_findings
from commonwatt.app.findings.resolve import (
    UnknownFinding,
    Verdict,
    resolve_finding,
    take_resolution_back,
)
from commonwatt.app.readings.deliveries import (
    NothingToChange,
    reinstate_delivery,
    withdraw_delivery,
)
from commonwatt.domain.metering.catalogue import (
    REGISTERS_OF,
    BalanceMode,
    BatteryOrder,
    Meter,
    Register,
    ResolutionKind,
    SiteCatalogue,
)
from commonwatt.domain.metering.findings import finding_id
from tests.contracts.stored_results import add_building, deliver
from tests.contracts.test_incremental_apply import a_change
from tests.oracle import facts as oracle
from tests.oracle.buildings import Plan, building_of, first_day

DAY_S = 86_400
KEYS = ("pro_rata", "priority", "equal", "own_first")
ZONES = ("Europe/Zurich", "Asia/Kathmandu", "UTC")
REFUSED = (*(InvalidDeclaration, CannotChange, UnknownFinding, UnknownEdit, NothingToChange),)


@dataclass
class ChangedSite:
    """A site that changes are done to, with the numbers of its deliveries in order."""

    store: SqlStore
    number: int
    deliveries: list[int | None] = field(default_factory=list)

    def catalogue(self) -> SiteCatalogue:
        with self.store.snapshot() as snapshot:
            return snapshot.catalogue.catalogue(self.number)

    def meter(self, position: int) -> Meter:
        return next(each for each in self.catalogue().meters if each.number == position + 1)

    def findings(self) -> list[str]:
        """The ids of what is found, in the order of meters and instants."""
        with self.store.snapshot() as snapshot:
            catalogue = snapshot.catalogue.catalogue(self.number)
            found = read_findings(snapshot, catalogue)
        ids = {meter.number: meter.id for meter in catalogue.meters}
        found.sort(key=lambda f: (f.meter, f.start_at, f.end_at, f.rule, f.register))
        return [finding_id(catalogue.site.id, ids[each.meter], each) for each in found]


Action = Callable[[ChangedSite, int], object]
"""Does something to a site at an instant [Unix microseconds]."""


def site_of(store: SqlStore, plan: Plan) -> ChangedSite:
    """Declare the building of a plan, of which nothing was delivered yet."""
    return ChangedSite(store, add_building(store, building_of(plan)).site.number)


def is_done(action: Action, site: ChangedSite, now_us: int) -> bool:
    """Do it; False where it is refused, which must leave what is declared."""
    before = site.catalogue()
    try:
        action(site, now_us)
    except REFUSED:
        assert site.catalogue() == before
        return False
    return True


@dataclass
class Changes:
    """Draws what happens to the sites of a plan."""

    plan: Plan
    chance: Random
    sent: list[tuple[int, oracle.Delivery]] = field(init=False)
    all_sent: tuple[tuple[int, oracle.Delivery], ...] = field(init=False)

    def __post_init__(self) -> None:
        self.building = building_of(self.plan)
        self.start_at = first_day(self.plan) * DAY_S
        self.sent = [
            (position, delivery)
            for position, meter in enumerate(self.building.meters)
            for delivery in meter.deliveries
            if not meter.facts[-1].rule
        ]
        self.chance.shuffle(self.sent)
        self.all_sent = tuple(self.sent)

    def next(self) -> Action:
        """Draw what happens next: readings as long as there are any, mostly."""
        if self.sent and self.chance.random() < 0.45:
            return self._delivery(*self.sent.pop())
        draws = (
            *(self._turn, self._exchange, self._resolve, self._reopen),
            *(self._edit, self._edit_reading, self._edit_reading, self._undo),
            *(self._declare_meter, self._declare_meter, self._declare_site),
        )
        return self.chance.choice(draws)()

    def some_quarter_at(self) -> int:
        return self.start_at + 900 * self.chance.randrange(-8, 96 * self.plan.days + 8)

    def _position(self) -> int:
        return self.chance.randrange(max(1, len(self.building.meters)))

    def _delivery(self, position: int, delivery: oracle.Delivery) -> Action:
        def act(site: ChangedSite, now_us: int) -> None:
            meter = site.meter(position)
            receipt = deliver(site.store, site.number, meter, delivery.rows, now_us)
            site.deliveries.append(receipt.delivery)

        return act

    def _turn(self) -> Action:
        """Withdraw a delivery, or reinstate it."""
        choice, is_back = self.chance.randrange(1000), self.chance.random() < 0.4

        def act(site: ChangedSite, now_us: int) -> None:
            numbers = [each for each in site.deliveries if each is not None]
            if not numbers:
                return
            number = numbers[choice % len(numbers)]
            if is_back:
                reinstate_delivery(site.store, site.number, number, "me", now_us)
            else:
                withdraw_delivery(site.store, site.number, number, "wrong", "me", now_us)

        return act

    def _exchange(self) -> Action:
        position, at = self._position(), self.some_quarter_at() + self.chance.choice((0, 0, 1, 450))
        indexes = [self.chance.choice((None, 0, 5_000, 10**9)) for _ in range(2)]
        factor = self.chance.choice((None, None, Decimal(40), Decimal("0.5")))
        digits = self.chance.choice((None, None, 4))

        def act(site: ChangedSite, now_us: int) -> None:
            if position >= len(self.building.meters):
                return
            meter = site.meter(position)
            register = REGISTERS_OF[meter.medium][0]
            end, start = ({} if index is None else {register: index} for index in indexes)
            wanted = Exchange(at=at, end_index=end, start_index=start, factor=factor, digits=digits)
            exchange_device(site.store, site.number, meter.id, wanted, "me", now_us // 1_000_000)

        return act

    def _resolve(self) -> Action:
        choice, kind = self.chance.randrange(1000), self.chance.choice([*ResolutionKind])
        verdict = Verdict(kind=kind, reason="seen")

        def act(site: ChangedSite, now_us: int) -> None:
            if found := site.findings():
                wanted = found[choice % len(found)]
                resolve_finding(site.store, site.number, wanted, verdict, "me", now_us // 1_000_000)

        return act

    def _reopen(self) -> Action:
        choice = self.chance.randrange(1000)

        def act(site: ChangedSite, now_us: int) -> None:
            meters = site.catalogue().meters
            resolved = [each.finding for meter in meters for each in meter.resolutions]
            wanted = [each for each in resolved if each]
            if wanted:
                one = wanted[choice % len(wanted)]
                take_resolution_back(site.store, site.number, one, "me", now_us // 1_000_000)

        return act

    def _edit(self) -> Action:
        position, start_at = self._position(), self.some_quarter_at()
        length, energy = self.chance.randrange(1, 30), self.chance.choice((None, 0, 77, 5_000))

        def act(site: ChangedSite, now_us: int) -> None:
            if position < len(self.building.meters):
                meter = site.meter(position)
                wanted = WantedEdit(
                    meter_id=meter.id,
                    start_at=start_at,
                    end_at=start_at + 900 * length,
                    energy=energy,
                    reason="read off",
                )
                edit_quarters(site.store, site.number, wanted, "me", now_us)

        return act

    def _edit_reading(self) -> Action:
        """Set or clear a reading that is sent some day, or set one more."""
        position, at = self._position(), self.some_quarter_at() + self.chance.choice((0, 0, 7))
        register, index = None, self.chance.choice((0, 1_000, 10**8, 10**12))
        rows = [row for meter, sent in self.all_sent if meter == position for row in sent.rows]
        if rows and self.chance.random() < 0.8:
            row = self.chance.choice(rows)
            at, name = row.stamp, self.chance.choice(sorted(row.values))
            register, index = Register(name), row.values[name]
            index += self.chance.choice((0, 0, 9_999, -9_999, 10**9))
        is_cleared = self.chance.random() < 0.4

        def act(site: ChangedSite, now_us: int) -> None:
            if position < len(self.building.meters):
                wanted = WantedReading(
                    meter_id=site.meter(position).id,
                    at=at,
                    index=None if is_cleared else max(0, index),
                    reason="misread",
                    register=register,
                )
                edit_reading(site.store, site.number, wanted, "me", now_us)

        return act

    def _undo(self) -> Action:
        number = self.chance.randrange(1, 5)
        return lambda site, now_us: undo_edit(site.store, site.number, number, "me", now_us)

    def _declare_meter(self) -> Action:
        from_at, seed = self.some_quarter_at(), self.chance.randrange(2**32)
        position = self._position()

        def act(site: ChangedSite, now_us: int) -> None:
            if position < len(self.building.meters):
                meter = site.meter(position)
                changed = self._a_change(site.catalogue(), meter, Random(seed), from_at)
                _declare(site, now_us, meters=(changed,))

        return act

    def _a_change(
        self, catalogue: SiteCatalogue, meter: Meter, chance: Random, from_at: int
    ) -> MeterDeclaration:
        if chance.random() < 0.5:
            return a_change(meter, chance, from_at, self.start_at)
        mode = meter.facts_at(from_at).mode
        same = MeterDeclaration(
            line=2,
            id=meter.id,
            name=meter.name,
            medium=meter.medium,
            mode=mode,
            valid_from=from_at,
        )
        possible = [
            replace(same, name=meter.name + "+"),
            replace(same, prim_ad=chance.randrange(5_000, 9_000)),
            replace(same, priority=chance.randrange(3)),
            replace(same, share=chance.choice((None, Decimal(50), Decimal(100)))),
        ]
        if not meter.is_rule_meter:
            possible.append(replace(same, max_per_hour=chance.choice((None, 10, 10**6, 10**9))))
        if meter.interval_s is not None:
            others = [m for m in catalogue.meters if m.medium is meter.medium]
            named = chance.choice(others).id
            possible.append(replace(same, register_meter=chance.choice((None, named))))
        return chance.choice(possible)

    def _declare_site(self) -> Action:
        from_at, chance = self.some_quarter_at(), self.chance
        said: list[dict[str, object]] = [
            {"balance": chance.choice([*BalanceMode])},
            {"key": chance.choice(KEYS)},
            {"battery": chance.choice([*BatteryOrder])},
            {"connection_w": chance.choice((None, 100, 10**6))},
            {"proxy_days": chance.random() < 0.5},
            {"latitude": chance.choice((None, 47.0, -30.0, 70.0))},
            {"timezone": chance.choice(ZONES)},
            {"name": "Renamed"},
        ]
        fields = chance.choice(said)
        return lambda site, now_us: _declare(site, now_us, valid_from=from_at, **fields)


def _declare(site: ChangedSite, now_us: int, **fields: object) -> None:
    of_site = site.catalogue().site
    declaration = SiteDeclaration(
        line=1, id=of_site.id, name=of_site.name, timezone=of_site.timezone
    )
    said = replace(declaration, **fields)  # type: ignore[arg-type]
    apply_declaration(site.store, said, "me", now_us // 1_000_000)
