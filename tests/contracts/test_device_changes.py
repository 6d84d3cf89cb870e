"""Exchanges and resolutions: what a fall of the index was, declared, corrected, taken back."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from commonwatt.adapters.store.opening import open_database
from commonwatt.adapters.store.sql_store import SqlStore
from commonwatt.app.declaring.apply import Applied, CannotChange, apply_declaration, try_declaration
from commonwatt.app.declaring.declaration import InvalidDeclaration
from commonwatt.app.declaring.exchange import Exchange, declare_devices, exchange_device
from commonwatt.app.findings.read import read_findings
from commonwatt.app.findings.resolve import (
    UnknownFinding,
    Verdict,
    resolve_finding,
    take_resolution_back,
)
from commonwatt.app.series.read import read_meter_series
from commonwatt.domain.metering.catalogue import (
    Device,
    Group,
    Meter,
    Register,
    ResolutionKind,
    SiteCatalogue,
)
from commonwatt.domain.metering.findings import finding_id
from commonwatt.domain.metering.quality import exists
from commonwatt.formats.declaration.yaml import declaration_from_yaml
from tests.contracts.stored_results import deliver, settle_everything, stored_results
from tests.oracle import facts as oracle

DAY = 20_500
START = DAY * 86_400
FIRST = DAY * 96
NOW = START + 10 * 86_400
SITE = "site: {site_ref: A, name: House, timezone: UTC}\nmeters:\n"
FLAT = "  - {name: Flat, type: electricity, mode: consumption, prim_ad: 11%s}\n"
IM = Register.EN_IM


@pytest.fixture
def store(store_url: str) -> Iterator[SqlStore]:
    """Give a store with one flat."""
    database = open_database(store_url)
    store = SqlStore(database)
    apply(store, FLAT % "")
    yield store
    database.close()


def apply(store: SqlStore, meters: str) -> Applied:
    return apply_declaration(store, declaration_from_yaml((SITE + meters).encode()), "tester", NOW)


def catalogue(store: SqlStore) -> SiteCatalogue:
    with store.snapshot() as snapshot:
        return snapshot.catalogue.catalogue(1)


def flat(store: SqlStore) -> Meter:
    return catalogue(store).meters[0]


def read_on(store: SqlStore, *indexes: int, first: int = 0) -> None:
    """Deliver an index [Wh] of each quarter-hour from ``first`` on."""
    rows = tuple(
        oracle.Row(START + 900 * count, {"en_im": index * 1000})
        for count, index in enumerate(indexes, first)
    )
    deliver(store, 1, flat(store), rows, NOW * 1_000_000)


def energies(store: SqlStore, end: int, first: int = 0) -> list[int | None]:
    """The quarter-hours [first, end) of the day [Wh], None where missing.

    Read, settled after the changes, and settled from scratch alike.
    """
    values = _energies(store, first, end)
    settle_everything(store, 1)
    assert _energies(store, first, end) == values
    one_by_one = stored_results(store, 1)
    with store.change(1) as change:
        generation = change.catalogue.next_generation(1)
        days = change.results.settled_days(1, Group.ELECTRICITY, DAY - 400, DAY + 400)
        spans = [(day, day + 1) for day in days]
        change.results.mark_dirty(1, Group.ELECTRICITY, spans, generation)
    settle_everything(store, 1)
    assert stored_results(store, 1) == one_by_one, "settled bit by bit as from scratch"
    return values


def _energies(store: SqlStore, first: int, end: int) -> list[int | None]:
    with store.snapshot() as snapshot:
        series = read_meter_series(
            snapshot, catalogue(store), flat(store), FIRST + first, FIRST + end
        )
    pairs = zip(series.total.tolist(), exists(series.quality_total).tolist(), strict=True)
    return [total if there else None for total, there in pairs]


def found(store: SqlStore) -> dict[str, str]:
    """The findings of the site: rule by id."""
    with store.snapshot() as snapshot:
        site = snapshot.catalogue.catalogue(1)
        findings = read_findings(snapshot, site)
    return {finding_id(site.site.id, flat(store).id, each): each.rule.value for each in findings}


def the_break(store: SqlStore) -> str:
    (wanted,) = [id_ for id_, rule in found(store).items() if rule == "index-break"]
    return wanted


def resolve(
    store: SqlStore, wanted: str, kind: ResolutionKind, digits: int | None = None
) -> Applied:
    verdict = Verdict(kind=kind, digits=digits, reason="seen on site")
    return resolve_finding(store, 1, wanted, verdict, "anna", NOW)


def exchange(store: SqlStore, wanted: Exchange) -> Applied:
    return exchange_device(store, 1, flat(store).id, wanted, "anna", NOW)


RISING = [5000 + 40 * count for count in range(20)]
"""Up to 5760 Wh at the 19th boundary."""


def test_a_reset_closes_a_break_and_can_be_taken_back(store: SqlStore) -> None:
    read_on(store, *RISING, *(30 + 50 * count for count in range(20)))
    before = energies(store, 39)
    assert before == [40] * 19 + [None] + [50] * 19
    scratch = stored_results(store, 1)
    wanted = the_break(store)
    applied = resolve(store, wanted, ResolutionKind.RESET)
    assert "is reset" in applied.lines[0]
    assert energies(store, 39) == [40] * 19 + [30] + [50] * 19
    assert "index-break" not in found(store).values()
    take_resolution_back(store, 1, wanted, "anna", NOW)
    assert energies(store, 39) == before
    assert stored_results(store, 1) == scratch
    with pytest.raises(UnknownFinding):
        take_resolution_back(store, 1, wanted, "anna", NOW)


@pytest.mark.both_engines
def test_an_exchange_closes_a_break_device_by_device(store: SqlStore) -> None:
    read_on(store, *RISING, *(3000 + 50 * count for count in range(20)))
    assert energies(store, 39)[19] is None
    at = START + 900 * 19 + 300
    applied = exchange(
        store, Exchange(at=at, end_index={IM: 5_770_000}, start_index={IM: 2_970_000}, serial="B")
    )
    assert [line.split(": ", 1)[1] for line in applied.lines] == [
        "device from the beginning added, end_index {en_im: 5.770000}",
        "device from 2026-02-16 04:50:00+00:00 added, serial B, start_index {en_im: 2.970000}",
    ]
    assert [each.group for each in applied.recomputed] == [Group.ELECTRICITY]
    # 10 Wh on the old device, 30 Wh on the new one.
    assert energies(store, 39) == [40] * 19 + [40] + [50] * 19
    assert found(store) == {}


def test_an_exchange_for_a_higher_start_takes_out_what_was_never_used(store: SqlStore) -> None:
    read_on(store, *RISING, *(90_000 + 50 * count for count in range(20)))
    assert energies(store, 39)[19] == 90_000 - 5760
    at = START + 900 * 20
    exchange(store, Exchange(at=at, end_index={IM: 5_800_000}, start_index={IM: 90_000_000}))
    assert energies(store, 39) == [40] * 20 + [50] * 19


def test_an_exchange_said_again_is_the_same_and_said_otherwise_corrected(store: SqlStore) -> None:
    read_on(store, *RISING, *(3000 + 50 * count for count in range(20)))
    at = START + 900 * 19 + 300
    wanted = Exchange(at=at, end_index={IM: 5_770_000}, start_index={IM: 3_000_000})
    exchange(store, wanted)
    assert energies(store, 20)[19] == 10
    again = exchange(store, wanted)
    assert (list(again.lines), list(again.recomputed)) == ([], [])
    for index, expected in ((5_775_000, 15), (5_765_000, 5)):
        (line,) = exchange(store, Exchange(at=at, end_index={IM: index})).lines
        assert "end_index" in line
        assert energies(store, 20)[19] == expected
    assert [dict(each.start_index) for each in flat(store).devices] == [{}, {IM: 3_000_000}]


def test_an_exchange_before_another_one_hands_its_end_index_on(store: SqlStore) -> None:
    read_on(store, *RISING, *(3000 + 50 * n for n in range(20)), *(100 + 10 * n for n in range(20)))
    later = START + 900 * 40
    exchange(store, Exchange(at=later, end_index={IM: 4_000_000}, start_index={IM: 100_000}))
    earlier = START + 900 * 20
    exchange(store, Exchange(at=earlier, end_index={IM: 5_800_000}, start_index={IM: 3_000_000}))
    assert [(each.from_at, dict(each.end_index)) for each in flat(store).devices] == [
        (None, {IM: 5_800_000}),
        (earlier, {IM: 4_000_000}),
        (later, {}),
    ]
    assert energies(store, 59) == [40] * 20 + [50] * 20 + [10] * 19


def test_a_factor_belongs_to_its_device(store: SqlStore) -> None:
    read_on(store, *RISING, *(10 * count for count in range(1, 20)))
    at = START + 900 * 19
    wanted = Exchange(
        at=at, end_index={IM: 5_760_000}, start_index={IM: 0}, factor=Decimal("2.5"), digits=6
    )
    exchange(store, wanted)
    assert energies(store, 38) == [40] * 19 + [25] * 19


def test_the_list_can_be_declared_whole_and_taken_away(store: SqlStore) -> None:
    read_on(store, *RISING, *(3000 + 50 * count for count in range(20)))
    before = energies(store, 39)
    devices = [
        Device(serial="A", end_index={IM: 5_760_000}),
        Device(from_at=START + 900 * 20, serial="B", start_index={IM: 3_000_000}),
    ]
    declare_devices(store, 1, flat(store).id, devices, "anna", NOW)
    assert energies(store, 39) == [40] * 19 + [0] + [50] * 19
    applied = declare_devices(store, 1, flat(store).id, [], "anna", NOW)
    assert [line.split(": ", 1)[1] for line in applied.lines] == [
        "device from the beginning taken away",
        "device from 2026-02-16 05:00:00+00:00 taken away",
    ]
    assert energies(store, 39) == before


def test_a_file_declares_devices_and_a_dry_run_tells_it_before(store: SqlStore) -> None:
    read_on(store, *RISING, *(3000 + 50 * count for count in range(20)))
    settle_everything(store, 1)
    text = FLAT % (
        ", devices: [{end_index: {en_im: 5.77}}, "
        "{from: 2026-02-16T04:50:00, start_index: {en_im: 2.97}, digits: 6}]"
    )
    declaration = declaration_from_yaml((SITE + text).encode())
    before, results = catalogue(store), stored_results(store, 1)
    tried = try_declaration(store, declaration, NOW)
    assert (catalogue(store), stored_results(store, 1)) == (before, results)
    assert energies(store, 39)[19] is None
    applied = apply(store, text)
    assert (tried.lines, tried.recomputed) == (applied.lines, applied.recomputed)
    assert tried.report[-1].startswith("site A: recomputes electricity from 2026-02-")
    assert energies(store, 39) == [40] * 20 + [50] * 19
    assert (list(apply(store, text).lines), list(apply(store, FLAT % "").lines)) == ([], [])


def test_a_rollover_is_what_somebody_says_with_the_digits_of_the_register(store: SqlStore) -> None:
    kwh = 1000
    read_on(store, *(7000 * kwh + 40 * n for n in range(20)), *(50 * n + 50 for n in range(20)))
    assert energies(store, 39)[19] is None
    wanted = the_break(store)
    resolve(store, wanted, ResolutionKind.ROLLOVER, digits=4)
    across = 10_000 * kwh - (7000 * kwh + 40 * 19) + 50
    assert energies(store, 39) == [40] * 19 + [across] + [50] * 19
    assert list(found(store).values()) == ["rollover"] or "rollover" in found(store).values()
    take_resolution_back(store, 1, wanted, "anna", NOW)
    assert energies(store, 39)[19] is None


def test_faulty_readings_are_those_of_the_smaller_side(store: SqlStore) -> None:
    right = [5000 + 40 * count for count in range(119)]
    wrong = [index + 9000 if 20 <= at < 58 else index for at, index in enumerate(right)]
    read_on(store, *wrong)
    assert energies(store, 118)[57] is None
    wanted = the_break(store)
    resolve(store, wanted, ResolutionKind.FAULTY)
    (resolution,) = flat(store).resolutions
    assert (resolution.start_at, resolution.end_at) == (START + 900 * 20, START + 900 * 57)
    assert energies(store, 118) == [40] * 118
    assert list(found(store).values()).count("declared-faulty") == 38
    take_resolution_back(store, 1, wanted, "anna", NOW)
    assert energies(store, 118)[57] is None


def test_faulty_readings_after_the_break_are_set_aside_where_they_are_fewer(
    store: SqlStore,
) -> None:
    right = [5000 + 40 * count for count in range(119)]
    wrong = [index - 4000 if 60 <= at < 80 else index for at, index in enumerate(right)]
    read_on(store, *wrong)
    resolve(store, the_break(store), ResolutionKind.FAULTY)
    (resolution,) = flat(store).resolutions
    assert (resolution.start_at, resolution.end_at) == (START + 900 * 60, START + 900 * 79)
    assert energies(store, 118) == [40] * 118


def test_a_finding_about_one_reading_can_be_faulty_and_nothing_else(store: SqlStore) -> None:
    read_on(store, *RISING[:10], 5010, *RISING[11:])
    (wanted,) = found(store)
    with pytest.raises(CannotChange, match="a reset explains index-break"):
        resolve(store, wanted, ResolutionKind.RESET)
    resolve(store, wanted, ResolutionKind.FAULTY)
    assert list(found(store).values()) == ["declared-faulty"]
    with pytest.raises(CannotChange, match="resolved already"):
        resolve(store, wanted, ResolutionKind.FAULTY)
    with pytest.raises(UnknownFinding):
        resolve(store, "0" * 12, ResolutionKind.FAULTY)


@pytest.mark.parametrize(
    ("devices", "fault"),
    [
        ("[{}, {}]", "device 2 needs from; only the first may lack it"),
        ("[{from: 2026-02-02}, {from: 2026-02-01}]", "device 2 does not begin after device 1"),
        ("[{end_index: {en_im: 5}}]", "device 1 has an end_index and is still in"),
        ("[{start_index: {en_im: 5}}]", "device 1 has a start_index and no from"),
        ("[{digits: 3, from: 2026-02-01, start_index: {en_im: 1000}}]", "has 3 digits, too few"),
        ("[{factor: 999999.999999}]", "has a factor that cannot be: 999999.999999 is 9999"),
        ("[{}, {from: 2025-01-01}], installed_at: 2026-01-01", "device 2 begins before the meter"),
        ("[{}, {from: 2027-01-01}], removed_at: 2026-12-01", "device 2 begins when the meter is"),
        ("[{start: 5}]", "unknown key of device; did you mean start_index?"),
        ("[{start_index: {gas: 5}}]", "'gas' is no register here; use en_im, en_ex"),
        ("5", "must be a list; begin each device with a dash"),
    ],
)
def test_devices_that_cannot_be_are_refused(store: SqlStore, devices: str, fault: str) -> None:
    before = catalogue(store)
    with pytest.raises(InvalidDeclaration) as raised:
        apply(store, FLAT % f", devices: {devices}")
    assert fault in str(raised.value)
    assert catalogue(store) == before


@pytest.mark.parametrize(
    ("device", "fault"),
    [
        ("start_index: {en_im: 5}", "device 2 has indexes or digits, and the meter sends"),
        ("factor: 40", "device 2 has a factor, and the meter sends the energy of intervals"),
    ],
)
def test_a_device_of_an_interval_meter_has_nothing_that_acts_on_an_index(
    store: SqlStore, device: str, fault: str
) -> None:
    meter = "  - {name: B, type: electricity, mode: consumption, prim_ad: 12, interval: PT15M%s}\n"
    devices = ", devices: [{serial: S1}, {from: 2026-02-01, serial: S2%s}]"
    with pytest.raises(InvalidDeclaration) as raised:
        apply(store, meter % (devices % f", {device}"))
    assert fault in str(raised.value)
    apply(store, meter % (devices % ""))


def test_nothing_is_exchanged_before_the_first_device(store: SqlStore) -> None:
    declare_devices(store, 1, flat(store).id, [Device(from_at=START)], "anna", NOW)
    with pytest.raises(CannotChange, match="no device is in use before"):
        exchange(store, Exchange(at=START - 900))


def test_a_register_meter_is_an_index_meter_of_the_same_type(store: SqlStore) -> None:
    interval = (
        "  - {name: Grid, type: electricity, mode: introduction, prim_ad: 10, interval: PT15M,"
        " register_meter: %s}\n"
    )
    for wrong, fault in (
        ("prim_ad:99", "names prim_ad:99, which no electricity meter"),
        ("prim_ad:10", "names Grid (electricity 10), which is no index meter"),
        ("Flat", "must name one meter"),
    ):
        with pytest.raises(InvalidDeclaration, match="register_meter") as raised:
            apply(store, interval % wrong)
        assert fault in str(raised.value)
    apply(store, interval % "prim_ad:11")
    grid = catalogue(store).meter_by_address["electricity", 10]
    assert grid.register_meter == "prim_ad:11"
    with pytest.raises(InvalidDeclaration, match="is for an interval meter"):
        apply(store, FLAT % ", register_meter: prim_ad:10")


def test_only_an_index_begins_again(store: SqlStore) -> None:
    apply(store, FLAT % ", register_kind: resets")
    assert catalogue(store).meter_by_address["electricity", 11].register_kind == "resets"
    interval = (
        "  - {name: Grid, type: electricity, mode: introduction, prim_ad: 10, interval: PT15M,"
        " register_kind: resets}\n"
    )
    with pytest.raises(InvalidDeclaration, match="register_kind: resets is of an index meter"):
        apply(store, interval)
