"""Applying declarations: twice is once, changes act from when they say, faults name their line."""

from collections.abc import Iterator
from decimal import Decimal

import pytest
from sqlalchemy import select

from commonwatt.adapters.store import schema
from commonwatt.adapters.store.opening import open_database
from commonwatt.adapters.store.sql_store import SqlStore
from commonwatt.app.declaring.apply import apply_declaration
from commonwatt.app.declaring.declaration import InvalidDeclaration
from commonwatt.domain.metering.catalogue import BalanceMode, Group, Mode, Register, SiteCatalogue
from commonwatt.formats.declaration.yaml import declaration_from_yaml
from tests.contracts.stored_results import deliver
from tests.oracle import facts as oracle

NOW = 1_767_225_600 + 1_000  # 2026-01-01T00:16:40Z
QUARTER = NOW - NOW % 900
SITE = "site: {site_ref: A, name: House, timezone: Europe/Zurich}\n"
GRID = "{name: Grid, type: electricity, mode: introduction, prim_ad: 10}"
FLAT = "{name: Flat, type: electricity, mode: consumption, prim_ad: 11}"


@pytest.fixture
def store(store_url: str) -> Iterator[SqlStore]:
    database = open_database(store_url)
    yield SqlStore(database)
    database.close()


def apply(store: SqlStore, text: str, now_at: int = NOW) -> list[str]:
    declaration = declaration_from_yaml(text.encode())
    return list(apply_declaration(store, declaration, "tester", now_at).lines)


def meters(store: SqlStore, *declared: str, now_at: int = NOW, site: str = SITE) -> list[str]:
    lines = "".join(f"  - {each}\n" for each in declared)
    return apply(store, f"{site}meters:\n{lines}", now_at)


def catalogue(store: SqlStore, position: int = 0) -> SiteCatalogue:
    with store.snapshot() as snapshot:
        site = snapshot.catalogue.sites()[position]
        return snapshot.catalogue.catalogue(site.number)


def faults(store: SqlStore, *declared: str, site: str = SITE) -> list[str]:
    with store.snapshot() as snapshot:
        before = [snapshot.catalogue.catalogue(s.number) for s in snapshot.catalogue.sites()]
    with pytest.raises(InvalidDeclaration) as raised:
        meters(store, *declared, site=site)
    with store.snapshot() as snapshot:
        after = [snapshot.catalogue.catalogue(s.number) for s in snapshot.catalogue.sites()]
    assert after == before, "a refused declaration changes nothing"
    return [str(fault) for fault in raised.value.faults]


def dirty(store: SqlStore, group: Group = Group.ELECTRICITY) -> list[int]:
    with store.snapshot() as snapshot:
        return snapshot.results.dirty_days(1, group)


def clean(store: SqlStore) -> None:
    with store.database.write() as connection:
        connection.execute(schema.dirty_marks.delete())


def read_on(store: SqlStore, prim_ad: int, *days: int) -> None:
    """Deliver a reading at the noon of each day of January 2026."""
    meter = catalogue(store).meter_by_address["electricity", prim_ad]
    rows = tuple(
        oracle.Row(1_767_225_600 + (day - 1) * 86_400 + 43_200, {"en_im": day * 10**6})
        for day in days
    )
    receipt = deliver(store, 1, meter, rows, rows[-1].stamp * 10**6)
    assert receipt.accepted == len(rows)
    clean(store)


DAY_1 = 1_767_225_600 // 86_400


def test_a_new_site_is_told_with_its_ids(store: SqlStore) -> None:
    lines = meters(store, GRID, "{name: Water, type: cold_water, mode: consumption}")
    made = catalogue(store)
    grid, water = sorted(made.meters, key=lambda meter: meter.prim_ad)
    assert lines == [
        f"site A: added, id {made.site.id}",
        f"meter Grid (electricity 10): added, id {grid.id}",
        f"meter Water (cold_water 900): added, id {water.id}",
    ]
    assert made.generation == 1
    assert [facts.valid_from for facts in grid.facts] == [0]
    for declared_id in (made.site.id, grid.id, water.id):
        assert len(bytes.fromhex(declared_id)) == 12


