"""What is not written or read by its model is held to it here."""

import pytest
from pydantic import BaseModel, TypeAdapter

from commonwatt.api.own.readings import ReadingRow, SensorRow
from commonwatt.api.own.series_tables import BalanceRow, SeriesRow
from commonwatt.formats.readings.row_source import READING_KEYS, SENSOR_KEYS
from tests.api.building import ANNA, SITE
from tests.api.conftest import Clients

OWN = f"/commonwatt/v1/sites/{SITE}"
DAY = {"start": "2026-03-21", "end": "2026-03-22"}


@pytest.mark.parametrize(
    ("path", "model"),
    [
        (f"{OWN}/meters/{ANNA}/series", SeriesRow),
        (f"{OWN}/balance", BalanceRow),
        (f"{OWN}/balance?type=cold_water", BalanceRow),
    ],
)
@pytest.mark.parametrize("sampling", ["15T", "H", "M"])
def test_series_are_rows_of_their_model(
    client: Clients, path: str, model: type[BaseModel], sampling: str
) -> None:
    rows = client("reader").get(path, params=DAY | {"sampling": sampling}).json()

    assert rows
    for row in rows:
        assert set(row) == set(model.model_fields)
    TypeAdapter(list[model]).validate_python(rows, strict=True)  # type: ignore[valid-type]


@pytest.mark.parametrize(("model", "keys"), [(ReadingRow, READING_KEYS), (SensorRow, SENSOR_KEYS)])
def test_rows_of_a_body_have_the_keys_of_their_model(
    model: type[BaseModel], keys: tuple[str, ...]
) -> None:
    assert set(model.model_fields) == set(keys)
