"""Declarations: what is said, what is not, and every fault with its line."""

from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonwatt.app.declaring.declaration import NOT_SAID, InvalidDeclaration, SiteDeclaration
from commonwatt.domain.allocation import KEYS
from commonwatt.domain.metering.catalogue import BalanceMode, BatteryOrder, Medium, Mode, Register
from commonwatt.formats.declaration.yaml import declaration_from_yaml

BUILDING = """
site:
  id: 61dfc9a0eba4e3564021f36a
  site_ref: CH-0012
  name: Les Tilleuls 12
  address: {street_name: Rue des Tilleuls, street_number: "12", city: Renens, postal_code: 1020}
  creation_date: 2022-05-05
  latitude: 46.53
  longitude: 6.59
  timezone: Europe/Zurich
  electricity: {balance: clamped, key: pro_rata, valid_from: 2026-01-01}
meters:
  - {id: 61dfcb4beba4e3563fdf3d9f, name: Flat 1, type: electricity, mode: consumption, prim_ad: 11}
  - {name: Common parts, type: electricity, mode: consumption, rule: "prim_ad:15 - prim_ad:16"}
  - name: Cold water
    type: cold_water
    mode: consumption
    prim_ad: 31
    installed_at: 2022-05-01
    installed_index: 12.345678
    removed_at: 2026-05-01T12:00:00
    rule: null
  - name: Grid
    type: electricity
    mode: introduction
    interval: PT30M
    registers: {en_im: en_ex, en_ex: en_im}
    installed_index: {en_im: 5, en_ex: 0.1}
    enabled: no
    balance: false
    isolated: true
    priority: -2
    factor: 40.000001
    share: 33.5
    valid_from: 2026-01-01T00:00:00+01:00
sensors:
  - {name: Stairwell, type: temperature, unit: "°C", model: LoRa T1}
"""
SITE = "site: {site_ref: A, name: B, timezone: Europe/Zurich}\n"


def read(text: str) -> SiteDeclaration:
    return declaration_from_yaml(text.encode())


def faults(text: str) -> list[str]:
    with pytest.raises(InvalidDeclaration) as raised:
        read(text)
    assert str(raised.value) == "\n".join(map(str, raised.value.faults))
    return [str(fault) for fault in raised.value.faults]


def test_a_site_says_what_it_says() -> None:
    site = read(BUILDING)
    assert (site.id, site.site_ref, site.name) == (
        "61dfc9a0eba4e3564021f36a",
        "CH-0012",
        "Les Tilleuls 12",
    )
    assert (site.street_name, site.street_number) == ("Rue des Tilleuls", "12")
    assert (site.city, site.postal_code) == ("Renens", "1020")
    assert (site.creation_date, site.timezone) == ("2022-05-05", "Europe/Zurich")
    assert (site.latitude, site.longitude) == (46.53, 6.59)
    assert (site.balance, site.key) == (BalanceMode.CLAMPED, "pro_rata")
    assert site.valid_from == 1_767_222_000
    assert site.line == 3


def test_meters_say_what_they_say_and_nothing_else() -> None:
    apartment, common, water, grid = read(BUILDING).meters
    assert (apartment.id, apartment.prim_ad) == ("61dfcb4beba4e3563fdf3d9f", 11)
    assert (apartment.medium, apartment.mode) == (Medium.ELECTRICITY, Mode.CONSUMPTION)
    for unsaid in ("interval_s", "installed_at", "installed_index", "removed_at", "valid_from"):
        assert getattr(apartment, unsaid) is NOT_SAID
    for unsaid in ("enabled", "balance", "isolated", "priority", "factor", "share", "registers"):
        assert getattr(apartment, unsaid) is NOT_SAID
    assert common.rule == "prim_ad:15 - prim_ad:16"
    assert (common.id, common.prim_ad) == (NOT_SAID, NOT_SAID)
    assert (water.installed_at, water.removed_at) == (1_651_356_000, 1_777_629_600)
    assert water.installed_index == Decimal("12.345678")
    assert water.rule is None
    assert grid.interval_s == 1800
    assert grid.registers == {
        Register.EN_IM: Register.EN_EX,
        Register.EN_EX: Register.EN_IM,
    }
    assert grid.installed_index == {Register.EN_IM: Decimal(5), Register.EN_EX: Decimal("0.1")}
    assert (grid.enabled, grid.balance, grid.isolated) == (False, False, True)
    assert (grid.priority, grid.factor, grid.share) == (-2, Decimal("40.000001"), Decimal("33.5"))
    assert (grid.valid_from, grid.line) == (1_767_222_000, 23)


