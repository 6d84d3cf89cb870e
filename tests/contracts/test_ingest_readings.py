"""What becomes of each row of a body, and which version of a reading counts."""

from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from sqlalchemy import event, func, select

from commonwatt.adapters.store import schema
from commonwatt.adapters.store.sql_store import SqlStore
from commonwatt.app.findings.read import read_findings
from commonwatt.app.ports import Delivery
from commonwatt.app.readings.deliveries import (
    NothingToChange,
    UnknownDelivery,
    reinstate_delivery,
    withdraw_delivery,
)
from commonwatt.app.readings.ingest import ingest_readings
from commonwatt.app.series.first_reading import first_reading_at
from commonwatt.app.series.raw import read_raw
from commonwatt.app.series.read import read_meter_series
from commonwatt.domain.metering.catalogue import SiteCatalogue
from commonwatt.domain.metering.findings import FindingRule
from commonwatt.domain.metering.quality import Quality
from commonwatt.domain.metering.readings import MeterName, Receipt
from tests.contracts.bodies import Said, body
from tests.contracts.stored_results import add_building, settle_everything, stored_results
from tests.oracle import facts as oracle

pytestmark = pytest.mark.both_engines

HOME, WATER, RULE, SUN = ("a" * 24, "b" * 24, "c" * 24, "d" * 24)
NOON = 19_076 * 86_400 + 43_200
NOON_US = NOON * 1_000_000
BUILDING = oracle.Building(
    (
        oracle.Meter(HOME),
        oracle.Meter(WATER, medium="cold_water"),
        oracle.Meter(RULE, facts=(oracle.Facts(rule=(oracle.Operand(1, HOME),)),)),
        oracle.Meter(SUN, facts=(oracle.Facts(mode="production"),)),
    )
)


@dataclass
class Desk:
    """Where readings of one site are taken in; every delivery comes a second later."""

    store: SqlStore
    catalogue: SiteCatalogue
    now_us: int = NOON_US + 86_400_000_000

    @property
    def site(self) -> int:
        return self.catalogue.site.number

    def takes(self, *rows: Said) -> Receipt:
        self.now_us += 1_000_000
        return ingest_readings(
            self.store, self.site, body(self.catalogue, rows), "gateway", "test", self.now_us
        )

    def counting(self, meter: int = 1) -> Mapping[int, dict[str, int]]:
        """The version that counts of each instant, by register [mWh, ml]."""
        wanted = next(each for each in self.catalogue.meters if each.number == meter)
        with self.store.snapshot() as snapshot:
            series = read_raw(snapshot, self.catalogue, wanted, -(2**40), 2**40)
        return {
            at: {name.value: int(v[n]) for name, v in series.values.items() if v[n] >= 0}
            for n, at in enumerate(series.stamps.tolist())
        }

    def index(self, at: int = NOON, register: str = "en_im") -> int | None:
        return self.counting().get(at, {}).get(register)

    def deliveries(self) -> list[Delivery]:
        with self.store.snapshot() as snapshot:
            return list(snapshot.readings.deliveries(self.site))

    def withdraws(self, receipt: Receipt) -> None:
        assert receipt.delivery is not None
        withdraw_delivery(
            self.store, self.site, receipt.delivery, "wrong zone", "boss", self.now_us
        )


@pytest.fixture
def desk(store: SqlStore) -> Desk:
    return Desk(store, add_building(store, BUILDING))


def counts(receipt: Receipt) -> tuple[int, int, int, int]:
    return (receipt.accepted, receipt.unchanged, receipt.superseding, receipt.rejected_rows)


def us(seconds_after_noon: int) -> int:
    return NOON_US + seconds_after_noon * 1_000_000


def test_a_later_delivery_counts_instead_of_an_earlier_one(desk: Desk) -> None:
    assert counts(desk.takes(Said(NOON, 100))) == (1, 0, 0, 0)
    assert counts(desk.takes(Said(NOON, 101))) == (1, 0, 1, 0)
    assert desk.index() == 101


