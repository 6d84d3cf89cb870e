"""Sites, meters, sensors and their facts in the store."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row, Table, bindparam, delete, func, insert, select, update

from commonwatt.adapters.store import schema
from commonwatt.adapters.store.engine.hot_query import HotQuery
from commonwatt.adapters.store.tables.history import keep_catalogue
from commonwatt.app.errors import SiteRemoved
from commonwatt.domain.metering.catalogue import (
    AcceptedSpan,
    BalanceMode,
    BatteryOrder,
    Device,
    HeldSpan,
    Looks,
    Medium,
    Meter,
    MeterFacts,
    Mode,
    Register,
    RegisterKind,
    Resolution,
    ResolutionKind,
    Sensor,
    Site,
    SiteCatalogue,
    SiteFacts,
)
from commonwatt.domain.rules_version import RULES_VERSION

_REMOVED = "the site was removed in the meantime"
_SITE_ROW = select(schema.sites).where(schema.sites.c.no == bindparam("site"))
_GENERATION = HotQuery(
    select(schema.sites.c.generation).where(schema.sites.c.no == bindparam("site"))
)


class SqlCatalogueTables:
    """`ports.CatalogueTables` on a connection.

    ``known`` keeps the catalogues of committed generations, shared by all connections of a process.
    A transaction that ``writes`` takes from it and adds nothing, for what it sees may be rolled
    back.
    """

    def __init__(
        self, connection: Connection, known: dict[int, SiteCatalogue], writes: bool
    ) -> None:
        self._connection = connection
        self._known = known
        self._writes = writes
        self._changed = False

    def sites(self) -> Sequence[Site]:
        """All sites, ascending by number."""
        rows = self._connection.execute(select(schema.sites).order_by(schema.sites.c.no))
        return [_site(row) for row in rows]

    def catalogue(self, site: int) -> SiteCatalogue:
        """A site with all that is declared of it."""
        row = self._connection.execute(_SITE_ROW, {"site": site}).one_or_none()
        if row is None:
            raise SiteRemoved(_REMOVED)
        known = self._known.get(site)
        if known and known.generation == row.catalogue_generation and not self._changed:
            return known
        catalogue = self._read(site, row)
        if not self._writes:
            self._known[site] = catalogue
        return catalogue

    def _read(self, site: int, row: Row[tuple[object, ...]]) -> SiteCatalogue:
        facts = self._connection.execute(
            select(schema.site_facts)
            .where(schema.site_facts.c.site == site)
            .order_by(schema.site_facts.c.valid_from)
        )
        sensors = self._connection.execute(
            select(schema.sensors)
            .where(schema.sensors.c.site == site)
            .order_by(schema.sensors.c.id)
        )
        return SiteCatalogue(
            site=_site(row),
            facts=tuple(_site_facts(each) for each in facts),
            meters=self._meters(site),
            sensors=tuple(_sensor(each) for each in sensors),
            generation=row.catalogue_generation,
        )

    def _meters(self, site: int) -> tuple[Meter, ...]:
        facts: dict[int, list[MeterFacts]] = {}
        for row in self._connection.execute(
            select(schema.meter_facts)
            .where(schema.meter_facts.c.site == site)
            .order_by(schema.meter_facts.c.meter, schema.meter_facts.c.valid_from)
        ):
            facts.setdefault(row.meter, []).append(_meter_facts(row))
        meters = self._connection.execute(
            select(schema.meters).where(schema.meters.c.site == site).order_by(schema.meters.c.id)
        )
        return tuple(_meter(row, tuple(facts[row.no])) for row in meters)

    def generation(self, site: int) -> int:
        """The site's change number."""
        rows = _GENERATION.rows(self._connection, {"site": site})
        if not rows:
            raise SiteRemoved(_REMOVED)
        return int(rows[0][0])

    def site_having(self, id_: str) -> int | None:
        """The number of the site that has a meter or a sensor of this id."""
        found = (
            self._connection.execute(select(table.c.site).where(table.c.id == id_)).scalar()
            for table in (schema.meters, schema.sensors)
        )
        return next((int(site) for site in found if site is not None), None)

    def next_generation(self, site: int, catalogue_changed_us: int | None = None) -> int:
        """Draw the next change number; keep what is declared if that is about to change."""
        generation = self.generation(site) + 1
        values = {"generation": generation}
        if catalogue_changed_us is not None:
            values["catalogue_generation"] = generation
            # Of a site that begins with this change nothing was known before.
            if generation > 1:
                before = self.catalogue(site)
                keep_catalogue(self._connection, before, generation, catalogue_changed_us)
        self._connection.execute(
            update(schema.sites).where(schema.sites.c.no == site).values(values)
        )
        return generation

    def next_site_number(self) -> int:
        """A number that no site ever had: what processes remember by it would be another's."""
        used = (schema.sites.c.no, schema.audit.c.site)
        highest = [self._connection.execute(select(func.max(each))).scalar() for each in used]
        return max(int(number or 0) for number in highest) + 1

    def add_site(self, site: Site, facts: Sequence[SiteFacts]) -> None:
        """Add a site, at generation 0."""
        values = _site_values(site) | {"generation": 0, "catalogue_generation": 0}
        self._connection.execute(insert(schema.sites).values(values))
        begin_with_rules(self._connection, site.number)
        self._put_site_facts(site.number, facts)

    def put_site(self, site: Site, facts: Sequence[SiteFacts]) -> None:
        """Replace what is declared of a site."""
        self._connection.execute(
            update(schema.sites).where(schema.sites.c.no == site.number).values(_site_values(site))
        )
        self._put_site_facts(site.number, facts)

    def remove_site(self, site: int) -> None:
        """Delete a site with all that is kept of it, the audit trail apart; its number stays used.

        A later change of the site raises `SiteRemoved`.
        """
        for table in schema.metadata.sorted_tables:
            if "site" in table.c and table is not schema.audit:
                self._connection.execute(delete(table).where(table.c.site == site))
        self._connection.execute(delete(schema.sites).where(schema.sites.c.no == site))
        self._changed = True

    def _put_site_facts(self, site: int, facts: Sequence[SiteFacts]) -> None:
        self._changed = True
        self._connection.execute(delete(schema.site_facts).where(schema.site_facts.c.site == site))
        for each in facts:
            self._connection.execute(
                insert(schema.site_facts).values(
                    site=site,
                    valid_from=each.valid_from,
                    valid_to=each.valid_to,
                    balance=each.balance.value,
                    allocation_key=each.key,
                    battery=each.battery.value,
                    connection_w=each.connection_w,
                    proxy_days=each.proxy_days,
                )
            )

    def put_meter(self, site: int, meter: Meter) -> None:
        """Add a meter, or replace what is declared of it."""
        key = {"site": site, "no": meter.number}
        values = {
            "id": meter.id,
            "name": meter.name,
            "type": meter.medium.value,
            "prim_ad": meter.prim_ad,
            "interval_s": meter.interval_s,
            "installed_at": meter.installed_at,
            "installed_index": {r.value: index for r, index in meter.installed_index.items()},
            "removed_at": meter.removed_at,
            "devices": [_device_values(each) for each in meter.devices],
            "resolutions": [asdict(each) for each in meter.resolutions],
            "register_meter": meter.register_meter,
            "held": [asdict(each) for each in meter.held],
            "accepted": [asdict(each) for each in meter.accepted],
            "register_from": {r.value: at for r, at in meter.register_from.items()},
            "expected_s": meter.expected_s,
            "register_kind": meter.register_kind.value,
        }
        self._put(schema.meters, key, values)
        self._connection.execute(
            delete(schema.meter_facts).where(
                schema.meter_facts.c.site == site, schema.meter_facts.c.meter == meter.number
            )
        )
        for facts in meter.facts:
            self._connection.execute(
                insert(schema.meter_facts).values(
                    site=site, meter=meter.number, **_meter_facts_values(facts)
                )
            )

    def put_sensor(self, site: int, sensor: Sensor) -> None:
        """Add a sensor, or replace what is declared of it."""
        values = asdict(sensor)
        self._put(schema.sensors, {"site": site, "no": values.pop("number")}, values)

    def _put(self, table: Table, key: Mapping[str, int], values: Mapping[str, object]) -> None:
        self._changed = True
        found = [table.c[name] == value for name, value in key.items()]
        changed = self._connection.execute(update(table).where(*found).values(**values))
        if not changed.rowcount:
            self._connection.execute(insert(table).values(**key, **values))