def test_sensors_and_a_site_alone() -> None:
    [sensor] = read(BUILDING).sensors
    assert (sensor.name, sensor.type, sensor.unit) == ("Stairwell", "temperature", "°C")
    assert (sensor.model, sensor.id) == ("LoRa T1", NOT_SAID)
    site = read(SITE)
    assert (site.id, site.city, site.balance, site.key) == (NOT_SAID,) * 4
    assert (site.meters, site.sensors) == ((), ())


def test_text_is_taken_as_written() -> None:
    text = "site: {site_ref: 0012, name: 1.50, timezone: UTC, address: {postal_code: 01020}}"
    site = read(text)
    assert (site.site_ref, site.name, site.postal_code) == ("0012", "1.50", "01020")
    assert read(SITE.replace("name: B", "name: B, address: {city: null}")).city is None


def test_all_faults_are_told_at_once_by_line() -> None:
    text = """
site:
  nmae: Les Tilleuls
  timezone: Europe/Zuric
  timezone: Europe/Zurich
  electricity: {key: evenly}
meters:
  - {name: Grid, type: electricity, mode: introduction, prim_ad: ten}
  - {name: PV, type: solar, mode: production}
  - just text
sensor: []
"""
    assert faults(text) == [
        "line 3: site: has neither id nor site_ref; give one to know it by",
        "line 3: name: is missing; every site needs it",
        "line 3: nmae: unknown key of site; did you mean name?",
        "line 4: timezone: 'Europe/Zuric' is not an IANA time zone; try Europe/Zurich",
        "line 5: timezone: already said on line 4",
        f"line 6: key: must be one of {', '.join(KEYS)}, not 'evenly'",
        "line 8: prim_ad: must be a whole number from 0 to 2147483647, not 'ten'",
        (
            "line 9: type: must be one of electricity, heating, cooling, cold_water, hot_water,"
            " charge_point, not 'solar'"
        ),
        (
            "line 10: meter: must be a mapping of id, name, type, mode, prim_ad, interval,"
            " installed_at, installed_index, removed_at, enabled, balance, isolated, priority,"
            " share, producers, max_per_hour, factor, registers, devices, register_kind,"
            " register_meter, expected, rule, valid_from"
        ),
        "line 11: sensor: unknown key of the file; did you mean sensors?",
    ]