def test_measured_counts_before_estimated_whenever_it_came(desk: Desk) -> None:
    desk.takes(Said(NOON, 100))
    assert counts(desk.takes(Said(NOON, 101, quality="estimated"))) == (1, 0, 0, 0)
    assert desk.index() == 100
    desk.takes(Said(NOON + 900, 200, quality="estimated"))
    assert counts(desk.takes(Said(NOON + 900, 201))) == (1, 0, 1, 0)
    assert desk.index(NOON + 900) == 201


def test_the_value_that_an_estimate_guessed_right_is_no_longer_estimated(desk: Desk) -> None:
    desk.takes(Said(NOON, 100, quality="estimated"))
    assert counts(desk.takes(Said(NOON, 100))) == (1, 0, 1, 0)
    assert counts(desk.takes(Said(NOON, 100, quality="estimated"))) == (0, 1, 0, 0)


def test_the_greatest_issued_at_counts_before_the_later_delivery(desk: Desk) -> None:
    desk.takes(Said(NOON, 100, issued_us=us(60)))
    assert counts(desk.takes(Said(NOON, 101, issued_us=us(59)))) == (1, 0, 0, 0)
    assert desk.index() == 100
    assert counts(desk.takes(Said(NOON, 102, issued_us=us(61)))) == (1, 0, 1, 0)
    assert desk.index() == 102


def test_without_issued_at_the_moment_of_recording_stands_for_it(desk: Desk) -> None:
    desk.takes(Said(NOON, 100))
    issued_before = Said(NOON, 101, issued_us=desk.now_us - 1)
    issued_after = Said(NOON, 102, issued_us=desk.now_us + 1)
    desk.takes(issued_before)
    assert desk.index() == 100
    desk.takes(issued_after)
    assert desk.index() == 102


def test_of_the_same_moment_of_issue_the_later_row_counts(desk: Desk) -> None:
    """Rows within one second: fractions are cut, and their order is that of arrival."""
    rows = [
        Said(NOON, value, issued_us=us(60), fraction_us=250_000 * number)
        for number, value in enumerate((103, 101, 102))
    ]
    assert counts(desk.takes(*rows)) == (3, 0, 0, 0)
    assert desk.index() == 102
    assert counts(desk.takes(Said(NOON, 99, issued_us=us(60)))) == (1, 0, 1, 0)
    assert desk.index() == 99


def test_a_placeholder_is_stored_and_never_used(desk: Desk) -> None:
    assert counts(desk.takes(Said(NOON, 100, quality="placeholder"))) == (1, 0, 0, 0)
    assert desk.counting() == {}
    assert counts(desk.takes(Said(NOON, 50, quality="estimated"))) == (1, 0, 0, 0)
    assert counts(desk.takes(Said(NOON, 77, quality="placeholder"))) == (1, 0, 0, 0)
    assert desk.index() == 50


def test_the_same_again_is_unchanged_and_no_delivery(desk: Desk) -> None:
    rows = [Said(NOON + 900 * n, 100 + n) for n in range(5)]
    desk.takes(*rows)
    again = desk.takes(*rows)
    assert counts(again) == (0, 5, 0, 0)
    assert again.delivery is None
    assert len(desk.deliveries()) == 1


def test_an_old_file_sent_again_after_its_correction_changes_nothing(desk: Desk) -> None:
    old = [Said(NOON + 900 * n, 100 + n) for n in range(3)]
    desk.takes(*old)
    desk.takes(Said(NOON + 900, 999))
    assert counts(desk.takes(*old)) == (0, 3, 0, 0)
    assert desk.index(NOON + 900) == 999


