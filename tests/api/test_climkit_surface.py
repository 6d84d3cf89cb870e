"""The published surface, endpoint by endpoint, key by key."""

import httpx2
import pytest

from tests.api import building

DAY = {"t_s": "2026-03-21T00:00:00", "t_e": "2026-03-22T00:00:00"}


def rows(answer: httpx2.Response) -> list[dict[str, object]]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    found: list[dict[str, object]] = answer.json()
    return found


def test_a_consumer_has_total_self_ext_and_timestamp(reader: httpx2.Client) -> None:
    found = rows(reader.post(f"/api/v1/meter_data/{building.SITE}/{building.ANNA}", json=DAY))

    assert len(found) == 96
    assert list(found[0]) == ["total", "self", "ext", "timestamp"]
    assert found[0]["timestamp"] == "2026-03-21 01:15:00+01:00"
    assert found[-1]["timestamp"] == "2026-03-22 01:00:00+01:00"
    assert all(row["total"] == 0.04 for row in found)
