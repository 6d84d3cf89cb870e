"""Keys, shares, priorities, producers and lives that change, from the declaration to the shares."""

from dataclasses import dataclass

import pytest

from commonwatt.adapters.store.sql_store import SqlStore
from commonwatt.app.billing.simulate_key import KeyLacksTerms, simulate_key
from commonwatt.app.declaring.apply import apply_declaration
from commonwatt.app.declaring.declaration import InvalidDeclaration
from commonwatt.app.series.read import read_meter_series, read_site_series
from commonwatt.domain.metering.catalogue import Group, Medium, SiteCatalogue
from commonwatt.domain.metering.quality import exists
from commonwatt.formats.declaration.yaml import declaration_from_yaml
from tests.contracts.stored_results import deliver, settle_everything
from tests.oracle import facts as oracle

NOON_AT = 1_782_907_200  # 2026-07-01T12:00:00Z
NOON = NOON_AT // 900
DAY_US = 86_400 * 10**6
PV1, PV2, A, B, C, GRID = 101, 102, 11, 12, 13, 10
USED_WH = {A: 40, B: 20, C: 40}
MADE_WH = {PV1: 50, PV2: 30}
"""In every quarter-hour: 80 of the 100 Wh that are used come from the roofs."""


def stamp(quarter: int) -> str:
    """The start of a quarter-hour, counted from noon."""
    return f"2026-07-01T{12 + quarter // 4:02}:{15 * (quarter % 4):02}:00Z"


def declaration(*meters: str, electricity: str = "") -> str:
    books = f", electricity: {{{electricity}}}" if electricity else ""
    lines = "".join(f"  - {{type: electricity, {meter}}}\n" for meter in meters) or "  []\n"
    return f"site: {{site_ref: A, name: House, timezone: UTC{books}}}\nmeters:\n{lines}"


def consumer(prim_ad: int, *said: str) -> str:
    name = {A: "A", B: "B", C: "C"}.get(prim_ad, str(prim_ad))
    return ", ".join((f"name: {name}, mode: consumption, prim_ad: {prim_ad}", *said))


def producer(prim_ad: int, *said: str) -> str:
    return ", ".join((f"name: PV {prim_ad}, mode: production, prim_ad: {prim_ad}", *said))


@dataclass
class House:
    """Three consumers, two producers; 12 quarter-hours of readings from noon on."""

    store: SqlStore

    def declare(self, *meters: str, electricity: str = "", now_at: int = NOON_AT) -> list[str]:
        text = declaration(*meters, electricity=electricity)
        applied = apply_declaration(
            self.store, declaration_from_yaml(text.encode()), "tester", now_at
        )
        return list(applied.lines)

    def faults(self, *meters: str, electricity: str = "") -> list[str]:
        with pytest.raises(InvalidDeclaration) as raised:
            self.declare(*meters, electricity=electricity)
        return [str(fault) for fault in raised.value.faults]

    @property
    def catalogue(self) -> SiteCatalogue:
        with self.store.snapshot() as snapshot:
            return snapshot.catalogue.catalogue(1)

    def read(self, prim_ad: int, wh: int, first: int = 0, last: int = 12) -> None:
        """Deliver an index at the start of each quarter-hour, from ``first`` to ``last``."""
        meter = self.catalogue.meter_by_address["electricity", prim_ad]
        register = "en_ex" if prim_ad in MADE_WH else "en_im"
        rows = tuple(
            oracle.Row(NOON_AT + 900 * at, {register: 10**6 + 1000 * wh * at})
            for at in range(first, last + 1)
        )
        receipt = deliver(self.store, 1, meter, rows, NOON_AT * 10**6 + DAY_US)
        assert receipt.accepted == len(rows)

    def settle(self) -> None:
        settle_everything(self.store, 1)

    def shares(self, prim_ad: int, first: int = 0, end: int = 12) -> list[int | None]:
        """Shares [Wh] of the quarter-hours [first, end) from noon; None where there is none."""
        catalogue = self.catalogue
        meter = catalogue.meter_by_address["electricity", prim_ad]
        with self.store.snapshot() as snapshot:
            series = read_meter_series(snapshot, catalogue, meter, NOON + first, NOON + end)
        assert series.self_energy is not None
        assert series.quality_self is not None
        known = exists(series.quality_self).tolist()
        return [
            wh if there else None
            for wh, there in zip(series.self_energy.tolist(), known, strict=True)
        ]

    def balance(self, column: str, first: int = 0, end: int = 12) -> list[int]:
        with self.store.snapshot() as snapshot:
            series = read_site_series(
                snapshot, self.catalogue, Medium.ELECTRICITY, NOON + first, NOON + end
            )
        assert series is not None
        return [int(wh) for wh in getattr(series.balance, column)]


