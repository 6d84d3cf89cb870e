"""`commonwatt mirror`, run as people run it."""

import json
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from commonwatt.app.accounts.authorize import Role
from tests.api import building
from tests.api.conftest import PASSWORD, account, add, token
from tests.api.serving import application_of, client_of, served
from tests.cli.command import COMMAND, Ended, environment, run
from tests.client.scripted import Asked as ClientAsked
from tests.client.scripted import Reply, Script
from tests.mirror.recording import Asked, Recorder
from tests.mirror.wire_site import SITE, WireMeter, every, meter_id, server_of

Source = tuple[str, Recorder]
ALL_EQUAL = (
    "9 of 9 meter-months equal within 1 Wh a quarter-hour, their sums within 0.000 kWh or m3; "
    "1 of them fed from the server's totals"
)


@dataclass(frozen=True)
class Mirror:
    """The command in a folder, asking one server."""

    address: str
    folder: Path

    @property
    def who(self) -> Mapping[str, str]:
        return {
            "CLIMKIT_URL": self.address,
            "CLIMKIT_USERNAME": "reader",
            "CLIMKIT_PASSWORD": PASSWORD,
            "COLUMNS": "200",
        }

    def __call__(self, *words: str, **more: str) -> Ended:
        return run("mirror", *words, folder=self.folder, more={**self.who, **more})

    def other(self, *words: str) -> Ended:
        """Run another command on the same store."""
        return run(*words, folder=self.folder)


@pytest.fixture
def mirror(source: Source, tmp_path: Path) -> Mirror:
    """Give the command, asking the building's server."""
    return Mirror(source[0], tmp_path)


@pytest.fixture
def mirrored(mirror: Mirror) -> Mirror:
    """Give the command, where it has run once."""
    ended = mirror("--fast", "--quiet")
    assert (ended.code, ended.out, ended.err) == (0, "", "")
    return mirror


def test_a_run_tells_what_it_copied_and_how_ours_compares(mirror: Mirror) -> None:
    ended = mirror("CH-0012", "--fast")

    assert (ended.code, ended.err) == (0, "")
    first, *lines = ended.lines
    readings = (building.QUARTERS + 1) * (len(building.METERS) - 1) + building.QUARTERS
    assert first.startswith(
        f"site CH-0012: 9 meters, 1 sensors; new are {readings} readings and 4 sensor values; "
        f"{building.QUARTERS * 9} quarter-hours of the server are kept; "
    )
    assert "  meter Anna (electricity 11): added, id 61dfcb4beba4e3563fdf0003" in lines
    assert lines[-2:] == [
        "  Difference: fed from validated totals: a rule meter, and the API does not tell its rule",
        f"  {ALL_EQUAL}",
    ]


def test_a_second_run_has_nothing_new_to_tell(mirrored: Mirror) -> None:
    first, *lines = mirrored("--fast").lines

    assert "new are 0 readings and 0 sensor values; 0 quarter-hours" in first
    assert first.endswith("; 0 days settled")
    assert len(lines) == 2


def test_a_running_server_shows_it_at_once(mirror: Mirror) -> None:
    application = application_of(mirror.folder / "commonwatt-data")
    with served(application) as address:
        assert mirror("--fast").code == 0
        add(application.store, account("reader", Role.DEVELOPER, building.SITE))
        with client_of(address, token(address, "reader")) as client:
            body = {"t_s": "2026-03-22T00:00:00", "t_e": "2026-03-22T01:00:00"}
            path = f"/api/v1/meter_data/{building.SITE}/{building.ANNA}"
            rows = client.post(path, json=body).json()

    assert [row["total"] for row in rows] == [0.04] * 4


