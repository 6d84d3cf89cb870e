"""A simulated gateway: it reads the building's meters and PUTs the readings over HTTP.

What it has to send follows from the clock alone (see `reading_log`), so its spool is one instant:
up to when everything was acknowledged. While the platform cannot be reached that instant stands
still, and what was missed is sent when it can be again, after a restart too.
"""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Event, Thread

import httpx2
import numpy as np
import orjson
from numpy.typing import NDArray

from commonwatt.demo.simulated.building import SITE_ID
from commonwatt.demo.simulated.reading_log import ReadingLog
from commonwatt.demo.simulated.sensor_log import sensor_rows_due, sensor_rows_now
from commonwatt.domain.metering.quarter_hours import DAY_S
from commonwatt.domain.metering.readings import NO_VALUE, ReadingRows, SensorRows

log = logging.getLogger(__name__)

EVERY_S = 15.0
"""How often the gateway sends what the meters show."""
_TIMEOUT_S = 10.0
_STOP_WITHIN_S = 1.0
_MILLION = 1_000_000


class Refused(Exception):
    """The platform answered, and did not take what was sent."""


class Gateway:
    """Sends the readings of the demo's building to the platform, in a thread of its own.

    ``now`` tells the time [Unix seconds]; ``acknowledged`` is called with the instant up to which
    everything has arrived. Once started, it goes on whatever goes wrong on the way, until stopped.
    """

    def __init__(
        self,
        reading_log: ReadingLog,
        delivered_until_at: int,
        client: httpx2.Client,
        *,
        now: Callable[[], float],
        acknowledged: Callable[[int], None],
        every_s: float = EVERY_S,
    ) -> None:
        self._reading_log = reading_log
        self._delivered_until_at = delivered_until_at
        self._client = client
        self._now = now
        self._acknowledged = acknowledged
        self._every_s = every_s
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="demo-gateway", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def stop(self) -> None:
        """End; what has not arrived by now is sent after the next start."""
        self._stopping.set()
        self._thread.join(timeout=_STOP_WITHIN_S)

    def send(self) -> None:
        """Send everything that is due, a day at a time, and what the meters show now.

        Raises Refused, and httpx2.TransportError where the platform cannot be reached.
        """
        now_at = int(self._now())
        while self._delivered_until_at < now_at and not self._stopping.is_set():
            until_at = min(self._delivered_until_at + DAY_S, now_at)
            for rows in self._reading_log.due(self._delivered_until_at, until_at):
                self._put("readings", readings_body(rows))
            sensor_rows = sensor_rows_due(self._delivered_until_at, until_at)
            self._put("sensor_readings", sensors_body(sensor_rows))
            self._delivered_until_at = until_at
            self._acknowledged(until_at)
        if not self._stopping.is_set():
            self._put("readings", readings_body(self._reading_log.now(now_at)))
            self._put("sensor_readings", sensors_body(sensor_rows_now(now_at)))

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.send()
            except httpx2.TransportError as error:
                log.info("the platform cannot be reached, sending later: %s", error)
            except Refused as refusal:
                log.warning("%s", refusal)
            except OSError as error:
                log.warning("how far the demo has come could not be stored: %s", error)
            self._stopping.wait(self._every_s)

    def _put(self, kind: str, rows: list[dict[str, object]]) -> None:
        if not rows:
            return
        answer = self._client.put(
            f"/commonwatt/v1/sites/{SITE_ID}/{kind}",
            content=orjson.dumps(rows),
            headers={"Content-Type": "application/json"},
        )
        if answer.status_code != httpx2.codes.OK:
            raise Refused(f"{kind} were not taken, sending later: {answer.status_code}")
        if answer.json()["rejected"]:
            log.warning("%s were rejected: %s", kind, answer.json()["rejected"])


def gateway_client(address: str, key: str) -> httpx2.Client:
    """Return a client of the platform at an address such as http://127.0.0.1:8000, with its key."""
    # Loopback never goes through a proxy that the environment names.
    return httpx2.Client(
        base_url=address,
        headers={"Authorization": f"Bearer {key}"},
        timeout=_TIMEOUT_S,
        trust_env=False,
    )


def readings_body(readings: ReadingRows) -> list[dict[str, object]]:
    """Return readings as rows of a body to PUT, in kWh and m3."""
    rows: list[dict[str, object]] = [
        {"type": meter.type, "prim_ad": meter.prim_ad, "timestamp": stamp}
        for meter, stamp in zip(
            (readings.meters[code] for code in readings.meter_codes.tolist()),
            _texts(readings.stamps),
            strict=True,
        )
    ]
    for register, column in readings.values.items():
        for position in np.flatnonzero(column != NO_VALUE).tolist():
            rows[position][register.value] = int(column[position]) / _MILLION
    return rows


def sensors_body(values: SensorRows) -> list[dict[str, object]]:
    """Return sensor values as rows of a body to PUT."""
    return [
        {"sensor": values.sensors[code], "timestamp": stamp, "value": value}
        for code, stamp, value in zip(
            values.sensor_codes.tolist(),
            _texts(values.stamps),
            values.values.tolist(),
            strict=True,
        )
    ]


def _texts(stamps: NDArray[np.int64]) -> list[str]:
    return [datetime.fromtimestamp(stamp, UTC).isoformat() for stamp in stamps.tolist()]