@pytest.fixture
def house(store: SqlStore) -> House:
    found = House(store)
    found.declare(*map(consumer, USED_WH), *map(producer, MADE_WH))
    for prim_ad, wh in (USED_WH | MADE_WH).items():
        found.read(prim_ad, wh)
    found.settle()
    return found


@pytest.mark.both_engines
def test_keys_change_from_quarter_hour_to_quarter_hour(house: House) -> None:
    """Each key holds for one quarter-hour; the answers are worked out by hand."""
    at = [f"valid_from: '{stamp(quarter)}'" for quarter in range(7)]
    # Shares of 40 and 20 % take part only where the key is one of participation.
    fixed = [consumer(A, "share: 40", at[2]), consumer(B, "share: 20", at[2])]
    house.declare(consumer(C, "priority: 1", at[1]), electricity=f"key: priority, {at[1]}")
    house.settle()
    house.declare(*fixed, consumer(C, "share: 20", at[2]), electricity=f"key: fixed, {at[2]}")
    house.settle()
    house.declare(
        consumer(A, "share: 30", at[3]),
        consumer(B, "share: 50", at[3]),
        electricity=f"key: fixed_redistributed, {at[3]}",
    )
    house.declare(electricity=f"key: equal, {at[4]}")
    house.declare(
        consumer(A, "share: null", "producers: [prim_ad:101]", at[5]),
        consumer(B, "share: null", "producers: [prim_ad:102]", at[5]),
        consumer(C, "share: null", at[5]),
        electricity=f"key: own_first, {at[5]}",
    )
    house.settle()
    house.declare(
        consumer(A, "producers: {prim_ad:101: 80}", at[6]),
        consumer(B, "producers: {prim_ad:101: 10, prim_ad:102: 10}", at[6]),
        consumer(C, "producers: {prim_ad:102: 40}", at[6]),
        electricity=f"key: matrix, {at[6]}",
    )
    house.settle()

    expected = {
        # 80 of 100 Wh; then C waits; then 40, 20, 20 % of 80 Wh, and 16 Wh are nobody's.
        "pro_rata": (32, 16, 32),
        "priority": (40, 20, 20),
        "fixed": (32, 16, 16),
        # B is entitled to 40 Wh and uses 20; the other 60 go 3 to 2.
        "fixed_redistributed": (36, 20, 24),
        "equal": (30, 20, 30),
        # A has all of its 40 from PV 101, B its 20 from PV 102; 20 are left, for C.
        "own_first": (40, 20, 20),
        # Claims of 40, 8 and 12 Wh; the other 20 for B and C, who need 12 and 28 Wh.
        "matrix": (40, 14, 26),
    }
    assert list(zip(*(house.shares(each, 0, 7) for each in USED_WH), strict=True)) == list(
        expected.values()
    )
    assert house.balance("self_energy", 0, 7) == [80] * 7
    assert house.balance("allocated", 0, 7) == [80, 80, 64, 80, 80, 80, 80]


