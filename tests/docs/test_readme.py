"""What the README says to type first, typed."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.markdown import ROOT, blocks, section
from tests.docs.sessions import differences, run_session, steps
from tests.docs.test_own_building import with_commands

README = ROOT / "README.md"


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[str]:
    """Run the demo on a free port; give what it printed when it was ready."""
    running = subprocess.Popen(
        [Path(sys.executable).with_name("commonwatt"), "demo", "--port", "0", "--data", "demo"],
        cwd=tmp_path,
        env=with_commands(),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert running.stdout is not None
    printed = ""
    for line in running.stdout:
        printed += line
        if "Ctrl-C" in line:
            break
    yield printed
    running.send_signal(signal.SIGTERM)
    running.communicate(timeout=30)


@pytest.mark.slow
def test_the_first_session_works_against_the_demo(demo: str, tmp_path: Path) -> None:
    address, password = (
        re.search(rf"{word} +(\S+)", demo).group(1)  # type: ignore[union-attr]  # else it fails
        for word in ("address", "password")
    )
    session = steps(blocks(README))

    printed = run_session(session, tmp_path, address, {"PASSWORD": password})

    assert differences(session, printed) == []
    [site] = json.loads(printed[0])
    assert site["id"] in README.read_text(encoding="utf-8")
    rows = json.loads(printed[1])
    assert 23 <= len(rows) <= 25
    shown = set(re.findall(r'"(\w+)":', section(README, "Start").partition("hours of the last")[2]))
    assert shown <= set(rows[0])


def test_it_says_what_it_is_before_how_to_start() -> None:
    text = README.read_text(encoding="utf-8")

    assert text.index("independent implementation") < text.index("make demo")
    assert text.index("make test") < len(text) / 3
