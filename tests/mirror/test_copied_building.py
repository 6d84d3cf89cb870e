"""A building of one server, copied into the store of another, which answers alike."""

import datetime as dt
import time
from pathlib import Path

import httpx2
import pytest

from commonwatt.adapters.store.opening import open_database
from commonwatt.adapters.store.sql_store import SqlStore
from commonwatt.app.accounts.authorize import Role
from commonwatt.app.declaring.apply import apply_declaration
from commonwatt.app.reference.compare import TOTALS_SOURCE, compare_reference
from commonwatt.formats.declaration.yaml import declaration_from_yaml
from tests.api import building
from tests.api.conftest import account, add, token
from tests.api.serving import application_of, client_of, served
from tests.mirror.copying import catalogue, copy, notes
from tests.mirror.recording import Recorder

Source = tuple[str, Recorder]
WINDOW = {"t_s": "2026-03-20T00:00:00", "t_e": "2026-03-25T00:00:00"}
SAMPLINGS = ("15T", "H", "D", "M", "Y")
_WITH_READINGS = tuple(each.id for each in building.METERS if each.rule is None)


def answers(client: httpx2.Client) -> dict[str, object]:
    """What a server answers of the building, by question."""
    site = building.SITE
    found: dict[str, object] = {}
    for path in (f"installation_infos/{site}", f"{site}/sensors_list"):
        found[path] = client.get(f"/api/v1/{path}").json()
    for media in ("electricity", "charge_point", "heating", "cold_water"):
        for sampling in SAMPLINGS:
            body = {**WINDOW, "sampling_frequency": sampling, "meters": True}
            path = f"site_data/{site}/{media}"
            found[f"{path} {sampling}"] = client.post(f"/api/v1/{path}", json=body).json()
    for meter in _WITH_READINGS:
        for sampling in SAMPLINGS:
            body = {**WINDOW, "sampling_frequency": sampling}
            path = f"meter_data/{site}/{meter}"
            found[f"{path} {sampling}"] = client.post(f"/api/v1/{path}", json=body).json()
        path = f"meter_data_raw/{site}/{meter}"
        found[path] = client.post(f"/api/v1/{path}", json=WINDOW).json()
    path = f"{site}/sensor_data/{building.SENSOR}"
    found[path] = client.get(f"/api/v1/{path}", params=WINDOW).json()
    return found


def test_a_copied_site_is_answered_as_its_source_answers_it(source: Source, tmp_path: Path) -> None:
    address, _ = source
    application = application_of(tmp_path / "copy")
    copied = copy(address, application.store)
    add(application.store, account("reader", Role.DEVELOPER, building.SITE))
    with (
        client_of(address, token(address, "reader")) as theirs,
        served(application) as own_address,
        client_of(own_address, token(own_address, "reader")) as ours,
    ):
        expected, found = answers(theirs), answers(ours)

    assert not copied.failed
    assert found.keys() == expected.keys()
    for question, answer in expected.items():
        assert answer, question
        assert found[question] == answer, question


def test_meters_keep_their_ids_and_what_they_are(source: Source, store: SqlStore) -> None:
    copied = copy(source[0], store)

    here = catalogue(store)
    assert {
        (m.id, m.name, m.medium, m.prim_ad, m.current.mode, m.interval_s) for m in here.meters
    } == {
        (each.id, each.name, each.medium, each.prim_ad, each.mode, 900 if each.rule else None)
        for each in building.METERS
    }
    assert (copied.meters, copied.sensors) == (9, 1)
    assert [sensor.unit for sensor in here.sensors] == ["°C"]
    assert (here.site.city, here.site.postal_code, here.site.site_ref) == (
        "Renens",
        "1020",
        "CH-0012",
    )


def test_a_rule_meter_is_fed_from_totals_and_that_is_said(source: Source, store: SqlStore) -> None:
    copied = copy(source[0], store)

    said = "fed from validated totals: a rule meter, and the API does not tell its rule"
    assert notes(copied) == [f"Difference: {said}"]
    with store.snapshot() as snapshot:
        number = catalogue(store).site.number
        sources = {each.source for each in snapshot.readings.deliveries(number)}
    assert sources == {"mirror source.example", f"{TOTALS_SOURCE}source.example"}


def test_what_the_source_says_is_kept_and_compared(source: Source, store: SqlStore) -> None:
    copied = copy(source[0], store)

    months = compare_reference(store, catalogue(store).site.number)
    # The local month of March, of every meter.
    assert sorted((each.meter.id, each.month) for each in months) == sorted(
        (each.id, "2026-03") for each in building.METERS
    )
    assert [each for each in months if not each.is_equal] == []
    assert {each.series["total"].both for each in months} == {building.QUARTERS}
    assert copied.quarters == building.QUARTERS * len(building.METERS)
    assert copied.sensor_values == len(building.SENSOR_VALUES)
    assert {each.meter.name for each in months if each.reasons} == {"Difference"}