def test_who_moves_in_gets_the_percentage_of_who_moved_out(house: House) -> None:
    half_past = "2026-07-01T12:30:00Z"
    house.declare(consumer(14, f"installed_at: '{half_past}'"))
    house.read(14, 20, first=2)
    house.declare(
        consumer(A, "share: 40"),
        consumer(B, "share: 40", f"removed_at: '{half_past}'"),
        consumer(C, "share: 20"),
        consumer(14, "share: 40"),
        electricity="key: fixed",
    )
    house.settle()
    # Of 80 Wh: 32 for A, 32 for B or its successor, who used 20, and 16 for C.
    assert house.shares(B, 0, 4) == [20, 20, None, None]
    assert house.shares(14, 0, 4) == [None, None, 20, 20]
    assert house.shares(A, 0, 4) == [32] * 4
    assert house.balance("allocated", 0, 4) == [68] * 4


def test_in_the_quarter_hour_of_a_move_both_are_members(house: House) -> None:
    """B moves out amid a quarter-hour, D moves in with the same percentage: 140 % together."""
    moved_at, at = NOON_AT + 2 * 900 + 420, "2026-07-01T12:37:00Z"
    house.declare(
        consumer(A, "share: 40"),
        consumer(B, "share: 40", f"removed_at: '{at}'"),
        consumer(C, "share: 20"),
        consumer(D, "share: 40", f"installed_at: '{at}'"),
        electricity="key: fixed",
    )
    for prim_ad, index_wh in ((B, 1060), (D, 1040)):
        meter = house.catalogue.meter_by_address["electricity", prim_ad]
        rows = (oracle.Row(moved_at, {"en_im": 1000 * index_wh}),)
        deliver(house.store, 1, meter, rows, NOON_AT * 10**6 + DAY_US)
    house.read(D, 20, first=3)
    house.settle()
    both = [(house.shares(each, 2, 3)[0] or 0) for each in (A, B, C, D)]
    # Of 80 Wh claims of 32, 20, 16 and 20 Wh, which are cut by 10 : 11.
    assert both == pytest.approx((320 / 11, 200 / 11, 160 / 11, 200 / 11), abs=1)
    assert sum(both) == 80
    assert house.shares(B, 1, 4) == [20, both[1], None]
    assert house.shares(D, 1, 4) == [None, both[3], 20]


@pytest.mark.parametrize("key", ["fixed", "fixed_redistributed"])
def test_of_who_left_the_percentage_is_redistributed_only_by_a_key_that_does(
    house: House, key: str
) -> None:
    house.declare(
        consumer(A, "share: 40"),
        consumer(B, "share: 40", "removed_at: '2026-07-01T12:30:00Z'"),
        consumer(C, "share: 20"),
        electricity=f"key: {key}",
    )
    house.settle()
    # Without B: 32 and 16 of 80 Wh; or all they use, of which 80 Wh is the sum.
    assert house.shares(A, 2, 3) == [32 if key == "fixed" else 40]
    assert house.shares(C, 2, 3) == [16 if key == "fixed" else 40]


D = 14
PARTS = {A: "share: 40", B: "share: 20", C: "share: 20", D: "share: 20"}
OWNERS = {A: "producers: [prim_ad:101]", D: "producers: [prim_ad:102]"}
PERCENTAGES = {
    A: "producers: {prim_ad:101: 80}",
    B: "producers: {prim_ad:101: 10, prim_ad:102: 10}",
    C: "producers: {prim_ad:102: 40}",
    D: "producers: {prim_ad:102: 50}",
}
LATER = {C: "priority: 1", D: "priority: 1"}


