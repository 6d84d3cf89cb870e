from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from commonwatt.domain.metering.zones import (
    InstantOutOfRange,
    UnknownTimezone,
    first_instants,
    local_midnight,
    offset_changes,
    parse_timezone,
    utc_offsets,
)


def shown(instant_at: int, zone: str) -> str:
    return str(datetime.fromtimestamp(instant_at, ZoneInfo(zone)))


class TestParseTimezone:
    @pytest.mark.parametrize("name", ["Europe/Zurich", "Asia/Kolkata", "UTC", "Antarctica/Troll"])
    def test_accepts_a_zone(self, name: str) -> None:
        assert parse_timezone(name) == name

    @pytest.mark.parametrize(
        "name",
        [
            "",
            "Europe",
            "Europe/Zurch",
            "europe/zurich",
            "Europe/Zurich ",
            "../../etc/passwd",
            "/etc/localtime",
            "right/Europe/Zurich",
            "localtime",
            "a\0b",
            "x" * 5000,
            "+01:00",
        ],
    )
    def test_refuses_what_is_none(self, name: str) -> None:
        with pytest.raises(UnknownTimezone, match=r"is not an IANA time zone; .*[A-Z][a-z]+"):
            parse_timezone(name)

    def test_offers_a_close_name(self) -> None:
        with pytest.raises(UnknownTimezone, match=r"'Europe/Zurch' .* try Europe/Zurich"):
            parse_timezone("Europe/Zurch")


class TestUtcOffsets:
    def test_unknown_zone_is_named(self) -> None:
        with pytest.raises(UnknownTimezone, match="Nowhere"):
            utc_offsets("Nowhere", np.array([0]))

    def test_nothing_asked_nothing_answered(self) -> None:
        assert utc_offsets("Europe/Zurich", np.empty(0, np.int64)).tolist() == []

    @pytest.mark.parametrize("instant_at", [-(10**11), 10**12, 2**62, -(2**62)])
    def test_refuses_instants_without_a_local_time(self, instant_at: int) -> None:
        with pytest.raises(InstantOutOfRange, match=str(instant_at)):
            utc_offsets("Europe/Zurich", np.array([instant_at]))

    def test_the_second_of_a_change_has_the_new_offset(self) -> None:
        change_at = int(datetime(2026, 3, 29, 1, tzinfo=UTC).timestamp())
        around = np.array([change_at - 1, change_at, change_at + 1])
        assert utc_offsets("Europe/Zurich", around).tolist() == [3600, 7200, 7200]
        assert utc_offsets("Europe/Zurich", around[::-1]).tolist() == [7200, 7200, 3600]

    def test_two_changes_within_a_week_are_both_found(self) -> None:
        start_at = int(datetime(2000, 9, 1, tzinfo=UTC).timestamp())
        changes = offset_changes("America/Noronha", start_at, start_at + 90 * 86400)
        within = changes.starts_at[changes.starts_at >= start_at]
        assert np.diff(within).tolist() == [167 * 3600]

    def test_shared_tables_cannot_be_written(self) -> None:
        changes = offset_changes("Europe/Zurich", 0, 1)
        with pytest.raises(ValueError, match="read-only"):
            changes.starts_at[0] = 1


class TestLocalMidnight:
    @pytest.mark.parametrize(
        ("zone", "local_date", "expected"),
        [
            pytest.param("UTC", date(2026, 1, 1), "2026-01-01 00:00:00+00:00", id="UTC"),
            pytest.param(
                "Europe/Zurich", date(2026, 3, 29), "2026-03-29 00:00:00+01:00", id="day of 23 h"
            ),
            pytest.param(
                "Europe/Zurich", date(2026, 10, 25), "2026-10-25 00:00:00+02:00", id="day of 25 h"
            ),
            pytest.param(
                "Africa/Cairo", date(2026, 4, 24), "2026-04-24 01:00:00+03:00", id="no midnight"
            ),
            pytest.param(
                "America/St_Johns",
                date(2010, 11, 7),
                "2010-11-07 00:00:00-02:30",
                id="midnight twice: the first",
            ),
            pytest.param(
                "Asia/Gaza",
                date(2015, 3, 28),
                "2015-03-28 01:00:00+03:00",
                id="no midnight in Gaza",
            ),
            pytest.param(
                "Pacific/Apia",
                date(2011, 12, 30),
                "2011-12-31 00:00:00+14:00",
                id="no such date",
            ),
            pytest.param(
                "Pacific/Apia",
                date(2011, 12, 31),
                "2011-12-31 00:00:00+14:00",
                id="the date after it",
            ),
            pytest.param(
                "America/Sao_Paulo",
                date(2018, 2, 18),
                "2018-02-18 00:00:00-03:00",
                id="23:00 twice",
            ),
        ],
    )
    def test_is_the_first_instant_of_the_date(
        self, zone: str, local_date: date, expected: str
    ) -> None:
        assert shown(local_midnight(zone, local_date), zone) == expected

    def test_first_instants_keep_the_order_of_what_was_asked(self) -> None:
        walls_s = np.array([86_400 * 20_000, 86_400 * 19_000])
        found = first_instants("UTC", walls_s, 0, 86_400 * 21_000)
        assert found.tolist() == walls_s.tolist()
