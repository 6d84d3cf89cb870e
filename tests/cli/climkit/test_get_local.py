"""`commonwatt get --data`: a store asked without server and account answers as a server does."""

from pathlib import Path

import pytest

from tests.api import building
from tests.api.conftest import deliver, populate
from tests.api.serving import application_of, served
from tests.cli.climkit.conftest import Asking
from tests.cli.command import Ended

DAYS = ("--start", "2026-03-21", "--end", "2026-03-23")
HOUR = ("--start", "2026-03-21T13:00", "--end", "2026-03-21T14:00")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of a store with the building, which was served and is not any more."""
    folder = tmp_path_factory.mktemp("local")
    application = application_of(folder)
    populate(application.store)
    with served(application) as address:
        deliver(address)
    return folder


def local(asking: Asking, data: Path, *words: str) -> Ended:
    return asking.as_nobody(*words, "--data", str(data))


@pytest.mark.parametrize(
    "words",
    [
        ("get", "site", "CH-0012", *DAYS, "--sampling", "H", "--meters"),
        ("get", "site", "CH-0012", "--type", "cold_water", *DAYS, "--sampling", "D"),
        ("get", "meter", building.SITE, "Anna", *HOUR),
        ("get", "meter", "CH-0012", "prim_ad:10", *DAYS, "--sampling", "M"),
        ("get", "raw", "CH-0012", "Anna", *HOUR),
        ("get", "raw", "CH-0012", "Anna"),
        ("get", "sensor", "CH-0012", "Stairwell", *DAYS),
    ],
)
def test_it_answers_as_a_server_does(asking: Asking, data: Path, words: tuple[str, ...]) -> None:
    asked = local(asking, data, *words, "--json")

    assert asked.code == 0, asked.err
    assert asked.out == asking(*words, "--json").out


def test_what_it_has_not_is_told_as_by_a_server(asking: Asking, data: Path) -> None:
    assert local(asking, data, "get", "site", "nowhere").err == (
        "commonwatt: no site nowhere; there are CH-0012, Next door\n"
    )
    rule = local(asking, data, "get", "raw", "CH-0012", "Difference", *DAYS)
    assert rule.code == 1
    assert "is computed by a rule" in rule.err


def test_a_store_and_a_server_are_two_things(asking: Asking, data: Path) -> None:
    both = local(asking, data, "get", "site", "CH-0012", "--url", "http://127.0.0.1:1")
    assert both.code == 2
    assert local(asking, data.parent / "nowhere", "get", "site", "CH-0012").code == 1