@pytest.mark.parametrize(
    ("field", "says"),
    [
        ("id: 61DFCB4BEBA4E3563FDF3D9F", "id: must be 24 digits of 0-9 and a-f"),
        ("prim_ad: -1", "prim_ad: must be a whole number from 0"),
        ("prim_ad: 1.5", "prim_ad: must be a whole number"),
        ("prim_ad: [1]", "prim_ad: must be a whole number"),
        ("interval: PT5M", "interval: must be one of PT15M, PT30M, PT1H, not 'PT5M'"),
        ("interval: 900", "interval: must be one of PT15M, PT30M, PT1H"),
        ("installed_at: 2026-02-30", "installed_at: 2026-02-30 does not exist (day is out"),
        ("installed_at: 3000-01-01", "installed_at: 3000-01-01 is outside the years 1900 to 2200"),
        ("installed_at: spring", "installed_at: 'spring' is not a stamp"),
        ("removed_at: 5", "removed_at: '5' is not a stamp"),
        ("valid_from: null", "valid_from: 'null' is not a stamp"),
        ("installed_index: -1", "installed_index: must be a number from 0 to 9000000000"),
        ("installed_index: 0.0000001", "with up to 6 decimals, not '0.0000001'"),
        (
            "installed_index: {vol_m3: 1}",
            "installed_index: 'vol_m3' is no register here; use en_im",
        ),
        ("installed_index: {en_im: x}", "installed_index: must be a number from 0"),
        ("installed_index: {en_im: 1, en_im: 1}", "en_im: already said on line 6"),
        ("registers: {en_im: en_ex}", "registers: must give each of en_im, en_ex another one"),
        ("registers: {en_im: vol_m3, en_ex: en_im}", "registers: must give each of en_im, en_ex"),
        ("registers: en_ex", "registers: must be a mapping of en_im, en_ex"),
        ("enabled: 1", "enabled: must be true or false, not '1'"),
        ('enabled: "yes"', "enabled: must be true or false, not 'yes'"),
        ("priority: high", "priority: must be a whole number"),
        ("factor: 0", "factor: must be a number from 0.000001 to 999999.999999"),
        ("factor: 1000000", "factor: must be a number from 0.000001 to 999999.999999"),
        ("factor: .inf", "factor: must be a number"),
        ("share: 100.5", "share: must be a number from 0 to 100"),
        ("register_kind: restarts", "register_kind: must be one of counts, resets, not 'restarts'"),
        ("rule: [1, 2]", "rule: must be text of 1 to 10000 letters"),
        ("rule: ''", "rule: must be text of 1 to 10000 letters"),
        ("<<: {a: 1}", "<<: unknown key of meter"),
        ("balence: false", "balence: unknown key of meter; did you mean balance?"),
        ("? [a]\n: 1", "unknown key of meter"),
    ],
)
def test_a_wrong_field_of_a_meter(field: str, says: str) -> None:
    indented = field.replace("\n", "\n    ")
    [fault] = faults(
        f"{SITE}meters:\n  - name: Apartment\n    type: electricity\n    mode: consumption\n"
        f"    {indented}\n"
    )
    assert fault.startswith("line 6: ")
    assert says in fault


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "line 1: file: the file is empty"),
        ("# only a comment\n", "line 1: file: the file is empty"),
        ("[]", "line 1: the file: must be a mapping of site, meters, sensors"),
        ("meters: []", "line 1: site: is missing; say which site this is"),
        ("site: 5", "line 1: site: must be a mapping of id, site_ref"),
        ("site: {a: b\nmeters: []", "line 2: file: not YAML: "),
        ("a: 1\n---\nb: 2", "line 2: file: not YAML: but found another document"),
        (SITE + "meters: {a: 1}", "line 2: meters: must be a list; begin each meter with a dash"),
        ("site: &a {name: x}\nmeters: [*a]", "line 2: file: aliases (*name) are not supported"),
        ("a: " + "[" * 50, "line 1: file: nested deeper than 8 levels"),
        ("a: \x01", "line 1: file: not YAML"),
        ("a: " + "x" * (1 << 20), "line 1: file: the file is larger than 1048576 bytes"),
        (SITE.replace("name: B", "name: yes"), "needs quotes"),
        (SITE.replace("name: B", "name: !!python/name:os.system x"), "name: must be text"),
        (SITE.replace("name: B", "name: B, latitude: 91"), "latitude: must be degrees from -90"),
        (SITE.replace("name: B", "name: B, longitude: east"), "longitude: must be degrees"),
        (SITE.replace("name: B", "name: B, creation_date: 2022"), "must be a date such as 2026"),
        (SITE.replace("site_ref: A", "site_ref: \u0410B"), "site_ref: mixes letters"),
        (SITE.replace("site_ref: A", "site_ref: CH-\uff11"), "site_ref: has letters or digits"),
        (SITE.replace("name: B", "name: B\u0430sel"), "name: mixes letters that look alike"),
        (SITE.replace("Europe/Zurich", "../../etc/passwd"), "is not an IANA time zone"),
    ],
)
def test_a_wrong_file_or_site(text: str, says: str) -> None:
    assert says in faults(text)[0]


def test_names_of_other_scripts_and_accents_of_two_characters() -> None:
    house = "\u0414\u043e\u043c 3"
    assert read(SITE.replace("name: B", f"name: {house}")).name == house
    assert read(SITE.replace("name: B", "name: E\u0301toile")).name == "\u00c9toile"


def test_text_that_is_not_utf_8() -> None:
    with pytest.raises(InvalidDeclaration, match="line 2: file: the text is not UTF-8"):
        declaration_from_yaml(b"site:\n  name: \xff\n")


def test_removed_before_installed() -> None:
    meter = "{name: A, type: heating, mode: consumption, "
    dates = "installed_at: 2026-05-02, removed_at: 2026-05-01}"
    assert faults(f"{SITE}meters: [{meter}{dates}]") == [
        "line 2: removed_at: lies before installed_at"
    ]