@pytest.mark.parametrize(
    ("key", "declared", "three_wh", "four_wh"),
    [
        ("pro_rata", {}, (32, 16, 32), (20, 10, 20, 30)),
        # Of 160 Wh that were used half of D's 60 take part: 80 of 130.
        ("pro_rata", {D: "share: 50"}, (32, 16, 32), (320 / 13, 160 / 13, 320 / 13, 240 / 13)),
        ("priority", LATER, (40, 20, 20), (40, 20, 8, 12)),
        ("fixed", PARTS, (32, 16, 16), (32, 16, 16, 16)),
        ("fixed_redistributed", PARTS, (40, 20, 20), (32, 16, 16, 16)),
        ("equal", {}, (30, 20, 30), (20, 20, 20, 20)),
        # A has 40 of PV 101, the other 40 go to B and C. D has 30 of PV 102, 10 are left for 90.
        ("own_first", OWNERS, (40, 40 / 3, 80 / 3), (40, 20 / 9, 40 / 9, 30 + 30 / 9)),
        # Claims of 40, 8, 12 and, of D, 15 Wh: 5 are left for 12, 28 and 45 Wh that are needed.
        ("matrix", PERCENTAGES, (40, 14, 26), (40, 8 + 60 / 85, 12 + 140 / 85, 15 + 225 / 85)),
    ],
)
def test_who_joins_is_served_from_then_on_and_hides_all_where_it_is_missing(
    house: House,
    key: str,
    declared: dict[int, str],
    three_wh: tuple[float, ...],
    four_wh: tuple[float, ...],
) -> None:
    """D joins after two quarter-hours, uses 60 Wh, and is read for four; 80 Wh are shared."""
    everybody = [consumer(each, *filter(None, [declared.get(each)])) for each in (A, B, C)]
    joins = consumer(D, f"installed_at: '{stamp(2)}'", *filter(None, [declared.get(D)]))
    house.declare(*everybody, joins, electricity=f"key: {key}")
    house.read(D, 60, first=2, last=6)
    house.settle()
    shares = list(zip(*(house.shares(each, 0, 7) for each in (A, B, C, D)), strict=True))
    for quarter in (0, 1):
        assert shares[quarter][3] is None
        assert shares[quarter][:3] == pytest.approx(three_wh, abs=2)
    for quarter in (2, 3, 4, 5):
        assert shares[quarter] == pytest.approx(four_wh, abs=2)
    assert shares[6] == (None, None, None, None)
    together = [round(sum(three_wh))] * 2 + [round(sum(four_wh))] * 4
    assert [sum(wh or 0 for wh in quarter) for quarter in shares] == [*together, 0]
    assert house.balance("allocated", 0, 7) == [*together, 0]
    assert house.balance("self_energy", 0, 7) == [80] * 6 + [0]


def test_without_one_member_there_is_no_share_until_its_reading_comes(house: House) -> None:
    house.declare(consumer(14, "installed_at: '2026-07-01T12:00:00Z'"), electricity="key: equal")
    house.settle()
    assert house.shares(A, 0, 2) == [None, None]
    house.read(14, 20, first=0, last=2)
    house.settle()
    # 20 each, of 120 Wh used and 80 made.
    assert house.shares(A, 0, 3) == [20, 20, None]


def test_a_producer_that_is_not_alive_has_no_part(house: House) -> None:
    house.declare(
        producer(PV2, "removed_at: '2026-07-01T12:30:00Z'"),
        consumer(C, "producers: [prim_ad:102]"),
        electricity="key: own_first",
    )
    house.settle()
    # C has 30 of PV 102, and 50 are left for 40, 20 and 10 Wh; then 50 for 40, 20 and 40.
    assert house.shares(A, 2, 3) == [20]
    assert house.shares(C, 2, 3) == [20]
    assert house.balance("allocated", 0, 4) == [80, 80, 50, 50]


def test_with_a_grid_meter_the_parts_of_producers_are_cut_from_the_pool(house: House) -> None:
    """The roofs made 80 Wh, the grid meter says that only 60 of those used were the site's."""
    house.declare(
        f"name: Grid, mode: introduction, prim_ad: {GRID}",
        consumer(A, "producers: {prim_ad:101: 100}"),
        consumer(C, "producers: {prim_ad:102: 40}"),
        electricity="key: matrix",
    )
    house.read(GRID, 40)
    house.settle()
    # Parts of 37.5 and 22.5 Wh: A has the first, C 9 of the second, 13.5 are left for B and C.
    together = [sum(each for each in quarter if each is not None) for quarter in _columns(house)]
    assert together == [60] * 12
    assert all(37 <= (wh or 0) <= 39 for wh in house.shares(A))


def _columns(house: House) -> list[tuple[int | None, ...]]:
    return list(zip(*(house.shares(each) for each in USED_WH), strict=True))