@pytest.mark.parametrize(("later_s", "accepted"), [(-1, 0), (0, 0), (1, 1)])
def test_an_explicit_issued_at_says_something_new_only_if_newer(
    desk: Desk, later_s: int, accepted: int
) -> None:
    desk.takes(Said(NOON, 100, issued_us=us(60)))
    desk.takes(Said(NOON, 101, issued_us=us(70)))
    again = desk.takes(Said(NOON, 100, issued_us=us(60 + later_s)))
    assert (again.accepted, again.unchanged) == (accepted, 1 - accepted)
    assert desk.index() == 101


def test_an_old_value_that_was_issued_anew_counts_again(desk: Desk) -> None:
    desk.takes(Said(NOON, 100, issued_us=us(60)))
    desk.takes(Said(NOON, 101, issued_us=us(70)))
    assert counts(desk.takes(Said(NOON, 100, issued_us=us(80)))) == (1, 0, 1, 0)
    assert desk.index() == 100


def test_a_row_of_one_register_leaves_the_other_alone(desk: Desk) -> None:
    desk.takes(Said(NOON, 100, en_ex=7))
    assert counts(desk.takes(Said(NOON, None, en_ex=8))) == (1, 0, 1, 0)
    assert desk.counting()[NOON] == {"en_im": 100, "en_ex": 8}
    assert counts(desk.takes(Said(NOON, None, en_ex=7))) == (0, 1, 0, 0)
    # One register is as it was, the other says something new: the row is accepted for that one.
    assert counts(desk.takes(Said(NOON, 100, en_ex=9))) == (1, 0, 1, 0)
    assert desk.counting()[NOON] == {"en_im": 100, "en_ex": 9}


def test_what_a_row_repeats_of_a_register_is_not_issued_anew_for_it(desk: Desk) -> None:
    desk.takes(Said(NOON, 100, en_ex=7))
    desk.takes(Said(NOON, 101))
    desk.takes(Said(NOON, 100, en_ex=8))
    assert desk.counting()[NOON] == {"en_im": 101, "en_ex": 8}


def test_a_withdrawn_delivery_makes_nothing_unchanged(desk: Desk) -> None:
    first = desk.takes(Said(NOON, 100))
    desk.withdraws(first)
    assert desk.counting() == {}
    assert counts(desk.takes(Said(NOON, 100))) == (1, 0, 0, 0)
    assert desk.index() == 100


def test_an_earlier_version_counts_again_without_the_delivery_that_replaced_it(desk: Desk) -> None:
    desk.takes(Said(NOON, 100))
    second = desk.takes(Said(NOON, 101))
    desk.withdraws(second)
    assert desk.index() == 100
    assert second.delivery is not None
    reinstate_delivery(desk.store, desk.site, second.delivery, "boss", desk.now_us)
    assert desk.index() == 101


def test_withdrawing_and_reinstating_are_recorded(desk: Desk) -> None:
    receipt = desk.takes(Said(NOON, 100))
    assert receipt.delivery is not None
    desk.withdraws(receipt)
    (withdrawn,) = desk.deliveries()
    assert (withdrawn.withdrawn_us, withdrawn.withdrawn_reason) == (desk.now_us, "wrong zone")
    with pytest.raises(NothingToChange):
        desk.withdraws(receipt)
    reinstate_delivery(desk.store, desk.site, receipt.delivery, "chief", desk.now_us)
    assert desk.deliveries()[0].withdrawn_us is None
    with pytest.raises(NothingToChange):
        reinstate_delivery(desk.store, desk.site, receipt.delivery, "chief", desk.now_us)
    with pytest.raises(UnknownDelivery):
        reinstate_delivery(desk.store, desk.site, 99, "chief", desk.now_us)
    audit = schema.audit
    with desk.store.database.read() as connection:
        said = connection.execute(
            select(audit.c.account, audit.c.action, audit.c.subject, audit.c.reason).order_by(
                audit.c.id
            )
        ).all()
    number = str(receipt.delivery)
    assert [tuple(row) for row in said] == [
        ("boss", "withdraw delivery", number, "wrong zone"),
        ("chief", "reinstate delivery", number, ""),
    ]


