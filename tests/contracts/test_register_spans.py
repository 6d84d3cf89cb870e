"""An interval meter against a register that is read seldom: any two readings bound a span."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from commonwatt.adapters.store.sql_store import SqlStore
from commonwatt.app.accounts.scope import AccessScope
from commonwatt.app.billing.edit_quarters import WantedAcceptance, accept_quarters
from commonwatt.app.billing.lock import lock_group
from commonwatt.app.declaring.apply import apply_declaration
from commonwatt.app.findings.read import read_findings
from commonwatt.app.findings.worklist import read_worklist
from commonwatt.domain.metering.catalogue import Group, Meter, SiteCatalogue
from commonwatt.domain.metering.findings import Finding, FindingRule
from commonwatt.formats.commands import command
from commonwatt.formats.declaration.yaml import declaration_from_yaml
from tests.contracts.stored_results import deliver, settle_everything
from tests.oracle import facts as oracle

DAY = 20_453  # 2025-12-31
DAYS = 31
START = DAY * 86_400 + 10 * 3600 + 37 * 60
END = START + (DAYS - 1) * 86_400 + 3600
NOW = START + 60 * 86_400
SITE = """
site: {site_ref: A, name: House, timezone: Europe/Zurich}
meters:
  - {name: Flat, type: %(medium)s, mode: consumption, prim_ad: 11, interval: PT15M,
     balance: false, register_meter: "prim_ad:12"}
  - {name: Register, type: %(medium)s, mode: consumption, prim_ad: 12%(register)s}
