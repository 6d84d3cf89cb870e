"""The walk from an empty folder to the first answer, and the backup, typed in order."""

import os
import socket
import sys
from pathlib import Path

from tests.docs.markdown import DOCS, Block, blocks
from tests.docs.sessions import differences, run_session, steps


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
    return port


def with_commands() -> dict[str, str]:
    """The environment in which `commonwatt` and `python3` are those of the tests."""
    clean = {name: text for name, text in os.environ.items() if not name.startswith("COMMONWATT_")}
    return clean | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


def test_the_commands_lead_to_the_first_answer(tmp_path: Path) -> None:
    session = steps(blocks(DOCS / "own-building.md"))

    printed = run_session(session, tmp_path, f"http://127.0.0.1:{free_port()}", with_commands())

    assert differences(session, printed) == []
    assert "prim_ad" not in printed[0]
    assert "HOUSE-1: added, id " in printed[0]


def test_a_backup_can_be_made_tried_and_restored(tmp_path: Path) -> None:
    declared = Block(
        "sh",
        "echo 'site: {site_ref: A, name: Before, timezone: UTC}' > site.yaml\n"
        "commonwatt apply site.yaml\n",
        0,
    )
    lost = Block(
        "sh",
        "echo 'site: {site_ref: A, name: After, timezone: UTC}' > site.yaml\n"
        "commonwatt apply site.yaml\n",
        0,
    )
    page = [block for block in blocks(DOCS / "operation.md") if block.language in ("sh", "text")]
    backup, trial, ok, restore = page
    session = steps([declared, backup, trial, ok, lost, restore])

    printed = run_session(session, tmp_path, "http://127.0.0.1:8000", with_commands())

    assert differences(session, printed) == []
    assert "Before" in (tmp_path / "status.txt").read_text()
    assert (tmp_path / "backup.sqlite").stat().st_mode & 0o077 == 0