def test_twice_is_once(store: SqlStore) -> None:
    text = (
        SITE.replace("}", ", electricity: {balance: clamped}, address: {city: Bex}}")
        + f"meters:\n  - {GRID}\n  - {FLAT}\n"
        + "  - {name: Rest, type: electricity, mode: consumption, balance: false,"
        + " rule: 'prim_ad:10 - prim_ad:11'}\n"
        + "  - {name: W, type: hot_water, mode: consumption, installed_at: 2025-12-01,"
        + " installed_index: 12.345678}\n"
        + "sensors:\n  - {name: Stairs, type: temperature, unit: °C}\n"
    )
    assert len(apply(store, text)) == 6
    before = catalogue(store)
    assert apply(store, text, NOW + 10_000) == []
    assert catalogue(store) == before
    with store.database.read() as connection:
        assert len(connection.execute(select(schema.audit)).all()) == 1


def test_nothing_is_deleted_by_omission(store: SqlStore) -> None:
    meters(
        store, GRID, "{name: Flat, type: electricity, mode: consumption, prim_ad: 11, factor: 2}"
    )
    assert meters(store, FLAT) == []
    assert catalogue(store).meter_by_address["electricity", 11].current.factor == 2
    assert len(catalogue(store).meters) == 2


def test_names_known_by_id_then_prim_ad_then_name(store: SqlStore) -> None:
    meters(store, "{name: Flat, type: electricity, mode: consumption}")
    flat = catalogue(store).meters[0]
    by_name = "{name: Flat, type: electricity, mode: production}"
    assert len(meters(store, by_name)) == 1
    by_address = "{name: Roof, type: electricity, mode: production, prim_ad: 900}"
    assert meters(store, by_address) == ["meter Roof (electricity 900): name 'Flat' -> 'Roof'"]
    by_id = f"{{id: {flat.id}, name: PV, type: electricity, mode: production, prim_ad: 101}}"
    assert meters(store, by_id) == [
        "meter PV (electricity 101): name 'Roof' -> 'PV'",
        "meter PV (electricity 101): prim_ad 900 -> 101",
    ]
    assert [meter.id for meter in catalogue(store).meters] == [flat.id]


def test_two_meters_swap_their_prim_ads(store: SqlStore) -> None:
    meters(store, GRID, FLAT)
    ids = {meter.name: meter.id for meter in catalogue(store).meters}
    meters(
        store,
        f"{{id: {ids['Grid']}, name: Grid, type: electricity, mode: introduction, prim_ad: 11}}",
        f"{{id: {ids['Flat']}, name: Flat, type: electricity, mode: consumption, prim_ad: 10}}",
    )
    assert {m.name: m.prim_ad for m in catalogue(store).meters} == {"Grid": 11, "Flat": 10}


def test_a_later_change_acts_from_now_or_from_when_it_says(store: SqlStore) -> None:
    meters(store, FLAT)
    lines = meters(store, FLAT.replace("}", ", factor: 40}"))
    assert lines == ["meter Flat (electricity 11): factor 1 -> 40, from 2026-01-01 01:15:00+01:00"]
    facts = catalogue(store).meters[0].facts
    assert [(f.valid_from, f.valid_to, f.factor) for f in facts] == [
        (0, QUARTER, Decimal(1)),
        (QUARTER, None, Decimal(40)),
    ]
    earlier = FLAT.replace("}", ", enabled: false, valid_from: 2025-12-31T10:07:00Z}")
    meters(store, earlier)
    from_at = 1_767_175_200
    facts = catalogue(store).meters[0].facts
    assert [(f.valid_from, f.valid_to, f.factor, f.enabled) for f in facts] == [
        (0, from_at, Decimal(1), True),
        (from_at, QUARTER, Decimal(1), False),
        (QUARTER, None, Decimal(40), False),
    ]
    assert meters(store, earlier) == []
    # The older truth again, from the same instant on: the facts grow together.
    meters(store, FLAT.replace("}", ", enabled: true, factor: 1, valid_from: 2025-12-31T10:00Z}"))
    assert [(f.valid_from, f.valid_to) for f in catalogue(store).meters[0].facts] == [(0, None)]


def test_balance_and_key_of_a_site_have_a_validity_too(store: SqlStore) -> None:
    apply(store, SITE)
    apply(store, SITE.replace("}", ", electricity: {balance: clamped}}"))
    assert [(f.valid_from, f.valid_to, f.balance) for f in catalogue(store).facts] == [
        (0, QUARTER, BalanceMode.PLAIN),
        (QUARTER, None, BalanceMode.CLAMPED),
    ]