def test_a_battery_is_served_last_or_first(house: House) -> None:
    house.declare("name: Battery, mode: battery, prim_ad: 30", consumer(A, "balance: false"))
    house.read(30, 30)
    house.declare(electricity=f"battery: first, valid_from: '{stamp(2)}'")
    house.settle()
    # 80 Wh made; B and C use 60, the battery 30.
    assert house.balance("self_energy", 0, 4) == [60, 60, 50, 50]
    assert house.balance("storage_charging_self", 0, 4) == [20, 20, 30, 30]
    assert house.balance("from_ext", 0, 4) == [10, 10, 10, 10]
    assert house.balance("allocated", 0, 4) == [60, 60, 50, 50]


def test_what_is_declared_is_told_as_it_is_declared(house: House) -> None:
    from_noon = "from 2026-07-01 12:00:00+00:00"
    assert house.declare(
        consumer(A, "producers: [prim_ad:101, prim_ad:102]", "max_per_hour: 3.5"),
        consumer(B, "producers: {prim_ad:101: 12.5}"),
        electricity="connection_kw: 27.6, battery: first",
    ) == [
        f"site A: battery last -> first, {from_noon}",
        f"site A: connection_kw none -> 27.6, {from_noon}",
        f"meter A (electricity 11): producers none -> [prim_ad:101, prim_ad:102], {from_noon}",
        f"meter A (electricity 11): max_per_hour none -> 3.5, {from_noon}",
        f"meter B (electricity 12): producers none -> {{prim_ad:101: 12.5}}, {from_noon}",
    ]
    [meter] = [each for each in house.catalogue.meters if each.prim_ad == A]
    assert meter.current.max_per_hour == 3500
    assert house.catalogue.facts[-1].connection_w == 27_600
    assert house.declare(consumer(A, "producers: null", "max_per_hour: null")) != []


