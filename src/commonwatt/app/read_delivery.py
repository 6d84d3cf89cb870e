"""What one delivery was, and of which meters or sensors it spoke."""

from collections.abc import Sequence
from dataclasses import dataclass

from commonwatt.app.ports import Delivery, Snapshot
from commonwatt.domain.catalogue import Meter, Sensor, SiteCatalogue


class UnknownDelivery(Exception):
    """The site has no delivery of that number."""


@dataclass(frozen=True, slots=True)
class DeliveryContents:
    """A delivery with the meters and the sensors that it spoke of."""

    delivery: Delivery
    meters: Sequence[Meter]
    sensors: Sequence[Sensor]


def read_delivery(snapshot: Snapshot, catalogue: SiteCatalogue, number: int) -> DeliveryContents:
    """Read a delivery by its number. Raises `UnknownDelivery`."""
    site = catalogue.site.number
    delivery = required_delivery(snapshot, site, number)
    said = snapshot.readings.delivered(site, delivery)
    meters = [meter for meter in catalogue.meters if meter.number in said]
    sensors = [
        sensor for sensor in catalogue.sensors if _spoke_of(snapshot, site, delivery, sensor)
    ]
    return DeliveryContents(delivery, meters, sensors)


def required_delivery(snapshot: Snapshot, site: int, number: int) -> Delivery:
    """Find a delivery of a site by its number. Raises `UnknownDelivery`."""
    delivery = snapshot.readings.delivery(site, number)
    if delivery is None:
        raise UnknownDelivery(f"no delivery {number} at this site")
    return delivery


def _spoke_of(snapshot: Snapshot, site: int, delivery: Delivery, sensor: Sensor) -> bool:
    if delivery.first_day is None or delivery.last_day is None:
        return False
    first, end = delivery.first_day, delivery.last_day + 1
    values = snapshot.sensors.sensor_values(site, sensor.number, first, end)
    return bool((values.deliveries == delivery.number).any())
