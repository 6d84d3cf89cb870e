"""The commands of the API page, typed in order, print what the page shows."""

import shutil
from pathlib import Path

from tests.docs.conftest import EXAMPLES, ServedBuilding
from tests.docs.markdown import DOCS, blocks
from tests.docs.sessions import differences, run_session, steps


def test_the_commands_print_what_the_page_shows(building: ServedBuilding, tmp_path: Path) -> None:
    shutil.copy(EXAMPLES / "readings.csv", tmp_path)
    session = steps(blocks(DOCS / "api.md"))

    printed = run_session(session, tmp_path, building.address, building.variables)

    assert differences(session, printed) == []
    assert len(session) > 10