def test_the_report_names_the_months_that_differ(mirrored: Mirror) -> None:
    # Somebody corrects a reading here: two quarter-hours differ, by 12 Wh each.
    at = building.FIRST_AT + 900 * 40
    index = 1.0 + 0.04 * 40 + 0.012
    (mirrored.folder / "a.csv").write_text(f"timestamp,en_im\n{building.utc(at)},{index:.3f}\n")
    meter = ("--meter", building.ANNA)
    assert mirrored.other("import", "a.csv", *meter).code == 0

    ended = mirrored("--report")

    assert (ended.code, ended.err) == (0, "")
    site, headers, *rows, closing = ended.lines
    assert site == "site CH-0012"
    assert headers.split("  ")[0] == "meter"
    cells = [row.split() for row in rows]
    amounts = ["7.680", "7.680", "0.000"]
    assert ["Anna", "2026-03", "total", "kWh", *amounts, *["2", "of", "192", "0", "0"]] in cells
    # What another consumer has, all share.
    assert {(row[0], row[2]) for row in cells} - {("Anna", "total")} == {
        (name, series) for name in ("Anna", "Bert", "Charger") for series in ("self", "ext")
    }
    assert closing.startswith("6 of 9 meter-months equal")


def test_the_report_as_json_has_all_of_it(mirrored: Mirror) -> None:
    ended = mirrored("--report", "--json", "Les Tilleuls 12")

    months = {each["name"]: each for each in json.loads(ended.out)}
    assert len(months) == len(building.METERS)
    assert months["Cold water"] == {
        "site": building.SITE,
        "meter": building.WATER,
        "name": "Cold water",
        "month": "2026-03",
        "unit": "m3",
        "equal": True,
        "reasons": [],
        "series": {
            "total": {
                "ours": 1.344,
                "theirs": 1.344,
                "difference": 0.0,
                "both": 192,
                "differing": 0,
                "only_ours": 0,
                "only_theirs": 0,
                "differing_by_our_quality": {},
            }
        },
    }
    assert months["Difference"]["reasons"] == ["from_totals"]
    assert set(months["Anna"]["series"]) == {"total", "self", "ext"}


