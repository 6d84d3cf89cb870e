"""What a site consists of. What a server does not say is None."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Address:
    """Where a site is; `postal_code` as the server has it, mostly a number."""

    street_name: str | None = None
    street_number: str | None = None
    city: str | None = None
    postal_code: int | str | None = None


@dataclass(frozen=True, slots=True)
class Site:
    """A building or community with meters.

    `timezone`: the name of its IANA zone; local days and months are its own. `creation_date`: the
    local day from which there may be data. Some servers list sites by `id` alone: then everything
    else is None until `Climkit.site` asks for it.
    """

    id: str
    name: str | None = None
    timezone: str | None = None
    site_ref: str | None = None
    address: Address = Address()
    creation_date: date | None = None
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True, slots=True)
class Meter:
    """A meter of a site.

    `type`: electricity, heating, cooling, cold_water, hot_water, charge_point. `mode`:
    consumption, production, introduction (the grid), battery. `prim_ad`: its address within the
    site and type. `is_rule_meter`: computed from other meters; it has no raw data.
    """

    id: str
    name: str | None = None
    type: str | None = None
    mode: str | None = None
    prim_ad: int | str | None = None
    is_rule_meter: bool = False

    @property
    def unit(self) -> str | None:
        """The unit of its quantities, kWh or m3; None of a type that is not among those above.

        >>> Meter("61dfcb4beba4e3563fdf3d9f", type="cold_water").unit
        'm3'
        """
        return None if self.type is None else unit_of(self.type)


@dataclass(frozen=True, slots=True)
class Sensor:
    """Something else that is measured, such as a temperature; `unit` as the server has it."""

    id: str
    name: str | None = None
    type: str | None = None
    unit: str | None = None
    model: str | None = None


def unit_of(meter_type: str) -> str | None:
    """Return the unit of a type of meters: water is counted in m3, energy in kWh."""
    if meter_type in {"cold_water", "hot_water"}:
        return "m3"
    return "kWh" if meter_type in {"electricity", "heating", "cooling", "charge_point"} else None