def test_the_delivery_says_what_its_receipt_said(desk: Desk) -> None:
    desk.takes(Said(NOON, 100), Said(NOON + 86_400 * 3, 200))
    receipt = desk.takes(
        Said(NOON, 101), Said(NOON + 86_400 * 3, 200), Said(NOON + 60, 5, meter="f" * 24)
    )
    day = NOON // 86_400
    assert desk.deliveries()[1] == Delivery(
        number=receipt.delivery or 0,
        recorded_us=desk.now_us,
        account="gateway",
        source="test",
        accepted=1,
        unchanged=1,
        superseding=1,
        rejected=1,
        first_day=day,
        last_day=day,
        not_counting=0,
    )


def test_rows_of_no_such_meter_of_a_rule_and_of_a_register_it_has_not_are_rejected(
    desk: Desk,
) -> None:
    receipt = desk.takes(
        Said(NOON, 100),
        Said(NOON, 1, meter="f" * 24),
        Said(NOON, 1, name=MeterName(type="electricity", prim_ad=77)),
        Said(NOON, 1, meter=RULE),
        Said(NOON, 1, meter=WATER),
        Said(NOON, None, meter=WATER, vol_m3=4),
        Said(NOON, None, en_ex=4, name=MeterName(type="electricity", prim_ad=4)),
    )
    assert counts(receipt) == (3, 0, 0, 4)
    assert [each.row for each in receipt.rejected] == [2, 3, 4, 5]
    reasons = [each.reason for each in receipt.rejected]
    assert reasons[0].startswith("no meter ffff")
    assert "prim_ad:77" in reasons[1]
    assert "rule" in reasons[2]
    assert "register en_im" in reasons[3]
    assert desk.counting(2) == {NOON: {"vol_m3": 4}}
    assert desk.counting(4) == {NOON: {"en_ex": 4}}


def test_all_rows_rejected_leave_nothing_behind(desk: Desk) -> None:
    receipt = desk.takes(Said(NOON, 1, meter=RULE))
    assert receipt.delivery is None
    assert counts(receipt) == (0, 0, 0, 1)
    assert desk.deliveries() == []


def test_the_rows_of_a_body_are_accepted_unchanged_or_rejected(desk: Desk) -> None:
    rows = [
        Said(NOON + 900 * (n % 7), 100 + n % 7, meter=(HOME, RULE)[n % 5 == 0]) for n in range(50)
    ]
    for accepted in (7, 0):
        receipt = desk.takes(*rows)
        assert receipt.accepted + receipt.unchanged + receipt.rejected_rows == len(rows)
        assert receipt.accepted == accepted


def test_duplicates_in_one_body_are_stored_once(desk: Desk) -> None:
    receipt = desk.takes(Said(NOON, 100), Said(NOON, 100), Said(NOON + 1, 101), Said(NOON, 100))
    assert counts(receipt) == (2, 2, 0, 0)
    assert desk.counting() == {NOON: {"en_im": 100}, NOON + 1: {"en_im": 101}}


def test_a_stamp_ahead_of_its_delivery_is_stored_and_set_aside(desk: Desk) -> None:
    desk.takes(*(Said(NOON + 900 * n, 1_000_000 * n) for n in range(4)))
    just_not = desk.now_us // 1_000_000 + 1 + 900
    desk.takes(Said(just_not, 5_000_000))
    assert desk.takes(Said(just_not + 3, 6_000_000)).accepted == 1
    with desk.store.snapshot() as snapshot:
        findings = read_findings(snapshot, desk.catalogue)
    ahead = [f.start_at for f in findings if f.rule is FindingRule.STAMP_AHEAD]
    assert ahead == [just_not + 3]
    assert desk.index(just_not + 3) == 6_000_000


def marked_days(desk: Desk) -> int:
    marks = schema.dirty_marks
    with desk.store.database.read() as connection:
        return int(connection.execute(select(func.count()).select_from(marks)).scalar_one())


