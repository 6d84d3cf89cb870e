"""How much of a long series has come is told before the first part and after each."""

import asyncio

from commonwatt.client import AsyncClimkit, Climkit
from tests.client.conftest import FAST
from tests.client.scripted import SITE, SITE_DATA, Reply, ScriptedServer

WINDOW = ("2025-01-15", "2025-03-15")
TOLD = [(0, 3), (1, 3), (2, 3), (3, 3)]


def test_to_threads() -> None:
    told: list[tuple[int, int]] = []
    with (
        ScriptedServer({SITE_DATA: Reply([])}).running() as url,
        Climkit(
            url, "u", "p", requests_per_second=FAST, on_part=lambda *part: told.append(part)
        ) as climkit,
    ):
        climkit.site_data(SITE, "electricity", *WINDOW)
        assert told == TOLD
        climkit.site_data(SITE, "electricity", *WINDOW, "M")
    assert told[len(TOLD) :] == [(0, 1), (1, 1)]


def test_to_tasks() -> None:
    told: list[tuple[int, int]] = []

    async def ask(url: str) -> None:
        async with AsyncClimkit(
            url, "u", "p", requests_per_second=FAST, on_part=lambda *part: told.append(part)
        ) as climkit:
            await climkit.site_data(SITE, "electricity", *WINDOW)

    with ScriptedServer({SITE_DATA: Reply([])}).running() as url:
        asyncio.run(ask(url))
    assert told == TOLD