def _site(row: Row[tuple[object, ...]]) -> Site:
    return Site(
        number=row.no,
        id=row.id,
        name=row.name,
        timezone=row.timezone,
        site_ref=row.site_ref,
        street_name=row.street_name,
        street_number=row.street_number,
        city=row.city,
        postal_code=row.postal_code,
        creation_date=row.creation_date,
        latitude=row.latitude,
        longitude=row.longitude,
    )


def _site_values(site: Site) -> dict[str, object]:
    values = asdict(site)
    values["no"] = values.pop("number")
    return values


def _site_facts(row: Row[tuple[object, ...]]) -> SiteFacts:
    return SiteFacts(
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        balance=BalanceMode(row.balance),
        key=row.allocation_key,
        battery=BatteryOrder(row.battery),
        connection_w=row.connection_w,
        proxy_days=row.proxy_days,
    )


def _sensor(row: Row[tuple[object, ...]]) -> Sensor:
    return Sensor(
        number=row.no, id=row.id, name=row.name, type=row.type, unit=row.unit, model=row.model
    )


def _meter(row: Row[tuple[object, ...]], facts: tuple[MeterFacts, ...]) -> Meter:
    return Meter(
        number=row.no,
        id=row.id,
        name=row.name,
        medium=Medium(row.type),
        prim_ad=row.prim_ad,
        facts=facts,
        interval_s=row.interval_s,
        installed_at=row.installed_at,
        installed_index={Register(name): index for name, index in row.installed_index.items()},
        removed_at=row.removed_at,
        devices=tuple(_device(each) for each in row.devices or ()),
        resolutions=tuple(_resolution(each) for each in row.resolutions or ()),
        register_meter=row.register_meter,
        held=tuple(_held(each) for each in row.held or ()),
        accepted=tuple(_accepted(each) for each in row.accepted or ()),
        register_from={Register(name): at for name, at in (row.register_from or {}).items()},
        expected_s=row.expected_s,
        register_kind=RegisterKind(row.register_kind),
    )


