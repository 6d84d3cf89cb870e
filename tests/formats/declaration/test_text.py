"""What is shown of a site is a declaration of it."""

from dataclasses import replace
from pathlib import Path

import pytest

from commonwatt.adapters.store.sql_store import SqlStore
from commonwatt.app.declaring.apply import apply_declaration
from commonwatt.domain.metering.catalogue import SiteCatalogue
from commonwatt.formats.declaration.shapes import Meter, Site, keys_of
from commonwatt.formats.declaration.text import declaration_text
from commonwatt.formats.declaration.yaml import declaration_from_yaml
from commonwatt.settings import Settings
from commonwatt.stores import open_store_of
from tests.docs.markdown import DOCS
from tests.formats.declaration.editors import check_as_editors_do

NOW_AT = 1_780_000_000

EVERYTHING = """
site:
  id: 61dfc9a0eba4e3564021f36a
  site_ref: "0012"
  name: "Les: Tilleuls # 12"
  timezone: Europe/Zurich
  address: {street_name: Rue, street_number: "012", city: "yes", postal_code: 1020}
  creation_date: 2022-05-05
  latitude: -46.53
  longitude: 6.5
  electricity: {balance: clamped, key: matrix, battery: first, connection_kw: 40.5}
  proxy_days: true
meters:
  - {name: Grid, type: electricity, mode: introduction, prim_ad: 10, factor: 0.001,
     max_per_hour: 41.5}
  - {name: Roof, type: electricity, mode: production, prim_ad: 101,
     registers: {en_im: {raw: en_ex, from: 2026-03-16}, en_ex: en_im}, register_kind: resets}
  - {name: Anna, type: electricity, mode: consumption, prim_ad: 11, producers: {prim_ad:101: 40.5},
     priority: 3, installed_at: 2025-03-01, installed_index: {en_im: 12.000001},
     removed_at: 2027-10-31T02:30:00+01:00}
  - {name: Ben, type: electricity, mode: consumption, prim_ad: 12, producers: {prim_ad:101: 59.5},
     share: 12.5}
  - {name: Sum, type: electricity, mode: consumption, prim_ad: 13, rule: "prim_ad:10 - prim_ad:11",
     balance: false}
  - {name: Shed, type: electricity, mode: consumption, prim_ad: 14, isolated: true, enabled: false}
  - {name: Load curve, type: electricity, mode: consumption, prim_ad: 15, interval: PT30M,
     balance: false, register_meter: "prim_ad:12"}
  - name: Water
    type: cold_water
    mode: consumption
    prim_ad: 31
    expected: P1M
    devices:
      - {serial: "1", digits: 6, end_index: {vol_m3: 81234.5}}
      - {from: 2026-03-01T10:20:00+01:00, serial: B7, digits: 6, factor: 10,
         start_index: {vol_m3: 0}}
sensors:
  - {name: Stairs, type: temperature, unit: "°C", model: LoRa T1}
"""


@pytest.fixture
def store(tmp_path: Path) -> SqlStore:
    return open_store_of(Settings(data=tmp_path / "data"))


def applied(store: SqlStore, text: str, now_at: int = NOW_AT) -> list[str]:
    declared = declaration_from_yaml(text.encode())
    return [*apply_declaration(store, declared, "somebody", now_at).report]


def catalogue_of(store: SqlStore) -> SiteCatalogue:
    with store.snapshot() as snapshot:
        (site,) = snapshot.catalogue.sites()
        return snapshot.catalogue.catalogue(site.number)


@pytest.mark.parametrize("text", [EVERYTHING, (DOCS / "examples" / "building.yaml").read_text()])
def test_what_is_shown_changes_nothing_and_makes_the_same_site_elsewhere(
    store: SqlStore, tmp_path: Path, text: str
) -> None:
    applied(store, text)
    shown = declaration_text(catalogue_of(store))

    assert "!!" not in shown, "no tags of YAML among what a person reads"
    check_as_editors_do(text)
    check_as_editors_do(shown)
    assert applied(store, shown) == []
    elsewhere = open_store_of(Settings(data=tmp_path / "elsewhere"))
    applied(elsewhere, shown)
    assert declaration_text(catalogue_of(elsewhere)) == shown
    numbered = {meter.id: meter.number for meter in catalogue_of(store).meters}
    for meter in catalogue_of(elsewhere).meters:
        same = replace(meter, number=numbered[meter.id])
        assert same == catalogue_of(store).meter_by_id[meter.id]


def test_every_key_of_a_declaration_is_shown(store: SqlStore) -> None:
    """A key that is added to declarations is added here, or `show` would lose it."""
    applied(store, EVERYTHING)
    later = EVERYTHING.replace("prim_ad: 10, factor: 0.001", "prim_ad: 10, factor: 0.002")
    applied(store, later.replace("balance: clamped, ", "balance: plain, "), NOW_AT + 900)

    shown = declaration_text(catalogue_of(store))

    for shape in (Meter, Site):
        missing = [key for key in keys_of(shape) if f"{key}:" not in shown]
        assert missing == []
    for key in ("connection_kw", "key", "battery", "street_number", "unit", "serial", "end_index"):
        assert f"{key}:" in shown


def test_facts_that_hold_from_later_on_stay_so(store: SqlStore) -> None:
    applied(store, EVERYTHING)
    in_a_year = NOW_AT + 365 * 86_400
    applied(store, EVERYTHING.replace("factor: 0.001", "factor: 0.002, valid_from: 2027-06-01"))
    shown = declaration_text(catalogue_of(store))

    assert "factor: 0.002" in shown
    assert "valid_from: 2027-06-01}" in shown
    assert applied(store, shown) == []
    assert applied(store, shown, in_a_year * 2) == []