def test_the_whole_report_shows_what_is_equal_too(mirrored: Mirror) -> None:
    assert len(mirrored("--report").lines) == 2
    whole = mirrored("--report", "--verbose")

    assert (whole.code, whole.err) == (0, "")
    # Three series of each of the three consumers, one of the six others, and three lines.
    assert len(whole.lines) == 3 * 3 + 6 + 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--json",), "--json is for --report"),
        (("--report", "--fast"), "--report asks no server"),
        (("--report", "--since", "2026-03-01"), "--report asks no server"),
        (("--since", "yesterday"), "'yesterday' is no date such as 2026-03-22"),
        (("--quiet", "--verbose"), "give either --quiet or --verbose"),
    ],
)
def test_wrong_usage_is_told_and_makes_no_store(
    words: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    ended = Mirror("http://127.0.0.1:1", tmp_path)(*words)

    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_is_told_in_a_line_and_makes_no_store(mirror: Mirror) -> None:
    for words, more, said in (
        (("--report",), {}, "there is no store"),
        (("nowhere",), {}, "no site nowhere; there are CH-0012"),
        ((building.NEIGHBOUR,), {}, "installation_infos"),
        ((), {"CLIMKIT_PASSWORD": "wrong"}, "/auth"),
        ((), {"CLIMKIT_USERNAME": "", "CLIMKIT_PASSWORD": ""}, "CLIMKIT_USERNAME"),
    ):
        ended = mirror("--fast", *words, **more) if words != ("--report",) else mirror(*words)

        assert ended.code == 1, words
        [line] = ended.err.splitlines()
        assert said in line
        assert not (mirror.folder / "commonwatt-data").exists()


def test_a_report_of_what_was_never_copied(mirrored: Mirror) -> None:
    empty = mirrored.folder / "empty"
    application_of(empty).store.database.close()

    nothing = mirrored("--report", "--data", str(empty))
    unknown = mirrored("--report", "CH-0013")

    assert (nothing.code, unknown.code) == (1, 1)
    assert "no site of this store was copied yet" in nothing.err
    assert "no copied site CH-0013; there are CH-0012" in unknown.err


def test_what_could_not_be_copied_makes_it_fail_at_the_end(tmp_path: Path) -> None:
    raw = every(900, 97, lambda n: {"en_im": n / 100})
    broken = WireMeter(1, {}, raw, Reply({"oops": 1}))
    sites = {"/all_installations": Reply([SITE])}
    working = server_of([WireMeter(1, {}, raw), WireMeter(2, {}, raw)], more=sites)
    with working.running() as address:
        assert Mirror(address, tmp_path)("--fast").code == 0
    with server_of([broken, WireMeter(2, {}, raw)], more=sites).running() as address:
        ended = Mirror(address, tmp_path)("--fast")

        quiet = Mirror(address, tmp_path)("--fast", "--quiet")

    assert (ended.code, ended.err) == (1, "")
    assert (quiet.code, quiet.out) == (1, ended.out)
    assert any(line.startswith("  Meter 1: not copied from ") for line in ended.lines)
    assert meter_id(1) in ended.out


def test_a_site_that_cannot_be_copied_does_not_end_the_run(tmp_path: Path) -> None:
    other, gone = "61dfc9a0eba4e3564021f36b", "61dfc9a0eba4e3564021f36c"
    raw = every(900, 97, lambda n: {"en_im": n / 100})
    more: dict[str, Script] = {
        "/all_installations": Reply([other, gone, SITE]),
        f"/installation_infos/{other}": Reply({"name": "No zone"}),
        f"/installation_infos/{gone}": Reply({"name": "Closed", "timezone": "UTC"}),
    }
    with server_of([WireMeter(1, {}, raw)], more=more).running() as address:
        ended = Mirror(address, tmp_path)("--fast")

    assert ended.code == 1
    no_zone, closed = ended.err.splitlines()
    assert no_zone.startswith(f"site {other} is not copied: the server does not say the time zone")
    assert closed.startswith(f"site {gone} is not copied: GET /meter_info/{gone}: ")
    assert ended.lines[0].startswith(f"site {SITE}: 1 meters, 0 sensors; new are 97 readings")


def test_an_account_that_may_see_nothing_is_told_so(tmp_path: Path) -> None:
    with server_of([], more={"/all_installations": Reply([])}).running() as address:
        ended = Mirror(address, tmp_path)("--fast")

    assert (ended.code, ended.out) == (1, "")
    assert "may see no site" in ended.err


def test_interrupted_it_says_how_to_go_on_and_does(source: Source, tmp_path: Path) -> None:
    address, recorder = source
    mirror = Mirror(address, tmp_path)
    asked: list[Asked] = []
    recorder.on_question = asked.append
    with subprocess.Popen(
        [*COMMAND, "mirror", "--fast"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(**mirror.who),
    ) as process:
        while len(asked) < 80:
            assert process.poll() is None
            time.sleep(0.005)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)

    assert (process.returncode, out) == (130, "")
    assert err.splitlines() == [
        "what was copied stays; the same command goes on from there",
        "commonwatt: interrupted",
    ]
    assert mirror("--fast").code == 0
    assert mirror("--report").lines[-1].startswith("9 of 9 meter-months")


def test_interrupted_it_waits_for_no_answer(tmp_path: Path) -> None:
    """Also where the server is silent, which it is asked side by side for two answers."""
    raw = every(900, 97, lambda n: {"en_im": n / 100})
    silent, over = threading.Event(), threading.Event()

    def hold(_asked: ClientAsked) -> Reply:
        if not server.count(f"/meter_data/{SITE}/{meter_id(1)}"):  # it is only looked at
            return Reply([{**row, "timestamp": at} for at, row in raw.items()])
        silent.set()
        over.wait(60)
        return Reply([])

    path = f"/meter_data_raw/{SITE}/{meter_id(1)}"
    sites: dict[str, Script] = {"/all_installations": Reply([SITE]), path: hold}
    server = server_of([WireMeter(1, {}, raw)], more=sites)
    with server.running() as address:
        try:
            with subprocess.Popen(
                [*COMMAND, "mirror", "--fast"],
                cwd=tmp_path,
                stderr=subprocess.PIPE,
                text=True,
                env=environment(**Mirror(address, tmp_path).who),
            ) as process:
                assert silent.wait(60)
                process.send_signal(signal.SIGINT)
                _, err = process.communicate(timeout=20)
        finally:
            over.set()

    assert process.returncode == 130
    assert err.splitlines()[-1] == "commonwatt: interrupted"
