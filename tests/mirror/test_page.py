"""The page about mirroring does what it shows."""

from pathlib import Path

import pytest

from tests.docs.markdown import DOCS, blocks
from tests.docs.sessions import differences, run_session, steps
from tests.docs.test_own_building import free_port, with_commands


@pytest.mark.slow
def test_the_pages_commands_print_what_is_shown(tmp_path: Path) -> None:
    session = steps(blocks(DOCS / "mirror.md"))
    variables = with_commands() | {"COLUMNS": "200"}

    printed = run_session(session, tmp_path, f"http://127.0.0.1:{free_port()}", variables)

    assert differences(session, printed) == []
