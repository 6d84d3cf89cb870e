"""A mirror that was killed, whenever, ends equal to one that nobody disturbed."""

import random
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlalchemy import select, text

from commonwatt.adapters.store import schema
from commonwatt.domain.metering.readings import StoredReadings
from tests.api import building
from tests.api.conftest import PASSWORD, token
from tests.api.serving import client_of
from tests.cli.command import COMMAND, environment
from tests.contracts.processes import opened
from tests.contracts.stored_results import all_stored
from tests.mirror.copying import catalogue
from tests.mirror.recording import Asked, Recorder

_PATIENCE_S = 120.0
# The registers of the building's meters, in the order of their columns.
_REGISTERS = ("en_im", "en_ex", "heat_energy_kwh", "vol_m3")

Source = tuple[str, Recorder]


@pytest.fixture
def long_source(source: Source) -> Source:
    """Deliver hours of a day of each of seven months more; give the source."""
    address, recorder = source
    rows = [
        {
            "meter": meter,
            register: 100 + month + hour / 100,
            "timestamp": f"2026-{month:02}-05T{hour:02}:00:00",
        }
        for meter, register in building.RISES
        for month in range(4, 11)
        for hour in range(24)
    ]
    with client_of(address, token(address, "gateway")) as gateway:
        path = f"/commonwatt/v1/sites/{building.SITE}/readings"
        assert gateway.put(path, json=rows).json()["accepted"] == len(rows)
    return address, recorder


@dataclass
class Mirror:
    """The command, run against a server, into a store."""

    source: Source
    url: str

    @contextmanager
    def running(self) -> Iterator["subprocess.Popen[str]"]:
        """Start it; at the end it has ended."""
        who = {"CLIMKIT_USERNAME": "reader", "CLIMKIT_PASSWORD": PASSWORD}
        with subprocess.Popen(
            [*COMMAND, "mirror", "--fast", "--database-url", self.url],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(CLIMKIT_URL=self.source[0], **who),
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def undisturbed(self) -> int:
        """Run it to its end; return how many questions it asked."""
        before = len(self.source[1].asked)
        with self.running() as process:
            _, err = process.communicate(timeout=_PATIENCE_S)
        assert (process.returncode, err) == (0, "")
        return len(self.source[1].asked) - before

    def killed(self, questions: int, later_s: float) -> bool:
        """Kill it so many seconds after so many questions; False if it ended before that."""
        recorder, reached = self.source[1], threading.Event()
        last = len(recorder.asked) + questions

        def count(_asked: Asked) -> None:
            if len(recorder.asked) >= last:
                reached.set()

        recorder.on_question = count
        try:
            with self.running() as process:
                while not reached.wait(0.005):
                    if process.poll() is not None:
                        return False
                time.sleep(later_s)
                process.kill()
                return process.wait(_PATIENCE_S) == -signal.SIGKILL
        finally:
            recorder.on_question = None


def everything(url: str) -> dict[str, object]:
    """All that a store holds of the building, but for instants of recording."""
    with opened(url) as store:
        site = catalogue(store)
        number = site.site.number
        found: dict[str, object] = {"catalogue": replace(site, generation=0)}
        with store.snapshot() as snapshot:
            numbers = [each.number for each in site.meters]
            stored = snapshot.readings.readings(number, numbers, 0, 30_000)
            found["readings"] = {meter: _columns(rows) for meter, rows in stored.items()}
            found["deliveries"] = [
                (each.source, each.accepted, each.first_day, each.last_day)
                for each in snapshot.readings.deliveries(number)
            ]
            values = snapshot.sensors.sensor_values(number, site.sensors[0].number, 0, 30_000)
            found["sensors"] = values.stamps.tolist(), values.values.tolist()
            found["marked"] = [*snapshot.reference.copied_until(number)]
        kept = schema.reference_days
        with store.database.read() as connection:
            rows = connection.execute(select(kept).order_by(kept.c.meter, kept.c.day)).all()
            found["reference"] = [tuple(row) for row in rows]
            if store.database.is_sqlite:
                assert connection.execute(text("PRAGMA integrity_check")).scalars().all() == ["ok"]
        return found | all_stored(store, number)


def _columns(rows: StoredReadings) -> list[object]:
    values = {str(register): column.tolist() for register, column in rows.values.items()}
    return [rows.stamps.tolist(), *map(values.get, _REGISTERS), rows.qualities.tolist()]


def check_killed(source: Source, urls: list[str], kills: int, seed: int) -> None:
    """Kill mirrors into all but the first store, let them end, and compare."""
    undisturbed, *disturbed = (Mirror(source, url) for url in urls)
    questions, fewest = undisturbed.undisturbed(), undisturbed.undisturbed()
    expected = everything(undisturbed.url)
    assert len(expected["reference"]) > 100 * len(building.METERS)  # type: ignore[arg-type]  # a list
    chance = random.Random(seed)
    for each in disturbed:
        for _ in range(kills // len(disturbed)):
            later_s = chance.random() * 0.05
            if not each.killed(chance.randint(1, questions // 2), later_s):
                # It had come too far before, and was done by then; this many it always asks.
                assert each.killed(chance.randint(1, fewest), later_s)
        each.undisturbed()
        found = everything(each.url)
        for name, value in expected.items():
            assert found[name] == value, name


@pytest.mark.slow
def test_killed_at_random_moments_it_ends_equal(long_source: Source, tmp_path: Path) -> None:
    urls = [f"sqlite:///{tmp_path / str(number)}.sqlite" for number in range(6)]

    check_killed(long_source, urls, kills=20, seed=20_261_121)


@pytest.mark.slow
@pytest.mark.postgres
def test_killed_on_postgresql_it_ends_equal(
    long_source: Source, postgres_url: str, sqlite_url: str
) -> None:
    check_killed(long_source, [sqlite_url, postgres_url], kills=4, seed=20_261_122)
