"""A building with real readings: declared, filled and served by the command line alone."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import httpx2

from tests.cli.command import CommandLine

PASSWORD = "a long enough password"
Row = dict[str, str | float | None]


def declare(command: CommandLine, declaration: str) -> None:
    """Apply a declaration."""
    applied = command("apply", command.write("building.yaml", declaration))
    assert applied.code == 0, applied.err


def import_csv(command: CommandLine, name: str, kind: str, id_: str, text: str) -> None:
    """Import a Climkit CSV; every row has to be accepted."""
    imported = command("import", command.write(name, text), kind, id_)
    rows = len(text.splitlines()) - 1
    assert imported.code == 0, imported.err
    assert f"{rows} accepted, 0 unchanged, 0 superseding, 0 rejected" in imported.out


def climkit_csv(registers: Iterable[str], rows: Mapping[str, Iterable[str]]) -> str:
    """A Climkit CSV of texts, by time; an empty text is an empty cell."""
    header = ",".join(("timestamp", *registers))
    lines = (",".join((stamp, *values)) for stamp, values in rows.items())
    return "\n".join((header, *lines)) + "\n"


@dataclass(frozen=True)
class Reader:
    """A signed-in client of a site."""

    client: httpx2.Client
    site: str

    def series(self, meter: str, start: str, end: str, sampling: str = "15T") -> list[Row]:
        """The series of a meter on our own surface."""
        query = {"start": start, "end": end, "sampling": sampling}
        path = f"/commonwatt/v1/sites/{self.site}/meters/{meter}/series"
        return rows(self.client.get(path, params=query))

    def climkit(self, path: str, body: Mapping[str, object]) -> list[Row]:
        """Rows of the published surface."""
        return rows(self.client.post(f"/api/v1/{path}", json=body))

    def findings(self) -> list[dict[str, object]]:
        """All findings of the site."""
        answer = self.client.get(f"/commonwatt/v1/sites/{self.site}/findings")
        assert answer.status_code == 200, answer.text
        found: list[dict[str, object]] = answer.json()
        return found

    def sensor(self, sensor: str, start: str, end: str) -> list[tuple[int, float]]:
        """The values of a sensor."""
        path = f"/api/v1/{self.site}/sensor_data/{sensor}"
        answer = self.client.get(path, params={"t_s": start, "t_e": end})
        assert answer.status_code == 200, answer.text
        return [(row["timestamp"], row["value"]) for row in answer.json()]


def rows(answer: httpx2.Response) -> list[Row]:
    """The rows of an answer that has to be right."""
    assert answer.status_code == 200, answer.text
    found: list[Row] = answer.json()
    return found


@contextmanager
def served(command: CommandLine, site: str) -> Iterator[Reader]:
    """Serve the building to an account of its own, which asks as often as it likes."""
    words = ("account", "add", "reader", "--role", "operator", "--rate-limit", "off")
    added = command(*words, "--site", site, "--password-stdin", stdin=PASSWORD)
    assert added.code == 0, added.err
    with command.serving() as (_, client):
        signed_in = client.post(
            "/api/v1/auth", json={"username": "reader", "password": PASSWORD}
        ).json()
        client.headers["Authorization"] = f"Bearer {signed_in['access_token']}"
        yield Reader(client, site)


def units(amount: str | float | None) -> int:
    """An amount of an answer in Wh or litres; it has three decimals, so this is exact."""
    assert isinstance(amount, float | int)
    return round(amount * 1000)


SET_ASIDE = frozenset(
    (
        *("stamp-ahead", "stamp-too-old", "outside-life", "zero-after-positive"),
        *("index-out-of-order", "index-break", "stamp-off-interval", "interval-overlap"),
        "quarter-too-large",
    )
)
"""Rules that keep something from being used; the others only doubt."""
