"""Words of the API that both servers and clients use."""

from enum import StrEnum


class SamplingFrequency(StrEnum):
    """The lengths of period that a series can be asked for."""

    QUARTER_HOUR = "15T"
    HOUR = "H"
    DAY = "D"
    MONTH = "M"
    YEAR = "Y"


class MeterType(StrEnum):
    """The types of meter data that a site can be asked for."""

    ELECTRICITY = "electricity"
    HEATING = "heating"
    COOLING = "cooling"
    COLD_WATER = "cold_water"
    HOT_WATER = "hot_water"
    CHARGE_POINT = "charge_point"
