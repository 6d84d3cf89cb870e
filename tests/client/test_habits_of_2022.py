"""The client understands our server with the habits of 2022 as it does with those of today."""

from collections.abc import Iterator

import pytest

from commonwatt.app.accounts.authorize import Habits, Role
from commonwatt.client import Climkit
from tests.api import building
from tests.api.conftest import PASSWORD, account, add, deliver, populate
from tests.api.serving import application_of, served

PERIOD = ("2026-03-21", "2026-03-23", "H")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the building, with an account of either time."""
    application = application_of(tmp_path_factory.mktemp("habits"))
    populate(application.store)
    for name, habits in (("now", Habits.CURRENT), ("then", Habits.OF_2022)):
        new = account(name, Role.DEVELOPER, building.SITE, habits=habits)
        add(application.store, new)
    with served(application) as url:
        deliver(url)
        yield url


def seen(address: str, username: str, *, meters: bool) -> tuple[object, ...]:
    """What a program sees of the building."""
    with Climkit(address, username, PASSWORD) as climkit:
        [site] = climkit.sites()
        return (
            climkit.site(site.id),
            climkit.meters(site),
            climkit.sensors(site),
            climkit.site_data(site, "electricity", *PERIOD, meters=meters).to_polars().to_dicts(),
        )


def test_both_habits_are_the_same_to_a_program(address: str) -> None:
    assert seen(address, "then", meters=True) == seen(address, "now", meters=True)


def test_columns_that_nobody_asked_for_are_there_and_do_no_harm(address: str) -> None:
    *_, now = seen(address, "now", meters=False)
    *_, then = seen(address, "then", meters=False)

    assert isinstance(now, list)
    assert isinstance(then, list)
    assert [{key: row[key] for key in now[0]} for row in then] == now
    assert set(now[0]) < set(then[0])