def test_an_installed_index_is_of_the_main_register(store: SqlStore) -> None:
    installed = ", installed_at: 2025-12-01, installed_index: 5.5}"
    meters(
        store,
        GRID.replace("}", installed),
        "{name: PV, type: electricity, mode: production, prim_ad: 101" + installed,
        "{name: Back, type: electricity, mode: consumption, prim_ad: 12,"
        " registers: {en_im: en_ex, en_ex: en_im}" + installed,
        "{name: Two, type: electricity, mode: battery, prim_ad: 13, installed_at: 2025-12-01,"
        " installed_index: {en_im: 1, en_ex: 0.000001}}",
    )
    indexes = {meter.name: dict(meter.installed_index) for meter in catalogue(store).meters}
    assert indexes == {
        "Grid": {Register.EN_IM: 5_500_000},
        "PV": {Register.EN_EX: 5_500_000},
        "Back": {Register.EN_EX: 5_500_000},
        "Two": {Register.EN_IM: 1_000_000, Register.EN_EX: 1},
    }


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ("{id: ID, name: Flat, type: hot_water, mode: consumption}", "type: Flat (electricity 11)"),
        ("{name: Flat, type: hot_water, mode: consumption}", "type: Flat (electricity 11)"),
        (FLAT.replace("}", ", interval: PT15M}"), "interval: never changes"),
        (FLAT.replace("}", ", factor: 999999.999999}"), "factor: 999999.999999 is 9999"),
        (FLAT.replace("}", ", installed_index: 3}"), "installed_index: needs installed_at"),
        (FLAT.replace("}", ", removed_at: 2025-01-01}"), "removed_at: lies before installed_at"),
        (FLAT.replace("}", ", rule: 'prim_ad:10'}"), "rule: Flat (electricity 11) has readings"),
        ("{id: ID, name: F, type: electricity, mode: consumption, prim_ad: 10}", "prim_ad: 10 is"),
        ("{name: H, type: heating, mode: production}", "mode: production is a mode of elec"),
        (
            "{name: R, type: electricity, mode: consumption, rule: 'prim_ad:10', factor: 2}",
            "factor: means nothing for a rule meter",
        ),
        (
            "{name: R, type: electricity, mode: consumption, rule: 'prim_ad:99'}",
            "rule: names prim_ad:99, which no electricity meter of this site has",
        ),
        (
            "{name: R, type: electricity, mode: consumption, prim_ad: 5, rule: 'prim_ad:5'}",
            "rule: names the meter itself",
        ),
        (
            "{name: R, type: heating, mode: consumption, rule: 'ID'}",
            "rule: names Flat (electricity 11), which is not of the group heating",
        ),
        (
            "{name: R, type: electricity, mode: consumption, rule: 'prim_ad:11.vol_m3'}",
            "rule: names vol_m3 of Flat (electricity 11), which has en_im, en_ex",
        ),
        (
            "{name: R, type: electricity, mode: consumption, rule: 'prim_ad:10 +'}",
            "rule: cannot read the rule",
        ),
    ],
)
def test_what_cannot_be_is_refused_by_line(store: SqlStore, changed: str, fault: str) -> None:
    if "removed_at" in changed:
        meters(store, GRID, FLAT.replace("}", ", installed_at: 2025-12-01}"))
    else:
        meters(store, GRID, FLAT)
    read_on(store, 11, 2)
    flat = catalogue(store).meter_by_address["electricity", 11]
    found = faults(store, changed.replace("ID", flat.id))
    assert [each.startswith(f"line 3: {fault}") for each in found] == [True], found


def test_a_meter_is_declared_once(store: SqlStore) -> None:
    meters(store, FLAT)
    flat = catalogue(store).meters[0].id
    again = f"{{id: {flat}, name: Flat, type: electricity, mode: consumption}}"
    assert faults(store, FLAT, again) == [
        "line 4: meter: is Flat (electricity 11), declared already on line 3"
    ]


def test_an_id_belongs_to_one_site(store: SqlStore) -> None:
    meters(store, FLAT)
    flat = catalogue(store).meters[0].id
    other = SITE.replace("ref: A", "ref: B")
    taken = f"{{id: {flat}, name: Flat, type: electricity, mode: consumption}}"
    assert faults(store, taken, site=other) == [
        f"line 3: id: {flat} is that of a meter or sensor of another site"
    ]
    another = "site: {id: 61dfc9a0eba4e3564021f36a, site_ref: A, name: X, timezone: UTC}\n"
    assert faults(store, GRID, site=another)[0].startswith(
        "line 1: site_ref: A is that of the site"
    )


