"""The shapes of a declaration: every key with its type, its default and its meaning.

`make docs` makes the tables of `docs/declaration.md` and the JSON Schema for editors of them.
"""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from commonwatt.app.declaring.declaration import (
    MeterDeclaration,
    SensorDeclaration,
    SiteDeclaration,
)
from commonwatt.app.declaring.devices import FEWEST_DIGITS, MOST_DIGITS
from commonwatt.domain.metering import catalogue
from commonwatt.domain.metering.catalogue import (
    BalanceMode,
    BatteryOrder,
    Medium,
    Mode,
    RegisterKind,
)
from commonwatt.formats.declaration.document import Path
from commonwatt.formats.declaration.values import (
    INT32_MAX,
    AllocationKey,
    Date,
    Duration,
    Factor,
    HexId,
    Indexes,
    IndexOrIndexes,
    Instant,
    Interval,
    Name,
    Percentage,
    Producers,
    Reference,
    Registers,
    Rule,
    Text,
    Thousandths,
    Timezone,
    YesOrNo,
    context_of,
    degrees,
    whole,
)

_MILLION = 1_000_000


class Shape(BaseModel):
    """A mapping of a declaration. A key that it does not name is None, and not in `said`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def said(self, *apart: str) -> dict[str, Any]:
        """The values of the keys that are named, but for some."""
        return {name: getattr(self, name) for name in self.model_fields_set if name not in apart}


class Row(Shape):
    """A mapping of a list of the file, noted in the context as far as it can be read."""

    listed_under: ClassVar[str]

    @model_validator(mode="before")
    @classmethod
    def _begin(cls, value: object, info: ValidationInfo) -> object:
        context_of(info).rows.setdefault(cls.listed_under, []).append({})
        return value

    @field_validator("*")
    @classmethod
    def _note(cls, value: object, info: ValidationInfo) -> object:
        context_of(info).rows[cls.listed_under][-1][str(info.field_name)] = value
        return value


def _required(meaning: str, alias: str | None = None) -> Any:
    """A key that must be there, and what it means, as the documentation says it."""
    return Field(alias=alias, description=meaning, json_schema_extra={"x-default": "required"})


def _key(default: str, meaning: str, alias: str | None = None) -> Any:
    """A key, what holds without it, and what it means, as the documentation says it."""
    return Field(
        default_factory=lambda: None,  # and no default, which editors would fill in
        alias=alias,
        description=meaning,
        json_schema_extra={"x-default": default},
    )


class SiteAddress(Shape):
    """Where a site is."""

    street_name: Text | None = _key("empty", "street")
    street_number: Text | None = _key("empty", "house number; text")
    city: Text | None = _key("empty", "city")
    postal_code: Text | None = _key("empty", "answered as a number where it is numeric")


class Electricity(Shape):
    """How the balance of electricity is made."""

    balance: BalanceMode = _key(
        "`plain`",
        "`plain`: as measured; `clamped`: [nothing "
        "negative](traps/negative-solar-at-night.md), for billing",
    )
    key: AllocationKey = _key(
        "`pro_rata`",
        "[allocation key](allocation.md): `pro_rata`, `priority`, `fixed`, "
        "`fixed_redistributed`, `equal`, `own_first`, `matrix`",
    )
    battery: BatteryOrder = _key(
        "`last`",
        "whether the site's own energy serves consumers before it [charges "
        "batteries](allocation.md#battery) (`last`), or after (`first`)",
    )
    connection_w: Thousandths | None = _key(
        "none",
        "the most that the grid connection can carry [kW], up to 3 decimals: a limit of the "
        "rules that look for implausible readings",
        alias="connection_kw",
    )
    valid_from: Instant = _key("now", "from when a change of these holds")


class Site(Shape):
    """A site, its electricity and its address."""

    id: HexId = _key("given by the platform", "24 hexadecimal digits; never changes")
    site_ref: Reference = _key(
        "none",
        "the operator's own reference, unique in the store; letters of one script a word, "
        "none in a special form",
    )
    name: Name = _required("name of the site")
    timezone: Timezone = _required("IANA zone; all local days, months and years are its")
    address: SiteAddress = _key("empty", "see below")
    creation_date: Date | None = _key(
        "local day of the first reading", "date shown in `installation_infos`"
    )
    latitude: Annotated[float, degrees(90)] | None = _key("none", "degrees north, -90 to 90")
    longitude: Annotated[float, degrees(180)] | None = _key("none", "degrees east, -180 to 180")
    electricity: Electricity = _key("see below", "how the electricity balance is made")
    proxy_days: YesOrNo = _key(
        "`false`",
        "`true`: what a meter missed after its last reading is estimated from comparable days "
        "until the reading comes; a change holds from now, or from `valid_from` of "
        "`electricity`",
    )

    @field_validator("timezone")
    @classmethod
    def _tell_zone(cls, zone: str, info: ValidationInfo) -> str:
        context_of(info).zone = zone
        return zone


class Device(Shape):
    """A device that was, or is, in a meter's place."""

    from_at: Instant | None = _key(
        "the beginning", "when the device was put in; only the first may lack it", alias="from"
    )
    serial: Text | None = _key("none", "its serial number")
    digits: Annotated[int, whole(FEWEST_DIGITS, MOST_DIGITS)] | None = _key(
        "inferred", "digits before the decimal point, 3 to 12: where the register rolls over"
    )
    factor: Factor | None = _key("the meter's", "multiplies the index of this device")
    start_index: Indexes = _key("none", "indexes when it was put in [kWh, m3], by register")
    end_index: Indexes = _key(
        "none", "indexes when it was taken out; of the last device only with `removed_at`"
    )

    def device(self) -> catalogue.Device:
        """The device, its indexes in mWh or ml."""
        said = self.said()
        for name in said.keys() & {"start_index", "end_index"}:
            indexes = said[name].items()
            said[name] = {register: int(index * _MILLION) for register, index in indexes}
        return catalogue.Device(**said)


