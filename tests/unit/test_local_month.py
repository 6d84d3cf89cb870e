"""Periods cut by months of a site's calendar."""

import pytest

from commonwatt.app.series.local_month import local_month, months_within


@pytest.mark.parametrize("zone", ["Europe/Zurich", "America/New_York", "Asia/Kathmandu", "UTC"])
def test_a_year_is_cut_into_its_months_with_the_days_of_both_switches(zone: str) -> None:
    months = [local_month(zone, f"2026-{month:02}") for month in range(1, 13)]
    assert months_within(zone, months[0][0], months[-1][1]) == months


def test_the_first_and_the_last_part_may_be_shorter() -> None:
    start_at, end_at = local_month("Europe/Zurich", "2026-02")
    parts = months_within("Europe/Zurich", start_at - 900, end_at + 900)
    assert parts == [(start_at - 900, start_at), (start_at, end_at), (end_at, end_at + 900)]
    assert months_within("UTC", 900, 900) == []