def test_proxy_days_concern_every_group(house: House) -> None:
    text = "site: {site_ref: A, name: House, timezone: UTC, proxy_days: true}\nmeters:\n"
    water = "  - {name: Water, type: cold_water, mode: consumption, prim_ad: 31}\n"
    apply_declaration(
        house.store,
        declaration_from_yaml((declaration(consumer(A)) + water).encode()),
        "tester",
        NOON_AT,
    )
    meter = house.catalogue.meter_by_address["cold_water", 31]
    deliver(house.store, 1, meter, (oracle.Row(NOON_AT, {"vol_m3": 5}),), NOON_AT * 10**6)
    house.settle()
    apply_declaration(
        house.store, declaration_from_yaml((text + water).encode()), "tester", NOON_AT
    )
    with house.store.snapshot() as snapshot:
        for group in (Group.ELECTRICITY, Group.COLD_WATER):
            assert snapshot.results.dirty_days(1, group) == [NOON_AT // 86_400]


@pytest.mark.parametrize(
    ("meter", "electricity", "fault"),
    [
        (
            consumer(A, "producers: [prim_ad:103]"),
            "",
            "line 3: producers: names prim_ad:103, which no electricity meter of this site has",
        ),
        (
            consumer(A, "producers: [prim_ad:12]"),
            "",
            "line 3: producers: names B (electricity 12), whose mode is consumption",
        ),
        (
            producer(PV1, "producers: [prim_ad:102]"),
            "",
            "line 3: producers: are named by consumers, and the mode is production",
        ),
        (
            consumer(A, "producers: [prim_ad:101]"),
            "key: matrix",
            "line 3: producers: has no percentage of prim_ad:101; key matrix needs one",
        ),
    ],
)
def test_producers_that_cannot_be(house: House, meter: str, electricity: str, fault: str) -> None:
    assert house.faults(meter, electricity=electricity) == [fault]


def test_a_fixed_key_needs_the_share_of_each_and_100_together(house: House) -> None:
    needs = "is missing: key fixed needs one of each consumer, if only 0"
    assert sorted(house.faults(consumer(A, "share: 70"), electricity="key: fixed")) == [
        f"line 1: share: of B (electricity 12) {needs}",
        f"line 1: share: of C (electricity 13) {needs}",
    ]
    three = (consumer(A, "share: 70"), consumer(B, "share: 30"), consumer(C, "share: 0.5"))
    assert house.faults(*three, electricity="key: fixed") == [
        "line 5: share: are 100.5 % together (A 70, B 30, C 0.5), over 100"
    ]
    house.declare(*three[:2], consumer(C, "share: 0"), electricity="key: fixed")
    # Also later, of another's: whoever was declared last is told.
    assert house.faults(consumer(A, "share: 71", "valid_from: 2026-08-01")) == [
        "line 3: share: are 101 % together (A 71, B 30, C 0), over 100"
    ]


def test_of_a_producer_no_more_than_100_percent_are_given(house: House) -> None:
    half = "producers: {prim_ad:101: 60}"
    assert house.faults(consumer(A, half), consumer(B, half), electricity="key: matrix") == [
        "line 4: producers: of PV 101 are 120 % together (A 60, B 60), over 100"
    ]


def test_a_replay_shows_who_gains_and_who_loses(house: House) -> None:
    house.declare(consumer(C, "priority: 1"))

    def replayed(key: str) -> list[tuple[int, int, int, int, int]]:
        with house.store.snapshot() as snapshot:
            rows = simulate_key(snapshot, house.catalogue, key, NOON, NOON + 10)
        return [
            (r.meter.prim_ad, r.total, r.self_now, r.self_then, r.difference)
            for r in sorted(rows, key=lambda row: row.meter.prim_ad)
        ]

    assert replayed("priority") == [
        (A, 400, 320, 400, 80),
        (B, 200, 160, 200, 40),
        (C, 400, 320, 200, -120),
    ]
    assert [row[-1] for row in replayed("pro_rata")] == [0, 0, 0]
    assert [row[3] for row in replayed("equal")] == [300, 200, 300]


def test_a_replay_takes_shares_of_a_key_that_begins_later(house: House) -> None:
    with house.store.snapshot() as snapshot, pytest.raises(KeyLacksTerms) as raised:
        simulate_key(snapshot, house.catalogue, "fixed", NOON, NOON + 4)
    [reason] = raised.value.reasons
    assert reason == (
        "share of A (electricity 11), B (electricity 12), C (electricity 13) is missing: "
        "key fixed needs one of each consumer, if only 0"
    )
    later = "valid_from: 2026-08-01"
    shares = {A: 40, B: 20, C: 20}
    house.declare(
        *(consumer(each, f"share: {share}", later) for each, share in shares.items()),
        electricity=f"key: fixed, {later}",
    )
    with house.store.snapshot() as snapshot:
        rows = simulate_key(snapshot, house.catalogue, "fixed", NOON, NOON + 4)
    assert sorted(row.self_then for row in rows) == [64, 64, 128]


def test_a_replay_needs_the_shares_of_who_lived_only_inside_the_period(house: House) -> None:
    shares = (consumer(A, "share: 40"), consumer(B, "share: 20"), consumer(C, "share: 20"))
    life = f"installed_at: '{stamp(2)}', removed_at: '{stamp(6)}'"
    house.declare(*shares, consumer(D, life), electricity="key: fixed, valid_from: 2026-08-01")
    with house.store.snapshot() as snapshot:
        assert simulate_key(snapshot, house.catalogue, "fixed", NOON, NOON + 2) != []
        with pytest.raises(KeyLacksTerms, match="share of 14"):
            simulate_key(snapshot, house.catalogue, "fixed", NOON, NOON + 10)


def test_a_replay_of_a_dirty_day_compares_with_what_would_be_answered(house: House) -> None:
    """What is not settled yet is settled by the site's own key, not by the one that is tried."""
    house.read(A, 40, first=13, last=16)
    with house.store.snapshot() as snapshot:
        assert snapshot.results.dirty_days(1, Group.ELECTRICITY) != []
        rows = simulate_key(snapshot, house.catalogue, "equal", NOON, NOON + 12)
    assert {row.meter.prim_ad: row.self_now for row in rows} == {A: 384, B: 192, C: 384}