def test_cycles_are_refused_in_every_epoch(store: SqlStore) -> None:
    rule = "{name: %s, type: electricity, mode: consumption, prim_ad: %d, rule: 'prim_ad:%d'}"
    meters(store, FLAT, rule % ("A", 1, 11), rule % ("B", 2, 11))
    meters(store, (rule % ("B", 2, 1)).replace("}", ", valid_from: 2025-06-01}"), now_at=NOW)
    meters(store, (rule % ("B", 2, 11)).replace("}", ", valid_from: 2025-07-01}"), now_at=NOW)
    # B rested on A in June only; now A is to rest on B from May on.
    (found,) = faults(store, (rule % ("A", 1, 2)).replace("}", ", valid_from: 2025-05-01}"))
    way = "A (electricity 1) -> B (electricity 2) -> A (electricity 1)"
    assert found == f"line 3: rule: leads back to itself: {way}"
    assert meters(store, (rule % ("A", 1, 2)).replace("}", ", valid_from: 2025-07-01}"))


def test_an_operand_is_not_isolated_afterwards(store: SqlStore) -> None:
    meters(store, FLAT, "{name: R, type: electricity, mode: consumption, rule: 'prim_ad:11'}")
    (found,) = faults(store, FLAT.replace("}", ", isolated: true}"))
    whose, what = "of R (electricity 900)", "names Flat (electricity 11), which is isolated"
    assert found == f"line 1: rule: {whose} {what}: an isolated meter is in no rule"


@pytest.mark.both_engines
def test_changes_mark_what_rests_on_them(store: SqlStore) -> None:
    meters(store, GRID, FLAT)
    read_on(store, 11, 2, 10)
    all_days = list(range(DAY_1, DAY_1 + 10))
    names_only = FLAT.replace("Flat", "Flat 1")
    assert meters(store, names_only)
    assert dirty(store) == []
    meters(store, names_only.replace("}", ", factor: 2, valid_from: 2026-01-05T10:00Z}"))
    assert dirty(store) == list(range(DAY_1 + 4, DAY_1 + 10))
    clean(store)
    meters(store, names_only.replace("}", ", installed_at: 2025-12-30}"))
    assert dirty(store) == list(range(DAY_1 - 4, DAY_1 + 10))
    clean(store)
    meters(store, names_only.replace("}", ", installed_at: 2026-01-04}"))
    # Days before the new installation had results as long as the old one stood.
    assert dirty(store) == list(range(DAY_1 - 4, DAY_1 + 10))
    clean(store)
    meters(store, "{name: R, type: electricity, mode: consumption, rule: 'prim_ad:11'}")
    # The readings of before the installation are not used: a rule gives nothing there either.
    assert dirty(store) == all_days[1:]
    clean(store)
    apply(store, SITE.replace("}", ", electricity: {balance: clamped, valid_from: 2026-01-09}}"))
    assert dirty(store) == list(range(DAY_1 + 7, DAY_1 + 10))
    assert dirty(store, Group.COLD_WATER) == []


def test_a_life_that_changes_finds_the_first_index_above_zero_anew(store: SqlStore) -> None:
    meters(store, FLAT)
    read_on(store, 11, 2, 10)
    meters(store, FLAT.replace("}", ", installed_at: 2026-01-05}"))
    with store.snapshot() as snapshot:
        span = snapshot.readings.register_spans(1, [1])[1]["en_im"]
    assert span.first_positive_at == 1_767_225_600 + 9 * 86_400 + 43_200


def test_modes_may_change_and_a_rule_may_be_taken_away(store: SqlStore) -> None:
    meters(store, FLAT, "{name: R, type: electricity, mode: consumption, rule: 'prim_ad:11'}")
    lines = meters(store, "{name: R, type: electricity, mode: production, rule: null}")
    assert [line.split(": ", 1)[1].split(",")[0] for line in lines] == [
        "mode consumption -> production",
        "rule 'prim_ad:11' -> none",
    ]
    meter = catalogue(store).meter_by_address["electricity", 900]
    assert (meter.current.mode, meter.is_rule_meter) == (Mode.PRODUCTION, False)


def test_a_life_declared_decades_beyond_the_data_marks_no_more_than_a_year(store: SqlStore) -> None:
    meters(store, GRID, FLAT)
    read_on(store, 11, 2, 5)
    lived = FLAT.replace("}", ", installed_at: 1971-01-01, removed_at: 2099-12-31}")
    meters(store, GRID, lived)
    # The days around the data, a little over a year before them for the missing, none after.
    assert dirty(store) == list(range(DAY_1 + 1 - 401 - 1, DAY_1 + 5))