def test_what_is_known_by_the_same_name_twice() -> None:
    meter = "type: electricity, mode: consumption"
    text = f"{SITE}meters:\n- {{name: A, {meter}}}\n- {{name: A, {meter}, prim_ad: 5}}\n"
    text += "- {name: A, type: cooling, mode: consumption, prim_ad: 5}\n"
    assert len(read(text).meters) == 3
    text += f"- {{name: A, {meter}}}\n- {{name: B, {meter}, prim_ad: 5}}\n"
    text += "sensors: [{name: T}, {name: T}]\n"
    assert faults(text) == [
        "line 6: name: is already that of another, on line 3",
        "line 7: prim_ad: is already that of another, on line 4",
        "line 8: name: is already that of another, on line 8",
    ]


def test_what_is_the_same_twice_is_told_beside_what_is_wrong() -> None:
    meter = "name: A, type: electricity"
    told = faults(
        f"{SITE}meters:\n- {{{meter}, mode: production, prim_ad: 011, share: x}}\n- 5\n"
        f"- {{{meter}, mode: spare, prim_ad: 11}}\n"
    )
    assert [fault.partition(": must")[0] for fault in told] == [
        "line 3: share",
        "line 4: meter",
        "line 5: mode",
        "line 5: prim_ad: is already that of another, on line 3",
    ]


@given(st.text(max_size=80) | st.text("site: {}[]-&*!\"'\n #|>?,x1", max_size=80))
def test_any_text_is_a_declaration_or_says_why_not(text: str) -> None:
    for declared in (text, SITE + text, BUILDING + text):
        with suppress(InvalidDeclaration):
            declaration_from_yaml(declared.encode("utf-8", "surrogatepass"))


@given(st.integers(0, len(BUILDING) - 1), st.characters(codec="utf-8"))
def test_a_damaged_declaration_says_why(place: int, character: str) -> None:
    with suppress(InvalidDeclaration):
        read(BUILDING[:place] + character + BUILDING[place + 1 :])


def test_what_keys_and_limits_need_is_read_exactly() -> None:
    said = read(
        "site: {site_ref: A, name: B, timezone: UTC, proxy_days: true, "
        "electricity: {key: matrix, battery: first, connection_kw: 27.6}}\n"
        "meters:\n"
        "  - {name: A, type: electricity, mode: consumption, max_per_hour: 3.205,"
        " producers: {prim_ad:101: 12.345678, prim_ad:102: 0}}\n"
        "  - {name: B, type: electricity, mode: consumption, producers: [prim_ad:101]}\n"
        "  - {name: C, type: electricity, mode: consumption, producers: null}\n"
    )
    assert (said.key, said.battery, said.connection_w) == ("matrix", BatteryOrder.FIRST, 27_600)
    assert said.proxy_days is True
    assert said.meters[0].max_per_hour == 3205
    assert [meter.producers for meter in said.meters] == [
        {"prim_ad:101": Decimal("12.345678"), "prim_ad:102": Decimal(0)},
        {"prim_ad:101": None},
        {},
    ]


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("producers: 7", "must be a list such as [prim_ad:101], or a map"),
        ("producers: [prim_ad:101, prim_ad:101]", "'prim_ad:101' stands twice"),
        ("producers: {prim_ad:101: 1, 'prim_ad:101 ': 2}", "'prim_ad:101' stands twice"),
        ("producers: {yes: 40}", "'yes' needs quotes"),
        ("producers: {prim_ad:101:40}", "the percentage of 'prim_ad:101:40' must be a number"),
        ("producers: {prim_ad:101: 101}", "must be a number from 0 to 100"),
        ("max_per_hour: 0", "must be a number above 0"),
        ("max_per_hour: 1.0005", "with up to 3 decimals"),
        ("share: 33.3333333", "up to 6 decimals"),
    ],
)
def test_what_is_wrong_of_keys_and_limits_names_what_would_be_right(said: str, reason: str) -> None:
    meter = f"  - {{name: A, type: electricity, mode: consumption, {said}}}\n"
    [fault] = faults(SITE + "meters:\n" + meter)
    assert fault.startswith(f"line 3: {said.partition(':')[0]}: ")
    assert reason in fault