class Meter(Row):
    """A meter."""

    listed_under: ClassVar[str] = "meters"

    id: HexId = _key("given by the platform", "24 hexadecimal digits; never changes")
    name: Text = _required("name of the meter")
    medium: Medium = _required(
        "`electricity`, `charge_point`, `heating`, `cooling`, `cold_water`, `hot_water`; "
        "never changes",
        alias="type",
    )
    mode: Mode = _required(
        "`consumption`, `introduction` (the grid connection), `production`, `battery`; the "
        "last two of electricity only"
    )
    prim_ad: Annotated[int, whole(0, INT32_MAX)] = _key(
        "a free number from 900 on",
        "address, unique per type in the site; by convention grid 10, consumers from 11, "
        "production from 101",
    )
    interval_s: Interval | None = _key(
        "none: an index meter",
        "`PT15M`, `PT30M`, `PT1H`: an interval meter; finer rows are added up; `null` an "
        "index meter again; changes only while none of the meter's readings count",
        alias="interval",
    )
    installed_at: Instant | None = _key(
        "the first accepted reading",
        "start of the meter's life; readings before it are set aside. It inserts a reading of "
        "`installed_index` there, so that what was used up to the first reading counts",
    )
    installed_index: IndexOrIndexes = _key(
        "0",
        "index at installation [kWh, m3]: a number (of the main register) or a map such as "
        "`{en_im: 12.5, en_ex: 0}`",
    )
    removed_at: Instant | None = _key(
        "none: it lives on",
        "end of the meter's life; after its last reading a meter without it is missing, not gone",
    )
    enabled: YesOrNo = _key("`true`", "`false`: as if it were not there")
    balance: YesOrNo = _key(
        "`true`", "`false`: measured and usable in rules, but no member of the balance"
    )
    isolated: YesOrNo = _key("`false`", "`true`: measured, in no rule and no balance")
    priority: Annotated[int, whole(-INT32_MAX, INT32_MAX)] = _key(
        "0", "for the [key](allocation.md#priority) `priority`: the smaller is served first"
    )
    share: Percentage | None = _key(
        "none",
        "percentage 0 to 100, up to 6 decimals: of the site's energy, for the keys `fixed` "
        "and `fixed_redistributed`, which need one of each consumer; of the consumer's own "
        "consumption that takes part, for `pro_rata`, `priority` and `own_first` (without "
        "one: all)",
    )
    producers: Producers = _key(
        "none",
        "production meters that a consumer has a part in, as rules name them: `[prim_ad:101]` "
        "for the key [`own_first`](allocation.md#own_first), with percentages `{prim_ad:101: "
        "40}` for [`matrix`](allocation.md#matrix); `prim_ad` of the type `electricity`",
    )
    max_per_hour: Thousandths | None = _key(
        "none",
        "the most that can flow in an hour [kWh, m3], up to 3 decimals: a limit of the rules "
        "that look for implausible readings",
    )
    factor: Factor = _key(
        "1", "multiplies the index (a current transformer); exact, up to 6 decimals"
    )
    registers: Registers = _key(
        "none",
        "reversed wiring: `{en_im: en_ex, en_ex: en_im}`; a register that the meter has only "
        "later, [see below](#registers)",
    )
    devices: list[Device] = _key(
        "one device", "the devices that were in the meter's place, [see below](#devices)"
    )
    register_kind: RegisterKind = _key(
        "`counts`",
        "of an index meter: `resets` if its counters begin again, each day, session or power "
        "cut. Then a fall of the index is no fault: the counter began at 0 again, every rise "
        "counts, and a 0 is a beginning and no absence. What was counted between the last "
        "reading before a fall and the reset nobody knows; the energy across it is the new "
        "index, `estimated`. A change holds for all readings",
    )
    register_meter: Rule | None = _key(
        "none",
        "of an interval meter: the index meter whose register its sums are checked against, "
        "as `prim_ad:12` or by id; by the day, or where it is read seldom [between any two "
        "readings](findings.md#intervals-against-a-register-that-is-read-seldom)",
    )
    expected_s: Duration | None = _key(
        "none",
        "how far apart readings of an index meter are as a rule: `PT6H`, `P1D`, `P1W`, `P1M` "
        "(31 days), `P1Y` (366 days), or as many, up to 400 days. Whole days are those of a "
        "clock: the one on which it is put back has an hour more. Between used readings no "
        "farther apart there is no finding `gap`, and what is estimated there is no task of "
        "the worklist; it stays `estimated`",
        alias="expected",
    )
    rule: Rule | None = _key("none", "makes it a rule meter, see below")
    valid_from: Instant = _key("now", "from when a change of the facts holds")

    @field_validator("removed_at")
    @classmethod
    def _require_order(cls, removed_at: int | None, info: ValidationInfo) -> int | None:
        installed_at = info.data.get("installed_at")
        if installed_at is not None and removed_at is not None and removed_at < installed_at:
            raise ValueError("lies before installed_at")
        return removed_at

    def declaration(self, line: int) -> MeterDeclaration:
        """What is declared of the meter; ``line`` is where it stands."""
        said = self.said("devices", "registers")
        if "devices" in self.model_fields_set:
            said["devices"] = tuple(each.device() for each in self.devices)
        if "registers" in self.model_fields_set:
            said |= {"registers": self.registers.raw, "register_from": self.registers.starts}
        return MeterDeclaration(line=line, **said)


