"""The commands of the page of exports print what it shows."""

from pathlib import Path

from tests.client.test_page import measured as measured  # noqa: PLC0414  # a fixture
from tests.docs.conftest import ServedBuilding
from tests.docs.markdown import DOCS, blocks
from tests.docs.sessions import differences, run_session, steps
from tests.docs.test_own_building import with_commands


def test_the_commands_print_what_is_shown(measured: ServedBuilding, tmp_path: Path) -> None:
    session = steps(blocks(DOCS / "export.md"))

    printed = run_session(session, tmp_path, measured.address, with_commands() | measured.variables)

    assert differences(session, printed) == []
