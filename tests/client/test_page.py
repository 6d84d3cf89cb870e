"""The examples of the client's page and of the README do what is shown, against a real server."""

import contextlib
import io
from collections.abc import Sequence

import pytest

from commonwatt.client import Climkit
from tests.api.serving import client_of
from tests.docs.conftest import EXAMPLES, ServedBuilding
from tests.docs.conftest import building as building  # noqa: PLC0414  # a fixture
from tests.docs.markdown import DOCS, ROOT, Block, blocks


@pytest.fixture
def measured(building: ServedBuilding) -> ServedBuilding:
    """Deliver the readings of the examples."""
    with client_of(building.address, building.variables["KEY"]) as gateway:
        receipt = gateway.put(
            "/commonwatt/v1/sites/61dfc9a0eba4e3564021f36a/readings",
            content=(EXAMPLES / "readings.csv").read_bytes(),
            headers={"content-type": "text/csv"},
        ).json()
    assert receipt["rejected"] == [], receipt
    return building


def examples(page: Sequence[Block]) -> list[tuple[Block, str | None]]:
    """The blocks of Python, and what the page shows after each."""
    following = [*page[1:], Block("", "", 0)]
    return [
        (block, shown.text if shown.language == "text" else None)
        for block, shown in zip(page, following, strict=True)
        if block.language == "python"
    ]


def printed(block: Block, names: dict[str, object], address: str) -> str:
    """What an example prints."""
    out = io.StringIO()
    code = block.text.replace("http://127.0.0.1:8000", address)
    with contextlib.redirect_stdout(out):
        exec(code, names)
    return out.getvalue().rstrip("\n") + "\n"


def test_the_pages_examples_print_what_is_shown(measured: ServedBuilding) -> None:
    password = measured.variables["PASSWORD"]
    page = examples(blocks(DOCS / "client.md"))
    assert len(page) == 6
    # What the first example leaves closed the others go on with.
    with Climkit(measured.address, "anna", password) as climkit:
        names: dict[str, object] = {"password": password}
        for block, shown in page:
            assert printed(block, names, measured.address) == shown
            names["climkit"] = climkit


def test_the_readmes_example_runs(
    measured: ServedBuilding, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLIMKIT_URL", measured.address)
    monkeypatch.setenv("CLIMKIT_USERNAME", "anna")
    monkeypatch.setenv("CLIMKIT_PASSWORD", measured.variables["PASSWORD"])
    [(block, _)] = examples(blocks(ROOT / "README.md"))

    assert "Les Tilleuls 12" in printed(block, {}, measured.address)


def test_the_packages_own_example_runs(
    measured: ServedBuilding, monkeypatch: pytest.MonkeyPatch
) -> None:
    import commonwatt.client

    monkeypatch.setenv("CLIMKIT_URL", measured.address)
    monkeypatch.setenv("CLIMKIT_USERNAME", "anna")
    monkeypatch.setenv("CLIMKIT_PASSWORD", measured.variables["PASSWORD"])
    text = commonwatt.client.__doc__ or ""
    code = "\n".join(line[4:] for line in text.splitlines() if line.startswith("    "))

    assert printed(Block("python", code, 0), {}, measured.address) == "Les Tilleuls 12 kWh 0\n"


def test_the_tree_of_errors_is_the_modules_own() -> None:
    import commonwatt.client.errors

    drawn = [
        line.split()[1]
        for line in (commonwatt.client.errors.__doc__ or "").splitlines()
        if "──" in line
    ]
    [tree] = [block for block in blocks(DOCS / "client.md") if "ClimkitError\n" in block.text]

    assert [line.partition("── ")[2].split()[0] for line in tree.text.splitlines()[1:]] == [
        line.partition("── ")[2].split()[0]
        for line in (commonwatt.client.errors.__doc__ or "").splitlines()
        if "── " in line
    ]
    assert drawn