class Sensor(Row):
    """A sensor."""

    listed_under: ClassVar[str] = "sensors"

    id: HexId = _key("given by the platform", "24 hexadecimal digits")
    name: Text = _required("name of the sensor")
    type: Text = _key("empty", "the quantity, such as `temperature`")
    unit: Text = _key("empty", 'unit of its values, such as `"°C"`')
    model: Text = _key("empty", "the device")

    def declaration(self, line: int) -> SensorDeclaration:
        """What is declared of the sensor; ``line`` is where it stands."""
        return SensorDeclaration(line=line, **self.said())


class File(Shape):
    """A declaration: a site, its meters and its sensors."""

    site: Site = _required("the site")
    meters: list[Meter] = _key("none", "its meters")
    sensors: list[Sensor] = _key("none", "its sensors")

    def declaration(self, value_lines: Mapping[Path, int]) -> SiteDeclaration:
        """What is declared, with the lines on which things stand."""
        site = self.site
        said = site.said("address", "electricity")
        for part in ("address", "electricity"):
            if part in site.model_fields_set:
                said |= getattr(site, part).said()
        return SiteDeclaration(
            line=value_lines["site",],
            meters=tuple(
                each.declaration(value_lines["meters", at])
                for at, each in enumerate(self.meters or ())
            ),
            sensors=tuple(
                each.declaration(value_lines["sensors", at])
                for at, each in enumerate(self.sensors or ())
            ),
            **said,
        )


SHAPES: Mapping[Path, tuple[str, type[Shape]]] = {
    (): ("the file", File),
    ("site",): ("site", Site),
    ("site", "address"): ("address", SiteAddress),
    ("site", "electricity"): ("electricity", Electricity),
    ("meters",): ("meter", Meter),
    ("meters", "devices"): ("device", Device),
    ("sensors",): ("sensor", Sensor),
}
"""The name and the shape of what stands below the keys of a path; positions are left out."""


def keys_of(shape: type[Shape]) -> list[str]:
    """The keys that a mapping may have."""
    return [field.alias or name for name, field in shape.model_fields.items()]