"""
QUARTERS = range(DAY * 96, (DAY + DAYS + 1) * 96)


def declare(store: SqlStore, medium: str = "electricity", register: str = "") -> None:
    text = SITE % {"medium": medium, "register": register}
    apply_declaration(store, declaration_from_yaml(text.encode()), "tester", NOW)


def catalogue(store: SqlStore) -> SiteCatalogue:
    with store.snapshot() as snapshot:
        return snapshot.catalogue.catalogue(1)


def meter_of(store: SqlStore, prim_ad: int) -> Meter:
    return next(each for each in catalogue(store).meters if each.prim_ad == prim_ad)


def say(store: SqlStore, prim_ad: int, values: dict[int, int], register: str = "en_im") -> None:
    """Deliver values [Wh or litre] by instant."""
    rows = tuple(oracle.Row(at, {register: value * 1_000}) for at, value in values.items())
    deliver(store, 1, meter_of(store, prim_ad), rows, NOW * 1_000_000)


def intervals(energy: int, quarters: Sequence[int] = QUARTERS) -> dict[int, int]:
    return {(quarter + 1) * 900: energy for quarter in quarters}


def mismatches(store: SqlStore, **window: int | AccessScope) -> list[Finding]:
    """What is found before anything is settled, which is what is found after it."""
    found = []
    for _ in range(2):
        with store.snapshot() as snapshot:
            findings = read_findings(snapshot, catalogue(store), **window)  # type: ignore[arg-type]
        rule = FindingRule.INTERVAL_REGISTER_MISMATCH
        found.append([each for each in findings if each.rule is rule])
        settle_everything(store, 1)
    assert found[0] == found[1]
    return found[1]


def test_a_register_read_monthly_tells_that_intervals_lack(store: SqlStore) -> None:
    declare(store)
    # 2,884 quarter-hours that hold the span, of 96 or 97 Wh each.
    say(store, 11, {(q + 1) * 900: 96 + (q % 2) for q in QUARTERS})
    say(store, 12, {START: 1_000_000, END: 1_400_000})

    [found] = mismatches(store)

    assert (found.start_at, found.end_at, found.register) == (START, END, "en_im")
    assert found.meter == meter_of(store, 11).number
    assert found.belongs_at == END
    # The two quarter-hours in which the readings stand count as they fit best: whole.
    first, end = START // 900, -(-END // 900)
    counted = sum(96 + (q % 2) for q in range(first, end))
    assert found.evidence == {
        "intervals": counted,
        "register": 400_000,
        "residual": counted - 400_000,
    }
    assert 278_000 < counted < 279_000
    day_at = END // 86_400 * 86_400
    assert mismatches(store, start_at=day_at, end_at=day_at + 86_400) == [found]
    assert mismatches(store, start_at=day_at + 86_400) == []
    assert mismatches(store, end_at=day_at) == []


@pytest.mark.parametrize(
    ("medium", "register", "wh", "rise", "told"),
    [
        ("electricity", "en_im", 100, 288_400, None),
        # Up to a hundredth and 200 Wh; 288,300 to 288,500 Wh were counted by the intervals.
        ("electricity", "en_im", 100, 285_700, None),
        ("electricity", "en_im", 100, 285_000, {"residual": 3_300}),
        ("electricity", "en_im", 400, 288_400, {"factor": 4_000}),
        ("electricity", "en_im", 25, 288_400, {"factor": 250}),
        ("cold_water", "vol_m3", 2, 5_768, None),
        ("cold_water", "vol_m3", 20, 5_768, {"factor": 10_000}),
    ],
)
def test_sums_over_a_month_agree_or_a_constant_factor_is_named(
    store: SqlStore, medium: str, register: str, wh: int, rise: int, told: dict[str, int] | None
) -> None:
    declare(store, medium)
    say(store, 11, intervals(wh), register)
    say(store, 12, {START: 5_000, END: 5_000 + rise}, register)

    found = mismatches(store)

    assert [each.register for each in found] == ([] if told is None else [register])
    for each in found:
        assert told is not None
        assert {name: each.evidence[name] for name in told} == told
        assert set(each.evidence) == {"intervals", "register", *told}


def test_the_factor_of_the_register_counts(store: SqlStore) -> None:
    declare(store, register=", factor: 40")
    say(store, 11, intervals(100))
    say(store, 12, {START: 1_000, END: 1_000 + 7_210})
    assert mismatches(store) == []


def test_each_two_readings_bound_a_span_of_their_own(store: SqlStore) -> None:
    declare(store)
    say(store, 11, intervals(100))
    middle = START + 14 * 86_400
    # Too much before the middle, too little after it: the sum over both would agree.
    say(store, 12, {START: 0, middle: 154_400, END: 288_400})
    found = mismatches(store)
    assert [(each.start_at, each.end_at) for each in found] == [(START, middle), (middle, END)]
    # A reading between them that comes later, of what the intervals say, tells where it was.
    say(store, 12, {START + 86_400: 9_600})
    assert [each.start_at for each in mismatches(store)] == [START + 86_400, middle]


def test_intervals_that_lack_keep_a_span_from_being_judged_until_they_come(
    store: SqlStore,
) -> None:
    declare(store)
    gap = range((DAY + 10) * 96, (DAY + 10) * 96 + 3)
    say(store, 11, intervals(96, [q for q in QUARTERS if q not in gap]))
    say(store, 12, {START: 0, END: 400_000})
    assert mismatches(store) == []
    with store.snapshot() as snapshot:
        findings = read_findings(snapshot, catalogue(store))
    checked = meter_of(store, 11).number
    assert {each.rule for each in findings if each.meter == checked} == {FindingRule.GAP}
    # What comes far before the day of the later reading is seen by it.
    say(store, 11, intervals(96, gap))
    [found] = mismatches(store)
    assert found.evidence["residual"] < -100_000


@pytest.mark.both_engines
def test_a_correction_in_the_middle_resolves_it_though_it_is_locked(store: SqlStore) -> None:
    declare(store)
    say(store, 11, intervals(100))
    say(store, 12, {START: 0, END: 308_400})
    assert len(mismatches(store)) == 1
    until_at = (DAY + 20) * 86_400 - 3600
    lock_group(store, 1, Group.ELECTRICITY, until_at, "tester", NOW * 1_000_000, despite="tried")
    say(store, 11, {(DAY + 5) * 86_400: 20_100})
    assert mismatches(store) == []


def test_a_break_of_the_register_bounds_nothing(store: SqlStore) -> None:
    declare(store)
    say(store, 11, intervals(100))
    # The device was exchanged and nobody said so: readings of the old one, then of the new one.
    old = {START + n * 86_400: 900_000 + n * 9_600 for n in range(5)}
    new = {START + n * 86_400: 10_000 + n * 9_600 for n in range(20, 25)}
    say(store, 12, {**old, **new})
    assert mismatches(store) == []


def test_a_register_read_every_quarter_hour_is_judged_by_the_day(store: SqlStore) -> None:
    declare(store)
    say(store, 11, intervals(96))
    say(store, 12, {q * 900: (q - QUARTERS[0]) * 100 for q in QUARTERS})
    found = mismatches(store)
    assert {(each.end_at - each.start_at, each.start_at % 86_400) for each in found} == {
        (86_400, 0)
    }
    assert len(found) == DAYS


def test_a_register_read_at_midnights_is_filed_under_the_day_between(store: SqlStore) -> None:
    declare(store)
    say(store, 11, intervals(96))
    say(store, 12, {(DAY + n) * 86_400: n * 9_600 for n in range(DAYS + 1)})
    found = mismatches(store)
    assert [each.belongs_at // 86_400 - DAY for each in found] == list(range(DAYS))
    for day in (0, 7, DAYS - 1):
        start_at = (DAY + day) * 86_400
        assert mismatches(store, start_at=start_at, end_at=start_at + 86_400) == [found[day]]


def test_a_factor_that_changed_meanwhile_is_not_judged(store: SqlStore) -> None:
    declare(store)
    declare(store, register=", factor: 40, valid_from: 2026-01-10")
    say(store, 11, intervals(100))
    say(store, 12, {START: 0, START + 14 * 86_400: 400_000, END: 404_000})
    [found] = mismatches(store)
    assert (found.start_at, found.end_at) == (START + 14 * 86_400, END)
    assert found.evidence["register"] == 160_000


def test_the_worklist_names_both_readings_until_it_is_accepted(store: SqlStore) -> None:
    declare(store)
    say(store, 11, intervals(96))
    say(store, 12, {START: 0, END: 400_000})
    settle_everything(store, 1)

    def tasks() -> list[tuple[str, str]]:
        with store.snapshot() as snapshot:
            found = read_worklist(
                snapshot, catalogue(store), Group.ELECTRICITY, DAY * 86_400, END + 86_400
            )
        kind = FindingRule.INTERVAL_REGISTER_MISMATCH
        return [(each.text, command(each.action)) for each in found if each.kind == kind]

    [(text, accepting)] = tasks()
    assert "its register_meter counted 400.000 kWh" in text
    assert "from 2025-12-31T10:37:00Z to 2026-01-30T11:37:00Z" in text
    assert "--start 2025-12-31T10:30:00Z --end 2026-01-30T11:45:00Z" in accepting

    wanted = WantedAcceptance(
        meter_id=meter_of(store, 11).id,
        start_at=START // 900 * 900,
        end_at=-(-END // 900) * 900,
        reason="the register was misread",
    )
    accept_quarters(store, 1, wanted, "tester", NOW * 1_000_000)
    assert tasks() == []


def test_it_is_told_only_to_who_sees_both_meters_and_all_of_the_span(store: SqlStore) -> None:
    declare(store)
    say(store, 11, intervals(96))
    say(store, 12, {START: 0, END: 400_000})
    checked, register = (meter_of(store, prim_ad).id for prim_ad in (11, 12))
    both = AccessScope(open_meters=frozenset({checked, register}))
    assert len(mismatches(store, scope=both)) == 1
    assert mismatches(store, scope=AccessScope(open_meters=frozenset({checked}))) == []
    assert len(mismatches(store, scope=replace(both, history_from=START))) == 1
    assert mismatches(store, scope=replace(both, history_from=START + 1)) == []