@pytest.mark.parametrize("stamp", [253_402_300_799, 0, -62_135_596_800])
def test_a_clock_that_is_centuries_off_touches_no_more_than_its_day(desk: Desk, stamp: int) -> None:
    desk.takes(Said(stamp, 5))
    desk.takes(*(Said(NOON + 900 * n, 1_000_000 * n) for n in range(4)))
    settle_everything(desk.store, desk.site)
    desk.takes(Said(stamp + 60, 6), Said(NOON + 3600, 4_000_000))
    assert marked_days(desk) < 10
    with desk.store.snapshot() as snapshot:
        assert len(read_findings(snapshot, desk.catalogue, stamp, stamp + 61)) == 2
        meter = desk.catalogue.meters[0]
        series = read_meter_series(snapshot, desk.catalogue, meter, NOON // 900, NOON // 900 + 5)
    assert series.total.tolist() == [1000, 1000, 1000, 1000, 0]
    assert series.quality_total.tolist() == [Quality.MEASURED] * 4 + [Quality.MISSING]


def test_many_meters_and_days_decades_apart_come_in_one_body(desk: Desk) -> None:
    rows = [
        row
        for day in (-7_000, -1, 0, 400)
        for n in (3, 1, 2)
        for at, index in [(NOON + day * 86_400 + 900 * n, 10 * n + day + 7_000)]
        for row in (
            Said(at, en_im=index, meter=HOME),
            Said(at, vol_m3=index, meter=WATER),
            Said(at, en_ex=index, meter=SUN),
        )
    ]
    desk.now_us += 500 * 86_400_000_000
    assert counts(desk.takes(*rows)) == (len(rows), 0, 0, 0)
    assert counts(desk.takes(*reversed(rows))) == (0, len(rows), 0, 0)
    for meter, register in ((1, "en_im"), (2, "vol_m3"), (4, "en_ex")):
        assert desk.counting(meter) == {
            NOON + day * 86_400 + 900 * n: {register: 10 * n + day + 7_000}
            for day in (-7_000, -1, 0, 400)
            for n in (1, 2, 3)
        }


def test_late_and_unordered_rows_end_as_if_they_had_come_in_order(desk: Desk) -> None:
    beside = Desk(desk.store, add_building(desk.store, BUILDING))
    rows = [Said(NOON + 900 * n, 7_000 * n * n) for n in range(200)]
    for at in range(0, 200, 40):
        desk.takes(*rows[at : at + 40])
    for at in (120, 0, 160, 40, 80):
        beside.takes(*reversed(rows[at : at + 40]))
        settle_everything(desk.store, beside.site)
    settle_everything(desk.store, desk.site)
    left, right = (stored_results(desk.store, each.site) for each in (desk, beside))
    assert left["meter_days"] == right["meter_days"]
    assert left["site_days"] == right["site_days"]


def test_what_is_set_aside_by_its_stamp_is_still_among_the_raw_readings(desk: Desk) -> None:
    long_ago, far_ahead = NOON - 12_000 * 86_400, NOON + 4_000 * 86_400
    desk.takes(Said(NOON, 100), Said(long_ago, 1), Said(far_ahead, 2))

    assert sorted(desk.counting()) == [long_ago, NOON, far_ahead]
    with desk.store.snapshot() as snapshot:
        latest = read_raw(snapshot, desk.catalogue, desk.catalogue.meters[0], None, NOON + 900)
    assert latest.stamps.tolist() == [NOON]


def test_a_site_s_data_begin_with_the_first_reading_that_counts(desk: Desk) -> None:
    long_ago, far_ahead = NOON - 12_000 * 86_400, NOON + 4_000 * 86_400

    def begins() -> int | None:
        with desk.store.snapshot() as snapshot:
            return first_reading_at(snapshot, desk.catalogue)

    desk.takes(Said(long_ago, 1), Said(far_ahead, 2))
    assert begins() is None
    desk.takes(Said(NOON, 100))
    wrong = desk.takes(Said(NOON - 30 * 86_400, 90))
    assert begins() == NOON - 30 * 86_400
    desk.withdraws(wrong)
    assert begins() == NOON


def test_what_replaces_counts_before_better_readings_that_came_earlier(desk: Desk) -> None:
    desk.takes(Said(NOON, 5_000))
    final = Said(NOON, 500, quality="estimated", replaces=True)
    assert counts(desk.takes(final)) == (1, 0, 1, 0)
    assert desk.index() == 500
    assert counts(desk.takes(final)) == (0, 1, 0, 0)
    assert counts(desk.takes(Said(NOON, 5_000))) == (0, 1, 0, 0)
    assert desk.index() == 500
    assert counts(desk.takes(Said(NOON, 600))) == (1, 0, 1, 0)
    assert desk.index() == 600


def test_what_replaces_is_withdrawn_like_anything_else(desk: Desk) -> None:
    desk.takes(Said(NOON, 5_000))
    final = desk.takes(Said(NOON, 500, quality="estimated", replaces=True))
    desk.withdraws(final)
    assert desk.index() == 5_000
    assert final.delivery is not None
    reinstate_delivery(desk.store, desk.site, final.delivery, "boss", desk.now_us)
    assert desk.index() == 500


def test_what_replaces_does_so_from_when_it_was_issued(desk: Desk) -> None:
    final = Said(NOON, 500, quality="estimated", issued_us=us(20), replaces=True)
    assert counts(desk.takes(final, Said(NOON, 5_000, issued_us=us(10)))) == (2, 0, 0, 0)
    assert desk.index() == 500
    assert counts(desk.takes(Said(NOON, 4_000, issued_us=us(30)))) == (1, 0, 1, 0)
    assert desk.index() == 4_000


def test_what_was_said_before_says_more_once_it_replaces(desk: Desk) -> None:
    desk.takes(Said(NOON, 5_000))
    desk.takes(Said(NOON, 500, quality="estimated"))
    assert desk.index() == 5_000
    again = Said(NOON, 500, quality="estimated", replaces=True)
    assert counts(desk.takes(again)) == (1, 0, 1, 0)
    assert desk.index() == 500


def reasons(receipt: Receipt) -> list[tuple[int, str]]:
    return [(each.row, each.reason.split(";")[0]) for each in receipt.not_counting]


def test_a_receipt_names_the_rows_that_do_not_count_and_why(desk: Desk) -> None:
    desk.takes(Said(NOON, 100), Said(NOON + 900, 200), Said(NOON + 1800, 300))
    receipt = desk.takes(
        Said(NOON + 2700, 400),
        Said(NOON, 101, quality="estimated"),
        Said(NOON + 900, 201, issued_us=us(0)),
        Said(NOON + 3600, 1, quality="placeholder"),
        Said(NOON + 1800, 300, quality="estimated"),
    )
    assert counts(receipt) == (5, 0, 0, 0)
    assert reasons(receipt) == [
        (2, "a version of better quality counts"),
        (3, "a version that was issued later counts"),
        (4, "a placeholder is stored and never used"),
    ]
    assert receipt.not_counting_rows == 3
    assert desk.deliveries()[-1].not_counting == 3

    desk.takes(Said(NOON, 7, quality="estimated", replaces=True))
    assert reasons(desk.takes(Said(NOON, 100), Said(NOON, 50, issued_us=us(1)))) == [
        (1, "it was said before and another version counts since"),
        (2, "a version that replaces earlier ones counts, and comes after it"),
    ]


def test_a_receipt_names_so_many_rows_and_counts_the_others(desk: Desk) -> None:
    said = [Said(NOON + 60 * minute, 1, quality="placeholder") for minute in range(1_005)]
    receipt = desk.takes(*said)
    assert (len(receipt.not_counting), receipt.not_counting_rows) == (1_000, 1_005)


def refused(receipt: Receipt) -> list[tuple[int, str]]:
    return [(each.row, each.reason.partition(" of the same")[0]) for each in receipt.rejected]


def test_rows_of_one_instant_that_contradict_each_other_are_all_rejected(desk: Desk) -> None:
    """A row a phase: no one of them is the meter's index, and their order says nothing."""
    quarters = [NOON + 900 * number for number in range(3)]
    phases = [
        Said(at, en_im=phase * 1_000 + (number * phase))
        for number, at in enumerate(quarters)
        for phase in (1, 2, 3)
    ]
    receipt = desk.takes(*phases)
    assert counts(receipt) == (0, 0, 0, 9)
    assert receipt.delivery is None
    assert refused(receipt)[:4] == [
        (1, "en_im is another than in rows 2, 3"),
        (2, "en_im is another than in rows 1, 3"),
        (3, "en_im is another than in rows 1, 2"),
        (4, "en_im is another than in rows 5, 6"),
    ]
    assert desk.counting() == {}


def test_what_is_stored_stays_where_later_rows_contradict_each_other(desk: Desk) -> None:
    desk.takes(Said(NOON, 100))
    assert counts(desk.takes(Said(NOON, 100), Said(NOON, 101))) == (0, 0, 0, 2)
    assert desk.index() == 100


def test_rows_that_can_be_told_apart_or_agree_do_not_contradict(desk: Desk) -> None:
    assert counts(desk.takes(Said(NOON, 100), Said(NOON, 100))) == (1, 1, 0, 0)
    assert counts(desk.takes(Said(NOON + 60, 5), Said(NOON + 60, en_ex=7))) == (2, 0, 0, 0)
    told_apart = [
        Said(NOON + 120, 1, issued_us=us(1)),
        Said(NOON + 120, 2, issued_us=us(2)),
        Said(NOON + 120, 3, quality="estimated"),
        Said(NOON + 120, 4, quality="estimated", replaces=True),
        Said(NOON + 120, 5, serial="A"),
        Said(NOON + 120, 6, serial="B"),
        Said(NOON + 120, 7, fraction_us=500_000),
        Said(NOON + 120, 8, meter=SUN),
    ]
    assert counts(desk.takes(*told_apart)) == (8, 0, 0, 0)


def test_only_the_register_that_is_said_twice_is_in_doubt(desk: Desk) -> None:
    receipt = desk.takes(
        Said(NOON, 100, en_ex=7), Said(NOON, en_ex=8), Said(NOON, 100), Said(NOON, en_ex=7)
    )
    assert refused(receipt) == [
        (1, "en_ex is another than in row 2"),
        (2, "en_ex is another than in rows 1, 4"),
        (4, "en_ex is another than in row 2"),
    ]
    assert desk.counting() == {NOON: {"en_im": 100}}


def test_a_receipt_names_so_many_rejected_rows_and_counts_the_others(desk: Desk) -> None:
    wrong = [Said(NOON + 60 * minute, 1, meter=f"{minute:024x}") for minute in range(1_200)]
    receipt = desk.takes(Said(NOON, 100), *wrong)
    assert counts(receipt) == (1, 0, 0, 1_200)
    assert [each.row for each in receipt.rejected] == list(range(2, 1_002))
    assert desk.deliveries()[0].rejected == 1_200


def test_a_body_scattered_over_years_costs_no_look_around_each_of_its_days(desk: Desk) -> None:
    """Its turn to write keeps others from theirs: what each day touches is not looked up."""
    told: list[int] = []

    def statements_of(days: range) -> float:
        told.clear()
        desk.takes(*(Said(NOON - 86_400 * day, 9_000 - day) for day in days))
        return len(told) / len(days)

    event.listen(desk.store.database.engine, "before_cursor_execute", lambda *_: told.append(1))
    assert statements_of(range(0, 1_600, 4)) > 2.5
    assert statements_of(range(2, 2_400, 4)) < 2
