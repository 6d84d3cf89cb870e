"""The words of the published page: endpoints, keys, types."""

FREQUENCIES = ("15T", "H", "D", "M", "Y")
METER_TYPES = ("electricity", "heating", "cooling", "cold_water", "hot_water", "charge_point")
MODES = ("consumption", "production", "introduction", "battery")

# Every endpoint that needs a token, and those of them with a limit of one request a second.
WITH_TOKEN = (
    "all_installations",
    "installation_infos",
    "meter_info",
    "site_data",
    "meter_data",
    "meter_data_raw",
    "sensors_list",
    "sensor_data",
)
LIMITED = tuple(route for route in WITH_TOKEN if route != "sensors_list")

SITE_KEYS = ("site_ref", "name", "address", "timezone")
# What nobody declared of a site has no key here: a place on the map is not known of every building.
SITE_KEYS_IF_KNOWN = ("creation_date", "latitude", "longitude")
ADDRESS_KEYS = ("street_name", "street_number", "city", "postal_code")
METER_KEYS = ("id", "type", "name", "mode", "prim_ad", "is_rule_meter")
SENSOR_KEYS = ("id", "name", "type", "unit", "model")
ELECTRICITY_KEYS = ("conso_total", "prod_total", "from_ext", "self", "to_ext")
OTHER_MEDIUM_KEYS = ("conso_total",)
CONSUMER_KEYS = ("total", "self", "ext")
OTHER_METER_KEYS = ("total",)
REGISTERS = {
    "electricity": ("en_im", "en_ex"),
    "charge_point": ("en_im", "en_ex"),
    "heating": ("heat_energy_kwh",),
    "cooling": ("heat_energy_kwh",),
    "cold_water": ("vol_m3",),
    "hot_water": ("vol_m3",),
}
TIMESTAMP = "timestamp"