def _device(stored: Mapping[str, Any]) -> Device:
    return Device(
        from_at=stored["from_at"],
        serial=stored["serial"],
        digits=stored["digits"],
        factor=None if stored["factor"] is None else Decimal(stored["factor"]),
        start_index={Register(name): index for name, index in stored["start_index"].items()},
        end_index={Register(name): index for name, index in stored["end_index"].items()},
    )


def _device_values(device: Device) -> dict[str, object]:
    values = asdict(device)
    values["factor"] = None if device.factor is None else str(device.factor)
    return values


def _resolution(stored: Mapping[str, Any]) -> Resolution:
    return Resolution(
        register=Register(stored["register"]),
        kind=ResolutionKind(stored["kind"]),
        start_at=stored["start_at"],
        end_at=stored["end_at"],
        digits=stored["digits"],
        finding=stored["finding"],
    )


def _held(stored: Mapping[str, Any]) -> HeldSpan:
    return HeldSpan(
        looks=Looks(stored["looks"]),
        from_at=stored["from_at"],
        until_at=stored["until_at"],
        seen_at=stored["seen_at"],
    )


def _accepted(stored: Mapping[str, Any]) -> AcceptedSpan:
    return AcceptedSpan(
        looks=Looks(stored["looks"]),
        from_at=stored["from_at"],
        until_at=stored["until_at"],
        delivery=stored["delivery"],
    )


def _meter_facts(row: Row[tuple[object, ...]]) -> MeterFacts:
    return MeterFacts(
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        mode=Mode(row.mode),
        enabled=row.enabled,
        balance=row.balance,
        isolated=row.isolated,
        priority=row.priority,
        share=None if row.share is None else Decimal(row.share),
        rule=row.rule,
        factor=Decimal(row.factor),
        registers={Register(name): Register(raw) for name, raw in row.registers.items()},
        producers={
            name: None if part is None else Decimal(part)
            for name, part in (row.producers or {}).items()
        },
        max_per_hour=row.max_per_hour,
    )


def _meter_facts_values(facts: MeterFacts) -> dict[str, object]:
    return {
        "valid_from": facts.valid_from,
        "valid_to": facts.valid_to,
        "mode": facts.mode.value,
        "enabled": facts.enabled,
        "balance": facts.balance,
        "isolated": facts.isolated,
        "priority": facts.priority,
        "share": None if facts.share is None else str(facts.share),
        "rule": facts.rule,
        "factor": str(facts.factor),
        "registers": {name.value: raw.value for name, raw in facts.registers.items()},
        "producers": {
            name: None if part is None else str(part) for name, part in facts.producers.items()
        },
        "max_per_hour": facts.max_per_hour,
    }


def begin_with_rules(connection: Connection, site: int) -> None:
    """Record that a new site is settled by the rules of this version from its first day on."""
    connection.execute(insert(schema.rule_versions).values(site=site, version=RULES_VERSION))