def test_copied_again_it_asks_only_for_what_is_new(source: Source, store: SqlStore) -> None:
    address, recorder = source
    copy(address, store)
    first = len(recorder.asked)
    recorder.asked.clear()
    before = dt.datetime.now(dt.UTC) - dt.timedelta(days=5)

    copied = copy(address, store)

    assert (copied.readings, copied.sensor_values, copied.declared) == (0, 0, [])
    asked = [each for each in recorder.asked if "_data" in each.path]
    assert all(each.start is not None and each.start > before for each in asked)
    # A month of the nearest days, or two: of each meter readings and quarter-hours.
    assert len(asked) < first / 3


def test_new_and_late_readings_are_copied_by_the_next_run(source: Source, store: SqlStore) -> None:
    address, _ = source
    copy(address, store)
    now_at = int(time.time()) - 60
    late_at, early_at = now_at - 2 * 86_400, building.LAST_AT + 900
    put(address, {late_at: 900.0, now_at: 901.0, early_at: 890.0})

    copied = copy(address, store)
    assert copied.readings == 2

    again = copy(address, store, since=dt.date(2026, 3, 22))
    assert again.readings == 1
    with store.snapshot() as snapshot:
        site = catalogue(store)
        number = site.meter_by_id[building.ANNA].number
        stored = snapshot.readings.readings(site.site.number, [number], 0, 30_000)[number]
    assert {late_at, now_at, early_at} < set(stored.stamps.tolist())


def put(address: str, indexes: dict[int, float]) -> None:
    """Deliver indexes of Anna's to the source."""
    rows = [
        {"meter": building.ANNA, "timestamp": building.utc(at), "en_im": value}
        for at, value in indexes.items()
    ]
    with client_of(address, token(address, "gateway")) as gateway:
        path = f"/commonwatt/v1/sites/{building.SITE}/readings"
        assert gateway.put(path, json=rows).json()["accepted"] == len(rows)


def test_what_was_changed_here_stays(source: Source, store: SqlStore) -> None:
    """The key, and what the API does not tell of a meter."""
    address, _ = source
    copy(address, store)
    text = f"""
    site: {{id: {building.SITE}, name: Les Tilleuls 12, timezone: Europe/Zurich,
            electricity: {{key: equal, balance: clamped}}}}
    meters:
      - {{id: {building.ANNA}, name: Anna, type: electricity, mode: consumption, priority: 3}}
    """
    apply_declaration(store, declaration_from_yaml(text.encode()), "me", int(time.time()))

    copied = copy(address, store)

    assert copied.declared == []
    here = catalogue(store)
    assert (here.facts[-1].key, here.facts[-1].balance) == ("equal", "clamped")
    assert here.meter_by_id[building.ANNA].current.priority == 3


def test_a_meter_that_this_account_may_not_read_is_said_and_skipped(
    source: Source, store: SqlStore
) -> None:
    copied = copy(source[0], store, account="narrow")

    assert "Bert: left out: this account may not read it" in notes(copied)
    assert not copied.failed
    here = catalogue(store)
    assert building.BERT not in here.meter_by_id
    assert len(here.meters) == len(building.METERS) - 1


def test_a_rule_that_is_declared_here_first_is_computed_here(
    source: Source, store: SqlStore
) -> None:
    text = f"""
    site: {{id: {building.SITE}, name: x, timezone: Europe/Zurich}}
    meters:
      - {{id: {building.WATER}, name: w, type: cold_water, mode: consumption, prim_ad: 31}}
      - {{id: {building.COMMON}, name: d, type: cold_water, mode: consumption, rule: "prim_ad:31"}}
    """
    apply_declaration(store, declaration_from_yaml(text.encode()), "me", int(time.time()))

    copied = copy(source[0], store)

    said = "computed here by a rule; what the server says is kept as reference"
    assert notes(copied) == [f"Difference: {said}"]
    months = compare_reference(store, catalogue(store).site.number)
    [compared] = [each for each in months if each.meter.id == building.COMMON]
    assert compared.is_equal
    assert not compared.reasons


@pytest.mark.postgres
def test_on_postgresql(source: Source, postgres_url: str) -> None:
    database = open_database(postgres_url)
    try:
        store = SqlStore(database)
        copy(source[0], store)
        months = compare_reference(store, catalogue(store).site.number)
    finally:
        database.close()
    assert [each.is_equal for each in months] == [True] * len(building.METERS)
